"""The line of a class that constructs a part of its own for another width than comes, in the words that the line of a
neighbour has for it: `SqueezeExcite(hidden, ...)` behind `ConvBNAct(hidden, hidden)`.

The words are known to be right by the layers that the neighbours made, in each instance of the class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from shapewatch.adapters.arguments import WIDTHS, parameter_for
from shapewatch.adapters.around import Function
from shapewatch.adapters.constructed import method_of
from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.widths import widths_of
from shapewatch.adapters.worked_out import bound, known_at
from shapewatch.edits import Edit, Set
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import is_users_own, span_of, tree_of


def line_of_construction(edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:
    """The statement that constructs the part, with another word for the parameter that the edits are of; None where no
    word is what each instance needs, or the word would change another one."""
    sets = [edit for edit in edits if isinstance(edit, Set) and edit.layer in recording.layer_at]
    layers = [recording.layer_at[edit.layer] for edit in sets]
    pairs = zip(layers, sets, strict=True)
    named = {parameter_for(layer, edit.argument) for layer, edit in pairs}
    parts = {edit.layer.rpartition(".")[0]: edit for edit in sets}
    types = {layer.type for path in parts if (layer := recording.layer_at.get(path)) is not None}
    file = layers[0].defined.file if layers and layers[0].defined is not None else ""
    if len(sets) < len(edits) or len(named) != 1 or None in named or len(types) != 1 or not is_users_own(file):
        return None
    (parameter,), (part,) = named, types
    whole = _constructing(next(iter(parts)), part, file, recording)
    own = _class(part, file)
    init = method_of(own, "__init__") if own is not None else None
    if whole is None or init is None or parameter is None:
        return None
    owner, call = whole
    given = (bound(call, init) or {}).get(parameter)
    within = [layer.path for layer in recording.layers if layer.type == owner.name]
    needed = {path: edit.value for path in within for each, edit in parts.items() if each.startswith(f"{path}.")}
    words = {
        text: values
        for text, values in _words(owner, call, within, file, recording)
        if all(values.get(path) == width for path, width in needed.items())
    }
    rest = [path for path in within if path not in needed]
    said = {path: _given_now(path, part, parameter, recording) for path in rest}
    fitting = [text for text, values in words.items() if all(values.get(path) == said[path] for path in rest)]
    if given is None or len(needed) < len(parts) or not fitting or ast.unparse(given) in fitting:
        return None
    return _written(call, init, parameter, min(fitting, key=lambda text: not text.isidentifier()), file)


def _written(call: ast.Call, init: Function, parameter: str, word: str, file: str) -> tuple[Span, str] | None:
    span = span_of(file, call.lineno)
    source = statement(span)
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    there = [node for node in calls if name_called(node) == name_called(call)]
    node = (bound(there[0], init) or {}).get(parameter) if len(there) == 1 else None
    return (span, rewritten(source, [(node, word)])) if source is not None and node is not None else None


def _class(name: str, file: str) -> ast.ClassDef | None:
    found = [node for node in tree_of(file).body if isinstance(node, ast.ClassDef) and node.name == name]
    return found[0] if len(found) == 1 else None


def _constructing(path: str, part: str, file: str, recording: Recording) -> tuple[ast.ClassDef, ast.Call] | None:
    """The class of the nearest layer around a part whose constructor makes such a part, once."""
    while "." in path:
        path = path.rpartition(".")[0]
        layer = recording.layer_at.get(path)
        owner = _class(layer.type, file) if layer is not None else None
        init = method_of(owner, "__init__") if owner is not None else None
        calls = [node for node in ast.walk(init) if isinstance(node, ast.Call)] if init is not None else []
        made = [call for call in calls if name_called(call) == part]
        if owner is not None and len(made) == 1:
            return owner, made[0]
    return None


def _words(
    owner: ast.ClassDef, part: ast.Call, within: Sequence[str], file: str, recording: Recording
) -> Iterator[tuple[str, Mapping[str, int]]]:
    """What the constructor says for the widths of its other parts, and what that is in each instance that made as many
    of these as the text has of them."""
    init = method_of(owner, "__init__")
    calls = [node for node in ast.walk(init) if isinstance(node, ast.Call)] if init is not None else []
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    under = {id(each) for node in ast.walk(init or part) if isinstance(node, ast.If) for each in ast.walk(node)}
    for name in dict.fromkeys(name_called(call) for call in calls if call is not part):
        alike = [call for call in calls if name_called(call) == name]
        always = [call for call in alike if id(call) not in under]
        made = {path: _made_in(path, name, recording) for path in within}
        for call in alike:
            widths = widths_of(call, file)
            rows = ((path, row, _as_many(row, alike, always)) for path, row in made.items())
            there = {path: row[said.index(call)] for path, row, said in rows if call in said}
            for node, last in ((widths.made, True), (widths.given, False)) if widths is not None else ():
                if node is not None and not isinstance(node, ast.Constant) and known_at(node, file, part.lineno):
                    values = {path: _width(layer, last, recording) for path, layer in there.items()}
                    yield ast.unparse(node), {path: width for path, width in values.items() if width is not None}


def _as_many(row: Sequence[Layer], *texts: Sequence[ast.Call]) -> Sequence[ast.Call]:
    """The calls that an instance made its layers with: all of them, or those that stand under no condition."""
    return next((calls for calls in texts if len(calls) == len(row)), ())


def _made_in(path: str, name: str, recording: Recording) -> list[Layer]:
    inside = [layer for layer in recording.layers if layer.path.startswith(f"{path}.") and layer.type == name]
    return [layer for layer in inside if not any(layer.path.startswith(f"{other.path}.") for other in inside)]


def _width(layer: Layer, last: bool, recording: Recording) -> int | None:
    """How many channels a part gives, or takes."""
    inside = [each for each in recording.layers if each.path == layer.path or each.path.startswith(f"{layer.path}.")]
    names = ("out_channels", "out_features") if last else ("in_channels", "in_features")
    widths = [each.facts[name] for each in inside for name in names if isinstance(each.facts.get(name), int)]
    return (widths[-1] if last else widths[0]) if widths else None


def _given_now(path: str, part: str, parameter: str, recording: Recording) -> int | None:
    """What a part of an instance is constructed with for the parameter."""
    for layer in recording.layers:
        owner = recording.layer_at.get(layer.path.rpartition(".")[0])
        if owner is not None and owner.type == part and owner.path.startswith(f"{path}."):
            for argument in WIDTHS:
                if argument in layer.facts and parameter_for(layer, argument) == parameter:
                    width = layer.facts[argument]
                    return width if isinstance(width, int) else None
    return None
