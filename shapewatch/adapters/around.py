"""What a line of the program stands in."""

from __future__ import annotations

import ast
from typing import TypeVar

from shapewatch.adapters.statements import nodes_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
Kind = TypeVar("Kind", bound=ast.stmt)


def functions_around(file: str, line: int) -> list[Function]:
    """The functions that a line stands in, the innermost first; none of a file that cannot be read."""
    found: list[Function] = [*_around(file, line, ast.FunctionDef), *_around(file, line, ast.AsyncFunctionDef)]
    return sorted(found, key=lambda node: -node.lineno)


def class_around(file: str, line: int) -> ast.ClassDef | None:
    """The innermost class that a line stands in."""
    return next(iter(_around(file, line, ast.ClassDef)), None)


def loops_around(file: str, line: int) -> list[ast.For]:
    """The `for` loops that a line stands in, the innermost first; none of a file that cannot be read."""
    return _around(file, line, ast.For)


def _around(file: str, line: int, kind: type[Kind]) -> list[Kind]:
    found = [node for node in nodes_of(file) if isinstance(node, kind)]
    around = [node for node in found if node.lineno <= line <= (node.end_lineno or 0)]
    return sorted(around, key=lambda node: -node.lineno)
