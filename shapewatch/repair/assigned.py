"""Where the program gives a variable its value."""

from __future__ import annotations

import ast
from functools import cache

from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of


@cache
def assigned_line(file: str, name: str, used: int) -> Span | None:
    """The first line of a file that gives a variable of this name a value: `w = …`, or the line in the dictionary that
    `w` is of the key in `w['out']`. What other functions than that of the line that `used` it call so is none of it.
    """
    try:
        tree = tree_of(file)
        wanted = ast.parse(name, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    hidden = _of_other_functions(tree, name, used)
    for node in (*_of_the_class(tree, name, used), *ast.walk(tree)):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                made = _given(target, node.value, wanted)
                if made is not None:
                    return span_of(file, made.lineno)
    return None


def _of_the_class(tree: ast.Module, name: str, used: int) -> list[ast.AST]:
    """What stands in the class that the line is in: of an attribute it is asked before other classes are."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)] if "." in name else []
    around = [node for node in classes if node.lineno <= used <= (node.end_lineno or 0)]
    return list(ast.walk(max(around, key=lambda node: node.lineno))) if around else []


def _of_other_functions(tree: ast.Module, name: str, used: int) -> set[int]:
    """What stands in functions that the line is not in, by identity; of an attribute, which they share, nothing."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [node for node in functions if node.lineno <= used <= (node.end_lineno or 0)]
    others = [node for node in functions if node not in around] if "." not in name else []
    return {id(part) for node in others for part in ast.walk(node)}


def _given(target: ast.expr, value: ast.expr, wanted: ast.expr) -> ast.expr | None:
    """What an assignment gives to a name or to a key of it."""
    if ast.dump(target) == ast.dump(_stored(wanted)):
        return target
    if not isinstance(wanted, ast.Subscript) or ast.dump(target) != ast.dump(_stored(wanted.value)):
        return None
    if isinstance(value, ast.Dict):
        keys = [None if key is None else ast.dump(key) for key in value.keys]
        return value.values[keys.index(ast.dump(wanted.slice))] if ast.dump(wanted.slice) in keys else None
    if isinstance(value, ast.List | ast.Tuple) and isinstance(wanted.slice, ast.Constant):
        index = wanted.slice.value
        return value.elts[index] if isinstance(index, int) and index < len(value.elts) else None
    return None


def _stored(name: ast.expr) -> ast.expr:
    """The same name as it stands on the left side of an assignment."""
    stored = ast.parse(f"{ast.unparse(name)} = 0").body[0]
    assert isinstance(stored, ast.Assign)
    return stored.targets[0]
