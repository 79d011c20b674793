"""One line of code is one thing, however often it runs: in a loop, or in each layer of a class."""

from __future__ import annotations

from collections.abc import Sequence

from shapewatch.edits import WRITTEN_DOWN, Edit, SetCall
from shapewatch.recording import Call, Recording


def wherever_it_runs(edits: Sequence[Edit], recording: Recording) -> tuple[Edit, ...]:
    """The edits; one of a setting that a line writes down, with the same for every other time that the line ran."""
    places = {edit.place for edit in edits if isinstance(edit, SetCall)}
    return (*edits, *(other for edit in edits for other in _elsewhere(edit, recording) if other.place not in places))


def _elsewhere(edit: Edit, recording: Recording) -> Sequence[SetCall]:
    here = next((call for call in recording.calls if isinstance(edit, SetCall) and call.place == edit.place), None)
    if not isinstance(edit, SetCall) or here is None or here.span is None:
        return ()
    if here.kind == "create":
        return [SetCall(call.place, edit.argument, edit.value, edit.was) for call in _made_alike(here, recording)]
    if edit.argument not in WRITTEN_DOWN:
        return ()
    return [
        SetCall(call.place, edit.argument, edit.value, edit.was)
        for call in recording.calls
        if call is not here and _is_line_of(call, here) and call.facts.get(edit.argument) == edit.was
    ]


def _made_alike(here: Call, recording: Recording) -> list[Call]:
    """What the same function makes of the same sizes: both states of an LSTM."""
    return [
        call
        for call in recording.calls
        if call is not here and (call.kind, call.layer, call.facts) == (here.kind, here.layer, here.facts)
    ]


def _is_line_of(call: Call, here: Call) -> bool:
    return not call.is_layer and (call.name, call.span) == (here.name, here.span)
