"""A message that says that a shape is wrong, and too little to say in what. It is told plainly, with the usual causes
of the operation where there are such; nothing else is guessed."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, Evidence, told
from shapewatch.messages.faults.operations import (
    GRID_LAYOUT,
    GRID_OF_ONE,
    GRID_RANK,
    NOTHING_COLLECTED,
    SETTINGS_OF_AXES,
    USUAL,
)
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size


def only_dress(pasted: Pasted) -> Told:
    given = facts.shape(pasted, "input", "left")
    subject = facts.word(pasted, "op", "layer", "layer_type")
    of = f" {shaped(given)}" if given is not None else ""
    headline = f"{subject} refuses the shape of what it is given{of}" if subject else "a shape does not fit"
    said = " ".join(pasted.reading.message.split())[:300]
    meaning = (
        f"The message says: {said}. That is all that the text tells; print the shapes of what enters this line, and "
        "compare them with what it asks for."
    )
    evidence = [*_usual(subject), *_of_grid(pasted), *_of_empty(pasted), *_of_setting(pasted)]
    return told(pasted, "", headline, meaning, evidence, facts.word(pasted, "layer"))


def _usual(subject: str) -> Iterator[Evidence]:
    for place, cause in enumerate(USUAL.get(subject, ())):
        yield cause.since("a usual cause of this message", COMMON - 0.02 * place)


def _of_setting(pasted: Pasted) -> Iterator[Evidence]:
    """A convolution counts the axes of space of what it is given, and has settings for another number of them."""
    spatial, setting = facts.size(pasted, "spatial"), facts.shape(pasted, "given")
    if spatial is None or setting is None or spatial == len(setting):
        return
    seen = f"{spatial + 2} axes come, and a setting for {len(setting)} axes of space wants {len(setting) + 2}"
    fewer = spatial < len(setting)
    yield (causes.MISSING_BATCH if fewer else causes.EXTRA_AXIS).since(seen, FITS + 0.1)
    yield SETTINGS_OF_AXES.since(seen, FITS)


def _of_grid(pasted: Pasted) -> Iterator[Evidence]:
    if facts.word(pasted, "op") != "grid_sample":
        return
    grid, maps = facts.shape(pasted, "grid"), facts.shape(pasted, "input")
    if grid is None:
        grid, maps = maps, None
    if grid and len(grid) in (4, 5) and grid[1] == len(grid) - 2 and grid[-1] != len(grid) - 2:
        yield GRID_LAYOUT.since(f"{shaped(grid)} has {grid[1]} coordinates on axis 1", NUMBERS)
    if grid and maps and len(grid) != len(maps):
        yield GRID_RANK.since(f"the maps have {len(maps)} axes and the grid has {len(grid)}", NUMBERS)
        if len(maps) == 5 and len(grid) == 4 and maps[-1] in (3, 4):
            colours = f"{shaped(maps)} ends with {maps[-1]}: masks with colours, whose channels stand last"
            yield causes.MASK_CHANNELS.since(colours, NUMBERS + 0.04)
    elif grid and maps and grid[0] != maps[0]:
        yield GRID_OF_ONE.since(f"a batch of {grid[0]} in the grid against {maps[0]}", FITS)
        yield from _of_positions(maps, grid[0], maps[0])


def _of_positions(maps: Shape, grids: Size, count: Size) -> Iterator[Evidence]:
    """Where each position of a map has a map of its own, as in the correlation of two images, the batch counts the
    positions; rounding makes one side of one image larger by one."""
    if len(maps) != 4 or not grids or not count or not maps[2] or not maps[3]:
        return
    for side, other in ((maps[2], maps[3]), (maps[3], maps[2])):
        samples, rest = divmod(count, side * other)
        if not rest and grids in (samples * (side - 1) * other, samples * (side + 1) * other):
            rows = grids // (samples * other)
            seen = f"{count} = {samples} x {side} x {other} positions, and {grids} = {samples} x {rows} x {other}"
            yield causes.ODD_SIZE.since(f"{seen}: one side differs by one", NUMBERS + 0.04)


def _of_empty(pasted: Pasted) -> Iterator[Evidence]:
    for name in ("input", "grid"):
        given = facts.shape(pasted, name)
        if given and 0 in given:
            yield NOTHING_COLLECTED.since(f"{shaped(given)} is empty", NUMBERS + 0.02)
