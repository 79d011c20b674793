"""The catalogue of wrong arguments of Keras layers, as an author could write them by a slip.

A layer is given as its class's name and its `get_config()`; a slip is the arguments that change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.slips import widths

Changes = dict[str, Any]

CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D")
DEPTHWISE = ("DepthwiseConv1D", "DepthwiseConv2D")
TRANSPOSED = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
POOLS = tuple(f"{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3))
GLOBAL_POOLS = tuple(f"Global{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3))
PADDINGS = ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
CROPPINGS = ("Cropping1D", "Cropping2D", "Cropping3D")
UPSAMPLINGS = ("UpSampling1D", "UpSampling2D", "UpSampling3D")
RECURRENT = ("LSTM", "GRU", "SimpleRNN")

MUTATED = frozenset(
    (
        *CONVOLUTIONS,
        *DEPTHWISE,
        *TRANSPOSED,
        *POOLS,
        *GLOBAL_POOLS,
        *PADDINGS,
        *CROPPINGS,
        *UPSAMPLINGS,
        *RECURRENT,
        *"Bidirectional Concatenate Dense Dot EinsumDense Embedding Permute RepeatVector Reshape".split(),
        *"MultiHeadAttention LayerScale".split(),
    )
)
"""The classes in the catalogue."""


def layer_slips(class_name: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Changes]]:
    """Kind and changed arguments of each slip in a layer of this class."""
    if class_name in CONVOLUTIONS:
        yield from _convolution_slips(config, "conv")
    elif class_name in TRANSPOSED:
        yield from _convolution_slips(config, "transposed")
    elif class_name in DEPTHWISE:
        yield from _window_slips(config, "depthwise")
        yield ("depthwise.multiplier", {"depth_multiplier": config["depth_multiplier"] + 1})
    elif class_name in POOLS:
        yield from _pool_slips(config)
    elif class_name in GLOBAL_POOLS:
        yield ("pool.keepdims", {"keepdims": not config["keepdims"]})
    elif class_name in PADDINGS:
        yield from _amount_slips("padding.amount", "padding", config["padding"])
    elif class_name in CROPPINGS:
        yield from _amount_slips("cropping.amount", "cropping", config["cropping"])
    elif class_name in UPSAMPLINGS:
        yield from (("resize.size", {"size": s}) for s in (1, 2, 3, 4) if s != _first(config["size"]))
    elif class_name in RECURRENT:
        yield from (("recurrent.units", {"units": n}) for n in widths(config["units"]))
        yield ("recurrent.sequences", {"return_sequences": not config["return_sequences"]})
    else:
        yield from _other_slips(class_name, config)


def _other_slips(class_name: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Changes]]:
    match class_name:
        case "Bidirectional":
            merged = {"concat": "sum", "sum": "concat"}
            if config["merge_mode"] in merged:
                yield ("recurrent.merge", {"merge_mode": merged[config["merge_mode"]]})
        case "Concatenate":
            # from both ends: the rank is not in the config
            yield from (("concat.axis", {"axis": axis}) for axis in (1, 2, -2) if axis != config["axis"])
        case "Dense":
            yield from (("dense.units", {"units": n}) for n in widths(config["units"]))
        case "Dot":
            yield ("dot.axes", {"axes": (1, 2)})
        case "EinsumDense":
            shape = config["output_shape"]
            for n in widths(shape[-1]):
                yield ("einsum.output", {"output_shape": (*shape[:-1], n)})
        case "Embedding":
            yield from (("embedding.width", {"output_dim": n}) for n in widths(config["output_dim"]))
        case "LayerScale":
            yield from (("scale.width", {"projection_dim": n}) for n in widths(config["projection_dim"]))
        case "MultiHeadAttention":
            yield from (("attention.output", {"output_shape": n}) for n in (16, 48))
        case "Permute":
            yield ("permute.dims", {"dims": tuple(reversed(config["dims"]))})
            yield ("permute.dims", {"dims": tuple(sorted(config["dims"]))})
        case "RepeatVector":
            yield ("repeat.n", {"n": config["n"] + 1})
        case "Reshape":
            yield from (("reshape.target", {"target_shape": t}) for t in _wrong_targets(config["target_shape"]))


def _convolution_slips(config: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Changes]]:
    yield from _window_slips(config, kind)
    yield from ((f"{kind}.filters", {"filters": n}) for n in widths(config["filters"]))
    if config.get("groups") == 1:
        yield from ((f"{kind}.groups", {"groups": g}) for g in (2, 3) if config["filters"] % g == 0)
    if kind == "transposed" and config["padding"] == "same" and _first(config["strides"]) > 1:
        # with "same" and nothing given, a stride of 2 doubles; this is one less
        yield (f"{kind}.output-padding", {"output_padding": _each(config["strides"], lambda _: 0)})


def _window_slips(config: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Changes]]:
    strides, kernel = config["strides"], config["kernel_size"]
    yield (f"{kind}.strides", {"strides": _each(strides, lambda s: 2 if s == 1 else s // 2)})
    if kind == "conv" and len(_all(strides)) > 1:
        first, *rest = _all(strides)
        yield (f"{kind}.strides", {"strides": (2 if first == 1 else 1, *rest)})
    yield (f"{kind}.padding", {"padding": "valid" if config["padding"] == "same" else "same"})
    yield (f"{kind}.kernel", {"kernel_size": _each(kernel, lambda k: k + 2)})
    yield (f"{kind}.kernel", {"kernel_size": _each(kernel, lambda k: k - 2 if k > 2 else k + 1)})
    if kind != "transposed" and max(_all(kernel)) > 1:
        yield (f"{kind}.dilation", {"dilation_rate": _each(config["dilation_rate"], lambda d: d + 1)})


def _pool_slips(config: Mapping[str, Any]) -> Iterator[tuple[str, Changes]]:
    yield ("pool.strides", {"strides": _each(config["strides"], lambda s: 2 if s == 1 else s // 2)})
    yield ("pool.size", {"pool_size": _each(config["pool_size"], lambda k: k + 1)})
    yield ("pool.size", {"pool_size": _each(config["pool_size"], lambda k: max(k - 1, 1))})
    yield ("pool.padding", {"padding": "valid" if config["padding"] == "same" else "same"})


def _amount_slips(kind: str, argument: str, amounts: Any) -> Iterator[tuple[str, Changes]]:
    """Amounts are one pair, or a pair for each axis: one more, none, and the other way round."""
    pairs = [tuple(pair) for pair in amounts] if isinstance(amounts[0], tuple | list) else [tuple(amounts)]
    found = [
        [(before + 1, after + 1) for before, after in pairs],
        [(before + 1, after) for before, after in pairs],
        [(max(before - 1, 0), max(after - 1, 0)) for before, after in pairs],
        [(0, 0) for _ in pairs],
    ]
    for wrong in found:
        if wrong != pairs:
            yield (kind, {argument: tuple(wrong) if len(pairs) > 1 else wrong[0]})


def _wrong_targets(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """The last axis first, twice as much of it, and the axes before it in one."""
    *rest, last = shape
    found = [(last, *rest), (*rest, 2 * last)]
    if len(rest) == 2 and min(rest) > 0:
        found.append((rest[0] * rest[1], last))
    return [wrong for wrong in found if wrong != tuple(shape)]


def _each(values: Sequence[int] | int, change: Callable[[int], int]) -> tuple[int, ...] | int:
    return change(values) if isinstance(values, int) else tuple(change(value) for value in values)


def _all(values: Sequence[int] | int) -> tuple[int, ...]:
    return (values,) if isinstance(values, int) else tuple(values)


def _first(values: Sequence[int] | int) -> int:
    return _all(values)[0]


def in_words(path: str, class_name: str, config: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
    """`block1_conv (Conv2D): strides 1 -> 2`."""
    parts = [f"{name} {_short(config.get(name))} -> {_short(value)}" for name, value in changes.items()]
    return f"{path} ({class_name}): {', '.join(parts)}"


def _short(value: Any) -> str:
    """`(3, 3)` as `3`: shorter, and the way that authors write it."""
    if isinstance(value, tuple | list) and value and all(item == value[0] for item in value):
        return _short(value[0])
    return str(tuple(value)) if isinstance(value, list) else str(value)
