"""Which path a layer has: as the program would reach it from its model, or its Keras name where it is known by that.

Inside a functional or Sequential model layers go by their Keras names (`conv3_block1_1_conv`), elsewhere by the
attribute that holds them (`stages[1].conv1`).
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator

from keras import Sequential
from keras.layers import InputLayer, Layer
from keras.src.models.functional import Functional
from keras.src.utils.naming import to_snake_case

from shapewatch.adapters.keras.kinds import kind_of_layer

_KERAS_OWN = frozenset(
    "_layers _functional _metrics _tracker _loss_tracker _compile_metrics _compile_loss _operations _nodes "
    "_operations_by_depth _nodes_by_depth _inbound_nodes _outbound_nodes _inputs _outputs _inputs_struct "
    "_outputs_struct _optimizer _parent optimizer _tf_trackable _seed_generators _trainable_variables "
    "_non_trainable_variables _self_unconditional_checkpoint_dependencies _auto_config".split()
)
"""Attributes in which Keras itself keeps layers and what belongs to them."""


class Names:
    """Paths of layers, by identity. A layer of no known place gets one from where it was called."""

    def __init__(self, replaced: Callable[[str], None] = lambda _: None) -> None:
        self.replaced = replaced
        """Told when an outermost layer's path is from now on that of another layer: another model is being built."""
        self._paths: dict[int, str] = {}
        self._layers: dict[str, Layer] = {}
        self._roots: weakref.WeakSet[Layer] = weakref.WeakSet()
        self._made: dict[str, object] = {}
        """Of each path that a layer got which a `call` made for itself: that call."""

    def learn(self, root: Layer, prefix: str | None = None) -> None:
        """Name a layer and everything in it. A second outermost layer's names begin with its own."""
        if root in self._roots:
            return
        self._roots.add(root)
        path = "" if prefix is None else prefix
        while path in self._layers and self._layers[path] is not root:
            path = f"{path}#{len(self._roots)}" if path else root.name
        self._add(path, root)

    def _add(self, path: str, layer: Layer) -> None:
        if id(layer) in self._paths or path in self._layers:
            return
        self._paths[id(layer)] = path
        self._layers[path] = layer
        if kind_of_layer(layer) is None:
            for segment, child in children(layer):
                self._add(f"{path}.{segment}" if path else segment, child)

    def path(self, layer: Layer, parent: str | None, within: object = None) -> str:
        """The layer's path; `within`: the call in which it runs, of the layer `parent`."""
        known = self.known(layer)
        if known is not None:
            return known
        holder = self._layers.get(parent) if parent is not None else None
        if holder is not None:
            held = next((segment for segment, child in children(holder) if child is layer), None)
            if held is None and _counted(layer.name, layer):
                return self._made_in_call(layer, f"{parent}." if parent else "", within)
            return self._new_path(layer, f"{parent}.{held or layer.name}" if parent else held or layer.name, parent)
        return self._new_path(layer, f"{parent}.{layer.name}" if parent else layer.name, parent)

    def _made_in_call(self, layer: Layer, prefix: str, within: object) -> str:
        """A path for `layers.add([x, y])` in somebody's `call`, which makes a new layer each time: by its place among
        those of its class that the same call made, so that it is the same path in every pass."""
        base, count = f"{prefix}{to_snake_case(type(layer).__name__)}", 0
        path = base
        while self._made.get(path) is within or (path in self._layers and path not in self._made):
            count += 1
            path = f"{base}_{count}"
        self._forget(path)
        self._made[path] = within
        self._add(path, layer)
        return path

    def is_made_in_call(self, path: str) -> bool:
        return path in self._made

    def is_auto_named(self, layer: Layer, path: str) -> bool:
        """Whether the last part of the path is a name that was made up by counting: `conv2d_5`."""
        last = path.rpartition(".")[2]
        return path in self._made or (last == layer.name and _counted(last, layer))

    def _new_path(self, layer: Layer, wanted: str, parent: str | None) -> str:
        if parent is None and wanted in self._layers:
            self._forget(wanted)
            self.replaced(wanted)
        path, count = wanted, 1
        while path in self._layers and self._layers[path] is not layer:
            count += 1
            path = f"{wanted}#{count}"
        self._add(path, layer)
        return path

    def _forget(self, path: str) -> None:
        for known in [known for known in self._layers if known == path or known.startswith(f"{path}.")]:
            self._paths.pop(id(self._layers.pop(known)), None)

    def items(self) -> Iterator[tuple[str, Layer]]:
        return iter(self._layers.items())

    def known(self, layer: Layer) -> str | None:
        """The path that a layer has already."""
        path = self._paths.get(id(layer))
        return path if path is not None and self._layers.get(path) is layer else None

    def get(self, path: str) -> Layer | None:
        return self._layers.get(path)


def children(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """The layers directly inside a layer, each with its part of the path."""
    if isinstance(layer, Functional | Sequential):
        for child in layer.layers:
            if not isinstance(child, InputLayer):
                yield child.name, child
        return
    found: set[int] = set()
    for name, value in sorted(_attributes(layer).items(), key=lambda item: item[0].startswith("_")):
        if name in _KERAS_OWN:
            continue
        for segment, child in _held(name, value, 0):
            if id(child) not in found and child is not layer:
                found.add(id(child))
                yield segment, child


def _attributes(layer: Layer) -> dict[str, object]:
    """What a layer has as attributes. On PyTorch it is a module too, and those keep others in a place of their own."""
    own = dict(vars(layer))
    return {**own.pop("_modules", {}), **own}


def _held(segment: str, value: object, depth: int) -> Iterator[tuple[str, Layer]]:
    if isinstance(value, Layer):
        yield segment, value
    elif depth < 3 and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _held(f"{segment}[{index}]", item, depth + 1)
    elif depth < 3 and isinstance(value, dict):
        for key, item in value.items():
            yield from _held(f"{segment}[{key!r}]", item, depth + 1)


def _counted(name: str, layer: Layer) -> bool:
    """Whether a name is one that Keras makes up for layers of this class."""
    return re.fullmatch(rf"{re.escape(to_snake_case(type(layer).__name__))}(_\d+)?", name) is not None
