"""One operand of an operation or a layer in a line of the program: found there, and changed where it stands."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from shapewatch.adapters.statements import name_called, parsed, rewritten, statement, with_argument
from shapewatch.edits import Module
from shapewatch.recording import Call, Recording


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
    return with_argument(source, product, f"{flag}=True")


def operand_text(
    source: str | None, operand: int, operation: str = "", layer: str = "", which: int | None = None
) -> str | None:
    """The expression that is an operand of a line's junction; None where the line cannot be read alone, or does more
    than one such operation. `operation`: the name of the recorded one, and `which` of several it is, where that is
    known; `layer`: that of the layer that is called."""
    tree = parsed(source)
    node = None if tree is None else _found(tree, operand, operation, layer, which)
    return None if node is None else _as_written(node, source)


def _as_written(node: ast.expr, source: str | None) -> str:
    """`1e9` stays `1e9`; of several lines, what they say in one."""
    written = ast.get_source_segment(source, node) if source is not None else None
    return written if written and "\n" not in written else ast.unparse(node)


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
    new = wrap(_as_written(node, source))
    beside = any(isinstance(other, ast.BinOp) and node in (other.left, other.right) for other in ast.walk(tree))
    if beside and isinstance(ast.parse(new, mode="eval").body, ast.BinOp):
        new = f"({new})"
    return rewritten(source, [(node, new)])


def with_factors_exchanged(source: str | None, operation: str, which: int | None = None) -> str | None:
    """The line with both operands of a product in each other's place; None where it does not tell which they are."""
    tree = parsed(source)
    if source is None or tree is None:
        return None
    left, right = (_operand(tree, operand, operation, which) for operand in (0, 1))
    if left is None or right is None or left is right:
        return None
    given = {id(arg) for call in ast.walk(tree) if isinstance(call, ast.Call) for arg in call.args}

    def in_place_of(other: ast.expr, node: ast.expr) -> str:
        bare = id(other) in given or not isinstance(node, ast.BinOp | ast.IfExp | ast.BoolOp)
        return _as_written(node, source) if bare else f"({_as_written(node, source)})"

    return rewritten(source, [(left, in_place_of(left, right)), (right, in_place_of(right, left))])


def _found(tree: ast.AST, operand: int, operation: str, layer: str, which: int | None) -> ast.expr | None:
    """An operand of a layer's call or, where that has no name in the line, of the operation."""
    known = operation or not layer
    return _given_to(tree, layer, operand) or (_operand(tree, operand, operation, which) if known else None)


def _given_to(tree: ast.AST, layer: str, operand: int) -> ast.expr | None:
    """What a line gives to a layer, by position or by name: `mask` in `self.attend(x, x, attention_mask=mask)`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls = [call for call in calls if layer and name_called(call) == layer]
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
    "add mul sub add_ mul_ multiply subtract maximum minimum masked_fill masked_fill_ where matmul bmm mm gather "
    "logical_and logical_or logical_xor equal not_equal greater less greater_equal less_equal".split()
)


_CALLED = frozenset({"masked_fill", "gather", "reshape", "view", "contiguous", "expand_as", "mean", "sum"})
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
    "div": ast.Div,
    "divide": ast.Div,
    "true_divide": ast.Div,
    "truediv": ast.Div,
    "realdiv": ast.Div,
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


def runs_of_its_line(call: Call, recording: Recording) -> Sequence[Call]:
    """The operations that the same expression of the program did, this one among them: in a loop, in each layer of a
    class, each time that a function was called."""
    tree = parsed(statement(call.span))
    written = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    once = sum(1 for node in written if name_called(node) == call.name) == 1
    which = which_of_line(call, recording)
    runs = [each for each in recording.calls if (each.name, each.span) == (call.name, call.span) and not each.is_layer]
    return [each for each in runs if once or which_of_line(each, recording) == which]


OF_WINDOWS = frozenset({"stride", "padding", "dilation", "kernel_size", "ceil_mode"})
"""How a window goes over a map: what a line says of it follows from no size that it is given."""


def says_the_same_each_time(call: Call | None, argument: str, recording: Recording) -> bool:
    """Whether a line gives its operation the same for such an argument whenever it runs. Where it does not, the
    argument is one of the function around it, and the line is not the one to write anything else in."""
    if argument not in OF_WINDOWS or call is None:
        return True
    said = {repr(each.facts.get(argument)) for each in runs_of_its_line(call, recording)}
    return len(said) < 2


def operation_in(source: str | None, names: Set[str], which: int) -> ast.expr | None:
    """The expression in a line that is an operation of one of these names; of several, the one of this number."""
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)] if tree is not None else []
    found = [node for node in nodes if _does(node, names)]
    found.sort(key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    return found[0] if len(found) == 1 else found[which] if which < len(found) else None


def _does(node: ast.expr, names: Set[str]) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return "matmul" in names
    return isinstance(node, ast.Call) and name_called(node) in names


def assigned(source: str | None) -> str:
    """The name that a line gives to what it computes; empty where it gives none, or several."""
    tree = parsed(source)
    line = tree.body[0] if tree is not None and tree.body else None
    target = line.targets[0] if isinstance(line, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else ""


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a line as they are computed: what an operation takes before it."""
    for child in ast.iter_child_nodes(tree):
        yield from _in_order(child)
    yield tree


def _of_indices(tree: ast.AST) -> set[int]:
    """What stands in slices, by identity: `start + x.size(0)` of `table[start:start + x.size(0)]` adds no tensors."""
    slices = [node for node in ast.walk(tree) if isinstance(node, ast.Slice)]
    return {id(part) for each in slices for part in ast.walk(each)}


def _operand(tree: ast.AST, operand: int, operation: str, which: int | None = None) -> ast.expr | None:
    """The operand's expression, in an addition-like statement, or in a call that is given a list or two tensors."""
    sign = _SIGNS.get(operation.rstrip("_").lower().removesuffix("v2"))
    if sign is not None:
        signs = (ast.BinOp, ast.AugAssign)
        counts = _of_indices(tree)
        signed = [node for node in _in_order(tree) if isinstance(node, signs) and isinstance(node.op, sign)]
        signed = [node for node in signed if id(node) not in counts]
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
    if named and operation in _JOINING:
        given = [] if which is None and len(named) > 1 else _given(named[(which or 0) % len(named)])
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
