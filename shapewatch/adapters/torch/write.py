"""Edits as PyTorch code, and as the data that CONTRACT calls `Fix.edit`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shapewatch.adapters import Written
from shapewatch.adapters.compared import in_its_line
from shapewatch.adapters.laid_out import laid_out_by_its_line
from shapewatch.adapters.operand import (
    assigned,
    operand_text,
    operation_in,
    says_the_same_each_time,
    which_of_line,
    with_operand,
)
from shapewatch.adapters.sized_as import resized_as, size_of
from shapewatch.adapters.sizes_said import edit_constructed
from shapewatch.adapters.statements import (
    atom,
    axes_line,
    function_called,
    name_called,
    parsed,
    rewritten,
    statement,
    with_axes,
)
from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.as_sibling import line_as_siblings
from shapewatch.adapters.torch.batch_taken import taken_from_the_input
from shapewatch.adapters.torch.built_in import said_around
from shapewatch.adapters.torch.covers import mask_covering_all
from shapewatch.adapters.torch.lengths import counted_anew, cut_anew, length_of, made_anew
from shapewatch.adapters.torch.own_line import AS_ANOTHER, own_construction
from shapewatch.adapters.written import (
    SUBSAMPLE_TITLE,
    axes_title,
    axes_together,
    call_at,
    collapse,
    factors_exchanged,
    in_a_batch,
    input_data,
    input_name,
    input_title,
    narrow_title,
    narrowed,
    order_title,
    ordinal,
    other_input,
    own_layer_called,
    pad_title,
    projection_title,
    resize_title,
    results_exchanged,
    root_name,
    set_title,
    short,
    squeeze_title,
    sum_left_out,
    taken_instead,
    target_data,
    target_names,
    target_reshaped,
    target_title,
    without_first,
    without_first_title,
)
from shapewatch.edits import RESULT, Edit, Input, Insert, Module, Replace, Set, SetCall, Target, place_layer
from shapewatch.recording import Call, Layer, Recording, Span, spoken, text
from shapewatch.source import is_users_own

_CONSTRUCTORS: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]] = {
    "conv": (
        ("in_channels", "out_channels"),
        (("kernel_size", None), ("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1), ("bias", True)),
    ),
    "conv_transpose": (
        ("in_channels", "out_channels"),
        (
            ("kernel_size", None),
            ("stride", 1),
            ("padding", 0),
            ("output_padding", 0),
            ("groups", 1),
            ("bias", True),
            ("dilation", 1),
        ),
    ),
    "linear": (("in_features", "out_features"), (("bias", True),)),
    "pool": ((), (("kernel_size", None), ("stride", None), ("padding", 0), ("dilation", 1), ("ceil_mode", False))),
    "adaptive_pool": (("output_size",), ()),
    "resize": ((), (("size", None), ("scale_factor", None), ("mode", "nearest"))),
    "embedding": (("num_embeddings", "embedding_dim"), ()),
    "recurrent": (
        ("input_size", "hidden_size"),
        (("num_layers", 1), ("batch_first", False), ("bidirectional", False), ("proj_size", 0)),
    ),
    "attention": (("embed_dim", "num_heads"), (("kdim", None), ("vdim", None), ("batch_first", False))),
    "pixel_shuffle": (("upscale_factor",), ()),
    "prelu": (("num_parameters",), ()),
    "flatten": ((), (("start_dim", 1), ("end_dim", -1))),
}


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
            return _write_target(edit, recording)


# One argument of a layer


_PARAMETRIZED = "Parametrized"
"""How the class of a layer is called that `torch.nn.utils.parametrize` has changed, before its own name."""


def _write_set(edit: Set, recording: Recording) -> Written:
    layer = recording.layer_at[edit.layer]
    wrapped = layer.type.startswith(_PARAMETRIZED)
    layer = replace(layer, type=layer.type.removeprefix(_PARAMETRIZED))
    table = layer.kind == "module" and edit.argument not in layer.facts and isinstance(edit.was, tuple)
    value, was = (text(edit.value), text(edit.was)) if table else (short(edit.value), short(edit.was))
    title = set_title(edit.layer or layer.type, edit.argument, value, was)
    facts = {**layer.facts, edit.argument: edit.value}
    target = spelled(edit.layer, recording)
    constructor = _constructor(layer, facts)
    there, span = edit_constructed(edit, recording) if not wrapped else None, None
    if (outer := said_around(edit, recording)) is not None:
        code = outer
    elif there is not None:
        code, span = there[0].with_size(*there[1:], recording), there[0].span
    elif (
        constructor is not None and "#" in edit.layer
    ):  # one of several outermost layers: what it is called is not known
        code = f"{constructor}  # {edit.argument} was {was}"
    elif table and (line := made_anew(edit, recording)):
        code = line
    elif constructor is None:
        code = f"{target}.{edit.argument} = {value}"
    else:
        now = ""
        own = own_construction(edit, attribute_of(edit.layer), facts, recording) if target.startswith("self.") else None
        if own is not None and not wrapped:
            now = "" if _says(own, edit.value) else f", {value} now"
            constructor = own
        code = f"{target} = {constructor}  # {edit.argument} was {was}{now}"
    if wrapped and constructor is not None:
        code += "; give it its weight norm (or other parametrization) as before"
    data = {
        "action": "set",
        "layer": edit.layer,
        "argument": edit.argument,
        "value": edit.value if table else collapse(edit.value),
    }
    return Written(title, code, data, span)


def spelled(path: str, recording: Recording) -> str:
    """`self.conv1` where the user's own class makes that one layer, else `model.layer2[0].conv1`.

    A class of which the model has several is not the place to write what is meant for one of them.
    """
    layer = recording.layer_at.get(path)
    parts = path.split(".") if path else []
    start = len(parts) - len(attribute_of(path))
    owner = recording.layer_at.get(".".join(parts[:start]))
    defined = layer.defined if layer is not None else owner.defined if owner is not None else None
    if owner is not None and (defined is None or is_users_own(defined.file)):
        alone = sum(other.type == owner.type for other in recording.layers) == 1
        if alone and owner.kind == "module":
            return "self" + _subscripted(parts[start:])
    return root_name(recording) + _subscripted(parts)


def attribute_of(path: str) -> list[str]:
    """The attribute that holds a layer and, where that is a row of layers, which one of them it is."""
    parts = path.split(".") if path else []
    start = len(parts) - 1
    while start > 0 and parts[start].isdigit():
        start -= 1
    return parts[max(start, 0) :]


def _says(construction: str, value: Any) -> bool:
    """Whether a value is written in it as it is."""
    return not isinstance(value, int) or any(
        isinstance(node, ast.Constant) and node.value == value for node in ast.walk(ast.parse(construction))
    )


def _subscripted(parts: list[str]) -> str:
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts)


def _constructor(layer: Layer, facts: Mapping[str, Any]) -> str | None:
    """`nn.Conv2d(64, 128, kernel_size=3, stride=2, padding=1, bias=False)`; None for a class that is not PyTorch's."""
    prefix = "" if layer.kind == "module" or layer.type not in _torch_names() else "nn."
    if layer.kind == "norm":
        sizes = [facts[n] for n in ("num_groups", "num_channels", "num_features", "normalized_shape") if n in facts]
        return f"{prefix}{layer.type}({', '.join(short(size) for size in sizes)})"
    if layer.kind not in _CONSTRUCTORS:
        return None
    positional, named = _CONSTRUCTORS[layer.kind]
    parts = [short(facts[name]) for name in positional if name in facts]
    for name, default in named:
        if name not in facts:
            continue
        value = facts[name]
        if name == "kernel_size" or collapse(value) != default:
            as_another = AS_ANOTHER.get((layer.kind, name))
            if as_another is not None and collapse(value) == collapse(facts[as_another]):
                continue
            parts.append(f"{name}={short(value)}")
    return f"{prefix}{layer.type}({', '.join(parts)})"


