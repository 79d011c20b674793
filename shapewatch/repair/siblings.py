"""What the other layers of the model say about one of them.

Real networks repeat themselves: `layer2.0.conv1` has siblings `layer3.0.conv1` and `layer4.0.conv1`. Several single
edits often end a shape error; the one that makes a layer like its siblings is the one that was meant.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shapewatch import axes
from shapewatch.edits import Set
from shapewatch.flow.junctions import Junction
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
        "output_shape",
        "num_parameters",
        "groups",
        "shape",
    ]
)
"""Arguments that are widths: the same number again elsewhere in the model speaks for it."""

WIDTHS_OUT = frozenset({"out_channels", "out_features", "embedding_dim", "hidden_size", "output_shape"})

FIRST_OF_ROW = 0.25

FIRST_ALONE = 0.5
"""How much the first of a row counts about the others, where there is but one other."""

SAME_POSITION = 0.6
"""The weight of a group of layers that stand at one place of junctions of the same build: less than that of one part of
two blocks, which the model's author called alike."""

_PASSING = frozenset({"identity", "same", "dropout"})
"""Kinds of calls that do not make a branch another one."""

ALIKE_FROM_THE_FIRST = frozenset({"linear", "einsum", "attention", "embedding", "permute"})
"""Kinds of layers of which the first in a row is like the others: what changes shapes along an image network does not
happen between the blocks of a transformer."""

_ORDER_ONLY = frozenset({"permute", "concat", "flatten"})
"""Kinds of layers whose settings follow from no size of the model: one sibling is enough to tell an odd one."""

_WINDOW = ("kernel_size", "stride", "padding", "dilation")


@dataclass(frozen=True)
class Vote:
    """How much of a group of siblings has the new value, less how much has the present one: from -1 to 1."""

    score: float
    agree: tuple[str, ...] = ()


NO_VOTE = Vote(0.0)


