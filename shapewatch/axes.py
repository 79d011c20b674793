"""Pure shape arithmetic: what operations make of sizes, and which sizes or settings would make a wanted result.

The size formulas are those of the PyTorch documentation of `Conv2d`, `MaxPool2d` and `ConvTranspose2d` (section
"Shape" of each); Keras documents the same ones. A size that is None is unknown: whatever depends on it is unknown too,
never equal and never different.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from shapewatch.recording import Shape, Size


@dataclass(frozen=True, slots=True)
class Range:
    """The whole numbers from `low` to `high`, both included."""

    low: int
    high: int

    def __contains__(self, size: object) -> bool:
        return isinstance(size, int) and self.low <= size <= self.high

    @property
    def exact(self) -> int | None:
        """The only number in the range, if it holds one."""
        return self.low if self.low == self.high else None

    @classmethod
    def only(cls, size: int) -> Range:
        return cls(size, size)


UNBOUNDED = 1 << 30
"""Stands for "no upper end" in a `Range`; no axis of a real tensor is longer."""


# Meeting


@dataclass(frozen=True, slots=True)
class AxisProblem:
    """On `axis` (from the left, in the widest operand's rank) the operands have these sizes, and they do not fit."""

    axis: int
    sizes: tuple[Size, ...]


def aligned(shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes padded with 1 on the left to one rank, as broadcasting reads them."""
    rank = max((len(shape) for shape in shapes), default=0)
    return [(1,) * (rank - len(shape)) + shape for shape in shapes]


def broadcast_problems(shapes: Sequence[Shape]) -> tuple[AxisProblem, ...]:
    """The axes on which the shapes do not broadcast; unknown sizes are given the benefit of the doubt."""
    problems = []
    for axis, sizes in enumerate(zip(*aligned(shapes), strict=True)):
        known = {size for size in sizes if size is not None and size != 1}
        if len(known) > 1:
            problems.append(AxisProblem(axis, sizes))
    return tuple(problems)


def stretched_target(shapes: Sequence[Shape]) -> tuple[AxisProblem, ...]:
    """The axes on which the first shape would have to grow: an in-place operation cannot stretch what it writes to."""
    problems = []
    for axis, sizes in enumerate(zip(*aligned(shapes), strict=True)):
        if sizes[0] == 1 and any(size is not None and size > 1 for size in sizes[1:]):
            problems.append(AxisProblem(axis, sizes))
    return tuple(problems)


def broadcast(shapes: Sequence[Shape]) -> Shape | None:
    """The shape that broadcasting gives, None where it gives none."""
    if broadcast_problems(shapes):
        return None
    joined: list[Size] = []
    for sizes in zip(*aligned(shapes), strict=True):
        wide = [size for size in sizes if size != 1]
        known = [size for size in wide if size is not None]
        joined.append(known[0] if known else (None if wide else 1))
    return tuple(joined)


def expanded_axes(shapes: Sequence[Shape]) -> tuple[int, ...]:
    """The axes on which some operand has size 1 (or no axis at all) and another has more."""
    found = []
    for axis, sizes in enumerate(zip(*aligned(shapes), strict=True)):
        if 1 in sizes and any(size is not None and size != 1 for size in sizes):
            found.append(axis)
    return tuple(found)


def concat_problems(shapes: Sequence[Shape], axis: int) -> tuple[AxisProblem, ...]:
    """The axes other than `axis` (counted from the left) on which the shapes differ. All shapes have one rank."""
    problems = []
    for other, sizes in enumerate(zip(*shapes, strict=True)):
        if other != axis and len({size for size in sizes if size is not None}) > 1:
            problems.append(AxisProblem(other, sizes))
    return tuple(problems)


# Sliding windows: convolution and pooling


def window_out(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, ceil: bool = False) -> int:
    """The size that a convolution or a pooling gives: floor((size + 2p - d(k - 1) - 1) / s) + 1.

    With `ceil`, rounded up, but a window that would start in the right padding is dropped.
    """
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1
    out = -(-span // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


def window_in(out: Range, kernel: int, stride: int, padding: int, dilation: int = 1) -> Range | None:
    """The sizes from which a convolution or a pooling (rounding down) gives a size in `out`; None if there is none."""
    reach = dilation * (kernel - 1) + 1 - 2 * padding
    low = max(1, reach, (out.low - 1) * stride + reach)
    high = UNBOUNDED if out.high >= UNBOUNDED else (out.high - 1) * stride + reach + stride - 1
    return Range(low, high) if low <= high and out.high >= 1 else None


def window_strides(size: int, out: Range, kernel: int, padding: int, dilation: int = 1) -> Iterator[int]:
    """The strides with which `size` becomes a size in `out`, smallest first, up to 64.

    A single window can be had with every large stride; the smallest stands for them.
    """
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if span < 0 or out.low < 1:
        return
    if out.low == 1 and out.high >= 1:
        yield span + 1 if span else 1
        return
    smallest = span // out.high + 1 if out.high <= span else 1
    largest = span // (out.low - 1)
    yield from range(max(1, smallest), min(largest, 64) + 1)


def window_paddings(size: int, out: Range, kernel: int, stride: int, dilation: int = 1) -> Iterator[int]:
    """The paddings with which `size` becomes a size in `out`, smallest first."""
    reach = dilation * (kernel - 1) + 1
    for padding in range(max(kernel * dilation, 4) + 1):
        if size + 2 * padding >= reach and window_out(size, kernel, stride, padding, dilation) in out:
            yield padding


def window_kernels(size: int, out: Range, stride: int, padding: int, dilation: int = 1) -> Iterator[int]:
    """The kernel sizes with which `size` becomes a size in `out`, smallest first, up to 31."""
    for kernel in range(1, 32):
        fits = size + 2 * padding >= dilation * (kernel - 1) + 1
        if fits and window_out(size, kernel, stride, padding, dilation) in out:
            yield kernel


def window_dilations(size: int, out: Range, kernel: int, stride: int, padding: int) -> Iterator[int]:
    """The dilations with which `size` becomes a size in `out`, smallest first, up to 36."""
    if kernel == 1:
        return
    for dilation in range(1, 37):
        fits = size + 2 * padding >= dilation * (kernel - 1) + 1
        if fits and window_out(size, kernel, stride, padding, dilation) in out:
            yield dilation


def keeps_pace(kernel: int, stride: int, padding: int, dilation: int = 1) -> bool:
    """Whether a window gives size/stride, rounded either way, for every size: the usual intent of its settings."""
    spare = dilation * (kernel - 1) - 2 * padding
    return 0 <= spare < stride or spare == 0


# Transposed convolution


def transposed_out(size: int, kernel: int, stride: int, padding: int, output_padding: int, dilation: int = 1) -> int:
    """(size - 1) s - 2p + d(k - 1) + output_padding + 1."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


def transposed_in(
    out: Range, kernel: int, stride: int, padding: int, output_padding: int, dilation: int = 1
) -> Range | None:
    """The sizes from which a transposed convolution gives a size in `out`, None where there is none."""
    offset = -2 * padding + dilation * (kernel - 1) + output_padding + 1
    low = -(-(out.low - offset) // stride) + 1
    high = UNBOUNDED if out.high >= UNBOUNDED else (out.high - offset) // stride + 1
    return Range(max(1, low), high) if high >= max(1, low) else None


# Matrix products


def matmul_inner(left: Shape, right: Shape) -> tuple[Size, Size]:
    """The two sizes that a matrix product contracts: left's last axis and right's last but one (or only) axis."""
    return left[-1], right[-2] if len(right) > 1 else right[-1]


def differ(one: Size, other: Size) -> bool:
    """Whether two sizes are both known and different."""
    return one is not None and other is not None and one != other


# Reshaping


def elements(shape: Shape) -> Size:
    """How many elements a tensor of this shape has, None where a size is unknown."""
    known = [size for size in shape if size is not None]
    return prod(known) if len(known) == len(shape) else None


def factor_groups(before: Shape, after: Shape) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Pairs of runs of axes, of `before` and of `after`, with equal products, each run as short as can be.

    `(2, 3, 4, 5)` to `(2, 12, 5)` is `[((0,), (0,)), ((1, 2), (1,)), ((3,), (2,))]`. Empty where a size is unknown or
    the products differ.
    """
    if None in before or None in after or elements(before) != elements(after):
        return []
    old, new = [size or 0 for size in before], [size or 0 for size in after]
    groups = []
    i = j = 0
    while i < len(old) or j < len(new):
        left, right, i0, j0 = 1, 1, i, j
        if i < len(old):
            left, i = old[i], i + 1
        if j < len(new):
            right, j = new[j], j + 1
        while left != right:
            if left < right and i < len(old):
                left, i = left * old[i], i + 1
            elif right < left and j < len(new):
                right, j = right * new[j], j + 1
            else:
                return []
        groups.append((tuple(range(i0, i)), tuple(range(j0, j))))
    return groups


# Layout


def moved_channels(shape: Shape, channels: int) -> tuple[int, ...] | None:
    """The order of axes that brings the last axis to where the channels belong, if its size says that it should be.

    For `[8, 224, 224, 3]` and 3 channels: (0, 3, 1, 2). Only for shapes of rank 3 or more whose axis 1 is not
    already of that size.
    """
    if len(shape) < 3 or shape[-1] != channels or shape[1] == channels:
        return None
    return (0, len(shape) - 1, *range(1, len(shape) - 1))
