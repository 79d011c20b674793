"""Sums over segments, of messages say for the nodes of a graph, that are made for another number of segments than there
are rows in what the messages were gathered from: counted from the indices, rows are lost that none of these names."""

from __future__ import annotations

import ast

from shapewatch import axes
from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.unread import line_at
from shapewatch.adapters.written import length_in
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Span
from shapewatch.repair.assigned import assigned_line
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.rule import Case

_SUMS = frozenset({"index_add", "index_add_", "scatter_add", "scatter_add_", "scatter_reduce", "scatter_reduce_"})
"""PyTorch's sums into rows of what they are called of; TensorFlow's are named `UnsortedSegmentSum`, `ScatterNd`."""

_MAKING = frozenset({"zeros", "new_zeros", "full", "new_full"})


def made_for_other_rows(case: Case, framework: str) -> Odd | None:
    """The line that says how many segments there are, as many as there are rows in what was gathered from."""
    if case.call.kind not in ELEMENTWISE | {"concat"} or len(case.shapes) != 2 or not all(case.shapes):
        return None
    for (made, own), (other, rows) in _both_ways(case):
        found = _sum_on_the_way(case.graph, made, other, own)
        if found is None or not axes.differ(own, rows):
            continue
        gathered = _gathered_from(case.graph, found, other, rows)
        if gathered is not None:
            return _told(found, gathered, own, rows, case, framework)
    return None


def _both_ways(case: Case) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    (one, other), (a, b) = case.call.operands, (shape[0] or 0 for shape in case.shapes)
    return [((one, a), (other, b)), ((other, b), (one, a))]


def _sum_on_the_way(graph: Graph, value: int, other: int, rows: int) -> Call | None:
    """The last sum over segments on the one side of a meeting that is on the other side not; it gives so many rows."""
    for unit in reversed(graph.units):
        named = "Segment" in unit.name or unit.name in _SUMS | {"ScatterNd"}
        made = unit.results[0] if unit.results else None
        if not named or made is None or not (made == value or graph.descends(value, made)):
            continue
        shape = graph.recording.shape(made)
        if len(shape) > 1 and shape[0] in (None, rows) and not graph.descends(other, made):
            return unit
    return None


def _gathered_from(graph: Graph, summed: Call, other: int, rows: int) -> Call | None:
    """The call that took rows of something by their numbers, for what is summed: something that the other side of the
    meeting is, or comes from, and that has as many rows."""
    taken = 0
    for operand in summed.operands:
        taken |= graph.ancestors[operand] | 1 << operand
    for unit in reversed(graph.units):
        if unit.kind not in ("index", "gather") or len(unit.operands) != 2 or not unit.results:
            continue
        table = unit.operands[0]
        leads = table == other or graph.descends(other, table)
        if taken >> unit.results[0] & 1 and leads and graph.recording.shape(table)[:1] == (rows,):
            return unit
    return None


def _told(summed: Call, gathered: Call, own: int, rows: int, case: Case, framework: str) -> Odd | None:
    table = _table(statement(gathered.span))
    made = case.graph.producer.get(summed.operands[0])
    counted = made if summed.name in _SUMS and made is not None and made.name in _MAKING else summed
    if table is None or gathered.span is None or counted.span is None:
        return None
    framework = "torch" if framework == "torch" else "tensorflow"
    length = length_in(framework, table, 0)
    found = _line_with(counted.span, length)
    if found is None:
        return None
    line, code = found
    known = line_at(line)
    if table.isidentifier() and (known is None or table not in {bound.name for bound in known.variables}):
        code += f"  # with `{table}` of line {gathered.span.line} given to this function"
    reason = f"it counts {own} segments, and `{table}`, of which line {gathered.span.line} takes rows, has {rows}"
    edit = {"action": "set", "call": summed.place, "argument": "num_segments", "value": length}
    why_not = "how many segments there are stands in a tensor, and a pass on shapes alone has no contents"
    fix = Fix(f"as many segments as `{table}` has rows", code, edit, (), framework, None, why_not)
    return Odd(Cause(summed.layer or None, summed.name, line, reason), fix, True)


def _table(source: str | None) -> str | None:
    """What a line gathers from: `h` of `tf.gather(h, source)`, of `h[source]` and of `h.index_select(0, source)`."""
    tree = parsed(source)
    found = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and name_called(node) in ("gather", "embedding_lookup") and node.args:
            found.append(node.args[0])
        elif (
            isinstance(node, ast.Call) and name_called(node) == "index_select" and isinstance(node.func, ast.Attribute)
        ):
            found.append(node.func.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name | ast.Subscript | ast.Attribute):
            found.append(node.value)
    tables = {ast.unparse(node) for node in found if isinstance(node, ast.Name | ast.Attribute)}
    return tables.pop() if len(tables) == 1 else None


def _line_with(span: Span, length: str) -> tuple[Span, str] | None:
    """The line that says how many segments there are, with another number: the one that gives a variable its value, or
    the call itself."""
    source = statement(span)
    count = _count_in(source)
    if source is None or count is None:
        return None
    if isinstance(count, ast.Name):
        line = assigned_line(span.file, count.id, span.line)
        tree = parsed(statement(line)) if line is not None else None
        made = tree.body[0] if tree is not None and tree.body else None
        if line is not None and isinstance(made, ast.Assign) and isinstance(made.targets[0], ast.Name):
            return line, f"{count.id} = {length}"
    return span, rewritten(source, [(count, length)])


def _count_in(source: str | None) -> ast.expr | None:
    """The expression in a line that says how many segments, or rows, are made."""
    tree = parsed(source)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)) if tree is not None else ():
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        name = name_called(call)
        if "segment" in name:
            return named.get("num_segments") or (call.args[2] if len(call.args) > 2 else None)
        sizes = named.get("shape") or (call.args[2] if name == "scatter_nd" and len(call.args) > 2 else None)
        if name in _MAKING and call.args:
            sizes = call.args[0]
            if not isinstance(sizes, ast.Tuple | ast.List):
                return sizes
        if name in _MAKING | {"scatter_nd"} and isinstance(sizes, ast.Tuple | ast.List) and sizes.elts:
            return sizes.elts[0]
    return None
