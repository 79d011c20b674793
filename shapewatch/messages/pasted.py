"""A text to the shape errors it tells of, each with its frames and with what stood around it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shapewatch.messages.dress import undressed, unwrapped
from shapewatch.messages.nouns import Frame, Pasted, Reading
from shapewatch.messages.retyped import retyped
from shapewatch.messages.tables import found, mended
from shapewatch.messages.template import shape
from shapewatch.messages.traceback import Raised, chains, library_of, nearest, shown, user_frame, wrappers

ONLY_DRESS = "only-dress"

OF_LOADING = frozenset({"weights", "weight-names"})
"""Faults of which one error names many, a line each."""

SHORT = 5_000
"""Characters of a message that somebody may have typed anew."""

_KERAS_LAYER = re.compile(
    r"Exception encountered when calling layer ['\"]?([^\s'\"]{1,200})['\"]? \(type (\w{1,100})\)"
)
_KERAS_CLASS = re.compile(r"Exception encountered when calling (\w{1,100})\.call\(\)")
_RECEIVED = re.compile(r"shape=(\((?:(?:\d{1,15}|None)(?:,\s?|(?=\)))){0,16}\))")


def errors_of(text: str) -> tuple[Pasted, ...]:
    """Every shape error of the text, in its order. The exceptions of a chain are one error."""
    bare = undressed(text)
    errors = _errors(bare)
    if not errors and (joined := unwrapped(bare)) != bare:
        errors = _errors(joined)
    if not errors and len(bare) <= SHORT and (whole := mended(bare)) != bare:
        errors = _errors(whole)
    if not errors and len(bare) <= SHORT and (reworded := retyped(bare)) is not None:
        errors = tuple(replace(error, is_retyped=True) for error in _errors(reworded))
    return errors


def last_of(errors: Sequence[Pasted]) -> Pasted | None:
    """The one to explain: the last, in a log the one that ended the program. A message that tells nothing of sizes
    steps back behind one that does, and a warning behind both. Of one that the text tells twice, the telling that shows
    a line of the program."""

    def how_telling(error: Pasted) -> tuple[bool, bool]:
        return not error.error.endswith("Warning"), error.reading.fault != ONLY_DRESS

    last = max(reversed(errors), key=how_telling, default=None)
    if last is None or last.user is not None:
        return last
    again = [error for error in errors if error.user is not None and error.says_what(last)]
    return again[-1] if again else last


def _errors(text: str) -> tuple[Pasted, ...]:
    view = shown(text)
    readings = found(view.messages)
    if not readings:
        return ()
    errors: list[tuple[int, Pasted]] = []
    taken: set[int] = set()
    for chain in chains(view.exceptions):
        of_each = [_ending_in(readings, raised) for raised in chain]
        taken.update(one.at for own in of_each for one in own)
        read = _to_read(of_each)
        if read is not None:
            last = max(one.at for own in of_each for one in own)
            errors.append((last, _raised(text, chain, chain[read], of_each[read])))
    for alone in _without_exception([one for one in readings if one.at not in taken and not one.template.beside]):
        errors.append((alone[-1].at, _pasted(alone, _around(text, alone), "", (), None)))
    return tuple(error for _, error in sorted(errors, key=lambda each: each[0]))


def _to_read(of_each: Sequence[Sequence[Reading]]) -> int | None:
    """The exception of a chain that is read: the first that is of shapes, unless a later one says that it was weights
    whose shapes were compared, or quotes the first and tells more."""
    telling = [number for number, own in enumerate(of_each) if own]
    loading = [number for number in telling if {one.fault for one in of_each[number]} <= OF_LOADING]
    quoting = [number for number in telling[1:] if _quotes(of_each[number], of_each[telling[0]])]
    return next(iter([*loading, *quoting, *telling]), None)


def _quotes(later: Sequence[Reading], first: Sequence[Reading]) -> bool:
    return any(first[0].message in one.message and len(one.facts) > len(first[0].facts) for one in later)


def _ending_in(readings: Sequence[Reading], raised: Raised) -> Sequence[Reading]:
    """Those that end in an exception's message; they may begin with its name."""
    first, after = (bisect_right(readings, place, key=lambda one: one.end) for place in (raised.start, raised.end))
    return [one for one in readings[first:after] if _is_of_shapes(one, raised)]


def _is_of_shapes(reading: Reading, raised: Raised) -> bool:
    """What Python says of any tuple is of shapes where the line of code that raised it speaks of one."""
    beside = reading.template.beside
    innermost = (*raised.frames, *raised.inner)[-1:]
    return not beside or any(word in frame.source for frame in innermost for word in beside)


def _raised(text: str, chain: tuple[Raised, ...], read: Raised, readings: Sequence[Reading]) -> Pasted:
    """The error that one exception of a chain tells of. What its own frames do not show, those of the others may."""
    nearest = [read, *(raised for raised in chain if raised is not read)]
    frames = (*read.frames, *read.inner) or tuple(frame for raised in nearest for frame in raised.frames)
    user = user_frame([*(raised.inner for raised in nearest), *(raised.frames for raised in nearest)])
    around = text[chain[0].start : chain[-1].end] + "\n".join(frame.file for each in chain for frame in each.frames)
    return _pasted(readings, around, read.error, frames, user)


def _pasted(
    readings: Sequence[Reading], around: str, error: str, frames: tuple[Frame, ...], user: Frame | None
) -> Pasted:
    told = _told_around(around)
    leading = readings.index(max(readings, key=_how_telling))
    known = tuple(replace(reading, facts={**_beside(told, reading.facts), **reading.facts}) for reading in readings)
    return Pasted(known[leading], known, error, frames, user, nearest(frames), wrappers(around), library_of(frames))


def _how_telling(reading: Reading) -> tuple[bool, bool]:
    """Of several messages in one error, the first that gives sizes is what the error is about."""
    sizes = any(isinstance(fact, int | tuple) and not isinstance(fact, bool) for fact in reading.facts.values())
    return sizes, reading.fault != ONLY_DRESS


def _told_around(around: str) -> Mapping[str, Any]:
    """What the words around a message tell: the layer that was called, and the shapes that it received."""
    told: dict[str, Any] = {}
    if (layer := _KERAS_LAYER.search(around)) is not None:
        told |= {"layer": layer[1], "layer_type": layer[2]}
    elif (of_class := _KERAS_CLASS.search(around)) is not None:
        told["layer_type"] = of_class[1]
    _, _, arguments = around.partition("Arguments received by")
    if received := tuple(shape(given) for given in _RECEIVED.findall(arguments[:20_000])):
        told["received"] = received
    return told


def _beside(told: Mapping[str, Any], facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the layer that was called around the message, where the message itself names one."""
    named = "layer" in facts or "layer_type" in facts
    if named and facts.get("layer") != told.get("layer", ""):
        return {name: fact for name, fact in told.items() if name == "received"}
    return told


def _without_exception(readings: Iterable[Reading]) -> list[list[Reading]]:
    """Messages that stand alone. Those of loading weights are one error."""
    apart: list[list[Reading]] = []
    for reading in readings:
        if apart and {reading.fault, apart[-1][-1].fault} <= OF_LOADING:
            apart[-1].append(reading)
        else:
            apart.append([reading])
    return apart


def _around(text: str, readings: Sequence[Reading]) -> str:
    return text[max(0, readings[0].at - 1_000) : readings[-1].end + 2_000]
