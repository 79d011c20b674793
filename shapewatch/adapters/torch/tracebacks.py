"""A traceback as torch would have left it without hooks and modes of ours."""

from __future__ import annotations

import dis
from functools import cache
from types import CodeType, TracebackType

from torch.nn.modules.module import Module
from torch.overrides import handle_torch_function

_CALL = Module._call_impl.__code__
_DISPATCH = handle_torch_function.__code__


def as_unwatched(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames that torch adds when hooks or a function mode are on.

    `_call_impl` goes through its `inner` where there are hooks: the two entries become the one of its short way.
    `F.relu` under a mode calls itself again through `handle_torch_function`: the first of the two is left out.
    A layer with hooks of its own goes through `inner` anyway, and is left as it is.
    """
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    kept: list[tuple[TracebackType, int, int]] = []
    index = 0
    while index < len(entries):
        entry = entries[index]
        code = entry.tb_frame.f_code
        if code is _DISPATCH and index + 1 < len(entries):
            again = entries[index + 1].tb_frame.f_code
            first = next((i for i in range(len(kept) - 1, -1, -1) if kept[i][0].tb_frame.f_code is again), None)
            if first is not None:
                del kept[first:]
                index += 1
                continue
        after = [one.tb_frame.f_code for one in entries[index + 1 : index + 3]]
        if code is _CALL and after and after[0].co_name == "inner" and not _has_hooks(entry):
            short = _short_way(code)
            if short is not None:
                kept.append((entry, *short))
                index += 2
                continue
        kept.append((entry, entry.tb_lasti, entry.tb_lineno))
        index += 1
    whole = None
    for entry, instruction, line in reversed(kept):
        whole = TracebackType(whole, entry.tb_frame, instruction, line)
    return whole


def _has_hooks(entry: TracebackType) -> bool:
    module = entry.tb_frame.f_locals.get("self")
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return any(getattr(module, name, None) for name in names)


@cache
def _short_way(code: CodeType) -> tuple[int, int] | None:
    """Instruction and line of the first `forward_call(…)` in `_call_impl`; None where it is written otherwise."""
    loaded = False
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("LOAD") and instruction.argval == "forward_call":
            loaded = True
        elif loaded and instruction.opname == "CALL_FUNCTION_EX":
            line = instruction.positions.lineno if instruction.positions else None
            return (instruction.offset, line) if line is not None else None
    return None
