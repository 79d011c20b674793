"""A size in a reshape that was computed by a division, and rounded otherwise than the tensor's own."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import sizes
from shapewatch.messages.faults.evidence import FITS, Cause, Evidence
from shapewatch.recording import Shape

ROUNDED = Cause(
    "a side or a count in the shape is computed by a division and rounded (or cut) otherwise than the tensor's own: a "
    "side that the poolings' strides do not divide, and they round up where the code rounds down; a period, window or "
    "patch that does not go into the length; a quotient that Python 3 makes a float",
    "Choose sides and lengths that the strides and windows divide, or take the size from the tensor (`x.shape`) and "
    "cut the tensor to whole windows before the reshape.",
    "Print the tensor's shape, and the quotient before it is rounded.",
    {"torch": "periods = x.size(1) // period\nx = x[:, -periods * period :]"},
)


def of_quotient(asked: Shape, count: int) -> Iterator[Evidence]:
    """Two neighbouring axes are a length cut into equal parts, and the length that came is no multiple of a part."""
    for axis in reversed(range(1, len(asked) - 1)):
        parts, part = asked[axis] or 0, asked[axis + 1] or 0
        others = sizes.product((*asked[:axis], *asked[axis + 2 :])) or 0
        for times, each in ((parts, part), (part, parts)):
            if min(times, each) < 2 or not others or count % others or each < 4 or times == each:
                continue
            length = count // others
            if length % each and length // each == times:
                cut = f"{length} = {times} x {each} + {length % each} on axes {axis} and {axis + 1} together"
                yield ROUNDED.since(f"{cut}: the quotient was cut to {times}", FITS + 0.11)
                return


def of_rows(count: int, step: int) -> Iterator[Evidence]:
    """Rows of `step` values are asked for, and each sample has a little more than that."""
    if step and count % step and (half := _half_a_side(count, step)):
        samples, side = half
        each = f"{count} = {samples} x {count // samples}, and {count // samples} to {step} is as {side} to {side - 1}"
        yield ROUNDED.since(f"{each}: one side is a row, or half a row, longer than was computed", FITS + 0.08)


def _half_a_side(count: int, step: int) -> tuple[int, int] | None:
    """As how many samples the values are, where each has a little more than was computed: n to n - 1, by one row of n
    or by half a row of n / 2. The samples, and n."""
    samples = count // step
    if samples < 2 or count % samples or step < 256:
        return None
    each = count // samples
    more = each - step
    return (samples, each // more) if more and each % more == 0 and step % more == 0 and each // more >= 8 else None
