"""JAX's operations in neutral terms: name, kind, and the facts that shape arithmetic needs.

A name is that of a function of `jax.numpy` or `jax.nn` (`concatenate`), of an operator or a method of an array
(`radd`), or of a primitive (`dot_general`), which is what the functions of `jax.lax` are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]
Arguments = Mapping[str, Any]

_ALIKE = {
    "add": "add",
    "sub": "sub subtract",
    "mul": "mul multiply",
    "div": "div divide true_divide truediv floor_divide floordiv remainder mod rem",
    "maximum": "maximum fmax",
    "minimum": "minimum fmin",
    "where": "where select_n",
    "compare": "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor eq ne lt le "
    "gt ge and or xor",
    "power": "pow power integer_pow",
    "concat": "concat concatenate",
    "stack": "stack",
    "matmul": "matmul dot inner",
    "einsum": "einsum",
    "conv": "conv_general_dilated",
    "pool": "reduce_window_max reduce_window_sum",
    "reshape": "reshape",
    "flatten": "ravel flatten",
    "permute": "transpose permute_dims swapaxes matrix_transpose",
    "squeeze": "squeeze",
    "unsqueeze": "expand_dims",
    "expand": "broadcast_to tile repeat broadcast_in_dim",
    "split": "split array_split unstack",
    "index": "getitem take take_along_axis slice dynamic_slice gather",
    "pad": "pad",
    "reduce": "sum mean max min amax amin prod std var any all argmax argmin reduce_sum reduce_max reduce_min "
    "reduce_prod reduce_and reduce_or nansum nanmean nanmax nanmin median average ptp count_nonzero logsumexp norm",
    "squash": "sigmoid softmax log_softmax tanh hard_sigmoid hard_tanh log_sigmoid logistic",
    "activation": "relu relu6 gelu silu swish elu selu celu leaky_relu softplus mish hard_silu hard_swish soft_sign "
    "squareplus sparse_plus sparse_sigmoid clip clamp",
    "norm": "standardize",
    "same": "astype copy negative neg positive abs absolute fabs exp exp2 expm1 log log1p log2 log10 sqrt "
    "cbrt rsqrt square reciprocal sign sin cos tan arcsin arccos arctan sinh cosh arcsinh arccosh arctanh floor ceil "
    "round rint trunc flip roll cumsum cumprod nan_to_num isnan isinf isfinite logical_not invert tril triu erf "
    "real conj conjugate convert_element_type stop_gradient sort",
    "other": "moveaxis rollaxis rot90 hstack vstack dstack column_stack append tensordot outer vdot kron cross "
    "diagonal diag trace meshgrid one_hot glu dot_product_attention bincount argsort top_k searchsorted "
    "diff interp broadcast_arrays arctan2 hypot logaddexp nonzero unique select atleast_1d atleast_2d "
    "atleast_3d delete insert choose compress resize convolve correlate vecdot matvec vecmat multi_dot",
}

KIND = {name: kind for kind, names in _ALIKE.items() for name in names.split()}

_SPELLED = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "truediv": "div",
    "floor_divide": "floordiv",
    "remainder": "mod",
    "rem": "mod",
    "power": "pow",
    "integer_pow": "pow",
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "concatenate": "concat",
    "dot": "matmul",
    "select_n": "where",
    "logistic": "sigmoid",
    "conv_general_dilated": "conv",
    "reduce_window_max": "max_pool",
    "reduce_window_sum": "sum_pool",
    "broadcast_in_dim": "broadcast_to",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "neg": "negative",
    "astype": "cast",
    "convert_element_type": "cast",
}

_MAXIMUM = {"max": ("maximum", "maximum"), "min": ("minimum", "minimum")}
"""A primitive and a function of `jax.numpy` may have one name: `max` takes the larger of two, or reduces one."""

UNRECORDED = frozenset(
    "iota device_put copy copy_p random_bits random_seed random_wrap random_unwrap random_fold_in random_split "
    "threefry2x32 rng_bit_generator rng_uniform create_token optimization_barrier".split()
)
"""Primitives that make a tensor out of no tensor, or that say nothing about the data flow: not worth a record."""

OPERATORS = "add sub mul truediv floordiv mod pow matmul and or xor".split()
"""Of arrays, each with a reflected one (`__radd__`)."""

COMPARISONS = "eq ne lt le gt ge".split()

METHODS = (
    "reshape transpose swapaxes squeeze flatten ravel sum mean max min prod std var any all argmax argmin take repeat "
    "clip astype cumsum cumprod dot round conj conjugate diagonal trace sort argsort".split()
)


def named(name: str) -> tuple[str, str]:
    """Neutral name and kind of a function, an operator or a method."""
    return _SPELLED.get(name, name), KIND.get(name, "other")


def named_primitive(name: str, params: Arguments) -> tuple[str, str] | None:
    """Neutral name and kind; None for what is not recorded."""
    if name in UNRECORDED:
        return None
    if name == "dot_general":
        return ("matmul", "matmul") if _is_matmul(params) else ("dot_general", "other")
    return _MAXIMUM.get(name) or named(name)


def _is_matmul(params: Arguments) -> bool:
    """Whether the last axis of one operand is summed over with the first after the batch of the other."""
    (left, right), (batch_left, batch_right) = params["dimension_numbers"]
    batch = tuple(range(len(batch_left)))
    return (
        len(left) == len(right) == 1
        and tuple(batch_left) == tuple(batch_right) == batch
        and right[0] == len(batch)
        and left[0] >= len(batch)
    )


PARAMS: Mapping[str, Mapping[str, str]] = {
    "concatenate": {"dimension": "axis"},
    "reshape": {"new_sizes": "shape"},
    "transpose": {"permutation": "axes"},
    "squeeze": {"dimensions": "axis"},
    **{f"reduce_{name}": {"axes": "axis"} for name in ("sum", "max", "min", "prod")},
    **{name: {"axes": "axis"} for name in ("argmax", "argmin")},
}
"""Of a primitive: how the functions of `jax.numpy` call its parameters."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an operation is given: arguments by the names that `jax.numpy` has for them, and the operands' shapes."""

    name: str
    arguments: Arguments
    shapes: Sequence[tuple[Any, ...]]


