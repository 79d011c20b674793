"""A layer that a class makes and never calls: `self.shortcut`, or `self.bn2` where `self.bn1` is called twice.

Nobody makes a layer for nothing. Where everything fits once it is called, on a value on the way to the failure or in
the place of another of its kind that is called twice, the forward has the mistake in it, and no layer is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shapewatch.adapters.uncalled import Mention, mentions, never_called
from shapewatch.edits import Insert, Module
from shapewatch.recording import Call, Layer, Recording
from shapewatch.repair.another_variable import sites
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_WORTH = 0.95
_WORTH_OF_ITS_TURN = 0.1
"""That a layer would run between those that are made before it and behind it."""

_MOST = 12
"""So many are tried: each costs a pass."""

_KEEPING = frozenset({"activation", "dropout", "identity", "norm", "prelu", "squash"})
"""Kinds of layers that give what they are given its own shape: with none of them anything fits that did not."""


@dataclass(frozen=True)
class Forward:
    """A layer whose forward leads to the failure, and those in it that are never called, by attribute."""

    holder: Layer
    uncalled: Mapping[str, Layer]


def uncalled_layers(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    found: list[Candidate] = []
    forwards: dict[str, Forward | None] = {}
    for hops, site in sites(evidence):
        if site.parent is None or site.span is None:
            continue
        for path in _around(recording.calls[site.parent].layer, recording):
            if path not in forwards:
                forwards[path] = _forward(path, site, recording)
            forward = forwards[path]
            if forward is not None:
                found += _instead(forward, site, hops, recording)
                found += _on_operands(forward, site, hops, evidence)
    best = {repr(candidate.edits): candidate for candidate in reversed(found)}
    yield from islice(sorted(best.values(), key=lambda candidate: -candidate.score), _MOST)


def _around(path: str, recording: Recording) -> Sequence[str]:
    """The layer that runs a call, and the one around it where that is a row, which may be made of its layers."""
    layer = recording.layer_at.get(path)
    return (path, path.rpartition(".")[0]) if layer is not None and layer.type == "Sequential" else (path,)


def _forward(path: str, site: Call, recording: Recording) -> Forward | None:
    """The layer at a path, with what it holds and has never called."""
    holder = recording.layer_at.get(path)
    if holder is None or site.span is None:
        return None
    begin = f"{path}." if path else ""
    called = {call.layer for call in recording.calls if call.is_layer}
    held = {
        layer.path.removeprefix(begin): layer
        for layer in recording.layers
        if layer.path.startswith(begin) and layer.path.removeprefix(begin).isidentifier()
    }
    silent = {
        name: layer
        for name, layer in held.items()
        if layer.path not in called and not any(one.startswith(f"{layer.path}.") for one in called)
    }
    names = never_called(silent, holder.type, site.span)
    return Forward(holder, {name: silent[name] for name in silent if name in names}) if names else None


# On a value on the way


def _on_operands(forward: Forward, site: Call, hops: int, evidence: Evidence) -> Iterator[Candidate]:
    graph = evidence.case.graph
    for name, layer in forward.uncalled.items():
        if layer.kind in _KEEPING:
            continue
        for operand, value in enumerate(site.operands):
            if not graph.is_activation(value):
                continue
            edits = tuple(_wherever(forward, site, operand, name, None, evidence.case.recording))
            worth = _WORTH - 0.02 * hops + _WORTH_OF_ITS_TURN * _turn(layer, site, value, evidence)
            yield Candidate(edits, worth, hops, (), needs_proof=True)


def _turn(layer: Layer, site: Call, value: int, evidence: Evidence) -> int:
    """How well a layer would stand in the order in which the layers beside it are made."""
    case = evidence.case
    order = {each.path: number for number, each in enumerate(case.recording.layers)}
    maker = case.graph.producer.get(value)
    score = 0
    if site.is_layer and site.layer in order:
        score += 1 if order[layer.path] < order[site.layer] else -1
    if maker is not None and maker.is_layer and maker.layer in order:
        score += 1 if order[maker.layer] < order[layer.path] else -1
    return score


# In the place of another


def _instead(forward: Forward, site: Call, hops: int, recording: Recording) -> Iterator[Candidate]:
    """Layers of the kind of one that the forward calls twice: each alone, and all that a line would have to change."""
    if site.span is None or not site.is_layer:
        return
    every = mentions(site.span)
    line = [each for each in every if site.span.line in each.lines]
    repeated = [each for each in line if sum(other.name == each.name for other in every) > 1]
    changes: list[tuple[Insert, ...]] = []
    for mention in repeated:
        options = list(_of_its_kind(forward, mention, recording))
        changes += [tuple(_wherever(forward, site, 0, name, mention, recording)) for name in options]
    if len({each.name for each in repeated}) > 1:
        pairs = [(each, next(iter(_of_its_kind(forward, each, recording)), None)) for each in repeated]
        together = [
            edit
            for mention, name in pairs
            if name is not None
            for edit in _wherever(forward, site, 0, name, mention, recording)
        ]
        changes.append(tuple(together))
    for edits in changes:
        if edits:
            yield Candidate(edits, _WORTH + _WORTH_OF_ITS_TURN - 0.02 * hops, hops, (), needs_proof=True)


def _of_its_kind(forward: Forward, mention: Mention, recording: Recording) -> Iterator[str]:
    """The uncalled layers of the type of the one that is mentioned, those first that are made behind it."""
    layer = recording.layer_at.get(_within(forward.holder.path, mention.name))
    if layer is None:
        return
    order = [each.path for each in recording.layers]
    alike = [name for name, other in forward.uncalled.items() if other.type == layer.type]
    behind = order.index(layer.path)
    yield from sorted(alike, key=lambda name: order.index(forward.uncalled[name].path) < behind)


def _wherever(
    forward: Forward, site: Call, operand: int, name: str, mention: Mention | None, recording: Recording
) -> Iterator[Insert]:
    """The change wherever its line runs: in every layer of the class, also in those that have not run yet."""
    holder = forward.holder
    for other in (holder, *(each for each in recording.layers if each.type == holder.type and each is not holder)):
        own = recording.layer_at.get(_within(other.path, name))
        if own is None:
            continue
        arguments = {"layer": own.path, "name": name}
        if mention is not None:
            called = recording.layer_at.get(_within(other.path, mention.name))
            if called is not None:
                place = f"{called.path}:{called.type}:{mention.earlier}"
                yield Insert(place, operand, Module("own", {**arguments, "instead": mention.name, "span": site.span}))
            continue
        for place in _places(site, holder, other, recording):
            yield Insert(place, operand, Module("own", arguments))


def _places(site: Call, holder: Layer, other: Layer, recording: Recording) -> Sequence[str]:
    """Where a line runs in a layer of the class: as often as in the one that is known to have run."""
    runs = [
        call.place
        for call in recording.calls
        if (call.name, call.span, call.is_layer) == (site.name, site.span, site.is_layer)
        and (call.layer == site.layer if call.is_layer else _runs_in(call, recording) == holder.path)
    ]
    return [f"{other.path}{place.removeprefix(holder.path)}" for place in dict.fromkeys(runs or [site.place])]


def _runs_in(call: Call, recording: Recording) -> str | None:
    return recording.calls[call.parent].layer if call.parent is not None else None


def _within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
