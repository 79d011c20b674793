"""What is told of ranks, in words: where they part, and what becomes of the one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from shapewatch.adapters.collectives import Collective
from shapewatch.messages.faults.devices import OTHER_MODELS, OUT_OF_STEP, UNEQUAL_SHARES
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, SAID, Cause, Evidence
from shapewatch.ranks.account import Account, fell_alike
from shapewatch.ranks.parting import Parting, unequal_share
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
OTHER_LISTS = Cause(
    "the ranks hold lists of different lengths: such a function sends how many objects there are, and then the objects",
    "Make the list on every rank as long as on the one that sends: `objects = [None] * count`.",
    "Print len(objects) on every rank.",
)
OTHER_ORDER = Cause(
    "the ranks come to the operations of their groups in different orders",
    "Let every rank call them in one order (first along the rows, then along the columns), or begin one of them with "
    "`async_op=True` and wait for it after the other.",
    "Log the group and the operation on every rank just before it.",
)
BOTH_FIRST = Cause(
    "both ends of a message begin with the same half of an exchange",
    "Begin all of them, and wait afterwards; or let one rank send first where the other one receives first.",
    "Log the peer on every rank just before each send and recv.",
    {
        "torch": "work = dist.batch_isend_irecv([dist.P2POp(dist.isend, mine, peer), "
        "dist.P2POp(dist.irecv, theirs, peer)])\nfor each in work:\n    each.wait()"
    },
)
MORE_MESSAGES = Cause(
    "one end of the messages counts more of them than the other one",
    "Let both ranks work out the number of messages from the same thing, or send a last one that says so.",
    "Print on both ranks how many messages there are to be.",
)
OTHER_BUFFER = Cause(
    "the receiving rank makes room for another shape than is sent, as for a batch of another size",
    "Send the shape first, and receive into a tensor of that shape; or pad to a size on which both agree.",
    "Print the shape on both ranks before the message.",
)
OTHER_STAGE = Cause(
    "the parts of the model on the two ranks were built for different sizes",
    "Build both from one configuration: what one part gives is what the next one takes.",
    "Compare the output of the sending part with the input that the receiving one was built for.",
)
OTHER_MESSAGE = Cause(
    "the messages are out of order: this is received where another one is sent",
    "Send and receive in the same order on both ranks, or give each kind of message a tag.",
    "Log what is sent and received, in order, on both ranks.",
)
OTHER_SPLITS = Cause(
    "each rank works out its splits by itself, and they are not those of the others",
    "Exchange the sizes first: an all_to_all_single of the input splits gives the output splits.",
    "Print input_split_sizes and output_split_sizes on every rank.",
    {"torch": "take = torch.empty_like(give)  # numbers of rows, one a rank\ndist.all_to_all_single(take, give)"},
)

MOST = 8
"""Lines of a table of ranks."""

MEANING = "In a collective every rank takes part in the same operation, with as many numbers of one dtype."

ENDS = {
    "shapes": "Where that is not so, values get mixed up, a rank ends without an exception, or all hang.",
    "models": "A wrapped model has the same parameters on every rank, and their gradients meet one by one.",
    "operations": "Each of these ranks waits for the others in an operation to which they do not come.",
    "steps": "Where a rank has left, those that go on wait for it, or lose it.",
    "shares": "What one rank gives to another has to be what that one takes from it; else values get mixed up or lost.",
    "messages": "A message is received into as many numbers of its dtype: into fewer a rank ends, with gloo without an "
    "exception; into more the rest keeps what was in it, or all hang.",
    "circle": "Each of these ranks waits for one that waits in another operation, so that none of them goes on.",
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
        explanation="\n".join([*_table(parting), _meaning(parting), *numbered, RESTS_ON]),
        location=call.span,
        suspects=suspects,
    )


def _meaning(parting: Parting) -> str:
    ends = ENDS[parting.kind]
    no_collective = parting.kind == "circle" or any(call.is_message for call in parting.present.values())
    return ends if no_collective else f"{MEANING} {ends}"


def _ends(parting: Parting) -> tuple[TensorSpec, TensorSpec]:
    """What is sent, and what it is received into."""
    by_name = {call.name: call for call in parting.present.values()}
    return by_name["send"].specs[0], by_name["recv"].specs[0]


def of_hang(parting: Parting, seconds: float) -> Diagnosis:
    """Of ranks that do not move any more."""
    told = of_parting(parting)
    return replace(told, headline=f"nothing has moved for {seconds:g} s: {told.headline}")


def _headline(parting: Parting) -> str:
    calls = parting.present
    name = _name(next(iter(calls.values())))
    if parting.kind == "models":
        return f"the ranks wrap different models: {_parameters(calls)[0]}"
    if parting.kind == "shapes":
        single = {rank: call.specs[0] for rank, call in calls.items() if len(call.specs) == 1}
        brought = _told_apart(single) if len(single) == len(calls) else {r: _shapes(c.specs) for r, c in calls.items()}
        return f"the ranks bring different shapes to {name}: {_grouped(brought.items())}"
    if parting.kind == "operations":
        return f"the ranks are in different operations: {_grouped((r, _name(c)) for r, c in calls.items())}"
    if parting.kind == "circle":
        return f"the ranks wait for one another: {', '.join(_waiting(calls))}"
    if parting.kind == "messages":
        sender, receiver = next(iter(calls.values())).ranks
        given, taken = _told_apart(dict(enumerate(_ends(parting)))).values()
        return f"rank {sender} sends {given} to rank {receiver}, which receives into {taken}"
    if parting.kind == "shares":
        giver, taker, numbers, room = unequal_share(calls) or (0, 0, 0, 0)
        return f"in {name} rank {giver} gives {plural(numbers, 'number')} to rank {taker}, which takes {room}"
    gone = [rank for rank, call in parting.ranks.items() if call is None]
    have = "has" if len(gone) == 1 else "have"
    there = _whose(next(iter(calls.values())))
    return f"{ranks_in_words(gone)} {have} left the watched block, and {ranks_in_words(list(calls))} is in {there}"


def _waiting(calls: dict[int, Collective]) -> Iterator[str]:
    """`rank 0 in all_reduce of ranks 0 and 1`, one after the other as they wait."""
    shown = [f"rank {rank} in {_whose(call)}" for rank, call in calls.items()]
    yield from shown[:4]
    if len(shown) > 4:
        yield "…"


def _name(call: Collective) -> str:
    return call.called or call.name


def _whose(call: Collective) -> str:
    """`all_reduce of ranks 0 and 1`, `recv from rank 2`."""
    if call.is_message:
        sender, receiver = call.ranks
        return f"{_name(call)} from rank {sender}" if call.name == "recv" else f"{_name(call)} to rank {receiver}"
    return f"{_name(call)} of {ranks_in_words(call.ranks)}" if call.ranks else _name(call)


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
    through = f" ({call.name})" if call.called and not call.is_message else ""
    among = f" among {ranks_in_words(call.ranks)}" if call.ranks and not call.is_message else ""
    called = _whose(call) if call.is_message else f"{_name(call)}{through}"
    splits = f", gives {list(call.gives)} and takes {list(call.takes)} numbers" if call.gives else ""
    return f"{called}{brings}{among}{splits}{_at(call.span) if placed else ''}"


def _at(span: Span | None) -> str:
    return _where(span) + (f": {span.source}" if span is not None and span.source else "")


def _where(span: Span | None) -> str:
    return f" at {PurePath(span.file).name}:{span.line}" if span is not None else ""


def _evidence(parting: Parting) -> Iterator[Evidence]:
    if parting.kind == "models":
        yield OTHER_MODELS.since("the parameters differ", SAID)
    elif parting.kind == "operations":
        yield OUT_OF_STEP.since("the ranks are in different operations", SAID)
    elif parting.kind == "steps":
        ended = MORE_MESSAGES if all(call.is_message for call in parting.present.values()) else UNEQUAL_STEPS
        yield ended.since("one rank goes on where another has ended", NUMBERS)
        yield OUT_OF_STEP.since("a rank may have ended early for a reason of its own", COMMON)
    elif parting.kind == "circle":
        messages = {call.is_message for call in parting.present.values()}
        seen = "each waits for the next of them, in an operation that this one has not begun"
        yield (BOTH_FIRST if messages == {True} else OTHER_ORDER).since(seen, COMMON if len(messages) > 1 else NUMBERS)
        yield OUT_OF_STEP.since(seen, FITS if len(messages) > 1 else COMMON)
    elif parting.kind == "messages":
        axes = _axes_apart({spec.shape for spec in _ends(parting)})
        apart = f"axis {listed([str(axis) for axis in axes])} differs" if axes else "the messages are not alike"
        before = apart + ("; an earlier message from this line fitted" if parting.agreed else "")
        yield OTHER_BUFFER.since(before, FITS)
        yield OTHER_MESSAGE.since(before, COMMON)
        if axes and 0 not in axes and not parting.agreed:
            yield OTHER_STAGE.since(f"{apart}, and not the batch", FITS + 0.05)
    elif parting.kind == "shares":
        yield OTHER_SPLITS.since("the splits of two ranks do not agree", NUMBERS)
    elif any(call.called.endswith(OF_OBJECTS) for call in parting.present.values()):
        yield OTHER_LISTS.since("the shapes are of what such a function sends about its objects", NUMBERS)
        yield OUT_OF_STEP.since("the ranks may be in different calls of it", COMMON)
    else:
        yield from _of_shapes(parting)


OF_OBJECTS = ("_object", "_object_list")


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
    if parting.kind == "circle":
        return parting.kind  # each rank may find another circle, and none of them goes on
    call = next(iter(parting.present.values()))
    return f"{parting.kind}/{call.group}/{call.number}"


def key_of_fall(here: Word) -> str:
    fall = here.fall
    where = f"{fall.span.file}:{fall.span.line}" if fall is not None and fall.span is not None else ""
    return f"fall/{fall.code or fall.type if fall is not None else ''}/{where}/{here.begun}"


def of_follower(account: Account, notes: Sequence[str]) -> str:
    """The note of a rank that failed because others are gone; empty where nothing is known of them."""
    if account.first:
        falls = _by_fall(account.first)
        lost = ranks_in_words([word.rank for word in account.first])
        if len(falls) == 1:
            said = [f"this rank only lost {lost}, which failed{_at(_place(falls[0]))}"]
            said.append(f"    {_fall_in_words(falls[0][0])}")
        else:
            said = [f"this rank only lost {lost}, which failed differently"]
            said += [f"    {_whose_fall(words)}" for words in falls]
    elif account.silent:
        gone = ranks_in_words(account.silent)
        said = [
            f"this rank only lost others: {gone} did not say why. "
            "A process that is killed, runs out of memory or ends by os._exit says nothing, nor does one unwatched"
        ]
    else:
        return ""
    return "\n".join([*said, *notes])


def _by_fall(words: Sequence[Word]) -> list[list[Word]]:
    """Ranks that failed, those together which failed alike."""
    found: list[list[Word]] = []
    for word in words:
        together = next((each for each in found if fell_alike(each[0].fall, word.fall)), None)
        if together is None:
            found.append([word])
        else:
            together.append(word)
    return found


def _whose_fall(words: Sequence[Word]) -> str:
    """`rank 2 at train.py:12: SW102 fc1 takes vectors of 3 and is given 5`."""
    ranks = ranks_in_words([word.rank for word in words])
    return f"{ranks}{_where(_place(words))}: {_fall_in_words(words[0])}"


def _place(words: Sequence[Word]) -> Span | None:
    return words[0].fall.span if words[0].fall is not None else None


def _fall_in_words(word: Word) -> str:
    """`SW102 fc1 takes vectors of 3 and is given 5`."""
    fall = word.fall
    assert fall is not None
    return f"{fall.code} {fall.headline}" if fall.code else f"{fall.type}: {fall.message.partition(chr(10))[0]}"


def of_teller(teller: int, report: Report) -> str:
    """The note of a rank whose error another one tells of."""
    first = next((each for each in report.diagnoses if each.severity == "error"), None)
    what = f"{first.code} {first.name}: " if first is not None else ""
    return f"{what}rank {teller} has the same error, and tells of it"


def told_above(report: Report) -> str:
    first = report.diagnoses[0]
    return f"{first.code} {first.name}: {first.headline} (told above, before it failed)"


def of_others(account: Account) -> Iterator[str]:
    """What a rank that tells of its failure adds of the other ranks. Of several that failed differently, the first one
    tells of those that have not failed."""
    here, alike = account.here.rank, [word.rank for word in account.alike]
    if len(alike) > 1:
        yield f"{ranks_in_words(alike)} fail alike"
    otherwise = _by_fall([word for word in account.first if word.rank not in alike and word.rank != here])
    for words in otherwise:
        yield f"failed differently: {_whose_fall(words)}"
    if otherwise and (first := account.first[0].rank) not in (here, *alike):
        yield f"rank {first} tells of the other ranks"
        return
    waiting: dict[str, list[int]] = {}
    for word in account.waiting:
        waiting.setdefault(_where(word.at) or " at a line that is not known", []).append(word.rank)
    for place, ranks in list(waiting.items())[:MOST]:
        has, is_ = ("has", "it is") if len(ranks) == 1 else ("have", "they are")
        yield f"{ranks_in_words(ranks)} {has} not failed; {is_}{place}"
    if account.silent:
        yield f"{ranks_in_words(account.silent)} said nothing"
    inputs = {word.rank: ", ".join(map(text, word.inputs)) for word in (account.here, *account.waiting) if word.inputs}
    if len(set(inputs.values())) > 1:
        yield f"the outermost model was given {_grouped(sorted(inputs.items()))}"
