"""A state that is handed in, made for batches of one size: the last batch of an epoch is smaller."""

from __future__ import annotations

import ast

from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.adapters.written import length_in
from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape, Span
from shapewatch.repair.loaders import without_drop_last
from shapewatch.repair.pipelines import batch_that_ends_short
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding
from shapewatch.source import span_of, tree_of


def state_of_another_batch(case: Case, finding: Finding, framework: str) -> Odd | None:
    """The line that makes a state for each batch, with the size of the batch that comes; or, where one state is kept
    from batch to batch, the line that makes the batches, with a last one that is smaller left out."""
    outermost = [call for call in case.recording.calls if call.is_layer and call.parent is None]
    if finding.code != "SW603" or len(case.shapes) < 2 or not outermost:
        return None
    state, span = case.call.operands[1], outermost[-1].span
    kept, batch = case.shapes[1][-2:-1], finding.wants[0].demand.get(len(case.shapes[1]) - 2) if finding.wants else None
    if state not in case.recording.inputs or span is None or batch is None or not kept:
        return None
    try:
        tree = tree_of(span.file)
    except (SyntaxError, ValueError):
        return None
    given = _given(span)
    if batch.exact is None:
        return None
    first = case.recording.shape(case.recording.inputs[0])
    known = given is not None and batch.exact in first
    size = None if given is None or not known else _length(framework, given[0], first.index(batch.exact))
    made = _made_in_the_loop(tree, given[1], span) if given is not None else None
    reason = f"the state is one of {kept[0]} samples, and this batch has {batch.exact}"
    if given is not None and made is not None and size is not None:
        line = span_of(span.file, made.lineno)
        source = statement(line) or ast.unparse(made)
        anew = rewritten(source, [(_argument(source), size)])
        return _odd(f"{given[1]} for as many samples as come", anew, line, reason, given[1], framework)
    if batch.exact >= (kept[0] or 0):
        return None
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
    outermost = [call for call in recording.calls if call.is_layer and call.parent is None]
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


def _length(framework: str, x: str, axis: int) -> str:
    return f"{x}.size({axis})" if framework == "torch" else length_in("tensorflow", x, axis)


def _odd(title: str, code: str, line: Span, reason: str, name: str, framework: str) -> Odd:
    edit = {"action": "set", "variable": name, "argument": "batch", "value": None}
    fix = Fix(title, code, edit, (), framework, None, "the program's own loop is not run again")
    return Odd(Cause(None, name, line, reason), fix, True)


def _given(span: Span) -> tuple[str, str] | None:
    """What the line that calls the model gives for the input and for the state, where both are variables."""
    source = statement(span)
    tree = parsed(source)
    nodes = list(ast.walk(tree)) if tree is not None else []
    calls = [node for node in nodes if isinstance(node, ast.Call) and len(node.args) > 1]
    names = [node.args[:2] for node in calls if all(isinstance(each, ast.Name) for each in node.args[:2])]
    return (ast.unparse(names[0][0]), ast.unparse(names[0][1])) if len(names) == 1 else None


def _made_in_the_loop(tree: ast.Module, name: str, span: Span) -> ast.Assign | None:
    """The statement of the loop around a call that makes the state anew, of one argument."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
    around = [loop for loop in loops if loop.lineno <= span.line <= (loop.end_lineno or 0)]
    for each in around[-1].body if around else []:
        if isinstance(each, ast.Assign) and each.lineno < span.line and ast.unparse(each.targets[0]) == name:
            value = each.value
            itself = any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))
            if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords and not itself:
                return each
    return None


def _argument(source: str) -> ast.expr:
    line = ast.parse(source).body[0]
    assert isinstance(line, ast.Assign)
    assert isinstance(line.value, ast.Call)
    return line.value.args[0]
