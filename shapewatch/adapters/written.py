"""What writing an edit takes whatever the framework: how it is titled, and a line of the user's with a part rewritten.

The user's own line is changed where it stands, so that it keeps its quotes, its spaces and its names.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from shapewatch.adapters import Written
from shapewatch.edits import Input, Module, Target, place_layer
from shapewatch.recording import Call, Recording, Shape, Span, spoken, text

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


def order_title(expression: str, dims: Sequence[int]) -> str:
    moved = [axis for axis, old in enumerate(dims) if axis != old]
    if len(moved) == 2:
        return f"swap axes {moved[0]} and {moved[1]} of `{expression}`"
    return f"put the axes of `{expression}` in the order {tuple(dims)}"


SUBSAMPLE_TITLE = "a shortcut without parameters: every other pixel, zeros for the new channels"


def input_name(edit: Input, recording: Recording) -> str:
    """What the program calls an input; `x` where it has no name for it, and calls no other one so."""
    names = [recording.values[number].name for number in recording.inputs]
    name = names[edit.index] if edit.index < len(names) else None
    return name or ("x" if "x" not in names else f"inputs[{edit.index}]")


def in_a_batch(edit: Input, recording: Recording) -> str | None:
    """How the program gives a batch where it gave one sample: a pipeline of data makes them itself, and of an array a
    slice is one. None where the line that raised shows neither."""
    failure, given = recording.failure, recording.shape(recording.inputs[edit.index])
    if failure is None or edit.arguments.get("dim") != 0:
        return None
    streams = [name for name, shape in failure.streams.items() if shape == given]
    if len(streams) == 1:
        return f"{streams[0]} = {streams[0]}.batch(32)"
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
    named = len(recording.inputs) > 1 or name != "x"
    return f"# {name if named else 'an input'} of shape {text(edit.shape)}"


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
    code = f"{one}, {other} = {other}, {one}" if named else f"# {one} and {other} in each other's place"
    return Written(f"{one} and {other} in each other's place", code, input_data(edit))


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


def repeated(repeat: str, expression: str, arguments: Mapping[str, Any]) -> str:
    """`repeat` is the name of the function."""
    dims, sizes = arguments["dims"], arguments["sizes"]
    x = with_axes(atom(expression), dims, len(sizes)) if dims else expression
    for axis, size in enumerate(sizes):
        x = x if size == -1 else f"{repeat}({x}, {size}, axis={axis})"
    return x


def with_flag(source: str | None, operand: int, module: Module, which: int = 0) -> str | None:
    """`tf.matmul(q, k, transpose_b=True)`, where a side of that product is to have its last two axes swapped."""
    tree = parsed(source) if module.kind == "permute" else None
    calls = [node for node in _in_order(tree) if isinstance(node, ast.Call)] if tree is not None else []
    products = [call for call in calls if ast.unparse(call.func) in ("tf.matmul", "tf.linalg.matmul")]
    if source is None or which >= len(products):
        return None
    product = products[which]
    dims, flag = list(module.arguments["dims"]), ("transpose_a", "transpose_b")[operand]
    swapped = dims == [*range(len(dims) - 2), len(dims) - 1, len(dims) - 2]
    if not swapped or any(keyword.arg == flag for keyword in product.keywords):
        return None
    last = product.keywords[-1].value if product.keywords else product.args[-1]
    return rewritten(source, [(last, f"{ast.get_source_segment(source, last)}, {flag}=True")])


def axes_line(expression: str | None, dims: Sequence[int], rank: int) -> str | None:
    """A line of its own before the user's, where the operand has a name: several of these can be pasted together."""
    named = expression is not None and expression.isidentifier()
    return f"{expression} = {with_axes(expression or '', dims, rank)}" if named else None


def with_axes(expression: str, dims: Sequence[int], rank: int) -> str:
    """`x[:, None, None, :]`, with new axes at `dims` of a result of that rank; the same in every framework."""
    items = ["None" if axis in dims else ":" for axis in range(rank)]
    node = _expression(expression)
    there = _whole_items(node)
    if there is not None and isinstance(node, ast.Subscript):  # `x[:, None]` and two axes more are one index
        kept = iter(there)
        items = [item if item == "None" else next(kept, ":") for item in items]
        return f"{ast.unparse(node.value)}[{', '.join(items)}]"
    return indexed(expression, f"[{', '.join(items)}]")


