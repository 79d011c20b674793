"""`watch` and `check`: the ways in. Only wiring."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings as python_warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, TypeVar, get_args

from shapewatch.adapters import Adapter, InputSpec, Probe, Watching, adapter_of, load, missing, uncovered
from shapewatch.adapters.appearing import Arrival
from shapewatch.diagnose import diagnose
from shapewatch.recorder import own_fault, signature
from shapewatch.recording import Recording
from shapewatch.report import Diagnosis, Report
from shapewatch.rules import RULES
from shapewatch.source import without_own_frames

__all__ = ["InputSpec", "Session", "ShapeWarning", "UsageError", "check", "explain", "watch"]

Watchable = TypeVar("Watchable", bound=Callable[..., Any])


class UsageError(ValueError):
    """shapewatch was asked for something that cannot be; the message says what would be right."""


class ShapeWarning(UserWarning):
    """A model ran, and looks wrong: see the report. Python's to show, or raised where `warnings="raise"` says so."""


OnWarning = Literal["allow", "warn", "raise"]
"""What is to be done about what ran and looks wrong: leave it out of the report, report it, or raise a `ShapeWarning`
at the end. One line of code is excused by a comment: `# shapewatch: ok`, or `# shapewatch: ok SW292`."""


def as_wished(report: Report, wish: OnWarning) -> Report:
    """The report without its warnings, where they are allowed.

    Raises:
        ShapeWarning: there is a warning, and it is to be raised; it has the report as its second argument.
    """
    found = [each for each in report.diagnoses if each.severity == "warning"]
    if wish == "raise" and found and report.recording.failure is None:
        raise ShapeWarning(_in_words(found[0]), report)
    if wish == "allow" and found:
        return replace(report, diagnoses=tuple(each for each in report.diagnoses if each.severity != "warning"))
    return report


def _in_words(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.code} {diagnosis.headline}. {diagnosis.explanation}"


def _refuse_wish(wish: str) -> None:
    if wish not in get_args(OnWarning):
        raise UsageError(f"warnings is one of {', '.join(map(repr, get_args(OnWarning)))}; this is {wish!r}")


class Session(AbstractContextManager["Session"]):
    """One watched block. `report` is there after it, however it ended."""

    def __init__(self, target: object | None = None, warnings: OnWarning = "warn") -> None:
        self._target = target
        self._wish = warnings
        self._stack = ExitStack()
        self._watching: list[tuple[Adapter, Watching]] = []
        self._report: Report | None = None
        self._entered = False

    def __enter__(self) -> Session:
        if self._entered:
            raise UsageError(
                "this watch has been used already; `with shapewatch.watch(model) as session:` makes a new one"
            )
        self._entered = True
        for adapter in [adapter_of(self._target)] if self._target is not None else uncovered():
            self._instrument(adapter)
        if self._target is None and missing():
            arrival = Arrival(missing(), lambda name: self._instrument(load(name)))
            arrival.start()
            self._stack.callback(arrival.stop)
        return self

    def _instrument(self, adapter: Adapter) -> None:
        try:
            self._watching.append((adapter, self._stack.enter_context(adapter.instrument(self._target))))
        except Exception as fault:
            own_fault(fault)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        try:
            if error is not None:
                self._restore_traceback(error)
            with _decorations_aside():
                self._report = self._diagnosed(error if isinstance(error, Exception) else None)
            if isinstance(error, Exception):
                explain_on(error, self._report)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._watching.clear()
            self._target = None
        if self._report is not None:
            self._report = as_wished(self._report, self._wish if error is None or self._wish == "allow" else "warn")

    def _restore_traceback(self, error: BaseException) -> None:
        without_own_frames(error)
        for adapter, _ in self._watching:
            error.__traceback__ = adapter.as_unwatched(error.__traceback__)

    def _diagnosed(self, error: Exception | None) -> Report:
        finished = [(watching.finish(error), adapter, watching) for adapter, watching in self._watching]
        saw_something = [each for each in finished if each[0].calls]
        reports = [diagnosed(*each) for each in saw_something or finished[:1]]
        return max(reports, key=_how_much, default=Report(Recording("")))

    @property
    def report(self) -> Report:
        """What was recorded and found.

        Raises:
            UsageError: the block has not ended yet.
        """
        if self._report is None:
            if self._entered and not self._watching:
                return Report(Recording(""))  # our own fault kept us from a report
            raise UsageError("the report is there when the `with` block has ended")
        return self._report

    def __call__(self, decorated: Watchable) -> Watchable:
        """`@shapewatch.watch()` as a decorator."""
        if self._target is not None:
            raise UsageError("`@shapewatch.watch()` takes no model: the decorated class or function is what is watched")
        return _decorate(decorated, self._wish)


def _how_much(report: Report) -> tuple[bool, int]:
    """Of two frameworks that saw the same block, the one that knows its layers tells more."""
    return any(call.is_layer for call in report.calls), len(report.calls)


