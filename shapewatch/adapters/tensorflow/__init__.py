"""The TensorFlow adapter, for `tf.Module`s and for operations outside of any model. Keras has one of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import tensorflow as tf

from shapewatch.adapters import Declaring, InputSpec, Probe, Written, is_imported
from shapewatch.adapters.located import same_failure
from shapewatch.adapters.tensorflow.autographed import COMPILER
from shapewatch.adapters.tensorflow.backend import TensorFlow
from shapewatch.adapters.tensorflow.blueprint import Blueprint, Plan
from shapewatch.adapters.tensorflow.dryrun import ModuleProbe, applied
from shapewatch.adapters.tensorflow.instrument import Instrument
from shapewatch.adapters.tensorflow.naming import is_keras
from shapewatch.adapters.tensorflow.write import write
from shapewatch.edits import Edit
from shapewatch.recording import Recording, Span, TensorSpec


class Watched:
    """A pass being recorded."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def finish(self, error: BaseException | None) -> Recording:
        recording, probe = self._instrument.finish(error), self.probe()
        recording = self._instrument.seen_again(recording, error, probe)
        if recording.failure is None or probe is None or not isinstance(error, tf.errors.OpError):
            return recording
        again = probe.run().recording
        if again.failure is None or not same_failure(again, str(error)):
            return recording
        told = replace(again.failure, type=recording.failure.type, message=recording.failure.message)
        return replace(again, failure=told)  # a graph that ran as a whole: on shapes every call in it is seen

    def probe(self) -> Probe | None:
        root, last = self._instrument.root, self._instrument.last
        return None if root is None or last is None else ModuleProbe(root, last.blueprint)

    def output(self) -> Any:
        return self._instrument.last.output if self._instrument.last is not None else None


class TensorFlowAdapter:
    """See `shapewatch.adapters.Adapter`."""

    name = "tensorflow"
    covers: frozenset[str] = frozenset()
    compiler = COMPILER
    declares = Declaring()

    def owns(self, target: object) -> bool:
        cls = target if isinstance(target, type) else type(target)
        return issubclass(cls, tf.Module) and not is_keras(cls)

    def describe(self, value: object) -> TensorSpec | None:
        backend = TensorFlow()
        return backend.describe(backend.raw_spec(value)) if backend.is_tensor(value) else None

    @contextmanager
    def _recording(self, target: tf.Module | None) -> Iterator[Watched]:
        with Instrument(target, modules_only=target is None and _recorded_by_keras()) as instrument:
            yield Watched(instrument)

    def instrument(self, target: object | None = None) -> AbstractContextManager[Watched]:
        return self._recording(target if isinstance(target, tf.Module) else None)

    def prepare(self, model: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Probe:
        return ModuleProbe(_module(model), Blueprint.of(args, kwargs))

    def prepare_shapes(self, model: object, specs: Sequence[InputSpec]) -> Probe:
        plans = [(spec.name, Plan(spec.shape, _dtype(spec))) for spec in specs]
        args = tuple(plan for name, plan in plans if name is None)
        return ModuleProbe(_module(model), Blueprint(args, {name: plan for name, plan in plans if name is not None}))

    def applied(self, model: Any, edits: Sequence[Edit]) -> AbstractContextManager[Any]:
        return applied(model, edits)

    def as_unwatched(self, traceback: TracebackType | None) -> TracebackType | None:
        return traceback

    def write(self, edit: Edit, recording: Recording) -> Written:
        return write(edit, recording)

    def line_of_all(self, edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:  # noqa: ARG002
        return None


def _recorded_by_keras() -> bool:
    """Whether the Keras adapter records the operations of a block without a model of its own: TensorFlow imports Keras,
    so it is there in every program. What it does not know is the modules."""
    return is_imported("keras") and sys.modules["keras"].backend.backend() == "tensorflow"


def _module(model: object) -> tf.Module:
    if not isinstance(model, tf.Module) or not callable(model):
        raise ValueError(
            f"a tf.Module with a `__call__` can be run on shapes; this is a {type(model).__name__} without"
            if isinstance(model, tf.Module)
            else f"a tf.Module can be run on shapes; this is a {type(model).__name__}"
        )
    return model


def _dtype(spec: InputSpec) -> tf.DType:
    try:
        return tf.float32 if spec.dtype is None else tf.as_dtype(spec.dtype)
    except TypeError:
        raise ValueError(
            f"TensorFlow has no dtype {spec.dtype!r}; float32, float16, int64 and bool are some that it has"
        ) from None


ADAPTER = TensorFlowAdapter()
