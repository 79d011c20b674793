"""A PyTorch model run on shapes alone: fake tensors, on a copy whose weights are fake too.

The copy is a deep copy for which every tensor is already "copied" to a fake one, so nothing big is copied, and
counters, caches and batch-norm statistics that the pass moves are the copy's. What cannot be deep-copied (a lock, an
open file) is shared with the original instead.
"""

from __future__ import annotations

import copy
import logging
import random
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from types import FrameType, MethodType
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.modules import transformer
from torch.overrides import TorchFunctionMode

from shapewatch.adapters import Trial
from shapewatch.adapters.torch.blueprint import Blueprint, spec_tree
from shapewatch.adapters.torch.compiled import eager, is_wrapper
from shapewatch.adapters.torch.edit import put_in
from shapewatch.adapters.torch.instrument import Instrument
from shapewatch.adapters.torch.modes import unseen
from shapewatch.edits import Edit, Input
from shapewatch.recording import Recording

_UNSUPPORTED = {
    "DataDependentOutputException": "the forward pass reads a tensor's contents (`.item()`, `if tensor:`), and a pass "
    "on shapes alone has none",
    "DynamicOutputShapeException": "a result's shape depends on a tensor's contents (`nonzero`, a boolean mask), and a "
    "pass on shapes alone has none",
    "UnsupportedOperatorException": "an operation has no shape-only form",
    "UnsupportedFakeTensorException": "a kind of tensor has no shape-only form",
    "GuardOnDataDependentSymNode": "the forward pass branches on a tensor's contents, and a pass on shapes alone has "
    "none",
}


_CONTENTS_WANTED = ("FakeTensor", "meta tensor", "data is not allocated", ".numpy() is not supported")


_SHARDED = "has its weights on several ranks: check the model before it is sharded"


class _UnreadMasks(TorchFunctionMode):
    """PyTorch's transformers look whether a mask is the causal one, to choose a kernel: on shapes alone it is not read,
    and said not to be. The shapes are the same either way."""

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if function is torch.Tensor.__bool__:
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and frame.f_code.co_name == "__torch_function__":  # of modes above this one
                frame = frame.f_back
            if frame is not None and frame.f_code is _DETECTS_CAUSAL:
                return False
        return function(*args, **(kwargs or {}))


_DETECTS_CAUSAL = getattr(getattr(transformer, "_detect_is_causal_mask", None), "__code__", None)


class TorchProbe:
    """A model and its inputs, ready to be run on shapes alone any number of times.

    `path` is what the model is called by, where it is part of another, or not the first one of a program: edits name
    layers from there, and a recording that is compared with the program's has to.
    """

    def __init__(self, model: nn.Module, blueprint: Blueprint, path: str = "") -> None:
        model = eager(model)
        self._cannot = without_shape(model)
        self._mode = FakeTensorMode(allow_non_fake_inputs=True)
        self._blueprint = blueprint
        self._model = model
        self._path = path

    @cached_property
    def _fakes(self) -> dict[int, Any]:
        """The model's tensors, by identity, to fake ones; made when the first pass is run, which is mostly never."""
        with unseen(), self._mode:
            return {id(tensor): self._mode.from_tensor(tensor) for tensor in tensors_of(self._model)}

    @cached_property
    def _parameters(self) -> int:
        return sum(parameter.numel() for parameter in self._model.parameters())

    def run(self, edits: Sequence[Edit] = ()) -> Trial:
        if self._cannot is not None:
            return Trial(Recording("torch"), unsupported=self._cannot)
        with unseen(), undisturbed(), self._mode, torch.no_grad():
            try:
                whole = _at(self._path, self._copy())
                interventions = put_in(whole, edits, [])
                model = whole.get_submodule(self._path)
            except Exception as error:
                what = "the change could not be put in place" if edits else "the model could not be made ready"
                return Trial(Recording("torch"), unsupported=f"{what}: {error}", broken=None if edits else error)
            inputs = self._blueprint.edited([edit for edit in edits if isinstance(edit, Input)])
            args, kwargs = inputs.make()
            added = [module for pairs in interventions.modules.values() for _, module in pairs]
            parameters = sum(p.numel() for part in (model, *added) for p in part.parameters()) - self._parameters
            failed: Exception | None = None
            output = None
            masks = any(isinstance(part, nn.TransformerEncoder | nn.TransformerDecoder) for part in whole.modules())
            with (
                _UnreadMasks() if masks else nullcontext(),
                Instrument(whole, interventions, isolated=True) as instrument,
            ):
                try:
                    output = spec_tree(model(*args, **kwargs))
                except Exception as error:
                    failed = error
            recording = instrument.finish(failed)
        unsupported = None if failed is None else why_unsupported(failed)
        return Trial(recording, output, parameters, unsupported)

    def _copy(self) -> nn.Module:
        return copied(self._model, dict(self._fakes))


