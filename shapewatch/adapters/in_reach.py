"""The program's own variables, while a pass with an edit runs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from shapewatch.edits import Insert
from shapewatch.source import calling_frame, locals_of


def held_by_variable(edit: Insert) -> Any:
    """What the variable holds that an edit takes."""
    arguments = edit.module.arguments
    return variable_of_caller(arguments["name"], arguments.get("index"), arguments.get("within"))


def held_by_expression(expression: str) -> Any:
    """What a variable of the program's function that runs now holds, or an entry of a list: `skips[-1]`.

    Raises:
        LookupError: there is no such variable yet, or it holds no such entry.
    """
    frame = calling_frame(sys._getframe(1))
    scopes = [] if frame is None else [locals_of(frame), frame.f_globals]
    return _held(ast.parse(expression, mode="eval").body, scopes)


def _held(node: ast.expr, scopes: Sequence[Mapping[str, Any]]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_held(node.operand, scopes)
    if isinstance(node, ast.Subscript):
        row, at = _held(node.value, scopes), _held(node.slice, scopes)
        if isinstance(row, list | tuple | dict):
            return row[at]
    if isinstance(node, ast.Name):
        for scope in scopes:
            if node.id in scope:
                return scope[node.id]
    raise LookupError(f"there is no {ast.unparse(node)} where it was to be taken")


def variable_of_caller(name: str, index: int | None = None, within: str | None = None) -> Any:
    """What a variable holds in the program's function that runs now, or in the one of the name `within` that called it;
    of a list of tensors, the entry at an index.

    Raises:
        LookupError: the function has no such variable yet, or it holds no tensor.
    """
    frame = calling_frame(sys._getframe(1))
    while within is not None and frame is not None and frame.f_code.co_name != within:
        frame = frame.f_back
    scopes = [] if frame is None else [locals_of(frame), frame.f_globals]
    for scope in scopes:
        held = scope.get(name)
        if index is not None:
            held = held[index] if isinstance(held, Sequence) else None
        if hasattr(held, "shape"):  # an argument may be left out, and is None then
            return held
    raise LookupError(f"there is no variable {name} where it was to be taken")
