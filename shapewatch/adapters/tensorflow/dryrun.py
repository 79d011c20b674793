"""A `tf.Module` run on shapes alone: in a graph of placeholders, on the program's own modules, which stay as they are.

A graph computes nothing, so no variable is written and none is allocated. What the forward pass does in Python is
undone: the attributes of every module are put back. Functions run as plain Python while it lasts, so that no trace with
an edit in it is kept by the program's own `tf.function`s.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import resource_variable_ops
from tensorflow.python.trackable import data_structures

from shapewatch.adapters import Trial
from shapewatch.adapters.in_reach import held_by_variable
from shapewatch.adapters.listening import Interventions, unseen
from shapewatch.adapters.taps import NotInPlace
from shapewatch.adapters.tensorflow.blueprint import Blueprint, spec_tree
from shapewatch.adapters.tensorflow.edit import New, changed
from shapewatch.adapters.tensorflow.instrument import Instrument, parameters_of
from shapewatch.adapters.tensorflow.naming import Names
from shapewatch.edits import Edit, Input, Insert, Module, Replace, Set, SetCall, place_layer
from shapewatch.recording import Recording


class Stand(Interventions):
    """New layers on operands, and in the place of a model's own modules."""

    def __init__(self, edits: Sequence[Edit], shapes_only: bool) -> None:
        super().__init__()
        self._shapes_only = shapes_only
        self._settings = [edit for edit in edits if isinstance(edit, Set)]
        self._instead: dict[str, New] = {}
        self.added: list[New] = []
        for edit in edits:
            if isinstance(edit, Replace):
                self._instead[edit.layer] = self._new(edit.module)
            elif isinstance(edit, Insert) and edit.module.kind == "value":
                held = partial(_instead, edit)
                self.operands.setdefault(edit.place, []).append((edit.operand, held))
            elif isinstance(edit, Insert) and edit.module.kind == "own":
                self.call_own(edit)
            elif isinstance(edit, Insert):
                self.operands.setdefault(edit.place, []).append((edit.operand, _placed(self._new(edit.module))))
            elif isinstance(edit, SetCall):
                self.arguments.setdefault(edit.place, {})[edit.argument] = edit.value

    def _new(self, module: Module) -> New:
        made = New(module, self._shapes_only)
        self.added.append(made)
        return made

    def layer(self, path: str, layer: Any, *_: Any) -> Any:
        return self._instead.get(path, layer)

    def put_in(self, names: Names) -> None:
        """Change the settings of modules; who asks puts them back.

        Raises:
            ValueError: the model has no module of a name in the edits, or the module has no such setting.
        """
        places = map(place_layer, (*self.operands, *self.arguments))
        for path in (*(edit.layer for edit in self._settings), *self._instead, *places):
            if path and names.get(path) is None:
                raise ValueError(f"the model has no layer {path!r}")
        for edit in self._settings:
            module = names.get(edit.layer)
            if module is not None:
                changed(module, edit.layer, edit.argument, edit.value)

    def parameters(self, names: Names) -> int:
        """How many weights the edits add."""
        gone = [module for path in self._instead if (module := names.get(path)) is not None]
        return sum(new.parameters for new in self.added) - sum(map(parameters_of, gone))


def _instead(edit: Insert, _: Any) -> Any:
    return held_by_variable(edit)


def _placed(new: New) -> Callable[[Any], Any]:
    def through(x: Any) -> Any:
        try:
            return new(x)
        except Exception as error:
            raise NotInPlace(str(error)) from error

    return through


class ModuleProbe:
    """A module with its inputs, ready to be run on shapes alone any number of times."""

    def __init__(self, module: tf.Module, blueprint: Blueprint) -> None:
        self._module: Any = module
        self._blueprint = blueprint

    def run(self, edits: Sequence[Edit] = ()) -> Trial:
        with ExitStack() as stack:
            stack.enter_context(unseen())
            stack.enter_context(_on_shapes())
            stack.enter_context(as_it_was(self._module))
            try:
                stand = Stand(edits, shapes_only=True)
                instrument = Instrument(self._module, stand, isolated=True)
                stand.put_in(instrument.names)
            except ValueError as error:
                return Trial(Recording("tensorflow"), unsupported=f"the change could not be put in place: {error}")
            args, kwargs = self._blueprint.edited([edit for edit in edits if isinstance(edit, Input)]).make()
            output, failed = None, None
            with instrument:
                try:
                    output = spec_tree(self._module(*args, **kwargs))
                except NotInPlace as error:
                    return Trial(instrument.finish(error), unsupported=f"the change could not be put in place: {error}")
                except Exception as error:
                    failed = error
            recording = instrument.finish(failed)
            added = stand.parameters(instrument.names)
        return Trial(recording, output, added, None if failed is None else _why_unsupported(failed))


