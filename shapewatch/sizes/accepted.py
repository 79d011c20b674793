"""Which sizes a model accepts, as plain frozen data: what `sizes` found, before it is worded.

Rule        the sizes of one axis that fit, as arithmetic; tested at every remainder, and at sizes drawn afterwards
Few         the ones that fitted of those tried, where no rule describes them
Refusal     where a pass with a size that does not fit ends
Stretch     where a pass with a size runs, and one branch is silently repeated to the size of another
Row         one axis of one input, or several that go together
Accepted    all of them, and what the model gives
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from shapewatch import codec
from shapewatch.recording import Shape, Span

SCHEMA = 1
"""Version of the JSON that `Accepted.to_dict` writes."""

Shapes = tuple[tuple[int, ...], ...]
"""One shape an input."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The sizes n with `low <= n <= high` whose remainder by `step` is one of `remainders`; no `high`: no end was
    found. `low` and `high` are themselves such sizes."""

    low: int = 1
    high: int | None = None
    step: int = 1
    remainders: tuple[int, ...] = (0,)

    def __contains__(self, size: int) -> bool:
        return self.low <= size and (self.high is None or size <= self.high) and self.of_step(size)

    def of_step(self, size: int) -> bool:
        """Whether a size is in the rule but for its ends."""
        return size % self.step in self.remainders

    @property
    def only(self) -> int | None:
        """The one size that fits; None where there are more."""
        return self.low if self.low == self.high else None

    def below(self, size: int) -> int | None:
        """The largest size less than this one that fits."""
        start = size - 1 if self.high is None else min(size - 1, self.high)
        return next((n for n in range(start, max(start - self.step, self.low - 1), -1) if n in self), None)

    def above(self, size: int) -> int | None:
        """The smallest size greater than this one that fits."""
        start = max(size + 1, self.low)
        return next((n for n in range(start, start + self.step) if n in self), None)

    def between(self, start: int, end: int) -> Iterator[int]:
        """The sizes of the step from `start` to `end`, both included, whatever the ends of the rule."""
        return (n for n in range(max(start, 1), end + 1) if self.of_step(n))


@dataclass(frozen=True, slots=True)
class Few:
    """The sizes that fitted, of those that were tried. `settled`: the search was not ended by its budget, and there is
    no rule that describes them."""

    sizes: tuple[int, ...]
    settled: bool = True

    def __contains__(self, size: int) -> bool:
        return size in self.sizes

    @property
    def only(self) -> int | None:
        return None

    def below(self, size: int) -> int | None:
        return max((n for n in self.sizes if n < size), default=None)

    def above(self, size: int) -> int | None:
        return min((n for n in self.sizes if n > size), default=None)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search along one axis found. `tried`: each size, and whether it fits; `drawn`: those among them that were
    drawn when the rule stood, to test it."""

    accepts: Rule | Few
    tried: tuple[tuple[int, bool], ...]
    drawn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of an input: the input's position and name, the axis counted from the left and what it is called."""

    index: int
    input: str
    axis: int
    name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Where the pass with a size that does not fit ends, and a size of some axes with which it does; 0 for
    inputs as a whole.

    `operation`: its name, empty where a layer itself refuses; `shapes`: what it was given; `declared`: it ends before
    any layer, since the model says what it takes.
    """

    layer: str
    operation: str
    location: Span | None
    message: str
    shapes: tuple[Shape, ...] = ()
    declared: bool = False
    size: int = 0
    axes: tuple[Axis, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A call in which something is repeated along an axis with these sizes, and not with those of the base."""

    sizes: tuple[int, ...]
    layer: str
    location: Span | None
    shapes: tuple[Shape, ...]
    axes: tuple[Axis, ...] = ()


Together = Literal["alone", "each", "equal"]
"""How the axes of a row go together: it has one; the rule holds for each of them; they have to be equal."""


@dataclass(frozen=True, slots=True)
class Row:
    """The sizes that fit one axis, or several, the other axes as in `Accepted.base`.

    `given` has one size an axis. `near`: where the given size does not fit, the sizes next to it that do, each tried.
    """

    axes: tuple[Axis, ...]
    together: Together
    accepts: Rule | Few
    given: tuple[int, ...]
    fits: bool
    near: tuple[int, ...] = ()
    tried: tuple[int, ...] = ()
    drawn: int = 0
    refusals: tuple[Refusal, ...] = ()
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """What `sizes` found.

    `fits`: whether the given inputs do; None where the pass cannot be followed on shapes alone, and `notes` say why.
    `base`: the inputs that the rows start from: the given ones where these fit, else near ones that do; empty where
    none were found. `instead`: whole inputs near the given ones that fit. `output`: every axis of what the model gives,
    in the names of the inputs' axes. `refusal`: why the given inputs do not fit. `whole`: how many inputs
    were tried with sizes of all rows at once, and fitted. `ended`: why the search ended before
    it was done, empty where it did not.
    """

    framework: str
    inputs: tuple[str, ...]
    given: Shapes
    fits: bool | None
    base: Shapes = ()
    rows: tuple[Row, ...] = ()
    instead: tuple[Shapes, ...] = ()
    output: tuple[tuple[str, ...], ...] = ()
    refusal: Refusal | None = None
    passes: int = 0
    seconds: float = 0.0
    whole: int = 0
    ended: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready data; shapes are lists."""
        plain = codec.encode(self)
        assert isinstance(plain, dict)
        return {"schema": SCHEMA, **plain}

    def to_json(self, indent: int | None = 2) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)
