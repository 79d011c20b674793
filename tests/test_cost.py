"""What a recorded pass does at most for a layer, for an operation and for a layer of a pass that is not recorded.

Times hang on the machine; how many of our own functions run does not. `python -m benchmarks.cost` has the times.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

import shapewatch
from shapewatch import source
from shapewatch.adapters.torch import leaf
from shapewatch.report import Report

OWN = str(Path(shapewatch.__file__).parent)


class Adds(nn.Module):
    """So many operations, and no layer."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.count):
            x = torch.add(x, 1)
        return x


class Blocks(nn.Module):
    """So many layers that are no leaves."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential() for _ in range(count)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return x


def leaves(count: int) -> nn.Module:
    return nn.Sequential(*[nn.Linear(4, 4) for _ in range(count)])


def own_calls(model: nn.Module, passes: int = 1) -> int:
    """How many functions of shapewatch begin while the last of so many passes of a watched block runs."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OWN):
            counted[frame.f_code.co_qualname] += 1

    x = torch.ones(2, 4)
    with torch.no_grad(), shapewatch.watch(model):
        for _ in range(passes - 1):
            model(x)
        sys.setprofile(count)
        try:
            model(x)
        finally:
            sys.setprofile(None)
    return sum(counted.values())


@pytest.fixture(autouse=True)
def nothing_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AutoGraph has rewritten code in this process, each line is asked whether it is of such."""
    monkeypatch.setattr(source, "_origins", {})


@pytest.mark.parametrize(
    "build, passes, most",
    [(leaves, 1, 8), (Blocks, 1, 18), (Adds, 1, 13), (leaves, 2, 2), (Adds, 2, 0)],
    ids=["leaf layers", "blocks", "operations", "leaf layers, again", "operations, again"],
)
def test_our_own_functions_that_run_for_each(build: type[Adds], passes: int, most: int) -> None:
    build(1), own_calls(build(10), passes)  # what is looked up once
    few, some, many = (own_calls(build(count), passes) for count in (20, 40, 80))
    assert many - some == 2 * (some - few)  # as many for each, however many there are
    assert some - few <= 20 * most


# A layer of PyTorch's own is recorded by its call alone


def report_of(model: nn.Module, x: torch.Tensor) -> Report:
    with torch.no_grad(), shapewatch.watch(model) as session:
        model(x)
    report: Report = session.report
    return report


@pytest.mark.parametrize("mode", ["alone", "under another mode", "in another watch"])
def test_a_leaf_layer_is_one_call(mode: str) -> None:
    class Other(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            return function(*args, **(kwargs or {}))

    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True))
    x = torch.ones(2, 4)
    with shapewatch.watch(model) as session:
        if mode == "under another mode":
            with Other():
                model(x)
        elif mode == "in another watch":
            with shapewatch.watch(model) as inner:
                model(x)
            assert [call.place for call in inner.report.calls] == [
                ":Sequential:0", "0:Linear:0", "1:BatchNorm1d:0", "2:ReLU:0"
            ]  # fmt: skip
        else:
            model(x)
    report = session.report
    assert [call.place for call in report.calls] == [":Sequential:0", "0:Linear:0", "1:BatchNorm1d:0", "2:ReLU:0"]
    norm, relu = report.calls[2:]
    assert relu.operands == norm.results and relu.results != relu.operands  # it changed its input in place


def test_the_inside_of_a_layer_of_ones_own_is_recorded() -> None:
    class Scaled(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x * 2)

    names = [call.name for call in report_of(Scaled(4, 4), torch.ones(2, 4)).calls]
    assert names == ["Scaled", "mul", "linear"]


def test_the_inside_of_a_parametrized_layer_is_recorded() -> None:
    model = parametrizations.weight_norm(nn.Linear(4, 4))
    assert "linear" in [call.name for call in report_of(model, torch.ones(2, 4)).calls]


def test_operations_after_a_leaf_layer_that_failed_are_recorded() -> None:
    class Tries(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(5, 4), nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            try:
                return self.first(x)
            except RuntimeError:
                return self.second(x) + 1

    calls = report_of(Tries(), torch.ones(2, 4)).calls
    assert [(call.name, call.finished) for call in calls] == [
        ("Tries", True), ("Linear", False), ("Linear", True), ("add", True)
    ]  # fmt: skip


def test_a_leaf_layer_that_fails_is_the_cause() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 4))
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        model(torch.ones(2, 4))
    assert session.report.recording.failing_call() is session.report.calls[-1]
    first = session.report.diagnoses[0]
    assert first.code == "SW102" and first.fixes[0].verified == "forward"


def test_operations_after_a_leaf_layer_that_was_interrupted_are_recorded() -> None:
    class Interrupts(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) + 1

        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(4, 4)

    model, x = Interrupts(), torch.ones(2, 4)
    with shapewatch.watch(model) as session:
        handle = model.inner.register_forward_pre_hook(interrupt)
        with pytest.raises(KeyboardInterrupt):
            model(x)
        handle.remove()
        model(x)
    assert [call.name for call in session.report.calls][-3:] == ["Interrupts", "Linear", "add"]
    assert all(call.finished for call in session.report.calls[-3:])


# A leaf that runs is among the open layers only where somebody asks


def test_a_hook_inside_a_leaf_may_call_another_layer() -> None:
    class Hooked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.inner = nn.Linear(4, 4), nn.Linear(4, 4)
            self.inner.register_forward_pre_hook(lambda _, args: (self.first(args[0]),))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) + 1

    calls = report_of(Hooked(), torch.ones(2, 4)).calls
    assert [(call.layer, call.name, call.parent) for call in calls] == [
        ("", "Hooked", None), ("inner", "Linear", 0), ("first", "Linear", 1), ("", "add", 0)
    ]  # fmt: skip
    assert calls[3].operands == calls[1].results


@pytest.mark.parametrize("caught", [True, False], ids=["caught", "leaves the block"])
def test_a_leaf_that_was_interrupted_is_in_the_recording(caught: bool) -> None:
    class Interrupted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.second.register_forward_pre_hook(interrupt)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            try:
                return self.second(x)
            except KeyboardInterrupt:
                if not caught:
                    raise
            return x + 1

    model, x = nn.Sequential(Interrupted()), torch.ones(2, 4)
    with contextlib.suppress(KeyboardInterrupt), shapewatch.watch(model) as session:
        model(x)
    told = [(call.layer, call.finished) for call in session.report.calls]
    assert told == [("", caught), ("0", caught), ("0.first", True), ("0.second", False)]


class Survives(nn.Module):
    """Catches what interrupts its second layer; the next one runs in a mode of the program's."""

    def __init__(self, second: nn.Module, next_one: nn.Module) -> None:
        super().__init__()
        self.first, self.second, self.next = nn.Linear(4, 4), second, next_one

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        with contextlib.suppress(KeyboardInterrupt):
            self.second(x)
        with Counts() as counted:
            x = self.next(x)
            x = x * 2
        assert _get_current_function_mode_stack()[-1:] != [counted]
        self.counted = counted.operations
        return x + 1


