"""Networks drawn at random are recorded as they are: every call, every edge, every shape, junctions, forks and roads.

A plan is a list of steps on variables. It is run by a real module, part by part, with dictionaries and lists of tensors
handed around, layers called more than once, views, and operations in place. What the recording has to say follows from
the plan alone. Then a plan is broken, and the call that fails has to be the one that cannot work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.residual import failure, our_notes
from torch import Tensor, nn

import shapewatch
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Call

few = settings(deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])
many = settings(few, derandomize=False, max_examples=1500, database=None)

KINDS = {
    "linear": "linear", "relu": "activation", "relu_": "activation", "sigmoid": "squash", "add": "add", "add_": "add",
    "mul": "mul", "cat": "concat", "chunk": "split", "view": "reshape",
}  # fmt: skip

BATCH = 3


@dataclass(frozen=True)
class Step:
    """An operation on variables, and the variables that it makes (of one in place: the one that it changes)."""

    kind: str
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    layer: int | None = None


@dataclass(frozen=True)
class Plan:
    """Steps, the widths of the linear layers, and where one part of the network ends and the next begins."""

    inputs: tuple[int, ...]
    steps: tuple[Step, ...]
    layers: tuple[tuple[int, int], ...]
    cuts: tuple[int, ...]

    def __repr__(self) -> str:
        said = (f"{step.gives} = {step.kind}{step.takes} {step.layer}" for step in self.steps)
        return f"inputs {self.inputs}, layers {self.layers}, cuts {self.cuts}: {'; '.join(said)}"


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    widths = [6] * draw(st.integers(1, 2))
    inputs, steps, layers = tuple(widths), [], list[tuple[int, int]]()
    seen_elsewhere: set[int] = set(range(len(widths)))  # views, and what views were made of: not changed in place
    for _ in range(draw(st.integers(2, 14))):
        kind = draw(st.sampled_from([*KINDS, "linear", "add", "add", "cat"]))
        one = draw(st.integers(0, len(widths) - 1))
        alike = [other for other, width in enumerate(widths) if width == widths[one]]
        fresh, layer = len(widths), None
        takes, gives, made = (one,), (fresh,), [widths[one]]
        if kind == "linear":
            fitting = [number for number, (given, _) in enumerate(layers) if given == widths[one]]
            if fitting and draw(st.booleans()):
                layer = draw(st.sampled_from(fitting))
            else:
                layer = len(layers)
                layers.append((widths[one], draw(st.sampled_from([4, 6]))))
            made = [layers[layer][1]]
        elif kind in ("add", "mul", "add_"):
            takes = (one, draw(st.sampled_from(alike)))
        elif kind == "cat":
            takes = (one, *draw(st.lists(st.integers(0, len(widths) - 1), min_size=1, max_size=2)))
            made = [sum(widths[each] for each in takes)]
        elif kind == "chunk":
            gives, made = (fresh, fresh + 1), [widths[one] // 2] * 2
        if kind == "view" or kind == "chunk":
            seen_elsewhere |= {*takes, *gives}
        if kind.endswith("_"):
            if one in seen_elsewhere:
                continue
            gives, made = (one,), []
        if (kind == "chunk" and widths[one] % 2) or any(width > 24 for width in made):
            continue
        steps.append(Step(kind, takes, gives, layer))
        widths += made
    assume(steps)
    cuts = tuple(sorted(draw(st.sets(st.integers(1, len(steps)), max_size=3))))
    return Plan(inputs, tuple(steps), tuple(layers), cuts)


# The network of a plan


class Part(nn.Module):
    """Some steps; the variables come and go in a dictionary."""

    def __init__(self, steps: Sequence[Step], layers: Mapping[int, nn.Module]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.layers = nn.ModuleDict({str(step.layer): layers[step.layer] for step in steps if step.layer is not None})

    def forward(self, state: dict[str, Any]) -> dict[str, Any]:
        variables = state["variables"]
        for step in self.steps:
            given = [variables[number] for number in step.takes]
            made = self.run(step, given)
            for number, result in zip(step.gives, made, strict=True):
                if number < len(variables):
                    variables[number] = result
                else:
                    variables.append(result)
        return {"variables": variables}

    def run(self, step: Step, given: list[Tensor]) -> Sequence[Tensor]:
        if step.kind == "linear":
            return [self.layers[str(step.layer)](given[0])]
        if step.kind == "cat":
            return [torch.cat(given, dim=1)]
        if step.kind == "chunk":
            return given[0].chunk(2, dim=1)
        if step.kind == "view":
            return [given[0].view(BATCH, -1)]
        if step.kind in ("relu_", "add_"):
            return [getattr(given[0], step.kind)(*given[1:])]
        return [getattr(torch, step.kind)(*given)]


class Network(nn.Module):
    def __init__(self, plan: Plan) -> None:
        super().__init__()
        layers = {number: nn.Linear(*widths) for number, widths in enumerate(plan.layers)}
        ends = (0, *plan.cuts, len(plan.steps))
        parts = [plan.steps[start:end] for start, end in pairwise(ends)]
        self.parts = nn.ModuleList(Part(steps, layers) for steps in parts)

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        state: dict[str, Any] = {"variables": list(inputs)}
        for part in self.parts:
            state = part(state)
        return state["variables"]


def inputs_of(plan: Plan) -> list[Tensor]:
    return [torch.ones(BATCH, width) for width in plan.inputs]


# What a recording has to say, from the plan alone


Made = tuple[int, int]
"""A value: the step that made it and which of its results it is; (-1, n) for the n-th input."""


@dataclass(frozen=True)
class Truth:
    """For each step that runs: the values it takes and gives; of each value, its width and what it is made of."""

    taken: tuple[tuple[Made, ...], ...]
    width: Mapping[Made, int]
    behind: Mapping[Made, frozenset[Made]]
    longest: Mapping[tuple[Made, Made], int]
    fails: int | None

    def fork(self, values: Sequence[Made]) -> Made | None:
        common = frozenset.intersection(*(self.behind[value] for value in values))
        return max(common, default=None)


def truth(plan: Plan) -> Truth:
    now: dict[int, Made] = {number: (-1, number) for number in range(len(plan.inputs))}
    width = {(-1, number): size for number, size in enumerate(plan.inputs)}
    behind = {value: frozenset([value]) for value in width}
    longest: dict[tuple[Made, Made], int] = {(value, value): 0 for value in width}
    taken = []
    for number, step in enumerate(plan.steps):
        values = tuple(now[each] for each in step.takes)
        taken.append(values)
        sizes = [width[value] for value in values]
        out = _widths(step, sizes, plan)
        if out is None:
            return Truth(tuple(taken), width, behind, longest, number)
        for place, (variable, size) in enumerate(zip(step.gives, out, strict=True)):
            value = (number, place)
            now[variable], width[value] = value, size
            behind[value] = frozenset([value]).union(*(behind[each] for each in values))
            longest[value, value] = 0
            for source in behind[value] - {value}:
                longest[source, value] = 1 + max(longest[source, each] for each in values if source in behind[each])
    return Truth(tuple(taken), width, behind, longest, None)


def _widths(step: Step, sizes: list[int], plan: Plan) -> list[int] | None:
    """The widths of what a step gives, None where it cannot work."""
    if step.layer is not None:
        given, out = plan.layers[step.layer]
        return [out] if given == sizes[0] else None
    if step.kind == "cat":
        return [sum(sizes)]
    if step.kind == "chunk":
        half = -(-sizes[0] // 2)
        return [half, sizes[0] - half]
    if len(sizes) == 2:
        widest = max(sizes)
        fits = sizes[0] == sizes[1] or (1 in sizes and (step.kind != "add_" or sizes[0] == widest))
        return [widest] if fits else None
    return [sizes[0]]


# The comparison


def is_recorded(plan: Plan, network: Network, graph: Graph) -> Truth:
    """That each step that ran is a call with the operands, the results and the shapes that it had."""
    expected, recording, units = truth(plan), graph.recording, graph.units
    ran = plan.steps[: len(expected.taken)]
    assert [unit.kind for unit in units] == [KINDS[step.kind] for step in ran]
    numbers = {(-1, place): value for place, value in enumerate(recording.inputs)}
    for number, (step, unit) in enumerate(zip(ran, units, strict=True)):
        assert unit.operands == tuple(numbers[value] for value in expected.taken[number]), (number, step)
        if step.layer is not None:
            assert isinstance(network.get_submodule(unit.layer), nn.Linear)
            assert tuple(graph.facts(unit)[name] for name in ("in_features", "out_features")) == plan.layers[step.layer]
        part = sum(cut <= number for cut in plan.cuts)
        assert f"parts.{part}" in (unit.layer, around(graph, unit))
        assert unit.finished == (number != expected.fails)
        if unit.finished:
            numbers |= {(number, place): value for place, value in enumerate(unit.results)}
            assert len(unit.results) == len(step.gives)
    for value, number in numbers.items():
        assert recording.shape(number) == (BATCH, expected.width[value])
        made_by = graph.producer.get(number)
        assert (made_by is None) == (value[0] < 0) and (made_by is None or made_by is units[value[0]])
    return expected


def around(graph: Graph, unit: Call) -> str:
    """The path of the layer in whose forward a call stands."""
    return "" if unit.parent is None else graph.recording.calls[unit.parent].layer


def has_the_junctions(plan: Plan, graph: Graph, expected: Truth) -> None:
    made = {number: (place, at) for place, unit in enumerate(graph.units) for at, number in enumerate(unit.results)}
    made |= {value: (-1, place) for place, value in enumerate(graph.recording.inputs)}
    found = {junction.call: junction for junction in find_junctions(graph)}
    for number, values in enumerate(expected.taken):
        step, unit = plan.steps[number], graph.units[number]
        meets = step.kind in ("add", "add_", "mul", "cat") and len(set(values)) > 1
        assert (unit.number in found) == meets
        if not meets:
            continue
        junction = found.pop(unit.number)
        assert [made[branch.value] for branch in junction.branches] == list(values)
        assert [branch.shape for branch in junction.branches] == [(BATCH, expected.width[value]) for value in values]
        assert junction.status == ("mismatch" if number == expected.fails else _status(step, values, expected))
        fork = expected.fork(values)
        assert (None if junction.fork is None else made[junction.fork.value]) == fork
        for branch, value in zip(junction.branches, values, strict=True):
            if fork is not None:
                assert len(branch.path) == expected.longest[fork, value]
            _is_a_road(graph, [step.call for step in branch.path], junction.fork and junction.fork.value, branch.value)
        lengths = [len(branch.path) for branch in junction.branches]
        assert [branch.role for branch in junction.branches].count("main") == 1
        assert max(lengths) == next(len(branch.path) for branch in junction.branches if branch.role == "main")
    assert not found


def _status(step: Step, values: Sequence[Made], expected: Truth) -> str:
    return "broadcast" if step.kind != "cat" and len({expected.width[value] for value in values}) > 1 else "ok"


def _is_a_road(graph: Graph, calls: list[int], start: int | None, end: int) -> None:
    """Each call takes what the one before it gave, from the fork to the branch's end."""
    here = None if start is None else {start}
    for number in calls:
        unit = graph.recording.calls[number]
        assert here is None or here & set(unit.operands)
        here = set(unit.results)
    assert here is None or end in here


