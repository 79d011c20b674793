"""What JAX's taps hear, eager and traced."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from shapewatch.adapters.jax import taps
from shapewatch.adapters.jax.backend import Jax
from shapewatch.adapters.listening import Listening

Heard = tuple[str, str, list[tuple[int, ...]], dict[str, Any]]


def heard(function: Callable[..., Any], *args: Any) -> list[Heard]:
    """The operations of a call: name, kind, the shapes of the operands and the facts; also of one that raises."""
    found: list[Heard] = []

    def seen(operation: Any, run: Callable[[Any], Any]) -> Any:
        if operation.named is None:
            return run(operation)
        shapes = [tuple(tensor.shape) for tensor in operation.operands()]
        found.append((*operation.named, shapes, operation.facts()))
        return run(operation)

    with ExitStack() as stack:
        taps.listen(lambda: False, seen, stack)
        try:
            function(*args)
        except (TypeError, ValueError):
            assert found
    return found


x, row, image = jnp.ones((2, 3)), jnp.ones((3,)), jnp.ones((1, 8, 8, 3))
kernel = jnp.ones((3, 3, 3, 4))
NHWC = ("NHWC", "HWIO", "NHWC")

OPERATIONS: list[tuple[str, Callable[[Any], Any], str, str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("x + x", lambda x: x + x, "add", "add", [(2, 3), (2, 3)], {}),
    ("x - 1", lambda x: x - 1, "sub", "sub", [(2, 3)], {}),
    ("1 / x", lambda x: 1 / x, "div", "div", [(2, 3)], {}),
    ("array - x", lambda x: np.ones((3,), "float32") - x, "sub", "sub", [(3,), (2, 3)], {}),
    ("x @ row", lambda x: x @ row, "matmul", "matmul", [(2, 3), (3,)], {}),
    ("jnp.add", lambda x: jnp.add(x, x), "add", "add", [(2, 3), (2, 3)], {}),
    ("jnp.maximum", lambda x: jnp.maximum(x, x), "maximum", "maximum", [(2, 3), (2, 3)], {}),
    ("jnp.where", lambda x: jnp.where(True, x, row), "where", "where", [(2, 3), (3,)], {}),
    ("jnp.concatenate", lambda x: jnp.concatenate([x, x], axis=1), "concat", "concat", [(2, 3)] * 2, {"dim": 1}),
    ("jnp.stack", lambda x: jnp.stack([x, x]), "stack", "stack", [(2, 3)] * 2, {"dim": 0}),
    ("jnp.array", lambda x: jnp.array([x, x]), "stack", "stack", [(2, 3)] * 2, {"dim": 0}),
    ("jnp.einsum", lambda x: jnp.einsum("ij,j", x, row), "einsum", "einsum", [(2, 3), (3,)], {"equation": "ij,j"}),
    ("reshape", lambda x: x.reshape(3, -1), "reshape", "reshape", [(2, 3)], {"shape": (3, -1)}),
    ("reshape, tuple", lambda x: x.reshape((6,)), "reshape", "reshape", [(2, 3)], {"shape": (6,)}),
    ("jnp.reshape", lambda x: jnp.reshape(x, (3, 2)), "reshape", "reshape", [(2, 3)], {"shape": (3, 2)}),
    ("x.T", lambda x: x.T, "transpose", "permute", [(2, 3)], {"dims": (1, 0)}),
    ("transpose", lambda x: x.transpose(1, 0), "transpose", "permute", [(2, 3)], {"dims": (1, 0)}),
    ("swapaxes", lambda x: jnp.swapaxes(x, 0, 1), "swapaxes", "permute", [(2, 3)], {"swap": (0, 1)}),
    ("sum", lambda x: x.sum(axis=1, keepdims=True), "sum", "reduce", [(2, 3)], {"dim": 1, "keepdim": True}),
    ("jnp.mean", lambda x: jnp.mean(x, (0, 1)), "mean", "reduce", [(2, 3)], {"dim": (0, 1), "keepdim": False}),
    ("norm", lambda x: jnp.linalg.norm(x, axis=1), "norm", "reduce", [(2, 3)], {"dim": 1, "keepdim": False}),
    ("expand_dims", lambda x: jnp.expand_dims(x, 0), "expand_dims", "unsqueeze", [(2, 3)], {"dim": 0}),
    ("squeeze", lambda x: jnp.squeeze(x[None], 0), "squeeze", "squeeze", [(1, 2, 3)], {"dim": 0}),
    ("split", lambda x: jnp.split(x, 3, axis=1), "split", "split", [(2, 3)], {"dim": 1}),
    ("slice", lambda x: x[:, 1:], "getitem", "index", [(2, 3)], {}),
    ("unpacked", lambda x: list(x), "getitem", "index", [(2, 3)], {}),
    ("at", lambda x: x.at[0].set(row), "setitem", "setitem", [(2, 3), (3,)], {}),
    ("pad", lambda x: jnp.pad(x, ((0, 0), (1, 2))), "pad", "pad", [(2, 3)], {"pad": (1, 2, 0, 0)}),
    ("broadcast_to", lambda x: jnp.broadcast_to(x, (4, 2, 3)), "broadcast_to", "expand", [(2, 3)], {}),
    ("relu", lambda x: jax.nn.relu(x), "relu", "activation", [(2, 3)], {}),
    ("softmax", lambda x: jax.nn.softmax(x), "softmax", "squash", [(2, 3)], {}),
    ("sigmoid", lambda x: jax.nn.sigmoid(x), "sigmoid", "squash", [(2, 3)], {}),
    ("tanh", lambda x: jnp.tanh(x), "tanh", "squash", [(2, 3)], {}),
    ("lax.add", lambda x: lax.add(x, x), "add", "add", [(2, 3), (2, 3)], {}),
    ("lax.max", lambda x: lax.max(x, x), "maximum", "maximum", [(2, 3), (2, 3)], {}),
    ("lax.concatenate", lambda x: lax.concatenate([x, x], 1), "concat", "concat", [(2, 3)] * 2, {"dim": 1}),
    ("lax.reshape", lambda x: lax.reshape(x, (6,)), "reshape", "reshape", [(2, 3)], {"shape": (6,)}),
    ("lax.dot", lambda x: lax.dot(x, row), "matmul", "matmul", [(2, 3), (3,)], {}),
    (
        "lax.conv, same",
        lambda _: lax.conv_general_dilated(image, kernel, (2, 2), "SAME", dimension_numbers=NHWC),
        "conv",
        "conv",
        [(1, 8, 8, 3), (3, 3, 3, 4)],
        {"stride": (2, 2), "padding": "same", "dilation": (1, 1), "groups": 1, "rank": 2, "channels_last": True},
    ),
    (
        "lax.conv, padding",
        lambda _: lax.conv_general_dilated(image, kernel, (1, 1), [(2, 2), (1, 1)], dimension_numbers=NHWC),
        "conv",
        "conv",
        [(1, 8, 8, 3), (3, 3, 3, 4)],
        {"stride": (1, 1), "padding": (2, 1), "dilation": (1, 1), "groups": 1, "rank": 2, "channels_last": True},
    ),
    (
        "lax.reduce_window",
        lambda _: lax.reduce_window(image, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"),
        "max_pool",
        "pool",
        [(1, 8, 8, 3)],
        {"kernel_size": (2, 2), "stride": (2, 2), "padding": "valid", "rank": 2, "channels_last": True},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    "function, name, kind, shapes, facts", [case[1:] for case in OPERATIONS], ids=[case[0] for case in OPERATIONS]
)
def test_an_operation_is_one_call(
    function: Callable[[Any], Any], name: str, kind: str, shapes: Any, facts: Any
) -> None:
    """Eager the first time, when JAX compiles it, and later, when it does not; and under each transformation."""
    for found in (
        heard(function, x),
        heard(function, x),
        heard(jax.eval_shape, lambda x: function(x), x),  # each a new one: JAX does not trace a function twice
        heard(jax.make_jaxpr(lambda x: function(x)), x),
        heard(jax.jit(lambda x: function(x)), x),
    ):
        assert (name, kind, shapes, facts) in found
        assert {call[0] for call in found} <= {name, "getitem", "jit"}  # `x[None]` is an operation of its own


@pytest.mark.parametrize(
    "function, name, shapes",
    [
        (lambda x: x + jnp.ones((4,)), "add", [(2, 3), (4,)]),
        (lambda x: jnp.multiply(x, jnp.ones((4,))), "mul", [(2, 3), (4,)]),
        (lambda x: x @ x, "matmul", [(2, 3), (2, 3)]),
        (lambda x: jnp.concatenate([x, image]), "concat", [(2, 3), (1, 8, 8, 3)]),
        (lambda x: jnp.stack([x, row]), "stack", [(2, 3), (3,)]),
        (lambda x: jnp.einsum("ij,jk", x, x), "einsum", [(2, 3), (2, 3)]),
        (lambda x: x.reshape(7), "reshape", [(2, 3)]),
        (lambda x: jnp.where(x > 0, x, jnp.ones((4,))), "where", [(2, 3), (2, 3), (4,)]),
        (lambda x: lax.add(x, row), "add", [(2, 3), (3,)]),
        (
            lambda _: lax.conv_general_dilated(image, x[None, None], (1, 1), "SAME", dimension_numbers=NHWC),
            "conv",
            None,
        ),
    ],
)
@pytest.mark.parametrize("transformed", [lambda f: f, jax.jit, jax.make_jaxpr, jax.grad], ids=str)
def test_the_operation_that_raises_is_heard(function: Any, name: str, shapes: Any, transformed: Any) -> None:
    last = heard(transformed(lambda x: function(x)), x)[-1]
    assert last[0] == name
    assert shapes is None or last[2] == shapes


def test_what_is_inside_is_reached_past_a_name_of_its_own() -> None:
    """A function that the program had imported before: what it is made of is heard instead."""
    from jax.numpy import concatenate

    assert [call[1] for call in heard(lambda x: concatenate([x, x]), x)] == ["concat"]


def everything() -> dict[str, Any]:
    """What JAX's modules and classes hold, and its settings."""
    owners = (*taps._MODULES, lax, *taps._ARRAYS, jnp.ufunc, taps.core.Primitive, taps._IndexUpdateRef)
    held = {f"{owner.__name__}.{name}": value for owner in owners for name, value in vars(owner).items()}
    return {**held, **{f"jax.config.{name}": value for name, value in jax.config.values.items()}}


