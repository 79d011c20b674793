"""The heads of an attention stand behind the time steps, and the product compares heads instead of steps.

## What it means
`[batch, steps, heads, width]` times itself, with its last two axes swapped, gives `[batch, steps, heads, heads]`: at
each step, how alike its heads are. Scores of all steps with all steps, `[batch, heads, steps, steps]`, need the heads
in front.

## Why
`view(B, T, heads, width)` splits the last axis and leaves the heads where they are; a `transpose(1, 2)` belongs behind
it, for queries, keys and values.

## Bad
    q, k = (nn.Linear(8, 8)(torch.ones(2, 6, 8)).view(2, 6, 4, 2) for _ in range(2))
    (q @ k.transpose(-2, -1)).masked_fill(torch.ones(6, 6) == 0, -1e9)

## Good
    q, k = (nn.Linear(8, 8)(torch.ones(2, 6, 8)).view(2, 6, 4, 2).transpose(1, 2) for _ in range(2))
    (q @ k.transpose(-2, -1)).masked_fill(torch.ones(6, 6) == 0, -1e9)

## What it can be confused with
`batch-axes-differ`: two products' batches that have nothing to do with heads. `branches-differ`: a mask of a wrong size
for scores that are right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapewatch.flow.junctions import Graph
from shapewatch.flow.lineage import order_of
from shapewatch.recording import Call, Shape, spoken, text
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case, Finding, listed, rule


@dataclass(frozen=True)
class Split:
    """A call that splits vectors into heads, and how a product takes what it gives.

    `shape` is [batch, steps, heads, width], and `places` is where these four are in what the call gives: one of five
    axes may count queries, keys and values. `arranged` says which of the four each axis of the product's operand is.
    `moved`: the call that puts all five axes in an order that the program writes down, before they are taken apart.
    """

    call: Call
    shape: Shape
    places: tuple[int, ...]
    arranged: tuple[int, ...]
    moved: Call | None = None

    @property
    def in_front(self) -> bool:
        return self.arranged[1] == _HEADS

    @property
    def turned(self) -> bool:
        return self.arranged[-1] != _WIDTH

    @property
    def heads(self) -> int:
        return self.shape[_HEADS] or 0

    @property
    def steps(self) -> int:
        return self.shape[_STEPS] or 0

    @property
    def width(self) -> int:
        return self.shape[_WIDTH] or 0


_BATCH, _STEPS, _HEADS, _WIDTH = range(4)

_ARRANGED = {
    (_BATCH, _STEPS, _HEADS, _WIDTH),
    (_BATCH, _STEPS, _WIDTH, _HEADS),
    (_BATCH, _HEADS, _STEPS, _WIDTH),
    (_BATCH, _HEADS, _WIDTH, _STEPS),
}


@dataclass(frozen=True)
class Heads:
    """A product of an attention, some of whose sides have their heads behind the steps; the sides by what they are."""

    product: Call
    sides: tuple[tuple[str, Split], ...]

    @property
    def behind(self) -> list[str]:
        return [name for name, split in self.sides if not split.in_front]

    @property
    def one(self) -> Split:
        return next(split for _, split in self.sides if not split.in_front)

    @property
    def queries(self) -> int:
        return self.sides[0][1].steps

    @property
    def keys(self) -> int:
        return self.sides[-1][1].steps


@rule("SW106", "heads-behind-steps", frozenset({"matmul", "linear", "attention"}) | ELEMENTWISE)
def check(case: Case) -> Finding | None:
    found = misplaced(case)
    if found is None:
        return None
    one, where = found.one, spoken(found.product.layer) or case.recording.root or "the program"
    batch, front = one.shape[0], text((one.shape[0], one.heads, one.steps, one.width))
    split = f"{where} splits vectors of {one.heads * one.width} into {one.heads} heads of {one.width}"
    if len(found.behind) < len(found.sides) or found.behind == ["values"]:
        said = f"{split} and leaves those of the {listed(found.behind)} behind the {one.steps} steps, {text(one.shape)}"
        said += f"; the other side of the product has them in front. They belong there: {front}."
    else:
        said = f"{split} and leaves them behind the {one.steps} steps: {text(one.shape)}. A product takes the last two "
        said += "axes, so the heads of each step are compared with each other, "
        said += f"{text((batch, one.steps, one.heads, one.heads))}, and no step with another. With the heads in front, "
        said += f"{front}, the scores are {text((batch, one.heads, found.queries, found.keys))}."
    return Finding(
        headline=f"{case.name}: heads and time steps stand in each other's place",
        explanation=said,
    )


def misplaced(case: Case) -> Heads | None:
    """The product of an attention with heads behind the steps, where that is why the call fails."""
    call, shapes = case.call, case.shapes
    if call.finished or None in (size for shape in shapes for size in shape):
        return None
    if call.kind in ("matmul", "attention"):
        return _at_the_product(case)
    if call.kind == "linear":
        return _at_a_layer_behind(case)
    for at, value in enumerate(call.operands if len(call.operands) == 2 else ()):
        found = _before(case.graph, value, call)
        if found is not None and _is_for_scores(shapes[1 - at], found):
            return found
    return None


def _at_the_product(case: Case) -> Heads | None:
    graph, call = case.graph, case.call
    if call.kind == "attention" and (call.is_layer or len(call.operands) < 3):
        return None
    found = of_product(graph, call)
    if found is None:
        return _of_values(case)
    mixed = len(found.behind) < len(found.sides)
    masked = len(case.shapes) > 3 and _is_for_scores(case.shapes[3], found)
    return found if mixed or masked or found.queries != found.keys else None


def _of_values(case: Case) -> Heads | None:
    """Scores of all steps with all steps, and values whose heads are behind them."""
    if len(case.call.operands) != 2 or case.call.kind != "matmul":
        return None
    values, scores = _split_off(case.graph, case.call.operands[1]), case.shapes[0]
    if values is None or values.in_front or values.turned or len(scores) != 4 or values.heads == values.steps:
        return None
    fits = scores[1] == values.heads and scores[3] == values.steps
    return Heads(case.call, (("values", values),)) if fits else None


def _is_for_scores(mask: Shape, found: Heads) -> bool:
    """Whether a mask, or a bias, is for the scores of all queries with all keys, and not for heads with heads."""
    rows = mask[-2] if len(mask) > 1 else 1
    return mask[-1:] == (found.keys,) and rows in (1, found.queries)


def _at_a_layer_behind(case: Case) -> Heads | None:
    """The product before a layer that is given all steps of a head in one vector, where it wants a step's heads."""
    wanted, given = case.facts.get("in_features"), case.shapes[0] if case.shapes else ()
    found = _before(case.graph, case.call.operands[0], case.call) if case.call.operands else None
    if found is None or len(given) != 3:
        return None
    one = found.one
    merged = (one.steps * one.width, found.keys * one.width)
    return found if wanted == one.heads * one.width and given[-1] in merged and given[1] == one.heads else None


