"""The groups of a convolution or of a group normalization do not divide its channels.

## What it means
A grouped convolution splits the channels that it takes, and those that it gives, into `groups` parts of equal size; a
group normalization splits those that it takes.

## Why
PyTorch asks when the layer is made. Keras learns how many channels come in when the layer is first called, and refuses
then.

## Bad in Keras
    layers.Conv2D(8, 3, groups=2)(tf.ones((2, 10, 10, 3)))

## Good in Keras
    layers.Conv2D(8, 3, groups=2)(tf.ones((2, 10, 10, 4)))
"""

from __future__ import annotations

import math

from shapewatch.axes import Range
from shapewatch.demand import Want, norm_axes
from shapewatch.recording import text
from shapewatch.rules.conv_channels_differ import conv_expects
from shapewatch.rules.rule import Case, Finding, plural, rule


@rule("SW506", "groups-indivisible", frozenset({"conv", "conv_transpose", "norm"}))
def check(case: Case) -> Finding | None:
    return _of_norm(case) if case.call.kind == "norm" else _of_convolution(case)


def _of_norm(case: Case) -> Finding | None:
    """A group normalization, of which Keras learns how many channels it has when it is first called."""
    groups, shape = case.facts.get("num_groups"), case.shapes[0] if case.shapes else ()
    places = norm_axes(shape, case.facts)
    channels = shape[places[0]] if case.layer is not None and len(places) == 1 and places[0] < len(shape) else None
    if case.facts.get("style") != "group" or not isinstance(groups, int) or groups < 2 or channels is None:
        return None
    if channels % groups == 0:
        return None
    divisors = sorted((d for d in range(1, channels + 1) if channels % d == 0), key=lambda d: (abs(d - groups), d))
    nearest = sorted({max(groups, channels // groups * groups), (channels // groups + 1) * groups})
    return Finding(
        headline=f"{case.name} has {groups} groups, which do not divide {plural(channels, 'channel')}",
        explanation=f"Its input is {text(shape)}; each group normalizes the same number of channels.",
        own=tuple(bundle for divisor in divisors[:2] for bundle in case.sets(num_groups=divisor)),
        wants=tuple(Want(case.call.operands[0], {places[0]: Range.only(size)}) for size in nearest),
    )


def _of_convolution(case: Case) -> Finding | None:
    groups, filters = case.facts.get("groups"), case.facts.get("out_channels")
    _, layout = conv_expects(case)
    shape = case.shapes[0] if case.shapes else ()
    if case.layer is None or not isinstance(groups, int) or groups < 2 or layout is None or not layout.fits(shape):
        return None
    channels = shape[layout.channels(shape)]
    if channels is None or not isinstance(filters, int) or (channels % groups == 0 and filters % groups == 0):
        return None
    common = math.gcd(channels, filters)
    divisors = [divisor for divisor in range(common, 0, -1) if common % divisor == 0]
    nearest = sorted(divisors, key=lambda divisor: (divisor != 1, abs(divisor - groups)))
    return Finding(
        headline=f"{case.name} has {groups} groups, which do not divide {plural(channels, 'channel')} in and "
        f"{filters} out",
        explanation=f"Its input is {text(shape)}; each group takes and gives the same number of channels.",
        own=tuple(bundle for divisor in nearest[:3] for bundle in case.sets(groups=divisor)),
    )
