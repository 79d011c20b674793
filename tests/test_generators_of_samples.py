"""Generators that yield one sample after the other, where Keras wants batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import shapewatch
from shapewatch.report import Diagnosis

pytestmark = pytest.mark.filterwarnings("ignore:.*shuffle=True.*", "ignore:.*ran out of data.*")

PICTURE = (14, 14, 3)


def reading_pictures() -> keras.Model:
    model = keras.Sequential([keras.Input(PICTURE), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(6)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def reading_tables() -> keras.Model:
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def pictures() -> Iterator[Any]:
    yield from ((np.zeros(PICTURE, "float32"), number) for number in range(6))


def pictures_and_columns() -> Iterator[Any]:
    yield from ((np.zeros(PICTURE, "float32"), np.array([number])) for number in range(6))


def rows() -> Iterator[Any]:
    yield from ((np.zeros(5), 0.5) for _ in range(6))


def pictures_alone(size: int) -> Iterator[Any]:
    yield from np.zeros((6, size, size, 3), "float32")


def raised(run: Callable[[], Any]) -> tuple[Exception, tuple[Diagnosis, ...]]:
    with pytest.raises(Exception) as error, (session := shapewatch.watch()):
        run()
    return error.value, session.report.diagnoses


SPEC = "tf.TensorSpec((14, 14, 3))"
CASES: list[tuple[Callable[[], keras.Model], Callable[[Any], Any], str, str]] = [
    (
        reading_pictures,
        lambda model: model.fit(pictures(), verbose=0),
        f"pictures, output_signature=({SPEC}, tf.TensorSpec((), tf.int32))",
        "model.fit(data, verbose=0)",
    ),
    (
        reading_pictures,
        lambda model: model.fit(x=pictures_and_columns(), verbose=0),
        f"pictures_and_columns, output_signature=({SPEC}, tf.TensorSpec((1,), tf.int32))",
        "model.fit(x=data, verbose=0)",
    ),
    (
        reading_tables,
        lambda model: model.evaluate(rows(), verbose=0),
        "rows, output_signature=(tf.TensorSpec((5,)), tf.TensorSpec(()))",
        "model.evaluate(data, verbose=0)",
    ),
    (
        reading_pictures,
        lambda model: model.predict(pictures_alone(14), verbose=0),
        f"lambda: pictures_alone(14), output_signature={SPEC}",
        "model.predict(data, verbose=0)",
    ),
]


@pytest.mark.parametrize("build, run, made, used", CASES, ids=["fit", "columns", "evaluate", "predict"])
def test_samples_are_to_be_batched(
    build: Callable[[], keras.Model], run: Callable[[Any], Any], made: str, used: str
) -> None:
    model = build()
    error, (diagnosis,) = raised(lambda: run(model))
    assert [note.count("SW") > 0 for note in error.__notes__] == [True]
    assert diagnosis.location is not None and diagnosis.location.file == __file__
    fix = diagnosis.fixes[0]
    first, second = fix.code.split("\n")
    assert first == f"data = tf.data.Dataset.from_generator({made}).batch(32)"
    assert used in second
    assert fix.verified == "forward"


def test_the_fix_runs() -> None:
    model = reading_pictures()
    _, (diagnosis,) = raised(lambda: model.fit(pictures(), verbose=0))
    scope = {"tf": tf, "pictures": pictures}
    exec(diagnosis.fixes[0].code.split("\n")[0], scope)
    model.fit(scope["data"], verbose=0)


def test_batches_that_are_no_tuple_are_no_matter_of_shapes() -> None:
    _, diagnoses = raised(lambda: reading_tables().fit(iter(np.zeros((3, 4, 5))), verbose=0))
    assert not diagnoses


def test_another_fault_of_a_generator_of_batches() -> None:
    def batches() -> Iterator[Any]:
        yield from ((np.zeros((4, 7)), np.zeros((4, 1))) for _ in range(3))

    _, (diagnosis,) = raised(lambda: reading_tables().fit(batches(), verbose=0))
    assert diagnosis.code in ("SW102", "SW602") and "from_generator" not in str(diagnosis.fixes)


def test_a_healthy_generator_is_gone_through_once() -> None:
    taken: list[int] = []

    def batches() -> Iterator[Any]:
        for number in range(3):
            taken.append(number)
            yield np.zeros((4, 5)), np.zeros((4, 1))

    with shapewatch.watch() as session:
        reading_tables().fit(batches(), verbose=0)
    assert taken == [0, 1, 2] and not session.report.diagnoses
