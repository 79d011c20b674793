"""Which path a module has: as the user spells it, from the outermost module that was called."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from torch import nn

from shapewatch.adapters.torch.compiled import WRAPPED, eager, is_wrapper


class Names:
    """Paths of modules, by identity. A module of no registered name gets one from where its parent keeps it."""

    def __init__(self, target: nn.Module | None = None) -> None:
        self.inner: dict[int, str] = {}
        """Paths of what is known, and not as the outermost one."""
        self._paths: dict[int, str] = {}
        self._modules: dict[str, nn.Module] = {}
        self._roots: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        if target is not None:
            self.learn(target)

    def learn(self, root: nn.Module) -> None:
        """Name everything that `root` registers. A second root's names begin with its class."""
        root = eager(root)
        if root in self._roots:
            return
        self._roots.add(root)
        prefix = ""
        while prefix in self._modules:
            prefix = f"{type(root).__name__}#{len(self._roots)}" if prefix else type(root).__name__
        for inner, module in _eager_modules(root):
            path = f"{prefix}.{inner}" if prefix and inner else prefix or inner
            if id(module) not in self._paths and path not in self._modules:
                self._paths[id(module)] = path
                self._modules[path] = module
                self.inner[id(module)] = path
        self.inner.pop(id(root), None)

    def path(self, module: nn.Module, parent: str | None) -> str:
        known = self._paths.get(id(module))
        if known is not None and self._modules.get(known) is module:
            return known
        base = parent or ""
        inside = _kept_as(self._modules.get(base), module) or type(module).__name__
        wanted = f"{base}.{inside}" if base else inside
        path, count = wanted, 1
        while path in self._modules and self._modules[path] is not module:
            count += 1
            path = f"{wanted}#{count}"
        self._paths[id(module)] = self.inner[id(module)] = path
        self._modules[path] = module
        return path

    def known(self, module: nn.Module) -> str:
        """The path of a module that has been named."""
        return self._paths.get(id(module), "")

    def items(self) -> Iterator[tuple[str, nn.Module]]:
        return iter(self._modules.items())

    def get(self, path: str) -> nn.Module | None:
        return self._modules.get(path)


def _eager_modules(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """What `named_modules` gives, as if nothing in it had been compiled."""
    for path, module in root.named_modules():
        if not is_wrapper(module):
            yield ".".join(part for part in path.split(".") if part != WRAPPED), module


def _kept_as(parent: nn.Module | None, module: nn.Module) -> str | None:
    """`convs[2]` for a module in a plain list of its parent: such a list registers nothing."""
    if parent is None:
        return None
    for name, value in vars(parent).items():
        if isinstance(value, list | tuple):
            for index, item in enumerate(value):
                if item is module:
                    return f"{name}[{index}]"
        elif isinstance(value, dict) and not name.startswith("_"):
            for key, item in value.items():
                if item is module:
                    return f"{name}[{key!r}]"
        elif value is module:
            return name
    return None
