"""Edits as Keras code, and as the data that CONTRACT calls `Fix.edit`, with settings as a layer's config has them.

Where one line of the user's makes the layer, that line is given back with the setting changed. A line that makes
several (in a loop, or in a function that builds blocks) is not the place to write what is meant for one of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras.src.utils.naming import to_snake_case

from shapewatch.adapters import Written
from shapewatch.adapters.constructed import constructed
from shapewatch.adapters.formulas import as_formula, laid_out, last_axes, named_size, runs_once
from shapewatch.adapters.keras.arguments import as_keras, described, window
from shapewatch.adapters.keras.constructing import (
    WRAPPERS,
    class_name,
    construction_in,
    literal_of,
    making_line,
    parameters,
    said_by,
    source_of,
    word_of,
)
from shapewatch.adapters.keras.generators import data_in
from shapewatch.adapters.keras.inserted import write_insert
from shapewatch.adapters.keras.making import code_of, has_to_say, module_code
from shapewatch.adapters.laid_out import laid_out_by_its_line
from shapewatch.adapters.operand import (
    says_the_same_each_time,
)
from shapewatch.adapters.statements import (
    function_called,
    parsed,
    rewritten,
    statement,
    with_argument,
)
from shapewatch.adapters.turns import moved_by_one
from shapewatch.adapters.worked_out import comes_to
from shapewatch.adapters.written import (
    call_at,
    exchanged_inputs,
    factors_exchanged,
    in_a_batch,
    input_data,
    input_name,
    input_title,
    other_input,
    root_name,
    set_title,
    sum_left_out,
    target_data,
    target_names,
    target_reshaped,
    target_title,
)
from shapewatch.edits import Edit, Input, Insert, Replace, Set, SetCall, Target, place_layer
from shapewatch.recording import Layer, Recording, Shape, Span
from shapewatch.source import is_users_own


def write(edit: Edit, recording: Recording) -> Written:
    """The edit as a title, as code to paste, and as data."""
    match edit:
        case Set():
            return _write_set(edit, recording)
        case SetCall():
            return _write_set_call(edit, recording)
        case Insert():
            return write_insert(edit, recording)
        case Replace():
            return _write_replace(edit, recording)
        case Input():
            return _write_input(edit, recording)
        case Target():
            return _write_target(edit, recording)


# One argument of a layer


def _write_set(edit: Set, recording: Recording) -> Written:
    layer = recording.layer_at[edit.layer]
    changes = _as_keras(layer, {edit.argument: edit.value})
    was = _as_keras(layer, {edit.argument: edit.was})
    alone = edit.argument == "out_features" and edit.value == 1 and _gives_softmax(layer)
    if alone:
        changes, was = changes | {"activation": "sigmoid"}, was | {"activation": "softmax"}
    whole = _whole(layer, {**layer.facts, edit.argument: edit.value})
    parts = [(name, code_of(value), code_of(was.get(name))) for name, value in changes.items()]
    title = "; ".join(set_title(edit.layer or layer.type, *part) for part in parts)
    note = "; ".join(f"{name} was {before}" for name, _, before in parts)
    note += ": of one number a softmax is always 1" if alone else ""
    units = changes.get("units")
    behind = laid_out(layer.path, units, recording) if isinstance(units, int) else ()
    code = _own_line(
        layer, whole | changes, _Changed(changes, was, _given_to(layer, recording), behind), recording
    ) or _called_in_lower_case(layer, changes, recording)
    there = _constructed(layer, changes, was, recording) if code is None else None
    if there is not None:
        return Written(title, there[1], _set_data(layer, changes), there[0])
    worked_out = _flag_worked_out(layer, changes) if code is None else None
    if worked_out is not None and layer.defined is not None:
        line, flag = worked_out
        had, wanted = _flags(edit, layer, recording)
        code = moved_by_one(line, flag, had, wanted, layer.defined)
        note = note if code is not None else f"{title}; in: {' '.join(line.split())}"
    elif code is None and (alone or changes.items() <= whole.items()):
        made = _own_construction(layer, whole | changes) or _made_anew(layer, whole | changes)
        target = _target(layer.path, recording)
        code = f"{target} = {made}" if target and made else made
        if made and not target and keras_name(layer) not in made:
            note = f"{layer.path}: {note}"
    for _, value, before in parts:
        if code and before != value and not value.startswith('"') and value not in code:
            note = note.replace(f"was {before}", f"was {before}, {value} now")
    code = f"{code}  # {note}" if code else f"# {note if worked_out else title}"
    return Written(title, code, _set_data(layer, changes))


def _constructed(
    layer: Layer, changes: Mapping[str, Any], was: Mapping[str, Any], recording: Recording
) -> tuple[Span, str] | None:
    """The line that constructs the instance of the program's own class which has the layer, and it as it should be, if
    one number of the layer is what the instance is given."""
    (name, value), *more = changes.items()
    before = was.get(name)
    path, _, attribute = layer.path.rpartition(".")
    source = source_of(layer)
    construction = construction_in(source, layer.type) if source else None
    size = (said_by(construction, layer.type) or {}).get(name) if construction is not None else None
    is_number = type(value) is type(before) is int
    if more or not is_number or before is None or size is None or layer.defined is None:
        return None
    there = constructed(layer.defined, size, attribute, path, recording)
    return (there.span, there.with_size(before, value, recording)) if there is not None else None


def _set_data(layer: Layer, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    data = [
        {"action": "set", "layer": layer.path, "name": keras_name(layer), "argument": name, "value": value}
        | ({"within": ("layer", "backward_layer")} if layer.type == "Bidirectional" and name != "merge_mode" else {})
        for name, value in changes.items()
    ]
    return data[0] if len(data) == 1 else {"action": "all", "edits": tuple(data)}


def keras_name(layer: Layer) -> str:
    """What Keras calls the layer, which is how a model's config knows it."""
    return layer.name or layer.path.rpartition(".")[2]


