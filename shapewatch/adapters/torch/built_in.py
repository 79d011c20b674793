"""Layers inside those that PyTorch builds itself: what they are told is said where the outer one is constructed."""

from __future__ import annotations

import ast

from shapewatch.adapters.statements import name_called, statement, with_argument
from shapewatch.edits import Set
from shapewatch.recording import Recording
from shapewatch.source import span_of, tree_of

_HANDING_ON = frozenset({"TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer"})
"""Classes that hand `batch_first` on to the attention in them."""


def said_around(edit: Set, recording: Recording) -> str | None:
    """The line that constructs the layer around, with the argument, for the attention in it:
    `nn.TransformerEncoderLayer(64, 4, batch_first=True)`. None where the file constructs none, or several."""
    parts = edit.layer.split(".")
    around = [recording.layer_at.get(".".join(parts[:end])) for end in range(len(parts) - 1, 0, -1)]
    types = {layer.type for layer in around if layer is not None} & _HANDING_ON
    lines = [layer.defined for layer in around if layer is not None and layer.defined is not None]
    if edit.argument != "batch_first" or len(types) != 1 or not lines:
        return None
    try:
        nodes = [node for node in ast.walk(tree_of(lines[0].file)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):
        return None
    made = [node for node in nodes if name_called(node) in types]
    if len(made) != 1 or any(keyword.arg in (None, edit.argument) for keyword in made[0].keywords):
        return None
    number = made[0].lineno
    source = statement(span_of(lines[0].file, number))
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)] if source is not None else []
    there = [node for node in calls if name_called(node) in types]
    return with_argument(source, there[0], f"batch_first={edit.value}") if source is not None and there else None
