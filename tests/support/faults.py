"""Faults of shapewatch itself, made on purpose in any of its functions, one at a time.

A program is run unwatched, then watched with each function of ours failing in turn, and both have to come to the same.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import io
import pkgutil
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NoReturn

import shapewatch
from shapewatch.adapters.taps import Tap
from shapewatch.firewall import Faults
from shapewatch.watching.wishes import ShapeWarning


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
    """A function of shapewatch, or one that is written inside of one: `code` is what fails."""

    name: str
    function: FunctionType
    code: CodeType

    @contextmanager
    def failing(self) -> Iterator[None]:
        """The function raises whenever it is called, by whatever name it is known."""
        whole = self.function.__code__
        instead = FunctionType(_fails.__code__, {}, closure=None).__code__
        if self.code.co_freevars:
            instead = _with_free_variables(len(self.code.co_freevars))
        forget_cached()
        hits.clear()
        self.function.__code__ = _replaced(whole, self.code, instead)
        try:
            yield
        finally:
            self.function.__code__ = whole


def _replaced(whole: CodeType, code: CodeType, instead: CodeType) -> CodeType:
    """Some code with other code in the place of a part of it."""
    if whole is code:
        return instead
    constants = tuple(
        _replaced(each, code, instead) if isinstance(each, CodeType) else each for each in whole.co_consts
    )
    changed = any(one is not other for one, other in zip(constants, whole.co_consts, strict=True))
    return whole.replace(co_consts=constants) if changed else whole


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
        name = name.removeprefix("shapewatch.")
        for path, code in _inside(name, member.__code__):
            yield Place(path, member, code)


def _inside(name: str, code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Code, and the functions that are written in it. What a comprehension does, the function around it does."""
    yield name, code
    for each in code.co_consts:
        if isinstance(each, CodeType) and each.co_name not in ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"):
            yield from _inside(f"{name}.{each.co_name}", each)


def places(*packages: str) -> list[Place]:
    """Every function of these parts of shapewatch, each once."""
    found: dict[int, Place] = {}
    for package in packages:
        for module in modules(package):
            for place in functions(module):
                found.setdefault(id(place.code), place)
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


def reached(run: Callable[[], Any], parts: Sequence[str]) -> list[Place]:
    """The functions of these parts that a program makes us call, in whatever thread, in the order of their names."""
    known = {id(place.code): place for place in places(*parts)}
    found: set[int] = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            found.add(id(frame.f_code))

    run()  # what is imported late is imported now
    forget_cached()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return [place for key, place in known.items() if key in found]


COMMON = (
    "firewall", "watching", "recorder", "recording", "report", "source", "codec", "edits", "axes", "flow",
    "rules", "diagnose", "demand", "repair", "render", "messages", "ranks", "adapters.located", "adapters.spoken",
    "adapters.written", "adapters.operand", "adapters.statements", "adapters.rewritten", "adapters.taps",
    "adapters.appearing",
)  # fmt: skip
"""The parts of shapewatch that belong to no framework."""

OF_ANY_TRIAL = ("adapters.rewritten.", "source.calling_frame")
"""What fails in a trial on shapes costs the trial: the report says that the change could not be tried, and why."""

OF_A_BLOCK = {
    # What the program itself calls.
    "watching.watch", "watching.wishes.refuse_wish", "watching.session.Session.__init__",
    "watching.session.Session.__enter__", "watching.session.Session.__exit__", "watching.session.Session.report",
    "watching.session.Session._as_wished", "ranks.member.Member.__init__", "firewall.attempt", "firewall.own_fault",
}  # fmt: skip

OF_TAPS = {
    "adapters.taps.guarded", "adapters.taps.Once.__init__", "adapters.taps.Once.__call__", "adapters.taps._raise_again",
    "adapters.taps.Tap._replacing.tapped",
}  # fmt: skip
"""What a framework calls instead of its own function."""


