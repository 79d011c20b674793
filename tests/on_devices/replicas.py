"""`tf.distribute.MirroredStrategy` on two logical devices: run by `test_training_loops_keras.py` in a process of its
own, since devices are set before anything runs on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.residual import our_notes, own_frames
from test_training_loops_keras import CROSSENTROPY, Net, fails, healthy, outermost, shapes_seen

import shapewatch

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

Compiled = pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])


class Four(Net):
    """Has the batch of a replica written into it."""

    def call(self, x: Any, training: bool | None = None) -> Any:
        return super().call(keras.ops.reshape(x, (4, 6)), training=training)


def distributed(cls: type = Net) -> Any:
    with STRATEGY.scope():
        model = cls()
        model.build((None, 6))
        model.optimizer_of_its_own = keras.optimizers.SGD(0.01)
        model.optimizer_of_its_own.build(model.trainable_variables)
    return model


def loop(model: Any, compiled: bool, samples: int = 32) -> Callable[[], None]:
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(keras.ops.sparse_categorical_crossentropy(y, logits, from_logits=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer_of_its_own.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def steps() -> None:
        def both(x: Any, y: Any) -> Any:
            return STRATEGY.run(step, args=(x, y))

        run = tf.function(both) if compiled else both
        data = tf.data.Dataset.from_tensor_slices((np.zeros((samples, 6), "float32"), np.zeros(samples, "int32")))
        for x, y in STRATEGY.experimental_distribute_dataset(data.batch(8)):
            run(x, y)

    return steps


@Compiled
def test_a_healthy_loop_is_recorded_as_one_replica(compiled: bool) -> None:
    model = distributed()
    session = healthy(model, loop(model, compiled), given=False)
    assert session.report.ok and session.report.output == (4, 3)
    assert 1 <= outermost(session).count("Net") <= 2 and set(shapes_seen(session, "Net")) == {(4, 6)}


@Compiled
def test_what_fails_on_every_replica_is_diagnosed_once(compiled: bool) -> None:
    model = distributed()
    model.wider = True
    diagnosis = fails(model, loop(model, compiled), "SW201", given=False)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "wide"
    assert diagnosis.fixes and diagnosis.fixes[0].verified == "forward"


@Compiled
def test_what_fails_on_the_second_replica_alone_is_diagnosed_with_its_shapes(compiled: bool) -> None:
    model = distributed(Four)
    diagnosis = fails(model, loop(model, compiled, samples=15), "SW301", given=False)
    assert "[3, 6]" in diagnosis.headline and diagnosis.location is not None


def test_a_later_step_that_fails_on_every_replica() -> None:
    model = distributed()

    def both() -> None:
        loop(model, compiled=False)()
        model.wider = True
        loop(model, compiled=False)()

    diagnosis = fails(model, both, "SW201", given=False)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "wide"


@pytest.mark.parametrize("eagerly", [True, False])
def test_fit_under_a_strategy(eagerly: bool) -> None:
    with STRATEGY.scope():
        model = Net()
        model.compile("sgd", CROSSENTROPY, run_eagerly=eagerly)
    x, y = np.zeros((24, 6), "float32"), np.zeros(24, "int32")
    session = healthy(model, lambda: model.fit(x, y, batch_size=8, verbose=0), given=False)
    assert session.report.ok and "Net" in outermost(session)
    with STRATEGY.scope():
        broken = Net()
        broken.wider = True
        broken.compile("sgd", CROSSENTROPY, run_eagerly=eagerly)
    diagnosis = fails(broken, lambda: broken.fit(x, y, batch_size=8, verbose=0), "SW201", given=False)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "wide"


def test_a_decorated_class_on_replicas_is_explained_once() -> None:
    model = distributed(shapewatch.watch(type("Decorated", (Net,), {})))
    model.wider = True
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        loop(model, compiled=False)()
    assert len(our_notes(caught.value)) == 1 and "SW201" in our_notes(caught.value)[0]
    assert own_frames(caught.value) == []
