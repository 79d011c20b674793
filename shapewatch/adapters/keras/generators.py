"""Python generators as data. Keras takes what one yields for a batch, and refuses some of it before a model is called;
of the rest it keeps no more than which axes differ, so what is recorded has no first size.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import Model
from keras.src.trainers.data_adapters import generator_data_adapter

from shapewatch.adapters import Probe
from shapewatch.adapters.keras.blueprint import Blueprint, Plan
from shapewatch.adapters.listening import Listening, continues
from shapewatch.adapters.passes import Pass
from shapewatch.adapters.statements import parsed, statement
from shapewatch.adapters.taps import Tap, unconverted
from shapewatch.firewall import attempt
from shapewatch.recording import Recording, Shape, Span
from shapewatch.source import calling_line, span_at

_TAKEN = Tap(generator_data_adapter.GeneratorDataAdapter, "__init__")
_AS_PIPELINE = Tap(generator_data_adapter.GeneratorDataAdapter, "get_tf_dataset")

_TRAINS = frozenset({"fit", "evaluate", "predict"})


class Generators:
    """What the last generator yields that a model was given."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._streams: Mapping[str, Shape] = {}
        self._refused: Exception | None = None
        self._line: Span | None = None

    def listen(self, stack: ExitStack) -> None:
        _TAKEN.listen(self._taken, stack, self._listening.asleep)
        _AS_PIPELINE.listen(self._as_pipeline, stack, self._listening.asleep)

    @unconverted
    def _taken(self, original: Any, adapter: Any, *args: Any, **kwargs: Any) -> Any:
        self._streams, self._refused = {}, None
        try:
            original(adapter, *args, **kwargs)
        except Exception as error:
            attempt(self._refuses, error, adapter)
            raise
        attempt(self._note, adapter._first_batches[0])

    @unconverted
    def _as_pipeline(self, original: Any, adapter: Any) -> Any:
        try:
            return original(adapter)
        except Exception as error:
            attempt(self._refuses, error, adapter)
            raise

    def _refuses(self, error: Exception, adapter: Any) -> None:
        """What was refused is a sample, perhaps: the model would have been called with it."""
        first, model = getattr(adapter, "_first_batches", ()), _training()
        if first and model is not None:
            self._note(first[0])
            self._refused = error
            self._listening.root = model
            self._listening.last = Pass(Blueprint((_planned(_features(first[0])),), {}), None)

    def _note(self, element: Any) -> None:
        features = _features(element)
        line = calling_line(sys._getframe(1))
        self._line = None if line is None else span_at(*line)
        data = data_in(statement(self._line))
        if (
            data is not None
            and keras.backend.backend() == "tensorflow"
            and not isinstance(features, tuple | list | dict)
        ):
            made = f"tf.data.Dataset.from_generator({_function(data)}, output_signature={_signature(element)})"
            self._streams = {made: np.shape(features)}

    def told(self, recording: Recording, error: BaseException | None, probe: Probe | None) -> Recording:
        """The recording, with what the generator yields; of data that were refused, as the pass with them would be."""
        failure = recording.failure
        if failure is None or not self._streams:
            return recording
        if self._refused is not None and error is not None and continues(error, self._refused) and probe is not None:
            run = probe.run().recording
            if run.failing_call() is None or run.failure is None:
                return recording
            failure = replace(failure, call=run.failure.call, span=self._line)
            recording = replace(run, backend=keras.backend.backend())
        return replace(recording, failure=replace(failure, streams={**failure.streams, **self._streams}))


def _training() -> Model | None:
    """The model whose `fit` or the like is running."""
    frame = sys._getframe(1)
    while frame is not None:
        model = frame.f_locals.get("self") if frame.f_code.co_name in _TRAINS else None
        if isinstance(model, Model):
            return model
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _features(element: Any) -> Any:
    return element[0] if isinstance(element, tuple) and element else element


def _planned(features: Any) -> Any:
    if isinstance(features, tuple | list):
        return type(features)(map(_planned, features))
    if isinstance(features, dict):
        return {key: _planned(value) for key, value in features.items()}
    array = np.asarray(features)
    return Plan(array.shape, keras.config.floatx() if array.dtype.kind == "f" else str(array.dtype))


def data_in(source: str | None) -> ast.expr | None:
    """What is given to `fit` in a line."""
    tree = parsed(source)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TRAINS:
            return node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "x"), None)
    return None


def _function(data: ast.expr) -> str:
    """The function that gives such a generator, to be called each time that the data are gone through."""
    plain = isinstance(data, ast.Call) and not data.args and not data.keywords
    return ast.unparse(data.func) if plain and isinstance(data, ast.Call) else f"lambda: {ast.unparse(data)}"


def _signature(element: Any) -> str:
    if isinstance(element, tuple | list):
        parts = list(map(_signature, element))
        return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
    if isinstance(element, dict):
        return "{" + ", ".join(f"{key!r}: {_signature(value)}" for key, value in element.items()) + "}"
    array = np.asarray(element)
    dtype = {"f": "", "i": ", tf.int32", "u": ", tf.int32", "b": ", tf.bool", "U": ", tf.string"}.get(
        array.dtype.kind, ""
    )
    return f"tf.TensorSpec({array.shape}{dtype})"
