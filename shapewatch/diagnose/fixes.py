"""Candidates as fixes: written in the framework's idiom, with how far they were proven."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shapewatch.adapters import STILL_BEING_BUILT, Adapter, Written
from shapewatch.adapters.pool_windows import lines_of_windows
from shapewatch.adapters.reaches import lines_of_reach
from shapewatch.adapters.statements import merged, name_called, parsed, statement
from shapewatch.edits import Edit, Insert, Replace, Set, SetCall
from shapewatch.recording import Recording
from shapewatch.repair import Candidate, Verified, places
from shapewatch.repair.size_by_a_name import named_by
from shapewatch.report import Fix
from shapewatch.rules import Case

REAL_CHOICE = 0.7
"""How much weaker the evidence for a second fix may be, for it to be worth a reader's time."""


def distinct(passing: Sequence[Verified]) -> list[Verified]:
    """The best, and up to two others that are a real choice: another setting or another layer, with not much less
    evidence."""
    kept: dict[tuple[object, ...], Verified] = {}
    for verified in passing:
        if verified.score >= passing[0].score - REAL_CHOICE:
            edits = verified.candidate.edits
            if not _is_put_elsewhere(edits, kept.values()):
                kept.setdefault(tuple((type(e), _changed(e), getattr(e, "argument", None)) for e in edits), verified)
    return list(kept.values())[:3]


def _is_put_elsewhere(edits: Sequence[Edit], kept: Iterable[Verified]) -> bool:
    """Whether a module that is put on a branch is one that is kept already, in the place that its class has for it."""
    (edit, *more) = edits
    others = [other for each in kept for other in each.candidate.edits if isinstance(other, Replace)]
    return isinstance(edit, Insert) and not more and any(repr(edit.module) == repr(other.module) for other in others)


def _changed(edit: Edit) -> str | None:
    """What an edit is about. A layer of the class that is never called is one thing, wherever it may be called."""
    if isinstance(edit, Insert) and edit.module.kind == "own":
        return f"self.{edit.module.arguments['name']}"
    return places([edit])


def proven(verified: Verified, adapter: Adapter, case: Case) -> Fix:
    """A fix with which the pass finished, or ended where there was no more to run."""
    beyond = verified.trial.beyond or (STILL_BEING_BUILT if _is_put_in_a_row(case, adapter) else None)
    fix = verified_fix(verified, adapter, case, "forward" if beyond is None else "junction", beyond)
    return fix if beyond is None else replace(fix, output_shape=None)


def _is_put_in_a_row(case: Case, adapter: Adapter) -> bool:
    """Whether a Keras model failed as a layer was added to it: those behind that one are not in it yet."""
    failure = case.recording.failure
    tree = parsed(statement(failure.span)) if failure is not None and adapter.name == "keras" else None
    last = getattr(tree.body[0], "value", None) if tree is not None and tree.body else None
    return isinstance(last, ast.Call) and name_called(last) in ("add", "Sequential")


def verified_fix(verified: Verified, adapter: Adapter, case: Case, level: Any, why_not: str | None) -> Fix:
    written = _as_one(verified.candidate.edits, adapter, with_its_places(verified, case))
    fix = as_fix(verified.candidate, written, adapter, level, why_not)
    return replace(
        fix,
        output_shape=verified.trial.output if verified.trial.finished and verified.trial.beyond is None else None,
        parameters_added=verified.trial.parameters,
    )


def with_its_places(verified: Verified, case: Case) -> Recording:
    """The recording of the program or, where its pass did not come as far as the edits are, that of the trial."""
    places = {edit.place for edit in verified.candidate.edits if isinstance(edit, Insert | SetCall)}
    came_so_far = places <= {call.place for call in case.recording.calls}
    return case.recording if came_so_far else verified.trial.recording


def as_fix(candidate: Candidate, written: Written, adapter: Adapter, level: Any, why_not: str | None) -> Fix:
    return Fix(
        title=written.title,
        code=written.code,
        edit=written.edit,
        changes=candidate.edits,
        framework=adapter.name,
        verified=level,
        why_not=why_not,
        location=written.span,
        evidence=tuple(_in_words_of(phrase, candidate.edits, written.edit) for phrase in candidate.evidence),
    )


