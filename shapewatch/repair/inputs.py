"""What is often wrong with inputs: a missing batch axis, axes in another order, a size that does not divide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from shapewatch.edits import Edit, Input
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence


def inputs(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    for index, number in enumerate(recording.inputs):
        shape = recording.shape(number)
        if None in shape:
            continue
        for edit in _input_edits(evidence, index, tuple(size or 0 for size in shape)):
            yield evidence.weighed((edit,), 3)


def swapped(evidence: Evidence, edits: tuple[Edit, ...], hops: int) -> Iterator[Candidate]:
    """If an axis of the input should be as long as another one is, the two may have changed places."""
    for edit in edits:
        if not isinstance(edit, Input):
            continue
        given = evidence.case.recording.shape(evidence.case.recording.inputs[edit.index])
        changed = [axis for axis in range(len(given)) if edit.shape[axis] != given[axis]]
        for other in range(len(given)):
            if len(changed) == 1 and other != changed[0] and given[other] == edit.shape[changed[0]]:
                order = list(range(len(given)))
                order[other], order[changed[0]] = order[changed[0]], order[other]
                shape = tuple(given[axis] for axis in order)
                swap = Input(edit.index, "permute", {"dims": tuple(order)}, shape)
                yield replace(evidence.weighed((swap,), hops), evidence=(f"its axis {other} has the size asked for",))


def _input_edits(evidence: Evidence, index: int, shape: tuple[int, ...]) -> Iterator[Input]:
    first = next((layer for layer in evidence.case.recording.layers if layer.kind == "conv"), None)
    unbatched = first is not None and len(shape) == first.facts.get("rank", 2) + 1
    if len(shape) < 4 or unbatched or (evidence.finding.needs_proof and len(shape) < 6):
        yield Input(index, "unsqueeze", {"dim": 0, **({"first": True} if unbatched else {})}, (1, *shape))
    if first is not None:
        rank, channels = first.facts.get("rank", 2), first.facts.get("in_channels", 0)
        if len(shape) == rank + 2 and shape[1] != channels == shape[-1]:
            order = (0, len(shape) - 1, *range(1, len(shape) - 1))
            yield Input(index, "permute", {"dims": order}, tuple(shape[axis] for axis in order))
    if len(shape) >= 4:
        yield from _other_sizes(index, shape, evidence.case.message, not evidence.finding.wants)


def _other_sizes(index: int, shape: tuple[int, ...], message: str, speaks: bool) -> Iterator[Input]:
    """Sizes next to the present one that divide by powers of two and, where the error's text is all there is to go by,
    sizes that it speaks of."""
    sizes = shape[2:]
    for step in (2, 4, 8, 16, 32, 64):
        for up in (False, True):
            rounded = tuple(max(step, (size + (step - 1 if up else 0)) // step * step) for size in sizes)
            if rounded != sizes:
                yield Input(index, "size", {"size": rounded, "multiple": step}, (*shape[:2], *rounded))
    numbers = [int(number) for number in re.findall(r"\d+", message)[:12]]
    if speaks and any(number in sizes for number in numbers):
        for number in dict.fromkeys(numbers):
            if 8 <= number <= 4096 and number not in sizes:
                wanted = (number,) * len(sizes)
                yield Input(index, "size", {"size": wanted, "said": True}, (*shape[:2], *wanted))
