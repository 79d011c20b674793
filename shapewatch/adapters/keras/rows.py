"""The line of one layer in a row that an attribute holds: `self.ffn = keras.Sequential([` and its entries below."""

from __future__ import annotations

import ast

from keras import Sequential
from keras.layers import Layer

from shapewatch.adapters.keras.constructing import class_name
from shapewatch.adapters.statements import name_called, parsed, statement
from shapewatch.recording import Span
from shapewatch.source import span_of


def line_in_row(span: Span, row: object, layer: Layer) -> Span | None:
    """Where the statement of a row makes the layer; None where it does not list the row's layers, each on a line of its
    own."""
    entries = _listed(span)
    layers = list(row.layers) if isinstance(row, Sequential) else []
    alike = [class_name(entry) == type(each).__name__ for entry, each in zip(entries, layers, strict=False)]
    if len(entries) != len(layers) or not all(alike) or len({entry.lineno for entry in entries}) < len(entries):
        return None
    line = next((entry.lineno for entry, each in zip(entries, layers, strict=True) if each is layer), None)
    return span_of(span.file, span.line + line - 1, span.function) if line is not None else None


def _listed(span: Span) -> list[ast.Call]:
    """The layers that a statement gives to a `Sequential`, all of them; none where it is another one."""
    tree = parsed(statement(span))
    step = tree.body[0] if tree is not None and tree.body else None
    made = step.value if isinstance(step, ast.Assign) else None
    if not isinstance(made, ast.Call) or name_called(made) != "Sequential" or len(made.args) != 1:
        return []
    elements = made.args[0].elts if isinstance(made.args[0], ast.List | ast.Tuple) else []
    calls = [each for each in elements if isinstance(each, ast.Call)]
    if len(calls) != len(elements):
        return []
    return [each for each in calls if name_called(each) not in ("Input", "InputLayer")]
