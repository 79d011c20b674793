"""What raised: which repairs end it, one fault after the other, and what is told of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters import Adapter, Probe
from shapewatch.diagnose.behind import behind_the_model
from shapewatch.diagnose.built_as_saved import or_built_as_saved
from shapewatch.diagnose.called import with_names_of_the_line
from shapewatch.diagnose.cases import deeper_case, first_case, not_reproduced, only_seen_on_shapes
from shapewatch.diagnose.cause import cause_of, told_of
from shapewatch.diagnose.feeds import or_fed_otherwise
from shapewatch.diagnose.fixes import as_fix, distinct, in_idiom, proven, verified_fix, with_its_places
from shapewatch.diagnose.grown_by_one import grown_by_one
from shapewatch.diagnose.kept_too_late import or_kept_before
from shapewatch.diagnose.labels import or_another_order
from shapewatch.diagnose.labels_from_one import or_made_from_one
from shapewatch.diagnose.never_updated import never_updated
from shapewatch.diagnose.on_their_line import on_their_lines
from shapewatch.diagnose.other_loss import or_another_loss
from shapewatch.diagnose.other_order import or_reversed
from shapewatch.diagnose.otherwise import or_declaration, or_variable
from shapewatch.diagnose.ran_before import or_the_caller
from shapewatch.diagnose.remaining import or_remaining
from shapewatch.diagnose.unprojected import or_under_a_condition
from shapewatch.diagnose.validation import or_of_validation
from shapewatch.edits import Edit, Input, Insert, Replace, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Recording, Span, spoken
from shapewatch.repair import SECONDS, Outcome, Search, Verified, hides_the_mistake, propose
from shapewatch.report import Diagnosis, Fix
from shapewatch.rules import Case, Finding
from shapewatch.rules.rule import listed

MAX_FAULTS = 6
LOOK_AHEAD = 3
FEW = 4


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, with what a search for its repair found; `base` are the repairs of those before it."""

    case: Case
    finding: Finding
    outcome: Outcome
    chosen: Verified | None
    why_not: str | None
    also: tuple[str, ...] = ()
    """The other layers in which the same line fails, and is mended by the same change."""


def what_failed(graph: Graph, adapter: Adapter, probe: Probe | None) -> Iterator[Diagnosis]:
    found = first_case(graph) or only_seen_on_shapes(graph.recording, probe)
    said = [] if found is None else list(_of_case(*found, adapter, probe))
    said = [or_declaration(diagnosis, graph.recording, adapter) for diagnosis in said]
    said = [each if each.fixes else or_remaining(each, graph.recording) for each in said]
    said = [or_of_validation(each, graph.recording) for each in said]
    if not any(diagnosis.fixes or diagnosis.code != "SW900" for diagnosis in said):
        said = list(_from_the_message(graph.recording)) or said
    yield from said


def _of_case(case: Case, finding: Finding, adapter: Adapter, probe: Probe | None) -> Iterator[Diagnosis]:
    """What a rule found, with what a search for its repair finds."""
    why_not = None if probe is not None else "no model was called as a whole, so there is nothing to run again"
    if probe is not None:
        baseline = probe.run()
        deeper = deeper_case(baseline, case)
        if deeper is not None:
            case, finding = deeper
        if baseline.finished and case.call.parent is None and (case.call.kind == "loss" or not case.call.is_layer):
            diagnosis = or_another_order(behind_the_model(case, finding, adapter, probe), case)
            diagnosis = or_another_loss(or_made_from_one(diagnosis, case.recording.failure), case)
            if diagnosis.cause is None:
                diagnosis = or_variable(diagnosis, case, finding, adapter)
            if diagnosis.fixes or not finding.needs_proof:
                yield diagnosis
            return
        why_not = not_reproduced(baseline, case)
    if probe is None or why_not is not None:
        if not finding.needs_proof:
            unverified = or_another_loss(_unverified(case, finding, adapter, why_not or ""), case)
            yield or_fed_otherwise(unverified, case)
        return
    for of_a_loop in (never_updated, grown_by_one):
        if (told := of_a_loop(case, finding, adapter, probe)) is not None:
            yield told
            return
    deadline = time.thread_time() + SECONDS
    found, finished = _solve(case, finding, probe, (), deadline, MAX_FAULTS)
    faults = _by_class(_by_line(found), adapter)
    if finished and len(faults) == 1 < len(found):
        faults = [_proven(faults[0])]
    faults = _of_one_loop(faults)
    if len(faults) == 1 and faults[0].outcome.passing:
        outcome = on_their_lines(faults[0].outcome, Search(probe), faults[0].case, adapter)
        faults = [replace(faults[0], outcome=outcome, chosen=outcome.passing[0])]
    several = len(faults) > 1
    if finding.needs_proof and faults[0].chosen is None:
        return
    for fault in faults:
        yield _diagnosis(fault, adapter, several, finished, probe)