def _torch_names() -> frozenset[str]:
    from torch import nn

    return frozenset(vars(nn))


# An argument of an operation


def _write_set_call(edit: SetCall, recording: Recording) -> Written:
    call = call_at(edit.place, recording)
    name = call.name if call else edit.place.split(":")[-2]
    if call is not None and edit.argument in _LENGTHS:
        return _write_length(edit, call, recording)
    if call is not None and edit.argument == "as_large_as":
        return _write_as_large(edit, call, recording)
    if edit.argument == "alone":
        return sum_left_out(edit, recording)
    if call is not None and edit.argument == "order":
        return factors_exchanged(edit, call, recording)
    where = f" in {place_layer(edit.place)}" if place_layer(edit.place) else ""
    was = f"{edit.argument} was {'not given' if edit.was is None else short(edit.was)}"
    title = set_title(f"{name}{where}", edit.argument, short(edit.value), short(edit.was))
    if edit.argument == "ends":
        title = f"{name}{where} lays {axes_together(edit.value)} together"
        was = f"{axes_together(edit.was)} before"
    if call is not None and call.kind == "resize" and edit.was is None:  # a size instead of a factor
        factor = short(call.facts.get("scale_factor"))
        was = f"scale_factor was {factor}"
        title = set_title(f"{name}{where}", edit.argument, short(edit.value), f"scale_factor {factor}")
    source = None if call is None else statement(call.span)
    span: Span | None = None
    alike = says_the_same_each_time(call, edit.argument, recording)
    code = None if call is None or not alike else _with_argument(source, call, edit, recording)
    if call is not None and call.kind == "create":
        taken = taken_from_the_input(edit, call, recording)
        span, code = taken if taken is not None else (None, _with_sizes(source, call.name, edit))
        code = code or _with_sizes_of_another(source, call, edit, recording)
    elif code is not None:
        code += f"  # {was}"
    if code is None:
        code = f"{name}(…, {edit.argument}={short(edit.value)})" + (f"  # in: {source}" if source else "")
    data = {
        "action": "set",
        "layer": place_layer(edit.place),
        "call": edit.place,
        "argument": edit.argument,
        "value": edit.value,
    }
    return Written(title, code, data, span)


