"""The program's own variables, while a pass with an edit runs."""

from __future__ import annotations

import sys
from typing import Any

from shapewatch.edits import Insert
from shapewatch.source import calling_frame, locals_of


def held_by_variable(edit: Insert) -> Any:
    """What the variable holds that an edit takes."""
    return variable_of_caller(edit.module.arguments["name"])


def variable_of_caller(name: str) -> Any:
    """What a variable holds in the program's function that runs now.

    Raises:
        LookupError: the function has no such variable yet, or it holds no tensor.
    """
    frame = calling_frame(sys._getframe(1))
    scopes = [] if frame is None else [locals_of(frame), frame.f_globals]
    for scope in scopes:
        if hasattr(scope.get(name), "shape"):  # an argument may be left out, and is None then
            return scope[name]
    raise LookupError(f"there is no variable {name} where it was to be taken")