class Siblings:
    """The layers of a model by the pattern of their paths, one number in the path left open; and by where they stand on
    the branches of junctions, the same place of another junction of the same build."""

    def __init__(self, layers: Mapping[str, Layer], junctions: Sequence[Junction] = ()) -> None:
        self._layers = layers
        self._junctions = junctions

    @cached_property
    def _groups(self) -> Mapping[str, Mapping[str, int]]:
        groups: dict[str, dict[str, int]] = defaultdict(dict)
        for path in self._layers:
            for pattern, _, number in self._patterns(path):
                groups[pattern][path] = number
        return groups

    def _patterns(self, path: str) -> list[tuple[str, float, int]]:
        layer = self._layers.get(path)
        counted = layer is not None and layer.auto_named
        placed = self._places.get(path)
        named = patterns(path, counted) if placed is None else patterns(placed)
        return [*named, *uncounted(path, counted), *self._positions.get(path, ())]

    @cached_property
    def _places(self) -> Mapping[str, str]:
        """Of each layer whose name was made up by counting, in a container: the path with its place there for the name.

        `encoder[2].conv2d_4`, the second convolution there, is `encoder[2].conv''`, as in `encoder[0].conv''`.
        """
        places: dict[str, str] = {}
        seen: Counter[tuple[str, str]] = Counter()
        for path, layer in self._layers.items():
            container = path.rpartition(".")[0]
            if layer.auto_named and container:
                seen[container, layer.kind] += 1
                places[path] = f"{container}.{layer.kind}{chr(39) * seen[container, layer.kind]}"
        return places

    @cached_property
    def _positions(self) -> Mapping[str, list[tuple[str, float, int]]]:
        """Of each layer on a branch, its place there as a pattern, and the number of the junction.

        Only a junction with the same kinds of calls on every branch is of the same build: a residual block with a
        projection is not one without.
        """
        places: dict[str, list[tuple[str, float, int]]] = defaultdict(list)
        for number, junction in enumerate(self._junctions):
            roads = [[step for step in branch.path if step.kind not in _PASSING] for branch in junction.branches]
            build = f"{junction.kind} of {' + '.join(' '.join(step.kind for step in road) for road in roads)}"
            for branch, road in enumerate(roads):
                for at, step in enumerate(road):
                    if step.layer is not None and not places[step.layer]:
                        places[step.layer].append((f"{build}: {branch}, {at}", SAME_POSITION, number))
        return places

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
        named = {path}
        for pattern, weight, number in self._patterns(path):
            others = {o: n for o, n in self._groups.get(pattern, {}).items() if o != path}
            if weight == SAME_POSITION:  # those who are siblings by their names have had their say
                others = {o: n for o, n in others.items() if o not in named}
            named |= others.keys()
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
                yield weight * (1.0 if later else FIRST_ALONE), later or list(others)

    def rows_of(self, path: str) -> Iterator[tuple[float, list[str]]]:
        """Groups of siblings of a path (without itself) in which the first of a row counts as every other does."""
        for pattern, weight, _ in self._patterns(path):
            others = [other for other in self._groups.get(pattern, {}) if other != path]
            if others:
                yield weight, others

    def vote(self, edit: Set) -> Vote:
        """What the siblings of a layer say about a change of one of its arguments."""
        layer = self._layers.get(edit.layer)
        if layer is None:
            return NO_VOTE
        total, agreeing = 0.0, Vote(0.0)
        for weight, others in self.groups_of(edit.layer):
            having = [self._layers[o] for o in others if self._alike(layer, self._layers[o], edit.argument)]
            if not having or (edit.argument in WIDTHS_OUT and self._all_differ(layer, others, edit.argument)):
                continue
            if edit.argument in WIDTHS_OUT and len(having) == 1 and weight < SAME_POSITION:
                continue  # of two layers in a row, mostly a hidden one and the last: neither speaks for the other
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

    def _all_differ(self, layer: Layer, others: Sequence[str], argument: str) -> bool:
        """Whether a width is another one in each layer of the row (32, 64, 128), so that none speaks for any other."""
        row = next((row for _, row in self.rows_of(layer.path) if set(others) <= set(row)), others)
        alike = [self._layers[other] for other in row if self._alike(layer, self._layers[other], argument)]
        widths = [str(_loose(each.facts[argument])) for each in (*alike, layer)]
        return len(widths) > 2 and len(set(widths)) == len(widths)

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
        """Changes that make a layer what all its siblings of one group are, where it alone is different.

        The first of a row may agree with the rest, or be none of them.
        """
        layer = self._layers.get(path)
        if layer is None:
            return
        told: set[tuple[str, str]] = set()
        for _, others in (*self.rows_of(path), *self.groups_of(path)):
            same_type = [self._layers[o] for o in others if self._layers[o].type == layer.type]
            if len(same_type) < (1 if layer.kind in _ORDER_ONLY else 2):
                continue
            for argument, value in layer.facts.items():
                values = [other.facts.get(argument) for other in same_type]
                agreed = values[0] is not None and all(_same(v, values[0]) for v in values)
                if agreed and not _same(values[0], value) and (argument, repr(values[0])) not in told:
                    told.add((argument, repr(values[0])))
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


_DIMENSIONS = re.compile(r"(?:conv|pool|pooling|pad|padding|norm|dropout|upsampling)[123]d(?![a-z])|\d+x\d+", re.I)
"""Numbers in names that count nothing: `conv2d`, `branch3x3`."""

_COUNTER = re.compile(r"(\w*?)(\d+)")

_LETTER = re.compile(r"(?<=\d)[a-z](?![a-z0-9])")
"""A letter that counts on from a number: `block1a`, `block1b`."""


