"""Operations of a forward with another setting than was meant: than their siblings have, where they do the same, or
than what comes behind them was made for.

A size that comes out right when an operation runs along another axis is what some layer was made for all along, and no
layer is changed for it: that is seldom chance, while a layer can always be made as wide as whatever comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice, permutations
from typing import Any

from shapewatch import axes
from shapewatch.edits import Insert, Module, SetCall
from shapewatch.recording import Call, Shape, text
from shapewatch.repair.candidate import Candidate, short
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.losses import batch_lost
from shapewatch.rules.rule import Case, listed

SETTINGS = frozenset({"dim", "dims", "shape", "equation", "keepdim", "swap", "transpose_a", "transpose_b"})
"""Settings of operations that the code of a forward writes down, and that do not follow from the sizes it is given."""

_ADDING_AXES = frozenset({"unsqueeze", "index", "reshape", "expand"})
"""Kinds of operations by which a tensor gets axes of size 1: `x[:, None]` is an index."""


def odd_operations(evidence: Evidence) -> Iterator[Candidate]:
    """Settings that make the operations of a layer those of its siblings.

    Only layers that ran the same operations in the same order are compared: they run the same code. What one line of
    it does several times (`self.split(q), self.split(k)`) is changed together, as it would be in the program.
    """
    forwards = _forwards(evidence)
    for layer in _concerned(evidence, forwards):
        seen: dict[tuple[SetCall, ...], tuple[float, list[str]]] = {}
        for weight, others in evidence.siblings.rows_of(layer):
            doing = [other for other in others if _runs_as(forwards.get(other, ()), forwards[layer])]
            certainty = min(1.0, 0.4 + 0.2 * len(doing))
            for other in doing:
                for edits in _differences(layer, forwards[layer], forwards[other]):
                    worth, names = seen.get(edits, (0.0, []))
                    seen[edits] = worth + weight * certainty / len(doing), [*names, other]
        for edits, (worth, names) in seen.items():
            said = (
                f"{listed(names[:3])} {'have' if len(names) > 1 else 'has'} {edits[0].argument} {short(edits[0].value)}"
            )
            yield Candidate(edits, worth, 1, (said,))


def left_out(evidence: Evidence) -> Iterator[Candidate]:
    """Axes of size 1 that the siblings of a layer give to operands, where this one does not.

    What a line of the siblings does to several tensors is put in together.
    """
    case, forwards = evidence.case, _forwards(evidence)
    layer, ours = case.call.layer, forwards.get(case.call.layer, [])
    if case.call.is_layer or not ours or ours[-1].place != case.call.place:
        return
    for weight, others in evidence.siblings.rows_of(layer):
        for other in others:
            edits = tuple(_as_there(evidence, layer, ours, forwards.get(other, [])))
            if edits:
                yield Candidate(edits, 0.6 * weight, 1, (f"{other} gives them axes of size 1",))


def _as_there(evidence: Evidence, layer: str, ours: Sequence[Call], theirs: Sequence[Call]) -> Iterator[Insert]:
    """What the sibling does, and this layer does not, between the operations that both do."""
    recording = evidence.case.recording
    kept = [call for call in theirs if call.kind not in _ADDING_AXES]
    if len(kept) == len(theirs) or any(call.kind in _ADDING_AXES for call in ours) or not _runs_as(kept, ours):
        return
    for call in theirs:
        if call.kind not in _ADDING_AXES or not call.operands or not call.results:
            continue
        after = recording.shape(call.results[0])
        dims = axes.added(recording.shape(call.operands[0]), after)
        users = [user for user in kept if call.results[0] in user.operands]
        for user in users if dims else ():
            module = Module("unsqueeze", {"dims": dims, "rank": len(after)})
            yield Insert(f"{layer}:{user.name}:{user.occurrence}", user.operands.index(call.results[0]), module)


def _forwards(evidence: Evidence) -> Mapping[str, Sequence[Call]]:
    """The operations of each layer's own forward, in order."""
    found: dict[str, list[Call]] = defaultdict(list)
    for unit in evidence.case.graph.units:
        if not unit.is_layer:
            found[unit.layer].append(unit)
    return found


