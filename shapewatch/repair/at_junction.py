"""What could be put on a branch so that it fits at the junction, and where the model's other blocks keep it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.edits import Edit, Insert, Replace
from shapewatch.junctions import Junction
from shapewatch.recording import Shape
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.projection import projections
from shapewatch.rules.rule import Case, listed


def at_junction(evidence: Evidence, junction: Junction) -> Iterator[Candidate]:
    for branch in junction.branches:
        others = [other for other in junction.branches if other is not branch]
        prior = 0.0 if branch.role == "skip" else -0.5
        for other in others:
            wanted = _wanted_shape(junction, branch.shape, other.shape, evidence.case)
            place, support, phrase = _where(evidence, junction, branch.operand)
            for rank, module in enumerate(projections(junction, branch, wanted)):
                learned = module.kind in ("conv", "sequence", "linear")
                edit: Edit = (
                    Replace(place, module)
                    if place is not None and learned
                    else Insert(evidence.case.call.place, branch.operand, module)
                )
                worth = 0.9 * support if learned and phrase else -0.25
                if any(step.kind in ("conv", "linear") for step in branch.path):
                    worth = -0.7  # there is a projection already
                if module.kind in ("resize", "pad") and junction.kind != "concat":
                    worth = -0.7
                said = (phrase,) if phrase and learned else ()
                yield Candidate((edit,), prior + worth - 0.3 * rank, 1, said)


def _where(evidence: Evidence, junction: Junction, operand: int) -> tuple[str | None, float, str | None]:
    """The place in the block where its siblings keep a projection, how many of them do (from -1 to 1), and who."""
    branch = next(b for b in junction.branches if b.operand == operand)
    empty = [step.layer for step in branch.path if step.kind == "identity" and step.layer]
    asked = 0.0
    having: dict[str, list[tuple[str, float]]] = {}
    for weight, others in evidence.siblings.groups_of(junction.layer):
        for other in others:
            asked += weight / len(others)
            for name in _projections_of(evidence, other):
                having.setdefault(name, []).append((other, weight / len(others)))
    for name, blocks in having.items():
        place = f"{junction.layer}.{name}"
        layer = evidence.case.recording.layer_at.get(place)
        if layer is None or place in empty or layer.kind == "identity":
            support = 2 * sum(weight for _, weight in blocks) / asked - 1
            shown = list(dict.fromkeys(other for other, _ in blocks))[:3]
            phrase = f"{listed(shown)} {'have' if len(shown) > 1 else 'has'} one, `{name}`"
            return place, support, phrase if support > 0 else None
    return (empty[0] if empty else None), -0.2, None


def _projections_of(evidence: Evidence, block: str) -> list[str]:
    layers = evidence.case.recording.layer_at
    depth = block.count(".") + 1
    inside = [path for path in layers if path.startswith(block + ".") and path.count(".") == depth]
    return [path.rpartition(".")[2] for path in inside if _projects(evidence, path)]


def _projects(evidence: Evidence, path: str) -> bool:
    """Whether a layer looks like a projection: a convolution or linear layer under one of the usual names."""
    name = path.rpartition(".")[2]
    if not re.search(r"down|short|skip|proj|identity|residual|match|adapt", name):
        return False
    layers = evidence.case.recording.layer_at
    inner = [layer for key, layer in layers.items() if key == path or key.startswith(path + ".")]
    return any(layer.kind in ("conv", "linear") for layer in inner)


def _wanted_shape(junction: Junction, given: Shape, other: Shape, case: Case) -> Shape:
    """What an operand has to become to meet another: all of it, or for a concat all but the axis joined along."""
    if junction.kind != "concat" or len(given) != len(other):
        return other
    along = case.call.facts.get("dim", 0) % max(len(given), 1)
    return tuple(size if axis == along else other[axis] for axis, size in enumerate(given))
