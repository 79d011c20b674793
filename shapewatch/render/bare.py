"""Reports without lines of the program, for readers who may know its shapes and not its code.

What is left out of the data is in no format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from shapewatch.recording import Layer, Span
from shapewatch.report import Fix, Report, Suspect

_SOURCE: dict[type, dict[str, Any]] = {
    Span: {"source": None},
    Fix: {"code": "", "patch": None},
    Suspect: {"code": ""},
    Layer: {"made_by": ""},
}
"""Where there are lines of the program, or what was made of them, and what stands in their place."""


def without_source(report: Report) -> Report:
    bare: Report = _bare(report)
    return bare


def _bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_bare(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _bare(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        bare = {each.name: _bare(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **(bare | _SOURCE.get(type(value), {})))
    return value
