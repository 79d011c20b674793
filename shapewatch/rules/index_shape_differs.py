"""An index or a mask has another shape than what it picks from.

## What it means
A mask has one truth value for each element, or for each row: its axes are the first axes of the tensor. The index of
`gather` has as many axes as the tensor, and is on no axis but the one picked along longer than it.

## Why
The mask was made of another tensor, before a padding, a cut or a pooling; or it lacks an axis, or has one more.

## Bad
    torch.ones(5, 4)[torch.ones(6).bool()]

## Good
    torch.ones(6, 4)[torch.ones(6).bool()]

## What it can be confused with
`index-out-of-range`: the shapes fit, and a number in the index is too large.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import RESULT, Edit, Insert, Module
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, number, plural, rule


@rule("SW404", "index-shape-differs", frozenset({"index", "setitem", "other", "same"}))
def check(case: Case) -> Finding | None:
    if len(case.shapes) < 2:
        return None
    if case.call.name in ("getitem", "setitem", "masked_select"):
        return _masked(case)
    if case.call.name in _WRITING:
        return _written(case)
    return _gathered(case) if case.call.name in ("gather", "scatter", "scatter_add") else None


_WRITING = frozenset({"index_add", "index_copy", "index_reduce"})


def _written(case: Case) -> Finding | None:
    """Rows that an index tells where to put: as wide as what they are put into."""
    if len(case.shapes) < 3:
        return None
    into, _, rows = case.shapes[:3]
    if len(into) != len(rows) or not into:
        return None
    along = case.facts.get("dim", 0)
    along = along % len(into) if isinstance(along, int) else 0
    first, _, last = case.call.operands[:3]
    wrong = [axis for axis in range(len(into)) if axis != along and differ(into[axis], rows[axis])]
    if not wrong:
        return None
    axis = wrong[0]
    return Finding(
        headline=f"{case.name}: {case.called(last, 'what is put')} {text(rows)} into {case.called(first, 'a tensor')} "
        f"{text(into)}, and axis {axis} is {number(rows[axis])} against {number(into[axis])}",
        explanation=f"All axes but {along}, along which the index chooses, have to be equal.",
        wants=(
            Want(first, {axis: Range.only(rows[axis] or 0)}, 0),
            Want(last, {axis: Range.only(into[axis] or 0)}, 2),
        ),
    )


def _masked(case: Case) -> Finding | None:
    source, mask = case.shapes[:2]
    items = case.facts.get("items", ("tensor",))
    is_mask = case.recording.values[case.call.operands[1]].spec.dtype == "bool"
    if not is_mask or not isinstance(items, tuple) or items[:1] != ("tensor",) or case.call.name == "masked_select":
        return None
    wrong = [axis for axis, size in enumerate(mask[: len(source)]) if differ(size, source[axis])]
    if not wrong and len(mask) <= len(source):
        return None
    said = f"axis {wrong[0]} is {number(mask[wrong[0]])} long, where {number(source[wrong[0]])} fits" if wrong else ""
    return Finding(
        headline=f"{case.name}: a mask {text(mask)} picks from {text(source)}",
        explanation=f"The axes of a mask are the first ones of what it picks from; {said or 'it has too many'}.",
    )


def _gathered(case: Case) -> Finding | None:
    source, index = case.shapes[:2]
    along = case.facts.get("dim", case.facts.get("index"))
    if not isinstance(along, int):
        return None  # a `gather` that picks whole slices
    if not source or len(source) != len(index):
        return Finding(
            headline=f"{case.name}: an index of {plural(len(index), 'axis').replace('axiss', 'axes')} picks from "
            f"{text(source)}",
            explanation=f"The index {text(index)} needs as many axes as what it picks from."
            + (" `unsqueeze(-1)` gives it the one that it lacks." if len(index) == len(source) - 1 == 1 else ""),
            own=tuple(_one_of_each_row(case, source, index)),
        )
    wrong = [axis for axis in range(len(source)) if axis != along % len(source) and _longer(index, source, axis)]
    if not wrong:
        return None
    return Finding(
        headline=f"{case.name}: the index is {index[wrong[0]]} long on axis {wrong[0]}, what it picks from "
        f"{source[wrong[0]]}",
        explanation=f"The index {text(index)} picks along axis {along} of {text(source)}; on the other axes it may not "
        "be longer.",
    )


def _one_of_each_row(case: Case, source: Shape, index: Shape) -> Iterator[tuple[Edit, ...]]:
    """One number for each sample, [N], of the columns of [N, C]: the value of the action that was taken."""
    if case.call.name == "gather" and len(source) == 2 and index == source[:1]:
        column = Insert(case.call.place, 1, Module("unsqueeze", {"dims": (1,), "rank": 2}))
        taken_off = case.call.span is not None and ".squeeze(" in (case.call.span.source or "")
        yield (column,) if taken_off else (column, Insert(case.call.place, RESULT, Module("squeeze", {"dim": 1})))


def _longer(index: Shape, source: Shape, axis: int) -> bool:
    one, other = index[axis], source[axis]
    return one is not None and other is not None and one > other
