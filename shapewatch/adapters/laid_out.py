"""Lines that lay data out for a model by a `reshape`: where the model takes another shape, that is the line to change.

What a `reshape` has laid out wrongly stays wrong when its axes are exchanged behind it: the numbers of one sample are
mixed. With the sizes that are meant it lays them out as they are.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape, Span
from shapewatch.source import span_of


def laid_out_by_its_line(edit: Input, recording: Recording) -> str | None:
    """The line that reshapes an input, with the sizes that fit; None where no line does, or the input has other
    numbers."""
    failure, number = recording.failure, recording.inputs[edit.index] if edit.index < len(recording.inputs) else None
    if failure is None or failure.span is None or number is None:
        return None
    value, made = recording.values[number], recording.producer.get(number)
    line = _making(value.name, failure.span) if value.name else failure.span
    source = statement(made.span if made is not None and made.kind == "reshape" else line)
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    found = [sizes for call in calls if (sizes := _sizes(call)) is not None]
    if source is None or len(found) != 1 or len(found[0]) != len(value.shape):
        return None
    return _with_sizes(source, found[0], value.shape, edit)


def _making(name: str, span: Span) -> Span | None:
    """The line that gave a variable what it holds at another line."""
    line = line_at(span)
    made = [bound.lines for bound in line.variables if bound.name == name and bound.lines] if line is not None else []
    return span_of(span.file, made[0].start) if len(made) == 1 else None


def _sizes(call: ast.Call) -> Sequence[ast.expr] | None:
    """What a `reshape` says of the sizes: `x.reshape(-1, 28, 28)`, `np.reshape(x, (-1, 28, 28))`."""
    if name_called(call) != "reshape" or call.keywords:
        return None
    module = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("np", "numpy", "tf", "torch")
    given = call.args[1:] if module or not isinstance(call.func, ast.Attribute) else call.args
    if len(given) == 1 and isinstance(given[0], ast.Tuple | ast.List):
        return given[0].elts
    return given if len(given) > 1 else None


def _with_sizes(source: str, sizes: Sequence[ast.expr], was: Shape, edit: Input) -> str | None:
    inside, wanted = was[1:], edit.shape[1:]
    if None in (*inside, *wanted) or math.prod(inside) != math.prod(wanted):  # type: ignore[arg-type]
        return None
    written = [ast.get_source_segment(source, size) or "" for size in sizes]
    if edit.change == "permute" and edit.arguments["dims"][0] == 0:
        changes = list(zip(sizes[1:], [written[axis] for axis in edit.arguments["dims"][1:]], strict=True))
        return rewritten(source, changes)
    last = [(sizes[-1], ", ".join(map(str, wanted)))] if len(sizes) == 2 else []
    same = len(wanted) == len(sizes) - 1 > 1
    changes = [(size, str(new)) for size, new in zip(sizes[1:], wanted, strict=True)] if same else last
    return rewritten(source, changes) if changes else None
