"""What shapes have to do with each other, whatever was to be done with them: one relation, said in every fault.

The numbers are drawn, and beside each relation stand sizes that are not in it. None is a report's.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import causes, relations, sizes
from shapewatch.messages.faults.fed import EMPTY, NOT_RESHAPED
from shapewatch.messages.faults.model_input import NO_WHOLE_BATCH
from shapewatch.messages.faults.weight_names import SAVED_OTHERWISE
from shapewatch.messages.faults.weights import OTHER_CLASSES

long = st.integers(relations.LONG, 10**6)


def meeting(a: int, b: int, axis: int) -> str:
    return (
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton "
        f"dimension {axis}"
    )


def expanded(target: list[int], given: list[int], axis: int) -> str:
    return (
        f"RuntimeError: The expanded size of the tensor ({target[axis]}) must match the existing size "
        f"({given[axis - len(target)]}) at non-singleton dimension {axis}.  Target sizes: {target}.  Tensor sizes: "
        f"{given}"
    )


def written(value: list[int], place: list[int]) -> str:
    return (
        f"RuntimeError: shape mismatch: value tensor of shape {value} cannot be broadcast to indexing result of shape "
        f"{place}"
    )


def compared(output: list[int], target: list[int]) -> str:
    return f"ValueError: Target size (torch.Size({target})) must be the same as input size (torch.Size({output}))"


def fed(given: str, declared: str) -> str:
    return f"ValueError: Cannot feed value of shape {given} for Tensor 'Placeholder:0', which has shape '{declared}'"


def merged(first_shape: str, other: str) -> str:
    return f"ValueError: Operands could not be broadcast together with shapes ({first_shape}) ({other})"


# One is flat


@properties
@given(st.integers(13, 60), st.integers(2, 600), st.sampled_from([2, 3]))
def test_a_grid_against_all_its_places(side: int, times: int, axis: int) -> None:
    assume(side % 8 and side % 10)
    assert first(meeting(side, side * side * times, axis)) == causes.ONE_FLATTENED.cause
    assert not suspected(meeting(side, side * side * times + 1, axis), causes.ONE_FLATTENED)


@properties
@given(st.integers(3, 40), st.integers(3, 40), st.integers(41, 90))
def test_axes_that_were_made_one(rows: int, columns: int, channels: int) -> None:
    flat, whole = [channels, rows * columns], [channels, rows, columns]
    for text in (written(flat, whole), expanded(whole, flat, 2)):
        assert suspected(text, causes.ONE_FLATTENED), text
    assert not suspected(written([channels, rows * columns + 1], whole), causes.ONE_FLATTENED)


# Channels that are places


@properties
@given(st.integers(9, 90), st.integers(9, 90), st.integers(3, 500))
def test_a_channel_for_each_place_of_the_map(height: int, width: int, more: int) -> None:
    places = height * width
    assume(places % 32 and more != places)

    def convolved(channels: int, expected: int) -> str:
        return (
            f"RuntimeError: Given groups=1, weight of size [64, {expected}, 3, 3], expected input[1, {channels}, "
            f"{height}, {width}] to have {expected} channels, but got {channels} channels instead"
        )

    assert suspected(convolved(places, places + more), relations.PLACES_FOR_CHANNELS)
    assert suspected(convolved(places + more, places), relations.PLACES_FOR_CHANNELS)
    assert not suspected(convolved(places + 1, places + 1 + more), relations.PLACES_FOR_CHANNELS)


@given(st.sampled_from([8, 16, 32]))
def test_as_many_filters_as_places_by_chance(side: int) -> None:
    text = (
        f"RuntimeError: Given groups=1, weight of size [64, {2 * side * side}, 3, 3], expected input[1, {side * side}, "
        f"{side}, {side}] to have {2 * side * side} channels, but got {side * side} channels instead"
    )
    assert not suspected(text, relations.PLACES_FOR_CHANNELS)


# Nothing


@properties
@given(st.integers(1, 10**8), st.integers(1, 512))
def test_a_size_that_was_read_from_something_empty(count: int, width: int) -> None:
    def viewed(last: int) -> str:
        return f"RuntimeError: shape '[-1, {last}]' is invalid for input of size {count * (width + 1) + 1}"

    assert first(viewed(0)) == relations.SIZE_OF_NOTHING.cause
    assert not suspected(viewed(width + 1), relations.SIZE_OF_NOTHING)


@properties
@given(st.integers(8, 900))
def test_a_layer_for_nothing(width: int) -> None:
    def multiplied(rows: int) -> str:
        return f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x{width} and {rows}x10)"

    def taken(number: int) -> str:
        return (
            'ValueError: Input 0 of layer "head" is incompatible with the layer: expected axis -1 of input shape to '
            f"have value {number}, but received input with shape (None, {width})"
        )

    assert suspected(taken(0), relations.SIZE_OF_NOTHING)
    for text in (taken(width + 7), multiplied(width + 7)):
        assert not suspected(text, relations.SIZE_OF_NOTHING)


# One sample for many


@properties
@given(st.integers(2, 512), st.integers(2, 40))
def test_the_batch_was_merged_into_one_sample(batch: int, classes: int) -> None:
    assert first(compared([1, classes], [batch, classes])) == relations.MERGED_SAMPLES.cause
    assert not suspected(compared([batch, classes], [1, classes]), relations.MERGED_SAMPLES)
    assert not suspected(compared([2, classes], [batch + 1, classes]), relations.MERGED_SAMPLES)


# Channels first


@properties
@given(st.integers(4, 32), st.integers(40, 64), st.integers(5, 30))
def test_channels_stand_first_on_one_branch(quarter: int, side: int, other: int) -> None:
    channels = 4 * quarter
    assume(channels not in (side, other) and other != side)
    first_branch = f"{channels}, {side}, {side}"
    assert suspected(merged(first_branch, f"{channels}, 1, {channels}"), causes.CHANNELS_LAST)
    assert not suspected(
        f"RuntimeError: The size of tensor a ({side}) must match the size of tensor b ({other}) at non-singleton "
        "dimension 3",
        causes.CHANNELS_LAST,
    )


@properties
@given(st.integers(1, 12), st.integers(9, 60), st.integers(3, 40))
def test_a_map_that_looks_channels_first(eighth: int, side: int, expected: int) -> None:
    channels = 8 * eighth
    assume(side not in (channels, expected) and expected != channels)

    def taken(shape: str) -> str:
        return (
            'ValueError: Input 0 of layer "conv2d" is incompatible with the layer: expected axis -1 of input shape to '
            f"have value {expected}, but received input with shape {shape}"
        )

    assert suspected(taken(f"(None, {channels}, {side}, {side})"), causes.CHANNELS_LAST)
    assert not suspected(taken(f"(None, {side}, {side}, {channels})"), causes.CHANNELS_LAST)


# An axis of 1 more


@properties
@given(st.integers(2, 60), st.integers(2, 60))
def test_an_index_adds_an_axis(rows: int, columns: int) -> None:
    assume(rows != columns)
    assert first(written([rows, columns], [rows, 1, columns])) == relations.INDEX_ADDS_AXIS.cause
    assert suspected(expanded([rows, 1, columns], [rows, columns], 1), relations.INDEX_ADDS_AXIS)
    assert not suspected(written([rows, columns], [rows, columns + 1]), relations.INDEX_ADDS_AXIS)


# Sound


@properties
@given(long)
def test_stereo_wherever_it_stands(samples: int) -> None:
    for text in (
        fed(f"({samples}, 2)", f"({samples},)"),
        fed(f"(2, {samples})", f"(1, {samples})"),
        f"ValueError: could not broadcast input array from shape ({samples},2) into shape ({samples},)",
        f"ValueError: operands could not be broadcast together with shapes ({samples},2) ({samples},)",
        compared([1, 2, samples], [1, 1, samples]),
    ):
        assert suspected(text, causes.STEREO), text
    assert not suspected(fed(f"({samples}, 3)", f"({samples},)"), causes.STEREO)
    assert not suspected(fed(f"({samples}, 2)", "(?, 1)"), causes.STEREO)  # two columns of a table


# Images


@properties
@given(st.integers(16, 600), st.integers(16, 100), st.sampled_from([(3, 4), (4, 3), (4, 1), (3, 1), (1, 3)]))
def test_images_that_differ_in_their_channels_alone(side: int, more: int, channels: tuple[int, int]) -> None:
    came, wanted = channels
    cause = causes.ALPHA if 4 in channels else causes.COLOUR if came == 3 else causes.GREY
    for text in (
        compared([8, wanted, side, side + more], [8, came, side, side + more]),
        written([came, side, side + more], [wanted, side, side + more]),
    ):
        assert suspected(text, cause), text
    assert not suspected(written([came + 8, side, side + more], [wanted, side, side + more]), cause)


@properties
@given(st.integers(16, 600), st.integers(601, 900), st.sampled_from([1, 3, 4]))
def test_an_image_without_its_axis_of_channels(height: int, width: int, channels: int) -> None:
    for image in ([height, width, channels], [channels, height, width]):
        assert suspected(written([height, width], image), causes.MISSING_CHANNELS)
    assert not suspected(written([height, width], [height, width, channels + 4]), causes.MISSING_CHANNELS)


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: operands could not be broadcast together with shapes ({},) ({},)",
        "ValueError: could not broadcast input array from shape ({},) into shape ({},)",
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (900x{} and {}x64)",
    ],
)
def test_three_colours_and_four(text: str) -> None:
    assert suspected(text.format(4, 3), causes.ALPHA) and suspected(text.format(3, 4), causes.ALPHA)
    assert not suspected(text.format(5, 3), causes.ALPHA)


# Lengths, layouts, samples


@properties
@given(st.sampled_from(sorted(relations.MAXIMA)), st.integers(1, 40), st.integers(2, 16))
def test_a_length_that_is_set(most: int, more: int, batch: int) -> None:
    assume((most + more) % 8)
    other = next(size for size in range(most + 3, most + 9) if size not in relations.MAXIMA)

    def of_tokens(length: int) -> str:
        return compared([batch, length], [batch, most + more if length == most else length + more])

    assert suspected(of_tokens(most), causes.TOO_LONG)
    assert not suspected(of_tokens(other), causes.TOO_LONG)


@properties
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 4))
def test_prompts_of_several_parts(one: int, other: int, batch: int) -> None:
    assume(one != other)
    for text in (written([batch, 77 * one, 64], [batch, 77 * other, 64]), meeting(77 * one, 77 * other, 1)):
        assert suspected(text, causes.PROMPT_CHUNKS), text
    assert not suspected(meeting(77 * one, 77 * other + 1, 1), causes.PROMPT_CHUNKS)


@properties
@given(st.integers(2, 60), st.integers(61, 90), st.integers(91, 120), st.integers(1, 32))
def test_one_sample_and_a_batch(one: int, two: int, three: int, batch: int) -> None:
    sample, whole = [one, two, three], [batch, one, two, three]
    stacked = "RuntimeError: stack expects each tensor to be equal size, but got {} at entry 0 and {} at entry 1"
    assert suspected(stacked.format(sample, whole), causes.MISSING_BATCH)
    assert not suspected(stacked.format([one + 1, two, three], whole), causes.MISSING_BATCH)


@properties
@given(st.integers(2, 900), st.integers(2, 900))
def test_an_order_is_known_beside_an_unknown_batch(one: int, two: int) -> None:
    assume(one != two)
    assert sizes.is_reordered((None, one, two), (None, two, one))
    assert not sizes.is_reordered((None, one, two), (None, two, one + two))
    assert not sizes.is_reordered((None, one, None), (None, None, one))


@properties
@given(st.sampled_from(sorted(sizes.BINS)), st.sampled_from(sorted(sizes.MELS)), st.integers(2, 16))
def test_spectra_in_any_product(bins: int, mels: int, batch: int) -> None:
    def product(rows: int) -> str:
        return (
            f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [{batch}, {bins}] but got: "
            f"[{batch}, {rows}]."
        )

    assert suspected(product(mels), causes.OTHER_SPECTRUM)
    assert not suspected(product(mels + 3), causes.OTHER_SPECTRUM)


# Heads


@properties
@given(st.integers(8, 96), st.integers(1, 3), st.integers(2, 16))
def test_heads_are_repeated_on_one_side_only(side: int, parts: int, heads: int) -> None:
    def in_place(last: int, middle: int) -> str:
        return (
            f"RuntimeError: output with shape [1, {middle}, {last}] doesn't match the broadcast shape "
            f"[{heads}, {middle}, {last}]"
        )

    scores = in_place(77 * parts, side * side)
    assert first(scores) == relations.NOT_REPEATED_FOR_HEADS.cause and not suspected(scores, causes.ALPHA)
    assert not suspected(in_place(side + 200, side + 200), relations.NOT_REPEATED_FOR_HEADS)


# Steps


@properties
@given(st.integers(50, 3000))
def test_two_sequences_in_a_fixed_ratio(steps: int) -> None:
    def joined(other: int) -> str:
        return (
            f"RuntimeError: Sizes of tensors must match except in dimension 1. Expected size {steps} but got size "
            f"{other} for tensor number 1 in the list."
        )

    told = [suspect.cause for suspect in explained(joined(steps + 1)).suspects]
    assert told[0] == causes.ODD_SIZE.cause and relations.RATIO_ROUNDED.cause in told
    assert not suspected(joined(2 * steps), relations.RATIO_ROUNDED)


# What is read at all


@properties
@given(st.integers(11, 999), st.integers(2, 64), st.integers(3, 400))
def test_a_number_that_a_line_break_tore(channels: int, side: int, other: int) -> None:
    assume(other != channels)
    torn = f"{str(channels)[0]} {str(channels)[1:]}"
    text = (
        f"ValueError: Dimensions must be equal, but are {channels} and {other} for 'block/add' (op: 'Add') with input "
        f"shapes: [8,{side},{side},{{}}], [8,{side},{side},{other}]."
    )
    assume(str(channels)[1] != "0")
    assert explained(text.format(torn)).headline == explained(text.format(channels)).headline


@properties
@given(st.integers(10, 999), st.integers(10, 999), st.integers(2, 64))
def test_sizes_that_stand_apart_by_blanks_are_several(one: int, two: int, side: int) -> None:
    """Nothing else in the message tells that a number was torn."""
    text = (
        f"ValueError: Dimensions must be equal, but are {side} and {side + 1} for 'block/add' (op: 'Add') with input "
        f"shapes: [8,{side},{one} {two}], [8,{side + 1},{one},{two}]."
    )
    assert f"[8, {side}, {one}, {two}]" in explained(text).headline


@properties
@given(st.integers(2, 60), st.integers(61, 200))
def test_a_node_that_was_cut_to_its_name(rows: int, columns: int) -> None:
    def cut(node: str) -> str:
        return (
            f"ValueError: Dimensions must be equal, but are {rows} and {columns} for '{{{{node {node}}}}}' with input "
            f"shapes: [?,{rows}], [{columns},10]."
        )

    assert explained(cut("dense/MatMul_1")).code == "SW101"
    assert f"[?, {rows}] and [{columns}, 10]" in explained(cut("Equal")).headline


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: Expect x to be a non-empty array or dataset.",
        "ValueError: Unexpected result of `predict_function` (Empty batch_outputs). Please use `Model.compile(..., "
        "run_eagerly=True)`",
    ],
)
def test_no_batch_at_all(text: str) -> None:
    assert first(text) == EMPTY.cause and suspected(text, NO_WHOLE_BATCH)


@properties
@given(st.integers(2, 10**5))
def test_a_last_axis_of_one_is_missing(rows: int) -> None:
    text = fed(f"({rows},)", "(?, 1)")
    assert first(text) == causes.TRAILING_ONE.cause and not suspected(text, NOT_RESHAPED)
    assert not suspected(fed(f"({rows},)", "(?, 7)"), causes.TRAILING_ONE)


@properties
@given(st.integers(2, 64).map(lambda width: 64 * width), st.integers(2, 99), st.integers(100, 10**5))
def test_a_matrix_may_be_labels_or_a_weight(width: int, few: int, many: int) -> None:
    def unlike(rows: int) -> str:
        return f"ValueError: Shapes ({rows}, {few}) and ({rows}, {many}) are incompatible"

    assert suspected(unlike(width), causes.CLASS_COUNT) and suspected(unlike(width), OTHER_CLASSES)
    assert "weight" in explained(unlike(width)).headline
    assert "weight" not in explained(unlike(width + 1)).headline


def test_a_file_with_nothing_of_this_backend() -> None:
    text = "ValueError: You are trying to load a weight file containing 0 layers into a model with {} layers"
    assert all(suspected(text.format(layers), SAVED_OTHERWISE) for layers in (2, 16, 150))
    assert not suspected(text.format(16).replace("containing 0", "containing 9"), SAVED_OTHERWISE)


def test_heads_without_numbers() -> None:
    assert explained("ValueError: hidden_size should be divisible by num_heads.").code == "SW103"
