"""A state that the line before a call makes for another number of samples than the call is given: generation of one
sequence with the state of a training batch.

Only where the state comes straight from there is that line to blame: one that a loop hands from turn to turn was made
for another batch than this.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapewatch.adapters.around import functions_around, loops_around
from shapewatch.adapters.makings import sizes_in
from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import held_at_both, made_at
from shapewatch.adapters.written import length_in
from shapewatch.edits import Edit, Input
from shapewatch.recording import Recording, Shape, Span
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding
from shapewatch.source import tree_of


def state_made_before(case: Case, finding: Finding, framework: str) -> Odd | None:
    """The lines that make a state, with the number of samples that the call is given."""
    recording, batches = case.recording, _batches(case, finding)
    outermost = recording.roots
    span = outermost[-1].span if outermost else None
    given = _given(span) if span is not None else None
    if batches is None or span is None or given is None:
        return None
    shape, (kept, batch), lines = case.shapes[1], batches, []
    for name in given[1]:
        made = _made_at(name, span)
        size = None if made is None else _size(given[0], batch, made, span, recording, framework)
        code = None if made is None or size is None else _anew(made, name, shape, kept, size)
        if made is None or code is None:
            return None
        lines.append((made, code))
    reason, named = f"the state is made for {kept} samples, and the call is given {batch}", " and ".join(given[1])
    edit = {"action": "set", "variable": named, "argument": "batch", "value": None}
    changes, why_not = tuple(_states(shape, batch, recording)), "the program's own lines are not run again"
    title, code = f"{named} for as many samples as come", "\n".join(code for _, code in lines)
    fix = Fix(title, code, edit, changes, framework, None, why_not)
    return Odd(Cause(None, named, lines[0][0], reason), fix, True)


def _batches(case: Case, finding: Finding) -> tuple[int, int] | None:
    """How many samples a state is one of, which is handed in, and how many it would have to be one of; None where it
    is wrong in anything else."""
    if finding.code != "SW603" or len(case.shapes) < 2 or len(case.shapes[1]) < 2 or not finding.wants:
        return None
    axis = len(case.shapes[1]) - 2
    kept, demand = case.shapes[1][axis], finding.wants[0].demand
    batch = demand[axis].exact if set(demand) == {axis} else None
    if batch is None or kept is None or case.call.operands[1] not in case.recording.inputs:
        return None
    return kept, batch


def _states(shape: Shape, batch: int, recording: Recording) -> Iterator[Edit]:
    """The states as the line would then make them, to be tried."""
    for index, number in enumerate(recording.inputs):
        if recording.shape(number) == shape:
            yield Input(index, "size", {"plain": True}, (*shape[:-2], batch, shape[-1]))


def _given(span: Span) -> tuple[ast.expr, list[str]] | None:
    """What the line that calls the model gives as the input and, by one name or by two, as the state."""
    tree = parsed(statement(span))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    found = []
    for call in calls:
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        state = given[1] if len(given) == 2 else None
        parts = state.elts if isinstance(state, ast.Tuple) else [state]
        names = [part.id for part in parts if isinstance(part, ast.Name)]
        if call.args and names and len(names) == len(parts):
            found.append((given[0], names))
    return found[0] if len(found) == 1 else None


def _made_at(name: str, span: Span) -> Span | None:
    """The line that gives a variable what the call takes, where no turn of a loop comes between."""
    line = made_at(name, span)
    return line if line is not None and _loops(line) == _loops(span) else None


def _loops(span: Span) -> list[int]:
    """The loops that a line stands in."""
    functions = functions_around(span.file, span.line)
    within = functions[0] if functions else tree_of(span.file)
    turning = [node.lineno for node in ast.walk(within) if isinstance(node, ast.While) and _holds(node, span.line)]
    return sorted([*turning, *(loop.lineno for loop in loops_around(span.file, span.line))])


def _holds(node: ast.While, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or 0)


def _size(given: ast.expr, batch: int, made: Span, span: Span, recording: Recording, framework: str) -> str | None:
    """The number of samples by the input, where that is known at the line; else 1, of which a batch is that has no
    other number."""
    first = recording.shape(recording.inputs[0])
    if isinstance(given, ast.Name) and first.count(batch) == 1 and given.id in held_at_both(made, span):
        return length_in("torch" if framework == "torch" else "tf", given.id, first.index(batch))
    return "1" if batch == 1 else None


def _anew(made: Span, name: str, shape: Shape, kept: int, size: str) -> str | None:
    """The line with another number of samples, where it says one by itself."""
    source = statement(made)
    tree = parsed(source)
    step = tree.body[0] if tree is not None and tree.body else None
    if source is None or not isinstance(step, ast.Assign) or len(step.targets) != 1:
        return None
    value = step.value
    rows = [row[-2] for call in ast.walk(value) if isinstance(call, ast.Call) and (row := sizes_in(call, shape))]
    if rows and all(_is_number(row) for row in rows) and ast.unparse(step.targets[0]) == name:
        return rewritten(source, [(row, size) for row in rows])
    alone = isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords
    if not isinstance(value, ast.Call) or not alone or not _counts(value, kept, made):
        return None
    return rewritten(source, [(value.args[0], size)])


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.Name | ast.Attribute)


def _counts(call: ast.Call, kept: int, made: Span) -> bool:
    """Whether the one argument of a call is the number of samples: it is that number, or the function that is called
    makes sizes of it."""
    argument, tree = call.args[0], tree_of(made.file)
    if isinstance(argument, ast.Constant):
        return argument.value == kept
    if not isinstance(argument, ast.Name | ast.Attribute):
        return False
    said = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and _gives(node, argument)
    ]
    return said[-1] == kept if said else _makes_sizes(name_called(call), tree)


def _gives(node: ast.Assign, argument: ast.expr) -> bool:
    return ast.unparse(node.targets[0]) == ast.unparse(argument)


def _makes_sizes(function: str, tree: ast.Module) -> bool:
    """Whether the file's function of that name has one argument, and puts it among sizes."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    if len(found) != 1:
        return False
    arguments = [each.arg for each in found[0].args.args if each.arg != "self"]
    rows = [node.elts for node in ast.walk(found[0]) if isinstance(node, ast.Tuple | ast.List)]
    rows += [node.args for node in ast.walk(found[0]) if isinstance(node, ast.Call)]
    sizes = [each.id for row in rows if len(row) > 1 for each in row if isinstance(each, ast.Name)]
    return len(arguments) == 1 and arguments[0] in sizes
