"""Products of more than two axes: batched products, einsum."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.products import as_multiplied, encoders, factors, matmul
from shapewatch.messages.faults.wording import plural, shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

HEADS_OR_WINDOWS = Cause(
    "the two factors were cut differently into heads, windows or groups: {got} against {expected}",
    "Cut both with the same number of heads, windows and devices.",
    "Print both shapes just after they are split into heads.",
)


NO_BATCH_IN_FRONT = Cause(
    "the first axis of one of the two holds something else than the batch (both channels of stereo sound, several "
    "references, views or beams, an axis of 1 that was to be stretched), and has to be reshaped, averaged or chosen "
    "from before",
    "Bring both to one batch: take one entry, take the mean, fold the axis into the next, or expand the axis of 1.",
    "Print both shapes, and say what the first axis of each counts.",
    {"torch": "y = torch.matmul(a, b)    # stretches a batch of 1, as bmm and baddbmm do not"},
)
NOT_STRETCHED = Cause(
    "this product does not stretch a batch axis of 1, as others do",
    "Expand the axis first, or use a product that broadcasts (`matmul`).",
    "Print both shapes.",
    {"jax": "y = jnp.matmul(x, w)    # broadcasts; or jnp.broadcast_to first"},
)


def batched(pasted: Pasted) -> Told:
    left, right = factors(pasted)
    if left is not None and right is not None and len(left) == len(right) == 2:
        return matmul(pasted)  # TensorFlow runs products of two matrices by the batched operation too
    expected, got = facts.shape(pasted, "expected"), facts.shape(pasted, "got")
    if expected is None and left is not None and len(left) >= 3 and right is not None and len(right) >= 3:
        expected, got = (*left[:-2], left[-1]), (*right[:-2], right[-2])
    wanted, came = facts.size(pasted, "expected", "a"), facts.size(pasted, "got", "b")
    axis = facts.size(pasted, "axis")
    apart: list[sizes.Apart] = [*sizes.apart(expected, got)] if expected is not None and got is not None else []
    if not apart and wanted is not None and came is not None and wanted != came:
        apart = [(1 if axis is None else axis, wanted, came)]
    shapes = f": {as_multiplied(pasted, left, right)}" if left is not None and right is not None else ""
    differ = "; ".join(f"{_of_factor(at)} is {b} where {a} is needed" for at, a, b in apart)
    headline = f"the factors of a batched product do not fit{shapes}" + (f": {differ}" if differ else "")
    meaning = (
        "A batched product multiplies matrix by matrix: both factors need the same batch on axis 0, and the right "
        f"one's axis 1 must equal the left one's last axis. {differ or 'The message names no sizes'}."
    )
    return told(pasted, "SW105", headline, meaning, _of_factors(left, right, apart, axis))


def _of_factor(axis: int | None) -> str:
    return "its batch (axis 0)" if axis == 0 else f"axis {axis} of the right factor"


def _of_factors(left: Shape | None, right: Shape | None, apart: list[sizes.Apart], named: Size) -> Iterator[Evidence]:
    """`named`: the axis that the message names, if it does."""
    if [axis for axis, _, _ in apart] == [0, 1] and apart[0][1:] == apart[1][:0:-1]:
        turned = f"the right factor is {apart[0][2]}, {apart[1][2]} where {apart[0][1]}, {apart[1][1]} is needed"
        yield causes.SWAPPED.since(turned, NUMBERS + 0.04)
    for axis, a, b in apart:
        seen, times, given = f"{b} where {a} is needed", sizes.ratio(a, b), {"expected": a, "got": b}
        if axis == 0:
            alone = 1 in (a, b)
            yield causes.LAST_BATCH.since(f"the batches differ: {seen}", FITS - (0.03 if alone else 0))
            folded = f"heads and windows are mostly folded into the batch: {seen}"
            yield HEADS_OR_WINDOWS.since(folded, FITS - (0.05 if alone else 0), **given)
            if alone:
                yield NO_BATCH_IN_FRONT.since(f"{seen}: this product stretches no axis of 1", FITS + 0.01)
                taken = f"{seen}: a `squeeze()` takes a batch of one away, and the next axis is in its place"
                yield causes.LOST_AXIS.since(taken, FITS + 0.005)
                turned = f"{seen}: {max(a, b)} may be the steps of one sample, where time comes first"
                yield causes.SWAPPED.since(turned, FITS - 0.02)
            if times and times <= 8:
                yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON)
            doubled = f"{seen}: one is twice the other, as guidance makes the batch"
            other = f"the batches differ: {seen}"
            yield causes.OTHER_BATCH.since(doubled if times == 2 else other, FITS + 0.02 if times == 2 else COMMON)
            continue
        yield causes.SWAPPED.since(
            f"{seen}; a factor that stands transposed gives that", COMMON if times and times <= 16 else FITS
        )
        if 1 in (a, b):
            row = f"{seen}: one of them is 1, as of a vector that stands as a row and not as a column"
            yield causes.SWAPPED.since(row, FITS + 0.02)
        yield causes.OTHER_SETTING.since(f"the inner sizes differ: {seen}", FITS, **given)
        if sizes.is_width(a) and sizes.is_width(b):
            yield causes.OTHER_ENCODER.since(encoders(a, b), FITS + 0.04, **given)
        if times and times >= 16 and min(a, b) > 1:
            flat = f"{max(a, b)} is {times} times {min(a, b)}: all values of one, and a last axis of the other"
            yield causes.ONE_FLATTENED.since(flat, FITS + 0.06)
        if sizes.root(a) and sizes.root(b) and not (times and times >= 64):
            squares = (
                f"{a} = {sizes.root(a)}² and {b} = {sizes.root(b)}²: flattened windows, kernels or maps of another side"
            )
            yield causes.OTHER_RESOLUTION.since(squares, FITS)
            yield causes.OTHER_SETTING.since(squares, NUMBERS, **given)
        elif times and times <= 16:
            yield HEADS_OR_WINDOWS.since(f"{max(a, b)} is {times} times {min(a, b)}", FITS, **given)
            yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON if times == 2 else RARE)
        if a % 77 == b % 77 == 0:
            parts = f"{seen}: {a // 77} and {b // 77} times the 77 tokens that CLIP takes at once"
            yield causes.PROMPT_CHUNKS.since(parts, NUMBERS)
        near = abs(a - b) <= 2 < min(a, b) and {a, b} != {3, 4}
        if {a, b} == {3, 4}:
            points = f"{seen}: coordinates of points, with and without the 1 of homogeneous ones"
            yield causes.OTHER_COLUMNS.since(points, FITS + 0.02)
        tokens = f"{seen}, if the inner axis counts tokens" + (f": {abs(a - b)} more or less" if near else "")
        yield causes.OTHER_LENGTH.since(tokens, FITS + 0.06 if near else COMMON)
        yield causes.OTHER_VALUE.since(f"the inner sizes differ: {seen}", RARE)
    if left is not None and right is not None and len(left) == len(right) >= 3 and left[-1] and left[-1] == right[-1]:
        yield causes.TRANSPOSED_OPERAND.since(f"both end with {left[-1]}, as before a transpose", NUMBERS)
    if not apart and left is not None and right is not None and len(left) == len(right) <= 2:
        # only the batch axes are told
        for _, a, b in sizes.apart(left, right):
            seen = f"the batches differ, {a} against {b}"
            if 1 in (a, b):
                yield NOT_STRETCHED.since(f"{seen}: one of them is 1", NUMBERS)
            yield causes.LAST_BATCH.since(seen, FITS)
            yield causes.OTHER_BATCH.since(seen, COMMON + 0.05)
            yield causes.SWAPPED.since(f"{seen}; a factor with its axes in another order gives that", COMMON)
    elif not apart:
        common = "a common cause of this error; the message has no sizes"
        if named == 0:
            yield causes.LAST_BATCH.since(f"{common}, and is about the batches", COMMON + 0.03)
            yield causes.OTHER_BATCH.since(f"{common}, and is about the batches", COMMON + 0.02)
        yield causes.SWAPPED.since(common, COMMON)
        yield causes.LOST_AXIS.since(common, COMMON)
        yield causes.OTHER_BATCH.since(common, RARE)


# Einsum

OTHER_BASIS = Cause(
    "one operand is read from a file (a body or face model, a basis, a table, weights), and the file is of another "
    "version or variant than the code was written for: it holds more (or fewer) components",
    "Use the file that the project names, or set (or cut to) the number of components: {expected} against {got}.",
    "Print the shapes of what the file holds.",
)
WRONG_EQUATION = Cause(
    "the equation gives one letter to two different axes: the operands come in another order or layout than it says",
    "Write the letters in the order of the operands' axes, one letter for each axis.",
    "Print the operands' shapes beside the equation.",
)


def einsum(pasted: Pasted) -> Told:
    equation, letter = facts.word(pasted, "equation"), facts.word(pasted, "subscript")
    axis, a, b = None, facts.size(pasted, "a"), facts.size(pasted, "b")
    one, another = facts.shape(pasted, "one"), facts.shape(pasted, "another")
    if one is not None and another is not None:  # an axis for each letter, of 1 where an operand lacks it
        apart = [each for each in sizes.apart(one, another) if 1 not in each[1:]]
        axis, a, b = apart[0] if apart else (None, None, None)
    operand = facts.size(pasted, "operand")
    where = f" `{equation}`" if equation else ""
    operand_words = f" (operand {operand})" if operand is not None else ""
    if a is not None and b is not None and a != b:
        what = (
            f"the letter {letter} stands for {a} in one operand and for {b} in another"
            if letter
            else f"{a} against {b}" + ("" if axis is None else f" on axis {axis}")
        )
        evidence = list(_of_letter(a, b, "b" if axis == 0 else letter))
        if one is not None and another is not None and (a in another or b in one):
            both = (
                f"{a} and {b} stand in one operand both: {shaped(one)} and {shaped(another)}, as the letters lay them"
            )
            evidence.append(WRONG_EQUATION.since(both, NUMBERS))
    else:
        shapes = " and ".join(map(shaped, facts.shapes(pasted, "shapes")))
        what = f"the operands' axes do not fit its letters{': ' + shapes if shapes else ''}"
        evidence = list(_of_letters(facts.size(pasted, "expected"), facts.size(pasted, "got")))
    headline = f"einsum{where}: {what}{operand_words}"
    meaning = (
        "In an einsum every letter stands for one size, in all operands; only an axis of 1 is stretched, and each "
        f"operand has one letter for each of its axes. Here {what}."
    )
    return told(pasted, "SW104", headline, meaning, evidence)


def _of_letters(letters: Size, axes: Size) -> Iterator[Evidence]:
    """An operand has fewer or more axes than it has letters."""
    seen = "the equation and the operands' axes do not fit"
    if letters is not None and axes is not None:
        seen = f"{plural(letters, 'letter')} for {plural(axes, 'axis', 'axes')}"
        if axes < letters:
            yield causes.LOST_AXIS.since(f"{seen}: an axis of 1 (a batch of one) was squeezed away", FITS + 0.02)
            yield causes.MISSING_BATCH.since(seen, COMMON + 0.03)
        else:
            yield causes.EXTRA_AXIS.since(seen, FITS + 0.02)
    else:
        ones = f"{seen}; whether an axis of 1 is stretched to the other's size changed between releases"
        yield causes.OTHER_RELEASE.since(ones, COMMON + 0.02)
        yield causes.LOST_AXIS.since("a common cause of this error", COMMON)
        yield causes.EXTRA_AXIS.since("a common cause of this error", COMMON - 0.02)
    yield causes.OTHER_VALUE.since(seen, COMMON + 0.05)
    yield WRONG_EQUATION.since(seen, FITS if letters is None else COMMON + 0.01)


def _of_letter(a: int, b: int, letter: str) -> Iterator[Evidence]:
    seen, given = f"{a} against {b} for one letter", {"expected": a, "got": b}
    whole = sizes.is_width(a) and sizes.is_width(b)
    width = RARE if letter == "b" else FITS
    yield causes.OTHER_SETTING.since(f"{seen}: a width of the configuration and one of the data", width, **given)
    if whole:
        known = {a, b} <= sizes.ENCODERS.keys()
        yield causes.OTHER_ENCODER.since(encoders(a, b), FITS - 0.02 if known else COMMON, **given)
    if letter == "b":
        batch = f"{seen}, which mostly is the batch"
        yield causes.LAST_BATCH.since(batch, FITS + 0.04)
        yield causes.OTHER_BATCH.since(batch, FITS + 0.02 if sizes.ratio(a, b) else COMMON + 0.08)
        if sizes.ratio(a, b):
            yield causes.SPLIT_BATCH.since(f"{batch}: {max(a, b)} is {sizes.ratio(a, b)} times {min(a, b)}", FITS)
    yield WRONG_EQUATION.since(seen, COMMON)
    if max(a, b) >= 8 * min(a, b) and min(a, b) > 1:
        basis = f"{seen}: so few against so many are components of a basis, of which a file may hold more"
        yield OTHER_BASIS.since(basis, FITS - 0.04, **given)
    if sum(size % 16 == 0 for size in (a, b)) == 1 and min(a, b) >= 7:
        side = f"{seen}, if the letter counts places along an image: the model was built for one image size"
        yield causes.OTHER_RESOLUTION.since(side, COMMON + 0.06)
    yield causes.OTHER_LENGTH.since(
        f"{seen}, if the letter counts tokens or steps", COMMON - 0.05 if whole else COMMON + 0.05
    )
    if sizes.ratio(a, b):
        yield HEADS_OR_WINDOWS.since(f"{max(a, b)} is {sizes.ratio(a, b)} times {min(a, b)}", COMMON - 0.05, **given)
