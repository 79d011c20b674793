"""Layers as code: `layers.Conv2D(64, 3, padding="same")`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from shapewatch.adapters.keras.constructing import parameters
from shapewatch.adapters.projections import Said


def code_of(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and not isinstance(value, Said) else repr(value)


def _made(type: str, config: Mapping[str, Any]) -> str | None:
    """`layers.Conv2D(64, 3, padding="same")`; None for a class that is not Keras's."""
    defaults = parameters(type)
    if not defaults:
        return None
    first = [name for name, default in defaults.items() if default is inspect.Parameter.empty or name == "pool_size"]
    parts = [code_of(config[name]) for name in first if name in config]
    rest = [name for name in config if name not in first and has_to_say(name, config[name], config, defaults)]
    parts += [f"{name}={code_of(config[name])}" for name in rest]
    return f"layers.{type}({', '.join(parts)})"


def module_code(description: Mapping[str, Any]) -> str:
    name, arguments = description["type"], description["arguments"]
    if name == "Sequential":
        return f"keras.Sequential([{', '.join(map(module_code, arguments['layers']))}])"
    if name == "TimeDistributed":
        return f"layers.TimeDistributed({module_code(arguments['layer'])})"
    return _made(name, arguments) or f"{name}({', '.join(f'{n}={code_of(v)}' for n, v in arguments.items())})"


def has_to_say(name: str, value: Any, whole: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    """Whether a setting has to be written."""
    if name == "strides" and "pool_size" in whole:
        return bool(value != whole["pool_size"])
    return bool(defaults.get(name) != value)
