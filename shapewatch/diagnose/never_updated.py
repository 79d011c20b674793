"""A loop that makes layers one behind the other, each for what the one before gives, and does not say what that is.

Every layer behind the first is wrong then, and made for the same number. To change one of them, or what comes into it,
mends a place; the line that is missing mends all. It is told only where the program's text shows the loop, and the
pass bears it out: with each layer made for what comes, the model runs to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from shapewatch.adapters import Adapter, Probe, Trial
from shapewatch.adapters.counters import Counter, Miscounted, left_as_they_are, miscounted
from shapewatch.diagnose.cases import first_case
from shapewatch.diagnose.cause import told_of
from shapewatch.edits import Set
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Layer, Span
from shapewatch.repair.siblings import numbered
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case, Finding

_TAKES = ("in_channels", "in_features", "num_features", "input_size")
_GIVES = ("out_channels", "out_features", "hidden_size")

_MOST = 60
"""So many layers are made for what comes, one after the other; each takes a pass on shapes."""


def never_updated(case: Case, finding: Finding, adapter: Adapter, probe: Probe) -> Diagnosis | None:
    """What is told of a layer of such a loop that refuses what the one before it gives."""
    taking = takes_what_comes(finding)
    layer = case.recording.layer_at.get(case.call.layer)
    if taking is None or layer is None:
        return None
    counter = next(chain(_counters(layer, taking, case), _miscounted(layer, taking, case)), None)
    edits, trial = made_for_what_comes(finding, probe) if counter is not None else ((), None)
    if counter is None or trial is None or not trial.finished:
        return None
    reason = f"`{counter.variable}` stays {taking.was}, and what is made behind that is not made for what comes"
    if isinstance(counter, Miscounted):
        reason = f"`{counter.variable}` goes on as {taking.was}, and what was made of it gives `{counter.given}`"
    exact = not counter.counts_itself and not _runs_as_it_was(taking, edits, trial, case)
    fix = Fix(
        title=f"`{counter.variable}` for the next turn",
        code=counter.code(),
        edit={"action": "set", "variable": counter.variable, "argument": "value", "value": counter.given},
        changes=edits,
        framework=adapter.name,
        verified="forward" if exact else None,
        why_not=None if exact else "the loop is not run again; with each layer made for what comes the pass finishes",
        output_shape=trial.output if exact else None,
        parameters_added=trial.parameters if exact else None,
    )
    return told_of(case, finding, Cause(None, "variable", counter.line, reason), (fix,))


def _runs_as_it_was(taking: Set, edits: Sequence[Set], trial: Trial, case: Case) -> bool:
    """Whether behind the place that failed a layer runs that is made for the old number: the loop may make that one by
    the variable too, and with the line it would be another one than in the pass that was run."""
    known, changed = case.recording.layer_at, {edit.layer for edit in edits}
    ran = {unit.layer for unit in case.graph.units if unit.is_layer}
    later = {call.layer for call in trial.recording.calls if call.is_layer} - ran - changed
    return any(known[path].facts.get(name) == taking.was for path in later & known.keys() for name in _TAKES)


def takes_what_comes(finding: Finding) -> Set | None:
    """The edit that makes the layer that failed for what it is given."""
    own = [edits[0] for edits in finding.own if len(edits) == 1]
    sized = [edit for edit in own if isinstance(edit, Set) and edit.argument in _TAKES]
    numbers = [edit for edit in sized if isinstance(edit.value, int) and isinstance(edit.was, int)]
    return numbers[0] if len(numbers) == 1 else None


def _counters(layer: Layer, taking: Set, case: Case) -> Iterator[Counter]:
    """The variables of the loops that made the layer, which have the number that it was made for, and would have the
    one that comes."""
    for counter in _of_the_loops_around(layer, case):
        if counter.counts_itself:
            fits = counter.value(taking.was) == taking.value and _gives(None, taking.value, case)
        else:
            fits = any(
                other.facts.get(taking.argument) == taking.was and _gives(other, taking.value, case)
                for other in _before_it_in_the_row(layer, case)
            )
        if fits:
            yield counter


def _of_the_loops_around(layer: Layer, case: Case) -> Iterator[Counter]:
    """Those of the functions that made the layer and the layers that it is in."""
    for line in _lines_around(layer, case):
        yield from left_as_they_are(line)


def _lines_around(layer: Layer, case: Case) -> Iterable[Span]:
    parts, layers = layer.path.split("."), case.recording.layer_at
    around = (layers.get(".".join(parts[:end])) for end in range(len(parts), 0, -1))
    return dict.fromkeys(each.defined for each in around if each is not None and each.defined is not None)


def _miscounted(layer: Layer, taking: Set, case: Case) -> Iterator[Miscounted]:
    """The variables that go on as the number that the layer was made for, where what was made of them gives the one
    that comes."""
    for counter in (each for line in _lines_around(layer, case) for each in miscounted(line)):
        for unit in case.graph.units:
            made = case.recording.layer_at.get(unit.layer) if unit.is_layer and unit.results else None
            if made is None or not any(made.facts.get(name) == taking.value for name in _GIVES):
                continue
            takes = next((made.facts[name] for name in _TAKES if name in made.facts), 0)
            comes_from_it = case.graph.descends(case.call.operands[0], unit.results[0])
            if comes_from_it and counter.is_meant(takes, taking.was, taking.value):
                yield counter


def _before_it_in_the_row(layer: Layer, case: Case) -> Iterator[Layer]:
    """Layers that ran, made by the same line in turns of the loop before."""
    alike = numbered(layer.path)
    for unit in case.graph.units:
        other = case.recording.layer_at.get(unit.layer) if unit.is_layer and unit.results else None
        if other is not None and other is not layer and numbered(other.path) == alike:
            yield other


def _gives(first: Layer | None, width: int, case: Case) -> bool:
    """Whether what failed was given so much by a layer; by one of the same turn as this one, where there is one."""
    turn = None if first is None else re.match(r".*?\d+(?=\.|$)", first.path)
    for unit in case.graph.units:
        layer = case.recording.layer_at.get(unit.layer) if unit.is_layer and unit.results else None
        if layer is None or not any(layer.facts.get(name) == width for name in _GIVES):
            continue
        inside = turn is None or f"{layer.path}.".startswith(f"{turn.group()}.")
        if inside and case.graph.descends(case.call.operands[0], unit.results[0]):
            return True
    return False


def made_for_what_comes(finding: Finding, probe: Probe) -> tuple[tuple[Set, ...], Trial | None]:
    """The edits that make this layer and those behind it for what they are given, and the pass with all of them."""
    edits: list[Set] = []
    trial: Trial | None = None
    for _ in range(_MOST):
        edit = takes_what_comes(finding)
        if edit is None or any((edit.layer, edit.argument) == (known.layer, known.argument) for known in edits):
            return tuple(edits), trial
        edits.append(edit)
        trial = probe.run(tuple(edits))
        if trial.finished or trial.unsupported is not None:
            return tuple(edits), trial
        following = first_case(Graph(trial.recording))
        if following is None:
            return tuple(edits), trial
        finding = following[1]
    return tuple(edits), trial
