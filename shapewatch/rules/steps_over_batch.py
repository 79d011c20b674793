"""A recurrent or attention layer takes the batch for the sequence.

## What it means
Without `batch_first=True` these layers read `[time, batch, features]`. Given `[batch, time, features]` they run over
the items of the batch as over steps: each item sees the items beside it, and no item sees its own other steps.

## Why
`batch_first` was left out, or set while the axes are permuted as well. Every size fits either way.

## Bad
    x = nn.Conv2d(3, 4, 2, 2)(torch.ones(2, 3, 6, 6)).flatten(2).transpose(1, 2); nn.LSTM(4, 5)(x)

## Good
    x = nn.Conv2d(3, 4, 2, 2)(torch.ones(2, 3, 6, 6)).flatten(2).transpose(1, 2); nn.LSTM(4, 5, batch_first=True)(x)
"""

from __future__ import annotations

from shapewatch.recording import Layer, text
from shapewatch.rules.batch import known_as_batch
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW691", "steps-over-batch", frozenset({"recurrent", "attention", "module"}), severity="warning")
def check(case: Case) -> Finding | None:
    lineage, layer = case.graph.lineage, _layer(case)
    if layer is None or not case.call.operands or "batch_first" not in layer.facts:
        return None
    value = case.call.operands[0]
    shape, batch_first = case.recording.shape(value), bool(layer.facts["batch_first"])
    if len(shape) != 3 or None in shape or lineage.batch_axes(value) != (1 if batch_first else 0,):
        return None
    why = known_as_batch(case.graph)
    if why is None:
        return None
    batch, steps = (1, 0) if batch_first else (0, 1)
    order = "[batch, time, features]" if batch_first else "[time, batch, features]"
    return Finding(
        headline=f"{case.name} runs over axis {batch} of {text(shape)}, the batch of {shape[batch]}, "
        f"and not over the {shape[steps]} steps",
        explanation=f"It was made with batch_first={batch_first}, and reads {order}. But {why}.",
        severity="warning",
    )


def _layer(case: Case) -> Layer | None:
    """The layer that holds the setting: itself or, of one that was not looked into, the first attention inside it."""
    if not case.call.is_layer or case.call.kind != "module":
        return case.layer
    inside = f"{case.call.layer}."
    return next((x for x in case.recording.layers if x.path.startswith(inside) and x.kind == "attention"), None)
