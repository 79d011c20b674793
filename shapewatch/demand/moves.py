"""Calls that keep or move axes: norms, activations, permutes, reshapes, reductions, splits, pads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from typing import Any

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand.nouns import NOTHING, Demand, Handler, Place, Pull
from shapewatch.edits import Edit
from shapewatch.flow.layout import Layout
from shapewatch.flow.lineage import order_of
from shapewatch.recording import Shape


def keeping_shape(place: Place, demand: Demand) -> Pull:
    """Anything whose result has the shape of an operand: activations, dropout, casts, and calls of unknown kind."""
    for operand in place.unit.operands:
        if place.graph.is_activation(operand) and place.shape(operand) == place.out:
            return Pull(onward=((operand, demand, ()),))
    return NOTHING


def _norm(place: Place, demand: Demand) -> Pull:
    """A norm keeps every axis, and has to follow when the size of its own changes."""
    facts = place.facts
    companions: list[Edit] = []
    if place.layer is not None and facts.get("fixed", True):
        for axis in norm_axes(place.shape(place.source), facts):
            exact = demand[axis].exact if axis in demand else None
            if exact is not None:
                companions += place.settings(**_norm_argument(facts, exact))
    return Pull(onward=((place.source, demand, tuple(companions)),))


def norm_axes(shape: Shape, facts: Mapping[str, Any]) -> tuple[int, ...]:
    """The axes whose sizes a norm was made for: those that it names or, as PyTorch's do, axis 1 or the last ones."""
    rank, named = len(shape), facts.get("axis")
    if named is not None:
        given: tuple[int, ...] = (named,) if isinstance(named, int) else tuple(named)
        return tuple(axis % rank for axis in given) if all(-rank <= axis < rank for axis in given) else ()
    if facts.get("style") == "layer":
        wanted: tuple[Any, ...] = tuple(facts.get("normalized_shape") or ())
        if len(wanted) == 1 and len(shape) == 4 and facts.get("images") and shape[-1] != wanted[0]:
            return (1,)
        return tuple(range(rank - len(wanted), rank))
    return (1,) if rank > 1 else (0,)


def _norm_argument(facts: Mapping[str, Any], size: int) -> dict[str, Any]:
    for name in ("num_features", "num_channels"):
        if name in facts:
            return {name: size}
    return {"normalized_shape": (*tuple(facts.get("normalized_shape") or ())[:-1], size)}


def _prelu(place: Place, demand: Demand) -> Pull:
    axis = prelu_axis(place.out, place.facts)
    exact = demand[axis].exact if axis in demand else None
    slopes = place.facts.get("num_parameters", 1) or 1
    companions = place.settings(num_parameters=exact) if exact and slopes > 1 else ()
    return Pull(onward=((place.source, demand, companions),))


def prelu_axis(shape: Shape, facts: Mapping[str, Any]) -> int:
    """The channels' axis, for each of which a PReLU keeps a slope."""
    return len(shape) - 1 if facts.get("channels_last") else 1


def _permute(place: Place, demand: Demand) -> Pull:
    rank, facts = len(place.out), place.facts
    if len(place.shape(place.source)) != rank:
        return NOTHING
    order = order_of(facts, rank)
    if order is None:
        return NOTHING
    onward = ((place.source, {order[axis]: wanted for axis, wanted in demand.items()}, ()),)
    own = [*_other_orders(place, order, demand), *_other_swaps(place, order, demand)]
    return Pull(own=tuple(own), onward=onward)


def _other_orders(place: Place, present: list[int], demand: Demand) -> Iterator[tuple[Edit, ...]]:
    """Orders in which a permutation would give the sizes asked for; the batch stays where it is."""
    before = place.shape(place.source)
    if "dims" not in place.facts or len(before) > 5:
        return
    if present == [1, 0] and place.layer is None and all(before[axis] in wanted for axis, wanted in demand.items()):
        yield (place.set("dims", (0, 1)),)  # a table that was meant to stay as it is
    if present[0] != 0:
        return
    for rest in permutations(range(1, len(before))):
        order = (0, *rest)
        if list(order) != present and all(before[order[axis]] in wanted for axis, wanted in demand.items()):
            yield (place.set("dims", order),)


def _other_swaps(place: Place, present: list[int], demand: Demand) -> Iterator[tuple[Edit, ...]]:
    """Other pairs of axes that would give the sizes asked for if they changed places; the batch stays where it is."""
    before = place.shape(place.source)
    if place.layer is not None or place.unit.name not in _SWAPS:
        return
    for swap in combinations(range(1, len(before)), 2):
        order = list(range(len(before)))
        order[swap[0]], order[swap[1]] = swap[1], swap[0]
        if order != present and all(before[order[axis]] in wanted for axis, wanted in demand.items()):
            yield (place.set("swap", swap),)


