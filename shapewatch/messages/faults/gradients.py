"""A gradient has another shape than what it is the gradient of."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, SAID, Cause, Evidence, told
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


GIVEN_GRADIENT = Cause(
    "the gradient that is given to `backward` (or `torch.autograd.grad`) has not the shape of the value it is called "
    "on: that was summed, averaged or reshaped, and the gradient is of what it was before, or lacks an axis of 1",
    "Call it on the value before the sum, make the gradient like the value (`torch.ones_like(value)`), or leave it out "
    "where the value is a single number.",
    "Print the shape of the value that `backward` is called on, and of the gradient.",
)


def gradient(pasted: Pasted) -> Told:
    wanted, came = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    headline = f"a gradient has shape {shaped(came)} where {shaped(wanted)} is needed"
    meaning = (
        "The gradient of a tensor has that tensor's shape. The forward pass recorded the one, and the backward pass "
        f"gives the other: {shaped(wanted)} against {shaped(came)}."
    )
    seen = f"{shaped(wanted)} in the forward pass, {shaped(came)} in the backward pass"
    evidence = [*_of_function(pasted, seen), CHANGED_SINCE.since(seen, FITS - 0.02)]
    if facts.size(pasted, "output") is not None:
        evidence = [GIVEN_GRADIENT.since(f"{shaped(came)} is given for a value of {shaped(wanted)}", SAID)]
        if wanted is not None and came is not None and sizes.squeezed(wanted) == sizes.squeezed(came):
            evidence.append(causes.LOST_AXIS.since("without the axes of 1 they are the same", NUMBERS))
            evidence.append(causes.EXTRA_AXIS.since("without the axes of 1 they are the same", FITS))
    elif wanted == ():
        evidence.append(GIVEN_GRADIENT.since("what was summed to one number gets several gradients", NUMBERS))
    evidence.append(
        causes.OTHER_RELEASE.since(
            "a fault of a release, of a compiled or an extension's backward, says the same", COMMON
        )
    )
    evidence.append(causes.SPLIT_BATCH.since("several devices share one module", COMMON - 0.1))
    return told(pasted, "SW201", headline, meaning, evidence)


def _of_function(pasted: Pasted, seen: str) -> Iterator[Evidence]:
    """PyTorch numbers its own functions, `AddmmBackward0`, from 1.10 on; those of extensions and users have no number,
    and often begin with an underscore."""
    function = facts.word(pasted, "function")
    if function and not function[-1].isdigit():
        own = 0.0 if function.startswith("_") else 0.12
        yield OWN_BACKWARD.since(f"`{function}` may be no function of PyTorch's own", FITS + 0.02 - own)
        takes = f"`{function}` gives back what it takes, and may have been given a value of another shape"
        yield causes.OTHER_VALUE.since(takes, FITS - own)
    else:
        yield OWN_BACKWARD.since(seen, FITS if pasted.runs("function.py", "apply(", "def backward") else COMMON)
    if function.startswith(("IndexPut", "MaskedScatter", "IndexCopy", "Scatter")):
        placed = f"`{function}` writes values into chosen places: their numbers differ, {seen}"
        yield causes.OTHER_LENGTH.since(placed, FITS + 0.06)
