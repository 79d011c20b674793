"""A state that the line before a call makes, for another batch than the call is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.support.told import best, failing, reason

LARGE = 6


class Writer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, state = self.rnn(x, state)
        return self.head(x), state

    def begin(self, samples: int) -> torch.Tensor:
        return torch.zeros(1, samples, 4)

    def of_width(self, width: int) -> torch.Tensor:
        return torch.zeros(1, LARGE, width)


def one_sequence(steps: int) -> None:
    model = Writer()
    state = model.begin(LARGE)
    model(torch.rand(steps, 3).unsqueeze(0), state)


def by_an_argument(rows: int) -> None:
    model = Writer()
    state = model.begin(rows)
    model(torch.rand(5, 3)[None], state)


def known_data(rows: int) -> None:
    model, x = Writer(), torch.rand(2, 5, 3)
    state = torch.zeros(1, rows, 4)
    model(x, state)


def in_a_loop(rows: int) -> None:
    """Whether the state is the one that was made or the one of the turn before, no line tells."""
    model = Writer()
    state = model.begin(rows)
    for samples in (rows, 1):
        _, state = model(torch.rand(samples, 5, 3), state)


def by_no_number_of_samples(steps: int) -> None:
    model = Writer()
    state = model.of_width(4)
    model(torch.rand(steps, 3)[None], state)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (one_sequence, "state = model.begin(1)"),
        (by_an_argument, "state = model.begin(1)"),
        (known_data, "state = torch.zeros(1, x.size(0), 4)"),
    ],
)
def test_a_state_is_made_for_what_the_call_is_given(run: Callable[[int], None], code: str) -> None:
    told = failing(run, LARGE)
    assert best(told) == (code, "forward")
    assert reason(told).startswith("the state is made for 6 samples, and the call is given ")
    assert told.cause is not None and told.cause.location is not None
    assert (told.cause.location.source or "").startswith("state = ")


@pytest.mark.parametrize("run", [in_a_loop, by_no_number_of_samples])
def test_no_line_is_named_where_it_may_be_another(run: Callable[[int], None]) -> None:
    told = failing(run, LARGE)
    assert not any(fix.code.startswith("state = ") for fix in told.fixes)
