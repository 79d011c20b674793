"""Zeros that a forward makes for a batch of a size that the program has a name for: with the size that comes."""

from __future__ import annotations

import ast

from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import handed_to, line_at
from shapewatch.edits import SetCall
from shapewatch.recording import Call, Recording, Span


def taken_from_the_input(edit: SetCall, call: Call, recording: Recording) -> tuple[Span, str] | None:
    """The line, and it as it should be: `torch.zeros(2, x.size(0), 16)` for `torch.zeros(2, batch_size, 16)`; where the
    size is an argument of the method that makes them, the line that calls it: `self.init_hidden(x.size(0))`."""
    call = [each for each in recording.calls if each.place == edit.place][-1]  # in the pass that failed
    changed = [axis for axis, size in enumerate(edit.value) if size != edit.was[axis]]
    source = statement(call.span)
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    making = [node for node in calls if name_called(node) == call.name]
    if source is None or call.span is None or len(changed) != 1 or len(making) != 1:
        return None
    given = making[0].args
    sizes = given[0].elts if len(given) == 1 and isinstance(given[0], ast.Tuple | ast.List) else given
    if len(sizes) != len(edit.value) or isinstance(sizes[changed[0]], ast.Constant):
        return None
    said, wanted = sizes[changed[0]], edit.value[changed[0]]
    of_forward = call.span.function.rpartition(".")[2] == "forward"
    length = _length_of_an_argument(call.span, wanted, call, recording) if of_forward else None
    if length is not None:
        return call.span, rewritten(source, [(said, length)])
    handed = list(handed_to(said.id, call.span)) if isinstance(said, ast.Name) and not of_forward else []
    handed = [each for each in handed if each.within == "forward"]
    length = _length_of_an_argument(handed[0].span, wanted, call, recording) if len(handed) == 1 else None
    line = statement(handed[0].span) if length is not None else None
    nodes = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Name)] if line is not None else []
    there = [node for node in nodes if node.id == handed[0].variable]
    if line is None or length is None or len(there) != 1:
        return None
    return handed[0].span, rewritten(line, [(there[0], length)])


def _length_of_an_argument(span: Span, size: int, call: Call, recording: Recording) -> str | None:
    """The first axis of an argument of the forward around a line, where that is as long."""
    line = line_at(span)
    given = recording.calls[call.parent].operands if call.parent is not None else ()
    if line is None or len(line.arguments) != len(given):
        return None
    found = [name for name, value in zip(line.arguments, given, strict=True) if recording.shape(value)[:1] == (size,)]
    return f"{found[0]}.size(0)" if len(found) == 1 else None
