"""A number that the program rounds the sizes of its data to, and that is too small for the model: `SIZE_DIVISOR = 16`.

An image of another size is no repair where the program pads each of them itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.adapters.statements import nodes_of, rewritten, statement
from shapewatch.edits import Input
from shapewatch.recording import Recording, Span
from shapewatch.source import is_users_own, span_of


@dataclass(frozen=True)
class Rounding:
    """The line that says the number, the number, and the line with the one that the model needs."""

    line: Span
    name: str
    was: int
    needed: int
    code: str


def rounded_to(recording: Recording, edit: Input) -> Rounding | None:
    """What the sizes of an input are rounded to, where a multiple of it is needed; None where it is not one number."""
    needed = edit.arguments.get("multiple")
    given = recording.shape(recording.inputs[edit.index]) if edit.index < len(recording.inputs) else ()
    changed = [size for size, wanted in zip(given, edit.shape, strict=False) if size != wanted and size]
    spans = [call.span for call in recording.roots] + ([*recording.failure.stack] if recording.failure else [])
    files = dict.fromkeys(span.file for span in spans if span is not None and is_users_own(span.file))
    found = [
        Rounding(line, name, was, needed, code)
        for file in files
        for line, name, was, node in _numbers(file)
        if isinstance(needed, int) and needed > was > 1 and not needed % was
        if changed and all(size % was == 0 for size in changed)
        if (code := _with(line, node, needed)) is not None
    ]
    return found[0] if len(found) == 1 else None


def _numbers(file: str) -> Iterator[tuple[Span, str, int, ast.expr]]:
    """The numbers with a name that a file divides by and multiplies with again, or takes the rest of."""
    for node in nodes_of(file):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if (
            not isinstance(node, ast.Assign)
            or not isinstance(target, ast.Name)
            or not isinstance(node.value, ast.Constant)
        ):
            continue
        if type(node.value.value) is int and any(_rounds_by(each, target.id) for each in nodes_of(file)):
            yield span_of(file, node.lineno), target.id, node.value.value, node.value


def _rounds_by(node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.BinOp) or not _is(node.right, name):
        return False
    parts = [each for each in ast.walk(node.left) if isinstance(each, ast.BinOp) and _is(each.right, name)]
    divided = any(isinstance(each.op, ast.Div | ast.FloorDiv) for each in parts)
    return isinstance(node.op, ast.Mod) or (isinstance(node.op, ast.Mult) and divided)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _with(line: Span, node: ast.expr, needed: int) -> str | None:
    source = statement(line)
    tree = ast.parse(source) if source is not None else None
    step = tree.body[0] if tree is not None and tree.body else None
    if source is None or not isinstance(step, ast.Assign) or ast.dump(step.value) != ast.dump(node):
        return None
    return rewritten(source, [(step.value, str(needed))])