def in_idiom(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written | None:
    """The edits as the framework's users write them; None for what the framework cannot have."""
    try:
        return _as_one(edits, adapter, recording)
    except ValueError:
        return None


def _as_one(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written:
    """Several edits written as one, with the names that the file imports where they belong."""
    from shapewatch.adapters.imports import as_imported  # here: it is wanted only where something is wrong

    written, file = _together(edits, adapter, recording), _file_of(edits, recording)
    if lines := lines_of_reach(edits, recording):
        title = "the padding of what the window reaches back, with its dilation"
        written = replace(written, title=title, span=lines[0][0], code="\n".join(code for _, code in lines))
    elif windows := lines_of_windows(edits, recording):
        written = replace(written, code="\n".join(code for _, code in windows))
    elif (named := named_by(edits, recording)) is not None:
        written = replace(written, title=named.code, code=named.code)
    elif (line := adapter.line_of_all(edits, recording)) is not None:
        written = replace(written, span=line[0], code=line[1])
    return replace(written, code=as_imported(written.code, file)) if file is not None else written


def _file_of(edits: Sequence[Edit], recording: Recording) -> str | None:
    """Where the first of several edits is to be made; what no layer and no operation has, where the last call is."""
    calls = {call.place: call.span for call in recording.calls if call.span is not None}
    for edit in edits:
        if isinstance(edit, Insert | SetCall) and edit.place in calls:
            return calls[edit.place].file
        layer = recording.layer_at.get(edit.layer) if isinstance(edit, Set | Replace) else None
        if layer is not None and layer.defined is not None:
            return layer.defined.file
    return next((span.file for span in reversed(list(calls.values()))), None)


def _together(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written:
    """Several edits written as one: those of one layer as one construction of it."""
    if len(edits) == 1:
        return adapter.write(edits[0], recording)
    if (of_one := as_their_line(edits, adapter, recording)) is not None:
        return of_one
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
        facts = {**layer.facts, **{name: edit.value for name, edit in last.items()}, "edited": tuple(last)}
        merged = replace(
            recording, layers=tuple(replace(x, facts=facts) if x.path == path else x for x in recording.layers)
        )
        written = [adapter.write(edit, merged) for edit in last.values()]
        parts.append(
            Written("; ".join(w.title for w in written), written[0].code, {"edits": tuple(w.edit for w in written)})
        )
    parts += [adapter.write(edit, recording) for edit in others]
    told = {(part.title, part.code): part for part in parts}  # what one line does several times is written once
    codes = _lines(list(dict.fromkeys(part.code for part in told.values())), edits, recording)
    data = tuple(edit for part in parts for edit in part.edit.get("edits", (part.edit,)))
    return Written(
        "; ".join(dict.fromkeys(part.title for part in told.values())),
        "\n".join(_entries_at_once(codes, recording)),
        {"action": "all", "edits": data},
    )


def as_their_line(edits: Sequence[Edit], adapter: Adapter, recording: Recording) -> Written | None:
    """The same change of all layers that one line makes, each time that the function runs which it is in: that line."""
    sets = [edit for edit in edits if isinstance(edit, Set)]
    made = {recording.layer_at[edit.layer].defined for edit in sets if edit.layer in recording.layer_at}
    said = {(edit.argument, repr(edit.value), repr(edit.was)) for edit in sets}
    line = statement(next(iter(made))) if len(made) == len(said) == 1 and len(sets) == len(edits) else None
    kinds = {recording.layer_at[edit.layer].type for edit in sets if edit.layer in recording.layer_at}
    of_line = [layer for layer in recording.layers if layer.defined in made and layer.leaf]
    there = [layer.path for layer in of_line if layer.type in kinds]
    if line is None or len(sets) < 2 or set(there) != {edit.layer for edit in sets}:
        return None
    others = {layer.path for layer in of_line} - {there[0]}
    alone = replace(recording, layers=tuple(x for x in recording.layers if x.path not in others))
    first = next(edit for edit in sets if edit.layer == there[0])
    whole = adapter.write(first, alone)
    if whole.code.partition("(")[0] != line.partition("(")[0]:
        return None
    parts = [adapter.write(edit, recording) for edit in sets]
    titles = list(dict.fromkeys(part.title for part in parts))
    title = "; ".join(titles) if len(titles) <= _TOLD_EACH else f"{titles[0]}; so in {len(titles) - 1} others"
    return Written(title, whole.code, {"action": "all", "edits": tuple(part.edit for part in parts)})


_TOLD_EACH = 3
"""Layers of one line that a title tells of one by one."""

_ENTRY = re.compile(r"(?P<name>(?P<row>\w+)\[\d+\]) = (?P<value>.+)")


def _entries_at_once(codes: Sequence[str], recording: Recording) -> Sequence[str]:
    """`state = (state[0].permute(1, 0, 2), state[1].permute(1, 0, 2))`, where every entry of an input is changed: a
    tuple has none that could be set."""
    entries = [entry for entry in map(_ENTRY.fullmatch, codes) if entry is not None]
    if len(entries) != len(codes) or len(entries) < 2:
        return codes
    row, values = entries[0]["row"], {entry["name"]: entry["value"] for entry in entries}
    whole = [name for number in recording.inputs if (name := recording.values[number].name) and f"{row}[" in name]
    if set(whole) != values.keys():
        return codes
    return [f"{row} = ({', '.join(values[name] for name in whole)})"]


def _lines(codes: Sequence[str], edits: Sequence[Edit], recording: Recording) -> Sequence[str]:
    """The lines of several edits; those of operands of one line as that line."""
    places = {edit.place if isinstance(edit, Insert | SetCall) else None for edit in edits}
    calls = [call for call in recording.calls if call.place in places]
    lines = {call.span for call in calls}
    (span,) = lines if len(lines) == 1 and None not in places else (None,)
    for source in (statement(span), span.source if span is not None else None) if len(codes) > 1 else ():
        bare, said = zip(*(code.strip().partition("  # ")[::2] for code in codes), strict=True)
        whole = None if source is None else merged(source.strip(), bare)
        if whole is not None:
            return ["  # ".join(filter(None, (whole, "; ".join(dict.fromkeys(filter(None, said))))))]
    return codes


def _in_words_of(phrase: str, changes: Sequence[Edit], written: Mapping[str, Any]) -> str:
    """A phrase of evidence with arguments called as the framework calls them."""
    for ours, theirs in names_as_written(changes, written).items():
        phrase = re.sub(rf"\b{ours}\b", theirs, phrase)
    return phrase


def names_as_written(changes: Sequence[Edit], written: Mapping[str, Any]) -> Mapping[str, str]:
    """Our names of the arguments that are set, and the framework's. Each place has its edits in the order of the
    changes; the places are written in another."""
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for part in written.get("edits", (written,)):
        rows[part.get("call") or part.get("layer") or ""].append(part)
    names = {}
    for edit in (edit for edit in changes if isinstance(edit, Set | SetCall)):
        row = rows[edit.place if isinstance(edit, SetCall) else edit.layer]
        names[edit.argument] = str((row.pop(0) if row else {}).get("argument", edit.argument))
    return names
