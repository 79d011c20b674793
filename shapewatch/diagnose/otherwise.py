"""Other answers than the best fix of a search: what the model declares, a variable of the program's own, a batch whose
size is written down."""

from __future__ import annotations

from dataclasses import replace

from shapewatch.adapters import Adapter, Declaring, Probe
from shapewatch.adapters.operand import OF_WINDOWS
from shapewatch.diagnose.labels_made_here import or_labels_made_here
from shapewatch.diagnose.made_of_sizes import or_made_of_sizes
from shapewatch.diagnose.padded_alike import padded_alike
from shapewatch.edits import Input, SetCall
from shapewatch.recording import Recording
from shapewatch.repair import declared_at, declared_otherwise, odd_variable
from shapewatch.repair.batch_written_down import batch_written_down
from shapewatch.repair.collating import without_collate_fn
from shapewatch.repair.made_in_the_call import made_in_the_call
from shapewatch.repair.mask_made_of_another import mask_made_of_another
from shapewatch.repair.packed import unpacked_short
from shapewatch.repair.rounded_to import Rounding, rounded_to
from shapewatch.repair.rows_cut import made_for_parts
from shapewatch.repair.segments import made_for_other_rows
from shapewatch.repair.state_made_before import state_made_before
from shapewatch.repair.state_of_another_batch import (
    smaller_last_batch,
    state_of_another_batch,
    whole_batches_alone,
)
from shapewatch.repair.untaken_weights import untaken_weight
from shapewatch.report import Diagnosis, Fix
from shapewatch.rules import Case, Finding


def or_declaration(told: Diagnosis, recording: Recording, adapter: Adapter) -> Diagnosis:
    """The diagnosis; where it asks for other data, with what the model says of them as another choice, or the first."""
    told = replace(told, fixes=tuple(_as_declared(fix, recording, adapter.declares) for fix in told.fixes))
    padded = padded_alike(told, recording)
    if padded is not None:
        return padded
    told = or_labels_made_here(or_made_of_sizes(told, recording), recording)
    if told.cause is None or told.cause.type != "input" or not told.fixes or not told.fixes[0].changes:
        return told
    edit = told.fixes[0].changes[0]
    rounding = rounded_to(recording, edit) if isinstance(edit, Input) else None
    if rounding is not None:
        return _with_rounding(told, rounding)
    there = declared_at(recording, edit, adapter.declares) if isinstance(edit, Input) else None
    if there is not None:
        return replace(told, cause=replace(told.cause, location=there[0]))
    batches = whole_batches_alone(told.fixes[0], recording)
    if batches is not None:
        return replace(told, cause=batches.cause, fixes=(batches.fix,))
    declared = declared_otherwise(recording, told.fixes[0], adapter)
    if declared is None:
        return told
    if not declared.first:
        return replace(told, fixes=(told.fixes[0], declared.fix, *told.fixes[1:]))
    return replace(told, cause=declared.cause, fixes=(declared.fix, *told.fixes))


def _with_rounding(told: Diagnosis, rounding: Rounding) -> Diagnosis:
    assert told.cause is not None
    first = told.fixes[0]
    reason = f"`{rounding.name}` is {rounding.was}, and the sizes of the input have to divide by {rounding.needed}"
    fix = replace(
        first,
        title=f"`{rounding.name}`: {rounding.needed} instead of {rounding.was}",
        code=rounding.code,
        edit={"action": "set", "variable": rounding.name, "argument": "value", "value": rounding.needed},
        changes=(),
        verified=None,
        why_not="the data are not made again; with an input whose sizes divide by it the pass finishes",
        output_shape=None,
        parameters_added=None,
        location=rounding.line,
        evidence=(),
    )
    cause = replace(told.cause, layer=rounding.name, type="variable", location=rounding.line, reason=reason)
    return replace(told, cause=cause, fixes=(fix, *told.fixes[1:]))


