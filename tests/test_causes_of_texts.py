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
from support.suspects import explained, first, suspected

import shapewatch
from shapewatch.messages.faults import (
    causes,
    checkpoints,
    classes,
    convolution,
    devices,
    expanding,
    fed,
    gradients,
    indexing,
    labels,
    model_input,
    operations,
    products,
    rank,
    recurrent,
    samples,
    splitting,
    targets,
    vocabularies,
    weight_names,
    weights,
    windows,
)
from shapewatch.messages.faults.causes import KEY_HEADS
from shapewatch.messages.faults.evidence import Cause
from shapewatch.messages.faults.meeting import pictures
from shapewatch.messages.faults.meeting.axis import ALONG_LAST, ODD_WIDTH
from shapewatch.messages.faults.meeting.classes import OPTIMISER, OTHER_CLASSES
from shapewatch.messages.faults.rearranging import IMAGE_FOR_FEATURES, NOT_DIVISIBLE
from shapewatch.messages.faults.reshaping import NOT_THE_DATA
from shapewatch.messages.faults.rows import PER_TOKEN, WITHOUT_BATCH
from shapewatch.messages.tables import patterns
from shapewatch.messages.traceback import shown

SIDES = st.integers(32, 2000)


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
    assert suspected(text, targets.NOT_THE_LABELS)


@given(st.integers(2, 64), st.integers(16, 512))
def test_a_label_for_each_token(rows: int, tokens: int) -> None:
    text = f"ValueError: Expected input batch_size ({rows}) to match target batch_size ({rows * tokens})."
    assert suspected(text, PER_TOKEN)
    assert not suspected(text.replace(str(rows * tokens), str(rows + 1)), PER_TOKEN)


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

BARE = "RuntimeError: The size of tensor a (81) must match the size of tensor b (54) at non-singleton dimension 3"


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


@pytest.mark.parametrize("pointed", ["{}", "---> 12     {}", "❱ 12     {}"])
def test_axes_are_unpacked_where_the_line_says_so(pointed: str) -> None:
    message = "ValueError: not enough values to unpack (expected 4, got 3)"
    told = shapewatch.explain(f"{pointed.format('n, c, height, width = maps.size()')}\n{message}")
    assert told is not None and told.headline == "unpacking takes a value with 4 axes, and one with 3 axes comes"
    assert shapewatch.explain(f"{pointed.format('a, b, c, d = parse(row)')}\n{message}") is None


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


# What the numbers of a message speak for, and what is usual where they say nothing


@given(st.integers(8, 60), st.integers(8, 60), st.integers(1, 12))
def test_a_batch_that_counts_the_positions_of_maps_of_which_one_is_larger_by_a_row(
    height: int, width: int, samples: int
) -> None:
    assume(height != width)

    def sampled(positions: int) -> str:
        return (
            "RuntimeError: grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"[{samples * height * width}, 1, {height}, {width}] and grid with sizes [{positions}, 9, 9, 2]"
        )

    assert first(sampled(samples * (height - 1) * width)) == causes.ODD_SIZE.cause
    assert first(sampled(samples * height * width + 1)) != causes.ODD_SIZE.cause


def test_no_image_was_found() -> None:
    text = (
        "RuntimeError: grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
        "[0, 3, 64, 48] and grid with sizes [1, 64, 48, 2]"
    )
    assert first(text) == operations.NOTHING_COLLECTED.cause


@given(st.integers(2, 32), st.integers(17, 64))
def test_a_value_for_each_class_is_aligned_with_the_last_axis(count: int, times: int) -> None:
    assume(times % count)  # or else it may be a side of a flat grid

    def met(a: int) -> str:
        return (
            f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({count * times}) at "
            "non-singleton dimension 3"
        )

    assert first(met(count)) == ALONG_LAST.cause
    assert not suspected(met(count * (times - 3)), ALONG_LAST)


@given(st.integers(16, 500), st.sampled_from([(2, 3), (4, 1), (4, 3)]))
def test_an_image_with_alpha_is_no_batch(side: int, channels: tuple[int, int]) -> None:
    had, wanted = channels
    text = (
        f"RuntimeError: The expanded size of the tensor ({wanted}) must match the existing size ({had}) at "
        f"non-singleton dimension 0.  Target sizes: [{wanted}, -1, -1].  Tensor sizes: [{had}, {side}, {side}]"
    )
    assert first(text) == causes.ALPHA.cause


@given(st.integers(2, 400))
def test_the_pairs_of_an_odd_width(half: int) -> None:
    text = (
        f"RuntimeError: The expanded size of the tensor ({half}) must match the existing size ({half + 1}) at "
        f"non-singleton dimension 1.  Target sizes: [900, {half}].  Tensor sizes: [900, {half + 1}]"
    )
    assert suspected(text, ODD_WIDTH)


@given(st.integers(3, 900))
def test_a_column_that_a_vector_is_added_to_in_place(rows: int) -> None:
    text = f"RuntimeError: output with shape [{rows}, 1] doesn't match the broadcast shape [{rows}, {rows}]"
    assert first(text) == causes.TRAILING_ONE.cause


@given(st.integers(2, 8), st.integers(200, 900), st.integers(20_000, 900_000))
def test_sound_whose_channels_stand_last(channels: int, pad: int, samples: int) -> None:
    def padded(shape: str, axis: int) -> str:
        return (
            "RuntimeError: Argument #4: Padding size should be less than the corresponding input dimension, but got: "
            f"padding ({pad}, {pad}) at dimension {axis} of input {shape}"
        )

    assert first(padded(f"[1, {samples}, {channels}]", 2)) == causes.SWAPPED.cause
    assert first(padded(f"[1, 1, {pad - 1}]", 2)) == windows.PAD_LESS.cause


