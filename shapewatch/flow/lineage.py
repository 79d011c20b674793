"""Which axis of a value comes from which axis of an input: where the batch went, and where time, height and width did.

Every axis of every value is a tuple of atoms, each a label and a size. The label is an axis of an input, or the width
that a layer gave; None where the origin is not known. Flattening joins atoms, a reshape deals them out again, a
permutation carries them along; so a batch that was folded into the time axis for one layer is found again behind it.
What is not understood has no label: rules that ask here abstain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapewatch import axes
from shapewatch.flow.layout import layout_of
from shapewatch.recording import Call, Shape, Size

if TYPE_CHECKING:
    from shapewatch.flow.junctions import Graph


@dataclass(frozen=True, slots=True)
class Source:
    """An axis of an input, or the width that a layer gave a value. Inputs of one length share their first axis, the
    batch, under the first one's number."""

    value: int
    axis: int


@dataclass(frozen=True, slots=True)
class Atom:
    """A factor of an axis: where it comes from, and its size."""

    source: Source | None
    size: Size


Axis = tuple[Atom, ...]

_LIKE_OPERAND = frozenset(
    {"norm", "activation", "squash", "dropout", "same", "identity", "prelu", "setitem", "recurrent", "attention"}
)
_ELEMENTWISE = frozenset(
    "add sub mul div maximum minimum where lerp average compare power expand".split()
)  # an expansion too carries its operand's axes, aligned from the right
_WINDOWS = frozenset({"conv", "conv_transpose", "pool", "resize", "pad", "pixel_shuffle", "pixel_unshuffle"})
_COUNTING = frozenset("arange linspace logspace range eye tril_indices triu_indices full empty".split())
"""What gives tensors that no batch is in, outside every layer."""


class Lineage:
    """The axes of every value of a recording."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        recording = graph.recording
        self._axes: list[tuple[Axis, ...]] = [_new(value.shape) for value in recording.values]
        self.batch = self._begin()
        for unit in graph.units:
            if unit.finished:
                self._follow(unit)

    def _begin(self) -> Source | None:
        recording = self._graph.recording
        inputs = list(dict.fromkeys(number for number in recording.inputs if recording.shape(number)))
        made = [unit for unit in self._graph.units if unit.parent is None and not unit.operands]
        data = [value.number for value in recording.values if value.origin == "input"]
        data += [number for unit in made if unit.name not in _COUNTING for number in unit.results]
        data = [number for number in data if recording.values[number].origin in ("input", "call")]
        outside = [number for number in dict.fromkeys(data) if recording.shape(number) and number not in inputs]
        begun = inputs + outside
        if not begun:
            return None
        batch = Source(begun[0], 0)
        for number in begun:
            shape = recording.shape(number)
            first = batch if shape[0] == recording.shape(begun[0])[0] else Source(number, 0)
            sources = [first, *(Source(number, axis) for axis in range(1, len(shape)))]
            self._axes[number] = tuple((Atom(*pair),) for pair in zip(sources, shape, strict=True))
        return batch

    def axes(self, value: int) -> tuple[Axis, ...]:
        return self._axes[value]

    def sources(self, value: int) -> tuple[Source | None, ...]:
        """Of each axis the input's axis that it is, whole; None for one that is new, joined or unknown."""
        return tuple(axis[0].source if len(axis) == 1 else None for axis in self._axes[value])

    def batch_axes(self, value: int) -> tuple[int, ...]:
        """Where the whole batch lies in a value, alone on its axis."""
        if self.batch is None:
            return ()
        return tuple(axis for axis, source in enumerate(self.sources(value)) if source == self.batch)

    def holds_batch(self, value: int) -> bool:
        """Whether the batch is somewhere in a value, be it joined with another axis."""
        return any(atom.source == self.batch for axis in self._axes[value] for atom in axis)

    def _follow(self, unit: Call) -> None:
        recording, facts = self._graph.recording, self._graph.facts(unit)
        if not unit.operands:
            return
        shapes = [recording.shape(operand) for operand in unit.operands]
        given = [self._axes[operand] for operand in unit.operands]
        for number, result in enumerate(unit.results):
            if result in unit.operands:
                continue
            shape = recording.shape(result)
            found = _result(unit, facts, shapes, given, shape, number)
            if found is None or len(found) != len(shape):
                continue
            width = _width_axis(unit, facts, shape)
            self._axes[result] = tuple(
                (Atom(Source(result, axis), shape[axis]),) if axis == width else known
                for axis, known in enumerate(found)
            )


