"""What a model was declared for, where the data have other sizes: the declaration may as well be wrong as they.

Of pictures the data are mostly brought to another size, so there it comes second. Nobody gives a table other columns
for the sake of a number in the code, so there it comes first; but not where the model ran before with what it was
declared for.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from shapewatch.adapters import Adapter, Declaring
from shapewatch.adapters.statements import name_called
from shapewatch.adapters.worked_out import comes_to
from shapewatch.axes import differ
from shapewatch.edits import Input
from shapewatch.recording import Recording, Shape, Span, text
from shapewatch.report import Cause, Fix
from shapewatch.source import is_users_own, span_of, tree_of


@dataclass(frozen=True)
class Declared:
    """The declaration as what is to blame, and whether that comes before the data."""

    cause: Cause
    fix: Fix
    first: bool


def declared_otherwise(recording: Recording, best: Fix, adapter: Adapter) -> Declared | None:
    """The declaration of an input, where the best fix is to give data of the sizes that it says."""
    change = best.changes[0] if len(best.changes) == 1 else None
    if not isinstance(change, Input) or change.change in ("unsqueeze", "permute"):
        return None
    index = change.index
    outermost = recording.roots
    layer = recording.layer_at.get(outermost[-1].layer) if outermost else None
    takes: tuple[Shape, ...] = layer.facts.get("takes", ()) if layer is not None else ()
    if len(takes) != len(recording.inputs) or outermost[-1].occurrence:
        return None
    said, given = takes[index], recording.shape(recording.inputs[index])
    odd = [axis for axis in range(1, len(said)) if len(said) == len(given) and differ(said[axis], given[axis])]
    if not odd or sorted(map(str, said[1:])) == sorted(map(str, given[1:])):
        return None  # of axes in another order the data's are in the wrong one
    wanted = (said[0], *given[1:])
    written = _written(recording, said, adapter.declares)
    span = None if written is None else written.span
    code = None if written is None else written.rewritten(wanted)
    named = written.layer if written is not None and written.layer else "input"
    reason = f"the model is declared for {text(said)}, and the data are {text(given)}"
    fix = Fix(
        title=f"declare an input of {text(wanted)} instead of {text(said)}",
        code=code or f"# an input declared as {text(wanted)}",
        edit={"action": "declare", "index": index, "shape": wanted},
        changes=(),
        framework=adapter.name,
        verified=None,
        why_not="the model would have to be made again",
    )
    return Declared(Cause(named, "input", span, reason), fix, first=len(said) < 4)


def declared_at(recording: Recording, edit: Input, declares: Declaring) -> tuple[Span, str | None] | None:
    """The line that declares an input of a model which was still being built, and that line with the edit made."""
    given = recording.shape(recording.inputs[edit.index])
    if given[:1] != (None,) or recording.root or edit.shape[:1] != (None,):
        return None
    written = _written(recording, given, declares)
    if written is None:
        return None
    return written.constant(given, edit.shape) or (written.span, written.rewritten(edit.shape))


# Where it is written


@dataclass(frozen=True)
class _Written:
    """The line of a declaration; `value` is the part of it that says the sizes, `layer` the layer that it stands in."""

    span: Span
    value: ast.expr
    line: str
    layer: str = ""

    def sizes(self) -> tuple[Any, ...] | None:
        """What it comes to, as far as the file tells."""
        literal = _literal(self.value)
        if literal is not None or not isinstance(self.value, ast.Tuple | ast.List):
            return literal
        known = [comes_to(size, self.span.file, self.span.line) for size in self.value.elts]
        return None if None in known else tuple(known)

    def constant(self, said: Shape, wanted: Shape) -> tuple[Span, str] | None:
        """The line that gives a constant of the file its number, where all sizes that are to be others, and no more,
        are said by that name: what else is made by it, as the data mostly are, goes with it."""
        sizes = self.value.elts if isinstance(self.value, ast.Tuple | ast.List) else [self.value]
        if len(sizes) != len(wanted) - 1:
            return None
        names = [size.id if isinstance(size, ast.Name) else None for size in sizes]
        others = {name: new for name, was, new in zip(names, said[1:], wanted[1:], strict=True) if was != new}
        kept = {name for name, was, new in zip(names, said[1:], wanted[1:], strict=True) if was == new}
        if len(others) != 1 or None in others or kept & others.keys():
            return None
        ((name, new),) = others.items()
        nodes = [node for node in ast.walk(tree_of(self.span.file)) if isinstance(node, ast.Name) and node.id == name]
        made = [node for node in nodes if isinstance(node.ctx, ast.Store)]
        lines = [node for node in tree_of(self.span.file).body if isinstance(node, ast.Assign)]
        there = [node for node in lines if node.targets == made and isinstance(node.value, ast.Constant)]
        if len(there) != 1:
            return None
        return span_of(self.span.file, there[0].lineno), f"{name} = {new}"

    def rewritten(self, wanted: Shape) -> str | None:
        """The line with other sizes, where these are written in it as numbers."""
        sizes = wanted if len(_literal(self.value) or ()) == len(wanted) else wanted[1:]
        if _literal(self.value) is None or self.value.lineno != self.value.end_lineno:
            return None
        number = isinstance(self.value, ast.Constant)
        new = str(sizes[0]) if number else f"({', '.join(map(str, sizes))}{',' * (len(sizes) == 1)})"
        raw = self.line.encode()
        return (raw[: self.value.col_offset] + new.encode() + raw[self.value.end_col_offset :]).decode().strip()


def _written(recording: Recording, said: Shape, declares: Declaring) -> _Written | None:
    """The one place in the program that declares an input so; where it is said by a variable, the only declaration."""
    failure = recording.failure
    layers = {layer.defined.line: layer.path for layer in recording.layers if layer.defined is not None}
    files = {layer.defined.file for layer in recording.layers if layer.defined is not None}
    files |= {failure.span.file} if failure is not None and failure.span is not None else set()
    found = [each for file in sorted(filter(is_users_own, files)) for each in _declarations(file, declares)]
    exact = [each for each in found if each.sizes() in ((*said,), (*said[1:],))]
    unread = [each for each in found if each.sizes() is None]
    chosen = exact if len(exact) == 1 else unread if not exact and len(found) == 1 else []
    if not chosen:
        return None
    only = chosen[0]
    inside = only.layer and layers.get(only.span.line)
    return _Written(only.span, only.value, only.line, inside or "")


@cache
def _declarations(file: str, declares: Declaring) -> tuple[_Written, ...]:
    """Every argument that declares the shape of an input, in a file; of `layer` whether it is a layer's own."""
    lines = linecache.getlines(file)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return ()
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for value, own in _shapes_in(call, declares):
            line = lines[value.lineno - 1].rstrip()
            found.append(_Written(Span(file, value.lineno, line.strip()), value, line, "own" if own else ""))
    return tuple(found)


def _shapes_in(call: ast.Call, declares: Declaring) -> Iterator[tuple[ast.expr, bool]]:
    name = name_called(call)
    if name in declares.calls:
        yield from ((argument, False) for argument in call.args[:1])
        yield from ((each.value, False) for each in call.keywords if each.arg in declares.arguments)
    yield from ((each.value, True) for each in call.keywords if each.arg in declares.of_layers)


def _literal(value: ast.expr) -> tuple[Any, ...] | None:
    """The sizes that are written as numbers; None where they are not."""
    try:
        sizes = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return None
    return tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,) if isinstance(sizes, int) else None
