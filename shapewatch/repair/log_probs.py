"""The log-probability of an action of several numbers: one for each number, where their sum is meant, that of all
(Schulman et al. 2017, PPO; Haarnoja et al. 2018, SAC)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapewatch.adapters.statements import parsed, statement
from shapewatch.edits import Insert, Module
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case


def not_summed(evidence: Evidence) -> Iterator[Candidate]:
    case = evidence.case
    if case.recording.framework != "torch" or case.call.is_layer:
        return
    for operand in range(len(case.shapes)):
        if of_several_numbers(case, operand):
            said = ("`log_prob` gives one for each number of an action",)
            summed = Insert(case.call.place, operand, Module("sum", {"dim": -1}))
            yield Candidate((summed,), 0.9, 1, said)


def of_several_numbers(case: Case, operand: int) -> bool:
    """Whether an operand is a log-probability with one axis behind those of the other one."""
    if case.call.kind not in ELEMENTWISE or case.call.kind == "loss" or len(case.shapes) != 2:
        return False
    many, few = case.shapes[operand], case.shapes[1 - operand]
    if len(many) != len(few) + 1 or many[:-1] != few:
        return False
    value = case.call.operands[operand]
    made = next((call for call in case.recording.calls if value in call.results), None)
    tree = parsed(statement(made.span)) if made is not None else None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    return any(getattr(call.func, "attr", "") == "log_prob" for call in calls)
