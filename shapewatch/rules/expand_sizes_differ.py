"""A tensor is to be repeated, or written into a part of another, and its sizes do not allow it.

## What it means
`expand`, `broadcast_to` and an assignment such as `x[:, 1:3] = y` repeat axes of size 1, and no other. What is written
into has a shape that does not change.

## Why
The axis was meant to have size 1 (a `keepdim=True` or an `unsqueeze` is missing), or the part that is written to is not
as long as what is written.

## Bad
    torch.ones(2, 3).expand(4, 5)

## Good
    torch.ones(1, 3).expand(4, 3)

## Bad in Keras
    tf.broadcast_to(tf.ones((2, 3)), (4, 5))

## Good in Keras
    tf.broadcast_to(tf.ones((1, 3)), (4, 3))

## What it can be confused with
`branches-differ`: two tensors meet, and either may be changed.
"""

from __future__ import annotations

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, listed, number, rule


@rule("SW203", "expand-sizes-differ", frozenset({"expand", "setitem", "other", "same"}))
def check(case: Case) -> Finding | None:
    met = _met(case)
    if met is None:
        return None
    given, target = met
    if len(given) > len(target):
        return Finding(
            headline=f"{case.name}: {text(given)} has more axes than {text(target)}, into which it is to be repeated",
            explanation="Axes can be added in front by repeating, and none taken away.",
        )
    wrong, wants = [], list[Want]()
    offset = len(target) - len(given)
    for axis, size in enumerate(given):
        wanted = target[axis + offset]
        if size != 1 and wanted != -1 and differ(size, wanted):
            wrong.append(f"{number(size)} on axis {axis}, where {number(wanted)} or 1 fits")
            if case.call.name == "expand_as" and wanted is not None:
                wants.append(Want(case.call.operands[0], {axis: Range.only(wanted)}, 0))
    if not wrong:
        return None
    return Finding(
        headline=f"{case.name}: {text(given)} cannot be repeated into {text(target)}",
        explanation=f"It has {listed(wrong)}.",
        wants=tuple(wants),
    )


def _met(case: Case) -> tuple[Shape, Shape] | None:
    """What is repeated, and into which shape."""
    shapes, target = case.shapes, case.facts.get("shape")
    if case.call.kind == "expand":
        if case.call.name == "expand_as" and len(shapes) > 1:
            return shapes[0], shapes[1]
        plain = isinstance(target, tuple) and all(isinstance(size, int) for size in target)
        return (shapes[0], target) if shapes and plain and isinstance(target, tuple) else None
    if case.call.name == "copy" and case.facts.get("in_place") and len(shapes) == 2:
        return shapes[1], shapes[0]
    said = case.said("expand") if case.call.kind == "setitem" else {}
    given, into = said.get("given"), said.get("target")
    known = any(given == shape for shape in shapes[1:])
    return (given, into) if isinstance(given, tuple) and isinstance(into, tuple) and known else None
