"""Which causes a text brings up: what its numbers, its lines of code and the libraries in it speak for.

The texts are made up here, of numbers that are drawn or of errors that are raised; none is a report's.
"""

from __future__ import annotations

import traceback

import einops
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import shapewatch
from shapewatch.messages.faults import causes, classes, devices, labels, operations, splitting
from shapewatch.messages.faults.evidence import Cause
from shapewatch.messages.faults.meeting import pictures
from shapewatch.messages.faults.meeting.axis import OPTIMISER, OTHER_CLASSES
from shapewatch.messages.faults.reshaping import IMAGE_FOR_FEATURES, KEY_HEADS, NOT_DIVISIBLE, NOT_THE_DATA
from shapewatch.messages.faults.rows import PER_TOKEN
from shapewatch.messages.tables import patterns
from shapewatch.messages.traceback import shown
from shapewatch.report import Diagnosis

SIDES = st.integers(32, 2000)
FIRST_THREE = 3


def explained(text: str) -> Diagnosis:
    diagnosis = shapewatch.explain(text)
    assert diagnosis is not None
    return diagnosis


def suspected(text: str, cause: Cause) -> bool:
    """Whether a cause is among the first three; what it says before its first size is enough to know it by."""
    told = cause.cause.split("{")[0]
    return any(suspect.cause.startswith(told) for suspect in explained(text).suspects[:FIRST_THREE])


def first(text: str) -> str:
    return explained(text).suspects[0].cause


# Images


@given(SIDES, SIDES, st.integers(5, 300), st.sampled_from([1, 3, 4]))
def test_images_of_other_sides(height: int, width: int, more: int, channels: int) -> None:
    text = (
        f"ValueError: operands could not be broadcast together with shapes ({height},{width},{channels}) "
        f"({height},{width + more},{channels})"
    )
    assert suspected(text, pictures.OTHER_PICTURES)


@given(SIDES, st.integers(5, 300))
def test_a_resize_that_sets_the_shorter_side_alone(side: int, more: int) -> None:
    text = (
        f"RuntimeError: The expanded size of the tensor ({side + more}) must match the existing size ({side}) at "
        f"non-singleton dimension 2.  Target sizes: [1, 3, {side + more}, {side}].  "
        f"Tensor sizes: [1, 3, {side}, {side}]"
    )
    assert suspected(text, pictures.SHORT_SIDE)


@given(SIDES, st.integers(5, 300))
def test_two_squares_were_resized_on_both_sides(side: int, more: int) -> None:
    text = (
        f"RuntimeError: The expanded size of the tensor ({side + more}) must match the existing size ({side}) at "
        f"non-singleton dimension 3.  Target sizes: [1, 3, {side + more}, {side + more}].  "
        f"Tensor sizes: [1, 3, {side}, {side}]"
    )
    assert suspected(text, pictures.OTHER_PICTURES) and not suspected(text, pictures.SHORT_SIDE)


@given(SIDES, SIDES)
def test_channels_first_meets_channels_last(height: int, width: int) -> None:
    text = f"ValueError: operands could not be broadcast together with shapes (3,{height},{width}) ({height},{width},1)"
    assert first(text) == causes.CHANNELS_LAST.cause


@given(st.integers(16, 500))
def test_an_image_without_its_colours(side: int) -> None:
    grey = f"ValueError: could not broadcast input array from shape ({side},{side}) into shape ({side},{side},3)"
    assert first(grey) == causes.GREY.cause


@given(st.integers(16, 500), st.integers(16, 500))
def test_as_many_values_as_an_image_of_other_colours_has(height: int, width: int) -> None:
    def reshaped(given: int, asked: int) -> str:
        return (
            f"ValueError: cannot reshape array of size {given * height * width} into shape (1,{height},{width},{asked})"
        )

    assert first(reshaped(3, 1)) == causes.COLOUR.cause
    assert suspected(reshaped(1, 3), causes.GREY) and suspected(reshaped(4, 3), causes.ALPHA)


