"""An operand that would fit as it is, were its axes laid out otherwise: axes of size 1 that it lacks, or two axes that
have changed places.

The sizes alone do not say where an axis belongs, so the batch has to stay on the batch, and a weight, which has none,
is laid out beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from shapewatch import axes
from shapewatch.demand.moves import norm_axes
from shapewatch.edits import RESULT, Insert, Module
from shapewatch.flow.layout import layout_of
from shapewatch.recording import Shape, spoken, text
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.factors import factors_otherwise
from shapewatch.repair.log_probs import of_several_numbers
from shapewatch.repair.odd_operations import before
from shapewatch.repair.tables import batch_axes
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case


def laid_out_otherwise(evidence: Evidence) -> Iterator[Candidate]:
    case = evidence.case
    yield from moved_before_a_layer(case)
    yield from _index_repeated(case)
    yield from factors_otherwise(case)
    yield from _stacked_with_a_column(case)
    if case.call.kind not in ELEMENTWISE | {"concat"} or case.call.kind == "loss" or len(set(case.call.operands)) < 2:
        return
    for operand, few in enumerate(case.shapes):
        many = max((shape for at, shape in enumerate(case.shapes) if at != operand), key=len)
        if None in (*few[1:], *many[1:]):
            continue
        yield from _with_more_axes(case, operand, few, many)
        yield from _without_the_last_axis(case, operand, few)
        yield from _one_looked_up(case, operand, few)
        if case.call.kind == "concat" and not case.call.is_layer:
            yield from _repeated(case, operand, few, many)
        if not case.call.is_layer:
            yield from _with_axes_swapped(case, operand, few, many)
            yield from _with_an_axis_moved(case, operand, few, many)


# Axes of size 1


def _with_more_axes(case: Case, operand: int, few: Shape, many: Shape) -> Iterator[Candidate]:
    """The ways in which the sizes of an operand of fewer axes fall into place; each axis that it lacks is new, and of
    size 1 (a gate of [N, C] for maps of [N, C, H, W])."""
    if not 1 <= len(few) < len(many) or any(of_several_numbers(case, at) for at in range(len(case.shapes))):
        return
    joins = case.call.kind == "concat"
    ways = list(_joined(case, few, many) if joins else _met(case, operand, few, many))
    ways = [dims for dims in ways if not joins or not _of_another_origin(case, operand, many, dims)]
    said = "" if len(ways) == 1 else _preferred(case, many, ways[0]) if ways else None
    if said is not None:
        module = Module("unsqueeze", {"dims": ways[0], "rank": len(few) + len(ways[0])})
        yield Candidate((Insert(case.call.place, operand, module),), 0.4, 1, (said,) if said else ())


def _without_the_last_axis(case: Case, operand: int, given: Shape) -> Iterator[Candidate]:
    """An operand that has an axis of size 1 behind those of the other one: `[N, H, W, 1]` beside `[N, H, W]`."""
    shorter = [shape for at, shape in enumerate(case.shapes) if at != operand and given == (*shape, 1)]
    if shorter and case.call.kind != "concat" and len(given) > 2 and not case.call.is_layer:
        module = Module("squeeze", {"dim": len(given) - 1})
        yield Candidate((Insert(case.call.place, operand, module),), 0.5, 1, ("all other axes are the same",))


def _stacked_with_a_column(case: Case) -> Iterator[Candidate]:
    """One operand of a stack that is a column, `[N, 1]`, where all others are `[N]`."""
    columns = [at for at, shape in enumerate(case.shapes) if len(shape) > 1 and shape[-1] == 1]
    others = {shape for at, shape in enumerate(case.shapes) if at not in columns[:1]}
    if case.call.kind == "stack" and len(columns) == 1 and others == {case.shapes[columns[0]][:-1]}:
        module = Module("squeeze", {"dim": len(case.shapes[columns[0]]) - 1})
        yield Candidate((Insert(case.call.place, columns[0], module),), 0.5, 1, ("all other axes are the same",))


def stretched_before(evidence: Evidence) -> Iterator[Candidate]:
    """Rows of one step, [N, 1, C], that met vectors [N, C] on the way: each batch was repeated for the other, without a
    word, and what comes of it fails here."""
    recording = evidence.case.recording
    for hops, unit in before(evidence):
        if unit.kind not in ELEMENTWISE or unit is evidence.case.call or len(unit.operands) != 2 or not unit.results:
            continue
        for operand, value in enumerate(unit.operands):
            wide, low = recording.shape(value), recording.shape(unit.operands[1 - operand])
            both = (*low[:1], *low)
            if (
                len(low) > 1
                and low[0] != 1
                and wide == (low[0], 1, *low[1:])
                and recording.shape(unit.results[0]) == both
            ):
                said = (f"{unit.name} has repeated both: {text(wide)} and {text(low)}",)
                taken = Insert(unit.place, operand, Module("squeeze", {"dim": 1}))
                outside = unit.parent is None  # where nothing can be run again
                yield Candidate((taken,), 1.0 - 0.02 * hops, hops + 1, said, needs_proof=not outside)


def _one_looked_up(case: Case, operand: int, shape: Shape) -> Iterator[Candidate]:
    """A row that was looked up for each sample, [N, 1, C], flattened where it meets vectors [N, C]."""
    others = [other for at, other in enumerate(case.shapes) if at != operand]
    looked_up = case.graph.producer.get(case.call.operands[operand])
    if looked_up is None or looked_up.kind != "embedding" or len(shape) != 3 or shape[1] != 1:
        return
    if all(len(other) == 2 for other in others):
        said = (f"{spoken(looked_up.layer or looked_up.name)} looks up one row for each sample",)
        yield Candidate(
            (Insert(case.call.place, operand, Module("flatten", {"start_dim": 1, "end_dim": -1})),), 0.6, 1, said
        )


def _preferred(case: Case, many: Shape, dims: tuple[int, ...]) -> str | None:
    """What tells the likeliest of several ways from the others; None where nothing does."""
    layout = case.graph.layout
    if layout is not None and layout.fits(many) and layout.channels(many) not in dims:
        return f"the channels are on axis {layout.channels(many)}"
    square = len(many) > 2 and many[-1] == many[-2] and len(many) - 1 not in dims
    if square and (case.call.kind == "where" or _are_scores(case, many)):
        return "the last axis of scores counts the keys"
    return None


def _are_scores(case: Case, shape: Shape) -> bool:
    """Whether an operand of this shape is a product of matrices, scaled at most."""
    for value in case.call.operands:
        made = case.graph.producer.get(value)
        while made is not None and made.kind in ("div", "mul") and made.operands:
            made = case.graph.producer.get(made.operands[0])
        if made is not None and made.kind in ("matmul", "einsum") and case.recording.shape(value) == shape:
            return True
    return False


def _met(case: Case, operand: int, few: Shape, many: Shape) -> Iterator[tuple[int, ...]]:
    """Where new axes go for operands that meet element by element, likeliest first: with the operand's sizes on the
    channels, else as far to the right as they go, where the keys are of a mask and the features of most."""
    rank, first = len(many), 0
    one_each = len(few) > 1 and few[0] not in (None, 1) and set(few[1:]) == {1}  # drawn for each sample
    leading = len(few) > 1 and few == many[: len(few)]  # a mask of the places, made of nothing but their number
    if (_has_batch(case, operand) or one_each or leading) and not axes.differ(few[0], many[0]):
        first = 1
    beside = rank == 2 and many[0] == 1  # a row beside which a column is meant
    placed = [
        tuple(places)
        for places in combinations(range(0 if beside else 1, rank), len(few) - first)
        if all(size == 1 or many[axis] in (1, size) for axis, size in zip(places, few[first:], strict=True))
    ]
    # an axis of the other one is stretched only where there is no other way
    whole = {places for places in placed if all(many[axis] != 1 for axis in places)}
    laid = whole or {places for places in placed if beside or first}
    results: dict[Shape, list[tuple[int, ...]]] = {}
    layout = case.graph.layout
    channels = layout.channels(many) if layout is not None and layout.fits(many) else None
    for places in sorted(laid, key=lambda places: (channels not in places, tuple(-axis for axis in reversed(places)))):
        kept = (0, *places) if first else places
        begin = 0 if first else kept[0]  # new axes in front of the first are there anyway
        dims = tuple(axis - begin for axis in range(begin, rank) if axis not in kept)
        after = tuple(few[kept.index(axis)] if axis in kept else 1 for axis in range(begin, rank))
        if dims:
            results.setdefault(after, []).append(dims)
    yield from map(max, results.values())  # of several that give one shape, the one with the new axes last


def _of_another_origin(case: Case, operand: int, many: Shape, dims: tuple[int, ...]) -> bool:
    """Whether with new axes at `dims` sizes would lie beside each other that have nothing to do with each other: as
    many units of a layer as there are steps."""
    lineage, along = case.graph.lineage, case.facts.get("dim", 0) % len(many)
    beside = next(case.call.operands[at] for at, shape in enumerate(case.shapes) if shape == many)
    kept = [axis for axis in range(len(many)) if axis not in dims]
    own = dict(zip(kept, lineage.sources(case.call.operands[operand]), strict=True))
    other = lineage.sources(beside)
    return any(axis != along and None not in (own[axis], other[axis]) and own[axis] != other[axis] for axis in kept)


def _joined(case: Case, few: Shape, many: Shape) -> Iterator[tuple[int, ...]]:
    """Where new axes go for an operand that is put beside another: where that one has a size of 1."""
    along = case.facts.get("dim", 0)
    if not isinstance(along, int):
        return
    along %= len(many)
    for places in combinations(range(len(many)), len(few)):
        dims = tuple(axis for axis in range(len(many)) if axis not in places)
        fits = all(axis == along or many[axis] == size for axis, size in zip(places, few, strict=True))
        if fits and all(axis == along or many[axis] == 1 for axis in dims):
            yield dims


def _repeated(case: Case, operand: int, given: Shape, other: Shape) -> Iterator[Candidate]:
    """An operand of a concatenation that is one for all places of the other, repeated for each of them: the feature of
    a whole cloud beside those of its points."""
    along = case.facts.get("dim", 0)
    rank = len(other)
    if not isinstance(along, int) or not -rank <= along < rank or len(given) > rank:
        return
    along %= rank
    for kept in combinations(range(rank), len(given)):
        sizes = dict(zip(kept, given, strict=True))
        fits = all(axis == along or sizes.get(axis, 1) in (1, other[axis]) for axis in range(rank))
        repeated = [axis for axis in range(rank) if axis != along and sizes.get(axis, 1) == 1 != other[axis]]
        batch = 0 in repeated and _has_batch(case, operand)  # a weight is one for all samples
        if not fits or along not in kept or not repeated or batch:
            continue
        dims = tuple(axis for axis in range(rank) if axis not in kept)
        expand = tuple(other[axis] if axis in repeated else -1 for axis in range(rank))
        yield Candidate((Insert(case.call.place, operand, Module("expand", {"dims": dims, "sizes": expand})),), 0.4, 1)


def _has_batch(case: Case, operand: int) -> bool:
    return case.graph.is_activation(case.call.operands[operand])


def _index_repeated(case: Case) -> Iterator[Candidate]:
    """The index of a `gather` that chooses whole rows, repeated for all numbers of a row."""
    if case.call.name != "gather" or len(case.shapes) != 2 or case.call.is_layer:
        return
    (source, index), along = case.shapes, case.facts.get("dim", case.facts.get("index"))
    if not isinstance(along, int) or len(index) >= len(source) or None in (*source, *index):
        return
    along %= len(source)
    if along >= len(index) or any(index[axis] != source[axis] for axis in range(len(index)) if axis != along):
        return
    dims = tuple(range(len(index), len(source)))
    sizes = tuple(source[axis] if axis in dims else -1 for axis in range(len(source)))
    yield Candidate((Insert(case.call.place, 1, Module("expand", {"dims": dims, "sizes": sizes})),), 0.5, 1)


# Axes that have changed places

_WORKING_ON = {
    "conv": "in_channels",
    "conv_transpose": "in_channels",
    "linear": "in_features",
    "recurrent": "input_size",
    "norm": "num_features",
}
"""Kinds of layers that have weights along one axis, and what says how long it is."""


def _worked_on(case: Case) -> int | None:
    wanted = case.facts.get(_WORKING_ON[case.call.kind], case.facts.get("normalized_shape"))
    sizes = wanted if isinstance(wanted, tuple) else (wanted,)
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else None


def moved_before_a_layer(case: Case) -> Iterator[Candidate]:
    """The axis that a layer has its weights for, brought to where it looks for it: an embedding's `[N, T, C]` for a
    convolution over time, a convolution's `[N, C, T]` for a recurrent layer. What is wrong with an input itself is said
    of the input."""
    kind, graph = case.call.kind, case.graph
    if (
        not case.call.is_layer
        or kind not in _WORKING_ON
        or not case.shapes
        or case.call.operands[0] in case.recording.inputs
    ):
        return
    given, wanted = case.shapes[0], _worked_on(case)
    layout = layout_of(case.facts, case.call.name) if kind.startswith("conv") else None
    if len(given) < 3 or wanted is None or (layout is not None and len(given) != layout.rank + 2):
        return
    own = len(given) - 1 if layout is None else layout.channels(given)
    if kind == "norm":
        along = norm_axes(given, case.facts)
        own = along[0] if len(along) == 1 else own
    batch = graph.lineage.batch_axes(case.call.operands[0]) or (0,)
    places = [axis for axis, size in enumerate(given) if size == wanted and axis not in (own, *batch)]
    if given[own] in (None, wanted) or len(places) != 1:
        return
    order = [axis for axis in range(len(given)) if axis != places[0]]
    order.insert(own, places[0])
    worth = 0.3 if kind == "linear" else 0.7
    said = (f"axis {places[0]} is {wanted} long",)
    module = Module("permute", {"dims": tuple(order)})
    yield Candidate((Insert(case.call.place, 0, module),), worth, 1, said)
    maker = graph.producer.get(case.call.operands[0])
    if maker is not None and len(maker.results) == 1 and _others_wait(case):
        yield Candidate((Insert(maker.place, RESULT, module),), worth - 0.1, 2, said)


def _others_wait(case: Case) -> bool:
    """Whether layers beside the one that failed have not run yet, as the several windows over a text."""
    row, ran = case.call.layer.rpartition(".")[0], {unit.layer for unit in case.graph.units}
    beside = (layer for path, layer in case.recording.layer_at.items() if row and path.rpartition(".")[0] == row)
    return any(layer.path not in ran and layer.kind == case.call.kind for layer in beside)


def _with_axes_swapped(case: Case, operand: int, given: Shape, other: Shape) -> Iterator[Candidate]:
    """Two axes of an operand swapped, where there is one way alone in which it then fits: `[N, T, C]` for `[N, C, T]`,
    the state of a recurrent layer `[1, N, C]` with its batch first for the outputs of all steps."""
    if len(given) != len(other) or None in (given[:1] + other[:1]):
        return
    fitting = [pair for pair in combinations(range(len(given)), 2) if _fits_swapped(case, operand, given, other, pair)]
    if len(fitting) != 1:
        return
    order = _in_between_kept(given, *fitting[0])
    whole = sorted(map(str, given)) == sorted(map(str, other))
    module = Module("permute", {"dims": tuple(order)})
    depths = [case.graph.depth[value] for value in case.call.operands]
    worked = 0.05 * (depths[operand] == max(depths))  # what came further is rather to be turned back
    yield Candidate((Insert(case.call.place, operand, module),), (0.4 if whole else 0.3) + worked, 1)


def _in_between_kept(given: Shape, one: int, two: int) -> list[int]:
    """The order in which two axes change places; where one of them is as long as those between them, the other one
    alone is moved, so that of a table (N, N, heads) rows stay rows."""
    order = list(range(len(given)))
    if two - one > 1 and set(given[one:two]) == {given[one]}:
        order.insert(one, order.pop(two))
    elif two - one > 1 and set(given[one + 1 : two + 1]) == {given[two]}:
        order.insert(two, order.pop(one))
    else:
        order[one], order[two] = two, one
    return order


def _with_an_axis_moved(case: Case, operand: int, few: Shape, many: Shape) -> Iterator[Candidate]:
    """Weights of fewer axes with one of them moved, where there is one way alone in which they then fit: positions of
    `[H, W, C]` for maps of `[N, C, H, W]`."""
    if _has_batch(case, operand) or not 3 <= len(few) < len(many) or case.call.kind == "concat":
        return
    orders = set()
    for old in range(len(few)):
        for new in range(len(few)):
            order = [axis for axis in range(len(few)) if axis != old]
            order.insert(new, old)
            if not axes.broadcast_problems([tuple(few[axis] for axis in order), many]):
                orders.add(tuple(order))
    if len(orders) == 1 and axes.broadcast_problems([few, many]):
        yield Candidate((Insert(case.call.place, operand, Module("permute", {"dims": orders.pop()})),), 0.4, 1)


def _fits_swapped(case: Case, operand: int, given: Shape, other: Shape, pair: tuple[int, int]) -> bool:
    """Whether an operand fits with two axes swapped, and its batch, where it is known, then stands on the other's."""
    one, two = pair
    swapped = list(given)
    swapped[one], swapped[two] = given[two], given[one]
    if given[one] == given[two] or not _differ(case, given, other) or _differ(case, tuple(swapped), other):
        return False
    if case.call.kind != "concat" and _stretches_both(tuple(swapped), other):
        return False
    if len(case.call.operands) == 2 and _over_the_batch(case, operand, tuple(swapped), pair):
        return False
    lineage, values = case.graph.lineage, case.call.operands
    batches = [lineage.batch_axes(value) for value in values]
    mine = {two if axis == one else one if axis == two else axis for axis in batches[operand]}
    theirs = {axis for at, found in enumerate(batches) if at != operand for axis in found}
    return not (mine and theirs) or bool(mine & theirs)


def _stretches_both(one: Shape, other: Shape) -> bool:
    """Whether a column meets a row, and each is repeated for all of the other's."""
    pairs = list(zip(one, other, strict=True))
    return any(a == 1 != b for a, b in pairs) and any(a != 1 == b for a, b in pairs)


def _over_the_batch(case: Case, operand: int, swapped: Shape, pair: tuple[int, int]) -> bool:
    """Whether of weights and data the batch would be moved for the weights, or something of them laid over it."""
    values = case.call.operands
    if case.call.kind == "concat" or _has_batch(case, operand) == _has_batch(case, 1 - operand):
        return False
    if _has_batch(case, operand):
        return bool(set(pair) & set(batch_axes(case, values[operand])))
    return any(swapped[axis] != 1 for axis in batch_axes(case, values[1 - operand]))


def _differ(case: Case, given: Shape, other: Shape) -> bool:
    along = case.facts.get("dim", 0)
    if case.call.kind == "concat":
        return not isinstance(along, int) or bool(axes.concat_problems([given, other], along % max(len(given), 1)))
    return bool(axes.broadcast_problems([given, other]))