def _concerned(evidence: Evidence, forwards: Mapping[str, Sequence[Call]]) -> list[str]:
    """The layers whose operations lead to the failure, and the one in which it stands."""
    graph, call = evidence.case.graph, evidence.case.call
    leading = 0
    for operand in call.operands:
        leading |= graph.ancestors[operand]
    return [
        layer
        for layer, calls in forwards.items()
        if any(one is call or any(leading >> result & 1 for result in one.results) for one in calls)
    ]


def _runs_as(other: Sequence[Call], calls: Sequence[Call]) -> bool:
    names = [call.name for call in calls]
    return len(other) >= len(calls) and [call.name for call in other[: len(calls)]] == names


def _differences(layer: str, calls: Sequence[Call], other: Sequence[Call]) -> Iterator[tuple[SetCall, ...]]:
    for ours, theirs in zip(calls, other, strict=False):
        for argument in sorted(SETTINGS & ours.facts.keys() & theirs.facts.keys()):
            now, value = ours.facts[argument], theirs.facts[argument]
            if now is None or value is None or now == value:
                continue
            line = [call for call in other if call.name == theirs.name and call.span == theirs.span]
            yield tuple(
                SetCall(f"{layer}:{call.name}:{call.occurrence}", argument, call.facts.get(argument), now)
                for call in line
            )


# Along another axis

_ALONG_ONE = frozenset({"reduce", "split", "glu", "concat", "stack", "unsqueeze"})
"""Kinds of operations that are told one axis to run along."""

_JOINING = frozenset({"concat", "split", "glu"})

_MOST_BEFORE = 12
"""So many units before the failure are asked."""

_MOST = 10
"""So many are tried: each costs a pass, and there is time for some forty."""

_WORTH = 0.85
_WORTH_OF_KEEPING = 0.6


def along_another_axis(evidence: Evidence) -> Iterator[Candidate]:
    yield from islice(sorted(_candidates(evidence), key=lambda candidate: -candidate.score), _MOST)


def _candidates(evidence: Evidence) -> Iterator[Candidate]:
    for hops, units in _running_alike(evidence):
        for group in [units] if len(units) == 1 else [units, units[:1]]:
            yield from _otherwise_along(evidence, group, hops)
            yield from _kept_along(evidence, group, hops)


def _running_alike(evidence: Evidence) -> Iterator[tuple[int, list[Call]]]:
    """The operations before the failure that run along an axis: those of one layer along the same one together, with
    how far away the nearest is. A line of a loop is one."""
    graph = evidence.case.graph
    alike: dict[tuple[str, str, int], list[Call]] = defaultdict(list)
    far: dict[tuple[str, str, int], int] = {}
    for hops, unit in before(evidence):
        dim = graph.facts(unit).get("dim")
        if unit.kind not in _ALONG_ONE or unit.is_layer or not isinstance(dim, int) or not unit.operands:
            continue
        key = (unit.kind, unit.layer, dim)
        far.setdefault(key, hops)
        if all((unit.name, unit.span) != (other.name, other.span) for other in alike[key]):
            alike[key].append(unit)
    return ((far[key], units) for key, units in alike.items())


def _otherwise_along(evidence: Evidence, group: Sequence[Call], hops: int) -> Iterator[Candidate]:
    dim = evidence.case.graph.facts(group[0])["dim"]
    for axis in _others(evidence, group, dim):
        beside, other = _beside(evidence, group, axis)
        edits = tuple(SetCall(unit.place, "dim", other, dim) for unit in group)
        said = (f"{beside} beside it has dim {other}",) if beside else ()
        worth = _WORTH + 0.3 * bool(beside) - 0.02 * hops - 0.2 * _is_over_channels(evidence, group[0], dim)
        yield Candidate(edits, worth, hops, said, needs_proof=not beside or hops > 1)


def _kept_along(evidence: Evidence, group: Sequence[Call], hops: int) -> Iterator[Candidate]:
    """The axis that is summed or averaged over, kept with size 1."""
    graph = evidence.case.graph
    if group[0].kind == "reduce" and not any(graph.facts(unit).get("keepdim") for unit in group):
        kept = tuple(SetCall(unit.place, "keepdim", True, False) for unit in group)
        yield Candidate(kept, _WORTH_OF_KEEPING - 0.02 * hops, hops, needs_proof=True)


