"""A projection that the program's own class makes for itself, in the sizes that its constructor is given.

`self.shortcut = nn.Conv2d(16, 32, 1, stride=2)` is right in the one instance that it was found for, and wrong in each
other one of its class. What the class says to its other layers of these sizes is right in all of them. It is said only
where it makes a projection in the instances that were tried with one, and in no other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters.around import class_around
from shapewatch.adapters.constructed import method_of
from shapewatch.adapters.operand import which_of_line, with_operand
from shapewatch.adapters.statements import is_assigned, statement
from shapewatch.adapters.torch.own_line import arguments_of, made_in
from shapewatch.adapters.torch.write import module_code
from shapewatch.adapters.worked_out import parameters_of
from shapewatch.adapters.written import call_at, collapse
from shapewatch.edits import Edit, Insert, Module, place_layer
from shapewatch.recording import Recording, Span
from shapewatch.source import is_users_own, span_of

_GIVEN = frozenset({"in_channels", "num_features", "num_channels"})
_MADE = frozenset({"out_channels", "num_features", "num_channels"})
_STRIDE = frozenset({"stride"})


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


def line_of_projections(edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:
    """The junction's line, with that of the layer that the class is to make before it; None where the model has one
    instance, where the class has no word for what one of them needs, or where others would have a projection too."""
    inserts = [edit for edit in edits if isinstance(edit, Insert)]
    if (
        len(inserts) < len(edits)
        or len(set(map(_head, inserts))) > 1
        or not all(_is_pointwise(i.module) for i in inserts)
    ):
        return None
    call = call_at(inserts[0].place, recording)
    if call is None or call.is_layer or call.span is None:
        return None
    made = _made_by_class(inserts, recording)
    which = which_of_line(call, recording)
    used = with_operand(
        call.span.source, inserts[0].operand, lambda text: f"self.shortcut({text})", call.name, which=which
    )
    return (call.span, f"self.shortcut = {made}\n{used}") if made is not None and used is not None else None


def _head(edit: Insert) -> tuple[object, ...]:
    """What is alike in the projections of all instances: the place in the layer, the operand, the kinds of layers."""
    inner = edit.place.removeprefix(place_layer(edit.place))
    return inner, edit.operand, tuple(part.kind for part in _parts(edit.module))


def _made_by_class(edits: Sequence[Insert], recording: Recording) -> str | None:
    """What makes the projection in every instance that has one with the edits, and in no other."""
    tried = {each.path: each for each in map(_by_edit, edits)}
    path = next(iter(tried))
    owner = recording.layer_at.get(path)
    instances = [layer.path for layer in recording.layers if owner is not None and layer.type == owner.type]
    if owner is None or owner.kind != "module" or len(instances) < 2 or not tried.keys() <= set(instances):
        return None
    met = [each for at in instances if (each := tried.get(at) or _by_shapes(at, edits[0], recording)) is not None]
    said = list(_sayings(path, recording))
    whole = len(met) == len(instances)
    channels = _word(said, _GIVEN, {each.path: each.channels for each in met}, whole, recording)
    filters = _word(said, _MADE, {each.path: each.filters for each in met}, whole, recording)
    is_told_strides = any(each.argument in _STRIDE and not each.is_number for each in said)
    stride = _word(said, _STRIDE, {each.path: each.stride for each in met}, whole or not is_told_strides, recording)
    if channels is None or filters is None or stride is None:
        return None
    needed = [_Needed(at, *(word.value(at, recording) for word in (channels, filters, stride))) for at in instances]
    if {each.path for each in needed if not each.nothing} != tried.keys():
        return None
    strides = "1" if all(each.stride == 1 for each in needed) else stride.text
    words = {"in_channels": channels.text, "out_channels": filters.text, "stride": strides}
    code, condition = module_code(_in_words(edits[0].module, words)), _condition(needed, words)
    if condition is None:
        return code
    whole_line = f"{code} if {condition} else nn.Identity()"
    return whole_line if len(whole_line) < _WIDE else f"(\n    {code}\n    if {condition}\n    else nn.Identity()\n)"


_WIDE = 72
"""An expression longer than this takes several lines."""


def _parts(module: Module) -> Sequence[Module]:
    return module.parts or (module,)


def _convs(module: Module) -> Sequence[Module]:
    return [part for part in _parts(module) if part.kind == "conv"]


def _is_pointwise(module: Module) -> bool:
    convs = _convs(module)
    return len(convs) == 1 and bool(collapse(convs[0].arguments["kernel_size"]) == 1)


def _by_edit(edit: Insert) -> _Needed:
    """Of an instance that was tried with a projection."""
    (conv,) = _convs(edit.module)
    sizes = (collapse(conv.arguments.get(name, 1)) for name in ("in_channels", "out_channels", "stride"))
    return _Needed(place_layer(edit.place), *sizes)


def _by_shapes(path: str, edit: Insert, recording: Recording) -> _Needed | None:
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
