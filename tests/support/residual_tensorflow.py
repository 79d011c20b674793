"""The small residual model of `residual.py` as `tf.Module`s, with nothing of Keras in it."""

from __future__ import annotations

import tensorflow as tf


class Conv(tf.Module):
    """A 3x3 convolution that keeps the size, but for its stride."""

    def __init__(self, channels: int, filters: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.kernel = tf.Variable(tf.ones((kernel, kernel, channels, filters)) / (kernel * kernel))
        self.bias = tf.Variable(tf.zeros(filters))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.bias_add(tf.nn.conv2d(x, self.kernel, self.stride, "SAME"), self.bias)


class Block(tf.Module):
    """A residual block; with `stride` 2 its branches do not fit."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv(4, 4, stride=stride)
        self.conv2 = Conv(4, 4)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.conv2(tf.nn.relu(self.conv1(x))) + x


class Net(tf.Module):
    """A stem and a block: [N, 8, 8, 3] to [N, 8, 8, 4]."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stem = Conv(3, 4, kernel=1)
        self.block = Block(stride)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.block(self.stem(x))
