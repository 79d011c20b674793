"""From a recording to diagnoses: which rule speaks, what repairs it, who is to blame, and what comes after."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters import Adapter, Probe, Trial, Written
from shapewatch.edits import Edit, Input, Insert, Replace, Set, SetCall, Target, place_layer
from shapewatch.junctions import Graph, find_junctions, unchecked
from shapewatch.other_sizes import Passes, holds, passes
from shapewatch.recorder import own_fault
from shapewatch.recording import Call, Recording, Shape, Span, text
from shapewatch.repair import SECONDS, Candidate, Outcome, Search, Verified, odd_variable, places, propose, short
from shapewatch.report import Cause, Diagnosis, Fix, Report
from shapewatch.rules import RULES, Case, Finding
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.source import excused

MAX_FAULTS = 6
LOOK_AHEAD = 3
REAL_CHOICE = 0.7
"""How much weaker the evidence for a second fix may be, for it to be worth a reader's time."""

SHAPE_ERRORS = frozenset(
    {
        "RuntimeError",
        "ValueError",
        "AssertionError",
        "IndexError",
        "TypeError",
        "TorchRuntimeError",
        "InvalidArgumentError",
    }
)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, with what a search for its repair found; `base` are the repairs of those before it."""

    case: Case
    finding: Finding
    outcome: Outcome
    chosen: Verified | None
    why_not: str | None


def diagnose(recording: Recording, adapter: Adapter, probe: Probe | None, output: Any = None) -> Report:
    """The report of a recording. `probe`, where there is one, verifies fixes and looks past the first fault."""
    graph = Graph(recording)
    junctions = find_junctions(graph)
    diagnoses: list[Diagnosis] = []
    if recording.failure is not None:
        diagnoses += _failures(graph, adapter, probe)
    diagnoses += _warnings(graph, adapter, probe)
    return Report(recording, junctions, tuple(diagnoses), output if recording.failure is None else None)


# Failures


def _failures(graph: Graph, adapter: Adapter, probe: Probe | None) -> Iterator[Diagnosis]:
    found = _first_case(graph) or _only_seen_on_shapes(graph.recording, probe)
    said = [] if found is None else list(_of_case(*found, adapter, probe))
    if not any(diagnosis.fixes or diagnosis.code != "SW900" for diagnosis in said):
        said = list(_from_the_message(graph.recording)) or said
    yield from said


def _of_case(case: Case, finding: Finding, adapter: Adapter, probe: Probe | None) -> Iterator[Diagnosis]:
    """What a rule found, with what a search for its repair finds."""
    why_not = None if probe is not None else "no model was called as a whole, so there is nothing to run again"
    if probe is not None:
        baseline = probe.run()
        deeper = _deeper_case(baseline, case)
        if deeper is not None:
            case, finding = deeper
        if baseline.finished and case.call.parent is None and (case.call.kind == "loss" or not case.call.is_layer):
            diagnosis = _behind_the_model(case, finding, adapter, probe)
            if diagnosis.fixes or not finding.needs_proof:
                yield diagnosis
            return
        why_not = _not_reproduced(baseline, case)
    if probe is None or why_not is not None:
        if not finding.needs_proof:
            yield _unverified(case, finding, adapter, why_not or "")
        return
    deadline = time.thread_time() + SECONDS
    faults, finished = _solve(case, finding, probe, (), deadline, MAX_FAULTS)
    several = len(faults) > 1
    if finding.needs_proof and faults[0].chosen is None:
        return
    for fault in faults:
        yield _diagnosis(fault, adapter, several, finished)


def _from_the_message(recording: Recording) -> Iterator[Diagnosis]:
    """What the words of the exception tell, where no rule can tell more from what was recorded than that it failed."""
    from shapewatch.messages.explain import explain_message

    failure, call = recording.failure, recording.failing_call()
    assert failure is not None
    span = failure.span or (call.span if call is not None else None)
    told = explain_message(failure.message, failure.type, span, call.layer if call is not None else None)
    if told is not None:
        yield told


def _first_case(graph: Graph) -> tuple[Case, Finding] | None:
    failure, unit = graph.recording.failure, graph.failing_unit()
    if failure is None or unit is None or failure.type not in SHAPE_ERRORS:
        return None
    earlier = _unchecked_junction(graph, unit)
    if earlier is not None:
        return earlier
    case = Case(graph, unit, failure.message, failure.type)
    finding = _ask(case, "error")
    if finding is None and not unit.is_layer and unit.parent is not None:
        return None
    return None if finding is None else (case, finding)


def _unchecked_junction(graph: Graph, failing: Call) -> tuple[Case, Finding] | None:
    """The first junction on the road to the failure that took branches which do not fit."""
    leading = 0
    for operand in failing.operands:
        leading |= graph.ancestors[operand]
    for unit in unchecked(graph):
        if not any(leading >> result & 1 for result in unit.results):
            continue
        case = Case(graph, unit)
        finding = _ask(case, "error")
        if finding is not None:
            later = Case(graph, failing).name
            passed = f" Once built, the layer does not check: the pass goes on, and fails at {later}."
            return case, replace(finding, explanation=finding.explanation + passed)
    return None


def _only_seen_on_shapes(recording: Recording, probe: Probe | None) -> tuple[Case, Finding] | None:
    """The failure as a dry run sees it, when the live pass saw no call fail: Keras checks the layers of a model that it
    reads from a config before any of them is called. The words have to be the same."""
    failure = recording.failure
    if probe is None or failure is None or failure.call is not None or failure.type not in SHAPE_ERRORS:
        return None
    baseline = probe.run().recording
    if baseline.failure is None or _without_sizes(baseline.failure.message) != _without_sizes(failure.message):
        return None
    return _first_case(Graph(replace(baseline, failure=replace(baseline.failure, span=failure.span))))


def _without_sizes(message: str) -> str:
    return re.sub(r"\d+|None", "#", message)


def _ask(case: Case, severity: str) -> Finding | None:
    """The first rule that has something to say. A rule that breaks down is passed over."""
    for rule in RULES:
        if rule.severity != severity or (rule.kinds and case.call.kind not in rule.kinds):
            continue
        try:
            finding = rule.check(case)
        except Exception as fault:
            own_fault(fault)
            continue
        if finding is not None:
            return replace(finding, code=rule.code, name=rule.name, severity=rule.severity)
    return None


def _deeper_case(baseline: Trial, case: Case) -> tuple[Case, Finding] | None:
    """The failure as the dry run saw it, when the live pass saw only a layer that is not looked into."""
    if baseline.recording.failure is None or not case.call.is_layer or baseline.unsupported:
        return None
    found = _first_case(Graph(baseline.recording))
    if found is None or not found[0].call.layer.startswith(case.call.layer) or found[0].call.place == case.call.place:
        return None
    return found


def _not_reproduced(baseline: Trial, case: Case) -> str | None:
    if baseline.unsupported:
        return baseline.unsupported
    if baseline.recording.failure is None:
        return "the pass on shapes alone does not fail, so it cannot show that a change helps"
    unit, live = Graph(baseline.recording).failing_unit(), case.graph.failing_unit()
    if unit is None or live is None or unit.place != live.place:
        where = "outside every layer" if unit is None else f"at {unit.layer or unit.name}"
        return f"the pass on shapes alone fails elsewhere, {where}: {baseline.recording.failure.message[:120]}"
    return None


def _solve(
    case: Case, finding: Finding, probe: Probe, base: tuple[Edit, ...], deadline: float, left: int
) -> tuple[list[Fault], bool]:
    """The faults from this one on with their repairs, and whether with all of them the pass finishes."""
    search = Search(probe, base, max(0.3, deadline - time.thread_time()))
    candidates = propose(case, finding)
    outcome = search.outcome(candidates, case)
    if outcome.passing:
        return [Fault(case, finding, outcome, outcome.passing[0], None)], True
    best: tuple[list[Fault], bool] = ([Fault(case, finding, outcome, None, None)], False)
    for verified in outcome.partial[:LOOK_AHEAD]:
        if verified.trial.unsupported:
            reason = f"the rest could not be re-run: {verified.trial.unsupported}"
            fault = Fault(case, finding, outcome, verified, reason)
            return [fault], False
        following = _first_case(Graph(verified.trial.recording))
        if following is None or left <= 1 or time.thread_time() > deadline:
            continue
        if case.call.finished and following[0].call.place == case.call.place:
            continue  # what fails is behind it, so to come past it is no repair
        rest, finished = _solve(*following, probe, (*base, *verified.candidate.edits), deadline, left - 1)
        chain = [Fault(case, finding, outcome, verified, None), *rest]
        if finished:
            return chain, True
        if best[0][0].chosen is None:
            best = (chain, False)
    return best


# What the program does with what a model gave: a loss, mostly


def _behind_the_model(case: Case, finding: Finding, adapter: Adapter, probe: Probe) -> Diagnosis:
    """A change of the model is proven by what the model then gives, and one of the labels by arithmetic alone."""
    deadline = time.thread_time() + SECONDS
    fixes: list[Fix] = []
    tried: list[Candidate] = []
    ranks = {len(shape) for shape in case.shapes}
    # `[N, C] == [N]` would run with N classes, and compare what has nothing to do with each other
    askew = case.call.kind in ELEMENTWISE and case.call.kind != "loss" and len(ranks) > 1
    candidates = [] if askew else propose(case, finding)
    for candidate in sorted(candidates, key=lambda candidate: -candidate.score):
        if time.thread_time() > deadline or len(fixes) == 3:
            break
        beside = any(isinstance(edit, Target | Input) for edit in candidate.edits)
        trial = None if beside else probe.run(candidate.edits)
        if trial is not None and (not trial.finished or not _accepts(case, trial)):
            continue
        written = _written(candidate.edits, adapter, case.recording)
        if written is None or any(isinstance(edit, Input) for edit in candidate.edits):
            continue
        tried.append(candidate)
        if trial is None:
            fixes.append(_as_fix(candidate, written, adapter, None, "labels are no part of the model"))
        else:
            reason = "it stands outside the model: what the model then gives fits"
            fix = _as_fix(candidate, written, adapter, "junction", reason)
            fixes.append(replace(fix, output_shape=trial.output, parameters_added=trial.parameters))
    return Diagnosis(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        headline=finding.headline,
        explanation=finding.explanation,
        cause=_cause(case, fixes) if tried and _is_likely(tried[0]) else None,
        location=_location(case),
        junction=case.junction,
        fixes=tuple(fixes),
        layer=case.call.layer,
    )


def _is_likely(candidate: Candidate) -> bool:
    """Whether more than arithmetic speaks for a change: a model that ran is wrong at its end, or it is its data. Some
    setting further up that would do, a kernel of 5 in the first layer, is no cause."""
    end = candidate.hops <= 1 or any(isinstance(edit, Target | Insert) for edit in candidate.edits)
    return end or candidate.score >= 0


def _accepts(case: Case, trial: Trial) -> bool:
    """Whether the rule has nothing left to say of a loss that is given what a pass with a change gave."""
    values = list(case.recording.values)
    found = False
    for operand in case.call.operands:
        shape = _given_then(operand, case, trial)
        if shape is not None:
            found = True
            values[operand] = replace(values[operand], spec=replace(values[operand].spec, shape=shape))
    changed = Graph(replace(case.recording, values=tuple(values)))
    still = _ask(Case(changed, case.call, case.message, case.error), "error")
    return found and (still is None or still.code == "SW900")


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


# Wording


def _diagnosis(fault: Fault, adapter: Adapter, several: bool, finished: bool) -> Diagnosis:
    case, finding, chosen = fault.case, fault.finding, fault.chosen
    fixes: list[Fix] = []
    if fault.outcome.passing and not several:
        fixes = [_proven(verified, adapter, case) for verified in _distinct(fault.outcome.passing)]
    elif chosen is not None:
        reason = fault.why_not or _with_the_others(several, finished)
        fixes = [_fix(chosen, adapter, case, "junction", reason)]
        if fault.outcome.passing:
            fixes = [_fix(v, adapter, case, "junction", reason) for v in _distinct(fault.outcome.passing)]
    explanation = finding.explanation
    if not fixes:
        explanation += f" {_tried(fault.outcome.tried)}"
    told = Diagnosis(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        headline=finding.headline,
        explanation=explanation,
        cause=_cause(case, fixes),
        location=_location(case),
        junction=case.junction,
        fixes=tuple(fixes),
        layer=case.call.layer,
    )
    return _or_variable(told, case, finding, adapter)


def _or_variable(told: Diagnosis, case: Case, finding: Finding, adapter: Adapter) -> Diagnosis:
    """The diagnosis; where it blames nothing, with the variable of the program's own that is to blame."""
    odd = odd_variable(case, finding, adapter.name) if told.cause is None else None
    if odd is None:
        return told
    cause, fix = odd
    return replace(told, cause=cause, fixes=(fix, *told.fixes))


