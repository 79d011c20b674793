"""Which calls of a pass share a row of its drawing, so that a model of a thousand calls can still be read.

The drawing is as close as it can be within `MOST_ROWS`: each call in a row of its own; calls that keep the shape beside
the one before them; the calls of a block in one row; all calls between two junctions; and of blocks that repeat each
other the first, and a row for the rest. A junction begins its row, or is one of several in a row for the rest. What a
diagnosis tells of has a row of its own, in a block that is not folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Literal

from shapewatch.flow.junctions import Graph, Junction
from shapewatch.recording import Call
from shapewatch.render import naming
from shapewatch.render.pass_of import calls_of_the_pass
from shapewatch.render.skips import Skip, placed, skips_of
from shapewatch.report import Report

MOST_ROWS = 60
"""As many rows can be taken in."""

MOST_DRAWN = 240
"""Where even the closest folding leaves more rows, those in the middle become one."""

MOST_INPUTS = 12
"""Of more inputs, the others are not drawn, and no number."""

MOST_NAMES = 40
"""Characters that the names of the calls of a row may take."""

KEEPING = frozenset({"activation", "squash", "norm", "dropout", "identity", "same"})
"""Kinds of calls that go beside the one before them where the shape stays."""

FEWEST_ALIKE = 3
"""Fewer blocks that repeat each other are all drawn."""

Closeness = Literal["call", "shape", "block", "road"]
Kind = Literal["call", "input", "output", "failed", "fold"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the numbers of its calls, its words, the junctions among its calls. An input has no call but a `value`.
    `beside`: its calls, or its value, are a skip's own. `told`: a diagnosis is about it."""

    calls: tuple[int, ...]
    name: str
    shape: str
    what: str = ""
    kind: Kind = "call"
    junctions: tuple[Junction, ...] = ()
    beside: bool = False
    told: bool = False
    value: int | None = None


@dataclass(frozen=True)
class Course:
    """A pass as rows, and the branches beside its spine."""

    rows: tuple[Row, ...]
    skips: tuple[Skip, ...]


def course_of(report: Report) -> Course:
    """The rows in the order of the calls. No rows where no call was recorded."""
    graph, junctions = Graph(report.recording), placed(report.recording, report.junctions)
    told = told_calls(report, graph)
    units = calls_of_the_pass(graph, told)
    junctions = {unit.number: junctions[unit.number] for unit in units if unit.number in junctions}
    skips = skips_of(graph, junctions)
    failed = graph.failing_unit() if report.recording.failure is not None else None
    folding = _Folding(report, tuple(units), told, failed.number if failed is not None else None, junctions, skips)
    rows: list[Row] = []
    for closeness in ("call", "shape", "block", "road"):
        rows = folding.rows(closeness)
        if len(rows) <= MOST_ROWS:
            break
    else:
        rows = folding.cut_short(folding.without_repetition(rows))
    return Course((*folding.inputs(), *rows, *folding.output()) if rows else (), skips)


def told_calls(report: Report, graph: Graph) -> frozenset[int]:
    """The calls that a diagnosis is about, and the one that failed."""
    blamed = {each.cause.layer for each in report.diagnoses if each.cause is not None and each.cause.layer}
    places = {each.junction.id for each in report.diagnoses if each.junction is not None}
    found = {unit.number for unit in graph.units if (unit.is_layer and unit.layer in blamed) or unit.place in places}
    failed = graph.failing_unit()
    return frozenset(found if failed is None else found | {failed.number})


