"""Lines that make a tensor of its sizes alone: `torch.zeros(rows, 3)`, and what hands such a tensor on as it is."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from shapewatch.adapters.statements import name_called, parsed, statement
from shapewatch.adapters.unread import line_at, made_at
from shapewatch.recording import Shape, Span

_OF_SIZES = frozenset({"randn", "rand", "zeros", "ones", "empty"})
"""Functions that take sizes one by one; of the others they are a list."""

_MAKES = _OF_SIZES | frozenset(
    "normal uniform full fill randint random random_sample standard_normal integers truncated_normal".split()
)

HANDS_ON = frozenset(
    "to cuda cpu float long double half int type astype Variable Tensor FloatTensor LongTensor from_numpy tensor "
    "as_tensor array asarray convert_to_tensor constant cast requires_grad_ detach clone numpy".split()
)
"""What gives the numbers that it is given in the same shape."""


@dataclass(frozen=True)
class Making:
    """The line that makes an input, its text, the function that does and the sizes that it is given."""

    line: Span
    source: str
    function: str
    sizes: Sequence[ast.expr]

    @property
    def library(self) -> str:
        """`torch` of `torch.zeros`."""
        return self.function.partition(".")[0]


def making_of(name: str, used: Span, shape: Shape) -> Making | None:
    """The line that makes a variable which another line, that `used` it, reads; None where it is made of more than
    sizes."""
    calling = line_at(used)
    line = made_at(name, used) if calling is not None and calling.reads.get(name) else None
    source = statement(line)
    tree = parsed(source)
    value = tree.body[0].value if tree is not None and tree.body and isinstance(tree.body[0], ast.Assign) else None
    call = _maker(value) if value is not None else None
    sizes = sizes_in(call, shape) if call is not None else None
    if line is None or source is None or call is None or sizes is None:
        return None
    return Making(line, source, ast.unparse(call.func), sizes)


def _maker(value: ast.expr) -> ast.Call | None:
    """The call that makes what is handed on as it is: that of `randn` in `torch.randn(4, 3).to(device)`."""
    while isinstance(value, ast.Call) and name_called(value) not in _MAKES:
        of = value.func.value if isinstance(value.func, ast.Attribute) else None
        inner = [each for each in (of, *value.args[:1]) if isinstance(each, ast.Call)]
        if name_called(value) not in HANDS_ON or len(inner) != 1:
            return None
        value = inner[0]
    return value if isinstance(value, ast.Call) else None


def sizes_in(call: ast.Call, shape: Shape) -> Sequence[ast.expr] | None:
    """The expressions of the sizes, one for each axis, where the numbers among them are those of the input."""
    if name_called(call) not in _MAKES:
        return None
    given = [*call.args, *(each.value for each in call.keywords if each.arg in ("size", "shape"))]
    lists = [each.elts for each in given if isinstance(each, ast.Tuple | ast.List)]
    one_by_one = name_called(call) in _OF_SIZES and not lists
    sizes = lists[0] if len(lists) == 1 else call.args if one_by_one else []
    if len(sizes) != len(shape) or any(isinstance(each, ast.Starred) for each in sizes):
        return None
    numbers = [(each.value, size) for each, size in zip(sizes, shape, strict=True) if isinstance(each, ast.Constant)]
    return sizes if all(size in (None, number) for number, size in numbers) else None
