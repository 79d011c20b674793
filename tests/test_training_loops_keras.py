"""Loops of Keras and TensorFlow: what is recorded once, what stays bounded, which pass is diagnosed when a later one
fails."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from support.residual import our_notes, own_frames

import shapewatch
from shapewatch import recorder
from shapewatch.watching import Session, ShapeWarning

CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Net(keras.Model):
    """[N, 6] to [N, 3], with a norm over the batch and a shortcut; `wider` breaks the shortcut from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = layers.Dense(6)
        self.norm = layers.BatchNormalization()
        self.wide = layers.Dense(8, trainable=False)
        self.head = layers.Dense(3)
        self.wider = False

    def build(self, shape: Any) -> None:
        for layer in (self.fc, self.norm, self.wide, self.head):
            layer.build(shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        out = ops.relu(self.norm(self.fc(x), training=training))
        if self.wider:
            out = self.wide(out)
        return self.head(out + x)


class Positions(keras.Model):
    """Adds what it has learned of ten positions to [N, T, 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = self.add_weight(shape=(10, 6), name="positions")
        self.head = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.head(x + self.positions[: x.shape[1]])


class Pairs(keras.Model):
    """[4, 6] to [4, 3], with the batch written into a reshape."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.head = layers.Dense(6), layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.head(ops.sum(ops.reshape(self.fc(x), (4, 2, 3)), axis=1))


def batch(size: int = 4, *rest: int) -> Any:
    return tf.random.normal((size, *(rest or (6,))))


def classes(size: int = 4) -> Any:
    return tf.zeros((size,), tf.int32)


def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
    with tf.GradientTape() as tape:
        loss = CROSSENTROPY(y, model(x, training=True))
    optimizer.apply_gradients(
        zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
    )
    return loss


def train(model: Any, sizes: list[int], optimizer: str = "SGD") -> None:
    optim = getattr(keras.optimizers, optimizer)(0.01)
    for size in sizes:
        step(model, optim, batch(size), classes(size))


def made(model: Any, *rest: int) -> Any:
    """The model with its weights."""
    model(batch(4, *rest))
    return model


def watched(model: Any, loop: Callable[[], Any], given: bool = True) -> tuple[Session, Exception | None]:
    session, error = shapewatch.watch(model) if given else shapewatch.watch(), None
    try:
        with session:
            loop()
    except Exception as raised:
        error = raised
    return session, error


def healthy(model: Any, loop: Callable[[], Any], given: bool = True) -> Session:
    session, error = watched(model, loop, given)
    assert error is None
    return session


def outermost(session: Session) -> list[str]:
    return [call.name for call in session.report.calls if call.is_layer and call.parent is None]


def shapes_seen(session: Session, name: str) -> list[Any]:
    recording = session.report.recording
    passes = [call for call in recording.calls if call.is_layer and call.parent is None and call.name == name]
    return [recording.shape(call.operands[0]) for call in passes]


def fails(model: Any, loop: Callable[[], Any], code: str, given: bool = True) -> shapewatch.Diagnosis:
    """The first diagnosis of a loop that fails."""
    session, error = watched(model, loop, given)
    assert error is not None and len(our_notes(error)) == 1 and own_frames(error) == []
    diagnosis = session.report.diagnoses[0]
    assert diagnosis.code == code
    return diagnosis


# Recorded once, and bounded


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_a_loop_is_recorded_once(given: bool, optimizer: str) -> None:
    model = made(Net())
    once = healthy(model, lambda: train(model, [4]), given)
    many = healthy(model, lambda: train(model, [4] * 20, optimizer), given)
    assert 1 <= outermost(many).count("Net") <= 2
    assert len(many.report.calls) <= 3 * len(once.report.calls)
    assert many.report.output == (4, 3) and many.report.ok


def test_a_model_without_weights_yet_is_recorded_once() -> None:
    model = Net()
    session = healthy(model, lambda: train(model, [4] * 8))
    assert 1 <= outermost(session).count("Net") <= 2


def test_each_signature_is_recorded() -> None:
    model = made(Net())
    session = healthy(model, lambda: train(model, [4, 4, 5, 4, 5, 4, 6, 5]))
    assert set(shapes_seen(session, "Net")) == {(4, 6), (5, 6), (6, 6)}
    assert session.report.output == (5, 3)


def test_what_comes_after_an_unrecorded_pass_is_recorded_where_it_is_new() -> None:
    """The labels are no part of what the model is given: this loss broadcasts in one step of many."""
    model = layers.Dense(1)

    def loop() -> None:
        for number in range(12):
            target = tf.zeros((4, 1) if number != 6 else (4,))
            tf.reduce_mean(tf.square(model(batch()) - target))

    session = healthy(model, loop)
    assert len(session.report.calls) < 25
    assert [diagnosis.severity for diagnosis in session.report.diagnoses] == ["warning"]


def test_an_optimizer_and_gradients_are_no_part_of_a_pass() -> None:
    model = made(Net())
    sessions = [healthy(model, lambda name=name: train(model, [4, 5], name)) for name in ("SGD", "Adam")]  # type: ignore[misc]
    names = [{call.name for call in session.report.calls} for session in sessions]
    assert names[0] == names[1] and "sparse_categorical_crossentropy" in names[0]
    assert not [name for name in names[0] if "grad" in name.lower() or "assign" in name.lower()]


def test_nothing_of_a_loop_is_kept_alive() -> None:
    model, seen = made(Net()), []

    def loop() -> None:
        for _ in range(10):
            x = batch()
            seen.append(weakref.ref(x))
            seen.append(weakref.ref(step(model, keras.optimizers.SGD(0.01), x, classes())))

    with shapewatch.watch(model):
        loop()
        gc.collect()
        assert [each() for each in seen] == [None] * 20


def test_training_and_validation_are_recorded_apart() -> None:
    model = made(Net())

    def loop() -> None:
        for _ in range(4):
            train(model, [4] * 3)
            for _ in range(3):
                model(batch(), training=False)

    session = healthy(model, loop)
    assert 2 <= outermost(session).count("Net") <= 4


def test_results_in_use_at_the_same_time_are_told_apart() -> None:
    model = made(Net())

    def loop() -> None:
        for _ in range(15):
            one, other = model(batch()), model(batch())
            tf.reduce_mean(tf.square(one - other))

    session = healthy(model, loop)
    differences = [call for call in session.report.calls if call.kind == "sub"]
    assert differences and all(len(set(call.operands)) == 2 for call in differences)
    assert outermost(session).count("Net") <= recorder.ALIKE


def test_ever_new_sizes_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "KEPT", 200)
    model = made(Net())
    session = healthy(model, lambda: train(model, list(range(2, 50)) * 2))
    assert len(session.report.calls) < 230


