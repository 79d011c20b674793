"""Weights of a program's own that cut its samples: a reshape makes rows as long as such a weight takes, several of each
sample."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator

from shapewatch import axes
from shapewatch.adapters import statements
from shapewatch.adapters.unread import line_at, reading
from shapewatch.recording import Shape, Span, text
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.shapes_written import of_factors
from shapewatch.repair.size_by_a_name import Named, size_by_a_name
from shapewatch.repair.variables import Held, Odd, odd_of
from shapewatch.report import Cause, Fix
from shapewatch.rules.losses import batch_lost
from shapewatch.rules.rule import Case


def made_for_parts(case: Case, framework: str) -> Odd | None:
    """A weight behind a reshape that makes several samples of one: it has as many rows as such a part has numbers."""
    graph, recording = case.graph, case.recording
    if case.call.kind == "reshape" and case.shapes:
        return _rows_of_a_weight(case, framework)
    if len(case.shapes) != 2 or not all(case.shapes) or not axes.differ(case.shapes[0][0], case.shapes[1][0]):
        return None
    found = (
        batch_lost(case, *pair) for pair in zip(case.call.operands, (s[0] for s in case.shapes[::-1]), strict=True)
    )
    made = next((unit for unit in found if unit is not None and unit.kind == "reshape" and not unit.is_layer), None)
    if made is None:
        return None
    before, after = recording.shape(made.operands[0]), recording.shape(made.results[0])
    each = math.prod(size or 0 for size in before[1:])
    if made.span is not None and (other := _unread_beside(made.span, framework)) is not None:
        return other
    for unit in graph.consumers.get(made.results[0], ()) if len(after) == 2 and each else ():
        weight = recording.values[unit.operands[-1]]
        if unit.kind == "matmul" and weight.origin == "parameter" and weight.shape[:1] == after[1:]:
            why = f"each sample of {text(before)} has {each} numbers, and is cut into rows of {after[1]}"
            return odd_of(case, Held(weight, 0), (each, *weight.shape[1:]), (why,), framework, factors=before[1:])
    return None


def _rows_of_a_weight(case: Case, framework: str) -> Odd | None:
    """A reshape that takes the length of its rows from a weight, which was made for other maps."""
    before, target = case.shapes[0], case.facts.get("shape")
    source = statements.statement(case.call.span) or ""
    if not isinstance(target, tuple) or len(target) != 2 or len(before) < 3 or None in before[1:]:
        return None
    each = math.prod(size or 0 for size in before[1:])
    spoken = re.sub(r"[\"']", "'", source)
    for value in case.recording.values:
        if value.name is not None and value.name in spoken and value.shape[:1] == target[1:] != (each,):
            why = f"each sample of {text(before)} has {each} numbers, and its rows are of {target[1]}"
            return odd_of(case, Held(value, 0), (each, *value.shape[1:]), (why,), framework, factors=before[1:])
    if case.call.span is None:
        return None
    named = size_by_a_name(case.call.span, target[1], before[1:])
    if named is not None:
        reason = f"{named.name} is {target[1]}, and each sample of {text(before)} has {each} numbers"
        return Odd(Cause(None, named.name, named.line, reason), _of_a_name(named, framework), True)
    return _rows_by_a_product(case.call.span, source, before, target[1], framework)


def _of_a_name(named: Named, framework: str) -> Fix:
    return Fix(
        title=named.code,
        code=named.code,
        edit={"action": "set", "variable": named.name, "argument": "value", "value": named.fits},
        changes=(),
        framework=framework,
        verified=None,
        why_not="a variable of the program's own cannot be tried with another value",
    )


def _rows_by_a_product(span: Span, source: str, before: Shape, rows: int, framework: str) -> Odd | None:
    """The same of a weight that nothing has taken yet, so that no pass knows it: its line says a product of numbers."""
    for name in _lengths_taken(source):
        line = assigned_line(span.file, name, span.line)
        code = of_factors(line.source or "", rows, before[1:]) if line is not None else None
        if line is not None and code is not None and code != line.source:
            each = math.prod(size or 0 for size in before[1:])
            reason = f"its rows are of {rows}, and each sample of {text(before)} has {each} numbers"
            fix = Fix(
                title=f"{name} with {each} rows",
                code=code,
                edit={"action": "set", "variable": name, "argument": "shape", "value": each},
                changes=(),
                framework=framework,
                verified=None,
                why_not="a variable of the program's own cannot be tried in another shape",
                evidence=(reason,),
            )
            return Odd(Cause(name, "variable", line, reason), fix, True)
    return None


def _lengths_taken(source: str) -> Iterator[str]:
    """What a line takes the first size of: `w` in `w.shape[0]` and in `w.get_shape().as_list()[0]`."""
    tree = statements.parsed(source)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
            held: ast.expr = node.value
            while isinstance(held, ast.Call) and isinstance(held.func, ast.Attribute) and held.func.attr == "as_list":
                held = held.func.value
            held = held.func if isinstance(held, ast.Call) else held
            if isinstance(held, ast.Attribute) and held.attr in ("shape", "get_shape"):
                yield ast.unparse(held.value)


def _unread_beside(span: Span, framework: str) -> Odd | None:
    """A line that takes another variable than one that was made before it and that nothing reads."""
    line = line_at(span)
    own = [bound for bound in line.variables if bound.name in line.reads and bound.lines] if line is not None else []
    unread = [bound for bound in line.variables if bound.lines and not bound.read] if line is not None else []
    unread = [bound for bound in unread if bound.name not in (line.reads if line is not None else ())]
    if len(own) != 1 or len(unread) != 1:
        return None
    name, instead = unread[0].name, own[0].name
    said = f"`{name}`, which line {unread[0].lines.start} makes, is used by nothing"
    fix = Fix(
        title=f"`{name}` in the place of `{instead}`",
        code=reading(statements.statement(span), name, instead) or f"# take {name} in the place of {instead}",
        edit={"action": "set", "variable": instead, "argument": "name", "value": name},
        changes=(),
        framework=framework,
        verified=None,
        why_not="what is used by nothing was not computed, so its shape is not known",
        evidence=(said,),
    )
    return Odd(Cause(None, "variable", span, f"it takes `{instead}`; {said}"), fix, True)
