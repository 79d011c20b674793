"""A size as the formula that the program has for it, with one number in it changed: `width * (bands // 8)`.

A layer behind a flatten is as wide as a product of sizes, and what is wrong is mostly one factor. Which one, the axes
say that were laid together: the factors that are among them stay, and the one that is not becomes the one that is
missing. What the new formula gives is worked out from the program; where it cannot be, a number is written.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Iterator, Sequence

from shapewatch.adapters.around import class_around, functions_around
from shapewatch.adapters.worked_out import REPEATING, calls_of, comes_to, parameters_of
from shapewatch.recording import Recording, Shape, Span
from shapewatch.source import tree_of

Changes = list[tuple[ast.expr, str]]

_LAYING_TOGETHER = frozenset({"flatten", "reshape"})

_FAR = 8


def as_formula(node: ast.expr, was: int, together: Sequence[int], span: Span) -> Changes | None:
    """What to change in an expression that came to `was`, for it to come to the product of the axes laid together."""
    factors = [each for each in factors_of(node) if not _is_one(each)]
    values = [comes_to(each, span.file, span.line) for each in factors]
    if values.count(None) == 1:  # it is what the others leave
        known = math.prod(value for value in values if value is not None)
        values = [was // known if value is None and known and not was % known else value for value in values]
    sizes = [size for size in together if size != 1]
    found = [value for value in values if value is not None]
    if len(factors) < 2 or len(found) != len(values) or math.prod(found) != was or len(sizes) != len(factors):
        return None
    changes: dict[ast.expr, str] = {}
    for at, size in _odd(found, sizes):
        change = _with(factors[at], found[at], size, span)
        if change is None or changes.setdefault(*change) != change[1]:
            return None
    return list(changes.items())


def laid_together(path: str, size: int, recording: Recording) -> Shape:
    """The axes that were made one, of so many, for a layer that is given it last; empty where nothing tells."""
    calls = [call for call in recording.calls if call.layer == path and call.is_layer and call.operands]
    value = calls[-1].operands[0] if calls else None
    for _ in range(_FAR):
        made = recording.producer.get(value) if value is not None else None
        if made is None or not made.operands:
            return ()
        before = recording.shape(made.operands[0])
        if made.kind in _LAYING_TOGETHER and recording.shape(made.results[0])[-1:] == (size,):
            return last_axes(before, size)
        if before != recording.shape(made.results[0]):
            return ()
        value = made.operands[0]
    return ()


def laid_out(path: str, size: int, recording: Recording) -> Shape:
    """The axes that a reshape makes of the last one, of so many, that a layer gives; empty where nothing tells."""
    calls = [call for call in recording.calls if call.layer == path and call.is_layer and call.results]
    value = calls[-1].results[0] if calls else None
    for call in recording.calls[calls[-1].number + 1 :] if calls else ():
        if value not in call.operands[:1]:
            continue
        layer = recording.layer_at.get(call.layer) if call.is_layer else None
        target = {**(layer.facts if layer is not None else {}), **call.facts}.get("shape")
        if call.kind in ("reshape", "unflatten"):
            return last_axes(target, size) if isinstance(target, tuple) else ()
        if call.results and recording.shape(call.results[0]) == recording.shape(call.operands[0]):
            value = call.results[0]
    return ()


def last_axes(shape: Shape, size: int) -> Shape:
    """The last axes of a shape that have so many places together, where these are more than one."""
    for count in range(2, len(shape) + 1):
        last = [each for each in shape[-count:] if each is not None]
        if len(last) < count:
            return ()
        if math.prod(last) == size:
            return tuple(last)
    return ()


def named_size(size: object, span: Span) -> str | None:
    """The one parameter of the function around a line that is so much each time that the program calls it."""
    around = functions_around(span.file, span.line)
    if not around or not isinstance(size, int) or isinstance(size, bool):
        return None
    found = [name for name in parameters_of(around[0]) if comes_to(ast.Name(name), span.file, span.line) == size]
    return found[0] if len(found) == 1 else None


def runs_once(span: Span, depth: int = 0) -> bool:
    """Whether the text has a line run once: in no loop, and in no function that is called in several places."""
    if depth > 4:
        return False
    loops = (node for node in ast.walk(tree_of(span.file)) if isinstance(node, REPEATING))
    if any(node.lineno <= span.line <= (node.end_lineno or 0) for node in loops):
        return False
    around = functions_around(span.file, span.line)
    if not around:
        return True
    owner = class_around(span.file, around[0].lineno)
    name = owner.name if owner is not None else around[0].name
    calls = calls_of(name, span.file)
    return not calls or (len(calls) == 1 and runs_once(Span(span.file, calls[0].lineno), depth + 1))


def factors_of(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression is a product of; a square is one factor twice."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            yield from factors_of(left)
            yield from factors_of(right)
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=int(times))) if times in (2, 3):
            for _ in range(times):
                yield from factors_of(base)
        case _:
            yield node


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _odd(values: Sequence[int], sizes: Sequence[int]) -> list[tuple[int, int]]:
    """The factors that no axis has, by their place, and the axis that is meant; none where that is not told."""
    left, odd = list(sizes), list[int]()
    for at, value in enumerate(values):
        if value in left:
            left.remove(value)
        else:
            odd.append(at)
    in_order = all(values[at] == sizes[at] for at in range(len(values)) if at not in odd)
    if in_order:
        return [(at, sizes[at]) for at in odd]
    alike = len({values[at] for at in odd}) == len(set(left)) == 1
    return list(zip(odd, left, strict=True)) if alike else []


def _with(node: ast.expr, was: int, wanted: int, span: Span) -> tuple[ast.expr, str] | None:
    """What to change in a factor: itself where it is a number, else the one number in it that divides or multiplies."""
    if isinstance(node, ast.Constant):
        return node, str(wanted)
    literals = [each for each in ast.walk(node) if isinstance(each, ast.Constant)]
    around = [each for each in ast.walk(node) if isinstance(each, ast.BinOp) and literals[0] in (each.left, each.right)]
    if len(literals) != 1 or not around or not isinstance(literals[0].value, int):
        return None
    literal, step = literals[0], around[0]
    divides = isinstance(step.op, ast.FloorDiv) and step.right is literal
    if not divides and not isinstance(step.op, ast.Mult):
        return None
    number, rest = divmod(literals[0].value * (was if divides else wanted), wanted if divides else was)
    said = comes_to(node, span.file, span.line)
    if said is None and divides and step is node and was % wanted == 0:  # half of `size // 8` is `size // 16`
        return literal, str(number)
    if rest or number < 1 or said != was:
        return None
    new = _replaced(node, literal, number)
    return (literal, str(number)) if comes_to(new, span.file, span.line) == wanted else None


def _replaced(node: ast.expr, literal: ast.Constant, number: int) -> ast.expr:
    return copy.deepcopy(node, {id(literal): ast.copy_location(ast.Constant(number), literal)})
