"""Losses: who is named when output and target do not fit, and what is proposed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch import nn
from torch.nn import functional

import shapewatch
from shapewatch.report import Diagnosis, Report


def failing(program: Any) -> tuple[Diagnosis, Report]:
    """The one diagnosis of a program that raises."""
    session = shapewatch.watch()
    with pytest.raises(Exception), session:  # noqa: B017 - which one is the frameworks' affair
        program()
    (diagnosis,) = session.report.diagnoses
    return diagnosis, session.report


class Net(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 8)
        self.head = nn.Linear(8, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.hidden(x).relu())
        return logits


def cause(diagnosis: Diagnosis) -> str | None:
    return diagnosis.cause.layer if diagnosis.cause is not None else None


# PyTorch


def test_the_head_is_named_when_the_labels_have_more_classes() -> None:
    diagnosis, report = failing(lambda: nn.CrossEntropyLoss()(Net(3)(torch.ones(5, 4)), torch.ones(5, 7)))
    assert (diagnosis.code, cause(diagnosis)) == ("SW804", "head")
    assert diagnosis.fixes[0].edit["value"] == 7
    assert diagnosis.fixes[0].verified == "junction" and diagnosis.fixes[0].output_shape == (5, 7)
    assert report.recording.root == "Net"


@pytest.mark.parametrize(
    "target, code, change",
    [
        (torch.zeros(5, 1).long(), "SW802", "squeeze"),
        (torch.zeros(5, 3).long(), "SW804", "numbers"),
        (torch.zeros(4).long(), "SW803", "shape"),
    ],
)
def test_the_labels_are_named_when_they_are_of_another_form(target: torch.Tensor, code: str, change: str) -> None:
    diagnosis, _ = failing(lambda: functional.cross_entropy(Net(3)(torch.ones(5, 4)), target))
    assert (diagnosis.code, cause(diagnosis)) == (code, "target")
    assert diagnosis.fixes[0].edit["change"] == change
    assert diagnosis.fixes[0].verified is None and diagnosis.fixes[0].why_not
    with pytest.raises(ValueError, match="no change of a model"):
        diagnosis.fixes[0].applied(Net(3))


def test_a_label_beyond_the_classes_by_one_may_be_a_count_from_one() -> None:
    labels = torch.tensor([1, 2, 3, 1, 2])
    diagnosis, _ = failing(lambda: functional.cross_entropy(Net(3)(torch.ones(5, 4)), labels))
    assert diagnosis.code == "SW804" and diagnosis.cause is None
    assert "label 3" in diagnosis.headline and "0 to 2" in diagnosis.headline


def test_a_label_far_beyond_the_classes_asks_for_a_wider_head() -> None:
    diagnosis, _ = failing(lambda: functional.cross_entropy(Net(3)(torch.ones(5, 4)), torch.tensor([0, 6, 1, 0, 2])))
    assert (diagnosis.code, cause(diagnosis)) == ("SW804", "head")
    assert diagnosis.fixes[0].edit["value"] == 7


def test_the_mark_for_no_class_widens_no_head() -> None:
    diagnosis, _ = failing(lambda: functional.cross_entropy(Net(3)(torch.ones(5, 4)), torch.full((5,), 255)))
    assert diagnosis.code == "SW804" and diagnosis.cause is None


def test_classes_on_the_last_axis_are_seen() -> None:
    diagnosis, _ = failing(
        lambda: nn.CrossEntropyLoss()(nn.Linear(6, 9)(torch.ones(2, 7, 6)), torch.zeros(2, 7).long())
    )
    assert diagnosis.code == "SW801"
    assert diagnosis.fixes[0].edit["change"] == "output-moved"


def coarse(*last: nn.Module) -> nn.Sequential:
    """A network for segmentation that divides the picture by 4."""
    return nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 5, 3, 2, 1), *last)


def compare_maps(model: nn.Module, size: int) -> None:
    out, masks = model(torch.ones(2, 3, 64, 48)), torch.zeros(2, size, 48).long()
    functional.cross_entropy(out, masks)


def test_a_coarse_map_is_resized_to_its_labels() -> None:
    diagnosis, _ = failing(lambda: compare_maps(coarse(), 64))
    assert (diagnosis.code, cause(diagnosis)) == ("SW801", "output")
    assert diagnosis.fixes[0].code == 'out = functional.interpolate(out, size=masks.shape[-2:], mode="bilinear")'
    assert diagnosis.fixes[0].verified is None


def test_a_mask_of_one_channel_is_larger() -> None:
    def compare() -> None:
        out, masks = coarse(nn.Conv2d(5, 1, 1))(torch.ones(2, 3, 64, 48)), torch.ones(2, 1, 64, 48)
        functional.binary_cross_entropy_with_logits(out, masks)

    diagnosis, _ = failing(compare)
    assert diagnosis.fixes[0].code == 'out = functional.interpolate(out, size=masks.shape[-2:], mode="bilinear")'


def test_a_slip_in_the_model_comes_before_a_resize_behind_it() -> None:
    diagnosis, _ = failing(lambda: compare_maps(coarse(nn.Upsample(scale_factor=2)), 64))
    assert (cause(diagnosis), diagnosis.fixes[0].edit["argument"]) == ("3", "scale_factor")
    assert "output-resized" in [fix.edit.get("change") for fix in diagnosis.fixes]


def test_a_map_stretched_one_way_alone_is_not_a_coarser_one() -> None:
    diagnosis, _ = failing(lambda: compare_maps(coarse(nn.Upsample(scale_factor=4)), 96))
    assert not any(fix.edit.get("change") == "output-resized" for fix in diagnosis.fixes)


@pytest.mark.parametrize("sides", [(62, 48), (63, 47), (65, 49)])
def test_an_output_whose_sides_are_rounded_is_resized_to_its_labels(sides: tuple[int, int]) -> None:
    """Divided by 4 with rounding and taken times 4. A factor of 3.875 is nothing that somebody writes."""
    model = coarse(nn.Upsample(scale_factor=4))
    masks = torch.zeros(2, *sides).long()
    diagnosis, _ = failing(lambda: functional.cross_entropy(model(torch.ones(2, 3, *sides)), masks))
    assert (diagnosis.code, cause(diagnosis)) == ("SW801", "output")
    assert diagnosis.fixes[0].edit["change"] == "output-resized"
    assert "rounded" in diagnosis.explanation
    assert not [fix for fix in diagnosis.fixes if fix.edit.get("argument") == "scale_factor"]


def test_a_lost_padding_is_given_back_before_anything_is_resized() -> None:
    model, masks = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 5, 1)), torch.zeros(2, 66, 66).long()
    diagnosis, _ = failing(lambda: functional.cross_entropy(model(torch.ones(2, 3, 66, 66)), masks))
    assert (cause(diagnosis), diagnosis.fixes[0].edit["argument"]) == ("0", "padding")


class Flattens(nn.Module):
    """`view(-1, 64)` of maps with 256 numbers each: four rows for every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(64, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(self.conv(x).view(-1, 64))
        return logits


def test_a_batch_that_a_view_multiplied_is_traced_to_the_view() -> None:
    labels = torch.zeros(8).long()
    diagnosis, _ = failing(lambda: functional.cross_entropy(Flattens()(torch.ones(8, 3, 10, 10)), labels))
    assert diagnosis.code == "SW803" and "view" in diagnosis.explanation
    assert diagnosis.fixes[0].output_shape == (8, 5)
    assert {edit.get("argument") for edit in diagnosis.fixes[0].edit["edits"]} == {"shape", "in_features"}


def test_a_model_stays_the_root_when_its_loss_is_a_module() -> None:
    with shapewatch.watch() as session:
        nn.CrossEntropyLoss()(Net(3)(torch.ones(5, 4)), torch.zeros(5).long())
    assert session.report.recording.root == "Net"
    assert session.report.output == (5, 3)
    assert session.report.diagnoses == ()


def test_scores_compared_with_labels_make_no_layer_as_wide_as_the_batch() -> None:
    diagnosis, _ = failing(lambda: Net(3)(torch.ones(5, 4)) == torch.zeros(5))
    assert diagnosis.code == "SW202" and diagnosis.cause is None and diagnosis.fixes == ()


# Keras


def compiled(loss: str, *stack: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(4, 3), *stack])
    model.compile("sgd", loss)
    return model


