"""Every layer of the models that a recording knows."""

from __future__ import annotations

from torch import nn
from torch.nn.parameter import is_lazy

from shapewatch.adapters.attributes import attribute_line
from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.naming import Names
from shapewatch.recording import Layer, Span


def layers_of(names: Names) -> list[Layer]:
    """Those that ran, and those that did not: what ran is judged by its siblings that did not."""
    weights = _Weights()
    layers = []
    for path, module in names.items():
        kind = kinds.kind_of_layer(type(module))
        layers.append(
            Layer(
                path=path,
                type=type(module).__name__,
                kind=kind or _kind_of_many(module),
                facts=kinds.layer_facts(module, kind or "module"),
                parameters=weights.of(module),
                leaf=kind is not None,
                defined=_definition(path, names),
            )
        )
    return layers


def _kind_of_many(module: nn.Module) -> str:
    """Of a layer that holds others: an empty row hands on what it is given, as shortcuts are often written."""
    if isinstance(module, kinds.CONTAINERS):
        return "identity" if type(module) is nn.Sequential and not module._modules else "container"
    return "module"


class _Weights:
    """How many weights layers have. Those of a lazy layer that has not run yet are not counted, and cannot be."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, int]] = {}
        """Of a module the parameters in it and their sizes, both by identity: a shared one counts once."""

    def of(self, module: nn.Module) -> int:
        return sum(self._in(module).values())

    def _in(self, module: nn.Module) -> dict[int, int]:
        held = self._held.get(id(module))
        if held is None:
            held = self._held[id(module)] = {
                id(each): each.numel() for each in module._parameters.values() if each is not None and not is_lazy(each)
            }
            for inner in module._modules.values():
                if inner is not None:
                    held.update(self._in(inner))
        return held


def _definition(path: str, names: Names) -> Span | None:
    """The line that makes a layer: `self.name = …` in the class of the nearest parent that names it."""
    parts = path.split(".")
    for cut in range(len(parts) - 1, -1, -1):
        parent = names.get(".".join(parts[:cut]))
        if parent is not None:
            owner: type = type(parent)
            span = attribute_line(owner, parts[cut], type(names.get(path)).__name__)
            if span is not None:
                return span
    return None
