"""Data of `validation_data` that do not fit, where those that were trained on do.

Both are given in one line, and the model or its loss refuses the second behind the last training step: what is wrong
with them is nothing that the training data need.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.diagnose.lengths import NOT_TRIED
from shapewatch.edits import Input, Target
from shapewatch.recording import Recording, Shape, Span, text
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.source import span_of

_SAID = " The training data fit: these are those of `validation_data`."


@dataclass(frozen=True)
class Part:
    """A part of what a line gives, where it is written: its line, the text of that, the expression; and the arrays in
    it with their shapes, () where these are not known."""

    line: Span
    source: str
    node: ast.expr
    arrays: Sequence[tuple[ast.expr, Shape]]

    def fits(self, shapes: Sequence[Shape]) -> bool:
        pairs = zip(self.arrays, shapes, strict=False)
        return len(self.arrays) == len(shapes) and all(_alike(given, shape) for (_, given), shape in pairs)

    @property
    def is_known(self) -> bool:
        return bool(self.arrays) and all(shape for _, shape in self.arrays)


@dataclass(frozen=True)
class Given:
    """What one line gives for training and for validation: inputs and labels each."""

    line: Span
    inputs: Part
    labels: Part
    validated: Part
    judged: Part
    pair: Part


def or_of_validation(told: Diagnosis, recording: Recording) -> Diagnosis:
    """The diagnosis; of data that are those of the validation, with these written otherwise."""
    failing, failure = recording.failing_call(), recording.failure
    data = next(_given(recording), None) if failing is not None and failure is not None else None
    if data is None or failing is None:
        return told
    if failing.kind == "loss":
        target = failing.operands[failing.facts.get("target", 1)] if len(failing.operands) > 1 else None
        shapes = [] if target is None else [recording.shape(target)]
        theirs = data.labels.is_known and not data.labels.fits(shapes) and data.judged.fits(shapes)
        return _labels(told, data) if shapes and theirs else told
    shapes = [recording.shape(number) for number in recording.inputs]
    unlike = data.inputs.is_known and not data.inputs.fits(shapes)
    known = data.validated.is_known
    if data.inputs.is_known and data.inputs.fits(shapes) and not (known and data.validated.fits(shapes)):
        return _in_the_line(told, data.inputs)
    if not unlike or (known and not data.validated.fits(shapes)):
        return told
    if not known and failure is not None and data.line != failure.span:
        return told  # a callback, which `fit` runs, may have called the model with other data
    return _reversed(told, data, recording) or _inputs(told, data)


def _labels(told: Diagnosis, data: Given) -> Diagnosis:
    fixes = [_with_labels(fix, data) for fix in told.fixes]
    return replace(_said(told), fixes=tuple(fixes))


def _with_labels(fix: Fix, data: Given) -> Fix:
    """A fix of the labels that were trained on, as one of those of the validation."""
    bare = fix.code.partition("  # ")[0]
    name, _, changed = bare.partition(" = ")
    only = fix.changes[0] if len(fix.changes) == 1 else None
    if not isinstance(only, Target) or not changed or not name.isidentifier() or "\n" in bare:
        return fix
    node = data.judged.node
    anew = re.sub(rf"\b{name}\b", lambda _: ast.unparse(node), changed)
    line = isinstance(node, ast.Name)
    return replace(fix, code=f"{ast.unparse(node)} = {anew}" if line else rewritten(data.judged.source, [(node, anew)]))


def _reversed(told: Diagnosis, data: Given, recording: Recording) -> Diagnosis | None:
    """Labels and inputs of the validation in each other's place."""
    trained, labels = (part.arrays[0][1] if len(part.arrays) == 1 else () for part in (data.inputs, data.labels))
    first, second = (part.arrays[0][1] if len(part.arrays) == 1 else () for part in (data.validated, data.judged))
    shapes = (trained, labels, first, second)
    if not all(shapes) or _alike(trained, labels) or not _alike(first, labels) or not _alike(second, trained):
        return None
    one, other = data.validated.node, data.judged.node
    names = ast.unparse(other), ast.unparse(one)
    if data.validated.line != data.pair.line or data.judged.line != data.pair.line:
        return None
    code = rewritten(data.pair.source, [(one, names[0]), (other, names[1])])
    reason = f"`validation_data` is inputs and labels, in this order: {names[1]} is {text(first)}, as the labels are"
    edit = {"action": "data", "argument": "validation_data"}
    fix = Fix(f"validation_data=({', '.join(names)})", code, edit, (), recording.framework, None, NOT_TRIED)
    return replace(_said(told), cause=Cause("input", "input", data.pair.line, reason), fixes=(fix,))


