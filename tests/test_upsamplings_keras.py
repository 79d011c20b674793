"""One upsampling too many in Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.support.told import best, failing


def _generator() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(5 * 5 * 8),
            layers.Reshape((5, 5, 8)),
            layers.Conv2DTranspose(8, 4, strides=2, padding="same", name="first"),
            layers.Conv2DTranspose(6, 4, strides=2, padding="same", name="second"),
            layers.Conv2D(1, 5, padding="same"),
        ]
    )


def test_what_a_generator_gives_beside_what_is_given() -> None:
    real, noise, model = tf.zeros((4, 10, 10, 1)), tf.zeros((4, 16)), _generator()
    told = failing(lambda: tf.concat([model(noise), real], axis=0))
    code, verified = best(told)
    assert verified == "junction" and 'layers.Conv2DTranspose(6, 4, strides=1, padding="same"' in code
    assert [fix.edit.get("layer") for fix in told.fixes][:2] == ["second", "first"]


def test_what_is_refused_for_no_known_reason_is_not_mended_by_another_axis() -> None:
    model = _generator()

    def joined() -> Any:
        return tf.concat([model(np.zeros((4, 16), "float32")), np.zeros((4, 10, 10, 1), "float32")], 0)

    assert not any("axis was 0" in fix.code for fix in failing(joined).fixes)


def _laid_out(dense: layers.Layer, sides: tuple[int, int, int], strides: tuple[int, ...]) -> keras.Sequential:
    ups = [layers.Conv2DTranspose(8, 3, strides=stride, padding="same") for stride in strides]
    last = layers.Conv2DTranspose(1, 3, strides=2, padding="same")
    return keras.Sequential([keras.Input((16,)), dense, layers.Reshape(sides), *ups, last])


def _beside_images(model: keras.Sequential, side: int) -> Any:
    return lambda: tf.concat([tf.zeros((4, side, side, 1)), model(tf.zeros((4, 16)))], axis=0)


def test_a_reshape_that_agrees_with_what_is_laid_out_stays() -> None:
    told = failing(_beside_images(_laid_out(layers.Dense(5 * 5 * 16), (5, 5, 16), (1,)), 20))
    assert best(told)[1] == "junction" and told.fixes[0].edit["argument"] == "strides"
    assert told.cause is not None and told.cause.type == "Conv2DTranspose"
    assert not any(fix.edit.get("layer") == "reshape" for fix in told.fixes)


def _laid_out_otherwise() -> Any:
    model = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(10 * 10 * 4),
            layers.Reshape((5, 5, 16)),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
        ]
    )
    return _beside_images(model, 20)()


def test_a_reshape_to_other_sides_than_what_is_laid_out_says_may_be_wrong() -> None:
    assert any(str((10, 10, 4)) in fix.code for fix in failing(_laid_out_otherwise).fixes)
