"""What the program calls its tensors: the names under which its own frames hold them when it has failed.

Read on the error path alone. A weight that no layer has, a placeholder or a target has no other name than this one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from types import FrameType, TracebackType
from typing import Any

from shapewatch.recording import Recording
from shapewatch.source import is_foreign

MOST = 5_000
"""Objects that are looked at: a program may keep lists of millions."""

Number = Callable[[Any], Sequence[int]]
"""The values that an object of the program's stands for, in a recording; none for most."""


def with_names(recording: Recording, traceback: TracebackType | None, numbers: Number) -> Recording:
    """The recording, with the names of values that the program's own frames have for them.

    What a model calls a weight goes before; of what a call gave, only what the failing call took gets a name. A weight
    is called as where it was made, an intermediate value as where it failed.
    """
    failing = recording.failing_call()
    taken = frozenset(() if failing is None else failing.operands)
    inner: dict[int, str] = {}
    outer: dict[int, str] = {}
    for frame in reversed(list(_frames(traceback))):
        here = {number: name for name, held in reversed(list(_held(frame))) for number in numbers(held)}
        inner, outer = here | inner, outer | here
    values = list(recording.values)
    for value in recording.values:
        if value.name is None and value.number in inner and (value.origin != "call" or value.number in taken):
            name = (inner if value.origin == "call" else outer)[value.number]
            values[value.number] = replace(value, name=name)
    return replace(recording, values=tuple(values)) if inner else recording


def name_of(wanted: object, traceback: TracebackType | None) -> str | None:
    """What the program calls an object; None where no variable of its frames holds it."""
    frames = reversed(list(_frames(traceback)))
    return next((name for frame in frames for name, held in _held(frame) if held is wanted), None)


def _held(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """Names and objects of a frame, what is in lists, dictionaries and objects after what has a name of its own."""
    scopes = [frame.f_locals] if frame.f_locals is frame.f_globals else [frame.f_locals, frame.f_globals]
    named = [(name, held) for scope in scopes for name, held in list(scope.items()) if not name.startswith("__")]
    yield from islice(chain(named, *(_inside(name, held) for name, held in named)), MOST)


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        if not is_foreign(traceback.tb_frame.f_code.co_filename):
            yield traceback.tb_frame
        traceback = traceback.tb_next


def _inside(name: str, held: object) -> Iterator[tuple[str, Any]]:
    """What a list, a dictionary or an object of the program's own class holds, one step in."""
    if isinstance(held, Mapping):
        yield from ((f"{name}[{key!r}]", item) for key, item in list(held.items()) if isinstance(key, str | int))
    elif isinstance(held, list | tuple):
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(held))
    elif not isinstance(held, type) and _is_programs_own(type(held)):
        yield from ((f"{name}.{attribute}", item) for attribute, item in list(getattr(held, "__dict__", {}).items()))


def _is_programs_own(cls: type) -> bool:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return cls.__module__ == "__main__" or (file is not None and not is_foreign(file))
