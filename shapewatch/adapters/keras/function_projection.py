"""A projection in a function of the program that builds blocks, `def block(x, filters, strides=1)`, for each block that
it builds."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from shapewatch.adapters.around import Function, functions_around
from shapewatch.adapters.keras.arguments import described
from shapewatch.adapters.keras.constructing import sizes_said, source_of
from shapewatch.adapters.keras.inserted import called_as_skip, lines_of_layers
from shapewatch.adapters.operand import operand_text, which_of_line, with_operand
from shapewatch.adapters.projections import (
    Needed,
    Saying,
    Words,
    is_channels_last,
    is_pointwise,
    needed_at,
    needed_by,
    words_for,
)
from shapewatch.adapters.statements import statement
from shapewatch.adapters.worked_out import bound, calls_of, defaults_of, known_at
from shapewatch.adapters.written import call_at, collapse
from shapewatch.edits import Edit, Insert
from shapewatch.recording import Call, Layer, Recording, Span
from shapewatch.source import is_users_own

_OF_A_CLASS = frozenset({"call", "__call__", "__init__", "build", "forward"})
"""Functions in which a layer is not made and called in one line."""

Blocks = Mapping[int, Sequence[Layer]]
"""The convolutions that were made before each time that the branches of a function met, by the number of that call."""


def line_of_function(edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:
    """The junction's line, with the projection before it; None where no function around it is told what the blocks need
    that were built so far."""
    edit = edits[0]
    call = call_at(edit.place, recording) if isinstance(edit, Insert) and len(edits) == 1 else None
    function = _function_around(call.span) if call is not None and call.span is not None else None
    if not isinstance(edit, Insert) or call is None or call.span is None or function is None:
        return None
    named = (call.name, call.layer.rpartition(".")[2]) if call.is_layer else (call.name, "")
    which = None if call.is_layer else which_of_line(call, recording)
    source = statement(call.span)
    skip = operand_text(source, edit.operand, *named, which)
    if skip is None or not skip.isidentifier() or not is_pointwise(edit.module):
        return None
    words = _words(skip, function, call, edit, recording)
    name = called_as_skip(skip)
    used = with_operand(source, edit.operand, lambda _: name, *named, which)
    if words is None or used is None:
        return None
    lines = lines_of_layers(described(words.in_words(edit.module)), skip, name)
    if not words.always:
        kept = [f"{name} = {skip}"] if name != skip else []
        lines = [*kept, f"if {words.condition}:", *(f"    {line}" for line in lines)]
    return call.span, "\n".join([*lines, used])


def _function_around(span: Span) -> Function | None:
    around = functions_around(span.file, span.line) if is_users_own(span.file) else []
    return around[0] if around and around[0].name not in _OF_A_CLASS else None


def _words(skip: str, function: Function, call: Call, edit: Insert, recording: Recording) -> Words | None:
    """What the function says for the sizes, if by these words the block that failed needs a projection, and none of
    those does in which the branches met as they are."""
    blocks = _blocks(call, recording)
    needed = {number: _needed(number, call, edit, recording) for number in blocks}
    met = [each for each in needed.values() if each is not None]
    axis = -1 if is_channels_last(edit.module) else 1
    channels = Saying("in_channels", f"{skip}.shape[{axis}]", {each.block: each.channels for each in met})
    assert call.span is not None
    words = words_for(met, [channels, *_sayings(blocks, function, call.span)], list(blocks))
    if words is None or words.filters.is_number or len(met) < len(blocks):
        return None
    return words if [each for each in blocks if not words.needed(each).nothing] == [call.number] else None


def _needed(number: int, call: Call, edit: Insert, recording: Recording) -> Needed | None:
    if number == call.number:
        return needed_by(edit, number)
    return needed_at(recording.calls[number], edit, number, recording)


def _blocks(call: Call, recording: Recording) -> dict[int, list[Layer]]:
    same = [
        each.number
        for each in recording.calls
        if (each.span, each.kind, each.is_layer) == (call.span, call.kind, call.is_layer)
    ]
    return {last: _convolutions(first, last, recording) for first, last in pairwise([-1, *same])}


def _convolutions(first: int, last: int, recording: Recording) -> list[Layer]:
    """Those called between two calls."""
    between = [each.layer for each in recording.calls[first + 1 : last] if each.is_layer]
    layers = (recording.layer_at.get(path) for path in between)
    return [layer for layer in layers if layer is not None and layer.kind == "conv" and layer.defined is not None]


# What the function says


def _sayings(blocks: Blocks, function: Function, met: Span) -> Iterator[Saying]:
    """What it says for each convolution that every block has, and has as often."""
    for made in dict.fromkeys(layer.defined for block in blocks.values() for layer in block):
        rows = {number: [layer for layer in block if layer.defined == made] for number, block in blocks.items()}
        of_line = next(row[0] for row in rows.values() if row)
        told = _told(of_line, function, met.line)
        for at in range(-len(told), 0):
            for argument, node in told[at].items():
                if not known_at(node, met.file, met.line) or any(len(row) < len(told) for row in rows.values()):
                    continue
                values: dict[object, Any] = {n: collapse(row[at].facts.get(argument)) for n, row in rows.items()}
                yield Saying(argument, ast.unparse(node), values)


def _told(layer: Layer, function: Function, before: int) -> list[dict[str, ast.expr]]:
    """What the function says for the sizes of the layer that a line makes; of a line in another function, what that one
    is given each time that this one calls it before a line."""
    source, made = source_of(layer), layer.defined
    around = functions_around(made.file, made.line)[:1] if made is not None else []
    sizes = sizes_said(source, layer)
    if made is None or not around:
        return []
    if around[0] is function:
        return [sizes]
    calls = [each for each in calls_of(around[0].name, made.file) if function.lineno < each.lineno < before]
    calls.sort(key=lambda each: (each.end_lineno or 0, each.end_col_offset or 0))  # as they run, the inner one first
    defaults, told = defaults_of(around[0]), []
    for given in (bound(each, around[0]) for each in calls):
        if given is None:
            return []
        names = {size: node.id for size, node in sizes.items() if isinstance(node, ast.Name) and _is_given(node, made)}
        told.append({size: node for size, name in names.items() if (node := given.get(name, defaults.get(name)))})
    return told


def _is_given(node: ast.Name, made: Span) -> bool:
    """Whether a name has on a line what the function around was given for it."""
    return known_at(node, made.file, made.line)
