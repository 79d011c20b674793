"""Tables that are added to a sequence (of positions, mostly), and are of another length: cut by the wrong number, along
the wrong axis or not at all, or made for fewer places than there are.

Each axis of the table lies under one axis of what it meets, so the length that fits is known without comparing sizes:
that of the batch may be the same by chance, and no table is made for a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.axes import Range
from shapewatch.demand.moves import ends, item_of, of_length, slices_of
from shapewatch.demand.walk import pull
from shapewatch.edits import Edit, Input, Insert, Module, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Recording, Shape, Span, Value, text
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case
from shapewatch.rules.table_over_batch import laid_over_batch

CUT = 0.9
"""How much speaks for another cut of a table that is long enough."""

LONGER = 0.3
"""How much speaks for a longer table where the program cuts it to the length of what comes: it is a maximum."""

AS_LONG = -0.45
"""The same where the table is taken whole: it was made for one length, so the data may as well be of another."""

WHOLE = {"buffer": 0.7, "parameter": -0.2}
"""How much speaks for cutting a table that is taken whole and is too long: one that was computed has room to spare; one
that is learned may as well be given other data."""

_FAR = 12


@dataclass(frozen=True)
class Lacking:
    """A demand on an operand that no data is in: the table's axis, the length that fits, and what it meets there."""

    operand: int
    axis: int
    size: int
    met: Shape
    met_axis: int


def tables(evidence: Evidence) -> Iterator[Candidate]:
    case = evidence.case
    yield from _no_longer_than_the_table(evidence)
    yield from _square_masks(case)
    if case.call.is_layer or case.call.kind not in ELEMENTWISE - {"loss", "where"}:
        return  # a mask has two axes of one length, and which part of it is meant the sizes do not say
    laid = laid_over_batch(case)
    if laid is not None and (mended := laid.mended(case)):
        why = f"{text(laid.met)} is [batch, time, features]: {laid.why}"
        yield Candidate(mended, CUT, 1, () if case.call.finished else (why,))
    for lacking in _lacking(evidence):
        value = case.call.operands[lacking.operand]
        said = (f"axis {lacking.met_axis} of {text(lacking.met)} is {lacking.size} long",)
        edits, worth = _changes(case, value, lacking)
        if edits:
            yield Candidate(edits, worth, 1, said if worth == CUT else ())


def _no_longer_than_the_table(evidence: Evidence) -> Iterator[Candidate]:
    """An input of as many steps as an embedding of counted positions has rows."""
    case = evidence.case
    rows, recording = case.facts.get("num_embeddings"), case.recording
    made = case.graph.producer.get(case.call.operands[0]) if case.call.kind == "embedding" else None
    if made is None or made.kind != "range" or not isinstance(rows, int):
        return
    (count,) = recording.shape(made.results[0])
    shapes = [recording.shape(number) for number in recording.inputs]
    found = [(at, axis) for at, shape in enumerate(shapes) for axis in range(1, len(shape)) if shape[axis] == count]
    if len(found) == 1 and count is not None and count > rows:
        ((at, axis),) = found
        shape = (*shapes[at][:axis], rows, *shapes[at][axis + 1 :])
        edit = Input(at, "size", {"plain": True}, shape)
        worth, said = evidence.worth_of_input(edit)
        yield Candidate((edit,), worth if said else -0.25, 2, (said,) if said else ())


