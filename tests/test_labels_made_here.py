"""Labels that a program makes itself, as many as a batch has that is whole."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.support.told import best, failing, reason


def judge() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 1), nn.Sigmoid(), nn.Flatten(0))


def judged(rows: int) -> None:
    model, loss = judge(), nn.BCELoss()
    loader = DataLoader(torch.rand(20, 6), batch_size=rows)
    for batch in loader:
        true = torch.full((rows,), 1.0)
        loss(model(batch), true).backward()


def judged_in_columns(rows: int) -> None:
    model, loss = nn.Sequential(nn.Linear(6, 1)), nn.functional.binary_cross_entropy_with_logits
    for batch in DataLoader(torch.rand(20, 6), batch_size=rows):
        true = torch.ones(rows, 1).to("cpu")
        answers = model(batch.float())
        loss(answers, true).backward()


def made_before_the_loop(rows: int) -> None:
    model, loss, true = judge(), nn.BCELoss(), torch.ones(rows)
    for batch in DataLoader(torch.rand(20, 6), batch_size=rows):
        loss(model(batch), true).backward()


def as_many_as_come(rows: int) -> None:
    """It is what is drawn that is of another number than the data."""
    model, loss = judge(), nn.BCELoss()
    for batch in DataLoader(torch.rand(20, 6), batch_size=rows):
        true = torch.ones(batch.size(0))
        drawn = torch.rand(rows, 6)
        loss(model(drawn), true).backward()


def test_labels_are_made_for_as_many_samples_as_come() -> None:
    told = failing(judged, 8)
    assert best(told) == ("true = torch.full((batch.size(0),), 1.0)", None)
    assert reason(told) == "true is made for 8 samples, and this batch has 4"
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "true = torch.full((rows,), 1.0)"
    assert "of another batch" not in told.explanation
    assert "drop_last=True" in told.fixes[1].code


def test_what_is_handed_on_keeps_its_form() -> None:
    assert best(failing(judged_in_columns, 8))[0] == 'true = torch.ones(batch.size(0), 1).to("cpu")'


def test_where_the_data_are_not_known_yet_or_are_of_that_number_no_line_is_written_anew() -> None:
    for run in (made_before_the_loop, as_many_as_come):
        assert not any("size(0)" in fix.code for fix in failing(run, 8).fixes)
