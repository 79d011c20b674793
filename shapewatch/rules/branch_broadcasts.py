"""Branches of a residual connection meet, and one is silently stretched.

## What it means
An axis of size 1 is repeated to the size of the other branch: the sum runs, and every channel gets the same numbers.
Or the branches have another number of axes, and aligned from the right the batch of one meets another axis of the
other: `[N, T, C] + [N, C]` runs for a batch of one, and where N and T happen to be equal.

## Why
A projection has one output channel, or a linear layer one output, where the other branch has many. Or the block was
given one channel, made many of it, and adds what it was given: that is no residual connection. Stretching by design
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
from shapewatch.flow.junctions import Branch, Junction
from shapewatch.recording import Call, text
from shapewatch.rules.batch import askew, of_one_batch, one_is_meant
from shapewatch.rules.branches_differ import VERBS
from shapewatch.rules.meeting import meeting_words, sides
from shapewatch.rules.rule import Case, Finding, counted, listed, rule

_KEEPS = frozenset({"norm", "activation", "dropout", "same", "identity", "prelu"})
_PASSES = _KEEPS | {"pool", "resize", "permute", "index", "glu"}

_COLOURS = 4
"""A picture in grey is added to one of so many colours by design."""


@rule("SW291", "branch-broadcasts", frozenset({"add", "sub", "average"}), severity="warning")
def check(case: Case) -> Finding | None:
    junction = case.junction
    crossed = _crossed(case)
    if crossed is not None:
        return crossed
    if junction is None or junction.status != "broadcast" or junction.fork is None or len(junction.axes) != 1:
        return None
    (axis,) = junction.axes
    for narrow in junction.branches:
        others = [branch for branch in junction.branches if branch is not narrow]
        if len({other.shape for other in others}) > 1 or len(others[0].shape) != len(narrow.shape):
            continue
        wide = others[0].shape[axis]
        if narrow.shape[axis] != 1 or wide in (None, 1):
            continue
        why = _narrow_layer(case, junction, narrow, others[0]) or _narrow_input(case, junction, narrow, others)
        if why is None:
            continue
        verb, branches = VERBS.get(junction.kind, "joins"), counted(len(junction.branches))
        return Finding(
            headline=f"{case.where} {verb} {branches} branches of which one is stretched: "
            f"{listed(meeting_words(case, [axis]))} 1 against {wide}",
            explanation=f"{sides(case)}. {why}, and the sum repeats it {wide} times without an error: "
            f"{text(others[0].shape)} comes out either way.",
            wants=(Want(narrow.value, {axis: Range.only(wide or 1)}, narrow.operand),),
            severity="warning",
        )
    return None


def _crossed(case: Case) -> Finding | None:
    """The batch of a branch with fewer axes, against an axis of the other that is not the batch."""
    junction, found = case.junction, askew(case)
    if junction is None or found is None or not of_one_batch(case):
        return None
    shapes = text(case.recording.shape(found.wide)), text(case.recording.shape(found.low))
    if case.recording.shape(found.wide)[found.met] == 1 and one_is_meant(case, found.wide):
        return None
    return Finding(
        headline=f"{case.where} {VERBS.get(junction.kind, 'joins')} {shapes[0]} and {shapes[1]}: the batch of one "
        f"meets axis {found.met} of the other",
        explanation=f"Shapes are aligned from the right, so axis {found.own} of {shapes[1]}, the batch, stands against "
        f"axis {found.met} of {shapes[0]}, whose batch is elsewhere. It runs because one of the sizes is 1 or both are "
        "equal by chance; `unsqueeze` puts the missing axis where it belongs.",
        severity="warning",
        by_chance=True,
    )


def _narrow_layer(case: Case, junction: Junction, narrow: Branch, other: Branch) -> str | None:
    """That a layer's own width is the 1; None where the 1 came about in another way."""
    maker = _maker(case, narrow.value)
    if maker is None or not _is_width(case, maker, narrow.value, junction.axes[0]) or junction.fork is None:
        return None
    if maker.kind == "linear" and other.shape != junction.fork.shape:
        return None  # two heads of different widths (value and advantage) are added by design
    return f"{maker.layer} gives 1 there"


def _narrow_input(case: Case, junction: Junction, narrow: Branch, others: list[Branch]) -> str | None:
    """That the branch hands on the one channel that the block was given, beside layers that make many of it."""
    fork, axis = junction.fork, junction.axes[0]
    if fork is None or fork.shape != narrow.shape or any(step.kind not in _KEEPS for step in narrow.path):
        return None
    makers = [_maker(case, other.value) for other in others]
    if any(m is None or not _is_width(case, m, o.value, axis) for m, o in zip(makers, others, strict=True)):
        return None
    if fork.value in case.recording.inputs and (others[0].shape[axis] or 0) <= _COLOURS:
        return None
    return f"The {narrow.role} hands on {fork.made_by} with 1 there"


def _maker(case: Case, value: int) -> Call | None:
    """The convolution or linear layer that gave a value its width; None where something else may have."""
    for _ in range(12):
        unit = case.graph.producer.get(value)
        if unit is None or (unit.is_layer and unit.kind in ("conv", "linear")):
            return unit
        scaled = unit.kind in ("mul", "div") and len(unit.operands) == 1  # by a number
        if not (unit.kind in _PASSES or scaled) or not unit.operands:
            return None
        value = unit.operands[0]
    return None


def _is_width(case: Case, maker: Call, value: int, axis: int) -> bool:
    """Whether an axis of a value is the width that a layer gave, wherever it has been moved since."""
    source = case.graph.lineage.sources(value)[axis]
    return source is not None and source.value in maker.results
