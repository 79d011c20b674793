"""Tensors that are made alike are one choice, on however many lines they are made."""

from __future__ import annotations

from collections.abc import Sequence

from shapewatch.edits import Edit, SetCall
from shapewatch.recording import Recording


def wherever_made(edits: Sequence[Edit], recording: Recording) -> tuple[Edit, ...]:
    """The edits; one of a tensor that a function makes of nothing, with the same for every other that the same function
    makes of the same sizes in the same layer: both states of an LSTM."""
    places = {edit.place for edit in edits if isinstance(edit, SetCall)}
    return (*edits, *(other for edit in edits for other in _alike(edit, recording) if other.place not in places))


def _alike(edit: Edit, recording: Recording) -> Sequence[SetCall]:
    here = recording.at(edit.place) if isinstance(edit, SetCall) else None
    if not isinstance(edit, SetCall) or here is None or here.kind != "create":
        return ()
    return [
        SetCall(call.place, edit.argument, edit.value, edit.was)
        for call in recording.calls
        if call is not here and (call.kind, call.layer, call.facts) == (here.kind, here.layer, here.facts)
    ]
