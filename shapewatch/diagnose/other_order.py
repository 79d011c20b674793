"""Layers of a list that stand in the other order than what a loop gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shapewatch.adapters.entries import header_with
from shapewatch.adapters.uncalled import times_read
from shapewatch.edits import Set
from shapewatch.recording import Layer
from shapewatch.report import Diagnosis
from shapewatch.rules import Case


def or_reversed(told: Diagnosis, case: Case) -> Diagnosis:
    """The diagnosis; where its best fix gives the layers of a list what the ones at the other end have, with the loop
    that takes them turned round. At each place of the pass that was run stands a layer of these very settings."""
    fix = told.fixes[0] if told.fixes else None
    if fix is None or told.cause is None or len(fix.changes) < 2 or case.call.span is None:
        return told
    edits = [edit for edit in fix.changes if isinstance(edit, Set)]
    row = edits[0].layer.rpartition(".")[0] if edits else ""
    layers = case.recording.layer_at
    if len(edits) != len(fix.changes) or not row or any(edit.layer.rpartition(".")[0] != row for edit in edits):
        return told
    entries = [layer for path, layer in layers.items() if path.rpartition(".")[0] == row]
    if not _is_the_other_way_round(entries, edits):
        return told
    held = row.rpartition(".")[2]
    if times_read(held, case.call.span) != 1:
        return told  # in the pass that was run, what another loop takes was turned round as well
    name = f"self.{held}"
    code = header_with(case.call.span, name, f"{name}[::-1]")
    if code is None:
        return told
    reason = f"the layers of `{name}` stand in the other order than what they are given"
    turned = replace(fix, title=f"`{name}` from its last layer on", code=code, evidence=())
    cause = replace(told.cause, layer=row, type=layers[row].type, reason=reason)
    return replace(told, cause=replace(cause, location=case.call.span), fixes=(turned,))


def _is_the_other_way_round(entries: Sequence[Layer], edits: Sequence[Set]) -> bool:
    """Whether with the edits each layer of a list has the settings of the one that is as far from its other end."""
    wanted = [_with(layer, edits) for layer in entries]
    there = [dict(layer.facts) for layer in reversed(entries)]
    return len(entries) > 1 and wanted == there and wanted != there[::-1]


def _with(layer: Layer, edits: Sequence[Set]) -> Mapping[str, object]:
    return {**layer.facts, **{edit.argument: edit.value for edit in edits if edit.layer == layer.path}}
