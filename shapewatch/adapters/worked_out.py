"""What an expression of the program comes to, as far as its text says it: constants of the file, arguments, defaults.

A number in a fix says less than the formula that gives it, and a formula is only written where it is sure to give that
number. So nothing is guessed here: what is assigned more than once, or changed in place, is not known.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shapewatch.adapters.around import Function, class_around, functions_around
from shapewatch.adapters.statements import name_called
from shapewatch.source import tree_of

REPEATING = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp, ast.Lambda)
"""What runs the code in it several times, or whenever it is asked to."""

_DEEPEST = 12

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"len": len, "max": max, "min": min, "sum": sum, "int": int}

_CHANGING = frozenset("append extend insert pop remove clear update setdefault sort reverse".split())


class UnknownError(Exception):
    """The text does not say what an expression comes to."""


def comes_to(node: ast.expr, file: str, line: int) -> int | None:
    """The whole number that an expression gives which stands on a line of a file; None where nothing tells."""
    try:
        value = _value(node, file, line, 0)
    except (UnknownError, ArithmeticError, LookupError, TypeError, ValueError, OSError, SyntaxError):
        return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def known_at(node: ast.expr, file: str, line: int) -> bool:
    """Whether each name in an expression has, on a line, the one value that it has in the function around: that of an
    argument, what a line before gives it, or what the file calls so."""
    for function in functions_around(file, line)[:1]:
        arguments = parameters_of(function)
        for name in {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}:
            stores = [
                each.lineno
                for each in ast.walk(function)
                if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store)
            ]
            if len(stores) + (name in arguments) > 1 or any(stored >= line for stored in stores):
                return False
    return True


def calls_of(name: str, file: str) -> list[ast.Call]:
    """Every call in a file of what has that name."""
    return [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.Call) and name_called(node) == name]


def bound(call: ast.Call, function: Function) -> dict[str, ast.expr] | None:
    """The arguments of a call by the names of a function's parameters, without `self`; None where they are not told."""
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    names = names[1:] if names[:1] == ["self"] else names
    starred = any(isinstance(each, ast.Starred) for each in call.args) or any(
        each.arg is None for each in call.keywords
    )
    if starred or len(call.args) > len(names):
        return None
    return dict(zip(names, call.args, strict=False)) | {each.arg or "": each.value for each in call.keywords}


def defaults_of(function: Function) -> dict[str, ast.expr]:
    """What the parameters are where nothing is given for them."""
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    found = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return found | {each.arg: value for each, value in pairs if value is not None}


def parameters_of(function: Function) -> list[str]:
    arguments = function.args
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


# Expressions


def _value(node: ast.expr, file: str, line: int, depth: int) -> Any:
    if depth > _DEEPEST:
        raise UnknownError
    deeper = depth + 1
    match node:
        case ast.Constant(value=int() | str() as value):
            return value
        case ast.Name(id=name):
            return _named(name, file, line, deeper)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_value(item, file, line, deeper) for item in items]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_value(key, file, line, deeper): value for key, value in pairs if key is not None}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=given):
            return {each.arg: each.value for each in given}
        case ast.Subscript(value=of, slice=index):
            item = _value(of, file, line, deeper)[_value(index, file, line, deeper)]
            return _value(item, file, line, deeper) if isinstance(item, ast.expr) else item
        case ast.UnaryOp(op=ast.USub(), operand=of):
            return -_value(of, file, line, deeper)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            one, other = (_value(side, file, line, deeper) for side in (left, right))
            if not isinstance(one, int) or not isinstance(other, int) or (isinstance(op, ast.Pow) and other > 8):
                raise UnknownError
            return _OPERATORS[type(op)](one, other)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(each, file, line, deeper) for each in arguments))
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return _attribute(name, file, line, deeper)
    raise UnknownError


def _named(name: str, file: str, line: int, depth: int) -> Any:
    for function in functions_around(file, line):
        given = _stores(name, function)
        if name in parameters_of(function):
            if given:
                raise UnknownError
            return _argument(name, function, file, depth)
        if given:
            return _stored(name, given, file, depth)
    tree = tree_of(file)
    if any(_changes(node, name) for node in ast.walk(tree)):
        raise UnknownError
    return _stored(name, _stores(name, tree), file, depth)


def _attribute(name: str, file: str, line: int, depth: int) -> Any:
    owner = class_around(file, line)
    if owner is None:
        raise UnknownError
    return _stored(f"self.{name}", _stores(f"self.{name}", owner, inner=True), file, depth)


def _argument(name: str, function: Function, file: str, depth: int) -> Any:
    """What a parameter is given: the same in every call that the file makes of the function, or of its class."""
    owner = class_around(file, function.lineno) if function.name == "__init__" else None
    calls = calls_of(owner.name if owner is not None else function.name, file)
    values = []
    for call in calls:
        given = bound(call, function)
        if given is None:
            raise UnknownError
        node = given.get(name) or defaults_of(function).get(name)
        if node is None:
            raise UnknownError
        values.append(_value(node, file, call.lineno if name in given else function.lineno - 1, depth))
    if not values or any(value != values[0] for value in values):
        raise UnknownError
    return values[0]


def _stored(name: str, stores: Sequence[ast.AST], file: str, depth: int) -> Any:
    """What the only assignment of a name gives it."""
    only = stores[0] if len(stores) == 1 else None
    if not isinstance(only, ast.Assign | ast.AnnAssign) or only.value is None:
        raise UnknownError
    for target in only.targets if isinstance(only, ast.Assign) else [only.target]:
        if ast.unparse(target) == name:
            return _value(only.value, file, only.lineno, depth)
        if isinstance(target, ast.Tuple | ast.List) and isinstance(only.value, ast.Tuple | ast.List):
            for each, value in zip(target.elts, only.value.elts, strict=True):
                if ast.unparse(each) == name:
                    return _value(value, file, only.lineno, depth)
    raise UnknownError


def _stores(name: str, scope: ast.AST, inner: bool = False) -> list[ast.AST]:
    """The statements of a scope that give something to a name, or change what it has; `inner`: also those of functions
    in it."""
    return [node for node in _of_scope(scope, inner) if _gives(node, name)]


def _of_scope(scope: ast.AST, inner: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.Global):
            yield node
        if inner or not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            yield node
            yield from _of_scope(node, inner)


def _gives(node: ast.AST, name: str) -> bool:
    targets: Sequence[ast.expr] = ()
    match node:
        case ast.Assign(targets=found):
            targets = found
        case ast.AnnAssign(target=one) | ast.AugAssign(target=one) | ast.For(target=one) | ast.NamedExpr(target=one):
            targets = [one]
        case ast.comprehension(target=one):
            targets = [one]
        case ast.Global(names=names):
            return name in names
        case ast.withitem(optional_vars=one) if one is not None:
            targets = [one]
    parts = (part for target in targets for part in ast.walk(target))
    return _changes(node, name) or any(isinstance(part, ast.expr) and ast.unparse(part) == name for part in parts)


def _changes(node: ast.AST, name: str) -> bool:
    """Whether a dictionary or a list of that name is given an entry, or loses one."""
    match node:
        case ast.Call(func=ast.Attribute(value=of, attr=method)) if method in _CHANGING:
            return ast.unparse(of) == name
        case ast.Subscript(value=of, ctx=ast.Store() | ast.Del()):
            return ast.unparse(of) == name
    return False
