"""New layers for edits, without Keras, and settings of modules changed for a while."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from shapewatch.adapters.written import collapse
from shapewatch.edits import Module


class New(tf.Module):
    """A layer that does not exist yet. Its weights are zeros, made when it is called: no random number is drawn.

    With `shapes_only` they are tensors of the graph that is being made, and no memory is taken for them.

    Raises:
        ValueError: there is no such layer.
    """

    def __init__(self, module: Module, shapes_only: bool) -> None:
        super().__init__()
        if module.kind != "sequence" and module.kind not in _FORWARDS:
            raise ValueError(f"TensorFlow has no function for {module.kind!r}")
        self.kind = module.kind
        self.parameters = 0
        self._arguments = dict(module.arguments)
        self._shapes_only = shapes_only
        self._weights: dict[str, Any] = {}
        self._parts = [New(part, shapes_only) for part in module.parts]

    def __call__(self, x: Any) -> Any:
        self.parameters = 0
        for part in self._parts:
            x = part(x)
            self.parameters += part.parameters
        return x if self._parts else _FORWARDS[self.kind](self, x, self._arguments)

    def weight(self, name: str, shape: Sequence[int], like: Any) -> Any:
        self.parameters += math.prod(shape)
        if self._shapes_only:
            return tf.zeros(shape, like.dtype)
        if name not in self._weights:
            with tf.init_scope():
                self._weights[name] = tf.Variable(tf.zeros(shape, like.dtype))
        return self._weights[name]


Arguments = Mapping[str, Any]


def _spread(value: Any, rank: int) -> list[int]:
    return list(value) if isinstance(value, tuple | list) else [int(value)] * rank


def _identity(_layer: New, x: Any, _arguments: Arguments) -> Any:
    return tf.identity(x)


def _linear(layer: New, x: Any, arguments: Arguments) -> Any:
    width = arguments["out_features"]
    x = tf.tensordot(x, layer.weight("kernel", (x.shape[-1], width), x), 1)
    return x + layer.weight("bias", (width,), x) if arguments.get("bias", True) else x


def _conv(layer: New, x: Any, arguments: Arguments) -> Any:
    rank, last = arguments.get("rank", 2), bool(arguments.get("channels_last"))
    channels, filters = x.shape[-1 if last else 1], arguments["out_channels"]
    kernel = (*_spread(arguments["kernel_size"], rank), channels // arguments.get("groups", 1), filters)
    order = _order(rank, last)
    x = tf.nn.convolution(
        x,
        layer.weight("kernel", kernel, x),
        _spread(arguments.get("stride", 1), rank),
        padding=_padding(arguments, rank),
        data_format=order,
        dilations=_spread(arguments.get("dilation", 1), rank),
    )
    if not arguments.get("bias", True):
        return x
    bias = layer.weight("bias", (filters,), x)
    return x + (bias if last else tf.reshape(bias, [filters] + [1] * rank))


def _order(rank: int, last: bool) -> str:
    spatial = "DHW"[3 - rank :] if rank > 1 else "W"
    return f"N{spatial}C" if last else f"NC{spatial}"


def _padding(arguments: Arguments, rank: int) -> str:
    """`SAME` where the amounts keep the size but for the stride, `VALID` where there are none."""
    padding = arguments.get("padding", 0)
    if isinstance(padding, str):
        return padding.upper()
    amounts, kernel, spread = (
        _spread(given, rank) for given in (padding, arguments["kernel_size"], arguments.get("dilation", 1))
    )
    if not any(amounts):
        return "VALID"
    if all(2 * p == d * (k - 1) for p, k, d in zip(amounts, kernel, spread, strict=True)):
        return "SAME"
    raise ValueError(f"TensorFlow pads 'SAME' or 'VALID', not by {padding}")


def _pool(_layer: New, x: Any, arguments: Arguments) -> Any:
    rank, last = arguments.get("rank", 2), bool(arguments.get("channels_last"))
    size = _spread(arguments["kernel_size"], rank)
    stride = _spread(arguments.get("stride", size), rank)
    style = "AVG" if arguments.get("average") else "MAX"
    return tf.nn.pool(x, size, style, stride, _padding(arguments, rank), _order(rank, last))


def _norm(_layer: New, x: Any, arguments: Arguments) -> Any:
    """Normalised by the batch's own mean and variance: without weights, which a module would have to keep and move."""
    channels = len(x.shape) - 1 if arguments.get("channels_last") else 1
    return _normalised(x, [axis for axis in range(len(x.shape)) if axis != channels])


def _layer_norm(_layer: New, x: Any, _arguments: Arguments) -> Any:
    return _normalised(x, [len(x.shape) - 1])


def _normalised(x: Any, axes: Sequence[int]) -> Any:
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, None, None, 1e-3)


