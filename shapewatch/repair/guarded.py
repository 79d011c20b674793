"""A shortcut that is added where it does not fit, by a condition that lacks a word: `stride == 1`, and nothing of the
channels (Sandler et al. 2018, MobileNetV2: the residual is there where input and output are of one shape)."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.adapters.guards import guard_at, is_compared
from shapewatch.edits import SetCall
from shapewatch.recording import Call
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_WORTH = 0.9


def left_out_where_it_does_not_fit(evidence: Evidence) -> Iterator[Candidate]:
    """The sum without its shortcut, where it stands under a condition by which other layers of the class have none."""
    case, call = evidence.case, evidence.case.call
    if case.junction is None or call.kind != "add" or call.is_layer or len(call.operands) != 2 or call.span is None:
        return
    guard, others = guard_at(call.span), _others_have_none(evidence, call)
    if guard is None or not (others or is_compared(guard, call.span)):
        return
    main = [branch.operand for branch in case.junction.branches if branch.role == "main"]
    if len(main) == 1:
        said = ("other layers of the class do not add it",) if others else (f"`{guard.test}` is a comparison",)
        yield Candidate((SetCall(call.place, "alone", main[0], None),), _WORTH, 1, said)


def _others_have_none(evidence: Evidence, call: Call) -> bool:
    """Whether a layer of the class ran to its end without the line."""
    recording = evidence.case.recording
    holder = recording.layer_at.get(call.layer)
    if holder is None:
        return False
    alike = {layer.path for layer in recording.layers if layer.type == holder.type}
    ran = {each.layer for each in recording.calls if each.is_layer and each.layer in alike and each.finished}
    adding = {each.layer for each in recording.calls if (each.name, each.span) == (call.name, call.span)}
    return bool(ran - adding)
