"""Being told when a program imports a framework."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from shapewatch.firewall import own_fault


class Arrival(MetaPathFinder):
    """Calls `arrived` when a module of one of the names has been imported. In force between start and stop."""

    def __init__(self, names: Sequence[str], arrived: Callable[[str], None]) -> None:
        self._names = frozenset(names)
        self._arrived = arrived
        self._asks = False

    def start(self) -> None:
        sys.meta_path.insert(0, self)

    def stop(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders give, with a loader that speaks up when it is done."""
        if fullname not in self._names or self._asks:
            return None
        self._asks = True  # another one that waits for the same module asks back
        try:
            specs = (each.find_spec(fullname, path, target) for each in sys.meta_path if hasattr(each, "find_spec"))
            spec = next((spec for spec in specs if spec is not None and spec.loader is not None), None)
        finally:
            self._asks = False
        if spec is not None:
            spec.loader = _Announcing(spec.loader, fullname, self._arrived)
        return spec


class _Announcing(Loader):
    """A loader that hands everything to another one, and tells when the module is there."""

    def __init__(self, loader: Any, name: str, arrived: Callable[[str], None]) -> None:
        self._loader = loader
        self._name = name
        self._arrived = arrived

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        try:
            self._arrived(self._name)
        except Exception as fault:
            own_fault(fault)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
