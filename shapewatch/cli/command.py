"""What a verb of the command line supplies, and the parser that reads its arguments."""

from __future__ import annotations

import argparse
from typing import NoReturn, Protocol

from shapewatch.cli.errors import CommandError


class Command(Protocol):
    """A verb. `usage` is what to type after `shapewatch`; `help` is one line, without a full stop. `hands_over`: this
    process becomes a program's, and what ends that leaves `run` as it was."""

    name: str
    usage: str
    help: str
    hands_over: bool

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work; the exit status.

        Raises:
            CommandError: what was asked cannot be done.
        """


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}; what would be right: {self.format_usage().removeprefix('usage: ')}")


def parser_of(command: Command) -> Parser:
    parser = Parser(
        prog=f"shapewatch {command.name}",
        usage=f"shapewatch {command.usage}",
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        allow_abbrev=False,
    )
    command.prepare_parser(parser)
    return parser