def _from_the_message(recording: Recording) -> Iterator[Diagnosis]:
    """What the words of the exception tell, where no rule can tell more from what was recorded than that it failed."""
    from shapewatch.messages.explain import explain_message

    failure, call = recording.failure, recording.failing_call()
    assert failure is not None
    span = failure.span or (call.span if call is not None else None)
    told = explain_message(failure.message, failure.type, span, call.layer if call is not None else None)
    if told is not None:
        told = or_built_as_saved(with_names_of_the_line(told, failure, recording.framework), recording)
        yield or_remaining(told, recording)


def _solve(
    case: Case,
    finding: Finding,
    probe: Probe,
    base: tuple[Edit, ...],
    deadline: float,
    left: int,
    again: Changes | None = None,
) -> tuple[list[Fault], bool]:
    """The faults from this one on with their repairs, and whether with all of them the pass finishes.

    Args:
        left: How many faults there may be.
        again: What ended the fault before, where this one is of the same line: it is tried first, and what it ends is
            no fault more, so that a row of fifty blocks is looked at to its end.
    """
    search = Search(probe, base, max(0.3, deadline - time.thread_time()))
    candidates = propose(case, finding)
    same = [each for each in candidates if _are_one(again, _lines_of(each.edits, case))]
    outcome = search.outcome(same[:1], case)
    if not outcome.passing and not outcome.partial:
        outcome = search.outcome(candidates, case)
    if outcome.passing:
        return [Fault(case, finding, outcome, outcome.passing[0], None)], True
    best: tuple[list[Fault], bool] = ([Fault(case, finding, outcome, None, None)], False)
    ended: list[list[Fault]] = []
    for verified in outcome.partial[:LOOK_AHEAD]:
        if verified.trial.unsupported:
            reason = f"the rest could not be re-run: {verified.trial.unsupported}"
            fault = Fault(case, finding, outcome, verified, reason)
            return [fault], False
        following = first_case(Graph(verified.trial.recording))
        if following is None or left <= 1 or time.thread_time() > deadline:
            continue
        if case.call.finished and following[0].call.place == case.call.place:
            continue  # what fails is behind it, so to come past it is no repair
        changed = _lines_of(verified.candidate.edits, case)
        once_more = changed is not None and following[0].call.span == case.call.span is not None
        base_then, left_then = (*base, *verified.candidate.edits), left if once_more else left - 1
        rest, finished = _solve(*following, probe, base_then, deadline, left_then, changed if once_more else None)
        chain = [Fault(case, finding, outcome, verified, None), *rest]
        if finished:
            ended.append(chain)
        elif verified.candidate.needs_proof or _joins_batches(verified.candidate.edits, case):
            continue  # what comes behind would have to bear it out
        elif best[0][0].chosen is None:
            best = (chain, False)
    return (min(ended, key=_cost), True) if ended else best


def _joins_batches(edits: Sequence[Edit], case: Case) -> bool:
    """Whether what is joined side by side would be joined below each other, as batches are: that fits nearly always."""
    only = edits[0] if len(edits) == 1 else None
    return isinstance(only, SetCall) and case.call.kind == "concat" and (only.argument, only.value) == ("dim", 0)


def _cost(chain: Sequence[Fault]) -> tuple[int, float]:
    """How many changes a row of repairs is, and then how little speaks for them."""
    chosen = [fault.chosen for fault in _by_line(chain) if fault.chosen is not None]
    return len(chosen), -sum(verified.candidate.score for verified in chosen)


