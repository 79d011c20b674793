"""Saved weights of another width, where the program itself tells how the model was built that they are of: beside the
weights lie the arguments that it was built with, or a line of the same file builds it.

The sizes alone tell only that it was built otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapewatch.adapters.around import functions_around
from shapewatch.adapters.statements import function_called, name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import line_at, made_at
from shapewatch.recording import Recording, Span
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.source import span_of, tree_of

_NOT_TRIED = "the weights are not loaded again"


@dataclass(frozen=True)
class _Building:
    """The line that builds a model, and of its text the call that does."""

    line: Span
    source: str
    call: ast.Call


@dataclass(frozen=True)
class _Saving:
    """Where the weights of a model are saved: how that one was built, and the variables that are saved beside them,
    each with its key."""

    built: _Building
    beside: tuple[tuple[str, str], ...]


def or_built_as_saved(told: Diagnosis, recording: Recording) -> Diagnosis:
    """The diagnosis of weights that do not fit; where the program tells how the saved model was built, with the line
    that builds this one so."""
    failure = recording.failure
    span = failure.span if failure is not None else None
    loading = function_called(statement(span), {"load_state_dict"}) if told.code == "SW901" else None
    if span is None or loading is None or not isinstance(loading.func, ast.Attribute):
        return told
    building = _built(loading.func.value, span)
    if building is None:
        return told
    weights = loading.args[0]
    savings = [each for each in _savings(weights, span) if _class(each.built) == _class(building)]
    if len(savings) != 1 or _arguments(savings[0].built.call) == _arguments(building.call):
        return told
    found = _with_what_lies_beside(building, savings[0], weights) or _as_there(building, savings[0])
    if found is None:
        return told
    code, reason = found
    edit = {"action": "set", "variable": ast.unparse(loading.func.value), "argument": "arguments", "value": None}
    fix = Fix("the model built as the saved one was", code, edit, (), recording.framework, None, _NOT_TRIED)
    explanation = told.explanation.partition("\n")[0]
    cause = Cause(None, _class(building), building.line, reason)
    return replace(told, cause=cause, fixes=(fix,), suspects=(), explanation=explanation)


def _with_what_lies_beside(building: _Building, saving: _Saving, weights: ast.expr) -> tuple[str, str] | None:
    """Built with what was saved beside the weights, where the saved model was built of that and of nothing else."""
    given = saving.built.call
    alone = given.keywords[0].value if len(given.keywords) == 1 and given.keywords[0].arg is None else None
    keys = [key for key, name in saving.beside if isinstance(alone, ast.Name) and alone.id == name]
    held = weights.value if isinstance(weights, ast.Subscript) else None
    there = line_at(building.line)
    known = {each.name for each in there.variables if each.lines} if there is not None else set()
    if given.args or len(keys) != 1 or not isinstance(held, ast.Name) or held.id not in known:
        return None
    call = f'{ast.unparse(building.call.func)}(**{held.id}["{keys[0]}"])'
    reason = f'the saved model was built with what `{held.id}["{keys[0]}"]` holds, and this one is not'
    return rewritten(building.source, [(building.call, call)]), reason


def _as_there(building: _Building, saving: _Saving) -> tuple[str, str] | None:
    """Built with the arguments that another line has, where these are numbers or constants of the file."""
    call, line = saving.built.call, saving.built.line
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    constants = {ast.unparse(node.targets[0]) for node in tree_of(line.file).body if isinstance(node, ast.Assign)}
    plain = all(_is_plain(each) or (isinstance(each, ast.Name) and each.id in constants) for each in given)
    if not plain or any(keyword.arg is None for keyword in call.keywords):
        return None
    reason = f"the model whose weights these are is built in line {line.line} as `{ast.unparse(call)}`"
    return rewritten(building.source, [(building.call, ast.unparse(call))]), reason


def _is_plain(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _savings(weights: ast.expr, span: Span) -> Iterator[_Saving]:
    """Where the weights come from: a model that is there, or what a function of the file saves under the same path, by
    itself or in a dictionary."""
    built = _weights_of(weights, span)
    if built is not None:
        yield _Saving(built, ())
        return
    path, key = _path(weights, span), _key(weights)
    saves = [
        node for node in ast.walk(tree_of(span.file)) if isinstance(node, ast.Call) and name_called(node) == "save"
    ]
    for save in saves if path is not None else ():
        saved, there = save.args[0] if len(save.args) > 1 else None, span_of(span.file, save.lineno)
        if saved is None or ast.unparse(save.args[1]) != path or not _is_one_path(save.args[1], there, span):
            continue
        pairs = _entries(saved) if isinstance(saved, ast.Dict) else [(None, saved)]
        for name, value in pairs:
            made = _weights_of(value, there) if name == key else None
            if made is not None:
                held = [(each, one.id) for each, one in pairs if each is not None and isinstance(one, ast.Name)]
                yield _Saving(made, tuple(held))


def _entries(node: ast.Dict) -> list[tuple[str | None, ast.expr]]:
    pairs = zip(node.keys, node.values, strict=True)
    return [(key.value, value) for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def _path(weights: ast.expr, span: Span) -> str | None:
    """The path that weights are loaded from: `CKPT` of `ckpt = torch.load(CKPT)`."""
    held = weights.value if isinstance(weights, ast.Subscript) else weights
    if isinstance(held, ast.Name):
        line = _assigned(held.id, span)
        held = line[1] if line is not None else held
    loaded = isinstance(held, ast.Call) and name_called(held) == "load" and held.args
    return ast.unparse(held.args[0]) if loaded and isinstance(held, ast.Call) else None


def _is_one_path(path: ast.expr, saved: Span, loaded: Span) -> bool:
    """Whether a path that two lines spell alike is one: what a function calls so is its own."""
    constants = {ast.unparse(node.targets[0]) for node in tree_of(saved.file).body if isinstance(node, ast.Assign)}
    names = {node.id for node in ast.walk(path) if isinstance(node, ast.Name)}
    one, other = (functions_around(span.file, span.line)[:1] for span in (saved, loaded))
    return one == other or names <= constants


def _assigned(name: str, used: Span) -> tuple[Span, ast.expr] | None:
    """The line that gives a variable what another line reads, and the expression that it is given there."""
    line = made_at(name, used)
    tree = parsed(statement(line))
    step = tree.body[0] if tree is not None and tree.body else None
    return (line, step.value) if line is not None and isinstance(step, ast.Assign) else None


def _weights_of(value: ast.expr, there: Span) -> _Building | None:
    """How the model was built of which an expression takes the weights: `model.state_dict()`."""
    of = value.func if isinstance(value, ast.Call) and name_called(value) == "state_dict" else None
    return _built(of.value, there) if isinstance(of, ast.Attribute) else None


def _built(model: ast.expr, used: Span) -> _Building | None:
    """The line that builds the model which another line calls so, of a class that the file has or takes from one."""
    found = _assigned(ast.unparse(model), used)
    source = statement(found[0]) if found is not None else None
    value = found[1] if found is not None else None
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("to", "cuda"):
        value = value.func.value
    if found is None or source is None or not isinstance(value, ast.Call) or not name_called(value)[:1].isupper():
        return None
    return _Building(found[0], source, value)


def _class(building: _Building) -> str:
    return name_called(building.call)


def _arguments(call: ast.Call) -> list[str]:
    return [*map(ast.unparse, call.args), *sorted(map(ast.unparse, call.keywords))]


def _key(weights: ast.expr) -> str | None:
    key = weights.slice if isinstance(weights, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