def _tried(count: int) -> str:
    if count == 1:
        return "One change was tried on shapes, and the pass does not finish with it."
    return f"{count or 'No'} changes were tried on shapes, and with none of them the pass finishes."


def _with_the_others(several: bool, finished: bool) -> str:
    if several and finished:
        return "there are further faults; with the repairs of all of them the whole pass runs"
    return "the pass goes on past this place, and fails further on"


def _unverified(case: Case, finding: Finding, adapter: Adapter, why_not: str) -> Diagnosis:
    candidates = sorted(propose(case, finding), key=lambda candidate: -candidate.score)
    plausible = [candidate for candidate in candidates if candidate.score > -0.3][:2]
    fixes = []
    for candidate in plausible:
        written = _written(candidate.edits, adapter, case.recording)
        if written is not None:
            fixes.append(_as_fix(candidate, written, adapter, None, why_not))
    clear = len(candidates) == 1 or (len(candidates) > 1 and candidates[0].score - candidates[1].score > 0.4)
    told = Diagnosis(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        headline=finding.headline,
        explanation=finding.explanation,
        cause=_cause(case, fixes) if clear else None,
        location=_location(case),
        junction=case.junction,
        fixes=tuple(fixes),
        layer=case.call.layer,
    )
    return _or_variable(told, case, finding, adapter)


