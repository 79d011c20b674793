"""Recording a Keras pass: every call of a layer, eager, in a graph or on symbolic tensors, and the operations between.

`Layer.__call__` is replaced for the length of the block, since Keras has no hooks. What else Keras does that tells what
is what has a file each: runs that are no pass (`rehearsals`), tensors that are made of arguments (`conversions`), what
symbolic tensors remember (`history`), models that are put together (`assembly`), and steps that take several of the
backend's operations (`operations`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from keras import KerasTensor, Sequential
from keras.layers import Layer
from keras.src import backend as keras_backend
from keras.src.models.functional import Functional
from keras.src.utils import traceback_utils

from shapewatch.adapters.backend import Backend
from shapewatch.adapters.keras import kinds
from shapewatch.adapters.keras.assembly import Assembly
from shapewatch.adapters.keras.blueprint import Blueprint, spec_tree
from shapewatch.adapters.keras.conversions import Conversions
from shapewatch.adapters.keras.edit import on_shapes, undisturbed
from shapewatch.adapters.keras.generators import Generators
from shapewatch.adapters.keras.history import History, LastCall
from shapewatch.adapters.keras.layers import layers_of
from shapewatch.adapters.keras.naming import Names
from shapewatch.adapters.keras.operations import Operations, on_operand
from shapewatch.adapters.keras.rehearsals import Rehearsals
from shapewatch.adapters.keras.tensors import KerasTensors
from shapewatch.adapters.listening import Interventions, Listening, continues, unseen
from shapewatch.adapters.passes import Pass
from shapewatch.adapters.taps import NotInPlace, Once, Tap, unconverted, without_ours
from shapewatch.edits import RESULT
from shapewatch.firewall import own_fault
from shapewatch.recorder import Line, OpenCall
from shapewatch.recording import Recording
from shapewatch.source import raising_line

_CALL = Tap(Layer, "__call__")
_STATELESS = Tap(Layer, "stateless_call")
_SHOWN = Tap(traceback_utils, "include_frame")


class Instrument(Listening):
    """Records one thread: see `Listening`."""

    def __init__(
        self,
        backend: Backend,
        target: Layer | None = None,
        interventions: Interventions | None = None,
        isolated: bool = False,
        rootless: bool = False,
    ) -> None:
        super().__init__("keras", KerasTensors(backend), interventions, isolated)
        self.names: Names = Names(self.recorder.forget_place)
        if interventions is not None:
            interventions.names = self.names
        if target is not None:
            self.names.learn(target)
        self.root: Layer | None = None
        self.history = History(self, self.names)
        self.assembly = Assembly(self, self.history)
        self.generators = Generators(self)
        self._made_at: dict[str, Line | None] = {}
        self._rootless = rootless

    # The scope

    def open(self) -> None:
        super().open()
        _CALL.listen(self._layer_call, self._stack)
        _STATELESS.listen(self._stateless_call, self._stack)
        _SHOWN.listen(without_ours, self._stack)
        for each in (
            self.assembly,
            self.generators,
            Rehearsals(self),
            Conversions(self),
            Operations(self, self.history),
        ):
            each.listen(self._stack)

    # Layers

    @unconverted
    def _layer_call(self, original: Any, layer: Layer, *args: Any, **kwargs: Any) -> Any:
        original.function = self.backend.converted(original.function)
        if self.asleep():
            try:
                return original(layer, *args, **kwargs)
            except Exception as error:
                self.missed_in(layer, error, partial(_ran, args, kwargs))
                raise
        outermost = not self.opened
        if outermost and not self._is_symbolic(self.tensors(args, kwargs)) and self.begins(layer, args, kwargs):
            return self.unrecorded(layer, partial(original, layer, *args, **kwargs), partial(_ran, args, kwargs))
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
                place = f"{call.layer}:{call.name}:{call.occurrence}"
                path, called = self.interventions.called_at(place, call.layer, layer)
                runs = self.interventions.layer(path, called, self.tensors(args, kwargs), whole)
                args, kwargs = self._on_operands(call, args, kwargs)
            result = original(runs, *args, **kwargs)
            if self.interventions is not None:
                result = self._on_result(call, result)
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
        outermost = not self.opened
        symbolic = outermost and self._is_symbolic(found)
        parent = self.opened[-1][1] if self.opened else None
        path = self.names.path(layer, parent.layer if parent else None, parent)
        if symbolic and not self._rootless:
            self.history.first_seen(layer)
            self.history.recall(found)
        operands = tuple(self.number(tensor, "input" if outermost else None) for tensor in found)
        kind = kinds.kind_of_layer(layer)
        whole = kind is not None
        call = self.enter(layer, type(layer).__name__, kind or "module", path, operands, whole, 3)
        if symbolic:
            self.history.note_inputs(found)
            if self.assembly.reading is None:  # what is read from a config is made by no line of the program
                self._made_at.setdefault(path, call.line)
        elif outermost:
            self.recorder.begin_pass(operands)
        return call, whole

    def _is_symbolic(self, tensors: list[Any]) -> bool:
        """Whether an outermost call on these tensors is part of a model that is being built."""
        return self._rootless or any(isinstance(tensor, KerasTensor) for tensor in tensors)

    def _begin_root(self, layer: Layer) -> None:
        self.forget_earlier()
        if layer is not self.root:
            self.names.learn(layer)
        self.root = layer

    def _look_into(self, model: Layer, args: Any, kwargs: Any, result: Any) -> None:
        """Keras knows what a functional model gives for symbolic tensors without running what is in it: run it."""
        if self.opened[-1][0] is not model or not any(isinstance(t, KerasTensor) for t in self.tensors(args, kwargs)):
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
        results = () if error is not None else tuple(self.result(tensor) for tensor in self.tensors(result))
        self.leave(call, whole, results, error)
        if self.opened:
            return
        if self._is_symbolic(self.tensors(args, kwargs)):
            self.history.unfinished = None if error is None else LastCall(layer, args, dict(kwargs))
            return
        self.last = _ran(args, kwargs, result)
        if error is None:
            self.keep(call, self.tensors(result), self.last)

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

    def _on_result(self, call: OpenCall, result: Any) -> Any:
        """What a layer gives, sent through new layers."""
        assert self.interventions is not None
        for position, module in self.interventions.operands.get(f"{call.layer}:{call.name}:{call.occurrence}", ()):
            if position == RESULT:
                whole, self._whole = self._whole, 0
                try:
                    result = module(result)
                except Exception as error:
                    raise NotInPlace(str(error)) from error
                finally:
                    self._whole = whole
        return result

    # The end

    def finish(self, error: BaseException | None) -> Recording:
        known = self.recorder.error
        where = None if known is None else raising_line(known.__traceback__)
        if error is not None and known is not None and continues(error, known):
            self.recorder.goes_on_as(error)
        elif error is not None:
            where = raising_line(error.__traceback__)
        failed = self.recorder.error if error is None else error
        if failed is not None:
            with unseen(), undisturbed():
                self.assembly.name_those_to_come(self.names)
        recording = self.recorder.finish(
            layers_of(self.names, self._made_at, failed is not None and not self.isolated),
            root=self._root_name(),
            error=error,
            where=where,
            message=None if failed is None else self.words(failed),
        )
        return self.finished(recording, failed)

    def _root_name(self) -> str:
        if self.root is None or self._is_putting_together:
            return ""
        named = isinstance(self.root, Functional | Sequential)
        return self.root.name if named else type(self.root).__name__

    def _has_lines(self, layer: Layer) -> bool:
        return kinds.kind_of_layer(layer) is None and not isinstance(layer, Functional | Sequential)

    @property
    def saw_keras(self) -> bool:
        """Whether a layer or a symbolic tensor of Keras's was seen; else it was the backend's operations alone."""
        return any(True for _ in self.names.items()) or bool(self.history.inputs) or self._is_putting_together

    @property
    def _is_putting_together(self) -> bool:
        """Whether a model was begun that there is not yet: what ran before is none of it."""
        begun = (self.assembly.reading, self.assembly.stacked, self.history.unfinished)
        return any(one is not None for one in begun)


def _ran(args: Any, kwargs: Any, result: Any) -> Pass:
    return Pass(Blueprint.of(args, kwargs), spec_tree(result))
