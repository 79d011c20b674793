"""Where a value comes from, and what it has already: stages, images of a batch, patterns, borders, lists of weights."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import (
    attention,
    causes,
    devices,
    feeding,
    indexing,
    products,
    rearranging,
    targets,
    weights,
)


def rearranged(pattern: str, shape: list[int], told: str, detail: str) -> str:
    return (
        f'einops.EinopsError:  Error while processing rearrange-reduction pattern "{pattern}".\n'
        f" Input tensor shape: torch.Size({shape}). Additional info: {told}.\n {detail}"
    )


@properties
@given(st.integers(2, 12), st.integers(2, 32))
def test_a_pattern_that_is_applied_twice(batch: int, frames: int) -> None:
    shape = [batch, 64, frames, 32, 24]
    twice = rearranged("(b f) c h w -> b c f h w", shape, f"{{'b': {batch}}}", "Expected 4 dimensions, got 5")
    assert first(twice).startswith(rearranging.ALREADY_SO.cause.split(":")[0])
    other = rearranged("(b f) c h w -> b c h w", shape, f"{{'b': {batch}}}", "Expected 4 dimensions, got 5")
    assert not suspected(other, rearranging.ALREADY_SO)


@properties
@given(st.integers(2, 6), st.integers(5, 40), st.integers(5, 40))
def test_frames_that_are_not_as_many_as_were_told(batch: int, came: int, told: int) -> None:
    assume(batch * came % told)
    detail = f"Shape mismatch, can't divide axis of length {batch * came} in chunks of {told}"
    text = rearranged("(b f) d c -> (b d) f c", [batch * came, 100, 64], f"{{'f': {told}}}", detail)
    assert suspected(text, rearranging.OTHER_FRAMES)
    places = rearranged("b (f d) c -> b d f c", [3, batch * came, 64], f"{{'f': {told}}}", detail)
    assert not suspected(places, rearranging.OTHER_FRAMES)


@properties
@given(st.integers(2, 40), st.integers(3, 60).filter(lambda steps: steps % 2))
def test_a_table_of_steps_where_heads_are_cut(batch: int, steps: int) -> None:
    detail = f"Shape mismatch, can't divide axis of length {steps} in chunks of 2"
    table = rearranged("b (r h) l -> b l h r", [batch, steps, steps], "{'r': 2}", detail)
    assert suspected(table, causes.OTHER_VALUE) and not suspected(table, causes.ODD_SIZE)
    maps = rearranged("b c (h r) (w s) -> b (h w) (r s c)", [batch, 8, steps, steps], "{'r': 2, 's': 2}", detail)
    assert suspected(maps, causes.ODD_SIZE)


@properties
@given(st.integers(1024, 9000), st.integers(2, 16))
def test_places_of_one_image_beside_those_of_a_batch(places: int, images: int) -> None:
    for output, target in ((places * images, places), (places, places * images)):
        shapes = f"Target size (torch.Size([{target}, 1])) must be the same as input size (torch.Size([{output}, 1]))"
        assert suspected(f"ValueError: {shapes}", targets.OF_SOME_IMAGES)
        rows = f"ValueError: Expected input batch_size ({output}) to match target batch_size ({target})."
        assert suspected(rows, targets.OF_SOME_IMAGES)
    few = "ValueError: Target size (torch.Size([32, 1])) must be the same as input size (torch.Size([64, 1]))"
    assert not suspected(few, targets.OF_SOME_IMAGES)


@properties
@given(st.integers(4, 64), st.sampled_from([5, 6, 7, 10]))
def test_inputs_that_are_joined_along_the_batch(batch: int, inputs: int) -> None:
    text = f"ValueError: Expected input batch_size ({batch * inputs}) to match target batch_size ({batch})."
    assert suspected(text, causes.SEVERAL_EACH)


def test_a_map_that_a_discriminator_leaves() -> None:
    text = (
        "ValueError: Using a target size (torch.Size([16])) that is different to the input size (torch.Size([16, 5, "
        "5])) is deprecated. Please ensure they have the same size."
    )
    assert suspected(text, targets.MAP_LEFT)
    table = "ValueError: logits and labels must have the same shape ((?, 64, 64) vs (?, ?))"
    assert suspected(table, targets.OUTER_PRODUCT) and not suspected(table, targets.MAP_LEFT)


@properties
@given(st.sampled_from([64, 96, 128, 160]), st.sampled_from([4, 8, 16]))
def test_the_output_of_another_stage(channels: int, times: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [32, {channels * times}, 1, 1], expected input[2, {channels}, "
        f"40, 40] to have {channels * times} channels, but got {channels} channels instead"
    )
    assert suspected(text, causes.OTHER_VALUE)
    assert "stage" in next(each.because for each in explained(text).suspects if "another value" in each.cause)


def test_a_small_cube_is_not_an_image_with_its_colours_last() -> None:
    text = (
        "RuntimeError: Given groups=1, weight of size [96, 768, 1, 1, 1], expected input[2, 512, {0}, {0}, {0}] to "
        "have 768 channels, but got 512 channels instead"
    )
    assert not suspected(text.format(3), causes.CHANNELS_LAST)
    assert suspected(text.replace("{0}, {0}, {0}", "32, 32, 3"), causes.CHANNELS_LAST)


@properties
@given(st.sampled_from([32, 64, 128, 256, 512]))
def test_a_slice_beyond_the_end_of_an_image(side: int) -> None:
    text = (
        f"RuntimeError: Calculated padded input size per channel: ({side + 2} x 2). Kernel size: (3 x 3). Kernel size "
        "can't be greater than actual input size"
    )
    assert suspected(text, causes.NOTHING_LEFT)
    assert not suspected(text.replace("x 2)", "x 1)"), causes.NOTHING_LEFT)


def test_a_release_that_does_not_print_what_it_compares() -> None:
    said = "RuntimeError: Calculated padded input size per channel: ({0} x {0}). Kernel size: (4 x 4). Kernel size can't be greater than actual input size"  # noqa: E501
    assert "it would fit" in explained(said.format(4)).explanation
    assert "it would fit" not in explained(said.format(3)).explanation


@properties
@given(st.integers(1, 64))
def test_an_empty_value_for_a_recurrent_layer(features: int) -> None:
    text = f"RuntimeError: input.size(-1) must be equal to input_size. Expected {features}, got 0"
    assert [each.cause for each in explained(text).suspects] == [causes.NOTHING_LEFT.cause]


def test_a_setting_for_another_number_of_axes_tells_the_rank() -> None:
    said = "RuntimeError: expected stride to be a single integer value or a list of {} values to match the convolution dimensions, but got stride=[1, 1]"  # noqa: E501
    fewer, more = said.format(1), said.format(3)
    assert suspected(fewer, causes.MISSING_BATCH) and first(fewer) == causes.MISSING_BATCH.cause
    assert first(more) == causes.EXTRA_AXIS.cause


def test_a_weight_of_another_rank_than_its_input_takes() -> None:
    text = "RuntimeError: 2D or 4D weight tensor expected, but got: [8 x 3 x 3 x 5 x 5] at /x/SpatialConvolutionMM.c:15"
    assert first(text) == causes.MISSING_BATCH.cause


@properties
@given(st.integers(20, 400), st.integers(10, 300))
def test_more_places_than_values(values: int, more: int) -> None:
    said = "RuntimeError: shape mismatch: value tensor of shape [{}, 64] cannot be broadcast to indexing result of shape [{}, 64]"  # noqa: E501
    fewer, many = said.format(values, values + more), said.format(values + more, values)
    assert suspected(fewer, indexing.MORE_PLACES) and not suspected(fewer, indexing.FEWER_PLACES)
    assert suspected(many, indexing.FEWER_PLACES) and not suspected(many, indexing.MORE_PLACES)


def test_a_place_that_is_made_square() -> None:
    text = (
        "RuntimeError: shape mismatch: value tensor of shape [20, 64, 8, 32] cannot be broadcast to indexing result of "
        "shape [20, 64, 8, 8]"
    )
    assert first(text) == indexing.ONE_SIDE.cause
    assert not suspected(text.replace("8, 8]", "8, 16]"), indexing.ONE_SIDE)


@properties
@given(st.integers(17, 900))
def test_a_row_that_was_lost(rows: int) -> None:
    text = f"Size does not match at dimension 0 expected index [{rows + 1}, 1, 4] to be smaller than src [{rows}, 4, 4] apart from dimension 1."  # noqa: E501
    assert suspected(text, indexing.COUNTED_ONCE) and not suspected(text, indexing.STRICT_GATHER)


@properties
@given(st.integers(2, 20), st.integers(2, 20), st.sampled_from([10, 36, 62]), st.integers(0, 1))
def test_characters_of_labels(fed: int, declared: int, alphabet: int, more: int) -> None:
    assume(fed != declared)
    widths = [more + alphabet * count for count in (fed, declared)]
    text = (
        f"ValueError: Cannot feed value of shape (32, {widths[0]}) for Tensor 'labels:0', which has shape "
        f"'(?, {widths[1]})'"
    )
    assert suspected(text, feeding.OTHER_POSITIONS)


def test_a_product_of_a_few_columns_in_eight_bits() -> None:
    text = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (512x3 and 7x4096)"
    assert suspected(text, products.OUTLIERS)
    assert not suspected("RuntimeError: mat1 and mat2 shapes cannot be multiplied (512x3 and 7x64)", products.OUTLIERS)


def test_the_inputs_of_which_one_stands_out_tell_the_axis() -> None:
    text = (
        "ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Received: "
        "input_shape=[(None, 64, 30, 40), (None, 16, 30, 40), (None, 16, 28, 38), (None, 32, 30, 40)]"
    )
    told = explained(text)
    assert "axis 2" in told.headline and "axis 3" in told.headline and "axis 1" not in told.headline
    assert suspected(text, causes.CHANNELS_LAST)


@properties
@given(st.integers(400, 9000), st.integers(400, 9000), st.sampled_from([21, 81, 91]))
def test_boxes_of_anchors_and_of_predictions(anchors: int, boxes: int, classes: int) -> None:
    assume(anchors != boxes)
    text = f"Invalid argument: ConcatOp : Dimensions of inputs should match: shape[0] = [1,{boxes},{classes}] vs. shape[1] = [1,{anchors},8]"  # noqa: E501
    assert suspected(text, causes.OTHER_RESOLUTION)
    assert "boxes" in next(each.because for each in explained(text).suspects if "anchor" in each.cause)


def test_other_rows_are_no_colours() -> None:
    text = "InvalidArgumentError: ConcatOp : Dimensions of inputs should match: shape[0] = [2100,1,16] vs. shape[1] = [5200,3,16]"  # noqa: E501
    assert not suspected(text, causes.GREY)
    assert explained(text).suspects[0].cause.startswith("the two were computed from other data")


@properties
@given(st.integers(8, 60), st.integers(3, 20))
def test_a_border_that_is_taken_off_once_too_often(side: int, half: int) -> None:
    small, large = side, side + 2 * half
    assume(large % small)
    text = f"InvalidArgumentError: Incompatible shapes: [16,{large},{large},1] vs. [16,{small},{small},1]"
    assert suspected(text, causes.NO_PADDING)
    if half > 4:
        assert suspected(text, causes.CROPPED)


def test_a_height_of_one_beside_a_square_map() -> None:
    text = "ValueError: Operands could not be broadcast together with shapes (8, 8, 512) (1, 8, 256)"
    assert suspected(text, causes.CHANNELS_LAST)
    assert "high" in next(each.because for each in explained(text).suspects if "another layout" in each.cause)


def test_a_bias_where_a_kernel_belongs() -> None:
    text = "Layer shape (32, 3, 5, 5) not compatible with weight shape (32,)"
    assert suspected(text, weights.LIST_OF_WEIGHTS)
    assert not suspected("Layer shape (32, 3, 5, 5) not compatible with weight shape (16,)", weights.LIST_OF_WEIGHTS)


def test_filters_are_no_classes() -> None:
    def loaded(name: str) -> str:
        return (
            f"RuntimeError: Error(s) in loading state_dict for Net:\n\tsize mismatch for {name}.weight: copying a "
            "param with shape torch.Size([48, 16, 3]) from checkpoint, the shape in current model is "
            "torch.Size([24, 16, 3])."
        )

    assert first(loaded("body.4")) != first(loaded("head"))
    assert "classes" in first(loaded("head"))


def collectives(one: str, two: str, first_shape: str, other_shape: str) -> str:
    return (
        "RuntimeError: Detected mismatch between collectives on ranks. Rank 0 is running collective: "
        f"CollectiveFingerPrint({one}, TensorShape={first_shape}, TensorDtypes=Float), but Rank 1 is running "
        f"collective: CollectiveFingerPrint({two}, TensorShape={other_shape}, TensorDtypes=Float)."
    )


def test_processes_that_share_a_sample_and_hold_others() -> None:
    gather, reduce = "SequenceNumber=5, OpType=ALLGATHER", "SequenceNumber=5, OpType=ALLREDUCE"
    assert first(collectives(gather, gather, "[2, 700, 16]", "[2, 701, 16]")) == devices.OTHER_SAMPLES.cause
    assert not suspected(collectives(gather, gather, "[700]", "[701]"), devices.OTHER_SAMPLES)
    assert first(collectives(gather, reduce, "[2, 700, 16]", "[2, 701, 16]")) == devices.OUT_OF_STEP.cause


def test_a_usual_width_is_no_length() -> None:
    text = "AssertionError: dim {} should be divided by num_heads 12."
    assert not suspected(text.format(256), attention.WIDTH_IS_LENGTH)
    assert suspected(text.format(75), attention.WIDTH_IS_LENGTH)


@properties
@given(st.integers(5, 40))
def test_a_batch_of_one_beside_another(batch: int) -> None:
    text = (
        "RuntimeError: invalid argument 0: Sizes of tensors must match except in dimension 1. Got "
        f"{batch} and 1 in dimension 0 at /pytorch/aten/src/TH/generic/THTensor.cpp:689"
    )
    assert suspected(text, causes.LOST_AXIS)
