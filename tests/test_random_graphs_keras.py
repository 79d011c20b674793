"""Keras models drawn at random are recorded as they are: every call, every edge, every shape, junctions and forks.

A plan is a list of steps on variables. It becomes a subclassed model, part by part, with dictionaries handed around and
layers called more than once, and a functional one, which Keras runs in an order of its own. What the recording has to
say follows from the plan alone. Then a plan is broken, and the call that fails has to be the one that cannot work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from keras import layers, ops
from support.residual import failure, our_notes, own_frames

import shapewatch
from shapewatch.edits import Input
from shapewatch.flow.junctions import Graph, Junction, find_junctions
from shapewatch.recording import Call, text

few = settings(deadline=None, derandomize=True, max_examples=15, suppress_health_check=[HealthCheck.filter_too_much])
many = settings(few, derandomize=False, max_examples=250, database=None)

pytestmark = [  # of Keras, when the rehearsal by which it builds a model fails
    pytest.mark.filterwarnings("ignore:Layer .* looks like it has unbuilt state:UserWarning"),
    pytest.mark.filterwarnings("ignore:`build..` was called on layer:UserWarning"),
]

BATCH = 3


# Plans


@dataclass(frozen=True)
class Kind:
    """What a step does, as Keras spells it and as a recording calls it."""

    called: str
    run: Callable[..., Any]
    takes: int = 1
    gives: int = 1
    layer: bool = False


KINDS: Mapping[str, Kind] = {
    "Dense": Kind("linear", layers.Dense, layer=True),
    "ReLU": Kind("activation", layers.ReLU, layer=True),
    "relu": Kind("activation", ops.relu),
    "sigmoid": Kind("squash", ops.sigmoid),
    "neg": Kind("same", lambda x: -x),
    "+": Kind("add", lambda x, y: x + y, takes=2),
    "Add": Kind("add", layers.Add, takes=2, layer=True),
    "*": Kind("mul", lambda x, y: x * y, takes=2),
    "Multiply": Kind("mul", layers.Multiply, takes=2, layer=True),
    "-": Kind("sub", lambda x, y: x - y, takes=2),
    "maximum": Kind("maximum", ops.maximum, takes=2),
    "concatenate": Kind("concat", lambda *x: ops.concatenate(x, axis=1), takes=2),
    "Concatenate": Kind("concat", layers.Concatenate, takes=3, layer=True),
    "split": Kind("split", lambda x: ops.split(x, 2, axis=1), gives=2),
    "slice": Kind("index", lambda x, size: x[:, :size]),
    "reshape": Kind("reshape", lambda x, size: ops.reshape(x, (-1, size))),
}

JOINS = frozenset({"add", "mul", "sub", "maximum", "concat"})
"""The kinds of calls that are junctions."""


@dataclass(frozen=True)
class Step:
    """An operation, or the call of a layer, on variables, and the variables that it makes. `size`: the width that a
    slice or a reshape asks for."""

    kind: str
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    layer: int | None = None
    size: int = 0

    def __repr__(self) -> str:
        which = "" if self.layer is None else f"#{self.layer}"
        return f"{self.gives} = {self.kind}{which}{self.takes}{self.size or ''}"


@dataclass(frozen=True)
class Plan:
    """Steps, the layers with the widths of those that have one, and where one part of the model ends."""

    inputs: tuple[int, ...]
    steps: tuple[Step, ...]
    layers: tuple[tuple[str, int], ...]
    cuts: tuple[int, ...]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    widths = [6] * draw(st.integers(1, 2))
    inputs, steps, made = tuple(widths), list[Step](), list[tuple[str, int]]()
    given_to: dict[int, int] = {}
    for _ in range(draw(st.integers(2, 14))):
        kind = draw(st.sampled_from([*KINDS, "Dense", "+", "Add"]))
        one = draw(st.integers(0, len(widths) - 1))
        count = KINDS[kind].takes
        joins = KINDS[kind].called == "concat"
        alike = [other for other, width in enumerate(widths) if joins or width == widths[one]]
        takes = (one, *(draw(st.sampled_from(alike)) for _ in range(count - 1)))
        layer, size = None, 0
        if KINDS[kind].layer:
            known = [n for n, (of, _) in enumerate(made) if of == kind and given_to.get(n, widths[one]) == widths[one]]
            if known and draw(st.booleans()):
                layer = draw(st.sampled_from(known))
            else:
                layer = len(made)
                made.append((kind, draw(st.sampled_from([4, 6])) if kind == "Dense" else 0))
            if kind == "Dense":
                given_to[layer] = widths[one]
        elif kind == "slice":
            size = draw(st.integers(1, widths[one]))
        elif kind == "reshape":
            size = widths[one]
        step = Step(kind, takes, tuple(len(widths) + number for number in range(KINDS[kind].gives)), layer, size)
        given_widths = dict(given_to)
        out = _widths(step, [widths[each] for each in takes], made, given_widths, BATCH)
        if out is None or any(width > 24 for width in out):
            if layer is not None and layer == len(made) - 1 and not any(each.layer == layer for each in steps):
                made.pop()
                given_to.pop(layer, None)
            continue
        steps.append(step)
        widths += out
    assume(steps)
    cuts = tuple(sorted(draw(st.sets(st.integers(1, len(steps)), max_size=3))))
    return Plan(inputs, tuple(steps), tuple(made), cuts)


def _widths(
    step: Step, sizes: list[int], made: Sequence[tuple[str, int]], given_to: dict[int, int], batch: int | None
) -> list[int] | None:
    """The widths of what a step gives, None where it cannot work. A dense layer takes what it took first; a batch that
    is not known yet may be reshaped into anything."""
    called = KINDS[step.kind].called
    if called == "linear":
        assert step.layer is not None
        return [made[step.layer][1]] if given_to.setdefault(step.layer, sizes[0]) == sizes[0] else None
    if called == "concat":
        return [sum(sizes)]
    if called == "split":
        return [sizes[0] // 2] * 2 if sizes[0] % 2 == 0 else None
    if called == "index":
        return [min(sizes[0], step.size)]
    if called == "reshape":
        return [step.size] if batch is None or batch * sizes[0] % step.size == 0 else None
    if len(sizes) == 2:
        return [max(sizes)] if sizes[0] == sizes[1] or 1 in sizes else None
    return [sizes[0]]


# The models of a plan


def layers_of(plan: Plan) -> list[Any]:
    return [KINDS[kind].run(*([width] if width else [])) for kind, width in plan.layers]


def ran(steps: Sequence[Step], variables: list[Any], own: Mapping[int, Any]) -> list[Any]:
    """The variables, with those that the steps made."""
    for step in steps:
        given = [variables[number] for number in step.takes]
        if step.layer is not None:
            made = own[step.layer](given if len(given) > 1 else given[0])
        else:
            made = KINDS[step.kind].run(*given, *([step.size] if step.size else []))
        variables = [*variables, *(made if len(step.gives) > 1 else [made])]
    return variables


class Part(layers.Layer):
    """Some steps; the variables come and go in a dictionary."""

    def __init__(self, steps: Sequence[Step], own: Sequence[Any]) -> None:
        super().__init__()
        self.steps = steps
        self.numbers = sorted({step.layer for step in steps if step.layer is not None})
        self.own = [own[number] for number in self.numbers]

    def call(self, state: dict[str, Any]) -> dict[str, Any]:
        own = dict(zip(self.numbers, self.own, strict=True))
        return {"variables": ran(self.steps, list(state["variables"]), own)}


class Network(keras.Model):
    def __init__(self, plan: Plan) -> None:
        super().__init__()
        own, ends = layers_of(plan), (0, *plan.cuts, len(plan.steps))
        self.parts = [Part(plan.steps[start:end], own) for start, end in pairwise(ends)]
        self.given = len(plan.inputs)

    def call(self, inputs: list[Any]) -> list[Any]:
        state: dict[str, Any] = {"variables": list(inputs)}
        for part in self.parts:
            state = part(state)
        return state["variables"][self.given :]


def functional(plan: Plan) -> Any:
    inputs = [keras.Input((width,)) for width in plan.inputs]
    return keras.Model(inputs, ran(plan.steps, list(inputs), dict(enumerate(layers_of(plan))))[len(inputs) :])


def inputs_of(plan: Plan) -> list[Any]:
    return [tf.random.stateless_normal((BATCH, width), (number, 1)) for number, width in enumerate(plan.inputs)]


# What a recording has to say, from the plan alone


@dataclass(frozen=True)
class Truth:
    """Of each variable its width, what it is made of, and how many calls at most lie between the two; which step
    cannot work."""

    width: Sequence[int]
    behind: Sequence[frozenset[int]]
    longest: Mapping[tuple[int, int], int]
    fails: int | None

    def forks(self, values: Sequence[int]) -> frozenset[int]:
        """The variables that all of these are made of."""
        return frozenset.intersection(*(self.behind[value] for value in values))


def truth(plan: Plan, batch: int | None = BATCH) -> Truth:
    width, behind = list(plan.inputs), [frozenset([number]) for number in range(len(plan.inputs))]
    longest = {(number, number): 0 for number in range(len(width))}
    given_to: dict[int, int] = {}
    for number, step in enumerate(plan.steps):
        out = _widths(step, [width[each] for each in step.takes], plan.layers, given_to, batch)
        if out is None:
            return Truth(width, behind, longest, number)
        for made, size in zip(step.gives, out, strict=True):
            width.append(size)
            behind.append(frozenset([made]).union(*(behind[each] for each in step.takes)))
            longest[made, made] = 0
            for source in behind[made] - {made}:
                roads = [longest[source, each] for each in step.takes if source in behind[each]]
                longest[source, made] = 1 + max(roads)
    return Truth(width, behind, longest, None)


# The comparison


def steps_inside(graph: Graph, model_ran: bool) -> list[Call]:
    """The calls of the plan's steps. In a graph others follow behind the model."""
    return [unit for unit in graph.units if (unit.parent is not None) == model_ran]


