"""Two different axes meet, and fit only because their sizes happen to be equal.

## What it means
The batch of one operand stands against the channels of another, or the height against the width. It runs with a batch
of 8 and 8 channels, or with square images, and with no other sizes. Until then, the numbers are wrong.

## Why
A `transpose` too many or too few, a reshape to `[height, width]` of what was `[width, height]`, a matrix product with
its sides the wrong way round.

## Bad
    Net = type("Net", (nn.Sequential,), {"forward": lambda self, x: self[0](x) + self[1](x).transpose(2, 3)})
    Net(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1))(torch.ones(2, 3, 8, 8))

## Good
    Net = type("Net", (nn.Sequential,), {"forward": lambda self, x: self[0](x) + self[1](x)})
    Net(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1))(torch.ones(2, 3, 8, 8))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from shapewatch.flow.layout import layout_of
from shapewatch.flow.lineage import Source
from shapewatch.recording import spoken, text
from shapewatch.rules.batch import known_as_batch
from shapewatch.rules.rule import Case, Finding, rule

_ELEMENTWISE = frozenset({"add", "sub", "mul", "div", "average", "maximum", "minimum", "where", "lerp"})
_WIDTHS = frozenset({"linear", "conv"})


@rule("SW791", "axes-agree-by-chance", _ELEMENTWISE | _WIDTHS | {"concat", "matmul"}, severity="warning")
def check(case: Case) -> Finding | None:
    lineage, recording = case.graph.lineage, case.recording
    if lineage.batch is None or not case.call.operands or case.call.parent is None:
        return None  # what is outside every model cannot be tried with other sizes
    for one, other in _fed_to_a_layer(case) if case.call.kind in _WIDTHS else _meeting(case):
        chance = _by_chance(case, one[2], other[2])
        if chance is None or (case.call.kind not in _WIDTHS and _is_its_own_transpose(case, one[0], other[0])):
            continue
        words = [
            f"axis {axis} of {text(recording.shape(value))}, {_named(case, source)},"
            for value, axis, source in (one, other)
        ]
        size = recording.shape(one[0])[one[1]]
        against = "the layer's own width" if other[2] is None else words[1].rstrip(",")
        return Finding(
            headline=f"{case.name}: {words[0]} meets {against}; both happen to be {size}",
            explanation="It runs with these sizes. Run on shapes again with another size of the one, it fails here, so "
            "the axes are not the same thing: look for a transposition too many or too few.",
            severity="warning",
            by_chance=True,
            varied=chance,
        )
    return None


Met = tuple[int, int, Source | None]
"""A value, its axis, and where that comes from; None for a layer's width."""


def _meeting(case: Case) -> Iterator[tuple[Met, Met]]:
    """Axes of two operands that stand against one another and have one size, from two sources."""
    graph, recording = case.graph, case.recording
    lineage, along = graph.lineage, case.facts.get("dim", 0)
    if case.call.is_layer and case.call.kind != "matmul":
        return
    values = [value for value in dict.fromkeys(case.call.operands) if graph.is_activation(value)]
    sources = {value: lineage.sources(value) for value in values}
    if case.call.kind == "concat" and isinstance(along, int) and _alike(sources.values(), along):
        return  # as what a dense block joins is: many, and many more pairs of them
    for a, b in combinations(values, 2):
        one, other = recording.shape(a), recording.shape(b)
        rank = max(len(one), len(other))
        if case.call.kind == "matmul":
            if (a, b) != case.call.operands[:2] or min(len(one), len(other)) < 2:
                continue
            pairs = [(len(one) - 1, len(other) - 2)]
        else:
            pairs = [(axis - rank + len(one), axis - rank + len(other)) for axis in range(rank)]
        for i, j in pairs:
            if i < 0 or j < 0 or one[i] in (None, 1) or one[i] != other[j]:
                continue
            if case.call.kind == "concat" and isinstance(along, int) and i == along % rank:
                continue
            left, right = sources[a][i], sources[b][j]
            if left is not None and right is not None and left != right:
                yield (a, i, left), (b, j, right)


def _alike(sources: Iterable[tuple[Source | None, ...]], along: int) -> bool:
    """Whether values are of one rank, and of one source on every axis but that on which they are joined."""
    kept = set()
    for known in sources:
        axis = along % max(len(known), 1)
        kept.add((known[:axis], known[axis + 1 :]))
    return len(kept) < 2


def _fed_to_a_layer(case: Case) -> Iterator[tuple[Met, Met]]:
    """The batch, on the axis on which a layer has its weights."""
    value = case.call.operands[0]
    shape, layout = case.recording.shape(value), layout_of(case.facts, case.call.name)
    axis = len(shape) - 1
    if case.call.kind == "conv":
        if layout is None or len(shape) != layout.rank + 2:
            return
        axis = layout.channels(shape)
    if case.call.is_layer and len(shape) > 1 and case.graph.lineage.batch_axes(value) == (axis,):
        yield (value, axis, case.graph.lineage.batch), (value, axis, None)


def _by_chance(case: Case, one: Source | None, other: Source | None) -> Source | None:
    """The axis of an input that has the other's size by chance, as far as can be told before it is tried.

    That the time of one input is as long as that of another, or as many as a layer's outputs, is mostly meant, and so
    is a square of numbers that no kernel runs over: a graph's, say.
    """
    lineage, recording = case.graph.lineage, case.recording
    batch = lineage.batch
    if batch in (one, other) and batch is not None:
        met = other if one == batch else one
        size = recording.shape(batch.value)[0]
        square = any(size in recording.shape(number)[1:] for number in recording.inputs)
        if met is not None and met.axis == 0:
            return None  # the batch of another input
        return None if square and known_as_batch(case.graph) is None else batch
    if one is None or other is None or one.value != other.value or one.value not in recording.inputs:
        return None
    layout = case.graph.layout
    shape = recording.shape(one.value)
    if layout is None or layout.rank < 2 or len(shape) != layout.rank + 2:
        return None
    return (
        max(one, other, key=lambda source: source.axis) if {one.axis, other.axis} <= {*layout.spatial(shape)} else None
    )


def _is_its_own_transpose(case: Case, one: int, other: int) -> bool:
    """Whether a square is added to, or multiplied by, itself turned over: that is meant."""
    for a, b in ((one, other), (other, one)):
        unit = case.graph.producer.get(a)
        if unit is not None and unit.kind == "permute" and unit.operands[0] == b:
            return True
    return False


def _named(case: Case, source: Source | None) -> str:
    if source == case.graph.lineage.batch:
        return "the batch"
    if source is not None and source.value in case.recording.inputs:
        layout, shape = case.graph.layout, case.recording.shape(source.value)
        if layout is not None and layout.fits(shape):
            return f"the input's {layout.names(shape)[source.axis]}"
        return f"axis {source.axis} of the input"
    maker = None if source is None else case.graph.producer.get(source.value)
    return f"the outputs of {spoken(maker.layer) or maker.name}" if maker is not None else "another axis"
