"""A new layer as Keras code: before an operand of a junction, behind a layer, in a row of layers."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from shapewatch.adapters import Written
from shapewatch.adapters.keras.arguments import described
from shapewatch.adapters.keras.constructing import making_line
from shapewatch.adapters.keras.making import module_code
from shapewatch.adapters.operand import assigned, operand_text, operation_in, which_of_line, with_flag, with_operand
from shapewatch.adapters.statements import axes_line, parsed, rewritten, statement, with_axes
from shapewatch.adapters.written import (
    call_at,
    cut_as_beside,
    operand_title,
    order_title,
    ordinal,
    own_layer_called,
    padded,
    projection_title,
    repeated,
    results_exchanged,
    subsampled,
    taken_instead,
    without_first,
)
from shapewatch.edits import RESULT, Insert, Module, place_layer
from shapewatch.recording import Call, Recording

_SEQUENTIAL = re.compile(r"\bSequential\(")

_ADDED = re.compile(r"(\w+)\.add\(.*\)", re.DOTALL)

_SKIP = re.compile(r"short|skip|ident|resid|proj")


def write_insert(edit: Insert, recording: Recording) -> Written:
    if edit.module.kind == "value":
        return taken_instead(edit, recording)
    if edit.module.kind == "own":
        return own_layer_called(edit, recording)
    if edit.module.kind == "narrow":
        return cut_as_beside(edit, recording)
    layer = place_layer(edit.place)
    call = call_at(edit.place, recording)
    source = _line_of(call, recording)
    if edit.operand == RESULT:
        return _write_on_result(edit, call, source, recording)
    operation = call.name if call else ""
    called = layer.rpartition(".")[2] if call is not None and call.is_layer else ""
    which = which_of_line(call, recording) if call is not None else None
    expression = operand_text(source, edit.operand, operation, called, which)
    where = f"the {ordinal(edit.operand)} operand of {call.name if call else 'the junction'}"
    description = described(edit.module)
    title = _title_of(edit.module, description, layer, expression or "skip")
    in_call = _in_call(call, source)
    text = _functional(edit.module, in_call)
    if text is not None:
        used = with_operand(source, edit.operand, text, operation, called, which)
        code = used or f"skip = {text('skip')}  # {where}"
        if edit.module.kind == "unsqueeze":
            code = axes_line(expression, **edit.module.arguments) or code
        code = with_flag(source, edit.operand, edit.module, which or 0) or code
    elif _in_a_row(layer, call, recording) and (added_at := _added_at(layer, recording)) is not None:
        code = f"{added_at[1]}.add({module_code(description)})\n{added_at[0]}"
    elif _in_a_row(layer, call, recording) or _SEQUENTIAL.search(source or ""):
        code = f"{module_code(description)},  # before {layer}"
    elif source and (added := _ADDED.fullmatch(source)):
        code = f"{added[1]}.add({module_code(description)})\n{source}"
    elif in_call:
        made = f"self.shortcut = {module_code(description)}"
        used = with_operand(source, edit.operand, lambda skip: f"self.shortcut({skip})", operation)
        code = f"{made}\n{used or f'skip = self.shortcut(skip)  # {where}'}"
    else:
        code = _in_functional_model(description, source, edit.operand, where)
    data = {
        "action": "insert",
        "layer": layer,
        "junction": edit.place,
        "operand": edit.operand,
        "module": description,
    }
    return Written(title, code, data)


def _line_of(call: Call | None, recording: Recording) -> str | None:
    """The statement that calls it. In a functional model that is the line that makes it, and not that of `fit`."""
    source = statement(call.span) if call else None
    if call is None or not call.is_layer or _in_call(call, source):
        return source
    made = making_line(recording.layer_at.get(call.layer), recording)
    return made if made and re.search(r"\)\(\w+\)$", made) else source


def _write_on_result(edit: Insert, call: Call | None, source: str | None, recording: Recording) -> Written:
    """A new layer behind one that there is: in a line of its own, in a list of layers, or around what `call` gives. Of
    an operation it is what the line gives with its axes in another order."""
    if edit.module.kind == "exchange" and call is not None:
        return results_exchanged(edit, call)
    layer, description = place_layer(edit.place), described(edit.module)
    made, in_call = module_code(description), _in_call(call, source)
    tree, text = parsed(source), _functional(edit.module, in_call)
    data = {"action": "insert", "layer": layer, "junction": edit.place, "operand": RESULT, "module": description}
    if call is not None and not call.is_layer and text is not None:
        node = operation_in(source, {call.name}, which_of_line(call, recording))
        expression = (ast.get_source_segment(source or "", node) if node is not None else None) or call.name
        code = f"# in: {source}" if node is None else rewritten(source or "", [(node, text(expression))])
        return Written(order_title(assigned(source) or expression, edit.module.arguments["dims"]), code, data)
    line = tree.body[0] if tree is not None and tree.body else None
    code = f"{made},  # after {layer}"
    if in_call and text is not None and isinstance(line, ast.Assign | ast.Return) and line.value is not None:
        code = rewritten(source or "", [(line.value, text(ast.get_source_segment(source or "", line.value) or ""))])
    elif (
        isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name) and not _SEQUENTIAL.search(source or "")
    ):
        code = f"{source}\n{line.targets[0].id} = {made}({line.targets[0].id})"
    elif source and (added := _ADDED.fullmatch(source)):
        code = f"{source}\n{added[1]}.add({made})"
    return Written(f"{made} after {layer}", code, data)


def _title_of(module: Module, description: Any, layer: str, expression: str) -> str:
    if module.kind in ("repeat_vector", "global_pool"):
        return f"{module_code(description)} before {layer}"
    return operand_title(module, layer, expression) or projection_title(layer, module_code(description))


def _in_a_row(layer: str, call: Call | None, recording: Recording) -> bool:
    """Whether a place is in front of a layer of a `Sequential`, which has a list of them."""
    row = recording.layer_at.get(layer.rpartition(".")[0])
    return call is not None and call.is_layer and row is not None and row.type == "Sequential"


def _added_at(path: str, recording: Recording) -> re.Match[str] | None:
    """The line that adds a layer to a row of layers."""
    layer = recording.layer_at.get(path)
    return _ADDED.fullmatch(making_line(layer, recording) or "") if layer is not None else None


def _in_call(call: Call | None, source: str | None) -> bool:
    """Whether a place is in the `call` of a class, where a layer has to be made elsewhere, or in a functional model."""
    function = call.span.function.rpartition(".")[2] if call and call.span else ""
    return function in ("call", "__call__", "forward") or "self." in (source or "")


def _in_functional_model(description: Mapping[str, Any], source: str | None, operand: int, where: str) -> str:
    """One line for each new layer, and after them the user's own, which takes what they give."""
    only = _only_given(source)
    expression = operand_text(source, operand) or (only.id if only is not None else None)
    given = expression or "skip"
    name = called_as_skip(given) if expression else "skip"
    name = "padded" if only is not None and description["type"].startswith("ZeroPadding") else name
    name = next((each for kind, each in _CALLED_AFTER.items() if description["type"].startswith(kind)), name)
    used = with_operand(source, operand, lambda _: name)
    used = used or (rewritten(source, [(only, name)]) if source and only is not None else None)
    return "\n".join([*lines_of_layers(description, given, name), used or f"# {name} is {where}"])


