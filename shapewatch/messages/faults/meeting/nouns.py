"""Two values that meet, as far as a text tells of them."""

from __future__ import annotations

from dataclasses import dataclass

from shapewatch.messages.faults import facts, roles, sizes
from shapewatch.messages.faults.wording import listed
from shapewatch.messages.nouns import Pasted
from shapewatch.recording import Shape


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two values, as far as the text tells: their shapes, and where they differ. `rank` is that of the longer one.
    `batch_left_out`: the shapes are those of one sample, as Keras's merge layers word them."""

    framework: str
    left: Shape | None
    right: Shape | None
    apart: tuple[sizes.Apart, ...]
    rank: int | None
    batch_left_out: bool = False

    def role(self, axis: int | None) -> roles.Role:
        if self.rank is None:
            return roles.role_without_rank(axis, self.framework)
        if self.batch_left_out and axis is not None:
            return roles.role(axis + 1, self.rank + 1, (None, *(self.longer or ())), self.framework)
        if self.rank == 3 and axis in (1, 2) and self._are_square_maps:
            return "space"
        return roles.role(axis, self.rank, self.longer, self.framework)

    @property
    def longer(self) -> Shape | None:
        known = [shape for shape in (self.left, self.right) if shape is not None]
        return max(known, key=len) if known else None

    def axis(self, axis: int | None) -> str:
        if axis is None:
            return "an axis that is not told"
        if self.rank is None:
            return f"axis {axis}"
        if self.batch_left_out:
            whole = roles.named(axis + 1, self.rank + 1, (None, *(self.longer or ())), self.framework)
            return whole.replace(f"axis {axis + 1}", f"axis {axis}")
        return roles.named(axis, self.rank, self.longer, self.framework)

    @property
    def is_aligned(self) -> bool:
        """Whether the axes of both are the same ones: the ranks are equal, or the longer has axes of 1 in front, and
        the others would not fit better from there."""
        if self.left is None or self.right is None:
            return True
        short, long = sorted((self.left, self.right), key=len)
        if len(short) == len(long):
            return True
        from_the_front = sizes.apart(short, long[: len(short)])
        return set(long[: len(long) - len(short)]) == {1} and len(self.apart) <= len(from_the_front)

    @property
    def _are_square_maps(self) -> bool:
        """Whether both end with two equal sides, and those differ: (batch, height, width)."""
        known = [shape for shape in (self.left, self.right) if shape is not None and len(shape) == 3]
        return [axis for axis, _, _ in self.apart] == [1, 2] and all(
            shape[1] == shape[2] and (shape[1] or 0) > 1 for shape in known
        )

    @property
    def are_other_filters(self) -> bool:
        """Whether two maps with their channels last differ in these alone, and have numbers of filters there."""
        last = [(a, b) for axis, a, b in self.apart if self.rank is not None and axis == self.rank - 1]
        alone = len(last) == len(self.apart) == 1 and last[0][0] % 32 == last[0][1] % 32 == 0
        return alone and self.rank == 4 and self.framework in roles.CHANNELS_LAST_FRAMEWORKS

    @property
    def is_per_channel(self) -> bool:
        """Whether one of two maps has a size on one axis alone: a bias, a scale, or what is pooled to one place."""
        known = [shape for shape in (self.left, self.right) if shape is not None]
        return any(len(sizes.squeezed(shape)) == 1 for shape in known)

    @property
    def differing(self) -> str:
        """`axis 2 (height, if these are maps of images): 20 against 19`, for each."""
        return listed(f"{self.axis(axis)}: {a} against {b}" for axis, a, b in self.apart)


def meeting(
    pasted: Pasted, left: Shape | None, right: Shape | None, told: sizes.Apart | None, stretches: bool = True
) -> Meeting:
    """`told`: the axis that the message names, with its sizes. `stretches`: an axis of 1 fits any other."""
    found: tuple[sizes.Apart, ...] = ()
    if left is not None and right is not None:
        found = tuple(each for each in sizes.apart(left, right) if not (stretches and 1 in each[1:]))
    rank = max(len(left), len(right)) if left is not None and right is not None else None
    left_out = facts.flag(pasted, "batch_left_out")
    return Meeting(pasted.reading.framework, left, right, found or ((told,) if told else ()), rank, left_out)


def named_axis(pasted: Pasted, left: Shape | None, right: Shape | None) -> sizes.Apart | None:
    """The axis that the message names, with its sizes."""
    a, b, axis = (facts.size(pasted, name) for name in ("a", "b", "axis"))
    if a is None or b is None:
        return None
    if axis is not None and axis < 0 and left is not None and right is not None:
        axis += max(len(left), len(right))
    return (axis, a, b) if axis is not None else None
