"""An input of other sizes than fit, where a line of the program makes it of its sizes alone: that line, with those
that fit.

To say that `z` would have to be of another shape leaves the reader to find who made it so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapewatch.adapters.makings import Making, making_of
from shapewatch.adapters.statements import rewritten
from shapewatch.adapters.unread import held_at_both, line_at
from shapewatch.adapters.written import length_in
from shapewatch.edits import Input
from shapewatch.recording import Recording, Span
from shapewatch.report import Diagnosis, Fix


def or_made_of_sizes(told: Diagnosis, recording: Recording) -> Diagnosis:
    """The diagnosis; a fix that is an input of other sizes, with the line that makes it."""
    fixes, first = [], None
    for at, fix in enumerate(told.fixes):
        found = _made(fix, recording)
        fixes.append(fix if found is None else replace(fix, code=found[1]))
        first = found[0] if found is not None and at == 0 else first
    cause = told.cause
    if first is not None and cause is not None and cause.type == "input":
        cause = replace(cause, location=first)
    return replace(told, cause=cause, fixes=tuple(fixes))


def _made(fix: Fix, recording: Recording) -> tuple[Span, str] | None:
    edit = fix.changes[0] if len(fix.changes) == 1 else None
    outermost = recording.roots
    if not isinstance(edit, Input) or not fix.code.startswith("# ") or not outermost or outermost[-1].span is None:
        return None
    given, used = recording.values[recording.inputs[edit.index]], outermost[-1].span
    making = making_of(given.name or "", used, given.shape)
    if making is None or len(edit.shape) != len(given.shape):
        return None
    changes = []
    for axis, (was, size) in enumerate(zip(given.shape, edit.shape, strict=True)):
        if was != size:
            rows = _rows_of_another(edit, size, making, used, recording) if axis == 0 else None
            changes.append((making.sizes[axis], rows or str(size)))
    return making.line, rewritten(making.source, changes)


def _rows_of_another(edit: Input, size: int | None, making: Making, used: Span, recording: Recording) -> str | None:
    """How to say the number of rows by another input of the call that has so many, and is known at that line."""
    calling, same = line_at(used), held_at_both(making.line, used)
    read = calling.reads if calling is not None else {}
    names = [name for name in _as_long(edit.index, size, recording) if read.get(name) and name in same]
    return length_in(making.library, names[0], 0) if len(names) == 1 else None


def _as_long(index: int, size: int | None, recording: Recording) -> Iterator[str]:
    for at, number in enumerate(recording.inputs):
        value = recording.values[number]
        if at != index and value.name is not None and value.shape[:1] == (size,):
            yield value.name
