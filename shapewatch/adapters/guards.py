"""Conditions under which a line adds two branches."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, replace
from tokenize import COMMENT, TokenError, generate_tokens

from shapewatch.adapters.around import class_around, functions_around
from shapewatch.adapters.statements import is_assigned, is_own, parsed, rewritten, statement
from shapewatch.adapters.widths import widths_of
from shapewatch.adapters.worked_out import parameters_of
from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of


@dataclass(frozen=True)
class Guard:
    """The line that has a condition, whole, and the condition in it."""

    line: str
    test: str

    def narrowed(self, condition: str) -> str:
        """The line with one condition more."""
        return self._with(f"and {condition}", ast.Or)

    def widened(self, condition: str) -> str:
        """The line with another condition under which it holds as well."""
        return self._with(f"or {condition}", ast.And)

    def asks_for(self, expression: str) -> bool:
        """Whether an expression is a part of the condition already."""
        nodes = ast.walk(ast.parse(self.test))
        return any(isinstance(node, ast.expr) and ast.unparse(node) == expression for node in nodes)

    def _with(self, more: str, other: type[ast.boolop]) -> str:
        """The line with more of a condition; one of the `other` kind is put in brackets."""
        begin = "el" if self.line.startswith("elif ") else ""
        line = self.line.removeprefix(begin)
        line = _without_comment(line)
        source = f"{line} pass" if line.endswith(":") else line
        test = next(test for test in _tests(ast.parse(source)) if ast.unparse(test) == self.test)
        text = ast.get_source_segment(source, test) or self.test
        if isinstance(test, ast.IfExp) or (isinstance(test, ast.BoolOp) and isinstance(test.op, other)):
            text = f"({text})"
        return begin + rewritten(source, [(test, f"{text} {more}")]).removesuffix(" pass")


def _tests(tree: ast.AST) -> Iterator[ast.expr]:
    """The conditions in a line, and what it gives to a flag."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp):
            yield node.test
        elif isinstance(node, ast.Assign):
            yield node.value


def _without_comment(line: str) -> str:
    tokens = generate_tokens(iter([line]).__next__)
    try:
        return next((line[: token.start[1]] for token in tokens if token.type == COMMENT), line).rstrip()
    except (TokenError, IndentationError):
        return line.rstrip()


@dataclass(frozen=True)
class Projection:
    """What a program puts on a shortcut under a condition: the line of the condition, the variable that holds what
    it is put on (none for an attribute), and what it gives for the stride and for the channels, as far as it says
    these. `without`: the condition says where there is none."""

    guard: Guard
    line: Span
    variable: str | None
    stride: str | None
    given: str | None
    width: str | None
    without: bool = False

    def let(self, one: str, other: str) -> str:
        """The line with the projection also where two sizes differ."""
        return self.guard.narrowed(f"{one} == {other}") if self.without else self.guard.widened(f"{one} != {other}")


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


def projection_kept_as(attribute: str, made: Span) -> Projection | None:
    """The projection that a class makes under a condition for an attribute which otherwise is something else; `made` is
    a line of the class."""
    cls = class_around(made.file, made.line)
    for node in ast.walk(cls) if cls is not None else ():
        for target, value in _assigned_under(node):
            if ast.unparse(target) == f"self.{attribute}":
                return _projection(node, value, None, made.file)
    found = list(_made_or_not(f"self.{attribute}", cls, made.file)) if cls is not None else []
    return found[0] if len(found) == 1 else None


def projection_called(span: Span, variable: str | None) -> Projection | None:
    """The projection that a class makes under a condition, `None if self.same else Conv2d(...)`, for the attribute that
    a method puts on a variable which a line behind it adds."""
    functions, cls = functions_around(span.file, span.line), class_around(span.file, span.line)
    if cls is None or not functions:
        return None
    stored = [
        node for node in ast.walk(functions[0]) if isinstance(node, ast.Assign) and is_assigned(node, variable or "")
    ]
    called = {
        call.func.attr
        for each in stored
        for call in ast.walk(each.value)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and is_own(call.func, call.func.attr)
    }
    found = [each for name in sorted(called) for each in _made_or_not(f"self.{name}", cls, span.file)]
    return found[0] if len(found) == 1 else None


def _made_or_not(attribute: str, cls: ast.ClassDef, file: str) -> Iterator[Projection]:
    for line in (node for node in ast.walk(cls) if isinstance(node, ast.Assign) and is_assigned(node, attribute)):
        if not isinstance(line.value, ast.IfExp) or line.end_lineno != line.lineno:
            continue
        sides = (line.value.body, line.value.orelse)
        made = [side for side in sides if isinstance(side, ast.Call) and widths_of(side, file) is not None]
        if len(made) == 1:
            test, without = line.value.test, made[0] is line.value.orelse
            yield _with_flag_read(_said_of(line, test, made[0], file), test, without, cls, file)


