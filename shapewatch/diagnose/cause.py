"""Who is to blame: what the best fix changes."""

from __future__ import annotations

from collections.abc import Sequence

from shapewatch.adapters.operand import operand_text
from shapewatch.adapters.statements import statement
from shapewatch.adapters.written import axes_together
from shapewatch.diagnose.fixes import names_as_written
from shapewatch.edits import RESULT, Edit, Input, Insert, Replace, Set, SetCall, Target, place_layer
from shapewatch.recording import Call, Recording, Span, Value, text
from shapewatch.repair import assigned_line, short, table_made_at
from shapewatch.repair.size_by_a_name import named_by
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case, Finding


def cause_of(case: Case, fixes: Sequence[Fix], block: str = "") -> Cause | None:
    """The layer that the best fix changes, or the `block` that holds all that it changes. Without a fix there is no
    telling."""
    if not fixes:
        return None
    fix = fixes[0]
    edit = fix.changes[0]
    recording = case.recording
    if isinstance(edit, Input):
        given = recording.values[recording.inputs[edit.index]]
        named = f" {given.name}" if given.name and given.name not in ("input", "inputs") else ""
        reason = f"the input{named} is {text(given.shape)}; with {text(edit.shape)} it fits"
        whole = recording.failure.spoken.get(given.name or "", ()) if recording.failure is not None else ()
        if whole and whole == edit.shape[1:] and given.shape != whole:  # its rows were taken for samples
            reason = f"the input{named} is one sample, {text(whole)}; with {text((1, *whole))} it fits"
        return Cause("input", "input", _given_at(given, case), _because(reason, fix))
    if isinstance(edit, Target):
        whose = next((each for each in ("output", "input") if edit.change.startswith(each)), "target")
        return Cause(whose, whose, location_of(case), _because(fix.title, fix))
    if (size := named_by(fix.changes, recording)) is not None:
        reason = f"{size.name} is {size.was}, where {size.fits} fits"
        return Cause(None, size.name, size.line, _because(reason, fix))
    path = block or _blamed(edit, recording)
    layer = recording.layer_at.get(path)
    call = _call_of(path, recording)
    location = layer.defined if layer is not None and layer.defined is not None else (call.span if call else None)
    kind = layer.type if layer is not None else case.call.name
    if isinstance(edit, Insert):
        there = recording.at(edit.place)
        elsewhere = edit.operand == RESULT or edit.module.kind in ("value", "own")
        if there is not None and there.is_layer and not elsewhere:
            there = None
        made = layer.defined if layer is not None and path != case.call.layer and case.call.kind == "loss" else None
        location = edit.module.arguments.get("span", made or case.call.span if there is None else there.span)
    location = table_made_at(edit, case) or location
    if isinstance(edit, SetCall):
        there = recording.at(edit.place)
        location = there.span if there is not None else location
    location = fix.location or location
    reason = "; ".join(fix.evidence) if block else _because(_reason(case, fix, edit), fix)
    if not path and isinstance(edit, Insert | SetCall) and _is_outside(edit.place, recording):
        there = recording.at(edit.place)
        return Cause(None, case.call.name if there is None else there.name, location, reason)
    return Cause(path, kind, location, reason)


def _is_outside(place: str, recording: Recording) -> bool:
    """Whether an operation is one of the program's own, in no layer's forward."""
    call = recording.at(place)
    return call is not None and call.parent is None and not call.is_layer


def _given_at(given: Value, case: Case) -> Span | None:
    """The line that declares an input, where it stands for batches of any length; else the one that calls the model."""
    failed = location_of(case)
    if given.name and given.shape[:1] == (None,) and failed is not None:
        declared = assigned_line(failed.file, given.name, failed.line)
        if declared is not None:
            return declared
    outermost = case.recording.roots
    return (outermost[-1].span if outermost else None) or failed


