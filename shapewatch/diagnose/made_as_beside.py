"""An array that one line makes as another line makes its sibling, but for what stands behind the call: the training
labels are transposed, and those of the test are not."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of


@dataclass(frozen=True)
class AsBeside:
    """The line that makes an array, written as its sibling is, and what speaks for it."""

    line: Span
    code: str
    reason: str


def made_as_beside(name: str, wanted: str, used: Span) -> AsBeside | None:
    """How the line that makes a variable has to be written for it to be what is wanted, where another line that calls
    the same function is written so: `wanted` is the variable with something behind it, `labels.T`."""
    behind = wanted.removeprefix(name)
    here = line_at(used)
    bound = next((each for each in here.variables if each.name == name), None) if here is not None else None
    if not behind or behind == wanted or bound is None or not bound.lines or bound.position is not None:
        return None
    line = span_of(used.file, bound.lines.start)
    source = statement(line)
    tree = parsed(source)
    made = tree.body[0] if tree is not None and tree.body else None
    if source is None or not isinstance(made, ast.Assign) or not isinstance(made.value, ast.Call):
        return None
    function = ast.unparse(made.value.func)
    for other in ast.walk(tree_of(used.file)):
        if isinstance(other, ast.Assign) and _ends_so(other.value, function, behind):
            code = rewritten(source, [(made.value, f"{ast.get_source_segment(source, made.value)}{behind}")])
            return AsBeside(line, code, f"line {other.lineno}, which calls `{function}` too, ends in `{behind}`")
    return None


def _ends_so(value: ast.expr, function: str, behind: str) -> bool:
    """Whether a line calls the function, with the same behind the call."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and ast.unparse(node.func) == function]
    return any(ast.unparse(value) == ast.unparse(ast.parse(f"{ast.unparse(call)}{behind}")) for call in calls)