def _before(graph: Graph, value: int, call: Call) -> Heads | None:
    """The last such product on the road to a value, in the forward in which the call stands."""
    for unit in reversed(graph.units):
        inside = unit.parent == call.parent
        if unit.kind == "matmul" and inside and any(graph.ancestors[value] >> r & 1 for r in unit.results):
            found = of_product(graph, unit)
            if found is not None and len(found.behind) == len(found.sides):
                return found
    return None


def of_product(graph: Graph, product: Call) -> Heads | None:
    """What a product of queries and keys takes, where not all of it has its heads in front. Where there are as many
    heads as steps, the sizes do not tell."""
    if product.is_layer or len(product.operands) < 2 or (product.kind == "matmul" and len(product.operands) != 2):
        return None
    named = (
        ("queries", "keys", "values")[: len(product.operands)] if product.kind == "attention" else ("queries", "keys")
    )
    found = [_split_off(graph, value) for value in product.operands[: len(named)]]
    splits = [split for split in found if split is not None]
    if len(splits) < len(named) or len({(split.heads, split.width) for split in splits}) > 1:
        return None
    if [split.turned for split in splits] != _turned(graph, product):
        return None
    heads, width = splits[0].heads, splits[0].width
    if 1 in (heads, width) or any(split.steps == heads for split in splits) or all(s.in_front for s in splits):
        return None
    return Heads(product, tuple(zip(named, splits, strict=True)))


def _turned(graph: Graph, product: Call) -> list[bool]:
    """Of which sides the program has to swap the last two axes: of a product's second one, where an attention does it
    itself, or the product is told to."""
    if product.kind == "attention":
        return [False] * 3
    flags = graph.facts(product)
    return [bool(flags.get("transpose_a")), not flags.get("transpose_b")]