def _new(shape: Sequence[Size]) -> tuple[Axis, ...]:
    return tuple((Atom(None, size),) for size in shape)


def _width_axis(unit: Call, facts: Mapping[str, Any], shape: Shape) -> int | None:
    """The axis whose size is a layer's own doing."""
    if unit.kind in ("linear", "embedding", "recurrent"):
        return len(shape) - 1
    layout = layout_of(facts, unit.name) if unit.kind in ("conv", "conv_transpose") else None
    return layout.channels(shape) if layout is not None and len(shape) == layout.rank + 2 else None


def _kept(axis: Axis, before: Size, after: Size) -> Axis:
    """An axis whose size may be another now: a whole one stays what it is, a joined one is lost."""
    if before == after:
        return axis
    return (Atom(axis[0].source if len(axis) == 1 else None, after),)


def _result(
    unit: Call, facts: Mapping[str, Any], shapes: list[Shape], given: list[tuple[Axis, ...]], shape: Shape, number: int
) -> Sequence[Axis] | None:
    kind, first = unit.kind, shapes[0]
    if kind in _ELEMENTWISE:
        return _aligned(shapes, given, shape, unit.is_layer)
    if kind == "loss":  # of one number an item, or of one an element; what else comes out is not the output's axes
        return given[0] if first == shape else given[0][:1] if len(shape) == 1 and shape == first[:1] else None
    if (kind in ("linear", "einsum") and unit.is_layer) or kind == "linear":
        return [*given[0][: len(shape) - 1], *_new(shape[-1:])] if len(first) == len(shape) else None
    if kind == "attention" and len(given) > 1 and len(shapes[1]) == len(first):  # the batch may be the keys' alone
        where = 0 if facts.get("batch_first", True) else 1
        if len(first) == 3 and shapes[1][where] == first[where] and not any(atom.source for atom in given[0][where]):
            given = [tuple(given[1][where] if axis == where else known for axis, known in enumerate(given[0]))]
    if kind in _LIKE_OPERAND:
        return _like(kind, facts, given[0], first, shape, number)
    if kind in _WINDOWS or kind == "adaptive_pool":
        return _windowed(unit, facts, given[0], first, shape)
    if kind == "embedding":
        return [*given[0], *_new(shape[-1:])] if len(shape) == len(first) + 1 else None
    if kind == "permute":
        order = order_of(facts, len(first))
        return None if order is None else [given[0][axis] for axis in order]
    if kind in ("reshape", "flatten", "unflatten", "squeeze", "unsqueeze"):
        return dealt(given[0], shape)
    if kind == "reduce":
        return _reduced(facts, given[0], first, shape)
    if kind in ("split", "index"):
        return _part(unit, facts, given[0], first, shape)
    if kind == "concat" and all(len(other) == len(shape) for other in shapes):
        along = _axis(facts.get("dim"), len(shape))
        merged = _aligned(shapes, given, shape, False)
        return None if along is None else [*merged[:along], *_new(shape[along : along + 1]), *merged[along + 1 :]]
    if kind == "stack":
        at = _axis(facts.get("dim"), len(shape))
        return None if at is None else [*given[0][:at], *_new(shape[at : at + 1]), *given[0][at:]]
    if kind == "matmul" and len(shapes) == 2:
        return _product(shapes, given, shape)
    if kind == "einsum":
        return _einsum(facts.get("equation"), given)
    if len(shapes) == 1 and len(first) == len(shape):  # not understood: an axis of the same size is taken for the same
        return _of_same_size(given[0], first, shape)
    return None


