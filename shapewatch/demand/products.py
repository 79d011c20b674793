"""Calls that give another width: matrix products, attention, embeddings, recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from shapewatch.axes import Range
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
    """As long as the queries, as wide as the values; a layer gives the width it was made for, or that of its queries
    where it was made for none."""
    last = len(place.out) - 1
    if place.layer is not None:
        exact = demand[last].exact if last in demand else None
        given = place.facts.get("output_shape")
        if "embed_dim" in place.facts:
            own = place.set("embed_dim", exact)
        elif given and last in demand:
            own = place.set("output_shape", (*given[:-1], exact))
        else:
            return Pull(onward=((place.source, demand, ()),))
        return Pull(own=((own,),)) if exact else Pull(onward=((place.source, demand, ()),))
    operands = place.unit.operands
    source = operands[2] if last in demand and len(operands) > 2 else operands[0]
    return Pull(onward=((source, demand, ()),)) if len(place.shape(source)) == last + 1 else NOTHING


def _einsum(place: Place, demand: Demand) -> Pull:
    """To each operand that has all the axes asked for. A layer's own weight gives those that its input has not: they
    are its `output_shape`, which leaves out the batch and what the equation does not spell out."""
    equation = place.facts.get("equation", "").replace(" ", "")
    terms, _, result = equation.partition("->")
    names = _axis_names(result, len(place.out)) if "->" in equation else None
    if names is None:
        return NOTHING
    asked = {names[axis]: wanted for axis, wanted in demand.items()}
    own = tuple(_other_results(place, terms, names, demand))
    onward = []
    for operand, term in zip(place.unit.operands, terms.split(","), strict=False):
        given = _axis_names(term, len(place.shape(operand)))
        if given is None or not place.graph.is_activation(operand):
            continue
        onto = {given.index(name): wanted for name, wanted in asked.items() if name in given}
        missing = {name: wanted for name, wanted in asked.items() if name not in given}
        edits = _output_shape(place, names, missing) if missing else ()
        if edits is not None:
            if not onto:
                return Pull(own=(*own, edits))
            onward.append((operand, onto, edits))
    return Pull(own=own, onward=tuple(onward))


def _other_results(place: Place, terms: str, names: Sequence[str], demand: Demand) -> Iterator[tuple[Edit, ...]]:
    """Orders of the result's axes with which an operation would give the sizes asked for; the first stays the first."""
    if place.layer is not None or len(names) > 5 or any(name.startswith(".") for name in names):
        return
    sizes = dict(zip(names, place.out, strict=True))
    for rest in permutations(names[1:]):
        order = (names[0], *rest)
        if order != tuple(names) and all(sizes[order[axis]] in wanted for axis, wanted in demand.items()):
            yield (place.set("equation", f"{terms}->{''.join(order)}"),)


def _axis_names(term: str, rank: int) -> tuple[str, ...] | None:
    """A name for each axis of a term of an equation; those that `...` stands for are counted from the last."""
    before, dots, after = term.partition("...")
    elided = rank - len(before) - len(after)
    if elided < 0 or (elided and not dots):
        return None
    return (*before, *(f".{place}" for place in range(elided, 0, -1)), *after)


def _output_shape(place: Place, names: Sequence[str], wanted: Mapping[str, Range]) -> tuple[Edit, ...] | None:
    """The edit of a layer's `output_shape` that gives these axes; None where it has none that says so."""
    present = place.facts.get("output_shape")
    spelled = [name for name in names[1:] if not name.startswith(".")]
    if place.layer is None or not isinstance(present, tuple) or len(present) != len(spelled):
        return None
    sizes = {name: wanted[name].exact if name in wanted else size for name, size in zip(spelled, present, strict=True)}
    if any(not sizes.get(name) for name in wanted):
        return None
    return (place.set("output_shape", tuple(sizes.values())),)


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
