"""What the rules about operands that meet have in common: the demands on each side, and words for the axes."""

from __future__ import annotations

from shapewatch import axes
from shapewatch.axes import AxisProblem, Range
from shapewatch.demand import Want
from shapewatch.recording import text
from shapewatch.rules.rule import Case, axis_names

_CONV_LIKE = frozenset({"conv", "conv_transpose", "pool", "adaptive_pool", "resize"})


def elementwise_problems(case: Case) -> tuple[AxisProblem, ...]:
    """The axes on which the operands do not fit; of an in-place operation also those it would have to stretch."""
    problems = axes.broadcast_problems(case.shapes)
    if not problems and case.call.facts.get("in_place") and not case.call.finished:
        problems = axes.stretched_target(case.shapes)
    return problems


def elementwise_wants(case: Case, problems: tuple[AxisProblem, ...]) -> tuple[Want, ...]:
    """Each operand made like another on the axes that differ."""
    shapes = axes.aligned(case.shapes)
    rank = len(shapes[0]) if shapes else 0
    wants = []
    for changed, value in enumerate(case.call.operands):
        missing = rank - len(case.shapes[changed])
        for kept, other in enumerate(shapes):
            if kept == changed:
                continue
            demand = {}
            for problem in problems:
                size = other[problem.axis]
                if size not in (None, 1, shapes[changed][problem.axis]) and problem.axis >= missing:
                    demand[problem.axis - missing] = Range.only(size or 1)
            if demand:
                wants.append(Want(value, demand, changed))
        if case.call.kind == "mul":  # a gate may as well have been meant to be one number for all positions
            flat = {p.axis - missing: Range.only(1) for p in problems if p.axis >= missing}
            wants.append(Want(value, flat, changed))
    return tuple(wants)


def concat_wants(case: Case, problems: tuple[AxisProblem, ...]) -> tuple[Want, ...]:
    """Each operand made like another on the axes that have to be equal."""
    wants: list[Want] = []
    for changed, value in enumerate(case.call.operands):
        for other in case.shapes:
            demand = {}
            for problem in problems:
                size = other[problem.axis]
                if size is not None and size != case.shapes[changed][problem.axis]:
                    demand[problem.axis] = Range.only(size)
            want = Want(value, demand, changed)
            if demand and want not in wants:
                wants.append(want)
    return tuple(wants)


def meeting_words(case: Case, which: list[int]) -> list[str]:
    """The names of axes of the widest operand: channels, height and width where convolutions are in reach."""
    widest = max(case.shapes, key=len)
    steps = [step for branch in (case.junction.branches if case.junction else ()) for step in branch.path]
    names = axis_names(widest, any(step.kind in _CONV_LIKE for step in steps))
    return [names[axis] for axis in which if axis < len(names)]


def sides(case: Case) -> str:
    """`main [2, 32, 16, 16] meets skip [2, 16, 32, 32]`."""
    if case.junction is None:
        return " meets ".join(text(shape) for shape in case.shapes)
    return " meets ".join(f"{branch.role} {text(branch.shape)}" for branch in case.junction.branches)
