"""Who is blamed where no layer's setting is wrong: weights of one's own, a declared input, what a line is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from keras import layers

import shapewatch
from shapewatch.repair import assigned_line
from shapewatch.report import Diagnosis


def diagnosed(run: Callable[[], Any]) -> Diagnosis:
    """The first diagnosis of what a function raises."""
    with pytest.raises((ValueError, RuntimeError, AssertionError, tf.errors.OpError)), (session := shapewatch.watch()):
        run()
    return session.report.diagnoses[0]


def here(diagnosis: Diagnosis) -> str:
    """The line that is blamed."""
    assert diagnosis.cause is not None and diagnosis.cause.location is not None
    assert Path(diagnosis.cause.location.file) == Path(__file__)
    return diagnosis.cause.location.source or ""


# Weights of one's own


class Scores(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(name="w", shape=(input_shape[1], 1))

    def call(self, x: Any) -> Any:
        return tf.matmul(x, self.w)


def test_weights_made_for_another_axis_are_blamed_and_not_the_input() -> None:
    diagnosis = diagnosed(lambda: Scores()(keras.Input((20, 32))))
    assert here(diagnosis) == 'self.w = self.add_weight(name="w", shape=(input_shape[1], 1))'
    assert diagnosis.cause is not None and "20 is axis 1 of [?, 20, 32]" in diagnosis.cause.reason


def test_an_input_for_which_other_weights_would_be_made_is_no_fix() -> None:
    """With its axes swapped the input would fit the weights that there are. The layer would make others."""
    diagnosis = diagnosed(lambda: Scores()(keras.Input((20, 32))))
    shapes = [fix.edit.get("shape") for fix in diagnosis.fixes if fix.verified]
    assert (None, 32, 20) not in shapes


def turned() -> Any:
    weights = tf.Variable(tf.zeros([3, 7]))
    return tf.matmul(tf.zeros([5, 7]), weights)


def test_weights_that_fit_in_the_other_order() -> None:
    diagnosis = diagnosed(turned)
    assert diagnosis.fixes[0].edit["value"] == (7, 3)
    assert here(diagnosis) == "weights = tf.Variable(tf.zeros([3, 7]))"


def used_twice() -> Any:
    weights = tf.Variable(tf.zeros([7, 3]))
    code = tf.matmul(tf.zeros([5, 7]), weights)
    return tf.matmul(code, weights)


def test_weights_that_fit_elsewhere_are_not_to_be_changed() -> None:
    """They are tied, and the second product takes them the other way round."""
    diagnosis = diagnosed(used_twice)
    assert [fix.code for fix in diagnosis.fixes] == ["return tf.matmul(code, weights, transpose_b=True)"]


def recurrent() -> Any:
    weights, again = tf.Variable(tf.zeros([12, 24])), tf.Variable(tf.zeros([12, 24]))
    state = tf.zeros([4, 24])
    return tf.matmul(tf.zeros([4, 12]), weights) + tf.matmul(state, again)


def test_weights_beside_others_as_wide_keep_their_width() -> None:
    assert diagnosed(recurrent).fixes[0].edit["value"] == (24, 24)


# What the model is declared for


def declared() -> keras.Model:
    inputs = keras.Input((12,))
    model = keras.Model(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


def test_a_table_of_other_columns_than_were_declared() -> None:
    model, table = declared(), np.zeros((20, 10))
    diagnosis = diagnosed(lambda: model.fit(table, np.zeros((20, 1)), verbose=0))
    assert here(diagnosis) == "inputs = keras.Input((12,))"
    first, second = diagnosis.fixes
    assert first.code == "inputs = keras.Input((10,))"
    assert second.changes and second.verified == "forward"


def test_a_declaration_that_the_model_ran_with_is_not_blamed() -> None:
    model = declared()

    def trained_and_asked() -> None:
        model.fit(np.zeros((20, 12)), np.zeros((20, 1)), verbose=0)
        model.predict(np.zeros((20, 10)), verbose=0)

    diagnosis = diagnosed(trained_and_asked)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "input"
    assert [fix.edit["action"] for fix in diagnosis.fixes] == ["input"]


def pictures_without_channels() -> keras.Model:
    pictures = np.zeros((20, 28, 28))
    return keras.Sequential([layers.Conv2D(4, 3, input_shape=(28, 28)), layers.Flatten(), layers.Dense(pictures.ndim)])


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
def test_a_declaration_is_mended_where_it_stands() -> None:
    diagnosis = diagnosed(pictures_without_channels)
    assert "input_shape=(28, 28)" in here(diagnosis)
    assert "input_shape=(28, 28, 1)" in diagnosis.fixes[0].code


def test_a_table_for_a_recurrent_layer_that_declares_nothing() -> None:
    rows = np.zeros((20, 8))
    model = keras.Sequential([layers.LSTM(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    diagnosis = diagnosed(lambda: model.fit(rows, np.zeros((20, 1)), verbose=0))
    assert diagnosis.fixes[0].edit["shape"] == (None, 8, 1)
    assert diagnosis.fixes[0].verified == "forward"


# What a line is given


def test_arrays_of_other_lengths_have_names() -> None:
    model, images, labels = declared(), np.zeros((20, 12)), np.zeros((18, 1))
    diagnosis = diagnosed(lambda: model.fit(images, labels, verbose=0))
    assert diagnosis.headline.endswith("images has 20, labels has 18")


def in_torch() -> Any:
    joined = torch.ones(2, 6)
    a, b, c = joined.chunk(2, dim=1)
    return a, b, c


def in_tensorflow() -> Any:
    a, b, c = tf.split(tf.zeros([2, 6]), 2, axis=1)
    return a, b, c


@pytest.mark.parametrize("run", [in_torch, in_tensorflow])
def test_parts_for_more_names_than_there_are(run: Callable[[], Any]) -> None:
    diagnosis = diagnosed(run)
    assert diagnosis.code == "SW403"
    assert "gives 2 parts, and 3 names take them" in diagnosis.headline


def upsampled(size: int) -> Callable[[], Any]:
    def run() -> Any:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            kernel, small = tf.zeros([3, 3, 4, 8]), tf.compat.v1.placeholder(tf.float32, [2, 5, 5, 8])
            large = tf.nn.conv2d_transpose(small, kernel, [2, size, size, 4], strides=2)
            return session.run(large, {small: np.zeros((2, 5, 5, 8))})

    return run


def test_a_size_that_a_transposed_convolution_cannot_give() -> None:
    diagnosis = diagnosed(upsampled(12))
    assert diagnosis.code == "SW510"
    assert "asked for [12, 12] and can give [9, 9] to [10, 10]" in diagnosis.headline


@pytest.mark.parametrize("size", [9, 10])
def test_the_sizes_that_it_can_give(size: int) -> None:
    with shapewatch.watch() as session:
        upsampled(size)()
    assert session.report.ok


# Several inputs


class Attends(torch.nn.Module):
    """Images that attend to a text, shifted by a code of the time."""

    def __init__(self, text: int = 24) -> None:
        super().__init__()
        self.begin = torch.nn.Conv2d(4, 16, 3, padding=1)
        self.time = torch.nn.Linear(8, 16)
        self.norm = torch.nn.GroupNorm(8, 16)
        self.keys = torch.nn.Linear(text, 16)

    def forward(self, image: torch.Tensor, time: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        batch = len(image)
        time = self.time(time)
        image = self.norm(self.begin(image) + time[:, :, None, None])
        keys = self.keys(words).view(batch, -1, 4, 4).transpose(1, 2)
        asked = image.flatten(2).transpose(1, 2).view(batch, -1, 4, 4).transpose(1, 2)
        return torch.nn.functional.scaled_dot_product_attention(asked, keys, keys)


def attended(image: tuple[int, ...], time: tuple[int, ...], words: tuple[int, ...]) -> Diagnosis:
    model = Attends()
    return diagnosed(lambda: model(torch.zeros(image), torch.zeros(time), torch.zeros(words)))


def test_an_input_of_another_batch_than_the_others_is_given_theirs() -> None:
    """One of 5 x 5 words would do for the view, and mean nothing."""
    diagnosis = attended((3, 4, 8, 8), (3, 8), (1, 7, 24))
    assert diagnosis.fixes[0].code == "words = words.expand(3, -1, -1)" and diagnosis.fixes[0].verified == "forward"
    assert diagnosis.cause is not None and "image and time have 3 samples" in diagnosis.cause.reason


def test_an_input_with_an_axis_of_one_too_many_has_it_taken_off() -> None:
    """Its name is that of the parameter, which has another value by the time it fails."""
    diagnosis = attended((3, 4, 8, 8), (3, 1, 8), (3, 7, 24))
    assert diagnosis.fixes[0].code == "time = time.squeeze(1)" and diagnosis.fixes[0].verified == "forward"


def test_a_sequence_beside_images_is_no_image_without_its_batch() -> None:
    """The width of a vector is not interpolated."""
    diagnosis = attended((3, 4, 8, 8), (3, 8), (3, 7, 20))
    codes = [fix.code for fix in diagnosis.fixes]
    assert "# words of shape [3, 7, 24]" in codes and not any("interpolate" in code for code in codes)


def test_channels_that_are_no_pictures_may_be_the_layers_mistake() -> None:
    """Three for one are a picture in colour; 16 for 4 may be either."""
    diagnosis = attended((3, 16, 8, 8), (3, 8), (3, 7, 24))
    assert diagnosis.cause is not None and diagnosis.cause.layer == "input"
    changed = [fix.edit.get("layer") for fix in diagnosis.fixes]
    assert changed == [None, "begin"] and all(fix.verified == "forward" for fix in diagnosis.fixes)


# What a pass that runs says, and what it does not


class Decodes(torch.nn.Module):
    """A decoder that looks at the states of a bidirectional encoder, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = torch.nn.GRU(6, 8, bidirectional=True, batch_first=True)
        self.decoder = torch.nn.GRU(16, 8, batch_first=True)
        self.bridge = torch.nn.Linear(16, 8)
        self.scores = torch.nn.Linear(24, 1)

    def start(self, state: torch.Tensor) -> torch.Tensor:
        return state[0::2] + state[1::2]

    def weighed(self, weights: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        return torch.bmm(weights.unsqueeze(1), states)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        states, state = self.encoder(words)
        state = self.start(state)
        for _ in range(3):
            asked = state[-1].unsqueeze(1).expand(-1, states.shape[1], -1)
            weights = self.scores(torch.cat([asked, states], -1)).squeeze(-1).softmax(-1)
            _, state = self.decoder(self.weighed(weights, states), state)
        return state


class NewAxisElsewhere(Decodes):
    def weighed(self, weights: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        return torch.bmm(weights.unsqueeze(2), states)


class DirectionsApart(Decodes):
    def start(self, state: torch.Tensor) -> torch.Tensor:
        return state


class DirectionsApartBeforeABridge(Decodes):
    def start(self, state: torch.Tensor) -> torch.Tensor:
        return self.bridge(state).unsqueeze(0)


def decoded(kind: type[Decodes]) -> Diagnosis:
    return diagnosed(lambda: kind()(torch.zeros(4, 11, 6)))


def test_a_line_that_runs_in_a_loop_is_changed_each_time() -> None:
    diagnosis = decoded(NewAxisElsewhere)
    assert diagnosis.fixes[0].code == "return torch.bmm(weights.unsqueeze(1), states)  # dim was 2"
    assert diagnosis.fixes[0].verified == "forward"


class Tagger(torch.nn.Module):
    """Makes both states of its LSTM for 20 samples, on two lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(5, 32, batch_first=True)

    def forward(self, x: torch.Tensor) -> Any:
        hidden = torch.zeros(1, 20, 32)
        cell = torch.zeros(1, 20, 32)
        return self.lstm(x, (hidden, cell))[0]


def test_both_states_of_an_lstm_are_made_alike() -> None:
    (fix,) = diagnosed(lambda: Tagger()(torch.zeros(4, 7, 5))).fixes
    assert fix.verified == "forward"
    assert [line.partition("  #")[0] for line in fix.code.splitlines()] == [
        "hidden = torch.zeros(1, 4, 32)",
        "cell = torch.zeros(1, 4, 32)",
    ]


def test_a_sequence_of_one_step_is_no_repair() -> None:
    """With it everything fits."""
    shapes = [fix.edit.get("shape") for fix in decoded(NewAxisElsewhere).fixes]
    assert (4, 1, 6) not in shapes


def test_the_directions_of_a_state_are_brought_together() -> None:
    diagnosis = decoded(DirectionsApart)
    assert diagnosis.fixes[0].code == "state = state[0::2] + state[1::2]" and diagnosis.fixes[0].verified == "forward"
    assert diagnosis.cause is not None and "encoder is bidirectional" in diagnosis.cause.reason


def test_the_directions_of_a_state_go_side_by_side_into_a_wider_layer() -> None:
    diagnosis = decoded(DirectionsApartBeforeABridge)
    assert diagnosis.fixes[0].code == "state = torch.cat([state[-2], state[-1]], dim=-1)"
    assert diagnosis.fixes[0].verified == "forward"


class Modulated(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.maps = torch.nn.Conv2d(3, 32, 3, padding=1)
        self.scale = torch.nn.Linear(10, 32)

    def forward(self, image: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale = self.scale(condition)
        return self.maps(image) * scale


def test_branches_that_meet_askew_do_not_fit() -> None:
    """A stride of 16, or maps of 4 x 32, let the product run: as an outer one."""
    diagnosis = diagnosed(lambda: Modulated()(torch.zeros(4, 3, 16, 16), torch.zeros(4, 10)))
    assert [fix.code for fix in diagnosis.fixes] == ["scale = scale[:, :, None, None]"]


class Patches(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch = torch.nn.Conv2d(3, 24, 16, 16)
        self.position = torch.nn.Parameter(torch.zeros(1, 14 * 14, 24))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.patch(image).flatten(2).transpose(1, 2) + self.position


def test_a_table_of_positions_says_which_images_it_was_made_for() -> None:
    """224 to 239 pixels would do, and so would patches 18 pixels apart."""
    diagnosis = diagnosed(lambda: Patches()(torch.zeros(2, 3, 256, 256)))
    assert diagnosis.fixes[0].edit["shape"] == (2, 3, 224, 224)
    assert diagnosis.cause is not None and "position was made for it" in diagnosis.cause.reason


def test_widths_that_double_speak_for_no_other() -> None:
    """The layer before has 64 channels because it comes before."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3),
        torch.nn.Conv2d(32, 64, 3),
        torch.nn.Conv2d(64, 128, 3),
        torch.nn.Flatten(1, 2),
        torch.nn.Flatten(1),
        torch.nn.Linear(64 * 10 * 10, 5),
    )
    diagnosis = diagnosed(lambda: model(torch.zeros(2, 1, 16, 16)))
    said = " ".join(phrase for fix in diagnosis.fixes for phrase in fix.evidence)
    assert "has out_channels" not in said


def test_channels_that_come_last_leave_height_and_width_in_order() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3), torch.nn.AdaptiveAvgPool2d(1))
    diagnosis = diagnosed(lambda: model(torch.zeros(8, 20, 20, 4)))
    assert [fix.edit["dims"] for fix in diagnosis.fixes if "dims" in fix.edit] == [(0, 3, 1, 2)]


