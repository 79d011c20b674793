"""The Keras 3 adapter, on each of Keras's backends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import keras
from keras import KerasTensor
from keras.layers import Layer

from shapewatch.adapters import REGISTRY, Compiler, Declaring, InputSpec, Probe, Written, load
from shapewatch.adapters.class_projections import Language, line_of_projections
from shapewatch.adapters.keras.arguments import described
from shapewatch.adapters.keras.backends import running_backend
from shapewatch.adapters.keras.blueprint import Blueprint, Plan
from shapewatch.adapters.keras.constructing import sizes_said
from shapewatch.adapters.keras.dryrun import ModelProbe, applied, probe_of
from shapewatch.adapters.keras.function_projection import line_of_function
from shapewatch.adapters.keras.graph_sizes import with_sizes_of_the_line
from shapewatch.adapters.keras.instrument import Instrument
from shapewatch.adapters.keras.making import module_code
from shapewatch.adapters.keras.tensors import KerasTensors
from shapewatch.adapters.keras.write import write
from shapewatch.edits import Edit
from shapewatch.firewall import attempt
from shapewatch.recording import Recording, Span, TensorSpec


class Watched:
    """A pass being recorded."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def finish(self, error: BaseException | None) -> Recording:
        recording = self._instrument.finish(error)
        recording = self._instrument.seen_again(recording, error, self.probe())
        recording = attempt(with_sizes_of_the_line, recording, self._instrument) or recording
        backend = keras.backend.backend()
        below = {"backend": backend} if self._instrument.saw_keras else {"framework": backend}
        recording = replace(recording, **below)
        return attempt(self._instrument.generators.told, recording, error, self.probe()) or recording

    def probe(self) -> Probe | None:
        return probe_of(self._instrument)

    def output(self) -> Any:
        return self._instrument.last.output if self._instrument.last is not None else None


class KerasAdapter:
    """See `shapewatch.adapters.Adapter`."""

    name = "keras"
    declares = Declaring(
        calls=frozenset({"Input", "InputLayer"}),
        arguments=frozenset({"shape", "batch_shape", "input_shape"}),
        of_layers=frozenset({"input_shape", "input_dim", "batch_input_shape"}),
    )

    @property
    def compiler(self) -> Compiler:
        """That of TensorFlow, where Keras runs on it."""
        below = keras.backend.backend()
        return load(below).compiler if below == "tensorflow" else Compiler()

    @property
    def covers(self) -> frozenset[str]:
        """The adapters whose operations this one records; those of TensorFlow and PyTorch add their modules."""
        return frozenset({keras.backend.backend()}) - {"tensorflow", "torch"}

    def owns(self, target: object) -> bool:
        return isinstance(target, Layer) or (isinstance(target, type) and issubclass(target, Layer))

    def describe(self, value: object) -> TensorSpec | None:
        tensors = KerasTensors(running_backend())
        return tensors.describe(tensors.raw_spec(value)) if tensors.is_tensor(value) else None

    @contextmanager
    def _recording(self, target: Layer | None) -> Iterator[Watched]:
        with Instrument(running_backend(), target) as instrument:
            yield Watched(instrument)

    def instrument(self, target: object | None = None) -> AbstractContextManager[Watched]:
        return self._recording(target if isinstance(target, Layer) else None)

    def prepare(self, model: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Probe:
        return ModelProbe(_layer(model), Blueprint.of(args, kwargs))

    def prepare_shapes(self, model: object, specs: Sequence[InputSpec]) -> Probe:
        plans = [(spec.name, Plan(spec.shape, _dtype(spec))) for spec in specs]
        args: tuple[Any, ...] = tuple(plan for name, plan in plans if name is None)
        if len(args) > 1 and len(getattr(model, "inputs", None) or ()) == len(args):
            args = (list(args),)  # a functional model takes its inputs as one list
        return ModelProbe(_layer(model), Blueprint(args, {name: plan for name, plan in plans if name is not None}))

    def applied(self, model: Any, edits: Sequence[Edit]) -> AbstractContextManager[Any]:
        return applied(model, edits)

    def as_unwatched(self, traceback: TracebackType | None) -> TracebackType | None:
        return traceback

    def write(self, edit: Edit, recording: Recording) -> Written:
        if recording.framework in REGISTRY and recording.framework != self.name:
            return load(recording.framework).write(edit, recording)  # operations alone: nothing of Keras's in it
        return write(edit, recording)

    def line_of_all(self, edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:
        return line_of_projections(edits, recording, _LANGUAGE) or line_of_function(edits, recording)


_LANGUAGE = Language(
    said_in=lambda source, _, layer: sizes_said(source, layer),
    code_of=lambda module: module_code(described(module)),
    identity="layers.Identity()",
    knows_channels=False,
)


def _layer(model: object) -> Layer:
    if not isinstance(model, Layer):
        raise ValueError(f"a keras.Model or keras.Layer can be run on shapes; this is a {type(model).__name__}")
    return model


def _dtype(spec: InputSpec) -> str:
    if spec.dtype is None:
        return str(keras.config.floatx())
    try:
        KerasTensor((1,), spec.dtype)
    except ValueError:
        raise ValueError(
            f"Keras has no dtype {spec.dtype!r}; float32, float16, int64 and bool are some that it has"
        ) from None
    return spec.dtype


ADAPTER = KerasAdapter()
