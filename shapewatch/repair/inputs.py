"""What is often wrong with inputs: a missing batch axis, axes in another order, a size that does not divide."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from shapewatch.axes import differ
from shapewatch.edits import Edit, Input
from shapewatch.flow.layout import USUAL_CHANNELS, Layout, layout_of, misplaced_channels
from shapewatch.recording import Layer, Recording, Shape, text
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import listed


def inputs(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    for index, number in enumerate(recording.inputs):
        shape = recording.shape(number)
        if None in shape[1:]:
            continue
        for edit in _input_edits(evidence, index, shape):
            yield evidence.weighed((edit,), 3)


def as_declared(evidence: Evidence) -> Iterator[Candidate]:
    """Inputs of the shapes that the model itself says it takes, where it is given others."""
    recording = evidence.case.recording
    for index, (number, wanted) in enumerate(zip(recording.inputs, _declared(recording), strict=False)):
        given = recording.shape(number)
        if not given or not wanted or None in wanted[1:] or _taken_for(given, wanted):
            continue
        if given[0] is not None and _taken_for(given, wanted[1:]):
            said = (f"the model says that it takes {text(wanted)}",)
            yield Candidate((Input(index, "unsqueeze", {"dim": 0}, (1, *given)),), 1.7, 1, said)
            continue
        sample = (wanted[1], *given[1:])
        yielded = recording.failure.streams.values() if recording.failure is not None else ()
        if given[0] is None and sample == wanted[1:] and sample in yielded:
            said = (f"each of the data is {text(sample)}, and its first axis is taken for the batch",)
            yield Candidate((Input(index, "unsqueeze", {"dim": 0}, (1, *sample)),), 1.7, 1, said)
            continue
        shape = (given[0], *wanted[1:])
        if shape != given:
            said = (f"the model says that it takes {text(wanted)}",)
            yield Candidate((_of_shape(evidence, index, given, shape),), 1.2, 1, said)


def exchanged(evidence: Evidence) -> Iterator[Candidate]:
    """Two inputs in each other's place, where both then have the shapes that the model says it takes."""
    recording = evidence.case.recording
    given, wanted = [recording.shape(number) for number in recording.inputs], _declared(recording)
    odd = [at for at, shape in enumerate(wanted) if not shape or not given[at] or not _taken_for(given[at], shape)]
    if len(odd) != 2 or not all(_taken_for(given[at], wanted[other]) for at, other in (odd, odd[::-1])):
        return
    edits = tuple(Input(at, "exchange", {"with": other}, given[other]) for at, other in (odd, odd[::-1]))
    said = (f"the model says that it takes {listed([text(wanted[at]) for at in odd])}, in this order",)
    yield Candidate(edits, 1.5, 1, said)


def _of_shape(evidence: Evidence, index: int, given: Shape, shape: Shape) -> Input:
    layout = evidence.case.graph.layout
    if layout is not None and layout.fits(given) and len(given) == len(shape):
        axis = layout.channels(given)
        if [at for at in range(len(given)) if given[at] != shape[at]] == [axis]:
            return Input(index, "channels", {"channels": shape[axis], "was": given[axis]}, shape)
    orders = [dims for dims in permutations(range(1, len(given))) if tuple(given[at] for at in dims) == shape[1:]]
    if len(given) == len(shape) and len(orders) == 1 and len(set(given[1:])) == len(given) - 1:
        return Input(index, "permute", {"dims": (0, *orders[0])}, shape)
    return Input(index, "size", {"plain": True}, shape)


def _declared(recording: Recording) -> tuple[Shape, ...]:
    """The shapes that a model says it takes, one for each input; none where it says nothing."""
    outermost = recording.roots
    layer = recording.layer_at.get(outermost[-1].layer) if outermost else None
    takes: tuple[Shape, ...] = layer.facts.get("takes", ()) if layer is not None else ()
    return takes if len(takes) == len(recording.inputs) else ()


def _taken_for(given: Shape, wanted: Shape) -> bool:
    """Whether an input is of the shape that was declared, but for a last axis of size 1, which Keras adds or drops."""
    if len(given) == len(wanted) + 1 and given[-1] == 1:
        given = given[:-1]
    if len(wanted) == len(given) + 1 and wanted[-1] == 1:
        wanted = wanted[:-1]
    return len(given) == len(wanted) and not any(map(differ, given, wanted))


