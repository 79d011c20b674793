"""PyTorch's operations and layers in neutral terms: kinds, and the facts that shape arithmetic needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from shapewatch.adapters.torch.slices import cut
from shapewatch.adapters.torch.slices import spelled as slices_spelled

# Operations

_ALIKE = {
    "add": "add radd iadd",
    "sub": "sub rsub isub subtract",
    "mul": "mul rmul imul multiply",
    "div": "div rdiv truediv rtruediv itruediv divide true_divide floor_divide floordiv",
    "maximum": "maximum fmax max_binary",
    "minimum": "minimum fmin min_binary",
    "where": "where masked_fill",
    "lerp": "lerp",
    "compare": "eq ne lt le gt ge logical_and logical_or logical_xor and or xor",
    "power": "pow rpow",
    "concat": "cat concat concatenate hstack vstack",
    "stack": "stack",
    "matmul": "matmul rmatmul bmm mm mv dot addmm baddbmm inner",
    "einsum": "einsum",
    "linear": "linear",
    "attention": "scaled_dot_product_attention multi_head_attention_forward",
    "conv": "conv1d conv2d conv3d",
    "conv_transpose": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "norm": "batch_norm layer_norm group_norm instance_norm rms_norm native_layer_norm",
    "pool": "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d",
    "adaptive_pool": "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d "
    "adaptive_max_pool2d adaptive_max_pool3d",
    "resize": "interpolate upsample",
    "pad": "pad",
    "reshape": "view reshape unflatten view_as reshape_as",
    "flatten": "flatten ravel",
    "permute": "permute transpose t T mT swapaxes swapdims movedim moveaxis",
    "squeeze": "squeeze",
    "unsqueeze": "unsqueeze",
    "expand": "expand expand_as broadcast_to repeat repeat_interleave tile",
    "split": "chunk split tensor_split unbind split_with_sizes",
    "index": "getitem select narrow index_select gather take_along_dim",
    "setitem": "setitem",
    "reduce": "mean sum amax amin max min prod std var norm logsumexp argmax argmin all any",
    "embedding": "embedding embedding_bag",
    "glu": "glu",
    "pixel_shuffle": "pixel_shuffle",
    "pixel_unshuffle": "pixel_unshuffle",
    "squash": "sigmoid softmax hardsigmoid tanh hardtanh log_softmax",
    "activation": "relu relu6 gelu silu elu selu leaky_relu hardswish softplus mish celu prelu rrelu threshold "
    "logsigmoid tanhshrink softsign clamp clip clamp_min clamp_max",
    "dropout": "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout",
    "same": "contiguous to float half double bfloat16 type type_as clone detach neg exp log sqrt rsqrt abs square "
    "reciprocal sin cos nan_to_num roll flip cumsum triu tril sign round floor ceil erf identity "
    "requires_grad_ cpu cuda normalize bernoulli_ div_scalar",
    "loss": "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy "
    "binary_cross_entropy_with_logits kl_div cosine_embedding_loss triplet_margin_loss ctc_loss gaussian_nll_loss "
    "margin_ranking_loss",
    "create": "zeros ones empty rand randn eye",
    "range": "arange",
    "recurrent": "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
}

KIND = {name: kind for kind, names in _ALIKE.items() for name in names.split()}

_SAME = {"labels": "same", "output": 0, "target": 1}
_EXACT = _SAME | {"exact": True}
_CLASSES = {"labels": "classes", "output": 0, "target": 1, "class_axis": 1}

LOSSES: Mapping[str, Mapping[str, Any]] = {
    "cross_entropy": _CLASSES | {"probabilities": True},
    "nll_loss": _CLASSES,
    "mse_loss": _SAME,
    "l1_loss": _SAME,
    "smooth_l1_loss": _SAME,
    "huber_loss": _SAME,
    "kl_div": _SAME,
    "binary_cross_entropy": _EXACT | {"binary": True},
    "binary_cross_entropy_with_logits": _EXACT | {"binary": True},
    "cosine_embedding_loss": {"parts": "pairs", "output": 0, "target": 2},
    "margin_ranking_loss": {"parts": "ranks", "output": 0, "target": 2},
    "triplet_margin_loss": {"parts": "triplets"},
    "gaussian_nll_loss": {"parts": "variance", "output": 0, "target": 1},
    "ctc_loss": {"parts": "sequences", "output": 0, "target": 1},
}
"""What a loss asks of its target: as many numbers as the output has (`same`), in `exact` only of its very shape; or
`classes`, a number for each row of scores along `class_axis`, perhaps `probabilities` of all of them instead. A loss of
several `parts` asks that these fit each other."""

_LOSS_LAYERS: Mapping[type[nn.Module], str] = {
    nn.CrossEntropyLoss: "cross_entropy",
    nn.NLLLoss: "nll_loss",
    nn.MSELoss: "mse_loss",
    nn.L1Loss: "l1_loss",
    nn.SmoothL1Loss: "smooth_l1_loss",
    nn.HuberLoss: "huber_loss",
    nn.KLDivLoss: "kl_div",
    nn.BCELoss: "binary_cross_entropy",
    nn.BCEWithLogitsLoss: "binary_cross_entropy_with_logits",
    nn.CosineEmbeddingLoss: "cosine_embedding_loss",
    nn.MarginRankingLoss: "margin_ranking_loss",
    nn.TripletMarginLoss: "triplet_margin_loss",
    nn.GaussianNLLLoss: "gaussian_nll_loss",
    nn.CTCLoss: "ctc_loss",
}

UNRECORDED = frozenset(
    [
        "size",
        "dim",
        "ndimension",
        "numel",
        "nelement",
        "stride",
        "storage_offset",
        "is_contiguous",
        "data_ptr",
        "element_size",
        "is_floating_point",
        "is_complex",
        "__len__",
        "__hash__",
        "__repr__",
        "__format__",
        "__str__",
        "__bool__",
        "__int__",
        "__float__",
        "__index__",
        "__iter__",
        "_set_grad_enabled",
        "is_grad_enabled",
        "set_grad_enabled",
        "register_hook",
        "retain_grad",
        "backward",
        "get_device",
        "is_same_size",
        "item",
        "tolist",
        "numpy",
        "__contains__",
        "__reduce_ex__",
        "__deepcopy__",
        "__setstate__",
        "__dir__",
        "__array__",
        "is_inference",
        "_is_view",
        "is_signed",
        "is_nonzero",
        "storage",
        "untyped_storage",
        "_typed_storage",
        "__dlpack__",
        "can_cast",
        "get_default_dtype",
        "is_tensor",
        "is_autocast_enabled",
    ]
)
"""Functions that tell something about a tensor and make none: not worth a record."""

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "concat": ("tensors", "dim"),
    "stack": ("tensors", "dim"),
    "flatten": ("input", "start_dim", "end_dim"),
    "squeeze": ("input", "dim"),
    "unsqueeze": ("input", "dim"),
    "split": ("input", "size", "dim"),
    "reduce": ("input", "dim", "keepdim"),
    "conv": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "conv_transpose": ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation"),
    "pool": ("input", "kernel_size", "stride", "padding"),
    "adaptive_pool": ("input", "output_size"),
    "resize": ("input", "size", "scale_factor"),
    "pad": ("input", "pad", "mode"),
    "pixel_shuffle": ("input", "upscale_factor"),
    "pixel_unshuffle": ("input", "downscale_factor"),
    "norm": ("input", "normalized_shape"),
    "index": ("input", "index"),
    "squash": ("input", "dim"),
    "glu": ("input", "dim"),
}


def parameters(kind: str) -> tuple[str, ...]:
    """The names of an operation's arguments in their order, as far as shape arithmetic needs them."""
    return _PARAMETERS.get(kind, ())


