"""Of PyTorch's adapter: which functions PyTorch calls, which take a watch off, and how to take one off that could not
end."""

from __future__ import annotations

import sys

import torch
from torch.overrides import _get_current_function_mode_stack, _pop_mode

from support.faults import OF_ANY_TRIAL, take_taps_off

OF_PYTORCH = {
    "adapters.torch.instrument.Instrument._before", "adapters.torch.instrument.Instrument._after",
    "adapters.torch.instrument.Instrument.__torch_function__", "adapters.torch.instrument.Instrument._asleep",
    "adapters.torch.instrument._in_backward", "adapters.torch.instrument._is_of_keras",
    "adapters.torch.instrument.Instrument._before_step", "adapters.torch.instrument.Instrument._after_step",
    "adapters.torch.compiled.is_read", "adapters.torch.compiled._until_the_end.ended",
}  # fmt: skip

OF_A_TRIAL = (
    *OF_ANY_TRIAL, "adapters.torch.dryrun.", "adapters.torch.edit.", "adapters.torch.interventions.",
    "recorder.Recorder.place",
)  # fmt: skip

ENDS = (
    "adapters.torch.instrument.Instrument._", "adapters.torch.modes.remove_mode", "adapters.torch.compiled.",
    "adapters.taps.", "adapters.appearing.",
)  # fmt: skip
"""What takes a watch off. Where it fails, something of a watch stays on PyTorch's lists."""


def put_back() -> None:
    while _get_current_function_mode_stack():
        _pop_mode()
    for name, hooks in vars(torch.nn.modules.module).items():
        if name.startswith("_global_") and isinstance(hooks, dict):
            hooks.clear()
    take_taps_off()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("shapewatch")]
