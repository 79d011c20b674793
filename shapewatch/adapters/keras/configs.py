"""Edits put into the config of a functional model, from which it is read again."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras.layers import Layer

from shapewatch.adapters.keras.edit import build, twin
from shapewatch.edits import Edit, Input, Replace, Set


def unbuilt(part: Any) -> Any:
    """A config without the shapes that its layers were built for: they are built for what they are given then."""
    if isinstance(part, list | tuple):
        return type(part)(map(unbuilt, part))
    if isinstance(part, dict):
        return {key: unbuilt(value) for key, value in part.items() if key != "build_config"}
    return part


def edited_config(config: Mapping[str, Any], edits: Sequence[Edit], custom_objects: Any) -> dict[str, Any]:
    """The config of a functional model with the settings of some of its layers changed, or the layers replaced.

    Raises:
        ValueError: it has no layer of such a name.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(config))
    settings: dict[str, dict[str, Any]] = {}
    for edit in edits:
        if isinstance(edit, Set):
            settings.setdefault(edit.layer, {})[edit.argument] = edit.value
    for path, arguments in settings.items():
        described = _required(changed, path)
        layer = keras.saving.deserialize_keras_object(unbuilt(described), custom_objects=custom_objects)
        _take_over(described, twin(layer, arguments))
    for edit in edits:
        if isinstance(edit, Replace):
            new = build(edit.module)
            new.name = edit.layer.rpartition(".")[2]
            _take_over(_required(changed, edit.layer), new)
        elif isinstance(edit, Input):
            inputs = [layer for layer in changed["layers"] if layer["class_name"] == "InputLayer"]
            inputs[edit.index]["config"]["batch_shape"] = list(edit.shape)
    return changed


def _required(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    described = described_at(config, path)
    if described is None:
        raise ValueError(f"no layer {path!r}")
    return described


def described_at(config: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The part of a config that describes the layer at a path; models inside it have configs of their own.

    A model inside is read before the one around it, so while it is read its layers go by their names alone: those are
    looked for in it too, and found if there is but one of the name.
    """
    inside: list[dict[str, Any]] = []
    for described in config["layers"]:
        name = described.get("name", described["config"].get("name"))
        if path == name:
            found: dict[str, Any] = described
            return found
        if "layers" in described["config"]:
            if path.startswith(f"{name}."):
                return described_at(described["config"], path[len(name) + 1 :])
            further = described_at(described["config"], path)
            inside += [] if further is None else [further]
    return inside[0] if len(inside) == 1 else None


def _take_over(described: dict[str, Any], layer: Layer) -> None:
    made = keras.saving.serialize_keras_object(layer)
    described.pop("build_config", None)
    for key in ("module", "class_name", "config", "registered_name"):
        described[key] = made[key]