X = np.ones((12, 6, 6, 1), "float32")


def fitted(loss: str, y: np.ndarray[Any, Any], *stack: Any) -> Diagnosis:
    model = compiled(loss, *stack)
    diagnosis, _ = failing(lambda: model.fit(X, y, verbose=0))
    return diagnosis


def test_units_against_one_hot_labels() -> None:
    diagnosis = fitted("categorical_crossentropy", np.zeros((12, 10)), layers.Flatten(), layers.Dense(5, name="head"))
    assert (diagnosis.code, cause(diagnosis)) == ("SW804", "head")
    assert diagnosis.fixes[0].edit["value"] == 10


@pytest.mark.parametrize(
    "loss, y, change",
    [
        ("categorical_crossentropy", np.zeros(12), "one-hot"),
        ("categorical_crossentropy", np.zeros((12, 1)), "one-hot"),
        ("sparse_categorical_crossentropy", np.zeros((12, 10)), "numbers"),
    ],
)
def test_labels_of_the_other_form(loss: str, y: np.ndarray[Any, Any], change: str) -> None:
    diagnosis = fitted(loss, y, layers.Flatten(), layers.Dense(10))
    assert (diagnosis.code, cause(diagnosis)) == ("SW804", "target")
    assert diagnosis.fixes[0].edit["change"] == change


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_a_missing_flatten_is_missing_before_the_first_dense_layer(loss: str) -> None:
    y = np.zeros((12, 10)) if loss.startswith("categorical") else np.zeros(12)
    diagnosis = fitted(loss, y, layers.Dense(16, name="first"), layers.Dense(10, name="second"))
    assert (diagnosis.code, cause(diagnosis)) == ("SW802", "first")
    assert diagnosis.fixes[0].output_shape == (None, 10)


