"""Skips that are kept behind the pooling, where the decoder comes back to the size before it."""

from __future__ import annotations

import runpy
import textwrap
from pathlib import Path

import keras
import pytest
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.patches import diff
from shapewatch.report import Diagnosis
from tests.support.told import best, failing, reason


class Joined(nn.Module):
    """A U-Net of three levels, each skip of which is kept too late."""

    def __init__(self, before: bool = False) -> None:
        super().__init__()
        self.before = before
        self.down = nn.ModuleList([nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 8, 3, 1, 1), nn.Conv2d(8, 16, 3, 1, 1)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(16, 16, 2, 2), nn.ConvTranspose2d(8, 8, 2, 2)])
        self.up.append(nn.ConvTranspose2d(4, 4, 2, 2))
        self.join = nn.ModuleList([nn.Conv2d(32, 8, 3, 1, 1), nn.Conv2d(16, 4, 3, 1, 1), nn.Conv2d(8, 2, 3, 1, 1)])
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for conv in self.down:
            x = torch.relu(conv(x))
            x = self.pool(x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips), strict=True):
            x = torch.relu(join(torch.cat([up(x), skip], dim=1)))
        return x


def test_every_skip_is_kept_before_the_pooling() -> None:
    told = failing(Joined(), torch.randn(2, 3, 32, 32))
    assert best(told) == ("skips.append(x)\nx = self.pool(x)", "forward")
    assert reason(told) == "`x` is kept behind its pooling; before it, it is [2, 16, 8, 8], as the other branch"
    assert told.fixes[0].output_shape == (2, 2, 32, 32)


def test_a_functional_model_that_adds() -> None:
    def build() -> keras.Model:
        inputs = keras.Input((16, 16, 8))
        x = layers.Conv2D(8, 3, padding="same")(inputs)
        x = layers.MaxPooling2D(2)(x)
        skip = x
        x = layers.Conv2D(16, 3, strides=2, padding="same")(x)
        x = layers.Conv2D(8, 3, padding="same")(layers.UpSampling2D(4)(x))
        return keras.Model(inputs, layers.Add()([x, skip]))

    with pytest.raises(ValueError), (session := shapewatch.watch()):
        build()
    told = session.report.diagnoses[0]
    assert best(told) == ("skip = x\nx = layers.MaxPooling2D(2)(x)", "junction")


def _of_a_program(folder: Path, kept: str) -> tuple[Path, Diagnosis]:
    path = folder / "net.py"
    text = f"""
    import torch
    from torch import nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, padding=1)
            self.pool = nn.MaxPool2d(2)
            self.deep = nn.Conv2d(8, 8, 3, stride=2, padding=1)
            self.up = nn.Upsample(scale_factor=4)

        def forward(self, x):
            x = self.stem(x)
            {kept}
            return self.up(self.deep(x)) + early


    Net()(torch.ones(2, 3, 16, 16))
    """
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    return path, session.report.diagnoses[0]


def test_the_patch_puts_the_lines_in_each_others_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, told = _of_a_program(tmp_path, "x = self.pool(x)\n            early = x")
    assert told.fixes[0].patch is not None
    diff.apply(told.fixes[0].patch)
    assert "        early = x\n        x = self.pool(x)\n" in path.read_text(encoding="utf-8")
    runpy.run_path(str(path))


class Deepest(Joined):
    """Its bottom is read from the list as well: kept before the pooling, that would be another map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for conv in self.down:
            x = torch.relu(conv(x))
            x = self.pool(x)
            skips.append(x)
        x = skips[-1]
        for up, join, skip in zip(self.up, self.join, reversed(skips), strict=True):
            x = torch.relu(join(torch.cat([up(x), skip], dim=1)))
        return x


def test_what_is_read_elsewhere_too_is_not_called_tried() -> None:
    told = failing(Deepest(), torch.randn(2, 3, 32, 32))
    assert best(told) == ("skips.append(x)\nx = self.pool(x)", None)
    assert told.fixes[0].output_shape is None


@pytest.mark.parametrize(
    "kept",
    [
        "x = self.pool(x)\n            early = x + 1",  # it is another value
        "early = x = self.pool(x)",  # there is no line to be moved
    ],
)
def test_what_is_no_line_that_keeps_it_is_not_moved(kept: str, tmp_path: Path) -> None:
    _, told = _of_a_program(tmp_path, kept)
    assert told.cause is None or "pooling" not in told.cause.reason
