"""The code that would make a layer, from its config: for one that no line of the program's is known to make.

Facts tell what has a part in shapes. Written from them alone, a layer would lose its activation, its regularizers and
its initializers.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import keras
from keras.layers import Layer
from keras.src.utils.naming import to_snake_case

from shapewatch.adapters.keras.arguments import window
from shapewatch.adapters.keras.edit import undisturbed
from shapewatch.firewall import own_fault

_PACKAGES = ("layers", "initializers", "regularizers", "constraints")

_known: WeakKeyDictionary[Layer, str] = WeakKeyDictionary()
"""Of layers that were asked for: settings rarely change, and a search makes many recordings of one model."""


def constructions(layers: Iterable[Layer]) -> Mapping[int, str]:
    """Of each layer of Keras's own, by identity: `layers.Dense(64, activation="relu")`, with all settings that are not
    its class's defaults, but without its name; empty where one of them has no code (a lambda)."""
    found = {}
    with warnings.catch_warnings(), undisturbed():
        warnings.simplefilter("ignore")
        for layer in layers:
            if type(layer).__module__.startswith("keras."):
                code = _known.get(layer)
                found[id(layer)] = _known.setdefault(layer, _construction(layer)) if code is None else code
    return found


def _construction(layer: Layer) -> str:
    try:
        return _call("layers", type(layer), layer.get_config()) or ""
    except (NotImplementedError, TypeError, ValueError, KeyError, AttributeError):
        return ""  # what has no config, or nothing can be made from it: a model of the user's in a wrapper
    except Exception as fault:
        own_fault(fault)
        return ""


def _call(package: str, cls: Any, config: Mapping[str, Any]) -> str | None:
    """The call that makes an object of Keras's with such a config; None where an argument has no code."""
    if package != "layers" and config == _usual(cls, ()):
        return f'"{to_snake_case(cls.__name__)}"'
    required = [name for name in _required(cls) if name in config]
    usual = _usual(cls, tuple((name, _Known(config[name])) for name in required))
    taken = (*inspect.signature(cls.__init__).parameters, *(("trainable", "dtype") if package == "layers" else ()))
    said = {name: _code(window(name, config[name])) for name in required}
    for name, value in config.items():
        if name not in (*required, "name") and name in taken and not (name in usual and usual[name] == value):
            code = _code(window(name, value))
            if name not in usual or code is None or code != _code(window(name, usual[name])):
                said[name] = code
    if None in said.values():
        return None
    parts = [str(code) if name in required else f"{name}={code}" for name, code in said.items()]
    return f"{'' if package == 'layers' else 'keras.'}{package}.{cls.__name__}({', '.join(parts)})"


def _required(cls: Any) -> list[str]:
    found = list(inspect.signature(cls.__init__).parameters.values())[1:]
    ordered = [p for p in found if p.kind == p.POSITIONAL_OR_KEYWORD]
    return [p.name for p in ordered if p.default is p.empty or p.name == "pool_size"]  # the strides follow from it


class _Known:
    """A value of a config that can be a key: by how it is written."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._written = repr(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self._written == other._written

    def __hash__(self) -> int:
        return hash(self._written)


@lru_cache(512)
def _usual(cls: type, required: tuple[tuple[str, _Known], ...]) -> Mapping[str, Any]:
    """The config of an object that was made with nothing but what its class requires."""
    given = {name: keras.saving.deserialize_keras_object(known.value) for name, known in required}
    config: Mapping[str, Any] = cls(**given).get_config()
    return config


def _code(value: Any) -> str | None:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        parts = [_code(item) for item in value]
        return None if None in parts else f"({', '.join(map(str, parts))}{',' * (len(parts) == 1)})"
    if not isinstance(value, Mapping):
        return repr(value) if value is None or isinstance(value, bool | int | float) else None
    name, config = value.get("class_name"), value.get("config")
    if name == "function" and isinstance(config, str):
        public = config.removesuffix("_v2")  # TensorFlow's own name of its second `tf.nn.softmax`
        return f'"{public}"' if hasattr(keras.activations, public) else config if config.isidentifier() else None
    if not isinstance(name, str) or not isinstance(config, Mapping):
        return None
    if name == "DTypePolicy":
        return _code(config["name"])
    package = str(value.get("module", "")).rpartition(".")[2]
    cls = getattr(getattr(keras, package), name, None) if package in _PACKAGES else None
    return None if cls is None else _call(package, cls, config)
