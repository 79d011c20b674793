"""Faults of shapewatch itself, made on purpose: they cost an explanation, never the user's result or exception."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch import diagnose, recorder, render, repair
from shapewatch.adapters import torch as adapter
from shapewatch.adapters.torch import dryrun, instrument, kinds, operations, tensors
from shapewatch.diagnose import cases, failures
from shapewatch.firewall import Faults
from shapewatch.rules import RULES
from shapewatch.watching import session as of_a_block

pytestmark = pytest.mark.own_faults


class OwnError(Exception):
    """A fault of shapewatch itself."""


def boom(*_: Any, **__: Any) -> NoReturn:
    raise OwnError("inside shapewatch")


class Block(nn.Module):
    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, stride, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(x) + x)


def call(model: nn.Module) -> torch.Tensor:
    return model(torch.ones(1, 3, 6, 6))


BROKEN_RULES = tuple(replace(rule, check=boom) for rule in RULES)

PLACES: dict[str, tuple[object, str, Any]] = {
    "every rule": (cases, "RULES", BROKEN_RULES),
    "junctions": (diagnose, "find_junctions", boom),
    "diagnose": (of_a_block, "diagnose", boom),
    "candidates": (failures, "propose", boom),
    "search": (repair.Search, "run", boom),
    "writing": (adapter.TorchAdapter, "write", boom),
    "note": (render, "note_of", boom),
    "recording an operation": (operations.Operations, "ended", boom),
    "entering a layer": (instrument.Instrument, "_enter_layer", boom),
    "leaving a layer": (instrument.Instrument, "_leave_layer", boom),
    "numbering a value": (tensors.Values, "numbers", boom),
    "facts of a call": (kinds, "call_facts", boom),
    "facts of a layer": (kinds, "layer_facts", boom),
    "the end of a recording": (instrument.Instrument, "finish", boom),
    "what came out": (instrument.Instrument, "output", boom),
    "the end of the recorder": (recorder.Recorder, "finish", boom),
    "a probe": (adapter.Watched, "probe", boom),
    "making a probe": (dryrun.TorchProbe, "__init__", boom),
    "running a probe": (dryrun.TorchProbe, "run", boom),
    "copying the model": (dryrun.TorchProbe, "_copy", boom),
    "tracebacks": (of_a_block, "without_own_frames", boom),
    "the last word": (of_a_block, "explain_on", boom),
    "beginning": (instrument.Instrument, "__init__", boom),
    "hooking": (instrument, "register_module_forward_hook", boom),
    "the function mode": (instrument.TorchFunctionMode, "__enter__", boom),
}

ON_THE_ERROR_PATH = {
    "candidates", "search", "writing", "note", "running a probe", "copying the model", "tracebacks", "the last word",
}  # fmt: skip


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(*PLACES[request.param])
    return request.param


def test_a_result_is_what_it_would_be(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    model, faults = Block(), Faults.count
    with shapewatch.watch(model) as session:
        y = call(model)
    assert y.shape == (1, 3, 6, 6)
    assert session.report.diagnoses == ()
    if place not in ON_THE_ERROR_PATH:
        assert Faults.count > faults
        assert "shapewatch: a fault of its own" in (shown := capsys.readouterr().err) and "OwnError" in shown


def test_an_exception_is_what_it_would_be(place: str) -> None:
    model, faults, raised = Block(stride=2), Faults.count, []
    with pytest.raises(RuntimeError) as caught, shapewatch.watch(model) as session:
        try:
            call(model)
        except RuntimeError as error:
            raised.append((error, error.args))
            raise
    error = caught.value
    assert (error, error.args) == raised[0] and type(error) is RuntimeError
    assert len(getattr(error, "__notes__", ())) <= 1
    assert "size of tensor" in str(error)
    assert error.__cause__ is None and error.__context__ is None
    assert isinstance(session.report, shapewatch.Report)
    if place != "copying the model":  # copied in another way instead
        assert Faults.count > faults and isinstance(Faults.last, OwnError)


def test_a_decorated_model_works_on(place: str) -> None:
    model = shapewatch.watch(type("Decorated", (Block,), {}))()
    for _ in range(2):
        assert call(model).shape == (1, 3, 6, 6)
    model.conv = nn.Conv2d(3, 3, 3, 2, 1)
    with pytest.raises(RuntimeError, match="size of tensor") as caught:
        call(model)
    assert caught.type is RuntimeError and place


@pytest.mark.parametrize("broken", range(len(RULES)), ids=[rule.name for rule in RULES])
def test_a_broken_rule_is_passed_over(broken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tuple(replace(rule, check=boom) if i == broken else rule for i, rule in enumerate(RULES))
    monkeypatch.setattr(cases, "RULES", rules)
    model = Block(stride=2)
    with pytest.raises(RuntimeError) as caught, shapewatch.watch(model) as session:
        call(model)
    assert caught.type is RuntimeError
    codes = [diagnosis.code for diagnosis in session.report.diagnoses]
    assert codes[:1] == (["SW201"] if RULES[broken].code != "SW201" else codes[:1])


@pytest.mark.parametrize("name", ["every rule", "junctions", "candidates", "search", "writing"])
def test_check_reports_what_it_can(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*PLACES[name])
    report = shapewatch.check(Block(stride=2), torch.ones(1, 3, 6, 6))
    assert report.recording.failure is not None and report.recording.failure.type == "RuntimeError"
    assert report.output is None


def test_faults_are_printed_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(*PLACES["diagnose"])
    printed: list[str] = []
    for asked in ("0", "1"):
        monkeypatch.setenv("SHAPEWATCH_DEBUG", asked)
        with shapewatch.watch():
            call(Block())
        printed.append(capsys.readouterr().err)
    assert printed[0] == ""
    assert "OwnError: inside shapewatch" in printed[1]


def test_what_the_user_breaks_in_a_model_is_not_swallowed() -> None:
    """Only our own code stands behind the firewall."""

    class Broken(Block):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.conv(x)
            boom()

    faults, model = Faults.count, Broken()
    with pytest.raises(OwnError) as caught, shapewatch.watch(model):
        call(model)
    assert Faults.count == faults
    last = traceback.extract_tb(caught.value.__traceback__)[-2:]
    assert [frame.name for frame in last] == ["forward", "boom"]


def hooked(name: str) -> Callable[..., None]:
    def hook(*_: Any) -> None:
        raise OwnError(name)

    return hook


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_an_exception_in_a_hook_of_the_user(register: str) -> None:
    model = Block()
    getattr(model.conv, register)(hooked(register))
    with pytest.raises(OwnError, match=register) as caught, shapewatch.watch() as session:
        call(model)
    assert not hasattr(caught.value, "__notes__")
    assert session.report.ok