def test_two_models_of_one_step() -> None:
    maker, judge = made(keras.Sequential([layers.Dense(6)]), 5), made(keras.Sequential([layers.Dense(1)]))
    optimizer = keras.optimizers.Adam()

    def loop() -> None:
        for number in range(9):
            with tf.GradientTape() as tape:
                given = judge(ops.concatenate([maker(batch(4, 5)), batch(4 if number < 8 else 3)]))
                loss = ops.mean(ops.square(given - ops.ones((8 if number < 8 else 6, 1))))
            gradients = tape.gradient(loss, maker.trainable_variables)
            optimizer.apply_gradients(zip(gradients, maker.trainable_variables, strict=True))

    diagnosis = fails(None, loop, "SW201", given=False)
    assert diagnosis.junction is not None
    assert sorted(branch.shape for branch in diagnosis.junction.branches) == [(6, 1), (7, 1)]


# Ways to train


def compiled(model: Any, **options: Any) -> Any:
    model.compile("adam", CROSSENTROPY, metrics=["accuracy"], **options)
    return model


def test_fit_eagerly_is_recorded_once() -> None:
    model = compiled(Net(), run_eagerly=True)
    some = healthy(model, lambda: model.fit(batch(40), classes(40), batch_size=4, verbose=0))
    many = healthy(model, lambda: model.fit(batch(80), classes(80), batch_size=4, epochs=3, verbose=0))
    assert outermost(many).count("Net") == 1  # TensorFlow's own exceptions on the way keep no result alive
    assert len(many.report.calls) <= 2 * len(some.report.calls)


