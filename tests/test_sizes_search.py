"""The rule by which sizes fit, from a function that tells whether one does: against functions whose rule is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapewatch.sizes.accepted import Few, Found, Rule
from shapewatch.sizes.search import DRAWS, LARGEST_STEP, MOST_TRIED, OFFSETS, SpentError, describe, search

RULES: dict[str, tuple[Callable[[int], bool], int, Rule]] = {
    "any": (lambda n: n > 0, 224, Rule()),
    "one": (lambda n: n == 3, 3, Rule(3, 3)),
    "one, the smallest": (lambda n: n == 1, 1, Rule(1, 1)),
    "four halvings": (lambda n: n % 16 == 0, 224, Rule(16, None, 16)),
    "four halvings, and a window of 2": (lambda n: n % 16 == 0 and n >= 32, 224, Rule(32, None, 16)),
    "six halvings": (lambda n: n % 64 == 0, 256, Rule(64, None, 64)),
    "floors before a linear layer": (lambda n: n // 16 == 14, 224, Rule(224, 239)),
    "a table": (lambda n: n <= 512, 128, Rule(1, 512)),
    "a table, from one step": (lambda n: n <= 1024, 1, Rule(1, 1024)),
    "a table and halvings": (lambda n: n % 32 == 0 and n <= 1024, 224, Rule(32, 1024, 32)),
    "kernels without padding": (lambda n: n >= 29, 224, Rule(29)),
    "a norm in training": (lambda n: n >= 2, 4, Rule(2)),
    "halves of a batch": (lambda n: n % 2 == 0, 2, Rule(2, None, 2)),
    "odd": (lambda n: n % 2 == 1, 65, Rule(1, None, 2, (1,))),
    "rounded up, then doubled": (lambda n: math.ceil(n / 2) % 2 == 0, 64, Rule(3, None, 4, (0, 3))),
    "windows of patches": (lambda n: n >= 28 and n // 4 % 7 == 0, 224, Rule(28, None, 28, (0, 1, 2, 3))),
    "strides behind one more": (lambda n: n % 16 == 1 and n > 1, 33, Rule(17, None, 16, (1,))),
    "heads": (lambda n: n % 12 == 0, 768, Rule(12, None, 12)),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_of_networks_are_found(name: str) -> None:
    fits, start, rule = RULES[name]
    found = search(fits, start)
    assert found.accepts == rule
    assert len(found.drawn) <= DRAWS
    assert len(found.tried) <= MOST_TRIED


def test_what_has_no_rule_is_listed() -> None:
    def is_prime(n: int) -> bool:
        return n > 1 and all(n % factor for factor in range(2, math.isqrt(n) + 1))

    found = search(is_prime, 61)
    assert isinstance(found.accepts, Few)
    assert found.accepts.settled
    assert 61 in found.accepts.sizes
    assert all(map(is_prime, found.accepts.sizes))


def test_four_sizes_are_no_rule_of_a_step() -> None:
    """3, 6, 12 and 24 channels fit a kernel for 3 in TensorFlow, in groups; 21n + 3, 21n + 6 or 21n + 12 says more than
    was seen."""
    found = search(lambda n: n in (3, 6, 12, 24), 3)
    assert found.accepts == Few((3, 6, 12, 24))


def test_the_budget_ends_a_search_without_a_rule() -> None:
    asked: list[int] = []

    def fits(size: int) -> bool:
        if len(asked) == 20:
            raise SpentError
        asked.append(size)
        return size % 16 == 0

    found = search(fits, 64)
    assert isinstance(found.accepts, Few)
    assert not found.accepts.settled
    assert found.tried == tuple((size, size % 16 == 0) for size in sorted(set(asked)))


def test_a_search_begins_with_a_size_that_fits() -> None:
    with pytest.raises(ValueError, match="begins with a size that fits, and 3 does not"):
        search(lambda n: n == 4, 3)


def test_sizes_that_cannot_be_known_have_no_part_in_the_rule() -> None:
    found = search(lambda n: None if n > 300 else n % 8 == 0, 64)
    assert found.accepts == Rule(8, None, 8)
    assert max(size for size, _ in found.tried) <= 300


def test_sizes_that_are_asked_for_are_tried() -> None:
    found = search(lambda n: n % 16 == 0, 64, also=[300, 301])
    assert {300, 301} <= dict(found.tried).keys()


def test_no_more_is_tried_than_has_to_be() -> None:
    """A rule known from the height takes less to hold for the width, and is not believed where it does not."""
    whole = search(lambda n: n % 16 == 0, 64)
    assert isinstance(whole.accepts, Rule)
    again = search(lambda n: n % 16 == 0, 64, likely=whole.accepts)
    assert again.accepts == whole.accepts
    assert len(again.tried) < len(whole.tried)
    assert {size % 16 for size, _ in again.tried} == set(range(16))
    assert search(lambda n: n % 8 == 0, 64, likely=whole.accepts).accepts == Rule(8, None, 8)


# Against what is true


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Rules as networks have them: of one remainder, or of several and a small step."""
    step = draw(st.integers(1, LARGEST_STEP))
    most = 1 if step > 16 else min(3, step - 1 or 1)
    remainders = draw(st.sets(st.integers(0, step - 1), min_size=1, max_size=most))
    endless = Rule(1, None, step, tuple(sorted(remainders)))
    low = next(n for n in range(draw(st.integers(1, 300)), 1000) if endless.of_step(n))
    longest = low + step * draw(st.integers(8, 40))
    high = draw(st.sampled_from([None, max(n for n in range(low, longest + 1) if endless.of_step(n))]))
    return Rule(low, high, step, endless.remainders)


