"""A pass that nobody watched has failed: what can be told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from shapewatch.adapters import adapter_of
from shapewatch.diagnose import diagnose
from shapewatch.recording import Span
from shapewatch.report import Report
from shapewatch.source import raising_line, span_at
from shapewatch.watching.session import decorations_aside

_CALLS = frozenset({"__call__", "_wrapped_call_impl", "_call_impl"})
"""The functions by which PyTorch and Keras call a layer."""


@dataclass(frozen=True)
class LayerCall:
    """A call of a layer, as it stands in a traceback."""

    layer: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def outermost_call(traceback: TracebackType | None) -> LayerCall | None:
    """The outermost call of a layer that an exception came through; None where it came through none."""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name in _CALLS:
            held = frame.f_locals
            layer, args, kwargs = held.get("self"), held.get("args"), held.get("kwargs")
            if isinstance(args, tuple) and isinstance(kwargs, dict) and _is_layer(layer):
                return LayerCall(layer, args, kwargs)
        traceback = traceback.tb_next
    return None


def _is_layer(value: Any) -> bool:
    try:
        adapter_of(value)
    except ValueError:
        return False
    return True


def looked_at_again(error: Exception, call: LayerCall, compiled: bool = False) -> Report | None:
    """The report of a call, from a pass on shapes alone; None where it fails at another line there, or not at all.

    An exception of `compiled` code comes from no line of the program's.
    """
    adapter = adapter_of(call.layer)
    with decorations_aside():
        probe = adapter.prepare(call.layer, call.args, call.kwargs)
        trial = probe.run()
        failure = trial.recording.failure
        if failure is None or trial.unsupported is not None:
            return None
        recording, ours = trial.recording, trial.recording.calls[0].span if trial.recording.calls else None
        called, within = _lines_around(call.layer, error.__traceback__)
        at = failure.span if failure.span != ours else None
        if not compiled and _place(at) != _place(within):
            return None
        told = replace(failure, type=type(error).__name__, message=str(error), span=at or called)
        calls = tuple(replace(each, span=called) if each.span == ours else each for each in recording.calls)
        return diagnose(replace(recording, calls=calls, failure=told), adapter, probe)


def _lines_around(layer: Any, traceback: TracebackType | None) -> tuple[Span | None, Span | None]:
    """The line of the program that called a layer, and the one that raised while it ran, if that was one of its own.

    A pass on shapes cannot tell the first: there the layer is called by shapewatch, from whichever line asked for it.
    """
    called, entry = None, traceback
    while entry is not None:
        frame = entry.tb_frame
        if frame.f_code.co_name in _CALLS and frame.f_locals.get("self") is layer:
            return called, _span(entry)
        called = _span(TracebackType(None, frame, entry.tb_lasti, entry.tb_lineno)) or called
        entry = entry.tb_next
    return called, _span(traceback)


def _place(span: Span | None) -> tuple[str, int] | None:
    return None if span is None else (span.file, span.line)


def _span(traceback: TracebackType | None) -> Span | None:
    line = raising_line(traceback)
    return None if line is None else span_at(*line)
