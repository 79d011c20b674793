"""From a finding to verified fixes: propose edits, run the model on shapes with each, rank what passes.

Nothing here knows a framework: candidates come from arithmetic (`demand`), from what is missing at a junction
(`projection`), from what the siblings of a layer do differently (`siblings`) and from what is often wrong with inputs.
A candidate is only a guess; the dry run says whether the whole pass finishes with it. Several usually do, so what
passes is ranked by evidence: fewest edits, what the rest of the model says, a plausible output, fewest weights.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from shapewatch.adapters import Probe, Trial
from shapewatch.demand import walk
from shapewatch.edits import Edit, Input, Insert, Module, Replace, Set, SetCall, place_layer
from shapewatch.junctions import Graph, Junction
from shapewatch.projection import projections
from shapewatch.recording import Call, Layer, Recording, Shape
from shapewatch.rules.rule import Case, Finding, listed
from shapewatch.siblings import SIZES, Siblings, keeps_pace

SECONDS = 3.5
"""How long one search may take; a pass on shapes of a ResNet-50 takes about 0.04 s."""

ENOUGH_BEHIND = 0.9
"""Candidates whose evidence is this much weaker than a verified one's are not tried."""


UNRELATED = -0.7
"""What a candidate is worth less that no arithmetic connects with what failed."""


USUAL_SIZES = frozenset({28, 32, 48, 56, 64, 84, 96, 112, 128, 160, 192, 224, 227, 256, 299, 320, 384, 448, 512, 1024})
"""Heights and widths at which images are mostly given."""


