"""What passes on shapes and is no repair: sizes that fit by chance.

A dry run tells that sizes fit, not that they mean the same. A layer as wide as this batch is, a size of an input that
makes one product come out, operands that are both repeated to meet: with these the pass runs, and computes nothing that
was meant. So a number that a candidate brings is tried with other batches and other lengths beside it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from shapewatch.adapters import Trial
from shapewatch.edits import RESULT, Edit, Input, Insert, Replace, Set, SetCall, place_layer
from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import layout_of
from shapewatch.recording import Recording, Shape, Size, TensorSpec
from shapewatch.rules.batch import askew_at
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case

_PRIMES = (5, 7, 11, 13, 3, *range(1009, 3001))
"""How many times a size is taken; the numbers after the primes are there so that one of them is free."""

_STEPS = (32, 64, -1, 1)
"""By how much an input is made larger to see whether other sizes would do as well."""

_FOR_ANY_LENGTH = frozenset({"norm", "conv", "recurrent"})
"""Kinds of layers that are made for no length; a linear layer or a table may be."""

_WINDOW = frozenset({"stride", "kernel_size", "dilation", "padding"})

_MET = ELEMENTWISE | {"matmul", "concat", "einsum"}


def meet_by_chance(edits: Sequence[Edit], trial: Trial, case: Case) -> bool:
    """Whether operands that did not fit now meet in a way that computes something else than the one that was meant:
    both are repeated, each along an axis of the other's; or their batches are askew; or a convolution has shrunk one to
    a single place, which is repeated for all places of the other."""
    if case.call.kind not in ELEMENTWISE or case.call.is_layer:
        return False
    recording = trial.recording
    here = next((call for call in recording.calls if call.place == case.call.place and call.finished), None)
    if here is None or len(here.operands) != 2 or not here.results:
        return False
    result = recording.shape(here.results[0])
    operands = [recording.shape(operand) for operand in here.operands]
    if here.kind == "loss":  # what it gives is one number, and tells nothing
        return case.facts.get("labels") == "same" and operands[0] != operands[1]
    kept = any(isinstance(edit, SetCall) and edit.argument == "keepdim" for edit in edits)
    if all(shape != result for shape in operands) and not (kept and _meets_its_like(recording, here.results[0])):
        return True
    if askew_at(Graph(recording), here) is not None:
        return True
    changes_sizes = _slide_windows(edits, case) or any(isinstance(e, Input) and e.change == "size" for e in edits)
    return changes_sizes and any(map(_is_one_place_of, case.shapes, operands, (result, result)))


def _meets_its_like(recording: Recording, table: int) -> bool:
    """Whether a table of all rows beside all columns meets one of its own shape that was made otherwise: the squares of
    a distance, and the product."""
    shape = recording.shape(table)
    return any(
        table in call.operands and call.kind in ELEMENTWISE and operand != table and recording.shape(operand) == shape
        for call in recording.calls
        for operand in call.operands
    )


def joined_askew(edits: Sequence[Edit], trial: Trial, case: Case) -> bool:
    """Whether heads in front of the steps are joined without going back behind them: `[B, heads, T, width]` laid out as
    `[B, T, heads * width]` mixes steps, and every size fits; as `[B, heads, T * width]` it fits a layer that is not
    built yet."""
    if not any(isinstance(edit, Insert) and edit.operand == RESULT for edit in edits):
        return False
    recording = trial.recording
    places = {edit.place for edit in edits if isinstance(edit, Insert)}
    inside = set(map(place_layer, places))
    splits = [call for call in case.recording.calls if call.place in places and call.kind in ("reshape", "unflatten")]
    split = {case.recording.shape(call.results[0])[1:3] for call in splits if call.results}
    if places - {call.place for call in recording.calls}:
        return True  # what was to be turned back never came
    for call in recording.calls:
        if call.kind not in ("reshape", "flatten") or call.layer not in inside or not call.finished:
            continue
        before, after = recording.shape(call.operands[0]), recording.shape(call.results[0])
        joined = len(before) == 4 and len(after) == 3 and before[1] != before[2]
        if joined and (after[1] == before[2] or before[2:0:-1] in split):
            return True
    return False


def _slide_windows(edits: Sequence[Edit], case: Case) -> bool:
    """Whether the windows of a convolution or a pooling are changed. A pooling may be there to leave one place, as a
    gate's does: then its window is the whole map."""
    layers = case.recording.layer_at
    windows = [e for e in edits if isinstance(e, Set) and e.argument in _WINDOW and e.layer in layers]
    return any(
        layers[edit.layer].kind in ("conv", "conv_transpose")
        or (layers[edit.layer].kind == "pool" and edit.value not in _whole_maps(edit.layer, case.recording))
        for edit in windows
    )


