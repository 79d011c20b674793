"""Masks that cover one of the parts that were joined to make the keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.support.told import best, failing, reason

WIDTH = 16


class Joined(nn.Module):
    """`run` joins words with maps, and encodes both."""

    def __init__(self, run: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.q, self.k = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self._run = run

    def forward(self, words: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self._run(self, words, maps, mask)


def behind(self: Joined, words: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    both = torch.cat([words, maps], dim=1)
    hidden = ~mask
    return self.encoder(both, src_key_padding_mask=hidden)


def in_front(self: Joined, words: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    token = self.token.expand(len(maps), -1, -1)
    both = torch.cat([token, words], dim=1)
    hidden = ~mask
    return self.encoder(both, src_key_padding_mask=hidden)


def around(self: Joined, words: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    token = self.token.expand(len(maps), -1, -1)
    both = torch.cat([token, words, maps], dim=1)
    hidden = ~mask
    return self.encoder(both, src_key_padding_mask=hidden)


def with_no_name(self: Joined, words: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    both = torch.cat([words, maps], dim=1)
    return self.encoder(both, src_key_padding_mask=mask == 0)


def seen(self: Joined, words: torch.Tensor, maps: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    both = torch.cat([words, maps], dim=1)
    scores = self.q(both) @ self.k(both).mT
    scores = scores.masked_fill(mask[:, None, :] == 0, -1e9)
    return scores.softmax(-1) @ both


@pytest.mark.parametrize(
    ("run", "code", "shows"),
    [
        (behind, "hidden = torch.cat([hidden, hidden.new_zeros(maps.shape[:2])], dim=1)", "first"),
        (in_front, "hidden = torch.cat([hidden.new_zeros(token.shape[:2]), hidden], dim=1)", "second"),
        (
            around,
            "hidden = torch.cat([hidden.new_zeros(token.shape[:2]), hidden, hidden.new_zeros(maps.shape[:2])], dim=1)",
            "second",
        ),
        (
            with_no_name,
            "return self.encoder(both, src_key_padding_mask=nn.functional.pad(mask == 0, (0, maps.size(1))))",
            "first",
        ),
        (seen, "mask = torch.cat([mask, mask.new_ones(maps.shape[:2])], dim=1)", "first"),
    ],
)
def test_a_mask_of_one_part(run: Callable[..., torch.Tensor], code: str, shows: str) -> None:
    model, words, maps, mask = Joined(run), torch.randn(3, 7, WIDTH), torch.randn(3, 5, WIDTH), torch.ones(3, 7).bool()
    told = failing(model, words, maps, mask)
    assert best(told) == (code, "forward")
    assert f"and the mask covers the {shows} part only" in reason(told)
    with told.fixes[0].applied(model):
        out = model(words, maps, mask)
    full = {behind: 12, in_front: 8, around: 13, with_no_name: 12, seen: 12}[run]
    assert out.shape == (3, full, WIDTH) and not out.isnan().any()


@pytest.mark.parametrize("run", [behind, seen])
def test_parts_of_one_length_do_not_tell(run: Callable[..., torch.Tensor]) -> None:
    same = torch.randn(3, 7, WIDTH)
    told = failing(Joined(run), same, same.clone(), torch.ones(3, 7).bool())
    assert "part only" not in str(told)


@pytest.mark.parametrize("run", [behind, seen])
def test_a_mask_of_another_length_than_any_part(run: Callable[..., torch.Tensor]) -> None:
    told = failing(Joined(run), torch.randn(3, 7, WIDTH), torch.randn(3, 5, WIDTH), torch.ones(3, 6).bool())
    assert "part only" not in str(told)
