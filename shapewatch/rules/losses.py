"""Output and target of a loss: which is which, what the loss asks of the target, and in which way the two differ.

same      the target has as many numbers as the output
one-hot   a row of numbers for each item, one for each class
classes   a whole number for each item: the output without its axis of scores
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Insert, Module, Set, Target
from shapewatch.recording import Call, Shape, Size, text
from shapewatch.rules.rule import Case

Difference = Literal["batch", "classes", "rank", "shape"]


@dataclass(frozen=True)
class Compared:
    """What a loss compares. `class_axis` is the output's axis of scores, counted from the left."""

    name: str
    labels: str
    output: Shape
    target: Shape
    output_value: int
    target_value: int
    class_axis: int
    probabilities: bool = False
    binary: bool = False
    exact: bool = False
    squeezes: bool = False

    @property
    def items(self) -> Shape:
        """The output without its axis of scores: what class numbers look like."""
        return self.output[: self.class_axis] + self.output[self.class_axis + 1 :]

    @property
    def difference(self) -> Difference | None:
        """In which way the two do not fit; None where they fit, or where that is not known."""
        if self.labels == "classes":
            return self._of_numbers()
        if self.labels == "one-hot":
            return self._of_rows()
        return self._of_numbers_alike()

    @property
    def one_number_each(self) -> bool:
        """Whether there are several numbers in the output for each one in the target, of a loss that would take one."""
        return self.squeezes and self.labels == "same" and _agree(self.output[:-1], self.target)

    def _of_numbers(self) -> Difference | None:
        output, target = self.output, self.target
        if self.probabilities and _agree(output, target):
            return None
        if len(target) == len(output):
            numbers = target[: self.class_axis] + target[self.class_axis + 1 :]
            size = target[self.class_axis]
            if not _agree(numbers, self.items) or size is None:
                return None if size is None else "rank"
            return "rank" if size == 1 else "classes"
        if len(target) != len(self.items):
            return "rank"
        return _first(target, self.items)

    def _of_rows(self) -> Difference | None:
        output, target = self.output, self.target
        if len(target) == len(self.items) and _agree(target, self.items):
            return "classes"
        if len(target) != len(output):
            return "rank"
        if differ(target[self.class_axis], output[self.class_axis]):
            return "classes"
        return _first(target, output)

    def _of_numbers_alike(self) -> Difference | None:
        output, target = self.output, self.target
        if self.one_number_each:
            return "classes"
        if len(output) != len(target):
            return "rank" if self.exact or not _stretch(output, target) else None
        if self.binary and len(output) == 2 and _agree(output[:1], target[:1]) and differ(output[1], target[1]):
            return "classes"
        return _first(target, output) if self.exact or not _stretch(output, target) else None


def compared(case: Case) -> Compared | None:
    """Output and target as a loss takes them; None for a call that is no loss, or asks nothing that is known."""
    facts, shapes, values = case.facts, case.shapes, case.call.operands
    if case.call.kind != "loss" or "labels" not in facts or len(shapes) < 2:
        return None
    output, target = shapes[facts["output"]], shapes[facts["target"]]
    if facts.get("squeezes"):
        output, target = _squeezed(output, target, facts["labels"])
    axis = facts.get("class_axis", -1)
    if not output or not -len(output) <= axis:
        return None
    return Compared(
        name=case.name,
        labels=facts["labels"],
        output=output,
        target=target,
        output_value=values[facts["output"]],
        target_value=values[facts["target"]],
        class_axis=min(axis, len(output) - 1) % len(output),
        probabilities=bool(facts.get("probabilities")),
        binary=bool(facts.get("binary")),
        exact=bool(facts.get("exact")),
        squeezes=bool(facts.get("squeezes")),
    )


def _squeezed(output: Shape, target: Shape, labels: str) -> tuple[Shape, Shape]:
    """Without the last axis of size 1 that Keras drops of the one of more axes. Class numbers it drops it of too, where
    both have equally many."""
    if labels == "classes" and len(target) == len(output) and target[-1:] == (1,):
        return output, target[:-1]
    if labels != "classes" and len(output) == len(target) + 1 and output[-1] == 1:
        return output, (*target, 1)
    if labels != "classes" and len(target) == len(output) + 1 and target[-1] == 1:
        return output, target[:-1]
    return output, target


def _agree(one: Shape, other: Shape) -> bool:
    return len(one) == len(other) and not any(map(differ, one, other))


def _stretch(one: Shape, other: Shape) -> bool:
    """Whether broadcasting would bring the two together: no error then, whatever is meant."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return all(1 in (left, right) or not differ(left, right) for left, right in pairs)


def _first(target: Shape, wanted: Shape) -> Difference | None:
    axes = [axis for axis in range(len(wanted)) if differ(target[axis], wanted[axis])]
    if not axes:
        return None
    return "batch" if axes[0] == 0 else "shape"


def output_wants(loss: Compared, wanted: Shape) -> tuple[Want, ...]:
    """The output's sizes made like those of another shape of its rank, where that tells them."""
    demand = {
        axis: Range.only(size)
        for axis, size in enumerate(wanted)
        if size is not None and differ(size, loss.output[axis])
    }
    return (Want(loss.output_value, demand),) if demand else ()


