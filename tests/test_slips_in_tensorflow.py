"""Slips of whole programs in TensorFlow and in Keras: training steps, layers and modules of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import shapewatch
from shapewatch.adapters.located import Node, located
from shapewatch.edits import Insert
from shapewatch.recording import Call, Failure, Recording, TensorSpec, Value
from shapewatch.report import Diagnosis, Report


def report_of(run: Callable[[], Any]) -> Report:
    """The report of a function that raises."""
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)), (session := shapewatch.watch()):
        run()
    return session.report


def failing(run: Callable[[], Any]) -> Diagnosis:
    (told,) = report_of(run).diagnoses
    return told


def codes(told: Diagnosis) -> list[str]:
    return [fix.code for fix in told.fixes]


# In a graph that was traced before


class Attention(tf.Module):
    """The padding lacks the axis of the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(tf.ones([12, 12]))

    def heads(self, x: Any) -> Any:
        return tf.transpose(tf.reshape(tf.matmul(x, self.w), [tf.shape(x)[0], x.shape[1], 3, 4]), [0, 2, 1, 3])

    def __call__(self, x: Any, padding: Any) -> Any:
        q, k, v = self.heads(x), self.heads(x), self.heads(x)
        scores = tf.matmul(q, k, transpose_b=True) / 2.0
        scores += padding[:, tf.newaxis, :] * -1e9
        return tf.matmul(tf.nn.softmax(scores), v)