def _by_line(faults: Sequence[Fault]) -> list[Fault]:
    """The faults; of those that one change of one line ends, the first alone, with the edits of all: a line of a class
    fails in each layer of it."""
    groups: list[list[Fault]] = []
    for fault in faults:
        same = next((group for group in groups if _are_one(_changed(group[0]), _changed(fault))), None)
        if same is None or fault.chosen is None:
            groups.append([fault])
        else:
            same.append(fault)
    return [_as_one(group) for group in groups]


def _by_class(faults: list[Fault], adapter: Adapter) -> list[Fault]:
    """The faults; of those in the first one's line whose repairs its class can say in one line, in the words of what it
    is given, the first alone."""
    first = faults[0]
    here = [fault for fault in faults if fault.chosen is not None and fault.case.call.span == first.case.call.span]
    whole = _as_one(here) if len(here) > 1 else first
    if whole is first or whole.chosen is None:
        return faults
    line = adapter.line_of_all(_edits(whole), with_its_places(whole.chosen, whole.case))
    return faults if line is None else [whole, *(fault for fault in faults if fault not in here)]


def _as_one(faults: Sequence[Fault]) -> Fault:
    """The first of several faults, with the edits of all; they were tried with the last one's."""
    first, last = faults[0], faults[-1]
    if first is last or first.chosen is None or last.chosen is None:
        return first
    edits = tuple(edit for fault in faults for edit in _edits(fault))
    chosen = replace(last.chosen, candidate=replace(first.chosen.candidate, edits=edits))
    elsewhere = [fault.case.call.layer for fault in faults if fault.case.call.layer != first.case.call.layer]
    also = [layer for fault in faults for layer in fault.also]
    return replace(first, chosen=chosen, also=tuple(dict.fromkeys((*also, *elsewhere))))


def _proven(fault: Fault) -> Fault:
    """A fault that is the only one, once its repair is that of all: with it the pass finished."""
    assert fault.chosen is not None
    return replace(fault, outcome=replace(fault.outcome, passing=(fault.chosen,)))


def _edits(fault: Fault) -> tuple[Edit, ...]:
    return () if fault.chosen is None else fault.chosen.candidate.edits


_LEARNED = frozenset({"conv", "linear", "sequence"})


def _of_one_loop(faults: list[Fault]) -> list[Fault]:
    """The faults; of a line that fails in several turns of one loop, and would need another projection in each, the
    first alone and without a repair: the lists that it loops over do not go together."""
    first = faults[0]
    turns = [fault for fault in faults if _where(fault) == _where(first) and _projects(fault)]
    if len(turns) < 2 or first not in turns:
        return faults
    said = "The line fails in several turns of its loop, each time with other sizes: the lists do not go together."
    finding = replace(first.finding, explanation=f"{first.finding.explanation} {said}")
    return [replace(first, finding=finding, outcome=Outcome(), chosen=None)]


def _where(fault: Fault) -> tuple[Span | None, str]:
    return fault.case.call.span, fault.case.call.layer


def _projects(fault: Fault) -> bool:
    edits = fault.chosen.candidate.edits if fault.chosen is not None else ()
    return bool(edits) and all(isinstance(edit, Insert) and edit.module.kind in _LEARNED for edit in edits)


@dataclass(frozen=True)
class Change:
    """What a repair does in one line: to a setting, the value that it had and gets, and the lines that made the layer
    and those that it is in."""

    was: Any = None
    value: Any = None
    made_at: tuple[Span | None, ...] = ()


Changes = Mapping[Any, Change]
"""By the line and by what is changed there."""


def _changed(fault: Fault) -> Changes | None:
    return None if fault.chosen is None else _lines_of(fault.chosen.candidate.edits, fault.case)


def _lines_of(edits: Sequence[Edit], case: Case) -> Changes | None:
    """None where one of the edits is of no line."""
    lines = dict(_line_of(edit, case) for edit in edits)
    return None if None in lines else lines


