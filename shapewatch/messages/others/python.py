"""What Python says of any tuple, where the tuple is a shape."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

SHAPE = (".shape", ".size(", ".get_shape(", "= input_shape")

PARTS = (".chunk(", "torch.split(", "tf.split(", "np.split(", "jnp.split(", ".unbind(", ".unstack(")
"""What cuts a tensor, and not a text: `.split(` alone may be of either."""

PYTHON: tuple[Template, ...] = (
    Template(
        "not enough values to unpack (expected {expected:n}, got {got:n})",
        "rank",
        {"op": "unpacking"},
        example="b, h, w, c = np.zeros((8, 32, 3)).shape",
        beside=SHAPE + PARTS,
    ),
    Template(
        "too many values to unpack (expected {expected:n}, got {got:n})",
        "rank",
        {"op": "unpacking"},
        seen="too many values to unpack (expected 3, got 4)",
        release="3.14",
        beside=SHAPE,
    ),
    Template(
        "too many values to unpack (expected {expected:n})",
        "rank",
        {"op": "unpacking"},
        example="rows, columns = np.zeros((2, 3, 2)).shape",
        beside=SHAPE,
    ),
    Template(
        "tuple index out of range",
        "axis-range",
        {"op": "shape"},
        example="np.zeros((2, 5)).shape[3]",
        beside=(".shape[", ".get_shape()["),
    ),
)