_SWAPS = frozenset({"transpose", "swapaxes", "swapdims"})


def _unsqueeze(place: Place, demand: Demand) -> Pull:
    """A new axis stands where it was put; another place for it may give the sizes asked for."""
    before, dim = place.shape(place.source), place.facts.get("dim")
    others = []
    if place.layer is None and isinstance(dim, int) and len(place.out) == len(before) + 1:
        for at in range(len(place.out)):
            after = (*before[:at], 1, *before[at:])
            if after != place.out and all(after[axis] in wanted for axis, wanted in demand.items()):
                others.append((place.set("dim", at),))
    through = _reshape(place, demand)
    return Pull(own=(*others, *through.own), onward=through.onward)


def _reshape(place: Place, demand: Demand) -> Pull:
    """Runs of axes with one product: a run that stays one axis hands the demand on; a merged run can be met by each of
    its members, or by its spatial members together when they are equal."""
    before, own = place.shape(place.source), tuple(_other_targets(place, demand))
    groups = axes.factor_groups(before, place.out)
    larger = _larger_target(place, demand)
    if larger is not None:
        return Pull(own=own, onward=(larger,))
    if not groups:
        return Pull(own=own)
    onward: list[Demand] = [{}]
    for old, new in groups:
        asked = [axis for axis in new if axis in demand]
        if not asked:
            continue
        if len(asked) > 1 or not old:
            return Pull(own=own)
        axis = asked[0]
        others = math.prod(place.out[other] or 1 for other in new if other != axis)
        total = Range(demand[axis].low * others, min(demand[axis].high * others, axes.UNBOUNDED))
        options = list(_merged(before, old, total, _spatial_end(place, old)))
        onward = [{**one, **option} for one in onward for option in options]
    return Pull(own=own, onward=tuple((place.source, option, ()) for option in onward if option))


def _other_targets(place: Place, demand: Demand) -> Iterator[tuple[Edit, ...]]:
    """Targets of a layer that reshapes with the sizes asked for and as many elements: its own sizes in another order,
    or one axis not asked for that takes up the difference."""
    target = place.facts.get("shape")
    if place.layer is None or not place.facts.get("keeps_batch") or not isinstance(target, tuple) or 0 in demand:
        return
    sizes = place.out[1:]
    if len(target) != len(sizes) or len(sizes) > 4 or any(size is None for size in sizes):
        return
    wanted = {axis - 1: sizes_asked.exact for axis, sizes_asked in demand.items()}
    if any(size is None for size in wanted.values()):
        return
    known = [size or 1 for size in sizes]
    orders = {order for order in permutations(known) if all(order[at] == size for at, size in wanted.items())}
    for at in range(len(known)):
        other = [wanted.get(axis) or size for axis, size in enumerate(known)]
        rest = math.prod(size for axis, size in enumerate(other) if axis != at)
        if at not in wanted and math.prod(known) % rest == 0:
            other[at] = math.prod(known) // rest
            orders.add(tuple(other))
    yield from ((place.set("shape", order),) for order in sorted(orders) if order != tuple(known))


def _larger_target(place: Place, demand: Demand) -> tuple[int, Demand, tuple[Edit, ...]] | None:
    """What lays out a vector, with other sizes: the vector has to have as many numbers as these ask for."""
    target, before = place.facts.get("shape"), place.shape(place.source)
    batched = place.layer is None  # an operation's target has the batch in it
    if not (batched or place.facts.get("keeps_batch")) or not isinstance(target, tuple) or len(before) != 2:
        return None
    if 0 in demand or -1 in target[batched:] or len(target) != len(place.out) - 1 + batched:
        return None
    if any(d.exact is None for d in demand.values()) or (batched and before[0] != place.out[0]):
        return None
    other = tuple(demand[at].exact if at in demand else size for at, size in enumerate(target, 1 - batched))
    count = math.prod(size or 0 for size in other[batched:])
    if count == before[1] or count == 0:
        return None
    return place.source, {1: Range.only(count)}, (place.set("shape", other),)


def _spatial_end(place: Place, run: tuple[int, ...]) -> int:
    """How many of a run of axes there are up to the last spatial one, if all are axes of an image."""
    layout = place.graph.layout
    last = layout is not None and layout.channels_last and layout.fits(place.shape(place.source))
    return len(run) - (last and run[-1] == len(place.shape(place.source)) - 1)