@given(st.integers(20, 2000), st.integers(20, 2000), st.sampled_from([1, 3, 4]))
def test_a_mask_with_colours_is_the_size_that_is_asked_for(height: int, width: int, channels: int) -> None:
    text = (
        "ValueError: Input and output must have the same number of spatial dimensions, but got input with spatial "
        f"dimensions of [28, 28] and output size of torch.Size([{height}, {width}, {channels}]). Please provide"
    )
    assert first(text) == causes.MASK_CHANNELS.cause


def test_an_operand_of_an_einsum_with_fewer_axes_than_letters() -> None:
    def refused(letters: int, axes: int) -> str:
        return (
            f"RuntimeError: einsum(): the number of subscripts in the equation ({letters}) does not match the number "
            f"of dimensions ({axes}) for operand 1 and no ellipsis was given"
        )

    assert first(refused(3, 2)) == causes.LOST_AXIS.cause
    assert first(refused(2, 3)) == causes.EXTRA_AXIS.cause


def test_whose_backward_it_is() -> None:
    def returned(function: str) -> str:
        return (
            f"RuntimeError: Function {function} returned an invalid gradient at index 1 - got [12, 2] but expected "
            "shape compatible with [12, 3]"
        )

    assert suspected(returned("_BlurBackward"), causes.OTHER_VALUE)
    assert not suspected(returned("MulBackward0"), causes.OTHER_VALUE)
    assert first(returned("IndexPutBackward0")) == causes.OTHER_LENGTH.cause


def test_a_gradient_for_a_value_that_was_summed() -> None:
    text = "RuntimeError: invalid gradient at index 0 - expected shape [] but got [6, 4]"
    assert first(text) == gradients.GIVEN_GRADIENT.cause


@given(st.integers(2, 40), st.integers(2, 3))
def test_frames_on_the_channel_axis_of_a_layer_for_clips(frames: int, channels: int) -> None:
    def fed(stacked: int) -> str:
        return (
            f"RuntimeError: Expected 5-dimensional input for 5-dimensional weight [32, {channels}, 3, 3, 3], but got "
            f"4-dimensional input of size [7, {stacked}, 61, 53] instead"
        )

    assert suspected(fed(frames * channels), causes.STACKED_INPUT)
    assert not suspected(fed(frames * channels + 1), causes.STACKED_INPUT)


def test_a_state_without_the_axis_of_the_layers() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.nn.LSTM(8, 16)(torch.zeros(5, 2, 8), (torch.zeros(2, 16), torch.zeros(2, 16)))
    assert first(f"RuntimeError: {raised.value}") == recurrent.NO_LAYERS_AXIS.cause


def test_one_tensor_for_the_pair_of_states() -> None:
    def cell(rows: int) -> str:
        return f"RuntimeError: Input batch size 3 doesn't match hidden[0] batch size {rows}"

    assert first(cell(256)) == recurrent.NO_PAIR.cause
    assert not suspected(cell(5), recurrent.NO_PAIR)


@pytest.mark.parametrize("weight", ("[1, 7]", "[7, 1]"))
def test_class_weights_with_an_axis_beside_them(weight: str) -> None:
    text = "weight tensor should be defined either for all 7 classes or no classes but got weight tensor of shape: "
    assert first(text + weight) == causes.EXTRA_AXIS.cause
    assert first(f"{text}[9]") == classes.CLASS_WEIGHTS.cause


@pytest.mark.parametrize(
    "text",
    (
        "RuntimeError: zero-dimensional tensor (at position 3) cannot be concatenated",
        "RuntimeError: dimension specified as 0 but tensor has no dimensions",
        "ValueError: expected at least 3D input (got 2D input)",
        "ValueError: Sum of input lengths does not equal the length of the input dataset!",
        "RuntimeError: expand(torch.FloatTensor{[30, 1]}, size=[30]): the number of sizes provided (1) must be greater",
        "RuntimeError: The shape of the 2D attn_mask is torch.Size([40, 40]), but should be (6, 6).",
        "ValueError: Attention mask should be of size (1, 1, 9, 18), but is torch.Size([1, 1, 9, 9])",
    ),
)
def test_what_changed_from_release_to_release(text: str) -> None:
    assert suspected(text, causes.OTHER_RELEASE)


def test_a_vocabulary_is_no_number_of_classes() -> None:
    def loaded(name: str) -> str:
        return (
            f"size mismatch for {name}: copying a param with shape torch.Size([31000, 256]) from checkpoint, the shape "
            "in current model is torch.Size([30990, 256])."
        )

    assert not suspected(loaded("decoder.lm_head.weight"), weights.OTHER_CLASSES)
    assert suspected(loaded("decoder.lm_head.weight"), weight_names.OTHER_VERSION)
    assert explained(loaded("decoder.lm_head.weight")).cause is None
    assert suspected(loaded("head.fc.weight"), weights.OTHER_CLASSES)


def test_a_model_that_is_exported_with_a_batch_of_one() -> None:
    def exported(size: int) -> str:
        return (
            "torch._dynamo.exc.UserError: Constraints violated (batch)! For more information, run with "
            'TORCH_LOGS="+dynamic".\n  - You marked batch as dynamic but your code specialized it to be a constant '
            f"({size})."
        )

    assert first(exported(1)) == model_input.EXAMPLE_OF_ONE.cause
    assert first(exported(4)) == model_input.SETTLED.cause


