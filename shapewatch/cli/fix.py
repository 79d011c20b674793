"""`shapewatch fix`: the best verified fix of a program as a patch to its source."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from shapewatch.cli import program
from shapewatch.cli.errors import CommandError
from shapewatch.cli.output import Wording, claim_standard_output, send, show
from shapewatch.cli.run import add_program_arguments, program_of
from shapewatch.firewall import attempt
from shapewatch.render import as_rich, as_text

if TYPE_CHECKING:
    from shapewatch.report import Fix as Change
    from shapewatch.report import Report

NOTHING_WRONG = "no shape error, so there is nothing to fix"
NO_PATCH = "no fix of this can be written into the program by itself; the report above says what is known"
NOT_VERIFIED = "the best fix could not be tried, as the report above says; --unverified makes a patch of it"


class Fix:
    name = "fix"
    usage = "fix SCRIPT [--diff | --apply] [--unverified] [ARG ...] | fix -m MODULE [...]"
    help = "run a program and give the best verified fix of its shape error as a patch to the source"
    hands_over = True

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--diff", action="store_true", help="print a unified diff (the default), for git apply")
        parser.add_argument("--apply", action="store_true", help="change the program's files")
        parser.add_argument(
            "--unverified",
            action="store_true",
            help="also a fix that could not be tried: of data, of a loader, of labels",
        )
        add_program_arguments(parser)
        parser.epilog = (
            "These options may also stand directly behind SCRIPT or MODULE. What the program prints goes to standard "
            "error. Exit status: 0 nothing is wrong, or it was changed; 1 a shape error was found; 2 wrong usage."
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """0 where nothing is wrong or the files were changed, 1 where a shape error stays. What ends the program and is
        no shape error is raised as it was."""
        from shapewatch.watching import watch

        _take_own(arguments)
        start, out, session = program_of(arguments), claim_standard_output(), watch()
        try:
            with session:
                start()
        except CommandError:
            raise
        except BaseException as error:
            if session.report.ok:
                attempt(program.leave_as_pythons_own, error)
                raise
        report = session.report
        if not report.diagnoses:
            _say(NOTHING_WRONG)
            return 0
        if sys.stderr is not None:
            show(report, Wording(as_text, as_rich), sys.stderr)
        best = best_fix(report)
        if best is None or best.patch is None:
            _say(NO_PATCH)
        elif best.verified is None and not arguments.unverified:
            _say(NOT_VERIFIED)
        elif arguments.apply:
            _apply(best.patch)
            return 0
        else:
            send(best.patch.removesuffix("\n"), out)
        return 0 if report.ok else 1


def _take_own(arguments: argparse.Namespace) -> None:
    """Take what is meant for this command from behind the program's name; from the next word on all is the program's.

    Raises:
        CommandError: `--diff` and `--apply` are given both.
    """
    words = arguments.module if arguments.module is not None else arguments.script
    while len(words) > 1 and words[1] in _OWN:
        setattr(arguments, words.pop(1).removeprefix("--"), True)
    if arguments.diff and arguments.apply:
        raise CommandError("--diff prints the change and --apply makes it; give one of them")


_OWN = ("--diff", "--apply", "--unverified")


def best_fix(report: Report) -> Change | None:
    """The best fix of what is most important. What only comes after it is a choice, and the reader's."""
    return next((fix for fix in report.diagnoses[0].fixes if fix.verified is not False), None)


def _apply(patch: str) -> None:
    from shapewatch.patches.diff import apply

    try:
        changed = apply(patch)
    except ValueError as error:
        raise CommandError(f"{error}; nothing was changed, run it again", exit_code=1) from error
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be changed: {error.strerror}", exit_code=1) from error
    _say(f"changed {', '.join(map(str, changed))}; run the program again to see it through")


def _say(line: str) -> None:
    if sys.stderr is not None:
        print(f"shapewatch fix: {line}", file=sys.stderr)
