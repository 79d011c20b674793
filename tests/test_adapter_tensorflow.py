"""The TensorFlow adapter: the contract of all adapters, and what is TensorFlow's own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import pytest
import tensorflow as tf
from adapter_contract import AdapterContract, Bundle, outline
from support import residual_tensorflow
from support.residual_tensorflow import Net

import shapewatch
from shapewatch.adapters import InputSpec, adapter_of
from shapewatch.adapters.located import Node, located
from shapewatch.adapters.tensorflow import ADAPTER
from shapewatch.adapters.tensorflow.edit import New
from shapewatch.adapters.tensorflow.instrument import Instrument
from shapewatch.edits import Insert, Module, SetCall
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Call, Failure, Recording, TensorSpec, Value


def state(module: tf.Module) -> Any:
    """Identities of the modules and their attributes, and the numbers of every weight."""
    parts = [(id(part), list(vars(part)), part.name) for part in (module, *module.submodules)]
    return parts, [variable.numpy().tolist() for variable in module.variables]


class TestContract(AdapterContract):
    @pytest.fixture
    def bundle(self) -> Bundle:
        return Bundle(
            adapter=ADAPTER,
            sound=Net,
            broken=lambda: Net(stride=2),
            tensor=tf.zeros,
            given=(2, 8, 8, 3),
            inner=(2, 8, 8, 4),
            halved=(2, 4, 4, 4),
            error=tf.errors.InvalidArgumentError,
            state=state,
            projection=Module(
                "conv",
                {"in_channels": 4, "out_channels": 4, "kernel_size": 1, "stride": 2, "channels_last": True},
            ),
            file=residual_tensorflow.__file__,
            described={"dtype": "float32", "device": "cpu"},
            layered=False,
        )


def record(target: tf.Module | None, call: Callable[[], Any]) -> tuple[Recording, Any, Exception | None]:
    """What a call leaves: the recording, the `Watching`, and what it raised."""
    error: Exception | None = None
    with ADAPTER.instrument(target) as watching:
        try:
            call()
        except Exception as raised:
            error = raised
    return watching.finish(error), watching, error


class Dense(tf.Module):
    """A layer with weights in it, and with an `if` that needs AutoGraph in a graph."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.ones((width, out)))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        if tf.reduce_sum(x) > 1e9:
            x = x * 2.0
        return x @ self.kernel


class Traced(tf.Module):
    """A residual sum in a `tf.function`; with another width than 4 its branches do not fit."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.blocks = [Dense(3, 4), Dense(4, 4)]
        self.heads = {"a": Dense(4, width)}
        self.calls, self.seen = 0, {"last": 0}

    @tf.function
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        for block in self.blocks:
            x = block(x)
        return self.heads["a"](x) + x


class Lazy(tf.Module):
    """Makes its weights when it is first called."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel: tf.Variable | None = None
        self.shapes: list[Any] = []

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        self.shapes.append(x.shape)
        if self.kernel is None:
            self.kernel = tf.Variable(tf.random.normal((x.shape[-1], 4)))
        return x @ self.kernel


