"""A model's classes are not those of the labels: another number of them, or labels of the other form.

## What it means
A loss for classes takes the labels in one of two forms. Class numbers, `[N]`, each from 0 to C - 1: PyTorch's
`cross_entropy`, Keras's `sparse_categorical_crossentropy`. Or rows of C numbers, `[N, C]`, as `one_hot` and
`to_categorical` make them: Keras's `categorical_crossentropy`. C is the width of the last layer.

## Why
The last layer was made for another number of classes, or its width does not count the background, or labels start
at 1. Or the loss is the one for labels of the other form.

## Bad
    nn.CrossEntropyLoss()(nn.Linear(6, 3)(torch.ones(5, 6)), torch.ones(5, 10))

## Good
    nn.CrossEntropyLoss()(nn.Linear(6, 10)(torch.ones(5, 6)), torch.ones(5, 10))

## Bad in Keras
    keras.losses.CategoricalCrossentropy()(tf.ones((5, 10)), layers.Dense(3)(tf.ones((5, 6))))

## Good in Keras
    keras.losses.CategoricalCrossentropy()(tf.ones((5, 10)), layers.Dense(10)(tf.ones((5, 6))))

## What it can be confused with
`target-rank-differs`: the output has axes of its own that no label has, such as height and width.
"""

from __future__ import annotations

from typing import Any

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import Target
from shapewatch.recording import text
from shapewatch.rules.losses import (
    Compared,
    compared,
    last_step_alone,
    of_another_output,
    other_labels,
    output_wants,
)
from shapewatch.rules.rule import Case, Finding, number, plural, rule


@rule("SW804", "classes-differ", frozenset({"loss"}))
def check(case: Case) -> Finding | None:
    loss = compared(case)
    if loss is None:
        return None
    if loss.difference == "classes":
        return _exchanged(case, loss) or _answers_of_steps(case, loss) or _other_form(loss) or _other_count(case, loss)
    return (_whole_numbers(case, loss) or _out_of_range(case, loss)) if loss.difference is None else None


def _scores(loss: Compared) -> str:
    return f"{plural(loss.output[loss.class_axis], 'score')} for each item, {text(loss.output)}"


def _exchanged(case: Case, loss: Compared) -> Finding | None:
    """Targets of two outputs in each other's place."""
    other = of_another_output(case, loss)
    if other is None:
        return None
    return Finding(
        headline=f"{loss.name} is given {text(loss.target)} for an output {text(loss.output)}, and {other.name} is "
        f"given {text(loss.output)} for an output {text(loss.target)}: their targets are in each other's place",
        explanation="Targets in a list are taken in the order of the model's outputs. In a dictionary they go by the "
        "outputs' names, and cannot change places.",
    )


def _answers_of_steps(case: Case, loss: Compared) -> Finding | None:
    """A label for each step of a sequence, of which a recurrent layer gave the last step alone."""
    if loss.labels != "classes" or len(loss.target) != len(loss.output):
        return None
    steps = loss.target[loss.class_axis]
    own = tuple(last_step_alone(case, loss, steps)) if differ(steps, loss.output[loss.class_axis]) else ()
    if not own:
        return None
    return Finding(
        headline=f"{loss.name} compares an output {text(loss.output)} with a target {text(loss.target)}: "
        f"{steps} labels for each item, and scores for one",
        explanation=f"The output is {_scores(loss)}. The sequences have {steps} steps, so the labels are one for each "
        "step, and the output is of the last one.",
        own=own,
    )


def _other_form(loss: Compared) -> Finding | None:
    """Class numbers where rows are wanted, or rows where class numbers are."""
    classes = loss.output[loss.class_axis]
    if loss.labels == "one-hot" and (len(loss.target) < len(loss.output) or loss.target[loss.class_axis] == 1):
        return Finding(
            headline=f"{loss.name} wants labels one-hot, {text(loss.output)}, and is given {text(loss.target)}",
            explanation=f"The output is {_scores(loss)}. Labels {text(loss.target)} are one number for each item: "
            "class numbers, for which there is another loss.",
            own=((Target("one-hot", {"classes": classes}),),),
        )
    if loss.labels == "classes":
        rows = loss.target[loss.class_axis]
        if loss.probabilities and rows != classes:
            return None  # of rows the loss takes those too that have a number for each class
        return Finding(
            headline=f"{loss.name} wants class numbers, {text(loss.items)}, and is given {text(loss.target)}",
            explanation=f"The output is {_scores(loss)}. Labels {text(loss.target)} have {number(rows)} numbers for "
            f"each item, as one-hot labels of {number(rows)} classes have.{_and_count(rows, classes)}",
            own=((Target("numbers", {"dim": loss.class_axis}),),),
        )
    return None


