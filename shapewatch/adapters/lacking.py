"""A size that lacks what the data on the way have got: `noise + classes` behind a concatenation, `hidden * heads`
behind heads that were laid together, `hidden * 2` behind two directions.

The sizes of the pass say what was joined or laid together; how many that are, the program mostly has by a name. Where
it has none, or several, a number is the only thing that is known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from shapewatch.adapters.around import Function, class_around, functions_around
from shapewatch.adapters.statements import atom, name_called, parsed, statement
from shapewatch.adapters.worked_out import bound, comes_to, parameters_of
from shapewatch.recording import Call, Recording, Span
from shapewatch.source import tree_of

_FAR = 64


def with_what_lacks(
    node: ast.expr,
    source: str,
    was: int,
    wanted: int,
    span: Span,
    recording: Recording,
    said: Callable[[int], str | None] = lambda _: None,
) -> str | None:
    """An expression that comes to `was`, with what was joined to that, or laid together with it, on the way to the call
    that failed; None where nothing was, or the program has no one name for how many that are. `said`: how the lines
    beside it say a size."""
    if isinstance(node, ast.Constant) or was < 1:
        return None
    spelled = ast.get_source_segment(source, node) or ast.unparse(node)
    loose = isinstance(node, ast.IfExp | ast.BoolOp | ast.Compare | ast.Lambda)
    roads = list(_before_the_failure(recording))
    more, (times, rest) = wanted - was, divmod(wanted, was)
    if times == 2 and not rest and any(_has_both_directions(made, was, recording) for made in roads):
        return f"{atom(spelled)} * 2"
    repeating = [made for made in roads if _repeats(made, was, times, recording)] if times > 1 and not rest else []
    if repeating:
        name = _name_of(times, node, span) or _said_by_the_layer(repeating[0], spelled, recording, span) or said(times)
        return f"{atom(spelled)} * {name}" if name is not None else None
    if more > 0 and any(_joins(made, was, more, recording) for made in roads):
        name = "1" if more == 1 else _name_of(more, node, span) or said(more)
        return f"{atom(spelled) if loose else spelled} + {name}" if name is not None else None
    return None


def _before_the_failure(recording: Recording) -> Iterator[Call]:
    """What had a part in what the call that failed was given, the nearest first."""
    failing = recording.failing_call()
    waiting, seen = [*(failing.operands if failing is not None else ())], set[int]()
    while waiting and len(seen) < _FAR:
        value = waiting.pop(0)
        made = recording.producer.get(value)
        if value in seen or made is None:
            continue
        seen.add(value)
        yield made
        waiting += made.operands


def _joins(made: Call, one: int, other: int, recording: Recording) -> bool:
    """Whether it is a concatenation of so many with so many."""
    shapes = [recording.shape(value) for value in made.operands] if made.kind == "concat" else []
    if len(shapes) != 2 or len(shapes[0]) != len(shapes[1]) or not made.results:
        return False
    joined = recording.shape(made.results[0])
    pairs = zip(joined, *shapes, strict=True) if len(joined) == len(shapes[0]) else ()
    return any(total == one + other and {first, second} == {one, other} for total, first, second in pairs)


def _has_both_directions(made: Call, was: int, recording: Recording) -> bool:
    layer = recording.layer_at.get(made.layer) if made.is_layer else None
    facts = layer.facts if layer is not None and layer.kind == "recurrent" else {}
    return bool(facts.get("bidirectional")) and facts.get("hidden_size") == was


def _repeats(made: Call, was: int, times: int, recording: Recording) -> bool:
    """Whether it lays so many of one size together, along an axis or from two axes."""
    if not made.results or not made.operands:
        return False
    result = recording.shape(made.results[0])
    shapes = [recording.shape(value) for value in made.operands]
    if made.kind == "concat":
        alike = len(shapes) == times and len(set(shapes)) == 1 and len(shapes[0]) == len(result)
        return alike and any((own, all_) == (was, was * times) for own, all_ in zip(shapes[0], result, strict=True))
    together = made.kind in ("flatten", "reshape") and result[-1:] == (was * times,)
    return together and shapes[0][-2:] == (times, was) and shapes[0][:-2] == result[:-1]


def _name_of(size: int, node: ast.expr, span: Span) -> str | None:
    """What the function around has by a name and is so much, or its class, or else the file; an argument of the
    function that is in the expression itself is none."""
    own = {ast.unparse(each) for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute)}
    for names in _scopes(span):
        others = {ast.unparse(name): name for name in names if ast.unparse(name) not in own}
        found = [name for name, each in others.items() if comes_to(each, span.file, span.line) == size]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _scopes(span: Span) -> Iterator[list[ast.expr]]:
    around, owner = functions_around(span.file, span.line), class_around(span.file, span.line)
    yield [ast.Name(name, ast.Load()) for name in (parameters_of(around[0]) if around else ())]
    inside = ast.walk(owner) if owner is not None else ()
    yield [node for node in inside if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)]
    steps = [step for step in tree_of(span.file).body if isinstance(step, ast.Assign)]
    yield [target for step in steps for target in step.targets if isinstance(target, ast.Name)]


def _said_by_the_layer(made: Call, spelled: str, recording: Recording, span: Span) -> str | None:
    """How many the layer lays together in whose class that is done: `heads` where its line says `heads * width` of what
    it keeps, and the layer is made with `heads=heads`, and for the width with what the size that lacks it says, in the
    function of that size."""
    layer, line = recording.layer_at.get(made.layer), made.span
    owner = class_around(line.file, line.line) if line is not None else None
    if layer is None or layer.defined is None or owner is None or owner.name != layer.type:
        return None
    init = next((each for each in owner.body if isinstance(each, Function) and each.name == "__init__"), None)
    tree = parsed(statement(layer.defined))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    making = [call for call in calls if name_called(call) == owner.name]
    given = bound(making[0], init) if len(making) == 1 and init is not None else None
    here = [each.lineno for each in functions_around(span.file, span.line)[:1]]
    there = [each.lineno for each in functions_around(layer.defined.file, layer.defined.line)[:1]]
    if given is None or here != there or layer.defined.file != span.file:
        return None
    said = {ast.unparse(given[name]) for name in _factors_kept(line, init) if name in given}
    others = said - {spelled}
    return others.pop() if len(said) == 2 and len(others) == 1 else None


def _factors_kept(line: Span | None, init: Function | None) -> Iterator[str]:
    """The arguments of a class that are factors in a line of it, as it keeps them."""
    tree = parsed(statement(line))
    products = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp)] if tree is not None else []
    sides = [side for each in products if isinstance(each.op, ast.Mult) for side in (each.left, each.right)]
    factors = {ast.unparse(side) for side in sides}
    for step in ast.walk(init) if init is not None else ():
        if isinstance(step, ast.Assign):
            yield from (value for kept, value in _pairs(step.targets[0], step.value) if kept in factors)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, str]]:
    """What is given a value, and what value: each part of `self.a, self.b = a, b`."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, other)
    else:
        yield ast.unparse(target), ast.unparse(value)
