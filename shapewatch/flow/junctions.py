"""The graph of values: where branches part (forks), where they meet (junctions), and whether they fit there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from shapewatch import axes
from shapewatch.flow.layout import IMAGE_KINDS, Layout, layout_of
from shapewatch.flow.lineage import Lineage
from shapewatch.recording import Call, Recording, Shape, Span

Status = Literal["ok", "broadcast", "mismatch"]
Role = Literal["main", "skip"]


@dataclass(frozen=True)
class Step:
    """One call on a branch. `layer` is its path when the call is a layer's; `call` its number in the recording."""

    call: int
    name: str
    kind: str
    layer: str | None
    shape: Shape
    span: Span | None = None


@dataclass(frozen=True)
class Branch:
    """What one operand of a junction went through since the fork. An empty `path`: the fork's value unchanged."""

    role: Role
    shape: Shape
    path: tuple[Step, ...]
    operand: int
    value: int


@dataclass(frozen=True)
class Fork:
    """The value that the branches have in common. `made_by` is the path of the layer or the operation that gave it."""

    value: int
    shape: Shape
    made_by: str


@dataclass(frozen=True)
class Junction:
    """A call in which two or more branches of the data flow meet: an operation, or a layer made for it (Keras's `Add`).

    `id` names the place and is the same in every pass. `layer` is the layer in whose forward the operation stands or,
    where `is_layer`, the path of the merge layer itself. `axes` are the axes (counted from the left, in the widest
    operand's rank) on which the branches differ in a way that does not fit or that broadcasts.
    """

    id: str
    kind: str
    layer: str
    location: Span | None
    branches: tuple[Branch, ...]
    fork: Fork | None
    status: Status
    axes: tuple[int, ...] = ()
    call: int = 0
    is_layer: bool = False

    @property
    def block(self) -> str:
        """The path of the layer around the junction, in which its branches were written down."""
        return self.layer.rpartition(".")[0] if self.is_layer else self.layer


JOINS = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "average": "average",
    "maximum": "max",
    "minimum": "min",
    "where": "where",
    "lerp": "gate",
    "concat": "concat",
    "stack": "stack",
    "dot": "dot",
}
"""The kinds of calls in which branches meet, and the kinds of junctions that they are."""

_SHAPE_KEEPING = frozenset(
    {"squash", "activation", "dropout", "same", "identity", "norm", "unsqueeze", "reshape", "expand"}
)


_REORDERING = frozenset({"permute", "reshape", "flatten", "unflatten", "einsum", "matmul", "stack", "index"})
"""Kinds of calls after which the axes may no longer be those that a kernel saw."""


