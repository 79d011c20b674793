"""A batch is collected of samples of different shapes.

## What it means
A loader stacks what the dataset gives, and a stack needs tensors of one shape.

## Why
Pictures were not brought to one size, sequences not padded to one length, one picture is grey or has an alpha channel;
or the labels of the samples are of different lengths. A `collate_fn` that pads, or a transform in the dataset, makes
them equal.

## Bad
    from torch.utils.data import default_collate
    default_collate([torch.ones(3, 4), torch.ones(3, 4), torch.ones(3, 5)])

## Good
    from torch.utils.data import default_collate
    default_collate([torch.ones(3, 4), torch.ones(3, 4), torch.ones(3, 4)])

## What it can be confused with
`stack-sizes-differ`: the model itself stacks what it has computed.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, takewhile

from shapewatch.axes import differ
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, listed, number, rule


@rule("SW902", "samples-differ", frozenset({"stack"}))
def check(case: Case) -> Finding | None:
    shapes = case.shapes
    if not case.facts.get("collects") or len(shapes) < 2 or not any(_unlike(shapes[0], shape) for shape in shapes):
        return None
    usual = _usual(shapes)
    odd = [position for position, shape in enumerate(shapes) if _unlike(shape, usual)]
    if 2 * len(odd) >= len(shapes):
        odd = [position for position, shape in enumerate(shapes) if _unlike(shape, shapes[0])]
        usual = shapes[0]
    shown = [f"sample {position} is {text(shapes[position])}" for position in odd[:3]]
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    guess = _guess(shapes, usual, odd)
    return Finding(
        headline=f"{len(shapes)} samples are collected; sample {shapes.index(usual)} is {text(usual)}, "
        f"{listed(shown)}{more}",
        explanation=f"{_axes(shapes, usual, odd)} A batch is a stack of samples of one shape.{guess}",
    )


def _usual(shapes: list[Shape]) -> Shape:
    return Counter(shapes).most_common(1)[0][0]


def _unlike(one: Shape, other: Shape) -> bool:
    return len(one) != len(other) or any(map(differ, one, other))


def _axes(shapes: list[Shape], usual: Shape, odd: list[int]) -> str:
    other = shapes[odd[0]]
    if len(other) != len(usual):
        return f"Sample {odd[0]} has {len(other)} axes, sample {shapes.index(usual)} has {len(usual)}."
    wrong = [axis for axis in range(len(usual)) if differ(other[axis], usual[axis])]
    said = [
        f"{number(other[axis])} on axis {axis}, where sample {shapes.index(usual)} has {number(usual[axis])}"
        for axis in wrong
    ]
    return f"Sample {odd[0]} has {listed(said)}."


def ends_short(shapes: list[Shape]) -> bool:
    """Whether the samples at the end get shorter one by one along their first axis."""
    lengths = [shape[0] for shape in shapes if shape and shape[0] is not None]
    steps = [one - other for one, other in pairwise(lengths)]
    fall = len(steps) - len(list(takewhile(lambda step: step == 0, steps)))
    return len(lengths) == len(shapes) and fall > 1 and set(steps[-fall:]) == {1}


def _guess(shapes: list[Shape], usual: Shape, odd: list[int]) -> str:
    """What sizes tell of pictures: grey, with an alpha channel, or not brought to one size."""
    other = shapes[odd[0]]
    if ends_short(shapes):
        return " The last ones are shorter and shorter: slices that run past the end of the data."
    if len(other) != len(usual) or len(usual) != 3:
        return ""
    wrong = [axis for axis in range(3) if differ(other[axis], usual[axis])]
    if wrong in ([0], [2]):
        kinds = {1: "grey", 3: "in colour", 4: "with an alpha channel"}
        one, most = kinds.get(other[wrong[0]] or 0), kinds.get(usual[wrong[0]] or 0)
        if one and most:
            return f" It looks like a picture {one} among pictures {most}."
    return ""
