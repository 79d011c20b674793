"""What the rules about operands that meet have in common: the demands on each side, and words for the axes."""

from __future__ import annotations

from shapewatch import axes
from shapewatch.axes import AxisProblem, Range
from shapewatch.demand import Want
from shapewatch.flow.junctions import layout_at
from shapewatch.flow.layout import numbered
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, number


def met(case: Case) -> list[Shape]:
    """The operands' shapes at one rank, as the call aligns them: a merge layer keeps the batch axis first."""
    return (axes.batch_aligned if case.call.is_layer else axes.aligned)(case.shapes)


def elementwise_problems(case: Case) -> tuple[AxisProblem, ...]:
    """The axes on which the operands do not fit; of an in-place operation also those it would have to stretch."""
    if case.call.kind == "loss" and case.facts.get("labels") != "same":
        return ()  # a loss for classes or sequences takes its operands otherwise than element by element
    problems = axes.broadcast_problems(met(case))
    if not problems and case.facts.get("in_place") and not case.call.finished:
        problems = axes.stretched_target(case.shapes)
    return problems


def elementwise_wants(case: Case, problems: tuple[AxisProblem, ...]) -> tuple[Want, ...]:
    """Each operand made like the others on the axes that differ, where these agree."""
    shapes = met(case)
    rank = len(shapes[0]) if shapes else 0
    wants = []
    for changed, value in enumerate(case.call.operands):
        others = shapes[:changed] + shapes[changed + 1 :]
        own = {
            problem.axis: axes.own_axis(case.shapes[changed], rank, problem.axis, case.call.is_layer)
            for problem in problems
        }
        demand: dict[int, Range] = {}
        for problem in problems:
            sizes = {other[problem.axis] for other in others} - {None, 1}
            at = own[problem.axis]
            if len(sizes) > 1:
                demand = {}  # changed alone, it could not fit them all
                break
            if sizes and at is not None and shapes[changed][problem.axis] not in sizes:
                demand[at] = Range.only(sizes.pop() or 1)
        if demand:
            wants.append(Want(value, demand, changed))
        if case.call.kind == "mul":  # a gate may as well have been meant to be one number for all positions
            wants.append(Want(value, {at: Range.only(1) for at in own.values() if at}, changed))
    return tuple(wants)


def concat_wants(case: Case, problems: tuple[AxisProblem, ...]) -> tuple[Want, ...]:
    """Each operand made like another on the axes that have to be equal."""
    wants: list[Want] = []
    for changed, value in enumerate(case.call.operands):
        for other in case.shapes:
            demand = {}
            for problem in problems:
                size = other[problem.axis]
                if size not in (None, 1, case.shapes[changed][problem.axis]):  # one is repeated, and asks for nothing
                    demand[problem.axis] = Range.only(size)
            want = Want(value, demand, changed)
            if demand and want not in wants:
                wants.append(want)
    return tuple(wants)


def meeting_words(case: Case, which: list[int]) -> list[str]:
    """The names of axes of the widest operand: channels, height and width where a kernel saw them."""
    widest = max(case.shapes, key=len)
    layout = layout_at(case.recording, case.junction) if case.junction is not None else None
    names = layout.names(widest) if layout is not None else numbered(widest)
    return [names[axis] for axis in which if axis < len(names)]


def against(problem: AxisProblem) -> str:
    """`16 against 32`; sizes that are all one do not fit only where an operation in place would have to add an axis."""
    sizes = dict.fromkeys(number(size) for size in problem.sizes)
    return " against ".join(sizes if len(sizes) > 1 else ("none", *sizes))


def sides(case: Case) -> str:
    """`main [2, 32, 16, 16] meets skip [2, 16, 32, 32]`."""
    if case.junction is None:
        return " meets ".join(
            f"{case.called(value, '')} {text(case.recording.shape(value))}".strip() for value in case.call.operands
        )
    return " meets ".join(f"{branch.role} {text(branch.shape)}" for branch in case.junction.branches)
