"""TARGET: the model that `package.module:name` or `path/to/file.py:name` stands for."""

from __future__ import annotations

import argparse
import difflib
import functools
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from shapewatch.cli.errors import CommandError, in_one_line, place_of
from shapewatch.firewall import own_fault

FORM = "path/to/file.py:NAME or package.module:NAME"


def add_target_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="TARGET",
        help=f"{FORM}; NAME is a model, a model class or a function that returns a model",
    )


@contextmanager
def on_shapes(target: str) -> Iterator[None]:
    """What goes wrong inside, where the model is run on shapes.

    Raises:
        CommandError: an argument does not suit the model, or shapewatch broke down: status 1 would blame the model.
    """
    from shapewatch.watching import UsageError

    try:
        yield
    except UsageError as error:
        raise CommandError(f"`{target}`: {error}") from error
    except Exception as error:
        own_fault(error)
        raise CommandError(
            f"`{target}` could not be run on shapes alone: {in_one_line(error)}; SHAPEWATCH_DEBUG=1 shows where"
        ) from error


def load_model(target: str) -> Any:
    """What TARGET names; a class or a function is called without arguments to give the model.

    Importing runs the target's file in this process, with its folder (for a module, the working folder) first
    on `sys.path`. Whether the result is a model is the framework's to say.

    Raises:
        CommandError: TARGET is not of its form, does not import, has no such name, or cannot be called.
    """
    place, _, name = target.rpartition(":")
    if not place or not name or name.endswith(".py"):
        raise CommandError(
            f"`{target}` names no model; write {(target.strip(':') or 'path/to/file.py')}:NAME, "
            "where NAME is a model, a model class or a function that returns a model"
        )
    if not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(f"`{name}` in `{target}` is no name; write {FORM}")
    found = _named(_imported(place), name, place)
    return _built(found, target) if _makes_models(found) else found


def _imported(place: str) -> ModuleType:
    is_file = place.endswith(".py") or os.sep in place or "/" in place
    name, module, run = _of_file(place) if is_file else _of_module(place)
    # Programs that read their arguments while they are imported should not read ours.
    arguments, sys.argv = sys.argv, [place]
    try:  # nothing of ours: what is raised in here is the program's
        run()
    except SystemExit as error:
        raise CommandError(
            f"`{place}` ends the program while it is imported{place_of(error)}; "
            "put what is to run under `if __name__ == '__main__':`"
        ) from error
    except Exception as error:
        raise (None if is_file else _not_found(error, place)) or CommandError(
            f"`{place}` does not import: {in_one_line(error)}; what TARGET names has to import without an error"
        ) from error
    finally:
        sys.argv = arguments
    return module or sys.modules[name]


def _of_file(place: str) -> tuple[str, ModuleType | None, Callable[[], object]]:
    """The name of the module that a file is, the module where it exists already, and what imports it."""
    path = Path(place)
    if not path.is_file():
        raise CommandError(f"there is no file `{place}`{_close_file(path)}; write {FORM}")
    path = path.resolve()
    folder, dotted = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():  # inside a package, so that its relative imports work
        dotted.insert(0, folder.name)
        folder = folder.parent
    _put_first(folder)
    if len(dotted) > 1:
        name = ".".join(dotted).removesuffix(".__init__")
        return name, None, functools.partial(importlib.import_module, name)
    name = path.stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"{name} ({path})"  # torch.py or types.py must not take the place of the module called so
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"`{place}` is no Python file; write {FORM}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    return name, module, functools.partial(spec.loader.exec_module, module)


def _of_module(place: str) -> tuple[str, None, Callable[[], object]]:
    if not all(part.isidentifier() for part in place.split(".")):
        raise CommandError(f"`{place}` is no module; write {FORM}")
    _put_first(Path.cwd())
    return place, None, functools.partial(importlib.import_module, place)


def _not_found(error: Exception, place: str) -> CommandError | None:
    """What to say where there is no such module; None where it is there, and one that it imports is not."""
    if not isinstance(error, ModuleNotFoundError) or not f"{place}.".startswith(f"{error.name}."):
        return None
    file = Path(*place.split(".")).with_suffix(".py")
    instead = f"did you mean `{file}`?" if file.is_file() else f"write {FORM}"
    return CommandError(f"there is no module `{error.name}` on the path from here; {instead}")


def _put_first(folder: Path) -> None:
    if sys.path[:1] != [str(folder)]:
        sys.path.insert(0, str(folder))


def _named(module: ModuleType, name: str, place: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise CommandError(f"`{place}` has no `{name}`{_close_name(part, _public(found))}")
        found = getattr(found, part)
    return found


def _public(thing: Any) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]


def _close_name(wanted: str, names: Iterable[str]) -> str:
    by_folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(wanted.casefold(), list(by_folded), n=1)
    return f"; did you mean `{by_folded[close[0]]}`?" if close else f"; write {FORM}, with a NAME that the file defines"


def _close_file(path: Path) -> str:
    beside = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    return f", but there is `{path.with_name(close[0])}`" if close else ""


def _makes_models(found: Any) -> bool:
    return isinstance(found, type | functools.partial) or inspect.isroutine(found)


def _built(make: Any, target: str) -> Any:
    name = target.rpartition(":")[2]
    needed = _needed_arguments(make)
    if needed:
        names = ", ".join(f"`{argument}`" for argument in needed)
        call = f"{name}({', '.join(f'{argument}=...' for argument in needed)})"
        raise CommandError(
            f"`{name}` needs {names}; write a function that returns the model, "
            f"e.g. `def model(): return {call}`, and name that"
        )
    try:
        return make()
    except SystemExit as error:
        raise CommandError(f"`{name}()` ends the program{place_of(error)}; it has to return a model") from error
    except Exception as error:
        raise CommandError(
            f"`{name}()` gives no model: {in_one_line(error)}; it has to return a model when called without arguments"
        ) from error


def _needed_arguments(make: Any) -> list[str]:
    try:
        parameters = inspect.signature(make).parameters.values()
    except (ValueError, TypeError):  # written in C, without a signature
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]
