"""Decorated models inside a `tf.function`: what they must know of AutoGraph.

AutoGraph runs a rewritten copy of what is called in there, and what leaves a function while it is traced is another
exception than what was raised in it: one that is made of its words, and of the lines that it came through. A decorated
model is done by then, and nobody stands around the function. So until the trace ends, our lines are left out, and what
AutoGraph makes of an exception with our note gets the note too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.pyct import error_utils
from tensorflow.python.framework import func_graph

from shapewatch.adapters import Compiler
from shapewatch.adapters.taps import Tap, stack_without_ours
from shapewatch.adapters.tensorflow.backend import TensorFlow
from shapewatch.adapters.tensorflow.taps import TOLD

_MADE_ANEW = Tap(error_utils.ErrorMetadataBase, "to_exception")

_AT_THE_END = "get_operations"
"""What tracing calls on its graph when it ends, however it ends: the graph has no manager of control dependencies then.
A context manager that is entered already cannot be listened to, and the trace was entered further out."""


def _pass_over(*functions: Any) -> None:
    """AutoGraph leaves alone what is TensorFlow's. Its own mark for a function does not count for a `__call__`."""
    for function in functions:
        function.__module__ = tf.__name__


def _converted(function: Callable[..., Any]) -> Callable[..., Any]:
    return TensorFlow().converted(function)


def _carry(notes: Sequence[str]) -> None:
    graph = None if tf.executing_eagerly() else _outermost(tf.compat.v1.get_default_graph())
    if graph is None or graph.experimental_acd_manager is None:
        return
    carried = getattr(graph, _AT_THE_END)
    if isinstance(carried, _Carried):
        carried.notes.update(notes)
    else:
        setattr(graph, _AT_THE_END, _Carried(graph, notes))


class _Carried:
    """Stands for a method of a graph until its trace ends."""

    def __init__(self, graph: Any, notes: Sequence[str]) -> None:
        self.notes = set(notes)
        self._graph = graph
        self._stack = ExitStack()
        TOLD.listen(stack_without_ours, self._stack)
        _MADE_ANEW.listen(self._made_anew, self._stack)

    def _made_anew(self, original: Any, metadata: Any, error: BaseException) -> Any:
        made = original(metadata, error)
        for note in self.notes.intersection(getattr(error, "__notes__", ())):
            made.add_note(note)
        return made

    def __call__(self) -> Any:
        graph = self._graph
        if graph.experimental_acd_manager is None:
            self._stack.close()
            delattr(graph, _AT_THE_END)
        return getattr(type(graph), _AT_THE_END)(graph)


def _outermost(graph: Any) -> Any:
    """The graph of the trace around all others; None where nothing is traced."""
    found = None
    while isinstance(graph, func_graph.FuncGraph):
        found, graph = graph, graph.outer_graph
    return found


COMPILER = Compiler(pass_over=_pass_over, converted=_converted, carry=_carry)
