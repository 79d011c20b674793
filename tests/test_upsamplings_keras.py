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
