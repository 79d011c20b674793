"""Recording a TensorFlow pass: operations, eager or in a graph, and the calls of `tf.Module`s around them.

A module has no hooks, and its `__call__` is the program's own method. There are three ways to it, and each is heard:
Python finds `__call__` in the class, a `tf.function` is an object with a `__call__` of its own, and AutoGraph takes the
method from the class and runs a converted copy of it.
"""

from __future__ import annotations

import itertools
import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.core import converter
from tensorflow.python.autograph.impl import api as autograph
from tensorflow.python.eager.polymorphic_function import polymorphic_function
from tensorflow.python.framework import func_graph
from tensorflow.python.util import tf_decorator

from shapewatch.adapters.attributes import attribute_line
from shapewatch.adapters.listening import Interventions, Listening, continues
from shapewatch.adapters.passes import Pass
from shapewatch.adapters.taps import Once, Tap, guarded
from shapewatch.adapters.tensorflow.backend import TensorFlow
from shapewatch.adapters.tensorflow.blueprint import Blueprint, spec_tree
from shapewatch.adapters.tensorflow.edit import New
from shapewatch.adapters.tensorflow.naming import Names, is_keras
from shapewatch.adapters.tensorflow.taps import Operation
from shapewatch.firewall import own_fault
from shapewatch.recorder import Mark, OpenCall
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import raising_line

_FUNCTION = Tap(polymorphic_function.Function, "__call__")
_TRACED = Tap(func_graph, "func_graph_from_py_func")
_CONVERTED = Tap(autograph._TRANSPILER.get_extra_locals()["ag__"], "converted_call")
_MADE = Tap(tf.Module, "__init__")


class _Heard:
    """A method in a class while it is listened to: who asks the class for it, as AutoGraph does, gets the method."""

    def __init__(self, method: Any, heard: Any) -> None:
        self._method = method
        self._heard = heard

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self._method if instance is None else MethodType(self._heard, instance)


class _CallTap(Tap):
    """Listens to calls of the instances of a class."""

    def _replacing(self, original: Any) -> Any:
        return _Heard(original, super()._replacing(original))


_calls: weakref.WeakValueDictionary[type, _CallTap] = weakref.WeakValueDictionary()
_calls_lock = threading.Lock()


def _calls_of(cls: type) -> _CallTap:
    """The one tap of a class; it is kept by those who listen, and gone with the last of them."""
    with _calls_lock:
        tap = _calls.get(cls)
        if tap is None:
            tap = _calls[cls] = _CallTap(cls, "__call__")
        return tap


class _FunctionCall:
    """A call of a `tf.function` while it runs."""

    def __init__(self, given: list[Any]) -> None:
        self.given = given
        self.before: Mark | None = None
        self.made: list[Any] | None = None
        """What the function gave when it was traced; None where a trace of it was there already."""


def _as_one(given: list[Any]) -> Operation:
    """A `tf.function` that was traced before, seen as one operation."""
    return Operation("tf.function", {"inputs": given}, {})


