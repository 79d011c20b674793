"""Arithmetic on sizes: what two of them, or two shapes, may have to do with each other; no cause is sure here.

A size that is not known (None) is in no relation to any other.
"""

from __future__ import annotations

from itertools import permutations, zip_longest
from math import gcd, isqrt, prod

from shapewatch.recording import Shape, Size

Apart = tuple[int | None, int, int]
"""An axis (None where the text does not name it), and its two sizes."""


def difference(a: Size, b: Size) -> int | None:
    return None if a is None or b is None else abs(a - b)


def is_less(a: Size, b: Size) -> bool:
    """Whether it is known to be less."""
    return a is not None and b is not None and a < b


def ratio(a: Size, b: Size) -> int | None:
    """How many times the smaller goes into the larger, where it does so without a rest, and more than once."""
    if not a or not b or a == b:
        return None
    small, large = sorted((a, b))
    return large // small if small > 0 and large % small == 0 else None


def in_ratio(a: int, b: int) -> str:
    """In which ratio two sizes stand, in words."""
    common = gcd(a, b)
    small = common > 1 and max(a, b) // common <= 32
    return f"in the ratio of {a // common} to {b // common}" if small else "in no simple ratio"


def is_power_of_two(number: int | None) -> bool:
    return number is not None and number > 1 and number & (number - 1) == 0


def root(number: Size) -> int | None:
    """The side of a square of this many."""
    return isqrt(number) if number is not None and number > 0 and isqrt(number) ** 2 == number else None


def grid(tokens: Size) -> tuple[int, int] | None:
    """The side of a square grid of patches, and how many tokens stand beside it (none, a class token, or two).
    Grids below 4 x 4 are left out: too many numbers are near a small square."""
    if tokens is None:
        return None
    found = [(side, extra) for extra in (0, 1, 2) if (side := root(tokens - extra)) is not None and side >= 4]
    return found[0] if found else None


def count(shape: Shape | None) -> int | None:
    """How many values there are."""
    return None if shape is None else product(shape)


def product(sizes: tuple[Size, ...]) -> int | None:
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == len(sizes) else None


def apart(left: Shape, right: Shape) -> list[tuple[int, int, int]]:
    """Where two shapes differ, aligned at their last axes; an axis counts in the longer one."""
    rank = max(len(left), len(right))
    pairs = zip_longest(reversed(left), reversed(right))
    found = [(rank - 1 - at, a, b) for at, (a, b) in enumerate(pairs) if a is not None and b is not None and a != b]
    return found[::-1]


def stretchable(left: Shape, right: Shape) -> bool:
    """Whether broadcasting would make them fit, as far as the sizes are known."""
    return all(1 in (a, b) for _, a, b in apart(left, right))


def axes_of(size: Size, shape: Shape | None) -> list[int]:
    return [] if size is None or shape is None else [axis for axis, other in enumerate(shape) if other == size]


def is_reordered(left: Shape, right: Shape) -> bool:
    """Whether one is the other with its axes in another order; sizes of one tell nothing. The first axis may be
    unknown in both, as a batch is."""
    if len(left) > 2 and left[:1] == right[:1] == (None,):
        left, right = left[1:], right[1:]
    return (
        left != right
        and None not in left
        and len(left) == len(right)
        and sorted(map(str, left)) == sorted(map(str, right))
    )


def order_that_gives(wanted: Shape, given: Shape) -> tuple[int, ...] | None:
    """The first order of its axes, other than its own, with which the given shape fits the wanted one. The first axis
    stays where it is."""
    if len(wanted) != len(given) or not 3 <= len(given) <= 5:
        return None

    def fits(order: tuple[int, ...]) -> bool:
        pairs = zip(wanted, (given[axis] for axis in order), strict=True)
        return all(want is None or got is None or want == got for want, got in pairs)

    rest = tuple(range(1, len(given)))
    return next(((0, *order) for order in permutations(rest) if order != rest and fits((0, *order))), None)


