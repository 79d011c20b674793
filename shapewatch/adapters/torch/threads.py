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
from shapewatch.adapters.torch.compiled import CompiledCall, raised_at
from shapewatch.source import raising_line

KEPT = 16
"""Failures that are kept at most, the latest ones."""


@dataclass(frozen=True)
class FailedElsewhere:
    """A pass that failed in another thread: of a module or, where it is None, of a compiled function. Not the exception
    itself: it would keep the tensors of its frames alive."""

    identity: int
    type: str
    message: str
    place: tuple[str, int] | None
    module: nn.Module | None
    blueprint: Blueprint
    function: Any = None

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
        inner = self._known(error)
        if inner is not None:
            if inner.module is not None and inner.module not in module.modules():
                return  # something that ran while the exception was being handled
            self._failed.remove(inner)
        self._keep(error, module, Blueprint.of(args, kwargs))

    def left_compiled(self, call: CompiledCall, error: Exception) -> None:
        """Compiled code has failed in another thread. What is inside of it ran as if nobody watched; a layer that calls
        it is told of later."""
        if self._known(error) is None:
            function = call.function if call.module is None else None
            self._keep(error, call.module, Blueprint.of(call.args, dict(call.kwargs)), function)

    def _known(self, error: Exception) -> FailedElsewhere | None:
        return next((each for each in self._failed if each.identity == id(error)), None)

    def _keep(self, error: Exception, module: nn.Module | None, blueprint: Blueprint, function: Any = None) -> None:
        kind, words = type(error).__name__, str(error)
        self._failed.append(FailedElsewhere(id(error), kind, words, _place(error), module, blueprint, function))

    def behind(self, error: BaseException | None) -> FailedElsewhere | None:
        """The pass whose exception this is; of several replicas that failed alike, the one that was first."""
        return None if error is None else next((each for each in self._failed if each.is_behind(error)), None)


def _place(error: Exception) -> tuple[str, int] | None:
    """Of what a compiler raised, the line that it read; else the one that ran."""
    if getattr(error, "real_stack", None):
        return raised_at(error)
    line = raising_line(error.__traceback__)
    return None if line is None else (line[0].co_filename, line[1])
