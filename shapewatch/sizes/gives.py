"""The sizes of what a model gives, as arithmetic of the sizes that it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

UNKNOWN = "?"

_FEWEST = 3
"""Pairs of sizes from which arithmetic is read."""


@dataclass(frozen=True)
class Along:
    """What came out along one axis: its name, and by its size what the model gave."""

    name: str
    outputs: Mapping[int, Any]


def gives(base: Any, along: Sequence[Along]) -> tuple[tuple[str, ...], ...]:
    """For each tensor that a model gives, each of its sizes: a number, the name of an axis, `height//2`, or `?`."""
    return tuple(
        tuple(_size(tensor, axis, size, along) for axis, size in enumerate(shape))
        for tensor, shape in enumerate(_leaves(base))
    )


def _size(tensor: int, axis: int, size: int | None, along: Sequence[Along]) -> str:
    said = [each for each in (_along(tensor, axis, one) for one in along) if each is not None]
    if size is None or len(said) > 1:
        return UNKNOWN
    return said[0] if said else str(size)


def _along(tensor: int, axis: int, along: Along) -> str | None:
    """How a size of the output goes with an axis of the input; None where it does not change with it."""
    pairs: list[tuple[int, int]] = []
    for size, output in sorted(along.outputs.items()):
        leaves = list(_leaves(output))
        if tensor >= len(leaves) or axis >= len(leaves[tensor]) or (given := leaves[tensor][axis]) is None:
            return UNKNOWN
        pairs.append((size, given))
    if len({given for _, given in pairs}) < 2:
        return None
    return (_arithmetic(along.name, pairs) if len(pairs) >= _FEWEST else None) or UNKNOWN


def _arithmetic(name: str, pairs: Sequence[tuple[int, int]]) -> str | None:
    """The simplest of `n`, `3*n/4`, `n - 4`, `(n - 4)//2` and `16*(n//16)` that is true of all pairs."""
    size, given = pairs[-1]
    ratio = Fraction(given, size)
    if all(given == ratio * size for size, given in pairs):
        times = name if ratio.numerator == 1 else f"{ratio.numerator}*{name}"
        return times if ratio.denominator == 1 else f"{times}/{ratio.denominator}"
    for divisor in range(1, 129):
        for more in sorted(range(-128, 129), key=abs):
            if all(given == (size + more) // divisor for size, given in pairs):
                return _floored(_plus(name, more), divisor)
        if all(given == size // divisor * divisor for size, given in pairs):
            return f"{divisor}*({name}//{divisor})"
    return None


def _plus(name: str, more: int) -> str:
    return name if not more else f"{name} {'+' if more > 0 else '-'} {abs(more)}"


def _floored(sum_: str, divisor: int) -> str:
    if divisor == 1:
        return sum_
    return f"({sum_})//{divisor}" if " " in sum_ else f"{sum_}//{divisor}"


def _leaves(output: Any) -> Iterator[tuple[int | None, ...]]:
    """The shapes in what a model gave."""
    if isinstance(output, Mapping):
        for part in output.values():
            yield from _leaves(part)
    elif isinstance(output, tuple | list):
        of_sizes = all(size is None or isinstance(size, int) for size in output)
        if of_sizes and (not output or any(output)):  # what is no tensor is None too
            yield tuple(output)
        else:
            for part in output:
                yield from _leaves(part)
