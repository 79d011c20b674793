"""A document as HTML: headings, lists of definitions, tables with header cells, code, branches side by side.

Whatever comes from the program passes `safe`. There are no ids and no style attributes, so that pieces of several
reports can stand in one page, and a page can forbid everything but its own style sheet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from shapewatch.firewall import own_fault
from shapewatch.render.document import (
    Blank,
    Block,
    Branching,
    Cell,
    Code,
    Document,
    Headline,
    Indented,
    Labelled,
    Lane,
    Line,
    Numbered,
    Paragraph,
    Pictured,
    Row,
    Run,
    Runs,
    Section,
    Stop,
    Style,
    Table,
)
from shapewatch.render.svg import safe

ELEMENTS: dict[Style, tuple[str, str]] = {
    "text": ("", ""),
    "strong": ("<strong>", "</strong>"),
    "code": ("<code>", "</code>"),
    "mark": ("<mark>", "</mark>"),
}
"""Of styles that mean something; the others only have a look."""


def lower(document: Document) -> str:
    """The document as elements one after the other."""
    return _blocks(document.blocks)


def _blocks(blocks: Sequence[Block]) -> str:
    told = [block for block in blocks if not isinstance(block, Blank)]
    parts = []
    for kind, group in groupby(told, type):
        if kind is Labelled:
            parts.append(_definitions([block for block in group if isinstance(block, Labelled)]))
        elif kind is Numbered:
            items = [f'<li value="{b.number}">{_blocks(b.blocks)}</li>' for b in group if isinstance(b, Numbered)]
            parts.append(f"<ol>\n{_lines(items)}\n</ol>")
        else:
            parts += [_block(block) for block in group]
    return _lines(parts)


def _lines(parts: Sequence[str]) -> str:
    return "\n".join(part for part in parts if part)


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{inline(text)}</p>"
        case Line(text) if text and all(run.style == "label" for run in text):
            return f"<h3>{inline(text)}</h3>"
        case Line(text):
            return f'<p class="line">{inline(text)}</p>' if text else ""
        case Code(lines):
            return f'<div class="paste"><pre><code>{safe_lines(lines)}</code></pre></div>'
        case Headline():
            return _headline(block)
        case Table():
            return _table(block)
        case Indented(blocks):
            return _blocks(blocks)
        case Section(blocks):
            name = "section" if any(isinstance(each, Headline) for each in blocks) else "div"
            return f"<{name}>\n{_blocks(blocks)}\n</{name}>"
        case Pictured(blocks, picture):
            try:
                return _branching(picture)
            except Exception as fault:
                own_fault(fault)
                return _blocks(blocks)
    raise TypeError(f"{type(block).__name__} stands in a list of its own kind")


def safe_lines(lines: Sequence[str]) -> str:
    return "\n".join(safe(line) for line in lines)


def inline(text: Runs) -> str:
    """Runs as elements; of what is in backticks, the code without them."""
    return "".join(_run(run) for run in text)


def _run(run: Run) -> str:
    before, after = ELEMENTS.get(run.style, (f'<span class="{run.style}">', "</span>"))
    if run.style == "code":
        return f"{before}{safe(run.text)}{after}"
    parts = re.split(r"`([^`]+)`", run.text)
    words = "".join(f"<code>{safe(part)}</code>" if at % 2 else safe(part) for at, part in enumerate(parts))
    return f"{before}{words}{after}"


def _headline(headline: Headline) -> str:
    said = f'<span class="says">{inline(headline.text)}</span>' if headline.text else ""
    heading = f'<h2><span class="lead">{inline(headline.lead)}</span> {said}</h2>'
    where = " ".join(part for part in (inline(headline.below), inline(headline.aside)) if part)
    return _lines([heading, f'<p class="where">{where}</p>' if where else ""])


def _definitions(pairs: Sequence[Labelled]) -> str:
    parts = []
    for pair in pairs:
        term = f"<dt>{safe(pair.label)}</dt>" if pair.label else ""
        parts.append(f"{term}<dd>{_blocks(pair.blocks)}</dd>")
    return f"<dl>\n{_lines(parts)}\n</dl>"


# Tables


def _table(table: Table) -> str:
    head = _lines([_row(table, row, True) for row in table.rows[: table.head]])
    body = _lines([_row(table, row, False) for row in table.rows[table.head :]])
    parts = ["<table>", f"<thead>\n{head}\n</thead>" if head else "", f"<tbody>\n{body}\n</tbody>", "</table>"]
    return f'<div class="scroll" role="region" aria-label="a table" tabindex="0">{_lines(parts)}</div>'


def _row(table: Table, row: Row, head: bool) -> str:
    cells, at = [], 0
    for cell in row:
        column = table.columns[at]
        scope = ""
        if cell.runs:
            scope = "col" if head else "rowgroup" if cell.names else "row" if column.names else ""
        cells.append(_cell(cell, scope, column.right))
        at += cell.columns
    return f"<tr>{''.join(cells)}</tr>"


def _cell(cell: Cell, scope: str, right: bool) -> str:
    across = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
    side = ' class="right"' if right else ""
    if scope:
        return f'<th scope="{scope}"{across}{side}>{inline(cell.runs)}</th>'
    return f"<td{across}{side}>{inline(cell.runs)}</td>"


# Branches side by side


def _branching(picture: Branching) -> str:
    parts = [f'<figure class="branching" aria-label="{safe(picture.title)}">']
    if picture.fork is not None:
        parts.append(f'<div class="fork">{_stop(picture.fork)}</div>')
    parts += ['<div class="lanes">', *(_lane(lane) for lane in picture.lanes), "</div>"]
    ends = "".join(f'<span class="end">{inline(lane.name)} {inline(lane.ends)}</span> ' for lane in picture.lanes)
    parts.append(f'<div class="meets"><span>{inline(picture.meets)}</span> {ends}</div>')
    if picture.more:
        parts.append(f"<figcaption>{inline(picture.more)}</figcaption>")
    return _lines([*parts, "</figure>"])


def _lane(lane: Lane) -> str:
    stops = [f"<li{_PARTS if stop.mark else ''}>{_stop(stop)}</li>" for stop in lane.stops]
    return f'<div class="lane"><p class="role">{inline(lane.name)}</p><ol>{_lines(stops)}</ol></div>'


_PARTS = ' class="parts"'


def _stop(stop: Stop) -> str:
    parts = {"name": stop.name, "what": stop.what, "shape": stop.shape, "here": stop.mark, "at": stop.place}
    return " ".join(f'<span class="{word}">{inline(text)}</span>' for word, text in parts.items() if text)
