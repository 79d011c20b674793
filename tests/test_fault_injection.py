"""Every function of shapewatch is made to fail, one at a time: the program gets what it would get unwatched.

The functions are those that a watch really calls, found by watching it call them, so that a new rule, renderer or step
of an adapter is among them by itself. `test_firewall.py` has the places that deserve a name.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support import faults
from support.faults import OwnError, Place, forget_cached, hits
from support.faults_in_torch import ENDS, OF_A_TRIAL
from support.residual import Net, failure, image, our_notes
from torch import nn
from torch.overrides import _get_current_function_mode_stack

import shapewatch
from shapewatch import render
from shapewatch.firewall import Faults

pytestmark = pytest.mark.own_faults

PARTS = (
    "watching", "recorder", "recording", "report", "source", "codec", "edits", "axes", "flow", "rules",
    "diagnose", "demand", "repair", "render", "messages", "adapters.located", "adapters.spoken", "adapters.written",
    "adapters.operand", "adapters.statements", "adapters.rewritten", "adapters.taps", "adapters.appearing",
    "adapters.torch",
)  # fmt: skip

THE_WALL_ITSELF = {
    # What the program itself calls, and what PyTorch calls: their own lines, up to the `try` in them.
    "watching.watch", "watching.wishes.refuse_wish", "watching.session.Session.__init__",
    "watching.session.Session.__enter__", "watching.session.Session.__exit__", "watching.session.Session.report",
    "watching.session.Session._as_wished", "watching.session.Session._instrument",
    "adapters.torch.instrument.Instrument._before", "adapters.torch.instrument.Instrument._after",
    "adapters.torch.instrument.Instrument.__torch_function__", "adapters.torch.instrument.Instrument._asleep",
    "adapters.torch.instrument._in_backward", "adapters.torch.instrument._is_of_keras",
    "adapters.torch.TorchAdapter.owns", "firewall.own_fault", "adapters.taps.Tap._replacing.tapped",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """PyTorch's threads wait for one another longer than such small networks take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def reached(run: Callable[[], Any], parts: tuple[str, ...], ends: bool = False) -> list[Place]:
    """The functions of these parts that a program makes us call."""
    called = [place for place in faults.reached(run, parts) if place.name not in THE_WALL_ITSELF]
    return [place for place in called if place.name.startswith(ENDS) == ends]


