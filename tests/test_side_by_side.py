"""The same broken block in PyTorch and in Keras: told in the same words, but for names, the order of axes and code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis


def add(y: Any, x: Any) -> Any:
    return y + x


class TorchBlock(nn.Module):
    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(16, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.join(self.conv2(torch.relu(self.conv1(x))), x)

    join: Callable[..., Any]


class TorchNet(nn.Module):
    def __init__(self, width: int, stride: int, join: Callable[..., Any]) -> None:
        super().__init__()
        self.stem, self.block1, self.block2 = nn.Conv2d(3, 16, 1), TorchBlock(16, 1), TorchBlock(width, stride)
        self.block1.join, self.block2.join = add, join

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block2(self.block1(self.stem(x)))


class KerasBlock(layers.Layer):
    def __init__(self, width: int, stride: int, join: Callable[..., Any]) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(width, 3, strides=stride, padding="same")
        self.conv2 = layers.Conv2D(width, 3, padding="same")
        self.join = join

    def call(self, x: Any) -> Any:
        return self.join(self.conv2(tf.nn.relu(self.conv1(x))), x)


class KerasNet(keras.Model):
    def __init__(self, width: int, stride: int, join: Callable[..., Any]) -> None:
        super().__init__()
        self.stem, self.block1 = layers.Conv2D(16, 1), KerasBlock(16, 1, add)
        self.block2 = KerasBlock(width, stride, join)

    def call(self, x: Any) -> Any:
        return self.block2(self.block1(self.stem(x)))


JOINS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (add, add),
    "mul": (lambda y, x: y * torch.sigmoid(x), lambda y, x: y * tf.sigmoid(x)),
    "concat": (lambda y, x: torch.cat([y, x], 1), lambda y, x: tf.concat([y, x], 3)),
    "maximum": (torch.maximum, tf.maximum),
}


def diagnosed(model: Any, x: Any) -> Diagnosis:
    with pytest.raises((RuntimeError, ValueError, tf.errors.OpError)), shapewatch.watch(model) as session:
        model(x)
    return session.report.diagnoses[0]


def channels_first(text: str) -> str:
    """Keras's shapes and axes as PyTorch has them, its classes as PyTorch calls them."""

    def shape(match: re.Match[str]) -> str:
        sizes = match.group(1).split(", ")
        return f"[{', '.join([sizes[0], sizes[3], sizes[1], sizes[2]])}]" if len(sizes) == 4 else match.group()

    text = re.sub(r"\[([\d?]+(?:, [\d?]+)*)\]", shape, text)
    text = re.sub(r"axis (\d)", lambda match: f"axis {dict(zip('0123', '0231', strict=True))[match.group(1)]}", text)
    for theirs, ours in (("Conv2D", "Conv2d"), ("strides", "stride"), ("filters", "out_channels")):
        text = text.replace(theirs, ours)
    return text


def unordered(text: str) -> list[str]:
    """The words without their order: axes are told in the order in which the framework has them."""
    return sorted(re.findall(r"\w+|\[[^\]]*\]", text.replace(" differs", " differ")))


BROKEN = [
    (join, width, stride)
    for join in JOINS
    for width, stride in [(16, 2), (32, 1), (32, 2)]
    if join != "concat" or stride == 2  # of other widths, branches may be concatenated
]


@pytest.mark.parametrize("join, width, stride", BROKEN)
def test_the_words_are_the_same(join: str, width: int, stride: int) -> None:
    in_torch, in_keras = JOINS[join]
    one = diagnosed(TorchNet(width, stride, in_torch), torch.zeros(2, 3, 32, 32))
    other = diagnosed(KerasNet(width, stride, in_keras), tf.zeros((2, 32, 32, 3)))
    assert (one.code, one.name, one.severity) == (other.code, other.name, other.severity)
    assert unordered(channels_first(other.headline)) == unordered(one.headline)
    assert unordered(channels_first(other.explanation)) == unordered(one.explanation)
    assert one.cause is not None and other.cause is not None
    assert other.cause.layer == one.cause.layer
    assert channels_first(other.cause.reason) == one.cause.reason
    assert [fix.verified for fix in other.fixes] == [fix.verified for fix in one.fixes]
    moved = [fix.output_shape and tuple(fix.output_shape[axis] for axis in (0, 3, 1, 2)) for fix in other.fixes]
    assert moved == [fix.output_shape for fix in one.fixes]


@pytest.mark.parametrize("width, stride", [(16, 2), (32, 1), (32, 2)])
def test_a_merge_layer_is_told_of_like_the_operation(width: int, stride: int) -> None:
    """But for the place: the layer that adds, in the place of the block that does."""
    one = diagnosed(KerasNet(width, stride, add), tf.zeros((2, 32, 32, 3)))
    net = KerasNet(width, stride, add)
    for block in (net.block1, net.block2):
        block.add = layers.Add()
        block.join = lambda y, x, block=block: block.add([y, x])
    other = diagnosed(net, tf.zeros((2, 32, 32, 3)))
    assert other.headline.replace("block2.add", "block2") == one.headline
    assert other.explanation == one.explanation
    assert other.cause is not None and one.cause is not None
    assert other.cause.reason == one.cause.reason
