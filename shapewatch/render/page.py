"""The page of a code as a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from textwrap import dedent

from shapewatch.render.document import (
    Blank,
    Block,
    Code,
    Document,
    Headline,
    Indented,
    Line,
    Paragraph,
    Run,
    Style,
    runs,
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a code means. `text`: a sentence, then sections under `## ` headings; indented lines are code."""

    code: str
    name: str
    severity: str
    text: str


def compose_page(page: Page) -> Document:
    sentence, *sections = re.split(r"^## +", page.text.strip(), flags=re.MULTILINE)
    style: Style = "error" if page.severity == "error" else "warning"
    lead = runs(Run(page.code, style), Run(f" {page.name}", "name"))
    blocks: list[Block] = [Headline(lead, runs(Run(_joined(sentence), "strong")))]
    for section in sections:
        heading, _, body = section.partition("\n")
        blocks += [Blank(), Line(runs(Run(heading.strip(), "label"))), Indented(tuple(_body(body)))]
    return Document(tuple(blocks))


def as_markdown(text: str) -> str:
    """The text of a page as Markdown. It is nearly so already: only its code has to be fenced, as Python."""
    blocks = []
    for is_code, lines in groupby(text.strip().splitlines(), lambda line: line.startswith("    ")):
        block = "\n".join(lines)
        blocks.append(f"```python\n{dedent(block)}\n```" if is_code else block)
    return "\n".join(blocks)


def _body(text: str) -> Iterator[Block]:
    for number, (is_code, lines) in enumerate(groupby(text.strip("\n").split("\n\n"), _is_code)):
        for part, paragraph in enumerate(lines):
            if number or part:
                yield Blank()
            if is_code:
                yield Code(tuple(line.removeprefix("    ") for line in paragraph.rstrip().splitlines()))
            else:
                yield Paragraph(runs(_joined(paragraph)))


def _is_code(paragraph: str) -> bool:
    return all(line.startswith("    ") for line in paragraph.splitlines() if line.strip())


def _joined(paragraph: str) -> str:
    return " ".join(paragraph.split())