def _split_off(graph: Graph, value: int) -> Split | None:
    """The call that splits the last axis of three into heads, and where these four axes went since."""
    axes, moved = list(range(4)), None
    if len(graph.recording.shape(value)) != 4:
        return None
    for _ in range(8):
        unit = graph.producer.get(value)
        if unit is None or not unit.operands or unit.is_layer:
            return None
        before, after = graph.recording.shape(unit.operands[0]), graph.recording.shape(value)
        if unit.kind in ("reshape", "unflatten"):
            return _split(graph, unit, axes, moved)
        if unit.kind == "permute":
            order = order_of(graph.facts(unit), len(before))
            if order is None:
                return None
            axes = [order[axis] for axis in axes]
            if len(before) == 5 and "dims" in graph.facts(unit):
                moved = unit
        elif len(unit.operands) != 1:
            return None
        elif (len(before), len(after)) == (5, 4):
            row = _taken_along(graph, unit)
            if row is None:
                return None
            axes = [axis + (axis >= row) for axis in axes]
        elif before != after:
            return None
        value = unit.operands[0]
    return None


def _taken_along(graph: Graph, unit: Call) -> int | None:
    """Along which of five axes queries, keys and values are taken apart."""
    facts = graph.facts(unit)
    if unit.kind == "split" and facts.get("dropped") and isinstance(facts.get("dim"), int):
        return int(facts["dim"]) % 5
    items = facts.get("items")
    if unit.kind != "index" or not isinstance(items, tuple) or {"tensor", "...", None} & set(items):
        return None
    places = [axis for axis, item in enumerate(items) if isinstance(item, int)]
    return places[0] if len(places) == 1 else None


def _split(graph: Graph, unit: Call, axes: Sequence[int], moved: Call | None) -> Split | None:
    """`axes`: of what the call gives, those that a product takes."""
    after, places = graph.recording.shape(unit.results[0]), tuple(sorted(axes))
    if not _splits(graph, unit) or len(after) not in (4, 5) or places[:2] != (0, 1):
        return None
    arranged = tuple(places.index(axis) for axis in axes)
    shape = tuple(after[place] for place in places)
    return Split(unit, shape, places, arranged, moved) if arranged in _ARRANGED else None


def _splits(graph: Graph, unit: Call) -> bool:
    """Whether a reshape makes more axes of the last of three, which a layer gave."""
    before, after = graph.recording.shape(unit.operands[0]), graph.recording.shape(unit.results[0])
    if len(before) != 3 or len(after) not in (4, 5) or None in (*before, *after) or before[:2] != after[:2]:
        return False
    made = graph.producer.get(unit.operands[0])
    while made is not None and made.kind in ("split", "index", "dropout", "same") and made.operands:
        made = graph.producer.get(made.operands[0])
    return made is not None and made.kind in ("linear", "norm", "matmul")


def left_behind(graph: Graph, found: Heads) -> Iterator[tuple[Call, tuple[int, ...]]]:
    """The calls in the same forward that leave heads behind the steps, and what would put these in front: those that
    split them off for the product, or move their axes, and what is split off as they are and not moved yet. Of one that
    moves axes it is the order that it should have; of one that splits, the order for what it gives."""
    told = {}
    for split in (split for _, split in found.sides if not split.in_front):
        call = split.moved or split.call
        rank = len(graph.recording.shape(call.results[0]))
        order = (split.moved and order_of(graph.facts(call), rank)) or range(rank)
        told[call.number] = (call, _exchanged(order, split.places[_STEPS], split.places[_HEADS]))
    for unit in graph.units:
        same = unit.kind in ("reshape", "unflatten") and unit.parent == found.one.call.parent and unit.finished
        if not same or not unit.operands or not _splits(graph, unit):
            continue
        if graph.recording.shape(unit.results[0])[2:] != (found.one.heads, found.one.width):
            continue
        orders = [order_of(graph.facts(user), 4) for user in _moving(graph, unit)]
        if all(order == [_BATCH, _STEPS, _WIDTH, _HEADS] for order in orders):
            told.setdefault(unit.number, (unit, (0, 2, 1, 3)))
    yield from told.values()


def _moving(graph: Graph, unit: Call) -> list[Call]:
    return [user for user in graph.consumers.get(unit.results[0], ()) if user.kind == "permute"]


def _exchanged(order: Sequence[int], one: int, other: int) -> tuple[int, ...]:
    return tuple({one: other, other: one}.get(axis, axis) for axis in order)
