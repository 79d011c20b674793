"""Edits put into a PyTorch model in memory, and taken out again.

A changed layer is a shallow copy of the original with other numbers and, where sizes changed, new weights: this keeps
subclasses (`timm`'s `Conv2dSame`, a norm with its activation built in) what they are, which calling a constructor would
not. The original module is never written to.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from shapewatch.adapters.in_reach import variable_of_caller
from shapewatch.adapters.torch.instrument import Instrument
from shapewatch.adapters.torch.interventions import Interventions, on_operand
from shapewatch.adapters.torch.kinds import kind_of_layer
from shapewatch.edits import RESULT, Edit, Input, Insert, Module, Replace, Set, SetCall


@contextmanager
def applied(model: nn.Module, edits: Sequence[Edit]) -> Iterator[nn.Module]:
    """The model with the edits in place, undone at the end of the block.

    Raises:
        ValueError: the model has no layer of a name in the edits.
    """
    undo: list[Callable[[], None]] = []
    try:
        with torch.random.fork_rng(devices=[], enabled=True):
            interventions = put_in(model, edits, undo)
        given = [edit for edit in edits if isinstance(edit, Input)]
        if given:
            handle = model.register_forward_pre_hook(lambda _, args: _changed_inputs(args, given))
            undo.append(handle.remove)
        if interventions:
            with Instrument(model, interventions):
                yield model
        else:
            yield model
    finally:
        for step in reversed(undo):
            step()


def _changed_inputs(args: tuple[Any, ...], edits: Sequence[Input]) -> tuple[Any, ...]:
    """The positional arguments as the edits want them, as far as a tensor can be made into another."""
    changed_args = list(args)
    for edit in edits:
        if edit.index >= len(args) or not isinstance(args[edit.index], torch.Tensor):
            continue
        x = args[edit.index]
        match edit.change:
            case "permute":
                x = x.permute(*edit.arguments["dims"])
            case "unsqueeze":
                for dim in edit.arguments.get("dims", (edit.arguments.get("dim"),)):
                    x = x.unsqueeze(dim)
            case "squeeze":
                x = x.squeeze(edit.arguments["dim"])
            case "channels" | "batch" if edit.arguments.get("was") == 1:
                x = x.expand(*(-1 if size == given else size for size, given in zip(edit.shape, x.shape, strict=True)))
            case "size" if x.dim() > 2 and x.is_floating_point() and not edit.arguments.get("plain"):
                x = nn.functional.interpolate(x, size=edit.arguments["size"])
        changed_args[edit.index] = x
    return tuple(changed_args)


def put_in(model: nn.Module, edits: Sequence[Edit], undo: list[Callable[[], None]]) -> Interventions:
    """Change the model; what acts on operations instead is given back. `undo` gets the way back, step by step."""
    interventions = Interventions()
    like = next(model.parameters(), None)
    settings: dict[str, dict[str, Any]] = {}
    for edit in edits:
        if isinstance(edit, Set):
            settings.setdefault(edit.layer, {})[edit.argument] = edit.value
    for path, arguments in settings.items():
        _swap(model, path, undo, partial(changed, arguments=arguments))
    for edit in edits:
        if isinstance(edit, Replace):
            _swap(model, edit.layer, undo, partial(_instead, module=edit.module, otherwise=like))
        elif isinstance(edit, Insert) and "instead" in edit.module.arguments and edit.module.kind == "own":
            _call_instead(model, edit, undo)
        elif isinstance(edit, Insert):
            own = edit.module.kind == "own"
            module = Own(_there(model, edit.module.arguments["layer"])) if own else build(edit.module, like)
            module.train(model.training)
            _put_on_layer(model, edit, module, undo)
            interventions.modules.setdefault(edit.place, []).append((edit.operand, module))
        elif isinstance(edit, SetCall):
            interventions.arguments.setdefault(edit.place, {})[edit.argument] = edit.value
    return interventions


def _put_on_layer(model: nn.Module, edit: Insert, module: nn.Module, undo: list[Callable[[], None]]) -> None:
    """Put a layer on an operand of a layer or behind it, where the place is one: it is not heard as an operation is."""
    path, name, occurrence = edit.place.rsplit(":", 2)
    layer = _layer_at(model, path)
    if layer is None or type(layer).__name__ != name:
        return
    times = itertools.count()

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
        if next(times) != int(occurrence):
            return None
        args, named = on_operand((args, tuple(kwargs.values())), edit.operand, module)
        return args, dict(zip(kwargs, named, strict=True))

    takes = tuple if isinstance(module, Exchange) else torch.Tensor

    def after(_: nn.Module, __: tuple[Any, ...], result: Any) -> Any:
        return module(result) if next(times) == int(occurrence) and isinstance(result, takes) else None

    def begins(*_: object) -> None:
        nonlocal times
        times = itertools.count()

    parent = _layer_at(model, path.rpartition(".")[0])
    if parent is not None and path:
        undo.append(parent.register_forward_pre_hook(begins).remove)
    if edit.operand == RESULT:
        undo.append(layer.register_forward_hook(after).remove)
    else:
        undo.append(layer.register_forward_pre_hook(before, with_kwargs=True).remove)


def _call_instead(model: nn.Module, edit: Insert, undo: list[Callable[[], None]]) -> None:
    """Call another of the model's layers where one is called, at the one time of several that the place is."""
    path, _, occurrence = edit.place.rsplit(":", 2)
    layer, other = _there(model, path), _there(model, edit.module.arguments["layer"])
    parent, forward = _there(model, path.rpartition(".")[0]), layer.forward
    times = itertools.count()

    def runs(*args: Any, **kwargs: Any) -> Any:
        return (other if next(times) == int(occurrence) else forward)(*args, **kwargs)

    def begins(*_: object) -> None:
        nonlocal times
        times = itertools.count()

    undo.append(parent.register_forward_pre_hook(begins).remove)
    own = "forward" in vars(layer)
    layer.forward = runs
    undo.append(partial(setattr, layer, "forward", forward) if own else partial(vars(layer).pop, "forward"))


