"""The PyTorch adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import torch
from torch import nn

from shapewatch.adapters import Compiler, Declaring, InputSpec, Probe, Written
from shapewatch.adapters.class_projections import Language, line_of_projections
from shapewatch.adapters.collectives import Collective, Company
from shapewatch.adapters.construction_line import line_of_construction
from shapewatch.adapters.passes import followed_by
from shapewatch.adapters.torch import edit as edits_in_memory
from shapewatch.adapters.torch.blueprint import Blueprint, TensorPlan
from shapewatch.adapters.torch.class_line import line_of_class
from shapewatch.adapters.torch.compiled import apart, is_part, is_read, pass_over, raised_at
from shapewatch.adapters.torch.dryrun import TorchProbe, without_shape
from shapewatch.adapters.torch.functions import Failed as FailedFunction
from shapewatch.adapters.torch.functions import failed_again
from shapewatch.adapters.torch.instrument import Instrument
from shapewatch.adapters.torch.loop_line import line_of_loop
from shapewatch.adapters.torch.own_line import arguments_said
from shapewatch.adapters.torch.ranks import Hearing
from shapewatch.adapters.torch.tensors import describe_raw, raw_spec
from shapewatch.adapters.torch.threads import FailedElsewhere
from shapewatch.adapters.torch.tracebacks import as_unwatched
from shapewatch.adapters.torch.write import attribute_of, module_code, write
from shapewatch.edits import Edit, Set
from shapewatch.firewall import own_fault
from shapewatch.recorder import Line
from shapewatch.recording import Recording, Span, TensorSpec
from shapewatch.source import raising_line


class Watched:
    """A pass being recorded."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._elsewhere: FailedElsewhere | None = None
        self._function: FailedFunction | None = None

    def finish(self, error: BaseException | None) -> Recording:
        recording = self._instrument.finish(error)
        missed, elsewhere = self._instrument.missed, self._instrument.elsewhere.behind(error)
        try:
            if elsewhere is not None:
                self._elsewhere = elsewhere
                again = self._elsewhere_again(elsewhere)
                if again is None:
                    self._elsewhere = None
                return again or recording
            function, compiled = self._instrument.failed_function, self._instrument.failed_compiled
            if compiled is not None and compiled is missed and function is not None:
                kind, words = type(compiled).__name__, str(compiled)
                return self._function_again(raised_at(compiled), kind, words, *function) or recording
            if missed is not None:
                again = self._seen_again(self._raised_at(missed), type(missed).__name__, str(missed))
                return recording if again is None else followed_by(recording, again)
        except Exception as fault:
            own_fault(fault)
        return recording

    def _elsewhere_again(self, failed: FailedElsewhere) -> Recording | None:
        if failed.module is not None:
            return self._seen_again(failed.place, failed.type, failed.message)
        self._elsewhere = None
        return self._function_again(failed.place, failed.type, failed.message, failed.function, failed.blueprint)

    def _seen_again(self, line: tuple[str, int] | None, kind: str, message: str) -> Recording | None:
        """The pass that failed unrecorded, on shapes; None where it fails otherwise there, or not at all."""
        probe = self.probe()
        trial = probe.run() if probe is not None else None
        if trial is None or trial.unsupported is not None:
            return None
        return _failed_alike(trial.recording, line, kind, message)

    def _function_again(
        self, line: tuple[str, int] | None, kind: str, message: str, function: Any, blueprint: Blueprint
    ) -> Recording | None:
        """The compiled function that failed, on shapes; None as above."""
        failed = failed_again(function, blueprint)
        if failed is None:
            return None
        recording = _failed_alike(failed.recording, line, kind, message)
        self._function = None if recording is None else failed
        return recording

    def _raised_at(self, missed: BaseException) -> tuple[str, int] | None:
        if missed is self._instrument.failed_compiled:
            return raised_at(missed)
        return _place(raising_line(missed.__traceback__))

    def probe(self) -> Probe | None:
        root, blueprint, path = self._instrument.root, self._instrument.blueprint, self._instrument.root_path
        if self._elsewhere is not None:
            root, blueprint, path = self._elsewhere.module, self._elsewhere.blueprint, ""
        if self._function is not None:
            root, blueprint, path = self._function.root, self._function.blueprint, self._function.path
        if root is None or blueprint is None or isinstance(root, torch.jit.ScriptModule):
            return None
        return TorchProbe(root, blueprint, path)

    def output(self) -> Any:
        return self._instrument.output()


def _failed_alike(recording: Recording, line: tuple[str, int] | None, kind: str, message: str) -> Recording | None:
    """The recording of a pass on shapes, with the program's exception; None where it did not fail at that line."""
    failure = recording.failure
    if failure is None:
        return None
    if line is not None and (failure.span is None or (failure.span.file, failure.span.line) != line):
        return None
    return replace(recording, failure=replace(failure, type=kind, message=message))


def _place(line: Line | None) -> tuple[str, int] | None:
    return (line[0].co_filename, line[1]) if line is not None else None


class TorchAdapter:
    """See `shapewatch.adapters.Adapter`."""

    name = "torch"
    covers: frozenset[str] = frozenset()
    compiler = Compiler(is_read, is_part, apart, pass_over)
    declares = Declaring()

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

    def hearing(
        self, joined: Callable[[Company], None], changes: Callable[[Collective, tuple[int, ...]], None]
    ) -> Hearing:
        return Hearing(joined, changes)

    def prepare(self, model: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Probe:
        if not isinstance(model, nn.Module):
            raise ValueError(f"a torch.nn.Module can be run on shapes; this is a {type(model).__name__}")
        return _ready(model, Blueprint.of(args, kwargs))

    def prepare_shapes(self, model: object, specs: Sequence[InputSpec]) -> Probe:
        if not isinstance(model, nn.Module):
            raise ValueError(f"a torch.nn.Module can be run on shapes; this is a {type(model).__name__}")
        like = next(model.parameters(), None)
        device = torch.device("cpu") if like is None else like.device
        plans = [(spec.name, TensorPlan(spec.shape, None, _dtype(spec, like), device)) for spec in specs]
        args = tuple(plan for name, plan in plans if name is None)
        return _ready(model, Blueprint(args, {name: plan for name, plan in plans if name is not None}))

    def applied(self, model: Any, edits: Sequence[Edit]) -> AbstractContextManager[Any]:
        return edits_in_memory.applied(model, edits)

    def as_unwatched(self, traceback: TracebackType | None) -> TracebackType | None:
        return as_unwatched(traceback)

    def write(self, edit: Edit, recording: Recording) -> Written:
        return write(edit, recording)

    def line_of_all(self, edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:
        if not isinstance(edits[0], Set):
            return line_of_projections(edits, recording, _LANGUAGE)
        parts = attribute_of(edits[0].layer)
        of_class = line_of_class(edits, parts, recording) or line_of_loop(edits, parts, recording)
        return of_class or line_of_construction(edits, recording)


_LANGUAGE = Language(arguments_said, module_code, "nn.Identity()", knows_channels=True)


def _ready(model: nn.Module, blueprint: Blueprint) -> Probe:
    if (reason := without_shape(model)) is not None:
        raise ValueError(reason)
    return TorchProbe(model, blueprint)


def _dtype(spec: InputSpec, like: torch.Tensor | None) -> torch.dtype:
    if spec.dtype is None:
        return like.dtype if like is not None and like.is_floating_point() else torch.get_default_dtype()
    dtype = getattr(torch, spec.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"PyTorch has no dtype {spec.dtype!r}; float32, float16, int64 and bool are some that it has")
    return dtype


ADAPTER = TorchAdapter()
