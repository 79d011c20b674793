"""Which calls stand beside the spine of a model: what a branch goes through while another one is the main road.

A branch that is nobody's main road runs beside the spine from where it leaves it to its junction. Most have no call of
their own (an identity skip); a projection has one or two. In a dense block the branches of a junction are calls of
earlier main roads, so each begins at the call that gave it, and not at the fork that all have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shapewatch.flow.junctions import Branch, Graph, Junction
from shapewatch.recording import Recording


@dataclass(frozen=True, slots=True)
class Skip:
    """A branch beside the spine. It leaves after the call `after`, or with the value `given` that no call made;
    `calls` are its own, `into` is the call in which it meets the others."""

    into: int
    operand: int
    after: int | None
    given: int | None
    calls: tuple[int, ...]


def placed(recording: Recording, junctions: Sequence[Junction]) -> dict[int, Junction]:
    """The junctions by the number of their call. One that another pass met is found by its place."""
    found: dict[int, Junction] = {}
    for junction in junctions:
        here = recording.calls[junction.call : junction.call + 1]
        call = here[0] if here and here[0].place == junction.id else recording.at(junction.id)
        if call is not None:
            found[call.number] = junction
    return dict(sorted(found.items()))


def skips_of(graph: Graph, junctions: dict[int, Junction]) -> tuple[Skip, ...]:
    """The branches beside the spine, by junction."""
    spine = {step.call for each in junctions.values() for branch in each.branches if branch.role == "main"
             for step in branch.path}  # fmt: skip
    beside: set[int] = set()
    skips = []
    for call, junction in junctions.items():
        for branch in junction.branches:
            if branch.role == "main":
                continue
            own = _own(branch, spine | beside)
            beside.update(own)
            after, given = _start(graph, junction, branch, len(branch.path) - len(own))
            skips.append(Skip(call, branch.operand, after, given, own))
    return tuple(skips)


def _own(branch: Branch, others: set[int]) -> tuple[int, ...]:
    """The calls at the end of a branch that no other branch has."""
    own: list[int] = []
    for step in reversed(branch.path):
        if step.call in others:
            break
        own.insert(0, step.call)
    return tuple(own)


def _start(graph: Graph, junction: Junction, branch: Branch, shared: int) -> tuple[int | None, int | None]:
    """The call, or the value that no call made, from which a branch starts after `shared` steps."""
    recording = graph.recording
    if shared:
        return branch.path[shared - 1].call, None
    if junction.fork is not None:
        value: int | None = junction.fork.value
    elif not branch.path:
        value = branch.value
    else:
        taken = recording.calls[branch.path[0].call].operands
        given = (number for number in taken if recording.values[number].origin == "input")
        value = next((number for number in taken if number in recording.inputs), next(given, None))
    call = graph.producer.get(value) if value is not None and value not in recording.inputs else None
    return (None, value) if call is None else (call.number, None)
