"""Where two recorded passes part: which calls are the same, which differ in what, and what follows from what.

A difference is one of its own where it begins: a setting, a call that only one of them has, or another result of what
was the same before. A call that differs only because it is given something else follows from an earlier one. Across
frameworks, what is merely written otherwise (a pooling and a flatten for a mean, a padding before a convolution for one
in it) is no difference, as long as the next pair of calls is given the same.

Pure: two recordings go in, frozen data comes out; no framework is asked, and nothing is worded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from shapewatch.flow.alignment import RECEIVED, Pair, align
from shapewatch.flow.course import KEEPS_SHAPE, Course, Stop, courses_of
from shapewatch.recording import Recording, Shape, Size

Side = Literal["a", "b"]


@dataclass(frozen=True)
class SettingDiffers:
    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class AxisDiffers:
    """`axis` by its name, or `axis 2` where it has none."""

    axis: str
    a: Size
    b: Size


@dataclass(frozen=True)
class Match:
    """Two calls, by their numbers, that do the same."""

    a: int
    b: int


@dataclass(frozen=True)
class OnlyIn:
    """Calls in a row that one of the recordings has, and the other has not. `not_reached`: the other had ended."""

    side: Side
    calls: tuple[int, ...]
    not_reached: bool = False
    follows: bool = False


@dataclass(frozen=True)
class Differs:
    """Two calls that are each other's, and what is not the same of them.

    `axes`: of the first result that differs; empty where the ranks do, or where one did not finish (`failed`).
    `follows`: only because of what they are given.
    """

    a: int
    b: int
    settings: tuple[SettingDiffers, ...] = ()
    axes: tuple[AxisDiffers, ...] = ()
    ranks: bool = False
    failed: Side | None = None
    follows: bool = False


@dataclass(frozen=True)
class InputDiffers:
    """An input, counted from 0, and the axes on which it is not the same; none where the ranks differ."""

    index: int
    a: Shape
    b: Shape
    axes: tuple[AxisDiffers, ...] = ()


Entry = Match | OnlyIn | Differs


@dataclass(frozen=True)
class Comparison:
    """`entries` in the order of the passes. `batches`: those of the inputs, where they are known and differ."""

    entries: tuple[Entry, ...]
    inputs: tuple[InputDiffers, ...] = ()
    batches: tuple[int, int] | None = None
    layouts_differ: bool = False
    failed: tuple[bool, bool] = (False, False)

    @property
    def same(self) -> bool:
        ended_alike = self.failed[0] == self.failed[1]
        return not self.inputs and ended_alike and all(isinstance(entry, Match) for entry in self.entries)

    @property
    def origins(self) -> tuple[OnlyIn | Differs, ...]:
        """The differences that follow from no other, in order."""
        return tuple(each for each in self.entries if not isinstance(each, Match) and not each.follows)

    @property
    def matches(self) -> int:
        return sum(isinstance(entry, Match) for entry in self.entries)

    @property
    def consequences(self) -> int:
        """How many pairs of calls differ only because of others."""
        return sum(isinstance(entry, Differs) and entry.follows for entry in self.entries)

    @property
    def not_reached(self) -> int:
        """How many calls one has only because the other had ended before."""
        return sum(len(entry.calls) for entry in self.entries if isinstance(entry, OnlyIn) and entry.not_reached)


def compare(a: Recording, b: Recording) -> Comparison:
    """Lay two recorded passes beside each other."""
    return _Comparing(*courses_of(a, b)).comparison()


@dataclass(frozen=True)
class _Comparing:
    """Two courses, and what is asked of them again and again."""

    a: Course
    b: Course

    @property
    def one_framework(self) -> bool:
        return self.a.recording.framework == self.b.recording.framework

    def comparison(self) -> Comparison:
        pairs = align(self.a, self.b, self._told(self.a), self._told(self.b))
        last = self.a.layout is not None and self.a.layout.channels_last
        other = self.b.layout is not None and self.b.layout.channels_last
        return Comparison(
            entries=tuple(self._entries(pairs)),
            inputs=tuple(self._inputs()),
            batches=self._batches,
            layouts_differ=None not in (self.a.layout, self.b.layout) and last != other,
            failed=(self.a.recording.failure is not None, self.b.recording.failure is not None),
        )

    def _told(self, course: Course) -> list[Stop]:
        return [stop for stop in course.stops if self.one_framework or stop.call.kind not in KEEPS_SHAPE]

    # Inputs

    @property
    def _batches(self) -> tuple[int, int] | None:
        for a, b in zip(self.a.inputs, self.b.inputs, strict=False):
            if len(a) == len(b) > 1 and a[0] is not None and b[0] is not None and a[0] != b[0]:
                return a[0], b[0]
        return None

    def _inputs(self) -> Iterator[InputDiffers]:
        if len(self.a.inputs) != len(self.b.inputs):
            return  # what an input is may be another question in each framework; their calls tell
        for index, (a, b) in enumerate(zip(self.a.inputs, self.b.inputs, strict=True)):
            axes = self._axes(a, b)
            if axes or len(a) != len(b):
                yield InputDiffers(index, a, b, axes)

    # Entries

    def _entries(self, pairs: list[Pair]) -> Iterator[Entry]:
        last_a = max((at for at, (a, _) in enumerate(pairs) if a is not None), default=-1)
        last_b = max((at for at, (_, b) in enumerate(pairs) if b is not None), default=-1)
        at = 0
        while at < len(pairs):
            a, b = pairs[at]
            if a is not None and b is not None:
                yield self._pair(a, b, next(((x, y) for x, y in pairs[at + 1 :] if x and y), None))
                at += 1
                continue
            end = at
            while end < len(pairs) and None in pairs[end]:
                end += 1
            run = pairs[at:end]
            before = pairs[at - 1] if at else None
            following = pairs[end] if end < len(pairs) else None
            rejoined = self._rejoined(before, following)
            for side, stops, ended in (
                ("a", [a for a, _ in run if a is not None], at > last_b and self.b.recording.failure is not None),
                ("b", [b for _, b in run if b is not None], at > last_a and self.a.recording.failure is not None),
            ):
                yield from self._alone(side, stops, ended, rejoined)  # type: ignore[arg-type]
            at = end

    def _alone(self, side: Side, stops: list[Stop], not_reached: bool, rejoined: bool) -> Iterator[OnlyIn]:
        if not not_reached and not self.one_framework:
            stops = [stop for stop in stops if stop.is_learned or not rejoined]
        if stops:
            yield OnlyIn(side, tuple(stop.call.number for stop in stops), not_reached, follows=not_reached)

    def _rejoined(self, before: Pair | None, following: Pair | None) -> bool:
        """Whether the two are again where they would be without the calls in between. At the end of a pass there is no
        next pair, and what is left over there is told."""
        a, b = following or (None, None)
        if a is None or b is None:
            return False
        if before is not None and before[0] is not None and before[1] is not None:
            apart = self._shapes_differ(before[0].gives, before[1].gives)
        else:
            apart = any(self._inputs())
        return list(map(len, a.takes)) == list(map(len, b.takes)) if apart else self._given_the_same(a, b)

    def _given_the_same(self, a: Stop | None, b: Stop | None) -> bool:
        return a is not None and b is not None and not self._shapes_differ(a.takes, b.takes)

    def _pair(self, a: Stop, b: Stop, following: Pair | None) -> Entry:
        given_else = self._shapes_differ(a.takes, b.takes)
        settings = tuple(self._settings(a, b, given_else))
        failed: Side | None = None
        if a.call.finished != b.call.finished:
            failed = "b" if a.call.finished else "a"
        unlike = [pair for pair in zip(a.gives, b.gives, strict=False) if self._shapes_differ(pair[:1], pair[1:])]
        if unlike and not self.one_framework and not settings and following and self._given_the_same(*following):
            unlike = []  # one gives every step, and the other the last one: what comes next is given the same
        if not settings and not unlike and failed is None:
            return Match(a.call.number, b.call.number)
        axes = self._axes(*unlike[0]) if unlike else ()
        follows = given_else and not settings
        ranks = bool(unlike) and len(unlike[0][0]) != len(unlike[0][1])
        return Differs(a.call.number, b.call.number, settings, axes, ranks, failed, follows)

    def _settings(self, a: Stop, b: Stop, given_else: bool) -> Iterator[SettingDiffers]:
        names = [name for name in a.settings if name in b.settings]
        for name in names if not self.one_framework else dict.fromkeys([*a.settings, *b.settings]):
            one, other = a.settings.get(name), b.settings.get(name)
            if one == other or one is None or other is None:
                continue  # a layer that was not built yet does not know what it will be given
            if given_else and (name in RECEIVED or (name in _OF_DEPTHWISE and _is_depthwise(a) and _is_depthwise(b))):
                continue
            spelled_otherwise = name == "padding" and isinstance(one, str) != isinstance(other, str)
            if self.one_framework or (name in _SHARED and not spelled_otherwise):
                yield SettingDiffers(name, one, other)

    # Shapes

    def _shapes_differ(self, a: tuple[Shape, ...], b: tuple[Shape, ...]) -> bool:
        return any(len(one) != len(other) or bool(self._axes(one, other)) for one, other in zip(a, b, strict=False))

    def _axes(self, a: Shape, b: Shape) -> tuple[AxisDiffers, ...]:
        """The axes on which two shapes of one rank differ for certain; another batch is no other shape."""
        if len(a) != len(b):
            return ()
        names = self.a.axis_names(a) if self.a.layout is not None else self.b.axis_names(b)
        differ = []
        for axis, (one, other) in enumerate(zip(a, b, strict=True)):
            if one is None or other is None or one == other:
                continue
            if axis == 0 and self._batches is not None and one * self._batches[1] == other * self._batches[0]:
                continue
            differ.append(AxisDiffers(names[axis], one, other))
        return tuple(differ)


_OF_DEPTHWISE = frozenset({"groups", "out_channels"})

_SHARED = RECEIVED - {"shape", "embed_dim"} | {
    "out_channels", "out_features", "kernel_size", "stride", "padding", "dilation", "groups", "dim",
    "num_groups", "num_embeddings", "embedding_dim", "hidden_size", "bidirectional", "num_heads", "size",
    "scale_factor",
}  # fmt: skip
"""Settings that mean the same in every framework."""


def _is_depthwise(stop: Stop) -> bool:
    groups = stop.settings.get("groups")
    return groups is not None and groups != 1 and groups == stop.settings.get("in_channels")
