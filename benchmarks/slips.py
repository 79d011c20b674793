"""What the catalogues of slips have in common, whatever the framework: which to try first, and wrong widths."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar


class OfKind(Protocol):
    @property
    def kind(self) -> str: ...


Slip = TypeVar("Slip", bound=OfKind)

TRIES_PER_MUTANT = 8
"""Most changes to a layer raise nothing (a stride before an adaptive pooling, say); give up after so many."""


def in_turn(found: Iterable[Slip], chooser: random.Random) -> Iterator[Slip]:
    """One slip of each kind, then another of each, in random order: most layers are convolutions."""
    kinds: dict[str, list[Slip]] = {}
    for slip in found:
        kinds.setdefault(slip.kind, []).append(slip)
    order = sorted(kinds)
    chooser.shuffle(order)
    for kind in order:
        chooser.shuffle(kinds[kind])
    for turn in itertools.zip_longest(*(kinds[kind] for kind in order)):
        yield from (slip for slip in turn if slip is not None)


def widths(size: int) -> list[int]:
    """Wrong numbers of features that authors do write: doubled, halved, digits swapped, off by a little."""
    swapped = int(str(size)[::-1]) if 10 <= size < 100 else 0
    return sorted({2 * size, size // 2, size + 8, size + 1, swapped} - {size, 0})
