"""A line of a model that ran before with batches, and now is given one sample: the line is right, and what calls the
model is not. Changed in the line, every call that ran would fail."""

from __future__ import annotations

import ast
from dataclasses import replace

from shapewatch.adapters.operand import runs_of_its_line
from shapewatch.adapters.statements import parsed, rewritten, statement, with_axes
from shapewatch.edits import Insert
from shapewatch.recording import Call, Recording, Shape, Span, text
from shapewatch.report import Cause, Diagnosis
from shapewatch.rules import Case


def or_the_caller(told: Diagnosis, case: Case) -> Diagnosis:
    """The diagnosis; where its best fix gives an operand an axis that it had each time before, as what the model is
    called with."""
    edit = told.fixes[0].changes[0] if told.fixes and len(told.fixes[0].changes) == 1 else None
    if not isinstance(edit, Insert) or edit.module.kind != "unsqueeze" or edit.place != case.call.place:
        return told
    if tuple(edit.module.arguments["dims"]) != (0,):
        return told  # a column, and no sample
    recording, value = case.recording, case.call.operands[edit.operand]
    model, given = recording.outermost(case.call), recording.shape(value)
    made = case.graph.producer.get(value)
    wanted = len(given) + 1
    before = [shape for shape in _given_before(case.call, edit.operand, recording) if len(shape) == wanted]
    inside = made is not None and made.number > model.number
    if inside or not before or model is case.call or model.span is None or len(case.graph.consumers[value]) > 1:
        return told
    was = text(before[-1])
    reason = f"it is given {text(given)}, and was given {was} before: one sample lacks the axis of the batch"
    code = _in_a_batch(model.span, wanted)
    fix = replace(told.fixes[0], code=code or f"# a batch of one: {text((1, *given))}", title="a batch of one sample")
    return replace(told, cause=Cause(None, "input", model.span, reason), fixes=(fix,))


def _given_before(call: Call, operand: int, recording: Recording) -> list[Shape]:
    ran = (each for each in runs_of_its_line(call, recording) if each.finished and each.number < call.number)
    return [recording.shape(each.operands[operand]) for each in ran if operand < len(each.operands)]


def _in_a_batch(span: Span, rank: int) -> str | None:
    """The line that calls the model, with an axis in front of the one argument that it gives."""
    source = statement(span)
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    given = [call.args[0] for call in calls if len(call.args) == 1 and not call.keywords]
    if source is None or len(given) != 1 or not isinstance(given[0], ast.Name | ast.Attribute | ast.Subscript):
        return None
    return rewritten(source, [(given[0], with_axes(ast.get_source_segment(source, given[0]) or "", (0,), rank))])
