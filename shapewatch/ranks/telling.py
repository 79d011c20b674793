"""What is told of ranks, in words: where they part, and what becomes of the one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from shapewatch.adapters.collectives import Collective
from shapewatch.messages.faults.devices import OTHER_MODELS, OUT_OF_STEP, UNEQUAL_SHARES
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, SAID, Cause, Evidence
from shapewatch.ranks.account import Account
from shapewatch.ranks.parting import Parting
from shapewatch.ranks.words import Word
from shapewatch.recording import Shape, Span, TensorSpec, text
from shapewatch.report import Diagnosis, Report
from shapewatch.rules import ranks_differ
from shapewatch.rules.rule import listed, plural

OWN_LENGTHS = Cause(
    "each rank pads to the longest sample of its own batch",
    "Gather the lengths first, and pad to the longest of all ranks before the shapes have to be equal.",
    "Print the shape on every rank.",
)
UNEQUAL_STEPS = Cause(
    "the ranks have different numbers of batches",
    "Give every rank as many (DistributedSampler does; drop_last), or wrap the loop in `Join`.",
    "Print len(loader) on every rank.",
    {"torch": "from torch.distributed.algorithms.join import Join\nwith Join([model]):\n    ...  # the loop"},
)

MOST = 8
"""Lines of a table of ranks."""

MEANING = "In a collective every rank takes part in the same operation, with as many numbers of one dtype."

ENDS = {
    "shapes": "Where that is not so, values get mixed up, a rank ends without an exception, or all hang.",
    "models": "A wrapped model has the same parameters on every rank, and their gradients meet one by one.",
    "operations": "Each of these ranks waits for the others in an operation to which they do not come.",
    "steps": "Where a rank has left, those that go on wait for it, or lose it.",
}

RESTS_ON = "This rests on what every rank says that it called. The causes are possible ones, the likeliest first."


def of_parting(parting: Parting) -> Diagnosis:
    suspects = tuple(
        each.suspect("torch") for each in sorted(_evidence(parting), key=lambda evidence: -evidence.weight)
    )
    numbered = [
        f"{number}. {suspect.cause}: {suspect.because}. Change: {suspect.change}"
        for number, suspect in enumerate(suspects, start=1)
    ]
    call = next(iter(parting.present.values()))
    return Diagnosis(
        code=ranks_differ.check.code,
        name=ranks_differ.check.name,
        severity="error",
        headline=_headline(parting),
        explanation="\n".join([*_table(parting), f"{MEANING} {ENDS[parting.kind]}", *numbered, RESTS_ON]),
        location=call.span,
        suspects=suspects,
    )


def of_hang(parting: Parting, seconds: float) -> Diagnosis:
    """Of ranks that do not move any more."""
    told = of_parting(parting)
    return replace(told, headline=f"nothing has moved for {seconds:g} s: {told.headline}")


def _headline(parting: Parting) -> str:
    calls = parting.present
    name = next(iter(calls.values())).name
    if parting.kind == "models":
        return f"the ranks wrap different models: {_parameters(calls)[0]}"
    if parting.kind == "shapes":
        single = {rank: call.specs[0] for rank, call in calls.items() if len(call.specs) == 1}
        brought = _told_apart(single) if len(single) == len(calls) else {r: _shapes(c.specs) for r, c in calls.items()}
        return f"the ranks bring different shapes to {name}: {_grouped(brought.items())}"
    if parting.kind == "operations":
        return f"the ranks are in different operations: {_grouped((r, c.name) for r, c in calls.items())}"
    gone = [rank for rank, call in parting.ranks.items() if call is None]
    have = "has" if len(gone) == 1 else "have"
    return f"{ranks_in_words(gone)} {have} left the watched block, and {ranks_in_words(list(calls))} is in {name}"


def _shapes(specs: Sequence[TensorSpec]) -> str:
    shown = [text(spec.shape) for spec in specs[:3]]
    more = f" and {len(specs) - 3} more" if len(specs) > 3 else ""
    dtypes = {spec.dtype for spec in specs}
    return f"{', '.join(shown)}{more}" + (f" {dtypes.pop()}" if len(dtypes) == 1 else "") if specs else "no tensor"


def _parameters(calls: dict[int, Collective]) -> list[str]:
    """Where wrapped models are not the same: in the number of their parameters, or in which there are."""
    if len({len(call.specs) for call in calls.values()}) > 1:
        return [_grouped((rank, plural(len(call.specs), "parameter")) for rank, call in calls.items())]
    found = []
    for position in range(len(next(iter(calls.values())).specs)):
        specs = {rank: call.specs[position] for rank, call in calls.items()}
        labels = {rank: call.labels[position] for rank, call in calls.items()}
        if len(set(labels.values())) > 1:
            found.append(_grouped((rank, f"{labels[rank]} {text(specs[rank].shape)}") for rank in calls))
        elif len(set(specs.values())) > 1:
            found.append(f"{labels[min(labels)]} is {_grouped(_told_apart(specs).items())}")
    return found


def _told_apart(specs: dict[int, TensorSpec]) -> dict[int, str]:
    """Shapes, with dtypes where these differ."""
    dtypes = {spec.dtype for spec in specs.values()}
    return {rank: text(spec.shape) + (f" {spec.dtype}" if len(dtypes) > 1 else "") for rank, spec in specs.items()}


def _grouped(told: Iterable[tuple[int, str]]) -> str:
    """`[4, 3] on rank 0, [2, 3] on ranks 1 to 3`."""
    by_words: dict[str, list[int]] = {}
    for rank, words in told:
        by_words.setdefault(words, []).append(rank)
    shown = [f"{words} on {ranks_in_words(ranks)}" for words, ranks in list(by_words.items())[:4]]
    return ", ".join(shown) + (", …" if len(by_words) > 4 else "")


def ranks_in_words(ranks: Sequence[int]) -> str:
    """`rank 0`, `ranks 0 and 2`, `ranks 0 to 3`."""
    ranks = sorted(ranks)
    if len(ranks) > 2 and ranks == list(range(ranks[0], ranks[-1] + 1)):
        return f"ranks {ranks[0]} to {ranks[-1]}"
    if len(ranks) > MOST:
        return f"{len(ranks)} ranks ({ranks[0]} the first)"
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {listed([str(rank) for rank in ranks])}"


def _table(parting: Parting) -> Iterator[str]:
    """A line for the ranks that do the same, with the place where that is another one on each; of models, a line for
    each parameter that is not the same."""
    if parting.kind == "models":
        yield from _parameters(parting.present)[:MOST]
        return
    spans = {call.span for call in parting.present.values()}
    by_words: dict[str, list[int]] = {}
    for rank, call in parting.ranks.items():
        by_words.setdefault(_row(call, len(spans) > 1), []).append(rank)
    for words, ranks in list(by_words.items())[:MOST]:
        yield f"{ranks_in_words(ranks)}: {words}"


def _row(call: Collective | None, placed: bool) -> str:
    if call is None:
        return "has left its watched block"
    brings = f" of {_shapes(call.specs)}" if call.specs else ""
    return f"{call.name}{brings}{_at(call.span) if placed else ''}"


def _at(span: Span | None) -> str:
    if span is None:
        return ""
    return f" at {PurePath(span.file).name}:{span.line}" + (f": {span.source}" if span.source else "")


def _evidence(parting: Parting) -> Iterator[Evidence]:
    if parting.kind == "models":
        yield OTHER_MODELS.since("the parameters differ", SAID)
    elif parting.kind == "operations":
        yield OUT_OF_STEP.since("the ranks are in different operations", SAID)
    elif parting.kind == "steps":
        yield UNEQUAL_STEPS.since("one rank goes on where another has ended", NUMBERS)
        yield OUT_OF_STEP.since("a rank may have ended early for a reason of its own", COMMON)
    else:
        yield from _of_shapes(parting)


def _of_shapes(parting: Parting) -> Iterator[Evidence]:
    calls = list(parting.present.values())
    shapes = {call.specs[0].shape for call in calls if len(call.specs) == 1}
    axes = _axes_apart(shapes)
    before = "at this line they agreed before" if parting.agreed else "at this line they never agreed before"
    if axes == [0]:
        seen = f"only the first axis differs, mostly the batch; {before}"
        yield UNEQUAL_SHARES.since(seen, NUMBERS if parting.agreed else FITS)
    elif axes is not None:
        yield OWN_LENGTHS.since(f"axis {listed([str(axis) for axis in axes])} differs, and not the batch", FITS + 0.05)
        yield OTHER_MODELS.since(before, COMMON if parting.agreed else FITS)
    elif axes is None:
        yield OTHER_MODELS.since("the tensors have different numbers or ranks", COMMON)
    yield OUT_OF_STEP.since(before, COMMON + 0.05)


def _axes_apart(shapes: set[Shape]) -> list[int] | None:
    """The axes on which shapes of one rank differ; None where they are of several."""
    if len({len(shape) for shape in shapes}) != 1:
        return None
    return [axis for axis, sizes in enumerate(zip(*shapes, strict=True)) if len(set(sizes)) > 1]


# At the end of a block


def key_of_parting(parting: Parting) -> str:
    call = next(iter(parting.present.values()))
    return f"{parting.kind}/{call.group}/{call.number}"


def key_of_fall(here: Word) -> str:
    fall = here.fall
    where = f"{fall.span.file}:{fall.span.line}" if fall is not None and fall.span is not None else ""
    return f"fall/{fall.code or fall.type if fall is not None else ''}/{where}/{here.begun}"


def of_follower(account: Account, notes: Sequence[str]) -> str:
    """The note of a rank that failed because others are gone; empty where nothing is known of them."""
    if account.first:
        lowest = account.first[0]
        fall = lowest.fall
        assert fall is not None
        what = f"{fall.code} {fall.headline}" if fall.code else f"{fall.type}: {fall.message.partition(chr(10))[0]}"
        all_of_them = ranks_in_words([word.rank for word in account.first])
        said = f"this rank only lost {all_of_them}, which failed{_at(fall.span)}\n    {what}"
    elif account.silent:
        gone = ranks_in_words(account.silent)
        said = (
            f"this rank only lost others: {gone} did not say why. "
            "A process that is killed, runs out of memory or ends by os._exit says nothing, nor does one unwatched"
        )
    else:
        return ""
    return "\n".join([said, *notes])


def of_teller(teller: int, report: Report) -> str:
    """The note of a rank whose error another one tells of."""
    first = next((each for each in report.diagnoses if each.severity == "error"), None)
    what = f"{first.code} {first.name}: " if first is not None else ""
    return f"{what}rank {teller} has the same error, and tells of it"


def told_above(report: Report) -> str:
    first = report.diagnoses[0]
    return f"{first.code} {first.name}: {first.headline} (told above, before it failed)"


def of_others(account: Account) -> Iterator[str]:
    """What a rank that tells of its failure adds of the other ranks."""
    alike = [word.rank for word in account.alike]
    if len(alike) > 1:
        yield f"{ranks_in_words(alike)} fail alike"
    for word in account.first:
        if word.rank not in alike and word.rank != account.here.rank and word.fall is not None:
            yield f"rank {word.rank} failed otherwise: {word.fall.code or word.fall.type}{_at(word.fall.span)}"
    for word in account.waiting[:MOST]:
        yield f"rank {word.rank} has not failed; it is{_at(word.at) or ' at a line that is not known'}"
    if account.silent:
        yield f"{ranks_in_words(account.silent)} said nothing"
    inputs = {word.rank: ", ".join(map(text, word.inputs)) for word in (account.here, *account.waiting) if word.inputs}
    if len(set(inputs.values())) > 1:
        yield f"the outermost model was given {_grouped(sorted(inputs.items()))}"
