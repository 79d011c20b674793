"""Who is blamed for what Keras programs are given wrongly, and what is written for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import shapewatch
from shapewatch.report import Diagnosis

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* looks like it has unbuilt state", "ignore:`build")


def diagnoses_of(run: Callable[[], Any]) -> tuple[Diagnosis, ...]:
    """All diagnoses of what a function raises."""
    with pytest.raises((ValueError, tf.errors.OpError)), (session := shapewatch.watch()):
        run()
    return session.report.diagnoses


def diagnosed(run: Callable[[], Any]) -> Diagnosis:
    return diagnoses_of(run)[0]


def warned(run: Callable[[], Any]) -> list[str]:
    """The codes of what is said of a function that runs."""
    with shapewatch.watch() as session:
        run()
    return [diagnosis.code for diagnosis in session.report.diagnoses]


def changed(diagnosis: Diagnosis) -> list[tuple[Any, Any, Any]]:
    return [(fix.edit.get("layer"), fix.edit.get("argument"), fix.edit.get("value")) for fix in diagnosis.fixes]


# Samples and batches


def pictures() -> keras.Model:
    model = keras.Sequential([keras.Input((14, 14, 1)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(6)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_a_pipeline_of_samples_is_to_be_batched() -> None:
    model = pictures()
    samples = tf.data.Dataset.from_tensor_slices((np.zeros((9, 14, 14, 1)), np.zeros(9)))
    diagnosis = diagnosed(lambda: model.fit(samples, shuffle=False, verbose=0))
    assert [fix.code for fix in diagnosis.fixes] == ["samples = samples.batch(32)"]
    assert diagnosis.fixes[0].verified == "forward"


def test_a_pipeline_of_batches_is_left_alone() -> None:
    model = pictures()
    samples = tf.data.Dataset.from_tensor_slices((np.zeros((9, 14, 14, 3)), np.zeros(9))).batch(3)
    codes = [fix.code for fix in diagnosed(lambda: model.fit(samples, shuffle=False, verbose=0)).fixes]
    assert not any("batch(" in code for code in codes)


def asked_for_one() -> None:
    model, images = pictures(), np.zeros((9, 14, 14, 1))
    model.predict(images[4], verbose=0)


def test_one_item_of_an_array_is_given_as_a_slice() -> None:
    diagnosis = diagnosed(asked_for_one)
    assert [fix.code for fix in diagnosis.fixes] == ["model.predict(images[4:5], verbose=0)"]
    assert diagnosis.cause is not None and "takes [?, 14, 14, 1]" in diagnosis.cause.reason


def asked_for_one_of_a_list() -> None:
    model, images = pictures(), [np.zeros((14, 14, 1)) for _ in range(3)]
    model.predict(images[1], verbose=0)


def test_an_item_of_a_list_is_no_slice() -> None:
    assert "images[1:2]" not in diagnosed(asked_for_one_of_a_list).fixes[0].code


# Several inputs


def two_tables(named: bool) -> keras.Model:
    numbers, kinds = keras.Input((7,), name="numbers"), keras.Input((3,), name="kinds")
    out = layers.Dense(1)(layers.Concatenate()([numbers, kinds]))
    return keras.Model({"numbers": numbers, "kinds": kinds} if named else [numbers, kinds], out)


def test_inputs_in_each_others_place() -> None:
    model, left, right = two_tables(False), np.zeros((5, 3)), np.zeros((5, 7))
    diagnosis = diagnosed(lambda: model.predict([left, right], verbose=0))
    fix = diagnosis.fixes[0]
    assert fix.code == "diagnosis = diagnosed(lambda: model.predict([right, left], verbose=0))"
    assert fix.verified == "forward"


def test_inputs_by_name_are_compared_in_one_order() -> None:
    """Keras sorts them by name, whatever the order of the dictionary."""
    model = two_tables(True)
    diagnosis = diagnosed(lambda: model.predict({"numbers": np.zeros((5, 3)), "kinds": np.zeros((5, 7))}, verbose=0))
    assert "each other's place" in diagnosis.fixes[0].title and diagnosis.fixes[0].verified == "forward"


def test_of_inputs_by_name_the_one_that_is_wrong_is_named() -> None:
    model = two_tables(True)
    diagnosis = diagnosed(lambda: model.predict({"numbers": np.zeros((5, 7)), "kinds": np.zeros((5, 4))}, verbose=0))
    assert "takes [?, 3] and is given [5, 4]" in diagnosis.headline


# Sequences


def tagged() -> None:
    model = keras.Sequential(
        [
            keras.Input((9,), dtype="int32"),
            layers.Embedding(20, 8),
            layers.GRU(6),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.zeros((5, 9)), np.zeros((5, 9)), verbose=0)


def test_labels_for_each_step_ask_for_all_steps() -> None:
    """Nine labels of an item are no one-hot rows of four classes."""
    diagnosis = diagnosed(tagged)
    assert changed(diagnosis)[0][1:] == ("return_sequences", True)
    assert not any("argmax" in fix.code for fix in diagnosis.fixes)


def test_a_layer_for_each_step_is_given_the_last_alone() -> None:
    def build() -> None:
        states = layers.Bidirectional(layers.LSTM(6))(keras.Input((9, 4)))
        layers.TimeDistributed(layers.Dense(2))(states)

    diagnosis = diagnosed(build)
    assert diagnosis.code == "SW701"
    assert diagnosis.fixes[0].code.startswith("states = layers.Bidirectional(layers.LSTM(6, return_sequences=True))")


def forecast(steps: bool, answers: tuple[int, ...]) -> Callable[[], None]:
    def run() -> None:
        model = keras.Sequential([keras.Input((8, 2)), layers.LSTM(4, return_sequences=steps), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.zeros((6, 8, 2)), np.zeros(answers), verbose=0)

    return run


def test_one_answer_is_compared_with_all_steps() -> None:
    assert warned(forecast(True, (6, 1))) == ["SW891"]


@pytest.mark.parametrize(("steps", "answers"), [(True, (6, 8)), (True, (6, 8, 1)), (False, (6, 1)), (False, (6,))])
def test_answers_of_the_outputs_shape(steps: bool, answers: tuple[int, ...]) -> None:
    assert warned(forecast(steps, answers)) == []


class Attends(keras.Model):
    def __init__(self, padded: bool) -> None:
        super().__init__()
        self.padded = padded
        self.embed, self.attend = layers.Embedding(30, 16), layers.MultiHeadAttention(2, 8)

    def call(self, words: Any) -> Any:
        mask, x = ops.not_equal(words, 0), self.embed(words)
        mask = mask[:, None, :] if self.padded else mask
        return x + self.attend(x, x, attention_mask=mask)


def test_a_padding_mask_lacks_the_axis_of_the_queries() -> None:
    diagnosis = diagnosed(lambda: Attends(False)(np.ones((4, 11), "int32")))
    assert diagnosis.code == "SW103"
    assert diagnosis.fixes[0].code == "mask = mask[:, None, :]" and diagnosis.fixes[0].verified == "forward"


def test_a_padding_mask_that_has_it() -> None:
    assert warned(lambda: Attends(True)(np.ones((4, 11), "int32"))) == []


# Axes that an operation is told


class Unrolled(keras.Model):
    """Looks at all states again in each step; the axis is where it belongs, or one further."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis
        self.scores, self.step = layers.Dense(1), layers.Dense(6)

    def call(self, states: Any) -> Any:
        seen = states[:, 0]
        for _ in range(3):
            weights = ops.softmax(ops.squeeze(self.scores(states + seen[:, None]), -1))
            summed = ops.matmul(ops.expand_dims(weights, 2), states)
            seen = self.step(ops.squeeze(summed, 1))
        return seen


