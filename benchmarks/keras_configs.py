"""Functional and Sequential Keras models broken, and mended, through their configs.

    for mutant in mutants(architecture, count=4, seed=0):
        mutant.attempt()             # rebuilds the model from the broken config: raises
        mutant.mended(fix.edit)      # rebuilds it with a fix in the config: the output and the junctions

A model is rebuilt in two ways. `fresh` is what an author's own code does: every layer takes its widths from what it is
called on. `saved` is the config as Keras gives it, in which each layer is built for the input that it had in the
healthy model: behind a wrong number of filters, the next layer raises.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import keras

from benchmarks.keras_errors import shape_error
from benchmarks.keras_slips import in_words, layer_slips
from benchmarks.keras_zoo import Architecture, start_anew
from benchmarks.shapes import Shapes, shapes_of
from benchmarks.slips import TRIES_PER_MUTANT, in_turn

Config = dict[str, Any]
Way = Literal["fresh", "saved"]
WAYS: tuple[Way, ...] = ("fresh", "saved")


class NotApplicableError(Exception):
    """An edit that cannot be made in a config."""


@dataclass(frozen=True)
class Built:
    """A model that could be built: its output, and what each of its junctions gives, by the junction's name."""

    output: Shapes
    junctions: Mapping[str, Shapes]


@dataclass(frozen=True)
class Slip:
    """One change of a config.

    `layer` is the name of the changed layer, behind the names of the models it is in; `also` are other layers that
    are as right to blame. `changes` are its wrong arguments; None: the layer is taken out, and what it took is given
    on in its place.
    """

    kind: str
    layer: str
    description: str
    changes: Mapping[str, Any] | None
    also: frozenset[str] = frozenset()

    def apply(self, config: Config) -> None:
        """Change `config` in place."""
        if self.changes is None:
            take_out(config, self.layer)
        else:
            layer_at(config, self.layer)["config"].update(self.changes)


@dataclass(frozen=True)
class Mutant:
    """A slip with which a model cannot be rebuilt from its config in this way."""

    slip: Slip
    way: Way
    error: str
    healthy: Built
    cls: type = field(repr=False)
    config: Config = field(repr=False)

    @property
    def spellings(self) -> frozenset[str]:
        return spellings(self.slip.layer)

    @property
    def also(self) -> frozenset[str]:
        return frozenset(each for layer in self.slip.also for each in spellings(layer))

    def attempt(self) -> Any:
        """Rebuild the model, as a user would who has broken it."""
        return rebuild(self.cls, self.config)

    def mended(self, edit: Mapping[str, Any]) -> Built:
        """What the model is when it is rebuilt with this edit in its config.

        Raises:
            NotApplicableError: the edit is of a kind, or about a layer, that the config has not.
            Exception: whatever the model raises, with the edit in place.
        """
        config = copy.deepcopy(self.config)
        apply_edit(config, edit)
        return seen(rebuild(self.cls, config))


def spellings(layer: str) -> frozenset[str]:
    """How a layer in a nested model may be called: by its path, or by its name alone."""
    return frozenset({layer, layer.rpartition(".")[2]})


def mutants(architecture: Architecture, count: int, seed: int) -> Iterator[Mutant]:
    """At most `count` slips, spread over their kinds, each in the ways in which it raises; the same for a seed.

    Raises:
        RuntimeError: the healthy model cannot be rebuilt.
    """
    model = architecture.built()
    saved = model.get_config()
    configs: dict[Way, Config] = {"fresh": unsized(saved), "saved": saved}
    healthy = seen(model)
    for way, config in configs.items():
        if seen(rebuild(type(model), config)) != healthy:
            raise RuntimeError(f"{architecture.name} is another model when it is rebuilt from its config ({way})")
    chooser = random.Random(f"{seed}:{architecture.name}")
    found = 0
    for slip in islice(in_turn(slips(saved, architecture.twins), chooser), TRIES_PER_MUTANT * count):
        raising = list(_raising(slip, type(model), configs, healthy))
        yield from raising
        found += bool(raising)
        if found == count:
            return


def _raising(slip: Slip, cls: type, configs: Mapping[Way, Config], healthy: Built) -> Iterator[Mutant]:
    for way, config in configs.items():
        broken = copy.deepcopy(config)
        slip.apply(broken)
        if slip.changes is not None and not can_be_made(layer_at(broken, slip.layer)):
            return
        error = shape_error(lambda broken=broken: rebuild(cls, broken))
        if error is not None:
            yield Mutant(slip, way, error, healthy, cls, broken)


