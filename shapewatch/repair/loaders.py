"""Lines of a program that make a loader of batches."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Sequence

from shapewatch.adapters.statements import name_called
from shapewatch.recording import Span


def loaders_made(tree: ast.Module) -> Sequence[ast.Assign]:
    """The statements of a file that make a loader, one each."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and construction(node) is not None]


def construction(node: ast.AST) -> ast.Call | None:
    """The one `DataLoader(…)` in a piece of a program."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and name_called(each) == "DataLoader"]
    return calls[0] if len(calls) == 1 else None


def line_of(file: str, made: ast.stmt) -> Span:
    return Span(file, made.lineno, linecache.getline(file, made.lineno).strip() or None)
