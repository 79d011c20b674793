"""A convolution is given another number of channels than it was made for.

## What it means
`Conv2d(in_channels, …)` needs axis 1 of its input (axis 0 without a batch) to be `in_channels` long. A layer of Keras
is built for the channels of the first input that it is given, mostly on the last axis, and keeps that number.

## Why
Each filter has a slice for every input channel. After a concatenation the channels of all parts add up.

## Bad
    nn.Conv2d(3, 8, 3)(torch.ones(2, 4, 10, 10))

## Good
    nn.Conv2d(4, 8, 3)(torch.ones(2, 4, 10, 10))

## What it can be confused with
`channels-last`: the channels are there, on another axis. `rank-differs`: the batch axis is missing, so that another
axis is taken for the channels.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import Edit
from shapewatch.flow.layout import Layout
from shapewatch.recording import text
from shapewatch.rules.built import how_built, takes
from shapewatch.rules.rule import Case, Finding, plural, rule


@rule("SW501", "conv-channels-differ", frozenset({"conv", "conv_transpose"}))
def check(case: Case) -> Finding | None:
    if not case.shapes:
        return None
    shape, expected, layout = case.shapes[0], *conv_expects(case)
    if expected is None or layout is None or not layout.fits(shape):
        return None
    axis = layout.channels(shape)
    given = shape[axis]
    if given is None or given == expected:
        return None
    return Finding(
        headline=f"{case.name} {takes(case)} {plural(expected, 'channel')} and is given {given}",
        explanation=f"Its input is {text(shape)}; axis {axis} should be {expected} long.{how_built(case, axis)}",
        own=_own(case, given),
        wants=(Want(case.call.operands[0], {axis: Range.only(expected)}), *_of_weight(case, given)),
    )


def _of_weight(case: Case, given: int) -> Iterator[Want]:
    """A weight that the program made itself, for so many channels."""
    if case.layer is None and len(case.shapes) > 1 and case.call.kind == "conv" and case.facts.get("groups", 1) == 1:
        axis = len(case.shapes[1]) - 2 if case.facts.get("channels_last") else 1
        yield Want(case.call.operands[1], {axis: Range.only(given)}, 1)


def conv_expects(case: Case) -> tuple[int | None, Layout | None]:
    """The channels that a convolution takes, and how its images are laid out."""
    facts = case.facts
    if case.layer is not None or "in_channels" in facts:
        return facts.get("in_channels"), case.layout
    if len(case.shapes) < 2:
        return None, None
    weight, groups, last = case.shapes[1], facts.get("groups", 1), bool(facts.get("channels_last"))
    layout = Layout(len(weight) - 2, last)
    if case.call.kind == "conv_transpose":  # [in, out, kernel] or [kernel, out, in]
        return weight[-1 if last else 0], layout
    each = weight[-2 if last else 1]  # [out, in, kernel] or [kernel, in, out]
    return (None if each is None else each * (groups if isinstance(groups, int) else 1)), layout


def _own(case: Case, given: int) -> tuple[tuple[Edit, ...], ...]:
    if case.layer is None:
        return ()
    facts = case.facts
    groups, out = facts.get("groups") or 1, facts.get("out_channels") or 0
    if groups > 1 and groups == facts.get("in_channels"):
        alone = case.sets(in_channels=given, groups=given) if out % given == 0 else ()
        return (*alone, *(case.sets(in_channels=given, out_channels=given, groups=given) if out == groups else ()))
    return case.sets(in_channels=given) if given % groups == 0 else ()
