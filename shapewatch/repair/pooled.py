"""Poolings over all steps whose window is a little short of them: two places are left of each channel, where a reshape
or a linear layer behind takes one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from shapewatch.edits import Edit, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Shape
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.losses import batch_lost
from shapewatch.rules.rule import Case, counted

_WORTH = 1.0
_MOST_LEFT = 3
_FAR = 12

_KEEPING = frozenset({"activation", "squash", "same", "dropout", "identity", "squeeze", "permute", "unsqueeze"})


def over_all_steps(evidence: Evidence) -> Iterator[Candidate]:
    case, graph = evidence.case, evidence.case.graph
    laid_out = _laid_out(case)
    if laid_out is None:
        return
    unit, places = laid_out
    pools = _pools_before(unit.operands[0], graph)
    edits = [edit for pool in pools or () if (edit := _over_all(pool, places, graph)) is not None]
    if pools and len(edits) == len(pools):
        short = counted(places - 1)
        what = "its window is" if len(pools) == 1 else "their windows are"
        said = f"{what} {short} short of the steps, and {counted(places)} places are left, where one is taken"
        yield Candidate(tuple(edits), _WORTH, 1, (said,))


def _laid_out(case: Case) -> tuple[Call, int] | None:
    """The call that lays several places of each channel in one row, or below each other as if they were samples, and
    how many of them for each that is taken."""
    graph, shapes = case.graph, case.shapes
    if case.call.kind == "linear" and case.call.is_layer and shapes:
        unit, wanted = graph.producer.get(case.call.operands[0]), case.facts.get("in_features")
        given = shapes[0][-1] if shapes[0] else None
        if unit is None or unit.kind not in ("reshape", "flatten") or not isinstance(wanted, int) or not given:
            return None
        return (unit, given // wanted) if given % wanted == 0 and given > wanted else None
    if case.call.kind == "reshape" and shapes:
        times = _times_too_many(shapes[0], case.facts)
        return (case.call, times) if times is not None else None
    if len(shapes) != 2 or not all(shapes):
        return None
    for value, other in zip(case.call.operands, shapes[::-1], strict=True):
        unit = batch_lost(case, value, other[0])
        rows = case.recording.shape(unit.results[0])[0] if unit is not None else None
        if unit is not None and unit.kind == "reshape" and rows and other[0] and rows % other[0] == 0:
            return unit, rows // other[0]
    return None


def _times_too_many(given: Shape, facts: Mapping[str, Any]) -> int | None:
    """How many times as many numbers a sample has as a reshape takes."""
    target = facts.get("shape")
    if not isinstance(target, tuple) or None in given[1:] or not target:
        return None
    sizes = target if facts.get("keeps_batch") else target[1:]
    if not sizes or any(not isinstance(size, int) or size < 1 for size in sizes):
        return None
    numbers, taken = math.prod(size or 0 for size in given[1:]), math.prod(sizes)
    return numbers // taken if numbers > taken and numbers % taken == 0 else None


def _pools_before(value: int, graph: Graph) -> list[Call] | None:
    """The poolings that gave a value, of several that were joined each; None where something else did."""
    for _ in range(_FAR):
        unit = graph.producer.get(value)
        if unit is None or not unit.operands:
            return None
        if unit.kind == "pool":
            return [unit]
        if unit.kind == "concat":
            parts = [_pools_before(operand, graph) for operand in unit.operands]
            return [pool for part in parts for pool in part or ()] if None not in parts else None
        if unit.kind not in _KEEPING:
            return None
        value = unit.operands[0]
    return None


def _over_all(pool: Call, places: int, graph: Graph) -> Edit | None:
    """The pooling with a window of all steps, where it is a little short of them, goes in steps of one, and leaves so
    many places."""
    facts = graph.facts(pool)
    given, made = graph.recording.shape(pool.operands[0]), graph.recording.shape(pool.results[0])
    sides = range(1, len(given) - 1) if facts.get("channels_last") else range(2, len(given))
    kernel, strides = _each(facts, "kernel_size", len(sides)), _each(facts, "stride", len(sides))
    if kernel is None or strides is None or not 2 <= places <= _MOST_LEFT:
        return None
    if any(given[side] is None or made[side] is None for side in sides):
        return None
    if math.prod(made[side] or 0 for side in sides) != places:
        return None
    window = list(kernel)
    for at, side in enumerate(sides):
        steps, left = given[side] or 0, made[side] or 0
        if left == 1:
            continue
        if left != steps - kernel[at] + 1 or strides[at] != 1 or 2 * kernel[at] <= steps:
            return None
        window[at] = steps
    value, was = tuple(window), facts["kernel_size"]
    same = value if isinstance(was, tuple) else value[0]
    if pool.is_layer:
        return Set(pool.layer, "kernel_size", same, was)
    return SetCall(pool.place, "kernel_size", same, was)


def _each(facts: Mapping[str, Any], name: str, count: int) -> tuple[int, ...] | None:
    value = facts.get(name)
    value = (value,) * count if isinstance(value, int) else value
    return value if isinstance(value, tuple) and len(value) == count else None
