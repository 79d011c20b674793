"""A part of the program's own that is constructed for another width than comes: `SqueezeExcite(inputs)` behind layers
that give `hidden`.

Where its class says one parameter for what comes in and for what it gives again, both change with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.adapters.arguments import WIDTHS, parameter_for
from shapewatch.edits import Set
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_WORTH = 0.6


def made_with_another_width(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    for edits in evidence.finding.own:
        edit = edits[0]
        layer = recording.layer_at.get(edit.layer) if isinstance(edit, Set) and len(edits) == 1 else None
        if not isinstance(edit, Set) or layer is None or "." not in layer.path:
            continue
        name = parameter_for(layer, edit.argument)
        owner = layer.path.rpartition(".")[0]
        beside = [each for each in recording.layers if each.path.rpartition(".")[0] == owner]
        alike = [
            Set(each.path, argument, edit.value, edit.was)
            for each in beside
            for argument in WIDTHS
            if name is not None and each.facts.get(argument) == edit.was
            if parameter_for(each, argument) == name
        ]
        goes_round = any(each.argument.startswith("out_") for each in alike)  # else it is one block's input
        if goes_round and len(alike) > 1 and edit in alike:
            yield Candidate(tuple(alike), _WORTH, 1, (f"`{name}` says it for {len(alike)} of its sizes",))