def of_all_alike(evidence: Evidence, edits: tuple[Edit, ...], hops: int) -> Iterator[Candidate]:
    """An input of another size, and with it all others of the shape that it has: two pictures that are compared."""
    recording = evidence.case.recording
    edit = edits[0]
    if len(edits) > 1 or not isinstance(edit, Input) or edit.change != "size":
        return
    alike = [recording.shape(number) == recording.shape(recording.inputs[edit.index]) for number in recording.inputs]
    if sum(alike) > 1:
        every = tuple(replace(edit, index=at) for at, same in enumerate(alike) if same)
        yield replace(evidence.weighed(edits, hops), edits=every)


def swapped(evidence: Evidence, edits: tuple[Edit, ...], hops: int) -> Iterator[Candidate]:
    """If an axis of the input should be as long as another one is, the two may have changed places."""
    recording = evidence.case.recording
    together = _agree_on_samples(recording)
    for edit in edits:
        if not isinstance(edit, Input):
            continue
        given = recording.shape(recording.inputs[edit.index])
        changed = [axis for axis in range(len(given)) if edit.shape[axis] != given[axis]]
        if len(changed) != 1 or (together and changed == [0]):
            continue
        if changed == [len(given) - 1] and _as_wide_as_another(recording, edit.index):
            continue
        (axis,) = changed
        for other in range(len(given) > 3 or together, len(given)):  # nobody takes images' batch for one of their axes
            if other != axis and given[other] == edit.shape[axis]:
                order = list(range(len(given)))
                order[other], order[axis] = order[axis], order[other]
                shape = tuple(given[axis] for axis in order)
                swap = Input(edit.index, "permute", {"dims": tuple(order)}, shape)
                yield replace(evidence.weighed((swap,), hops), evidence=(f"its axis {other} has the size asked for",))


def _as_wide_as_another(recording: Recording, index: int) -> bool:
    """Whether another input ends in the same number of features, so that this one has its axes where that one has."""
    given = [recording.shape(number) for number in recording.inputs]
    own = given[index]
    return any(place != index and len(own) == len(other) and own[-1] == other[-1] for place, other in enumerate(given))


def _agree_on_samples(recording: Recording) -> bool:
    """Whether several inputs have the same number of samples, and no layer reads what comes step by step."""
    given = [recording.shape(number) for number in recording.inputs]
    batches = {shape[0] for shape in given if len(shape) > 1}
    several = sum(len(shape) > 1 for shape in given) > 1
    steps_first = any(layer.facts.get("batch_first") is False for layer in recording.layers)
    return several and len(batches) == 1 and None not in batches and not steps_first


def as_many_samples(evidence: Evidence) -> Iterator[Candidate]:
    """Inputs with another number of samples than the other inputs, all of which have the same."""
    recording = evidence.case.recording
    given = [recording.values[number] for number in recording.inputs]
    for index, value in enumerate(given):
        others = [other for place, other in enumerate(given) if place != index and len(other.shape) > 1]
        batches = {other.shape[0] for other in others}
        if len(value.shape) > 1 and len(batches) == 1 and None not in batches and differ(value.shape[0], *batches):
            (batch,) = batches
            met = {shape[0] for shape in evidence.case.shapes if shape}
            whole = any(each.spec.dtype.startswith("int") for each in (value, *others))
            if whole and not {batch, value.shape[0]} <= met:
                continue  # whole numbers may be the ends of a graph's edges: they have no samples
            edit = Input(index, "batch", {"batch": batch, "was": value.shape[0]}, (batch, *value.shape[1:]))
            named = listed([other.name for other in others if other.name]) if all(o.name for o in others) else ""
            several = len(others) > 1
            said = f"{named or ('the other inputs' if several else 'the other input')} {'have' if several else 'has'}"
            yield replace(evidence.weighed((edit,), 1), evidence=(f"{said} {batch} samples",))


