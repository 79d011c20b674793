"""Masks that do not fit: of all steps with all steps, made for more of them; of padding, laid the other way round."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch.report import Fix

MOST, STEPS, WIDTH = 16, 9, 12


class Causal(nn.Module):
    """`masked` is how the scores are masked, of queries `q` and keys `k`."""

    def __init__(self, masked: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.q, self.k, self.v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.register_buffer("mask", torch.ones(MOST, MOST).tril())
        self.register_buffer("bias", torch.full((1, MOST, MOST), -1e9).triu(1))
        self._masked = masked

    def forward(self, x: torch.Tensor, memory: torch.Tensor | None = None) -> torch.Tensor:
        scores = self.q(x) @ self.k(x if memory is None else memory).mT
        return self._masked(self, scores).softmax(-1) @ self.v(x if memory is None else memory)


def one_axis(self: Causal, scores: torch.Tensor) -> torch.Tensor:
    T = scores.size(-1)  # noqa: N806
    return scores.masked_fill(self.mask[:, :T] == 0, -1e9)


def other_axis(self: Causal, scores: torch.Tensor) -> torch.Tensor:
    n = scores.size(-1)
    return scores.masked_fill(self.mask[:n] == 0, -1e9)


def whole(self: Causal, scores: torch.Tensor) -> torch.Tensor:
    return scores.masked_fill(self.mask == 0, -1e9)


def added(self: Causal, scores: torch.Tensor) -> torch.Tensor:
    return scores + self.bias[:, :, : scores.size(-1)]


def rightly(self: Causal, scores: torch.Tensor) -> torch.Tensor:
    return scores.masked_fill(self.mask[:STEPS, :STEPS] == 0, -1e9)


def fixes(model: nn.Module, *inputs: torch.Tensor) -> tuple[Fix, ...]:
    session = shapewatch.watch(model)
    with pytest.raises((RuntimeError, AssertionError)), session:
        model(*inputs)
    return session.report.diagnoses[0].fixes


@pytest.mark.parametrize(
    ("masked", "code"),
    [
        (one_axis, "return scores.masked_fill(self.mask[:T, :T] == 0, -1e9)"),
        (other_axis, "return scores.masked_fill(self.mask[:n, :n] == 0, -1e9)"),
        (whole, "return scores.masked_fill((self.mask == 0)[:scores.size(2), :scores.size(2)], -1e9)"),
        (added, "return scores + self.bias[:, :scores.size(-1), : scores.size(-1)]"),
    ],
)
def test_both_axes_are_cut_to_the_steps(masked: Callable[..., torch.Tensor], code: str) -> None:
    model, x = Causal(masked), torch.randn(2, STEPS, WIDTH)
    fix = fixes(model, x)[0]
    assert fix.verified == "forward" and "".join(fix.code.split()) == "".join(code.split())
    with fix.applied(model):
        torch.testing.assert_close(model(x), Causal(rightly)(x))


def test_scores_that_are_not_square_tell_nothing() -> None:
    found = fixes(Causal(one_axis), torch.randn(2, STEPS, WIDTH), torch.randn(2, STEPS - 2, WIDTH))
    assert not any(fix.edit.get("argument") == "slices" and fix.edit["value"].count(":") > 1 for fix in found)


def test_a_mask_of_fewer_steps_is_not_cut() -> None:
    found = fixes(Causal(whole), torch.randn(2, MOST + 3, WIDTH))
    assert not any("[:scores" in fix.code for fix in found)


def test_a_table_that_is_one_too_short_is_computed_one_longer() -> None:
    class Patches(nn.Module):
        def __init__(self, side: int, dim: int = 16) -> None:
            super().__init__()
            self.cls = nn.Parameter(torch.zeros(1, 1, dim))
            self.pos = nn.Parameter(torch.zeros(1, (side // 2) ** 2, dim))
            self.embed = nn.Conv2d(3, dim, 2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = self.embed(x).flatten(2).transpose(1, 2)
            return torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1) + self.pos

    (fix, *_) = fixes(Patches(8), torch.randn(2, 3, 8, 8))
    assert fix.verified == "forward"
    assert fix.code.startswith("self.pos = nn.Parameter(torch.zeros(1, (side // 2) ** 2 + 1, dim))")


class Padded(nn.Module):
    """`padding` makes the mask, of tokens and of their lengths."""

    def __init__(self, padding: Callable[..., torch.Tensor], **settings: bool) -> None:
        super().__init__()
        self.embed, self.attend = nn.Embedding(50, 8), nn.MultiheadAttention(8, 2, **settings)
        self._padding = padding

    def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        padding = self._padding(tokens, lengths)
        y, _ = self.attend(x, x, x, key_padding_mask=padding)
        return y


def test_a_mask_of_tokens_tells_where_the_batch_is() -> None:
    model = Padded(lambda tokens, _: tokens == 0)
    inputs = torch.randint(0, 50, (6, 11)), torch.randint(1, 11, (6,))
    (fix, *_) = fixes(model, *inputs)
    assert fix.verified == "forward" and fix.edit["argument"] == "batch_first" and fix.edit["value"] is True
    assert "nn.MultiheadAttention(8, 2, batch_first=True)" in fix.code


def test_a_mask_that_lies_the_other_way_round() -> None:
    model = Padded(lambda tokens, lengths: torch.arange(tokens.size(1))[:, None] >= lengths[None], batch_first=True)
    inputs = torch.randint(0, 50, (6, 11)), torch.randint(1, 11, (6,))
    (fix, *_) = fixes(model, *inputs)
    assert (fix.verified, fix.code) == ("forward", "y, _ = self.attend(x, x, x, key_padding_mask=padding.T)")
    with fix.applied(model):
        assert model(*inputs).shape == (6, 11, 8)


class Tagging(nn.Module):
    """Steps first throughout; the mask says so too, and samples come first there."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.register_buffer("positions", torch.zeros(40, 1, 16))
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0), 2, enable_nested_tensor=False
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        padding = tokens == 0
        x = self.embed(tokens) + self.positions[: tokens.shape[0]]
        return self.encoder(x, src_key_padding_mask=padding)


def test_a_padding_mask_of_steps_first() -> None:
    model = Tagging()
    with pytest.raises((RuntimeError, AssertionError)), shapewatch.watch(model) as session:
        model(torch.randint(0, 20, (9, 3)))
    fix = session.report.diagnoses[0].fixes[0]
    assert (fix.code, fix.verified) == ("return self.encoder(x, src_key_padding_mask=padding.T)", "forward")
