"""Where could a size come from? Demands on a value's axes, walked up the road of the data.

A demand says "if axis 2 of this value were 16, what failed would not have". Each kind of call answers it in closed
form: with settings of its own that would give that size (a convolution's stride), with demands on its operands (the
input would have to be 31 or 32 wide), or both. What comes out are candidates, not fixes: whether one helps is for
the dry run to say. Where a call's arithmetic is not known, or does not give what was recorded, the walk stops rather
than guesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.edits import Edit, Input, Set, SetCall
from shapewatch.junctions import Graph
from shapewatch.recording import Call, Shape

Demand = Mapping[int, Range]
"""Axis (from the left) to the sizes that would do."""

MAX_STEPS = 600
"""Values that one walk looks at; deeper causes are found by comparing siblings instead."""


@dataclass(frozen=True)
class Want:
    """If `value` met `demand`, the call that failed would accept it. `operand` is its place in that call."""

    value: int
    demand: Demand
    operand: int = 0


@dataclass(frozen=True)
class Change:
    """A candidate: edits that belong together, the unit they are about, and how many units up the road it stands."""

    edits: tuple[Edit, ...]
    unit: int
    hops: int


@dataclass(frozen=True)
class Pull:
    """A unit's answer to a demand: edits of its own that meet it, and demands on operands (with companion edits)."""

    own: tuple[tuple[Edit, ...], ...] = ()
    onward: tuple[tuple[int, Demand, tuple[Edit, ...]], ...] = ()


NOTHING = Pull()


def walk(graph: Graph, want: Want) -> Iterator[Change]:
    """Candidate changes on the road to a value, nearest first."""
    queue: list[tuple[int, Demand, tuple[Edit, ...], int]] = [(want.value, want.demand, (), 0)]
    seen: set[tuple[int, frozenset[tuple[int, Range]]]] = set()
    for _ in range(MAX_STEPS):
        if not queue:
            return
        value, demand, companions, hops = queue.pop(0)
        key = (value, frozenset(demand.items()))
        if key in seen or not demand:
            continue
        seen.add(key)
        unit = graph.producer.get(value)
        if unit is None:
            change = _input_change(graph, value, demand)
            if change is not None:
                yield Change((*change, *companions), -1, hops)
            continue
        answer = pull(graph, unit, value, demand)
        for edits in answer.own:
            yield Change((*edits, *companions), unit.number, hops)
        queue.extend((v, d, (*companions, *more), hops + 1) for v, d, more in answer.onward)


def pull(graph: Graph, unit: Call, value: int, demand: Demand) -> Pull:
    """What a unit answers to a demand on one of its results."""
    handler = _PULL.get(unit.kind)
    place = _Place(graph, unit, value)
    if handler is None:
        return _keeping_shape(place, demand)
    return handler(place, demand)


def _input_change(graph: Graph, value: int, demand: Demand) -> tuple[Edit, ...] | None:
    recording = graph.recording
    if value not in recording.inputs:
        return None
    shape = recording.shape(value)
    wanted = tuple(_nearest(demand[axis], size) if axis in demand else size for axis, size in enumerate(shape))
    if wanted == shape or any(size is not None and size < 1 for size in wanted):
        return None
    arguments: dict[str, Any] = {"size": wanted[2:]}
    change = "size"
    if len(shape) > 2 and set(demand) == {1}:
        change, arguments = "channels", {"channels": wanted[1], "was": shape[1]}
    elif len(shape) < 3 or any(axis < 2 for axis in demand):
        arguments = {"plain": True}
    return (Input(recording.inputs.index(value), change, arguments, wanted),)


def _nearest(wanted: Range, size: int | None) -> int:
    return min(max(wanted.low, size or wanted.low), wanted.high)


