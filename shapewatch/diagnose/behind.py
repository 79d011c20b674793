"""What raised outside the model, on what the model gave: a loss, mostly."""

from __future__ import annotations

import time
from dataclasses import replace

from shapewatch.adapters import Adapter, Probe, Trial
from shapewatch.diagnose.cases import ask
from shapewatch.diagnose.cause import cause_of, told_of
from shapewatch.diagnose.fixes import as_fix, in_idiom
from shapewatch.edits import Input, Insert, SetCall, Target
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Shape
from shapewatch.repair import SECONDS, Candidate, hides_the_mistake, propose
from shapewatch.report import Diagnosis, Fix
from shapewatch.rules import Case, Finding
from shapewatch.rules.branches_differ import ELEMENTWISE


def behind_the_model(case: Case, finding: Finding, adapter: Adapter, probe: Probe) -> Diagnosis:
    """A change of the model is proven by what the model then gives, and one of the labels by arithmetic alone."""
    deadline = time.thread_time() + SECONDS
    fixes: list[Fix] = []
    tried: list[Candidate] = []
    ranks = {len(shape) for shape in case.shapes}
    # `[N, C] == [N]` would run with N classes, and compare what has nothing to do with each other
    askew = case.call.kind in ELEMENTWISE and case.call.kind != "loss" and len(ranks) > 1
    candidates = propose(case, finding)
    if askew:
        candidates = [candidate for candidate in candidates if _lays_out(candidate, case)]
    for candidate in sorted(candidates, key=lambda candidate: -candidate.score):
        if time.thread_time() > deadline or len(fixes) == 3:
            break
        if hides_the_mistake(candidate.edits, case):
            continue
        another = any(isinstance(edit, Insert) and edit.module.kind == "value" for edit in candidate.edits)
        stacked = case.call.kind == "stack" and _lays_out(candidate, case)
        outside = (askew or another or stacked or candidate.edits in finding.own) and _are_outside(candidate, case)
        if another and (candidate.needs_proof or not outside):
            continue
        beside = outside or any(isinstance(edit, Target | Input) for edit in candidate.edits)
        trial = None if beside else probe.run(candidate.edits)
        if trial is not None and (not trial.finished or not _accepts(case, finding, trial)):
            continue
        written = in_idiom(candidate.edits, adapter, case.recording)
        if written is None or any(isinstance(edit, Input) for edit in candidate.edits):
            continue
        tried.append(candidate)
        if trial is None:
            what = case.call.name if outside and case.call.kind != "loss" else "the loss"
            fixes.append(as_fix(candidate, written, adapter, None, f"{what} is no part of the model"))
        else:
            reason = "it is no part of the model, and what the model then gives fits it"
            fix = as_fix(candidate, written, adapter, "junction", reason)
            fixes.append(replace(fix, output_shape=trial.output, parameters_added=trial.parameters))
    return told_of(case, finding, cause_of(case, fixes) if tried and _is_likely(tried[0]) else None, fixes)


_COMPARING = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "equal", "not_equal", "less", "greater"})


def _lays_out(candidate: Candidate, case: Case) -> bool:
    """Whether a change gives an operand of what failed axes of size 1, takes such an axis away, or takes another
    variable. What is compared with labels has a class too many, and no axis too few."""
    inserts = [edit for edit in candidate.edits if isinstance(edit, Insert) and edit.place == case.call.place]
    kinds = {edit.module.kind for edit in inserts}
    if len(inserts) != len(candidate.edits) or case.call.name.lower() in _COMPARING:
        return False
    return kinds <= {"unsqueeze", "squeeze", "value", "sum"}


def _are_outside(candidate: Candidate, case: Case) -> bool:
    """Whether a change is one of operations alone that the program does with what the model gave."""
    calls = [case.recording.at(e.place) for e in candidate.edits if isinstance(e, Insert | SetCall)]
    known = [call for call in calls if call is not None and call.parent is None and not call.is_layer]
    return len(known) == len(candidate.edits) > 0


def _is_likely(candidate: Candidate) -> bool:
    """Whether more than arithmetic speaks for a change: a model that ran is wrong at its end, or it is its data. Some
    setting further up that would do, a kernel of 5 in the first layer, is no cause."""
    end = candidate.hops <= 1 or any(isinstance(edit, Target | Insert) for edit in candidate.edits)
    return end or candidate.score >= 0


_UNKNOWN = "SW900"


def _accepts(case: Case, finding: Finding, trial: Trial) -> bool:
    """Whether the rule has nothing left to say of a loss that is given what a pass with a change gave."""
    values = list(case.recording.values)
    found = False
    for operand in case.call.operands:
        shape = _given_then(operand, case, trial)
        if shape is not None:
            found = True
            values[operand] = replace(values[operand], spec=replace(values[operand].spec, shape=shape))
    changed = Graph(replace(case.recording, values=tuple(values)))
    still = ask(Case(changed, case.call, case.message, case.error), "error")
    told = finding.code != _UNKNOWN  # a refusal that was not understood may be there as before
    return found and told and (still is None or still.code == _UNKNOWN)


def _given_then(value: int, case: Case, trial: Trial) -> Shape | None:
    """The shape that a value has in a pass with a change. What the program made of the model's output without changing
    its shape has the output's; None for what else was made outside the model."""
    recording = case.recording
    for _ in range(6):
        made = case.graph.producer.get(value)
        if made is None or not made.operands:
            return None
        again = [call for call in trial.recording.calls if (call.layer, call.name) == (made.layer, made.name)]
        again = [call for call in again if call.place == made.place] or (again if len(again) == 1 else [])
        if again:
            return trial.recording.shape(again[-1].results[made.results.index(value)])
        if recording.shape(made.operands[0]) != recording.shape(value):
            return None
        value = made.operands[0]
    return None
