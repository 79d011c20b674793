"""`shapewatch run`: a program as Python would run it, watched."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from shapewatch.cli import program
from shapewatch.cli.errors import OF_OURS, CommandError, in_one_line
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
from shapewatch.firewall import attempt, own_fault
from shapewatch.render import as_rich, as_text

if TYPE_CHECKING:
    from shapewatch.report import Report
    from shapewatch.watching import Session

    Ready = tuple[program.Program, Output, Session]


class Run:
    name = "run"
    usage = f"run {OPTIONS} {WARNINGS} SCRIPT [ARG ...] | -m MODULE [ARG ...]"
    help = "run a program as Python would, and explain a shape error that it meets"
    hands_over = True

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        add_output_arguments(parser)
        add_warnings_argument(parser)
        add_program_arguments(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        """0 where the program came to its end, or with `--warnings raise` 1 where it looks wrong; what ends it early
        (`SystemExit` too) is raised as it was."""
        ready = _ready_unless_faulty(arguments)
        if ready is None:
            return program.by_python_itself(_words(arguments))
        start, output, session = ready
        process = os.getpid()
        try:
            with session:
                start()
        except CommandError:
            raise
        except BaseException as error:
            attempt(program.leave_as_pythons_own, error)
            if os.getpid() == process:  # a forked child that came this far has no report to give
                _conclude(session, output, error)
            raise
        if os.getpid() == process:
            _conclude(session, output, None)
        return 1 if arguments.warnings == "raise" and attempt(_looks_wrong, session) else 0


def add_program_arguments(parser: argparse.ArgumentParser) -> None:
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


def _ready_unless_faulty(arguments: argparse.Namespace) -> Ready | None:
    try:
        return _ready(arguments)
    except CommandError:
        raise
    except Exception as fault:
        own_fault(fault)
        _say(f"{type(fault).__name__}: {fault}; {OF_OURS}; the program runs unwatched")
        return None


def _ready(arguments: argparse.Namespace) -> Ready:
    """The program, about to run: all that is left to do of our own is around it."""
    from shapewatch.watching import watch

    start, output = program_of(arguments), open_output(arguments)
    return start, output, watch(warnings="allow" if arguments.warnings == "allow" else "warn")


def _words(arguments: argparse.Namespace) -> list[str]:
    """The program as Python takes it on its command line."""
    if arguments.module is not None:
        return ["-m", *arguments.module, *arguments.script]
    return arguments.script[1:] if arguments.script[:1] == ["--"] else arguments.script


def _looks_wrong(session: Session) -> bool:
    return any(found.severity == "warning" for found in session.report.diagnoses)


def program_of(arguments: argparse.Namespace) -> program.Program:
    """The program that the arguments name, about to run.

    Raises:
        CommandError: they name none.
    """
    if arguments.module is not None:
        if not arguments.module:
            raise CommandError("-m needs the name of a module: -m package.module")
        name, *rest = arguments.module
        return program.module(name, rest + arguments.script)
    words = _words(arguments)
    if not words:
        raise CommandError("there is nothing to run; name a script (train.py) or a module (-m train)")
    return program.script(words[0], words[1:])


def _conclude(session: Session, output: Output, error: BaseException | None) -> None:
    """Hand the report over. Whatever goes wrong here, the program's end stays what it was."""
    try:
        report, wording = session.report, Wording(as_text, as_rich)
        if output.format != TEXT or output.path is not None:
            output.write(report, wording)
        elif sys.stderr is not None and _has_news(session.untold, error):
            show(output.told(session.untold), wording, sys.stderr)
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
