"""Tokens that are generated one by one, until there are more of them than the model has positions for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.support.told import best, failing

places = 8


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(11, 4), nn.Embedding(places, 4)
        self.head = nn.Linear(4, 11)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        where = torch.arange(tokens.shape[1])
        return self.head(self.words(tokens) + self.positions(where))

    def written(self, tokens: torch.Tensor, count: int) -> torch.Tensor:
        for _ in range(count):
            scores = self(tokens)
            tokens = torch.cat((tokens, scores[:, -1].argmax(-1, keepdim=True)), dim=1)
        return tokens

    def read(self, tokens: torch.Tensor, count: int) -> torch.Tensor:
        for _ in range(count):
            scores = self(tokens)
        return scores


class OfATable(Reader):
    """Its positions are weights, cut to the tokens that come."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(1, places, 4))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.words(tokens) + self.table[:, : tokens.shape[1]])


@pytest.mark.parametrize(("reader", "verified"), [(Reader, None), (OfATable, "forward")])
def test_the_end_of_what_was_written(reader: type[Reader], verified: str | None) -> None:
    told = failing(lambda: reader().written(torch.zeros(1, 5, dtype=torch.long), 9))
    assert best(told) == ("scores = self(tokens[:, -places:])", verified)


@pytest.mark.parametrize("reader", [Reader, OfATable])
def test_what_does_not_grow_is_not_cut_at_its_beginning(reader: type[Reader]) -> None:
    told = failing(lambda: reader().read(torch.zeros(1, 9, dtype=torch.long), 2))
    assert told.fixes and not any("[:, -" in fix.code for fix in told.fixes)
