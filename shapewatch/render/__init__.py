"""Reports for people and for programs. Nothing here is imported before a report is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from shapewatch.firewall import own_fault
from shapewatch.report import Report

if TYPE_CHECKING:
    from shapewatch.render.comparison import Compared
    from shapewatch.render.page import Page
    from shapewatch.render.terminal import TerminalDocument
    from shapewatch.sizes.accepted import Accepted

WIDTH = 80


def as_text(report: Report, *, width: int = WIDTH, full: bool = False) -> str:
    """The report as plain text, without a newline at its end.

    No line is wider than `width`, or than 40 where that is more; only code to paste may be. `full`: every
    call of every branch, explanations, the code of the alternatives.
    """
    try:
        from shapewatch.render.compose import compose
        from shapewatch.render.plain import plain

        return plain(compose(report, full=full), width)
    except Exception as fault:
        own_fault(fault)
        return _in_short(report)


def as_rich(report: Report, *, full: bool = False) -> TerminalDocument:
    """The report for rich to print: the characters of `as_text` at the console's width, in colour."""
    from shapewatch.render.compose import compose
    from shapewatch.render.terminal import TerminalDocument

    return TerminalDocument(compose(report, full=full))


def note_of(report: Report) -> str:
    """What is added to the user's exception: the report from an empty line on, without the exception itself.

    Empty where there is no diagnosis: an exception that nothing is known about is left as it is.
    """
    if not report.diagnoses:
        return ""
    try:
        from shapewatch.render.compose import compose
        from shapewatch.render.plain import plain

        return "\n" + plain(compose(report, exception=False), WIDTH)
    except Exception as fault:
        own_fault(fault)
        return "\n" + _in_short(report)


def _in_short(report: Report) -> str:
    """What is left of a report that a fault of ours keeps from being laid out."""
    lines = [f"{each.code} {each.headline}\n    {each.explanation}" for each in report.diagnoses]
    return "\n".join(lines) or f"{len(report.recording.calls)} calls recorded, nothing found"


def summary_text(report: Report, *, width: int = WIDTH) -> str:
    """The layers and the junctions as tables, in plain text, without a newline at its end."""
    from shapewatch.render.plain import plain
    from shapewatch.render.summary import compose_summary

    return plain(compose_summary(report), width)


def summary_rich(report: Report) -> TerminalDocument:
    """The layers and the junctions as tables, for rich to print."""
    from shapewatch.render.summary import compose_summary
    from shapewatch.render.terminal import TerminalDocument

    return TerminalDocument(compose_summary(report))


def sizes_text(accepted: Accepted, *, width: int = WIDTH) -> str:
    """The sizes that a model accepts as a table, in plain text, without a newline at its end."""
    from shapewatch.render.plain import plain
    from shapewatch.render.sizes import compose_sizes

    return plain(compose_sizes(accepted), width)


def sizes_rich(accepted: Accepted) -> TerminalDocument:
    """The sizes that a model accepts as a table, for rich to print."""
    from shapewatch.render.sizes import compose_sizes
    from shapewatch.render.terminal import TerminalDocument

    return TerminalDocument(compose_sizes(accepted))


def page_text(page: Page, *, width: int = WIDTH) -> str:
    """The page of a code as plain text, without a newline at its end."""
    from shapewatch.render.page import compose_page
    from shapewatch.render.plain import plain

    return plain(compose_page(page), width)


def page_rich(page: Page) -> TerminalDocument:
    """The page of a code, for rich to print."""
    from shapewatch.render.page import compose_page
    from shapewatch.render.terminal import TerminalDocument

    return TerminalDocument(compose_page(page))


def as_html(report: Report) -> str:
    """The report as a page that needs nothing but itself."""
    from shapewatch.render import web

    return _as_page(web.report_page, report, as_text)


def summary_html(report: Report) -> str:
    """The layers and the junctions as a page, with the model drawn."""
    from shapewatch.render import web

    return _as_page(web.summary_page, report, summary_text)


def page_html(page: Page) -> str:
    """The page of a code as one that a browser shows."""
    from shapewatch.render import web

    return _as_page(web.code_page, page, page_text)


def notebook_html(report: Report) -> str:
    """The report as a piece of HTML for the output of a notebook's cell."""
    from shapewatch.render import web

    return _as_page(web.report_fragment, report, as_text)


def _as_page(write: Callable[[Any], str], what: Any, text: Callable[[Any], str]) -> str:
    """What `write` makes, or else the text as it is: a fault of ours costs the look, never the report."""
    try:
        return write(what)
    except Exception as fault:
        own_fault(fault)
        return f'<!doctype html>\n<meta charset="utf-8">\n<title>shapewatch</title>\n<pre>{escape(text(what))}</pre>'


def sizes_html(accepted: Accepted) -> str:
    """Which input sizes a model accepts, as a page."""
    from shapewatch.render import web

    return _as_page(web.sizes_page, accepted, sizes_text)


def comparison_text(compared: Compared, *, width: int = WIDTH) -> str:
    """Where two recordings part, as plain text, without a newline at its end."""
    from shapewatch.render.comparison import compose_comparison
    from shapewatch.render.plain import plain

    return plain(compose_comparison(compared), width)


def comparison_rich(compared: Compared) -> TerminalDocument:
    """Where two recordings part, for rich to print."""
    from shapewatch.render.comparison import compose_comparison
    from shapewatch.render.terminal import TerminalDocument

    return TerminalDocument(compose_comparison(compared))


def comparison_html(compared: Compared) -> str:
    """Where two recordings part, as a page."""
    from shapewatch.render import web

    return _as_page(web.comparison_page, compared, comparison_text)


def comparison_json(compared: Compared) -> str:
    """Where two recordings part, as indented JSON, without a newline at its end."""
    from shapewatch.render.comparison_json import as_json as written

    return written(compared)


def as_json(report: Report) -> str:
    """The report as indented JSON, without a newline at its end."""
    from shapewatch.render.json import as_json as written

    return written(report)


def as_sarif(report: Report) -> str:
    """The report as SARIF 2.1.0, without a newline at its end."""
    from shapewatch.render.sarif import as_sarif as written

    return written(report)


class Format(NamedTuple):
    """A way to write a report: the suffix of its files, and the function that gives their text."""

    suffix: str
    write: Callable[[Report], str]


FORMATS: dict[str, Format] = {
    "text": Format(".txt", as_text),
    "json": Format(".json", as_json),
    "html": Format(".html", as_html),
    "sarif": Format(".sarif", as_sarif),
}


def _write(path: Path, text: str) -> None:
    """The whole text or nothing: a file that is there stays as it is until the new one is complete."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_report(report: Report, path: str | Path) -> Path:
    """Write the report in the format of the path's suffix, and give the path back.

    Raises:
        ValueError: no format has this suffix.
        OSError: the file cannot be written.
    """
    path = Path(path)
    for format in FORMATS.values():
        if path.suffix.lower() == format.suffix:
            _write(path, format.write(report) + "\n")
            return path
    known = ", ".join(format.suffix for format in FORMATS.values())
    raise ValueError(f"{path.name}: a report is written to a file that ends in one of {known}")
