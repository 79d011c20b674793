"""A Keras model run on shapes alone: in a graph of placeholders, on the program's own layers, which stay as they are.

Nothing is copied. Every call of a layer passes the instrument, so an edited layer is a new one that is called in the
place of the old; a layer without weights yet, or built for another width than an edit upstream gives, is called as a
new one too, since that is what the program would make when it runs again. Variables are only read: Keras's stateless
scope keeps what would be written.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

import keras
from keras import KerasTensor
from keras.layers import InputLayer, Layer
from keras.src import backend as keras_backend
from keras.src import tree
from keras.src.ops.function import Function

from shapewatch.adapters import Probe, Trial
from shapewatch.adapters.keras.backends import running_backend
from shapewatch.adapters.keras.blueprint import Blueprint, Plan, spec_tree
from shapewatch.adapters.keras.edit import build, on_shapes, twin
from shapewatch.adapters.keras.instrument import Instrument, LastCall, Reading, parameters_of, unbuilt
from shapewatch.adapters.keras.kinds import kind_of_layer
from shapewatch.adapters.keras.naming import Names
from shapewatch.adapters.listening import Interventions, unseen
from shapewatch.adapters.taps import NotInPlace
from shapewatch.edits import Edit, Input, Insert, Module, Replace, Set, SetCall, place_layer
from shapewatch.recording import Recording


class Stand(Interventions):
    """New layers that run in the place of a model's own. One layer has one stand-in for the whole of a pass."""

    def __init__(self, edits: Sequence[Edit], adapt: bool, shapes_only: bool) -> None:
        super().__init__()
        self._adapt = adapt
        self._shapes_only = shapes_only
        self._settings: dict[str, dict[str, Any]] = {}
        self._instead: dict[str, Any] = {}
        self._chosen: dict[str, Any] = {}
        self._own: set[int] = set()
        """Identities of the new layers, which run as they are."""
        self.added: list[Any] = []
        self.trouble: ValueError | None = None
        """Why a layer could not be made when its turn came."""
        for edit in edits:
            if isinstance(edit, Set):
                self._settings.setdefault(edit.layer, {})[edit.argument] = edit.value
            elif isinstance(edit, Replace):
                self._instead[edit.layer] = self._new(edit.module)
            elif isinstance(edit, Insert):
                module = self._new(edit.module)
                self.added.append(module)
                self.operands.setdefault(edit.place, []).append((edit.operand, module))
            elif isinstance(edit, SetCall):
                self.arguments.setdefault(edit.place, {})[edit.argument] = edit.value

    def _new(self, module: Module) -> Any:
        made = build(module, self._shapes_only)
        self._own.update(id(layer) for layer in made._flatten_layers())
        return made

    def layer(self, path: str, layer: Any, operands: Sequence[Any], whole: bool) -> Any:
        chosen = self._chosen.get(path)
        if chosen is None:
            try:
                chosen = self._choose(path, layer, operands, whole)
            except ValueError as error:
                self.trouble = error
                raise NotInPlace(str(error)) from error
            if whole:
                self._chosen[path] = chosen
        return chosen

    def _choose(self, path: str, layer: Any, operands: Sequence[Any], whole: bool) -> Any:
        if id(layer) in self._own:
            return layer
        if path in self._instead:
            return self._instead[path]
        if path in self._settings:
            return twin(layer, self._settings[path], self._shapes_only)
        if not whole:
            return layer
        if not layer.built or (self._adapt and not _built_for(layer, operands)):
            return twin(layer, {}, self._shapes_only)
        return layer

    @property
    def parameters(self) -> Mapping[str, int]:
        """Of each layer that ran, how many weights the one that ran has."""
        return {path: parameters_of(layer) for path, layer in self._chosen.items()}

    @property
    def paths(self) -> list[str]:
        """The layers that the edits are about."""
        return [*self._settings, *self._instead, *map(place_layer, (*self.operands, *self.arguments))]


def _built_for(layer: Layer, operands: Sequence[Any]) -> bool:
    """Whether a built layer takes operands of these shapes."""
    if not layer.weights or not operands:
        return True
    spec = layer.input_spec
    sizes = getattr(spec, "axes", None) if not isinstance(spec, list | tuple) else None
    shape = tuple(operands[0].shape)
    if sizes:
        return all(shape[axis] in (None, size) for axis, size in sizes.items() if -len(shape) <= axis < len(shape))
    built = [item for item in (layer._build_shapes_dict or {}).values() if isinstance(item, tuple | list)]
    pairs = zip(built, operands, strict=False)
    return all(not before or tuple(before)[-1] in (None, tuple(now.shape)[-1]) for before, now in pairs)


# Passes


