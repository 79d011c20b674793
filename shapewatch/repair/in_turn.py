"""A list that a loop reads in another order than was meant: the skips of a U-Net, taken from the first one on.

Where each turn of the loop takes the entry from the other end and then the whole pass finishes, no layer is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapewatch.adapters.entries import Taking, given_to_call, taking
from shapewatch.adapters.operand import operand_text, which_of_line
from shapewatch.adapters.statements import statement
from shapewatch.edits import Insert, Module
from shapewatch.recording import Call, Recording
from shapewatch.repair.another_variable import sites
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_WORTH = 0.95

_MOST_TURNS = 8

_ORDERS = ((-1, 0), (1, 0), (-1, 1), (1, 1))
"""From which end, and how many of the first are left out: the deepest map is mostly no skip."""


def in_another_order(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    if evidence.case.call.kind == "loss":
        return
    for hops, site in sites(evidence):
        for operand in range(len(site.operands)) if site.span is not None else ():
            found = taking(site.span, text_of_operand(operand, site, recording)) if site.span is not None else None
            if found is None:
                continue
            for step, beyond in _ORDERS:
                if found.in_order(step, beyond) is not None:
                    edits = tuple(_edits(found, site, operand, step, beyond, recording))
                    yield Candidate(edits, _WORTH - 0.02 * hops - 0.1 * beyond, hops, (), needs_proof=True)


def text_of_operand(operand: int, site: Call, recording: Recording) -> str | None:
    """What the line of a call says for one of its operands."""
    source = statement(site.span)
    if site.is_layer:
        named = operand_text(source, operand, "", site.layer.rpartition(".")[2]) or operand_text(source, operand)
        return named or given_to_call(source, len(site.operands), operand)
    return operand_text(source, operand, site.name, "", which_of_line(site, recording))


def _edits(found: Taking, site: Call, operand: int, step: int, beyond: int, recording: Recording) -> Iterator[Insert]:
    entries = _entries(site.operands[operand], recording)
    for turn, place in enumerate(turns(site, recording)):
        index = beyond + turn if step > 0 else -1 - beyond - turn
        arguments = {
            "name": found.name,
            "instead": found.taken,
            "index": index,
            "taking": found,
            "order": (step, beyond),
        }
        if -len(entries) <= index < len(entries):
            spec = recording.values[entries[index]].spec
            arguments |= {"shape": spec.shape, "dtype": spec.dtype}
        yield Insert(place, operand, Module("value", arguments))


def turns(site: Call, recording: Recording) -> Sequence[str]:
    """The places of a line in the turns of a loop: a layer of a list is another one in each."""
    path, name, occurrence = site.place.rsplit(":", 2)
    if site.is_layer:
        row = path.rpartition(".")[0] if path.rpartition(".")[2].isdigit() else path.rpartition("[")[0]
        beside = [
            each.path
            for each in recording.layers
            if each.type == name
            and row
            and each.path.startswith(row)
            and each.path.removeprefix(row)[1:].strip("]").isdigit()
        ]
        return [f"{each}:{name}:0" for each in beside] or [site.place]
    earlier = [
        call for call in recording.calls if (call.name, call.span, call.parent) == (name, site.span, site.parent)
    ]
    turn = sum(call.number < site.number for call in earlier)
    first = int(occurrence) - turn
    return [f"{path}:{name}:{first + number}" for number in range(_MOST_TURNS)]


def _entries(value: int, recording: Recording) -> Sequence[int]:
    """What the line has made that made a value, one after the other: what a list of it holds."""
    maker = recording.producer.get(value)
    if maker is None or value not in maker.results:
        return ()
    which = maker.results.index(value)
    alike = [call for call in recording.calls if call.span == maker.span and call.is_layer == maker.is_layer]
    alike = [call for call in alike if call.kind == maker.kind and len(call.results) > which]
    return [call.results[which] for call in alike]