def is_recorded(plan: Plan, graph: Graph, expected: Truth, units: Sequence[Call], batch: int | None) -> list[int]:
    """That each step that ran is one call, with the operands, the results and the shapes that it had. Gives the value
    that each variable is.

    Which of two steps that are alike is which call, what the model gives tells: it gives every variable.
    """
    recording = graph.recording
    ends = expected.fails
    steps = plan.steps if ends is None else plan.steps[: ends + 1]
    assert sorted(unit.kind for unit in units) == sorted(KINDS[step.kind].called for step in steps)
    numbers = [*recording.inputs]
    if batch is None:  # inputs of a model that is being built are known as they are used
        used = list(dict.fromkeys(n for step in steps for n in step.takes if n < len(plan.inputs)))
        numbers = [dict(zip(used, recording.inputs, strict=True)).get(n, -1) for n in range(len(plan.inputs))]
    assert len(numbers) == len(plan.inputs)
    paths: dict[int, str] = {}
    by_result = {unit.results: unit for unit in units if unit.finished}
    outputs = list(recording.outputs)
    for number, step in enumerate(steps):
        if outputs:
            own = tuple(outputs[made - len(plan.inputs)] for made in step.gives)
            assert own in by_result, f"nothing was recorded that gave {step}"
            unit = by_result.pop(own)
        else:
            unit = units[number]
        assert unit.kind == KINDS[step.kind].called and unit.finished == (number != ends), step
        assert unit.operands == tuple(numbers[each] for each in step.takes), step
        assert unit.is_layer == (step.layer is not None)
        if step.layer is not None:
            assert paths.setdefault(step.layer, unit.layer) == unit.layer
            if step.kind == "Dense" and unit.finished:
                assert graph.facts(unit)["out_features"] == plan.layers[step.layer][1]
        if unit.finished:
            assert len(unit.results) == len(step.gives)
            numbers += unit.results
    assert len(set(paths.values())) == len(paths)
    for variable, value in enumerate(numbers):
        assert value < 0 or recording.shape(value) == (batch, expected.width[variable])
    return numbers


