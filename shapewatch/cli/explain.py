"""`shapewatch explain`: a pasted traceback or a log in plain words, and the page of a code."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from shapewatch.cli.errors import CommandError
from shapewatch.cli.output import HTML, OPTIONS, TEXT, Wording, add_output_arguments, open_output
from shapewatch.render import as_rich, as_text, page_html, page_rich, page_text
from shapewatch.render.page import Page

NO_SHAPE_ERROR = "there is no shape error in this text that shapewatch knows"

STANDARD_INPUT = "-"


class Explain:
    name = "explain"
    usage = f"explain [FILE | CODE] {OPTIONS}"
    help = "explain a pasted traceback or a log, from FILE or standard input; or show the page of a code such as SW201"
    hands_over = False

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "what",
            metavar="FILE | CODE",
            nargs="?",
            default=STANDARD_INPUT,
            help="a file (without one, or with `-`: standard input), or a code or its name: SW201, branches-differ",
        )
        add_output_arguments(parser)
        parser.epilog = "Exit status: 0 a shape error was explained, 1 there is none in the text, 2 wrong usage."

    def run(self, arguments: argparse.Namespace) -> int:
        page = _page(arguments.what)
        if page is not None and arguments.format not in (None, TEXT, HTML):
            raise CommandError(f"the page of {page.code} is text or html; leave --format {arguments.format} out")
        output = open_output(arguments)
        if page is not None:
            if output.format not in (TEXT, HTML):
                raise CommandError(f"the page of {page.code} is text or html; {arguments.file} would be neither")
            output.write(page, Wording(page_text, page_rich, {HTML: page_html}))
            return 0
        with _opened(arguments.what) as stream:
            from shapewatch.messages.explain import explain_text
            from shapewatch.messages.log import decoded

            report = explain_text(decoded(stream))
        if report is None:
            print(f"shapewatch explain: {NO_SHAPE_ERROR}", file=sys.stderr)
            return 1
        output.write(report, Wording(as_text, as_rich))
        return 0


def _page(what: str) -> Page | None:
    """The page of a code, or of its name, in any case; None where a file is meant.

    Raises:
        CommandError: it looks like a code, or is no file, and there is no such code.
    """
    from shapewatch.rules import RULES

    if what == STANDARD_INPUT or Path(what).exists():
        return None
    pages = {word: rule for rule in RULES for word in (rule.code.lower(), rule.name)}
    asked = what.lower()
    if asked in pages:
        rule = pages[asked]
        return Page(rule.code, rule.name, rule.severity, rule.page)
    close = difflib.get_close_matches(asked, pages, n=1)
    instead = f"; did you mean {pages[close[0]].code} ({pages[close[0]].name})?" if close else ""
    if re.fullmatch(r"sw\d*", asked):
        raise CommandError(f"there is no code {what.upper()}{instead or '; README.md lists the codes'}")
    raise CommandError(
        f"there is no file `{what}`, and no code of that name{instead or '; a text is read from a file'}"
    )


@contextmanager
def _opened(file: str) -> Iterator[BufferedReader]:
    if file == STANDARD_INPUT:
        if sys.stdin is None:
            raise CommandError("standard input is closed; give a FILE")
        if sys.stdin.isatty():
            print("shapewatch explain: paste a traceback, then Ctrl-D on a line of its own", file=sys.stderr)
        with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
            yield stream
        return
    try:
        with Path(file).open("rb") as stream:
            yield stream
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
