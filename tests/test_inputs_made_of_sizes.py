"""An input that a line makes of nothing but its sizes, and has others than fit."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.told import best, failing, reason


class Painter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.paint = nn.Embedding(5, 3), nn.Linear(9, 12)

    def forward(self, drawn: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        return self.paint(torch.cat([drawn, self.kinds(kinds)], 1))


def known_before(rows: int) -> None:
    kinds = torch.arange(5).repeat(4)
    drawn = torch.randn(rows * 2, 6).to("cpu")
    Painter()(drawn, kinds)


def known_behind(rows: int) -> None:
    drawn = torch.zeros((rows * 2, 6))
    kinds = torch.arange(5).repeat(4)
    Painter()(drawn, kinds)


def changed_between(rows: int) -> None:
    kinds = torch.arange(5)
    drawn = torch.randn(rows * 2, 6)
    kinds = kinds.repeat(4)
    Painter()(drawn, kinds)


def loaded(rows: int) -> None:
    drawn = torch.randn(rows * 2, 6).abs().sort(0).values
    kinds = torch.arange(5).repeat(4)
    Painter()(drawn, kinds)


def test_as_many_rows_as_another_argument_has() -> None:
    told = failing(known_before, 8)
    assert best(told) == ('drawn = torch.randn(kinds.size(0), 6).to("cpu")', "forward")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == 'drawn = torch.randn(rows * 2, 6).to("cpu")'
    assert reason(told).startswith("the input drawn is [16, 6]; with [20, 6] it fits")


def test_the_number_where_the_other_argument_is_not_known_yet() -> None:
    assert best(failing(known_behind, 8)) == ("drawn = torch.zeros((20, 6))", "forward")
    assert best(failing(changed_between, 8)) == ("drawn = torch.randn(20, 6)", "forward")


def test_what_is_not_made_of_sizes_alone_is_not_written_anew() -> None:
    assert best(failing(loaded, 8))[0] == "# drawn of shape [20, 6]"
