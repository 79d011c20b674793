"""Which axis differs decides what is suspected: rows, lengths, features, channels of sound, columns of a format."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

import shapewatch
from shapewatch.messages.faults import (
    attention,
    causes,
    convolution,
    expanding,
    indexing,
    products,
    rank,
    reshaping,
    splitting,
    taken_apart,
    target_ranks,
)
from shapewatch.messages.faults.meeting import counted
from shapewatch.messages.faults.meeting.shapes import NO_KEEPDIM
from shapewatch.messages.faults.relations import MERGED_SAMPLES


def gathered(index: list[int], source: list[int], along: int) -> str:
    return (
        f"RuntimeError: Expected tensor {index}, src {source} and index {index} to have the same size apart from "
        f"dimension {along}"
    )


@properties
@given(st.integers(2, 64), st.integers(20, 400), st.integers(1, 100), st.integers(2, 30))
def test_what_an_index_differs_in(batch: int, steps: int, more: int, classes: int) -> None:
    padded = gathered([batch, steps + more, 1], [batch, steps, classes], 2)
    assert first(padded).startswith(indexing.PADDED_FURTHER.cause.split(":")[0])
    assert suspected(padded, causes.OTHER_LENGTH) and not suspected(padded, causes.LAST_BATCH)
    widened = gathered([batch, 1, 256 + more], [batch, steps, 256], 1)
    assert first(widened).startswith(indexing.EXPANDED_INDEX.cause.split(":")[0])
    rows = gathered([batch + more, 1], [batch, classes], 1)
    assert first(rows).startswith(indexing.OTHER_ROWS.cause.split(":")[0])
    assert not suspected(padded, indexing.STRICT_GATHER)


@properties
@given(st.integers(1, 7), st.integers(2, 16))
def test_parts_that_are_counted_for_one_sample(views: int, samples: int) -> None:
    text = (
        f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {(views + 1) * samples} (input tensor's "
        f"size at dimension 0), but got split_sizes=[{views}, 1]"
    )
    assert suspected(text, splitting.FOR_ONE_SAMPLE)
    assert not suspected(text, causes.BOTH_DIRECTIONS)
    assert not suspected(text.replace(f"[{views}, 1]", f"[{views}, 2]"), splitting.FOR_ONE_SAMPLE)


@properties
@given(st.integers(2, 5), st.integers(1, 3))
def test_columns_of_another_format(corners: int, lacking: int) -> None:
    parts = [corners, *[1] * 4]
    text = (
        f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {sum(parts) - lacking} (input tensor's "
        f"size at dimension -1), but got split_sizes={parts}"
    )
    assert first(text) == splitting.OTHER_FORMAT.cause


@properties
@given(st.integers(2, 500))
def test_a_batch_of_one_that_was_squeezed_before_a_product(batch: int) -> None:
    text = (
        f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [{batch}, 64] but got: [1, 64]."
    )
    assert suspected(text, causes.LOST_AXIS)
    assert not suspected(text.replace("[1, 64]", f"[{batch + 1}, 64]"), causes.LOST_AXIS)


@properties
@given(st.integers(1, 300), st.integers(4_000, 10_000_000))
def test_both_channels_of_sound_behind_a_batch(batch: int, samples: int) -> None:
    text = (
        "RuntimeError: Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: [{}, 1, {}, {}]"
    )
    assert first(text.format(batch, samples, 2)) == causes.STEREO.cause
    assert not suspected(text.format(batch, samples, 3), causes.STEREO)
    fed = f"ValueError: Cannot feed value of shape (1, {samples}, 2) for Tensor 'x:0', which has shape '(?, ?)'"
    assert suspected(fed, causes.STEREO)


@properties
@given(st.sampled_from([60, 100, 150, 224, 250, 299, 300, 500, 600]))
def test_an_input_that_is_declared_by_its_side(side: int) -> None:
    text = (
        f"ValueError: Input 0 of layer {{}} is incompatible with the layer: expected min_ndim=4, found ndim=2. "
        f"Full shape received: [{{}}, {side}]"
    )
    assert first(text.format("conv2d", None)) == rank.ONE_NUMBER.cause
    assert not suspected(text.format("conv2d", 32), rank.ONE_NUMBER)
    assert not suspected(text.format("global_average_pooling2d", None), rank.ONE_NUMBER)
    assert not suspected(text.format("conv2d", None).replace(str(side), "512"), rank.ONE_NUMBER)


@properties
@given(st.lists(st.integers(2, 300), min_size=2, max_size=4))
def test_a_place_that_is_one_number(shape: list[int]) -> None:
    text = f"RuntimeError: output with shape [{{}}] doesn't match the broadcast shape {shape}"
    assert first(text.format("")) == expanding.SCALAR_PLACE.cause
    assert not suspected(text.format(", ".join(map(str, [1, *shape[1:]]))), expanding.SCALAR_PLACE)


@properties
@given(st.integers(2, 20), st.integers(21, 600))
def test_a_value_for_each_row_that_lies_along_the_columns(rows: int, columns: int) -> None:
    text = f"InvalidArgumentError: Incompatible shapes: [{rows}] vs. [{rows},{columns}] [Op:Mul]"
    assert first(text) == NO_KEEPDIM.cause
    expanded = (
        f"RuntimeError: The expanded size of the tensor ({columns}) must match the existing size ({rows}) at {{}}"
    )
    assert suspected(expanded.format("non-singleton dimension 1."), NO_KEEPDIM)
    assert not suspected(expanded.format("non-singleton dimension 0."), NO_KEEPDIM)


@properties
@given(st.integers(2, 8), st.integers(2, 16), st.integers(1, 7))
def test_one_value_for_each_row_in_groups(devices: int, members: int, more: int) -> None:
    assume(more % devices and more % members)
    count = devices * members + more
    assume(count % devices and count % members)
    text = f"RuntimeError: shape '[{devices}, {members}]' is invalid for input of size {count}"
    assert suspected(text, taken_apart.NOT_IN_GROUPS) and suspected(text, causes.LAST_BATCH)


def test_labels_in_a_column() -> None:
    text = "RuntimeError: 1D target tensor expected, multi-target not supported"
    told = shapewatch.explain(text)
    assert told is not None and told.suspects[0].cause == target_ranks.IN_A_COLUMN.cause
    assert ".squeeze(1)" in told.suspects[0].change + told.fixes[0].code
    assert "says so" not in told.suspects[0].because


@properties
@given(st.integers(2, 6))
def test_a_grey_image_among_what_is_stacked(others: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [64, {3 + others}, 7, 7], expected input[8, {1 + others}, 256, "
        f"256] to have {3 + others} channels, but got {1 + others} channels instead"
    )
    assert suspected(text, causes.GREY)


@properties
@given(st.integers(2, 300), st.integers(3, 100))
def test_one_cell_for_layers_that_read_both_ways(units: int, inputs: int) -> None:
    assume(inputs != 2 * units)
    node = "model/stack_bidirectional_rnn/{}cell_0/bidirectional_rnn/fw/fw/while/fw/basic_lstm_cell/MatMul_2"
    text = (
        f"ValueError: Dimensions must be equal, but are {3 * units} and {inputs + units} for '{node}' (op: 'MatMul') "
        f"with input shapes: [20,{3 * units}], [{inputs + units},{4 * units}]."
    )
    assert first(text.format("")) == products.SHARED_CELL.cause
    assert first(text.format("\n  ")) == products.SHARED_CELL.cause, "a line that was broken behind a slash"


@properties
@given(st.integers(512, 100_000))
def test_coordinates_of_points(points: int) -> None:
    assume(points % 3)
    text = (
        f"RuntimeError: The size of tensor a ({points}) must match the size of tensor b (3) at non-singleton dimension "
    )
    assert suspected(text + "1", counted.BATCHED_POINTS)
    assert not suspected(text + "3", counted.BATCHED_POINTS)


@properties
@given(st.integers(7, 40), st.integers(7, 40))
def test_patches_of_images_of_two_sizes(one: int, other: int) -> None:
    assume(abs(one - other) > 1 and max(one, other) % min(one, other))
    text = (
        f"RuntimeError: The size of tensor a ({one**2}) must match the size of tensor b ({other**2}) at non-singleton "
        "dimension 3"
    )
    assert first(text) == causes.OTHER_RESOLUTION.cause


@properties
@given(st.sampled_from([3, 5]), st.integers(1, 60))
def test_classes_of_a_detector_are_counted_without_boxes_and_anchors(anchors: int, classes: int) -> None:
    assume(classes != 80)
    saved, built = anchors * (5 + classes), anchors * 85
    model, file = f"[1,1,1024,{built}]", f"[{saved},1024,1,1]"
    text = (
        f"ValueError: Dimension 0 in both shapes must be equal, but are 1 and {saved}. Shapes are {model} and {file}. "
        f"for 'Assign_360' (op: 'Assign') with input shapes: {model}, {file}."
    )
    assert f"classes ({classes}) than the model's (80)" in first(text)


def test_what_einops_says_without_its_first_line() -> None:
    text = "Input tensor shape: torch.Size([768]). Additional info: {'b': 6}. Expected 2 dimensions, got 1"
    told = shapewatch.explain(text)
    assert told is not None and told.code == "SW303" and "names 2 axes, and the tensor has 1" in told.headline
    assert told.suspects[0].cause == causes.LOST_AXIS.cause


def test_tokens_where_a_map_is_cut_into_patches() -> None:
    text = (
        "einops.EinopsError: Error while processing rearrange-reduction pattern "
        '"b c (h p1) (w p2) -> b (h w) (p1 p2 c)".\n'
        " Input tensor shape: torch.Size([1, 1024]). Additional info: {'p1': 32, 'p2': 32}.\n"
        " Expected 4 dimensions, got 2"
    )
    assert suspected(text, causes.OTHER_VALUE) and not suspected(text, causes.EXTRA_AXIS)


@properties
@given(st.integers(2, 8), st.integers(2, 8), st.integers(2, 40))
def test_batches_of_an_einsum_without_letters(images: int, heads: int, width: int) -> None:
    text = (
        "RuntimeError: einsum(): operands do not broadcast with remapped shapes [original->remapped]: "
        f"[{images * heads}, 4096, {width}]->[{images * heads}, 4096, 1, {width}] "
        f"[{heads}, 77, {width}]->[{heads}, 1, 77, {width}]"
    )
    assert suspected(text, causes.OTHER_BATCH) and explained(text).headline.endswith("on axis 0")
    assert not suspected(text, causes.OTHER_RESOLUTION)


@properties
@given(st.integers(1, 300), st.integers(1_001, 300_000), st.sampled_from([50, 100, 200, 300]))
def test_one_hot_rows_that_are_embedded(steps: int, words: int, width: int) -> None:
    text = (
        "ValueError: Input 0 of layer lstm_1 is incompatible with the layer: expected ndim=3, found ndim=4. Full shape "
        "received: (None, {}, {}, {})"
    )
    assert first(text.format(steps, words, width)) == rank.ROWS_EMBEDDED.cause
    assert not suspected(text.format(steps, 28, width), rank.ROWS_EMBEDDED)


@properties
@given(st.integers(2, 300), st.integers(2, 12), st.integers(13, 40))
def test_targets_of_another_number_of_columns(batch: int, outputs: int, targets: int) -> None:
    text = f"ValueError: dimension mismatch in args to gemm ({batch},500)x(500,{outputs})->({{}},{{}})"
    assert first(text.format(batch, targets)).startswith(products.OTHER_TARGETS.cause.split("{")[0])
    assert not suspected(text.format(batch + 1, targets), products.OTHER_TARGETS)


@properties
@given(st.sampled_from([201, 257, 513, 1025]), st.integers(2, 40))
def test_a_spectrum_without_frames(bins: int, batch: int) -> None:
    text = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x{{0}} and {batch}x{{0}})"
    assert first(text.format(bins)) == causes.LOST_AXIS.cause
    assert not suspected(text.format(bins + 2), causes.LOST_AXIS)


def test_a_mask_of_two_axes_and_no_sizes() -> None:
    assert first("RuntimeError: The size of the 2D attn_mask is not correct.") == attention.BATCH_FIRST.cause


@properties
@given(st.integers(2, 100), st.integers(2, 100), st.integers(101, 300), st.integers(101, 300))
def test_sequences_that_differ_in_steps_and_in_features(steps: int, width: int, more: int, wider: int) -> None:
    text = (
        "ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Received: "
        f"input_shape=[(None, {steps}, {width}), (None, {more}, {wider})]"
    )
    headline = explained(text).headline
    assert f"axis 1: {steps} against {more}" in headline and f"axis 2: {width} against {wider}" in headline


@properties
@given(st.integers(1, 64), st.sampled_from([40, 80, 100, 128, 513]), st.integers(100, 3000))
def test_a_spectrogram_of_two_channels(batch: int, bands: int, frames: int) -> None:
    text = (
        "RuntimeError: Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: [{}, {}, {}, {}]"
    )
    assert suspected(text.format(batch, 2, bands, frames), causes.STEREO)
    assert not suspected(text.format(batch, 3, bands, frames), causes.STEREO)


def test_a_line_that_turns_all_axes_round() -> None:
    text = (
        'Traceback (most recent call last):\n  File "model.py", line 40, in forward\n'
        "    scores = torch.matmul({}, keys{})\n"
        "RuntimeError: The size of tensor a (600) must match the size of tensor b (20) at non-singleton dimension 0"
    )
    assert first(text.format("queries", ".T")) == causes.SWAPPED.cause
    assert not suspected(text.format("queries", ""), causes.SWAPPED)


@properties
@given(st.integers(2, 300), st.integers(2, 20))
def test_one_row_for_all_samples(batch: int, actions: int) -> None:
    text = (
        f"RuntimeError: Size does not match at dimension 0 expected index [{batch}, 1] to be smaller than self "
        f"[{{}}, {actions}] apart from dimension 1"
    )
    assert first(text.format(1)) == MERGED_SAMPLES.cause
    assert not suspected(text.format(batch + 1), MERGED_SAMPLES)


@properties
@given(st.integers(2, 64), st.integers(2, 60))
def test_a_mask_of_one_channel(channels: int, side: int) -> None:
    text = (
        f"IndexError: The shape of the mask [2, {{}}, {side}, {side}] at index 1 does not match the shape of the "
        f"indexed tensor [2, {channels}, {side}, {side}] at index 1"
    )
    assert first(text.format(1)) == indexing.MASK_OF_ONE_CHANNEL.cause
    assert not suspected(text.format(channels + 1), indexing.MASK_OF_ONE_CHANNEL)


@properties
@given(st.integers(20, 80), st.integers(20, 80))
def test_height_and_width_of_another_map(rows: int, columns: int) -> None:
    asked, places = rows * columns, (rows + 1) * columns
    text = f"RuntimeError: shape '[1, 128, {asked}]' is invalid for input of size {{}}"
    assert suspected(text.format(128 * places), reshaping.OTHER_MAP)
    assert not suspected(text.format(128 * (asked + 1)), reshaping.OTHER_MAP)


def test_channels_that_a_division_makes_none_of() -> None:
    text = (
        "ValueError: Input 0 is incompatible with layer paired_conv1d: expected axis -1 of input shape to have "
        "value {} but got shape (None, 512, 1)"
    )
    assert first(text.format(0)) == convolution.ROUNDED_TO_NONE.cause
    assert not suspected(text.format(2), convolution.ROUNDED_TO_NONE)


@properties
@given(st.integers(60, 5000), st.sampled_from([1, 3]))
def test_a_signal_for_a_layer_of_maps(steps: int, channels: int) -> None:
    text = (
        "ValueError: Input 0 of layer conv1 is incompatible with the layer: expected min_ndim=4, found ndim=3. Full "
        f"shape received: ({{}}, {steps}, {channels})"
    )
    assert first(text.format(None)).startswith(rank.OTHER_CLASS.cause.split("{")[0])
    assert first(text.format(steps)) == causes.MISSING_BATCH.cause


@properties
@given(st.integers(5_000, 40_000), st.integers(1, 400))
def test_tokens_of_clips_are_no_filters(tokens: int, more: int) -> None:
    text = (
        f"Attempting to broadcast a dimension of length {tokens} at -4! Mismatching argument at index 1 had "
        f"torch.Size([1, {tokens}, 40, 64, 1]); but expected shape should be broadcastable to [1, {tokens + more}, 40, "
        "64, 2]"
    )
    assert suspected(text, causes.OTHER_LENGTH) and not suspected(text, causes.NO_PROJECTION)