class Counting(tf.Module):
    """Writes to a variable and to an attribute in its forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passes, self.count = tf.Variable(0), 0

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        self.passes.assign_add(1)
        self.count += 1
        return x + 1.0


X = tf.ones((2, 3))


def calls_of(recording: Recording) -> list[Call]:
    return [call for call in recording.calls if call.is_layer]


# Whose is what


def test_layers_of_keras_are_not_its_own() -> None:
    assert not ADAPTER.owns(keras.layers.Dense(3)) and not ADAPTER.owns(keras.Model)
    assert adapter_of(keras.layers.Dense(3)).name == "keras"


# Modules, however they are called


@pytest.mark.parametrize("targeted", [True, False])
@pytest.mark.parametrize("outer", [lambda model: model, tf.function, lambda model: tf.function(lambda x: model(x))])
def test_modules_in_a_function_are_heard(outer: Callable[[Any], Any], targeted: bool) -> None:
    model = Traced()
    recording, watching, error = record(model if targeted else None, lambda: outer(model)(X))
    assert error is None and recording.root == "Traced"
    assert [call.layer for call in calls_of(recording)] == ["", "blocks[0]", "blocks[1]", "heads['a']"]
    assert [recording.shape(number) for number in recording.inputs] == [(2, 3)]
    assert watching.output() == (2, 4) and recording.shape(recording.outputs[0]) == (2, 4)
    (junction,) = (j for j in find_junctions(Graph(recording)) if j.kind == "add")
    assert (junction.layer, junction.status) == ("", "ok") and len({b.role for b in junction.branches}) == 2


def test_what_a_function_does_is_not_changed() -> None:
    model = Traced()
    with ADAPTER.instrument(model):
        watched = model(X)
    assert model.__call__.experimental_get_tracing_count() == 1
    assert watched.numpy().tolist() == model(X).numpy().tolist() == Traced()(X).numpy().tolist()
    assert model.__call__.experimental_get_tracing_count() == 1
    large = tf.fill((2, 3), 1e12)
    assert model(large).numpy().tolist() == Traced()(large).numpy().tolist()
    assert model(large).numpy()[0, 0] > 4 * 2**3 * model(tf.fill((2, 3), 1e8)).numpy()[0, 0]  # AutoGraph's `if`


def test_the_error_of_a_function_is_the_same_as_unwatched() -> None:
    _, _, watched = record(None, lambda: Traced(5)(X))
    with pytest.raises(ValueError, match="Dimensions must be equal") as unwatched:
        Traced(5)(X)
    assert type(watched) is unwatched.type and str(watched) == str(unwatched.value)


def test_a_failure_while_a_function_is_traced() -> None:
    recording, watching, _ = record(None, lambda: Traced(5)(X))
    failed = recording.failing_call()
    assert failed is not None and failed.kind == "add"
    assert [recording.shape(number) for number in failed.operands] == [(2, 5), (2, 4)]
    probe = watching.probe()
    assert probe is not None
    trial = probe.run()
    assert trial.unsupported is None and trial.recording.failing_call() is not None
    assert outline(trial.recording)[-1] == outline(recording)[-1]


def test_a_function_that_was_traced_before_is_one_operation() -> None:
    model = Traced()
    model(X)
    recording, _, _ = record(model, lambda: model(X))
    assert [(call.name, call.is_layer) for call in recording.calls] == [("Traced", True), ("__call__", False)]
    assert recording.calls[1].operands == recording.inputs and recording.calls[1].results == recording.outputs


def test_a_subclass_that_calls_its_base_is_one_call() -> None:
    class Doubled(Dense):
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            return super().__call__(x) * 2.0

    recording, _, _ = record(None, lambda: Doubled(3, 4)(X))
    (call,) = calls_of(recording)
    assert [inner.parent for inner in recording.calls[1:]] == [call.number] * (len(recording.calls) - 1)


def test_a_class_asked_for_its_method_gives_its_own() -> None:
    method = vars(Dense)["__call__"]
    with ADAPTER.instrument(Dense(3, 4)):
        assert Dense.__call__ is method and vars(Dense)["__call__"] is not method
    assert vars(Dense)["__call__"] is method


def test_weights_are_known_by_their_paths() -> None:
    for target in (Dense(3, 4), Traced()):
        recording, _, _ = record(target, lambda target=target: target(X))
        products = [call for call in recording.calls if call.kind == "matmul"]
        weights = [recording.values[call.operands[1]] for call in products]
        assert {weight.origin for weight in weights} == {"parameter"}
        assert [weight.name for weight in weights] == [f"{call.layer}.kernel".lstrip(".") for call in products]


def test_keras_and_tensorflow_both_look_at_a_block_without_a_target() -> None:
    with shapewatch.watch() as session:
        Dense(3, 4)(X)
    assert session.report.frameworks == ("tensorflow",)
    with shapewatch.watch() as session:
        keras.Sequential([keras.layers.Dense(4)])(X)
    assert session.report.frameworks == ("keras", "tensorflow")


def test_operations_alone_have_no_probe() -> None:
    recording, watching, _ = record(None, lambda: tf.ones((2, 3)) + tf.ones((2, 4)))
    assert watching.probe() is None and calls_of(recording) == []
    with pytest.raises(tf.errors.InvalidArgumentError), shapewatch.watch() as session:
        tf.ones((2, 3)) + tf.ones((2, 4))
    (diagnosis,) = session.report.diagnoses
    assert session.report.frameworks == ("tensorflow",)
    assert all(fix.verified is None and fix.why_not for fix in diagnosis.fixes)


@pytest.mark.parametrize("decorate", [lambda method: method, tf.function])
def test_a_decorated_class_watches_itself(decorate: Callable[[Any], Any]) -> None:
    @shapewatch.watch
    class Outer(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Net(stride=2)

        @decorate
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            return self.net(x)

    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as raised:
        Outer()(tf.zeros((1, 8, 8, 3)))
    (note,) = raised.value.__notes__
    assert "net.block" in note and "SW201" in note


# Graphs that run as a whole


SIGNATURE = [tf.TensorSpec([None, None]), tf.TensorSpec([None, None])]


class Summing(tf.Module):
    @tf.function(input_signature=SIGNATURE)
    def __call__(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(x) + (tf.nn.relu(y) + 1.0)


@pytest.mark.parametrize("traced_before", [True, False])
def test_a_failure_in_a_graph_is_found_by_running_the_module_on_shapes(traced_before: bool) -> None:
    model = Summing()
    if traced_before:
        model(X, X)
    recording, _, error = record(model, lambda: model(X, tf.ones((2, 4))))
    failed = recording.failing_call()
    assert isinstance(error, tf.errors.InvalidArgumentError)
    assert failed is not None and (failed.kind, failed.occurrence) == ("add", 1)
    assert [recording.shape(number) for number in failed.operands] == [(2, 3), (2, 4)]
    assert recording.failure is not None and recording.failure.message == "Incompatible shapes: [2,3] vs. [2,4]"
    assert find_junctions(Graph(recording))[-1].status == "mismatch"


def test_a_failure_in_a_graph_is_found_by_its_node() -> None:
    function = tf.function(lambda x, y: tf.nn.relu(x) + (tf.nn.relu(y) + 1.0), input_signature=SIGNATURE)
    with Instrument() as instrument, pytest.raises(tf.errors.InvalidArgumentError) as raised:
        function(X, tf.ones((2, 4)))
    recording = instrument.finish(raised.value)
    failed = recording.failing_call()
    assert failed is not None and (failed.kind, failed.occurrence, failed.finished) == ("add", 1, False)
    assert [recording.shape(number) for number in failed.operands] == [(2, 3), (2, 4)]
    assert failed is recording.calls[-1]


def test_a_node_that_is_not_certain_is_left_alone() -> None:
    specs = [TensorSpec((None, 4)), TensorSpec((None, 4)), TensorSpec((2, 4))]
    calls = [
        Call(number, "add", "add", "", False, None, (0, 1), (2,), occurrence=number, finished=number < 2)
        for number in range(3)
    ]
    recording = Recording(
        "tensorflow",
        tuple(Value(number, spec, "input") for number, spec in enumerate(specs)),
        tuple(calls),
        failure=Failure("InvalidArgumentError", "", 2),
    )
    said = "Incompatible shapes: [2,4] vs. [5,4]\n\t [[{{node add}}]]"
    found = located(recording, {0: [Node("f", "add")], 1: [Node("f", "add_1")]}, said)
    assert found.failure is not None and found.failure.call == 0
    assert found.shape(0) == found.shape(1) == (None, 4)  # which was which is not told: a sum may be turned round
    for nodes, text in (
        ({0: [Node("f", "add")], 1: [Node("g", "add")]}, said),  # which of the two graphs it is does not tell
        ({0: [Node("f", "add")]}, said.replace("[5,4]", "[5,7]")),  # the call was not given that
        ({0: [Node("f", "add")]}, said.replace(" vs. [5,4]", "")),  # nor so few
        ({0: [Node("f", "add")]}, "Incompatible shapes: [2,4] vs. [5,4]"),
        ({0: [Node("f", "mul")]}, said),
    ):
        assert located(recording, nodes, text) is recording


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("traced_before", [True, False])
def test_operands_that_a_graph_has_turned_round(names: tuple[str, str], traced_before: bool) -> None:
    """TensorFlow sorts the operands of a sum by the names of their nodes, and tells their shapes in that order."""
    first, second = names

    def both(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.abs(x, name=first) + tf.abs(y, name=second)

    function = tf.function(both, input_signature=SIGNATURE)
    with Instrument() as instrument, pytest.raises(tf.errors.InvalidArgumentError) as raised:
        if traced_before:
            function(X, X)
        function(X, tf.ones((2, 4)))
    recording = instrument.finish(raised.value)
    failed = recording.failing_call()
    assert failed is not None and failed.kind == "add"
    expected = [(2, None), (2, None)] if traced_before else [(2, 3), (2, 4)]
    assert [recording.shape(number) for number in failed.operands] == expected


# Passes on shapes alone


def test_a_pass_on_shapes_writes_nothing(draws_nothing: Callable[[], AbstractContextManager[None]]) -> None:
    tf.random.set_seed(1)  # without it, no seed is counted
    for model in (Counting(), Lazy()):
        before = state(model), [variable.numpy().tolist() for variable in model.variables]
        with draws_nothing():
            trial = ADAPTER.prepare(model, (X,), {}).run()
        assert trial.finished and trial.output in ((2, 3), (2, 4))
        assert (state(model), [variable.numpy().tolist() for variable in model.variables]) == before
        assert getattr(model, "count", 0) == 0 and list(getattr(model, "shapes", [])) == []
        tf.saved_model.save(model, tempfile.mkdtemp())  # what TensorFlow noted about its lists still holds


def test_no_trace_with_an_edit_in_it_is_kept() -> None:
    model = Traced(5)
    probe = ADAPTER.prepare(model, (X,), {})
    edit = Insert(":add:0", 1, Module("linear", {"in_features": 4, "out_features": 5}))
    trial = probe.run([edit])
    assert trial.finished and trial.output == (2, 5) and trial.parameters == 4 * 5 + 5
    assert model.__call__.experimental_get_tracing_count() == 0
    with ADAPTER.applied(model, [edit]) as edited:
        assert edited(X).shape == (2, 5)
    with pytest.raises(ValueError, match="Dimensions must be equal"):
        model(X)


def test_a_pass_that_reads_contents_says_so() -> None:
    trial = ADAPTER.prepare(Dense(3, 4), (X,), {}).run()
    assert trial.unsupported is not None and "contents" in trial.unsupported


def test_arguments_of_operations_can_be_set() -> None:
    probe = ADAPTER.prepare(Net(stride=2), (tf.zeros((2, 8, 8, 3)),), {})
    trial = probe.run([SetCall("block.conv1:conv2d:0", "stride", (1, 1))])
    assert trial.finished and trial.output == (2, 8, 8, 4) and trial.parameters == 0


def test_a_dtype_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no dtype 'float33'"):
        ADAPTER.prepare_shapes(Net(), [InputSpec((1, 8, 8, 3), "float33")])
    assert ADAPTER.prepare_shapes(Net(), [InputSpec((1, 8, 8, 3), "float32", "x")]).run().finished


IMAGE = (2, 8, 8, 4)


@pytest.mark.parametrize(
    "module, given, expected, parameters",
    [
        (
            Module("conv", {"out_channels": 6, "kernel_size": 1, "stride": 2, "channels_last": True}),
            IMAGE,
            (2, 4, 4, 6),
            30,
        ),
        (
            Module("conv", {"out_channels": 6, "kernel_size": 3, "padding": 1, "bias": False}),
            (2, 4, 8, 8),
            (2, 6, 8, 8),
            216,
        ),
        (
            Module("conv", {"out_channels": 6, "kernel_size": 1, "rank": 1, "channels_last": True}),
            (2, 8, 4),
            (2, 8, 6),
            30,
        ),
        (Module("linear", {"out_features": 6}), (2, 7, 4), (2, 7, 6), 30),
        (Module("norm", {"channels_last": True}), IMAGE, IMAGE, 0),
        (Module("pool", {"kernel_size": 2, "channels_last": True}), IMAGE, (2, 4, 4, 4), 0),
        (Module("flatten"), IMAGE, (2, 256), 0),
        (Module("flatten", {"start_dim": 1, "end_dim": 2}), IMAGE, (2, 64, 4), 0),
        (Module("pad", {"pad": (0, 0, 1, 1, -1, 0), "channels_last": True}), IMAGE, (2, 7, 10, 4), 0),
        (Module("subsample_pad", {"stride": 2, "channels": 6, "channels_last": True}), IMAGE, (2, 4, 4, 6), 0),
        (Module("resize", {"size": (5, 6), "channels_last": True}), IMAGE, (2, 5, 6, 4), 0),
        (Module("resize", {"size": (5, 6)}), (2, 4, 8, 8), (2, 4, 5, 6), 0),
        (Module("upsample", {"scale_factor": 2, "channels_last": True}), IMAGE, (2, 16, 16, 4), 0),
        (Module("identity"), IMAGE, IMAGE, 0),
        (
            Module("sequence", {}, (Module("linear", {"out_features": 6}), Module("layer_norm"))),
            (2, 4),
            (2, 6),
            30,
        ),
    ],
)
def test_new_layers(module: Module, given: tuple[int, ...], expected: tuple[int, ...], parameters: int) -> None:
    """On shapes alone, in memory, and as the code that is written: all three give the same."""
    layer = New(module, shapes_only=True)
    with tf.__internal__.FuncGraph("shapes").as_default():
        assert tuple(layer(tf.zeros(given)).shape) == expected
    assert layer.parameters == parameters
    if given[1] != 4:  # convolutions with the channels first have no kernel on a CPU
        assert tuple(New(module, shapes_only=False)(tf.zeros(given)).shape) == expected
        written = ADAPTER.write(Insert(":add:0", 1, _with_widths(module, given)), Recording("tensorflow"))
        names = {"tf": tf, "skip": tf.zeros(given)}
        exec(written.code, names)
        assert tuple(names["skip"].shape) == expected
        weights = [value for value in names.values() if isinstance(value, tf.Variable)]
        assert sum(tf.size(weight).numpy() for weight in weights) == parameters


def _with_widths(module: Module, given: tuple[int, ...]) -> Module:
    names = {"conv": "in_channels", "linear": "in_features"}
    parts = tuple(_with_widths(part, given) for part in module.parts)
    more = {names[module.kind]: given[-1]} if module.kind in names else {}
    return Module(module.kind, {**module.arguments, **more}, parts)


def test_a_layer_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no function for 'shuffle'"):
        New(Module("shuffle"), shapes_only=True)


# Code


def test_a_setting_of_a_module_is_written_where_it_is_kept() -> None:
    recording, _, _ = record(None, lambda: Net(stride=2)(tf.zeros((2, 8, 8, 3))))
    written = ADAPTER.write(SetCall("block.conv1:conv2d:0", "stride", (1, 1), (2, 2)), recording)
    assert written.code == "self.conv1.stride = 1  # was 2"
    assert written.edit == {"action": "set", "layer": "block.conv1", "argument": "stride", "value": 1}


def test_an_argument_of_a_function_is_written_into_its_line() -> None:
    def pooled() -> Any:
        return tf.nn.max_pool2d(tf.zeros((1, 8, 8, 3)), 2, strides=2, padding="VALID")

    with Instrument() as instrument:
        pooled()
    recording = instrument.finish(None)
    written = ADAPTER.write(SetCall(":max_pool2d:0", "padding", "same", "valid"), recording)
    assert 'tf.nn.max_pool2d(tf.zeros((1, 8, 8, 3)), 2, strides=2, padding="SAME")' in written.code
    written = ADAPTER.write(SetCall(":max_pool2d:0", "stride", (1, 1), (2, 2)), recording)
    assert "2, strides=1, padding" in written.code


# What cannot be, and what is not its own


def test_a_new_layer_that_refuses_its_input_ends_the_pass() -> None:
    """Where a broadcast goes through, the pass without it finishes, and must not be taken for one with it."""
    probe = ADAPTER.prepare(Net(), (tf.zeros((2, 8, 8, 3)),), {})
    trial = probe.run([Insert("block:add:0", 1, Module("resize", {"size": (4, 4, 4), "channels_last": True}))])
    assert not trial.finished and trial.unsupported is not None and "put in place" in trial.unsupported


def test_heirs_of_a_mixin_that_are_no_modules_are_left_alone() -> None:
    class Shifts:
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            return x + 1.0

    class Shift(Shifts, tf.Module):
        pass

    class Plain(Shifts):
        pass

    recording, _, _ = record(None, lambda: Plain()(Shift()(X)))
    assert [call.name for call in calls_of(recording)] == ["Shift"]