def _whole_items(node: ast.expr | None) -> list[str] | None:
    """What stands in an index that takes whole axes and adds new ones; None for any other."""
    index = node.slice if isinstance(node, ast.Subscript) else None
    items = index.elts if isinstance(index, ast.Tuple) else [index] if index is not None else []
    spelled = [ast.unparse(item) for item in items]
    return spelled if spelled and set(spelled) <= {":", "None"} else None


def indexed(expression: str, index: str) -> str:
    """The expression with an index behind it: `(a + b)[0]`; what is compared with a number as `mask[0] == 0`."""
    node = _expression(expression)
    if isinstance(node, ast.Compare) and isinstance(node.comparators[-1], ast.Constant) and len(node.ops) == 1:
        left = ast.unparse(node.left)
        if expression.startswith(left):
            return f"{atom(left)}{index}{expression.removeprefix(left)}"
    return f"{atom(expression)}{index}"


def atom(expression: str) -> str:
    """The expression as something can be put behind it: a dot, an index."""
    return f"({expression})" if isinstance(_expression(expression), _LOOSE) else expression


_LOOSE = (ast.BinOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda, ast.UnaryOp)


def _expression(source: str) -> ast.expr | None:
    tree = parsed(source)
    first = tree.body[0] if tree is not None and tree.body else None
    return first.value if isinstance(first, ast.Expr) else None


# One operand of a line


def operand_text(
    source: str | None, operand: int, operation: str = "", layer: str = "", which: int | None = None
) -> str | None:
    """The expression that is an operand of a line's junction; None where the line cannot be read alone, or does more
    than one such operation. `operation`: the name of the recorded one, and `which` of several it is, where that is
    known; `layer`: that of the layer that is called."""
    tree = parsed(source)
    node = None if tree is None else _found(tree, operand, operation, layer, which)
    return None if node is None else ast.unparse(node)


def with_operand(
    source: str | None,
    operand: int,
    wrap: Callable[[str], str],
    operation: str = "",
    layer: str = "",
    which: int | None = None,
) -> str | None:
    """The line with one operand of its junction rewritten; None where the line does not tell which one it is."""
    tree = parsed(source)
    node = None if tree is None else _found(tree, operand, operation, layer, which)
    if tree is None or source is None or node is None:
        return None
    new = wrap(ast.unparse(node))
    beside = any(isinstance(other, ast.BinOp) and node in (other.left, other.right) for other in ast.walk(tree))
    if beside and isinstance(ast.parse(new, mode="eval").body, ast.BinOp):
        new = f"({new})"
    return rewritten(source, [(node, new)])


def _found(tree: ast.AST, operand: int, operation: str, layer: str, which: int | None) -> ast.expr | None:
    """An operand of a layer's call or, where that has no name in the line, of the operation."""
    known = operation or not layer
    return _given_to(tree, layer, operand) or (_operand(tree, operand, operation, which) if known else None)


