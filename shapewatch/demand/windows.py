"""Calls that give another spatial size: convolutions, poolings, interpolation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from shapewatch import axes
from shapewatch.axes import Padding, Range
from shapewatch.demand.nouns import NOTHING, Demand, Handler, Place, Pull, follows_input
from shapewatch.edits import Edit


@dataclass(frozen=True)
class _Window:
    """The settings of a convolution or pooling on one spatial axis, with the sizes it was seen to map."""

    size: int
    out: int
    kernel_size: int
    stride: int
    padding: Padding
    dilation: int
    output_padding: int | None = 0
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

    def options(self, argument: str, out: Range) -> list[Any]:
        """The values of one setting with which the size would be in `out`; of a padding by name, other names."""
        named = argument == "padding" and isinstance(self.padding, str)
        if self.transposed or self.ceil:
            tried = ("same", "valid") if named else _TRIED.get(argument, ())
            return [v for v in tried if self.size_with(argument, v) in out]
        k, s, p, d = self.kernel_size, self.stride, self.padding, self.dilation
        match argument:
            case "stride":
                return list(axes.window_strides(self.size, out, k, p, d))
            case "padding" if named:
                return list(axes.window_named_paddings(self.size, out, k, s, d))
            case "padding":
                return list(axes.window_paddings(self.size, out, k, s, d))
            case "kernel_size":
                return list(axes.window_kernels(self.size, out, s, p, d))
            case "dilation":
                return list(axes.window_dilations(self.size, out, k, s, p))
        return []

    def allows(self, argument: str, value: Any) -> bool:
        """Whether the frameworks accept a setting: a pooling pads by half its window at most, a transposed convolution
        adds less than its stride or dilation."""
        settings: dict[str, Any] = {argument: value}
        other = replace(self, **settings)
        if self.pooling and isinstance(other.padding, int) and other.padding > other.kernel_size // 2:
            return False
        return not self.transposed or (other.output_padding or 0) < max(other.stride, other.dilation)

    def size_with(self, argument: str, value: Any) -> int | None:
        """What the window gives with another setting; None where it does not fit then."""
        settings: dict[str, Any] = {argument: value}
        other = replace(self, **settings)
        least = axes.window_least(other.kernel_size, other.padding, other.dilation)
        return other.gives(self.size) if self.transposed or self.size >= least else None


_TRIED = {
    "stride": range(1, 9),
    "padding": range(9),
    "kernel_size": range(1, 17),
    "dilation": range(1, 9),
    "output_padding": range(4),
}

WINDOW_ARGUMENTS = ("stride", "padding", "kernel_size", "dilation", "output_padding")


def _windows(place: Place) -> list[_Window] | None:
    """One window a spatial axis; None where the settings are unknown or do not give the size that was recorded."""
    facts, layout = dict(place.facts), place.layout
    if place.layer is None and place.unit.kind in ("conv", "conv_transpose") and len(place.unit.operands) > 1:
        weight = place.shape(place.unit.operands[1])
        facts.setdefault("kernel_size", weight[:-2] if layout.channels_last else weight[2:])
    before, after = place.shape(place.source), place.out
    if "kernel_size" not in facts or not layout.fits(before):
        return None
    stride = facts.get("stride") or (facts["kernel_size"] if place.unit.kind == "pool" else 1)
    windows = []
    for index, (old, new) in enumerate(zip(layout.spatial(before), layout.spatial(after), strict=True)):
        settings = {
            "kernel_size": _at(facts["kernel_size"], index),
            "stride": _at(stride, index),
            "dilation": _at(facts.get("dilation", 1), index),
        }
        padding, extra = _at(facts.get("padding", 0), index), _at(facts.get("output_padding", 0), index)
        size, out = before[old], after[new]
        if size is None or out is None or not all(isinstance(setting, int) for setting in settings.values()):
            return None
        if padding not in ("same", "valid", "causal") and not isinstance(padding, int):
            return None
        window = _Window(
            size=size,
            out=out,
            padding=padding,
            output_padding=extra,
            ceil=bool(facts.get("ceil_mode", False)),
            transposed=place.unit.kind == "conv_transpose",
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


@dataclass(frozen=True)
class _Channels:
    """What a demand on the channels comes to: edits that meet it (`own`, `edits`), or a demand on the input's."""

    edits: tuple[Edit, ...] = ()
    onward: Range | None = None
    own: tuple[Edit, ...] = ()


