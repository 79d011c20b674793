"""A transposed convolution is asked for an output size that it cannot give.

## What it means
With stride s several inputs of a convolution give one size, so going back there are s sizes to choose from:
`output_size` picks one of those.

## Why
The size is that of a map from another depth, or of an input whose size is no multiple of the stride.

## Bad
    nn.ConvTranspose2d(3, 4, 3, stride=2)(torch.ones(1, 3, 4, 4), output_size=(12, 12))

## Good
    nn.ConvTranspose2d(3, 4, 3, stride=2)(torch.ones(1, 3, 4, 4), output_size=(10, 10))
"""

from __future__ import annotations

from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW510", "transposed-output-differs", frozenset({"conv_transpose", "conv_backwards"}))
def check(case: Case) -> Finding | None:
    return _of_sizes(case) if case.call.kind == "conv_backwards" else _of_words(case)


def _of_sizes(case: Case) -> Finding | None:
    """TensorFlow's operation, a convolution run backwards: the kernel and the map, and the size that it is to give."""
    facts = case.facts
    asked, strides, padding = (facts.get(name) for name in ("output_size", "stride", "padding"))
    if not asked or not strides or padding not in ("same", "valid") or len(case.shapes) != 2:
        return None
    kernel, given = case.shapes
    places = [size for size in (given[1:-1] if facts.get("channels_last") else given[2:]) if size is not None]
    windows = [size for size in kernel[: len(asked)] if size is not None]
    if not len(places) == len(windows) == len(asked) or any(each != 1 for each in facts.get("dilation", ())):
        return None
    sizes = zip(places, strides, windows, strict=True)
    least = tuple((size - 1) * stride + (1 if padding == "same" else window) for size, stride, window in sizes)
    most = tuple(size + stride - 1 for size, stride in zip(least, strides, strict=True))
    if all(low <= size <= high for low, size, high in zip(least, asked, most, strict=True)):
        return None
    return Finding(
        headline=f"{case.name} is asked for {text(asked)} and can give {text(least)} to {text(most)}",
        explanation=f"Its input is {text(given)}, its strides are {listed([str(stride) for stride in strides])}, its "
        f'padding is "{padding}": the output is of a size that a convolution with these would shrink to the input.',
    )


def _of_words(case: Case) -> Finding | None:
    said = case.said("transposed-output")
    asked, least, most = (said.get(name) for name in ("requested", "least", "most"))
    if not isinstance(asked, tuple) or not isinstance(least, tuple) or not isinstance(most, tuple):
        return None
    if not case.shapes or None in case.shapes[0]:
        return None
    return Finding(
        headline=f"{case.name} is asked for {text(asked)} and can give {text(least)} to {text(most)}",
        explanation=f"Its input is {text(case.shapes[0])}, its stride {case.facts.get('stride')}; `output_size` picks "
        "one of the sizes that a convolution would shrink to this input.",
    )
