"""Shapes, sizes and axes in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from shapewatch.recording import Shape, Size


def sized(size: Size) -> str:
    return "?" if size is None else str(size)


def shaped(shape: Shape | None) -> str:
    """`[2, 3]`; an unknown size is `?`, as in every report."""
    return "a shape that is not told" if shape is None else f"[{', '.join(map(sized, shape))}]"


def listed(items: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    parts = list(items)
    return ", ".join(parts[:-1]) + f" {last} {parts[-1]}" if len(parts) > 1 else "".join(parts)


def of_rank(rank: Size) -> str:
    return f"{sized(rank)} axis" if rank == 1 else f"{sized(rank)} axes"


def plural(count: Size, noun: str, many: str = "") -> str:
    return f"{sized(count)} {noun}" if count == 1 else f"{sized(count)} {many or noun + 's'}"


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