OF_STEPS = {
    "watching.steps.Steps.__init__", "watching.steps.Steps.run", "watching.steps.Steps._looked_at",
    "watching.steps.WatchedStep.__call__", "watching.steps.WatchedStep.__call__.<lambda>",
    "watching.steps.ExplainedRun.__call__",
}  # fmt: skip
"""What a trainer calls instead of its own step."""


OF_DECORATED = {
    "watching.decorated.decorate", "watching.decorated._decorate_class.original",
    "watching.decorated._decorate_class.__call__", "watching.decorated._decorate_class.__call__.again",
    "watching.decorated._call_watched",
}  # fmt: skip
"""What stands for a class's `__call__`, and the decorator itself."""


def take_taps_off() -> None:
    """Whatever a watch which could not end listens to."""
    for thing in gc.get_objects():
        if issubclass(type(thing), Tap):  # a proxy is not asked what it stands for
            for listener, _ in getattr(thing, "_listeners", ()):  # none where it could not be made
                thing._remove(listener)


def without_caches(monkeypatch: Any) -> Iterator[None]:
    """For a fixture: a thousand faults are not printed, and nothing that was computed while one lasted is kept."""
    monkeypatch.delenv("SHAPEWATCH_DEBUG", raising=False)
    yield
    forget_cached()


# Programs


Watch = Callable[..., AbstractContextManager[Any]]
"""How a program has itself watched: `shapewatch.watch`, or what does nothing."""

Program = Callable[[Watch], Any]
"""What it gives, as plain data, is compared."""


def unwatched(target: Any = None) -> AbstractContextManager[Any]:  # noqa: ARG001 - as `shapewatch.watch` takes it
    return nullcontext()


def by_python(words: list[str]) -> int:
    """A script as Python runs it, in this process."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    sys.argv = list(words)
    exec(compile(Path(words[0]).read_bytes(), words[0], "exec", dont_inherit=True), vars(main))
    return 0


@dataclass
class Outcome:
    """What a program came to. Of an exception, what the program and its user can see of it."""

    result: Any = None
    raised: list[tuple[type, str, str]] = field(default_factory=list)
    """The exception and those that it is chained to: type, text, how it is chained."""
    frames: list[tuple[str, str, int | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    printed: str = ""
    complained: str = ""
    """What it wrote to standard error."""
    warned: list[str] = field(default_factory=list)
    same: bool = True
    """Whether it is the object that was raised."""
    explained: int = 0


class Watching:
    """Watches for a program, and sees what leaves its block and what comes out of it."""

    def __init__(self) -> None:
        self.inside: BaseException | None = None
        self.reports: list[Any] = []

    @contextmanager
    def watch(self, *target: Any) -> Iterator[Any]:
        session = shapewatch.watch(*target)
        try:
            with session:
                try:
                    yield session
                except BaseException as error:
                    self.inside = error
                    raise
        finally:
            self.reports.append(session.report)


def outcome(program: Program, watch: Watch = unwatched) -> Outcome:
    """What a program comes to when it is watched in this way."""
    printed, complained = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(complained),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ShapeWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            found = Outcome(program(watch))
        except Exception as error:
            notes: list[str] = getattr(error, "__notes__", [])
            found = Outcome(
                raised=list(_chain(error)),
                frames=programs_frames(error),
                notes=[note for note in notes if not note.startswith("shapewatch:")],
                explained=sum(note.startswith("shapewatch:") for note in notes),
            )
            inside = getattr(getattr(watch, "__self__", None), "inside", None)
            found.same = inside is None or inside is error
    found.printed, found.complained = printed.getvalue(), complained.getvalue()
    found.warned = sorted({_OF_THIS_RUN.sub("", f"{each.category.__name__}: {each.message}") for each in warned})
    return found


_OF_THIS_RUN = re.compile(rf"(?<=__inference_)\w+|0x[0-9a-f]+|^ *File \"{re.escape(__file__)}\".*\n+", re.MULTILINE)
"""What is another one in each run: TensorFlow counts its graphs in their names, and tells in its words of the lines by
which a node was made, down to those of ours from which the program is run."""


def _chain(error: BaseException | None) -> Iterator[tuple[type, str, str]]:
    how = ""
    while error is not None:
        yield type(error), _OF_THIS_RUN.sub("", str(error)), how
        how = "cause" if error.__cause__ is not None else "hidden" if error.__suppress_context__ else "context"
        error = error.__cause__ or error.__context__


def _new(found: Any, expected: Any) -> Any:
    return [each for each in found if each not in expected] if isinstance(found, list) else found


def programs_frames(error: BaseException) -> list[tuple[str, str, int | None]]:
    """The program's own frames in a traceback: not those of shapewatch, of libraries, and of what runs the program."""
    entries = traceback.extract_tb(error.__traceback__)
    return [(e.filename, e.name, e.lineno) for e in entries if not _is_foreign(e.filename)]