def copied(model: nn.Module, done: dict[int, Any]) -> nn.Module:
    """A copy of a model as it was before anything in it was compiled. `done` has the copies of its tensors, and gets
    those of its modules."""
    made = dict(done)
    try:
        for wrapper in filter(is_wrapper, model.modules()):
            made[id(wrapper)] = copy.deepcopy(eager(wrapper), made)
        new = copy.deepcopy(model, made)
        kept = made.pop(id(made), [])  # by `deepcopy`, for the length of its memo: whose identity another dict may get
        done.update(made)
        done.setdefault(id(done), []).append(kept)
    except Exception:
        new = _copied_modules(model, dict(done), done)
    for module in new.modules():
        _uncompile(module, done)
    return new


def _at(path: str, model: nn.Module) -> nn.Module:
    """Modules that do nothing but give a model its path."""
    for name in reversed(path.split(".") if path else ()):
        holder = nn.Module()
        holder.train(model.training)
        holder._modules[name] = model
        model = holder
    return model


def without_shape(model: nn.Module) -> str | None:
    """Which layer keeps a model from being run on shapes, and what is to be done about it.

    A lazy layer's weights have none before its first pass. What TorchScript has made runs outside of Python. What is
    sharded has its weights on other ranks, and FullyShardedDataParallel prints a stack when it does not find its own.
    """
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            return f"{path or 'it'} is a module of TorchScript: run the model that it was made of"
        if type(module).__name__ == "FullyShardedDataParallel":
            return f"{path or 'it'} {_SHARDED}"
        if getattr(module, "has_uninitialized_params", bool)():
            name = type(module).__name__
            return f"{path} is a {name} and has no shape before its first pass: run the model once first"
    return None


def why_unsupported(error: BaseException) -> str | None:
    seen: BaseException | None = error
    while seen is not None:
        for name, reason in _UNSUPPORTED.items():
            if any(cls.__name__ == name for cls in type(seen).__mro__):
                return reason
        seen = seen.__cause__ or seen.__context__
    message = str(error)
    if "mixed torch.Tensor and DTensor" in message:
        return f"it {_SHARDED}"
    if any(words in message for words in _CONTENTS_WANTED):
        return "the forward pass needs a tensor's contents, and a pass on shapes alone has none"
    return None


def tensors_of(model: nn.Module) -> Iterator[torch.Tensor]:
    """Every tensor that the model's modules hold: parameters, buffers, and what lies in plain attributes."""
    for module in model.modules():
        for store in (module._parameters, module._buffers):
            yield from (tensor for tensor in store.values() if tensor is not None)
        for name, value in vars(module).items():
            if name not in ("_parameters", "_buffers", "_modules"):
                yield from _plain_tensors(value)


def _plain_tensors(value: Any, depth: int = 0) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif depth < 2 and isinstance(value, list | tuple):
        for item in value:
            yield from _plain_tensors(item, depth + 1)
    elif depth < 2 and isinstance(value, dict):
        for item in value.values():
            yield from _plain_tensors(item, depth + 1)


def _uncompile(module: nn.Module, done: Mapping[int, Any]) -> None:
    """Take compiled methods off a copied module, which are those of the original: `model.forward = compile(…)`."""
    for name, value in list(vars(module).items()):
        method = getattr(value, "_torchdynamo_orig_callable", None)
        if name == "_compiled_call_impl":
            module._compiled_call_impl = None
        elif isinstance(method, MethodType) and id(method.__self__) in done:
            setattr(module, name, MethodType(method.__func__, done[id(method.__self__)]))


def _copied_modules(module: nn.Module, fakes: Mapping[int, Any], done: dict[int, nn.Module]) -> nn.Module:
    """The tree of modules copied, and each attribute that can be; what cannot is shared."""
    module = eager(module)
    if id(module) in done:
        return done[id(module)]
    new = object.__new__(type(module))
    done[id(module)] = new
    new.__dict__ = {name: _copied(value, fakes) for name, value in vars(module).items() if name != "_modules"}
    new._parameters = {name: fakes.get(id(p), p) for name, p in module._parameters.items()}
    new._buffers = {name: fakes.get(id(b), b) for name, b in module._buffers.items()}
    new._modules = {
        name: None if child is None else _copied_modules(child, fakes, done) for name, child in module._modules.items()
    }
    return new


def _copied(value: Any, fakes: Mapping[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, dict(fakes))
    except Exception:
        return value


@contextmanager
def undisturbed() -> Iterator[None]:
    """The random generators as they were, and no warnings of a pass that the user did not ask for."""
    state, numpy = random.getstate(), sys.modules.get("numpy.random")
    numpy_state = numpy.get_state() if numpy else None
    log = logging.getLogger("torch._subclasses.fake_tensor")  # reports every shape error that a dry run is made to find
    silent = log.disabled
    log.disabled = True
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            log.disabled = silent
            random.setstate(state)
            if numpy is not None and numpy_state is not None:
                numpy.set_state(numpy_state)
