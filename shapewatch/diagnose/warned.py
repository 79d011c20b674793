"""What is told of a call that ran and looks wrong."""

from __future__ import annotations

from shapewatch.adapters import Adapter, Probe, Trial
from shapewatch.diagnose.cases import ask
from shapewatch.diagnose.cause import cause_of
from shapewatch.diagnose.fixes import as_fix, distinct, in_idiom, proven
from shapewatch.edits import Input, Target
from shapewatch.flow.junctions import Graph
from shapewatch.repair import Candidate, Search, about, propose
from shapewatch.report import Diagnosis, Fix
from shapewatch.rules import Case, Finding


def as_warning(case: Case, finding: Finding, adapter: Adapter, probe: Probe | None) -> Diagnosis:
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
        candidates = [candidate for candidate in candidates if _is_about(candidate, case, finding)]
        written = in_idiom(candidates[0].edits, adapter, case.recording) if candidates else None
        fixes = [as_fix(candidates[0], written, adapter, None, reason)] if written else []
    else:
        passing = [v for v in Search(probe).outcome(candidates, case).passing if _mended(v.trial, case)]
        fixes = [proven(verified, adapter, case) for verified in distinct(passing)]
    return Diagnosis(
        code=finding.code,
        name=finding.name,
        severity="warning",
        headline=finding.headline,
        explanation=finding.explanation,
        cause=cause_of(case, fixes),
        location=case.call.span,
        junction=case.junction,
        fixes=tuple(fixes),
        layer=case.call.layer,
    )


def _is_about(candidate: Candidate, case: Case, finding: Finding) -> bool:
    """Whether a change that cannot be tried is one of the layer or operation that is warned of, or one the rule itself
    asks for: what siblings do elsewhere mends nothing here."""
    here = all(isinstance(edit, Target) or about(edit) == case.call.layer for edit in candidate.edits)
    return (here and not candidate.needs_proof) or candidate.edits in finding.own


def _mended(trial: Trial, case: Case) -> bool:
    """Whether the rule that warned is silent at that place when the pass is run with the change."""
    graph = Graph(trial.recording)
    again = [unit for unit in graph.units if unit.place == case.call.place]
    return bool(again) and all((ask(Case(graph, unit), "warning")) is None for unit in again)
