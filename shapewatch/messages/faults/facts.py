"""The facts of a reading, as what they are; None where the message does not give them so."""

from __future__ import annotations

from shapewatch.messages.nouns import Pasted
from shapewatch.recording import Shape, Size


def size(pasted: Pasted, *names: str) -> Size:
    """The first of these facts that is a size."""
    found = (pasted.reading.facts.get(name) for name in names)
    return next((fact for fact in found if isinstance(fact, int) and not isinstance(fact, bool)), None)


def shape(pasted: Pasted, *names: str) -> Shape | None:
    """The first of these facts that is a shape."""
    return next((given for name in names if (given := pasted.reading.shape(name)) is not None), None)


def shapes(pasted: Pasted, name: str) -> tuple[Shape, ...]:
    """A fact that is several shapes; those of unknown rank are left out."""
    given = pasted.reading.facts.get(name)
    return tuple(each for each in given if isinstance(each, tuple)) if isinstance(given, tuple) else ()


def word(pasted: Pasted, *names: str) -> str:
    """The first of these facts that is a text, on one line."""
    found = (pasted.reading.facts.get(name) for name in names)
    return next((" ".join(fact.split()).strip(": ") for fact in found if isinstance(fact, str)), "")


def flag(pasted: Pasted, name: str) -> bool:
    return pasted.reading.facts.get(name) is True
