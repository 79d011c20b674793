"""What is asked of values, what a call answers, and the place in the graph where it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shapewatch.axes import Range
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.junctions import Graph
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
        if self.layer is None:
            return self.unit.facts
        return self.graph.recording.layer_at[self.layer].facts

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

    def set(self, argument: str, value: Any) -> Edit:
        was = self.facts.get(argument)
        if self.layer is not None:
            return Set(self.layer, argument, value, was)
        return SetCall(self.unit.place, argument, value, was)


Handler = Callable[[Place, Demand], Pull]
"""How a kind of call answers."""