def _as_keras(layer: Layer, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by Keras's name; by ours, where Keras has none and the change cannot be made."""
    try:
        changed = as_keras(layer.kind, layer.type, layer.facts, arguments)
    except (ValueError, TypeError, IndexError):
        return dict(arguments)
    return {name: window(name, value) for name, value in changed.items()}


def _whole(layer: Layer, facts: Mapping[str, Any]) -> dict[str, Any]:
    """All of a layer's settings that there are facts about, as its config has them."""
    whole: dict[str, Any] = {}
    for argument, value in facts.items():
        if value is None or argument == "axis" or layer.kind == "module":
            continue  # a layer counts its axis from the other end once it is built
        try:
            whole |= as_keras(layer.kind, layer.type, facts, {argument: value})
        except (ValueError, TypeError, IndexError):
            continue  # what a layer finds out by itself, or what is no argument
    return {name: window(name, value) for name, value in whole.items()}


# The user's own line, changed


@dataclass(frozen=True)
class _Changed:
    """Settings that get other values, what they had before, the shape that the layer is given, and the axes that are
    made of what it gives."""

    values: Mapping[str, Any]
    was: Mapping[str, Any]
    given: Shape
    laid_out: Shape = ()

    def together(self, name: str, wanted: Any) -> list[int]:
        """The axes that a size stands for."""
        axes = self.laid_out if name == "units" else last_axes(self.given, wanted) if isinstance(wanted, int) else ()
        return [size for size in axes if size]


def _given_to(layer: Layer, recording: Recording) -> Shape:
    calls = [call for call in recording.calls if call.layer == layer.path and call.is_layer and call.operands]
    return recording.shape(calls[-1].operands[0]) if calls else ()


def _own_line(layer: Layer, settings: Mapping[str, Any], changed: _Changed, recording: Recording) -> str | None:
    """The statement that makes this layer and no other, changed; None where there is none that says it."""
    source = making_line(layer, recording)
    construction = construction_in(source, layer.type) if source else None
    said = said_by(construction, layer.type) if construction else None
    if source is None or said is None or layer.defined is None:
        return None
    spelled: dict[ast.expr, str] = {}
    unread = [name for name, node in said.items() if name in settings and _is_open(name, node)]
    once = not unread or runs_once(layer.defined)
    if once and changed.laid_out and isinstance(said.get("units"), ast.BinOp) and runs_once(layer.defined):
        unread = list(dict.fromkeys([*unread, "units"]))  # a product of numbers, which it may stay
    for name in unread if not once else ():
        if name not in changed.values:
            continue
        if comes_to(said[name], layer.defined.file, layer.defined.line) != changed.was.get(name):
            return None  # `strides=stride` says it for more than this layer
        spelled[said[name]] = named_size(changed.values[name], layer.defined) or code_of(changed.values[name])
    for name in unread if once else ():
        parts = _with_names_kept(said[name], name, settings[name], changed, layer.defined)
        if parts is None:
            return None
        spelled |= parts
    return _with_settings(source, layer.type, {n: v for n, v in settings.items() if n not in unread}, spelled)


def _with_names_kept(
    node: ast.expr, name: str, value: Any, changed: _Changed, span: Span
) -> Mapping[ast.expr, str] | None:
    """What to write in an argument that has names in it: nothing where it comes to the value, else a formula or the
    value itself, of a row of sizes for those that are others; None where it is not known what it comes to."""
    row = isinstance(value, tuple) and isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(value)
    parts, values = (node.elts, value) if row and isinstance(node, ast.Tuple | ast.List) else ([node], [value])
    before = changed.was.get(name) if name in changed.values else None
    old = before if row and isinstance(before, tuple) and len(before) == len(values) else [before] * len(values)
    new: dict[ast.expr, str] = {}
    for part, wanted, was in zip(parts, values, old, strict=True):
        if was == wanted or comes_to(part, span.file, span.line) == wanted:
            continue
        if name not in changed.values:
            return None
        together = changed.together(name, wanted)
        formula = as_formula(part, was, together, span) if together and isinstance(was, int) else None
        new |= dict(formula or [(part, code_of(wanted))])
    return new


def _flag_worked_out(layer: Layer, changes: Mapping[str, Any]) -> tuple[str, ast.expr] | None:
    """The line of a flag that is to change, and what it says for it, where that is for each layer of the line apart."""
    source = source_of(layer)
    construction = construction_in(source, layer.type) if source else None
    said = (said_by(construction, layer.type) if construction else None) or {}
    (name, value) = next(iter(changes.items())) if len(changes) == 1 else ("", None)
    if source is None or not isinstance(value, bool) or name not in said or not _is_open(name, said[name]):
        return None
    return source, said[name]


def _flags(edit: Set, layer: Layer, recording: Recording) -> tuple[list[bool], list[bool]]:
    """What the layers of a line have for a flag, and with the edit."""
    there = [each for each in recording.layers if (each.defined, each.type) == (layer.defined, layer.type)]
    had = [bool(each.facts.get(edit.argument)) for each in there]
    return had, [edit.value if each.path == layer.path else now for each, now in zip(there, had, strict=True)]


def _called_in_lower_case(layer: Layer, changes: Mapping[str, Any], recording: Recording) -> str | None:
    """The line that joins by the function, `concatenate([a, b], axis=1)`, along another axis."""
    joins = [call for call in recording.calls if call.layer == layer.path and layer.type == "Concatenate"]
    source = statement(joins[0].span) if joins else None
    call = function_called(source, {"concatenate"})
    named = [word.value for word in call.keywords if word.arg == "axis"] if call is not None else []
    if source is None or call is None or set(changes) != {"axis"}:
        return None
    if named:
        return rewritten(source, [(named[0], code_of(changes["axis"]))])
    if len(call.args) != 1 or call.keywords:
        return None
    return with_argument(source, call, f"axis={code_of(changes['axis'])}")


def _own_construction(layer: Layer, settings: Mapping[str, Any]) -> str | None:
    """What a line of the user's says of several layers, for this one: no name stands for a setting that is known."""
    source = source_of(layer)
    construction = (construction_in(source, layer.type) or _the_one_alike(source, layer)) if source else None
    made = ast.get_source_segment(source, construction) if source and construction else None
    if made is None or "\n" in made:
        return None
    return _with_settings(made, layer.type, {**settings, **_given_name(layer)})


def _made_anew(layer: Layer, settings: Mapping[str, Any]) -> str | None:
    """A layer with all that this one was made with and, besides, these settings."""
    return _with_settings(layer.made_by, layer.type, {**settings, **_given_name(layer)}) if layer.made_by else None


def _gives_softmax(layer: Layer) -> bool:
    construction = construction_in(layer.made_by, layer.type) if layer.made_by else None
    said = said_by(construction, layer.type) if construction else None
    return word_of((said or {}).get("activation")) == "softmax"


def _the_one_alike(source: str, layer: Layer) -> ast.Call | None:
    """Of the several layers of its type that a line makes, the one that is made with this one's settings; if more are,
    they have to be written alike."""
    tree, now = parsed(source), _whole(layer, layer.facts)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    alike = []
    for call in (call for call in calls if class_name(call) == layer.type):
        said = said_by(call, layer.type)
        pairs = [(now[name], literal_of(name, node)) for name, node in (said or {}).items() if name in now]
        if said is not None and all(value == literal for value, literal in pairs):
            alike.append(call)
    return alike[0] if len({ast.unparse(call) for call in alike}) == 1 else None


def _is_open(name: str, node: ast.expr) -> bool:
    """Whether an argument is left to what a name stands for."""
    if name == "activation" and hasattr(keras.activations, word_of(node) or ""):
        return False
    return any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(node))


