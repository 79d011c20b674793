"""A document as plain text."""

from __future__ import annotations

from shapewatch.render.document import Document
from shapewatch.render.layout import lay_out


def plain(document: Document, width: int) -> str:
    """The document as text without a newline at its end. Only lines of code may be wider than `width`."""
    return "\n".join("".join(run.text for run in line) for line in lay_out(document, width))