class Reader(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = tf.Variable(tf.ones([30, 12]))
        self.attention = Attention()

    def __call__(self, tokens: Any) -> Any:
        padding = tf.cast(tf.equal(tokens, 0), tf.float32)
        return self.attention(tf.gather(self.embed, tokens), padding)


def masked() -> None:
    model = Reader()

    @tf.function(input_signature=[tf.TensorSpec([None, 9], tf.int32)])
    def step(tokens: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(tokens))
        return tape.gradient(loss, model.trainable_variables)

    step(tf.ones([5, 9], tf.int32))


def test_a_mask_without_an_axis_for_the_heads() -> None:
    told = failing(masked)
    assert told.code == "SW201" and "axis 1 differs" in told.headline
    assert told.cause is not None and "the last axis of scores counts the keys" in told.cause.reason
    assert codes(told) == ["scores += (padding[:, tf.newaxis, :] * -1e9)[:, :, None, :]"]


@pytest.mark.parametrize(
    "name",
    ["add", "gradient_tape/add/BroadcastGradientArgs", "while/gradient_tape/add/BroadcastGradientArgs_2"],
)
def test_a_node_of_a_gradient_is_told_as_the_forwards(name: str) -> None:
    specs = [TensorSpec((None, 1, 9)), TensorSpec((None, 3, 9, 9)), TensorSpec((None, 3, 9, 9))]
    recording = Recording(
        "tensorflow",
        tuple(Value(number, spec, "input") for number, spec in enumerate(specs)),
        (Call(0, "add", "add", "", False, None, (0, 1), (2,)),),
        failure=Failure("InvalidArgumentError", "", None),
    )
    said = f"Incompatible shapes: [5,1,9] vs. [5,3,9,9]\n\t [[{{{{node {name}}}}}]]"
    found = located(recording, {0: [Node("f", "add")]}, said)
    assert found.failure is not None and found.failure.call == 0
    assert (found.shape(0), found.shape(1)) == ((5, 1, 9), (5, 3, 9, 9))
    assert located(recording, {0: [Node("f", "add_1")]}, said) is recording


class Positions(layers.Layer):
    """The table is added whole, and a batch may be shorter."""

    def __init__(self, longest: int, width: int) -> None:
        super().__init__()
        self.token = layers.Embedding(40, width)
        self.position = self.add_weight(name="position", shape=(longest, width))

    def call(self, ids: Any) -> Any:
        return self.token(ids) + self.position


class Answers(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = Positions(20, 6), layers.Dense(1)

    def call(self, ids: Any) -> Any:
        return self.head(tf.reduce_mean(self.embed(ids), axis=1))


def shorter_batches() -> None:
    lengths = tf.data.Dataset.from_tensor_slices([11, 7])
    batches = lengths.map(lambda length: (tf.ones([4, length], tf.int32), tf.ones([4, 1])))
    model = Answers()
    model.compile("sgd", "mse")
    model.fit(batches, verbose=0)


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
def test_a_whole_table_of_positions_for_shorter_batches() -> None:
    told = failing(shorter_batches)
    assert (told.code, told.headline) == ("SW202", "add in embed: 11 against 20 on axis 1")
    assert told.cause is not None and told.cause.reason == "a table is taken whole, and is longer"
    assert codes(told) == ["x = self.token(ids)\nreturn x + self.position[:keras.ops.shape(x)[1]]"]


# Axes that are missing, and axes too many, in code behind a model


def area(boxes: Any) -> Any:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def overlaps() -> Any:
    anchors, found = tf.ones([11, 4]), tf.ones([3, 4])
    return area(anchors) + area(found)[None, :]


def test_rows_that_lack_an_axis_beside_columns() -> None:
    told = failing(overlaps)
    assert (told.code, told.fixes[0].verified) == ("SW201", None)
    assert codes(told) == ["return area(anchors)[:, None] + area(found)[None, :]"]


class Paths(keras.Model):
    """A mask of the samples chooses among their scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.scores = layers.Embedding(25, 6), layers.Dense(5)

    def call(self, tokens: Any) -> Any:
        return self.scores(self.embed(tokens))

    def train_step(self, data: Any) -> Any:
        tokens, _ = data
        with tf.GradientTape() as tape:
            scores = self(tokens, training=True)
            alpha = scores[:, 0]
            for t in range(1, 4):
                keep = tokens[:, t] > 0
                alpha = tf.where(keep, alpha + scores[:, t], alpha)
            loss = tf.reduce_mean(alpha)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        return {"loss": loss}


def chosen() -> None:
    model = Paths()
    model.compile("sgd")
    model.fit(np.ones((12, 9), "int32"), np.ones(12), batch_size=6, verbose=0)


def test_a_condition_of_samples_in_a_training_step() -> None:
    told = failing(chosen)
    assert told.code == "SW201" and "three branches" in told.headline
    assert codes(told) == ["keep = keep[:, None]"]
    assert told.fixes[0].verified is None


def weighed() -> None:
    inputs = keras.Input((10, 10, 2))
    model = keras.Model(inputs, layers.Conv2D(4, 1)(inputs))

    @tf.function
    def step(image: Any, target: Any, weight: Any) -> Any:
        logits = model(image)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
        return tf.reduce_mean(each * weight)

    step(tf.ones([3, 10, 10, 2]), tf.ones([3, 10, 10], tf.int32), tf.ones([3, 10, 10, 1]))


def test_weights_of_pixels_with_an_axis_too_many() -> None:
    told = failing(weighed)
    assert told.code == "SW201"
    assert told.fixes[0].code == "return tf.reduce_mean(each * tf.squeeze(weight, 3))"


class Overlap(keras.metrics.Metric):
    """The labels have an axis of channels, and the classes that were told have none."""

    def __init__(self) -> None:
        super().__init__()
        self.total = self.add_weight(shape=(), initializer="zeros", name="total")

    def update_state(self, y_true: Any, y_pred: Any, **_: Any) -> None:
        pred = keras.ops.argmax(y_pred, axis=-1)
        both = keras.ops.logical_and(keras.ops.equal(pred, 1), keras.ops.equal(y_true, 1))
        self.total.assign_add(keras.ops.sum(keras.ops.cast(both, "float32")))

    def result(self) -> Any:
        return self.total


def measured() -> None:
    model = keras.Sequential([keras.Input((7, 9, 2)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[Overlap()])
    model.fit(np.ones((4, 7, 9, 2)), np.ones((4, 7, 9, 1), "int32"), verbose=0)


def test_classes_beside_labels_with_an_axis_too_many_in_a_metric() -> None:
    told = failing(measured)
    assert told.code == "SW202"
    assert told.fixes[0].code == (
        "both = keras.ops.logical_and(keras.ops.equal(pred, 1), keras.ops.squeeze(keras.ops.equal(y_true, 1), 3))"
    )
    assert told.fixes[0].verified is None


class Field(tf.Module):
    """Is asked at twice as many places as there are values for."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = tf.Variable(tf.ones([2, 9])), tf.Variable(tf.ones([9, 1]))

    def __call__(self, x: Any) -> Any:
        return tf.matmul(tf.tanh(tf.matmul(x, self.first)), self.second)


def residual() -> None:
    field = Field()

    @tf.function
    def step(values: Any, places: Any) -> Any:
        found = field(places)
        return tf.reduce_mean(tf.square(values - found))

    step(tf.ones([14, 1]), tf.ones([28, 2]))


def test_columns_of_other_lengths_are_not_transposed() -> None:
    told = failing(residual)
    assert told.code == "SW201" and "axis 0 differs" in told.headline
    assert codes(told) == []


# Sizes that are taken from elsewhere


class Cloud(tf.Module):
    """Repeats what was pooled as many times as a point has coordinates."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.deep = tf.Variable(tf.ones([1, 3, 8])), tf.Variable(tf.ones([1, 8, 10]))
        self.out = tf.Variable(tf.ones([1, 18, 4]))

    def __call__(self, points: Any) -> Any:
        n = tf.shape(points)[-1]
        local = tf.nn.relu(tf.nn.conv1d(points, self.first, 1, "VALID"))
        pooled = tf.reduce_max(tf.nn.conv1d(local, self.deep, 1, "VALID"), axis=1, keepdims=True)
        spread = tf.tile(pooled, [1, n, 1])
        return tf.nn.conv1d(tf.concat([local, spread], axis=-1), self.out, 1, "VALID")


def scattered() -> Any:
    model = Cloud()

    @tf.function
    def step(points: Any) -> Any:
        return model(points)

    return step(tf.ones([4, 86, 3]))


@pytest.mark.parametrize("run", [scattered, lambda: Cloud()(tf.ones([4, 86, 3]))])
def test_a_repetition_by_another_axis(run: Callable[[], Any]) -> None:
    told = failing(run)
    assert told.code == "SW401"
    (fix, *_) = told.fixes
    assert fix.code == "spread = tf.tile(pooled, [1, tf.shape(local)[1], 1])  # multiples were (1, 3, 1)"
    assert (fix.verified, fix.output_shape) == ("forward", (4, 86, 4))


class Joined(tf.Module):
    """Joins all points and a few."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = tf.Variable(tf.ones([1, 3, 8])), tf.Variable(tf.ones([1, 3, 10]))

    def __call__(self, points: Any, few: Any) -> Any:
        local = tf.nn.conv1d(points, self.near, 1, "VALID")
        whole = tf.nn.conv1d(few, self.far, 1, "VALID")
        return tf.concat([local, whole], axis=-1)


def test_a_stride_that_skips_nearly_all_is_no_repair() -> None:
    told = failing(lambda: Joined()(tf.ones([4, 86, 3]), tf.ones([4, 2, 3])))
    assert told.code == "SW401" and told.fixes
    assert [fix.code for fix in told.fixes if "stride" in fix.code] == []


class Rounds(tf.Module):
    """Counts the edges for the nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.message, self.update = tf.Variable(tf.ones([19, 8])), tf.Variable(tf.ones([16, 8]))

    def __call__(self, nodes: Any, edges: Any, senders: Any, receivers: Any) -> Any:
        count = tf.shape(edges)[0]
        pair = tf.concat([tf.gather(nodes, senders), tf.gather(nodes, receivers), edges], axis=-1)
        messages = tf.nn.relu(tf.matmul(pair, self.message))
        inbox = tf.math.unsorted_segment_sum(messages, receivers, count)
        both = tf.concat([nodes, inbox], axis=-1)
        return tf.matmul(both, self.update)


def passed_on() -> None:
    ends = tf.range(30) % 13
    Rounds()(tf.ones([13, 8]), tf.ones([30, 3]), ends, ends)


def test_no_other_number_of_nodes_is_asked_for() -> None:
    told, *more = report_of(passed_on).diagnoses
    assert told.code == "SW401" and "13 against 30" in told.headline
    assert all(fix.edit["action"] != "input" for each in (told, *more) for fix in each.fixes)


# Vectors where matrices are taken


class Embedder(tf.Module):
    """Takes off every axis of size 1, which is the batch as well where one sample comes."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.w = tf.Variable(tf.ones([1, 1, 3, 7])), tf.Variable(tf.ones([7, 5]))

    def __call__(self, images: Any) -> Any:
        x = tf.nn.avg_pool2d(tf.nn.conv2d(images, self.kernel, 1, "SAME"), 6, 1, "VALID")
        x = tf.squeeze(x)
        return tf.matmul(x, self.w)


def test_a_squeeze_of_one_sample() -> None:
    told = failing(lambda: Embedder()(tf.ones([1, 6, 6, 3])))
    assert told.code == "SW701"
    assert told.headline == "matmul in Embedder takes matrices and is given the vector x [7]"
    (fix, *_) = told.fixes
    assert fix.code == "x = tf.squeeze(x, axis=(-3, -2))  # axis was None"
    assert (fix.verified, fix.output_shape) == ("forward", (1, 5))
    assert told.cause is not None and "it takes the batch of one as well" in told.cause.reason


class Values(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(tf.ones([6, 3]))

    def __call__(self, obs: Any) -> Any:
        return tf.nn.relu(tf.matmul(obs, self.w))


def observed() -> Any:
    values = Values()
    obs = np.zeros(6, "float32")
    return values(tf.convert_to_tensor(obs))


def test_one_observation_for_a_batch() -> None:
    told = failing(observed)
    assert told.code == "SW701" and "takes matrices and is given the vector obs [6]" in told.headline
    (fix, *_) = told.fixes
    assert (fix.code, fix.verified, fix.output_shape) == ("obs = tf.expand_dims(obs, 0)", "forward", (1, 3))
    assert told.cause is not None and told.cause.layer == "input"


def observed_again() -> Any:
    values = Values()
    values(np.zeros((4, 6), "float32"))
    obs = np.zeros(6, "float32")
    return values(obs)


def test_one_observation_where_batches_came_before() -> None:
    """In the line of the module an axis more would be one too many for all that ran."""
    told = failing(observed_again)
    (fix,) = told.fixes
    assert (fix.code, fix.verified, fix.output_shape) == ("return values(obs[None, :])", "forward", (1, 3))
    assert told.cause is not None and told.cause.type == "input"
    assert told.cause.reason == "it is given [6], and was given [4, 6] before: one sample lacks the axis of the batch"


# Lines that several convolutions share


def filtered(x: Any, kernel: Any) -> Any:
    return tf.nn.relu(tf.nn.conv2d(x, kernel, strides=1, padding="SAME"))


class Digits(tf.Module):
    """The rows are for pictures of another size."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = tf.Variable(tf.ones([3, 3, 1, 4])), tf.Variable(tf.ones([3, 3, 4, 8]))
        self.rows = {
            "hidden": tf.Variable(tf.ones([7 * 7 * 8, 16])),
            "out": tf.Variable(tf.ones([16, 5])),
        }

    def __call__(self, x: Any) -> Any:
        x = tf.nn.max_pool2d(filtered(x, self.first), 2, 2, "SAME")
        x = tf.nn.max_pool2d(filtered(x, self.second), 2, 2, "SAME")
        x = tf.reshape(x, [-1, self.rows["hidden"].shape[0]])
        return tf.matmul(tf.matmul(x, self.rows["hidden"]), self.rows["out"])


def test_rows_of_a_weight_that_nothing_has_taken_yet() -> None:
    told = failing(lambda: Digits()(tf.ones([6, 32, 32, 1])))
    assert told.fixes[0].code == '"hidden": tf.Variable(tf.ones([8 * 8 * 8, 16])),'
    assert told.cause is not None
    assert told.cause.reason == "its rows are of 392, and each sample of [6, 8, 8, 8] has 512 numbers"


def shrunk(x: Any, stride: int) -> Any:
    return tf.nn.max_pool2d(x, 2, stride, "SAME")


class Halves(tf.Module):
    def __call__(self, x: Any) -> Any:
        beside = shrunk(shrunk(x, 2), 1)
        return shrunk(x, 2) + shrunk(beside, 2)


def test_an_argument_of_a_function_is_no_number_of_its_line() -> None:
    told = failing(lambda: Halves()(tf.ones([2, 16, 16, 3])))
    strides = [fix for fix in told.fixes if "stride" in fix.title]
    assert strides
    assert not [fix.code for fix in strides if fix.code.startswith("return tf.nn.max_pool2d")]


# Weights and loops


class Pooling(layers.Layer):
    """Its weights are made for the steps, and meet the features."""

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(name="w", shape=(input_shape[1], 9))

    def call(self, inputs: Any) -> Any:
        scores = tf.tensordot(inputs, self.w, axes=1)
        return tf.reduce_sum(scores, axis=1)


def pooled() -> None:
    steps = keras.Input((14,), dtype="int32")
    x = layers.GRU(10, return_sequences=True)(layers.Embedding(50, 6)(steps))
    model = keras.Model(steps, Pooling()(x))
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 14), "int32"), np.ones((8, 9)), batch_size=4, verbose=0)


def test_a_weight_made_for_the_steps() -> None:
    told = failing(pooled)
    assert told.code == "SW101"
    assert told.cause is not None and told.cause.type == "variable"
    assert codes(told) == ['self.w = self.add_weight(name="w", shape=(input_shape[-1], 9))']


def generated() -> Any:
    @tf.function
    def generate(prompt: Any) -> Any:
        step = tf.constant(0)
        return tf.while_loop(
            lambda step, _: step < 4,
            lambda step, text: (step + 1, tf.concat([text, text[:, -1:]], axis=1)),
            [step, prompt],
            shape_invariants=[step.shape, prompt.shape],
        )

    return generate(tf.ones([2, 6], tf.int32))


def test_a_variable_of_a_loop_that_grows() -> None:
    told = failing(generated)
    assert told.code == "SW900" and "while_loop refuses the shape" in told.headline
    assert "enters the loop with shape (2, 6), but has shape (2, 7) after one iteration" in told.explanation


# Several models and inputs


class Encoder(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.embed = layers.Embedding(30, 8)
        self.gru = layers.GRU(12, return_sequences=True, return_state=True)

    def call(self, x: Any) -> Any:
        return self.gru(self.embed(x))


class Decoder(keras.Model):
    """The axis of the steps is put behind the features."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.given, self.score = layers.Dense(5), layers.Dense(5), layers.Dense(1)

    def call(self, query: Any, values: Any) -> Any:
        query = tf.expand_dims(query, -1)
        scores = self.score(tf.tanh(self.asked(query) + self.given(values)))
        return tf.reduce_sum(tf.nn.softmax(scores, axis=1) * values, axis=1)


def translated() -> Any:
    encoder, decoder = Encoder(), Decoder()
    states, state = encoder(np.ones((3, 9), "int32"))
    return decoder(state, states)


def test_what_fails_in_the_second_of_two_models_is_verified() -> None:
    told = failing(translated)
    assert told.code == "SW201" and "adds two branches that do not fit: axis 1 differs" in told.headline
    (fix, *_) = told.fixes
    assert fix.code == "query = tf.expand_dims(query, -2)  # axis was -1"
    assert (fix.verified, fix.output_shape) == ("forward", (3, 12))


class Crossed(layers.Layer):
    """Looks at one sequence with the mask of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.own, self.cross = layers.MultiHeadAttention(2, 4), layers.MultiHeadAttention(2, 4)

    def call(self, y: Any, memory: Any, src_pad: Any, tgt_pad: Any) -> Any:  # noqa: ARG002 - which is the mistake
        y = y + self.own(y, y, attention_mask=tgt_pad[:, None, :])
        return y + self.cross(y, memory, attention_mask=tgt_pad[:, None, :])


class Translator(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.cross = layers.Embedding(20, 8), Crossed()

    def call(self, inputs: Any) -> Any:
        src, tgt = inputs["src"], inputs["tgt"]
        src_pad, tgt_pad = keras.ops.not_equal(src, 0), keras.ops.not_equal(tgt, 0)
        return self.cross(self.embed(tgt), self.embed(src), src_pad, tgt_pad)


@pytest.mark.filterwarnings("ignore:Layer .* looks like it has unbuilt state", "ignore:.build... was called on layer")
def test_the_mask_of_the_other_sequence() -> None:
    told = failing(lambda: Translator()({"src": np.ones((3, 11), "int32"), "tgt": np.ones((3, 7), "int32")}))
    assert told.code == "SW103"
    assert told.headline == "cross.cross: the mask is for 7 keys, and there are 11"
    (fix, *_) = told.fixes
    assert fix.code == "return y + self.cross(y, memory, attention_mask=src_pad[:, None, :])"
    assert (fix.verified, fix.output_shape) == ("forward", (3, 7, 8))
    assert told.cause is not None and "it takes `tgt_pad`, where `src_pad` fits" in told.cause.reason


def maps(width: int) -> Any:
    image = keras.Input((8, 8, 3))
    return keras.Model(image, layers.Conv2D(width, 3, padding="same")(image))


class Distiller(keras.Model):
    """Makes the student's maps as wide as the teacher's, and compares the ones that are not."""

    def __init__(self) -> None:
        super().__init__()
        self.student, self.teacher, self.regressor = maps(5), maps(12), layers.Conv2D(12, 1)

    def call(self, x: Any) -> Any:
        return self.student(x)

    def train_step(self, data: Any) -> Any:
        x, _ = data
        t_feat = self.teacher(x)
        with tf.GradientTape() as tape:
            s_feat = self.student(x)
            hint = self.regressor(s_feat)  # noqa: F841 - which is the mistake
            match = keras.ops.mean(keras.ops.square(t_feat - s_feat))
        variables = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(match, variables), variables, strict=True))
        return {"match": match}


def distilled() -> None:
    model = Distiller()
    model.compile("sgd")
    model.fit(np.ones((4, 8, 8, 3)), np.ones(4), verbose=0)


def test_a_value_that_nothing_reads_behind_the_model() -> None:
    told = failing(distilled)
    assert told.code == "SW201" and "channels differ" in told.headline
    (fix, *_) = told.fixes
    assert fix.code == "match = keras.ops.mean(keras.ops.square(t_feat - hint))"
    assert fix.verified is None
    assert told.cause is not None and "it takes `s_feat`, where `hint` fits" in told.cause.reason


# While a functional model is made


class GraphConv(layers.Layer):
    """Multiplies by the adjacency from the wrong side."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[0][-1], 8))

    def call(self, inputs: Any) -> Any:
        x, adjacency = inputs
        support = keras.ops.matmul(x, self.kernel)
        return keras.ops.matmul(support, adjacency)


def test_factors_exchanged_where_the_batch_is_unknown() -> None:
    told = failing(lambda: GraphConv()([keras.Input((13, 6)), keras.Input((13, 13))]))
    assert told.code == "SW101" and "support ends in 8" in told.headline
    (fix, *_) = told.fixes
    assert (fix.code, fix.verified) == ("return keras.ops.matmul(adjacency, support)", "junction")
    assert told.cause is not None and "in each other's place" in told.cause.reason


def test_a_head_of_boxes_over_maps_four_high_is_healthy() -> None:
    image = keras.Input((4, 4, 6))
    boxes = layers.Reshape((-1, 4))(layers.Conv2D(3 * 4, 3, padding="same")(image))
    model = keras.Model(image, boxes)
    with shapewatch.watch() as session:
        model(np.zeros((2, 4, 4, 6), "float32"))
    assert session.report.diagnoses == ()


def convolved(x: Any, filters: int, size: int, act: bool = True) -> Any:
    x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if act else x


def bottleneck(x: Any, filters: int) -> Any:
    shortcut = x
    y = convolved(convolved(x, filters, 1), filters, 3)
    y = convolved(y, 4 * filters, 1, act=False)
    return layers.Add()([y, shortcut])


def test_a_bottleneck_that_widens_has_its_skip_projected() -> None:
    told = failing(lambda: bottleneck(convolved(keras.Input((10, 10, 3)), 6, 3), 6))
    assert told.code == "SW201"
    assert told.cause is not None
    assert "the main branch ends in a convolution that widens it" in told.cause.reason
    (fix, *_) = told.fixes
    assert fix.verified == "junction"
    assert fix.code.splitlines() == [
        "if shortcut.shape[-1] != 4 * filters:",
        "    shortcut = layers.Conv2D(4 * filters, 1, use_bias=False)(shortcut)",
        "    shortcut = layers.BatchNormalization()(shortcut)",
        "return layers.Add()([y, shortcut])",
    ]


# Lines that ran before on what fitted


def cropped(skip: Any, x: Any) -> Any:
    edge = (skip.shape[1] - x.shape[1]) // 2
    return layers.Cropping1D((edge, edge))(skip)


def unet(levels: int) -> Any:
    """The odd one of an odd difference is left uncropped."""
    x, skips = keras.Input((62, 2)), []
    for level in range(levels):
        skips.append(x := layers.Conv1D(4 * 2**level, 3)(x))
        x = layers.MaxPooling1D(2)(x)
    for level in reversed(range(levels)):
        x = layers.UpSampling1D(2)(x)
        if level == 0:
            x = layers.Conv1D(4, 2)(x)
        x = layers.Concatenate()([cropped(skips[level], x), x])
    return x


class Causal(layers.Layer):
    """Pads for no dilation."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv1D(6, 3, dilation_rate=dilation)
        self.conv2 = layers.Conv1D(6, 3, dilation_rate=dilation)

    def call(self, x: Any) -> Any:
        y = self.conv1(keras.ops.pad(x, [[0, 0], [2, 0], [0, 0]]))
        y = self.conv2(keras.ops.pad(y, [[0, 0], [2, 0], [0, 0]]))
        return x + y


class Temporal(keras.Model):
    def __init__(self, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.blocks = [Causal(dilation) for dilation in dilations]

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return x


def temporal(*dilations: int) -> Callable[[], Any]:
    return lambda: Temporal(dilations)(np.zeros((2, 30, 6), "float32"))


def cuts(report: Report) -> list[Insert]:
    """What is to be cropped or padded by numbers."""
    changes = [change for told in report.diagnoses for fix in told.fixes for change in fix.changes]
    return [change for change in changes if isinstance(change, Insert) and change.module.kind == "pad"]


@pytest.mark.parametrize("run", [lambda: unet(2), temporal(1, 4), temporal(1, 1, 4)])
def test_a_line_that_ran_before_is_not_made_to_crop(run: Callable[[], Any]) -> None:
    assert cuts(report_of(run)) == []


@pytest.mark.parametrize("run", [lambda: unet(1), temporal(4)])
def test_a_line_that_runs_for_the_first_time_may_crop(run: Callable[[], Any]) -> None:
    assert cuts(report_of(run)) != []
