"""What could be put on a branch so that it fits at the junction, and where the model's other blocks keep it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from operator import lt
from typing import Any

from shapewatch import axes
from shapewatch.adapters.guards import projection_before, projection_kept_as
from shapewatch.adapters.operand import operand_text
from shapewatch.adapters.statements import statement
from shapewatch.edits import Edit, Insert, Module, Replace, Set
from shapewatch.flow.junctions import Branch, Junction, layout_at
from shapewatch.flow.layout import IMAGE_KINDS, Layout
from shapewatch.recording import Layer, Shape, spoken
from shapewatch.repair.candidate import Candidate, short
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.projection import projections
from shapewatch.repair.siblings import keeps_pace
from shapewatch.rules.rule import Case, listed

_NOT_ASKED = 0.05
"""How much less is to be said for a projection put on a branch than for one in the place that its class has for it."""


def at_junction(evidence: Evidence, junction: Junction) -> Iterator[Candidate]:
    for branch in junction.branches:
        others = [other for other in junction.branches if other is not branch]
        prior = 0.0 if branch.role == "skip" else -0.5
        for other in others:
            wanted = _wanted_shape(junction, branch.shape, other.shape, evidence.case)
            if not _fits(junction, wanted, [other.shape for other in others]):
                continue
            place, support, phrase = _where(evidence, junction, branch.operand)
            for rank, module in enumerate(projections(junction, branch, wanted, _layout(evidence, junction))):
                if module.kind == "resize" and len(wanted) == 3 and _only_lost_margins(evidence, branch, other):
                    continue
                learned = module.kind in ("conv", "sequence", "linear")
                edit: Edit = (
                    Replace(place, module)
                    if place is not None and learned
                    else Insert(evidence.case.call.place, branch.operand, module)
                )
                worth = 0.9 * support if learned and phrase else -0.25 + min(0.0, 0.4 * support)
                why = phrase if learned else None
                if learned and not phrase and _is_widened(evidence, other, branch):
                    worth, why = 0.4, "the main branch ends in a convolution that widens it"
                if _learned(branch):
                    worth = -0.7  # there is a projection already
                if module.kind == "resize" and _is_coarse_gate(junction, branch, wanted):
                    worth = (0.6 if 1 in branch.shape[1:] else 0.2) - prior  # a spatial gate is coarse by design
                elif module.kind in ("resize", "pad") and junction.kind != "concat":
                    worth = -0.7
                elif module.kind in ("resize", "pad") and (rounded := _as_rounded(branch, wanted)) is not None:
                    worth, why = 0.3 - prior, rounded
                elif module.kind == "pad" and len(junction.branches) > 2:
                    worth = -0.3  # of several branches none is cropped
                elif module.kind == "pad" and _has_lost_a_margin(wanted, branch.shape, _layout(evidence, junction)):
                    worth = 0.2 + 0.3 * rank  # cropped to what is left of the other, as the first U-Net does
                told = (why,) if why else ()
                yield Candidate((edit,), prior + worth - 0.3 * rank, 1, told)
                if isinstance(edit, Replace) and place not in evidence.case.recording.layer_at:
                    put = Insert(evidence.case.call.place, branch.operand, module)  # a flag may say that there is none
                    yield Candidate((put,), prior + worth - 0.3 * rank - _NOT_ASKED, 1, told)
            yield from _in_empty_places(evidence, branch, wanted, _layout(evidence, junction))


def unpadded(evidence: Evidence, junction: Junction) -> Iterator[Candidate]:
    """Padding for all convolutions behind the fork that have too little and go in steps of 1: a branch that was to keep
    its size has lost a margin in each."""
    graph, fork, layout = evidence.case.graph, junction.fork, _layout(evidence, junction)
    if fork is None:
        return
    for branch in junction.branches:
        if not any(_has_lost_a_margin(branch.shape, other.shape, layout) for other in junction.branches):
            continue
        convolutions = [unit for unit in graph.units if unit.is_layer and unit.kind == "conv" and unit.results]
        edits = tuple(
            edit
            for unit in convolutions
            if fork.value not in unit.results
            and graph.descends(unit.results[0], fork.value)
            and graph.descends(branch.value, unit.results[0])
            and (edit := _padded(unit.layer, graph.facts(unit)))
        )
        if edits:
            yield Candidate(edits, 0.6, 1, ("with it they keep the size, as the other branch does",))
        if (on_lines := _on_the_same_lines(edits, evidence.case)) != edits:
            yield Candidate(on_lines, 0.5, 1, ("with it all that this line makes keep the size",))


def out_of_pace(evidence: Evidence, junction: Junction) -> Iterator[Candidate]:
    """Transposed convolutions that one line makes, with a window as wide as they go apart: 2 for a stride of 2, with
    which each doubles its map and does nothing else to it."""
    layers = evidence.case.recording.layer_at
    for branch in junction.branches:
        made = [layers.get(step.layer or "") for step in branch.path if step.kind == "conv_transpose"]
        last = made[-1] if made else None
        if last is None or last.defined is None or keeps_pace(last, {}) is not False:
            continue
        kernel, stride = last.facts.get("kernel_size"), last.facts.get("stride")
        alike = [layer for layer in layers.values() if layer.kind == last.kind and layer.defined == last.defined]
        same = all((each.facts.get("kernel_size"), each.facts.get("stride")) == (kernel, stride) for each in alike)
        if len(alike) > 1 and same and keeps_pace(last, {"kernel_size": stride}):
            edits = tuple(Set(layer.path, "kernel_size", stride, kernel) for layer in alike)
            yield Candidate(edits, 0.6, 1, ("with it all that this line makes multiply sizes by their stride",))


def _is_widened(evidence: Evidence, other: Branch, branch: Branch) -> bool:
    """Whether a branch ends as a bottleneck does, in a convolution of single places that makes several times the
    channels, where the shortcut beside it has fewer of them and goes nowhere: whoever widens so means to project."""
    layer_at = evidence.case.recording.layer_at
    layers = [layer_at.get(step.layer or "") for step in other.path if step.kind == "conv"]
    last = layers[-1] if layers else None
    if last is None or branch.role != "skip" or len(branch.shape) != len(other.shape):
        return False
    given, made, kernel = (last.facts.get(name) for name in ("in_channels", "out_channels", "kernel_size"))
    single = isinstance(kernel, tuple) and set(kernel) == {1}
    narrower = [(a, b) for a, b in zip(branch.shape, other.shape, strict=True) if a != b and a and b]
    widens = isinstance(given, int) and isinstance(made, int) and made >= 2 * given and made % given == 0
    return single and widens and all(have < want for have, want in narrower) and (other.shape.count(made) > 0)


def _on_the_same_lines(edits: tuple[Set, ...], case: Case) -> tuple[Set, ...]:
    """The same for every other convolution that one of their lines makes: a block's, wherever the block is used."""
    layers = case.recording.layer_at
    lines = {layers[edit.layer].defined for edit in edits} - {None}
    there = [layer for layer in layers.values() if layer.kind == "conv" and layer.defined in lines]
    return tuple(edit for layer in there if (edit := _padded(layer.path, layer.facts)))


