"""How often one size goes into another, and what that says: cells of a pyramid, entries of a sample, groups of rows.

The numbers are drawn, and beside each relation stand sizes that are not in it. None is a report's.
"""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

import shapewatch
from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.fed import FIXED_BATCH
from shapewatch.messages.faults.norm import POINTS_FIRST
from shapewatch.messages.faults.products import PACKED
from shapewatch.messages.faults.rearranging import LACKS_AXIS
from shapewatch.messages.faults.recurrent import NO_PAIR, OUTPUTS_FOR_STATE
from shapewatch.messages.faults.relations import TURNED
from shapewatch.messages.faults.rows import CAUSAL_LABELS
from shapewatch.messages.faults.samples import LENGTHS, LEVELS_AS_ONE, OLD_ORDER
from shapewatch.messages.faults.splitting import NOTHING_COUNTED, OTHER_LENGTHS, ROWS_FOR_EACH
from shapewatch.messages.faults.taken_apart import NOT_IN_GROUPS
from shapewatch.messages.faults.targets import OTHER_MAP
from shapewatch.messages.faults.weights import EXTRA_FEATURE

odd = st.integers(2, 30).map(lambda half: 2 * half + 1)


def meeting(a: int, b: int, axis: int) -> str:
    return (
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton "
        f"dimension {axis}"
    )


# Sides


@properties
@given(odd, odd, st.sampled_from([8, 16, 32]))
def test_a_deeper_level_has_half_of_the_cells_rounded_up(rows: int, columns: int, cell: int) -> None:
    one, other = (f"[4,{cell * (rows + up)},{cell * (columns + up)},2]" for up in (0, 1))
    assert first(f"InvalidArgumentError: Incompatible shapes: {one} vs. {other}") == causes.ODD_SIZE.cause
    assert sizes.cells_apart(cell * (rows + 1), cell * (rows + 2)) is None, "an even number is halved without a rest"


@properties
@given(st.integers(8, 40), odd.filter(lambda side: side > 16))
def test_patches_of_a_side_that_the_stride_does_not_divide(half: int, width: int) -> None:
    up, down = half * (width + 1) // 2, half * (width // 2)
    text = (
        f"RuntimeError: Given transposed=1, weight of size [{up}, 128, 6, 6], expected input[1, {down}, {2 * half}, "
        f"{width}] to have {up} channels, but got {down} channels instead"
    )
    assert first(text) == causes.ODD_SIZE.cause
    assert first(text.replace(str(down), str(down + 2))) != causes.ODD_SIZE.cause


@properties
@given(st.sampled_from([(3, 4), (9, 16), (2, 3)]), st.integers(6, 12))
def test_the_sides_of_a_usual_image_have_changed_places(ratio: tuple[int, int], times: int) -> None:
    tall, wide = (16 * times * side for side in ratio)
    assume(wide not in sizes.ENCODERS and wide <= 1024)
    text = (
        f"RuntimeError: The expanded size of the tensor ({tall}) must match the existing size ({wide}) at "
        "non-singleton dimension 3"
    )
    assert suspected(text, TURNED)
    assert not suspected(text.replace(str(wide), str(wide + 8)), TURNED)


@properties
@given(st.integers(12, 40), st.integers(41, 300), st.sampled_from([2, 3, 5]))
def test_rows_are_the_places_of_two_maps(side: int, other: int, classes: int) -> None:
    assume(other % side)
    text = (
        "ValueError: logits and labels must have the same first dimension, got logits shape "
        f"[{side**2},{classes}] and labels shape [{{}}]"
    )
    assert first(text.format(other**2)) == OTHER_MAP.cause
    doubled = text.format(other**2 * classes)
    assert suspected(doubled, OTHER_MAP) and suspected(doubled, causes.ONE_HOT)


# Entries for each sample


@properties
@given(st.sampled_from([3, 5, 7]), st.sampled_from([32, 64, 128]))
def test_several_entries_for_each_sample(times: int, batch: int) -> None:
    assert suspected(meeting(times * batch, batch, 0), causes.SEVERAL_EACH)
    assert not suspected(meeting(times * batch + 1, batch, 0), causes.SEVERAL_EACH)


@properties
@given(st.integers(2, 12), st.integers(2, 40), st.integers(2, 30))
def test_a_mask_for_one_of_each_pair(batch: int, classes: int, side: int) -> None:
    text = (
        f"IndexError: The shape of the mask [{batch}, {classes}, {side}, {side}] at index 0 does not match the shape "
        f"of the indexed tensor [{{}}, {classes}, {side}, {side}, 5] at index 0"
    )
    assert suspected(text.format(2 * batch), causes.SEVERAL_EACH)
    assert not suspected(text.format(2 * batch + 1), causes.SEVERAL_EACH)