def joined_along_the_batch(case: Case) -> Iterator[Candidate]:
    """Columns that were joined below each other, where samples meet others that are as many as there were before."""
    if len(case.shapes) != 2 or not all(case.shapes):
        return
    for value, other in zip(case.call.operands, case.shapes[::-1], strict=True):
        made = batch_lost(case, value, other[0]) if other[0] is not None else None
        if made is None or made.kind != "concat":
            continue
        shapes = [case.recording.shape(operand) for operand in made.operands]
        if len({len(shape) for shape in shapes}) == 1 and all(shape[:1] == other[:1] for shape in shapes):
            said = (f"it makes {text(case.recording.shape(made.results[0]))} of {len(shapes)} x {other[0]} samples",)
            yield Candidate((SetCall(made.place, "dim", len(shapes[0]) - 1, 0),), 0.7, 1, said)


def expanded_otherwise(evidence: Evidence) -> Iterator[Candidate]:
    """Sizes that are written down for a repetition, `expand(-1, -1, 28, 28)`, as what it meets has them."""
    graph = evidence.case.graph
    pairs = dict(_differing(evidence.case.shapes))
    for hops, unit in before(evidence):
        was = graph.facts(unit).get("shape")
        if unit.kind != "expand" or unit.is_layer or not isinstance(was, tuple) or not pairs:
            continue
        sizes = tuple(pairs.get(size, size) if isinstance(size, int) and size > 1 else size for size in was)
        if sizes != was:
            yield Candidate((SetCall(unit.place, "shape", sizes, was),), _WORTH - 0.02 * hops, hops, needs_proof=True)


def repeated_otherwise(evidence: Evidence) -> Iterator[Candidate]:
    """Something repeated along another axis, or another number of times: of what a layer's forward repeats alike, all
    of it, as keys and values are for the heads of their group."""
    graph = evidence.case.graph
    for hops, unit in before(evidence):
        times = graph.facts(unit).get("repeats")
        if unit.kind != "expand" or unit.is_layer or times is None:
            continue
        alike = [
            other
            for other in graph.units
            if (other.name, other.layer, graph.facts(other).get("repeats")) == (unit.name, unit.layer, times)
        ]
        for value in _other_repeats(evidence, times):
            edits = tuple(SetCall(other.place, "repeats", value, times) for other in alike)
            yield Candidate(edits, _WORTH - 0.05 - 0.02 * hops, hops, needs_proof=True)


_MOST_REPEATED = 5
"""Of more axes there are too many orders."""


