"""What is said of each fault: the sentence, what the message means, and the causes in the order that the numbers give.

Finding is apart from wording. `sizes` is arithmetic, `roles` guesses what an axis holds, `meeting` looks at two values
that do not fit, `relations` at what sizes have to do with each other in any fault; `causes` holds the words for causes
that several faults share; `evidence` puts them in order. A fault's own file says what its message means and which
evidence it looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from shapewatch.messages.faults import (
    attention,
    axis_range,
    batched,
    causes,
    classes,
    convolution,
    devices,
    elementwise,
    expanding,
    gradients,
    indexing,
    joining,
    labels,
    model_input,
    norm,
    only_dress,
    products,
    rank,
    rearranging,
    recurrent,
    relations,
    reshaping,
    rows,
    samples,
    splitting,
    target_ranks,
    unknown_sizes,
    weight_names,
    weights,
    windows,
)
from shapewatch.messages.faults.evidence import COMMON, FITS, MOST, Evidence
from shapewatch.messages.nouns import Pasted, Told

FAULTS: Mapping[str, Callable[[Pasted], Told]] = {
    "elementwise": elementwise.elementwise,
    "gradient": gradients.gradient,
    "expand": expanding.expand,
    "matmul": products.matmul,
    "batched-matmul": batched.batched,
    "einsum": batched.einsum,
    "layer-width": products.layer_width,
    "unknown-size": unknown_sizes.unknown_size,
    "attention": attention.attention,
    "rank": rank.rank,
    "axis-range": axis_range.axis_range,
    "conv-channels": convolution.channels,
    "groups": convolution.groups,
    "window": windows.window,
    "padding": windows.padding,
    "resize": windows.resize,
    "transposed-output": windows.transposed_output,
    "norm": norm.norm,
    "norm-one-value": norm.one_value,
    "reshape": reshaping.reshape,
    "view-stride": reshaping.view_stride,
    "pattern": rearranging.pattern,
    "concat": joining.concat,
    "gather": devices.gather,
    "stack": samples.stack,
    "samples": samples.samples,
    "split": splitting.split,
    "index-shape": indexing.index_shape,
    "index-range": indexing.index_range,
    "recurrent": recurrent.recurrent,
    "recurrent-state": recurrent.recurrent_state,
    "model-input": model_input.model_input,
    "target-shape": labels.target_shape,
    "target-rank": target_ranks.target_rank,
    "target-probabilities": target_ranks.probabilities,
    "target-structure": labels.structure,
    "target-batch": rows.target_batch,
    "classes": classes.classes,
    "data-lengths": rows.data_lengths,
    "weights": weights.weights,
    "weight-names": weight_names.weight_names,
    "ranks": devices.ranks,
    "only-dress": only_dress.only_dress,
}
"""The fault that a template names, and what tells it."""


def tell(pasted: Pasted) -> Told:
    """What its fault says of it, and what is said of any fault where the text speaks for it, the heaviest first."""
    told = FAULTS[pasted.reading.fault](pasted)
    suspects = {suspect.cause: suspect for suspect in told.suspects}
    for each in _of_any_fault(pasted) if suspects else ():
        suspect = each.suspect(pasted.reading.framework)
        known = suspects.get(suspect.cause)
        if known is None or known.weight < suspect.weight:
            suspects[suspect.cause] = suspect
    return replace(told, suspects=tuple(sorted(suspects.values(), key=lambda suspect: -suspect.weight)[:MOST]))


def _of_any_fault(pasted: Pasted) -> Iterator[Evidence]:
    yield from relations.evidence(pasted)
    known = pasted.reading.facts.get("releases")
    if isinstance(known, str):
        yield causes.OTHER_RELEASE.since(known, FITS + 0.04)
    if pasted.library:
        raised = f"it was raised inside {pasted.library}, which takes what its release was written for"
        yield causes.OTHER_RELEASE.since(raised, COMMON + 0.08)