def _with_flag_read(projection: Projection, test: ast.expr, without: bool, cls: ast.ClassDef, file: str) -> Projection:
    """The projection with the line that says whether there is one: of a flag the one that gives it its value."""
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    flag = test.operand if isinstance(test, ast.UnaryOp) and negated else test
    lines = [node for node in ast.walk(cls) if isinstance(node, ast.Assign) and is_assigned(node, ast.unparse(flag))]
    if (
        len(lines) == 1
        and lines[0].lineno == lines[0].end_lineno
        and isinstance(lines[0].value, ast.Compare | ast.BoolOp)
    ):
        guard = Guard(linecache.getline(file, lines[0].lineno).strip(), ast.unparse(lines[0].value))
        line = span_of(file, lines[0].lineno)
        return replace(projection, guard=guard, line=line, without=without != negated)
    return replace(projection, without=without)


def projection_before(span: Span, variable: str | None) -> Projection | None:
    """The projection that a function puts, under a condition, on a variable which a line behind it adds. One that the
    condition asks for, as `if self.downsample is not None`, is none: it is made elsewhere or nowhere."""
    functions = functions_around(span.file, span.line)
    found = [
        _projection(node, value, variable, span.file)
        for node in (ast.walk(functions[0]) if functions else ())
        for target, value in _assigned_under(node)
        if isinstance(target, ast.Name) and target.id == variable
        if isinstance(node, ast.If) and not _is_around(node, span) and not _asks_for(node, value)
    ]
    return found[0] if len(found) == 1 else None


def _is_around(node: ast.If, span: Span) -> bool:
    return node.lineno <= span.line <= (node.end_lineno or node.lineno)


def _asks_for(node: ast.If, value: ast.Call) -> bool:
    asked = {ast.unparse(each) for each in ast.walk(node.test) if isinstance(each, ast.Name | ast.Attribute)}
    return ast.unparse(value.func) in asked


def _assigned_under(node: ast.AST) -> Iterator[tuple[ast.expr, ast.Call]]:
    """What an `if` of one line gives values that are calls, where it holds."""
    if not isinstance(node, ast.If) or node.test.end_lineno != node.lineno:
        return
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call):
            yield each.targets[0], each.value


def _projection(node: ast.AST, value: ast.Call, variable: str | None, file: str) -> Projection:
    assert isinstance(node, ast.If)
    held = _held_before(node, variable, file) if variable is not None else None
    return replace(_said_of(node, node.test, value, file), variable=held)


def _said_of(node: ast.stmt, test: ast.expr, value: ast.Call, file: str) -> Projection:
    source = linecache.getline(file, node.lineno).strip()
    calls = [call for call in ast.walk(value) if isinstance(call, ast.Call)]
    widths = widths_of(value, file)
    given = widths.given if widths is not None else None
    return Projection(
        guard=Guard(source, ast.unparse(test)),
        line=Span(file, node.lineno, source),
        variable=None,
        stride=next((said for call in calls for said in _strides(call)), None),
        given=ast.unparse(given) if given is not None else None,
        width=ast.unparse(widths.made) if widths is not None else None,
    )


def _held_before(node: ast.If, variable: str, file: str) -> str | None:
    """What a condition can ask for the shape of a shortcut: the variable, where it holds that already, or the one that
    it becomes where the condition does not hold."""
    function = functions_around(file, node.lineno)[0]
    stored = [
        each.lineno
        for each in ast.walk(function)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and each.id == variable
    ]
    if variable in parameters_of(function) or min(stored, default=node.lineno) < node.lineno:
        return variable
    (step,) = node.orelse if len(node.orelse) == 1 else (None,)
    instead = isinstance(step, ast.Assign) and is_assigned(step, variable) and isinstance(step.value, ast.Name)
    return step.value.id if instead and isinstance(step, ast.Assign) and isinstance(step.value, ast.Name) else None


def _strides(call: ast.Call) -> Iterator[str]:
    """What a call gives for a stride: by that name, or what the program calls so."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in ("s", "stride", "strides")]
    called = [arg for arg in call.args if isinstance(arg, ast.Name | ast.Attribute) and "stride" in ast.unparse(arg)]
    yield from (ast.unparse(node) for node in (*named, *called) if not isinstance(node, ast.Constant))


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
