"""Trying candidates on shapes, and ranking what passes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters import Probe, Trial
from shapewatch.edits import Edit, Input
from shapewatch.flow.junctions import Graph, unchecked
from shapewatch.flow.layout import Layout
from shapewatch.recording import Recording, Shape
from shapewatch.repair.candidate import Candidate, about
from shapewatch.repair.chance import joined_askew, meet_by_chance, other_lengths, other_sizes, with_another_batch
from shapewatch.repair.divisors import with_what_is_needed
from shapewatch.repair.hidden import hides_the_mistake
from shapewatch.repair.in_each_turn import right_in_one_turn
from shapewatch.rules.rule import Case

SECONDS = 3.5
"""How long one search may take, in seconds of this thread's own work, so that on a busy machine it finds the same; a
pass on shapes of a ResNet-50 takes about 0.04 s."""

SECONDS_MORE = 1.5
"""How long to look for something better once a change passes."""

ENOUGH = 8
"""Changes that pass, after which no more are tried."""

ONE_BATCH_ALONE = 0.8
"""How much less is to be said for a change with which what failed fails again where the batch is another one. No more,
as the program itself may count on one batch."""

LEFT_BESIDE = 0.7
"""How much less is to be said for an input of another size where the labels beside it have the size that it has: they
would have to change as well."""

ENOUGH_BEHIND = 0.9
"""Candidates whose evidence is this much weaker than a verified one's are not tried."""


@dataclass(frozen=True)
class Verified:
    """A candidate that was tried. `reached` tells how far the pass came when it did not finish."""

    candidate: Candidate
    trial: Trial
    score: float
    reached: int = 0

    @property
    def passes(self) -> bool:
        """Whether the whole pass finished, and took no branches that do not fit without a word."""
        return self.trial.finished and not _left_unchecked(self)


@dataclass(frozen=True)
class Outcome:
    """What a search found for one fault: what passes, best first; or how far the best of the rest came."""

    passing: tuple[Verified, ...] = ()
    partial: tuple[Verified, ...] = ()
    tried: int = 0


@dataclass
class Search:
    """Tries candidates with one model until enough is known or the time is up."""

    probe: Probe
    base: tuple[Edit, ...] = ()
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        self._deadline = time.thread_time() + self.seconds
        self.tried = 0

    def outcome(self, candidates: Sequence[Candidate], case: Case) -> Outcome:
        """The candidates that let the whole pass finish, best first, and those that came further than before.

        Once something passes, what has much less evidence is not tried any more.
        """
        passing: list[Verified] = []
        partial: list[Verified] = []
        for candidate in candidates:
            if time.thread_time() > self._deadline or len(passing) >= ENOUGH:
                break
            best = max((verified.score for verified in passing), default=candidate.score)
            if candidate.score < best - ENOUGH_BEHIND:
                continue
            verified = self.run(candidate, case)
            if right_in_one_turn(candidate.edits, case.recording, verified.trial.recording):
                continue
            if joined_askew(candidate.edits, verified.trial, case):
                continue
            if meet_by_chance(candidate.edits, verified.trial, case) or self._by_a_size_alone(verified, case):
                continue
            if verified.passes:
                if self._fails_again(candidate.edits, with_another_batch(candidate.edits, case), case):
                    verified = replace(verified, score=verified.score - ONE_BATCH_ALONE)
                said = with_what_is_needed(candidate, case, lambda edits: self.probe.run((*self.base, *edits)).finished)
                verified = replace(verified, candidate=said)
                passing.append(verified)
                self._deadline = min(self._deadline, time.thread_time() + SECONDS_MORE)
            elif verified.reached:
                partial.append(verified)
        passing.sort(key=lambda verified: -verified.score)
        partial.sort(key=lambda verified: (-verified.reached, -verified.score))
        return Outcome(tuple(passing), tuple(partial), self.tried)

    def _by_a_size_alone(self, verified: Verified, case: Case) -> bool:
        """Whether a candidate that passes does so by a number that is the batch's, or is the only one that would do
        where there may be any number: with other such numbers, what failed fails again."""
        edits = verified.candidate.edits
        if hides_the_mistake(edits, case):
            return True
        if not verified.trial.finished:
            return False
        if any(self._fails_again(edits, given, case) for given in other_lengths(edits, case)):
            return True
        sizes = other_sizes(edits, case)
        return bool(sizes) and all(self._fails_again(edits, given, case) for given in sizes)

    def _fails_again(self, edits: Sequence[Edit], inputs: Sequence[Edit], case: Case) -> bool:
        if not inputs:
            return False
        rest = [edit for edit in edits if not isinstance(edit, Input)]
        trial = self.probe.run((*self.base, *rest, *inputs))
        failing = None if trial.unsupported is not None else Graph(trial.recording).failing_unit()
        return failing is not None and failing.place == case.call.place

    def run(self, candidate: Candidate, case: Case) -> Verified:
        self.tried += 1
        trial = self.probe.run((*self.base, *candidate.edits))
        score = candidate.score + _plausibility(trial, case) - LEFT_BESIDE * _leaves_labels(candidate.edits, case)
        return Verified(candidate, trial, score, _reached(trial, case))