def _has_lost_a_margin(small: Shape, large: Shape, layout: Layout | None) -> bool:
    """Whether an image is smaller than another one on each side, by less than half."""
    if layout is None or len(small) != len(large) or len(small) != layout.rank + 2:
        return False
    sides = [(small[axis] or 0, large[axis] or 0) for axis in layout.spatial(small)]
    return all(one < other < 2 * one for one, other in sides)


def _padded(path: str, facts: Mapping[str, Any]) -> Set | None:
    """The padding with which a convolution would keep a size."""
    kernel, dilation, padding = (facts.get(name) for name in ("kernel_size", "dilation", "padding"))
    if not isinstance(kernel, tuple) or not isinstance(dilation, tuple):
        return None
    ones, none = (1,) * len(kernel), (0,) * len(kernel)
    if facts.get("stride") != ones or kernel == ones:
        return None
    if padding == "valid":
        return Set(path, "padding", "same", padding)
    odd = all(size % 2 for size in kernel)
    value = tuple(step * (size - 1) // 2 for size, step in zip(kernel, dilation, strict=True)) if odd else "same"
    less = isinstance(padding, tuple) and odd and all(map(lt, padding, value))  # that of a kernel without dilation
    return Set(path, "padding", value, padding) if padding == none or less else None


def _is_coarse_gate(junction: Junction, branch: Branch, wanted: Shape) -> bool:
    """Whether a branch has a value for each place of a coarser map than the one that it gates, one or all channels'."""
    given = branch.shape
    if junction.kind != "gate" or len(given) != len(wanted) or len(given) < 4 or given[1:].count(1) > 1:
        return False
    pairs = [(have, want) for have, want in zip(given[1:], wanted[1:], strict=True) if have != 1]
    return all(have and want and want % have == 0 for have, want in pairs) and any(have != want for have, want in pairs)


_ENLARGING = frozenset({"conv_transpose", "resize", "pixel_shuffle"})


def _as_rounded(branch: Branch, wanted: Shape) -> str | None:
    """How a branch that was to have a size again came back a little off, since that size was divided and rounded. One
    that divides lacks an upsampling, or a padding of it."""
    at = next((at for at, step in enumerate(branch.path) if step.kind in _ENLARGING and at >= len(branch.path) - 3), 0)
    if not at or len(branch.path[at - 1].shape) != len(wanted):
        return None
    sizes = zip(branch.path[at - 1].shape, branch.shape, wanted, strict=True)
    apart = [(small, own, size) for small, own, size in sizes if small and own and size and own != size]
    if not all(size % small and abs(size - own) <= 3 and 3 * abs(size - own) <= size for small, own, size in apart):
        return None
    odd = next(((size, own // small) for small, own, size in apart if size % max(1, own // small)), None)
    return "" if odd is None else "{} is no multiple of {}, by which it is divided and multiplied again".format(*odd)


def _only_lost_margins(evidence: Evidence, branch: Branch, other: Branch) -> bool:
    """Whether two sequences differ by what windows in steps of 1 took off the ends of the shorter: its steps are those
    of the longer one still, and resized they would be others."""
    facts = evidence.case.graph.facts
    calls = evidence.case.recording.calls
    steps = [step for each in (branch, other) for step in each.path]
    windows = [facts(calls[step.call]) for step in steps if step.kind in ("conv", "pool")]
    in_steps = all(short(each.get("stride", 1)) == "1" for each in windows)
    return bool(windows) and in_steps and not any(step.kind in _ENLARGING for step in steps)


def _in_empty_places(evidence: Evidence, branch: Branch, wanted: Shape, layout: Layout | None) -> Iterator[Candidate]:
    """An upsampling where the branch has a layer that does nothing, and is smaller by a whole factor."""
    if layout is None or layout.rank > 2 or not len(branch.shape) == len(wanted) == layout.rank + 2:
        return
    spatial = layout.spatial(branch.shape)
    pairs = [(branch.shape[axis], wanted[axis]) for axis in spatial]
    if any(
        have != want for axis, (have, want) in enumerate(zip(branch.shape, wanted, strict=True)) if axis not in spatial
    ):
        return
    factors = {want // have for have, want in pairs if have and want and want % have == 0 and want > have}
    if len(factors) != 1 or any(not have or not want or want % have for have, want in pairs):
        return
    last = {"channels_last": True} if layout.channels_last else {}
    module = Module("upsample", {"scale_factor": (*factors,) * layout.rank, "mode": "nearest", **last})
    for call in evidence.case.recording.calls:
        # one that hands its input through is no step of the path: its result is what it was given
        if call.is_layer and call.kind == "identity" and call.finished and branch.value in call.results:
            yield Candidate((Replace(call.layer, module),), 0.6, 1, (f"{spoken(call.layer)} does nothing here",))


def _layout(evidence: Evidence, junction: Junction) -> Layout | None:
    """The layout of the images that meet: by a kernel on the branches or, where axes were moved since, the model's."""
    steps = [step for branch in junction.branches for step in branch.path]
    if not any(step.kind in IMAGE_KINDS for step in steps):
        return None
    return layout_at(evidence.case.recording, junction) or evidence.case.graph.layout


def _fits(junction: Junction, wanted: Shape, others: list[Shape]) -> bool:
    """Whether an operand of this shape would fit all the others."""
    if junction.kind in ("concat", "stack", "dot") or len({len(shape) for shape in (wanted, *others)}) > 1:
        return True
    return not axes.broadcast_problems([wanted, *others])


def _where(evidence: Evidence, junction: Junction, operand: int) -> tuple[str | None, float, str | None]:
    """The place in the block where its siblings keep a projection, how many of them do (from -1 to 1), and who."""
    branch = next(b for b in junction.branches if b.operand == operand)
    empty = [step.layer for step in branch.path if step.kind == "identity" and step.layer]
    asked = 0.0
    having: dict[str, list[tuple[str, float]]] = {}
    for weight, others in evidence.siblings.groups_of(junction.block):
        for other in others:
            asked += weight / len(others)
            for name in _projections_of(evidence, other):
                having.setdefault(name, []).append((other, weight / len(others)))
    for name, blocks in having.items():
        place = f"{junction.block}.{name}"
        layer = evidence.case.recording.layer_at.get(place)
        if layer is None or place in empty or layer.kind == "identity":
            support = 2 * sum(weight for _, weight in blocks) / asked - 1
            shown = list(dict.fromkeys(other for other, _ in blocks))[:3]
            phrase = f"{listed(list(map(spoken, shown)))} {'have' if len(shown) > 1 else 'has'} one, `{name}`"
            return place, support, phrase if support > 0 else None
    if not having and (kept := _kept_back(evidence, junction, branch)) is not None:
        return kept[0], 1.0, "the program has one, under a condition"
    if asked and not having:
        return (empty[0] if empty else None), -min(1.0, asked), None
    return (empty[0] if empty else None), *(_as_named(evidence, junction) or _as_elsewhere(evidence, junction))


def _kept_back(evidence: Evidence, junction: Junction, branch: Branch) -> tuple[str | None] | None:
    """Where the program itself puts a projection on a shortcut under a condition that did not hold here: the layer that
    does nothing in its place, or none in a function that builds blocks."""
    call = evidence.case.call
    if call.span is None or any(step.kind != "identity" for step in branch.path):
        return None
    for path, layer in evidence.case.recording.layer_at.items():
        block, _, name = path.rpartition(".")
        stands_for_it = block == junction.block and layer.kind == "identity" and layer.defined is not None
        if stands_for_it and layer.defined is not None and projection_kept_as(name, layer.defined) is not None:
            return (path,)
    variable = operand_text(statement(call.span), branch.operand, call.name)
    return (None,) if projection_before(call.span, variable) is not None else None


def _as_named(evidence: Evidence, junction: Junction) -> tuple[float, str | None] | None:
    """The same for a junction in a model without blocks, of which the names tell what belongs together: beside
    `conv3_block1_add` there is a `conv3_block1_0_conv`, and beside this `conv2_block1_add` there is none.

    None where the names tell nothing.
    """
    layers = evidence.case.recording.layer_at
    here = _learned_parts(layers, junction.layer) if junction.is_layer else None
    if not here:
        return None
    groups = []
    for weight, others in evidence.siblings.groups_of(junction.layer):
        parts = {other: _learned_parts(layers, other) for other in others}
        more = [f"{other[: other.rfind('_')]}{min(has - here)}" for other, has in parts.items() if has - here]
        if any(parts.values()):
            groups.append((weight, 2 * len(more) / len(others) - 1, more))
    if not groups:
        return None
    having = [name for _, _, names in groups for name in names]
    # those behind the first of a row need none where it has one, so against others who have one they say nothing
    heard = [(weight, share) for weight, share, names in groups if names or weight >= 1.0 or not having]
    support = max(-1.0, min(1.0, sum(weight * share for weight, share in heard)))
    names = [f"`{name}`" for name in dict.fromkeys(having)][:3]
    return support, f"others have one, {listed(names)}" if support > 0 else None


def _learned_parts(layers: Mapping[str, Layer], path: str) -> set[str]:
    """The ends of the names of the convolutions and linear layers whose names begin as that of a layer does, up to its
    last word: `_1_conv`, `_2_conv` for `conv2_block1_add`."""
    block = path[: path.rfind("_") + 1]
    learned = (other for other, layer in layers.items() if layer.kind in ("conv", "linear"))
    return {other[len(block) - 1 :] for other in learned if block and other.startswith(block)}


def _as_elsewhere(evidence: Evidence, junction: Junction) -> tuple[float, str | None]:
    """How many of the other junctions whose main branch changes the shape have a projection on the skip (from -1 to 1),
    and which ones. It is little that speaks for one where there are no others."""
    if junction.kind in ("gate", "mul"):
        return -0.2, None  # a gate is learned, which makes it no projection
    changing = [other for other in evidence.junctions if other.id != junction.id and _changes(other, junction.kind)]
    having = [other for other in changing if any(_learned(b) for b in other.branches if b.role == "skip")]
    if not having:
        return -0.2, None
    support = 2 * len(having) / len(changing) - 1
    names = list(dict.fromkeys(spoken(other.layer) for other in having if other.layer != junction.layer))[:3]
    shown = f"{listed(names)} {'have' if len(names) > 1 else 'has'} one" if names else "another one here has one"
    return support, shown if support > 0 else None


def _changes(junction: Junction, kind: str) -> bool:
    main = [branch for branch in junction.branches if branch.role == "main"]
    if junction.kind != kind or junction.fork is None or not main:
        return False
    return _learned(main[0]) and main[0].shape != junction.fork.shape


def _learned(branch: Branch) -> bool:
    return any(step.kind in ("conv", "linear") for step in branch.path)


def _projections_of(evidence: Evidence, block: str) -> list[str]:
    layers = evidence.case.recording.layer_at
    depth = block.count(".") + 1
    inside = [path for path in layers if path.startswith(block + ".") and path.count(".") == depth]
    return [path.rpartition(".")[2] for path in inside if _projects(evidence, path)]


def _projects(evidence: Evidence, path: str) -> bool:
    """Whether a layer looks like a projection: a convolution or linear layer under one of the usual names."""
    name = path.rpartition(".")[2]
    if not re.search(r"down|short|skip|proj|identity|residual|match|adapt", name):
        return False
    layers = evidence.case.recording.layer_at
    inner = [layer for key, layer in layers.items() if key == path or key.startswith(path + ".")]
    return any(layer.kind in ("conv", "linear") for layer in inner)


def _wanted_shape(junction: Junction, given: Shape, other: Shape, case: Case) -> Shape:
    """What an operand has to become to meet another: all of it, or for a concat all but the axis joined along."""
    if junction.kind != "concat" or len(given) != len(other):
        return other
    along = case.facts.get("dim", 0) % max(len(given), 1)
    return tuple(size if axis == along else other[axis] for axis, size in enumerate(given))
