"""Processes of one job that disagree."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, Cause, Evidence, told
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told

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


def ranks(pasted: Pasted) -> Told:
    first, other = facts.shape(pasted, "first", "expected"), facts.shape(pasted, "other", "got")
    a, b = facts.size(pasted, "first", "expected"), facts.size(pasted, "other", "got")
    one, two = facts.size(pasted, "rank"), facts.size(pasted, "other_rank")
    what = facts.word(pasted, "what")
    of = f" (rank {sized(one)} and rank {sized(two)})" if one is not None and two is not None else ""
    pair = f"{shaped(first)} against {shaped(other)}" if first is not None and other is not None else ""
    pair = pair or (f"{a} against {b}" if a is not None and b is not None else "")
    headline = f"the processes of one job disagree{of}" + (f": {pair}" if pair else "")
    meaning = (
        "In a collective operation every process takes part with the same operation and fitting shapes, in the same "
        f"order. {f'Here {pair}.' if pair else ''} Where it is raised need not be where it went wrong."
    )
    return told(pasted, "SW903", headline, meaning, _of_ranks(what, pair, a, b))


def _of_ranks(what: str, pair: str, a: int | None, b: int | None) -> Iterator[Evidence]:
    seen = pair or "the message says so"
    parameters = what in ("parameter", "parameters")
    yield OTHER_MODELS.since(seen, NUMBERS if parameters else COMMON + 0.05)
    yield OUT_OF_STEP.since(seen, FITS if not parameters else COMMON)
    yield UNEQUAL_SHARES.since(seen, FITS - 0.02 if not parameters else COMMON - 0.1)
    yield WRONG_WORLD.since(seen, NUMBERS if what == "mesh" else FITS if sizes.ratio(a, b) else COMMON - 0.1)
