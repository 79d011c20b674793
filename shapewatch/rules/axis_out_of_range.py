"""An operation speaks of an axis that the tensor does not have.

## What it means
A tensor of 3 axes has the axes 0, 1 and 2, or -3, -2 and -1. `permute` and `transpose` name each of them once.

## Why
The tensor has lost an axis (a `squeeze`, an index, a reduction without `keepdim`, no batch) or never had it: the
operation was written for images and gets sequences.

## Bad
    torch.ones(2, 4).mean(dim=2)

## Good
    torch.ones(2, 4).mean(dim=1)

## Bad in Keras
    tf.transpose(tf.ones((2, 4)), (0, 2, 1))

## Good in Keras
    tf.transpose(tf.ones((2, 4, 3)), (0, 2, 1))

## What it can be confused with
`rank-differs`: a layer takes another number of axes. `index-out-of-range`: the axis is there, and is too short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shapewatch.edits import Edit, SetCall
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, plural, rule

_NAMED = frozenset({"reduce", "squeeze", "unsqueeze", "permute", "flatten", "squash", "split", "index", "stack"})


@rule("SW304", "axis-out-of-range", _NAMED)
def check(case: Case) -> Finding | None:
    if not case.shapes:
        return None
    shape, rank = case.shapes[0], len(case.shapes[0])
    count = plural(rank, "axis").replace("axiss", "axes")
    wrong = [axis for axis in _axes(case) if not -rank <= axis < rank]
    if wrong:
        return Finding(
            headline=f"{case.name} speaks of axis {wrong[0]}, and its input {text(shape)} has {count}",
            explanation=f"The axes of {text(shape)} are {_range(rank)}.",
            own=tuple(_without(case, wrong)),
        )
    named = case.facts.get("dims")
    if case.call.kind == "permute" and isinstance(named, tuple) and len(named) != rank:
        return Finding(
            headline=f"{case.name} puts {plural(len(named), 'axis').replace('axiss', 'axes')} in order, and its input "
            f"{text(shape)} has {count}",
            explanation=f"The order {named} has to name each axis once.",
        )
    asked = _indexed(case.facts.get("items"))
    if asked > rank and len(case.shapes) == 1:
        return Finding(
            headline=f"{case.name} has {asked} indices for the {count} of {text(shape)}",
            explanation="There is one index for an axis at most.",
        )
    return None


def _without(case: Case, wrong: list[int]) -> Iterator[tuple[Edit, ...]]:
    """The axes of a sum or mean that there are, where it names others too."""
    named = case.facts.get("dim")
    kept = tuple(axis for axis in named if axis not in wrong) if isinstance(named, tuple | list) else ()
    if case.call.kind == "reduce" and not case.call.is_layer and kept:
        yield (SetCall(case.call.place, "dim", kept[0] if len(kept) == 1 else kept, named),)


def _axes(case: Case) -> list[int]:
    """The axes that an operation names, as it counts them; with one more for `unsqueeze` and `stack`."""
    facts, rank = case.facts, len(case.shapes[0])
    names = ("dim", "start_dim", "end_dim") if case.call.kind != "index" else ()
    given: list[Any] = [facts.get(name) for name in names]
    given += [facts.get("dims"), facts.get("swap")] if case.call.kind == "permute" else []
    named = [axis for value in given for axis in (value if isinstance(value, Iterable) else (value,))]
    whole = [axis for axis in named if isinstance(axis, int) and not isinstance(axis, bool)]
    if case.call.kind in ("unsqueeze", "stack"):  # the new one is counted too
        return [axis for axis in whole if not -rank - 1 <= axis <= rank]
    if case.call.kind == "permute" and facts.get("dims") is not None and len(facts["dims"]) != rank:
        return []
    return whole


def _indexed(items: Any) -> int:
    """How many axes an index in brackets speaks of."""
    if not isinstance(items, tuple) or "tensor" in items:
        return 0
    return sum(item is not None and item != "..." for item in items)


def _range(rank: int) -> str:
    return "none" if not rank else f"0 to {rank - 1}, or {-rank} to -1"