def _leaves_labels(edits: Sequence[Edit], case: Case) -> bool:
    """Whether an input gets other sizes, and labels of the sizes that it has now stand beside it."""
    recording, failure = case.recording, case.recording.failure
    if failure is None:
        return False
    for edit in edits:
        if not isinstance(edit, Input) or edit.change != "size":
            continue
        given = recording.shape(recording.inputs[edit.index])
        was, now = _spatial(given, case), _spatial(edit.shape, case)
        for shape in failure.beside.values():
            runs = [shape[at : at + len(was)] for at in range(1, len(shape))]
            if was != now and was in runs and now not in runs:
                return True
    return False


def _left_unchecked(verified: Verified) -> bool:
    """Whether branches that do not fit met in the pass without a word. A layer that was edited is not asked: its facts
    in the recording may be those from before."""
    edited = {about(edit) for edit in verified.candidate.edits}
    return any(unit.layer not in edited for unit in unchecked(Graph(verified.trial.recording)))


def _plausibility(trial: Trial, case: Case) -> float:
    """Whether the output looks like an answer to the input: its batch kept, an image's size kept, few weights added."""
    score = -min(0.2, 0.02 * _magnitude(trial.parameters))
    recording = case.recording
    if not recording.inputs or not trial.finished or trial.beyond:
        return score  # what a pass that ends before the model does gives is no answer of the model's
    given = [trial.recording.shape(value) for value in trial.recording.inputs] or [recording.shape(recording.inputs[0])]
    outputs = list(_shapes(trial.output))
    if not outputs or not given or not given[0]:
        return score
    first = outputs[0]
    if _counts_samples_twice(trial.recording):
        score -= 1.5
    if first and not any(first[:2].count(size) for size in given[0][:2]):
        score -= 1.5
    elif first and len(first) > 1 and len(given[0]) > 2 and first[0] != given[0][0] and first[1] != given[0][1]:
        score -= 0.4
    if min(len(first), len(given[0])) >= 4 and _spatial(first, case) == _spatial(given[0], case):
        score += 0.3
    return score


def _counts_samples_twice(recording: Recording) -> bool:
    """Whether there is an answer for each sample and each sample: `[N, 1] * [N, 1, C]` has been stretched."""
    lineage = Graph(recording).lineage
    return any(len(lineage.batch_axes(value)) > 1 for value in recording.outputs)


def _spatial(shape: Shape, case: Case) -> Shape:
    layout = (case.graph.layout or Layout()).of_batch(shape)
    return tuple(shape[axis] for axis in layout.spatial(shape))


def _magnitude(count: int | None) -> int:
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
    recording, outermost = case.recording, case.recording.outermost
    same = [call for call in recording.calls if call.place == place and outermost(call) is outermost(case.call)]
    times = max(1, len(same))
    seen = 0
    for call in trial.recording.calls:
        if call.place != place:
            continue
        seen += 1
        if seen == times:
            return len(trial.recording.calls) - call.number if call.finished else 0
    return 0
