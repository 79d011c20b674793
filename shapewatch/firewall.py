"""The firewall: a fault of shapewatch itself never reaches the program that is watched."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")


class Faults:
    """Our own faults: counted, shown with SHAPEWATCH_DEBUG=1, never in the user's way."""

    count = 0
    last: BaseException | None = None


def attempt(step: Callable[..., Given], *args: object) -> Given | None:
    """What a step of our own gives; None where it fails, which takes nothing with it."""
    try:
        return step(*args)
    except Exception as fault:
        own_fault(fault)
        return None


def own_fault(error: BaseException) -> None:
    """Take note of a fault of shapewatch itself, from an `except Exception` around our own code."""
    Faults.count += 1
    Faults.last = error
    if os.environ.get("SHAPEWATCH_DEBUG") == "1":
        import traceback

        print("shapewatch: a fault of its own, kept away from the program:", file=sys.stderr)
        traceback.print_exception(error, file=sys.stderr)
