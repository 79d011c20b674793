"""Maps that a U-Net halves with a remainder, where labels as large as the input stand beside it or do not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis
from tests.support.told import best, reason


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.middle = nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.head = nn.Conv2d(8, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.down(x)
        x = self.up(self.middle(self.pool(skip)))
        return self.head(torch.cat([skip, x], dim=1))


class Own(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.down = layers.Conv2D(4, 3, padding="same")
        self.pool = layers.MaxPooling2D(2)
        self.up = layers.Conv2DTranspose(4, 2, strides=2)
        self.head = layers.Conv2D(1, 1)

    def call(self, x: Any) -> Any:
        skip = self.down(x)
        x = self.up(self.pool(skip))
        return self.head(keras.ops.concatenate([skip, x], axis=-1))


def in_a_loop(images: torch.Tensor, labels: torch.Tensor) -> Diagnosis:
    model = UNet()
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        for x, y in zip(images.split(2), labels.split(2), strict=True):
            nn.functional.binary_cross_entropy_with_logits(model(x), y)
    return session.report.diagnoses[0]


def fitted(images: np.ndarray, labels: np.ndarray) -> Diagnosis:
    model = Own()
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(Exception), (session := shapewatch.watch(model)):  # noqa: B017
        model.fit(images, labels, verbose=0)
    return session.report.diagnoses[0]


ODD = "15 is no multiple of 2, by which it is divided and multiplied again"


@pytest.mark.parametrize("axes", [(2, 1, 15, 12), (2, 15, 12)], ids=["a channel", "classes"])
def test_masks_as_large_as_the_input(axes: tuple[int, ...]) -> None:
    told = in_a_loop(torch.zeros(2, 3, 15, 12), torch.zeros(axes))
    wanted = "return self.head(torch.cat([skip, nn.functional.interpolate(x, size=skip.shape[2:])], dim=1))"
    assert best(told) == (wanted, "forward")
    assert reason(told).endswith(ODD)
    assert told.fixes[1].title == "give an input of [2, 3, 14, 12]"


def test_labels_of_no_size() -> None:
    told = in_a_loop(torch.zeros(2, 3, 15, 12), torch.zeros(2))
    assert told.fixes[0].title == "give an input of [2, 3, 14, 12]"


def test_masks_that_are_fitted() -> None:
    told = fitted(np.zeros((2, 15, 12, 3)), np.zeros((2, 15, 12, 1)))
    assert told.fixes[0].title == "interpolate `x` to [15, 12]"
    assert fitted(np.zeros((2, 15, 12, 3)), np.zeros((2, 1))).fixes[0].title == "give an input of [?, 14, 12, 3]"