def _flatten(_layer: New, x: Any, arguments: Arguments) -> Any:
    shape, rank = tuple(x.shape), len(x.shape)
    first, last = arguments.get("start_dim", 1) % rank, arguments.get("end_dim", -1) % rank
    joined = shape[first : last + 1]
    sizes = (*shape[:first], None if None in joined else math.prod(joined), *shape[last + 1 :])
    if sizes.count(None) > 1:
        known = tf.shape(x)
        return tf.reshape(x, tf.concat([known[:first], [-1], known[last + 1 :]], 0))
    return tf.reshape(x, [-1 if size is None else size for size in sizes])


def _pad(_layer: New, x: Any, arguments: Arguments) -> Any:
    """Zero-pads or, by negative amounts, crops; the amounts are counted from the last axis, two for each."""
    pad = arguments["pad"]
    pairs = [(0, 0)] * (len(x.shape) - len(pad) // 2)
    pairs += [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    x = x[tuple(slice(max(0, -first), min(0, last) or None) for first, last in pairs)]
    return tf.pad(x, [(max(0, first), max(0, last)) for first, last in pairs])


def _subsample_pad(_layer: New, x: Any, arguments: Arguments) -> Any:
    """The identity shortcut without parameters (He et al. 2015, option A): every n-th pixel, zeros for new channels."""
    rank, stride, last = arguments.get("rank", 2), arguments["stride"], bool(arguments.get("channels_last"))
    first, axis = (1, rank + 1) if last else (2, 1)
    x = x[tuple(slice(None, None, stride if first <= at < first + rank else None) for at in range(rank + 2))]
    missing = arguments["channels"] - x.shape[axis]
    return tf.pad(x, [(0, missing if at == axis else 0) for at in range(rank + 2)])


def _resize(_layer: New, x: Any, arguments: Arguments) -> Any:
    last = bool(arguments.get("channels_last"))
    if "size" in arguments:
        size = list(arguments["size"])
    else:
        factors = _spread(arguments["scale_factor"], 2)
        spatial = x.shape[1:3] if last else x.shape[2:4]
        size = [None if n is None else int(n * factor) for n, factor in zip(spatial, factors, strict=True)]
    if len(size) != 2 or None in size:
        raise ValueError(f"TensorFlow resizes images with a height and a width, not to {size}")
    x = x if last else tf.transpose(x, (0, 2, 3, 1))
    x = tf.image.resize(x, size, "nearest" if arguments.get("mode", "nearest") == "nearest" else "bilinear")
    return x if last else tf.transpose(x, (0, 3, 1, 2))


def _unsqueeze(_layer: New, x: Any, arguments: Arguments) -> Any:
    return x[tuple(tf.newaxis if axis in arguments["dims"] else slice(None) for axis in range(arguments["rank"]))]


def _squeeze(_layer: New, x: Any, arguments: Arguments) -> Any:
    return tf.squeeze(x, arguments["dim"])


def _narrow(_layer: New, x: Any, arguments: Arguments) -> Any:
    dims, size = arguments["dims"], arguments["size"]
    return x[tuple(slice(size if axis in dims else None) for axis in range(max(dims) + 1))]


def _permute(_layer: New, x: Any, arguments: Arguments) -> Any:
    return tf.transpose(x, arguments["dims"])


def _expand(layer: New, x: Any, arguments: Arguments) -> Any:
    sizes = arguments["sizes"]
    x = _unsqueeze(layer, x, {"dims": arguments["dims"], "rank": len(sizes)})
    for axis, size in enumerate(sizes):
        x = x if size == -1 else tf.repeat(x, size, axis=axis)
    return x


def _without_first(_layer: New, x: Any, arguments: Arguments) -> Any:
    return x[(slice(None),) * arguments["dim"] + (slice(arguments["count"], None),)]


_FORWARDS: Mapping[str, Callable[[New, Any, Arguments], Any]] = {
    "identity": _identity,
    "linear": _linear,
    "conv": _conv,
    "pool": _pool,
    "norm": _norm,
    "layer_norm": _layer_norm,
    "flatten": _flatten,
    "pad": _pad,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "narrow": _narrow,
    "permute": _permute,
    "expand": _expand,
    "without_first": _without_first,
    "subsample_pad": _subsample_pad,
    "resize": _resize,
    "upsample": _resize,
}


def changed(module: tf.Module, path: str, argument: str, value: Any) -> None:
    """Give a plain attribute of a module another value, as one number where it was one.

    Raises:
        ValueError: the module has no such attribute.
    """
    was = vars(module).get(argument)
    if not isinstance(was, int | float | str | tuple | list):
        raise ValueError(f"{path or type(module).__name__} keeps no setting {argument!r}")
    setattr(module, argument, value if isinstance(was, tuple | list) else collapse(value))