def test_nothing_is_left_behind() -> None:
    before = everything()
    replaced: list[str] = []
    for function in (lambda x: x + x, lambda x: x + jnp.ones((4,))):
        heard(
            lambda x, f=function: (replaced.extend(k for k, v in everything().items() if v is not before[k]), f(x)), x
        )
    after = everything()
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] is not after[name]] == []
    assert {"jax.numpy.concatenate", "ArrayImpl.__add__", "Tracer.__add__", "Primitive.bind"} <= set(replaced)
    assert not any(name.startswith("jax.lax.") for name in replaced)


def test_a_pooling_keeps_its_gradient() -> None:
    """JAX knows a maximum by the very function: `lax.max` has to stay what it is."""

    def loss(image: Any) -> Any:
        return lax.reduce_window(image, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID").sum()

    given: list[Any] = []
    heard(lambda: given.append(jax.grad(loss)(image)))
    assert np.array_equal(given[0], jax.grad(loss)(image))


def test_a_traced_line_is_the_programs() -> None:
    """JAX says where a value that it cannot look at was made."""

    def decides(x: Any) -> Any:
        return x if jnp.zeros(()) + 1 > 0 else -x

    said = []
    for watched in (False, True):
        listening = Listening("jax", Jax(), None, False)
        if watched:
            listening.open()
        with pytest.raises(jax.errors.TracerBoolConversionError) as caught:
            jax.jit(lambda x: decides(x))(x)
        listening.close()
        said.append(str(caught.value))
        assert [call.name for call in listening.recorder.finish().calls] == (["add", "gt"] if watched else [])
    assert said[0].count(f"from line {__file__}:") == 2
    assert said[0] == said[1]


def test_tensors_are_known_and_not_kept() -> None:
    backend = Jax()
    made = jnp.ones((2, 3))
    assert backend.is_tensor(made) and not backend.is_tensor(np.ones(3)) and not backend.is_tensor(3)
    assert backend.describe(backend.raw_spec(made)) == backend.describe(((2, 3), np.dtype("float32"), "cpu"))
    known, raw = weakref.ref(made), backend.raw_spec(made)
    del made
    gc.collect()
    assert known() is None and raw[0] == (2, 3)

    def inside(x: Any) -> Any:
        assert weakref.ref(x)() is x
        assert backend.describe(backend.raw_spec(x)).shape == (2, 3)
        return x

    jax.jit(inside)(x)


def test_open_sizes_are_unknown() -> None:
    (batch,) = jax.export.symbolic_shape("b")
    specs = []
    backend = Jax()

    def inside(x: Any) -> Any:
        y = jnp.reshape(x, (x.shape[0] * 3,))
        specs.extend(backend.describe(backend.raw_spec(tensor)).shape for tensor in (x, y))
        return y

    (call,) = heard(jax.eval_shape, inside, jax.ShapeDtypeStruct((batch, 3), "float32"))
    assert specs == [(None, 3), (None,)]
    assert call[3] == {"shape": (-1,)}