class _Probe:
    """What passes on shapes have in common; a subclass says what is run."""

    _beyond: str | None = None

    def __init__(self) -> None:
        self._baseline_parameters: Mapping[str, int] = {}

    def run(self, edits: Sequence[Edit] = ()) -> Trial:
        adapt = any(not isinstance(edit, Input) for edit in edits) and self._new_fails_alike
        return self._pass(edits, adapt)

    @cached_property
    def _new_fails_alike(self) -> bool:
        """Whether the model fails in the same place when all its layers are new.

        Where it does not, what fails is the width that a layer was built for, and a pass with new layers would finish
        whatever the edit.
        """
        return _failing_place(self._pass((), True)) == _failing_place(self._pass((), False))

    def _pass(self, edits: Sequence[Edit], adapt: bool) -> Trial:
        with ExitStack() as stack:
            stack.enter_context(unseen())
            stack.enter_context(on_shapes())
            try:
                stand = Stand(edits, adapt, shapes_only=True)
            except ValueError as error:
                return Trial(Recording("keras"), unsupported=f"the change could not be put in place: {error}")
            stack.enter_context(_as_they_were(self._layers()))
            stack.enter_context(_readable(self._layers()))
            instrument = self._instrument(stand)
            missing = next((path for path in stand.paths if path and not self._has(path, instrument)), None)
            if missing is not None:
                return Trial(
                    Recording("keras"), unsupported=f"the change could not be put in place: no layer {missing!r}"
                )
            output, failed = None, None
            with instrument:
                try:
                    output = spec_tree(self._call(edits))
                except Exception as error:
                    failed = error
            if stand.trouble is not None:
                return Trial(Recording("keras"), unsupported=f"the change could not be put in place: {stand.trouble}")
            recording = instrument.finish(failed)
            added = self._added(stand, bool(edits))
        unsupported = None if failed is None else _why_unsupported(failed)
        return Trial(recording, output, added, unsupported, self._beyond)

    def _added(self, stand: Stand, edited: bool) -> int | None:
        """The weights that layers have more than without the edits; None where one did not get as far as having any."""
        now = stand.parameters
        if not edited:
            self._baseline_parameters = now
            return 0
        before = {**now, **self._baseline_parameters}
        if any(now[path] and not before[path] for path in now):
            return None
        return sum(now[path] - before[path] for path in now) + sum(map(parameters_of, stand.added))

    def _layers(self) -> Iterator[Layer]:
        raise NotImplementedError

    def _has(self, path: str, instrument: Instrument) -> bool:
        return instrument.names.get(path) is not None

    def _instrument(self, stand: Stand) -> Instrument:
        raise NotImplementedError

    def _call(self, edits: Sequence[Edit]) -> Any:
        raise NotImplementedError


def _inputs(edits: Sequence[Edit]) -> list[Input]:
    return [edit for edit in edits if isinstance(edit, Input)]


class ModelProbe(_Probe):
    """A model, or any layer, with its inputs."""

    def __init__(self, model: Layer, blueprint: Blueprint) -> None:
        super().__init__()
        self._model = model
        self._blueprint = blueprint

    def _layers(self) -> Iterator[Layer]:
        yield from _all_in(self._model)

    def _instrument(self, stand: Stand) -> Instrument:
        return Instrument(running_backend(), self._model, stand, isolated=True)

    def _call(self, edits: Sequence[Edit]) -> Any:
        args, kwargs = self._blueprint.edited(_inputs(edits)).make()
        return keras_backend.compute_output_spec(lambda *a, **k: self._model(*a, **k), *args, **kwargs)


class BuildingProbe(_Probe):
    """Layers that were called on symbolic tensors, up to the call that failed: there is no model around them yet."""

    _beyond = "the model was still being built: what comes after this place could not be run"

    def __init__(self, last: LastCall) -> None:
        super().__init__()
        self._last = last
        self._operands = [t for t in tree.flatten((last.args, last.kwargs)) if isinstance(t, KerasTensor)]
        self._roots = _roots(self._operands)
        self._function = Function(inputs=self._roots, outputs=self._operands)

    def _layers(self) -> Iterator[Layer]:
        for operation in (*self._function.operations, self._last.layer):
            if isinstance(operation, Layer):
                yield from _all_in(operation)

    def _instrument(self, stand: Stand) -> Instrument:
        instrument = Instrument(running_backend(), None, stand, isolated=True, rootless=True)
        for operation in (*self._function.operations, self._last.layer):
            if isinstance(operation, Layer) and not isinstance(operation, InputLayer):
                instrument.names.path(operation, None)
        return instrument

    def _call(self, edits: Sequence[Edit]) -> Any:
        shapes = {edit.index: edit.shape for edit in _inputs(edits)}  # counted as the recording's inputs are
        given = [
            Plan(tuple(shapes.get(index, root.shape)), root.dtype).make() for index, root in enumerate(self._roots)
        ]
        return keras_backend.compute_output_spec(self._replayed, *given)

    def _replayed(self, *given: Any) -> Any:
        # not `self._function(...)`, which knows what it gave when it was made and runs nothing
        reached = iter(tree.flatten(self._function._run_through_graph(list(given))))
        args, kwargs = tree.map_structure(
            lambda value: next(reached) if isinstance(value, KerasTensor) else value,
            (self._last.args, dict(self._last.kwargs)),
        )
        return self._last.layer(*args, **kwargs)


