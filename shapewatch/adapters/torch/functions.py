"""A compiled function that failed, run uncompiled and on shapes alone.

It runs on copies of all that it takes hold of: its arguments, and the models, functions and objects that it names in
its module or around itself. Where one of them cannot be copied it does not run at all, because it might change it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn.modules.module import register_module_forward_pre_hook

from shapewatch.adapters.torch.blueprint import Blueprint
from shapewatch.adapters.torch.compiled import eager
from shapewatch.adapters.torch.dryrun import copied, tensors_of, undisturbed, why_unsupported
from shapewatch.adapters.torch.instrument import Instrument
from shapewatch.adapters.torch.modes import unseen
from shapewatch.recording import Recording
from shapewatch.source import is_foreign


@dataclass(frozen=True)
class Failed:
    """What a function did on shapes until it failed, and the outermost model that it called last."""

    recording: Recording
    root: nn.Module | None
    path: str
    blueprint: Blueprint | None


def failed_again(function: Any, blueprint: Blueprint) -> Failed | None:
    """A function run again; None where it cannot be, or does not fail."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    copies = _Copies(mode)
    with unseen(), undisturbed(), mode, torch.no_grad():
        args, kwargs = blueprint.make()
        try:
            run, args, kwargs = copies.of(function), copies.of(args), copies.of(kwargs)
        except Exception:
            return None
        failed: Exception | None = None
        refusing = register_module_forward_pre_hook(_refuse_originals)
        with refusing, Instrument(isolated=True) as instrument:
            try:
                run(*args, **kwargs)
            except Exception as error:
                failed = error
        recording = instrument.finish(failed)
    if failed is None or isinstance(failed, _NoCopy) or why_unsupported(failed) is not None:
        return None
    return Failed(recording, copies.original(instrument.root), instrument.root_path, instrument.blueprint)


class _NoCopy(Exception):  # noqa: N818 - it says what is the case
    """A model is about to run that was reached in another way, and is the program's own."""


def _refuse_originals(module: nn.Module, _: Any) -> None:
    weight = next(module.parameters(), None)
    if weight is not None and not isinstance(weight, FakeTensor):
        raise _NoCopy


class _Copies:
    """Copies of what functions take hold of, each made once, with fake tensors for the real ones."""

    def __init__(self, mode: FakeTensorMode) -> None:
        self._mode = mode
        self._done: dict[int, Any] = {}
        self._kept: list[Any] = []
        """The originals: their identities are in use."""

    def of(self, value: Any) -> Any:
        if isinstance(value, _SHARED) or value is None:
            return value
        known = self._done.get(id(value))
        if known is None:
            self._kept.append(value)
            known = self._done[id(value)] = self._made(value)
        return known

    def _made(self, value: Any) -> Any:
        compiled = getattr(value, "_torchdynamo_orig_callable", None)
        if compiled is not None and not isinstance(value, nn.Module):
            return self.of(compiled)
        if isinstance(value, FunctionType):
            return value if is_foreign(value.__code__.co_filename) else self._function(value)
        if isinstance(value, MethodType):
            return MethodType(self.of(value.__func__), self.of(value.__self__))
        self._fake_all(value)
        if isinstance(value, nn.Module):
            return copied(eager(value), self._done)
        return copy.deepcopy(value, self._done)

    def _fake_all(self, value: Any, depth: int = 0) -> None:
        """Have fake tensors for those in a model, a container or an optimizer."""
        if isinstance(value, torch.Tensor):
            if id(value) not in self._done and not isinstance(value, FakeTensor):
                self._kept.append(value)
                self._done[id(value)] = self._mode.from_tensor(value)
        elif isinstance(value, nn.Module):
            for tensor in tensors_of(value):
                self._fake_all(tensor)
        elif depth < 5 and isinstance(value, Mapping):
            for item in value.values():
                self._fake_all(item, depth + 1)
        elif depth < 5 and isinstance(value, list | tuple | set):
            for item in value:
                self._fake_all(item, depth + 1)
        elif depth < 5 and not isinstance(value, _SHARED) and hasattr(value, "__dict__"):
            self._fake_all(vars(value), depth + 1)

    def _function(self, function: FunctionType) -> FunctionType:
        """The same code, with copies of what it names."""
        names = set(_names(function.__code__))
        within = dict(function.__globals__)
        cells = tuple(CellType() for _ in function.__closure__ or ())
        new = FunctionType(function.__code__, within, function.__name__, None, cells)
        new.__kwdefaults__ = self.of(function.__kwdefaults__)
        self._done[id(function)] = new  # before what it names, which may name it
        new.__defaults__ = self.of(function.__defaults__)
        for name in names & within.keys():
            within[name] = self.of(within[name])
        for cell, original in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self.of(original.cell_contents)
        return new

    def original(self, module: nn.Module | None) -> nn.Module | None:
        """The module of the program's that a copy was made of."""
        for value in self._kept:
            for each in value.modules() if isinstance(value, nn.Module) else ():
                if self._done.get(id(each)) is module:
                    return eager(each)
        return None


_SHARED = (
    str,
    bytes,
    int,
    float,
    complex,
    type,
    ModuleType,
    BuiltinFunctionType,
    torch.dtype,
    torch.device,
    torch.Size,
)
"""What is not changed by being used."""


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function's code looks up in its module, with those of the functions written in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
