"""Output and target of a loss have different numbers of items.

## What it means
A loss compares item with item, so the first axes of output and target are equally long.

## Why
A reshape inside the model laid other axes into the batch: `view(-1, 400)` gives more rows or fewer, without an error,
when an item does not have 400 numbers. Or the labels are of another batch than the input: the last one, which is
smaller, or one that was kept.

## Bad
    x = nn.Conv2d(3, 4, 3)(torch.ones(8, 3, 10, 10))
    nn.CrossEntropyLoss()(nn.Linear(64, 5)(x.view(-1, 64)), torch.zeros(8).long())

## Good
    x = nn.Conv2d(3, 4, 3)(torch.ones(8, 3, 10, 10))
    nn.CrossEntropyLoss()(nn.Linear(256, 5)(x.flatten(1)), torch.zeros(8).long())

## Bad in Keras
    keras.losses.MeanSquaredError()(tf.ones((5, 3)), layers.Dense(3)(tf.ones((6, 4))))

## Good in Keras
    keras.losses.MeanSquaredError()(tf.ones((6, 3)), layers.Dense(3)(tf.ones((6, 4))))

## What it can be confused with
`data-lengths-differ`: data and labels as a whole are of different lengths.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Insert, Module, Set, SetCall, Target
from shapewatch.recording import Call, text
from shapewatch.rules.losses import Compared, compared, of_lost_batch, whose_batch
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW803", "target-batch-differs", frozenset({"loss"}))
def check(case: Case) -> Finding | None:
    loss = compared(case)
    if loss is None or loss.difference is None:
        return None if loss is None else _told_by_words(case, loss)
    if loss.difference != "batch":
        return None
    answers, labels = loss.output[0], loss.target[0]
    made = whose_batch(case, loss)
    given = [case.recording.shape(number) for number in case.recording.inputs]
    why, own, wants = "", list[tuple[Edit, ...]](), list[Want]()
    if (shifted := _shifted(case, loss)) is not None:
        why, edit = shifted
        own.append((edit,))
    elif made is not None:
        why = of_lost_batch(made, case)
        own += [*_kept(case, made), *_kept_maps(case, made)]
        wants += _in_full(case, made)
    elif any(shape[:1] == (answers,) for shape in given):
        why = f" The model was given {answers} items, so it is the labels that are of another number."
        own.append((Target("shape", {"shape": (answers, *loss.target[1:]), "reshaped": False}),))
    return Finding(
        headline=f"{loss.name} is given {answers} answers and {labels} labels",
        explanation=f"The output is {text(loss.output)}, the target {text(loss.target)}.{why}",
        own=tuple(own),
        wants=tuple(wants),
    )


def _shifted(case: Case, loss: Compared) -> tuple[str, Edit] | None:
    """Scores of all steps but the last, where the labels are of all steps: each is to answer for the step behind it."""
    graph, recording = case.graph, case.recording
    rows = [graph.producer.get(value) for value in (loss.output_value, loss.target_value)]
    if any(row is None or row.kind not in ("reshape", "flatten") for row in rows):
        return None
    output, target = (row for row in rows if row is not None)
    scores, labels = (recording.shape(row.operands[0]) for row in (output, target))
    if len(scores) != len(labels) + 1 or len(labels) != 2 or scores[0] != labels[0] or None in (*scores, *labels):
        return None
    if (labels[1] or 0) - (scores[1] or 0) != 1:
        return None
    counts = f"{scores[0]} x {scores[1]} and {labels[0]} x {labels[1]}"
    copies = [call for call in recording.calls if call.name == "contiguous" and call.operands == target.operands]
    place = copies[-1].place if copies and copies[-1].number < target.number else target.place
    edit = Insert(place, 0, Module("without_first", {"dim": 1, "count": 1}))
    return f" That is {counts}: the scores are without the last step, and the labels with the first.", edit


def _told_by_words(case: Case, loss: Compared) -> Finding | None:
    """In a graph neither number of items is known, and all else is: then it is these that the error speaks of, though
    not of which is whose."""
    unknown = [axis for shape in (loss.output, loss.target) for axis, size in enumerate(shape) if size is None]
    told = [case.said("elementwise").get(side) for side in ("left", "right")]
    if unknown != [0, 0] or not all(isinstance(shape, tuple) and shape for shape in told):
        return None
    (one, *rest), (other, *others) = told  # type: ignore[misc]
    if rest != others or not differ(one, other) or 1 in (one, other):
        return None
    return Finding(
        headline=f"{loss.name} is given output and target of different lengths, {one} and {other}",
        explanation=f"The output is {text(loss.output)}, the target {text(loss.target)}, and their first axes are "
        f"{one} and {other} long; the error does not tell which is which.",
    )


def _in_full(case: Case, made: Call) -> Iterator[Want]:
    """What a reshape to maps, `view(-1, 64, 7, 7)`, would have to be given to make one of each sample."""
    before, after = (case.recording.shape(values[0]) for values in (made.operands, made.results))
    target = made.facts.get("shape")
    if made.kind != "reshape" or not isinstance(target, tuple) or target[0] != -1 or -1 in target[1:]:
        return
    if len(before) == 2 < len(after) and None not in after[1:]:
        yield Want(made.operands[0], {1: Range.only(math.prod(size or 0 for size in after[1:]))})


def _kept(case: Case, made: Call) -> Iterator[tuple[Edit, ...]]:
    """The reshape with the batch as it is, and the linear layer behind it made for what each item then has."""
    target = made.facts.get("shape")
    before, after = case.recording.shape(made.operands[0]), case.recording.shape(made.results[0])
    if made.is_layer or made.kind != "reshape" or len(after) != 2 or None in before or not isinstance(target, tuple):
        return
    each = math.prod(size or 0 for size in before[1:])
    behind = [unit for unit in case.graph.consumers.get(made.results[0], ()) if unit.kind == "matmul"]
    if any(not unit.is_layer and case.recording.shape(unit.operands[-1])[:1] == after[1:] for unit in behind):
        return  # of a weight that has so many rows, which would have to be another
    edits: list[Edit] = [SetCall(made.place, "shape", (-1, each), target)]
    for unit in case.graph.units:
        width = case.graph.facts(unit).get("in_features")
        if unit.is_layer and unit.kind == "linear" and unit.operands[:1] == made.results[:1] and width != each:
            edits.append(Set(unit.layer, "in_features", each, width))
    yield tuple(edits)


def _kept_maps(case: Case, made: Call) -> Iterator[tuple[Edit, ...]]:
    """Vectors laid out as maps, `view(-1, 128, 4, 4)`, with the sides that leave a map to each sample: as many channels
    as the layer behind takes, and sides of the proportion that is written."""
    target = made.facts.get("shape")
    before, after = case.recording.shape(made.operands[0]), case.recording.shape(made.results[0])
    written = isinstance(target, tuple) and target[:1] == (-1,) and target[1:] == after[1:]
    if made.is_layer or made.kind != "reshape" or not written or len(before) != 2 or len(after) != 4:
        return
    each, (channels, *sides) = before[1], after[1:]
    behind = case.graph.consumers.get(made.results[0], ())
    takes = [case.graph.facts(unit).get("in_channels") for unit in behind if unit.kind in ("conv", "conv_transpose")]
    if not each or not channels or takes != [channels] or None in sides or each % channels:
        return
    places = math.prod(size or 0 for size in sides)
    ratio = math.isqrt(each // channels * places)  # of the sides, times the places that there are
    if ratio * ratio != each // channels * places or any((size or 0) * ratio % places for size in sides):
        return
    yield (SetCall(made.place, "shape", (-1, channels, *((size or 0) * ratio // places for size in sides)), target),)
