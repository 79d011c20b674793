"""Slips of logic in Keras and in TensorFlow 1: missing layers, rows that are cut, labels apart from their data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.layers import LSTM, Dense, RepeatVector  # noqa: F401 - what is imported and never called is told of

from shapewatch.adapters.uncalled import never_called_import
from shapewatch.recording import Span
from shapewatch.repair.shapes_written import of_factors
from tests.support.told import best, failing, reason

v1 = tf.compat.v1


# Missing layers


def autoencoder() -> Any:
    inputs = keras.Input((30, 3))
    encoded = LSTM(16, return_sequences=False)(inputs)
    x = LSTM(16, return_sequences=True)(encoded)
    return keras.Model(inputs, Dense(3)(x))


def test_a_vector_that_is_to_be_repeated_for_each_step() -> None:
    told = failing(autoencoder)
    assert best(told) == (
        "repeated = layers.RepeatVector(30)(encoded)\nx = LSTM(16, return_sequences=True)(repeated)",
        "junction",
    )
    assert "`RepeatVector` is imported, and nothing makes one" in reason(told)
    assert not never_called_import("Dense", Span(__file__, 1))


def stacked() -> Any:
    inputs = keras.Input((30, 3))
    x = layers.LSTM(16)(inputs)
    return layers.LSTM(8)(x)


def test_of_layers_that_are_stacked_the_first_gives_every_step() -> None:
    """Where nothing is imported in vain the usual slip is the likeliest; here one is, so it is the second choice."""
    repeated, sequences = [fix.title for fix in failing(stacked).fixes]
    assert repeated.startswith("layers.RepeatVector(30) before lstm")
    assert sequences.endswith("return_sequences True instead of False")


def text_and_meta(steps: int = 16) -> Any:
    text, meta = keras.Input((steps,)), keras.Input((5,))
    t = layers.Dense(32)(layers.Embedding(50, 12)(text))
    m = layers.Dense(16)(meta)
    return layers.concatenate([t, m])


@pytest.mark.parametrize("steps", [16, 24])
def test_steps_that_are_not_pooled(steps: int) -> None:
    """16 steps beside 16 units are alike by chance."""
    told = failing(lambda: text_and_meta(steps))
    assert best(told) == (
        "pooled = layers.GlobalAveragePooling1D()(t)\nreturn layers.concatenate([pooled, m])",
        "junction",
    )
    assert "a vector for each step or place, and the other has one for a sample" in reason(told)


def volumes() -> Any:
    inputs = keras.Input((8, 16, 16, 1))
    skip = layers.Conv3D(4, 3, padding="same")(inputs)
    x = layers.MaxPooling3D(pool_size=(1, 2, 2))(skip)
    x = layers.Conv3D(8, 3, padding="same")(x)
    x = layers.UpSampling3D(size=(2, 2, 2))(x)
    return layers.concatenate([x, skip])


def test_an_upsampling_that_does_not_undo_its_pooling() -> None:
    told = failing(volumes)
    assert told.cause is not None
    assert (told.cause.type, told.fixes[0].title.split(": ")[1]) == ("UpSampling3D", "size (1, 2, 2) instead of 2")


class Recommender(keras.Model):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.user = layers.Embedding(20, width)
        self.movie = layers.Embedding(30, 32)

    def call(self, pairs: Any) -> Any:
        return keras.ops.sum(self.user(pairs[:, 0]) * self.movie(pairs[:, 1]), axis=1)


def test_a_number_is_sooner_wrong_than_a_name() -> None:
    told = failing(lambda: Recommender(50)(np.zeros((4, 2), "int32")))
    assert told.cause is not None and told.cause.layer == "movie"


def added_one_by_one() -> None:
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 3)))
    model.add(layers.Conv2D(4, 3))
    model.add(layers.Dense(10))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.zeros((6, 8, 8, 3)), np.zeros((6, 1)), verbose=0)


def test_a_flatten_is_added_as_the_program_adds() -> None:
    told = failing(added_one_by_one)
    assert told.fixes[0].code == "model.add(layers.Flatten())\nmodel.add(layers.Dense(10))"
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "model.add(layers.Dense(10))"


class Factors(keras.Model):
    """One of two embeddings is not flattened, and the product repeats both."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item, self.aside = (layers.Embedding(30, 8) for _ in range(3))
        self.flatten, self.out = layers.Flatten(), layers.Dense(1)

    def call(self, pairs: Any) -> Any:
        user, item = pairs[:, :1], pairs[:, 1:]
        both = self.flatten(self.user(user)) * self.item(item)
        return self.out(keras.ops.concatenate([both, self.flatten(self.aside(user))], axis=-1))


