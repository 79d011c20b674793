"""Which argument of a call says how many channels come out of it, which how many go in, and which its stride.

A framework's own layer has them in a known place. A helper of the program's, `conv_bn(x, filters, 1)`, has them where
its parameters go in its own convolutions: so that is looked up, and what is given to it for those parameters is told.
What stands first in a call may be data or a window as well, and is never taken for a width by its place alone.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shapewatch.adapters.around import Function
from shapewatch.adapters.statements import name_called
from shapewatch.adapters.worked_out import bound
from shapewatch.source import tree_of


@dataclass(frozen=True)
class Widths:
    """The expressions for the channels that go into a call and come out of it, as far as the program says them."""

    given: ast.expr | None
    made: ast.expr


_OF_KERAS = re.compile(r"(Separable|Depthwise)?Conv(olution)?[123]D(Transpose)?|Dense")

_OF_TORCH = re.compile(r"Conv(Transpose)?[123]d|Linear")

_MADE = ("filters", "units", "out_channels", "out_features")

_GIVEN = ("in_channels", "in_features")

_DEEPEST = 3


def widths_of(call: ast.Call, file: str, depth: int = 0) -> Widths | None:
    """The widths of a call in a file: of a layer, of a row of layers, of what is called with data, or of a helper."""
    name = name_called(call)
    if not name and isinstance(call.func, ast.Call):
        return widths_of(call.func, file, depth) or _of_those_in(call, file, depth)
    if _OF_KERAS.fullmatch(name):
        return _said(call, None, 0) if not name.startswith("Depthwise") else None
    if _OF_TORCH.fullmatch(name):
        return _said(call, 0, 1)
    helper = _defined(name, file) if depth < _DEEPEST else None
    if helper is not None:
        return _of_helper(call, helper, file, depth)
    return _said(call, None, None) or _of_those_in(call, file, depth)


def stride_of(call: ast.Call) -> ast.expr | None:
    """What a framework's convolution is given for its stride, by name or by place."""
    name = name_called(call)
    place = 2 if _OF_KERAS.fullmatch(name) else 3 if _OF_TORCH.fullmatch(name) else len(call.args)
    named = [keyword.value for keyword in call.keywords if keyword.arg in ("stride", "strides")]
    return next(iter(named or call.args[place : place + 1]), None)


def _said(call: ast.Call, given: int | None, made: int | None) -> Widths | None:
    """The widths by their names, or by their places where these are known."""
    if any(isinstance(each, ast.Starred) for each in call.args):
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    before, after = (
        next((named[name] for name in names if name in named), None)
        or (call.args[at] if at is not None and at < len(call.args) else None)
        for names, at in ((_GIVEN, given), (_MADE, made))
    )
    return Widths(before, after) if after is not None else None


def _of_those_in(call: ast.Call, file: str, depth: int) -> Widths | None:
    """What goes into the first of those that a call is given, and comes out of the last."""
    listed = [each for arg in call.args for each in (arg.elts if isinstance(arg, ast.List | ast.Tuple) else [arg])]
    calls = [each for each in listed if isinstance(each, ast.Call)]
    found = [widths for each in calls if (widths := widths_of(each, file, depth)) is not None]
    return Widths(found[0].given, found[-1].made) if found else None


def _defined(name: str, file: str) -> Function | None:
    """The function of that name in the file or, for a class, what constructs it; None where there is none, or two."""
    try:
        nodes = [node for node in tree_of(file).body if isinstance(node, Function | ast.ClassDef) and node.name == name]
    except (SyntaxError, ValueError, OSError):
        return None
    inside = nodes[0].body if len(nodes) == 1 and isinstance(nodes[0], ast.ClassDef) else nodes
    wanted = name if inside is nodes else "__init__"
    found = [node for node in inside if isinstance(node, Function) and node.name == wanted]
    return found[0] if len(found) == 1 else None


def _of_helper(call: ast.Call, helper: Function, file: str, depth: int) -> Widths | None:
    """What a helper is given for the parameters that are the widths of its layers, where all of them make as many."""
    said = bound(call, helper)
    made = [node for node in ast.walk(helper) if isinstance(node, ast.Call)]
    named = [node for node in made if name_called(node)]  # what is called of another call is found as that one
    found = [widths for node in named if (widths := _own(node, file, depth + 1)) is not None]
    stored = {node.id for node in ast.walk(helper) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    if said is None or len({ast.unparse(widths.made) for widths in found}) != 1:
        return None

    def as_given(node: ast.expr | None) -> ast.expr | None:
        plain = isinstance(node, ast.Name) and node.id not in stored
        return said.get(node.id) if plain and isinstance(node, ast.Name) else None

    after = as_given(found[0].made)
    return Widths(as_given(found[0].given), after) if after is not None else None


def _own(node: ast.Call, file: str, depth: int) -> Widths | None:
    """The widths of a call in a helper, where it makes a layer itself; a row of layers has them in its parts."""
    name = name_called(node)
    known = _OF_KERAS.fullmatch(name) or _OF_TORCH.fullmatch(name) or _defined(name, file) is not None
    return widths_of(node, file, depth) if known else None
