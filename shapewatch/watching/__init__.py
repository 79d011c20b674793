"""`watch`, `check` and `explain`: the ways in. Only wiring."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from shapewatch.adapters import InputSpec, adapter_of
from shapewatch.firewall import attempt, own_fault
from shapewatch.report import Diagnosis
from shapewatch.watching.checked import check
from shapewatch.watching.decorated import decorate
from shapewatch.watching.session import Session
from shapewatch.watching.wishes import OnWarning, ShapeWarning, UsageError, refuse_wish

__all__ = ["InputSpec", "Session", "ShapeWarning", "UsageError", "check", "explain", "watch"]


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
    refuse_wish(warnings)
    if target is None:
        return Session(None, warnings)
    if inspect.isroutine(target) or isinstance(target, type | functools.partial):
        return decorate(target, warnings)
    try:
        adapter_of(target)
    except ValueError as error:
        raise UsageError(f"watch() takes a model, a model class or a function; {error}") from None
    except Exception as fault:
        own_fault(fault)
    return Session(target, warnings)


def explain(error: BaseException | str) -> Diagnosis | None:
    """What an error means and what probably caused it, from its text alone: nothing is run, no framework is needed.

        explain(error)             # an exception
        explain(text)              # a pasted traceback, or a log

    Returns:
        The diagnosis of the last shape error that the text tells of; None where it tells of none. It is asked while
        the program handles an exception, which a fault of ours must not take the place of: then it is None too.

    Raises:
        UsageError: it is neither an exception nor a text.
    """
    if not isinstance(error, BaseException | str):
        raise UsageError(f"explain() takes an exception or a text, not {type(error).__name__}")
    return attempt(_explained, error)


def _explained(error: BaseException | str) -> Diagnosis | None:
    from shapewatch.messages.explain import explain_exception, explain_text

    report = explain_text([error]) if isinstance(error, str) else explain_exception(error)
    return None if report is None else report.diagnoses[0]