def _with_settings(
    source: str, type: str, settings: Mapping[str, Any], spelled: Mapping[ast.expr, str] | None = None
) -> str | None:
    """The line with all of a layer's settings in it, and other parts as `spelled`; None where its arguments cannot be
    told.

    All, and not the one that is changed: several changes of one layer come as one in the layer's facts.
    """
    call = construction_in(source, type)
    said = said_by(call, type) if call else None
    if call is None or said is None:
        return None
    if type in WRAPPERS:
        call = next(argument for argument in call.args if isinstance(argument, ast.Call))
    defaults = parameters(class_name(call))
    new: dict[ast.expr, str] = dict(spelled or {})
    added: list[str] = []
    for name, value in settings.items():
        node = said.get(name)
        if node is not None and literal_of(name, node) != value:
            new[node] = code_of(value)
            if isinstance(node, ast.Attribute) and name == "activation":
                new[node] = f"{ast.unparse(node.value)}.{value}"  # in place of `tf.nn.softmax`, `tf.nn.sigmoid`
        elif node is None and has_to_say(name, value, settings, defaults):
            added.append(f"{name}={code_of(value)}")
    if added:
        last = max(said.values(), key=lambda node: (node.lineno, node.col_offset), default=None)
        here = last or call
        old = new.get(here) or ast.get_source_segment(source, here) or ""
        more = ", ".join(added)
        new[here] = f"{old}, {more}" if last else f"{old[:-1]}{more})"
    return rewritten(source, list(new.items()))


