"""Weights of a dictionary in each other's place."""

from __future__ import annotations

import ast

from shapewatch.adapters import statements
from shapewatch.recording import text
from shapewatch.repair.variables import Odd, Side, sides_of
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding


def untaken_weight(case: Case, finding: Finding, framework: str) -> Odd | None:
    found = (_instead(case, side, framework) for side in sides_of(case, finding))
    return next((odd for odd in found if odd is not None), None)


def _instead(case: Case, side: Side, framework: str) -> Odd | None:
    """Another entry of the dictionary that a weight is of, which fits and which nothing has taken: two layers of a
    program in each other's place."""
    if case.call.kind != "matmul" or not side.alone or side.held[0].value.number != side.value:
        return None
    weight, wanted, span = side.held[0].value, side.wanted.exact, case.call.span
    row = (weight.name or "").rpartition("[")[0]
    taken = {value.name for value in case.recording.values if value.origin == "parameter"}
    fitting = {
        value.name: value.shape
        for value in case.recording.values
        if value.name is not None
        and row
        and value.name.startswith(f"{row}[")
        and value.name not in taken
        and len(value.shape) == len(weight.shape)
        and value.shape[side.axis] == wanted
    }
    if len(fitting) != 1 or span is None or weight.name is None:
        return None
    ((name, shape),) = fitting.items()
    source = statements.statement(span)
    tree = statements.parsed(source)
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Subscript)] if tree is not None else []
    held = [node for node in nodes if ast.unparse(node) == weight.name]
    if source is None or len(held) != 1:
        return None
    said = f"{name} is {text(shape)}, and nothing has taken it yet"
    quote = '"' if '"' in (ast.get_source_segment(source, held[0]) or "") else "'"
    fix = Fix(
        title=f"{name} in the place of {weight.name}",
        code=statements.rewritten(source, [(held[0], name.replace("'", quote))]),
        edit={"action": "set", "variable": weight.name, "argument": "name", "value": name},
        changes=(),
        framework=framework,
        verified=None,
        why_not="operations of the program's own cannot be run again",
        evidence=(said,),
    )
    return Odd(Cause(None, "variable", span, f"it takes {weight.name}, where {name} fits; {said}"), fix, True)
