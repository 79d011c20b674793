"""Keras on PyTorch: what its operations are called, and modules of PyTorch's own in the same program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers, ops
from support import residual, residual_keras
from support.residual import failure, our_notes

import shapewatch
from shapewatch.adapters.keras import ADAPTER
from shapewatch.recording import Recording


def recorded(function: Callable[..., Any], *args: Any) -> Recording:
    """A layer that does what the function does, called on the arguments."""

    class Only(layers.Layer):
        def call(self, *args: Any) -> Any:
            return function(*args)

    layer = Only()
    with ADAPTER.instrument(layer) as watching:
        try:
            layer(*args)
        except RuntimeError as error:
            return watching.finish(error)
    return watching.finish(None)


def numbers(*shape: int) -> Any:
    return torch.ones(shape)


@pytest.mark.parametrize(
    "function, name, kind, operands, facts",
    [
        (lambda x: x + x, "add", "add", 2, {}),
        (lambda x: 2 - x, "sub", "sub", 1, {}),
        (ops.multiply, "mul", "mul", 2, {}),
        (lambda x: torch.cat([x, x], dim=1), "concat", "concat", 2, {"dim": 1}),
        (lambda x: ops.concatenate([x, x], axis=1), "concat", "concat", 2, {"dim": 1}),
        (lambda x: ops.mean(x, axis=1, keepdims=True), "mean", "reduce", 1, {"dim": (1,), "keepdim": True}),
        (lambda x: ops.reshape(x, (3, -1)), "reshape", "reshape", 1, {"shape": (3, -1)}),
        (lambda x: ops.transpose(x, (1, 0)), "transpose", "permute", 1, {"dims": (1, 0)}),
        (lambda x: ops.expand_dims(x, 0), "expand_dims", "unsqueeze", 1, {"dim": 0}),
        (lambda x: torch.max(x, x), "max", "maximum", 2, {}),
    ],
)
def test_operations_have_keras_names(function: Any, name: str, kind: str, operands: int, facts: Any) -> None:
    x = numbers(2, 3)
    recording = recorded(function, x) if function is not ops.multiply else recorded(function, x, numbers(2, 3))
    (call,) = [call for call in recording.calls if not call.is_layer]
    assert (call.name, call.kind, len(call.operands), call.facts) == (name, kind, operands, facts)


def test_what_is_changed_in_place_is_a_new_value() -> None:
    def add(x: Any) -> Any:
        y = x * 1
        y += x
        y[0] = x[1]
        return y

    recording = recorded(add, numbers(2, 3))
    calls = {call.name: call for call in recording.calls if not call.is_layer}
    assert list(calls) == ["mul", "add", "getitem", "setitem"]
    assert calls["add"].operands == (*calls["mul"].results, *recording.inputs)
    assert calls["add"].results != calls["mul"].results
    assert calls["setitem"].operands == (*calls["add"].results, *calls["getitem"].results)
    assert recording.outputs == calls["setitem"].results


def test_conversions_to_the_same_are_no_calls() -> None:
    def plain(x: Any) -> Any:
        return ops.convert_to_tensor(ops.cast(x.to("cpu"), "float32")) + 1

    live = recorded(plain, numbers(2, 3))
    assert [call.name for call in live.calls if not call.is_layer] == ["add"]
    symbolic = recorded(plain, keras.KerasTensor((2, 3)))
    assert [call.name for call in symbolic.calls if not call.is_layer] == ["add"]


def test_a_weight_is_an_operand() -> None:
    class Shifts(layers.Layer):
        def build(self, _: Any) -> None:
            self.shift = self.add_weight(shape=(5,))

        def call(self, x: Any) -> Any:
            return x + self.shift

    with pytest.raises(RuntimeError) as caught, shapewatch.watch() as session:
        Shifts()(numbers(2, 4))
    failing = session.report.recording.failing_call()
    assert failing is not None and [session.report.recording.shape(n) for n in failing.operands] == [(2, 4), (5,)]
    assert session.report.recording.values[failing.operands[1]].origin == "parameter"
    assert len(our_notes(caught.value)) == 1


# Modules of PyTorch's own in the same program


def test_a_module_is_watched_beside_keras() -> None:
    model = residual.Net(stride=2)
    error = failure(lambda: watched(lambda: model(numbers(2, 3, 8, 8))))
    (note,) = our_notes(error)
    assert "block.conv1" in note and "nn.Conv2d" in note


def test_a_keras_model_is_told_in_keras_words() -> None:
    model = residual_keras.Net(strides=2)
    error = failure(lambda: watched(lambda: model(np.ones((2, 8, 8, 3), "float32"))))
    (note,) = our_notes(error)
    assert "layers.Conv2D" in note


def watched(call: Callable[[], Any]) -> shapewatch.Report:
    with shapewatch.watch() as session:
        call()
    return session.report


def test_healthy_ones_are_told_apart() -> None:
    keras_model, module = residual_keras.Net(), residual.Net()
    assert watched(lambda: keras_model(np.ones((2, 8, 8, 3), "float32"))).recording.framework == "keras"
    assert watched(lambda: module(numbers(2, 3, 8, 8))).recording.framework == "torch"


def test_a_module_inside_a_keras_layer() -> None:
    model = keras.Sequential([keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 4)), layers.Dense(2)])
    report = watched(lambda: model(numbers(2, 3)))
    assert report.recording.framework == "keras" and report.diagnoses == ()
    assert [call.name for call in report.calls] == ["Sequential", "TorchModuleWrapper", "Dense"]


@pytest.mark.filterwarnings("ignore")  # PyTorch's own, of what it compiles
@pytest.mark.parametrize("make", [residual.Net, residual_keras.Net])
def test_what_is_compiled_is_left_alone(make: Any) -> None:
    """It is read before it runs, and would be read with what listens in it."""
    model, x = make(), numbers(2, 3, 8, 8) if make is residual.Net else numbers(2, 8, 8, 3)
    expected = model(x)
    step = torch.compile(lambda x: model(x) * 2, backend="eager")
    with shapewatch.watch() as session:
        inside = step(x)
    assert session.report.diagnoses == ()
    assert torch.equal(inside, expected * 2) and torch.equal(step(x), expected * 2)
