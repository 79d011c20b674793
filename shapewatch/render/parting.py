"""Where the branches of a junction part, and what the axes are called on which they do.

Pure functions of a junction and its layers. They say nothing where it is not known: an unknown size parts
nowhere, an axis that no kernel saw has a number, not a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shapewatch.flow.junctions import Branch, Junction, Step, layout_at
from shapewatch.flow.layout import numbered
from shapewatch.recording import Layer, Recording, Shape, Size

MOST_BRANCHES = 4
"""More branches than this are not all shown."""


def rank_of(junction: Junction) -> int:
    """The widest rank that meets; `Junction.axes` are counted in it."""
    return max((len(branch.shape) for branch in junction.branches), default=0)


def size_of(shape: Shape, axis: int, rank: int) -> Size:
    """The size of an axis that is counted in `rank`; 1 where a shorter shape does not have it."""
    own = axis - (rank - len(shape))
    return shape[own] if 0 <= own < len(shape) else 1


def axis_names_at(junction: Junction, recording: Recording) -> tuple[str, ...]:
    """The names of the axes that meet, as the last kernel on a branch saw them; or else their numbers."""
    widest = max((branch.shape for branch in junction.branches), key=len, default=())
    layout = layout_at(recording, junction)
    return layout.names(widest) if layout is not None else numbered(widest)


def shown_branches(junction: Junction) -> list[int]:
    """Which branches to show. Of many: those whose sizes are rarer, and the first with the usual ones."""
    everything = list(range(len(junction.branches)))
    if len(everything) <= MOST_BRANCHES:
        return everything
    rank = rank_of(junction)
    sizes = [tuple(size_of(branch.shape, axis, rank) for axis in junction.axes) for branch in junction.branches]
    ((usual, _),) = Counter(sizes).most_common(1)
    odd = [index for index in everything if sizes[index] != usual]
    return sorted([sizes.index(usual), *odd[: MOST_BRANCHES - 1]])


def partings(
    junction: Junction, recording: Recording, blamed: str | None = None
) -> dict[tuple[int, int], tuple[int, ...]]:
    """The steps that tell why the branches differ, by branch and step, and the axes on which they do.

    Those are the steps where a branch leaves the fork's size and, on a branch that keeps it, the step of the
    layer to blame for that. `blamed` is the path of the layer that the diagnosis holds to be the cause.
    """
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    if junction.fork is None:
        return found
    rank = rank_of(junction)
    names, layers = axis_names_at(junction, recording), recording.layer_at
    for axis in sorted({axis for axis in junction.axes if axis < rank}):
        steps: dict[int, int] = {}
        for index, branch in enumerate(junction.branches):
            setters = {step.call for step in branch.path if _sets_size(step, axis, names, layers)}
            step = _parting_step(branch, junction.fork.shape, axis, rank, setters, blamed)
            if step is not None:
                steps[index] = step
        for index, branch in enumerate(junction.branches if steps else ()):
            if index not in steps and (step := _keeping_step(branch, axis, rank, blamed)) is not None:
                steps[index] = step
        for place in steps.items():
            found[place] = (*found.get(place, ()), axis)
    return found


def _keeping_step(branch: Branch, axis: int, rank: int, blamed: str | None) -> int | None:
    """The last step of the layer to blame, where it gives the axis the size that the branch ends with."""
    last = size_of(branch.shape, axis, rank)
    steps = [index for index, step in enumerate(branch.path) if step.layer is not None and step.layer == blamed]
    return steps[-1] if steps and size_of(branch.path[steps[-1]].shape, axis, rank) == last else None


def _parting_step(
    branch: Branch, fork: Shape, axis: int, rank: int, setters: set[int], blamed: str | None
) -> int | None:
    """The step that takes the axis away from the fork's size; None where the branch comes back to it.

    The layer that is to blame, where it is on the branch and changes the axis. Otherwise the last step that
    changes it, if that step gives it a size of its own whatever came in (the channels of a convolution); or
    else the first step since which the size is not the fork's: a height is lost where it is first halved, not
    where it is last doubled. Nothing before the last change of rank is looked at.
    """
    shapes = [fork, *(step.shape for step in branch.path)]
    begin = len(shapes) - 1
    while begin > 0 and len(shapes[begin - 1]) == len(shapes[-1]):
        begin -= 1
    sizes = [size_of(shape, axis, rank) for shape in shapes[begin:]]
    if begin == 0 and not _differ(sizes[0], sizes[-1]):
        return None
    left = max(at for at, size in enumerate(sizes) if size == sizes[0])
    changes = [at for at in range(1, len(sizes)) if _differ(sizes[at - 1], sizes[at])]
    steps = {at: branch.path[begin + at - 1] for at in changes}
    for at, step in steps.items():
        if step.layer is not None and step.layer == blamed:
            return begin + at - 1
    since = [at for at in changes if at > left]
    if not since:
        return None
    return begin + (since[-1] if steps[since[-1]].call in setters else since[0]) - 1


def _sets_size(step: Step, axis: int, names: tuple[str, ...], layers: Mapping[str, Layer]) -> bool:
    """Whether the step gives the axis a size of its own, whatever size came in."""
    layer = _layer_of(step, layers)
    if layer is None:
        return False
    if layer.kind == "linear":
        return axis == len(names) - 1
    return "out_channels" in layer.facts and names[axis] == "channels"


def _layer_of(step: Step, layers: Mapping[str, Layer]) -> Layer | None:
    return layers.get(step.layer) if step.layer else None


def _differ(one: Size, other: Size) -> bool:
    """Certainly not the same; an unknown size differs from nothing."""
    return one is not None and other is not None and one != other