def neutral_name(function: Any) -> str:
    """`add` for `Tensor.add_`, `torch.add` and `Tensor.__radd__` alike."""
    name = getattr(function, "__name__", None) or type(function).__name__
    if name == "__get__":
        return getattr(getattr(function, "__self__", None), "__name__", name)
    if name.startswith("__") and name.endswith("__"):
        return name[2:-2]
    return name.rstrip("_") or name


def in_place(function: Any) -> bool:
    """Whether the function changes its first operand (`add_`, `__iadd__`, `__setitem__`)."""
    name = getattr(function, "__name__", "")
    if name.startswith("__"):
        return (name.startswith("__i") and name not in ("__index__", "__invert__", "__iter__")) or name == "__setitem__"
    return name.endswith("_")


def simple(value: Any) -> bool:
    """Whether a fact may go into a recording: numbers, strings, None and tuples of them."""
    cls = type(value)
    if cls in _ATOMS or cls is _Tensor:  # as most are: it takes `isinstance` long to find that a tensor is no number
        return cls is not _Tensor
    return all(map(simple, value)) if isinstance(value, _SEQUENCES) else isinstance(value, _NUMBERS)


def _plain(value: Any) -> Any:
    if type(value) in _ATOMS:
        return value
    return tuple(map(_plain, value)) if isinstance(value, _SEQUENCES) else value


