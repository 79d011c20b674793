"""Every template of every table as a pattern, in the order in which they are asked, and what they find in a text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache

from shapewatch.messages import keras, others, tensorflow, torch
from shapewatch.messages.nouns import Reading, Template
from shapewatch.messages.template import Pattern, compiled

REACH = 2_000
"""How far before and after one of its words a message may begin and end."""


@cache
def patterns() -> tuple[Pattern, ...]:
    """All of them, made when the first text is read."""
    return tuple(compiled(template, framework) for framework, table in _tables() for template in table)


def _tables() -> Iterator[tuple[str, Iterable[Template]]]:
    yield "torch", torch.TEMPLATES
    yield "keras", keras.TEMPLATES
    yield "tensorflow", tensorflow.TEMPLATES
    yield from others.FRAMEWORK_TEMPLATES.items()


def speaks_of_shapes(text: str) -> bool:
    """Whether some pattern has all its words in the text: no more than a look, which a long log gets first."""
    lowered = text.lower()
    absent: set[str] = set()
    for pattern in patterns():
        for word in pattern.words:
            if word in absent:
                break
            if word not in lowered:
                absent.add(word)
                break
        else:
            return True
    return False


def found(text: str, looked_for: Iterable[Pattern] | None = None) -> tuple[Reading, ...]:
    """What the patterns find, in the order of the text. Where two overlap, the one that is asked first is kept."""
    lowered = _lowered(text)
    places: dict[str, tuple[tuple[int, int], ...]] = {}
    kept: list[Reading] = []
    for pattern in patterns() if looked_for is None else looked_for:
        rarest = pattern.words[0]
        if rarest not in places:
            places[rarest] = _around(rarest, lowered)
        for start, end in places[rarest]:
            if all(lowered.find(word, start, end) >= 0 for word in pattern.words[1:]):
                for reading in pattern.read_all(text, start, end):
                    _keep(reading, kept)
    return tuple(kept)


def _keep(reading: Reading, kept: list[Reading]) -> None:
    """Add a reading to those that are kept, in order, unless it overlaps one of them."""
    place = bisect_left(kept, reading.at, key=lambda other: other.at)
    clear_before = place == 0 or kept[place - 1].end <= reading.at
    if clear_before and (place == len(kept) or reading.end <= kept[place].at):
        kept.insert(place, reading)


_CUT = re.compile(r"\b([A-Za-z]{1,20}) (?=([A-Za-z]{1,20})\b)")


def mended(text: str) -> str:
    """The text with words of messages put together again that a stray space cuts in two: `wit h`. One of the parts at
    least is no such word itself."""
    words = _words()

    def joined(cut: re.Match[str]) -> str:
        one, other = cut[1].lower(), cut[2].lower()
        return cut[1] if one + other in words and not {one, other} <= words else cut[0]

    return _CUT.sub(joined, text)


@cache
def _words() -> frozenset[str]:
    return frozenset(word for pattern in patterns() for word in pattern.words)


def _lowered(text: str) -> str:
    """In lower case, and every character where it was: of a few, the lower case is two characters."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else re.sub("[A-Z]+", lambda capitals: capitals[0].lower(), text)


def _around(word: str, lowered: str) -> tuple[tuple[int, int], ...]:
    """The parts of the text in which a message with this word may stand."""
    parts: list[tuple[int, int]] = []
    at = lowered.find(word)
    while at >= 0:
        start, end = max(0, at - REACH), min(len(lowered), at + REACH)
        if parts and start <= parts[-1][1]:
            start = parts.pop()[0]
        parts.append((start, end))
        at = lowered.find(word, at + len(word))
    return tuple(parts)
