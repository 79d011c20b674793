"""What speaks for a candidate before it is tried: siblings, widths, the usual values of settings."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shapewatch.adapters.arguments import construction, parameter_for
from shapewatch.adapters.statements import statement
from shapewatch.adapters.written import line_of_what_grows
from shapewatch.axes import differ
from shapewatch.edits import Edit, Input, Insert, Set, SetCall, Target
from shapewatch.flow.junctions import Junction, find_junctions
from shapewatch.flow.layout import USUAL_CHANNELS, USUAL_SIZES, Layout
from shapewatch.recording import Call, Layer, Shape, spoken
from shapewatch.repair.candidate import Candidate, about, arguments, short
from shapewatch.repair.roads import behind_enlarging, enlarging, road_back
from shapewatch.repair.siblings import Siblings, keeps_pace
from shapewatch.rules.rule import Case, Finding, listed

ONE_LESS = -0.1
"""How much speaks for one upsampling less: as much as for any setting that ends the failure, and no more."""

LESS_FURTHER_BACK = 0.05
"""How much less for each upsampling that comes behind it."""


@dataclass(frozen=True)
class Evidence:
    """Weighs candidates for the repair of one finding."""

    case: Case
    finding: Finding

    @cached_property
    def siblings(self) -> Siblings:
        return Siblings(self.case.recording.layer_at, self.junctions)

    @cached_property
    def junctions(self) -> tuple[Junction, ...]:
        return find_junctions(self.case.graph)

    def weighed(self, edits: tuple[Edit, ...], hops: int, prior: float = 0.0) -> Candidate:
        score, evidence = prior - 0.02 * min(hops, 25), []
        for edit in edits:
            worth, phrase = self._worth(edit)
            score += worth / len(edits)
            if phrase:
                evidence.append(phrase)
        score -= 0.4 * self._overlaps(edits)
        score -= 0.8 * (self._its_line_never_projects and any(map(self._takes_back, edits)))
        declaring = self._given_what_it_does_not_take
        score -= 1.0 * (declaring is not None and any(about(edit).startswith(declaring) for edit in edits))
        places = len({about(edit) for edit in edits}) - self._laid_out(edits)
        score -= 0.8 * (places - 1) + 0.25 * (arguments(edits) - 1)
        return Candidate(edits, score, hops, tuple(dict.fromkeys(evidence))[:2])

    @cached_property
    def _given_what_it_does_not_take(self) -> str | None:
        """Where layers are of a model that declares its inputs, and is given others than it declares: what is wrong is
        wrong before it."""
        recording, call = self.case.recording, self.case.call
        while call.parent is not None:
            call = recording.calls[call.parent]
            layer = recording.layer_at.get(call.layer)
            takes = layer.facts.get("takes", ()) if layer is not None else ()
            given = [recording.shape(value) for value in call.operands]
            if len(takes) == len(given) and any(
                len(one) == len(other) and any(map(differ, one, other)) for one, other in zip(takes, given, strict=True)
            ):
                return f"{call.layer}."
        return None

    def _laid_out(self, edits: tuple[Edit, ...]) -> int:
        """How many of the edits are of a layer that lays out in axes what another one gives, which is changed with it:
        `Dense(7 * 7 * 32)` and `Reshape((7, 7, 32))` are one choice."""
        layers = self.case.recording.layer_at
        kinds = [layers[e.layer].kind for e in edits if isinstance(e, Set) and e.layer in layers]
        kinds += ["reshape" for e in edits if isinstance(e, SetCall) and e.argument == "shape"]
        return min(kinds.count("reshape"), kinds.count("linear"))

    def _overlaps(self, edits: tuple[Edit, ...]) -> int:
        """How many layers that lay windows side by side (a patch embedding, a pooling) would do so no more."""
        found = {(edit.layer, edit.argument): edit.value for edit in edits if isinstance(edit, Set)}
        count = 0
        for path in {path for path, _ in found}:
            layer = self.case.recording.layer_at.get(path)
            now = {name: layer.facts.get(name) if layer is not None else None for name in _TILES}
            then = {name: found.get((path, name), value) for name, value in now.items()}
            tiled = len(set(map(short, now.values()))) == 1 and "1" not in map(short, now.values())
            count += tiled and len(set(map(short, then.values()))) > 1
        return count

    def _worth(self, edit: Edit) -> tuple[float, str | None]:
        if isinstance(edit, Set):
            return self._worth_of_setting(edit)
        if isinstance(edit, Input):
            return self.worth_of_input(edit)
        if isinstance(edit, SetCall):
            call = self.case.recording.at(edit.place)
            made = call is not None and call.kind == "create"
            if call is not None and call.kind == "resize" and edit.argument == "size":
                return 0.3, self._rounded(call, edit.value)
            if edit.argument == "dims" and isinstance(edit.was, tuple) and tuple(sorted(edit.was)) == tuple(edit.value):
                return 0.6, None  # the line that fails transposes it, and need not
            beside = self._beside(edit)
            phrase = f"{beside} beside it has {edit.argument} {short(edit.value)}" if beside else None
            computed = call is not None and isinstance(edit.was, int) and _is_computed(edit, call)
            worth = (0.6 if made else -0.2) + self._worth_of_axis(edit) + 0.8 * bool(beside) - 0.3 * computed
            return worth, phrase
        if isinstance(edit, Insert) and edit.module.kind == "flatten" and self.case.call.kind == "linear":
            flattened = any(unit.kind == "flatten" for unit in road_back(self.case.call.operands[0], self.case.graph))
            return 0.5 * (not flattened), None  # that all together are as long as is asked for is seldom chance
        if isinstance(edit, Target) and edit.change == "from-one":
            if edit.arguments.get("known"):
                return 2.5, "no label has class 0"
            return 1.3 * self._last_width_has_a_name(), None
        return 0.0, None

    def _last_width_has_a_name(self) -> bool:
        """Whether the line that makes the last layer says by name how many classes there are, or counts them."""
        made = self.case.graph.producer.get(self.case.call.operands[self.case.facts.get("output", 0)])
        layer = self.case.recording.layer_at.get(made.layer) if made is not None and made.is_layer else None
        width = layer.facts.get("out_features") if layer is not None else None
        if layer is None or not isinstance(width, int) or _is_a_number(layer, width) >= 0:
            return False
        return any(isinstance(node, ast.Name | ast.Attribute | ast.Call) for node in _given_to(layer))

    def _rounded(self, call: Call, size: tuple[int, ...]) -> str | None:
        """That a factor gives nearly the sizes that are asked for: off by less than it makes of one place."""
        factor, made = call.facts.get("scale_factor"), self.case.recording.shape(call.results[0])
        if factor is None:
            return None
        factors = factor if isinstance(factor, tuple) else (factor,) * len(size)
        near = all(abs((own or 0) - n) < by for own, n, by in zip(made[-len(size) :], size, factors, strict=True))
        return "a size that is halved with rounding is not what a factor makes of it again" if near else None

    def _beside(self, edit: SetCall) -> str | None:
        """An operation of the same kind that made another operand of what failed, with the value that is asked for: the
        mean over the channels, beside a maximum over the height."""
        graph = self.case.graph
        made = [unit for value in self.case.call.operands if (unit := graph.producer.get(value)) is not None]
        here = next((unit for unit in made if unit.place == edit.place), None)
        alike = (unit for unit in made if here is not None and unit is not here and unit.kind == here.kind)
        return next((unit.name for unit in alike if self._says(unit, edit)), None)

    def _says(self, unit: Call, edit: SetCall) -> bool:
        theirs = unit.facts.get(edit.argument)
        rank = len(self.case.recording.shape(unit.operands[0])) if unit.operands else 0
        if edit.argument == "dim" and isinstance(theirs, int) and isinstance(edit.value, int) and rank:
            return theirs % rank == edit.value % rank
        return bool(theirs == edit.value)

    def _worth_of_setting(self, edit: Set) -> tuple[float, str | None]:
        vote = self.siblings.vote(edit)
        score = vote.score + 0.4 * self.siblings.width_score(edit)
        phrase = None
        if vote.agree:
            shown = listed(list(map(spoken, vote.agree[:3])))
            phrase = f"{shown} {'have' if len(vote.agree) > 1 else 'has'} {edit.argument} {short(edit.value)}"
        layer = self.case.recording.layer_at.get(edit.layer)
        meant = layer is not None and edit.was in [layer.facts.get(name) for name in _TILES if name != edit.argument]
        score += 0.0 if meant else 0.3 * (_even(edit.value) - _even(edit.was))  # said twice, it is no slip
        score += self._worth_of_axis(edit) - _oddity(edit)
        if layer is not None and self.case.junction is not None and isinstance(edit.was, int):
            score += 0.1 * _is_a_number(layer, edit.was)
        if layer is not None and (alike := self._in_the_same_steps(layer, edit)):
            score, phrase = score + 0.9, f"{listed(alike)}, in the same steps, have {edit.argument} {short(edit.value)}"
        score -= 0.6 * (layer is not None and self._each_branch_has_a_window and _is_passed_on(layer, edit.argument))
        made_for_another_map = self.finding.own_doubt and self.case.call.kind in ("linear", "recurrent")
        if made_for_another_map and edit.argument == "out_channels":
            score -= 0.4  # it was made for as many channels as there are
        if edit.argument == "in_features" and edit.layer == self.case.call.layer and self._flattens_by_numbers:
            score += 0.5  # copied from a network for other images, as a rule
        if layer is not None and layer.kind == "adaptive_pool" and self.finding.wants:
            # what pools to one place is to see the whole map; where that meets a map, it is to be spread again
            score += -0.6 if short(edit.was) == "1" and self.case.junction is not None else 0.4
        if layer is not None and layer.kind == "reshape":
            squares_less = edit.argument == "shape" and len(set(edit.value)) > len(set(edit.was or ()))
            score -= 0.4 * self._given_away(edit) + 0.3 * squares_less
        if layer is not None and layer.kind == "pool" and edit.argument in ("kernel_size", "stride"):
            score += 0.4 * (short(edit.was) == "1")  # a pooling over single places does nothing
        if layer is not None:
            before, after = keeps_pace(layer, {}), keeps_pace(layer, {edit.argument: edit.value})
            shrunk = edit.argument == "kernel_size" and short(edit.value) == "1"  # one place keeps pace with anything
            shrunk = shrunk or edit.argument == "output_padding"  # which is there to give one size of several
            if before is not None and after is not None and not shrunk and (before or self._keep_pace(layer)):
                score += 0.4 * (after - before)
                if after and not before and phrase is None:
                    does = "multiplies" if layer.kind == "conv_transpose" else "divides"
                    phrase = f"with it {edit.layer} {does} every size by its stride and does nothing else to it"
            if edit.layer in self._enlarging and len(self._enlarging) > 1 and short(edit.value) in ("1", "1.0"):
                score = ONE_LESS - LESS_FURTHER_BACK * self._enlarging[edit.layer]
            # made larger, and smaller again by the next window
            score -= 0.9 * (edit.argument == "stride" and edit.layer in self._behind_an_upsampling)
            behind = self.case.call.kind == "linear" and layer.kind in ("conv", "pool") and phrase is None
            if behind and edit.argument in ("kernel_size", "dilation", "padding"):
                score -= 0.3  # a window that makes the count of a flattened map come out, for no other reason
        return score, phrase

    def _in_the_same_steps(self, layer: Layer, edit: Set) -> list[str]:
        """The layers of the other branches that go over their maps in the same windows and steps, where all have the
        value that is asked for, and are more than one: the branches of a reduction."""
        branches = self.case.junction.branches if self.case.junction is not None else ()
        others = [branch for branch in branches if all(step.layer != layer.path for step in branch.path)]
        if edit.argument not in ("padding", "dilation") or short(layer.facts.get("stride")) == "1":
            return []
        layers = [self.case.recording.layer_at.get(step.layer or "") for branch in others for step in branch.path]
        alike = [each for each in layers if each is not None and _windows(each) == _windows(layer)]
        wanted = all(short(each.facts.get(edit.argument)) == short(edit.value) for each in alike)
        return [spoken(each.path) for each in alike] if wanted and len(alike) > 1 else []

    @cached_property
    def _enlarging(self) -> dict[str, int]:
        """The layers that make larger what failed, and how many others of them come behind each."""
        graph = self.case.graph
        roads = [enlarging(value, graph) for value in self.case.call.operands]
        return {unit.layer: back for road in roads for back, unit in enumerate(road) if unit.is_layer}

    @cached_property
    def _behind_an_upsampling(self) -> frozenset[str]:
        """The layers between what makes maps larger and what failed, where none makes them smaller."""
        graph = self.case.graph
        units = (unit for value in self.case.call.operands for unit in behind_enlarging(value, graph))
        return frozenset(unit.layer for unit in units if unit.is_layer)

    @cached_property
    def _each_branch_has_a_window(self) -> bool:
        """Whether no branch comes unchanged: then a stride may as well be missing on the other one."""
        branches = self.case.junction.branches if self.case.junction is not None else ()
        return bool(branches) and all(any(call.kind in ("conv", "pool") for call in branch.path) for branch in branches)

    def _takes_back(self, edit: Edit) -> bool:
        """Whether a convolution is to change the shape no more, in a block that is told to: whoever makes it says how
        many channels, or which stride, and means it."""
        layer = self.case.recording.layer_at.get(edit.layer) if isinstance(edit, Set) else None
        if not isinstance(edit, Set) or layer is None or layer.kind not in ("conv", "conv_transpose"):
            return False
        if edit.argument == "stride" and short(edit.value) != "1":
            return False
        name = parameter_for(layer, edit.argument)
        return self._is_told(layer, edit.argument, name) if name is not None else _is_passed_on(layer, edit.argument)

    def _is_told(self, layer: Layer, argument: str, name: str) -> bool:
        """Whether the other layers of a block that are given a parameter as well have as much of it."""
        recording, owner = self.case.recording, layer.path.rpartition(".")[0]
        beside = [each for each in recording.layers if owner and each.path.rpartition(".")[0] == owner]
        alike = [each for each in beside if parameter_for(each, argument) == name]
        return len({short(each.facts.get(argument)) for each in alike}) < 2

    @cached_property
    def _its_line_never_projects(self) -> bool:
        """Whether the line where branches meet takes one unchanged, wherever it ran: who wrote a block that is told its
        stride, and has no projection for it, forgot that."""
        here = [each for each in self.junctions if each.location == self.case.call.span]
        return bool(here) and all(any(not branch.path for branch in each.branches) for each in here)

    def _keep_pace(self, layer: Layer) -> bool:
        """Whether the other layers of a kind mostly divide sizes by their stride and do nothing else to them."""
        others = [other for other in self.case.recording.layers if other.kind == layer.kind and other != layer]
        judged = [pace for other in others if (pace := keeps_pace(other, {})) is not None]
        return 2 * sum(judged) >= len(judged)

    def _given_away(self, edit: Set) -> int:
        """How many sizes that a reshape kept, up to now, it would keep no more."""
        units = (unit for unit in self.case.graph.units if unit.is_layer and unit.layer == edit.layer and unit.operands)
        given = self.case.recording.shape(next(units).operands[0]) if edit.argument == "shape" else ()
        kept = set(given[1:]) & set(edit.was or ())
        return len(kept - set(edit.value))

    def _worth_of_axis(self, edit: Set | SetCall) -> float:
        """Images are joined along their channels."""
        layout = self.case.graph.layout
        joins = isinstance(edit, SetCall) or self.case.recording.layer_at[edit.layer].kind == "concat"
        if edit.argument != "dim" or layout is None or not joins or not isinstance(edit.value, int):
            return 0.0
        rank = layout.rank + 2
        channels = rank - 1 if layout.channels_last else 1
        if edit.value % rank == channels:
            return 0.5
        return -1.0 * (isinstance(edit.was, int) and edit.was % rank == channels)

    def worth_of_input(self, edit: Input) -> tuple[float, str | None]:
        given = self.case.recording.shape(self.case.recording.inputs[edit.index])
        match edit.change:
            case "permute":
                here = "first" if self.layout.channels_last else "last"
                return (1.0, f"the axis of the channels is {here}") if len(given) > 3 else (0.5, None)
            case "unsqueeze":
                if edit.arguments.get("lone"):
                    return 1.0, "the first convolution takes one channel, and the samples have no axis for it"
                if edit.arguments.get("first"):
                    return 0.8, "the first convolution was given no batch axis"
                return (0.4 if self.finding.needs_proof or self.finding.code == "SW701" else -0.3), None
            case "batch":
                return (1.0 if edit.arguments["was"] == 1 else 0.8), None
            case "squeeze":
                return -0.1, None
            case "channels":
                usual = given[self.layout.of_batch(given).channels(given)] not in USUAL_CHANNELS
                return (0.7, None) if usual or edit.arguments["channels"] in USUAL_CHANNELS else (-0.2, None)
        if line_of_what_grows(edit, self.case.recording) is not None:
            return _GROWN, "a loop makes it longer in each turn"
        if len(given) < 4:
            return -0.3, None
        sizes, wanted = (tuple(shape[axis] for axis in self.spatial(shape)) for shape in (given, edit.shape))
        step = edit.arguments.get("multiple")
        if step and (odd := [size for size in dict.fromkeys(sizes) if size is not None and size % step]):
            likely = step <= max(self._total_stride, 32 if any(size is not None and size % 2 for size in sizes) else 1)
            numbers = listed([str(size) for size in odd])
            said = f"{numbers} is no multiple of {step}" if len(odd) == 1 else f"{numbers} are no multiples of {step}"
            return (0.6 if step <= self._total_stride else 0.3 if likely else -0.3), said
        if edit.arguments.get("said"):
            return 0.9, None
        changed = [pair for pair in zip(wanted, sizes, strict=True) if pair[0] != pair[1]]
        usual, unusual = (all(pair[which] in USUAL_SIZES for pair in changed) for which in (0, 1))
        stretched = len(set(wanted)) > len(set(sizes))
        table = self._table
        worth = 0.3 if table else 0.1 if self.finding.own_doubt else -0.4
        worth -= 0.0 if usual else 0.15
        return worth + 0.3 * (usual - unusual) - 0.4 * stretched, f"{table} was made for it" if table else None

    @cached_property
    def _flattens_by_numbers(self) -> bool:
        """Whether the layer that fails takes a flattened map, and the program says its sides in numbers: `16*5*5`."""
        layer = self.case.layer
        if not self.finding.own_doubt or layer is None or self.case.call.kind != "linear":
            return False
        products = [node for node in _given_to(layer) if isinstance(node, ast.BinOp)]
        parts = [part for node in products for part in ast.walk(node) if isinstance(part, ast.operator | ast.expr)]
        return bool(products) and all(isinstance(part, ast.BinOp | ast.Constant | ast.Mult) for part in parts)

    @cached_property
    def _table(self) -> str | None:
        """A weight that the failing operation itself takes (positions, a mask), made for maps of one size."""
        call, values = self.case.call, self.case.recording.values
        rank = max(map(len, self.case.shapes), default=0)
        held = [] if call.is_layer else [values[operand] for operand in call.operands]
        held = [value for value in held if len(value.shape) >= rank - 1]  # one of fewer axes was made for none of these
        return next((value.name for value in held if value.origin in ("parameter", "buffer") and value.name), None)

    @cached_property
    def layout(self) -> Layout:
        """The model's images; with the channels first where nothing shows it."""
        return self.case.graph.layout or Layout()

    def spatial(self, shape: Shape) -> range:
        """The spatial axes of a batch of images, however many there are."""
        return self.layout.of_batch(shape).spatial(shape)

    @cached_property
    def _total_stride(self) -> int:
        """How much smaller than the input the smallest map is, along one axis."""
        recording = self.case.recording
        inputs = [recording.shape(number) for number in recording.inputs]
        maps = [value.shape for value in recording.values if value.origin == "call"]
        given, reached = (
            [shape[self.spatial(shape)[-1]] or 1 for shape in shapes if len(shape) >= 4] for shapes in (inputs, maps)
        )
        return max(given) // min((size for size in reached if size != 1), default=1) if given else 1