def squeezed(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def is_merged(short: Shape, long: Shape) -> bool:
    """Whether one is the other with neighbouring axes made one: `(6, 5)` or `(30,)` of `(2, 3, 5)`."""
    if not short or len(short) >= len(long) or None in short or None in long or 0 in long:
        return False
    end = len(long) - len(short) + 1
    return any(
        long[at : at + end].count(1) < end - 1
        and short == (*long[:at], product(long[at : at + end]), *long[at + end :])
        for at in range(len(short))
    )


def same_maps(a: Size, b: Size) -> tuple[int, int, int] | None:
    """Two widths as flattened square maps with the same channels: the channels and both sides. At least 4 channels."""
    if not a or not b or a == b or a < 0 or b < 0:
        return None
    common = gcd(a, b)
    one, other = root(a // common), root(b // common)
    if one is None or other is None or common < 4:
        return None
    return common, one, other


def is_width(size: Size) -> bool:
    """Whether a number of features looks like an encoder's: a multiple of 64 from 128 to 8192."""
    return size is not None and 128 <= size <= 8192 and size % 64 == 0


ENCODERS = {
    384: "small vision transformers, MiniLM",
    512: "ResNet-18 and 34, CLIP, VGG's maps",
    768: "base transformers (BERT, ViT, CLIP's text)",
    1024: "large transformers, GoogLeNet",
    1152: "SigLIP's images",
    1280: "MobileNetV2, EfficientNet-B0, huge vision transformers",
    1536: "Inception-ResNet, DINOv2 giant",
    1792: "EfficientNet-B4",
    2048: "ResNet-50 to 152, Inception v3",
    2208: "DenseNet-161",
    2304: "language models of 2 billion weights (Gemma)",
    2560: "language models of 2 to 4 billion weights",
    3072: "language models of 3 billion weights",
    3584: "language models of 7 billion weights (Qwen2)",
    3840: "language models of 12 billion weights (Gemma)",
    4096: "VGG's and C3D's dense layers, language models of 7 to 8 billion weights",
    5120: "language models of 13 to 14 billion weights",
}
"""Well-known numbers of features, and who has them: a hint for the eye, never a proof."""


def patches(a: Size, b: Size) -> tuple[int, int, int] | None:
    """Two widths as square patches of images, flattened with their channels, of which one has three (RGB) and the
    other one to four: the side, and both numbers of channels. Not where both are widths of encoders."""
    for side in (32, 16, 14, 8):
        one, other = (size // side**2 if size and size % side**2 == 0 else 0 for size in (a, b))
        if 1 <= one <= 4 and 1 <= other <= 4 and one != other and 3 in (one, other):
            return None if {a, b} <= ENCODERS.keys() else (side, one, other)
    return None


def are_frames(a: Size, b: Size) -> bool:
    """Whether both are one more than a multiple of four, as models of clips count frames (81, 77), and no grids."""
    if a is None or b is None or a == b or min(a, b) < 5 or max(a, b) > 257:
        return False
    return a % 4 == b % 4 == 1


def rounded(side: int, other: int) -> int | None:
    """The stride to whose next multiple, up or down, a side was brought: the largest of the usual ones."""
    for stride in (64, 32, 16, 8):
        if side % stride and other % stride == 0 and abs(side - other) < stride:
            return stride
    return None


def are_sides(a: Size, b: Size) -> bool:
    """Whether two sizes are height and width of images as cameras and screens have them: 3 to 4, 9 to 16, 2 to 3."""
    if not a or not b or a % 8 or b % 8 or {a, b} <= ENCODERS.keys():
        return False
    low, high = sorted((a, b))
    proportions = ((3, 4), (9, 16), (2, 3), (4, 5))
    return low >= 96 and high <= 8192 and any(low * wide == high * tall for tall, wide in proportions)


def cells_apart(a: Size, b: Size) -> tuple[int, int] | None:
    """Two sides as cells of one level of a pyramid, where a deeper level has half of them, rounded up: how many pixels
    a cell has (8 to 64), and the odd number of cells that there are in the smaller one."""
    gap = difference(a, b)
    if gap not in (8, 16, 32, 64) or a is None or b is None or min(a, b) % gap:
        return None
    cells = min(a, b) // gap
    return (gap, cells) if cells % 2 and cells >= 5 else None


def places_apart(sides: tuple[int, int], counts: tuple[int, int]) -> tuple[int, int] | None:
    """Two counts of places of one map, cut into patches, where one rounds a side up and the other down: that side, and
    the stride."""
    for stride in (2, 4, 8, 16):
        one, other = sides
        rounded_up, rounded_down = -(-one // stride) * -(-other // stride), (one // stride) * (other // stride)
        odd = [side for side in sides if side % stride]
        if len(odd) == 1 and rounded_down > 16 and {rounded_up, rounded_down} == {*counts}:
            return odd[0], stride
    return None


def rows_apart(a: Size, b: Size) -> tuple[int, int] | None:
    """Two counts of places as rows of one length, one of them with one row more: how long a row is, and the fewer
    rows. At least 8 rows of 8."""
    gap = difference(a, b)
    if not gap or gap < 8 or a is None or b is None or min(a, b) % gap or min(a, b) < 8 * gap:
        return None
    return gap, min(a, b) // gap


def steps_apart(a: Size, b: Size) -> tuple[int, int, int] | None:
    """Two counts of rows as equally many sequences, one of which has a step more: how many, and the steps of each.
    At least 8 steps."""
    gap = difference(a, b)
    if not gap or a is None or b is None or gap == 1 or a % gap or b % gap or min(a, b) < 8 * gap:
        return None
    return gap, a // gap, b // gap


MELS = frozenset({40, 64, 80, 100, 128, 160})
"""Numbers of mel bands: of recognisers, of vocoders, of Whisper's variants."""
BINS = frozenset({161, 201, 257, 401, 513, 601, 801, 1025, 2049})
"""Numbers of a spectrum's bins, half a window and one."""


def spectra(a: Size, b: Size) -> str | None:
    """What two numbers of a spectrogram's rows are, where one or both of them are no numbers of filters; twice as many
    where real and imaginary parts, or two channels, stand one above the other."""
    if a is None or b is None or a == b:
        return None
    for one, other in ((a, b), (b, a)):
        bins = one if one in BINS else one // 2 if one % 2 == 0 and one // 2 in BINS else None
        if bins is not None:
            twice = "2 x " if one != bins else ""
            if other in MELS or (other % 2 == 0 and other // 2 in MELS):
                return f"{one} = {twice}({2 * bins - 2} / 2 + 1) bins of a linear spectrum, {other} are mel bands"
            if other in BINS or (other % 2 == 0 and other // 2 in BINS):
                return f"{one} = {twice}({2 * bins - 2} / 2 + 1) bins, and {other} are those of another window"
    # 64 and 128 are numbers of filters as well
    return f"{a} and {b} are usual numbers of mel bands" if {a, b} <= MELS - {64} and 80 in (a, b) else None


def divides(part: Size, whole: Size) -> bool:
    return bool(part) and whole is not None and whole % part == 0  # type: ignore[operator]
