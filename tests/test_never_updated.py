"""Loops that make layers one behind the other, and forget to say what the last one gives."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.told import best, failing, reason


class Rows(nn.Module):
    def __init__(self, width: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        rows = []
        for wanted in widths:
            rows.append(nn.Sequential(nn.Conv2d(width, wanted, 3, padding=1), nn.ReLU()))
        self.rows = nn.Sequential(*rows)
        self.head = nn.Conv2d(widths[-1], 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rows(x))


def test_each_layer_is_made_for_what_the_first_is_given() -> None:
    told = failing(Rows(3, (8, 12, 16)), torch.randn(2, 3, 8, 8))
    line = "rows.append(nn.Sequential(nn.Conv2d(width, wanted, 3, padding=1), nn.ReLU()))"
    assert best(told) == (f"{line}\nwidth = wanted", "forward")
    assert reason(told) == "`width` stays 3, and what is made behind that is not made for what comes"
    assert told.fixes[0].output_shape == (2, 2, 8, 8)


class Shrinking(nn.Module):
    """Every layer halves the width, and nothing says so to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, width = nn.ModuleList(), 32
        for _ in range(3):
            self.rows.append(nn.Linear(width, width // 2))
        self.head = nn.Linear(width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for row in self.rows:
            x = torch.relu(row(x))
        return self.head(x)


def test_a_width_that_is_computed_from_itself() -> None:
    told = failing(Shrinking(), torch.randn(4, 32))
    assert best(told) == ("self.rows.append(nn.Linear(width, width // 2))\nwidth = width // 2", None)
    assert told.fixes[0].why_not is not None and "the loop is not run again" in told.fixes[0].why_not


class Updated(nn.Module):
    """The loop says what is given; the head is made for another width."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, width = nn.ModuleList(), 8
        for wanted in (12, 16):
            self.rows.append(nn.Linear(width, wanted))
            width = wanted
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for row in self.rows:
            x = row(x)
        return self.head(x)


class Beside(nn.Module):
    """Layers of one loop that stand beside each other, and are given another width than they are made for."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, 12)
        self.rows = nn.ModuleList()
        for wanted in (12, 16):
            self.rows.append(nn.Linear(width, wanted))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        return torch.cat([row(x) for row in self.rows], -1)


def test_no_loop_is_blamed_that_does_not_hand_on() -> None:
    for model in (Updated(), Beside(8)):
        told = failing(model, torch.randn(4, 8))
        assert told.fixes and not [fix.code for fix in told.fixes if "\nwidth = " in fix.code]


class Bottleneck(nn.Module):
    expansion = 2

    def __init__(self, given: int, width: int, stride: int = 1, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.reduce, self.conv = nn.Conv2d(given, width, 1), nn.Conv2d(width, width, 3, stride, 1)
        self.widen, self.shortcut = nn.Conv2d(width, width * self.expansion, 1), shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = x if self.shortcut is None else self.shortcut(x)
        return torch.relu(self.widen(self.conv(self.reduce(x))) + kept)


class Stages(nn.Module):
    """Each stage is made by a method, from an attribute that says what came before."""

    def __init__(self, block: type[Bottleneck]) -> None:
        super().__init__()
        self.given = 6
        self.stem = nn.Conv2d(3, 6, 3, 1, 1)
        self.first, self.second = self._stage(block, 8, 1), self._stage(block, 16, 2)

    def _stage(self, block: type[Bottleneck], width: int, stride: int) -> nn.Module:
        shortcut = nn.Conv2d(self.given, width * block.expansion, 1, stride)
        rows = [block(self.given, width, stride, shortcut)]
        rows.append(block(self.given, width))
        return nn.Sequential(*rows)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(self.stem(x)))


def test_an_attribute_that_a_method_makes_blocks_from() -> None:
    told = failing(Stages(Bottleneck), torch.randn(2, 3, 8, 8))
    line = "rows = [block(self.given, width, stride, shortcut)]"
    assert best(told) == (f"{line}\nself.given = width * block.expansion", "forward")
    assert reason(told) == "`self.given` stays 6, and what is made behind that is not made for what comes"


class StagesThatSay(Stages):
    """The same, with the line; what fails is a shortcut that lacks its stride."""

    def _stage(self, block: type[Bottleneck], width: int, stride: int) -> nn.Module:
        shortcut = nn.Conv2d(self.given, width * block.expansion, 1)
        rows = [block(self.given, width, stride, shortcut)]
        self.given = width * block.expansion
        rows.append(block(self.given, width))
        return nn.Sequential(*rows)


def test_an_attribute_that_the_method_changes() -> None:
    told = failing(StagesThatSay(Bottleneck), torch.randn(2, 3, 8, 8))
    assert told.fixes and not [fix.code for fix in told.fixes if "self.given = " in fix.code]


class Gated(nn.Module):
    """The gates are made for the same number, and are right as they are."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rows, self.gates = nn.ModuleList(), nn.ModuleList()
        for wanted in (8, 12):
            self.rows.append(nn.Linear(width, wanted))
            self.gates.append(nn.Linear(width, wanted))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = x
        for row, gate in zip(self.rows, self.gates, strict=True):
            x = row(x) * torch.sigmoid(gate(given))
        return x


def test_what_the_line_would_change_besides_is_not_verified() -> None:
    told = failing(Gated(3), torch.randn(4, 3))
    assert [fix.verified for fix in told.fixes if "width = wanted" in fix.code] == [None]


class Dense(nn.Module):
    """What a transition gives is counted on by another rate than it is made with."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        width, rows = 16, []
        for _ in range(3):
            rows.append(nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, 2 * width, 3, padding=1)))
            width = 2 * width
            rows.append(halved(width, int(width * rate)))
            width = width // 2
        self.rows = nn.Sequential(*rows)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rows(x)


class Counted(Dense):
    def __init__(self, rate: float) -> None:
        nn.Module.__init__(self)
        width, rows = 16, []
        for _ in range(3):
            rows.append(nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, 2 * width, 3, padding=1)))
            width = 2 * width
            rows.append(halved(width, int(width * rate)))
            width = int(width * rate)
        self.rows = nn.Sequential(*rows)


