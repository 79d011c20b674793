"""What remains at the end of a pipeline of data: shorter windows, which make no batch with the others, and a
smaller last batch, for which a layer has no state."""

from __future__ import annotations

import re
from dataclasses import replace

from shapewatch.diagnose.lengths import NOT_TRIED
from shapewatch.recording import Failure, Recording, Shape, text
from shapewatch.repair.pipelines import Remaining, batch_that_ends_short, is_shuffled, windows_that_end_short
from shapewatch.report import Cause, Diagnosis, Fix

_SHAPE = re.compile(r"\[(\d+(?:,\s*\d+)*)\]")

_BATCHES = re.compile(r"Expected batch size: (\d+)\W+Received batch size: (\d+)")


def or_remaining(told: Diagnosis, recording: Recording) -> Diagnosis:
    """The diagnosis of a message; where sizes differ as those of what remains do, with the line that keeps it."""
    failure = recording.failure
    if failure is None or failure.span is None:
        return told
    sizes = _sizes(failure)
    if told.code == "SW902" and sizes is not None:
        return _windows(told, sizes, failure, recording.framework)
    return _last_batch(told, recording, failure)


def _windows(told: Diagnosis, sizes: tuple[Shape, Shape], failure: Failure, framework: str) -> Diagnosis:
    short, whole = sizes
    for file in dict.fromkeys(span.file for span in (failure.span, *reversed(failure.stack)) if span is not None):
        found = windows_that_end_short(file)
        if found and _are_windows(short[0] or 0, whole[0] or 0, found[0], is_shuffled(file)):
            reason = (
                f"`window` keeps the windows at the end, which run past the data: samples of {text(short)} "
                f"beside {text(whole)}"
            )
            explanation = "Samples of one batch must all have one shape, because a new axis is put in front of them."
            return _dropped(replace(told, explanation=explanation), found, reason, framework)
    return told


def _last_batch(told: Diagnosis, recording: Recording, failure: Failure) -> Diagnosis:
    """A layer that keeps its state is given a batch which is smaller than those that it was built for."""
    stateful = [layer for layer in recording.layers if "stateful=True" in layer.made_by]
    sizes, said = _sizes(failure), _BATCHES.search(failure.message)
    short, whole = (sizes[0][0], sizes[1][0]) if sizes is not None else (None, None)
    if said is not None:
        whole, short = map(int, said.groups())
    file = failure.span.file if failure.span is not None and stateful else None
    found = None if file is None else batch_that_ends_short(file, recording)
    if found is None or short is None or whole is None or short >= whole or found.count not in (None, whole):
        return told
    reason = f"{stateful[0].path} keeps a state for {whole} samples, and the last batch has {short}"
    explanation = "A stateful layer keeps a state for each sample of a batch, so every batch has to be as large."
    return _dropped(replace(told, explanation=explanation), [found], reason, recording.framework)


def _are_windows(short: int, whole: int, windows: Remaining, shuffled: bool) -> bool:
    """Whether two lengths can be those of a window and of the first that runs past the end; shuffled, of any."""
    too_long = windows.count is not None and whole > windows.count
    return not too_long and (shuffled or windows.shift is None or whole - short <= windows.shift)


def _dropped(told: Diagnosis, found: list[Remaining], reason: str, framework: str) -> Diagnosis:
    edit = {"action": "data", "argument": "drop_remainder", "value": True}
    fixes = [Fix(f"`{each.call}`", each.code, edit, (), framework, None, NOT_TRIED) for each in found]
    cause = Cause(None, found[0].method, found[0].line, reason)
    return replace(told, cause=cause, fixes=tuple(fixes), suspects=())


def _sizes(failure: Failure) -> tuple[Shape, Shape] | None:
    """The two shapes of which a message speaks, the shorter one first, where they differ on their first axis alone."""
    shapes = {tuple(map(int, found.split(","))) for found in _SHAPE.findall(failure.message)}
    if len(shapes) != 2:
        return None
    short, whole = sorted(shapes)
    return (short, whole) if short[1:] == whole[1:] and short[0] < whole[0] else None