def test_a_product_that_repeated_both_sides_before() -> None:
    told = failing(lambda: Factors()(np.zeros((6, 2), "int32")))
    assert best(told) == ("both = self.flatten(self.user(user)) * keras.ops.squeeze(self.item(item), 1)", "forward")
    assert "mul has repeated both: [6, 1, 8] and [6, 8]" in reason(told)


def mixed() -> Any:
    real, fake = tf.ones([6, 9, 9, 1]), tf.zeros([6, 9, 9, 1])
    alpha = tf.random.uniform((6, 1, 1))
    return real + alpha * (fake - real)


def test_a_number_for_each_sample_has_an_axis_too_few() -> None:
    assert best(failing(mixed)) == ("alpha = alpha[:, :, :, None]", None)


# Rows that are cut


def trained() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        images, labels = v1.placeholder(tf.float32, [None, 8, 8, 1]), v1.placeholder(tf.float32, [None, 10])
        weights = {
            "conv": v1.Variable(tf.ones([3, 3, 1, 8])),
            "dense": v1.Variable(tf.ones([4 * 4 * 4, 10])),
        }
        maps = tf.nn.conv2d(images, weights["conv"], strides=[1, 2, 2, 1], padding="SAME")
        rows = tf.reshape(maps, [-1, weights["dense"].get_shape().as_list()[0]])
        logits = tf.matmul(rows, weights["dense"])
        loss = tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels)
        session.run(v1.global_variables_initializer())
        session.run(loss, {images: np.zeros((5, 8, 8, 1)), labels: np.zeros((5, 10))})


def test_a_weight_with_fewer_rows_than_a_sample_has_numbers() -> None:
    told = failing(trained)
    assert told.code == "SW803"
    assert "makes [10, 64] of [5, 4, 4, 8]: each sample has 128 numbers." in told.explanation
    assert told.fixes[0].code == '"dense": v1.Variable(tf.ones([4 * 4 * 8, 10])),'
    assert "each sample of [5, 4, 4, 8] has 128 numbers, and is cut into rows of 64" in reason(told)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("w = variable([7 * 7 * 16, 128])", "w = variable([7 * 7 * 32, 128])"),
        ("'w': variable([784, 128]),", "'w': variable([7 * 7 * 32, 128]),"),
        ("w = variable([rows, 128])", None),
    ],
)
def test_products_as_they_are_written(source: str, code: str | None) -> None:
    assert of_factors(source, 784, (7, 7, 32)) == code


def of_the_wrong_map() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        images, labels = v1.placeholder(tf.float32, [None, 8, 8, 1]), v1.placeholder(tf.float32, [None, 10])
        pooled = tf.nn.max_pool2d(images, 2, 2, "SAME")
        pooled_again = tf.nn.max_pool2d(pooled, 2, 2, "SAME")  # noqa: F841 - that nothing reads it is the slip
        rows = tf.reshape(pooled, [-1, 2 * 2])
        logits = tf.matmul(rows, v1.Variable(tf.ones([4, 10])))
        loss = tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels)
        session.run(v1.global_variables_initializer())
        session.run(loss, {images: np.zeros((5, 8, 8, 1)), labels: np.zeros((5, 10))})


def test_a_map_that_nothing_reads_is_meant() -> None:
    told = failing(of_the_wrong_map)
    assert told.fixes[0].code == "rows = tf.reshape(pooled_again, [-1, 2 * 2])"
    assert "`pooled_again`, which line" in reason(told)


def tied() -> Any:
    x = tf.ones([5, 12])
    w = tf.Variable(tf.ones([12, 7]))
    code = tf.matmul(x, w)
    return tf.matmul(code, w)


def test_a_tied_weight_is_transposed() -> None:
    told = failing(tied)
    assert best(told) == ("return tf.matmul(code, w, transpose_b=True)", None)
    assert "it stands as it is in another product" in reason(told)


# Labels apart from their data


