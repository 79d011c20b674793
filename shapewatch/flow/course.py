"""The course of a pass: its calls in order, told so that they can be laid beside those of another pass.

Shapes of images are read with the channels before the spatial axes whatever the framework, axes that settings name are
counted in that order, and settings that say the same (`padding="same"`, or 1 for a kernel of 3) are spelled alike.
What made weights, what was built before the pass and earlier steps of a training loop are no part of a course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import Layout, numbered
from shapewatch.recording import Call, Layer, Recording, Shape

LEARNED = frozenset(
    {"conv", "conv_transpose", "linear", "norm", "embedding", "recurrent", "conv_recurrent", "attention", "prelu"}
)
"""Kinds of layers that have weights: that one is missing is a difference however the rest is written."""

KEEPS_SHAPE = frozenset({"activation", "squash", "dropout", "identity", "same"})
"""Kinds that some frameworks write as an argument of the layer before (`Conv2D(..., activation="relu")`)."""

_UNTOLD = frozenset({"lazy", "channels_last", "rank", "fixed", "takes", "images", "batch_first", "return_sequences"})
"""Facts that say how a layer is made or laid out, and not what it does to a shape."""

_PER_AXIS = frozenset({"kernel_size", "stride", "dilation", "padding", "output_size", "scale_factor", "output_padding"})


@dataclass(frozen=True)
class Stop:
    """One call of a course. `takes` are the shapes that come from an input, `gives` its results, the axes of images in
    the order batch, channels, height, width. `layer` is the layer that was called; None for an operation."""

    call: Call
    layer: Layer | None
    settings: Mapping[str, Any]
    takes: tuple[Shape, ...]
    gives: tuple[Shape, ...]

    @property
    def name(self) -> str:
        """The path of the layer, or the operation's name."""
        return self.call.layer if self.layer is not None else self.call.name

    @property
    def is_learned(self) -> bool:
        return self.call.kind in LEARNED or (self.layer is not None and self.layer.parameters > 0)


@dataclass(frozen=True)
class Course:
    """`inputs` are shapes as those of a stop; `layout` is how the recording itself has its images."""

    recording: Recording
    stops: tuple[Stop, ...]
    inputs: tuple[Shape, ...]
    layout: Layout | None

    def axis_names(self, shape: Shape) -> tuple[str, ...]:
        """What the axes of a shape of a stop are called."""
        if self.layout is None or len(shape) != self.layout.rank + 2:
            return numbered(shape)
        return Layout(self.layout.rank).names(shape)


def courses_of(a: Recording, b: Recording) -> tuple[Course, Course]:
    """The courses of two recordings that can be laid beside each other: of the last passes that they hold or, where one
    failed while its functional model was built, of how both were built."""
    passes = [_last_passes(recording) for recording in (a, b)]
    built = [_built(recording) for recording in (a, b)]
    if all(built) and not all(passes):
        return _course(a, built[0]), _course(b, built[1])
    first, second = (kept or whole for kept, whole in zip(passes, built, strict=True))
    return _course(a, first), _course(b, second)


def course_of(recording: Recording) -> Course:
    """The course of the last pass that a recording holds."""
    return _course(recording, _last_passes(recording) or _built(recording))


def _last_passes(recording: Recording) -> list[Call]:
    """Of every model that was called, the last call."""
    last: dict[str, Call] = {}
    for call in recording.roots:
        layer = recording.layer_at.get(call.layer)
        if layer is None or not layer.leaf:
            last[call.layer] = call
    return list(last.values())


def _built(recording: Recording) -> list[Call]:
    """The layers that no model called, before the first model was: a functional one is built of them."""
    built = []
    for call in recording.roots:
        layer = recording.layer_at.get(call.layer)
        if layer is None or not layer.leaf:
            break
        built.append(call)
    return built


