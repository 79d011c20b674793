"""A gate that is meant for every element is stretched over many.

## What it means
A gate multiplies a branch, and one of its axes is repeated: all channels get one number, or the gates of one item
are laid against the steps of another.

## Why
The layer that makes the gate has a width of 1 where the gates of its sibling blocks have one for each channel. Or the
gate has fewer axes than what it gates, and aligned from the right its batch meets another axis: a missing
`unsqueeze`. One gate for all channels by design (spatial attention, a mask, squeeze-and-excitation) is not reported.

## Bad
    x = torch.ones(1, 6, 8); h = nn.Conv1d(6, 6, 1)(x); h * torch.sigmoid(nn.Linear(8, 8)(h.mean(1)))

## Good
    x = torch.ones(1, 6, 8); h = nn.Conv1d(6, 6, 1)(x); h * torch.sigmoid(nn.Linear(8, 8)(h.mean(1))).unsqueeze(1)
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.recording import Layer, text
from shapewatch.rules.batch import PASSES, askew, of_one_batch, one_is_meant
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW292", "gate-broadcasts", frozenset({"mul"}), severity="warning")
def check(case: Case) -> Finding | None:
    junction = case.junction
    if junction is None:
        return None
    found = askew(case) if of_one_batch(case) else None
    if found is not None:
        wide, low = case.recording.shape(found.wide), case.recording.shape(found.low)
        if wide[found.met] == 1 and one_is_meant(case, found.wide):
            return None
        return Finding(
            headline=f"{case.where} multiplies {text(wide)} by {text(low)}: the batch of one meets axis {found.met} "
            "of the other",
            explanation=f"Shapes are aligned from the right, so axis {found.own} of {text(low)}, the batch, stands "
            f"against axis {found.met} of {text(wide)}, whose batch is elsewhere. It runs because one of the sizes is "
            "1 or both are equal by chance; `unsqueeze` puts the missing axis where it belongs.",
            severity="warning",
            by_chance=True,
        )
    return _narrow(case)


def _narrow(case: Case) -> Finding | None:
    """A gate of width 1 whose siblings are as wide as what they gate."""
    junction = case.junction
    if junction is None or junction.fork is None or (junction.kind, junction.status) != ("gate", "broadcast"):
        return None
    if len(junction.axes) != 1:
        return None
    (axis,) = junction.axes
    for branch in junction.branches:
        rank = len(branch.shape)
        wide = max((other.shape[axis] or 0 for other in junction.branches if len(other.shape) == rank), default=0)
        if rank <= axis or branch.shape[axis] != 1 or wide < 2:
            continue
        maker = _maker(case, branch.value)
        siblings = [] if maker is None else [layer for layer in _siblings(case, maker) if _width(layer) != 1]
        if maker is None or not siblings or len(siblings) < len(_siblings(case, maker)):
            continue
        return Finding(
            headline=f"{case.where} gates {wide} channels with one number: {maker.path} gives 1",
            explanation=f"The gate {text(branch.shape)} is repeated {wide} times without an error. "
            f"{listed([layer.path for layer in siblings[:3]])} of the sibling blocks "
            f"{'gives' if len(siblings) == 1 else 'give'} a gate for each channel.",
            wants=(Want(branch.value, {axis: Range.only(wide)}, branch.operand),),
            severity="warning",
        )
    return None


def _maker(case: Case, value: int) -> Layer | None:
    for _ in range(8):
        unit = case.graph.producer.get(value)
        if unit is None:
            return None
        if unit.is_layer and unit.kind in ("conv", "linear"):
            return case.recording.layer_at.get(unit.layer)
        if unit.kind not in PASSES | {"sub"} or not unit.operands:
            return None
        value = unit.operands[0]
    return None


def _siblings(case: Case, maker: Layer) -> list[Layer]:
    """The layers of the same name in blocks of the same kind."""
    block, _, name = maker.path.rpartition(".")
    around = case.recording.layer_at.get(block)
    found = []
    for layer in case.recording.layers:
        other, _, last = layer.path.rpartition(".")
        owner = case.recording.layer_at.get(other)
        alike = owner is not None and around is not None and owner.type == around.type
        if block and other != block and last == name and layer.type == maker.type and alike:
            found.append(layer)
    return found


def _width(layer: Layer) -> object:
    return layer.facts.get("out_channels", layer.facts.get("out_features"))