def _why_unsupported(error: BaseException) -> str | None:
    message = str(error)
    if any(words in message for words in _CONTENTS_WANTED):
        return "the forward pass reads a tensor's contents, and a pass on shapes alone has none"
    return None


_CONTENTS_WANTED = (
    "as a Python `bool`",
    "as a Python bool",
    "has no attribute 'numpy'",
    "numpy() is only available",
    "NumPy does not support",
    "Cannot convert a symbolic",
    "is not allowed in Graph execution",
    "Iterating over a symbolic",
    "cannot be interpreted as an integer",
    "not supported for symbolic",
)


# Leaving no trace


@contextmanager
def _on_shapes() -> Iterator[None]:
    """A graph of its own; no variable is allocated, no random number drawn, no warning given."""
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    with warnings.catch_warnings(), functions_as_python():
        warnings.simplefilter("ignore")
        try:
            with tf.__internal__.FuncGraph("shapes").as_default(), tf.variable_creator_scope(_unallocated):
                yield
        finally:
            random.setstate(drawn)
            np.random.set_state(drawn_by_numpy)


def _unallocated(_: Callable[..., Any], initial_value: Any = None, **arguments: Any) -> Any:
    """A variable that a module makes when it is first called, without memory for it."""
    value = tf.convert_to_tensor(initial_value() if callable(initial_value) else initial_value, arguments.get("dtype"))
    arguments |= {"shape": arguments.get("shape") or value.shape, "dtype": value.dtype}
    return resource_variable_ops.UninitializedVariable(**arguments)


@contextmanager
def functions_as_python() -> Iterator[None]:
    """`tf.function`s run the Python that they were made of."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@contextmanager
def as_it_was(module: tf.Module) -> Iterator[None]:
    """The attributes of a module and of those inside it, and the lists and dicts they keep, put back at the end."""
    undo = [_state(part) for part in (module, *module.submodules)]
    try:
        yield
    finally:
        for restore in undo:
            restore()


def _state(thing: Any) -> Callable[[], None]:
    """How to put back the attributes of an object, and what is in the lists and dicts among them."""
    attributes = dict(vars(thing))
    contents = [undo for value in attributes.values() for undo in _contents(value)]

    def restore() -> None:
        vars(thing).clear()
        vars(thing).update(attributes)
        for undo in contents:
            undo()

    return restore


_NOTED_OF_DICTS = ("_self_last_wrapped_dict_snapshot", "_self_external_modification", "_self_non_string_key")
"""Attributes of a wrapper's own. It has no `vars`: those are of the dict in it."""


def _contents(value: Any) -> Iterator[Callable[[], None]]:
    """TensorFlow keeps lists and dicts in wrappers, which note when they were changed by another way than theirs: what
    they have noted is put back too."""
    if isinstance(value, data_structures.ListWrapper):
        yield _state(value)
    elif isinstance(value, list):
        items = list(value)
        yield lambda: value.__setitem__(slice(None), items)
    elif isinstance(value, data_structures._DictWrapper):
        noted = [(name, getattr(value, name)) for name in _NOTED_OF_DICTS]
        yield from _contents(value.__wrapped__)
        yield from (partial(setattr, value, name, before) for name, before in noted)
    elif isinstance(value, dict):
        pairs = dict(value)
        yield value.clear
        yield lambda: value.update(pairs)


# Trying an edit in memory


@contextmanager
def applied(module: tf.Module, edits: Sequence[Edit]) -> Iterator[tf.Module]:
    """The module with the edits in place, undone at the end of the block; its functions run as plain Python meanwhile.

    Raises:
        ValueError: the model has no module of a name in the edits, or none with such a setting.
    """
    stand = Stand(edits, shapes_only=False)
    instrument = Instrument(module, stand)
    kept = [
        (part, edit.argument, vars(part)[edit.argument])
        for edit in edits
        if isinstance(edit, Set)
        and (part := instrument.names.get(edit.layer)) is not None
        and edit.argument in vars(part)
    ]
    try:
        stand.put_in(instrument.names)
        with functions_as_python(), instrument:
            yield module
    finally:
        for part, name, value in kept:
            setattr(part, name, value)
