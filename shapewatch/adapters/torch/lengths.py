"""The lengths that tables are cut to, counted off to or made for, as the program would write them.

A length is taken from what the table meets (`x.size(1)`), wherever the program has a name for that; a number that was
right for one batch is written down last of all.
"""

from __future__ import annotations

import ast

from shapewatch.adapters.constructed import several_of
from shapewatch.adapters.operand import operand_text, which_of_line
from shapewatch.adapters.statements import function_called, parsed, rewritten, statement
from shapewatch.edits import Set, SetCall
from shapewatch.recording import Call, Recording, Shape, Span
from shapewatch.source import tree_of


def cut_anew(edit: SetCall, call: Call, recording: Recording) -> str | None:
    """The statement with one index in it that ends elsewhere; None where it does not tell which one."""
    source = statement(call.span)
    tree, was, parts = parsed(source), edit.was.split(", "), edit.value.split(", ")
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)] if tree is not None else []
    found = [node for node in nodes if _is_spelled(node, was)]
    if source is None or len(found) != 1:
        return None
    items = _items(found[0])
    ends = [item.upper for item in items if isinstance(item, ast.Slice) and item.upper is not None]
    new = [
        _spelled(source, items[at]) if at < len(was) and was[at] == part else _cut(source, items, at, part)
        for at, part in enumerate(parts)
    ]
    ended = next(at for at, part in enumerate(parts) if part != ":" and (at >= len(was) or was[at] != part))
    if parts[ended] in was:  # the other axis of a mask is cut so already
        new[ended] = _spelled(source, items[was.index(parts[ended])])
    else:
        start, _, stop = parts[ended].partition(":")
        length = length_of(int(stop) - int(start or 0), ends[0], call, recording)
        new[ended] = new[ended].format(length)
    return rewritten(source, [(found[0], f"{_spelled(source, found[0].value)}[{', '.join(new)}]")])


def _cut(source: str, items: list[ast.expr], at: int, part: str) -> str:
    """An item with a place for the length that it is to have."""
    if part == ":":
        return ":"
    item = items[at] if at < len(items) else None
    lower = item.lower if isinstance(item, ast.Slice) else None
    return ":{}" if lower is None else f"{_spelled(source, lower)}:{_spelled(source, lower)} + {{}}"


def counted_anew(edit: SetCall, call: Call, recording: Recording) -> str | None:
    """The statement with an `arange` in it that counts to another end."""
    source = statement(call.span)
    function = function_called(source, {call.name})
    if source is None or function is None or edit.value is None:
        return None
    end = function.args[min(1, len(function.args) - 1)]
    start = call.facts.get("start", 0)
    length = length_of(edit.value - start, end, call, recording)
    return rewritten(source, [(end, f"{_spelled(source, function.args[0])} + {length}" if start else length)])


def length_of(size: int, was: ast.expr | None, call: Call, recording: Recording) -> str:
    """An expression for a length of what the results of a call meet: where it failed, or in what takes them."""
    meeting = recording.failing_call() or _taker(call, recording)
    met = None if meeting is None else _beside(call, meeting, recording)
    if meeting is None or met is None:
        return str(size)
    axis = _met_axis(meeting, met, size, recording)
    made = recording.producer.get(meeting.operands[met])
    source = statement(meeting.span)
    written = operand_text(source, met, meeting.name, which=which_of_line(meeting, recording))
    there = made is None or made.number < call.number
    named = written is not None and written.replace(".", "").isidentifier()
    given = _given_to(written)
    of, style = _taken_from(was)
    taken = None
    if given is not None and made is not None and made.operands:
        taken = _axis(recording.shape(made.operands[0]), size, axis)
    if of is not None:
        at = axis if of == written else taken if of == given else _axis_of(of, size, axis, recording)
        if at is not None:
            return style.format(of, at)
    if named and there and axis is not None:
        return f"{written}.size({axis})"
    return f"{given}.size({taken})" if taken is not None else str(size)


def _taker(call: Call, recording: Recording) -> Call | None:
    takers = [other for other in recording.calls if set(call.results) & set(other.operands)]
    return takers[0] if len(takers) == 1 else None


def _beside(call: Call, failing: Call, recording: Recording) -> int | None:
    """Which operand of what failed does not come from a call's results, where there are two."""
    apart = [at for at, value in enumerate(failing.operands) if not _comes_from(value, call, recording)]
    return apart[0] if len(failing.operands) == 2 and len(apart) == 1 else None


def _comes_from(value: int, call: Call, recording: Recording) -> bool:
    waiting = [value]
    for _ in range(32):
        if not waiting:
            return False
        at = waiting.pop()
        if at in call.results:
            return True
        made = recording.producer.get(at)
        waiting += made.operands if made is not None and made.number > call.number else ()
    return False


def _met_axis(failing: Call, met: int, size: int, recording: Recording) -> int | None:
    """The axis on which the two operands differ, and the one that is met is so long; of a mask's two the last."""
    ours, theirs = (recording.shape(failing.operands[at]) for at in (met, 1 - met))
    pairs = enumerate(zip(reversed(ours), reversed(theirs), strict=False), start=1)
    found = [at for at, (one, other) in pairs if one == size and other not in (one, None)]
    return len(ours) - found[0] if found else None


def _taken_from(node: ast.expr | None) -> tuple[str | None, str]:
    """Of the one `x.size(0)`, `x.shape[0]` or `len(x)` in an expression: `x`, and how the length of another axis is
    written so."""
    found = [taken for part in ast.walk(node) if (taken := _length_taken(part))] if node is not None else []
    return found[0] if len(found) == 1 else (None, "")


