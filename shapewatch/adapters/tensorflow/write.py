"""Edits as TensorFlow code, functions of `tf` and variables, and as the data that CONTRACT calls `Fix.edit`."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any

from shapewatch.adapters import Written
from shapewatch.adapters.operand import operand_text, says_the_same_each_time, which_of_line, with_flag, with_operand
from shapewatch.adapters.statements import (
    axes_line,
    function_called,
    parsed,
    rewritten,
    statement,
    with_argument,
    with_axes,
)
from shapewatch.adapters.written import (
    call_at,
    collapse,
    cut_as_beside,
    factors_exchanged,
    in_a_batch,
    input_data,
    input_name,
    input_title,
    length_in,
    operand_title,
    ordinal,
    other_input,
    own_layer_called,
    padded,
    projection_title,
    repeated,
    root_name,
    set_title,
    short,
    subsampled,
    taken_instead,
    target_data,
    target_reshaped,
    target_title,
    without_first,
)
from shapewatch.edits import Edit, Input, Insert, Module, Replace, Set, SetCall, Target, place_layer
from shapewatch.recording import Call, Recording
from shapewatch.source import is_users_own


def write(edit: Edit, recording: Recording) -> Written:
    """The edit as a title, as code to paste, and as data."""
    match edit:
        case Set():
            return _write_set(edit, recording)
        case SetCall():
            return _write_set_call(edit, recording)
        case Insert():
            return _write_insert(edit, recording)
        case Replace():
            return _write_replace(edit, recording)
        case Input():
            return _write_input(edit, recording)
        case Target():
            return _write_target(edit)


# One setting of a module


def _write_set(edit: Set, recording: Recording) -> Written:
    value, was = short(edit.value), short(edit.was)
    name = edit.layer or recording.root or "the model"
    code = f"{spelled(edit.layer, recording)}.{edit.argument} = {value}  # was {was}"
    data = {"action": "set", "layer": edit.layer, "argument": edit.argument, "value": collapse(edit.value)}
    return Written(set_title(name, edit.argument, value, was), code, data)


def spelled(path: str, recording: Recording) -> str:
    """`self.conv1` where the user's own class makes that one module, else `model.blocks[0].conv1`.

    A class of which the model has several is not the place to write what is meant for one of them.
    """
    owner, layer = recording.layer_at.get(path.rpartition(".")[0]), recording.layer_at.get(path)
    if not path or owner is None:
        return f"{root_name(recording)}.{path}" if path else root_name(recording)
    defined = layer.defined if layer is not None else owner.defined
    alone = sum(other.type == owner.type for other in recording.layers) == 1
    if alone and (defined is None or is_users_own(defined.file)):
        return f"self.{path.rpartition('.')[2]}"
    return f"{root_name(recording)}.{path}"


# An argument of an operation

_FUNCTIONS: Mapping[str, str] = {
    "conv": "conv1d conv2d conv3d convolution depthwise_conv2d",
    "conv_transpose": "conv1d_transpose conv2d_transpose conv3d_transpose conv_transpose",
    "pool": "max_pool avg_pool max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d pool",
    "concat": "concat",
    "stack": "stack",
    "reshape": "reshape",
    "permute": "transpose",
    "unsqueeze": "expand_dims",
    "squeeze": "squeeze",
    "split": "split",
    "reduce": "reduce_mean reduce_sum reduce_max reduce_min reduce_prod reduce_any reduce_all reduce_std "
    "reduce_variance reduce_logsumexp",
    "matmul": "matmul",
}
"""Of each kind of operation, the functions of `tf` that it may have been written as."""

_NAMES = {
    "dim": "axis",
    "keepdim": "keepdims",
    "dims": "perm",
    "stride": "strides",
    "dilation": "dilations",
    "kernel_size": "ksize",
}


def _with_equation(source: str | None, was: str, equation: str) -> str | None:
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)] if tree is not None else []
    spelled = [node for node in nodes if node.value == was]
    return rewritten(source or "", [(spelled[0], f'"{equation}"')]) if len(spelled) == 1 else None


def _write_set_call(edit: SetCall, recording: Recording) -> Written:
    call = call_at(edit.place, recording)
    if call is not None and edit.argument == "order":
        return factors_exchanged(edit, call, recording)
    name = call.name if call else edit.place.split(":")[-2]
    where = f" in {place_layer(edit.place)}" if place_layer(edit.place) else ""
    argument = _NAMES.get(edit.argument, edit.argument)
    value, was = (_spelled_value(argument, given) for given in (edit.value, edit.was))
    title = set_title(f"{name}{where}", argument, value, was)
    source = statement(call.span) if call else None
    function = function_called(source, _FUNCTIONS.get(call.kind, "").split()) if call else None
    said = _said(function, argument) if function is not None else None
    kept = _kept(said, place_layer(edit.place), edit.was, recording)
    if kept is not None:
        return _write_set(Set(place_layer(edit.place), kept, edit.value, edit.was), recording)
    code = f"# {title}" + (f"; in: {source}" if source and "\n" not in source else "")
    if edit.argument == "equation":
        code = _with_equation(source, edit.was, edit.value) or code
    elif call is not None and edit.argument == "repeats":
        code = _tiled_otherwise(edit, call, source, recording) or code
    elif source is not None and function is not None and says_the_same_each_time(call, edit.argument, recording):
        code = f"{_with_argument(source, function, said, argument, value)}  # {argument} was {was}"
    data = {
        "action": "set",
        "layer": place_layer(edit.place),
        "call": edit.place,
        "argument": argument,
        "value": edit.value,
    }
    return Written(title, code, data)


def _tiled_otherwise(edit: SetCall, call: Call, source: str | None, recording: Recording) -> str | None:
    """The line with other numbers in it that something is repeated by; a size of what it meets as that one has it."""
    function = function_called(source, ("tile",))
    said = _said(function, "multiples") if function is not None else None
    if source is None or not isinstance(said, ast.List | ast.Tuple) or len(said.elts) != len(edit.value):
        return None
    changes = []
    for axis, (node, now, before) in enumerate(zip(said.elts, edit.value, edit.was, strict=True)):
        if now != before:
            changes.append((node, _length_of_partner(now, axis, call, recording) or str(now)))
    return f"{rewritten(source, changes)}  # multiples were {edit.was}"


def _length_of_partner(size: int, axis: int, call: Call, recording: Recording) -> str | None:
    """`tf.shape(local)[1]`: the size, as what the repeated one meets has it on that axis, where it has a name."""
    met = recording.failing_call()
    for at, value in enumerate(met.operands if met is not None else ()):
        shape = recording.shape(value)
        if met is not None and value not in call.results and axis < len(shape) and shape[axis] == size:
            name = operand_text(statement(met.span), at, met.name)
            return length_in("tensorflow", name, axis) if name is not None and name.isidentifier() else None
    return None


def _spelled_value(argument: str, value: Any) -> str:
    if argument == "padding" and isinstance(value, str):
        return f'"{value.upper()}"'
    return short(value) if argument in ("strides", "dilations", "ksize") else repr(value)


_POSITION = {"axis": 1, "shape": 1, "multiples": 1, "perm": 1, "strides": 2, "padding": 3}
"""Where an argument may stand without its name: `tf.concat([a, b], 1)`, `tf.nn.conv2d(x, w, 2, "SAME")`."""


def _said(call: ast.Call, argument: str) -> ast.expr | None:
    """What a call gives for an argument; None where it leaves it out."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg == argument), None)
    position = _POSITION.get(argument, 9)
    return call.args[position] if named is None and position < len(call.args) else named


