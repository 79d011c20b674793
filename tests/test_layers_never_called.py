"""A class makes a layer that its forward never calls: the forward has the mistake in it, and no layer is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.adapters.uncalled import calling, mentions, never_called
from shapewatch.recording import Span
from shapewatch.report import Diagnosis


def failing(model: nn.Module, *inputs: torch.Tensor) -> Sequence[Diagnosis]:
    session = shapewatch.watch(model)
    with pytest.raises(RuntimeError), session:
        model(*inputs)
    return session.report.diagnoses


class Block(nn.Module):
    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.shortcut = nn.Sequential()
        if stride != 1 or given != width:
            self.shortcut = nn.Sequential(nn.Conv2d(given, width, 1, stride), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv2(torch.relu(self.conv1(x)))
        out += x
        return torch.relu(out)


def test_a_shortcut_in_every_block() -> None:
    blocks = nn.Sequential(Block(16, 16), Block(16, 32, 2), Block(32, 32), Block(32, 64, 2))
    images = torch.randn(2, 16, 16, 16)
    (told,) = failing(blocks, images)
    fix = told.fixes[0]
    assert (fix.code, fix.verified, fix.parameters_added) == ("out += self.shortcut(x)", "forward", 0)
    assert told.cause is not None
    assert (told.cause.layer, told.cause.reason) == ("1", "it never calls `self.shortcut`, which is made")
    assert len(told.fixes) == 1, "another place for the same layer is no other fix"
    with fix.applied(blocks):
        assert blocks(images).shape == fix.output_shape
    with pytest.raises(RuntimeError):
        blocks(images)


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(16)
        self.head = nn.Linear(16, 5)


class OtherNorm(Parts):
    """The second norm is never called."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn1(self.conv2(x)))
        return self.head(x.mean((2, 3)))


class CopiedLine(Parts):
    """A line that was copied, with one of its two layers changed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv1(x)))
        return self.head(x.mean((2, 3)))


class CopiedWhole(Parts):
    """A line that was copied as it is."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.head(x.mean((2, 3)))


class OneLine(Parts):
    """Twice in one line."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv1(torch.relu(self.bn1(self.conv1(x)))))
        return self.head(self.bn2(x).mean((2, 3)))


@pytest.mark.parametrize(
    ("cls", "code"),
    [
        (OtherNorm, "x = torch.relu(self.bn2(self.conv2(x)))"),
        (CopiedLine, "x = torch.relu(self.bn2(self.conv2(x)))"),
        (CopiedWhole, "x = torch.relu(self.bn2(self.conv2(x)))"),
        (OneLine, "x = torch.relu(self.conv2(torch.relu(self.bn1(self.conv1(x)))))"),
    ],
)
def test_a_layer_called_twice(cls: type[Parts], code: str) -> None:
    model, images = cls(), torch.randn(2, 3, 12, 12)
    told, *others = failing(model, images)
    assert not others
    fix = told.fixes[0]
    assert (fix.code, fix.verified, fix.output_shape) == (code, "forward", (2, 5))
    assert told.cause is not None
    assert "twice, and `self." in told.cause.reason
    with fix.applied(model):
        assert model(images).shape == (2, 5)


class Reader(nn.Module):
    """The pooling over the steps is left out, and a layer is there for something else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(4 * 8 * 8, 3)
        self.aside = nn.Linear(4 * 8 * 8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.conv(x)))

    def beside(self, x: torch.Tensor) -> torch.Tensor:
        return self.aside(x)


def test_a_flatten() -> None:
    (told,) = failing(Reader(), torch.randn(2, 1, 10, 10))
    assert told.fixes[0].code == "return self.head(self.flatten(torch.relu(self.conv(x))))"


class Cut(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, : -self.count]


