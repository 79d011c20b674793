"""Tensors are concatenated along one axis and differ on another.

## What it means
`cat` makes one axis longer; all the other axes must be equal.

## Why
At long skip connections it is mostly a size that does not divide by the network's total stride: 45 is halved to 22,
doubled to 44, and meets 45. Or one branch has a stride, a padding or a scale that the other has not.

## Bad
    torch.cat([torch.ones(2, 8, 44, 44), torch.ones(2, 8, 45, 45)], dim=1)

## Good
    torch.cat([torch.ones(2, 8, 44, 44), torch.ones(2, 16, 44, 44)], dim=1)

## What it can be confused with
`stack-sizes-differ`: the tensors have other ranks, or go along a new axis.
"""

from __future__ import annotations

from shapewatch import axes
from shapewatch.edits import Edit, SetCall
from shapewatch.recording import text
from shapewatch.rules.meeting import against, concat_wants, meeting_words
from shapewatch.rules.rule import Case, Finding, counted, listed, rule


@rule("SW401", "concat-axes-differ", frozenset({"concat"}))
def check(case: Case) -> Finding | None:
    shapes = case.shapes
    if len(shapes) < 2 or len({len(shape) for shape in shapes}) != 1 or not shapes[0]:
        return None
    along = case.facts.get("dim", 0)
    if not isinstance(along, int):
        return None
    rank = len(shapes[0])
    if not -rank <= along < rank:
        return Finding(
            headline=f"{case.where} concatenates along axis {along} tensors of {counted(rank)} axes",
            explanation=f"{listed([text(shape) for shape in shapes])} have no axis {along}.",
            own=tuple(_other_axis(case, along)),
        )
    along %= rank
    problems = axes.concat_problems(shapes, along)
    if not problems:
        return None
    names = meeting_words(case, [problem.axis for problem in problems])
    sizes = [f"{name} {against(problem)}" for name, problem in zip(names, problems, strict=True)]
    return Finding(
        headline=f"{case.where} concatenates along axis {along} what differs elsewhere: {listed(sizes)}",
        explanation=f"{listed([text(shape) for shape in shapes])} can be joined along axis {along} only if all other "
        "axes are equal.",
        own=tuple(_other_axis(case, along)),
        wants=concat_wants(case, problems),
    )


def _are_of_the_same_rows(case: Case) -> bool:
    """Whether one operand was made of another, as what a layer gives is of what it was given: both are to have a row
    for each thing, and one below the other these would be other things."""
    values, graph = case.call.operands, case.graph
    return any(one != other and graph.descends(one, other) for one in values for other in values)


def _other_axis(case: Case, along: int) -> list[tuple[Edit, ...]]:
    rank = len(case.shapes[0])
    fitting = [axis for axis in range(rank) if axis != along and not axes.concat_problems(case.shapes, axis)]
    if along % rank == rank - 1 and _are_of_the_same_rows(case):
        fitting = [axis for axis in fitting if axis]  # features of one list of things are joined side by side
    if case.layer is not None:
        return [(case.set("dim", axis),) for axis in fitting]
    return [(SetCall(case.call.place, "dim", axis, along),) for axis in fitting]
