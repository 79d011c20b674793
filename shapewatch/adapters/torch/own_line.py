"""The construction of a layer as the program writes it, with some of its arguments changed.

What is not changed keeps the names and the formulas that it has: `nn.GRU(width * (bands // 8), hidden)`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from torch import nn

from shapewatch.adapters.around import class_around, functions_around
from shapewatch.adapters.constructed import repeats
from shapewatch.adapters.formulas import as_formula, laid_out, laid_together
from shapewatch.adapters.lacking import with_what_lacks
from shapewatch.adapters.statements import is_assigned, name_called, parsed, rewritten, statement
from shapewatch.adapters.worked_out import known_at
from shapewatch.adapters.written import collapse, short
from shapewatch.edits import Set
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import is_users_own, span_of

OF_WINDOWS = frozenset({"stride", "padding", "dilation", "kernel_size"})
"""Arguments that are no sizes of the data."""

_OF_WHAT_COMES = frozenset({"in_features", "in_channels", "num_features", "num_channels", "input_size"})
"""Sizes that a layer is made for, and does not give."""

AS_ANOTHER = {
    ("pool", "stride"): "kernel_size",
    ("attention", "kdim"): "embed_dim",
    ("attention", "vdim"): "embed_dim",
}
"""Settings that are as another one is, if nobody says so, by the kind of the layer."""


def own_construction(edit: Set, parts: list[str], facts: Mapping[str, Any], recording: Recording) -> str | None:
    """`parts`: the attribute that holds the layer and, in a row of layers, which one it is; `facts`: what is to be
    said of it; those of the arguments `edited` are changed, and no other. None where the program does not say it so."""
    layer = recording.layer_at[edit.layer]
    span, source = layer.defined, statement(layer.defined)
    if span is None or source is None or not is_users_own(span.file) or repeats(span, layer.type):
        return None
    call = _call_in(source, parts, layer, span)
    given = arguments_of(call, layer) if call is not None else None
    if call is None or given is None:
        return None
    edited = facts.get("edited", (edit.argument,))
    if any(not _is_as_said(node, facts[name]) for name, node in given.items() if name in facts and name not in edited):
        return None
    changes: list[tuple[ast.expr, str]] = []
    added = []
    for name in (*edited, *_left_to_another(layer, given, edited)):
        node = given.get(name)
        if name not in _parameters(layer.type):
            return None
        as_another = AS_ANOTHER.get((layer.kind, name), "")
        if node is None and as_another and collapse(facts[name]) == collapse(facts[as_another]):
            continue
        if node is None:
            added.append(f"{name}={short(facts[name])}")
            continue
        formula = _formula(node, edit, parts, recording, span, source) if name == edit.argument else None
        changes += formula or [(node, short(facts[name]))]
    return call_with(source, call, changes, added)


def _left_to_another(layer: Layer, given: Mapping[str, ast.expr], edited: Sequence[str]) -> list[str]:
    """The settings that would change with one that is edited, as the program does not say them."""
    pairs = ((name, other) for (kind, name), other in AS_ANOTHER.items() if kind == layer.kind and name in layer.facts)
    return [name for name, other in pairs if other in edited and name not in edited and name not in given]


def call_with(source: str, call: ast.Call, changes: list[tuple[ast.expr, str]], added: list[str]) -> str | None:
    """The call alone, with these changes and further arguments."""
    spelled = ast.get_source_segment(source, call)
    if spelled is None:
        return None
    alone = ast.parse(spelled).body[0]
    assert isinstance(alone, ast.Expr)
    assert isinstance(alone.value, ast.Call)
    moved = dict(zip(map(id, ast.walk(call)), ast.walk(alone.value), strict=True))
    line = rewritten(spelled, [(moved[id(node)], new) for node, new in changes])  # type: ignore[misc]
    more = ", " if call.args or call.keywords else ""
    return f"{line[:-1].rstrip().rstrip(',')}{more}{', '.join(added)})" if added else line


def _call_in(source: str, parts: list[str], layer: Layer, span: Span) -> ast.Call | None:
    """Where a statement makes the layer: what it gives to the attribute, or one of a row that it gives to it."""
    name = f"self.{parts[0]}"
    owner = class_around(span.file, span.line)
    inside = ast.walk(owner) if owner is not None else ()
    if sum(isinstance(node, ast.Assign) and is_assigned(node, name) for node in inside) != 1:
        return None
    return made_in(source, parts, layer)


def made_in(source: str | None, parts: list[str], layer: Layer) -> ast.Call | None:
    """The same of any one statement."""
    tree = parsed(source)
    step = tree.body[0] if tree is not None and tree.body else None
    if not isinstance(step, ast.Assign) or not is_assigned(step, f"self.{parts[0]}"):
        return None
    node: ast.expr | None = step.value
    for part in parts[1:]:
        node = _entry(node, part)
    made = node if isinstance(node, ast.Call) and name_called(node) == layer.type else None
    return made if made is not None and hasattr(nn, layer.type) else None


def _entry(row: ast.expr | None, which: str) -> ast.expr | None:
    """One of the layers that a `Sequential` or a `ModuleList` is made of."""
    if not isinstance(row, ast.Call) or not which.isdigit():
        return None
    listed = row.args[0].elts if len(row.args) == 1 and isinstance(row.args[0], ast.List | ast.Tuple) else row.args
    known = name_called(row) in ("Sequential", "ModuleList") and int(which) < len(listed)
    return listed[int(which)] if known and not any(isinstance(each, ast.Starred) for each in listed) else None


@cache
def _parameters(type: str) -> tuple[str, ...]:
    cls: Any = getattr(nn, type)
    recurrent = issubclass(cls, nn.modules.rnn.RNNBase)
    names = list(inspect.signature((nn.modules.rnn.RNNBase if recurrent else cls).__init__).parameters)
    return tuple(names[2 if recurrent else 1 :])


def arguments_said(source: str | None, name: str, layer: Layer) -> dict[str, ast.expr]:
    """What the line that assigns a layer to an attribute gives it, by the names of its parameters."""
    call = made_in(source, [name], layer)
    return (arguments_of(call, layer) if call is not None else None) or {}


def arguments_of(call: ast.Call, layer: Layer) -> dict[str, ast.expr] | None:
    """What a line gives a layer of PyTorch's, by the names of its parameters; None where that is not told."""
    names = _parameters(layer.type)
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    if starred or any(each.arg is None for each in call.keywords) or len(call.args) > len(names):
        return None
    return dict(zip(names, call.args, strict=False)) | {each.arg or "": each.value for each in call.keywords}


