"""Conditions under which a line adds two branches."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass

from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.recording import Span
from shapewatch.source import tree_of


@dataclass(frozen=True)
class Guard:
    """The line that has a condition, whole, and the condition in it."""

    line: str
    test: str

    def narrowed(self, condition: str) -> str:
        """The line with one condition more."""
        begin = "el" if self.line.startswith("elif ") else ""
        line = self.line.removeprefix(begin)
        source = f"{line} pass" if line.rstrip().endswith(":") else line
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If | ast.IfExp)]
        test = next(node.test for node in nodes if ast.unparse(node.test) == self.test)
        text = ast.get_source_segment(source, test) or self.test
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
            text = f"({text})"
        return begin + rewritten(source, [(test, f"{text} and {condition}")]).removesuffix(" pass")


def guard_at(span: Span) -> Guard | None:
    """The condition under which a line adds; None where it adds whatever comes."""
    source = statement(span)
    tree = parsed(source)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.IfExp) and _adds(node.body) and not _adds(node.orelse):
            return Guard(source or "", ast.unparse(node.test))
    try:
        nodes = [node for node in ast.walk(tree_of(span.file)) if isinstance(node, ast.If)]
    except (SyntaxError, ValueError):
        return None
    around = [node for node in nodes if node.body[0].lineno <= span.line <= (node.body[-1].end_lineno or 0)]
    if not around or around[-1].test.end_lineno != around[-1].lineno:
        return None
    return Guard(linecache.getline(span.file, around[-1].lineno).strip(), ast.unparse(around[-1].test))


def is_compared(guard: Guard, span: Span) -> bool:
    """Whether the condition is an attribute to which the class gives what a comparison says: `stride == 1`."""
    try:
        nodes = [node for node in ast.walk(tree_of(span.file)) if isinstance(node, ast.ClassDef)]
    except (SyntaxError, ValueError):
        return False
    around = [node for node in nodes if node.lineno <= span.line <= (node.end_lineno or 0)]
    for node in ast.walk(around[-1]) if around else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == guard.test:
            return isinstance(node.value, ast.Compare | ast.BoolOp)
    return False


def _adds(node: ast.expr) -> bool:
    return any(isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add) for each in ast.walk(node))
