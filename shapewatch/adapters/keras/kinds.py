"""Keras's layers and operations in neutral terms: kinds, and the facts that shape arithmetic needs.

A layer is known by the name of the nearest class of Keras's own that it is or inherits from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from keras import Model, Sequential
from keras.layers import Layer
from keras.src.models.functional import Functional

Facts = dict[str, Any]

_KINDS = {
    "conv": "Conv1D Conv2D Conv3D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D",
    "conv_transpose": "Conv1DTranspose Conv2DTranspose Conv3DTranspose",
    "linear": "Dense",
    "einsum": "EinsumDense",
    "pool": "MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D",
    "reduce": "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D "
    "GlobalMaxPooling2D GlobalMaxPooling3D",
    "adaptive_pool": "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
    "AdaptiveMaxPooling2D AdaptiveMaxPooling3D",
    "norm": "Normalization BatchNormalization LayerNormalization GroupNormalization RMSNormalization",
    "resize": "UpSampling1D UpSampling2D UpSampling3D Resizing",
    "pad": "ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D",
    "flatten": "Flatten",
    "reshape": "Reshape",
    "permute": "Permute",
    "expand": "RepeatVector",
    "embedding": "Embedding",
    "recurrent": "LSTM GRU SimpleRNN Bidirectional",
    "conv_recurrent": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    "per_step": "TimeDistributed",
    "attention": "MultiHeadAttention Attention AdditiveAttention GroupQueryAttention",
    "add": "Add",
    "sub": "Subtract",
    "mul": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "concat": "Concatenate",
    "dot": "Dot",
    "activation": "ReLU LeakyReLU ELU PReLU",
    "squash": "Softmax",
    "dropout": "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout AlphaDropout GaussianNoise",
    "identity": "Identity",
    "same": "Rescaling ActivityRegularization Masking UnitNormalization",
}

KIND = {name: kind for kind, names in _KINDS.items() for name in names.split()}

MERGES = frozenset({"add", "sub", "mul", "average", "maximum", "minimum", "concat", "dot"})

_LOOKED_INTO = frozenset({"Lambda", "Wrapper", "SpectralNormalization", "Pipeline"})
"""Keras's own layers of which the inside is the user's."""

_SQUASHING = frozenset({"sigmoid", "softmax", "tanh", "hard_sigmoid", "log_softmax"})


def own_name(cls: type) -> str:
    """The name of the nearest class of Keras's own: `Conv2D` for the user's subclass of it."""
    return next((base.__name__ for base in cls.__mro__ if base.__module__.startswith("keras.")), cls.__name__)


def kind_of_layer(layer: Layer) -> str | None:
    """The neutral kind of a layer that is taken as a whole; None for one whose inside is worth looking at."""
    name = own_name(type(layer))
    if isinstance(layer, Model) or name in ("Layer", "Operation") or name in _LOOKED_INTO:
        return None
    if name == "Activation":
        return "squash" if getattr(layer.activation, "__name__", "") in _SQUASHING else "activation"
    return KIND.get(name, "other")


def layer_facts(layer: Layer, kind: str | None) -> Facts:
    """A layer's settings by neutral name. Of a layer without a kind: its own plain numbers."""
    read = _FACTS.get(kind or "")
    if read is None:
        return {} if kind else _numbers(layer) | _inputs(layer)
    try:
        found = {key: value for key, value in read(layer).items() if _simple(value)}
    except (AttributeError, TypeError, ValueError, IndexError):
        return {}  # a subclass that lacks what its base promises
    adapted = own_name(type(layer)) == "Normalization"  # made for the data that it has seen, and no others
    return found | ({"lazy": True} if kind in _LAZY and not adapted else {})


def _inputs(layer: Layer) -> Facts:
    """The shapes that a functional model was made for, or the one inside a sequential one; one that is called its own
    way is not asked."""
    model = getattr(layer, "_functional", None) if isinstance(layer, Sequential) else layer
    if not isinstance(model, Functional) or not all(len(tensor.shape) for tensor in model.inputs):
        return {}
    return {"takes": tuple(tuple(tensor.shape) for tensor in model.inputs)}


_LAZY = frozenset({"conv", "conv_transpose", "linear", "norm", "recurrent", "attention", "einsum"})


