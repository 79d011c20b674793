"""shapewatch's own faults, which it keeps away from the watched program, brought to light."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress

import torch
from torch import nn


@contextmanager
def own_faults() -> Iterator[list[str]]:
    """The list is filled at the end of the block, with the last lines of each fault's traceback."""
    faults: list[str] = []
    written = io.StringIO()
    try:
        with redirect_stderr(written):
            yield faults
    finally:
        for trace in written.getvalue().split("Traceback (most recent call last):")[1:]:
            faults.append("\n".join(trace.strip().splitlines()[-3:]))


def load_shapewatch() -> None:
    """Load all of shapewatch that a diagnosis needs, with its faults made loud.

    Workers are forked from this process: loaded once, they all see the same code, even while it is being edited.

    Raises:
        ImportError: shapewatch, or what it needs, is not installed.
    """
    os.environ["SHAPEWATCH_DEBUG"] = "1"
    import shapewatch

    torch.set_num_threads(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(6, 2))
    session = shapewatch.watch(model)
    with suppress(RuntimeError), session:
        model(torch.zeros(1, 4))
    str(session.report)
