"""Where an axis went that is missing: a recurrent layer gave its last step alone, a pooling kept no axis of its own, a
reshape laid two axes into one."""

from __future__ import annotations

import math
from collections.abc import Iterator

from shapewatch.adapters.statements import statement
from shapewatch.adapters.uncalled import never_called_import
from shapewatch.edits import Insert, Module, Replace, Set
from shapewatch.recording import Call
from shapewatch.repair.candidate import Candidate, short
from shapewatch.repair.evidence import Evidence

_WANT_SEQUENCES = frozenset({"recurrent", "conv_recurrent", "attention", "conv", "pool", "per_step"})


_KEEPS = {
    "recurrent": ("return_sequences", "gives its last step alone, and so has no axis of time"),
    "conv_recurrent": ("return_sequences", "gives its last step alone, and so has no axis of time"),
    "reduce": ("keepdim", "drops the axes that it reduces"),
}
"""Kinds of layers that give up axes, the setting with which they do not, and what to say of it."""


def given_up(evidence: Evidence) -> Iterator[Candidate]:
    """Axes kept, where what failed has operands of different ranks, or of fewer axes than it works on."""
    case = evidence.case
    if len({len(shape) for shape in case.shapes}) == 1 and case.call.kind not in _WANT_SEQUENCES:
        return
    for value in case.call.operands:
        made = _shaped_by(evidence, value)
        if made is None or not made.is_layer or made.kind not in _KEEPS:
            continue
        setting, words = _KEEPS[made.kind]
        if made.kind == "reduce" and _takes_several_steps(evidence):
            yield from _pooled_in_windows(evidence, made)
        elif case.graph.facts(made).get(setting) is False:
            worth = 0.3 if _says(evidence, made, f"{setting}=False") else 0.7  # what is written down was not forgotten
            yield Candidate((Set(made.layer, setting, True, False),), worth, 1, (f"{made.layer} {words}",))


def _takes_several_steps(evidence: Evidence) -> bool:
    """Whether one step alone says nothing to the layer that failed; to a convolution of single places, as of a gate, it
    does."""
    case = evidence.case
    windows = case.call.kind in ("conv", "pool") and short(case.facts.get("kernel_size")) != "1"
    return windows or case.call.kind in ("recurrent", "conv_recurrent")


def _pooled_in_windows(evidence: Evidence, made: Call) -> Iterator[Candidate]:
    """A pooling over windows in the place of one over all steps, as a layer beside it pools."""
    recording = evidence.case.recording
    if recording.framework != "keras" or not made.is_layer or not made.operands:
        return
    rank = len(recording.shape(made.operands[0])) - 2
    beside = [layer.facts for layer in recording.layers if layer.kind == "pool" and layer.facts.get("rank") == rank]
    window = beside[-1].get("kernel_size", 2) if beside else 2
    arguments = {"rank": rank, "kernel_size": window, "average": "Average" in made.name, "channels_last": True}
    pool = Replace(made.layer, Module("pool", arguments))
    yield Candidate((pool,), 0.7, 1)


def _says(evidence: Evidence, made: Call, words: str) -> bool:
    """Whether the line that makes a layer has these words."""
    layer = evidence.case.recording.layer_at.get(made.layer)
    source = statement(layer.defined) if layer is not None else None
    return source is not None and words in source.replace(" ", "")


def steps_given_back(evidence: Evidence) -> Iterator[Candidate]:
    """The last step of an encoder, repeated for every step of what is to be decoded from it."""
    case = evidence.case
    if case.recording.framework != "keras" or case.call.kind != "recurrent" or not case.shapes:
        return
    made = _shaped_by(evidence, case.call.operands[0])
    if len(case.shapes[0]) != 2 or made is None or made.kind != "recurrent":
        return
    steps = case.recording.shape(made.operands[0])[1:2]
    if not steps or steps[0] is None:
        return
    imported = never_called_import("RepeatVector", case.call.span)
    said = ("`RepeatVector` is imported, and nothing makes one",) if imported else ()
    repeat = Insert(case.call.place, 0, Module("repeat_vector", {"n": steps[0]}))
    yield Candidate((repeat,), 1.2 if imported else 0.5, 1, said)


