"""The lines of the layers in a row: `self.ffn = keras.Sequential([` and its entries below."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence

from keras import Sequential
from keras.layers import Layer

from shapewatch.adapters.keras.constructing import class_name
from shapewatch.adapters.rows import listed
from shapewatch.adapters.statements import name_called
from shapewatch.recording import Span
from shapewatch.source import span_of


def line_in_row(span: Span, row: object, layer: Layer) -> Span | None:
    """Where the statement of a row makes the layer; None where it does not list the row's layers, each on a line of its
    own."""
    layers = list(row.layers) if isinstance(row, Sequential) else []
    entries = _listed(span)
    if len(entries) != len(layers) or not _are_of(entries, layers):
        return None
    return next((_at(span, entry) for entry, each in zip(entries, layers, strict=True) if each is layer), None)


def lines_in_rows(lines: Mapping[str, Span], layers: Mapping[str, Layer]) -> dict[str, Span]:
    """By path, where a row has the layers that its line called first, all of them or, where it failed, those before.

    A line that ran more than once has more layers than entries, and says which is which of none.
    """
    of_line: dict[Span, list[str]] = defaultdict(list)
    for path, span in lines.items():
        of_line[span].append(path)
    found: dict[str, Span] = {}
    for span, paths in of_line.items():
        entries = _listed(span)
        if len(paths) <= len(entries) and _are_of(entries, [layers[path] for path in paths]):
            found |= {path: _at(span, entry) for path, entry in zip(paths, entries, strict=False)}
    return found


def _are_of(entries: Sequence[ast.Call], layers: Sequence[Layer]) -> bool:
    alike = all(class_name(entry) == type(each).__name__ for entry, each in zip(entries, layers, strict=False))
    return alike and len({entry.lineno for entry in entries}) == len(entries)


def _at(span: Span, entry: ast.Call) -> Span:
    return span_of(span.file, entry.lineno, span.function)


def _listed(span: Span) -> list[ast.Call]:
    return [each for each in listed(span.file, span.line) if name_called(each) not in ("Input", "InputLayer")]
