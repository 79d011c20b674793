"""A loss is made for batches of one size, and the last batch of an epoch is smaller."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import shapewatch


class Pairs(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        sim = a @ b.T
        return torch.diag(sim, 0).reshape(self.count, 1).mean()


def trained() -> None:
    loader = DataLoader(TensorDataset(torch.randn(22, 5), torch.randn(22, 5)), batch_size=8)
    loss = Pairs(8)
    for a, b in loader:
        loss(a, b)


def test_batches_of_another_size_ran() -> None:
    with pytest.raises(RuntimeError, match="invalid for input"), shapewatch.watch() as session:
        trained()
    (told,) = session.report.diagnoses
    assert told.cause is not None
    assert told.cause.reason == "with 8 samples it ran, and this batch has 6: something is made for 8"
    assert told.fixes[0].code.endswith("batch_size=8, drop_last=True)")
    assert told.fixes[0].verified is None
