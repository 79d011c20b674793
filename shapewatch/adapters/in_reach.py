"""The program's own variables, while a pass with an edit runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from shapewatch.edits import Insert
from shapewatch.source import calling_frame, locals_of


def held_by_variable(edit: Insert) -> Any:
    """What the variable holds that an edit takes."""
    arguments = edit.module.arguments
    return variable_of_caller(arguments["name"], arguments.get("index"), arguments.get("within"))


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