def not_pooled(evidence: Evidence) -> Iterator[Candidate]:
    """Features of every step or place, where others are joined that are one for a sample: pooled or flattened."""
    case = evidence.case
    ranks = [len(shape) for shape in case.shapes]
    if case.call.kind != "concat" or not ranks or min(ranks) != 2 or max(ranks) == 2:
        return
    for operand, rank in enumerate(ranks):
        if rank > 2 and case.graph.is_activation(case.call.operands[operand]):
            if case.recording.framework == "keras":
                pool = Module("global_pool", {"rank": rank - 2})
                yield Candidate((Insert(case.call.place, operand, pool),), 0.45, 1, needs_proof=True)
            flatten = Module("flatten", {"start_dim": 1, "end_dim": -1})
            yield Candidate((Insert(case.call.place, operand, flatten),), 0.4, 1, needs_proof=True)


def tokens_in_front(evidence: Evidence) -> Iterator[Candidate]:
    """A class token, or a few, that were joined in front of the places of a map, and are still there where these are
    laid out as a map again."""
    case = evidence.case
    before, target = case.shapes[0] if case.shapes else (), case.facts.get("shape")
    if case.call.kind != "reshape" or case.call.is_layer or not isinstance(target, tuple) or None in before:
        return
    known = [size for size in target if isinstance(size, int)]
    if len(known) != len(target) or min(known, default=-1) < 1:
        return
    for axis, size in enumerate(before):
        places, rest = divmod(math.prod(known) * (size or 0), math.prod(size or 1 for size in before))
        count = (size or 0) - places
        if rest or not 1 <= count <= _MOST_TOKENS or not _joined_in_front(evidence, count, places):
            continue
        said = (f"{size} = {places} + {count}, and {count} was joined in front",)
        module = Module("without_first", {"dim": axis, "count": count})
        yield Candidate((Insert(case.call.place, 0, module),), 0.8, 1, said)


_MOST_TOKENS = 8


def _joined_in_front(evidence: Evidence, count: int, places: int) -> bool:
    graph = evidence.case.graph
    for unit in graph.units:
        dim = graph.facts(unit).get("dim")
        if unit.kind == "concat" and isinstance(dim, int) and len(unit.operands) == 2:
            first, second = (graph.recording.shape(operand) for operand in unit.operands)
            if len(first) == len(second) > 0 and (first[dim], second[dim]) == (count, places):
                return True
    return False


def unmerged_targets(evidence: Evidence) -> Iterator[Candidate]:
    """Targets of a layer that reshapes with one axis more, where one size is a square and an axis is missing."""
    case, layout = evidence.case, evidence.case.layout
    if layout is None or not case.shapes or len(case.shapes[0]) != layout.rank + 1:
        return
    made = _shaped_by(evidence, case.call.operands[0])
    facts = case.graph.facts(made) if made is not None and made.is_layer and made.kind == "reshape" else {}
    target = facts.get("shape")
    if made is None or not facts.get("keeps_batch") or not isinstance(target, tuple) or len(target) != layout.rank:
        return
    for at, size in enumerate(target):
        side = math.isqrt(max(size, 0))
        if side > 1 and side * side == size:
            value = (*target[:at], side, side, *target[at + 1 :])
            yield Candidate((Set(made.layer, "shape", value, target),), 0.5, 1, (f"{size} is {side} x {side}",))


def _shaped_by(evidence: Evidence, value: int) -> Call | None:
    """The call that gave a value its axes, if what came after it keeps their number, as a linear layer does."""
    graph = evidence.case.graph
    for _ in range(8):
        unit = graph.producer.get(value)
        if unit is None or not unit.operands or unit.kind in ("recurrent", "conv_recurrent", "reduce", "reshape"):
            return unit
        if len(graph.recording.shape(unit.operands[0])) != len(graph.recording.shape(value)):
            return None
        value = unit.operands[0]
    return None
