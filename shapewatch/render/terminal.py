"""A document for a terminal: the characters of the plain text, in colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shapewatch.render.document import Document, Runs, Style
from shapewatch.render.layout import cells, lay_out

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

WIDEST = 100
"""On a wider terminal the report stays this wide: a place at the far right edge belongs to no line."""

LOOKS: dict[Style, str] = {
    "text": "",
    "strong": "bold",
    "muted": "dim",
    "name": "bold",
    "error": "bold red",
    "warning": "bold yellow",
    "place": "cyan",
    "code": "green",
    "mark": "bold magenta",
    "label": "bold",
    "good": "green",
}


@dataclass(frozen=True)
class TerminalDocument:
    """What rich prints. The width is the console's, 100 columns at most."""

    document: Document

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in lay_out(self.document, min(options.max_width, WIDEST)):
            yield from _texts(line, options.max_width)


def _texts(line: Runs, width: int) -> Iterator[Text]:
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ignore")
    for run in line:
        text.append(run.text, LOOKS[run.style])
    # rich crops what is wider than the console, and code must stay whole: break it where the terminal would
    yield from text.divide(_breaks(text.plain, width))


def _breaks(text: str, width: int) -> list[int]:
    """Where a terminal of this width breaks the text."""
    breaks, taken = [], 0
    for index, character in enumerate(text):
        taken += cells(character)
        if taken > width:
            breaks.append(index)
            taken = cells(character)
    return breaks