def _square_masks(case: Case) -> Iterator[Candidate]:
    """A mask of all steps with all steps that was made for more of them, cut to those of the scores that it meets:
    along both axes, where it is cut along one or none. Scores of a cache are not square; nothing is said of them."""
    graph, values = case.graph, case.call.operands
    if case.call.is_layer or case.call.kind not in ELEMENTWISE - {"loss"} or len(values) != 2:
        return
    for operand, value in enumerate(values):
        met = case.shapes[1 - operand]
        held, cut = _held_as_square(graph, value)
        steps = met[-1] if len(met) >= 3 and met[-1] == met[-2] else None
        if held is None or steps is None or graph.is_activation(value) or not graph.is_activation(values[1 - operand]):
            continue
        rank, size = len(held), held[-1]
        if size is None or size <= steps:
            continue
        said = (f"the scores are {steps} x {steps}, and the mask was made for {size} x {size}",)
        if cut is None:
            axes = tuple(range(len(case.shapes[operand]) - 2, len(case.shapes[operand])))
            module = Module("narrow", {"dims": axes, "size": steps})
            yield Candidate((Insert(case.call.place, operand, module),), CUT, 1, said)
        elif (parts := slices_of(graph.facts(cut))) and all(part == ":" or ends(part) == (0, steps) for part in parts):
            both = [*[":"] * (rank - 2), *[of_length(":", steps)] * 2]
            yield Candidate((SetCall(cut.place, "slices", ", ".join(both), ", ".join(parts)),), CUT, 1, said)


def _held_as_square(graph: Graph, value: int) -> tuple[Shape | None, Call | None]:
    """What a mask was before it was compared with a number, or cut: its shape, where its last two axes are of one
    length, and the index that cuts it."""
    cut = None
    for _ in range(_FAR):
        unit = graph.producer.get(value)
        if unit is None or len(unit.operands) != 1 or graph.recording.values[value].origin in WHOLE:
            break
        given, made = graph.recording.shape(unit.operands[0]), graph.recording.shape(value)
        if unit.kind == "index" and cut is None and len(given) == len(made):
            cut = unit
        elif given != made:
            return None, None
        value = unit.operands[0]
    held = graph.recording.values[value]
    square = held.origin in WHOLE and len(held.shape) >= 2 and held.shape[-1] == held.shape[-2]
    return (held.shape, cut) if square else (None, None)


def _lacking(evidence: Evidence) -> Iterator[Lacking]:
    """What the failure asks of operands that come of weights and constants alone."""
    case, graph = evidence.case, evidence.case.graph
    for want in evidence.finding.wants:
        others = [value for at, value in enumerate(case.call.operands) if at != want.operand]
        if len(want.demand) != 1 or len(others) != 1 or graph.is_activation(want.value):
            continue
        ((axis, wanted),) = want.demand.items()
        table, met = case.recording.shape(want.value), case.recording.shape(others[0])
        at = axis + len(met) - len(table)
        if not graph.is_activation(others[0]) or wanted.exact in (None, 1) or at < 0:
            continue
        batch = batch_axes(case, others[0])
        before = (met[place] for place in range(len(met) - len(table)) if place not in batch)
        if table[axis] in before:
            continue  # it is as long as it should be, and lacks axes of size 1 behind that one
        if wanted.exact is not None and at not in batch:
            yield Lacking(want.operand, axis, wanted.exact, met, at)


def batch_axes(case: Case, value: int) -> tuple[int, ...]:
    """Where the batch of a value is: behind the steps, in a model whose layers read these first."""
    steps_first = {layer.facts["batch_first"] for layer in case.recording.layers if "batch_first" in layer.facts}
    rank = len(case.recording.shape(value))
    if steps_first == {False} and rank == 3:
        return (1,)
    return case.graph.lineage.batch_axes(value)