def has_the_junctions(plan: Plan, graph: Graph, expected: Truth, numbers: Sequence[int]) -> None:
    variable = {value: number for number, value in enumerate(numbers)}
    found = {junction.call: junction for junction in find_junctions(graph)}
    by_operands: dict[tuple[str, tuple[int, ...]], list[Junction]] = {}
    for junction in found.values():
        call = graph.recording.calls[junction.call]
        by_operands.setdefault((call.kind, call.operands), []).append(junction)
    for number, step in enumerate(plan.steps[: None if expected.fails is None else expected.fails + 1]):
        called = KINDS[step.kind].called
        if called not in JOINS or len(set(step.takes)) < 2:
            continue
        junction = by_operands[called, tuple(numbers[each] for each in step.takes)].pop()
        assert [variable[branch.value] for branch in junction.branches] == list(step.takes)
        assert junction.status == ("mismatch" if number == expected.fails else _status(called, step, expected))
        forks = expected.forks(step.takes)
        assert (junction.fork is None) == (not forks)
        if junction.fork is None:
            continue
        fork = variable[junction.fork.value]
        assert fork in forks and not any(fork in expected.behind[other] - {other} for other in forks)
        for branch, value in zip(junction.branches, step.takes, strict=True):
            assert len(branch.path) == expected.longest[fork, value]
    left = [junction for junctions in by_operands.values() for junction in junctions]
    assert [junction for junction in left if graph.recording.calls[junction.call].parent is not None] == []


