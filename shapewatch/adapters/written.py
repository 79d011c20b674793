"""What writing an edit takes whatever the framework: how it is titled, and a line of the user's with a part rewritten.

The user's own line is changed where it stands, so that it keeps its quotes, its spaces and its names.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from shapewatch.edits import Input, Target, place_layer
from shapewatch.recording import Call, Recording, Span, spoken, text

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
    found = next((call for call in recording.calls if call.place == place), None)
    layer = recording.layer_at.get(place_layer(place))
    if found is not None or layer is None:
        return found
    alike = {other.path for other in recording.layers if other.type == layer.type}
    rest = place.removeprefix(layer.path)
    return next((call for call in recording.calls if call.layer in alike and call.place == call.layer + rest), None)


# Titles: the same change is called the same in every framework


def set_title(what: str, argument: str, value: str, was: str) -> str:
    return f"{spoken(what)}: {argument} {value} instead of {was}"


def projection_title(layer: str, code: str) -> str:
    return f"a projection on the skip of {spoken(layer) or 'the junction'}: {code}"


def pad_title(expression: str, amounts: Sequence[int]) -> str:
    return f"{'crop' if any(amount < 0 for amount in amounts) else 'pad'} `{expression}` by {tuple(amounts)}"


def resize_title(expression: str, size: tuple[int, ...]) -> str:
    return f"interpolate `{expression}` to {text(size)}"


def axes_title(expression: str) -> str:
    return f"give `{expression}` the axes of size 1 that it lacks"


SUBSAMPLE_TITLE = "a shortcut without parameters: every other pixel, zeros for the new channels"


def input_name(edit: Input, recording: Recording) -> str:
    """What the program calls an input; `x` where it has no name for it, and calls no other one so."""
    names = [recording.values[number].name for number in recording.inputs]
    name = names[edit.index] if edit.index < len(names) else None
    return name or ("x" if "x" not in names else f"inputs[{edit.index}]")


def other_input(edit: Input, recording: Recording) -> str:
    """What to write where no operation makes the input that is wanted out of the one that came."""
    name = input_name(edit, recording)
    named = len(recording.inputs) > 1 or name != "x"
    return f"# {name if named else 'an input'} of shape {text(edit.shape)}"


def target_names(recording: Recording, output: str, target: str) -> tuple[str, str]:
    """What the program calls the output and the target that a loss refused; these two where it has no name for them."""
    call = recording.failing_call()
    if call is None or call.kind != "loss" or len(call.operands) < 2:
        return output, target
    names = [recording.values[number].name for number in call.operands]
    return names[0] or output, names[1] or target


def input_title(edit: Input) -> str:
    match edit.change:
        case "permute":
            return f"give the input as {text(edit.shape)}"
        case "unsqueeze":
            axis = "an axis of size 1 more" if edit.arguments["dim"] else "its batch axis"
            return f"give the input {axis}: {text(edit.shape)}"
        case "squeeze":
            return f"take axis {edit.arguments['dim']} off the input: {text(edit.shape)}"
        case "batch":
            return f"give an input of {edit.arguments['batch']} samples: {text(edit.shape)}"
        case "channels":
            return f"give an input of {edit.arguments['channels']} channels: {text(edit.shape)}"
    return f"give an input of {text(edit.shape)}"


def input_data(edit: Input) -> dict[str, Any]:
    public = {key: edit.arguments[key] for key in ("dims", "dim", "size", "channels", "batch") if key in edit.arguments}
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
        case "output-pooled":
            over = " and ".join(map(str, arguments["dims"]))
            return f"one answer for each sample: the mean of the output over axes {over}"
        case "output-moved":
            return "the output with its classes on axis 1"
    verb = "lay the labels out as" if arguments["reshaped"] else "give labels of"
    return f"{verb} {text(arguments['shape'])}"


def target_reshaped(edit: Target, line: str) -> str:
    """The line that gives the labels another shape; of other labels only what shape they need."""
    shape = edit.arguments.get("shape", ())
    sizes = ", ".join("-1" if size is None else str(size) for size in shape)
    return line.format(f"({sizes})") if edit.arguments.get("reshaped") else f"# labels of shape {text(shape)}"


def target_data(edit: Target) -> dict[str, Any]:
    return {"action": "target", "change": edit.change, **edit.arguments}


def axes_line(expression: str | None, dims: Sequence[int], rank: int) -> str | None:
    """A line of its own before the user's, where the operand has a name: several of these can be pasted together."""
    named = expression is not None and expression.isidentifier()
    return f"{expression} = {with_axes(expression or '', dims, rank)}" if named else None


def with_axes(expression: str, dims: Sequence[int], rank: int) -> str:
    """`x[:, None, None, :]`, with new axes at `dims` of a result of that rank; the same in every framework."""
    return f"{expression}[{', '.join('None' if axis in dims else ':' for axis in range(rank))}]"


