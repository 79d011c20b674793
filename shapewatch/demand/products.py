"""Calls that give another width: matrix products, attention, embeddings, recurrent layers."""

from __future__ import annotations

from shapewatch.demand.nouns import NOTHING, Demand, Handler, Place, Pull
from shapewatch.edits import Edit


def _linear(place: Place, demand: Demand) -> Pull:
    last = len(place.out) - 1
    rest = {axis: wanted for axis, wanted in demand.items() if axis != last}
    if last not in demand:
        return Pull(onward=((place.source, rest, ()),))
    width = demand[last].exact
    if width is None or place.layer is None or width < 1:
        return NOTHING
    edit = place.set("out_features", width)
    return Pull(own=((edit,),)) if not rest else Pull(onward=((place.source, rest, (edit,)),))


def _matmul(place: Place, demand: Demand) -> Pull:
    """The last axis is right's, the last but one left's; a side that is transposed has it at the other of these places.
    Where both are asked for (the scores of an attention), each side is followed alone: they mostly come from one value.
    """
    rank = len(place.out)
    if len(place.unit.operands) != 2 or rank < 2:
        return NOTHING
    onward: list[tuple[int, Demand, tuple[Edit, ...]]] = []
    last, row = rank - 1, rank - 2
    flags = (place.facts.get("transpose_a"), place.facts.get("transpose_b"))
    for operand, others, transposed in zip(place.unit.operands, (last, row), flags, strict=True):
        swapped = {last: row, row: last} if transposed else {}
        asked = {swapped.get(axis, axis): wanted for axis, wanted in demand.items() if axis != others}
        if asked and len(place.shape(operand)) == rank and place.graph.is_activation(operand):
            onward.append((operand, asked, ()))
    return Pull(onward=tuple(onward))


def _attention(place: Place, demand: Demand) -> Pull:
    """As long as the queries, as wide as the values; a layer gives the width it was made for."""
    last = len(place.out) - 1
    if place.layer is not None:
        exact = demand[last].exact if last in demand else None
        if "embed_dim" not in place.facts:  # made anew for every width of query that it is built on
            return Pull(onward=((place.source, demand, ()),))
        return Pull(own=((place.set("embed_dim", exact),),)) if exact else Pull(onward=((place.source, demand, ()),))
    operands = place.unit.operands
    source = operands[2] if last in demand and len(operands) > 2 else operands[0]
    return Pull(onward=((source, demand, ()),)) if len(place.shape(source)) == last + 1 else NOTHING


def _einsum(place: Place, demand: Demand) -> Pull:
    equation = place.facts.get("equation", "").replace(" ", "")
    if "->" not in equation or "." in equation:
        return NOTHING
    terms, result = equation.split("->")
    onward = []
    for operand, term in zip(place.unit.operands, terms.split(","), strict=False):
        if place.graph.is_activation(operand) and all(result[axis] in term for axis in demand):
            onward.append((operand, {term.index(result[axis]): wanted for axis, wanted in demand.items()}, ()))
    return Pull(onward=tuple(onward))


def _embedding(place: Place, demand: Demand) -> Pull:
    last = len(place.out) - 1
    if set(demand) == {last} and place.layer is not None and demand[last].exact:
        return Pull(own=((place.set("embedding_dim", demand[last].exact),),))
    if last not in demand:
        return Pull(onward=((place.source, demand, ()),))
    return NOTHING


def _recurrent(place: Place, demand: Demand) -> Pull:
    last = len(place.out) - 1
    if set(demand) != {last} or place.layer is None or demand[last].exact is None:
        same_axes = len(place.shape(place.source)) == len(place.out)
        return Pull(onward=((place.source, demand, ()),)) if last not in demand and same_axes else NOTHING
    ways = 2 if place.facts.get("bidirectional") and place.value == place.unit.results[0] else 1
    width = demand[last].exact or 0
    return Pull(own=((place.set("hidden_size", width // ways),),)) if width % ways == 0 else NOTHING


HANDLERS: dict[str, Handler] = {
    "linear": _linear,
    "matmul": _matmul,
    "attention": _attention,
    "einsum": _einsum,
    "embedding": _embedding,
    "recurrent": _recurrent,
}
