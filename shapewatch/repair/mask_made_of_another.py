"""A mask that is made above the call of a model, as long as another variable than the one that is given to it: of the
whole target, where the decoder is given the target without its last step."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shapewatch.adapters.statements import parsed, statement
from shapewatch.adapters.unread import Bound, Line, line_at, made_at, reading
from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape, Span
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case
from shapewatch.source import span_of


@dataclass(frozen=True)
class _Making:
    """The line that makes a mask and, of it, the expression that does."""

    line: Span
    value: ast.expr
    name: str


def mask_made_of_another(case: Case, framework: str) -> Odd | None:
    """The line that makes a mask, with the variable that the model is given in the place of the one that it is cut
    from."""
    recording = case.recording
    outermost = recording.roots
    span = outermost[-1].span if outermost else None
    calling = line_at(span) if span is not None else None
    given = _given(span, recording) if span is not None else {}
    for index, value in given.items():
        shape = recording.shape(recording.inputs[index])
        making = _making(value, span) if span is not None else None
        if making is None or calling is None or len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] in (None, 1):
            continue
        for name, instead, length in _variables(making, calling, given, recording):
            code = reading(statement(making.line), name, instead)
            if code is not None and length != shape[-1]:
                anew = Input(index, "size", {"plain": True}, (*shape[:-2], length, length))
                return _odd(making, name, instead, code, anew, shape, framework)
    return None


def _odd(making: _Making, name: str, instead: str, code: str, anew: Input, shape: Shape, framework: str) -> Odd:
    reason = (
        f"it is made for the {shape[-1]} steps of `{instead}`, and the model is given `{name}`, which is cut from it "
        f"and has {anew.shape[-1]}"
    )
    edit = {"action": "set", "variable": making.name, "argument": instead, "value": name}
    why_not = "the program's own lines are not run again"
    fix = Fix(f"`{name}` in the place of `{instead}`", code, edit, (anew,), framework, None, why_not)
    return Odd(Cause(None, making.name, making.line, reason), fix, True)


def _given(span: Span, recording: Recording) -> Mapping[int, ast.expr]:
    """What a line gives the model, by the number of the input, where each is one."""
    tree = parsed(statement(span))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    whole = [[*call.args, *(keyword.value for keyword in call.keywords)] for call in calls]
    found = [row for row in whole if len(row) == len(recording.inputs) > 1]
    return dict(enumerate(found[0])) if len(found) == 1 else {}


def _making(value: ast.expr, span: Span) -> _Making | None:
    """Where what is given is made: in the line itself, or in the one that gives a variable its value."""
    if isinstance(value, ast.Call):
        return _Making(span, value, "mask")
    line = made_at(value.id, span) if isinstance(value, ast.Name) else None
    made = _assigned(line) if line is not None else None
    if line is None or made is None or not isinstance(value, ast.Name) or not isinstance(made.value, ast.Call):
        return None
    return _Making(line, made.value, value.id)


def _variables(
    making: _Making, calling: Line, given: Mapping[int, ast.expr], recording: Recording
) -> Iterator[tuple[str, str, int]]:
    """A variable that the model is given, the one that it is cut from and that the mask is made of, and how long the
    first one is."""
    there = line_at(making.line)
    names = {each.id for each in given.values() if isinstance(each, ast.Name)}
    read = {node.id for node in ast.walk(making.value) if isinstance(node, ast.Name)}
    for index, value in given.items():
        bound = calling.given(value.id) if isinstance(value, ast.Name) and value.id not in read else None
        if bound is None or there is None or there.given(bound.name) is None:
            continue
        line = span_of(making.line.file, bound.lines.start)
        for instead in _cut_from(line, bound) & read - names:
            size = _length(making.value, instead, recording.shape(recording.inputs[index]))
            before, now = (each.given(instead) for each in (there, calling))
            if size is not None and before is not None and now is not None and before.lines == now.lines:
                yield bound.name, instead, size


def _assigned(line: Span) -> ast.Assign | None:
    tree = parsed(statement(line))
    step = tree.body[0] if tree is not None and tree.body else None
    return step if isinstance(step, ast.Assign) and len(step.targets) == 1 else None


def _cut_from(line: Span, bound: Bound) -> set[str]:
    """The variable that another one is a slice of: `tgt` in `tgt_in, tgt_out = tgt[:, :-1], tgt[:, 1:]`."""
    made = _assigned(line)
    value = made.value if made is not None else None
    if bound.position is not None:
        value = value.elts[bound.position] if isinstance(value, ast.Tuple) else None
    if not isinstance(value, ast.Subscript) or not isinstance(value.value, ast.Name):
        return set()
    slices = [node for node in ast.walk(value.slice) if isinstance(node, ast.Slice)]
    return {value.value.id} if any(each.lower or each.upper for each in slices) else set()


def _length(value: ast.expr, name: str, shape: Shape) -> int | None:
    """The size of a shape which an expression reads of a variable: `tgt.size(1)`, `tgt.shape[-1]`, `len(tgt)`. None
    where it calculates with it."""
    if any(isinstance(node, ast.BinOp) for node in ast.walk(value)):
        return None
    for node in ast.walk(value):
        axis = None
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr="size"), args=[at]) if of == name:
                axis = at
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=of), attr="shape"), slice=at) if of == name:
                axis = at
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=of)]) if of == name:
                axis = ast.Constant(0)
        number = _number(axis) if axis is not None else None
        if number is not None and -len(shape) <= number < len(shape):
            return shape[number]
    return None


def _number(node: ast.expr) -> int | None:
    try:
        number = ast.literal_eval(node)
    except ValueError:
        return None
    return number if isinstance(number, int) else None