_Tensor = torch.Tensor
_ATOMS = frozenset({int, float, str, bool, type(None)})
_NUMBERS = (int, float, str)
_SEQUENCES = (tuple, list)
"""Not `tuple | list` where it is asked at each call: that makes a new object each time."""


def call_facts(kind: str, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operation that shape arithmetic needs, by neutral name."""
    if kind == "reshape":
        rest = args[1:]
        target = rest[0] if len(rest) == 1 and isinstance(rest[0], _SEQUENCES) else rest
        shape = kwargs.get("shape", target)
        return {"shape": _plain(shape)} if shape and simple(shape) else {}
    if kind == "permute":
        if name == "permute":
            order = args[1] if len(args) == 2 and isinstance(args[1], _SEQUENCES) else args[1:]
            order = kwargs.get("dims", order)
            return {"dims": _plain(order)} if simple(order) else {}
        if name in ("transpose", "swapaxes", "swapdims"):
            given = [*args[1:], *kwargs.values()]
            return {"swap": _plain(given)} if len(given) == 2 and simple(given) else {}
        return {"swap": (-2, -1)} if name in ("t", "T", "mT") else {}
    if kind == "loss":
        return dict(LOSSES.get(name, {}))
    if kind == "create":
        shape = args[0] if len(args) == 1 and isinstance(args[0], tuple | list) else args
        if name == "eye" and len(args) == 1:
            shape = (*args, *args)  # as many columns as rows
        return {"shape": _plain(kwargs.get("size", shape))} if simple(shape) else {}
    if kind == "expand":
        return _sizes_or_repeats(name, args[1:], kwargs)
    if kind == "range":
        ends = dict(zip(("end",) if len(args) == 1 else ("start", "end", "step"), args, strict=False), **kwargs)
        return {key: ends[key] for key in ("start", "end", "step") if type(ends.get(key)) is int}
    names = _PARAMETERS.get(kind)
    if names is None:
        if kind == "einsum" and args and isinstance(args[0], str):
            return {"equation": args[0]}
        return {}
    facts: dict[str, Any] = {}
    for key, value in (*zip(names, args, strict=False), *kwargs.items()):
        if simple(value):
            facts[key] = _plain(value)
    facts.pop("input", None)
    if name == "getitem" and len(args) == 2:
        facts["items"] = _items(args[1])
        if (slices := slices_spelled(args[1])) is not None:
            facts["slices"] = slices
    if name in ("hstack", "vstack"):
        facts["dim"] = 1 if name == "hstack" else 0
    if name == "unbind":
        facts["dim"] = facts.pop("size", facts.get("dim", 0))
        facts["dropped"] = True
    if kind in ("concat", "stack") and "dim" not in facts:
        facts["dim"] = facts.pop("axis", 0)
    return facts


def _sizes_or_repeats(name: str, given: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation that repeats is told: the sizes that come out, or how many times."""
    if name == "repeat_interleave":
        times = given[0] if given else kwargs.get("repeats")
        return {"repeats": times} if type(times) is int else {}
    sizes = given[0] if len(given) == 1 and isinstance(given[0], _SEQUENCES) else given
    if name == "expand_as" or not sizes or not simple(sizes):
        return {}
    return {"repeats" if name in ("repeat", "tile") else "shape": _plain(sizes)}


def _items(index: Any) -> tuple[Any, ...]:
    """What stands between the brackets: whole numbers and None as they are, `:`, `a:b` or `...`, and `tensor`."""
    items = index if isinstance(index, tuple) else (index,)
    return tuple(map(_item, items))


def _item(item: Any) -> Any:
    if item is None or (isinstance(item, int) and not isinstance(item, bool)):
        return item
    if isinstance(item, slice):
        return ":" if item == _WHOLE else "a:b"
    return "..." if item is ... else "tensor"


_WHOLE = slice(None)


# Layers

LEAVES: tuple[tuple[type[nn.Module] | tuple[type[nn.Module], ...], str], ...] = (
    (nn.modules.conv._ConvTransposeNd, "conv_transpose"),
    (nn.modules.conv._ConvNd, "conv"),
    (nn.Linear, "linear"),
    (nn.Bilinear, "bilinear"),
    ((nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.LocalResponseNorm), "norm"),
    (nn.modules.pooling._MaxPoolNd, "pool"),
    (nn.modules.pooling._AvgPoolNd, "pool"),
    (nn.modules.pooling._LPPoolNd, "pool"),
    (nn.modules.pooling._AdaptiveAvgPoolNd, "adaptive_pool"),
    (nn.modules.pooling._AdaptiveMaxPoolNd, "adaptive_pool"),
    (nn.Upsample, "resize"),
    (nn.PixelShuffle, "pixel_shuffle"),
    (nn.PixelUnshuffle, "pixel_unshuffle"),
    ((nn.Embedding, nn.EmbeddingBag), "embedding"),
    ((nn.modules.rnn.RNNBase, nn.modules.rnn.RNNCellBase), "recurrent"),
    (nn.MultiheadAttention, "attention"),
    (nn.Flatten, "flatten"),
    (nn.Unflatten, "unflatten"),
    (nn.Identity, "identity"),
    (nn.modules.dropout._DropoutNd, "dropout"),
    (nn.modules.padding._ConstantPadNd, "pad"),
    ((nn.modules.padding._ReflectionPadNd, nn.modules.padding._ReplicationPadNd), "pad"),
    (nn.PReLU, "prelu"),
    ((nn.Sigmoid, nn.Softmax, nn.Softmax2d, nn.Hardsigmoid, nn.Tanh, nn.LogSoftmax), "squash"),
    (nn.modules.loss._Loss, "loss"),
    (nn.GLU, "glu"),
)

_ACTIVATIONS = {
    cls
    for name, cls in vars(nn.modules.activation).items()
    if isinstance(cls, type) and cls.__module__ == nn.modules.activation.__name__ and cls is not nn.MultiheadAttention
}

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def _kind_of_layer(cls: type[nn.Module]) -> str | None:
    for classes, kind in LEAVES:
        if issubclass(cls, classes):
            return kind
    if issubclass(cls, tuple(_ACTIVATIONS)):
        return "activation"
    return None


kind_of_layer: Callable[[type[nn.Module]], str | None] = cache(_kind_of_layer)  # type: ignore[assignment]
"""The neutral kind of a layer class; None for one whose inside is worth looking at."""


@cache
def is_whole(cls: type[nn.Module]) -> bool:
    """Whether a layer is recorded by its call alone: one of PyTorch's own, in which its settings say all that goes on.

    Not a loss or attention: what these are given besides their first tensor is seen inside.
    """
    kind = kind_of_layer(cls)
    return kind is not None and kind not in ("attention", "loss") and cls.__module__.startswith("torch.nn.modules.")


def _tuple(value: Any, rank: int) -> Any:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * rank


def _weight(module: Any, *declared: int) -> tuple[int, ...]:
    """The sizes of a layer's weight, which may be other ones than it was made for. A weight that is parametrized is
    computed anew whenever it is looked at, and spectral normalization goes one step on: its sizes are the declared."""
    return declared if is_parametrized(module, "weight") else tuple(module.weight.shape)


def _has(module: Any, name: str) -> bool:
    return is_parametrized(module, name) or getattr(module, name) is not None


def _conv(module: Any) -> dict[str, Any]:
    rank = len(module.kernel_size)
    transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
    outer, inner = module.out_channels, module.in_channels // module.groups
    if transposed:
        outer, inner = module.in_channels, module.out_channels // module.groups
    weight = _weight(module, outer, inner, *module.kernel_size)
    grouped = weight[1] * module.groups
    facts = {
        "in_channels": weight[0] if transposed else grouped,
        "out_channels": grouped if transposed else weight[0],
        "kernel_size": tuple(weight[2:]),
        "stride": _tuple(module.stride, rank),
        "padding": module.padding if isinstance(module.padding, str) else _tuple(module.padding, rank),
        "dilation": _tuple(module.dilation, rank),
        "groups": module.groups,
        "bias": _has(module, "bias"),
        "rank": rank,
    }
    if transposed:
        facts["output_padding"] = _tuple(module.output_padding, rank)
    return facts


def _pool(module: Any) -> dict[str, Any]:
    rank = int(type_rank(module))
    stride = module.stride if module.stride is not None else module.kernel_size
    return {
        "kernel_size": _tuple(module.kernel_size, rank),
        "stride": _tuple(stride, rank),
        "padding": _tuple(getattr(module, "padding", 0), rank),
        **({"dilation": _tuple(module.dilation, rank)} if hasattr(module, "dilation") else {}),
        "ceil_mode": bool(getattr(module, "ceil_mode", False)),
        "rank": rank,
    }


def type_rank(module: nn.Module) -> int:
    """How many spatial axes a layer class is for, from its name or its base's: `MaxPool2d` is 2."""
    for cls in type(module).__mro__:
        digits = [c for c in cls.__name__ if c in "123"]
        if digits and cls.__module__.startswith("torch.nn"):
            return int(digits[-1])
    return 2


def _norm(module: Any) -> dict[str, Any]:
    if isinstance(module, nn.GroupNorm):
        return {"style": "group", "num_channels": module.num_channels, "num_groups": module.num_groups}
    if isinstance(module, nn.LayerNorm | nn.RMSNorm):
        facts: dict[str, Any] = {"style": "layer", "normalized_shape": tuple(module.normalized_shape)}
        if not type(module).__module__.startswith("torch.nn"):
            facts["images"] = True  # somebody's own, made to normalize the channels of [N, C, H, W]
        return facts
    if isinstance(module, nn.modules.batchnorm._NormBase):
        style = "instance" if isinstance(module, nn.modules.instancenorm._InstanceNorm) else "batch"
        fixed = _has(module, "weight") or module.running_mean is not None
        rank = "".join(c for c in type(module).__name__ if c in "123")
        facts = {"style": style, "num_features": module.num_features, "fixed": fixed}
        if type(module).__module__.startswith("torch.nn") and rank:
            facts["rank"] = int(rank)
        return facts
    return {"style": "local"}


def _recurrent(module: Any) -> dict[str, Any]:
    facts = {"input_size": module.input_size, "hidden_size": module.hidden_size}
    if isinstance(module, nn.modules.rnn.RNNBase):
        facts |= {
            "num_layers": module.num_layers,
            "batch_first": module.batch_first,
            "bidirectional": module.bidirectional,
            "proj_size": module.proj_size,
        }
    return facts


def _padding_mode(module: nn.Module) -> str:
    name = type(module).__name__
    return next(
        (mode for mode in ("reflect", "replicate", "circular") if name.lower().startswith(mode[:7])), "constant"
    )


def _class_weights(module: Any) -> dict[str, Any]:
    """How many classes the weights of a loss are for."""
    held = {name: getattr(module, name, None) for name in ("weight", "pos_weight")}
    return {name: tuple(weight.shape) for name, weight in held.items() if isinstance(weight, _Tensor)}


_FACTS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "conv": _conv,
    "conv_transpose": _conv,
    "linear": lambda m: {
        "in_features": _weight(m, m.out_features, m.in_features)[1],
        "out_features": _weight(m, m.out_features, m.in_features)[0],
        "bias": _has(m, "bias"),
    },
    "norm": _norm,
    "pool": _pool,
    "adaptive_pool": lambda m: {"output_size": _plain(m.output_size), "rank": type_rank(m)},
    "resize": lambda m: {"size": _plain(m.size), "scale_factor": _plain(m.scale_factor), "mode": m.mode},
    "pixel_shuffle": lambda m: {"upscale_factor": m.upscale_factor},
    "pixel_unshuffle": lambda m: {"downscale_factor": m.downscale_factor},
    "embedding": lambda m: {"num_embeddings": m.num_embeddings, "embedding_dim": m.embedding_dim},
    "recurrent": _recurrent,
    "attention": lambda m: {
        "embed_dim": m.embed_dim,
        "num_heads": m.num_heads,
        "kdim": m.kdim,
        "vdim": m.vdim,
        "batch_first": m.batch_first,
    },
    "squash": lambda m: {"dim": m.dim} if isinstance(getattr(m, "dim", None), int) else {},
    "flatten": lambda m: {"start_dim": m.start_dim, "end_dim": m.end_dim},
    "unflatten": lambda m: {"dim": m.dim, "unflattened_size": _plain(m.unflattened_size)},
    "pad": lambda m: {"pad": _plain(m.padding), "mode": _padding_mode(m)},
    "glu": lambda m: {"dim": m.dim},
    "prelu": lambda m: {"num_parameters": prod(_weight(m, m.num_parameters))},
    "loss": lambda m: {**LOSSES.get(_LOSS_LAYERS.get(type(m), ""), {}), **_class_weights(m)},
}