def _kept(said: ast.expr | None, path: str, was: Any, recording: Recording) -> str | None:
    """The setting of the module that a call takes for an argument: `stride` for `self.stride`."""
    layer = recording.layer_at.get(path)
    if layer is None or not isinstance(said, ast.Attribute) or ast.unparse(said.value) != "self":
        return None
    return said.attr if collapse(layer.facts.get(said.attr)) == collapse(was) else None


def _with_argument(source: str, call: ast.Call, said: ast.expr | None, argument: str, value: str) -> str:
    if said is not None:
        return rewritten(source, [(said, value)])
    return with_argument(source, call, f"{argument}={value}")


# A new layer


def _write_insert(edit: Insert, recording: Recording) -> Written:
    if edit.module.kind == "value":
        return taken_instead(edit, recording)
    if edit.module.kind == "own":
        return own_layer_called(edit, recording)
    if edit.module.kind == "narrow":
        return cut_as_beside(edit, recording)
    layer = place_layer(edit.place)
    call = call_at(edit.place, recording)
    source = statement(call.span) if call else None
    operation = call.name if call else ""
    which = which_of_line(call, recording) if call is not None else None
    expression = operand_text(source, edit.operand, operation, which=which)
    where = f"the {ordinal(edit.operand)} operand of {call.name if call else 'the junction'}"
    given = expression or "skip"
    shortcut = _Shortcut(_in_method(call, source))
    used = shortcut.through(edit.module, given)
    line = with_operand(source, edit.operand, lambda _: used, operation, which=which) or f"skip = {used}  # {where}"
    if edit.module.kind == "unsqueeze":
        line = axes_line(expression, **edit.module.arguments) or line
    line = with_flag(source, edit.operand, edit.module, which or 0) or line
    title = _title_of(edit.module, layer, given)
    data = {
        "action": "insert",
        "layer": layer,
        "junction": edit.place,
        "operand": edit.operand,
        "module": described(edit.module),
    }
    return Written(title, "\n".join([*shortcut.variables, *shortcut.steps, line]), data)


