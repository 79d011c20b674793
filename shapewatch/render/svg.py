"""A laid out spine as SVG that stands inside a page: a list of rows to a screen reader, told apart without colour."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from shapewatch.flow.junctions import Status
from shapewatch.render.document import GLUE, escape
from shapewatch.render.rows import Row
from shapewatch.render.spine import ROW, Arc, Dot, Label, Point, Spine

RADIUS = 9
"""Of an arc's corners."""

SIGNS = {"add": "+", "sub": "−", "mul": "×", "gate": "×", "dot": "·", "concat": "&amp;", "stack": "≡"}
"""What is in a junction's mark, as HTML; of other kinds a star, of several their number."""

COLUMNS = ("name", "shape", "what")


def safe(text: str) -> str:
    """Text from the program as HTML, in an element or in quotes: none of it is markup, none acts on a terminal."""
    return html.escape(escape(text)).replace(GLUE, "&nbsp;")


def spine_svg(spine: Spine, rows: Sequence[Row], title: str) -> str:
    """The drawing as one `svg` element. It has no `id`, so several may stand in one page."""
    width, height = round(spine.width), round(spine.height)
    parts = [
        f'<svg class="spine" role="list" aria-label="{safe(title)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        *(_band(dot, spine) for dot in spine.dots if dot.told),
        f'<path class="line" d="M{spine.x:g} {spine.dots[0].y:g}V{spine.dots[-1].y:g}"/>',
        *(_arc(arc, rows) for arc in spine.arcs),
        *_rows(spine, rows),
        "</svg>",
    ]
    return "\n".join(parts)


def _band(dot: Dot, spine: Spine) -> str:
    return f'<rect class="told" x="0" y="{dot.y - ROW / 2:g}" width="{spine.width:g}" height="{ROW}"/>'


def _arc(arc: Arc, rows: Sequence[Row]) -> str:
    what = f"skip from {rows[arc.start].name} to {rows[arc.end].name}"
    return f'<path class="arc {arc.status}" d="{_rounded(arc.corners)}"><title>{safe(what)}</title></path>'


def _rounded(corners: Sequence[Point]) -> str:
    """A path through the corners, each cut off by a curve."""
    path = "M{:g} {:g}".format(*corners[0])
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        (x, y), (u, v) = _towards(corner, before), _towards(corner, after)
        path += f"L{x:g} {y:g}Q{corner[0]:g} {corner[1]:g} {u:g} {v:g}"
    return path + "L{:g} {:g}".format(*corners[-1])


def _towards(corner: Point, other: Point) -> Point:
    """Where the curve around a corner begins or ends: on the way to the next one, half way at most."""
    along, down = other[0] - corner[0], other[1] - corner[1]
    length = abs(along) + abs(down)  # one of them is nought
    part = min(RADIUS / length, 0.5) if length else 0
    return corner[0] + along * part, corner[1] + down * part


def _rows(spine: Spine, rows: Sequence[Row]) -> Iterator[str]:
    labels: dict[int, list[Label]] = {}
    for label in spine.labels:
        labels.setdefault(label.row, []).append(label)
    for dot in spine.dots:
        told = _told(rows[dot.row])
        texts = "".join(
            f'<text class="{COLUMNS[label.column]}" x="{label.x:.4g}" y="{label.y + 4:g}">{safe(label.text)}</text>'
            for label in labels.get(dot.row, ())
        )
        yield f'<g role="listitem" aria-label="{told}"><title>{told}</title>{_mark(dot, rows[dot.row])}{texts}</g>'


def _told(row: Row) -> str:
    """A row in words, for who hears it or points at it."""
    words = {"ok": "branches fit", "broadcast": "branches broadcast", "mismatch": "branches do not fit"}
    statuses = dict.fromkeys(junction.status for junction in row.junctions)
    kinds = [words[status] for status in statuses if len(row.junctions) == 1 or status != "ok"]
    beside = ["on a skip"] if row.beside else []
    return safe(", ".join(word for word in (row.name, row.what, row.shape, *kinds, *beside) if word))


def _mark(dot: Dot, row: Row) -> str:
    x, y = dot.x, dot.y
    if dot.status is not None:
        sign = SIGNS.get(row.junctions[0].kind, "*") if len(row.junctions) == 1 else str(len(row.junctions))
        sign = "≠" if dot.status == "mismatch" else sign
        return f'{_outline(dot.status, x, y)}<text class="sign" x="{x:g}" y="{y + 4:g}">{sign}</text>'
    if dot.kind == "failed":
        return f'{_outline("mismatch", x, y)}<text class="sign" x="{x:g}" y="{y + 4:g}">!</text>'
    if dot.kind in ("input", "output"):
        return f'<rect class="end" x="{x - 5:g}" y="{y - 5:g}" width="10" height="10" rx="2"/>'
    if dot.kind == "fold":
        return f'<circle class="fold" cx="{x:g}" cy="{y:g}" r="5"/>'
    return f'<circle class="call" cx="{x:g}" cy="{y:g}" r="4"/>'


def _outline(status: Status, x: float, y: float) -> str:
    """A circle where branches fit, a diamond where they broadcast, a square where they do not fit."""
    if status == "ok":
        return f'<circle class="junction ok" cx="{x:g}" cy="{y:g}" r="8"/>'
    if status == "broadcast":
        return f'<path class="junction broadcast" d="M{x:g} {y - 11:g}l11 11l-11 11l-11 -11z"/>'
    return f'<rect class="junction mismatch" x="{x - 9:g}" y="{y - 9:g}" width="18" height="18"/>'
