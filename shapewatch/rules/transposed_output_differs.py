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
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW510", "transposed-output-differs", frozenset({"conv_transpose"}))
def check(case: Case) -> Finding | None:
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
