"""A reshape moves part of the items into the batch, or part of the batch into the items, and nothing moves it back.

## What it means
`view(-1, 80)` keeps the number of elements, not the number of items: with 400 numbers an item, a batch of 4 comes out
as 20 rows. The model runs, and its output has another number of rows than its input has items.

## Why
The size of the flattened item was worked out wrong, or for another input size, and -1 stood where the batch was.
`flatten(1)` cannot do this. A batch that is folded into another axis for a layer and unfolded again is not reported.

## Bad
    torn = nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (-1, 48)))
    nn.Sequential(nn.Conv2d(3, 4, 3), torn, nn.Linear(48, 5))(torch.ones(2, 3, 8, 8))

## Good
    nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 5))(torch.ones(2, 3, 8, 8))
"""

from __future__ import annotations

import math

from shapewatch.flow.layout import layout_of
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW391", "batch-reshaped", frozenset({"reshape", "flatten", "unflatten"}), severity="warning")
def check(case: Case) -> Finding | None:
    lineage, recording = case.graph.lineage, case.recording
    if not case.call.operands or not case.call.results or lineage.batch is None:
        return None
    value, result = case.call.operands[0], case.call.results[0]
    items = recording.shape(lineage.batch.value)[0]
    after = recording.shape(result)
    before = _since(case, value, items)
    if before is None or items is None or not after or None in after or None in before:
        return None
    rows = after[0] or 0
    if rows == items or (lineage.holds_batch(result) and not _is_torn(before, rows)):
        return None
    if not _is_torn(before, rows) and not (len(after) == 2 and _is_map_cut(case, value, rows)):
        return None
    if not _is_never_undone(case, result, rows, items):
        return None
    each, row = (math.prod(size or 0 for size in shape[1:]) for shape in (before, after))
    return Finding(
        headline=f"{case.name} makes {rows} rows of {items} items: {text(before)} to {text(after)}",
        explanation=f"An item has {each} numbers, and a row {row}; the first axis took up the difference, and the "
        f"output has {rows} rows for {items} items. `flatten(1)` keeps one row an item.",
        severity="warning",
        by_chance=True,
    )


def _since(case: Case, value: int, items: int | None) -> Shape | None:
    """The shape in which the batch was last on the first axis: the operand's or, where a flatten came first, that
    before."""
    for _ in range(3):
        shape = case.recording.shape(value)
        if case.graph.lineage.batch_axes(value)[:1] == (0,) and len(shape) > 1 and shape[0] == items:
            return shape
        unit = case.graph.producer.get(value)
        if unit is None or unit.kind not in ("reshape", "flatten") or not unit.operands:
            return None
        value = unit.operands[0]
    return None


def _is_torn(before: Shape, rows: int) -> bool:
    """Whether a row is neither whole leading axes of the batch, nor a whole part of the first one."""
    sizes, product = [size or 0 for size in before], 1
    for size in sizes:
        product *= size
        if rows == product:
            return False
    return sizes[0] % rows != 0 or rows < sizes[0]


def _is_map_cut(case: Case, value: int, rows: int) -> bool:
    """Whether each channel, or each line, of a convolution's images has become a row. That each place has is common:
    its channels are told of one by one."""
    shape = case.recording.shape(value)
    unit = case.graph.producer.get(value)
    for _ in range(6):
        if unit is None or unit.kind == "conv" or not unit.operands:
            break
        if unit.kind not in ("norm", "activation", "pool", "adaptive_pool", "dropout"):
            return False
        unit = case.graph.producer.get(unit.operands[0])
    if unit is None or unit.kind != "conv":
        return False
    layout = layout_of(case.graph.facts(unit), unit.name)
    if layout is None or layout.rank + 2 != len(shape):
        return False
    return any(rows == math.prod(size or 0 for size in shape[:cut]) for cut in range(2, len(shape) - 1))


def _is_never_undone(case: Case, result: int, rows: int, items: int) -> bool:
    """Whether what the model gives comes from here, and has as many rows as here, and never as many as the items."""
    recording, graph = case.recording, case.graph
    given = [value for value in recording.outputs if graph.descends(value, result)]
    if not given or any(graph.lineage.holds_batch(value) and recording.shape(value)[:1] == (items,) for value in given):
        return False
    return all(recording.shape(value)[:1] == (rows,) for value in given)
