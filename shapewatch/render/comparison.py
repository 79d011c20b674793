"""Where two recorded passes part, as a document.

The first place comes first, with both lines of source; what follows from it is counted, and what does not is listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shapewatch.flow.differences import AxisDiffers, Comparison, Differs, InputDiffers, Match, OnlyIn, Side
from shapewatch.recording import Call, Recording, Span, spoken
from shapewatch.render import naming
from shapewatch.render.document import (
    Blank,
    Block,
    Cell,
    Column,
    Document,
    Indented,
    Labelled,
    Line,
    Paragraph,
    Row,
    Run,
    Table,
    runs,
)

MOST_FURTHER = 8
"""More differences than this are counted, not told."""

MOST_NAMES = 4

STRANGERS = 0.3
"""Where fewer of the calls than this have a partner, the two are probably not one model."""

COLUMNS = (Column(), Column(tight="cut"), Column(tight="cut"), Column())
"""Of the two calls that part: the side, the call, its type and settings, what it gives."""

Origin = InputDiffers | OnlyIn | Differs


@dataclass(frozen=True)
class Compared:
    """Two recordings, what they are called, and what was found when they were laid beside each other."""

    comparison: Comparison
    a: Recording
    b: Recording
    names: tuple[str, str]

    def recording(self, side: Side) -> Recording:
        return self.a if side == "a" else self.b

    @property
    def origins(self) -> tuple[Origin, ...]:
        return (*self.comparison.inputs, *self.comparison.origins)


def compose_comparison(compared: Compared) -> Document:
    sections = [_sides(compared), *_parting(compared), _rest(compared)]
    blocks: list[Block] = []
    for section in sections:
        blocks += [Blank(), *section] if blocks and section else section
    return Document(tuple(blocks))


def _sides(compared: Compared) -> list[Block]:
    blocks: list[Block] = []
    for side, name in zip(("A", "B"), compared.names, strict=True):
        recording = compared.recording(_side(side))
        told: list[Block] = [Paragraph(runs(Run(name, "place"), f": {_course(recording)}"))]
        if recording.failure is not None:
            told.append(Paragraph(runs(Run("fails", "error"), _failure(recording)), limit=3))
        blocks.append(Labelled(side, tuple(told)))
    return blocks


def _side(letter: str) -> Side:
    return "a" if letter == "A" else "b"


def _course(recording: Recording) -> str:
    root = f" {recording.root}" if recording.root else ""
    return f"{recording.framework}{root}, {naming.counted(len(recording.calls), 'call')}"


def _failure(recording: Recording) -> str:
    """` in layer2.0 at train.py:41: RuntimeError: …`."""
    failure, call = recording.failure, recording.failing_call()
    assert failure is not None
    span = failure.span or (call.span if call else None)
    where = f" in {naming.layer_name(call.layer)}" if call is not None else ""
    first, *_ = [*failure.message.splitlines(), ""]
    return f"{where}{f' at {naming.place(span)}' if span else ''}: {failure.type}: {first}".rstrip(": ")


def _parting(compared: Compared) -> list[list[Block]]:
    """The first place where they part; or that they do not."""
    comparison = compared.comparison
    if not compared.origins:
        return [[Paragraph(runs(Run(_alike(compared), "good" if comparison.same else "strong")))]]
    first = compared.origins[0]
    subject, predicate = _words(compared, first)
    opening = Paragraph(runs(Run("they part at ", "error"), Run(subject, "strong"), f": {predicate}"))
    rows = tuple(row for side in ("A", "B") for row in _rows(compared, first, side))
    blocks: list[Block] = [opening]
    if rows:
        blocks.append(Indented((Table(COLUMNS, rows), *_sources(compared, first))))
    return [blocks]


def _alike(compared: Compared) -> str:
    """`the same: 23 calls, channels first in one and channels last in the other`."""
    comparison = compared.comparison
    told = [f"the same: {naming.counted(comparison.matches, 'call')}"]
    if comparison.layouts_differ:
        told.append("channels first in one and channels last in the other")
    if all(comparison.failed):
        told.append("and both fail")
    elif any(comparison.failed):
        told.append(f"and then {'A' if comparison.failed[0] else 'B'} fails")
    return ", ".join(told)


def _rows(compared: Compared, origin: Origin, side: str) -> Iterator[Row]:
    for call in _calls(compared, origin, _side(side))[:MOST_NAMES]:
        recording = compared.recording(_side(side))
        layer = recording.layer_at.get(call.layer) if call.is_layer else None
        what = f"{layer.type} {naming.settings(layer)}".strip() if layer is not None else ""
        gives = naming.listed([naming.sizes(recording.shape(number)) for number in call.results])
        yield tuple(Cell(runs(word)) for word in (side, _name(call), what, gives if call.finished else "not finished"))


def _calls(compared: Compared, origin: Origin, side: Side) -> list[Call]:
    if isinstance(origin, Differs):
        return [compared.recording(side).calls[origin.a if side == "a" else origin.b]]
    if isinstance(origin, OnlyIn) and origin.side == side:
        return [compared.recording(side).calls[number] for number in origin.calls]
    return []


def _sources(compared: Compared, origin: Origin) -> Iterator[Block]:
    """Both places, with their lines."""
    for side in ("A", "B"):
        for call in _calls(compared, origin, _side(side))[:1]:
            span = place_of(compared.recording(_side(side)), call)
            if span is not None:
                place = Run(naming.place(span), "place")
                yield Line(runs(f"{side}  ", place, "  ", Run(span.source or "", "code")))


def place_of(recording: Recording, call: Call) -> Span | None:
    """Where a layer is made, if that is known; or else where it is called."""
    layer = recording.layer_at.get(call.layer) if call.is_layer else None
    return (layer.defined if layer is not None else None) or call.span


def _rest(compared: Compared) -> list[Block]:
    comparison, further = compared.comparison, compared.origins[1:]
    blocks: list[Block] = []
    if compared.origins:
        blocks.append(Labelled("alike", (Paragraph(runs(_before(comparison, compared.origins[0]))),)))
    if following := _following(comparison):
        blocks.append(Labelled("then", (Paragraph(runs(following)),)))
    if further:
        told: list[Block] = [Paragraph(_told_in_line(compared, origin)) for origin in further[:MOST_FURTHER]]
        if len(further) > MOST_FURTHER:
            more = naming.counted(len(further) - MOST_FURTHER, "more difference")
            told.append(Paragraph(runs(f"… {more}; --format json has them all")))
        blocks.append(Labelled("also", tuple(told)))
    if notes := list(_notes(compared)):
        blocks.append(Labelled("note", tuple(Paragraph(runs(note)) for note in notes)))
    return blocks


def _before(comparison: Comparison, first: Origin) -> str:
    """`22 calls are the same, 11 of them before this`."""
    at = 0 if isinstance(first, InputDiffers) else comparison.entries.index(first)
    before = sum(isinstance(entry, Match) for entry in comparison.entries[:at])
    same = f"{naming.counted(comparison.matches, 'call')} {'is' if comparison.matches == 1 else 'are'} the same"
    if not comparison.matches:
        return same
    return (
        f"{same}, {'all' if before == comparison.matches else f'{before:,}' if before else 'none'} of them before this"
    )


def _following(comparison: Comparison) -> str:
    """`6 further calls differ as a consequence; 41 calls are not reached in B`."""
    told = []
    if comparison.consequences:
        differ = "differs" if comparison.consequences == 1 else "differ"
        told.append(f"{naming.counted(comparison.consequences, 'further call')} {differ} as a consequence")
    if comparison.not_reached:
        reached = "is" if comparison.not_reached == 1 else "are"
        where = "B" if comparison.failed[1] else "A"
        told.append(f"{naming.counted(comparison.not_reached, 'call')} {reached} not reached in {where}")
    return "; ".join(told)


def _notes(compared: Compared) -> Iterator[str]:
    comparison = compared.comparison
    if comparison.batches is not None:
        yield f"the batches are {comparison.batches[0]} and {comparison.batches[1]}; another batch is no difference"
    if comparison.layouts_differ and compared.origins:
        yield "images have their channels first in one and last in the other; that is no difference"
    pairs = sum(not isinstance(entry, OnlyIn) for entry in comparison.entries)
    alone = sum(len(entry.calls) for entry in comparison.entries if isinstance(entry, OnlyIn) and not entry.not_reached)
    if pairs < STRANGERS * (pairs + alone):
        yield f"{naming.counted(pairs, 'pair')} of calls found, {alone:,} calls without a partner: hardly one model"


# In words


def _told_in_line(compared: Compared, origin: Origin) -> tuple[Run, ...]:
    places = []
    for side in ("A", "B"):
        for call in _calls(compared, origin, _side(side))[:1]:
            if (span := place_of(compared.recording(_side(side)), call)) is not None:
                places.append(naming.place(span))
    joined = naming.listed(list(dict.fromkeys(places)))
    return runs(": ".join(_words(compared, origin)), f" ({joined})" if joined else "")


def _words(compared: Compared, origin: Origin) -> tuple[str, str]:
    """`layer2.0.conv1`, and what is not the same of it: `stride 2 in A, 1 in B`."""
    if isinstance(origin, InputDiffers):
        several = len(compared.a.inputs) > 1
        name = f"input {origin.index + 1}" if several else "the input"
        one, other = (
            naming.sizes(recording.shape(recording.inputs[origin.index])) for recording in (compared.a, compared.b)
        )
        return name, f"{one} in A, {other} in B"
    if isinstance(origin, OnlyIn):
        calls = _calls(compared, origin, origin.side)
        names = [_name(call) for call in calls]
        shown = naming.listed(names) if len(names) <= MOST_NAMES else f"{names[0]} to {names[-1]}"
        count = f"{naming.counted(len(names), 'call')} from " if len(names) > MOST_NAMES else ""
        return f"{count}{shown}", f"only in {origin.side.upper()}"
    a, b = compared.a.calls[origin.a], compared.b.calls[origin.b]
    name = _name(a) if _name(a) == _name(b) else f"{_name(a)} (A) and {_name(b)} (B)"
    told = [f"{each.name} {_value(each.a)} in A, {_value(each.b)} in B" for each in origin.settings]
    if origin.failed is not None:
        told.append(f"fails in {origin.failed.upper()} only")
    if not told and len({(axis.a, axis.b) for axis in origin.axes}) == 1:
        told.append(f"given the same, {_axes(origin.axes)}")
    if not told:
        gives = [
            naming.listed([naming.sizes(r.shape(n)) for n in c.results]) for r, c in ((compared.a, a), (compared.b, b))
        ]
        told.append(f"given the same, {gives[0]} in A, {gives[1]} in B")
    return name, "; ".join(told)


def _name(call: Call) -> str:
    return (
        naming.layer_name(call.layer)
        if call.is_layer
        else call.name + (f" in {spoken(call.layer)}" if call.layer else "")
    )


def _axes(axes: tuple[AxisDiffers, ...]) -> str:
    """`height and width are 16 in A, 8 in B`."""
    names = [each.axis for each in axes]
    return f"{naming.axes_listed(names)} {naming.verb(names, 'is', 'are')} {axes[0].a} in A, {axes[0].b} in B"


def _value(value: Any) -> str:
    """`2` for `(2, 2)`, `2x1` for `(2, 1)`."""
    if isinstance(value, tuple) and value and all(isinstance(one, int | float) for one in value):
        return str(value[0]) if len(set(value)) == 1 else "x".join(map(str, value))
    return str(value)
