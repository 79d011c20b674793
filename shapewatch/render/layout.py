"""From a document to lines of a given width. Every format made of characters starts from these lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from shapewatch.render.document import (
    GLUE,
    Blank,
    Block,
    Cell,
    Code,
    Column,
    Document,
    Headline,
    Indented,
    Labelled,
    Line,
    Numbered,
    Paragraph,
    Pictured,
    Row,
    Run,
    Runs,
    Section,
    Table,
    runs,
)
from shapewatch.render.folding import fold

NARROWEST = 40
"""Below this width nothing can be aligned; a narrower one is taken for this one."""

LABEL_WIDTH = 10
"""Columns that a label takes, with the space after it: `verified` and two."""

STEP = 4
"""Columns by which a line is indented under the one it belongs to."""

ASIDE_GAP = 3
"""Spaces at least between a headline's parts."""

CUT_TO = 12
"""A column that may be cut keeps at least this many characters."""


def lay_out(document: Document, width: int) -> list[Runs]:
    """The lines of the document. Only lines of code may be wider than `width` characters."""
    return [_trimmed(line) for line in _blocks(document.blocks, max(width, NARROWEST))]


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining one."""
    if text.replace(GLUE, " ").isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width_of(line: Iterable[Run]) -> int:
    return sum(cells(run.text) for run in line)


def cut(line: Runs, width: int) -> Runs:
    """The line, or as much of it as fits into `width` with a `…` at its end."""
    if width_of(line) <= width:
        return line
    kept: list[Run] = []
    left = width - 1
    for run in line:
        if cells(run.text) <= left:
            kept.append(run)
            left -= cells(run.text)
            continue
        text = ""
        for character in run.text:
            left -= _cells_of(character)
            if left < 0:
                break
            text += character
        kept.append(Run(text.rstrip() + "…", run.style))
        break
    return tuple(kept)


def _trimmed(line: Runs) -> Runs:
    """The line with ordinary spaces for glued ones, and none at its end."""
    trimmed = [Run(run.text.replace(GLUE, " "), run.style) for run in line]
    while trimmed:
        last = trimmed.pop()
        if text := last.text.rstrip(" "):
            return (*trimmed, Run(text, last.style))
    return ()


def _blocks(blocks: Sequence[Block], width: int) -> list[Runs]:
    return [line for block in blocks for line in _block(block, width)]


def _block(block: Block, width: int) -> list[Runs]:
    match block:
        case Blank():
            return [()]
        case Line(text):
            return [cut(text, width)]
        case Paragraph(text, limit):
            return _wrapped(text, width, limit)
        case Code(lines):
            return [(Run(part, "code"),) for line in lines for part in fold(line, width)]
        case Indented(blocks, by):
            return [_moved(line, by) for line in _blocks(blocks, width - by)]
        case Labelled(label, blocks):
            return _labelled(label, _blocks(blocks, width - LABEL_WIDTH))
        case Numbered(number, blocks):
            return _labelled(f"{number}.".rjust(STEP - 1) + " ", _blocks(blocks, width - STEP), STEP)
        case Headline(lead, text, below, aside):
            return _headline(lead, text, below, aside, width)
        case Table(columns, rows):
            return _table(columns, rows, width)
        case Section(blocks) | Pictured(blocks):
            return _blocks(blocks, width)


def _moved(line: Runs, by: int) -> Runs:
    return (Run(" " * by), *line) if line else ()


def _labelled(label: str, lines: list[Runs], width: int = LABEL_WIDTH) -> list[Runs]:
    first, *rest = lines or [()]
    name = Run(label.ljust(width), "label")
    return [(name, *first), *(_moved(line, width) for line in rest)]


def _headline(lead: Runs, text: Runs, below: Runs, aside: Runs, width: int) -> list[Runs]:
    beside = width_of(lead) + ASIDE_GAP
    if beside <= width // 2:
        first, *rest = _wrapped(text, width - beside) or [()]
        lines = [(*lead, Run(" " * ASIDE_GAP), *first), *(_moved(line, beside) for line in rest)]
    else:
        lines = [lead, *(_moved(line, STEP) for line in _wrapped(text, width - STEP))]
    under = [cut(_moved(below, STEP), width)] if below else []
    if aside:
        if at_edge := _at_edge(lines[-1], aside, width):
            lines[-1] = at_edge
        elif under and (at_edge := _at_edge(under[0], aside, width)):
            under[0] = at_edge
        else:
            lines.append(_moved(cut(aside, width - STEP), STEP))
    return [*lines, *under]


def _at_edge(line: Runs, aside: Runs, width: int) -> Runs | None:
    """The line with `aside` at the right edge; None where there is no room for it."""
    free = width - width_of(line) - width_of(aside)
    return (*line, Run(" " * free), *aside) if free >= ASIDE_GAP else None


# Paragraphs


def _wrapped(text: Runs, width: int, limit: int | None = None) -> list[Runs]:
    lines: list[Runs] = []
    line: Runs = ()
    for word in _words(text):
        if not line:
            line = cut(word, width)
        elif width_of(line) + 1 + width_of(word) <= width:
            line = (*line, Run(" ", line[-1].style if line[-1].style == word[0].style else "text"), *word)
        else:
            lines.append(line)
            line = cut(word, width)
    if line:
        lines.append(line)
    if limit is not None and len(lines) > limit:
        over = (*lines[limit - 1], Run(" "), *lines[limit])
        lines = [*lines[: limit - 1], cut(over, width)]
    return lines


def _words(text: Runs) -> list[Runs]:
    words: list[Runs] = []
    word: Runs = ()
    for run in text:
        for index, part in enumerate(run.text.split(" ")):
            if index and word:
                words.append(word)
                word = ()
            if part:
                word = (*word, Run(part, run.style))
    return [*words, word] if word else words


# Tables


def _table(columns: tuple[Column, ...], rows: tuple[Row, ...], width: int) -> list[Runs]:
    everything = list(range(len(columns)))
    needed = [index for index in everything if columns[index].tight != "drop"]
    beside = [index for index in needed if columns[index].tight != "below"]
    for shown in (everything, needed, beside):
        widths = _widths(columns, rows, shown)
        over = max((_row_width(columns, row, widths) for row in rows), default=0) - width
        if over <= 0:
            break
    for index in sorted(shown, key=lambda index: widths[index], reverse=True):
        if columns[index].tight == "cut" and over > 0:
            less = min(over, max(0, widths[index] - CUT_TO))
            widths[index] -= less
            over -= less
    return [cut(line, width) for line in _set(columns, rows, widths, width)]


def _placed(row: Row) -> list[tuple[int, int, Cell]]:
    """Each cell with the first column it is in and the one after its last."""
    placed, start = [], 0
    for cell in row:
        placed.append((start, start + cell.columns, cell))
        start += cell.columns
    return placed


def _widths(columns: tuple[Column, ...], rows: tuple[Row, ...], shown: list[int]) -> dict[int, int]:
    """The width of each shown column; cells over several columns widen the last of them."""
    widths = dict.fromkeys(shown, 0)
    placed = [cell for row in rows for cell in _placed(row)]
    for start, end, cell in placed:
        if end - start == 1 and start in widths:
            widths[start] = max(widths[start], width_of(cell.runs) + _pointer(columns[start], cell))
    for start, end, cell in placed:
        under = [index for index in range(start, end) if index in widths]
        if len(under) > 1:
            missing = width_of(cell.runs) - _across(columns, under, widths)
            widths[under[-1]] += max(0, missing)
    return widths


def _pointer(column: Column, cell: Cell) -> int:
    return 2 if column.tight == "below" and cell.runs else 0


def _across(columns: tuple[Column, ...], under: list[int], widths: dict[int, int]) -> int:
    """The width of neighbouring columns with the gaps between them. An empty column takes no room."""
    used = [index for index in under if widths[index]]
    return sum(widths[index] + columns[index].gap for index in used) - (columns[used[0]].gap if used else 0)


def _row_width(columns: tuple[Column, ...], row: Row, widths: dict[int, int]) -> int:
    """How far a row reaches: to the end of its last cell."""
    shown = [cell for cell in _placed(row) if cell[2].runs and any(widths.get(at) for at in range(*cell[:2]))]
    if not shown:
        return 0
    start, end, cell = shown[-1]
    whole = _across(columns, [at for at in widths if at < end], widths)
    own = _across(columns, [at for at in widths if start <= at < end], widths)
    return whole - own + width_of(cell.runs) + _pointer(columns[start], cell)


def _set(columns: tuple[Column, ...], rows: tuple[Row, ...], widths: dict[int, int], width: int) -> list[Runs]:
    lines: list[Runs] = []
    for row in rows:
        line: Runs = ()
        begins: dict[int, int] = {}
        at = 0
        under_row: list[Runs] = []
        for start, end, cell in _placed(row):
            under = [index for index in range(start, end) if widths.get(index)]
            if not under:
                if cell.runs and columns[start].tight == "below" and start not in widths:
                    under_row.append(_pointing(cell.runs, begins.get(start - 1, 0), width))
                continue
            gap = columns[under[0]].gap if at else 0
            room = _across(columns, under, widths)
            begins[end - 1] = at + gap
            pointed = runs(Run("< ", "mark"), cell.runs) if _pointer(columns[start], cell) else cell.runs
            fitted = _cut_at_word(pointed, room) if columns[start].tight == "cut" else cut(pointed, room)
            space = Run(" " * (room - width_of(fitted)))
            content = (space, *fitted) if columns[start].right else (*fitted, space)
            line = (*line, Run(" " * gap), *content)
            at += gap + room
        lines += [line, *under_row]
    return [_trimmed(line) for line in lines]


def _pointing(text: Runs, column: int, width: int) -> Runs:
    """The text on a line of its own beside a `^` in this column: right of it or, without room there, left."""
    if column + 2 + width_of(text) <= width:
        return _moved(runs(Run("^ ", "mark"), text), column)
    text = cut(text, max(column - 1, CUT_TO))
    return _moved(runs(text, Run(" ^", "mark")), max(0, column - 1 - width_of(text)))


def _cut_at_word(text: Runs, width: int) -> Runs:
    """As `cut`, without the first letters of a word at the end: `2x2, stri…` is `2x2, …`."""
    short = cut(text, width)
    if short == text or not short:
        return short
    *before, last = short
    kept, space, rest = last.text.rpartition(" ")
    return (*before, Run(f"{kept} …", last.style)) if space and len(rest) <= CUT_TO else short
