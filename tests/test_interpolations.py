"""Maps that are interpolated by a factor to meet others, of which the sizes were halved with rounding."""

from __future__ import annotations

import pytest
import torch
from support.told import best, failing, reason
from torch import nn
from torch.nn import functional

from shapewatch.report import Diagnosis


class Pyramid(nn.Module):
    """Maps of three sizes; the smaller ones are brought to the larger."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=4, padding=1)
        self.downs = nn.ModuleList(nn.Conv2d(8, 8, 3, stride=2, padding=1) for _ in range(3))
        self.head = nn.Conv2d(8, 1, 1)

    def maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = [self.first(x)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        return maps


class InOneLine(Pyramid):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *sides, top = self.maps(x)
        for side in reversed(sides):
            top = side + functional.interpolate(top, scale_factor=2)
        return self.head(top)


class InTwoLines(Pyramid):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *sides, top = self.maps(x)
        for side in reversed(sides):
            top = functional.interpolate(top, scale_factor=2)
            top = top + side
        return self.head(top)


class TakenFromAStack(Pyramid):
    """The map that is met is taken off its list where they meet, so that no line before it has a name for it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *sides, top = self.maps(x)
        while sides:
            top = functional.interpolate(top, scale_factor=2)
            top = top + sides.pop()
        return self.head(top)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (InOneLine, "top = side + functional.interpolate(top, size=side.shape[-2:])"),
        (InTwoLines, "top = functional.interpolate(top, size=side.shape[-2:])"),
    ],
)
@pytest.mark.parametrize("size", [300, 292, 270])
def test_a_map_is_given_the_size_of_the_one_that_it_meets(model: type[nn.Module], code: str, size: int) -> None:
    told = failing(model(), torch.ones(2, 3, size, size))
    assert best(told) == (f"{code}  # scale_factor was 2", "forward")
    assert "halved with rounding" in reason(told)


def test_what_is_joined_is_given_that_size_too() -> None:
    class Joined(Pyramid):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            near, far = self.maps(x)[2:]
            return torch.cat([near, functional.interpolate(far, scale_factor=2, mode="nearest")], dim=1)

    code, verified = best(failing(Joined(), torch.ones(2, 3, 300, 300)))
    assert 'functional.interpolate(far, size=near.shape[-2:], mode="nearest")' in code and verified == "forward"


def numbers(told: Diagnosis) -> list[str]:
    return [fix.code for fix in told.fixes if "interpolate(top, size=(" in fix.code]


def test_a_line_that_runs_for_several_sizes_is_given_no_number() -> None:
    told = failing(TakenFromAStack(), torch.ones(2, 3, 300, 300))
    assert not numbers(told)
    assert told.fixes


def test_the_number_that_sizes_must_be_a_multiple_of_is_the_one_that_is_enough() -> None:
    """288 is a multiple of 16, and 304, which is the next one, fails."""
    told = failing(TakenFromAStack(), torch.ones(2, 3, 300, 300))
    (said,) = {phrase for fix in told.fixes for phrase in fix.evidence if "multiple" in phrase}
    assert said == "300 is no multiple of 32"


def test_a_factor_that_is_a_slip_is_no_rounding() -> None:
    class Doubled(Pyramid):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            near, _, far = self.maps(x)[:3]
            return near + functional.interpolate(far, scale_factor=2)

    told = failing(Doubled(), torch.ones(2, 3, 64, 64))
    assert told.fixes
    assert not any("near.shape" in fix.code for fix in told.fixes[:1])


def test_nothing_is_said_of_a_variable_that_holds_another_map_by_then() -> None:
    """The interpolation stands before the line that gives `side` what it is added to."""

    class Later(Pyramid):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps = self.maps(x)
            side = maps[0]
            top = functional.interpolate(maps[3], scale_factor=2)
            side = maps[2]
            return side + top

    told = failing(Later(), torch.ones(2, 3, 300, 300))
    assert not any("side.shape" in fix.code for fix in told.fixes)
