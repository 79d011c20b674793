"""The small residual model of `residual.py` in Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


class Block(layers.Layer):
    """A residual block; with `strides` 2 its branches do not fit."""

    def __init__(self, strides: int = 1) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(4, 3, strides=2 if strides == 2 else 1, padding="same")
        self.conv2 = layers.Conv2D(4, 3, padding="same")

    def call(self, x: Any) -> Any:
        return self.conv2(keras.ops.relu(self.conv1(x))) + x


class Net(keras.Model):
    """A stem and a block: [N, 8, 8, 3] to [N, 8, 8, 4]."""

    def __init__(self, strides: int = 1) -> None:
        super().__init__()
        self.stem = layers.Conv2D(4, 1)
        self.block = Block(strides)

    def call(self, x: Any) -> Any:
        return self.block(self.stem(x))
