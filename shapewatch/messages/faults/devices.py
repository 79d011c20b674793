"""Processes of one job that disagree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, Cause, Evidence, told
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

OUT_OF_STEP = Cause(
    "the processes are out of step: a branch that depends on the data (a sample without images, an unused module, "
    "an early stop) makes one of them run other operations, so that collectives of different tensors meet",
    "Let every process run the same modules in the same order, with a dummy input where one has nothing to do.",
    "Log the operation and shape of each process just before it, with TORCH_DISTRIBUTED_DEBUG=DETAIL.",
)
UNEQUAL_SHARES = Cause(
    "the processes hold shares of different sizes: the last batch, or a size that is not divisible by their number",
    "Pad to the largest share before gathering (and cut afterwards), or drop the incomplete batch.",
    "Print the shape on every process.",
    {"torch": "sampler = DistributedSampler(dataset, drop_last=True)"},
)
OTHER_MODELS = Cause(
    "the processes built different models: configuration, checkpoint, vocabulary or number of classes differ among "
    "them",
    "Derive the configuration in one process and broadcast it, and use the same code and files everywhere.",
    "Print the number and shapes of parameters on every process.",
)
WRONG_WORLD = Cause(
    "the configured number of processes is not the one that was started",
    "Start as many processes as the configuration says, or derive it from the world size.",
    "Print the world size.",
)


OTHER_SAMPLES = Cause(
    "processes that work on one sample together (sequence, context or tensor parallel) were given different samples: "
    "the sampler splits the data over all processes, where each such group needs the same",
    "Split the data over the data-parallel groups alone (`num_replicas`, `rank` of the sampler), or broadcast the "
    "sample within a group.",
    "Print the length of the sample, and the groups, on every process.",
)


def ranks(pasted: Pasted) -> Told:
    first, other = facts.shape(pasted, "first", "expected"), facts.shape(pasted, "other", "got")
    a, b = facts.size(pasted, "first", "expected"), facts.size(pasted, "other", "got")
    one, two = facts.size(pasted, "rank"), facts.size(pasted, "other_rank")
    what = facts.word(pasted, "what")
    of = f" (rank {sized(one)} and rank {sized(two)})" if one is not None and two is not None else ""
    pair = f"{shaped(first)} against {shaped(other)}" if first is not None and other is not None else ""
    pair = pair or (f"{a} against {b}" if a is not None and b is not None else "")
    operations = _operations(pasted)
    if not pair and len(set(operations)) == 2:
        pair = " against ".join(operations)
    headline = f"the processes of one job disagree{of}" + (f": {pair}" if pair else "")
    meaning = (
        "In a collective operation every process takes part with the same operation and fitting shapes, in the same "
        f"order. {f'Here {pair}.' if pair else ''} Where it is raised need not be where it went wrong."
    )
    evidence = [*_of_ranks(what, pair, a, b, operations)]
    one_length = first is not None and other is not None and len(sizes.apart(first, other)) == 1 < len(first)
    if one_length and len(operations) == 2 and len(set(operations)) == 1:
        same = f"{pair}: all of them at {operations[0]}, so they are in step, and one length differs"
        evidence.append(OTHER_SAMPLES.since(same, FITS + 0.01))
    return told(pasted, "SW903", headline, meaning, evidence)


def _operations(pasted: Pasted) -> list[str]:
    """What each process was doing: `ALLGATHER`, number 101."""
    found = re.findall(r"SequenceNumber=(\d+),\s*OpType=_?([A-Z_]+)", pasted.reading.message)
    return [f"{operation} (number {number})" for number, operation in found[:2]]


def _of_ranks(what: str, pair: str, a: int | None, b: int | None, operations: list[str]) -> Iterator[Evidence]:
    seen = pair or "the message says so"
    parameters = what in ("parameter", "parameters")
    if len(set(operations)) == 2:
        yield OUT_OF_STEP.since(f"{' against '.join(operations)}: other operations", NUMBERS)
    yield OTHER_MODELS.since(seen, NUMBERS if parameters else COMMON + 0.05)
    yield OUT_OF_STEP.since(seen, FITS if not parameters else COMMON)
    yield UNEQUAL_SHARES.since(seen, FITS - 0.02 if not parameters else COMMON - 0.1)
    yield WRONG_WORLD.since(seen, NUMBERS if what == "mesh" else FITS if sizes.ratio(a, b) else COMMON - 0.1)


# Replicas in one process

PADDED_APART = Cause(
    "each device cuts or pads its own share (to the longest of its samples), so that the outputs get different lengths",
    "Pad to one length before the batch is split, and give it to what packs and unpacks (`total_length`).",
    "Print the shape of the output on every device.",
    {"torch": "x, _ = pad_packed_sequence(packed, batch_first=True, total_length=total_length)"},
)
BATCH_ELSEWHERE = Cause(
    "the outputs have their batch on another axis than the first (states, caches and attention maps often have), and "
    "the last batch does not divide among the devices",
    "Return outputs with the batch in front, leave states out of what is returned, or make every batch divisible "
    "(`drop_last=True`).",
    "Print the shape of every output, and say which axis is the batch.",
)
SQUEEZED_SHARE = Cause(
    "one device gets a single sample, and a `squeeze()` without an axis takes its batch axis as well",
    "Name the axis: `squeeze(-1)`.",
    "Try a batch that leaves one sample to the last device.",
)


def gather(pasted: Pasted) -> Told:
    expected, got = facts.shape(pasted, "left", "expected"), facts.shape(pasted, "right", "got")
    pair = f"{shaped(got)} against {shaped(expected)}"
    headline = f"the outputs of the devices cannot be joined: {pair}"
    meaning = (
        "DataParallel gives each device a share of the batch and joins the outputs along their first axis; all the "
        f"other axes must have one size. Here {pair}."
    )
    return told(pasted, "SW401", headline, meaning, _of_replicas(expected, got, pair))


def _of_replicas(expected: Shape | None, got: Shape | None, pair: str) -> Iterator[Evidence]:
    if expected is not None and got is not None and len(expected) != len(got):
        yield SQUEEZED_SHARE.since(f"{pair}: one of them lacks an axis", NUMBERS)
        yield causes.LOST_AXIS.since(f"{pair}: one of them lacks an axis", FITS)
    yield PADDED_APART.since(pair, FITS + 0.05)
    yield BATCH_ELSEWHERE.since(pair, FITS)
    yield causes.LAST_BATCH.since(f"{pair}: a batch that the number of devices does not divide", COMMON + 0.05)
    yield causes.SPLIT_BATCH.since(pair, COMMON)
