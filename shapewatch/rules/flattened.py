"""Whether a width that a layer expects is what a flatten before it would give at another spatial size."""

from __future__ import annotations

from shapewatch import axes
from shapewatch.rules.rule import Case


def made_for(case: Case, expected: int) -> str | None:
    """`16 channels x 4 x 4`, if the layer was made for these channels on another map; None where it was not.

    A width written down wrongly is hardly ever the channels times a whole (square) number of positions.
    """
    value = case.call.operands[0]
    for _ in range(6):
        unit = case.graph.producer.get(value)
        if unit is None or unit.kind not in ("flatten", "reshape", "permute", "dropout", "activation", "same"):
            return None
        before, after = case.recording.shape(unit.operands[0]), case.recording.shape(value)
        run = next((old for old, new in axes.factor_groups(before, after) if new == (len(after) - 1,)), ())
        if unit.kind in ("flatten", "reshape") and len(run) > 1:
            layout = case.graph.layout
            last = layout is not None and layout.channels_last and run[-1] == len(before) - 1
            if layout is not None and layout.fits(before) and layout.channels(before) not in run:
                return None  # places alone are laid together
            sizes = [before[axis] or 0 for axis in run]
            return _explained(sizes[-1:] + sizes[:-1] if last else sizes, expected)
        value = unit.operands[0]
    return None


def _explained(run: list[int], expected: int) -> str | None:
    """`run`: the channels, then the positions."""
    channels, positions = run[0], run[1:]
    if channels < 2 or expected % channels:
        return None
    rest = expected // channels
    if len(positions) > 1 and len(set(positions)) == 1:
        side = round(rest ** (1 / len(positions)))
        return f"{channels} channels" + f" x {side}" * len(positions) if side ** len(positions) == rest else None
    return f"{channels} channels x {rest}"