def _of_same_size(labels: tuple[Axis, ...], first: Shape, shape: Shape) -> list[Axis]:
    return [axis if a == b else (Atom(None, b),) for axis, a, b in zip(labels, first, shape, strict=True)]


def _aligned(shapes: list[Shape], given: list[tuple[Axis, ...]], shape: Shape, batched: bool) -> list[Axis]:
    """Of several operands, the axes of the first that has the size of the result there and knows where it is from."""
    rank = len(shape)
    found: list[Axis] = []
    for axis, size in enumerate(shape):
        chosen: Axis = (Atom(None, size),)
        for own, labels in zip(shapes, given, strict=True):
            at = axes.own_axis(own, rank, axis, batched)
            if at is None or at >= len(own) or own[at] != size:
                continue
            if any(atom.source for atom in labels[at]):
                chosen = labels[at]
                break
        found.append(chosen)
    return found


def _like(
    kind: str, facts: Mapping[str, Any], axes_: tuple[Axis, ...], first: Shape, shape: Shape, number: int
) -> Sequence[Axis] | None:
    if first == shape and kind not in ("recurrent", "attention"):
        return axes_
    if number and kind == "recurrent" and len(first) == len(shape) == 3:
        batch = 0 if facts.get("batch_first") else 1
        return [*_new(shape[:1]), axes_[batch], *_new(shape[2:])] if first[batch] == shape[1] else None  # its states
    if number or kind not in ("recurrent", "attention"):
        return None
    if len(first) == len(shape):
        return [*axes_[:-1], *_new(shape[-1:])] if first[:-1] == shape[:-1] else None
    if kind == "recurrent" and len(first) == len(shape) + 1 and first[0] == shape[0]:
        return [axes_[0], *_new(shape[1:])]  # the last step alone
    return None


def _windowed(
    unit: Call, facts: Mapping[str, Any], labels: tuple[Axis, ...], first: Shape, shape: Shape
) -> Sequence[Axis] | None:
    layout = layout_of(facts, unit.name)
    if len(first) != len(shape):
        return None
    if layout is None or len(shape) != layout.rank + 2:
        return _of_same_size(labels, first, shape)
    fixed = unit.kind == "adaptive_pool"
    found: list[Axis] = [labels[0]]
    for axis in range(1, len(shape)):
        new = fixed or (axis == layout.channels(shape) and unit.kind != "pool")
        found.append((Atom(None, shape[axis]),) if new else _kept(labels[axis], first[axis], shape[axis]))
    return found


def order_of(facts: Mapping[str, Any], rank: int) -> list[int] | None:
    """For each axis that a permutation gives, the axis that it is of its operand; None where that is not known."""
    dims, swap = facts.get("dims"), facts.get("swap")
    if isinstance(dims, tuple | list) and len(dims) == rank and all(isinstance(dim, int) for dim in dims):
        return [dim % rank for dim in dims]
    if isinstance(swap, tuple | list) and len(swap) == 2 and rank > 1:
        one, other = (axis % rank for axis in swap)
        order = list(range(rank))
        order[one], order[other] = order[other], order[one]
        return order
    return None


