"""`check`: a model run on shapes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shapewatch.adapters import InputSpec, adapter_of
from shapewatch.diagnose import diagnose
from shapewatch.firewall import own_fault
from shapewatch.recording import Recording
from shapewatch.report import Diagnosis, Report
from shapewatch.rules.size_refused import speaks_of_sizes
from shapewatch.watching.session import decorations_aside
from shapewatch.watching.wishes import OnWarning, UsageError, as_wished, refuse_wish


def check(
    model: Any,
    *args: Any,
    input_shape: Sequence[int] | Sequence[Any] | Mapping[str, Any] | None = None,
    warnings: OnWarning = "warn",
    **kwargs: Any,
) -> Report:
    """Run a model on shapes alone: nothing is computed, nothing in the model changes, no shape error is raised.

        check(model, x)
        check(model, input_shape=(1, 3, 224, 224))
        check(model, input_shape={"tokens": (1, 128), "mask": (1, 128)})

    Args:
        model: a model that has been built.
        args: inputs as for a call of the model; only their shapes are used.
        input_shape: instead of `args`: one shape, a list of shapes (one an input), or shapes by argument name.
            A shape is of sizes, batch included.
        warnings: as for `watch`.

    Raises:
        UsageError: the model is no model, or there is no telling its inputs.
        Exception: a fault of ours, where the model could not be run at all: no report is better than one that says ok.
        ShapeWarning: with `warnings="raise"`, the model runs and looks wrong.
    """
    refuse_wish(warnings)
    try:
        adapter = adapter_of(model)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if isinstance(model, type):
        raise UsageError(f"check() takes a model, and {model.__name__} is a class: check({model.__name__}(...), ...)")
    if input_shape is not None and (args or kwargs):
        raise UsageError("check() takes inputs or input_shape, not both")
    if input_shape is None and not (args or kwargs):
        raise UsageError("check() needs inputs or a shape: check(model, input_shape=(1, 3, 224, 224))")
    try:
        probe = (
            adapter.prepare(model, args, kwargs)
            if input_shape is None
            else adapter.prepare_shapes(model, _specs(input_shape))
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    with decorations_aside():
        trial = probe.run()
    if trial.broken is not None:
        raise trial.broken
    try:
        with decorations_aside():
            report = diagnose(trial.recording, adapter, probe, trial.output)
    except Exception as fault:
        own_fault(fault)
        report = Report(trial.recording, diagnoses=_undiagnosed(trial.recording), output=trial.output)
    if trial.unsupported is not None:
        report = replace(report, notes=(f"Not checked to the end: {trial.unsupported}.",), diagnoses=())
    return as_wished(report, warnings)


def _undiagnosed(recording: Recording) -> tuple[Diagnosis, ...]:
    """What is left to say of a shape error that a fault of ours keeps from being diagnosed: that there is one."""
    failure = recording.failure
    if failure is None or not speaks_of_sizes(failure.message):
        return ()
    headline = f"{failure.type}: {failure.message.strip().splitlines()[0]}"
    explanation = "What it comes from could not be looked into: a fault of shapewatch itself was in the way."
    return (Diagnosis("SW900", "size-refused", "error", headline, explanation, location=failure.span),)


def _specs(given: Any) -> list[InputSpec]:
    """One spec an input, from a shape, a list of shapes or specs, or shapes by name."""
    if isinstance(given, InputSpec):
        return [given]
    if isinstance(given, Mapping):
        return [InputSpec(_shape(shape), None, str(name)) for name, shape in given.items()]
    if not isinstance(given, Sequence) or not given:
        _shape(given)
    items = list(given)
    if items and all(isinstance(item, int) for item in items):
        return [InputSpec(_shape(items))]
    return [item if isinstance(item, InputSpec) else InputSpec(_shape(item)) for item in items]


def _shape(given: Any) -> tuple[int, ...]:
    try:
        sizes = tuple(given)
    except TypeError:
        sizes = ()
    if not sizes or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise UsageError(f"a shape is a tuple of sizes, such as (1, 3, 224, 224); this is {given!r}")
    return sizes
