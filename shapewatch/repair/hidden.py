"""Changes with which a pass runs and the mistake no longer shows: each was offered once, and ruined a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shapewatch.edits import Edit, Input, Insert, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Value
from shapewatch.repair.operands import moved_before_a_layer
from shapewatch.repair.variables import made_for_the_steps
from shapewatch.rules.inner_dims_differ import weighs_values
from shapewatch.rules.rule import Case

_FEATURES = frozenset({"embedding_dim", "hidden_size", "num_features"})

_FAR = 8
"""Windows that lie further apart than this, and than they are wide, are no network's."""


def hides_the_mistake(edits: Sequence[Edit], case: Case) -> bool:
    if any(hides(edit, case) for edit in edits for hides in _WAYS):
        return True
    only = edits[0] if len(edits) == 1 else None
    return isinstance(only, Input) and only.change == "size" and _has_one_size_that_fits(case)


def _has_one_size_that_fits(case: Case) -> bool:
    """Whether an input as long as another one would do, where an attention takes two (queries and keys may be of two
    lengths, and then nothing tells who took the wrong one); or one as long as a layer is wide, where what the layer is
    given has that width on another axis, or has the batch where the width should be."""
    if weighs_values(case) or case.call.kind == "attention":
        return True
    return any(moved_before_a_layer(case)) or _takes_samples_for_features(case)


def _gives_one_feature(edit: Edit, _: Case) -> bool:
    """Whether a layer is to give a single feature, which is stretched to what it meets."""
    return isinstance(edit, Set) and edit.argument in _FEATURES and edit.value == 1 != edit.was


def _is_as_wide_as_steps(edit: Edit, case: Case) -> bool:
    """Whether a layer is changed for a weight that was made as long as there are steps."""
    return isinstance(edit, Set) and made_for_the_steps(case)


def _moves_what_fits(edit: Edit, case: Case) -> bool:
    """Whether a line is to cut or pad what it takes by a number, and has run before on what fits: in another block of
    its class, or in another turn of a loop."""
    here = case.recording.at(edit.place) if isinstance(edit, Insert) and edit.module.kind == "pad" else None
    if here is None or here.span is None or here is not case.call:
        return False
    same_line = (call for call in case.recording.calls if (call.name, call.span) == (here.name, here.span))
    around = _class_around(here, case)  # what a layer of a library does inside has the line that calls it
    return any(c.finished and c.place != here.place and _class_around(c, case) == around for c in same_line)


def _class_around(call: Call, case: Case) -> str:
    """The class of the layer in whose forward a call stands."""
    parent = case.recording.calls[call.parent] if call.parent is not None else None
    layer = case.recording.layer_at.get(parent.layer) if parent is not None else None
    return layer.type if layer is not None else ""


def _has_other_rows(edit: Edit, case: Case) -> bool:
    """Whether rows that are looked up by number are to be as many as are looked up."""
    if not isinstance(edit, Input):
        return False
    given = case.recording.values[case.recording.inputs[edit.index]]
    same = edit.shape[:1] == given.shape[:1]
    return edit.change in ("size", "batch") and not same and _rows_are_looked_up(given, case.graph)


def _rows_are_looked_up(value: Value, graph: Graph) -> bool:
    """Whether rows of an input are taken by a list of numbers that is as long as it pleases, as the nodes at the ends
    of a graph's edges: then its first axis counts no samples."""
    values, rows = graph.recording.values, value.shape[0]
    for unit in graph.units:
        if unit.kind not in ("gather", "index", "embedding") or len(unit.operands) < 2:
            continue
        table, numbers = values[unit.operands[0]], values[unit.operands[1]]
        descends = table is value or bool(graph.ancestors[table.number] >> value.number & 1)
        lists = "int" in numbers.spec.dtype and len(numbers.shape) == 1 and numbers.shape[0] != rows
        if descends and lists and table.shape[:1] == (rows,):
            return True
    return False


def _skips_most(edit: Edit, case: Case) -> bool:
    """Whether windows are to lie so far apart that most of a map is not looked at."""
    if not isinstance(edit, Set | SetCall) or edit.argument != "stride":
        return False
    place = case.recording.at(edit.place) if isinstance(edit, SetCall) else None
    facts = place.facts if place is not None else {}
    if isinstance(edit, Set) and edit.layer in case.recording.layer_at:
        facts = case.recording.layer_at[edit.layer].facts
    strides, sides = (
        value if isinstance(value, tuple) else (value,) for value in (edit.value, facts.get("kernel_size", 1))
    )
    largest = max((side for side in sides if isinstance(side, int)), default=1)
    return any(isinstance(stride, int) and stride > max(_FAR, largest) for stride in strides)


def _leaves_parts_uneven(edit: Edit, case: Case) -> bool:
    """Whether a layer is to give channels that are laid out in rows of a length, `view(batch, -1, 21)`, and that are no
    multiple of it: only with the places of all maps together do the numbers come out."""
    target = case.facts.get("shape")
    if case.call.kind != "reshape" or not isinstance(target, tuple) or not isinstance(edit, Set):
        return False
    if len(target) != 3 or target[0] == -1 or target[1] != -1:
        return False
    length = target[-1]
    return edit.argument == "out_channels" and isinstance(length, int) and length > 1 and edit.value % length != 0


def _takes_samples_for_features(case: Case) -> bool:
    """Whether a linear layer is given its batch on the axis of the features: what averaged over one axis too many."""
    if case.call.kind != "linear" or not case.shapes:
        return False
    return len(case.shapes[0]) - 1 in case.graph.lineage.batch_axes(case.call.operands[0])


_WAYS: tuple[Callable[[Edit, Case], bool], ...] = (
    _gives_one_feature,
    _is_as_wide_as_steps,
    _skips_most,
    _has_other_rows,
    _moves_what_fits,
    _leaves_parts_uneven,
)