class Graph:
    """The values of a recording and the calls between them, at the grain of the user's own code.

    A unit is a call that is not inside a layer which is taken as a whole: an `nn.Conv2d` is one unit, not its `conv2d`.
    Ancestors are sets of value numbers packed into whole numbers, one bit a value.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.units: list[Call] = []
        self.producer: dict[int, Call] = {}
        self.consumers: dict[int, list[Call]] = {}
        self._inside: dict[int, int] = {}
        self._steps: dict[int, Step] = {}
        self._deepest: dict[int, list[int]] = {}
        """What a unit took, the end of the longest road first."""
        self._roads: dict[tuple[int | None, int | None], list[int]] = {}
        """To a value from a fork: in a dense block each is the beginning of many others."""
        self._met: dict[int, Junction | None] = {}
        self._collect()

    def _collect(self) -> None:
        calls, layer_at = self.recording.calls, self.recording.layer_at
        occupied: set[int] = set()  # calls that have something recorded inside them
        for call in calls:
            whole = None if call.parent is None else self._inside.get(call.parent)
            if whole is not None:
                self._inside[call.number] = whole
                continue
            layer = layer_at.get(call.layer)
            if call.is_layer and layer is not None and layer.leaf:
                self._inside[call.number] = call.number
                self._add(call)
            elif not call.is_layer:
                self._add(call)
            if call.parent is not None:
                occupied.add(call.parent)
        for call in calls:  # a layer with nothing recorded in it: compiled, scripted, or a stranger's
            opaque = call.is_layer and call.number not in self._inside and call.number not in occupied
            if opaque and any(result not in self.producer and result not in call.operands for result in call.results):
                self._add(call)
        self.units.sort(key=lambda call: call.number)

    def _add(self, call: Call) -> None:
        self.units.append(call)
        for result in call.results:
            if result not in call.operands:
                self.producer[result] = call
        for operand in set(call.operands):
            self.consumers.setdefault(operand, []).append(call)

    def facts(self, unit: Call) -> Mapping[str, Any]:
        """The settings of a call: a layer's are the layer's, an operation's its own."""
        layer = self.recording.layer_at.get(unit.layer) if unit.is_layer else None
        return unit.facts if layer is None else layer.facts

    @cached_property
    def layout(self) -> Layout | None:
        """How the model's images are laid out, by the first call that shows it; None where none does."""
        shown = (layout_of(self.facts(unit), unit.name) for unit in self.units if unit.kind in IMAGE_KINDS)
        return next((layout for layout in shown if layout is not None), None)

    def lacks_batch(self, shape: Shape) -> bool:
        """Whether an input may be one image without its batch: it has an axis less than a batch of images, and no other
        input is such a batch. Beside images, three axes are a sequence."""
        if self.layout is None or len(shape) != self.layout.rank + 1:
            return False
        batched = self.layout.rank + 2
        return not any(len(self.recording.shape(number)) == batched for number in self.recording.inputs)

    @cached_property
    def lineage(self) -> Lineage:
        """Which axis of a value comes from which axis of an input."""
        return Lineage(self)

    def unit_of(self, call: Call) -> Call:
        """The unit that a call is part of: a leaf layer's own operations are the layer's."""
        return self.recording.calls[self._inside.get(call.number, call.number)]

    def failing_unit(self) -> Call | None:
        """The unit that failed; a layer's own operation is the layer's, and so is an assertion that takes no tensor."""
        call = self.recording.failing_call()
        if call is None:
            return None
        unit = self.unit_of(call)
        return self.recording.calls[unit.parent] if not unit.operands and unit.parent is not None else unit

    @cached_property
    def ancestors(self) -> list[int]:
        """Of each value, itself and all that it was made from."""
        sets = [1 << value.number for value in self.recording.values]
        for unit in self.units:
            before = 0
            for operand in unit.operands:
                before |= sets[operand]
            for result in unit.results:
                if result not in unit.operands and self.recording.values[result].origin == "call":
                    sets[result] |= before
        return sets

    @cached_property
    def depth(self) -> list[int]:
        """Of each value, the length of the longest road to it."""
        depths = [0] * len(self.recording.values)
        for unit in self.units:
            longest = 1 + max((depths[operand] for operand in unit.operands), default=0)
            for result in unit.results:
                if result not in unit.operands:
                    depths[result] = longest
        return depths

    @cached_property
    def _from_input(self) -> int:
        """The inputs: what the outermost model was given, and what the program made or had outside every layer."""
        inputs = 0
        for value in self.recording.values:
            if value.origin == "input":
                inputs |= 1 << value.number
        for number in self.recording.inputs:
            inputs |= 1 << number
        for unit in self.units:
            if unit.parent is None and not unit.operands:
                for number in unit.results:
                    if self.recording.values[number].origin == "call":  # and not what a layer keeps
                        inputs |= 1 << number
        return inputs

    def is_activation(self, value: int) -> bool:
        """Whether a value comes from an input: not a weight, and not made of weights and constants alone."""
        return bool(self.ancestors[value] & self._from_input)

    def descends(self, value: int, ancestor: int) -> bool:
        return bool(self.ancestors[value] >> ancestor & 1)

    def fork(self, values: list[int]) -> int | None:
        """The latest value that all of these come from, one of them itself perhaps; None where they share none."""
        common = self.ancestors[values[0]]
        for value in values[1:]:
            common &= self.ancestors[value]
        while common:
            latest = common.bit_length() - 1
            if self.is_activation(latest):
                return latest
            common ^= 1 << latest
        return None

    def road(self, value: int, fork: int | None) -> list[int]:
        """The values on the longest road from the fork (or, without one, from an input) to a value, in order: what each
        unit on it gave there, of several results that one."""
        walked: list[int] = []
        back: int | None = value
        known = self._roads.get((value, fork))
        while known is None and back is not None and back != fork and back in self.producer:
            walked.append(back)
            back = self._back(back, fork)
            known = self._roads.get((back, fork))
        road = self._roads[value, fork] = [*(known or ()), *reversed(walked)]
        return road

    def _back(self, value: int, fork: int | None) -> int | None:
        """The value before this one on the longest road from the fork."""
        unit = self.producer[value]
        deepest = self._deepest.get(unit.number)
        if deepest is None:
            taken = [operand for operand in unit.operands if operand not in unit.results]
            deepest = self._deepest[unit.number] = sorted(taken, key=lambda operand: -self.depth[operand])
        for operand in deepest:
            if self.is_activation(operand) if fork is None else self.descends(operand, fork):
                return operand
        return None

    def step(self, value: int) -> Step:
        """What made a value, as a step of a path. The same one in each: in a dense block the paths of all junctions
        overlap."""
        step = self._steps.get(value)
        if step is None:
            step = self._steps[value] = _step(self.recording, self.producer[value], value)
        return step

    def junction(self, call: Call) -> Junction | None:
        """See `junction_at`; looked for once."""
        if call.number not in self._met:
            self._met[call.number] = _junction_at(self, call)
        return self._met[call.number]


