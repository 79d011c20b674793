"""Near inputs that fit, where the given ones do not: what a search for rules can begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import USUAL_SIZES
from shapewatch.recording import Recording
from shapewatch.sizes.accepted import Axis, Shapes
from shapewatch.sizes.named import axes_of
from shapewatch.sizes.passes import Pass, Passes
from shapewatch.sizes.together import families, is_spatial, with_sizes

_POWERS = (2, 4, 8, 16, 32, 64)
_WIDTHS = ("in_channels", "in_features", "num_features", "embed_dim", "input_size", "normalized_shape", "takes")
"""Facts of layers that are sizes which they take: worth a try, and no more than that."""

_STEPS = 3
"""How many axes may be wrong, each by itself."""


def near_fit(passes: Passes, given: Pass, inputs: Sequence[str]) -> Pass | None:
    """A pass with near sizes that fits: of one axis changed, or of the spatial ones together; where none fits, further
    from the change with which the pass gets furthest."""
    start = given
    for _ in range(_STEPS):
        furthest = start
        for shapes in _changed(start, inputs):
            made = passes.run(shapes)
            if made.fits:
                return made
            if made.fits is not None and made.reached > furthest.reached:
                furthest = made
        if furthest is start:
            return None
        start = furthest
    return None


def _changed(start: Pass, inputs: Sequence[str]) -> Iterator[Shapes]:
    assert start.recording is not None
    axes = axes_of(Graph(start.recording), start.shapes, inputs)
    hints = sorted(_taken(start.recording))
    spatial = [axis for axis in axes if is_spatial(axis)]
    if spatial and len({_size(start.shapes, axis) for axis in spatial}) == 1:
        yield from _tied(start.shapes, spatial, hints)
    for axis in sorted(axes, key=lambda axis: not is_spatial(axis)):
        yield from _tied(start.shapes, [axis], hints)
    for power in _POWERS if spatial else ():
        for up in (0, 1):
            sizes = {axis: (_size(start.shapes, axis) // power + up) * power for axis in spatial}
            yield from _positive(start.shapes, sizes)
    for family in families(axes, start.shapes):
        yield from _tied(start.shapes, family, hints)


def _tied(shapes: Shapes, axes: Sequence[Axis], hints: Iterable[int]) -> Iterator[Shapes]:
    wrong = _size(shapes, axes[0])
    for size in _near_lengths(wrong) if is_spatial(axes[0]) else _near_widths(wrong, hints):
        yield from _positive(shapes, dict.fromkeys(axes, size))


def _positive(shapes: Shapes, sizes: Mapping[Axis, int]) -> Iterator[Shapes]:
    if min(sizes.values()) > 0:
        yield with_sizes(shapes, sizes)


def _near_lengths(size: int) -> Iterator[int]:
    """Sizes of images that are worth a try in the place of one, the nearest of each kind first."""
    snapped = [n for power in _POWERS for n in (size // power * power, size // power * power + power)]
    usual = [n for n in USUAL_SIZES if n <= 4 * size]
    return _nearest_first(size, snapped, _close(size), usual)


def _near_widths(size: int, hints: Iterable[int]) -> Iterator[int]:
    """The same of channels, features, a batch, a number of steps."""
    likely = sorted(hints, key=lambda n: abs(n - size))[:16]
    return _nearest_first(size, likely, _close(size), range(1, 5), [size // 2, 2 * size, 512, 1024])


def _close(size: int) -> Iterable[int]:
    return (*range(size - 16, size), *range(size + 1, size + 17))


def _nearest_first(size: int, *kinds: Iterable[int]) -> Iterator[int]:
    ordered = chain.from_iterable(sorted(kind, key=lambda n: abs(n - size)) for kind in kinds)
    return (n for n in dict.fromkeys(ordered) if n > 0 and n != size)


def _taken(recording: Recording) -> set[int]:
    """The widths that the layers take and the inputs that the model declares."""
    return {size for layer in recording.layers for name in _WIDTHS for size in _whole_numbers(layer.facts.get(name))}


def _whole_numbers(fact: object) -> Iterator[int]:
    if isinstance(fact, tuple | list):
        for part in fact:
            yield from _whole_numbers(part)
    elif isinstance(fact, int) and not isinstance(fact, bool) and fact > 0:
        yield fact


def _size(shapes: Shapes, axis: Axis) -> int:
    return shapes[axis.index][axis.axis]
