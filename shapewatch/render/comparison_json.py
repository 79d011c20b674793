"""Where two recorded passes part, as JSON: what the text tells, and every call that differs."""

from __future__ import annotations

import json
from typing import Any

from shapewatch import codec
from shapewatch.flow.differences import Differs, Match, OnlyIn, Side
from shapewatch.render.comparison import Compared, place_of
from shapewatch.render.json import visible

SCHEMA = 1
"""Version of the JSON; raised when a name in it changes its meaning or goes."""


def as_data(compared: Compared) -> dict[str, Any]:
    """The comparison as JSON-ready data; calls are told with their layer, place and shapes."""
    comparison = compared.comparison
    differences = [_data(compared, each) for each in comparison.entries if not isinstance(each, Match)]
    return {
        "schema": SCHEMA,
        "same": comparison.same,
        "a": _side_data(compared, 0),
        "b": _side_data(compared, 1),
        "inputs": codec.encode(comparison.inputs),
        "first": next((each for each in differences if not each["follows"]), None),
        "differences": differences,
        "matches": comparison.matches,
        "consequences": comparison.consequences,
        "batches": codec.encode(comparison.batches),
        "layouts_differ": comparison.layouts_differ,
    }


def as_json(compared: Compared) -> str:
    """The comparison as indented JSON, with escapes for characters that cannot be seen."""
    return visible(json.dumps(as_data(compared), indent=2, ensure_ascii=False))


def _side_data(compared: Compared, index: int) -> dict[str, Any]:
    recording = (compared.a, compared.b)[index]
    failure = recording.failure
    return {
        "file": compared.names[index],
        "framework": recording.framework,
        "calls": len(recording.calls),
        "failure": None if failure is None else {"type": failure.type, "message": failure.message},
    }


def _data(compared: Compared, entry: OnlyIn | Differs) -> dict[str, Any]:
    if isinstance(entry, OnlyIn):
        calls = [_call_data(compared, entry.side, number) for number in entry.calls]
        return {"kind": "only", **codec.encode(entry), "calls": calls}
    sides = {"a": _call_data(compared, "a", entry.a), "b": _call_data(compared, "b", entry.b)}
    return {"kind": "differs", **codec.encode(entry), **sides}


def _call_data(compared: Compared, side: Side, number: int) -> dict[str, Any]:
    recording = compared.recording(side)
    call = recording.calls[number]
    layer = recording.layer_at.get(call.layer) if call.is_layer else None
    return {
        "call": number,
        "layer": call.layer,
        "name": call.name,
        "type": layer.type if layer is not None else None,
        "location": codec.encode(place_of(recording, call)),
        "output_shapes": codec.encode(tuple(recording.shape(result) for result in call.results)),
    }
