"""Programs in the style of TensorFlow 1: graphs, placeholders and sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import shapewatch
from shapewatch.report import Report

v1 = tf.compat.v1


def failed(run: Callable[[Any], Any]) -> tuple[Report, Exception]:
    """The report of a function that is given a session, and what it raised."""
    with v1.Graph().as_default(), v1.Session() as session:
        watch = shapewatch.watch()
        with pytest.raises((ValueError, tf.errors.OpError)) as raised, watch:
            run(session)
    return watch.report, raised.value


def variable(*shape: int) -> Any:
    return v1.Variable(np.zeros(shape, "float32"), use_resource=False)


def wrong_feed(session: Any) -> None:
    x = v1.placeholder(tf.float32, [None, 784])
    images = np.zeros((8, 28, 28))
    session.run(x * 2.0, {x: images})


def test_a_feed_is_called_as_the_program_calls_it() -> None:
    report, _ = failed(wrong_feed)
    (diagnosis,) = report.diagnoses
    assert diagnosis.headline == "x takes [?, 784] and is fed images [8, 28, 28]"
    assert "`x.reshape(-1, 784)`" in diagnosis.explanation


def class_numbers(session: Any) -> None:
    y = v1.placeholder(tf.float32, [None, 5])
    labels = np.zeros(8, "int64")
    session.run(y * 2.0, {y: labels})


def test_class_numbers_for_rows_of_classes() -> None:
    report, _ = failed(class_numbers)
    assert "np.eye(5)[labels]" in report.diagnoses[0].explanation


def unknown_until_run(session: Any) -> None:
    x = v1.placeholder(tf.float32)
    w = variable(31, 1)
    hidden = tf.nn.relu(x)
    product = tf.matmul(hidden, w)
    session.run(v1.global_variables_initializer())
    session.run(product, {x: np.zeros((4, 30))})


def test_sizes_that_only_the_run_tells() -> None:
    report, error = failed(unknown_until_run)
    (diagnosis,) = report.diagnoses
    assert diagnosis.code == "SW101"
    assert diagnosis.location is not None and diagnosis.location.source == "product = tf.matmul(hidden, w)"
    assert "hidden ends in 30, w starts its product with 31" in diagnosis.headline
    assert "shapewatch/" not in str(error)


def odd_one_out(_: Any) -> None:
    x = v1.placeholder(tf.float32, [None, 20])
    w1, b1, w2 = variable(20, 16), variable(16), variable(8, 3)
    tf.matmul(tf.nn.relu(tf.matmul(x, w1) + b1), w2)


def test_the_variable_that_stands_alone_is_blamed() -> None:
    report, _ = failed(odd_one_out)
    cause = report.diagnoses[0].cause
    assert cause is not None and (cause.layer, cause.type) == ("w2", "variable")
    assert "w1 and b1 hold 16" in cause.reason


def one_against_one(_: Any) -> None:
    x = v1.placeholder(tf.float32, [None, 20])
    tf.matmul(tf.matmul(x, variable(20, 16)), variable(8, 3))


def test_between_one_and_one_nothing_is_blamed() -> None:
    report, _ = failed(one_against_one)
    assert report.diagnoses[0].code == "SW101"
    assert report.diagnoses[0].cause is None


def other_batch(session: Any) -> None:
    x = v1.placeholder(tf.float32, [None, 3])
    y = v1.placeholder(tf.int64, [None])
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x)
    session.run(loss, {x: np.zeros((4, 3)), y: np.zeros(5)})


def test_a_loss_in_a_graph_that_runs() -> None:
    report, _ = failed(other_batch)
    assert report.diagnoses[0].code == "SW803"


@pytest.mark.parametrize(
    "loss, code",
    [
        (lambda: v1.losses.softmax_cross_entropy(v1.placeholder(tf.int32, [None]), tf.zeros([4, 3])), "SW804"),
        (lambda: v1.losses.mean_squared_error(tf.zeros([4, 2]), tf.zeros([4, 3])), "SW801"),
        (lambda: v1.losses.mean_squared_error(tf.zeros([4]), tf.zeros([4, 3])), "SW802"),
    ],
)
def test_losses_of_tensorflow_1(loss: Callable[[], Any], code: str) -> None:
    report, _ = failed(lambda _: loss())
    assert report.diagnoses[0].code == code


def test_a_healthy_graph_is_as_without_a_watch() -> None:
    def graph_of(watched: bool) -> tuple[str, list[float]]:
        with v1.Graph().as_default() as graph, v1.Session() as session:
            with shapewatch.watch() if watched else v1.name_scope(None):
                x = v1.placeholder(tf.float32, [None, 3])
                w = variable(3, 2)
                loss = v1.losses.mean_squared_error(tf.ones([4, 2]), tf.matmul(x, w))
                train = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
                session.run(v1.global_variables_initializer())
                losses = [session.run([train, loss], {x: np.ones((4, 3))})[1] for _ in range(3)]
            return str(graph.as_graph_def()), losses

    assert graph_of(True) == graph_of(False)


def other_rows(session: Any) -> None:
    x = v1.placeholder(tf.float32, [None, 3])
    y = v1.placeholder(tf.float32, [None, 1])
    w = variable(3, 1)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
    train = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    session.run(v1.global_variables_initializer())
    session.run(train, {x: np.zeros((4, 3)), y: np.zeros((5, 1))})


def test_an_error_in_a_gradient_is_one_of_what_it_is_the_gradient_of() -> None:
    report, _ = failed(other_rows)
    (diagnosis,) = report.diagnoses
    assert diagnosis.code == "SW201"
    assert diagnosis.location is not None and "- y" in (diagnosis.location.source or "")
    assert report.recording.failing_call() is not None
