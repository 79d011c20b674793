"""What is fed for a placeholder and has other axes than that one: written in the line that feeds it, or in the one that
makes it, where a line like it does so."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapewatch.adapters.statements import atom, indexed, parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.diagnose.lengths import NOT_TRIED
from shapewatch.diagnose.made_as_beside import made_as_beside
from shapewatch.recording import Recording, Shape, Span, text
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case
from shapewatch.source import span_of


def or_fed_otherwise(told: Diagnosis, case: Case) -> Diagnosis:
    """The diagnosis of a feed, with how the same numbers are fed in the axes of the placeholder."""
    failure = case.recording.failure
    if case.call.kind != "feed" or failure is None or told.fixes:
        return told
    given, wanted = case.shapes
    name = case.called(case.call.operands[1], "")
    fed = next(_fed_for(name, case.facts.get("placeholder", ""), failure.span), None)
    if fed is None or None in given:
        return told
    spelled = ast.get_source_segment(fed.source, fed.node) or ast.unparse(fed.node)
    whole = "int" in case.recording.values[case.call.operands[0]].spec.dtype
    new, reason = _in_its_axes(spelled, given, wanted, whole, case.recording)
    if not new:
        return told
    code, line = rewritten(fed.source, [(fed.node, new)]), fed.line
    alike = made_as_beside(spelled, new, fed.line)
    if alike is not None:
        code, line, reason = alike.code, alike.line, f"{reason}; {alike.reason}"
    edit = {"action": "data", "name": name}
    title = f"feed {name} as {text(wanted)}"
    fix = Fix(title, code, edit, (), case.recording.framework, None, NOT_TRIED)
    return replace(told, cause=Cause(None, "input", line, reason), fixes=(fix,))


@dataclass(frozen=True)
class _Fed:
    """Where a program says what is fed for a placeholder: the line, its text, and the expression in it."""

    line: Span
    source: str
    node: ast.expr


def _in_its_axes(x: str, given: Shape, wanted: Shape, whole: bool, recording: Recording) -> tuple[str, str]:
    """How to write what is fed, and why; nothing where the numbers do not tell. `whole`: it is of whole numbers."""
    sizes = [size or 0 for size in given]
    if given == wanted[1:]:
        return indexed(x, "[None]"), f"{text(given)} is one sample: it lacks the batch axis"
    if None in wanted[1:]:
        return "", ""
    one = math.prod(size or 0 for size in wanted[1:])
    target = ", ".join(str(size) for size in wanted[1:])
    if wanted[1:] == (*given[1:], 1):
        return indexed(x, "[..., None]"), f"{text(given)} lacks the last axis, which is of size 1"
    if len(given) == 1 and len(wanted) == 2 and whole and (wanted[1] or 0) > 1:
        return (
            f"np.eye({wanted[1]})[{x}]",
            f"class numbers are fed, and rows of {wanted[1]} are taken, one for each class",
        )
    if len(given) == len(wanted) > 2 and len(set(given[1:])) == len(given) - 1 and set(given[1:]) == set(wanted[1:]):
        order = ", ".join(str(given.index(size, 1)) for size in wanted[1:])
        return f"{atom(x)}.transpose(0, {order})", f"each sample of {text(given)} has its axes in another order"
    if len(sizes) > 1 and math.prod(sizes[1:]) == one:
        return f"{atom(x)}.reshape(-1, {target})", f"each sample of {text(given)} has {one} numbers, in other axes"
    if len(given) == len(wanted) == 2 and given[0] == wanted[1] != given[1]:
        return f"{atom(x)}.T", f"{text(given)} has its samples on axis 1, where {text(wanted)} has them on axis 0"
    rows, rest = divmod(math.prod(sizes), one) if one else (0, 1)
    if len(sizes) == 1 and not rest and rows in _other_batches(recording):
        joined = f"{sizes[0]} numbers are {rows} samples of {one}, one behind the other"
        stacked = x.replace("np.hstack(", "np.vstack(", 1) if x.startswith("np.hstack(") else ""
        return stacked or f"{atom(x)}.reshape(-1, {target})", joined
    return "", ""


def _other_batches(recording: Recording) -> set[int | None]:
    """How many samples the other arrays have that are fed."""
    fed = [call.operands[0] for call in recording.calls if call.kind == "feed"]
    failure = recording.failure
    spoken = [shape[0] for shape in failure.spoken.values() if shape] if failure is not None else []
    return {recording.shape(value)[0] for value in fed if recording.shape(value)} | set(spoken)


def _fed_for(name: str, placeholder: str, span: Span | None) -> Iterator[_Fed]:
    """What a line feeds for a placeholder, which may be called by the name of what has it: in a dictionary that is
    written there, or in the line that makes it."""
    for line in _with_feeds(span):
        source = statement(line)
        tree = parsed(source)
        for node in ast.walk(tree) if tree is not None else ():
            for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
                if source is not None and key is not None and _is_of(key, name, placeholder):
                    yield _Fed(line, source, value)


def _with_feeds(span: Span | None) -> Iterator[Span]:
    """A line, and those that make the variables that it reads."""
    if span is None:
        return
    yield span
    line = line_at(span)
    for bound in line.variables if line is not None else ():
        if line is not None and bound.lines and bound.position is None and line.reads.get(bound.name):
            yield span_of(span.file, bound.lines.start)


def _is_of(key: ast.expr, name: str, placeholder: str) -> bool:
    if isinstance(key, ast.Constant):
        return str(key.value).partition(":")[0] == placeholder != ""
    return ast.unparse(key).rpartition(".")[2] == name.rpartition(".")[2] != ""