class Counts(TorchFunctionMode):
    operations = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("known", [True, False], ids=["of a known class", "the first of its class"])
@pytest.mark.parametrize("deep", [False, True], ids=["of the pass itself", "inside a layer of it"])
@pytest.mark.parametrize("same", [False, True], ids=["another follows", "the same follows"])
def test_a_pass_that_goes_on_after_a_leaf_was_interrupted(
    known: bool, deep: bool, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows is recorded from the next layer on, and where it belongs."""
    second = nn.Softplus()
    second.register_forward_pre_hook(Once(interrupt))
    if known:
        report_of(nn.Sequential(nn.Softplus(), nn.Linear(4, 4)), torch.ones(2, 4))
    else:
        monkeypatch.delitem(leaf.LEAVES, nn.Softplus, raising=False)
    model = Survives(nn.Sequential(second) if deep else second, second if same else nn.Linear(4, 4))
    calls = report_of(model, torch.ones(2, 4)).calls
    left = [("second", False), ("second.0", False)] if deep else [("second", False)]
    path = left[-1][0] if same else "next"
    assert [(call.layer, call.finished) for call in calls] == [
        ("", True), ("first", True), *left, (path, True), ("", True), ("", True)
    ]  # fmt: skip
    assert [call.name for call in calls[-2:]] == ["mul", "add"]
    assert {call.parent for call in calls[-3:]} == {0}
    bare = Survives(second, model.next)
    bare(torch.ones(2, 4))
    assert model.counted == bare.counted > 1


class Once:
    """A hook that acts the first time."""

    def __init__(self, hook: Callable[..., None]) -> None:
        self._left = [hook]

    def __call__(self, *_: object) -> None:
        if self._left:
            self._left.pop()()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_a_leaf_hands_through_keeps_its_value() -> None:
    class Through(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other, self.relu = nn.Identity(), nn.Dropout(0.0), nn.ReLU(inplace=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.relu(self.other(input=self.one(x)))

    _, one, other, relu = report_of(Through().eval(), torch.ones(2, 4)).calls
    assert one.operands == one.results == other.operands == other.results == relu.operands != relu.results


def test_another_thread_does_not_end_the_leaf_that_runs() -> None:
    leaf = nn.Linear(4, 4)

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.leaf = leaf

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.leaf(x) + 1

    def elsewhere(*_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            thread = threading.Thread(target=leaf, args=(torch.ones(7, 4),))
            thread.start()
            thread.join()

    leaf.register_forward_pre_hook(elsewhere)
    report = report_of(Shared(), torch.ones(2, 4))
    assert [call.name for call in report.calls] == ["Shared", "Linear", "add"]
    assert report.recording.shape(report.calls[1].results[0]) == (2, 4)
