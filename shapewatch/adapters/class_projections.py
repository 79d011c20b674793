"""A projection that the program's own class makes for itself, in the sizes that its constructor is given.

It is said only where it makes a projection in the instances that were tried with one, and in no other.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapewatch.adapters.around import class_around
from shapewatch.adapters.constructed import method_of
from shapewatch.adapters.operand import which_of_line, with_operand
from shapewatch.adapters.projections import Saying, is_pointwise, needed_at, needed_by, parts_of, words_for
from shapewatch.adapters.statements import is_assigned, statement
from shapewatch.adapters.worked_out import parameters_of
from shapewatch.adapters.written import call_at, collapse
from shapewatch.edits import Edit, Insert, Module, place_layer
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import is_users_own, span_of


@dataclass(frozen=True)
class Language:
    """How a framework's classes say what layers they make.

    `said_in`: of a line, the name of an attribute and the layer in it, the arguments that it is made with, by our names
    of them. `code_of`: a new layer. `identity`: one that does nothing. `knows_channels`: whether a constructor is told
    how many channels come in.
    """

    said_in: Callable[[str | None, str, Layer], Mapping[str, ast.expr]]
    code_of: Callable[[Module], str]
    identity: str
    knows_channels: bool


def line_of_projections(edits: Sequence[Edit], recording: Recording, language: Language) -> tuple[Span, str] | None:
    """The junction's line, with that of the layer that the class is to make before it; None where the model has one
    instance, where the class has no word for what one of them needs, or where others would have a projection too."""
    inserts = [edit for edit in edits if isinstance(edit, Insert)]
    if len(inserts) < len(edits) or not all(is_pointwise(edit.module) for edit in inserts):
        return None
    if len(set(map(_head, inserts))) > 1:
        return None
    call = call_at(inserts[0].place, recording)
    if call is None or call.is_layer or call.span is None:
        return None
    made = _made(inserts, recording, language)
    source, which = call.span.source, which_of_line(call, recording)
    used = with_operand(source, inserts[0].operand, lambda text: f"self.shortcut({text})", call.name, which=which)
    return (call.span, f"self.shortcut = {made}\n{used}") if made is not None and used is not None else None


def _head(edit: Insert) -> tuple[object, ...]:
    """What is alike in the projections of all instances: the place in the layer, the operand, the kinds of layers."""
    inner = edit.place.removeprefix(place_layer(edit.place))
    return inner, edit.operand, tuple(part.kind for part in parts_of(edit.module))


def _made(edits: Sequence[Insert], recording: Recording, language: Language) -> str | None:
    """What makes the projection in every instance that has one with the edits, and in no other."""
    tried = {path: needed_by(edit, path) for edit in edits for path in (place_layer(edit.place),)}
    path, inner = next(iter(tried)), edits[0].place.removeprefix(place_layer(edits[0].place))
    owner = recording.layer_at.get(path)
    instances = [layer.path for layer in recording.layers if owner is not None and layer.type == owner.type]
    if owner is None or owner.kind != "module" or len(instances) < 2 or not tried.keys() <= set(instances):
        return None
    seen = (tried.get(at) or needed_at(recording.at(at + inner), edits[0], at, recording) for at in instances)
    met = [each for each in seen if each is not None]
    said = list(_sayings(path, instances, recording, language))
    words = words_for(met, said, instances, language.knows_channels)
    needed = [words.needed(at) for at in instances] if words is not None else []
    if words is None or {each.block for each in needed if not each.nothing} != tried.keys():
        return None
    code, otherwise = language.code_of(words.in_words(edits[0].module)), language.identity
    if not any(each.nothing for each in needed):
        return code
    whole = f"{code} if {words.condition} else {otherwise}"
    return whole if len(whole) < _WIDE else f"(\n    {code}\n    if {words.condition}\n    else {otherwise}\n)"


_WIDE = 72
"""An expression longer than this takes several lines."""


# What the class says


def _sayings(path: str, instances: Sequence[str], recording: Recording, language: Language) -> Iterator[Saying]:
    inside = [
        layer for layer in recording.layers if layer.path.rpartition(".")[0] == path and layer.defined is not None
    ]
    span = inside[0].defined if inside else None
    owner = class_around(span.file, span.line) if span is not None else None
    init = method_of(owner, "__init__") if owner is not None else None
    if span is None or init is None or not is_users_own(span.file):
        return
    given = set(parameters_of(init)) | _stored_once(init)
    for layer in inside:
        name = layer.path.rpartition(".")[2]
        made = [node for node in ast.walk(init) if isinstance(node, ast.Assign) and is_assigned(node, f"self.{name}")]
        source = statement(span_of(span.file, made[0].lineno)) if len(made) == 1 else None
        for argument, node in language.said_in(source, name, layer).items():
            if {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} <= given:
                text = ast.get_source_segment(source or "", node) or ast.unparse(node)
                values: dict[object, Any] = {at: _held(f"{at}.{name}", argument, recording) for at in instances}
                yield Saying(argument, text, values)


def _held(path: str, argument: str, recording: Recording) -> Any:
    layer = recording.layer_at.get(path)
    return collapse(layer.facts.get(argument)) if layer is not None else None


def _stored_once(init: ast.AST) -> set[str]:
    stored = [each.id for each in ast.walk(init) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    return {name for name in stored if stored.count(name) == 1}
