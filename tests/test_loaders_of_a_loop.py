"""A program with several loaders: which of them the loop that failed runs over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from tests.support.told import best, failing, reason


class Tides(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.last = nn.GRU(3, 7, batch_first=True), nn.Linear(7, 1)

    def forward(self, x: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        steps, state = self.cell(x, state)
        return self.last(steps[:, -1]), state


def kept(loader: Any) -> None:
    model, state = Tides(), torch.zeros(1, 8, 7)
    for _, (x, _y) in enumerate(loader):
        _, state = model(x, state.detach())


def handed_on() -> None:
    data = TensorDataset(torch.randn(20, 5, 3), torch.randn(20, 1))
    learned = DataLoader(data, batch_size=8)
    judged = DataLoader(data, batch_size=4)
    assert len(judged) == 5
    kept(learned)


def in_a_comprehension() -> None:
    data = TensorDataset(torch.randn(20, 5, 3), torch.randn(20, 1))
    learned = DataLoader(data, batch_size=8, drop_last=False)
    judged = DataLoader(data, batch_size=4)
    model, state = Tides(), torch.zeros(1, 8, 7)
    assert len(judged) == 5
    print([model(x, state)[0].sum() for x, _ in learned])


def chosen(which: int) -> None:
    data = TensorDataset(torch.randn(20, 5, 3), torch.randn(20, 1))
    learned = DataLoader(data, batch_size=8)
    judged = DataLoader(data, batch_size=8, drop_last=True)
    kept([judged, learned][which])


def of_a_larger_batch() -> None:
    data = TensorDataset(torch.randn(20, 5, 3), torch.randn(20, 1))
    learned = DataLoader(data, batch_size=16)
    kept(learned)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (handed_on, "learned = DataLoader(data, batch_size=8, drop_last=True)"),
        (in_a_comprehension, "learned = DataLoader(data, batch_size=8, drop_last=True)"),
    ],
)
def test_the_loader_of_the_loop_leaves_its_last_batch_out(run: Callable[[], None], code: str) -> None:
    told = failing(run)
    assert best(told) == (code, None)
    assert reason(told) == "the state is one of 8 samples, and this batch has 4"
    assert told.headline == "cell expects a state [1, 4, 7] and is given [1, 8, 7]"


def test_a_state_for_less_than_a_whole_batch_is_nothing_of_the_loader() -> None:
    told = failing(of_a_larger_batch)
    assert not any("drop_last" in fix.code for fix in told.fixes)


def test_of_loaders_that_are_not_told_apart_none_is_blamed() -> None:
    told = failing(chosen, 1)
    assert not told.fixes, "this file has several that give a smaller batch"


class Words(Dataset[Any]):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, at: int) -> Any:
        return torch.ones(2 + 3 * at)


def padded(samples: list[Any]) -> Any:
    return torch.nn.utils.rnn.pad_sequence(samples, batch_first=True)


def read(loader: Any) -> None:
    for _words in loader:
        pass


def of_three() -> None:
    first = DataLoader(Words(), batch_size=3, collate_fn=padded)
    second = DataLoader(Words(), batch_size=3)
    third = DataLoader(Words(), batch_size=3, shuffle=True)
    read(first)
    read(third)
    read(second)


def test_of_two_loaders_without_a_function_the_one_that_runs() -> None:
    told = failing(of_three)
    assert [fix.code for fix in told.fixes] == [
        "third = DataLoader(Words(), batch_size=3, shuffle=True, collate_fn=padded)"
    ]
    assert reason(told) == "it has no `collate_fn`, and another loader has `padded`"
