"""What the siblings of the layers on the road do otherwise, whether or not arithmetic connects it with the failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from shapewatch.edits import Module, Replace, Set
from shapewatch.flow.layout import Layout, layout_of
from shapewatch.recording import Layer, Shape, spoken
from shapewatch.repair.candidate import Candidate, short
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.siblings import SIZES, keeps_pace, numbered
from shapewatch.rules.rule import listed

UNRELATED = -0.7
"""What a candidate is worth less that no arithmetic connects with what failed."""


def _suspects(evidence: Evidence) -> list[str]:
    """Paths of the layers that what failed was made by, and of those around it, nearest first."""
    made = 0
    for operand in evidence.case.call.operands:
        made |= evidence.case.graph.ancestors[operand]
    paths: dict[str, None] = {evidence.case.call.layer: None}
    for unit in reversed(evidence.case.graph.units):
        if any(made >> result & 1 for result in unit.results):
            paths[unit.layer] = None
    for path in list(paths):
        while "." in path:
            path = path.rpartition(".")[0]
            paths.setdefault(path)
    return list(paths)


def odd_ones(evidence: Evidence) -> Iterator[Candidate]:
    for path in _suspects(evidence):
        for edit, agree in evidence.siblings.odd_settings(path):
            candidate = evidence.weighed((edit,), 1, UNRELATED - 0.4 * (edit.argument in SIZES))
            if edit.argument in SIZES:
                shown = listed(list(map(spoken, agree[:3])))
                candidate = replace(candidate, evidence=(f"{shown} have {edit.argument} {short(edit.value)}",))
            yield candidate


def as_the_one_beside(evidence: Evidence) -> Iterator[Candidate]:
    """The dilation or padding that another convolution of the same block has, with a window as large and steps as long,
    in every block that is made so."""
    layers = evidence.case.recording.layer_at
    windows = [layers[path] for path in _suspects(evidence) if path in layers and layers[path].kind == "conv"]
    for layer in windows if evidence.case.junction is not None else ():
        block, _, name = layer.path.rpartition(".")
        blocks = [q for q in layers if f"{q}.{name}" in layers and numbered(q) == numbered(block)]
        for other in windows:
            inside, _, beside = other.path.rpartition(".")
            alike = all(layer.facts.get(each) == other.facts.get(each) for each in ("kernel_size", "stride"))
            if other is layer or inside != block or not alike:
                continue
            for argument in ("dilation", "padding"):
                pairs = [(layers.get(f"{q}.{name}"), layers.get(f"{q}.{beside}")) for q in blocks]
                edits = tuple(
                    Set(one.path, argument, two.facts.get(argument), one.facts.get(argument))
                    for one, two in pairs
                    if one and two and one.facts.get(argument) != two.facts.get(argument)
                )
                if any(edit.layer == layer.path for edit in edits):
                    said = f"{spoken(other.path)} beside it has {argument} {short(other.facts.get(argument))}"
                    yield Candidate(edits, _WORTH_BESIDE, 1, (said,))


_WORTH_BESIDE = 0.4


def odd_blocks(evidence: Evidence) -> Iterator[Candidate]:
    """A block whose widths are all another number than in its siblings: made with another argument than they are."""
    layers = evidence.case.recording.layer_at
    for path in _suspects(evidence):
        if not path[-1:].isdigit() or path not in layers:
            continue
        inside = [key for key in layers if key.startswith(f"{path}.")]
        for _, others in evidence.siblings.rows_of(path):
            alike = [other for other in others if layers[other].type == layers[path].type]
            edits = _as_in(evidence, path, inside, alike)
            if len({edit.layer for edit in edits}) > 1 and len({(edit.was, edit.value) for edit in edits}) == 1:
                was, value = edits[0].was, edits[0].value
                these = listed(list(map(spoken, alike[:3])))
                said = f"all of {spoken(path)} is made for {short(was)}, {these} for {short(value)}"
                yield Candidate(edits, 0.9, 1, (said,), path)


def _as_in(evidence: Evidence, block: str, inside: Sequence[str], others: Sequence[str]) -> tuple[Set, ...]:
    """The widths of a block as all its siblings have them; none where these differ among themselves."""
    layers, edits = evidence.case.recording.layer_at, []
    for key in inside:
        there = [layers[path] for other in others if (path := other + key[len(block) :]) in layers]
        for argument in sorted(SIZES & layers[key].facts.keys()):
            now, values = layers[key].facts[argument], {layer.facts.get(argument) for layer in there}
            if len(there) < max(2, len(others)) or len(values) != 1:
                return ()
            (value,) = values
            if not isinstance(now, int) or not isinstance(value, int):
                return ()
            if value != now:
                edits.append(Set(key, argument, value, now))
    return tuple(edits)


_OF_WHAT_COMES = frozenset(
    {"in_channels", "in_features", "num_features", "num_channels", "normalized_shape", "input_size"}
)

_IN_STEP = 0.3
"""How much more is to be said for all of a block that is made for one number than for the first of its layers alone."""


def blocks_of_another_width(evidence: Evidence) -> Iterator[Candidate]:
    """A block that was made for another width than it is given: the layer that refuses it, and those in the block that
    were to read the same width and have not run yet."""
    layers = evidence.case.recording.layer_at
    ran = {unit.layer for unit in evidence.case.graph.units if unit.is_layer}
    for edits in evidence.finding.own:
        first = edits[0]
        if len(edits) > 1 or not isinstance(first, Set) or first.argument not in _OF_WHAT_COMES:
            continue
        block, was, value = first.layer.rpartition(".")[0], _number(first.was), _number(first.value)
        waiting = [key for key in layers if key.startswith(f"{block}.") and key not in ran and key != first.layer]
        behind = _before_another_width([first.layer, *waiting], evidence)[1:]
        mates = [
            Set(key, argument, (value,) if isinstance(present, tuple) else value, present)
            for key in behind
            for argument in sorted(_OF_WHAT_COMES & layers[key].facts.keys())
            if _number(present := layers[key].facts[argument]) == was and layers[key].facts.get("groups", 1) == 1
        ]
        if block in layers and mates and was is not None and value is not None:
            score = evidence.weighed(edits, 0).score + _IN_STEP
            yield Candidate((first, *mates), score, 0, (f"all of it is made for {was}, and {value} come",), block)


def _before_another_width(paths: Sequence[str], evidence: Evidence) -> Sequence[str]:
    """Of layers in a row, those up to the first that has its own width for what is behind it: `0`, `1`, ... of a
    `Sequential` take what the one before gives, where attributes may all take what comes."""
    layers = evidence.case.recording.layer_at
    if not all(path.rpartition(".")[2].isdigit() for path in paths):
        return paths
    own = (at for at, path in enumerate(paths) if layers[path].facts.keys() & {"out_channels", "out_features"})
    return paths[: next(own, len(paths)) + 1]


def _number(size: Any) -> int | None:
    (size,) = size if isinstance(size, tuple) and len(size) == 1 else (size,)
    return size if isinstance(size, int) else None


def out_of_step(evidence: Evidence) -> Iterator[Candidate]:
    """The few windows that do not divide sizes by their stride, in a model where most do.

    A setting upstream of the fork changes both branches, so no demand of one on the other leads to it.
    """
    layers = evidence.case.recording.layer_at
    paces = {path: keeps_pace(layer, {}) for path, layer in layers.items()}
    judged = [pace for pace in paces.values() if pace is not None]
    if not judged or sum(judged) < 0.7 * len(judged):
        return
    for hops, path in enumerate(p for p in _suspects(evidence) if paces.get(p) is False):
        for argument, value in _in_step(layers[path]):
            yield evidence.weighed((Set(path, argument, value, layers[path].facts[argument]),), hops, UNRELATED)


def unusual_flattens(evidence: Evidence) -> Iterator[Candidate]:
    """A flatten that leaves more axes than the batch, or not even that."""
    for path in _suspects(evidence):
        layer = evidence.case.recording.layer_at.get(path)
        if layer is None or layer.kind != "flatten":
            continue
        for argument, usual in (("start_dim", 1), ("end_dim", -1)):
            if layer.facts.get(argument) != usual:
                edit = Set(path, argument, usual, layer.facts.get(argument))
                yield Candidate((edit,), 0.7, 1, ("a flatten keeps the batch axis and no other",))


def substitutes(evidence: Evidence) -> Iterator[Candidate]:
    """A layer that does nothing, where the siblings have a convolution, a pooling or a resizing."""
    layers, wanted = evidence.case.recording.layer_at, _wanted_widths(evidence)
    for path in _suspects(evidence):
        if path not in layers or layers[path].kind != "identity":
            continue
        unit = next((unit for unit in evidence.case.graph.units if unit.is_layer and unit.layer == path), None)
        given = evidence.case.recording.shape(unit.operands[0]) if unit is not None and unit.operands else ()
        for other, support in evidence.siblings.substitutes(path):
            inner = [layer for key, layer in layers.items() if key == other.path or key.startswith(f"{other.path}.")]
            for module in _modules_like(inner, given, wanted):
                said = (f"{spoken(other.path)} is {other.type}",)
                yield Candidate((Replace(path, module),), 0.6 * support, 1, said)


def _wanted_widths(evidence: Evidence) -> list[int]:
    """The widths that what failed would accept."""
    ranges = [sizes for want in evidence.finding.wants for sizes in want.demand.values()]
    return [sizes.low for sizes in ranges if sizes.exact is not None]


def _in_step(layer: Layer) -> Iterator[tuple[str, Any]]:
    """Single settings with which a convolution or pooling divides every size by its stride."""
    rank = layer.facts.get("rank", 2)
    facts = {"dilation": 1, **layer.facts}
    k, d = (spread(facts[name], rank) for name in ("kernel_size", "dilation"))
    options: dict[str, Any] = {"dilation": (1,) * rank}
    if isinstance(facts["padding"], str):
        options |= {"padding": "same"}
    else:
        p = spread(facts["padding"], rank)
        options |= {
            "padding": tuple(d[i] * (k[i] - 1) // 2 for i in range(rank)),
            "kernel_size": tuple(2 * p[i] // d[i] + 1 for i in range(rank)),
        }
    for argument, value in options.items():
        if argument in layer.facts and keeps_pace(layer, {argument: value}):
            yield argument, value


def spread(setting: Any, rank: int) -> tuple[int, ...]:
    return tuple(setting) if isinstance(setting, tuple) else (setting,) * rank


def _modules_like(layers: Sequence[Layer], given: Shape, widths: Sequence[int]) -> Iterator[Module]:
    """What stands in a sibling's place, for the channels that come in here; its width as asked for or in proportion."""
    for layer in layers:
        facts = layer.facts
        match layer.kind:
            case "pool":
                names = ("kernel_size", "stride", "padding", "ceil_mode")
                arguments: dict[str, Any] = {name: facts[name] for name in names if name in facts}
                average = "Avg" in layer.type or "Average" in layer.type
                yield Module("pool", {**arguments, **(layout_of(facts) or Layout()).facts, "average": average})
                return
            case "resize" if facts.get("scale_factor"):
                kept = {name: facts[name] for name in ("scale_factor", "channels_last") if name in facts}
                yield Module("upsample", {**kept, "mode": facts.get("mode", "nearest")})
                return
            case "conv" if (layout := layout_of(facts) or Layout()).rank + 2 == len(given):
                channels, before = given[layout.channels(given)], facts.get("in_channels")
                if not channels or not before:
                    return
                kept = {name: facts[name] for name in ("kernel_size", "stride", "padding") if name in facts}
                in_proportion = channels * facts["out_channels"] // before
                for width in dict.fromkeys([*widths, in_proportion]):
                    yield Module("conv", {"in_channels": channels, "out_channels": width, **layout.facts, **kept})
                return
