"""A convolution is given another number of channels than it was made for.

## What it means
`Conv2d(in_channels, …)` needs axis 1 of its input (axis 0 without a batch) to be `in_channels` long.

## Why
Each filter has a slice for every input channel. After a concatenation the channels of all parts add up.

## Bad
    nn.Conv2d(3, 8, 3)(torch.ones(2, 4, 10, 10))

## Good
    nn.Conv2d(4, 8, 3)(torch.ones(2, 4, 10, 10))
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import Edit
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, plural, rule


@rule("SW501", "conv-channels-differ", frozenset({"conv", "conv_transpose"}))
def check(case: Case) -> Finding | None:
    if not case.shapes:
        return None
    shape, expected, rank = case.shapes[0], *conv_expects(case)
    if expected is None or rank is None or len(shape) not in (rank + 1, rank + 2):
        return None
    axis = len(shape) - rank - 1
    given = shape[axis]
    if given is None or given == expected:
        return None
    return Finding(
        headline=f"{case.name} takes {plural(expected, 'channel')} and is given {given}",
        explanation=f"Its input is {text(shape)}; axis {axis} should be {expected} long.",
        own=tuple(_own(case, given)),
        wants=(Want(case.call.operands[0], {axis: Range.only(expected)}),),
    )


def conv_expects(case: Case) -> tuple[int | None, int | None]:
    """The channels that a convolution takes, and how many spatial axes it has."""
    facts = case.facts
    if case.layer is not None:
        return facts.get("in_channels"), facts.get("rank")
    if len(case.shapes) < 2:
        return None, None
    weight, groups = case.shapes[1], facts.get("groups", 1)
    if case.call.kind == "conv_transpose":
        return weight[0], len(weight) - 2
    return (weight[1] or 0) * (groups if isinstance(groups, int) else 1), len(weight) - 2


def _own(case: Case, given: int) -> list[tuple[Edit, ...]]:
    if case.layer is None:
        return []
    facts = case.facts
    groups, out = facts.get("groups", 1), facts.get("out_channels", 0)
    own: list[tuple[Edit, ...]] = []
    if groups > 1 and groups == facts.get("in_channels"):
        if out % given == 0:
            own.append((case.set("in_channels", given), case.set("groups", given)))
        if out == groups:
            own.append(tuple(case.set(name, given) for name in ("in_channels", "out_channels", "groups")))
    elif given % groups == 0:
        own.append((case.set("in_channels", given),))
    return own