@dataclass(frozen=True)
class _Place:
    """A unit, the result of it that is asked about, and what is known of both."""

    graph: Graph
    unit: Call
    value: int

    @property
    def layer(self) -> str | None:
        return self.unit.layer if self.unit.is_layer else None

    @property
    def facts(self) -> Mapping[str, Any]:
        if self.layer is None:
            return self.unit.facts
        return self.graph.recording.layer_at[self.layer].facts

    @property
    def out(self) -> Shape:
        return self.graph.recording.shape(self.value)

    @property
    def source(self) -> int:
        """The first operand that is an activation."""
        operands = self.unit.operands
        return next((operand for operand in operands if self.graph.is_activation(operand)), operands[0])

    def shape(self, value: int) -> Shape:
        return self.graph.recording.shape(value)

    def set(self, argument: str, value: Any) -> Edit:
        was = self.facts.get(argument)
        if self.layer is not None:
            return Set(self.layer, argument, value, was)
        return SetCall(self.unit.place, argument, value, was)


# Calls that keep or move axes


def _keeping_shape(place: _Place, demand: Demand) -> Pull:
    """Anything whose result has the shape of an operand: activations, dropout, casts, and calls of unknown kind."""
    for operand in place.unit.operands:
        if place.graph.is_activation(operand) and place.shape(operand) == place.out:
            return Pull(onward=((operand, demand, ()),))
    return NOTHING


def _norm(place: _Place, demand: Demand) -> Pull:
    """A norm keeps every axis, and has to follow when the size of its own changes."""
    facts, companions = place.facts, []
    if place.layer is not None and facts.get("fixed", True):
        own = norm_axes(place.shape(place.source), facts)
        for axis in own:
            exact = demand[axis].exact if axis in demand else None
            if exact is not None:
                companions.append(place.set(*_norm_argument(facts, exact)))
    return Pull(onward=((place.source, demand, tuple(companions)),))


def norm_axes(shape: Shape, facts: Mapping[str, Any]) -> tuple[int, ...]:
    """The axes whose sizes a norm was made for."""
    if facts.get("style") == "layer":
        wanted = facts.get("normalized_shape", ())
        if len(wanted) == 1 and len(shape) == 4 and shape[-1] != wanted[0] and shape[1] == wanted[0]:
            return (1,)  # a LayerNorm for images, over channels
        return tuple(range(len(shape) - len(wanted), len(shape)))
    return (1,) if len(shape) > 1 else (0,)


def _norm_argument(facts: Mapping[str, Any], size: int) -> tuple[str, Any]:
    for name in ("num_features", "num_channels"):
        if name in facts:
            return name, size
    return "normalized_shape", (*tuple(facts.get("normalized_shape", ()))[:-1], size)


def _prelu(place: _Place, demand: Demand) -> Pull:
    exact = demand[1].exact if 1 in demand else None
    companions = (place.set("num_parameters", exact),) if exact and place.facts.get("num_parameters", 1) > 1 else ()
    return Pull(onward=((place.source, demand, companions),))


def _permute(place: _Place, demand: Demand) -> Pull:
    rank, facts = len(place.out), place.unit.facts
    if len(place.shape(place.source)) != rank:
        return NOTHING
    order = list(range(rank))
    if "dims" in facts:
        order = [dim % rank for dim in facts["dims"]]
    elif "swap" in facts:
        one, other = (dim % rank for dim in facts["swap"])
        order[one], order[other] = order[other], order[one]
    elif place.unit.name not in ("T", "t", "mT"):
        return NOTHING
    else:
        order.reverse()
    return Pull(onward=((place.source, {order[axis]: wanted for axis, wanted in demand.items()}, ()),))


def _reshape(place: _Place, demand: Demand) -> Pull:
    """Runs of axes with one product: a run that stays one axis hands the demand on; a merged run can be met by each of
    its members, or by its spatial members together when they are equal."""
    before = place.shape(place.source)
    groups = axes.factor_groups(before, place.out)
    if not groups:
        return NOTHING
    onward: list[Demand] = [{}]
    for old, new in groups:
        asked = [axis for axis in new if axis in demand]
        if not asked:
            continue
        if len(asked) > 1 or not old:
            return NOTHING
        axis = asked[0]
        others = math.prod(place.out[other] or 1 for other in new if other != axis)
        total = Range(demand[axis].low * others, min(demand[axis].high * others, axes.UNBOUNDED))
        options = list(_merged(before, old, total))
        onward = [{**one, **option} for one in onward for option in options]
    return Pull(onward=tuple((place.source, option, ()) for option in onward if option))


