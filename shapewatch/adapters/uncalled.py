"""Layers that a class makes and never calls, and how often each line of a forward calls which."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from shapewatch.adapters.around import class_around, functions_around
from shapewatch.adapters.statements import is_own, name_called, parsed, rewritten, statement
from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of

_CONSTRUCTORS = frozenset({"__init__", "build", "setup"})

_BY_NO_NAME = frozenset(
    {"children", "named_children", "modules", "named_modules", "_modules", "layers", "get_submodule"}
)
"""Attributes of a module by which a class may call what is in it without naming it."""


@dataclass(frozen=True)
class Mention:
    """`self.conv1(x)` in a forward: on which lines the statement stands, and how many there are before it."""

    name: str
    lines: range
    earlier: int


def never_called(names: Collection[str], cls: str, span: Span) -> frozenset[str]:
    """Those among the attributes of a class that no code of its file reads, but where they are made; `span` is a line
    of its forward. Empty where the file cannot be read, where the class may take them by no name, or where the line is
    of another one: that of a library has the line that calls it."""
    try:
        read = _read_around(span.file, span.line, cls)
    except (SyntaxError, ValueError, OSError):
        return frozenset()
    return frozenset() if read is None or read & _BY_NO_NAME else frozenset(names) - read


def never_called_import(name: str, span: Span | None) -> bool:
    """Whether a file imports a name from somewhere, and says it nowhere else."""
    try:
        nodes = list(ast.walk(tree_of(span.file))) if span is not None else []
    except (SyntaxError, ValueError, OSError):
        return False
    imported = any(isinstance(node, ast.alias) and node.name == name and node.asname is None for node in nodes)
    return imported and not any(isinstance(node, ast.Name) and node.id == name for node in nodes)


def mentions(span: Span) -> Sequence[Mention]:
    """The layers of its own that the forward around a line calls, in the order of the text."""
    try:
        return _mentions(span.file, span.line)
    except (SyntaxError, ValueError, OSError):
        return ()


@cache
def _mentions(file: str, line: int) -> Sequence[Mention]:
    function = next(iter(functions_around(file, line)), None)
    count: Counter[str] = Counter()
    found = []
    for each in _statements(function) if function is not None else ():
        for name, _ in _called_in(each):
            lines = range(each.lineno, (each.end_lineno or each.lineno) + 1)
            found.append(Mention(name, lines, count[name]))
            count[name] += 1
    return found


def calling(source: str | None, name: str, instead: str, which: int) -> str | None:
    """The line with a layer called in the place of another, of several calls the one of this number."""
    tree = parsed(source)
    called = [node for found, node in _called_in(tree) if found == instead] if tree is not None else []
    if source is None or which >= len(called):
        return None
    return rewritten(source, [(called[which], f"self.{name}")])


def put_in_a_row(name: str, before: str, span: Span) -> str | None:
    """The statement of a class that puts layers of its own in a row, with one more before another of them."""
    cls = class_around(span.file, span.line)
    for making in _statements(cls) if cls is not None else ():
        rows = [node for node in ast.walk(making) if isinstance(node, ast.Call) and _is_row(node)]
        if len([node for row in rows for node in ast.walk(row) if is_own(node, before)]) == 1:
            line = span_of(span.file, making.lineno)
            source = statement(line)
            tree = parsed(source)
            taken = [node for node in ast.walk(tree) if is_own(node, before)] if tree is not None else []
            return rewritten(source or "", [(taken[0], f"self.{name}, self.{before}")]) if len(taken) == 1 else None
    return None


def times_read(name: str, span: Span) -> int:
    """How often the class around a line reads an attribute of its own where it does not make it."""
    cls = class_around(span.file, span.line)
    read = _attributes(cls, False) if cls is not None else ()
    return sum(1 for node, in_making in read if is_own(node, name) and not in_making)


def _is_row(node: ast.Call) -> bool:
    return name_called(node) == "Sequential"


@cache
def _read_around(file: str, line: int, name: str) -> frozenset[str] | None:
    """The attributes that the class around a line reads of itself where it does not make them, and any code of anything
    else. A class with heirs or ancestors in the file may be read by these."""
    tree = tree_of(file)
    cls = class_around(file, line)
    if cls is None:
        return None
    if name not in {each.name for each in _family(tree, cls)}:
        return None
    family = [node for each in _family(tree, cls) for node in ast.walk(each)]
    if any(isinstance(node, ast.Name) and node.id in ("getattr", "vars") for node in family):
        return None  # which may take any of them by its name
    inside = set(map(id, family))
    read = set()
    for node, in_making in _attributes(tree, False):
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        if not in_making and (not own or id(node) in inside):
            read.add(node.attr)
    return frozenset(read)


def _family(tree: ast.Module, cls: ast.ClassDef) -> Iterator[ast.ClassDef]:
    bases = {base.id for base in cls.bases if isinstance(base, ast.Name)}
    for other in ast.walk(tree):
        if isinstance(other, ast.ClassDef):
            heir = any(isinstance(base, ast.Name) and base.id == cls.name for base in other.bases)
            if other is cls or heir or other.name in bases:
                yield other


def _attributes(node: ast.AST, of_another: bool, making: bool = False) -> Iterator[tuple[ast.Attribute, bool]]:
    """The attributes that code reads, each with whether that is of no account: `self.fc.weight` where it is made."""
    making = making or (isinstance(node, ast.FunctionDef) and node.name in _CONSTRUCTORS)
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield node, of_another and making
    for child in ast.iter_child_nodes(node):
        yield from _attributes(child, isinstance(node, ast.Attribute), making)


def _statements(function: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """The statements of a function that have none inside them, and the conditions of the others."""
    for child in ast.iter_child_nodes(function):
        has_body = isinstance(getattr(child, "body", None), list)
        if has_body or isinstance(child, ast.ExceptHandler):
            yield from _statements(child)
        elif isinstance(child, ast.stmt | ast.expr):
            yield child


def _called_in(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """The calls of `self.…` in the order in which Python makes them: what is inside is called first."""
    calls = [
        (call.func.attr, call.func, call)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "self"
    ]
    calls.sort(key=lambda each: (each[2].end_lineno or 0, each[2].end_col_offset or 0))
    return [(name, function) for name, function, _ in calls]
