"""An attention weighs the heads of each step against each other, and no step against another.

## What it means
`[batch, steps, heads, width]` times itself, with its last two axes swapped, gives `[batch, steps, heads, heads]`. The
softmax over it makes each head a mean of its own step's heads, so what the layer gives at a step depends on that step
alone. All the sizes come out as they should, and nothing raises.

## Why
`view(B, T, heads, width)` splits the last axis and leaves the heads where they are; a `transpose(1, 2)` belongs behind
it, for queries, keys and values. Other implementations (flash-attn) take the heads there, and
`F.scaled_dot_product_attention` does not.

## Bad
    def heads(x): return nn.Linear(8, 8)(x).view(2, 6, 4, 2)
    q, k, v = (heads(torch.ones(2, 6, 8)) for _ in range(3))
    F.scaled_dot_product_attention(q, k, v).flatten(2)

## Good
    def heads(x): return nn.Linear(8, 8)(x).view(2, 6, 4, 2).transpose(1, 2)
    q, k, v = (heads(torch.ones(2, 6, 8)) for _ in range(3))
    F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

## What it can be confused with
`heads-behind-steps`: the same slip, where a mask or another length makes it raise. Agents, joints or groups of
features that are packed into one vector and attend to each other at each step: only where the program speaks of heads
is this warned of.
"""

from __future__ import annotations

import re

from shapewatch.recording import Call, spoken, text
from shapewatch.rules.heads_behind_steps import Heads, of_product
from shapewatch.rules.rule import Case, Finding, rule

_HEADS = re.compile(r"heads|n_?head|split_?head|head_?(?:dim|size|width)", re.IGNORECASE)
"""In the line, or the name of the function. A network has one head at its end, and `self.head` may give agents."""
_MULTI_HEAD = re.compile(r"multi_?head", re.IGNORECASE)
"""In the name of the class."""


@rule("SW192", "heads-compared", frozenset({"matmul", "attention"}), severity="warning")
def check(case: Case) -> Finding | None:
    found = compared(case)
    if found is None:
        return None
    one, where = found.one, spoken(case.call.layer) or case.recording.root or "the program"
    batch, steps, heads, width = one.shape
    return Finding(
        headline=f"{case.name} compares the {heads} heads of each step with each other, and no step with another",
        explanation=f"{where} splits vectors of {one.heads * one.width} into {heads} heads of {width} and leaves them "
        f"behind the {steps} steps, {text(one.shape)}. A product takes the last two axes, so the weights are "
        f"{text((batch, steps, heads, heads))}. With the heads in front, {text((batch, heads, steps, width))}, they "
        f"are {text((batch, heads, found.queries, found.keys))}: every step with every other.",
    )


def compared(case: Case) -> Heads | None:
    """The product of a whole attention that ran, all of whose sides have their heads behind the steps, where the
    program calls them heads."""
    call = case.call
    if not call.finished or call.is_layer:
        return None
    found = of_product(case.graph, call)
    if found is None or len(found.behind) < len(found.sides) or not _are_called_heads(case, found.one.call):
        return None
    return found if call.kind == "attention" or _weighs(case) else None


def _are_called_heads(case: Case, split: Call) -> bool:
    """By the line or the function that splits them off, or the class that attends."""
    layer, span = case.recording.layer_at.get(case.call.layer), split.span
    said = () if span is None else (span.source or "", span.function)
    return any(map(_HEADS.search, said)) or (layer is not None and _MULTI_HEAD.search(layer.type) is not None)


def _weighs(case: Case) -> bool:
    """Whether a softmax over its last axis is taken of the product, and other values are multiplied by that."""
    value, squashed = case.call.results[0], False
    for _ in range(8):
        uses = case.graph.consumers.get(value, [])
        if len(uses) != 1 or not uses[0].results:
            return False
        use = uses[0]
        if use.kind == "matmul":
            return squashed and use.operands[0] == value
        if case.recording.shape(use.results[0]) != case.recording.shape(value):
            return False
        if use.kind == "squash":
            along = case.graph.facts(use).get("dim", case.graph.facts(use).get("axis", -1))
            squashed = along in (-1, len(case.recording.shape(value)) - 1)
        value = use.results[0]
    return False