@pytest.fixture(autouse=True)
def taken_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a watch that could not end has left is taken off. A thousand faults are not printed."""
    monkeypatch.delenv("SHAPEWATCH_DEBUG", raising=False)
    finders, hooks = list(sys.meta_path), {name: dict(value) for name, value in _global_hooks()}
    yield
    forget_cached()
    sys.meta_path[:] = finders
    for name, value in _global_hooks():
        value.clear()
        value.update(hooks[name])


def _global_hooks() -> list[tuple[str, dict[Any, Any]]]:
    everything = vars(nn.modules.module).items()
    return [(name, value) for name, value in everything if name.startswith("_global_") and isinstance(value, dict)]


# Programs


def sound(model: nn.Module) -> tuple[torch.Tensor, Any]:
    with shapewatch.watch(model) as session:
        y = model(image())
    return y, session.report


def broken(run: Callable[[], Any], *target: Any) -> tuple[Exception, list[Any], Any]:
    """What leaves a watched block, what was raised in it, and the report."""
    raised: list[Any] = []
    session = shapewatch.watch(*target)

    def inside() -> None:
        with session:
            try:
                run()
            except Exception as error:
                raised.extend((error, error.args, str(error)))
                raise

    return failure(inside), raised, session.report


def a_product() -> torch.Tensor:
    return torch.ones(2, 3) @ torch.ones(2, 3)


def programs_frames(error: BaseException) -> list[tuple[str, str, int | None]]:
    """The program's own frames in a traceback. That PyTorch goes another way where there are hooks is taken out of it
    by functions that may fail too."""
    libraries = (str(shapewatch.__path__[0]), str(torch.__path__[0]))
    entries = traceback.extract_tb(error.__traceback__)[1:]
    return [(e.filename, e.name, e.lineno) for e in entries if not e.filename.startswith(libraries)]


def is_intact(place: Place, run: Callable[[], Any], target: nn.Module | None, expected: Any) -> list[str]:
    """What is wrong with a program that fails while this function of ours fails too."""
    faults = Faults.count
    with place.failing(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            error, raised, report = broken(run, target)
        except Exception as fault:
            return [f"{place.name}: {fault!r} instead of an exception"]
    found = {
        "another exception": not raised or error is not raised[0],
        "other arguments": not raised or (error.args, str(error)) != tuple(raised[1:]),
        "a cause or context": error.__cause__ is not None or error.__context__ is not None,
        "too many notes": len(our_notes(error)) > 1 or len(our_notes(error)) != len(getattr(error, "__notes__", ())),
        "other frames": programs_frames(error) != expected,
        "no report": not isinstance(report, shapewatch.Report),
        "a mode is left": bool(_get_current_function_mode_stack()) and not place.name.startswith(ENDS),
        "not counted": bool(hits) and Faults.count == faults and not place.name.startswith(OF_A_TRIAL),
    }
    _clear_modes()
    return [f"{place.name}: {what}" for what, wrong in found.items() if wrong]


def is_unaffected(place: Place, model: nn.Module, expected: torch.Tensor) -> list[str]:
    """What is wrong with a sound program while this function of ours fails."""
    faults = Faults.count
    with place.failing():
        try:
            y, report = sound(model)
        except Exception as fault:
            return [f"{place.name}: {fault!r} instead of a result"]
    found = {
        "another result": not torch.equal(y, expected),
        "a diagnosis": bool(report.diagnoses),
        "a mode is left": bool(_get_current_function_mode_stack()) and not place.name.startswith(ENDS),
        "not counted": bool(hits) and Faults.count == faults,
    }
    _clear_modes()
    return [f"{place.name}: {what}" for what, wrong in found.items() if wrong]


def _clear_modes() -> None:
    from torch.overrides import _pop_mode

    while _get_current_function_mode_stack():
        _pop_mode()


# The proof


def test_a_sound_pass() -> None:
    model = Net().eval()
    expected, tried = model(image()), reached(lambda: sound(model), PARTS)
    assert len(tried) > 60
    assert [wrong for place in tried for wrong in is_unaffected(place, model, expected)] == []


def test_a_failing_operation() -> None:
    tried = reached(lambda: broken(a_product), PARTS)
    assert len(tried) > 120
    expected = programs_frames(broken(a_product)[0])
    assert [wrong for place in tried for wrong in is_intact(place, a_product, None, expected)] == []


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 20], ids=["all", "some"])
def test_a_failing_model_and_its_repair(every: int) -> None:
    model = Net(stride=2)

    def run() -> Any:
        return model(image())

    tried = reached(lambda: broken(run, model), PARTS)
    assert len(tried) > 300
    expected = programs_frames(broken(run, model)[0])
    assert [wrong for place in tried[::every] for wrong in is_intact(place, run, model, expected)] == []


def ends_that_fail() -> list[str]:
    model, unsound = Net().eval(), Net(stride=2)

    def run() -> Any:
        return unsound(image())

    expected, frames = model(image()), programs_frames(broken(run, unsound)[0])
    wrong: list[str] = []
    for place in reached(lambda: sound(model), PARTS, ends=True):
        wrong += is_unaffected(place, model, expected)
        wrong += is_intact(place, run, unsound, frames)
    return wrong


def test_a_watch_that_cannot_be_taken_off() -> None:
    code = "import test_fault_injection as t; print(*t.ends_that_fail(), sep='\\n', end='')"
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(shapewatch.__path__[0]).parent)])
    environment = {**os.environ, "PYTHONPATH": paths, "SHAPEWATCH_DEBUG": "0"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


# What only makes a report


@pytest.fixture(scope="module")
def report() -> Any:
    model = Net(stride=2)
    return broken(lambda: model(image()), model)[2]


@pytest.mark.parametrize("suffix", [format.suffix for format in render.FORMATS.values()])
def test_a_report_is_saved_whole_or_not_at_all(suffix: str, report: Any, tmp_path: Any) -> None:
    """A renderer that fails gives a plain report or one error; a file is never half written, and an older one stays."""
    file = tmp_path / f"report{suffix}"
    report.save(file)
    whole = file.read_text()
    tried = reached(lambda: report.save(file), ("render", "report", "codec"))
    assert tried
    for place in tried:
        file.write_text(whole)
        with place.failing(), contextlib.suppress(OwnError):  # the fault itself, and nothing that follows from it
            report.save(file)
        written = file.read_text()
        assert written == whole or (suffix in (".txt", ".html") and "SW201" in written), place.name
        assert sorted(each.name for each in tmp_path.iterdir()) == [file.name], place.name


SHOWING = {"report.Report.__str__", "render.as_text", "render._in_short"}
"""The wall itself, again."""


@pytest.mark.parametrize("show", [str])
def test_a_report_can_always_be_shown(show: Callable[[Any], str], report: Any) -> None:
    tried = reached(lambda: show(report), ("render", "report"))
    for place in tried:
        if place.name in SHOWING:
            continue
        faults = Faults.count
        with place.failing():
            shown = show(report)
        assert shown, place.name
        assert not hits or Faults.count > faults, place.name
