"""Where JAX's operations pass, eager or under a transformation (`jit`, `grad`), whether they succeed or not.

No one place sees them all: an eager `jnp.sum` runs compiled code that is reached without Python, and a traced one takes
several primitives. So there are three kinds of places, and what the first one that is reached runs inside is its own:

    jnp.concatenate, jax.nn.relu, …    looked up in their modules at every call; ufuncs (`jnp.add`) in their class
    x + y, x.reshape(…), x.T           in the classes of arrays and of tracers
    Primitive.bind                     what `jax.lax` is made of

The functions of `jax.lax` themselves stay as they are: JAX asks whether a reduction is by `lax.max`, that very object.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax._src import core, source_info_util
from jax._src.array import ArrayImpl
from jax._src.interpreters import pxla
from jax._src.numpy.array_methods import _IndexUpdateRef

from shapewatch.adapters.jax import kinds
from shapewatch.adapters.taps import Tap

source_info_util.register_exclusion(str(Path(__file__).parents[2]))
"""What a program that is traced says of its own lines goes to the line that called us."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation about to run: what it is called and its arguments; `signature` says by which names it takes them,
    and a primitive, whose operands are all positional, has none."""

    called: tuple[str, str] | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    signature: inspect.Signature | None = None
    primitive: str = ""

    @property
    def named(self) -> tuple[str, str] | None:
        """What is made of no tensor, or by a primitive of a single number, is a constant."""
        if any(tensor.ndim or not self.primitive for tensor in self.operands()):
            return self.called
        return None

    def operands(self) -> list[Any]:
        found: list[Any] = []
        _collect(self.args, found)
        if not self.primitive:
            _collect(self.kwargs, found)
        return found

    def _arguments(self) -> dict[str, Any]:
        """The arguments by the names that `jax.numpy` has for them."""
        if self.signature is not None:
            return dict(self.signature.bind(*self.args, **self.kwargs).arguments)
        spelled = kinds.PARAMS.get(self.primitive, {})
        return {spelled.get(name, name): value for name, value in self.kwargs.items()}

    def facts(self) -> dict[str, Any]:
        assert self.called is not None
        return kinds.facts(self.called, self._arguments, [tuple(tensor.shape) for tensor in self.operands()])

    def with_operand(self, position: int, change: Callable[[Any], Any]) -> Operation:
        seen = -1

        def through(value: Any) -> Any:
            nonlocal seen
            if is_operand(value):
                seen += 1
                return change(value) if seen == position else value
            if type(value) in (list, tuple):
                return type(value)([through(item) for item in value])
            return value

        args = through(tuple(self.args))
        return replace(self, args=args, kwargs={name: through(value) for name, value in self.kwargs.items()})

    def with_arguments(self, arguments: Mapping[str, Any]) -> Operation:
        if self.signature is None:
            spelled = {ours: own for own, ours in kinds.PARAMS.get(self.primitive, {}).items()}
            changed = kinds.with_arguments(self._arguments(), arguments)
            return replace(self, kwargs={spelled.get(name, name): value for name, value in changed.items()})
        bound = self.signature.bind(*self.args, **self.kwargs)
        bound.arguments.update(kinds.with_arguments(bound.arguments, arguments))
        return replace(self, args=bound.args, kwargs=bound.kwargs)


def is_tensor(value: Any) -> bool:
    """Whether a value is an array, a tracer, or one that stands for an array, such as a variable of Keras's."""
    return isinstance(value, jax.Array) or (hasattr(type(value), "__jax_array__") and hasattr(value, "shape"))


def is_operand(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0 and value.dtype != object
    return is_tensor(value)


def _collect(value: Any, found: list[Any]) -> None:
    if type(value) in (list, tuple):
        for item in value:
            _collect(item, found)
    elif type(value) is dict:
        for item in value.values():
            _collect(item, found)
    elif is_operand(value):
        found.append(value)


# The places

_MODULES = (jnp, jax.nn, jnp.linalg, jax.scipy.special, jax.image)
_ARRAYS = (ArrayImpl, core.Tracer)


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type | jnp.ufunc)