def can_be_made(layer: Config) -> bool:
    """Whether the layer's constructor accepts its arguments: what it refuses is no question of shapes."""
    alone = {key: value for key, value in layer.items() if key not in ("build_config", "inbound_nodes")}
    try:
        keras.saving.deserialize_keras_object(alone)
    except Exception:
        return False
    return True


def rebuild(cls: type, config: Config) -> Any:
    start_anew()
    return cls.from_config(copy.deepcopy(config))  # type: ignore[attr-defined]


def seen(model: Any) -> Built:
    """The shapes of a model's output and of its junctions."""
    return Built(shapes_of(model.outputs), dict(_junctions(model, "")))


def _junctions(model: Any, prefix: str) -> Iterator[tuple[str, Shapes]]:
    for layer in getattr(model, "operations", model.layers):
        if isinstance(layer, keras.Model):
            yield from _junctions(layer, f"{prefix}{layer.name}.")
        nodes = [node for node in layer._inbound_nodes if len(node.input_tensors) > 1]
        if nodes:
            yield prefix + layer.name, tuple(s for node in nodes for s in shapes_of(node.output_tensors))


# Reading a config


def layers_of(config: Config, prefix: str = "") -> Iterator[tuple[str, Config, Config]]:
    """Each layer with its path, and the config of the model that it is in."""
    for layer in config["layers"]:
        path = prefix + layer["config"]["name"]
        yield path, layer, config
        if "layers" in layer["config"]:
            yield from layers_of(layer["config"], f"{path}.")


def layer_at(config: Config, name: str) -> Config:
    """The layer of this path or, where there is only one, of this name.

    Raises:
        NotApplicableError: there is none.
    """
    found = [layer for path, layer, _ in layers_of(config) if path == name]
    found = found or [layer for path, layer, _ in layers_of(config) if path.rpartition(".")[2] == name]
    if len(found) != 1:
        raise NotApplicableError(f"the config has {len(found)} layers called {name!r}")
    return found[0]


def unsized(config: Config) -> Config:
    """The config without the shapes that its layers were built for."""

    def strip(model: Config) -> None:
        sequential = "input_layers" not in model
        model.pop("build_input_shape", None)
        for layer in model["layers"]:
            layer.pop("build_config", None)
            if "layers" in layer["config"]:
                strip(layer["config"])
        if sequential and model is not whole:
            model["layers"] = [layer for layer in model["layers"] if layer["class_name"] != "InputLayer"]

    whole = copy.deepcopy(config)
    strip(whole)
    return whole


Ref = tuple[str, int, int]
"""A tensor in a functional config: the layer's name, the node's number and the tensor's."""