def _there(model: nn.Module, path: str) -> nn.Module:
    layer = _layer_at(model, path)
    if layer is None:
        raise ValueError(f"the model has no layer {path!r}")
    return layer


def _instead(old: nn.Module, module: Module, otherwise: torch.Tensor | None) -> nn.Module:
    """A new layer on the device of the old one, or of the model where the old one has no weights."""
    return build(module, next(old.parameters(), otherwise))


def _swap(
    model: nn.Module, path: str, undo: list[Callable[[], None]], change: Callable[[nn.Module], nn.Module]
) -> None:
    """Put a changed layer wherever the model keeps the old one: registered, in an attribute, or in a list."""
    if path == "":
        _become(model, change(model), undo)
        return
    old = _layer_at(model, path)
    if old is None:
        _fill_empty(model, path, undo, change)
        return
    new = change(old)
    new.train(old.training)
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is old:
                _put(parent._modules, name, new, undo)
        for name, value in list(parent.__dict__.items()):
            if value is old:
                _put(parent.__dict__, name, new, undo)
            elif isinstance(value, list) and not name.startswith("_"):
                for index, item in enumerate(value):
                    if item is old:
                        _put(value, index, new, undo)


def _put(store: Any, key: str | int, new: Any, undo: list[Callable[[], None]]) -> None:
    undo.append(partial(store.__setitem__, key, store[key]))
    store[key] = new


def _layer_at(model: nn.Module, path: str) -> nn.Module | None:
    try:
        return model.get_submodule(path)
    except AttributeError:
        return None


def _fill_empty(
    model: nn.Module, path: str, undo: list[Callable[[], None]], change: Callable[[nn.Module], nn.Module]
) -> None:
    """Put a layer where the model keeps None: `self.downsample = None` in a block that needs none."""
    parent, _, name = path.rpartition(".")
    owner = _layer_at(model, parent) if parent else model
    if owner is None or getattr(owner, name, model) is not None:
        raise ValueError(f"the model has no layer {path!r}")
    new = change(nn.Identity())
    new.train(owner.training)
    before, modules = dict(vars(owner)), dict(owner._modules)
    vars(owner).pop(name, None)
    owner._modules[name] = new

    def back() -> None:
        vars(owner).clear()
        vars(owner).update(before)
        owner._modules.clear()
        owner._modules.update(modules)

    undo.append(back)


def _become(model: nn.Module, new: nn.Module, undo: list[Callable[[], None]]) -> None:
    """The outermost module cannot be swapped: it takes over the attributes that differ."""
    for name, value in list(new.__dict__.items()):
        if model.__dict__.get(name) is not value:
            _put(model.__dict__, name, value, undo)


# A layer with one argument changed


