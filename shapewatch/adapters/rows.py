"""Rows of layers that a line lists: `nn.Sequential(a, b)`, `nn.ModuleList([a, b])`, `keras.Sequential([a, b])`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache

from shapewatch.adapters.statements import name_called
from shapewatch.source import tree_of

_ROWS = frozenset({"Sequential", "ModuleList"})


@cache
def listed(file: str, line: int) -> Sequence[ast.Call]:
    """The layers that the row on a line is made of, each as it is constructed, of all of them or none."""
    try:
        nodes = list(ast.walk(tree_of(file)))
    except (SyntaxError, ValueError):
        return ()
    begun = [node for node in nodes if isinstance(node, ast.Call) and node.lineno == line]
    made = [call for call in begun if name_called(call) in _ROWS]
    if not made or any(inner not in set(ast.walk(made[0])) for inner in made):
        return ()
    given = made[0].args
    row = given[0] if len(given) == 1 else None
    elements = row.elts if isinstance(row, ast.List | ast.Tuple) else given
    calls = [each for each in elements if isinstance(each, ast.Call)]
    return tuple(calls) if len(calls) == len(elements) else ()