def _blamed(edit: Edit, recording: Recording) -> str:
    if isinstance(edit, Set):
        return edit.layer
    if isinstance(edit, Replace):
        return edit.layer if edit.layer in recording.layer_at else edit.layer.rpartition(".")[0]
    assert isinstance(edit, Insert | SetCall)
    path = place_layer(edit.place)
    layer = recording.layer_at.get(path)
    called = recording.at(edit.place)
    if isinstance(edit, Insert) and edit.module.kind == "own":
        return edit.module.arguments["layer"].rpartition(".")[0]
    if isinstance(edit, Insert) and edit.module.kind == "value" and called is not None and called.is_layer:
        return recording.calls[called.parent].layer if called.parent is not None else path
    # one that a `call` makes for itself (`layers.add([x, y])`) can be found in no model: it is that call's line
    return path.rpartition(".")[0] if layer is not None and layer.facts.get("made_in_call") else path


def _reason(case: Case, fix: Fix, edit: Edit) -> str:
    if isinstance(edit, Set):
        spelled = names_as_written(fix.changes, fix.edit)
        sets = {spelled[e.argument]: e for e in fix.changes if isinstance(e, Set) and e.layer == edit.layer}
        return "; ".join(f"{name} is {short(e.was)}, where {short(e.value)} fits" for name, e in sets.items())
    if isinstance(edit, SetCall) and (made := _making(edit, recording=case.recording)) is not None:
        return f"{made} makes {text(edit.was)}, where {text(edit.value)} fits"
    if isinstance(edit, SetCall) and edit.argument == "alone":
        return "it adds its shortcut where input and output are of different shapes"
    if isinstance(edit, SetCall) and edit.argument == "ends":
        return f"it lays {axes_together(edit.was)} together, where {axes_together(edit.value)} fit"
    if isinstance(edit, SetCall) and edit.argument == "order":
        return f"the factors of {case.call.name} stand in each other's place"
    if isinstance(edit, SetCall) and edit.argument == "as_large_as":
        return f"it makes a map {short(edit.was)} times as large, which is not the size of {edit.value}"
    if isinstance(edit, SetCall):
        name = names_as_written(fix.changes, fix.edit)[edit.argument]
        is_now = "is not given" if edit.was is None else f"is {short(edit.was)}"
        return f"{name} {is_now}, where {short(edit.value)} fits"
    if isinstance(edit, Replace) and edit.module.kind == "pool":
        return "it pools over all steps, which leaves no axis of time, where windows fit"
    return _missing(case, edit) or _projection(case)


def _missing(case: Case, edit: Edit) -> str | None:
    """What is not done to an operand or a result; None where it is a projection."""
    if not isinstance(edit, Insert):
        return None
    met = case.junction is not None
    match edit.module.kind:
        case "value" if "taking" in edit.module.arguments:
            step, _ = edit.module.arguments["order"]
            return "`{name}` is read from its {end} entry on".format(
                end=("first", "last")[step > 0], **edit.module.arguments
            )
        case "value" if "exchanged" in edit.module.arguments:
            return "`{instead}` and `{name}` are in each other's place".format(**edit.module.arguments)
        case "value":
            return "it takes `{instead}`, where `{name}` fits".format(**edit.module.arguments)
        case "own" if "instead" in edit.module.arguments:
            return "it calls `self.{instead}` twice, and `self.{name}`, which is made too, never".format(
                **edit.module.arguments
            )
        case "own":
            return "it never calls `self.{name}`, which is made".format(**edit.module.arguments)
        case "repeat_vector":
            return "it is given one vector for a sample, and takes one for each step"
        case "global_pool":
            others = "the others have" if len(case.call.operands) > 2 else "the other has"
            return f"{_branch(edit, case)} has a vector for each step or place, and {others} one for a sample"
        case "sum":
            return f"{_branch(edit, case)} has one axis more, over which it is to be summed"
        case "exchange":
            return "what it gives is unpacked the other way round"
        case "cover":
            return "its mask is shorter than its keys"
        case "without_last":
            return "what it gives is longer than what it takes, and is not cut"
        case "contiguous":
            return "the axes were moved, and the elements were not"
        case "directions":
            return "it is given a state whose directions are still apart"
        case "pad" if case.call.kind == "loss":
            return "what goes in has other lengths than what comes out"
        case "permute" if edit.operand == RESULT:
            made = case.recording.at(edit.place)
            if made is not None and made.is_layer:
                return f"its axes are in another order than {case.name} takes them"
            return "heads are split off and left behind the steps"
        case "permute":
            if case.call.kind == "attention" and edit.module.arguments["dims"] == (1, 0):
                return "its mask has its axes in another order"
            operand = "its input" if case.call.is_layer else _which(edit, case, "operands")
            return f"{operand} has its axes in another order"
        case "without_first" if case.call.kind == "loss":
            return "the labels are those of every step, and each is to answer for the step before it"
        case "without_first":
            return "what was joined in front of the places of a map is still there"
        case "narrow":
            return "a table is taken whole, and is longer"
        case "expand":
            return "one of its operands is one for all places of the other"
        case "unsqueeze":
            return f"{_which(edit, case, 'branches' if met else 'operands')} lacks axes of size 1"
        case "squeeze":
            return f"{_which(edit, case, 'branches' if met else 'operands')} has an axis of size 1 that others have not"
        case "sequence" if edit.module.parts[0].kind == "permute":
            return "its input is a map whose columns are not its steps yet"
        case "flatten" if met:
            return f"{_branch(edit, case)} has more axes than the others"
        case "resize" | "pad":
            return "its branches differ in size, and nothing brings one to the size of the other"
    if met:
        return None
    missing = {"flatten": "a flatten", "conv": "a convolution", "linear": "a linear layer"}.get(edit.module.kind)
    return f"{missing or 'a layer'} is missing before it"


