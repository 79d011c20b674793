"""Widths that a loop hands from layer to layer: `in_channels = width`, at the end of each turn."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapewatch.adapters.statements import name_called, statement
from shapewatch.recording import Span
from shapewatch.source import tree_of


@dataclass(frozen=True)
class Counter:
    """A variable that a line of a loop makes layers for, `given` what they give, and that the loop leaves as it is."""

    line: Span
    variable: str
    given: str
    node: ast.expr

    @property
    def counts_itself(self) -> bool:
        """Whether what is given is computed from the variable: `width // 2`."""
        return any(ast.unparse(each) == self.variable for each in ast.walk(self.node) if isinstance(each, ast.expr))

    def code(self) -> str:
        return f"{statement(self.line)}\n{self.variable} = {self.given}"

    def value(self, of: int) -> int | None:
        """What is given where the variable is so much; None where that depends on anything else."""
        return _computed(self.node, self.variable, of)


def left_as_they_are(span: Span) -> Sequence[Counter]:
    """Of the function around a line, the variables that its loops make layers for and do not change behind that."""
    try:
        functions = [node for node in ast.walk(tree_of(span.file)) if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError):
        return ()
    around = [node for node in functions if node.lineno <= span.line <= (node.end_lineno or 0)]
    loops = [node for node in ast.walk(around[-1]) if isinstance(node, ast.For)] if around else []
    found = [counter for loop in loops for counter in _in_loop(loop, span.file)]
    return list({(each.line.line, each.variable): each for each in found}.values())


def _in_loop(loop: ast.For, file: str) -> Iterator[Counter]:
    turning = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    for line in (node for node in ast.walk(loop) if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign)):
        for call in (node for node in ast.walk(line) if isinstance(node, ast.Call)):
            if not name_called(call).lstrip("_")[:1].isupper() or len(call.args) < 2:
                continue
            taken, given = call.args[:2]
            variable = ast.unparse(taken)
            if not isinstance(taken, ast.Name | ast.Attribute) or variable in turning or variable == ast.unparse(given):
                continue
            span = Span(file, line.lineno, linecache.getline(file, line.lineno).strip() or None)
            counter = Counter(span, variable, ast.unparse(given), given)
            varies = any(isinstance(node, ast.Name) and node.id in turning for node in ast.walk(given))
            after = line.lineno if counter.counts_itself else 0
            if (varies or counter.counts_itself) and not _is_set(variable, loop, after):
                yield counter


def _is_set(variable: str, loop: ast.For, after: int) -> bool:
    """Whether a loop gives a variable another value, behind a line of it."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr) and node.lineno > after:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = [part for target in targets for part in ast.walk(target) if isinstance(part, ast.expr)]
            if any(ast.unparse(part) == variable for part in parts):
                return True
    return False


def _computed(node: ast.expr, variable: str, of: int) -> int | None:
    if ast.unparse(node) == variable:
        return of
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.BinOp):
        one, other = _computed(node.left, variable, of), _computed(node.right, variable, of)
        if one is None or other is None:
            return None
        match node.op:
            case ast.Mult():
                return one * other
            case ast.FloorDiv() if other:
                return one // other
            case ast.Add():
                return one + other
            case ast.Sub():
                return one - other
    return None