def dealt(before: Sequence[Axis], shape: Shape) -> list[Axis] | None:
    """The atoms of some axes, dealt out to a shape in their order. One that has to be cut is known no more."""
    stands = 1_000_003  # for the one size that is not known, a batch: no product of sizes has it as a factor
    atoms = [Atom(atom.source, stands if atom.size is None else atom.size) for axis in before for atom in axis]
    sizes = [stands if size is None else size for size in shape]
    if sum(atom.size == stands for atom in atoms) > 1 or sizes.count(stands) > 1 or not all(sizes):
        return None
    waiting = atoms[::-1]
    found: list[Axis] = []
    for place, size in enumerate(sizes):
        axis: list[Atom] = []
        left = size
        if size == 1 and waiting and waiting[-1].size == 1:
            axis.append(waiting.pop())
        while left > 1:
            while waiting and waiting[-1].size == 1:
                waiting.pop()
            if not waiting:
                return None
            atom = waiting.pop()
            held = atom.size or 1
            if left % held == 0:
                axis.append(atom)
                left //= held
            elif held % left == 0:
                axis.append(Atom(None, left))
                waiting.append(Atom(None, held // left))
                left = 1
            else:
                return [*found, *_new(shape[place:])]
        found.append(tuple(axis) or (Atom(None, 1),))
    return [tuple(Atom(atom.source, None if atom.size == stands else atom.size) for atom in axis) for axis in found]


def _reduced(facts: Mapping[str, Any], labels: tuple[Axis, ...], first: Shape, shape: Shape) -> Sequence[Axis] | None:
    dims = facts.get("dim", facts.get("axis"))
    over = dims if isinstance(dims, tuple | list) else (dims,)
    if not over or not all(isinstance(dim, int) and not isinstance(dim, bool) for dim in over):
        return _new(shape)
    gone = {dim % len(first) for dim in over} if first else set()
    if len(shape) == len(first):
        return [(Atom(None, 1),) if axis in gone else labels[axis] for axis in range(len(first))]
    return [labels[axis] for axis in range(len(first)) if axis not in gone]


def _part(
    unit: Call, facts: Mapping[str, Any], labels: tuple[Axis, ...], first: Shape, shape: Shape
) -> Sequence[Axis] | None:
    if len(first) == len(shape) and unit.kind == "split":
        return _of_same_size(labels, first, shape)
    if facts.get("dropped") and len(first) == len(shape) + 1:
        gone = _axis(facts.get("dim"), len(first))
        return None if gone is None else [*labels[:gone], *labels[gone + 1 :]]
    items = facts.get("items")
    if unit.name != "getitem" or not isinstance(items, tuple | list):
        return None
    found: list[Axis] = []
    taken = sum(item not in (None, "...") for item in items)
    axis = 0
    for item in items if "..." in items else (*items, "..."):
        if item is None:
            found.append((Atom(None, 1),))
        elif item == "...":
            found += labels[axis : axis + len(first) - taken]
            axis += len(first) - taken
        elif item in (":", "a:b"):
            same = len(found) < len(shape) and shape[len(found)] == first[axis]
            found.append(
                labels[axis] if same else (Atom(None, shape[len(found)] if len(found) < len(shape) else None),)
            )
            axis += 1
        elif isinstance(item, int):
            axis += 1
        else:
            return None  # a tensor chooses
    return found


def _axis(dim: object, rank: int) -> int | None:
    return dim % rank if isinstance(dim, int) and rank and -rank <= dim < rank else None


def _product(shapes: list[Shape], given: list[tuple[Axis, ...]], shape: Shape) -> Sequence[Axis] | None:
    (left, right), (a, b) = shapes, given
    if len(left) < 2 or len(right) < 2:
        return [*a[:-1]] if len(right) == 1 else None
    leading = _aligned([left[:-2], right[:-2]], [a[:-2], b[:-2]], shape[:-2], False)
    return [*leading, a[-2], b[-1]]


def _einsum(equation: object, given: list[tuple[Axis, ...]]) -> Sequence[Axis] | None:
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        return None
    left, _, right = equation.replace(" ", "").partition("->")
    words = left.split(",")
    if len(words) != len(given) or any(len(w) != len(labels) for w, labels in zip(words, given, strict=True)):
        return None
    known: dict[str, Axis] = {}
    for word, labels in zip(words, given, strict=True):
        for letter, axis in zip(word, labels, strict=True):
            if letter not in known or not any(atom.source for atom in known[letter]):
                known[letter] = axis
    return [known[letter] for letter in right] if all(letter in known for letter in right) else None
