"""A state that is handed in, made for batches of one size: the last batch of an epoch is smaller."""

from __future__ import annotations

from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape, Span
from shapewatch.repair.loaders import without_drop_last
from shapewatch.repair.pipelines import batch_that_ends_short
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding


def state_of_another_batch(case: Case, finding: Finding, framework: str) -> Odd | None:
    """The line that makes the batches, with a last one that is smaller left out, where one state is kept from batch to
    batch."""
    outermost = case.recording.roots
    if finding.code != "SW603" or len(case.shapes) < 2 or not outermost:
        return None
    state, span = case.call.operands[1], outermost[-1].span
    kept, batch = case.shapes[1][-2:-1], finding.wants[0].demand.get(len(case.shapes[1]) - 2) if finding.wants else None
    if state not in case.recording.inputs or span is None or batch is None or not kept:
        return None
    if batch.exact is None or batch.exact >= (kept[0] or 0):
        return None
    reason = f"the state is one of {kept[0]} samples, and this batch has {batch.exact}"
    return last_left_out(case.recording, span.file, kept[0] or 0, reason, framework)


def smaller_last_batch(case: Case, framework: str) -> Odd | None:
    """The line that makes the batches, where nothing else is known but that the layer ran with larger batches before:
    something was made for these."""
    outermost = case.recording.outermost(case.call)
    earlier = [
        call for call in case.recording.calls if call.is_layer and call.finished and call.number < outermost.number
    ]
    earlier = [call for call in earlier if (call.layer, call.parent) == (outermost.layer, None)]
    if not outermost.is_layer or not earlier or outermost.span is None:
        return None
    ran, comes = ([case.recording.shape(value) for value in call.operands] for call in (earlier[-1], outermost))
    if len(ran) != len(comes) or not ran or not all(map(_is_smaller, comes, ran)):
        return None
    reason = f"with {ran[0][0]} samples it ran, and this batch has {comes[0][0]}: something is made for {ran[0][0]}"
    return last_left_out(case.recording, outermost.span.file, ran[0][0] or 0, reason, framework)


def whole_batches_alone(fix: Fix, recording: Recording) -> Odd | None:
    """The line that makes the batches, for a fix that is an input of as many samples as came before."""
    edit = fix.changes[0] if len(fix.changes) == 1 else None
    outermost = recording.roots
    if not isinstance(edit, Input) or not fix.code.startswith("# ") or len(outermost) < 2:
        return None
    last, given = outermost[-1], recording.shape(recording.inputs[edit.index])
    earlier = [call for call in outermost[:-1] if call.finished and call.layer == last.layer]
    ran = any(edit.shape in map(recording.shape, call.operands) for call in earlier)
    if not ran or last.span is None or not _is_smaller(given, edit.shape):
        return None
    reason = f"with {edit.shape[0]} samples it ran, and this batch has {given[0]}"
    return last_left_out(recording, last.span.file, edit.shape[0] or 0, reason, fix.framework)


def _is_smaller(batch: Shape, earlier: Shape) -> bool:
    return bool(batch and earlier) and batch[1:] == earlier[1:] and (batch[0] or 0) < (earlier[0] or 0)


def last_left_out(recording: Recording, file: str, usual: int, reason: str, framework: str) -> Odd | None:
    """The line that makes the batches, with a last one left out that is smaller than the usual."""
    title = "a last, smaller batch left out"
    loader = without_drop_last(recording, file)
    if loader is not None:
        return _odd(title, loader.with_more("drop_last", "True"), loader.line, reason, "DataLoader", framework)
    batch = batch_that_ends_short(file, recording)
    if batch is None or batch.count not in (None, usual):
        return None
    return _odd(title, batch.code, batch.line, reason, "batch", framework)


def _odd(title: str, code: str, line: Span, reason: str, name: str, framework: str) -> Odd:
    edit = {"action": "set", "variable": name, "argument": "batch", "value": None}
    fix = Fix(title, code, edit, (), framework, None, "the program's own loop is not run again")
    return Odd(Cause(None, name, line, reason), fix, True)
