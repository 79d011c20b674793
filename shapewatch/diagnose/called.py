"""What the program calls that of which an error's words tell only the sizes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from shapewatch.adapters.statements import function_called, statement
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
    if told.code == "SW901":
        return _with_names_of_the_loading(told, failure)
    named = {shape: name for shape in _shapes(failure.message) if (name := _only(shape, failure.spoken)) is not None}
    if not named:
        return told
    headline = told.headline
    for shape, name in named.items():
        headline = headline.replace(text(shape), f"{name} {text(shape)}")
    if headline == told.headline:
        headline += f" ({', '.join(f'{name} is {text(shape)}' for shape, name in named.items())})"
    return replace(told, headline=headline)


def _with_names_of_the_loading(told: Diagnosis, failure: Failure) -> Diagnosis:
    """The code of the causes with the model and the weights called as the line calls them that loads these."""
    call = function_called(statement(failure.span), {"load_state_dict"})
    given = call.args[0] if call is not None and call.args else None
    if call is None or not isinstance(call.func, ast.Attribute) or not isinstance(given, ast.Name):
        return told
    names = {"model": ast.unparse(call.func.value), "weights": given.id}

    def renamed(code: str) -> str:
        return re.sub(r"\b(model|weights)\b(?!_)", lambda found: names[found[1]], code)

    passed = any(word.arg == "strict" and ast.unparse(word.value) == "False" for word in call.keywords)
    more = " `strict=False` passes over names that are missing, and over no sizes." if passed else ""
    suspects = tuple(replace(each, code=renamed(each.code)) for each in told.suspects)
    return replace(told, explanation=f"{told.explanation}{more}", suspects=suspects)


def _only(shape: Shape, spoken: Mapping[str, Shape]) -> str | None:
    called = [name for name, known in spoken.items() if known == shape]
    return called[0] if len(called) == 1 else None


def _shapes(message: str) -> Iterator[Shape]:
    for found in _SHAPE.finditer(message):
        yield tuple(None if size in ("?", "None") else int(size) for size in re.findall(r"\d+|\?|None", found.group(1)))
