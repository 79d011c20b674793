"""The line of a class that gives an attribute what it holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from shapewatch.adapters.statements import name_called
from shapewatch.recording import Span
from shapewatch.source import is_foreign, span_of, tree_of


@cache
def attribute_line(cls: type, attribute: str, made: str = "") -> Span | None:
    """The line of `cls` (or of a class it inherits from) that says `self.attribute = …`.

    Of several such lines the first that calls the class `made` or, where none does, the first.
    """
    for base in cls.__mro__:
        file = _source_file(base)
        if file is None or is_foreign(file):
            continue
        lines = _assignments(file).get((base.__name__, attribute))
        if lines is not None:
            line = next((line for line, called in lines if made in called), lines[0][0])
            return span_of(file, line, f"{base.__qualname__}.__init__")
    return None


def _source_file(cls: type) -> str | None:
    """Where a class is written, as its own methods say: a script that was run has no module to ask."""
    for member in vars(cls).values():
        code = getattr(member, "__code__", None)
        if code is not None and not code.co_filename.startswith("<"):
            return str(code.co_filename)
    return None


@cache
def _assignments(file: str) -> dict[tuple[str, str], list[tuple[int, frozenset[str]]]]:
    """(class, attribute) to the lines that assign `self.attribute` in a class of that name, or add to it, and to what
    each of these statements calls."""
    try:
        tree = tree_of(file)
    except (SyntaxError, ValueError):
        return {}
    found: dict[tuple[str, str], list[tuple[int, frozenset[str]]]] = {}
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef):
            for method in owner.body:
                if isinstance(method, ast.FunctionDef) and method.args.args:
                    for attribute, node in _set_on(method, method.args.args[0].arg):
                        called = frozenset(name_called(each) for each in ast.walk(node) if isinstance(each, ast.Call))
                        found.setdefault((owner.name, attribute), []).append((node.lineno, called))
    return found


def _set_on(method: ast.FunctionDef, instance: str) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    """The attributes that a method sets on its first parameter, mostly called `self`, and where it does; also where it
    adds to one that is a list: `self.ups.append(…)`."""
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            row = node.func.value
            if isinstance(row, ast.Attribute) and ast.unparse(row.value) == instance:
                yield row.attr, node
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(part, ast.Attribute) and ast.unparse(part.value) == instance:
                        yield part.attr, node
