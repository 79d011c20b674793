"""Our settings in Keras's words: `strides` for `stride`, `filters` for `out_channels`.

A layer's config is where Keras keeps its settings, and what it makes layers from. Whatever is given in its words here
can be put into a config, or handed to a constructor, as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from shapewatch.edits import Module

Config = dict[str, Any]

_CONV = {
    "out_channels": "filters",
    "kernel_size": "kernel_size",
    "stride": "strides",
    "padding": "padding",
    "dilation": "dilation_rate",
    "groups": "groups",
    "depth_multiplier": "depth_multiplier",
    "bias": "use_bias",
}

NAMES: Mapping[str, Mapping[str, str]] = {
    "conv": _CONV,
    "conv_transpose": {**_CONV, "output_padding": "output_padding"},
    "pool": {"kernel_size": "pool_size", "stride": "strides", "padding": "padding"},
    "adaptive_pool": {"output_size": "output_size"},
    "reduce": {"keepdim": "keepdims"},
    "linear": {"out_features": "units", "bias": "use_bias"},
    "embedding": {"num_embeddings": "input_dim", "embedding_dim": "output_dim"},
    "recurrent": {"hidden_size": "units", "return_sequences": "return_sequences"},
    "conv_recurrent": {"return_sequences": "return_sequences"},
    "einsum": {"equation": "equation", "output_shape": "output_shape"},
    "attention": {
        "num_heads": "num_heads",
        "key_dim": "key_dim",
        "value_dim": "value_dim",
        "output_shape": "output_shape",
    },
    "norm": {"axis": "axis", "num_groups": "groups"},
    "concat": {"dim": "axis"},
    "squash": {"dim": "axis"},
    "dot": {"axes": "axes"},
    "reshape": {"shape": "target_shape"},
    "permute": {"dims": "dims"},
    "expand": {"repeats": "n"},
    "pad": {"pad": "padding"},
    "resize": {"scale_factor": "size", "mode": "interpolation"},
}
"""Of each kind of layer, our names of its arguments and Keras's. What is missing has none there: a layer finds out by
itself how wide its input is."""

_LACKS: Mapping[str, frozenset[str]] = {
    "DepthwiseConv": frozenset({"out_channels", "groups"}),
    "SeparableConv": frozenset({"groups"}),
}
"""Arguments that some layers of a kind do not have, by the beginning of their names."""

WINDOW = frozenset({"kernel_size", "pool_size", "strides", "dilation_rate", "output_padding", "size"})
"""Arguments with a number for each spatial axis, which one number can stand for."""


def as_keras(kind: str, type: str, facts: Mapping[str, Any], arguments: Mapping[str, Any]) -> Config:
    """Arguments, ours, as a config has them. `facts` are the layer's own, which some values depend on.

    Raises:
        ValueError: the layer has no such argument, or cannot have that value.
    """
    names, config = NAMES.get(kind, {}), Config()
    whole = {**facts, **arguments}
    for argument, value in arguments.items():
        if kind == "module":
            config[argument] = value
        elif kind == "resize" and argument == "size":
            config["height"], config["width"] = _pair(value, type)
        elif argument not in names or any(type.startswith(k) and argument in lacks for k, lacks in _LACKS.items()):
            raise ValueError(f"a Keras {type} has no argument that sets its {argument}")
        elif kind == "pad":
            crops = type.startswith("Cropping")
            config["cropping" if crops else "padding"] = _nested(value, whole, crops)
        else:
            config[names[argument]] = _keras_value(argument, value, whole, type)
    return config


def _keras_value(argument: str, value: Any, facts: Mapping[str, Any], type: str) -> Any:
    if argument == "padding":
        return _padding_word(value, facts, type)
    if argument == "scale_factor":
        return _factor(value, type)
    if argument == "output_shape" and value is not None and len(value) == 1:
        return value[0]
    if argument == "dims":
        if value[0] != 0:
            raise ValueError(f"a Keras {type} leaves the batch axis where it is")
        return tuple(value[1:])
    return _tuples(value)


def _padding_word(padding: Any, facts: Mapping[str, Any], type: str) -> str:
    """`same` where the amounts keep the size but for the stride, `valid` where there are none."""
    if isinstance(padding, str):
        return padding
    kernel = facts.get("kernel_size", 1)
    rank = next((len(given) for given in (padding, kernel) if isinstance(given, tuple | list)), 1)
    amounts, sizes, spread = (_spread(given, rank) for given in (padding, kernel, facts.get("dilation", 1)))
    if not any(amounts):
        return "valid"
    if all(2 * p == d * (k - 1) for p, k, d in zip(amounts, sizes, spread, strict=True)):
        return "same"
    raise ValueError(f"a Keras {type} pads 'same' or 'valid', not by {padding}")


def _factor(factor: Any, type: str) -> Any:
    factors = tuple(factor) if isinstance(factor, tuple | list) else (factor,)
    if any(one != int(one) for one in factors):
        raise ValueError(f"a Keras {type} repeats a whole number of times, not {factor}")
    whole = tuple(int(one) for one in factors)
    return whole[0] if len(whole) == 1 else whole


def _pair(size: Any, type: str) -> tuple[int, int]:
    sizes = _spread(size, 2)
    if len(sizes) != 2:
        raise ValueError(f"a Keras {type} is for images with a height and a width")
    return sizes[0], sizes[1]


def _nested(amounts: Sequence[int], facts: Mapping[str, Any], crops: bool) -> tuple[Any, ...]:
    channels, spatial = _by_axis(amounts, facts)
    if channels or any(amount > 0 if crops else amount < 0 for pair in spatial for amount in pair):
        raise ValueError(f"a Keras layer that {'crops' if crops else 'pads'} cannot do so by {tuple(amounts)}")
    pairs = tuple((abs(first), abs(last)) for first, last in spatial)
    return pairs if len(pairs) > 1 else pairs[0]


def _by_axis(amounts: Sequence[int], facts: Mapping[str, Any]) -> tuple[bool, tuple[tuple[int, int], ...]]:
    """Whether amounts counted from the last axis touch the channels, and those of the spatial axes, in their order."""
    pairs = [(amounts[i], amounts[i + 1]) for i in range(0, len(amounts) - 1, 2)]
    first = 1 if facts.get("channels_last") else 0
    rank = facts.get("rank", len(pairs) - first)
    spatial = pairs[first : first + rank]
    return any(map(any, (*pairs[:first], *pairs[first + rank :]))), tuple(reversed(spatial))


def _spread(value: Any, rank: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * rank


def _tuples(value: Any) -> Any:
    """Tuples for lists: a config that has been saved has lists."""
    return tuple(_tuples(item) for item in value) if isinstance(value, tuple | list) else value


# Layers that do not exist yet


def described(module: Module) -> dict[str, Any]:
    """A layer as its class and its config: `getattr(keras.layers, type)(**arguments)`.

    A `Sequential` has such descriptions as its `layers`. For what Keras has no layer, `type` says what is meant, in
    words that name no layer, and `arguments` are ours.
    """
    arguments, rank = dict(module.arguments), module.arguments.get("rank", 2)
    match module.kind:
        case "sequence":
            return {"type": "Sequential", "arguments": {"layers": [described(part) for part in module.parts]}}
        case "conv":
            return {"type": f"Conv{rank}D", "arguments": _conv(arguments)}
        case "linear":
            return {"type": "Dense", "arguments": _given("linear", arguments)}
        case "norm":
            return {"type": "BatchNormalization", "arguments": {} if _last(arguments) else {"axis": 1}}
        case "layer_norm":
            return {"type": "LayerNormalization", "arguments": {}}
        case "pool":
            style = "Average" if arguments.get("average") else "Max"
            return {"type": f"{style}Pooling{rank}D", "arguments": _given("pool", arguments) | _format(arguments)}
        case "repeat_vector":
            return {"type": "RepeatVector", "arguments": {"n": arguments["n"]}}
        case "global_pool":
            return {"type": f"GlobalAveragePooling{rank}D", "arguments": {}}
        case "flatten" if arguments.get("start_dim", 1) == 1 and arguments.get("end_dim", -1) == -1:
            return {"type": "Flatten", "arguments": {}}
        case "flatten" if arguments.get("start_dim") == 2 and arguments.get("end_dim", -1) == -1:
            return {"type": "TimeDistributed", "arguments": {"layer": {"type": "Flatten", "arguments": {}}}}
        case "upsample":
            factor = arguments["scale_factor"]
            rank = len(factor) if isinstance(factor, tuple | list) else rank
            given = as_keras("resize", f"UpSampling{rank}D", {}, {"scale_factor": factor})
            if rank == 2:
                given |= _format(arguments) | _interpolation(arguments)
            return {"type": f"UpSampling{rank}D", "arguments": given}
        case "resize":
            given = as_keras("resize", "Resizing", {}, {"size": arguments["size"]})
            return {"type": "Resizing", "arguments": given | _format(arguments)}
        case "pad":
            return _padding(arguments)
        case "identity":
            return {"type": "Identity", "arguments": {}}
        case "subsample_pad":
            return {"type": "subsample-and-pad", "arguments": arguments}
    return {"type": module.kind, "arguments": arguments}


def _conv(arguments: Mapping[str, Any]) -> Config:
    config = _given("conv", arguments)
    if _spread(config["kernel_size"], 1)[0] == 1 and config.get("strides", 1) != 1:
        # for a kernel of 1 it says the same as "valid"; beside the strided layer of the main branch, this is the usual
        config.setdefault("padding", "same")
    order = ["filters", "kernel_size", "strides", "padding"]
    return {key: config[key] for key in sorted(config, key=lambda k: order.index(k) if k in order else 9)} | _format(
        arguments
    )


def _given(kind: str, arguments: Mapping[str, Any]) -> Config:
    ours = {name: value for name, value in arguments.items() if name in NAMES[kind]}
    return {name: window(name, value) for name, value in as_keras(kind, "layer", arguments, ours).items()}


def window(name: str, value: Any) -> Any:
    """One number where it says all: 2 for (2, 2)."""
    same = name in WINDOW and isinstance(value, tuple) and len(set(value)) == 1
    return value[0] if same else value


def _last(arguments: Mapping[str, Any]) -> bool:
    return bool(arguments.get("channels_last"))


def _format(arguments: Mapping[str, Any]) -> Config:
    """`data_format`, where it is not what Keras takes for granted."""
    word = "channels_last" if _last(arguments) else "channels_first"
    return {} if word == keras.config.image_data_format() else {"data_format": word}


def _interpolation(arguments: Mapping[str, Any]) -> Config:
    mode = arguments.get("mode", "nearest")
    return {} if mode == "nearest" else {"interpolation": mode}


def _padding(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Zeros around, or a crop, or first the one and then the other."""
    channels, spatial = _by_axis(arguments["pad"], arguments)
    rank = len(spatial)
    if channels or rank not in (1, 2, 3) or (rank == 1 and not _last(arguments)):
        return {"type": "pad", "arguments": {"pad": tuple(arguments["pad"])}}
    kinds = {"Cropping": -1, "ZeroPadding": 1}
    parts = []
    for name, sign in kinds.items():
        amounts = tuple((max(0, sign * first), max(0, sign * last)) for first, last in spatial)
        if any(map(any, amounts)):
            argument = "cropping" if sign < 0 else "padding"
            config = {argument: amounts if rank > 1 else amounts[0]}
            parts.append({"type": f"{name}{rank}D", "arguments": config | _format(arguments)})
    if len(parts) == 1:
        return parts[0]
    return {"type": "Sequential", "arguments": {"layers": parts}}
