"""What is said of a fault: that it can be said of anything, and that the causes stand in the order of their evidence.

The numbers here are drawn, not taken from reports: a cause has to be found for every pair of sizes of its kind.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shapewatch.messages import tables
from shapewatch.messages.faults import FAULTS, causes, sizes, tell
from shapewatch.messages.faults.evidence import MOST, NUMBERS, Cause
from shapewatch.messages.faults.samples import UNEQUAL_SAMPLES
from shapewatch.messages.nouns import Frame, Pasted, Reading, Template, Told
from shapewatch.recording import Shape

FRAMEWORKS = ("torch", "keras", "tensorflow", "numpy", "onnxruntime")


def told(fault: str, framework: str = "torch", lines: tuple[str, ...] = (), **facts: Any) -> Told:
    reading = Reading(Template("words", fault), framework, facts, "a message")
    frames = tuple(Frame("net.py", number, "forward", line) for number, line in enumerate(lines, 1))
    return tell(Pasted(reading=reading, readings=(reading,), frames=frames))


def place(found: Told, cause: Cause) -> int | None:
    """Where a cause stands among the suspects; None where it is not suspected."""
    pattern = re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(cause.cause)))
    return next((at for at, suspect in enumerate(found.suspects) if pattern.fullmatch(suspect.cause)), None)


def texts(found: Told) -> list[str]:
    said = [part for each in found.suspects for part in (each.cause, each.because, each.change, each.look)]
    return [found.headline, found.meaning, *said]


# Of anything, something fit to be read is said


SIZE = st.sampled_from([None, 0, 1, 2, 3, 4, 5, 7, 16, 64, 77, 196, 197, 224, 512, 768, 2048, 25088, 10**12])
SHAPE = st.lists(SIZE, max_size=5).map(tuple)
HELD = {
    "n": SIZE,
    "axis": st.integers(-3, 6),
    "shape": st.none() | SHAPE,
    "shapes": st.lists(SHAPE, max_size=4).map(tuple),
    "word": st.sampled_from(["fc1", "conv2d_3", "", "input"]),
}
TEXT = st.sampled_from(["2D or 3D", "b c (h p) w -> b h w c", ""])


def holes() -> dict[str, dict[str, list[Any]]]:
    """For each fault the facts that some template gives it: the kinds of its holes, and what stands in it for good."""
    found: dict[str, dict[str, list[Any]]] = {fault: {} for fault in FAULTS}
    for pattern in tables.patterns():
        facts = found.setdefault(pattern.template.fault, {})
        for name, kind in pattern.kinds:
            facts.setdefault(name, []).append(HELD.get(kind, TEXT))
        for name, value in pattern.template.facts.items():
            facts.setdefault(name, []).append(st.just(value))
    return found


HOLES = holes()


def test_every_fault_of_the_tables_is_explained() -> None:
    assert set(HOLES) == set(FAULTS)


@pytest.mark.parametrize("fault", sorted(FAULTS))
@given(data=st.data())
def test_whatever_a_message_gives_it_can_be_said(fault: str, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(HOLES[fault])), unique=True)) if HOLES[fault] else []
    facts = {name: data.draw(st.one_of(HOLES[fault][name])) for name in names}
    found = told(fault, data.draw(st.sampled_from(FRAMEWORKS)), **facts)
    assert re.fullmatch(r"SW\d{3}", found.code) or (fault == "only-dress" and not found.code)
    assert found.headline.strip() and found.meaning.strip()
    assert len(found.suspects) <= MOST and all(0 < suspect.weight < 1 for suspect in found.suspects)
    assert all(one.weight >= other.weight for one, other in pairwise(found.suspects))
    assert len({suspect.cause for suspect in found.suspects}) == len(found.suspects)
    for text in texts(found):
        assert "  " not in text and not re.search(r"\{\w*\}", text), text
        assert not re.search(r"\bNone\b", re.sub(r"\(None|as None", "", text)), text


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"only-dress"}))
def test_without_a_single_fact_nothing_is_certain(fault: str) -> None:
    """Only where the message itself is the evidence may one cause stand out."""
    found = told(fault)
    assert found.suspects
    if fault not in ("view-stride", "norm-one-value", "split"):
        assert found.suspects[0].weight < 0.6, [suspect.cause for suspect in found.suspects]


def test_too_little_to_say_is_no_cause() -> None:
    assert told("only-dress", input=(2, 3)).suspects == ()


# Sizes


@given(SHAPE, SHAPE)
def test_shapes_part_in_the_same_places_from_both_sides(left: Shape, right: Shape) -> None:
    assert [(axis, b, a) for axis, a, b in sizes.apart(left, right)] == sizes.apart(right, left)


@given(SHAPE)
def test_nothing_parts_from_itself_nor_from_the_unknown(shape: Shape) -> None:
    assert sizes.apart(shape, shape) == [] and sizes.apart(shape, (None,) * len(shape)) == []


@given(st.integers(4, 512), st.integers(1, 12), st.integers(1, 12))
def test_flattened_maps_of_other_sides_are_known_again(channels: int, one: int, other: int) -> None:
    found = sizes.same_maps(channels * one * one, channels * other * other)
    if one == other:
        assert found is None
    else:
        assert found is not None
        common, a, b = found
        assert (common * a * a, common * b * b) == (channels * one * one, channels * other * other)


@given(st.integers(4, 64), st.integers(0, 2))
def test_grids_with_and_without_a_token(side: int, extra: int) -> None:
    assert sizes.grid(side * side + extra) == (side, extra)


@given(st.permutations([3, 5, 7]), st.permutations([3, 5, 7]))
def test_an_order_of_axes_makes_one_shape_of_the_other(wanted: list[int], had: list[int]) -> None:
    order = sizes.order_that_gives((None, *wanted), (2, *had))
    assert order is None if wanted == had else order and [(2, *had)[axis] for axis in order[1:]] == wanted


# Where branches meet


odd = st.integers(3, 300).map(lambda half: 2 * half + 1)


@given(odd, st.sampled_from(["elementwise", "concat"]))
def test_an_odd_size_that_was_halved_and_doubled(size: int, fault: str) -> None:
    restored = size // 2 * 2
    facts: dict[str, Any] = {"left": (2, 16, size, 40), "right": (2, 16, restored, 40)}
    assert place(told(fault, axis=1, **facts), causes.ODD_SIZE) == 0


@given(st.integers(3, 300).map(lambda half: 2 * half + 1))
def test_the_same_where_only_the_two_sizes_are_told(size: int) -> None:
    assert place(told("elementwise", a=size, b=size - 1, axis=3), causes.ODD_SIZE) == 0
    assert place(told("concat", expected=size, got=size - 1, axis=1), causes.ODD_SIZE) == 0


@given(st.integers(2, 9))
def test_vectors_have_no_height(size: int) -> None:
    found = told("elementwise", left=(size,), right=(size + 1,))
    assert place(found, causes.ODD_SIZE) is None and found.suspects[0].weight < 0.5


@given(st.sampled_from([16, 24, 64, 96]), st.sampled_from([128, 160, 256]))
def test_channels_without_a_projection(few: int, many: int) -> None:
    for framework, shapes in {
        "torch": ((2, few, 28, 28), (2, many, 28, 28)),
        "keras": ((None, 28, 28, few), (None, 28, 28, many)),
    }.items():
        assert place(told("elementwise", framework, left=shapes[0], right=shapes[1]), causes.NO_PROJECTION) == 0
    assert place(told("elementwise", a=few, b=many, axis=1), causes.NO_PROJECTION) == 0


@given(st.integers(10, 60), st.sampled_from([2, 4, 8]))
def test_a_branch_that_was_downsampled_more_often(side: int, stride: int) -> None:
    shapes = {"left": (2, 16, side * stride, (side + 3) * stride), "right": (2, 16, side, side + 3)}
    assert place(told("elementwise", **shapes), causes.OTHER_STRIDE) == 0


def test_the_same_sizes_in_another_order_are_a_layout() -> None:
    assert place(told("elementwise", left=(4, 3, 20, 30), right=(4, 20, 30, 3)), causes.CHANNELS_LAST) == 0


@given(st.integers(7, 40))
def test_a_class_token(side: int) -> None:
    found = told("elementwise", left=(2, side * side + 1, 384), right=(1, side * side, 384))
    assert place(found, causes.CLASS_TOKEN) == 0


@given(st.integers(17, 500), st.integers(1, 16))
def test_a_batch_that_is_not_full(full: int, rest: int) -> None:
    found = told("expand", target=(full, 128), given=(rest + 1, 128), a=full, b=rest + 1, axis=0)
    at = place(found, causes.LAST_BATCH)
    assert at is not None and at <= 1


def test_names_in_the_traceback_speak() -> None:
    sizes_only = told("elementwise", a=576, b=196, axis=1)
    with_line = told("elementwise", lines=("x = x + self.pos_embed",), a=577, b=100, axis=1)
    assert place(sizes_only, causes.OTHER_RESOLUTION) == 0 and place(with_line, causes.OTHER_RESOLUTION) == 0


def test_what_could_be_stretched_and_was_refused() -> None:
    found = told("elementwise", "keras", left=(None, 96, 96, 64), right=(None, 1, 1, 64))
    assert "stretch" in found.suspects[0].cause


# Layers


@given(st.integers(20, 400), st.sampled_from([8, 32, 64]))
def test_grey_and_transparent_images(side: int, filters: int) -> None:
    for colours, cause in ((1, causes.GREY), (4, causes.ALPHA)):
        found = told(
            "conv-channels", weight=(filters, 3, 7, 7), input=(8, colours, side, side), expected=3, got=colours
        )
        assert place(found, cause) == 0 and found.code == "SW501"


@given(st.integers(20, 400))
def test_images_with_their_channels_last(side: int) -> None:
    found = told("conv-channels", weight=(64, 3, 7, 7), input=(8, side, side + 5, 3), expected=3, got=side)
    assert place(found, causes.CHANNELS_LAST) == 0


@given(st.sampled_from([64, 128, 256]), st.integers(3, 10), st.integers(3, 10))
def test_flattened_for_another_input_size(channels: int, built: int, came: int) -> None:
    if built != came:
        found = told("matmul", left=(32, channels * came * came), right=(channels * built * built, 10))
        at = place(found, causes.OTHER_INPUT_SIZE)
        assert at is not None and at <= 1


@given(st.integers(2, 64), st.integers(10, 40))
def test_what_is_not_flattened(batch: int, side: int) -> None:
    found = told("matmul", left=(batch * side, side), right=(side * side, 10))
    assert place(found, causes.NOT_FLATTENED) == 0


def test_features_of_another_encoder() -> None:
    found = told("matmul", left=(64, 768), right=(1024, 10))
    assert place(found, causes.OTHER_ENCODER) == 0 and "1024" in found.suspects[0].change


@given(st.integers(20, 300))
def test_a_norm_over_the_last_axis_of_a_map(side: int) -> None:
    found = told("norm", normalized_shape=(96,), input=(4, 96, side, side + 1))
    assert "channels-first" in found.suspects[0].cause or side in (96, 95)


def test_axes_that_are_missing() -> None:
    image = told("rank", "keras", layer="conv2d", expected=4, got=3, input=(224, 224, 3))
    grey = told("rank", "keras", layer="conv2d", expected=4, got=3, input=(32, 224, 224))
    step = told("rank", "keras", layer="lstm", expected=3, got=2, input=(32, 10))
    assert place(image, causes.MISSING_BATCH) == 0
    assert place(grey, causes.MISSING_CHANNELS) == 0
    assert "time axis" in step.suspects[0].cause


# Reshapes


@given(st.integers(2, 64), st.integers(1, 63), st.integers(2, 50))
def test_a_view_with_the_batch_size_in_it(batch: int, rest: int, width: int) -> None:
    if rest < batch:
        found = told("reshape", shape=(batch, width), count=rest * width)
        assert place(found, causes.LAST_BATCH) == 0


@given(st.integers(5, 60), st.sampled_from([64, 512]))
def test_tokens_of_a_grid_that_is_one_smaller(side: int, width: int) -> None:
    found = told("reshape", shape=(16, side + 1, side + 1, width), count=16 * side * side * width)
    assert place(found, causes.ODD_SIZE) in (0, 1) and "grid" in found.suspects[0].cause


@given(st.integers(2, 9), st.integers(10, 300))
def test_patches_that_do_not_divide(patch: int, side: int) -> None:
    if side % patch:
        found = told("pattern", detail=f"Shape mismatch, can't divide axis of length {side} in chunks of {patch}")
        assert str(side) in found.headline and "divisible" in found.suspects[0].cause


# Labels and weights


@given(st.integers(2, 500))
def test_a_trailing_axis_of_one(rows: int) -> None:
    assert place(told("target-shape", output=(rows, 1), target=(rows,)), causes.TRAILING_ONE) == 0


@given(st.integers(2, 300), st.integers(2, 100))
def test_one_hot_labels_that_were_flattened(rows: int, classes: int) -> None:
    found = told("target-batch", "tensorflow", output=(rows, classes), target=(rows * classes,))
    assert place(found, causes.ONE_HOT) == 0


@given(st.integers(2, 30), st.integers(2, 30))
def test_another_number_of_classes(output: int, target: int) -> None:
    if output != target:
        found = told("target-shape", "keras", output=(None, output), target=(None, target))
        assert place(found, causes.CLASS_COUNT) == 0


def of_weights(*pairs: tuple[str, Shape, Shape]) -> Told:
    readings = tuple(
        Reading(
            Template("words", "weights"), "torch", {"parameter": name, "checkpoint": saved, "model": built}, "a message"
        )
        for name, saved, built in pairs
    )
    return FAULTS["weights"](Pasted(reading=readings[0], readings=readings))


def test_all_weights_that_differ_are_weighed_together() -> None:
    head = of_weights(("fc.weight", (1000, 512), (7, 512)), ("fc.bias", (1000,), (7,)))
    variant = of_weights(*((f"layer{n}.conv.weight", (64 * n, 64, 3, 3), (32 * n, 32, 3, 3)) for n in range(1, 7)))
    table = of_weights(("pos_embed", (1, 197, 768), (1, 577, 768)))
    assert "number of classes" in head.suspects[0].cause and "1 further weight" in head.headline
    assert "variant" in variant.suspects[0].cause
    assert "resolution" in table.suspects[0].cause


# What is said of real wordings


@pytest.mark.parametrize("seen", sorted({each.template.seen for each in tables.patterns()} - {""}))
def test_messages_of_other_releases_are_explained(seen: str) -> None:
    readings = tables.found(seen)
    found = FAULTS[readings[0].fault](Pasted(reading=readings[0], readings=readings))
    assert found.suspects or readings[0].fault == "only-dress"
    for text in texts(found):
        assert "  " not in text and not re.search(r"\{\w*\}", text), text


def test_shapes_that_keras_requires_to_be_one() -> None:
    reading = Reading(
        Template("words", "elementwise"),
        "keras",
        {"left": (None, 8), "right": (None, 5)},
        "Shapes (None, 8) and (None, 5) are incompatible",
    )
    found = FAULTS["elementwise"](Pasted(reading=reading))
    assert found.code == "SW801" and place(found, causes.CLASS_COUNT) == 0


# Which lines count, and what is named


@given(a=st.integers(2, 900), b=st.integers(2, 900))
def test_a_loss_is_told_by_the_line_that_raised_and_not_by_one_around_it(a: int, b: int) -> None:
    train = Frame("train.py", 9, "step", "loss = model(x)")
    inside = Frame("net.py", 3, "forward", "x = x + self.branch(x)")
    loss = Frame("train.py", 10, "step", "loss = criterion(output, target)")
    reading = Reading(Template("words", "elementwise"), "torch", {"a": a, "b": b, "axis": 1}, "a message")
    elsewhere = Pasted(reading=reading, readings=(reading,), frames=(train, inside), near=(inside,))
    raised = Pasted(reading=reading, readings=(reading,), frames=(loss,), near=(loss,))
    assert FAULTS["elementwise"](elsewhere).code == "SW201"
    assert FAULTS["elementwise"](raised).code == "SW801"


@given(rows=st.integers(2, 5000), more=st.integers(1, 900), width=st.integers(2, 4000))
def test_values_that_do_not_fit_their_place(rows: int, more: int, width: int) -> None:
    assume(rows != width)
    transposed = told("index-shape", value=(rows, width), selected=(width, rows))
    assert place(transposed, causes.SWAPPED) == 0
    nowhere = told("index-shape", value=(rows, width), selected=(0, width))
    assert "placeholder" in nowhere.suspects[0].cause
    fewer = told("index-shape", value=(rows + more, width), selected=(rows, width))
    assert fewer.suspects[0].weight < NUMBERS, "too many causes fit it to name one"


@given(more=st.integers(2, 10_000))
def test_a_line_for_a_batch_of_one(more: int) -> None:
    assert any("batch of one" in each.cause for each in told("reshape", shape=(1,), count=more).suspects[:2])


def test_arrays_and_masks_are_known_by_the_call() -> None:
    arrays = told("elementwise", "tensorflow", ("Dataset.from_tensor_slices((x, y))",), a=10, b=9)
    mask = told("elementwise", "tensorflow", ("tf.boolean_mask(x, keep)",), left=(8,), right=(4,))
    weights = told("elementwise", "tensorflow", ("model.load_weights(path)",), left=(8, 4), right=(8, 5))
    assert (arrays.code, mask.code, weights.code) == ("SW805", "SW404", "SW901")


def test_what_is_empty_is_called_so() -> None:
    assert "empty" in told("elementwise", left=(16, 8), right=(0, 8)).suspects[0].cause
    assert "empty" in told("model-input", "tensorflow", given=(0, 0), expected=(None, 6)).suspects[0].cause


@given(classes=st.integers(2, 200), other=st.integers(2, 200), boxes=st.integers(2, 8))
def test_heads_that_count_classes_in_multiples(classes: int, other: int, boxes: int) -> None:
    assume(classes != other)
    pairs = [("cls.weight", (classes, 64), (other, 64)), ("box.weight", (classes * boxes, 64), (other * boxes, 64))]
    readings = tuple(
        Reading(Template("words", "weights"), "torch", {"parameter": name, "checkpoint": saved, "model": built}, "text")
        for name, saved, built in pairs
    )
    found = FAULTS["weights"](Pasted(reading=readings[0], readings=readings))
    assert f"({classes}) than the model's ({other})" in found.suspects[0].cause


@given(st.integers(2000, 20000), st.integers(2, 3))
def test_long_axes_are_tokens_rather_than_sides(length: int, axis: int) -> None:
    found = told("elementwise", a=length, b=length + 1, axis=axis)
    assert (where := place(found, causes.OTHER_LENGTH)) is not None and where < 2


@given(st.integers(5, 60), st.integers(100, 900))
def test_sizes_that_stand_on_other_axes_are_permuted(few: int, many: int) -> None:
    found = told("expand", given=(few, 1, many), target=(many, 7, few))
    assert place(found, causes.SWAPPED) == 0


@given(st.integers(8, 64), st.integers(3, 64))
def test_numpy_makes_no_array_of_entries_that_differ(count: int, width: int) -> None:
    found = told("expand", "numpy", given=(count, width), target=(count,))
    assert place(found, UNEQUAL_SAMPLES) == 0
    assert place(found, causes.OTHER_STRIDE) is None


@given(st.integers(2, 500), st.integers(2, 900))
def test_one_row_of_labels_holds_class_numbers(rows: int, classes: int) -> None:
    assume(rows != classes)
    found = told("target-shape", output=(rows, classes), target=(1, rows))
    assert place(found, causes.ONE_HOT) == 0