def _line_of(edit: Edit, case: Case) -> tuple[Any, Change]:
    layers = case.recording.layer_at
    match edit:
        case Insert(module=module, operand=operand):
            return (case.call.name, case.call.span, operand, repr(module)), Change()
        case SetCall(place=place, argument=argument, value=value):
            made = case.recording.at(place) or case.call
            return (made.name, made.span, argument, repr(value)), Change()
        case Set(layer=path, argument=argument) if path in layers and layers[path].defined is not None:
            parts = path.split(".")
            around = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
            made_at = tuple(layers[each].defined for each in around if each in layers)
            return (layers[path].defined, argument), Change(edit.was, edit.value, made_at)
        case Replace(layer=path, module=module) if path in layers and layers[path].defined is not None:
            return (layers[path].defined, "type"), Change(layers[path].type, module.kind)
    return None, Change()


def _are_one(one: Changes | None, other: Changes | None) -> bool:
    """Whether two repairs are one change of the same lines: they give a setting one value; or the setting had several,
    and what the layers are in was made by the same lines too, so that these compute it."""
    if one is None or other is None or one.keys() != other.keys():
        return False
    pairs = [(change, other[line]) for line, change in one.items()]
    return all(a.value == b.value or (a.was != b.was and a.made_at == b.made_at) for a, b in pairs)


def _diagnosis(fault: Fault, adapter: Adapter, several: bool, finished: bool, probe: Probe) -> Diagnosis:
    case, finding, chosen = fault.case, fault.finding, fault.chosen
    fixes: list[Fix] = []
    if fault.outcome.passing and not several:
        fixes = [proven(verified, adapter, case) for verified in distinct(fault.outcome.passing)]
    elif chosen is not None:
        reason = fault.why_not or _with_the_others(several, finished)
        fixes = [verified_fix(chosen, adapter, case, "junction", reason)]
        if fault.outcome.passing:
            fixes = [verified_fix(v, adapter, case, "junction", reason) for v in distinct(fault.outcome.passing)]
    explanation = finding.explanation
    if fault.also:
        shown = [*map(spoken, fault.also[:FEW]), *([f"{len(fault.also) - FEW} more"] if len(fault.also) > FEW else [])]
        explanation += f" The same line fails in {listed(shown)}, and one change mends all."
    cause = cause_of(case, fixes, chosen.candidate.block if chosen is not None else "")
    told = replace(told_of(case, finding, cause, fixes), explanation=explanation)
    for otherwise in (or_reversed, or_the_caller, or_under_a_condition):
        told = otherwise(told, case)
    told = or_kept_before(told, case, adapter, probe)
    told = or_variable(told, case, finding, adapter, None if several else probe)
    proven_otherwise = any(fix.verified for fix in told.fixes)
    if fixes or not fault.outcome.tried or proven_otherwise:
        return told
    return replace(told, explanation=f"{told.explanation} {_tried(fault.outcome.tried)}")


def _tried(count: int) -> str:
    if count == 1:
        return "One change was tried on shapes, and the pass does not finish with it."
    return f"{count} changes were tried on shapes, and with none of them the pass finishes."


def _with_the_others(several: bool, finished: bool) -> str:
    if several and finished:
        return "there are further faults, and with the repairs of all of them the whole pass runs"
    return "the pass goes on past this place, and fails further on"


def _asks_for_a_size(edits: Sequence[Edit]) -> bool:
    """Whether maps of another size are asked for: a guess that nothing bears out where nothing is run."""
    sizes = [edit for edit in edits if isinstance(edit, Input) and edit.change == "size"]
    return any(len(edit.shape) > 3 for edit in sizes)


def _unverified(case: Case, finding: Finding, adapter: Adapter, why_not: str) -> Diagnosis:
    candidates = sorted(propose(case, finding), key=lambda candidate: -candidate.score)
    candidates = [each for each in candidates if not each.needs_proof and not hides_the_mistake(each.edits, case)]
    candidates = [each for each in candidates if each.edits in finding.own or not _asks_for_a_size(each.edits)]
    plausible = [candidate for candidate in candidates if candidate.score > -0.3][:2]
    fixes = []
    for candidate in plausible:
        written = in_idiom(candidate.edits, adapter, case.recording)
        if written is not None:
            fixes.append(as_fix(candidate, written, adapter, None, why_not))
    clear = len(candidates) == 1 or (len(candidates) > 1 and candidates[0].score - candidates[1].score > 0.4)
    told = told_of(case, finding, cause_of(case, fixes) if clear else None, fixes)
    return or_variable(told, case, finding, adapter)
