"""A gradient has another shape than what it is the gradient of."""

from __future__ import annotations

from shapewatch.messages.faults import causes, facts
from shapewatch.messages.faults.evidence import COMMON, FITS, Cause, told
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted, Told

CHANGED_SINCE = Cause(
    "a tensor or a weight was given another shape between the forward pass and the backward pass (`.data` replaced, a "
    "resize, a layer pruned or swapped)",
    "Change shapes before the forward pass, and make the optimiser anew after it.",
    "Look for `.data =`, `resize_` and `set_` after the forward pass.",
)
OWN_BACKWARD = Cause(
    "the `backward` of a function of one's own (or of an extension) returns a gradient of another shape than its "
    "input has",
    "Return for each input a gradient of that input's shape: sum over what was broadcast.",
    "Print the shapes of the inputs and of what `backward` returns.",
)


def gradient(pasted: Pasted) -> Told:
    wanted, came = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    headline = f"a gradient has shape {shaped(came)} where {shaped(wanted)} is needed"
    meaning = (
        "The gradient of a tensor has that tensor's shape. The forward pass recorded the one, and the backward pass "
        f"gives the other: {shaped(wanted)} against {shaped(came)}."
    )
    seen = f"{shaped(wanted)} in the forward pass, {shaped(came)} in the backward pass"
    evidence = [
        CHANGED_SINCE.since(seen, FITS),
        OWN_BACKWARD.since(seen, FITS if pasted.runs("function.py", "apply(", "def backward") else COMMON),
        causes.OTHER_RELEASE.since(
            "a fault of a release, of a compiled or an extension's backward, says the same", COMMON
        ),
        causes.SPLIT_BATCH.since("several devices share one module", COMMON - 0.1),
    ]
    return told(pasted, "SW201", headline, meaning, evidence)
