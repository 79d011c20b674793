"""What patterns of numbers say: roundings, crops, widths of encoders, counts for each token, parts that are missing.

The texts are made up here, of numbers that are drawn; none is a report's.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import (
    axis_range,
    causes,
    classes,
    expanding,
    fed,
    indexing,
    norm,
    products,
    rank,
    rearranging,
    reshaping,
    rounding,
    rows,
    samples,
    sizes,
    splitting,
    vocabularies,
    weight_names,
    weights,
    windows,
)
from shapewatch.messages.faults.joining import NOT_REPEATED
from shapewatch.messages.faults.meeting.classes import OTHER_CLASSES
from shapewatch.messages.faults.reshaping import NOT_THE_SETTING


def meeting(a: int, b: int, axis: int) -> str:
    return (
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton "
        f"dimension {axis}"
    )


def joining(a: int, b: int, along: int = 1) -> str:
    return (
        f"RuntimeError: Sizes of tensors must match except in dimension {along}. Expected size {a} but got size {b} "
        "for tensor number 1 in the list."
    )


def viewed(shape: tuple[int, ...], count: int) -> str:
    return f"RuntimeError: shape '{list(shape)}' is invalid for input of size {count}"


# Roundings and crops


@properties
@given(st.integers(9, 400), st.sampled_from([1, 3]))
def test_a_crop_by_the_same_number_at_both_ends(side: int, odd: int) -> None:
    assert first(joining(side + odd, side)) == causes.ODD_SIZE.cause
    assert suspected(joining(side + odd, side), causes.CROPPED)
    assert not suspected(joining(side + 2, side), causes.CROPPED)


@properties
@given(st.integers(20, 300), st.integers(8, 64))
def test_one_side_alone_is_cropped(side: int, channels: int) -> None:
    def concatenated(other: int) -> str:
        return (
            "ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
            f"Received: input_shape=[(None, {side}, {side}, {channels}), (None, {side - 1}, {other}, {channels})]"
        )

    alone = next(each for each in explained(concatenated(side)).suspects if each.cause == causes.CROPPED.cause)
    both = next(each for each in explained(concatenated(side - 1)).suspects if each.cause == causes.CROPPED.cause)
    assert alone.weight > both.weight


@properties
@given(st.integers(70, 400), st.integers(40, 900))
def test_rows_of_places_on_one_axis(fewer: int, row: int) -> None:
    assume(fewer * row % 64)
    assume(fewer * row % 21)
    text = meeting((fewer + 1) * row, fewer * row, 1)
    assert first(text) == causes.ODD_SIZE.cause
    assert f"{fewer} and {fewer + 1} times {row}" in explained(text).suspects[0].because


@properties
@given(st.integers(2, 20), st.integers(4, 20), st.integers(8, 40), st.data())
def test_a_length_is_cut_into_whole_windows(batch: int, parts: int, part: int, drawn: st.DataObject) -> None:
    assume(parts < part)
    rest = drawn.draw(st.integers(1, part - 1))
    text = viewed((batch, parts, part), batch * (parts * part + rest))
    assert suspected(text, rounding.ROUNDED)
    assert not suspected(viewed((batch, parts, part), batch * (parts * part + part)), rounding.ROUNDED)


@properties
@given(st.integers(2, 30), st.integers(5, 20), st.sampled_from([16, 32, 64]))
def test_half_a_row_more_than_was_computed(batch: int, half: int, channels: int) -> None:
    """A side of `2 * half - 1` halved once: rounded up by the pooling, and taken for a half by the code."""
    step = (2 * half - 1) * half * channels
    count = batch * 2 * half * half * channels
    assume(step >= 256 and count % step and count // step == batch)
    text = (
        f"InvalidArgumentError: Input to reshape is a tensor with {count} values, but the requested shape requires a "
        f"multiple of {step}"
    )
    assert suspected(text, rounding.ROUNDED)


@properties
@given(st.integers(5, 60), st.integers(17, 90))
def test_a_side_that_was_brought_to_a_multiple(eighths: int, batch: int) -> None:
    side = 8 * eighths + 4
    came = 8 * eighths + 8
    assert suspected(viewed((1, 3, side, side), 3 * came * came), causes.ODD_SIZE)
    assert sizes.rounded(side, side + 1 + batch * 64) is None


@properties
@given(st.integers(8, 60), st.integers(16, 300))
def test_tokens_beside_a_grid_and_oblong_grids(side: int, width: int) -> None:
    assert first(viewed((1, side, side, width), (side * side + 1) * width)) == causes.CLASS_TOKEN.cause
    assert suspected(viewed((1, side, side, width), (side - 3) * side * width), NOT_THE_SETTING)


# Widths and variants


@pytest.mark.parametrize("along", [0, 1])
@properties
@given(st.sampled_from([768, 1024, 1152, 2048, 3584]), st.sampled_from([640, 1280, 2304, 3840, 4096]))
def test_widths_of_two_encoders_are_joined(along: int, one: int, other: int) -> None:
    assume({one, other} <= sizes.ENCODERS.keys())
    assert suspected(joining(one, other, along), causes.OTHER_ENCODER)
    if along:
        assert not suspected(joining(one, other), causes.TOO_LONG)


@properties
@given(st.sampled_from([50, 100, 200, 300]), st.sampled_from([512, 768, 1024]), st.integers(2, 64))
def test_word_vectors_for_another_width(vectors: int, width: int, batch: int) -> None:
    text = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied ({batch}x{vectors} and {width}x10)"
    assert suspected(text, causes.OTHER_ENCODER)


@properties
@given(st.integers(2, 64), st.integers(20, 900), st.integers(20, 900))
def test_a_weight_that_gives_as_many_as_come(batch: int, hidden: int, taken: int) -> None:
    assume(hidden != taken)
    theano = f"ValueError: dimension mismatch in args to gemm ({batch},{hidden})x({taken},{hidden})->({batch},{hidden})"
    assert suspected(theano, causes.OTHER_SETTING)
    torch = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied ({batch}x{hidden} and {taken}x{hidden})"
    assert suspected(torch, products.APPLIED_BEFORE)


@properties
@given(st.integers(2, 64), st.integers(10, 300), st.integers(10, 300))
def test_a_code_is_compared_with_its_input(batch: int, inputs: int, code: int) -> None:
    assume(inputs != code)
    text = f"ValueError: dimension mismatch in args to gemm ({batch},{inputs})x({inputs},{code})->({batch},{inputs})"
    assert first(text) == products.WITH_ITS_INPUT.cause
    assert not suspected(text.replace(f"->({batch},{inputs})", f"->({batch},{code + inputs})"), products.WITH_ITS_INPUT)


@properties
@given(st.integers(20, 60), st.integers(2, 5))
def test_one_number_where_a_vector_is_meant(features: int, rows: int) -> None:
    text = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied ({rows}x1 and {features}x64)"
    assert suspected(text, products.NOT_ENCODED)
    assert not suspected(text.replace(f"{rows}x1 ", f"{rows}x3 "), products.NOT_ENCODED)


@properties
@given(st.integers(2, 9), st.integers(8, 40), st.sampled_from([3, 5, 7]))
def test_filters_of_another_size(outputs: int, inputs: int, kernel: int) -> None:
    def in_place(other: int) -> str:
        return (
            f"RuntimeError: output with shape [{outputs}, {inputs}, 1, 1] doesn't match the broadcast shape "
            f"[{outputs}, {inputs}, {kernel}, {other}]"
        )

    assert first(in_place(kernel)) == expanding.OTHER_LAYERS.cause
    assert not suspected(in_place(kernel + 1), expanding.OTHER_LAYERS)


@properties
@given(st.sampled_from([8, 16, 24]), st.integers(10, 50), st.integers(2, 6))
def test_heads_of_another_width(heads: int, tokens: int, more: int) -> None:
    assume(tokens != heads and tokens % (heads + more))
    text = viewed((1, tokens, heads, 64), tokens * (heads + more) * 64)
    assert f"the values make {heads + more} heads of 64" in explained(text).suspects[0].because


# Counts


@properties
@given(st.sampled_from([16, 32, 64]), st.integers(4, 40), st.integers(1, 15))
def test_a_ragged_number_of_labels(graphs: int, nodes: int, rest: int) -> None:
    text = f"ValueError: Expected input batch_size ({graphs}) to match target batch_size ({graphs * nodes + rest})."
    assert first(text) == rows.PER_TOKEN.cause


@properties
@given(st.integers(16, 60), st.integers(40, 90))
def test_sequences_with_a_step_more(sequences: int, steps: int) -> None:
    text = (
        "logits and labels must have the same first dimension, got logits shape "
        f"[{sequences * steps},50] and labels shape [{sequences * (steps + 1)}]"
    )
    assert first(text) == causes.OTHER_LENGTH.cause


@properties
@given(st.integers(2, 20), st.integers(60, 300))
def test_an_output_cut_into_rows_of_another_number_of_classes(classes: int, batch: int) -> None:
    text = f"ValueError: Expected input batch_size ({batch * (classes + 1)}) to match target batch_size "
    assert suspected(f"{text}({batch * classes}).", rows.VIEWED_AS)
    assert not suspected(f"{text}({batch * (classes + 2)}).", rows.VIEWED_AS)


@properties
@given(st.integers(17, 60), st.integers(18, 80))
def test_places_of_three_levels_of_a_detector(one: int, other: int) -> None:
    assume(one != other)
    text = meeting(21 * one * one, 21 * other * other, 1)
    assert first(text) == causes.OTHER_RESOLUTION.cause and "21 = 16 + 4 + 1" in explained(text).suspects[0].because


@properties
@given(st.sampled_from([2, 4, 8]), st.sampled_from([16, 24, 48]), st.integers(10, 90))
def test_a_state_that_is_split_among_devices(devices: int, share: int, width: int) -> None:
    def state(batch: int, came: int) -> str:
        return f"RuntimeError: Expected hidden size (3, {batch}, {width}), got (3, {came}, {width})"

    assert suspected(state(devices * share, share), causes.SPLIT_BATCH)
    assert suspected(state(share, devices * share), causes.SPLIT_BATCH)
    assert not suspected(state(share, share + 5), causes.SPLIT_BATCH)


@properties
@given(st.integers(2, 9), st.integers(20, 60), st.integers(3, 30))
def test_one_factor_was_flattened(batch: int, times: int, last: int) -> None:
    text = (
        f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [{batch}, {times * last}] but "
        f"got: [{batch}, {last}]."
    )
    assert suspected(text, causes.ONE_FLATTENED)


@properties
@given(st.integers(100, 900), st.integers(10, 99))
def test_a_part_that_is_not_there(width: int, part: int) -> None:
    def split(whole: int) -> str:
        return (
            f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {whole} (input tensor's size at "
            f"dimension -1), but got split_sizes=[{width}, {part}]"
        )

    assert first(split(width)) == splitting.PART_MISSING.cause
    assert not suspected(split(width + part + part + 1), splitting.PART_MISSING)


@properties
@given(st.integers(2, 200), st.integers(2, 200))
def test_boxes_with_other_classes_are_split(mine: int, theirs: int) -> None:
    assume(mine != theirs)
    text = (
        f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {64 + theirs} (input tensor's size at "
        f"dimension 1), but got split_sizes=[64, {mine}]"
    )
    assert suspected(text, OTHER_CLASSES)


# Sequences


@properties
@given(st.integers(1, 9), st.integers(1, 9), st.integers(32, 900))
def test_a_sequence_shorter_than_the_kernel(steps: int, more: int, width: int) -> None:
    def too_large(window: str, kernel: str) -> str:
        return (
            f"RuntimeError: Calculated padded input size per channel: ({window}). Kernel size: ({kernel}). Kernel size "
            "can't be greater than actual input size"
        )

    assert first(too_large(f"{steps} x {width}", f"{steps + more} x {width}")) == windows.SHORT_SEQUENCE.cause
    assert first(too_large(f"{steps}", f"{steps + more}")) == windows.SHORT_SEQUENCE.cause
    assert not suspected(too_large(f"{steps} x {steps}", f"{steps + more} x {steps + more}"), windows.SHORT_SEQUENCE)


@properties
@given(st.integers(3, 30), st.integers(2, 20))
def test_frames_of_clips_on_the_third_axis(one: int, more: int) -> None:
    assert suspected(meeting(4 * one + 1, 4 * (one + more) + 1, 2), causes.OTHER_LENGTH)


@properties
@given(st.integers(5, 90), st.integers(5, 90), st.integers(2, 12))
def test_a_mask_of_another_length_is_stretched(tokens: int, other: int, heads: int) -> None:
    assume(tokens != other)
    text = (
        f"RuntimeError: The expanded size of the tensor ({tokens}) must match the existing size ({other}) at "
        f"non-singleton dimension 3.  Target sizes: [2, {heads}, {tokens}, {tokens}].  Tensor sizes: [2, 1, {other}, "
        f"{other}]"
    )
    told = explained(text)
    assert first(text) == causes.OTHER_LENGTH.cause and "axis 1" not in told.headline
    assert not suspected(text, causes.NO_PROJECTION)


def test_one_entry_is_repeated_and_not_set_elsewhere() -> None:
    assert first(joining(64, 1, 2)) == NOT_REPEATED.cause


# Whose shapes they are


@properties
@given(st.sampled_from([64, 128, 256]), st.integers(20, 700), st.integers(20, 700))
def test_weights_of_another_run_without_their_node(units: int, one: int, other: int) -> None:
    assume(one != other)
    text = (
        f"ValueError: Dimension 1 in both shapes must be equal, but are {one} and {other}. Shapes are [{units},{one}] "
        f"and [{units},{other}]."
    )
    assert suspected(text, samples.OLD_ORDER) and "weights" not in explained(text).headline
    assert suspected(text, weights.OTHER_CLASSES) or suspected(text, weight_names.OTHER_VARIANT)
    fed = text.replace(f"[{units},", "[?,")
    assert not suspected(fed, weight_names.OTHER_VARIANT) and not suspected(fed, samples.OLD_ORDER)
    restored = f'Traceback (most recent call last):\n  File "net.py", line 3, in load_weights\n{text}'
    assert explained(restored).code == "SW901" and not suspected(restored, samples.OLD_ORDER)


@properties
@given(st.integers(2, 5), st.integers(2, 5))
def test_a_sparse_tensor_of_another_rank(wanted: int, came: int) -> None:
    assume(wanted != came)
    text = (
        f"ValueError: Dimension 1 in both shapes must be equal, but are {wanted} and {came}. Shapes are [?,{wanted}] "
        f"and [?,{came}]. for '{{{{node EnsureShape}}}} = EnsureShape[T=DT_INT64, shape=[?,{wanted}]](args)' with "
        f"input shapes: [?,{came}]."
    )
    told = explained(text)
    assert told.code == "SW602" and "indices of a sparse tensor" in told.suspects[0].because


@properties
@given(st.integers(1, 3), st.integers(100, 900), st.integers(100, 900))
def test_a_runtime_message_without_its_beginning(axis: int, got: int, expected: int) -> None:
    text = f"for input: x for the following indices\n index: {axis} Got: {got} Expected: {expected}\n Please fix either"
    assert f"must be {expected} and is {got}" in explained(text).headline


@pytest.mark.parametrize("cut", ["wit h", "val ues", "requ ested", "sha pe"])
def test_a_stray_space_in_a_word(cut: str) -> None:
    whole = "Input to reshape is a tensor with 900 values, but the requested shape has 400"
    assert explained(whole.replace(cut.replace(" ", ""), cut)).headline == explained(whole).headline


# What an axis holds


@properties
@given(st.sampled_from([(1, 2), (2, 1)]), st.integers(1, 16), st.integers(4_000, 400_000))
def test_sound_of_one_channel_or_of_two(channels: tuple[int, int], batch: int, length: int) -> None:
    taken, come = channels
    text = (
        f"RuntimeError: Given groups=1, weight of size [48, {taken}, 8], expected input[{batch}, {come}, {length}] to "
        f"have {taken} channels, but got {come} channels instead"
    )
    assert first(text) == causes.STEREO.cause
    square = text.replace(f", {length}]", ", 128, 128]")
    assert first(square) == causes.STACKED_INPUT.cause.format(a=come, b=taken)


@properties
@given(st.sampled_from([(1, 2), (2, 1)]), st.integers(20, 128), st.integers(600, 4000))
def test_spectrograms_of_one_channel_or_of_two(channels: tuple[int, int], bins: int, frames: int) -> None:
    taken, come = channels
    for sides in (f"{frames}, {bins}", f"{bins}, {frames}"):
        text = (
            f"RuntimeError: Given groups=1, weight of size [32, {taken}, 3, 3], expected input[1, {come}, {sides}] to "
            f"have {taken} channels, but got {come} channels instead"
        )
        assert first(text) == causes.STEREO.cause


@properties
@given(st.sampled_from([64, 128, 256]), st.integers(300, 1500))
def test_points_in_the_place_of_channels(width: int, points: int) -> None:
    assume(not sizes.ratio(width, points))
    text = f"RuntimeError: running_mean should contain {points} elements not {width}"
    assert suspected(text, norm.POINTS_FIRST)


@properties
@given(st.integers(2, 64), st.sampled_from([1, 3]), st.integers(32, 512))
def test_images_where_clips_are_taken(batch: int, channels: int, side: int) -> None:
    text = (
        "RuntimeError: Expected 5-dimensional input for 5-dimensional weight [64, 3, 3, 7, 7], but got 4-dimensional "
        f"input of size [{batch}, {channels}, {side}, {side}] instead"
    )
    assert suspected(text, rank.NO_TIME)
    assert not suspected(text, causes.MISSING_CHANNELS)


def test_an_axis_that_does_not_divide_is_no_cause_by_itself() -> None:
    text = (
        'einops.EinopsError:  Error while processing rearrange-reduction pattern "(b h) n d -> b n (h d)".\n'
        " Input tensor shape: torch.Size([22, 900, 64]). Additional info: {'h': 4}.\n"
        " Shape mismatch, can't divide axis of length 22 in chunks of 4"
    )
    told = explained(text)
    assert told.cause is None and "22 cannot be divided by 4" in told.headline


# Axes that are named, and axes that come


def unpacked(line: str, expected: int, got: int | None = None) -> str:
    said = "too many values to unpack" if got is None else "not enough values to unpack"
    came = "" if got is None else f", got {got}"
    return (
        'Traceback (most recent call last):\n  File "/home/user/model.py", line 12, in forward\n'
        f"    {line}\nValueError: {said} (expected {expected}{came})"
    )


def test_a_shape_that_is_taken_apart_into_names() -> None:
    assert first(unpacked("h, w, c = image.shape", 3, 2)) == causes.MISSING_CHANNELS.cause
    assert first(unpacked("h, w, c = image.shape", 3)) == rank.ONE_AT_A_TIME.cause
    assert first(unpacked("h, w = image.shape", 2)) == causes.COLOUR.cause
    assert first(unpacked("batch_size, seq_length = input_shape", 2)) == causes.EXTRA_AXIS.cause
    assert suspected(unpacked("b, n, c = x.shape", 3), rank.NOT_FLATTENED_TO_STEPS)
    assert suspected(unpacked("b, c, h, w = feat.shape", 4, 2), rank.ALREADY_FLAT)
    assert suspected(unpacked("b, t, c, h, w = x.size()", 5, 4), rank.NO_TIME)
    for line, expected in (("h, w = image.shape", 2), ("b, c, h, w = x.shape", 4)):
        assert not suspected(unpacked(line, expected), causes.MISSING_BATCH)


@properties
@given(st.integers(5, 60), st.integers(5, 60), st.sampled_from([32, 64, 128]))
def test_a_map_for_a_layer_of_sequences(height: int, width: int, channels: int) -> None:
    def given_to(layer: str, shape: str) -> str:
        return (
            f'ValueError: Input 0 of layer "{layer}" is incompatible with the layer: expected ndim=3, found ndim=4. '
            f"Full shape received: {shape}"
        )

    assert first(given_to("lstm", f"(None, {height}, {width}, {channels})")) == rank.NOT_FLATTENED_TO_STEPS.cause
    assert first(given_to("lstm", f"(None, 1, {width}, {channels})")) == causes.EXTRA_AXIS.cause
    assert not suspected(given_to("conv1d", f"(None, {height}, {width}, {channels})"), rank.NOT_FLATTENED_TO_STEPS)
    unknown = given_to("gru_1", "(None, None, None, None)")
    assert suspected(unknown, rank.DECLARED_MORE)


@properties
@given(st.sampled_from(["up_sampling2d", "conv2d_transpose", "conv2d_transpose_3"]), st.integers(10, 20000))
def test_a_dense_layer_before_one_that_enlarges_maps(layer: str, width: int) -> None:
    def before(name: str) -> str:
        return (
            f"ValueError: Input 0 of layer {name} is incompatible with the layer: expected ndim=4, found ndim=2. "
            f"Full shape received: (None, {width})"
        )

    assert first(before(layer)) == rank.NO_RESHAPE.cause
    assert first(before("global_average_pooling2d")) == rank.ALREADY_FLAT.cause


@properties
@given(st.integers(20, 300), st.integers(8, 128))
def test_a_pooling_of_another_rank(steps: int, filters: int) -> None:
    text = (
        "ValueError: Input 0 of layer max_pooling2d is incompatible with the layer: expected ndim=4, found ndim=3. "
        f"Full shape received: (None, {steps}, {filters})"
    )
    assert suspected(text, rank.OTHER_CLASS)
    assert not suspected(text.replace("max_pooling2d", "conv2d"), rank.OTHER_CLASS)


@properties
@given(st.integers(2, 64), st.integers(8, 56), st.sampled_from([1, 3]))
def test_flat_rows_are_those_of_pictures(batch: int, side: int, colours: int) -> None:
    def rows_of(width: int) -> str:
        return (
            "RuntimeError: Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: "
            f"[{batch}, {width}]"
        )

    assert suspected(rows_of(colours * side * side), rank.FLAT_ROWS)
    assert first(rows_of(2048)) == rank.ALREADY_FLAT.cause


def test_indices_of_what_has_fewer_axes() -> None:
    numpy = "IndexError: too many indices for array: array is {}-dimensional, but {} were indexed"
    assert first(numpy.format(0, 1)) == axis_range.ONE_OBJECT.cause
    assert first(numpy.format(1, 2)) == rank.FLAT_LIST.cause
    assert first(numpy.format(2, 3)) == causes.MISSING_CHANNELS.cause
    assert not suspected(numpy.format(3, 4), causes.MISSING_CHANNELS)
    assert suspected("IndexError: too many indices for tensor of dimension 1", rank.FLAT_LIST)
    assert not suspected("IndexError: too many indices for tensor of dimension 2", rank.FLAT_LIST)
    ranged = "IndexError: Dimension out of range (expected to be in range of [-2, 1], but got {})"
    assert first(ranged.format(-3)) == causes.MISSING_CHANNELS.cause
    assert not suspected(ranged.format(2), causes.MISSING_CHANNELS)


@properties
@given(st.integers(1, 64), st.integers(1, 64), st.integers(0, 20))
def test_a_map_that_was_shrunk_to_nothing(batch: int, channels: int, other: int) -> None:
    text = (
        "RuntimeError: Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got: "
        f"[{batch}, {channels}, 0, {other}]"
    )
    assert first(text) == causes.TOO_SMALL.cause


# Reshapes


@properties
@given(st.integers(7, 40), st.integers(1, 16), st.sampled_from([192, 384, 768]), st.booleans())
def test_tokens_with_and_without_one_beside_them(side: int, batch: int, width: int, beside: bool) -> None:
    one, other = (side * side + 1, side * side) if beside else (side * side, side * side + 1)
    assume(batch * other % one)
    assert first(viewed((batch, one, width), batch * other * width)) == causes.CLASS_TOKEN.cause
    assert not suspected(viewed((batch, one, width), batch * (other + 5) * width), causes.CLASS_TOKEN)


@properties
@given(st.integers(10, 80), st.integers(10, 80), st.sampled_from([255, 75]))
def test_a_grid_of_a_detector_and_its_filters(asked: int, came: int, filters: int) -> None:
    assume(came != asked and came * came % (asked * asked))
    grids = viewed((1, filters, asked * asked), filters * came * came)
    assert suspected(grids, NOT_THE_SETTING)
    other = viewed((1, filters, asked * asked), (filters + 1) * asked * asked)
    assert suspected(other, reshaping.OTHER_FILTERS_OF_HEAD)
    assert not suspected(grids, reshaping.OTHER_FILTERS_OF_HEAD)


@properties
@given(st.integers(20, 900), st.integers(20, 900))
def test_a_picture_with_fewer_channels_than_are_read(height: int, width: int) -> None:
    def array(count: int, channels: int) -> str:
        return f"ValueError: cannot reshape array of size {count} into shape ({height},{width},{channels})"

    assert first(array(height * width * 3, 4)) == reshaping.NO_ALPHA.cause
    assert first(array(height * width, 3)) == causes.GREY.cause


@properties
@given(st.integers(16, 400), st.integers(16, 400))
def test_a_square_of_another_side(asked: int, came: int) -> None:
    assume(asked != came)
    assert suspected(
        f"ValueError: cannot reshape array of size {came * came} into shape ({asked},{asked})", NOT_THE_SETTING
    )


@properties
@given(st.integers(8, 200))
def test_a_row_of_a_table_with_a_column_more(columns: int) -> None:
    def row(count: int) -> str:
        return f"ValueError: cannot reshape array of size {count} into shape (1,{columns})"

    assert suspected(row(columns + 1), causes.OTHER_COLUMNS)
    assert suspected(row(columns - 1), causes.OTHER_COLUMNS)
    assert not suspected(row(3 * columns), causes.OTHER_COLUMNS)


def test_an_open_size_as_numpy_writes_it() -> None:
    given_rows = explained("ValueError: cannot reshape array of size 10 into shape (3,newaxis)")
    assert given_rows.headline == "10 values cannot be reshaped into [3, ?]"
    assert first("InvalidArgumentError: Only one input size may be -1, not both 0 and 1") == reshaping.TWO_OPEN.cause


@properties
@given(st.sampled_from([16, 32, 64, 128]), st.data())
def test_fewer_values_than_a_batch_has(batch: int, drawn: st.DataObject) -> None:
    came = drawn.draw(st.integers(1, batch - 1))
    text = f"InvalidArgumentError: Input to reshape is a tensor with {came} values, but the requested shape has {batch}"
    assert suspected(text, causes.LAST_BATCH)


@properties
@given(st.integers(20, 60), st.integers(20, 60), st.integers(20, 60))
def test_places_that_a_pattern_takes_for_another_grid(height: int, width: int, side: int) -> None:
    assume(abs(height * width - side * side) > 2)

    def arranged(group: str) -> str:
        return (
            f'einops.EinopsError: Error while processing rearrange-reduction pattern "b ({group}) c -> b c {group}".\n'
            f" Input tensor shape: torch.Size([2, {side * side}, 64]). Additional info: {{'h': {height}}}.\n"
            f" Shape mismatch, {side * side} != {height * width}"
        )

    assert suspected(arranged("h w"), rearranging.OTHER_GRID)
    assert not suspected(arranged("n k"), rearranging.OTHER_GRID)


# Parts, masks and indices


@properties
@given(st.integers(1, 100))
def test_boxes_that_are_decoded_already(classes: int) -> None:
    def cut(whole: int) -> str:
        return (
            f"RuntimeError: split_with_sizes expects split_sizes to sum exactly to {whole} (input tensor's size at "
            f"dimension 1), but got split_sizes=[64, {classes}]"
        )

    assert first(cut(4 + classes)) == splitting.DECODED.cause
    assert not suspected(cut(65 + classes), splitting.DECODED)


@properties
@given(st.integers(2, 64), st.integers(2, 64))
def test_indices_that_are_taken_in_pairs(one: int, other: int) -> None:
    assume(one != other)
    text = "IndexError: shape mismatch: indexing tensors could not be broadcast together with shapes "
    assert suspected(f"{text}[{one}], [{other}]", causes.LAST_BATCH)
    assert suspected(f"{text}[{one}], [{other}]", indexing.CHOSEN_IN_PAIRS)
    assert first(f"{text}[{one}], [{other}, 2]") == indexing.INDEX_RANK.cause


@properties
@given(st.sampled_from([(480, 640), (1080, 1920), (600, 800), (720, 1280)]), st.integers(0, 1))
def test_masks_and_coordinates_of_the_other_axis(sides: tuple[int, int], axis: int) -> None:
    here, there = sides[axis], sides[1 - axis]
    mask = (
        f"IndexError: boolean index did not match indexed array along dimension {axis}; dimension is {here} but "
        f"corresponding boolean dimension is {there}"
    )
    assert suspected(mask, causes.SWAPPED)
    high, low = max(sides), min(sides)
    beyond = f"IndexError: index {high} is out of bounds for axis 0 with size {low}"
    assert suspected(beyond, indexing.BORDER)
    assert suspected(beyond, causes.SWAPPED)
    assert not suspected(f"IndexError: index {low} is out of bounds for axis 0 with size 10", indexing.BORDER)


def test_a_mask_with_an_axis_of_its_own() -> None:
    along = "IndexError: boolean index did not match indexed array along axis 2; size of axis is {} but size of "
    text = f"{along}corresponding boolean axis is {{}}"
    assert suspected(text.format(3, 1), causes.TRAILING_ONE)
    assert not suspected(text.format(5, 4), causes.TRAILING_ONE)


@properties
@given(st.integers(2, 200))
def test_a_label_that_marks_void(size: int) -> None:
    assert first(f"IndexError: index 255 is out of bounds for dimension 0 with size {size}") == (
        classes.IGNORED_LABEL.cause
    )
    assert not suspected(
        f"IndexError: index 253 is out of bounds for dimension 0 with size {size}", classes.IGNORED_LABEL
    )


def test_one_entry_or_none() -> None:
    assert first("IndexError: index 1 is out of bounds for axis 0 with size 1") == indexing.ONE_ONLY.cause
    assert not suspected("IndexError: index 2 is out of bounds for axis 0 with size 2", indexing.ONE_ONLY)
    assert suspected("IndexError: index -1 is out of bounds for axis 0 with size 0", causes.NOTHING_LEFT)
    assert suspected("RuntimeError: split expects at least a 1-dimensional tensor", causes.LOST_AXIS)


@properties
@given(st.integers(2, 30))
def test_labels_that_choose_a_score(actions: int) -> None:
    text = f"RuntimeError: index {actions} is out of bounds for dimension 1 with size {actions}"
    assert suspected(text, causes.FROM_ONE)
    assert suspected("RuntimeError: Invalid index in gather at THTensorEvenMoreMath.cpp:459", causes.CLASS_COUNT)


def test_an_axis_that_is_asked_of_a_shape() -> None:
    def asked(line: str) -> str:
        frame = f'  File "/home/user/main.py", line 52, in forward\n    {line}\n'
        return f"Traceback (most recent call last):\n{frame}IndexError: tuple index out of range"

    assert first(asked("channels = image.shape[2]")) == causes.MISSING_CHANNELS.cause
    assert first(asked("columns = x.shape[1]")) == rank.FLAT_LIST.cause
    assert not suspected(asked("width = x.shape[3]"), causes.MISSING_CHANNELS)


@properties
@given(st.sampled_from([(768, 1024), (1024, 768), (768, 1280)]), st.sampled_from([77, 154]), st.integers(1, 8))
def test_an_encoder_of_another_width_in_a_view(widths: tuple[int, int], tokens: int, batch: int) -> None:
    asked, came = widths
    text = viewed((batch, tokens, asked), batch * tokens * came)
    assert suspected(text, causes.OTHER_ENCODER)
    assert first(text) != causes.ALPHA.cause
    assert not suspected(viewed((batch, tokens, asked), batch * tokens * (came + 1)), causes.OTHER_ENCODER)


@properties
@given(st.sampled_from([30522, 32000, 50257]), st.integers(1, 64), st.integers(100, 4000))
def test_rows_of_a_vocabulary_with_added_tokens(words: int, more: int, rows_that_come: int) -> None:
    assume(rows_that_come * (words + more) % words)
    assert suspected(viewed_open(words, rows_that_come * (words + more)), vocabularies.OTHER_VOCABULARY)


def viewed_open(width: int, count: int) -> str:
    return f"RuntimeError: shape '[-1, {width}]' is invalid for input of size {count}"


@properties
@given(st.integers(16, 200), st.integers(16, 200), st.integers(16, 200))
def test_volumes_without_channels_and_arrays_of_objects(depth: int, height: int, width: int) -> None:
    text = (
        "ValueError: Input 0 of layer conv{} is incompatible with the layer: expected min_ndim={}, found ndim={}. "
        "Full shape received: (None, {})"
    )
    assert first(text.format("3d", 5, 4, f"{depth}, {height}, {width}")) == causes.MISSING_CHANNELS.cause
    assert not suspected(text.format("3d", 5, 4, f"{depth}, {height}, 3"), causes.MISSING_CHANNELS)
    assert first(text.format("2d", 4, 2, "1")) == fed.OBJECTS.cause
    assert not suspected(text.format("2d", 4, 2, str(width)), fed.OBJECTS)


@properties
@given(st.integers(2, 64), st.integers(2, 64))
def test_a_mask_that_ends_with_one_and_values_with_columns(rows_of_mask: int, columns: int) -> None:
    mask = "IndexError: The shape of the mask [{0}, {1}] at index 1 does not match the shape of the indexed tensor"
    assert suspected(f"{mask.format(rows_of_mask, 1)} [{rows_of_mask}, {columns}] at index 1", causes.TRAILING_ONE)
    value = (
        f"RuntimeError: shape mismatch: value tensor of shape [{rows_of_mask}, {columns}] cannot be broadcast to "
        f"indexing result of shape [{rows_of_mask}]"
    )
    assume(rows_of_mask != columns)
    assert suspected(value, causes.OTHER_VALUE)


@properties
@given(st.sampled_from([32, 64, 256, 1024]), st.sampled_from([3, 32, 512]), st.sampled_from([1, 3]), st.integers(1, 99))
def test_a_file_of_weights_that_ends(outputs: int, inputs: int, side: int, percent: int) -> None:
    whole = outputs * inputs * side * side
    count = whole * percent // 100 + 1
    assume(count < whole and count % (inputs * side * side))
    assert suspected(viewed((outputs, inputs, side, side), count), reshaping.WEIGHTS_END)
    assert not suspected(viewed((outputs, inputs, side, side), whole + count), reshaping.WEIGHTS_END)
    assert not suspected(viewed((outputs, inputs, 64, 64), count), reshaping.WEIGHTS_END)


@properties
@given(st.sampled_from([25, 30, 35, 50]))
def test_one_step_more_than_a_schedule_has(steps: int) -> None:
    text = "IndexError: index {0} is out of bounds for dimension 0 with size {0}"
    assert suspected(text.format(steps + 1), indexing.STEP_BEYOND)
    assert not suspected(text.format(steps + 3), indexing.STEP_BEYOND)