def _is_as_said(node: ast.expr, fact: Any) -> bool:
    """Whether an argument may be what a layer has: what is written as a name is not asked."""
    try:
        said = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return True
    return bool(collapse(said) == collapse(fact)) or said is None


def _formula(
    node: ast.expr, edit: Set, parts: Sequence[str], recording: Recording, span: Span, source: str
) -> list[tuple[ast.expr, str]] | None:
    if not isinstance(edit.value, int) or not isinstance(edit.was, int):
        return None
    axes_of = laid_out if edit.argument == "out_features" else laid_together
    together = [size for size in axes_of(edit.layer, edit.value, recording) if size is not None]
    if together and (formula := as_formula(node, edit.was, together, span)):
        return formula
    beside = partial(_said_beside, edit.layer, parts, recording)
    taken = edit.argument in _OF_WHAT_COMES
    new = with_what_lacks(node, source, edit.was, edit.value, span, recording, beside) if taken else None
    if new is None and not isinstance(node, ast.Constant):
        said = beside(edit.value)
        new = said if said != ast.get_source_segment(source, node) else None
    return [(node, new)] if new is not None else None


def _said_beside(path: str, parts: Sequence[str], recording: Recording, size: int) -> str | None:
    """How the function that makes a layer says a size where it makes others; None where it does not, or in several
    ways."""
    line = recording.layer_at[path].defined
    beside = said_beside(line, path.removesuffix(".".join(parts)), recording) if line is not None else ()
    said = {each.text for each in beside if each.is_size and each.layer.facts.get(each.argument) == size}
    return said.pop() if len(said) == 1 else None


@dataclass(frozen=True)
class Saying:
    """What a line says for an argument of another layer, where another line beside it could say the same."""

    layer: Layer
    argument: str
    text: str

    @property
    def is_size(self) -> bool:
        return self.argument not in OF_WINDOWS


def said_beside(line: Span, outer: str, recording: Recording) -> Iterator[Saying]:
    """The expressions that the function around a line gives the other layers of an instance, but for numbers and for
    what has another value on that line. `outer`: the path of the instance, with its dot."""
    inside = [each for function in functions_around(line.file, line.line)[:1] for each in ast.walk(function)]
    for step in (node for node in inside if isinstance(node, ast.Assign) and node.lineno != line.line):
        target = step.targets[0]
        layer = recording.layer_at.get(f"{outer}{target.attr}") if isinstance(target, ast.Attribute) else None
        if layer is None or not isinstance(target, ast.Attribute):
            continue
        source = statement(span_of(line.file, step.lineno))
        call = made_in(source, [target.attr], layer)
        for name, value in ((call is not None and arguments_of(call, layer)) or {}).items():
            if not isinstance(value, ast.Constant | ast.Tuple) and known_at(value, line.file, line.line):
                yield Saying(layer, name, ast.get_source_segment(source or "", value) or ast.unparse(value))