def test_a_compiled_step_in_a_loop_stays_bounded() -> None:
    model, optimizer = made(Net()), keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)
    compiled = tf.function(step)
    few, many = (
        healthy(model, lambda n=n: [compiled(model, optimizer, batch(), classes()) for _ in range(n)], given=False)  # type: ignore[misc]
        for n in (2, 30)
    )
    assert len(many.report.calls) <= 2 * len(few.report.calls)


def test_train_on_batch() -> None:
    model = compiled(Net())

    def loop() -> None:
        for size in [4] * 10 + [3] * 10:
            model.train_on_batch(batch(size), classes(size))

    session = healthy(model, loop)
    assert 1 <= outermost(session).count("Net") <= 4


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_compiled_step_is_traced_as_often_as_bare(jit_compile: bool) -> None:
    def traces() -> int:
        model, optimizer = made(Net()), keras.optimizers.SGD(0.01)
        compiled = tf.function(step, jit_compile=jit_compile)
        optimizer.build(model.trainable_variables)
        for size in (4, 4, 5, 4, 5):
            compiled(model, optimizer, batch(size), classes(size))
        return compiled.experimental_get_tracing_count()

    bare = traces()
    with shapewatch.watch() as session:
        assert traces() == bare
    assert session.report.ok and set(shapes_seen(session, "Net")) <= {(4, 6), (5, 6)}


# The pass that fails


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "eager loop": lambda model, x, y: [
        step(model, keras.optimizers.SGD(0.01), x[at : at + 4], y[at : at + 4]) for at in range(0, len(x), 4)
    ],
    "fit, eagerly": lambda model, x, y: compiled(model, run_eagerly=True).fit(x, y, batch_size=4, verbose=0),
    "fit": lambda model, x, y: compiled(model).fit(x, y, batch_size=4, verbose=0),
    "evaluate": lambda model, x, y: compiled(model).evaluate(x, y, batch_size=4, verbose=0),
    "fit, compiled by XLA": lambda model, x, y: compiled(model, jit_compile=True).fit(x, y, batch_size=4, verbose=0),
}


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_the_last_batch_is_smaller(way: str, given: bool) -> None:
    model = Pairs()
    x, y = np.zeros((11, 6), "float32"), np.zeros(11, "int32")
    diagnosis = fails(model, lambda: WAYS[way](model, x, y), "SW301", given)
    assert "18" in diagnosis.explanation


@pytest.mark.parametrize("way", ["eager loop", "fit, eagerly"])
def test_a_longer_sequence_comes_late(way: str) -> None:
    model = Positions()

    def loop() -> None:
        for length in (8, 10, 8, 9, 10, 12):
            WAYS[way](model, np.zeros((8, length, 6), "float32"), np.zeros((8, length), "int32"))

    diagnosis = fails(model, loop, "SW202")
    assert "12 against 10" in diagnosis.headline


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("way", ["eager loop", "fit, eagerly"])
def test_branches_that_part_in_an_unrecorded_pass(way: str, given: bool) -> None:
    model = made(Net())

    def loop() -> None:
        x, y = np.zeros((32, 6), "float32"), np.zeros(32, "int32")
        WAYS[way](model, x, y)
        model.wider = True
        WAYS[way](model, x, y)

    diagnosis = fails(model, loop, "SW201", given)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "wide"
    assert diagnosis.fixes and diagnosis.fixes[0].verified == "forward"


def test_a_label_that_does_not_fit_what_an_unrecorded_pass_gave() -> None:
    model = made(Net())

    def loop() -> None:
        for number in range(10):
            step(model, keras.optimizers.SGD(0.01), batch(), classes(4 if number < 9 else 3))

    session, error = watched(model, loop)
    assert error is not None and session.report.diagnoses[0].code == "SW803"
    failing = session.report.recording.failing_call()
    assert failing is not None
    assert any(call.name == "Net" and set(call.results) & set(failing.operands) for call in session.report.calls)


