"""A size has to be known when a layer or graph is made, and is not."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts
from shapewatch.messages.faults.evidence import COMMON, FITS, Cause, Evidence, told
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

UNKNOWN_SIZES = Cause(
    "the shape is lost on the way: the data come from a generator, a decoder or a function of Python (`py_function`, "
    "`Lambda`), which do not tell their shapes",
    "State the shape where it is lost (`set_shape`, `tf.ensure_shape`, `output_signature`, `output_shape`), or resize "
    "to fixed sizes.",
    "Print `dataset.element_spec`, and the shape that each layer gives.",
    {"tensorflow": "image.set_shape([224, 224, 3])", "keras": "image.set_shape([224, 224, 3])"},
)
LEFT_OPEN = Cause(
    "the input is declared with open sides or lengths (None), and this layer needs them: a Flatten or a dense layer "
    "after it counts with the size of the whole map",
    "Declare the sizes (`input_shape=(224, 224, 3)`), or pool to one place before the dense layer.",
    "Compare the declared input with what the layers need.",
    {"keras": "x = layers.GlobalAveragePooling2D()(x)    # in place of Flatten, for inputs of any size"},
)


def unknown_size(pasted: Pasted) -> Told:
    given = facts.shape(pasted, "input", "weight")
    layer = facts.word(pasted, "layer", "layer_type", "parameter") or "the layer"
    came = f": {shaped(given)}" if given is not None else ""
    headline = f"{layer} needs a size that is not known when it is made{came}"
    meaning = (
        "Weights (and some operations) are made for fixed sizes, so the last axis, or the whole map after a Flatten, "
        f"must be known before data come.{f' Here {shaped(given)} leaves sizes open.' if given is not None else ''}"
    )
    return told(pasted, "SW102", headline, meaning, _of_unknown(given), facts.word(pasted, "layer"))


def _of_unknown(given: Shape | None) -> Iterator[Evidence]:
    seen = f"{shaped(given)} has sizes that are open" if given is not None else "the message says so"
    yield LEFT_OPEN.since(seen, FITS + 0.06)
    yield UNKNOWN_SIZES.since(seen, FITS + 0.04)
    yield causes.OTHER_RELEASE.since(f"{seen}, which other releases accept or infer", COMMON + 0.06)
    yield causes.CHANNELS_LAST.since(f"{seen}: in another layout the open axis stands for the channels", COMMON + 0.03)
