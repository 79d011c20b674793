"""Reports as pages that need nothing but themselves, and as pieces of a notebook.

A page forbids itself every source, address and script but its own two, by their hashes. Where a fault of ours keeps a
drawing from being made, the page is made without it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from shapewatch.firewall import attempt
from shapewatch.flow.junctions import Status
from shapewatch.render import naming
from shapewatch.render.comparison import Compared, compose_comparison
from shapewatch.render.compose import compose
from shapewatch.render.document import Document
from shapewatch.render.html import lower
from shapewatch.render.page import Page, compose_page
from shapewatch.render.rows import course_of
from shapewatch.render.sizes import compose_sizes
from shapewatch.render.spine import Spine, lay_spine
from shapewatch.render.style import LOOK, NOTEBOOK, PAGE
from shapewatch.render.summary import compose_summary
from shapewatch.render.svg import safe, spine_svg
from shapewatch.report import Report
from shapewatch.sizes.accepted import Accepted

COPY = """
for (const block of document.querySelectorAll(".paste")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.addEventListener("click", async () => {
    const code = block.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
  block.append(button);
}
"""
"""The buttons beside code. It makes them itself: without a script there is none that does nothing."""

MOST_TABLED = 1500
"""Of a model with more layers and junctions than this, a report has no tables; they are what a summary is asked for."""

SHAPES: dict[Status, str] = {
    "ok": "circle: branches meet and fit",
    "broadcast": "diamond: branches meet and are stretched to fit",
    "mismatch": "square: branches meet and do not fit",
}


def report_page(report: Report) -> str:
    """The whole report: what the text says with every detail, the branches drawn, and the model."""
    parts = [lower(compose(report, full=True, drawn=True)), _model(report, with_tables=True)]
    return _page(_title(report), _course(report), parts)


def report_fragment(report: Report) -> str:
    """The report for an output cell."""
    parts = [lower(compose(report, full=True, drawn=True)), _model(report, with_tables=True)]
    body = "\n".join(part for part in parts if part)
    return f'<div class="shapewatch">\n<style>{NOTEBOOK}</style>\n{body}\n</div>'


def summary_page(report: Report) -> str:
    """The tables of the layers and the junctions, and the model drawn."""
    tables = f"<section>\n<h2>layers and junctions</h2>\n{lower(compose_summary(report))}\n</section>"
    return _page("summary", _course(report), [_model(report, with_tables=False), tables])


def code_page(page: Page) -> str:
    """The page of a code."""
    return _page(f"{page.code} {page.name}", "", [f"<section>\n{lower(compose_page(page))}\n</section>"])


def sizes_page(accepted: Accepted) -> str:
    """Which input sizes a model accepts."""
    return _page("input sizes", "", [f"<section>\n{lower(compose_sizes(accepted))}\n</section>"])


def comparison_page(compared: Compared) -> str:
    """Where two recordings part."""
    parts = [f"<section>\n{lower(compose_comparison(compared))}\n</section>"]
    return _page(" and ".join(compared.names), "", parts)


def _page(title: str, about: str, parts: list[str]) -> str:
    style = f"{LOOK}{PAGE}"
    rules = [
        "default-src 'none'",
        f"style-src {_hash(style)}",
        f"script-src {_hash(COPY)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{safe(title)} - shapewatch</title>",
        f"<style>{style}</style>",
        "</head>",
        '<body class="shapewatch">',
        "<main>",
        f"<header><h1>shapewatch</h1>{f'<p>{safe(about)}</p>' if about else ''}</header>",
        *(part for part in parts if part),
        "</main>",
        f"<script>{COPY}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines)


def _hash(content: str) -> str:
    """A source as a Content-Security-Policy names what is written in the page itself."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _title(report: Report) -> str:
    if report.diagnoses:
        first = report.diagnoses[0]
        return f"{first.code} {first.name}: {first.headline}".removeprefix(" ")
    return report.recording.failure.type if report.recording.failure is not None else "all shapes fit"


def _course(report: Report) -> str:
    """`torch, 61 calls, 8 junctions`; empty where nothing was recorded."""
    if not report.calls:
        return ""
    counts = [naming.counted(len(report.calls), "call"), naming.counted(len(report.junctions), "junction")]
    return ", ".join([*report.frameworks, *counts])


# The model


def _model(report: Report, *, with_tables: bool) -> str:
    """The section that draws the model; empty where no call was recorded."""
    if not report.calls:
        return ""
    parts = ["<section>", "<h2>the whole model</h2>", attempt(_spine, report) or ""]
    if with_tables and len(report.layers) + len(report.junctions) <= MOST_TABLED:
        tables = attempt(_lowered, compose_summary, report)
        if tables:
            parts.append(f"<details><summary>its layers and junctions as tables</summary>\n{tables}\n</details>")
    return "\n".join([*(part for part in parts if part), "</section>"]) if any(parts[2:]) else ""


def _lowered(compose: Callable[[Report], Document], report: Report) -> str:
    return lower(compose(report))


def _spine(report: Report) -> str:
    course = course_of(report)
    if not course.rows:
        return ""
    spine = lay_spine(course)
    title = f"the model from its input down: {naming.counted(len(course.rows), 'row')}"
    caption = f"<figcaption>{safe(_caption(spine))}</figcaption>"
    drawing = spine_svg(spine, course.rows, title)
    scrolled = f'<div class="scroll" role="region" aria-label="the drawing" tabindex="0">{drawing}</div>'
    return f"<figure>\n{caption}\n{scrolled}\n</figure>"


def _caption(spine: Spine) -> str:
    """How the drawing is read: of the marks, those that occur."""
    parts = ["the calls in order, and what each gives"]
    parts += [SHAPES[status] for status in SHAPES if any(dot.status == status for dot in spine.dots)]
    if spine.arcs:
        parts.append("arc: a skip, from where it leaves to where it meets the others")
    if any(dot.kind == "fold" for dot in spine.dots):
        parts.append("number, or broken ring: several blocks in one row")
    if spine.left_out:
        parts.append(f"{naming.counted(spine.left_out, 'further skip')} not drawn")
    return "; ".join(parts)
