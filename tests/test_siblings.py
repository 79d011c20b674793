"""What layers with alike names say about each other, on models written as tables of settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shapewatch.edits import Set
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Layer, Recording, Value
from shapewatch.repair.siblings import Siblings, keeps_pace, patterns
from shapewatch.testing import Tape


def conv(path: str, stride: int = 1, given: int = 64, made: int = 64, **facts: Any) -> Layer:
    settings = {"in_channels": given, "out_channels": made, "kernel_size": (3, 3), "stride": (stride, stride)}
    return Layer(path, "Conv2d", "conv", {**settings, "padding": (1, 1), "dilation": (1, 1), "rank": 2, **facts})


def linear(path: str, given: int, made: int) -> Layer:
    return Layer(path, "Linear", "linear", {"in_features": given, "out_features": made})


def siblings(*layers: Layer) -> Siblings:
    return Siblings({layer.path: layer for layer in layers})


def stages(strides: list[int]) -> list[Layer]:
    """The first convolution of each stage of a ResNet, from `layer1.0.conv1` on."""
    return [conv(f"layer{n}.0.conv1", stride) for n, stride in enumerate(strides, start=1)]


# Patterns


def test_each_number_of_a_path_is_left_open_in_turn() -> None:
    found = {pattern: number for pattern, _, number in patterns("layer2.0.conv1")}
    assert found == {"layer*.0.conv1": 2, "layer2.*.conv1": 0, "layer2.0.conv*": 1}


def test_parts_of_one_block_are_less_alike_than_one_part_of_two_blocks() -> None:
    weights = {pattern: weight for pattern, weight, _ in patterns("layer2.0.conv1")}
    ((_, weight_of_a_row, _),) = patterns("features.3")
    assert weights["layer2.0.conv*"] < weights["layer*.0.conv1"] == weights["layer2.*.conv1"]
    assert 0 < weights["layer2.0.conv*"] < weight_of_a_row < 1


FULL, PART = 1.0, 0.2


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("layer2[0].conv1", {"layer*[0].conv1": FULL, "layer2[*].conv1": FULL, "layer2[0].conv*": PART}),
        (
            "conv3_block1_1_conv",
            {"conv*_block1_1_conv": FULL, "conv3_block*_1_conv": FULL, "conv3_block1_*_conv": PART},
        ),
        ("block2_sepconv1", {"block*_sepconv1": FULL, "block2_sepconv*": PART}),
        ("expanded_conv_3_expand", {"expanded_conv_*_expand": FULL}),
        (
            "convnext_tiny_stage_1_block_0_depthwise_conv",
            {
                "convnext_tiny_stage_*_block_0_depthwise_conv": FULL,
                "convnext_tiny_stage_1_block_*_depthwise_conv": FULL,
            },
        ),
        ("block1a_expand_conv", {"block*a_expand_conv": FULL, "block1*_expand_conv": FULL}),
        ("backbone.conv1_conv", {"backbone.conv*_conv": FULL}),
        ("mixed4.branch3x3", {"mixed*.branch3x3": FULL}),
        ("stem.conv2d", {}),
    ],
)
def test_counters_in_the_names_of_functional_models(path: str, wanted: dict[str, float]) -> None:
    assert {pattern: weight for pattern, weight, _ in patterns(path)} == wanted


def test_letters_count_from_the_first() -> None:
    numbers = {pattern: number for pattern, _, number in patterns("block2b_expand_conv")}
    assert numbers == {"block*b_expand_conv": 2, "block2*_expand_conv": 1}


def test_a_number_that_only_counts_layers_groups_none() -> None:
    assert list(patterns("conv2d_5", auto_named=True)) == list(patterns("dense_12", auto_named=True)) == []
    assert [pattern for pattern, *_ in patterns("block2.dense_5", auto_named=True)] == ["block*.dense_5"]
    counted = [replace(conv(f"conv_{n}", 2), auto_named=True) for n in range(4)]
    assert all(not list(siblings(*counted).groups_of(layer.path)) for layer in counted)


@pytest.mark.parametrize("path", ["", "fc", "encoder.norm"])
def test_a_path_without_a_number_has_no_siblings(path: str) -> None:
    assert list(patterns(path)) == []
    assert list(siblings(linear(path, 4, 4), linear("fc1", 4, 4)).groups_of(path)) == []


# Votes


def test_a_lost_stride_is_missed_by_the_other_stages() -> None:
    vote = siblings(*stages([1, 1, 2, 2])).vote(Set("layer2.0.conv1", "stride", (2, 2), (1, 1)))
    assert vote.score > 0.3
    assert set(vote.agree) == {"layer3.0.conv1", "layer4.0.conv1"}


def test_a_change_away_from_the_siblings_is_voted_down() -> None:
    layers = [*stages([1, 2, 2, 2]), *(conv(f"layer2.{n}.conv1") for n in range(1, 4))]
    vote = siblings(*layers).vote(Set("layer2.1.conv1", "stride", (2, 2), (1, 1)))
    assert vote.score < -0.3
    assert vote.agree == ()


def test_the_change_that_fits_beats_the_one_that_does_not() -> None:
    """The question of a ResNet whose `layer2.0.conv1` lost its stride: that one, or the second convolution?"""
    layers = [conv(f"layer{n}.0.conv{i}", 2 if (n > 2 and i == 1) else 1) for n in (1, 2, 3, 4) for i in (1, 2)]
    said = siblings(*layers)
    first = said.vote(Set("layer2.0.conv1", "stride", (2, 2), (1, 1)))
    second = said.vote(Set("layer2.0.conv2", "stride", (2, 2), (1, 1)))
    assert first.score > 0 > second.score


def test_more_siblings_say_it_louder() -> None:
    edit = Set("blocks.1.fc1", "out_features", 3072, 3000)
    few = [linear(f"blocks.{n}.fc1", 768, 3000 if n == 1 else 3072) for n in range(3)]
    many = [linear(f"blocks.{n}.fc1", 768, 3000 if n == 1 else 3072) for n in range(12)]
    assert 0 < siblings(*few).vote(edit).score < siblings(*many).vote(edit).score <= 1


def test_a_number_and_a_tuple_of_it_are_the_same_setting() -> None:
    said = siblings(*stages([1, 1, 2, 2]))
    as_number = said.vote(Set("layer2.0.conv1", "stride", 2, 1))
    assert as_number == said.vote(Set("layer2.0.conv1", "stride", (2, 2), (1, 1)))


@pytest.mark.parametrize(
    "other",
    [
        Layer("layer3.0.conv1", "Linear", "linear", {"stride": (2, 2)}),
        Layer("layer3.0.conv1", "Conv2dSame", "conv", {"stride": (2, 2)}),
        Layer("layer3.0.conv1", "Conv2d", "conv", {}),
        conv("layer3.0.conv9", 2),
        conv("stage3.0.conv1", 2),
    ],
)
def test_only_layers_of_one_type_and_one_place_have_a_say(other: Layer) -> None:
    vote = siblings(conv("layer2.0.conv1"), other).vote(Set("layer2.0.conv1", "stride", (2, 2), (1, 1)))
    assert (vote.score, vote.agree) == (0.0, ())


def test_a_layer_that_is_not_there_gets_no_vote() -> None:
    assert siblings(*stages([1, 2])).vote(Set("layer9.0.conv1", "stride", 2)).score == 0


def test_a_vote_is_between_minus_one_and_one() -> None:
    layers = [conv(f"a.{n}.b.{m}.c.{k}", 1) for n in range(4) for m in range(4) for k in range(4)]
    assert siblings(*layers).vote(Set("a.2.b.2.c.2", "stride", (2, 2), (1, 1))).score == -1


# Places in blocks


def blocks(strides: list[int], named: str = "conv2d_{}") -> Recording:
    """Residual blocks whose layers are named by counting: two convolutions, and a projection beside those that stride.

    The last block does not fit.
    """
    tape = Tape()
    x = tape.input(None, 32, 32, 16)
    counter = iter(range(100))

    def convolved(x: Value, stride: int) -> Value:
        number = next(counter)
        shape = (None, x.shape[1] // stride, x.shape[2] // stride, 16)
        facts = conv("", stride).facts
        return tape.layer(named.format(number), "conv", x, shape=shape, auto_named=True, type="Conv2D", **facts)

    for block, stride in enumerate(strides):
        main = convolved(tape.layer(f"re_lu_{block}", "activation", convolved(x, stride)), 1)
        projected = block == len(strides) - 1 or stride > 1
        skip = convolved(x, 2) if projected else x
        if main.shape != skip.shape:
            tape.fails("add", main, skip, layer=f"add_{block}")
        else:
            x = tape.layer(f"add_{block}", "add", main, skip)
    return tape.recording()


def judged(recording: Recording) -> Siblings:
    return Siblings(recording.layer_at, find_junctions(Graph(recording)))


def test_layers_named_by_counting_are_alike_where_they_stand() -> None:
    """The last block lost the stride of its first convolution. The first that strides has no say: it is the first."""
    recording = blocks([1, 2, 2, 1])
    said = judged(recording)
    lost = Set("conv2d_8", "stride", (2, 2), (1, 1))
    assert recording.layer_at["conv2d_8"].facts["stride"] == (1, 1)
    assert said.vote(lost).score > 0
    assert said.vote(lost).agree == ("conv2d_5",)
    assert said.vote(Set("conv2d_9", "stride", (2, 2), (1, 1))).score < 0
    assert judged(replace(recording, calls=recording.calls[:1])).vote(lost).score == 0


def test_blocks_of_another_build_have_no_say() -> None:
    said = judged(blocks([1, 1, 1, 1, 2, 1]))
    others = {other for _, group in said.groups_of("conv2d_11") for other in group}
    assert others == {"conv2d_8"}


def test_who_is_alike_by_name_is_not_heard_twice() -> None:
    recording = blocks([1, 2, 2, 1])
    named = {layer.path: replace(layer, auto_named=False) for layer in recording.layers}
    ((_, others),) = Siblings(named, find_junctions(Graph(recording))).groups_of("conv2d_8")
    assert len(others) == len([path for path in named if path.startswith("conv2d_")]) - 2  # itself, and the first


# Widths


def test_a_width_that_occurs_elsewhere_speaks_for_itself() -> None:
    said = siblings(conv("stem", made=64), conv("body", given=64, made=72), conv("head", given=64, made=64))
    assert said.width_score(Set("body", "out_channels", 64, 72)) > 0
    assert said.width_score(Set("stem", "out_channels", 72, 64)) < 0
    assert said.width_score(Set("body", "stride", (2, 2), (1, 1))) == 0


def test_a_layers_own_numbers_do_not_speak_for_it() -> None:
    alone = siblings(conv("body", given=80, made=80), conv("other", given=3, made=4))
    assert alone.width_score(Set("body", "out_channels", 90, 80)) == 0


# Odd ones out


def test_the_odd_one_of_a_row_is_found() -> None:
    layers = [linear(f"blocks.{n}.fc", 64, 72 if n == 3 else 64) for n in range(6)]
    ((edit, others),) = siblings(*layers).odd_settings("blocks.3.fc")
    assert edit == Set("blocks.3.fc", "out_features", 64, 72)
    assert set(others) <= {layer.path for layer in layers} - {"blocks.3.fc"}
    assert list(siblings(*layers).odd_settings("blocks.2.fc")) == []


def test_two_alone_do_not_make_one_odd() -> None:
    assert list(siblings(linear("blocks.0.fc", 4, 4), linear("blocks.1.fc", 4, 5)).odd_settings("blocks.1.fc")) == []


def test_what_stands_at_the_same_place_in_other_blocks() -> None:
    projections = [Layer(f"layer{n}.0.downsample", "Sequential", "module", leaf=False) for n in (1, 3, 4)]
    ((found, support),) = siblings(Layer("layer2.0.downsample", "Identity", "identity"), *projections).substitutes(
        "layer2.0.downsample"
    )
    assert found.type == "Sequential" and 0 < support <= 1
    assert list(siblings(*stages([1, 2, 2])).substitutes("layer2.0.conv1")) == []


def test_a_place_that_is_empty_is_filled_as_in_other_blocks() -> None:
    said = siblings(*(Layer(f"layer{n}.0.downsample", "Sequential", "module", leaf=False) for n in (3, 4)))
    assert [layer.type for layer, _ in said.substitutes("layer2.0.downsample")] == ["Sequential"]


# Pace


@pytest.mark.parametrize(
    ("facts", "keeps"),
    [
        ({}, True),
        ({"padding": (0, 0)}, False),
        ({"padding": 1}, True),
        ({"padding": (1, 0)}, False),
        ({"stride": (2, 2)}, True),
        ({"stride": (2, 2), "kernel_size": (2, 2), "padding": (0, 0)}, True),
        ({"dilation": (2, 2)}, False),
        ({"dilation": (2, 2), "padding": (2, 2)}, True),
        ({"padding": "same"}, True),
        ({"padding": "causal"}, True),
        ({"padding": "valid"}, False),
        ({"padding": "valid", "kernel_size": (2, 2), "stride": (2, 2)}, True),
        ({"padding": None}, None),
    ],
)
def test_keeping_pace(facts: dict[str, Any], keeps: bool | None) -> None:
    assert keeps_pace(conv("a"), facts) is keeps
    assert keeps_pace(linear("a", 1, 1), facts) is None


def test_layers_that_a_container_names_by_counting_are_compared_by_their_place() -> None:
    layers = {
        f"encoder[{block}].conv2d_{2 * block + place}": Layer(
            f"encoder[{block}].conv2d_{2 * block + place}",
            "Conv2D",
            "conv",
            {"stride": (2, 1) if (block, place) == (2, 0) else (1 + place, 1 + place)},
            auto_named=True,
        )
        for block in range(4)
        for place in range(2)
    }
    vote = Siblings(layers).vote(Set("encoder[2].conv2d_4", "stride", (1, 1), (2, 1)))
    assert vote.score > 0.5
    assert set(vote.agree) <= {"encoder[0].conv2d_0", "encoder[1].conv2d_2", "encoder[3].conv2d_6"} and vote.agree
