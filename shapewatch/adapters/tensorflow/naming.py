"""Which path a module or a variable has: the attributes that lead to it from its model (`blocks[0].conv1`)."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping

import tensorflow as tf

_TRACKING = "_self_"
"""How the attributes begin in which TensorFlow itself notes what an object holds."""


class Names:
    """Paths of modules and variables, by identity. A module of no known place gets one from where it was called."""

    def __init__(self) -> None:
        self._paths: dict[int, str] = {}
        self._modules: dict[str, tf.Module] = {}
        self._variables: dict[int, str] = {}
        self._roots: weakref.WeakSet[tf.Module] = weakref.WeakSet()

    def learn(self, root: tf.Module) -> None:
        """Name a module and everything in it. A second outermost module's names begin with its own."""
        if root in self._roots:
            return
        self._roots.add(root)
        path = ""
        while path in self._modules and self._modules[path] is not root:
            path = f"{path}#{len(self._roots)}" if path else type(root).__name__
        self._add(path, root)

    def _add(self, path: str, module: tf.Module) -> None:
        if id(module) in self._paths or path in self._modules:
            return
        self._paths[id(module)] = path
        self._modules[path] = module
        for segment, held in children(module):
            inner = f"{path}.{segment}" if path else segment
            if isinstance(held, tf.Module):
                self._add(inner, held)
            else:
                self._variables.setdefault(id(held), inner)

    def path(self, module: tf.Module, parent: str | None) -> str:
        known = self.known(module)
        if known is not None:
            return known
        wanted = f"{parent}.{type(module).__name__}" if parent else type(module).__name__
        path, count = wanted, 1
        while path in self._modules and self._modules[path] is not module:
            count += 1
            path = f"{wanted}#{count}"
        self._add(path, module)
        return path

    def known(self, module: tf.Module) -> str | None:
        """The path that a module has already."""
        path = self._paths.get(id(module))
        return path if path is not None and self._modules.get(path) is module else None

    def items(self) -> Iterator[tuple[str, tf.Module]]:
        return iter(self._modules.items())

    def get(self, path: str) -> tf.Module | None:
        return self._modules.get(path)

    def variable(self, variable: object) -> str | None:
        return self._variables.get(id(variable))


def children(module: tf.Module) -> Iterator[tuple[str, tf.Module | tf.Variable]]:
    """The modules and variables directly in a module, each with its part of the path, in the order they were set."""
    for name, value in list(vars(module).items()):
        if not name.startswith(_TRACKING) and name not in module._TF_MODULE_IGNORED_PROPERTIES:
            yield from _held(name, value, 0)


def _held(segment: str, value: object, depth: int) -> Iterator[tuple[str, tf.Module | tf.Variable]]:
    if isinstance(value, tf.Module | tf.Variable):
        if not is_keras(value):
            yield segment, value
    elif depth < 3 and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _held(f"{segment}[{index}]", item, depth + 1)
    elif depth < 3 and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _held(f"{segment}[{key!r}]", item, depth + 1)


def is_keras(value: object) -> bool:
    """Whether a module, or a class of modules, is a layer of Keras's, of any version that is there."""
    cls = value if isinstance(value, type) else type(value)
    layers = (getattr(sys.modules.get(name), "Layer", None) for name in ("keras.layers", "tf_keras.layers"))
    return any(isinstance(layer, type) and issubclass(cls, layer) for layer in layers)
