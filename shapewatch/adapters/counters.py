"""Widths that a loop hands from layer to layer: `in_channels = width`, at the end of each turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapewatch.adapters.around import class_around, functions_around
from shapewatch.adapters.statements import is_own, name_called, statement
from shapewatch.recording import Span
from shapewatch.source import span_of, tree_of


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


@dataclass(frozen=True)
class Miscounted(Counter):
    """A variable that a line sets to something else than is `given` to what is made of it."""

    said: ast.expr

    def code(self) -> str:
        return f"{self.variable} = {self.given}"

    def is_meant(self, taken: int, was: int, gives: int) -> bool:
        """Whether the line's number is `was` where what takes so many gives so many: both count on from the variable,
        or one is so many times the other."""
        if (said := _computed(self.said, self.variable, taken)) is not None:
            return said == was
        parts = [ast.unparse(each) for each in ast.walk(self.node) if isinstance(each, ast.expr)]
        return ast.unparse(self.said) in parts and gives % was == 0


def miscounted(span: Span) -> Sequence[Miscounted]:
    """The variables that loops, and methods that are called for each stage, set to something else than they tell what
    they make of them: `transition(width, int(width * rate))`, and then `width = width // 2`."""
    functions, cls = functions_around(span.file, span.line), class_around(span.file, span.line)
    bodies: list[ast.stmt] = [node for each in functions[:1] for node in ast.walk(each) if isinstance(node, ast.For)]
    bodies += [each for each in (cls.body if cls is not None else ()) if isinstance(each, ast.FunctionDef)]
    found = [each for body in bodies for each in _miscounted_in(body, span.file)]
    return list(dict.fromkeys(found))


def _miscounted_in(body: ast.stmt, file: str) -> Iterator[Miscounted]:
    """Of each variable the line that sets it behind what is made of it, if that is one line and says something else."""
    lines = [node for node in ast.walk(body) if isinstance(node, ast.Assign) and len(node.targets) == 1]
    for taken, given in (pair for node in ast.walk(body) if isinstance(node, ast.Call) for pair in _first_two(node)):
        variable, meant = ast.unparse(taken), ast.unparse(given)
        behind = [line for line in lines if line.lineno > given.lineno and ast.unparse(line.targets[0]) == variable]
        said = {ast.unparse(line.value) for line in behind}
        line = min(behind, key=lambda each: each.lineno, default=None)
        is_open = not isinstance(taken, ast.Constant) and not isinstance(given, ast.Constant) and meant != variable
        if line is not None and is_open and meant not in said and len(said) == 1:
            yield Miscounted(span_of(file, line.lineno), variable, meant, given, line.value)


def _first_two(call: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    if len(call.args) > 1 and not any(isinstance(each, ast.Starred) for each in call.args[:2]):
        yield call.args[0], call.args[1]


def left_as_they_are(span: Span) -> Sequence[Counter]:
    """The variables that loops make layers for and do not change behind that: those of the function around a line, and
    of the functions that stand in no class, which may give their layers to one; of the class around it, the attributes
    that a method makes layers for each time that it is called, and leaves as they are."""
    try:
        tree = tree_of(span.file)
    except (SyntaxError, ValueError):
        return ()
    functions, cls = functions_around(span.file, span.line), class_around(span.file, span.line)
    free = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    loops = [node for each in (*functions[:1], *free) for node in ast.walk(each) if isinstance(node, ast.For)]
    found = [counter for loop in loops for counter in _in_loop(loop, span.file)]
    found += _in_methods(cls, span.file) if cls is not None else ()
    return list({each.variable: each for each in reversed(found)}.values())


def _in_methods(cls: ast.ClassDef, file: str) -> Iterator[Counter]:
    """`self.in_planes`, from which a method makes a block each time, of as many channels as it is called with."""
    for method in (each for each in cls.body if isinstance(each, ast.FunctionDef) and each.name != "__init__"):
        given_to = {each.arg for each in method.args.args}
        for line in (node for node in ast.walk(method) if isinstance(node, ast.Expr | ast.Assign | ast.Return)):
            for taken, given in _made_of_two(line):
                own = isinstance(taken, ast.Attribute) and is_own(taken, taken.attr)
                if own and isinstance(given, ast.Name) and given.id in given_to and not _is_set_by_others(taken, cls):
                    span = span_of(file, line.lineno)
                    widened = next((node for node in ast.walk(method) if _is_expansion(node)), None)
                    said = given.id if widened is None else f"{given.id} * {ast.unparse(widened)}"
                    yield Counter(span, ast.unparse(taken), said, given)


def _is_expansion(node: ast.AST) -> bool:
    """`block.expansion`, by which a bottleneck gives more channels than it is called with."""
    return isinstance(node, ast.Attribute) and node.attr == "expansion"


def _is_set_by_others(attribute: ast.expr, cls: ast.ClassDef) -> bool:
    name = ast.unparse(attribute)
    others = [each for each in cls.body if isinstance(each, ast.FunctionDef) and each.name != "__init__"]
    return any(_is_set(name, method, 0) for method in others)


def _made_of_two(line: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The first two arguments of what a line constructs: classes are called in capitals, and blocks by an argument."""
    for call in (node for node in ast.walk(line) if isinstance(node, ast.Call)):
        name = name_called(call).lstrip("_")
        if (name[:1].isupper() or "block" in name) and len(call.args) > 1:
            yield call.args[0], call.args[1]


def _in_loop(loop: ast.For, file: str) -> Iterator[Counter]:
    turning = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    for line in (node for node in ast.walk(loop) if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign)):
        for taken, given in _made_of_two(line):
            variable = ast.unparse(taken)
            if not isinstance(taken, ast.Name | ast.Attribute) or variable in turning or variable == ast.unparse(given):
                continue
            span = span_of(file, line.lineno)
            counter = Counter(span, variable, ast.unparse(given), given)
            varies = any(isinstance(node, ast.Name) and node.id in turning for node in ast.walk(given))
            after = line.lineno if counter.counts_itself else 0
            if (varies or counter.counts_itself) and not _is_set(variable, loop, after):
                yield counter


def _is_set(variable: str, within: ast.For | ast.FunctionDef, after: int) -> bool:
    """Whether a loop or a function gives a variable another value, behind a line of it."""
    for node in ast.walk(within):
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
