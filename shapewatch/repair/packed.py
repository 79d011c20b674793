"""Sequences that come back from `pad_packed_sequence` as long as the longest of their batch is, where a mask or other
branches are as long as the batch was padded to."""

from __future__ import annotations

from shapewatch.adapters.statements import function_called, statement, with_argument
from shapewatch.adapters.unread import line_at
from shapewatch.recording import Call
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case


def unpacked_short(case: Case, framework: str) -> Odd | None:
    """The line that unpacks to a shorter length than is met, with the length said."""
    if case.call.kind not in ELEMENTWISE or len(case.shapes) != 2:
        return None
    graph = case.graph
    for unpacking in (call for call in graph.units if call.name.endswith("pad_packed_sequence") and call.results):
        made = unpacking.results[0]
        for value, other in zip(case.call.operands, case.shapes[::-1], strict=True):
            steps = _steps(unpacking, case)
            longer = [size for size in other if size is not None and steps is not None and size > steps]
            if graph.ancestors[value] >> made & 1 and steps in case.recording.shape(value) and len(longer) == 1:
                return _told(unpacking, longer[0], case, framework)
    return None


def _steps(unpacking: Call, case: Case) -> int | None:
    """How many steps came back: as many as there are sizes of batches, one for each step."""
    sizes = case.recording.shape(unpacking.operands[-1])
    return sizes[0] if len(sizes) == 1 else None


def _told(unpacking: Call, steps: int, case: Case, framework: str) -> Odd | None:
    source = statement(unpacking.span)
    call = function_called(source, {"pad_packed_sequence"})
    if source is None or call is None or any(keyword.arg == "total_length" for keyword in call.keywords):
        return None
    code = with_argument(source, call, f"total_length={_length(unpacking, steps, case)}")
    reason = f"it gives as many steps as the longest sequence of the batch has, and {steps} are met"
    edit = {"action": "set", "variable": "pad_packed_sequence", "argument": "total_length", "value": steps}
    why_not = "how long sequences are stands in a tensor, and a pass on shapes alone has no contents"
    fix = Fix(f"pad_packed_sequence to {steps} steps", code, edit, (), framework, None, why_not)
    return Odd(Cause(unpacking.layer or None, "pad_packed_sequence", unpacking.span, reason), fix, True)


def _length(unpacking: Call, steps: int, case: Case) -> str:
    """The length as an argument of the forward has it, whatever it is next time."""
    line = line_at(unpacking.span) if unpacking.span is not None else None
    given = case.recording.calls[unpacking.parent].operands if unpacking.parent is not None else ()
    for name, value in zip(line.arguments if line is not None else (), given, strict=False):
        shape = case.recording.shape(value)
        if shape.count(steps) == 1:
            return f"{name}.size({shape.index(steps)})"
    return str(steps)
