"""A line that takes another variable than was meant: `conv2(x)` for `conv2(out)`.

Nobody makes a value for nothing. Where a line on the way to the failure takes another variable than one that is read
nowhere, and with that value in its place everything fits, the line has the wrong name in it, and no layer is wrong. Of
variables that are read elsewhere nothing tells; they are tried last, where no single change mends all.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shapewatch.adapters.unread import Bound, Line, handed_to, line_at
from shapewatch.edits import Insert, Module
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Recording
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.odd_operations import before
from shapewatch.rules.branches_differ import ELEMENTWISE

_WORTH = 0.95
_WORTH_IF_READ = -0.6

_MOST_BEFORE = 40
"""So many units before the failure are asked: few lines have a variable to choose."""

_MOST_TRIED = 4
"""So many variables are tried that are read elsewhere: nothing but the pass speaks for them."""

_FURTHER = 0.1
"""How much less is to be said for each statement between the value that nobody reads and the line that might."""


@dataclass(frozen=True)
class Reading:
    """A call that takes a variable as one of its operands, and what the variables of its function hold there."""

    hops: int
    site: Call
    line: Line
    operand: int
    taken: Bound
    values: Mapping[str, int | None]
    held: _Held


def another_variable(evidence: Evidence) -> Iterator[Candidate]:
    readings = list(_readings(evidence))
    yield from _unread_values(readings, evidence)
    yield from _unread_by_a_caller(evidence)
    yield from islice(_values_read_elsewhere(readings, evidence.case.graph), _MOST_TRIED)


def _unread_values(readings: Sequence[Reading], evidence: Evidence) -> Iterator[Candidate]:
    graph = evidence.case.graph
    known: set[frozenset[str]] = set()
    for reading in readings:
        for bound in reading.line.variables:
            value, site = reading.values[bound.name], reading.site
            if bound.read or bound.name in reading.line.reads or (bound.lines and not _is_new(value, graph)):
                continue
            edits = tuple(_edits(reading, bound, graph))
            places = frozenset(map(repr, edits))
            if places in known:
                continue
            known.add(places)
            made = f"which line {bound.lines.start} makes" if bound.lines else "which is given too"
            said = f"`{bound.name}`, {made}, is used by nothing"
            worth = _WORTH - 0.02 * reading.hops - _FURTHER * bound.statements_ago
            fits = _fits(value, site.operands[reading.operand], evidence)
            proven = fits or _keeps_the_batch(value, site, graph)
            yield Candidate(edits, worth, reading.hops, (said,), needs_proof=not proven)


def _unread_by_a_caller(evidence: Evidence) -> Iterator[Candidate]:
    """A value that nobody reads in a forward that hands another one to a method of its class: `self.decode(x)` for
    `self.decode(z)`."""
    values = evidence.case.recording.values
    for hops, site in sites(evidence):
        data = [at for at, value in enumerate(site.operands) if values[value].origin not in ("parameter", "buffer")]
        line = line_at(site.span) if site.span is not None and len(data) == 1 else None
        arguments = set(line.arguments) & set(line.reads) if line is not None else set()
        for handed in (each for name in arguments if site.span is not None for each in handed_to(name, site.span)):
            outer = line_at(handed.span)
            for bound in outer.variables if outer is not None else ():
                if bound.read or not bound.lines or bound.name == handed.variable:
                    continue
                said = f"`{bound.name}`, which line {bound.lines.start} makes, is used by nothing"
                names = {"name": bound.name, "instead": handed.variable, "within": handed.within, "span": handed.span}
                edit = Insert(site.place, data[0], Module("value", names))
                worth = _WORTH - 0.02 * hops - _FURTHER * bound.statements_ago
                yield Candidate((edit,), worth, hops, (said,), needs_proof=True)


def _values_read_elsewhere(readings: Sequence[Reading], graph: Graph) -> Iterator[Candidate]:
    """Variables that were made last before the line: with one of these, what would else be two mistakes is none."""
    found = []
    for reading in readings:
        shape = graph.recording.shape(reading.site.operands[reading.operand])
        for bound in reading.line.variables:
            value = reading.values[bound.name]
            made = bool(bound.lines) and bound.read and bound.name not in reading.line.reads and value in graph.producer
            if made and value is not None and len(shape) == len(graph.recording.shape(value)):
                found.append((reading.hops, bound.statements_ago, reading, bound))
    for hops, _, reading, bound in sorted(found, key=lambda each: each[:2]):
        said = f"line {bound.lines.start} makes `{bound.name}`"
        edits = tuple(_edits(reading, bound, graph))
        yield Candidate(edits, _WORTH_IF_READ - 0.02 * hops, hops, (said,), needs_proof=True)


def _readings(evidence: Evidence) -> Iterator[Reading]:
    graph, held = evidence.case.graph, _Held(evidence.case.recording)
    for hops, site in sites(evidence):
        line = None if site.span is None else line_at(site.span)
        if line is not None:
            values = {bound.name: held.value(bound, site, line) for bound in line.variables}
            for operand, taken in _taken(site, line, values, graph):
                yield Reading(hops, site, line, operand, taken, values, held)


def sites(evidence: Evidence) -> Iterator[tuple[int, Call]]:
    """The units on the way to the failure, each with the layers around it that it has an operand from."""
    calls = evidence.case.recording.calls
    seen: set[int] = set()
    for hops, unit in before(evidence, _MOST_BEFORE):
        site: Call | None = unit
        while site is not None and site.number not in seen:
            seen.add(site.number)
            yield hops, site
            around = calls[site.parent] if site.parent is not None else None
            site = around if around is not None and set(around.operands) & set(unit.operands) else None


class _Held:
    """What variables hold, by the last call in the statement that gave each its value."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._inside: dict[int | None, list[Call]] = defaultdict(list)
        for call in recording.calls:
            self._inside[call.parent].append(call)

    def value(self, bound: Bound, site: Call, line: Line) -> int | None:
        """What a variable holds at a call; of an argument, what the layer around it was called with."""
        if not bound.lines:
            given = self._recording.calls[site.parent].operands if site.parent is not None else ()
            return given[line.arguments.index(bound.name)] if len(given) == len(line.arguments) else None
        before = (call for call in self._inside[site.parent] if call.number < site.number and call.finished)
        made = [call for call in before if _is_in(call, bound.lines, site)]
        results = made[-1].results if made else ()
        if bound.position is None:
            return results[0] if len(results) == 1 else None
        if len(results) < 2:  # `a, b = f(x), g(y)`
            taken = {operand for call in made for operand in call.operands}
            results = tuple(result for call in made for result in call.results if result not in taken)
        return results[bound.position] if bound.position < len(results) else None