def _course(recording: Recording, kept: list[Call]) -> Course:
    """From the first of the calls that are kept on: what is in them, and what no layer called; of what was built, up to
    the first model. Without any, everything."""
    graph = Graph(recording)
    numbers = {call.number for call in kept}
    roots = {call.number for call in recording.roots}
    start, end = min(numbers, default=0), len(recording.calls)
    if kept and all(recording.layer_at[call.layer].leaf for call in kept if call.layer in recording.layer_at):
        end = min((number for number in roots - numbers if number > max(numbers)), default=end)
    stops = []
    for unit in graph.units:
        outermost = recording.outermost(unit).number
        taken = [number for number in unit.operands if graph.is_activation(number)]
        elsewhere = bool(kept) and outermost in roots - numbers
        if start <= unit.number < end and taken and not elsewhere:
            stops.append(_stop(graph, unit, taken))
    inputs = tuple(_read(graph.layout, recording.shape(number)) for number in recording.inputs)
    return Course(recording, tuple(stops), inputs, graph.layout)


def _stop(graph: Graph, unit: Call, taken: list[int]) -> Stop:
    recording, layout = graph.recording, graph.layout
    layer = recording.layer_at.get(unit.layer) if unit.is_layer else None
    shapes = [recording.shape(number) for number in taken]
    takes, gives = ([_read(layout, shape) for shape in each] for each in (shapes, map(recording.shape, unit.results)))
    facts = graph.facts(unit)
    if facts.get("batch_first") is False and unit.kind == "recurrent":  # steps before samples; states are not turned
        takes, gives = ([*map(_turned, each[:1]), *each[1:]] for each in (takes, gives))
    return Stop(unit, layer, _settings(facts, layout, shapes), tuple(takes), tuple(gives))


def _turned(shape: Shape) -> Shape:
    return (*shape[1::-1], *shape[2:])


def _read(layout: Layout | None, shape: Shape) -> Shape:
    """A shape with its channels before the spatial axes."""
    if layout is None or not layout.channels_last or len(shape) != layout.rank + 2:
        return shape
    return (shape[0], shape[-1], *shape[1:-1])


def _settings(facts: Mapping[str, Any], layout: Layout | None, shapes: list[Shape]) -> dict[str, Any]:
    """The settings by name, spelled alike."""
    told = {name: value for name, value in facts.items() if name not in _UNTOLD}
    rank = len(shapes[0]) if shapes else 0
    kernel = facts.get("kernel_size")
    width = len(kernel) if isinstance(kernel, tuple) else facts.get("rank", 1)
    for name in _PER_AXIS & told.keys():
        told[name] = _spread(told[name], width)
    if "padding" in told:
        told["padding"] = _padding(told)
    for name in ("dim", "axis"):
        if name in told:
            told[name] = _axis(told[name], layout, rank)
    return told


def _spread(value: Any, count: Any) -> Any:
    return (value,) * count if isinstance(value, int | float) and isinstance(count, int) else value


def _padding(settings: Mapping[str, Any]) -> Any:
    """What is added on each side, in numbers where the kernel tells them."""
    padding, kernel = settings["padding"], settings.get("kernel_size")
    if not isinstance(kernel, tuple) or not isinstance(padding, str):
        return padding
    if padding == "valid":
        return (0,) * len(kernel)
    dilation = settings.get("dilation") or (1,) * len(kernel)
    if padding == "same" and isinstance(dilation, tuple) and len(dilation) == len(kernel):
        return tuple((size - 1) * by // 2 for size, by in zip(kernel, dilation, strict=True))
    return padding


def _axis(value: Any, layout: Layout | None, rank: int) -> Any:
    """An axis, or several, counted from the left with the channels before the spatial axes."""
    if isinstance(value, tuple):
        each = [_axis(one, layout, rank) for one in value]
        return tuple(sorted(each)) if all(isinstance(one, int) for one in each) else value
    if type(value) is not int or not -rank <= value < rank:
        return value
    axis = value % rank
    if layout is None or not layout.channels_last or rank != layout.rank + 2 or axis == 0:
        return axis
    return 1 if axis == rank - 1 else axis + 1
