"""A model run on shapes with other sizes: each set of sizes once, and no more than the budget allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters import Probe, Trial
from shapewatch.edits import Input
from shapewatch.flow.junctions import Graph, Junction, find_junctions
from shapewatch.recording import Recording, Shape, Span
from shapewatch.sizes.accepted import Refusal, Shapes
from shapewatch.sizes.search import SpentError

SECONDS = 60.0
"""Of this thread's own, so that what is found does not depend on what else the machine does."""

PASSES = 900
SLOW = 1.0
"""Seconds: a pass with larger sizes than one that took longer is not run, for a program may take steps one by one."""

_ELEMENTWISE = frozenset("add sub mul div average maximum minimum where lerp".split())

_WINDOWED = frozenset(
    "conv conv_transpose pool resize pad norm activation dropout same identity prelu linear recurrent embedding".split()
)
"""Kinds of calls that never make an axis of size 1 on purpose, as a mean, an adaptive pooling or an index does."""


@dataclass(frozen=True)
class Repeat:
    """A call in which an operand is repeated along axes on which it has size 1; `id` is the same in every pass."""

    id: str
    axes: frozenset[int]
    layer: str
    location: Span | None
    shapes: tuple[Shape, ...]
    junction: Junction | None = None


@dataclass(frozen=True)
class Pass:
    """How a pass with some sizes went. `fits`: None where it could not be followed, and `unknown` says why; `reached`:
    how many calls were begun. The `recording` is kept until a base is chosen: there are hundreds of passes after it."""

    shapes: Shapes
    fits: bool | None
    output: Any = None
    recording: Recording | None = None
    refusal: Refusal | None = None
    reached: int = 0
    stretched: tuple[Repeat, ...] = ()
    unknown: str = ""

    @property
    def clean(self) -> bool | None:
        """Whether the sizes fit, and nothing is repeated silently that was not before."""
        return self.fits and not self.stretched


class Passes:
    """The passes of a probe, on any sizes."""

    def __init__(self, probe: Probe, clock: Callable[[], float] = time.thread_time) -> None:
        self._probe = probe
        self._clock = clock
        self._known: dict[Shapes, Pass] = {}
        self._slow: list[Shapes] = []
        self._begun = clock()
        self._first_took = 0.0
        self._meant: Mapping[str, frozenset[int]] | None = None
        self.count = 0
        self.why_spent = ""

    @property
    def seconds(self) -> float:
        return self._clock() - self._begun

    def run(self, shapes: Shapes) -> Pass:
        """The pass with these shapes. What it repeats is told from `start_from` on.

        Raises:
            SpentError: the budget does not allow one more pass.
            Exception: a fault of ours, where the model could not be run at all.
        """
        known = self._known.get(shapes)
        if known is not None:
            return known
        if self.seconds > SECONDS or self.count >= PASSES:
            self.why_spent = f"the search ended after {self.count} passes and {self.seconds:.0f} seconds"
            raise SpentError
        if any(_all_at_least(shapes, slow) for slow in self._slow):
            return Pass(shapes, None, unknown="a pass with smaller sizes took too long")
        self.count += 1
        begun = self._clock()
        trial = self._probe.run([Input(index, "size", {}, shape) for index, shape in enumerate(shapes)])
        took = self._clock() - begun
        self._first_took = self._first_took or took
        if took > max(SLOW, 4 * self._first_took):
            self._slow.append(shapes)
        if trial.broken is not None:
            raise trial.broken
        made = self._known[shapes] = self._pass(shapes, trial)
        return made

    def _pass(self, shapes: Shapes, trial: Trial) -> Pass:
        failure = trial.recording.failure
        if trial.unsupported is not None:
            return Pass(shapes, None, unknown=trial.unsupported)
        if failure is not None and failure.type in ("MemoryError", "RecursionError"):
            return Pass(shapes, None, unknown=f"the pass ended with a {failure.type}")
        kept, reached = trial.recording if self._meant is None else None, len(trial.recording.calls)
        if failure is not None:
            return Pass(shapes, False, None, kept, _refusal(trial.recording, shapes), reached)
        stretched = self._stretched(trial.recording) if self._meant is not None else ()
        return Pass(shapes, True, trial.output, kept, reached=reached, stretched=stretched)

    def start_from(self, base: Pass) -> None:
        """From here on, what is repeated in this pass is taken to be meant so, and other things are not."""
        assert base.recording is not None
        self._meant = {repeat.id: repeat.axes for repeat in _repeats(base.recording)}
        failed = {shapes: replace(made, recording=None) for shapes, made in self._known.items() if not made.fits}
        self._known = {**failed, base.shapes: replace(base, recording=None)}

    def _stretched(self, recording: Recording) -> tuple[Repeat, ...]:
        """What is repeated along an axis along which it was not in the base."""
        meant, found = self._meant or {}, list[Repeat]()
        for repeat in _repeats(recording):
            new = repeat.axes - meant.get(repeat.id, frozenset())
            if new and (repeat.junction is None or _by_windows(repeat.junction, new)):
                found.append(repeat)
        return tuple(found)


