"""What a line of code writes down, changed as the program would be: each time that the line runs.

A pass that failed tells only of the times before: of a loop whose second line raised, the first turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from shapewatch.edits import WRITTEN_DOWN
from shapewatch.source import calling_frame


class RewrittenLines:
    """The calls of operations whose arguments were replaced, by the place in the code that makes them."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, CodeType, int], Mapping[str, Any]] = {}

    def arguments(
        self, name: str, frame: FrameType | None, replaced: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """What is to be replaced in an operation: as said of this one, or as when its line ran before."""
        frame = calling_frame(frame)
        if frame is None:
            return replaced
        line = (name, frame.f_code, frame.f_lasti)
        if replaced is not None:
            self._lines[line] = {key: value for key, value in replaced.items() if key in WRITTEN_DOWN}
            return replaced
        return self._lines.get(line)
