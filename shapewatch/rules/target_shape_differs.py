"""Output and target of a loss have different sizes on an axis that is neither batch nor classes.

## What it means
`mse_loss` and its like compare number with number, so both need one shape. A loss for classes needs a class for each
position: of scores `[N, C, H, W]`, targets `[N, H, W]`.

## Why
The model changes height, width or length (a convolution without padding, a pooling, a stride) and the target was not
changed with it: a network for segmentation whose map is a quarter of the image lacks the resize at its end. Or the
scores of a sequence have their classes on the last axis, `[N, T, C]`, where PyTorch wants `[N, C, T]`.

## Bad
    nn.CrossEntropyLoss()(nn.Conv2d(3, 5, 3)(torch.ones(2, 3, 8, 8)), torch.zeros(2, 8, 8).long())

## Good
    nn.CrossEntropyLoss()(nn.Conv2d(3, 5, 3, padding=1)(torch.ones(2, 3, 8, 8)), torch.zeros(2, 8, 8).long())

## Bad in Keras
    x = tf.ones((2, 8, 8, 3))
    keras.losses.MeanSquaredError()(x, layers.Conv2D(3, 3)(x))

## Good in Keras
    x = tf.ones((2, 8, 8, 3))
    keras.losses.MeanSquaredError()(x, layers.Conv2D(3, 3, padding="same")(x))

## What it can be confused with
`target-rank-differs`: one of the two has an axis more. `classes-differ`: only the axis of the classes differs.
"""

from __future__ import annotations

from shapewatch.axes import differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Target
from shapewatch.flow.layout import Layout
from shapewatch.recording import Shape, text
from shapewatch.rules.losses import Compared, compared, other_labels, output_wants
from shapewatch.rules.rule import Case, Finding, listed, number, rule


@rule("SW801", "target-shape-differs", frozenset({"loss"}))
def check(case: Case) -> Finding | None:
    loss = compared(case)
    if loss is None or loss.difference != "shape":
        return None
    wanted = loss.items if loss.labels == "classes" else loss.output
    pairs = [
        f"{number(loss.target[axis])} on axis {axis} ({number(size)} would fit)"
        for axis, size in enumerate(wanted)
        if size is not None and loss.target[axis] not in (None, size)
    ]
    own: list[tuple[Edit, ...]] = []
    wants: tuple[Want, ...] = ()
    hint = ""
    if _has_classes_last(loss):
        own.append((Target("output-moved"),))
        hint = f" With its classes on axis 1, {text(_moved(loss.output))}, the output would fit."
    elif earlier := other_labels(case, loss):
        own += earlier
        hint = " Earlier it was given other labels beside such an output, and ran."
    elif labels := _labels_apart_from_inputs(case, loss):
        own.append((labels,))
        hint = " The output is as large as what the model was given, so it is the labels that are of another size."
        if labels.change == "input-shorter":
            hint = (
                " The input has one step more than the labels: where each step says the next, it is without its last."
            )
    else:
        wants = output_wants(loss, _like_target(loss))
        layout = case.graph.layout
        size, why = _maps_of_another_size(loss, layout) if layout is not None else ((), "")
        if layout is not None and size:
            own.append((Target("output-resized", {"size": size, "channels_first": not layout.channels_last}),))
            hint = f" {why}"
    return Finding(
        headline=f"{loss.name} compares an output {text(loss.output)} with a target {text(loss.target)}",
        explanation=f"For this output the target has {listed(pairs)}.{hint}",
        own=tuple(own),
        wants=wants,
        own_doubt=0.3 if wants else 0.0,  # an upsampling or a stride that is missing in the model is the plainer slip
    )


def _labels_apart_from_inputs(case: Case, loss: Compared) -> Target | None:
    """Labels of maps or of sequences that are of another size than the data, where the output is of theirs: they were
    resized, or padded, apart from each other."""
    layout, wanted = case.graph.layout, _like_target(loss)
    given = [case.recording.shape(number) for number in case.recording.inputs]
    if len(wanted) != len(loss.output):
        return None
    differing = [axis for axis, pair in enumerate(zip(loss.output, wanted, strict=True)) if differ(*pair)]
    sizes = tuple(loss.output[axis] for axis in differing)
    if layout is not None and layout.fits(loss.output) and differing == list(layout.spatial(loss.output)):
        alike = any(tuple(shape[at] for at in layout.spatial(shape)) == sizes for shape in given if layout.fits(shape))
        return Target("resized", {"size": sizes}) if alike else None
    if differing == [1] and loss.class_axis == 2 and len(loss.output) == 3:
        alike = any(shape[1:2] == sizes for shape in given)
        one_less = (sizes[0] or 0) - (wanted[1] or 0) == 1  # the input of a model that is to say the next step
        change = Target("input-shorter") if one_less else Target("padded", {"length": sizes[0]})
        return change if alike else None
    return None


def _maps_of_another_size(loss: Compared, layout: Layout) -> tuple[tuple[int, ...], str]:
    """Height and width of the target, where nothing else differs and the output seems to be its map, and why it does:
    some times as large along both, or rounded to what a network divides by."""
    wanted = _like_target(loss)
    if layout.rank != 2 or not layout.fits(loss.output) or len(wanted) != len(loss.output):
        return (), ""
    pairs, spatial = list(zip(loss.output, wanted, strict=True)), layout.spatial(loss.output)
    if not {axis for axis, pair in enumerate(pairs) if differ(*pair)} <= set(spatial):
        return (), ""
    sides = [(have or 0, want or 0) for have, want in (pairs[axis] for axis in spatial)]
    size = tuple(want for _, want in sides)
    times = [want / have for have, want in sides if have > 1]
    if len(times) == 2 and min(times) >= 1.5 and max(times) <= 1.1 * min(times):
        return size, "Height and width are as many times larger in the target: the output may be a coarser map of it."
    if all(_is_rounded(*side) for side in sides):
        return size, "The output's sides are the target's, rounded to what the network divides by."
    return (), ""


_USUAL_STRIDE = 32
"""What a network that is no pyramid divides a side by at most."""


def _is_rounded(have: int, want: int) -> bool:
    """Whether one size is the other, up or down to a multiple of the stride that it is a multiple of: 256 for 254
    behind a stride of 4 and an upsampling by 4."""
    return abs(have - want) < min(have & -have, _USUAL_STRIDE)


def _like_target(loss: Compared) -> Shape:
    """The shape that the output would need for this target."""
    if loss.labels != "classes":
        return loss.target
    return (*loss.target[: loss.class_axis], loss.output[loss.class_axis], *loss.target[loss.class_axis :])


def _has_classes_last(loss: Compared) -> bool:
    """Scores `[N, T, C]` for class numbers `[N, T]`, where the classes belong on axis 1."""
    if loss.labels != "classes" or loss.class_axis == len(loss.output) - 1:
        return False
    return loss.output[:-1] == loss.target


def _moved(shape: Shape) -> Shape:
    return (shape[0], shape[-1], *shape[2:-1], shape[1]) if len(shape) > 2 else shape