def _title_of(module: Module, layer: str, expression: str) -> str:
    title = operand_title(module, layer, expression)
    if title is not None:
        return title
    first = module.parts[0] if module.parts else module
    unbiased = Module(first.kind, {**first.arguments, "bias": False})
    return projection_title(layer, _Shortcut(False).through(unbiased, expression))


def _in_method(call: Call | None, source: str | None) -> bool:
    function = call.span.function if call and call.span else ""
    return "." in function.rpartition("<locals>.")[2] or "self." in (source or "")


class _Shortcut:
    """A new layer as an expression of its operand, with the variables it needs, and what comes before it."""

    def __init__(self, in_method: bool) -> None:
        self._owner = "self." if in_method else ""
        self.variables: list[str] = []
        self.steps: list[str] = []

    def _variable(self, name: str, value: str) -> str:
        spelled = f"{self._owner}{name}"
        self.variables.append(f"{spelled} = tf.Variable({value})")
        return spelled

    def through(self, module: Module, x: str) -> str:
        arguments = module.arguments
        match module.kind:
            case "sequence":
                for part in module.parts[:-1]:
                    self.steps.append(f"shortcut = {self.through(part, x)}")
                    x = "shortcut"
                return self.through(module.parts[-1], x)
            case "conv":
                return self._conv(arguments, x)
            case "linear":
                width, wide = arguments.get("in_features"), arguments["out_features"]
                kernel = self._weights((width, wide), width)
                return self._biased(f"tf.tensordot({x}, {kernel}, 1)", wide, arguments, "")
            case "norm":
                axes = [0, *range(1, arguments.get("rank", 2) + 1)]
                axes = axes if arguments.get("channels_last") else [0, *(axis + 1 for axis in axes[1:])]
                keep = "" if arguments.get("channels_last") else ", keepdims=True"
                return f"tf.nn.batch_normalization({x}, *tf.nn.moments({x}, {axes}{keep}), None, None, 1e-3)"
            case "layer_norm":
                return f"tf.nn.batch_normalization({x}, *tf.nn.moments({x}, [-1], keepdims=True), None, None, 1e-3)"
            case "pad":
                return padded("tf.pad", x, arguments)
            case "resize" | "upsample":
                return _resized(x, arguments)
            case "subsample_pad":
                return subsampled("tf.pad", x, arguments)
            case "unsqueeze":
                return with_axes(x, arguments["dims"], arguments["rank"])
            case "permute":
                return f"tf.transpose({x}, {tuple(arguments['dims'])})"
            case "squeeze":
                return f"tf.squeeze({x}, {arguments['dim']})"
            case "expand":
                return repeated("tf.repeat", x, arguments)
            case "without_first":
                return without_first(x, arguments)
            case "flatten":
                first, last = arguments.get("start_dim", 1), arguments.get("end_dim", -1)
                after = "" if last == -1 else f", *tf.shape({x})[{last + 1}:]"
                return f"tf.reshape({x}, (*tf.shape({x})[:{first}], -1{after}))"
            case "pool":
                style = "avg" if arguments.get("average") else "max"
                size, stride = arguments["kernel_size"], arguments.get("stride", arguments["kernel_size"])
                format = "" if arguments.get("channels_last") else ', data_format="NCHW"'
                padding = str(arguments.get("padding") or "valid").upper()
                return f'tf.nn.{style}_pool({x}, {short(size)}, {short(stride)}, "{padding}"{format})'
        return f"tf.{module.kind}({x})"

    def _weights(self, shape: Sequence[Any], inputs: Any) -> str:
        spread = f"{math.sqrt(2 / inputs):.2g}" if isinstance(inputs, int) and inputs else "0.1"
        sizes = "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"
        return self._variable("shortcut", f"tf.random.normal({sizes}, stddev={spread})")

    def _biased(self, x: str, width: int, arguments: Mapping[str, Any], format: str) -> str:
        if not arguments.get("bias", True):
            return x
        return f"tf.nn.bias_add({x}, {self._variable('shortcut_bias', f'tf.zeros({width})')}{format})"

    def _conv(self, arguments: Mapping[str, Any], x: str) -> str:
        rank, channels = arguments.get("rank", 2), arguments.get("in_channels")
        kernel = arguments["kernel_size"]
        sizes = tuple(kernel) if isinstance(kernel, tuple | list) else (kernel,) * rank
        inputs = None if channels is None else channels // arguments.get("groups", 1) * math.prod(sizes)
        weights = self._weights((*sizes, channels, arguments["out_channels"]), inputs)
        function = "tf.nn.conv2d" if rank == 2 else "tf.nn.convolution"
        padding = "VALID" if set(sizes) != {1} and not arguments.get("padding") else "SAME"
        format = "" if arguments.get("channels_last") else f', data_format="NC{"DHW"[3 - rank :]}"'
        made = f'{function}({x}, {weights}, {short(arguments.get("stride", 1))}, "{padding}"{format})'
        return self._biased(made, arguments["out_channels"], arguments, format)