def tensors_in(value: Any) -> list[Config]:
    """The configs of the tensors in the arguments of a node, in order."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value["config"]]
        return [tensor for item in value.values() for tensor in tensors_in(item)]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def refs_in(value: Any) -> list[list[Any]]:
    """Where each of these tensors comes from; to be changed in place."""
    return [tensor["keras_history"] for tensor in tensors_in(value)]


def take_out(config: Config, path: str) -> None:
    """Give what a layer takes to those that take what it gives."""
    layer = layer_at(config, path)
    owner = next(owner for each, _, owner in layers_of(config) if each == path)
    given = refs_in(layer["inbound_nodes"])[0]
    for other in owner["layers"]:
        for ref in refs_in(other["inbound_nodes"]):
            if ref[0] == layer["name"]:
                ref[:] = given
    owner["layers"].remove(layer)


# Slips


def slips(config: Config, twins: Sequence[tuple[str, str]]) -> Iterator[Slip]:
    """Every change in the catalogue that this model offers, in the order of its layers."""
    projections = dict(projections_in(config))
    for path, layer, owner in layers_of(config):
        if len(layer.get("inbound_nodes", [])) > 1:  # used twice: nothing is wrong with the layer alone
            continue
        if path in projections:
            yield _removed(path, projections[path], owner)
        also = frozenset(b if path == a else a for a, b in twins if path in (a, b))
        for kind, changes in layer_slips(layer["class_name"], layer["config"]):
            named = kind if path not in projections else f"projection.{kind.split('.')[1]}"
            description = in_words(path, layer["class_name"], layer["config"], changes)
            yield Slip(named, path, description, changes, also)


def _removed(path: str, merge: str, owner: Config) -> Slip:
    """Who looks at the model sees no projection any more: the junction that lacks it, or what is left of the branch."""
    left = {
        layer["name"]
        for layer in owner["layers"]
        if layer["class_name"] == "BatchNormalization" and any(r[0] == path for r in refs_in(layer["inbound_nodes"]))
    }
    return Slip("projection.removed", path, f"{path}: no projection", None, frozenset({merge, *left}))


def projections_in(config: Config) -> Iterator[tuple[str, str]]:
    """Each convolution that stands alone, but for a norm, between a fork and an addition; and the addition."""
    by_name = {layer["name"]: layer for layer in config["layers"] if layer.get("inbound_nodes")}
    consumers: dict[Ref, set[str]] = {}
    for name, layer in by_name.items():
        for ref in refs_in(layer["inbound_nodes"]):
            consumers.setdefault(tuple(ref), set()).add(name)  # type: ignore[arg-type]
    for name, layer in by_name.items():
        operands = refs_in(layer["inbound_nodes"])
        if layer["class_name"] != "Add" or len(operands) < 2:
            continue
        for operand in operands:
            below = by_name.get(operand[0])
            if below is not None and below["class_name"] == "BatchNormalization":
                below = by_name.get(refs_in(below["inbound_nodes"])[0][0])
            if below is None or below["class_name"] not in ("Conv1D", "Conv2D", "Dense"):
                continue
            taken = tuple(refs_in(below["inbound_nodes"])[0])
            if len(consumers[taken]) > 1:  # type: ignore[index]
                yield below["name"], name


# Edits


def apply_edit(config: Config, edit: Mapping[str, Any]) -> None:
    """Make the change that `Fix.edit` describes.

    Raises:
        NotApplicableError: it cannot be made in a config.
    """
    match edit.get("action"):
        case "all":
            for each in edit["edits"]:
                apply_edit(config, each)
        case "set":
            layer = layer_at(config, edit["layer"])
            inner = [layer["config"].get(key) for key in edit.get("within", ())]
            for part in [each["config"] for each in inner if each] or [layer["config"]]:
                if edit["argument"] not in part:
                    raise NotApplicableError(f"{edit['layer']} ({layer['class_name']}) has no {edit['argument']!r}")
                part[edit["argument"]] = edit["value"]
        case "insert":
            _insert(config, edit)
        case "replace":
            layer = layer_at(config, edit["layer"])
            made = serialized(edit["module"], layer["name"])
            layer.update({key: made[key] for key in ("module", "class_name", "config", "registered_name")})
        case "input":
            inputs = [layer for layer in config["layers"] if layer["class_name"] == "InputLayer"]
            inputs[edit.get("index") or 0]["config"]["batch_shape"] = [None, *edit["shape"][1:]]
        case action:
            raise NotApplicableError(f"no way to {action!r} in a config")


def _insert(config: Config, edit: Mapping[str, Any]) -> None:
    """A layer between a junction and one of the tensors that it takes; `layer` or `junction` names the junction."""
    named = edit.get("layer") or str(edit["junction"]).split(":")[0]
    junction = layer_at(config, named)
    owner = next(owner for _, layer, owner in layers_of(config) if layer is junction)
    taken = tensors_in(junction["inbound_nodes"])[edit["operand"]]
    number = sum(layer["name"].startswith("inserted") for layer in owner["layers"])
    layer = serialized(edit["module"], f"inserted_{number}")
    tensor = {"class_name": "__keras_tensor__", "config": copy.deepcopy(taken)}
    layer["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]
    owner["layers"].append(layer)
    taken["keras_history"] = [layer["name"], 0, 0]


def serialized(module: Mapping[str, Any], name: str) -> Config:
    """The config of a new layer of this name, from a fix's description of it."""
    layer = made(module)
    config: Config = keras.saving.serialize_keras_object(layer)
    config["config"]["name"] = name
    return config | {"name": name}


def made(module: Mapping[str, Any]) -> Any:
    """The layer that a fix describes: `{"type": "Conv2D", "arguments": {…}}`, a Sequential with a list of such."""
    cls = getattr(keras.layers, module["type"], None) or getattr(keras, module["type"], None)
    if cls is None:
        raise NotApplicableError(f"Keras has no {module['type']!r}")
    arguments = dict(module.get("arguments", {}))
    parts = next((arguments[key] for key in ("layers", "modules") if key in arguments), None)
    if parts is not None:
        return cls([made(part) for part in parts])
    return cls(**arguments)
