"""What Keras and TensorFlow raise about shapes, in one line that is the same in every run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf

SHAPE_ERRORS = (ValueError, tf.errors.InvalidArgumentError)
"""What a shape that does not fit raises. After a `TypeError`, say, the slip is of another kind."""

NOT_ABOUT_SHAPES = ("Invalid Functional model configuration", "equal length strides", "Only NHWC", "out of memory")
"""Errors of these classes that are about a config, or about what the CPU can do."""


def shape_error(attempt: Callable[[], Any]) -> str | None:
    """What an attempt raises about shapes, as `describe_error` has it; None where it does not."""
    try:
        attempt()
    except SHAPE_ERRORS as error:
        described = describe_error(error)
        return None if any(text in str(error) for text in NOT_ABOUT_SHAPES) else described
    except Exception:  # the change made something that is no program: not a shape error, so not a mutant
        return None
    return None


def describe_error(error: BaseException) -> str:
    """`Type: message`: of a message that Keras has wrapped, the part that it prints in bold."""
    bold = re.search(r"\x1b\[1m(.+?)\x1b\[0m", str(error), re.DOTALL)
    message = bold.group(1) if bold else str(error)
    lines = [line for line in message.strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