def _status(called: str, step: Step, expected: Truth) -> str:
    widths = {expected.width[each] for each in step.takes}
    return "broadcast" if called != "concat" and len(widths) > 1 else "ok"


Way = Literal["eager", "graph"]


def passed(model: Any, inputs: list[Any], way: Way) -> list[Any]:
    return model(inputs) if way == "eager" else tf.function(lambda given: model(given))(inputs)


def the_record_is_the_model(plan: Plan, build: Callable[[Plan], Any], way: Way) -> None:
    model, inputs, expected = build(plan), inputs_of(plan), truth(plan)
    assert expected.fails is None
    bare = [result.numpy() for result in passed(model, inputs, way)]
    weights = [weight.numpy() for weight in model.weights]
    with shapewatch.watch(model) as session:
        given = passed(model, inputs, way)
    assert [result.numpy().tobytes() for result in given] == [result.tobytes() for result in bare]
    assert all(map(np.array_equal, weights, model.weights))
    for report in (session.report, shapewatch.check(model, inputs)):
        graph = Graph(report.recording)
        numbers = is_recorded(plan, graph, expected, steps_inside(graph, True), BATCH)
        has_the_junctions(plan, graph, expected, numbers)
        assert report.ok


# Breaking it


@st.composite
def broken_plans(draw: st.DrawFn) -> Plan:
    """A plan in which a layer or a slice gives one more than it did, and somebody downstream cannot take it."""
    plan = draw(plans())
    changed = draw(st.sampled_from([*range(len(plan.steps) + len(plan.layers))]))
    if changed < len(plan.steps):
        steps = [replace(s, size=s.size + (n == changed)) if s.size else s for n, s in enumerate(plan.steps)]
        broken = replace(plan, steps=tuple(steps))
    else:
        wider = [(k, w + (n == changed - len(plan.steps))) if w else (k, w) for n, (k, w) in enumerate(plan.layers)]
        broken = replace(plan, layers=tuple(wider))
    assume(truth(broken).fails is not None)
    return broken


CODES = {
    "linear": {"SW102"}, "add": {"SW201"}, "sub": {"SW201"}, "mul": {"SW201"}, "maximum": {"SW201"},
    "split": {"SW403"}, "reshape": {"SW301"},
}  # fmt: skip