_FUNCTIONS = [
    (name, Tap(module, name), _signature(getattr(module, name)))
    for module in _MODULES
    for name in kinds.KIND
    if _is_function(getattr(module, name, None))
]
_METHODS = [(name, Tap(cls, name), _signature(getattr(ArrayImpl, name))) for cls in _ARRAYS for name in kinds.METHODS]
_CONVERTED = [Tap(jnp, name) for name in ("asarray", "array")]
_UFUNC = Tap(jnp.ufunc, "__call__")
_BIND = Tap(core.Primitive, "bind")
_OPERATORS = [
    (name, Tap(cls, f"__{name}__"), None) for cls in _ARRAYS for name in (*kinds.OPERATORS, *kinds.COMPARISONS)
]
_REFLECTED = [(name, Tap(cls, f"__r{name}__")) for cls in _ARRAYS for name in kinds.OPERATORS]
_OTHERS = [
    (name, Tap(cls, attribute), None)
    for cls in _ARRAYS
    for name, attribute in (
        ("getitem", "__getitem__"),
        ("neg", "__neg__"),
        ("abs", "__abs__"),
        ("transpose", "T"),
        ("matrix_transpose", "mT"),
    )
]
_ITERATED = [Tap(cls, "__iter__") for cls in _ARRAYS]
_UPDATED = [Tap(_IndexUpdateRef, name) for name in "set add subtract multiply divide power min max".split()]
_COMPILED = Tap(pxla, "lower_sharding_computation")

Run = Callable[[Operation], Any]
Seen = Callable[[Operation, Run], Any]
"""Called for every operation with a way to run it, perhaps changed; gives what the operation gives."""


def listen(asleep: Callable[[], bool], seen: Seen, stack: ExitStack) -> None:
    """Send every operation through `seen` until the stack is closed. `asleep` is asked first, and is to be quick."""
    inside = False

    def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run what an operation is made of."""
        nonlocal inside
        inside = True
        try:
            return function(*args, **kwargs)
        finally:
            inside = False

    def deaf() -> bool:
        return inside or asleep()

    def passing(operation: Operation, original: Any) -> Any:
        return seen(operation, lambda changed: quietly(original, *changed.args, **changed.kwargs))

    def function(name: str, signature: inspect.Signature | None) -> Callable[..., Any]:
        called = kinds.named(name)

        def heard(original: Any, *args: Any, **kwargs: Any) -> Any:
            return passing(Operation(called, args, kwargs, signature), original)

        return heard

    def converted(original: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        """`jnp.asarray` makes an array of what mostly is one; of a list of arrays it makes a stack."""
        called = ("asarray", "conversion") if is_operand(value) else ("stack", "stack")
        return passing(Operation(called, (value, *args), kwargs), original)

    def reflected(name: str) -> Callable[..., Any]:
        called = kinds.named(name)

        def heard(original: Any, right: Any, left: Any) -> Any:
            return passing(Operation(called, (left, right), {}), lambda first, second: original(second, first))

        return heard

    def ufunc(original: Any, which: Any, *args: Any, **kwargs: Any) -> Any:
        operation = Operation(kinds.named(which.__name__), args, kwargs)
        return passing(operation, lambda *a, **k: original(which, *a, **k))

    def bind(original: Any, primitive: Any, *args: Any, **params: Any) -> Any:
        operation = Operation(kinds.named_primitive(primitive.name, params), args, params, primitive=primitive.name)
        return passing(operation, lambda *a, **k: original(primitive, *a, **k))

    def iterated(original: Any, tensor: Any) -> Iterator[Any]:
        return rows(tensor, quietly(original, tensor))

    def rows(tensor: Any, given: Iterator[Any]) -> Iterator[Any]:
        while (row := quietly(next, given, None)) is not None:
            operation = Operation(kinds.named("getitem"), (tensor,), {})
            yield row if asleep() else seen(operation, lambda _, row=row: row)  # type: ignore[misc]

    def updated(original: Any, place: Any, *args: Any, **kwargs: Any) -> Any:
        """`x.at[index].set(values)`: what `x[index] = values` is elsewhere, and gives a new array."""

        def put(array: Any, *a: Any, **k: Any) -> Any:
            return original(_IndexUpdateRef(array, place.index), *a, **k)

        return passing(Operation(("setitem", "setitem"), (place.array, *args), kwargs), put)

    def compiled(original: Any, *args: Any, **kwargs: Any) -> Any:
        """What a program is compiled to is made of primitives too."""
        return quietly(original, *args, **kwargs)

    for name, tap, signature in (*_FUNCTIONS, *_METHODS, *_OPERATORS, *_OTHERS):
        tap.listen(function(name, signature), stack, deaf)
    for name, tap in _REFLECTED:
        tap.listen(reflected(name), stack, deaf)
    for tap in _CONVERTED:
        tap.listen(converted, stack, deaf)
    for tap in _ITERATED:
        tap.listen(iterated, stack, deaf)
    for tap in _UPDATED:
        tap.listen(updated, stack, deaf)
    _COMPILED.listen(compiled, stack, deaf)
    _UFUNC.listen(ufunc, stack, deaf)
    _BIND.listen(bind, stack, deaf)
