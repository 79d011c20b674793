"""Causal convolutions whose padding does not regard their dilation.

A window of `kernel_size` places that lie `dilation` apart reaches back (kernel_size - 1) * dilation steps. Padded by
kernel_size - 1, as without a dilation, each such convolution loses (kernel_size - 1) * (dilation - 1) of them. To
resize what has become too short would let steps see what is to come; what is lost is what each window lacks in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapewatch.adapters.reaches import only
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Layer, spoken
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.branches_differ import ELEMENTWISE

_WORTH = 0.95

_STEPS = {"torch": 2, "keras": 1}
"""The axis of the steps, as convolutions over steps take them."""


@dataclass(frozen=True)
class Window:
    """How a convolution over steps reaches back: how wide it is, and how far apart its places lie."""

    kernel: int
    dilation: int
    padding: int | str

    @property
    def reach(self) -> int:
        return (self.kernel - 1) * self.dilation

    @property
    def lost(self) -> int:
        """The steps that are lost where it is padded as it would be without a dilation."""
        return self.reach - (self.kernel - 1)


def regarding_the_dilation(evidence: Evidence) -> Iterator[Candidate]:
    """What is padded too little makes a branch too short, and what is padded well and cut too little makes it too
    long."""
    case = evidence.case
    axis = _STEPS.get(case.recording.framework)
    if axis is None or case.call.kind not in ELEMENTWISE | {"concat"} or len(case.shapes) != 2:
        return
    for at, (short, long) in enumerate((case.shapes, case.shapes[::-1])):
        if len(short) != 3 or len(long) != 3 or None in (short[axis], long[axis]):
            continue
        missing = (long[axis] or 0) - (short[axis] or 0)
        yield from _on_a_branch(evidence, at, missing, axis, _padded_by_its_reach)
        yield from _on_a_branch(evidence, 1 - at, missing, axis, _cut_by_its_reach)


def _on_a_branch(
    evidence: Evidence, at: int, apart: int, axis: int, mended: Callable[[Call, int, Graph], tuple[Edit, ...]]
) -> Iterator[Candidate]:
    """The edits of all convolutions on one branch that have such ones, where these make up what the branches are
    apart."""
    graph, operands = evidence.case.graph, evidence.case.call.operands
    value, other = operands[at], operands[1 - at]
    on_branch = [unit for unit in graph.units if _is_on_the_way(unit, value, other, graph)]
    found = [(unit, edits) for unit in on_branch if (edits := mended(unit, axis, graph))]
    if not found or apart != _lost_on_the_way(value, [unit for unit, _ in found], graph):
        return
    alike = {repr(edit): edit for unit, more in found for edit in (*more, *_of_the_others(unit, more, evidence))}
    edits = tuple(sorted(alike.values(), key=lambda edit: isinstance(edit, SetCall)))  # as they are written
    yield Candidate(edits, _WORTH, 1, tuple(_said(found[0][0], evidence)))


def _is_on_the_way(unit: Call, value: int, other: int, graph: Graph) -> bool:
    """Whether a convolution is on the one branch and not on the other."""
    if unit.kind != "conv" or not unit.is_layer or not unit.results:
        return False
    made = unit.results[0]
    return graph.descends(value, made) and not graph.descends(other, made)


def _lost_on_the_way(value: int, windows: Sequence[Call], graph: Graph) -> int:
    """The steps that windows behind each other lose; of two beside each other, as a gate and what it gates, one."""
    lost: dict[int, int] = {}
    for unit in windows:
        before = max((lost[made] for made in lost if graph.descends(unit.results[0], made)), default=0)
        lost[unit.results[0]] = before + _window(graph.facts(unit)).lost
    return max((lost[made] for made in lost if graph.descends(value, made)), default=0)


def _window(facts: Mapping[str, Any]) -> Window:
    """As far as numbers tell; else one that loses nothing."""
    kernel, dilation, stride = (only(facts.get(name, 1)) for name in ("kernel_size", "dilation", "stride"))
    if not kernel or not dilation or stride != 1 or facts.get("groups") is None:
        return Window(1, 1, 0)
    padding = facts.get("padding")
    return Window(kernel, dilation, padding if isinstance(padding, str) else only(padding))


def _padded_by_its_reach(unit: Call, axis: int, graph: Graph) -> tuple[Edit, ...]:
    """The padding that regards the dilation, with the cut that goes with it; none where the convolution is padded
    otherwise."""
    window = _window(graph.facts(unit))
    if window.lost < 1:
        return ()
    if window.padding == window.kernel - 1:
        cut = _cut_behind(unit, axis, window.kernel - 1, graph)
        longer = Set(unit.layer, "padding", (window.reach,), graph.facts(unit).get("padding"))
        return () if cut is None else (longer, _cut_by(cut, window.reach, graph))
    if window.padding in (0, "valid"):
        made = graph.producer.get(unit.operands[0])
        return () if made is None else _padded_in_front(made, axis, window, graph)
    return ()


def _cut_by_its_reach(unit: Call, axis: int, graph: Graph) -> tuple[Edit, ...]:
    """The cut that regards the dilation as the padding does; none where it does so, or there is no cut."""
    window = _window(graph.facts(unit))
    if window.lost < 1 or window.padding != window.reach:
        return ()
    cut = _cut_behind(unit, axis, window.kernel - 1, graph)
    return () if cut is None else (_cut_by(cut, window.reach, graph),)


def _cut_behind(unit: Call, axis: int, count: int, graph: Graph) -> Call | None:
    """The index that takes so many of the last steps off what a convolution gives: `x[:, :, :-count]`."""
    for user in graph.consumers.get(unit.results[0], ()):
        parts = _slices(user, graph) if user.kind == "index" else []
        in_place = len(parts) == axis + 1 or (axis == 2 and parts[:1] == ["..."])
        if in_place and parts[-1] == f":-{count}" and set(parts[:-1]) <= {":", "..."}:
            return user
    return None


def _slices(cut: Call, graph: Graph) -> list[str]:
    """The items of an index; unlike elsewhere, `x[..., :-2]` too, of which the last axis is known."""
    spelled = graph.facts(cut).get("slices")
    return spelled.split(", ") if isinstance(spelled, str) else []


def _cut_by(cut: Call, count: int, graph: Graph) -> SetCall:
    parts = _slices(cut, graph)
    return SetCall(cut.place, "slices", ", ".join([*parts[:-1], f":-{count}"]), ", ".join(parts))


def _padded_in_front(made: Call, axis: int, window: Window, graph: Graph) -> tuple[Edit, ...]:
    """Zeros in front of the steps, as many as the window reaches back, where there are too few, and none behind."""
    was = graph.facts(made).get("pad")
    if made.kind != "pad" or not isinstance(was, tuple):
        return ()
    pair = 2 * (2 - axis)
    if was[pair : pair + 2] != (window.kernel - 1, 0) or any((*was[:pair], *was[pair + 2 :])):
        return ()
    value = (*was[:pair], window.reach, 0, *was[pair + 2 :])
    if not made.is_layer:
        return (SetCall(made.place, "pad", value, was),)
    return (Set(made.layer, "pad" if graph.recording.framework == "keras" else "padding", value, was),)


def _of_the_others(unit: Call, edits: tuple[Edit, ...], evidence: Evidence) -> Iterator[Edit]:
    """The same for every other convolution that the same line makes, also of blocks that have not run yet."""
    recording = evidence.case.recording
    own = recording.layer_at[unit.layer]
    block = unit.layer.rpartition(".")[0]
    for layer in recording.layers:
        window, around = _window(layer.facts), layer.path.rpartition(".")[0]
        same = _are_made_alike(layer, own) and _is_padded_alike(window, _window(own.facts))
        if layer is own or window.lost < 1 or window.kernel != _window(own.facts).kernel or not same:
            continue
        for edit in edits:
            moved = _moved(edit, unit.layer, layer.path, block, around)
            if moved is None:
                break
            yield _with_reach(moved, _window(own.facts).reach, window.reach)


def _is_padded_alike(one: Window, other: Window) -> bool:
    by_reach = [window.padding == window.reach for window in (one, other)]
    return all(by_reach) if any(by_reach) else one.padding == other.padding


def _are_made_alike(one: Layer, other: Layer) -> bool:
    named = one.path.rpartition(".")[2] == other.path.rpartition(".")[2]
    return one.kind == other.kind and one.defined == other.defined is not None and named


def _moved(edit: Edit, own: str, other: str, block: str, around: str) -> Set | SetCall | None:
    """The edit in another block of the same build."""
    where = edit.layer if isinstance(edit, Set) else edit.place if isinstance(edit, SetCall) else ""
    if where == own:
        where = other
    elif block and around and where.startswith((f"{block}.", f"{block}:")):
        where = around + where[len(block) :]
    else:
        return None
    if isinstance(edit, Set):
        return Set(where, edit.argument, edit.value, edit.was)
    assert isinstance(edit, SetCall)
    return SetCall(where, edit.argument, edit.value, edit.was)


def _with_reach(edit: Set | SetCall, own: int, reach: int) -> Edit:
    """The edit with how far another window reaches."""
    value = edit.value
    if isinstance(value, str):
        value = value.replace(f":-{own}", f":-{reach}")
    else:
        value = tuple(reach if amount == own else amount for amount in value)
    return type(edit)(edit.layer if isinstance(edit, Set) else edit.place, edit.argument, value, edit.was)


def _said(unit: Call, evidence: Evidence) -> Iterator[str]:
    recording = evidence.case.recording
    own = recording.layer_at[unit.layer]
    window = _window(own.facts)
    yield (
        f"with dilation {window.dilation} its window reaches back {window.reach} steps, and {window.kernel - 1} are"
        f" {'cut' if window.padding == window.reach else 'padded'}, as without one"
    )
    beside = [each for each in recording.layers if each is not own and _are_made_alike(each, own)]
    single = [each for each in beside if _window(each.facts).kernel > 1 and _window(each.facts).dilation == 1]
    if single:
        yield f"{spoken(single[0].path)} has dilation 1, and loses none"
