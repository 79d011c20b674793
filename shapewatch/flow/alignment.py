"""Which call of one pass is which of another: an alignment of two courses that pairs the calls that are most alike.

A longest common subsequence with weights, as sequences of letters are aligned since Needleman and Wunsch (1970): calls
of one kind may be a pair, the more they share (place, settings, shapes) the better, and a call may stay alone at no
price. What is the same at both ends is paired beforehand, so two recordings of one model cost next to nothing.

Branches run in whatever order a framework likes: PyTorch runs a skip after the main branch, Keras level by level. So
what stayed alone on both sides and is the same call is paired afterwards, across the order.
"""

from __future__ import annotations

from shapewatch.flow.course import Course, Stop
from shapewatch.recording import Shape, Size

Pair = tuple[Stop | None, Stop | None]

RECEIVED = frozenset(
    "in_channels in_features num_features num_channels normalized_shape input_size embed_dim shape".split()
)
"""Settings that follow what a call is given."""

MOST_PAIRS = 4_000_000
"""Of more, only those near the diagonal are looked at."""


def align(a: Course, b: Course, stops_a: list[Stop], stops_b: list[Stop]) -> list[Pair]:
    """The stops of both in order, each with its partner or alone."""
    one_framework = a.recording.framework == b.recording.framework
    begin, end = 0, 0
    shortest = min(len(stops_a), len(stops_b))
    while begin < shortest and _identical(stops_a[begin], stops_b[begin], one_framework):
        begin += 1
    while end < shortest - begin and _identical(stops_a[-1 - end], stops_b[-1 - end], one_framework):
        end += 1
    middle = _aligned(stops_a[begin : len(stops_a) - end], stops_b[begin : len(stops_b) - end], one_framework)
    head = list(zip(stops_a[:begin], stops_b[:begin], strict=True))
    tail = list(zip(stops_a[len(stops_a) - end :], stops_b[len(stops_b) - end :], strict=True))
    pairs = _reordered([*head, *middle, *tail], one_framework)
    return _along_the_flow(pairs, _sources(a, stops_a), _sources(b, stops_b))


def _reordered(pairs: list[Pair], one_framework: bool) -> list[Pair]:
    """The pairs of calls with other settings, taken apart where each of the two finds a better partner elsewhere."""
    loose: list[Pair] = []
    first: list[tuple[Stop, Stop]] = []
    for a, b in pairs:
        if a is None or b is None or _same_call(a, b) or (one_framework and _named_alike(a, b)):
            loose.append((a, b))
        else:
            first.append((a, b))
            loose += [(a, None), (None, b)]
    found = _across(_across(loose, True), False)
    alone = {id(stop) for pair in found for stop in pair if None in pair}
    again = [(a, b) for a, b in first if id(a) in alone and id(b) in alone]
    partner, gone = {id(a): b for a, b in again}, {id(b) for _, b in again}
    return [(a, partner.get(id(a), b) if b is None else b) for a, b in found if not (a is None and id(b) in gone)]


def _named_alike(a: Stop, b: Stop) -> bool:
    """Whether both are the same place by the names that somebody gave."""
    return a.call.place == b.call.place and not (a.layer is not None and a.layer.auto_named)


def _across(pairs: list[Pair], with_shapes: bool) -> list[Pair]:
    """Pair what stayed alone on both sides: the same kind of call with the same settings, and the same shapes or, in a
    second round, whatever shapes they have by then."""
    alone = [(at, b) for at, (a, b) in enumerate(pairs) if a is None and b is not None]
    taken: set[int] = set()
    paired = list(pairs)
    for at, (a, b) in enumerate(pairs):
        if a is None or b is not None:
            continue
        fitting = [
            (abs(at - place), place)
            for place, other in alone
            if place not in taken and _same_call(a, other) and (not with_shapes or _same_shapes(a, other))
        ]
        if fitting:
            _, place = min(fitting)
            taken.add(place)
            paired[at] = (a, pairs[place][1])
    return [pair for at, pair in enumerate(paired) if at not in taken]


Sources = dict[int, frozenset[int]]
"""Of a call, by its number, the calls that gave what it takes."""


def _sources(course: Course, told: list[Stop]) -> Sources:
    """Through the calls that are not told of, such as activations."""
    numbers, giver = {stop.call.number for stop in told}, dict[int, int]()
    sources: Sources = {}
    for stop in course.stops:
        call = stop.call
        before = [giver[operand] for operand in call.operands if operand in giver]
        sources[call.number] = frozenset(before)
        for result in call.results:
            if call.number in numbers:
                giver[result] = call.number
            elif before:
                giver[result] = before[0]
    return sources