class Instrument(Listening):
    """Records one thread: see `Listening`."""

    def __init__(
        self,
        target: tf.Module | None = None,
        interventions: Interventions | None = None,
        isolated: bool = False,
        modules_only: bool = False,
    ) -> None:
        super().__init__("tensorflow", TensorFlow(), interventions, isolated)
        self._modules_only = modules_only
        self.names: Names = Names()
        if interventions is not None:
            interventions.names = self.names
        if target is not None:
            self.names.learn(target)
        self.root: tf.Module | None = None
        self._classes: set[type] = set()
        self._functions: list[_FunctionCall] = []

    # The scope

    def open(self) -> None:
        super().open()
        for tap, listener in (
            (_FUNCTION, self._function_call),
            (_TRACED, self._traced),
            (_CONVERTED, self._converted_call),
            (_MADE, self._made),
        ):
            tap.listen(listener, self._stack)
        known = {type(module) for _, module in self.names.items()}
        for cls in known | {New} if known else set(_subclasses(tf.Module)):
            self._hear(cls)

    def _hear(self, cls: type) -> None:
        for base in cls.__mro__:
            if base not in self._classes and isinstance(vars(base).get("__call__"), FunctionType | _Heard):
                self._classes.add(base)
                _calls_of(base).listen(self._method_call, self._stack)

    def _made(self, original: Once, module: tf.Module, *args: Any, **kwargs: Any) -> Any:
        if not self.asleep() and not is_keras(module):
            self._hear(type(module))
        return original(module, *args, **kwargs)

    # Modules

    def _method_call(self, original: Once, module: Any, *args: Any, **kwargs: Any) -> Any:
        original.function = partial(self.backend.converted(original.function), module)
        if not isinstance(module, tf.Module) or is_keras(module):
            return original(*args, **kwargs)  # another heir of a class that a module inherits from
        return self._module_call(original, module, args, kwargs)

    def _converted_call(self, original: Once, f: Any, args: Any, kwargs: Any, *rest: Any, **options: Any) -> Any:
        if not isinstance(f, tf.Module) or is_keras(f):
            return original(f, args, kwargs, *rest, **options)
        convert = original.function

        def run(*args: Any, **kwargs: Any) -> Any:
            return convert(f, args, kwargs, *rest, **options)

        original.function = run
        return self._module_call(original, f, args, kwargs or {})

    def _module_call(self, original: Once, module: tf.Module, args: Any, kwargs: Any) -> Any:
        """`original` takes the arguments without the module."""
        if self.asleep() or (self.opened and self.opened[-1][0] is module):
            try:
                return original(*args, **kwargs)
            except Exception as error:
                self.missed_in(module, error, partial(_ran, args, kwargs))
                raise
        if not self.opened and self.begins(module, args, kwargs):
            return self.unrecorded(module, partial(original, *args, **kwargs), partial(_ran, args, kwargs))
        call = None
        try:
            self._busy = True
            call, whole, runs = self._begin(module, args, kwargs)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False
        if call is None:
            return original(*args, **kwargs)
        if runs is not module:
            original.function = runs
        try:
            if self.interventions is not None:
                args, kwargs = self._on_operands(call, args, kwargs)
            result = original(*args, **kwargs)
        except BaseException as error:
            self._end(call, whole, args, kwargs, None, error)
            raise
        self._end(call, whole, args, kwargs, result, None)
        return result

    def _begin(self, module: tf.Module, args: Any, kwargs: Any) -> tuple[OpenCall, bool, tf.Module]:
        found = self.tensors(args, kwargs)
        outermost = not self.opened
        parent = self.opened[-1][1] if self.opened else None
        path = self.names.path(module, parent.layer if parent else None)
        operands = tuple(self.number(tensor, "input" if outermost else None) for tensor in found)
        whole = isinstance(module, New)
        call = self.enter(module, type(module).__name__, _kind(module), path, operands, whole, 3)
        runs = module
        if self.interventions is not None:
            place = f"{call.layer}:{call.name}:{call.occurrence}"
            runs = self.interventions.layer(*self.interventions.called_at(place, path, module), found, whole)
        if outermost:
            self.recorder.begin_pass(operands)
        return call, whole, runs

    def _on_operands(self, call: OpenCall, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments of a module with some of the tensors in them sent through new layers."""
        assert self.interventions is not None
        for position, module in self.interventions.operands.get(f"{call.layer}:{call.name}:{call.occurrence}", ()):
            seen = itertools.count()

            def through(value: Any, position: int = position, module: Any = module, seen: Any = seen) -> Any:
                return module(value) if self.backend.is_tensor(value) and next(seen) == position else value

            args, kwargs = tf.nest.map_structure(through, (args, kwargs))
            call.operands = tuple(self.number(tensor) for tensor in self.tensors(args, kwargs))
        return args, kwargs

    def _begin_root(self, layer: tf.Module) -> None:
        self.forget_earlier()
        self.names.learn(layer)
        self.root = layer

    def _end(
        self, call: OpenCall, whole: bool, args: Any, kwargs: Any, result: Any, error: BaseException | None
    ) -> None:
        try:
            self._busy = True
            results = () if error is not None else tuple(self.result(tensor) for tensor in self.tensors(result))
            self.leave(call, whole, results, error)
            if not self.opened:
                self.last = _ran(args, kwargs, result)
                if error is None:
                    self.keep(call, self.tensors(result), self.last)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    # Functions: what they are given is what their placeholders stand for

    def _function_call(self, original: Once, function: Any, *args: Any, **kwargs: Any) -> Any:
        if self.asleep():
            return original(function, *args, **kwargs)
        if not tf.config.functions_run_eagerly():
            original.function = partial(guarded, self._run_function, original.function, function)
        else:
            plainly = partial(original.function, function)
            original.function = plainly if tf.executing_eagerly() else _as_traced(function)
        module = _called_on(function)
        return original(*args, **kwargs) if module is None else self._module_call(original, module, args, kwargs)

    def _run_function(self, original: Once, function: Any, *args: Any, **kwargs: Any) -> Any:
        if self._modules_only and not self.opened:
            return original(function, *args, **kwargs)
        name = getattr(function, "__name__", "tf.function")  # there is none where it was made of a module
        going = _FunctionCall(self.tensors(args, kwargs))
        self.begins_whole()
        self._functions.append(going)
        try:
            result = original(function, *args, **kwargs)
        except Exception as error:
            if not self._failed_within(error):
                self._guarded(name, "other", _as_one(going.given), None, error)
            raise
        finally:
            self._functions.pop()
        if going.made is None:
            self._guarded(name, "other", _as_one(going.given), result, None)
        else:
            self._same(going.made, self.tensors(result))
        return result

    def _failed_within(self, error: Exception) -> bool:
        known = self.recorder.error
        return known is not None and continues(error, known)

    def operation(self, operation: Any, run: Callable[[Any], Any]) -> Any:
        """What runs a whole function is not recorded beside what is in it."""
        return run(operation) if self._functions and operation.runs_graph else super().operation(operation, run)

    def deaf(self) -> bool:
        """Outside of modules, another adapter may record them."""
        return (self._modules_only and not self.opened) or self.asleep()

    def _traced(self, original: Once, name: Any, function: Any, args: Any, kwargs: Any, *rest: Any, **more: Any) -> Any:
        going = self._functions[-1] if self._functions else None
        if self.asleep() or going is None or more.get("create_placeholders", True):
            return original(name, function, args, kwargs, *rest, **more)
        if going.before is None:
            going.before = self.recorder.mark()
        else:
            self.recorder.rewind(going.before)  # a function that makes variables is traced once more without
        self._same(going.given, self.tensors(args, kwargs))
        graph = original(name, function, args, kwargs, *rest, **more)
        going.made = self.tensors(graph.structured_outputs)
        return graph

    def _same(self, known: list[Any], others: list[Any]) -> None:
        """Tensors that stand for those of another graph, or outside of one, in the same order."""
        if len(known) != len(others):
            return
        for tensor, other in zip(known, others, strict=True):
            number = self.number(tensor)
            if tensor is not other and self.recorder.number_of(other) is None:
                self.recorder.alias(other, number)

    # Values

    def name_of(self, _tensor: Any) -> str | None:
        return self.names.variable(_tensor)

    # The end

    def finish(self, error: BaseException | None) -> Recording:
        if error is not None and isinstance(error, Exception) and self._failed_within(error):
            self.recorder.goes_on_as(error)
        failed = self.recorder.error if error is None else error
        recording = self.recorder.finish(
            self._layers(),
            root=type(self.root).__name__ if self.root is not None else "",
            error=error,
            where=None if failed is None else raising_line(failed.__traceback__),
            message=None if failed is None else self.words(failed),
        )
        return self.finished(recording, failed)

    def _layers(self) -> list[Layer]:
        """Every module that is known, run or not: what ran is judged by its siblings that did not."""
        return [
            Layer(
                path=path,
                type=type(module).__name__,
                kind=_kind(module),
                facts=settings(module),
                parameters=parameters_of(module),
                leaf=isinstance(module, New),
                defined=self._definition(path, module),
            )
            for path, module in self.names.items()
        ]

    def _definition(self, path: str, module: tf.Module) -> Span | None:
        """The line that makes a module: `self.name = …` in the class of the nearest parent that names it."""
        parts = path.split(".")
        for cut in range(len(parts) - 1, -1, -1):
            parent = self.names.get(".".join(parts[:cut]))
            if parent is not None:
                made_by: type = type(parent)
                span = attribute_line(made_by, parts[cut].partition("[")[0], type(module).__name__)
                if span is not None:
                    return span
        return None

    def _has_lines(self, layer: tf.Module) -> bool:
        return not isinstance(layer, New)


def _ran(args: Any, kwargs: Any, result: Any) -> Pass:
    return Pass(Blueprint.of(args, kwargs), spec_tree(result))


def _as_traced(function: Any) -> Callable[..., Any]:
    """What a `tf.function` traces, as a plain function: converted by AutoGraph where it converts it."""
    _, method = tf_decorator.unwrap(function.python_function)
    if not function._autograph:
        return partial(function.python_function)
    options = converter.ConversionOptions(
        recursive=True, user_requested=True, optional_features=function._experimental_autograph_options
    )
    return lambda *args, **kwargs: autograph.converted_call(method, args, kwargs, options=options)


def _called_on(function: Any) -> tf.Module | None:
    """The module whose `__call__` a `tf.function` is, bound to it; None for any other function."""
    method = getattr(function.python_function, "__original_wrapped__", None)
    module = getattr(getattr(method, "__self__", None), "target", None)
    if not isinstance(module, tf.Module) or is_keras(module):
        return None
    own: Any = type(module).__call__ if callable(module) else None
    return module if getattr(own, "python_function", None) is getattr(method, "__func__", method) else None


def _subclasses(cls: Any) -> Iterator[type]:
    """The program's own classes of modules; TensorFlow's, such as linear operators, are no layers."""
    for sub in cls.__subclasses__():
        if sub.__module__.partition(".")[0] not in ("tensorflow", "keras", "tf_keras"):
            yield sub
        yield from _subclasses(sub)


def _kind(module: tf.Module) -> str:
    return module.kind if isinstance(module, New) else "module"


def settings(module: tf.Module) -> dict[str, Any]:
    """The plain numbers and words that a module keeps in its attributes."""
    return {name: value for name, value in vars(module).items() if not name.startswith("_") and _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return bool(value) and all(isinstance(item, int | float) for item in value)
    return isinstance(value, int | float | str)


def parameters_of(module: tf.Module) -> int:
    """How many weights a module has, those of the modules inside it included; 0 where TensorFlow cannot list them, as
    with a dict whose keys have no order."""
    try:
        return count(module.variables)
    except ValueError:
        return 0


def count(variables: Iterable[Any]) -> int:
    return sum(math.prod(variable.shape) for variable in variables if variable.shape.is_fully_defined())
