"""A shortcut that has a projection under a condition which lacks a word: `if stride != 1`, and nothing of the channels.

The program says itself how the shortcut is brought to the other branch's shape, so neither a layer of one block is to
be put in its place nor a layer on the other branch to be changed.
"""

from __future__ import annotations

from dataclasses import replace

from shapewatch.adapters.guards import Projection, projection_before, projection_called, projection_kept_as
from shapewatch.adapters.operand import operand_text
from shapewatch.adapters.statements import statement
from shapewatch.axes import differ
from shapewatch.edits import Edit, Insert, Module, Replace
from shapewatch.flow.junctions import Branch
from shapewatch.flow.layout import Layout
from shapewatch.repair.candidate import short
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case


def or_under_a_condition(told: Diagnosis, case: Case) -> Diagnosis:
    """The diagnosis; where one of its fixes is the projection that a condition of the program kept from a shortcut,
    with the condition that lets it through."""
    for fix in told.fixes:
        projection = _kept_back(fix, case)
        lacking = _lacking(fix, projection, case) if projection is not None else None
        if projection is None or lacking is None:
            continue
        code = projection.let(*lacking)
        reason = f"`{projection.guard.test}` leaves it without its projection here, where {_changes(fix)}"
        cause = Cause(case.call.layer, _type(case), projection.line, reason)
        let = replace(fix, title=f"the projection also where {lacking[0]} != {lacking[1]}", code=code, evidence=())
        return replace(told, cause=cause, fixes=(let, *(other for other in told.fixes if other is not fix)))
    return told


def _type(case: Case) -> str:
    layer = case.recording.layer_at.get(case.call.layer)
    return layer.type if layer is not None else case.call.name


def _kept_back(fix: Fix, case: Case) -> Projection | None:
    """The projection of the program that a fix is: as an attribute that holds something else here, or in the function
    around the junction, in a branch that was not taken."""
    edit = fix.changes[0] if fix.changes else None
    if len({_attribute(each) for each in fix.changes}) != 1:
        return None
    if isinstance(edit, Replace):
        layer = case.recording.layer_at.get(edit.layer)
        made = layer.defined if layer is not None else case.call.span
        return projection_kept_as(_attribute(edit), made) if made is not None else None
    if isinstance(edit, Insert) and edit.place == case.call.place and case.junction is not None:
        skips = [each for each in case.junction.branches if each.operand == edit.operand and not each.path]
        variable = operand_text(statement(case.call.span), edit.operand, case.call.name)
        if not skips or case.call.span is None:
            return None
        return projection_before(case.call.span, variable) or projection_called(case.call.span, variable)
    return None


def _attribute(edit: Edit) -> str:
    return edit.layer.rpartition(".")[2] if isinstance(edit, Replace) else repr(edit)


def _lacking(fix: Fix, projection: Projection, case: Case) -> tuple[str, str] | None:
    """What the condition does not ask to differ: the stride from 1, or the channels from those that come in."""
    conv = _convolution(fix)
    if conv is None:
        return None
    widths = [conv.arguments.get(name) for name in ("in_channels", "out_channels")]
    strided = conv.arguments.get("stride", 1) not in (1, (1, 1), (1,), (1, 1, 1))
    if strided == (widths[0] != widths[1]):
        return None  # both, and then the condition lacks more than a word
    if strided:
        stride = projection.stride
        return None if stride is None or projection.guard.asks_for(stride) else (stride, "1")
    return _other_widths(projection, case)


def _other_widths(projection: Projection, case: Case) -> tuple[str, str] | None:
    width = projection.width
    if width is None or projection.guard.asks_for(width):
        return None
    if projection.given is not None:
        return projection.given, width
    skip = next((branch for branch in case.junction.branches if not branch.path), None) if case.junction else None
    if skip is None or projection.variable is None:
        return None
    return f"{projection.variable}.shape[{_channels(skip, case)}]", width


def _channels(skip: Branch, case: Case) -> int:
    layout = (case.layout or case.graph.layout or Layout()).of_batch(skip.shape)
    axis = layout.channels(skip.shape)
    return -1 if axis == len(skip.shape) - 1 else axis


def _convolution(fix: Fix) -> Module | None:
    edit = fix.changes[0]
    module = edit.module if isinstance(edit, Insert | Replace) else None
    parts = [] if module is None else [module, *module.parts]
    return next((part for part in parts if part.kind == "conv"), None)


def _changes(fix: Fix) -> str:
    conv = _convolution(fix)
    assert conv is not None
    given, made = (conv.arguments.get(name) for name in ("in_channels", "out_channels"))
    if given is not None and made is not None and differ(given, made):
        return f"channels go from {given} to {made}"
    return f"the other branch goes in steps of {short(conv.arguments.get('stride'))}"
