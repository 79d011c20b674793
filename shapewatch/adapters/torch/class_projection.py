"""A projection that the program's own class makes for itself, in the sizes that its constructor is given.

`self.shortcut = nn.Conv2d(16, 32, 1, stride=2)` is right in the one instance that it was found for, and wrong in each
other one of its class. What the class says to its other layers of these sizes is right in all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters.around import class_around
from shapewatch.adapters.constructed import method_of
from shapewatch.adapters.statements import is_assigned, statement
from shapewatch.adapters.torch.own_line import arguments_of, made_in
from shapewatch.adapters.worked_out import parameters_of
from shapewatch.adapters.written import collapse
from shapewatch.edits import Insert, Module, place_layer
from shapewatch.recording import Recording
from shapewatch.source import is_users_own, span_of

_GIVEN = frozenset({"in_channels", "num_features", "num_channels"})
_MADE = frozenset({"out_channels", "num_features", "num_channels"})
_STRIDE = frozenset({"stride"})


@dataclass(frozen=True)
class ClassProjection:
    """The projection in the words of a class, and in which of its instances there is to be one; None: in all."""

    module: Module
    condition: str | None


class _Said(str):
    """A size as the class says it, which stands in code as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class _Needed:
    """What the projection of one instance is to be; a stride of 1 and as many channels as before: none."""

    path: str
    channels: Any
    filters: Any
    stride: Any

    @property
    def nothing(self) -> bool:
        return self.channels == self.filters and self.stride == 1


def projection_of_class(edit: Insert, recording: Recording) -> ClassProjection | None:
    """The same for every instance of the class; None where the model has one, or the class has no word for what one of
    them needs."""
    path = place_layer(edit.place)
    owner = recording.layer_at.get(path)
    instances = [layer for layer in recording.layers if owner is not None and layer.type == owner.type]
    conv = _conv(edit.module)
    if owner is None or owner.kind != "module" or len(instances) < 2 or conv is None:
        return None
    met = [each for layer in instances if (each := _needed(layer.path, edit, recording)) is not None]
    said = list(_sayings(path, recording))
    whole = len(met) == len(instances)
    channels = _word(said, _GIVEN, {each.path: each.channels for each in met}, whole, recording)
    filters = _word(said, _MADE, {each.path: each.filters for each in met}, whole, recording)
    is_told_strides = any(each.argument in _STRIDE and not each.is_number for each in said)
    stride = _word(said, _STRIDE, {each.path: each.stride for each in met}, whole or not is_told_strides, recording)
    if channels is None or filters is None or stride is None or path not in {each.path for each in met}:
        return None
    needed = [
        _Needed(layer.path, *(word.value(layer.path, recording) for word in (channels, filters, stride)))
        for layer in instances
    ]
    strides = "1" if all(each.stride == 1 for each in needed) else stride.text
    words = {"in_channels": channels.text, "out_channels": filters.text, "stride": strides}
    return ClassProjection(_in_words(edit.module, words), _condition(needed, words))


def _conv(module: Module) -> Module | None:
    parts = module.parts or (module,)
    return next((part for part in parts if part.kind == "conv" and collapse(part.arguments["kernel_size"]) == 1), None)


def _needed(path: str, edit: Insert, recording: Recording) -> _Needed | None:
    """Of the instance at a path, from the shapes that met there; None where the pass did not come so far."""
    call = recording.at(path + edit.place.removeprefix(place_layer(edit.place)))
    if call is None or len(call.operands) != 2:
        return None
    skip, main = (recording.shape(call.operands[at]) for at in (edit.operand, 1 - edit.operand))
    if len(skip) != len(main) or len(skip) < 3 or None in (*skip[1:], *main[1:]):
        return None
    strides = {-(-one // other) for one, other in zip(skip[2:], main[2:], strict=True) if one and other}
    return _Needed(path, skip[1] or 0, main[1] or 0, strides.pop()) if len(strides) == 1 else None


# What the class says


@dataclass(frozen=True)
class _Saying:
    """What the line of a layer says for one of its arguments. `inner`: the layer's path behind the instance's; of a
    number that all instances need there is none, and no argument."""

    inner: str
    argument: str
    text: str
    is_number: bool

    def value(self, path: str, recording: Recording) -> Any:
        """What that is in the instance at a path."""
        layer = recording.layer_at.get(path + self.inner)
        return int(self.text) if not self.argument else collapse(layer.facts.get(self.argument)) if layer else None


def _sayings(path: str, recording: Recording) -> Iterator[_Saying]:
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
        call = made_in(source, [name], layer)
        for argument, node in ((call is not None and arguments_of(call, layer)) or {}).items():
            if {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} <= given:
                text = ast.get_source_segment(source or "", node) or ast.unparse(node)
                yield _Saying(f".{name}", argument, text, isinstance(node, ast.Constant))


def _stored_once(init: ast.AST) -> set[str]:
    stored = [each.id for each in ast.walk(init) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    return {name for name in stored if stored.count(name) == 1}


def _word(
    said: Sequence[_Saying], arguments: frozenset[str], needed: Mapping[str, Any], whole: bool, recording: Recording
) -> _Saying | None:
    """What the class says for such an argument that is, in each instance, what this one needs. A number, where there is
    no name for it: `whole` says that it is known of all instances, and all need the same."""
    for each in said:
        held = [each.value(path, recording) for path in needed]
        if each.argument in arguments and not each.is_number and held == list(needed.values()):
            return each
    values = set(needed.values())
    return _Saying("", "", str(values.pop()), True) if whole and len(values) == 1 else None


# The projection in these words


def _in_words(module: Module, words: Mapping[str, str]) -> Module:
    if module.parts:
        return replace(module, parts=tuple(_in_words(part, words) for part in module.parts))
    arguments = dict(module.arguments)
    if module.kind == "conv":
        arguments |= {name: _Said(word) if word != "1" else 1 for name, word in words.items()}
    elif "num_features" in arguments:
        arguments["num_features"] = _Said(words["out_channels"])
    return replace(module, arguments=arguments)


def _condition(needed: Sequence[_Needed], words: Mapping[str, str]) -> str | None:
    """Which instances have a projection, where others need none."""
    if not any(each.nothing for each in needed):
        return None
    parts = []
    if any(each.stride != 1 for each in needed):
        parts.append(f"{words['stride']} != 1")
    if any(each.channels != each.filters for each in needed):
        parts.append(f"{words['in_channels']} != {words['out_channels']}")
    return " or ".join(parts)