def classifier(classes: int) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(classes, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    return model


def of_seven_columns() -> None:
    kinds = ["walk", "run", "sit", "stand", "up", "down"]
    model, labels = classifier(len(kinds)), np.eye(7)[np.arange(1, 7)]
    model.fit(np.zeros((6, 4)), labels, verbose=0)


def test_class_numbers_that_begin_at_1() -> None:
    told = failing(of_seven_columns)
    assert told.fixes[0].code == "labels = labels[:, 1:]  # as of to_categorical(y - 1): there is no class 0"
    assert "begin at 1" in told.explanation
    assert told.fixes[1].title.endswith("units 7 instead of 6")


def of_a_number() -> None:
    model, labels = keras.Sequential([keras.Input((4,)), layers.Dense(6)]), np.eye(7)[np.arange(1, 7)]
    model.compile("sgd", "categorical_crossentropy")
    model.fit(np.zeros((6, 4)), labels, verbose=0)


def test_a_number_of_classes_that_is_written_down_is_asked_first() -> None:
    assert failing(of_a_number).fixes[0].title.endswith("units 7 instead of 6")


def masks() -> None:
    model = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    y = np.zeros((4, 24, 24, 1))
    model.fit(np.zeros((4, 16, 16, 3)), y, verbose=0)


def tags() -> None:
    model = keras.Sequential([keras.Input((12,)), layers.Embedding(9, 4), layers.Dense(5, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    y = np.zeros((4, 9))
    model.fit(np.zeros((4, 12)), y, verbose=0)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (masks, 'y = keras.ops.image.resize(y, (16, 16), interpolation="nearest")'),
        (tags, 'y = keras.utils.pad_sequences(y, maxlen=12, padding="post")'),
    ],
)
def test_labels_of_another_size_than_the_data(run: Callable[[], None], code: str) -> None:
    told = failing(run)
    assert best(told) == (code, None)
    assert told.cause is not None and told.cause.type == "target"
    assert "The output is as large as what the model was given" in told.explanation


def turned() -> None:
    model = keras.Sequential([keras.Input((9, 4)), layers.LSTM(3)])
    model.predict(np.zeros((5, 4, 9)), verbose=0)


def test_an_input_whose_axes_are_in_another_order() -> None:
    assert failing(turned).fixes[0].changes[0].change == "permute"  # type: ignore[union-attr]


# Weights and feeds of TensorFlow 1


def for_other_maps() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, [None, 10, 10, 3])
        dense = v1.Variable(tf.ones([4 * 4 * 3, 10]))
        rows = tf.reshape(tf.nn.max_pool2d(images, 2, 2, "SAME"), [-1, dense.get_shape().as_list()[0]])
        logits = tf.matmul(rows, dense)
        session.run(v1.global_variables_initializer())
        session.run(logits, {images: np.zeros((5, 10, 10, 3))})


def test_rows_are_as_long_as_a_weight_says() -> None:
    told = failing(for_other_maps)
    assert told.code == "SW301"
    assert told.fixes[0].code == "dense = v1.Variable(tf.ones([5 * 5 * 3, 10]))"
    assert "each sample of [5, 5, 5, 3] has 75 numbers, and its rows are of 48" in reason(told)


weights: dict[str, Any] = {}


def in_each_others_place() -> Any:
    with v1.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 9])
        weights["first"] = v1.Variable(tf.ones([9, 5]), use_resource=False)
        weights["second"] = v1.Variable(tf.ones([5, 7]), use_resource=False)
        weights["third"] = v1.Variable(tf.ones([7, 2]), use_resource=False)
        hidden = tf.nn.relu(tf.matmul(x, weights["first"]))
        hidden = tf.nn.relu(tf.matmul(hidden, weights["third"]))
        return tf.matmul(hidden, weights["second"])


def test_a_weight_that_nothing_has_taken() -> None:
    told = failing(in_each_others_place)
    assert told.fixes[0].code == 'hidden = tf.nn.relu(tf.matmul(hidden, weights["second"]))'
    assert "weights['second'] is [5, 7], and nothing has taken it yet" in reason(told)


def turned_feed() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        signals = v1.placeholder(tf.float32, [None, 12, 3])
        recorded = np.zeros((4, 3, 12))
        session.run(signals * 2.0, {signals: recorded})


