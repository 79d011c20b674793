"""What lines that make weights and layers say of one size of them, and where the program constructs what makes them."""

from __future__ import annotations

import ast

from shapewatch.adapters.constructed import Constructed, constructed
from shapewatch.adapters.statements import is_assigned, name_called, parsed, statement
from shapewatch.edits import Edit, Set
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import span_of, tree_of

MAKING = frozenset("zeros ones empty rand randn full normal random_normal truncated_normal uniform add_weight".split())
"""Functions that make a tensor of nothing, of sizes that they are given."""

_FIRST = {
    "conv": ("in_channels", "out_channels"),
    "conv_transpose": ("in_channels", "out_channels"),
    "linear": ("in_features", "out_features"),
    "embedding": ("num_embeddings", "embedding_dim"),
    "recurrent": ("input_size", "hidden_size"),
}
"""The first arguments of PyTorch's layers, which edits are named after."""


def size_of_weight(source: str | None, rank: int, axis: int) -> ast.expr | None:
    """What a line that makes a tensor says of one of its sizes; None where it does not tell which expression it is."""
    tree = parsed(source.strip().rstrip(",") if source else None)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    found = [sizes for call in calls if name_called(call) in MAKING for sizes in _sizes_in(call, rank)]
    return found[0][axis] if len(found) == 1 else None


def _sizes_in(call: ast.Call, rank: int) -> list[list[ast.expr]]:
    given = [*call.args, *(each.value for each in call.keywords if each.arg in ("shape", "size"))]
    listed = [each.elts for each in given if isinstance(each, ast.Tuple | ast.List) and len(each.elts) == rank]
    if listed:
        return listed
    return [call.args] if len(call.args) == rank and not any(isinstance(each, ast.Starred) for each in given) else []


def size_of_layer(call: ast.Call, layer: Layer, argument: str) -> ast.expr | None:
    """What a line that makes a layer of PyTorch's says of one of its first arguments."""
    names = _FIRST.get(layer.kind, ())
    named = [each.value for each in call.keywords if each.arg == argument]
    at = names.index(argument) if argument in names else len(call.args)
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    return named[0] if named else call.args[at] if at < len(call.args) and not starred else None


def weight_constructed(
    made: Span | None, attribute: str, rank: int, axis: int, path: str, recording: Recording
) -> Constructed | None:
    """Where the instance is constructed that makes a weight on a line, of a size that it is given."""
    size = size_of_weight(statement(made), rank, axis)
    return None if size is None or made is None else constructed(made, size, attribute, path, recording)


def edit_constructed(edit: Edit, recording: Recording) -> tuple[Constructed, int, int] | None:
    """Where the instance is constructed that has another size with an edit, what that is and what it was; None where
    the size is said elsewhere."""
    if not isinstance(edit, Set):
        return None
    layer = recording.layer_at.get(edit.layer)
    is_weight = layer is not None and layer.kind == "module" and isinstance(edit.was, tuple)
    was, value = (None, None) if is_weight else (_one_number(edit.was), _one_number(edit.value))
    if was is not None and value is not None:
        there = _layer_constructed(edit, recording)
        return None if there is None else (there, was, value)
    sizes = (edit.was, edit.value) if isinstance(edit.value, tuple) and isinstance(edit.was, tuple) else ((), ())
    changed = [at for at, (one, other) in enumerate(zip(*sizes, strict=False)) if one != other]
    made = _attribute_made(layer, edit.argument, recording) if layer is not None and len(changed) == 1 else None
    there = weight_constructed(made, edit.argument, len(edit.was), changed[0], edit.layer, recording) if made else None
    return None if there is None else (there, edit.was[changed[0]], edit.value[changed[0]])


def _one_number(value: object) -> int | None:
    """2 for 2, and for the (2, 2) of a window."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    return value if isinstance(value, int) else None


def _layer_constructed(edit: Set, recording: Recording) -> Constructed | None:
    """The same of a layer of PyTorch's, one of whose sizes is to be another."""
    layer, (path, _, attribute) = recording.layer_at.get(edit.layer), edit.layer.rpartition(".")
    if recording.framework != "torch" or layer is None or layer.defined is None:
        return None
    source = statement(layer.defined)
    tree = parsed(source)
    first = tree.body[0] if tree is not None and tree.body else None
    made = first.value if isinstance(first, ast.Assign) and is_assigned(first, f"self.{attribute}") else None
    if not isinstance(made, ast.Call) or name_called(made) != layer.type:
        return None
    size = size_of_layer(made, layer, edit.argument)
    return None if size is None else constructed(layer.defined, size, attribute, path, recording)


def _attribute_made(layer: Layer, attribute: str, recording: Recording) -> Span | None:
    """The line of a layer's class that gives it an attribute."""
    failure = recording.failure
    if failure is None or failure.span is None:
        return None
    file = failure.span.file
    try:
        classes = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.ClassDef)]
    except (OSError, SyntaxError, ValueError):
        return None
    inside = (node for each in classes if each.name == layer.type for node in ast.walk(each))
    lines = [node.lineno for node in inside if isinstance(node, ast.Assign) and is_assigned(node, f"self.{attribute}")]
    return span_of(file, lines[0]) if len(lines) == 1 else None
