"""A table of positions is laid over the batch: each sample gets another row, and all its steps the same one.

## What it means
A table `[length, 1, width]` is made for values of `[time, batch, width]`: cut to the first size of `[batch, time,
width]`, it has a row for each sample. While the batch is no larger than the table, nothing raises.

## Why
The table is that of a model which reads the time first, and the layers around it are told that the batch comes first.

## Bad
    x = nn.Conv2d(3, 4, 2, 2)(torch.ones(5, 3, 6, 6)).flatten(2).transpose(1, 2)
    x + nn.Embedding(50, 4).weight[:, None][: x.size(0)]

## Good
    x = nn.Conv2d(3, 4, 2, 2)(torch.ones(5, 3, 6, 6)).flatten(2).transpose(1, 2)
    x + nn.Embedding(50, 4).weight[: x.size(1)]

## What it can be confused with
`steps-over-batch`: the table is right, and the layers read the batch for the time.
"""

from __future__ import annotations

from dataclasses import dataclass

from shapewatch.demand.moves import ends, of_length, slices_of
from shapewatch.edits import Edit, Insert, Module, SetCall
from shapewatch.recording import Call, Shape, text
from shapewatch.rules.batch import known_as_batch
from shapewatch.rules.rule import Case, Finding, rule


@dataclass(frozen=True)
class Laid:
    """A table on a batch: which operand it is, the index that cuts it, and what it meets."""

    operand: int
    cut: Call
    table: Shape
    met: Shape
    why: str

    def mended(self, case: Case) -> tuple[Edit, ...]:
        """Cut to the number of steps, with its first two axes exchanged; nothing where it has not so many rows."""
        held, steps = case.recording.shape(self.cut.operands[0])[0], self.met[1]
        if held is None or steps is None or held < steps:
            return ()
        rows, *rest = slices_of(case.graph.facts(self.cut))
        other = SetCall(self.cut.place, "slices", ", ".join((of_length(rows, steps), *rest)), ", ".join((rows, *rest)))
        return (other, Insert(case.call.place, self.operand, Module("permute", {"dims": (1, 0, 2)})))


@rule("SW692", "table-over-batch", frozenset({"add"}), severity="warning")
def check(case: Case) -> Finding | None:
    laid = laid_over_batch(case)
    if laid is None:
        return None
    samples, steps = laid.met[:2]
    return Finding(
        headline=f"{case.where} adds a row of a table {text(laid.table)} to each of {samples} samples, and the same "
        f"one to all {steps} steps",
        explanation=f"{text(laid.met)} is [batch, time, features]: {laid.why}. The table is cut along its first axis, "
        f"which meets the batch of {samples}; it has one place for the {steps} steps.",
    )


def laid_over_batch(case: Case) -> Laid | None:
    """A table of one place for the steps that is cut to the number of samples; None where the first axis may count
    steps."""
    graph, recording, values = case.graph, case.recording, case.call.operands
    if case.call.is_layer or case.call.kind != "add" or len(values) != 2:
        return None
    for operand, value in enumerate(values):
        met, cut = recording.shape(values[1 - operand]), graph.producer.get(value)
        table = recording.shape(value)
        if cut is None or cut.kind != "index" or len(cut.operands) != 1 or len(table) != 3 or len(met) != 3:
            continue
        rows, *rest = slices_of(graph.facts(cut)) or [":"]
        counts = ends(rows) == (0, met[0])
        whole = len(recording.shape(cut.operands[0])) == 3 and set(rest) <= {":"}
        if not counts or not whole or table[1] != 1 or met[1] in (1, None) or met[0] == 1:
            continue
        if graph.is_activation(value) or graph.lineage.batch_axes(values[1 - operand]) != (0,):
            continue
        why = _batch_comes_first(case)
        if why is not None:
            return Laid(operand, cut, table, met, why)
    return None


def _batch_comes_first(case: Case) -> str | None:
    """What shows that the first axis is the batch: of a pass that failed, what its layers would read as well."""
    told = [layer for layer in case.recording.layers if "batch_first" in layer.facts]
    if told and all(layer.facts["batch_first"] for layer in told):
        return f"{told[0].path} is told that the batch comes first"
    return None if told else known_as_batch(case.graph)
