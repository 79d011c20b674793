"""An interpolation by a factor, written with the size of what its map meets: `size=skip.shape[-2:]`.

A size that is halved with rounding is not what a factor makes of it again, and the map that it is to meet is there: its
size is right for any image, and in each turn of a loop. A number is right for one of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from shapewatch.adapters.operand import operand_text, which_of_line
from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.recording import Call, Recording, Span

_MEETS = frozenset({"add", "sub", "mul", "div", "maximum", "minimum", "where", "concat", "stack"})

_KEEPS = frozenset({"conv", "norm", "activation", "dropout", "same", "identity", "prelu"})
"""Kinds of layers that a map goes through on its way, and keeps its size."""

_STEPS = 6
"""How many layers at most lie between an interpolation and what its map meets."""


def met_by(call: Call, size: Sequence[int], recording: Recording) -> str | None:
    """What the line of an interpolation can call another map of that size, which its own one meets; None where that has
    no name, or has it not yet."""
    node = _interpolation(parsed(statement(call.span)), call)
    if node is None or not any(keyword.arg == "scale_factor" for keyword in node.keywords):
        return None
    for met, operand in _meetings(call, recording):
        for other, value in enumerate(met.operands):
            same = other != operand and recording.shape(value)[-len(size) :] == tuple(size)
            name = _called(met, other, operand, call, recording) if same else None
            if name is not None:
                return name
    return None


def resized_as(call: Call, other: str, recording: Recording) -> str | None:
    """The line of an interpolation with the size of another map in the place of the factor."""
    source = statement(call.span)
    node = _interpolation(parsed(source), call)
    factor = [keyword for keyword in node.keywords if keyword.arg == "scale_factor"] if node is not None else []
    if source is None or not factor:
        return None
    return rewritten(source, [(factor[0], f"size={size_of(other, call, recording)}")])


def size_of(other: str, call: Call, recording: Recording) -> str:
    """`skip.shape[-2:]`: of a map, what an interpolation of such maps takes."""
    return f"{other}.shape[-{len(recording.shape(call.operands[0])) - 2}:]"


def _interpolation(tree: ast.Module | None, call: Call) -> ast.Call | None:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    found = [node for node in calls if ast.unparse(node.func).rpartition(".")[2] == call.name]
    return found[0] if len(found) == 1 else None


def _meetings(call: Call, recording: Recording) -> Iterator[tuple[Call, int]]:
    """Where the map meets others, and as which operand: first of all where it is itself taken, and then where what
    layers make of it is."""
    value = call.results[0] if call.results else None
    for _ in range(_STEPS):
        users = [each for each in recording.calls if value is not None and value in each.operands]
        users = [each for each in users if each.parent == call.parent]
        for user in users:
            if user.kind in _MEETS and len(user.operands) > 1:
                yield user, user.operands.index(value)
        onward = [user for user in users if user.kind in _KEEPS and user.results]
        value = onward[0].results[0] if len(onward) == 1 and len(users) == 1 else None


def _called(met: Call, other: int, operand: int, call: Call, recording: Recording) -> str | None:
    """What the program calls the other map where the interpolation stands."""
    source, which = statement(met.span), which_of_line(met, recording)
    name = operand_text(source, other, met.name, which=which)
    own = operand_text(source, operand, met.name, which=which)
    if name is None or own is None or name == own or not _is_there(name, met.span, call.span):
        return None
    inside = _interpolation(parsed(own), call) is not None
    return name if inside == (met.span == call.span) else None


def _is_there(name: str, met: Span | None, made: Span | None) -> bool:
    """Whether an expression of a line, a variable or an entry of one, holds in a line before it what it holds there."""
    tree = parsed(name)
    parts = list(ast.walk(tree.body[0])) if tree is not None and tree.body else []
    if met is None or made is None or not all(isinstance(part, _PLAIN) for part in parts):
        return False
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    there, here = (_bound_at(span) for span in (met, made))
    known = bool(names) and all(each in here and here[each] == there.get(each) for each in names)
    return met == made or known


_PLAIN = (ast.Expr, ast.Name, ast.Subscript, ast.Constant, ast.UnaryOp, ast.USub, ast.Load)


def _bound_at(span: Span) -> Mapping[str, range]:
    line = line_at(span)
    return {bound.name: bound.lines for bound in line.variables} if line is not None else {}
