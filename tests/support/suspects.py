"""Which causes a text brings up, asked for in tests."""

from __future__ import annotations

from hypothesis import settings

import shapewatch
from shapewatch.messages.faults.evidence import Cause
from shapewatch.report import Diagnosis

FIRST_THREE = 3

properties = settings(deadline=None, max_examples=12)
"""Of sizes that are drawn. There are hundreds of such properties, and each example reads a text or several."""


def explained(text: str) -> Diagnosis:
    diagnosis = shapewatch.explain(text)
    assert diagnosis is not None
    return diagnosis


def suspected(text: str, cause: Cause) -> bool:
    """Whether a cause is among the first three; what it says before its first size is enough to know it by."""
    told = cause.cause.split("{")[0]
    return any(suspect.cause.startswith(told) for suspect in explained(text).suspects[:FIRST_THREE])


def first(text: str) -> str:
    return explained(text).suspects[0].cause
