"""Variables of a function that are given a value and read nowhere, and what a line reads instead of them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Literal

from shapewatch.adapters.statements import is_own, name_called, parsed, rewritten
from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of

_OF_THE_SHAPE = frozenset({"shape", "size", "dim", "ndim", "dtype", "device", "get_shape"})
"""Attributes of a tensor that tell of it, and do not use it."""

Block = tuple[tuple[int, str], ...]
"""The statements with a body that a statement is in, outermost first, by identity, and which of their bodies."""


@dataclass(frozen=True)
class Bound:
    """A variable as a statement finds it: on which lines it was given its value, as which of several that the statement
    there gives, and how many statements lie between. No lines: an argument of the function. `read`: whether anything
    but that statement reads this value."""

    name: str
    lines: range
    position: int | None
    statements_ago: int
    read: bool


@dataclass(frozen=True)
class Line:
    """A statement: how often it reads each variable, those among them that set how a layer is made, the arguments of
    its function, and what each of that one's variables holds there. Variables that may hold one of several values, as
    after an `if`, are left out."""

    lines: range
    reads: Mapping[str, int]
    settings: Set[str]
    arguments: Sequence[str]
    variables: Sequence[Bound]

    def given(self, name: str) -> Bound | None:
        """The variable of that name, where a statement before gives it its value."""
        return next((each for each in self.variables if each.name == name and each.lines), None)


@dataclass(frozen=True)
class _Event:
    """A variable is read or given a value, in the statement of that number. `sets`: it is read for a setting of a class
    that is made there, `filters` in `Conv2D(filters, 3)(x)`. `turns`: it is given its values by the turns of a loop."""

    does: Literal["read", "bind"]
    name: str
    number: int
    lines: range
    block: Block
    position: int | None = None
    sets: bool = False
    turns: bool = False


def line_at(span: Span) -> Line | None:
    """The statement at a line; None where the file cannot be read."""
    try:
        events, arguments = _events_around(span.file, span.line)
    except (SyntaxError, ValueError, OSError):
        return None
    own = [event for event in events if span.line in event.lines]
    if not own:
        return None
    number, block = own[-1].number, own[-1].block
    reads = Counter(event.name for event in own if event.does == "read" and event.number == number)
    names = dict.fromkeys((*arguments, *(event.name for event in events if event.does == "bind")))
    variables = [_bound(name, events, arguments, number, block) for name in names]
    settings = {event.name for event in own if event.sets}
    return Line(own[-1].lines, reads, settings, arguments, [bound for bound in variables if bound is not None])


def made_at(name: str, used: Span) -> Span | None:
    """The line that gives a variable, and nothing else, the value that another line finds in it."""
    line = line_at(used)
    bound = line.given(name) if line is not None else None
    return span_of(used.file, bound.lines.start) if bound is not None and bound.position is None else None


def held_at_both(one: Span, other: Span) -> set[str]:
    """The variables that hold at one line what they hold at the other."""
    lines = [line_at(span) for span in (one, other)]
    first, second = ({each.name: each.lines for each in line.variables} if line is not None else {} for line in lines)
    return {name for name, made in first.items() if second.get(name) == made}


def _bound(name: str, events: Sequence[_Event], arguments: Sequence[str], number: int, block: Block) -> Bound | None:
    of_name = [event for event in events if event.name == name]
    before = [event for event in of_name if event.does == "bind" and event.number < number]
    made = before[-1] if before else None
    if made is None and name not in arguments:
        return None
    turns = [event for event in of_name if event.does == "bind" and event.number > number]
    if made is not None and made.block != block[: len(made.block)] and not _always_made(before, block):
        return None
    if any(event.block[: len(loop)] == loop for loop in _loops(block) for event in turns):
        return None
    since = made.number if made is not None else -1
    read = any(event.does == "read" and since < event.number < number for event in of_name)
    read = read or _read_behind(of_name, number, block, since)
    # a loop has to have a variable, and many need none
    read = read or (made is not None and made.turns)
    if made is None:
        return Bound(name, range(0), None, number, read)
    return Bound(name, made.lines, made.position, number - since - 1, read)


def _always_made(before: Sequence[_Event], block: Block) -> bool:
    """Whether a variable that a loop gives its values last had one before: it has one even if the loop never turns."""
    last, shared = before[-1], _shared(before[-1].block, block)
    looped = all(body == "loop" for _, body in last.block[shared:])
    return looped and any(event.block == block[: len(event.block)] for event in before[:-1])


def _shared(one: Block, other: Block) -> int:
    """How many blocks both are in."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _read_behind(of_name: Sequence[_Event], number: int, block: Block, since: int) -> bool:
    """Whether the value that a variable holds at a statement is read behind it, or in another turn of a loop."""
    if any(event.does == "bind" and event.number == number for event in of_name):
        return False
    for event in of_name:
        if event.number <= number:
            continue
        if event.does == "read":
            return True
        if event.block == block[: len(event.block)]:
            return False
    return any(
        event.does == "read" and event.number < since and event.block[: len(loop)] == loop
        for loop in _loops(block)
        for event in of_name
    )


