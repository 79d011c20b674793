"""A small residual model, sound or broken, and ways to look at what a broken one raises."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Block(nn.Module):
    """A residual block; with `stride` 2 its branches do not fit."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, 2 if stride == 2 else 1, 1)
        self.conv2 = nn.Conv2d(4, 4, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(torch.relu(self.conv1(x))) + x


class Net(nn.Module):
    """A stem and a block: [N, 3, 8, 8] to [N, 4, 8, 8]."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.block = Block(stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(self.stem(x))


def image(batch: int = 1) -> torch.Tensor:
    return torch.zeros(batch, 3, 8, 8)


def run(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return model(x)


def failure(call: Callable[[], Any]) -> Exception:
    """What the call raises."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def our_notes(error: BaseException) -> list[str]:
    return [note for note in getattr(error, "__notes__", []) if note.startswith("shapewatch:")]


def frames(error: BaseException) -> list[tuple[str, str, int | None]]:
    """File, function and line of each frame of the traceback, from the second on: the first is that of `failure`."""
    return [(frame.filename, frame.name, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)[1:]]


def own_frames(error: BaseException) -> list[str]:
    """The names of shapewatch's functions in the traceback."""
    import shapewatch

    package = str(shapewatch.__path__[0])
    return [f.name for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(package)]
