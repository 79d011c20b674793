"""What an axis is likely to hold, from the rank, the sizes and the framework's habits. A guess, and worded as one."""

from __future__ import annotations

from typing import Literal

from shapewatch.recording import Shape, Size

Role = Literal["batch", "channels", "space", "tokens", "features", "unknown"]

CHANNELS_LAST_FRAMEWORKS = frozenset({"tensorflow", "keras", "jax", "flax"})

SPACE = ("depth", "height", "width")

_FEATURES: tuple[Role, ...] = ("batch", "features")
_SEQUENCES: tuple[Role, ...] = ("batch", "tokens", "features")


def channels_axis(shape: Shape, framework: str) -> int | None:
    """Of a map (batch, channels and two or three axes of space): two equal sides tell, or else the framework."""
    if len(shape) not in (4, 5):
        return None
    first, last = set(shape[1:-1]), set(shape[2:])
    if len(first) == 1 and None not in first and shape[-1] not in first:
        return len(shape) - 1
    if len(last) == 1 and None not in last and shape[1] not in last:
        return 1
    return len(shape) - 1 if framework in CHANNELS_LAST_FRAMEWORKS else 1


def first_channels(shape: Shape, framework: str) -> Size:
    """How many channels a map has that looks channels-first in a framework whose layers take them last: (C, H, H),
    with its batch or without. None where it does not look so."""
    if framework not in CHANNELS_LAST_FRAMEWORKS or len(shape) not in (3, 4):
        return None
    channels, height, width = shape[-3:]
    return channels if height == width != channels else None


MOST_SAMPLES = 1024
"""More rows than these are seldom a batch."""


def role(axis: int | None, rank: int, shape: Shape | None, framework: str) -> Role:
    if axis is None or not 0 <= axis < rank:
        return "unknown"
    if rank == 3 and is_single_image(shape, framework):
        return "channels" if axis == 2 else "space"
    if rank == 2 and axis == 0 and shape is not None and shape[0] is not None and shape[0] > MOST_SAMPLES:
        return "unknown"  # rows of a table, steps of one sample
    if rank == 2:
        return _FEATURES[axis]
    if rank == 3:
        return _SEQUENCES[axis]
    if rank in (4, 5):
        if axis == 0:
            return "batch"
        return "channels" if axis == channels_axis(shape or (None,) * rank, framework) else "space"
    return "unknown"


def is_single_image(shape: Shape | None, framework: str) -> bool:
    """A map without its batch, as Keras counts the axes of a layer's inputs: two equal sides, then the channels."""
    if shape is None or len(shape) != 3 or None in shape or framework == "torch":
        return False
    return 1 != shape[0] == shape[1] != shape[2] or (shape[2] in (1, 3, 4) and min(shape[:2], key=int) > 8)  # type: ignore[arg-type, operator]


def role_without_rank(axis: int | None, framework: str) -> Role:
    """Where only the axis is told. Axis 1 may be channels or tokens, axis 2 height or features."""
    if axis == 0:
        return "batch"
    return "space" if axis in (3, 4) and framework not in CHANNELS_LAST_FRAMEWORKS else "unknown"


def named(axis: int, rank: int, shape: Shape | None, framework: str) -> str:
    """`axis 2 (height, if these are maps of images)`; the bare axis where its rank tells nothing."""
    held = role(axis, rank, shape, framework)
    if framework == "numpy" and rank < 4 and held == "batch":
        return f"axis {axis}"
    if rank == 3 and held != "channels":
        # (batch, length, features) as well as (channels, height, width): nothing tells which
        return f"axis {axis}"
    if held == "space":
        return f"axis {axis} ({space(axis, rank, shape, framework)}, if these are maps of images)"
    if held == "channels":
        return f"axis {axis} (channels, if these are maps of images)"
    return f"axis {axis} ({held})" if held == "batch" else f"axis {axis}"


def space(axis: int, rank: int, shape: Shape | None, framework: str) -> str:
    """Which axis of space this is: `height`."""
    channels = channels_axis(shape or (None,) * rank, framework)
    order = [each for each in range(1, rank) if each != channels]
    return SPACE[-len(order) :][order.index(axis)]


def like_colours(size: Size) -> bool:
    """Whether a size is a number of colour channels."""
    return size in (1, 2, 3, 4)