# Layers as code


def _given_name(layer: Layer) -> dict[str, str]:
    """The layer's name, if somebody gave it one. In a wrapper's call what is set is set in the layer inside."""
    name = keras_name(layer) if layer.type not in WRAPPERS else ""
    counted = re.fullmatch(rf"{re.escape(to_snake_case(layer.type))}(_\d+)?", name)
    return {"name": name} if name and not counted else {}


def _holder(path: str, recording: Recording) -> Layer | None:
    """The layer that holds this one in an attribute; None where its model knows it by its Keras name."""
    owner = recording.layer_at.get(path.rpartition(".")[0])
    functional = owner is None or owner.kind == "container" or owner.type in ("Functional", "Model", "Sequential")
    return None if functional else owner


def _target(path: str, recording: Recording) -> str | None:
    """`self.conv1` where the user's own class makes that one layer, else `model.layer2[0].conv1`; None in a functional
    model, where no attribute holds it."""
    owner, layer = _holder(path, recording), recording.layer_at.get(path)
    if owner is None or not path:
        return None
    defined = layer.defined if layer is not None else owner.defined
    alone = sum(other.type == owner.type for other in recording.layers) == 1
    if alone and (defined is None or is_users_own(defined.file)):
        return f"self.{path.rpartition('.')[2]}"
    return f"{root_name(recording)}.{path}"


# An argument of an operation

_FUNCTIONS: Mapping[str, str] = {
    "concat": "concat concatenate",
    "stack": "stack",
    "einsum": "einsum",
    "pixel_shuffle": "depth_to_space",
    "reshape": "reshape",
    "permute": "transpose",
    "unsqueeze": "expand_dims",
    "squeeze": "squeeze",
    "split": "split",
    "reduce": "mean sum max min prod std var reduce_mean reduce_sum reduce_max reduce_min reduce_prod reduce_std "
    "reduce_variance reduce_logsumexp",
}
"""Of each kind of operation, the functions of `tf` and `keras.ops` that it may have been written as."""