_LENGTHS = {"slices": cut_anew, "end": counted_anew}
"""Arguments that say how long something is, and how a line of code is written with another one."""


def _write_length(edit: SetCall, call: Call, recording: Recording) -> Written:
    line = _LENGTHS[edit.argument](edit, call, recording)
    argument = {"slices": "index"}.get(edit.argument, edit.argument)
    where = f" in {spoken(call.layer)}" if call.layer else ""
    title = f"{call.name}{where}: {argument} {edit.value} instead of {edit.was}"
    data = {"action": "set", "layer": call.layer, "call": edit.place, "argument": argument, "value": edit.value}
    return Written(title, line or f"{call.name}(…, {argument}={edit.value})  # in: {statement(call.span)}", data)


def _write_as_large(edit: SetCall, call: Call, recording: Recording) -> Written:
    size, was = size_of(edit.value, call, recording), f"scale_factor {short(edit.was)}"
    where = f" in {place_layer(edit.place)}" if place_layer(edit.place) else ""
    line = resized_as(call, edit.value, recording)
    code = f"{call.name}(…, size={size})" if line is None else f"{line}  # scale_factor was {short(edit.was)}"
    data = {"action": "set", "layer": call.layer, "call": edit.place, "argument": "size", "value": size}
    return Written(set_title(f"{call.name}{where}", "size", size, was), code, data)


def _with_argument(source: str | None, call: Call, edit: SetCall, recording: Recording) -> str | None:
    """The statement with one argument of its operation written anew; None where it does not tell which one it is."""
    called = {call.name, f"{call.name}_", *_ALSO_CALLED.get(call.name, ())}
    function = function_called(source, called) or operation_in(source, called, which_of_line(call, recording))
    if source is None or not isinstance(function, ast.Call):
        return None
    value = repr(edit.value)
    if edit.argument == "equation":
        return rewritten(source, [(function.args[0], f'"{edit.value}"')])
    if call.kind == "resize" and edit.argument == "size":
        factor = [keyword for keyword in function.keywords if keyword.arg == "scale_factor"]
        return rewritten(source, [(factor[0], f"size={value}")]) if factor else None
    named = [keyword.value for keyword in function.keywords if keyword.arg == edit.argument]
    if named:
        return rewritten(source, [(named[0], value)])
    is_method = isinstance(function.func, ast.Attribute) and ast.unparse(function.func.value) not in _MODULES
    given = function.args if is_method else function.args[1:]
    if edit.argument == "repeats" and isinstance(edit.value, tuple):
        moved = _moved(given, edit)
        return None if moved is None else rewritten(source, moved)
    if edit.argument == "repeats":
        times = [*given[:1], *(keyword.value for keyword in function.keywords if keyword.arg == "repeats")]
        return rewritten(source, [(times[0], value)]) if times else None
    if edit.argument == "ends":
        ends = ", ".join(map(str, edit.value if edit.value[1] != -1 else edit.value[:1]))
        taken = ast.get_source_segment(source, function.func) or ""
        first = "" if is_method else f"{ast.get_source_segment(source, function.args[0])}, "
        return rewritten(source, [(function, f"{taken}({first}{ends})")])
    if edit.argument in ("dims", "swap", "shape"):
        same = isinstance(edit.value, tuple) and len(edit.value) == len(given)
        changed = [axis for axis, size in enumerate(edit.value) if same and size != edit.was[axis]]
        if edit.argument == "shape" and len(changed) == 1 and len(given) > 2 and -1 not in edit.value:
            return rewritten(source, [(given[changed[0]], "-1")])  # the others keep the names that they have
        if edit.argument == "shape" and same:  # what stays keeps the name that it has
            return rewritten(source, [(given[axis], str(edit.value[axis])) for axis in changed])
        return rewritten(source, list(zip(given, map(str, edit.value), strict=True))) if same else None
    names = kinds.parameters(call.kind)[1:]
    if edit.argument not in names:
        return None
    at = names.index(edit.argument)
    if at < len(given):
        return rewritten(source, [(given[at], value)])
    parts = [*function.args, *(keyword.value for keyword in function.keywords)]
    if not parts:  # `x.squeeze()`
        whole = ast.get_source_segment(source, function) or ""
        return rewritten(source, [(function, f"{whole[:-1].rstrip()}{value})")]) if is_method else None
    last = parts[-1]
    return rewritten(source, [(last, f"{ast.get_source_segment(source, last)}, {edit.argument}={value}")])


