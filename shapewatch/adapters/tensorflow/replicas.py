"""Replicas: `strategy.run` runs the program in a thread for each device, by turns, while the thread waits in which it
was called.

The first replica is recorded as if it ran there. The others run beside it: they do the same on other data, and what
fails in one of them alone is looked at again on shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from tensorflow.python.distribute import mirrored_run

from shapewatch.adapters.taps import Tap

_MADE = Tap(mirrored_run._MirroredReplicaThread, "__init__")


def listen(
    asleep: Callable[[], bool], goes_on_here: Callable[[bool], AbstractContextManager[None]], stack: ExitStack
) -> None:
    """Run replicas inside `goes_on_here` until the stack is closed; it is told whether the replica is the first."""

    def made(original: Any, thread: Any, *args: Any, **kwargs: Any) -> None:
        original(thread, *args, **kwargs)
        program = thread.main_fn

        def run(*args: Any, **kwargs: Any) -> Any:
            with goes_on_here(thread.replica_id == 0):
                return program(*args, **kwargs)

        thread.main_fn = run

    _MADE.listen(made, stack, asleep)
