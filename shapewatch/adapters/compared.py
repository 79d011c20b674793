"""The line that compares an output with its target, where the program has no name for the output."""

from __future__ import annotations

import ast

from shapewatch.adapters.statements import atom, parsed, rewritten, statement
from shapewatch.recording import Recording


def in_its_line(change: str, output: str, recording: Recording) -> str:
    """`loss = criterion(model(x).squeeze(1), y)` for the change `output = output.squeeze(1)`: the change itself, where
    the output has a name, or the line does not show where it is given."""
    call = recording.failing_call()
    if call is None or call.kind != "loss" or len(call.operands) < 2:
        return change
    places = [call.facts.get("output", 0), call.facts.get("target", 1)]
    given, target = (recording.values[call.operands[place]] for place in places)
    source = statement(call.span)
    tree = parsed(source) if given.name is None and target.name is not None else None
    found = [
        node.args[places[0]]
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, ast.Call)
        and len(node.args) > max(places)
        and isinstance(node.args[places[0]], ast.Call)
        and ast.unparse(node.args[places[1]]) == target.name
    ]
    if source is None or len(found) != 1 or not change.startswith(f"{output} = "):
        return change
    expression = atom(ast.get_source_segment(source, found[0]) or "")
    return rewritten(source, [(found[0], change.removeprefix(f"{output} = ").replace(output, expression, 1))])
