"""Lines of a loop that count the channels of dense blocks: `channels += growth`, behind a block of several layers.

Each layer of such a block gives `growth` channels more, and the block `count * growth` (Huang et al. 2017, DenseNet).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.adapters.around import Function, functions_around
from shapewatch.adapters.statements import atom, name_called, rewritten, statement
from shapewatch.adapters.worked_out import bound
from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of


@dataclass(frozen=True)
class Growth:
    """The line that counts what one layer of a block gives, and that line with what all of them give; `count` is how
    the program says how many these are."""

    line: Span
    variable: str
    by: str
    count: str
    code: str


def counted_for_one(made: Span, block: str) -> Growth | None:
    """What counts, behind the line that makes a block of this class, the channels of one of its layers alone."""
    functions, init = functions_around(made.file, made.line), _constructor(made.file, block)
    call = _construction(functions[0], block) if functions else None
    given = bound(call, init) if call is not None and init is not None else None
    counts = {ast.unparse(given[name]) for name in _ranges(init) if name in given} if given and init else set()
    if call is None or given is None or len(counts) != 1:
        return None
    (count,) = counts
    handed = {ast.unparse(each) for each in given.values()}
    for step in _behind(functions[0], call.lineno):
        target, by = _added(step)
        if target in handed and by is not None and ast.unparse(by) in handed and ast.unparse(by) != count:
            line = span_of(made.file, step.lineno)
            source = statement(line)
            if source is None:
                return None
            return Growth(line, target, ast.unparse(by), count, _with_count(source, ast.unparse(by), count))
    return None


def _construction(function: Function, block: str) -> ast.Call | None:
    """The one place of a function where a block is made: in its list the layer has the line of another statement."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and name_called(node) == block]
    return calls[0] if len(calls) == 1 else None


def _constructor(file: str, block: str) -> Function | None:
    classes = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.ClassDef) and node.name == block]
    steps = classes[0].body if len(classes) == 1 else []
    return next((each for each in steps if isinstance(each, Function) and each.name == "__init__"), None)


def _ranges(init: Function) -> Iterator[str]:
    """The arguments that say how many layers there are: `for i in range(count)`."""
    calls = [node for node in ast.walk(init) if isinstance(node, ast.Call) and name_called(node) == "range"]
    for call in calls:
        if len(call.args) == 1 and isinstance(call.args[0], ast.Name):
            yield call.args[0].id


def _behind(function: Function, line: int) -> Iterator[ast.Assign | ast.AugAssign]:
    steps = [node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AugAssign) and node.lineno > line]
    yield from sorted(steps, key=lambda node: node.lineno)


def _added(step: ast.Assign | ast.AugAssign) -> tuple[str, ast.expr | None]:
    """The variable that a step adds something to, and what."""
    if isinstance(step, ast.AugAssign):
        return ast.unparse(step.target), step.value if isinstance(step.op, ast.Add) else None
    target, value = ast.unparse(step.targets[0]), step.value
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add) and ast.unparse(value.left) == target:
        return target, value.right
    return target, None


def _with_count(source: str, by: str, count: str) -> str:
    tree = ast.parse(source)
    step = tree.body[0]
    assert isinstance(step, ast.Assign | ast.AugAssign)
    _, node = _added(step)
    assert node is not None
    return rewritten(source, [(node, f"{atom(count)} * {atom(by)}")])
