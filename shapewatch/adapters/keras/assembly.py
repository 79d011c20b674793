"""Models that run while they are put together, and may fail there: a Sequential one, and one read from its config."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import keras
from keras import Sequential
from keras.layers import InputLayer, Layer
from keras.src.models import functional

from shapewatch.adapters.keras.configs import unbuilt
from shapewatch.adapters.keras.history import History
from shapewatch.adapters.keras.naming import Names
from shapewatch.adapters.listening import Listening
from shapewatch.adapters.taps import Tap, unconverted

_SEQUENTIAL_BUILD = Tap(Sequential, "build")
_READ = Tap(functional, "functional_from_config")


@dataclass(frozen=True)
class Reading:
    """A functional model that is being read from its config."""

    cls: type
    config: Mapping[str, Any]
    custom_objects: Any


class Assembly:
    """Which model is being put together: none, once that has succeeded."""

    def __init__(self, listening: Listening, history: History) -> None:
        self._listening = listening
        self._history = history
        self.stacked: Sequential | None = None
        self.reading: Reading | None = None

    def listen(self, stack: ExitStack) -> None:
        _SEQUENTIAL_BUILD.listen(self._sequential_build, stack, self._listening.asleep)
        _READ.listen(self._read, stack, self._listening.asleep)

    @unconverted
    def _sequential_build(self, original: Any, model: Sequential, *args: Any, **kwargs: Any) -> Any:
        """A Sequential model that knows its input runs through its layers when it is made or gets another one."""
        if self._listening.opened:
            return original(model, *args, **kwargs)
        mark = self._listening.recorder.mark()
        self.stacked = model
        for layer in model._layers:
            self._history.first_seen(layer)
        result = original(model, *args, **kwargs)
        self.stacked = None
        self._listening.recorder.rewind(mark)
        return result

    @unconverted
    def _read(self, original: Any, cls: type, config: Any, custom_objects: Any = None) -> Any:
        if self.reading is not None:
            return original(cls, config, custom_objects=custom_objects)
        self.reading = Reading(cls, copy.deepcopy(config), custom_objects)
        result = original(cls, config, custom_objects=custom_objects)
        self.reading = None
        return result

    def name_those_to_come(self, names: Names) -> None:
        """Give paths to the layers that the model would have got, had it not failed: those that ran are judged by
        them."""
        if self.stacked is not None:
            for layer in self.stacked._layers:
                if not isinstance(layer, InputLayer):
                    names.path(layer, None)
        if self.reading is None:
            return
        for described in self.reading.config["layers"]:
            if names.get(described["name"]) is None and described["class_name"] != "InputLayer":
                try:
                    made = keras.saving.deserialize_keras_object(
                        unbuilt(described), custom_objects=self.reading.custom_objects
                    )
                except Exception:  # what cannot be made is what failed, perhaps
                    continue
                if isinstance(made, Layer):
                    names.path(made, None)
