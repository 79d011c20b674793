"""Where the ranks put up their words: the key-value store by which they found each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from shapewatch.ranks.words import Word

Given = TypeVar("Given")

ALARM = 1 << 32
"""Questions are counted in one number of the store: what asks only for a word by one, an alarm by this."""

LAST = ("failed", "left")
"""States after which a rank says nothing any more."""

PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02)
"""Between two looks at the board, in seconds; the last one again and again."""


class Board:
    """What is asked of the store is answered at once, or it is gone; then nobody says anything any more."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.gone = False

    def _ask(self, question: Callable[[], Given], otherwise: Given) -> Given:
        if self.gone:
            return otherwise
        try:
            return question()
        except RuntimeError:  # as torch's stores say that they are unreachable
            self.gone = True
            return otherwise

    def put(self, word: Word) -> None:
        self._ask(lambda: self._store.set(_key(word.rank), word.to_json()), None)

    def word(self, rank: int) -> Word | None:
        def read() -> Word | None:
            return Word.from_json(self._store.get(_key(rank))) if self._store.check([_key(rank)]) else None

        return self._ask(read, None)

    def question(self, alarm: bool = False) -> int:
        """Ask every rank to say where it is; at an alarm, to save its recording too. The number of the question."""
        return self._ask(lambda: int(self._store.add("shapewatch/asked", ALARM if alarm else 1)), 0)

    def asked(self) -> int:
        """The last question that somebody asked."""
        return self._ask(lambda: int(self._store.add("shapewatch/asked", 0)), 0)

    def answers(self, ranks: Iterable[int], question: int, until: float) -> dict[int, Word]:
        """The words of ranks, each as soon as it answers the question or is its last; at the end, any that there is."""
        words: dict[int, Word] = {}
        left, pauses = list(ranks), iter(PAUSES)
        while True:
            for rank in list(left):
                word = self.word(rank)
                if word is not None:
                    words[rank] = word
                    if word.state in LAST or (word.state == "running" and word.answers >= question):
                        left.remove(rank)
            if not left or self.gone or time.monotonic() >= until:
                return words
            time.sleep(next(pauses, PAUSES[-1]))

    def claim(self, what: str, rank: int) -> int:
        """Who tells of something: the first rank that asks."""
        key = f"shapewatch/told/{what}"
        return self._ask(lambda: int(self._store.compare_set(key, "", str(rank))), rank)


def _key(rank: int) -> str:
    return f"shapewatch/rank/{rank}"
