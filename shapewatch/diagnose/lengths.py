"""Arrays that are given together and do not have one number of samples: which one differs, and what to write."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shapewatch.adapters.statements import parsed, rewritten, statement
from shapewatch.recording import Failure, Shape, text
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules.rule import listed

NOT_TRIED = "data are no part of a model"


@dataclass(frozen=True)
class Given:
    """An array in a call, as the call spells it: how many rows it has there, the array's own shape, and by what its
    rows are chosen."""

    node: ast.expr
    rows: int
    shape: Shape
    array: str
    index: str = ""

    @property
    def spelled(self) -> str:
        return ast.unparse(self.node)


def of_lengths(told: Diagnosis, failure: Failure, framework: str) -> Diagnosis:
    """The diagnosis with whose the lengths are, as far as the line that raised tells."""
    source = statement(failure.span)
    lengths = {int(number) for number in re.findall(r"\d+", failure.message)}
    given = [each for each in _given(source, failure.spoken) if each.rows in lengths]
    rows = Counter(each.rows for each in given)
    if len(rows) < 2 or source is None:
        return told
    parts = []
    for count in rows:
        names = list(dict.fromkeys(each.spelled for each in given if each.rows == count))
        parts.append(f"{listed(names)} {'has' if len(names) == 1 else 'have'} {count}")
    named = replace(told, headline=f"the arrays do not have one number of samples: {', '.join(parts)}")
    (usual, most), *_ = rows.most_common(1)
    odd = [each for each in given if each.rows != usual]
    if len(odd) != 1 or most < 2:
        return named
    return _mended(named, odd[0], usual, given, source, failure, framework)


def _mended(
    told: Diagnosis, odd: Given, usual: int, given: list[Given], source: str, failure: Failure, framework: str
) -> Diagnosis:
    chosen = {each.index for each in given if each.index and each.shape[0] == odd.rows and each.rows == usual}
    reason = code = ""
    if len(chosen) == 1 and not odd.index:
        index = chosen.pop()
        code = rewritten(source, [(odd.node, f"{odd.spelled}[{index}]")])
        others = listed([each.spelled for each in given if each.index == index])
        reason = f"{odd.spelled} is given whole, beside {others}"
    elif odd.shape.count(usual) == 1 and not odd.index and odd.array.isidentifier():
        axis = odd.shape.index(usual)
        turned = f"{odd.array}.T" if len(odd.shape) == 2 else f"np.moveaxis({odd.array}, {axis}, 0)"
        code = f"{odd.array} = {turned}"
        reason = f"{odd.array} is {text(odd.shape)}: its samples are on axis {axis}"
    if not code:
        return told
    fix = Fix(reason, code, {"action": "data", "name": odd.array}, (), framework, None, NOT_TRIED)
    explanation = "What is fed together (inputs, labels, weights, lengths) needs one row for each sample."
    cause = Cause(None, "input", failure.span, reason)
    return replace(told, explanation=explanation, cause=cause, fixes=(fix,), suspects=())


def _given(source: str | None, spoken: Mapping[str, Shape]) -> list[Given]:
    """The arrays that the call in a line is given, also in lists and dictionaries: of several calls, the one that is
    given most."""
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    of_calls = [list(_of_call(call, spoken)) for call in calls]
    return max(of_calls, key=len, default=[])


def _of_call(call: ast.Call, spoken: Mapping[str, Shape]) -> Iterator[Given]:
    for node in _parts([*call.args, *(keyword.value for keyword in call.keywords)]):
        spelled = ast.unparse(node)
        base = ast.unparse(node.value) if isinstance(node, ast.Subscript) else ""
        index = ast.unparse(node.slice) if isinstance(node, ast.Subscript) else ""
        if spelled in spoken and spoken[spelled] and spoken[spelled][0] is not None:
            yield Given(node, spoken[spelled][0] or 0, spoken[spelled], spelled)
        elif spoken.get(base) and len(spoken.get(index, ())) == 1:
            yield Given(node, spoken[index][0] or 0, spoken[base], base, index)


def _parts(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    for node in nodes:  # a tuple is data of its own: those of the validation
        if isinstance(node, ast.List):
            yield from _parts(node.elts)
        elif isinstance(node, ast.Dict):
            yield from _parts(node.values)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            yield node
