"""Labels whose classes begin at 1, which only what is in them tells.

Read on the error path alone, once, of arrays that are in memory already: of a tensor on a device, a file or a generator
nothing is looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

_MOST = 50_000_000
_ENOUGH = 8
"""How many labels there have to be for each class: of few, class 0 may be missing by chance."""


def begun_at_one(named: Iterable[tuple[str, Any]]) -> dict[str, int]:
    """The arrays of class numbers, or of one-hot rows, in which class 0 does not occur, each with its highest class."""
    arrays = [(name, array) for name, held in named if (array := _array(held)) is not None]
    found = {name: _highest(held) for name, held in arrays if 0 < held.size <= _MOST and held.dtype.kind in "iufb"}
    counts = {name: held.shape[0] for name, held in arrays if held.ndim}
    return {name: highest for name, highest in found.items() if highest > 1 and counts[name] >= _ENOUGH * highest}


def _array(held: Any) -> Any:
    """What is in memory as numbers; None of anything else."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is None:
        return None
    if torch is not None and type(held) is getattr(torch, "Tensor", None):
        try:
            held = held.numpy() if held.device.type == "cpu" and not held.requires_grad else None
        except Exception:  # a tensor that stands for others has no numbers
            return None
    return held if type(held) is numpy.ndarray else None


def _highest(held: Any) -> int:
    """0 where these are no labels, or class 0 occurs."""
    if held.ndim == 1 or (held.ndim == 2 and held.shape[1] == 1):
        whole = held.dtype.kind in "iu" and held.min() == 1
        return int(held.max()) if whole else 0
    if held.ndim != 2 or held[:, 0].any() or not held[:, -1].any():
        return 0
    rows = (held != 0).sum(axis=1)
    return int(held.shape[1]) - 1 if held.max() == 1 and held.min() == 0 and (rows == 1).all() else 0


def highest_of(labels: Mapping[str, int], highest: int | None) -> list[str]:
    """Those of such arrays that have this highest class."""
    return [name for name, each in labels.items() if each == highest]
