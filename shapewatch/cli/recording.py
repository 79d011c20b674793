"""Reports that were saved before, as a command reads them."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from shapewatch.cli.errors import CommandError
from shapewatch.report import Report

STANDARD_INPUT = "-"


def load_report(file: str) -> Report:
    """The report in a file, or on standard input where that is `-`.

    Raises:
        CommandError: there is no such file, or no report in it.
    """
    try:
        return Report.from_json(_content(file))
    except ValueError as error:
        name = "standard input" if file == STANDARD_INPUT else f"`{file}`"
        hint = "" if "update it" in str(error) or ".json" in str(error) else f"; {HOW}"
        raise CommandError(f"{name}: {error}{hint}") from error


HOW = "shapewatch run --format json -o FILE, or report.save(FILE), writes one"


def _content(file: str) -> bytes:
    try:
        if file != STANDARD_INPUT:
            return Path(file).read_bytes()
        if sys.stdin is None:
            raise CommandError("standard input is closed; give a FILE")
        with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
            return stream.read()
    except FileNotFoundError as error:
        raise CommandError(f"there is no file `{file}`; {_instead(Path(file))}") from error
    except IsADirectoryError as error:
        raise CommandError(f"`{file}` is a folder; name a file in it") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte in it
        raise CommandError(f"`{file}` cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _instead(path: Path) -> str:
    beside = [other.name for other in path.parent.glob("*.json")] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1)
    return f"did you mean `{path.with_name(close[0])}`?" if close else HOW
