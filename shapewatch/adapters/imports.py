"""The names by which a file of the user's knows a framework, for code that can be pasted there as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Set
from functools import cache

from shapewatch.adapters.statements import nodes_of

_USUAL = {
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "torch": "torch",
    "layers": "keras.layers",
    "keras": "keras",
    "tf": "tensorflow",
}
"""The names that the adapters write, and what they stand for."""

_IN_TF = {
    f"keras.ops.{name}": f"tensorflow.{other}"
    for name, other in {
        **{same: same for same in ("transpose", "reshape", "repeat", "expand_dims", "squeeze", "shape", "pad")},
        "image.resize": "image.resize",
        "mean": "reduce_mean",
    }.items()
}
"""The operations of Keras that we write and TensorFlow has too, with the same arguments."""

_NAME = re.compile(rf"(?<![\w.])(?P<root>{'|'.join(_USUAL)})(?P<rest>(?:\.[A-Za-z_]\w*)+)")


def as_imported(code: str, file: str) -> str:
    """Code with the frameworks' names as a file imports them: `Conv2D(8, 3)`, `tf.keras.layers.Conv2D(8, 3)` or
    `torch.nn.functional.pad(…)`. A name that the file has, and what it does not import, stays as it is; so does
    `layers.append(x)`, of a list that the file calls `layers`."""
    known, own = _imported(file), _bound(file)
    plain = _in_plain_tensorflow(code, known)

    def spelled(name: re.Match[str]) -> str:
        is_own = name["root"] in own and name["rest"][1].islower()
        return name[0] if is_own else _spelled(name, known, plain)

    return _with_import(_NAME.sub(spelled, code), file, known, own)


_LAYER = re.compile(r"(?<![\w.])layers\.(?P<name>[A-Z]\w*)")


def _with_import(code: str, file: str, known: Mapping[str, str], own: Set[str]) -> str:
    """Code with the layers imported that a file does not know, as it imports others: `from keras.layers import …`."""
    unknown = sorted(set(_LAYER.findall(code))) if not {"layers", "keras", "tf"} & {*known, *own} else []
    modules = [node.module for node in nodes_of(file) if isinstance(node, ast.ImportFrom) and not node.level]
    source = next((module for module in modules if module and module.endswith("keras.layers")), None)
    if not unknown or source is None:
        return code
    return f"from {source} import {', '.join(unknown)}\n{_LAYER.sub(lambda found: found['name'], code)}"


def _in_plain_tensorflow(code: str, known: Mapping[str, str]) -> bool:
    """Whether code calls TensorFlow itself, as in `tf.stack([a, keras.ops.squeeze(b)])`: what is symbolic in Keras
    would not be taken there anyway."""
    aliases = [alias for alias, path in known.items() if path == "tensorflow"]
    return any(re.search(rf"(?<![\w.]){alias}\.(?!keras\b)[\w.]+\(", code) for alias in aliases)


def _spelled(name: re.Match[str], known: Mapping[str, str], plain: bool) -> str:
    full, paths = _USUAL[name["root"]] + name["rest"], set(known.values())
    operation = full.startswith("keras.ops.")
    if name["root"] in known and not operation:
        return name[0]
    if operation and "tensorflow" in paths and (plain or not paths & {"keras", "keras.ops"}):
        full = _IN_TF.get(full, full)
    ways = [way for alias, path in known.items() for way in _ways(full, alias, path)]
    return min(ways, key=len, default=name[0])


def _ways(full: str, alias: str, path: str) -> Iterator[str]:
    """How what has a full name is spelled with one imported name, if it can be."""
    if path == "tensorflow" and full.startswith("keras."):
        full = f"tensorflow.{full}"
    if full == path or full.startswith(f"{path}."):
        yield alias + full.removeprefix(path)


@cache
def _imported(file: str) -> Mapping[str, str]:
    """The names that a file imports, and what they stand for; Keras is one, by whichever way it comes."""
    found: dict[str, str] = {}
    for node in nodes_of(file):
        if isinstance(node, ast.Import):
            whole = ((one.asname or one.name.partition(".")[0], one) for one in node.names)
            found |= {name: one.name if one.asname else name for name, one in whole}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return {name: re.sub(r"^tensorflow\.(python\.)?keras\b", "keras", path) for name, path in found.items()}


@cache
def _bound(file: str) -> Set[str]:
    """The names that a file gives to something otherwise than by an import."""
    nodes = nodes_of(file)
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in nodes if isinstance(node, ast.arg)}