class SequentialProbe(_Probe):
    """A Sequential model that failed while it was put together: its layers one after the other."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._inner = [layer for layer in model._layers if not isinstance(layer, InputLayer)]
        first = model._layers[0]
        self._given = Plan(tuple(first.batch_shape), first.dtype) if isinstance(first, InputLayer) else None
        if self._given is None:
            raise ValueError("the model does not say what it is given")

    def _layers(self) -> Iterator[Layer]:
        for layer in self._inner:
            yield from _all_in(layer)

    def _instrument(self, stand: Stand) -> Instrument:
        instrument = Instrument(running_backend(), None, stand, isolated=True, rootless=True)
        for layer in self._inner:
            instrument.names.path(layer, None)
        return instrument

    def _call(self, edits: Sequence[Edit]) -> Any:
        assert self._given is not None
        shape = next((edit.shape for edit in _inputs(edits)), self._given.shape)

        def through(x: Any) -> Any:
            for layer in self._inner:
                x = layer(x)
            return x

        return keras_backend.compute_output_spec(through, Plan(tuple(shape), self._given.dtype).make())


class ReadingProbe(_Probe):
    """A functional model that failed while it was read from its config: it is read again, from a changed config."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    def _layers(self) -> Iterator[Layer]:
        return iter(())

    def _instrument(self, stand: Stand) -> Instrument:
        return Instrument(running_backend(), None, _OperandsOnly(stand), isolated=True)

    def _has(self, path: str, _: Instrument) -> bool:
        return _described_at(self._reading.config, path) is not None

    def _call(self, edits: Sequence[Edit]) -> Any:
        reading = self._reading
        config = edited_config(reading.config, edits, reading.custom_objects)
        cls: Any = reading.cls
        model = cls.from_config(config, custom_objects=reading.custom_objects)
        return tree.map_structure(lambda tensor: tensor, model.output)


class _OperandsOnly(Interventions):
    """New layers on operands; all other edits are in the config that is read."""

    def __init__(self, stand: Stand) -> None:
        super().__init__()
        self.operands = stand.operands
        self.arguments = stand.arguments


def edited_config(config: Mapping[str, Any], edits: Sequence[Edit], custom_objects: Any) -> dict[str, Any]:
    """The config of a functional model with the settings of some of its layers changed, or the layers replaced.

    Raises:
        ValueError: it has no layer of such a name.
    """
    changed: dict[str, Any] = unbuilt(copy.deepcopy(dict(config)))
    settings: dict[str, dict[str, Any]] = {}
    for edit in edits:
        if isinstance(edit, Set):
            settings.setdefault(edit.layer, {})[edit.argument] = edit.value
    for path, arguments in settings.items():
        described = _required(changed, path)
        layer = keras.saving.deserialize_keras_object(described, custom_objects=custom_objects)
        _take_over(described, twin(layer, arguments))
    for edit in edits:
        if isinstance(edit, Replace):
            new = build(edit.module)
            new.name = edit.layer.rpartition(".")[2]
            _take_over(_required(changed, edit.layer), new)
        elif isinstance(edit, Input):
            inputs = [layer for layer in changed["layers"] if layer["class_name"] == "InputLayer"]
            inputs[edit.index]["config"]["batch_shape"] = list(edit.shape)
    return changed


