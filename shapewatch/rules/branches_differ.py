"""Branches of the data flow meet element by element with shapes that do not fit.

## What it means
A residual addition, a gate or a maximum takes its operands element by element, so they need one shape; an axis of size
1 is stretched, and no other.

## Why
On one of the branches a layer changed an axis (a stride, a number of channels, a padding) and nothing on the other did
the same. A projection on the skip, or the setting that was meant, makes them fit again.

## Bad
    x = nn.Conv2d(3, 8, 3)(torch.ones(2, 3, 10, 10)); x + nn.Conv2d(8, 8, 3)(x)

## Good
    x = nn.Conv2d(3, 8, 3)(torch.ones(2, 3, 10, 10)); x + nn.Conv2d(8, 8, 3, padding=1)(x)

## What it can be confused with
`operands-differ`: one of the two is a weight, a constant or data, and no branch. `concat-axes-differ`: the branches
are put side by side.
"""

from __future__ import annotations

from shapewatch import axes
from shapewatch.rules.meeting import against, elementwise_problems, elementwise_wants, meeting_words, sides
from shapewatch.rules.rule import Case, Finding, counted, listed, rule

ELEMENTWISE = frozenset(
    {"add", "sub", "mul", "div", "average", "maximum", "minimum", "where", "lerp", "compare", "power", "loss"}
)

VERBS = {"add": "adds", "gate": "gates", "mul": "multiplies", "sub": "subtracts", "average": "averages"}


@rule("SW201", "branches-differ", ELEMENTWISE)
def check(case: Case) -> Finding | None:
    problems = elementwise_problems(case)
    if not problems or case.junction is None:
        return None
    names = meeting_words(case, [problem.axis for problem in problems])
    verb, branches = VERBS.get(case.junction.kind, "joins"), counted(len(case.junction.branches))
    differ = "differ" if len(names) > 1 or names == ["channels"] else "differs"
    return Finding(
        headline=f"{case.where} {verb} {branches} branches that do not fit: {listed(names)} {differ}",
        explanation=f"{sides(case)}. {_sizes(problems, names)}",
        wants=elementwise_wants(case, problems),
    )


def _sizes(problems: tuple[axes.AxisProblem, ...], names: list[str]) -> str:
    parts = [f"{name} {against(problem)}" for name, problem in zip(names, problems, strict=True)]
    return f"What differs: {', '.join(parts)}."
