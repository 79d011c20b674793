"""What to put on an operand of a junction so that it fits: projections, paddings, crops, resizing.

A 1x1 convolution with stride s gives floor((size - 1) / s) + 1, so the stride that makes a size of another one follows
from `axes.window_strides`, odd sizes included.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.edits import Module
from shapewatch.flow.junctions import Branch, Junction
from shapewatch.flow.layout import Layout
from shapewatch.recording import Shape


def projections(junction: Junction, changed: Branch, wanted: Shape, layout: Layout | None) -> Iterator[Module]:
    """Layers that turn the branch's shape into `wanted`, best first; none where no usual one does.

    `layout`: that of the images which meet, None where there are none. The batch may be of unknown size.
    """
    given = changed.shape
    if not given or len(given) != len(wanted) or axes.differ(given[0], wanted[0]):
        return
    if None in (*given[1:], *wanted[1:]):
        return
    norms = any(step.kind == "norm" for branch in junction.branches if branch is not changed for step in branch.path)
    if layout is not None and len(given) == layout.rank + 2:
        yield from _for_images(given, wanted, layout, norms, junction.kind)
    elif given[1:-1] == wanted[1:-1]:
        yield Module("linear", {"in_features": given[-1], "out_features": wanted[-1]})


def _for_images(given: Shape, wanted: Shape, layout: Layout, norms: bool, kind: str) -> Iterator[Module]:
    channels, filters = (shape[layout.channels(shape)] or 0 for shape in (given, wanted))
    have, want = ([shape[axis] or 0 for axis in layout.spatial(shape)] for shape in (given, wanted))
    strides = _strides(have, want)
    if kind == "concat" and have != want and channels == filters:
        yield from _to_size(have, want, layout)
    if strides is not None:
        stride = strides if len(set(strides)) > 1 else strides[0]
        conv = Module(
            "conv",
            {
                **layout.facts,
                "in_channels": channels,
                "out_channels": filters,
                "kernel_size": 1,
                "stride": stride,
                **({"bias": False} if norms else {}),
            },
        )
        norm = Module("norm", {**layout.facts, "num_features": filters})
        yield Module("sequence", {}, (conv, norm)) if norms else conv
        if filters > channels and isinstance(stride, int):
            yield Module("subsample_pad", {"stride": stride, "channels": filters, **layout.facts})
    elif channels == filters or (channels == 1 and kind == "gate"):  # a gate of one channel is stretched to all
        yield from _to_size(have, want, layout)


def _strides(have: list[int], want: list[int]) -> tuple[int, ...] | None:
    """One stride an axis, the same for all where possible; None where an axis would have to grow."""
    options = [set(axes.window_strides(size, Range.only(out), 1, 0)) for size, out in zip(have, want, strict=True)]
    if not all(options):
        return None
    shared = set.intersection(*options)
    if shared:
        return (min(shared),) * len(have)
    return tuple(min(option) for option in options)


def _to_size(have: list[int], want: list[int], layout: Layout) -> Iterator[Module]:
    """Resize, or pad and crop, the spatial axes; `F.pad` counts from the last axis, and crops with negative numbers."""
    last = {"channels_last": True} if layout.channels_last else {}
    yield Module("resize", {"size": tuple(want), **last})
    amounts: list[int] = [0, 0] if layout.channels_last else []
    for size, out in zip(reversed(have), reversed(want), strict=True):
        missing = out - size
        amounts += [missing // 2, missing - missing // 2]
    yield Module("pad", {"pad": tuple(amounts), **last})
