"""Heads that were split off and left behind the steps."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.edits import RESULT, Edit, Insert, Module, SetCall
from shapewatch.recording import Call
from shapewatch.repair.candidate import Candidate
from shapewatch.rules.heads_behind_steps import left_behind, misplaced
from shapewatch.rules.heads_compared import compared
from shapewatch.rules.rule import Case

BEHIND = Module("permute", {"dims": (0, 2, 1, 3)})

_CERTAIN = 0.9
_SAID = ("a product takes the last two axes, and these have to be steps and width",)


def heads_in_front(case: Case) -> Iterator[Candidate]:
    """Heads that were split off and left behind the steps, brought in front of them: of all that is split off alike. In
    a forward that joins the heads again as they are, the second product's result goes back behind the steps as well."""
    found = misplaced(case) or compared(case)
    if found is None or case.recording.framework not in ("torch", "keras"):
        return
    edits = tuple(_put_in_front(call, dims) for call, dims in left_behind(case.graph, found))
    yield Candidate(edits, _CERTAIN, 1, _SAID)
    product = found.product
    later = product.kind == "matmul" and found.behind != ["values"]  # what weighs the values
    last = f"{product.layer}:{product.name}:{product.occurrence + 1}" if later else product.place
    yield Candidate((*edits, Insert(last, RESULT, BEHIND)), _CERTAIN - 0.1, 1, _SAID)


def _put_in_front(call: Call, dims: tuple[int, ...]) -> Edit:
    """Another order where the program puts axes in order, and else one behind what splits the heads off."""
    if call.kind == "permute":
        return SetCall(call.place, "dims", dims, call.facts["dims"])
    return Insert(call.place, RESULT, Module("permute", {"dims": dims}))