@pytest.mark.parametrize(("text", "sure"), ((("3", "4"), False), (("19", "20"), True)))
def test_three_and_four_may_be_colours(text: tuple[str, str], sure: bool) -> None:
    a, b = text
    joined = f"RuntimeError: Sizes of tensors must match except in dimension 1. Expected size {a} but got size {b} for"
    assert (explained(f"{joined} tensor number 1 in the list.").cause is not None) is sure


def test_widths_of_two_encoders_bring_up_releases_and_not_the_input() -> None:
    text = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320)"
    assert first(text).startswith(causes.OTHER_ENCODER.cause.split("{")[0])
    assert suspected(text, causes.OTHER_RELEASE) and not suspected(text, causes.OTHER_INPUT_SIZE)


def test_a_column_of_an_lstm_and_a_filter_over_steps() -> None:
    text = (
        "RuntimeError: Given groups=1, weight of size [16, 1, 5], expected input[8, 90, 1] to have 1 channels, but got "
        "90 channels instead"
    )
    assert first(text) == causes.CHANNELS_LAST.cause and explained(text).cause is None


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_placeholders_and_features_are_counted_apart(tokens: int, features: int) -> None:
    assume(tokens != features)
    text = f"ValueError: Image features and image tokens do not match: tokens: {tokens}, features {features}"
    assert first(text) == indexing.PLACEHOLDERS.cause
    assert suspected(text, indexing.TRUNCATED) is (features > tokens > 0)


@given(st.integers(16, 900), st.integers(16, 900))
def test_a_grey_image_that_lost_its_one_channel(height: int, width: int) -> None:
    text = f"ValueError: could not broadcast input array from shape ({height},{width}) into shape ({height},{width},1)"
    assert first(text) == causes.MISSING_CHANNELS.cause


@pytest.mark.parametrize(("have", "wanted"), (("64", "16"), ("384", "64"), ("64", "128")))
def test_patches_of_latents_of_another_model(have: str, wanted: str) -> None:
    def multiplied(out: int) -> str:
        return f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (2500x{have} and {wanted}x{out})"

    assert first(multiplied(3072)) == convolution.OTHER_LATENTS.cause
    assert not suspected(multiplied(10), convolution.OTHER_LATENTS)


def test_latents_that_meet_element_by_element() -> None:
    text = "RuntimeError: The size of tensor a (16) must match the size of tensor b (48) at non-singleton dimension 1"
    assert first(text) == convolution.OTHER_LATENTS.cause


@given(st.integers(2, 500))
def test_a_norm_that_gets_one_axis(rows: int) -> None:
    text = (
        f"RuntimeError: Given normalized_shape=[770], expected input with shape [*, 770], but got input of size[{rows}]"
    )
    assert first(text) == causes.LOST_AXIS.cause and suspected(text, causes.OTHER_RELEASE)


@given(st.integers(2, 60), st.integers(5, 300), st.integers(5, 300))
def test_each_sample_meets_all_the_others(rows: int, height: int, width: int) -> None:
    assume(rows != height)
    text = (
        f"RuntimeError: output with shape [{rows}, {height}, {width}] doesn't match the broadcast shape "
        f"[{rows}, {rows}, {height}, {width}]"
    )
    assert first(text) == causes.EXTRA_AXIS.cause


@pytest.mark.parametrize("axis", (1, 2))
def test_the_length_of_texts_for_clip(axis: int) -> None:
    text = "RuntimeError: The size of tensor a (77) must match the size of tensor b (154) at non-singleton dimension"
    assert suspected(f"{text} {axis}", causes.TOO_LONG)


def test_layers_of_two_encoders_side_by_side() -> None:
    text = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (300x2304 and 3072x1500)"
    assert first(text).startswith(causes.OTHER_ENCODER.cause.split("{")[0])


