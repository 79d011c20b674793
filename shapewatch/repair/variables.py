"""Which variable of the program is to blame, where no layer can be: weights that it made itself.

A size that two sides of a call disagree on was put there by variables, and by data. Each side is followed up to them.
The variable that stands alone against two or more others is the odd one; between one and one there is no telling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand.joins import HANDLERS as JOINS
from shapewatch.junctions import Graph
from shapewatch.recording import Call, Shape, Span, Value, text
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding, listed
from shapewatch.source import assigned_line

KEEPING = frozenset({"same", "activation", "squash", "dropout", "identity", "norm"})
ELEMENTWISE = frozenset(JOINS) - {"concat", "stack"}
MOST = 300


@dataclass(frozen=True)
class Held:
    """A variable, or data, and the axis of it on which it has the size in question."""

    value: Value
    axis: int


@dataclass(frozen=True)
class Side:
    """A demand on one operand, what it would have to be, and who holds it at what it is."""

    axis: int
    wanted: Range
    held: tuple[Held, ...]

    @property
    def variables(self) -> tuple[Held, ...]:
        found = (each for each in self.held if each.value.origin == "parameter")
        return tuple(sorted(found, key=lambda each: each.value.number))


def odd_variable(case: Case, finding: Finding, framework: str) -> tuple[Cause, Fix] | None:
    """The variable that alone holds a size against all the others, and what it would have to be."""
    sides = [
        Side(axis, wanted, tuple(holders(case.graph, want.value, axis)))
        for want in finding.wants
        for axis, wanted in want.demand.items()
        if wanted.exact is not None and wanted.exact > 1
    ]
    if len(sides) != 2:
        return None
    for side, other in (sides, sides[::-1]):
        if len(side.held) == 1 and len(side.variables) == 1 and (len(other.variables) > 1 or not other.held):
            return _blamed(case, side, other, framework)
    return None


def _blamed(case: Case, side: Side, other: Side, framework: str) -> tuple[Cause, Fix] | None:
    (held,) = side.variables
    variable, size = held.value, side.wanted.exact
    if variable.name is None:
        return None
    failure = case.recording.failure
    span = None if failure is None or failure.span is None else _made(failure.span.file, variable.name)
    reason = f"{variable.name} is {text(variable.shape)}, and axis {held.axis} would have to be {size}"
    names = [each.value.name for each in other.variables if each.value.name]
    if names:
        reason += f"; {listed(names)} {'hold' if len(names) > 1 else 'holds'} {size}"
    wanted = tuple(size if axis == held.axis else length for axis, length in enumerate(variable.shape))
    return Cause(variable.name, "variable", span, reason), _fix(variable, wanted, span, names, framework)


def _made(file: str, name: str) -> Span | None:
    """The line that makes a variable: one of the program's, or an attribute of a module."""
    return assigned_line(file, name) or assigned_line(file, f"self.{name.rpartition('.')[2]}")


def _fix(variable: Value, wanted: Shape, span: Span | None, names: Sequence[str], framework: str) -> Fix:
    code = None if span is None else rewritten(span.source or "", variable.shape, wanted)
    return Fix(
        title=f"{variable.name}: shape {text(wanted)} instead of {text(variable.shape)}",
        code=code or f"{variable.name}: {text(wanted)}",
        edit={"action": "set", "variable": variable.name, "argument": "shape", "value": wanted},
        changes=(),
        framework=framework,
        verified=None,
        why_not="a variable of the program's own cannot be tried in another shape",
        evidence=(f"{listed(list(names))} fit it",) if names else (),
    )


def rewritten(source: str, was: Shape, wanted: Shape) -> str | None:
    """A line of source with the shape that is written in it, as a list or a tuple of numbers, replaced."""
    spelled = re.compile(r"[(\[]\s*" + r"\s*,\s*".join(str(size) for size in was) + r"\s*,?\s*[)\]]")
    if len(spelled.findall(source)) != 1 or not was:
        return None
    return spelled.sub(lambda found: re.sub(r"\d+", _each(wanted), found.group()), source)


def _each(sizes: Shape) -> Callable[[re.Match[str]], str]:
    left = iter(sizes)
    return lambda _: str(next(left))


# From a size to who holds it


def holders(graph: Graph, value: int, axis: int) -> Iterator[Held]:
    """The variables and the data from which an axis of a value has its size, as far as arithmetic is known."""
    waiting, seen = [(value, axis)], set[tuple[int, int]]()
    while waiting and len(seen) < MOST:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        number, along = at
        unit = graph.producer.get(number)
        if unit is None:
            yield Held(graph.recording.values[number], along)
        else:
            waiting += _onward(graph, unit, number, along)


def _onward(graph: Graph, unit: Call, value: int, axis: int) -> Iterator[tuple[int, int]]:
    recording = graph.recording
    out, facts = recording.shape(value), graph.facts(unit)
    if not unit.operands or unit.is_layer:
        return
    if unit.kind in KEEPING:
        if len(recording.shape(unit.operands[0])) == len(out):
            yield unit.operands[0], axis
    elif unit.kind in ELEMENTWISE:
        for operand in unit.operands:
            own = axes.own_axis(recording.shape(operand), len(out), axis, False)
            if own is not None and recording.shape(operand)[own] == out[axis]:
                yield operand, own
    elif unit.kind == "matmul" and len(unit.operands) == 2:
        yield from _of_product(graph, unit, len(out), axis)
    elif unit.kind == "conv" and len(unit.operands) > 1:
        last = bool(facts.get("channels_last"))
        if axis == (len(out) - 1 if last else 1):
            weight = unit.operands[1]
            yield weight, len(recording.shape(weight)) - 1 if last else 0
    elif unit.kind == "pool" and axis in (0, len(out) - 1 if facts.get("channels_last") else 1):
        yield unit.operands[0], axis


def _of_product(graph: Graph, unit: Call, rank: int, axis: int) -> Iterator[tuple[int, int]]:
    """The last axis is right's, the last but one left's; a side that is transposed has it at the other of these."""
    facts = graph.facts(unit)
    left, right = unit.operands
    if axis == rank - 1:
        yield right, len(graph.recording.shape(right)) - (2 if facts.get("transpose_b") else 1)
    elif axis == rank - 2:
        yield left, len(graph.recording.shape(left)) - (1 if facts.get("transpose_a") else 2)
