"""A size that a line says by a name, which another line gives a number: `flat = 7 * 7 * 32`.

The name is there because more than one line goes by it, the weight behind the reshape most of all. A number in the
place of the name would only move the failure there; the line to change is the one that gives the name its value.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapewatch.adapters.formulas import as_formula, last_axes
from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.adapters.worked_out import comes_to
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.recording import Recording, Shape, Span
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.shapes_written import of_factors
from shapewatch.source import tree_of

_WORTH = 0.75
"""As much as there is to be said for a layer whose width is written as a product of numbers."""


@dataclass(frozen=True)
class Named:
    """A name for a size, what that is and should be, the line that gives it its value, and that line with the other."""

    name: str
    was: int
    fits: int
    line: Span
    code: str


def size_by_a_name(span: Span, was: int, factors: Shape) -> Named | None:
    """The one name in a line that stands for a size, where another line gives it as a number or as a product; there it
    becomes the product of these factors, of which those that it has already stay as they are written."""
    sizes = [size for size in factors if size is not None]
    names = list(dict.fromkeys(_names_for(span, was)))
    line = assigned_line(span.file, names[0], span.line) if len(names) == 1 else None
    if line is None or len(sizes) != len(factors):
        return None
    code = _with_factors(line, names[0], was, sizes)
    return None if code is None else Named(names[0], was, math.prod(sizes), line, code)


def by_its_name(evidence: Evidence) -> Iterator[Candidate]:
    """The size that a reshape says by a name, with the layers that are made of the same name: one line changes all."""
    case = evidence.case
    for edits in evidence.finding.own if case.call.kind == "reshape" and not case.call.is_layer else ():
        change = _of_one_size(edits[0]) if len(edits) == 1 else None
        named = _named(edits[0], change, case.recording) if change is not None else None
        if change is None or named is None:
            continue
        was, now = change
        made = [layer for layer in case.recording.layers if layer.facts.get("in_features") == was]
        made = [layer for layer in made if named.name in _read_in(layer.defined)]
        together = (*edits, *(Set(layer.path, "in_features", now, was) for layer in made))
        if named_by(together, case.recording) is not None:
            yield Candidate(together, _WORTH, 0, needs_proof=True)


def named_by(edits: Sequence[Edit], recording: Recording) -> Named | None:
    """The line that gives a name its value, where that changes all that several edits change and nothing else."""
    change = _of_one_size(edits[0]) if edits else None
    named = _named(edits[0], change, recording) if change is not None else None
    call = recording.at(edits[0].place) if named is not None and isinstance(edits[0], SetCall) else None
    if change is None or named is None or call is None or call.span is None:
        return None
    sets = [edit for edit in edits[1:] if isinstance(edit, Set) and edit.layer in recording.layer_at]
    alike = all((edit.argument, edit.was, edit.value) == ("in_features", *change) for edit in sets)
    read = sum(text == named.name for text in _read(tree_of(named.line.file)))
    return named if alike and len(sets) + 1 == len(edits) == read else None


def _of_one_size(edit: Edit) -> tuple[int, int] | None:
    """The one size of a reshape's target that gets another value, and that."""
    if not isinstance(edit, SetCall) or edit.argument != "shape" or not isinstance(edit.was, tuple):
        return None
    changed = [pair for pair in zip(edit.was, edit.value, strict=False) if pair[0] != pair[1]]
    return changed[0] if len(changed) == 1 and len(edit.was) == len(edit.value) else None


def _named(edit: Edit, change: tuple[int, int], recording: Recording) -> Named | None:
    call = recording.at(edit.place) if isinstance(edit, SetCall) else None
    factors = last_axes(recording.shape(call.operands[0]), change[1]) if call is not None and call.operands else ()
    return size_by_a_name(call.span, change[0], factors) if call is not None and call.span and factors else None


def _read_in(span: Span | None) -> list[str]:
    tree = parsed(statement(span))
    return list(_read(tree)) if tree is not None else []


def _read(tree: ast.AST) -> Iterator[str]:
    """The variables and attributes that are read in a text, once for each time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield ast.unparse(node)


def _names_for(span: Span, size: int) -> Iterator[str]:
    tree = parsed(statement(span))
    for node in ast.walk(tree) if tree is not None else ():
        read = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
        if read and comes_to(node, span.file, span.line) == size:  # type: ignore[arg-type]
            yield ast.unparse(node)


def _with_factors(line: Span, name: str, was: int, factors: Sequence[int]) -> str | None:
    source = statement(line)
    tree = parsed(source)
    step = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    if source is None or not isinstance(step, ast.Assign) or [ast.unparse(each) for each in step.targets] != [name]:
        return None
    formula = as_formula(step.value, was, factors, line)
    if formula is not None:
        return rewritten(source, formula)
    code = of_factors(source, was, tuple(factors))
    return code if code != source else None