def _merged(before: Shape, run: tuple[int, ...], total: Range, end: int) -> Iterator[Demand]:
    """Demands on the axes of a run whose product has to be in `total`; `end`: those before it may be spatial ones."""
    sizes = [before[axis] or 1 for axis in run]
    whole = math.prod(sizes)
    for axis, size in zip(run, sizes, strict=True):
        rest = whole // size
        low, high = -(-total.low // rest), total.high // rest
        if low <= high:
            yield {axis: Range(low, high)}
    for count in (2, 3):
        spatial = run[max(0, end - count) : end]
        if len(spatial) < count or len({before[axis] for axis in spatial}) > 1:
            continue
        rest = whole // (before[spatial[0]] or 1) ** count
        sides = [side for side in range(1, 1025) if total.low <= side**count * rest <= total.high]
        if sides:
            yield {axis: Range(sides[0], sides[-1]) for axis in spatial}


def _glu(place: Place, demand: Demand) -> Pull:
    """One half of an axis gates the other."""
    dim = place.facts.get("dim", -1)
    if not isinstance(dim, int) or len(place.shape(place.source)) != len(place.out):
        return NOTHING
    dim %= len(place.out)
    onward = {
        axis: Range(2 * wanted.low, min(2 * wanted.high, axes.UNBOUNDED)) if axis == dim else wanted
        for axis, wanted in demand.items()
    }
    return Pull(onward=((place.source, onward, ()),))


def _reduce(place: Place, demand: Demand) -> Pull:
    before, dims = place.shape(place.source), place.facts.get("dim")
    if dims is None or not isinstance(dims, int | tuple):
        return NOTHING
    gone = {dim % len(before) for dim in ((dims,) if isinstance(dims, int) else dims)}
    own = tuple(_over_another_axis(place, demand))
    if len(before) == len(place.out):
        return Pull(own=own, onward=((place.source, {a: w for a, w in demand.items() if a not in gone}, ()),))
    kept = [axis for axis in range(len(before)) if axis not in gone]
    if len(kept) != len(place.out):
        return NOTHING
    return Pull(own=own, onward=((place.source, {kept[axis]: wanted for axis, wanted in demand.items()}, ()),))


def _over_another_axis(place: Place, demand: Demand) -> Iterator[tuple[Edit, ...]]:
    """Another axis to reduce, where what is left then has the sizes asked for; the batch is never reduced."""
    before, dim = place.shape(place.source), place.facts.get("dim")
    if place.layer is not None or 0 in demand:
        return
    dims = (dim,) if isinstance(dim, int) else dim
    if not isinstance(dims, tuple) or len(dims) != 1 or dims[0] % len(before) == 0:
        return
    for axis in range(1, len(before)):
        kept = (1,) if len(before) == len(place.out) else ()
        after = (*before[:axis], *kept, *before[axis + 1 :])
        if axis != dims[0] % len(before) and all(after[at] in wanted for at, wanted in demand.items()):
            value = -1 if axis == len(before) - 1 else axis
            yield (place.set("dim", value if isinstance(dim, int) else (value,)),)


def _split(place: Place, demand: Demand) -> Pull:
    before, unit = place.shape(place.source), place.unit
    dim = place.facts.get("dim", 0)
    if not isinstance(dim, int):
        return NOTHING
    dim %= len(before)
    if place.facts.get("dropped"):
        return Pull(onward=((place.source, {a if a < dim else a + 1: w for a, w in demand.items()}, ()),))
    parts = len(unit.results)
    onward = {
        axis: Range(wanted.low * parts, min(wanted.high * parts, axes.UNBOUNDED)) if axis == dim else wanted
        for axis, wanted in demand.items()
    }
    return Pull(onward=((place.source, onward, ()),))


def _index(place: Place, demand: Demand) -> Pull:
    """Axes as the items say or, where these are not known, matched from the right; one that a slice made shorter has
    lost a fixed number of places (`x[..., :-2]`)."""
    before, after = place.shape(place.source), place.out
    shift = len(before) - len(after)
    onward = {}
    for axis, wanted in demand.items():
        item = item_of(place.facts.get("items"), len(before), axis)
        at = item[1] if item is not None else axis + shift
        old, new = (before[at], after[axis]) if at >= 0 else (None, None)
        if old is None or new is None or (old != new and ((shift and item is None) or old < new)):
            return NOTHING
        onward[at] = Range(wanted.low + old - new, wanted.high + old - new)
    return Pull(onward=((place.source, onward, ()),))


def item_of(items: object, rank: int, axis: int) -> tuple[int, int] | None:
    """Which item of an index takes what lies on an axis of its result, and the axis of so many that it is; None where
    that is not known."""
    if not isinstance(items, tuple | list) or "tensor" in items:
        return None
    taking = sum(item not in (None, "...") for item in items)
    full: list[object] = []
    for item in items if "..." in items else (*items, "..."):
        full += [":"] * (rank - taking) if item == "..." else [item]
    into = out_of = 0
    for place, item in enumerate(full):
        if not isinstance(item, int):
            if into == axis:
                return None if item is None else (place, out_of)
            into += 1
        out_of += item is not None
    return None


def slices_of(facts: Mapping[str, Any]) -> list[str]:
    """The slices of an index, one text for each item of it: `:` and `:8` of `pe[:, :n]`; none where no slice ends at a
    whole number, or there is an ellipsis."""
    spelled = facts.get("slices")
    return spelled.split(", ") if isinstance(spelled, str) and "..." not in spelled else []


def ends(part: str) -> tuple[int, int] | None:
    """Where a slice begins and ends; None for an item that is none, or ends where the axis does."""
    start, colon, end = part.partition(":")
    return (int(start or 0), int(end)) if colon and end.isdigit() and (start or "0").isdigit() else None


def of_length(part: str, size: int) -> str:
    """The slice with another end, so many places behind its beginning."""
    start = part.partition(":")[0]
    return f"{start}:{int(start or 0) + size}"


def _expand(place: Place, demand: Demand) -> Pull:
    """Axes matched from the right; of a layer that repeats the items of a batch (Keras's `RepeatVector`), around the
    new axis 1."""
    if place.layer is None or len(place.out) != len(place.shape(place.source)) + 1:
        return _index(place, demand)
    onward = {axis - (axis > 1): wanted for axis, wanted in demand.items() if axis != 1}
    return Pull(onward=((place.source, onward, ()),)) if len(onward) == len(demand) else NOTHING


def _pad(place: Place, demand: Demand) -> Pull:
    amounts = place.facts.get("pad")
    if isinstance(amounts, int):
        amounts = (amounts,) * (2 * (len(place.out) - 2))
    if not isinstance(amounts, tuple) or not all(isinstance(amount, int) for amount in amounts):
        return NOTHING
    own = _other_amounts(place, demand, amounts)
    onward = {}
    for axis, wanted in demand.items():
        pair = 2 * (len(place.out) - 1 - axis)
        added = sum(amounts[pair : pair + 2])
        if wanted.high - added < 1:
            return Pull(own=own)
        onward[axis] = Range(max(1, wanted.low - added), wanted.high - added)
    return Pull(own=own, onward=((place.source, onward, ()),))


def _other_amounts(place: Place, demand: Demand, amounts: tuple[int, ...]) -> tuple[tuple[Edit, ...], ...]:
    """The amounts with which a layer would pad (or, if that is what it does, crop) to the nearest size asked for, as
    evenly as can be, the odd place last.

    Only of layers whose facts tell for how many axes they are: PyTorch's take the amounts by another name.
    """
    before = place.shape(place.source)
    if place.layer is None or "rank" not in place.facts:
        return ()
    other = [*amounts, *(0 for _ in range(2 * len(before) - len(amounts)))]
    crops = min(amounts) < 0 or "Crop" in place.graph.recording.layer_at[place.layer].type
    for axis, wanted in demand.items():
        size, pair = before[axis], 2 * (len(before) - 1 - axis)
        if size is None or pair >= len(amounts) or (wanted.low > size if crops else wanted.high < size):
            return ()
        added = min(wanted.high - size, 0) if crops else max(wanted.low - size, 0)
        other[pair : pair + 2] = [added // 2, added - added // 2]
    return (place.settings(pad=tuple(other[: len(amounts)])),)


def _create(place: Place, demand: Demand) -> Pull:
    """A tensor that a forward makes of nothing has the sizes that were written down for it."""
    sizes = {axis: wanted.exact for axis, wanted in demand.items()}
    if place.unit.parent is None or place.facts.get("shape") != place.out or None in sizes.values():
        return NOTHING
    return Pull(own=((place.set("shape", tuple(sizes.get(axis, size) for axis, size in enumerate(place.out))),),))


def _pixel_shuffle(place: Place, demand: Demand) -> Pull:
    factor = place.facts.get("upscale_factor")
    if not isinstance(factor, int):
        return NOTHING
    layout = Layout(2, bool(place.facts.get("channels_last")))
    onward, channels = {}, layout.channels(place.out)
    for axis, wanted in demand.items():
        if axis == channels:
            onward[axis] = Range(wanted.low * factor * factor, wanted.high * factor * factor)
        elif axis in layout.spatial(place.out):
            onward[axis] = Range(-(-wanted.low // factor), wanted.high // factor)
        else:
            onward[axis] = wanted
    if any(wanted.low > wanted.high for wanted in onward.values()):
        return NOTHING
    return Pull(onward=((place.source, onward, ()),))


HANDLERS: dict[str, Handler] = {
    "norm": _norm,
    "prelu": _prelu,
    "permute": _permute,
    "reshape": _reshape,
    "flatten": _reshape,
    "unflatten": _reshape,
    "squeeze": _reshape,
    "unsqueeze": _unsqueeze,
    "glu": _glu,
    "reduce": _reduce,
    "split": _split,
    "index": _index,
    "expand": _expand,
    "pad": _pad,
    "create": _create,
    "pixel_shuffle": _pixel_shuffle,
}
