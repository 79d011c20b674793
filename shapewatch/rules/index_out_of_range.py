"""A number in an index, or of a token, is larger than what it looks up in is long.

## What it means
An embedding of 10 rows has the rows 0 to 9, and an axis of 10 the places 0 to 9.

## Why
The vocabulary has grown, or counts from 1; the padding or a new token has a number of its own; a sequence is longer
than the table of its positions.

## Bad
    nn.Embedding(10, 4)(torch.tensor([[1, 2, 10]]))

## Good
    nn.Embedding(11, 4)(torch.tensor([[1, 2, 10]]))

## Bad in Keras
    layers.Embedding(10, 4)(tf.constant([[1, 2, 10]]))

## Good in Keras
    layers.Embedding(11, 4)(tf.constant([[1, 2, 10]]))

## What it can be confused with
`classes-differ`: a label is no class. On a GPU both end in a device-side assertion that does not say which.
"""

from __future__ import annotations

from shapewatch.edits import Edit
from shapewatch.recording import Size, text
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW604", "index-out-of-range", frozenset({"embedding", "index"}))
def check(case: Case) -> Finding | None:
    if case.call.finished or not case.shapes:
        return None
    return _placed(case) or (_looked_up(case) if case.tells("index-range") else None)


def _placed(case: Case) -> Finding | None:
    """`x[5]` of an axis that is 3 long."""
    shape, items = case.shapes[0], case.facts.get("items")
    if not isinstance(items, tuple) or "..." in items or None in items or len(items) > len(shape):
        return None
    for axis, item in enumerate(items):
        size = shape[axis]
        if isinstance(item, int) and size is not None and not -size <= item < size:
            return Finding(
                headline=f"{case.name} asks for place {item} of axis {axis}, which is {size} long",
                explanation=f"{text(shape)} has the places 0 to {size - 1} there.",
            )
        if item == "tensor":
            return None  # it may take several axes
    return None


def _looked_up(case: Case) -> Finding | None:
    said = case.said("index-range")
    rows = _rows(case)
    if rows is None:
        rows = said.get("size")
    if rows is None:
        return None
    asked = said.get("index")
    least, why = _least(case, asked, rows)
    own: tuple[tuple[Edit, ...], ...] = case.sets(num_embeddings=least) if least and case.layer else ()
    shapes = listed([text(shape) for shape in case.shapes])
    given = f"The index is {text(case.shapes[0])}" if case.call.kind == "embedding" else f"It is given {shapes}"
    shown = f"number {asked}" if isinstance(asked, int) else "a number that is too large"
    return Finding(
        headline=f"{case.name} looks up in {rows} rows, 0 to {rows - 1}, and is asked for {shown}",
        explanation=f"{given}.{why}",
        own=own,
    )


def _rows(case: Case) -> Size:
    """How long the table is that is looked up in."""
    rows = case.facts.get("num_embeddings")
    if isinstance(rows, int):
        return rows
    if case.call.kind == "embedding" and len(case.shapes) > 1 and len(case.shapes[1]) == 2:
        return case.shapes[1][0]
    return None


def _least(case: Case, asked: object, rows: int) -> tuple[int | None, str]:
    """How many rows would do, where that is known: by the number asked for, or because positions are counted off."""
    if isinstance(asked, int) and asked >= rows:
        return asked + 1, ""
    made = case.graph.producer.get(case.call.operands[0])
    if made is not None and made.name == "arange" and len(made.results) == 1:
        (count,) = case.recording.shape(made.results[0]) or (None,)
        if count is not None and count > rows:
            return count, f" Positions are counted off up to {count}: the sequence is longer than the table."
    return None, ""
