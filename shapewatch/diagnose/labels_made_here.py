"""Labels that the program makes beside the loss, of a batch whose size is written down: `torch.full((rows,), 1.0)` for
real and generated pictures. The last batch of an epoch is smaller, and the labels are not.

No data have labels of another number then: it is the line that makes them which takes its size from elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from shapewatch.adapters.makings import HANDS_ON, Making, making_of
from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.adapters.unread import Line, held_at_both, line_at
from shapewatch.adapters.written import length_in
from shapewatch.edits import Target
from shapewatch.recording import Call, Recording, Shape
from shapewatch.repair.state_of_another_batch import last_left_out
from shapewatch.report import Cause, Diagnosis, Fix

_NOT_TRIED = "the loss is no part of the model"


def or_labels_made_here(told: Diagnosis, recording: Recording) -> Diagnosis:
    """The diagnosis of a loss; where a line of the program makes the labels for a number of samples that is written
    down, with that line for as many as come."""
    failure = recording.failure
    edit = told.fixes[0].changes[0] if told.fixes and told.fixes[0].changes else None
    if failure is None or failure.span is None or not isinstance(edit, Target) or edit.change != "shape":
        return told
    wanted: Shape = edit.arguments["shape"]
    for name, shape in failure.spoken.items():
        making = making_of(name, failure.span, shape)
        if making is None or shape[:1] == wanted[:1] or shape[1:] != wanted[1:] or not _is_written_down(making):
            continue
        size = _size_of_the_data(making, wanted, recording)
        if size is not None:
            return _told(told, name, shape, making, size, recording)
    return told


def _told(told: Diagnosis, name: str, shape: Shape, making: Making, size: str, recording: Recording) -> Diagnosis:
    fix = told.fixes[0]
    answers = fix.changes[0].arguments["shape"][0]  # type: ignore[union-attr]
    code = rewritten(making.source, [(making.sizes[0], size)])
    reason = f"{name} is made for {shape[0]} samples, and this batch has {answers}"
    edit = {"action": "set", "variable": name, "argument": "shape", "value": (None, *shape[1:])}
    anew = Fix(f"{name} for as many samples as come", code, edit, (), recording.framework, None, _NOT_TRIED)
    smaller = answers < (shape[0] or 0)
    left_out = last_left_out(recording, making.line.file, shape[0] or 0, reason, fix.framework) if smaller else None
    fixes = (anew, left_out.fix) if left_out is not None else (anew,)
    return replace(told, cause=Cause(None, name, making.line, reason), fixes=fixes)


def _is_written_down(making: Making) -> bool:
    """Whether the number of samples is a number, or has a name: not the size of something."""
    return bool(making.sizes) and isinstance(making.sizes[0], ast.Constant | ast.Name | ast.Attribute)


def _size_of_the_data(making: Making, wanted: Shape, recording: Recording) -> str | None:
    """The batch of what the model is given, by a variable that is known where the labels are made."""
    calls = [each for each in recording.roots if each.kind != "loss"]
    span = calls[-1].span if calls else None
    calling = line_at(span) if span is not None else None
    if calling is None or span is None or span.file != making.line.file:
        return None
    same = held_at_both(making.line, span)
    names = [name for name in _given(calls[-1], calling, wanted, recording) if name in same]
    return length_in(making.library, names[0], 0) if names else None


def _given(call: Call, calling: Line, wanted: Shape, recording: Recording) -> Iterator[str]:
    """The variables that a line gives the model, where all that it is given has as many samples as there are to be."""
    source = statement(call.span)
    tree = parsed(source)
    if any(recording.shape(value)[:1] != wanted[:1] for value in call.operands) or tree is None:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) == len(call.operands) and not node.keywords:
            for given in map(_unwrapped, node.args):
                if isinstance(given, ast.Name) and calling.reads.get(given.id):
                    yield given.id


def _unwrapped(node: ast.expr) -> ast.expr:
    """`real` of `real.to(device)`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in HANDS_ON:
        node = node.func.value
    return node