def _location(case: Case) -> Span | None:
    failure = case.recording.failure
    if failure is None or case.call.finished:
        return case.call.span
    return failure.span or case.call.span


def _distinct(passing: Sequence[Verified]) -> list[Verified]:
    """The best, and up to two others that are a real choice: another setting or another layer, with not much less
    evidence."""
    kept: dict[tuple[tuple[type, str | None, str | None], ...], Verified] = {}
    for verified in passing:
        if verified.score >= passing[0].score - REAL_CHOICE:
            edits = verified.candidate.edits
            kept.setdefault(tuple((type(e), places([e]), getattr(e, "argument", None)) for e in edits), verified)
    return list(kept.values())[:3]


def _proven(verified: Verified, adapter: Adapter, case: Case) -> Fix:
    """A fix with which the pass finished, or ended where there was no more to run."""
    beyond = verified.trial.beyond
    return _fix(verified, adapter, case, "forward" if beyond is None else "junction", beyond)


def _fix(verified: Verified, adapter: Adapter, case: Case, level: Any, why_not: str | None) -> Fix:
    written = _as_one(verified.candidate.edits, adapter, case.recording)
    fix = _as_fix(verified.candidate, written, adapter, level, why_not)
    return replace(
        fix,
        output_shape=verified.trial.output if verified.trial.finished and verified.trial.beyond is None else None,
        parameters_added=verified.trial.parameters,
    )