_IN_BOTH = {"dim": "axis", "keepdim": "keepdims", "stride": "strides", "upscale_factor": "block_size"}
_IN_TF = _IN_BOTH | {"dims": "perm", "dilation": "dilations"}
_IN_OPS = _IN_BOTH | {"dims": "axes", "shape": "newshape"}


def _write_set_call(edit: SetCall, recording: Recording) -> Written:
    call = call_at(edit.place, recording)
    if edit.argument == "alone":
        return sum_left_out(edit, recording)
    if call is not None and edit.argument == "order":
        return factors_exchanged(edit, call, recording)
    name = call.name if call else edit.place.split(":")[-2]
    where = f" in {place_layer(edit.place)}" if place_layer(edit.place) else ""
    source = statement(call.span) if call else None
    function = function_called(source, _FUNCTIONS.get(call.kind, "").split()) if call else None
    names = _IN_TF if function is not None and ast.unparse(function.func).startswith("tf.") else _IN_OPS
    argument = names.get(edit.argument, edit.argument)
    title = set_title(f"{name}{where}", argument, code_of(edit.value), code_of(edit.was))
    code = f"# {title}" + (f"; in: {source}" if source and "\n" not in source else "")
    in_order = edit.argument == "dims" and isinstance(edit.was, tuple) and tuple(edit.value) == tuple(sorted(edit.was))
    if source is not None and function is not None and in_order:
        code = f"{rewritten(source, [(function, ast.unparse(function.args[0]))])}  # without the transposition"
    elif source is not None and function is not None and says_the_same_each_time(call, edit.argument, recording):
        said = _with_argument(source, function, argument, edit.value, edit.was)
        code = f"{said}  # {argument} was {code_of(edit.was)}"
    data = {
        "action": "set",
        "layer": place_layer(edit.place),
        "call": edit.place,
        "argument": argument,
        "value": edit.value,
    }
    return Written(title, code, data)


def _with_argument(source: str, call: ast.Call, argument: str, value: Any, was: Any) -> str:
    said = next((keyword.value for keyword in call.keywords if keyword.arg == argument), None)
    if argument == "equation":
        said = call.args[0]
    elif said is None and len(call.args) == 2:
        said = call.args[1]  # `tf.concat([a, b], 1)`: in all these functions the tensors are first
    sizes = said.elts if isinstance(said, ast.Tuple | ast.List) else []
    if said is not None and argument in ("newshape", "shape") and len(sizes) == len(value) > 2:
        changed = [axis for axis, size in enumerate(value) if size != was[axis]]
        if len(changed) == 1 and -1 not in value:  # the others keep the names that they have
            return rewritten(source, [(sizes[changed[0]], "-1")])
    if said is not None:
        return rewritten(source, [(said, code_of(value))])
    return with_argument(source, call, f"{argument}={code_of(value)}")


# A layer in the place of another


def _write_replace(edit: Replace, recording: Recording) -> Written:
    description = described(edit.module)
    made = module_code(description)
    layer = recording.layer_at.get(edit.layer)
    line = making_line(layer, recording)
    construction = construction_in(line, layer.type) if line and layer else None
    target = _target(edit.layer, recording)
    code = f"{target} = {made}" if target else made
    if line and construction:
        code = rewritten(line, [(construction, made)])
    name = keras_name(layer) if layer else edit.layer.rpartition(".")[2]
    data = {"action": "replace", "layer": edit.layer, "name": name, "module": description}
    return Written(f"{edit.layer}: {made}", code, data)


# The input


