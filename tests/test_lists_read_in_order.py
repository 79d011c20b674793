"""A loop takes the entries of a list in another order than was meant: the skips of a U-Net."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.adapters.entries import taking
from shapewatch.recording import Span

CHANNELS = (8, 16, 32)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        given = (3, *CHANNELS)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(given, CHANNELS, strict=False))
        self.pool = nn.MaxPool2d(2)
        self.middle = nn.Conv2d(32, 64, 3, padding=1)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in reversed(CHANNELS))
        self.merges = nn.ModuleList(nn.Conv2d(2 * width, width, 3, padding=1) for width in reversed(CHANNELS))

    def encoded(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        skips = []
        for down in self.downs:
            x = torch.relu(down(x))
            skips.append(x)
            x = self.pool(x)
        return self.middle(x), skips


class ByIndex(UNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, skips = self.encoded(x)
        for i, (up, merge) in enumerate(zip(self.ups, self.merges, strict=True)):
            skip = skips[i]
            x = merge(torch.cat([skip, up(x)], 1))
        return x


class ByMinus(UNet):
    """`-i` begins with the first, as `-0` is 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, skips = self.encoded(x)
        for i in range(len(skips)):
            x = self.merges[i](torch.cat([self.ups[i](x), skips[-i]], 1))
        return x


class ByZip(UNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, skips = self.encoded(x)
        for up, merge, skip in zip(self.ups, self.merges, skips, strict=True):
            x = up(x)
            x = merge(torch.cat((x, skip), 1))
        return x


class Up(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.merge = nn.Conv2d(2 * width, width, 3, padding=1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return self.merge(torch.cat([self.up(x), skip], 1))


class OfBlocks(UNet):
    """What takes the skip is a layer, another one in each turn."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Up(width) for width in reversed(CHANNELS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, skips = self.encoded(x)
        for block, skip in zip(self.blocks, skips, strict=True):
            x = block(x, skip)
        return x


class Backwards(UNet):
    """The map at the deepest level is a skip of nothing, and the last of the list."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, skips = self.encoded(x)
        skips.append(x)
        for up, merge, skip in zip(self.ups, self.merges, reversed(skips), strict=False):
            x = merge(torch.cat((up(x), skip), 1))
        return x


@pytest.mark.parametrize(
    ("cls", "code"),
    [
        (ByIndex, "skip = skips[-1 - i]"),
        (ByMinus, "x = self.merges[i](torch.cat([self.ups[i](x), skips[-1 - i]], 1))"),
        (ByZip, "for up, merge, skip in zip(self.ups, self.merges, reversed(skips), strict=True):"),
        (OfBlocks, "for block, skip in zip(self.blocks, reversed(skips), strict=True):"),
        (Backwards, "for up, merge, skip in zip(self.ups, self.merges, skips[-2::-1], strict=False):"),
    ],
)
def test_the_skips_of_a_u_net(cls: type[UNet], code: str) -> None:
    model, images = cls(), torch.randn(2, 3, 32, 32)
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        model(images)
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert (fix.code, fix.verified, fix.output_shape) == (code, "forward", (2, 8, 32, 32))
    assert told.cause is not None
    assert told.cause.reason.startswith("`skips` is read from its ")
    with fix.applied(model):
        assert model(images).shape == (2, 8, 32, 32)


class KerasUNet(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.downs = [layers.Conv2D(width, 3, strides=2, padding="same") for width in CHANNELS]
        self.ups = [layers.Conv2DTranspose(width, 3, strides=2, padding="same") for width in (16, 8)]

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        for i, up in enumerate(self.ups):
            x = keras.ops.concatenate([up(x), skips[i]], axis=-1)
        return x


def test_keras() -> None:
    model = KerasUNet()
    with pytest.raises(Exception, match=r"."), shapewatch.watch(model) as session:
        model(np.zeros((2, 32, 32, 3), "float32"))
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert (fix.code, fix.verified) == ("x = keras.ops.concatenate([up(x), skips[-2 - i]], axis=-1)", "forward")


def test_a_functional_model_that_is_put_together() -> None:
    inputs = keras.Input((32, 32, 3))
    x, skips = inputs, []
    for width in CHANNELS:
        x = layers.Conv2D(width, 3, padding="same")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    with pytest.raises(ValueError, match=r"Concatenate"), shapewatch.watch() as session:
        for width, skip in zip(reversed(CHANNELS), skips, strict=True):
            x = layers.Conv2DTranspose(width, 2, strides=2)(x)
            x = layers.Concatenate()([x, skip])
    (told,) = session.report.diagnoses
    assert told.fixes[0].code == "for width, skip in zip(reversed(CHANNELS), reversed(skips), strict=True):"


def _line(function: object, behind: int) -> Span:
    return Span(__file__, function.__code__.co_firstlineno + behind, None, "forward")  # type: ignore[attr-defined]


def test_what_takes_an_entry() -> None:
    found = taking(_line(ByIndex.forward, 4), "skip")
    assert found is not None
    assert (found.name, found.line, found.taken, found.counter) == ("skips", "skip = skips[i]", "skips[i]", "i")
    assert found.in_order(1, 0) is None, "it is so already"
    assert found.in_order(1, 1) == "skip = skips[i + 1]"
    assert taking(_line(ByIndex.forward, 4), "x") is None
    assert taking(_line(UNet.encoded, 1), "skips") is None
    over = taking(_line(Backwards.forward, 4), "skip")
    assert over is not None
    assert over.in_order(-1, 0) is None
    assert over.in_order(1, 1) == "for up, merge, skip in zip(self.ups, self.merges, skips[1:], strict=False):"


class Pyramid(nn.Module):
    """Maps from the coarsest on, and layers from the finest on."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.ModuleList(nn.Conv2d(8 * 2**i, 16 * 2**i, 3, 2, 1) for i in range(3))
        self.lateral = nn.ModuleList(nn.Conv2d(16 * 2**i, 12, 1) for i in range(3))
        self.smooth = nn.ModuleList(nn.Conv2d(12, 12, 3, padding=1) for _ in range(3))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = []
        for row in self.rows:
            x = row(x)
            maps.append(x)
        made = []
        for each, lateral, smooth in zip(maps[::-1], self.lateral, self.smooth, strict=True):
            made.append(smooth(lateral(each)))
        return made


def test_layers_in_the_other_order() -> None:
    model = Pyramid()
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        model(torch.randn(2, 8, 32, 32))
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert fix.code == ("for each, lateral, smooth in zip(maps[::-1], self.lateral[::-1], self.smooth, strict=True):")
    assert fix.verified == "forward"
    assert told.cause is not None
    assert told.cause.reason == "the layers of `self.lateral` stand in the other order than what they are given"
    model.lateral = model.lateral[::-1]
    assert [tuple(each.shape) for each in model(torch.randn(2, 8, 32, 32))] == list(fix.output_shape or ())


class Twice(Pyramid):
    """Another loop takes the same layers."""

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = []
        for row in self.rows:
            x = row(x)
            maps.append(x)
        made = []
        for each, lateral in zip(maps[::-1], self.lateral, strict=True):
            made.append(lateral(each))
        return [*made, *(lateral.weight.flatten() for lateral in self.lateral)]


def test_layers_that_two_loops_take_are_not_turned_round_in_one() -> None:
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        Twice()(torch.randn(2, 8, 32, 32))
    fixes = [fix for told in session.report.diagnoses for fix in told.fixes]
    assert not [fix for fix in fixes if "self.lateral[::-1]" in fix.code]