def facts(called: tuple[str, str], arguments: Callable[[], Arguments], shapes: Sequence[tuple[Any, ...]]) -> Facts:
    """The facts of an operation of this name and kind. Its arguments are asked for only where there are any."""
    name, kind = called
    read = _FACTS.get(kind)
    if read is None:
        return {}
    try:
        found = read(Given(name, arguments(), shapes))
        return {key: plain(value) for key, value in found.items() if value is not None and _simple(plain(value))}
    except (TypeError, KeyError, IndexError, ValueError, AttributeError):
        return {}  # a setting that is computed while the program runs


def plain(value: Any) -> Any:
    """A setting as numbers and tuples; sizes that are symbols while a pass is on shapes alone are -1."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, tuple | list):
        return tuple(plain(item) for item in value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    try:
        return int(value)
    except Exception:  # a symbol, which says so in an exception of JAX's own
        return -1


def _simple(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_simple(item) for item in value)
    return isinstance(value, int | float | str)


def _axis(default: Any) -> Callable[[Given], Facts]:
    return lambda given: {"dim": given.arguments.get("axis", default)}


def _sizes(given: Given, argument: str) -> Any:
    """Of a function `axes=(0, 1)`; of a method `x.transpose(0, 1)` or `x.transpose((0, 1))`."""
    sizes = given.arguments.get(argument, given.arguments.get("args"))
    if isinstance(sizes, tuple | list) and len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        return sizes[0]
    return (sizes,) if isinstance(sizes, int) else sizes


def _permuted(given: Given) -> Facts:
    if given.name == "swapaxes":
        return {"swap": (given.arguments["axis1"], given.arguments["axis2"])}
    if given.name == "matrix_transpose":
        return {"swap": (-2, -1)}
    return {"dims": tuple(_sizes(given, "axes") or reversed(range(len(given.shapes[0]))))}


def _split(given: Given) -> Facts:
    found: Facts = {"dim": given.arguments.get("axis", 0)}
    return {**found, "dropped": True} if given.name == "unstack" else found


def _padded(given: Given) -> Facts:
    config = given.arguments.get("padding_config")
    if config is not None:
        pairs = [(low, high) for low, high, inside in config if not inside]
        if len(pairs) < len(config):
            return {}
    else:
        width, rank = plain(given.arguments["pad_width"]), len(given.shapes[0])
        if isinstance(width, int):
            width = ((width, width),)
        elif isinstance(width[0], int):
            width = (width,)
        pairs = list(width) * rank if len(width) == 1 else list(width)
    return {"pad": tuple(amount for pair in reversed(pairs) for amount in pair)}


def _einsum(given: Given) -> Facts:
    equation = given.arguments["subscripts"]
    return {"equation": equation} if isinstance(equation, str) else {}


def _convolved(given: Given) -> Facts:
    (image, kernel), arguments = given.shapes, given.arguments
    numbers = arguments["dimension_numbers"]
    if any(step != 1 for step in arguments["lhs_dilation"]):
        return {}
    spatial, dilation, stride = numbers.lhs_spec[2:], arguments["rhs_dilation"], arguments["window_strides"]
    reach = [(kernel[axis] - 1) * by + 1 for axis, by in zip(numbers.rhs_spec[2:], dilation, strict=True)]
    return {
        "stride": tuple(stride),
        "padding": _padding(arguments["padding"], [image[axis] for axis in spatial], reach, stride),
        "dilation": tuple(dilation),
        "groups": arguments["feature_group_count"],
        "rank": len(spatial),
        "channels_last": numbers.lhs_spec[1] == len(image) - 1 or None,
    }


def _pooled(given: Given) -> Facts:
    window, stride = tuple(given.arguments["window_dimensions"]), tuple(given.arguments["window_strides"])
    last = window[-1] == stride[-1] == 1 and len(window) > 2
    axes = slice(1, -1) if last else slice(2, None)
    if window[0] != 1 or (not last and window[1] != 1):
        return {}
    padding = tuple(given.arguments["padding"])[axes]
    return {
        "kernel_size": window[axes],
        "stride": stride[axes],
        "padding": _padding(padding, given.shapes[0][axes], window[axes], stride[axes]),
        "rank": len(window) - 2,
        "channels_last": last or None,
    }


def _padding(pairs: Sequence[Any], sizes: Sequence[Any], window: Sequence[int], stride: Sequence[int]) -> Any:
    """Amounts of padding as "valid", "same" or one number an axis; None where they are none of these."""
    if not any(amount for pair in pairs for amount in pair):
        return "valid"
    if all(tuple(pair) == _same(*axis) for pair, *axis in zip(pairs, sizes, window, stride, strict=True)):
        return "same"
    return tuple(low for low, _ in pairs) if all(low == high for low, high in pairs) else None


def _same(size: Any, window: int, stride: int) -> tuple[int, int]:
    missing = max((-(-size // stride) - 1) * stride + window - size, 0)
    return missing // 2, missing - missing // 2


_FACTS: Mapping[str, Callable[[Given], Facts]] = {
    "concat": _axis(0),
    "stack": _axis(0),
    "unsqueeze": _axis(None),
    "squeeze": _axis(None),
    "split": _split,
    "reduce": lambda given: {
        "dim": given.arguments.get("axis"),
        "keepdim": bool(given.arguments.get("keepdims", False)),
    },
    "reshape": lambda given: {"shape": tuple(_sizes(given, "shape"))},
    "permute": _permuted,
    "flatten": lambda _: {"start_dim": 0, "end_dim": -1},
    "einsum": _einsum,
    "pad": _padded,
    "conv": _convolved,
    "pool": _pooled,
}


def with_arguments(arguments: Arguments, replaced: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a function, by its own names, with some of them, by neutral name, replaced."""
    changed = dict(arguments)
    for argument, value in replaced.items():
        spelled = {"dim": "axis", "dims": "axes", "keepdim": "keepdims"}.get(argument, argument)
        if spelled not in changed and "args" in changed:
            spelled = "args"
        changed[spelled] = value
    return changed
