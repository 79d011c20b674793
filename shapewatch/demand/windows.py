"""Calls that give another spatial size: convolutions, poolings, interpolation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand.nouns import NOTHING, Demand, Handler, Place, Pull
from shapewatch.edits import Edit


@dataclass(frozen=True)
class _Window:
    """The settings of a convolution or pooling on one spatial axis, with the sizes it was seen to map."""

    size: int
    out: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int
    output_padding: int = 0
    ceil: bool = False
    transposed: bool = False
    pooling: bool = False

    def gives(self, size: int) -> int:
        if self.transposed:
            return axes.transposed_out(
                size, self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation
            )
        return axes.window_out(size, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil)

    def otherwise_rounded(self) -> int:
        """What the window would give with `ceil_mode` the other way round."""
        return replace(self, ceil=not self.ceil).gives(self.size)

    def wants(self, out: Range) -> Range | None:
        if self.transposed:
            return axes.transposed_in(
                out, self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation
            )
        if not self.ceil:
            return axes.window_in(out, self.kernel_size, self.stride, self.padding, self.dilation)
        fitting = [size for size in range(1, 4 * self.size + 64) if self.gives(size) in out]
        return Range(fitting[0], fitting[-1]) if fitting else None

    def options(self, argument: str, out: Range) -> list[int]:
        """The values of one setting with which the size would be in `out`, the present value left out."""
        if self.transposed or self.ceil:
            return [v for v in _TRIED.get(argument, ()) if self._with(argument, v) in out]
        k, s, p, d = self.kernel_size, self.stride, self.padding, self.dilation
        match argument:
            case "stride":
                return list(axes.window_strides(self.size, out, k, p, d))
            case "padding":
                return list(axes.window_paddings(self.size, out, k, s, d))
            case "kernel_size":
                return list(axes.window_kernels(self.size, out, s, p, d))
            case "dilation":
                return list(axes.window_dilations(self.size, out, k, s, p))
        return []

    def allows(self, argument: str, value: int) -> bool:
        """Whether the frameworks accept a setting: a pooling pads by half its window at most, a transposed convolution
        adds less than its stride or dilation."""
        settings: dict[str, Any] = {argument: value}
        other = replace(self, **settings)
        if self.pooling and other.padding > other.kernel_size // 2:
            return False
        return not self.transposed or other.output_padding < max(other.stride, other.dilation)

    def _with(self, argument: str, value: int) -> int | None:
        settings: dict[str, Any] = {argument: value}
        other = replace(self, **settings)
        reach = other.dilation * (other.kernel_size - 1) + 1
        return other.gives(self.size) if self.transposed or self.size + 2 * other.padding >= reach else None


_TRIED = {
    "stride": range(1, 9),
    "padding": range(9),
    "kernel_size": range(1, 17),
    "dilation": range(1, 9),
    "output_padding": range(4),
}

WINDOW_ARGUMENTS = ("stride", "padding", "kernel_size", "dilation", "output_padding")


def _windows(place: Place, transposed: bool) -> list[_Window] | None:
    """One window a spatial axis; None where the settings are unknown or do not give the size that was recorded."""
    facts = dict(place.facts)
    if place.layer is None and place.unit.kind in ("conv", "conv_transpose") and len(place.unit.operands) > 1:
        weight = place.shape(place.unit.operands[1])
        facts["kernel_size"] = weight[2:]
    before, after = place.shape(place.source), place.out
    rank = facts.get("rank") or (int(place.unit.name[-2]) if place.unit.name[-1:] == "d" else 2)
    if "kernel_size" not in facts or len(before) < rank:
        return None
    stride = facts.get("stride") or (facts["kernel_size"] if place.unit.kind == "pool" else 1)
    windows = []
    for index in range(rank):
        axis = len(after) - rank + index
        settings = {
            "kernel_size": _at(facts["kernel_size"], index),
            "stride": _at(stride, index),
            "padding": _at(facts.get("padding", 0), index),
            "dilation": _at(facts.get("dilation", 1), index),
            "output_padding": _at(facts.get("output_padding", 0), index),
        }
        sizes = before[axis - len(after) + len(before)], after[axis]
        if None in sizes or not all(isinstance(setting, int) for setting in settings.values()):
            return None
        window = _Window(
            size=sizes[0] or 0,
            out=sizes[1] or 0,
            ceil=bool(facts.get("ceil_mode", False)),
            transposed=transposed,
            pooling=place.unit.kind == "pool",
            **settings,
        )
        if window.gives(window.size) != window.out:
            return None
        windows.append(window)
    return windows


def _at(setting: Any, index: int) -> Any:
    if isinstance(setting, tuple | list):
        return setting[index] if index < len(setting) else setting[-1]
    return setting


def _window(place: Place, demand: Demand) -> Pull:
    transposed = place.unit.kind == "conv_transpose"
    windows = _windows(place, transposed)
    facts, out = place.facts, place.out
    rank = len(windows) if windows else facts.get("rank", 2)
    first = len(out) - rank
    channels = first - 1
    spatial = {axis - first: wanted for axis, wanted in demand.items() if axis >= first}
    rest = {axis: wanted for axis, wanted in demand.items() if axis < channels}
    onward_channels: dict[int, Range] = {}
    channel_edits: tuple[Edit, ...] = ()
    if channels in demand:
        if place.unit.kind == "pool":
            onward_channels = {channels: demand[channels]}
        else:
            width = demand[channels].exact
            if width is None or place.layer is None or width < 1:
                return NOTHING
            if facts.get("groups", 1) > 1 and facts["groups"] == facts["in_channels"] == facts["out_channels"]:
                channel_edits = tuple(place.set(name, width) for name in ("in_channels", "out_channels", "groups"))
                onward_channels = {channels: demand[channels]}
            else:
                channel_edits = (place.set("out_channels", width),)
    if not spatial:
        if channel_edits and not rest and not onward_channels:
            return Pull(own=(channel_edits,))
        return Pull(onward=((place.source, {**rest, **onward_channels}, channel_edits),))
    if windows is None:
        return NOTHING
    own: list[tuple[Edit, ...]] = []
    if not rest and not onward_channels:
        for argument in WINDOW_ARGUMENTS:
            if place.layer is not None and argument not in facts:
                continue
            values = _settings(windows, argument, spatial)
            own.extend((place.set(argument, value), *channel_edits) for value in values)
        if place.unit.kind == "pool" and all(windows[i].otherwise_rounded() in w for i, w in spatial.items()):
            own.append((place.set("ceil_mode", not facts.get("ceil_mode", False)),))
        if channel_edits:
            own = [(*edits[1:], edits[0]) for edits in own]
    inner: dict[int, Range] = {**rest, **onward_channels}
    for index, wanted in spatial.items():
        size = windows[index].wants(wanted)
        if size is None:
            return Pull(own=tuple(own))
        inner[first + index] = size
    return Pull(own=tuple(own), onward=((place.source, inner, channel_edits),))


def _settings(windows: list[_Window], argument: str, spatial: Mapping[int, Range]) -> Iterator[Any]:
    """Values of a setting that meet the demand on every axis asked for: one number for all axes where that is possible,
    else the nearest for each."""
    present = tuple(getattr(window, argument) for window in windows)
    choices = {
        index: [v for v in windows[index].options(argument, wanted) if windows[index].allows(argument, v)]
        for index, wanted in spatial.items()
    }
    if not all(choices.values()):
        return
    if len(choices) == len(windows):
        shared = set.intersection(*(set(values) for values in choices.values()))
        nearest = sorted(shared, key=lambda v: (abs(v - present[0]), v))[:3]
        if nearest:
            yield from ((v,) * len(windows) for v in nearest if (v,) * len(windows) != present)
            return
    pairs = [
        [min(choices[i], key=lambda v: abs(v - present[i]))] if i in choices else [present[i]]
        for i in range(len(windows))
    ]
    yield from (value for value in product(*pairs) if value != present)


def _adaptive_pool(place: Place, demand: Demand) -> Pull:
    facts, out = place.facts, place.out
    rank = facts.get("rank") or (int(place.unit.name[-2]) if place.unit.name[-1:] == "d" else 2)
    first = len(out) - rank
    spatial = {axis: wanted for axis, wanted in demand.items() if axis >= first}
    if not spatial:
        return Pull(onward=((place.source, demand, ()),))
    if len(spatial) != len(demand) or place.layer is None or any(w.exact is None for w in spatial.values()):
        return NOTHING
    size = tuple(spatial[axis].low if axis in spatial else out[axis] for axis in range(first, len(out)))
    return Pull(own=((place.set("output_size", size),),))


def _resize(place: Place, demand: Demand) -> Pull:
    """Interpolation by a factor, or to a size."""
    before, out, facts = place.shape(place.source), place.out, place.facts
    spatial = {axis: wanted for axis, wanted in demand.items() if axis >= 2}
    rest = {axis: wanted for axis, wanted in demand.items() if axis < 2}
    if not spatial:
        return Pull(onward=((place.source, demand, ()),))
    own: list[tuple[Edit, ...]] = []
    inner: dict[int, Range] = dict(rest)
    factor = facts.get("scale_factor")
    if factor is not None:
        wanted = [(spatial[axis].low if axis in spatial else out[axis] or 1) for axis in range(2, len(out))]
        ratios = [size / (before[axis] or 1) for axis, size in enumerate(wanted, start=2)]
        if not rest and len(set(ratios)) == 1:
            ratio = ratios[0]
            own.append((place.set("scale_factor", float(ratio)),))
        for axis, sizes in spatial.items():
            by = _at(factor, axis - 2)
            inner[axis] = Range(math.ceil(sizes.low / by), math.ceil((sizes.high + 1) / by) - 1)
            if inner[axis].low > inner[axis].high:
                return Pull(own=tuple(own))
        return Pull(own=tuple(own), onward=((place.source, inner, ()),))
    if place.layer is not None and facts.get("size") is not None and not rest:
        size = tuple(spatial[a].low if a in spatial else out[a] for a in range(2, len(out)))
        own.append((place.set("size", size),))
    return Pull(own=tuple(own))


HANDLERS: dict[str, Handler] = {
    "conv": _window,
    "conv_transpose": _window,
    "pool": _window,
    "adaptive_pool": _adaptive_pool,
    "resize": _resize,
}