def halved(given: int, made: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(given, made, 1), nn.AvgPool2d(2))


def test_a_width_that_goes_on_as_another_one_than_is_made() -> None:
    told = failing(Dense(0.75), torch.randn(2, 16, 8, 8))
    assert best(told) == ("width = int(width * rate)", None)
    assert reason(told) == "`width` goes on as 16, and what was made of it gives `int(width * rate)`"


def test_widths_that_are_counted_as_they_are_made_are_left_alone() -> None:
    model = Counted(0.75)
    model.rows[2][1] = nn.Conv2d(24, 40, 3, padding=1)  # and its transition is made for 48
    told = failing(model, torch.randn(2, 16, 8, 8))
    assert told.cause is not None and told.cause.type != "variable"


class Wide(nn.Module):
    expansion = 2

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(given, width, 1), nn.Conv2d(width, width * self.expansion, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(x))


class Staged(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.width = 8
        self.one, self.two = self.stage(Wide, 8), self.stage(Wide, 16)

    def stage(self, block: type[Wide], width: int) -> nn.Sequential:
        norm = nn.Conv2d(self.width, width * block.expansion, 1)
        rows = [norm, block(width * block.expansion, width)]
        self.width = width
        return nn.Sequential(*rows)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(x))


def test_a_method_that_forgets_the_expansion() -> None:
    told = failing(Staged(), torch.randn(2, 8, 4, 4))
    assert best(told)[0] == "self.width = width * block.expansion"
    assert reason(told) == "`self.width` goes on as 8, and what was made of it gives `width * block.expansion`"
