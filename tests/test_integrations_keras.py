"""The Keras callback, with the real `fit`, `evaluate` and `predict`, on each of Keras's backends."""

from __future__ import annotations

import gc
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from support.residual import our_notes, own_frames

import shapewatch
from shapewatch.integrations.keras import ShapeWatch
from shapewatch.watching import Session, ShapeWarning

BACKEND = keras.backend.backend()
WIDTH, OUT = 6, 3

on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="how Keras compiles on TensorFlow")

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*shuffle=True.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*ran out of data.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras, when it saves
]


class Net(keras.Model):
    """[N, 6] to [N, 3]; `wide` is the width of one of two branches that are added."""

    def __init__(self, wide: int = 8) -> None:
        super().__init__()
        self.one, self.two, self.out = layers.Dense(8), layers.Dense(wide), layers.Dense(OUT)

    def call(self, x: Any) -> Any:
        return self.out(self.one(x) + self.two(x))


def functional() -> keras.Model:
    inputs = keras.Input((WIDTH,))
    x = layers.Dropout(0.5)(layers.Dense(8, activation="relu", name="hidden")(inputs))
    return keras.Model(inputs, layers.Dense(OUT, name="head")(x))


class Adds(keras.Model):
    """Adds what has one feature to what has six, the width of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.gate, self.out = layers.Dense(WIDTH), layers.Dense(1), layers.Dense(OUT)

    def call(self, x: Any) -> Any:
        return self.out(self.main(x) + self.gate(x))


KINDS: dict[str, Callable[[], keras.Model]] = {"functional": functional, "subclassed": Net, "looks wrong": Adds}
kinds = pytest.mark.parametrize("kind", ["functional", "subclassed"])
eagerly = pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eagerly"])


def made(kind: str = "functional", **options: Any) -> keras.Model:
    """A model that has been built: one that has not, Keras builds before it asks any callback, save on TensorFlow."""
    model = KINDS[kind]()
    model.compile(options.pop("optimizer", "adam"), "mse", **options)
    model.evaluate(*data(), verbose=0)
    return model


def data(count: int = 8, out: int = OUT) -> tuple[Any, Any]:
    return np.ones((count, WIDTH), "float32"), np.ones((count, out), "float32")


def of_last(count: int, labels: int) -> Iterator[tuple[Any, Any]]:
    """Batches of four, and a last one."""
    yield data(4)
    yield data(4)
    yield data(count)[0], data(labels)[1]


@pytest.fixture(autouse=True)
def without_the_threads_of_keras() -> Iterator[None]:
    """On JAX, a run that fails leaves the thread in which Keras would have told its callbacks, till its list dies."""
    yield
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(10)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    entered: list[Any] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: entered.append(self) or enter(self))
    yield entered


def steps_of(model: keras.Model) -> dict[str, Any]:
    """The steps that stand before those of the class, and the functions that were made of steps."""
    return {name: value for name, value in vars(model).items() if name.endswith(("_step", "_function"))}


def ours_on(model: keras.Model) -> list[str]:
    return [name for name, value in steps_of(model).items() if type(value).__module__.startswith("shapewatch")]


@dataclass(frozen=True)
class Raised:
    """What left a run, without the exception: it holds on to all that ran."""

    kind: type[BaseException]
    notes: list[str]


def failure(model: keras.Model, run: Callable[[], Any], kind: type[BaseException] = Exception) -> Raised:
    """A run that fails, and leaves nothing of ours on the model, in the traceback or in the text."""
    raised = None
    try:
        run()
    except kind as error:
        raised = Raised(type(error), our_notes(error))
        assert own_frames(error) == []
        assert "shapewatch" not in str(error)
    assert raised is not None
    gc.collect()
    assert ours_on(model) == []
    return raised


def test_a_model_that_was_never_called_is_explained_by_a_watch() -> None:
    """Where Keras builds it before it asks any callback, and raises another exception than the model did."""
    model = Net(7)
    model.compile("sgd", "mse")
    with pytest.raises(Exception) as caught, shapewatch.watch():
        model.fit(*data(), verbose=0)
    assert len(our_notes(caught.value)) == 1 and "SW201" in our_notes(caught.value)[0]


@kinds
@eagerly
def test_a_healthy_run_is_looked_at_once_for_each_signature(kind: str, eagerly: bool, sessions: list[Any]) -> None:
    watch, model = ShapeWatch(), made(kind, run_eagerly=eagerly)
    before = steps_of(model)
    model.fit(*data(), batch_size=4, epochs=3, validation_data=data(4), verbose=0, callbacks=[watch])
    assert len(sessions) == 2  # a training step, and one of validation
    assert watch.report is not None and watch.report.ok and watch.report.frameworks[0] == "keras"
    assert steps_of(model) == before


@kinds
@eagerly
def test_the_last_batch_of_an_epoch(kind: str, eagerly: bool) -> None:
    watch, model = ShapeWatch(), made(kind, run_eagerly=eagerly)
    run = lambda: model.fit(of_last(3, 2), verbose=0, callbacks=[watch])  # noqa: E731
    error = failure(model, run)
    assert len(error.notes) == 1
    assert watch.report is not None and watch.report.diagnoses[0].code.startswith("SW80")


def test_a_last_batch_that_is_only_smaller(sessions: list[Any]) -> None:
    watch, model = ShapeWatch(), made()
    model.fit(of_last(3, 3), verbose=0, callbacks=[watch])
    assert sessions and watch.report is not None and watch.report.ok


@kinds
def test_a_validation_that_fails(kind: str) -> None:
    watch, model = ShapeWatch(), made(kind)
    wrong = data(4, out=2)
    error = failure(model, lambda: model.fit(*data(), validation_data=wrong, verbose=0, callbacks=[watch]))
    assert len(error.notes) == 1
    assert watch.report is not None and watch.report.diagnoses[0].code == "SW801"


@pytest.mark.parametrize("way", ["fit", "evaluate", "predict"])
def test_an_input_of_another_width(way: str) -> None:
    watch, model = ShapeWatch(), made("subclassed")
    x, y = np.ones((4, 5), "float32"), data(4)[1]
    given = (x,) if way == "predict" else (x, y)
    error = failure(model, lambda: getattr(model, way)(*given, verbose=0, callbacks=[watch]))
    assert len(error.notes) == 1 and watch.report is not None
    diagnosis = watch.report.diagnoses[0]
    assert diagnosis.cause is not None and (diagnosis.cause.layer, diagnosis.junction) == ("input", None)


@on_tensorflow
@eagerly
def test_a_model_that_was_never_built(eagerly: bool) -> None:
    watch, model = ShapeWatch(), Net(wide=7)
    model.compile("sgd", "mse", run_eagerly=eagerly)
    error = failure(model, lambda: model.fit(*data(), verbose=0, callbacks=[watch]))
    assert len(error.notes) == 1 and watch.report is not None
    diagnosis = watch.report.diagnoses[0]
    assert diagnosis.code == "SW201" and diagnosis.fixes[0].verified == "forward"


@on_tensorflow
def test_a_graph_that_fails_where_it_runs() -> None:
    """Traced for batches of any size, it fails long after its step was looked at."""
    import tensorflow as tf

    signature = (tf.TensorSpec((None, WIDTH)), tf.TensorSpec((None, OUT)))
    batches = tf.data.Dataset.from_generator(lambda: of_last(3, 2), output_signature=signature)
    watch, model = ShapeWatch(), made()
    error = failure(model, lambda: model.fit(batches, verbose=0, callbacks=[watch]))
    assert error.kind is tf.errors.InvalidArgumentError and len(error.notes) == 1
    assert watch.report is not None and not watch.report.ok


class Stops(keras.callbacks.Callback):
    """Raises, outside of every step."""

    def __init__(self, error: type[BaseException]) -> None:
        super().__init__()
        self.error = error

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        raise self.error


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_a_run_that_ends_outside_of_a_step(kind: type[BaseException]) -> None:
    model = made()
    failure(model, lambda: model.fit(*data(), verbose=0, callbacks=[ShapeWatch(), Stops(kind)]), kind)


def test_a_run_that_is_interrupted_in_a_step() -> None:
    class Interrupts(Net):
        def train_step(self, *_: Any) -> Any:
            raise KeyboardInterrupt

    model = Interrupts()
    model.compile("sgd", "mse", run_eagerly=True)
    model.evaluate(*data(), verbose=0)
    failure(model, lambda: model.fit(*data(), verbose=0, callbacks=[ShapeWatch()]), KeyboardInterrupt)


def test_data_that_fail() -> None:
    def batches() -> Iterator[Any]:
        yield data(4)
        raise ZeroDivisionError

    model = made(run_eagerly=True)
    error = failure(model, lambda: model.fit(batches(), verbose=0, callbacks=[ShapeWatch()]))
    assert error.notes == []


def test_a_run_after_one_that_failed(sessions: list[Any]) -> None:
    watch, model = ShapeWatch(), made(run_eagerly=True)
    failure(model, lambda: model.fit(*data(), verbose=0, callbacks=[watch, Stops(ZeroDivisionError)]))
    model.fit(*data(), verbose=0)
    assert len(sessions) == 1
    error = failure(model, lambda: model.fit(*data(4, out=2), verbose=0, callbacks=[watch]))
    assert len(error.notes) == 1


def test_what_looks_wrong_is_told_once() -> None:
    watch, model = ShapeWatch(), made("looks wrong")
    with pytest.warns(ShapeWarning, match="SW291") as told:
        model.fit(*data(), batch_size=4, epochs=2, validation_data=data(4), verbose=0, callbacks=[watch])
    ours = [warning for warning in told if warning.category is ShapeWarning]
    assert len(ours) == 1 and ours[0].filename == __file__
    assert watch.report is not None and [each.code for each in watch.report.diagnoses] == ["SW291"]


def test_what_looks_wrong_is_allowed_or_ends_the_run() -> None:
    model = made("looks wrong")
    watch = ShapeWatch(warnings="allow")
    model.fit(*data(), verbose=0, callbacks=[watch])
    assert watch.report is not None and watch.report.diagnoses == ()
    failure(model, lambda: model.fit(*data(), verbose=0, callbacks=[ShapeWatch(warnings="raise")]), ShapeWarning)


@kinds
def test_weights_and_checkpoints_are_what_they_would_be(kind: str, tmp_path: Path) -> None:
    """Bit for bit, the state of the optimizer and of the random generators included."""

    def checkpoint(*callbacks: Any) -> bytes:
        keras.utils.set_random_seed(3)
        keras.backend.clear_session()
        model = made(kind)
        saves = keras.callbacks.ModelCheckpoint(str(tmp_path / "last.weights.h5"), save_weights_only=True)
        model.fit(*data(10), batch_size=4, epochs=2, verbose=0, callbacks=[*callbacks, saves])
        return (tmp_path / "last.weights.h5").read_bytes()

    bare = checkpoint()
    assert checkpoint() == bare  # or the next line would say nothing
    assert checkpoint(ShapeWatch()) == bare


def test_a_model_that_was_trained_with_it_is_saved_as_ever(tmp_path: Path) -> None:
    model = made()
    model.fit(*data(), verbose=0, callbacks=[ShapeWatch()])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again.predict(data()[0], verbose=0), model.predict(data()[0], verbose=0))


def test_a_callback_is_pickled_without_what_it_saw() -> None:
    watch = ShapeWatch(warnings="allow")
    again = pickle.loads(pickle.dumps(watch))
    made("looks wrong").fit(*data(), verbose=0, callbacks=[again])
    assert watch.report is None
    assert again.report is not None and again.report.diagnoses == ()  # it still allows


# Without the callback


def test_a_block_around_the_run() -> None:
    model = made("subclassed")
    with pytest.raises(Exception) as caught, shapewatch.watch(model) as session:
        model.fit(*data(4, out=2), verbose=0)
    assert len(our_notes(caught.value)) == 1 and session.report.diagnoses[0].code == "SW801"


def test_a_block_around_the_run_and_the_callback() -> None:
    model = made("subclassed")
    with pytest.raises(Exception) as caught, shapewatch.watch(model):
        model.fit(*data(4, out=2), verbose=0, callbacks=[ShapeWatch()])
    assert len(our_notes(caught.value)) == 1


def test_what_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[1] / "docs" / "integrations.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "integrations.keras" in block]
    x, y = data()
    names: dict[str, Any] = {"model": made(), "x": x, "y": y}
    exec(block, names)
    assert names["watch"].report.ok and "all shapes fit" in capsys.readouterr().out


@on_tensorflow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_on_the_other_backends(backend: str) -> None:
    """A process has one backend, so each has one of its own, for what hangs on how Keras trains there."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    some = "last_batch or validation or outside or told_once or checkpoints"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", some, __file__]
    run = subprocess.run(command, cwd=Path(__file__).parents[1], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
