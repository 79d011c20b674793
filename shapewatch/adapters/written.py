"""What writing an edit takes whatever the framework: how it is titled, what inputs and labels are called, and the
expressions that need no framework."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shapewatch.adapters import Written
from shapewatch.adapters.grown import end_of_what_grows
from shapewatch.adapters.guards import Guard, guard_at
from shapewatch.adapters.operand import operand_text, which_of_line, with_factors_exchanged, with_operand
from shapewatch.adapters.statements import atom, name_called, parsed, rewritten, statement, with_axes
from shapewatch.adapters.uncalled import calling, mentions, put_in_a_row
from shapewatch.adapters.unread import reading
from shapewatch.edits import Input, Insert, Module, SetCall, Target, place_layer
from shapewatch.recording import Call, Recording, Shape, spoken, text

# Values


def collapse(value: Any) -> Any:
    """3 for (3, 3)."""
    if isinstance(value, tuple | list) and len(value) and all(item == value[0] for item in value):
        return value[0]
    return tuple(value) if isinstance(value, list) else value


def short(value: Any) -> str:
    return repr(collapse(value))


def ordinal(index: int) -> str:
    return ("first", "second", "third")[index] if index < 3 else f"{index + 1}th"


def call_at(place: str, recording: Recording) -> Call | None:
    """The call at a place; where the pass did not come so far, the same one in a layer of the same class."""
    found = recording.at(place)
    layer = recording.layer_at.get(place_layer(place))
    if found is not None or layer is None:
        return found
    alike = {other.path for other in recording.layers if other.type == layer.type}
    rest = place.removeprefix(layer.path)
    return next((call for call in recording.calls if call.layer in alike and call.place == call.layer + rest), None)


def axes_together(ends: tuple[int, int]) -> str:
    """From which axis to which a flatten lays axes together."""
    first, last = ends
    return f"all axes from {first} on" if last == -1 else f"axes {first} to {last}"


def root_name(recording: Recording) -> str:
    """What the program calls the outermost layer, where the line that calls it calls nothing else by a plain name; else
    `model`."""
    outermost = [call for call in recording.roots if not call.layer]
    tree = parsed(statement(outermost[-1].span)) if outermost and outermost[-1].span is not None else None
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    names = {node.id for node in called if isinstance(node, ast.Name)} - vars(builtins).keys()
    plain = [name for name in names if name[:1].islower()]
    return plain[0] if len(plain) == len(names) == 1 else "model"


# Titles: the same change is called the same in every framework


def set_title(what: str, argument: str, value: str, was: str) -> str:
    return f"{spoken(what)}: {argument} {value} instead of {was}"


def projection_title(layer: str, code: str) -> str:
    return f"a projection on the skip of {spoken(layer) or 'the junction'}: {code}"


def pad_title(expression: str, amounts: Sequence[int]) -> str:
    return f"{'crop' if any(amount < 0 for amount in amounts) else 'pad'} `{expression}` by {tuple(amounts)}"


def repeat_title(expression: str, sizes: Sequence[int]) -> str:
    return f"repeat `{expression}` to {text(tuple(sizes)).replace('-1', '…')}"


def resize_title(expression: str, size: tuple[int, ...]) -> str:
    return f"interpolate `{expression}` to {text(size)}"


def axes_title(expression: str) -> str:
    return f"give `{expression}` the axes of size 1 that it lacks"


def squeeze_title(expression: str, dim: int) -> str:
    return f"`{expression}` without axis {dim}"


def order_title(expression: str, dims: Sequence[int]) -> str:
    moved = [axis for axis, old in enumerate(dims) if axis != old]
    if len(moved) == 2:
        return f"swap axes {moved[0]} and {moved[1]} of `{expression}`"
    return f"put the axes of `{expression}` in the order {tuple(dims)}"


SUBSAMPLE_TITLE = "a shortcut without parameters: every other pixel, zeros for the new channels"


def input_name(edit: Input, recording: Recording) -> str:
    """What the program calls an input, in the line that calls the model or in its forward; `x` where it has no name for
    it, and calls no other one so."""
    names = [recording.values[number].name for number in recording.inputs]
    name = names[edit.index] if edit.index < len(names) else None
    return _given_as(edit.index, recording) or name or ("x" if "x" not in names else f"inputs[{edit.index}]")


_BY_METHOD = frozenset({"fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"})
"""Methods that a Keras model is called by; what a line calls by a plain name is another function then."""


def _given_as(index: int, recording: Recording) -> str | None:
    """The variable that a line gives the model for an input, where it gives all of them by their places."""
    outermost = [call for call in recording.roots if not call.layer]
    tree = parsed(statement(outermost[-1].span)) if outermost else None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    if any(name_called(call) in _BY_METHOD for call in calls):
        return None
    named = root_name(recording)
    model = [call for call in calls if ast.unparse(call.func) in (named, "self", f"self.{named}")]
    given = model[0].args if len(model) == 1 and len(model[0].args) == len(recording.inputs) else []
    node = given[index] if index < len(given) else None
    return node.id if isinstance(node, ast.Name) else None


def in_a_batch(edit: Input, recording: Recording) -> str | None:
    """How the program gives a batch where it gave one sample: a pipeline of data makes them itself, and of an array a
    slice is one. None where the line that raised shows neither."""
    failure, given = recording.failure, recording.shape(recording.inputs[edit.index])
    if failure is None or edit.arguments.get("dim") != 0:
        return None
    streams = [name for name, shape in failure.streams.items() if shape in (given, edit.shape[1:])]
    if len(streams) == 1:
        return f"{streams[0] if streams[0].isidentifier() else 'data'} = {streams[0]}.batch(32)"
    source = statement(failure.span)
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)] if tree is not None else []
    items = [(node, part) for node in nodes if (part := _slice_for(node)) and _item_of(node, failure.spoken) == given]
    return rewritten(source, items) if source is not None and len(items) == 1 else None


def _item_of(node: ast.Subscript, arrays: Mapping[str, Shape]) -> Shape | None:
    array = arrays.get(ast.unparse(node.value))
    return None if not array or ast.unparse(node.slice) in arrays else array[1:]


def _slice_for(node: ast.Subscript) -> str | None:
    """`x[3:4]` for `x[3]`."""
    index = ast.unparse(node.slice)
    if not isinstance(node.slice, ast.Constant | ast.UnaryOp | ast.Name):
        return None
    number = int(index) if re.fullmatch(r"-?\d+", index) else None
    after = f"{index} + 1" if number is None else "" if number == -1 else str(number + 1)
    return f"{ast.unparse(node.value)}[{index}:{after}]"


def other_input(edit: Input, recording: Recording) -> str:
    """What to write where no operation makes the input that is wanted out of the one that came."""
    name = input_name(edit, recording)
    failure = recording.failure
    if failure is not None and edit.shape[1:] == failure.spoken.get(name, ()) != ():  # one sample, taken for many
        source = statement(failure.span)
        tree = parsed(source)
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)] if tree is not None else []
        given = [node for node in nodes if ast.unparse(node) == name]
        if source is not None and len(given) == 1:
            more = f"{name}[None]" if name.isidentifier() else with_axes(name, (0,), len(edit.shape))
            return rewritten(source, [(given[0], more)])
    if (line := line_of_what_grows(edit, recording)) is not None:
        return line
    named = len(recording.inputs) > 1 or name != "x"
    return f"# {name if named else 'an input'} of shape {text(edit.shape)}"


def line_of_what_grows(edit: Input, recording: Recording) -> str | None:
    """The line that calls the model, given the end of an input that a loop makes longer; None of any other input."""
    outermost = [call for call in recording.roots if not call.layer]
    name, span = input_name(edit, recording), outermost[-1].span if outermost else None
    return end_of_what_grows(span, name, recording.shape(recording.inputs[edit.index]), edit.shape)


def target_names(recording: Recording, output: str, target: str) -> tuple[str, str]:
    """What the program calls the output and the target that a loss refused; these two where it has no name for them."""
    call = recording.failing_call()
    if call is None or call.kind != "loss" or len(call.operands) < 2:
        return output, target
    names = [recording.values[number].name for number in call.operands]
    return names[call.facts.get("output", 0)] or output, names[call.facts.get("target", 1)] or target


def exchanged_inputs(edit: Input, recording: Recording) -> Written:
    """Both edits of an exchange are written alike: it is one."""
    both = sorted((edit.index, edit.arguments["with"]))
    names = [recording.values[recording.inputs[index]].name for index in both]
    one, other = (name or f"input {index + 1}" for name, index in zip(names, both, strict=True))
    named = all(name is not None and name.isidentifier() for name in names)
    line = _with_names_exchanged(one, other, recording)
    code = line or f"{one}, {other} = {other}, {one}" if named else f"# {one} and {other} in each other's place"
    return Written(f"{one} and {other} in each other's place", code, input_data(edit))


def _with_names_exchanged(one: str, other: str, recording: Recording) -> str | None:
    """The line that gives the model its inputs, with two variables in each other's place; None where it does not read
    each of them once."""
    source = statement(recording.failure.span) if recording.failure is not None else None
    tree = parsed(source)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)] if tree is not None else []
    places = [[node for node in names if node.id == name] for name in (one, other)]
    if source is None or [len(nodes) for nodes in places] != [1, 1]:
        return None
    return rewritten(source, [(places[0][0], other), (places[1][0], one)])


def input_title(edit: Input) -> str:
    match edit.change:
        case "permute":
            return f"give the input as {text(edit.shape)}"
        case "unsqueeze":
            axis = "an axis of size 1 more" if edit.arguments.get("dim") else "its batch axis"
            if "dims" in edit.arguments:
                axis = "the axes of size 1 that it lacks"
            return f"give the input {axis}: {text(edit.shape)}"
        case "squeeze":
            return f"take axis {edit.arguments['dim']} off the input: {text(edit.shape)}"
        case "batch":
            return f"give an input of {edit.arguments['batch']} samples: {text(edit.shape)}"
        case "channels":
            return f"give an input of {edit.arguments['channels']} channels: {text(edit.shape)}"
    return f"give an input of {text(edit.shape)}"


def input_data(edit: Input) -> dict[str, Any]:
    said = ("dims", "dim", "size", "channels", "batch", "with")
    public = {key: edit.arguments[key] for key in said if key in edit.arguments}
    return {"action": "input", "index": edit.index, "change": edit.change, "shape": edit.shape, **public}


def target_title(edit: Target) -> str:
    arguments = edit.arguments
    match edit.change:
        case "one-hot":
            return f"labels as rows of {arguments['classes']}, one for each class"
        case "numbers":
            return "labels as class numbers"
        case "squeeze":
            return f"take axis {arguments['dim']} off the labels"
        case "unsqueeze":
            return f"give the labels an axis {arguments['dim']} of size 1"
        case "output-squeeze":
            return f"take axis {arguments['dim']} off the model's output"
        case "output-reshaped":
            return f"the output without its axes of size 1, {text(arguments['shape'])}"
        case "output-pooled":
            over = " and ".join(map(str, arguments["dims"]))
            return f"one answer for each sample: the mean of the output over axes {over}"
        case "output-moved":
            return "the output with its classes on axis 1"
        case "resized":
            return f"the labels resized to {' x '.join(map(str, arguments['size']))}"
        case "padded":
            return f"the labels padded to {arguments['length']}, or cut to it, as the inputs are"
        case "input-shorter":
            return "the input without its last step"
        case "column":
            return f"the one of the {arguments['columns']} columns that is to be predicted"
        case "picked":
            return f"the labels picked by `{arguments['by']}`, as the answers are"
        case "from-one":
            return "labels whose class numbers begin at 0"
        case "output-resized":
            return f"the output resized to {' x '.join(map(str, arguments['size']))}"
    verb = "lay the labels out as" if arguments["reshaped"] else "give labels of"
    return f"{verb} {text(arguments['shape'])}"


def target_reshaped(edit: Target, line: str) -> str:
    """The line that gives the labels another shape; of other labels only what shape they need."""
    shape = edit.arguments.get("shape", ())
    sizes = ", ".join("-1" if size is None else str(size) for size in shape)
    return line.format(f"({sizes})") if edit.arguments.get("reshaped") else f"# labels of shape {text(shape)}"


def target_data(edit: Target) -> dict[str, Any]:
    said = {name: value for name, value in edit.arguments.items() if name != "known"}
    return {"action": "target", "change": edit.change, **said}


def repeated(repeat: str, expression: str, arguments: Mapping[str, Any]) -> str:
    """`repeat` is the name of the function."""
    dims, sizes = arguments["dims"], arguments["sizes"]
    x = with_axes(atom(expression), dims, len(sizes)) if dims else expression
    for axis, size in enumerate(sizes):
        x = x if size == -1 else f"{repeat}({x}, {size}, axis={axis})"
    return x


# Expressions that need no weights, where padding is written as NumPy does


def _rank_padded(arguments: Mapping[str, Any]) -> int:
    """How many spatial axes an operand has that is padded so."""
    channels = 1 if arguments.get("channels_last") else 0
    return int(arguments.get("rank", len(arguments["pad"]) // 2 - channels))


def padded(pad: str, x: str, arguments: Mapping[str, Any]) -> str:
    """`pad` is the name of the function; amounts below zero crop."""
    amounts = arguments["pad"]
    pairs = [(amounts[i], amounts[i + 1]) for i in range(0, len(amounts) - 1, 2)][::-1]
    pairs = [(0, 0)] * (_rank_padded(arguments) + 2 - len(pairs)) + pairs
    if any(amount < 0 for pair in pairs for amount in pair):
        ends = [(max(0, -first) or "", min(0, last) or "") for first, last in pairs]
        x += f"[{', '.join(f'{first}:{last}' for first, last in ends)}]"
    zeros = tuple((max(0, first), max(0, last)) for first, last in pairs)
    return f"{pad}({x}, {zeros})" if any(map(any, zeros)) else x


def subsampled(pad: str, x: str, arguments: Mapping[str, Any]) -> str:
    """Every other pixel, zeros for the new channels."""
    rank, stride, last = arguments.get("rank", 2), arguments["stride"], bool(arguments.get("channels_last"))
    spatial = [f"::{stride}"] * rank
    slices = [":", *spatial, ":"] if last else [":", ":", *spatial]
    taken = f"{x}[{', '.join(slices)}]" if stride != 1 else x
    channels = f"(0, {arguments['channels']} - {x}.shape[{-1 if last else 1}])"
    rest = ["(0, 0)"] * rank
    pairs = ["(0, 0)", *rest, channels] if last else ["(0, 0)", channels, *rest]
    return f"{pad}({taken}, ({', '.join(pairs)}))"


# A table that is longer than what it meets


def narrowed(expression: str, dims: Sequence[int], length: str) -> str:
    items = [f":{length}" if axis in dims else ":" for axis in range(max(dims) + 1)]
    return f"{atom(expression)}[{', '.join(items)}]"


def narrow_title(expression: str, arguments: Mapping[str, Any]) -> str:
    dims = arguments["dims"]
    along = f"axis {dims[0]}" if len(dims) == 1 else f"axes {dims[0]} and {dims[1]}"
    return f"cut `{expression}` to {arguments['size']} along {along}"


_LENGTH = {
    "torch": "{}.size({})",
    "tensorflow": "tf.shape({})[{}]",
    "tf": "tf.shape({})[{}]",
    "keras": "keras.ops.shape({})[{}]",
}


def length_in(library: str, x: str, axis: int) -> str:
    """How long an axis of a tensor is while the program runs, by what makes such tensors: `torch`, `tf`, `np`."""
    return _LENGTH.get(library, "{}.shape[{}]").format(x, axis)


def cut_as_beside(edit: Insert, recording: Recording) -> Written:
    """An operand cut to the length of the other one, whatever that is next time."""
    call, arguments = call_at(edit.place, recording), edit.module.arguments
    source = statement(call.span) if call is not None else None
    name, which = (call.name, which_of_line(call, recording)) if call is not None else ("", None)
    expression, beside = (operand_text(source, at, name, which=which) for at in (edit.operand, 1 - edit.operand))
    layer, module = place_layer(edit.place), {"type": "narrow", "arguments": dict(arguments)}
    data = {"action": "insert", "layer": layer, "junction": edit.place, "operand": edit.operand, "module": module}
    title = narrow_title(expression or "table", arguments)
    if call is None or source is None or expression is None or beside is None:
        return Written(title, f"# {title}, in: {source}", data)
    own, other = (len(recording.shape(call.operands[at])) for at in (edit.operand, 1 - edit.operand))
    free = (short for short in ("x", "h", "other") if not re.search(rf"\b{short}\b", source))
    held = beside if beside.isidentifier() else next(free, "_")
    length = length_in(recording.framework, held, arguments["dims"][0] + other - own)
    cut = narrowed(expression, arguments["dims"], length)
    line = with_operand(source, edit.operand, lambda _: cut, name, which=which)
    if held != beside and line is not None:
        line = with_operand(line, 1 - edit.operand, lambda _: held, name, which=which)
        line = None if line is None else f"{held} = {beside}\n{line}"
    return Written(title, line or f"# {title}, in: {source}", data)


# What was joined in front of the places of a map


def without_first(x: str, arguments: Mapping[str, Any]) -> str:
    parts = [*[":"] * arguments["dim"], f"{arguments['count']}:"]
    return f"{atom(x)}[{', '.join(parts)}]"


def without_first_title(x: str, arguments: Mapping[str, Any]) -> str:
    taken = "the first" if arguments["count"] == 1 else f"the first {arguments['count']}"
    return f"take {taken} of axis {arguments['dim']} off `{x}`"


# Both factors of a product


def factors_exchanged(edit: SetCall, call: Call, recording: Recording) -> Written:
    source = statement(call.span)
    line = with_factors_exchanged(source, call.name, which_of_line(call, recording))
    where = f" in {spoken(call.layer)}" if call.layer else ""
    data = {"action": "set", "layer": call.layer, "call": edit.place, "argument": "order", "value": edit.value}
    title = f"the factors of {call.name}{where} in each other's place"
    return Written(title, line or f"# exchange both factors in: {source}", data)


# A sum without its shortcut


def sum_left_out(edit: SetCall, recording: Recording) -> Written:
    """The condition of a sum, with that both sides are of one shape."""
    call = call_at(edit.place, recording)
    guard = guard_at(call.span) if call is not None and call.span is not None else None
    source, name = (statement(call.span), call.name) if call is not None else (None, "")
    sides = [operand_text(source, at, name) for at in (0, 1)]
    data = {"action": "set", "layer": place_layer(edit.place), "call": edit.place, "argument": "alone"}
    title = "the sum only where both sides are of one shape"
    code = f"# {title}"
    if guard is not None and source is not None and sides[0] is not None and sides[1] is not None:
        code = _only_where_alike(guard, source, (sides[0], sides[1]), name)
    return Written(title, code, {**data, "value": edit.value})


def _only_where_alike(guard: Guard, source: str, sides: tuple[str, str], name: str) -> str:
    """The condition with the shapes of both sides compared; what a side computes is computed before it, once."""
    lines, names = [], list(sides)
    for at, side in enumerate(sides):
        if not side.isidentifier():
            names[at] = next(short for short in ("out", "y", "other") if not re.search(rf"\b{short}\b", source))
            lines.append(f"{names[at]} = {side}")
            source = with_operand(source, at, lambda _, held=names[at]: held, name) or source  # type: ignore[misc]
    condition = f"{names[0]}.shape == {names[1]}.shape"
    lines.append(guard.narrowed(condition))
    if lines[1:]:
        lines.append(f"    {source}")
    return "\n".join(lines)


# Another variable


def entries_title(arguments: Mapping[str, Any]) -> str:
    step, beyond = arguments["order"]
    begin = ("the last", "the first")[step > 0] if not beyond else ("the last but one", "the second")[step > 0]
    return f"`{arguments['name']}` read from {begin} on"


def taken_instead(edit: Insert, recording: Recording) -> Written:
    """The line with another variable in the place of the one that it takes."""
    call, arguments = call_at(edit.place, recording), edit.module.arguments
    name, instead = arguments["name"], arguments["instead"]
    span = arguments.get("span", call.span if call is not None else None)
    source = statement(span)
    layer = place_layer(edit.place)
    data = {"action": "insert", "layer": layer, "junction": edit.place, "operand": edit.operand}
    said: dict[str, Any] = {"name": name, "instead": instead}
    module = {"type": "variable", "arguments": said}
    if "taking" in arguments:
        line = arguments["taking"].in_order(*arguments["order"])
        said["index"] = arguments["index"]
        return Written(entries_title(arguments), line, {**data, "module": module})
    line = reading(source, name, instead)
    title = f"`{name}` in the place of `{instead}`"
    return Written(title, line or f"# take {name} in the place of {instead} in: {source}", {**data, "module": module})


# What is put on an operand


def operand_title(module: Module, layer: str, expression: str) -> str | None:
    """What is done to an operand, in words; None of a layer that every framework has its own words for."""
    match module.kind:
        case "pad":
            return pad_title(expression, module.arguments["pad"])
        case "resize":
            return resize_title(expression, tuple(module.arguments["size"]))
        case "subsample_pad":
            return SUBSAMPLE_TITLE
        case "unsqueeze":
            return axes_title(expression)
        case "permute":
            return order_title(expression, module.arguments["dims"])
        case "squeeze":
            return squeeze_title(expression, module.arguments["dim"])
        case "expand":
            return repeat_title(expression, module.arguments["sizes"])
        case "without_first":
            return without_first_title(expression, module.arguments)
        case "flatten":
            return f"flatten before {layer}"
    return None


# A layer of the model's own


def own_layer_called(edit: Insert, recording: Recording) -> Written:
    """The line with a layer called that the class has and never calls: on one of its operands, or instead of another.
    Another one of a class is changed by the same line."""
    arguments = edit.module.arguments
    name, instead = arguments["name"], arguments.get("instead")
    layer = place_layer(edit.place)
    data = {"action": "insert", "layer": layer, "junction": edit.place, "operand": edit.operand}
    if instead is not None:
        line, title = _called_instead(edit, name, instead), f"`self.{name}` in the place of `self.{instead}`"
        module = {"type": "layer", "arguments": {"name": name, "instead": instead}}
        return Written(title, line or f"# {title}", {**data, "module": module})
    call = call_at(edit.place, recording)
    source = statement(call.span) if call is not None else None
    operation = call.name if call is not None and not call.is_layer else ""
    called = layer.rpartition(".")[2] if call is not None and call.is_layer else ""
    which = which_of_line(call, recording) if call is not None else None
    expression = operand_text(source, edit.operand, operation, called, which)
    line = with_operand(source, edit.operand, lambda x: f"self.{name}({x})", operation, called, which)
    title = f"`self.{name}` called on `{expression}`" if expression is not None else f"`self.{name}` called"
    if line is None and call is not None and call.span is not None and called:
        line = put_in_a_row(name, called, call.span)
        title = f"`self.{name}` before `self.{called}`" if line is not None else title
    module = {"type": "layer", "arguments": {"name": name}}
    return Written(title, line or f"# {title}, in: {source}", {**data, "module": module})


def _called_instead(edit: Insert, name: str, instead: str) -> str | None:
    span, number = edit.module.arguments["span"], int(edit.place.rpartition(":")[2])
    alike = [each for each in mentions(span) if each.name == instead]
    here = next((each for each in alike if each.earlier == number), None)
    before = sum(each.lines == here.lines and each.earlier < number for each in alike) if here is not None else 0
    return calling(statement(span), name, instead, before)


# What a layer gives, unpacked


def results_exchanged(edit: Insert, call: Call) -> Written:
    """The line with the two names that it gives what a layer gives in each other's place."""
    source = statement(call.span)
    tree = parsed(source)
    line = tree.body[0] if tree is not None and tree.body else None
    names = line.targets[0].elts if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Tuple) else []
    title = f"the results of {spoken(call.layer)} in each other's place"
    code = f"# {title}, in: {source}"
    if len(names) == 2 and source is not None:
        first, second = map(ast.unparse, names)
        title = f"`{second}` and `{first}` in each other's place"
        code = rewritten(source, [(names[0], second), (names[1], first)])
    data = {"action": "insert", "layer": place_layer(edit.place), "junction": edit.place, "operand": edit.operand}
    return Written(title, code, {**data, "module": {"type": "exchange", "arguments": {}}})
