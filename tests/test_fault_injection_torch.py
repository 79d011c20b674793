"""Every function of shapewatch is made to fail, one at a time, in programs that are more than a pass in PyTorch.

`test_fault_injection.py` has the pass itself, and the search for its repair.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
import torch
from conftest import surroundings
from support.faults import COMMON, OF_A_BLOCK, OF_DECORATED, OF_TAPS, Program, Trial, Watch, unwatched, without_caches
from support.faults_in_torch import ENDS, OF_A_TRIAL, OF_PYTORCH, put_back
from torch import nn

import shapewatch

pytestmark = [pytest.mark.own_faults, pytest.mark.filterwarnings("ignore")]

quiet = pytest.fixture(autouse=True)(without_caches)

PARTS = (*COMMON, "adapters.torch", "adapters.passes", "adapters.collectives")

WALL = OF_A_BLOCK | OF_TAPS | OF_PYTORCH | OF_DECORATED


OF_COMPILED = {
    "adapters.torch.compiled.hear.heard",
    "adapters.torch.compiled.own_hooks_unseen.heard",
    "adapters.torch.instrument.Instrument.__enter__.<lambda>",
    "adapters.torch.instrument.Instrument._unhook",
    "adapters.torch.modes.remove_mode",
}
"""What makes way for compiled code. Where it fails, the compiler reads the watch too, and says so."""


class Two(nn.Module):
    """[N, 4] to [N, 2]; `wide` is what the second branch gives, 3 fits."""

    def __init__(self, wide: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two, self.head = nn.Linear(4, 3), nn.Linear(4, wide), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.one(x) + self.two(x)
        return self.head(x.relu())


def batch(count: int = 2, width: int = 4) -> torch.Tensor:
    return torch.arange(count * width, dtype=torch.float32).reshape(count, width) / 10


def numbers(*tensors: torch.Tensor) -> list[Any]:
    """Values, and a random number: nobody else drew one."""
    return [tensor.detach().tolist() for tensor in (*tensors, torch.rand(1))]


def trained(watch: Watch, out: int) -> Any:
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    with watch():
        for step, count in enumerate((2, 2, 3, 2)):
            optimizer.zero_grad()
            target = torch.ones(count, out if step == 3 else 2)
            loss = nn.functional.mse_loss(model(batch(count)), target)
            loss.backward()
            optimizer.step()
    return numbers(*model.parameters())


def with_a_closure(watch: Watch) -> Any:
    model = Two()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = model(batch()).square().mean()
        loss.backward()
        return loss

    with watch():
        for _ in range(2):
            optimizer.step(closure)
    return numbers(*model.parameters())


def broken_later(watch: Watch) -> Any:
    """Of a signature that is recorded: it runs unrecorded."""
    model = Two()
    with watch():
        model(batch())
        model.two = nn.Linear(4, 5)
        model(batch())


def interrupted(watch: Watch, again: bool) -> Any:
    """The program goes on after an interrupt, in a pass that is recorded or in one that is not."""
    model = Two()
    inputs = [batch()] * (3 if again else 1)
    with watch():
        for number, x in enumerate(inputs):
            if number == len(inputs) - 1:
                model.two.register_forward_pre_hook(interrupt)
            with contextlib.suppress(KeyboardInterrupt):
                model(x)
        y = model.head(model.one(batch()))
    return numbers(y)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def decorated(watch: Watch, fails: bool) -> Any:
    class Own(Two):
        pass

    model = (Own if watch is unwatched else shapewatch.watch(Own))()
    y = [model(batch(count)) for count in (2, 3, 2)]
    if fails:
        model.two = nn.Linear(4, 5)
        model(batch())
    return numbers(*y)


def compiled(watch: Watch, wide: int) -> Any:
    torch.compiler.reset()
    model = torch.compile(Two(wide), backend="eager", dynamic=False)
    with watch():
        y = [model(batch(count)) for count in (2, 3, 2)]
    return numbers(*y)


def exported(watch: Watch, wide: int) -> Any:
    model = Two(wide)
    with watch():
        program = torch.export.export(model, (batch(),))
    return [node.name for node in program.graph.nodes]


def in_threads(watch: Watch, wide: int) -> Any:
    model = Two(wide).eval()
    with watch(), ThreadPoolExecutor(1) as pool:
        passes = [pool.submit(model, batch(count)) for count in (2, 3)]
        wait(passes)
        y = [each.result() for each in passes]
    return numbers(*y)


def nested(watch: Watch) -> Any:
    one, other = Two(), Two()
    with watch(one):
        y = one(batch())
        with watch(other):
            z = other(batch(3))
        y = one(batch()) + y
    return numbers(y, z)


PROGRAMS: dict[str, Program] = {
    "a training loop": lambda watch: trained(watch, 2),
    "a training loop that fails": lambda watch: trained(watch, 3),
    "an optimizer with a closure": with_a_closure,
    "a later pass that fails": broken_later,
    "an interrupt that is survived": lambda watch: interrupted(watch, False),
    "an interrupt of an unrecorded pass": lambda watch: interrupted(watch, True),
    "a decorated class": lambda watch: decorated(watch, False),
    "a decorated class that fails": lambda watch: decorated(watch, True),
    "a compiled model": lambda watch: compiled(watch, 3),
    "a compiled model that fails": lambda watch: compiled(watch, 5),
    "an export": lambda watch: exported(watch, 3),
    "an export that fails": lambda watch: exported(watch, 5),
    "threads": lambda watch: in_threads(watch, 3),
    "a thread that fails": lambda watch: in_threads(watch, 5),
    "nested watches": nested,
}


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 101], ids=["all", "some"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_comes_to_the_same(name: str, every: int) -> None:
    wall = WALL | OF_COMPILED if "compiled" in name else WALL
    trial = Trial(PROGRAMS[name], PARTS, wall, surroundings, put_back, OF_A_TRIAL, ENDS)
    assert trial.wrong(every) == []