def changed(module: nn.Module, arguments: Mapping[str, Any]) -> nn.Module:
    """A copy of a layer in which constructor arguments have other values; weights anew where they must be.

    Raises:
        ValueError: no such layer can be made, such as a convolution whose groups do not divide its channels.
    """
    if isinstance(module, nn.modules.rnn.RNNBase | nn.MultiheadAttention):
        return _constructed_again(module, arguments)
    new = object.__new__(type(module))  # `copy.copy` asks for the state: a layer with a weight norm refuses it
    new.__dict__ = dict(vars(module))
    new._parameters = dict(module._parameters)
    # a pass with the copy must not move the original's statistics
    new._buffers = {name: None if buffer is None else buffer.clone() for name, buffer in module._buffers.items()}
    new._modules = dict(module._modules)
    kind = kind_of_layer(type(module))
    sizing, resize = _RESIZE.get(kind or "", (frozenset[str](), None))
    for argument, value in arguments.items():
        if argument in (*new._parameters, *new._buffers) and isinstance(value, tuple):
            _put_table(new, argument, value)
        elif argument not in sizing:
            _set_attribute(new, argument, tuple(value) if kind and isinstance(value, list) else value)
    sized = {argument: value for argument, value in arguments.items() if argument in sizing}
    if resize is not None and sized:
        resize(new, sized)
    if hasattr(module, "_reversed_padding_repeated_twice") and not isinstance(new.padding, str):
        new._reversed_padding_repeated_twice = [p for p in reversed(new.padding) for _ in range(2)]
    return new


def _set_attribute(module: nn.Module, argument: str, value: Any) -> None:
    old = getattr(module, argument, None)
    setattr(module, argument, (value,) * len(old) if isinstance(old, tuple) and isinstance(value, int) else value)


def _constructed_again(module: Any, changes: Mapping[str, Any]) -> nn.Module:
    names: tuple[str, ...]
    if isinstance(module, nn.MultiheadAttention):
        names = ("embed_dim", "num_heads", "dropout", "batch_first", "kdim", "vdim")
    else:
        names = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
        names += ("proj_size",) if isinstance(module, nn.LSTM) else ()
    arguments = {name: getattr(module, name) for name in names}
    if isinstance(module, nn.MultiheadAttention) and module._qkv_same_embed_dim:
        arguments |= {"kdim": None, "vdim": None}
    arguments |= changes
    like = next(module.parameters())
    cls: Any = next(c for c in type(module).__mro__ if c.__module__.startswith("torch.nn"))
    if cls is nn.RNN:
        arguments["nonlinearity"] = module.nonlinearity
    return cls(**arguments, device=like.device, dtype=like.dtype)


def _weights(module: nn.Module, sizes: dict[str, tuple[int, ...] | None]) -> None:
    """New parameters and buffers of the given shapes where the module has them, filled as a new layer's would be."""
    for name, shape in sizes.items():
        for store in (module._parameters, module._buffers):
            old = store.get(name)
            if old is None or shape is None:
                continue
            new = torch.empty(shape, dtype=old.dtype, device=old.device)
            if store is module._parameters:
                store[name] = nn.Parameter(new, requires_grad=old.requires_grad)
            else:
                store[name] = new
    reset = getattr(module, "reset_parameters", None)
    with torch.no_grad():
        if callable(reset):
            reset()


def _put_table(module: nn.Module, name: str, shape: tuple[int, ...]) -> None:
    """A weight of the program's own class in another shape. Not by its `reset_parameters`, which may fill others too,
    and these are the original's."""
    store = module._parameters if name in module._parameters else module._buffers
    old = store[name]
    assert old is not None
    new = torch.zeros(shape, dtype=old.dtype, device=old.device)
    store[name] = nn.Parameter(new, requires_grad=old.requires_grad) if store is module._parameters else new