def _resized(x: str, arguments: Mapping[str, Any]) -> str:
    last = arguments.get("channels_last")
    spatial = f"tf.shape({x})[{'1:3' if last else '2:4'}]"
    size = tuple(arguments["size"]) if "size" in arguments else f"{spatial} * {short(arguments['scale_factor'])}"
    mode = "" if arguments.get("mode", "nearest") != "nearest" else ', "nearest"'
    if last:
        return f"tf.image.resize({x}, {size}{mode})"
    return f"tf.transpose(tf.image.resize(tf.transpose({x}, (0, 2, 3, 1)), {size}{mode}), (0, 3, 1, 2))"


_TYPES = {
    "linear": "tf.tensordot",
    "norm": "tf.nn.batch_normalization",
    "layer_norm": "tf.nn.batch_normalization",
    "pool": "tf.nn.pool",
    "flatten": "tf.reshape",
    "pad": "tf.pad",
    "resize": "tf.image.resize",
    "upsample": "tf.image.resize",
    "identity": "tf.identity",
    "subsample_pad": "subsample-and-pad",
}


def described(module: Module) -> dict[str, Any]:
    """A layer as data: the function of `tf` that it is, and our arguments."""
    if module.kind == "sequence":
        return {"type": "sequence", "arguments": {"parts": tuple(described(part) for part in module.parts)}}
    rank = module.arguments.get("rank", 2)
    name = f"tf.nn.conv{rank}d" if module.kind == "conv" else _TYPES.get(module.kind, module.kind)
    return {"type": name, "arguments": dict(module.arguments)}