def missing_flatten(case: Case, loss: Compared) -> Iterator[tuple[Edit, ...]]:
    """A flatten before the first linear layer that works on maps, and a recurrent layer's last step alone."""
    for unit in road(case, loss.output_value):
        shape = case.recording.shape(unit.operands[0]) if unit.operands else ()
        facts = case.graph.facts(unit)
        if unit.is_layer and unit.kind == "recurrent" and facts.get("return_sequences") is True:
            yield (Set(unit.layer, "return_sequences", False, True),)
        if not unit.is_layer or unit.kind != "linear" or len(shape) < 3:
            continue
        before = case.graph.producer.get(unit.operands[0])
        if before is not None and before.kind == "linear":
            continue  # an earlier one has the same maps
        flatten = Module("flatten", {"start_dim": 1})
        if facts.get("lazy"):
            yield (Insert(unit.place, 0, flatten),)
        elif None not in shape[1:]:
            width = 1
            for size in shape[1:]:
                width *= size or 1
            yield (
                Insert(unit.place, 0, flatten),
                Set(unit.layer, "in_features", width, facts.get("in_features")),
            )


def last_step_alone(case: Case, loss: Compared, steps: int | None) -> Iterator[tuple[Edit, ...]]:
    """All steps of the recurrent layers on the road to the output that give the last one of so many."""
    for unit in road(case, loss.output_value):
        shape = case.recording.shape(unit.operands[0]) if unit.operands else ()
        last = unit.is_layer and unit.kind == "recurrent" and case.graph.facts(unit).get("return_sequences") is False
        if last and len(shape) == 3 and shape[1] == steps is not None:
            yield (Set(unit.layer, "return_sequences", True, False),)


def road(case: Case, value: int) -> Iterator[Call]:
    """The calls that made a value, in the order in which they ran."""
    made = case.graph.ancestors[value]
    for unit in case.graph.units:
        if any(made >> result & 1 for result in unit.results):
            yield unit


def batch_lost(case: Case, value: int, samples: Size) -> Call | None:
    """The reshape, or the concatenation along the batch, on the road to a value that made so many samples of another
    number; None where none did."""
    found, recording = None, case.recording
    for unit in road(case, value):
        joins = unit.kind == "concat" and case.graph.facts(unit).get("dim") == 0
        if (unit.kind in ("reshape", "flatten") or joins) and unit.operands and unit.results:
            before, after = recording.shape(unit.operands[0])[:1], recording.shape(unit.results[0])[:1]
            if before == (samples,) and after == recording.shape(value)[:1] and differ(samples, after[0]):
                found = unit
    return found


def of_lost_batch(made: Call, case: Case) -> str:
    """What a reshape has done to the batch, and where."""
    before, after = case.recording.shape(made.operands[0]), case.recording.shape(made.results[0])
    where = made.layer if made.is_layer else f"{made.name} in {case.recording.root or 'the model'}"
    if made.parent is None and not made.is_layer:
        where = made.name if made.span is None else f"{made.name} in line {made.span.line}"
    each = math.prod(size or 0 for size in before[1:])
    counted = f": each sample has {each} numbers" if len(after) == 2 and each and each != after[1] else ""
    return f" The batch is lost at {where}, which makes {text(after)} of {text(before)}{counted}."


def fitted_before(case: Case, loss: Compared) -> Shape | None:
    """The target that the same loss was given earlier beside such an output: with that one it ran."""
    for unit in reversed(case.graph.units):
        if unit.number >= case.call.number or not unit.finished or unit.kind != "loss" or unit.name != case.call.name:
            continue
        facts = case.graph.facts(unit)
        if "output" not in facts or len(unit.operands) < 2:
            continue
        output, target = (case.recording.shape(unit.operands[facts[which]]) for which in ("output", "target"))
        if output[1:] == loss.output[1:] and target[1:] != loss.target[1:] and None not in target[1:]:
            return (loss.target[0], *target[1:]) if loss.target else None
    return None


def of_another_output(case: Case, loss: Compared) -> Call | None:
    """The loss of another output of the model, where each of the two has the other's target: of the shape of its own
    output, and not of this one's."""
    for unit in case.graph.units:
        facts = case.graph.facts(unit)
        if unit is case.call or unit.kind != "loss" or "output" not in facts or len(unit.operands) < 2:
            continue
        output, target = (case.recording.shape(unit.operands[facts[which]]) for which in ("output", "target"))
        if None in (*output[1:], *target[1:]) or _agree(output[1:], target[1:]) or output[1:] == loss.output[1:]:
            continue
        if _agree(target, loss.output) and _agree(output, loss.target):
            return unit
    return None


def other_labels(case: Case, loss: Compared) -> tuple[tuple[Edit, ...], ...]:
    """Labels of the shape that the same loss ran with before."""
    before = fitted_before(case, loss)
    return () if before is None else ((Target("shape", {"shape": before, "reshaped": False}),),)


def whose_batch(case: Case, loss: Compared) -> Call | None:
    """The reshape on the road to the output after which the first axis is no more the input's; None where none is."""
    recording = case.recording
    inputs = {recording.shape(number)[0] for number in recording.inputs if recording.shape(number)}
    if not inputs and loss.target:
        return batch_lost(case, loss.output_value, loss.target[0])
    if loss.target[:1] and loss.target[0] not in inputs:
        return None
    for unit in road(case, loss.output_value):
        if unit.kind not in ("reshape", "flatten", "permute", "unflatten") or not unit.operands or not unit.results:
            continue
        before, after = recording.shape(unit.operands[0]), recording.shape(unit.results[0])
        if before[:1] and after[:1] and before[0] in inputs and differ(before[0], after[0]):
            return unit
    return None