def test_a_coarse_map_is_resized_to_its_labels() -> None:
    convolutions = [layers.Conv2D(5, 3, strides=2, padding="same") for _ in range(2)]
    model = keras.Sequential([keras.Input((64, 48, 3)), *convolutions, layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, masks = np.zeros((4, 64, 48, 3), "float32"), np.zeros((4, 64, 48), "int32")
    diagnosis = fails(model, lambda: model.fit(x, masks, verbose=0), "SW801")
    assert diagnosis.fixes[0].code == "output = keras.layers.Resizing(64, 48)(output)  # last"


def test_warnings_of_a_recorded_pass_are_told_with_the_failure_of_an_unrecorded_one() -> None:
    model = made(Net())
    narrow = layers.Dense(1)

    def loop() -> None:
        for number in range(6):
            tf.reduce_mean(tf.square(narrow(batch()) - tf.zeros((4,))))
            model.wider = number == 5
            model(batch())

    session, error = watched(model, loop, given=False)
    assert error is not None
    codes = [diagnosis.code for diagnosis in session.report.diagnoses]
    assert codes[0] == "SW201" and len(codes) == 2
    assert [diagnosis.severity for diagnosis in session.report.diagnoses] == ["error", "warning"]


def test_an_error_of_the_program_in_an_unrecorded_pass_is_not_explained() -> None:
    class Stops(Net):
        def call(self, x: Any, training: bool | None = None) -> Any:
            if self.wider:
                raise KeyError("a label that is not in the table")
            return super().call(x, training=training)

    model = made(Stops())

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        train(model, [4])

    session, error = watched(model, loop)
    assert isinstance(error, KeyError) and our_notes(error) == []
    assert session.report.ok


def test_another_failure_on_shapes_than_in_the_program_explains_nothing() -> None:
    class Parts(Net):
        """Fails by its contents in the program, and at another line where there are no contents."""

        def call(self, x: Any, training: bool | None = None) -> Any:
            if self.wider and tf.executing_eagerly():
                raise RuntimeError("the file is gone")
            return super().call(x, training=training)

    model = made(Parts())

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        train(model, [4])

    session, error = watched(model, loop)
    assert isinstance(error, RuntimeError) and our_notes(error) == []
    assert session.report.recording.failing_call() is None


def test_a_failure_that_was_caught_and_a_pass_that_then_works() -> None:
    model = made(Net())

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        with pytest.raises(tf.errors.InvalidArgumentError):
            model(batch(), training=True)
        model.wider = False
        model(batch(), training=True)

    session = healthy(model, loop)
    assert session.report.ok and session.report.output == (4, 3)


def test_an_interrupt_of_an_unrecorded_pass_and_a_failure_after_it() -> None:
    class Stops(Net):
        def call(self, x: Any, training: bool | None = None) -> Any:
            if self.wider:
                raise KeyboardInterrupt
            return super().call(x, training=training)

    model, other = made(Stops()), made(Net())

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        with pytest.raises(KeyboardInterrupt):
            model(batch(), training=True)
        other(batch(4, 5))

    session, error = watched(None, loop, given=False)
    assert error is not None and session.report.diagnoses[0].layer.endswith("fc")


def test_an_edit_acts_in_every_pass() -> None:
    model = made(Net())
    model.wider = True
    _, error = watched(model, lambda: model(batch()))
    assert error is not None
    with pytest.raises(tf.errors.InvalidArgumentError), shapewatch.watch(model) as session:
        model(batch())
    with session.report.diagnoses[0].fixes[0].applied(model):
        for _ in range(5):
            assert model(batch()).shape == (4, 3)


# Modules of TensorFlow's own


class Module(tf.Module):
    """[N, 6] to [N, 6] with a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.same, self.wide = tf.Variable(tf.zeros((6, 6))), tf.Variable(tf.zeros((6, 8)))
        self.wider = False

    def __call__(self, x: Any) -> Any:
        return tf.matmul(x, self.wide if self.wider else self.same) + x


def trained(module: Any, sizes: list[int]) -> None:
    for size in sizes:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(module(batch(size))))
        module.same.assign_sub(0.1 * tf.convert_to_tensor(tape.gradient(loss, module.same)))


@pytest.mark.parametrize("given", [True, False])
def test_a_loop_of_a_module_is_recorded_once(given: bool) -> None:
    module = Module()
    session = healthy(module, lambda: trained(module, [4] * 20 + [5] * 10), given)
    assert set(shapes_seen(session, "Module")) == {(4, 6), (5, 6)}
    assert len(session.report.calls) < 40


@pytest.mark.parametrize("given", [True, False])
def test_a_module_that_fails_in_an_unrecorded_pass(given: bool) -> None:
    module = Module()

    def loop() -> None:
        trained(module, [4] * 5)
        module.wider = True
        trained(module, [4])

    diagnosis = fails(module, loop, "SW201", given)
    assert diagnosis.junction is not None
    assert [branch.shape for branch in diagnosis.junction.branches] == [(4, 8), (4, 6)]


def test_a_compiled_module_in_a_loop_stays_bounded() -> None:
    module = Module()
    function = tf.function(module)
    session = healthy(module, lambda: [function(batch(size)) for size in [4] * 30 + [5] * 30])
    assert len(session.report.calls) < 40
    assert function.experimental_get_tracing_count() <= 2


# A decorated class


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    entered: list[Any] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: entered.append(self) or enter(self))
    yield entered


def test_a_decorated_class_steps_aside(sessions: list[Any]) -> None:
    model = shapewatch.watch(type("Decorated", (Net,), {}))()
    train(model, [4] * 20 + [3, 4, 3])
    assert len(sessions) == 2


def test_a_decorated_class_explains_a_later_failure() -> None:
    model = shapewatch.watch(type("Decorated", (Net,), {}))()
    train(model, [4] * 3)
    model.wider = True
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        train(model, [4])
    assert len(our_notes(caught.value)) == 1 and "SW201" in our_notes(caught.value)[0]


class Choosing(tf.Module):
    """What AutoGraph has to rewrite: which way it goes depends on what is in the tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.wider = tf.Variable(tf.zeros((6, 8))), False

    def __call__(self, x: Any) -> Any:
        if tf.reduce_sum(x) > 0:  # noqa: SIM108 - a statement, for AutoGraph
            y = x
        else:
            y = -x
        return (tf.matmul(y, self.wide) if self.wider else y) + x


def bare_and_decorated(cls: Any) -> tuple[Any, Any]:
    return type("Chosen", (cls,), dict(vars(cls))), shapewatch.watch(type("Chosen", (cls,), dict(vars(cls))))


def called(model: Any, **options: Any) -> Any:
    return tf.function(lambda x: model(x), **options)


TRACED: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "a function": called,
    "compiled by XLA": lambda model: called(model, jit_compile=True),
    "in another": lambda model: called(called(model)),
    "a decorated function": lambda model: called(shapewatch.watch(lambda x: model(x))),
}


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("way", TRACED)
@pytest.mark.parametrize("cls", [Net, Choosing])
def test_a_decorated_class_that_fails_while_it_is_traced(cls: Any, way: str, later: bool) -> None:
    """AutoGraph raises another exception than the one that is explained."""
    told = []
    for chosen in bare_and_decorated(cls):
        model = chosen()
        if later:
            model(batch())
        model.wider = True
        with pytest.raises(ValueError) as caught:
            TRACED[way](model)(batch())
        assert own_frames(caught.value) == []
        told.append(caught.value)
    bare, decorated = told
    assert re.sub(r"_\d+", "", str(decorated)) == re.sub(r"_\d+", "", str(bare)) and type(decorated) is type(bare)
    assert [note for note in our_notes(decorated) if "SW201" in note] == our_notes(decorated)
    assert len(our_notes(decorated)) == 1


@pytest.mark.parametrize("cls", [Net, Choosing])
def test_what_autograph_says_of_a_watched_failure(cls: Any) -> None:
    """It names the lines that an exception came through, and none of ours is among them."""
    said = []
    for given in (None, True, False):
        model = cls()
        model.wider = True
        function = called(model)
        if given is None:
            with pytest.raises(ValueError) as caught:
                function(batch())
            said.append(str(caught.value))
        else:
            _, error = watched(model if given else None, lambda function=function: function(batch()))  # type: ignore[misc]
            said.append(str(error))
    assert len({re.sub(r"_\d+", "", each) for each in said}) == 1


def test_a_decorated_class_is_rewritten_where_it_is_traced() -> None:
    for chosen in bare_and_decorated(Choosing):
        model = chosen()
        function = tf.function(lambda x, model=model: model(x))
        assert [function(sign * tf.ones((2, 6))).numpy().sum() for sign in (1, -1)] == [24, 0]


def test_a_decorated_class_that_fails_where_that_is_expected() -> None:
    model = shapewatch.watch(type("Decorated", (Net,), {}))()
    model.wider = True

    @tf.function
    def forgiving(x: Any) -> Any:
        try:
            return model(x)
        except ValueError:
            return x

    assert forgiving(batch()).shape == (4, 6)


def test_a_decorated_class_warns_once_in_a_loop() -> None:
    class Broadcasts(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.main, self.gate = layers.Dense(6), layers.Dense(1)

        def build(self, shape: Any) -> None:
            self.main.build(shape)
            self.gate.build(shape)

        def call(self, x: Any) -> Any:
            return self.main(x) + (self.gate(x) if x.shape[0] == 5 else x)

    model = shapewatch.watch(Broadcasts)()
    with pytest.warns(ShapeWarning) as caught:
        for size in (4, 5) * 5:
            model(batch(size))
    assert len([each for each in caught if each.category is ShapeWarning]) == 1


def test_a_decorated_class_in_a_graph_of_unknown_rank() -> None:
    class Free(keras.Model):
        def call(self, x: Any) -> Any:
            return tf.abs(x)

    model = shapewatch.watch(Free)()
    function = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec(None)])
    with pytest.raises(ValueError, match="unknown TensorShape") as caught:  # Keras's own, as without a watch
        function(batch())
    assert own_frames(caught.value) == [] and "shapewatch" not in str(caught.value)


