"""Which input sizes a model accepts: each axis searched, those that go together together, then all of them at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from shapewatch.adapters import InputSpec, Probe
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Recording
from shapewatch.sizes.accepted import Accepted, Axis, Few, Found, Refusal, Row, Rule, Shapes, Stretch, Together
from shapewatch.sizes.given import near_fit
from shapewatch.sizes.gives import Along, gives
from shapewatch.sizes.named import axes_of
from shapewatch.sizes.passes import Pass, Passes
from shapewatch.sizes.search import SpentError, search
from shapewatch.sizes.together import Track, is_spatial, tied_of_pinned, tracks_of, with_sizes

_WHOLE = 10
"""How many whole inputs are tried, for rules that were found one axis at a time."""

_MOST_REFUSALS = 3

Made = TypeVar("Made")


@dataclass(frozen=True)
class _Searched:
    """What was found of tracks that one rule is about: one, or several for each of which it holds."""

    parts: tuple[tuple[Track, Found], ...]
    together: Together

    @property
    def accepts(self) -> Rule | Few:
        return self.parts[0][1].accepts

    @property
    def axes(self) -> tuple[Axis, ...]:
        axes = (axis for track, _ in self.parts for axis in track)
        return tuple(sorted(axes, key=lambda axis: (axis.index, axis.axis)))

    @property
    def tried(self) -> Iterator[tuple[Track, int, bool]]:
        return ((track, size, fits) for track, found in self.parts for size, fits in found.tried)


def survey(probe: Probe, specs: Sequence[InputSpec], framework: str) -> Accepted:
    """Which input sizes a model accepts, from passes on shapes alone.

    Raises:
        Exception: a fault of ours, where the model could not be run at all.
    """
    passes = Passes(probe)
    in_order = sorted(specs, key=lambda spec: spec.name is not None)  # as a call has them
    given = tuple(spec.shape for spec in in_order)
    names = tuple(spec.name or _position(index, len(specs)) for index, spec in enumerate(in_order))
    first = passes.run(given)
    accepted = Accepted(framework, names, given, first.fits, refusal=first.refusal, notes=(first.unknown,))
    if first.fits is not None:
        accepted = replace(accepted, notes=())
        base = first if first.fits else _or(None, lambda: near_fit(passes, first, names))
        if base is not None:
            accepted = _From(passes, base, accepted).surveyed()
    return replace(accepted, passes=passes.count, seconds=round(passes.seconds, 1), ended=passes.why_spent)


def _position(index: int, inputs: int) -> str:
    return "input" if inputs == 1 else f"input {index + 1}"


def _or(otherwise: Made, step: Callable[[], Made]) -> Made:
    """What a step of the survey gives; something else where the budget ends it."""
    try:
        return step()
    except SpentError:
        return otherwise


class _From:
    """A survey that starts from a pass that fits."""

    def __init__(self, passes: Passes, base: Pass, accepted: Accepted) -> None:
        assert base.recording is not None
        self._passes = passes
        self._base = base.shapes
        self._output = base.output
        self._accepted = accepted
        self._axes = axes_of(Graph(base.recording), base.shapes, accepted.inputs)
        self._unbuilt = _unbuilt(base.recording)
        passes.start_from(base)

    def surveyed(self) -> Accepted:
        alone: list[Track] = [(axis,) for axis in self._axes]
        tracks = _or(alone, lambda: tracks_of(self._axes, self._base, self._clean))
        searched: list[_Searched] = []
        for track in tracks:
            searched.append(self._searched(track, _likely(track, searched)))
        searched = _or(searched, lambda: self._with_ties(searched))
        output = self._gives(searched)
        searched = _or(searched, lambda: self._merged(searched))
        refused = _or(None, lambda: list(self._refused(searched)))
        in_order = sorted(searched, key=lambda each: (each.axes[0].index, each.axes[0].axis))
        rows = tuple(map(self._row, in_order))
        instead = [] if self._accepted.fits else _or([self._base], lambda: list(self._instead(rows)))
        told = replace(self._accepted, base=self._base, rows=rows, output=output)
        notes = (*self._unbuilt, *map(_speaks_against, (refused or ())[:1]))
        told = replace(told, instead=tuple(instead), notes=notes)
        return told if refused is None else replace(told, whole=_WHOLE - len(refused))

    # Passes

    def _with(self, track: Track, size: int) -> Shapes:
        return with_sizes(self._base, dict.fromkeys(track, size))

    def _clean(self, track: Track, size: int) -> bool | None:
        return self._passes.run(self._with(track, size)).clean

    def _size(self, track: Track) -> int:
        return self._base[track[0].index][track[0].axis]

    # Searching

    def _searched(self, track: Track, likely: Rule | None = None) -> _Searched:
        also = sorted({self._accepted.given[axis.index][axis.axis] for axis in track})
        found = search(lambda size: self._clean(track, size), self._size(track), also=also, likely=likely)
        return _Searched(((track, found),), "alone" if len(track) == 1 else "equal")

    def _with_ties(self, searched: list[_Searched]) -> list[_Searched]:
        """What was found, with axes that only take another size together in one."""
        pinned = [each.parts[0][0] for each in searched if each.accepts.only is not None]
        tied = tied_of_pinned(pinned, self._base, self._clean)
        taken = {axis for track in tied for axis in track}
        kept = [each for each in searched if not taken & set(each.axes)]
        return kept + [self._searched(track) for track in tied]

    def _merged(self, searched: list[_Searched]) -> list[_Searched]:
        """What was found, with heights and widths of one rule in one, where it holds for all of them at once."""
        spatial = [each for each in searched if is_spatial(each.axes[0])]
        merged = [each for each in searched if each not in spatial]
        for _, alike in groupby(sorted(spatial, key=_as_key), key=_as_key):
            group = list(alike)
            if len(group) > 1 and not any(self._refused(group)):
                merged.append(_Searched(tuple(part for each in group for part in each.parts), "each"))
            else:
                merged += group
        return merged

    def _refused(self, searched: Sequence[_Searched]) -> Iterator[Shapes]:
        """Whole inputs of sizes that fit one at a time, which do not fit together."""
        chance = random.Random(0)
        for _ in range(_WHOLE):
            sizes: dict[Axis, int] = {}
            for track, found in (part for each in searched for part in each.parts):
                largest = 4 * self._size(track)
                size = chance.choice([size for size, fits in found.tried if fits and size <= largest])
                sizes |= dict.fromkeys(track, size)
            shapes = with_sizes(self._base, sizes)
            if self._passes.run(shapes).clean is False:
                yield shapes

    # Telling. Every pass here has been run before, but for those of sizes near the given ones.

    def _gives(self, searched: Sequence[_Searched]) -> tuple[tuple[str, ...], ...]:
        names = [each.axes[0].name for each in searched]
        along = [
            Along(
                name if names.count(name) == 1 else f"{each.axes[0].input}.{name}",
                {size: self._passes.run(self._with(track, size)).output for track, size, fits in each.tried if fits},
            )
            for each, name in zip(searched, names, strict=True)
        ]
        return gives(self._output, along)

    def _row(self, searched: _Searched) -> Row:
        accepts, axes = searched.accepts, searched.axes
        given = tuple(self._accepted.given[axis.index][axis.axis] for axis in axes)
        unfit = tuple(sorted({size for size in given if size not in accepts}))
        return Row(
            axes,
            searched.together,
            accepts,
            given,
            not unfit and (searched.together != "equal" or len(set(given)) == 1),
            tuple(self._near(searched, unfit)),
            tuple(sorted({size for _, size, _ in searched.tried})),
            len({size for _, found in searched.parts for size in found.drawn}),
            tuple(self._refusals(searched, unfit or given)),
            tuple(self._stretches(searched)),
        )

    def _near(self, searched: _Searched, unfit: Sequence[int]) -> Iterator[int]:
        """The sizes next to those that do not fit that do; each is tried."""
        accepts = searched.accepts
        near = {size for one in unfit for size in (accepts.below(one), accepts.above(one)) if size is not None}
        for size in sorted(near):
            if _or(False, lambda size=size: all(self._clean(track, size) for track, _ in searched.parts)):  # type: ignore[misc]
                yield size

    def _refusals(self, searched: _Searched, given: Sequence[int]) -> Iterator[Refusal]:
        """Where passes with sizes that do not fit end: of each such place, the size nearest to the given one."""
        if searched.together == "equal":
            yield from self._alone(searched.axes[:1])
        told: set[tuple[str, str, str]] = set()
        refused = [(track, size) for track, size, fits in searched.tried if not fits]
        for track, size in sorted(refused, key=lambda one: min(abs(one[1] - size) for size in given)):
            refusal = self._passes.run(self._with(track, size)).refusal
            if refusal is None or len(told) == _MOST_REFUSALS:
                continue
            place = (refusal.layer, refusal.operation, str(refusal.location))
            if place not in told:
                told.add(place)
                yield replace(refusal, size=size, axes=track)

    def _alone(self, track: Track) -> Iterator[Refusal]:
        """Where the pass ends when one of the axes that have to be equal is changed by itself."""
        size = self._size(track) + 1
        refusal = _or(None, lambda: self._passes.run(self._with(track, size)).refusal)
        if refusal is not None:
            yield replace(refusal, size=size, axes=track)

    def _stretches(self, searched: _Searched) -> Iterator[Stretch]:
        at: dict[tuple[Track, str], Stretch] = {}
        for track, size, _ in searched.tried:
            for repeat in self._passes.run(self._with(track, size)).stretched:
                first = Stretch((), repeat.layer, repeat.location, repeat.shapes, track)
                told = at.setdefault((track, repeat.id), first)
                at[track, repeat.id] = replace(told, sizes=(*told.sizes, size))
        yield from at.values()

    def _instead(self, rows: Sequence[Row]) -> Iterator[Shapes]:
        """Whole inputs near the given ones that fit."""
        found = [
            with_sizes(self._base, {axis: size for row in rows for axis, size in _nearest(row, above)})
            for above in (False, True)
        ]
        fitting = [shapes for shapes in dict.fromkeys(found) if self._passes.run(shapes).clean]
        yield from fitting or [self._base]


def _nearest(row: Row, above: bool) -> Iterator[tuple[Axis, int]]:
    """Of each axis the size next to the given one that fits, below or above it where there are both; the given one
    where it fits itself."""
    for axis, given in zip(row.axes, row.given, strict=True):
        near = (row.accepts.above(given), row.accepts.below(given))
        wanted = near if above else near[::-1]
        fitting = [size for size in wanted if size in row.near]
        yield axis, given if given in row.accepts or not fitting else fitting[0]


def _speaks_against(shapes: Shapes) -> str:
    together = " with ".join("x".join(map(str, shape)) for shape in shapes)
    return f"the rows hold with the other axes as they are: {together} does not fit"


def _unbuilt(recording: Recording) -> tuple[str, ...]:
    """That a model has no weights yet, where it will have: what it accepts after its first input is less."""
    whole = recording.layer_at.get("")
    if whole is None or whole.parameters or not any(layer.kind in ("conv", "linear") for layer in recording.layers):
        return ()
    return ("the model has no weights yet: it is built for the widths of its first input, and takes no others then",)


def _likely(track: Track, searched: Sequence[_Searched]) -> Rule | None:
    """The rule of an axis like this one: of the height, for a width."""
    rules = [each.accepts for each in searched if is_spatial(track[0]) and is_spatial(each.axes[0])]
    return next((rule for rule in reversed(rules) if isinstance(rule, Rule)), None)


def _as_key(searched: _Searched) -> tuple[str, ...]:
    """What has to be the same of tracks that are told of as one: the rule, the inputs, and how they go together."""
    accepts, (track, _) = searched.accepts, searched.parts[0]
    unsettled = str(track) if isinstance(accepts, Few) else ""
    return (str(accepts), searched.together, str([axis.index for axis in track]), unsettled)
