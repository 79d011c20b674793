"""The rule by which sizes fit, from a function that tells whether one does.

The smallest description of what was tried is a guess; it is tried where it could be wrong, and described anew when it
is. A rule stands when all of these agree with it: the sizes next to its ends, every remainder over `periods` whole
periods, far ones, and sizes drawn when nothing else was left to ask. Nothing here knows of models.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count

from shapewatch.sizes.accepted import Few, Found, Rule

LARGEST_STEP = 64
MOST_REMAINDERS = 6
FARTHEST = 5000
"""No size above is tried, unless the given one is large itself: a table of positions has mostly up to 4,096."""

MOST_TRIED = 320
DRAWS = 12
FALSIFIED = 4
"""After so many rules that a drawn size speaks against, there is none."""

OFFSETS = (1, 2, 3, 4, 8, 16, 32, 36, 40, 42, 44, 48, 52, 56, 64, 192, 224, 240)
"""A rule of a step k with one remainder and no end takes a size at one of these offsets from another that it takes, for
every k up to 16 and many of those up to 64."""

_AROUND = 4

_PERIODS = 2

_LEAST_OF_A_STEP = 4


class SpentError(Exception):
    """There is nothing left of what the passes may cost."""


Fits = Callable[[int], bool | None]
"""Whether a size fits; None where that cannot be known."""


def search(fits: Fits, start: int, *, also: Sequence[int] = (), likely: Rule | None = None, farthest: int = 0) -> Found:
    """The rule by which `fits` takes sizes, from one that it takes.

    Args:
        also: sizes that are asked for, and have to be tried.
        likely: a rule that was found of another axis like this one; where it holds, it is tried at its ends, over one
            period and at sizes drawn, and not searched for anew.
        farthest: the largest size to be tried; by default `FARTHEST`, or 4 times the first.

    Raises:
        ValueError: `fits` does not take the given size.
    """
    if not fits(start):
        raise ValueError(f"the search begins with a size that fits, and {start} does not")
    farthest = farthest or max(FARTHEST, 4 * start)
    tried, unknown, falsified = {start: True}, set[int](), 0

    def agrees(size: int, rule: Rule) -> bool:
        if size in tried or size in unknown:
            return size in unknown or tried[size] == (size in rule)
        if len(tried) >= MOST_TRIED:
            raise SpentError
        answer = fits(size)
        if answer is None:
            unknown.add(size)
            return True
        tried[size] = answer
        return answer == (size in rule)

    try:
        while falsified < FALSIFIED:
            rule = likely or describe(tried)
            if rule is None:
                break
            doubts = _doubts_of_likely if likely else _doubts
            if not all(agrees(size, rule) for size in chain(also, doubts(rule, tried, unknown, start, farthest))):
                likely = None
                continue
            drawn = _drawn(rule, tried, unknown)
            if all(agrees(size, rule) for size in drawn):
                if _is_chance(rule):
                    break
                return Found(rule, tuple(sorted(tried.items())), tuple(sorted(set(drawn) - unknown)))
            likely, falsified = None, falsified + (likely is None)
    except SpentError:
        return Found(_few(tried, settled=False), tuple(sorted(tried.items())))
    return Found(_few(tried, settled=True), tuple(sorted(tried.items())))


def describe(tried: Mapping[int, bool]) -> Rule | None:
    """The smallest rule with which everything tried agrees: of the fewest remainders, then of the smallest step; None
    where there is none."""
    found: Rule | None = None
    for step in range(1, LARGEST_STEP + 1):
        remainders = tuple(sorted({size % step for size, fits in tried.items() if fits}))
        if len(remainders) > MOST_REMAINDERS or (step > 1 and len(remainders) == step):
            continue
        if found is not None and len(remainders) >= len(found.remainders):
            continue
        rule = _between_its_ends(step, remainders, tried)
        if all(fits == (size in rule) for size, fits in tried.items()):
            found = rule
    return found


def _between_its_ends(step: int, remainders: tuple[int, ...], tried: Mapping[int, bool]) -> Rule:
    """The rule of a step that ends where a size of that step does not fit, and goes on where none was found."""
    endless = Rule(1, None, step, remainders)
    fitting = [size for size, fits in tried.items() if fits]
    refused = [size for size, fits in tried.items() if not fits and endless.of_step(size)]
    least, most = min(fitting), max(fitting)
    low = least if any(size < least for size in refused) else next(n for n in count(1) if endless.of_step(n))
    return Rule(low, most if any(size > most for size in refused) else None, step, remainders)


def _is_chance(rule: Rule) -> bool:
    """Whether a rule of a step is about so few sizes that another would describe them as well."""
    if rule.high is None or rule.step == 1:
        return False
    sizes = list(rule.between(rule.low, rule.high))
    return len(sizes) < max(_LEAST_OF_A_STEP, _PERIODS * len(rule.remainders))


def _few(tried: Mapping[int, bool], settled: bool) -> Few:
    return Few(tuple(sorted(size for size, fits in tried.items() if fits)), settled)


# Where a rule could be wrong


def _doubts(rule: Rule, tried: Mapping[int, bool], unknown: set[int], start: int, farthest: int) -> Iterator[int]:
    doubted = chain(
        _low_end(rule, tried, unknown),
        _high_end(rule, tried, unknown, start, farthest),
        _beside(rule, start),
        _all_remainders(rule, start),
    )
    return (size for size in doubted if 1 <= size <= farthest)


def _doubts_of_likely(rule: Rule, _: Mapping[int, bool], __: set[int], start: int, farthest: int) -> Iterator[int]:
    """Both ends and the sizes next to them, every remainder once, and a far one."""
    beyond = [*rule.between(rule.low - rule.step, rule.low)][:-1]
    if rule.high is not None:
        beyond += [rule.high, *rule.between(rule.high + 1, rule.high + rule.step)]
    doubted = chain((rule.low,), beyond, range(start + 1, start + max(rule.step, _AROUND)), (2 * start, farthest))
    return (size for size in doubted if 1 <= size <= farthest)


def _beside(rule: Rule, start: int) -> Iterator[int]:
    """Sizes above and below the rule's ends at which a rule of a larger step, or another range, would show."""
    if rule.high is not None:
        yield from (rule.high + offset for offset in OFFSETS)
        yield from (2 * start, 3 * start, 4 * start)
    if rule.step == 1:
        yield from (rule.low - offset for offset in OFFSETS)
        yield from (start // 2, 1)


def _low_end(rule: Rule, tried: Mapping[int, bool], unknown: set[int]) -> Iterator[int]:
    """The low end itself and, by halving, the sizes between it and the largest that is refused below it."""
    yield rule.low
    while True:
        refused = max((n for n, fits in tried.items() if not fits and n < rule.low and rule.of_step(n)), default=0)
        between = [n for n in rule.between(refused + 1, rule.low - 1) if n not in unknown]
        if not refused or not between:
            return
        yield between[len(between) // 2]


def _high_end(rule: Rule, tried: Mapping[int, bool], unknown: set[int], start: int, farthest: int) -> Iterator[int]:
    """Ever larger sizes, up to the first that is refused; by halving, those between the high end and that one."""
    if rule.high is None:
        size = 2 * start
        while size < farthest:
            yield from rule.between(size, size + rule.step - 1)
            size *= 2
        yield from rule.between(farthest - rule.step + 1, farthest)
        return
    while True:
        high = rule.high
        refused = min((n for n, fits in tried.items() if not fits and n > high and rule.of_step(n)), default=0)
        between = [n for n in rule.between(high + 1, refused - 1) if n not in unknown]
        if not refused or not between:
            return
        yield between[len(between) // 2]


def _all_remainders(rule: Rule, start: int) -> Iterator[int]:
    """Every remainder over whole periods, where the rule takes sizes; of a rule without a step, its surroundings."""
    if rule.step > 1:
        length = rule.step * _PERIODS
        begin = start if rule.high is None else max(rule.low, min(start, rule.high - length))
        yield from range(begin, begin + length + 1)
    else:
        yield from range(start - _AROUND, start + _AROUND + 1)
    yield from range(rule.low + 1, rule.low + _AROUND)  # where maps have few places, other things fail


def _drawn(rule: Rule, tried: Mapping[int, bool], unknown: set[int]) -> list[int]:
    """Sizes that had no part in finding the rule: of those it takes and of all, half of each. The same in every run."""
    chance = random.Random(str(rule))
    reach = min(max(tried), rule.high or max(tried))
    new = [size for size in range(1, max(tried) + 1) if size not in tried and size not in unknown]
    taken = [size for size in new if rule.low <= size <= reach and rule.of_step(size)]
    chosen = chance.sample(taken, min(DRAWS // 2, len(taken)))
    rest = [size for size in new if size not in chosen]
    return chosen + chance.sample(rest, min(DRAWS - len(chosen), len(rest)))
