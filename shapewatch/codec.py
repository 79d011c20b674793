"""Frozen dataclasses to JSON-ready data and back, from their type hints alone."""

from __future__ import annotations

import dataclasses
import reprlib
import types
from collections.abc import Mapping
from functools import cache
from numbers import Integral
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
    if isinstance(value, Integral):
        return int(value)  # NumPy's, as a size that a program worked out
    return repr(value)


def decode(hint: Any, data: Any) -> Any:
    """The value of type `hint` that `encode` turned into `data`. Under `Any`, a list comes back as a tuple.

    Raises:
        ValueError: `encode` turns no value of that type into such data.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return _loose(data)
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, data)
    if origin is Literal:
        return _checked(data, data in arguments, hint)
    if origin is tuple:
        _checked(data, isinstance(data, list | tuple), hint)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(decode(arguments[0], item) for item in data)
        return tuple(decode(a, item) for a, item in zip(arguments, data, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        _checked(data, isinstance(data, Mapping), hint)
        return {key: decode(arguments[1], item) for key, item in data.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _decode_fields(hint, _checked(data, isinstance(data, Mapping), hint))
    return _checked(data, isinstance(data, (int, float) if hint is float else hint), hint)


def _decode_fields(of: type, data: Mapping[str, Any]) -> Any:
    hints = _hints(of)
    missing = object()
    given: dict[str, Any] = {}
    for field in dataclasses.fields(of):
        value = data.get(field.name, missing)
        if value is not missing:
            given[field.name] = decode(hints[field.name], value)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ValueError(f"a {of.__name__} has no `{field.name}`")
    return of(**given)


def _checked(data: Any, fits: bool, hint: Any) -> Any:
    if not fits:
        wanted = getattr(hint, "__name__", hint) if get_origin(hint) is None else hint
        raise ValueError(f"{reprlib.repr(data)} stands where {wanted} was written")
    return data


def _decode_union(members: tuple[Any, ...], data: Any) -> Any:
    if data is None and type(None) in members:
        return None
    if isinstance(data, Mapping) and "is" in data:
        named = [member for member in members if getattr(member, "__name__", "") == data["is"]]
        return decode(_checked(named, bool(named), members)[0], data)
    rest = [m for m in members if m is not type(None)]
    if len(rest) == 1:
        return decode(rest[0], data)
    return _loose(_checked(data, not any(map(dataclasses.is_dataclass, rest)), members))


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
