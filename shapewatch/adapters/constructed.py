"""The line that constructs an instance of the program's own class, where a size in the class is what it was given.

`self.weight = nn.Parameter(torch.empty(width, 8))` is one line for every instance of its class. Where `width` is an
argument of the constructor, one instance alone is changed in the line that constructs it, and a number in the class
would change them all. That is only said where nothing else that the class keeps depends on the argument.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shapewatch.adapters.around import Function, class_around
from shapewatch.adapters.lacking import with_what_lacks
from shapewatch.adapters.rows import listed
from shapewatch.adapters.statements import name_called, parsed, rewritten, statement
from shapewatch.adapters.worked_out import (
    REPEATING,
    bound,
    calls_of,
    comes_to,
    parameters_of,
)
from shapewatch.recording import Recording, Span
from shapewatch.source import is_users_own, span_of, tree_of

_KEEPING = frozenset("append extend insert add_module register_module register_buffer register_parameter".split())

_HARMLESS = frozenset("sqrt log pow print isinstance format".split())
"""Functions of a size that make nothing of that size."""

_FILLING = frozenset("__init__ build get_config extra_repr __repr__".split())
"""Methods in which a size that is kept may be read: those that make what depends on it, and those that tell of it."""


@dataclass(frozen=True)
class Constructed:
    """The statement that constructs an instance, and what it gives for a parameter; None: what it has by itself."""

    span: Span
    source: str
    call: ast.Call
    parameter: str
    argument: ast.expr | None

    def with_size(self, was: int, wanted: int, recording: Recording) -> str:
        """The statement with another size, and in a comment what it was."""
        new = self.formula(was, wanted, recording) or str(wanted)
        said = f"{self.parameter} was {was}" + (f", {wanted} now" if new != str(wanted) else "")
        if self.argument is not None:
            return f"{rewritten(self.source, [(self.argument, new)])}  # {said}"
        spelled = ast.get_source_segment(self.source, self.call) or ast.unparse(self.call)
        more = ", " if self.call.args or self.call.keywords else ""
        line = rewritten(self.source, [(self.call, f"{spelled[:-1].rstrip()}{more}{self.parameter}={new})")])
        return f"{line}  # {said}"

    def formula(self, was: int, wanted: int, recording: Recording) -> str | None:
        """The size as the program could say it: one factor of those that it gives, or with what is joined to it."""
        node = self.argument
        if node is None or isinstance(node, ast.Constant):
            return None
        return self._one_factor(node, was, wanted) or with_what_lacks(
            node, self.source, was, wanted, self.span, recording
        )

    def _one_factor(self, node: ast.expr, was: int, wanted: int) -> str | None:
        """`width` of `width * heads`, where that is what fits."""
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            return None
        sizes = {side: self._comes_to(side) for side in (node.left, node.right)}
        one, other = sizes.values()
        if one is None or other is None or one * other != was:
            return None
        fits = [side for side, size in sizes.items() if size == wanted and not isinstance(side, ast.Constant)]
        return ast.get_source_segment(self.source, fits[0]) if len(fits) == 1 else None

    def _comes_to(self, node: ast.expr) -> int | None:
        return comes_to(node, self.span.file, self.span.line)


def constructed(made: Span, size: ast.expr, attribute: str, path: str, recording: Recording) -> Constructed | None:
    """Where the instance at a path is constructed whose class makes an attribute on a line, of a size that it says so;
    None where it is no argument of the constructor, or where more than this attribute would change with it."""
    owner = class_around(made.file, made.line)
    if owner is None or not is_users_own(made.file):
        return None
    parameter = parameter_of(size, owner)
    if parameter is None or not is_for_one_attribute(owner, parameter, attribute):
        return None
    found = _constructing(owner, path, recording, made.file)
    span, call = found if found is not None else (None, None)
    source = statement(span)
    init = method_of(owner, "__init__")
    given = bound(call, init) if call is not None and init is not None else None
    if span is None or source is None or call is None or given is None:
        return None
    return Constructed(span, source, call, parameter, given.get(parameter))


def several_of(made: Span, path: str, recording: Recording) -> bool:
    """Whether a line of a class makes the same for other instances too."""
    layer = recording.layer_at.get(path)
    owner = class_around(made.file, made.line)
    if layer is None or owner is None or owner.name != layer.type:
        return False
    return sum(other.type == layer.type for other in recording.layers) > 1


def method_of(owner: ast.ClassDef, name: str) -> Function | None:
    return next((node for node in owner.body if isinstance(node, Function) and node.name == name), None)


def parameter_of(size: ast.expr, owner: ast.ClassDef) -> str | None:
    """The parameter of the constructor that a size is, as it was given or as the class keeps it."""
    init = method_of(owner, "__init__")
    if init is None:
        return None
    if isinstance(size, ast.Attribute) and isinstance(size.value, ast.Name) and size.value.id == "self":
        stored = [
            node
            for node in ast.walk(owner)
            if isinstance(node, ast.Attribute) and node.attr == size.attr and isinstance(node.ctx, ast.Store)
        ]
        kept = [node.value for node in ast.walk(init) if isinstance(node, ast.Assign) and node.targets == stored]
        size = kept[0] if len(kept) == 1 else size
    name = size.id if isinstance(size, ast.Name) else None
    stores = [node for node in ast.walk(init) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return name if name in parameters_of(init)[1:] and all(node.id != name for node in stores) else None


# Whether an argument is for one attribute alone


def is_for_one_attribute(owner: ast.ClassDef, parameter: str, attribute: str) -> bool:
    """Whether no other layer, weight or number that the class keeps depends on an argument of its constructor."""
    names, kept = {parameter}, set[str]()
    statements = [
        node for each in owner.body if isinstance(each, Function) and each.name in _FILLING for node in _steps(each)
    ]
    known = -1
    while known != len(names) + len(kept):
        known = len(names) + len(kept)
        for step, conditions in statements:
            if not _depends(step, names, kept) and not any(_depends(each, names, kept) for each in conditions):
                continue
            if _calls_its_base(step):
                return False
            for target in _targets(step):
                if target.startswith("self."):
                    kept.add(target.removeprefix("self.").partition(".")[0])
                elif target.isidentifier():
                    names.add(target)
    copies = {name for name in kept - {attribute} if _is_a_copy(owner, name, parameter)}
    if kept - copies != {attribute}:
        return False
    others = [each for each in owner.body if isinstance(each, Function) and each.name not in _FILLING]
    return not any(_reads(each, name) for each in others for name in copies)


def _steps(function: Function) -> list[tuple[ast.stmt, list[ast.expr]]]:
    """The simple statements of a function, and the conditions that each of them stands under."""
    found: list[tuple[ast.stmt, list[ast.expr]]] = []

    def gather(body: list[ast.stmt], conditions: list[ast.expr]) -> None:
        for step in body:
            inner = [getattr(step, name, []) for name in ("body", "orelse", "finalbody")]
            if not any(inner):
                found.append((step, conditions))
                continue
            said = [each for name in ("test", "iter") if (each := getattr(step, name, None)) is not None]
            for part in inner:
                gather(part, [*conditions, *said])

    gather(function.body, [])
    return found


def _depends(node: ast.AST, names: set[str], kept: set[str]) -> bool:
    """Whether something is made of one of these; what only checks it, or takes its root, makes nothing of its size."""
    if isinstance(node, ast.Assert | ast.Raise | ast.JoinedStr):
        return False
    if isinstance(node, ast.Call) and name_called(node) in _HARMLESS:
        return False
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id in names
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr in kept and isinstance(node.ctx, ast.Load)
    return any(_depends(each, names, kept) for each in ast.iter_child_nodes(node))


def _calls_its_base(step: ast.stmt) -> bool:
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) == "super" for node in ast.walk(step))


def _targets(step: ast.stmt) -> list[str]:
    """What a statement gives something to, as it is written, or puts something into."""
    match step:
        case ast.Assign(targets=targets):
            flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
            return [_stored_as(each) for each in flat]
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return [_stored_as(target)]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=of, attr=method)) as call) if method in _KEEPING:
            said = call.args[0] if call.args else None
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                return [f"self.{said.value}"]
            return [ast.unparse(of)]
    return []


def _stored_as(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)


def _is_a_copy(owner: ast.ClassDef, name: str, parameter: str) -> bool:
    """`self.width = width`, and nothing else that sets it."""
    values = [
        node.value
        for node in ast.walk(owner)
        if isinstance(node, ast.Assign) and any(ast.unparse(each) == f"self.{name}" for each in node.targets)
    ]
    return len(values) == 1 and isinstance(values[0], ast.Name) and values[0].id == parameter


def _reads(method: Function, name: str) -> bool:
    return any(
        _depends(step, set(), {name}) or any(_depends(each, set(), {name}) for each in said)
        for step, said in _steps(method)
    )


# Where it is constructed


def _constructing(owner: ast.ClassDef, path: str, recording: Recording, file: str) -> tuple[Span, ast.Call] | None:
    """The statement that constructs the instance at a path and no other one, and the call in it."""
    layer = recording.layer_at.get(path)
    if layer is not None and path and layer.type != owner.name:
        return None
    span = layer.defined if layer is not None else None
    if span is not None and (entry := _in_its_row(owner.name, span, path, recording)) is not None:
        return entry
    if span is None:
        span = _only_one(owner.name, file)
    elif any(other.defined == span and other.path != path for other in recording.layers):
        return None
    source = statement(span)
    tree = parsed(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    found = [call for call in calls if name_called(call) == owner.name]
    if span is None or len(found) != 1 or not is_users_own(span.file) or repeats(span, owner.name):
        return None
    return span, found[0]


def _in_its_row(name: str, span: Span, path: str, recording: Recording) -> tuple[Span, ast.Call] | None:
    """The entry that is the instance at a path, where the line lists all that are in the row: as a line of its own, or
    in the line of the row."""
    row, index = _numbered(path)
    inside = [layer.path for layer in recording.layers if (numbered := _numbered(layer.path))[0] == row and numbered[1]]
    entries = listed(span.file, span.line)
    if not index or len(entries) != len(inside) or int(index) >= len(entries):
        return None
    if name_called(entries[int(index)]) != name:
        return None
    line = entries[int(index)].lineno
    alone = sum(entry.lineno == line for entry in entries) == 1
    there = span_of(span.file, line, span.function) if alone else span
    tree = parsed(statement(there))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    made = [call for call in calls if name_called(call) == name]
    which = 0 if alone else sum(name_called(entry) == name for entry in entries[: int(index)])
    fits = is_users_own(span.file) and len(made) > which and not repeats(there, name)
    return (there, made[which]) if fits else None


def _numbered(path: str) -> tuple[str, str]:
    """The row and the number of `blocks.2` or `blocks[2]`; no number where there is none."""
    found = re.fullmatch(r"(.*?)(?:(?:^|\.)(\d+)|\[(\d+)\])", path)
    return (found[1], found[2] or found[3]) if found is not None else (path, "")


def _only_one(name: str, file: str) -> Span | None:
    """The line of the only call of a class in its file."""
    lines = {call.lineno for call in calls_of(name, file)} if len(calls_of(name, file)) == 1 else set()
    return next((span_of(file, line) for line in lines), None)


def repeats(span: Span, name: str) -> bool:
    """Whether the call of that name on a line is made each time that a loop turns."""
    loops = [node for node in ast.walk(tree_of(span.file)) if isinstance(node, REPEATING)]
    around = [node for node in loops if node.lineno <= span.line <= (node.end_lineno or 0)]
    return any(
        isinstance(node, ast.Call) and name_called(node) == name and node.lineno >= span.line
        for loop in around
        for node in ast.walk(loop)
    )