def _built_for(layer: Layer, axis: int = -1) -> int | None:
    """The size that a layer was built for on an axis, None before it is built."""
    spec = layer.input_spec
    sizes = getattr(spec, "axes", None) if not isinstance(spec, list | tuple) else None
    return next(iter(sizes.values())) if sizes and len(sizes) == 1 else (sizes or {}).get(axis)


def _last(layer: Layer) -> Facts:
    return {"channels_last": True} if layer.data_format == "channels_last" else {}


def _conv(layer: Any) -> Facts:
    name, taken = own_name(type(layer)), _built_for(layer)
    facts: Facts = {
        "in_channels": taken,
        "out_channels": getattr(layer, "filters", None),
        "kernel_size": tuple(layer.kernel_size),
        "stride": tuple(layer.strides),
        "padding": layer.padding,
        "dilation": tuple(layer.dilation_rate),
        "groups": getattr(layer, "groups", 1),
        "bias": bool(layer.use_bias),
        "rank": layer.rank,
        **_last(layer),
    }
    if name.startswith("Depthwise"):
        multiplier = layer.depth_multiplier
        facts |= {"depth_multiplier": multiplier, "groups": taken}
        facts["out_channels"] = None if taken is None else taken * multiplier
    if name.endswith("Transpose"):
        facts["output_padding"] = None if layer.output_padding is None else _spread(layer.output_padding, layer.rank)
        facts.pop("groups")
    return facts


