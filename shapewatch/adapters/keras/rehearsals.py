"""Runs that are no pass: Keras runs a layer to find its weights, and on placeholders to find what it gives.

The first is forgotten when it succeeds. The second is the only run of a layer that is called on symbolic tensors, so it
is recorded: the placeholders stand for the symbolic tensors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from keras import KerasTensor
from keras.layers import Layer
from keras.src import backend as keras_backend
from keras.src import tree
from keras.src.utils import python_utils

from shapewatch.adapters.keras import kinds
from shapewatch.adapters.keras.edit import undisturbed
from shapewatch.adapters.listening import Listening
from shapewatch.adapters.taps import Tap, unconverted
from shapewatch.firewall import attempt
from shapewatch.recorder import Mark, Stretch

_BUILD = Tap(Layer, "_maybe_build")
_WEIGHT = Tap(Layer, "add_weight")
_ON_PLACEHOLDERS = Tap(keras_backend, "compute_output_spec")


class Rehearsals:
    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._recorder = listening.recorder

    def listen(self, stack: ExitStack) -> None:
        _BUILD.listen(self._building, stack, self._listening.asleep)
        _WEIGHT.listen(self._weight, stack, self._listening.asleep)
        _ON_PLACEHOLDERS.listen(self._on_placeholders, stack, self._listening.asleep)

    # To find weights

    @unconverted
    def _building(self, original: Any, layer: Layer, *args: Any, **kwargs: Any) -> Any:
        edited = self._listening.interventions is not None
        if edited and kinds.kind_of_layer(layer) is None and python_utils.is_default(layer.build):
            return None  # a dry run leaves the program's layers unbuilt, and what runs in their place builds itself
        mark = self._recorder.mark()
        result = original(layer, *args, **kwargs)
        self._recorder.rewind(mark)
        return result

    @unconverted
    def _weight(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        """Drawing a weight's first numbers is no part of a pass."""
        return self._listening.not_looked_into(original, *args, **kwargs)

    # On placeholders

    @unconverted
    def _on_placeholders(self, original: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        outer = self._listening.tensors(args, kwargs)
        self._recognise(outer)
        mark = self._recorder.mark()
        made: list[Any] = []
        other: Stretch | None = None
        failed: dict[tuple[Any, ...], Exception] = {}
        given: tuple[Any, ...] = ()

        def begins(*inner_args: Any) -> None:
            nonlocal other, given
            inner = self._listening.tensors(*inner_args)
            before, given = given, tuple(tuple(tensor.shape) for tensor in inner)
            if self._listening.isolated and given in failed:
                return
            if before:
                run = self._recorder.take_back(mark)
                other = run if before != given else other
            self._stand_for(outer, inner)

        def on_placeholders(*inner_args: Any, **inner_kwargs: Any) -> Any:
            attempt(begins, inner_args, inner_kwargs)  # Keras takes what is raised here for the layer's
            if self._listening.isolated and given in failed:
                raise failed[given]  # PyTorch's next try would be to compute it
            try:
                result = function(*inner_args, **inner_kwargs)
            except Exception as error:
                failed[given] = error
                raise
            made[:] = attempt(self._listening.tensors, result) or []
            return result

        self._listening.rehearsing += 1
        try:
            result = original(on_placeholders, *args, **kwargs)
        except Exception:
            if other is None:
                other = self._with_other_sizes(original.function, function, outer, given, mark, args, kwargs)
            if other is not None:
                self._recorder.blur(mark, other)
            raise
        finally:
            self._listening.rehearsing -= 1
        if other is not None:
            self._recorder.blur(mark, other)
        for inner, tensor in zip(made, self._listening.tensors(result), strict=False):
            number = self._recorder.number_of(inner)
            if number is not None and self._recorder.number_of(tensor) is None:
                self._recorder.alias(tensor, number)
        return result

    def _recognise(self, tensors: Sequence[Any]) -> None:
        """A `Lambda` finds out what it gives by tensors of its own, of the shapes of those that it was called with."""
        opened = self._listening.opened
        if not opened or not tensors or any(self._recorder.number_of(tensor) is not None for tensor in tensors):
            return
        operands = opened[-1][1].operands
        shapes = [tuple(tensor.shape) for tensor in tensors]
        if shapes == [self._recorder.shape_of(number) for number in operands]:
            for tensor, number in zip(tensors, operands, strict=True):
                self._recorder.alias(tensor, number)

    def _stand_for(self, outer: list[Any], inner: list[Any]) -> None:
        for known, tensor in zip(outer, inner, strict=False):
            if known is not tensor:
                self._recorder.alias(tensor, self._listening.number(known))

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
            attempt(lambda: self._stand_for(outer, self._listening.tensors(inner_args, inner_kwargs)))
            return function(*inner_args, **inner_kwargs)

        kept, said = self._recorder.take_back(mark), self._listening.said
        args, kwargs = tree.map_structure(
            lambda value: KerasTensor(other_sizes[id(value)], value.dtype) if id(value) in other_sizes else value,
            (args, dict(kwargs)),
        )
        with contextlib.suppress(Exception), undisturbed():
            original(once, *args, **kwargs)
        other = self._recorder.take_back(mark)
        self._recorder.put_back(kept)
        self._listening.said = said
        return other