@dataclass(frozen=True)
class _Folding:
    """The calls of a pass on their way to rows; what several steps need is found once."""

    report: Report
    units: tuple[Call, ...]
    told: frozenset[int]
    failed: int | None
    junctions: dict[int, Junction]
    skips: tuple[Skip, ...]

    @cached_property
    def beside(self) -> dict[int, int]:
        """The calls that stand beside the spine, with the number of the skip that they are on."""
        return {call: number for number, skip in enumerate(self.skips) for call in skip.calls}

    @cached_property
    def starts(self) -> set[int]:
        """The calls after which a branch leaves the spine."""
        return {skip.after for skip in self.skips if skip.after is not None}

    @cached_property
    def homes(self) -> set[int]:
        """The calls of layers in which branches meet."""
        parents = {self.report.calls[call].parent for call in self.junctions}
        return {parent for parent in parents if parent is not None}

    @cached_property
    def told_homes(self) -> set[int | None]:
        return {self.home(self.report.calls[number]) for number in self.told}

    def around(self, call: Call) -> tuple[int, ...]:
        """The calls of layers that a call is in, the outermost first, and itself."""
        found = [call.number]
        while call.parent is not None:
            call = self.report.calls[call.parent]
            found.append(call.number)
        return tuple(reversed(found))

    def home(self, call: Call) -> int | None:
        """The innermost call around this one in which branches meet."""
        return next((number for number in reversed(self.around(call)[:-1]) if number in self.homes), None)

    # Calls to rows

    def rows(self, closeness: Closeness) -> list[Row]:
        groups: list[list[Call]] = []
        for unit in self.units:
            if groups and self.joins(groups[-1], unit, closeness):
                groups[-1].append(unit)
            else:
                groups.append([unit])
        return [self.row(group) for group in groups]

    def joins(self, group: list[Call], unit: Call, closeness: Closeness) -> bool:
        """Whether a call goes into the row of those before it."""
        last = group[-1]
        if unit.number in self.junctions or last.number in self.starts or {unit.number, last.number} & self.told:
            return False
        if self.beside.get(unit.number) != self.beside.get(last.number) or closeness == "call":
            return False
        home = self.home(unit)
        if closeness == "shape" or home in self.told_homes or group[0].number in self.junctions:
            return unit.kind in KEEPING and last.parent == unit.parent and self.shape(last) == self.shape(unit)
        if home != self.home(last):
            return False
        return closeness == "road" or self.block(unit, home) == self.block(last, home)

    def block(self, call: Call, home: int | None) -> int:
        """The call in which a call is, as seen from its home: one of the home's own."""
        around = self.around(call)
        return around[min(around.index(home) + 1 if home is not None else 1, len(around) - 1)]

    def row(self, group: Sequence[Call]) -> Row:
        first, last = group[0], group[-1]
        junction = self.junctions.get(first.number)
        failed = self.failed in {call.number for call in group}
        alone = all(call.kind in KEEPING for call in group[1:])
        what = self.description(first) if alone else naming.counted(len(group), "call")
        if junction is not None:
            what = met(junction)
        return Row(
            tuple(call.number for call in group),
            self.names(group),
            self.shape(last) or ("raised here" if failed else ""),
            what,
            "failed" if failed else "call",
            () if junction is None else (junction,),
            first.number in self.beside,
            bool(self.told & {call.number for call in group}),
        )

    def names(self, group: Sequence[Call]) -> str:
        """`layer1.0.conv1, bn1, relu`; of many, the first and the last."""
        first, *others = group
        around = first.layer.rpartition(".")[0] if first.is_layer else first.layer
        short = [naming.within(each.layer, around) if each.is_layer else each.name for each in others]
        whole = ", ".join([self.name(first), *short])
        return whole if len(whole) <= MOST_NAMES or not short else f"{self.name(first)} … {short[-1]}"

    def name(self, call: Call) -> str:
        if call.is_layer:
            return naming.layer_name(call.layer)
        return f"{naming.layer_name(call.layer)} {call.name}" if call.layer else call.name

    def description(self, call: Call) -> str:
        layer = self.report.recording.layer_at.get(call.layer) if call.is_layer else None
        return f"{layer.type} {naming.settings(layer)}".strip() if layer is not None else ""

    def shape(self, call: Call) -> str:
        shapes = self.report.output_shapes(call)
        others = f" and {naming.counted(len(shapes) - 1, 'other')}" if len(shapes) > 1 else ""
        return f"{naming.sizes(shapes[0])}{others}" if shapes else ""

    # Around the calls

    def inputs(self) -> Iterator[Row]:
        recording = self.report.recording
        given = [skip.given for skip in self.skips if skip.given is not None and recording.shape(skip.given)]
        by_skips = {(skip.into, skip.operand) for skip in self.skips if not skip.calls}
        spine = [unit for unit in self.units if unit.number not in self.beside]
        on_spine = {value for unit in spine for operand, value in enumerate(unit.operands)
                    if (unit.number, operand) not in by_skips}  # fmt: skip
        for number in list(dict.fromkeys([*recording.inputs, *given]))[:MOST_INPUTS]:
            value = recording.values[number]
            name = f"{value.origin if value.origin != 'call' else 'input'} {value.name or ''}".strip()
            beside = number in given and number not in on_spine
            yield Row((), name, naming.sizes(value.shape), kind="input", beside=beside, value=number)

    def output(self) -> Iterator[Row]:
        if self.report.recording.failure is None and (given := naming.output(self.report.output)):
            yield Row((), "output", given, kind="output")

    # Rows to fewer rows

    def without_repetition(self, rows: list[Row]) -> list[Row]:
        """Of blocks that repeat each other, outer ones first, the first, and one row for the others."""
        depth = 0
        deepest = max(len(self.around(unit)) for unit in self.units)
        while len(rows) > MOST_ROWS and depth < deepest:
            rows = self.folded_at(rows, depth)
            depth += 1
        return rows

    def folded_at(self, rows: list[Row], depth: int) -> list[Row]:
        blocks = [(key, list(own)) for key, own in groupby(rows, lambda row: self.common(row, depth))]
        folded: list[Row] = []
        for key, alike in groupby(blocks, lambda block: self.likeness(*block)):
            first, *others = alike
            folded += first[1]
            if key is None or len(others) + 1 < FEWEST_ALIKE:
                folded += [row for _, own in others for row in own]
            else:
                folded.append(
                    self.fold(first[0], [block for block, _ in others], [r for _, own in others for r in own])
                )
        return folded

    def common(self, row: Row, depth: int) -> int | None:
        """The call of a layer at this depth that all calls of a row are in."""
        if row.kind == "fold" or not row.calls:
            return None
        found = {self.around(self.report.calls[number])[:-1][depth : depth + 1] for number in row.calls}
        only = found.pop()
        return only[0] if not found and only else None

    def likeness(self, block: int | None, rows: list[Row]) -> tuple[object, ...] | None:
        """What is the same of blocks that repeat each other; None for one that stays as it is."""
        if block is None or any(row.told or row.kind == "fold" for row in rows):
            return None
        call = self.report.calls[block]
        layer = self.report.recording.layer_at.get(call.layer)
        kinds = tuple((tuple(self.report.calls[number].kind for number in row.calls), row.beside,
                       tuple((each.kind, each.status) for each in row.junctions)) for row in rows)  # fmt: skip
        return call.parent, layer.type if layer is not None else "", kinds

    def fold(self, first: int | None, blocks: Sequence[int | None], rows: Sequence[Row]) -> Row:
        paths = [self.report.calls[block].layer for block in blocks if block is not None]
        like = self.report.calls[first].layer.rpartition(".")[2] if first is not None else ""
        name = paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1].rpartition('.')[2]}"
        return _merged(rows, name, f"{naming.counted(len(paths), 'block')} like {like}")

    def cut_short(self, rows: list[Row]) -> list[Row]:
        """The beginning, the end and what is told of; a row for each stretch between."""
        if len(rows) <= MOST_DRAWN:
            return rows
        head, tail = MOST_DRAWN * 2 // 3, len(rows) - MOST_DRAWN // 3
        kept: list[Row] = []
        stays = [at < head or at >= tail or row.told for at, row in enumerate(rows)]
        for stay, stretch in groupby(zip(stays, rows, strict=True), lambda pair: pair[0]):
            own = [row for _, row in stretch]
            count = sum(len(row.calls) for row in own)
            kept += own if stay else [_merged(own, f"… {naming.counted(count, 'more call')}", "")]
        return kept


def _merged(rows: Sequence[Row], name: str, what: str) -> Row:
    calls = tuple(number for row in rows for number in row.calls)
    junctions = tuple(junction for row in rows for junction in row.junctions)
    if junctions:
        what = f"{what}, {naming.counted(len(junctions), 'junction')}".removeprefix(", ")
    return replace(rows[-1], calls=calls, name=name, what=what, kind="fold", junctions=junctions, beside=False)


def met(junction: Junction) -> str:
    """`2 branches fit`, `2 branches broadcast: [2, 16, 8, 8] and [2, 1, 8, 8]`."""
    number = naming.counted(len(junction.branches), "branch", "branches")
    if junction.status == "ok":
        return number
    shapes = naming.listed([naming.sizes(shape) for shape in dict.fromkeys(each.shape for each in junction.branches)])
    return f"{'broadcast' if junction.status == 'broadcast' else 'mismatch'}: {shapes}"
