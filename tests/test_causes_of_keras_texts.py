"""Which causes a text of TensorFlow or Keras brings up, by its numbers. The texts are made up; none is a report's."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import (
    axis_range,
    causes,
    classes,
    fed,
    indexing,
    operations,
    rank,
    reshaping,
    rows,
    samples,
    target_ranks,
    targets,
    unknown_sizes,
    weights,
)
from shapewatch.messages.faults.meeting import pictures, vectors
from shapewatch.messages.faults.products import REUSED_CELL

SIDES = st.integers(17, 2000)
COUNTS = st.integers(5, 5000)


def fed_with(given_: str, declared: str) -> str:
    return f"ValueError: Cannot feed value of shape {given_} for Tensor 'x:0', which has shape '{declared}'"


def checked(declared: str, given_: str, name: str = "dense_1_input") -> str:
    return (
        f"ValueError: Error when checking input: expected {name} to have shape {declared} but got array with shape "
        f"{given_}"
    )


# What is fed


@properties
@given(COUNTS, SIDES)
def test_images_without_their_channels(count: int, side: int) -> None:
    grey = fed_with(f"({count}, {side}, {side})", f"(?, {side}, {side}, 3)")
    assert suspected(grey, causes.MISSING_CHANNELS) and suspected(grey, causes.GREY)
    assert first(fed_with(f"({side}, {side}, 3)", f"(?, {side}, {side}, 3)")) == causes.MISSING_BATCH.cause
    assert first(fed_with(f"(1, {side}, {side + 1})", "(?, ?, ?, 1)")) == causes.MISSING_CHANNELS.cause
    assert first(fed_with(f"({side}, {side + 1}, 3)", "(?, ?, ?, 3)")) == causes.MISSING_BATCH.cause


@properties
@given(SIDES)
def test_channels_in_front_of_a_sample_without_its_batch(side: int) -> None:
    assert first(checked(f"({side}, {side}, 3)", f"(3, {side}, {side})")) == causes.CHANNELS_LAST.cause
    assert first(checked(f"({side}, {side + 9}, 3)", f"({side + 9}, {side}, 3)")) == causes.SWAPPED.cause


@properties
@given(SIDES, SIDES)
def test_another_side_of_an_image_names_no_cause(declared: int, given_: int) -> None:
    assume(declared != given_)
    text = checked(f"({declared}, {declared}, 3)", f"({given_}, {given_}, 3)")
    assert explained(text).cause is None
    assert suspected(text, fed.NOT_RESIZED) and suspected(text, fed.LEFT_OVER)


@properties
@given(st.integers(100, 9000))
def test_two_digits_in_another_order(size: int) -> None:
    digits = str(size)
    slip = int(digits[:-2] + digits[-1] + digits[-2])
    assume(slip != size and slip >= 100)
    assert first(checked(f"({size},)", f"({slip},)")).startswith(fed.LEFT_OVER.cause.split("{")[0])


@properties
@given(st.integers(20, 900), COUNTS)
def test_lists_of_unequal_length(length: int, count: int) -> None:
    assume(count != length)  # a row that lies on its side
    text = checked(f"(None, {length})", f"({count}, 1)", "input_1")
    assert first(text) == fed.OBJECTS.cause


@properties
@given(st.integers(8, 300))
def test_a_line_of_an_image_is_no_sample(side: int) -> None:
    text = checked(f"({side * side},)", f"({side},)")
    assert suspected(text, causes.NOT_FLATTENED) and suspected(text, causes.MISSING_BATCH)
    assert not suspected(checked(f"({side * side + 1},)", f"({side},)"), causes.NOT_FLATTENED)


@properties
@given(st.integers(10, 600), st.integers(10, 600))
def test_sequences_of_another_length(declared: int, given_: int) -> None:
    assume(declared != given_)
    assert suspected(checked(f"({declared},)", f"({given_},)", "embedding_1_input"), fed.OTHER_PREPARATION)


@properties
@given(st.integers(3, 60))
def test_an_environment_that_returns_a_pair(observed: int) -> None:
    assert suspected(checked(f"(1, {observed})", "(1, 2)"), fed.OBSERVATION)
    assert not suspected(checked(f"(1, {observed})", "(1, 1)"), fed.OBSERVATION)


@properties
@given(SIDES)
def test_a_declaration_with_an_axis_too_many(width: int) -> None:
    text = (
        f'ValueError: Input 0 of layer "net" is incompatible with the layer: expected shape=(None, 1, {width}), found '
        f"shape=(None, {width})"
    )
    assert suspected(text, fed.DECLARED_MORE)
    more = (
        "ValueError: Error when checking input: expected conv2d_1_input to have 5 dimensions, but got array with shape"
    )
    assert suspected(f"{more} (40, {width}, {width}, 3)", fed.DECLARED_MORE)


@properties
@given(st.sampled_from([512, 1024, 2048, 4096]), SIDES)
def test_features_in_place_of_images(width: int, side: int) -> None:
    assert first(fed_with(f"(40, {width})", f"(?, {side}, {side}, 3)")) == fed.OTHER_FEED.cause


def test_a_placeholder_that_is_not_fed() -> None:
    text = "You must feed a value for placeholder tensor 'keep' with dtype float and shape [?,10]"
    assert first(text) == fed.NOT_FED.cause


def test_sizes_that_are_not_known() -> None:
    text = (
        'ValueError: Input 0 of layer "net" is incompatible with the layer: expected shape=(None, 96, 96, 3), found '
        "shape=(None, None, None, 3)"
    )
    assert first(text) == unknown_sizes.UNKNOWN_SIZES.cause
    flat = 'ValueError: The shape of the input to "Flatten" is not fully defined (got (None, None, 64)).'
    assert suspected(flat, unknown_sizes.LEFT_OPEN)


@properties
@given(st.sampled_from([160, 224, 320]))
def test_one_axis_of_a_program(side: int) -> None:
    def mismatch(got: int, expected: int, at: int) -> str:
        wanted = f"Got {got} but expected {expected} for dimension {at} of input 0"
        return f"ValueError: Cannot set tensor: Dimension mismatch. {wanted}."

    assert suspected(mismatch(3, 1, 3), causes.COLOUR)
    assert first(mismatch(side, 3, 3)) == causes.CHANNELS_LAST.cause
    assert suspected(mismatch(side, 2 * side, 1), fed.NOT_RESIZED)
    assert explained(mismatch(side, 2 * side, 1)).cause is None


@properties
@given(st.sampled_from([139, 197, 221]))
def test_a_least_side_that_later_releases_do_not_ask_for(least: int) -> None:
    def too_small(side: int) -> str:
        return f"ValueError: Input size must be at least {side}x{side}; got `input_shape=({side - 8}, {side - 8}, 3)`"

    assert suspected(too_small(least), causes.OTHER_RELEASE) and explained(too_small(least)).cause is None
    assert explained(too_small(32)).cause is not None


@properties
@given(COUNTS, st.integers(2, 90))
def test_an_end_that_is_not_called_an_input_is_a_target(count: int, classes_: int) -> None:
    text = f"expected activation_2 to have shape (None, {classes_}) but got array with shape ({count}, 1)"
    assert explained(text).code == "SW801" and first(text) == causes.ONE_HOT.cause


# Ranks


@pytest.mark.parametrize("name", ["lstm_2", "gru_1", "simple_rnn"])
def test_recurrent_layers_behind_each_other(name: str) -> None:
    text = (
        f'ValueError: Input 0 of layer "{name}" is incompatible with the layer: expected ndim=3, found ndim=2. Full '
        "shape received: (None, 50)"
    )
    assert first(text) == causes.LAST_STEP_ONLY.cause


@properties
@given(SIDES, SIDES)
def test_a_batch_of_one_without_channels(height: int, width: int) -> None:
    assert first(f"ValueError: Shape (1, {height}, {width}) must have rank 4") == causes.MISSING_CHANNELS.cause
    assert first(f"ValueError: Shape ({height}, {width}, 3) must have rank 4") == causes.MISSING_BATCH.cause


@properties
@given(st.integers(2, 128), SIDES)
def test_a_function_for_one_image_gets_a_batch(batch: int, side: int) -> None:
    def refused(node: str) -> str:
        shapes = f"[{batch},{side},{side},3], [3], [3]"
        return f"Shape must be rank 3 but is rank 4 for '{node}' (op: 'Slice') with input shapes: {shapes}."

    assert first(refused("random_crop/Slice")) == rank.ONE_AT_A_TIME.cause
    assert not suspected(refused("head/Slice"), rank.ONE_AT_A_TIME)


@properties
@given(st.integers(16, 512), st.sampled_from([1, 3, 5]))
def test_a_filter_that_another_operation_takes(channels: int, kernel: int) -> None:
    shapes = f"[?,40,40,{channels}], [{kernel},{kernel},{channels},{channels}]"
    text = f"Shape must be rank 3 but is rank 4 for 'd' (op: 'Dilation2D') with input shapes: {shapes}."
    assert suspected(text, rank.OTHER_OPERATION)


def test_values_of_other_ranks_are_joined() -> None:
    text = "Shape must be rank 3 but is rank 2 for 'c' (op: 'ConcatV2') with input shapes: [?,40,7], [?,5], []."
    assert explained(text).code == "SW401"


@properties
@given(st.integers(2, 1000))
def test_what_is_squeezed_are_mostly_labels(size: int) -> None:
    text = f"InvalidArgumentError: Can not squeeze dim[1], expected a dimension of 1, got {size}"
    assert first(text) == causes.ONE_HOT.cause and suspected(text, operations.AT_LEAST_ONE)
    assert axis_range.OTHER_COUNT.cause not in [suspect.cause for suspect in explained(text).suspects]


# Labels and rows


@properties
@given(COUNTS, SIDES, st.integers(1, 9))
def test_images_are_given_as_labels(count: int, side: int, outputs: int) -> None:
    text = (
        f"A target array with shape ({count}, {side}, {side}, 3) was passed for an output of shape (None, {outputs}) "
        "while using as loss `mean_squared_error`."
    )
    assert suspected(text, targets.NOT_THE_LABELS)
    wanted = "ValueError: Error when checking target: expected dense_3 to have 2 dimensions, but got array with shape"
    assert suspected(f"{wanted} ({count}, {side}, {side}, 3)", target_ranks.OUTPUT_IS_FLAT)
    assert suspected(f"{wanted} ({count}, {side}, 5)", causes.LAST_STEP_ONLY)


@properties
@given(st.integers(2, 40), st.sampled_from([32, 64, 128, 256, 512]), st.data())
def test_only_whole_batches_were_kept(batches: int, batch: int, data: st.DataObject) -> None:
    left = data.draw(st.integers(1, batch - 1))

    def lengths(few: int, many: int) -> str:
        return f"ValueError: Data cardinality is ambiguous:\n  x sizes: {many}\n  y sizes: {few}\nMake sure all arrays"

    kept = lengths(batches * batch, batches * batch + left)
    assert first(kept + " contain the same number of samples.") == rows.ONLY_WHOLE_BATCHES.cause
    none = lengths(0, batches * batch) + " contain the same number of samples."
    assert first(none) == fed.EMPTY.cause


def test_predictions_of_classes_of_its_own() -> None:
    text = (
        "ValueError: `decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, 1000)). "
        "Found array with shape: (1, 7)"
    )
    assert first(text) == classes.OWN_CLASSES.cause


# Reshapes


def reshaped(count: int, asked: int) -> str:
    return (
        f"InvalidArgumentError: Input to reshape is a tensor with {count} values, but the requested shape has {asked}"
    )


@properties
@given(SIDES)
def test_two_numbers_of_values_as_colours_make_them(side: int) -> None:
    assert first(reshaped(3 * side * side, side * side)) == causes.COLOUR.cause
    assert first(reshaped(4 * side, 3 * side)) == causes.ALPHA.cause


@properties
@given(st.sampled_from([16, 32, 64]), st.integers(1, 7).map(lambda half: 2 * half + 1), st.integers(100, 5000))
def test_fewer_rows_than_a_batch_has(batch: int, came: int, width: int) -> None:
    assert suspected(reshaped(came * width, batch * width), causes.LAST_BATCH)


@properties
@given(st.integers(9, 100), st.sampled_from([16, 32, 64]))
def test_a_unit_too_many(units: int, batch: int) -> None:
    def multiple(count: int) -> str:
        wanted = f"the requested shape requires a multiple of {units}"
        return f"InvalidArgumentError: Input to reshape is a tensor with {count} values, but {wanted}"

    assume(batch * (units + 1) % units)
    assert suspected(multiple(batch * (units + 1)), reshaping.VALUES_LOST)


def test_the_shapes_of_a_reshape_layer_hold_no_batch() -> None:
    text = "ValueError: total size of new array must be unchanged, input_shape = [14, 14, 96], output_shape = [12, 196]"
    assert suspected(text, reshaping.OTHER_FILTERS) and not suspected(text, causes.LAST_BATCH)


# Weights, and what meets


@properties
@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([256, 512, 1024]))
def test_a_kernel_that_keras_turned_round(saved: int, built: int, width: int) -> None:
    assume(saved != built)
    one, other = 3 * (5 + built), 3 * (5 + saved)
    shapes = f"[1,1,{width},{one}], [{other},{width},1,1]"
    text = (
        f"ValueError: Dimension 0 in both shapes must be equal, but are 1 and {other} for 'Assign_360' (op: 'Assign') "
        f"with input shapes: {shapes}."
    )
    assert suspected(text, weights.OTHER_CLASSES)
    assert f"{saved} classes" in explained(text).suspects[0].because
    theirs = f"provided weight shape ({width}, 8, 3, 3)"
    turned = f"ValueError: Layer weight shape (3, 3, 8, {width}) not compatible with {theirs}"
    assert first(turned) == weights.FILTERS_LAYOUT.cause


@properties
@given(st.integers(2, 9), st.integers(300, 5000))
def test_flattened_masks_and_outputs(channels: int, count: int) -> None:
    text = f"InvalidArgumentError: Incompatible shapes: [{count}] vs. [{count * channels}]"
    assert suspected(text, vectors.FLATTENED_APART)


def test_the_axis_of_a_concatenation_that_is_a_list() -> None:
    text = (
        "Dimension 1 in both shapes must be equal, but are 30 and 64. Shapes are [8,30] and [8,64]. From merging shape "
        "0 with other shapes. for 'concat/concat_dim' (op: 'Pack')"
    )
    assert first(text) == samples.OLD_ORDER.cause and suspected(text, causes.OTHER_RELEASE)


def test_one_cell_for_several_layers() -> None:
    text = (
        "ValueError: Trying to share variable rnn/cell_0/basic_lstm_cell/kernel, but specified shape (200, 400) and "
        "found shape (150, 400)."
    )
    assert suspected(text, REUSED_CELL)


# Labels that are numbers, and indices


@properties
@given(st.integers(2, 300))
def test_labels_of_one_column_for_a_loss_of_one_hot_labels(count: int) -> None:
    loss = "while using as loss `categorical_crossentropy`. `categorical_crossentropy` expects targets to be binary"
    text = f"ValueError: You are passing a target array of shape ({count}, 1) {loss} matrices"
    assert explained(text).code == "SW801" and first(text) == causes.ONE_HOT.cause
    same = (
        "ValueError: Arguments `target` and `output` must have the same rank (ndim). Received: target.shape=(None,), "
    )
    assert first(f"{same}output.shape=(None, {count})") == causes.ONE_HOT.cause


@properties
@given(st.integers(2, 300))
def test_labels_that_are_one_hot_twice(count: int) -> None:
    text = f"ValueError: Shapes (None, {count}, {count}) and (None, {count}) are incompatible"
    assert first(text) == targets.ONE_HOT_TWICE.cause


@properties
@given(SIDES, SIDES, st.integers(2, 30))
def test_masks_of_another_size_than_the_output(one: int, other: int, count: int) -> None:
    assume(one != other)

    def target(output: int, side: int, channels: int) -> str:
        wanted = f"expected conv2d_9 to have shape ({one}, {one}, {output})"
        return f"ValueError: Error when checking target: {wanted} but got array with shape ({side}, {side}, {channels})"

    assert first(target(count, other, count)) == targets.OTHER_MAP.cause
    assert first(target(1, one, 3)) == causes.MASK_CHANNELS.cause


@properties
@given(st.integers(300, 9000), st.integers(2, 40))
def test_a_label_for_each_colour(pixels: int, count: int) -> None:
    shapes = f"got logits shape [{pixels},{count}] and labels shape [{3 * pixels}]"
    assert suspected(f"logits and labels must have the same first dimension, {shapes}", causes.MASK_CHANNELS)


@properties
@given(st.integers(2, 5000))
def test_negative_numbers_are_read_as_such(count: int) -> None:
    label = f"Received a label value of -1 which is outside the valid range of [0, {count})."
    assert "-1" in explained(label).headline and suspected(label, causes.FROM_ONE)
    assert first(f"indices[3,4] = -1 is not in [0, {count})") == indexing.NEGATIVE.cause


@properties
@given(st.integers(2, 100))
def test_an_array_is_no_table_of_ids(size: int) -> None:
    beyond = f"IndexError: index {size} is out of bounds for axis 0 with size {size}"
    assert first(beyond) == causes.FROM_ONE.cause and suspected(beyond, indexing.SHORTER)
    empty = "IndexError: index 0 is out of bounds for axis 0 with size 0"
    assert first(empty) == operations.NOTHING_COLLECTED.cause


@properties
@given(st.sampled_from(["y", "labels", "TargetsData/Y", "Placeholder_1"]), st.integers(2, 1000), COUNTS)
def test_labels_that_are_fed(name: str, count: int, rows_: int) -> None:
    assume(count != rows_)

    def text(given_: str, declared: str) -> str:
        return f"ValueError: Cannot feed value of shape {given_} for Tensor '{name}:0', which has shape '{declared}'"

    assert first(text(f"({rows_},)", f"(?, {count})")) == fed.ONE_HOT_FED.cause
    assert first(text(f"({rows_}, {count})", "(?,)")) == fed.ONE_HOT_FED.cause
    assert suspected(text(f"({rows_}, {count + 1})", f"(?, {count})"), causes.CLASS_COUNT)


@properties
@given(SIDES, SIDES, st.integers(1, 900))
def test_images_of_one_short_side(side: int, height: int, more: int) -> None:
    assume(min(side, height) >= 32)

    def batched(first_: str, other: str) -> str:
        shapes = f"First element had shape {first_} and element 1 had shape {other}."
        return f"Cannot batch tensors with different shapes in component 0. {shapes}"

    images = batched(f"[{height},{side},3]", f"[{height + more},{side},3]")
    assert suspected(images, samples.UNEQUAL_SAMPLES) and suspected(images, pictures.SHORT_SIDE)
    assert first(batched(f"[{height},4]", f"[{height + more},4]")) == samples.LENGTHS.cause
