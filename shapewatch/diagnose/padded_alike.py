"""Sequences that a program pads to no length, for a model that takes one."""

from __future__ import annotations

import ast
from dataclasses import replace

from shapewatch.adapters.statements import function_called, statement, with_argument
from shapewatch.edits import Input
from shapewatch.recording import Recording, Span
from shapewatch.repair import assigned_line
from shapewatch.report import Diagnosis

_TAKING = frozenset({"predict", "fit", "evaluate", "predict_on_batch"})


def padded_alike(told: Diagnosis, recording: Recording) -> Diagnosis | None:
    """The diagnosis of sequences of another length, with the line that pads them to no length said to pad them to the
    one that the model takes."""
    edit = told.fixes[0].changes[0] if told.fixes and len(told.fixes[0].changes) == 1 else None
    span = recording.failure.span if recording.failure is not None else None
    if not isinstance(edit, Input) or edit.change != "size" or len(edit.shape) != 2 or told.cause is None:
        return None
    name = _given(span) if span is not None else None
    line = assigned_line(span.file, name, span.line) if span is not None and name is not None else None
    source = statement(line)
    pads = function_called(source, {"pad_sequences"})
    if source is None or pads is None or any(keyword.arg == "maxlen" for keyword in pads.keywords):
        return None
    code = with_argument(source, pads, f"maxlen={edit.shape[1]}")
    fix = replace(told.fixes[0], code=code, title=f"{name} padded to {edit.shape[1]}")
    return replace(told, cause=replace(told.cause, location=line), fixes=(fix, *told.fixes[1:]))


def _given(span: Span) -> str | None:
    """The variable that a line gives a model."""
    header = span.source is not None and span.source.endswith(":")
    call = function_called(f"{span.source} pass" if header else statement(span), _TAKING)
    return call.args[0].id if call is not None and call.args and isinstance(call.args[0], ast.Name) else None