def _changes(case: Case, value: int, lacking: Lacking) -> tuple[tuple[Edit, ...], float]:
    """What gives a table the length that is lacking, from the operation back to where it is cut or made."""
    graph, axis, is_cut, straight = case.graph, lacking.axis, False, True
    for _ in range(_FAR):
        unit = graph.producer.get(value)
        if unit is None or case.recording.values[value].origin in WHOLE:  # what made it ran before the pass
            break
        if unit.kind == "range":
            return _counted_otherwise(unit, lacking.size), CUT
        if unit.kind == "embedding":
            rows = graph.facts(unit).get("num_embeddings")
            if not isinstance(rows, int) or rows < lacking.size or axis == len(case.recording.shape(value)) - 1:
                return (), 0.0
            value, straight = unit.operands[0], False
            continue
        if unit.kind == "index":
            rank = len(case.recording.shape(unit.operands[0]))
            found = item_of(graph.facts(unit).get("items"), rank, axis)
            if found is None or len(unit.operands) != 1:
                return (), 0.0
            other = _cut_otherwise(graph, unit, *found, lacking.size)
            if other is not None:
                return (other,), CUT
            is_cut = is_cut or any(map(ends, slices_of(graph.facts(unit))[found[0] :][:1]))
            value, axis = unit.operands[0], found[1]
            continue
        onward = pull(graph, unit, value, {axis: Range.only(lacking.size)}).onward
        roads = [(to, demand) for to, demand, more in onward if len(demand) == 1 and not more]
        if len(roads) != 1 or next(iter(roads[0][1].values())).exact != lacking.size:
            return (), 0.0
        value, axis, straight = roads[0][0], next(iter(roads[0][1])), False
    held = case.recording.values[value]
    size = held.shape[axis] if axis < len(held.shape) else None
    if held.origin not in WHOLE or size is None:
        return (), 0.0
    if lacking.met_axis == 0 and not is_cut:
        return (), 0.0  # nothing tells that it is the batch, nor that it is not
    features = lacking.met_axis == len(lacking.met) - 1 and graph.layout is None
    if size > lacking.size and straight and not is_cut and not features:
        module = Module("narrow", {"dims": (axis,), "size": lacking.size})
        return (Insert(case.call.place, lacking.operand, module),), WHOLE[held.origin]
    longer = _of_another_size(held, axis, lacking.size, case.recording) if 1 < size < lacking.size or features else None
    return ((longer,), LONGER if is_cut else AS_LONG) if longer is not None else ((), 0.0)


def _counted_otherwise(unit: Call, size: int) -> tuple[Edit, ...]:
    """Positions that are counted off to another end."""
    start, end = unit.facts.get("start", 0), unit.facts.get("end")
    if not isinstance(start, int) or not isinstance(end, int) or unit.facts.get("step", 1) != 1:
        return ()
    return (SetCall(unit.place, "end", start + size, end),)


def _cut_otherwise(graph: Graph, unit: Call, place: int, axis: int, size: int) -> SetCall | None:
    """The same index with another end, or with its one end on another axis; None where the operand is too short."""
    parts, held = slices_of(graph.facts(unit)), graph.recording.shape(unit.operands[0])[axis]
    was = ", ".join(parts)
    if held is None or not parts:
        return None
    if place < len(parts) and (present := ends(parts[place])) is not None:
        if present[0] + size > held or present[1] == present[0] + size:
            return None
        parts[place] = of_length(parts[place], size)
        return SetCall(unit.place, "slices", ", ".join(parts), was)
    ended = [at for at, part in enumerate(parts) if ends(part) is not None]
    if len(ended) != 1 or held <= size or (place < len(parts) and parts[place] != ":"):
        return None
    parts += [":"] * (place + 1 - len(parts))
    parts[ended[0]], parts[place] = ":", of_length(":", size)
    return SetCall(unit.place, "slices", ", ".join(parts), was)


def _of_another_size(held: Value, axis: int, size: int, recording: Recording) -> Set | None:
    """The table itself with more places, or of another width, where it is a layer's."""
    path, _, name = (held.name or "").rpartition(".")
    layer = recording.layer_at.get(path)
    if not name or layer is None or layer.kind != "module":
        return None
    shape = tuple(size if at == axis else one for at, one in enumerate(held.shape))
    return Set(path, name, shape, held.shape)


def table_made_at(edit: Edit, case: Case) -> Span | None:
    """The line that makes the table which an edit asks to be of another size; None for any other edit."""
    failure = case.recording.failure
    if not isinstance(edit, Set) or failure is None or failure.span is None or not isinstance(edit.was, tuple):
        return None
    name = f"{edit.layer}.{edit.argument}" if edit.layer else edit.argument
    held = any(value.name == name and value.origin in WHOLE for value in case.recording.values)
    return assigned_line(failure.span.file, f"self.{edit.argument}", failure.span.line) if held else None
