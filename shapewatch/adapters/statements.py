"""Statements of the program: read where they stand, and written anew with parts of them replaced.

What is not replaced keeps its quotes, its spaces and its names.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import TypeGuard

from shapewatch.recording import Span
from shapewatch.source import parse, tree_of


def axes_line(expression: str | None, dims: Sequence[int], rank: int) -> str | None:
    """A line of its own before the user's, where the operand has a name: several of these can be pasted together."""
    named = expression is not None and expression.isidentifier()
    return f"{expression} = {with_axes(expression or '', dims, rank)}" if named else None


def with_axes(expression: str, dims: Sequence[int], rank: int) -> str:
    """`x[:, None, None, :]`, with new axes at `dims` of a result of that rank; the same in every framework."""
    items = ["None" if axis in dims else ":" for axis in range(rank)]
    node = _expression(expression)
    there = _whole_items(node)
    if there is not None and isinstance(node, ast.Subscript):  # `x[:, None]` and two axes more are one index
        kept = iter(there)
        items = [item if item == "None" else next(kept, ":") for item in items]
        return f"{ast.unparse(node.value)}[{', '.join(items)}]"
    return indexed(expression, f"[{', '.join(items)}]")


def _whole_items(node: ast.expr | None) -> list[str] | None:
    """What stands in an index that takes whole axes and adds new ones; None for any other."""
    index = node.slice if isinstance(node, ast.Subscript) else None
    items = index.elts if isinstance(index, ast.Tuple) else [index] if index is not None else []
    spelled = [ast.unparse(item) for item in items]
    return spelled if spelled and set(spelled) <= {":", "None"} else None


def indexed(expression: str, index: str) -> str:
    """The expression with an index behind it: `(a + b)[0]`; what is compared with a number as `mask[0] == 0`."""
    node = _expression(expression)
    if isinstance(node, ast.Compare) and isinstance(node.comparators[-1], ast.Constant) and len(node.ops) == 1:
        left = ast.unparse(node.left)
        if expression.startswith(left):
            return f"{atom(left)}{index}{expression.removeprefix(left)}"
    return f"{atom(expression)}{index}"


def atom(expression: str) -> str:
    """The expression as something can be put behind it: a dot, an index."""
    return f"({expression})" if isinstance(_expression(expression), _LOOSE) else expression


_LOOSE = (ast.BinOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda, ast.UnaryOp)


def _expression(source: str) -> ast.expr | None:
    tree = parsed(source)
    first = tree.body[0] if tree is not None and tree.body else None
    return first.value if isinstance(first, ast.Expr) else None


def nodes_of(file: str) -> Sequence[ast.AST]:
    """All that a file of the program says; nothing of one that cannot be read."""
    try:
        return _nodes_in(tree_of(file))
    except (SyntaxError, ValueError):
        return ()


def starting_at(file: str, line: int) -> Sequence[ast.AST]:
    """What begins on a line, the outer before what is in it."""
    try:
        return _by_line(tree_of(file)).get(line, ())
    except (SyntaxError, ValueError):
        return ()


# By the identity of a tree: a file that stays as it is gives the same one again.


@lru_cache(maxsize=8)
def _nodes_in(tree: ast.Module) -> Sequence[ast.AST]:
    return tuple(ast.walk(tree))


@lru_cache(maxsize=8)
def _by_line(tree: ast.Module) -> Mapping[int, Sequence[ast.AST]]:
    found: dict[int, list[ast.AST]] = {}
    for node in _nodes_in(tree):
        if (line := getattr(node, "lineno", None)) is not None:
            found.setdefault(line, []).append(node)
    return found


def function_called(source: str | None, names: Collection[str]) -> ast.Call | None:
    """The one call of a function of such a name in a line."""
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    found = [call for call in calls if name_called(call) in names and call.args]
    return found[0] if len(found) == 1 else None


def name_called(call: ast.Call) -> str:
    """What a call calls, without what it is of: `concat` of `tf.concat(…)`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def with_argument(source: str, call: ast.Call, argument: str) -> str:
    """The source with one more argument in a call of it, behind those that it has: `drop_last=True`."""
    last = call.keywords[-1].value if call.keywords else call.args[-1]
    return rewritten(source, [(last, f"{ast.get_source_segment(source, last)}, {argument}")])


def parsed(source: str | None) -> ast.Module | None:
    try:
        return parse(source) if source else None
    except SyntaxError:
        return None


def merged(source: str, lines: Sequence[str]) -> str | None:
    """One line of what several changed in a place of their own each; None where two of these overlap."""
    changes = []
    for line in lines:
        begin = next((at for at, (a, b) in enumerate(zip(source, line, strict=False)) if a != b), len(source))
        end = 0
        while end < min(len(source), len(line)) - begin and source[-1 - end] == line[-1 - end]:
            end += 1
        changes.append((begin, len(source) - end, line[begin : len(line) - end]))
    changes.sort()
    if any(one[1] > two[0] for one, two in pairwise(changes)):
        return None
    for begin, stop, new in reversed(changes):
        source = source[:begin] + new + source[stop:]
    return source


def is_assigned(step: ast.Assign, name: str) -> bool:
    """Whether a statement gives something to that name, and to no other."""
    return len(step.targets) == 1 and ast.unparse(step.targets[0]) == name


def is_own(node: ast.AST, name: str) -> TypeGuard[ast.Attribute]:
    """`self.conv1`, where it is read."""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return own and isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load)


def rewritten(source: str, changes: Sequence[tuple[ast.expr | ast.keyword, str]]) -> str:
    """The source with parts of it replaced, the rest of it as it was written; without a comment at its end."""
    tree = ast.parse(source)
    raw = source.encode()
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    last = tree.body[-1]
    assert last.end_lineno is not None and last.end_col_offset is not None
    raw = raw[: starts[last.end_lineno - 1] + last.end_col_offset]
    for node, new in sorted(changes, key=lambda change: (-change[0].lineno, -change[0].col_offset)):
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        raw = raw[:start] + new.encode() + raw[starts[node.end_lineno - 1] + node.end_col_offset :]
    return raw.decode()


_ONE_STEP = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


_MOST_LINES = 16


def statement(span: Span | None) -> str | None:
    """What begins on that line, whole where it takes several: a statement or, in a list of layers, one of them.

    Without the indentation of its first line. The line alone, where the file says something else by now.
    """
    if span is None or not span.source:
        return None
    found = _beginning(span.file, span.line)
    whole = found is not None and found.partition("\n")[0].rstrip() in span.source
    return found if whole else span.source


@cache
def _beginning(file: str, line: int) -> str | None:
    lines = linecache.getlines(file)
    try:
        tree = tree_of(file)
    except (SyntaxError, ValueError):
        return None
    nodes = [node for node in ast.walk(tree) if isinstance(node, (*_ONE_STEP, ast.expr)) and node.lineno == line]
    node = max(nodes, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0), default=None)
    if node is None or (node.end_lineno or 0) - line >= _MOST_LINES:
        return None
    segment = ast.get_source_segment("".join(lines), node)
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    return (
        None
        if segment is None
        else "\n".join(
            part if index == 0 or part[:indent].strip() else part[indent:]
            for index, part in enumerate(segment.split("\n"))
        )
    )
