"""`check`: a model run on shapes alone. It reports, raises nothing for a shape error, and moves nothing."""

from __future__ import annotations

import copy
import resource
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch.adapters import InputSpec
from shapewatch.watching import UsageError


class Stage(nn.Module):
    """Halves the map and sets the channels; `width` is what its second convolution expects."""

    def __init__(self, given: int, made: int, width: int | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, made, 3, 2, 1)
        self.norm = nn.BatchNorm2d(made)
        self.conv2 = nn.Conv2d(width or made, made, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(torch.relu(self.norm(self.conv1(x))))


class Classifier(nn.Module):
    def __init__(self, width: int | None = None, features: int = 16) -> None:
        super().__init__()
        self.stage1, self.stage2, self.stage3 = Stage(3, 4), Stage(4, 8, width), Stage(8, 16)
        self.head = nn.Linear(features, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stage3(self.stage2(self.stage1(x))).mean((2, 3)))


def test_a_model_that_fits() -> None:
    report = shapewatch.check(Classifier(), torch.zeros(2, 3, 32, 32))
    assert report.ok and report.diagnoses == () and report.notes == ()
    assert report.output == (2, 5)
    assert report.frameworks == ("torch",)
    assert "stage2.conv1" in [call.layer for call in report.calls]


def test_a_shape_error_is_reported_and_not_raised() -> None:
    report = shapewatch.check(Classifier(features=20), torch.zeros(2, 3, 32, 32))
    assert not report.ok and report.output is None
    (diagnosis,) = report.diagnoses
    assert diagnosis.cause is not None and diagnosis.cause.layer == "head"
    assert diagnosis.fixes[0].verified == "forward" and diagnosis.fixes[0].output_shape == (2, 5)
    assert diagnosis.location is not None and diagnosis.location.file == __file__


def test_every_fault_in_order_with_fixes_that_work_together() -> None:
    model, x = Classifier(width=6, features=20), torch.zeros(2, 3, 32, 32)
    model.stage3.norm = nn.BatchNorm2d(24)
    report = shapewatch.check(model, x)
    assert [diagnosis.layer for diagnosis in report.diagnoses] == ["stage2.conv2", "stage3.norm", "head"]
    assert [d.cause.layer for d in report.diagnoses if d.cause] == ["stage2.conv2", "stage3.norm", "head"]
    with pytest.raises(RuntimeError):
        model(x)
    with ExitStack() as fixes:
        for diagnosis in report.diagnoses:
            fixes.enter_context(diagnosis.fixes[0].applied(model))
        assert model(x).shape == (2, 5)
        assert shapewatch.check(model, x).ok
    with pytest.raises(RuntimeError):
        model(x)


# What the model is given


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.fc = nn.Embedding(50, 8), nn.Linear(8, 3)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        x = self.fc(self.embedding(tokens))
        return x if mask is None else x * mask.unsqueeze(-1)


@pytest.mark.parametrize(
    "given",
    [
        (1, 3, 32, 48),
        [1, 3, 32, 48],
        torch.Size([1, 3, 32, 48]),
        [(1, 3, 32, 48)],
        {"x": (1, 3, 32, 48)},
        InputSpec((1, 3, 32, 48)),
        [InputSpec((1, 3, 32, 48), "float32")],
    ],
    ids=["tuple", "list", "Size", "one of a list", "by name", "spec", "list of specs"],
)
def test_forms_of_input_shape(given: Any) -> None:
    report = shapewatch.check(Classifier(), input_shape=given)
    assert report.ok and report.output == (1, 5)


def test_inputs_by_name_and_with_a_dtype() -> None:
    tokens, mask = InputSpec((2, 7), "int64", "tokens"), InputSpec((2, 7), None, "mask")
    assert shapewatch.check(Named(), input_shape=[tokens, mask]).output == (2, 7, 3)
    assert shapewatch.check(Named(), torch.zeros(2, 7, dtype=torch.int64), mask=torch.ones(2, 7)).output == (2, 7, 3)
    report = shapewatch.check(Named(), tokens=torch.zeros(2, 7, dtype=torch.int64), mask=torch.ones(2, 6))
    assert [diagnosis.code[:3] for diagnosis in report.diagnoses] == ["SW2"]


def test_an_input_takes_the_dtype_of_the_weights() -> None:
    assert shapewatch.check(Classifier().half(), input_shape=(1, 3, 32, 32)).ok
    assert shapewatch.check(nn.Linear(3, 2).double(), input_shape=(1, 3)).output == (1, 2)


@pytest.mark.parametrize(
    "misuse, said",
    [
        (lambda: shapewatch.check(3, torch.zeros(1)), "this is no model: int 3"),
        (lambda: shapewatch.check(torch.relu, torch.zeros(1)), "this is no model"),
        (lambda: shapewatch.check(Classifier, torch.zeros(1)), "Classifier is a class: check(Classifier(...), ...)"),
        (lambda: shapewatch.check(Classifier()), "check() needs inputs or a shape"),
        (lambda: shapewatch.check(Classifier(), torch.zeros(1), input_shape=(1, 3)), "not both"),
        (lambda: shapewatch.check(Classifier(), input_shape=(1, 3, -2, 4)), "(1, 3, 224, 224)"),
        (lambda: shapewatch.check(Classifier(), input_shape="3x4"), "(1, 3, 224, 224)"),
        (lambda: shapewatch.check(Classifier(), input_shape=7), "(1, 3, 224, 224)"),
        (lambda: shapewatch.check(Classifier(), input_shape=[]), "(1, 3, 224, 224)"),
        (lambda: shapewatch.check(Classifier(), input_shape={"x": 3}), "(1, 3, 224, 224)"),
        (lambda: shapewatch.check(Classifier(), input_shape=InputSpec((1, 3), "int99")), "no dtype 'int99'"),
    ],
)
def test_misuse_is_told_in_one_line(misuse: Callable[[], Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        misuse()
    assert said in str(caught.value) and "\n" not in str(caught.value)


# Where shapes are not enough


class Branches(nn.Module):
    def __init__(self, decide: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.fc, self.decide = nn.Linear(4, 4), decide

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.fc(x)
        self.decide(x)
        return x + x


def takes_the_positive(x: torch.Tensor) -> torch.Tensor:
    return x[x > 0].reshape(4, -1)


@pytest.mark.parametrize(
    "decide",
    [
        lambda x: 1 if x.sum() > 0 else 2,
        lambda x: x.max().item(),
        lambda x: int(x.argmax()),
        lambda x: x.nonzero().view(3, -1),
        lambda x: x.tolist(),
        lambda x: x.detach().numpy(),
        takes_the_positive,
        lambda x: torch.unique(x),
    ],
    ids=["if", "item", "int", "nonzero", "tolist", "numpy", "boolean mask", "unique"],
)
def test_what_depends_on_contents_is_said_and_nothing_is_claimed(decide: Callable[[torch.Tensor], Any]) -> None:
    report = shapewatch.check(Branches(decide), torch.ones(2, 4))
    assert report.diagnoses == () and report.output is None
    (note,) = report.notes
    assert note.startswith("Not checked to the end: ") and "content" in note


def test_a_fault_before_the_contents_matter_is_still_found() -> None:
    report = shapewatch.check(Branches(lambda x: x.sum().item()), torch.ones(2, 6))
    (diagnosis,) = report.diagnoses
    assert diagnosis.layer == "fc" and not report.ok
    assert all(fix.verified != "forward" for fix in diagnosis.fixes)
    assert all(fix.why_not for fix in diagnosis.fixes)


def test_an_error_that_is_none_of_shapes_is_no_diagnosis() -> None:
    def stops(x: torch.Tensor) -> None:
        raise KeyError("config", x.shape)

    report = shapewatch.check(Branches(stops), torch.ones(2, 4))
    assert report.diagnoses == () and report.output is None
    assert report.recording.failure is not None and report.recording.failure.type == "KeyError"


# The model afterwards


class Unusual(nn.Module):
    """What is hard to copy, and what a pass would move."""

    def __init__(self, features: int = 4) -> None:
        super().__init__()
        self.fc = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
        self.spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(features, 4))
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.spectral.parametrizations.weight.original
        self.lock = threading.Lock()
        self.cache: dict[str, torch.Tensor] = {}
        self.extra = [torch.ones(4)]
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with self.lock:
            self.cache["last"] = x
            self.extra.append(x[0])
            self.seen += x.mean(0)
        return self.tied(self.spectral(self.fc(x)))


def without_a_lock(features: int = 4) -> nn.Module:
    model = Unusual(features)
    model.lock = torch.no_grad()  # a context manager that is copied easily
    return model


@pytest.mark.parametrize("make", [Unusual, without_a_lock])
@pytest.mark.parametrize("features", [4, 5])
def test_nothing_moves_in_an_unusual_model(make: Callable[[int], nn.Module], features: int) -> None:
    model: Any = make(4).train()
    if features != 4:
        model.fc = nn.Linear(4, 6)
    state = copy.deepcopy(model.state_dict())
    report = shapewatch.check(model, torch.ones(3, 4))
    assert report.notes == () and report.ok == (features == 4)
    assert model.cache == {} and len(model.extra) == 1
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert type(model.seen) is torch.Tensor and type(model.extra[0]) is torch.Tensor


def test_lazy_layers_stay_lazy_and_are_named() -> None:
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(UsageError) as caught:
        shapewatch.check(model, torch.ones(3, 7))
    assert "LazyLinear" in str(caught.value) and "_is_view" not in str(caught.value)
    assert model[0].has_uninitialized_params()
    assert model(torch.ones(3, 5)).shape == (3, 2)


# Large models


def transformer(broken: int | None = None) -> nn.Module:
    with torch.device("meta"):
        layer = nn.TransformerEncoderLayer(4096, 32, 11008, batch_first=True, norm_first=True)
        model = nn.TransformerEncoder(layer, 40, enable_nested_tensor=False).eval()
        if broken is not None:
            model.layers[broken].linear2 = nn.Linear(11008, 4000)
    return model


@pytest.mark.parametrize("broken", [None, 17])
def test_a_model_of_seven_billion_weights_on_the_meta_device(broken: int | None) -> None:
    model = transformer(broken)
    assert sum(parameter.numel() for parameter in model.parameters()) > 6e9
    began, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = shapewatch.check(model, input_shape=(1, 2048, 4096))
    assert time.monotonic() - began < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 1e6  # kilobytes
    if broken is None:
        assert report.ok and report.output == (1, 2048, 4096)
    else:
        cause = report.diagnoses[0].cause
        assert cause is not None and cause.layer == "layers.17.linear2"