def patterns(path: str, auto_named: bool = False) -> Iterator[tuple[str, float, int]]:
    """The path with each of its numbers left open in turn, the weight of such a group, and the number.

    A number in the last word of the path (`conv1`, `conv2`; `1_conv` right behind a block's number) tells parts of one
    block apart, which are alike much less than the same part of two blocks. With `auto_named`, a number at the end of
    the path only says how many such layers were made before, and groups nothing.
    """
    counts_nothing = [span for match in _DIMENSIONS.finditer(path) for span in range(*match.span())]
    numbers = [m for m in _COUNTER.finditer(path) if m.start(2) not in counts_nothing]
    last_name = max(path.rfind("."), path.rfind("[")) + 1
    last_word = max(last_name, path.rfind("_") + 1)
    for match in numbers:
        # `block2.block2-0`: the same word with the same number says one thing twice
        same = [m for m in numbers if m.group(1) and m.group() == match.group()] or [match]
        if match is not same[0] or (auto_named and match.end() == len(path)):
            continue
        start = match.start(2)
        alone = path[start - 1 : start] in ("", ".", "[", "_")
        part = start > last_word or (alone and re.search(r"\d[a-z]?_$", path[last_name:start]) is not None)
        weight = 0.2 if part else 0.4 if start == last_word else 1.0
        pattern, end = "", 0
        for one in same:
            pattern += path[end : one.start(2)] + "*"
            end = one.end(2)
        yield pattern + path[end:], weight, int(match.group(2))
    for letter in _LETTER.finditer(path):
        if letter.start() not in counts_nothing:
            weight = 0.2 if letter.start() > last_word else 1.0
            yield path[: letter.start()] + "*" + path[letter.end() :], weight, ord(letter.group()) - ord("a")


def uncounted(path: str, auto_named: bool = False) -> Iterator[tuple[str, float, int]]:
    """The path with each name that has no number as the first of those that have: `block` goes before `block_1`."""
    names = path.split(".")
    for at, name in enumerate(names[: len(names) - auto_named]):
        if re.search(r"[a-z]$", name, re.I):
            weight = 1.0 if at < len(names) - 1 else 0.4
            yield ".".join([*names[:at], f"{name}_*", *names[at + 1 :]]), weight, 0


def numbered(path: str) -> str:
    """A path without its numbers: `layers.3.net` and `layers.4.net` are of blocks of one kind."""
    return re.sub(r"\d+", "#", path)


def keeps_pace(layer: Layer, edits: Mapping[str, Any]) -> bool | None:
    """Whether a convolution or pooling with these settings divides every size by its stride; None for other layers, and
    where a setting is not known."""
    facts = {"dilation": 1, **layer.facts, **edits}
    if layer.kind == "conv_transpose":
        return _multiplies(facts)
    if layer.kind not in ("conv", "pool") or not all(name in facts for name in _WINDOW):
        return None
    settings = [facts[name] for name in _WINDOW]
    if not all(isinstance(setting, int | tuple | str) for setting in settings):
        return None
    rank = facts.get("rank", 2)
    return all(axes.keeps_pace(*(_at(setting, index) for setting in settings)) for index in range(rank))


def _multiplies(facts: Mapping[str, Any]) -> bool | None:
    """Whether a transposed convolution makes every size its stride's multiple; None where a setting is no number."""
    settings = [facts.get(name) for name in (*_WINDOW, "output_padding")]
    if any(not isinstance(number, int) for setting in settings for number in _loose_all(setting)):
        return None
    rank = facts.get("rank", 2)
    each = ([_at(setting, index) for setting in settings] for index in range(rank))
    return all(
        dilation * (kernel - 1) + 1 - 2 * padding + more == stride for kernel, stride, padding, dilation, more in each
    )


def _loose_all(setting: Any) -> tuple[Any, ...]:
    return tuple(setting) if isinstance(setting, tuple | list) else (setting,)


def _at(setting: Any, index: int) -> Any:
    return setting[min(index, len(setting) - 1)] if isinstance(setting, tuple) else setting


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
