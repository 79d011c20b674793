"""What PyTorch is made to compute by being watched: nothing.

A synchronisation with an accelerator, or a transfer from or to it, comes of an operator that is dispatched (`item`,
`nonzero`, `to`, a comparison whose result is asked for). So a machine without an accelerator can tell: where a watched
program dispatches the operators of the bare one and no others, watching waits for no device.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from support.residual import Net
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode

import shapewatch


class Dispatched(TorchDispatchMode):
    """Notes each operator, and the devices of the tensors that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.operators: list[tuple[str, tuple[str, ...]]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [each for each in (*args, *(kwargs or {}).values()) if isinstance(each, torch.Tensor)]
        self.operators.append((str(function), tuple(_held(each) for each in given)))
        return function(*args, **(kwargs or {}))


def _held(tensor: torch.Tensor) -> str:
    """A tensor that is only imagined says that it is on the device of the one for which it stands."""
    imagined = isinstance(tensor, FakeTensor) or tensor.is_meta
    return "imagined" if imagined else str(tensor.device)


Program = Callable[[Callable[..., Any]], None]


def a_pass(watch: Callable[..., Any]) -> None:
    model = Net().eval()
    with torch.no_grad(), watch(model):
        model(torch.ones(2, 3, 8, 8))


def a_training_loop(watch: Callable[..., Any]) -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch():
        for batch in (2, 3, 2):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(torch.ones(batch, 3, 8, 8)), torch.zeros(batch, 4, 8, 8))
            loss.backward()
            optimizer.step()


def a_silent_broadcast(watch: Callable[..., Any]) -> None:
    """It is warned of: the search for the cause computes nothing either."""
    model = nn.Linear(3, 1)
    with watch(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.functional.mse_loss(model(torch.ones(4, 3)), torch.ones(4))


def a_failure(watch: Callable[..., Any]) -> None:
    """Explained, with a fix that is tried: on tensors that hold nothing."""
    model = Net(stride=2)
    with contextlib.suppress(RuntimeError), watch(model):
        model(torch.ones(2, 3, 8, 8))


@contextlib.contextmanager
def bare(*_: Any) -> Iterator[None]:
    yield


def dispatched(program: Program, watch: Callable[..., Any]) -> list[tuple[str, tuple[str, ...]]]:
    torch.manual_seed(0)
    with Dispatched() as mode:
        program(watch)
    return mode.operators


@pytest.mark.parametrize("program", [a_pass, a_training_loop, a_silent_broadcast])
def test_watching_dispatches_no_operator(program: Program) -> None:
    assert dispatched(program, shapewatch.watch) == dispatched(program, bare)


def test_a_diagnosis_touches_no_real_tensor() -> None:
    expected, found = dispatched(a_failure, bare), dispatched(a_failure, shapewatch.watch)
    assert found[: len(expected)] == expected
    assert {device for _, devices in found[len(expected) :] for device in devices} == {"imagined"}


def test_an_operator_too_many_would_be_seen() -> None:
    @contextlib.contextmanager
    def curious(*_: Any) -> Iterator[None]:
        yield
        assert torch.ones(2).sum().item() == 2

    added = dispatched(a_pass, curious)[len(dispatched(a_pass, bare)) :]
    assert "aten._local_scalar_dense.default" in [name for name, _ in added]