def _is_computed(edit: SetCall, call: Call) -> bool:
    """Whether the line that shuffles pixels has its factor from elsewhere: no such number is written there."""
    source = statement(call.span) or ""
    return edit.argument == "upscale_factor" and not re.search(rf"\b{edit.was}\b", source)


def _windows(layer: Layer) -> tuple[str, str]:
    return short(layer.facts.get("kernel_size")), short(layer.facts.get("stride"))


def _is_passed_on(layer: Layer, argument: str) -> bool:
    """Whether the line that makes a layer takes a setting from a variable of its name, `Conv2d(i, o, 3, stride, 1)`:
    whoever makes the block says it, and means it."""
    given = _given_to(layer)
    names = {ast.unparse(node).rpartition(".")[2] for node in given if isinstance(node, ast.Name | ast.Attribute)}
    return bool({argument, f"{argument}s"} & names)


def _is_a_number(layer: Layer, setting: int) -> int:
    """1 if the line that makes a layer has a setting as a number, -1 if it has a name for it, which others may share;
    0 where it does not tell."""
    given = _given_to(layer)
    numbers = [node.value for node in given if isinstance(node, ast.Constant)]
    return 1 if setting in numbers else -1 if len(numbers) < len(given) else 0


def _given_to(layer: Layer) -> list[ast.expr]:
    """The arguments with which a line makes a layer."""
    call = construction(layer)
    return [*call.args, *(keyword.value for keyword in call.keywords)] if call is not None else []


_GROWN = 1.0
"""How much speaks for the end of a sequence that grows, over a table for one step more."""

_TILES = ("kernel_size", "stride")


def _even(value: Any) -> bool:
    """Whether a setting is the same for every axis, as it mostly is."""
    return not isinstance(value, tuple | list) or len(set(map(str, value))) <= 1


def _oddity(edit: Set) -> float:
    """How unusual a value is for its argument, whatever the model: a stride beyond 2, an even kernel."""
    given = edit.value if isinstance(edit.value, tuple) else (edit.value,)
    value = max((one for one in given if isinstance(one, int)), default=None)
    if not isinstance(value, int):
        return 0.0
    if edit.argument == "output_padding" and edit.was is None:
        return 0.3  # left to the framework, the size is a multiple of the stride already
    if edit.argument in ("stride", "dilation") and value > 2:
        return 0.3
    if edit.argument == "kernel_size" and value % 2 == 0:
        return 0.15
    return 0.1 if edit.argument == "padding" and value > 3 else 0.0