@given(st.integers(5, 64), st.integers(70, 300))
def test_a_first_axis_that_is_the_channels_of_the_weight(channels: int, side: int) -> None:
    text = (
        f"RuntimeError: Expected 4-dimensional input for 4-dimensional weight [32, {channels}, 3, 3], but got "
        f"3-dimensional input of size [{channels}, {side}, {side}] instead"
    )
    assert first(text) == causes.MISSING_BATCH.cause
    assert first(text.replace(f"weight [32, {channels}", f"weight [32, {channels + 1}")) != causes.MISSING_BATCH.cause


@given(st.integers(1, 8), st.integers(5, 300), st.sampled_from([2, 4, 8]), st.sampled_from([64, 128]))
def test_fewer_heads_for_keys_than_for_queries(rows: int, tokens: int, share: int, size: int) -> None:
    def viewed(count: int) -> str:
        asked = [rows, tokens, 32, size]
        line = "keys = keys.view(b, n, self.num_heads, d)"
        return f"{line}\nRuntimeError: shape '{asked}' is invalid for input of size {count}"

    assert first(viewed(rows * tokens * 32 // share * size)) == KEY_HEADS.cause
    assert first(viewed(rows * tokens * 32 * size + 1)) != KEY_HEADS.cause


@given(st.integers(40, 90_000), st.integers(1, 10))
def test_labels_are_reshaped_in_place_of_images(rows: int, each: int) -> None:
    assume(rows * each % (28 * 28))
    text = f"ValueError: cannot reshape array of size {rows * each} into shape ({rows},28,28)"
    assert suspected(text, NOT_THE_DATA)


def test_numpy_broadcasts_to_a_shape() -> None:
    text = (
        "ValueError: operands could not be broadcast together with remapped shapes [original->remapped]: (7,)  and "
        "requested shape (9,)"
    )
    assert explained(text).code == "SW203"


# Labels


@given(st.integers(2, 30))
def test_one_hot_labels_that_were_counted_from_one(classes_: int) -> None:
    text = f"ValueError: Shapes (None, {classes_ + 1}) and (None, {classes_}) are incompatible"
    assert suspected(text, causes.FROM_ONE)
    assert not suspected(text.replace(f"{classes_ + 1})", f"{classes_ + 3})"), causes.FROM_ONE)


@given(st.integers(1, 20), st.integers(5, 40))
def test_another_array_than_the_labels(output: int, times: int) -> None:
    width = 64 + output * times
    text = (
        f"ValueError: Error when checking target: expected dense_1 to have shape ({output},) but got array with shape "
        f"({width},)"
    )
    assert suspected(text, labels.NOT_THE_LABELS)


@given(st.integers(2, 64), st.integers(16, 512))
def test_a_label_for_each_token(rows: int, tokens: int) -> None:
    text = f"ValueError: Expected input batch_size ({rows}) to match target batch_size ({rows * tokens})."
    assert suspected(text, PER_TOKEN)
    assert not suspected(text.replace(str(rows * tokens), str(rows * tokens + 1)), PER_TOKEN)


def test_labels_that_are_not_built_as_the_outputs_are() -> None:
    text = "ValueError: y_true and y_pred have different structures.\ny_true: ['*', '*']\ny_pred: *\n"
    assert explained(text).code == "SW801" and suspected(text, labels.OTHER_OUTPUTS)


def test_class_names_of_a_data_set() -> None:
    text = (
        "AssertionError: The `num_classes` (80) in ConvFCBBoxHead of MMDataParallel does not matches the length of "
        "`CLASSES` 6) in VOCDataset"
    )
    assert explained(text).code == "SW804" and suspected(text, classes.ONE_NAME)


# What libraries and lines of code tell

BARE = "RuntimeError: The size of tensor a (80) must match the size of tensor b (56) at non-singleton dimension 3"


def test_a_line_of_code_before_the_message_is_where_it_was_raised() -> None:
    grid = "xy = (xy * 2. - 0.5 + self.grid[i]) * self.stride[i]\n" + BARE
    assert not suspected(BARE, causes.OTHER_RELEASE) and suspected(grid, causes.OTHER_RELEASE)
    assert explained(grid).location is None


@pytest.mark.parametrize(
    "line",
    [
        "loss = criterion(output, target)",
        "x = torch.cat([x, skip], dim=1)",
        "table[:, :n] = values",
        "h += self.position",
        "return x + y",
        "a, b = self.layer(x)",
        "y[..., 2:4] = y[..., 2:4] * self.size[i]  # width and height",
    ],
)
def test_what_reads_as_code(line: str) -> None:
    (raised,) = shown(f"{line}\n{BARE}").exceptions
    assert [frame.source for frame in raised.frames] == [line]


@pytest.mark.parametrize(
    "line", ["loss=nan", "loss=inf, acc=0.2", "epoch=3 loss=0.5 (best)", "the size is wrong (see below)", "step 3/40"]
)
def test_what_reads_as_a_log(line: str) -> None:
    (raised,) = shown(f"{line}\n{BARE}").exceptions
    assert raised.frames == ()


WIDTHS = "RuntimeError: The size of tensor a (7) must match the size of tensor b (9) at non-singleton dimension 2"
FRAME = 'Traceback (most recent call last):\n  File "{}", line 7, in forward\n    return x * y\n' + WIDTHS


@pytest.mark.parametrize(
    ("file", "inside"),
    [
        ("/home/me/net.py", False),
        ("/opt/lib/python3.11/site-packages/torch/nn/functional.py", False),
        ("/opt/lib/python3.11/site-packages/diffusers/models/resnet.py", True),
        ("/data/diffusers/src/diffusers/models/resnet.py", True),
        ("/home/user/.cache/huggingface/modules/transformers_modules/x/modeling_x.py", True),
        ("/srv/custom_nodes/some-node/nodes.py", True),
    ],
)
def test_a_library_that_raised_may_be_of_another_release(file: str, inside: bool) -> None:
    assert suspected(FRAME.format(file), causes.OTHER_RELEASE) is inside


@given(st.sampled_from([80, 91, 150, 400, 1000]), st.integers(2, 15))
def test_a_head_of_a_known_data_set(known: int, own: int) -> None:
    text = (
        f"RuntimeError: The size of tensor a ({known}) must match the size of tensor b ({own}) at non-singleton "
        "dimension 0"
    )
    assert suspected(text, OTHER_CLASSES) and suspected(text, OPTIMISER)


def test_a_pattern_is_told_with_what_einops_says_of_it() -> None:
    try:
        einops.rearrange(torch.zeros(2, 3, 43, 4), "b c (h p) w -> b c h p w", p=16)
    except einops.EinopsError:
        text = traceback.format_exc()
    told = explained(text)
    assert "[2, 3, 43, 4]" in told.headline and told.suspects[0].cause == NOT_DIVISIBLE.cause
    assert not suspected(text, IMAGE_FOR_FEATURES)


def test_colours_that_are_cut_into_groups() -> None:
    text = "einops.EinopsError: Shape mismatch, can't divide axis of length 3 in chunks of 2"
    assert suspected(text, IMAGE_FOR_FEATURES)


# Devices


@given(st.integers(1, 9), st.integers(10, 400), st.integers(1, 9))
def test_outputs_of_replicas_are_no_branches(rows: int, length: int, more: int) -> None:
    text = (
        f"RuntimeError: Gather got an input of invalid size: got [{rows}, {length}, 29], but expected "
        f"[{rows}, {length + more}, 29]"
    )
    assert first(text) == devices.PADDED_APART.cause and not suspected(text, causes.ODD_SIZE)


def test_a_device_with_one_sample() -> None:
    text = "RuntimeError: Gather got an input of invalid size: got [7], but expected [3, 7]"
    assert first(text) == devices.SQUEEZED_SHARE.cause


# Parts, gradients, weights, layouts


def test_parts_of_a_tensor_are_not_those_of_a_text() -> None:
    message = "ValueError: not enough values to unpack (expected 2, got 1)"
    frame = 'Traceback (most recent call last):\n  File "net.py", line 3, in forward\n    {}\n'
    assert suspected(frame.format("shift, scale = y.chunk(2, dim=1)") + message, splitting.FEWER_PARTS)
    assert shapewatch.explain(frame.format('name, value = line.split("=")') + message) is None


def test_a_gradient_of_another_shape_is_no_meeting_of_branches() -> None:
    text = (
        "RuntimeError: Function MulBackward0 returned an invalid gradient at index 0 - got [7, 5] but expected shape "
        "compatible with [7, 6]"
    )
    assert "forward pass" in first(text) and not suspected(text, causes.OTHER_COLUMNS)


@given(st.sampled_from([64, 96, 128]), st.sampled_from([160, 192, 256]))
def test_weights_that_differ_inside_too_are_of_another_variant(one: int, other: int) -> None:
    def mismatch(name: str, *saved: int) -> str:
        built = [size * other // one for size in saved]
        return (
            f"size mismatch for {name}: copying a param with shape torch.Size({list(saved)}) from checkpoint, the "
            f"shape in current model is torch.Size({built})."
        )

    text = "\n".join([mismatch("stage.norm.weight", one), mismatch("stage.fc.weight", 4 * one, one)])
    assert "another variant of the architecture" in first(text)


@given(st.sampled_from([256, 512]), st.integers(2, 40), st.integers(1, 20))
def test_maps_that_look_channels_first_in_keras(channels: int, side: int, less: int) -> None:
    one, other = f"(None, {channels}, {side}, {side})", f"(None, {channels // 2}, {side + less}, {side + less})"
    text = (
        "ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
        f"Received: input_shape=[{one}, {other}]"
    )
    assert suspected(text, causes.CHANNELS_LAST)


@given(st.integers(3, 400), st.integers(2, 9))
def test_a_table_of_positions_by_the_length_it_is_set_to(words: int, over: int) -> None:
    def beyond(index: int, rows: int) -> str:
        return f"RuntimeError: index out of range: Tried to access index {index} out of table with {rows} rows."

    assert "position" in first(beyond(512, 511))
    assert "position" not in first(beyond(30_000 + words + over, 30_000 + words))


# Operations with a sentence of their own


def test_every_usual_cause_can_be_told_without_a_size() -> None:
    assert all("{" not in cause.cause + cause.change for each in operations.USUAL.values() for cause in each)


def test_operations_with_usual_causes_are_in_the_tables() -> None:
    told = {pattern.template.facts.get("op") for pattern in patterns() if pattern.template.fault == "only-dress"}
    words = "|".join(pattern.template.text for pattern in patterns() if pattern.template.fault == "only-dress")
    assert not [op for op in operations.USUAL if op not in told and op not in words]


def test_a_grid_that_is_laid_out_like_a_map() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.nn.functional.grid_sample(torch.zeros(1, 3, 8, 8), torch.zeros(1, 2, 8, 8), align_corners=False)
    assert first(f"RuntimeError: {error.value}") == operations.GRID_LAYOUT.cause


@pytest.mark.parametrize("a, b", [(3, 4), (4, 3)])
def test_a_loss_that_compares_images_with_and_without_an_alpha_channel(a: int, b: int) -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 79, in <module>\n    loss = criterion(made, real)\n'
        '  File "/home/user/losses.py", line 23, in l2_loss\n    return ((made - real) ** 2).mean()\n'
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension 1"
    )
    assert suspected(text, causes.ALPHA)
