"""Options, and the proof after every test that shapewatch left nothing behind."""

from __future__ import annotations

import gc
import os
import pickle
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import golden
import hypothesis
import pytest

from shapewatch.adapters.taps import Tap
from shapewatch.firewall import Faults

pytest.register_assert_rewrite("adapter_contract")

for _setting in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    # Before a framework is imported. Small passes on threads that several test processes fight for take eight times as
    # long as on one thread each.
    os.environ.setdefault(_setting, "1")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts a run in the background has it ignore Ctrl-C, and every process that a test starts with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.set_threshold(20_000, 10, 20)
"""With two frameworks there are a million objects, and to go through all of them as often as Python does by itself
takes a quarter of the time of a run. Tests of what is left alive collect for themselves."""

hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("anew", derandomize=False)
hypothesis.settings.load_profile("same")
"""What is drawn is the same in every run, so that a change is not refused for what it has no part in. With
`--hypothesis-profile=anew` it is drawn anew, which is how faults are found that nobody has thought of."""


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
        "threads": {t.name for t in threading.enumerate() if not isinstance(t, threading._DummyThread)},
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "nn"):
        state |= _torch_surroundings(torch)
    if "tensorflow" in sys.modules and hasattr(sys.modules["tensorflow"], "Module"):
        state |= _tensorflow_surroundings()
    if "keras" in sys.modules and hasattr(sys.modules["keras"], "Layer"):
        state |= _keras_surroundings()
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


def _tensorflow_surroundings() -> dict[str, Any]:
    import tensorflow as tf
    from tensorflow.python import pywrap_tfe
    from tensorflow.python.autograph.core import ag_ctx
    from tensorflow.python.autograph.impl import api
    from tensorflow.python.eager import context, execute
    from tensorflow.python.eager.polymorphic_function import polymorphic_function
    from tensorflow.python.framework import func_graph, op_def_library, ops
    from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable

    functions = {
        "eager operations": pywrap_tfe.TFE_Py_FastPathExecute,
        "eager operations, converted": execute.execute,
        "operations in graphs": op_def_library._apply_op_helper,
        "tf.function": vars(polymorphic_function.Function)["__call__"],
        "tracing": func_graph.func_graph_from_py_func,
        "autograph's calls": api._TRANSPILER.get_extra_locals()["ag__"].converted_call,
        "variables": vars(BaseResourceVariable)["_read_variable_op"],
        "modules": vars(tf.Module)["__init__"],
    }
    return {
        "functions of TensorFlow's": _replaced(functions | _listened_to("shapewatch.adapters.tensorflow.")),
        "modules listened to": [cls for cls in _subclasses(tf.Module) if _is_ours(vars(cls).get("__call__"))],
        "op callbacks": list(context.context().op_callbacks),
        "functions run eagerly": tf.config.functions_run_eagerly(),
        "in a graph": not tf.executing_eagerly() or ops.get_default_graph().building_function,
        "traceback filtering off": not tf.debugging.is_traceback_filtering_enabled(),
        "autograph on": ag_ctx.control_status_ctx().status is ag_ctx.Status.ENABLED,
    }


def _listened_to(package: str) -> dict[str, Any]:
    """What the taps replace that the modules of a package have, as it is now."""
    ours = [module for name, module in sorted(sys.modules.items()) if name.startswith(package)]
    values = [value for module in ours for value in vars(module).values()]
    several = [each for value in values if isinstance(value, tuple | list) for each in value]
    taps = [value for value in (*values, *several) if isinstance(value, Tap)]
    return {f"{tap._owner.__name__}.{tap._name}": vars(tap._owner).get(tap._name) for tap in taps}


_originals: dict[str, Any] = {}
"""What functions were when they were first looked at: the frameworks are imported when a test needs them."""


def _replaced(functions: dict[str, Any]) -> list[str]:
    return [name for name, function in functions.items() if function is not _originals.setdefault(name, function)]


def _is_ours(method: Any) -> bool:
    return type(method).__module__.startswith("shapewatch")


def _subclasses(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _keras_surroundings() -> dict[str, Any]:
    import keras
    from keras.src.backend.common.stateless_scope import get_stateless_scope

    return {
        "functions of Keras's": _replaced(_listened_to("shapewatch.adapters.keras.")),
        "traceback filtering of Keras off": not keras.config.is_traceback_filtering_enabled(),
        "stateless scope": get_stateless_scope(),
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

    states = {
        "random": pickle.dumps(random.getstate()),
        "numpy": pickle.dumps(numpy.random.get_state()),
    }
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].get_rng_state().numpy().tobytes()
    if "tensorflow" in sys.modules:
        states |= _random_states_of_tensorflow()
    if "keras" in sys.modules:
        from keras.src.backend.common import global_state

        tracker = vars(global_state.GLOBAL_STATE_TRACKER)
        generator = tracker.get("global_seed_generator")
        states["keras"] = b"" if generator is None else generator.state.numpy().tobytes()
        states["names of Keras's"] = pickle.dumps(dict(tracker.get("object_name_uids") or {}))
    return states


def _random_states_of_tensorflow() -> dict[str, bytes]:
    """The global generator, and the count that the seeds of operations come from."""
    from tensorflow.python.eager import context
    from tensorflow.python.ops import stateful_random_ops

    generator, seeds = stateful_random_ops.global_generator, getattr(context.context(), "_rng", None)
    return {
        "tensorflow": b"" if generator is None else generator.state.numpy().tobytes(),
        "tensorflow's seeds": b"" if seeds is None else pickle.dumps(seeds.getstate()),
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