@settings(max_examples=150, deadline=None)
@given(rules(), st.integers(0, 6))
def test_a_rule_is_found_from_its_sizes(rule: Rule, begin: int) -> None:
    """Where it shows at all: at one of the offsets that are tried from a size that fits."""
    start = [size for size in range(rule.low, rule.low + 9 * rule.step) if size in rule][begin]
    assume(rule.low == rule.high or any(start + n in rule or start - n in rule for n in OFFSETS))
    found = search(lambda size: size in rule, start)
    if isinstance(found.accepts, Few):  # more would have to be tried than may be
        assert not found.accepts.settled
        return
    assert [n for n in range(1, 1500) if n in found.accepts] == [n for n in range(1, 1500) if n in rule]


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(1, 400), min_size=1), st.data())
def test_nothing_is_said_that_was_seen_to_be_false(fitting: set[int], data: st.DataObject) -> None:
    """Whatever fits: what is found agrees with all that was tried, and every size that was tried is told of."""
    start = data.draw(st.sampled_from(sorted(fitting)))
    asked: dict[int, bool] = {}

    def fits(size: int) -> bool:
        return asked.setdefault(size, size in fitting)

    found = search(fits, start)
    assert dict(found.tried) == asked
    assert_agrees(found)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 24), st.integers(0, 400), st.integers(1, 30))
def test_a_hole_that_was_met_is_not_passed_over(step: int, hole: int, begin: int) -> None:
    found = search(lambda n: n % step == 0 and n != hole * step, (begin + (begin == hole)) * step)
    assert_agrees(found)


def assert_agrees(found: Found) -> None:
    assert {size for size, fits in found.tried if fits} == {size for size, _ in found.tried if size in found.accepts}


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.integers(1, 200), st.booleans(), min_size=1, max_size=40))
def test_a_description_agrees_with_what_was_tried(tried: dict[int, bool]) -> None:
    if not any(tried.values()):
        return
    rule = describe(tried)
    assert rule is None or all(fits == (size in rule) for size, fits in tried.items())


@given(rules(), st.integers(1, 1200))
def test_next_sizes(rule: Rule, size: int) -> None:
    below, above = rule.below(size), rule.above(size)
    assert below == max((n for n in range(1, size) if n in rule), default=None)
    assert above == min((n for n in range(size + 1, 2500) if n in rule), default=None)
