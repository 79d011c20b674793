"""Branches of a residual connection meet, and one is silently stretched.

## What it means
An axis of size 1 that a layer made is repeated to the size of the other branch: the sum runs, and every channel gets
the same numbers.

## Why
A projection has one output channel, or a linear layer one output, where the other branch has many. Stretching by design
(squeeze-and-excitation, a mean kept as an axis, a mask) is not reported: there the 1 comes from a reduction, a pooling
or an index, not from a layer's width.

## Bad
    x = nn.Conv2d(3, 8, 1)(torch.ones(2, 3, 4, 4)); x + nn.Conv2d(8, 1, 1)(x)

## Good
    x = nn.Conv2d(3, 8, 1)(torch.ones(2, 3, 4, 4)); x + nn.Conv2d(8, 8, 1)(x)
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.recording import Call, text
from shapewatch.rules.meeting import meeting_words, sides
from shapewatch.rules.rule import Case, Finding, listed, rule

_PASSES = frozenset({"norm", "activation", "dropout", "same", "identity", "prelu", "pool", "resize"})


@rule("SW291", "branch-broadcasts", frozenset({"add", "sub"}), severity="warning")
def check(case: Case) -> Finding | None:
    junction = case.junction
    if junction is None or junction.status != "broadcast" or junction.fork is None or len(junction.branches) != 2:
        return None
    shapes = [branch.shape for branch in junction.branches]
    if len(shapes[0]) != len(shapes[1]):
        return None
    for narrow, wide in ((0, 1), (1, 0)):
        branch = junction.branches[narrow]
        axes = [axis for axis in junction.axes if shapes[narrow][axis] == 1 and shapes[wide][axis] != 1]
        maker = _made_by_layer(case, branch.value, axes)
        if maker is None or (maker.kind == "linear" and shapes[wide] != junction.fork.shape):
            continue  # two heads of different widths (value and advantage) are added by design
        names = meeting_words(case, axes)
        return Finding(
            headline=f"{case.where} adds two branches of which one is stretched: "
            f"{listed(names)} 1 against {shapes[wide][axes[0]]}",
            explanation=f"{sides(case)}. {maker.layer} gives 1 there, and the sum repeats it "
            f"{shapes[wide][axes[0]]} times without an error: {text(shapes[wide])} comes out either way.",
            wants=(Want(branch.value, {axis: Range.only(shapes[wide][axis] or 1) for axis in axes}, branch.operand),),
            severity="warning",
        )
    return None


def _made_by_layer(case: Case, value: int, axes: list[int]) -> Call | None:
    """The convolution or linear layer whose own width is the 1; None where the 1 came about in another way."""
    if len(axes) != 1:
        return None
    for _ in range(12):
        unit = case.graph.producer.get(value)
        if unit is None:
            return None
        rank = len(case.recording.shape(value))
        if unit.is_layer and unit.kind in ("conv", "linear"):
            facts = case.recording.layer_at[unit.layer].facts
            axis = rank - 1 if unit.kind == "linear" else rank - 1 - facts.get("rank", 2)
            width = facts.get("out_features", facts.get("out_channels"))
            return unit if axis == axes[0] and width == 1 else None
        if unit.kind not in _PASSES:
            return None
        value = unit.operands[0]
    return None