def _repeats(recording: Recording) -> Iterator[Repeat]:
    """Branches that are repeated where they meet, and what is repeated to the size of a weight."""
    graph = Graph(recording)
    for junction in find_junctions(graph):
        if junction.status == "broadcast":
            shapes = tuple(branch.shape for branch in junction.branches)
            yield Repeat(junction.id, frozenset(junction.axes), junction.layer, junction.location, shapes, junction)
    for call in graph.units:
        values = set(filter(graph.is_activation, call.operands))
        if call.kind in _ELEMENTWISE and call.finished and len(values) == 1 and call.results:
            made, shapes = recording.shape(call.results[0]), tuple(map(recording.shape, call.operands))
            before = recording.shape(values.pop())
            own = range(len(made) - len(before), len(made))
            axes = frozenset(axis for axis in own if made[axis] != 1 == before[axis - own.start])
            if axes:
                yield Repeat(call.place, axes, call.layer, call.span, shapes)


def _by_windows(junction: Junction, axes: AbstractSet[int]) -> bool:
    """Whether what is repeated has its size of 1 from kernels and widths alone: nothing made it 1 on purpose. So it is
    where the branches are of different inputs."""
    rank = max(len(branch.shape) for branch in junction.branches)
    narrow = [
        branch
        for branch in junction.branches
        if any(((1,) * (rank - len(branch.shape)) + branch.shape)[axis] == 1 for axis in axes)
    ]
    return junction.fork is None or any(all(step.kind in _WINDOWED for step in branch.path) for branch in narrow)


def _all_at_least(shapes: Shapes, others: Shapes) -> bool:
    return all(a >= b for shape, other in zip(shapes, others, strict=True) for a, b in zip(shape, other, strict=True))


def _refusal(recording: Recording, shapes: Shapes) -> Refusal | None:
    """Where a pass that failed ended."""
    failure, call = recording.failure, recording.failing_call()
    if failure is None:
        return None
    span = failure.span or (call.span if call is not None else None)
    first, *_ = [*failure.message.strip().splitlines(), ""]
    outermost = call is not None and call.is_layer and call.parent is None
    layer = recording.layer_at.get(call.layer) if call is not None else None
    takes = layer.facts.get("takes", ()) if outermost and layer is not None else ()
    declared = bool(takes) and _refused(takes, shapes)
    return Refusal(
        layer=call.layer if call is not None else "",
        operation=call.name if call is not None and not call.is_layer else "",
        location=span,
        message=f"{failure.type}: {first}".rstrip(": "),
        shapes=takes if declared else tuple(recording.shape(operand) for operand in call.operands) if call else (),
        declared=declared,
    )


def _refused(takes: Any, shapes: Shapes) -> bool:
    """Whether inputs of these shapes are none that the model says it takes."""
    return len(takes) == len(shapes) and any(
        len(wanted) != len(shape) or any(a is not None and a != b for a, b in zip(wanted, shape, strict=True))
        for wanted, shape in zip(takes, shapes, strict=True)
    )
