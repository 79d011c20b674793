"""Feeds that no `session.run(…, feed_dict={…})` writes down, and arrays that lie the other way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from shapewatch.report import Diagnosis
from tests.support.told import failing, reason

v1 = tf.compat.v1


def as_columns(kinds: Any, count: int) -> Any:
    return np.eye(count)[kinds].T


def evaluated() -> None:
    answers = v1.placeholder(tf.float32, [None, 4])
    wanted = np.ones((4, 9))
    tf.reduce_mean(answers).eval({answers: wanted})


def by_a_dictionary() -> None:
    answers = v1.placeholder(tf.float32, [None, 4])
    wanted = np.ones((4, 9))
    feed = {answers: wanted}
    tf.reduce_mean(answers).eval(feed_dict=feed)


def by_an_operation() -> None:
    answers = v1.placeholder(tf.float32, [None, 4], name="answers")
    wanted = np.ones((4, 9))
    step = tf.group(answers)
    step.run({"answers:0": wanted})


def as_the_others_are() -> None:
    answers = v1.placeholder(tf.float32, [None, 4])
    learned = as_columns(np.arange(12) % 4, 4).T
    judged = as_columns(np.arange(9) % 4, 4)
    mean = tf.reduce_mean(answers)
    mean.eval({answers: learned})
    mean.eval({answers: judged})


def of_no_known_order() -> None:
    answers = v1.placeholder(tf.float32, [None, 4])
    wanted = np.ones((5, 9))
    tf.reduce_mean(answers).eval({answers: wanted})


def told_of(run: Callable[[], None]) -> Diagnosis:
    with v1.Graph().as_default(), v1.Session().as_default():
        return failing(run)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (evaluated, "tf.reduce_mean(answers).eval({answers: wanted.T})"),
        (by_a_dictionary, "feed = {answers: wanted.T}"),
        (by_an_operation, 'step.run({"answers:0": wanted.T})'),
    ],
)
def test_rows_fed_as_columns(run: Callable[[], None], code: str) -> None:
    told = told_of(run)
    assert [(fix.code, fix.verified) for fix in told.fixes] == [(code, None)]
    assert reason(told) == "[4, 9] has its samples on axis 1, where [?, 4] has them on axis 0"


def test_the_line_that_makes_what_a_line_like_it_makes_otherwise() -> None:
    told = told_of(as_the_others_are)
    assert [fix.code for fix in told.fixes] == ["judged = as_columns(np.arange(9) % 4, 4).T"]
    assert reason(told).endswith("which calls `as_columns` too, ends in `.T`")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "judged = as_columns(np.arange(9) % 4, 4)"


def test_what_fits_in_no_order_of_axes() -> None:
    assert not told_of(of_no_known_order).fixes