def layer_facts(module: nn.Module, kind: str) -> dict[str, Any]:
    """A layer's settings by neutral name. Of a layer without a kind: its own plain numbers."""
    read = _FACTS.get(kind)
    if read is not None:
        try:
            return {key: value for key, value in read(module).items() if simple(value)}
        except (AttributeError, TypeError, ValueError, IndexError, RuntimeError):
            return {}  # a subclass or a lazy layer that lacks what its base promises
    if kind != "module":
        return {}
    return {
        name: _plain(value)
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training" and _number(value)
    }


def _number(value: Any) -> bool:
    if isinstance(value, tuple | list) and not isinstance(value, torch.Size):
        return 0 < len(value) <= 4 and all(isinstance(item, int) for item in value)
    return isinstance(value, int | float)


def with_arguments(
    name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], replaced: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """The arguments of an operation with some of them, by neutral name, replaced."""
    names = _PARAMETERS.get(KIND.get(name, ""), ())
    positional, named = list(args), dict(kwargs)
    if KIND.get(name) == "resize" and "size" in replaced:  # to a size, and no more by a factor
        named.pop("scale_factor", None)
        return args[:1], {**named, "size": replaced["size"]}
    if KIND.get(name) == "create" and "shape" in replaced:
        sizes = replaced["shape"] if name == "eye" else (replaced["shape"],)
        return sizes, {key: value for key, value in kwargs.items() if key != "size"}
    for sizes in ("shape", "dims", "swap"):
        if sizes in replaced:
            whole = len(args) == 2 and isinstance(args[1], tuple | list)
            return (args[0], replaced[sizes]) if whole else (args[0], *replaced[sizes]), {}
    if "repeats" in replaced and name == "repeat_interleave":
        return (args[0], replaced["repeats"], *args[2:]), {k: v for k, v in kwargs.items() if k != "repeats"}
    if "repeats" in replaced:
        return (args[0], *replaced["repeats"]), {}
    if "alone" in replaced:
        return (args[replaced["alone"]],) * 2, {}  # of the shape of a sum of these
    if "ends" in replaced:
        return (args[0], *replaced["ends"]), {}
    if "order" in replaced:
        return (*(args[at] for at in replaced["order"]), *args[len(replaced["order"]) :]), kwargs
    if "equation" in replaced:
        return (replaced["equation"], *args[1:]), kwargs
    if "slices" in replaced:
        return (args[0], cut(args[1], replaced["slices"])), kwargs
    if KIND.get(name) == "range" and args:
        at = 0 if len(args) == 1 else 1
        return (*args[:at], replaced.get("end", args[at]), *args[at + 1 :]), kwargs
    for argument, value in replaced.items():
        position = names.index(argument) if argument in names else -1
        if 0 <= position < len(positional):
            positional[position] = value
        else:
            named[argument] = value
    return tuple(positional), named