def test_a_padding_mask_shows_where_the_batch_is() -> None:
    layer = torch.nn.TransformerEncoderLayer(16, 4)
    padding = torch.zeros(8, 20, dtype=torch.bool)
    diagnosis = diagnosed(lambda: layer(torch.zeros(8, 20, 16), src_key_padding_mask=padding))
    assert diagnosis.code == "SW103" and "[20, 8] and is given [8, 20]" in diagnosis.headline
    assert diagnosis.fixes[0].edit["dims"] == (1, 0, 2)


def test_a_variable_is_given_its_value_by_its_own_function(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "def other():\n    weights = ones(3, 4)\n\n"
        "def product(weights):\n    return data @ weights\n\n"
        "bias = ones(5)\n\n"
        "def shifted(data):\n    return data + bias\n"
    )
    assert assigned_line(str(program), "weights", used=5) is None
    assert assigned_line(str(program), "weights", used=2).line == 2
    assert assigned_line(str(program), "bias", used=10).line == 7


class Gated(torch.nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate, self.change = torch.nn.Linear(width, width), torch.nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.gate(x).sigmoid()
        return gate * self.change(x).relu() + (1 - gate) * x


def test_a_block_made_with_another_width_than_its_siblings_is_blamed_whole() -> None:
    model = torch.nn.Sequential(*[Gated(width) for width in (12, 12, 6, 12)])
    diagnosis = diagnosed(lambda: model(torch.zeros(5, 12)))
    assert diagnosis.cause is not None and diagnosis.cause.layer == "2"
    fix = diagnosis.fixes[0]
    assert fix.verified == "forward" and {edit["layer"] for edit in fix.edit["edits"]} == {"2.gate", "2.change"}
    with fix.applied(model) as repaired:
        assert repaired(torch.zeros(5, 12)).shape == (5, 12)


def test_blocks_of_which_a_layer_keeps_no_such_number_are_not_compared() -> None:
    """A convolution has groups, the pooling at its place in the other blocks has none."""
    odd = torch.nn.Sequential(torch.nn.Conv2d(8, 8, 1), torch.nn.Conv2d(8, 8, 1))
    others = [torch.nn.Sequential(torch.nn.AvgPool2d(1), torch.nn.Conv2d(8, 8, 1)) for _ in range(3)]
    model = torch.nn.Sequential(*others[:2], odd, others[2], torch.nn.Conv2d(4, 8, 1))
    diagnosis = diagnosed(lambda: model(torch.zeros(2, 8, 6, 6)))
    assert diagnosis.code == "SW501" and diagnosis.cause is not None and diagnosis.cause.layer == "4"


def test_a_map_of_scores_where_one_answer_was_meant_is_pooled() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.Conv2d(8, 10, 3))
    labels = torch.zeros(4, dtype=torch.long)

    def loss() -> torch.Tensor:
        scores = model(torch.zeros(4, 1, 12, 12))
        return torch.nn.functional.cross_entropy(scores, labels)

    diagnosis = diagnosed(loss)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "output"
    assert diagnosis.fixes[0].code == "scores = scores.mean(dim=(2, 3))" and not diagnosis.fixes[0].verified


@pytest.mark.filterwarnings("ignore:Layer .* looks like it has unbuilt state")
def test_an_input_of_another_batch_is_repeated_in_keras() -> None:
    class Pairs(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = layers.Dense(4), layers.Dense(4)

        def call(self, inputs: Any) -> Any:
            return keras.ops.concatenate([self.one(inputs[0]), self.other(inputs[1])], -1)

    model, users, items = Pairs(), np.zeros((8, 20)), np.zeros((1, 12))
    diagnosis = diagnosed(lambda: model([users, items]))
    assert diagnosis.fixes[0].code == "items = keras.ops.repeat(items, 8, axis=0)"
    assert diagnosis.fixes[0].verified == "forward"