@dataclass(frozen=True)
class Candidate:
    """Edits that belong together, and what speaks for them."""

    edits: tuple[Edit, ...]
    score: float
    hops: int = 0
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verified:
    """A candidate that was tried. `reached` tells how far the pass came when it did not finish."""

    candidate: Candidate
    trial: Trial
    score: float
    reached: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a search found for one fault: what passes, best first; or how far the best of the rest came."""

    passing: tuple[Verified, ...] = ()
    partial: tuple[Verified, ...] = ()
    untried: tuple[Candidate, ...] = ()
    tried: int = 0


# Proposing


@dataclass(frozen=True)
class Proposer:
    """Proposes candidates for one finding."""

    case: Case
    finding: Finding
    broken: Recording
    extra: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def siblings(self) -> Siblings:
        return Siblings(self.case.recording.layer_at)

    @property
    def graph(self) -> Graph:
        return self.case.graph

    def candidates(self) -> list[Candidate]:
        """Every candidate once, strongest evidence first."""
        best: dict[tuple[Edit, ...] | str, Candidate] = {}
        for candidate in self._all():
            key = repr(candidate.edits)
            if key not in best or best[key].score < candidate.score:
                best[key] = candidate
        return sorted(best.values(), key=lambda c: (-c.score, c.hops))

    def _all(self) -> Iterator[Candidate]:
        for edits in self.finding.own:
            yield self._weighed(edits, 0, _own_prior(self.case) - self.finding.own_doubt)
        for want in self.finding.wants:
            for change in walk(self.graph, want):
                yield self._weighed(change.edits, change.hops + 1)
                yield from self._swapped(change.edits, change.hops + 1)
        junction = self.case.junction
        if junction is not None and junction.status != "ok":
            yield from self._projections(junction)
        yield from self._odd_ones()
        yield from self._out_of_step()
        yield from self._defaults()
        yield from self._substitutes()
        yield from self._inputs()

    def _swapped(self, edits: tuple[Edit, ...], hops: int) -> Iterator[Candidate]:
        """If an axis of the input should be as long as another one is, the two may have changed places."""
        for edit in edits:
            if not isinstance(edit, Input):
                continue
            given = self.case.recording.shape(self.case.recording.inputs[edit.index])
            changed = [axis for axis in range(len(given)) if edit.shape[axis] != given[axis]]
            for other in range(len(given)):
                if len(changed) == 1 and other != changed[0] and given[other] == edit.shape[changed[0]]:
                    order = list(range(len(given)))
                    order[other], order[changed[0]] = order[changed[0]], order[other]
                    shape = tuple(given[axis] for axis in order)
                    swap = Input(edit.index, "permute", {"dims": tuple(order)}, shape)
                    yield replace(self._weighed((swap,), hops), evidence=(f"its axis {other} has the size asked for",))

    def _weighed(self, edits: tuple[Edit, ...], hops: int, prior: float = 0.0) -> Candidate:
        score, evidence = prior - 0.02 * min(hops, 25), []
        for edit in edits:
            worth, phrase = self._worth(edit)
            score += worth / len(edits)
            if phrase:
                evidence.append(phrase)
        score -= 0.8 * (len({_about(edit) for edit in edits}) - 1) + 0.25 * (_arguments(edits) - 1)
        return Candidate(edits, score, hops, tuple(dict.fromkeys(evidence))[:2])

    def _worth(self, edit: Edit) -> tuple[float, str | None]:
        if isinstance(edit, Set):
            return self._worth_of_setting(edit)
        if isinstance(edit, Input):
            return self._worth_of_input(edit)
        if isinstance(edit, SetCall):
            return -0.2, None
        return 0.0, None

    def _worth_of_setting(self, edit: Set) -> tuple[float, str | None]:
        vote = self.siblings.vote(edit)
        score = vote.score + 0.4 * self.siblings.width_score(edit)
        phrase = None
        if vote.agree:
            shown = listed(list(vote.agree[:3]))
            phrase = f"{shown} {'have' if len(vote.agree) > 1 else 'has'} {edit.argument} {_short(edit.value)}"
        score -= _oddity(edit)
        layer = self.case.recording.layer_at.get(edit.layer)
        if layer is not None and layer.kind == "adaptive_pool" and self.finding.wants:
            score += 0.4
        if layer is not None:
            before, after = keeps_pace(layer, {}), keeps_pace(layer, {edit.argument: edit.value})
            if before is not None and after is not None:
                score += 0.4 * (after - before)
                if after and not before and phrase is None:
                    phrase = f"with it {edit.layer} divides every size by its stride and does nothing else to it"
        return score, phrase

    def _worth_of_input(self, edit: Input) -> tuple[float, str | None]:
        given = self.case.recording.shape(self.case.recording.inputs[edit.index])
        match edit.change:
            case "permute":
                return (1.0, "the axis of the channels is last") if len(given) > 3 else (0.5, None)
            case "unsqueeze":
                if edit.arguments.get("first"):
                    return 0.8, "the first convolution was given no batch axis"
                return (0.4 if self.finding.needs_proof or self.finding.code == "SW701" else -0.3), None
            case "channels":
                return (0.7, None) if given[1] not in (1, 3) or edit.arguments["channels"] in (1, 3) else (-0.2, None)
        if len(given) < 4:
            return -0.3, None
        sizes = given[2:]
        step = edit.arguments.get("multiple")
        if step and any(size is not None and size % step for size in sizes):
            likely = step <= max(self._total_stride, 32 if any(size is not None and size % 2 for size in sizes) else 1)
            return (
                0.6 if step <= self._total_stride else 0.3 if likely else -0.3
            ), f"{' and '.join(str(s) for s in dict.fromkeys(sizes))} is no multiple of {step}"
        if edit.arguments.get("said"):
            return 0.9, None
        usual, unusual = (all(size in USUAL_SIZES for size in shape[2:]) for shape in (edit.shape, given))
        return (0.1 if self.finding.own_doubt else -0.4) + 0.3 * (usual - unusual), None

    @cached_property
    def _total_stride(self) -> int:
        """How much smaller than the input the smallest map is, along one axis."""
        recording = self.case.recording
        sizes = [recording.shape(number)[-1] or 1 for number in recording.inputs if len(recording.shape(number)) >= 4]
        maps = [
            v.shape[-1] or 1 for v in recording.values if v.origin == "call" and len(v.shape) >= 4 and v.shape[-1] != 1
        ]
        return max(sizes, default=1) // max(1, min(maps, default=1)) if sizes else 1

    # What could stand at the junction

    def _projections(self, junction: Junction) -> Iterator[Candidate]:
        for branch in junction.branches:
            others = [other for other in junction.branches if other is not branch]
            prior = 0.0 if branch.role == "skip" else -0.5
            for other in others:
                wanted = _wanted_shape(junction, branch.shape, other.shape, self.case)
                place, support, phrase = self._where(junction, branch.operand)
                for rank, module in enumerate(projections(junction, branch, wanted)):
                    learned = module.kind in ("conv", "sequence", "linear")
                    edit: Edit = (
                        Replace(place, module)
                        if place is not None and learned
                        else Insert(self.case.call.place, branch.operand, module)
                    )
                    worth = 0.9 * support if learned and phrase else -0.25
                    if any(step.kind in ("conv", "linear") for step in branch.path):
                        worth = -0.7  # there is a projection already
                    if module.kind in ("resize", "pad") and junction.kind != "concat":
                        worth = -0.7
                    evidence = (phrase,) if phrase and learned else ()
                    yield Candidate((edit,), prior + worth - 0.3 * rank, 1, evidence)

    def _where(self, junction: Junction, operand: int) -> tuple[str | None, float, str | None]:
        """The place in the block where its siblings keep a projection, how many of them do (from -1 to 1), and who."""
        branch = next(b for b in junction.branches if b.operand == operand)
        empty = [step.layer for step in branch.path if step.kind == "identity" and step.layer]
        asked = 0.0
        having: dict[str, list[tuple[str, float]]] = {}
        for weight, others in self.siblings.groups_of(junction.layer):
            for other in others:
                asked += weight / len(others)
                for name in self._projections_of(other):
                    having.setdefault(name, []).append((other, weight / len(others)))
        for name, blocks in having.items():
            place = f"{junction.layer}.{name}"
            layer = self.case.recording.layer_at.get(place)
            if layer is None or place in empty or layer.kind == "identity":
                support = 2 * sum(weight for _, weight in blocks) / asked - 1
                shown = list(dict.fromkeys(other for other, _ in blocks))[:3]
                phrase = f"{listed(shown)} {'have' if len(shown) > 1 else 'has'} one, `{name}`"
                return place, support, phrase if support > 0 else None
        return (empty[0] if empty else None), -0.2, None

    def _projections_of(self, block: str) -> list[str]:
        layers = self.case.recording.layer_at
        depth = block.count(".") + 1
        inside = [path for path in layers if path.startswith(block + ".") and path.count(".") == depth]
        return [path.rpartition(".")[2] for path in inside if self._projects(path)]

    def _projects(self, path: str) -> bool:
        """Whether a layer looks like a projection: a convolution or linear layer under one of the usual names."""
        name = path.rpartition(".")[2]
        if not re.search(r"down|short|skip|proj|identity|residual|match|adapt", name):
            return False
        layers = self.case.recording.layer_at
        inner = [layer for key, layer in layers.items() if key == path or key.startswith(path + ".")]
        return any(layer.kind in ("conv", "linear") for layer in inner)

    # What siblings do otherwise

    def _suspects(self) -> list[str]:
        """Paths of the layers that what failed was made by, and of those around it, nearest first."""
        made = 0
        for operand in self.case.call.operands:
            made |= self.graph.ancestors[operand]
        paths: dict[str, None] = {self.case.call.layer: None}
        for unit in reversed(self.graph.units):
            if any(made >> result & 1 for result in unit.results):
                paths[unit.layer] = None
        for path in list(paths):
            while "." in path:
                path = path.rpartition(".")[0]
                paths.setdefault(path)
        return list(paths)

    def _odd_ones(self) -> Iterator[Candidate]:
        for path in self._suspects():
            for edit, agree in self.siblings.odd_settings(path):
                candidate = self._weighed((edit,), 1, UNRELATED - 0.4 * (edit.argument in SIZES))
                if edit.argument in SIZES:
                    shown = listed(list(agree[:3]))
                    candidate = replace(candidate, evidence=(f"{shown} have {edit.argument} {_short(edit.value)}",))
                yield candidate

    def _out_of_step(self) -> Iterator[Candidate]:
        """The few windows that do not divide sizes by their stride, in a model where most do.

        A setting upstream of the fork changes both branches, so no demand of one on the other leads to it.
        """
        layers = self.case.recording.layer_at
        paces = {path: keeps_pace(layer, {}) for path, layer in layers.items()}
        judged = [pace for pace in paces.values() if pace is not None]
        if not judged or sum(judged) < 0.7 * len(judged):
            return
        for hops, path in enumerate(p for p in self._suspects() if paces.get(p) is False):
            for argument, value in _in_step(layers[path]):
                yield self._weighed((Set(path, argument, value, layers[path].facts[argument]),), hops, UNRELATED)

    def _defaults(self) -> Iterator[Candidate]:
        """A flatten that leaves more axes than the batch, or not even that."""
        for path in self._suspects():
            layer = self.case.recording.layer_at.get(path)
            if layer is None or layer.kind != "flatten":
                continue
            for argument, usual in (("start_dim", 1), ("end_dim", -1)):
                if layer.facts.get(argument) != usual:
                    edit = Set(path, argument, usual, layer.facts.get(argument))
                    yield Candidate((edit,), 0.7, 1, ("a flatten keeps the batch axis and no other",))

    def _substitutes(self) -> Iterator[Candidate]:
        """A layer that does nothing, where the siblings have a convolution, a pooling or a resizing."""
        layers, wanted = self.case.recording.layer_at, self._wanted_widths()
        for path in self._suspects():
            if path not in layers or layers[path].kind != "identity":
                continue
            unit = next((unit for unit in self.graph.units if unit.is_layer and unit.layer == path), None)
            given = self.case.recording.shape(unit.operands[0]) if unit is not None and unit.operands else ()
            for other, support in self.siblings.substitutes(path):
                inner = [
                    layer for key, layer in layers.items() if key == other.path or key.startswith(f"{other.path}.")
                ]
                for module in _modules_like(inner, given, wanted):
                    evidence = (f"{other.path} is {other.type}",)
                    yield Candidate((Replace(path, module),), 0.8 * support, 1, evidence)

    def _wanted_widths(self) -> list[int]:
        """The widths that what failed would accept."""
        ranges = [sizes for want in self.finding.wants for sizes in want.demand.values()]
        return [sizes.low for sizes in ranges if sizes.exact is not None]

    # What is often wrong with inputs

    def _inputs(self) -> Iterator[Candidate]:
        recording = self.case.recording
        for index, number in enumerate(recording.inputs):
            shape = recording.shape(number)
            if None in shape:
                continue
            for edit in self._input_edits(index, tuple(size or 0 for size in shape)):
                yield self._weighed((edit,), 3)

    def _input_edits(self, index: int, shape: tuple[int, ...]) -> Iterator[Input]:
        first = next((layer for layer in self.case.recording.layers if layer.kind == "conv"), None)
        unbatched = first is not None and len(shape) == first.facts.get("rank", 2) + 1
        if len(shape) < 4 or unbatched or (self.finding.needs_proof and len(shape) < 6):
            yield Input(index, "unsqueeze", {"dim": 0, **({"first": True} if unbatched else {})}, (1, *shape))
        if first is not None:
            rank, channels = first.facts.get("rank", 2), first.facts.get("in_channels", 0)
            if len(shape) == rank + 2 and shape[1] != channels == shape[-1]:
                order = (0, len(shape) - 1, *range(1, len(shape) - 1))
                yield Input(index, "permute", {"dims": order}, tuple(shape[axis] for axis in order))
        if len(shape) >= 4:
            yield from _other_sizes(index, shape, self.case.message, not self.finding.wants)


def _oddity(edit: Set) -> float:
    """How unusual a value is for its argument, whatever the model: a stride beyond 2, an even kernel."""
    value = max(edit.value) if isinstance(edit.value, tuple) and edit.value else edit.value
    if not isinstance(value, int):
        return 0.0
    if edit.argument in ("stride", "dilation") and value > 2:
        return 0.3
    if edit.argument == "kernel_size" and value % 2 == 0:
        return 0.15
    return 0.1 if edit.argument == "padding" and value > 3 else 0.0


def _in_step(layer: Layer) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Single settings with which a convolution or pooling divides every size by its stride."""
    rank = layer.facts.get("rank", 2)
    facts = {"dilation": 1, **layer.facts}
    k, p, d = (_spread(facts[name], rank) for name in ("kernel_size", "padding", "dilation"))
    options = {
        "dilation": (1,) * rank,
        "padding": tuple(d[i] * (k[i] - 1) // 2 for i in range(rank)),
        "kernel_size": tuple(2 * p[i] // d[i] + 1 for i in range(rank)),
    }
    for argument, value in options.items():
        if argument in layer.facts and keeps_pace(layer, {argument: value}):
            yield argument, value


def _spread(setting: Any, rank: int) -> tuple[int, ...]:
    return tuple(setting) if isinstance(setting, tuple) else (setting,) * rank


def _own_prior(case: Case) -> float:
    """A layer that refuses its input may itself be wrong; one that is given the model's own input, rather not."""
    if case.call.operands and case.call.operands[0] in case.recording.inputs:
        given, expected = case.shapes[0], case.facts.get("in_channels")
        usual = len(given) > 2 and given[1] in (1, 3)
        return 0.4 if usual and expected not in (1, 3, 4) else 0.0
    return 0.25


def _other_sizes(index: int, shape: tuple[int, ...], message: str, speaks: bool) -> Iterator[Input]:
    """Sizes next to the present one that divide by powers of two and, where the error's text is all there is to go by,
    sizes that it speaks of."""
    sizes = shape[2:]
    for step in (2, 4, 8, 16, 32, 64):
        for up in (False, True):
            rounded = tuple(max(step, (size + (step - 1 if up else 0)) // step * step) for size in sizes)
            if rounded != sizes:
                yield Input(index, "size", {"size": rounded, "multiple": step}, (*shape[:2], *rounded))
    numbers = [int(number) for number in re.findall(r"\d+", message)[:12]]
    if speaks and any(number in sizes for number in numbers):
        for number in dict.fromkeys(numbers):
            if 8 <= number <= 4096 and number not in sizes:
                wanted = (number,) * len(sizes)
                yield Input(index, "size", {"size": wanted, "said": True}, (*shape[:2], *wanted))


def _wanted_shape(junction: Junction, given: Shape, other: Shape, case: Case) -> Shape:
    """What an operand has to become to meet another: all of it, or for a concat all but the axis joined along."""
    if junction.kind != "concat" or len(given) != len(other):
        return other
    along = case.call.facts.get("dim", 0) % max(len(given), 1)
    return tuple(size if axis == along else other[axis] for axis, size in enumerate(given))


def _modules_like(layers: Sequence[Layer], given: Shape, widths: Sequence[int]) -> Iterator[Module]:
    """What stands in a sibling's place, for the channels that come in here; its width as asked for or in proportion."""
    for layer in layers:
        facts = layer.facts
        match layer.kind:
            case "pool":
                names = ("kernel_size", "stride", "padding", "ceil_mode")
                arguments: dict[str, Any] = {name: facts[name] for name in names if name in facts}
                yield Module("pool", {**arguments, "rank": facts.get("rank", 2), "average": "Avg" in layer.type})
                return
            case "resize" if facts.get("scale_factor"):
                yield Module("upsample", {"scale_factor": facts["scale_factor"], "mode": facts.get("mode", "nearest")})
                return
            case "conv" if len(given) == facts.get("rank", 2) + 2 and given[1]:
                kept = {name: facts[name] for name in ("rank", "kernel_size", "stride", "padding") if name in facts}
                in_proportion = given[1] * facts["out_channels"] // facts["in_channels"]
                for width in dict.fromkeys([*widths, in_proportion]):
                    yield Module("conv", {"in_channels": given[1], "out_channels": width, **kept})
                return


def _about(edit: Edit) -> str:
    if isinstance(edit, Set | Replace):
        return edit.layer
    if isinstance(edit, Insert | SetCall):
        return place_layer(edit.place)
    return f"input {edit.index}"


def _arguments(edits: Sequence[Edit]) -> int:
    """How many settings a bundle changes beyond what goes together anyway (a depthwise convolution's three widths)."""
    widths = {"in_channels", "out_channels", "groups"}
    return max(1, len({e.argument for e in edits if isinstance(e, Set) and e.argument not in widths}))


def _short(value: Any) -> str:
    if isinstance(value, tuple) and value and all(item == value[0] for item in value):
        return str(value[0])
    return str(value)


# Trying


@dataclass
class Search:
    """Tries candidates with one model until enough is known or the time is up."""

    probe: Probe
    base: tuple[Edit, ...] = ()
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.seconds
        self.tried = 0

    def outcome(self, candidates: Sequence[Candidate], case: Case) -> Outcome:
        """The candidates that let the whole pass finish, best first, and those that came further than before."""
        passing: list[Verified] = []
        partial: list[Verified] = []
        untried: list[Candidate] = []
        for position, candidate in enumerate(candidates):
            best = max((verified.score for verified in passing), default=None)
            out_of_time = time.monotonic() > self._deadline
            if out_of_time or (best is not None and candidate.score < best - ENOUGH_BEHIND) or len(passing) >= 8:
                untried = list(candidates[position:])
                break
            verified = self.run(candidate, case)
            if verified.trial.finished:
                passing.append(verified)
            elif verified.reached:
                partial.append(verified)
        passing.sort(key=lambda verified: -verified.score)
        partial.sort(key=lambda verified: (-verified.reached, -verified.score))
        return Outcome(tuple(passing), tuple(partial), tuple(untried), self.tried)

    def run(self, candidate: Candidate, case: Case) -> Verified:
        self.tried += 1
        trial = self.probe.run((*self.base, *candidate.edits))
        return Verified(candidate, trial, candidate.score + _plausibility(trial, case), _reached(trial, case))


def _plausibility(trial: Trial, case: Case) -> float:
    """Whether the output looks like an answer to the input: its batch kept, an image's size kept, few weights added."""
    score = -min(0.2, 0.02 * _magnitude(trial.parameters))
    recording = case.recording
    if not recording.inputs or not trial.finished:
        return score
    given = [trial.recording.shape(value) for value in trial.recording.inputs] or [recording.shape(recording.inputs[0])]
    outputs = list(_shapes(trial.output))
    if not outputs or not given or not given[0]:
        return score
    first = outputs[0]
    if first and not any(first[:2].count(size) for size in given[0][:2]):
        score -= 0.8
    elif first and len(first) > 1 and len(given[0]) > 2 and first[0] != given[0][0] and first[1] != given[0][1]:
        score -= 0.4
    if len(first) >= 4 and len(given[0]) >= 4 and first[2:] == given[0][2:]:
        score += 0.3
    return score


def _magnitude(count: int) -> int:
    return len(str(abs(count))) if count else 0


def _shapes(output: Any) -> Iterator[Shape]:
    if isinstance(output, tuple) and output and all(size is None or isinstance(size, int) for size in output):
        yield output
    elif isinstance(output, tuple):
        for item in output:
            yield from _shapes(item)
    elif isinstance(output, dict):
        for item in output.values():
            yield from _shapes(item)


def _reached(trial: Trial, case: Case) -> int:
    """How many calls the pass with the edits made beyond the place that failed; 0 if it did not get past it."""
    place = case.call.place
    times = sum(1 for call in case.recording.calls if call.place == place)
    seen = 0
    for call in trial.recording.calls:
        if call.place != place:
            continue
        seen += 1
        if seen == times:
            return len(trial.recording.calls) - call.number if call.finished else 0
    return 0


def failing_unit(graph: Graph) -> Call | None:
    """The unit that failed; a layer's own operation is the layer's, and so is an assertion that takes no tensor."""
    call = graph.recording.failing_call()
    if call is None:
        return None
    unit = graph.unit_of(call)
    return graph.recording.calls[unit.parent] if not unit.operands and unit.parent is not None else unit


def places(edits: Iterable[Edit]) -> str | None:
    """The layer that edits are about, for `Cause.layer`; None for the input."""
    for edit in edits:
        if isinstance(edit, Input):
            return None
        return _about(edit)
    return None
