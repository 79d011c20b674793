"""What the shapes and names of saved weights tell by themselves: how the file was made, and for which data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import permutations

from shapewatch.messages.faults import counts, sizes, vocabularies
from shapewatch.messages.faults.causes import KEY_HEADS, OTHER_INPUT_SIZE, OTHER_SPECTRUM
from shapewatch.messages.faults.convolution import OTHER_LATENTS
from shapewatch.messages.faults.evidence import FITS, NUMBERS, SAID, Cause, Evidence
from shapewatch.messages.faults.fed import OTHER_ENVIRONMENT
from shapewatch.messages.faults.wording import shaped
from shapewatch.recording import Shape

QUANTISED = Cause(
    "the weights are quantised in one of the two and not in the other, or otherwise (4 or 8 bits, group size, another "
    "quantiser): they are packed, and come with scales beside them",
    "Load them by the loader of that quantisation, with its settings; or take the file in 16 bits, and merge adapters "
    "or save only what is not quantised.",
    "Look for `quantization_config` in the configuration, and print the type of one weight.",
)
SHARDED = Cause(
    "the file is one part of a model that was split over several devices (tensor parallel training), or as many parts "
    "are loaded as there are not: the weights hold a share of their rows or columns",
    "Load with as many processes as there are parts, or merge the parts into one file before.",
    "Count the files of the checkpoint, and compare with the number of processes.",
)
UPSCALING = Cause(
    "the checkpoint is for another upscaling (or downscaling) factor than the option builds: pixels are shuffled to or "
    "from channels, so that these grow with its square",
    "Set the factor (`scale`, `upscale`, `outscale`) that the checkpoint was trained for.",
    "Compare the factor in the file's name with the option.",
)
OTHER_DATA = Cause(
    "the data have another number of columns (variables, sensors, channels, bands, points of a pose) than those the "
    "checkpoint was trained on: {checkpoint} then, {model} now, as inputs and outputs alike",
    "Give the model the columns of training, or train it anew for these data.",
    "Compare the options that count the columns with those of training (one variable or all of them).",
)
OTHER_HORIZON = Cause(
    "the lengths are set otherwise than at training: how many steps are looked back on or foretold "
    "({checkpoint} then, {model} now)",
    "Set the window and the horizon (`seq_len`, `pred_len`) as in training.",
    "Compare both options with those in the checkpoint's name.",
)
PER_ENTRY = Cause(
    "the weight has a row (or row and column) for each entry of the data (point, vertex, node, joint, sensor, user), "
    "and the data are others, or entries were added or removed after it was made: {checkpoint} then, {model} now",
    "Build the model from the data (graph, scene, cloud) of the checkpoint, or make the weight as large as the saved "
    "one before loading.",
    "Count the entries of the data, and see where the weight is made.",
    {"torch": 'model.points = nn.Parameter(torch.empty_like(weights["points"]))    # then load_state_dict'},
)
OTHER_FREQUENCIES = Cause(
    "the coordinates are encoded with another number of frequencies (sines and cosines) than at training, or an option "
    "adds or leaves out an encoded input",
    "Set the number of frequencies (`multires`) as in training.",
    "Inputs of three coordinates give 3 + 3 x 2 x frequencies features: compute them for both.",
)
OTHER_ANCHORS = Cause(
    "the anchors are set otherwise than at training: another number of sizes, scales or aspect ratios for each place",
    "Give the anchor generator the settings of training, or leave the weights of this head out.",
    "Multiply the number of sizes with that of aspect ratios in both configurations.",
)
TWO_FOR_EACH = Cause(
    "an option doubles the outputs: a variance is learned beside each mean (`learn_sigma`), scale and shift are given, "
    "or two values for each channel",
    "Set the option as in training.",
    "Compare the options that count outputs in both configurations.",
)
OTHER_CELL = Cause(
    "the recurrent layer is of another kind than the saved one: an LSTM has four gates, a GRU three, a plain cell one",
    "Build the kind of cell that was trained (`rnn_type`, `cell`).",
    "Compare the option with that of training.",
)
OTHER_BASE = Cause(
    "the adapter was trained for another base model (family, size or release) than the one that it is put on",
    "Load the base model that the adapter names (`base_model_name_or_path`, the model's page), or another adapter.",
    "Compare the width of the base model with the adapter's.",
)
PADDED_TABLE = Cause(
    "the table has spare rows: its number of rows is rounded up (to a multiple of 64, for speed or for devices that "
    "share it) in one of the two, and is the tokenizer's length in the other",
    "Build both with one number of rows; resize only where tokens were added, and round as training did.",
    "Compare `len(tokenizer)` with `vocab_size` in both configurations.",
    {"torch": "model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=64)"},
)

TABLES = ("pos_embed", "position", "pos_emb", "pos_enc", "relative", "rel_pos", "attn_mask", "noise_const", "anchor")
_POSITIONS = re.compile(
    r"(?:^|[._])(?:pe|wpe|time_embed|temporal_embed\w{0,10}|rpb|rel_[hw]|grid|inv_freq|freqs_cis|(?:cos|sin)_cached|causal_mask)$"
)


def is_table(name: str) -> bool:
    """Of positions, or of what else is made for one size of the input."""
    return any(word in name for word in TABLES) or _POSITIONS.search(name.removesuffix(".weight")) is not None


Known = tuple[str, Shape, Shape]
"""A weight's name in lower case, its saved shape and the one that is built."""


