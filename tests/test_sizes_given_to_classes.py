"""A size in a class of the program's that its constructor is given: it is changed where the instance is constructed."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.told import best, failing, reason

WIDTH, HEADS, STEPS = 6, 3, 9


class Mixing(nn.Module):
    """A weight of its own, as wide as it is told."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.width = width
        assert width > 0
        self.mix = nn.Parameter(torch.empty(width, out))
        bound = width**-0.5
        nn.init.uniform_(self.mix, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.matmul(x, self.mix)
        return torch.stack([y, y * y]).mean(dim=0)


class TwoMixings(nn.Module):
    def __init__(self, given: int, width: int, heads: int) -> None:
        super().__init__()
        self.first = Mixing(given, width)
        self.second = Mixing(width * heads, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


class MixingsOfNumbers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Mixing(5, 7)
        self.second = Mixing(out=4, width=8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


class MixingsInARow(nn.Module):
    """One line for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.row = nn.ModuleList([Mixing(10, 7) for _ in range(2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.row:
            x = layer(torch.cat([x, x], dim=-1))
        return x


class Tied(nn.Module):
    """What the argument is for two weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.zeros(width, 4))
        self.other = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.one + self.other.sum()


class TwoTied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Tied(5), Tied(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


class Places(nn.Module):
    def __init__(self, places: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(1, places, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.table[:, : x.size(1)]


class Joined(nn.Module):
    """Places for the steps that are read, and none for those that are joined to them."""

    def __init__(self, steps: int, more: int) -> None:
        super().__init__()
        self.asked = nn.Parameter(torch.zeros(1, more, 8))
        self.places = Places(steps, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.places(torch.cat([x, self.asked.expand(x.size(0), -1, -1)], dim=1))


class Head(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.fc(x))


class TwoHeads(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Head(5, width)
        self.second = Head(12, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


def test_the_weight_of_one_of_two_instances() -> None:
    told = failing(TwoMixings(5, WIDTH, HEADS), torch.randn(2, 5))
    assert best(told) == ("self.second = Mixing(width, 4)  # width was 18, 6 now", "forward")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "self.second = Mixing(width * heads, 4)"
    assert "tried on shapes" not in told.explanation


def test_a_number_where_no_formula_is_sure() -> None:
    told = failing(MixingsOfNumbers(), torch.randn(2, 5))
    assert best(told) == ("self.second = Mixing(out=4, width=7)  # width was 8", "forward")
    with told.fixes[0].applied(model := MixingsOfNumbers()):
        assert model(torch.randn(2, 5)).shape == (2, 4)


def test_of_a_line_that_constructs_several_no_code_is_told() -> None:
    told = failing(MixingsInARow(), torch.randn(2, 5))
    assert best(told) == ("row.1.mix: [14, 7]", "forward")
    assert reason(told).startswith("row.1.mix is [10, 7]")


def test_an_argument_that_more_depends_on_is_left_alone() -> None:
    told = failing(TwoTied(), torch.randn(2, 5))
    assert not any("Tied(" in fix.code or "nn.Parameter" in fix.code for fix in told.fixes)


def test_places_for_what_is_joined() -> None:
    told = failing(Joined(STEPS, 4), torch.randn(2, STEPS, 8))
    assert best(told) == ("self.places = Places(steps + more, 8)  # places was 9, 13 now", "forward")


def test_places_for_one_more() -> None:
    def run(steps: int) -> None:
        model = Places(steps, 8)
        model(torch.cat([torch.zeros(2, 1, 8), torch.zeros(2, steps, 8)], dim=1))

    told = failing(run, 7)
    assert best(told)[0] == "self.table = nn.Parameter(torch.zeros(1, places + 1, width))  # 8, 7 before"


def test_a_layer_in_one_of_two_instances() -> None:
    told = failing(TwoHeads(6), torch.randn(2, 5))
    assert best(told) == ("self.second = Head(6, 2)  # width was 12", "forward")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "self.second = Head(12, 2)"
