"""Options, and the proof after every test that shapewatch left nothing behind."""

from __future__ import annotations

import gc
import pickle
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import golden
import pytest

from shapewatch.recorder import Faults

pytest.register_assert_rewrite("adapter_contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(golden.OPTION, action="store_true", help="write the golden files anew instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "own_faults: shapewatch is made to fail inside; its faults are expected")


# What a watch touches while it runs


def surroundings() -> dict[str, Any]:
    """The process-wide state that a watch may touch, as it is now. What has its default value is left out."""
    state: dict[str, Any] = {
        "import hooks": [finder for finder in sys.meta_path if type(finder).__module__.startswith("shapewatch")],
        "excepthook": sys.excepthook,
        "excepthook of threads": threading.excepthook,
        "tracing": (sys.gettrace(), sys.getprofile()),
        "threads": {thread.name for thread in threading.enumerate()},
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "nn"):
        state |= _torch_surroundings(torch)
    return {name: value for name, value in state.items() if value}


def _torch_surroundings(torch: Any) -> dict[str, Any]:
    module_hooks = {
        name: list(value) if isinstance(value, dict) else value
        for name, value in vars(torch.nn.modules.module).items()
        if name.startswith("_global_") and value
    }
    return {
        "global module hooks": module_hooks,
        "function modes": torch._C._len_torch_function_stack(),
        "dispatch modes": torch._C._len_torch_dispatch_stack(),
        "grad mode off": not torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
    }


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test: no hook, mode, import hook or thread is left, and no fault of our own was swallowed."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHAPEWATCH_DEBUG", "1")
        before, faults = surroundings(), Faults.count
        yield
        after = surroundings()
    assert after == before
    if request.node.get_closest_marker("own_faults") is None and Faults.count != faults:
        assert Faults.last is not None
        shown = "".join(traceback.format_exception(Faults.last))
        pytest.fail(f"{Faults.count - faults} faults of shapewatch itself were swallowed; the last:\n{shown}")


# For the tests that ask


def _random_states() -> dict[str, bytes]:
    import numpy
    import torch

    return {
        "random": pickle.dumps(random.getstate()),
        "numpy": pickle.dumps(numpy.random.get_state()),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


@pytest.fixture
def draws_nothing() -> Callable[[], AbstractContextManager[None]]:
    """A context manager for code that must not draw from a global random generator."""

    @contextmanager
    def checked() -> Iterator[None]:
        before = _random_states()
        yield
        after = _random_states()
        assert [name for name in before if before[name] != after[name]] == []

    return checked


@pytest.fixture
def live_tensors() -> Callable[[], int]:
    """Counts the tensors that are alive after a garbage collection."""

    def count() -> int:
        import torch

        gc.collect()
        return sum(1 for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor))

    return count
