"""Which variable of the program is to blame, where no layer can be: weights that it made itself.

A size that two sides of a call disagree on was put there by variables, and by data. Each side is followed up to them.
The variable that stands alone against two or more others is the odd one. Between one and one its own sizes may tell:
one that fits with its axes in the other order, or that has the size of another axis of what it meets, was made for the
wrong axis. Else there is no telling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from shapewatch import axes
from shapewatch.adapters import statements
from shapewatch.adapters.constructed import several_of
from shapewatch.adapters.operand import operand_text
from shapewatch.adapters.sizes_said import weight_constructed
from shapewatch.axes import Range
from shapewatch.demand.joins import HANDLERS as JOINS
from shapewatch.edits import Set
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Shape, Span, Value, text
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.shapes_written import of_another_axis, of_factors, of_sizes, rewritten, turned
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding, listed

KEEPING = frozenset({"same", "activation", "squash", "dropout", "identity", "norm"})
REGROUPING = frozenset({"reshape", "flatten", "unflatten", "squeeze", "unsqueeze"})
ELEMENTWISE = frozenset(JOINS) - {"concat", "stack"}
MOST = 300


@dataclass(frozen=True)
class Held:
    """A variable, or data, and the axis of it on which it has the size in question."""

    value: Value
    axis: int
    given: bool = False
    """Whether it is an input of the model, which the program may have made itself."""


@dataclass(frozen=True)
class Side:
    """A demand on one operand, what it would have to be, and who holds it at what it is."""

    value: int
    axis: int
    wanted: Range
    held: tuple[Held, ...]

    @property
    def variables(self) -> tuple[Held, ...]:
        found = (each for each in self.held if each.value.origin in ("parameter", "call") and not each.given)
        return tuple(sorted(found, key=lambda each: each.value.number))

    @property
    def alone(self) -> bool:
        """Whether one variable holds the size, and nothing else does."""
        return len(self.held) == len(self.variables) == 1

    def fits_elsewhere(self, graph: Graph) -> bool:
        """Whether the variable was used before in another call: of another shape, it would not fit there."""
        uses = graph.consumers.get(self.value, ()) if self.held and self.held[0].value.number == self.value else ()
        others = (unit for unit in uses if unit.kind not in KEEPING | REGROUPING | {"permute"})
        return any(unit.finished and not _is_of_unknown_sizes(unit, graph) for unit in others)


def _is_of_unknown_sizes(unit: Call, graph: Graph) -> bool:
    """Whether a call was traced before the widths were known that it takes, so that it says nothing of what fits."""
    return any(None in graph.recording.shape(value)[-1:] for value in unit.operands)


@dataclass(frozen=True)
class Odd:
    """A variable that is to blame, and why. `beyond_doubt`: its own sizes tell, whatever else would fit."""

    cause: Cause
    fix: Fix
    beyond_doubt: bool


def sides_of(case: Case, finding: Finding) -> list[Side]:
    return [
        Side(want.value, axis, wanted, tuple(holders(case.graph, want.value, axis)))
        for want in finding.wants
        for axis, wanted in want.demand.items()
        if wanted.exact is not None
    ]


def odd_variable(case: Case, finding: Finding, framework: str) -> Odd | None:
    """The variable to blame for the size that two sides differ on, and what it would have to be."""
    sides = sides_of(case, finding)
    # the other side is the labels, or what a weight is repeated for, which are as they are
    if len(sides) == 1 and case.call.kind in ("loss", "expand"):
        return _blamed(case, sides[0], (), framework) if sides[0].alone else None
    if len(sides) != 2:
        return None
    one, two = sides
    pairs = ((one, two), (two, one))
    mistaken = [_made_for_another_axis(case, *p, framework) or _made_for_the_inputs(case, *p, framework) for p in pairs]
    if mistaken.count(None) == 1:
        return next(odd for odd in mistaken if odd is not None)
    for side, other in pairs:
        if side.fits_elsewhere(case.graph) or other.axis in case.graph.lineage.batch_axes(other.value):
            continue  # nothing is made for a batch
        if side.alone and side.wanted.low > 1 and (len(other.variables) > 1 or not other.held):
            return _blamed(case, side, other.variables, framework)
    return None


def _made_for_another_axis(case: Case, side: Side, other: Side, framework: str) -> Odd | None:
    """A variable that a product takes as it is, if its sizes are the right ones in another order, or if it has the size
    of another axis of what it is multiplied with."""
    if case.call.kind not in ("matmul", "conv") or not side.alone or side.held[0].value.number != side.value:
        return None
    if side.fits_elsewhere(case.graph):
        return None
    held, wanted = side.held[0], side.wanted.exact
    shape = held.value.shape
    if held.value.name is None or len(shape) < 2 or wanted is None:
        return None
    beside = len(shape) - 1 if held.axis == len(shape) - 2 else len(shape) - 2
    last_two = held.axis >= len(shape) - 2 and (case.call.kind == "matmul" or bool(case.facts.get("channels_last")))
    if last_two and shape[beside] == wanted:
        beyond = {held.value.number, *(each.value.number for each in other.held)}
        alike = _ending_in(wanted, case, beyond)
        if alike:  # turned, it would not go with these
            fits = tuple(wanted if axis == held.axis else length for axis, length in enumerate(shape))
            why = f"{listed(alike)} {'ends' if len(alike) == 1 else 'end'} in it"
            return odd_of(case, held, fits, (why,), framework)
        turned = list(shape)
        turned[held.axis], turned[beside] = turned[beside], turned[held.axis]
        why = f"it fits with its axes {min(beside, held.axis)} and {max(beside, held.axis)} in the other order"
        return odd_of(case, held, tuple(turned), (why,), framework)
    if case.call.kind != "matmul":
        return None
    fits = tuple(wanted if axis == held.axis else length for axis, length in enumerate(shape))
    for met, own in _met_by_a_product(case, other):
        from_there = [axis for axis in range(1, len(met)) if axis != own and met[axis] == shape[held.axis]]
        if from_there and met[own] == wanted:
            why = f"{shape[held.axis]} is axis {from_there[0]} of {text(met)}, and it meets axis {own}"
            return odd_of(case, held, fits, (why,), framework, taken=(from_there[0], own - len(met)))
    return None


def made_for_the_steps(case: Case) -> bool:
    """Whether a product takes a weight that has as many rows as its layer is given steps: it was made for the wrong
    axis of what the layer is given, and a layer before it that is as wide as there are steps only hides that."""
    if case.call.kind != "matmul" or len(case.shapes) != 2:
        return False
    weight = case.recording.values[case.call.operands[1]]
    rows = weight.shape[-2] if len(weight.shape) > 1 else None
    shapes = [shape for shape in _given_to_the_layer(case) if len(shape) > 2]
    return weight.origin == "parameter" and any(rows in shape[1:-1] and rows != shape[-1] for shape in shapes)


def _met_by_a_product(case: Case, other: Side) -> Iterator[tuple[Shape, int]]:
    """What a variable is multiplied with, and the axis along which; also as the layer around it was given it, before
    `tensordot` made a matrix of it."""
    yield case.recording.shape(other.value), other.axis
    yield from ((shape, len(shape) - 1) for shape in _given_to_the_layer(case) if len(shape) > 2)


def _given_to_the_layer(case: Case) -> list[Shape]:
    around = case.recording.calls[case.call.parent] if case.call.parent is not None else None
    return [] if around is None else [case.recording.shape(value) for value in around.operands[:1]]


def _made_for_the_inputs(case: Case, side: Side, other: Side, framework: str) -> Odd | None:
    """A vector that is added to a product and is as long as what the product sums over: the width that came in, where
    the one that goes out was meant."""
    if case.call.kind not in ELEMENTWISE or not side.alone or len(side.held[0].value.shape) != 1:
        return None
    held, length = side.held[0], side.held[0].value.shape[0]
    tables = [each for each in other.variables if len(each.value.shape) == 2]
    summed = [each for each in tables if each.value.shape[1 - each.axis] == length != each.value.shape[each.axis]]
    if held.value.number != side.value or len(other.held) != 1 or not summed or side.wanted.exact is None:
        return None
    table = summed[0]
    named = table.value.name or text(table.value.shape)
    why = f"{length} is axis {1 - table.axis} of {named}, which the product sums over"
    return odd_of(case, held, (side.wanted.exact,), (why,), framework)


def _ending_in(size: int, case: Case, but: AbstractSet[int]) -> list[str]:
    """The program's other variables that are so wide."""
    others = [each for each in case.recording.values if each.origin == "parameter" and each.number not in but]
    return list(dict.fromkeys(each.name for each in others if each.name and each.shape[-1:] == (size,)))


