"""The steps of a trainer: each signature of batches is looked at once.

A trainer has hooks around its steps, and most are not called when a step fails. So the step itself is what is watched,
in a `with` block: nothing that is entered here outlives the step, whatever ends it and whoever catches that.
"""

from __future__ import annotations

import warnings as python_warnings
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from shapewatch.adapters.passes import signature
from shapewatch.firewall import attempt, own_fault
from shapewatch.recording import Span
from shapewatch.report import Diagnosis, Report
from shapewatch.source import without_own_frames
from shapewatch.watching.decorated import SIGNATURES
from shapewatch.watching.later import looked_at_again, outermost_call
from shapewatch.watching.session import NOTE_BEGINS, Session, decorations_aside, explain_on, inside
from shapewatch.watching.wishes import OnWarning, ShapeWarning, in_words, refuse_wish


class Steps:
    """What was seen of the steps of a trainer."""

    def __init__(self, warnings: OnWarning = "warn") -> None:
        refuse_wish(warnings)
        self.report: Report | None = None
        """Of the step that went worst; of several alike the latest."""
        self._wish = warnings
        self._seen: weakref.WeakKeyDictionary[Any, set[Any]] = weakref.WeakKeyDictionary()
        self._told: set[Any] = set()

    def __reduce__(self) -> Any:
        """A copy begins anew: in a process of its own, or in a trainer that was copied."""
        return Steps, (self._wish,)

    def run(self, step: Callable[[], Any], model: Any, told: Any) -> Any:
        """Run a step of a model, and look at it if none was looked at of which the same is told; None is told of one
        that is to be looked at anyway."""
        if getattr(inside, "decorated", False):
            return step()
        seen = attempt(self._seen_of, model)
        if seen is None or told in seen or len(seen) >= SIGNATURES:
            try:
                return step()
            except Exception as error:
                self.explain(error)
                raise
        result = self._looked_at(step, model)
        if told is not None:
            seen.add(told)
        return result

    def _seen_of(self, model: Any) -> set[Any]:
        try:
            return self._seen.setdefault(model, set())
        except TypeError:  # a model that defines equality cannot be hashed; each of its steps is looked at
            return set()

    def _looked_at(self, step: Callable[[], Any], model: Any) -> Any:
        session = Session(model, self._wish)
        try:
            with attempt(decorations_aside) or nullcontext(), session:
                result = step()
        finally:
            attempt(self._keep, session)
        for diagnosis, words in attempt(self._untold, session) or ():
            _warn(words, diagnosis.location)
        return result

    def _keep(self, session: Session) -> None:
        self._keep_report(session.report)

    def _keep_report(self, report: Report) -> None:
        if self.report is None or _gravity(report) >= _gravity(self.report):
            self.report = report

    def _untold(self, session: Session) -> list[tuple[Diagnosis, str]]:
        """What is to be warned of: once for a line, not again for each size of batch."""
        found = []
        for diagnosis in session.report.diagnoses:
            place = diagnosis.location
            what = (diagnosis.code, place and (place.file, place.line))
            if diagnosis.severity == "warning" and what not in self._told:
                self._told.add(what)
                found.append((diagnosis, in_words(diagnosis)))
        return found

    def explain(self, error: BaseException) -> None:
        """Say of an exception what can be said although nobody watched: from a pass on shapes, or from its words."""
        if not isinstance(error, Exception) or any(n.startswith(NOTE_BEGINS) for n in getattr(error, "__notes__", ())):
            return
        try:
            without_own_frames(error)
            from shapewatch.messages.explain import explain_exception

            call = outermost_call(error.__traceback__)
            report = None if call is None else looked_at_again(error, call)
            report = report or explain_exception(error)
            if report is not None:
                explain_on(error, report)
                self._keep_report(report)
        except Exception as fault:
            own_fault(fault)


def _warn(words: str, place: Span | None) -> None:
    """Python is told where it is, not where the trainer is."""
    if place is None:
        python_warnings.warn(words, ShapeWarning, stacklevel=2)
    else:
        python_warnings.warn_explicit(words, ShapeWarning, place.file, place.line)


def _gravity(report: Report) -> int:
    severities = {diagnosis.severity for diagnosis in report.diagnoses}
    return 2 if "error" in severities else 1 if "warning" in severities else 0


class WatchedStep:
    """Stands before a method of one object, as its attribute: a trainer's step.

    Args:
        steps: who looks.
        owner: whose step it is.
        name: of the method.
        model: of the owner, the model to be watched; None: the step is left alone.
        given: of the step's arguments, those whose shapes tell one step from another.
        failed: called with an exception that passes.
        within: what the step runs in, whether it is looked at or not.
    """

    def __init__(
        self,
        steps: Steps,
        owner: Any,
        name: str,
        model: Callable[[Any], Any],
        given: Callable[..., Any],
        failed: Callable[[BaseException], None] | None = None,
        within: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._steps = steps
        self._owner = weakref.ref(owner)  # the owner dies as soon as it would without us, not with the next collection
        self._name = name
        self._model = model
        self._given = given
        self._failed = failed
        self._within = within
        self._before = vars(owner).get(name)
        if isinstance(self._before, WatchedStep):  # of a run that nobody told us the end of
            self._before = self._before._before
        self._watches = True

    def put(self) -> None:
        vars(self._owner())[self._name] = self

    def take_away(self) -> None:
        """Put back what was there, unless somebody else's stands before it now. Who has kept this one gets the step."""
        self._watches = False
        attributes = vars(self._owner()) if self._owner() is not None else {}
        if attributes.get(self._name) is not self:
            return
        if self._before is None:
            del attributes[self._name]
        else:
            attributes[self._name] = self._before

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        owner = self._owner()
        original = self._before or getattr(type(owner), self._name).__get__(owner)
        model = attempt(self._model, owner) if self._watches else None
        around = ExitStack()
        attempt(self._enter_into, around)
        try:
            if model is None:
                return original(*args, **kwargs)
            told = attempt(self._told, args, kwargs)
            return self._steps.run(lambda: original(*args, **kwargs), model, told)
        except BaseException as error:
            attempt(without_own_frames, error)
            if self._failed is not None and self._watches:
                attempt(self._failed, error)
            raise
        finally:
            attempt(around.close)

    def _enter_into(self, around: ExitStack) -> None:
        around.enter_context(self._within())

    def _told(self, args: Any, kwargs: Any) -> Any:
        """Not of plain values: a batch may come with the names of its files, and these are new in each."""
        return self._name, signature(self._given(*args, **kwargs), plain=False)

    def __reduce__(self) -> Any:
        owner = self._owner()
        return type(self), (self._steps, owner, self._name, self._model, self._given, self._failed, self._within)


class ExplainedRun(WatchedStep):
    """Stands before the method that runs the steps: what fails between them, as while a batch is collected, is
    explained."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        owner = self._owner()
        original = self._before or getattr(type(owner), self._name).__get__(owner)
        try:
            return original(*args, **kwargs)
        except BaseException as error:
            attempt(without_own_frames, error)
            if self._watches and attempt(self._model, owner) is not None:
                attempt(self._steps.explain, error)
            raise
