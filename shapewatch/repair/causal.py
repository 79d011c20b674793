"""Causal convolutions that are not cut: padded at both ends by what their window reaches back, they give as many steps
too many, and the last of these see what is to come (Oord et al. 2016, WaveNet; Bai et al. 2018, TCN)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapewatch.adapters.reaches import only
from shapewatch.edits import RESULT, Insert, Module
from shapewatch.recording import Call, Layer, Recording
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.odd_operations import before

_WORTH = 0.9


def cut_behind(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    if recording.framework != "torch":  # Keras pads in front alone, by `padding="causal"`
        return
    for hops, unit in before(evidence):
        if _steps_too_many(unit, recording):
            windows = {layer.path: layer.facts for layer in recording.layers if _has_a_window(layer, unit)}
            alike = {path: _reach(facts) for path, facts in windows.items() if _reach(facts)}
            if len(alike) < max(2, len(windows)):
                return  # one padding of several may as well be a slip
            edits = tuple(
                Insert(f"{path}:{unit.name}:0", RESULT, Module("without_last", {"dim": 2, "count": reach}))
                for path, reach in alike.items()
            )
            said = ("its padding is what its window reaches back, at both ends",)
            yield Candidate(edits, _WORTH - 0.02 * hops, hops + 1, said)
            return


def _has_a_window(layer: Layer, unit: Call) -> bool:
    return layer.type == unit.name and only(layer.facts.get("kernel_size")) > 1


def _steps_too_many(unit: Call, recording: Recording) -> int:
    """How many steps a convolution gives more than it takes, where that is how far its window reaches back."""
    if unit.kind != "conv" or not unit.is_layer or not unit.results:
        return 0
    given, made = recording.shape(unit.operands[0]), recording.shape(unit.results[0])
    reach = _reach(recording.layer_at[unit.layer].facts)
    return reach if len(given) == 3 and (made[2] or 0) - (given[2] or 0) == reach else 0


def _reach(facts: Mapping[str, Any]) -> int:
    """How far the window of a convolution over steps reaches, where it is padded by that, and moves by one step."""
    kernel, padding = only(facts.get("kernel_size")), only(facts.get("padding"))
    dilation, stride = only(facts.get("dilation", 1)), only(facts.get("stride", 1))
    return padding if padding == (kernel - 1) * dilation and stride == 1 else 0
