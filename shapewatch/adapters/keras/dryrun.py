"""A Keras model run on shapes alone: in a graph of placeholders, on the program's own layers, which stay as they are.

Nothing is copied. Every call of a layer passes the instrument, so an edited layer is a new one that is called in the
place of the old; a layer without weights yet, or built for another width than an edit upstream gives, is called as a
new one too, since that is what the program would make when it runs again. Variables are only read: Keras's stateless
scope keeps what would be written.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, TypeGuard

from keras import KerasTensor, Sequential
from keras.layers import InputLayer, Layer
from keras.src import backend as keras_backend
from keras.src import tree
from keras.src.models.functional import Functional
from keras.src.ops.function import Function

from shapewatch.adapters import STILL_BEING_BUILT, Probe, Trial
from shapewatch.adapters.in_reach import held_by_variable
from shapewatch.adapters.keras.assembly import Reading
from shapewatch.adapters.keras.backends import running_backend, without_numbers
from shapewatch.adapters.keras.blueprint import Blueprint, Plan, spec_tree
from shapewatch.adapters.keras.configs import described_at, edited_config, unbuilt
from shapewatch.adapters.keras.edit import on_shapes
from shapewatch.adapters.keras.history import LastCall
from shapewatch.adapters.keras.instrument import Instrument
from shapewatch.adapters.keras.kinds import parameters_of
from shapewatch.adapters.keras.restoring import all_in, as_they_were, readable
from shapewatch.adapters.keras.stand import Stand
from shapewatch.adapters.listening import Interventions, unseen
from shapewatch.edits import Edit, Input, Insert
from shapewatch.recording import Recording

# Passes


class _Probe:
    """What passes on shapes have in common; a subclass says what is run."""

    _beyond: str | None = None

    _just_built: Layer | None = None
    """The layer that made its weights in the call that failed, for what it was given: given something else, it would
    have made others."""

    _put_together: Sequence[Layer] = ()
    """The layers that are being put together: declared with another input, the program would have built them for it."""

    def __init__(self, elsewhere: Sequence[Layer] = ()) -> None:
        self._baseline_parameters: Mapping[str, int] = {}
        self._elsewhere = elsewhere
        """Layers that had their weights before: run again, the program would use them as they are."""

    def run(self, edits: Sequence[Edit] = ()) -> Trial:
        adapt = any(not isinstance(edit, Input) for edit in edits) or (bool(edits) and self._just_built is not None)
        fresh = self._put_together if edits and self._new_fails_alike else ()
        return self._pass(edits, adapt and self._new_fails_alike, fresh)

    @cached_property
    def _new_fails_alike(self) -> bool:
        """Whether the model fails in the same place when all its layers are new.

        Where it does not, what fails is the width that a layer was built for, and a pass with new layers would finish
        whatever the edit.
        """
        return _failing_place(self._pass((), True)) == _failing_place(self._pass((), False))

    def _pass(self, edits: Sequence[Edit], adapt: bool, fresh: Sequence[Layer] = ()) -> Trial:
        with ExitStack() as stack:
            stack.enter_context(unseen())
            stack.enter_context(on_shapes())
            try:
                stand = Stand(edits, adapt, True, self._just_built, fresh, self._elsewhere, self._variable)
            except ValueError as error:
                return Trial(Recording("keras"), unsupported=f"the change could not be put in place: {error}")
            stack.enter_context(as_they_were(self._layers()))
            stack.enter_context(readable(self._layers()))
            stack.enter_context(without_numbers())
            instrument = self._instrument(stand)
            missing = stand.missing(lambda path: self._has(path, instrument))
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
        if not now.keys() >= set(stand.set_layers):
            return None  # of a class of the program's own it is not counted
        before = {**now, **self._baseline_parameters}
        changed = [path for path in stand.set_layers if path in now]
        if any(now[path] and not before[path] for path in now) or not set(changed) <= set(self._baseline_parameters):
            return None
        return sum(now[path] - before[path] for path in now) + sum(map(parameters_of, stand.added))

    def _variable(self, edit: Insert) -> Any:
        """What the variable of the program holds that an edit takes."""
        return held_by_variable(edit)

    def _layers(self) -> Iterator[Layer]:
        raise NotImplementedError

    def _has(self, path: str, instrument: Instrument) -> bool:
        return instrument.names.get(path) is not None

    def _instrument(self, stand: Stand) -> Instrument:
        raise NotImplementedError

    def _call(self, edits: Sequence[Edit]) -> Any:
        raise NotImplementedError


def _takes_a_variable(edit: Edit) -> TypeGuard[Insert]:
    return isinstance(edit, Insert) and edit.module.kind == "value" and "shape" in edit.module.arguments


def _inputs(edits: Sequence[Edit]) -> list[Input]:
    return [edit for edit in edits if isinstance(edit, Input)]


class ModelProbe(_Probe):
    """A model, or any layer, with its inputs. `path` is what it is called by, where it is not the first one of a
    program: edits name layers from there."""

    def __init__(self, model: Layer, blueprint: Blueprint, elsewhere: Sequence[Layer] = (), path: str = "") -> None:
        super().__init__(elsewhere)
        self._model = model
        self._blueprint = blueprint
        self._path = path

    def _layers(self) -> Iterator[Layer]:
        yield from all_in(self._model)

    def _instrument(self, stand: Stand) -> Instrument:
        instrument = Instrument(running_backend(), None, stand, isolated=True)
        instrument.names.learn(self._model, self._path)
        return instrument

    def _call(self, edits: Sequence[Edit]) -> Any:
        if _inputs(edits):
            _undeclare(self._model)
        args, kwargs = self._blueprint.edited(_inputs(edits)).make()
        return keras_backend.compute_output_spec(lambda *a, **k: self._model(*a, **k), *args, **kwargs)


def _undeclare(model: Layer) -> None:
    """A Sequential model that declares no input takes the first one for its declaration, also where it then fails."""
    if isinstance(model, Sequential) and not model.built and isinstance(model._layers[0], InputLayer):
        model._layers = model._layers[1:]


class BuildingProbe(_Probe):
    """Layers that were called on symbolic tensors, up to the call that failed: there is no model around them yet."""

    _beyond = STILL_BEING_BUILT

    def __init__(self, last: LastCall, elsewhere: Sequence[Layer] = ()) -> None:
        self._last = last
        self._operands = [t for t in tree.flatten((last.args, last.kwargs)) if isinstance(t, KerasTensor)]
        self._roots = _roots(self._operands)
        self._function = Function(inputs=self._roots, outputs=self._operands)
        layers = [one for one in (*self._function.operations, last.layer) if isinstance(one, Layer)]
        super().__init__([*elsewhere, *(one for one in layers if _is_of_another_model(one, self._roots))])
        self._put_together = [one for one in layers if one not in self._elsewhere]
        self._variables: dict[str, Any] = {}
        first = not last.layer._inbound_nodes and last.layer not in self._elsewhere
        self._just_built = last.layer if first and _makes_weights(last.layer) else None

    def _layers(self) -> Iterator[Layer]:
        for operation in (*self._function.operations, self._last.layer):
            if isinstance(operation, Layer):
                yield from all_in(operation)

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
        held = {edit.place: edit.module.arguments for edit in edits if _takes_a_variable(edit)}
        made = {place: Plan(arguments["shape"], arguments["dtype"]).make() for place, arguments in held.items()}
        return keras_backend.compute_output_spec(self._replayed, made, *given)

    def _variable(self, edit: Insert) -> Any:
        return self._variables[edit.place]  # the program's function is not run again: something of the same shape

    def _replayed(self, variables: dict[str, Any], *given: Any) -> Any:
        self._variables = variables
        # not `self._function(...)`, which knows what it gave when it was made and runs nothing
        reached = iter(tree.flatten(self._function._run_through_graph(list(given))))
        args, kwargs = tree.map_structure(
            lambda value: next(reached) if isinstance(value, KerasTensor) else value,
            (self._last.args, dict(self._last.kwargs)),
        )
        return self._last.layer(*args, **kwargs)


class SequentialProbe(_Probe):
    """A Sequential model that failed while it was put together: its layers one after the other."""

    def __init__(self, model: Any, elsewhere: Sequence[Layer] = ()) -> None:
        first = model._layers[0]
        if not isinstance(first, InputLayer):
            raise ValueError("the model does not say what it is given")
        self._given = Plan(tuple(first.batch_shape), first.dtype)
        self._inner = [layer for layer in model._layers if not isinstance(layer, InputLayer)]
        roots = tree.flatten(first.output)
        super().__init__([*elsewhere, *(layer for layer in self._inner if _is_of_another_model(layer, roots))])
        self._put_together = [layer for layer in self._inner if layer not in self._elsewhere]

    def _layers(self) -> Iterator[Layer]:
        for layer in self._inner:
            yield from all_in(layer)

    def _instrument(self, stand: Stand) -> Instrument:
        instrument = Instrument(running_backend(), None, stand, isolated=True, rootless=True)
        for layer in self._inner:
            instrument.names.path(layer, None)
        return instrument

    def _call(self, edits: Sequence[Edit]) -> Any:
        shape = next((edit.shape for edit in _inputs(edits)), self._given.shape or ())

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
        self._bare: Mapping[str, Any] | None = None
        if self._pass((), False).recording.failing_call() is None:
            # It failed before any layer was called, where layers are built for the shapes that are kept with them. What
            # fails is seen without these; whether an edit helps is not, since the program reads them with it.
            self._bare = unbuilt(copy.deepcopy(dict(reading.config)))

    def _layers(self) -> Iterator[Layer]:
        return iter(())

    def _instrument(self, stand: Stand) -> Instrument:
        return Instrument(running_backend(), None, _OperandsOnly(stand), isolated=True)

    def _has(self, path: str, _: Instrument) -> bool:
        return described_at(self._reading.config, path) is not None

    def _call(self, edits: Sequence[Edit]) -> Any:
        reading = self._reading
        bare = self._bare if self._bare is not None and not edits else reading.config
        config = edited_config(bare, edits, reading.custom_objects)
        cls: Any = reading.cls
        model = cls.from_config(config, custom_objects=reading.custom_objects)
        return tree.map_structure(lambda tensor: tensor, model.output)


class _OperandsOnly(Interventions):
    """New layers on operands; all other edits are in the config that is read."""

    def __init__(self, stand: Stand) -> None:
        super().__init__()
        self.operands = stand.operands
        self.arguments = stand.arguments


def probe_of(instrument: Instrument) -> Probe | None:
    """A probe of what was watched last; None where nothing can be run again."""
    elsewhere = [*instrument.history.had_weights]
    if instrument.assembly.reading is not None:
        return ReadingProbe(instrument.assembly.reading)
    if instrument.assembly.stacked is not None:
        return SequentialProbe(instrument.assembly.stacked, elsewhere)
    if instrument.history.unfinished is not None:
        return BuildingProbe(instrument.history.unfinished, elsewhere)
    if instrument.root is not None and instrument.last is not None:
        path = instrument.names.known(instrument.root) or ""
        return ModelProbe(instrument.root, instrument.last.blueprint, elsewhere, path)
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


def _is_of_another_model(layer: Layer, roots: Sequence[KerasTensor]) -> bool:
    """Whether a layer is a model itself, or has been called on what was made from other inputs."""
    known = set(map(id, roots))
    asked = (tensor for node in layer._inbound_nodes for tensor in _roots(node.input_tensors))
    return isinstance(layer, Functional) or not known.issuperset(map(id, asked))


def _makes_weights(layer: Any) -> bool:
    """Whether a layer holds weights itself, which its `build` made, beside those of the layers in it."""
    return isinstance(layer, Layer) and bool(layer._trainable_variables or layer._non_trainable_variables)


def _failing_place(trial: Trial) -> str | None:
    call = trial.recording.failing_call()
    return None if call is None else call.place


def _why_unsupported(error: BaseException) -> str | None:
    seen: BaseException | None = error
    program = sys.exception()  # what the program raised, if it did, is in the context of what a dry run raises
    while seen is not None and seen is not program:  # what JAX says is lost where Keras makes another of its class
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
    "A KerasTensor is symbolic",
    "'Meta' backend",
)


# Trying an edit in memory


@contextmanager
def applied(model: Layer, edits: Sequence[Edit]) -> Iterator[Layer]:
    """The model with the edits in place, undone at the end of the block.

    Raises:
        ValueError: the model has no layer of a name in the edits, or Keras has none like it.
    """
    stand = Stand(edits, adapt=True, shapes_only=False)
    with as_they_were(all_in(model)), Instrument(running_backend(), model, stand) as instrument:
        missing = stand.missing(lambda path: instrument.names.get(path) is not None)
        if missing is not None:
            raise ValueError(f"the model has no layer {missing!r}")
        yield model
