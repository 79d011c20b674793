"""What the person who watches asks for, and what is wrong with it where it cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from shapewatch.report import Diagnosis, Report


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
        raise ShapeWarning(in_words(found[0]), report)
    if wish == "allow" and found:
        return replace(report, diagnoses=tuple(each for each in report.diagnoses if each.severity != "warning"))
    return report


def in_words(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.code} {diagnosis.headline}. {diagnosis.explanation}"


def refuse_wish(wish: str) -> None:
    if wish not in get_args(OnWarning):
        raise UsageError(f"warnings is one of {', '.join(map(repr, get_args(OnWarning)))}; this is {wish!r}")
