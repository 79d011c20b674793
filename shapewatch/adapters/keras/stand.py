"""New layers that run in the place of a model's own while a pass goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from keras import Sequential
from keras.layers import Layer
from keras.src.models.functional import Functional

from shapewatch.adapters.in_reach import held_by_variable
from shapewatch.adapters.keras.edit import build, twin
from shapewatch.adapters.keras.kinds import parameters_of
from shapewatch.adapters.keras.restoring import all_in
from shapewatch.adapters.listening import Interventions
from shapewatch.adapters.taps import NotInPlace
from shapewatch.edits import Edit, Insert, Module, Replace, Set, SetCall, place_layer


class Stand(Interventions):
    """New layers that run in the place of a model's own. One layer has one stand-in for the whole of a pass."""

    def __init__(
        self,
        edits: Sequence[Edit],
        adapt: bool,
        shapes_only: bool,
        just_built: Layer | None = None,
        fresh: Sequence[Layer] = (),
        elsewhere: Sequence[Layer] = (),
        variable: Callable[[Insert], Any] | None = None,
    ) -> None:
        """`fresh`: layers that are made in the putting-together that is run again; `elsewhere`: layers that had their
        weights before, and keep them whatever they are given; `variable`: what is held by the one that an
        edit takes."""
        super().__init__()
        self._adapt = adapt
        self._variable = variable or held_by_variable
        self._models_of_their_own = {id(layer) for layer in elsewhere if isinstance(layer, Functional | Sequential)}
        self._kept = {
            id(inner) for one in elsewhere if id(one) not in self._models_of_their_own for inner in all_in(one)
        }
        self._fresh = {id(layer) for layer in fresh}
        self._just_built = just_built
        self._shapes_only = shapes_only
        self._settings: dict[str, dict[str, Any]] = {}
        self._instead: dict[str, Any] = {}
        self._chosen: dict[str, Any] = {}
        self._own: set[int] = set()
        """Identities of the new layers, which run as they are."""
        self.added: list[Any] = []
        self.trouble: ValueError | None = None
        """Why a layer could not be made when its turn came."""
        for edit in edits:
            if isinstance(edit, Set):
                self._settings.setdefault(edit.layer, {})[edit.argument] = edit.value
            elif isinstance(edit, Replace):
                self._instead[edit.layer] = self._new(edit.module)
            elif isinstance(edit, Insert) and edit.module.kind == "value":
                held = partial(self._held, edit)
                self.operands.setdefault(edit.place, []).append((edit.operand, held))
            elif isinstance(edit, Insert) and edit.module.kind == "own":
                self.call_own(edit)
            elif isinstance(edit, Insert) and edit.module.kind == "exchange":
                self.operands.setdefault(edit.place, []).append((edit.operand, _exchanged))
            elif isinstance(edit, Insert):
                module = self._new(edit.module)
                self.added.append(module)
                self.operands.setdefault(edit.place, []).append((edit.operand, module))
            elif isinstance(edit, SetCall):
                self.arguments.setdefault(edit.place, {})[edit.argument] = edit.value

    def _held(self, edit: Insert, _: Any) -> Any:
        return self._variable(edit)

    def _new(self, module: Module) -> Any:
        made = build(module, self._shapes_only)
        self._own.update(id(layer) for layer in made._flatten_layers())
        return made

    def layer(self, path: str, layer: Any, operands: Sequence[Any], whole: bool) -> Any:
        chosen = self._chosen.get(path)
        if chosen is None:
            try:
                chosen = self._choose(path, layer, operands, whole)
            except ValueError as error:
                self.trouble = error
                raise NotInPlace(str(error)) from error
            if whole:
                self._chosen[path] = chosen
        return chosen

    def _choose(self, path: str, layer: Any, operands: Sequence[Any], whole: bool) -> Any:
        if id(layer) in self._own:
            return layer
        if path in self._instead:
            return self._instead[path]
        if path in self._settings:
            return twin(layer, self._settings[path], self._shapes_only)
        if id(layer) in self._models_of_their_own and not _declared_for(layer, operands):
            self._kept.update(map(id, all_in(layer)))
        if (not whole and layer is not self._just_built) or id(layer) in self._kept:
            return layer
        given_other = any(place_layer(place) == path for place in self.operands)
        adapt = self._adapt or id(layer) in self._fresh
        if not layer.built or (adapt and (given_other or not _built_for(layer, operands))):
            return twin(layer, {}, self._shapes_only)
        return layer

    @property
    def set_layers(self) -> list[str]:
        """The layers whose settings the edits change."""
        return list(self._settings)

    @property
    def parameters(self) -> Mapping[str, int]:
        """Of each layer that ran, how many weights the one that ran has."""
        return {path: parameters_of(layer) for path, layer in self._chosen.items()}

    def missing(self, has: Callable[[str], bool]) -> str | None:
        """The first layer that the edits are about and the model has not. One that a `call` makes for itself is there
        only while it runs, so of a place in a `call` the layer around it will do."""
        for path in (*self._settings, *self._instead):
            if path and not has(path):
                return path
        for path in map(place_layer, (*self.operands, *self.arguments)):
            if path and not has(path) and not has(path.rpartition(".")[0]):
                return path
        return None


def _exchanged(results: Any) -> Any:
    first, second, *rest = results
    return type(results)((second, first, *rest))


def _declared_for(model: Functional | Sequential, operands: Sequence[Any]) -> bool:
    """Whether a model was made for operands of these shapes: what is in it was built for them."""
    declared = [tuple(tensor.shape) for tensor in model.inputs]
    given = [tuple(operand.shape) for operand in operands]
    return list(map(len, declared)) == list(map(len, given)) and not any(
        None not in (one, other) and one != other
        for pair in zip(declared, given, strict=True)
        for one, other in zip(*pair, strict=True)
    )


def _built_for(layer: Layer, operands: Sequence[Any]) -> bool:
    """Whether a built layer takes operands of these shapes."""
    if not layer.weights or not operands:
        return True
    spec = layer.input_spec
    sizes = getattr(spec, "axes", None) if not isinstance(spec, list | tuple) else None
    shape = tuple(operands[0].shape)
    if sizes:
        return all(shape[axis] in (None, size) for axis, size in sizes.items() if -len(shape) <= axis < len(shape))
    built = [item for item in (layer._build_shapes_dict or {}).values() if isinstance(item, tuple | list)]
    pairs = zip(built, operands, strict=False)
    return all(not before or tuple(before)[-1] in (None, tuple(now.shape)[-1]) for before, now in pairs)