def _moved(given: Sequence[ast.expr], edit: SetCall) -> list[tuple[ast.expr, str]] | None:
    """Numbers in another order, each as the program writes it: `repeat(1, steps, 1)` for `repeat(steps, 1, 1)`."""
    if len(given) != len(edit.value) or sorted(edit.value) != sorted(edit.was):
        return None
    left = dict(enumerate(edit.was))
    changes = []
    for at, size in enumerate(edit.value):
        taken = at if left.get(at) == size else next(old for old, was in left.items() if was == size)
        left.pop(taken)
        changes.append((given[at], ast.unparse(given[taken])))
    return changes


def _with_sizes(source: str | None, name: str, edit: SetCall) -> str | None:
    """The statement with the numbers replaced that it writes down for tensors made of nothing."""
    tree = parsed(source)
    changes: list[tuple[ast.expr, str]] = []
    changed = [axis for axis, size in enumerate(edit.value) if size != edit.was[axis]]
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.Call) or name_called(node) != name:
            continue
        whole = node.args[0] if len(node.args) == 1 else None
        sizes = whole.elts if isinstance(whole, ast.Tuple | ast.List) else node.args
        if len(sizes) != len(edit.value) or any(ast.unparse(sizes[axis]) != str(edit.was[axis]) for axis in changed):
            return None
        changes += [(sizes[axis], str(edit.value[axis])) for axis in changed]
    if source is None or not changes:
        return None
    written = ", ".join(dict.fromkeys(str(edit.was[axis]) for axis in changed))
    return f"{rewritten(source, changes)}  # {written} before: better taken from the input than written down"


def _with_sizes_of_another(source: str | None, call: Call, edit: SetCall, recording: Recording) -> str | None:
    """The statement with the sizes taken from what is met, where they are computed there and that has a name before."""
    met = recording.failing_call()
    function = function_called(source, {call.name})
    if source is None or met is None or function is None or call.span is None:
        return None
    for value in met.operands:
        named, made = recording.values[value].name, recording.producer.get(value)
        earlier = made is not None and made.span is not None and made.number < call.number
        if named is None or not named.isidentifier() or not earlier or recording.shape(value) != edit.value:
            continue
        changed = [axis for axis, size in enumerate(edit.value) if size != edit.was[axis]]
        if call.name == "eye" and len(function.args) == 1:
            changed = changed[:1]
        if max(changed) < len(function.args):
            return rewritten(source, [(function.args[axis], f"{named}.shape[{axis}]") for axis in changed])
    return None


_MODULES = frozenset({"torch", "F", "nn.functional", "torch.nn.functional"})
"""What a function stands behind that is no method of a tensor."""

_ALSO_CALLED = {"cat": ("concat", "concatenate"), "reshape": ("view",), "view": ("reshape",)}


# A new layer


def module_code(module: Module) -> str:
    arguments = dict(module.arguments)
    rank = arguments.pop("rank", 2)
    match module.kind:
        case "sequence":
            return f"nn.Sequential({', '.join(module_code(part) for part in module.parts)})"
        case "conv":
            kernel = short(arguments.pop("kernel_size"))
            head = f"nn.Conv{rank}d({arguments.pop('in_channels')}, {arguments.pop('out_channels')}, {kernel}"
            usual = {"stride": 1, "padding": 0}
            rest = [f"{n}={short(v)}" for n, v in arguments.items() if usual.get(n) != collapse(v)]
            return ", ".join([head, *rest]) + ")"
        case "linear":
            return f"nn.Linear({arguments['in_features']}, {arguments['out_features']})"
        case "norm":
            return f"nn.BatchNorm{rank}d({arguments['num_features']})"
        case "layer_norm":
            return f"nn.LayerNorm({short(arguments['normalized_shape'])})"
        case "pool":
            kind = "Avg" if arguments.pop("average", False) else "Max"
            inner = ", ".join(f"{n}={short(v)}" for n, v in arguments.items())
            return f"nn.{kind}Pool{rank}d({inner})"
        case "flatten":
            return f"nn.Flatten({', '.join(f'{n}={v}' for n, v in arguments.items())})"
        case "upsample":
            return f"nn.Upsample({', '.join(f'{n}={v!r}' for n, v in arguments.items())})"
    return f"nn.{module.kind.title()}()"


