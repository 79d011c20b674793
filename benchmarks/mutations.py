"""Models broken by one change each, as a slip in a constructor would break them, and inputs that do not fit.

    for mutant in mutants(architecture, model, count=10, seed=0):
        with mutant.applied(model, architecture.example()) as inputs:
            model(*inputs)  # raises
        model(*architecture.example())  # runs: the change is undone

A mutation builds one layer anew with one argument changed and puts it in the place of the old one; or takes a
projection out of a skip connection; or changes the shape of an input. Only layers that take part in the pass
are touched, and only changes with which the real forward pass raises are kept.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.shapes import Shapes, shapes_of
from benchmarks.slips import TRIES_PER_MUTANT, in_turn, widths
from benchmarks.zoo import Architecture, Mode

SHAPE_ERRORS = (RuntimeError, ValueError, IndexError, AssertionError)
"""What a shape that does not fit raises. After a `TypeError`, say, the slip is of another kind."""


@dataclass(frozen=True, kw_only=True)
class Slip:
    """One change to a model or to its first input, which may or may not make the forward pass raise.

    `layer` is the path of the changed layer, or `input`. `also` are other answers that no fact of the model
    tells from it: the block that lacks its projection, the layer that takes the input as it comes.
    `exact` is False where the sizes of a repaired output depend on the repair's choice (an input of 65 pixels
    can become one of 64 or of 96) and only the ranks count.
    """

    kind: str
    layer: str
    description: str
    also: frozenset[str] = frozenset()
    exact: bool = True
    change: Callable[[nn.Module], nn.Module | None] | None = field(default=None, repr=False, compare=False)
    change_input: Callable[[Tensor], Tensor] | None = field(default=None, repr=False, compare=False)

    def apply(self, model: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Change `model` in place, and return the inputs to call it with.

        Raises:
            ImpossibleError: the layer cannot be built with this change; the model is as it was.
        """
        if self.change is not None:
            put(model, self.layer, self.change(model.get_submodule(self.layer)))
        if self.change_input is not None:
            return (self.change_input(inputs[0]), *inputs[1:])
        return inputs

    @contextmanager
    def applied(self, model: nn.Module, inputs: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """The same as `apply`, undone at the end of the block."""
        healthy = model.get_submodule(self.layer) if self.change is not None else None
        try:
            yield self.apply(model, inputs)
        finally:
            if healthy is not None:
                put(model, self.layer, healthy)


@dataclass(frozen=True, kw_only=True)
class Mutant(Slip):
    """A slip with which the forward pass of an architecture raises `error`.

    `expected` are the shapes that the model returns with the slip repaired.
    """

    architecture: str
    mode: Mode
    error: str
    expected: Shapes


def put(model: nn.Module, path: str, module: nn.Module | None) -> None:
    """Make `module` the layer at `path`. None is what a block without that layer would hold."""
    parent, _, name = path.rpartition(".")
    model.get_submodule(parent)._modules[name] = module


def mutants(
    architecture: Architecture, model: nn.Module, count: int, seed: int, mode: Mode = "eval"
) -> Iterator[Mutant]:
    """At most `count` mutants, spread over the kinds of mutation; the same ones for the same seed.

    A smaller count gives the first of the same mutants. The model is as it was between two of them.

    Raises:
        RuntimeError and others: the healthy model itself does not run.
    """
    inputs = architecture.example()
    seen = observe(model, inputs)
    chooser = random.Random(f"{seed}:{architecture.name}:{mode}")
    tried = itertools.islice(in_turn(slips(model, inputs, seen), chooser), TRIES_PER_MUTANT * count)
    found = 0
    for slip in tried:
        try:
            with slip.applied(model, inputs) as changed:
                error = forward_error(model, changed)
        except ImpossibleError:
            continue
        if error is None:
            continue
        expected = seen.output
        if slip.kind == "input.no-batch":
            expected = shapes_of(model(*(each[:1] for each in inputs)))
        values = {name: getattr(slip, name) for name in Slip.__dataclass_fields__}
        yield Mutant(**values, architecture=architecture.name, mode=mode, error=error, expected=expected)
        found += 1
        if found == count:
            return


def forward_error(model: nn.Module, inputs: tuple[Any, ...]) -> str | None:
    """What the forward pass raises about shapes, as `Type: first line`; None where it does not."""
    try:
        model(*inputs)
    except NotImplementedError:
        return None
    except SHAPE_ERRORS as error:
        if "memory" in str(error):
            return None
        return describe_error(error)
    except Exception:  # the change made something that is no program: not a shape error, so not a mutant
        return None
    return None


def describe_error(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


# What the healthy pass shows


@dataclass(frozen=True)
class Observed:
    """A healthy pass: the layers that took part, what they took and gave, and the shapes that came out.

    `took` and `gave` hold, by layer path, the first tensor of the first call; the tensors themselves are kept
    while this lives, so that identity means what it says.
    """

    output: Shapes
    took: Mapping[str, Tensor]
    gave: Mapping[str, Tensor]

    def is_projection(self, path: str, model: nn.Module) -> bool:
        """Whether this layer stands in a skip connection, and gives another shape than it takes.

        It is called what such layers are called, and shares what it takes with another child of its block.
        """
        block, _, name = path.rpartition(".")
        if path not in self.gave or self.took[path].shape == self.gave[path].shape:
            return False
        if name not in PROJECTIONS and not any(word in name for word in PROJECTION_WORDS):
            return False
        children = (f"{block}.{child}" if block else child for child, _ in model.get_submodule(block).named_children())
        return any(child != path and self.took.get(child) is self.took[path] for child in children)


PROJECTIONS = ("proj", "conv_1x1", "conv_scale")
PROJECTION_WORDS = ("downsample", "shortcut", "skip", "projection")


def observe(model: nn.Module, inputs: tuple[Any, ...]) -> Observed:
    """Run the healthy model and note which layers take part, and what they take and give."""
    took: dict[str, Tensor] = {}
    gave: dict[str, Tensor] = {}

    def before(path: str, _module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        first = next((a for a in (*arguments, *named.values()) if isinstance(a, Tensor)), None)
        if first is not None:
            took.setdefault(path, first)

    def after(path: str, _module: nn.Module, _arguments: tuple[Any, ...], result: Any) -> None:
        first = result[0] if isinstance(result, tuple) and result else result
        if isinstance(first, Tensor):
            gave.setdefault(path, first)

    hooks = []
    try:
        for path, module in model.named_modules():
            hooks.append(module.register_forward_pre_hook(partial(before, path), with_kwargs=True))
            hooks.append(module.register_forward_hook(partial(after, path)))
        output = shapes_of(model(*inputs))
    finally:
        for hook in hooks:
            hook.remove()
    return Observed(output, took, gave)


# Building a layer anew


class ImpossibleError(Exception):
    """The layer cannot be built with this argument."""


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm1d, nn.InstanceNorm2d)
LAYER_NORMS = (nn.LayerNorm, nn.RMSNorm)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVERAGE_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
ADAPTIVE_POOLS = (
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
)
RECURRENT = (nn.LSTM, nn.GRU, nn.RNN)
CELLS = (nn.LSTMCell, nn.GRUCell)

_CONVOLUTION = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode"

CONSTRUCTORS: dict[type[nn.Module], str] = {
    **dict.fromkeys(CONVOLUTIONS, _CONVOLUTION),
    **dict.fromkeys(TRANSPOSED, f"{_CONVOLUTION} output_padding"),
    **dict.fromkeys(BATCH_NORMS, "num_features eps momentum affine track_running_stats"),
    nn.LayerNorm: "normalized_shape eps elementwise_affine bias",
    nn.RMSNorm: "normalized_shape eps elementwise_affine",
    nn.GroupNorm: "num_groups num_channels eps affine",
    **dict.fromkeys(MAX_POOLS, "kernel_size stride padding dilation return_indices ceil_mode"),
    **dict.fromkeys(AVERAGE_POOLS, "kernel_size stride padding ceil_mode count_include_pad"),
    **dict.fromkeys(ADAPTIVE_POOLS, "output_size"),
    nn.Linear: "in_features out_features bias",
    nn.Bilinear: "in1_features in2_features out_features bias",
    nn.Embedding: "num_embeddings embedding_dim padding_idx",
    nn.Upsample: "size scale_factor mode align_corners",
    nn.PixelShuffle: "upscale_factor",
    nn.PReLU: "num_parameters",
    nn.Flatten: "start_dim end_dim",
    nn.MultiheadAttention: "embed_dim num_heads dropout bias kdim vdim batch_first",
    **dict.fromkeys(RECURRENT, "input_size hidden_size num_layers bias batch_first dropout bidirectional"),
    **dict.fromkeys(CELLS, "input_size hidden_size bias"),
}
"""The constructor arguments of the layers that are mutated, each kept in an attribute of its name."""


def base_of(module: nn.Module) -> type[nn.Module] | None:
    """The class in `CONSTRUCTORS` that this layer is, or is a subclass of."""
    return next((cls for cls in type(module).__mro__ if cls in CONSTRUCTORS), None)


def arguments_of(module: nn.Module, base: type[nn.Module]) -> dict[str, Any]:
    values = {name: getattr(module, name) for name in CONSTRUCTORS[base].split() if name != "bias"}
    if "bias" in CONSTRUCTORS[base].split():
        # recurrent layers keep a bool, the others the weights themselves or None
        bias = module.in_proj_bias if base is nn.MultiheadAttention else module.bias
        values["bias"] = bias is not None and bias is not False
    return values


def rebuilt(changes: Mapping[str, Any], module: nn.Module) -> nn.Module:
    """The layer built with these arguments changed. A library's subclass keeps its class and other settings.

    Raises:
        ImpossibleError: the constructor refuses the arguments, or the subclass has weights of its own that
            the change would have to resize.
    """
    base = base_of(module)
    assert base is not None
    try:
        fresh = base(**arguments_of(module, base) | dict(changes))
    except Exception as error:
        raise ImpossibleError(str(error)) from error
    fresh.train(module.training)
    if type(module) is base:
        return fresh
    resized = any(
        name not in fresh._parameters or _shape(value) != _shape(fresh._parameters[name])
        for name, value in module._parameters.items()
    )
    own = set(module._parameters) - set(fresh._parameters)
    if resized and own:
        raise ImpossibleError(f"{type(module).__name__} has weights of its own: {sorted(own)}")
    kept = {"_modules", *(name for name in module.__dict__ if "hooks" in name)}
    clone = copy.copy(module)
    clone.__dict__.update({name: value for name, value in fresh.__dict__.items() if name not in kept})
    clone._parameters = dict(module._parameters) | dict(fresh._parameters)
    clone._buffers = dict(module._buffers) | dict(fresh._buffers)
    return clone


def _shape(value: Tensor | None) -> tuple[int, ...] | None:
    return None if value is None else tuple(value.shape)


# The catalogue of slips


def slips(model: nn.Module, inputs: tuple[Any, ...], seen: Observed) -> list[Slip]:
    """Every change in the catalogue that this model and its inputs offer, in the order of the layers."""
    shared = {module for module, times in _occurrences(model).items() if times > 1}
    projections = {path for path in seen.took if path and seen.is_projection(path, model)}
    found = list(input_slips(inputs, seen))
    for path, module in model.named_modules():
        if not path or path not in seen.took or module in shared:
            continue
        if path in projections:
            found += projection_slips(path, model)
        base = base_of(module)
        if base is None or hasattr(module, "parametrizations"):
            continue
        projection = next((p for p in projections if path == p or path.startswith(f"{p}.")), None)
        takes_input = any(seen.took[path] is each for each in inputs)
        for kind, changes in layer_slips(module, base):
            also: frozenset[str] = frozenset()
            if projection is not None:
                kind = f"projection.{kind.split('.')[1]}"
                also = frozenset({projection, projection.rpartition(".")[0]} - {path})
            elif takes_input and set(changes) & TAKES:
                also = frozenset({"input"})
            description = _say(path, module, changes)
            change = partial(rebuilt, changes)
            found.append(Slip(kind=kind, layer=path, description=description, also=also, change=change))
    return found


TAKES = {"in_channels", "in_features", "input_size"}
"""The arguments that say what a layer takes: on the first layer, a wrong one looks like a wrong input."""


def _occurrences(model: nn.Module) -> dict[nn.Module, int]:
    times: dict[nn.Module, int] = {}
    for _, module in model.named_modules(remove_duplicate=False):
        times[module] = times.get(module, 0) + 1
    return times


def _say(path: str, module: nn.Module, changes: Mapping[str, Any]) -> str:
    parts = [f"{name} {_value(getattr(module, name))} -> {_value(value)}" for name, value in changes.items()]
    return f"{path} ({type(module).__name__}): {', '.join(parts)}"


def _value(value: Any) -> str:
    """`(3, 3)` as `3`: shorter, and the way that authors write it."""
    if isinstance(value, tuple | list) and len(set(value)) == 1:
        return str(value[0])
    return str(tuple(value)) if isinstance(value, list) else str(value)


def _each(values: Sequence[int] | int, change: Callable[[int], int]) -> tuple[int, ...] | int:
    return change(values) if isinstance(values, int) else tuple(change(value) for value in values)


def _largest(values: Sequence[int] | int) -> int:
    return values if isinstance(values, int) else max(values)


def _other_stride(stride: int) -> int:
    return 2 if stride == 1 else stride // 2


def layer_slips(module: nn.Module, base: type[nn.Module]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and changed arguments of each slip in a layer of this class."""
    m: Any = module
    if base in CONVOLUTIONS or base in TRANSPOSED:
        yield from _convolution_slips(m, "transposed" if base in TRANSPOSED else "conv")
    elif base in BATCH_NORMS:
        yield from (("norm.batch", {"num_features": n}) for n in widths(m.num_features))
    elif base in LAYER_NORMS:
        last = m.normalized_shape[-1]
        yield from (("norm.layer", {"normalized_shape": (*m.normalized_shape[:-1], n)}) for n in widths(last))
    elif base is nn.GroupNorm:
        wrong = (2 * m.num_channels, m.num_channels + m.num_groups, m.num_channels // 2)
        yield from (("norm.group", {"num_channels": n}) for n in wrong)
    elif base in MAX_POOLS or base in AVERAGE_POOLS:
        yield from _pool_slips(m)
    elif base in ADAPTIVE_POOLS:
        sizes = {m.output_size} if isinstance(m.output_size, int) else set(m.output_size)
        yield from (("pool.output", {"output_size": s + more}) for s in sizes if s is not None for more in (1, 2))
    elif base is nn.Linear:
        yield from (("linear.in", {"in_features": n}) for n in widths(m.in_features))
        yield from (("linear.out", {"out_features": n}) for n in widths(m.out_features))
    elif base is nn.Bilinear:
        yield from (("linear.in", {"in2_features": n}) for n in widths(m.in2_features))
    elif base is nn.Embedding:
        yield from (("embedding.width", {"embedding_dim": n}) for n in widths(m.embedding_dim))
    elif base is nn.Upsample and m.scale_factor is not None:
        yield from (("resize.scale", {"scale_factor": s}) for s in (1, 2, 3, 4) if s != m.scale_factor)
    elif base is nn.PixelShuffle:
        yield ("resize.shuffle", {"upscale_factor": m.upscale_factor + 1})
    elif base is nn.PReLU:
        more = widths(m.num_parameters) if m.num_parameters > 1 else [16, 64]
        yield from (("prelu.width", {"num_parameters": n}) for n in more)
    elif base is nn.Flatten:
        yield ("flatten.start", {"start_dim": m.start_dim + 1})
        yield ("flatten.start", {"start_dim": m.start_dim - 1})
    elif base is nn.MultiheadAttention:
        for n in (2 * m.embed_dim, m.embed_dim + m.num_heads, m.embed_dim // 2):
            # kdim and vdim follow embed_dim unless they were given
            follow = {} if m.kdim != m.embed_dim else {"kdim": n, "vdim": n}
            yield ("attention.width", {"embed_dim": n, **follow})
    elif base in RECURRENT or base in CELLS:
        yield from (("recurrent.input", {"input_size": n}) for n in widths(m.input_size))
        yield from (("recurrent.hidden", {"hidden_size": n}) for n in widths(m.hidden_size))
        if base in RECURRENT:
            yield ("recurrent.directions", {"bidirectional": not m.bidirectional})


def _convolution_slips(m: Any, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield (f"{kind}.stride", {"stride": _each(m.stride, _other_stride)})
    if len(m.stride) > 1:
        yield (f"{kind}.stride", {"stride": (_other_stride(m.stride[0]), *m.stride[1:])})
    if not isinstance(m.padding, str):
        if any(m.padding):
            yield (f"{kind}.padding", {"padding": _each(m.padding, lambda _: 0)})
        yield (f"{kind}.padding", {"padding": _each(m.padding, lambda p: p + 1)})
    yield (f"{kind}.kernel", {"kernel_size": _each(m.kernel_size, lambda k: k + 2)})
    yield (f"{kind}.kernel", {"kernel_size": _each(m.kernel_size, lambda k: k - 2 if k > 2 else k + 1)})
    if max(m.kernel_size) > 1:
        yield (f"{kind}.dilation", {"dilation": _each(m.dilation, lambda d: d + 1)})
    if any(m.output_padding):
        yield (f"{kind}.output-padding", {"output_padding": _each(m.output_padding, lambda _: 0)})
    elif kind == "transposed" and max(m.stride) > 1:
        yield (f"{kind}.output-padding", {"output_padding": _each(m.stride, lambda s: s - 1)})
    yield from ((f"{kind}.out", {"out_channels": n}) for n in widths(m.out_channels))
    yield from ((f"{kind}.in", {"in_channels": n}) for n in widths(m.in_channels))
    # no slip in `groups` alone: where the constructor accepts it, the forward pass runs


def _pool_slips(m: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    yield ("pool.stride", {"stride": _each(m.stride, _other_stride)})
    yield ("pool.kernel", {"kernel_size": _each(m.kernel_size, lambda k: k + 1)})
    yield ("pool.kernel", {"kernel_size": _each(m.kernel_size, lambda k: max(k - 1, 1))})
    if _largest(m.padding) > 0:
        yield ("pool.padding", {"padding": _each(m.padding, lambda _: 0)})
    elif _largest(m.kernel_size) > 1:
        yield ("pool.padding", {"padding": _each(m.padding, lambda _: 1)})
    yield ("pool.ceil", {"ceil_mode": not m.ceil_mode})


def projection_slips(path: str, model: nn.Module) -> Iterator[Slip]:
    """The projection taken out: an identity, or None where another block of the class has None there."""
    block, _, name = path.rpartition(".")
    also = frozenset({block} - {""})
    blocks = type(model.get_submodule(block))

    def identity(module: nn.Module) -> nn.Module:
        return nn.Identity().train(module.training)

    yield Slip(
        kind="projection.removed",
        layer=path,
        description=f"{path}: no projection",
        also=also,
        change=identity,
    )
    if any(getattr(other, name, 0) is None for other in model.modules() if type(other) is blocks):
        yield Slip(
            kind="projection.missing",
            layer=path,
            description=f"{path}: None",
            also=also,
            change=lambda _: None,
        )


def input_slips(inputs: tuple[Any, ...], seen: Observed) -> Iterator[Slip]:
    """Slips in the first input: its layout, its batch axis, its channels, its size."""
    first: Tensor = inputs[0]
    rank = first.dim()
    takers = frozenset(path for path, tensor in seen.took.items() if path and tensor is first)

    def slip(
        kind: str, change: Callable[[Tensor], Tensor], also: frozenset[str] = frozenset(), exact: bool = True
    ) -> Slip:
        return Slip(
            kind=f"input.{kind}",
            layer="input",
            description=f"input {list(first.shape)} -> {list(change(first).shape)}",
            also=also,
            exact=exact,
            change_input=change,
        )

    if len(inputs) == 1 and first.shape[0] == 2:  # the batch; a set of nodes or a sequence has another length
        yield slip("no-batch", lambda x: x[0])
    if not first.is_floating_point():
        yield slip("size", lambda x: x.repeat(1, 4), exact=False)
        return
    if rank >= 3:
        yield slip("layout", lambda x: x.movedim(1, -1))
    if rank >= 4:
        channels = first.shape[1]
        for wanted in sorted({1, 3, 4} - {channels}):
            yield slip("channels", partial(_with_size, axis=1, size=wanted), takers)
        for height, width in _wrong_sizes(first.shape[-2], first.shape[-1]):
            yield slip("size", partial(_resized, height=height, width=width), exact=False)
    else:
        for axis in range(1, rank):
            for wanted in widths(first.shape[axis]):
                yield slip("features", partial(_with_size, axis=axis, size=wanted), takers)


def _wrong_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Odd, a little more, a third more, a quarter, tiny, and one side only."""
    return [
        (height + 1, width + 1),
        (height + 8, width + 8),
        (height * 4 // 3, width * 4 // 3),
        (height // 4, width // 4),
        (8, 8),
        (height, width + 6),
    ]


def _with_size(x: Tensor, axis: int, size: int) -> Tensor:
    """`x` with another length on one axis, cut or repeated."""
    return x.index_select(axis, torch.arange(size) % x.shape[axis])


def _resized(x: Tensor, height: int, width: int) -> Tensor:
    return _with_size(_with_size(x, x.dim() - 2, height), x.dim() - 1, width)
