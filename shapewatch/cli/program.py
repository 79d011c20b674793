"""Runs a script or a module in this process as Python itself would."""

from __future__ import annotations

import builtins
import difflib
import importlib.machinery
import importlib.util
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from shapewatch.cli.errors import CommandError
from shapewatch.source import without_own_frames

Program = Callable[[], object]
"""Runs the program to its end. What ends it early (`SystemExit` included) is raised."""

# What `python -m` itself calls. The public `runpy.run_module` runs the module elsewhere than in `__main__`
# and shows other frames in a traceback than Python does.
_run_as_main = runpy._run_module_as_main  # type: ignore[attr-defined]
_NotFound: type[Exception] = runpy._Error  # type: ignore[attr-defined]


def script(path: str, arguments: list[str]) -> Program:
    """The program that `python PATH ARGUMENTS` runs: a file, or a folder or zip file with a `__main__.py`.

    Raises:
        CommandError: there is nothing to run at this path; for a folder or a zip file, when it is started.
    """
    if pkgutil.get_importer(path) is not None:  # a folder or a zip file
        return _folder(path, arguments)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CommandError(_cannot_open(Path(path), error)) from error
    if not path.endswith(".pyc") and not _is_text(content):
        return lambda: _refuse(path)
    return _file(path, content, arguments)


def module(name: str, arguments: list[str]) -> Program:
    """The program that `python -m NAME ARGUMENTS` runs; CommandError when it is started and not there."""
    sys.argv = ["-m", *arguments]  # what Python has there while it looks for the module
    if not sys.flags.safe_path:
        sys.path[0] = str(Path.cwd())
    _new_main()
    instead = f"write -m package.module as it is imported from {Path.cwd()}, or the path of a file"
    return lambda: _as_main(name, True, instead)


def by_python_itself(words: list[str]) -> int:
    """The exit status of a program that this process cannot run."""
    import subprocess

    status = subprocess.run([sys.executable, *words], check=False).returncode
    return status if status >= 0 else 128 - status


def _file(path: str, content: bytes, arguments: list[str]) -> Program:
    absolute = _absolute(path)
    sys.argv = [path, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(path).resolve().parent)
    main = _new_main()
    main.__file__ = absolute
    vars(main)["__cached__"] = None
    if path.endswith(".pyc"):
        main.__loader__ = importlib.machinery.SourcelessFileLoader("__main__", absolute)
    else:
        main.__loader__ = importlib.machinery.SourceFileLoader("__main__", absolute)
    return lambda: _run_file(main, content)


def _run_file(main: ModuleType, content: bytes) -> None:
    code: CodeType | None
    if isinstance(main.__loader__, importlib.machinery.SourcelessFileLoader):
        code = main.__loader__.get_code("__main__")
    else:
        code = compile(content, str(main.__file__), "exec", dont_inherit=True)
    if code is not None:
        exec(code, vars(main))


def _folder(path: str, arguments: list[str]) -> Program:
    sys.argv = [path, *arguments]
    sys.path[: 0 if sys.flags.safe_path else 1] = [_absolute(path)]
    _new_main()
    instead = f"`{path}` has no __main__.py to run; name a Python file in it, or add one"
    return lambda: _as_main("__main__", False, instead)


def _as_main(name: str, alter_argv: bool, instead: str) -> None:
    try:
        _run_as_main(name, alter_argv)
    except SystemExit as ending:
        reason = ending.__context__
        if not isinstance(reason, _NotFound):
            raise  # the program's own
        raise CommandError(f"{reason}; {instead}" if alter_argv else instead) from None


def _absolute(path: str) -> str:
    """The path as Python spells it in `__file__`: absolute, otherwise as typed (`/home/me/./train.py`)."""
    return path if Path(path).is_absolute() else f"{Path.cwd()}{os.sep}{path}"


def _new_main() -> ModuleType:
    """A fresh `__main__`, with the names that Python puts into one before anything runs."""
    main = ModuleType("__main__")
    names = {"__loader__": importlib.machinery.BuiltinImporter, "__builtins__": builtins}
    if sys.version_info < (3, 14):
        names["__annotations__"] = {}
    vars(main).update(names)
    sys.modules["__main__"] = main
    return main


# What cannot be run


def _cannot_open(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"`{path}` cannot be read: {error.strerror}; SCRIPT is a Python file"
    if path.with_name(path.name + ".py").is_file():
        return f"there is no file `{path}`; did you mean `{path}.py`?"
    if path.suffix != ".py" and _is_module(str(path)):
        return f"there is no file `{path}`; to run the module of that name: shapewatch run -m {path}"
    beside = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    if close:
        return f"there is no file `{path}`; did you mean `{path.with_name(close[0])}`?"
    return f"there is no file `{path}`; SCRIPT is the path of a Python file, from {Path.cwd()} or absolute"


def _is_module(name: str) -> bool:
    place = Path(*name.split("."))
    return name.replace(".", "").isidentifier() and (
        place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
    )


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in importlib.util.decode_source(content)
    except (SyntaxError, UnicodeDecodeError):
        return False


def _refuse(path: str) -> None:
    # Python words this error where it reads a file, and differently where it is given the bytes. Nothing of
    # the script runs, so Python itself may say it.
    sys.exit(by_python_itself([path]))


# What an exception that ends the program looks like


def leave_as_pythons_own(error: BaseException) -> None:
    """Let Python show `error`, which is about to leave `main`, without a frame of ours in its traceback.

    The frames between the program and the interpreter are added while the exception passes them, so they can
    only be taken off at the very end, in `sys.excepthook`; the program's own hook is put back, and called,
    from there.
    """
    hook = getattr(sys, "excepthook", None)
    if isinstance(error, SystemExit) or hook is None:
        return  # Python shows no traceback, or has no place left where one could be changed
    for one in _chain(error):
        without_own_frames(one)
    own = error.__traceback__

    def show(kind: type[BaseException], shown: BaseException, trace: TracebackType | None) -> None:
        sys.excepthook = hook
        if shown is error:
            shown.__traceback__ = trace = sys.last_traceback = own
        hook(kind, shown, trace)

    sys.excepthook = show


def notes(error: BaseException) -> list[str]:
    """The notes of an exception and of those that it is chained to."""
    return [note for one in _chain(error) for note in getattr(one, "__notes__", ())]


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
