"""Changes to a model, as data.

An edit has several readers (the dry run, the in-memory trial, the code writer, the source patcher), and each of them
reads this one description. The names of arguments are PyTorch's, in which most of the field thinks (`kernel_size`,
`stride`, `out_channels`); an adapter translates them into its framework's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Module:
    """A layer that does not exist yet. `kind` is neutral (`conv`, `norm`, `linear`, `sequence`, `resize`, …). What
    only lays axes out otherwise has a kind too (`permute`, `expand`, `sum`, `narrow`, `without_first`, `without_last`),
    and so have Keras's layers that bring sequences and vectors together (`repeat_vector`, `global_pool`). `exchange`
    hands on two results in the other order; `cover` has a mask say of further keys that they are no padding. Two kinds
    are of the program's own: `value`, what one of its variables holds, and `own`, a layer that the model has."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Module, ...] = ()


@dataclass(frozen=True)
class Set:
    """Give one argument of an existing layer another value."""

    layer: str
    argument: str
    value: Any
    was: Any = None


@dataclass(frozen=True)
class SetCall:
    """Give one argument of an operation in a layer's forward another value; `place` is `Call.place`.

    Some arguments are no parameter's: `as_large_as` has an interpolation make its map as large as one that the line
    calls so, in the place of a factor.
    """

    place: str
    argument: str
    value: Any
    was: Any = None


RESULT = -1
"""As the operand of an `Insert`: what the operation gives, each time that its line runs."""


@dataclass(frozen=True)
class Insert:
    """Put a new layer on one operand of an operation, or on its result; `place` is `Call.place`."""

    place: str
    operand: int
    module: Module


@dataclass(frozen=True)
class Replace:
    """Put a new layer in the place of an existing one."""

    layer: str
    module: Module


@dataclass(frozen=True)
class Input:
    """Give the model another input. `change`: `permute`, `unsqueeze`, `squeeze`, `size`, `channels`, `batch` (as many
    samples as the other inputs have) or `exchange` (with another input); `shape` is the result."""

    index: int
    change: str
    arguments: Mapping[str, Any]
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Target:
    """Give a loss another target, or take another loss for the one there is. No model has a part in it, so no dry run
    and no trial can put it in place; it can be written.

    `change`: `one-hot` (class numbers into rows of `classes`), `numbers` (the other way round, along `dim`), `squeeze`
    and `unsqueeze` (an axis `dim`), `shape` (labels of another `shape`: `reshaped`, or others), `resized` (maps of
    another `size`), `padded` (sequences to another `length`), `from-one` (without the first class), `picked` (`by` an
    index), `output-squeeze` (an axis of the model's output), `output-moved` (its classes from the last axis to axis 1),
    `output-order` (its axes in the order `dims`), `output-pooled` (the mean over `dims`), `output-reshaped` (as the
    target's `shape`), `output-resized` (its maps of another `size`, `channels_first` or not), `column` (one of the
    target's `columns`), `input-shorter` (the model's input without its last step).
    """

    change: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


WRITTEN_DOWN = frozenset({"dim", "dims", "swap", "keepdim", "equation", "ends", "alone", "as_large_as"})
"""Settings of an operation that a line of code mostly writes down, whatever the sizes it is given."""

Edit = Set | SetCall | Insert | Replace | Input | Target


def place_layer(place: str) -> str:
    """The layer path in a `Call.place`."""
    return place.rsplit(":", 2)[0]
