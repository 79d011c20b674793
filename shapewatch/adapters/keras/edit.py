"""Layers for edits: another version of one that there is, and new ones. Nothing is put in anywhere here.

Keras builds a layer for the width of the first input it is given, so a changed layer is always a new, unbuilt one, made
from the config of the old. Its weights are its own, and come when it is called.
"""

from __future__ import annotations

import inspect
import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from keras.src.utils import module_utils
from keras.src.utils.backend_utils import in_tf_graph

from shapewatch.adapters.keras.arguments import as_keras, described
from shapewatch.adapters.keras.kinds import kind_of_layer, layer_facts, own_name
from shapewatch.adapters.written import collapse
from shapewatch.edits import Module


@contextmanager
def undisturbed() -> Iterator[None]:
    """What is made inside takes no number from Keras's automatic names and draws no random number of the program's."""
    tracker: dict[str, Any] = vars(global_state.GLOBAL_STATE_TRACKER)
    kept, names = dict(tracker), dict(tracker.get("object_name_uids") or {})
    generator = None if in_tf_graph() else tracker.get(GLOBAL_SEED_GENERATOR)
    seed = None if generator is None else generator.state.value * 1  # a copy
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    asked = module_utils.tensorflow._available
    if "tensorflow" not in sys.modules:
        module_utils.tensorflow._available = False  # Keras would import it, on any backend, to write a config
    try:
        yield
    finally:
        module_utils.tensorflow._available = asked
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
        if generator is not None:
            generator.state.assign(seed)
        for made in tracker.keys() - kept.keys():
            del tracker[made]
        tracker.update(kept)
        if "object_name_uids" in kept:
            kept["object_name_uids"].clear()
            kept["object_name_uids"].update(names)


@contextmanager
def on_shapes() -> Iterator[None]:
    """For passes that compute nothing: no variable is written or allocated, no name counted, no random number drawn,
    and no warning given of what the program did not do."""
    pending = list(global_state.get_global_attribute("uninitialized_variables") or [])
    with warnings.catch_warnings(), undisturbed(), keras.StatelessScope(initialize_variables=False):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            global_state.set_global_attribute("uninitialized_variables", pending)


# A layer with arguments changed


def twin(layer: Any, arguments: Mapping[str, Any], shapes_only: bool = False) -> Any:
    """A new, unbuilt layer like this one, in which arguments, by our names, have other values.

    With `shapes_only` its weights will be zeros, which cost no random number and little time.

    Raises:
        ValueError: the layer has no such argument, or cannot be made again from what it says of itself.
    """
    kind = kind_of_layer(layer)
    changes = as_keras(kind or "module", own_name(type(layer)), layer_facts(layer, kind), arguments)
    with undisturbed():
        config = _config(layer, shapes_only)
        for argument, value in changes.items():
            for part in _holding(config, argument, layer):
                part[argument] = value
        made = _from_config(layer, config)
        told = _config(made, False)
    for argument, value in changes.items():
        if any(collapse(part[argument]) != collapse(value) for part in _holding(told, argument, layer)):
            raise ValueError(f"{_shown(layer)} takes no {argument} from its config")
    return made


def _config(layer: Any, with_zeros: bool) -> dict[str, Any]:
    try:
        config: dict[str, Any] = _copied(layer.get_config(), with_zeros)
    except (NotImplementedError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{_shown(layer)} has no config to make another one from") from error
    for name in config.keys() & {"activation", "recurrent_activation"}:
        if not isinstance(config[name], str) and callable(getattr(layer, name, None)):
            config[name] = getattr(layer, name)  # a function of the program's own, or TensorFlow's, has a name at most
    return config


def _copied(part: Any, with_zeros: bool) -> Any:
    """A config of its own to write in, what is nested in it included; on request with zeros for every weight.

    For which input a nested layer (a wrapper's) was built is left out: the new one may be for another.
    """
    if isinstance(part, list):
        return [_copied(item, with_zeros) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: "zeros"
        if with_zeros and value is not None and str(key).endswith("_initializer")
        else _copied(value, with_zeros)
        for key, value in part.items()
        if key != "build_config"
    }


def _holding(config: dict[str, Any], argument: str, layer: Any) -> list[dict[str, Any]]:
    """The configs to set an argument in: the layer's own or, of a wrapper such as Bidirectional, those inside it."""
    if argument in config:
        return [config]
    inside = [config[key].get("config", {}) for key in ("layer", "backward_layer") if isinstance(config.get(key), dict)]
    if not inside or not all(argument in part for part in inside):
        raise ValueError(f"{_shown(layer)} has no {argument} in its config")
    return inside


def _from_config(layer: Any, config: dict[str, Any]) -> Any:
    """Another layer of the class of this one. A constructor that takes none of what every layer has gets none of it."""
    taken = inspect.signature(type(layer).__init__).parameters
    if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in taken.values()):
        config = {
            key: value for key, value in config.items() if key in taken or key not in ("name", "trainable", "dtype")
        }
    try:
        made = type(layer).from_config(config)
    except Exception as error:  # a constructor of the user's may raise anything
        reason = str(error).rpartition("Exception encountered: ")[2]
        raise ValueError(f"{_shown(layer)} cannot be made from its config: {reason}") from error
    if made.dtype_policy != layer.dtype_policy:
        raise ValueError(f"{_shown(layer)} takes no dtype from its config")
    made.name = layer.name
    return made