def _module_data(module: Module) -> dict[str, Any]:
    arguments = dict(module.arguments)
    rank = arguments.pop("rank", 2)
    if module.kind == "sequence":
        return {"type": "Sequential", "arguments": {"modules": tuple(_module_data(part) for part in module.parts)}}
    average = arguments.pop("average", False)
    names = {
        "conv": f"Conv{rank}d",
        "linear": "Linear",
        "norm": f"BatchNorm{rank}d",
        "layer_norm": "LayerNorm",
        "pool": f"{'Avg' if average else 'Max'}Pool{rank}d",
        "flatten": "Flatten",
        "upsample": "Upsample",
        "pad": "F.pad",
        "resize": "F.interpolate",
        "subsample_pad": "subsample-and-pad",
    }
    return {"type": names.get(module.kind, module.kind), "arguments": arguments}


def _write_insert(edit: Insert, recording: Recording) -> Written:
    if edit.module.kind == "value":
        return taken_instead(edit, recording)
    if edit.module.kind == "own":
        return own_layer_called(edit, recording)
    if edit.module.kind == "cover":
        return mask_covering_all(edit, recording)
    layer = place_layer(edit.place)
    call = call_at(edit.place, recording)
    if call is not None and edit.operand == RESULT:
        return _write_on_result(edit, call, recording)
    source = call.span.source if call and call.span else None
    where = f"the {ordinal(edit.operand)} operand of {call.name if call else 'the junction'}"
    operation = call.name if call else ""
    which = which_of_line(call, recording) if call else None
    called = _called_as(layer) if call is not None and call.is_layer else ""
    given = "x" if called else "skip"
    joined = "" if called else operation
    expression = operand_text(source, edit.operand, joined, called, which) or given
    in_a_row = _in_a_row(edit, recording) if call is None or call.is_layer else None
    if edit.module.kind == "narrow" and call is not None:
        title, code = _write_narrow(edit, call, expression, recording)
    elif edit.module.kind == "contiguous":
        title, code = "reshape, which copies, in the place of view", _reshaped(source)
    elif _is_functional(edit.module) and (edit.module.kind != "flatten" or in_a_row is None):
        wrapped, title = _as_function(edit.module, expression)
        beside = operand_text(source, 1 - edit.operand, operation, which=which) if edit.operand < 2 else None
        if edit.module.kind == "expand" and beside is not None and beside.isidentifier():
            sizes = [f"{beside}.size({at})" if n > 0 else "-1" for at, n in enumerate(edit.module.arguments["sizes"])]
            wrapped = f"{wrapped.rpartition('.expand(')[0]}.expand({', '.join(sizes)})"
        if edit.module.kind == "resize" and beside is not None and beside.isidentifier() and call is not None:
            size = tuple(edit.module.arguments["size"])
            if recording.shape(call.operands[1 - edit.operand])[2:] == size:  # whatever size comes next time
                wrapped = wrapped.replace(f"size={size}", f"size={beside}.shape[2:]")
        used = with_operand(source, edit.operand, lambda _: wrapped, joined, called, which)
        if used is None and call is not None and not called:
            used, title = _where_it_is_made(edit, call, recording) or (None, title)
        code = used or f"{given} = {wrapped}  # {f'before {layer}' if called else where}"
        if edit.module.kind == "unsqueeze" and operation != "gather":  # whose result is to lose that axis again
            code = axes_line(expression, **edit.module.arguments) or code
    elif edit.module.kind == "directions":
        state = _called(call, edit.operand, recording) or "state"
        how = edit.module.arguments["how"]
        title, code = f"the directions of {state} {how}", f"{state} = {_DIRECTIONS[how].replace('state', state)}"
    else:
        title = projection_title(layer, module_code(edit.module))
        if edit.module.kind == "flatten":
            title = f"flatten before {layer}"
        made = f"self.shortcut = {module_code(edit.module)}"
        used = with_operand(source, edit.operand, lambda text: f"self.shortcut({text})", operation, which=which)
        code = in_a_row or f"{made}\n{used or f'skip = self.shortcut(skip)  # {where}'}"
    data = {
        "action": "insert",
        "layer": layer,
        "junction": edit.place,
        "operand": edit.operand,
        "module": _module_data(edit.module),
    }
    return Written(title, code, data)


