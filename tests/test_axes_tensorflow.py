"""The arithmetic of shapes is what TensorFlow really gives: each operation is run, on sizes drawn at random.

`test_axes.py` compares with what PyTorch and Keras say they would give; here the kernels have the last word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapewatch import axes

properties = settings(deadline=None, derandomize=True, max_examples=40)

sizes = st.integers(1, 20)
kernels = st.integers(1, 6)
strides = st.integers(1, 4)
dilations = st.integers(1, 3)
named = st.sampled_from(["same", "valid"])
shapes = st.lists(st.sampled_from([1, 1, 2, 3, 5]), max_size=4).map(tuple)


def given_by_tensorflow(function: Callable[[], tf.Tensor]) -> tuple[int, ...] | None:
    """The shape that comes out, None where TensorFlow refuses."""
    try:
        return tuple(function().shape)
    except (ValueError, tf.errors.InvalidArgumentError, tf.errors.AbortedError):
        return None


@properties
@given(sizes, kernels, strides, named, dilations)
def test_a_convolution(size: int, kernel: int, stride: int, padding: str, dilation: int) -> None:
    def convolved() -> tf.Tensor:
        image, weights = tf.zeros((1, size, 1, 1)), tf.zeros((kernel, 1, 1, 1))
        return tf.nn.conv2d(image, weights, (stride, 1), padding.upper(), dilations=(dilation, 1))

    assume(size >= axes.window_least(kernel, padding, dilation))  # what is smaller some CPU kernels take all the same
    assert given_by_tensorflow(convolved) == (1, axes.window_out(size, kernel, stride, padding, dilation), 1, 1)


@properties
@given(sizes, kernels, strides, named, st.booleans())
def test_a_pooling(size: int, kernel: int, stride: int, padding: str, average: bool) -> None:
    pool: Any = tf.nn.avg_pool2d if average else tf.nn.max_pool2d
    assume(size >= axes.window_least(kernel, padding))
    found = given_by_tensorflow(lambda: pool(tf.zeros((1, size, 1, 1)), (kernel, 1), (stride, 1), padding.upper()))
    assert found == (1, axes.window_out(size, kernel, stride, padding), 1, 1)


@properties
@given(st.integers(1, 8), kernels, strides, named, dilations)
def test_a_transposed_convolution_by_keras(size: int, kernel: int, stride: int, padding: str, dilation: int) -> None:
    assume(stride == 1 or dilation == 1)
    image, weights = tf.zeros((1, size, 1)), tf.zeros((kernel, 1, 1))
    grown = keras.ops.conv_transpose(image, weights, stride, padding, dilation_rate=dilation)
    assert tuple(grown.shape) == (1, axes.transposed_out(size, kernel, stride, padding, None, dilation), 1)


@properties
@given(sizes, kernels, strides, named)
def test_a_transposed_convolution_undoes_one(size: int, kernel: int, stride: int, padding: str) -> None:
    """`tf.nn.conv2d_transpose` is told the size that it has to give, and takes those that a convolution would shrink to
    the one it is given."""
    small = -(-size // stride)
    image, weights = tf.zeros((1, small, 1, 1)), tf.zeros((kernel, 1, 1, 1))

    def grown() -> tf.Tensor:
        return tf.nn.conv2d_transpose(image, weights, (1, size, 1, 1), (stride, 1), padding.upper())

    assume(size >= axes.window_least(kernel, padding))
    fits = axes.window_out(size, kernel, stride, padding) == small
    assert (given_by_tensorflow(grown) is not None) == fits


@properties
@given(shapes, shapes)
def test_broadcasting(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    expected = given_by_tensorflow(lambda: tf.zeros(left) + tf.zeros(right))
    assert axes.broadcast([left, right]) == expected
    assert bool(axes.broadcast_problems([left, right])) == (expected is None)


@properties
@given(shapes, st.data())
def test_concatenation(shape: tuple[int, ...], data: st.DataObject) -> None:
    assume(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    other = tuple(data.draw(st.sampled_from([size, size, size + 1])) for size in shape)
    refused = given_by_tensorflow(lambda: tf.concat([tf.zeros(shape), tf.zeros(other)], axis)) is None
    assert bool(axes.concat_problems([shape, other], axis % len(shape))) == refused


@properties
@given(shapes, shapes)
def test_matrix_products(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    assume(len(left) > 1 and len(right) > 1)
    whole = axes.broadcast([left[:-2], right[:-2]]) is not None
    for flags in [(False, False), (True, False), (False, True), (True, True)]:
        fits = whole and not axes.differ(*axes.matmul_inner(left, right, *flags))
        product = given_by_tensorflow(lambda flags=flags: tf.linalg.matmul(tf.zeros(left), tf.zeros(right), *flags))
        assert fits == (product is not None)
