"""What every adapter has to do, as tests.

A framework's test file derives from `AdapterContract` and gives a `Bundle`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shapewatch import codec
from shapewatch.adapters import Adapter, InputSpec, adapter_of, loaded
from shapewatch.edits import Input, Insert, Module, Set
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Recording, Shape, TensorSpec


@dataclass(frozen=True)
class Bundle:
    """One framework's version of the residual model that the contract speaks of.

    `sound()` has the layers `stem`, `block` and in it `conv1` and `conv2`, and adds the block's input to what `conv2`
    gives. `broken()` is the same with stride 2 in `block.conv1`. Both take one input of `given`.
    """

    adapter: Adapter
    sound: Callable[[], Any]
    broken: Callable[[], Any]
    tensor: Callable[[Shape], Any]
    given: Shape
    inner: Shape
    halved: Shape
    error: type[Exception]
    state: Callable[[Any], Any]
    projection: Module
    file: str
    described: Mapping[str, Any]
    layered: bool = True
    """Whether the framework has layers. Where it has none, `conv1` is a module of the program's, with settings in its
    attributes, and the convolution in it an operation."""


def recorded(bundle: Bundle, model: Any) -> tuple[Recording, Any]:
    """A pass of the model, watched: the recording, and the `Watching` that gave it."""
    error: Exception | None = None
    x = bundle.tensor(bundle.given)
    with bundle.adapter.instrument(model) as watching:
        try:
            model(x)
        except bundle.error as raised:
            error = raised
    return watching.finish(error), watching


def outline(recording: Recording) -> list[tuple[str, tuple[Shape, ...]]]:
    """Places and the shapes they gave: the same for a live pass and one on shapes alone."""
    return [(call.place, tuple(map(recording.shape, call.results))) for call in recording.calls]


class AdapterContract:
    """Derive from it, and give a fixture `bundle`."""

    @pytest.fixture
    def bundle(self) -> Bundle:
        raise NotImplementedError

    # What is whose

    def test_it_is_found_by_its_models(self, bundle: Bundle) -> None:
        model = bundle.sound()
        assert bundle.adapter in loaded()
        assert adapter_of(model) is bundle.adapter and adapter_of(type(model)) is bundle.adapter
        for other in (3, "net", None, dict, bundle.tensor(bundle.given)):
            assert not bundle.adapter.owns(other)
            with pytest.raises(ValueError, match="this is no model"):
                adapter_of(other)

    def test_describe(self, bundle: Bundle) -> None:
        assert bundle.adapter.describe(bundle.tensor((2, 3))) == TensorSpec((2, 3), **bundle.described)
        for other in (3, "x", None, [1.0], bundle.sound()):
            assert bundle.adapter.describe(other) is None

    # Recording

    def test_layers_have_the_users_paths_and_neutral_facts(self, bundle: Bundle) -> None:
        recording, _ = recorded(bundle, bundle.sound())
        assert recording.framework == bundle.adapter.name and recording.failure is None
        layers = recording.layer_at
        assert {"stem", "block", "block.conv1", "block.conv2"} <= set(layers)
        assert layers["block.conv1"].parameters > 0 and not layers["block"].leaf
        facts = dict(layers["block.conv1"].facts)
        if bundle.layered:
            assert layers["block.conv1"].kind == "conv" and layers["block.conv1"].leaf
            assert (facts["kernel_size"], facts["groups"]) == ((3, 3), 1)
        else:
            assert layers["block.conv1"].kind == "module" and not layers["block.conv1"].leaf
            assert facts == {"stride": 1}
            facts = next(dict(call.facts) for call in recording.calls if call.place == "block.conv1:conv2d:0")
        assert (facts["stride"], facts["rank"]) == ((1, 1), 2)
        assert layers["block.conv1"].parameters + layers["block.conv2"].parameters == layers["block"].parameters

    def test_layers_say_where_they_are_made(self, bundle: Bundle) -> None:
        recording, _ = recorded(bundle, bundle.sound())
        defined = recording.layer_at["block.conv1"].defined
        assert defined is not None and defined.file == bundle.file
        assert defined.source is not None and "conv1 =" in defined.source

    def test_calls_nest_as_they_ran(self, bundle: Bundle) -> None:
        recording, _ = recorded(bundle, bundle.sound())
        layers = {call.layer: call for call in recording.calls if call.is_layer}
        assert layers["block.conv1"].parent == layers["block"].number
        assert all(call.finished for call in recording.calls)
        assert [call.number for call in recording.calls] == list(range(len(recording.calls)))
        assert recording.shape(layers["stem"].results[0]) == bundle.inner
        added = next(call for call in recording.calls if call.kind == "add")
        assert added.layer == "block" and added.span is not None and added.span.file == bundle.file

    def test_the_junction_of_a_residual_block(self, bundle: Bundle) -> None:
        recording, _ = recorded(bundle, bundle.sound())
        (junction,) = find_junctions(Graph(recording))
        assert (junction.kind, junction.layer, junction.status) == ("add", "block", "ok")
        assert {branch.role for branch in junction.branches} == {"main", "skip"}
        main = next(branch for branch in junction.branches if branch.role == "main")
        convs = [recording.calls[step.call] for step in main.path if step.kind == "conv"]
        assert [call.layer for call in convs] == ["block.conv1", "block.conv2"]
        assert all(call.is_layer == bundle.layered for call in convs)
        assert junction.fork is not None and junction.fork.shape == bundle.inner

    def test_inputs_and_outputs(self, bundle: Bundle) -> None:
        recording, watching = recorded(bundle, bundle.sound())
        assert [recording.shape(number) for number in recording.inputs] == [bundle.given]
        assert [recording.shape(number) for number in recording.outputs] == [bundle.inner]
        assert watching.output() == bundle.inner

    def test_the_failing_call_is_recorded(self, bundle: Bundle) -> None:
        model = bundle.broken()
        recording, _ = recorded(bundle, model)
        failure = recording.failure
        assert failure is not None and failure.type == bundle.error.__name__ and failure.message
        assert failure.call is not None and recording.outputs == ()
        call = recording.calls[failure.call]
        assert (call.kind, call.layer, call.finished, call.results) == ("add", "block", False, ())
        assert sorted(map(recording.shape, call.operands)) == sorted([bundle.halved, bundle.inner])
        assert failure.span is not None and failure.span.file == bundle.file
        finished = {call.layer: call.finished for call in recording.calls if call.is_layer}
        assert finished["block.conv2"] and not finished["block"]
        (junction,) = find_junctions(Graph(recording))
        assert junction.status == "mismatch"

    def test_a_recording_is_plain_data(self, bundle: Bundle) -> None:
        for model in (bundle.sound(), bundle.broken()):
            recording, _ = recorded(bundle, model)
            assert codec.decode(Recording, codec.encode(recording)) == recording

    def test_nothing_is_recorded_outside_the_block(self, bundle: Bundle) -> None:
        model, x = bundle.sound(), bundle.tensor(bundle.given)
        model(x)
        with bundle.adapter.instrument(model) as watching:
            model(x)
        model(x)
        recording = watching.finish(None)
        assert len([call for call in recording.calls if call.layer == "stem" and call.is_layer]) == 1

    # Passes on shapes alone

    def test_a_dry_run_takes_the_same_road(self, bundle: Bundle) -> None:
        for make in (bundle.sound, bundle.broken):
            live, watching = recorded(bundle, make())
            probe = watching.probe()
            assert probe is not None
            for _ in range(2):
                trial = probe.run()
                assert outline(trial.recording) == outline(live)
                assert trial.finished == (live.failure is None) and trial.unsupported is None
                assert trial.output == watching.output()

    def test_a_dry_run_leaves_the_model_untouched(self, bundle: Bundle) -> None:
        model = bundle.broken()
        probe = bundle.adapter.prepare(model, (bundle.tensor(bundle.given),), {})
        before = bundle.state(model)
        for edits in ((), (Set("block.conv1", "stride", (1, 1)),), (Insert("block:add:0", 1, bundle.projection),)):
            probe.run(edits)
            assert bundle.state(model) == before

    def test_a_dry_run_from_shapes(self, bundle: Bundle) -> None:
        model = bundle.sound()
        given = bundle.adapter.prepare(model, (bundle.tensor(bundle.given),), {}).run()
        made_up = bundle.adapter.prepare_shapes(model, [InputSpec(bundle.given)]).run()
        assert outline(given.recording) == outline(made_up.recording) and given.output == made_up.output

    def test_a_dry_run_with_edits(self, bundle: Bundle) -> None:
        probe = bundle.adapter.prepare(bundle.broken(), (bundle.tensor(bundle.given),), {})
        plain = probe.run()
        assert not plain.finished and plain.parameters == 0
        set_back = probe.run([Set("block.conv1", "stride", (1, 1))])
        assert set_back.finished and set_back.output == bundle.inner and set_back.parameters == 0
        inserted = probe.run([Insert("block:add:0", 1, bundle.projection)])
        assert inserted.finished and inserted.output == bundle.halved and inserted.parameters > 0
        bigger = probe.run([Input(0, "size", {}, (bundle.given[0] + 1, *bundle.given[1:]))])
        assert not bigger.finished and bigger.recording.shape(bigger.recording.inputs[0])[0] == bundle.given[0] + 1
        assert outline(probe.run().recording) == outline(plain.recording)

    def test_what_cannot_be_put_in_place_is_said(self, bundle: Bundle) -> None:
        probe = bundle.adapter.prepare(bundle.sound(), (bundle.tensor(bundle.given),), {})
        trial = probe.run([Set("block.conv9", "stride", (1, 1))])
        assert not trial.finished and trial.unsupported is not None and "block.conv9" in trial.unsupported

    # Edits

    def test_edits_are_applied_and_undone(self, bundle: Bundle) -> None:
        model, x = bundle.broken(), bundle.tensor(bundle.given)
        for edit, shape in (
            (Set("block.conv1", "stride", (1, 1)), bundle.inner),
            (Insert("block:add:0", 1, bundle.projection), bundle.halved),
        ):
            before = bundle.state(model)  # anew: a pass, if only a failed one, may build layers
            with bundle.adapter.applied(model, [edit]) as edited:
                spec = bundle.adapter.describe(edited(x))
                assert spec is not None and spec.shape == shape
            assert bundle.state(model) == before
            with pytest.raises(bundle.error):
                model(x)

    def test_an_edit_of_no_layer_is_refused(self, bundle: Bundle) -> None:
        model = bundle.sound()
        with (
            pytest.raises(ValueError, match=r"block\.conv9"),
            bundle.adapter.applied(model, [Set("block.conv9", "stride", (1, 1))]),
        ):
            pass

    @pytest.mark.parametrize(
        "action, edit",
        [
            ("set", Set("block.conv1", "stride", (1, 1), (2, 2))),
            ("insert", Insert("block:add:0", 1, Module("identity"))),
            ("input", Input(0, "permute", {"dims": (0, 3, 1, 2)}, (1, 3, 8, 8))),
        ],
    )
    def test_edits_are_written_as_code_and_data(self, bundle: Bundle, action: str, edit: Any) -> None:
        if isinstance(edit, Insert):
            edit = replace(edit, module=bundle.projection)
        recording, _ = recorded(bundle, bundle.broken())
        written = bundle.adapter.write(edit, recording)
        assert written.title and "\n" not in written.title
        assert ast.parse(written.code).body
        assert written.edit["action"] == action
        assert codec.decode(dict[str, Any], codec.encode(written.edit)).keys() == written.edit.keys()
        if action != "input":
            assert written.edit["layer"] == ("block.conv1" if action == "set" else "block")
