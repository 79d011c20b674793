"""What the line that makes a layer says for one of the layer's sizes, by our name of it."""

from __future__ import annotations

import ast

from shapewatch.adapters.around import functions_around
from shapewatch.adapters.statements import parsed, statement
from shapewatch.adapters.widths import stride_of, widths_of
from shapewatch.adapters.worked_out import known_at, parameters_of
from shapewatch.recording import Layer

_GIVEN = ("in_channels", "in_features", "num_features")
_MADE = ("out_channels", "out_features")

WIDTHS = (*_GIVEN, *_MADE)
"""The sizes that are numbers of channels or features."""


def construction(layer: Layer) -> ast.Call | None:
    """The call that makes a layer, in a line that makes one of its type."""
    tree = parsed(statement(layer.defined)) if layer.defined is not None else None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    made = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == layer.type]
    return made[0] if len(made) == 1 else None


def said_for(layer: Layer, argument: str) -> ast.expr | None:
    """The expression in the line; None where the line does not say it, or not where it is known to stand."""
    call = construction(layer)
    if call is None or layer.defined is None or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    if argument == "stride":
        return stride_of(call)
    if layer.kind == "norm":
        return call.args[0] if argument == "num_features" and call.args else None
    widths = widths_of(call, layer.defined.file)
    if widths is None or argument not in WIDTHS:
        return None
    return widths.given if argument in _GIVEN else widths.made


def parameter_for(layer: Layer, argument: str) -> str | None:
    """The parameter of the function around the line that is given to the layer as it is."""
    node, span = said_for(layer, argument), layer.defined
    around = functions_around(span.file, span.line)[:1] if span is not None else []
    if span is None or not around or not isinstance(node, ast.Name) or node.id not in parameters_of(around[0]):
        return None
    return node.id if known_at(node, span.file, span.line) else None