def _where_it_is_made(edit: Insert, call: Call, recording: Recording) -> tuple[str, str] | None:
    """The line of the layer that made an operand, with what the layer gives sent on, where the line in which the
    operand is used does not tell it: one of a list that is joined. Also the title."""
    maker = recording.producer.get(call.operands[edit.operand])
    if maker is None or not maker.is_layer or maker.layer == call.layer:
        return None
    path = maker.layer
    while (row := path.rpartition(".")[0]) in recording.layer_at and recording.layer_at[row].type == "Sequential":
        path = row
    source = statement(maker.span)
    node = operation_in(source, {_called_as(path)}, 0)
    if source is None or not isinstance(node, ast.Call):
        return None
    made = ast.get_source_segment(source, node) or ""
    wrapped, title = _as_function(edit.module, made)
    given = next((each for each in recording.calls if each.is_layer and each.layer == path), None)
    x = node.args[0] if node.args else None
    if isinstance(x, ast.Name) and given is not None and given.operands:
        sides = recording.shape(given.operands[0])[2:]
        wrapped = wrapped.replace(f"size={sides}", f"size={x.id}.shape[2:]")
        sizes = ", ".join(map(str, sides))
        wrapped = wrapped.replace(f".expand(-1, -1, {sizes})", f".expand(-1, -1, *{x.id}.shape[2:])")
    return rewritten(source, [(node, wrapped)]), title


def _write_on_result(edit: Insert, call: Call, recording: Recording) -> Written:
    """What an operation or a layer gives with its axes in another order or without one, in the line that it stands
    in."""
    if edit.module.kind == "exchange":
        return results_exchanged(edit, call)
    source, names = statement(call.span), {call.name, *_ALSO_CALLED.get(call.name, ())}
    if call.is_layer:
        names = {_called_as(call.layer)}
    code, expression = f"# in: {source}", call.name
    node = operation_in(source, names, which_of_line(call, recording))
    if source is not None and node is not None:
        expression = ast.get_source_segment(source, node) or expression
        turned, _ = _as_function(edit.module, expression)
        if edit.module.kind == "without_last" and isinstance(node, ast.Call) and call.is_layer:
            turned = turned.replace(f":-{edit.module.arguments['count']}", f": -{ast.unparse(node.func)}.padding[0]")
        code = re.sub(rf"(?<![\w\])])\({re.escape(turned)}\)", lambda _: turned, rewritten(source, [(node, turned)]))
    _, title = _as_function(edit.module, assigned(source) or expression)
    if edit.module.kind == "without_last" and node is None:
        code = f"# cut the last {edit.module.arguments['count']} steps off what {call.layer} gives, in: {source}"
    data = {
        "action": "insert",
        "layer": call.layer,
        "junction": edit.place,
        "operand": RESULT,
        "module": _module_data(edit.module),
    }
    return Written(title, code, data)


def _write_narrow(edit: Insert, call: Call, expression: str, recording: Recording) -> tuple[str, str]:
    """An operand cut to the length of what it meets."""
    dims, size = edit.module.arguments["dims"], edit.module.arguments["size"]
    made = recording.producer.get(call.operands[edit.operand]) or replace(call, results=(call.operands[edit.operand],))
    cut = narrowed(expression, dims, length_of(size, None, made, recording))
    source, which = statement(call.span), which_of_line(call, recording)
    used = with_operand(source, edit.operand, lambda _: cut, call.name, which=which)
    return narrow_title(expression, edit.module.arguments), used or f"{cut}  # in: {source}"


def _called_as(layer: str) -> str:
    """The name by which a line calls a layer: of the first in a row, the row's. One that stands further back in it is
    called by no line."""
    path, _, name = layer.rpartition(".")
    while name == "0" and path:
        path, _, name = path.rpartition(".")
    return name


def _in_a_row(edit: Insert, recording: Recording) -> str | None:
    """A new layer before one of an `nn.Sequential`."""
    parent, _, name = place_layer(edit.place).rpartition(".")
    row = recording.layer_at.get(parent)
    if row is None or row.type != "Sequential" or not name.isdigit() or edit.operand:
        return None
    return f"{spelled(parent, recording)}.insert({name}, {module_code(edit.module)})"


