"""Every candidate for the repair of one finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from shapewatch.demand import Want, settable, walk
from shapewatch.edits import Edit, Input, Insert, Set, SetCall
from shapewatch.flow.layout import USUAL_CHANNELS, Layout
from shapewatch.recording import Layer
from shapewatch.repair.alike import (
    as_the_one_beside,
    blocks_of_another_width,
    odd_blocks,
    odd_ones,
    out_of_step,
    substitutes,
    unusual_flattens,
)
from shapewatch.repair.another_variable import another_variable
from shapewatch.repair.arguments_exchanged import arguments_exchanged
from shapewatch.repair.at_junction import at_junction, out_of_pace, unpadded
from shapewatch.repair.before_built import before_built
from shapewatch.repair.candidate import Candidate, wherever_made
from shapewatch.repair.causal import cut_behind
from shapewatch.repair.dilated import regarding_the_dilation
from shapewatch.repair.directions import batch_first, directions_together, mask_turned
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.feed_forward import given_back
from shapewatch.repair.guarded import left_out_where_it_does_not_fit
from shapewatch.repair.heads import heads_in_front
from shapewatch.repair.in_each_turn import as_what_is_met
from shapewatch.repair.in_turn import in_another_order
from shapewatch.repair.inputs import as_declared, as_many_samples, exchanged, inputs, of_all_alike, swapped
from shapewatch.repair.laid_out_soundly import lays_out_anew
from shapewatch.repair.log_probs import not_summed
from shapewatch.repair.losses import in_the_forward, picked_alike
from shapewatch.repair.lost_axes import given_up, not_pooled, steps_given_back, tokens_in_front, unmerged_targets
from shapewatch.repair.made_with import made_with_another_width
from shapewatch.repair.masks import for_all_parts
from shapewatch.repair.mirrored import as_laid_flat
from shapewatch.repair.odd_lengths import odd_lengths
from shapewatch.repair.odd_operations import (
    along_another_axis,
    expanded_otherwise,
    flattened_otherwise,
    joined_along_the_batch,
    left_out,
    odd_operations,
    repeated_otherwise,
    squeezed_too_much,
)
from shapewatch.repair.operands import laid_out_otherwise, stretched_before
from shapewatch.repair.output_padding import each_in_full
from shapewatch.repair.pooled import over_all_steps
from shapewatch.repair.size_by_a_name import by_its_name
from shapewatch.repair.tables import tables
from shapewatch.repair.uncalled import uncalled_layers
from shapewatch.repair.unpacked import unpacked_the_other_way
from shapewatch.repair.upsampled import one_upsampling_less, one_upsampling_more
from shapewatch.rules.rule import Case, Finding

AGREED = 0.3
"""How much more is to be said for a change on the branch that alone differs from two others or more."""


def propose(case: Case, finding: Finding) -> list[Candidate]:
    """Every candidate once, in the order in which they are to be tried.

    Strongest evidence first, but two that arithmetic connects with the failure for each one that only siblings or habit
    suggest: a network of irregular blocks suggests so many of these that the time would be up before the plain answer.
    """
    if case.facts.get("collects"):
        return []  # what a loader puts together is as it is: it is no code of the program's
    if heads := list(heads_in_front(case)):
        return heads
    evidence = Evidence(case, finding)
    layers = case.recording.layer_at
    connected = [each for each in _strongest(_connected(evidence), layers) if _is_in_reach(each, case)]
    connected = [each for each in connected if not lays_out_anew(each.edits, case)]
    known = {repr(candidate.edits) for candidate in connected}
    suggested = [c for c in _strongest(_suggested(evidence), layers) if repr(c.edits) not in known]
    order: list[Candidate] = []
    while connected or suggested:
        order += [*connected[:2], *suggested[:1]]
        del connected[:2], suggested[:1]
    return order


def _is_in_reach(candidate: Candidate, case: Case) -> bool:
    """Whether a change is of the model that is run again, where what failed is in one: not of the program around it."""
    if case.call.parent is None:
        return True
    places = [case.recording.at(edit.place) for edit in candidate.edits if isinstance(edit, Insert | SetCall)]
    return not any(call is not None and call.parent is None and not call.is_layer for call in places)


def _possible(edit: Edit, layers: Mapping[str, Layer]) -> bool:
    return not isinstance(edit, Set) or edit.layer not in layers or settable(layers[edit.layer].facts, edit.argument)


def _against_two(candidate: Candidate) -> bool:
    """Whether an input and layers that agree with it would all have to change, and little else speaks for that."""
    return len(candidate.edits) > 1 and candidate.score < -0.5 and any(isinstance(e, Input) for e in candidate.edits)


def _strongest(candidates: Iterator[Candidate], layers: Mapping[str, Layer]) -> list[Candidate]:
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        if not all(_possible(edit, layers) for edit in candidate.edits) or _against_two(candidate):
            continue
        key = repr(candidate.edits)
        if key not in best or best[key].score < candidate.score:
            best[key] = candidate
    return sorted(best.values(), key=lambda candidate: (-candidate.score, candidate.hops))


def _connected(evidence: Evidence) -> Iterator[Candidate]:
    case, finding = evidence.case, evidence.finding
    for edits in finding.own:
        yield evidence.weighed(in_the_forward(edits, case), 0, _own_prior(case) - finding.own_doubt)
    for want in finding.wants:
        odd = AGREED if _odd_one(case, want) else 0.0
        for change in walk(case.graph, want):
            given = any(isinstance(edit, Input) for edit in change.edits)
            candidate = evidence.weighed(change.edits, change.hops + 1, 0.0 if given else odd)
            yield replace(candidate, edits=wherever_made(change.edits, case.recording))
            yield from as_what_is_met(evidence, change.edits, change.hops + 1)
            yield from swapped(evidence, change.edits, change.hops + 1)
            yield from of_all_alike(evidence, change.edits, change.hops + 1)
    if case.junction is not None and case.junction.status != "ok":
        yield from at_junction(evidence, case.junction)
        yield from unpadded(evidence, case.junction)
        yield from out_of_pace(evidence, case.junction)
        yield from left_out_where_it_does_not_fit(evidence)
    yield from given_back(evidence)
    yield from as_laid_flat(evidence)
    yield from by_its_name(evidence)
    yield from odd_lengths(evidence)
    yield from one_upsampling_less(evidence)
    yield from one_upsampling_more(evidence)
    yield from over_all_steps(evidence)
    yield from tables(evidence)
    yield from laid_out_otherwise(evidence)
    yield from stretched_before(evidence)
    yield from not_summed(evidence)
    yield from joined_along_the_batch(case)
    yield from each_in_full(evidence)
    yield from picked_alike(case)
    yield from along_another_axis(evidence)
    yield from squeezed_too_much(evidence)
    yield from repeated_otherwise(evidence)
    yield from flattened_otherwise(evidence)
    yield from expanded_otherwise(evidence)
    yield from directions_together(evidence)
    yield from batch_first(evidence)
    yield from mask_turned(evidence)
    yield from for_all_parts(evidence)
    yield from as_declared(evidence)
    yield from exchanged(evidence)
    yield from as_many_samples(evidence)
    yield from before_built(evidence)
    yield from as_the_one_beside(evidence)
    yield from odd_blocks(evidence)
    yield from blocks_of_another_width(evidence)
    yield from made_with_another_width(evidence)
    yield from unusual_flattens(evidence)
    yield from given_up(evidence)
    yield from steps_given_back(evidence)
    yield from not_pooled(evidence)
    yield from unmerged_targets(evidence)
    yield from tokens_in_front(evidence)
    yield from another_variable(evidence)
    yield from uncalled_layers(evidence)
    yield from in_another_order(evidence)
    yield from arguments_exchanged(evidence)
    yield from unpacked_the_other_way(evidence)
    yield from cut_behind(evidence)
    yield from regarding_the_dilation(evidence)


def _odd_one(case: Case, want: Want) -> bool:
    """Whether of three branches or more all but one agree, and this one is to be made like them."""
    others = [shape for operand, shape in enumerate(case.shapes) if operand != want.operand]
    if case.junction is None or len(others) < 2 or len({len(shape) for shape in case.shapes}) > 1:
        return False
    agreed = [{other[axis] for other in others} for axis in want.demand]
    return all(len(sizes) == 1 and None not in sizes for sizes in agreed)


def _suggested(evidence: Evidence) -> Iterator[Candidate]:
    yield from odd_ones(evidence)
    yield from odd_operations(evidence)
    yield from left_out(evidence)
    yield from out_of_step(evidence)
    yield from substitutes(evidence)
    yield from inputs(evidence)


def _own_prior(case: Case) -> float:
    """A layer that refuses its input may itself be wrong; one that is given the model's own input, rather not."""
    if case.call.operands and case.call.operands[0] in case.recording.inputs:
        given, expected = case.shapes[0], case.facts.get("in_channels")
        layout = (case.layout or case.graph.layout or Layout()).of_batch(given)
        usual = len(given) > 2 and given[layout.channels(given)] in USUAL_CHANNELS
        if usual:
            return 0.4 if expected not in (1, 3, 4) else 0.0
        return 0.0 if expected in USUAL_CHANNELS else 0.3
    return 0.25
