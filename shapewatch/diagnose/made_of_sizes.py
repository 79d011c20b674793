"""An input of other sizes than fit, where a line of the program makes it of its sizes alone: that line, with those
that fit.

To say that `z` would have to be of another shape leaves the reader to find who made it so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapewatch.adapters.makings import Making, making_of
from shapewatch.adapters.statements import rewritten
from shapewatch.adapters.unread import Line, line_at
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
    outermost = [call for call in recording.calls if call.is_layer and call.parent is None]
    if not isinstance(edit, Input) or not fix.code.startswith("# ") or not outermost or outermost[-1].span is None:
        return None
    given, used = recording.values[recording.inputs[edit.index]], outermost[-1].span
    calling = line_at(used)
    making = making_of(given.name or "", used, calling, given.shape) if calling is not None else None
    if making is None or calling is None or len(edit.shape) != len(given.shape):
        return None
    changes = []
    for axis, (was, size) in enumerate(zip(given.shape, edit.shape, strict=True)):
        if was != size:
            rows = _rows_of_another(edit, size, making, calling, recording) if axis == 0 else None
            changes.append((making.sizes[axis], rows or str(size)))
    return making.line, rewritten(making.source, changes)


def _rows_of_another(edit: Input, size: int | None, making: Making, calling: Line, recording: Recording) -> str | None:
    """How to say the number of rows by another input of the call that has so many, and is known at that line."""
    there = line_at(making.line)
    known = {each.name: each.lines for each in there.variables} if there is not None else {}
    same = {each.name for each in calling.variables if known.get(each.name, range(-1, 0)) == each.lines}
    names = [name for name in _as_long(edit.index, size, recording) if calling.reads.get(name) and name in same]
    if len(names) != 1:
        return None
    library = making.function.partition(".")[0]
    form = {"torch": "{}.size(0)", "tf": "tf.shape({})[0]"}.get(library, "{}.shape[0]")
    return form.format(names[0])


def _as_long(index: int, size: int | None, recording: Recording) -> Iterator[str]:
    for at, number in enumerate(recording.inputs):
        value = recording.values[number]
        if at != index and value.name is not None and value.shape[:1] == (size,):
            yield value.name
