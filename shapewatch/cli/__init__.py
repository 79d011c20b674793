"""The `shapewatch` command: one file per verb, listed in `COMMANDS`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from shapewatch.cli.check import Check
from shapewatch.cli.command import Command, parser_of
from shapewatch.cli.diff import Diff
from shapewatch.cli.errors import CommandError, faults_in_one_line
from shapewatch.cli.explain import Explain
from shapewatch.cli.fix import Fix
from shapewatch.cli.report import SavedReport
from shapewatch.cli.run import Run
from shapewatch.cli.sizes import Sizes
from shapewatch.cli.summary import Summary

COMMANDS: tuple[Command, ...] = (Run(), Check(), Summary(), Sizes(), Explain(), Fix(), SavedReport(), Diff())

HELP_HINT = "shapewatch --help lists the commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (by default the command line) asks for; the exit status.

    `run` makes this process the program's: `sys.argv`, `sys.path` and `__main__` stay as the program left
    them, and the exception that ends the program leaves `main` as well.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        return _fail("shapewatch", f"a command is missing; {HELP_HINT}", 2)
    verb, *rest = words
    try:
        return _carried_out(verb, rest)
    except CommandError as error:
        known = any(verb == command.name for command in COMMANDS)
        return _fail(f"shapewatch {verb}" if known else "shapewatch", str(error), error.exit_code)


def _carried_out(verb: str, rest: Sequence[str]) -> int:
    if verb in ("-h", "--help"):
        print(_overview())
        return 0
    if verb in ("-V", "--version"):
        from shapewatch import __version__

        print(f"shapewatch {__version__}")
        return 0
    command = _command(verb)
    with faults_in_one_line():
        arguments = parser_of(command).parse_args(rest)
    with nullcontext() if command.hands_over else faults_in_one_line():
        return command.run(arguments)
    raise AssertionError("a command gives its exit status")


def _command(verb: str) -> Command:
    for command in COMMANDS:
        if command.name == verb:
            return command
    if verb.startswith("-"):
        raise CommandError(f"there is no option `{verb}` before the command; {HELP_HINT}")
    names = [command.name for command in COMMANDS]
    close = difflib.get_close_matches(verb, names, n=1)
    if close:
        raise CommandError(f"there is no command `{verb}`; did you mean `{close[0]}`?")
    if verb.endswith(".py"):
        raise CommandError(f"`{verb}` is no command; to run it watched: shapewatch run {verb}")
    raise CommandError(f"there is no command `{verb}`; the commands are {', '.join(names)}")


def _overview() -> str:
    width = max(len(command.name) for command in COMMANDS)
    return "\n".join(
        [
            "usage: shapewatch COMMAND ...",
            "",
            "Explains shape errors in neural networks.",
            "",
            "commands:",
            *(f"  {command.name:<{width}}  {command.help}" for command in COMMANDS),
            "",
            "options:",
            "  -h, --help     show this and exit",
            "  -V, --version  show the version and exit",
            "",
            "shapewatch COMMAND --help says what a command takes.",
        ]
    )


def _fail(who: str, message: str, exit_code: int) -> int:
    print(f"{who}: {message}", file=sys.stderr)
    return exit_code
