"""A layer or an operation refuses sizes for a reason of its own.

## What it means
The framework, or an `assert` in the model, says that a size is not what it must be, and no other rule knows the
arithmetic behind it.

## Why
Vision transformers check the image size that their positional embedding was made for; attention checks that heads
divide the width. What met there, and with which sizes, is in the report; what to change is only said if it was tried.

## Bad
    F.fold(torch.ones(2, 12, 5), output_size=(4, 4), kernel_size=2)

## Good
    F.fold(torch.ones(2, 12, 9), output_size=(4, 4), kernel_size=2)
"""

from __future__ import annotations

import re

from shapewatch.recording import text
from shapewatch.rules.rule import EVERY, Case, Finding, listed, rule

SPEAKS_OF_SIZES = re.compile(
    r"\b(shapes?|sizes?|dim(ension)?s?|channels?|height|width|length|rank|features|broadcast\w*|axis|axes|"
    r"elements|divisible|[0-9]D|embed_dim|num_heads|kernel|resolution)\b",
    re.IGNORECASE,
)
NOT_OF_SIZES = re.compile(
    r"scalar type|dtype|same device|on device|requires_grad|does not require grad|out of memory|CUDA error|"
    r"not implemented for|data type|gradient|backward through the graph|double and float|float and double|"
    r"required positional argument|positional arguments? but|unexpected keyword argument|multiple values for argument",
    re.IGNORECASE,
)


def speaks_of_sizes(message: str) -> bool:
    """Whether an error's text is about shapes: it has one of their words and a number, and is of no other kind."""
    return bool(SPEAKS_OF_SIZES.search(message) and re.search(r"\d", message) and not NOT_OF_SIZES.search(message))


AXES_COUNTED = re.compile(r"^(tuple|list) index out of range$|values to unpack|feature number of|batch number of")
"""Python's own words when `b, t, c = x.shape` meets another rank; and when `x.shape[2]` does, but not only then."""


@rule("SW900", "size-refused", EVERY)
def check(case: Case) -> Finding | None:
    message = case.message.strip() or _assertion(case)
    counted = bool(AXES_COUNTED.search(message)) or not case.message.strip()
    if not message or (not counted and not speaks_of_sizes(message)):
        return None
    if not counted and case.call.kind == "module" and not _names_a_size(case, message):
        return None  # raised by the model's own code, about numbers that are no sizes here
    first = message.splitlines()[0]
    shapes = [f"{case.called(value, '')} {text(case.recording.shape(value))}".strip() for value in case.call.operands]
    met = listed(shapes) if shapes else "its input"
    return Finding(
        headline=f"{case.name} refuses {met}",
        explanation=f"It says: {first.rstrip('.')}.",
        needs_proof=counted,
    )


def _names_a_size(case: Case, message: str) -> bool:
    """Whether a number in the message is the size of an axis that the layer or the whole model was given."""
    recording = case.recording
    given = [*case.shapes, *(recording.shape(number) for number in recording.inputs)]
    sizes = {str(size) for shape in given for size in shape}
    return bool(sizes & set(re.findall(r"\d+", message)))


def _assertion(case: Case) -> str:
    """The line of an assertion that says nothing: `assert N == 1 + H * W`."""
    failure = case.recording.failure
    source = failure.span.source if failure is not None and failure.span is not None else None
    return source if case.error == "AssertionError" and source and source.lstrip("_").startswith("assert") else ""
