"""What a layer gives, unpacked the other way round: `h, out = self.gru(x)` for `out, h = self.gru(x)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapewatch.adapters.statements import parsed, statement
from shapewatch.edits import RESULT, Insert, Module
from shapewatch.recording import Call, Recording
from shapewatch.repair.another_variable import sites
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.in_turn import turns

_WORTH = 0.9


def unpacked_the_other_way(evidence: Evidence) -> Iterator[Candidate]:
    graph = evidence.case.graph
    recording, known = graph.recording, set()
    for hops, site in sites(evidence):
        for value in site.operands:
            maker = _giving(value, site, recording)
            if maker is None or maker.number in known:
                continue
            known.add(maker.number)
            first, second = (recording.shape(result) for result in maker.results[:2])
            if first != second and _unpacks(statement(maker.span)):
                exchange = Module("exchange", {"from": maker.name})
                edits = tuple(Insert(place, RESULT, exchange) for place in turns(maker, recording))
                yield Candidate(edits, _WORTH - 0.02 * hops, hops + 1, (), needs_proof=True)


def _giving(value: int, site: Call, recording: Recording) -> Call | None:
    """The layer that the forward around a call called, and that gave a value as one of two or more."""
    for call in recording.calls:
        if call.is_layer and call.parent == site.parent and value in call.results and len(call.results) > 1:
            return call
    return None


def _unpacks(source: str | None) -> bool:
    """Whether a line gives two names what one call gives."""
    tree = parsed(source)
    line = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    if not isinstance(line, ast.Assign) or not isinstance(line.value, ast.Call):
        return False
    target = line.targets[0]
    return isinstance(target, ast.Tuple) and len(target.elts) == 2 and all(isinstance(e, ast.Name) for e in target.elts)