def _resize_conv(module: Any, changes: Mapping[str, Any]) -> None:
    weight = module.weight
    transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
    rank = weight.dim() - 2
    facts: dict[str, Any] = {
        "in_channels": weight.shape[0] if transposed else weight.shape[1] * module.groups,
        "out_channels": weight.shape[1] * module.groups if transposed else weight.shape[0],
        "kernel_size": tuple(weight.shape[2:]),
        "groups": module.groups,
        **changes,
    }
    kernel = facts["kernel_size"]
    facts["kernel_size"] = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
    groups, taken, given = facts["groups"], facts["in_channels"], facts["out_channels"]
    if groups < 1 or taken % groups or given % groups:
        raise ValueError(f"{groups} groups do not divide {taken} channels in and {given} out")
    for name, fact in facts.items():
        setattr(module, name, fact)
    outer, inner = (taken, given // groups) if transposed else (given, taken // groups)
    _weights(module, {"weight": (outer, inner, *facts["kernel_size"]), "bias": (given,)})


def _resize_linear(module: Any, changes: Mapping[str, Any]) -> None:
    out_features, in_features = module.weight.shape
    facts = {"in_features": in_features, "out_features": out_features, **changes}
    module.in_features, module.out_features = facts["in_features"], facts["out_features"]
    _weights(module, {"weight": (module.out_features, module.in_features), "bias": (module.out_features,)})


def _resize_norm(module: Any, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if name == "num_groups":
            module.num_groups = value
            continue
        shape = (value,) if isinstance(value, int) else tuple(value)
        setattr(module, name, shape if name == "normalized_shape" else value)
        _weights(module, dict.fromkeys(("weight", "bias", "running_mean", "running_var"), shape))


def _resize_embedding(module: Any, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(module, name, value)
    _weights(module, {"weight": (module.num_embeddings, module.embedding_dim)})


def _resize_cell(module: Any, changes: Mapping[str, Any]) -> None:
    gates = module.weight_ih.shape[0] // module.hidden_size
    for name, value in changes.items():
        setattr(module, name, value)
    rows = gates * module.hidden_size
    inputs, states = (rows, module.input_size), (rows, module.hidden_size)
    _weights(module, {"weight_ih": inputs, "weight_hh": states, "bias_ih": (rows,), "bias_hh": (rows,)})


def _resize_prelu(module: Any, changes: Mapping[str, Any]) -> None:
    module.num_parameters = changes["num_parameters"]
    _weights(module, {"weight": (module.num_parameters,)})


_Resizing = Callable[[Any, Mapping[str, Any]], None]

_CONV = (frozenset({"in_channels", "out_channels", "kernel_size", "groups"}), _resize_conv)

_RESIZE: Mapping[str, tuple[frozenset[str], _Resizing | None]] = {
    "conv": _CONV,
    "conv_transpose": _CONV,
    "linear": (frozenset({"in_features", "out_features"}), _resize_linear),
    "norm": (frozenset({"num_features", "num_channels", "num_groups", "normalized_shape"}), _resize_norm),
    "embedding": (frozenset({"num_embeddings", "embedding_dim"}), _resize_embedding),
    "recurrent": (frozenset({"input_size", "hidden_size"}), _resize_cell),
    "prelu": (frozenset({"num_parameters"}), _resize_prelu),
}
"""Of each kind of layer, the arguments that its weights depend on, and how to make these anew."""


# New layers


class Pad(nn.Module):
    """Crops or zero-pads the trailing axes to a fixed size, as `F.pad` with negative numbers does."""

    def __init__(self, amounts: tuple[int, ...]) -> None:
        super().__init__()
        self.amounts = amounts

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x, self.amounts)


class Cover(nn.Module):
    """A mask, [batch, keys], with what it says of keys that are no padding before and behind it."""

    def __init__(self, before: int, after: int, fill: int) -> None:
        super().__init__()
        self.before, self.after, self.fill = before, after, fill

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before, after = (x.new_full((x.shape[0], count), self.fill) for count in (self.before, self.after))
        return torch.cat([before, x, after], dim=1)


class Contiguous(nn.Module):
    """The same elements, copied into the order in which the axes are."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.contiguous()


class SubsamplePad(nn.Module):
    """The identity shortcut without parameters (He et al. 2015, option A): every n-th pixel, zeros for new channels."""

    def __init__(self, stride: int, channels: int, rank: int) -> None:
        super().__init__()
        self.stride, self.channels, self.rank = stride, channels, rank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[(..., *(slice(None, None, self.stride) for _ in range(self.rank)))]
        missing = self.channels - x.shape[-self.rank - 1]
        return nn.functional.pad(x, (0, 0) * self.rank + (0, missing))


class WithoutFirst(nn.Module):
    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.dim, self.count = dim, count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.narrow(self.dim, self.count, x.shape[self.dim] - self.count)


class WithoutLast(nn.Module):
    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.dim, self.count = dim, count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.narrow(self.dim, 0, x.shape[self.dim] - self.count)


class Exchange(nn.Module):
    """The first two of several results in each other's place."""

    def forward(self, results: Any) -> Any:
        first, second, *rest = results
        return (second, first, *rest)


class TakeAxis(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.squeeze(self.dim)


class AddAxes(nn.Module):
    """Puts axes of size 1 at these places of its result."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rank = x.dim() + len(self.dims)
        return x[tuple(None if axis in self.dims else slice(None) for axis in range(rank))]


class Variable(nn.Module):
    """Gives what a variable of the program's function holds, whatever it is given."""

    def __init__(self, name: str, index: int | None, within: str | None) -> None:
        super().__init__()
        self.name, self.index, self.within = name, index, within

    def forward(self, _: torch.Tensor) -> Any:
        return variable_of_caller(self.name, self.index, self.within)


class Own(nn.Module):
    """Calls a layer that the model has, which stays what it is: no part of this one."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.call = layer.__call__

    def forward(self, x: torch.Tensor) -> Any:
        return self.call(x)


class Sum(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(self.dim)


class Permute(nn.Module):
    """Puts its axes in another order."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.dims)


class Expand(nn.Module):
    """Puts axes of size 1 at these places of its result, and repeats axes of size 1 to these sizes."""

    def __init__(self, dims: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.dims, self.sizes = dims, sizes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for dim in self.dims:
            x = x.unsqueeze(dim)
        return x.expand(self.sizes)


class Narrow(nn.Module):
    """The first places along some axes."""

    def __init__(self, dims: Sequence[int], size: int) -> None:
        super().__init__()
        self.dims, self.size = dims, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for dim in self.dims:
            x = x.narrow(dim, 0, self.size)
        return x


class Directions(nn.Module):
    """The two directions of a recurrent layer's state brought together: `[layers x 2, batch, hidden]`."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        if self.how == "added":
            return state[0::2] + state[1::2]
        there, back = (state[-2], state[-1]) if "last" in self.how else (state[0::2], state[1::2])
        return torch.cat([there, back], dim=-1)


class Resize(nn.Module):
    """Interpolates the spatial axes to a fixed size."""

    def __init__(self, size: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(x, size=self.size)


def build(module: Module, like: torch.Tensor | None) -> nn.Module:
    """A layer from its description, on the device and in the dtype of `like`."""
    options: dict[str, Any] = {}
    if like is not None:
        options = {"device": like.device}
        if like.is_floating_point():
            options["dtype"] = like.dtype
    arguments = dict(module.arguments)
    rank = arguments.pop("rank", 2)
    match module.kind:
        case "sequence":
            return nn.Sequential(*(build(part, like) for part in module.parts))
        case "conv":
            conv: Any = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
            return conv(**arguments, **options)
        case "linear":
            return nn.Linear(**arguments, **options)
        case "norm":
            norm: Any = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[rank - 1]
            return norm(**arguments, **options)
        case "layer_norm":
            return nn.LayerNorm(**arguments, **options)
        case "pool":
            pools: Any = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
            if arguments.pop("average", False):
                pools = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
            return pools[rank - 1](**arguments)
        case "flatten":
            return nn.Flatten(**arguments)
        case "upsample":
            return nn.Upsample(**arguments)
        case "resize":
            return Resize(arguments["size"])
        case "squeeze":
            return TakeAxis(arguments["dim"])
        case "unsqueeze":
            return AddAxes(arguments["dims"])
        case "expand":
            return Expand(arguments["dims"], arguments["sizes"])
        case "sum":
            return Sum(arguments["dim"])
        case "permute":
            return Permute(arguments["dims"])
        case "without_first":
            return WithoutFirst(arguments["dim"], arguments["count"])
        case "without_last":
            return WithoutLast(arguments["dim"], arguments["count"])
        case "exchange":
            return Exchange()
        case "narrow":
            return Narrow(arguments["dims"], arguments["size"])
        case "directions":
            return Directions(arguments["how"])
        case "pad":
            return Pad(arguments["pad"])
        case "cover":
            return Cover(arguments["before"], arguments["after"], arguments["fill"])
        case "contiguous":
            return Contiguous()
        case "subsample_pad":
            return SubsamplePad(arguments["stride"], arguments["channels"], rank)
        case "value":
            return Variable(arguments["name"], arguments.get("index"), arguments.get("within"))
        case "identity":
            return nn.Identity()
    raise ValueError(f"PyTorch has no layer for {module.kind!r}")
