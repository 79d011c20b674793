"""A candidate: edits that belong together, and what speaks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shapewatch.adapters.operand import OF_WINDOWS, runs_of_its_line
from shapewatch.edits import Edit, Input, Insert, Replace, Set, SetCall, Target, place_layer
from shapewatch.recording import Recording


@dataclass(frozen=True)
class Candidate:
    """Edits that belong together, and what speaks for them. `block`: the layer to blame, where it is one that holds all
    of those that are edited. `needs_proof`: that the pass finishes with it is all that speaks for it."""

    edits: tuple[Edit, ...]
    score: float
    hops: int = 0
    evidence: tuple[str, ...] = ()
    block: str = ""
    needs_proof: bool = False


def about(edit: Edit) -> str:
    if isinstance(edit, Set | Replace):
        return edit.layer
    if isinstance(edit, Insert | SetCall):
        return place_layer(edit.place)
    return "target" if isinstance(edit, Target) else f"input {edit.index}"


def places(edits: Iterable[Edit]) -> str | None:
    """The layer that edits are about, for `Cause.layer`; None for the input."""
    for edit in edits:
        if isinstance(edit, Input | Target):
            return None
        return about(edit)
    return None


def arguments(edits: Sequence[Edit]) -> int:
    """How many settings a bundle changes beyond what goes together anyway: a depthwise convolution's three widths; the
    window and stride of a pooling, where they are the same number."""
    widths = {"in_channels", "out_channels", "groups"}
    names = {edit.argument: edit.value for edit in edits if isinstance(edit, Set) and edit.argument not in widths}
    together = "kernel_size" in names and names["kernel_size"] == names.get("stride")
    return max(1, len(names) - together)


def short(value: Any) -> str:
    """`2` for `(2, 2)`; a setting by name in quotes."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple) and value and all(item == value[0] for item in value):
        return str(value[0])
    return str(value)


# Tensors that are made alike are one choice, on however many lines they are made; and so is what one line says, each
# time that it runs


def wherever_made(edits: Sequence[Edit], recording: Recording) -> tuple[Edit, ...]:
    """The edits; one of a tensor that a function makes of nothing, with the same for every other that the same function
    makes of the same sizes in the same layer: both states of an LSTM. One of how a window goes over a map, with the
    same for every time that its line said so."""
    places = {edit.place for edit in edits if isinstance(edit, SetCall)}
    return (*edits, *(other for edit in edits for other in _alike(edit, recording) if other.place not in places))


def _alike(edit: Edit, recording: Recording) -> Sequence[SetCall]:
    here = recording.at(edit.place) if isinstance(edit, SetCall) else None
    if not isinstance(edit, SetCall) or here is None:
        return ()
    if here.kind == "create":
        made = (here.kind, here.layer, here.facts)
        alike = [call for call in recording.calls if (call.kind, call.layer, call.facts) == made]
    else:
        said = here.facts.get(edit.argument)
        runs = runs_of_its_line(here, recording) if edit.argument in OF_WINDOWS else ()
        alike = [call for call in runs if call.facts.get(edit.argument) == said]
    places = dict.fromkeys(call.place for call in alike if call.place != here.place)
    return [SetCall(place, edit.argument, edit.value, edit.was) for place in places]
