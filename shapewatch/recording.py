"""What happened in a forward pass, as plain frozen data.

A `Recording` holds no tensor, no layer object and nothing of a framework, so it survives the crash it describes,
goes through JSON unchanged, and everything after it (junctions, diagnosis, repair, reports) can be tested on
recordings written by hand. Standard library only.

    Value      a tensor at one moment; an in-place operation makes a new value out of the same tensor
    Call       one layer call or one operation: the values it took and the values it gave
    Layer      a layer's path, type and settings
    Failure    the exception, and the call that raised it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Size = int | None
"""The length of one axis; None where it is not known."""

Shape = tuple[Size, ...]

Origin = Literal["call", "input", "parameter", "buffer", "constant"]
"""Where a value comes from. `constant`: the program made it from nothing that was watched (`zeros`, `arange`)."""


def text(shape: Shape) -> str:
    """`[2, 16, ?, ?]`: a shape as every report writes it."""
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def spoken(path: str) -> str:
    """A layer's path as a word in a sentence. A container that only counts its layers gives them no name: `layer 3`."""
    return f"layer {path}" if path.replace(".", "").isdigit() else path


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape, dtype and device of a tensor, and nothing of its contents."""

    shape: Shape
    dtype: str = "float32"
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in somebody's source. `source` is the line without its indentation, None where it cannot be read."""

    file: str
    line: int
    source: str | None = None
    function: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor at one moment of the pass. `name` says what a parameter or an input is called."""

    number: int
    spec: TensorSpec
    origin: Origin
    name: str | None = None

    @property
    def shape(self) -> Shape:
        return self.spec.shape


@dataclass(frozen=True)
class Layer:
    """A layer as its model spells it.

    `kind` and `facts` are neutral: a convolution is `conv` with `kernel_size`, `stride`, `padding`, `dilation`,
    `groups`, `in_channels`, `out_channels` whatever framework made it. `parameters` counts the layer's own weights
    and those of the layers inside it. `defined` is the line that makes the layer, where it can be found. `name` is
    what the framework itself calls the layer, where that is not its path (Keras: `conv2d_5`); `auto_named` says that
    the last part of the path is a name made up by counting, whose number tells nothing. `made_by` is code that makes a
    layer with all the same settings, where the framework tells them; empty where it does not.
    """

    path: str
    type: str
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    parameters: int = 0
    leaf: bool = True
    defined: Span | None = None
    name: str = ""
    auto_named: bool = False
    made_by: str = ""


@dataclass(frozen=True)
class Call:
    """One layer call or one operation.

    `layer` is the path of the layer that was called or, for an operation, of the innermost layer it ran in.
    `parent` is the number of the enclosing layer call. `occurrence` counts the calls of the same layer, or the
    operations of the same name, within that enclosing call, so that (layer, name, occurrence) names the same place in
    every pass.
    """

    number: int
    name: str
    kind: str
    layer: str
    is_layer: bool
    parent: int | None
    operands: tuple[int, ...]
    results: tuple[int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None
    occurrence: int = 0
    finished: bool = True

    @property
    def place(self) -> str:
        """A name for this place that is the same in every pass: `layer2.0:add:0`."""
        return f"{self.layer}:{self.name}:{self.occurrence}"


@dataclass(frozen=True)
class Failure:
    """The exception that ended the pass. `call` is the innermost recorded call that raised it, if one did; `spoken` are
    the arrays in the line that raised, by what the program calls them; `streams` are pipelines of data in that line,
    and the shapes of the samples that they give one after the other; `stack` are the program's own lines that were
    running, the outermost first; `from_one` are the labels among those arrays in which class 0 does not occur, and
    their highest class; `beside` is what the program takes along with the input of the pass, as labels; `labelled` are
    the shapes of the labels that the pipelines give with their samples."""

    type: str
    message: str
    call: int | None = None
    span: Span | None = None
    spoken: Mapping[str, Shape] = field(default_factory=dict)
    streams: Mapping[str, Shape] = field(default_factory=dict)
    stack: tuple[Span, ...] = ()
    from_one: Mapping[str, int] = field(default_factory=dict)
    beside: Mapping[str, Shape] = field(default_factory=dict)
    labelled: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """A forward pass: every value, every call in the order in which they began, the layers, how it ended.

    `backend` is the framework that `framework` runs on, where that is another one (Keras: `tensorflow`).
    """

    framework: str
    values: tuple[Value, ...] = ()
    calls: tuple[Call, ...] = ()
    layers: tuple[Layer, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    failure: Failure | None = None
    root: str = ""
    truncated: bool = False
    backend: str = ""

    @cached_property
    def layer_at(self) -> Mapping[str, Layer]:
        """Layers by path."""
        return {layer.path: layer for layer in self.layers}

    @cached_property
    def producer(self) -> Mapping[int, Call]:
        """The innermost call that gave a value, by value number."""
        made: dict[int, Call] = {}
        for call in self.calls:
            for number in call.results:
                if number in call.operands:
                    continue  # handed through, not made
                known = made.get(number)
                if known is None or call.number > known.number:
                    made[number] = call
        return made

    def shape(self, number: int) -> Shape:
        return self.values[number].spec.shape

    def at(self, place: str) -> Call | None:
        """The first call at a place. An operation outside every layer may be called as one in the outermost layer is,
        and comes after it."""
        found = [call for call in self.calls if call.place == place]
        return min(found, key=lambda call: (call.parent is None and not call.is_layer, call.number), default=None)

    @cached_property
    def roots(self) -> tuple[Call, ...]:
        """The calls of layers that no layer calls, in order."""
        return tuple(call for call in self.calls if call.is_layer and call.parent is None)

    def outermost(self, call: Call) -> Call:
        """The call that a call is in, and that is in none; itself, where it is such a one."""
        while call.parent is not None:
            call = self.calls[call.parent]
        return call

    def stray(self) -> str:
        """What speaks of a value or a call that is not there, in words; empty for a recording as it is made. Of one
        that was read from a file, nothing else may be asked before."""
        values, calls = range(len(self.values)), range(len(self.calls))
        for number, value in enumerate(self.values):
            if value.number != number:
                return f"value {value.number} stands in the place of value {number}"
        for number, call in enumerate(self.calls):
            if call.number != number:
                return f"call {call.number} stands in the place of call {number}"
            if call.parent is not None and call.parent not in range(number):
                return f"call {number} is in call {call.parent}, which is not there"
            if not all(each in values for each in (*call.operands, *call.results)):
                return f"call {number} takes or gives a value that is not there"
        if not all(each in values for each in (*self.inputs, *self.outputs)):
            return "an input or an output is a value that is not there"
        if self.failure is not None and self.failure.call is not None and self.failure.call not in calls:
            return f"call {self.failure.call} failed, and is not there"
        return ""

    def failing_call(self) -> Call | None:
        if self.failure is None or self.failure.call is None:
            return None
        return self.calls[self.failure.call]
