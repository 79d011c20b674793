"""Causal convolutions in PyTorch that are padded as they would be without their dilation."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from tests.support.told import best, failing, reason


class Shorter(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, : -self.count].contiguous()


class Residual(nn.Module):
    def __init__(self, width: int, kernel: int, rate: int) -> None:
        super().__init__()
        left = kernel - 1
        self.one = weight_norm(nn.Conv1d(width, width, kernel, padding=left, dilation=rate))
        self.two = weight_norm(nn.Conv1d(width, width, kernel, padding=left, dilation=rate))
        self.net = nn.Sequential(self.one, Shorter(left), nn.ReLU(), self.two, Shorter(left), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.net(x)


class Stacked(nn.Module):
    def __init__(self, block: type[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(block(8, 3, 2**power) for power in range(3)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(x)


def test_the_line_that_says_the_padding_of_all() -> None:
    model, x = Stacked(Residual), torch.randn(2, 8, 40)
    told = failing(model, x)
    assert best(told) == ("left = (kernel - 1) * rate", "forward")
    assert "with dilation 2 its window reaches back 4 steps, and 2 are padded" in reason(told)
    assert "blocks.0.one has dilation 1, and loses none" in reason(told)
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "left = kernel - 1"
    with told.fixes[0].applied(model):
        assert model(x).shape == x.shape


class CutTooLittle(nn.Module):
    """Padded by what its windows reach back, and cut as if they had no dilation."""

    def __init__(self, width: int, kernel: int, rate: int) -> None:
        super().__init__()
        reach = (kernel - 1) * rate
        steps = []
        for _ in range(2):
            steps += [nn.Conv1d(width, width, kernel, padding=reach, dilation=rate), Shorter(kernel - 1)]
        self.net = nn.Sequential(*steps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.net(x)


def test_what_is_cut_too_little() -> None:
    model, x = Stacked(CutTooLittle), torch.randn(2, 8, 40)
    told = failing(model, x)
    line = "steps += [nn.Conv1d(width, width, kernel, padding=reach, dilation=rate), Shorter((kernel - 1) * rate)]"
    assert best(told) == (line, "forward")
    assert "with dilation 2 its window reaches back 4 steps, and 2 are cut, as without one" in reason(told)
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source.startswith("steps += [")
    with told.fixes[0].applied(model):
        given = x.clone()
        before = model(given)
        given[..., 30:] += 1
        assert torch.equal(model(given)[..., :30], before[..., :30])


class Gated(nn.Module):
    """Zeros in front, before two convolutions side by side."""

    def __init__(self, width: int, kernel: int, rate: int) -> None:
        super().__init__()
        self.left = kernel - 1
        self.conv = nn.Conv1d(width, width, kernel, dilation=rate)
        self.gate = nn.Conv1d(width, width, kernel, dilation=rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = nn.functional.pad(x, (self.left, 0))
        return x + torch.tanh(self.conv(y)) * torch.sigmoid(self.gate(y))


def test_zeros_in_front_alone() -> None:
    told = failing(Stacked(Gated), torch.randn(2, 8, 40))
    assert best(told) == ("self.left = (kernel - 1) * rate", "forward")


class Given(nn.Module):
    def __init__(self, width: int, kernel: int, dilation: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, kernel, padding=padding, dilation=dilation)
        self.count = padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.relu(self.conv(x)[..., : -self.count])


class WhoGives(nn.Module):
    def __init__(self, kernel: int = 3) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        for power in range(3):
            self.blocks.append(Given(8, kernel, dilation=2**power, padding=(kernel - 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return x


def test_a_padding_that_is_an_argument_of_the_block() -> None:
    told = failing(WhoGives(), torch.randn(2, 8, 40))
    line = "self.blocks.append(Given(8, kernel, dilation=2**power, padding=(kernel - 1) * 2 ** power))"
    assert best(told) == (line, "forward")


class InNumbers(nn.Module):
    def __init__(self, width: int, _: int, rate: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=2, dilation=rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x)[:, :, :-2]


def test_numbers_are_said_for_each_layer() -> None:
    code, verified = best(failing(Stacked(InNumbers), torch.randn(2, 8, 40)))
    assert verified == "forward" and "padding=4, dilation=2" in code and "self.conv(x)[:, :, :-4]" in code


class CutTooMuch(nn.Module):
    """A dilation that the padding regards, and a cut that is one step too long."""

    def __init__(self, width: int, kernel: int, rate: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, kernel, padding=(kernel - 1) * rate, dilation=rate)
        self.count = (kernel - 1) * rate + 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x)[:, :, : -self.count]


def test_another_length_is_not_told_of_the_dilation() -> None:
    told = failing(CutTooMuch(8, 3, 2), torch.randn(2, 8, 40))
    assert "reaches back" not in str(told)


def test_steps_that_windows_lost_are_not_interpolated() -> None:
    for model in (Stacked(Residual), Stacked(Gated), CutTooMuch(8, 3, 2)):
        told = failing(model, torch.randn(2, 8, 40))
        assert not any("interpolate" in fix.code for fix in told.fixes)