def test_a_decorated_module_in_a_graph_of_unknown_rank() -> None:
    class Free(tf.Module):
        def __call__(self, x: Any) -> Any:
            return tf.abs(x)

    module = shapewatch.watch(Free)()
    function = tf.function(lambda x: module(x), input_signature=[tf.TensorSpec(None)])
    assert function(batch()).shape == (4, 6)


# Data on its way to a model


def samples(*lengths: int) -> tf.data.Dataset:
    return tf.data.Dataset.from_generator(
        lambda: (np.zeros(length, "float32") for length in lengths), output_signature=tf.TensorSpec((None,))
    )


def batched() -> None:
    list(samples(6, 6, 5, 6).batch(4))


def mapped_while_it_is_put_together() -> None:
    list(tf.data.Dataset.from_tensor_slices(np.zeros((8, 6), "float32")).map(lambda x: x + tf.zeros((5,))))


def mapped_while_it_runs() -> None:
    list(samples(6, 6, 5).map(lambda x: x + tf.zeros((6,))))


def generated() -> None:
    list(
        tf.data.Dataset.from_generator(
            lambda: (np.zeros(length) for length in (6, 6, 5)), output_signature=tf.TensorSpec((6,), tf.float64)
        )
    )


def raised_in_a_generator() -> None:
    def rows() -> Iterator[Any]:
        yield np.zeros(6)
        yield np.zeros(6) + np.zeros(5)

    list(tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((6,), tf.float64)))


