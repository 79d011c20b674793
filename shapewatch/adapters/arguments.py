"""What the line that makes a layer says for one of the layer's sizes, by our name of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from shapewatch.adapters.around import functions_around
from shapewatch.adapters.statements import parsed, statement
from shapewatch.adapters.worked_out import known_at, parameters_of
from shapewatch.recording import Layer

_WRITTEN_AS: Mapping[str, Mapping[str, Mapping[str, tuple[str, int]]]] = {
    "conv": {
        "in_channels": {"torch": ("in_channels", 0)},
        "out_channels": {"torch": ("out_channels", 1), "keras": ("filters", 0)},
        "stride": {"torch": ("stride", 3), "keras": ("strides", 2)},
    },
    "linear": {
        "in_features": {"torch": ("in_features", 0)},
        "out_features": {"torch": ("out_features", 1), "keras": ("units", 0)},
    },
    "norm": {"num_features": {"torch": ("num_features", 0)}},
}
"""By kind and argument, what a framework calls it, and the place that it has among the arguments."""


def construction(layer: Layer) -> ast.Call | None:
    """The call that makes a layer, in a line that makes one of its type."""
    tree = parsed(statement(layer.defined)) if layer.defined is not None else None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    made = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == layer.type]
    return made[0] if len(made) == 1 else None


def said_for(layer: Layer, argument: str, framework: str) -> ast.expr | None:
    """The expression in the line; None where the line does not say it, or not where it is known to stand."""
    kind = "conv" if layer.kind == "conv_transpose" else layer.kind
    name, place = _WRITTEN_AS.get(kind, {}).get(argument, {}).get(framework, ("", -1))
    call = construction(layer)
    if call is None or not name or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return next(iter(named or call.args[place : place + 1]), None)


def parameter_for(layer: Layer, argument: str, framework: str) -> str | None:
    """The parameter of the function around the line that is given to the layer as it is."""
    node, span = said_for(layer, argument, framework), layer.defined
    around = functions_around(span.file, span.line)[:1] if span is not None else []
    if span is None or not around or not isinstance(node, ast.Name) or node.id not in parameters_of(around[0]):
        return None
    return node.id if known_at(node, span.file, span.line) else None


def sizes_of(layer: Layer) -> list[str]:
    """The arguments that are numbers of channels or features, by our names of them."""
    return [name for name in _WRITTEN_AS.get(layer.kind, {}) if name != "stride" and name in layer.facts]
