"""Reads what may be a log of any length and finds the shape error in it, a passage at a time.

A text up to `BLOCK` characters is read whole. Of a longer one only what stands around a word of errors is: a message
that no such word announces did not end a program. Nothing here asks for lines, which may be of any length.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader

from shapewatch.messages.nouns import Pasted
from shapewatch.messages.pasted import errors_of, last_of
from shapewatch.messages.tables import speaks_of_shapes

BLOCK = 300_000
BEFORE, AFTER = 24_000, 12_000
"""Characters around a word of errors: a traceback stands before its message, and a long message after its name."""

ANNOUNCING = ("error", "exception", "traceback", "mismatch", "invalid", "incompatible", "assert", "expected")

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Heard:
    """The shape error to explain, and how many others the text tells of."""

    error: Pasted
    others: int


def heard(pieces: Iterable[str]) -> Heard | None:
    """What the text in these pieces tells of; None where that is no shape error."""
    kept: Pasted | None = None
    seen: set[int] = set()
    for passage in passages(pieces):
        errors = errors_of(passage)
        if len(seen) < MOST_COUNTED:
            seen.update(_identity(error) for error in errors)
        kept = last_of([error for error in (kept, last_of(errors)) if error is not None])
    return None if kept is None else Heard(kept, len(seen - {_identity(kept)}))


def _identity(error: Pasted) -> int:
    return hash((error.reading.template.text, str(error.reading.facts)))


def decoded(stream: BufferedReader) -> Iterator[str]:
    """A file's text in pieces. What is no UTF-8 becomes `\ufffd`; UTF-16 says so at its beginning."""
    piece = stream.read1(BLOCK)
    utf16 = piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")(errors="replace")
    while piece:
        yield decoder.decode(piece)
        piece = stream.read1(BLOCK)
    yield decoder.decode(b"", final=True)


def passages(pieces: Iterable[str]) -> Iterator[str]:
    """The parts of a text that are worth reading: all of a short one, of a long one what is around words of errors."""
    blocks = _blocks(pieces)
    first = next(blocks, "")
    second = next(blocks, "")
    if not second:
        yield first
        return
    before, block = "", first
    for following in itertools.chain([second], blocks, [""]):
        text = before + block + following[:AFTER]
        for start, end in _worth_reading(text.lower(), len(before), len(before) + len(block)):
            if speaks_of_shapes(text[start:end]):
                yield text[start:end]
        before, block = (before + block)[-BEFORE:], following


def _blocks(pieces: Iterable[str]) -> Iterator[str]:
    """The same text in pieces of `BLOCK` characters."""
    held = ""
    for piece in pieces:
        for start in range(0, len(piece), BLOCK):
            held += piece[start : start + BLOCK]
            if len(held) >= BLOCK:
                yield held[:BLOCK]
                held = held[BLOCK:]
    if held:
        yield held


def _worth_reading(lowered: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What stands around the words of errors between these two places, joined where it overlaps."""
    places = sorted(place for word in ANNOUNCING for place in _places(word, lowered, start, end))
    around: list[tuple[int, int]] = []
    for place in places:
        begin = max(0, place - BEFORE)
        if around and begin <= around[-1][1]:
            begin = around.pop()[0]
        around.append((begin, min(len(lowered), place + AFTER)))
    yield from around


def _places(word: str, lowered: str, start: int, end: int) -> Iterator[int]:
    """Where the word stands; of several that are near each other, enough to keep them in one passage."""
    at = lowered.find(word, start, end)
    while at >= 0:
        yield at
        at = lowered.find(word, at + AFTER // 2, end)
