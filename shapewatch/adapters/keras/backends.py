"""The operations below Keras: those of the backend that it runs on."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
from keras.src import backend as keras_backend

from shapewatch.adapters.backend import Backend
from shapewatch.adapters.taps import Tap

_REPEAT = Tap(keras_backend.numpy, "repeat")

_BACKENDS = {
    "tensorflow": ("shapewatch.adapters.tensorflow.backend", "TensorFlow"),
    "jax": ("shapewatch.adapters.jax.backend", "Jax"),
    "torch": ("shapewatch.adapters.torch.backend", "Torch"),
}


def running_backend() -> Backend:
    """The backend that Keras runs on in this process; it cannot change.

    Raises:
        ValueError: operations of that backend cannot be recorded.
    """
    name = keras.backend.backend()
    if name not in _BACKENDS:
        raise ValueError(f"Keras runs on {name}; shapewatch watches it on {', '.join(_BACKENDS)}")
    module, cls = _BACKENDS[name]
    backend: Backend = getattr(importlib.import_module(module), cls)()
    return backend


@contextmanager
def without_numbers() -> Iterator[None]:
    """A pass on shapes alone gets by on PyTorch where Keras itself would fall back on computing the whole pass.

    Of what Keras does with tensors that have no numbers only repeating them fails (`UpSampling2D`).
    """

    def repeat(original: Any, x: Any, repeats: Any, axis: int | None = None) -> Any:
        if getattr(x, "is_meta", False) and isinstance(repeats, int):
            return x.repeat_interleave(repeats, dim=axis)
        return original(x, repeats, axis=axis)

    with ExitStack() as stack:
        if keras_backend.backend() == "torch":
            _REPEAT.listen(repeat, stack)
        yield
