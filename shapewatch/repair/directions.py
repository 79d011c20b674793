"""The state of a bidirectional recurrent layer keeps its directions on axis 0: `[layers x 2, batch, hidden]`.

What takes it, a decoder or a linear layer, mostly wants them brought together first.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.edits import Insert, Module, Set
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Shape, text
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.siblings import numbered
from shapewatch.rules.rule import Case

_WAYS = {"side by side": 0.8, "the last layer's side by side": 0.75, "added": 0.7}
"""How two directions become one, and what speaks for it: side by side nothing is lost."""


def directions_together(evidence: Evidence) -> Iterator[Candidate]:
    case = evidence.case
    states = {place: made for place, value in enumerate(case.call.operands) if (made := _state(case.graph, value))}
    for way, worth in _WAYS.items() if states else ():
        edits = tuple(Insert(case.call.place, place, Module("directions", {"how": way})) for place in states)
        layer = next(iter(states.values())).layer
        yield Candidate(edits, worth, 1, (f"{layer} is bidirectional, and its state has both directions on axis 0",))


def batch_first(evidence: Evidence) -> Iterator[Candidate]:
    """A layer that takes the steps first, as it does if nobody tells it, and is given a state for so many samples as
    axis 0 of the sequences has."""
    case = evidence.case
    if case.call.kind != "recurrent" or case.facts.get("batch_first") is not False or len(case.shapes) < 2:
        return
    given, state = case.shapes[:2]
    if len(given) == len(state) == 3 and state[1] == given[0] != given[1]:
        said = (f"the state is for {given[0]} samples, and that is axis 0 of {text(given)}",)
        yield Candidate((Set(case.call.layer, "batch_first", True, False),), 0.9, 1, said)


def mask_turned(evidence: Evidence) -> Iterator[Candidate]:
    """A padding mask of steps and samples for a layer that takes the steps first, turned to samples and steps. It fits
    as well where the layer is told that the samples come first: a table of positions, `[steps, 1, width]`, tells."""
    case, recording = evidence.case, evidence.case.recording
    if case.call.kind != "attention" or case.facts.get("batch_first") is not False or not case.shapes:
        return
    given = case.shapes[0][:2]
    site: Call | None = case.call
    while site is not None:
        masks = [at for at, value in enumerate(site.operands) if recording.shape(value) == given != given[::-1]]
        around = recording.calls[site.parent] if site.parent is not None else None
        if masks and (around is None or around.span != site.span):
            by_steps = _has_positions_of_steps(case.graph, given)
            said = ("a table of positions is laid along axis 0",) if by_steps else ()
            turned = Insert(site.place, masks[-1], Module("permute", {"dims": (1, 0)}))
            yield Candidate((turned,), 0.9 if by_steps else -0.45, 1, said, needs_proof=True)
            if not by_steps:
                yield _samples_first(case, given)
            return
        site = around


def _samples_first(case: Case, given: Shape) -> Candidate:
    """All layers of a stack told that the samples come first, as the mask has them: told of one alone, the next fails.
    Attention over the samples, which a turned mask would leave as it is, no pass on shapes can tell from one over the
    steps."""
    alike = [layer for layer in case.recording.layers if numbered(layer.path) == numbered(case.call.layer)]
    edits = tuple(Set(layer.path, "batch_first", True, False) for layer in alike)
    along = _has_positions_of_steps(case.graph, given, 1)
    said = ("a table of positions is laid along axis 1",) if along else ()
    return Candidate(edits, 0.7 if along else 0.3, 1, said)


def _has_positions_of_steps(graph: Graph, given: Shape, axis: int = 0) -> bool:
    """Whether a table of one row for each step, on this axis, and one for all samples is added to what comes."""
    table = (given[0], 1) if axis == 0 else (1, given[1])
    shapes = ([graph.recording.shape(value) for value in unit.operands] for unit in graph.units if unit.kind == "add")
    pairs = (pair for pair in shapes if len(pair) == 2 and all(len(shape) == 3 for shape in pair))
    return any(one[:2] == given and other[:2] == table for pair in pairs for one, other in (pair, pair[::-1]))


def _state(graph: Graph, value: int) -> Call | None:
    """The bidirectional layer whose state a value is."""
    made = graph.producer.get(value)
    recurrent = made is not None and made.is_layer and made.kind == "recurrent"
    if made is None or not recurrent or value == made.results[0]:
        return None
    return made if graph.facts(made).get("bidirectional") and "num_layers" in graph.facts(made) else None
