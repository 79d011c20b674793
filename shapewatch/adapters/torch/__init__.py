"""The PyTorch adapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import torch
from torch import nn

from shapewatch.adapters import InputSpec, Probe, Written
from shapewatch.adapters.torch import edit as edits_in_memory
from shapewatch.adapters.torch.blueprint import Blueprint, TensorPlan
from shapewatch.adapters.torch.dryrun import TorchProbe
from shapewatch.adapters.torch.instrument import Instrument, describe_raw, raw_spec
from shapewatch.adapters.torch.tracebacks import as_unwatched
from shapewatch.adapters.torch.write import write
from shapewatch.edits import Edit
from shapewatch.recorder import own_fault
from shapewatch.recording import Recording, TensorSpec
from shapewatch.source import raising_line, span_at


class Watched:
    """A pass being recorded."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def finish(self, error: BaseException | None) -> Recording:
        recording = self._instrument.finish(error)
        missed = self._instrument.missed
        if missed is None or missed is not self._instrument.recorder.error:
            return recording
        try:
            return self._seen_again(missed) or recording
        except Exception as fault:
            own_fault(fault)
            return recording

    def _seen_again(self, missed: BaseException) -> Recording | None:
        """The pass that failed unrecorded, on shapes; None where it fails otherwise there, or not at all."""
        probe = self.probe()
        trial = probe.run() if probe is not None else None
        if trial is None or trial.unsupported is not None or trial.recording.failure is None:
            return None
        failure, line = trial.recording.failure, raising_line(missed.__traceback__)
        there = span_at(*line) if line is not None else None
        if (failure.span and (failure.span.file, failure.span.line)) != (there and (there.file, there.line)):
            return None
        return replace(trial.recording, failure=replace(failure, type=type(missed).__name__, message=str(missed)))

    def probe(self) -> Probe | None:
        root, blueprint = self._instrument.root, self._instrument.blueprint
        if root is None or blueprint is None or isinstance(root, torch.jit.ScriptModule):
            return None
        return TorchProbe(root, blueprint)

    def output(self) -> Any:
        return self._instrument.output()


class TorchAdapter:
    """See `shapewatch.adapters.Adapter`."""

    name = "torch"
    covers: frozenset[str] = frozenset()

    def owns(self, target: object) -> bool:
        return isinstance(target, nn.Module) or (isinstance(target, type) and issubclass(target, nn.Module))

    def describe(self, value: object) -> TensorSpec | None:
        return describe_raw(raw_spec(value)) if isinstance(value, torch.Tensor) else None

    @contextmanager
    def _recording(self, target: nn.Module | None) -> Iterator[Watched]:
        with Instrument(target) as instrument:
            yield Watched(instrument)

    def instrument(self, target: object | None = None) -> AbstractContextManager[Watched]:
        return self._recording(target if isinstance(target, nn.Module) else None)

    def prepare(self, model: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Probe:
        if not isinstance(model, nn.Module):
            raise ValueError(f"a torch.nn.Module can be run on shapes; this is a {type(model).__name__}")
        return TorchProbe(model, Blueprint.of(args, kwargs))

    def prepare_shapes(self, model: object, specs: Sequence[InputSpec]) -> Probe:
        if not isinstance(model, nn.Module):
            raise ValueError(f"a torch.nn.Module can be run on shapes; this is a {type(model).__name__}")
        like = next(model.parameters(), None)
        device = torch.device("cpu") if like is None else like.device
        plans = [(spec.name, TensorPlan(spec.shape, None, _dtype(spec, like), device)) for spec in specs]
        args = tuple(plan for name, plan in plans if name is None)
        return TorchProbe(model, Blueprint(args, {name: plan for name, plan in plans if name is not None}))

    def applied(self, model: Any, edits: Sequence[Edit]) -> AbstractContextManager[Any]:
        return edits_in_memory.applied(model, edits)

    def as_unwatched(self, traceback: TracebackType | None) -> TracebackType | None:
        return as_unwatched(traceback)

    def write(self, edit: Edit, recording: Recording) -> Written:
        return write(edit, recording)


def _dtype(spec: InputSpec, like: torch.Tensor | None) -> torch.dtype:
    if spec.dtype is None:
        return like.dtype if like is not None and like.is_floating_point() else torch.get_default_dtype()
    dtype = getattr(torch, spec.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"PyTorch has no dtype {spec.dtype!r}; float32, float16, int64 and bool are some that it has")
    return dtype


ADAPTER = TorchAdapter()
