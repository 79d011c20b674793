"""Operations in a layer's forward that its siblings, where they do the same, do with another setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shapewatch import axes
from shapewatch.edits import Insert, Module, SetCall
from shapewatch.recording import Call
from shapewatch.repair.candidate import Candidate, short
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.rule import listed

SETTINGS = frozenset({"dim", "dims", "shape", "equation", "keepdim", "swap", "transpose_a", "transpose_b"})
"""Settings of operations that the code of a forward writes down, and that do not follow from the sizes it is given."""

_ADDING_AXES = frozenset({"unsqueeze", "index", "reshape", "expand"})
"""Kinds of operations by which a tensor gets axes of size 1: `x[:, None]` is an index."""


def odd_operations(evidence: Evidence) -> Iterator[Candidate]:
    """Settings that make the operations of a layer those of its siblings.

    Only layers that ran the same operations in the same order are compared: they run the same code. What one line of
    it does several times (`self.split(q), self.split(k)`) is changed together, as it would be in the program.
    """
    forwards = _forwards(evidence)
    for layer in _concerned(evidence, forwards):
        seen: dict[tuple[SetCall, ...], tuple[float, list[str]]] = {}
        for weight, others in evidence.siblings.rows_of(layer):
            doing = [other for other in others if _runs_as(forwards.get(other, ()), forwards[layer])]
            certainty = min(1.0, 0.4 + 0.2 * len(doing))
            for other in doing:
                for edits in _differences(layer, forwards[layer], forwards[other]):
                    worth, names = seen.get(edits, (0.0, []))
                    seen[edits] = worth + weight * certainty / len(doing), [*names, other]
        for edits, (worth, names) in seen.items():
            said = (
                f"{listed(names[:3])} {'have' if len(names) > 1 else 'has'} {edits[0].argument} {short(edits[0].value)}"
            )
            yield Candidate(edits, worth, 1, (said,))


def left_out(evidence: Evidence) -> Iterator[Candidate]:
    """Axes of size 1 that the siblings of a layer give to operands, where this one does not.

    What a line of the siblings does to several tensors is put in together.
    """
    case, forwards = evidence.case, _forwards(evidence)
    layer, ours = case.call.layer, forwards.get(case.call.layer, [])
    if case.call.is_layer or not ours or ours[-1].place != case.call.place:
        return
    for weight, others in evidence.siblings.rows_of(layer):
        for other in others:
            edits = tuple(_as_there(evidence, layer, ours, forwards.get(other, [])))
            if edits:
                yield Candidate(edits, 0.6 * weight, 1, (f"{other} gives them axes of size 1",))


def _as_there(evidence: Evidence, layer: str, ours: Sequence[Call], theirs: Sequence[Call]) -> Iterator[Insert]:
    """What the sibling does, and this layer does not, between the operations that both do."""
    recording = evidence.case.recording
    kept = [call for call in theirs if call.kind not in _ADDING_AXES]
    if len(kept) == len(theirs) or any(call.kind in _ADDING_AXES for call in ours) or not _runs_as(kept, ours):
        return
    for call in theirs:
        if call.kind not in _ADDING_AXES or not call.operands or not call.results:
            continue
        after = recording.shape(call.results[0])
        dims = axes.added(recording.shape(call.operands[0]), after)
        users = [user for user in kept if call.results[0] in user.operands]
        for user in users if dims else ():
            module = Module("unsqueeze", {"dims": dims, "rank": len(after)})
            yield Insert(f"{layer}:{user.name}:{user.occurrence}", user.operands.index(call.results[0]), module)


def _forwards(evidence: Evidence) -> Mapping[str, Sequence[Call]]:
    """The operations of each layer's own forward, in order."""
    found: dict[str, list[Call]] = defaultdict(list)
    for unit in evidence.case.graph.units:
        if not unit.is_layer:
            found[unit.layer].append(unit)
    return found


def _concerned(evidence: Evidence, forwards: Mapping[str, Sequence[Call]]) -> list[str]:
    """The layers whose operations lead to the failure, and the one in which it stands."""
    graph, call = evidence.case.graph, evidence.case.call
    leading = 0
    for operand in call.operands:
        leading |= graph.ancestors[operand]
    return [
        layer
        for layer, calls in forwards.items()
        if any(one is call or any(leading >> result & 1 for result in one.results) for one in calls)
    ]


def _runs_as(other: Sequence[Call], calls: Sequence[Call]) -> bool:
    names = [call.name for call in calls]
    return len(other) >= len(calls) and [call.name for call in other[: len(calls)]] == names


def _differences(layer: str, calls: Sequence[Call], other: Sequence[Call]) -> Iterator[tuple[SetCall, ...]]:
    for ours, theirs in zip(calls, other, strict=False):
        for argument in sorted(SETTINGS & ours.facts.keys() & theirs.facts.keys()):
            now, value = ours.facts[argument], theirs.facts[argument]
            if now is None or value is None or now == value:
                continue
            line = [call for call in other if call.name == theirs.name and call.span == theirs.span]
            yield tuple(
                SetCall(f"{layer}:{call.name}:{call.occurrence}", argument, call.facts.get(argument), now)
                for call in line
            )
