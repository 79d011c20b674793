"""What to put on an operand of a junction so that it fits: projections, paddings, crops, resizing.

A 1x1 convolution with stride s gives floor((size - 1) / s) + 1, so the stride that makes a size of another one follows
from `axes.window_strides`, odd sizes included.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.edits import Module
from shapewatch.junctions import Branch, Junction
from shapewatch.recording import Shape

_IMAGE_KINDS = frozenset({"conv", "conv_transpose", "pool", "adaptive_pool", "resize"})


def projections(junction: Junction, changed: Branch, wanted: Shape) -> Iterator[Module]:
    """Layers that turn the branch's shape into `wanted`, best first; none where no usual one does."""
    given = changed.shape
    if len(given) != len(wanted) or None in given or None in wanted or given[0] != wanted[0]:
        return
    kinds = [step.kind for branch in junction.branches for step in branch.path]
    norms = any(step.kind == "norm" for branch in junction.branches if branch is not changed for step in branch.path)
    have = [size or 0 for size in given]
    want = [size or 0 for size in wanted]
    if len(given) >= 3 and any(kind in _IMAGE_KINDS for kind in kinds):
        yield from _for_images(have, want, norms, junction.kind)
    elif have[:-1] == want[:-1]:
        yield Module("linear", {"in_features": have[-1], "out_features": want[-1]})


def _for_images(have: list[int], want: list[int], norms: bool, kind: str) -> Iterator[Module]:
    rank = len(have) - 2
    channels, filters = have[1], want[1]
    strides = _strides(have[2:], want[2:])
    if kind == "concat" and have[2:] != want[2:] and channels == filters:
        yield from _to_size(have, want)
    if strides is not None:
        stride = strides if len(set(strides)) > 1 else strides[0]
        conv = Module(
            "conv",
            {
                "rank": rank,
                "in_channels": channels,
                "out_channels": filters,
                "kernel_size": 1,
                "stride": stride,
                **({"bias": False} if norms else {}),
            },
        )
        yield Module("sequence", {}, (conv, Module("norm", {"rank": rank, "num_features": filters}))) if norms else conv
        if filters > channels and isinstance(stride, int):
            yield Module("subsample_pad", {"stride": stride, "channels": filters, "rank": rank})
    elif channels == filters:
        yield from _to_size(have, want)


def _strides(have: list[int], want: list[int]) -> tuple[int, ...] | None:
    """One stride an axis, the same for all where possible; None where an axis would have to grow."""
    options = [set(axes.window_strides(size, Range.only(out), 1, 0)) for size, out in zip(have, want, strict=True)]
    if not all(options):
        return None
    shared = set.intersection(*options)
    if shared:
        return (min(shared),) * len(have)
    return tuple(min(option) for option in options)


def _to_size(have: list[int], want: list[int]) -> Iterator[Module]:
    """Resize, or pad and crop, the spatial axes; `F.pad` counts from the last axis, and crops with negative numbers."""
    yield Module("resize", {"size": tuple(want[2:])})
    amounts: list[int] = []
    for size, out in zip(reversed(have[2:]), reversed(want[2:]), strict=True):
        missing = out - size
        amounts += [missing // 2, missing - missing // 2]
    yield Module("pad", {"pad": tuple(amounts)})