def _whole_maps(layer: str, recording: Recording) -> Iterator[Shape]:
    """How large the maps are that a layer was given."""
    facts = recording.layer_at[layer].facts
    layout = layout_of(facts)
    for call in recording.calls:
        if call.is_layer and call.layer == layer and layout is not None:
            shape = recording.shape(call.operands[0])
            yield tuple(shape[axis] for axis in layout.spatial(shape))


def _is_one_place_of(before: Shape, after: Shape, result: Shape) -> bool:
    """Whether an operand that had several places along an axis has one now, and is repeated along it."""
    if not len(before) == len(after) == len(result):
        return False
    return any(was != 1 == now != size for was, now, size in zip(before, after, result, strict=True))


def other_lengths(edits: Sequence[Edit], case: Case) -> Iterator[list[Edit]]:
    """The inputs with another batch, and with other lengths, where a number that the edits bring is theirs by now."""
    recording = case.recording
    specs = [recording.values[number].spec for number in recording.inputs]
    given = [spec.shape for spec in specs]
    shapes = _as_asked(edits, given)
    brought = {size for edit in edits for size in _brought(edit, recording)} - {None, 0, 1}
    known = {size for value in recording.values for size in value.shape}
    if _batch_of(shapes) in brought:
        yield _of_another_batch(shapes, known)
    if _may_be_made_for_a_length(edits, case):
        return
    asked = {edit.index for edit in edits if isinstance(edit, Input)}
    varying = [(at, axis) for at in asked or range(len(given)) for axis in _lengths(specs[at], case)]
    for length in sorted(size for size in {given[at][axis] for at, axis in varying} & brought if size is not None):
        other = _another(length, known)
        here = {(at, axis) for at, axis in varying if given[at][axis] == length}
        varied = [
            tuple(other if (at, axis) in here else size for axis, size in enumerate(shape))
            for at, shape in enumerate(shapes)
        ]
        concerned = [at for at, shape in enumerate(varied) if length in given[at][1:] or shape != given[at]]
        yield [Input(at, "size", {}, varied[at]) for at in concerned]


def with_another_batch(edits: Sequence[Edit], case: Case) -> list[Edit]:
    """The inputs with another batch, for a change of layers or of the axes that operations run along. Sizes that are
    given to an operation may have the batch in them, and an input that is asked for has its own."""
    recording = case.recording
    if not all(isinstance(e, Set) or (isinstance(e, SetCall) and e.argument in ("dim", "keepdim")) for e in edits):
        return []
    shapes = [recording.shape(number) for number in recording.inputs]
    known = {size for value in recording.values for size in value.shape}
    is_batched = case.graph.lineage.batch is not None and _batch_of(shapes) not in (None, 0, 1)
    return _of_another_batch(shapes, known) if is_batched else []


def _batch_of(shapes: Sequence[Shape]) -> Size:
    return shapes[0][0] if shapes and shapes[0] else None


def _of_another_batch(shapes: Sequence[Shape], known: Container[Size]) -> list[Edit]:
    batch = _batch_of(shapes)
    other = _another(batch or 0, known)
    return [Input(at, "size", {}, (other, *shape[1:])) for at, shape in enumerate(shapes) if shape[:1] == (batch,)]


