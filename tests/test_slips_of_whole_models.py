"""Slips whose repair is several changes of one line, or stands behind an index; and what is said where none is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis


class Residual(nn.Module):
    def __init__(self, kernel: int, dilation: int) -> None:
        super().__init__()
        self.one = nn.Conv1d(6, 6, kernel, dilation=dilation)
        self.gate = nn.Conv1d(6, 6, kernel, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.tanh(self.one(x)) * torch.sigmoid(self.gate(x))


class Conditioned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.both, self.last = nn.Conv2d(3, 8, 3), nn.Linear(5, 8), nn.Conv2d(8, 3, 1)

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        scale, shift = self.both(z)[:, :, None, None].chunk(2, dim=1)
        return self.last(self.stem(x) * scale + shift)


def failing(model: nn.Module, *inputs: torch.Tensor, **named: torch.Tensor) -> Diagnosis:
    session = shapewatch.watch(model)
    with pytest.raises((RuntimeError, AssertionError)), session:
        model(*inputs, **named)
    (told,) = session.report.diagnoses
    return told


@pytest.mark.parametrize(("kernel", "value"), [(3, 1), (2, "same")])
def test_all_convolutions_of_a_branch_keep_the_size(kernel: int, value: object) -> None:
    model = nn.Sequential(Residual(kernel, 1), Residual(kernel, 1))
    (fix, *_) = failing(model, torch.randn(2, 6, 40)).fixes
    assert fix.verified == "forward"
    found = {edit["layer"]: edit["value"] for edit in fix.edit["edits"]}
    assert found == dict.fromkeys(("0.one", "0.gate", "1.one", "1.gate"), value)


def test_a_margin_that_is_cropped_on_purpose_is_left_alone() -> None:
    class Cropping(Residual):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.one(x)
            return x[..., -y.size(-1) :] + y

    with shapewatch.watch() as session:
        Cropping(2, 1)(torch.randn(2, 6, 40))
    assert session.report.diagnoses == ()


def test_a_width_is_followed_through_an_index_that_adds_axes() -> None:
    told = failing(Conditioned(), torch.randn(2, 3, 9, 9), torch.randn(2, 5))
    assert told.cause is not None and told.cause.layer == "both"
    assert 16 in [fix.edit["value"] for fix in told.fixes if fix.edit["layer"] == "both" and fix.verified == "forward"]


def test_a_mask_of_scores_for_another_length() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(3, 9, 8)
    told = failing(attention, x, x, x, attn_mask=torch.zeros(12, 12))
    assert told.code == "SW103" and "12 queries and 12 keys, and there are 9 and 9" in told.headline


def test_a_state_of_another_batch() -> None:
    told = failing(nn.GRU(4, 6, batch_first=True), torch.randn(2, 5, 4), torch.zeros(1, 8, 6))
    assert "one of 8 samples" in told.explanation
