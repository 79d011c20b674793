"""A map that is laid out of a vector as its program says, and ends up too small or too large: other sides for it, made
up for in its channels, would fit what comes far behind, and nobody means that.

`Linear(7 * 7 * 64)` and a reshape to `(7, 7, 64)` agree, and convolutions have taken the map since. What gives it other
sides than are wanted comes behind it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from shapewatch.adapters.formulas import factors_of
from shapewatch.adapters.statements import parsed, statement
from shapewatch.adapters.worked_out import comes_to
from shapewatch.edits import Edit, Set
from shapewatch.recording import Call, Layer
from shapewatch.repair.roads import road_back
from shapewatch.rules.rule import Case

_TAKES_MAPS = frozenset({"conv", "conv_transpose", "pool", "resize"})


def lays_out_anew(edits: Sequence[Edit], case: Case) -> bool:
    """Whether a change gives a reshape that ran, of what a linear layer makes, other sizes of as many elements. Its own
    in another order may be meant, and so may those that the line of the linear layer says."""
    edit = edits[0] if len(edits) == 1 else None
    if not isinstance(edit, Set) or edit.argument != "shape" or not isinstance(edit.value, tuple):
        return False
    unit = next((unit for unit in case.graph.units if unit.is_layer and unit.layer == edit.layer), None)
    if unit is None or unit is case.call or unit.kind != "reshape" or not unit.results:
        return False
    other = sorted(edit.value) != sorted(edit.was or ())
    made = next((call for call in road_back(unit.operands[0], case.graph) if call.kind == "linear"), None)
    if not other or made is None or len(case.recording.shape(unit.operands[0])) != 2 or not _is_taken(unit, case):
        return False
    layer = case.recording.layer_at.get(made.layer) if made.is_layer else None
    return layer is None or sorted(edit.value) not in [sorted(product) for product in products_of(layer)]


def _is_taken(unit: Call, case: Case) -> bool:
    """Whether a window has gone over the map that a reshape gives, on the way to what failed."""
    roads = (list(road_back(value, case.graph)) for value in case.call.operands)
    return any(unit in road and any(each.kind in _TAKES_MAPS for each in road[: road.index(unit)]) for road in roads)


def products_of(layer: Layer) -> Iterator[list[int]]:
    """The products that the line which makes a layer says, by their factors: `7 * 7 * 64`."""
    span = layer.defined
    tree = parsed(statement(span))
    if tree is None or span is None:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            values = [comes_to(each, span.file, span.line) for each in factors_of(node)]
            known = [value for value in values if value is not None]
            if len(known) == len(values):
                yield known