def the_failure_is_found(plan: Plan, build: Callable[[Plan], Any], way: Way) -> None:
    """Also, that what is said to repair it does."""
    inputs = inputs_of(plan)
    while_built = build is functional and truth(plan, None).fails is not None
    if while_built:
        session, bare = shapewatch.watch(), failure(lambda: build(plan))
        error = failure(lambda: _within(session, lambda: build(plan)))
    else:
        model, other = build(plan), build(plan)
        session, bare = shapewatch.watch(model), failure(lambda: passed(other, inputs, way))
        error = failure(lambda: _within(session, lambda: passed(model, inputs, way)))
    assert type(error) is type(bare) and len(our_notes(error)) == 1 and own_frames(error) == []
    batch = None if while_built else BATCH
    expected, graph = truth(plan, batch), Graph(session.report.recording)
    assert expected.fails is not None
    units = steps_inside(graph, not while_built)
    failing = graph.failing_unit()
    if build is Network or while_built:  # or else Keras runs them in another order
        numbers = is_recorded(plan, graph, expected, units, batch)
        has_the_junctions(plan, graph, expected, numbers)
        assert failing is units[expected.fails]
    step = plan.steps[expected.fails]
    assert failing is not None and failing.kind == KINDS[step.kind].called
    errors = [each for each in session.report.diagnoses if each.severity == "error"]
    assert errors and errors[0].code in CODES[failing.kind], our_notes(error)
    says_nothing_untrue(errors[0], graph, failing)
    for fix in errors[0].fixes:
        if fix.verified == "forward" and not while_built:
            with fix.applied(model):
                given = passed(model, repaired(inputs, fix), way)
            assert [tuple(result.shape) for result in given] == list(fix.output_shape or ()), fix.code


def repaired(inputs: list[Any], fix: shapewatch.Fix) -> list[Any]:
    """What a fix changes of the inputs is the program's to change."""
    shapes = {edit.index: edit.shape for edit in fix.changes if isinstance(edit, Input)}
    return [tf.zeros(shapes[number]) if number in shapes else given for number, given in enumerate(inputs)]


def _within(session: Any, run: Callable[[], Any]) -> None:
    with session:
        run()


def says_nothing_untrue(diagnosis: shapewatch.Diagnosis, graph: Graph, failing: Call) -> None:
    """A layer that is blamed is one that ran before the failure; shapes in the words are shapes that were there."""
    recording = graph.recording
    if diagnosis.cause is not None and diagnosis.cause.layer and diagnosis.cause.type != "input":
        assert diagnosis.cause.layer in {call.layer for call in recording.calls}
    if diagnosis.junction is not None:
        assert diagnosis.junction.call == failing.number
        assert [b.shape for b in diagnosis.junction.branches] == [recording.shape(n) for n in failing.operands]
        for branch in diagnosis.junction.branches:
            assert text(branch.shape) in diagnosis.explanation


BUILDS = {"subclassed": Network, "functional": functional}
builds = pytest.mark.parametrize("build", BUILDS)
ways = pytest.mark.parametrize("way", ["eager", "graph"])


@builds
@ways
@few
@given(plan=plans())
def test_a_model_is_recorded_as_it_is(plan: Plan, build: str, way: Way) -> None:
    the_record_is_the_model(plan, BUILDS[build], way)


@builds
@few
@given(plan=broken_plans())
def test_a_broken_model_fails_where_it_cannot_work(plan: Plan, build: str) -> None:
    the_failure_is_found(plan, BUILDS[build], "eager")


@pytest.mark.zoo
@builds
@ways
@many
@given(plan=plans())
def test_many_models(plan: Plan, build: str, way: Way) -> None:
    the_record_is_the_model(plan, BUILDS[build], way)


@pytest.mark.zoo
@builds
@ways
@many
@given(plan=broken_plans())
def test_many_broken_models(plan: Plan, build: str, way: Way) -> None:
    the_failure_is_found(plan, BUILDS[build], way)
