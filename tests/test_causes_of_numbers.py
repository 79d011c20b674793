"""What the numbers of a message say: factors, products of two counts, an axis more or less, sizes one apart.

The texts are made up here, of numbers that are drawn; none is a report's.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import (
    attention,
    batched,
    causes,
    counts,
    expanding,
    gradients,
    joining,
    norm,
    products,
    rank,
    recurrent,
    samples,
    sizes,
    targets,
    weight_names,
    weights,
)
from shapewatch.messages.faults.convolution import OTHER_LATENTS
from shapewatch.messages.faults.meeting import counted, turned
from shapewatch.messages.faults.meeting.classes import CLASS_COUNTS, OTHER_CLASSES
from shapewatch.messages.faults.meeting.vectors import FLATTENED_APART, OTHER_ENTRIES
from shapewatch.messages.faults.taken_apart import NOT_IN_BLOCKS
from shapewatch.messages.faults.vocabularies import OTHER_VOCABULARY

SMALL = st.integers(2, 40)
SIDES = st.integers(16, 400)


# An axis too many or too few


@properties
@given(SMALL, SMALL, st.integers(8, 600))
def test_a_state_with_an_axis_in_front(layers: int, batch: int, width: int) -> None:
    text = f"RuntimeError: Expected hidden size ({layers}, {batch}, {width}), got [1, {layers}, {batch}, {width}]"
    assert first(text) == causes.EXTRA_AXIS.cause
    fewer = f"RuntimeError: Expected hidden size ({layers}, {batch}, {width}), got [{batch}, {width}]"
    assert first(fewer) == recurrent.NO_LAYERS_AXIS.cause and not suspected(fewer, causes.EXTRA_AXIS)


@properties
@given(st.integers(2, 9), st.integers(70, 300), st.integers(70, 300), st.integers(70, 300))
def test_volumes_without_channels(batch: int, depth: int, height: int, width: int) -> None:
    def fed(channels: int) -> str:
        return (
            f"RuntimeError: Expected 5-dimensional input for 5-dimensional weight [16, {channels}, 3, 3, 3], but got "
            f"4-dimensional input of size [{batch}, {depth}, {height}, {width}] instead"
        )

    assert first(fed(301)) == causes.MISSING_CHANNELS.cause and suspected(fed(301), causes.MISSING_BATCH)
    assert first(fed(batch)) == causes.MISSING_BATCH.cause


@properties
@given(st.integers(2, 9), st.integers(2, 6), st.integers(2, 6), SIDES)
def test_frames_that_were_to_be_channels(batch: int, frames: int, channels: int, side: int) -> None:
    def fed(taken: int) -> str:
        return (
            f"RuntimeError: Expected 4-dimensional input for 4-dimensional weight [32, {taken}, 3, 3], but got "
            f"5-dimensional input of size [{batch}, {frames}, {channels}, {side}, {side}] instead"
        )

    assert first(fed(frames * channels)) == causes.EXTRA_AXIS.cause
    assert first(fed(frames * channels + 1)) != causes.EXTRA_AXIS.cause


def test_single_numbers_for_a_dense_layer_of_keras() -> None:
    assert first('ValueError: Input 0 of layer "dense_7" is incompatible with the layer: expected min_ndim=2, found '
                 "ndim=1. Full shape received: (13,)") == rank.NO_FEATURES.cause  # fmt: skip
    assert first("expected min_ndim=2, found ndim=1") == rank.NO_FEATURES.cause


def test_one_step_where_the_layer_is_not_told() -> None:
    assert first("expected ndim=3, found ndim=2. Full shape received: (None, 19)") == rank.NO_TIME.cause


def test_labels_of_a_data_set_that_is_not_batched() -> None:
    text = "ValueError: logits and labels must have the same shape ((None, 3) vs ())"
    assert first(text) == targets.WITHOUT_BATCH.cause and suspected(text, targets.LIST_OF_LABELS)
    known = "ValueError: logits and labels must have the same shape ((19, 3) vs ())"
    assert first(known) == targets.LIST_OF_LABELS.cause


@properties
@given(st.integers(2, 3000))
def test_a_row_where_a_column_was_meant(points: int) -> None:
    text = (
        "ValueError: Input 0 of layer dense is incompatible with the layer: expected axis -1 of input shape to have "
        f"value 1 but received input with shape (1, {points})"
    )
    assert first(text) == causes.SWAPPED.cause
    assert not suspected(text.replace("value 1 ", "value 3001 "), causes.SWAPPED)


@properties
@given(st.integers(2, 300))
def test_steps_where_one_feature_is_taken(steps: int) -> None:
    text = f"RuntimeError: input.size(-1) must be equal to input_size. Expected 1, got {steps}"
    assert first(text) == recurrent.NO_FEATURE_AXIS.cause


def test_a_value_that_lacks_the_last_axis_of_the_shape_it_is_broadcast_to() -> None:
    text = (
        "ValueError: Dimensions must be equal, but are 17 and 5 for 'BroadcastTo' (op: 'BroadcastTo') with input "
        "shapes: [?,13,17], [4] and with input tensors computed as partial shapes: input[1] = [?,13,17,5]."
    )
    assert "[?, 13, 17] cannot become [?, 13, 17, 5]" in explained(text).headline


# Factors


@properties
@given(SMALL, st.integers(3, 15))
def test_several_labels_in_the_place_of_rows(batch: int, labels: int) -> None:
    text = (
        f"ValueError: Target size (torch.Size([{batch * labels}, 1])) must be the same as input size "
        f"(torch.Size([{batch}, 1]))"
    )
    assert f"({labels} classes, tags or steps)" in first(text)
    other = text.replace(f"[{batch * labels}, 1]", f"[{batch * labels + 1}, 1]")
    assert not suspected(other, targets.OTHER_NUMBER_OF_LABELS)


@properties
@given(st.sampled_from([2, 4, 8]), st.integers(1, 6), st.integers(33, 700))
def test_a_share_of_a_group_of_segments(devices: int, rows: int, width: int) -> None:
    group = devices * rows
    text = f"RuntimeError: shape '[-1, {group}, {width}]' is invalid for input of size {rows * width}"
    assert suspected(text, causes.SPLIT_BATCH) and suspected(text, causes.LAST_BATCH)
    none = f"RuntimeError: shape '[0, {group}, {width}]' is invalid for input of size {rows * width}"
    assert first(none) == causes.SPLIT_BATCH.cause


@properties
@given(st.integers(1, 8), st.integers(1, 8))
def test_prompts_of_several_parts(one: int, other: int) -> None:
    assume(one != other)
    for axis in (0, 1):
        text = (
            f"RuntimeError: The size of tensor a ({77 * one}) must match the size of tensor b ({77 * other}) at "
            f"non-singleton dimension {axis}"
        )
        assert suspected(text, causes.PROMPT_CHUNKS)
        assert not suspected(text.replace(f"({77 * other})", f"({77 * other + 1})"), causes.PROMPT_CHUNKS)


@properties
@given(st.sampled_from([13, 19, 26, 38, 52]), st.sampled_from([3, 5]), st.integers(1, 19))
def test_a_detector_of_another_number_of_classes(side: int, anchors: int, classes: int) -> None:
    places = side * side * anchors
    text = (
        f"InvalidArgumentError: Input to reshape is a tensor with {places * (5 + 80)} values, but the requested shape "
        f"requires a multiple of {places * (5 + classes)}"
    )
    assert first(text).startswith(OTHER_CLASSES.cause.split("{")[0])


@properties
@given(st.integers(3, 14), st.integers(2, 9), st.integers(1, 13), st.integers(101, 200))
def test_a_map_that_is_cut_into_windows(window: int, count: int, left: int, channels: int) -> None:
    assume(left < window)
    side = count * window + left
    text = (
        f"RuntimeError: shape '[1, {count}, {window}, {count}, {window}, {channels}]' is invalid for input of size "
        f"{side * side * channels}"
    )
    assert first(text) == NOT_IN_BLOCKS.cause and f"{side} x {side}" in explained(text).suspects[0].because


@properties
@given(SMALL, st.integers(2, 16), st.integers(5, 90))
def test_a_mask_for_each_sample_and_none_for_each_head(batch: int, heads: int, length: int) -> None:
    text = (
        f"RuntimeError: The shape of the 3D attn_mask is torch.Size([{batch}, {length}, {length}]), but should be "
        f"({batch * heads}, {length}, {length})."
    )
    assert first(text) == attention.NO_HEAD_AXIS.cause


@properties
@given(st.integers(2, 16), st.integers(3, 60), st.integers(3, 60))
def test_heads_of_detectors_count_their_classes_with_and_without_background(
    anchors: int, saved: int, built: int
) -> None:
    assume(saved != built)
    text = "RuntimeError: Error(s) in loading state_dict for Detector:\n" + "\n".join(
        f"\tsize mismatch for {name}.weight: copying a param with shape torch.Size([{one}, 96, 3, 3]) from checkpoint, "
        f"the shape in current model is torch.Size([{other}, 96, 3, 3])."
        for name, one, other in (
            ("boxes.0", anchors * (saved + 1), anchors * (built + 1)),
            ("maps", saved, built),
        )
    )
    assert first(text) == weights.OTHER_CLASSES.cause.format(checkpoint=saved, model=built)


def test_a_weight_that_is_still_packed() -> None:
    text = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (12x3072 and 1x4718592)"
    assert first(text) == products.PACKED.cause
    assert not suspected(text.replace("1x4718592", "1x4718"), products.PACKED)


def test_a_weight_of_nothing() -> None:
    text = (
        "size mismatch for embed.weight: copying a param with shape torch.Size([0]) from checkpoint, the shape in "
        "current model is torch.Size([5000, 640])."
    )
    assert first(text) == weights.PARTITIONED.cause


# Sizes one apart


@pytest.mark.parametrize("side", [8, 20, 33, 57, 130, 450])
def test_sides_one_apart_name_the_cause(side: int) -> None:
    def joined(one: int) -> str:
        return (
            f"RuntimeError: Sizes of tensors must match except in dimension 1. Expected size {one} but got size "
            f"{one + 1} for tensor number 1 in the list."
        )

    assert explained(joined(side)).cause is not None
    for few in (2, 4, 5, 7):
        told = explained(joined(few))
        assert told.cause is None
    assert suspected(joined(5), causes.ODD_SIZE) and suspected(joined(5), causes.OTHER_RESOLUTION)


@properties
@given(st.integers(20, 300), st.integers(40, 300), st.integers(301, 500), st.integers(3, 90))
def test_maps_joined_on_a_gpu_stand_channels_first(height: int, width: int, channels: int, more: int) -> None:
    text = (
        f"InvalidArgumentError: ConcatOp : Dimensions of inputs should match: shape[0] = [1,{channels},{height},"
        f"{width}] vs. shape[1] = [1,{channels + more},{height},{width - 1}]"
    )
    assert "axis 3 (width" in explained(text).headline and first(text) == causes.ODD_SIZE.cause


@properties
@given(st.integers(2, 40), st.integers(5, 200))
def test_tokens_one_apart_in_a_product(batch: int, tokens: int) -> None:
    text = (
        f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [{batch}, {tokens}] but got: "
        f"[{batch}, {tokens + 1}]."
    )
    assert first(text) == causes.OTHER_LENGTH.cause


# Where a size of one meets another


@properties
@given(st.integers(2, 30), st.integers(33, 900))
def test_a_product_does_not_stretch_its_batch(batch: int, width: int) -> None:
    text = (
        f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [1, {width}] but got: "
        f"[{batch}, {width}]."
    )
    assert suspected(text, batched.NO_BATCH_IN_FRONT)


@properties
@given(st.integers(5, 300))
def test_a_single_step_is_joined_with_many(steps: int) -> None:
    assume(steps % 77)  # of CLIP's prompts
    text = (
        f"RuntimeError: Sizes of tensors must match except in dimension 2. Expected size {steps} but got size 1 for "
        "tensor number 1 in the list."
    )
    assert suspected(text, joining.NOT_REPEATED)
    assert not suspected(text.replace("size 1 ", f"size {steps + 3} "), joining.NOT_REPEATED)


def test_a_fused_product_is_added_to_a_value_that_it_does_not_fit() -> None:
    text = "ValueError: dimension mismatch in args to gemm (1,48)x(48,1)->(1,7)"
    told = explained(text)
    assert told.code == "SW201" and "[1, 1]" in told.headline and "[1, 7]" in told.headline
    assert first(text) == products.NO_STRETCHING.cause
    factors = "ValueError: dimension mismatch in args to gemm (9,40)x(48,7)->(9,7)"
    assert explained(factors).code == "SW101" and "40 columns" in explained(factors).headline


@properties
@given(st.integers(2, 64))
def test_a_batch_of_one_is_no_case_for_a_release_alone(batch: int) -> None:
    text = (
        f"ValueError: Dimension 0 in both shapes must be equal, but are 1 and {batch}. Shapes are [1,96] and "
        f"[{batch},96]."
    )
    assert explained(text).cause is None and first(text) == causes.LAST_BATCH.cause


# Layouts of Keras's maps


@properties
@given(st.sampled_from([1, 3, 4]), st.integers(17, 300))
def test_an_image_with_its_channels_first_is_added_to_one_with_them_last(channels: int, side: int) -> None:
    text = (
        f"ValueError: Operands could not be broadcast together with shapes ({channels}, {side}, {side}) "
        f"({channels}, {side}, 16)"
    )
    assert first(text) == causes.CHANNELS_LAST.cause


@properties
@given(st.integers(1, 7), st.integers(8, 16), st.integers(70, 200))
def test_channels_that_were_taken_for_rows(one: int, other: int, side: int) -> None:
    text = (
        "ValueError: Only layers of same output shape can be merged using sum mode. Layer shapes: "
        f"[(None, {one}, {side}, 5), (None, {other}, {side}, 5)]"
    )
    assert suspected(text, causes.CHANNELS_LAST)


def test_the_shapes_of_merge_layers_have_no_batch() -> None:
    text = "ValueError: Operands could not be broadcast together with shapes (40, 24) (38, 24)"
    assert "batch" not in explained(text).headline


# What is traced


def test_sizes_that_a_tracer_knows_by_name() -> None:
    text = (
        "RuntimeError: Attempting to broadcast a dimension of length s12 at -2! Mismatching argument at index 1 had "
        "torch.Size([s12, 6]); but expected shape should be broadcastable to [s77, 6]"
    )
    told = explained(text)
    assert "s12 and s77" in told.headline and told.cause is None
    assert first(text) == causes.COMPILED.cause


def test_a_message_of_tensors_without_values() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.randn(3, 40, device="meta") + torch.randn(3, 50, device="meta")
    assert suspected(f"RuntimeError: {raised.value}", causes.COMPILED)


# Losses


@properties
@given(st.integers(60, 500), st.integers(1, 8))
def test_an_output_map_that_lost_its_borders(side: int, trimmed: int) -> None:
    text = (
        f"ValueError: Target size (torch.Size([2, 1, {side}, {side}])) must be the same as input size "
        f"(torch.Size([2, 1, {side - 2 * trimmed}, {side - 2 * trimmed}]))"
    )
    assert first(text) == targets.OTHER_MAP.cause and suspected(text, causes.NO_PADDING)
    assert not suspected(text, causes.CLASS_COUNT)


@properties
@given(st.integers(2, 500), st.integers(2, 500))
def test_two_vectors_of_values_are_batches_before_they_are_classes(output: int, target: int) -> None:
    assume(output != target)
    text = (
        f"ValueError: Using a target size (torch.Size([{target}])) that is different to the input size "
        f"(torch.Size([{output}]))"
    )
    assert suspected(text, causes.LAST_BATCH) and suspected(text, targets.WRONG_FLATTEN)


# Widths


@properties
@given(st.integers(2, 20), st.integers(100, 9000))
def test_two_widths_of_one_model(batch: int, length: int) -> None:
    text = (
        "RuntimeError: Given normalized_shape=[640], expected input with shape [*, 640], but got input of size"
        f"[{batch}, {length}, 160]"
    )
    assert suspected(text, norm.OWN_WIDTHS)


@properties
@given(st.integers(2, 9), st.integers(200, 900))
def test_a_basis_of_more_components(few: int, many: int) -> None:
    text = (
        f"RuntimeError: einsum(): subscript k has size {many} for operand 1 which does not broadcast with previously "
        f"seen size {few}"
    )
    assert suspected(text, batched.OTHER_BASIS)


def test_samples_that_a_sampler_was_to_group_by_length() -> None:
    text = "RuntimeError: stack expects each tensor to be equal size, but got [83] at entry 0 and [84] at entry 1"
    assert first(text) == samples.LENGTHS.cause and "number of devices" in first(text)


# Networks in networks, samples without their batch


@properties
@given(st.integers(1, 4), st.integers(8, 300))
def test_a_network_that_is_saved_as_one_layer(few: int, many: int) -> None:
    def loaded(saved: int, built: int) -> str:
        containing = f"a weight file containing {saved} layers into a model with {built} layers."
        return f"ValueError: You are trying to load {containing}"

    for saved, built in ((few, many), (many, few)):
        assert first(loaded(saved, built)) == weight_names.AS_ONE_LAYER.cause
    assert not suspected(loaded(many, many + 2), weight_names.AS_ONE_LAYER)


@properties
@given(st.integers(1, 32), st.integers(33, 300), st.sampled_from([1, 3]))
def test_the_lines_of_one_image_are_taken_for_samples(lines: int, side: int, channels: int) -> None:
    text = (
        f'ValueError: Input 0 of layer "model" is incompatible with the layer: expected shape=(None, {side}, {side}, '
        f"{channels}), found shape=({lines}, {side}, {channels})"
    )
    assert first(text) == causes.MISSING_BATCH.cause


@properties
@given(st.integers(2, 60), st.integers(3, 40), st.integers(3, 40))
def test_one_of_two_was_flattened(batch: int, height: int, width: int) -> None:
    text = f"InvalidArgumentError: Incompatible shapes: [{batch},{height * width}] vs. [{batch},{height},{width}]"
    assert first(text) == causes.ONE_FLATTENED.cause


def test_a_width_that_is_cut_into_heads_of_another_model() -> None:
    assert first("einops.EinopsError: Shape mismatch, 1152 != 640") == causes.OTHER_ENCODER.cause
    assert explained("einops.EinopsError: Wrong shape: expected 5 dims. Received 3-dim tensor.").code == "SW701"


# Sizes that are known for what they count


def met(a: int, b: int, axis: int) -> str:
    """PyTorch names one axis and its two sizes."""
    both = f"The size of tensor a ({a}) must match the size of tensor b ({b})"
    return f"RuntimeError: {both} at non-singleton dimension {axis}"


def broadcast(left: tuple[int, ...], right: tuple[int, ...], *place: tuple[int, ...]) -> str:
    shapes = " ".join(
        "(" + ",".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")" for shape in (left, right, *place)
    )
    return f"ValueError: operands could not be broadcast together with shapes {shapes} "


@properties
@given(st.permutations(sorted(counts.VOCABULARIES)), st.sampled_from([1, 2]), st.integers(300, 900))
def test_tokens_of_two_models(tokens: list[int], axis: int, more: int) -> None:
    a, b = tokens[:2]
    assume(a % 1000 or b % 1000)
    assert first(met(a, b, axis)) == OTHER_VOCABULARY.cause
    assert not suspected(met(9 * more, 7 * more + 1, axis), OTHER_VOCABULARY)


@properties
@given(st.integers(1, 79))
def test_boxes_of_three_anchors(classes: int) -> None:
    for axis in (0, 1):
        assert suspected(met(255, 3 * (5 + classes), axis), OTHER_CLASSES)
    assert suspected(met(5 + classes, 85, 2), OTHER_CLASSES)
    maps = f"[2,13,13,3,{5 + classes}] vs. [2,13,13,3,85]"
    assert first(f"InvalidArgumentError: Incompatible shapes: {maps}").startswith(OTHER_CLASSES.cause.split("{")[0])


@properties
@given(st.permutations(sorted(counts.KEY_POINTS)))
def test_key_points_of_two_lists(points: list[int]) -> None:
    a, b = points[:2]
    assume(a % 8 or b % 8)
    assert suspected(met(a, b, 1), OTHER_CLASSES)


@properties
@given(st.permutations(sorted(counts.SERIES)), st.sampled_from([1, 2]))
def test_series_of_two_sets(series: list[int], axis: int) -> None:
    assert suspected(met(*series[:2], axis), causes.OTHER_SETTING)


@properties
@given(st.permutations(sorted(counts.HORIZONS - counted.ALSO_FILTERS)))
def test_steps_that_are_forecast(steps: list[int]) -> None:
    assert suspected(met(*steps[:2], 1), causes.OTHER_LENGTH)


@properties
@given(st.sampled_from([32, 40, 48, 64, 80, 96, 128]))
def test_a_table_of_positions_for_half_a_head(half: int) -> None:
    assert suspected(met(2 * half, half, 3), counted.ROTARY) == (2 * half in counts.HEAD_SIZES)
    assert not suspected(met(2 * half, half, 2), counted.ROTARY)


@properties
@given(st.integers(2, 60), st.integers(2, 60))
def test_a_weight_of_four_bits(rows: int, columns: int) -> None:
    inputs, outputs = 128 * rows, 256 * columns
    packed = inputs * outputs // 2
    assume(packed > 100_000 and inputs <= 8192)
    assert first(met(packed, inputs, 0)) == products.PACKED.cause
    assert not suspected(met(packed + 1, inputs, 0), products.PACKED)


@properties
@given(st.sampled_from(sorted(counted.NODES)), st.sampled_from(sorted(counted.EDGES)), st.integers(129, 900))
def test_nodes_and_edges_of_a_graph(nodes: int, edges: int, more: int) -> None:
    for a, b in ((nodes, edges), (edges + nodes, edges), (nodes, more)):
        assert suspected(met(a, b, 0), counted.OF_GRAPH)
    assert suspected(met(8 * more + 1, 32, 0), counted.OF_GRAPH)
    assert not suspected(met(8 * more, 32, 0), counted.OF_GRAPH)


@properties
@given(st.integers(1, 20), st.sampled_from([(16000, 44100), (16000, 48000), (22050, 44100), (16000, 22050)]))
def test_sound_at_two_rates(seconds: int, rates: tuple[int, int]) -> None:
    one, other = (rate * seconds for rate in rates)
    assert suspected(met(one, other, 1), counted.OTHER_RATE)
    assert suspected(met(one, one - 7, 0), causes.OTHER_LENGTH) or one in counts.VOCABULARIES
    assert not suspected(met(one, other + 7, 1), counted.OTHER_RATE)


@properties
@given(st.integers(1_000_001, 90_000_000), st.integers(2, 16))
def test_shares_of_flat_parameters(share: int, processes: int) -> None:
    assert suspected(met(share, share * processes, 0), counted.SHARDS)
    assert not suspected(met(share, share * processes + 1, 0), counted.SHARDS)


@properties
@given(st.integers(16, 900), st.integers(2, 200))
def test_maps_that_were_flattened_whole(places: int, times: int) -> None:
    assert suspected(met(256 * places, 256 * places * times, 0), FLATTENED_APART)


@properties
@given(st.integers(130, 1000), st.integers(1025, 9000))
def test_rows_of_two_tables(few: int, many: int) -> None:
    assume(many % few and {few, many} not in turned.USERS_AND_ITEMS)
    assert suspected(met(many, few, 0), OTHER_ENTRIES) or suspected(met(many, few, 0), OTHER_CLASSES)


def test_models_of_two_widths_are_merged() -> None:
    for a, b in ((5120, 4096), (320, 1280), (768, 1152)):
        assert suspected(met(a, b, 0), causes.OTHER_ENCODER)


# Axes that have changed places


@properties
@given(st.sampled_from(sorted(turned.PLACES)), st.sampled_from([512, 768, 1280, 2048]))
def test_places_meet_features(places: int, width: int) -> None:
    assert suspected(met(places, width, 1), causes.SWAPPED)


@properties
@given(st.sampled_from(turned.LATENT_SIDES), st.sampled_from([2, 3]))
def test_latents_that_lie_on_their_side(sides: tuple[int, int], axis: int) -> None:
    for a, b in (sides, sides[::-1]):
        assert suspected(met(a, b, axis), turned.TURNED)


@properties
@given(st.sampled_from(sorted(turned.SIDES)), st.sampled_from([3, 4]))
def test_channels_meet_a_side(side: int, channels: int) -> None:
    assert suspected(met(side, channels, 1), causes.CHANNELS_LAST)


def test_users_meet_items() -> None:
    for pair in turned.USERS_AND_ITEMS:
        a, b = sorted(pair)
        assert first(met(a, b, 1)) == causes.SWAPPED.cause


# Shapes that are told


@properties
@given(st.integers(20, 900), st.integers(2, 40), st.integers(2, 40))
def test_a_scaler_of_other_columns(rows: int, columns: int, fitted: int) -> None:
    assume(len({rows, columns, fitted}) == 3)
    assert first(broadcast((rows, columns), (fitted,), (rows, columns))) == expanding.OTHER_SCALER.cause
    output = (
        f"non-broadcastable output operand with shape ({rows},1) doesn't match the broadcast shape ({rows},{fitted})"
    )
    assert first(f"ValueError: {output}") == expanding.OTHER_SCALER.cause


@properties
@given(st.integers(20, 900), st.integers(2, 19))
def test_class_numbers_meet_scores(rows: int, classes: int) -> None:
    for text in (
        broadcast((rows, classes), (rows,)),
        f"InvalidArgumentError: Incompatible shapes: [{rows},{classes}] vs. [{rows}]",
    ):
        assert suspected(text, causes.ONE_HOT)


@properties
@given(st.integers(2, 16), st.integers(2, 16), st.integers(20, 90), st.integers(91, 200))
def test_a_mask_of_other_keys(batch: int, heads: int, queries: int, keys: int) -> None:
    mask = f"[{batch}, 1, 1, {keys}]"
    expanded = (
        f"RuntimeError: The expanded size of the tensor ({queries}) must match the existing size ({keys}) at "
        f"non-singleton dimension 3.  Target sizes: [{batch}, {heads}, {queries}, {queries}].  Tensor sizes: {mask}"
    )
    assert first(expanded) == causes.OTHER_LENGTH.cause
    scores = f"[{batch},{heads},{queries},{queries}]"
    added = f"InvalidArgumentError: Incompatible shapes: {scores} vs. {mask.replace(' ', '')}"
    assert first(added) == causes.OTHER_LENGTH.cause


@properties
@given(st.integers(1, 64), st.sampled_from([(4, 16), (16, 36)]), st.integers(16, 160))
def test_latents_of_two_families(batch: int, channels: tuple[int, int], side: int) -> None:
    one, other = channels
    text = (
        f"RuntimeError: The expanded size of the tensor ({one}) must match the existing size ({other}) at "
        f"non-singleton dimension 1.  Target sizes: [{batch}, {one}, {side}, {side}].  "
        f"Tensor sizes: [{batch}, {other}, {side}, {side}]"
    )
    assert suspected(text, OTHER_LATENTS)


@properties
@given(st.integers(16, 600), st.integers(16, 600))
def test_colours_are_copied_into_a_grey_image(height: int, width: int) -> None:
    copied = (
        "RuntimeError: The expanded size of the tensor (1) must match the existing size (3) at non-singleton dimension "
        f"0.  Target sizes: [1, {height}, {width}].  Tensor sizes: [3, {height}, {width}]"
    )
    assert first(copied) == causes.COLOUR.cause
    sides = f"{height}, {width}]"
    added = f"RuntimeError: output with shape [1, {sides} doesn't match the broadcast shape [3, {sides}"
    assert first(added) == causes.GREY.cause


def test_a_gradient_that_is_given_for_another_value() -> None:
    value = torch.ones(3, requires_grad=True) * 2
    with pytest.raises(RuntimeError) as raised:
        value.backward(torch.ones(3, 1))
    assert first(f"RuntimeError: {raised.value}") == gradients.GIVEN_GRADIENT.cause
    assert suspected(f"RuntimeError: {raised.value}", causes.LOST_AXIS)


@properties
@given(st.integers(9, 90), st.integers(9, 90))
def test_places_of_five_levels(few: int, many: int) -> None:
    assume(few != many)
    text = f"InvalidArgumentError: Incompatible shapes: [2,{341 * few},4] vs. [2,{341 * many},4]"
    assert first(text) == causes.OTHER_RESOLUTION.cause


@properties
@given(st.permutations([13, 15, 17, 19, 23, 27, 29, 31]), st.permutations(sorted(counted.GRIDS)))
def test_offsets_of_two_windows(odd: list[int], grids: list[int]) -> None:
    assert first(met(odd[0] ** 2, odd[1] ** 2, 0)) == causes.OTHER_RESOLUTION.cause
    assert suspected(met(2 * grids[0] - 1, 2 * grids[1] - 1, 0), causes.OTHER_RESOLUTION)


@properties
@given(st.integers(2, 20), st.sampled_from([8, 16]))
def test_frames_that_were_folded_into_the_batch(batch: int, frames: int) -> None:
    assume(not {batch, batch * frames} & CLASS_COUNTS.keys())
    assert suspected(met(batch * frames, batch, 0), causes.SEVERAL_EACH)


@properties
@given(st.integers(50, 120))
def test_features_of_both_directions(width: int) -> None:
    a, b = 4 * width, 2 * width
    assume(b % 77 and not {a, b} & (CLASS_COUNTS.keys() | counts.SERIES | sizes.MELS | counts.WORD_VECTORS))
    assert suspected(met(a, b, 2), causes.BOTH_DIRECTIONS)


@properties
@given(st.integers(100, 500), st.integers(3, 400))
def test_odd_numbers_of_features(width: int, more: int) -> None:
    a, b = 2 * width + 1, 2 * width + 2 * more
    assume(b <= 1024 and b % a)
    assert suspected(met(a, b, 2), causes.OTHER_SETTING)
