"""Small Keras models as people write them by hand, and the slips in their code that no argument of a layer shows.

A builder returns a model that is not built yet: its layers take their widths from the first call. Its arguments are
the slips: with their defaults the model is healthy. `NETWORKS` has for each what it takes, and its slips as data.
Wrong arguments of layers (a stride, a number of filters) are not written here: `keras_mutations.py` makes those.
Layers are made as `layers.Conv2D(…)`, by that name: this is where a wrong argument is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


@dataclass(frozen=True)
class Input:
    """One input tensor: normal noise or, where `below` is given, integers in `range(below)`."""

    shape: tuple[int, ...]
    below: int | None = None


@dataclass(frozen=True)
class CodeSlip:
    """A slip in the code of a model: the builder's arguments that make it, and where it is made.

    `layer` is the attribute path of the layer whose code is wrong; `also` are others as right to blame.
    """

    kind: str
    settings: Mapping[str, Any]
    layer: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network:
    """A builder, what its model takes, and the slips that its arguments make.

    `symbolic`: the model is Functional or Sequential, and broken by editing its config.
    `twins`: two layers made with the same width, on which nothing else depends, whose results meet: nothing in the
    model tells which of them is the wrong one. Each by its attribute path or, in a symbolic model, by its name.
    """

    name: str
    build: Callable[..., Any]
    inputs: tuple[Input, ...]
    slips: tuple[CodeSlip, ...] = field(default=())
    symbolic: bool = False
    twins: tuple[tuple[str, str], ...] = ()


NETWORKS: dict[str, Network] = {}


def network(
    *inputs: Input,
    slips: tuple[CodeSlip, ...] = (),
    symbolic: bool = False,
    twins: tuple[tuple[str, str], ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a builder into `NETWORKS` under its own name."""

    def add(build: Callable[..., Any]) -> Callable[..., Any]:
        NETWORKS[build.__name__] = Network(build.__name__, build, inputs, slips, symbolic, twins)
        return build

    return add


def image(size: int = 32, channels: int = 3) -> Input:
    return Input((2, size, size, channels))


# Residual networks


class BasicBlock(layers.Layer):
    def __init__(self, filters, strides=1, project=True):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)
        self.bn1 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn2 = layers.BatchNormalization()
        self.shortcut = None
        if strides != 1 and project:
            self.shortcut = keras.Sequential(
                [layers.Conv2D(filters, 1, strides=strides, use_bias=False), layers.BatchNormalization()]
            )

    def call(self, x):
        out = ops.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        identity = x if self.shortcut is None else self.shortcut(x)
        return ops.relu(out + identity)


class BasicResNet(keras.Model):
    def __init__(self, projects):
        super().__init__()
        self.conv = layers.Conv2D(16, 3, padding="same", use_bias=False)
        self.bn = layers.BatchNormalization()
        self.stages = [
            [BasicBlock(16), BasicBlock(16)],
            [BasicBlock(32, 2, projects[0]), BasicBlock(32)],
            [BasicBlock(64, 2, projects[1]), BasicBlock(64)],
        ]
        self.pool = layers.GlobalAveragePooling2D()
        self.fc = layers.Dense(10)

    def call(self, x):
        x = ops.relu(self.bn(self.conv(x)))
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.fc(self.pool(x))


@network(
    image(),
    slips=(
        CodeSlip("projection.missing", {"projects": (False, True)}, "stages[1][0]"),
        CodeSlip("projection.missing", {"projects": (True, False)}, "stages[2][0]"),
    ),
)
def basic_resnet(projects=(True, True)):
    return BasicResNet(projects)