def _channels(place: Place, wanted: Range) -> _Channels | None:
    """None where no number of channels does."""
    if place.unit.kind == "pool":
        return _Channels(onward=wanted)
    width, facts = wanted.exact, place.facts
    if width is None or place.layer is None or width < 1:
        return None
    groups, given = facts.get("groups", 1), facts.get("in_channels")
    if follows_input(facts):
        each = facts["depth_multiplier"]
        own = place.settings(depth_multiplier=width // given) if given and width % given == 0 else ()
        return _Channels(onward=Range.only(width // each) if width % each == 0 else None, own=own)
    if groups != 1 and groups == facts.get("out_channels") and given in (None, groups):
        return _Channels(place.settings(in_channels=width, out_channels=width, groups=width), wanted)
    return _Channels(place.settings(out_channels=width))


def _window(place: Place, demand: Demand) -> Pull:
    layout, out = place.layout, place.out
    if not layout.fits(out):
        return NOTHING
    windows, channels = _windows(place), layout.channels(out)
    spatial = {index: demand[axis] for index, axis in enumerate(layout.spatial(out)) if axis in demand}
    inner: dict[int, Range] = {a: w for a, w in demand.items() if a != channels and a not in layout.spatial(out)}
    through = _channels(place, demand[channels]) if channels in demand else _Channels()
    if through is None:
        return NOTHING
    if through.onward is not None:
        inner[channels] = through.onward
    elif channels in demand and not through.edits:
        return Pull(own=(through.own,) if through.own and len(demand) == 1 else ())
    if not spatial:
        if not inner:
            return Pull(own=(through.edits,))
        own = (through.own,) if through.own and len(demand) == 1 else ()
        return Pull(own=own, onward=((place.source, inner, through.edits),))
    if windows is None:
        return NOTHING
    changes = () if inner else tuple((*through.edits, *edits) for edits in _other_windows(place, windows, spatial))
    for index, wanted in spatial.items():
        size = windows[index].wants(wanted)
        if size is None:
            return Pull(own=changes)
        inner[layout.spatial(place.shape(place.source))[index]] = size
    return Pull(own=changes, onward=((place.source, inner, through.edits),))


def _other_windows(
    place: Place, windows: Sequence[_Window], spatial: Mapping[int, Range]
) -> Iterator[tuple[Edit, ...]]:
    """Settings with which the spatial sizes are as demanded: one, or those that are one number to their author."""
    facts = place.facts
    for argument in WINDOW_ARGUMENTS:
        if place.layer is None or argument in facts:
            yield from ((place.set(argument, value),) for value in _settings(windows, argument, spatial))
    if place.layer is not None and "stride" in facts and "kernel_size" in facts:
        for side in _side_by_side(windows, spatial):
            yield place.settings(kernel_size=(side,) * len(windows), stride=(side,) * len(windows))
    torch_like = place.unit.kind == "pool" and isinstance(windows[0].padding, int)
    if torch_like and all(windows[i].otherwise_rounded() in w for i, w in spatial.items()):
        yield (place.set("ceil_mode", not facts.get("ceil_mode", False)),)


def _side_by_side(windows: Sequence[_Window], spatial: Mapping[int, Range]) -> list[int]:
    """The nearest sizes of windows that do not overlap (a pooling's, a patch's), where they do not now either."""
    sides = {side for window in windows for side in (window.kernel_size, window.stride)}
    if len(sides) != 1 or len(spatial) != len(windows):
        return []
    (now,) = sides
    fitting = [
        side
        for side in range(2, 2 * max(window.size for window in windows))
        if side != now
        and all(replace(windows[i], stride=side).size_with("kernel_size", side) in w for i, w in spatial.items())
    ]
    return sorted(fitting, key=lambda side: (_apart(side, now), side))[:3]


def _settings(windows: Sequence[_Window], argument: str, spatial: Mapping[int, Range]) -> Iterator[Any]:
    """Values of a setting that meet the demand on every axis asked for: one number for all axes where that is possible,
    else the nearest for each. A padding by name is one for all axes, and must leave the others as they are."""
    present = tuple(getattr(window, argument) for window in windows)
    choices = {
        index: [v for v in windows[index].options(argument, wanted) if windows[index].allows(argument, v)]
        for index, wanted in spatial.items()
    }
    if not all(choices.values()):
        return
    if isinstance(present[0], str):
        others = [window for index, window in enumerate(windows) if index not in spatial]
        shared = [name for name in ("same", "valid") if all(name in values for values in choices.values())]
        kept = (n for n in shared if all(window.size_with(argument, n) == window.out for window in others))
        yield from (name for name in kept if name != present[0])
        return
    if len(choices) == len(windows):
        common = set.intersection(*(set(values) for values in choices.values()))
        nearest = sorted(common, key=lambda v: (_apart(v, present[0]), v))[:3]
        if nearest:
            yield from ((v,) * len(windows) for v in nearest if (v,) * len(windows) != present)
            return
    if len(set(present)) > 1:
        same_for_all = [v for v in set(present) if all(v in values for values in choices.values())]
        others = [present[i] for i in range(len(windows)) if i not in choices]
        yield from ((v,) * len(windows) for v in sorted(same_for_all) if all(other == v for other in others))
    pairs = [
        [min(choices[i], key=lambda v: _apart(v, present[i]))] if i in choices else [present[i]]
        for i in range(len(windows))
    ]
    yield from (value for value in product(*pairs) if value != present and None not in value)


def _apart(one: int, other: int | None) -> int:
    return abs(one - (other or 0))


def _adaptive_pool(place: Place, demand: Demand) -> Pull:
    layout, out = place.layout, place.out
    spatial = {axis: wanted for axis, wanted in demand.items() if axis in layout.spatial(out)}
    if not spatial:
        return Pull(onward=((place.source, demand, ()),))
    if len(spatial) != len(demand) or place.layer is None or any(w.exact is None for w in spatial.values()):
        return NOTHING
    size = tuple(spatial[axis].low if axis in spatial else out[axis] for axis in layout.spatial(out))
    return Pull(own=((place.set("output_size", size),),))


def _resize(place: Place, demand: Demand) -> Pull:
    """Interpolation by a factor, or to a size."""
    before, out, facts = place.shape(place.source), place.out, place.facts
    axes_moved = place.layout.of_batch(out).spatial(out)
    spatial = {axis: wanted for axis, wanted in demand.items() if axis in axes_moved}
    rest = {axis: wanted for axis, wanted in demand.items() if axis not in axes_moved}
    if not spatial:
        return Pull(onward=((place.source, demand, ()),))
    if len(before) != len(out) or any(before[axis] is None or out[axis] is None for axis in axes_moved):
        return NOTHING
    size = tuple(spatial[axis].low if axis in spatial else out[axis] or 1 for axis in axes_moved)
    factor = facts.get("scale_factor")
    if factor is None:
        to_size = place.layer is not None and facts.get("size") is not None and not rest
        return Pull(own=((place.set("size", size),),) if to_size else ())
    ratios = tuple(wanted / (before[axis] or 1) for axis, wanted in zip(axes_moved, size, strict=True))
    other = _other_factor(factor, ratios)
    exact = all(sizes.exact is not None for sizes in spatial.values())
    own: tuple[tuple[Edit, ...], ...] = ()
    plainness = max(_smaller_term(wanted, before[axis] or 1) for axis, wanted in zip(axes_moved, size, strict=True))
    if not rest and place.layer is None and exact and plainness > 1:
        own = ((place.set("size", size),),)
    elif not rest and other is not None and plainness <= _QUARTERS:
        own = ((place.set("scale_factor", other),),)
    inner: dict[int, Range] = dict(rest)
    for index, axis in enumerate(axes_moved):
        if axis in spatial:
            by, sizes = _at(factor, index), spatial[axis]
            inner[axis] = Range(math.ceil(sizes.low / by), math.ceil((sizes.high + 1) / by) - 1)
            if inner[axis].low > inner[axis].high:
                return Pull(own=own)
    return Pull(own=own, onward=((place.source, inner, ()),))


# A factor that somebody writes down is whole, or one over that, or has a small term, as 1.5, 0.75 and 4/3 have. Where
# a size was halved with rounding, none is: 254 from 64 would take 3.96875.
_QUARTERS = 4


def _smaller_term(wanted: int, before: int) -> int:
    """Of the reduced ratio of two sizes: 1 where one is a multiple of the other."""
    return min(wanted, before) // max(math.gcd(wanted, before), 1)


def _other_factor(present: Any, ratios: tuple[float, ...]) -> Any:
    """The factor with these ratios, of the kind of the present one: whole numbers for each axis stay whole."""
    if isinstance(present, tuple) and all(isinstance(factor, int) for factor in present):
        whole = tuple(int(ratio) for ratio in ratios)
        return whole if whole == ratios and 0 not in whole else None
    if len(set(ratios)) > 1:
        return None
    return int(ratios[0]) if isinstance(present, int) and ratios[0].is_integer() else ratios[0]


HANDLERS: dict[str, Handler] = {
    "conv": _window,
    "conv_transpose": _window,
    "pool": _window,
    "adaptive_pool": _adaptive_pool,
    "resize": _resize,
}
