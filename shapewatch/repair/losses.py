"""A loss that some module's forward computes: what it is given can be laid out otherwise there, and run again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapewatch.adapters.statements import function_called, parsed, statement
from shapewatch.edits import Edit, Insert, Module, Target
from shapewatch.recording import Shape
from shapewatch.repair.candidate import Candidate
from shapewatch.rules.losses import compared, road
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


def picked_alike(case: Case) -> Iterator[Candidate]:
    """Labels of all items beside answers that were picked from those of all: of the nodes to train on."""
    loss = compared(case) if case.call.kind == "loss" else None
    if loss is None or not loss.output or not loss.target:
        return
    for unit in road(case, loss.output_value):
        if unit.kind != "index" or not unit.operands or not unit.results:
            continue
        before, after = (case.recording.shape(value)[:1] for value in (unit.operands[0], unit.results[0]))
        by = _index(statement(unit.span)) if (before, after) == (loss.target[:1], loss.output[:1]) else None
        if by is not None and before != after:
            said = (f"`{by}` picks {after[0]} of {before[0]} answers",)
            yield Candidate((Target("picked", {"by": by}),), 0.7, 1, said)


def _index(source: str | None) -> str | None:
    """By what a line picks rows: `tf.gather(logits, train)`, `out[train]`."""
    call, tree = function_called(source, {"gather", "take", "index_select"}), parsed(source)
    if call is not None and len(call.args) > 1:
        return ast.unparse(call.args[-1])
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)] if tree is not None else []
    named = [node.slice for node in nodes if isinstance(node.slice, ast.Name | ast.Attribute)]
    return ast.unparse(named[0]) if len(named) == 1 else None
