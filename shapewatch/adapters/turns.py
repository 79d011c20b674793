"""A flag that a loop works out for each of its layers: `return_sequences=i < n - 2`.

A literal in its place would be the same for every layer of the loop, which is never meant. What is meant is mostly one
turn more or less. So the comparison is written with a number in it moved by one, where the program's text tells what
that gives in each turn, and it gives what fits.
"""

from __future__ import annotations

import ast
import copy
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shapewatch.adapters.around import loops_around
from shapewatch.adapters.statements import rewritten
from shapewatch.adapters.worked_out import comes_to
from shapewatch.recording import Span

_SIGNS: Mapping[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

_MOST_TURNS = 64


@dataclass(frozen=True)
class _Loop:
    """The name that counts the turns of a loop from 0, and how many there are."""

    counter: str
    turns: int


def moved_by_one(source: str, flag: ast.expr, had: Sequence[bool], wanted: Sequence[bool], span: Span) -> str | None:
    """A line with its comparison moved by one. `had`: what the flag was in the turns that were run; `wanted`: what it
    is to be in these; if that is more often true than it was, it is to be true in all turns but the last."""
    loop = _loop_around(span)
    now = _in_turns(flag, loop, span) if loop is not None and isinstance(flag, ast.Compare) else None
    if now is None or not isinstance(flag, ast.Compare) or now[: len(had)] != list(had):
        return None
    more = sum(wanted) > sum(had)
    found = [text for node, text in _moves(flag) if _fits(_in_turns(node, loop, span), now, wanted, more)]
    return rewritten(source, [(flag, found[0])]) if len(found) == 1 else None


def _fits(then: list[bool] | None, now: Sequence[bool], wanted: Sequence[bool], more: bool) -> bool:
    """Whether a comparison gives what is wanted: in every turn but the last, behind which other layers may come, true;
    or what is wanted in the turns that were run, and in those to come what it gives now."""
    if then is None:
        return False
    return all(then[:-1]) if more else then == [*wanted, *now[len(wanted) :]]


def _loop_around(span: Span) -> _Loop | None:
    loop = next(iter(loops_around(span.file, span.line)), None)
    made = loop.iter if loop is not None else None
    if loop is None or not isinstance(made, ast.Call) or made.keywords or len(made.args) != 1:
        return None
    match made.func, loop.target:
        case ast.Name(id="range"), ast.Name(id=counter):
            turns = comes_to(made.args[0], span.file, loop.lineno)
        case ast.Name(id="enumerate"), ast.Tuple(elts=[ast.Name(id=counter), _]):
            length = ast.Call(func=ast.Name(id="len", ctx=ast.Load()), args=[made.args[0]], keywords=[])
            turns = comes_to(length, span.file, loop.lineno)
        case _:
            return None
    return _Loop(counter, turns) if turns is not None and 0 < turns <= _MOST_TURNS else None


def _in_turns(flag: ast.Compare, loop: _Loop | None, span: Span) -> list[bool] | None:
    """What the comparison gives in each turn; None where the text does not tell."""
    sign = _SIGNS.get(type(flag.ops[0])) if len(flag.ops) == 1 else None
    if sign is None or loop is None:
        return None
    found = []
    for turn in range(loop.turns):
        sides = [_at(side, loop.counter, turn) for side in (flag.left, flag.comparators[0])]
        one, other = (comes_to(side, span.file, span.line) for side in sides)
        if one is None or other is None:
            return None
        found.append(sign(one, other))
    return found


def _at(node: ast.expr, counter: str, turn: int) -> ast.expr:
    class Counted(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return ast.Constant(turn) if name.id == counter else name

    changed: ast.expr = Counted().visit(copy.deepcopy(node))
    return changed


def _moves(flag: ast.Compare) -> Iterator[tuple[ast.Compare, str]]:
    """The comparison with one number in it greater or less by 1; with one more where there is none."""
    numbers = _numbers(flag)
    for at, (_, number) in enumerate(numbers):
        for by in (1, -1):
            changed = copy.deepcopy(flag)
            _numbers(changed)[at][0].value = number + by
            yield _without_zero(changed)
    for sign in () if numbers else ("-", "+"):
        moved = ast.parse(f"{ast.unparse(flag)} {sign} 1", mode="eval").body
        if isinstance(moved, ast.Compare):
            yield moved, ast.unparse(moved)


def _numbers(flag: ast.Compare) -> list[tuple[ast.Constant, int]]:
    nodes = [node for node in ast.walk(flag) if isinstance(node, ast.Constant)]
    return [(node, node.value) for node in nodes if isinstance(node.value, int) and not isinstance(node.value, bool)]


def _without_zero(flag: ast.Compare) -> tuple[ast.Compare, str]:
    """`i < n` for `i < n - 0`."""
    last = flag.comparators[0]
    if isinstance(last, ast.BinOp) and isinstance(last.right, ast.Constant) and last.right.value == 0:
        flag.comparators[0] = last.left if isinstance(last.op, ast.Add | ast.Sub) else last
    return flag, ast.unparse(flag)