def find_junctions(graph: Graph) -> tuple[Junction, ...]:
    """Every unit in which branches meet, in order; the one that failed among them."""
    found = []
    for unit in graph.units:
        junction = junction_at(graph, unit)
        if junction is not None:
            found.append(junction)
    return tuple(found)


def junction_at(graph: Graph, call: Call) -> Junction | None:
    """The junction that a call is; None where its operands are no branches of the data flow (a bias, a constant)."""
    return graph.junction(call) if call.kind in JOINS else None


def _junction_at(graph: Graph, call: Call) -> Junction | None:
    positions = [(position, value) for position, value in enumerate(call.operands) if graph.is_activation(value)]
    if len({value for _, value in positions}) < 2:
        return None
    recording = graph.recording
    values = [value for _, value in positions]
    fork = graph.fork(values)
    roads = [[graph.step(passed) for passed in graph.road(value, fork)] for value in values]
    lengths = [sum(1 for step in road if step.kind not in ("identity", "same")) for road in roads]
    main = max(range(len(roads)), key=lambda i: (lengths[i], -i))
    status, problems = _status(graph, call, values)
    return Junction(
        id=call.place,
        kind=_kind(graph, call, values),
        layer=call.layer,
        location=call.span,
        branches=tuple(
            Branch(
                role="main" if index == main else "skip",
                shape=recording.shape(value),
                path=tuple(road),
                operand=position,
                value=value,
            )
            for index, ((position, value), road) in enumerate(zip(positions, roads, strict=True))
        ),
        fork=None if fork is None else _fork(graph, fork),
        status=status,
        axes=problems,
        call=call.number,
        is_layer=call.is_layer,
    )


def unchecked(graph: Graph) -> Iterator[Call]:
    """The junctions that took branches which do not fit: a layer of Keras's that is built gives a shape, and checks
    nothing. An operation always checks, so what went through it did fit."""
    for unit in graph.units:
        if unit.is_layer and unit.finished and unit.kind in JOINS:
            junction = junction_at(graph, unit)
            if junction is not None and junction.status == "mismatch":
                yield unit


