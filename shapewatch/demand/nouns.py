"""What is asked of values, what a call answers, and the place in the graph where it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shapewatch.axes import Range
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import Layout, layout_of
from shapewatch.recording import Call, Shape

Demand = Mapping[int, Range]
"""Axis (from the left) to the sizes that would do."""


@dataclass(frozen=True)
class Want:
    """If `value` met `demand`, the call that failed would accept it. `operand` is its place in that call."""

    value: int
    demand: Demand
    operand: int = 0


@dataclass(frozen=True)
class Change:
    """A candidate: edits that belong together, the unit they are about, and how many units up the road it stands."""

    edits: tuple[Edit, ...]
    unit: int
    hops: int


@dataclass(frozen=True)
class Pull:
    """A unit's answer to a demand: edits of its own that meet it, and demands on operands (with companion edits)."""

    own: tuple[tuple[Edit, ...], ...] = ()
    onward: tuple[tuple[int, Demand, tuple[Edit, ...]], ...] = ()


NOTHING = Pull()


@dataclass(frozen=True)
class Place:
    """A unit, the result of it that is asked about, and what is known of both."""

    graph: Graph
    unit: Call
    value: int
    pull: Callable[[Graph, Call, int, Demand], Pull]

    @property
    def layer(self) -> str | None:
        return self.unit.layer if self.unit.is_layer else None

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.graph.facts(self.unit)

    @property
    def layout(self) -> Layout:
        """How the images are laid out that a kernel works on; two spatial axes where it does not say."""
        return layout_of(self.facts, self.unit.name) or Layout(2, bool(self.facts.get("channels_last")))

    @property
    def out(self) -> Shape:
        return self.graph.recording.shape(self.value)

    @property
    def source(self) -> int:
        """The first operand that is an activation."""
        operands = self.unit.operands
        return next((operand for operand in operands if self.graph.is_activation(operand)), operands[0])

    def shape(self, value: int) -> Shape:
        return self.graph.recording.shape(value)

    def settings(self, **values: Any) -> tuple[Edit, ...]:
        """Edits of those of these arguments that can be set."""
        return tuple(self.set(name, value) for name, value in values.items() if settable(self.facts, name))

    def set(self, argument: str, value: Any) -> Edit:
        was = self.facts.get(argument)
        if self.layer is not None:
            return Set(self.layer, argument, value, was)
        return SetCall(self.unit.place, argument, value, was)


OF_THE_INPUT = frozenset(
    {"in_channels", "in_features", "num_features", "num_channels", "normalized_shape", "input_size", "num_parameters"}
)
"""Sizes that a lazy layer takes from the first input that it is given, and no argument of it says."""


def settable(facts: Mapping[str, Any], argument: str) -> bool:
    """Whether a layer with these facts has an argument for this size."""
    if facts.get("lazy") and argument in OF_THE_INPUT:
        return False
    return not (follows_input(facts) and argument in ("out_channels", "groups"))


def follows_input(facts: Mapping[str, Any]) -> bool:
    """Whether a convolution gives so many channels for each that it is given (Keras's `DepthwiseConv2D`)."""
    return isinstance(facts.get("depth_multiplier"), int) and facts.get("groups", 1) != 1


Handler = Callable[[Place, Demand], Pull]
"""How a kind of call answers."""
