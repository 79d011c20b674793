"""An output and its target have different shapes, and a loss of every pair of them is computed.

## What it means
`[N, 1]` and `[N]` broadcast to `[N, N]`: every prediction is compared with every target. The loss goes down to
the mean of the targets, and no further.

## Why
A last layer of width 1 gives `[N, 1]`, and the targets come as `[N]`, or the other way round. `mse_loss` says so in a
warning that scrolls by; a loss that is written out says nothing.

## Bad
    x = torch.ones(4, 3); y = torch.ones(4); ((nn.Linear(3, 1)(x) - y) ** 2).mean()

## Good
    x = torch.ones(4, 3); y = torch.ones(4); ((nn.Linear(3, 1)(x).squeeze(1) - y) ** 2).mean()

## Bad in Keras
    tf.reduce_mean(tf.square(layers.Dense(1)(tf.ones((4, 3))) - tf.ones(4)))

## Good in Keras
    tf.reduce_mean(tf.square(layers.Dense(1)(tf.ones((4, 3)))[:, 0] - tf.ones(4)))
"""

from __future__ import annotations

import re

from shapewatch import axes
from shapewatch.recording import Shape, spoken, text
from shapewatch.rules.batch import one_is_meant
from shapewatch.rules.losses import road
from shapewatch.rules.rule import Case, Finding, rule

_KINDS = frozenset({"loss", "add", "sub", "mul", "div", "compare", "power"})


_ELEMENTWISE = frozenset("mse l1 smoothl1 huber kldiv poissonnll softmargin gaussiannll".split())


@rule("SW891", "loss-broadcasts", _KINDS, severity="warning")
def check(case: Case) -> Finding | None:
    if case.call.kind == "loss" and (steps := _answer_for_all_steps(case)) is not None:
        return steps
    if case.call.kind == "loss" and not _compares_element_by_element(case):
        return None
    if len(case.call.operands) < 2:
        return _against_numbers(case)
    values = case.call.operands[:2]
    one, other = (case.recording.shape(value) for value in values)
    for column, row, wide, flat in ((values[0], values[1], one, other), (values[1], values[0], other, one)):
        if not _are_column_and_row(wide, flat) or not _speak_of_one_batch(case, column, row):
            continue
        if not (_compares_element_by_element(case) or _is_by_slip(case, column, row)):
            continue
        joined = axes.broadcast([wide, flat]) or ()
        count = flat[0]
        return Finding(
            headline=f"{case.name}: {text(wide)} against {text(flat)} gives {text(joined)}, each item with all others",
            explanation=f"Both have {count} items, and {text(wide)} is a column: broadcasting lays {text(flat)} "
            f"along its last axis, so {count} losses become {count} × {count}. "
            "Give both one shape: `squeeze(-1)` on the column, or `unsqueeze(-1)` on the other.",
            severity="warning",
        )
    return None


def _answer_for_all_steps(case: Case) -> Finding | None:
    """An output for each step of a sequence against one number for the whole of it: Keras drops the last axis of the
    one, [N, T, 1], and broadcasts the other, [N, 1], along the steps."""
    facts, shapes = case.facts, case.shapes
    if facts.get("labels") != "same" or not facts.get("squeezes") or len(shapes) < 2:
        return None
    output, target = shapes[facts["output"]], shapes[facts["target"]]
    if len(output) != 3 or len(target) != 2 or output[2] != 1 or target[1] != 1 or output[1] in (None, 1):
        return None
    made = [unit for unit in road(case, case.call.operands[facts["output"]]) if unit.is_layer and unit.results]
    steps = [unit for unit in made if unit.kind == "recurrent" and case.graph.facts(unit).get("return_sequences")]
    why = f" {spoken(steps[-1].layer)} gives all of its steps (return_sequences=True)." if steps else ""
    return Finding(
        headline=f"{case.name}: an output {text(output)} against a target {text(target)}: each label is compared with "
        f"all {output[1]} steps",
        explanation=f"The last axis of {text(output)} is dropped, and {text(target)} is repeated along the steps, so "
        f"that every step is asked for the one answer.{why} Where one answer for the sequence is meant, the output is "
        f"to be {text(target)}.",
        severity="warning",
    )


def _against_numbers(case: Case) -> Finding | None:
    """A column minus numbers that are no tensor, such as an array of numpy's: what comes out shows what they were."""
    if case.call.kind != "sub" or not case.call.operands or not case.call.results:
        return None
    value, joined = case.call.operands[0], case.recording.shape(case.call.results[0])
    shape = case.recording.shape(value)
    if len(shape) != 2 or shape[1] != 1 or shape[0] in (None, 1) or joined != (shape[0], shape[0]):
        return None
    if case.graph.lineage.batch_axes(value) != (0,) or one_is_meant(case, value):
        return None
    count = shape[0]
    return Finding(
        headline=f"{case.name}: {text(shape)} against {count} numbers gives {text(joined)}, each item with all others",
        explanation=f"{text(shape)} is a column, and broadcasting lays the numbers along its last axis, so {shape[0]} "
        f"differences become {shape[0]} × {shape[0]}. Give both one shape: `squeeze(-1)` on the column.",
        severity="warning",
    )


def _compares_element_by_element(case: Case) -> bool:
    """Whether the call is a loss of which output and target have one shape; that of classes takes their numbers."""
    return case.call.kind == "loss" and re.sub(r"_|loss$", "", case.call.name.lower()) in _ELEMENTWISE


def _are_column_and_row(wide: Shape, flat: Shape) -> bool:
    """`[N, 1]` and `[N]`, or with more axes of the batch `[N, T, 1]` and `[N, T]`."""
    if len(wide) != len(flat) + 1 or not flat or wide[-1] != 1 or None in wide or None in flat:
        return False
    return wide[:-1] == flat and flat[-1] != 1


def _speak_of_one_batch(case: Case, column: int, row: int) -> bool:
    """Whether both have the batch: of a loss that is called by name, nothing else makes sense."""
    lineage = case.graph.lineage
    if _compares_element_by_element(case):
        return True
    return lineage.batch is not None and all(0 in lineage.batch_axes(value) for value in (column, row))


def _is_by_slip(case: Case, column: int, row: int) -> bool:
    """Whether nothing says that every pair is wanted: the one of the column is a layer's width or the data's, or it was
    reshaped and the row is what a model gave."""
    if not one_is_meant(case, column):
        return True
    made = case.graph.producer.get(row)
    reshaped = not one_is_meant(case, column, reshaped=False)
    return reshaped and made is not None and _has_layers(case, row) and not _has_layers(case, column)


def _has_layers(case: Case, value: int) -> bool:
    """Whether a layer had a part in a value."""
    behind = case.graph.ancestors[value]
    return any(behind >> result & 1 for unit in case.graph.units if unit.is_layer for result in unit.results)
