"""What the warnings about the batch have in common: where it lies, how it is known, and where it stands askew."""

from __future__ import annotations

from dataclasses import dataclass

from shapewatch import axes
from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import layout_of
from shapewatch.recording import Call
from shapewatch.rules.rule import Case

PASSES = frozenset({"norm", "activation", "dropout", "same", "identity", "prelu", "squash", "power"})
"""Kinds of calls behind which an axis of one is the same axis of one."""


@dataclass(frozen=True)
class Askew:
    """Two operands of different rank, aligned from the right: the batch of `low` stands against another axis of
    `wide`, whose own batch is elsewhere."""

    low: int
    wide: int
    own: int
    """The axis of `low` that is the batch."""
    met: int
    """The axis of `wide` that it meets."""


def askew(case: Case) -> Askew | None:
    """The operands whose batches do not meet, although the sizes let them; None where no such thing is known."""
    return askew_at(case.graph, case.call)


def askew_at(graph: Graph, call: Call) -> Askew | None:
    lineage, recording = graph.lineage, graph.recording
    if call.is_layer and call.kind != "loss":
        return None  # a merge layer aligns the batch first
    known = [(value, lineage.batch_axes(value)) for value in call.operands if graph.is_activation(value)]
    for low, own in known:
        for wide, others in known:
            rank, least = len(recording.shape(wide)), len(recording.shape(low))
            if least >= rank or len(own) != 1 or not others or not least:
                continue
            met = own[0] + rank - least
            if met in others or recording.shape(low)[own[0]] is None:
                continue
            if lineage.sources(wide)[met] is None and recording.shape(wide)[met] != 1:
                continue  # unknown, it may be the batch
            return Askew(low, wide, own[0], met)
    return None


def of_one_batch(case: Case) -> bool:
    """Whether the branches that meet have one batch: they come from one value, or something shows that the first axis
    of the inputs is it, and not the nodes of a graph."""
    forked = case.junction is not None and case.junction.fork is not None
    return forked or known_as_batch(case.graph) is not None


def one_is_meant(case: Case, value: int, reshaped: bool = True) -> bool:
    """Whether a value's axis of size one was written down as such: kept by a reduction, put there by `unsqueeze`.

    One that is a layer's width, or that the data came with, was not.
    """
    graph, recording = case.graph, case.recording
    for _ in range(12):
        unit = graph.producer.get(value)
        if unit is None or unit.kind in ("linear", "conv", "recurrent", "embedding"):
            return False
        if unit.kind in ("reshape", "unflatten", "flatten") and not reshaped:
            return False
        same = [operand for operand in unit.operands if recording.shape(operand) == recording.shape(unit.results[0])]
        if not unit.operands and unit.parent is None:
            return False  # the data
        if unit.kind not in PASSES | {"add", "sub", "mul", "div", "pool", "resize", "setitem", "loss"} or not same:
            return True
        value = next((operand for operand in same if graph.is_activation(operand)), same[0])
    return True


def known_as_batch(graph: Graph) -> str | None:
    """What shows that the inputs' first axis is a batch and no sequence; None where nothing does."""
    for unit in graph.units:
        for reason in (
            _by_kernel(graph, unit),
            _by_setting(graph, unit),
            _by_positions(graph, unit),
            _by_steps(graph, unit),
        ):
            if reason is not None:
                return reason
    return None


def _has_batch_first(graph: Graph, value: int) -> bool:
    return graph.lineage.batch_axes(value) == (0,)


def _by_kernel(graph: Graph, unit: Call) -> str | None:
    facts = graph.facts(unit)
    layout = layout_of(facts, unit.name)
    if not unit.operands or layout is None or unit.kind not in ("conv", "pool", "norm", "adaptive_pool"):
        return None
    shape = graph.recording.shape(unit.operands[0])
    if len(shape) != layout.rank + 2 or not _has_batch_first(graph, unit.operands[0]):
        return None
    return f"{unit.layer if unit.is_layer else unit.name} takes the inputs' first axis as the batch"


def _by_setting(graph: Graph, unit: Call) -> str | None:
    """A layer that takes sequences, and was told that the batch comes first: it does not by itself."""
    if unit.kind not in ("recurrent", "attention") or not unit.operands or not graph.facts(unit).get("batch_first"):
        return None
    if len(graph.recording.shape(unit.operands[0])) != 3 or not _has_batch_first(graph, unit.operands[0]):
        return None
    return f"{unit.layer if unit.is_layer else unit.name} is told that the batch comes first"


def _by_positions(graph: Graph, unit: Call) -> str | None:
    """Weights that are added with a row for each place of axis 1, and one for all of axis 0."""
    if unit.kind != "add" or len(unit.operands) != 2 or not unit.results:
        return None
    recording = graph.recording
    for value, weights in (unit.operands, unit.operands[::-1]):
        shape, other = recording.shape(value), recording.shape(weights)
        if len(shape) != 3 or not _has_batch_first(graph, value) or graph.is_activation(weights):
            continue
        rows = axes.aligned([shape, other])[1]
        if len(other) >= 2 and rows[0] == 1 and rows[1] == shape[1] and (rows[1] or 0) > 1:
            return "position weights of one row for each place of axis 1 are added to all of axis 0"
    return None


def _by_steps(graph: Graph, unit: Call) -> str | None:
    """One place of axis 1 is taken, or all are averaged: axis 1 is the sequence. One that a reshape has made of the
    features is none, as heads are."""
    if not unit.operands:
        return None
    value = unit.operands[0]
    if len(graph.recording.shape(value)) != 3 or not _has_batch_first(graph, value):
        return None
    if graph.lineage.sources(value)[1] is None:
        return None
    facts = graph.facts(unit)
    items = facts.get("items")
    maker = graph.producer.get(value)
    if maker is None or maker.kind in ("split", "index"):
        return None
    taken = isinstance(items, tuple | list) and len(items) > 1 and items[0] == ":" and isinstance(items[1], int)
    if unit.kind == "index" and taken:
        return "one place of axis 1 is taken behind it, a step of the sequence"
    if unit.kind == "reduce" and facts.get("dim") in (1, -2, (1,), [1]) and unit.name in ("mean", "max", "sum", "amax"):
        return f"a {unit.name} over axis 1 makes all steps of the sequence one"
    return None
