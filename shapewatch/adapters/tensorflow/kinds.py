"""TensorFlow's operations in neutral terms: name, kind, and the facts that shape arithmetic needs.

An operation is known by the name in its definition (`AddV2`), which is the same eagerly and in a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Facts = dict[str, Any]

_NAMES = {
    "AddV2": ("add", "add"),
    "Add": ("add", "add"),
    "AddN": ("add", "add"),
    "BiasAdd": ("bias_add", "same"),
    "Sub": ("sub", "sub"),
    "Mul": ("mul", "mul"),
    "RealDiv": ("div", "div"),
    "Div": ("div", "div"),
    "DivNoNan": ("div", "div"),
    "FloorDiv": ("floordiv", "div"),
    "FloorMod": ("mod", "div"),
    "Maximum": ("maximum", "maximum"),
    "Minimum": ("minimum", "minimum"),
    "SquaredDifference": ("squared_difference", "sub"),
    "SelectV2": ("where", "where"),
    "Select": ("where", "where"),
    "Equal": ("eq", "compare"),
    "NotEqual": ("ne", "compare"),
    "Less": ("lt", "compare"),
    "LessEqual": ("le", "compare"),
    "Greater": ("gt", "compare"),
    "GreaterEqual": ("ge", "compare"),
    "LogicalAnd": ("logical_and", "compare"),
    "LogicalOr": ("logical_or", "compare"),
    "Pow": ("pow", "power"),
    "ConcatV2": ("concat", "concat"),
    "Pack": ("stack", "stack"),
    "MatMul": ("matmul", "matmul"),
    "BatchMatMulV2": ("matmul", "matmul"),
    "BatchMatMulV3": ("matmul", "matmul"),
    "Einsum": ("einsum", "einsum"),
    "Conv2D": ("conv2d", "conv"),
    "Conv3D": ("conv3d", "conv"),
    "DepthwiseConv2dNative": ("depthwise_conv2d", "conv"),
    "Conv2DBackpropInput": ("conv2d_transpose", "conv_backwards"),
    "MaxPool": ("max_pool2d", "pool"),
    "AvgPool": ("avg_pool2d", "pool"),
    "MaxPool3D": ("max_pool3d", "pool"),
    "AvgPool3D": ("avg_pool3d", "pool"),
    "FusedBatchNormV3": ("batch_norm", "norm"),
    "Assign": ("assign", "assign"),
    "Reshape": ("reshape", "reshape"),
    "Transpose": ("transpose", "permute"),
    "ExpandDims": ("expand_dims", "unsqueeze"),
    "Squeeze": ("squeeze", "squeeze"),
    "Tile": ("tile", "expand"),
    "BroadcastTo": ("broadcast_to", "expand"),
    "Split": ("split", "split"),
    "SplitV": ("split", "split"),
    "Unpack": ("unstack", "split"),
    "StridedSlice": ("getitem", "index"),
    "Slice": ("slice", "index"),
    "GatherV2": ("gather", "index"),
    "GatherNd": ("gather_nd", "index"),
    "ResourceGather": ("gather", "embedding"),
    "Pad": ("pad", "pad"),
    "PadV2": ("pad", "pad"),
    "MirrorPad": ("pad", "pad"),
    "ResizeBilinear": ("resize", "resize"),
    "ResizeNearestNeighbor": ("resize", "resize"),
    "ResizeBicubic": ("resize", "resize"),
    "DepthToSpace": ("depth_to_space", "pixel_shuffle"),
    "SpaceToDepth": ("space_to_depth", "other"),
    "SoftmaxCrossEntropyWithLogits": ("softmax_cross_entropy", "loss"),
    "SparseSoftmaxCrossEntropyWithLogits": ("sparse_softmax_cross_entropy", "loss"),
}

_ALIKE = {
    "reduce": "Mean Sum Max Min Prod All Any ArgMax ArgMin EuclideanNorm",
    "squash": "Sigmoid Tanh Softmax LogSoftmax",
    "activation": "Relu Relu6 Elu Selu LeakyRelu Softplus Softsign",
    "same": "Identity Cast StopGradient Neg Exp Log Log1p Expm1 Sqrt Rsqrt Abs Square Reciprocal Sin Cos Erf Erfc Sign "
    "Round Floor Ceil Cumsum ReverseV2 ClipByValue CheckNumerics PreventGradient Inv IdentityN LogicalNot IsNan "
    "ZerosLike OnesLike Snapshot",
}

_SPELLED = {"ArgMax": "argmax", "ArgMin": "argmin", "LogSoftmax": "log_softmax", "LeakyRelu": "leaky_relu"}

for _kind, _ops in _ALIKE.items():
    for _op in _ops.split():
        _NAMES[_op] = (_SPELLED.get(_op, _op.lower()), _kind)

UNRECORDED = frozenset(
    "Const Placeholder PlaceholderWithDefault Variable VariableV2 VarHandleOp AssignVariableOp "
    "AssignAddVariableOp AssignSubVariableOp "
    "VarIsInitializedOp NoOp Assert Shape ShapeN Size Rank StringFormat PrintV2 Fill Range LinSpace RandomUniform "
    "RandomStandardNormal StatelessRandomUniformV2 StatelessRandomNormalV2 StatelessRandomGetKeyCounter "
    "TruncatedNormal IteratorGetNext OptionalGetValue DestroyResourceOp ResourceApplyGradientDescent "
    "ReadVariableOp TensorArrayV3 TensorListReserve TensorListFromTensor".split()
)
"""Operations that make a tensor out of no tensor, or none: not worth a record. What they give is a constant."""

SETTINGS: Mapping[str, str] = {
    "Conv2DBackpropInput": "input_sizes",
    "Reshape": "shape",
    "ConcatV2": "axis",
    "Transpose": "perm",
    "ExpandDims": "dim",
    "Tile": "multiples",
    "BroadcastTo": "shape",
    "Pad": "paddings",
    "PadV2": "paddings constant_values",
    "MirrorPad": "paddings",
    "GatherV2": "axis",
    "Split": "split_dim",
    "SplitV": "size_splits split_dim",
    "StridedSlice": "begin end strides",
    "Slice": "begin size",
    "ResizeBilinear": "size",
    "ResizeNearestNeighbor": "size",
    "ResizeBicubic": "size",
    "Cumsum": "axis",
    "ReverseV2": "axis",
    "ArgMax": "dimension",
    "ArgMin": "dimension",
    "OneHot": "depth on_value off_value",
    "TopKV2": "k",
    **dict.fromkeys("Mean Sum Max Min Prod All Any EuclideanNorm".split(), "reduction_indices"),
}
"""Inputs of an operation that are settings, not branches of the data flow."""


def named(op: str) -> tuple[str, str] | None:
    """Neutral name and kind; None for what is not recorded."""
    if op in UNRECORDED:
        return None
    return _NAMES.get(op) or (op, "other")


def facts(op: str, settings: Mapping[str, Any], attrs: Mapping[str, Any], rank: int | None) -> Facts:
    """The facts of an operation. `settings` are its setting inputs as plain numbers, None where they are not known;
    `rank` is that of its first operand."""
    read = _FACTS.get(op)
    if read is None:
        return {}
    try:
        return {key: value for key, value in read(settings, attrs, rank or 0).items() if value is not None}
    except (TypeError, KeyError, IndexError, ValueError):
        return {}  # a setting that is computed while the program runs


def _axes(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else tuple(value)


def _reduced(settings: Mapping[str, Any], attrs: Mapping[str, Any], _rank: int) -> Facts:
    return {"dim": _axes(settings["reduction_indices"]), "keepdim": bool(attrs.get("keep_dims", False))}


def _window(_settings: Mapping[str, Any], attrs: Mapping[str, Any], _rank: int) -> Facts:
    rank = len(attrs["strides"])  # of the input that the operation takes; the one that it is given may have another
    last = _text(attrs.get("data_format", "NHWC")).endswith("C")
    spatial = slice(1, -1) if last else slice(2, None)
    padding = _text(attrs["padding"]).lower()
    found: Facts = {
        "stride": tuple(attrs["strides"])[spatial],
        "dilation": tuple(attrs.get("dilations") or (1,) * rank)[spatial],
        "rank": rank - 2,
        "batched": True,
    }
    if padding in ("same", "valid"):
        found["padding"] = padding
    if "ksize" in attrs:
        found["kernel_size"] = tuple(attrs["ksize"])[spatial]
        found.pop("dilation")
    return found | _order(attrs)


def _order(attrs: Mapping[str, Any]) -> Facts:
    return {"channels_last": True} if _text(attrs.get("data_format", "NHWC")).endswith("C") else {}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _padded(settings: Mapping[str, Any], _attrs: Mapping[str, Any], _rank: int) -> Facts:
    pairs = [tuple(pair) for pair in settings["paddings"]]
    return {"pad": tuple(int(amount) for pair in reversed(pairs) for amount in pair)}


def _product(first: str, second: str) -> Callable[[Mapping[str, Any], Mapping[str, Any], int], Facts]:
    def read(_settings: Mapping[str, Any], attrs: Mapping[str, Any], _rank: int) -> Facts:
        flags = {"transpose_a": bool(attrs.get(first)), "transpose_b": bool(attrs.get(second))}
        return {name: True for name, flag in flags.items() if flag}

    return read


def _backwards(settings: Mapping[str, Any], attrs: Mapping[str, Any], rank: int) -> Facts:
    window = _window(settings, attrs, rank)
    spatial = slice(1, -1) if window.get("channels_last") else slice(2, None)
    return window | {"output_size": tuple(settings["input_sizes"])[spatial]}


_CROSSENTROPY: Facts = {"output": 0, "target": 1, "class_axis": -1}

_FACTS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], int], Facts]] = {
    "Reshape": lambda s, _a, _r: {"shape": tuple(s["shape"])},
    "ConcatV2": lambda s, _a, _r: {"dim": int(s["axis"])},
    "Pack": lambda _s, a, _r: {"dim": int(a.get("axis", 0))},
    "Transpose": lambda s, _a, _r: {"dims": tuple(s["perm"])},
    "ExpandDims": lambda s, _a, _r: {"dim": _axes(s["dim"])},
    "Squeeze": lambda _s, a, _r: {"dim": _axes(a.get("squeeze_dims") or None)},
    "Split": lambda s, a, _r: {"dim": int(s["split_dim"]), "parts": a.get("num_split")},
    "SplitV": lambda s, _a, _r: {"dim": int(s["split_dim"]), "size": tuple(s["size_splits"])},
    "Tile": lambda s, _a, _r: {"repeats": tuple(s["multiples"])},
    "BroadcastTo": lambda s, _a, _r: {"shape": tuple(s["shape"])},
    "Unpack": lambda _s, a, _r: {"dim": int(a.get("axis", 0)), "dropped": True},
    "Einsum": lambda _s, a, _r: {"equation": _text(a["equation"])},
    "DepthToSpace": lambda _s, a, _r: {"upscale_factor": int(a["block_size"]), **_order(a)},
    "MatMul": _product("transpose_a", "transpose_b"),
    "BatchMatMulV2": _product("adj_x", "adj_y"),
    "BatchMatMulV3": _product("adj_x", "adj_y"),
    "ResizeBilinear": lambda s, _a, _r: {"size": tuple(s["size"]), "channels_last": True},
    "ResizeNearestNeighbor": lambda s, _a, _r: {"size": tuple(s["size"]), "channels_last": True},
    "ResizeBicubic": lambda s, _a, _r: {"size": tuple(s["size"]), "channels_last": True},
    "SoftmaxCrossEntropyWithLogits": lambda _s, _a, _r: _CROSSENTROPY | {"labels": "one-hot"},
    "SparseSoftmaxCrossEntropyWithLogits": lambda _s, _a, _r: _CROSSENTROPY | {"labels": "classes"},
    "Conv2DBackpropInput": _backwards,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _padded),
    **dict.fromkeys(
        ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"), _window
    ),
    **dict.fromkeys("Mean Sum Max Min Prod All Any EuclideanNorm".split(), _reduced),
}


def setting_of(op: str, argument: str) -> str | None:
    """The setting input that a neutral argument is in (`dim` of a concat: `axis`); None where it is an attribute."""
    if argument == "dim" and SETTINGS.get(op) == "reduction_indices":
        return "reduction_indices"
    return {
        ("ConcatV2", "dim"): "axis",
        ("Reshape", "shape"): "shape",
        ("Transpose", "dims"): "perm",
        ("ExpandDims", "dim"): "dim",
        ("Tile", "repeats"): "multiples",
        ("Split", "dim"): "split_dim",
        ("SplitV", "dim"): "split_dim",
    }.get((op, argument))


def attribute_of(op: str, argument: str, value: Any, present: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The attribute that a neutral argument is, with the value as the operation spells it."""
    named = {
        ("Pack", "dim"): "axis",
        ("Unpack", "dim"): "axis",
        ("Einsum", "equation"): "equation",
        ("DepthToSpace", "upscale_factor"): "block_size",
    }
    if (op, argument) == ("Squeeze", "dim"):
        return "squeeze_dims", list(value) if isinstance(value, tuple) else [value]
    if argument == "keepdim" and SETTINGS.get(op) == "reduction_indices":
        return "keep_dims", value
    if (op, argument) in named:
        return named[op, argument], value
    around: Sequence[int] | None = present.get("strides")
    last = _text(present.get("data_format", "NHWC")).endswith("C")
    if argument in ("stride", "dilation", "kernel_size") and around is not None:
        count = len(around) - 2
        inner = (value,) * count if isinstance(value, int) else tuple(value)
        whole = [1, *inner, 1] if last else [1, 1, *inner]
        return {"stride": "strides", "dilation": "dilations", "kernel_size": "ksize"}[argument], whole
    if argument == "padding" and isinstance(value, str):
        return "padding", value.upper()
    if argument in ("transpose_a", "transpose_b"):
        return argument if op == "MatMul" else {"transpose_a": "adj_x", "transpose_b": "adj_y"}[argument], value
    return None
