"""Tables of positions of models that read the time first, in models that read the batch first."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis

STEPS, WIDTH = 7, 8


class Tagger(nn.Module):
    """Takes indices [batch, time], or [time, batch]; `by` is the axis whose size the table is cut to."""

    def __init__(self, by: int = 0, rows: int = 50, **of_encoder: Any) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, WIDTH)
        self.by = by
        self.register_buffer("pe", torch.rand(rows, 1, WIDTH))
        self.encoder = nn.TransformerEncoderLayer(WIDTH, 2, 16, **of_encoder)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        table = self.pe[: x.size(self.by)]
        return self.encoder(x + (table.transpose(0, 1) if self.by else table))


def tokens(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.long)


def told(model: nn.Module, x: torch.Tensor) -> list[Diagnosis]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = shapewatch.watch(model)
        try:
            with session:
                model(x)
        except RuntimeError:
            pass
    return list(session.report.diagnoses)


def test_a_table_that_is_laid_over_the_batch_is_warned_of() -> None:
    model = Tagger(batch_first=True)
    (diagnosis,) = told(model, tokens(5, STEPS))
    assert (diagnosis.code, diagnosis.severity) == ("SW692", "warning")
    fix = diagnosis.fixes[0]
    assert fix.verified == "forward" and "table = self.pe[: x.size(1)]" in fix.code.replace("[:x", "[: x")
    right = Tagger(by=1, batch_first=True)
    right.load_state_dict(model.state_dict())
    with fix.applied(model):
        torch.testing.assert_close(model.eval()(tokens(5, STEPS)), right.eval()(tokens(5, STEPS)))


def test_so_is_one_that_is_too_short_for_the_batch_when_it_raises() -> None:
    (diagnosis,) = told(Tagger(rows=12, batch_first=True), tokens(20, STEPS))
    assert (diagnosis.code, diagnosis.severity) == ("SW202", "error")
    assert diagnosis.fixes[0].verified == "forward" and "enc" in diagnosis.cause.reason


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Tagger(by=0), (STEPS, 5)),
        (Tagger(by=1, batch_first=True), (5, STEPS)),
        (Tagger(by=0, batch_first=True), (1, 1)),
    ],
    ids=["the time first", "cut to the steps", "one of each"],
)
def test_a_table_in_its_place_is_left_alone(model: nn.Module, shape: tuple[int, ...]) -> None:
    assert told(model, tokens(*shape)) == []


def test_where_nothing_tells_which_axis_is_the_batch_nothing_is_said() -> None:
    class Unknown(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.out = nn.Embedding(30, WIDTH), nn.Linear(WIDTH, 3)
            self.register_buffer("pe", torch.rand(50, 1, WIDTH))

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            x = self.embed(tokens)
            return self.out(x + self.pe[: x.size(0)])

    assert told(Unknown(), tokens(5, STEPS)) == []