def _loops(block: Block) -> list[Block]:
    return [block[: at + 1] for at, (_, body) in enumerate(block) if body == "loop"]


@cache
def _events_around(file: str, line: int) -> tuple[Sequence[_Event], Sequence[str]]:
    """What the function around a line does with its variables, in order, and the names of its arguments."""
    scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef = tree_of(file)
    for node in ast.walk(scope):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            scope = node  # a walk goes from the outer ones to the inner ones
    given = [] if isinstance(scope, ast.Module) else [*scope.args.posonlyargs, *scope.args.args]
    given = [argument for argument in given if argument.arg not in ("self", "training")]
    events: list[_Event] = []
    _collect(scope.body, (), events)
    return events, [argument.arg for argument in given]


def _collect(body: Sequence[ast.stmt], block: Block, events: list[_Event]) -> None:
    for statement in body:
        number = events[-1].number + 1 if events else 0
        inner = [(name, held) for name in _BODIES if (held := getattr(statement, name, None))]
        compound = bool(inner) and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        heads = _heads(statement) if compound else [statement]
        lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        if compound:
            lines = range(statement.lineno, statement.lineno + 1)
        for head in heads:
            sets = {name for node in ast.walk(head) if _is_constructor(node) for name in _read_in(node)}
            events += [_Event("read", name, number, lines, block, sets=name in sets) for name in _read_in(head)]
        for head in heads:
            turns = isinstance(statement, ast.For | ast.AsyncFor) and head is statement.target
            events += [_Event("bind", name, number, lines, block, at, turns=turns) for name, at in _bound_in(head)]
        if not compound:
            continue
        is_loop = isinstance(statement, ast.For | ast.AsyncFor | ast.While)
        for name, held in inner:
            parts = [part for each in held for part in (each.body if isinstance(each, ast.ExceptHandler) else [each])]
            within = "loop" if is_loop and name == "body" else name
            straight = isinstance(statement, ast.With | ast.AsyncWith)
            _collect(parts, block if straight else (*block, (id(statement), within)), events)


_BODIES = ("body", "orelse", "handlers", "finalbody")


def _heads(statement: ast.stmt) -> list[ast.AST]:
    """What a statement with a body computes itself: the condition, what is looped over."""
    return [node for node in ast.iter_child_nodes(statement) if not isinstance(node, ast.stmt | ast.ExceptHandler)]


def _read_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in _OF_THE_SHAPE and isinstance(node.value, ast.Name):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    for child in ast.iter_child_nodes(node):
        yield from _read_in(child)


def _is_constructor(node: ast.AST) -> bool:
    """`layers.Conv2D(filters, 3)`: classes are called in capitals, functions and layers are not."""
    return isinstance(node, ast.Call) and name_called(node)[:1].isupper()


def _bound_in(node: ast.AST) -> Iterator[tuple[str, int | None]]:
    """The names that a statement gives a value, each with its place among several."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, None
        return
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
        for at, element in enumerate(node.elts):
            for name, _ in _bound_in(element):
                yield name, at
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, None
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.comprehension | ast.Lambda):
            yield from _bound_in(child)


@dataclass(frozen=True)
class Handed:
    """A line of a class that hands a variable to one of its own methods, and the method that the line is in."""

    span: Span
    within: str
    variable: str


def handed_to(argument: str, span: Span) -> Iterator[Handed]:
    """The lines that call the method around a line, each with the variable that it gives for an argument of that one:
    `self.decode(x)`."""
    try:
        tree = tree_of(span.file)
    except (SyntaxError, ValueError, OSError):
        return
    for cls in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        methods = [node for node in cls.body if isinstance(node, ast.FunctionDef)]
        for called in (each for each in methods if each.lineno <= span.line <= (each.end_lineno or 0)):
            for held, method in _given_for(argument, called, methods):
                yield Handed(span_of(span.file, held.lineno), method.name, held.id)


def _given_for(
    argument: str, called: ast.FunctionDef, methods: Sequence[ast.FunctionDef]
) -> Iterator[tuple[ast.Name, ast.FunctionDef]]:
    """The variables that methods of a class give one of them for an argument."""
    names = [each.arg for each in called.args.args[1:]]
    for method in methods if argument in names else ():
        calls = [node for node in ast.walk(method) if isinstance(node, ast.Call) and is_own(node.func, called.name)]
        for given in (call.args for call in calls):
            held = given[names.index(argument)] if len(given) > names.index(argument) else None
            if isinstance(held, ast.Name):
                yield held, method


# A line with another variable


def reading(source: str | None, name: str, instead: str) -> str | None:
    """The line with a variable read in the place of another, which it reads once."""
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)] if tree is not None else []
    read = [node for node in nodes if node.id == instead and isinstance(node.ctx, ast.Load)]
    return rewritten(source, [(read[0], name)]) if source is not None and len(read) == 1 else None
