"""Tensors that Keras makes of what a layer or a model is given: they are still the values that were given."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from keras.src.dtype_policies.dtype_policy import DTypePolicy
from keras.src.models.functional import Functional

from shapewatch.adapters.listening import Listening
from shapewatch.adapters.taps import Tap, unconverted

_CONVERTED = Tap(DTypePolicy, "convert_input")
_INPUTS = Tap(Functional, "_standardize_inputs")


class Conversions:
    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._recorder = listening.recorder

    def listen(self, stack: ExitStack) -> None:
        _CONVERTED.listen(self._converted, stack, self._listening.asleep)
        _INPUTS.listen(self._inputs, stack, self._listening.asleep)

    @unconverted
    def _converted(self, original: Any, policy: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        """An argument as a tensor of the layer's dtype."""
        if not self._listening.backend.is_tensor(value):
            return original(policy, value, *args, **kwargs)
        result = self._listening.not_looked_into(original, policy, value, *args, **kwargs)
        number = self._recorder.number_of(value)
        if result is not value and number is not None:
            self._recorder.alias(result, number)
        return result

    @unconverted
    def _inputs(self, original: Any, model: Functional, inputs: Any) -> Any:
        """The inputs of a functional model as tensors."""
        result = original(model, inputs)
        for given, taken in zip(self._listening.tensors(inputs), self._listening.tensors(result), strict=False):
            number = self._recorder.number_of(given)
            known = self._recorder.number_of(taken) is not None
            if number is not None and not known and tuple(given.shape) == tuple(taken.shape):
                self._recorder.alias(taken, number)
        return result
