"""A softmax is taken over the batch: the items share what each should have to itself.

## What it means
The numbers of one class sum to 1 over the items of the batch, instead of those of one item over the classes. What
an item is given depends on the items that it came with.

## Why
`dim=0` where `dim=1` or `dim=-1` was meant; or no `dim` at all, which for three axes is 0.

## Bad
    nn.Sequential(nn.Linear(3, 5), nn.Softmax(dim=0))(torch.ones(4, 3))

## Good
    nn.Sequential(nn.Linear(3, 5), nn.Softmax(dim=1))(torch.ones(4, 3))

## Bad in Keras
    layers.Softmax(axis=0)(layers.Dense(5)(keras.Input((3,))))

## Good in Keras
    layers.Softmax()(layers.Dense(5)(keras.Input((3,))))
"""

from __future__ import annotations

from shapewatch.recording import text
from shapewatch.rules.batch import known_as_batch
from shapewatch.rules.rule import Case, Finding, rule

_ENDS = frozenset({"same", "identity", "loss", "reduce", "squeeze"})


@rule("SW191", "softmax-over-batch", frozenset({"squash"}), severity="warning")
def check(case: Case) -> Finding | None:
    along, lineage = case.facts.get("dim", case.facts.get("axis")), case.graph.lineage
    if not isinstance(along, int) or not case.call.operands or not case.call.results:
        return None
    value = case.call.operands[0]
    shape = case.recording.shape(value)
    if len(shape) < 2 or not -len(shape) <= along < len(shape) or None in shape[1:]:
        return None
    axis = along % len(shape)
    if lineage.batch_axes(value) != (axis,) or shape[axis] == 1 or shape[-1] == 1:
        return None
    maker = case.graph.producer.get(value)
    last = maker is not None and maker.kind == "linear" and len(shape) == 2 and _ends_the_pass(case)
    why = "Its axis 0 is the batch, and axis 1 the outputs of a linear layer" if last else known_as_batch(case.graph)
    if why is None:
        return None
    items = "the items of the batch" if shape[axis] is None else f"the {shape[axis]} items of the batch"
    return Finding(
        headline=f"{case.name} is taken over axis {axis} of {text(shape)}, {items}",
        explanation=f"{why[0].upper()}{why[1:]}. So the numbers sum to 1 over the batch, and an item's depend on the "
        f"items beside it; over axis {len(shape) - 1} they would be its own.",
        severity="warning",
    )


def _ends_the_pass(case: Case) -> bool:
    """Whether what comes out is what the model gives, or what a loss takes."""
    graph, value = case.graph, case.call.results[0]
    for _ in range(6):
        if value in case.recording.outputs:
            return True
        uses = graph.consumers.get(value, [])
        if not uses:
            return True
        if len(uses) != 1 or uses[0].kind not in _ENDS or not uses[0].results:
            return False
        if uses[0].kind == "loss":
            return True
        value = uses[0].results[0]
    return False
