"""A message in other words than a framework's: typed anew, translated there and back, cut by who pasted it.

Only looked for in short texts in which nothing else is found. A template is taken for it where nearly all of its words
stand in the text in their order, some of them misspelt, and where each of its holes has something of its kind between
the words that stand around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from itertools import groupby

from shapewatch.messages.tables import patterns
from shapewatch.messages.template import HOLE, KINDS_OF_HOLES, Pattern, understood

LEAST_WORDS = 7
"""Shorter messages are too like any sentence."""
ENOUGH = 0.75
"""The part of a message's words that has to stand in the text."""
NEAR = 0.72
"""How alike two words are (by `difflib`) of which one is a misspelling of the other."""
LINES, MOST_CHARACTERS = 2, 600
"""That a message goes over at most."""
MOST_LINES = 40
"""From the end, where a message stands; to look at all of a text that is made to be hard takes long."""
_WORD = re.compile(r"[a-z_]{2,}")
_VALUES = frozenset({"n", "axis", "shape", "row", "shapes"})
_TYPE = re.compile(r"torch\.size|tensorshape", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Hole:
    """`marks`: what stands between it and the word (or hole) before it: `[0] =`."""

    name: str
    kind: str
    marks: str


@dataclass(frozen=True, slots=True)
class _Wording:
    """A template as its words, and the holes that stand before each of them and behind the last."""

    pattern: Pattern
    words: tuple[str, ...]
    holes: Mapping[int, tuple[_Hole, ...]]


def retyped(text: str) -> str | None:
    """The text with the message that it nearly holds in a framework's own words; None where it holds none. Of several
    the last one counts, as of those whose words are known."""
    lines = text.split("\n")
    for first in range(len(lines) - 1, max(-1, len(lines) - 1 - MOST_LINES), -1):
        for after in range(first + 1, min(first + LINES, len(lines)) + 1):
            message = _in_own_words("\n".join(lines[first:after]))
            if message is not None:
                return "\n".join([*lines[:first], message, *lines[after:]])
    return None


def _in_own_words(passage: str) -> str | None:
    if len(passage) > MOST_CHARACTERS or not re.search(r"\d", passage):
        return None
    passage = _TYPE.sub("", passage)
    found = list(_WORD.finditer(passage.lower()))
    words = [each[0] for each in found]
    there, likely = set(words), []
    for wording in _wordings():
        if sum(word in there for word in wording.words) * 2 < len(wording.words):
            continue
        places = _aligned(wording.words, words)
        likeness = len(places) / len(wording.words)
        if likeness >= ENOUGH:
            likely.append((likeness, wording, places))
    for _, wording, places in sorted(likely, key=lambda each: (-each[0], -len(each[1].words))):
        filled = _filled(wording, passage, {own: found[at].span() for own, at in places.items()})
        if filled is not None and wording.pattern.read(filled) is not None:
            return filled
    return None


@cache
def _wordings() -> tuple[_Wording, ...]:
    """Of the messages that are long enough. What Python says of any tuple is too short to be known by half of it."""
    made = (_wording(pattern) for pattern in patterns() if not pattern.template.beside)
    return tuple(wording for wording in made if len(wording.words) >= LEAST_WORDS)


def _wording(pattern: Pattern) -> _Wording:
    words: list[str] = []
    holes: dict[int, tuple[_Hole, ...]] = {}
    at = 0
    for hole in [*HOLE.finditer(pattern.template.text), None]:
        literal = _TYPE.sub("", pattern.template.text[at : hole.start() if hole else None])
        words += _WORD.findall(literal.lower())
        if hole is not None:
            marks = re.split(r"[A-Za-z_]{2,}", literal)[-1].strip()
            holes[len(words)] = (*holes.get(len(words), ()), _Hole(hole[1], hole[2], marks))
            at = hole.end()
    return _Wording(pattern, tuple(words), holes)


def _aligned(words: Sequence[str], given: Sequence[str]) -> dict[int, int]:
    """Which of the given words each word is, where they come in one order."""
    alike = {word: (get_close_matches(word, words, 1, NEAR) or [word])[0] for word in set(given) - set(words)}
    matcher = SequenceMatcher(None, words, [alike.get(word, word) for word in given], autojunk=False)
    return {own + step: at + step for own, at, length in matcher.get_matching_blocks() for step in range(length)}


def _filled(wording: _Wording, passage: str, places: Mapping[int, tuple[int, int]]) -> str | None:
    """The message with what stands in the passage in place of its holes; None where something else stands there."""
    given: dict[str, str] = {}
    for (start, end), run in _between(wording, passage, places):
        at = start
        for hole in run:
            if (marked := passage.find(hole.marks, at, end)) >= 0:
                at = marked + len(hole.marks)
            if hole.kind in _VALUES or "|" in hole.kind:
                kind = re.compile(KINDS_OF_HOLES.get(hole.kind, hole.kind), re.IGNORECASE)
                value = kind.search(passage, at, end)
                if value is None:
                    return None
                given[hole.name], at = _plain(hole.kind, value[0]), value.end()
            elif len(run) > 1:
                return None  # nothing tells how much of it belongs to which
            else:
                given[hole.name] = " ".join(passage[at:end].split()).strip(" ,.:;")
    if not any(re.search(r"\d", value) for value in given.values()):
        return None  # words alone are too like any sentence
    return HOLE.sub(lambda hole: given[hole[1]], wording.pattern.template.text)


def _plain(kind: str, value: str) -> str:
    """A shape without what else stands around it, brackets in brackets and types."""
    known = understood(kind, value) if kind == "shape" else None
    return value if known is None else f"[{', '.join('None' if size is None else str(size) for size in known)}]"


def _between(
    wording: _Wording, passage: str, places: Mapping[int, tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], list[_Hole]]]:
    """Where the holes that stand between two words of the passage are to be looked for, and these."""

    def around(at: int) -> tuple[int, int]:
        before = max((place for place in places if place < at), default=None)
        behind = min((place for place in places if place >= at), default=None)
        start = 0 if before is None else places[before][1]
        return start, len(passage) if behind is None else places[behind][0]

    for span, runs in groupby(sorted(wording.holes), key=around):
        yield span, [hole for at in runs for hole in wording.holes[at]]
