"""Lines of a program that make a `tf.data` pipeline, and what their last window or batch is short of.

`window` and `batch` give what is left at the end as it is, unless `drop_remainder=True` says that it is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from shapewatch.adapters.statements import name_called, parsed, statement, with_argument
from shapewatch.recording import Recording, Span
from shapewatch.repair.loaders import data_of_the_loop
from shapewatch.source import span_of, tree_of

_PLACE = {"window": 3, "batch": 1}
"""At which place of its arguments each is told whether to drop what remains."""

_FLATTENING = frozenset({"flat_map", "interleave"})


@dataclass(frozen=True)
class Remaining:
    """A call in a pipeline that keeps what remains: its line, how many it takes and goes on by where these are numbers,
    and the call and its whole statement with what remains dropped."""

    method: str
    line: Span
    count: int | None
    shift: int | None
    call: str
    code: str


def windows_that_end_short(file: str) -> list[Remaining]:
    """The one `window` of a file that keeps what remains, and behind it the one `batch` that makes tensors of windows;
    nothing where there are several, or where no windows are laid in a row."""
    calls = list(_calls(file))
    inner = _in_a_row(calls)
    windows = [(call, at) for call, at in calls if name_called(call) == "window" and _keeps(call)]
    batches = [(call, at) for call, at in calls if id(call) in inner and name_called(call) == "batch"]
    if len(windows) != 1 or not inner or any(not _keeps(call) for call, _ in batches):
        return []
    found = [_remaining(file, *windows[0]), *(_remaining(file, *each) for each in batches if len(batches) == 1)]
    return [each for each in found if each is not None]


def is_shuffled(file: str) -> bool:
    """Whether a pipeline of a file gives its samples in another order than they came."""
    return any(name_called(call) == "shuffle" for call, _ in _calls(file))


def batch_that_ends_short(file: str, recording: Recording) -> Remaining | None:
    """The one `batch` of a file that keeps what remains, but for those that make tensors of windows; of several, the
    one in a line that makes the data of the lines that were running."""
    calls = list(_calls(file))
    inner = _in_a_row(calls)
    batches = [(call, at) for call, at in calls if name_called(call) == "batch" and id(call) not in inner]
    kept = [each for each in batches if _keeps(each[0])]
    if len(kept) > 1:
        running = data_of_the_loop(recording)
        kept = [(call, at) for call, at in kept if (file, at.lineno) in running]
    return _remaining(file, *kept[0]) if len(kept) == 1 else None


def _calls(file: str) -> Iterator[tuple[ast.Call, ast.stmt]]:
    """The methods that a file calls, each with the innermost statement that it stands in."""
    try:
        tree = tree_of(file)
    except (SyntaxError, ValueError, OSError):
        return
    within: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):  # from the outer ones to the inner ones
        if isinstance(node, ast.stmt):
            within |= {id(part): node for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (node.args or node.keywords):
            yield node, within[id(node)]


def _in_a_row(calls: Iterable[tuple[ast.Call, ast.stmt]]) -> set[int]:
    """What stands in the functions by which windows are laid in a row, by identity."""
    flattening = [call for call, _ in calls if name_called(call) in _FLATTENING]
    return {id(part) for call in flattening for each in call.args for part in ast.walk(each)}


def _keeps(call: ast.Call) -> bool:
    named = any(keyword.arg in ("drop_remainder", None) for keyword in call.keywords)
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    return not named and not starred and len(call.args) <= _PLACE[name_called(call)]


def _remaining(file: str, call: ast.Call, at: ast.stmt) -> Remaining | None:
    """What a call in a statement is, and the statement with `drop_remainder=True` in the call."""
    source = statement(span_of(file, at.lineno))
    tree = parsed(source)
    spelled = ast.unparse(call)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    same = [node for node in nodes if ast.unparse(node) == spelled]
    if source is None or len(same) != 1:
        return None
    code = with_argument(source, same[0], "drop_remainder=True")
    return Remaining(
        method=name_called(call),
        line=span_of(file, call.func.end_lineno or at.lineno),
        count=_number(call, 0, ("size", "batch_size")),
        shift=None if _gives(call, "stride") or len(call.args) > 2 else _number(call, 1, ("shift",)),
        call=f"{spelled[:-1]}, drop_remainder=True)",
        code=code,
    )


def _gives(call: ast.Call, argument: str) -> bool:
    return any(keyword.arg == argument for keyword in call.keywords)


def _number(call: ast.Call, place: int, names: Collection[str]) -> int | None:
    given = [*call.args[place : place + 1], *(each.value for each in call.keywords if each.arg in names)]
    value = given[0].value if given and isinstance(given[0], ast.Constant) else None
    return value if type(value) is int else None
