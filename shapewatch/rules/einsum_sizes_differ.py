"""An einsum gives one letter to axes of different sizes, or its terms have another number of letters than axes.

## What it means
Every letter of an equation stands for one size. `bqd,bkd->bqk` needs the first and the last axis of both operands to be
equally long; the axes q and k may differ.

## Why
One of the two was made for another width, is transposed, or still has (or has lost) the axis of the heads.

## Bad
    torch.einsum("bqd,bkd->bqk", torch.ones(2, 5, 8), torch.ones(2, 5, 6))

## Good
    torch.einsum("bqd,bkd->bqk", torch.ones(2, 5, 8), torch.ones(2, 7, 8))

## Bad in Keras
    tf.einsum("bqd,bkd->bqk", tf.ones((2, 5, 8)), tf.ones((2, 5, 6)))

## Good in Keras
    tf.einsum("bqd,bkd->bqk", tf.ones((2, 5, 8)), tf.ones((2, 7, 8)))

## What it can be confused with
`inner-dims-differ`, which is the same of a matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import SetCall
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, listed, plural, rule


@rule("SW104", "einsum-sizes-differ", frozenset({"einsum"}))
def check(case: Case) -> Finding | None:
    equation = case.facts.get("equation")
    if case.layer is not None or not isinstance(equation, str) or "..." in equation:
        return None
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    if len(terms) != len(case.shapes):
        return None
    for operand, (term, shape) in enumerate(zip(terms, case.shapes, strict=True)):
        if len(term) != len(shape):
            return Finding(
                headline=f"{case.name}: `{term}` is for {plural(len(term), 'axis').replace('axiss', 'axes')}, and "
                f"operand {operand + 1} is {text(shape)}",
                explanation=f"In `{equation}` each letter stands for one axis of its operand.",
            )
    return _letters(case, equation, terms)


def _letters(case: Case, equation: str, terms: list[str]) -> Finding | None:
    """The first letter that stands for two sizes. A size of 1 is repeated to meet that of another operand, not that of
    another axis of its own."""
    met: dict[str, list[tuple[int, int, int]]] = {}
    for operand, (term, shape) in enumerate(zip(terms, case.shapes, strict=True)):
        for axis, (letter, size) in enumerate(zip(term, shape, strict=True)):
            own = {other for other, same in zip(shape, term, strict=True) if same == letter and other is not None}
            if size is not None and (size != 1 or len(own) > 1):
                met.setdefault(letter, []).append((operand, axis, size))
    for letter, places in met.items():
        if len({size for *_, size in places}) < 2:
            continue
        wants = [
            Want(case.call.operands[operand], {axis: Range.only(other)}, operand)
            for operand, axis, size in places
            for _, _, other in places
            if other != size
        ]
        said = [f"{size} on axis {axis} of operand {operand + 1}" for operand, axis, size in places]
        others = dict.fromkeys((*_spelled(case, equation, letter), *_spelled_in_one(case, equation)))
        return Finding(
            headline=f"{case.name}: `{letter}` of `{equation}` is {listed(said)}",
            explanation=f"{listed([text(shape) for shape in case.shapes])} are its operands; a letter stands for one "
            "size.",
            own=tuple((SetCall(case.call.place, "equation", other, equation),) for other in others),
            wants=tuple(wants),
        )
    return None


def _spelled(case: Case, equation: str, letter: str) -> Iterator[str]:
    """Equations in which the letter stands on another axis of every operand that has it, one that is equally long in
    all: heads on axis 2 of `[batch, time, heads, width]` and not on axis 1. What the product gives stays as it is."""
    terms, arrow, result = equation.replace(" ", "").partition("->")
    spelled = terms.split(",")
    having = [(term, shape) for term, shape in zip(spelled, case.shapes, strict=True) if letter in term]
    at = having[0][0].index(letter)
    if len(having) < 2 or len({(len(term), term.index(letter)) for term, _ in having}) > 1:
        return
    for axis in range(1, len(having[0][0])):
        sizes = {shape[axis] for _, shape in having}
        if axis == at or len(sizes) > 1 or None in sizes:
            continue
        other = [_exchanged(term, at, axis) if letter in term else term for term in spelled]
        if _agree(other, case.shapes):
            yield ",".join(other) + arrow + result


def _spelled_in_one(case: Case, equation: str) -> Iterator[str]:
    """Equations in which two letters of one operand change places, and all sizes then fit: `bkhd` for keys whose heads
    come after them. The batch, which is the first operand's first letter, stays where it is."""
    terms, arrow, result = equation.replace(" ", "").partition("->")
    spelled = terms.split(",")
    for operand, term in reversed([*enumerate(spelled)]):  # what comes first says what a letter is
        batched = operand == 0 or term[:1] == spelled[0][:1]
        for one, two in combinations(range(1 if batched else 0, len(term)), 2):
            other = [*spelled[:operand], _exchanged(term, one, two), *spelled[operand + 1 :]]
            if term[one] != term[two] and _agree(other, case.shapes):
                yield ",".join(other) + arrow + result


def _exchanged(term: str, one: int, other: int) -> str:
    letters = list(term)
    letters[one], letters[other] = letters[other], letters[one]
    return "".join(letters)


def _agree(terms: Sequence[str], shapes: Sequence[Shape]) -> bool:
    met: dict[str, set[int | None]] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(term, shape, strict=True):
            met.setdefault(letter, set()).add(size)
    return all(len(sizes) == 1 for sizes in met.values())
