"""`@shapewatch.watch` on model classes and functions: each signature of inputs is looked at once."""

from __future__ import annotations

import functools
import inspect
import warnings as python_warnings
import weakref
from collections.abc import Callable
from typing import Any

from shapewatch.adapters import Compiler, adapter_of, loaded
from shapewatch.adapters.passes import signature
from shapewatch.firewall import attempt, own_fault
from shapewatch.source import without_own_frames
from shapewatch.watching.later import LayerCall, looked_at_again
from shapewatch.watching.session import NOTE_BEGINS, Session, decorations_aside, explain_on, inside
from shapewatch.watching.wishes import OnWarning, ShapeWarning, UsageError, in_words


def decorate(target: Any, wish: OnWarning) -> Any:
    """The target, watched; as it is where a fault of ours is in the way.

    Raises:
        UsageError: it is no model class and no function.
    """
    try:
        return _decorated(target, wish)
    except UsageError:
        raise
    except Exception as fault:
        own_fault(fault)
        return target


def _decorated(target: Any, wish: OnWarning) -> Any:
    if isinstance(target, type):
        try:
            compiler = adapter_of(target).compiler
        except ValueError as error:
            raise UsageError(f"watch() takes a model class; {error}") from None
        return _decorate_class(target, wish, compiler)
    if not callable(target):
        raise UsageError(f"watch() decorates a model class or a function, not {type(target).__name__}")
    return _watched_function(target, wish)


def _watched_function(function: Callable[..., Any], wish: OnWarning) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise UsageError(
            f"{function.__name__} gives control away while it runs; put `with shapewatch.watch():` inside it"
        )

    from shapewatch.adapters.taps import unconverted

    compilers = [adapter.compiler for adapter in loaded()]

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        for compiler in compilers:
            if compiler.is_read():
                return function(*args, **kwargs)
        converted = function
        for compiler in compilers:
            if compiler.converted is not None:
                converted = attempt(compiler.converted, converted) or converted
        aside = None if getattr(inside, "decorated", False) else attempt(decorations_aside)
        if aside is None:
            return converted(*args, **kwargs)
        try:
            with aside:
                return _call_watched(converted, args, kwargs, None, wish)
        except BaseException as error:
            attempt(without_own_frames, error)
            for compiler in compilers:
                attempt(_leaves, error, compiler)
            raise

    return unconverted(watched)


def _decorate_class(cls: type, wish: OnWarning, compiler: Compiler) -> type:
    """The same class; its instances watch themselves when they are called, once for each signature of inputs."""
    base: Any = cls
    own: Any = vars(cls).get("__call__")
    is_read = compiler.is_read  # its own name: a compiler that reads `__call__` knows what it gives
    is_part = compiler.is_part
    convert = compiler.converted

    def original(self: Any, *args: Any, **kwargs: Any) -> Any:
        # looked up at each call where it is inherited: an adapter may have replaced it for the length of a watch
        call = super(base, self).__call__ if own is None else own.__get__(self, type(self))
        # a `tf.function` is no function, and binds itself
        return call(*args, **kwargs) if convert is None else (attempt(convert, call) or call)(*args, **kwargs)

    def explain_apart(self: Any, args: Any, kwargs: Any, error: Exception) -> None:
        with compiler.apart():
            _explain_later_failure(self, args, kwargs, error, compiled=True)

    @functools.wraps(own or cls.__call__)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        if is_read() or getattr(inside, "decorated", False):
            return original(self, *args, **kwargs)
        if attempt(is_part):
            try:
                return original(self, *args, **kwargs)
            except Exception as error:
                attempt(explain_apart, self, args, kwargs, error)
                raise

        def again(*args: Any, **kwargs: Any) -> Any:
            # by the class, so that an adapter hears it which listens to `__call__` there
            return vars(cls)["__call__"].__get__(self, type(self))(*args, **kwargs)

        seen = attempt(_signatures_of, self)
        told = attempt(_told, cls, self, args, kwargs)
        is_new = seen is not None and told is not None and told not in seen and len(seen) < SIGNATURES
        aside = attempt(decorations_aside) if is_new else None
        if seen is not None and aside is not None:
            try:
                with aside:
                    result = _call_watched(again, args, kwargs, self, wish)
            except BaseException as error:
                attempt(without_own_frames, error)
                attempt(_leaves, error, compiler)
                raise
            seen.add(told)
            return result
        try:
            return original(self, *args, **kwargs)
        except Exception as error:
            attempt(_explain_later_failure, self, args, kwargs, error)
            attempt(_leaves, error, compiler)
            raise

    compiler.pass_over(original, explain_apart, __call__)
    cls.__call__ = __call__  # type: ignore[method-assign]
    return cls


SIGNATURES = 500
"""Of one model that many are looked at; after that only what fails. Looking costs more than the pass itself."""

_seen: weakref.WeakKeyDictionary[Any, set[Any]] = weakref.WeakKeyDictionary()
"""Of each decorated model the signatures of its passes. Not on the model: it would be saved and copied with it."""


def _signatures_of(model: Any) -> set[Any]:
    try:
        return _seen.setdefault(model, set())
    except TypeError:  # a model that defines equality cannot be hashed; each of its passes is looked at
        return set()


def _told(cls: type, model: Any, args: Any, kwargs: Any) -> Any:
    """What tells one pass of a model from another."""
    return cls, getattr(model, "training", None), signature((args, kwargs))


def _call_watched(function: Callable[..., Any], args: Any, kwargs: Any, model: object | None, wish: OnWarning) -> Any:
    session = Session(model, wish)
    with session:
        result = function(*args, **kwargs)
    for words in attempt(_warnings, session) or ():
        python_warnings.warn(words, ShapeWarning, stacklevel=3)
    return result


def _warnings(session: Session) -> list[str]:
    return [in_words(diagnosis) for diagnosis in session.report.diagnoses if diagnosis.severity == "warning"]


def _leaves(error: BaseException, compiler: Compiler) -> None:
    """An exception is about to leave what is decorated."""
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith(NOTE_BEGINS)]
    compiler.carry(notes)


def _explain_later_failure(model: Any, args: Any, kwargs: Any, error: Exception, compiled: bool = False) -> None:
    """A pass that was not watched has failed: look at it again on shapes alone."""
    without_own_frames(error)
    report = looked_at_again(error, LayerCall(model, args, kwargs), compiled)
    if report is not None:
        explain_on(error, report)
