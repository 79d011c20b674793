"""`shapewatch run`: a program as Python would run it, watched."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from shapewatch.cli import program
from shapewatch.cli.errors import CommandError, in_one_line
from shapewatch.cli.output import (
    OPTIONS,
    TEXT,
    WARNINGS,
    Output,
    Wording,
    add_output_arguments,
    add_warnings_argument,
    open_output,
    show,
)
from shapewatch.firewall import own_fault
from shapewatch.render import as_rich, as_text

if TYPE_CHECKING:
    from shapewatch.report import Report
    from shapewatch.watching import Session


class Run:
    name = "run"
    usage = f"run {OPTIONS} {WARNINGS} SCRIPT [ARG ...] | -m MODULE [ARG ...]"
    help = "run a program as Python would, and explain a shape error that it meets"

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        add_output_arguments(parser)
        add_warnings_argument(parser)
        parser.add_argument(
            "-m",
            nargs=argparse.REMAINDER,
            dest="module",
            metavar="MODULE",
            help="run a module instead of a file, as python -m does",
        )
        parser.add_argument(
            "script",
            nargs=argparse.REMAINDER,
            metavar="SCRIPT [ARG ...]",
            help="the file to run; everything after it belongs to the program",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """0 where the program came to its end, or with `--warnings raise` 1 where it looks wrong; what ends it early
        (`SystemExit` too) is raised as it was."""
        start = _start(arguments)
        output = open_output(arguments)
        from shapewatch.watching import watch

        process = os.getpid()
        try:
            with watch(warnings="allow" if arguments.warnings == "allow" else "warn") as session:
                start()
        except CommandError:
            raise
        except BaseException as error:
            program.leave_as_pythons_own(error)
            if os.getpid() == process:  # a forked child that came this far has no report to give
                _conclude(session, output, error)
            raise
        if os.getpid() == process:
            _conclude(session, output, None)
        looks_wrong = any(found.severity == "warning" for found in session.report.diagnoses)
        return 1 if arguments.warnings == "raise" and looks_wrong else 0


def _start(arguments: argparse.Namespace) -> program.Program:
    if arguments.module is not None:
        if not arguments.module:
            raise CommandError("-m needs the name of a module: shapewatch run -m package.module")
        name, *rest = arguments.module
        return program.module(name, rest + arguments.script)
    words = arguments.script[1:] if arguments.script[:1] == ["--"] else arguments.script
    if not words:
        raise CommandError("there is nothing to run; name a script (shapewatch run train.py) or a module (-m train)")
    return program.script(words[0], words[1:])


def _conclude(session: Session, output: Output, error: BaseException | None) -> None:
    """Hand the report over. Whatever goes wrong here, the program's end stays what it was."""
    try:
        report, wording = session.report, Wording(as_text, as_rich)
        if output.format != TEXT or output.path is not None:
            output.write(report, wording)
        elif sys.stderr is not None and _has_news(session.untold, error):
            show(session.untold, wording, sys.stderr)
    except CommandError as fault:
        _say(str(fault))
    except Exception as fault:
        own_fault(fault)
        _say(f"the report could not be written: {in_one_line(fault)}")


def _has_news(report: Report, error: BaseException | None) -> bool:
    """Whether the report says more than Python is about to show.

    A traceback carries the diagnosis as a note. One without it is the program's own affair, and stays as it
    is, unless a shape error got lost on the way (`raise TrainingFailed() from None`).
    """
    if error is None or isinstance(error, SystemExit):
        return bool(report.diagnoses)
    notes = "\n".join(program.notes(error))
    return any(found.severity == "error" and found.code not in notes for found in report.diagnoses)


def _say(line: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # the program closed it
            print(f"shapewatch run: {line}", file=sys.stderr)
