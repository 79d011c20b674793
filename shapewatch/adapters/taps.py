"""Listening in on a function of a framework's: it is replaced where it is looked up, while somebody listens."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from shapewatch.firewall import own_fault

Listener = Callable[..., Any]
"""Called as `listener(original, *args, **kwargs)` with a `Once`; to call it, and to give what it gives, is its job."""


Asleep = Callable[[], bool]
"""Whether a listener has nothing to hear now. It is asked at each call, and quick."""


class NotInPlace(ValueError):  # noqa: N818 - it says what is the case
    """An edit could not be put in place. It ends a dry run; no other exception of a listener's own gets through."""


class Once:
    """The original function, and what came of it."""

    __slots__ = ("error", "function", "ran", "result")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.ran = False
        self.result: Any = None
        self.error: BaseException | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.ran = True
        try:
            self.result = self.function(*args, **kwargs)
        except BaseException as error:
            self.error = error
            raise
        return self.result


def unconverted(function: Listener) -> Listener:
    """Keep AutoGraph from rewriting a function of ours: it would show up in what it says of the user's code.

    What the function calls must then be handed to AutoGraph again, or the user's `if` and `for` stay as they are.
    """
    function.autograph_info__ = {}  # type: ignore[attr-defined]
    return function


@unconverted
def guarded(listener: Listener, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A call through a listener. Whatever goes wrong in the listener, the program gets what the function gave."""
    original = Once(function)
    try:
        return listener(original, *args, **kwargs)
    except NotInPlace:
        raise
    except Exception as fault:
        if fault is original.error:
            original.error = None  # in a circle with its traceback, it would keep alive what the frames around it hold
            raise
        own_fault(fault)
    except BaseException:
        original.error = None
        raise
    if original.error is not None:
        _raise_again(original.error)
    return original.result if original.ran else function(*args, **kwargs)


def _raise_again(error: BaseException) -> NoReturn:
    """As it was raised: what is being handled by now is not what it came from."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context


@unconverted
def without_ours(original: Listener, file: str) -> bool:
    """For a tap on a framework's choice of the frames that it shows or keeps: ours are not the program's."""
    return not file.startswith(_OURS) and bool(original(file))


@unconverted
def stack_without_ours(original: Listener, stack: Sequence[Any], *rest: Any) -> Any:
    """The same for a tap on what a framework makes of the summaries of frames."""
    return original([frame for frame in stack if not frame.filename.startswith(_OURS)], *rest)


_OURS = str(Path(__file__).parents[1]) + os.sep


@functools.cache
def our_files() -> frozenset[str]:
    return frozenset(map(str, Path(_OURS).rglob("*.py")))


class Tap:
    """One attribute of a class or module: a function, or a property that is read. The first listener replaces it, the
    last one puts the original back.

    Watches may overlap in any order and in several threads, so each cannot restore what it found: what it found may be
    the replacement of another one that is gone by then.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self._name = name
        self._lock = threading.Lock()
        self._listeners: tuple[tuple[Listener, Asleep | None], ...] = ()
        self._original: Any = None
        self._replacement: Any = None
        self._inherited = False

    def listen(self, listener: Listener, stack: ExitStack, asleep: Asleep | None = None) -> None:
        """Send every call through the listener until the stack is closed; of several the last comes first.

        A call while the listener is asleep passes it by, which costs a tenth of what going through it costs.
        """
        with self._lock:
            if not self._listeners:
                self._install()
            self._listeners = (*self._listeners, (listener, asleep))
        stack.callback(self._remove, listener)

    def _install(self) -> None:
        own = vars(self._owner)
        self._inherited = self._name not in own
        original = own.get(self._name) or getattr(self._owner, self._name)
        if original is not self._original:
            self._original, self._replacement = original, self._replacing(original)
        setattr(self._owner, self._name, self._replacement)

    def _replacing(self, original: Any) -> Any:
        if isinstance(original, property):
            return property(self._replacing(original.fget))

        @unconverted
        @functools.wraps(original)
        def tapped(*args: Any, **kwargs: Any) -> Any:
            call = original
            for listener, asleep in self._listeners:
                try:
                    hears = asleep is None or not asleep()
                except Exception as fault:
                    own_fault(fault)
                    continue
                if hears:
                    call = functools.partial(guarded, listener, call)
            return call(*args, **kwargs)

        return tapped

    def _remove(self, listener: Listener) -> None:
        with self._lock:
            first = next(index for index, (each, _) in enumerate(self._listeners) if each == listener)
            self._listeners = self._listeners[:first] + self._listeners[first + 1 :]
            if self._listeners:
                return
            if self._inherited:
                delattr(self._owner, self._name)
            else:
                setattr(self._owner, self._name, self._original)