def _blamed(case: Case, side: Side, others: Sequence[Held], framework: str) -> Odd | None:
    (held,) = side.variables
    spoken_of = case.call.kind == "expand" and held.value.number in case.call.operands
    if held.value.name is None and spoken_of and case.call.span is not None:
        source = statements.statement(case.call.span)
        spoken = operand_text(source, case.call.operands.index(held.value.number), case.call.name)
        held = replace(held, value=replace(held.value, name=spoken))
    names = [each.value.name for each in others if each.value.name]
    fit = [f"{listed(names)} {'hold' if len(names) > 1 else 'holds'} {side.wanted.exact}"] if names else []
    wanted = tuple(side.wanted.exact if axis == held.axis else size for axis, size in enumerate(held.value.shape))
    return odd_of(case, held, wanted, fit, framework, beyond_doubt=False)


def odd_of(
    case: Case,
    held: Held,
    wanted: Shape,
    why: Sequence[str],
    framework: str,
    beyond_doubt: bool = True,
    taken: tuple[int, int] | None = None,
    factors: Shape = (),
) -> Odd | None:
    """`taken`: the axis that a variable has its size from, and the one that it should have it from; `factors`: what
    its first size is a product of."""
    variable = held.value
    if variable.name is None:
        return None
    failure = case.recording.failure
    span = None if failure is None or failure.span is None else _made(failure.span, variable.name)
    reason = f"{variable.name} is {text(variable.shape)}, and axis {held.axis} would have to be {wanted[held.axis]}"
    fix = _fix(variable, wanted, span, why, framework, taken, factors)
    # a size that is taken from the wrong axis is wrong in every instance
    given = _where_given(case, held, wanted, span, fix) if taken is None else None
    if given is not None:
        span, fix = given
    cause = Cause(variable.name, "variable", span, "; ".join([reason, *why]))
    return Odd(cause, fix, beyond_doubt)


