"""Keras's messages: its own checks, in version 3 and, where they differ, as Keras 1, Keras 2 and tf.keras word them.

What a layer hands to its backend fails with the backend's message; those are in the backend's table. The wrapper
"Exception encountered when calling …" is no message of its own: `dress.py` takes it off.
"""

from __future__ import annotations

from shapewatch.messages.keras import data, inputs, junctions, weights, windows
from shapewatch.messages.nouns import Template

TEMPLATES: tuple[Template, ...] = (
    *inputs.TEMPLATES,
    *junctions.TEMPLATES,
    *windows.TEMPLATES,
    *data.TEMPLATES,
    *weights.TEMPLATES,
)
