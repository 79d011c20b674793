"""Where everything of a drawn model stands: a spine of rows from top to bottom, and its skips as arcs left of it.

Numbers and words only, in pixels at a text size of 13; `svg` writes them. Labels begin right of the spine and arcs keep
left of it, so no arc crosses a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shapewatch.flow.junctions import Status
from shapewatch.render.rows import Course, Kind, Row
from shapewatch.render.skips import Skip

Point = tuple[float, float]

ROW = 26
"""From one row to the next."""

LANE = 15
"""From one arc to the next, and from the spine to the first."""

MARGIN = 14

CHARACTER = 7.85
"""The width of a character of most monospaced fonts at 13 pixels."""

GAP = 22
"""Between the columns of labels."""

MOST_LANES = 16
"""More arcs than this, one beside the other, cannot be told apart."""

WIDEST: tuple[int, int, int] = (52, 40, 58)
"""Characters that the columns of names, shapes and settings may take. What is over is cut in its middle."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A row's place. `status` is the worst of its junctions, None for a row without one; `lane` 0 is the spine."""

    row: int
    lane: int
    x: float
    y: float
    kind: Kind
    status: Status | None
    told: bool


@dataclass(frozen=True, slots=True)
class Label:
    row: int
    column: int
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Arc:
    """A skip from the row `start` to the row `end`, in a lane; `corners` are its points from dot to dot."""

    start: int
    end: int
    lane: int
    status: Status
    corners: tuple[Point, ...]


@dataclass(frozen=True)
class Spine:
    """The whole drawing. `broken`: the pass did not come to its end; `left_out`: arcs for which there was no lane."""

    width: float
    height: float
    x: float
    dots: tuple[Dot, ...]
    labels: tuple[Label, ...]
    arcs: tuple[Arc, ...]
    broken: bool
    left_out: int = 0


def lay_spine(course: Course) -> Spine:
    """Where the rows and the skips of a pass stand."""
    rows = course.rows
    roads = _roads(rows, course.skips)
    lanes, left_out = _lanes(roads)
    x = MARGIN + LANE * max(lanes.values(), default=0) + 4
    on_lane = {row: lane for road, lane in lanes.items() for row in (road.start, *road.rows) if rows[row].beside}
    dots = tuple(_dot(rows[index], index, on_lane.get(index, 0), x) for index in range(len(rows)))
    labels, width = _labels(rows, x + 20)
    arcs = tuple(
        Arc(road.start, road.end, lane, road.status, _corners(dots[road.start], dots[road.end], x - LANE * lane))
        for road, lane in sorted(lanes.items(), key=lambda item: (item[0].end, item[0].start, item[1]))
    )
    broken = any(row.kind == "failed" for row in rows)
    return Spine(width, ROW * len(rows) + MARGIN, x, dots, labels, arcs, broken, left_out)


# Skips between rows


@dataclass(frozen=True, slots=True)
class _Road:
    """A skip as rows: where it starts and ends, and the rows of its own calls."""

    start: int
    end: int
    rows: tuple[int, ...]
    status: Status


def _roads(rows: Sequence[Row], skips: Sequence[Skip]) -> list[_Road]:
    """The skips between different rows, each once."""
    of_call = {number: index for index, row in enumerate(rows) for number in row.calls}
    of_value: dict[int | None, int] = {row.value: at for at, row in enumerate(rows) if row.value is not None}
    found: dict[_Road, None] = {}
    for skip in skips:
        start = of_call.get(skip.after) if skip.after is not None else of_value.get(skip.given)
        end = of_call.get(skip.into)
        own = tuple(sorted({of_call[call] for call in skip.calls if call in of_call and rows[of_call[call]].beside}))
        if start is None and own:  # made from nothing that is drawn: it begins with its own first call
            start = own[0]
        if start is None or end is None or start >= end:
            continue
        statuses = {junction.status for junction in rows[end].junctions}
        found[_Road(start, end, own, _worst(statuses))] = None
    return list(found)


def _worst(statuses: set[Status]) -> Status:
    return "mismatch" if "mismatch" in statuses else "broadcast" if "broadcast" in statuses else "ok"


def _lanes(roads: Sequence[_Road]) -> tuple[dict[_Road, int], int]:
    """The lane of each road, short ones next to the spine, and how many roads have none.

    Roads that leave the same row and have no calls of their own share a lane: one trunk with several ends.
    """
    trunks: dict[object, list[_Road]] = {}
    for road in roads:
        trunks.setdefault(road if road.rows else road.start, []).append(road)
    taken: list[list[tuple[int, int]]] = []
    lanes: dict[_Road, int] = {}
    left_out = 0
    spans = [(min(r.start for r in own), max(r.end for r in own), own) for own in trunks.values()]
    for start, end, own in sorted(spans, key=lambda span: (span[1] - span[0], span[0])):
        free = (at for at, lane in enumerate(taken) if all(end <= first or start >= last for first, last in lane))
        lane = next(free, len(taken))
        if lane >= MOST_LANES:
            left_out += len(own)
            continue
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        lanes.update(dict.fromkeys(own, lane + 1))
    return lanes, left_out


# Points


def _y(row: int) -> float:
    return MARGIN + ROW * row + 4


def _corners(start: Dot, end: Dot, aside: float) -> tuple[Point, ...]:
    """From one dot to the other by way of a lane; either may stand in a lane itself."""
    return (start.x, start.y), (aside, start.y), (aside, end.y), (end.x, end.y)


def _dot(row: Row, index: int, lane: int, x: float) -> Dot:
    status = _worst({junction.status for junction in row.junctions}) if row.junctions else None
    return Dot(index, lane, x - LANE * lane, _y(index), row.kind, status, row.told)


def _labels(rows: Sequence[Row], x: float) -> tuple[tuple[Label, ...], float]:
    """The words of the rows in columns, and the width that all takes."""
    words = [tuple(_cut(text, most) for text, most in zip((row.name, row.shape, row.what), WIDEST, strict=True))
             for row in rows]  # fmt: skip
    labels: list[Label] = []
    for column in range(len(WIDEST)):
        widest = max((len(each[column]) for each in words), default=0)
        for index, each in enumerate(words):
            if each[column]:
                labels.append(Label(index, column, x, _y(index), each[column]))
        x += widest * CHARACTER + (GAP if widest else 0)
    return tuple(labels), x


def _cut(text: str, most: int) -> str:
    """The text, or its beginning and its end: the ends of long paths tell more than their middle."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[len(text) - most // 2 :]}"
