"""Slips that stand in a layer's `forward` and in no argument of a layer: the same code with another number in it, an
axis forgotten, branches joined along the wrong one. The block that does it otherwise is the evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis


class Heads(nn.Module):
    """Attention whose size of a head is written down beside its width."""

    def __init__(self, width: int, heads: int, size: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self._heads, self._size = heads, size  # not to be seen from outside, as a number in the code is not

    def split(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(x.shape[0], x.shape[1], self._heads, self._size).transpose(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        weights = (query @ key.transpose(-2, -1)).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).reshape(x.shape))


class InBlocks(nn.Module):
    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = x + block(x)
        return x


class Spelled(nn.Module):
    """Attention by an equation."""

    def __init__(self, width: int, heads: int, equation: str) -> None:
        super().__init__()
        self.both, self.heads, self.equation = nn.Linear(width, width), heads, equation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.both(x).unflatten(-1, (self.heads, -1))
        weights = torch.einsum(self.equation, h, h).softmax(-1)
        return torch.einsum("bhqk,bkhd->bqhd", weights, h).flatten(2)


class Modulated(nn.Module):
    """Scale and shift made from a condition, as in FiLM."""

    def __init__(self, channels: int, spread: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.made, self.spread = nn.Linear(5, 2 * channels), spread

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale, shift = self.made(condition).chunk(2, dim=1)
        if self.spread:
            scale, shift = scale[:, :, None, None], shift[:, :, None, None]
        return self.conv(x) * scale + shift


class Modulation(nn.Module):
    def __init__(self, *spread: bool) -> None:
        super().__init__()
        self.films = nn.ModuleList(Modulated(6, each) for each in spread)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        for film in self.films:
            x = film(x, condition)
        return x


class Squeezed(nn.Module):
    """Squeeze-and-excitation, with or without the axes that the gate needs."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.gate = nn.Sequential(nn.Linear(channels, 4), nn.ReLU(), nn.Linear(4, channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        gate = self.gate(y.mean(dim=(2, 3)))
        return y * gate


class Up(layers.Layer):
    def __init__(self, axis: int) -> None:
        super().__init__()
        self.concat = layers.Concatenate(axis=axis)
        self.conv = layers.Conv2D(8, 3, padding="same")

    def call(self, x: Any, skip: Any) -> Any:
        return self.conv(self.concat([x, skip]))


class Decoder(keras.Model):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.stem = layers.Conv2D(8, 1)
        self.ups = [Up(axis) for axis in axes]

    def call(self, x: Any) -> Any:
        x = skip = self.stem(x)
        for up in self.ups:
            x = up(x, skip)
        return x


class Pyramid(nn.Module):
    def __init__(self, upsample: nn.Module) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.c3 = nn.Conv2d(8, 8, 3, 2, 1)
        self.upsample = upsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        c1 = self.c1(x)
        c2 = self.c2(c1)
        p2 = self.upsample(self.c3(c2)) + c2
        return self.upsample(p2) + c1


class Context(nn.Module):
    """A pooling whose stride follows its window, beside a stage of stride 2."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.stage = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1))
        self.pool, self.widen = nn.AvgPool2d(window), nn.Conv2d(3, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stage(x) + self.widen(self.pool(x))


IMAGE = (torch.zeros(2, 3, 24, 24),)

SLIPS: dict[str, tuple[Callable[[], nn.Module], tuple[torch.Tensor, ...], str]] = {
    "size of a head": (
        lambda: InBlocks(Heads(12, 3, 4), Heads(12, 3, 6), Heads(12, 3, 4)),
        (torch.zeros(2, 5, 12),),
        "blocks.1",
    ),
    "equation": (
        lambda: InBlocks(Spelled(12, 3, "bqhd,bkhd->bhqk"), Spelled(12, 3, "bqhd,bkhd->bqkh")),
        (torch.zeros(2, 5, 12),),
        "blocks.1",
    ),
    "axes of two operands": (
        lambda: Modulation(True, False),
        (torch.zeros(2, 6, 9, 7), torch.zeros(2, 5)),
        "films.1",
    ),
    "axes of a gate": (lambda: Squeezed(8), IMAGE, ""),
    "upsampling": (lambda: Pyramid(nn.Identity()), IMAGE, "upsample"),
    "window of a pooling": (lambda: Context(3), IMAGE, "pool"),
}


def diagnosed(model: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Diagnosis:
    session = shapewatch.watch(model)
    with pytest.raises(RuntimeError), session:
        model(*inputs)
    return session.report.diagnoses[0]


@pytest.mark.parametrize("slip", SLIPS)
def test_the_slip_is_named_and_its_repair_is_true(slip: str) -> None:
    build, inputs, blamed = SLIPS[slip]
    model = build()
    diagnosis = diagnosed(model, inputs)
    assert diagnosis.cause is not None
    assert diagnosis.cause.layer == blamed
    fix = diagnosis.fixes[0]
    assert fix.verified == "forward"
    with fix.applied(model) as repaired:
        assert tuple(repaired(*inputs).shape) == fix.output_shape


def test_a_concat_along_the_wrong_axis_is_named_where_its_branches_did_fit() -> None:
    model, session = Decoder(-1, 1, -1, -1), shapewatch.watch()
    with pytest.raises(ValueError, match="Concatenate"), session:
        model(keras.ops.zeros((2, 9, 9, 3)))
    diagnosis = session.report.diagnoses[0]
    assert diagnosis.cause is not None
    assert diagnosis.cause.layer == "ups[1].concat"
    assert diagnosis.fixes[0].edit["value"] == -1


def test_what_one_line_does_three_times_is_written_once() -> None:
    build, inputs, _ = SLIPS["size of a head"]
    fix = diagnosed(build(), inputs).fixes[0]
    assert len(fix.changes) == 3
    assert fix.code.count("\n") == 0


def test_axes_for_named_operands_are_lines_to_paste() -> None:
    build, inputs, _ = SLIPS["axes of two operands"]
    assert diagnosed(build(), inputs).fixes[0].code.splitlines() == [
        "scale = scale[:, :, None, None]",
        "shift = shift[:, :, None, None]",
    ]


def test_axes_that_could_stand_in_two_ways_are_not_guessed() -> None:
    class Either(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.linear = nn.Linear(24, 24), nn.Linear(24, 24)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.wide(x)
            return y * self.linear(y.mean(dim=(2, 3)))[:, :, None]

    # [2, 24, 1] beside [2, 24, 24, 24]: three axes are as long
    with pytest.raises(RuntimeError), shapewatch.watch() as session:
        Either()(torch.ones(2, 24, 24, 24))
    diagnoses = session.report.diagnoses
    assert all("axes of size 1" not in fix.title for diagnosis in diagnoses for fix in diagnosis.fixes)


def test_axes_that_could_stand_in_two_ways_leave_the_channels_where_they_are() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 24, 1), nn.Linear(24, 24)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            return y * self.linear(y.mean(dim=(2, 3)))[:, :, None]

    (diagnosis,) = diagnoses_of(Gated())
    assert diagnosis.fixes[0].evidence == ("the channels are on axis 1",)
    assert "[:, :, None, None]" in diagnosis.fixes[0].code


def diagnoses_of(model: nn.Module) -> tuple[Diagnosis, ...]:
    session = shapewatch.watch(model)
    try:
        with session:
            model(*IMAGE)
    except RuntimeError:
        pass
    report: Any = session.report
    return tuple(report.diagnoses)
