"""The line that makes a layer which was made before the watch began, or in another file: by what it says.

Nothing tells it but the settings that are written there. So it is looked for in the program's own files, and found
only where one call of the class says what the layer is, and no other might.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import keras
from keras.layers import Layer
from keras.src.utils.naming import to_snake_case

from shapewatch.adapters.around import functions_around
from shapewatch.adapters.keras.constructing import (
    WRAPPERS,
    class_name,
    construction_in,
    literal_of,
    parameters,
    said_by,
    word_of,
)
from shapewatch.adapters.statements import parsed, statement
from shapewatch.recording import Span
from shapewatch.source import is_users_own, span_of, tree_of

_FILES = 100
"""In a program of more files nothing is looked for: reading them would take seconds."""


@dataclass(frozen=True)
class _Written:
    """A call in a file; `often`, where the line may run more than once."""

    call: ast.Call
    file: str
    often: bool


def lines_of(layers: Sequence[Layer], made_by: Mapping[int, str]) -> Mapping[int, Span]:
    """Of layers, by identity, the lines that make them. A line that runs once makes one layer: found for several, it is
    the line of none that can be told."""
    found: dict[int, _Written] = {}
    files = _files()
    for layer in layers:
        written = _written_as(layer, made_by.get(id(layer), ""), files)
        if written is not None:
            found[id(layer)] = written
    times = Counter(id(written.call) for written in found.values())
    return {
        key: span_of(written.file, written.call.lineno)
        for key, written in found.items()
        if written.often or times[id(written.call)] == 1
    }


@cache
def made_for_a_name(span: Span, type_: str) -> Span | None:
    """The line that makes a layer which another line calls by a name: `decoder = LSTM(…)` for `decoder(x)`."""
    source = statement(span)
    if source is None or construction_in(source, type_):
        return None
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    made = [
        node
        for node in _assignments_before(span)
        if isinstance(node.value, ast.Call)
        and class_name(node.value) == type_
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in names
    ]
    if len({ast.unparse(node.targets[0]) for node in made}) != 1:
        return None
    return span_of(span.file, made[-1].lineno, span.function)


def _assignments_before(span: Span) -> list[ast.Assign]:
    """The assignments above a line, in the function that it is in."""
    functions = functions_around(span.file, span.line)
    scope: ast.AST = functions[0] if functions else tree_of(span.file)
    return [node for node in ast.walk(scope) if isinstance(node, ast.Assign) and node.lineno < span.line]


def _written_as(layer: Layer, made_by: str, files: Sequence[str]) -> _Written | None:
    """The only call in the program's files that may make such a layer, if it certainly does."""
    type_ = type(layer).__name__
    made = construction_in(made_by, type_) if made_by else None
    settings = said_by(made, type_) if made else None
    if settings is None:
        return None
    possible = []
    for file in files:
        for written in _constructions(file).get(type_, ()):
            certain = _is_of(written.call, layer, made_by, settings)
            if certain is not False:
                possible.append((written, certain))
    return possible[0][0] if len(possible) == 1 and possible[0][1] else None


def _files() -> Sequence[str]:
    """The files that the program itself consists of; none of a large one."""
    known = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    own = sorted(file for file in known if isinstance(file, str) and file.endswith(".py") and is_users_own(file))
    return own if len(own) <= _FILES else ()


@cache
def _constructions(file: str) -> Mapping[str, list[_Written]]:
    found: dict[str, list[_Written]] = defaultdict(list)
    try:
        tree = tree_of(file)
    except (SyntaxError, ValueError):
        return found
    for call, often in _calls(tree, False):
        found[class_name(call)].append(_Written(call, file, often))
    return found


_OFTEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.For, ast.While, ast.ListComp, ast.GeneratorExp)


def _calls(node: ast.AST, often: bool) -> Iterator[tuple[ast.Call, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, often
        yield from _calls(child, often or isinstance(child, _OFTEN))


# Whether a call says what a layer is: True, False, or None where it may


_NOT_ASKED = frozenset({"name", "trainable", "dtype", "input_shape", "batch_input_shape", "weights"})
"""Arguments that no config has, or that may be set later."""


def _is_of(call: ast.Call, layer: Layer, made_by: str, settings: Mapping[str, ast.expr]) -> bool | None:
    type_ = type(layer).__name__
    arguments = said_by(call, type_)
    if arguments is None:
        return None
    inner = type_
    if type_ in WRAPPERS:
        mine, theirs = _inner(construction_in(made_by, type_)), _inner(call)
        if mine != theirs:
            return False
        inner = mine
    answers = [_is_named(arguments.get("name"), layer)] if type_ not in WRAPPERS else []
    usual = {name: repr(value) for name, value in parameters(inner).items()}
    if "pool_size" in settings:
        usual["strides"] = str(_plain("pool_size", settings["pool_size"]))
    for name in {*arguments, *settings} - _NOT_ASKED:
        answers.append(_agree(name, arguments.get(name), settings.get(name), usual))
    return False if False in answers else None if None in answers else True


def _inner(call: ast.Call | None) -> str:
    made = [argument for argument in call.args if isinstance(argument, ast.Call)] if call else []
    return class_name(made[0]) if made else ""


def _is_named(said: ast.expr | None, layer: Layer) -> bool | None:
    counted = re.fullmatch(rf"{re.escape(to_snake_case(type(layer).__name__))}(_\d+)?", layer.name) is not None
    if isinstance(said, ast.Constant):
        return bool(said.value == layer.name)
    return counted if said is None else None


def _agree(name: str, said: ast.expr | None, known: ast.expr | None, usual: Mapping[str, str]) -> bool | None:
    """Whether an argument in a line is what the layer has: its class's default, where that is not known."""
    if said is None:
        return False
    text = _plain(name, said)
    return None if text is None else text == (usual.get(name) if known is None else _plain(name, known))


def _plain(name: str, node: ast.expr) -> str | None:
    """A setting as one text however it is written; None where a name stands for it."""
    word = word_of(node)
    if name == "activation" and word and hasattr(keras.activations, word):
        return repr(None if word == "linear" else word)
    if isinstance(node, ast.Call) and not node.args and not node.keywords:  # `HeNormal()` for "he_normal"
        return repr(to_snake_case(class_name(node)))
    value = literal_of(name, node)
    return None if value is None and not isinstance(node, ast.Constant) else repr(value)