def test_a_feed_whose_axes_are_in_another_order() -> None:
    told = failing(turned_feed)
    assert told.fixes[0].code == "session.run(signals * 2.0, {signals: recorded.transpose(0, 2, 1)})"
    assert "Its axes stand in another order." in told.explanation


# What a training step does


def picked() -> Any:
    labels, train = tf.one_hot([0, 1, 2, 0, 1], 3), tf.constant([0, 2])
    logits = tf.gather(tf.ones([5, 3]), train)
    return tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def test_labels_are_picked_as_the_answers_are() -> None:
    told = failing(picked)
    assert told.fixes[0].code == "labels = tf.gather(labels, train)"
    assert "`train` picks 2 of 5 answers" in reason(told)


def coordinates() -> Any:
    x, t, w = tf.ones([20, 1]), tf.zeros([20, 1]), tf.Variable(tf.ones([1, 2]))
    u = tf.matmul(tf.concat([x, t], axis=0), w)
    return u - tf.ones([20, 2])


def test_columns_that_are_joined_below_each_other() -> None:
    told = failing(coordinates)
    assert told.fixes[0].code == "u = tf.matmul(tf.concat([x, t], axis=-1), w)  # axis was 0"
    assert told.cause is not None and told.cause.type == "concat"


def too_many_axes() -> Any:
    data = tf.ones([6, 4])
    return tf.reduce_sum(tf.square(data), axis=(1, 2))


def test_an_axis_that_is_not_there_is_left_out() -> None:
    assert failing(too_many_axes).fixes[0].code.startswith("return tf.reduce_sum(tf.square(data), axis=1)")


def generated() -> Any:
    critic = keras.Sequential(
        [keras.Input((16, 16, 1)), layers.Conv2D(4, 3, strides=2, padding="same"), layers.Flatten(), layers.Dense(1)]
    )
    z = keras.Input((10,))
    image = layers.Reshape((4, 4, 2))(layers.Dense(32)(z))
    image = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(image)
    image = layers.Conv2DTranspose(1, 3, padding="same")(image)
    return critic(image)


def test_a_model_that_says_what_it_takes_is_not_changed() -> None:
    told = failing(generated)
    assert told.cause is not None
    assert told.cause.type == "Conv2DTranspose"
    assert told.fixes[0].title.endswith("strides 2 instead of 1")


# Third round


def chosen() -> Any:
    targets, taken = tf.ones([8]), tf.one_hot([0, 1, 2, 0, 1, 2, 0, 1], 3)
    scores = tf.matmul(tf.ones([8, 4]), tf.ones([4, 3]))
    answer = tf.reduce_sum(scores * taken, axis=1)  # noqa: F841 - that nothing reads it is the slip
    return tf.reduce_mean(tf.square(targets - scores))


def test_a_vector_that_nothing_reads_is_meant() -> None:
    told = failing(chosen)
    assert told.fixes[0].code == "return tf.reduce_mean(tf.square(targets - answer))"


def pooled_over_all() -> Any:
    inputs = keras.Input((40, 2))
    x = layers.MaxPooling1D(3)(layers.Conv1D(4, 3)(inputs))
    x = layers.GlobalMaxPooling1D()(layers.Conv1D(8, 3)(x))
    return layers.LSTM(5)(x)


def test_a_pooling_over_all_steps_before_a_recurrent_layer() -> None:
    told = failing(pooled_over_all)
    assert "MaxPooling1D(3)" in told.fixes[0].code and "Global" not in told.fixes[0].code
    assert reason(told) == "it pools over all steps, which leaves no axis of time, where windows fit"


def spectrogram() -> Any:
    inputs = keras.Input((32, 20, 1))
    maps = layers.Conv2D(6, 3, strides=2, padding="same")(inputs)
    return layers.Bidirectional(layers.GRU(4))(maps)


def test_maps_before_a_bidirectional_layer() -> None:
    assert failing(spectrogram).fixes[0].code.splitlines()[0] == "flat = layers.TimeDistributed(layers.Flatten())(maps)"