@properties
@given(st.lists(st.integers(2, 30), min_size=2, max_size=6), st.integers(3, 60))
def test_rows_for_each_that_lengths_count(lengths: list[int], times: int) -> None:
    text = (
        f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {{}} (input tensor's size at dimension "
        f"0), but got split_sizes={lengths}"
    )
    assert first(text.format(times * sum(lengths))) == ROWS_FOR_EACH.cause.format(times=times)
    assert first(text.format(times * sum(lengths) + 1)) == OTHER_LENGTHS.cause


@properties
@given(st.integers(1, 4))
def test_nothing_is_there_to_be_counted(rows: int) -> None:
    text = (
        f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {rows} (input tensor's size at "
        "dimension 0), but got split_sizes=[0]"
    )
    assert first(text) == NOTHING_COUNTED.cause and explained(text).cause is None


@properties
@given(st.sampled_from([3, 5, 6]), st.integers(17, 500), st.sampled_from([64, 96, 160]))
def test_rows_in_groups(group: int, rows: int, width: int) -> None:
    assume(math.gcd(rows, group) == 1)
    text = (
        f"Input to reshape is a tensor with {rows * width} values, but the requested shape requires a multiple of "
        f"{group * width}"
    )
    assume(math.isqrt(width) ** 2 != width)
    assert suspected(text, NOT_IN_GROUPS)


@properties
@given(st.integers(8, 60), st.integers(13, 30), st.integers(6, 12))
def test_values_for_each_place_of_a_head(side: int, come: int, asked: int) -> None:
    assume(math.gcd(come, asked) == 1 and come < 4 * asked)
    text = (
        f"Input to reshape is a tensor with {side**2 * come} values, but the requested shape requires a multiple of "
        f"{side**2 * asked}"
    )
    assert any(suspect.cause == causes.OTHER_SETTING.cause for suspect in explained(text).suspects[:3])
    assert not suspected(text, NOT_IN_GROUPS)


@properties
@given(st.integers(2, 8), st.integers(2, 6), st.integers(7, 40), st.integers(7, 60))
def test_channels_that_are_taken_apart_into_anchors(batch: int, anchors: int, values: int, side: int) -> None:
    come = (anchors + 1) * values
    count = batch * come * side**2
    text = f"RuntimeError: shape '[{batch}, {anchors}, {values}, {side}, {side}]' is invalid for input of size {count}"
    because = [each.because for each in explained(text).suspects if each.cause == causes.OTHER_SETTING.cause]
    assert any(f"{come} channels for each of {side} x {side} places" in each for each in because)


# Features


@properties
@given(st.integers(1, 8), st.lists(st.integers(3, 400), min_size=2, max_size=5, unique=True))
def test_every_layer_takes_some_inputs_more(more: int, inputs: list[int]) -> None:
    def loading(built: list[int]) -> str:
        lines = (
            f"\tsize mismatch for layers.{at}.conv.weight: copying a param with shape torch.Size([32, {saved}, 1, 1]) "
            f"from checkpoint, the shape in current model is torch.Size([32, {now}, 1, 1])."
            for at, (saved, now) in enumerate(zip(inputs, built, strict=True))
        )
        return "\n".join(["RuntimeError: Error(s) in loading state_dict for Net:", *lines])

    assert first(loading([size + more for size in inputs])) == EXTRA_FEATURE.cause
    assert not suspected(loading([inputs[0] + more, *(size + more + 1 for size in inputs[1:])]), EXTRA_FEATURE)


@properties
@given(st.sampled_from([2048, 4096, 5120]), st.integers(2, 60))
def test_a_weight_of_one_long_row_is_packed(width: int, rows: int) -> None:
    text = "RuntimeError: mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})"
    assert first(text.format(rows, width, 1, width // 2)) == PACKED.cause
    assert not suspected(text.format(rows, width, 1, 10), PACKED)


@properties
@given(st.integers(2, 64), st.integers(5, 600), st.integers(2, 32).map(lambda size: 32 * size))
def test_a_sequence_is_given_for_a_state(batch: int, steps: int, width: int) -> None:
    assume(steps != batch)
    text = f"RuntimeError: Expected hidden size (1, {batch}, {width}), got ({batch}, {steps}, {2 * width})"
    assert first(text) == OUTPUTS_FOR_STATE.cause
    state = f"RuntimeError: Expected hidden size (1, {batch}, {width}), got (2, {batch}, {width})"
    assert not suspected(state, OUTPUTS_FOR_STATE)


@properties
@given(st.integers(2, 600))
def test_features_on_the_last_axis_of_one_step(width: int) -> None:
    assert suspected(f"RuntimeError: running_mean should contain 1 elements not {width + 4}", POINTS_FIRST)


# Lists, axes and types


@properties
@given(st.integers(7, 60), st.integers(1, 90))
def test_the_levels_of_a_pyramid_are_made_one_tensor(side: int, values: int) -> None:
    shapes = [f"[?,{side * 2**level},{side * 2**level},3,{values}]" for level in range(3)]
    text = (
        f"ValueError: Dimension 1 in both shapes must be equal, but are {2 * side} and {4 * side}. Shapes are "
        f"{shapes[1]} and {shapes[2]}.\n\tFrom merging shape 1 with other shapes. for 'packed' (op: 'Pack') with input "
        f"shapes: {', '.join(shapes)}."
    )
    assert first(text) == LEVELS_AS_ONE.cause and suspected(text, causes.OTHER_RELEASE)


@properties
@given(st.integers(1, 60), st.integers(61, 99))
def test_values_stand_where_the_axis_is_taken(one: int, other: int) -> None:
    text = (
        f"ValueError: Dimension 0 in both shapes must be equal, but are {one} and {other}\n\tFrom merging shape 0 with "
        f"other shapes. for 'tower/concat/concat_dim' (op: 'Pack') with input shapes: [{one}], [{other}]."
    )
    assert first(text) == OLD_ORDER.cause and explained(text).code == "SW402"


@properties
@given(st.integers(8, 60), st.integers(65, 500), st.integers(501, 900))
def test_the_axis_of_a_concatenation_is_told(side: int, one: int, other: int) -> None:
    """The axis that the message counts is that of what is left of the shapes."""
    text = (
        f"ValueError: Dimension 1 in both shapes must be equal, but are {side} and {2 * side} for 'merge/concat' (op: "
        f"'ConcatV2') with input shapes: [?,{one},{2 * side},{side}], [?,{other},{2 * side},{2 * side}], [] and with "
        "computed input tensors: input[2] = <1>."
    )
    headline = explained(text).headline
    assert "along axis 1" in headline and f"axis 3 (width, if these are maps of images): {side} against" in headline


@properties
@given(st.integers(2, 40), st.integers(8, 80), st.integers(200, 500))
def test_labels_are_another_text_than_the_input(texts: int, answer: int, question: int) -> None:
    assume(math.gcd(question, answer) == 1)
    text = "ValueError: Expected input batch_size ({}) to match target batch_size ({})."
    told = text.format(texts * question, texts * answer)
    assert suspected(told, CAUSAL_LABELS) and suspected(told, causes.OTHER_LENGTH)
    assert not suspected(text.format(texts * answer, texts * question), CAUSAL_LABELS)


@properties
@given(st.integers(5, 19))
def test_boxes_of_two_pictures_are_joined(boxes: int) -> None:
    text = (
        "RuntimeError: invalid argument 0: Sizes of tensors must match except in dimension 0. Got "
        f"{boxes} and {boxes + 3} in dimension 1 at THTensor.cpp:711"
    )
    assert suspected(text, LENGTHS)


def test_a_pattern_names_more_axes_than_there_are() -> None:
    text = (
        'EinopsError: Error while processing rearrange-reduction pattern "b p n (h d) -> b h p n d".\n Input tensor '
        "shape: torch.Size([5, 4, 512]). Additional info: {'h': 8}.\n Wrong shape: expected 4 dims. Received 3-dim "
        "tensor."
    )
    assert "names 4 axes, and the tensor has 3" in explained(text).headline
    assert suspected(text, LACKS_AXIS) and suspected(text, causes.LOST_AXIS)


def test_a_recurrent_layer_before_a_convolution_over_steps() -> None:
    text = "ValueError: Input 0 is incompatible with layer convolution1d_1: expected ndim=3, found ndim=2"
    assert suspected(text, causes.LAST_STEP_ONLY)
    assert not suspected(text.replace("convolution1d", "dense"), causes.LAST_STEP_ONLY)


@properties
@given(st.sampled_from([8, 16, 32, 64]), st.integers(65, 300))
def test_a_batch_of_sequences_is_no_image(batch: int, steps: int) -> None:
    text = (
        f"Input 0 is incompatible with layer model: expected shape=({batch}, None, 4), found shape=[{batch // 2}, "
        f"{steps}, 4]"
    )
    assert first(text) == FIXED_BATCH.cause.format(expected=batch, got=batch // 2)


@properties
@given(st.integers(1, 900), st.integers(1, 900))
def test_a_type_that_differs_is_no_shape(rows: int, columns: int) -> None:
    def cast(shape: str) -> str:
        return (
            f"TypeError: Can not cast TensorSpec(shape=({rows}, {columns}), dtype=tf.float64, name=None) to "
            f"TensorSpec(shape={shape}, dtype=tf.float32, name=None)"
        )

    assert shapewatch.explain(cast(f"(None, {columns})")) is None
    assert explained(cast(f"(None, {columns + 1})")).code == "SW602"


def test_a_comma_of_another_keyboard() -> None:
    text = "RuntimeError: shape '[4\uff0c4\uff0c6\uff0c48\uff0c48]' is invalid for input of size 165888"
    assert "[4, 4, 6, 48, 48]" in explained(text).headline


@properties
@given(st.integers(3, 40).map(lambda half: 2 * half), st.integers(8, 99))
def test_a_scope_that_is_called_loss_makes_no_loss(side: int, channels: int) -> None:
    """Of a node's name its own part counts, and the scope around it."""
    text = (
        f"InvalidArgumentError: Dimensions must be equal, but are {side} and {side + 1} for '{{}}' (op: 'Add') with "
        f"input shapes: [4,{side},80,{channels}], [4,{side + 1},80,{channels}]."
    )
    assert explained(text.format("lane_loss/inference/decode/fuse_1")).code == "SW201"
    assert explained(text.format("lane_loss/sub")).code == "SW801"
    assert explained(text.format("compile_loss/mse/sub/BroadcastGradientArgs")).code == "SW801"


@properties
@given(st.integers(2, 32), st.integers(8, 512))
def test_one_tensor_for_the_pair_of_a_cell(batch: int, width: int) -> None:
    text = f"RuntimeError: Expected {{}} size (1, {batch}, {width}), got ({batch}, {width})"
    assert first(text.format("hidden[0]")) == NO_PAIR.cause
    assert not suspected(text.format("hidden"), NO_PAIR)


@properties
@given(st.integers(50_000, 10**6))
def test_two_channels_of_sound_are_padded(samples: int) -> None:
    text = (
        "RuntimeError: Argument #4: Padding size should be less than the corresponding input dimension, but got: "
        f"padding (1024, 1024) at dimension 2 of input [1, {samples}, {{}}]"
    )
    assert suspected(text.format(2), causes.STEREO)
    assert not suspected(text.format(7), causes.STEREO)


@properties
@given(st.sampled_from([256, 512, 768]))
def test_bins_of_another_window_are_saved(width: int) -> None:
    text = (
        "RuntimeError: Error(s) in loading state_dict for Net:\n\tsize mismatch for decoder.last.weight: copying a "
        f"param with shape torch.Size([{{}}, {width}]) from checkpoint, the shape in current model is torch.Size([513, "
        f"{width}])."
    )
    assert suspected(text.format(1025), causes.OTHER_SPECTRUM)
    assert not suspected(text.format(1024), causes.OTHER_SPECTRUM)


@properties
@given(st.integers(9, 60), st.integers(61, 90))
def test_maps_that_are_channels_first_are_joined_along_axis_1(side: int, other: int) -> None:
    text = (
        f"InvalidArgumentError: ConcatOp : Dimensions of inputs should match: shape[0] = [1,32,{other},{other + 7}] "
        f"vs. shape[1] = [1,96,{side},{side}]"
    )
    assert f"axis 2 (height, if these are maps of images): {other} against {side}" in explained(text).headline


@properties
@given(st.integers(2, 256), st.integers(2, 99), st.integers(100, 200))
def test_values_that_keras_could_join_but_for_an_open_axis(batch: int, one: int, other: int) -> None:
    text = (
        "ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs "
        f"shapes: [({{}}, None, {one}), (None, None, {other})]"
    )
    told = text.format(batch)
    assert first(told) == causes.OTHER_RELEASE.cause
    assert "axis 0 is open in one of them alone" in explained(told).headline
    assert first(text.format(None)) != causes.OTHER_RELEASE.cause


@properties
@given(st.integers(3, 20))
def test_a_square_input_is_flattened(side: int) -> None:
    text = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x{{}} and {side}x64)"
    assert suspected(text.format(side**2), causes.OTHER_INPUT_SIZE)


@properties
@given(st.integers(9, 300))
def test_colours_stand_behind_the_sides_a_second_time(side: int) -> None:
    text = (
        "RuntimeError: Expected 4-dimensional input for 4-dimensional weight [16, 3, 3, 3], but got 5-dimensional "
        f"input of size [1, 3, {side}, {side}, {{}}] instead"
    )
    because = [each.because for each in explained(text.format(3)).suspects if each.cause == causes.EXTRA_AXIS.cause]
    assert because and "behind height and width" in because[0]
    assert not any("behind height" in each.because for each in explained(text.format(7)).suspects)


@properties
@given(st.integers(2, 64), st.integers(65, 999), st.integers(2, 30))
def test_the_last_step_beside_all_steps(batch: int, steps: int, width: int) -> None:
    text = f"InvalidArgumentError: Incompatible shapes: [{batch},{width}] vs. [{batch},{steps},{width}]"
    assume(batch != width)
    assert suspected(text, causes.LAST_STEP_ONLY)