def _is_foreign(file: str) -> bool:
    ours = (str(shapewatch.__path__[0]), __file__)
    libraries = ("site-packages", "contextlib.py", "__autograph_generated_file", "<string>")
    return file.startswith(ours) or any(each in file for each in libraries)


@dataclass(frozen=True)
class Trial:
    """A program and how it goes unwatched. `surroundings`: what a watch may change and has to leave as it was."""

    program: Program
    parts: Sequence[str]
    wall: Collection[str]
    """The functions that others call: their own lines, up to the `try` in them, cannot be kept away from anybody."""
    surroundings: Callable[[], Any] = dict
    tidy: Callable[[], Any] = bool
    uncounted: tuple[str, ...] = ()
    """Functions (how their names begin) whose fault is told of otherwise: it costs a trial on shapes, say."""
    ends: tuple[str, ...] = ()
    """Functions that take a watch off: where they fail, something of it stays."""
    silent: bool = True
    """Whether shapewatch writes nothing to standard error."""

    def __post_init__(self) -> None:
        unknown = set(self.wall) - {place.name for place in places(*self.parts)}
        assert not unknown, f"no functions of ours: {unknown}"

    def watched(self) -> tuple[Outcome, list[Any]]:
        watching = Watching()
        return outcome(self.program, watching.watch), watching.reports

    def reached(self) -> list[Place]:
        return [place for place in reached(self.watched, self.parts) if place.name not in self.wall]

    def wrong(self, every: int = 1) -> list[str]:
        """What is wrong where functions of ours fail, one at a time; of all of them each so many-th."""
        outcome(self.program)
        expected = outcome(self.program)
        assert outcome(self.program) == expected, "the program itself does not always come to the same"
        before = self.surroundings()
        sound, _ = self.watched()
        assert not (changed := self._differences(expected, sound)), changed
        assert self.surroundings() == before
        tried = self.reached()
        assert len(tried) > 60
        return [f"{place.name}: {what}" for place in tried[::every] for what in self._with(place, expected, before)]

    def _with(self, place: Place, expected: Outcome, before: Any) -> list[str]:
        faults = Faults.count
        with place.failing():
            try:
                found, reports = self.watched()
            except Exception as fault:
                return [f"no report, {fault!r}"]
            met = bool(hits)
        forget_cached()
        wrong = self._differences(expected, found)
        if not all(isinstance(report, shapewatch.Report) for report in reports):
            wrong.append("no report")
        if met and Faults.count == faults and not place.name.startswith(self.uncounted):
            wrong.append("not counted")
        if (after := self.surroundings()) != before:
            left = {key: after.get(key) for key in {*after, *before} if after.get(key) != before.get(key)}
            wrong += [] if place.name.startswith(self.ends) else [f"something is left: {left!r:.200}"]
            self.tidy()
        return wrong

    def _differences(self, expected: Outcome, found: Outcome) -> list[str]:
        wrong = []
        for name in ("result", "raised", "frames", "notes", "printed", "complained", "warned"):
            if name == "complained" and not self.silent:
                continue
            if getattr(found, name) != getattr(expected, name):
                wrong.append(f"{name}: {_new(getattr(found, name), getattr(expected, name))!r:.400}")
        if not found.same:
            wrong.append("another exception object")
        if found.explained > 1:
            wrong.append(f"explained {found.explained} times")
        return wrong
