"""What whole shapes say: axes that are missing or made one, one number for each sample, nothing at all, crops, spectra.

The texts are made up here, of numbers that are drawn; none is a report's.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, properties, suspected

from shapewatch.messages.faults import (
    attention,
    batched,
    causes,
    fed,
    indexing,
    model_input,
    norm,
    operations,
    products,
    samples,
    sizes,
    targets,
    weight_names,
    weights,
)
from shapewatch.messages.faults.elementwise import MATRIX_PRODUCT, VECTOR_FOR_MATRIX
from shapewatch.messages.faults.meeting import NO_KEEPDIM, ONE_PER_SAMPLE
from shapewatch.messages.faults.meeting.vectors import OTHER_ENTRIES

BATCHES = st.sampled_from([4, 8, 12, 16, 32, 64])
SIDES = st.integers(65, 400)


def expanded(given: str, target: str, had: int, wanted: int, axis: int) -> str:
    return (
        f"RuntimeError: The expanded size of the tensor ({wanted}) must match the existing size ({had}) at "
        f"non-singleton dimension {axis}.  Target sizes: [{target}].  Tensor sizes: [{given}]"
    )


def incompatible(left: str, right: str) -> str:
    return f"InvalidArgumentError: Incompatible shapes: [{left}] vs. [{right}]"


def saved(*pairs: tuple[str, str, str]) -> str:
    lines = [
        f"\tsize mismatch for {name}: copying a param with shape torch.Size([{one}]) from checkpoint, the shape in "
        f"current model is torch.Size([{other}])."
        for name, one, other in pairs
    ]
    return "\n".join(["RuntimeError: Error(s) in loading state_dict for Net:", *lines])


# One number for each sample


@properties
@given(BATCHES, st.sampled_from([3, 6]), SIDES, st.booleans())
def test_one_number_for_each_sample(batch: int, channels: int, side: int, column: bool) -> None:
    one = f"{batch}, 1" if column else f"{batch}"
    first_last = expanded(one, f"{batch}, {channels}, {side}, {side}", batch, side, 2 if column else 3)
    assert first(first_last) == ONE_PER_SAMPLE.cause
    assert not suspected(first_last, causes.TOO_LONG) and explained(first_last).cause is None
    assert first(incompatible(one, f"{batch},{side},{side},{channels}")) == ONE_PER_SAMPLE.cause
    assert first(incompatible(f"{batch},{side},{side},{channels}", one)) == ONE_PER_SAMPLE.cause
    volumes = f"{batch},{side},{side},{side},{channels}"
    assert suspected(incompatible(one, volumes), ONE_PER_SAMPLE)
    other = one.replace(str(batch), str(batch + 1), 1)
    assert not suspected(incompatible(other, f"{batch},{side},{side},{channels}"), ONE_PER_SAMPLE)
    assert not suspected(incompatible(one, f"{batch},{side}"), ONE_PER_SAMPLE)


@properties
@given(st.integers(2, 60), st.integers(2, 60), st.integers(2, 60))
def test_a_value_that_lacks_an_axis_in_the_middle(batch: int, steps: int, width: int) -> None:
    assume(len({batch, steps, width}) == 3)
    text = incompatible(f"{batch},{steps},{width}", f"{batch},{width}")
    assert first(text) == NO_KEEPDIM.cause and suspected(text, causes.NOT_POOLED)
    assert not suspected(incompatible(f"{batch},{steps},{width}", f"{batch},{width + 61}"), NO_KEEPDIM)


@properties
@given(st.integers(3, 8), st.integers(20_000, 400_000))
def test_an_axis_of_one_and_the_others_swapped(channels: int, length: int) -> None:
    text = expanded(f"1, {length}, {channels}", f"{channels}, {length}", length, channels, 0)
    assert first(text) == causes.SWAPPED.cause
    plain = expanded(f"1, {channels}, {length + 1}", f"{channels}, {length}", length + 1, length, 1)
    assert not suspected(plain, causes.SWAPPED)


# Axes that were made one


@properties
@given(st.integers(2, 64), st.integers(2, 64), st.integers(2, 40))
def test_one_side_is_flattened(batch: int, steps: int, classes: int) -> None:
    assume(batch != steps)
    whole = incompatible(f"{batch * steps}", f"{batch},{steps}")
    assert first(whole) == causes.ONE_FLATTENED.cause and suspected(whole, targets.NAMED_METRIC)
    assert first(incompatible(f"{batch},{steps}", f"{batch * steps}")) == causes.ONE_FLATTENED.cause
    rows = incompatible(f"{batch * steps},{classes}", f"{batch},{steps},{classes}")
    assert suspected(rows, causes.ONE_FLATTENED) and not suspected(rows, targets.NAMED_METRIC)
    assert not suspected(incompatible(f"{batch * steps + 1}", f"{batch},{steps}"), targets.WRONG_FLATTEN)


@given(st.lists(st.integers(2, 30), min_size=2, max_size=5).map(tuple), st.data())
def test_neighbouring_axes_are_merged(shape: tuple[int, ...], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shape) - 2))
    end = data.draw(st.integers(start + 2, len(shape)))
    merged = (*shape[:start], sizes.product(shape[start:end]) or 0, *shape[end:])
    assert sizes.is_merged(merged, shape)
    assert not sizes.is_merged(shape, shape) and not sizes.is_merged((*merged[:-1], merged[-1] + 1), shape)
    assert not sizes.is_merged(merged, (*shape[:-1], None))


def test_an_axis_of_one_is_lost_and_not_merged() -> None:
    assert not sizes.is_merged((8, 5), (8, 5, 1)) and not sizes.is_merged((8, 5), (8, 1, 5))


# Nothing


@properties
@given(st.integers(1, 64), st.integers(2, 30))
def test_no_labels(batch: int, columns: int) -> None:
    def against(target: str, output: str) -> str:
        return (
            f"ValueError: Target size (torch.Size([{target}])) must be the same as input size (torch.Size([{output}]))"
        )

    whole = f"{batch}, {columns}"
    assert first(against(f"0, {columns}", whole)) == targets.NO_LABELS.cause
    assert first(against(f"{batch}, 0", whole)) == targets.NO_LABELS.cause
    assert first(against(whole, f"0, {columns}")) == targets.NO_OUTPUT.cause
    other = against(f"{batch}, {columns + 1}", whole)
    assert not suspected(other, targets.NO_LABELS) and not suspected(other, targets.NO_OUTPUT)
    rows = f"ValueError: Expected input batch_size ({batch}) to match target batch_size (0)."
    assert first(rows) == targets.NO_LABELS.cause


@properties
@given(st.integers(2, 300))
def test_no_values_to_reshape(side: int) -> None:
    text = f"ValueError: cannot reshape array of size 0 into shape ({side},{side})"
    assert first(text) == operations.NOTHING_COLLECTED.cause and suspected(text, fed.EMPTY)
    assert not suspected(text.replace("size 0 ", f"size {side} "), operations.NOTHING_COLLECTED)


@pytest.mark.parametrize(
    "said", ["index {} is out of bounds for dimension 1 with size {}", "indices[3] = {} is not in [0, {})"]
)
@given(st.integers(0, 300))
def test_nothing_to_choose_from(said: str, index: int) -> None:
    text = f"IndexError: {said}"
    assert first(text.format(index, 0)) == operations.NOTHING_COLLECTED.cause
    assert "which is empty" in explained(text.format(index, 0)).headline
    assert not suspected(text.format(index + 1, index + 1), operations.NOTHING_COLLECTED)


@properties
@given(st.integers(2, 300), st.integers(2, 60))
def test_an_index_beyond_an_axis_is_no_matter_of_vocabularies_alone(size: int, more: int) -> None:
    text = f"IndexError: index {size + more} is out of bounds for dimension 1 with size {size}"
    assert first(text) in (indexing.SHORTER.cause, indexing.BORDER.cause) and suspected(text, causes.CLASS_COUNT)
    assert first(f"InvalidArgumentError: indices[3] = {size + more} is not in [0, {size})") != indexing.SHORTER.cause


@properties
@given(SIDES, SIDES, st.sampled_from([3, 4]))
def test_an_image_beside_one_without_colours(height: int, width: int, colours: int) -> None:
    def beside(image: str, grey: str) -> str:
        return f"ValueError: operands could not be broadcast together with shapes ({image}) ({grey})"

    text = beside(f"{height},{width},{colours}", f"{height},{width}")
    assert first(text) == causes.MISSING_CHANNELS.cause and suspected(text, causes.GREY)
    assert not suspected(beside(f"{height},{width},{colours}", f"{height + 9},{width}"), causes.GREY)
    assert not suspected(incompatible(f"{height},{width},{colours}", f"{height},{width}"), causes.GREY)


# Labels, metrics


@properties
@given(st.integers(2, 40), st.integers(2, 40))
def test_labels_and_output_are_tested_for_equality(one: int, other: int) -> None:
    assume(one != other)
    text = (
        f"ValueError: Dimensions must be equal, but are {one} and {other} for '{{{{node Equal}}}} = Equal[T=DT_INT64, "
        f"incompatible_shape_error=true](ArgMax, Cast)' with input shapes: [?,{one}], [?,{other}]."
    )
    assert explained(text).code == "SW801" and suspected(text, targets.NAMED_METRIC)
    assert not suspected(text.replace("Equal", "AddV2"), targets.NAMED_METRIC)


@properties
@given(BATCHES, st.integers(2, 30), st.integers(31, 90))
def test_class_numbers_beside_scores_for_each_step(batch: int, classes: int, steps: int) -> None:
    assume(batch != steps)
    text = incompatible(f"{batch},{steps}", f"{batch},{steps},{classes}")
    assert suspected(text, causes.ONE_HOT)
    assert not suspected(incompatible(f"{batch},{steps}", f"{batch},{steps + 1},{classes}"), causes.ONE_HOT)


@properties
@given(st.integers(1, 16), st.integers(16, 512), st.integers(16, 512))
def test_square_maps_of_other_sides(batch: int, one: int, other: int) -> None:
    assume(one != other)

    def against(target: str, output: str) -> str:
        return (
            f"ValueError: Target size (torch.Size([{target}])) must be the same as input size (torch.Size([{output}]))"
        )

    assert first(against(f"{batch}, {one}, {one}", f"{batch}, {other}, {other}")) == targets.OTHER_MAP.cause
    assert first(against(f"{batch}, 9, {one}", f"{batch}, 9, {other}")) != targets.OTHER_MAP.cause


# Products of two matrices by the batched operation


@properties
@given(st.integers(2, 64), st.integers(2, 900), st.integers(2, 900))
def test_a_batched_product_of_two_matrices_has_no_batch(rows: int, one: int, other: int) -> None:
    assume(one != other)
    text = f"InvalidArgumentError: In[0] mismatch In[1] shape: {one} vs. {other}: [{rows},{one}] [{other},7] 0 0"
    assert explained(text).code == "SW101" and not suspected(text, causes.LAST_BATCH)
    volumes = text.replace(f"[{rows},", f"[3,{rows},").replace(f"[{other},7]", f"[3,{other},7]")
    assert explained(volumes).code == "SW105"


# Samples


@properties
@given(st.integers(16, 512), st.integers(1, 300), st.integers(1, 300), st.sampled_from([1, 3]), st.booleans())
def test_a_crop_at_the_border(crop: int, height: int, width: int, channels: int, cut: bool) -> None:
    assume(height <= crop and width <= crop and (height, width) != (crop, crop))
    entries = f"[{channels}, {crop}, {crop}] at entry 0 and [{channels}, {height}, {width}]"
    text = f"RuntimeError: stack expects each tensor to be equal size, but got {entries}" + (
        "" if cut else " at entry 3"
    )
    assert f"[{channels}, {height}, {width}]" in explained(text).headline
    assert suspected(text, samples.BEYOND_THE_BORDER)
    larger = text.replace(f"{height}, {width}]", f"{crop + 7}, {crop + 9}]")
    assert not suspected(larger, samples.BEYOND_THE_BORDER)


@properties
@given(st.integers(16, 200), st.integers(1, 40))
def test_a_volume_that_is_cut_off(side: int, less: int) -> None:
    assume(less < side)
    text = (
        f"RuntimeError: stack expects each tensor to be equal size, but got [1, {side}, {side}, {side}] at entry 0 and "
        f"[1, {side}, {side}, {side - less}] at entry 1"
    )
    assert first(text) == samples.BEYOND_THE_BORDER.cause


@properties
@given(st.integers(130, 1000), st.integers(130, 1000))
def test_values_of_two_parts_of_a_data_set(one: int, other: int) -> None:
    assume(one != other and not {one, other} & {256, 512})
    assert suspected(incompatible(str(one), str(other)), OTHER_ENTRIES)
    assert not suspected(incompatible("64", "37"), OTHER_ENTRIES)


# Sound


@properties
@given(st.sampled_from([80, 100, 128, 160]), st.sampled_from([201, 257, 513, 1025]), st.integers(1, 2))
def test_bands_in_the_place_of_bins(bands: int, bins: int, parts: int) -> None:
    def convolved(taken: int, come: int) -> str:
        return (
            f"RuntimeError: Given groups=1, weight of size [256, {taken}, 3], expected input[1, {come}, 211] to have "
            f"{taken} channels, but got {come} channels instead"
        )

    bins *= parts
    assert first(convolved(bins, bands)) == causes.OTHER_SPECTRUM.cause
    assert first(convolved(bands, bins)) == causes.OTHER_SPECTRUM.cause
    assert first(saved(("prenet.weight", f"256, {bins}", f"256, {bands}"))) == causes.OTHER_SPECTRUM.cause
    product = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (9x{bands} and {bins}x256)"
    assert first(product) == causes.OTHER_SPECTRUM.cause
    assert not suspected(convolved(bins + 3, bands), causes.OTHER_SPECTRUM)
    assert not suspected(product.replace(f"x{bands} ", "x77 "), causes.OTHER_SPECTRUM)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_which_numbers_are_spectra(a: int, b: int) -> None:
    assert (sizes.spectra(a, b) is None) == (sizes.spectra(b, a) is None)
    assert sizes.spectra(a, a) is None and sizes.spectra(a, None) is None


def test_filters_are_no_bands() -> None:
    assert not any(sizes.spectra(a, b) for a in (64, 128, 256, 512) for b in (64, 128, 256, 512))


@properties
@given(st.sampled_from(["feats", "wav", "input_audio", "speech", "mel_spec"]), st.integers(0, 2))
def test_mono_by_the_name_of_an_input(name: str, axis: int) -> None:
    def fed_to(tensor: str) -> str:
        return (
            f"[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: {tensor} for the following "
            f"indices\n index: {axis} Got: 2 Expected: 1\n Please fix either the inputs or the model."
        )

    assert suspected(fed_to(name), causes.STEREO)
    assert not suspected(fed_to("tokens"), causes.STEREO)


def test_the_first_axis_may_hold_two_channels_of_sound() -> None:
    text = "RuntimeError: The size of tensor a ({}) must match the size of tensor b (1) at non-singleton dimension 0"
    assert suspected(text.format(2), causes.STEREO) and not suspected(text.format(5), causes.STEREO)


@properties
@given(st.integers(1, 5), st.integers(17, 900), st.integers(17, 900))
def test_a_size_fixed_at_export_is_no_proof(axis: int, expected: int, got: int) -> None:
    assume(expected != got)
    text = (
        "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: x for the following indices\n "
        f"index: {axis} Got: {got} Expected: {expected}\n Please fix either the inputs or the model."
    )
    assert first(text) == model_input.STATIC_EXPORT.cause.format(expected=expected, got=got)
    assert explained(text).cause is None
    side = f" index: {axis} Got: {got} Expected: {expected}"
    both = text.replace(side, f"{side}\n index: {axis + 1} Got: {got + 16} Expected: {expected + 16}")
    assert f"axis {axis + 1} must be {expected + 16}" in explained(both).headline


# Saved weights


@properties
@given(st.integers(2, 20), st.integers(2, 20))
def test_a_list_of_another_data_set(one: int, other: int) -> None:
    assume(one != other)
    told = weights.OTHER_LIST.cause.format(checkpoint=one, model=other)
    assert first(saved(("to_style.weight", f"64, {one}", f"64, {other}"))) == told
    agent = saved(("l1.weight", f"256, {one}", f"256, {other}"), ("l3.weight", "6, 256", "3, 256"))
    assert suspected(agent, weights.OTHER_LIST)
    wide = saved(("to_style.weight", f"64, {one + 100}", f"64, {other + 100}"))
    assert not suspected(wide, weights.OTHER_LIST)


@properties
@given(st.sampled_from([4, 8, 16]), st.sampled_from([32, 64, 128]), st.sampled_from(["lora_A", "lora_down"]))
def test_an_adapter_of_another_rank(one: int, other: int, name: str) -> None:
    assert first(saved((f"q.{name}.weight", f"{one}, 4096", f"{other}, 4096"))).startswith("the adapter's rank")
    assert not suspected(saved(("q.weight", f"{one}, 4096", f"{other}, 4096")), weights.OTHER_RANK)


@properties
@given(st.integers(2, 60))
def test_one_layer_that_holds_a_network(layers: int) -> None:
    def counted(file: int, model: int) -> str:
        return (
            f"ValueError: You are trying to load a weight file containing {file} layers into a model with {model} "
            "layers."
        )

    assert first(counted(1, layers)) == first(counted(layers, 1)) == weight_names.AS_ONE_LAYER.cause
    assert first(counted(layers + 3, layers + 5)) == weight_names.NO_TOP.cause


@pytest.mark.parametrize(
    "counted", ["expected 1 variables, but received {} variables", "expected {} variables, but received 1 variables"]
)
def test_one_variable_holds_no_network(counted: str) -> None:
    assert not suspected(f"ValueError: Layer 'c' {counted.format(2)} during loading.", weight_names.AS_ONE_LAYER)


@properties
@given(st.integers(400, 4000), st.integers(1, 900), st.sampled_from([16, 32]))
def test_inputs_that_stand_first(inputs: int, more: int, outputs: int) -> None:
    graph = saved(("g1.weight", f"{inputs}, {outputs}", f"{inputs + more}, {outputs}"))
    assert suspected(graph, weights.OTHER_WIDTH)
    generator = saved(("up.0.weight", "100, 512, 4, 4", "128, 512, 4, 4"))
    assert suspected(generator, weights.OTHER_WIDTH)
    plain = saved(("up.0.weight", "100, 512, 3, 3", "128, 512, 3, 3"))
    assert not suspected(plain, weights.OTHER_WIDTH)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_after_the_full_stop(blank: str) -> None:
    text = (
        f"ValueError: Cannot assign value to variable 'd/kernel': Shape mismatch.{blank}The variable shape (512, 10), "
        "and the assigned value shape (512, 1000) are incompatible."
    )
    assert explained(text).code == "SW901"


@properties
@given(st.sampled_from([(3, 3), (5, 5), (7, 7)]), st.sampled_from([224, 240, 320, 480]), st.sampled_from([32, 64]))
def test_a_side_taken_for_colours(kernel: tuple[int, int], side: int, filters: int) -> None:
    def assigned(one: str, other: str) -> str:
        return (
            f"ValueError: Dimension 2 in both shapes must be equal, but are 1 and 2 for 'Assign_3' (op: 'Assign') with "
            f"input shapes: [{one}], [{other}]."
        )

    height, width = kernel
    text = assigned(f"{height},{width},{side},{filters}", f"{height},{width},{filters},3")
    assert suspected(text, causes.CHANNELS_LAST)
    inner = assigned(f"{height},{width},128,{filters}", f"{height},{width},256,{filters}")
    assert not suspected(inner, causes.CHANNELS_LAST)


# Declared, pooled, joined


@properties
@given(st.integers(2, 4), st.lists(st.integers(2, 300), min_size=1, max_size=3))
def test_two_open_axes_in_front(wanted: int, rest: list[int]) -> None:
    assume(len(rest) == wanted - 1)

    def refused(shape: str) -> str:
        return (
            f'ValueError: Input 0 of layer "norm" is incompatible with the layer: expected ndim={wanted}, found '
            f"ndim={wanted + 1}. Full shape received: ({shape})"
        )

    tail = ", ".join(map(str, rest))
    assert suspected(refused(f"None, None, {tail}"), fed.DECLARED_MORE)
    assert first(refused(f"None, None, {tail}")) != first(refused(f"32, 9, {tail}"))


@properties
@given(st.sampled_from([256, 512, 1024, 2048]), st.sampled_from([3, 4, 5, 7, 8]))
def test_a_map_that_was_pooled_for_a_dense_layer(width: int, side: int) -> None:
    def dense(taken: int, came: int) -> str:
        return (
            "ValueError: Input 0 of layer dense is incompatible with the layer: expected axis -1 of input shape to "
            f"have value {taken} but received input with shape (None, {came})"
        )

    assert suspected(dense(width * side * side, width), products.POOLED)
    assert not suspected(dense(width, width * side * side), products.POOLED)


@properties
@given(st.integers(100, 900), st.integers(4, 40))
def test_a_condition_that_is_not_joined(width: int, classes: int) -> None:
    assume(width % 64 and (width + classes) % 64)
    text = f"RuntimeError: mat1 and mat2 shapes cannot be multiplied (16x{width} and {width + classes}x256)"
    assert suspected(text, products.NOT_JOINED)
    assert not suspected(text.replace(f"{width + classes}x", f"{width + 90}x"), products.NOT_JOINED)


@pytest.mark.parametrize("channels", [1, 3])
@given(st.integers(30, 300), st.integers(2, 64))
def test_labels_for_images(channels: int, side: int, batch: int) -> None:
    text = f"ValueError: Shapes ({batch}, 10) and ({batch}, {side}, {side}, {channels}) are incompatible"
    assert suspected(text, targets.LABELS_FOR_IMAGES) == (channels == 3)


# Products: what stands before and behind a layer


def multiplied(left: tuple[int, int], right: tuple[int, int]) -> str:
    rows, come = left
    taken, given_ = right
    return f"RuntimeError: mat1 and mat2 shapes cannot be multiplied ({rows}x{come} and {taken}x{given_})"


@properties
@given(st.integers(25, 200).map(lambda size: 4 * size), st.integers(66, 127), st.integers(2, 60))
def test_a_layer_between_is_left_out(come: int, taken: int, outputs: int) -> None:
    assume(2 * taken <= come <= 8 * taken and come % taken and not sizes.same_maps(come, taken))
    assert suspected(multiplied((4, come), (taken, outputs)), products.LEFT_OUT)
    growing = explained(multiplied((4, come), (taken, 2 * come)))
    assert products.LEFT_OUT.cause not in [each.cause for each in growing.suspects]


@properties
@given(st.integers(512, 5000), st.sampled_from([(3, 6), (6, 3), (3, 9), (9, 6), (4, 7)]))
def test_points_with_and_without_what_is_joined(points: int, widths: tuple[int, int]) -> None:
    come, taken = widths
    assert first(multiplied((points, come), (taken, 64))) == products.NOT_JOINED.cause
    assert first(multiplied((1, come), (taken, 64))) != products.NOT_JOINED.cause


@properties
@given(st.integers(10, 300), st.sampled_from([3, 6]))
def test_coordinates_beside_their_encoding(width: int, extra: int) -> None:
    assume(width % 64 and (width + extra) % 64)
    assert suspected(multiplied((1024, width + extra), (width, 256)), products.NOT_JOINED)


@properties
@given(st.integers(601, 5000), st.integers(41, 5000))
def test_a_matrix_over_the_nodes_of_another_graph(nodes: int, others: int) -> None:
    assume(nodes % 32 and nodes != others and not sizes.ratio(nodes, others) and nodes * nodes % others)
    assert suspected(multiplied((nodes, nodes), (others, 17)), products.OTHER_GRAPH)
    assert not suspected(multiplied((nodes - 1, nodes), (others, 17)), products.OTHER_GRAPH)


@properties
@given(st.integers(2000, 50_000), st.integers(50, 400).filter(lambda size: size % 64))
def test_words_that_a_vectoriser_counted_anew(words: int, fewer: int) -> None:
    assume(words % 64 and (words - fewer) % 64 and not sizes.same_maps(words, words - fewer))
    text = (
        'ValueError: Input 0 of layer "dense" is incompatible with the layer: expected axis -1 of input shape to have '
        f"value {words}, but received input with shape (None, {words - fewer})"
    )
    assert suspected(text, causes.OTHER_COLUMNS)


@properties
@given(st.sampled_from([64, 128, 192, 256, 320]), st.integers(5, 40))
def test_all_steps_for_one_and_one_for_all(width: int, steps: int) -> None:
    assume(sizes.root(steps) is None and width >= 128)
    assert suspected(multiplied((32, steps * width), (width, 10)), products.FLATTENED_EARLY)
    assert suspected(multiplied((3, width), (steps * width, 10)), products.POOLED)


@properties
@given(st.sampled_from([7, 13, 28, 40, 80]), st.integers(4, 60))
def test_steps_side_by_side_for_a_recurrent_layer(features: int, steps: int) -> None:
    text = f"RuntimeError: input.size(-1) must be equal to input_size. Expected {features}, got {{}}"
    assert suspected(text.format(features * steps), products.FLATTENED_EARLY)
    assert not suspected(text.format(features * steps + 1), products.FLATTENED_EARLY)
    assert suspected(text.format(features * steps + 1), causes.SWAPPED)


# Attention, batched products, norms


@properties
@given(st.integers(2, 64), st.integers(2, 300))
def test_a_padding_mask_stands_the_other_way_round(batch: int, keys: int) -> None:
    assume(batch != keys)

    def refused(got: tuple[int, int]) -> str:
        return (
            f"AssertionError: expecting key_padding_mask shape of ({batch}, {keys}), but got torch.Size([{got[0]}, "
            f"{got[1]}])"
        )

    turned, longer = refused((keys, batch)), refused((batch, keys + 1))
    assert first(turned) == attention.BATCH_FIRST.cause and suspected(turned, causes.SWAPPED)
    assert first(longer) == causes.OTHER_LENGTH.cause
    assert f"[{keys}, {batch}]" in explained(turned).headline
    apart = f"RuntimeError: Expected key_padded_mask.shape[0] to be {batch}, but got {keys}"
    assert first(apart) == attention.BATCH_FIRST.cause and f"{keys}" in explained(apart).headline


@properties
@given(st.integers(3, 200), st.integers(3, 200))
def test_a_mask_of_the_other_attention(queries: int, keys: int) -> None:
    assume(sizes.ratio(queries, keys) != 2 and queries != keys)
    text = "RuntimeError: The shape of the 2D attn_mask is torch.Size([{}, {}]), but should be ({}, {})."
    for side in (queries, keys):
        assert first(text.format(side, side, queries, keys)) == attention.MASK_OF_OTHER.cause
    assert first(text.format(keys, queries, queries, keys)) == attention.MASK_OF_OTHER.cause
    assert not suspected(text.format(queries, queries, keys, keys), attention.MASK_OF_OTHER)


@properties
@given(st.integers(2, 64), st.integers(2, 64), st.integers(2, 64))
def test_letters_of_remapped_shapes(batch: int, a: int, b: int) -> None:
    assume(a != b)
    text = (
        "RuntimeError: einsum(): operands do not broadcast with remapped shapes [original->remapped]: "
        f"[{batch}, 7, {a}]->[{batch}, 7, 1, {a}] [{batch}, 5, {b}]->[{batch}, 1, 5, {b}]"
    )
    assert f"{a} against {b}" in explained(text).headline
    assert suspected(text, batched.WRONG_EQUATION) or {a, b}.isdisjoint({batch, 7, 5})


@properties
@given(st.integers(2, 4000), st.integers(2, 9))
def test_a_vector_is_a_row(batch: int, size: int) -> None:
    text = f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [{batch}, {size}] but got: "
    assert suspected(f"{text}[{batch}, 1].", causes.SWAPPED)


@properties
@given(st.sampled_from([32, 64, 128]), st.sampled_from([5, 6, 8]))
def test_points_in_front_of_the_channels_of_a_norm(points: int, times: int) -> None:
    text = f"RuntimeError: running_mean should contain {points} elements not {points * times}"
    assert suspected(text, norm.POINTS_FIRST)


@properties
@given(st.integers(16, 400), st.integers(16, 400), st.integers(8, 64))
def test_channels_of_a_group_norm(channels: int, parameters: int, groups: int) -> None:
    assume(channels != parameters and channels % groups)
    text = (
        "RuntimeError: Expected weight to be a vector of size equal to the number of channels in input, but got weight "
        f"of shape [{parameters}] and input of shape [2, {channels}, 9, 9]"
    )
    assert f"of {parameters} features does not fit: {channels} come" in explained(text).headline
    text = (
        "RuntimeError: Expected number of channels in input to be divisible by num_groups, but got input of shape "
        f"[2, {channels}, 9, 9] and num_groups={groups}"
    )
    assert f"{channels} channels, {groups} groups" in explained(text).headline


# Heads, parts and joints


@properties
@given(
    st.integers(1, 64), st.integers(20_000, 300_000).filter(lambda size: size % 16), st.sampled_from([384, 768, 1024])
)
def test_scores_of_words_for_features(rows: int, words: int, width: int) -> None:
    text = multiplied((rows, words), (width, 2))
    assert first(text).startswith(products.APPLIED_BEFORE.cause.split("{")[0])
    assert not suspected(multiplied((rows, words - words % 16), (width, 2)), products.APPLIED_BEFORE)


@properties
@given(st.sampled_from([512, 768, 1024, 2048]), st.integers(3, 4), st.integers(1, 3))
def test_one_of_several_that_are_joined(width: int, parts: int, outputs: int) -> None:
    assume(parts * width <= 8192)
    assert suspected(multiplied((5, width), (parts * width, outputs)), causes.BRANCH_LOST)


@properties
@given(st.sampled_from([1024, 2048, 2560, 4096]), st.integers(3, 700), st.booleans())
def test_projections_that_are_fused(width: int, rows: int, split: bool) -> None:
    assume(rows % 3)
    come, taken = (3 * width, width) if split else (width, 3 * width)
    assert first(multiplied((rows, come), (taken, width))) == products.FUSED.cause
    assert not suspected(multiplied((rows, come), (taken, 10)), products.FUSED)


@properties
@given(st.sampled_from([13, 17, 18, 21, 25, 33, 68, 133]), st.booleans())
def test_points_of_two_values_and_of_three(joints: int, fewer: bool) -> None:
    come, taken = (2 * joints, 3 * joints) if fewer else (3 * joints, 2 * joints)
    assert suspected(multiplied((7, come), (taken, 1024)), products.NOT_JOINED)


@properties
@given(st.integers(28, 400), st.integers(1, 16), st.sampled_from([512, 768, 2048]))
def test_images_for_the_head_of_a_network(side: int, batch: int, width: int) -> None:
    assume(side != width and width % side and 3 * batch * side != width and side % 32)
    assert suspected(multiplied((batch * 3 * side, side), (width, 2)), products.NO_FEATURES)


@properties
@given(st.integers(2, 14), st.integers(1, 64), st.sampled_from([512, 1280, 2048]))
def test_a_map_that_is_neither_pooled_nor_flattened(side: int, batch: int, channels: int) -> None:
    assert first(multiplied((batch * channels * side, side), (channels, 5))) == causes.NOT_FLATTENED.cause


@properties
@given(st.sampled_from([512, 1280, 2048]), st.integers(2, 100))
def test_a_layer_behind_a_head_that_was_replaced(width: int, classes: int) -> None:
    assert first(multiplied((3, width), (1000, classes))) == products.LEFT_OUT.cause
    assert first(multiplied((3, width), (999, classes))) != products.LEFT_OUT.cause


@properties
@given(st.sampled_from([16, 32, 48]), st.sampled_from([(31, 50), (21, 40), (13, 17)]))
def test_rows_of_a_map_for_a_recurrent_layer(channels: int, heights: tuple[int, int]) -> None:
    one, other = (channels * height for height in heights)
    text = f"RuntimeError: input.size(-1) must be equal to input_size. Expected {one}, got {other}"
    assert suspected(text, causes.OTHER_INPUT_SIZE)
    assert not suspected(text.replace(f"got {other}", f"got {other + 1}"), causes.OTHER_INPUT_SIZE)
    assert suspected(text.replace(f"got {other}", f"got {5 * channels * heights[0] + channels}"), causes.SWAPPED)


@properties
@given(st.integers(2, 40), st.integers(50, 400), st.integers(50, 400))
def test_a_factor_that_is_transposed_before(steps: int, query: int, key: int) -> None:
    assume(query != key and steps not in (query, key))
    text = (
        f"ValueError: Dimensions must be equal, but are {query} and {key} for '{{{{node attention/MatMul}}}} = "
        "BatchMatMulV2[T=DT_FLOAT, adj_x=false, adj_y=true](query, key)' with input shapes: "
        f"[?,{steps},{query}], [?,{steps},{key}]."
    )
    assert f"is {key} where {query} is needed" in explained(text).headline


@properties
@given(st.integers(1, 4), st.integers(1, 4))
def test_prompts_in_a_batched_product(one: int, other: int) -> None:
    assume(one != other)
    text = f"RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [8, {77 * one}] but got: "
    assert first(f"{text}[8, {77 * other}].") == causes.PROMPT_CHUNKS.cause


@properties
@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 40))
def test_a_matrix_product_that_is_written_as_one_of_elements(rows: int, inner: int, columns: int) -> None:
    assume(len({rows, inner, columns}) == 3)
    text = (
        f"ValueError: Dimensions must be equal, but are {rows} and {inner} for '{{}}' (op: '{{}}') with input shapes: "
        f"[{rows},{inner}], [{inner},{columns}]."
    )
    assert first(text.format("Mul", "Mul")) == MATRIX_PRODUCT.cause
    assert not suspected(text.format("add", "Add"), MATRIX_PRODUCT)
    turned = text.format("Mul", "Mul").replace(f"[{inner},{columns}]", f"[{columns},{inner}]")
    assert not suspected(turned, MATRIX_PRODUCT)


@properties
@given(st.integers(2, 400))
def test_shapes_that_must_have_one_rank(size: int) -> None:
    matrix = "TensorShape([Dimension(None), Dimension(None)])"
    told = explained(f"ValueError: Shapes TensorShape([Dimension({size})]) and {matrix} must have the same rank")
    assert told.suspects[0].cause == VECTOR_FOR_MATRIX.cause
    assert told.cause is None
    assert told.headline.startswith(f"[{size}] and [?, ?]")


@properties
@given(st.sampled_from([64, 256, 1024]), st.integers(9, 60))
def test_what_is_left_for_the_last_batch_of_a_loss(batch: int, rest: int) -> None:
    assume(batch % rest)
    line = '  File "train.py", line 22, in contrastive_loss\n    near = mask * dist\n'
    must = f"must match the size of tensor b ({rest}) at non-singleton dimension 1"
    error = f"RuntimeError: The size of tensor a ({{}}) {must}"
    assert suspected(line + error.format(batch), causes.LAST_BATCH)
    assert not suspected(line + error.format(batch + 1), causes.LAST_BATCH)
