"""Labels of several outputs that are given in another order than the outputs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations, takewhile

from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.diagnose.lengths import NOT_TRIED
from shapewatch.recording import Recording, Shape
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case
from shapewatch.rules.rule import listed

_MOST = 6
"""Of more outputs there are too many orders."""


def or_another_order(told: Diagnosis, case: Case) -> Diagnosis:
    """The diagnosis of a loss; where each of the labels fits another output, with them in that order."""
    recording = case.recording
    failure = recording.failure
    if case.call.kind != "loss" or failure is None:
        return told
    outputs = _outputs(recording)
    for node in _lists(statement(failure.span)):
        order = _order(node, outputs, failure.spoken)
        if order is None:
            continue
        names = [ast.unparse(node.elts[at]) for at in order]
        opening, closing = ("[", "]") if isinstance(node, ast.List) else ("(", ")")
        code = rewritten(statement(failure.span) or "", [(node, f"{opening}{', '.join(names)}{closing}")])
        reason = (
            f"the labels stand in another order than the outputs, which are {listed([name for name, _ in outputs])}"
        )
        edit = {"action": "data", "order": tuple(order)}
        fix = Fix(f"the labels as {', '.join(names)}", code, edit, (), recording.framework, None, NOT_TRIED)
        cause = Cause(None, "target", failure.span, reason)
        return replace(told, cause=cause, fixes=(fix,))
    return told


def _outputs(recording: Recording) -> list[tuple[str, Shape]]:
    """What the model gave last: which layer each output comes from, and its shape."""
    ran = [call for call in recording.roots if call.finished]
    if not ran:
        return []
    makers = ((recording.producer.get(value), recording.shape(value)) for value in ran[-1].results)
    return [(made.layer.rpartition(".")[2] if made is not None else "", shape) for made, shape in makers]


def _lists(source: str | None) -> Iterator[ast.List | ast.Tuple]:
    """Lists of variables that the call in a line is given as labels: second, or as `y`."""
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    named = [keyword.value for keyword in calls[0].keywords if keyword.arg == "y"] if calls else []
    for node in [*calls[0].args[1:2], *named] if calls else ():
        if isinstance(node, ast.List | ast.Tuple) and all(isinstance(each, ast.Name) for each in node.elts):
            yield node


def _order(
    node: ast.List | ast.Tuple, outputs: Sequence[tuple[str, Shape]], spoken: Mapping[str, Shape]
) -> tuple[int, ...] | None:
    """The order in which labels fit the outputs, where the one that they have does not; of several the one in which
    they are called as the outputs are, or in which the fewest move."""
    names = [ast.unparse(each) for each in node.elts]
    if len(names) != len(outputs) or not 2 <= len(names) <= _MOST or any(name not in spoken for name in names):
        return None
    fits = [[_fits(spoken[name], shape) for _, shape in outputs] for name in names]
    as_given = tuple(range(len(names)))
    orders = [o for o in permutations(as_given) if all(fits[at][place] for place, at in enumerate(o))]
    if not orders or as_given in orders:
        return None

    def likeness(order: tuple[int, ...]) -> tuple[int, int]:
        called = sum(_alike(names[at], outputs[place][0]) for place, at in enumerate(order))
        return called, sum(place == at for place, at in enumerate(order))

    return max(orders, key=likeness)


def _fits(labels: Shape, output: Shape) -> bool:
    return len(labels) == len(output) and all(b is None or a == b for a, b in zip(labels[1:], output[1:], strict=True))


def _alike(one: str, other: str) -> int:
    """How many letters two names begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