def _along_the_flow(pairs: list[Pair], sources_a: Sources, sources_b: Sources) -> list[Pair]:
    """Of two calls that are alike and one of which stays alone, the one is paired that takes what the partner takes."""
    partner = {a.call.number: b.call.number for a, b in pairs if a is not None and b is not None}

    def fits(a: Stop, b: Stop) -> bool:
        return {partner.get(number) for number in sources_a[a.call.number]} == sources_b[b.call.number]

    better = list(pairs)
    for at, (a, b) in enumerate(pairs):
        if (a is None) == (b is None):
            continue
        for place, (other_a, other_b) in enumerate(better):
            if other_a is None or other_b is None or fits(other_a, other_b):
                continue
            if a is not None and _same_call(a, other_a) and _same_shapes(a, other_a) and fits(a, other_b):
                better[at], better[place] = (a, other_b), (other_a, None)
                break
            if b is not None and _same_call(b, other_b) and _same_shapes(b, other_b) and fits(other_a, b):
                better[at], better[place] = (other_a, b), (None, other_b)
                break
    return better


def _same_call(a: Stop, b: Stop) -> bool:
    shared = (a.settings.keys() & b.settings.keys()) - RECEIVED
    return a.call.kind == b.call.kind and all(a.settings[name] == b.settings[name] for name in shared)


def _same_shapes(a: Stop, b: Stop) -> bool:
    return alike(a.takes, b.takes) and alike(a.gives, b.gives)


def _identical(a: Stop, b: Stop, one_framework: bool) -> bool:
    same_place = a.call.place == b.call.place or not one_framework
    return same_place and a.call.kind == b.call.kind and a.settings == b.settings and a.gives == b.gives


def _aligned(stops_a: list[Stop], stops_b: list[Stop], one_framework: bool) -> list[Pair]:
    rows, columns = len(stops_a), len(stops_b)
    reach = max(rows, columns) if rows * columns <= MOST_PAIRS else max(MOST_PAIRS // max(rows, 1), abs(rows - columns))
    best = [0] * (columns + 1)
    moves = []
    for row, a in enumerate(stops_a):
        above, best, move = best, [0] * (columns + 1), bytearray(columns + 1)
        for column, b in enumerate(stops_b):
            likeness = _likeness(a, b, one_framework) if abs(row - column) <= reach else 0
            paired = above[column] + likeness if likeness else -1
            # of equals the pair, then the one that leaves the later call alone: an inserted block comes out whole
            best[column + 1], move[column + 1] = max(
                (paired, _PAIR), (above[column + 1], _ALONE_A), (best[column], _ALONE_B)
            )
        moves.append(move)
    return _traced(stops_a, stops_b, moves)


_ALONE_B, _ALONE_A, _PAIR = 0, 1, 2


def _traced(stops_a: list[Stop], stops_b: list[Stop], moves: list[bytearray]) -> list[Pair]:
    row, column = len(stops_a), len(stops_b)
    pairs: list[Pair] = []
    while row or column:
        move = _ALONE_A if not column else _ALONE_B if not row else moves[row - 1][column]
        if move == _PAIR:
            row, column = row - 1, column - 1
            pairs.append((stops_a[row], stops_b[column]))
        elif move == _ALONE_A:
            row -= 1
            pairs.append((stops_a[row], None))
        else:
            column -= 1
            pairs.append((None, stops_b[column]))
    return pairs[::-1]


def _likeness(a: Stop, b: Stop, one_framework: bool) -> int:
    """How much speaks for a pair; 0 for what is none."""
    if a.call.kind != b.call.kind or ((a.layer is None) != (b.layer is None) and one_framework):
        return 0
    likeness = 4 if a.is_learned else 2
    if one_framework and a.call.place == b.call.place:
        likeness += 8 if _named_alike(a, b) else 2
    elif _last_word(a) == _last_word(b):
        likeness += 1
    shared = a.settings.keys() & b.settings.keys()
    likeness += sum(2 for name in shared if a.settings[name] == b.settings[name]) if len(shared) < 4 else 0
    if len(shared) >= 4:
        likeness += 6 * sum(a.settings[name] == b.settings[name] for name in shared) // len(shared)
    likeness += 2 * (alike(a.gives, b.gives)) + alike(a.takes, b.takes)
    return likeness


def _last_word(stop: Stop) -> str:
    return stop.name.rpartition(".")[2].rstrip("0123456789_").lower()


def alike(a: tuple[Shape, ...], b: tuple[Shape, ...]) -> bool:
    """Whether shapes may be the same, as far as they are known. The batch, the first axis, is not looked at."""
    return len(a) == len(b) and all(
        len(one) == len(other) and all(map(_may_equal, one[1:], other[1:])) for one, other in zip(a, b, strict=True)
    )


def _may_equal(one: Size, other: Size) -> bool:
    return one is None or other is None or one == other
