"""The operations below Keras: those of the backend that it runs on."""

from __future__ import annotations

import importlib

import keras

from shapewatch.adapters.listening import Backend

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
