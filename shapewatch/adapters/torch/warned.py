"""Warnings that name the line which they would without a function mode of ours.

What C++ warns of is put down to the frame of Python that called it, and what `torch.nn.functional` warns of to the one
that called that: under a function mode, both are frames of the mode. So a warning that names one of ours is given
again, to the frame behind it. There it goes through the program's filters and is counted: a line is warned of once.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import ExitStack
from types import FrameType

from torch.overrides import handle_torch_function

from shapewatch.adapters.taps import Once, Tap, our_files

_DISPATCH = handle_torch_function.__code__
_SHOWN = Tap(warnings, "_showwarnmsg")


def name_the_programs_line(stack: ExitStack) -> None:
    """Until the stack is closed."""
    _SHOWN.listen(_given_again, stack)


def _given_again(original: Once, message: warnings.WarningMessage) -> None:
    ours = _named(message)
    frame = None if ours is None else _behind(ours)
    if ours is None or frame is None:
        original(message)
        return
    ours.f_globals.pop("__warningregistry__", None)  # else the next line of the program's would be taken for this one
    warnings.warn_explicit(
        message.message,
        message.category,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__"),
        frame.f_globals.setdefault("__warningregistry__", {}),
        source=message.source,
    )


def _named(message: warnings.WarningMessage) -> FrameType | None:
    """The frame of ours that a warning names."""
    if message.filename not in our_files():
        return None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (frame.f_code.co_filename, frame.f_lineno) != (message.filename, message.lineno):
        frame = frame.f_back
    return frame


def _behind(frame: FrameType | None) -> FrameType | None:
    """The first frame that is not ours. A function of Python's that is sent through the mode stands there twice."""
    while frame is not None and frame.f_code.co_filename in our_files():
        frame = frame.f_back
        if frame is not None and frame.f_code is _DISPATCH and frame.f_back is not None:
            frame = frame.f_back.f_back
    return frame
