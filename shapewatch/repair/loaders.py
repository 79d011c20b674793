"""Lines of a program that make a loader of batches, and which of several the loop that failed runs over."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapewatch.adapters.around import Function, functions_around
from shapewatch.adapters.statements import name_called, rewritten, statement, with_argument
from shapewatch.adapters.unread import line_at
from shapewatch.recording import Recording, Span
from shapewatch.source import span_of, tree_of

_HANDING_ON = frozenset({"enumerate", "tqdm", "trange", "track", "iter", "islice", "cycle", "progress_bar"})
"""What gives the batches of its first argument as they are."""


@dataclass(frozen=True)
class Made:
    """A line that makes a loader: its text, and the call in it."""

    line: Span
    source: str
    call: ast.Call

    def given(self, argument: str) -> ast.expr | None:
        return next((each.value for each in self.call.keywords if each.arg == argument), None)

    def with_more(self, argument: str, value: str) -> str:
        """The line with an argument of this value."""
        given = self.given(argument)
        if given is not None:
            return rewritten(self.source, [(given, value)])
        return with_argument(self.source, self.call, f"{argument}={value}")


def without_drop_last(recording: Recording, file: str) -> Made | None:
    """The loader that gave a last batch which is smaller: the one that the loop runs over; where that is not known, the
    only one, or the only one without `drop_last` among others that have it. None where it leaves that batch out."""
    tree = _read(file)
    loop = looped_over(recording)
    if loop is None and tree is not None:
        made = loaders_made(tree)
        short = [node for node in made if not _drops(node)]
        loop = as_made(file, short[0]) if len(short) == 1 else None
    return None if loop is None or _drops_last(loop.given("drop_last")) is not False else loop


def _drops(node: ast.Assign) -> bool:
    call = construction(node)
    given = [each.value for each in call.keywords if each.arg == "drop_last"] if call is not None else []
    return bool(given) and _drops_last(given[0]) is not False


def _drops_last(given: ast.expr | None) -> bool | None:
    """None where a variable says so."""
    if given is None:
        return False
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, bool) else None


def looped_over(recording: Recording) -> Made | None:
    """The line that makes the loader over which the innermost loop runs that runs over one, in the lines that were
    running when the pass failed."""
    for over, stack, depth in _loops(recording):
        found = _bound_to(over, stack, depth)
        made = as_made(*found) if found is not None else None
        if made is not None:
            return made
    return None


def data_of_the_loop(recording: Recording) -> set[tuple[str, int]]:
    """The lines that make what the lines that were running loop over, and what they read: by file and number."""
    found = {_bound_to(over, stack, depth) for over, stack, depth in _loops(recording)}
    stack = recording.failure.stack if recording.failure is not None else ()
    for depth, span in enumerate(stack):
        line = line_at(span)
        found |= {_bound_to(ast.Name(name, ast.Load()), stack, depth) for name in (line.reads if line else ())}
    return {(file, node.lineno) for file, node in filter(None, found)}


def _loops(recording: Recording) -> Iterator[tuple[ast.expr, Sequence[Span], int]]:
    """What the loops around the lines that were running run over, the innermost first, each with where it stands."""
    stack = recording.failure.stack if recording.failure is not None else ()
    for depth in range(len(stack) - 1, -1, -1):
        tree = _read(stack[depth].file)
        yield from (
            (over, stack, depth) for over in (_loops_around(tree, stack[depth].file, stack[depth].line) if tree else ())
        )


def _loops_around(tree: ast.Module, file: str, line: int) -> Iterator[ast.expr]:
    """What the loops around a line run over, in the function that it is in, the innermost first."""
    function = next(iter(functions_around(file, line)), None)
    found: list[tuple[int, ast.expr]] = []
    for node in ast.walk(tree if function is None else function):
        if isinstance(node, ast.For | ast.AsyncFor):
            found += [(node.lineno, node.iter)] if node.lineno <= line <= (node.end_lineno or 0) else []
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            inside = node.lineno <= line <= (node.end_lineno or 0)
            found += [(node.lineno, each.iter) for each in node.generators] if inside else []
    yield from (over for _, over in reversed(found))


def _bound_to(over: ast.expr, stack: Sequence[Span], depth: int) -> tuple[str, ast.Assign] | None:
    """The one line that makes what an expression stands for in a running line; that of a function's argument is what
    the function was called with."""
    while isinstance(over, ast.Call) and name_called(over) in _HANDING_ON and over.args:
        over = over.args[0]
    here = stack[depth]
    tree = _read(here.file)
    if tree is None or not isinstance(over, ast.Name | ast.Attribute):
        return None
    name, function = ast.unparse(over), next(iter(functions_around(here.file, here.line)), None)
    arguments = function.args if function is not None else None
    own = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)] if arguments else []
    if name in own and function is not None:
        given = _given(function, name, stack[depth - 1]) if depth else None
        return None if given is None else _bound_to(given, stack, depth - 1)
    hidden = {id(part) for each in _functions(tree) if each is not function for part in ast.walk(each)}
    visible = [node for node in ast.walk(tree) if "." in name or id(node) not in hidden]
    bound = [node for node in visible if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets)]
    return (here.file, bound[0]) if len(bound) == 1 else None


def _given(function: Function, name: str, calling: Span) -> ast.expr | None:
    """What the one call of a function in a running line gives it for an argument."""
    tree = _read(calling.file)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    here = [node for node in nodes if node.lineno <= calling.line <= (node.end_lineno or 0)]
    calls = [node for node in here if name_called(node) == function.name]
    if len(calls) != 1 or any(isinstance(each, ast.Starred) for each in calls[0].args):
        return None
    named = [each.value for each in calls[0].keywords if each.arg == name]
    positional = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if isinstance(calls[0].func, ast.Attribute) and positional[:1] == ["self"]:
        positional = positional[1:]
    at = positional.index(name) if name in positional else len(calls[0].args)
    return named[0] if named else calls[0].args[at] if at < len(calls[0].args) else None


def _functions(tree: ast.Module) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def _read(file: str) -> ast.Module | None:
    try:
        return tree_of(file)
    except (SyntaxError, ValueError, OSError):
        return None


def loaders_made(tree: ast.Module) -> Sequence[ast.Assign]:
    """The statements of a file that make a loader, one each."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and construction(node) is not None]


def construction(node: ast.AST) -> ast.Call | None:
    """The one `DataLoader(…)` in a piece of a program."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and name_called(each) == "DataLoader"]
    return calls[0] if len(calls) == 1 else None


def as_made(file: str, node: ast.Assign) -> Made | None:
    line = span_of(file, node.lineno)
    source = statement(line)
    call = construction(ast.parse(source)) if source is not None and construction(node) is not None else None
    return None if source is None or call is None else Made(line, source, call)
