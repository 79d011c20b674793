"""TensorFlow's templates: each is raised with the installed release, found by itself, and tells the true sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from support.templates import check_example, check_seen, name, of_other_releases, raised, raised_by

from shapewatch.messages.nouns import Template
from shapewatch.messages.tables import found
from shapewatch.messages.tensorflow import TEMPLATES

NAMES = {"tf": tf, "np": np}

COMPUTED: Mapping[str, tuple[int, ...]] = {
    "tf.split(tf.zeros([2, 7]), [3, 3], axis=1)": (3 + 3,),
    "tf.nn.conv2d(tf.zeros([1, 2, 2, 3]), tf.zeros([5, 5, 3, 8])": (2 - 5 + 1,),
    "tf.image.random_contrast": (3,),
    "tf.image.grayscale_to_rgb": (1,),
    "tf.slice(tf.zeros([3, 3]), [0, 2], [3, 2])": (3 - 2,),
}
"""Sizes that an example does not name: the operation computes or asks for them itself. By words of the example."""


def computed(template: Template) -> tuple[int, ...]:
    return next((sizes for words, sizes in COMPUTED.items() if words in template.example), ())


@pytest.mark.parametrize("template", raised_by(TEMPLATES), ids=name)
def test_is_raised_found_and_true(template: Template) -> None:
    check_example(template, NAMES, computed(template))


@pytest.mark.parametrize("template", of_other_releases(TEMPLATES), ids=name)
def test_of_other_releases_is_found(template: Template) -> None:
    check_seen(template)


def in_graph(body: str, *shapes: str) -> str:
    names = ", ".join("xyz"[: len(shapes)])
    return f"@tf.function\ndef f({names}): return {body}\nf({', '.join(f'tf.zeros({shape})' for shape in shapes)})"


RAISED: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("tf.zeros([6, 5]) * tf.zeros([7, 5])", "elementwise", {"left": (6, 5), "right": (7, 5), "op": "Mul"}),
    (
        in_graph("tf.maximum(x, y)", "[6, 5]", "[6, 4]"),
        "elementwise",
        {"a": 5, "b": 4, "left": (6, 5), "right": (6, 4), "op": "Maximum", "node": "Maximum"},
    ),
    (in_graph("x @ y", "[6, 5]", "[4, 3]"), "matmul", {"a": 5, "b": 4, "left": (6, 5), "right": (4, 3)}),
    (in_graph("x @ y", "[2, 6, 5]", "[2, 4, 3]"), "batched-matmul", {"left": (2, 6, 5), "right": (2, 4, 3)}),
    (
        in_graph("tf.nn.conv3d(x, y, [1, 1, 1, 1, 1], 'VALID')", "[1, 9, 9, 2, 4]", "[3, 3, 3, 4, 5]"),
        "window",
        {"kernel": 3, "size": 2, "input": (1, 9, 9, 2, 4), "weight": (3, 3, 3, 4, 5), "data_format": "NDHWC"},
    ),
    (
        in_graph("tf.nn.conv2d(x, y, 1, 'SAME')", "[1, 9, 9, 2]", "[3, 3, 4, 5]"),
        "conv-channels",
        {"got": 2, "expected": 4, "input": (1, 9, 9, 2), "weight": (3, 3, 4, 5)},
    ),
    (in_graph("tf.concat([x, y], 2)", "[1, 9, 3]", "[1, 8, 3]"), "concat", {"left": (1, 9, 3), "right": (1, 8, 3)}),
    (in_graph("tf.reshape(x, [-1, 7])", "[4, 6]"), "reshape", {"multiple": 7, "count": 24, "input": (4, 6)}),
    ("tf.reshape(tf.zeros([4, 6]), [3, 7])", "reshape", {"count": 24, "requested": 21}),
    (
        "tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.zeros([6]), logits=tf.zeros([6, 1]))",
        "target-shape",
        {"output": (6, 1), "target": (6,)},
    ),
    (
        "tf.keras.losses.categorical_crossentropy(tf.zeros([6, 3]), tf.zeros([6, 4]))",
        "target-shape",
        {"target": (6, 3), "output": (6, 4)},
    ),
    ("tf.gather(tf.zeros([30, 2]), [3, 31])", "index-range", {"index": 31, "size": 30}),
    (
        "tf.concat([tf.zeros([1, 9, 3]), tf.zeros([1, 8, 3])], 2)",
        "concat",
        {"left": (1, 9, 3), "right": (1, 8, 3)},
    ),
    ("tf.Variable(tf.zeros([3, 4])).assign(tf.zeros([4, 3]))", "expand", {"target": (3, 4), "given": (4, 3)}),
)
"""What people do, and all that has to be read of it."""


@pytest.mark.parametrize(("code", "fault", "facts"), RAISED, ids=[code for code, _, _ in RAISED])
def test_reads(code: str, fault: str, facts: Mapping[str, Any]) -> None:
    first = found(raised(code, NAMES))[0]
    assert first.fault == fault
    assert {fact: first.facts.get(fact) for fact in facts} == facts


@pytest.mark.parametrize("broken", (" ", "\n", "\n\t", ""))
def test_a_message_that_was_wrapped_is_read(broken: str) -> None:
    shapes = f"shape[0] ={broken}[1,64,64,32] vs.{broken}shape[1] = [1,63,64,32]"
    text = f"ConcatOp : Dimensions of inputs should match: {shapes}"
    assert found(text)[0].facts["right"] == (1, 63, 64, 32)


ORDINARY = (
    "tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape"
    "[64,256,56,56] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc",
    "InternalError: Blas GEMM launch failed : a.shape=(128, 784), b.shape=(784, 256), m=128, n=256, k=784",
    "UnknownError: Failed to get convolution algorithm. This is probably because cuDNN failed to initialize",
    "InvalidArgumentError: cannot compute AddV2 as input #1(zero-based) was expected to be a float tensor but is a "
    "double tensor [Op:AddV2]",
    "InvalidArgumentError: Expected image (JPEG, PNG, or GIF), got unknown format starting with '<html>'",
    "FailedPreconditionError: Error while reading resource variable dense/kernel from Container: localhost.",
    "NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any matching files for model.ckpt",
    "OutOfRangeError: End of sequence [Op:IteratorGetNext]",
    "OperatorNotAllowedInGraphError: using a `tf.Tensor` as a Python `bool` is not allowed",
    "ValueError: Tensor conversion requested dtype int32 for Tensor with dtype float32",
    "ValueError: tf.function only supports singleton tf.Variables created on the first call.",
    "AttributeError: 'Tensor' object has no attribute 'numpy'",
    "WARNING:tensorflow:5 out of the last 5 calls to <function f> triggered tf.function retracing. different shapes",
    "W tensorflow/core/framework/cpu_allocator_impl.cc:82] Allocation of 1207959552 exceeds 10% of free system memory.",
    "I tensorflow/core/grappler/optimizers/meta_optimizer.cc:1] Iteration = 0, topological sort failed: size 128, 256",
    "<tf.Tensor 'conv/BiasAdd:0' shape=(?, 26, 26, 32) dtype=float32> add: Tensor(shape=(3,), dtype=float32)",
    "step 100: loss = 2.31, logits shape [64,10], labels shape [64], dimension 1 in both",
)
"""Errors, warnings and lines of logs that speak of shapes, and are of none that does not fit."""


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_read(text: str) -> None:
    assert [one.template.text for one in found(text)] == []