def _is_in(call: Call, lines: range, site: Call) -> bool:
    """Whether a call stands on these lines, and runs in the forward that this one runs in."""
    if call.parent != site.parent or call.span is None or site.span is None:
        return False
    return call.span.file == site.span.file and call.span.line in lines


def _is_new(value: int | None, graph: Graph) -> bool:
    """Whether a value was made by a call, and no call has taken it."""
    return value is not None and value in graph.producer and value not in graph.consumers


def _fits(value: int | None, taken: int, evidence: Evidence) -> bool:
    """Whether a value is of a shape that what failed would accept in the place of the one that it was given."""
    recording, case = evidence.case.recording, evidence.case
    wants = [want for want in evidence.finding.wants if want.value == taken]
    shape = () if value is None else recording.shape(value)
    if case.call.kind in ELEMENTWISE and len(case.shapes) == 2 and taken in case.call.operands and len(shape) > 0:
        other = case.shapes[1 - case.call.operands.index(taken)]
        if shape == other and len(case.shapes[0]) != len(case.shapes[1]):
            return True
    same_rank = all(len(shape) == len(recording.shape(want.value)) for want in wants)
    demands = [(axis, sizes) for want in wants for axis, sizes in want.demand.items()]
    return bool(wants) and same_rank and all(shape[axis] in sizes for axis, sizes in demands)


def _keeps_the_batch(value: int | None, site: Call, graph: Graph) -> bool:
    """Whether a reshape, which makes other samples of what it takes, would make as many of a value as there are."""
    if site.kind != "reshape" or value is None or not site.results:
        return False
    made, taken, other = (graph.recording.shape(each)[1:] for each in (site.results[0], site.operands[0], value))
    if None in (*made, *taken, *other) or not made:
        return False
    return math.prod(other) == math.prod(made) != math.prod(taken)  # type: ignore[arg-type]


def _taken(site: Call, line: Line, values: Mapping[str, int | None], graph: Graph) -> Iterator[tuple[int, Bound]]:
    """The operands that a line takes by the name of a variable, which is read elsewhere too. One that holds what no
    call of this forward made is known by being the only such."""
    named = [bound for bound in line.variables if line.reads.get(bound.name) == 1]
    known = {values[bound.name]: bound for bound in named if values[bound.name] is not None}
    makers = {value: graph.recording.producer.get(value) for value in site.operands}
    given = [
        value
        for value, maker in makers.items()
        if value not in known
        and graph.recording.values[value].origin not in ("parameter", "buffer")
        and (maker is None or not _is_in(maker, line.lines, site))
    ]
    nameless = [bound for bound in named if values[bound.name] is None and bound.name not in line.settings]
    if len(given) == len(nameless) == 1:
        known[given[0]] = nameless[0]
    for operand, value in enumerate(site.operands):
        if value in known and known[value].read:
            yield operand, known[value]


def _edits(reading: Reading, bound: Bound, graph: Graph) -> Iterator[Insert]:
    """The change of the line wherever it runs, here first: also in layers of the same class that have not run yet."""
    site, line, operand, taken = reading.site, reading.line, reading.operand, reading.taken
    recording = graph.recording
    again = [c for c in recording.calls if (c.name, c.span, c.is_layer) == (site.name, site.span, site.is_layer)]
    places = set()
    for call in (site, *again):
        value = reading.held.value(bound, call, line)
        if call.place in places or (value is None and bound.lines):
            continue
        places.add(call.place)
        spec = recording.values[value].spec if value is not None else None
        held = {} if spec is None else {"shape": spec.shape, "dtype": spec.dtype}
        yield Insert(call.place, operand, Module("value", {"name": bound.name, "instead": taken.name, **held}))
    around = recording.layer_at.get(recording.calls[site.parent].layer) if site.parent is not None else None
    if around is None:
        return
    for layer in recording.layers:
        place = f"{layer.path}{site.place.removeprefix(around.path)}"
        if layer.type == around.type and place not in places:
            yield Insert(place, operand, Module("value", {"name": bound.name, "instead": taken.name}))