def called_as_skip(given: str) -> str:
    """What to call a skip that is projected: as before, if that says that it is one."""
    return given if given.isidentifier() and _SKIP.search(given) else "shortcut"


def lines_of_layers(description: Mapping[str, Any], given: str, name: str) -> list[str]:
    """One line for each new layer: what is given, and then what the line before gives, under a name."""
    parts = description["arguments"]["layers"] if description["type"] == "Sequential" else [description]
    names = [given, *(name for _ in parts)]
    return [f"{name} = {module_code(part)}({each})" for part, each in zip(parts, names, strict=False)]


_CALLED_AFTER = {"Flatten": "flat", "TimeDistributed": "flat", "RepeatVector": "repeated", "Global": "pooled"}


def _only_given(source: str | None) -> ast.Name | None:
    """`x` of `layers.Conv2D(8, 3)(x)`."""
    tree = parsed(source)
    value = getattr(tree.body[0], "value", None) if tree is not None and tree.body else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Call) and len(value.args) == 1:
        return value.args[0] if isinstance(value.args[0], ast.Name) else None
    return None


_Text = Callable[[str], str]


def _functional(module: Module, in_call: bool) -> _Text | None:
    """How to write, as an expression of its operand, what needs no weights; None for what does."""
    arguments = module.arguments
    match module.kind:
        case "resize" if in_call:
            return lambda x: f"keras.ops.image.resize({x}, {tuple(arguments['size'])})"
        case "pad" if in_call or described(module)["type"] == "pad":
            return lambda x: padded("keras.ops.pad", x, arguments)
        case "subsample_pad":
            return lambda x: subsampled("keras.ops.pad", x, arguments)
        case "unsqueeze":
            return lambda x: with_axes(x, arguments["dims"], arguments["rank"])
        case "permute":
            return lambda x: f"keras.ops.transpose({x}, {tuple(arguments['dims'])})"
        case "squeeze":
            return lambda x: f"keras.ops.squeeze({x}, {arguments['dim']})"
        case "expand":
            return lambda x: repeated("keras.ops.repeat", x, arguments)
        case "without_first":
            return lambda x: without_first(x, arguments)
        case "flatten" if described(module)["type"] == "flatten" or (in_call and arguments.get("start_dim", 1) > 1):
            first, last = arguments.get("start_dim", 1), arguments.get("end_dim", -1)
            after = "" if last == -1 else f", *keras.ops.shape({{x}})[{last + 1}:]"
            return lambda x: f"keras.ops.reshape({x}, (*keras.ops.shape({x})[:{first}], -1{after.format(x=x)}))"
    return None