def _which(edit: Insert, case: Case, these: str) -> str:
    """One of the operands of what failed, by its name and shape where those that there are tell it apart."""
    operands = case.call.operands
    if edit.place != case.call.place or not 0 <= edit.operand < len(operands) or len(operands) < 2:
        return f"one of its {these}"
    value = operands[edit.operand]
    return f"one of its {these}, {case.called(value, '')} {text(case.recording.shape(value))},".replace(",  [", ", [")


def _branch(edit: Insert, case: Case) -> str:
    """A branch by what the line that failed calls it, where it has a name there that is no other branch's."""
    line = statement(case.call.span) if edit.place == case.call.place else None
    names = [operand_text(line, at, case.call.name) for at in range(len(case.call.operands))]
    name = names[edit.operand] if 0 <= edit.operand < len(names) else None
    plain = name is not None and name.isidentifier() and names.count(name) == 1
    return f"`{name}`" if plain else "one of its branches"


def _projection(case: Case) -> str:
    if case.junction is not None and len(case.junction.branches) == 2:
        names = {branch.role: branch for branch in case.junction.branches}
        main, skip = names.get("main"), names.get("skip")
        if main and skip and not [s for s in skip.path if s.kind != "identity"]:
            return "its main branch changes the shape, and its skip has no projection"
    return "one of its branches needs a projection"


def _making(edit: SetCall, recording: Recording) -> str | None:
    """The function that makes a tensor of nothing at a place."""
    made = recording.at(edit.place)
    return made.name if made is not None and made.kind == "create" else None


def _because(reason: str, fix: Fix) -> str:
    return f"{reason}; {'; '.join(fix.evidence)}" if fix.evidence else reason


def _call_of(path: str, recording: Recording) -> Call | None:
    return next((call for call in recording.calls if call.is_layer and call.layer == path), None)


def told_of(case: Case, finding: Finding, cause: Cause | None, fixes: Sequence[Fix]) -> Diagnosis:
    """What a rule found, with what is to blame for it and what mends it."""
    return Diagnosis(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        headline=finding.headline,
        explanation=finding.explanation,
        cause=cause,
        location=location_of(case),
        junction=case.junction,
        fixes=tuple(fixes),
        layer=case.call.layer,
    )


def location_of(case: Case) -> Span | None:
    failure = case.recording.failure
    if failure is None or case.call.finished or (not case.call.is_layer and case.call.span is not None):
        return case.call.span  # an operation in a functional model has the line that put it there
    return failure.span or case.call.span