def _reshaped(source: str | None) -> str:
    """The line with its one `view` as `reshape`."""
    views = 0 if source is None else source.count(".view(")
    return (
        "x = x.contiguous()  # before the view"
        if source is None or views != 1
        else source.replace(".view(", ".reshape(")
    )


def _called(call: Call | None, operand: int, recording: Recording) -> str | None:
    """What the program calls an operand; None where it has no name for it."""
    named = call is not None and operand < len(call.operands)
    return recording.values[call.operands[operand]].name if call is not None and named else None


_DIRECTIONS = {
    "side by side": "torch.cat([state[0::2], state[1::2]], dim=-1)",
    "the last layer's side by side": "torch.cat([state[-2], state[-1]], dim=-1)",
    "added": "state[0::2] + state[1::2]",
}


def _pad_text(module: Module, expression: str) -> tuple[str, str]:
    amounts = tuple(module.arguments["pad"])
    return f"F.pad({expression}, {amounts})", pad_title(expression, amounts)


def _resize_text(module: Module, expression: str) -> tuple[str, str]:
    size = tuple(module.arguments["size"])
    return f"F.interpolate({expression}, size={size})", resize_title(expression, size)


def _subsample_text(module: Module, expression: str) -> tuple[str, str]:
    arguments = module.arguments
    rank, stride, channels = arguments.get("rank", 2), arguments["stride"], arguments["channels"]
    slices = ", ".join(f"::{stride}" for _ in range(rank))
    taken = f"{expression}[:, :, {slices}]" if stride != 1 else expression
    zeros = ", ".join("0" for _ in range(2 * rank))
    return f"F.pad({taken}, ({zeros}, 0, {channels} - {expression}.shape[1]))", SUBSAMPLE_TITLE


def _axes_text(module: Module, expression: str) -> tuple[str, str]:
    return with_axes(expression, module.arguments["dims"], module.arguments["rank"]), axes_title(expression)


def _order_text(module: Module, expression: str) -> tuple[str, str]:
    dims = module.arguments["dims"]
    moved = tuple(axis for axis, old in enumerate(dims) if axis != old)
    call = f"transpose({moved[0]}, {moved[1]})" if len(moved) == 2 else f"permute({', '.join(map(str, dims))})"
    call = "T" if dims == (1, 0) else call
    if expression.endswith(f".{call}"):  # once more is back again
        return expression.removesuffix(f".{call}"), f"take `.{call}` off `{expression}`"
    return f"{atom(expression)}.{call}", order_title(expression, dims)


def _expand_text(module: Module, expression: str) -> tuple[str, str]:
    dims, sizes = module.arguments["dims"], module.arguments["sizes"]
    axes = with_axes(expression, dims, len(sizes)) if dims else atom(expression)
    return f"{axes}.expand({', '.join(map(str, sizes))})", f"repeat `{expression}` to {text(sizes).replace('-1', '…')}"


def _flatten_text(module: Module, expression: str) -> tuple[str, str]:
    ends = [module.arguments.get("start_dim", 1), module.arguments.get("end_dim", -1)]
    given = ends if ends[1] != -1 else ends[:1]
    return f"{atom(expression)}.flatten({', '.join(map(str, given))})", f"flatten `{expression}`"


def _squeeze_text(module: Module, expression: str) -> tuple[str, str]:
    dim = module.arguments["dim"]
    return f"{atom(expression)}.squeeze({dim})", squeeze_title(expression, dim)


def _sum_text(module: Module, expression: str) -> tuple[str, str]:
    return f"{atom(expression)}.sum({module.arguments['dim']})", f"sum `{expression}` over its last axis"


def _without_last_text(module: Module, expression: str) -> tuple[str, str]:
    count = module.arguments["count"]
    return f"{atom(expression)}[..., :-{count}]", f"cut the last {count} steps off `{expression}`"


def _without_first_text(module: Module, expression: str) -> tuple[str, str]:
    return without_first(expression, module.arguments), without_first_title(expression, module.arguments)


_FUNCTIONAL = {
    "without_first": _without_first_text,
    "without_last": _without_last_text,
    "sum": _sum_text,
    "squeeze": _squeeze_text,
    "flatten": _flatten_text,
    "expand": _expand_text,
    "unsqueeze": _axes_text,
    "permute": _order_text,
    "pad": _pad_text,
    "resize": _resize_text,
    "subsample_pad": _subsample_text,
}


def _is_functional(module: Module) -> bool:
    """Whether it needs no weights, so that it can be written as an expression of its operand."""
    return all(part.kind in _FUNCTIONAL for part in module.parts) if module.parts else module.kind in _FUNCTIONAL


