"""Where a command's report goes: `--format`, `-o FILE`, and standard output kept for the report alone."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from shapewatch.cli.errors import CommandError
from shapewatch.render import FORMATS, WIDTH
from shapewatch.report import Report

if TYPE_CHECKING:
    from shapewatch.render.comparison import Compared
    from shapewatch.render.page import Page
    from shapewatch.sizes.accepted import Accepted

    Told = Report | Page | Accepted | Compared

TEXT, HTML = "text", "html"

OPTIONS = f"[--format {'|'.join(FORMATS)}] [-o FILE] [--no-source]"
"""What a command's usage says about them."""

WARNINGS = "[--warnings allow|warn|raise]"


@dataclass(frozen=True)
class Wording:
    """How a command words a report, a page, the sizes that fit or a comparison for people.

    `text` takes a report and optionally a `width` in columns; `rich` gives something that rich prints. `formats` are
    those that write something else of it than of any report, by name.
    """

    text: Callable[..., str]
    rich: Callable[[Any], Any]
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """A report's way out. `path` and `stream` are None where the report goes to standard output as it is. Without
    `source`, lines of the program are left out."""

    format: str
    path: Path | None
    stream: TextIO | None
    source: bool = True

    def write(self, report: Told, wording: Wording) -> None:
        """Write the report.

        Raises:
            CommandError: the file, or standard output, cannot be written.
        """
        if isinstance(report, Report):
            report = self.told(report)
        if self.format == TEXT and self.path is None:
            show(report, wording, sys.stdout)
            return
        content = self._content(report, wording)
        if self.path is None:
            send(content, self.stream or sys.stdout)
            return
        try:
            # A file name that is no Unicode has characters that UTF-8 has no bytes for.
            self.path.write_text(content + "\n", encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise CommandError(f"{self.path} cannot be written: {error.strerror}; give -o another FILE") from error

    def told(self, report: Report) -> Report:
        """What may be told of a report."""
        return report if self.source else report.without_source()

    def _content(self, report: Any, wording: Wording) -> str:
        if self.format == TEXT:
            return wording.text(report)
        return wording.formats.get(self.format, FORMATS[self.format].write)(report)


def add_output_arguments(
    parser: argparse.ArgumentParser, formats: Collection[str] = FORMATS.keys(), source: bool = True
) -> None:
    """`--format` and `-o`; `source`: also what leaves the program's lines out, as a report can."""
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        help=f"{' or '.join(formats)}; without it the suffix of FILE decides, or else text",
    )
    parser.add_argument("-o", dest="file", metavar="FILE", help="write the report to FILE")
    parser.set_defaults(source=True)
    if source:
        parser.add_argument(
            "--no-source",
            dest="source",
            action="store_false",
            help="leave the program's lines, and the code of fixes, out of the report",
        )


def add_warnings_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--warnings",
        choices=("allow", "warn", "raise"),
        default="warn",
        help="what runs and looks wrong: allow leaves it out, warn (the default) reports it, raise makes it an error",
    )


def open_output(arguments: argparse.Namespace) -> Output:
    """What `--format` and `-o` ask for.

    With a format for programs and no FILE, standard output is the report's from here on, and what anything
    else writes to it goes to standard error.

    Raises:
        CommandError: there is no such format, FILE cannot be written, or standard output is closed.
    """
    path = None if arguments.file is None else _writable(Path(arguments.file))
    format = arguments.format or _format_of(path)
    if format != TEXT:
        if format not in FORMATS:
            raise CommandError(f"there is no format `{format}`; the formats are {', '.join(FORMATS)}")
        if path is None:
            return Output(format, None, claim_standard_output(), arguments.source)
    return Output(format, path, None, arguments.source)


def show(report: Told, wording: Wording, stream: TextIO) -> None:
    """Write a report for people: with rich on a terminal, else as plain text."""
    if stream.isatty() or os.environ.get("FORCE_COLOR"):
        from rich.console import Console

        console = Console(file=stream)
        with console.capture() as captured:
            console.print(wording.rich(report))
        send(captured.get().removesuffix("\n"), stream)
    else:
        send(wording.text(report, width=_columns()), stream)


def _columns() -> int:
    """The width that the environment asks for, or else that of every report on paper."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) > 0 else WIDTH


def send(content: str, stream: TextIO) -> None:
    """Write a text and a newline behind it.

    Raises:
        CommandError: nothing can be written there; a reader that left is no such case.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        # A terminal that cannot show a character gets a question mark, not an exception.
        stream.write(content.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        # What is still in the buffer has nowhere to go. Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):  # a reader that left (`| head`) has what it wanted
            raise CommandError(f"the report cannot be written here: {error.strerror}; add -o FILE") from error


def _format_of(path: Path | None) -> str:
    if path is None:
        return TEXT
    suffix = path.suffix.lower()
    return next((name for name, format in FORMATS.items() if format.suffix == suffix), TEXT)


def _writable(path: Path) -> Path:
    # Asked now: a program may run for hours before there is a report. Absolute: it may change its folder.
    path = path.absolute()
    if path.is_dir():
        raise CommandError(f"-o {path} is a folder; add the name of a file in it")
    if not path.parent.is_dir():
        raise CommandError(
            f"there is no folder {path.parent} to write {path.name} in; make it, or give -o another FILE"
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandError(f"{path} cannot be written with this user's rights; give -o another FILE")
    return path


def claim_standard_output() -> TextIO:
    """Standard output as a stream of our own; whatever else writes to it reaches standard error instead.

    The descriptor is moved, not only `sys.stdout`: subprocesses and C code write to the descriptor. It is not
    moved back, because threads and exit functions may write until the process ends.
    """
    if sys.stdout is None:
        raise CommandError("standard output is closed; add -o FILE for the report")
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, io.UnsupportedOperation):  # a caller in this process reads what `main` prints
        ours, sys.stdout = sys.stdout, sys.stderr
        return ours
    try:
        os.fstat(2)
    except OSError:  # standard error is closed, and its number would be given to what is opened next
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    ours = os.fdopen(os.dup(descriptor), "w", encoding="utf-8")
    os.dup2(2, descriptor)
    return ours