def one_axis(saved: Shape, built: Shape) -> tuple[int, int, int] | None:
    """The axis on which alone two shapes of one rank differ, with its two sizes."""
    apart = sizes.apart(saved, built) if len(saved) == len(built) else []
    return apart[0] if len(apart) == 1 else None


def of_relations(known: Sequence[Known]) -> Iterator[Evidence]:
    """Of weights whose first axis counts outputs."""
    for name, saved, built in known:
        for told in _OF_ONE:
            yield from told(name, saved, built)
        if len(known) <= 2:  # a weight and its bias; where more differ, classes are counted in several places
            yield from _of_twice(name, saved, built)
    yield from _of_shares(known)
    yield from _of_columns(known)


_QUANTISED_NAMES = re.compile(
    r"(?:^|[._])(?:qweight|qzeros|scales|g_idx|absmax|quant_map|quant_state|nested_absmax|scb|weight_format|"
    r"weight_scale|weight_zero_point|packed_params)"
)


def is_quantised(name: str) -> bool:
    return _QUANTISED_NAMES.search(name.lower()) is not None


def _of_packed(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    for packed, whole in ((saved, built), (built, saved)):
        values, all_of_them = sizes.count(packed), sizes.count(whole)
        column = len(packed) == 2 and 1 in packed and len(whole) >= 2 and values is not None and values > 256
        if column and all_of_them == 2 * (values or 0):
            half = f"{shaped(packed)} holds half as many bytes as {shaped(whole)} has values: two of 4 bits in each"
            yield QUANTISED.since(half, SAID - 0.05)
    if is_quantised(name):
        yield QUANTISED.since(f"`{name.rpartition('.')[2]}` is a part of a quantised weight", NUMBERS + 0.02)


def _of_factor(_name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    found = one_axis(saved, built)
    if found is None or len(saved) != 4 or saved[2] in (1, None) or found[0] > 1:
        return
    axis, one, other = found
    bases = {1, 3, saved[1]} if axis == 0 else {3}
    for base in sorted((base for base in bases if base), reverse=True):
        factors = tuple(sizes.root(size // base) if size % base == 0 else None for size in (one, other))
        if None not in factors and max(factor or 0 for factor in factors) <= 8 and (base > 1 or max(one, other) >= 9):
            seen = f"{one} = {base} x {factors[0]}² saved and {other} = {base} x {factors[1]}² built"
            yield UPSCALING.since(seen, NUMBERS if base > 1 else FITS + 0.02)
            return


def _of_adapter(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    if "lora" not in name and "adapter" not in name:
        return
    apart = sizes.apart(saved, built) if len(saved) == len(built) else []
    if apart and all(min(pair) > 256 for _, *pair in apart):
        _, one, other = apart[0]
        yield OTHER_BASE.since(f"{name} belongs to a layer {one} wide, and the model's is {other} wide", NUMBERS)


_ENTRIES = re.compile(
    r"(?:^|[._/])(?:\w{0,20}(?:nodes?|nodevec\d?|vert(?:ices|s|ex)?|xyz|points?|sensors?|stations?|adj|supports?|"
    r"latents?|codes?|cameras?|poses?|memory_bank|queue))(?:[._/]|$)"
)


def of_entries(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    """A row for each of so many that no layer counts them, with the few numbers of a point; or by the name."""
    if is_table(name):
        return
    apart = sizes.apart(saved, built) if len(saved) == len(built) else []
    counted = {"checkpoint": saved[0], "model": built[0]} if saved and built else {}
    if is_of_points(saved, built):
        seen = f"{shaped(saved)} and {shaped(built)}: so many rows of {saved[-1]}"
        yield PER_ENTRY.since(f"{seen}, as of points", NUMBERS, **counted)
    elif apart and apart[0][0] == 0 and _ENTRIES.search(name):
        yield PER_ENTRY.since(f"{name} differs in its rows, {saved[0]} against {built[0]}", FITS + 0.09, **counted)
    elif len(saved) in (2, 3) and len(apart) == 2 and saved[-2:] == (saved[-1],) * 2 and built[-2:] == (built[-1],) * 2:
        square = f"{shaped(saved)} and {shaped(built)} are square"
        wide = any(map(sizes.is_width, (saved[-1], built[-1])))
        counted = {"checkpoint": saved[-1], "model": built[-1]}
        yield PER_ENTRY.since(f"{square}, as tables of pairs are", FITS - 0.1 if wide else FITS + 0.09, **counted)


def is_of_points(saved: Shape, built: Shape) -> bool:
    few = len(saved) == len(built) >= 2 and saved[1:] == built[1:] and all(1 <= (size or 0) <= 4 for size in saved[1:])
    return few and min(saved[0] or 0, built[0] or 0) > 1000


_AGENT = re.compile(
    r"(?:^|[._/])(?:actor|critic|policy|q_?net\w{0,10}|qf\d?|value_net|action\w{0,12}|mlp_extractor|dqn|advantage|"
    r"obs\w{0,12}|agent)(?:[._/\d]|$)"
)


def _of_agent(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    found = one_axis(saved, built)
    if found is None or found[0] > 1 or not _AGENT.search(name):
        return
    axis, one, other = found
    if axis == 1 or max(one, other) <= MOST_ACTIONS:
        what = ("actions", "observations")[axis]
        seen = f"`{name}` is a part of an agent, made for {one} {what} then and for {other} now"
        yield OTHER_ENVIRONMENT.since(seen, FITS + 0.11)


MOST_ACTIONS = 40
"""More outputs are a hidden layer's width."""

_FORECAST = re.compile(r"season|trend|horizon|pred_|forecast|backcast|temporal|predict_linear|linear_\w|extend|time_")


def _of_lengths(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    apart = sizes.apart(saved, built) if len(saved) == len(built) == 2 else []
    if not apart or any(not {one, other} <= counts.HORIZONS for _, one, other in apart):
        return
    _, one, other = apart[0]
    if _FORECAST.search(name) or not {one, other} <= {48, 96, 192}:
        seen = f"{one} saved and {other} built are numbers of steps that forecasts are made with"
        likely = NUMBERS - 0.02 if _FORECAST.search(name) else FITS + 0.06
        yield OTHER_HORIZON.since(seen, likely, checkpoint=one, model=other)


def _of_frequencies(_name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    found = one_axis(saved, built)
    if found is None or len(saved) != 2 or found[0] != 1:
        return
    _, one, other = found
    if min(one, other) >= 9 and max(one, other) <= 99 and one % 6 == other % 6 == 3:
        seen = f"{one} = 3 + 6 x {one // 6} saved and {other} = 3 + 6 x {other // 6} built: encoded coordinates"
        yield OTHER_FREQUENCIES.since(seen, FITS + 0.07)


def of_vectors(_name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    """Of a layer that takes words (inputs are the second axis), or of a table of words in Keras."""
    found = one_axis(saved, built)
    if found is None or len(saved) != 2 or found[0] != 1 or not {*found[1:]} <= counts.WORD_VECTORS:
        return
    _, one, other = found
    seen = f"{one} inputs saved and {other} built: both are widths that word vectors have"
    table = saved[0] is not None and saved[0] > vocabularies.ROWS
    yield vocabularies.OTHER_VECTORS.since(seen, NUMBERS if table else FITS + 0.06, given=one, built=other)


def _of_gates(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    """Rows of a cell's weight: four gates of an LSTM, three of a GRU, one of a plain cell."""
    found = one_axis(saved, built)
    if found is None or found[0] != 0 or not _OF_CELLS.search(name):
        return
    _, one, other = found
    units = saved[1] if "weight_hh" in name else None
    for gates, others in permutations((4, 3, 1), 2):
        if one * others == other * gates and units in (None, one // gates):
            seen = f"{one} = {gates} x {one // gates} rows saved and {other} = {others} x {one // gates} built"
            yield OTHER_CELL.since(seen, NUMBERS if 3 in (gates, others) else FITS + 0.02)


_OF_CELLS = re.compile(r"(?:weight|bias)_(?:ih|hh)")


def _of_anchors(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    found = one_axis(saved, built)
    if found is not None and found[0] == 0 and ("rpn" in name or "anchor" in name):
        _, one, other = found
        seen = f"`{name}` gives {one} numbers for each place saved and {other} built, which belongs to no class"
        yield OTHER_ANCHORS.since(seen, NUMBERS + 0.03)


def _of_twice(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    """Few outputs, and twice as many."""
    found = one_axis(saved, built)
    if found is None or found[0] != 0 or len(saved) < 2 or vocabularies.is_vocabulary(name) or "lora" in name:
        return
    _, one, other = found
    if sizes.ratio(one, other) == 2 and min(one, other) >= 3 and max(one, other) <= 128 and other != saved[1]:
        seen = f"{one} outputs saved and {other} built, of which one is twice the other"
        yield TWO_FOR_EACH.since(seen, FITS + 0.01)


_KEYS = re.compile(r"(?:^|[._])(?:k_proj|v_proj|wk|wv|key|value|k|v|to_k|to_v|qkv\w{0,5}|query_key_value|c_attn)[._]")


def _of_heads(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    found = one_axis(saved, built)
    if found is not None and found[0] == 0 and _KEYS.search(name) and "lora" not in name:
        _, one, other = found
        if sizes.ratio(one, other) or "qkv" in name or "c_attn" in name:
            seen = f"`{name}` gives keys or values, {one} wide saved and {other} built"
            yield KEY_HEADS.since(seen, NUMBERS - 0.04)


def _of_maps(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    """A generator's first layer gives a map that is unfolded after it."""
    found = one_axis(saved, built)
    if found is not None and found[0] == 0 and len(saved) <= 2 and not vocabularies.is_vocabulary(name):
        _, one, other = found
        maps = sizes.same_maps(one, other)
        if maps and min(one, other) >= 1024 and (len(saved) == 1 or (saved[1] or 0) <= 512):
            seen = f"{one} saved and {other} built are maps of {maps[1]} x {maps[1]} and {maps[2]} x {maps[2]}"
            yield OTHER_INPUT_SIZE.since(seen, FITS + 0.04)


LATENTS = (4, 8, 16, 32, 64, 128)
"""Channels of the latents of autoencoders for images, or twice as many, where mean and variance are given."""


def _of_latents(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    found = one_axis(saved, built)
    if found is None or len(saved) < 4 or not ("conv_in" in name or "conv_out" in name or "quant_conv" in name):
        return
    _, one, other = found
    if one in LATENTS and other in LATENTS:
        yield OTHER_LATENTS.since(f"{name} gives or takes {one} channels saved and {other} built", NUMBERS)


def _of_spectrum(_name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    for _, one, other in sizes.apart(saved, built) if len(saved) == len(built) else []:
        if bins := sizes.spectra(one, other):
            yield OTHER_SPECTRUM.since(f"{one} saved and {other} built: {bins}", NUMBERS)


MOST_SPARE = 512


def _of_spare_rows(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    if len(saved) != len(built) or not saved or saved[1:] != built[1:] or not vocabularies.is_vocabulary(name):
        return
    low, high = sorted((saved[0] or 0, built[0] or 0))
    if low > vocabularies.ROWS and 2 < high - low <= MOST_SPARE and high % 64 == 0 != low % 64:
        seen = f"{high} = {high // 64} x 64 rows, where the other has {low}: {high - low} to spare"
        yield PADDED_TABLE.since(seen, NUMBERS + 0.03)


def _of_shares(known: Sequence[Known]) -> Iterator[Evidence]:
    """All weights are 2 (4, 8) times as large on one side of the two, some along their rows, others along columns."""
    shares: set[int] = set()
    along: set[int] = set()
    least = 0
    for name, saved, built in known:
        found = one_axis(saved, built)
        if found is None or "lora" in name:
            return
        axis, one, other = found
        shares.add(sizes.ratio(one, other) or 0)
        along |= {axis} if len(saved) > 1 else set()
        least = max(least, *(size or 0 for size in saved))
    if shares <= {2, 4, 8, 16} and len(shares) == 1 and along == {0, 1}:
        seen = f"every weight has {min(shares)} times as many rows, or columns, on one side as on the other"
        yield SHARDED.since(seen, NUMBERS + 0.02 if least >= 1024 else FITS - 0.03)


def _of_columns(known: Sequence[Known]) -> Iterator[Evidence]:
    """Inputs of one weight and outputs of a later one differ by the same two numbers. In the other order they are a
    width in between."""
    entering: set[tuple[int, int]] = set()
    for _, saved, built in known:
        found = one_axis(saved, built)
        if found is None or found[0] > 1:
            return
        axis, one, other = found
        if axis == 0 and (one, other) in entering and max(one, other) <= 1000:
            seen = f"{one} inputs and outputs saved, {other} built"
            yield OTHER_DATA.since(seen, NUMBERS - 0.04, checkpoint=one, model=other)
            return
        if axis == 1:
            entering.add((one, other))
        elif not entering:
            return


_OF_ONE = (
    _of_packed,
    _of_factor,
    _of_adapter,
    of_entries,
    _of_agent,
    _of_lengths,
    _of_frequencies,
    of_vectors,
    _of_latents,
    _of_spectrum,
    _of_gates,
    _of_heads,
    _of_maps,
    _of_anchors,
    _of_spare_rows,
)
"""What looks at a weight by itself."""
