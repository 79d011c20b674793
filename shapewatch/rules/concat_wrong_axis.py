"""Branches of one input are joined along the batch, or along an axis of the images, where channels were meant.

## What it means
`torch.cat` joins along axis 0 unless told otherwise, and there lies the batch: two branches of 4 items become 8 items
of one branch each. Along height or width, the maps are laid side by side as one picture.

## Why
`dim` was left out, or counted for another layout. Two inputs that go through one encoder as one batch, and are
parted again behind it, are not reported, nor are parts of one tensor that are put together again.

## Bad
    Net = type("Net", (nn.Module,), {"forward": lambda self, x: torch.cat([x.relu(), x.tanh()])})
    Net()(torch.ones(2, 3))

## Good
    Net = type("Net", (nn.Module,), {"forward": lambda self, x: torch.cat([x.relu(), x.tanh()], 1)})
    Net()(torch.ones(2, 3))

## Bad in Keras
    x = keras.Input((9, 7, 3))
    layers.Concatenate(axis=1)([layers.Conv2D(4, 3, padding="same")(x), layers.Conv2D(4, 1)(x)])

## Good in Keras
    x = keras.Input((9, 7, 3))
    layers.Concatenate(axis=-1)([layers.Conv2D(4, 3, padding="same")(x), layers.Conv2D(4, 1)(x)])
"""

from __future__ import annotations

from shapewatch.flow.junctions import Junction
from shapewatch.flow.layout import SPATIAL, layout_of
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, counted, rule

_KERNELS = frozenset({"conv", "conv_transpose", "norm", "activation", "dropout", "resize"})


@rule("SW491", "concat-wrong-axis", frozenset({"concat"}), severity="warning")
def check(case: Case) -> Finding | None:
    junction, along = case.junction, case.facts.get("dim", case.facts.get("axis"))
    if junction is None or junction.fork is None or junction.status != "ok" or not isinstance(along, int):
        return None
    rank = len(junction.branches[0].shape)
    if not rank or not -rank <= along < rank or len({branch.shape for branch in junction.branches}) > 1:
        return None
    if None in junction.branches[0].shape[1:]:
        return None
    return _batch(case, junction, along % rank) or _spatial(case, junction, along % rank)


def _batch(case: Case, junction: Junction, along: int) -> Finding | None:
    """Branches of one input, of a whole batch each, whose join is what the model gives."""
    lineage, recording, graph = case.graph.lineage, case.recording, case.graph
    if lineage.batch is None or any(lineage.batch_axes(branch.value) != (along,) for branch in junction.branches):
        return None
    fork, items = junction.fork, junction.branches[0].shape[along]
    if fork is None or lineage.batch_axes(fork.value) != (along,):
        return None
    joined, count = case.call.results[0], len(junction.branches)
    if items is None:  # symbolic: how many come out is not known, only whether they are ever parted again
        if any(
            unit.kind in ("split", "index", "other") and graph.descends(unit.operands[0], joined)
            for unit in graph.units
            if unit.operands
        ):
            return None
    else:
        given = [value for value in recording.outputs if graph.descends(value, joined)]
        if not given or any(recording.shape(value)[along : along + 1] != (items * count,) for value in given):
            return None
    rows = "" if items is None else f": {items * count} rows of {items} items"
    return Finding(
        headline=f"{case.where} joins {counted(count)} branches along the batch{rows}",
        explanation=f"Each branch is {text(junction.branches[0].shape)} with the batch on axis {along}, and all come "
        f"from {fork.made_by}. Joined along axis {along} they are {text(recording.shape(joined))}, and the model gives "
        f"as many rows. Along another axis, each item would keep its branches together.",
        severity="warning",
        by_chance=True,
    )


def _spatial(case: Case, junction: Junction, along: int) -> Finding | None:
    """Maps that kernels made of one map, laid side by side."""
    shape, fork = junction.branches[0].shape, junction.fork
    makers = []
    for branch in junction.branches:
        steps = [step for step in branch.path if step.kind not in ("identity", "same")]
        if any(step.kind not in _KERNELS or len(step.shape) != len(shape) for step in steps):
            return None
        last = next((step for step in reversed(steps) if step.kind in ("conv", "conv_transpose")), None)
        makers.append(last)
    layer = next((case.recording.layer_at.get(last.layer or "") for last in makers if last is not None), None)
    layout = None if layer is None else layout_of(layer.facts)
    if layout is None or layout.rank < 2 or len(shape) != layout.rank + 2 or fork is None:
        return None
    if any(last is None for last in makers) and fork.shape[1:] != shape[1:]:
        return None
    axis = [*layout.spatial(shape)].index(along) if along in layout.spatial(shape) else None
    if axis is None or None in shape[1:]:
        return None
    branches, name = counted(len(junction.branches)), SPATIAL[layout.rank][axis]
    return Finding(
        headline=f"{case.where} joins {branches} branches along the {name}",
        explanation=f"Each branch is {text(shape)}, made of {fork.made_by} by kernels that keep every place where it "
        f"is. Joined along axis {along} they lie side by side as one picture, "
        f"{text(case.recording.shape(case.call.results[0]))}; along axis {layout.channels(shape)}, the channels, each "
        "place would keep what both branches say of it.",
        severity="warning",
    )