def _as_declared(fix: Fix, recording: Recording, declares: Declaring) -> Fix:
    """The fix; one of a declared input as a change of the line that declares it."""
    only = fix.changes[0] if len(fix.changes) == 1 else None
    there = declared_at(recording, only, declares) if isinstance(only, Input) else None
    return fix if there is None or there[1] is None else replace(fix, code=there[1])


def _is_of_a_window(told: Diagnosis) -> bool:
    """Whether the best fix changes how operations go over their maps, and nothing but the pass speaks for it."""
    edits = told.fixes[0].changes if told.fixes and not told.fixes[0].evidence else ()
    return bool(edits) and all(isinstance(edit, SetCall) and edit.argument in OF_WINDOWS for edit in edits)


def _asks_for_data(told: Diagnosis) -> bool:
    """Whether nothing else than another input would end the failure."""
    return not told.fixes or all(isinstance(edit, Input) for edit in told.fixes[0].changes)


def or_variable(
    told: Diagnosis, case: Case, finding: Finding, adapter: Adapter, probe: Probe | None = None
) -> Diagnosis:
    """The diagnosis with the variable of the program's own that may be to blame: the first choice where nothing else
    is, or where the data are and its own sizes tell; else another one. `probe`: to try it with, where that can be."""
    mask = mask_made_of_another(case, adapter.name)
    fix = _tried(mask.fix, probe) if mask is not None else None
    if mask is not None and fix is not None and fix.verified == "forward":
        return replace(told, cause=mask.cause, fixes=(fix,))
    tried = bool(told.fixes) and told.fixes[0].verified == "forward"
    for_a_batch = None
    if not tried or told.fixes[0].code.startswith("# "):
        for_a_batch = state_made_before(case, finding, adapter.name)
    if not tried:
        for_a_batch = for_a_batch or (
            made_for_other_rows(case, adapter.name)
            or batch_written_down(case, adapter.name)
            or state_of_another_batch(case, finding, adapter.name)
        )
    if for_a_batch is not None:
        return replace(told, cause=for_a_batch.cause, fixes=(_tried(for_a_batch.fix, probe),))
    made = made_in_the_call(case, adapter.name) if _asks_for_data(told) else None
    if made is not None:
        batches = smaller_last_batch(case, adapter.name)
        return replace(told, cause=made.cause, fixes=(made.fix, *([batches.fix] if batches is not None else [])))
    odd = (
        made_for_parts(case, adapter.name)
        or untaken_weight(case, finding, adapter.name)
        or odd_variable(case, finding, adapter.name)
    )
    if odd is None and told.cause is None and not told.fixes:
        odd = (
            without_collate_fn(case, finding, adapter.name)
            or unpacked_short(case, adapter.name)
            or smaller_last_batch(case, adapter.name)
        )
    if odd is not None and told.cause is not None and told.cause.location == odd.cause.location is not None:
        return told  # the line is blamed already
    if odd is None or (told.cause is not None and told.cause.type in ("target", "output")):
        return told
    odd = replace(odd, fix=_tried(odd.fix, probe))
    data = told.cause is not None and told.cause.type == "input"
    own = told.cause is not None and told.cause.type == "reshape" and not tried  # a number in the place of the weight's
    if told.cause is None or ((data or own or _is_of_a_window(told)) and odd.beyond_doubt):
        named = own and odd.fix.edit.get("argument") == "value"  # the line is right that says the name
        others = () if named else told.fixes
        return replace(told, cause=odd.cause, fixes=(odd.fix, *others))
    return told if data else replace(told, fixes=(*told.fixes[:2], odd.fix))


def _tried(fix: Fix, probe: Probe | None) -> Fix:
    """The fix, with how far it was proven: a weight that a layer holds can be tried in another shape, as can a layer
    that is constructed with another size."""
    trial = probe.run(fix.changes) if probe is not None and fix.changes else None
    if trial is None or not trial.finished:
        return replace(fix, changes=())
    return replace(
        fix,
        verified="forward" if trial.beyond is None else "junction",
        why_not=trial.beyond,
        output_shape=trial.output if trial.beyond is None else None,
        parameters_added=trial.parameters,
    )
