"""A recurrent layer is given a state of another shape than it keeps.

## What it means
PyTorch's state is `[layers, batch, hidden_size]`, with twice the layers where the layer is bidirectional, and the batch
on axis 1 whatever `batch_first` says. A cell's, and Keras's, is `[batch, units]`.

## Why
The state was made for another batch (the last one is smaller), for one layer or direction, or with the batch first.

## Bad
    nn.LSTM(4, 8, num_layers=2)(torch.ones(5, 3, 4), (torch.ones(1, 3, 8), torch.ones(1, 3, 8)))

## Good
    nn.LSTM(4, 8, num_layers=2)(torch.ones(5, 3, 4), (torch.ones(2, 3, 8), torch.ones(2, 3, 8)))

## Bad in Keras
    layers.GRU(8)(tf.ones((2, 5, 4)), initial_state=tf.ones((2, 6)))

## Good in Keras
    layers.GRU(8)(tf.ones((2, 5, 4)), initial_state=tf.ones((2, 8)))

## What it can be confused with
`recurrent-width-differs`: the input, not the state, has another width.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.axes import Range, differ
from shapewatch.demand import Want
from shapewatch.edits import Edit, Input
from shapewatch.recording import Shape, Size, text
from shapewatch.rules.rule import Case, Finding, listed, number, rule


@rule("SW603", "recurrent-state-differs", frozenset({"recurrent"}))
def check(case: Case) -> Finding | None:
    if case.layer is None or len(case.shapes) < 2:
        return None
    for position, state in enumerate(case.shapes[1:], start=1):
        wanted = _wanted(case, position)
        if wanted is None:
            return None
        axes = [axis for axis in range(len(wanted)) if len(state) == len(wanted) and differ(state[axis], wanted[axis])]
        if not axes and len(state) == len(wanted):
            continue
        parts = [
            f"axis {axis} of the state is {number(state[axis])} long, where {number(wanted[axis])} fits"
            for axis in axes
        ]
        return Finding(
            headline=f"{case.name} expects a state {text(wanted)} and is given {text(state)}",
            explanation=f"Its input is {text(case.shapes[0])}; {listed(parts) if parts else 'the ranks differ'}."
            f"{_of_another_batch(case, position, axes, wanted[-2])}",
            own=tuple(_own(case, state, axes)),
            wants=(Want(case.call.operands[position], {a: Range.only(wanted[a] or 1) for a in axes}, position),),
        )
    return None


def _of_another_batch(case: Case, position: int, axes: list[int], batch: Size) -> str:
    """What a program can do that hands in a state, mostly the one kept from the batch before."""
    state = case.shapes[position]
    if axes != [len(state) - 2] or case.call.operands[position] not in case.recording.inputs:
        return ""
    rest = ", or leave out a last batch that is smaller" if batch != 1 else ""
    return (
        f" The state that is handed in is one of {number(state[-2])} samples: begin with a new one where a batch has "
        f"another size{rest}."
    )


def _wanted(case: Case, position: int) -> Shape | None:
    """The state that fits the layer and its input; None where that is not known."""
    facts, given = case.facts, case.shapes[0]
    hidden = facts.get("hidden_size")
    if not isinstance(hidden, int):
        return None
    if "num_layers" not in facts:  # a cell, or a layer of Keras's
        if facts.get("bidirectional") or len(given) < 2:
            return None
        return (given[0], hidden)
    if len(given) not in (2, 3):
        return None
    width = facts.get("proj_size") or hidden if position == 1 else hidden
    count = facts["num_layers"] * (2 if facts.get("bidirectional") else 1)
    batch = () if len(given) == 2 else (given[0] if facts.get("batch_first") else given[1],)
    return (count, *batch, width)


def _own(case: Case, state: Shape, axes: list[int]) -> Iterator[tuple[Edit, ...]]:
    """Other states, where the program gives them; or the layer made for states of that width."""
    inputs = case.recording.inputs
    edits: list[Edit] = []
    for position, value in enumerate(case.call.operands[1:], start=1):
        wanted = _wanted(case, position)
        if value not in inputs or wanted is None or None in wanted:
            break
        given = case.shapes[position]
        if wanted != given and sorted(map(str, wanted)) == sorted(map(str, given)) and len(set(given)) == len(given):
            order = tuple(given.index(size) for size in wanted)
            edits.append(Input(inputs.index(value), "permute", {"dims": order}, wanted))
        elif wanted != given:
            edits.append(Input(inputs.index(value), "size", {"plain": True}, wanted))
    else:
        yield tuple(edits)
    if axes == [len(state) - 1] and state[-1]:
        yield from case.sets(hidden_size=state[-1])
