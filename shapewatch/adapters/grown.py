"""Sequences that a loop makes longer by what the model gives for them, until they are longer than its positions.

`idx = torch.cat((idx, next), dim=1)` grows with each turn, so what is to be given is its end. How long that may be, the
program mostly has a name for: `block_size`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapewatch.adapters.around import functions_around, loops_around
from shapewatch.adapters.formulas import named_size
from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.worked_out import comes_to
from shapewatch.recording import Shape, Span
from shapewatch.source import is_users_own, tree_of

_JOINING = frozenset({"cat", "concat", "concatenate", "append"})


def end_of_what_grows(span: Span | None, name: str, given: Shape, wanted: Shape) -> str | None:
    """The line that calls the model, given the end of a variable that its loop joins something to; None where the loop
    does not, or where another axis than that of the steps is to be shorter."""
    changed = [axis for axis, (one, other) in enumerate(zip(given, wanted, strict=False)) if one != other]
    if span is None or not is_users_own(span.file) or len(given) != len(wanted) or changed != [1]:
        return None
    size, grows = wanted[1], any(_joins(step, name) for step in _steps_around(span))
    source = statement(span)
    tree = parsed(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)] if tree is not None else []
    read = [node for node in nodes if node.id == name and isinstance(node.ctx, ast.Load)]
    if size is None or source is None or not grows or len(read) != 1 or size > (given[1] or 0):
        return None
    return rewritten(source, [(read[0], f"{name}[:, -{_name_of(size, span) or size}:]")])


def _steps_around(span: Span) -> Iterator[ast.Assign]:
    for loop in loops_around(span.file, span.line):
        yield from (node for node in ast.walk(loop) if isinstance(node, ast.Assign))


def _joins(step: ast.Assign, name: str) -> bool:
    """Whether a variable is given itself with something joined to it."""
    value = step.value
    joined = isinstance(value, ast.Call) and name_called(value) in _JOINING
    own = any(isinstance(target, ast.Name) and target.id == name for target in step.targets)
    return own and joined and any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def _name_of(size: int, span: Span) -> str | None:
    """What the function around has by a name and is so much, or the file, if it is one name alone."""
    steps = [step for step in tree_of(span.file).body if isinstance(step, ast.Assign)]
    names = [target.id for step in steps for target in step.targets if isinstance(target, ast.Name)]
    around = functions_around(span.file, span.line)[:1]
    own = {node.id for each in around for node in ast.walk(each) if isinstance(node, ast.Name)}
    found = [
        name
        for name in dict.fromkeys(names)
        if name not in own and comes_to(ast.Name(name, ast.Load()), span.file, span.line) == size
    ]
    return named_size(size, span) or (found[0] if len(found) == 1 else None)
