"""A reshape asks for another number of elements than the tensor has.

## What it means
`view` and `reshape` move no data: the sizes before and after must have one product.

## Why
The sizes written there were right for another input size, width or batch.

## Bad
    torch.ones(2, 3, 4).view(2, 5, -1)

## Good
    torch.ones(2, 3, 4).view(2, 6, -1)

## What it can be confused with
`view-not-contiguous`: the number of elements is right. `target-batch-differs`: a `-1` took up what was too much, and
the batch is another one since.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import Edit, SetCall
from shapewatch.flow.layout import Layout
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, plural, rule


@rule("SW301", "reshape-count-differs", frozenset({"reshape", "unflatten"}))
def check(case: Case) -> Finding | None:
    before, target = case.shapes[0] if case.shapes else (), case.facts.get("shape")
    if not isinstance(target, tuple) or not all(isinstance(size, int) for size in target):
        return None
    said, asked = before, target
    if case.facts.get("keeps_batch"):  # the batch is not spoken of; as a batch of one it is the same for every item
        said, before, target = before[1:], (1, *before[1:]), (1, *target)
    count = axes.elements(before)
    fixed = math.prod(size for size in target if size != -1)
    open_ended = -1 in target
    if count is None or fixed <= 0 or (count % fixed == 0 if open_ended else count == fixed):
        return None
    wanted = text(tuple(None if size == -1 else size for size in asked))
    return Finding(
        headline=f"{case.name}: {text(said)} has {plural(count, 'element')}, {wanted} asks for "
        f"{'a multiple of ' if open_ended else ''}{fixed}",
        explanation=f"A reshape to {wanted} keeps every element, and {count} cannot be laid out that way.",
        own=tuple(_other_target(case, before, target)),
        own_doubt=0.6 if _is_gate(case, target[1:]) else 0.0,
        wants=tuple(_wants(case, before, target, fixed)),
    )


def _other_target(case: Case, before: Shape, target: tuple[int, ...]) -> list[tuple[Edit, ...]]:
    """`view(-1, 400)` meant to flatten all but the batch axis; or one size of a layer's target is another."""
    if not before or not target:
        return []
    if target[0] in (-1, before[0]) and len(target) == 2 and len(before) > 1:
        each = math.prod(size or 0 for size in before[1:])
        if case.facts.get("keeps_batch"):
            return [(case.set("shape", (each,)),)]
        return [(SetCall(case.call.place, "shape", (target[0], each), target),)]
    kept = len(target) - 1
    if not case.facts.get("keeps_batch") and len(target) > 2 and target[:-1] == before[:kept] and len(before) > kept:
        each = math.prod(size or 0 for size in before[kept:])  # what is behind them goes into the last one
        return [(SetCall(case.call.place, "shape", (*target[:-1], each), target),)]
    if not case.facts.get("keeps_batch") or -1 in target:
        return []
    count, asked = math.prod(size or 0 for size in before), target[1:]
    rests = [math.prod(asked) // size for size in asked]
    fitting = [(*asked[:i], count // rest, *asked[i + 1 :]) for i, rest in enumerate(rests) if count % rest == 0]
    fitting.sort(key=lambda shape: shape[-1] != before[-1])  # the channels mostly stay what they are
    return [(case.set("shape", shape),) for shape in dict.fromkeys((*_other_square(asked, count), *fitting))]


def _is_gate(case: Case, target: tuple[int, ...]) -> bool:
    """Whether a layer lays out one number for each channel that another layer gives, as it has to be for a gate."""
    widths = {layer.facts.get(name) for layer in case.recording.layers for name in ("out_channels", "num_features")}
    return bool(case.facts.get("keeps_batch")) and len(target) > 1 and {1} == {*target[:-1]} and target[-1] in widths


def _other_square(asked: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    """A target of another height and width, equal ones as they are now, and of as many channels."""
    for last in (True, False):
        channels, places = (asked[-1], asked[:-1]) if last else (asked[0], asked[1:])
        if len(places) < 2 or len(set(places)) > 1:
            continue
        side = round((count / channels) ** (1 / len(places)))
        if side ** len(places) * channels == count:
            square = (side,) * len(places)
            yield (*square, channels) if last else (channels, *square)


def _wants(case: Case, before: Shape, target: tuple[int, ...], fixed: int) -> list[Want]:
    if not before or not target:
        return []
    value = case.call.operands[0]
    sizes = [size or 1 for size in before]
    heads = _each_step(before, target)
    if heads is not None:
        return [Want(value, {len(before) - 1: Range.only(heads)})]
    wants: list[Want] = []
    if target[-1] > 0 and target[-1] != before[-1]:
        wants.append(Want(value, {len(before) - 1: Range.only(target[-1])}))
    each = _each(before, target, fixed)
    if each is not None and len(before) == 2:
        wants.append(Want(value, {1: Range.only(each)}))
    if each is not None and len(before) > 2:
        layout = (case.graph.layout or Layout()).of_batch(before)
        one, other = layout.spatial(before)[-2:] if layout.rank > 1 else (len(before) - 2, len(before) - 1)
        rest = math.prod(sizes[1:]) // (sizes[one] * sizes[other])
        side = math.isqrt(each // rest) if sizes[one] == sizes[other] else 0
        if side and side * side * rest == each:
            wants.append(Want(value, {one: Range.only(side), other: Range.only(side)}))
    for axis in range(len(before) - 1, 0, -1):
        rest = math.prod(sizes) // sizes[axis]
        if -1 not in target:
            if fixed % rest == 0:
                wants.append(Want(value, {axis: Range.only(fixed // rest)}))
            continue
        step = fixed // math.gcd(fixed, rest)
        nearest = max(step, round(sizes[axis] / step) * step)
        wants.append(Want(value, {axis: Range.only(nearest)}))
    return wants


def _each_step(before: Shape, target: tuple[int, ...]) -> int | None:
    """How wide each step of a sequence should be that is laid out as heads, `[batch, -1, heads, width]`: the steps are
    as many as they are."""
    rest = target[2:]
    if len(before) != 3 or len(target) < 4 or target[0] not in (-1, before[0]) or before[0] is None:
        return None
    if target[1] not in (-1, before[1]) or -1 in rest or before[0] == 1 == target[0]:
        return None
    width = math.prod(rest)
    return width if width != before[2] else None


def _each(before: Shape, target: tuple[int, ...], fixed: int) -> int | None:
    """How many elements an item of the batch should have, if the first axis of the target is the batch."""
    if target[0] == -1:
        return fixed if -1 not in target[1:] else None
    return fixed // target[0] if target[0] == before[0] and -1 not in target else None