def recorded(plan: Plan) -> tuple[Network, Any]:
    network, inputs = Network(plan), inputs_of(plan)
    with torch.no_grad(), shapewatch.watch(network) as session:
        network(*inputs)
    return network, session.report


def the_record_is_the_network(plan: Plan) -> None:
    network, report = recorded(plan)
    graph = Graph(report.recording)
    expected = is_recorded(plan, network, graph)
    has_the_junctions(plan, graph, expected)
    assert report.ok


# Breaking it


@st.composite
def broken_plans(draw: st.DrawFn) -> Plan:
    """A plan in which one layer gives one more than it did, and somebody downstream cannot take it."""
    plan = draw(plans())
    assume(plan.layers)
    changed = draw(st.integers(0, len(plan.layers) - 1))
    layers = tuple((given, out + (number == changed)) for number, (given, out) in enumerate(plan.layers))
    broken = replace(plan, layers=layers)
    assume(truth(broken).fails is not None)
    return broken


CODES = {"linear": {"SW102"}, "add": {"SW201"}, "add_": {"SW201"}, "mul": {"SW201"}}


def the_failure_is_found(plan: Plan) -> None:
    network, inputs, session, raised = Network(plan), inputs_of(plan), None, []

    def run() -> None:
        nonlocal session
        with torch.no_grad(), shapewatch.watch(network) as session:
            try:
                network(*inputs)
            except RuntimeError as error:
                raised.append((error, str(error)))
                raise

    error = failure(run)
    assert (error, str(error)) == raised[0] and len(our_notes(error)) == 1 and session is not None
    graph = Graph(session.report.recording)
    expected = is_recorded(plan, network, graph)
    has_the_junctions(plan, graph, expected)
    assert expected.fails is not None and graph.failing_unit() is graph.units[expected.fails]
    errors = [each for each in session.report.diagnoses if each.severity == "error"]
    assert errors and errors[0].code in CODES[plan.steps[expected.fails].kind]  # what it would run into next may follow
    if errors[0].cause is not None and errors[0].cause.layer and errors[0].cause.type != "input":
        assert isinstance(network.get_submodule(errors[0].cause.layer), nn.Module)


@few
@given(plans())
def test_a_network_is_recorded_as_it_is(plan: Plan) -> None:
    the_record_is_the_network(plan)


@few
@given(broken_plans())
def test_a_broken_network_fails_where_it_cannot_work(plan: Plan) -> None:
    the_failure_is_found(plan)


@pytest.mark.zoo
@many
@given(plans())
def test_many_networks(plan: Plan) -> None:
    the_record_is_the_network(plan)


@pytest.mark.zoo
@many
@given(broken_plans())
def test_many_broken_networks(plan: Plan) -> None:
    the_failure_is_found(plan)