def _another(size: int, known: Container[Size]) -> int:
    """A size that nothing has, and that divides by whatever this one does."""
    return next(size * prime for prime in _PRIMES if size * prime not in known)


def _as_asked(edits: Sequence[Edit], given: Sequence[Shape]) -> list[Shape]:
    shapes = list(given)
    for edit in edits:
        if isinstance(edit, Input) and edit.shape[:1] == shapes[edit.index][:1]:
            shapes[edit.index] = edit.shape
    return shapes


def _may_be_made_for_a_length(edits: Sequence[Edit], case: Case) -> bool:
    """Whether a layer refuses its input that may know one length alone, or that takes what the model is given."""
    if not case.call.is_layer:
        return False
    begins = case.call.operands[:1] and case.call.operands[0] in case.recording.inputs
    asks = any(isinstance(edit, Input) for edit in edits)
    return case.call.kind not in _FOR_ANY_LENGTH or bool(begins) or asks


def _lengths(given: TensorSpec, case: Case) -> list[int]:
    """The axes of an input of which there may be any number: neither its batch nor its channels or features. What is
    counted in integers are tokens, which have none."""
    layout, shape = case.graph.layout, given.shape
    features: int | None = None if "int" in given.dtype else len(shape) - 1
    if layout is not None and layout.fits(shape):
        features = layout.channels(shape)
    return [axis for axis in range(1, len(shape)) if axis != features]


def _brought(edit: Edit, recording: Recording) -> tuple[Size, ...]:
    """The numbers that an edit brings; of an input those of its axes behind the first."""
    if isinstance(edit, Input):
        given = recording.shape(recording.inputs[edit.index])
        if len(given) != len(edit.shape) or given[0] != edit.shape[0]:
            return ()
        return tuple(size for size, was in zip(edit.shape, given, strict=True) if size != was)
    if isinstance(edit, Insert) and edit.module.kind in ("narrow", "cover"):  # which the program takes from what comes
        return ()
    if isinstance(edit, Insert | Replace):
        return tuple(value for value in edit.module.arguments.values() if isinstance(value, int))
    if not isinstance(edit, Set | SetCall) or _makes_sizes(edit, recording):
        return ()
    was, value = (sizes if isinstance(sizes, tuple) else (sizes,) for sizes in (edit.was, edit.value))
    return tuple(size for size in value if size not in was)


def _makes_sizes(edit: Set | SetCall, recording: Recording) -> bool:
    """Whether an operation is there to give what it is told: it may well be told the size of an input. Of what is cut
    or counted off, `tables` knows by the axes that it lies on."""
    if isinstance(edit, Set):
        return edit.layer in recording.layer_at and recording.layer_at[edit.layer].kind == "module"
    call = recording.at(edit.place)
    return call is not None and (call.kind in ("create", "resize", "range", "expand") or edit.argument == "slices")


def other_sizes(edits: Sequence[Edit], case: Case) -> list[list[Edit]]:
    """Other sizes of the one input that is asked to have another, where no weight asks for that one and no other input
    has it: one of them should do as well. None where that is not to be expected."""
    (edit, *more), recording = edits, case.recording
    if more or not isinstance(edit, Input) or edit.change not in ("size", "channels") or case.call.is_layer:
        return []
    if case.call.kind not in _MET:
        return []
    if not all(map(case.graph.is_activation, case.call.operands)):
        return []
    given = recording.shape(recording.inputs[edit.index])
    others = [recording.shape(number) for at, number in enumerate(recording.inputs) if at != edit.index]
    changed = [axis for axis, (size, was) in enumerate(zip(edit.shape, given, strict=False)) if size != was]
    is_asked_elsewhere = any(edit.shape[axis] in other for axis in changed for other in others)
    if len(given) != len(edit.shape) or not changed or is_asked_elsewhere:
        return []
    larger = [tuple((size or 0) + step * (at in changed) for at, size in enumerate(edit.shape)) for step in _STEPS]
    return [[Input(edit.index, "size", {}, shape)] for shape in larger]