def _inputs(told: Diagnosis, data: Given) -> Diagnosis:
    told, best = _said(told), told.fixes[0] if told.fixes else None
    if best is None or len(_exchanged(best)) != 2:
        return told
    title = "the inputs of validation_data in each other's place"
    reason = "; ".join(["the inputs of `validation_data` stand in another order", *best.evidence])
    cause = Cause("input", "input", data.validated.line, reason)
    unwritten = replace(told, cause=cause, fixes=(replace(best, title=title, code=f"# {title}"), *told.fixes[1:]))
    return _in_the_line(unwritten, data.validated)


def _in_the_line(told: Diagnosis, part: Part) -> Diagnosis:
    """The diagnosis; inputs in each other's place, which no line says yet, in the list that has them."""
    best = told.fixes[0] if told.fixes else None
    places = _exchanged(best) if best is not None else []
    listed = isinstance(part.node, ast.List | ast.Tuple) and len(places) == 2 and places[-1] < len(part.arrays)
    if best is None or not listed or not best.code.startswith("# "):
        return told
    (one, _), (other, _) = (part.arrays[place] for place in places)
    code = rewritten(part.source, [(one, ast.unparse(other)), (other, ast.unparse(one))])
    return replace(told, fixes=(replace(best, code=code), *told.fixes[1:]))


def _exchanged(fix: Fix) -> list[int]:
    """Which inputs a fix puts in each other's place."""
    edits = [edit for edit in fix.changes if isinstance(edit, Input)]
    return sorted(edit.index for edit in edits if edit.change == "exchange")


def _said(told: Diagnosis) -> Diagnosis:
    return replace(told, explanation=f"{told.explanation}{_SAID}")


def _alike(given: Shape, wanted: Shape) -> bool:
    """Whether arrays are of one shape but for the number of samples, and for a last axis of size 1."""
    one, other = (shape[1:-1] if len(shape) > 1 and shape[-1] == 1 else shape[1:] for shape in (given, wanted))
    return bool(given) and len(one) == len(other) and all(b is None or a == b for a, b in zip(one, other, strict=True))


# What the line says


def _given(recording: Recording) -> Iterator[Given]:
    """What the call of `fit` in a running line gives, where it gives data to validate on."""
    failure = recording.failure
    for span in (failure.span, *reversed(failure.stack)) if failure is not None else ():
        source = statement(span)
        tree = parsed(source)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
        for call in (each for each in calls if name_called(each) == "fit"):
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            inputs, labels = (_argument(call, at, named.get(name)) for at, name in enumerate(("x", "y")))
            both = named.get("validation_data")
            if span is None or source is None or inputs is None or labels is None or both is None:
                continue
            here = Part(span, source, both, ())
            pair = _written(both, here, recording)
            if isinstance(pair.node, ast.Tuple | ast.List) and len(pair.node.elts) > 1:
                first, second = (_written(node, pair, recording) for node in pair.node.elts[:2])
                trained, labelled = (_written(node, here, recording) for node in (inputs, labels))
                yield Given(span, trained, labelled, first, second, pair)


def _argument(call: ast.Call, place: int, named: ast.expr | None) -> ast.expr | None:
    return call.args[place] if place < len(call.args) else named


def _written(node: ast.expr, within: Part, recording: Recording) -> Part:
    """A part of a line, or the list in another line that a variable in it stands for."""
    spoken = recording.failure.spoken if recording.failure is not None else {}
    line = line_at(within.line) if isinstance(node, ast.Name) and node.id not in spoken else None
    variables = line.variables if line is not None else ()
    bound = next((each for each in variables if each.name == ast.unparse(node)), None)
    if bound is not None and bound.lines and bound.position is None:
        made = span_of(within.line.file, bound.lines.start)
        source = statement(made)
        tree = parsed(source)
        value = tree.body[0].value if tree is not None and isinstance(tree.body[0], ast.Assign) else None
        if source is not None and isinstance(value, ast.List | ast.Tuple):
            within, node = Part(made, source, value, ()), value
    entries = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return Part(within.line, within.source, node, [(each, spoken.get(ast.unparse(each), ())) for each in entries])