def _where_given(case: Case, held: Held, wanted: Shape, made: Span | None, fix: Fix) -> tuple[Span | None, Fix] | None:
    """The line that constructs the instance which makes a weight of a size that it is given, and the fix there. The
    class's own line is for all of its instances: where there are several, no change of it is told."""
    variable, recording = held.value, case.recording
    own, _, attribute = (variable.name or "").rpartition(".")
    path = case.call.layer if own == "self" else own
    was, now = variable.shape[held.axis], wanted[held.axis]
    changed = [axis for axis, (one, other) in enumerate(zip(variable.shape, wanted, strict=True)) if one != other]
    if variable.origin != "parameter" or made is None or not own or was is None or now is None:
        return None
    shape = Set(path, attribute, wanted, variable.shape)
    there = weight_constructed(made, attribute, len(wanted), held.axis, path, recording)
    if changed == [held.axis] and there is not None:
        edit = Set(path, there.parameter, now, was) if own == "self" else shape
        return there.span, replace(fix, code=there.with_size(was, now, recording), changes=(edit,))
    if several_of(made, path, recording):
        return made, replace(fix, code=f"{variable.name}: {text(wanted)}", changes=(shape,) if own != "self" else ())
    return None


def _made(used: Span, name: str) -> Span | None:
    """The line that makes a variable: one of the program's, or an attribute of a module."""
    attribute = f"self.{name.rpartition('.')[2]}"
    return assigned_line(used.file, name, used.line) or assigned_line(used.file, attribute, used.line)


def _fix(
    variable: Value,
    wanted: Shape,
    span: Span | None,
    why: Sequence[str],
    framework: str,
    taken: tuple[int, int] | None,
    factors: Shape,
) -> Fix:
    sources = [] if span is None else dict.fromkeys((span.source or "", statements.statement(span) or ""))
    codes = (_made_otherwise(source, variable, wanted, taken, factors) for source in sources)
    code = next((code for code in codes if code is not None), None)
    return Fix(
        title=f"{variable.name}: shape {text(wanted)} instead of {text(variable.shape)}",
        code=code or f"{variable.name}: {text(wanted)}",
        edit={"action": "set", "variable": variable.name, "argument": "shape", "value": wanted},
        changes=(),
        framework=framework,
        verified=None,
        why_not="a variable of the program's own cannot be tried in another shape",
        evidence=tuple(why),
    )


def _made_otherwise(
    source: str, variable: Value, wanted: Shape, taken: tuple[int, int] | None, factors: Shape
) -> str | None:
    """A line that makes a variable, with the shape that is wanted: written there as numbers, in another order, as a
    product, or taken from another axis."""
    return (
        rewritten(source, variable.shape, wanted)
        or turned(source, variable.name or "", variable.shape, wanted)
        or (of_factors(source, variable.shape[0] or 0, factors) if factors else None)
        or (of_another_axis(source, *taken) if taken is not None else None)
        or of_sizes(source, variable.shape, wanted)
    )


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
        if unit is None or not unit.operands:
            yield Held(graph.recording.values[number], along, number in graph.recording.inputs)
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
            yield from ((bias, 0) for bias in unit.operands[1:] if recording.shape(bias) == (out[axis],))
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
    elif unit.kind in REGROUPING:
        yield from ((unit.operands[0], own) for own in _same_axis(recording.shape(unit.operands[0]), out, axis))
    elif unit.kind == "pool" and axis in (0, len(out) - 1 if facts.get("channels_last") else 1):
        yield unit.operands[0], axis


def _same_axis(before: Shape, after: Shape, axis: int) -> Iterator[int]:
    """The axis that is one of another shape's, where a reshape leaves that one as it is, beside axes of size 1."""
    for old, new in axes.factor_groups(before, after):
        held = [own for own in old if before[own] != 1]
        if [own for own in new if after[own] != 1] == [axis] and len(held) == 1:
            yield held[0]


def _of_product(graph: Graph, unit: Call, rank: int, axis: int) -> Iterator[tuple[int, int]]:
    """The last axis is right's, the last but one left's; a side that is transposed has it at the other of these."""
    facts = graph.facts(unit)
    left, right = unit.operands
    if axis == rank - 1:
        yield right, len(graph.recording.shape(right)) - (2 if facts.get("transpose_b") else 1)
    elif axis == rank - 2:
        yield left, len(graph.recording.shape(left)) - (1 if facts.get("transpose_a") else 2)