class Bottleneck(layers.Layer):
    """The original: 1x1 with the stride, 3x3, 1x1; merged by a layer."""

    def __init__(self, width, strides=1, project=False, **kwargs):
        super().__init__(**kwargs)
        self.reduce = keras.Sequential(
            [
                layers.Conv2D(width, 1, strides=strides, use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
            ]
        )
        self.conv = layers.Conv2D(width, 3, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization()
        self.expand = layers.Conv2D(4 * width, 1, use_bias=False)
        self.last_norm = layers.BatchNormalization()
        self.projection = layers.Conv2D(4 * width, 1, strides=strides, use_bias=False) if project else None
        self.add = layers.Add()
        self.activation = layers.ReLU()

    def call(self, inputs, training=None):
        x = self.reduce(inputs, training=training)
        x = ops.relu(self.norm(self.conv(x), training=training))
        x = self.last_norm(self.expand(x), training=training)
        shortcut = self.projection(inputs) if self.projection is not None else inputs
        return self.activation(self.add([x, shortcut]))


class BottleneckResNet(keras.Model):
    def __init__(self, project):
        super().__init__(name="bottleneck_resnet")
        self.stem = layers.Conv2D(16, 7, strides=2, padding="same", name="stem")
        self.pool = layers.MaxPooling2D(3, strides=2, padding="same")
        self.blocks = [
            Bottleneck(8, project=True, name="block1"),
            Bottleneck(8, name="block2"),
            Bottleneck(16, strides=2, project=project, name="block3"),
            Bottleneck(16, name="block4"),
            Bottleneck(32, strides=2, project=True, name="block5"),
        ]
        self.head = layers.Dense(7, name="head")

    def call(self, x):
        x = self.pool(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return self.head(ops.mean(x, axis=(1, 2)))


@network(
    image(64),
    slips=(CodeSlip("projection.missing", {"project": False}, "blocks[2]", ("blocks[2].add",)),),
)
def bottleneck_resnet(project=True):
    return BottleneckResNet(project)


class PreActivation(layers.Layer):
    def __init__(self, filters, strides=1, project=False):
        super().__init__()
        self.bn1 = layers.BatchNormalization()
        self.pad1 = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(filters, 3, strides=strides, use_bias=False)
        self.bn2 = layers.BatchNormalization()
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(filters, 3, use_bias=False)
        self.project = layers.Conv2D(filters, 1, strides=strides, use_bias=False) if project else None

    def call(self, x):
        out = tf.nn.relu(self.bn1(x))
        shortcut = self.project(out) if self.project else x
        out = self.conv1(self.pad1(out))
        out = self.conv2(self.pad2(tf.nn.relu(self.bn2(out))))
        return tf.add(out, shortcut)


class PreActResNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(16, 3, padding="same")
        self.stage1 = keras.Sequential([PreActivation(16), PreActivation(16)], name="stage1")
        self.stage2 = keras.Sequential([PreActivation(32, 2, True), PreActivation(32)], name="stage2")
        self.stage3 = keras.Sequential([PreActivation(64, 2, True), PreActivation(64)], name="stage3")
        self.norm = layers.BatchNormalization()
        self.fc = layers.Dense(10)

    def call(self, x):
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        x = tf.nn.relu(self.norm(x))
        return self.fc(tf.reduce_mean(x, [1, 2]))


@network(image())
def preact_resnet():
    return PreActResNet()


class SqueezeExcite(layers.Layer):
    def __init__(self, channels, ratio=4, reshape=True):
        super().__init__()
        self.pool = layers.GlobalAveragePooling2D()
        self.reduce = layers.Dense(channels // ratio, activation="relu")
        self.expand = layers.Dense(channels, activation="sigmoid")
        self.reshape = layers.Reshape((1, 1, channels)) if reshape else layers.Identity()

    def call(self, x):
        weights = self.expand(self.reduce(self.pool(x)))
        return x * self.reshape(weights)


class SEBlock(layers.Layer):
    def __init__(self, filters, strides=1, reshape=True):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, strides, "same", activation="relu")
        self.conv2 = layers.Conv2D(filters, 3, padding="same")
        self.squeeze = SqueezeExcite(filters, reshape=reshape)
        self.skip = layers.Conv2D(filters, 1, strides)

    def call(self, x):
        return ops.relu(self.squeeze(self.conv2(self.conv1(x))) + self.skip(x))


@network(
    image(40),
    slips=(
        CodeSlip(
            "reshape.missing",
            {"reshape": False},
            "block2.squeeze",
            ("block2.squeeze.reshape", "block2.squeeze.expand", "block2.squeeze.pool"),
        ),
    ),
)
def se_resnet(reshape=True):
    class SEResNet(keras.Model):
        def __init__(self):
            super().__init__()
            self.block1 = SEBlock(16)
            self.block2 = SEBlock(32, 2, reshape)
            self.block3 = SEBlock(64, 2)
            self.pool = layers.GlobalMaxPooling2D()
            self.fc = layers.Dense(4)

        def call(self, x):
            return self.fc(self.pool(self.block3(self.block2(self.block1(x)))))

    return SEResNet()


class Residual1D(layers.Layer):
    """A block of a temporal convolutional network: causal, dilated, twice."""

    def __init__(self, filters, dilation, project=False):
        super().__init__()
        self.conv1 = layers.Conv1D(filters, 3, padding="causal", dilation_rate=dilation, activation="relu")
        self.drop = layers.Dropout(0.1)
        self.conv2 = layers.Conv1D(filters, 3, padding="causal", dilation_rate=dilation, activation="relu")
        self.project = layers.Conv1D(filters, 1) if project else None

    def call(self, x, training=None):
        y = self.drop(self.conv1(x), training=training)
        y = self.conv2(y)
        skip = x if self.project is None else self.project(x)
        return ops.add(y, skip)


class TemporalConv(keras.Model):
    def __init__(self, project):
        super().__init__()
        self.blocks = [
            Residual1D(24, 1, True),
            Residual1D(24, 2),
            Residual1D(48, 4, project),
            Residual1D(48, 8),
        ]
        self.head = layers.Dense(3)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x[:, -1])


@network(
    Input((2, 40, 6)),
    slips=(CodeSlip("projection.missing", {"project": False}, "blocks[2]"),),
)
def temporal_conv(project=True):
    return TemporalConv(project)


class Block3D(layers.Layer):
    def __init__(self, filters, strides=1):
        super().__init__()
        self.conv1 = layers.Conv3D(filters, 3, strides=strides, padding="same")
        self.norm1 = layers.GroupNormalization(groups=4)
        self.conv2 = layers.Conv3D(filters, 3, padding="same")
        self.norm2 = layers.GroupNormalization(groups=4)
        self.shortcut = layers.Conv3D(filters, 1, strides=strides)

    def call(self, x):
        y = ops.silu(self.norm1(self.conv1(x)))
        return ops.silu(self.norm2(self.conv2(y)) + self.shortcut(x))


@network(Input((2, 12, 12, 12, 1)))
def resnet_3d():
    return keras.Sequential(
        [Block3D(8), Block3D(16, 2), Block3D(16), layers.GlobalAveragePooling3D(), layers.Dense(2)],
        name="resnet_3d",
    )


# Dense, inception and depthwise networks


class DenseLayer(layers.Layer):
    def __init__(self, growth, axis=-1):
        super().__init__()
        self.norm1 = layers.BatchNormalization()
        self.conv1 = layers.Conv2D(4 * growth, 1, use_bias=False)
        self.norm2 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(growth, 3, padding="same", use_bias=False)
        self.axis = axis

    def call(self, x):
        new = self.conv1(tf.nn.relu(self.norm1(x)))
        new = self.conv2(tf.nn.relu(self.norm2(new)))
        return tf.concat([x, new], self.axis)


class DenseNet(keras.Model):
    def __init__(self, axis):
        super().__init__()
        self.stem = layers.Conv2D(24, 3, padding="same", use_bias=False)
        self.block1 = [DenseLayer(12) for _ in range(3)]
        self.transition = layers.Conv2D(30, 1, use_bias=False)
        self.pool = layers.AveragePooling2D(2)
        self.block2 = [DenseLayer(12), DenseLayer(12, axis), DenseLayer(12)]
        self.norm = layers.BatchNormalization()
        self.head = layers.Dense(10)

    def call(self, x):
        x = self.stem(x)
        for layer in self.block1:
            x = layer(x)
        x = self.pool(self.transition(x))
        for layer in self.block2:
            x = layer(x)
        return self.head(tf.reduce_mean(tf.nn.relu(self.norm(x)), axis=[1, 2]))


@network(image(24), slips=(CodeSlip("concat.axis", {"axis": 1}, "block2[1]"),))
def small_densenet(axis=-1):
    return DenseNet(axis)


class Inception(layers.Layer):
    def __init__(self, one, three, five, pooled):
        super().__init__()
        self.one = layers.Conv2D(one, 1, activation="relu")
        self.three = keras.Sequential(
            [
                layers.Conv2D(three // 2, 1, activation="relu"),
                layers.Conv2D(three, 3, padding="same", activation="relu"),
            ]
        )
        self.five = keras.Sequential(
            [
                layers.Conv2D(five // 2, 1, activation="relu"),
                layers.Conv2D(five, 5, padding="same", activation="relu"),
            ]
        )
        self.pool = layers.MaxPooling2D(3, strides=1, padding="same")
        self.pooled = layers.Conv2D(pooled, 1, activation="relu")
        self.concat = layers.Concatenate()

    def call(self, x):
        return self.concat([self.one(x), self.three(x), self.five(x), self.pooled(self.pool(x))])


@network(image(36))
def small_inception():
    return keras.Sequential(
        [
            layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"),
            Inception(8, 12, 4, 4),
            Inception(12, 16, 8, 8),
            layers.MaxPooling2D(3, strides=2),
            Inception(16, 24, 8, 8),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )


class ConvNeXtBlock(layers.Layer):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.dwconv = layers.DepthwiseConv2D(7, padding="same")
        self.norm = layers.LayerNormalization(epsilon=1e-6)
        self.pwconv1 = layers.Dense(4 * dim, activation="gelu")
        self.pwconv2 = layers.Dense(dim)

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(self.dim,), initializer="ones", name="gamma")
        super().build(input_shape)

    def call(self, x):
        y = self.pwconv2(self.pwconv1(self.norm(self.dwconv(x))))
        return x + self.gamma * y


class ConvNeXt(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = keras.Sequential([layers.Conv2D(16, 4, strides=4), layers.LayerNormalization()])
        self.stages = []
        self.downs = []
        for dim in (16, 32, 64):
            if dim != 16:
                self.downs.append(keras.Sequential([layers.LayerNormalization(), layers.Conv2D(dim, 2, strides=2)]))
            self.stages.append([ConvNeXtBlock(dim) for _ in range(2)])
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(5)

    def call(self, x):
        x = self.stem(x)
        for index, stage in enumerate(self.stages):
            if index:
                x = self.downs[index - 1](x)
            for block in stage:
                x = block(x)
        return self.head(self.norm(ops.mean(x, axis=[1, 2])))


@network(image(32))
def small_convnext():
    return ConvNeXt()


class InvertedResidual(layers.Layer):
    def __init__(self, expansion, filters, strides, residual):
        super().__init__()
        self.expand = layers.Conv2D(expansion, 1, use_bias=False)
        self.bn1 = layers.BatchNormalization()
        self.depthwise = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)
        self.bn2 = layers.BatchNormalization()
        self.project = layers.Conv2D(filters, 1, use_bias=False)
        self.bn3 = layers.BatchNormalization()
        self.residual = residual

    def call(self, x, training=None):
        y = ops.relu6(self.bn1(self.expand(x), training=training))
        y = ops.relu6(self.bn2(self.depthwise(y), training=training))
        y = self.bn3(self.project(y), training=training)
        return layers.add([x, y]) if self.residual else y


class MobileNet(keras.Model):
    def __init__(self, residual):
        super().__init__()
        self.stem = layers.Conv2D(12, 3, strides=2, padding="same")
        self.body = [
            InvertedResidual(24, 12, 1, True),
            InvertedResidual(48, 20, 2, residual),
            InvertedResidual(80, 20, 1, True),
            InvertedResidual(80, 32, 2, False),
            InvertedResidual(128, 32, 1, True),
        ]
        self.top = layers.Conv2D(64, 1, activation="relu6")
        self.pool = layers.GlobalAveragePooling2D(keepdims=True)
        self.fc = layers.Conv2D(10, 1)
        self.flat = layers.Flatten()

    def call(self, x):
        x = self.stem(x)
        for block in self.body:
            x = block(x)
        return self.flat(self.fc(self.pool(self.top(x))))


@network(image(32), slips=(CodeSlip("residual.added", {"residual": True}, "body[1]"),))
def small_mobilenet(residual=False):
    return MobileNet(residual)


# Encoders and decoders


class DoubleConv(layers.Layer):
    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv1 = layers.Conv2D(filters, 3, padding="same", activation="relu")
        self.conv2 = layers.Conv2D(filters, 3, padding="same", activation="relu")

    def call(self, x):
        return self.conv2(self.conv1(x))


class UNet(keras.Model):
    def __init__(self, reverse):
        super().__init__()
        self.down1, self.down2, self.down3 = DoubleConv(8), DoubleConv(16), DoubleConv(32)
        self.pool = layers.MaxPooling2D(2)
        self.bottom = DoubleConv(64)
        self.up3 = layers.Conv2DTranspose(32, 2, strides=2)
        self.up2 = layers.Conv2DTranspose(16, 2, strides=2)
        self.up1 = layers.Conv2DTranspose(8, 2, strides=2)
        self.dec3, self.dec2, self.dec1 = DoubleConv(32), DoubleConv(16), DoubleConv(8)
        self.out = layers.Conv2D(2, 1)
        self.reverse = reverse

    def call(self, x):
        e1 = self.down1(x)
        e2 = self.down2(self.pool(e1))
        e3 = self.down3(self.pool(e2))
        skip2, skip3 = (e3, e2) if self.reverse else (e2, e3)
        d3 = self.up3(self.bottom(self.pool(e3)))
        d3 = self.dec3(keras.ops.concatenate([d3, skip3], axis=-1))
        d2 = self.dec2(keras.ops.concatenate([self.up2(d3), skip2], axis=-1))
        d1 = self.dec1(keras.ops.concatenate([self.up1(d2), e1], axis=-1))
        return self.out(d1)


@network(image(32), slips=(CodeSlip("skips.swapped", {"reverse": True}, ""),))
def unet(reverse=False):
    return UNet(reverse)


class UpBlock(layers.Layer):
    def __init__(self, filters, axis=-1):
        super().__init__()
        self.up = layers.UpSampling2D(2)
        self.reduce = layers.Conv2D(filters, 2, padding="same")
        self.concat = layers.Concatenate(axis=axis)
        self.conv = layers.Conv2D(filters, 3, padding="same", activation="relu")

    def call(self, x, skip):
        return self.conv(self.concat([self.reduce(self.up(x)), skip]))


class UNetLists(keras.Model):
    """Encoder and decoder in lists, as a configurable U-Net has them."""

    def __init__(self, widths=(8, 12, 16)):
        super().__init__()
        self.encoder = [
            keras.Sequential([layers.Conv2D(w, 3, padding="same", activation="relu"), layers.BatchNormalization()])
            for w in widths
        ]
        self.pools = [layers.MaxPooling2D() for _ in widths]
        self.middle = layers.Conv2D(24, 3, padding="same", activation="relu")
        self.decoder = [UpBlock(w) for w in reversed(widths)]
        self.final = layers.Conv2D(1, 1, activation="sigmoid")

    def call(self, x):
        skips = []
        for encode, pool in zip(self.encoder, self.pools, strict=True):
            x = encode(x)
            skips.append(x)
            x = pool(x)
        x = self.middle(x)
        for decode, skip in zip(self.decoder, reversed(skips), strict=True):
            x = decode(x, skip)
        return self.final(x)


@network(Input((2, 40, 40, 1)))
def unet_lists():
    return UNetLists()


class AttentionGate(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.theta = layers.Conv2D(filters, 2, strides=2, use_bias=False)
        self.phi = layers.Conv2D(filters, 1)
        self.psi = layers.Conv2D(1, 1, activation="sigmoid")
        self.up = layers.UpSampling2D(2, interpolation="bilinear")
        self.scale = layers.Multiply()

    def call(self, x, gate):
        weights = self.psi(tf.nn.relu(self.theta(x) + self.phi(gate)))
        return self.scale([x, self.up(weights)])


class AttentionUNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc1 = DoubleConv(8)
        self.enc2 = DoubleConv(16)
        self.enc3 = DoubleConv(32)
        self.pool1 = layers.MaxPooling2D()
        self.pool2 = layers.MaxPooling2D()
        self.gate2 = AttentionGate(16)
        self.gate1 = AttentionGate(8)
        self.up2 = layers.Conv2DTranspose(16, 3, strides=2, padding="same")
        self.up1 = layers.Conv2DTranspose(8, 3, strides=2, padding="same")
        self.dec2 = DoubleConv(16)
        self.dec1 = DoubleConv(8)
        self.out = layers.Conv2D(1, 1)

    def call(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool1(e1))
        e3 = self.enc3(self.pool2(e2))
        d2 = self.dec2(tf.concat([self.gate2(e2, e3), self.up2(e3)], axis=-1))
        d1 = self.dec1(tf.concat([self.gate1(e1, d2), self.up1(d2)], axis=-1))
        return self.out(d1)


@network(image(32), twins=(("gate1.theta", "gate1.phi"), ("gate2.theta", "gate2.phi")))
def attention_unet():
    return AttentionUNet()


class ValidUNet(keras.Model):
    """Unpadded convolutions, as in the paper: what is skipped is cropped."""

    def __init__(self, crop):
        super().__init__()
        self.enc1a = layers.Conv2D(8, 3, activation="relu")
        self.enc1b = layers.Conv2D(8, 3, activation="relu")
        self.pool = layers.MaxPooling2D()
        self.enc2a = layers.Conv2D(16, 3, activation="relu")
        self.enc2b = layers.Conv2D(16, 3, activation="relu")
        self.up = layers.Conv2DTranspose(8, 2, strides=2)
        self.crop = layers.Cropping2D(4) if crop else layers.Identity()
        self.merge = layers.Concatenate()
        self.dec = layers.Conv2D(8, 3, activation="relu")
        self.out = layers.Conv2D(2, 1)

    def call(self, x):
        skip = self.enc1b(self.enc1a(x))
        x = self.enc2b(self.enc2a(self.pool(skip)))
        return self.out(self.dec(self.merge([self.crop(skip), self.up(x)])))


@network(
    image(44),
    slips=(CodeSlip("crop.missing", {"crop": False}, "crop", ("merge", "")),),
)
def valid_unet(crop=True):
    return ValidUNet(crop)


class FeaturePyramid(keras.Model):
    def __init__(self, upsample):
        super().__init__()
        self.c2 = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")
        self.c3 = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")
        self.c4 = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")
        self.lateral2 = layers.Conv2D(24, 1)
        self.lateral3 = layers.Conv2D(24, 1)
        self.lateral4 = layers.Conv2D(24, 1)
        self.upsample = layers.UpSampling2D(2) if upsample else layers.Identity()
        self.smooth2 = layers.Conv2D(24, 3, padding="same")
        self.smooth3 = layers.Conv2D(24, 3, padding="same")
        self.add = layers.Add()
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(6)

    def call(self, x):
        c2 = self.c2(x)
        c3 = self.c3(c2)
        c4 = self.c4(c3)
        p4 = self.lateral4(c4)
        p3 = self.add([self.upsample(p4), self.lateral3(c3)])
        p2 = self.upsample(p3) + self.lateral2(c2)
        levels = [p4, self.smooth3(p3), self.smooth2(p2)]
        return self.head(ops.concatenate([self.pool(level) for level in levels], axis=-1))


@network(
    image(48),
    slips=(CodeSlip("upsampling.missing", {"upsample": False}, "upsample", ("add", "")),),
)
def feature_pyramid(upsample=True):
    return FeaturePyramid(upsample)


class VAE(keras.Model):
    def __init__(self, latent=8):
        super().__init__()
        self.encoder = keras.Sequential(
            [
                layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                layers.Flatten(),
                layers.Dense(32, activation="relu"),
            ],
            name="encoder",
        )
        self.z_mean = layers.Dense(latent)
        self.z_log_var = layers.Dense(latent)
        self.decoder = keras.Sequential(
            [
                layers.Dense(7 * 7 * 32, activation="relu"),
                layers.Reshape((7, 7, 32)),
                layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
            ],
            name="decoder",
        )
        self.seed = keras.random.SeedGenerator(1)

    def call(self, x):
        hidden = self.encoder(x)
        mean, log_var = self.z_mean(hidden), self.z_log_var(hidden)
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        decoded = self.decoder(mean + ops.exp(0.5 * log_var) * noise)
        return ops.square(decoded - x)


@network(Input((2, 28, 28, 1)), twins=(("z_mean", "z_log_var"),))
def vae():
    return VAE()


class Autoencoder(keras.Model):
    """An odd size, halved with padding and cropped on the way back; a long skip at the end."""

    def __init__(self):
        super().__init__()
        self.pad = layers.ZeroPadding2D(((1, 0), (1, 0)))
        self.enc1 = layers.Conv2D(12, 3, strides=2, padding="same")
        self.enc2 = layers.Conv2D(24, 3, strides=2, padding="same")
        self.up = layers.UpSampling2D(4, interpolation="bilinear")
        self.dec = layers.Conv2D(3, 3, padding="same")
        self.crop = layers.Cropping2D(((1, 0), (1, 0)))
        self.average = layers.Average()

    def call(self, x):
        hidden = self.enc2(self.enc1(self.pad(x)))
        return self.average([x, self.crop(self.dec(self.up(hidden)))])


@network(image(27))
def autoencoder():
    return Autoencoder()


class SuperResolution(keras.Model):
    def __init__(self, scale):
        super().__init__()
        self.head = layers.Conv2D(16, 3, padding="same")
        self.body = [DoubleConv(16, name=f"body{index}") for index in range(3)]
        self.tail = layers.Conv2D(3 * 2 * 2, 3, padding="same")
        self.enlarge = layers.UpSampling2D(2, interpolation="bilinear")
        self.scale = scale

    def call(self, x):
        y = first = self.head(x)
        for block in self.body:
            y = y + block(y)
        y = tf.nn.depth_to_space(self.tail(y + first), self.scale)
        return y + self.enlarge(x)


@network(image(16), slips=(CodeSlip("depth-to-space.size", {"scale": 4}, ""),))
def super_resolution(scale=2):
    return SuperResolution(scale)


# Dense layers, gates, towers


class Highway(layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.transform = layers.Dense(width, activation="relu")
        self.gate = layers.Dense(width, activation="sigmoid")

    def call(self, x):
        gate = self.gate(x)
        return gate * self.transform(x) + (1 - gate) * x


class HighwayNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.project = layers.Dense(48)
        self.highways = [Highway(48) for _ in range(3)]
        self.classify = layers.Dense(4)

    def call(self, x):
        x = self.project(x)
        for highway in self.highways:
            x = highway(x)
        return self.classify(x)


@network(Input((2, 30)))
def highway():
    return HighwayNet()


class HighwayLayers(layers.Layer):
    """The same with merging layers in the place of operators."""

    def __init__(self, width):
        super().__init__()
        self.transform = layers.Dense(width, activation="relu")
        self.gate = layers.Dense(width, activation="sigmoid")
        self.carry = layers.Lambda(lambda gate: 1.0 - gate)
        self.pass_on = layers.Multiply()
        self.pass_by = layers.Multiply()
        self.add = layers.Add()

    def call(self, x):
        gate = self.gate(x)
        return self.add([self.pass_on([gate, self.transform(x)]), self.pass_by([self.carry(gate), x])])


@network(Input((2, 20)))
def highway_layers():
    return keras.Sequential([layers.Dense(36), HighwayLayers(36), HighwayLayers(36), layers.Dense(3)])


class ResidualMLP(keras.Model):
    def __init__(self):
        super().__init__()
        self.inp = layers.Dense(64)
        self.norms = [layers.LayerNormalization() for _ in range(3)]
        self.wide = [layers.Dense(256, activation="gelu") for _ in range(3)]
        self.narrow = [layers.Dense(64) for _ in range(3)]
        self.out = layers.Dense(5)

    def call(self, x):
        x = self.inp(x)
        for norm, wide, narrow in zip(self.norms, self.wide, self.narrow, strict=True):
            x = x + narrow(wide(norm(x)))
        return self.out(x)


@network(Input((2, 40)))
def residual_mlp():
    return ResidualMLP()


class TwoTower(keras.Model):
    def __init__(self):
        super().__init__()
        self.user = layers.Embedding(50, 24)
        self.user_dense = keras.Sequential([layers.Dense(48, activation="relu"), layers.Dense(32)])
        self.item = layers.Embedding(80, 24)
        self.item_dense = keras.Sequential([layers.Dense(48, activation="relu"), layers.Dense(32)])
        self.dot = layers.Dot(axes=1)

    def call(self, inputs):
        user, item = inputs
        return self.dot([self.user_dense(self.user(user)), self.item_dense(self.item(item))])


@network(
    Input((2,), below=50),
    Input((2,), below=80),
    twins=(("user_dense.layers[1]", "item_dense.layers[1]"),),
)
def two_tower():
    return TwoTower()


class Siamese(keras.Model):
    """Two images, two encoders of their own, compared and combined by merging layers."""

    def __init__(self):
        super().__init__()
        self.left = keras.Sequential(
            [layers.Conv2D(8, 3, 2, "same", activation="relu"), layers.Flatten(), layers.Dense(20)], name="left"
        )
        self.right = keras.Sequential(
            [layers.Conv2D(8, 3, 2, "same", activation="relu"), layers.Flatten(), layers.Dense(20)], name="right"
        )
        self.subtract = layers.Subtract()
        self.maximum = layers.Maximum()
        self.concat = layers.Concatenate()
        self.out = layers.Dense(1)

    def call(self, pair):
        left, right = self.left(pair[0]), self.right(pair[1])
        return self.out(self.concat([self.subtract([left, right]), self.maximum([left, right])]))


@network(Input((2, 16, 16, 1)), Input((2, 16, 16, 1)), twins=(("left.layers[2]", "right.layers[2]"),))
def siamese():
    return Siamese()


class FiLM(layers.Layer):
    def __init__(self, channels, expand=True):
        super().__init__()
        self.channels = channels
        self.expand = expand
        self.parameters = layers.Dense(2 * channels)
        self.conv = layers.Conv2D(channels, 3, padding="same")

    def call(self, x, condition):
        scale, shift = tf.split(self.parameters(condition), 2, axis=-1)
        if self.expand:
            scale, shift = scale[:, None, None, :], shift[:, None, None, :]
        return tf.nn.relu(self.conv(x) * scale + shift)


class FiLMNet(keras.Model):
    def __init__(self, expand):
        super().__init__()
        self.embed = layers.Dense(16, activation="relu")
        self.films = [FiLM(12), FiLM(20, expand)]
        self.head = layers.Dense(3)

    def call(self, inputs):
        x, condition = inputs
        condition = self.embed(condition)
        for film in self.films:
            x = film(x, condition)
        return self.head(tf.reduce_mean(x, [1, 2]))


@network(
    image(16),
    Input((2, 8)),
    slips=(CodeSlip("unsqueeze.missing", {"expand": False}, "films[1]", ("films[1].parameters",)),),
    twins=(("films[0].conv", "films[0].parameters"), ("films[1].conv", "films[1].parameters")),
)
def film_fusion(expand=True):
    return FiLMNet(expand)


# Sequences


class OwnAttention(layers.Layer):
    def __init__(self, width, heads, split=None):
        super().__init__()
        self.heads = heads
        self.size = split or width // heads
        self.width = width
        self.query = layers.Dense(width)
        self.key = layers.Dense(width)
        self.value = layers.Dense(width)
        self.out = layers.Dense(width)

    def split(self, x):
        batch, length = tf.shape(x)[0], x.shape[1]
        return tf.transpose(tf.reshape(x, (batch, length, self.heads, self.size)), (0, 2, 1, 3))

    def call(self, x):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / self.size**0.5)
        merged = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
        return self.out(tf.reshape(merged, (tf.shape(x)[0], x.shape[1], self.width)))


class OwnEncoderLayer(layers.Layer):
    def __init__(self, width, heads, hidden, split=None):
        super().__init__()
        self.attention = OwnAttention(width, heads, split=split)
        self.norm1 = layers.LayerNormalization()
        self.fc1 = layers.Dense(hidden, activation="relu")
        self.fc2 = layers.Dense(width)
        self.norm2 = layers.LayerNormalization()

    def call(self, x):
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.fc2(self.fc1(x)))


class OwnTransformer(keras.Model):
    def __init__(self, split):
        super().__init__()
        self.tokens = layers.Embedding(100, 32)
        self.positions = layers.Embedding(20, 32)
        self.encoder = [OwnEncoderLayer(32, 4, 64), OwnEncoderLayer(32, 4, 64, split)]
        self.head = layers.Dense(5)

    def call(self, tokens):
        x = self.tokens(tokens) + self.positions(tf.range(tokens.shape[1]))
        for layer in self.encoder:
            x = layer(x)
        return self.head(x[:, 0])


@network(
    Input((2, 20), below=100),
    slips=(CodeSlip("reshape.size", {"split": 16}, "encoder[1].attention"),),
)
def transformer_own(split=None):
    return OwnTransformer(split)


class EinsumAttention(layers.Layer):
    def __init__(self, width, heads, equation="bqhd,bkhd->bhqk"):
        super().__init__()
        self.query = layers.EinsumDense("btw,whd->bthd", output_shape=(None, heads, width // heads))
        self.key = layers.EinsumDense("btw,whd->bthd", output_shape=(None, heads, width // heads))
        self.value = layers.EinsumDense("btw,whd->bthd", output_shape=(None, heads, width // heads))
        self.out = layers.EinsumDense("bthd,hdw->btw", output_shape=(None, width))
        self.equation = equation

    def call(self, x):
        weights = ops.softmax(ops.einsum(self.equation, self.query(x), self.key(x)))
        return self.out(ops.einsum("bhqk,bkhd->bqhd", weights, self.value(x)))


class EinsumTransformer(keras.Model):
    def __init__(self, equation):
        super().__init__()
        self.embed = layers.Dense(24)
        self.blocks = [EinsumAttention(24, 3), EinsumAttention(24, 3, equation)]
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(2)

    def call(self, x):
        x = self.embed(x)
        for attention in self.blocks:
            x = x + attention(self.norm(x))
        return self.head(ops.mean(x, axis=1))


@network(
    Input((2, 11, 7)),
    slips=(CodeSlip("einsum.equation", {"equation": "bqhd,bkhd->bqkh"}, "blocks[1]"),),
)
def transformer_einsum(equation="bqhd,bkhd->bhqk"):
    return EinsumTransformer(equation)


class EncoderLayer(layers.Layer):
    """As in the Keras examples: its own multi-head attention, a feed-forward Sequential, two norms."""

    def __init__(self, embed_dim, heads, ff_dim):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads=heads, key_dim=embed_dim // heads)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="relu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(0.1)
        self.dropout2 = layers.Dropout(0.1)

    def call(self, inputs, training=None):
        attention = self.dropout1(self.att(inputs, inputs), training=training)
        out1 = self.layernorm1(inputs + attention)
        return self.layernorm2(out1 + self.dropout2(self.ffn(out1), training=training))


class PositionEmbedding(layers.Layer):
    def __init__(self, length, vocabulary, embed_dim):
        super().__init__()
        self.token_emb = layers.Embedding(vocabulary, embed_dim)
        self.pos_emb = layers.Embedding(length, embed_dim)

    def call(self, x):
        positions = ops.arange(0, ops.shape(x)[-1], 1)
        return self.token_emb(x) + self.pos_emb(positions)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = PositionEmbedding(18, 60, 32)
        self.blocks = [EncoderLayer(32, 2, 48) for _ in range(2)]
        self.pool = layers.GlobalAveragePooling1D()
        self.dense = layers.Dense(20, activation="relu")
        self.out = layers.Dense(2, activation="softmax")

    def call(self, x):
        x = self.embedding(x)
        for block in self.blocks:
            x = block(x)
        return self.out(self.dense(self.pool(x)))


@network(Input((2, 18), below=60))
def transformer_keras():
    return Classifier()


class PatchEncoder(layers.Layer):
    def __init__(self, patches, width):
        super().__init__()
        self.project = layers.Dense(width)
        self.position = layers.Embedding(patches, width)
        self.patches = patches

    def call(self, patches):
        return self.project(patches) + self.position(tf.range(self.patches))


class VisionTransformer(keras.Model):
    def __init__(self, patches):
        super().__init__()
        self.patch = layers.Conv2D(24, 8, strides=8)
        self.flat = layers.Reshape((16, 24))
        self.encode = PatchEncoder(patches, 24)
        self.blocks = [EncoderLayer(24, 3, 48) for _ in range(2)]
        self.head = keras.Sequential([layers.LayerNormalization(), layers.Flatten(), layers.Dense(10)])

    def call(self, x):
        x = self.encode(self.flat(self.patch(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(x)


@network(image(32), slips=(CodeSlip("positions.length", {"patches": 17}, "encode", ("encode.position",)),))
def vision_transformer(patches=16):
    return VisionTransformer(patches)


class MixerLayer(layers.Layer):
    def __init__(self, tokens, channels, hidden, back=True):
        super().__init__()
        self.norm1 = layers.LayerNormalization()
        self.tokens = keras.Sequential([layers.Dense(hidden, activation="gelu"), layers.Dense(tokens)])
        self.norm2 = layers.LayerNormalization()
        self.channels = keras.Sequential([layers.Dense(hidden, activation="gelu"), layers.Dense(channels)])
        self.permute = layers.Permute((2, 1))
        self.back = back

    def call(self, x):
        y = self.tokens(self.permute(self.norm1(x)))
        if self.back:
            y = self.permute(y)
        x = x + y
        return x + self.channels(self.norm2(x))


class Mixer(keras.Model):
    def __init__(self, back):
        super().__init__()
        self.patches = layers.Conv2D(20, 4, strides=4)
        self.reshape = layers.Reshape((-1, 20))
        self.mixers = [MixerLayer(64, 20, 32), MixerLayer(64, 20, 32, back)]
        self.norm = layers.LayerNormalization()
        self.pool = layers.GlobalAveragePooling1D()
        self.fc = layers.Dense(10)

    def call(self, x):
        x = self.reshape(self.patches(x))
        for mixer in self.mixers:
            x = mixer(x)
        return self.fc(self.pool(self.norm(x)))


@network(
    image(32),
    slips=(CodeSlip("transpose.missing", {"back": False}, "mixers[1]", ("mixers[1].permute",)),),
)
def mlp_mixer(back=True):
    return Mixer(back)


class LSTMSkips(keras.Model):
    def __init__(self, sequences):
        super().__init__()
        self.embed = layers.Embedding(100, 16)
        self.lstm1 = layers.LSTM(24, return_sequences=True)
        self.lstm2 = layers.LSTM(24, return_sequences=sequences)
        self.project = layers.Dense(24)
        self.norm = layers.LayerNormalization()
        self.add = layers.Add()
        self.head = layers.Dense(7)

    def call(self, tokens):
        x = self.embed(tokens)
        y = self.lstm1(x) + self.project(x)
        y = self.lstm2(y) + y
        return self.head(self.add([y, self.norm(y)]))


@network(
    Input((2, 12), below=100),
    slips=(CodeSlip("recurrent.sequences", {"sequences": False}, "lstm2", ()),),
)
def lstm_skips(sequences=True):
    return LSTMSkips(sequences)


class GRUResidual(keras.Model):
    def __init__(self):
        super().__init__()
        self.inp = layers.Dense(20)
        self.first = layers.Bidirectional(layers.GRU(10, return_sequences=True))
        self.second = layers.Bidirectional(layers.GRU(20, return_sequences=True), merge_mode="sum")
        self.last = layers.GRU(8)
        self.out = layers.Dense(1)

    def call(self, x):
        x = self.inp(x)
        x = x + self.first(x)
        x = layers.add([x, self.second(x)])
        return self.out(self.last(x))


@network(Input((2, 15, 10)))
def gru_residual():
    return GRUResidual()


class TextCNN(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(200, 16)
        self.convs = [layers.Conv1D(12, size, activation="relu", padding="same") for size in (3, 4, 5)]
        self.gate = layers.Conv1D(36, 1, activation="sigmoid")
        self.pool = layers.GlobalMaxPooling1D()
        self.out = layers.Dense(3)

    def call(self, tokens):
        x = self.embed(tokens)
        y = tf.concat([conv(x) for conv in self.convs], axis=2)
        return self.out(self.pool(tf.multiply(y, self.gate(x))))


@network(Input((2, 30), below=200))
def text_cnn():
    return TextCNN()


# Functional models inside subclassed ones, and nested models


def small_backbone():
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="stem")(inputs)
    y = layers.Conv2D(16, 3, padding="same", activation="relu", name="body_conv1")(x)
    y = layers.Conv2D(16, 3, padding="same", name="body_conv2")(y)
    low = layers.Add(name="body_add")([x, y])
    high = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="down")(low)
    return keras.Model(inputs, [low, high], name="backbone")


class SegmentationHead(keras.Model):
    def __init__(self):
        super().__init__()
        self.backbone = small_backbone()
        self.up = layers.UpSampling2D(2)
        self.reduce = layers.Conv2D(16, 1)
        self.head = keras.Sequential([layers.Conv2D(8, 3, padding="same"), layers.ReLU(), layers.Conv2D(2, 1)])

    def call(self, x):
        low, high = self.backbone(x)
        return self.head(low + self.up(self.reduce(high)))


@network(image(32))
def functional_inside():
    return SegmentationHead()


class Encoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [BasicBlock(12), BasicBlock(24, 2)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Fused(keras.Model):
    """A model of two models, one of them in a dictionary of parts."""

    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(12, 3, padding="same")
        self.encoder = Encoder()
        self.parts = {
            "context": keras.Sequential([layers.AveragePooling2D(2), layers.Conv2D(24, 1)], name="context"),
            "gate": layers.Conv2D(24, 1, activation="sigmoid"),
        }
        self.out = layers.Dense(4)

    def call(self, x):
        x = self.stem(x)
        features = self.encoder(x)
        mixed = features + self.parts["context"](x)
        return self.out(ops.mean(mixed * self.parts["gate"](features), axis=(1, 2)))


@network(image(20))
def nested_models():
    return Fused()


# TensorFlow alone


class Linear(tf.Module):
    def __init__(self, inside, outside, name=None):
        super().__init__(name=name)
        self.weight = tf.Variable(tf.random.stateless_normal((inside, outside), seed=(inside, outside)))
        self.bias = tf.Variable(tf.zeros(outside))

    def __call__(self, x):
        return tf.matmul(x, self.weight) + self.bias


class PlainMLP(tf.Module):
    def __init__(self, hidden):
        super().__init__()
        self.first = Linear(12, 16)
        self.second = Linear(16, hidden)
        self.third = Linear(16, 3)

    def __call__(self, x):
        x = tf.nn.relu(self.first(x))
        return self.third(x + tf.nn.relu(self.second(x)))


@network(Input((2, 12)), slips=(CodeSlip("linear.out", {"hidden": 24}, "second", ("",)),))
def tf_module_mlp(hidden=16):
    return PlainMLP(hidden)


class ConvBlock(tf.Module):
    def __init__(self, inside, outside, strides, padding="SAME"):
        super().__init__()
        seed = (inside, outside)
        self.kernel1 = tf.Variable(tf.random.stateless_normal((3, 3, inside, outside), seed))
        self.kernel2 = tf.Variable(tf.random.stateless_normal((3, 3, outside, outside), seed))
        self.projection = tf.Variable(tf.random.stateless_normal((1, 1, inside, outside), seed))
        self.strides = strides
        self.padding = padding

    def __call__(self, x):
        y = tf.nn.relu(tf.nn.conv2d(x, self.kernel1, self.strides, self.padding))
        y = tf.nn.conv2d(y, self.kernel2, 1, "SAME")
        return tf.nn.relu(y + tf.nn.conv2d(x, self.projection, self.strides, "SAME"))


class PlainConvNet(tf.Module):
    def __init__(self, padding):
        super().__init__()
        self.blocks = [ConvBlock(3, 8, 1), ConvBlock(8, 16, 2, padding), ConvBlock(16, 16, 2)]
        self.head = Linear(16, 4)

    def __call__(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(tf.reduce_mean(x, axis=[1, 2]))


@network(image(20), slips=(CodeSlip("conv.padding", {"padding": "VALID"}, "blocks[1]", ("",)),))
def tf_module_convnet(padding="SAME"):
    return PlainConvNet(padding)


# Functional and Sequential models


@network(image(32), symbolic=True)
def functional_resnet():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    for filters in (16, 32, 64):
        strides = 1 if filters == 16 else 2
        shortcut = x
        x = layers.Conv2D(filters, 3, strides=strides, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.Conv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        if strides != 1:
            shortcut = layers.Conv2D(filters, 1, strides=strides)(shortcut)
        x = layers.Add()([x, shortcut])
        x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10)(x))


@network(image(64), symbolic=True)
def functional_unet():
    inputs = keras.Input((64, 64, 3))
    x, skips = inputs, []
    for filters in (8, 16, 32):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    for filters, skip in zip((32, 16, 8), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = layers.Concatenate()([x, skip])
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))


@network(image(48), symbolic=True)
def functional_unet_upsample():
    """Upsampled, with a projection beside each stage, as the Keras example on segmentation has it."""
    inputs = keras.Input((48, 48, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    previous = x
    for filters in (24, 32):
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        residual = layers.Conv2D(filters, 1, strides=2, padding="same")(previous)
        x = layers.add([x, residual])
        previous = x
    for filters in (32, 24, 16):
        x = layers.Activation("relu")(x)
        x = layers.Conv2DTranspose(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.UpSampling2D(2)(x)
        residual = layers.UpSampling2D(2)(previous)
        residual = layers.Conv2D(filters, 1, padding="same")(residual)
        x = layers.add([x, residual])
        previous = x
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same", activation="softmax")(x))


@network(Input((2, 24), below=80), symbolic=True)
def functional_transformer():
    inputs = keras.Input((24,), dtype="int32")
    x = layers.Embedding(80, 32)(inputs)
    for _ in range(2):
        y = layers.MultiHeadAttention(num_heads=4, key_dim=8)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, y]))
        y = layers.Dense(64, activation="relu")(x)
        y = layers.Dense(32)(y)
        x = layers.LayerNormalization()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(4)(x))


@network(Input((2, 16, 9)), symbolic=True)
def functional_lstm():
    inputs = keras.Input((16, 9))
    x = layers.Dense(20)(inputs)
    y = layers.LSTM(20, return_sequences=True)(x)
    x = layers.Add()([x, y])
    y = layers.Bidirectional(layers.LSTM(10, return_sequences=True))(x)
    x = layers.Average()([x, y])
    z = layers.Conv1D(20, 3, padding="same", activation="sigmoid")(x)
    x = layers.Multiply()([x, z])
    x = layers.Concatenate()([x, y])
    return keras.Model(inputs, layers.Dense(2)(layers.GRU(12)(x)))


@network(image(32), Input((2, 10)), symbolic=True, twins=(("dense_1", "dense_2"),))
def functional_two_inputs():
    """An image and a table of features, gated by each other."""
    picture = keras.Input((32, 32, 3), name="picture")
    table = keras.Input((10,), name="table")
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(picture)
    gate = layers.Dense(12, activation="sigmoid")(table)
    gate = layers.Reshape((1, 1, 12))(gate)
    x = layers.Multiply()([x, gate])
    x = layers.ZeroPadding2D(1)(x)
    x = layers.DepthwiseConv2D(3)(x)
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    x = layers.Dense(24)(x)
    y = layers.Dense(24)(table)
    x = layers.Subtract()([x, y])
    return keras.Model([picture, table], layers.Dense(1)(layers.Concatenate()([x, y, table])))


@network(Input((2, 100)), symbolic=True)
def functional_generator():
    """As in DCGAN, with a crop to the size of the data, and a refinement beside an identity."""
    inputs = keras.Input((100,))
    x = layers.Dense(4 * 4 * 32)(inputs)
    x = layers.Reshape((4, 4, 32))(x)
    x = layers.Conv2DTranspose(16, 4, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2DTranspose(8, 4, strides=2, padding="same")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Cropping2D(2)(x)
    y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = layers.Conv2D(8, 3, padding="same")(y)
    x = x + y
    return keras.Model(inputs, layers.Conv2D(1, 5, padding="same", activation="tanh")(x))


@network(image(32), symbolic=True)
def functional_nested():
    """A model in a model, and a Sequential in it."""
    encoder = small_backbone()
    inputs = keras.Input((32, 32, 3))
    low, high = encoder(inputs)
    head = keras.Sequential(
        [layers.Conv2DTranspose(16, 2, strides=2, name="enlarge"), layers.BatchNormalization(name="norm")], name="head"
    )
    x = layers.Concatenate()([low, head(high)])
    x = layers.Add()([low, layers.Conv2D(16, 3, padding="same")(x)])
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))
