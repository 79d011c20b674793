"""The line of the program's own class that makes a layer in each of its instances, with one argument changed in it.

One instance alone can be given another layer from outside (`model.layer2[0].conv = ...`), which nobody would keep. The
line of the class is the place, where it says for every instance what that one needs: a value that is the same in all of
them, or what the line of a neighbour says for the same argument, as `stride=stride`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapewatch.adapters.around import class_around
from shapewatch.adapters.statements import is_assigned, rewritten, statement
from shapewatch.adapters.torch.own_line import OF_WINDOWS, Saying, arguments_of, call_with, made_in, said_beside
from shapewatch.adapters.written import collapse, short
from shapewatch.edits import Edit, Set
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import is_users_own, span_of


@dataclass(frozen=True)
class _Made:
    """One layer of each instance: the rest of its path behind the instance's, and what it is to have for the argument
    in each of them."""

    parts: list[str]
    example: Layer
    wanted: Mapping[str, Any]


def line_of_class(edits: Sequence[Edit], parts: list[str], recording: Recording) -> tuple[Span, str] | None:
    """The statement of a class that makes what the edits set; `parts`: the attribute that holds the first of these
    layers and, in a row, which one it is. None where the model has one instance, or the class does not tell."""
    first = edits[0]
    made = _made(edits, parts, recording)
    if made is None or not isinstance(first, Set) or made.example.defined is None:
        return None
    owner = class_around(made.example.defined.file, made.example.defined.line)
    found = list(_statements(owner, made, made.example.defined.file)) if owner is not None else []
    if owner is None or len(found) != 1:
        return None
    ((span, call),) = found
    given = arguments_of(call, made.example)
    source = statement(span)
    if given is None or source is None or _is_said_to_each(given.get(first.argument), made, len(edits)):
        return None
    new = _as_a_neighbour_says(span, first.argument, made, recording) or _for_all(made, given.get(first.argument))
    node = given.get(first.argument)
    if new is None or (node is not None and ast.unparse(node) == new):
        return None
    changed = call_with(source, call, [(node, new)] if node else [], [] if node else [f"{first.argument}={new}"])
    return None if changed is None else (span, f"{rewritten(source, [(call, changed)])}  # {_was(first)}")


def _is_said_to_each(node: ast.expr | None, made: _Made, edited: int) -> bool:
    """Whether the class is told the argument, and some of its instances are told what is right: then it is wrong where
    the others are constructed."""
    return node is not None and not isinstance(node, ast.Constant | ast.Tuple) and edited < len(made.wanted)


def _was(edit: Set) -> str:
    return f"{edit.argument} was {short(edit.was)}"


def _made(edits: Sequence[Edit], parts: list[str], recording: Recording) -> _Made | None:
    sets = [edit for edit in edits if isinstance(edit, Set) and edit.layer in recording.layer_at]
    suffix = "." + ".".join(parts)
    first = recording.layer_at[sets[0].layer] if sets else None
    alike = {edit.argument for edit in sets}
    if first is None or len(sets) != len(edits) or len(alike) != 1 or not first.path.endswith(suffix):
        return None
    (argument,) = alike
    owner = recording.layer_at.get(first.path.removesuffix(suffix))
    if owner is None or owner.kind != "module" or first.defined is None or not is_users_own(first.defined.file):
        return None
    instances = [layer.path for layer in recording.layers if layer.type == owner.type]
    there = {path: recording.layer_at[path + suffix] for path in instances if path + suffix in recording.layer_at}
    there = {path: layer for path, layer in there.items() if (layer.type, layer.defined) == (first.type, first.defined)}
    edited = {edit.layer.removesuffix(suffix): edit.value for edit in sets}
    if len(instances) < 2 or not edited.keys() <= there.keys():
        return None
    return _Made(parts, first, {path: edited.get(path, layer.facts.get(argument)) for path, layer in there.items()})


def _statements(owner: ast.ClassDef, made: _Made, file: str) -> Iterator[tuple[Span, ast.Call]]:
    """Where the class makes the layer."""
    for node in ast.walk(owner):
        if isinstance(node, ast.Assign) and is_assigned(node, f"self.{made.parts[0]}"):
            span = span_of(file, node.lineno)
            call = made_in(statement(span), made.parts, made.example)
            if call is not None:
                yield span, call


def _as_a_neighbour_says(span: Span, argument: str, made: _Made, recording: Recording) -> str | None:
    """What the class says for such an argument of another layer that has, in each instance, what this one needs."""
    first = next(iter(made.wanted))
    said = set()
    for each in said_beside(span, f"{first}.", recording):
        rest = each.layer.path.removeprefix(first)
        layers = [recording.layer_at.get(f"{path}{rest}") for path in made.wanted]
        held = [layer.facts.get(each.argument) if layer is not None else None for layer in layers]
        if _is_for(each, argument) and all(map(_same, held, made.wanted.values())):
            said.add(each.text)
    return said.pop() if len(said) == 1 else None


def _is_for(said: Saying, argument: str) -> bool:
    """A size may go by another name in another layer."""
    return said.argument == argument if argument in OF_WINDOWS else said.is_size


def _same(one: Any, other: Any) -> bool:
    return one is not None and bool(collapse(one) == collapse(other))


def _for_all(made: _Made, node: ast.expr | None) -> str | None:
    """One value that all instances need, where none is said or one by a number."""
    values = {repr(collapse(value)) for value in made.wanted.values()}
    literal = node is None or isinstance(node, ast.Constant | ast.Tuple)
    return short(next(iter(made.wanted.values()))) if len(values) == 1 and literal and len(made.wanted) > 1 else None