def _merged(before: Shape, run: tuple[int, ...], total: Range) -> Iterator[Demand]:
    """Demands on the axes of a run whose product has to be in `total`."""
    sizes = [before[axis] or 1 for axis in run]
    whole = math.prod(sizes)
    for axis, size in zip(run, sizes, strict=True):
        rest = whole // size
        low, high = -(-total.low // rest), total.high // rest
        if low <= high:
            yield {axis: Range(low, high)}
    for count in (2, 3):
        spatial = run[-count:]
        if len(run) < count or len({before[axis] for axis in spatial}) > 1:
            continue
        rest = whole // (before[spatial[0]] or 1) ** count
        sides = [side for side in range(1, 1025) if total.low <= side**count * rest <= total.high]
        if sides:
            yield {axis: Range(sides[0], sides[-1]) for axis in spatial}


def _reduce(place: _Place, demand: Demand) -> Pull:
    before, dims = place.shape(place.source), place.unit.facts.get("dim")
    if dims is None or not isinstance(dims, int | tuple):
        return NOTHING
    gone = {dim % len(before) for dim in ((dims,) if isinstance(dims, int) else dims)}
    if len(before) == len(place.out):
        return Pull(onward=((place.source, {a: w for a, w in demand.items() if a not in gone}, ()),))
    kept = [axis for axis in range(len(before)) if axis not in gone]
    if len(kept) != len(place.out):
        return NOTHING
    return Pull(onward=((place.source, {kept[axis]: wanted for axis, wanted in demand.items()}, ()),))


def _split(place: _Place, demand: Demand) -> Pull:
    before, unit = place.shape(place.source), place.unit
    dim = unit.facts.get("dim", 0)
    if not isinstance(dim, int):
        return NOTHING
    dim %= len(before)
    if unit.facts.get("dropped"):
        return Pull(onward=((place.source, {a if a < dim else a + 1: w for a, w in demand.items()}, ()),))
    parts = len(unit.results)
    onward = {
        axis: Range(wanted.low * parts, min(wanted.high * parts, axes.UNBOUNDED)) if axis == dim else wanted
        for axis, wanted in demand.items()
    }
    return Pull(onward=((place.source, onward, ()),))


def _index(place: _Place, demand: Demand) -> Pull:
    """Axes matched from the right; one that a slice made shorter has lost a fixed number of places (`x[..., :-2]`)."""
    before, after = place.shape(place.source), place.out
    shift = len(before) - len(after)
    onward = {}
    for axis, wanted in demand.items():
        old, new = (before[axis + shift], after[axis]) if axis + shift >= 0 else (None, None)
        if old is None or new is None or (old != new and (shift or old < new)):
            return NOTHING
        onward[axis + shift] = Range(wanted.low + old - new, wanted.high + old - new)
    return Pull(onward=((place.source, onward, ()),))


def _pad(place: _Place, demand: Demand) -> Pull:
    amounts = place.facts.get("pad")
    if isinstance(amounts, int):
        amounts = (amounts,) * (2 * (len(place.out) - 2))
    if not isinstance(amounts, tuple) or not all(isinstance(amount, int) for amount in amounts):
        return NOTHING
    onward = {}
    for axis, wanted in demand.items():
        pair = 2 * (len(place.out) - 1 - axis)
        added = sum(amounts[pair : pair + 2])
        if wanted.high - added < 1:
            return NOTHING
        onward[axis] = Range(max(1, wanted.low - added), wanted.high - added)
    return Pull(onward=((place.source, onward, ()),))


def _pixel_shuffle(place: _Place, demand: Demand) -> Pull:
    factor = place.facts.get("upscale_factor")
    if not isinstance(factor, int):
        return NOTHING
    onward, channels = {}, len(place.out) - 3
    for axis, wanted in demand.items():
        if axis == channels:
            onward[axis] = Range(wanted.low * factor * factor, wanted.high * factor * factor)
        elif axis > channels:
            onward[axis] = Range(-(-wanted.low // factor), wanted.high // factor)
        else:
            onward[axis] = wanted
    if any(wanted.low > wanted.high for wanted in onward.values()):
        return NOTHING
    return Pull(onward=((place.source, onward, ()),))


# Calls in which branches meet


def _elementwise(place: _Place, demand: Demand) -> Pull:
    """One operand alone carries the axis: on to it. Several do: all of them would have to change, so on to their fork,
    by the shortest road, with nothing on the way to be edited."""
    carriers = []
    for operand in place.unit.operands:
        shape = place.shape(operand)
        shift = len(place.out) - len(shape)
        carries = all(axis - shift >= 0 and shape[axis - shift] == place.out[axis] for axis in demand)
        if carries and place.graph.is_activation(operand):
            carriers.append((operand, {axis - shift: wanted for axis, wanted in demand.items()}))
    if len({operand for operand, _ in carriers}) == 1:
        return Pull(onward=((*carriers[0], ()),))
    return _to_fork(place.graph, carriers)


def _to_fork(graph: Graph, carriers: Sequence[tuple[int, Demand]]) -> Pull:
    if not carriers:
        return NOTHING
    fork = graph.fork([operand for operand, _ in carriers])
    if fork is None:
        return NOTHING
    value, demand = min(carriers, key=lambda carrier: graph.depth[carrier[0]])
    for _ in range(40):
        if value == fork:
            return Pull(onward=((value, demand, ()),))
        unit = graph.producer.get(value)
        if unit is None:
            return NOTHING
        roads = [step for step in pull(graph, unit, value, demand).onward if graph.descends(step[0], fork)]
        if not roads:
            return NOTHING
        value, demand, _ = roads[0]
    return NOTHING


def _concat(place: _Place, demand: Demand) -> Pull:
    along = place.unit.facts.get("dim", 0) % len(place.out)
    operands = [operand for operand in place.unit.operands if place.graph.is_activation(operand)]
    if along not in demand:
        return _to_fork(place.graph, [(operand, demand) for operand in operands])
    if len(demand) > 1:
        return NOTHING
    total = place.out[along] or 0
    onward = []
    for operand in dict.fromkeys(operands):
        others = total - (place.shape(operand)[along] or 0)
        if demand[along].low > others:
            onward.append((operand, {along: Range(demand[along].low - others, demand[along].high - others)}, ()))
    return Pull(onward=tuple(onward))


def _stack(place: _Place, demand: Demand) -> Pull:
    along = place.unit.facts.get("dim", 0) % len(place.out)
    if along in demand:
        return NOTHING
    inner = {axis if axis < along else axis - 1: wanted for axis, wanted in demand.items()}
    return _to_fork(place.graph, [(operand, inner) for operand in place.unit.operands])


# Products


def _linear(place: _Place, demand: Demand) -> Pull:
    last = len(place.out) - 1
    rest = {axis: wanted for axis, wanted in demand.items() if axis != last}
    if last not in demand:
        return Pull(onward=((place.source, rest, ()),))
    width = demand[last].exact
    if width is None or place.layer is None or width < 1:
        return NOTHING
    edit = place.set("out_features", width)
    return Pull(own=((edit,),)) if not rest else Pull(onward=((place.source, rest, (edit,)),))


def _matmul(place: _Place, demand: Demand) -> Pull:
    """The last axis is right's, the last but one left's. Where both are asked for (the scores of an attention), each
    side is followed alone: they mostly come from one value."""
    rank = len(place.out)
    if len(place.unit.operands) != 2 or rank < 2:
        return NOTHING
    onward: list[tuple[int, Demand, tuple[Edit, ...]]] = []
    for operand, contracted in zip(place.unit.operands, (rank - 1, rank - 2), strict=True):
        asked = {axis: wanted for axis, wanted in demand.items() if axis != contracted}
        if asked and len(place.shape(operand)) == rank and place.graph.is_activation(operand):
            onward.append((operand, asked, ()))
    return Pull(onward=tuple(onward))


def _attention(place: _Place, demand: Demand) -> Pull:
    """As long as the queries, as wide as the values; a layer gives the width it was made for."""
    last = len(place.out) - 1
    if place.layer is not None:
        exact = demand[last].exact if last in demand else None
        return Pull(own=((place.set("embed_dim", exact),),)) if exact else Pull(onward=((place.source, demand, ()),))
    operands = place.unit.operands
    source = operands[2] if last in demand and len(operands) > 2 else operands[0]
    return Pull(onward=((source, demand, ()),)) if len(place.shape(source)) == last + 1 else NOTHING


def _einsum(place: _Place, demand: Demand) -> Pull:
    equation = place.unit.facts.get("equation", "").replace(" ", "")
    if "->" not in equation or "." in equation:
        return NOTHING
    terms, result = equation.split("->")
    onward = []
    for operand, term in zip(place.unit.operands, terms.split(","), strict=False):
        if place.graph.is_activation(operand) and all(result[axis] in term for axis in demand):
            onward.append((operand, {term.index(result[axis]): wanted for axis, wanted in demand.items()}, ()))
    return Pull(onward=tuple(onward))


def _embedding(place: _Place, demand: Demand) -> Pull:
    last = len(place.out) - 1
    if set(demand) == {last} and place.layer is not None and demand[last].exact:
        return Pull(own=((place.set("embedding_dim", demand[last].exact),),))
    if last not in demand:
        return Pull(onward=((place.source, demand, ()),))
    return NOTHING


def _recurrent(place: _Place, demand: Demand) -> Pull:
    last = len(place.out) - 1
    if set(demand) != {last} or place.layer is None or demand[last].exact is None:
        return Pull(onward=((place.source, demand, ()),)) if last not in demand else NOTHING
    ways = 2 if place.facts.get("bidirectional") and place.value == place.unit.results[0] else 1
    width = demand[last].exact or 0
    return Pull(own=((place.set("hidden_size", width // ways),),)) if width % ways == 0 else NOTHING


# Sliding windows


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


def _windows(place: _Place, transposed: bool) -> list[_Window] | None:
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


def _window(place: _Place, demand: Demand) -> Pull:
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


def _adaptive_pool(place: _Place, demand: Demand) -> Pull:
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


def _resize(place: _Place, demand: Demand) -> Pull:
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


_PULL: Mapping[str, Callable[[_Place, Demand], Pull]] = {
    "norm": _norm,
    "prelu": _prelu,
    "permute": _permute,
    "reshape": _reshape,
    "flatten": _reshape,
    "unflatten": _reshape,
    "squeeze": _reshape,
    "unsqueeze": _reshape,
    "reduce": _reduce,
    "split": _split,
    "index": _index,
    "expand": _index,
    "pad": _pad,
    "pixel_shuffle": _pixel_shuffle,
    "add": _elementwise,
    "sub": _elementwise,
    "mul": _elementwise,
    "div": _elementwise,
    "maximum": _elementwise,
    "minimum": _elementwise,
    "where": _elementwise,
    "lerp": _elementwise,
    "concat": _concat,
    "stack": _stack,
    "linear": _linear,
    "matmul": _matmul,
    "attention": _attention,
    "einsum": _einsum,
    "embedding": _embedding,
    "recurrent": _recurrent,
    "conv": _window,
    "conv_transpose": _window,
    "pool": _window,
    "adaptive_pool": _adaptive_pool,
    "resize": _resize,
}
