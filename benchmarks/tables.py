"""Tables in Markdown, aligned so that they read well in a terminal too."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table. Columns of numbers are aligned to the right."""
    cells = [[_cell(text) for text in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    right = [all(_is_number(row[column]) for row in cells[1:]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + (":" if to_right else "-") for width, to_right in zip(widths, right, strict=True)]
    return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _is_number(text: str) -> bool:
    return text.strip("%").replace(".", "", 1).isdigit() or not text
