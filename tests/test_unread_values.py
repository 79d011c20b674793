"""A line takes another variable than was meant: told by a value that nothing reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from shapewatch.adapters.unread import line_at
from shapewatch.recording import Span
from tests.support.told import failing


class Block(nn.Module):
    """The second convolution takes what the first one takes."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.shortcut = nn.Conv2d(given, width, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = torch.relu(self.conv1(x))
        out = self.conv2(x)
        return torch.relu(out + self.shortcut(x))


@pytest.mark.parametrize(("width", "stride"), [(32, 2), (32, 1), (16, 2)])
def test_a_name_of_the_same_line_in_every_block(width: int, stride: int) -> None:
    """Where the widths differ the convolution refuses; where only the strides do, the branches meet further on."""
    blocks = nn.Sequential(Block(16, 16), Block(16, width, stride), Block(width, width))
    images = torch.randn(2, 16, 12, 12)
    told = failing(blocks, images)
    fix = told.fixes[0]
    assert (fix.code, fix.verified) == ("out = self.conv2(out)", "forward")
    assert fix.output_shape == (2, width, 12 // stride, 12 // stride)
    assert fix.parameters_added == 0
    assert told.cause is not None
    assert (told.cause.layer, told.cause.type) == ("1", "Block")
    assert told.cause.reason.startswith("it takes `x`, where `out` fits; `out`, which line ")
    assert told.cause.location is not None
    assert told.cause.location.source == "out = self.conv2(x)"
    with fix.applied(blocks):
        assert blocks(images).shape == fix.output_shape


class Decoder(nn.Module):
    """The last level goes up from the bottom, and not from the level before it."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        self.bottom = nn.Conv2d(16, 32, 3, 2, 1)
        self.up2, self.up1 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.mix2, self.mix1 = nn.Conv2d(32, 16, 1), nn.Conv2d(16, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.down1(x)
        two = self.down2(one)
        bottom = self.bottom(two)
        up = self.mix2(torch.cat([self.up2(bottom), two], 1))  # noqa: F841 - which is the mistake
        last = torch.cat([self.up1(bottom), one], 1)
        return self.mix1(last)


def test_a_level_that_is_left_out() -> None:
    fix = failing(Decoder(), torch.randn(1, 3, 32, 32)).fixes[0]
    assert (fix.code, fix.verified) == ("last = torch.cat([self.up1(up), one], 1)", "forward")


class TakesTheWrongWidth(nn.Module):
    """The projection is read further on: that nobody has read it yet is no wonder."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.shortcut = nn.Linear(6, 10), nn.Linear(12, 12), nn.Linear(6, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.shortcut(x)
        out = self.first(x)
        out = self.second(out)
        return out + skip


class TakesItsOnlyInput(nn.Module):
    """With another name in the line, its input would be read by nothing instead."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(6, 12), nn.Linear(6, 10), nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.one(x)  # noqa: F841
        two = self.two(x)
        return self.head(two)


@pytest.mark.parametrize("model", [TakesTheWrongWidth, TakesItsOnlyInput])
def test_what_is_read_elsewhere_is_not_taken(model: Callable[[], nn.Module]) -> None:
    told = failing(model(), torch.randn(4, 6))
    assert told.fixes
    assert all(fix.edit.get("module", {}).get("type") != "variable" for fix in told.fixes)


def at(tmp_path: Path, source: str) -> Span:
    """The line with `# here`."""
    file = tmp_path / "forward.py"
    file.write_text(source)
    lines = source.splitlines()
    number = next(at for at, line in enumerate(lines, 1) if "# here" in line)
    return Span(str(file), number)


@pytest.mark.parametrize(
    ("source", "unread"),
    [
        ("def f(x):\n    y = g(x)\n    z = g(x)  # here\n    return z\n", {"y"}),
        ("def f(x):\n    y = g(x)\n    z = g(x)  # here\n    return z + y\n", set()),
        ("def f(x):\n    y = g(x)\n    b = y.shape[0]\n    z = g(x)  # here\n    return z, b\n", {"y"}),
        ("def f(x):\n    y = g(x)\n    y = g(x)  # here\n    return y\n", {"y"}),
        ("def f(x):\n    y = g(x)\n    kept.append(y)\n    z = g(x)  # here\n    return z\n", set()),
        ("def f(x):\n    y = g(x)\n    z = g(x)  # here\n    return lambda: y\n", set()),
        ("def f(x):\n    y = g(x)\n    z = g(x)  # here\n    if z:\n        y = z\n    return y\n", set()),
        ("def f(x):\n    y = g(x)\n    z = g(x)  # here\n    y = z\n    return y\n", {"y"}),
        ("def f(x):\n    if x:\n        y = g(x)\n    z = g(x)  # here\n    return z\n", set()),
        ("def f(x):\n    for i in x:\n        h = g(y)\n        y = g(x)\n        z = g(i)  # here\n", {"h"}),
        ("def f(x):\n    y = g(x)\n    for i in x:\n        z = g(i)  # here\n        y = g(y)\n    return z\n", set()),
        ("def f(x):\n    y, z = g(x)\n    with h():\n        z = g(x)  # here\n    return z\n", {"y", "z"}),
        ("y = g(x)\nz = g(x)  # here\nprint(z)\n", {"y"}),
        ("y = g(x)\nz = g(x)  # here\ndef f():\n    return y + z\n", set()),
    ],
)
def test_which_variables_nothing_reads(tmp_path: Path, source: str, unread: set[str]) -> None:
    line = line_at(at(tmp_path, source))
    assert line is not None
    assert {bound.name for bound in line.variables if not bound.read and bound.name not in line.reads} == unread


def test_what_a_line_reads(tmp_path: Path) -> None:
    source = "def f(x, width):\n    a, b = g(x)\n    y = layers.Conv2D(width, 3)(a + a)  # here\n    return y\n"
    line = line_at(at(tmp_path, source))
    assert line is not None
    assert dict(line.reads) == {"layers": 1, "width": 1, "a": 2}
    assert line.settings >= {"width"}
    held = {bound.name: (bound.position, bound.statements_ago) for bound in line.variables}
    assert held == {"x": (None, 1), "width": (None, 1), "a": (0, 0), "b": (1, 0)}


def test_a_file_that_cannot_be_read_has_no_line(tmp_path: Path) -> None:
    assert line_at(Span(str(tmp_path / "gone.py"), 3)) is None
    assert line_at(at(tmp_path, "def f(:  # here\n")) is None


class Gate(nn.Module):
    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.of_coarse, self.of_fine = nn.Conv2d(coarse, 4, 1), nn.Conv2d(fine, 4, 1)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        return fine * torch.sigmoid(self.of_coarse(coarse) + self.of_fine(fine)).mean(1, keepdim=True)


class Gated(nn.Module):
    """The gate is given what is not upsampled yet: its width and its size are wrong. `up` is read further on."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up, self.gate = nn.Conv2d(6, 12, 3, 2, 1), nn.ConvTranspose2d(12, 6, 2, 2), Gate(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        low = self.down(x)
        up = self.up(low)
        gated = self.gate(coarse=low, fine=x)
        return torch.cat([gated, up], 1)


def test_one_variable_in_the_place_of_two_mistakes() -> None:
    told = failing(Gated(), torch.randn(2, 6, 10, 10))
    assert (told.fixes[0].code, told.fixes[0].verified) == ("gated = self.gate(coarse=up, fine=x)", "forward")
    assert told.cause is not None and told.cause.reason.startswith("it takes `low`, where `up` fits")


class Narrow(nn.Module):
    """One change mends it, and a variable that would fit as well is not asked."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(6, 12), nn.Linear(12, 10), nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.one(x)
        two = self.two(one)
        return self.head(two) + one.mean()


def test_variables_that_are_read_are_tried_last() -> None:
    fixes = failing(Narrow(), torch.randn(4, 6)).fixes
    assert fixes
    assert all(fix.edit.get("module", {}).get("type") != "variable" for fix in fixes)


class Variational(nn.Module):
    """The decoder, a method of its own, is handed what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.spread = nn.Linear(30, 4), nn.Linear(30, 4)
        self.wide, self.back = nn.Linear(4, 12), nn.Linear(12, 30)

    def drawn(self, mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
        return mean + torch.randn_like(spread) * spread.exp()

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        return self.back(torch.relu(self.wide(code)))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, spread = self.mean(x), self.spread(x)
        z = self.drawn(mean, spread)  # noqa: F841 - that nothing reads it is the slip
        return self.decode(x), mean


def test_a_value_that_a_method_is_not_handed() -> None:
    model = Variational()
    told = failing(model, torch.randn(5, 30))
    fix = told.fixes[0]
    assert (fix.code, fix.verified, fix.parameters_added) == ("return self.decode(z), mean", "forward", 0)
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "return self.decode(x), mean"
    with fix.applied(model):
        assert model(torch.randn(5, 30))[0].shape == (5, 30)
