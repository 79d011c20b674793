"""JAX's tensors and operations, as `Listening` needs them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import jax

from shapewatch.adapters.backend import PlainBackend
from shapewatch.adapters.jax import taps
from shapewatch.recording import Origin, TensorSpec


class Jax(PlainBackend):
    """See `shapewatch.adapters.backend.Backend`."""

    name = "jax"

    def is_tensor(self, value: Any) -> bool:
        return taps.is_tensor(value)

    def raw_spec(self, tensor: Any) -> Any:
        return tensor.shape, tensor.dtype, _device(tensor)

    def describe(self, raw: Any) -> TensorSpec:
        """The spec; sizes that are symbols, as those of a pass on shapes whose batch is open, are unknown."""
        shape, dtype, device = raw
        return TensorSpec(tuple(size if isinstance(size, int) else None for size in shape), str(dtype), device)

    def origin(self, tensor: Any) -> Origin | None:
        return None if isinstance(tensor, jax.Array) else "parameter"

    def listen(
        self, asleep: Callable[[], bool], seen: Callable[[Any, Callable[[Any], Any]], Any], stack: ExitStack
    ) -> None:
        taps.listen(asleep, seen, stack)


def _device(tensor: Any) -> str:
    """`cpu`, `gpu:0`; `cpu` too of a tracer, which has no device yet, and `several` of an array in parts."""
    if not isinstance(tensor, jax.Array) or isinstance(tensor, jax.core.Tracer):
        return "cpu"
    devices = tensor.devices()
    if len(devices) > 1:
        return "several"
    (device,) = devices
    return "cpu" if device.platform == "cpu" else f"{device.platform}:{device.id}"