def _as_fix(candidate: Candidate, written: Written, adapter: Adapter, level: Any, why_not: str | None) -> Fix:
    return Fix(
        title=written.title,
        code=written.code,
        edit=written.edit,
        changes=candidate.edits,
        framework=adapter.name,
        verified=level,
        why_not=why_not,
        evidence=tuple(_in_words_of(phrase, candidate.edits, written.edit) for phrase in candidate.evidence),
    )


def _written(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written | None:
    """The edits as the framework's users write them; None for what the framework cannot have."""
    try:
        return _as_one(edits, adapter, recording)
    except ValueError:
        return None


def _as_one(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written:
    """Several edits written as one: those of one layer as one construction of it."""
    if len(edits) == 1:
        return adapter.write(edits[0], recording)
    by_layer: dict[str, list[Set]] = {}
    others: list[Edit] = []
    for edit in edits:
        if isinstance(edit, Set):
            by_layer.setdefault(edit.layer, []).append(edit)
        else:
            others.append(edit)
    parts: list[Written] = []
    for path, sets in by_layer.items():
        layer = recording.layer_at[path]
        last = {edit.argument: edit for edit in sets}
        facts = {**layer.facts, **{name: edit.value for name, edit in last.items()}}
        merged = replace(
            recording, layers=tuple(replace(x, facts=facts) if x.path == path else x for x in recording.layers)
        )
        written = [adapter.write(edit, merged) for edit in last.values()]
        parts.append(
            Written("; ".join(w.title for w in written), written[0].code, {"edits": tuple(w.edit for w in written)})
        )
    parts += [adapter.write(edit, recording) for edit in others]
    told = {(part.title, part.code): part for part in parts}  # what one line does several times is written once
    data = tuple(edit for part in parts for edit in part.edit.get("edits", (part.edit,)))
    return Written(
        "; ".join(part.title for part in told.values()),
        "\n".join(part.code for part in told.values()),
        {"action": "all", "edits": data},
    )


def _in_words_of(phrase: str, changes: Sequence[Edit], written: Mapping[str, Any]) -> str:
    """A phrase of evidence with arguments called as the framework calls them."""
    for ours, theirs in _spelled(changes, written).items():
        phrase = re.sub(rf"\b{ours}\b", theirs, phrase)
    return phrase


# The cause


def _cause(case: Case, fixes: Sequence[Fix]) -> Cause | None:
    """The layer that the best fix changes. Without a fix there is no telling."""
    if not fixes:
        return None
    fix = fixes[0]
    edit = fix.changes[0]
    recording = case.recording
    if isinstance(edit, Input):
        given = recording.shape(recording.inputs[edit.index])
        reason = f"the input is {text(given)}; with {text(edit.shape)} it fits"
        outermost = [call for call in recording.calls if call.is_layer and call.parent is None]
        return Cause("input", "input", outermost[-1].span if outermost else None, _because(reason, fix))
    if isinstance(edit, Target):
        return Cause("target", "target", _location(case), _because(fix.title, fix))
    path = _blamed(edit, recording)
    layer = recording.layer_at.get(path)
    call = _call_of(path, recording)
    location = layer.defined if layer is not None and layer.defined is not None else (call.span if call else None)
    kind = layer.type if layer is not None else case.call.name
    if isinstance(edit, Insert):
        location = case.call.span
    return Cause(path, kind, location, _because(_reason(case, fix, edit), fix))


def _blamed(edit: Edit, recording: Recording) -> str:
    if isinstance(edit, Set):
        return edit.layer
    if isinstance(edit, Replace):
        return edit.layer if edit.layer in recording.layer_at else edit.layer.rpartition(".")[0]
    assert isinstance(edit, Insert | SetCall)
    path = place_layer(edit.place)
    layer = recording.layer_at.get(path)
    # one that a `call` makes for itself (`layers.add([x, y])`) can be found in no model: it is that call's line
    return path.rpartition(".")[0] if layer is not None and layer.facts.get("made_in_call") else path


def _spelled(changes: Sequence[Edit], written: Mapping[str, Any]) -> Mapping[str, str]:
    """Our names of the arguments that are set, and the framework's."""
    data = written.get("edits", (written,))
    pairs = zip((edit for edit in changes if isinstance(edit, Set | SetCall)), data, strict=False)
    return {edit.argument: str(part.get("argument", edit.argument)) for edit, part in pairs}


def _reason(case: Case, fix: Fix, edit: Edit) -> str:
    if isinstance(edit, Set):
        spelled = _spelled(fix.changes, fix.edit)
        sets = {spelled[e.argument]: e for e in fix.changes if isinstance(e, Set) and e.layer == edit.layer}
        return "; ".join(f"{name} is {short(e.was)}, where {short(e.value)} fits" for name, e in sets.items())
    if isinstance(edit, SetCall):
        name = _spelled(fix.changes, fix.edit)[edit.argument]
        return f"{name} is {short(edit.was)}, where {short(edit.value)} fits"
    if isinstance(edit, Insert) and edit.module.kind == "contiguous":
        return "the axes were moved, and the elements were not"
    if isinstance(edit, Insert) and case.junction is None:
        missing = {"flatten": "a flatten", "conv": "a convolution", "linear": "a linear layer"}.get(edit.module.kind)
        return f"{missing or 'a layer'} is missing before it"
    if isinstance(edit, Insert) and edit.module.kind == "unsqueeze":
        return "one of its branches lacks axes of size 1"
    if case.junction is not None and len(case.junction.branches) == 2:
        names = {branch.role: branch for branch in case.junction.branches}
        main, skip = names.get("main"), names.get("skip")
        if main and skip and not [s for s in skip.path if s.kind != "identity"]:
            return "its main branch changes the shape, and its skip has no projection"
    return "one of its branches needs a projection"


def _because(reason: str, fix: Fix) -> str:
    return f"{reason}; {'; '.join(fix.evidence)}" if fix.evidence else reason


def _call_of(path: str, recording: Recording) -> Call | None:
    return next((call for call in recording.calls if call.is_layer and call.layer == path), None)


# What ran and looks wrong


def _warnings(graph: Graph, adapter: Adapter, probe: Probe | None) -> Iterator[Diagnosis]:
    seen: set[str] = set()
    others = None if probe is None or graph.recording.failure is not None else passes(probe)
    for unit in graph.units:
        if not unit.finished or unit.place in seen:
            continue
        case = Case(graph, unit)
        finding = _ask(case, "warning")
        if finding is None:
            continue
        seen.add(unit.place)
        if not _is_excused(case, finding) and not (finding.by_chance and _is_chance(case, finding, others)):
            yield _warning(case, finding, adapter, probe)


def _is_excused(case: Case, finding: Finding) -> bool:
    """Whether `# shapewatch: ok` stands at the call, or where its layer is made."""
    layer = case.layer
    places = [case.call.span, layer.defined if layer is not None else None]
    return any(place is not None and excused(place.file, place.line, finding.code) for place in places)


def _is_chance(case: Case, finding: Finding, others: Passes | None) -> bool:
    """Whether what a warning rests on is gone with inputs of another size, or that cannot be tried."""

    def still(graph: Graph, unit: Call) -> bool:
        return _ask(Case(graph, unit), "warning") is not None

    varied = finding.varied or case.graph.lineage.batch
    return varied is None or not holds(case.call, case.recording, others, varied, still)


def _warning(case: Case, finding: Finding, adapter: Adapter, probe: Probe | None) -> Diagnosis:
    candidates = [
        candidate
        for candidate in propose(case, finding)
        if not any(isinstance(edit, Input) for edit in candidate.edits)
    ]
    fixes: list[Fix] = []
    if probe is None or case.recording.failure is not None:
        reason = "no model was called as a whole, so there is nothing to run again"
        if probe is not None:
            reason = "the pass fails further on"
        written = _written(candidates[0].edits, adapter, case.recording) if candidates else None
        fixes = [_as_fix(candidates[0], written, adapter, None, reason)] if written else []
    else:
        passing = [v for v in Search(probe).outcome(candidates, case).passing if _mended(v.trial, case)]
        fixes = [_proven(verified, adapter, case) for verified in _distinct(passing)]
    return Diagnosis(
        code=finding.code,
        name=finding.name,
        severity="warning",
        headline=finding.headline,
        explanation=finding.explanation,
        cause=_cause(case, fixes),
        location=case.call.span,
        junction=case.junction,
        fixes=tuple(fixes),
        layer=case.call.layer,
    )


def _mended(trial: Trial, case: Case) -> bool:
    """Whether the rule that warned is silent at that place when the pass is run with the change."""
    graph = Graph(trial.recording)
    again = [unit for unit in graph.units if unit.place == case.call.place]
    return bool(again) and all((_ask(Case(graph, unit), "warning")) is None for unit in again)
