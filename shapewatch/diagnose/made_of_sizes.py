"""An input of other sizes than fit, where a line of the program makes it of its sizes alone: that line, with those
that fit.

To say that `z` would have to be of another shape leaves the reader to find who made it so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import Line, line_at
from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape, Span
from shapewatch.report import Diagnosis, Fix
from shapewatch.source import span_of, tree_of

_OF_SIZES = frozenset({"randn", "rand", "zeros", "ones", "empty"})
"""Functions that take sizes one by one; of the others they are a list."""

_MAKES = _OF_SIZES | frozenset(
    "normal uniform full fill randint random random_sample standard_normal integers truncated_normal".split()
)

HANDS_ON = frozenset(
    "to cuda cpu float long double half int type astype Variable Tensor FloatTensor LongTensor from_numpy tensor "
    "as_tensor array asarray convert_to_tensor constant cast requires_grad_ detach clone numpy".split()
)
"""What gives the numbers that it is given in the same shape."""


@dataclass(frozen=True)
class Making:
    """The line that makes an input, its text, the function that does and the sizes that it is given."""

    line: Span
    source: str
    function: str
    sizes: Sequence[ast.expr]


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


def making_of(name: str, used: Span, calling: Line, shape: Shape) -> Making | None:
    bound = next((each for each in calling.variables if each.name == name and each.lines), None)
    if bound is None or bound.position is not None or not calling.reads.get(name):
        return None
    statements = (node for node in ast.walk(tree_of(used.file)) if isinstance(node, ast.Assign))
    made = next((node for node in statements if node.lineno == bound.lines.start), None)
    line = span_of(used.file, made.lineno) if made is not None else None
    source = statement(line)
    tree = parsed(source)
    value = tree.body[0].value if tree is not None and tree.body and isinstance(tree.body[0], ast.Assign) else None
    call = _maker(value) if value is not None else None
    sizes = _sizes(call, shape) if call is not None else None
    if line is None or source is None or call is None or sizes is None:
        return None
    return Making(line, source, ast.unparse(call.func), sizes)


def _maker(value: ast.expr) -> ast.Call | None:
    """The call that makes what is handed on as it is: that of `randn` in `torch.randn(4, 3).to(device)`."""
    while isinstance(value, ast.Call) and name_called(value) not in _MAKES:
        of = value.func.value if isinstance(value.func, ast.Attribute) else None
        inner = [each for each in (of, *value.args[:1]) if isinstance(each, ast.Call)]
        if name_called(value) not in HANDS_ON or len(inner) != 1:
            return None
        value = inner[0]
    return value if isinstance(value, ast.Call) else None


def _sizes(call: ast.Call, shape: Shape) -> Sequence[ast.expr] | None:
    """The expressions of the sizes, one for each axis, where the numbers among them are those of the input."""
    given = [*call.args, *(each.value for each in call.keywords if each.arg in ("size", "shape"))]
    lists = [each.elts for each in given if isinstance(each, ast.Tuple | ast.List)]
    one_by_one = name_called(call) in _OF_SIZES and not lists
    sizes = lists[0] if len(lists) == 1 else call.args if one_by_one else []
    if len(sizes) != len(shape) or any(isinstance(each, ast.Starred) for each in sizes):
        return None
    numbers = [(each.value, size) for each, size in zip(sizes, shape, strict=True) if isinstance(each, ast.Constant)]
    return sizes if all(size in (None, number) for number, size in numbers) else None


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
