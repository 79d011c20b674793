"""A loss that some module's forward computes: what it is given can be laid out otherwise there, and run again."""

from __future__ import annotations

from shapewatch.edits import Edit, Insert, Module, Target
from shapewatch.recording import Shape
from shapewatch.rules.rule import Case


def in_the_forward(edits: tuple[Edit, ...], case: Case) -> tuple[Edit, ...]:
    """The edits, with changes of an output or of labels as layers on the operands of the loss, where it is one of a
    forward's operations."""
    if case.call.kind != "loss" or case.call.parent is None or len(case.call.operands) < 2:
        return edits
    return tuple(_on_operand(edit, case) if isinstance(edit, Target) else edit for edit in edits)


def _on_operand(edit: Target, case: Case) -> Edit:
    operand = case.facts.get("output", 0) if edit.change.startswith("output") else case.facts.get("target", 1)
    module = _module(edit, case.shapes[operand])
    return edit if module is None else Insert(case.call.place, operand, module)


def _module(edit: Target, shape: Shape) -> Module | None:
    rank, dim = len(shape), edit.arguments.get("dim")
    match edit.change:
        case "squeeze" | "output-squeeze":
            return Module("squeeze", {"dim": dim})
        case "unsqueeze":
            return Module("unsqueeze", {"dims": (dim,), "rank": rank + 1})
        case "output-moved" if rank > 2:
            return Module("permute", {"dims": (0, rank - 1, *range(1, rank - 1))})
        case "output-order":
            return Module("permute", {"dims": edit.arguments["dims"]})
    return None
