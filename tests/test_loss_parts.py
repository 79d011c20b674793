"""Losses of several tensors: which of them do not fit each other, by the program's names, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis


def failing(run: Callable[[], object]) -> Diagnosis:
    session = shapewatch.watch()
    with pytest.raises((RuntimeError, ValueError)), session:
        run()
    return session.report.diagnoses[0]


class Towers(nn.Module):
    def __init__(self, one: int, other: int) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(6, one), nn.Linear(7, other)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.one(x), self.other(y)


@pytest.mark.parametrize(
    ("classes_last", "moved"), [(True, ".transpose(0, 1)"), (False, ".permute(2, 0, 1)")], ids=["last", "in the middle"]
)
def test_sequences_with_the_batch_first(classes_last: bool, moved: str) -> None:
    def run() -> None:
        encoder = nn.Linear(6, 11)
        scores = encoder(torch.randn(8, 50, 6))
        turned = scores if classes_last else scores.transpose(1, 2)
        found = F.log_softmax(turned, dim=2 if classes_last else 1)
        labels = torch.randint(1, 11, (8, 9))
        nn.CTCLoss()(found, labels, torch.full((8,), 50), torch.full((8,), 9))

    told = failing(run)
    assert told.code == "SW806" and "found [8, " in told.headline
    assert told.fixes[0].code == f"found = found{moved}"


def test_a_length_for_each_sequence() -> None:
    def run() -> None:
        scores = nn.Linear(6, 11)(torch.randn(50, 8, 6)).log_softmax(-1)
        steps = torch.full((1,), 50)
        F.ctc_loss(scores, torch.randint(1, 11, (8, 9)), steps, torch.full((8,), 9))

    told = failing(run)
    assert "steps has 1 length, and there are 8 samples" in told.headline and told.fixes == ()


def test_towers_of_two_widths() -> None:
    def run() -> None:
        left, right = Towers(16, 12)(torch.randn(4, 6), torch.randn(4, 7))
        nn.CosineEmbeddingLoss()(left, right, torch.ones(4))

    told = failing(run)
    assert "left [4, 16] and right [4, 12]" in told.headline
    assert {fix.edit["layer"]: fix.edit["value"] for fix in told.fixes} == {"one": 12, "other": 16}


def test_one_number_for_each_pair() -> None:
    def run() -> None:
        left, right = Towers(16, 16)(torch.randn(4, 6), torch.randn(4, 7))
        alike = torch.ones(4, 1)
        nn.CosineEmbeddingLoss()(left, right, alike)

    assert failing(run).fixes[0].code == "alike = alike.squeeze(1)"


def test_scores_that_are_ranked_have_one_axis_more() -> None:
    def run() -> None:
        better, worse = Towers(1, 1)(torch.randn(4, 6), torch.randn(4, 7))
        sign = torch.ones(4)
        nn.MarginRankingLoss()(better, worse, sign)

    assert failing(run).fixes[0].code == "sign = sign.unsqueeze(1)"


def test_triplets_of_unequally_many_samples() -> None:
    def run() -> None:
        net = nn.Linear(6, 5)
        near, far = net(torch.randn(4, 6)), net(torch.randn(3, 6))
        nn.TripletMarginLoss()(net(torch.randn(4, 6)), near, far)

    told = failing(run)
    assert told.code == "SW806" and "near [4, 5] and far [3, 5]" in told.headline
    assert "as many samples" in told.headline


def test_a_variance_for_each_number() -> None:
    def run() -> None:
        mean, spread = Towers(3, 2)(torch.randn(4, 6), torch.randn(4, 7))
        nn.GaussianNLLLoss()(mean, torch.randn(4, 3), spread.exp())

    told = failing(run)
    assert told.code == "SW806" and "mean is [4, 3]" in told.headline
    assert (told.fixes[0].edit["layer"], told.fixes[0].edit["value"]) == ("other", 3)


def test_a_negative_variance_is_no_matter_of_shapes() -> None:
    session = shapewatch.watch()
    with pytest.raises(ValueError, match="negative"), session:
        nn.GaussianNLLLoss()(torch.zeros(4, 3), torch.zeros(4, 3), -torch.ones(4, 3))
    assert not any(told.code == "SW806" for told in session.report.diagnoses)


@pytest.mark.parametrize(
    "criterion",
    [nn.CrossEntropyLoss(weight=torch.ones(4)), nn.BCEWithLogitsLoss(pos_weight=torch.ones(4))],
    ids=["weight", "pos_weight"],
)
def test_weights_for_other_classes(criterion: nn.Module) -> None:
    def run() -> None:
        output = nn.Linear(6, 5)(torch.randn(8, 6))
        labels = torch.randint(0, 4, (8,)) if isinstance(criterion, nn.CrossEntropyLoss) else torch.rand(8, 5)
        criterion(output, labels)

    told = failing(run)
    assert told.code == "SW806" and "for 4 classes, and the output [8, 5] has 5" in told.headline


def test_what_fits_says_nothing() -> None:
    with shapewatch.watch() as session:
        scores = nn.Linear(6, 11)(torch.randn(50, 8, 6)).log_softmax(-1)
        nn.CTCLoss()(scores, torch.randint(1, 11, (8, 9)), torch.full((8,), 50), torch.full((8,), 9))
        left, right = Towers(16, 16)(torch.randn(4, 6), torch.randn(4, 7))
        nn.CosineEmbeddingLoss()(left, right, torch.ones(4))
        nn.GaussianNLLLoss()(left, torch.randn(4, 16), right.exp())
        nn.CrossEntropyLoss(weight=torch.ones(16))(left, torch.randint(0, 16, (4,)))
        nn.MarginRankingLoss()(left, right, torch.ones(4, 1))
    assert session.report.diagnoses == ()
