"""Faults of shapewatch itself, made on purpose in any of its functions, one at a time."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, NoReturn

import shapewatch


class OwnError(Exception):
    """A fault of shapewatch itself."""


hits: list[str] = []
"""Where the present fault was met."""


def hit(place: str = "") -> NoReturn:
    hits.append(place)
    raise OwnError("inside shapewatch")


def _fails(*_: Any, **__: Any) -> NoReturn:
    from support.faults import hit  # its own globals are those of the function whose code it stands for

    hit()


@dataclass(frozen=True)
class Place:
    """A function of shapewatch."""

    name: str
    function: FunctionType

    @contextmanager
    def failing(self) -> Iterator[None]:
        """The function raises whenever it is called, by whatever name it is known."""
        code: CodeType = self.function.__code__
        instead = FunctionType(_fails.__code__, {}, closure=None).__code__
        if code.co_freevars:
            instead = _with_free_variables(len(code.co_freevars))
        forget_cached()
        hits.clear()
        self.function.__code__ = instead
        try:
            yield
        finally:
            self.function.__code__ = code


def _with_free_variables(count: int) -> CodeType:
    """Code that fails, with as many free variables as the code that it stands for."""
    names = [f"v{number}" for number in range(count)]
    source = (
        f"def around({', '.join(names)}):\n def fails(*_, **__):\n  from support.faults import hit\n"
        f"  hit()\n  {', '.join(names)}\n return fails"
    )
    made: dict[str, Any] = {}
    exec(source, made)
    code: CodeType = made["around"](*names).__code__
    return code


def modules(package: str = "") -> list[Any]:
    """Every module of shapewatch, or of a part of it."""
    whole = f"shapewatch.{package}" if package else "shapewatch"
    top = importlib.import_module(whole)
    found = [top]
    for info in pkgutil.walk_packages(getattr(top, "__path__", []), whole + "."):
        if not info.name.endswith("__main__"):
            found.append(importlib.import_module(info.name))
    return found


def functions(module: Any) -> Iterator[Place]:
    """The functions and methods that a module defines."""
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if isinstance(thing, type):
            for inner, member in list(vars(thing).items()):
                yield from _of(f"{module.__name__}.{name}.{inner}", member)
        else:
            yield from _of(f"{module.__name__}.{name}", thing)
            check = getattr(thing, "check", None)  # a rule
            yield from _of(f"{module.__name__}.{name}", check)


def _of(name: str, member: Any) -> Iterator[Place]:
    for inner in ("__func__", "__wrapped__", "fget", "func"):
        member = getattr(member, inner, member)
    written = isinstance(member, FunctionType) and "<string>" not in member.__code__.co_filename
    if written and member.__code__.co_filename.startswith(str(shapewatch.__path__[0])):
        yield Place(name.removeprefix("shapewatch."), member)


def places(*packages: str) -> list[Place]:
    """Every function of these parts of shapewatch, each once."""
    found: dict[CodeType, Place] = {}
    for package in packages:
        for module in modules(package):
            for place in functions(module):
                found.setdefault(place.function.__code__, place)
    return list(found.values())


def forget_cached() -> None:
    """What was computed before a fault does not hide it.

    The tables of messages stay: no function that fails later is part of how they are made, and they take long.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("shapewatch") and not name.startswith("shapewatch.messages"):
            for thing in list(vars(module).values()):
                if isinstance(thing, functools._lru_cache_wrapper):
                    thing.cache_clear()
