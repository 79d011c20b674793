"""What patterns of numbers say: roundings, crops, widths of encoders, counts for each token, parts that are missing.

The texts are made up here, of numbers that are drawn; none is a report's.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.suspects import explained, first, suspected

from shapewatch.messages.faults import (
    causes,
    expanding,
    norm,
    products,
    rank,
    rounding,
    rows,
    samples,
    sizes,
    splitting,
    weights,
    windows,
)
from shapewatch.messages.faults.joining import NOT_REPEATED
from shapewatch.messages.faults.meeting.classes import OTHER_CLASSES
from shapewatch.messages.faults.reshaping import NOT_THE_SETTING

properties = settings(deadline=None, derandomize=True, max_examples=40)


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
    assert suspected(text, weights.OTHER_CLASSES) or suspected(text, weights.OTHER_VARIANT)
    fed = text.replace(f"[{units},", "[?,")
    assert not suspected(fed, weights.OTHER_VARIANT) and not suspected(fed, samples.OLD_ORDER)
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