def _other_repeats(evidence: Evidence, times: Any) -> Iterator[Any]:
    """The same numbers for other axes; or the number with which what differs would agree."""
    if isinstance(times, tuple) and len(times) <= _MOST_REPEATED:
        yield from (order for order in dict.fromkeys(permutations(times)) if order != times)
    counted = times if isinstance(times, tuple) else (times,)
    for have, wanted in _differing(evidence.case.shapes):
        for at, number in enumerate(counted):
            fits = isinstance(number, int) and number > 1 and number * wanted % have == 0 and have % number == 0
            if fits and isinstance(times, tuple):
                yield (*times[:at], number * wanted // have, *times[at + 1 :])
            elif fits:
                yield number * wanted // have


def _differing(shapes: Sequence[Shape]) -> Iterator[tuple[int, int]]:
    """The sizes on which two operands differ, each with that of the other."""
    for a, b in zip(reversed(shapes[0]), reversed(shapes[1]), strict=False) if len(shapes) >= 2 else ():
        if a and b and a != b:
            yield from ((a, b), (b, a))


def _features(evidence: Evidence, shape: Shape) -> int:
    """The axis of the channels of maps, or the last one; for a convolution over steps axis 1."""
    case = evidence.case
    layout = case.layout or case.graph.layout
    return layout.channels(shape) if layout is not None and layout.fits(shape) else len(shape) - 1


def _is_over_channels(evidence: Evidence, unit: Call, dim: int) -> bool:
    """Whether an operation runs along the channels of maps already, as those that describe each place do: along them
    maps are joined as well."""
    case = evidence.case
    layout, shape = case.graph.layout, case.graph.recording.shape(unit.operands[0])
    if unit.kind != "reduce" or len(shape) < 4:
        return False
    along = case.facts.get("dim") if case.call.kind == "concat" else None
    if layout is not None and layout.fits(shape):
        return dim % len(shape) == layout.channels(shape)
    return isinstance(along, int) and along % len(shape) == dim % len(shape)


def _beside(evidence: Evidence, units: Sequence[Call], dim: int) -> tuple[str, int]:
    """Another operation of the kind, before the failure or in the same line, that runs along this axis, and the axis as
    that one spells it: the maximum beside a mean. No name where there is none."""
    graph = evidence.case.graph
    rank = len(graph.recording.shape(units[0].operands[0]))
    on_its_line = [unit for unit in graph.units if unit.span is not None and unit.span == units[0].span]
    for other in (*(unit for _, unit in before(evidence)), *on_its_line):
        theirs = graph.facts(other).get("dim")
        if other.kind != units[0].kind or other in units or not isinstance(theirs, int) or not other.operands:
            continue
        if rank and len(graph.recording.shape(other.operands[0])) == rank and theirs % rank == dim % rank:
            return other.name, theirs
    return "", dim


def squeezed_too_much(evidence: Evidence) -> Iterator[Candidate]:
    """`squeeze()` without an axis, which takes a batch of one as well."""
    graph = evidence.case.graph
    for hops, unit in before(evidence):
        shape = graph.recording.shape(unit.operands[0]) if unit.operands else ()
        ones = [axis for axis, size in enumerate(shape) if size == 1]
        if unit.kind != "squeeze" or graph.facts(unit).get("dim") or len(ones) < 2 or ones[0] != 0:
            continue
        said = (f"of {text(shape)} it takes the batch of one as well",)
        behind = tuple(axis - len(shape) for axis in ones[1:])
        yield Candidate((SetCall(unit.place, "dim", behind if behind[1:] else behind[0], None),), _WORTH, hops, said)


def flattened_otherwise(evidence: Evidence) -> Iterator[Candidate]:
    """Other axes laid together than by a `flatten`: `flatten(1, 2)` for `flatten(2)`. Never the batch."""
    graph = evidence.case.graph
    for hops, unit in before(evidence):
        rank = len(graph.recording.shape(unit.operands[0])) if unit.operands else 0
        if unit.kind != "flatten" or unit.is_layer or rank < 3:
            continue
        facts = graph.facts(unit)
        was = (facts.get("start_dim", 0) % rank, facts.get("end_dim", -1) % rank)
        for first, last in combinations(range(1, rank), 2):
            if (first, last) != was:
                ends = (first, -1 if last == rank - 1 else last)
                yield Candidate((SetCall(unit.place, "ends", ends, was),), _WORTH - 0.02 * hops, hops, needs_proof=True)


def before(evidence: Evidence, most: int = _MOST_BEFORE) -> Iterator[tuple[int, Call]]:
    """The units whose results lead to the failure, the nearest first, with how far they are, and what failed itself."""
    graph, call = evidence.case.graph, evidence.case.call
    row, seen = [(0, call)], {call.number}
    while row and len(seen) <= most:
        hops, unit = row.pop(0)
        yield hops, unit
        makers = (graph.producer.get(value) for value in unit.operands)
        for made in makers:
            if made is not None and made.number not in seen:
                seen.add(made.number)
                row.append((hops + 1, made))


def _others(evidence: Evidence, units: Sequence[Call], dim: int) -> Iterator[int]:
    """The other axes, told from the same end: not the batch's, unless what stands beside it runs along that."""
    graph = evidence.case.graph
    value = units[0].operands[0]
    rank = len(graph.recording.shape(value)) + (units[0].kind in ("stack", "unsqueeze"))
    batch = graph.lineage.batch_axes(value)
    lengths = {len(graph.recording.shape(unit.operands[0])) for unit in units}
    if not rank or lengths != {len(graph.recording.shape(value))}:
        return
    # what is joined or cut along its features belongs so: any other axis would leave them as wide as a part is
    features = _features(evidence, graph.recording.shape(value))
    possible = (features,) if units[0].kind in _JOINING else range(rank)
    for axis in possible:
        free = axis not in batch or bool(_beside(evidence, units, axis)[0])
        if axis != dim % rank and free:
            yield axis - rank if dim < 0 else axis
