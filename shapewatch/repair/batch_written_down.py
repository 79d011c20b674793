"""Numbers drawn, or zeros made, for a batch whose size is written down: the last batch of an epoch is smaller."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from shapewatch import axes
from shapewatch.adapters.operand import operand_text, which_of_line
from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.adapters.written import length_in
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Size, Span
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case

_MAKES = frozenset("normal uniform zeros ones truncated_normal randn rand full random_normal random_uniform".split())
"""Functions that make a tensor of nothing but its shape."""


def batch_written_down(case: Case, framework: str) -> Odd | None:
    """The variable that was made for another batch than comes, and the line that makes it for any."""
    if len(case.shapes) != 2 or any(not shape or shape[0] in (None, 1) for shape in case.shapes):
        return None
    batches = [shape[0] for shape in case.shapes]
    if batches[0] == batches[1] or axes.broadcast_problems([shape[1:] for shape in case.shapes]):
        return None
    for call, operand in _of_nothing(case, batches):
        which, span = which_of_line(call, case.recording), call.span
        name = operand_text(statement(span), operand, call.name, which=which)
        if span is None or name is None or not name.isidentifier():
            continue
        line = assigned_line(span.file, name, span.line)
        code = _for_any_batch(line, call, operand, case, framework) if line is not None else None
        if code is None:
            continue
        made = case.recording.shape(call.operands[operand])
        comes = next(batch for batch in batches if batch != made[0])
        reason = f"{name} is made for {made[0]} samples, and this batch has {comes}"
        edit = {"action": "set", "variable": name, "argument": "shape", "value": (None, *made[1:])}
        why_not = "a variable of the program's own cannot be tried anew"
        fix = Fix(f"{name} for as many samples as come", code, edit, (), framework, None, why_not)
        return Odd(Cause(call.layer or None, name, line, reason), fix, True)
    return None


def _of_nothing(case: Case, batches: Sequence[Size]) -> Iterator[tuple[Call, int]]:
    """The operands of what failed, and of the sums and products of the pass, that no call made and that have one of
    these batches, beside something of another batch, or of one that is not known. What fails may be a gradient, to
    which no road leads."""
    graph, recording = case.graph, case.recording
    for call in (case.call, *graph.units):
        if call.kind not in ELEMENTWISE or call.is_layer or call.kind == "loss" or len(call.operands) != 2:
            continue
        for operand, value in enumerate(call.operands):
            made, other = recording.shape(value), recording.shape(call.operands[1 - operand])
            meets = bool(made) and len(made) == len(other) and made[0] in batches and other[0] not in (1, made[0])
            if meets and made[0] != 1 and _is_of_nothing(value, graph):
                yield call, operand


def _is_of_nothing(value: int, graph: Graph) -> bool:
    """Whether a value comes from no other, or from such alone: drawn numbers that are scaled and moved."""
    values = graph.recording.values
    if graph.producer.get(value) is None:
        return values[value].origin in ("constant", "input")
    made = (each for each in values if graph.ancestors[value] >> each.number & 1 and each.shape)
    roots = [each for each in made if graph.producer.get(each.number) is None]
    return bool(roots) and all(each.origin == "constant" for each in roots)


def _for_any_batch(line: Span, call: Call, operand: int, case: Case, framework: str) -> str | None:
    """The line with the size of the batch read off a tensor that there is already."""
    rank = len(case.recording.shape(call.operands[operand]))
    beside = _there_already(line, call, operand, case)
    return None if beside is None else with_rows_of(line, rank, beside, framework)


def with_rows_of(line: Span, rank: int, beside: str, framework: str) -> str | None:
    """A line that makes a tensor of nothing but its shape, with as many rows as the variable `beside` has."""
    source = statement(line)
    first = rows_written(source, rank)
    if source is None or first is None:
        return None
    node, maker = first
    library = {"tf": "tensorflow", "torch": "torch", "ops": "keras", "keras": "keras"}.get(maker.partition(".")[0])
    return rewritten(source, [(node, length_in(library or framework, beside, 0))])


def rows_written(source: str | None, rank: int) -> tuple[ast.expr, str] | None:
    """What a line says of the rows of a tensor that it makes of nothing but its shape: a number, or a name for one; and
    the function that makes it."""
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    made = [call for call in calls if name_called(call) in _MAKES]
    given = [*made[0].args, *(keyword.value for keyword in made[0].keywords)] if made else []
    sizes = [node for node in given if isinstance(node, ast.List | ast.Tuple) and len(node.elts) == rank]
    if len(made) != 1 or len(sizes) != 1:
        return None
    first = sizes[0].elts[0]
    known = isinstance(first, ast.Constant | ast.Name | ast.Attribute)
    return (first, ast.unparse(made[0].func)) if known else None


def _there_already(line: Span, call: Call, operand: int, case: Case) -> str | None:
    """A variable of the other operand that holds something where the line stands."""
    source = statement(call.span)
    other = operand_text(source, 1 - operand, call.name, which=which_of_line(call, case.recording))
    tree = parsed(other)
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)] if tree is not None else []
    stands = line_at(line)
    known = {bound.name for bound in stands.variables} if stands is not None else set()
    found = [name for name in names if name in known]
    if found:
        return found[0]
    arguments = stands.arguments if stands is not None else ()
    return arguments[0] if len(arguments) == 1 else None