def test_a_label_that_the_graph_finds_out_of_range() -> None:
    diagnosis = fitted(
        "sparse_categorical_crossentropy", np.full(12, 6), layers.Flatten(), layers.Dense(3, name="head")
    )
    assert (diagnosis.code, cause(diagnosis)) == ("SW804", "head")
    assert "label 6" in diagnosis.headline and "0 to 2" in diagnosis.headline


def test_labels_of_the_validation_are_named_when_those_of_the_training_fitted() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((12, 4)), np.ones((12, 2))
    diagnosis, _ = failing(lambda: model.fit(x, y, validation_data=(x, np.ones((12, 3))), verbose=0))
    assert (diagnosis.code, cause(diagnosis)) == ("SW801", "target")


def test_a_loss_of_the_programs_own_is_looked_into() -> None:
    def loss(y: Any, output: Any) -> Any:
        return keras.ops.mean((y - output) ** 2)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="head")])
    model.compile("sgd", loss)
    diagnosis, _ = failing(lambda: model.fit(np.ones((12, 4)), np.ones((12, 3)), verbose=0))
    assert (diagnosis.code, cause(diagnosis)) == ("SW201", "head")


@pytest.mark.parametrize(
    "loss, y", [("mse", np.zeros(12)), ("binary_crossentropy", np.zeros((12, 1))), ("mae", np.zeros((12, 1)))]
)
def test_what_keras_brings_to_one_rank_by_itself_is_no_fault(loss: str, y: np.ndarray[Any, Any]) -> None:
    model = compiled(loss, layers.Flatten(), layers.Dense(1))
    with shapewatch.watch() as session:
        model.fit(X, y, verbose=0)
    assert session.report.diagnoses == ()
    assert [call.kind for call in session.report.calls].count("loss") >= 1


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(9, 4), nn.Linear(4, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.embed(x))


def test_an_output_without_a_name_is_changed_in_the_line_of_the_loss() -> None:
    model, criterion, tokens = Words(), nn.CrossEntropyLoss(), torch.randint(0, 9, (3, 6))
    labels = tokens.roll(1, 1)

    def program() -> None:
        criterion(model(tokens), labels)

    told, _ = failing(program)
    assert told.fixes[0].code == "criterion(model(tokens).transpose(1, -1), labels)"

    def named() -> None:
        scores = model(tokens)
        criterion(scores, labels)

    told, _ = failing(named)
    assert told.fixes[0].code == "scores = scores.transpose(1, -1)"
