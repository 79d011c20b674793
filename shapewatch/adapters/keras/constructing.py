"""Constructions of layers, as lines say them: which class, with which arguments."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import keras

from shapewatch.adapters.keras.arguments import window
from shapewatch.adapters.statements import name_called, parsed, statement
from shapewatch.recording import Layer, Recording
from shapewatch.source import is_users_own

WRAPPERS = frozenset({"Bidirectional", "TimeDistributed"})


def construction_in(source: str, type: str) -> ast.Call | None:
    """Where a line makes a layer of that type, if it makes only one."""
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    made = [call for call in calls if class_name(call) == type]
    return made[0] if len(made) == 1 else None


def class_name(call: ast.Call) -> str:
    """`MaxPooling2D` for `layers.MaxPool2D(2)`."""
    name = name_called(call)
    return getattr(getattr(keras.layers, name, None), "__name__", name)


def parameters(type: str) -> dict[str, Any]:
    """A constructor's parameters and their defaults; `inspect.Parameter.empty` for those that have none."""
    cls = getattr(keras.layers, type, None)
    if cls is None:
        return {}
    found = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {p.name: window(p.name, p.default) for p in found if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def said_by(call: ast.Call, type: str) -> dict[str, ast.expr] | None:
    """The arguments in a line that makes a layer, by name; those of the layer inside, for a wrapper.

    None where they cannot be told: `**settings`, or a class of the user's that is given some by position.
    """
    if type in WRAPPERS:
        inner = next((argument for argument in call.args if isinstance(argument, ast.Call)), None)
        return said_by(inner, class_name(inner)) if inner else None
    names = list(parameters(type))
    starred = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
    if starred or len(call.args) > len(names):
        return None
    return dict(zip(names, call.args, strict=False)) | {k.arg or "": k.value for k in call.keywords}


_SIZES = {"filters": "out_channels", "strides": "stride"}


def sizes_said(source: str | None, layer: Layer) -> dict[str, ast.expr]:
    """What a line says for the sizes of the one convolution that it makes, by our names of them."""
    construction = construction_in(source, layer.type) if source else None
    said = said_by(construction, layer.type) if construction is not None else None
    return {ours: said[keras] for keras, ours in _SIZES.items() if keras in said} if said else {}


def word_of(node: ast.expr | None) -> str | None:
    """`softmax` for `"softmax"`, `softmax` and `tf.nn.softmax`."""
    match node:
        case ast.Constant(value=str(word)) | ast.Name(id=word) | ast.Attribute(attr=word):
            return word
    return None


def literal_of(name: str, node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    value = value.lower() if name == "padding" and isinstance(value, str) else value
    return window(name, tuple(value) if isinstance(value, list) else value)


def source_of(layer: Layer) -> str | None:
    return statement(layer.defined) if layer.defined and is_users_own(layer.defined.file) else None


def making_line(layer: Layer | None, recording: Recording) -> str | None:
    """The statement that makes this layer and no other; None where there is none that the user could edit."""
    if layer is None or any(other.defined == layer.defined and other.path != layer.path for other in recording.layers):
        return None
    source = source_of(layer)
    return source if source and construction_in(source, layer.type) else None