@given(st.integers(5, 7), st.integers(1, 2))
def test_several_images_with_alpha_beside_each_other(expected: int, more: int) -> None:
    assume(more <= expected // 3)
    got = expected + more
    text = (
        f"RuntimeError: Given groups=1, weight of size [64, {expected}, 7, 7], expected input[1, {got}, 300, 300] to "
        f"have {expected} channels, but got {got} channels instead"
    )
    assert suspected(text, causes.ALPHA)


@pytest.mark.parametrize("count", (6, 14, 19, 33, 150))
def test_classes_with_background_and_without(count: int) -> None:
    text = (
        f"RuntimeError: The size of tensor a ({count + 1}) must match the size of tensor b ({count}) at non-singleton"
    )
    assert suspected(f"{text} dimension 1", OTHER_CLASSES)
    assert not suspected(f"{text} dimension 3", OTHER_CLASSES)


@given(st.integers(3, 40).map(lambda steps: 4 * steps), st.integers(3, 40).map(lambda steps: 4 * steps))
def test_grids_of_a_detector(a: int, b: int) -> None:
    assume(max(a, b) % min(a, b) and abs(a - b) > 4)
    text = (
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension 3"
    )
    assert suspected(text, causes.OTHER_RELEASE)
    assert not suspected(text.replace(f"({a})", f"({a + 1})"), causes.OTHER_RELEASE) or abs(a + 1 - b) <= 4


# What one of two lacks, or has too much


@given(st.integers(2, 60).map(lambda steps: 8 * steps))
def test_a_target_without_its_batch(rows: int) -> None:
    text = f"ValueError: Expected input batch_size (1) to match target batch_size ({rows})."
    assert suspected(text, WITHOUT_BATCH)
    assert not suspected(text.replace("(1)", "(2)"), WITHOUT_BATCH)


@given(st.integers(4, 150), st.integers(3, 40).map(lambda steps: 16 * steps))
def test_a_mask_with_a_channel_axis_of_one(classes_: int, side: int) -> None:
    text = (
        f"UserWarning: Using a target size (torch.Size([2, 1, {side}, {side}])) that is different to the input size "
        f"(torch.Size([2, {classes_}, {side}, {side}])). This will likely lead to incorrect results."
    )
    assert first(text) == targets.MASK_OF_ONE.cause
    assert not suspected(text.replace("[2, 1,", "[2, 3,"), targets.MASK_OF_ONE)


@given(st.integers(2, 30), st.integers(50, 9000))
def test_a_mask_that_is_not_flat_yet(rows: int, places: int) -> None:
    text = (
        f"IndexError: The shape of the mask [{rows}, {places}] at index 0 does not match the shape of the indexed "
        f"tensor [{rows * places}, 1] at index 0"
    )
    assert first(text) == causes.ONE_FLATTENED.cause
    assert first(text.replace(f"[{rows * places}, 1]", f"[{rows * places + 1}, 1]")) != causes.ONE_FLATTENED.cause


@pytest.mark.parametrize(
    ("had", "parts", "cause"),
    [(4, 3, causes.ALPHA), (1, 3, causes.GREY), (2, 3, causes.ALPHA), (5, 3, splitting.NOT_EVEN)],
)
def test_a_split_into_colours(had: int, parts: int, cause: Cause) -> None:
    text = (
        f"Number of ways to split should evenly divide the split dimension, but got split_dim 3 (size = {had}) and "
        f"num_split {parts}"
    )
    assert first(text) == cause.cause


@given(st.integers(2, 8), st.integers(2, 8))
def test_an_order_of_axes_and_the_rank_it_meets(named: int, rank: int) -> None:
    assume(named != rank)
    text = (
        f"InvalidArgumentError: transpose expects a vector of size {rank}. But input(1) is a vector of size {named} "
        "[Op:Transpose]"
    )
    assert explained(text).headline.startswith(f"Transpose names {named} axes, and the value has {rank}")
    assert suspected(text, causes.EXTRA_AXIS) == (rank > named)
    assert suspected(text, causes.MISSING_BATCH) == (rank < named)


def test_an_axis_that_is_there_and_cannot_be_squeezed() -> None:
    text = "InvalidArgumentError: Can not squeeze dim[1], expected a dimension of 1, got 7 [Op:Squeeze]"
    assert explained(text).headline == "Squeeze is to take off axis 1, which holds 7 entries"


# What was set, or was not


@given(st.integers(3, 40).map(lambda patches: 32 * patches).filter(lambda side: side != 224))
def test_images_of_a_size_that_the_model_may_have_been_meant_for(side: int) -> None:
    text = f"AssertionError: Input image size ({side}*{side}) doesn't match model (224*224)."
    assert suspected(text, model_input.OPTION_NOT_PASSED) and explained(text).cause is None


def test_images_as_they_were_photographed() -> None:
    diagnosis = explained("AssertionError: Input image size (1013*755) doesn't match model (224*224).")
    assert diagnosis.cause is not None and diagnosis.cause.reason.startswith("the images are not brought to the size")


@given(st.integers(8, 64).map(lambda steps: 8 * steps), st.integers(5, 1000))
def test_one_cell_for_all_layers(units: int, inputs: int) -> None:
    assume(inputs != units)
    node = "model/rnn/while/rnn/multi_rnn_cell/cell_0/basic_lstm_cell/MatMul_1"
    text = (
        f"ValueError: Dimensions must be equal, but are {2 * units} and {inputs + units} for '{node}' (op: 'MatMul') "
        f"with input shapes: [20,{2 * units}], [{inputs + units},{4 * units}]."
    )
    assert first(text) == products.SHARED_CELL.cause
    assert not suspected(text.replace("multi_rnn_cell/", ""), products.SHARED_CELL)


@given(st.integers(5, 30), st.integers(65, 500))
def test_scores_in_the_place_of_features(classes_: int, width: int) -> None:
    assume(width % classes_)
    text = f"RuntimeError: size mismatch, m1: [7 x {classes_}], m2: [{width} x {classes_}]"
    assert suspected(text, products.APPLIED_BEFORE)


@given(st.integers(5, 60), st.integers(1, 60))
def test_a_sequence_longer_than_its_row(room: int, more: int) -> None:
    text = (
        f"RuntimeError: The expanded size of the tensor ({room}) must match the existing size ({room + more}) at "
        f"non-singleton dimension 1.  Target sizes: [1, {room}].  Tensor sizes: [{room + more}]"
    )
    assert suspected(text, expanding.FULL_BUFFER)


@given(st.integers(2, 7).map(lambda rows: 8 * rows), st.integers(5, 90), st.integers(2, 90))
def test_a_batch_of_sequences_and_their_masks(rows: int, length: int, more: int) -> None:
    text = (
        f"RuntimeError: The expanded size of the tensor ({length + more}) must match the existing size ({length}) at "
        f"non-singleton dimension 1.  Target sizes: [{rows}, {length + more}].  Tensor sizes: [{rows}, {length}]"
    )
    assert suspected(text, causes.OTHER_LENGTH)


# What is no batch and no feed


def test_a_list_that_is_not_regular() -> None:
    diagnosis = explained("ValueError: Can't convert non-rectangular Python sequence to Tensor.")
    assert "batch" not in diagnosis.headline + diagnosis.explanation.partition("1.")[0]
    assert suspected("ValueError: Can't convert non-rectangular Python sequence to Tensor.", samples.SEVERAL_VALUES)


def test_an_array_of_one_entry_for_a_number() -> None:
    text = "ValueError: Expected scalar shape, saw shape: (1,)."
    assert first(text) == rank.ONE_ENTRY.cause and first(text.replace("(1,)", "(5,)")) == rank.NOT_REDUCED.cause


def test_an_argument_that_is_refused_before_anything_is_fed() -> None:
    text = (
        "ValueError: When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be "
        "(299, 299, 3)."
    )
    diagnosis = explained(text)
    assert "fed" not in diagnosis.headline and suspected(text, model_input.ONE_SIZE_ALONE)


@given(st.integers(3, 40).map(lambda steps: 16 * steps))
def test_a_mask_without_the_channel_that_the_output_has(side: int) -> None:
    text = (
        f"ValueError: Target size (torch.Size([2, {side}, {side}])) must be the same as input size "
        f"(torch.Size([2, 1, {side}, {side}]))"
    )
    assert first(text) == causes.MISSING_CHANNELS.cause
    assert not suspected(text.replace("[2, 1,", "[2, 5,"), causes.MISSING_CHANNELS)


@given(st.integers(2, 9), st.integers(1, 96))
def test_a_map_that_is_left_where_a_discriminator_was_to_leave_one_value(side: int, batch: int) -> None:
    text = (
        "ValueError: Target and input must have the same number of elements. "
        f"target nelement ({batch}) != input nelement ({batch * side * side})"
    )
    assert suspected(text, targets.MAP_LEFT)
    other = (
        "ValueError: Target and input must have the same number of elements. "
        f"target nelement ({batch}) != input nelement ({batch * (side * side + 2)})"
    )
    assert not suspected(other, targets.MAP_LEFT)


# Saved weights: how the file was made, and for which data


def mismatched(*weights_of: tuple[str, tuple[int, ...], tuple[int, ...]]) -> str:
    """What PyTorch says of weights: their names, and the shapes that are saved and built."""
    lines = [
        f"\tsize mismatch for {name}: copying a param with shape torch.Size({list(saved)}) from checkpoint, the shape "
        f"in current model is torch.Size({list(built)})."
        for name, saved, built in weights_of
    ]
    return "\n".join(["RuntimeError: Error(s) in loading state_dict for Net:", *lines])


def misnamed(missing: list[str], unexpected: list[str]) -> str:
    lines = ["RuntimeError: Error(s) in loading state_dict for Net:"]
    lines += ["\tMissing key(s) in state_dict: " + ", ".join(f'"{name}"' for name in missing) + ". "] if missing else []
    lines += ["\tUnexpected key(s) in state_dict: " + ", ".join(f'"{name}"' for name in unexpected) + ". "]
    return "\n".join(lines)


WIDE = st.integers(5, 64).map(lambda times: 64 * times)


@given(WIDE, WIDE, st.booleans())
def test_weights_of_4_bits_are_half_as_many_bytes(rows: int, columns: int, is_saved: bool) -> None:
    packed, whole = (rows * columns // 2, 1), (rows, columns)
    both = (packed, whole) if is_saved else (whole, packed)
    assert suspected(mismatched(("layers.0.mlp.up_proj.weight", *both)), checkpoints.QUANTISED)


@given(st.integers(16, 64).map(lambda times: 64 * times), st.sampled_from([2, 4, 8]))
def test_a_share_of_rows_here_and_of_columns_there(width: int, parts: int) -> None:
    rows = ("layers.0.attention.wq.weight", (width // parts, width), (width, width))
    columns = ("layers.0.attention.wo.weight", (width, width // parts), (width, width))
    assert suspected(mismatched(rows, columns), checkpoints.SHARDED)
    assert not suspected(mismatched(rows), checkpoints.SHARDED)


@given(st.sampled_from([32, 48, 60, 64, 180]), st.permutations([2, 3, 4]))
def test_channels_that_grow_with_the_square_of_the_factor(channels: int, factors: list[int]) -> None:
    one, other, _ = factors
    pair = ("tail.0.0.weight", (channels * one**2, channels, 3, 3), (channels * other**2, channels, 3, 3))
    assert suspected(mismatched(pair), checkpoints.UPSCALING)
    no_square = ("tail.0.0.weight", (channels * 4, channels, 3, 3), (channels * 5, channels, 3, 3))
    assert not suspected(mismatched(no_square), checkpoints.UPSCALING)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 16).map(lambda times: 32 * times))
def test_columns_that_enter_and_leave(one: int, other: int, width: int) -> None:
    assume(one != other)
    enters = ("embedding.weight", (width, one, 3), (width, other, 3))
    leaves = ("projection.weight", (one, width), (other, width))
    assert suspected(mismatched(enters, leaves), checkpoints.OTHER_DATA)
    hidden = mismatched(("fc1.weight", (one, width), (other, width)), ("fc2.weight", (width, one), (width, other)))
    assert not suspected(hidden, checkpoints.OTHER_DATA)


@given(st.integers(1001, 10**6), st.integers(1, 10**5), st.integers(1, 4))
def test_a_row_for_each_point(points: int, more: int, axes: int) -> None:
    text = mismatched(("_xyz", (points, axes), (points + more, axes)))
    assert suspected(text, checkpoints.PER_ENTRY)
    assert not suspected(text, weights.OTHER_CLASSES)


@given(st.integers(5, 400), st.integers(1, 100))
def test_a_table_of_pairs(nodes: int, more: int) -> None:
    assume(nodes % 64 and (nodes + more) % 64)
    assert suspected(mismatched(("graph.A", (3, nodes, nodes), (3,) + (nodes + more,) * 2)), checkpoints.PER_ENTRY)


@given(st.integers(4, 400), st.integers(1, 60), st.sampled_from(["actor.0", "critic.0", "q_net.0", "policy.mlp.0"]))
def test_the_inputs_of_an_agent(observed: int, more: int, name: str) -> None:
    text = mismatched((f"{name}.weight", (256, observed), (256, observed + more)))
    assert suspected(text, fed.OTHER_ENVIRONMENT)
    assert not suspected(text.replace(name, "layer.0"), fed.OTHER_ENVIRONMENT)


@given(st.integers(1, 12), st.integers(1, 12))
def test_frequencies_of_encoded_coordinates(one: int, other: int) -> None:
    assume(one != other)
    text = mismatched(("pts_linears.0.weight", (256, 3 + 6 * one), (256, 3 + 6 * other)))
    assert suspected(text, checkpoints.OTHER_FREQUENCIES)


@given(st.integers(20, 2000), st.integers(1, 63))
def test_rows_to_spare(many: int, fewer: int) -> None:
    assume(fewer > 2)
    rows = 64 * many
    assume(rows - fewer > 1000)
    text = mismatched(("transformer.wte.weight", (rows, 768), (rows - fewer, 768)))
    assert suspected(text, checkpoints.PADDED_TABLE)
    assert not suspected(text.replace(f"[{rows}, ", f"[{rows + 1}, "), checkpoints.PADDED_TABLE)


@given(st.sampled_from([(4096, 5120), (2048, 4096), (768, 1024)]), st.sampled_from([4, 8, 16, 64]))
def test_an_adapter_of_another_base(widths: tuple[int, int], rank: int) -> None:
    one, other = widths
    text = mismatched(("layers.0.q_proj.lora_A.default.weight", (rank, one), (rank, other)))
    assert suspected(text, checkpoints.OTHER_BASE)
    ranks = mismatched(("layers.0.q_proj.lora_A.default.weight", (rank, one), (2 * rank, one)))
    assert suspected(ranks, weights.OTHER_RANK)
    assert not suspected(ranks, checkpoints.OTHER_BASE)


@pytest.mark.parametrize("name", ["pos_encoder.pe", "blocks.0.attn.rel_pos_h", "rotary.inv_freq", "wpe.weight"])
def test_tables_that_are_made_for_one_size(name: str) -> None:
    text = mismatched((name, (500, 64), (200, 64)))
    assert suspected(text, weights.OTHER_TABLE)
    assert not suspected(text, weights.OTHER_CLASSES)


@given(st.integers(2, 40), st.integers(2, 40))
def test_a_bias_counts_outputs(one: int, other: int) -> None:
    assume(one != other)
    text = mismatched(("fc.weight", (one, 64), (other, 64)), ("fc.bias", (one,), (other,)))
    assert suspected(text, weights.OTHER_CLASSES)
    assert not suspected(text, weights.OTHER_LIST)


@pytest.mark.parametrize(
    ("missing", "unexpected", "cause"),
    [
        (["conv.weight"], ["params_ema"], weight_names.NESTED),
        (["conv.weight"], ["model_state_dict", "optimizer_state_dict", "epoch"], weight_names.NESTED),
        ([], ["total_ops", "layer1.total_params"], weight_names.PROFILED),
        (["conv.weight"], ["conv.weight_g", "conv.weight_v"], weight_names.REPARAMETRISED),
        (["conv.parametrizations.weight.original0"], ["conv.weight_g"], weight_names.REPARAMETRISED),
        ([], ["criterion.weight"], weight_names.OF_THE_LOSS),
        (["layers.0.q_proj.weight"], ["layers.0.q_proj.qweight", "layers.0.q_proj.scales"], checkpoints.QUANTISED),
        (["layers.0.q_proj.weight"], ["base_model.layers.0.q_proj.lora_A.weight"], weight_names.OF_AN_ADAPTER),
        ([], ["embeddings.position_ids"], weight_names.OTHER_VERSION),
        ([], ["logits.weight", "logits.bias"], weight_names.NO_TOP),
    ],
)
def test_names_that_tell_how_the_file_was_made(missing: list[str], unexpected: list[str], cause: Cause) -> None:
    assert suspected(misnamed(missing, unexpected), cause)


def test_plain_names_tell_nothing_of_how_the_file_was_made() -> None:
    text = misnamed(["encoder.conv.weight"], ["encoder.norm.weight"])
    causes_of_names = (
        weight_names.NESTED,
        weight_names.PROFILED,
        weight_names.REPARAMETRISED,
        weight_names.OF_THE_LOSS,
        weight_names.NO_TOP,
    )
    assert not any(suspected(text, cause) for cause in (*causes_of_names, weight_names.OF_AN_ADAPTER))


@given(st.integers(1, 80), st.integers(1, 80), st.sampled_from([512, 1024]))
def test_keras_turns_a_saved_kernel_round(saved: int, built: int, inputs: int) -> None:
    assume(saved != built)
    kernel = (1, 1, inputs, built)
    text = (
        f"ValueError: Layer #249 (named \"conv2d_59\"), weight <tf.Variable 'conv2d_59/kernel:0' shape={kernel}> has "
        f"shape {kernel}, but the saved weight has shape {(saved, inputs, 1, 1)}."
    )
    assert suspected(text, weights.OTHER_CLASSES)


# What is fed


@given(st.integers(16, 2000))
def test_one_sample_of_which_keras_makes_samples_of_one_value(features: int) -> None:
    text = (
        'ValueError: Input 0 of layer "sequential" is incompatible with the layer: expected '
        f"shape=(None, {features}), found shape=(None, 1)"
    )
    assert suspected(text, causes.MISSING_BATCH)


@given(st.integers(3, 60))
def test_a_pair_in_place_of_an_observation(observed: int) -> None:
    text = (
        f"ValueError: Error: Unexpected observation shape (2,) for Box environment, please use ({observed},) or "
        f"(n_env, {observed}) for the observation shape."
    )
    assert suspected(text, fed.OBSERVATION)


@given(st.integers(8, 200), st.integers(1, 2))
def test_a_sequential_model_is_no_sequence(columns: int, more: int) -> None:
    text = (
        'ValueError: Input 0 of layer "sequential_3" is incompatible with the layer: expected '
        f"shape=(None, {columns}), found shape=(None, {columns + more})"
    )
    assert suspected(text, causes.OTHER_COLUMNS)


@given(st.integers(1, 500), st.integers(32, 640), st.booleans())
def test_a_crop_that_holds_nothing(side: int, wanted: int, is_height: bool) -> None:
    height, width = (0, side) if is_height else (side, 0)
    text = (
        f"RuntimeError: Input and output sizes should be greater than 0, but got input (H: {height}, W: {width}) "
        f"output (H: {wanted}, W: {wanted})"
    )
    assert first(text) == windows.EMPTY_CROP.cause


@given(st.integers(5, 64), st.integers(100, 4000), st.integers(3, 9))
def test_the_axis_of_1_in_front_of_the_samples(samples: int, length: int, kernel: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [16, 1, {kernel}], expected input[1, {samples}, {length}] to "
        f"have 1 channels, but got {samples} channels instead"
    )
    assert suspected(text, convolution.AXIS_IN_FRONT)


@given(st.sampled_from([12, 13]), st.integers(32, 512), st.integers(1, 16))
def test_more_bands_than_colours(bands: int, side: int, batch: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [64, 3, 7, 7], expected input[{batch}, {bands}, {side}, {side}] "
        f"to have 3 channels, but got {bands} channels instead"
    )
    assert suspected(text, convolution.MORE_BANDS)


@given(st.integers(1, 7))
def test_a_kernel_of_a_first_layer_meets_a_small_grid(side: int) -> None:
    text = (
        f"RuntimeError: Calculated padded input size per channel: ({side} x {side}). Kernel size: (8 x 8). Kernel size "
        "can't be greater than actual input size"
    )
    assert suspected(text, windows.SMALL_DATA)


@given(st.integers(2, 16), st.lists(st.integers(3, 200), min_size=2, max_size=4, unique=True), st.integers(17, 512))
def test_what_joins_adds_as_many_inputs_to_every_weight(few: int, widths: list[int], many: int) -> None:
    for more in (few, many):
        text = mismatched(*((f"layer{at}.w", (64, wide), (64, wide + more)) for at, wide in enumerate(widths)))
        assert suspected(text, weights.EXTRA_FEATURE)
    doubled = mismatched(*((f"layer{at}.w", (64, wide), (64, 2 * wide)) for at, wide in enumerate(widths)))
    assert not suspected(doubled, weights.EXTRA_FEATURE)


@given(st.integers(8, 1024), st.permutations([4, 3, 1]))
def test_gates_of_another_cell(units: int, gates: list[int]) -> None:
    one, other, _ = gates
    text = mismatched(("rnn.weight_hh_l0", (one * units, units), (other * units, units)))
    assert suspected(text, checkpoints.OTHER_CELL)
    wider = mismatched(("rnn.weight_hh_l0", (one * units, units), (one * 2 * units, 2 * units)))
    assert not suspected(wider, checkpoints.OTHER_CELL)


def test_a_layer_that_reads_both_ways() -> None:
    names = misnamed(["rnn.weight_ih_l0_reverse"], ["extra"])
    assert suspected(names, weight_names.OTHER_DIRECTIONS)
    sizes_too = names + "\n" + mismatched(("fc.weight", (29, 512), (29, 1024))).partition("\n")[2]
    assert suspected(sizes_too, weight_names.OTHER_DIRECTIONS)


@given(st.integers(2, 64).map(lambda times: 64 * times), st.sampled_from([2, 4, 8]), st.sampled_from(["k_proj", "wv"]))
def test_fewer_heads_of_keys(width: int, share: int, name: str) -> None:
    text = mismatched((f"layers.0.self_attn.{name}.weight", (width // share, width), (width, width)))
    assert suspected(text, KEY_HEADS)
    assert not suspected(text.replace(name, "o_proj"), KEY_HEADS)


@given(st.integers(2, 16), st.integers(2, 16), st.sampled_from([64, 128, 256]))
def test_a_generator_of_another_side(one: int, other: int, channels: int) -> None:
    assume(one != other and channels * min(one, other) ** 2 >= 1024)
    text = mismatched(("l1.0.weight", (channels * one**2, 100), (channels * other**2, 100)))
    assert suspected(text, causes.OTHER_INPUT_SIZE)


@given(st.sampled_from([50, 100, 200, 300]), st.sampled_from([50, 100, 200, 300]), st.integers(1001, 50_000))
def test_word_vectors_of_another_width(one: int, other: int, words: int) -> None:
    assume(one != other)
    text = f"ValueError: Layer weight shape {(words, one)} not compatible with provided weight shape {(words, other)}"
    assert suspected(text, vocabularies.OTHER_VECTORS)
    cell = mismatched(("lstm.weight_ih_l0", (800, one), (800, other)))
    assert suspected(cell, vocabularies.OTHER_VECTORS)


@given(st.sampled_from([(4, 16), (16, 4), (4, 32)]))
def test_another_autoencoder(channels: tuple[int, int]) -> None:
    one, other = channels
    text = mismatched(("decoder.conv_in.weight", (512, one, 3, 3), (512, other, 3, 3)))
    assert suspected(text, convolution.OTHER_LATENTS)


@given(st.sampled_from([2048, 4096]), st.integers(2, 400), st.integers(1000, 30_000))
def test_neighbouring_layers_of_keras(width: int, outputs: int, inputs: int) -> None:
    assume(inputs != width)
    text = (
        "ValueError: Cannot assign value to variable ' dense_2/kernel:0': Shape mismatch.The variable shape "
        f"({width}, {outputs}), and the assigned value shape ({inputs}, {width}) are incompatible."
    )
    assert suspected(text, weight_names.NO_TOP)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(10, 400))
def test_columns_of_a_series(one: int, other: int, steps: int) -> None:
    assume(one != other)
    text = (
        'ValueError: Input 0 of layer "model_2" is incompatible with the layer: expected '
        f"shape=(None, {steps}, {one}), found shape=(None, {steps}, {other})"
    )
    assert suspected(text, causes.OTHER_COLUMNS)


@given(st.integers(1, 12), st.integers(2, 9))
def test_anchors_are_no_classes(anchors: int, times: int) -> None:
    heads = [("rpn.head.cls_logits", 1), ("rpn.head.bbox_pred", 4)]
    shapes = [((anchors * each, 256, 1, 1), (anchors * times * each, 256, 1, 1)) for _, each in heads]
    text = mismatched(*((f"{name}.weight", *both) for (name, _), both in zip(heads, shapes, strict=True)))
    assert suspected(text, checkpoints.OTHER_ANCHORS)


@given(st.integers(3, 64), st.integers(3, 5))
def test_outputs_that_an_option_doubles(outputs: int, times: int) -> None:
    assume(outputs != 60)
    doubled = mismatched(("final_conv.weight", (2 * outputs, 60, 1, 1), (outputs, 60, 1, 1)))
    assert suspected(doubled, checkpoints.TWO_FOR_EACH)
    other = mismatched(("final_conv.weight", (times * outputs, 60, 1, 1), (outputs, 60, 1, 1)))
    assert not suspected(other, checkpoints.TWO_FOR_EACH)


@given(st.integers(5, 60).map(lambda half: 2 * half + 1), st.integers(17, 200))
def test_a_map_for_each_label(labels_saved: int, more: int) -> None:
    text = mismatched(("spade.fc.weight", (1024, labels_saved, 3, 3), (1024, labels_saved + more, 3, 3)))
    assert suspected(text, weights.OTHER_LIST)
    filters = mismatched(("spade.fc.weight", (1024, 64, 3, 3), (1024, 128, 3, 3)))
    assert not suspected(filters, weights.OTHER_LIST)


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([3, 5, 7]))
def test_keras_turns_a_first_kernel_round(saved: int, built: int, kernel: int) -> None:
    assume(saved != built and kernel not in (saved, built))
    shape = (kernel, kernel, built, 64)
    text = (
        f"ValueError: Layer #0 (named \"conv1\"), weight <tf.Variable 'conv1/kernel:0' shape={shape}> has shape "
        f"{shape}, but the saved weight has shape {(64, saved, kernel, kernel)}."
    )
    assert suspected(text, weights.OTHER_INPUT)


@given(st.integers(20, 128), st.integers(2, 8), st.integers(1, 9))
def test_frames_of_a_spectrogram_are_no_side(bands: int, times: int, fewer: int) -> None:
    frames = bands * times
    text = (
        'ValueError: Input 0 of layer "model" is incompatible with the layer: expected '
        f"shape=(None, {bands}, {frames}, 1), found shape=(None, {bands}, {frames - fewer}, 1)"
    )
    assert suspected(text, fed.OTHER_PREPARATION)


@given(st.sampled_from([32, 64, 128]), st.integers(1, 16))
def test_a_square_map_as_wide_as_the_filters_is_no_layout(width: int, batch: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [128, {width}, 3, 3], expected input[{batch}, {width // 2}, "
        f"{width}, {width}] to have {width} channels, but got {width // 2} channels instead"
    )
    assert not suspected(text, causes.CHANNELS_LAST)
    assert suspected(text, causes.OTHER_SETTING)


@given(st.integers(16, 160), st.integers(1, 4))
def test_modalities_of_volumes(side: int, batch: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [32, 1, 3, 3, 3], expected input[{batch}, 2, {side}, {side}, "
        f"{side}] to have 1 channels, but got 2 channels instead"
    )
    assert suspected(text, causes.STACKED_INPUT)
    assert not suspected(text, causes.ALPHA)


@given(st.integers(1, 4), st.integers(1, 32))
def test_a_first_layer_is_known_by_its_few_inputs(one: int, other: int) -> None:
    assume(one != other)
    assert suspected(mismatched(("main.0.weight", (64, one, 4, 4), (64, other, 4, 4))), weights.OTHER_INPUT)
    deep = mismatched(("main.0.weight", (64, 64, 4, 4), (64, 64 + 8 * other, 4, 4)))
    assert not suspected(deep, weights.OTHER_INPUT)


@given(st.integers(1001, 50_000), st.integers(3, 900))
def test_a_table_that_encoder_and_decoder_share(rows: int, more: int) -> None:
    text = mismatched(("shared.weight", (rows, 512), (rows + more, 512)))
    assert suspected(text, vocabularies.OTHER_VOCABULARY)
    assert not suspected(text, weights.OTHER_CLASSES)


@given(st.integers(1, 64), st.integers(1, 64))
def test_a_table_of_frames(one: int, other: int) -> None:
    assume(one != other)
    assert suspected(mismatched(("time_embed", (1, one, 768), (1, other, 768))), weights.OTHER_TABLE)
    layer = mismatched(("time_embed.0.weight", (512, one), (512, other)))
    assert not suspected(layer, weights.OTHER_TABLE)