def layout_at(recording: Recording, junction: Junction) -> Layout | None:
    """How what meets is laid out: as the last kernel on a branch saw it, if nothing moved its axes since."""
    rank = max((len(branch.shape) for branch in junction.branches), default=0)
    for branch in junction.branches:
        for step in reversed(branch.path):
            if step.kind in _REORDERING or len(step.shape) != rank:
                break
            layer = recording.layer_at.get(step.layer) if step.layer else None
            called = recording.calls[step.call : step.call + 1]
            facts = layer.facts if layer else called[0].facts if called else {}
            shows = step.kind in IMAGE_KINDS or facts.get("style") == "batch"
            if shows and (layout := layout_of(facts, step.name)) is not None:
                return layout
    return None


def _step(recording: Recording, unit: Call, value: int) -> Step:
    layer = unit.layer if unit.is_layer else None
    name = unit.layer.rpartition(".")[2] if layer else unit.name
    return Step(unit.number, name, unit.kind, layer, recording.shape(value), unit.span)


def _fork(graph: Graph, value: int) -> Fork:
    unit = graph.producer.get(value)
    recording = graph.recording
    if unit is None:
        named = recording.values[value].name
        return Fork(value, recording.shape(value), named or "the input")
    return Fork(value, recording.shape(value), unit.layer if unit.is_layer else unit.name)


def _kind(graph: Graph, call: Call, values: list[int]) -> str:
    kind = JOINS[call.kind]
    if kind == "mul" and any(_is_gate(graph, value) for value in values):
        return "gate"
    return kind


def _is_gate(graph: Graph, value: int) -> bool:
    """Whether a value was squashed (sigmoid, softmax, tanh) on its way here, and only its shape changed since."""
    for _ in range(6):
        unit = graph.producer.get(value)
        if unit is None:
            return False
        if unit.kind == "squash":
            return True
        if unit.kind == "sub" and len(unit.operands) == 1:
            pass  # 1 - gate
        elif unit.kind not in _SHAPE_KEEPING:
            return False
        value = unit.operands[0]
    return False


def _status(graph: Graph, call: Call, values: list[int]) -> tuple[Status, tuple[int, ...]]:
    shapes = [graph.recording.shape(value) for value in values]
    facts, rank = graph.facts(call), len(shapes[0])
    if call.kind == "dot":
        return _product_status(facts, shapes)
    if call.kind in ("concat", "stack"):
        along = facts.get("dim", 0)
        if any(len(shape) != rank for shape in shapes):
            return "mismatch", ()
        if not isinstance(along, int) or not (call.kind == "stack" or -rank <= along < rank):
            return ("mismatch" if isinstance(along, int) else "ok"), ()
        problems = axes.concat_problems(shapes, along % max(rank, 1) if call.kind == "concat" else -1)
        return ("mismatch" if problems else "ok"), tuple(problem.axis for problem in problems)
    if call.is_layer:
        shapes = axes.batch_aligned(shapes)
    problems = axes.broadcast_problems(shapes)
    if not problems and not call.finished and call.facts.get("in_place") and values[0] == call.operands[0]:
        problems = axes.stretched_target(shapes)
    if problems:
        return "mismatch", tuple(problem.axis for problem in problems)
    expanded = axes.expanded_axes(shapes)
    return ("broadcast" if expanded else "ok"), expanded


def _product_status(facts: Mapping[str, Any], shapes: list[Shape]) -> tuple[Status, tuple[int, ...]]:
    contracted = axes.contracted(facts.get("axes"), shapes)
    if contracted is None:
        return "ok", ()
    left, right = (shape[axis] for shape, axis in zip(shapes, contracted, strict=True))
    return ("mismatch", (contracted[0],)) if axes.differ(left, right) else ("ok", ())