def _as_function(module: Module, expression: str) -> tuple[str, str]:
    """One part after the other, and what the first of them is called."""
    titles = []
    for part in module.parts or (module,):
        expression, title = _FUNCTIONAL[part.kind](part, expression)
        titles.append(title)
    return expression, titles[0]


def _write_replace(edit: Replace, recording: Recording) -> Written:
    target = spelled(edit.layer, recording)
    title = f"{edit.layer}: {module_code(edit.module)}"
    data = {"action": "replace", "layer": edit.layer, "module": _module_data(edit.module)}
    if (line := line_as_siblings(edit, recording)) is not None:
        return Written(title, line[1], data, line[0])
    return Written(title, f"{target} = {module_code(edit.module)}", data)


# The input


def _write_input(edit: Input, recording: Recording) -> Written:
    name, arguments = input_name(edit, recording), edit.arguments
    as_shape = other_input(edit, recording)
    match edit.change:
        case "permute":
            code = f"{name} = {name}.permute({', '.join(str(axis) for axis in arguments['dims'])})"
        case "unsqueeze":
            code = in_a_batch(edit, recording) or f"{name} = {name}.unsqueeze({arguments.get('dim')})"
            if "dims" in arguments:
                code = f"{name} = {with_axes(name, arguments['dims'], len(edit.shape))}"
        case "squeeze":
            code = f"{name} = {name}.squeeze({arguments['dim']})"
        case "batch":
            code = as_shape
            if arguments["was"] == 1:
                code = f"{name} = {name}.expand({arguments['batch']}{', -1' * (len(edit.shape) - 1)})"
        case "channels":
            code = as_shape
            if arguments.get("was") == 1:
                sizes = [-1, arguments["channels"], *[-1] * (len(edit.shape) - 2)]
                code = f"{name} = {name}.expand({', '.join(str(size) for size in sizes)})"
        case _:
            size = tuple(arguments.get("size", edit.shape[2:]))
            code = f"{name} = F.interpolate({name}, size={size})  # or load the data at this size"
            if len(size) == 0 or arguments.get("plain"):
                code = as_shape
    return Written(input_title(edit), laid_out_by_its_line(edit, recording) or code, input_data(edit))


# The target of a loss


def _write_target(edit: Target, recording: Recording) -> Written:
    dim, classes = edit.arguments.get("dim"), edit.arguments.get("classes")
    output, target = target_names(recording, "output", "target")
    if edit.change == "output-order":
        line, module = f"{output} = ", Module("permute", {"dims": edit.arguments["dims"]})
        title = f"the output as {edit.arguments['said']}"
        code = in_its_line(line + _order_text(module, output)[0], output, recording)
        return Written(title, code, target_data(edit))
    code = {
        "one-hot": f"{target} = F.one_hot({target}, {classes}).float()",
        "numbers": f"{target} = {target}.argmax(dim={dim})",
        "squeeze": f"{target} = {target}.squeeze({dim})",
        "unsqueeze": f"{target} = {target}.unsqueeze({dim})",
        "resized": _labels_resized(output, target, recording),
        "padded": f"{target} = F.pad({target}, (0, {output}.shape[1] - {target}.shape[1]), value=-100)",
        "input-shorter": "x = x[:, :-1]  # each of its steps says the next one",
        "column": f"{target} = {target}[..., 0]  # the column that is to be predicted",
        "picked": f"{target} = {target}[{edit.arguments.get('by')}]",
        "from-one": f"{target} = {target}[:, 1:]  # there is no class 0",
        "output-squeeze": f"{output} = {output}.squeeze({dim})",
        "output-reshaped": f"{output} = {output}.reshape({target}.shape)",
        "output-pooled": f"{output} = {output}.mean(dim={edit.arguments.get('dims')})",
        "output-resized": f'{output} = F.interpolate({output}, size={target}.shape[-2:], mode="bilinear")',
        "output-moved": f"{output} = {output}.transpose(1, -1)",
        "shape": target_reshaped(edit, f"{target} = {target}.reshape{{}}"),
    }[edit.change]
    return Written(target_title(edit), in_its_line(code, output, recording), target_data(edit))


def _labels_resized(output: str, target: str, recording: Recording) -> str:
    """Labels as large as the output, each the nearest one; those without an axis of channels get one for it."""
    call = recording.failing_call()
    given = [recording.shape(value) for value in call.operands[:2]] if call is not None else []
    size = f"size={output}.shape[2:]"
    if len(given) == 2 and len(given[1]) < len(given[0]):
        return f"{target} = F.interpolate({target}[:, None].float(), {size})[:, 0].long()"
    return f"{target} = F.interpolate({target}.float(), {size})"
