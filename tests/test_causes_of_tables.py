"""Tables of embeddings whose rows or widths differ, in the messages with which weights are loaded, set and assigned.
Behind them: rows and maps that are joined, stacked, and compared with labels.

The texts are made up here, of numbers that are drawn; none is a report's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import (
    causes,
    classes,
    joining,
    relations,
    rows,
    samples,
    sizes,
    targets,
    vocabularies,
    weights,
)
from shapewatch.messages.faults.meeting.vectors import OTHER_ENTRIES

MESSAGES: Mapping[str, Callable[[int, int, int], str]] = {
    "torch": lambda saved, built, width: (
        f"size mismatch for text.embedding.weight: copying a param with shape torch.Size([{saved}, {width}]) from "
        f"checkpoint, the shape in current model is torch.Size([{built}, {width}])."
    ),
    "keras, set": lambda saved, built, width: (
        f"ValueError: Layer weight shape ({built}, {width}) not compatible with provided weight shape ({saved}, "
        f"{width})"
    ),
    "keras, named": lambda saved, built, width: (
        f"ValueError: Layer embedding_1 weight shape ({built}, {width}) is not compatible with provided weight shape "
        f"({saved}, {width})."
    ),
    "keras, assigned": lambda saved, built, width: (
        f"ValueError: Cannot assign value to variable ' embedding/embeddings:0': Shape mismatch.The variable shape "
        f"({built}, {width}), and the assigned value shape ({saved}, {width}) are incompatible."
    ),
    "tensorflow": lambda saved, built, width: (
        f"Assign requires shapes of both tensors to match. lhs shape= [{built},{width}] rhs shape= [{saved},{width}]\n"
        '\t [[Node: save/Assign_3 = Assign[T=DT_FLOAT, _class=["loc:@decoder/embedding"], use_locking=true]]]'
    ),
    "tensorflow, restored": lambda saved, built, width: (
        f"Received incompatible tensor with shape ({saved}, {width}) when attempting to restore variable with shape "
        f"({built}, {width}) and name embedding/embeddings."
    ),
}

ENTRIES = st.integers(1100, 90_000).filter(lambda rows: rows % 32)


@pytest.mark.parametrize("message", MESSAGES)
@given(rows=ENTRIES, more=st.integers(300, 5000), width=st.sampled_from([50, 100, 192, 300]))
def test_another_vocabulary(message: str, rows: int, more: int, width: int) -> None:
    assume(sizes.same_maps(rows, rows + more) is None)  # these may be two flattened maps as well
    text = MESSAGES[message](rows + more, rows, width)
    assert first(text) == vocabularies.OTHER_VOCABULARY.cause
    assert not suspected(text, vocabularies.COUNTED_APART) and not suspected(text, vocabularies.EMPTY_VOCABULARY)


@pytest.mark.parametrize("message", MESSAGES)
@given(rows=ENTRIES, more=st.sampled_from([-2, -1, 1, 2]))
def test_a_few_entries_are_counted_in_one_alone(message: str, rows: int, more: int) -> None:
    text = MESSAGES[message](rows + more, rows, 100)
    assert suspected(text, vocabularies.COUNTED_APART) and suspected(text, vocabularies.OTHER_VOCABULARY)
    assert explained(text).cause is None


@pytest.mark.parametrize("message", MESSAGES)
def test_a_vocabulary_without_entries(message: str) -> None:
    assert first(MESSAGES[message](0, 7000, 50)) == vocabularies.EMPTY_VOCABULARY.cause


def test_vectors_in_the_place_of_a_table() -> None:
    text = "ValueError: Layer weight shape (28000, 512) not compatible with provided weight shape (1, 21, 512)"
    assert first(text) == vocabularies.VECTORS_FOR_TABLE.cause


def test_word_vectors_of_another_width() -> None:
    text = "ValueError: Layer embedding weight shape (7001, 64) not compatible with provided weight shape (7001, 200)."
    assert suspected(text, vocabularies.OTHER_VECTORS)
    wide = text.replace("64)", "4096)").replace("200)", "5120)")
    assert not suspected(wide, vocabularies.OTHER_VECTORS)


@pytest.mark.parametrize("name", ["fc", "head.fc", "class_embed", "time_embed.0", "patch_embed.norm", "query_embed"])
def test_other_layers_are_no_vocabularies(name: str) -> None:
    assert not vocabularies.is_vocabulary(f"{name}.weight")


@pytest.mark.parametrize(
    "name", ["enc_p.emb.weight", "embedding/embeddings:0", "transformer.wte.weight", "lm_head.weight"]
)
def test_names_of_vocabularies(name: str) -> None:
    assert vocabularies.is_vocabulary(name)


def test_flattened_maps_are_no_vocabularies() -> None:
    text = "ValueError: Layer weight shape (12544, 128) not compatible with provided weight shape (3136, 128)"
    assert not suspected(text, vocabularies.OTHER_VOCABULARY)


def test_weights_that_are_set_come_from_no_checkpoint() -> None:
    headline = explained(MESSAGES["keras, named"](4001, 4000, 50)).headline
    assert (
        headline
        == "the given weights do not fit the model: embedding_1 is [4001, 50] as given and [4000, 50] in the model"
    )


def test_a_variable_is_told_with_the_layer_it_is_of() -> None:
    text = (
        "ValueError: Cannot assign value to variable ' dense_3/kernel:0': Shape mismatch.The variable shape (64, 7), "
        "and the assigned value shape (64, 5) are incompatible."
    )
    assert "dense_3/kernel:0 is [64, 5]" in explained(text).headline and suspected(text, weights.OTHER_CLASSES)


# What is joined


def joined(along: int, a: int, b: int) -> str:
    return (
        f"RuntimeError: Sizes of tensors must match except in dimension {along}. Expected size {a} but got size {b} "
        "for tensor number 1 in the list."
    )


@properties
@given(st.integers(1, 6), st.integers(1, 6))
def test_ranks_that_differ_are_told_as_ranks(one: int, other: int) -> None:
    assume(one != other)
    texts = (
        f"RuntimeError: Tensors must have same number of dimensions: got {one} and {other}",
        "ValueError: all the input arrays must have same number of dimensions, but the array at index 0 has "
        f"{one} dimension(s) and the array at index 1 has {other} dimension(s)",
    )
    for text in texts:
        assert first(text) == joining.RANKS_DIFFER.cause
        assert "ranks differ" in explained(text).headline


def test_numbers_without_an_axis_are_joined() -> None:
    text = "RuntimeError: zero-dimensional tensor (at position 0) cannot be concatenated"
    assert first(text) == joining.NUMBERS_JOINED.cause
    assert "no axis at all" in explained(text).headline


@properties
@given(st.integers(5, 300))
def test_a_batch_of_one_among_sequences_that_are_joined(batch: int) -> None:
    assume(batch != 77)
    for text in (joined(2, 1, batch), joined(2, batch, 1)):
        assert suspected(text, causes.SWAPPED) and suspected(text, joining.NOT_REPEATED)
        assert suspected(text, causes.LAST_BATCH if batch > 8 else causes.OTHER_BATCH)
    assert not suspected(joined(2, batch, batch + 1), joining.NOT_REPEATED)


@properties
@given(st.sampled_from([2, 3, 4, 5, 7, 8]), st.sampled_from([4, 5, 7, 8]))
def test_heads_of_queries_and_of_keys_are_joined(keys: int, times: int) -> None:
    heads = keys * times
    assume(12 <= heads <= 64 and heads % 4 == 0)
    assert suspected(joined(2, heads, keys), causes.KEY_HEADS)
    assert not suspected(joined(2, heads + 1, keys), causes.KEY_HEADS)


@properties
@given(st.sampled_from([32, 64, 128, 256]), st.integers(1, 250))
def test_what_is_left_of_a_batch_is_joined_with_a_full_one(batch: int, left: int) -> None:
    assume(5 <= left < batch - 4 and batch % left)
    assume(not (sizes.grid(batch) and sizes.grid(left)))  # these may be patches as well
    assert suspected(joined(1, batch, left), causes.LAST_BATCH)
    assert not suspected(joined(1, batch + 1, batch + 2), causes.LAST_BATCH)


@properties
@given(st.integers(1000, 90_000), st.integers(10, 900))
def test_rows_of_other_data_are_joined(rows_here: int, more: int) -> None:
    assume(rows_here % 64)
    assert suspected(joined(1, rows_here, rows_here + more), OTHER_ENTRIES)
    assert not suspected(joined(1, rows_here // 100 + 20, rows_here // 100 + 25), OTHER_ENTRIES)


@properties
@given(st.integers(2, 500), st.integers(2, 500), st.integers(2, 12))
def test_rows_of_as_many_columns_go_along_the_first_axis(one: int, other: int, columns: int) -> None:
    assume(one != other)
    text = (
        "InvalidArgumentError: ConcatOp : Dimensions of inputs should match: shape[0] = [{},{}] vs. shape[1] = [{},{}]"
    )
    assert suspected(text.format(one, columns, other, columns), joining.OTHER_AXIS)
    assert not suspected(text.format(one, columns, other, columns + 1), joining.OTHER_AXIS)


@properties
@given(st.integers(40, 300), st.integers(2, 9))
def test_both_sides_were_trimmed(side: int, twice: int) -> None:
    cut = side - 2 * twice
    assume(not sizes.ratio(side, cut))
    text = (
        "ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
        f"Received: input_shape=[(None, {cut}, {cut}, 64), (None, {side}, {side}, 32)]"
    )
    assert suspected(text, causes.NO_PADDING)


@properties
@given(st.integers(20, 90_000), st.integers(5, 90))
def test_rows_of_tables_are_joined_side_by_side(count: int, more: int) -> None:
    text = (
        "ValueError: all the input array dimensions except for the concatenation axis must match exactly, but along "
        "dimension {}, the array at index 0 has size {} and the array at index 1 has size {}"
    )
    assert suspected(text.format(0, count + more, count), OTHER_ENTRIES)
    assert not suspected(text.format(1, count + more, count), OTHER_ENTRIES)
    assert "axis 0 differs" in explained(text.format(0, count + more, count)).headline


@properties
@given(st.sampled_from([50, 100, 200, 300]), st.integers(310, 700))
def test_word_vectors_and_features_of_another_width_are_joined(vectors: int, width: int) -> None:
    assume(width % vectors and not (sizes.grid(vectors) and sizes.grid(width)))  # these may be patches as well
    assert suspected(joined(2, vectors, width), causes.OTHER_SETTING)


# What is stacked


def stacked(one: list[int], other: list[int]) -> str:
    return f"RuntimeError: stack expects each tensor to be equal size, but got {one} at entry 0 and {other} at entry 3"


@properties
@given(st.integers(10, 90), st.integers(1, 99))
def test_a_recording_that_is_shorter_than_the_clip(hundreds: int, less: int) -> None:
    clip = 1000 * hundreds
    assert suspected(stacked([clip], [clip - 10 * less - 1]), samples.BEYOND_THE_BORDER)
    assert not suspected(stacked([clip + 1], [clip - 10 * less - 1]), samples.BEYOND_THE_BORDER)


@properties
@given(st.integers(1, 60), st.sampled_from([4, 5, 6]))
def test_a_picture_without_objects(objects: int, columns: int) -> None:
    for empty in ([0], [0, columns]):
        assert first(stacked([objects, columns], empty)) == samples.EMPTY_SAMPLE.cause
    assert not suspected(stacked([objects, columns], [objects + 1, columns]), samples.EMPTY_SAMPLE)


@properties
@given(st.integers(32, 700), st.integers(32, 700), st.sampled_from([1, 3, 4]))
def test_pictures_of_both_layouts_are_stacked(height: int, width: int, colours: int) -> None:
    assert first(stacked([height, width, colours], [colours, height, width])) == causes.CHANNELS_LAST.cause
    if height != width:
        turned = stacked([height, width, colours], [width, height, colours])
        assert first(turned) != causes.CHANNELS_LAST.cause and suspected(turned, samples.ROTATED)


# Rows of labels


def compared(output: int, target: int) -> str:
    return f"ValueError: Expected input batch_size ({output}) to match target batch_size ({target})."


@properties
@given(st.integers(2, 200))
def test_three_colours_are_flattened_into_rows(batch: int) -> None:
    assert suspected(compared(3 * batch, batch), causes.COLOUR)
    assert not suspected(compared(2 * batch, batch), causes.COLOUR)


@properties
@given(st.integers(2, 200), st.sampled_from([4, 9, 5, 10, 6]))
def test_a_larger_input_fills_several_rows(batch: int, times: int) -> None:
    assert suspected(compared(times * batch, batch), causes.OTHER_INPUT_SIZE)
    assert suspected(compared(times * batch, batch), causes.SEVERAL_EACH) == (times in (5, 6, 10))


@properties
@given(st.sampled_from([32, 64, 128, 100]), st.integers(2, 120))
def test_an_output_for_a_full_batch(batch: int, left: int) -> None:
    assume(left < batch < 3 * left and batch % left)
    assert suspected(compared(batch, left), causes.LAST_BATCH)


@properties
@given(st.integers(9, 3000))
def test_a_list_of_arrays_is_fed(count: int) -> None:
    many = ", ".join(["28"] * count)
    texts = (
        f"ValueError: Data cardinality is ambiguous:\n  x sizes: {many}\n  y sizes: {count}\nMake sure all arrays "
        "contain the same number of samples.",
        "ValueError: Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.'x' sizes: "
        f"{many}\n'y' sizes: {count}",
    )
    for text in texts:
        assert first(text) == rows.LIST_OF_INPUTS.cause
    two = texts[0].replace(many, "28, 28")
    assert first(two) != rows.LIST_OF_INPUTS.cause


# Shapes of labels


def sized(output: list[int], target: list[int]) -> str:
    return f"ValueError: Target size (torch.Size({target})) must be the same as input size (torch.Size({output}))"


@properties
@given(st.integers(2, 64), st.integers(5, 60), st.integers(5, 60))
def test_a_picture_is_compared_with_a_flat_one(batch: int, height: int, width: int) -> None:
    flat, whole = [batch, height * width], [batch, 1, height, width]
    for text in (sized(flat, whole), sized(whole, flat)):
        assert first(text) == causes.ONE_FLATTENED.cause
    assert not suspected(sized([batch, height * width + 1], whole), causes.ONE_FLATTENED)


@properties
@given(st.integers(2, 500))
def test_each_sample_against_each_other(batch: int) -> None:
    for output in ([batch, 1], [batch]):
        assert suspected(sized(output, [batch, batch]), causes.TRAILING_ONE)


@properties
@given(st.integers(2, 64), st.integers(3, 200), st.integers(2, 9))
def test_labels_of_each_step_for_the_last_step_alone(batch: int, steps: int, features: int) -> None:
    assume(len({batch, steps, features}) == 3)
    assert suspected(sized([batch, features], [batch, steps, features]), targets.OUTPUT_IS_FLAT)
    assert not suspected(sized([batch, steps, features], [batch, features]), targets.OUTPUT_IS_FLAT)


@properties
@given(st.integers(2, 64), st.integers(6, 70))
def test_scores_of_patches_and_one_label(batch: int, side: int) -> None:
    assert suspected(sized([batch, 1, side, side], [batch]), targets.MAP_LEFT)
    assert suspected(sized([batch, 1, side, side], [batch, 1]), targets.MAP_LEFT)


@properties
@given(st.integers(2, 64))
def test_the_labels_of_one_sample_have_no_batch(count: int) -> None:
    assert suspected(sized([1, count], [count]), targets.WITHOUT_BATCH)
    assert not suspected(sized([2, count], [count]), targets.WITHOUT_BATCH)


@given(st.integers(5, 40))
def test_masks_with_an_axis_of_classes(count: int) -> None:
    text = (
        "RuntimeError: only batches of spatial targets supported (3D tensors) but got targets of size: [2, {}, 96, 96]"
    )
    assert first(text.format(count)) == causes.ONE_HOT.cause
    assert first(text.format(3)) == causes.MASK_CHANNELS.cause
    assert first(text.format(1)) == targets.MASK_OF_ONE.cause


@properties
@given(st.integers(2, 32), st.integers(8, 512), st.integers(8, 512), st.integers(2, 40))
def test_masks_with_an_axis_more_than_is_wanted(batch: int, height: int, width: int, count: int) -> None:
    assume(count not in (3, 4) and width not in (3, 4))
    text = f"RuntimeError: Expected target size [{batch}, {height}, {width}], got [{batch}, {{}}, {height}, {width}]"
    assert first(text.format(1)) == targets.MASK_OF_ONE.cause
    assert first(text.format(3)) == causes.MASK_CHANNELS.cause
    assert first(text.format(count)) == causes.ONE_HOT.cause


@properties
@given(st.integers(2, 64), st.integers(3, 30), st.integers(2, 50))
def test_rows_of_places_and_a_label_for_each_sample(batch: int, side: int, count: int) -> None:
    text = (
        f"ValueError: `labels.shape` must equal `logits.shape` except for the last dimension. Received: labels.shape="
        f"({batch},) and logits.shape=({batch * side * side}, {count})"
    )
    assert suspected(text, causes.NOT_POOLED) and suspected(text, causes.OTHER_INPUT_SIZE)
    assert "different numbers of rows" in explained(text).headline


@properties
@given(st.integers(2, 64), st.integers(2, 500))
def test_one_row_for_all_samples(count: int, batch: int) -> None:
    text = "logits and labels must have the same first dimension, got logits shape [{},{}] and labels shape [{}]"
    assert suspected(f"InvalidArgumentError: {text.format(1, count, batch)}", relations.MERGED_SAMPLES)
    assert suspected(f"InvalidArgumentError: {text.format(batch, count, 1)}", causes.MISSING_BATCH)


# Labels beyond the classes


def beyond(index: int, count: int) -> str:
    return f"InvalidArgumentError: Received a label value of {index} which is outside the valid range of [0, {count})."


@properties
@given(st.integers(1, 900))
def test_one_output_for_class_numbers(index: int) -> None:
    assert first(beyond(index, 1)) == targets.BINARY_OUTPUT.cause
    assert not suspected(beyond(index + 2, index + 2), targets.BINARY_OUTPUT)


@given(st.integers(2, 60))
def test_white_masks(count: int) -> None:
    assert suspected(beyond(255, count), classes.PIXEL_VALUES)
    assert suspected("IndexError: Target 255 is out of bounds.", classes.PIXEL_VALUES)
    assert not suspected(beyond(255, count), causes.FROM_ONE)
    assert suspected(beyond(count, count), causes.FROM_ONE)


@properties
@given(st.integers(1000, 300_000))
def test_labels_that_are_tokens(index: int) -> None:
    text = f"IndexError: Target {index} is out of bounds."
    assert suspected(text, vocabularies.OTHER_VOCABULARY) and suspected(text, vocabularies.COUNTED_APART)
    assert not suspected(f"IndexError: Target {index % 900} is out of bounds.", vocabularies.OTHER_VOCABULARY)