def writer(given: int, following: int) -> None:
    model = keras.Sequential([keras.Input((given,)), layers.Embedding(9, 4), layers.Dense(9, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.zeros((4, given)), np.zeros((4, following)), verbose=0)


def test_an_input_with_its_last_step() -> None:
    told = failing(lambda: writer(13, 12))
    assert told.fixes[0].title == "the input without its last step"
    assert told.cause is not None and told.cause.type == "input"


def all_columns() -> None:
    model = keras.Sequential([keras.Input((24, 5)), layers.Flatten(), layers.Dense(12)])
    model.compile("sgd", "mse")
    windows, ahead = np.zeros((8, 24, 5)), np.zeros((8, 12, 5))
    model.fit(windows, ahead, verbose=0)


def test_labels_with_all_columns() -> None:
    told = failing(all_columns)
    assert told.fixes[0].code == "ahead = ahead[..., 0]  # the column that is to be predicted"
    assert "5 is how many columns the input has" in told.explanation


def reviews() -> None:
    model = keras.Sequential([keras.Input((12,)), layers.Embedding(9, 4), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    new = keras.utils.pad_sequences([[1, 2, 3], [4, 5]], padding="post")
    model.predict(new, verbose=0)


def test_sequences_that_are_padded_to_no_length() -> None:
    told = failing(reviews)
    assert told.fixes[0].code == ('new = keras.utils.pad_sequences([[1, 2, 3], [4, 5]], padding="post", maxlen=12)')
    assert told.cause is not None and told.cause.location is not None
    assert (told.cause.location.source or "").startswith("new = ")


def joined_by_the_function() -> Any:
    inputs = keras.Input((12, 12, 3))
    one, two = layers.Conv2D(4, 1)(inputs), layers.Conv2D(6, 3, padding="same")(inputs)
    return layers.concatenate([one, two], axis=1)


def test_a_concatenation_that_is_a_function() -> None:
    told = failing(joined_by_the_function)
    assert told.fixes[0].code == "return layers.concatenate([one, two], axis=3)  # axis was 1"


# Lines of functional models that run later


def conditioned(width: int) -> Any:
    image, condition = keras.Input((8, 8, 3)), keras.Input((6,))
    x = layers.Conv2D(width, 3, padding="same")(image)
    added = Dense(width)(condition)
    x = x + added
    return keras.Model([image, condition], layers.Conv2D(1, 1)(x))


def test_an_operation_of_a_functional_model_has_the_line_that_put_it_there() -> None:
    """While the model is built the size of the batch is open, and fits whatever comes."""

    def run() -> None:
        model = conditioned(5)
        model([np.zeros((4, 8, 8, 3), "float32"), np.zeros((4, 6), "float32")])

    told = failing(run)
    assert told.location is not None and told.location.source == "x = x + added"
    assert told.cause is not None and told.cause.location == told.location
    assert best(told) == ("added = added[:, None, None, :]", "forward")
    assert reason(told) == "one of its branches, [4, 5], lacks axes of size 1"


def translator(units: int) -> Any:
    source, target = keras.Input((7, 4)), keras.Input((5, 4))
    _, *states = LSTM(12, return_state=True)(source)
    decoder = LSTM(units, return_sequences=True)
    out = decoder(target, initial_state=states)
    return keras.Model([source, target], Dense(3)(out))


def test_a_layer_is_told_by_the_line_that_makes_it() -> None:
    told = failing(lambda: translator(8)([np.zeros((2, 7, 4), "float32"), np.zeros((2, 5, 4), "float32")]))
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "decoder = LSTM(units, return_sequences=True)"


def refined(x: Any, width: int) -> Any:
    x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return layers.Conv2D(width, 3, activation="relu")(x)


def hourglass() -> Any:
    inputs = keras.Input((64, 64, 3))
    first = refined(inputs, 4)
    second = refined(layers.MaxPooling2D()(first), 8)
    x = layers.UpSampling2D()(refined(layers.MaxPooling2D()(second), 8))
    return layers.concatenate([x, second])


def test_what_one_line_of_a_function_makes_is_written_once() -> None:
    told = failing(hourglass)
    assert told.fixes[0].code == (
        'return layers.Conv2D(width, 3, activation="relu", padding="same")(x)  # padding was "valid"'
    )


def test_a_model_that_layers_are_still_added_to_has_not_run_to_its_end() -> None:
    model = keras.Sequential([keras.Input((9, 2)), LSTM(6)])

    def run() -> None:
        model.add(LSTM(4))

    told = failing(run)
    assert told.fixes[0].verified == "junction"
    assert told.fixes[0].why_not == "the model was still being built, so what comes after could not be run"
    assert told.fixes[0].output_shape is None
