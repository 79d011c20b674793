"""A model is given an input of another shape than it was made for.

## What it means
A functional model is made for inputs of certain shapes, `keras.Input(shape=…)`, and refuses others before it runs. So
does a session of TensorFlow 1 what is fed for a placeholder.

## Why
The data were loaded in another size or layout, without a batch axis, or with another number of channels.

## Bad in Keras
    x = keras.Input((8, 8, 3)); keras.Model(x, layers.Conv2D(4, 3)(x))(tf.ones((2, 3, 8, 8)))

## Good in Keras
    x = keras.Input((8, 8, 3)); keras.Model(x, layers.Conv2D(4, 3)(x))(tf.ones((2, 8, 8, 3)))
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, permutations

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Input
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, number, rule


@rule("SW602", "model-input-differs", frozenset({"module", "container", "feed"}))
def check(case: Case) -> Finding | None:
    if case.call.kind == "feed":
        return _of_feed(case)
    takes = case.facts.get("takes", ())
    if case.layer is None or len(takes) != len(case.shapes):
        return None
    for position, (wanted, given) in enumerate(zip(takes, case.shapes, strict=True)):
        if len(wanted) == len(given) and not any(map(differ, wanted, given)):
            continue
        return Finding(
            headline=f"{case.where} takes {text(wanted)} and is given {text(given)}",
            explanation=_explanation(wanted, given),
            own=tuple(_own(case, position, wanted, given)),
            wants=tuple(_wants(case, position, wanted, given)),
        )
    return None


def _of_feed(case: Case) -> Finding | None:
    """What is fed for a placeholder."""
    fed, placeholder = case.call.operands
    given, wanted = case.shapes
    if len(wanted) == len(given) and not any(map(differ, wanted, given)):
        return None
    name = case.called(placeholder, f"the placeholder {case.facts['placeholder']}")
    return Finding(
        headline=f"{name} takes {text(wanted)} and is fed {case.called(fed, '')} {text(given)}".replace("  ", " "),
        explanation=f"{_explanation(wanted, given)}{_of_same_numbers(wanted, given)}"
        f"{_of_class_numbers(case, wanted, given)}",
    )


def _of_same_numbers(wanted: Shape, given: Shape) -> str:
    """What is fed has as many numbers for each sample, in other axes; or it is one sample."""
    if None in given or None in wanted[1:]:
        return ""
    if len(given) == len(wanted) - 1 and tuple(given) == tuple(wanted[1:]):
        return " It is one sample, without the batch axis: `x[None]` has it."
    if given and math.prod(given[1:]) == math.prod(wanted[1:]) and len(wanted) > 1:  # type: ignore[arg-type]
        if len(given) == len(wanted) and sorted(map(str, given[1:])) == sorted(map(str, wanted[1:])):
            return " Its axes stand in another order."
        target = ", ".join(str(size) for size in (-1, *wanted[1:]))
        return f" Each sample has as many numbers as are wanted: `x.reshape({target})` fits."
    return ""


def _of_class_numbers(case: Case, wanted: Shape, given: Shape) -> str:
    whole = case.recording.values[case.call.operands[0]].spec.dtype.startswith(("int", "uint"))
    if not whole or len(wanted) != 2 or len(given) != 1 or (wanted[1] or 0) < 2:
        return ""
    return (
        f" Where these are class numbers: rows of {wanted[1]}, one for each class, fit "
        f"(`np.eye({wanted[1]})[labels]`), or a placeholder of shape [None] with the sparse loss."
    )


def _explanation(wanted: Shape, given: Shape) -> str:
    if len(wanted) != len(given):
        return f"It was made for inputs of {len(wanted)} axes, the batch among them; this one has {len(given)}."
    axes = [axis for axis in range(len(wanted)) if differ(wanted[axis], given[axis])]
    parts = [f"axis {axis} is {number(given[axis])} long, where {number(wanted[axis])} fits" for axis in axes]
    return f"{'; '.join(parts) or 'Sizes are not known'}."


def _own(case: Case, position: int, wanted: Shape, given: Shape) -> list[tuple[Edit, ...]]:
    """Another order of the axes, or a batch axis."""
    value, recording = case.call.operands[position], case.recording
    if value not in recording.inputs:
        return []
    index = recording.inputs.index(value)
    if len(given) == len(wanted) - 1:
        return [(Input(index, "unsqueeze", {"dim": axis}, shape),) for axis, shape in _one_axis_more(wanted, given)]
    if len(given) != len(wanted):
        return []
    found: list[tuple[Edit, ...]] = []
    for order in sorted(permutations(range(1, len(given))), key=_moves):
        moved = (given[0], *(given[axis] for axis in order))
        if not any(map(differ, wanted, moved)) and order != tuple(sorted(order)):
            alike = _given_alike(case, wanted, given)
            found.append(tuple(Input(at, "permute", {"dims": (0, *order)}, moved) for at in alike or [index]))
    return found[:2]


def _moves(order: tuple[int, ...]) -> int:
    """How many axes stand behind one that they stood in front of: moved channels leave height and width in order."""
    return sum(one > other for one, other in pairwise(order))


def _given_alike(case: Case, wanted: Shape, given: Shape) -> list[int]:
    """The inputs that are given in the same wrong shape, where the same is wanted: two views of one image."""
    inputs, takes = case.recording.inputs, case.facts.get("takes", ())
    pairs = zip(case.call.operands, takes, case.shapes, strict=True)
    return [
        inputs.index(value) for value, likes, shape in pairs if (likes, shape) == (wanted, given) and value in inputs
    ]


def _one_axis_more(wanted: Shape, given: Shape) -> Iterator[tuple[int, Shape]]:
    """Where an axis of size 1 is missing: that of the batch, unless the first one given is it."""
    for axis in range(given[0] is None, len(wanted)):
        more = (*given[:axis], 1, *given[axis:])
        if not any(map(differ, wanted, more)):
            yield axis, more
            return


def _wants(case: Case, position: int, wanted: Shape, given: Shape) -> list[Want]:
    if len(wanted) != len(given):
        return []
    demand = {
        axis: Range.only(size) for axis, size in enumerate(wanted) if size is not None and differ(size, given[axis])
    }
    return [Want(case.call.operands[position], demand, position)]
