"""Sizes that a graph does not know: TensorFlow traces a second time for any size, where one has changed, and what fails
then fails while the graph runs. The line of the program that raised may tell what the model was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shapewatch.adapters.keras.dryrun import probe_of
from shapewatch.adapters.keras.instrument import Instrument
from shapewatch.adapters.passes import Pass
from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape


def with_sizes_of_the_line(recording: Recording, instrument: Instrument) -> Recording:
    """The recording as it is on shapes with the arrays of the line, where it then fails in the same place."""
    failure, call, last = recording.failure, recording.failing_call(), instrument.last
    if failure is None or call is None or last is None or instrument.root is None:
        return recording
    if all(None not in recording.shape(operand)[1:] for operand in call.operands):
        return recording
    given = _given(recording, list(failure.spoken.values()))
    if not given:
        return recording
    instrument.last = Pass(last.blueprint.edited(given), None)
    probe = probe_of(instrument)
    run = None if probe is None else probe.run().recording
    again = None if run is None else run.failing_call()
    if run is None or again is None or again.place != call.place:
        instrument.last = last
        return recording
    return replace(run, failure=replace(failure, call=again.number))


def _given(recording: Recording, arrays: Sequence[Shape]) -> list[Input]:
    """The inputs of unknown sizes, with those of the only array that each may be; none where one cannot be told."""
    found = []
    for index, number in enumerate(recording.inputs):
        shape = recording.shape(number)
        if None not in shape[1:]:
            continue
        fitting = {array[1:] for array in arrays if _may_be(shape[1:], array[1:])}
        if len(fitting) != 1:
            return []
        found.append(Input(index, "size", {}, (shape[0], *fitting.pop())))
    return found


def _may_be(shape: Shape, array: Shape) -> bool:
    return len(shape) == len(array) and all(a is None or a == b for a, b in zip(shape, array, strict=True))