def _given_to(tree: ast.AST, layer: str, operand: int) -> ast.expr | None:
    """What a line gives to a layer, by position or by name: `mask` in `self.attend(x, x, attention_mask=mask)`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls = [call for call in calls if layer and getattr(call.func, "attr", getattr(call.func, "id", "")) == layer]
    if len(calls) != 1:
        return None
    (call,) = calls
    alone = len(call.args) == 1 and not call.keywords and operand == 0
    if alone and not isinstance(call.args[0], ast.List | ast.Tuple):
        return call.args[0]
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg != "training")]
    plain = [node for node in given if not isinstance(node, ast.Constant)]
    several = any(isinstance(node, ast.Starred | ast.List | ast.Tuple) for node in plain)
    return plain[operand] if operand < len(plain) > 1 and not several else None


_JOINING = frozenset(
    "add mul sub add_ mul_ multiply subtract maximum minimum masked_fill masked_fill_ where matmul bmm mm "
    "gather".split()
)

_CALLED = frozenset({"masked_fill", "gather"})
"""Operations that no sign stands for, nor a list of what is joined."""

_OF_MODULES = frozenset("torch F tf np jnp keras K ops math".split())
"""What a function stands behind that is no method of a tensor."""


def _is_number(node: ast.expr) -> bool:
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _given(call: ast.Call) -> Sequence[ast.expr]:
    """What a function is given; of a method, what it is called of first of all."""
    root = call.func
    while isinstance(root, ast.Attribute):
        root = root.value
    is_method = isinstance(call.func, ast.Attribute) and not (isinstance(root, ast.Name) and root.id in _OF_MODULES)
    args = [node for node in call.args if not _is_number(node)]  # `dim`, a fill value
    return [call.func.value, *args] if is_method and isinstance(call.func, ast.Attribute) else args


_SOMETIMES = (ast.comprehension, ast.IfExp, ast.BoolOp, ast.Lambda)
"""What is computed any number of times."""

_LISTED = ("cat", "concat", "stack")
"""How the names begin of what takes a list, and is no sum."""


_SIGNS: Mapping[str, type[ast.operator]] = {
    "add": ast.Add,
    "sub": ast.Sub,
    "subtract": ast.Sub,
    "mul": ast.Mult,
    "multiply": ast.Mult,
    "matmul": ast.MatMult,
}
"""Of each arithmetic operation, by its names in the frameworks, the sign."""


def which_of_line(call: Call, recording: Recording) -> int:
    """How many operations of that name the line had done before this one, in the same call of its layer."""
    same = [
        other.number
        for other in recording.calls
        if (other.name, other.span, other.parent) == (call.name, call.span, call.parent) and not other.is_layer
    ]
    return same.index(call.number) if call.number in same else 0


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a line as they are computed: what an operation takes before it."""
    for child in ast.iter_child_nodes(tree):
        yield from _in_order(child)
    yield tree


def _operand(tree: ast.AST, operand: int, operation: str, which: int | None = None) -> ast.expr | None:
    """The operand's expression, in an addition-like statement, or in a call that is given a list or two tensors."""
    sign = _SIGNS.get(operation.rstrip("_").lower().removesuffix("v2"))
    if sign is not None:
        signs = (ast.BinOp, ast.AugAssign)
        signed = [node for node in _in_order(tree) if isinstance(node, signs) and isinstance(node.op, sign)]
        if len(signed) > 1 and (which is None or any(isinstance(node, _SOMETIMES) for node in ast.walk(tree))):
            return None
        chosen = signed[(which or 0) % len(signed)] if signed else None
        if isinstance(chosen, ast.BinOp):
            return chosen.left if operand == 0 else chosen.right
    for call in ast.walk(tree) if operation in _CALLED else ():
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == operation:
            given = _given(call)
            return given[operand] if operand < len(given) else None
    named = [n for n in _in_order(tree) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == operation]
    if len(named) > 1 and operation in _JOINING:
        given = [] if which is None else _given(named[which % len(named)])
        return given[operand] if operand < len(given) else None
    joins = operation.lower().startswith(_LISTED)
    for node in ast.walk(tree):
        if joins and not isinstance(node, ast.Call):
            continue  # `x * gate(concat([a, b]))`
        if isinstance(node, ast.AugAssign):
            return node.value if operand == 1 else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult | ast.Sub):
            return node.left if operand == 0 else node.right
        if isinstance(node, ast.Call) and node.args:
            row = node.args[0]
            if isinstance(row, ast.List | ast.Tuple) and not any(isinstance(e, ast.Constant) for e in row.elts):
                return row.elts[operand] if operand < len(row.elts) else None
            if getattr(node.func, "attr", "") in _JOINING:
                given = _given(node)
                return given[operand] if operand < len(given) else None
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


def merged(source: str, lines: Sequence[str]) -> str | None:
    """One line of what several changed in a place of their own each; None where two of these overlap."""
    changes = []
    for line in lines:
        begin = next((at for at, (a, b) in enumerate(zip(source, line, strict=False)) if a != b), len(source))
        end = 0
        while end < min(len(source), len(line)) - begin and source[-1 - end] == line[-1 - end]:
            end += 1
        changes.append((begin, len(source) - end, line[begin : len(line) - end]))
    changes.sort()
    if any(one[1] > two[0] for one, two in pairwise(changes)):
        return None
    for begin, stop, new in reversed(changes):
        source = source[:begin] + new + source[stop:]
    return source


def rewritten(source: str, changes: Sequence[tuple[ast.expr | ast.keyword, str]]) -> str:
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
