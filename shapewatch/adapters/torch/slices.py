"""What an index cuts out of a tensor, spelled as Python does: `:, :8` of `pe[:, :n]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

OTHER = "?"
"""What stands for an item that is no whole number, and no slice between whole numbers."""


def spelled(index: Any) -> str | None:
    """The items of an index; None where no slice in it begins or ends at a whole number."""
    items = index if isinstance(index, tuple) else (index,)
    parts = [_item(item) for item in items]
    return ", ".join(parts) if any(":" in part and part != ":" for part in parts) else None


def _item(item: Any) -> str:
    if isinstance(item, slice):
        ends = (item.start, item.stop)
        if item.step not in (None, 1) or not all(end is None or type(end) is int for end in ends):
            return OTHER
        return ":".join("" if end is None else str(end) for end in ends)
    if item is ...:
        return "..."
    return str(item) if item is None or type(item) is int else OTHER


def cut(index: Any, wanted: str) -> tuple[Any, ...]:
    """An index with its slices as they are spelled, and all else in it as it is."""
    items: Sequence[Any] = index if isinstance(index, tuple) else (index,)
    parts = wanted.split(", ")
    kept = [*items, *[slice(None)] * (len(parts) - len(items))]
    return tuple(_slice(part) if ":" in part else item for part, item in zip(parts, kept, strict=True))


def _slice(part: str) -> slice:
    start, _, stop = part.partition(":")
    return slice(int(start) if start else None, int(stop) if stop else None)
