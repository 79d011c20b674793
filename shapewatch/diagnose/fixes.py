"""Candidates as fixes: written in the framework's idiom, with how far they were proven."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shapewatch.adapters import Adapter, Written
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.recording import Recording
from shapewatch.repair import Candidate, Verified, places
from shapewatch.report import Fix
from shapewatch.rules import Case

REAL_CHOICE = 0.7
"""How much weaker the evidence for a second fix may be, for it to be worth a reader's time."""


def distinct(passing: Sequence[Verified]) -> list[Verified]:
    """The best, and up to two others that are a real choice: another setting or another layer, with not much less
    evidence."""
    kept: dict[tuple[tuple[type, str | None, str | None], ...], Verified] = {}
    for verified in passing:
        if verified.score >= passing[0].score - REAL_CHOICE:
            edits = verified.candidate.edits
            kept.setdefault(tuple((type(e), places([e]), getattr(e, "argument", None)) for e in edits), verified)
    return list(kept.values())[:3]


def proven(verified: Verified, adapter: Adapter, case: Case) -> Fix:
    """A fix with which the pass finished, or ended where there was no more to run."""
    beyond = verified.trial.beyond
    return verified_fix(verified, adapter, case, "forward" if beyond is None else "junction", beyond)


def verified_fix(verified: Verified, adapter: Adapter, case: Case, level: Any, why_not: str | None) -> Fix:
    written = _as_one(verified.candidate.edits, adapter, case.recording)
    fix = as_fix(verified.candidate, written, adapter, level, why_not)
    return replace(
        fix,
        output_shape=verified.trial.output if verified.trial.finished and verified.trial.beyond is None else None,
        parameters_added=verified.trial.parameters,
    )


def as_fix(candidate: Candidate, written: Written, adapter: Adapter, level: Any, why_not: str | None) -> Fix:
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


def in_idiom(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written | None:
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
    for ours, theirs in names_as_written(changes, written).items():
        phrase = re.sub(rf"\b{ours}\b", theirs, phrase)
    return phrase


def names_as_written(changes: Sequence[Edit], written: Mapping[str, Any]) -> Mapping[str, str]:
    """Our names of the arguments that are set, and the framework's."""
    data = written.get("edits", (written,))
    pairs = zip((edit for edit in changes if isinstance(edit, Set | SetCall)), data, strict=False)
    return {edit.argument: str(part.get("argument", edit.argument)) for edit, part in pairs}
