"""A state that the model itself makes, for batches of the size that the program mostly has: the last one is smaller.

`h = tf.zeros([BATCH, HIDDEN])` in a model's call reaches the cell as an argument, and what fails there says nothing of
the line that made it. So the variable is followed from the line that failed through the lines that handed it on, which
were running then. To leave the last batch out would end the failure too, and a model that takes no other batches stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from shapewatch.adapters.around import Function, functions_around
from shapewatch.adapters.operand import operand_text, which_of_line
from shapewatch.adapters.statements import name_called, parsed, statement
from shapewatch.adapters.worked_out import bound, comes_to, defaults_of, parameters_of
from shapewatch.recording import Call, Size, Span
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.batch_written_down import rows_written, with_rows_of
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case

_CALLED_AS_ITSELF = frozenset({"__call__", "call", "forward"})
"""Methods that are run by calling their object, whatever that is called."""

_HELD = frozenset({"parameter", "buffer"})


def made_in_the_call(case: Case, framework: str) -> Odd | None:
    """The line in a function around what failed that makes a tensor for another number of samples than comes."""
    shapes = case.shapes
    meets = case.call.kind in ELEMENTWISE or (case.call.kind == "concat" and case.facts.get("dim") != 0)
    if not meets or case.call.kind == "loss" or len(shapes) != 2 or len(shapes[0]) != len(shapes[1]):
        return None
    if any(not shape or shape[0] in (None, 1) for shape in shapes) or shapes[0][0] == shapes[1][0]:
        return None
    for made, comes in ((0, 1), (1, 0)):
        rows, batch = shapes[made][0], shapes[comes][0]
        root = _only_root(case.call.operands[made], rows, case)
        if root is None or not any(_rows(value, case) == batch for value in _roots(case.call.operands[comes], case)):
            continue
        odd = _made_at(root, rows, batch, case, framework)
        if odd is not None:
            return odd
    return None


def _made_at(root: int, rows: Size, batch: Size, case: Case, framework: str) -> Odd | None:
    rank, inner = len(case.recording.shape(root)), _running(root, case)
    known = _with_rows(inner, batch, case)
    for name, line, running in _followed(root, inner, case):
        said = rows_written(statement(line), rank)
        if said is None or comes_to(said[0], line.file, line.line) not in (rows, None):
            continue
        beside = next(_of_the_batch(running, known), None)
        code = None if beside is None else with_rows_of(line, rank, beside, framework)
        if code is None:
            continue
        shape = (None, *case.recording.shape(root)[1:])
        edit = {"action": "set", "variable": name, "argument": "shape", "value": shape}
        why_not = "a variable of the program's own cannot be tried anew"
        fix = Fix(f"{name} for as many samples as come", code, edit, (), framework, None, why_not)
        reason = f"{name} is made for {rows} samples, and this batch has {batch}"
        return Odd(Cause(None, name, line, reason), fix, True)
    return None


# Where a value is from


def _roots(value: int, case: Case) -> list[int]:
    """What a value was made of that no call made, but for weights and single numbers."""
    graph, values = case.graph, case.recording.values
    made_of = (each for each in values if graph.ancestors[value] >> each.number & 1 or each.number == value)
    free = (each.number for each in made_of if each.origin not in _HELD and each.number not in graph.producer)
    return [each for each in free if _rows(each, case)]


def _rows(value: int, case: Case) -> Size:
    return next(iter(case.recording.shape(value)), None)


def _only_root(value: int, rows: Size, case: Case) -> int | None:
    """The one tensor of so many rows that a value was made of, if nothing else that came is in it."""
    of_rows = [root for root in _roots(value, case) if len(case.recording.shape(root)) > 1]
    return of_rows[0] if len(of_rows) == 1 and _rows(of_rows[0], case) == rows else None


# The lines that handed it on


def _running(root: int, case: Case) -> Sequence[Span]:
    """The line that took a value first, and those that were running around it, outwards."""
    span, failure = _first(root, case).span, case.recording.failure
    return [span, *_outside(span, failure.stack)] if span is not None and failure is not None else []


def _first(root: int, case: Case) -> Call:
    users = [unit for unit in (case.call, *case.graph.consumers.get(root, ())) if root in unit.operands]
    return min(users, key=lambda unit: unit.number, default=case.call)


def _followed(root: int, running: Sequence[Span], case: Case) -> Iterator[tuple[str, Span, Sequence[Span]]]:
    """The variable that holds a value where it was made, the line that made it, and those that ran from there
    outwards: by the line that took the value first, and by what the value is called."""
    first = _first(root, case)
    if root in first.operands:
        which = which_of_line(first, case.recording)
        name = operand_text(statement(first.span), first.operands.index(root), first.name, which=which)
        yield from _from_line(name, running)
    for at in range(len(running)):
        yield from _from_line(case.recording.values[root].name, running[at:])


def _from_line(name: str | None, running: Sequence[Span]) -> Iterator[tuple[str, Span, Sequence[Span]]]:
    for at, span in enumerate(running):
        function = next(iter(functions_around(span.file, span.line)), None)
        if name is None or not name.isidentifier() or function is None:
            return
        line = assigned_line(span.file, name, span.line)
        if line is not None and function.lineno <= line.line < span.line:
            yield name, line, running[at:]
            return
        if name not in parameters_of(function) or at + 1 == len(running):
            return
        name = _handed(name, function, running[at + 1])


def _outside(span: Span, stack: Sequence[Span]) -> Iterator[Span]:
    """The lines that were running around the function of a line, the innermost first."""
    around = functions_around(span.file, span.line)[:1]
    rows = [at for at, each in enumerate(stack) if functions_around(each.file, each.line)[:1] == around]
    yield from reversed(stack[: rows[-1]] if rows and around else ())


def _handed(name: str, function: Function, caller: Span) -> str | None:
    """What a line gives a function for a parameter, where it calls one such function."""
    tree = parsed(statement(caller))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    if function.name not in _CALLED_AS_ITSELF:
        calls = [call for call in calls if name_called(call) == function.name]
    needed = set(parameters_of(function)) - {"self"} - defaults_of(function).keys()
    given = [each for call in calls if (each := bound(call, function)) is not None and needed <= each.keys()]
    found = [each[name] for each in given if name in each]
    return ast.unparse(found[0]) if len(found) == 1 else None


def _of_the_batch(running: Sequence[Span], known: AbstractSet[str]) -> Iterator[str]:
    """The arguments of the function around the first of these lines that are known to have as many rows as the batch,
    by their name there or where they come from."""
    function = next(iter(functions_around(running[0].file, running[0].line)), None)
    for argument in parameters_of(function) if function is not None else ():
        name: str | None = argument
        for span, caller in zip(running, [*running[1:], None], strict=True):
            if name in known:
                yield argument
                break
            around = next(iter(functions_around(span.file, span.line)), None)
            if name is None or caller is None or around is None:
                break
            name = _handed(name, around, caller)


def _with_rows(running: Sequence[Span], batch: Size, case: Case) -> AbstractSet[str]:
    """What the lines that were running call what has as many rows as the batch."""
    values = [each for each in case.recording.values if each.number not in case.graph.producer]
    known = {each.name for each in values if each.shape[:1] == (batch,) and each.origin not in _HELD if each.name}
    for span, caller in pairwise(running):
        function = next(iter(functions_around(span.file, span.line)), None)
        for name in parameters_of(function) if function is not None else ():
            given = _handed(name, function, caller) if function is not None and name in known else None
            known |= {whole for whole in [_whole(given)] if whole is not None}
    return known


def _whole(text: str | None) -> str | None:
    """What has the rows of an expression: `x` of `x[:, t]`."""
    tree = parsed(text)
    node = tree.body[0].value if tree is not None and tree.body and isinstance(tree.body[0], ast.Expr) else None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        node = node.value if ast.unparse(node.slice.elts[0]) == ":" else None
    return node.id if isinstance(node, ast.Name) else None
