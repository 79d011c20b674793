"""What fails in other threads while a block is watched: replicas of a model, workers of a pool.

Other threads are not recorded, and nothing is put on their stacks of modes. Where an outermost layer raises in one, it
is kept what it takes to run its pass again on shapes, and that is done if its exception is what ends the block: the
same object (a pool's future raises it again), or one made of its words (`parallel_apply` does that for replicas).
A recorder in each thread was the other way. It would hear what most often nobody asks for, and its mode would stand in
a thread that may outlive the block.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from shapewatch.adapters.torch.blueprint import Blueprint
from shapewatch.recorder import Line
from shapewatch.source import raising_line

KEPT = 16
"""Failures that are kept at most, the latest ones."""


@dataclass(frozen=True)
class FailedElsewhere:
    """A pass that failed in another thread. Not the exception itself: it would keep the tensors of its frames alive."""

    identity: int
    type: str
    message: str
    line: Line | None
    module: nn.Module
    blueprint: Blueprint

    def is_behind(self, error: BaseException) -> bool:
        words = str(error)
        if id(error) == self.identity and (type(error).__name__, words) == (self.type, self.message):
            return True
        return words.startswith(f"Caught {self.type} ") and words.rstrip().endswith(f"{self.type}: {self.message}")


class Elsewhere:
    """The passes that failed in other threads."""

    def __init__(self) -> None:
        self._failed: deque[FailedElsewhere] = deque(maxlen=KEPT)

    def left(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A layer has ended without a result in another thread; the outermost one that raises is told of last."""
        error = sys.exception()
        if not isinstance(error, Exception):
            return
        inner = next((each for each in self._failed if each.identity == id(error)), None)
        if inner is not None:
            if inner.module not in module.modules():
                return  # something that ran while the exception was being handled
            self._failed.remove(inner)
        line = raising_line(error.__traceback__)
        blueprint = Blueprint.of(args, kwargs)
        self._failed.append(FailedElsewhere(id(error), type(error).__name__, str(error), line, module, blueprint))

    def behind(self, error: BaseException | None) -> FailedElsewhere | None:
        """The pass whose exception this is; of several replicas that failed alike, the one that was first."""
        return None if error is None else next((each for each in self._failed if each.is_behind(error)), None)
