"""Recording a Keras pass: every call of a layer, eager, in a graph or on symbolic tensors, and the operations between.

`Layer.__call__` is replaced for the length of the block, since Keras has no hooks. Some more functions of Keras's tell
what is what: `_maybe_build` runs a layer's forward once to find its weights (a rehearsal, which is forgotten when it
succeeds), `compute_output_spec` runs it on placeholders that stand for symbolic tensors, `convert_input` makes tensors
of arrays, and `functional_from_config` reads a whole model that may fail while it is read.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, Sequential
from keras.layers import InputLayer, Layer
from keras.src import backend as keras_backend
from keras.src import tree
from keras.src.dtype_policies.dtype_policy import DTypePolicy
from keras.src.models import functional
from keras.src.models.functional import Functional
from keras.src.ops.operation import Operation
from keras.src.utils import python_utils as utils
from keras.src.utils import traceback_utils

from shapewatch.adapters.keras import kinds
from shapewatch.adapters.keras.blueprint import Blueprint, spec_tree
from shapewatch.adapters.keras.configs import unbuilt
from shapewatch.adapters.keras.edit import on_shapes, undisturbed
from shapewatch.adapters.keras.naming import Names
from shapewatch.adapters.listening import Backend, Interventions, Listening, continues, unseen
from shapewatch.adapters.taps import NotInPlace, Once, Tap, unconverted, without_ours
from shapewatch.recorder import Mark, OpenCall, Stretch, own_fault
from shapewatch.recording import Layer as LayerRecord
from shapewatch.recording import Origin, Recording, Span, TensorSpec
from shapewatch.source import attribute_line, raising_line, span_at

_CALL = Tap(Layer, "__call__")
_STATELESS = Tap(Layer, "stateless_call")
_BUILD = Tap(Layer, "_maybe_build")
_WEIGHT = Tap(Layer, "add_weight")
_SEQUENTIAL_BUILD = Tap(Sequential, "build")
_SYMBOLIC = Tap(Operation, "symbolic_call")
_EAGER = Tap(Operation, "__call__")
_EINSUM = Tap(keras_backend.numpy, "einsum")
_ON_PLACEHOLDERS = Tap(keras_backend, "compute_output_spec")
_CONVERTED = Tap(DTypePolicy, "convert_input")
_INPUTS = Tap(Functional, "_standardize_inputs")
_READ = Tap(functional, "functional_from_config")
_SHOWN = Tap(traceback_utils, "include_frame")
_LOSS = Tap(keras.losses.Loss, "__call__")
_CROSSENTROPIES = tuple(
    Tap(keras_backend.nn, name)
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")
)


_WRAPPED = re.compile(
    r"Exception encountered when calling .*?\n\n\x1b\[1m(.*)\x1b\[0m\n\nArguments received by", re.DOTALL
)
_INFERRED = re.compile(r"Could not automatically infer the output shape.*?Error encountered:\s*(.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class KerasTensors:
    """A backend's tensors, with Keras's symbolic tensors and NumPy's arrays among them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name = backend.name
        self.listen = backend.listen
        self.is_refusal = backend.is_refusal
        self.converted = backend.converted
        self.settle = backend.settle
        self.compiling = backend.compiling
        self.read_from = backend.read_from
        self.failed_run = backend.failed_run

    def words(self, text: str) -> str:
        """Without the layer and the arguments that Keras adds, the colours, and the advice to write another method."""
        for _ in range(6):
            inner = _WRAPPED.search(text) or _INFERRED.search(text)
            if inner is None:
                break
            text = inner.group(1)
        return self._backend.words(_COLOUR.sub("", text).strip())

    def is_tensor(self, value: Any) -> bool:
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, np.ndarray):
            return value.ndim > 0 and value.dtype != object
        return self._backend.is_tensor(value)

    def stand_ins(self, tensor: Any) -> list[Any]:
        """Of one of Keras's variables also the backend's, which is what operations see."""
        held = getattr(tensor, "_value", None) if isinstance(tensor, keras.Variable) else None
        return self._backend.stand_ins(tensor) if held is None else [held, *self._backend.stand_ins(held)]

    def raw_spec(self, tensor: Any) -> Any:
        if isinstance(tensor, KerasTensor | np.ndarray):
            return TensorSpec(tuple(tensor.shape), str(tensor.dtype))
        return self._backend.raw_spec(tensor)

    def describe(self, raw: Any) -> TensorSpec:
        return raw if isinstance(raw, TensorSpec) else self._backend.describe(raw)

    def origin(self, tensor: Any) -> Origin | None:
        if isinstance(tensor, KerasTensor):
            return "input"  # of `keras.Input`, or made before the block began
        return None if isinstance(tensor, np.ndarray) else self._backend.origin(tensor)


