"""Every function of shapewatch is made to fail, one at a time, while Keras or TensorFlow is watched.

Each of Keras's backends has a process of its own: `test_programs_on_a_backend`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from conftest import surroundings
from keras import layers, ops
from support.faults import (
    COMMON,
    OF_A_BLOCK,
    OF_ANY_TRIAL,
    OF_DECORATED,
    OF_STEPS,
    OF_TAPS,
    Program,
    Trial,
    Watch,
    take_taps_off,
    unwatched,
    without_caches,
)
from support.residual_keras import Net

import shapewatch
from shapewatch.integrations.keras import ShapeWatch

pytestmark = pytest.mark.own_faults

BACKEND = keras.backend.backend()

PARTS = [
    *COMMON, "integrations.keras", "adapters.passes", "adapters.listening", "adapters.backend", "adapters.keras",
    *{"tensorflow": ["adapters.tensorflow"], "jax": ["adapters.jax"], "torch": ["adapters.torch.backend"]}[BACKEND],
]  # fmt: skip

OF_CALLBACK = {
    f"integrations.keras.ShapeWatch.{name}"
    for name in ("__init__", "_begin_anew", "set_model", "report", "on_train_begin", "on_train_end")
}
"""What Keras calls, and the program."""

WALL = (
    OF_A_BLOCK
    | OF_TAPS
    | OF_STEPS
    | OF_DECORATED
    | OF_CALLBACK
    | {"adapters.keras.rehearsals.Rehearsals._on_placeholders.on_placeholders"}
)
if BACKEND == "tensorflow":
    WALL |= {
        "adapters.tensorflow.instrument.Instrument._converted_call.run",
        "adapters.tensorflow.instrument._Heard.__get__",
        "adapters.tensorflow.taps.NotOurs.get_filtered_filenames",
    }
if BACKEND == "torch":
    WALL |= {"adapters.torch.backend._Mode.__torch_function__"}

OF_A_TRIAL = OF_ANY_TRIAL + tuple(
    f"adapters.{framework}.{part}"
    for framework in ("keras", "tensorflow", "jax", "torch")
    for part in (
        "backends",
        "blueprint",
        "dryrun",
        "edit",
        "stand",
        "kinds.attribute_of",
        "kinds.setting_of",
        "taps.Operation.with_",
        "backend.Operation.with_",
        "operations.on_operand",
    )
)
if BACKEND == "torch":
    OF_A_TRIAL += ("adapters.keras.rehearsals.Rehearsals._with_other_sizes.once",)  # may fail for whatever reason
ENDS = (
    "adapters.listening.Listening.close", "adapters.listening.Listening.__exit__", "adapters.taps.Tap._remove",
    "adapters.appearing.Arrival.stop", "integrations.keras.",
)  # fmt: skip


# Programs


def images(batch: int = 2) -> Any:
    return np.ones((batch, 8, 8, 3), "float32")


def numbers(*tensors: Any) -> list[Any]:
    """Values, and a random number: nobody else drew one."""
    return [ops.convert_to_numpy(tensor).tolist() for tensor in (*tensors, keras.random.uniform((1,)))]


def sound(watch: Watch) -> Any:
    model = Net()
    with watch(model):
        y = model(images())
    return numbers(y)


def loop(watch: Watch) -> Any:
    model = Net()
    with watch():
        y = [model(images(batch)) for batch in (2, 3, 2, 2)]
    return numbers(*y)


def broken(watch: Watch) -> Any:
    model = Net(strides=2)
    with watch(model):
        model(images())


def broken_later(watch: Watch) -> Any:
    """Of a signature that is recorded: it runs unrecorded."""
    model = Net()
    model(images())
    with watch():
        model(images())
        model.block.conv1.strides = (2, 2)
        model(images())


def functional(strides: int = 1) -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    main = layers.Conv2D(4, 3, strides=strides, padding="same", name="main")(inputs)
    skip = layers.Conv2D(4, 1, name="skip")(inputs)
    x = layers.Dropout(0.5)(layers.Add(name="add")([main, skip]))
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


def sound_functional(watch: Watch) -> Any:
    with watch():
        model = functional()
        y = model(images())
    return numbers(y)


def broken_functional(watch: Watch) -> Any:
    with watch():
        functional(strides=2)


def fitted(watch: Watch, out: int, **options: Any) -> Any:
    model = functional()
    model.compile("sgd", "mse", run_eagerly=options.pop("eagerly", False))
    with watch():
        history = model.fit(images(4), np.zeros((4, out), "float32"), batch_size=2, verbose=0, **options)
    return history.history, numbers(*model.weights)


def callbacks(watch: Watch) -> dict[str, Any]:
    return {"callbacks": [] if watch is unwatched else [ShapeWatch()]}


def decorated(watch: Watch) -> Any:
    class Sound(Net):
        pass

    model = (Sound if watch is unwatched else shapewatch.watch(Sound))()
    return numbers(*(model(images(batch)) for batch in (2, 3, 2)))


def decorated_and_broken(watch: Watch) -> Any:
    class Broken(Net):
        pass

    model = (Broken if watch is unwatched else shapewatch.watch(Broken))()
    model(images())
    model.block.conv1.strides = (2, 2)
    model(images())


def operation(watch: Watch) -> Any:
    with watch():
        ops.ones((2, 3)) @ ops.ones((2, 3))


PROGRAMS: dict[str, Program] = {
    "a pass": sound,
    "a loop": loop,
    "a pass that fails": broken,
    "a later pass that fails": broken_later,
    "a functional model": sound_functional,
    "a functional model that cannot be built": broken_functional,
    "fit": lambda watch: fitted(watch, 2),
    "fit that fails": lambda watch: fitted(watch, 3),
    "fit with the callback": lambda watch: fitted(unwatched, 2, **callbacks(watch)),
    "fit with the callback that fails": lambda watch: fitted(unwatched, 3, **callbacks(watch)),
    "fit, eagerly, with the callback that fails": lambda w: fitted(unwatched, 3, eagerly=True, **callbacks(w)),
    "a decorated class": decorated,
    "a decorated class that fails": decorated_and_broken,
    "an operation that fails": operation,
}


def of_tensorflow() -> dict[str, Program]:
    """Without Keras, and in `tf.function`."""
    import tensorflow as tf
    from support import residual_tensorflow as plain

    def module(watch: Watch, stride: int, function: bool) -> Any:
        model = plain.Net(stride)
        call: Callable[[Any], Any] = tf.function(model.__call__) if function else model
        with watch(model):
            y = [call(tf.constant(images(batch))) for batch in (2, 3, 2)]
        return numbers(*y)

    def keras_in_function(watch: Watch, strides: int) -> Any:
        model = Net(strides)

        @tf.function
        def step(x: Any) -> Any:
            if tf.reduce_sum(x) > 0.0:
                x = x * 2.0
            return model(x)

        with watch():
            y = step(tf.constant(images()))
        return numbers(y)

    def in_a_graph(watch: Watch) -> Any:
        """A graph that fails while it runs: the sizes are known only then."""

        @tf.function(input_signature=[tf.TensorSpec([None, None])] * 2)
        def product(x: Any, y: Any) -> Any:
            return x @ y

        with watch():
            product(tf.ones((2, 3)), tf.ones((2, 3)))

    def session(watch: Watch) -> Any:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            x = tf.compat.v1.placeholder(tf.float32, (None, 3))
            with watch():
                session.run(x + tf.ones((2, 3)), {x: np.ones((4, 3))})

    return {
        "a tf.Module": lambda watch: module(watch, 1, False),
        "a tf.Module that fails": lambda watch: module(watch, 2, False),
        "a tf.Module in a tf.function": lambda watch: module(watch, 1, True),
        "a tf.Module in a tf.function that fails": lambda watch: module(watch, 2, True),
        "Keras in a tf.function": lambda watch: keras_in_function(watch, 1),
        "Keras in a tf.function that fails": lambda watch: keras_in_function(watch, 2),
        "a graph that fails": in_a_graph,
        "a session that fails": session,
    }


if BACKEND == "tensorflow":
    PROGRAMS |= of_tensorflow()
else:  # Keras tries the loss before it makes the list of callbacks, so ours is asked nothing
    for name in ("fit with the callback that fails", "fit, eagerly, with the callback that fails"):
        del PROGRAMS[name]


def afresh(program: Program) -> Program:
    """Names that Keras makes up are counted from the start, and so are random numbers."""

    def run(watch: Watch) -> Any:
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)
        return program(watch)

    return run


def trial(name: str) -> Trial:
    return Trial(afresh(PROGRAMS[name]), PARTS, WALL, surroundings, put_back, OF_A_TRIAL, ENDS)


def put_back() -> None:
    """Everything that a watch which could not end has replaced."""
    take_taps_off()
    for cls in heirs(sys.modules["tensorflow"].Module) if "tensorflow" in sys.modules else ():
        while hasattr(heard := vars(cls).get("__call__"), "_heard"):
            cls.__call__ = heard._method
    sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("shapewatch")]
    if BACKEND == "torch":
        from support import faults_in_torch

        faults_in_torch.put_back()


def heirs(cls: Any) -> Iterator[Any]:
    for heir in cls.__subclasses__():
        yield heir
        yield from heirs(heir)


quiet = pytest.fixture(autouse=True)(without_caches)


SOME = {
    "tensorflow": (
        "a later pass that fails", "a functional model that cannot be built", "fit with the callback that fails",
        "a tf.Module in a tf.function that fails",
    ),
    "jax": ("a pass that fails",),
    "torch": ("a loop", "a pass that fails"),
}  # fmt: skip


ALONE = os.environ.get("SHAPEWATCH_FAULTS_ALONE") == "1"
"""Whether this is the process of a backend. What is left where the function fails that takes a watch off is left for
good, and would be found by every test after it."""

if ALONE:

    @pytest.mark.zoo
    @pytest.mark.parametrize("name", PROGRAMS)
    def test_the_program_comes_to_the_same_with_all(name: str) -> None:
        assert trial(name).wrong() == []

    @pytest.mark.parametrize("name", SOME[BACKEND])
    def test_the_program_comes_to_the_same_with_some(name: str) -> None:
        assert trial(name).wrong(137) == []


@pytest.mark.parametrize("chosen", [pytest.param("all", marks=pytest.mark.zoo), "some"])
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_programs_on_a_backend(backend: str, chosen: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": backend, "SHAPEWATCH_FAULTS_ALONE": "1"}
    chosen = f"to_the_same_with_{chosen}"
    words = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "", "-k", chosen, __file__]
    ran = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
