"""Which call of a recording is to be explained, and what the rules find of it."""

from __future__ import annotations

import re
from dataclasses import replace

from shapewatch.adapters import Probe, Trial
from shapewatch.firewall import own_fault
from shapewatch.flow.junctions import Graph, unchecked
from shapewatch.recording import Call, Recording
from shapewatch.rules import RULES, Case, Finding

SHAPE_ERRORS = frozenset(
    {
        "RuntimeError",
        "ValueError",
        "AssertionError",
        "IndexError",
        "TypeError",
        "TorchRuntimeError",
        "InvalidArgumentError",
        "AbortedError",  # of TensorFlow's kernels for the CPU, that they cannot be made for such sizes
        "NotImplementedError",  # of a Lambda: Keras could not find out what it gives
    }
)


def first_case(graph: Graph) -> tuple[Case, Finding] | None:
    failure, unit = graph.recording.failure, _unpacked(graph) or graph.failing_unit()
    if failure is None or unit is None or failure.type not in SHAPE_ERRORS:
        return None
    earlier = _unchecked_junction(graph, unit)
    if earlier is not None:
        return earlier
    case = Case(graph, unit, failure.message, failure.type)
    finding = ask(case, "error")
    if finding is None and not unit.is_layer and unit.parent is not None:
        return None
    return None if finding is None else (case, finding)


def _unpacked(graph: Graph) -> Call | None:
    """The split whose parts the line that raised could not unpack: Python's own error, after a call that went well."""
    failure = graph.recording.failure
    if failure is None or failure.span is None or "values to unpack" not in failure.message:
        return None
    where = (failure.span.file, failure.span.line)
    in_line = [unit for unit in graph.units if unit.span and (unit.span.file, unit.span.line) == where]
    in_line = [unit for unit in in_line if unit.finished]
    return in_line[-1] if in_line and in_line[-1].kind == "split" else None


def _unchecked_junction(graph: Graph, failing: Call) -> tuple[Case, Finding] | None:
    """The first junction on the road to the failure that took branches which do not fit."""
    leading = 0
    for operand in failing.operands:
        leading |= graph.ancestors[operand]
    for unit in unchecked(graph):
        if not any(leading >> result & 1 for result in unit.results):
            continue
        case = Case(graph, unit)
        finding = ask(case, "error")
        if finding is not None:
            later = Case(graph, failing).name
            passed = f" Once built, the layer does not check: the pass goes on, and fails at {later}."
            return case, replace(finding, explanation=finding.explanation + passed)
    return None


def only_seen_on_shapes(recording: Recording, probe: Probe | None) -> tuple[Case, Finding] | None:
    """The failure as a dry run sees it, when the live pass saw no call fail: Keras checks the layers of a model that it
    reads from a config before any of them is called. The words have to be the same."""
    failure = recording.failure
    if probe is None or failure is None or failure.call is not None or failure.type not in SHAPE_ERRORS:
        return None
    baseline = probe.run().recording
    if baseline.failure is None or _without_sizes(baseline.failure.message) != _without_sizes(failure.message):
        return None
    return first_case(Graph(replace(baseline, failure=replace(baseline.failure, span=failure.span))))


def _without_sizes(message: str) -> str:
    return re.sub(r"\d+|None", "#", message)


def ask(case: Case, severity: str) -> Finding | None:
    """The first rule that has something to say. A rule that breaks down is passed over."""
    for rule in RULES:
        if rule.severity != severity or (rule.kinds and case.call.kind not in rule.kinds):
            continue
        try:
            finding = rule.check(case)
        except Exception as fault:
            own_fault(fault)
            continue
        if finding is not None:
            return replace(finding, code=rule.code, name=rule.name, severity=rule.severity)
    return None


def deeper_case(baseline: Trial, case: Case) -> tuple[Case, Finding] | None:
    """The failure as the dry run saw it, when the live pass saw only a layer that is not looked into."""
    if baseline.recording.failure is None or baseline.unsupported:
        return None
    found = first_case(Graph(_called_as_in(case.recording, baseline.recording)))
    if found is not None and found[0].call.place.endswith(f".{case.call.place}"):
        # a layer that ran before the model had it, and was called by the end of its path; the line is known already
        recording = found[0].recording
        assert recording.failure is not None and case.recording.failure is not None
        there = replace(recording.failure, span=case.recording.failure.span)
        return first_case(Graph(replace(recording, failure=there)))
    if (
        found is None
        or not case.call.is_layer
        or not found[0].call.layer.startswith(case.call.layer)
        or found[0].call.place == case.call.place
    ):
        return None
    return found


def _called_as_in(live: Recording, again: Recording) -> Recording:
    """A dry run's recording, with what only the program knows: the line that raised, the names of the inputs, and the
    lines that make the layers."""
    assert again.failure is not None and live.failure is not None
    values = list(again.values)
    for given, number in zip(live.inputs, again.inputs, strict=False):
        values[number] = replace(values[number], name=values[number].name or live.values[given].name)
    failed = again.failing_call()
    inside = failed is not None and failed.parent is not None  # a dry run calls the outermost layer from elsewhere
    span = (again.failure.span if inside else None) or live.failure.span
    spoken, streams = live.failure.spoken or again.failure.spoken, live.failure.streams or again.failure.streams
    outermost = [call.span for call in live.roots][-1:]
    calls = [replace(call, span=outermost[0]) if call.parent is None and outermost else call for call in again.calls]
    known = live.layer_at
    layers = [
        replace(layer, defined=known[layer.path].defined)
        if layer.defined is None and layer.path in known and known[layer.path].type == layer.type
        else layer
        for layer in again.layers
    ]
    return replace(
        again,
        layers=tuple(layers),
        values=tuple(values),
        calls=tuple(calls),
        failure=replace(
            again.failure,
            span=span,
            spoken=spoken,
            streams=streams,
            labelled=live.failure.labelled or again.failure.labelled,
            stack=live.failure.stack,
            from_one=live.failure.from_one,
            beside=live.failure.beside,
        ),
    )


def not_reproduced(baseline: Trial, case: Case) -> str | None:
    if baseline.unsupported:
        return baseline.unsupported
    if baseline.recording.failure is None:
        return "the pass on shapes alone does not fail, so it cannot show that a change helps"
    unit, live = Graph(baseline.recording).failing_unit(), case.graph.failing_unit()
    if unit is None or live is None or unit.place != live.place:
        where = "outside every layer" if unit is None else f"at {unit.layer or unit.name}"
        return f"the pass on shapes alone fails elsewhere, {where}: {baseline.recording.failure.message[:120]}"
    return None