# One operand of a line


def operand_text(source: str | None, operand: int, operation: str = "") -> str | None:
    """The expression that is an operand of a line's junction; None where the line cannot be read alone, or does more
    than one such operation. `operation`: the name of the recorded one."""
    tree = parsed(source)
    node = None if tree is None else _operand(tree, operand, operation)
    return None if node is None else ast.unparse(node)


def with_operand(source: str | None, operand: int, wrap: Callable[[str], str], operation: str = "") -> str | None:
    """The line with one operand of its junction rewritten; None where the line does not tell which one it is."""
    tree = parsed(source)
    node = None if tree is None else _operand(tree, operand, operation)
    if tree is None or source is None or node is None:
        return None
    new = wrap(ast.unparse(node))
    beside = any(isinstance(other, ast.BinOp) and node in (other.left, other.right) for other in ast.walk(tree))
    if beside and isinstance(ast.parse(new, mode="eval").body, ast.BinOp):
        new = f"({new})"
    return rewritten(source, [(node, new)])


_JOINING = frozenset("add mul sub add_ mul_ multiply subtract maximum minimum".split())


_SIGNS: Mapping[str, type[ast.operator]] = {
    "add": ast.Add,
    "sub": ast.Sub,
    "subtract": ast.Sub,
    "mul": ast.Mult,
    "multiply": ast.Mult,
}
"""Of each arithmetic operation, by its names in the frameworks, the sign."""


def _operand(tree: ast.AST, operand: int, operation: str) -> ast.expr | None:
    """The operand's expression, in an addition-like statement, or in a call that is given a list or two tensors."""
    sign = _SIGNS.get(operation.rstrip("_").lower().removesuffix("v2"))
    if sign is not None:
        signs = (ast.BinOp, ast.AugAssign)
        signed = [node for node in ast.walk(tree) if isinstance(node, signs) and isinstance(node.op, sign)]
        if len(signed) > 1:
            return None
        if signed and isinstance(signed[0], ast.BinOp):
            return signed[0].left if operand == 0 else signed[0].right
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign):
            return node.value if operand == 1 else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult | ast.Sub):
            return node.left if operand == 0 else node.right
        if isinstance(node, ast.Call) and node.args:
            given = node.args[0]
            if isinstance(given, ast.List | ast.Tuple) and not any(isinstance(e, ast.Constant) for e in given.elts):
                return given.elts[operand] if operand < len(given.elts) else None
            if getattr(node.func, "attr", "") in _JOINING and operand < len(node.args):
                return node.args[operand]
    return None


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


# Source


def function_called(source: str | None, names: Collection[str]) -> ast.Call | None:
    """The one call of a function of such a name in a line."""
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    found = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) in names and call.args]
    return found[0] if len(found) == 1 else None


def parsed(source: str | None) -> ast.Module | None:
    try:
        return ast.parse(source) if source else None
    except SyntaxError:
        return None


def rewritten(source: str, changes: Sequence[tuple[ast.expr, str]]) -> str:
    """The source with parts of it replaced, the rest of it as it was written; without a comment at its end."""
    tree = ast.parse(source)
    raw = source.encode()
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    last = tree.body[-1]
    assert last.end_lineno is not None and last.end_col_offset is not None
    raw = raw[: starts[last.end_lineno - 1] + last.end_col_offset]
    for node, new in sorted(changes, key=lambda change: (-change[0].lineno, -change[0].col_offset)):
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        raw = raw[:start] + new.encode() + raw[starts[node.end_lineno - 1] + node.end_col_offset :]
    return raw.decode()


_ONE_STEP = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)

_MOST_LINES = 8


def statement(span: Span | None) -> str | None:
    """What begins on that line, whole where it takes several: a statement or, in a list of layers, one of them.

    Without the indentation of its first line. The line alone, where the file says something else by now.
    """
    if span is None or not span.source:
        return None
    found = _beginning(span.file, span.line)
    whole = found is not None and found.partition("\n")[0].rstrip() in span.source
    return found if whole else span.source


@cache
def _beginning(file: str, line: int) -> str | None:
    lines = linecache.getlines(file)
    tree = parsed("".join(lines))
    if tree is None:
        return None
    nodes = [node for node in ast.walk(tree) if isinstance(node, (*_ONE_STEP, ast.expr)) and node.lineno == line]
    node = max(nodes, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0), default=None)
    if node is None or (node.end_lineno or 0) - line >= _MOST_LINES:
        return None
    segment = ast.get_source_segment("".join(lines), node)
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    return (
        None
        if segment is None
        else "\n".join(
            part if index == 0 or part[:indent].strip() else part[indent:]
            for index, part in enumerate(segment.split("\n"))
        )
    )
