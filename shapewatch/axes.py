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


def batch_aligned(shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes padded with 1 after their first axis, as layers that merge batches read them (Keras's `Add`)."""
    rank = max((len(shape) for shape in shapes), default=0)
    return [shape[:1] + (1,) * (rank - len(shape)) + shape[1:] for shape in shapes]


def own_axis(shape: Shape, rank: int, axis: int, batched: bool = False) -> int | None:
    """Which of a shape's own axes stands at `axis` when it is aligned to `rank` axes (`batched`: after its batch axis);
    None where it is one that was added."""
    missing = rank - len(shape)
    if batched and axis == 0:
        return 0 if shape else None
    return axis - missing if axis >= missing + (batched and missing > 0) else None


def broadcast_problems(shapes: Sequence[Shape]) -> tuple[AxisProblem, ...]:
    """The axes on which the shapes do not broadcast; unknown sizes are given the benefit of the doubt."""
    problems = []
    for axis, sizes in enumerate(zip(*aligned(shapes), strict=True)):
        known = {size for size in sizes if size is not None and size != 1}
        if len(known) > 1:
            problems.append(AxisProblem(axis, sizes))
    return tuple(problems)


def stretched_target(shapes: Sequence[Shape]) -> tuple[AxisProblem, ...]:
    """The axes on which the first shape would have to change: an in-place operation cannot stretch what it writes to,
    nor give it one more axis, be it of size 1."""
    wide = aligned(shapes)
    problems = []
    for axis, sizes in enumerate(zip(*wide, strict=True)):
        lacks = axis < len(wide[0]) - len(shapes[0])
        if lacks or (sizes[0] == 1 and any(size is not None and size != 1 for size in sizes[1:])):
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

Padding = int | str
"""Places added at each end of an axis; or `same` (as many as keep the size at stride 1), `causal` (the same number, all
of them before the first) or `valid` (none)."""


def padded(padding: Padding, kernel: int, dilation: int = 1) -> int:
    """How many places a padding adds to an axis, both ends together.

    `same` gives ceil(size / stride) in every framework, which is what d(k - 1) places make of every size; that the
    frameworks add fewer where the stride leaves a remainder changes no size.
    """
    if isinstance(padding, str):
        return 0 if padding == "valid" else dilation * (kernel - 1)
    return 2 * padding


def window_out(size: int, kernel: int, stride: int, padding: Padding, dilation: int = 1, ceil: bool = False) -> int:
    """The size that a convolution or a pooling gives: floor((size + padded - d(k - 1) - 1) / s) + 1.

    With `ceil`, rounded up, but a window that would start in the right padding is dropped.
    """
    added = padded(padding, kernel, dilation)
    span = size + added - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1
    out = -(-span // stride) + 1
    return out - 1 if (out - 1) * stride >= size + added // 2 else out


def window_least(kernel: int, padding: Padding, dilation: int = 1) -> int:
    """The smallest size over which the window can be laid once."""
    return max(1, dilation * (kernel - 1) + 1 - padded(padding, kernel, dilation))


def window_in(out: Range, kernel: int, stride: int, padding: Padding, dilation: int = 1) -> Range | None:
    """The sizes from which a convolution or a pooling (rounding down) gives a size in `out`; None if there is none."""
    reach = dilation * (kernel - 1) + 1 - padded(padding, kernel, dilation)
    low = max(1, reach, (out.low - 1) * stride + reach)
    high = UNBOUNDED if out.high >= UNBOUNDED else (out.high - 1) * stride + reach + stride - 1
    return Range(low, high) if low <= high and out.high >= 1 else None


def window_strides(size: int, out: Range, kernel: int, padding: Padding, dilation: int = 1) -> Iterator[int]:
    """The strides with which `size` becomes a size in `out`, smallest first, up to 64.

    A single window can be had with every large stride; the smallest stands for them.
    """
    span = size + padded(padding, kernel, dilation) - dilation * (kernel - 1) - 1
    if span < 0 or out.low < 1:
        return
    if out.low == 1 and out.high >= 1:
        yield span + 1 if span else 1
        return
    smallest = span // out.high + 1 if out.high <= span else 1
    largest = span // (out.low - 1)
    yield from range(max(1, smallest), min(largest, 64) + 1)


def window_paddings(size: int, out: Range, kernel: int, stride: int, dilation: int = 1) -> Iterator[int]:
    """The paddings, as numbers, with which `size` becomes a size in `out`, smallest first, up to what the window
    reaches over: beyond that it would see nothing but padding."""
    for padding in range(dilation * (kernel - 1) + 1):
        if _gives(size, out, kernel, stride, padding, dilation):
            yield padding


def window_named_paddings(size: int, out: Range, kernel: int, stride: int, dilation: int = 1) -> Iterator[str]:
    """Those of `same` and `valid` with which `size` becomes a size in `out`."""
    for padding in ("same", "valid"):
        if _gives(size, out, kernel, stride, padding, dilation):
            yield padding


def window_kernels(size: int, out: Range, stride: int, padding: Padding, dilation: int = 1) -> Iterator[int]:
    """The kernel sizes with which `size` becomes a size in `out`, smallest first, up to 31."""
    for kernel in range(1, 32):
        if _gives(size, out, kernel, stride, padding, dilation):
            yield kernel


def window_dilations(size: int, out: Range, kernel: int, stride: int, padding: Padding) -> Iterator[int]:
    """The dilations with which `size` becomes a size in `out`, smallest first, up to 36."""
    if kernel == 1:
        return
    for dilation in range(1, 37):
        if _gives(size, out, kernel, stride, padding, dilation):
            yield dilation


def _gives(size: int, out: Range, kernel: int, stride: int, padding: Padding, dilation: int) -> bool:
    fits = size >= window_least(kernel, padding, dilation)
    return fits and window_out(size, kernel, stride, padding, dilation) in out


def keeps_pace(kernel: int, stride: int, padding: Padding, dilation: int = 1) -> bool:
    """Whether a window gives size/stride, rounded either way, for every size: the usual intent of its settings."""
    spare = dilation * (kernel - 1) - padded(padding, kernel, dilation)
    return 0 <= spare < stride or spare == 0


# Transposed convolution


def transposed_out(
    size: int, kernel: int, stride: int, padding: Padding, output_padding: int | None, dilation: int = 1
) -> int:
    """(size - 1) s + a number that does not depend on the size.

    That number is d(k - 1) + 1 - 2p + output_padding for a padding in numbers. Keras names its paddings: `valid`
    without an output_padding gives max(d(k - 1) + 1, s); `same` gives s, or (d(k - 1) + 1) mod 2 + output_padding.
    """
    return (size - 1) * stride + _transposed_least(kernel, stride, padding, output_padding, dilation)


def _transposed_least(kernel: int, stride: int, padding: Padding, output_padding: int | None, dilation: int) -> int:
    """What a transposed convolution makes of a single place."""
    reach = dilation * (kernel - 1) + 1
    if padding == "same":
        return stride if output_padding is None else reach % 2 + output_padding
    if padding == "valid":
        return max(reach, stride) if output_padding is None else reach + output_padding
    return reach - padded(padding, kernel, dilation) + (output_padding or 0)


def transposed_in(
    out: Range, kernel: int, stride: int, padding: Padding, output_padding: int | None, dilation: int = 1
) -> Range | None:
    """The sizes from which a transposed convolution gives a size in `out`, None where there is none."""
    offset = _transposed_least(kernel, stride, padding, output_padding, dilation)
    low = -(-(out.low - offset) // stride) + 1
    high = UNBOUNDED if out.high >= UNBOUNDED else (out.high - offset) // stride + 1
    return Range(max(1, low), high) if high >= max(1, low) else None


# Matrix products


def matmul_inner(left: Shape, right: Shape, transpose_a: bool = False, transpose_b: bool = False) -> tuple[Size, Size]:
    """The two sizes that a matrix product contracts: left's last axis and right's last but one (or only) axis."""
    first, second = matmul_axes(left, right, transpose_a, transpose_b)
    return left[first], right[second]


def matmul_axes(left: Shape, right: Shape, transpose_a: bool = False, transpose_b: bool = False) -> tuple[int, int]:
    """The axes of both sides that a matrix product contracts; a side is transposed only where it has two axes."""
    first = len(left) - (2 if transpose_a and len(left) > 1 else 1)
    second = len(right) - (1 if transpose_b or len(right) == 1 else 2)
    return first, second


def contracted(along: object, shapes: Sequence[Shape]) -> tuple[int, int] | None:
    """The axes of two operands that a product of batches contracts, given one axis for both or one for each."""
    pair = (along, along) if isinstance(along, int) else along
    if len(shapes) != 2 or not isinstance(pair, tuple | list) or len(pair) != 2:
        return None
    one, other = pair
    fits = all(isinstance(a, int) and -len(s) <= a < len(s) for a, s in zip(pair, shapes, strict=True))
    return (one % len(shapes[0]), other % len(shapes[1])) if fits else None


def differ(one: Size, other: Size) -> bool:
    """Whether two sizes are both known and different."""
    return one is not None and other is not None and one != other


# Reshaping


def elements(shape: Shape) -> Size:
    """How many elements a tensor of this shape has, None where a size is unknown."""
    known = [size for size in shape if size is not None]
    return prod(known) if len(known) == len(shape) else None


def added(before: Shape, after: Shape) -> tuple[int, ...]:
    """The axes of `after` that are of size 1 and not in `before`; none where that is not all that differs."""
    new: list[int] = []
    rest = list(before)
    for axis, size in enumerate(after):
        if rest and size == rest[0]:
            del rest[0]
        elif size == 1:
            new.append(axis)
        else:
            return ()
    return () if rest else tuple(new)


def factor_groups(before: Shape, after: Shape) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Pairs of runs of axes, of `before` and of `after`, with equal products, each run as short as can be.

    `(2, 3, 4, 5)` to `(2, 12, 5)` is `[((0,), (0,)), ((1, 2), (1,)), ((3,), (2,))]`. Empty where a size is unknown or
    the products differ. Only a first axis may be unknown in both, a batch: it is the same if all the rest is.
    """
    if before[:1] == after[:1] == (None,):
        rest = factor_groups(before[1:], after[1:])
        shifted = [(tuple(i + 1 for i in old), tuple(j + 1 for j in new)) for old, new in rest]
        return [((0,), (0,)), *shifted] if rest or len(before) == len(after) == 1 else []
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
