"""A mask of one part of what was joined, extended for the other parts, in the line before the one that takes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from shapewatch.adapters import Written
from shapewatch.adapters.operand import assigned, operand_text, with_operand
from shapewatch.adapters.statements import atom, parsed, statement
from shapewatch.adapters.written import call_at
from shapewatch.edits import Insert, place_layer
from shapewatch.recording import Call, Recording

_PLAIN = re.compile(r"[\w.]+")


def mask_covering_all(edit: Insert, recording: Recording) -> Written:
    call, arguments = call_at(edit.place, recording), edit.module.arguments
    counts = {name: arguments[name] for name in ("before", "after", "fill")}
    data = {"action": "insert", "layer": place_layer(edit.place), "junction": edit.place, "operand": edit.operand}
    source = statement(call.span) if call is not None else None
    mask = None if call is None else _given(call, edit.operand, source)
    title = f"extend `{mask or 'the mask'}` for all that was joined"
    line = None if mask is None or call is None else _line(call, edit, mask, source, recording)
    return Written(
        title, line or f"# {title}, in: {source}", {**data, "module": {"type": "cover", "arguments": counts}}
    )


def _given(call: Call, operand: int, source: str | None) -> str | None:
    """What the line calls the mask."""
    layer = call.layer.rpartition(".")[2] if call.is_layer else ""
    found = operand_text(source, operand, "" if layer else call.name, layer)
    tree = parsed(source)
    if call.is_layer or tree is None or len(call.operands) > 1:
        return found
    # `mask[:, None, None, :]`, `mask.unsqueeze(1)`, `mask == 0`
    names = {node.id for each in ast.walk(tree) if (node := _what_of(each, call.name)) is not None}
    return names.pop() if len(names) == 1 else None


def _what_of(node: ast.AST, operation: str) -> ast.Name | None:
    """The name of what an operation of one operand is of, where a node is that operation."""
    match node:
        case ast.Subscript(value=ast.Name() as of) if operation == "getitem":
            return of
        case ast.Compare(left=ast.Name() as of) if operation in ("eq", "ne"):
            return of
        case ast.UnaryOp(op=ast.Invert(), operand=ast.Name() as of) if operation in ("invert", "bitwise_not"):
            return of
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as of, attr=called)) if called == operation:
            return of if name not in ("torch", "F", "self") else None
    return None


def _line(call: Call, edit: Insert, mask: str, source: str | None, recording: Recording) -> str | None:
    arguments, joined = edit.module.arguments, call_at(edit.module.arguments["joined"], recording)
    if joined is None:
        return None
    fill, covered = ("zeros", "ones")[arguments["fill"]], arguments["covered"]
    names = [operand_text(statement(joined.span), at, joined.name) for at in range(len(joined.operands))]
    others = [name for at, name in enumerate(names) if at != covered]
    if mask.isidentifier() and all(name is not None and _PLAIN.fullmatch(name) for name in others):
        sizes = "{0}.shape[:2]" if arguments["axis"] == 1 else "{0}.size(1), {0}.size(0)"
        parts = [mask if at == covered else f"{mask}.new_{fill}({sizes.format(name)})" for at, name in enumerate(names)]
        return f"{mask} = torch.cat([{', '.join(parts)}], dim=1)"
    rest = _rest(mask, arguments, joined)
    value = ", value=1" if arguments["fill"] else ""
    padded = f"F.pad({mask}, {rest}{value})"
    if mask.isidentifier():
        return f"{mask} = {padded}"
    layer = call.layer.rpartition(".")[2] if call.is_layer else ""
    return with_operand(source, edit.operand, lambda _: padded, "" if layer else call.name, layer)


def _rest(mask: str, arguments: Mapping[str, int], joined: Call) -> str:
    """How many keys there are before and behind those of the mask; with one other part, whatever that is next time."""
    before, after = arguments["before"], arguments["after"]
    if not (before and after) and len(joined.operands) == 2:
        made = assigned(statement(joined.span))
        other = operand_text(statement(joined.span), 1 - arguments["covered"], joined.name)
        plain = other is not None and _PLAIN.fullmatch(other)
        if not plain and not made:
            return f"({before}, {after})"
        more = f"{other}.size({arguments['axis']})"
        more = more if plain else f"{made}.size({arguments['axis']}) - {atom(mask)}.size(1)"
        return f"({more}, 0)" if before else f"(0, {more})"
    return f"({before}, {after})"