def test_a_line_that_runs_in_a_loop_is_changed_each_time() -> None:
    diagnoses = diagnoses_of(lambda: Unrolled(2)(np.zeros((4, 9, 6), "float32")))
    assert len(diagnoses) == 1
    assert diagnoses[0].fixes[0].code == "summed = ops.matmul(ops.expand_dims(weights, 1), states)  # axis was 2"
    assert diagnoses[0].fixes[0].verified == "forward"


class Looks(layers.Layer):
    """Where a picture is looked at: the mean and the largest of its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(1, 3, padding="same")

    def call(self, x: Any) -> Any:
        mean = ops.mean(x, axis=-1, keepdims=True)
        most = ops.max(x, axis=1, keepdims=True)
        return x * self.conv(ops.concatenate([mean, most], axis=-1))


def test_what_is_reduced_beside_another_is_reduced_as_it_is() -> None:
    diagnosis = diagnosed(lambda: Looks()(np.zeros((2, 12, 12, 12), "float32")))
    assert diagnosis.fixes[0].code == "most = ops.max(x, axis=-1, keepdims=True)  # axis was 1"
    assert diagnosis.cause is not None and "mean beside it" in diagnosis.cause.reason


class Mixed(layers.Layer):
    def call(self, weights: Any, values: Any) -> Any:
        return ops.matmul(weights, ops.transpose(values, (1, 0)))


def test_a_transposition_too_many() -> None:
    diagnosis = diagnosed(lambda: Mixed()(np.zeros((5, 7), "float32"), np.zeros((7, 3), "float32")))
    assert diagnosis.fixes[0].code == "return ops.matmul(weights, values)  # without the transposition"


class Heads(layers.Layer):
    def call(self, asked: Any, keys: Any) -> Any:
        return ops.einsum("bhqd,bhkd->bhqk", asked, keys)


def test_letters_on_other_axes() -> None:
    diagnosis = diagnosed(lambda: Heads()(np.zeros((3, 7, 2, 5), "float32"), np.zeros((3, 9, 2, 5), "float32")))
    assert diagnosis.fixes[0].code.startswith('return ops.einsum("bqhd,bkhd->bhqk", asked, keys)')


def test_a_product_along_other_axes() -> None:
    def build() -> None:
        weights, states = keras.Input((4, 9)), keras.Input((9, 6))
        layers.Dot(axes=[1, 1])([weights, states])

    diagnosis = diagnosed(build)
    assert changed(diagnosis)[0] == ("dot", "axes", (2, 1))


class Scores(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.queries, self.keys = layers.Dense(6), layers.Dense(6)

    def call(self, x: Any) -> Any:
        queries, keys = self.queries(x), self.keys(x)
        return tf.matmul(tf.nn.softmax(tf.matmul(queries, keys)), x)


def test_a_product_that_should_be_transposed() -> None:
    """Layers as wide as there are steps would fit too, and mean nothing."""
    diagnosis = diagnosed(lambda: Scores()(np.zeros((3, 8, 5), "float32")))
    assert "tf.matmul(queries, keys, transpose_b=True)" in diagnosis.fixes[0].code


# Widths


def test_a_gate_is_as_wide_as_what_it_gates() -> None:
    def build() -> None:
        maps = layers.Conv2D(24, 3, padding="same")(keras.Input((10, 10, 3)))
        gate = layers.Dense(6)(layers.GlobalAveragePooling2D()(maps))
        layers.Multiply()([maps, layers.Reshape((1, 1, 24))(gate)])

    diagnosis = diagnosed(build)
    assert changed(diagnosis)[0][1:] == ("units", 24)


def painted() -> None:
    noise, pictures = np.zeros((2, 12)), tf.zeros((2, 12, 12, 1))
    painter = keras.Sequential([keras.Input((12,)), layers.Dense(5 * 5 * 8)])
    painter.add(layers.Reshape((5, 5, 8)))
    painter.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same"))
    tf.concat([painter(noise), pictures], axis=0)


def test_what_is_laid_out_otherwise_is_also_of_another_width() -> None:
    sets = [edit for fix in diagnosed(painted).fixes for edit in fix.edit.get("edits", ())]
    assert ("units", 6 * 6 * 8) in [(edit["argument"], edit["value"]) for edit in sets]
    assert ("target_shape", (6, 6, 8)) in [(edit["argument"], edit["value"]) for edit in sets]


class Block(layers.Layer):
    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.main = layers.Conv2D(width, 3, strides=stride, padding="same")
        self.skip = layers.Conv2D(width, 1, strides=1, padding="same")

    def call(self, x: Any) -> Any:
        return self.main(x) + self.skip(x)


def test_what_one_line_of_a_class_makes_is_changed_in_all_its_blocks() -> None:
    model = keras.Sequential([Block(8, 2), Block(16, 2), layers.GlobalAveragePooling2D()])
    diagnoses = diagnoses_of(lambda: model(np.zeros((2, 16, 16, 3), "float32")))
    assert len(diagnoses) == 1
    first = diagnoses[0].fixes[0]
    assert first.verified == "forward"
    assert {edit["argument"] for edit in first.edit["edits"]} == {"strides"} and len(first.edit["edits"]) == 2


class Turned(layers.Layer):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(shape=(self.units, shape[-1]))

    def call(self, x: Any) -> Any:
        return tf.matmul(x, self.table)


class Biased(Turned):
    def build(self, shape: Any) -> None:
        self.table = self.add_weight(shape=(shape[-1], self.units))
        self.bias = self.add_weight(shape=(shape[-1],))

    def call(self, x: Any) -> Any:
        return tf.matmul(x, self.table) + self.bias


def test_a_table_made_the_wrong_way_round_is_written_the_right_one() -> None:
    """Or the product is to transpose it: nothing tells the two apart."""
    codes = [fix.code for fix in diagnosed(lambda: Turned(9)(np.zeros((4, 5), "float32"))).fixes]
    assert "self.table = self.add_weight(shape=(shape[-1], self.units))" in codes
    assert "return tf.matmul(x, self.table, transpose_b=True)" in codes


def test_a_bias_as_long_as_what_comes_in() -> None:
    """The batch is as large as what goes out."""
    diagnosis = diagnosed(lambda: Biased(9)(np.zeros((9, 5), "float32")))
    assert diagnosis.cause is not None and diagnosis.cause.layer == "self.bias"
    assert "the product sums over" in diagnosis.cause.reason
    source = diagnosis.cause.location and diagnosis.cause.location.source
    assert source == "self.bias = self.add_weight(shape=(shape[-1],))"


# What is declared


def test_channels_that_are_declared_first() -> None:
    """The layers in front were built for what was declared: declared otherwise, they would be built otherwise."""
    diagnosis = diagnosed(
        lambda: keras.Sequential([keras.Input((3, 20, 20)), layers.Conv2D(8, 3), layers.MaxPooling2D(2)])
    )
    assert diagnosis.fixes[0].edit["shape"] == (None, 20, 20, 3) and diagnosis.fixes[0].verified == "forward"


def test_a_model_within_a_model_was_built_before_it() -> None:
    inside = keras.Input((12, 12, 3))
    model = keras.Sequential([keras.Model(inside, layers.Conv2D(4, 3)(inside)), layers.Flatten(), layers.Dense(2)])
    greys = np.zeros((5, 12, 12, 1))

    def build_and_run() -> None:
        again = keras.Input((12, 12, 3))
        inner = keras.Model(again, layers.Conv2D(4, 3)(again))
        keras.Sequential([inner, layers.Flatten(), layers.Dense(2)]).predict(greys, verbose=0)

    def run() -> None:
        model.predict(greys, verbose=0)

    for diagnosis in map(diagnosed, (run, build_and_run)):
        assert diagnosis.fixes[0].code == "greys = ops.repeat(greys, 3, axis=-1)"
        assert diagnosis.fixes[0].verified == "forward"


def test_a_window_shrinks_to_nothing_last_of_all() -> None:
    def build() -> None:
        x = layers.MaxPooling1D(4)(keras.Input((6, 2)))
        layers.Conv1D(5, 3)(x)

    first, *others = changed(diagnosed(build))
    assert first[1:] == ("padding", "same")
    assert any(change[1] == "kernel_size" for change in others)


# Labels


def test_labels_for_two_answers_where_one_is_given() -> None:
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    sexes = keras.utils.to_categorical(np.zeros(7), 2)
    diagnosis = diagnosed(lambda: model.fit(np.zeros((7, 5)), sexes, verbose=0))
    assert diagnosis.fixes[0].edit["change"] == "numbers" and "categorical" not in diagnosis.fixes[0].code
    assert changed(diagnosis)[1][1:] == ("units", 2)


def two_for_one() -> None:
    model = keras.Sequential([keras.Input((5,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "binary_crossentropy")
    model.fit(np.zeros((7, 5)), np.zeros(7), verbose=0)


def test_no_softmax_over_one_number_is_written() -> None:
    assert 'layers.Dense(1, activation="sigmoid")' in diagnosed(two_for_one).fixes[0].code


def four_for_three() -> None:
    model = keras.Sequential([keras.Input((5,)), layers.Dense(8, "relu"), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    model.fit(np.zeros((7, 5)), np.zeros((7, 4)), verbose=0)


def test_of_several_layers_in_a_line_the_one_that_is_meant_keeps_what_is_written() -> None:
    assert diagnosed(four_for_three).fixes[0].code.startswith('layers.Dense(4, activation="softmax")')


# What runs


class Timed(keras.Model):
    def __init__(self, placed: bool) -> None:
        super().__init__()
        self.placed = placed
        self.embed, self.time, self.conv = layers.Embedding(30, 6), layers.Dense(6), layers.Conv1D(4, 3)

    def call(self, words: Any, time: Any) -> Any:
        time = self.time(time)
        return self.conv(self.embed(words) + (time[:, None] if self.placed else time))


def test_as_many_samples_as_steps() -> None:
    inputs = np.zeros((8, 8), "int32"), np.zeros((8, 3), "float32")
    assert warned(lambda: Timed(False)(*inputs)) == ["SW291"]
    assert warned(lambda: Timed(True)(*inputs)) == []


def test_this_file_is_the_one_that_is_blamed() -> None:
    diagnosis = diagnosed(asked_for_one)
    assert diagnosis.location is not None and Path(diagnosis.location.file) == Path(__file__)


def test_a_label_that_is_looked_up_is_flattened_before_it_is_joined() -> None:
    def build() -> None:
        noise, label = keras.Input((9,)), keras.Input((1,))
        row = layers.Embedding(10, 5)(label)
        layers.Concatenate()([noise, row])

    fix = diagnosed(build).fixes[0]
    assert (fix.verified, fix.code) == (
        "junction",
        "flat = layers.Flatten()(row)\nlayers.Concatenate()([noise, flat])",
    )
