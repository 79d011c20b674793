"""How to speak of the size that a layer was made for: an argument of it, or what it was first given."""

from __future__ import annotations

from shapewatch.recording import Call, Recording, text
from shapewatch.rules.rule import Case


def takes(case: Case) -> str:
    """`takes`; of a lazy layer, which has no argument for the sizes of its input, `was built for`."""
    return "was built for" if case.facts.get("lazy") else "takes"


def how_built(case: Case, axis: int) -> str:
    """A sentence to follow others: that one layer is called in two places, or that a lazy one was built before.

    `axis` is the one on which the size is not what the layer was made for, counted in what it is given now.
    """
    given = case.shapes[0]
    for other in case.graph.units:
        if other.number >= case.call.number or not other.is_layer or other.layer != case.call.layer:
            continue
        if _pass_of(other, case.recording) != _pass_of(case.call, case.recording):
            continue
        before = case.recording.shape(other.operands[0]) if other.operands else ()
        if len(before) == len(given) and None not in (before[axis], given[axis]) and before[axis] != given[axis]:
            return f" It is one layer, called in two places: earlier in this pass it was given {text(before)}."
    if case.facts.get("lazy"):
        return " A layer is built for the first input that it is given, and keeps that size."
    return ""


def _pass_of(call: Call, recording: Recording) -> int | None:
    """The number of the outermost call around a call; None of one that is outermost itself, or in no model yet."""
    outermost = None
    while call.parent is not None:
        outermost, call = call.parent, recording.calls[call.parent]
    return outermost
