"""Dense blocks whose channels are counted for one of their layers alone: `channels += growth` for a block of several.

What is behind each block is made for too few channels then, and to make one layer after the other for what comes gives
a network that nobody described. It is told where the block's own sizes say so, and the program's text has the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.adapters import Adapter, Probe
from shapewatch.adapters.growth import Growth, counted_for_one
from shapewatch.diagnose.cause import told_of
from shapewatch.diagnose.never_updated import made_for_what_comes, takes_what_comes
from shapewatch.recording import Call, Layer
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case, Finding


def grown_by_one(case: Case, finding: Finding, adapter: Adapter, probe: Probe) -> Diagnosis | None:
    """What is told of a layer that is made for a block's channels with those of one of its layers more."""
    taking = takes_what_comes(finding)
    if taking is None:
        return None
    growth = next(_counted(case, taking.was, taking.value), None)
    edits, trial = made_for_what_comes(finding, probe) if growth is not None else ((), None)
    if growth is None or trial is None or not trial.finished:
        return None
    reason = f"`{growth.variable}` grows by `{growth.by}`, and a block of several layers gives so many for each of them"
    fix = Fix(
        title=f"`{growth.variable}` grows by what the whole block gives",
        code=growth.code,
        edit={"action": "set", "variable": growth.variable, "argument": "by", "value": f"{growth.count} * {growth.by}"},
        changes=edits,
        framework=adapter.name,
        why_not="the loop is not run again; with each layer made for what comes the pass finishes",
        location=growth.line,
    )
    return told_of(case, finding, Cause(None, "variable", growth.line, reason), (fix,))


def _counted(case: Case, was: int, value: int) -> Iterator[Growth]:
    for unit, block in _blocks_before(case):
        given, made = (case.recording.shape(values[0]) for values in (unit.operands, unit.results))
        count = _layers_in(block.path, case)
        sizes = [(one, other) for one, other in zip(given, made, strict=False) if one != other]
        if count < 2 or len(given) != len(made) or len(sizes) != 1:
            continue
        ((before, after),) = sizes
        grown, rest = divmod((after or 0) - (before or 0), count)
        if after == value and not rest and grown > 0 and was == (before or 0) + grown and block.defined is not None:
            growth = counted_for_one(block.defined, block.type)
            if growth is not None:
                yield growth


def _blocks_before(case: Case) -> Iterator[tuple[Call, Layer]]:
    """The blocks that what failed comes from, the nearest first."""
    for call in reversed(case.recording.calls):
        layer = case.recording.layer_at.get(call.layer) if call.is_layer and call.finished else None
        if layer is None or layer.leaf or not call.operands or not call.results:
            continue
        if case.graph.descends(case.call.operands[0], call.results[0]):
            yield call, layer


def _layers_in(path: str, case: Case) -> int:
    """How many layers a block has in its longest row."""
    rows: dict[str, set[str]] = {}
    for layer in case.recording.layers:
        found = re.match(rf"{re.escape(path)}\.((?:[^.\d][^.]*\.)?)\D*(\d+)(?:\.|$)", layer.path)
        if found is not None:
            rows.setdefault(found[1], set()).add(found[2])
    return max(map(len, rows.values()), default=0)