def fitted() -> None:
    data = tf.data.Dataset.from_tensor_slices((np.zeros((8, 6), "float32"), np.zeros(8, "int32"))).batch(4)
    compiled(Net()).fit(data.map(lambda x, y: (tf.reshape(x, (3, 6)), y)), verbose=0, shuffle=False)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    "run, code, told",
    [
        (batched, "SW902", "[6] first, [5]"),
        (mapped_while_it_is_put_together, "SW201", "axis 0 differs"),
        (mapped_while_it_runs, "SW201", "axis 0"),
        (generated, "SW902", "[5]"),
        (raised_in_a_generator, "SW201", "6 against 5"),
        (fitted, "SW902", "[3, 6] first, [4, 6]"),
    ],
)
def test_a_pipeline_of_data(run: Callable[[], None], code: str, told: str, given: bool) -> None:
    diagnosis = fails(None if not given else made(Net()), run, code, given)
    assert told in diagnosis.headline


class Rows(keras.utils.PyDataset):
    """Six batches, made in two threads; the fifth is another."""

    def __init__(self, another: Callable[[], Any]) -> None:
        super().__init__(workers=2, use_multiprocessing=False)
        self.another = another

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        return self.another() if index == 4 else (np.zeros((4, 6), "float32"), np.zeros(4, "int32"))