def _write_replace(edit: Replace, recording: Recording) -> Written:
    shortcut = _Shortcut(True)
    used = shortcut.through(edit.module, "x")
    target = spelled(edit.layer, recording)
    code = "\n".join([*shortcut.variables, *shortcut.steps, f"{used}  # instead of {target}(x)"])
    data = {"action": "replace", "layer": edit.layer, "module": described(edit.module)}
    return Written(f"{edit.layer}: {used}", code, data)


# The input


def _write_input(edit: Input, recording: Recording) -> Written:
    arguments = edit.arguments
    given = recording.shape(recording.inputs[edit.index]) if edit.index < len(recording.inputs) else ()
    x = input_name(edit, recording)
    code = other_input(edit, recording)
    match edit.change:
        case "permute":
            code = f"{x} = tf.transpose({x}, {tuple(arguments['dims'])})"
        case "unsqueeze" if (batch := in_a_batch(edit, recording)) is not None:
            code = batch
        case "unsqueeze":
            code = f"{x} = tf.expand_dims({x}, {arguments['dim']})"
        case "squeeze":
            code = f"{x} = tf.squeeze({x}, {arguments['dim']})"
        case "batch" if arguments["was"] == 1:
            code = f"{x} = tf.repeat({x}, {arguments['batch']}, axis=0)"
        case "channels" if arguments.get("was") == 1 and len(given) == len(edit.shape):
            axis = next(axis for axis, size in enumerate(edit.shape) if axis and size != given[axis])
            axis = -1 if axis == len(edit.shape) - 1 else axis
            code = f"{x} = tf.repeat({x}, {arguments['channels']}, axis={axis})"
        case "size" if len(arguments.get("size", ())) == 2 and not arguments.get("plain"):
            code = f"{x} = tf.image.resize({x}, {tuple(arguments['size'])})  # or load the data at this size"
    return Written(input_title(edit), code, input_data(edit))


# The target of a loss


def _write_target(edit: Target) -> Written:
    dim, classes = edit.arguments.get("dim"), edit.arguments.get("classes")
    resized = f"tf.image.resize({{}}, {edit.arguments.get('size')})"
    if edit.arguments.get("channels_first"):
        resized = f"tf.transpose({resized.format('tf.transpose({}, [0, 2, 3, 1])')}, [0, 3, 1, 2])"
    code = {
        "one-hot": f"labels = tf.one_hot(labels, {classes})",
        "numbers": f"labels = tf.argmax(labels, axis={dim})",
        "squeeze": f"labels = tf.squeeze(labels, axis={dim})",
        "unsqueeze": f"labels = tf.expand_dims(labels, {dim})",
        "resized": f'labels = tf.image.resize(labels, {edit.arguments.get("size")}, method="nearest")',
        "padded": f"labels = labels[:, :{edit.arguments.get('length')}]  # or padded to it",
        "input-shorter": "x = x[:, :-1]  # each of its steps says the next one",
        "column": "labels = labels[..., 0]  # the column that is to be predicted",
        "picked": f"labels = tf.gather(labels, {edit.arguments.get('by')})",
        "from-one": "labels = labels[:, 1:]  # there is no class 0",
        "output-squeeze": f"logits = tf.squeeze(logits, axis={dim})",
        "output-reshaped": "logits = tf.reshape(logits, tf.shape(labels))",
        "output-pooled": f"logits = tf.reduce_mean(logits, axis={edit.arguments.get('dims')})",
        "output-resized": f"logits = {resized.format('logits')}",
        "output-moved": "logits = tf.experimental.numpy.swapaxes(logits, 1, -1)",
        "shape": target_reshaped(edit, "labels = tf.reshape(labels, {})"),
    }[edit.change]
    return Written(target_title(edit), code, target_data(edit))
