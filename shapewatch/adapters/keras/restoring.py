"""A model's layers put back as they were after a pass that is not the program's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras.layers import Layer

from shapewatch.adapters.keras.kinds import kind_of_layer
from shapewatch.adapters.keras.naming import Names


def all_in(layer: Layer) -> Iterator[Layer]:
    """A layer and every layer in it."""
    names = Names()
    names.learn(layer)
    yield from (inner for _, inner in names.items())


@contextmanager
def as_they_were(layers: Iterator[Layer]) -> Iterator[None]:
    """The attributes of layers that are looked into, and the lists they keep, put back: running them builds them."""
    kept = [(layer, _state(layer)) for layer in layers if kind_of_layer(layer) is None]
    try:
        yield
    finally:
        for layer, restore in kept:
            restore(layer)


@contextmanager
def readable(layers: Iterator[Layer]) -> Iterator[None]:
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
