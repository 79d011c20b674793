"""Recurrent layers: the width of their input, and the shape of the state they are given."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.products import FLATTENED_EARLY, widths
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

TIME_FIRST = Cause(
    "batch and time are swapped: without `batch_first=True` a torch layer takes (time, batch, features), so the "
    "time steps are taken for the batch, or the other way round",
    "Set `batch_first` as the data are laid out, or transpose the input (and the embeddings that replaced the old "
    "ones).",
    "Print the shape of the input, and say what each axis is.",
    {"torch": "self.rnn = nn.LSTM(input_size, hidden_size, batch_first=True)    # or x = x.transpose(0, 1)"},
)
LAYERS = Cause(
    "the state was made for another number of layers or directions: its first axis is layers x directions",
    "Make it (num_layers * (2 if bidirectional else 1), batch, hidden_size).",
    "Compare the first axis with the layer's settings.",
    {"torch": "h = torch.zeros(num_layers * directions, x.size(0 if batch_first else 1), hidden_size)"},
)
NO_LAYERS_AXIS = Cause(
    "the state lacks the axis of the layers: (batch, hidden size) is given, as a cell takes it, where a layer takes "
    "(layers x directions, batch, hidden size)",
    "Give it that axis: `h.unsqueeze(0)` for one layer, or `view(num_layers * directions, batch, hidden_size)`.",
    "Print the state's shape.",
    {"torch": "h = h.unsqueeze(0)    # (batch, hidden) to (1, batch, hidden)"},
)
NO_PAIR = Cause(
    "one tensor is given as the state of an LSTM, which takes a pair (h, c) and takes the tensor apart along its first "
    "axis; a GRU takes one tensor",
    "Give both states: `cell(x, (h, c))`.",
    "Print the type of the state.",
    {"torch": "h, c = cell(x, (h, c))"},
)
UNSAID_BATCH = Cause(
    "the batch size is not said where the model is called: Keras takes batches of 32, and the stateful layer was built "
    "for {wanted}",
    "Say it, and give a number of samples that it divides.",
    "Look for `batch_size` in the call of `predict`, `evaluate` or `fit`.",
    {"keras": "model.predict(x, batch_size={wanted})"},
)
STATEFUL_REST = Cause(
    "the last batch is not full: the number of samples is no multiple of {wanted}",
    "Leave the rest out, or build the same model for batches of another size and copy the weights.",
    "Compare the number of samples with the batch size.",
    {"keras": "x = x[: len(x) // {wanted} * {wanted}]"},
)
ONE_AT_A_TIME = Cause(
    "the model is to predict other numbers of samples than it was trained on at once",
    "Build the same model for that batch size, and copy the weights.",
    "Print the shape of what is given to `predict`.",
    {"keras": "other.set_weights(model.get_weights())"},
)
_UNSAID = 32
"""The batch size of Keras where none is said."""

HIDDEN = Cause(
    "the state has another width than the layer: encoder and decoder (or a projection between them) differ in "
    "hidden size",
    "Give both one hidden size, or put a linear layer between them.",
    "Compare the hidden sizes in the configuration.",
)


def recurrent(pasted: Pasted) -> Told:
    expected, got = facts.size(pasted, "expected"), facts.size(pasted, "got")
    given = facts.shape(pasted, "input")
    if got is None and given:
        got = given[-1]
    layer = facts.word(pasted, "layer")
    headline = f"a recurrent layer takes {sized(expected)} features per step, and {sized(got)} come"
    meaning = (
        f"The layer was built with input_size={sized(expected)}: the last axis of its input holds the features of "
        f"one step, and it has {sized(got)}.{f' The input is {shaped(given)}.' if given is not None else ''}"
    )
    return told(pasted, "SW601", headline, meaning, _of_input(pasted, expected, got, given), layer)


FEATURE_SETTING = Cause(
    "the number of features per step is fixed in the code or the configuration and does not belong to these data: "
    "another data set or feature extractor, columns that are added or taken off ({expected} are counted on, {got} "
    "come)",
    "Set the layer's input size to {got}, or prepare the features that it was built for.",
    "Compare the last axis of the data with `input_size` (num_features) in the configuration.",
)


def _of_input(pasted: Pasted, expected: int | None, got: int | None, given: Shape | None) -> Iterator[Evidence]:
    seen = f"{sized(got)} features come, {sized(expected)} are expected"
    if got == 0:
        empty = f"{seen}: an empty tensor comes, or one that only stands for data elsewhere"
        yield causes.NOTHING_LEFT.since(empty, NUMBERS)
        return
    if expected is not None and got is not None:
        yield FEATURE_SETTING.since(seen, FITS + 0.04, expected=expected, got=got)
    if given is not None and (axes := [axis for axis in sizes.axes_of(expected, given) if axis != len(given) - 1]):
        yield causes.SWAPPED.since(f"{expected} stands on axis {axes[0]} of {shaped(given)}", NUMBERS)
    else:
        likely = COMMON - (0.05 if sizes.is_width(got) else 0.01)
        yield causes.SWAPPED.since("with features on another axis the last one has another size", likely)
    times = sizes.ratio(expected, got)
    if expected and got and (channels := gcd(expected, got)) % 16 == 0 and not {expected, got} <= sizes.ENCODERS.keys():
        maps = f"{seen}: {expected // channels} and {got // channels} rows of a map of {channels} channels"
        likely = FITS - 0.04 if channels not in (expected, got) else COMMON
        yield causes.OTHER_INPUT_SIZE.since(f"{maps}, as an image or a spectrogram of another height gives", likely)
        if max(expected, got) > 4 * min(expected, got) and channels not in (expected, got):
            yield causes.SWAPPED.since(f"{maps}: so many more may be steps, in the place of bins", likely + 0.01)
    if expected and expected > 1 and got and got > expected and times and times >= 4:
        steps = f"{seen}: {times} times as many, as of {times} steps side by side"
        yield FLATTENED_EARLY.since(steps, FITS + 0.05 if times == expected else COMMON + 0.02)
    for each in widths(pasted, expected, got):
        if each.cause not in (causes.OTHER_INPUT_SIZE, causes.OTHER_SETTING, causes.NOT_FLATTENED, causes.GREY):
            yield each
    if expected == 1 and got and got > 1:
        yield NO_FEATURE_AXIS.since(f"{seen}: {got} may be the number of steps", FITS + 0.08)
    if got == 1:
        yield NO_FEATURES.since(
            "1 comes: single values without a feature axis, or ids without an embedding", FITS + 0.1
        )


OUTPUTS_FOR_STATE = Cause(
    "a whole sequence (the outputs of an encoder, one vector for each step) is given where a state belongs",
    "Give the state itself: what the encoder returns beside its outputs, or one vector for each sample (the last step, "
    "a mean), projected to the hidden size, with the axis of the layers in front.",
    "Print the shapes of all that the encoder returns.",
    {"torch": "state = project(encoded[:, -1]).unsqueeze(0)    # (N, T, C) to (1, N, hidden)"},
)
NO_FEATURE_AXIS = Cause(
    "the axis of the features is missing: each step is a single number, so that the steps stand on the last axis, "
    "(batch, steps) in place of (batch, steps, 1)",
    "Give it an axis of 1 at the end.",
    "Print the shape of the data.",
    {"torch": "x = x.unsqueeze(-1)    # (N, T) to (N, T, 1)"},
)
NO_FEATURES = Cause(
    "ids or single values come where feature vectors are expected: the embedding before the layer is missing",
    "Embed the ids first, or build the layer for one feature.",
    "Print the input's shape and dtype.",
)


def of_state_rank(wanted: int | None, got: int | None) -> Iterator[Evidence]:
    """A state of another rank than the input asks for: one axis more than a batch of steps has it for the layers."""
    seen = f"{sized(got)} axes where {sized(wanted)} are needed"
    if wanted is not None and got is not None and got < wanted:
        yield NO_LAYERS_AXIS.since(seen, NUMBERS)
    else:
        yield causes.MISSING_BATCH.since(f"{seen}: the input has no batch, and the state has one", NUMBERS)
    yield causes.LOST_AXIS.since(seen, FITS)
    yield causes.OTHER_RELEASE.since("input without a batch is taken from PyTorch 1.11 on, and checked since", COMMON)
    yield causes.EXTRA_AXIS.since(seen, RARE)


def _of_stateful(wanted: int | None, came: int | None) -> Iterator[Evidence]:
    """The batch of a layer of Keras that keeps its state from batch to batch."""
    seen = f"it was built for batches of {sized(wanted)}, and one of {sized(came)} comes"
    unsaid = f"{seen}: {came} is what `predict`, `evaluate` and `fit` take where nobody says"
    last = wanted is not None and came is not None and 1 < came < wanted
    yield UNSAID_BATCH.since(unsaid if came == _UNSAID else seen, NUMBERS if came == _UNSAID else FITS, wanted=wanted)
    yield STATEFUL_REST.since(seen, NUMBERS if last and came != _UNSAID else COMMON, wanted=wanted)
    yield ONE_AT_A_TIME.since(seen, NUMBERS if came == 1 else RARE)


def recurrent_state(pasted: Pasted) -> Told:
    expected, got = facts.shape(pasted, "expected"), facts.shape(pasted, "got")
    wanted = facts.size(pasted, "expected", "batch", "hidden_size")
    came = facts.size(pasted, "got", "state_batch", "state_width")
    what = facts.word(pasted, "what") or "the state"
    need = shaped(expected) if expected is not None else sized(wanted)
    have = shaped(got) if got is not None else sized(came)
    headline = f"{what} of a recurrent layer must be {need}, and is {have}"
    meaning = (
        "The state (h, and c for an LSTM) is (layers x directions, batch, hidden size). The wanted batch is read "
        f"from the input: axis 1 of it, or axis 0 with batch_first. Wanted {need}, given {have}."
    )
    if facts.size(pasted, "expected_batch") is not None:
        wanted, came = facts.size(pasted, "expected_batch"), facts.size(pasted, "got_batch")
        headline = f"a stateful layer was built for batches of {sized(wanted)}, and is given {sized(came)}"
        meaning = "A stateful layer keeps a state for each sample of a batch, so every batch has to be as large."
        return told(pasted, "SW603", headline, meaning, _of_stateful(wanted, came))
    if facts.size(pasted, "state_width") is not None:
        return told(pasted, "SW603", headline, meaning, _of_width(wanted, came))
    found = [*_of_state(expected, got, wanted, came), *_of_pair(pasted, came)]
    return told(pasted, "SW603", headline, meaning, found)


def _of_width(wanted: int | None, came: int | None) -> Iterator[Evidence]:
    seen = f"{sized(wanted)} is needed and {sized(came)} is given, the hidden size"
    yield HIDDEN.since(seen, NUMBERS)
    if sizes.ratio(wanted, came) == 2:
        yield causes.BOTH_DIRECTIONS.since(f"{seen}: one is twice the other", FITS)
    yield causes.OTHER_SETTING.since(f"{seen}: two settings of one width", COMMON, expected=wanted, got=came)
    yield causes.OTHER_VALUE.since(f"{seen}: it may be no state", COMMON - 0.02)


def _of_pair(pasted: Pasted, came: int | None) -> Iterator[Evidence]:
    """An LSTM takes `state[0]` for h, which of a single tensor is the first row."""
    expected, got = facts.shape(pasted, "expected"), facts.shape(pasted, "got")
    if expected is not None and got is not None and "hidden[0]" in facts.word(pasted, "what") and got == expected[1:]:
        row = f"{shaped(got)} is the first row of {shaped(expected)}: one tensor, taken apart as a pair (h, c)"
        yield NO_PAIR.since(row, NUMBERS + 0.02)
    if facts.size(pasted, "batch") is not None and sizes.is_width(came):
        row = f"{came} looks like a hidden size: the state that is read is one row of a tensor"
        yield NO_PAIR.since(row, NUMBERS)


def _of_state(expected: Shape | None, got: Shape | None, wanted: int | None, came: int | None) -> Iterator[Evidence]:
    if expected is None or got is None or len(expected) != len(got):
        seen = f"{sized(wanted)} against {sized(came)}"
        if expected is not None and got is not None:
            seen = f"{shaped(expected)} against {shaped(got)}"
            if len(got) > len(expected):
                same = sizes.squeezed(got) == sizes.squeezed(expected)
                more = f"{seen}: {'only an axis of 1 more' if same else 'an axis too many'}"
                yield causes.EXTRA_AXIS.since(more, NUMBERS + 0.04 if same else FITS + 0.1)
            elif len(got) == len(expected) - 1 == 2:
                yield NO_LAYERS_AXIS.since(f"{seen}: an axis too few", NUMBERS)
                yield causes.LOST_AXIS.since(f"{seen}: an axis too few", FITS + 0.02)
            else:
                yield causes.LOST_AXIS.since(f"{seen}: another number of axes", FITS)
        yield causes.LAST_BATCH.since(seen, FITS)
        yield TIME_FIRST.since(seen, FITS - 0.02)
        yield HIDDEN.since(seen, COMMON)
        return
    if len(got) == 3 and len(sizes.apart(expected, got)) == 3 and got[0] == expected[1] and (got[1] or 0) > 4:
        encoded = f"{shaped(got)} looks like (batch, steps, features): the batch is {got[0]}"
        yield OUTPUTS_FOR_STATE.since(encoded, NUMBERS + 0.1)
    for axis, a, b in sizes.apart(expected, got):
        seen = f"{a} is needed and {b} is given on axis {axis}"
        if axis == len(expected) - 1:
            yield HIDDEN.since(f"{seen}, the hidden size", NUMBERS)
            if sizes.ratio(a, b) == 2:
                yield causes.BOTH_DIRECTIONS.since(f"{seen}: one is twice the other", FITS)
            yield causes.OTHER_SETTING.since(f"{seen}: two settings of one width", COMMON, expected=a, got=b)
            yield causes.OTHER_RELEASE.since(f"{seen}, as code of another version makes the state", RARE)
        elif axis == 0 and len(expected) == 3:
            yield LAYERS.since(f"{seen}, layers x directions", NUMBERS - 0.02)
            settings = f"{seen}: encoder and decoder, or the saved and the built layer, are set differently"
            yield causes.OTHER_SETTING.since(settings, COMMON, expected=a, got=b)
            yield causes.OTHER_VALUE.since(f"{seen}: it may be another state, or the output", COMMON - 0.02)
            if a > b and sizes.ratio(a, b) in (2, 3, 4, 8):
                share = f"{seen}: {a} is {sizes.ratio(a, b)} times {b}; a state that is split has its layers cut"
                yield causes.SPLIT_BATCH.since(share, COMMON + 0.01)
            if len(expected) == 3 and expected[1] == got[0] and expected[0] == got[1]:
                yield TIME_FIRST.since(
                    f"{shaped(got)} is {shaped(expected)} with its first two axes swapped", NUMBERS + 0.05
                )
        else:
            larger = b > a > 1
            yield causes.LAST_BATCH.since(
                f"{seen}, the batch: {'it is smaller than the state was made for' if larger else 'they differ'}",
                NUMBERS if larger else FITS,
            )
            yield TIME_FIRST.since(
                f"{seen}: {a} may be the number of time steps" + (", a single one" if a == 1 else ""),
                NUMBERS if a == 1 else FITS,
            )
            if sizes.ratio(a, b) and 1 not in (a, b):
                times = f"{seen}: {max(a, b)} is {sizes.ratio(a, b)} times {min(a, b)}"
                shares = sizes.ratio(a, b) in (2, 3, 4, 8)
                yield causes.SPLIT_BATCH.since(times, FITS + 0.01 if shares else FITS - 0.02 if a < b else RARE)
            yield causes.OTHER_BATCH.since(f"{seen}: the state of another pass", COMMON)
