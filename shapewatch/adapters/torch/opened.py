"""Which layers are open: their `forward` runs now."""

from __future__ import annotations

from types import FrameType

from torch import nn
from torch.overrides import TorchFunctionMode, _push_mode

from shapewatch.adapters.torch.modes import put_back
from shapewatch.recorder import OpenCall, Recorder

CALL = nn.Module._call_impl.__code__

UNRECORDED = OpenCall(-1, "", "", "", True, None)
"""Stands for the call of an outermost layer that is not recorded."""


def caller_of_layer(frame: FrameType | None) -> FrameType | None:
    """The frame from which the innermost layer is called."""
    while frame is not None and frame.f_code is not CALL:
        frame = frame.f_back
    return None if frame is None else frame.f_back


class OpenLayers(list[tuple[nn.Module, OpenCall, BaseException | None, bool]]):
    """Outermost first, each with its call, the exception that was on its way when it began, and whether the mode is
    lifted until it ends.

    A list itself: whether it is empty is asked at each operation.
    """

    def __init__(self, mode: TorchFunctionMode, recorder: Recorder) -> None:
        super().__init__()
        self.mode = mode
        self.below = 0
        """How many modes there were when it was put on: where it is put back later than it should be, the program may
        have entered others since, and each takes off what is uppermost when it leaves."""
        self._recorder = recorder

    def leave(self, module: nn.Module) -> tuple[OpenCall, BaseException | None] | None:
        """A layer ends, and whatever was left open inside it. Its call, and what was on its way when it began."""
        position = len(self) - 1 if self and self[-1][0] is module else self._position(module)
        if position is None:
            return None
        _, call, error_before, lifted = self[position]
        if position < len(self) - 1:  # one of those inside it was interrupted
            lifted = any(each[3] for each in self[position:])
        del self[position:]
        if lifted:
            _push_mode(self.mode)
        return call, error_before

    def close_left(self, frame: FrameType | None) -> None:
        """Close the layers that a KeyboardInterrupt left open: torch runs no hook for it, and their frames are gone.

        Asked only when a module begins that is not known to be inside another, such as an outermost one that begins
        again, and when one begins inside a leaf; a walk over frames costs too much for every layer.

        Args:
            frame: what calls the module that begins.
        """
        while frame is not None:
            if frame.f_code is CALL:
                position = self._position(frame.f_locals.get("self"))
                if position is not None:
                    self._close_from(position + 1)
                    return
            frame = frame.f_back
        self._close_from(0)

    def _close_from(self, position: int) -> None:
        for _, call, _, lifted in reversed(self[position:]):
            self._recorder.close_layer(call, (), False)
            if lifted:
                put_back(self.mode, self.below)
        del self[position:]

    def _position(self, module: object) -> int | None:
        """Where a layer is; the innermost place of one that calls itself."""
        return next((i for i in range(len(self) - 1, -1, -1) if self[i][0] is module), None)