def _spread(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * rank


def _pool(layer: Any) -> Facts:
    rank = len(layer.pool_size) if isinstance(layer.pool_size, tuple | list) else 1
    return {
        "kernel_size": _spread(layer.pool_size, rank),
        "stride": _spread(layer.strides, rank),
        "padding": layer.padding,
        "rank": rank,
        **_last(layer),
    }


def _rank_in_name(layer: Layer) -> int:
    return int(own_name(type(layer))[-2])


def _reduced(layer: Any) -> Facts:
    rank = _rank_in_name(layer)
    first = 1 if layer.data_format == "channels_last" else 2
    return {"dim": tuple(range(first, first + rank)), "keepdim": bool(layer.keepdims), "rank": rank, **_last(layer)}


def _norm(layer: Any) -> Facts:
    name = own_name(type(layer))
    axis = layer.axis
    facts: Facts = {"axis": tuple(axis) if isinstance(axis, list | tuple) else axis}
    if name == "GroupNormalization":
        return facts | {"style": "group", "num_groups": layer.groups, "num_features": _built_for(layer)}
    if name == "BatchNormalization":
        return facts | {"style": "batch", "num_features": _built_for(layer)}
    named = (getattr(layer, attribute, None) for attribute in ("gamma", "scale", "adapt_mean"))
    weights = [weight for weight in named if weight is not None]
    sizes = tuple(weights[0].shape) if weights and hasattr(weights[0], "shape") else None
    return facts | {"style": "layer", "normalized_shape": sizes}


def _resize(layer: Any) -> Facts:
    name = own_name(type(layer))
    if name == "Resizing":
        return {"size": (layer.height, layer.width), "mode": layer.interpolation, "rank": 2, **_last(layer)}
    rank = _rank_in_name(layer)
    facts: Facts = {"scale_factor": _spread(layer.size, rank), "rank": rank}
    facts["mode"] = getattr(layer, "interpolation", "nearest")
    return facts | (_last(layer) if rank > 1 else {"channels_last": True})


def _pad(layer: Any) -> Facts:
    name = own_name(type(layer))
    rank = _rank_in_name(layer)
    crops = name.startswith("Cropping")
    given = layer.cropping if crops else layer.padding
    pairs = [tuple(given)] if rank == 1 else [tuple(pair) for pair in given]
    last = rank == 1 or layer.data_format == "channels_last"
    amounts = [-amount if crops else amount for pair in reversed(pairs) for amount in pair]
    return {"pad": (0, 0, *amounts) if last else tuple(amounts), "rank": rank} | (
        {"channels_last": True} if last else {}
    )


def _recurrent(layer: Any) -> Facts:
    both = own_name(type(layer)) == "Bidirectional"
    inner = layer.forward_layer if both else layer
    return {
        "input_size": _built_for(inner),
        "hidden_size": getattr(inner, "units", None),
        "batch_first": True,
        "bidirectional": both and layer.merge_mode == "concat",
        "return_sequences": bool(inner.return_sequences),
    }


def _attention(layer: Any) -> Facts:
    return {
        name: value
        for name, value in (
            ("num_heads", getattr(layer, "num_heads", None)),
            ("key_dim", getattr(layer, "key_dim", None)),
            ("output_shape", getattr(layer, "_output_shape", None)),
        )
        if value is not None
    }


_FACTS: Mapping[str, Callable[[Any], Facts]] = {
    "conv": _conv,
    "conv_transpose": _conv,
    "linear": lambda layer: {
        "in_features": _built_for(layer),
        "out_features": layer.units,
        "bias": bool(layer.use_bias),
    },
    "squash": lambda layer: {"axis": layer.axis} if isinstance(getattr(layer, "axis", None), int) else {},
    "einsum": lambda layer: {"equation": layer.equation, "output_shape": tuple(layer.partial_output_shape)},
    "pool": _pool,
    "reduce": _reduced,
    "adaptive_pool": lambda layer: {
        "output_size": layer.output_size if isinstance(layer.output_size, int) else tuple(layer.output_size),
        "rank": _rank_in_name(layer),
        **_last(layer),
    },
    "norm": _norm,
    "resize": _resize,
    "pad": _pad,
    "flatten": lambda _: {"start_dim": 1, "end_dim": -1},
    "reshape": lambda layer: {"shape": tuple(layer.target_shape), "keeps_batch": True},
    "permute": lambda layer: {"dims": (0, *layer.dims)},
    "expand": lambda layer: {"repeats": layer.n},
    "embedding": lambda layer: {"num_embeddings": layer.input_dim, "embedding_dim": layer.output_dim},
    "recurrent": _recurrent,
    "conv_recurrent": lambda layer: {"rank": layer.cell.rank, "return_sequences": bool(layer.return_sequences)},
    "attention": _attention,
    "concat": lambda layer: {"dim": layer.axis},
    "dot": lambda layer: {"axes": tuple(layer.axes) if isinstance(layer.axes, list | tuple) else layer.axes},
}


def _simple(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(_simple(item) for item in value)
    return value is None or isinstance(value, int | float | str)


def _numbers(layer: Layer) -> Facts:
    return {
        name: tuple(value) if isinstance(value, list | tuple) else value
        for name, value in vars(layer).items()
        if not name.startswith("_") and name not in _KERAS_OWN and _number(value)
    }


_KERAS_OWN = frozenset({"built", "autocast", "trainable", "stop_training", "steps_per_execution", "run_eagerly"})


def _number(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return 0 < len(value) <= 4 and all(isinstance(item, int) for item in value)
    return isinstance(value, int | float)


def parameters_of(layer: Layer) -> int:
    """How many weights a layer has, those of the layers inside it included."""
    return sum(math.prod(weight.shape) for weight in layer.weights)


# Losses

_SAME: Facts = {"labels": "same", "target": 0, "output": 1}
_ONE_HOT: Facts = {"labels": "one-hot", "target": 0, "output": 1, "class_axis": -1}

LOSSES: Mapping[str, Facts] = {
    "sparse_categorical_crossentropy": _ONE_HOT | {"labels": "classes", "squeezes": True},
    **dict.fromkeys(("categorical_crossentropy", "categorical_focal_crossentropy"), _ONE_HOT),
    **dict.fromkeys(("binary_crossentropy", "binary_focal_crossentropy"), _SAME | {"exact": True, "binary": True}),
    **dict.fromkeys(
        "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error huber "
        "log_cosh kl_divergence poisson hinge squared_hinge categorical_hinge".split(),
        _SAME,
    ),
    "sparse_categorical_accuracy": _ONE_HOT | {"labels": "classes", "squeezes": True},
    "categorical_accuracy": _ONE_HOT,
    **dict.fromkeys(("accuracy", "binary_accuracy"), _SAME | {"squeezes": True}),
}
"""What a loss, or a metric, asks of its target: a row of numbers for the classes (`one-hot`), the number of one
(`classes`), or as many numbers as the output has (`same`)."""


def named_loss(loss: Any) -> tuple[str, Facts] | None:
    """The name of one of Keras's own losses or metrics, and what it asks of its target; None for what is looked
    into."""
    function = getattr(loss, "fn", None) or getattr(loss, "_fn", loss)
    own = (getattr(function, "__module__", "") or "").startswith("keras.")
    name = getattr(function, "__name__", "")
    if not own or name not in LOSSES:
        return None
    wrapped = {"squeezes": True} if function is not loss else {}  # its class drops or adds a last axis of size 1
    return name, LOSSES[name] | wrapped


# Operations of `keras.ops` on symbolic tensors

_OPERATIONS = {
    "Add": ("add", "add"),
    "Subtract": ("sub", "sub"),
    "Multiply": ("mul", "mul"),
    "Divide": ("div", "div"),
    "TrueDivide": ("div", "div"),
    "Maximum": ("maximum", "maximum"),
    "Minimum": ("minimum", "minimum"),
    "Where": ("where", "where"),
    "Power": ("pow", "power"),
    "Concatenate": ("concat", "concat"),
    "Stack": ("stack", "stack"),
    "Matmul": ("matmul", "matmul"),
    "Dot": ("matmul", "matmul"),
    "Einsum": ("einsum", "einsum"),
    "Conv": ("conv", "conv"),
    "Reshape": ("reshape", "reshape"),
    "Transpose": ("transpose", "permute"),
    "Swapaxes": ("swapaxes", "permute"),
    "Moveaxis": ("moveaxis", "other"),
    "ExpandDims": ("expand_dims", "unsqueeze"),
    "Squeeze": ("squeeze", "squeeze"),
    "BroadcastTo": ("broadcast_to", "expand"),
    "Tile": ("tile", "expand"),
    "Repeat": ("repeat", "expand"),
    "Split": ("split", "split"),
    "Unstack": ("unstack", "split"),
    "GetItem": ("getitem", "index"),
    "Take": ("take", "index"),
    "Pad": ("pad", "pad"),
    "BatchNorm": ("batch_norm", "norm"),
}

for _name in "Mean Sum Max Min Prod Std Var Any All Argmax Argmin".split():
    _OPERATIONS[_name] = (_name.lower(), "reduce")
for _name in "Sigmoid Tanh Softmax LogSoftmax HardSigmoid".split():
    _OPERATIONS[_name] = (_name.lower(), "squash")
for _name in "Relu Relu6 Gelu Silu Elu Selu LeakyRelu Softplus HardSilu Celu Mish Clip".split():
    _OPERATIONS[_name] = (_name.lower(), "activation")
for _name in "Negative Exp Log Sqrt Rsqrt Abs Absolute Square Reciprocal Sin Cos Cast StopGradient Cumsum Flip".split():
    _OPERATIONS[_name] = (_name.lower(), "same")


def named_operation(cls: type) -> tuple[str, str]:
    """Neutral name and kind of an operation's class."""
    return _OPERATIONS.get(cls.__name__) or (cls.__name__.lower(), "other")


def operation_facts(operation: Any, kind: str) -> Facts:
    """The facts of an operation of `keras.ops`, which keeps its settings as attributes."""
    own = vars(operation)
    axis = own.get("axis")
    found: Facts = {}
    match kind:
        case "concat" | "stack" | "squeeze" | "unsqueeze" | "split":
            found = {"dim": axis}
        case "reduce":
            found = {"dim": tuple(axis) if isinstance(axis, list) else axis, "keepdim": bool(own.get("keepdims"))}
        case "reshape":
            found = {"shape": tuple(-1 if size is None else size for size in own.get("newshape", ()))}
        case "permute" if own.get("axes") is not None:
            found = {"dims": tuple(own["axes"])}
        case "permute" if "axis1" in own:
            found = {"swap": (own["axis1"], own["axis2"])}
        case "einsum":
            found = {"equation": own.get("subscripts")}
        case "pad":
            pairs = own.get("pad_width", ())
            found = {"pad": tuple(amount for pair in reversed(pairs) for amount in pair)}
    return {key: value for key, value in found.items() if value is not None and _simple(value)}
