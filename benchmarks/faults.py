"""shapewatch's own faults, which it keeps away from the watched program, brought to light."""

from __future__ import annotations

import importlib
import io
import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress


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
    """Load all of shapewatch that a diagnosis of a PyTorch model needs, with its faults made loud.

    Workers are forked from this process: loaded once, they all see the same code, even while it is being edited.

    Raises:
        ImportError: shapewatch, or what it needs, is not installed.
    """
    os.environ["SHAPEWATCH_DEBUG"] = "1"
    import torch
    from torch import nn

    import shapewatch

    torch.set_num_threads(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(6, 2))
    session = shapewatch.watch(model)
    with suppress(RuntimeError), session:
        model(torch.zeros(1, 4))
    str(session.report)


def import_shapewatch(*frameworks: str) -> None:
    """Import all of shapewatch but the adapters of other frameworks and what is for trainers, with its faults made
    loud, and run nothing.

    What `load_shapewatch` does where a framework must not be used before a process is forked: TensorFlow's threads
    do not live on in the copy.

    Raises:
        ImportError: shapewatch, or what it needs, is not installed.
    """
    os.environ["SHAPEWATCH_DEBUG"] = "1"
    import shapewatch
    from shapewatch.adapters import REGISTRY

    others = ("shapewatch.integrations.", *(module for name, module in REGISTRY.items() if name not in frameworks))
    for each in pkgutil.walk_packages(shapewatch.__path__, "shapewatch.", onerror=lambda _: None):
        if not each.name.startswith(others) and not each.name.endswith("__main__"):
            importlib.import_module(each.name)
