"""Sums over segments that are as many as the largest index says, and are to be as many as there are nodes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.support.told import best, failing, reason

NODES = 9


class Summed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.message, self.last = nn.Linear(6, 6), nn.Linear(12, 3)

    def forward(self, x: torch.Tensor, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        messages = self.message(x[source])
        count = int(target.max()) + 1
        total = torch.zeros(count, 6).index_add(0, target, messages)
        return self.last(torch.cat([x, total], dim=1))


class Added(Summed):
    def forward(self, x: torch.Tensor, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        messages = self.message(x.index_select(0, source))
        total = messages.new_zeros(int(target.max()) + 1, 6)
        total.index_add_(0, target, messages)
        return x + total


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (Summed, "count = x.size(0)"),
        (Added, "total = messages.new_zeros(x.size(0), 6)"),
    ],
)
def test_as_many_as_there_are_rows_to_gather_from(model: type[nn.Module], code: str) -> None:
    source, target = torch.randint(0, NODES, (20,)), torch.arange(20) % (NODES - 2)
    told = failing(model(), torch.randn(NODES, 6), source, target)
    assert best(told) == (code, None)
    assert f"it counts {NODES - 2} segments, and `x`, of which line" in reason(told)


class Others(Summed):
    """What is summed comes from elsewhere than what it meets."""

    def forward(self, x: torch.Tensor, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        messages = self.message(torch.ones(NODES + 1, 6)[source])
        total = torch.zeros(int(target.max()) + 1, 6).index_add(0, target, messages)
        return x + total


def test_rows_of_something_else_tell_nothing() -> None:
    source, target = torch.randint(0, NODES, (20,)), torch.arange(20) % (NODES - 2)
    assert "it counts" not in str(failing(Others(), torch.randn(NODES, 6), source, target))
