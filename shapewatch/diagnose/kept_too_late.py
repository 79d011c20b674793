"""A skip that is kept behind the pooling, where the decoder comes back to the size before it.

`x = self.pool(x)` and then `skips.append(x)`: the two lines are in each other's place. To resize the skip would end the
failure as well, and throw away what a skip is there for.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from shapewatch.adapters import Adapter, Probe
from shapewatch.adapters.around import functions_around
from shapewatch.adapters.statements import nodes_of
from shapewatch.diagnose.cases import first_case
from shapewatch.edits import Insert, Module
from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import Layout
from shapewatch.patches.diff import unified
from shapewatch.recording import Call, Recording, Shape, Span, text
from shapewatch.report import Cause, Diagnosis, Fix
from shapewatch.rules import Case
from shapewatch.source import is_users_own, span_of

_MOST_TURNS = 8

_READ_ELSEWHERE = (
    "the lines are not run in the other order; with a skip of the size before the pooling the whole pass runs, if "
    "nothing else reads what is kept"
)


@dataclass(frozen=True)
class _Pooled:
    """An operand that comes out of a pooling as it is, what went in, and the edit that makes it as large again."""

    pool: Call
    before: Shape
    edit: Insert


def or_kept_before(told: Diagnosis, case: Case, adapter: Adapter, probe: Probe | None) -> Diagnosis:
    """The diagnosis; where each skip that fails is what a pooling gave, and would fit before it, with the line that
    keeps it before the line that pools."""
    pooled = _pooled(case) if probe is not None else None
    lines = _two_lines(pooled.pool.span) if pooled is not None and pooled.pool.span is not None else None
    if pooled is None or lines is None or probe is None:
        return told
    edits: tuple[Insert, ...] = (pooled.edit,)
    trial = probe.run(edits)
    while not trial.finished and len(edits) < _MOST_TURNS:
        following = first_case(Graph(trial.recording))
        again = _pooled(following[0]) if following is not None and following[0].call.span == case.call.span else None
        if again is None or again.edit in edits:
            return told
        edits = (*edits, again.edit)
        trial = probe.run(edits)
    if not trial.finished:
        return told
    pools, keeps = lines
    exact = _is_read_there_alone(pooled.pool, keeps, len(edits), case.recording)
    file, kept = pooled.pool.span.file, ast.unparse(pools.targets[0])  # type: ignore[union-attr]
    texts = [_text(node, file) for node in (keeps, pools)]
    fix = Fix(
        title=f"`{texts[0]}` before `{texts[1]}`",
        code="\n".join(texts),
        edit={"action": "move", "line": keeps.lineno, "before": pools.lineno},
        changes=edits,  # what is kept has then the size that it had before the pooling
        framework=adapter.name,
        verified=("forward" if trial.beyond is None else "junction") if exact else None,
        why_not=trial.beyond if exact else _READ_ELSEWHERE,
        output_shape=trial.output if exact and trial.beyond is None else None,
        parameters_added=0,
        patch=_patch(pools, keeps, file),
    )
    reason = f"`{kept}` is kept behind its pooling; before it, it is {text(pooled.before)}, as the other branch"
    layer = case.recording.layer_at.get(case.call.layer)
    cause = Cause(case.call.layer, layer.type if layer is not None else "", span_of(file, keeps.lineno), reason)
    return replace(told, cause=cause, fixes=(fix, *told.fixes[:2]))


def _pooled(case: Case) -> _Pooled | None:
    graph, recording = case.graph, case.recording
    if case.junction is None or len(case.call.operands) != 2:
        return None
    for operand, value in enumerate(case.call.operands):
        other = case.call.operands[1 - operand]
        pool = graph.producer.get(value)
        if pool is None or pool.kind != "pool" or not graph.descends(other, value):
            continue
        before, met = recording.shape(pool.operands[0]), recording.shape(other)
        layout = (case.layout or graph.layout or Layout()).of_batch(before)
        if not layout.fits(before) or len(met) != len(before):
            continue
        sizes = tuple(before[axis] for axis in layout.spatial(before))
        channels = layout.channels(before)
        fits = case.junction.kind == "concat" or before[channels] == met[channels]
        if fits and sizes == tuple(met[axis] for axis in layout.spatial(met)):
            last = {"channels_last": True} if layout.channels_last else {}
            module = Module("resize", {"size": sizes, **last})
            return _Pooled(pool, before, Insert(case.call.place, operand, module))
    return None


def _two_lines(span: Span) -> tuple[ast.Assign, ast.stmt] | None:
    """`x = pool(x)`, and the statement behind it that keeps `x`."""
    if not is_users_own(span.file):
        return None
    for body in _bodies(span.file):
        for pools, keeps in pairwise(body):
            if isinstance(pools, ast.Assign) and pools.lineno <= span.line <= (pools.end_lineno or 0):
                return (pools, keeps) if _pools_itself(pools) and _keeps(keeps, pools.targets[0]) else None
    return None


def _is_read_there_alone(pool: Call, keeps: ast.stmt, mended: int, recording: Recording) -> bool:
    """Whether all that the line pools is mended where it is read, and the program reads what it keeps in one place."""
    pooled = [call for call in recording.calls if (call.span, call.kind) == (pool.span, "pool") and call.results]
    whole = {call.results[0] for call in pooled}
    span = pool.span
    around = functions_around(span.file, span.line)[:1] if span is not None else []
    kept = _kept_as(keeps)
    reads = [
        node
        for node in (ast.walk(around[0]) if around else ())
        if isinstance(node, ast.Name) and node.id == kept and isinstance(node.ctx, ast.Load)
    ]
    return bool(around) and len(whole) == mended and len(reads) == 1 + isinstance(keeps, ast.Expr)


def _kept_as(keeps: ast.stmt) -> str:
    """The variable, or the list, that a statement puts a value in."""
    if isinstance(keeps, ast.Assign):
        return ast.unparse(keeps.targets[0])
    call = keeps.value if isinstance(keeps, ast.Expr) else None
    of = call.func.value if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else None
    return ast.unparse(of) if of is not None else ""


def _bodies(file: str) -> list[Sequence[ast.stmt]]:
    return [body for node in nodes_of(file) if isinstance(body := getattr(node, "body", None), list)]


def _pools_itself(line: ast.Assign) -> bool:
    target = line.targets[0]
    given = line.value.args if isinstance(line.value, ast.Call) and not line.value.keywords else []
    return isinstance(target, ast.Name) and len(given) == 1 and ast.unparse(given[0]) == target.id


def _keeps(line: ast.stmt, target: ast.expr) -> bool:
    """Whether a statement puts a variable away as it is: in a list, or under another name."""
    name = ast.unparse(target)
    match line:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append"), args=[one])):
            return ast.unparse(one) == name
        case ast.Assign(targets=[other], value=ast.List(elts=[one])):
            return ast.unparse(one) == name != ast.unparse(other)
        case ast.Assign(targets=[other], value=one):
            return ast.unparse(one) == name != ast.unparse(other)
    return False


def _text(node: ast.stmt, file: str) -> str:
    return ast.get_source_segment("".join(linecache.getlines(file)), node) or ast.unparse(node)


def _patch(pools: ast.stmt, keeps: ast.stmt, file: str) -> str | None:
    lines = linecache.getlines(file)
    first, middle, last = pools.lineno - 1, keeps.lineno - 1, keeps.end_lineno or keeps.lineno
    if middle != (pools.end_lineno or 0):
        return None  # something stands between them
    moved = [*lines[:first], *lines[middle:last], *lines[first:middle], *lines[last:]]
    return unified(file, "".join(lines), "".join(moved))