def diagnosed(recording: Recording, adapter: Adapter, watching: Watching) -> Report:
    """The report of what was just watched. A fault of ours on the way costs the diagnosis, never the recording."""
    probe: Probe | None = None
    try:
        if recording.failure is not None or _may_warn(recording):
            probe = watching.probe()
    except Exception as fault:
        own_fault(fault)
    try:
        report = diagnose(recording, adapter, probe, watching.output())
        return replace(report, diagnoses=_each_once(report.diagnoses))
    except Exception as fault:
        own_fault(fault)
        return Report(recording, output=watching.output())


def _each_once(diagnoses: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Without what a line says again in each pass of a loop."""
    told = [(each.code, each.location, each.headline, each.explanation) for each in diagnoses]
    return tuple(each for number, each in enumerate(diagnoses) if told[number] not in told[:number])


def _may_warn(recording: Recording) -> bool:
    return bool(_WARNED & {call.kind for call in recording.calls})


_WARNED = frozenset().union(*(rule.kinds for rule in RULES if rule.severity == "warning"))


def explain_on(error: Exception, report: Report) -> None:
    """Add the explanation to the exception, once, if there is something to explain."""
    if any(diagnosis.severity == "error" for diagnosis in report.diagnoses):
        from shapewatch.render import note_of

        if not any(note.startswith(NOTE_BEGINS) for note in getattr(error, "__notes__", ())):
            error.add_note(f"{NOTE_BEGINS}\n{note_of(report)}")


NOTE_BEGINS = "shapewatch:"


def watch(target: Any = None, *, warnings: OnWarning = "warn") -> Any:
    """Watch a block of code, a model class or a function.

        with shapewatch.watch(model) as session:   # or watch(): whatever runs inside
            model(x)
        print(session.report)

        @shapewatch.watch                          # on a model class, or on a function
        class Net(nn.Module): ...

    When the watched code raises a shape error, the same exception leaves the block, with the explanation as a note.

    Args:
        target: a model, a model class or a function; left out, whatever runs inside the block is watched.
        warnings: about what runs and looks wrong: `allow` leaves it out of the report, `warn` has it there, `raise`
            raises a `ShapeWarning` when the block has ended.

    Raises:
        UsageError: the target is neither a model nor a model class nor a function, or there are no such `warnings`.
    """
    _refuse_wish(warnings)
    if target is None:
        return Session(None, warnings)
    if inspect.isroutine(target) or isinstance(target, type | functools.partial):
        return _decorate(target, warnings)
    try:
        adapter_of(target)
    except ValueError as error:
        raise UsageError(f"watch() takes a model, a model class or a function; {error}") from None
    return Session(target, warnings)


# Decorators

_inside = threading.local()
"""`.decorated` is set while a decorated model or function runs: an inner one leaves the watching to it."""


@contextmanager
def _decorations_aside() -> Iterator[None]:
    """Decorated models run unwatched: a pass on shapes alone is not the program's."""
    outer = getattr(_inside, "decorated", False)
    _inside.decorated = True
    try:
        yield
    finally:
        _inside.decorated = outer


def _decorate(target: Any, wish: OnWarning) -> Any:
    if isinstance(target, type):
        try:
            adapter_of(target)
        except ValueError as error:
            raise UsageError(f"watch() takes a model class; {error}") from None
        return _decorate_class(target, wish)
    if not callable(target):
        raise UsageError(f"watch() decorates a model class or a function, not {type(target).__name__}")
    return _watched_function(target, wish)


def _watched_function(function: Callable[..., Any], wish: OnWarning) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise UsageError(
            f"{function.__name__} gives control away while it runs; put `with shapewatch.watch():` inside it"
        )

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        if getattr(_inside, "decorated", False):
            return function(*args, **kwargs)
        try:
            return _call_watched(function, args, kwargs, None, wish)
        except BaseException as error:
            without_own_frames(error)
            raise

    return watched


def _decorate_class(cls: type, wish: OnWarning) -> type:
    """The same class; its instances watch themselves when they are called, once for each signature of inputs."""
    base: Any = cls
    own: Any = vars(cls).get("__call__")

    def original(self: Any, *args: Any, **kwargs: Any) -> Any:
        # looked up at each call where it is inherited: an adapter may have replaced it for the length of a watch
        if own is None:
            return super(base, self).__call__(*args, **kwargs)
        return own.__get__(self, type(self))(*args, **kwargs)  # a `tf.function` is no function, and binds itself

    @functools.wraps(own or cls.__call__)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        if getattr(_inside, "decorated", False):
            return original(self, *args, **kwargs)

        def again(*args: Any, **kwargs: Any) -> Any:
            # by the class, so that an adapter hears it which listens to `__call__` there
            return vars(cls)["__call__"].__get__(self, type(self))(*args, **kwargs)

        seen = _signatures_of(self)
        told = (cls, getattr(self, "training", None), signature((args, kwargs)))
        if told not in seen and len(seen) < SIGNATURES:
            try:
                result = _call_watched(again, args, kwargs, self, wish)
            except BaseException as error:
                without_own_frames(error)
                raise
            seen.add(told)
            return result
        try:
            return original(self, *args, **kwargs)
        except Exception as error:
            _explain_later_failure(self, args, kwargs, error)
            raise

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


def _call_watched(function: Callable[..., Any], args: Any, kwargs: Any, model: object | None, wish: OnWarning) -> Any:
    session = Session(model, wish)
    with _decorations_aside(), session:
        result = function(*args, **kwargs)
    for diagnosis in session.report.diagnoses:
        if diagnosis.severity == "warning":
            python_warnings.warn(_in_words(diagnosis), ShapeWarning, stacklevel=3)
    return result


def _explain_later_failure(model: Any, args: Any, kwargs: Any, error: Exception) -> None:
    """A pass that was not watched has failed: look at it again on shapes alone."""
    try:
        without_own_frames(error)
        adapter = adapter_of(model)
        with _decorations_aside():
            probe = adapter.prepare(model, args, kwargs)
            trial = probe.run()
            if trial.recording.failure is not None and trial.unsupported is None:
                explain_on(error, diagnose(trial.recording, adapter, probe))
    except Exception as fault:
        own_fault(fault)


# The dry run


def check(
    model: Any,
    *args: Any,
    input_shape: Sequence[int] | Sequence[Any] | Mapping[str, Any] | None = None,
    warnings: OnWarning = "warn",
    **kwargs: Any,
) -> Report:
    """Run a model on shapes alone: nothing is computed, nothing in the model changes, no shape error is raised.

        check(model, x)
        check(model, input_shape=(1, 3, 224, 224))
        check(model, input_shape={"tokens": (1, 128), "mask": (1, 128)})

    Args:
        model: a model that has been built.
        args: inputs as for a call of the model; only their shapes are used.
        input_shape: instead of `args`: one shape, a list of shapes (one an input), or shapes by argument name.
            A shape is of sizes, batch included.
        warnings: as for `watch`.

    Raises:
        UsageError: the model is no model, or there is no telling its inputs.
        ShapeWarning: with `warnings="raise"`, the model runs and looks wrong.
    """
    _refuse_wish(warnings)
    try:
        adapter = adapter_of(model)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if isinstance(model, type):
        raise UsageError(f"check() takes a model, and {model.__name__} is a class: check({model.__name__}(...), ...)")
    if input_shape is not None and (args or kwargs):
        raise UsageError("check() takes inputs or input_shape, not both")
    if input_shape is None and not (args or kwargs):
        raise UsageError("check() needs inputs or a shape: check(model, input_shape=(1, 3, 224, 224))")
    try:
        probe = (
            adapter.prepare(model, args, kwargs)
            if input_shape is None
            else adapter.prepare_shapes(model, _specs(input_shape))
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    with _decorations_aside():
        trial = probe.run()
    try:
        with _decorations_aside():
            report = diagnose(trial.recording, adapter, probe, trial.output)
    except Exception as fault:
        own_fault(fault)
        report = Report(trial.recording, output=trial.output)
    if trial.unsupported is not None:
        report = replace(report, notes=(f"Not checked to the end: {trial.unsupported}.",), diagnoses=())
    return as_wished(report, warnings)


def _specs(given: Any) -> list[InputSpec]:
    """One spec an input, from a shape, a list of shapes or specs, or shapes by name."""
    if isinstance(given, InputSpec):
        return [given]
    if isinstance(given, Mapping):
        return [InputSpec(_shape(shape), None, str(name)) for name, shape in given.items()]
    if not isinstance(given, Sequence) or not given:
        _shape(given)
    items = list(given)
    if items and all(isinstance(item, int) for item in items):
        return [InputSpec(_shape(items))]
    return [item if isinstance(item, InputSpec) else InputSpec(_shape(item)) for item in items]


def _shape(given: Any) -> tuple[int, ...]:
    try:
        sizes = tuple(given)
    except TypeError:
        sizes = ()
    if not sizes or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise UsageError(f"a shape is a tuple of sizes, such as (1, 3, 224, 224); this is {given!r}")
    return sizes


# What is left when nothing was watched


def explain(error: BaseException | str) -> Diagnosis | None:
    """What an error means and what probably caused it, from its text alone: nothing is run, no framework is needed.

        explain(error)             # an exception
        explain(text)              # a pasted traceback, or a log

    Returns:
        The diagnosis of the last shape error that the text tells of; None where it tells of none.

    Raises:
        UsageError: it is neither an exception nor a text.
    """
    from shapewatch.messages.explain import explain_exception, explain_text

    if isinstance(error, BaseException):
        report = explain_exception(error)
    elif isinstance(error, str):
        report = explain_text([error])
    else:
        raise UsageError(f"explain() takes an exception or a text, not {type(error).__name__}")
    return None if report is None else report.diagnoses[0]
