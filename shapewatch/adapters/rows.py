"""Rows of layers that a line lists: `nn.Sequential(a, b)`, `nn.ModuleList([a, b])`, `keras.Sequential([a, b])`, and
lists of layers that an attribute holds as they are."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from shapewatch.adapters.statements import name_called, starting_at

_ROWS = frozenset({"Sequential", "ModuleList"})


def listed(file: str, line: int) -> Sequence[ast.Call]:
    """The layers that the row on a line is made of, each as it is constructed, of all of them or none."""
    begun = [node for node in starting_at(file, line) if isinstance(node, ast.Call | ast.Assign)]
    made = [node for node in begun if isinstance(node, ast.Call) and name_called(node) in _ROWS]
    if any(inner not in set(ast.walk(made[0])) for inner in made[1:]):
        return ()
    given = made[0].args if made else [node.value for node in begun if isinstance(node, ast.Assign)]
    row = given[0] if len(given) == 1 else None
    elements = row.elts if isinstance(row, ast.List | ast.Tuple) else given if made else []
    calls = [each for each in elements if isinstance(each, ast.Call)]
    return tuple(calls) if len(calls) == len(elements) else ()
