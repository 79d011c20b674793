"""Frozen dataclasses to JSON-ready data and back, from their type hints alone."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def encode(value: Any) -> Any:
    """Data made of dicts, lists, strings, numbers, booleans and None. Members of a union carry their class name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__, **plain} if type(value) in _tagged() else plain
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value)


def decode(hint: Any, data: Any) -> Any:
    """The value of type `hint` that `encode` turned into `data`. Under `Any`, a list comes back as a tuple."""
    if data is None:
        return None
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return _loose(data)
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, data)
    if origin is Literal:
        return data
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(decode(arguments[0], item) for item in data)
        return tuple(decode(a, item) for a, item in zip(arguments, data, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {key: decode(arguments[1], item) for key, item in data.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{f.name: decode(hints[f.name], data[f.name]) for f in dataclasses.fields(hint) if f.name in data})
    return data


def _decode_union(members: tuple[Any, ...], data: Any) -> Any:
    if isinstance(data, Mapping) and "is" in data:
        return decode(next(m for m in members if getattr(m, "__name__", "") == data["is"]), data)
    rest = [m for m in members if m is not type(None)]
    return decode(rest[0], data) if len(rest) == 1 else _loose(data)


def _loose(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_loose(item) for item in data)
    if isinstance(data, dict):
        return {key: _loose(item) for key, item in data.items()}
    return data


@cache
def _hints(of: type) -> dict[str, Any]:
    return get_type_hints(of)


@cache
def _tagged() -> frozenset[type]:
    from shapewatch.edits import Edit

    return frozenset(get_args(Edit))
