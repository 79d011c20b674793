"""The document that every report is composed into, and from which every format is written.

    Run         a piece of text in one style
    Paragraph   runs that wrap at spaces
    Line        runs that stay on one line and are cut when they do not fit
    Code        lines that are never cut
    Headline    a name, a sentence, a line of source and, at the right edge, its place
    Table       aligned columns
    Labelled    blocks beside a short word: `cause   …`
    Numbered    blocks beside a number
    Indented    blocks further to the right
    Section     blocks about one thing
    Pictured    blocks, and a picture that says the same
    Blank       an empty line

A document knows no width and no colour: `layout` finds the lines for a width, and a format gives the styles a
look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Style = Literal["text", "strong", "muted", "name", "error", "warning", "place", "code", "mark", "label", "good"]

GLUE = "\u00a0"
"""A space at which no line breaks. It is written as an ordinary space."""


def escape(text: str) -> str:
    """`text` with everything that a terminal would act on, or could not show, in Python's notation: `\\x1b`.

    Names, source lines and messages come from the watched program; this is what keeps a carriage return, a
    colour code or a right-to-left override in them from rewriting the report.
    """
    if text.replace(GLUE, " ").isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character == "\t":
        return "    "
    if character.isprintable() or character == GLUE:
        return character
    if character.isspace() and character > GLUE and character not in "\u2028\u2029":
        return " "  # the wide and narrow spaces of Unicode
    return character.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one style. The text is escaped as it comes in, so no format can forget to."""

    text: str
    style: Style = "text"

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", escape(self.text))


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Runs that wrap at spaces. No more than `limit` lines, where one is given; what is over ends in `…`."""

    runs: Runs
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Runs that stay on one line and are cut when they do not fit."""

    runs: Runs


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to paste. Never cut; a long one is folded inside its brackets where that changes nothing."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """`lead`, then `text` beside it; `below`, one line, under them; `aside` at the right edge."""

    lead: Runs
    text: Runs
    below: Runs = ()
    aside: Runs = ()


Tight = Literal["keep", "cut", "drop", "below"]


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is set, and what becomes of it when the table is too wide.

    `keep`: stays as it is; `cut`: its cells end in `…`; `drop`: is left out; `below`: its cells go under
    their rows. Columns are dropped first, then put below, then cut. A `below` column points at the column
    before it: with a `<` from beside it, with a `^` from under it. `gap` counts the spaces before the column.
    `names`: its cells name their rows.
    """

    tight: Tight = "keep"
    right: bool = False
    gap: int = 2
    names: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, over one column or more. `names`: it names the rows below."""

    runs: Runs = ()
    columns: int = 1
    names: bool = False


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Aligned columns. The first `head` rows name them."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    head: int = 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """Blocks beside a short word."""

    label: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Numbered:
    """One of several, the blocks beside its number."""

    number: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Indented:
    blocks: tuple[Block, ...]
    by: int = 4


@dataclass(frozen=True, slots=True)
class Section:
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A box on a branch: a call or several, what it gives, where branches part, and its place in the source."""

    name: Runs
    what: Runs = ()
    shape: Runs = ()
    mark: Runs = ()
    place: Runs = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """A branch: its name, its stops from the fork on, and the shape with which it ends."""

    name: Runs
    stops: tuple[Stop, ...]
    ends: Runs


@dataclass(frozen=True, slots=True)
class Branching:
    """Branches side by side, from their fork to where they meet. `more` tells of branches that are not shown."""

    title: str
    fork: Stop | None
    lanes: tuple[Lane, ...]
    meets: Runs
    more: Runs = ()


@dataclass(frozen=True, slots=True)
class Pictured:
    """Blocks, and a picture that says the same, for formats that can draw."""

    blocks: tuple[Block, ...]
    picture: Branching


@dataclass(frozen=True, slots=True)
class Blank:
    pass


Block = Paragraph | Line | Code | Headline | Table | Labelled | Numbered | Indented | Section | Pictured | Blank


@dataclass(frozen=True, slots=True)
class Document:
    blocks: tuple[Block, ...]


def runs(*parts: str | Run | Iterable[Run]) -> Runs:
    """Runs from strings in the text style, runs, and sequences of runs; empty ones are left out."""
    made: list[Run] = []
    for part in parts:
        if isinstance(part, str):
            made.append(Run(part))
        elif isinstance(part, Run):
            made.append(part)
        else:
            made.extend(part)
    return tuple(run for run in made if run.text)
