"""What a report calls things: inputs, outputs and weights have the names that the program has for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import shapewatch
from shapewatch.report import Diagnosis


def diagnosis(run: Any) -> Diagnosis:
    with pytest.raises((RuntimeError, ValueError)), shapewatch.watch() as session:
        run()
    return session.report.diagnoses[0]


class Joined(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(10, 16)
        self.project = nn.Linear(80, 8)

    def forward(self, noise: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return self.project(torch.cat([noise, self.label(label)], dim=1))


def test_of_several_inputs_the_one_to_change_is_named() -> None:
    noise, digits = torch.ones(32, 64), torch.zeros(20, dtype=torch.int64)
    found = diagnosis(lambda: Joined()(noise, digits))
    assert found.cause is not None and found.cause.reason.startswith("the input noise is [32, 64]; with [20, 64]")
    assert found.fixes[0].code == "# noise of shape [20, 64]"


def test_an_input_that_has_no_name_outside_is_called_as_in_the_forward() -> None:
    found = diagnosis(lambda: Joined()(torch.ones(32, 64), torch.zeros(20, dtype=torch.int64)))
    assert found.cause is not None and "the input noise is [32, 64]" in found.cause.reason


def test_a_layer_that_is_only_counted_is_no_number() -> None:
    mlp = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Sequential(nn.Linear(12, 4)))
    found = diagnosis(lambda: mlp(torch.ones(2, 8)))
    assert found.headline == "layer 2.0 takes vectors of 12 and is given 16"
    assert found.cause is not None and found.cause.layer == "2.0"  # as PyTorch spells it
    assert "layer 0: out_features 12 instead of 16" in [fix.title for fix in found.fixes]


def test_the_line_to_write_has_the_programs_name_for_the_image() -> None:
    photographs = torch.ones(2, 32, 32, 3)
    found = diagnosis(lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3))(photographs))
    assert found.fixes[0].code == "photographs = photographs.permute(0, 3, 1, 2)"


def test_the_line_to_write_has_the_programs_names_for_what_a_loss_compares() -> None:
    tags = torch.zeros(8, 20, dtype=torch.int64)

    def step() -> None:
        scores = nn.Linear(4, 9)(torch.ones(8, 20, 4))
        nn.CrossEntropyLoss()(scores, tags)

    found = diagnosis(step)
    assert found.code == "SW801" and found.fixes[0].code == "scores = scores.transpose(1, -1)"


def test_a_weight_that_the_program_made_itself_is_blamed_by_its_name() -> None:
    def train() -> None:
        first = torch.randn(784, 256, requires_grad=True)
        shift = torch.zeros(256, requires_grad=True)
        second = torch.randn(128, 10, requires_grad=True)
        hidden = functional.relu(torch.ones(32, 784) @ first + shift)
        hidden @ second

    found = diagnosis(train)
    assert found.cause is not None and (found.cause.layer, found.cause.type) == ("second", "variable")
    assert found.cause.location is not None and found.cause.location.source is not None
    assert found.fixes[0].code == "second = torch.randn(256, 10, requires_grad=True)"
    assert found.fixes[0].verified is None


def test_between_one_weight_and_one_there_is_no_telling() -> None:
    def train() -> None:
        first, second = torch.randn(784, 256), torch.randn(128, 10)
        (torch.ones(32, 784) @ first) @ second

    found = diagnosis(train)
    assert found.cause is None


class Halved(nn.Module):
    """An encoder and a decoder with a skip between: the sides have to be multiples of two."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv3d(1, 4, 3, padding=1)
        self.pool = nn.MaxPool3d(2)
        self.up = nn.ConvTranspose3d(4, 4, 2, stride=2)
        self.head = nn.Conv3d(8, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.enter(x)
        return self.head(torch.cat([self.up(self.pool(skip)), skip], 1))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((9, 8, 8), "9 is no multiple of 2"), ((9, 8, 7), "9 and 7 are no multiples of 2"), ((9, 9, 9), "9 is no")],
)
def test_only_the_sides_that_do_not_divide_are_named(sizes: tuple[int, ...], words: str) -> None:
    found = diagnosis(lambda: Halved()(torch.ones(1, 1, *sizes)))
    assert found.cause is not None and words in found.cause.reason


def test_one_layer_in_two_passes_is_not_called_in_two_places() -> None:
    layer = nn.Sequential(nn.Linear(4, 8))
    with pytest.raises(RuntimeError), shapewatch.watch() as session:
        layer(torch.ones(2, 4))
        layer(torch.ones(2, 5))
    found = session.report.diagnoses[0]
    assert found.code == "SW102" and "two places" not in found.explanation


def test_one_layer_in_two_places_of_a_pass_is_said_to_be_so() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Linear(4, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.both(self.both(x))

    found = diagnosis(lambda: Shared()(torch.ones(2, 4)))
    assert "It is one layer, called in two places: earlier in this pass it was given [2, 4]." in found.explanation


class Gated(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(6, width), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values, gates = self.inner(x).chunk(2, 1)
        return self.head(values * gates)


def test_of_what_a_chunk_gives_each_branch_has_its_own() -> None:
    found = diagnosis(lambda: Gated(7)(torch.ones(5, 6)))
    assert found.junction is not None
    assert [branch.path[-1].shape for branch in found.junction.branches] == [(5, 4), (5, 3)]
    assert found.cause is not None and found.cause.layer == "inner"


def test_a_larger_batch_is_no_remedy_for_an_instance_norm() -> None:
    found = diagnosis(lambda: nn.InstanceNorm2d(3)(torch.ones(1, 3, 1, 1)))
    assert found.code == "SW507" and "a larger batch is no help" in found.explanation
    assert not any("[2, 3, 1, 1]" in fix.code for fix in found.fixes)


def test_a_declared_input_is_blamed_at_the_line_that_declares_it() -> None:
    from keras import Input, layers

    def build() -> None:
        photographs = Input((30, 32, 3))
        small = layers.MaxPooling2D()(layers.MaxPooling2D()(photographs))
        again = layers.UpSampling2D(4)(small)
        layers.Concatenate()([photographs, again])

    found = diagnosis(build)
    assert found.code == "SW401" and found.cause is not None and found.cause.location is not None
    assert (found.cause.layer, found.cause.location.source) == ("input", "photographs = Input((30, 32, 3))")
    assert found.fixes[0].code == "photographs = Input((28, 32, 3))"


# Weights that are loaded


def test_weights_are_called_as_the_line_calls_them_that_loads_them() -> None:
    net, other = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3)), nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 5))
    state = other.state_dict()
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        net.load_state_dict(state, strict=False)
    (told,) = session.report.diagnoses
    assert told.explanation.endswith("`strict=False` passes over names that are missing, and over no sizes.")
    assert [each.code for each in told.suspects if "k: v" in each.code] == [
        "state = {k: v for k, v in state.items() if v.shape == net.state_dict()[k].shape}\n"
        "net.load_state_dict(state, strict=False)"
    ]
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        net.load_state_dict(dict(state))
    (told,) = session.report.diagnoses
    assert any("weights = {k: v for k, v in weights.items()" in each.code for each in told.suspects)
    assert "strict=False`" not in told.explanation