def _required(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    described = _described_at(config, path)
    if described is None:
        raise ValueError(f"no layer {path!r}")
    return described


def _described_at(config: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The part of a config that describes the layer at a path; models inside it have configs of their own."""
    for described in config["layers"]:
        name = described.get("name", described["config"].get("name"))
        if path == name:
            found: dict[str, Any] = described
            return found
        if path.startswith(f"{name}.") and "layers" in described["config"]:
            return _described_at(described["config"], path[len(name) + 1 :])
    return None


def _take_over(described: dict[str, Any], layer: Layer) -> None:
    made = keras.saving.serialize_keras_object(layer)
    for key in ("module", "class_name", "config", "registered_name"):
        described[key] = made[key]


def probe_of(instrument: Instrument) -> Probe | None:
    """A probe of what was watched last; None where nothing can be run again."""
    if instrument.reading is not None:
        return ReadingProbe(instrument.reading)
    if instrument.being_built is not None:
        return SequentialProbe(instrument.being_built)
    if instrument.unfinished is not None:
        return BuildingProbe(instrument.unfinished)
    if instrument.root is not None and instrument.blueprint is not None:
        return ModelProbe(instrument.root, instrument.blueprint)
    return None


def _roots(tensors: Sequence[KerasTensor]) -> list[KerasTensor]:
    """What `keras.Input` gave, of all that some symbolic tensors were made from."""
    found: dict[int, KerasTensor] = {}
    waiting, seen = list(tensors), set[int]()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        history = tensor._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        if node.is_input:
            found[id(tensor)] = tensor
        waiting += node.input_tensors
    return sorted(found.values(), key=lambda tensor: tensor.name)


def _failing_place(trial: Trial) -> str | None:
    call = trial.recording.failing_call()
    return None if call is None else call.place


def _why_unsupported(error: BaseException) -> str | None:
    seen: BaseException | None = error
    while seen is not None:  # what JAX says is lost when Keras makes a new exception of its class
        if any(words in str(seen) for words in _CONTENTS_WANTED):
            return "the forward pass reads a tensor's contents, and a pass on shapes alone has none"
        seen = seen.__cause__ or seen.__context__
    return None


_CONTENTS_WANTED = (
    "Using a symbolic `tf.Tensor` as a Python `bool`",
    "as a Python bool",
    "has no attribute 'numpy'",
    "NumPy does not support",
    "Cannot convert a symbolic",
    "is not allowed in Graph execution",
    "Iterating over a symbolic",
    "of traced array",
    "on traced array",
    "Abstract tracer value encountered",
    "meta tensor",
    "'Meta' backend",
)


# Leaving no trace


def _all_in(layer: Layer) -> Iterator[Layer]:
    names = Names()
    names.learn(layer)
    yield from (inner for _, inner in names.items())


@contextmanager
def _as_they_were(layers: Iterator[Layer]) -> Iterator[None]:
    """The attributes of layers that are looked into, and the lists they keep, put back: running them builds them."""
    kept = [(layer, _state(layer)) for layer in layers if kind_of_layer(layer) is None]
    try:
        yield
    finally:
        for layer, restore in kept:
            restore(layer)


@contextmanager
def _readable(layers: Iterator[Layer]) -> Iterator[None]:
    """Weights of no value read as zeros: `fit` takes them out of a model on JAX, and leaves them out when it fails."""
    lost = [
        weight
        for layer in layers
        for weight in layer.variables
        if weight._value is None and weight._initializer is None
    ]
    for weight in lost:
        weight._initializer = keras.initializers.Zeros()
    try:
        yield
    finally:
        for weight in lost:
            weight._initializer = None


def _state(layer: Layer) -> Callable[[Layer], None]:
    attributes = dict(vars(layer))
    lists = [(value, list(value)) for value in map(_unwrapped, attributes.values()) if isinstance(value, list)]
    maps = [(value, dict(value)) for value in map(_unwrapped, attributes.values()) if isinstance(value, dict)]
    tracker = getattr(layer, "_tracker", None)
    tracked = {} if tracker is None else {key: set(ids) for key, ids in tracker.stored_ids.items()}
    locked = None if tracker is None else tracker.locked

    def restore(layer: Layer) -> None:
        vars(layer).clear()
        vars(layer).update(attributes)
        for value, items in lists:
            list.__setitem__(value, slice(None), items)
        for mapping, pairs in maps:
            dict.clear(mapping)
            dict.update(mapping, pairs)
        if tracker is not None:
            tracker.stored_ids.clear()
            tracker.stored_ids.update(tracked)
            tracker.locked = locked

    return restore


def _unwrapped(value: Any) -> Any:
    """TensorFlow keeps an attribute that is a dict in a proxy of its own."""
    return getattr(value, "__wrapped__", value) if type(value).__name__.startswith("_") else value


# Trying an edit in memory


@contextmanager
def applied(model: Layer, edits: Sequence[Edit]) -> Iterator[Layer]:
    """The model with the edits in place, undone at the end of the block.

    Raises:
        ValueError: the model has no layer of a name in the edits, or Keras has none like it.
    """
    stand = Stand(edits, adapt=True, shapes_only=False)
    with _as_they_were(_all_in(model)), Instrument(running_backend(), model, stand) as instrument:
        missing = next((path for path in stand.paths if path and instrument.names.get(path) is None), None)
        if missing is not None:
            raise ValueError(f"the model has no layer {missing!r}")
        yield model