def _length_taken(node: ast.AST) -> tuple[str, str] | None:
    match node:
        case ast.Call(func=ast.Attribute(value=of, attr="size"), args=[_]):
            return ast.unparse(of), "{}.size({})"
        case ast.Subscript(value=ast.Attribute(value=of, attr="shape")):
            return ast.unparse(of), "{}.shape[{}]"
        case ast.Call(func=ast.Name(id="len"), args=[of]):
            return ast.unparse(of), "{}.size({})"
    return None


def _axis_of(name: str, size: int, axis: int | None, recording: Recording) -> int | None:
    """The axis of a value of that name that is so long, in every value that is called so."""
    shapes = {value.shape for value in recording.values if value.name == name}
    if len(shapes) != 1:
        return None
    return _axis(shapes.pop(), size, axis)


def _axis(shape: Shape, size: int, axis: int | None) -> int | None:
    """The one axis that is so long; of several, the one that is meant if it is among them."""
    if axis is not None and axis < len(shape) and shape[axis] == size:
        return axis
    return shape.index(size) if shape.count(size) == 1 else None


def _given_to(written: str | None) -> str | None:
    """`tokens` of `self.embed(tokens)`."""
    tree = parsed(written)
    call = tree.body[0].value if tree is not None and tree.body and isinstance(tree.body[0], ast.Expr) else None
    alone = isinstance(call, ast.Call) and len(call.args) == 1 and isinstance(call.args[0], ast.Name)
    return ast.unparse(call.args[0]) if isinstance(call, ast.Call) and alone else None


def _items(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_spelled(node: ast.Subscript, parts: list[str]) -> bool:
    """Whether an index has its slices where the one that ran had them."""
    items = _items(node)
    if len(items) != len(parts):
        return False
    for item, part in zip(items, parts, strict=True):
        sliced = isinstance(item, ast.Slice)
        ended = isinstance(item, ast.Slice) and item.upper is not None
        if sliced != (":" in part) or ended != (":" in part and bool(part.partition(":")[2])):
            return False
    return True


def _spelled(source: str, node: ast.expr) -> str:
    return ast.get_source_segment(source, node) or ast.unparse(node)


# A table that is to have more places


def made_anew(edit: Set, recording: Recording) -> str | None:
    """The line that makes a table, with the number in it that says how large it is; or with that one's name in a
    comment, where it is said elsewhere."""
    failure = recording.failure
    if failure is None or failure.span is None or not isinstance(edit.value, tuple):
        return None
    changed = [at for at, (one, other) in enumerate(zip(edit.value, edit.was, strict=False)) if one != other]
    classes = _classes_around(failure.span)
    made = [node for each in classes for node in ast.walk(each) if _makes(node, edit.argument)]
    if not made or len(changed) != 1 or len(edit.value) != len(edit.was):
        return None
    (axis,) = changed
    line, size, was = ast.unparse(made[0]), edit.value[axis], edit.was[axis]
    several = several_of(failure.span, edit.layer, recording)
    parts = [_size_said(node, len(edit.was), axis) for node in ast.walk(ast.parse(line))]
    said = [part for part in parts if part is not None]
    name = ast.unparse(said[0]) if len(said) == 1 and not isinstance(said[0], ast.Constant) else None
    if len(said) == 1 and isinstance(said[0], ast.Constant) and said[0].value == was and not several:
        return f"{rewritten(line, [(said[0], str(size))])}  # {was} before"
    if name is not None and size == was + 1 and not several:  # a place for the class token, mostly
        return f"{rewritten(line, [(said[0], f'{name} + 1')])}  # {size}, {was} before"
    wanted = f"{size} at least" if size > was and axis < len(edit.was) - 1 else f"{size} is wanted"
    return f"{line}  # {name or _default_of(classes, was) or f'axis {axis}'}: {wanted}, {was} now"


def _classes_around(span: Span) -> list[ast.ClassDef]:
    try:
        tree = tree_of(span.file)
    except (OSError, SyntaxError, ValueError):
        return []
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [node for node in classes if node.lineno <= span.line <= (node.end_lineno or 0)]


def _makes(node: ast.AST, name: str) -> bool:
    """Whether a statement gives `self` an attribute or a buffer of that name."""
    match node:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=attribute)]):
            return attribute == name
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="register_buffer"), args=[ast.Constant(value=said), *_])):
            return bool(said == name)
    return False


def _size_said(node: ast.AST, rank: int, axis: int) -> ast.expr | None:
    """What a call of a function, or a tuple in it, says of one of so many sizes."""
    creates = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _CREATING
    if not isinstance(node, ast.Call) or not creates or any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    given = node.args[0].elts if len(node.args) == 1 and isinstance(node.args[0], ast.Tuple | ast.List) else node.args
    return given[axis] if len(given) == rank else None


_CREATING = frozenset("zeros ones empty rand randn".split())


def _default_of(classes: list[ast.ClassDef], size: int) -> str | None:
    """The parameter of a class that is so much where nothing is given."""
    names: list[str] = []
    for each in (node for one in classes for node in one.body if isinstance(node, ast.FunctionDef)):
        defaults = each.args.defaults
        given = zip(each.args.args[len(each.args.args) - len(defaults) :], defaults, strict=True)
        names += [one.arg for one, value in given if isinstance(value, ast.Constant) and value.value == size]
    return names[0] if len(set(names)) == 1 else None
