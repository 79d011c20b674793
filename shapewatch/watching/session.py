"""One watched block: the adapters listen while it runs, and what they recorded is diagnosed when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from shapewatch.adapters import Adapter, Probe, Watching, adapter_of, load, missing, uncovered
from shapewatch.adapters.appearing import Arrival
from shapewatch.diagnose import diagnose
from shapewatch.firewall import attempt, own_fault
from shapewatch.ranks import Member
from shapewatch.recording import Recording
from shapewatch.report import Diagnosis, Report
from shapewatch.rules import RULES
from shapewatch.source import without_own_frames
from shapewatch.watching.wishes import OnWarning, ShapeWarning, UsageError, as_wished

Watchable = TypeVar("Watchable", bound=Callable[..., Any])


class Session(AbstractContextManager["Session"]):
    """One watched block. `report` is there after it, however it ended."""

    def __init__(self, target: object | None = None, warnings: OnWarning = "warn") -> None:
        self._target = target
        self._wish = warnings
        self._stack = ExitStack()
        self._watching: list[tuple[Adapter, Watching]] = []
        self._member = Member(self._so_far)
        self._report: Report | None = None
        self._entered = False

    def __enter__(self) -> Session:
        if self._entered:
            raise UsageError(
                "this watch has been used already; `with shapewatch.watch(model) as session:` makes a new one"
            )
        self._entered = True
        attempt(self._begin)
        return self

    def _begin(self) -> None:
        for adapter in [adapter_of(self._target)] if self._target is not None else uncovered():
            self._instrument(adapter)
        if self._target is None and missing():
            arrival = Arrival(missing(), lambda name: self._instrument(load(name)))
            arrival.start()
            self._stack.callback(arrival.stop)

    def _instrument(self, adapter: Adapter) -> None:
        try:
            self._watching.append((adapter, self._stack.enter_context(adapter.instrument(self._target))))
            self._stack.enter_context(self._member.listening(adapter))
        except Exception as fault:
            own_fault(fault)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        attempt(self._stack.close)
        try:
            if error is not None:
                self._restore_traceback(error)
            whole = not getattr(inside, "decorated", False)
            with decorations_aside():
                self._report = self._diagnosed(error if isinstance(error, Exception) else None)
                if isinstance(error, Exception):
                    told = self._member.account(error, self._report)
                    self._report = told.report
                    explain_on(error, told.report, told.note)
                else:
                    self._report = self._member.leaves(self._report, whole)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._watching.clear()
            attempt(self._member.lets_go)
            self._target = None
        if self._report is not None:
            self._report = self._as_wished(self._report, error is not None)

    def _as_wished(self, report: Report, failed: bool) -> Report:
        try:
            return as_wished(report, "warn" if failed and self._wish == "raise" else self._wish)
        except ShapeWarning:
            raise
        except Exception as fault:
            own_fault(fault)
            return report

    def _restore_traceback(self, error: BaseException) -> None:
        without_own_frames(error)
        for adapter, _ in self._watching:
            error.__traceback__ = adapter.as_unwatched(error.__traceback__)

    def _diagnosed(self, error: Exception | None) -> Report:
        finished = [(watching.finish(error), adapter, watching) for adapter, watching in self._watching]
        if error is not None:
            self._member.falls(error, [recording for recording, _, _ in finished])
        saw_something = [each for each in finished if each[0].calls]
        reports = [diagnosed(*each) for each in saw_something or finished[:1]]
        return max(reports, key=_how_much, default=Report(Recording("")))

    def _so_far(self) -> Report:
        """What is recorded while the block still runs, undiagnosed."""
        reports = [Report(watching.finish(None)) for _, watching in list(self._watching)]
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

    @property
    def untold(self) -> Report:
        """The report without what was told while the block ran: on one of several ranks, for all of them."""
        told = self._member.found
        left = tuple(each for each in self.report.diagnoses if told is None or each.headline != told.headline)
        return replace(self.report, diagnoses=left)

    def _repr_html_(self) -> str | None:
        """What a notebook shows of it: the report, once there is one."""
        return None if self._report is None else self._report._repr_html_()

    def __call__(self, decorated: Watchable) -> Watchable:
        """`@shapewatch.watch()` as a decorator."""
        if self._target is not None:
            raise UsageError("`@shapewatch.watch()` takes no model: the decorated class or function is what is watched")
        from shapewatch.watching.decorated import decorate

        return decorate(decorated, self._wish)


def _how_much(report: Report) -> tuple[bool, bool, bool, int]:
    """Of two frameworks that saw the same block, the one tells more that can tell of the failure by what it saw, and
    not by its words alone, then the one that saw what failed, then the one that knows its layers."""
    failure = report.recording.failure
    by_rule = any(each.severity == "error" and not each.suspects for each in report.diagnoses)
    saw = failure is None or failure.call is not None
    return by_rule, saw, any(call.is_layer for call in report.calls), len(report.calls)


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


def explain_on(error: Exception, report: Report, note: str | None = None) -> None:
    """Add the explanation to the exception, once, if there is something to explain: the report, or what stands for it
    in the `note`."""
    if note is None and any(diagnosis.severity == "error" for diagnosis in report.diagnoses):
        from shapewatch.render import note_of

        note = note_of(report)
    if note and not any(known.startswith(NOTE_BEGINS) for known in getattr(error, "__notes__", ())):
        error.add_note(f"{NOTE_BEGINS}\n{note}")


NOTE_BEGINS = "shapewatch:"


inside = threading.local()
"""`.decorated` is set while a decorated model or function runs: an inner one leaves the watching to it."""


@contextmanager
def decorations_aside() -> Iterator[None]:
    """Decorated models run unwatched: a pass on shapes alone is not the program's."""
    outer = getattr(inside, "decorated", False)
    inside.decorated = True
    try:
        yield
    finally:
        inside.decorated = outer
