"""A loss of several tensors is given some that do not fit each other.

## What it means
Two embeddings, an anchor and its examples, or a mean and its variance are of one shape; there is one target for each
pair. `CTCLoss` reads its scores as `[time, batch, classes]`, with one length for each sample.

## Why
Two towers end in different widths, the labels have a trailing axis of 1, scores come with the batch first.

## Bad
    nn.CTCLoss()(torch.ones(8, 50, 20), torch.ones(8, 9), torch.full((8,), 50), torch.full((8,), 9))

## Good
    nn.CTCLoss()(torch.ones(50, 8, 20), torch.ones(8, 9), torch.full((8,), 50), torch.full((8,), 9))

## What it can be confused with
`target-shape-differs`: a loss of an output and a target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from shapewatch import axes
from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Target
from shapewatch.recording import Shape, Size, text
from shapewatch.rules.losses import compared
from shapewatch.rules.rule import Case, Finding, listed, number, plural, rule


@rule("SW806", "loss-parts-differ", frozenset({"loss"}))
def check(case: Case) -> Finding | None:
    if case.call.finished:
        return None
    read = _PARTS.get(case.facts.get("parts", ""))
    return _weights(case) if read is None else read(case)


def _weights(case: Case) -> Finding | None:
    """A weight for each class, which is as many as there are scores."""
    loss = compared(case)
    if loss is None or loss.difference is not None or len(loss.output) < 2:
        return None
    axis = loss.class_axis if loss.labels == "classes" else len(loss.output) - 1
    for name in ("weight", "pos_weight"):
        given = case.facts.get(name)
        if not isinstance(given, tuple) or len(given) != 1 or given[0] in (1, loss.output[axis]):
            continue
        if loss.labels != "classes" and len(loss.output) != 2:
            continue
        return Finding(
            headline=f"{case.name}: its {name} is for {number(given[0])} classes, and the output "
            f"{text(loss.output)} has {number(loss.output[axis])}",
            explanation=f"{name} is one number for each class; the classes are axis {axis} of the output.",
            wants=(Want(loss.output_value, {axis: Range.only(given[0] or 1)}),) if loss.labels == "classes" else (),
        )
    return None


def _alike(case: Case, names: Sequence[str]) -> Finding | None:
    """The first operands of a loss, by what they are, that meet element by element."""
    shapes = case.shapes[: len(names)]
    if len(shapes) < len(names):
        return None
    problems = axes.broadcast_problems(shapes)
    if not problems:
        return None
    at = problems[0].axis
    called = [case.called(case.call.operands[index], f"the {name}") for index, name in enumerate(names)]
    parts = [f"{name} {text(shape)}" for name, shape in zip(called, shapes, strict=True)]
    rank = max(map(len, shapes))
    samples = at == 0 and all(len(shape) == rank for shape in shapes)
    wants = () if samples else tuple(_wants(case, problems[0].axis, rank, len(names)))
    sizes = " against ".join(dict.fromkeys(number(size) for size in problems[0].sizes))
    what = "as many samples" if samples else f"the same axis {at}"
    return Finding(
        headline=f"{case.name}: {listed(parts)} do not have {what}, {sizes}",
        explanation=f"{case.name} compares the {listed(list(names))} of each sample, number by number.",
        wants=wants,
    )


def _wants(case: Case, axis: int, rank: int, count: int) -> Iterator[Want]:
    """Each operand as long as the others are on an axis, where those agree."""
    shapes = case.shapes[:count]
    for changed, shape in enumerate(shapes):
        sizes = {other[axis - rank] for at, other in enumerate(shapes) if at != changed and len(other) >= rank - axis}
        own = axis - rank + len(shape)
        if len(sizes) == 1 and own >= 0 and (size := sizes.pop()) is not None and differ(size, shape[own]):
            yield Want(case.call.operands[changed], {own: Range.only(size)}, changed)


def _pairs(case: Case) -> Finding | None:
    """Two embeddings, and 1 or -1 for each pair."""
    found = _alike(case, ("first", "second"))
    if found is not None or len(case.shapes) < 3:
        return found
    first, target = case.shapes[0], case.shapes[2]
    name = case.called(case.call.operands[2], "the target")
    said = f"{case.name} takes one number for each pair of embeddings, 1 or -1"
    if len(target) > 1:
        own: tuple[tuple[Edit, ...], ...] = ()
        if len(target) == len(first) == 2 and target[1] == 1:
            own = ((Target("squeeze", {"dim": 1}),),)
        headline = f"{case.name}: {name} is {text(target)}, where {text(first[:1])} is wanted"
        return Finding(headline, f"{said}: {text(first[:1])}.", own=own)
    if len(first) == 2 and len(target) == 1 and target[0] != 1 and differ(target[0], first[0]):
        headline = f"{case.name}: {name} is for {plural(target[0], 'pair')}, and there are {number(first[0])}"
        return Finding(headline, f"{said}.")
    return None


def _ranks(case: Case) -> Finding | None:
    """Two scores of one rank, and 1 or -1 for each."""
    if len(case.shapes) < 3:
        return None
    one, other, target = case.shapes[:3]
    name = case.called(case.call.operands[2], "the target")
    if len(one) == len(other) != len(target) and len(target) == 1 and one[1:] == (1,):
        return Finding(
            headline=f"{case.name}: the scores are {text(one)}, and {name} is {text(target)}",
            explanation=f"{case.name} takes two scores and a target of as many axes; here the scores have one more, of "
            "size 1.",
            own=((Target("unsqueeze", {"dim": 1}),), (Target("output-squeeze", {"dim": 1}),)),
        )
    return _alike(case, ("first score", "second score", "target"))


def _triplets(case: Case) -> Finding | None:
    return _alike(case, ("anchor", "positive", "negative"))


def _variance(case: Case) -> Finding | None:
    """A mean, a target, and a variance for each number or one for all of a sample."""
    if len(case.shapes) < 3:
        return None
    (mean, _, variance), operands = case.shapes[:3], case.call.operands
    whole = len(mean) == len(variance) and not any(map(differ, mean, variance))
    row = variance in (mean[:-1], (*mean[:-1], 1)) or variance in ((), (1,))
    if whole or row or None in (*mean, *variance) or "size" not in case.message:
        return _alike(case, ("mean", "target"))
    named = [case.called(operands[at], name) for at, name in ((0, "the mean"), (2, "the variance"))]
    wants = []
    if len(mean) == len(variance) and mean[:-1] == variance[:-1]:
        last = len(mean) - 1
        wants = [
            Want(operands[2], {last: Range.only(mean[last] or 1)}, 2),
            Want(operands[0], {last: Range.only(variance[last] or 1)}, 0),
        ]
    return Finding(
        headline=f"{case.name}: {named[0]} is {text(mean)}, and {named[1]} {text(variance)}",
        explanation=f"There is a variance for each number, {text(mean)}, or one for all of a sample, "
        f"{text((*mean[:-1], 1))}.",
        wants=tuple(wants),
    )


def _sequences(case: Case) -> Finding | None:
    """Scores of `[time, batch, classes]`, targets, and lengths of both."""
    scores, lengths = case.shapes[0], case.shapes[2:4]
    if len(scores) != 3 or len(lengths) < 2 or any(len(shape) != 1 for shape in lengths):
        return None
    counts = [shape[0] for shape in lengths]
    if None in (*scores, *counts) or all(count == scores[1] for count in counts):
        return None
    name = case.called(case.call.operands[0], "the scores")
    read = f"{name} {text(scores)} is read as {plural(scores[0], 'step')} of {plural(scores[1], 'sample')}"
    wanted = f"{case.name} reads its scores as [time, batch, classes]"
    if counts[0] == counts[1]:
        moved = _batch_first(case, scores, counts[0])
        why = f", and these have the batch on axis 0: {text(moved[0])} is wanted." if moved else "."
        return Finding(
            headline=f"{case.name}: {read}, and the lengths are those of {number(counts[0])}",
            explanation=f"{wanted}{why}",
            own=((moved[1],),) if moved else (),
        )
    odd = 2 if counts[0] != scores[1] else 3
    which = case.called(case.call.operands[odd], ("the input lengths", "the target lengths")[odd - 2])
    headline = f"{case.name}: {which} has {plural(counts[odd - 2], 'length')}, and there are "
    return Finding(
        headline=f"{headline}{number(scores[1])} samples",
        explanation=f"{wanted}, {text(scores)}, and takes a length for each sample.",
    )


def _batch_first(case: Case, scores: Shape, count: Size) -> tuple[Shape, Target] | None:
    """The scores as they are wanted, where their first axis is the batch that the lengths and targets are of."""
    targets = case.shapes[1]
    if scores[0] != count or (len(targets) == 2 and targets[0] != count):
        return None
    classes = _class_axis(case)
    dims = (3 - classes, 0, classes)
    moved = tuple(scores[axis] for axis in dims)
    return moved, Target("output-order", {"dims": dims, "said": "[time, batch, classes]"})


def _class_axis(case: Case) -> int:
    """The axis over which the scores were made to sum up to one; else the last."""
    value = case.call.operands[0]
    for _ in range(4):
        unit = case.graph.producer.get(value)
        if unit is None or not unit.operands:
            break
        dim = case.graph.facts(unit).get("dim")
        if unit.kind == "squash" and isinstance(dim, int):
            return dim % 3 or 2
        if case.recording.shape(unit.operands[0]) != case.recording.shape(value):
            break
        value = unit.operands[0]
    return 2


_PARTS: Mapping[str, Callable[[Case], Finding | None]] = {
    "pairs": _pairs,
    "ranks": _ranks,
    "triplets": _triplets,
    "variance": _variance,
    "sequences": _sequences,
}