def _input_edits(evidence: Evidence, index: int, shape: Shape) -> Iterator[Input]:
    first = next((layer for layer in evidence.case.recording.layers if layer.kind == "conv"), None)
    layout = None if first is None else layout_of(first.facts) or Layout()
    unbatched = evidence.case.graph.lacks_batch(shape)
    meets = evidence.case.call.kind in (*ELEMENTWISE, "concat", "stack", "index", "einsum")  # not for want of a batch
    few = (len(shape) < 4 and not meets) or unbatched or (evidence.finding.needs_proof and len(shape) < 6)
    if few and None not in shape:
        yield Input(index, "unsqueeze", {"dim": 0, **({"first": True} if unbatched else {})}, (1, *shape))
    if first is not None and layout is not None:
        order = _misplaced(shape, first, layout)
        if order is not None:
            yield Input(index, "permute", {"dims": order}, tuple(shape[axis] for axis in order))
    yield from _in_axes(evidence, index, shape)
    for axis, size in enumerate(shape):
        if size == 1 and len(shape) > 1:
            yield Input(index, "squeeze", {"dim": axis}, (*shape[:axis], *shape[axis + 1 :]))
    if len(shape) >= 4 and (evidence.case.graph.layout is not None or not evidence.finding.wants):
        yield from _other_sizes(evidence, index, shape)


def _in_axes(evidence: Evidence, index: int, shape: Shape) -> Iterator[Input]:
    """A vector of channels for each sample, as maps of one place: what a generator begins with. Samples of one channel
    that have no axis for it."""
    case = evidence.case
    layout = layout_of(case.facts, case.call.name) if case.call.kind in ("conv", "conv_transpose") else None
    takes = case.facts.get("in_channels")
    if layout is not None and takes == 1 and len(shape) == layout.rank + 1 and (shape[0] or 0) > 1:
        after = layout.shape(shape[:1], 1, shape[1:])
        yield Input(index, "unsqueeze", {"dim": layout.channels(after), "lone": True}, after)
    if layout is None or case.call.operands[:1] != (case.recording.inputs[index],) or shape[1:] != (takes,):
        return
    after = layout.shape(shape[:1], takes, (1,) * layout.rank)
    dims = tuple(axis for axis in range(1, len(after)) if axis != layout.channels(after))
    yield Input(index, "unsqueeze", {"dims": dims}, after)


def _misplaced(shape: Shape, first: Layer, layout: Layout) -> tuple[int, ...] | None:
    """The order of axes that brings the channels home, if they stand at the other end. What a lazy layer takes it may
    have got from this very input, so for it the channels of a picture are looked for."""
    expected = USUAL_CHANNELS if first.facts.get("lazy") else (first.facts.get("in_channels", 0),)
    if len(shape) == layout.rank + 2 and shape[layout.channels(shape)] in expected:
        return None
    orders = (misplaced_channels(shape, channels, layout) for channels in expected)
    return next((order for order in orders if order is not None), None)


def _other_sizes(evidence: Evidence, index: int, shape: Shape) -> Iterator[Input]:
    """Sizes next to the present one that divide by powers of two and, where the error's text is all there is to go by,
    sizes that it speaks of."""
    layout = evidence.layout.of_batch(shape)
    sizes = tuple(shape[axis] or 0 for axis in layout.spatial(shape))
    channels = shape[layout.channels(shape)]
    windows = evidence.case.call.kind in ("conv", "pool")  # one that does not fit asks for a larger map, however large
    divided = math.inf if windows else _divided_by(evidence, layout, shape)
    for step in (step for step in (2, 4, 8, 16, 32, 64) if step < 2 * divided):
        for up in (False, True):
            rounded = tuple(max(step, (size + (step - 1 if up else 0)) // step * step) for size in sizes)
            if rounded != sizes:
                resized = layout.shape(shape[:1], channels, rounded)
                yield Input(index, "size", {"size": rounded, "multiple": step}, resized)
    numbers = [int(number) for number in re.findall(r"\d+", evidence.case.message)[:12]]
    if not evidence.finding.wants and any(number in sizes for number in numbers):
        for number in dict.fromkeys(numbers):
            if 8 <= number <= 4096 and number not in sizes:
                wanted = (number,) * len(sizes)
                resized = layout.shape(shape[:1], channels, wanted)
                yield Input(index, "size", {"size": wanted, "said": True}, resized)


def _divided_by(evidence: Evidence, layout: Layout, given: Shape) -> float:
    """By how much the maps of the pass are smaller than its input at most."""
    recording = evidence.case.recording
    shapes = {recording.shape(value) for unit in evidence.case.graph.units for value in unit.results}
    maps = [shape for shape in shapes if len(shape) == len(given) and shape[:1] == given[:1]]
    pairs = ((given[axis], shape[axis]) for shape in maps for axis in layout.spatial(shape))
    return max((one / other for one, other in pairs if one and other), default=1.0)
