"""What is told of a model or a function that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import shapewatch
from shapewatch.report import Diagnosis


def failing(run: Callable[..., Any], *inputs: Any, **named: Any) -> Diagnosis:
    """The only diagnosis of what a model or a function raises."""
    with pytest.raises(Exception), (session := shapewatch.watch()):  # noqa: B017 - which one is the frameworks' affair
        run(*inputs, **named)
    (told,) = session.report.diagnoses
    return told


def best(told: Diagnosis) -> tuple[str, str | None]:
    return told.fixes[0].code, told.fixes[0].verified


def reason(told: Diagnosis) -> str:
    assert told.cause is not None
    return told.cause.reason
