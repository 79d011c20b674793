"""Axes that go together: the batch of all inputs, lengths that have to agree, a height that has to be the width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from shapewatch.flow.layout import SPATIAL
from shapewatch.sizes.accepted import Axis, Shapes

Track = tuple[Axis, ...]
"""Axes that are given one size together."""

Clean = Callable[[Track, int], bool | None]
"""Whether a pass with all axes of a track of one size fits and repeats nothing silently."""

SPATIAL_NAMES = frozenset(SPATIAL[3])

MOST_TIED = 5


def is_spatial(axis: Axis) -> bool:
    return axis.name in SPATIAL_NAMES


def with_sizes(shapes: Shapes, sizes: Mapping[Axis, int]) -> Shapes:
    """The shapes with other sizes on some axes."""
    at = {(axis.index, axis.axis): size for axis, size in sizes.items()}
    return tuple(
        tuple(at.get((index, axis), size) for axis, size in enumerate(shape)) for index, shape in enumerate(shapes)
    )


def families(axes: Iterable[Axis], shapes: Shapes) -> list[Track]:
    """Axes of several inputs that have one name and one size."""
    found: dict[tuple[str, int], list[Axis]] = {}
    for axis in axes:
        found.setdefault((axis.name, shapes[axis.index][axis.axis]), []).append(axis)
    return [tuple(family) for family in found.values() if len({axis.index for axis in family}) > 1]


def tracks_of(axes: Sequence[Axis], shapes: Shapes, clean: Clean) -> list[Track]:
    """Every axis in one track: those of a family together, unless one of them fits with other sizes by itself."""
    tied = [
        family
        for family in families(axes, shapes)
        if not any(clean(family[:1], size) for size in _others(_size(shapes, family)))
    ]
    taken = {axis for family in tied for axis in family}
    return sorted([*tied, *((axis,) for axis in axes if axis not in taken)], key=_order)


def tied_of_pinned(pinned: Sequence[Track], shapes: Shapes, clean: Clean) -> list[Track]:
    """Of tracks that take no other size by themselves, those that take one together: as many as possible at once."""
    left, found = list(pinned), list[Track]()
    for size in sorted({_size(shapes, track) for track in pinned}):
        while (track := _largest([track for track in left if _size(shapes, track) == size], size, clean)) is not None:
            found.append(track)
            left = [other for other in left if not set(other) <= set(track)]
    return found


def _largest(pinned: Sequence[Track], size: int, clean: Clean) -> Track | None:
    for number in range(min(len(pinned), MOST_TIED), 1, -1):
        for some in combinations(pinned, number):
            track = tuple(sorted((axis for part in some for axis in part), key=lambda axis: (axis.index, axis.axis)))
            if any(clean(track, other) for other in _others(size)):
                return track
    return None


def _others(size: int) -> Iterator[int]:
    """A few other sizes, of which the double or the half fits a network that halves often. Not 1, which is repeated to
    meet whatever there is."""
    return (n for n in dict.fromkeys((2 * size, size + 1, size // 2, size + 32, size + 7)) if n > 1)


def _size(shapes: Shapes, track: Track) -> int:
    return shapes[track[0].index][track[0].axis]


def _order(track: Track) -> tuple[int, int, int]:
    """What a reader asks for first: height, width and length, then the batch, then widths."""
    name = track[0].name
    rank = 0 if is_spatial(track[0]) or name == "length" else 1 if name == "batch" else 2
    return rank, track[0].index, track[0].axis