def _write_input(edit: Input, recording: Recording) -> Written:
    if edit.change == "exchange":
        return exchanged_inputs(edit, recording)
    arguments = edit.arguments
    given = recording.shape(recording.inputs[edit.index]) if edit.index < len(recording.inputs) else ()
    x = input_name(edit, recording)
    code = other_input(edit, recording)
    match edit.change:
        case _ if given and given[0] is None and not recording.root:  # there is no model yet
            code = f"{x if x != 'x' else 'inputs'} = keras.Input(shape={tuple(edit.shape[1:])})"
        case "permute":
            code = f"{x} = keras.ops.transpose({x}, {tuple(arguments['dims'])})"
        case "unsqueeze" if (batch := in_a_batch(edit, recording)) is not None:
            code = "\n".join([batch, *_with_data(batch, recording)])
        case "unsqueeze":
            code = f"{x} = keras.ops.expand_dims({x}, {arguments['dim']})" if arguments["dim"] else f"{x} = {x}[None]"
        case "squeeze":
            code = f"{x} = keras.ops.squeeze({x}, {arguments['dim']})"
        case "batch" if arguments["was"] == 1:
            code = f"{x} = keras.ops.repeat({x}, {arguments['batch']}, axis=0)"
        case "channels" if arguments.get("was") == 1:
            axis = next(axis for axis, size in enumerate(edit.shape) if axis and size != given[axis])
            axis = -1 if axis == len(edit.shape) - 1 else axis
            code = f"{x} = keras.ops.repeat({x}, {arguments['channels']}, axis={axis})"
        case "size" if len(arguments.get("size", ())) == 2 and not arguments.get("plain"):
            code = f"{x} = keras.ops.image.resize({x}, {tuple(arguments['size'])})  # or load the data at this size"
    return Written(input_title(edit), laid_out_by_its_line(edit, recording) or code, input_data(edit))


def _with_data(batch: str, recording: Recording) -> Sequence[str]:
    """The line that gives a model a generator, with the pipeline in its place that the line before makes of it."""
    source = statement(recording.failure.span) if recording.failure is not None else None
    data = data_in(source) if batch.startswith("data = ") else None
    return [rewritten(source, [(data, "data")])] if source and data is not None else []


# The target of a loss


def _labels_given(recording: Recording) -> str | None:
    """The variable that a line gives to `fit` and its like for labels."""
    source = statement(recording.failure.span) if recording.failure is not None else None
    call = function_called(source, {"fit", "evaluate", "train_on_batch", "test_on_batch"})
    named = [keyword.value for keyword in call.keywords if keyword.arg == "y"] if call is not None else []
    given = named or (call.args[1:2] if call is not None else [])
    return given[0].id if given and isinstance(given[0], ast.Name) else None


def _write_target(edit: Target, recording: Recording) -> Written:
    dim, classes = edit.arguments.get("dim"), edit.arguments.get("classes")
    output, y = target_names(recording, "output", _labels_given(recording) or "y")
    height, width = size = edit.arguments.get("size", (0, 0))
    order = ', data_format="channels_first"' if edit.arguments.get("channels_first") else ""
    code = {
        "one-hot": f"{y} = keras.utils.to_categorical({y}, {classes})  # or the loss sparse_categorical_crossentropy",
        "numbers": f"{y} = {y}.argmax(axis={dim})"
        + ("" if edit.arguments.get("binary") else "  # or the loss categorical_crossentropy"),
        "squeeze": f"{y} = keras.ops.squeeze({y}, {dim})",
        "unsqueeze": f"{y} = keras.ops.expand_dims({y}, {dim})",
        "resized": f'{y} = keras.ops.image.resize({y}, {size}, interpolation="nearest")',
        "padded": f'{y} = keras.utils.pad_sequences({y}, maxlen={edit.arguments.get("length")}, padding="post")',
        "input-shorter": "x = x[:, :-1]  # each of its steps says the next one",
        "column": f"{y} = {y}[..., 0]  # the column that is to be predicted",
        "picked": f"{y} = keras.ops.take({y}, {edit.arguments.get('by')}, axis=0)",
        "from-one": f"{y} = {y}[:, 1:]  # as of to_categorical(y - 1): there is no class 0",
        "output-squeeze": f"{output} = keras.ops.squeeze({output}, {dim})",
        "output-reshaped": f"{output} = keras.ops.reshape({output}, keras.ops.shape({y}))",
        "output-pooled": f"{output} = keras.ops.mean({output}, axis={edit.arguments.get('dims')})",
        "output-resized": f"{output} = keras.layers.Resizing({height}, {width}{order})({output})  # last",
        "output-moved": f"{output} = keras.ops.swapaxes({output}, 1, -1)",
        "shape": target_reshaped(edit, f"{y} = keras.ops.reshape({y}, {{}})"),
    }[edit.change]
    return Written(target_title(edit), code, target_data(edit))
