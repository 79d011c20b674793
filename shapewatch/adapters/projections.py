"""A projection in the words of what builds a block: a class, or a function, that is told the sizes.

A projection in numbers is right in the one block that it was found for, and wrong in each other one of its build. What
the program says to its other layers of these sizes is right in all of them. A word is taken only if it comes to what is
needed in every block that is known.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters.written import collapse
from shapewatch.edits import Insert, Module
from shapewatch.recording import Call, Recording

GIVEN = ("in_channels", "num_features", "num_channels")
MADE = ("out_channels", "num_features", "num_channels")
STRIDE = ("stride",)


class Said(str):
    """A size as the program says it, which stands in code as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Needed:
    """What the projection of one block is to be; a stride of 1 and as many channels as before: none."""

    block: object
    channels: Any
    filters: Any
    stride: Any

    @property
    def nothing(self) -> bool:
        return bool(self.channels == self.filters and self.stride == 1)


@dataclass(frozen=True)
class Saying:
    """What the program says for an argument of a layer, and what that is in each block."""

    argument: str
    text: str
    values: Mapping[object, Any]

    @property
    def is_number(self) -> bool:
        return self.text.isdigit()


@dataclass(frozen=True)
class Words:
    """What the program says for the sizes of a projection. Where it is told nothing of the channels that come in, only
    its stride tells whether a block needs one."""

    channels: Saying | None
    filters: Saying
    stride: Saying

    def needed(self, block: object) -> Needed:
        words = (self.channels or self.filters, self.filters, self.stride)
        return Needed(block, *(word.values.get(block) for word in words))

    def in_words(self, module: Module) -> Module:
        """The module with these sizes."""
        if module.parts:
            return replace(module, parts=tuple(map(self.in_words, module.parts)))
        arguments = dict(module.arguments)
        if module.kind == "conv":
            stride = 1 if self.stride.text == "1" else Said(self.stride.text)
            given = {"in_channels": Said(self.channels.text)} if self.channels else {}
            arguments |= {**given, "out_channels": Said(self.filters.text), "stride": stride}
        elif "num_features" in arguments:
            arguments["num_features"] = Said(self.filters.text)
        return replace(module, arguments=arguments)

    @property
    def always(self) -> bool:
        """Whether each block needs a projection, whatever it is told."""
        return self.stride.is_number and self.stride.text != "1"

    @property
    def condition(self) -> str:
        """Which blocks need a projection, where not each does."""
        parts = [] if self.stride.is_number else [f"{_compared(self.stride.text)} != 1"]
        if self.channels is not None and self.channels.text != self.filters.text:
            parts.append(f"{_compared(self.channels.text)} != {_compared(self.filters.text)}")
        return " or ".join(parts)


def _compared(text: str) -> str:
    node = ast.parse(text, mode="eval").body
    return f"({text})" if isinstance(node, ast.IfExp | ast.BoolOp | ast.Compare | ast.Lambda | ast.NamedExpr) else text


def words_for(
    met: Sequence[Needed], said: Sequence[Saying], blocks: Sequence[object], knows_channels: bool = True
) -> Words | None:
    """Words for what the blocks that were met need. A number, where there is none: for what all blocks are known to
    have alike, and for a stride that the program tells no block."""
    whole = len(met) == len(blocks)
    tells_strides = any(each.argument in STRIDE and not each.is_number for each in said)
    wanted = {each.block: each.channels for each in met}
    channels = _word(GIVEN, wanted, said, blocks if whole else ()) if knows_channels else None
    # the last layer that is told a width gives the branch its own; those before it may have as much by chance
    filters = _word(MADE, {each.block: each.filters for each in met}, said[::-1], blocks if whole else ())
    alike = () if tells_strides and not whole else blocks
    stride = _word(STRIDE, {each.block: each.stride for each in met}, said, alike)
    if filters is None or stride is None or (knows_channels and channels is None):
        return None
    return Words(channels, filters, stride)


def _word(
    arguments: Sequence[str], needed: Mapping[object, Any], said: Sequence[Saying], alike: Sequence[object]
) -> Saying | None:
    for each in said:
        names_it = each.argument in arguments and not each.is_number
        if names_it and all(each.values.get(block) == size for block, size in needed.items()):
            return each
    sizes = set(needed.values())
    return Saying("", str(*sizes), dict.fromkeys(alike, *sizes)) if alike and len(sizes) == 1 else None


# What is needed


def parts_of(module: Module) -> Sequence[Module]:
    return module.parts or (module,)


def is_pointwise(module: Module) -> bool:
    convs = [part for part in parts_of(module) if part.kind == "conv"]
    return len(convs) == 1 and bool(collapse(convs[0].arguments["kernel_size"]) == 1)


def is_channels_last(module: Module) -> bool:
    return any(part.arguments.get("channels_last") for part in parts_of(module))


def needed_by(edit: Insert, block: object) -> Needed:
    """By a block that was tried with a projection."""
    (conv,) = (part for part in parts_of(edit.module) if part.kind == "conv")
    sizes = (collapse(conv.arguments.get(name, 1)) for name in ("in_channels", "out_channels", "stride"))
    return Needed(block, *sizes)


def needed_at(call: Call | None, edit: Insert, block: object, recording: Recording) -> Needed | None:
    """By a block in which such branches met, from their shapes; None where the pass did not come so far."""
    if call is None or len(call.operands) != 2:
        return None
    skip, main = (recording.shape(call.operands[at]) for at in (edit.operand, 1 - edit.operand))
    axis = len(skip) - 1 if is_channels_last(edit.module) else 1
    if len(skip) != len(main) or len(skip) < 3:
        return None
    sizes = [pair for at, pair in enumerate(zip(skip, main, strict=True)) if at not in (0, axis)]
    strides = {-(-one // other) if one and other else None for one, other in sizes if (one, other) != (None, None)}
    if None in (skip[axis], main[axis], *strides) or len(strides) > 1:
        return None
    return Needed(block, skip[axis], main[axis], strides.pop() if strides else 1)
