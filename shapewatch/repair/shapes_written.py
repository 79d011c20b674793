"""Lines of a program that make a weight, with another shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from shapewatch.adapters import statements
from shapewatch.adapters.sizes_said import size_of_weight
from shapewatch.recording import Shape


def rewritten(source: str, was: Shape, wanted: Shape) -> str | None:
    """A line of source with the shape that is written in it, as a list or a tuple of numbers, replaced."""
    sizes = r"\s*,\s*".join(str(size) for size in was)
    spelled = re.compile(rf"[(\[]\s*{sizes}\s*(?:,\s*(?=[A-Za-z_])|,?\s*[)\]])")
    if len(spelled.findall(source)) != 1 or not was:
        return None
    return spelled.sub(lambda found: re.sub(r"\d+", _each(wanted), found.group()), source)


def turned(source: str, name: str, was: Shape, wanted: Shape) -> str | None:
    """A line of source with the two expressions of a shape in the other order, where that is what is wanted."""
    tree = statements.parsed(source)
    if tree is None or len(was) != 2 or was[0] == was[1] or wanted != was[::-1]:
        return None
    attribute = name.rpartition(".")[2]
    made = [s.value for s in tree.body if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]).endswith(attribute)]
    pairs = [n for each in made for n in ast.walk(each) if isinstance(n, ast.Tuple | ast.List) and len(n.elts) == 2]
    if len(pairs) != 1:
        return None
    one, other = pairs[0].elts
    return statements.rewritten(source, [(one, ast.unparse(other)), (other, ast.unparse(one))])


def of_another_axis(source: str, taken: int, meant: int) -> str | None:
    """A line of source in which one size is read off another axis: `input_shape[-1]` for `input_shape[1]`."""
    tree = statements.parsed(source)
    found = [
        node.slice
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == taken
    ]
    return statements.rewritten(source, [(found[0], str(meant))]) if len(found) == 1 else None


def of_factors(source: str, was: int, factors: Shape) -> str | None:
    """A line of source with a product of numbers, or the number that it is, as another product: `7*7*32`."""
    begun = source.strip().rstrip(",")
    pair = re.match(r"(['\"]\w+['\"]:\s*)(?=\S)", begun)  # an entry of a dictionary is no statement alone
    head = pair.group() if pair is not None else ""
    tree = statements.parsed(begun.removeprefix(head))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)] if tree is not None else []
    found = [node for node in nodes if product_of(node) == was]
    if not found:
        return None
    written = ast.get_source_segment(begun.removeprefix(head), found[0]) or ""
    sign = "*" if "*" in written and " * " not in written else " * "
    anew = head + statements.rewritten(begun.removeprefix(head), [(found[0], sign.join(map(str, factors)))])
    return f"{anew}," if source.strip().endswith(",") else anew


def of_sizes(source: str, was: Shape, wanted: Shape) -> str | None:
    """A line of source that makes a tensor of nothing, with the one size that is another as a number."""
    changed = [axis for axis, pair in enumerate(zip(was, wanted, strict=True)) if pair[0] != pair[1]]
    size = size_of_weight(source, len(was), changed[0]) if len(changed) == 1 else None
    return None if size is None else statements.rewritten(source.strip(), [(size, str(wanted[changed[0]]))])


def product_of(node: ast.expr) -> int | None:
    """What a number, or a product of numbers, is."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        one, other = product_of(node.left), product_of(node.right)
        return None if one is None or other is None else one * other
    return None


def _each(sizes: Shape) -> Callable[[re.Match[str]], str]:
    left = iter(sizes)
    return lambda _: str(next(left))