class Temporal(nn.Module):
    """A layer of the row is left out of it."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(6, 6, 3, padding=2 * dilation, dilation=dilation)
        self.cut1, self.relu1 = Cut(2 * dilation), nn.ReLU()
        self.conv2 = nn.Conv1d(6, 6, 3, padding=2 * dilation, dilation=dilation)
        self.cut2, self.relu2 = Cut(2 * dilation), nn.ReLU()
        self.row = nn.Sequential(self.conv1, self.cut1, self.relu1, self.conv2, self.relu2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.row(x)


def test_a_row_of_layers_without_one_of_them() -> None:
    model = nn.Sequential(Temporal(1), Temporal(2))
    (told,) = failing(model, torch.randn(2, 6, 20))
    code = "self.row = nn.Sequential(self.conv1, self.cut1, self.relu1, self.conv2, self.cut2, self.relu2)"
    assert (told.fixes[0].code, told.fixes[0].verified) == (code, "forward")
    with told.fixes[0].applied(model):
        assert model(torch.randn(2, 6, 20)).shape == (2, 6, 20)


class Dynamic(nn.Module):
    """What is called by no name may be called."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 6)
        self.second = nn.Linear(6, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.children():
            x = layer(x)
        return x


class ByName(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first0 = nn.Linear(8, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return getattr(self, f"first{len(x.shape) - 2}")(x)


def test_what_a_class_may_call_by_no_name() -> None:
    span = Span(__file__, Dynamic.forward.__code__.co_firstlineno + 2, None, "Dynamic.forward")
    assert never_called({"first", "second"}, "Dynamic", span) == frozenset()
    span = Span(__file__, ByName.forward.__code__.co_firstlineno + 1, None, "ByName.forward")
    assert never_called({"first0"}, "ByName", span) == frozenset()
    span = Span(__file__, Reader.forward.__code__.co_firstlineno + 1, None, "Reader.forward")
    assert never_called({"conv", "flatten", "aside"}, "Reader", span) == {"flatten"}
    assert never_called({"flatten"}, "TransformerEncoderLayer", span) == frozenset()


def test_lines_that_call() -> None:
    span = Span(__file__, CopiedLine.forward.__code__.co_firstlineno + 1, None, "CopiedLine.forward")
    assert [(each.name, each.earlier) for each in mentions(span)] == [
        ("conv1", 0),
        ("bn1", 0),
        ("conv1", 1),
        ("bn2", 0),
        ("head", 0),
    ]
    assert calling("x = self.a(self.a(x))", "b", "a", 1) == "x = self.b(self.a(x))"
    assert calling("x = self.a(x)", "b", "a", 1) is None


class Project(layers.Layer):
    def __init__(self, filters: int, strides: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, strides=strides, padding="same")
        self.project = layers.Conv2D(filters, 1, strides=strides)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.relu(self.conv(x) + x)


class Encoder(keras.Model):
    """The first convolution is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(8, 3, strides=2, padding="same")
        self.conv2 = layers.Conv2D(16, 3, strides=2, padding="same")
        self.head = layers.Dense(4)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        x = keras.ops.relu(self.conv1(x))
        x = keras.ops.relu(self.conv1(x))
        return self.head(keras.ops.mean(x, axis=(1, 2)))


@pytest.mark.filterwarnings("ignore:`build:UserWarning", "ignore:Layer '.* unbuilt:UserWarning")
def test_keras() -> None:
    blocks = keras.Sequential([layers.Conv2D(8, 3, padding="same"), Project(16, 2), Project(32, 2)])
    with pytest.raises(ValueError, match=r"."), shapewatch.watch(blocks) as session:
        blocks(np.zeros((2, 16, 16, 3), "float32"))
    (told,) = session.report.diagnoses
    assert told.fixes[0].code == "return keras.ops.relu(self.conv(x) + self.project(x))"
    assert told.fixes[0].verified == "forward"

    encoder = Encoder()
    with pytest.raises(ValueError, match=r"."), shapewatch.watch(encoder) as session:
        encoder(np.zeros((2, 16, 16, 3), "float32"))
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert (fix.code, fix.verified) == ("x = keras.ops.relu(self.conv2(x))", "forward")


class Dense(tf.Module):
    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.w = tf.Variable(tf.zeros([given, width]))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.matmul(x, self.w)


class Layers(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Dense(6, 8), Dense(8, 4)
        self.narrow, self.head = Dense(4, 3), Dense(3, 2)


class Tower(Layers):
    """The second layer is never called, and the first one twice."""

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        h = tf.nn.relu(self.first(x))
        h = tf.nn.relu(self.first(h))
        return self.head(self.narrow(h))


class Short(Layers):
    """A layer in the middle is left out."""

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        h = tf.nn.relu(self.second(self.first(x)))
        return self.head(h)


@pytest.mark.parametrize(
    ("cls", "code"),
    [(Tower, "h = tf.nn.relu(self.second(h))"), (Short, "return self.head(self.narrow(h))")],
)
def test_tensorflow(cls: type[Layers], code: str) -> None:
    tower = cls()
    with pytest.raises(tf.errors.InvalidArgumentError), shapewatch.watch(tower) as session:
        tower(tf.zeros([5, 6]))
    (told,) = session.report.diagnoses
    assert (told.fixes[0].code, told.fixes[0].verified) == (code, "forward")