def _and_count(rows: Any, classes: Any) -> str:
    return "" if rows == classes else f" The scores are for {number(classes)} classes."


def _other_count(case: Case, loss: Compared) -> Finding:
    given = loss.output[loss.class_axis]
    labels = 1 if loss.one_number_each else loss.target[loss.class_axis]
    wanted = (*loss.output[: loss.class_axis], labels, *loss.output[loss.class_axis + 1 :])
    earlier = other_labels(case, loss)
    one_hot = loss.labels == "one-hot" and len(loss.target) == len(loss.output)
    either = ((Target("shape", {"shape": (loss.target[0], *loss.output[1:]), "reshaped": False}),),) if one_hot else ()
    two_for_one = loss.binary and given == 1 and labels == 2
    if two_for_one:
        either = ((Target("numbers", {"dim": loss.class_axis, "binary": True}),),)
    one_more = one_hot and not two_for_one and None not in (given, labels) and labels == (given or 0) + 1 > 2
    if one_more:
        either = ((_from_one(case, loss.class_axis, given),),)
    ran = " Earlier it was given other labels beside such an output, and ran." if earlier else ""
    return Finding(
        headline=f"{loss.name}: the model gives {plural(given, 'score')} for each item, the labels have "
        f"{number(labels)}",
        explanation=f"The output is {text(loss.output)}, the target {text(loss.target)}; on axis {loss.class_axis} "
        f"both need the number of classes.{ran}{_ONE_MORE if one_more else ''}",
        own=earlier or either,
        own_doubt=0.0 if earlier or two_for_one else 1.0,  # a last layer is more often of a wrong width than labels are
        wants=() if earlier else output_wants(loss, wanted),
    )


def _from_one(case: Case, axis: int, classes: int | None) -> Target:
    """Labels counted from 0; `known` where those that are given have no class 0."""
    labels = case.recording.failure.from_one if case.recording.failure is not None else {}
    known = {"known": True} if classes in labels.values() else {}
    return Target("from-one", {"dim": axis, "classes": classes, **known})


_ONE_MORE = " Labels made of class numbers that begin at 1 have one column more than there are classes."


def _whole_numbers(case: Case, loss: Compared) -> Finding | None:
    """One-hot labels of the right shape, but whole numbers: these are taken for class numbers."""
    dtype = case.recording.values[loss.target_value].spec.dtype
    if not loss.probabilities or len(loss.target) != len(loss.output) or not dtype.startswith(("int", "uint", "bool")):
        return None
    return Finding(
        headline=f"{loss.name} is given labels of {dtype}, one-hot: {text(loss.target)}",
        explanation=f"The output is {_scores(loss)}. Labels of whole numbers are class numbers, {text(loss.items)}; "
        "one-hot labels are taken as numbers with a fraction.",
        own=((Target("numbers", {"dim": loss.class_axis}),),),
    )


def _out_of_range(case: Case, loss: Compared) -> Finding | None:
    """A label that is no class. What is in a tensor is recorded nowhere, so the error's own words tell."""
    said = case.said("classes")
    label, classes = said.get("index"), loss.output[loss.class_axis]
    if loss.labels != "classes" or not isinstance(label, int) or classes is None or 0 <= label < classes:
        return None
    reason = (
        f" Labels count from 0: if yours go from 1 to {classes}, take 1 off them; else the last layer needs "
        f"{label + 1} scores or more."
        if label > 0
        else " A negative label marks what is to be left out, where the loss is told so."
    )
    from_one = _from_one(case, loss.class_axis, classes)
    known = label == classes and bool(from_one.arguments.get("known"))
    too_many = label > classes and label != _VOID  # one too many may as well be a count from 1
    return Finding(
        headline=f"{loss.name} is given label {label}, and the model gives {plural(classes, 'score')}: labels from 0 "
        f"to {classes - 1} fit",
        explanation=f"The output is {_scores(loss)}.{reason}",
        own=((from_one,),) if known else (),
        wants=(Want(loss.output_value, {loss.class_axis: Range.only(label + 1)}),) if too_many else (),
    )


_VOID = 255
"""What marks the pixels of no class, where labels are bytes."""
