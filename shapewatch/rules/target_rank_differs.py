"""Output and target of a loss have different numbers of axes.

## What it means
A last layer of width 1 gives `[N, 1]`, and targets are mostly `[N]`: a loss that needs equal shapes takes neither for
the other. Class numbers have one axis less than the scores.

## Why
An axis of size 1 was kept on one side, or dropped by `squeeze()` on the other. Or the model gives maps or sequences
where one answer for each item is meant: a flatten, a pooling or the last step of a recurrent layer is missing.

## Bad
    nn.BCEWithLogitsLoss()(nn.Linear(6, 1)(torch.ones(5, 6)), torch.ones(5))

## Good
    nn.BCEWithLogitsLoss()(nn.Linear(6, 1)(torch.ones(5, 6)).squeeze(1), torch.ones(5))

## Bad in Keras
    m = keras.Sequential([layers.Conv2D(4, 3), layers.Dense(10)])
    keras.losses.CategoricalCrossentropy()(tf.ones((2, 10)), m(tf.ones((2, 6, 6, 3))))

## Good in Keras
    m = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(10)])
    keras.losses.CategoricalCrossentropy()(tf.ones((2, 10)), m(tf.ones((2, 6, 6, 3))))

## What it can be confused with
`classes-differ`: labels one-hot where class numbers are wanted, or the other way round, have another rank for another
reason. Where the two ranks broadcast nothing is raised, and the loss is wrong.
"""

from __future__ import annotations

import math

from shapewatch.axes import differ
from shapewatch.edits import Edit, Target
from shapewatch.recording import Shape, text
from shapewatch.rules.losses import Compared, compared, missing_flatten
from shapewatch.rules.rule import Case, Finding, plural, rule


@rule("SW802", "target-rank-differs", frozenset({"loss"}))
def check(case: Case) -> Finding | None:
    loss = compared(case)
    if loss is None or loss.difference != "rank":
        return None
    wanted = loss.items if loss.labels == "classes" else loss.output
    own: list[tuple[Edit, ...]] = [(edit,) for edit in _one_axis(loss, wanted)]
    less = len(loss.target) < len(wanted)
    hint = f" An axis of size 1 is what it {'lacks' if less else 'has too many'}." if own else ""
    if not own and len(loss.output) > len(loss.target) + 1 and _without_ones(loss.output) == _without_ones(loss.target):
        own.append((Target("output-reshaped", {"shape": loss.target}),))
        hint = " But for axes of size 1 the output has that shape."
    if not own and (columns := _of_all_columns(case, loss)):
        own.append((Target("column", {"columns": columns}),))
        hint = f" {columns} is how many columns the input has: the labels still have all of them."
    if not own and _same_numbers(loss):
        own.append((Target("shape", {"shape": (loss.target[0], *loss.output[1:]), "reshaped": True}),))
        hint = " Both have as many numbers for each item, laid out in different ways."
    if not own and len(wanted) > len(loss.target):
        own += [*missing_flatten(case, loss), *_pooled(loss)]
        hint = " The output has more axes than there are answers: something that joins or drops them is missing."
    return Finding(
        headline=f"{loss.name} compares an output {text(loss.output)} with a target {text(loss.target)}",
        explanation=f"For this output the target should have {plural(len(wanted), 'axis').replace('axiss', 'axes')}, "
        f"and it has {len(loss.target)}.{hint}",
        own=tuple(own),
    )


def _without_ones(shape: Shape) -> Shape:
    """The batch, and the other sizes that are not 1."""
    return (*shape[:1], *(size for size in shape[1:] if size != 1))


def _of_all_columns(case: Case, loss: Compared) -> int | None:
    """How many columns the labels have, where the output has one number for each of their rows, and the input has as
    many columns: the one that is to be predicted was not chosen."""
    given = [case.recording.shape(number) for number in case.recording.inputs]
    if loss.labels != "same" or len(loss.target) < 3 or any(map(differ, loss.target[:-1], loss.output)):
        return None
    alike = len(loss.target) == len(loss.output) + 1 and any(shape[-1:] == loss.target[-1:] for shape in given)
    return loss.target[-1] if alike else None


def _same_numbers(loss: Compared) -> bool:
    """Whether an item of the target has as many numbers as one of the output."""
    output, target = loss.output[1:], loss.target[1:]
    if loss.labels != "same" or not target or None in (*output, *target):
        return False
    return math.prod(size or 0 for size in output) == math.prod(size or 0 for size in target)


def _one_axis(loss: Compared, wanted: Shape) -> list[Edit]:
    """An axis of size 1 that one of the two has and the other has not."""
    target, found = loss.target, list[Edit]()
    if len(target) == len(wanted) + 1:
        found += [Target("squeeze", {"dim": axis}) for axis in _extra(target, wanted)]
    if len(wanted) == len(target) + 1:
        found += [Target("unsqueeze", {"dim": axis}) for axis in _extra(wanted, target)]
        if loss.labels == "same":
            found += [Target("output-squeeze", {"dim": axis}) for axis in _extra(wanted, target)]
    return found[:2]


def _pooled(loss: Compared) -> list[tuple[Edit, ...]]:
    """One answer for each sample, where the output has one for each place of a map and the target one number."""
    rank = len(loss.output)
    if loss.labels != "classes" or rank < 4 or len(loss.target) != 1 or differ(loss.output[0], loss.target[0]):
        return []
    return [(Target("output-pooled", {"dims": tuple(a for a in range(1, rank) if a != loss.class_axis)}),)]


def _extra(longer: Shape, shorter: Shape) -> list[int]:
    """The last axis of size 1 without which the longer shape is the shorter one."""
    for axis in range(len(longer) - 1, -1, -1):
        rest = longer[:axis] + longer[axis + 1 :]
        if longer[axis] == 1 and not any(map(differ, rest, shorter)):
            return [axis]
    return []
