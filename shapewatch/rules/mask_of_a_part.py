"""A mask that covers one of the parts that were joined to make the keys, and was not extended for the others: the words
of a text that image patches were appended to, the patches of an image that a class token was put in front of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.adapters.operand import assigned, operand_text
from shapewatch.adapters.statements import statement
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Shape
from shapewatch.rules.rule import Case, listed

_UNCHANGED = frozenset({"unsqueeze", "index", "expand", "reshape", "squash", "same", "identity", "other", "permute"})
"""Kinds of calls after which a mask says the same of each key."""

_TURNED = frozenset({"logical_not", "bitwise_not", "invert", "rsub"})
"""What makes a mask of what is hidden of one of what is seen, and the other way round: `~mask`, `1 - mask`."""

_WITH_ZERO = re.compile(r"[=!]= ?0\b|\.(?:eq|ne)\(0\)")


@dataclass(frozen=True)
class PartlyMasked:
    """The call that joined the parts, with their lengths and which of them is covered; and a call beside it that takes
    the mask, as which operand. `fill`: what the mask says of a key that is none of padding."""

    joined: Call
    axis: int
    lengths: tuple[int, ...]
    covered: int
    site: Call
    operand: int
    fill: int

    def said(self) -> str:
        """`x`, which line 70 makes, is 13 steps of `text` and 16 of `vis`, and the mask covers the first part only."""
        source, span = statement(self.joined.span), self.joined.span
        names = self.names()
        parts = [f"{size} of `{name}`" if name else str(size) for size, name in zip(self.lengths, names, strict=True)]
        steps = "steps" if self.lengths[0] != 1 else "step"
        parts[0] = parts[0].replace(str(self.lengths[0]), f"{self.lengths[0]} {steps}", 1)
        made, line = assigned(source), f"line {span.line}" if span is not None else self.joined.name
        which = ("first", "second", "third", "fourth")[self.covered : self.covered + 1] or ("one",)
        what = f"`{made}`, which {line} makes," if made else f"what {line} joins"
        return f"{what} is {listed(parts)}, and the mask covers the {which[0]} part only"

    def names(self) -> list[str | None]:
        source, name = statement(self.joined.span), self.joined.name
        return [operand_text(source, at, name) for at in range(len(self.lengths))]


def partly_masked(case: Case) -> PartlyMasked | None:
    if case.recording.framework != "torch":
        return None
    for mask, keys, size, fill in _meetings(case):
        length = next((each for each in case.shapes[mask][::-1] if each != 1), None)
        joined = list(_joined_of(case.graph, case.call.operands[keys], size, length))
        if length is None or len(joined) != 1:
            continue
        (call, axis, lengths) = joined[0]
        site = _beside(case, call, case.call.operands[mask], length, fill)
        if site is not None:
            return PartlyMasked(call, axis, lengths, lengths.index(length), *site)
    return None


def _meetings(case: Case) -> Iterator[tuple[int, int, int, int]]:
    """The operands that are a mask and keys (or scores), how many keys there are, and what the mask says of a key that
    is to be seen."""
    call, shapes = case.call, case.shapes
    if call.kind == "attention" and call.is_layer and "batch_first" in case.facts and len(shapes) > 3:
        steps = 1 if case.facts["batch_first"] else 0
        keys = shapes[1][steps] if len(shapes[1]) == 3 else None
        for at, shape in enumerate(shapes[3:], start=3):
            if keys and len(shape) == 2 and shape[0] == shapes[1][1 - steps] and shape[1] != keys:
                yield at, 1, keys, 0
    elif call.name == "scaled_dot_product_attention" and len(shapes) > 3 and len(shapes[1]) > 2:
        seen = case.recording.values[call.operands[3]].spec.dtype.endswith("bool")
        if (keys := shapes[1][-2]) and shapes[3][-1:] != (keys,):
            yield 3, 1, keys, int(seen)
    elif call.name in ("masked_fill", "masked_fill_", "add", "where") and len(shapes) >= 2:
        for at, other in ((0, 1), (1, 0)):
            if (call.name.startswith("masked_fill") and at == 0) or (call.name == "where" and at == 1):
                continue
            size = shapes[other][-1] if len(shapes[other]) > 2 else None
            if size and len(shapes[at]) > 1 and shapes[at][-1] not in (1, size):
                yield at, other, size, int(call.name == "where")


def _joined_of(graph: Graph, keys: int, size: int, length: int | None) -> Iterator[tuple[Call, int, tuple[int, ...]]]:
    """The concatenations that made so many keys, of which one part alone is as long as the mask."""
    for unit in graph.units:
        dim, made = graph.facts(unit).get("dim"), unit.results[:1]
        if unit.kind != "concat" or unit.is_layer or not isinstance(dim, int) or not made:
            continue
        shapes: list[Shape] = [graph.recording.shape(value) for value in unit.operands]
        axis = dim % 3
        if any(len(shape) != 3 for shape in shapes) or not (made[0] == keys or graph.descends(keys, made[0])):
            continue
        lengths = tuple(shape[axis] or 0 for shape in shapes)
        if axis < 2 and sum(lengths) == size and lengths.count(length or 0) == 1:
            yield unit, axis, lengths


def _beside(case: Case, joined: Call, mask: int, length: int, fill: int) -> tuple[Call, int, int] | None:
    """The call nearest to the failure that takes the mask, [batch, keys], in the forward that joined the parts."""
    calls, graph = case.recording.calls, case.graph
    on_the_way = {case.call.number}
    around = case.call.parent
    while around is not None:
        on_the_way.add(around)
        around = calls[around].parent
    for value, says in _back(case, mask, length, fill):
        if len(case.recording.shape(value)) == 2:
            takers = (call for call in calls if value in call.operands and call.parent == joined.parent)
            takers = (call for call in takers if call.number in on_the_way)
            for taker in takers:
                return taker, taker.operands.index(value), says
        made = graph.producer.get(value)
        if made is not None:
            on_the_way.add(made.number)
    return None


def _back(case: Case, mask: int, length: int, fill: int) -> Iterator[tuple[int, int]]:
    """The values that a mask was made of, one of the other, each with what it says of a key that is to be seen."""
    graph, shape = case.graph, case.recording.shape
    for _ in range(12):
        yield mask, fill
        made = graph.producer.get(mask)
        if made is None or made.is_layer:
            return
        sources = list(dict.fromkeys(value for value in made.operands if length in shape(value)))
        if made.kind == "where" and len(made.operands) == 2 and fill == 0:  # minus infinity where it is true
            sources = sources[-1:]
        source = statement(made.span) or ""
        if made.name in _TURNED or (made.name == "eq" and _WITH_ZERO.search(source)):
            fill = 1 - fill
        elif made.kind not in _UNCHANGED | {"mul", "where"} and not (made.name == "ne" and _WITH_ZERO.search(source)):
            return
        if len(sources) != 1 or any(unit.kind == "embedding" for unit in graph.consumers.get(sources[0], ())):
            return  # what is looked up is tokens, of which a mask was made
        mask = sources[0]
