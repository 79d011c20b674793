"""Entries of a list that a loop takes one after the other, as `skips[i]` or by `zip(ups, skips)`, and the same line
with the list read in another order."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.adapters.around import loops_around
from shapewatch.adapters.statements import parsed, rewritten
from shapewatch.recording import Span


@dataclass(frozen=True)
class Taking:
    """Where a loop takes an entry of a list: the list's name, the text of the line, of the part of it that is taken or
    looped over, and of what counts the turns from 0; none where the loop runs over the list itself."""

    name: str
    line: str
    taken: str
    counter: str | None

    def in_order(self, step: int, beyond: int) -> str | None:
        """The line with the list read from its last entry on (`step` -1) or from its first (1), the first `beyond` of
        these left out; None where it says so already."""
        if self.counter is not None:
            first = f"-{1 + beyond} - {self.counter}"
            if step > 0:
                first = f"{self.counter} + {beyond}" if beyond else self.counter
            text = f"{self.name}[{first}]"
        elif step > 0:
            text = f"{self.name}[{beyond}:]" if beyond else self.name
        else:
            text = f"{self.name}[{-1 - beyond}::-1]" if beyond else f"reversed({self.name})"
        return None if text == self.taken else self._with(text)

    def _with(self, text: str) -> str | None:
        header = self.line.rstrip().endswith(":")
        source = f"{self.line} pass" if header else self.line
        tree = parsed(source)
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)] if tree is not None else []
        same = [node for node in nodes if ast.unparse(node) == self.taken]
        return rewritten(source, [(same[0], text)]).removesuffix(" pass") if same else None


def taking(span: Span, expression: str | None) -> Taking | None:
    """How the loop around a line takes an operand of that line from a list; None where it does not."""
    loop = next(iter(loops_around(span.file, span.line)), None)
    if loop is None or expression is None:
        return None
    return next(_takings(loop, span, expression), None)


def header_with(span: Span, held: str, instead: str) -> str | None:
    """The header of the loop around a line, with another expression in the place of one that it loops over."""
    loop = next(iter(loops_around(span.file, span.line)), None)
    source = f"{_text_of(span, loop, loop.iter)}: pass" if loop is not None else None
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)] if tree is not None else []
    found = [node for node in nodes if ast.unparse(node) == held]
    if source is None or len(found) != 1:
        return None
    return rewritten(source, [(found[0], instead)]).removesuffix(" pass")


def given_to_call(source: str | None, count: int, operand: int) -> str | None:
    """An argument of the one call in a line that is given so many, whatever is called: `block(x, skip)`."""
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    calls = [node for node in nodes if len(node.args) == count > 1 and not node.keywords]
    return ast.unparse(calls[0].args[operand]) if len(calls) == 1 else None


def _text_of(span: Span, first: ast.AST, last: ast.AST) -> str:
    """The program's text from the beginning of one node to the end of another."""
    begin, end = getattr(first, "lineno", 1), getattr(last, "end_lineno", 1)
    raw = [line.encode() for line in linecache.getlines(span.file)[begin - 1 : end]]
    raw[-1] = raw[-1][: getattr(last, "end_col_offset", None)]
    raw[0] = raw[0][getattr(first, "col_offset", 0) :]
    return b"".join(raw).decode()


def _takings(loop: ast.For, span: Span, expression: str) -> Iterator[Taking]:
    counter = _counter(loop)
    if counter is not None:
        yield from _by_index(loop, span, expression, counter)
    header = f"{_text_of(span, loop, loop.iter)}:"
    for target, over in _looped(loop.target, loop.iter):
        name = _name_of(over)
        if isinstance(target, ast.Name) and target.id == expression and name is not None:
            yield Taking(name, header, ast.unparse(over), None)


def _by_index(loop: ast.For, span: Span, expression: str, counter: tuple[str, str]) -> Iterator[Taking]:
    """`torch.cat([x, skips[i]], 1)`; or `skip = skips[i]` in a line before."""
    variable, turn = counter
    for statement in loop.body:
        if statement.lineno > span.line:
            return
        here = statement.lineno <= span.line <= (statement.end_lineno or statement.lineno)
        made = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == expression
        for node in ast.walk(statement):
            if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
                continue
            if isinstance(node.slice, ast.Tuple | ast.Slice):
                continue  # no list: `x[:, t]` is of a tensor
            counts = any(isinstance(each, ast.Name) and each.id == variable for each in ast.walk(node.slice))
            whole = made and isinstance(statement, ast.Assign) and statement.value is node
            if counts and (whole or (here and ast.unparse(node) == expression)):
                yield Taking(node.value.id, _text_of(span, statement, statement), ast.unparse(node), turn)


def _counter(loop: ast.For) -> tuple[str, str] | None:
    """The variable of a loop that counts its turns from 0, and the number of the turn, told by it: `i // 2` where it
    goes in steps of two."""
    over = loop.iter
    name = over.func.id if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) else ""
    if not isinstance(over, ast.Call) or over.keywords:
        return None
    if name == "range" and isinstance(loop.target, ast.Name):
        counter = loop.target.id
        if len(over.args) < 3:
            return (counter, counter) if len(over.args) == 1 or ast.unparse(over.args[0]) == "0" else None
        begin, _, step = map(ast.unparse, over.args)
        return (counter, f"{counter} // {step}") if begin == "0" and step.isdigit() else None
    if name == "enumerate" and isinstance(loop.target, ast.Tuple) and isinstance(loop.target.elts[0], ast.Name):
        counter = loop.target.elts[0].id
        return (counter, counter) if len(over.args) == 1 else None
    return None


def _looped(target: ast.expr, over: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a loop gives to which variable: `zip` and `enumerate` give several."""
    called = over.func.id if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) else ""
    if called == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        assert isinstance(over, ast.Call)
        yield from _looped(target.elts[1], over.args[0])
    elif called == "zip" and isinstance(target, ast.Tuple):
        assert isinstance(over, ast.Call)
        for each, part in zip(target.elts, over.args, strict=False):
            yield from _looped(each, part)
    else:
        yield target, over


def _name_of(over: ast.expr) -> str | None:
    """The list that is looped over: itself, backwards, or a part of it."""
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("reversed", "list"):
        return _name_of(over.args[0]) if len(over.args) == 1 else None
    if isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice):
        return _name_of(over.value)
    return over.id if isinstance(over, ast.Name) else None
