"""What the program calls that of which an error's words tell only the sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from shapewatch.diagnose.lengths import of_lengths
from shapewatch.recording import Failure, Shape, text
from shapewatch.report import Diagnosis

_SHAPE = re.compile(r"[\[(]\s*((?:\d+|\?|None)(?:\s*,\s*(?:\d+|\?|None))*)\s*,?\s*[\])]")


def with_names_of_the_line(told: Diagnosis, failure: Failure, framework: str) -> Diagnosis:
    """The diagnosis of a message, with the names that the line which raised has for the shapes in it.

    Only a shape that one array of the line has, and no other, is its.
    """
    if told.code == "SW805":
        return of_lengths(told, failure, framework)
    named = {shape: name for shape in _shapes(failure.message) if (name := _only(shape, failure.spoken)) is not None}
    if not named:
        return told
    headline = told.headline
    for shape, name in named.items():
        headline = headline.replace(text(shape), f"{name} {text(shape)}")
    if headline == told.headline:
        headline += f" ({', '.join(f'{name} is {text(shape)}' for shape, name in named.items())})"
    return replace(told, headline=headline)


def _only(shape: Shape, spoken: Mapping[str, Shape]) -> str | None:
    called = [name for name, known in spoken.items() if known == shape]
    return called[0] if len(called) == 1 else None


def _shapes(message: str) -> Iterator[Shape]:
    for found in _SHAPE.finditer(message):
        yield tuple(None if size in ("?", "None") else int(size) for size in re.findall(r"\d+|\?|None", found.group(1)))
