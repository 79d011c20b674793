"""Factors of a product that would fit in each other's place, or with the last two axes of one swapped."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch import axes
from shapewatch.edits import Insert, Module, SetCall
from shapewatch.recording import Shape, text
from shapewatch.repair.candidate import Candidate
from shapewatch.rules.rule import Case


def factors_otherwise(case: Case) -> Iterator[Candidate]:
    if case.call.kind != "matmul" or len(case.shapes) != 2 or min(map(len, case.shapes)) < 2 or case.call.is_layer:
        return
    yield from _exchanged(case)
    if case.call.parent is None:
        yield from _transposed_outside(case, *case.shapes)
    else:
        yield from _transposed(case)


def _exchanged(case: Case) -> Iterator[Candidate]:
    """Both factors in each other's place, where they then fit: `v @ weights`, `support @ adjacency`. A square one has a
    row and a column for each step or node, and says for each of them what it takes of the others: it stands first."""
    left, right = case.shapes
    if None in (left[-1], *right[-2:]):
        return
    if any(case.facts.get(flag) for flag in ("transpose_a", "transpose_b")) or axes.differ(right[-1], left[-2]):
        return
    edit = SetCall(case.call.place, "order", (1, 0), (0, 1))
    weight, data = (case.graph.is_activation(value) for value in case.call.operands)
    if not weight and data:
        yield Candidate((edit,), 0.7, 1, ("what comes stands on the left, and weights on the right",))
        return
    if right[-1] != right[-2] or left[-1] == left[-2]:
        return  # queries and transposed keys of one sequence fit the other way round too, and it means nothing
    made = [case.graph.producer.get(value) for value in case.call.operands]
    turned = any(unit is not None and unit.kind == "permute" for unit in made)  # which the line does, and may not need
    said = (f"{text(right)} has a row and a column for each of {right[-1]}",)
    yield Candidate((edit,), 0.25 if turned else 0.6, 1, said)


def _transposed(case: Case) -> Iterator[Candidate]:
    """A factor of a product with its last two axes swapped, where the product then runs along no batch."""
    (left, right), (first, second) = case.shapes, case.call.operands
    lineage = case.graph.lineage
    for operand, (inner, outer) in enumerate(((left[-2], right[-2]), (left[-1], right[-1]))):
        shape, value = (left, first) if operand == 0 else (right, second)
        along = (len(left) - 2, len(right) - 2) if operand == 0 else (len(left) - 1, len(right) - 1)
        over_batch = along[0] in lineage.batch_axes(first) or along[1] in lineage.batch_axes(second)
        if axes.differ(inner, outer) or None in (inner, outer) or shape[-1] == shape[-2] or over_batch:
            continue
        if case.graph.is_activation(value) and not case.graph.is_activation(second if operand == 0 else first):
            continue  # weights are made for the data, and not the other way round
        order = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
        module = Module("permute", {"dims": order})
        yield Candidate((Insert(case.call.place, operand, module),), 0.3 + 0.1 * operand, 1)


def _transposed_outside(case: Case, left: Shape, right: Shape) -> Iterator[Candidate]:
    """In no layer, where nothing can be run again: a weight that another product takes as it is, and this one the other
    way round; two lists of vectors that are compared each with each."""
    if len(left) != 2 or len(right) != 2 or axes.differ(left[1], right[1]) or right[0] == right[1]:
        return
    weight, other = case.call.operands[1], case.call.operands[0]
    elsewhere = [
        unit for unit in case.graph.consumers.get(weight, ()) if unit is not case.call and unit.kind == "matmul"
    ]
    tied = bool(elsewhere) and not case.graph.is_activation(weight)
    alike = left == right and weight != other and case.graph.is_activation(weight)
    if tied or alike:
        said = ("it stands as it is in another product",) if tied else ()
        module = Module("permute", {"dims": (1, 0)})
        yield Candidate((Insert(case.call.place, 1, module),), 0.5, 1, said)
