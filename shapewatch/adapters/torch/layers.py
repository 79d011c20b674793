"""Every layer of the models that a recording knows."""

from __future__ import annotations

from torch import nn
from torch.nn.parameter import is_lazy

from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.naming import Names
from shapewatch.recording import Layer, Span
from shapewatch.source import attribute_line


def layers_of(names: Names) -> list[Layer]:
    """Those that ran, and those that did not: what ran is judged by its siblings that did not."""
    counted: dict[int, int] = {}
    layers = []
    for path, module in names.items():
        kind = kinds.kind_of_layer(type(module))
        layers.append(
            Layer(
                path=path,
                type=type(module).__name__,
                kind=kind or ("container" if isinstance(module, kinds.CONTAINERS) else "module"),
                facts=kinds.layer_facts(module, kind or "module"),
                parameters=counted.setdefault(id(module), _weights(module)),
                leaf=kind is not None,
                defined=_definition(path, names),
            )
        )
    return layers


def _weights(module: nn.Module) -> int:
    """How many weights a layer has. Those of a lazy layer that has not run yet are not counted, and cannot be."""
    return sum(parameter.numel() for parameter in module.parameters() if not is_lazy(parameter))


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
