"""Where the collectives of ranks part: from what each says, the first operation in which they do not agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shapewatch.adapters.collectives import Begun, Collective
from shapewatch.ranks.words import Word
from shapewatch.recording import Span, TensorSpec

Operation = tuple[str, int, int, int]
"""A group, the number of its operation at which the watch began, of this one, and how many were heard between."""

Kind = Literal["shapes", "models", "operations", "steps", "shares", "messages", "circle"]


@dataclass(frozen=True)
class Parting:
    """The ranks are at one operation of their group, and do not agree in it.

    kind      they bring other `shapes`, wrap other `models`, call other `operations`; one gives `shares` or `messages`
              that the other has no room for, or more room; one of them goes on to `steps` in which others take no part
              any more; or they wait for one another in a `circle`, each in another group
    ranks     what each of them calls there, by rank; None where it takes no part. Of a circle, each after the one that
              waits for it
    agreed    whether they agreed at this line before
    """

    kind: Kind
    ranks: Mapping[int, Collective | None]
    agreed: bool = False

    @property
    def present(self) -> dict[int, Collective]:
        return {rank: each for rank, each in self.ranks.items() if each is not None}


def parting(words: Mapping[int, Word]) -> Parting | None:
    """The first operation in which ranks part that take part in it; None where none is known."""
    operations: dict[Operation, dict[int, Collective]] = {}
    for rank, word in sorted(words.items()):
        for each in word.recent:
            operations.setdefault((each.group, each.since, each.number, each.heard), {})[rank] = each
    parted: list[tuple[int, Parting]] = []
    for (_, _, number, _), ranks in operations.items():
        kind = _kind(ranks)
        if kind is not None:
            parted.append((number, Parting(kind, ranks, _agreed(operations, ranks))))
    return min(parted, key=lambda found: found[0])[1] if parted else None


def _kind(ranks: Mapping[int, Collective]) -> Kind | None:
    first, *others = ranks.values()
    if first.is_message:
        return "messages" if any(other.name != first.name and not _as_much(first, other) for other in others) else None
    if any(other.name != first.name for other in others):
        return "operations"
    if first.equal and any(not _as_much(first, other) for other in others):
        return "models" if first.labels else "shapes"
    return "shares" if unequal_share(ranks) is not None else None


def unequal_share(ranks: Mapping[int, Collective]) -> tuple[int, int, int, int] | None:
    """Of an all_to_all: who gives to whom, how many numbers, and for how many there is room; None where all fits."""
    order = next(iter(ranks.values())).ranks or range(max(len(call.gives) for call in ranks.values()))
    place = {rank: position for position, rank in enumerate(order)}
    for giver, one in ranks.items():
        for taker, other in ranks.items():
            if len(one.gives) == len(other.takes) == len(order) > 0:
                given, taken = one.gives[place[taker]], other.takes[place[giver]]
                if given != taken:
                    return giver, taker, given, taken
    return None


def _as_much(one: Collective, other: Collective) -> bool:
    """Whether two ranks bring as much. Collectives look at how many numbers there are, not at how they are laid out;
    for the parameters of a model, shapes have to be equal."""
    if len(one.specs) != len(other.specs):
        return False
    return all(_alike(mine, theirs, bool(one.labels)) for mine, theirs in zip(one.specs, other.specs, strict=True))


def _alike(one: TensorSpec, other: TensorSpec, exactly: bool) -> bool:
    if None in one.shape or None in other.shape:
        return True
    if exactly and one.shape != other.shape:
        return False
    return _count(one) == _count(other) and one.dtype == other.dtype


def _count(spec: TensorSpec) -> int:
    return math.prod(size for size in spec.shape if size is not None)


def _agreed(operations: Mapping[Operation, Mapping[int, Collective]], parted: Mapping[int, Collective]) -> bool:
    """Whether the ranks brought as much to the same operation, from the same line, before."""
    for earlier in operations.values():
        if earlier is parted or earlier.keys() != parted.keys():
            continue
        same = all(_same_line(earlier[rank], parted[rank]) for rank in parted)
        if same and _kind(earlier) is None:
            return True
    return False


def _same_line(one: Collective, other: Collective) -> bool:
    return one.number < other.number and one.name == other.name and one.span == other.span


def steps(here: Word, words: Mapping[int, Word]) -> Parting | None:
    """A rank goes on where another one has left: it has begun operations that the other never came to.

    Only of watches that began at the same operation of the group: otherwise the counts are not comparable.
    """
    begun = here.begun
    if begun is None:
        return None
    left = {rank: word.begun for rank, word in words.items() if word.state == "left" and word.begun is not None}
    behind = [rank for rank, other in left.items() if other.since == begun.since and other.now < begun.now]
    if not behind:
        return None
    at = here.fall.span if here.fall is not None else here.at
    call = _heard(here, begun.now - 1) or _unnamed(begun, at)
    return Parting("steps", {here.rank: call} | dict.fromkeys(sorted(behind)))


def beside(call: Collective, rank: int, there: Word) -> Parting | None:
    """Another rank has begun the operation of this number, by no function of Python's: the gradients of a wrapped model
    meet that way. `rank` calls it by one."""
    begun = there.begun
    if begun is None or begun != Begun(call.group, call.since, call.number + 1, call.heard):
        return None
    if _heard(there, call.number) is not None:
        return None
    return Parting("operations", {rank: call, there.rank: _unnamed(begun, there.at)})


def hung(here: Word, words: Mapping[int, Word]) -> Parting | None:
    """Why a rank that has not moved for long will not move again; None where the others may only be slow.

    Another rank is in another operation, or has left. One that still computes will perhaps come.
    """
    found = parting({**words, here.rank: here})
    if found is not None and here.rank in found.ranks:
        return found
    beside_one = next(filter(None, (_apart(here, words[rank]) for rank in sorted(words))), None)
    return steps(here, words) or beside_one or circle(here, words)


AT_REST = 1.0
"""For how many seconds a rank has to be at one instruction to be taken for one that waits: what the ranks say is not of
one moment."""


def circle(here: Word, words: Mapping[int, Word]) -> Parting | None:
    """Ranks that wait for one another, each in an operation to which the next one does not come before its own ends; or
    that wait for one which has left. None where it is not certain of each that it waits, and for whom."""
    road: list[int] = []
    seen: set[int] = set()
    everybody = {**words, here.rank: here}

    def onward(rank: int) -> Parting | None:
        word = everybody[rank]
        if word.state == "left":
            waiting = everybody[road[-1]]
            return Parting("steps", {waiting.rank: waiting.waits, rank: None})
        if rank in road:
            ring = road[road.index(rank) :]
            lowest = ring.index(min(ring))
            return Parting("circle", {each: everybody[each].waits for each in (*ring[lowest:], *ring[:lowest])})
        if rank in seen or (word.state == "running" and word.stuck < AT_REST):
            return None
        seen.add(rank)
        road.append(rank)
        found = next(filter(None, map(onward, _awaited(word, everybody))), None)
        road.pop()
        return found

    return onward(here.rank)


def _awaited(word: Word, words: Mapping[int, Word]) -> list[int]:
    """The ranks that have not begun the operation in which a rank waits, as far as that is known."""
    call, begun = word.waits, word.begun
    if call is None or begun is None or call.since < 0:
        return []
    ranks = call.ranks or sorted(words)
    return [rank for rank in ranks if rank != word.rank and rank in words and _is_missing(call, begun, words[rank])]


def _is_missing(call: Collective, begun: Begun, there: Word) -> bool:
    """Whether a rank has not begun an operation. What it heard is comparable where it began to hear at the same one."""
    if there.begun is None or there.begun.since != begun.since:
        return False
    known = {each.group: each for each in (*there.others, there.begun)}.get(call.group)
    if known is None:
        return True
    if known.group == there.begun.group:  # of all ranks: gradients count there, which are not heard
        return known.now <= call.number
    return known.since == call.since and known.heard <= call.heard


def _apart(here: Word, there: Word) -> Parting | None:
    if here.begun is None:
        return None
    mine, theirs = _heard(here, here.begun.now - 1), _heard(there, here.begun.now - 1)
    if mine is not None:
        return beside(mine, here.rank, there)
    return beside(theirs, there.rank, here) if theirs is not None else None


def _heard(word: Word, number: int) -> Collective | None:
    """The collective of this number of the group of all ranks."""
    group = word.begun.group if word.begun is not None else ""
    return next((each for each in word.recent if (each.group, each.number) == (group, number)), None)


def _unnamed(begun: Begun, at: Span | None) -> Collective:
    return Collective(UNHEARD, begun.group, begun.now - 1, begun.since, begun.heard, span=at, equal=False)


UNHEARD = "an exchange of gradients"
"""What a group begins without a function of Python's: a wrapped model's reducer does."""
