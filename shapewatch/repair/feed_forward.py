"""The last layer of a feed-forward part whose sum is to keep the width of its block.

A block of a transformer adds twice, what its attention gives and what its feed-forward part gives, to one stream. Where
the first sum keeps the width of the stream, a second one that does not is no place for a projection: the part is made
wider in its middle, and its last layer is to give the width back. Layers that find out by themselves what they are
given (Keras, lazy modules) would take the wider stream without a word, so that it runs tells nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapewatch.edits import Set
from shapewatch.flow.junctions import Branch, Junction
from shapewatch.recording import Layer, spoken
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_WORTH = 0.7

_BY_PLACE = frozenset({"activation", "squash", "dropout", "norm", "identity", "same"})
"""Kinds of calls that do the same at every place, besides linear layers and convolutions of single places."""

_WIDTH = {"linear": "out_features", "conv": "out_channels"}


def given_back(evidence: Evidence) -> Iterator[Candidate]:
    """The width of the skip for the last layer of the main branch, in all that its line makes alike."""
    junction = evidence.case.junction
    branches = _skip_and_main(junction) if junction is not None and junction.status != "ok" else None
    if junction is None or branches is None:
        return
    skip, main = branches
    learned = _feed_forward(evidence, main)
    other = _kept_elsewhere(evidence, junction, skip)
    width = skip.shape[-1] if len(skip.shape) == len(main.shape) > 1 else None
    if len(learned) < 2 or other is None or not width or skip.shape[:-1] != main.shape[:-1]:
        return
    last = learned[-1]
    argument = _WIDTH[last.kind]
    was = last.facts.get(argument)
    if was == main.shape[-1]:
        others = [layer for layer in _made_with(evidence, junction, learned) if layer.facts.get(argument) == was]
        edits = tuple(Set(layer.path, argument, width, was) for layer in (last, *others))
        where = f"of {spoken(junction.block)}" if junction.block else "before it"
        yield Candidate(edits, _WORTH, 1, (f"the other sum {where} keeps the width of {width}",))


def _made_with(evidence: Evidence, junction: Junction, learned: Sequence[Layer]) -> Sequence[Layer]:
    """The other layers that are made where the last one is. Where its line makes several of a block, those at its place
    among them in the other blocks."""
    last, recording = learned[-1], evidence.case.recording
    of_line = [layer for layer in recording.layers if (layer.defined, layer.type) == (last.defined, last.type)]
    block = recording.layer_at.get(junction.block) if junction.block else None
    if last.defined is None:
        return ()
    if block is None:
        return () if learned[-2] in of_line else [layer for layer in of_line if layer.path != last.path]
    blocks = [layer.path for layer in recording.layers if layer.type == block.type]
    rows = {path: [layer for layer in of_line if layer.path.startswith(f"{path}.")] for path in blocks}
    own = rows.pop(junction.block)
    at = next((at for at, layer in enumerate(own) if layer.path == last.path), len(own))
    return [row[at] for row in rows.values() if len(row) == len(own) > at]


def _skip_and_main(junction: Junction) -> tuple[Branch, Branch] | None:
    """The branches of a residual sum: one that comes unchanged, and one that does not."""
    if junction.kind != "add" or len(junction.branches) != 2:
        return None
    unchanged = [branch for branch in junction.branches if all(step.kind == "identity" for step in branch.path)]
    changed = [branch for branch in junction.branches if branch not in unchanged]
    return (unchanged[0], changed[0]) if len(unchanged) == len(changed) == 1 else None


def _feed_forward(evidence: Evidence, main: Branch) -> Sequence[Layer]:
    """The layers with weights of a branch that does the same at every place; none of any other."""
    found = []
    for step in main.path:
        layer = evidence.case.recording.layer_at.get(step.layer or "")
        single = layer is not None and set(layer.facts.get("kernel_size") or ()) <= {1}
        if step.kind == "linear" or (step.kind == "conv" and single):
            if layer is None:
                return ()
            found.append(layer)
        elif step.kind not in _BY_PLACE:
            return ()
    return found


def _kept_elsewhere(evidence: Evidence, junction: Junction, skip: Branch) -> Junction | None:
    """Another residual sum of the same block, on another line, that keeps the width which the skip has here."""
    for other in evidence.junctions:
        branches = _skip_and_main(other) if other.status == "ok" and other.block == junction.block else None
        if branches is None or other.location is None or junction.location is None:
            continue
        here, there = ((each.file, each.function) for each in (junction.location, other.location))
        apart = here == there and other.location.line != junction.location.line
        attends = any(step.kind == "attention" for step in branches[1].path)
        same = branches[0].shape[-1:] == branches[1].shape[-1:] == skip.shape[-1:]
        if apart and same and (attends or _is_of_a_block(evidence, junction)):
            return other
    return None


def _is_of_a_block(evidence: Evidence, junction: Junction) -> bool:
    """Whether it stands in a layer of the model that the program made a class for, and not in the model itself."""
    layer = evidence.case.recording.layer_at.get(junction.block)
    return bool(junction.block) and layer is not None and not junction.is_layer and layer.kind == "module"