@dataclass(frozen=True)
class Reading:
    """A functional model that is being read from its config."""

    cls: type
    config: Mapping[str, Any]
    custom_objects: Any


@dataclass(frozen=True)
class LastCall:
    """What a layer was called with on symbolic tensors that have no model around them yet."""

    layer: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Instrument(Listening):
    """Records one thread between `__enter__` and `__exit__`."""

    def __init__(
        self,
        backend: Backend,
        target: Layer | None = None,
        interventions: Interventions | None = None,
        isolated: bool = False,
        rootless: bool = False,
    ) -> None:
        super().__init__("keras", KerasTensors(backend), interventions, isolated)
        self.names = Names(self.recorder.forget_place)
        if target is not None:
            self.names.learn(target)
        self.root: Layer | None = None
        self.blueprint: Blueprint | None = None
        self.reading: Reading | None = None
        self.being_built: Sequential | None = None
        self.unfinished: LastCall | None = None
        self._output: Any = None
        self._symbolic_inputs: list[int] = []
        self._made_at: dict[str, Any] = {}
        self._rootless = rootless

    # The scope

    def __enter__(self) -> Instrument:
        self.open()
        for tap, listener in (
            (_CALL, self._layer_call),
            (_STATELESS, self._stateless_call),
            (_BUILD, self._rehearsal),
            (_WEIGHT, self._weight),
            (_SEQUENTIAL_BUILD, self._sequential_build),
            (_SYMBOLIC, self._symbolic_operation),
            (_EAGER, self._eager_operation),
            (_EINSUM, self._einsum),
            (_ON_PLACEHOLDERS, self._on_placeholders),
            (_CONVERTED, self._converted),
            (_INPUTS, self._inputs),
            (_READ, self._read),
            (_SHOWN, without_ours),
            (_LOSS, self._loss),
            *((tap, self._loss_of_backend) for tap in _CROSSENTROPIES),
        ):
            tap.listen(listener, self._stack)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Layers

    @unconverted
    def _layer_call(self, original: Any, layer: Layer, *args: Any, **kwargs: Any) -> Any:
        original.function = self.backend.converted(original.function)
        if self.asleep():
            return original(layer, *args, **kwargs)
        runs, call, whole = layer, None, False
        try:
            self._busy = True
            call, whole = self._begin(layer, args, kwargs)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False
        if call is None:
            return original(layer, *args, **kwargs)
        try:
            if self.interventions is not None:
                runs = self.interventions.layer(call.layer, layer, self.tensors(args, kwargs), whole)
                args, kwargs = self._on_operands(call, args, kwargs)
            result = original(runs, *args, **kwargs)
            if isinstance(layer, Functional | Sequential):
                self._look_into(layer, args, kwargs, result)
        except BaseException as error:
            self._end(call, whole, layer, args, kwargs, None, error)
            raise
        self._end(call, whole, layer, args, kwargs, result, None)
        return result

    def _stateless_call(
        self,
        original: Any,
        layer: Layer,
        trainable: Any,
        others: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """On JAX a model is trained so: its weights are arguments, and its `call` is called past its `__call__`."""
        given: list[Any] = []

        def call(runs: Layer, *args: Any, **kwargs: Any) -> Any:
            given.append(original(runs, trainable, others, *args, return_losses=return_losses, **kwargs))
            return given[0][0]

        self._layer_call(Once(call), layer, *args, **kwargs)
        return given[0]

    def _begin(self, layer: Layer, args: Any, kwargs: Any) -> tuple[OpenCall, bool]:
        found = self.tensors(args, kwargs)
        outermost = not self._open
        symbolic = outermost and (self._rootless or any(isinstance(tensor, KerasTensor) for tensor in found))
        if outermost and not symbolic:
            self._begin_root(layer)
        parent = self._open[-1][1] if self._open else None
        path = self.names.path(layer, parent.layer if parent else None, parent)
        if symbolic and not self._rootless:
            self._recall(found)
        operands = tuple(self.number(tensor, "input" if outermost else None) for tensor in found)
        kind = kinds.kind_of_layer(layer)
        whole = kind is not None
        call = self.enter(layer, type(layer).__name__, kind or "module", path, operands, whole, 3)
        if symbolic:
            self._note_inputs(found)
            if self.reading is None:  # what is read from a config is made by no line of the program
                self._made_at.setdefault(path, call.line)
        elif outermost:
            self.recorder.begin_pass(operands)
        return call, whole

    def _look_into(self, model: Layer, args: Any, kwargs: Any, result: Any) -> None:
        """Keras knows what a functional model gives for symbolic tensors without running what is in it: run it."""
        if self._open[-1][0] is not model or not any(isinstance(t, KerasTensor) for t in self.tensors(args, kwargs)):
            return
        mark = self.recorder.mark()
        try:
            with on_shapes():
                inner = keras_backend.compute_output_spec(model.call, *args, **kwargs)
            for known, tensor in zip(self.tensors(inner), self.tensors(result), strict=True):
                self.recorder.alias(tensor, self.number(known))
        except NotInPlace:
            raise
        except Exception as fault:
            self.recorder.rewind(mark)
            own_fault(fault)

    def _begin_root(self, layer: Layer) -> None:
        self.recorder.forget_earlier()
        if layer is not self.root:
            self.names.learn(layer)
        self.root = layer

    def _recall(self, tensors: Iterable[Any]) -> None:
        """What was done to symbolic tensors before the block began, from the history that they carry."""
        waiting = [tensor for tensor in tensors if isinstance(tensor, KerasTensor)]
        while waiting:
            tensor = waiting[-1]
            history = getattr(tensor, "_keras_history", None)
            if history is None or self.recorder.number_of(tensor) is not None:
                waiting.pop()
                continue
            node = history.operation._inbound_nodes[history.node_index]
            unknown = [] if node.is_input else [t for t in node.input_tensors if self.recorder.number_of(t) is None]
            if unknown:
                waiting += unknown
                continue
            if node.is_input:
                self.number(tensor)
                self._note_inputs([tensor])
            else:
                self._recall_call(node)

    def _recall_call(self, node: Any) -> None:
        operation = node.operation
        operands = tuple(self.number(tensor) for tensor in node.input_tensors)
        if isinstance(operation, Layer):
            kind = kinds.kind_of_layer(operation) or "module"
            path = self.names.path(operation, None)
            call = self.recorder.open_call(type(operation).__name__, kind, path, True, operands)
        else:
            name, kind = kinds.named_operation(type(operation))
            call = self.recorder.open_call(name, kind, "", False, operands)
            call.facts = kinds.operation_facts(operation, kind)
        results = tuple(self._result(tensor) for tensor in node.output_tensors)
        if call.is_layer:
            self.recorder.close_layer(call, results, True)
        else:
            call.results, call.finished = results, True

    def _note_inputs(self, tensors: Iterable[Any]) -> None:
        """The inputs of a functional model that is being built: what `keras.Input` gave."""
        self._symbolic_inputs = [number for number in self._symbolic_inputs if self.recorder.is_input(number)]
        for tensor in tensors:
            number = self.recorder.number_of(tensor)
            history = getattr(tensor, "_keras_history", None)
            made = history.operation if history is not None else None
            if number is not None and number not in self._symbolic_inputs and isinstance(made, InputLayer):
                self._symbolic_inputs.append(number)
        self.recorder.begin_pass(tuple(self._symbolic_inputs))

    def _end(
        self,
        call: OpenCall,
        whole: bool,
        layer: Layer,
        args: Any,
        kwargs: Any,
        result: Any,
        error: BaseException | None,
    ) -> None:
        try:
            self._busy = True
            self._finish_call(call, whole, layer, args, kwargs, result, error)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    def _finish_call(
        self,
        call: OpenCall,
        whole: bool,
        layer: Layer,
        args: Any,
        kwargs: Any,
        result: Any,
        error: BaseException | None,
    ) -> None:
        results = () if error is not None else tuple(self._result(tensor) for tensor in self.tensors(result))
        self.leave(call, whole, results, error)
        if self._open:
            return
        if self._rootless or any(isinstance(tensor, KerasTensor) for tensor in self.tensors(args, kwargs)):
            self.unfinished = None if error is None else LastCall(layer, args, dict(kwargs))
            return
        self.blueprint = Blueprint.of(args, kwargs)
        self._output = None if error is not None else spec_tree(result)
        if error is None:
            self.recorder.end_pass(results)

    def _on_operands(self, call: OpenCall, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments of a merge layer with some of the tensors in them sent through new layers."""
        assert self.interventions is not None
        for position, module in self.interventions.operands.get(f"{call.layer}:{call.name}:{call.occurrence}", ()):
            whole, self._whole = self._whole, 0
            try:
                args, kwargs = on_operand(self, (args, kwargs), position, module)
            except Exception as error:  # without it the call would run as if there were no edit
                raise NotInPlace(str(error)) from error
            finally:
                self._whole = whole
            call.operands = tuple(self.number(tensor) for tensor in self.tensors(args, kwargs))
        return args, kwargs

    # Rehearsals, placeholders, conversions

    @unconverted
    def _rehearsal(self, original: Any, layer: Layer, *args: Any, **kwargs: Any) -> Any:
        if self.asleep():
            return original(layer, *args, **kwargs)
        if self.interventions is not None and kinds.kind_of_layer(layer) is None and utils.is_default(layer.build):
            return None  # a dry run leaves the program's layers unbuilt, and what runs in their place builds itself
        mark = self.recorder.mark()
        result = original(layer, *args, **kwargs)
        self.recorder.rewind(mark)
        return result

    @unconverted
    def _weight(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        """Drawing a weight's first numbers is no part of a pass."""
        return self._not_looked_into(original, *args, **kwargs)

    def _not_looked_into(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        self._whole += 1
        try:
            return function(*args, **kwargs)
        finally:
            self._whole -= 1

    @unconverted
    def _sequential_build(self, original: Any, model: Sequential, *args: Any, **kwargs: Any) -> Any:
        """A Sequential model that knows its input runs through its layers when it is made or gets another one."""
        if self.asleep() or self._open:
            return original(model, *args, **kwargs)
        mark = self.recorder.mark()
        self.being_built = model
        result = original(model, *args, **kwargs)
        self.being_built = None
        self.recorder.rewind(mark)
        return result

    def _recognise(self, tensors: Sequence[Any]) -> None:
        """A `Lambda` finds out what it gives by tensors of its own, of the shapes of those that it was called with."""
        if not self._open or not tensors or any(self.recorder.number_of(tensor) is not None for tensor in tensors):
            return
        operands = self._open[-1][1].operands
        shapes = [tuple(tensor.shape) for tensor in tensors]
        if shapes == [self.recorder.shape_of(number) for number in operands]:
            for tensor, number in zip(tensors, operands, strict=True):
                self.recorder.alias(tensor, number)

    @unconverted
    def _on_placeholders(self, original: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        if self.asleep():
            return original(function, *args, **kwargs)
        outer = self.tensors(args, kwargs)
        self._recognise(outer)
        mark = self.recorder.mark()
        made: list[Any] = []
        other: Stretch | None = None
        failed: dict[tuple[Any, ...], Exception] = {}
        given: tuple[Any, ...] = ()

        def on_placeholders(*inner_args: Any, **inner_kwargs: Any) -> Any:
            nonlocal other, given
            inner = self.tensors(inner_args, inner_kwargs)
            before, given = given, tuple(tuple(tensor.shape) for tensor in inner)
            if self._isolate and given in failed:
                raise failed[given]  # PyTorch's next try would be to compute it
            if before:
                run = self.recorder.take_back(mark)
                other = run if before != given else other
            self._stand_for(outer, inner)
            try:
                result = function(*inner_args, **inner_kwargs)
            except Exception as error:
                failed[given] = error
                raise
            made[:] = self.tensors(result)
            return result

        try:
            result = original(on_placeholders, *args, **kwargs)
        except Exception:
            if other is None:
                other = self._with_other_sizes(original.function, function, outer, given, mark, args, kwargs)
            if other is not None:
                self.recorder.blur(mark, other)
            raise
        if other is not None:
            self.recorder.blur(mark, other)
        for inner, tensor in zip(made, self.tensors(result), strict=False):
            number = self.recorder.number_of(inner)
            if number is not None and self.recorder.number_of(tensor) is None:
                self.recorder.alias(tensor, number)
        return result

    def _stand_for(self, outer: list[Any], inner: list[Any]) -> None:
        for known, tensor in zip(outer, inner, strict=False):
            if known is not tensor:
                self.recorder.alias(tensor, self.number(known))

    def _with_other_sizes(
        self, original: Any, function: Any, outer: list[Any], given: tuple[Any, ...], mark: Mark, args: Any, kwargs: Any
    ) -> Stretch | None:
        """What is recorded when the sizes that PyTorch's placeholders have for unknown ones are others.

        A run that succeeds is repeated so by Keras itself. One that fails is not, and what it recorded does not tell
        which sizes were made up.
        """
        other_sizes = {
            id(tensor): tuple(
                size + 6 if known is None else size for known, size in zip(tensor.shape, shape, strict=True)
            )
            for tensor, shape in zip(outer, given, strict=False)
            if isinstance(tensor, KerasTensor) and all(isinstance(size, int) for size in shape)
        }
        if all(tuple(tensor.shape) == other_sizes.get(id(tensor), tuple(tensor.shape)) for tensor in outer):
            return None
        ran = False

        def once(*inner_args: Any, **inner_kwargs: Any) -> Any:
            nonlocal ran
            if ran:
                raise ValueError("once is enough")
            ran = True
            self._stand_for(outer, self.tensors(inner_args, inner_kwargs))
            return function(*inner_args, **inner_kwargs)

        kept, said = self.recorder.take_back(mark), self._said
        args, kwargs = tree.map_structure(
            lambda value: KerasTensor(other_sizes[id(value)], value.dtype) if id(value) in other_sizes else value,
            (args, dict(kwargs)),
        )
        with contextlib.suppress(Exception), undisturbed():
            original(once, *args, **kwargs)
        other = self.recorder.take_back(mark)
        self.recorder.put_back(kept)
        self._said = said
        return other

    @unconverted
    def _converted(self, original: Any, policy: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        """An argument as a tensor of the layer's dtype is still the value that it was."""
        if self.asleep() or not self.backend.is_tensor(value):
            return original(policy, value, *args, **kwargs)
        result = self._not_looked_into(original, policy, value, *args, **kwargs)
        number = self.recorder.number_of(value)
        if result is not value and number is not None:
            self.recorder.alias(result, number)
        return result

    @unconverted
    def _inputs(self, original: Any, model: Functional, inputs: Any) -> Any:
        """What a functional model makes tensors of are still its inputs."""
        result = original(model, inputs)
        if not self.asleep():
            for given, taken in zip(self.tensors(inputs), self.tensors(result), strict=False):
                number = self.recorder.number_of(given)
                known = self.recorder.number_of(taken) is not None
                if number is not None and not known and tuple(given.shape) == tuple(taken.shape):
                    self.recorder.alias(taken, number)
        return result

    @unconverted
    def _read(self, original: Any, cls: type, config: Any, custom_objects: Any = None) -> Any:
        if self.asleep() or self.reading is not None:
            return original(cls, config, custom_objects=custom_objects)
        self.reading = Reading(cls, copy.deepcopy(config), custom_objects)
        result = original(cls, config, custom_objects=custom_objects)
        self.reading = None
        return result

    # Operations on symbolic tensors, and the same ones when the model that they are part of runs

    @unconverted
    def _symbolic_operation(self, original: Any, operation: Operation, *args: Any, **kwargs: Any) -> Any:
        if self.asleep():
            return original(operation, *args, **kwargs)
        if not self._open:
            self._recall(self.tensors(args, kwargs))
            for tensor in self.tensors(args, kwargs):
                self.number(tensor)
            self._note_inputs(self.tensors(args, kwargs))
        try:
            return self._one_operation(original, operation, args, kwargs)
        except Exception:
            if not self._open:
                self.unfinished = LastCall(operation, args, dict(kwargs))
            raise

    @unconverted
    def _eager_operation(self, original: Any, operation: Operation, *args: Any, **kwargs: Any) -> Any:
        """Only operations that are nodes of a functional model come this way; layers go by their own `__call__`."""
        if isinstance(operation, Layer) or self.asleep():
            return original(operation, *args, **kwargs)

        return self._one_operation(original, operation, args, kwargs)

    @unconverted
    def _einsum(self, original: Any, subscripts: str, *operands: Any, **kwargs: Any) -> Any:
        """Some equations Keras spells out as transpositions and a product, and others it does not: either way it is the
        equation that the program has."""
        if self.asleep():
            return original(subscripts, *operands, **kwargs)

        def run(operation: Einsum, *operands: Any, **kwargs: Any) -> Any:
            return original(operation.subscripts, *operands, **kwargs)

        return self._one_operation(run, Einsum(subscripts), operands, kwargs)

    def _one_operation(self, original: Any, operation: Operation, args: Any, kwargs: Any) -> Any:
        """The operations of the backend that this one is made of are not recorded beside it."""

        def run(node: NodeCall) -> Any:
            return self._not_looked_into(original, node.operation, *node.args, **node.kwargs)

        return self.operation(NodeCall(self, operation, args, kwargs), run)

    # Losses

    @unconverted
    def _loss(self, original: Any, loss: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        """One of Keras's own losses, as one operation on target and output."""
        return self._compared(original, loss, (loss, y_true, y_pred, *args), kwargs)

    @unconverted
    def _loss_of_backend(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        return self._compared(original, original.function, args, kwargs)

    def _compared(self, original: Any, loss: Any, args: Any, kwargs: Any) -> Any:
        named = None if self.asleep() or self._open else kinds.named_loss(loss)
        if named is None:
            return original(*args, **kwargs)

        def run(call: LossCall) -> Any:
            return self._not_looked_into(original, *call.args, **call.kwargs)

        return self.operation(LossCall(self, named, args, kwargs), run)

    # The end

    def finish(self, error: BaseException | None) -> Recording:
        known = self.recorder.error
        where = None if known is None else raising_line(known.__traceback__)
        if error is not None and known is not None and continues(error, known):
            self.recorder.goes_on_as(error)
        elif error is not None:
            where = raising_line(error.__traceback__)
        failed = self.recorder.error if error is None else error
        recording = self.recorder.finish(
            self._layers(failed is not None),
            root=self._root_name(),
            error=error,
            where=where,
            message=None if failed is None else self.words(failed),
        )
        return self.finished(recording, failed)

    def _root_name(self) -> str:
        if self.root is None:
            return ""
        named = isinstance(self.root, Functional | Sequential)
        return self.root.name if named else type(self.root).__name__

    def _layers(self, failed: bool) -> list[LayerRecord]:
        """Every layer that is known, run or not: what ran is judged by its siblings that did not."""
        if failed:
            with unseen(), undisturbed():
                self._learn_those_to_come()
        counted: dict[int, int] = {}
        return [self._described(path, layer, counted) for path, layer in self.names.items()]

    def _learn_those_to_come(self) -> None:
        if self.being_built is not None:
            for layer in self.being_built._layers:
                if not isinstance(layer, InputLayer):
                    self.names.path(layer, None)
        if self.reading is None:
            return
        for described in self.reading.config["layers"]:
            if self.names.get(described["name"]) is None and described["class_name"] != "InputLayer":
                try:
                    made = keras.saving.deserialize_keras_object(
                        unbuilt(described), custom_objects=self.reading.custom_objects
                    )
                except Exception:  # what cannot be made is what failed, perhaps
                    continue
                if isinstance(made, Layer):
                    self.names.path(made, None)

    def _described(self, path: str, layer: Layer, counted: dict[int, int]) -> LayerRecord:
        kind = kinds.kind_of_layer(layer)
        return LayerRecord(
            path=path,
            type=type(layer).__name__,
            kind=kind or ("container" if isinstance(layer, Sequential) else "module"),
            facts=kinds.layer_facts(layer, kind) | ({"made_in_call": True} if self.names.is_made_in_call(path) else {}),
            parameters=counted.setdefault(id(layer), kinds.parameters_of(layer)),
            leaf=kind is not None,
            defined=self._definition(path, layer),
            name="" if path == layer.name else layer.name,
            auto_named=self.names.is_auto_named(layer, path),
        )

    def _definition(self, path: str, layer: Layer) -> Span | None:
        """The line that makes a layer: `self.name = …` in the class of the nearest parent that names it; in a
        functional model the line that calls it first, which mostly makes it too."""
        line = self._made_at.get(path)
        if line is not None:
            return span_at(*line)
        parts = path.split(".")
        for cut in range(len(parts) - 1, -1, -1):
            parent = self.names.get(".".join(parts[:cut]))
            if parent is not None:
                owner: type = type(parent)
                span = attribute_line(owner, parts[cut].partition("[")[0], type(layer).__name__)
                if span is not None:
                    return span
        return None

    def output(self) -> Any:
        return self._output

    @property
    def saw_keras(self) -> bool:
        """Whether a layer or a symbolic tensor of Keras's was seen; else it was the backend's operations alone."""
        begun = (self.reading, self.being_built, self.unfinished)
        return any(True for _ in self.names.items()) or bool(self._symbolic_inputs) or any(begun)


_SPELLED = {"dim": "axis", "shape": "newshape", "dims": "axes", "equation": "subscripts"}
"""Our names of arguments, and the attributes in which operations of `keras.ops` keep them."""


@dataclass
class Einsum:
    """What `NodeCall` has to know of an einsum. Keras's own class of this name would count itself among the model's."""

    subscripts: str


class NodeCall:
    """An operation of `keras.ops` about to run: a node of a functional model, being made or being run."""

    def __init__(self, instrument: Instrument, operation: Operation, args: Any, kwargs: Mapping[str, Any]) -> None:
        self._instrument = instrument
        self.operation = operation
        self.args = args
        self.kwargs = dict(kwargs)

    @property
    def named(self) -> tuple[str, str]:
        return kinds.named_operation(type(self.operation))

    def operands(self) -> list[Any]:
        return self._instrument.tensors(self.args, self.kwargs)

    def facts(self) -> dict[str, Any]:
        return kinds.operation_facts(self.operation, self.named[1])

    def with_operand(self, position: int, change: Any) -> NodeCall:
        args, kwargs = on_operand(self._instrument, (self.args, self.kwargs), position, change)
        return NodeCall(self._instrument, self.operation, args, kwargs)

    def with_arguments(self, arguments: Mapping[str, Any]) -> NodeCall:
        changed = copy.copy(self.operation)
        for argument, value in arguments.items():
            name = _SPELLED.get(argument, argument)
            setattr(changed, name, value)
        return NodeCall(self._instrument, changed, self.args, self.kwargs)


class LossCall:
    """A loss about to compare what a model gave with what it should have given."""

    def __init__(self, instrument: Instrument, named: tuple[str, dict[str, Any]], args: Any, kwargs: Any) -> None:
        self._instrument = instrument
        self._name, self._facts = named
        self.args = args
        self.kwargs = kwargs

    @property
    def named(self) -> tuple[str, str]:
        return self._name, "loss"

    def operands(self) -> list[Any]:
        return self._instrument.tensors(self.args, self.kwargs)

    def facts(self) -> dict[str, Any]:
        return dict(self._facts)

    def with_operand(self, *_: Any) -> LossCall:
        raise ValueError("no layer is put before a loss")

    def with_arguments(self, _: Mapping[str, Any]) -> LossCall:
        return self


def on_operand(instrument: Listening, structure: Any, position: int, change: Any) -> Any:
    """The same structure with the n-th tensor in it sent through something."""
    seen = -1

    def through(value: Any) -> Any:
        nonlocal seen
        if not instrument.backend.is_tensor(value):
            return value
        seen += 1
        return change(value) if seen == position else value

    return tree.map_structure(through, structure)