def _shown(layer: Any) -> str:
    return f"{type(layer).__name__} {layer.name!r}"


# New layers


class Pad(keras.layers.Layer):
    """Zero-pads or, by negative amounts, crops; the amounts are counted from the last axis, two for each."""

    def __init__(self, pad: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pad = tuple(pad)

    def call(self, x: Any) -> Any:
        rank = len(x.shape)
        pairs = [(0, 0)] * (rank - len(self.pad) // 2)
        pairs += [(self.pad[i], self.pad[i + 1]) for i in range(len(self.pad) - 2, -1, -2)]
        x = x[tuple(slice(max(0, -first), min(0, last) or None) for first, last in pairs)]
        return keras.ops.pad(x, tuple((max(0, first), max(0, last)) for first, last in pairs))


class SubsamplePad(keras.layers.Layer):
    """The identity shortcut without parameters (He et al. 2015, option A): every n-th pixel, zeros for new channels."""

    def __init__(self, stride: int, channels: int, rank: int = 2, channels_last: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stride, self.channels, self.rank, self.channels_last = stride, channels, rank, channels_last

    def call(self, x: Any) -> Any:
        first, axis = (1, self.rank + 1) if self.channels_last else (2, 1)
        spatial = range(first, first + self.rank)
        x = x[tuple(slice(None, None, self.stride if at in spatial else None) for at in range(self.rank + 2))]
        missing = self.channels - x.shape[axis]
        return keras.ops.pad(x, tuple((0, missing if at == axis else 0) for at in range(self.rank + 2)))


class AddAxes(keras.layers.Layer):
    """Puts axes of size 1 at these places of its result."""

    def __init__(self, dims: Sequence[int], rank: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims, self.rank = tuple(dims), rank

    def call(self, x: Any) -> Any:
        return keras.ops.expand_dims(x, self.dims)


class TakeAxis(keras.layers.Layer):
    """Takes an axis of size 1 away."""

    def __init__(self, dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim

    def call(self, x: Any) -> Any:
        return keras.ops.squeeze(x, self.dim)


class Narrow(keras.layers.Layer):
    """The first places along some axes."""

    def __init__(self, dims: Sequence[int], size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims, self.size = tuple(dims), size

    def call(self, x: Any) -> Any:
        return x[tuple(slice(self.size if axis in self.dims else None) for axis in range(max(self.dims) + 1))]


class Reorder(keras.layers.Layer):
    """Puts the axes in another order, that of the batch among them."""

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)

    def call(self, x: Any) -> Any:
        return keras.ops.transpose(x, self.dims)


class RepeatAlong(keras.layers.Layer):
    """Puts axes of size 1 at these places of its result, and repeats each axis as often as `sizes` say; -1 leaves it
    alone."""

    def __init__(self, dims: Sequence[int], sizes: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims, self.sizes = tuple(dims), tuple(sizes)

    def call(self, x: Any) -> Any:
        x = keras.ops.expand_dims(x, self.dims) if self.dims else x
        for axis, size in enumerate(self.sizes):
            x = x if size == -1 else keras.ops.repeat(x, size, axis=axis)
        return x


class WithoutFirst(keras.layers.Layer):
    def __init__(self, dim: int, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim, self.count = dim, count

    def call(self, x: Any) -> Any:
        return x[(slice(None),) * self.dim + (slice(self.count, None),)]


class FlattenFrom(keras.layers.Layer):
    """Makes one axis out of those from `start_dim` to `end_dim`, which Keras's own `Flatten` always does from 1."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_dim, self.end_dim = start_dim, end_dim

    def call(self, x: Any) -> Any:
        rank = len(x.shape)
        first, last = self.start_dim % rank, self.end_dim % rank
        joined = x.shape[first : last + 1]
        length = None if None in joined else math.prod(joined)
        sizes = (*x.shape[:first], length, *x.shape[last + 1 :])
        if sizes.count(None) > 1:
            known = keras.ops.shape(x)
            sizes = (*known[:first], None, *known[last + 1 :])
        return keras.ops.reshape(x, tuple(-1 if size is None else size for size in sizes))


_OWN: Mapping[str, Callable[..., Any]] = {
    "pad": Pad,
    "subsample-and-pad": SubsamplePad,
    "flatten": FlattenFrom,
    "unsqueeze": AddAxes,
    "squeeze": TakeAxis,
    "narrow": Narrow,
    "permute": Reorder,
    "expand": RepeatAlong,
    "without_first": WithoutFirst,
}


def build(module: Module, shapes_only: bool = False) -> Any:
    """A layer from its description, unbuilt; with `shapes_only` its weights will be zeros.

    Raises:
        ValueError: Keras has no such layer.
    """
    with undisturbed():
        return _built(described(module), shapes_only)


def _built(description: Mapping[str, Any], shapes_only: bool) -> Any:
    name, arguments = description["type"], description["arguments"]
    if name == "Sequential":
        return keras.Sequential([_built(part, shapes_only) for part in arguments["layers"]])
    if name == "TimeDistributed":
        return keras.layers.TimeDistributed(_built(arguments["layer"], shapes_only))
    make = _OWN.get(name) or getattr(keras.layers, name, None)
    if make is None:
        raise ValueError(f"Keras has no layer for {name!r}")
    made = make(**arguments)
    return _from_config(made, _config(made, with_zeros=True)) if shapes_only else made
