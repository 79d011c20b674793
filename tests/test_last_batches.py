"""A loss is made for batches of one size, and the last batch of an epoch is smaller."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import shapewatch
from tests.support.told import failing


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


class Stateful(nn.Module):
    """The state is made for the batches of the loader, whatever comes."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(3, 4, batch_first=True)

    def begin(self, samples: int) -> torch.Tensor:
        return torch.zeros(1, samples, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = self.begin(LARGE)
        return self.gru(x, state)[0]


class StatefulAtOnce(Stateful):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gru(x, torch.zeros(1, LARGE, 4))[0]


LARGE = 6


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (Stateful, "state = self.begin(x.size(0))"),
        (StatefulAtOnce, "return self.gru(x, torch.zeros(1, x.size(0), 4))[0]"),
    ],
)
def test_a_state_that_the_forward_makes_is_made_for_the_batch_that_comes(model: type[nn.Module], code: str) -> None:
    watched = model()

    def run() -> None:
        for samples in (LARGE, LARGE, 2):
            watched(torch.randn(samples, 5, 3))

    told = failing(run)
    assert (told.fixes[0].code, told.fixes[0].verified) == (code, "forward")
