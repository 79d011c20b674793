"""Rows of layers that a line lists: `nn.Sequential(a, b)`, `nn.ModuleList([a, b])`, `keras.Sequential([a, b])`, and
lists of layers that an attribute holds as they are."""

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
    begun = [node for node in nodes if isinstance(node, ast.Call | ast.Assign) and node.lineno == line]
    made = [node for node in begun if isinstance(node, ast.Call) and name_called(node) in _ROWS]
    if any(inner not in set(ast.walk(made[0])) for inner in made[1:]):
        return ()
    given = made[0].args if made else [node.value for node in begun if isinstance(node, ast.Assign)]
    row = given[0] if len(given) == 1 else None
    elements = row.elts if isinstance(row, ast.List | ast.Tuple) else given if made else []
    calls = [each for each in elements if isinstance(each, ast.Call)]
    return tuple(calls) if len(calls) == len(elements) else ()
