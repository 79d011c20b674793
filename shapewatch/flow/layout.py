"""Which axis of an image holds its channels, and over which axes a kernel moves.

PyTorch has the channels before the spatial axes, Keras after them. A recording keeps every shape as its framework has
it, so this is the one place to ask. Sequences under a kernel and videos are images here too: of one spatial axis, and
of three.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapewatch.recording import Shape

IMAGE_KINDS = frozenset({"conv", "conv_transpose", "pool", "adaptive_pool", "resize"})
"""Kinds of calls that show how the images around them are laid out."""

SPATIAL: Mapping[int, tuple[str, ...]] = {
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}
"""Names of the axes over which a kernel moves, by their number."""


USUAL_SIZES = frozenset({28, 32, 48, 56, 64, 84, 96, 112, 128, 160, 192, 224, 227, 256, 299, 320, 384, 448, 512, 1024})
"""Heights and widths at which images are mostly given."""

USUAL_CHANNELS = (1, 3)
"""Of a picture, grey or in colour."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Images of `rank` spatial axes, with the channels before them or, `channels_last`, after them."""

    rank: int = 2
    channels_last: bool = False

    def of_batch(self, shape: Shape) -> Layout:
        """The same order for a batch of as many axes as this shape has."""
        return Layout(len(shape) - 2, self.channels_last)

    @property
    def facts(self) -> dict[str, Any]:
        """As arguments of a layer that is to be made for such images."""
        return {"rank": self.rank, **({"channels_last": True} if self.channels_last else {})}

    def fits(self, shape: Shape) -> bool:
        """Whether the shape has the right number of axes, with a batch axis or without."""
        return len(shape) in (self.rank + 1, self.rank + 2)

    def channels(self, shape: Shape) -> int:
        """The channels' axis."""
        return len(shape) - 1 if self.channels_last else len(shape) - self.rank - 1

    def spatial(self, shape: Shape) -> range:
        """The axes over which a kernel moves."""
        end = len(shape) - self.channels_last
        return range(end - self.rank, end)

    def shape(self, batch: Shape, channels: int | None, spatial: Shape) -> Shape:
        """The shape of images with these sizes; `batch` is one size, or none."""
        return (*batch, *spatial, channels) if self.channels_last else (*batch, channels, *spatial)

    def names(self, shape: Shape) -> tuple[str, ...]:
        """What each axis is called; by its number where the shape is none of such an image."""
        spatial = SPATIAL.get(self.rank)
        if spatial is None or not self.fits(shape):
            return numbered(shape)
        sample = (*spatial, "channels") if self.channels_last else ("channels", *spatial)
        return sample if len(shape) == len(sample) else ("batch", *sample)

    def order_from_other(self, shape: Shape) -> tuple[int, ...]:
        """The order of axes that makes images of this layout out of a batch of images that have it the other way."""
        last = len(shape) - 1
        return (0, *range(2, last + 1), 1) if self.channels_last else (0, last, *range(1, last))


def layout_of(facts: Mapping[str, Any], name: str = "") -> Layout | None:
    """The layout that a kernel works on, from its facts or from a name such as `conv2d`; None where it is not known."""
    rank = facts.get("rank")
    for size in (facts.get("kernel_size"), facts.get("output_size")):
        if rank is None and isinstance(size, tuple | list) and len(size) > 1:
            rank = len(size)
    digit = re.search(r"([123])d(_|$)", name)
    if rank is None and digit:
        rank = int(digit[1])
    return Layout(rank, bool(facts.get("channels_last"))) if isinstance(rank, int) else None


def numbered(shape: Shape) -> tuple[str, ...]:
    """Names of axes about which nothing is known: three axes may be a batch of sequences or one image."""
    return tuple(f"axis {axis}" for axis in range(len(shape)))


def misplaced_channels(shape: Shape, channels: int, layout: Layout) -> tuple[int, ...] | None:
    """The order of axes that brings the channels to where the layout has them, if they stand at the other end.

    For `[8, 224, 224, 3]`, 3 channels and channels before the spatial axes: (0, 3, 1, 2). None where the shape has
    another number of axes, no such size at the other end, or that size in the right place already.
    """
    if len(shape) != layout.rank + 2 or shape[layout.channels(shape)] == channels:
        return None
    order = layout.order_from_other(shape)
    return order if shape[order[layout.channels(shape)]] == channels else None
