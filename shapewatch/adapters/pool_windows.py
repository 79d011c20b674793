"""The line that says how wide the window of a pooling is, with a window of some places more: `length - width + 1` for
`length - width`. Of several poolings that it makes, each has a window of its own, which no number would say."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.recording import Recording, Span

_WINDOW = ("ksize", "kernel_size", "pool_size", "window_shape", "window")


def lines_of_windows(edits: Sequence[Edit], recording: Recording) -> list[tuple[Span, str]]:
    """The lines of edits that make windows of poolings wider; none where one of them cannot be said in its line."""
    found: dict[int, tuple[Span, str]] = {}
    for edit in edits:
        span, more = _where(edit, recording), _more(edit)
        if span is None or more is None:
            return []
        code = _wider(statement(span), more)
        if code is None or found.setdefault(span.line, (span, code))[1] != code:
            return []
    return list(found.values())


def _where(edit: Edit, recording: Recording) -> Span | None:
    """Where the window of a pooling is said."""
    if isinstance(edit, Set) and edit.argument == "kernel_size":
        layer = recording.layer_at.get(edit.layer)
        return layer.defined if layer is not None and layer.kind == "pool" else None
    call = recording.at(edit.place) if isinstance(edit, SetCall) and edit.argument == "kernel_size" else None
    return call.span if call is not None and call.kind == "pool" else None


def _more(edit: Edit) -> int | None:
    """By how many places the window is to be wider, along the one axis along which it is."""
    if not isinstance(edit, Set | SetCall):
        return None
    was, value = ((sizes,) if isinstance(sizes, int) else sizes for sizes in (edit.was, edit.value))
    if not isinstance(was, tuple) or not isinstance(value, tuple) or len(was) != len(value):
        return None
    if not all(isinstance(size, int) for size in (*was, *value)):
        return None
    more = [after - before for before, after in zip(was, value, strict=True) if after != before]
    return more[0] if len(more) == 1 and more[0] > 0 else None


def _wider(source: str | None, more: int) -> str | None:
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    pools = [call for call in calls if "pool" in name_called(call).lower()]
    if source is None or len(pools) != 1:
        return None
    (call,) = pools
    said = next((keyword.value for keyword in call.keywords if keyword.arg in _WINDOW), None)
    if said is None:
        at = 0 if name_called(call)[:1].isupper() else 1  # a function is given what it pools first
        said = call.args[at] if len(call.args) > at else None
    if isinstance(said, ast.Tuple | ast.List):
        sides = [node for node in said.elts if not (isinstance(node, ast.Constant) and node.value == 1)]
        said = sides[0] if len(sides) == 1 else None
    if said is None or isinstance(said, ast.Constant):
        return None
    wider = f"{ast.get_source_segment(source, said)} + {more}"
    if isinstance(said, ast.BinOp) and isinstance(said.op, ast.Sub) and isinstance(said.right, ast.Constant):
        less = said.right.value
        if less == more:
            wider = ast.get_source_segment(source, said.left) or wider
    return rewritten(source, [(said, wider)])
