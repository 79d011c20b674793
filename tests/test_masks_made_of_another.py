"""A causal mask that is made as long as the whole target, for a decoder that is given the target without its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.support.told import best, failing, reason


def causal(steps: int) -> torch.Tensor:
    return torch.triu(torch.ones(steps, steps), 1).bool()


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.embed(words)
        return self.attend(x, x, x, attn_mask=mask)[0]


class Own(Decoder):
    """With scores of its own."""

    def forward(self, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.embed(words)
        scores = (x @ x.transpose(1, 2)).masked_fill(mask, -1e9)
        return scores.softmax(-1) @ x


def in_a_line_above(model: nn.Module) -> None:
    words = torch.randint(9, (3, 6))
    shown, said = words[:, :-1], words[:, 1:]
    mask = causal(words.size(1))
    model(shown, mask), said


def in_the_call(model: nn.Module) -> None:
    words = torch.randint(9, (3, 6))
    shown = words[:, :-1]
    model(shown, mask=causal(words.shape[1]))


def of_another_text(model: nn.Module) -> None:
    words, others = torch.randint(9, (3, 5)), torch.randint(9, (3, 6))
    mask = causal(others.size(1))
    model(words, mask)


def counted_from(model: nn.Module) -> None:
    words = torch.randint(9, (3, 6))
    shown = words[:, :-1]
    mask = causal(words.size(1) - 2)
    model(shown, mask)


@pytest.mark.parametrize("model", [Decoder, Own])
@pytest.mark.parametrize(
    ("run", "code"),
    [
        (in_a_line_above, "mask = causal(shown.size(1))"),
        (in_the_call, "model(shown, mask=causal(shown.shape[1]))"),
    ],
)
def test_the_mask_is_made_of_what_the_model_is_given(
    run: Callable[[nn.Module], None], code: str, model: type[nn.Module]
) -> None:
    told = failing(run, model())
    assert best(told) == (code, "forward")
    assert reason(told).startswith("it is made for the 6 steps of `words`, and the model is given `shown`")


@pytest.mark.parametrize("run", [of_another_text, counted_from])
def test_no_line_is_blamed_where_one_is_not_cut_from_the_other(run: Callable[[nn.Module], None]) -> None:
    told = failing(run, Decoder())
    assert not any("causal(" in fix.code for fix in told.fixes)
