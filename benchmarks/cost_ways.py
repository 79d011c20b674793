"""The ways in which `cost.py` runs a pass: bare, watched by shapewatch, and looked at by others."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    _global_forward_hooks_with_kwargs,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.overrides import TorchFunctionMode

import shapewatch

Pass = Callable[[], float]
"""Runs one pass, and gives the processor's seconds that it took."""


def seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


@dataclass(frozen=True)
class Way:
    """`ready` gets everything ready that is done once for a model, and gives the pass.

    `leaves_traces` says that passes which come later are not bare any more.
    """

    name: str
    ready: Callable[[nn.Module, torch.Tensor], Pass]
    leaves_traces: bool = False


def _recorded(model: nn.Module, x: torch.Tensor) -> Pass:
    def run() -> float:
        with shapewatch.watch(model):
            return seconds(lambda: model(x))

    return run


def _reported(model: nn.Module, x: torch.Tensor) -> Pass:
    def block() -> None:
        with shapewatch.watch(model):
            model(x)

    return lambda: seconds(block)


def _decorated(model: nn.Module, x: torch.Tensor) -> Pass:
    decorated = shapewatch.watch(type("Decorated", (Through,), {}))(model)
    decorated(x)
    return lambda: seconds(lambda: decorated(x))


def _checked(model: nn.Module, x: torch.Tensor) -> Pass:
    return lambda: seconds(lambda: shapewatch.check(model, x))


class Through(nn.Module):
    """A model inside another class."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> Any:
        return self.inner(x)


# The floor


class EmptyMode(TorchFunctionMode):
    """Hears every operation and does nothing."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*args, **(kwargs or {}))


def nothing(*_: object) -> None:
    """An empty hook."""


@contextlib.contextmanager
def empty_hooks() -> Iterator[None]:
    """Hears every layer begin and end, also on the way of an exception, and does nothing."""
    before = register_module_forward_pre_hook(nothing)
    after = register_module_forward_hook(nothing, with_kwargs=True, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()
        _global_forward_hooks_with_kwargs.pop(after.id, None)


def _heard(model: nn.Module, x: torch.Tensor) -> Pass:
    def run() -> float:
        with empty_hooks(), EmptyMode():
            return seconds(lambda: model(x))

    return run


# Others


def _torchinfo(model: nn.Module, x: torch.Tensor) -> Pass:
    import torchinfo

    return lambda: seconds(lambda: torchinfo.summary(model, input_data=x, verbose=0, mode="train"))


def _torchlens(model: nn.Module, x: torch.Tensor) -> Pass:
    import torchlens

    return lambda: seconds(lambda: torchlens.trace(model, x))


def _clarified(model: nn.Module, x: torch.Tensor) -> Pass:
    import tsensor

    def run() -> float:
        with tsensor.clarify(show=None):
            return seconds(lambda: model(x))

    return run


OURS = (
    Way("shapewatch: a pass, recorded", _recorded),
    Way("shapewatch: a pass and its report", _reported),
    Way("shapewatch: decorated, a later pass", _decorated),
    Way("shapewatch: check", _checked),
)

FLOOR = Way("empty hooks and an empty mode", _heard)

PEERS = (
    Way("torchinfo: summary", _torchinfo),
    Way("tensor-sensor: clarify", _clarified),
    Way("torchlens: trace", _torchlens, leaves_traces=True),
)
"""torchlens wraps the functions of torch for good, so it comes last of all."""


def made_ready(way: Way, model: nn.Module, x: torch.Tensor) -> tuple[Pass | None, float | str]:
    """The pass and what its first run took; or None, and why it does not run."""
    try:
        with unspoken():
            run = way.ready(model, x)
            return run, run()
    except Exception as error:  # what a peer cannot do here is told, not mended
        reason = (str(error).strip().splitlines() or [""])[0][:80]
        return None, f"does not run: {type(error).__name__}: {reason}"


@contextlib.contextmanager
def unspoken() -> Iterator[None]:
    """What a peer prints and warns of is not shown."""
    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def versions() -> str:
    """Which releases of the others are measured."""
    told = []
    for name in ("torch", "torchinfo", "torchlens", "tensor-sensor"):
        with contextlib.suppress(Exception):
            told.append(f"{name} {version(name)}")
    return ", ".join(told)
