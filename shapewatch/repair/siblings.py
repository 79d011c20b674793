"""What the other layers of the model say about one of them.

Real networks repeat themselves: `layer2.0.conv1` has siblings `layer3.0.conv1` and `layer4.0.conv1`. Several single
edits often end a shape error; the one that makes a layer like its siblings is the one that was meant.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shapewatch import axes
from shapewatch.edits import Set
from shapewatch.recording import Layer

SIZES = frozenset(
    [
        "in_channels",
        "out_channels",
        "in_features",
        "out_features",
        "num_features",
        "num_channels",
        "normalized_shape",
        "embedding_dim",
        "embed_dim",
        "input_size",
        "hidden_size",
        "num_parameters",
        "groups",
    ]
)
"""Arguments that are widths: the same number again elsewhere in the model speaks for it."""

WIDTHS_OUT = frozenset({"out_channels", "out_features", "embedding_dim", "hidden_size"})

FIRST_OF_ROW = 0.25

ALIKE_FROM_THE_FIRST = frozenset({"linear", "attention", "embedding"})
"""Kinds of layers of which the first in a row is like the others: what changes shapes along an image network does not
happen between the blocks of a transformer."""

_WINDOW = ("kernel_size", "stride", "padding", "dilation")


@dataclass(frozen=True)
class Vote:
    """How much of a group of siblings has the new value, less how much has the present one: from -1 to 1."""

    score: float
    agree: tuple[str, ...] = ()


NO_VOTE = Vote(0.0)


class Siblings:
    """The layers of a model by the pattern of their paths, one number in the path left open."""

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        self._layers = layers

    @cached_property
    def _groups(self) -> Mapping[str, Mapping[str, int]]:
        groups: dict[str, dict[str, int]] = defaultdict(dict)
        for path in self._layers:
            for pattern, _, number in patterns(path):
                groups[pattern][path] = number
        return groups

    @cached_property
    def _widths(self) -> Counter[int]:
        counted: Counter[int] = Counter()
        for layer in self._layers.values():
            for name, value in layer.facts.items():
                if name in SIZES and name != "groups":
                    counted.update(_numbers(value))
        return counted

    def groups_of(self, path: str) -> Iterator[tuple[float, list[str]]]:
        """Groups of siblings of a path (without itself), each with the weight of what it says.

        The first of a row is where shapes change (the stride of `layer2.0`, the stem of `features`), so it is judged
        little by the others of its row, and has no say about them as long as there are others.
        """
        for pattern, weight, number in patterns(path):
            others = {o: n for o, n in self._groups.get(pattern, {}).items() if o != path}
            if not others:
                continue
            first = min(others.values())
            layer = self._layers.get(path)
            if layer is not None and layer.kind in ALIKE_FROM_THE_FIRST:
                yield weight, list(others)
            elif number < first:
                yield weight * FIRST_OF_ROW, list(others)
            else:
                later = [other for other, at in others.items() if at != first]
                yield weight, later or list(others)

    def vote(self, edit: Set) -> Vote:
        """What the siblings of a layer say about a change of one of its arguments."""
        layer = self._layers.get(edit.layer)
        if layer is None:
            return NO_VOTE
        total, agreeing = 0.0, Vote(0.0)
        for weight, others in self.groups_of(edit.layer):
            having = [self._layers[o] for o in others if self._alike(layer, self._layers[o], edit.argument)]
            if not having:
                continue
            agree = [other.path for other in having if _same(other.facts[edit.argument], edit.value)]
            like_now = sum(_same(other.facts[edit.argument], layer.facts.get(edit.argument)) for other in having)
            certainty = min(1.0, 0.4 + 0.2 * len(having))
            if edit.argument in WIDTHS_OUT and weight <= FIRST_OF_ROW:
                weight = min(1.0, 2.5 * weight)  # the first of a row gets another width in, but rarely gives another
            score = weight * certainty * (len(agree) - like_now) / len(having)
            total += score
            if score > agreeing.score:
                agreeing = Vote(score, tuple(agree))
        return Vote(max(-1.0, min(1.0, total)), agreeing.agree if total > 0 else ())

    def _alike(self, layer: Layer, other: Layer, argument: str) -> bool:
        return other.kind == layer.kind and other.type == layer.type and argument in other.facts

    def width_score(self, edit: Set) -> float:
        """Whether the new width occurs elsewhere in the model, and the present one does not: from -1 to 1."""
        if edit.argument not in SIZES:
            return 0.0
        counts = Counter(self._widths)
        layer = self._layers.get(edit.layer)
        for name, value in (layer.facts if layer else {}).items():
            if name in SIZES and name != "groups":
                counts.subtract(_numbers(value))
        new = sum(max(0, counts[n]) for n in _numbers(edit.value))
        now = sum(max(0, counts[n]) for n in _numbers(edit.was))
        return max(-1.0, min(1.0, (math.log1p(new) - math.log1p(now)) / 2))

    def odd_settings(self, path: str) -> Iterator[tuple[Set, tuple[str, ...]]]:
        """Changes that make a layer what all its siblings of one group are, where it alone is different."""
        layer = self._layers.get(path)
        if layer is None:
            return
        for _, others in self.groups_of(path):
            same_type = [self._layers[o] for o in others if self._layers[o].type == layer.type]
            if len(same_type) < 2:
                continue
            for argument, value in layer.facts.items():
                values = [other.facts.get(argument) for other in same_type]
                if values[0] is not None and all(_same(v, values[0]) for v in values) and not _same(values[0], value):
                    yield Set(path, argument, values[0], value), tuple(other.path for other in same_type)

    def substitutes(self, path: str) -> Iterator[tuple[Layer, float]]:
        """What stands at the place of a layer in sibling blocks, where it is of another type, and how many of a group
        of siblings (from -1 to 1) have something else there."""
        layer = self._layers.get(path)
        for weight, others in self.groups_of(path):
            different = [o for o in others if layer is None or self._layers[o].type != layer.type]
            support = weight * (2 * len(different) / len(others) - 1)
            seen: set[tuple[str, str]] = set()
            for other in different:
                known = self._layers[other]
                if (known.type, repr(known.facts)) not in seen:
                    seen.add((known.type, repr(known.facts)))
                    yield known, support


def patterns(path: str) -> Iterator[tuple[str, float, int]]:
    """The path with each of its numbers left open in turn, the weight of such a group, and the number.

    A number at the end of the last name (`conv1`, `conv2`) tells parts of one block apart, which are alike much less
    than the same part of two blocks.
    """
    numbers = list(re.finditer(r"(\w*?)(\d+)", path))
    last_name = path.rfind(".") + 1
    for match in numbers:
        # `block2.block2-0`: the same word with the same number says one thing twice
        same = [m for m in numbers if m.group(1) and m.group() == match.group()] or [match]
        if match is not same[0]:
            continue
        within_name = match.start(2) > last_name
        weight = 0.2 if within_name else 0.4 if match.start(2) == last_name else 1.0
        pattern, end = "", 0
        for one in same:
            pattern += path[end : one.start(2)] + "*"
            end = one.end(2)
        yield pattern + path[end:], weight, int(match.group(2))


def keeps_pace(layer: Layer, edits: Mapping[str, Any]) -> bool | None:
    """Whether a convolution or pooling with these settings divides every size by its stride; None for other layers."""
    facts = {"dilation": 1, **layer.facts, **edits}
    if layer.kind not in ("conv", "pool") or not all(name in facts for name in _WINDOW):
        return None
    settings = [facts[name] for name in _WINDOW]
    if not all(isinstance(setting, int | tuple) for setting in settings):
        return None
    rank = facts.get("rank", 2)
    return all(axes.keeps_pace(*(_at(setting, index) for setting in settings)) for index in range(rank))


def _at(setting: int | tuple[int, ...], index: int) -> int:
    return setting if isinstance(setting, int) else setting[min(index, len(setting) - 1)]


def _same(one: Any, other: Any) -> bool:
    return _loose(one) == _loose(other)


def _loose(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return value[0] if len(value) and all(item == value[0] for item in value) else tuple(value)
    return value


def _numbers(value: Any) -> list[int]:
    if isinstance(value, tuple | list):
        return [item for item in value if isinstance(item, int)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []
