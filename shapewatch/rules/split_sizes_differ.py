"""A tensor is split into parts that do not add up to its size.

## What it means
`split(x, [4, 4, 4], dim=-1)` needs that axis to be 12 long; a split into equal parts needs a multiple of their number.

## Why
The layer before gives another width than the parts were written for: a query, key and value together are three times
the width, gates of a recurrent cell four times. Or there are more parts than names for them on the left, or fewer.

## Bad
    torch.split(nn.Linear(8, 12)(torch.ones(2, 8)), [4, 4, 5], dim=-1)

## Good
    torch.split(nn.Linear(8, 13)(torch.ones(2, 8)), [4, 4, 5], dim=-1)

## Bad in Keras
    tf.split(tf.ones((3, 10)), 3, axis=1)

## Good in Keras
    tf.split(tf.ones((3, 9)), 3, axis=1)
"""

from __future__ import annotations

import re

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, listed, plural, rule


@rule("SW403", "split-sizes-differ", frozenset({"split"}))
def check(case: Case) -> Finding | None:
    return _of_names(case) if case.call.finished else _of_sizes(case)


def _of_names(case: Case) -> Finding | None:
    """Parts that were made, and are unpacked into more names, or into fewer, than there are."""
    expected = re.search(r"values to unpack \(expected (\d+)", case.message)
    given = len(case.call.results)
    if expected is None or int(expected.group(1)) == given:
        return None
    names = int(expected.group(1))
    return Finding(
        headline=f"{case.name} gives {plural(given, 'part')}, and {plural(names, 'name')} "
        f"{'takes' if names == 1 else 'take'} them",
        explanation=f"Its input is {text(case.shapes[0])}, and the parts are "
        f"{listed([text(case.recording.shape(part)) for part in case.call.results[:4]])}.",
    )


def _of_sizes(case: Case) -> Finding | None:
    shape, axis = case.shapes[0] if case.shapes else (), case.facts.get("dim", 0)
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape) or shape[axis] is None:
        return None
    sizes, parts, given = case.facts.get("size"), case.facts.get("parts"), shape[axis] or 0
    if isinstance(sizes, tuple) and all(isinstance(size, int) and size >= 0 for size in sizes):
        wanted, said = sum(sizes), f"parts of {', '.join(map(str, sizes))}, {sum(sizes)} together"
        fits = wanted == given
    elif isinstance(parts, int) and parts > 0:
        wanted, said = max(parts, round(given / parts) * parts), f"{parts} equal parts"
        fits = given % parts == 0
    else:
        return None
    if fits:
        return None
    return Finding(
        headline=f"{case.name} splits {given} into {said}",
        explanation=f"Its input is {text(shape)}, split along axis {axis}.",
        wants=(Want(case.call.operands[0], {axis % len(shape): Range.only(wanted)}),),
    )
