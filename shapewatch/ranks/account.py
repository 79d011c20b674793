"""Of a rank that failed, with what the others say: whether the fault is its own, who has the same, who tells of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapewatch.ranks.parting import Parting, circle, parting, steps
from shapewatch.ranks.words import Fall, Word

LOST = re.compile(
    r"connection (closed|reset) by peer|connection refused|broken pipe|read error|timed out waiting|timeout.*wait"
    r"|remote process exited|socket (closed|timeout)|recv(value|bytes)? failed|watchdog caught",
    re.IGNORECASE,
)
"""How backends and stores say that another rank is gone, or does not come."""


@dataclass(frozen=True)
class Account:
    """What a failed rank makes of what all say.

    follows   it failed only because others are not there any more
    parted    where the ranks part, if that is what it failed of
    first     the ranks whose failure does not follow from another one's, this one among them if so
    alike     those of them that failed as this rank did, this one among them
    waiting   ranks that still run, with where they are
    silent    ranks that were asked and did not answer
    """

    here: Word
    follows: bool
    parted: Parting | None
    first: tuple[Word, ...]
    alike: tuple[Word, ...]
    waiting: tuple[Word, ...]
    silent: tuple[int, ...]


def account(here: Word, words: Mapping[int, Word], asked: Sequence[int]) -> Account:
    """`words` are of all ranks that said something, this one among them; it answered the question that it asked."""
    answered = {rank: word for rank, word in sorted(words.items()) if word.state != "running" or _answers(word, here)}
    fallen = [word for _, word in sorted(words.items()) if word.fall is not None]
    first = tuple(word for word in fallen if word.fall is not None and not is_loss(word.fall))
    follows = here.fall is not None and is_loss(here.fall)
    told = parting(words) if follows or speaks_of_ranks(here.fall) else None
    if told is None and follows and not first:
        told = steps(here, words) or circle(here, words)
    return Account(
        here=here,
        follows=follows,
        parted=told,
        first=first,
        alike=tuple(word for word in first if not follows and fell_alike(here.fall, word.fall)),
        waiting=tuple(word for word in answered.values() if word.state == "running"),
        silent=tuple(rank for rank in asked if rank not in answered),
    )


def _answers(word: Word, here: Word) -> bool:
    return word.answers >= here.answers


def is_loss(fall: Fall) -> bool:
    """Whether the words of a failure only tell that another rank is gone."""
    of_backend = fall.type == "RuntimeError" or fall.type.startswith("Dist")
    return of_backend and fall.code in ("", "SW900", "SW903") and LOST.search(fall.message) is not None


def speaks_of_ranks(fall: Fall | None) -> bool:
    return fall is not None and fall.code == "SW903"


def fell_alike(one: Fall | None, other: Fall | None) -> bool:
    """The same failure on two ranks: of one kind, at one line. Their sizes may be others."""
    if one is None or other is None:
        return False
    if speaks_of_ranks(one) and speaks_of_ranks(other):
        return True
    if (one.type, one.span) != (other.type, other.span):
        return False
    return one.code == other.code or not (one.code and other.code)  # it may not know yet why