EAGERLY = pytest.mark.parametrize("eagerly", [True, False])


@EAGERLY
@pytest.mark.parametrize(
    "another, code, told",
    [
        (lambda: (np.zeros((4, 5), "float32"), np.zeros(4, "int32")), "SW902", "[4, 5]"),
        (lambda: (np.zeros((4, 6), "float32"), np.zeros(3, "int32")), "SW803", "4"),
        (lambda: (np.concatenate([np.zeros((2, 6)), np.zeros((2, 5))]), np.zeros(4)), "SW401", "6 against 5"),
    ],
    ids=["a batch of another width", "too few labels", "an error in the worker"],
)
def test_workers_of_a_dataset(eagerly: bool, another: Callable[[], Any], code: str, told: str) -> None:
    model = compiled(Net(), run_eagerly=eagerly)
    rows = Rows(another)
    diagnosis = fails(model, lambda: model.fit(rows, verbose=0, shuffle=False), code)
    assert told in diagnosis.headline


def slow(value: Any) -> Any:
    """The value, later: what takes it will fail after all else in the graph has."""

    def waits(value: Any) -> Any:
        time.sleep(0.5)
        return np.zeros_like(value)

    return value + tf.ensure_shape(tf.numpy_function(waits, [value], value.dtype), value.shape)


@pytest.mark.parametrize(
    "loss, metric, labels",
    [
        (CROSSENTROPY, "accuracy", ()),
        (lambda y, p: CROSSENTROPY(y, slow(p)), "accuracy", ()),
        (lambda _, p: tf.reduce_mean(p), keras.metrics.MeanAbsoluteError, (3,)),
    ],
    ids=["either", "the metric", "the metric alone"],
)
def test_whichever_node_of_a_graph_fails_first(loss: Any, metric: Any, labels: tuple[int, ...]) -> None:
    """Loss and metric do not fit the labels, and no order is given of their nodes: chance decides which one raises."""
    model = Net()
    model.compile("sgd", loss, metrics=[metric() if isinstance(metric, type) else metric])
    rows = tf.data.Dataset.from_generator(
        lambda: ((np.zeros((4, 6)), np.zeros((size, *labels))) for size in (4, 3)),
        output_signature=(tf.TensorSpec((None, 6)), tf.TensorSpec((None, *labels))),
    )
    diagnosis = fails(model, lambda: model.fit(rows, verbose=0, shuffle=False), "SW803")
    assert "4" in diagnosis.headline and "3" in diagnosis.headline


@EAGERLY
def test_healthy_workers_of_a_dataset(eagerly: bool) -> None:
    model = compiled(Net(), run_eagerly=eagerly)
    rows = Rows(lambda: (np.zeros((4, 6), "float32"), np.zeros(4, "int32")))
    session = healthy(model, lambda: model.fit(rows, verbose=0))
    assert session.report.ok and 1 <= outermost(session).count("Net") <= 4


# Several devices


def test_replicas_of_a_strategy() -> None:
    """The cases are in `on_devices/replicas.py`."""
    tests = Path(__file__).parent
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": f"{tests.parent}{os.pathsep}{tests}"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "on_devices/replicas.py"],
        cwd=tests,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "skipped" not in run.stdout and "deselected" not in run.stdout
