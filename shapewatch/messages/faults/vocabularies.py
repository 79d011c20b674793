"""Tables with a row for each token, symbol or item, whose rows are not as many as the model's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import sizes
from shapewatch.messages.faults.evidence import FITS, NUMBERS, SAID, Cause, Evidence
from shapewatch.messages.faults.wording import shaped
from shapewatch.recording import Shape, Size

OTHER_VOCABULARY = Cause(
    "vocabulary (tokens, words, characters, symbols, speakers, items) or position table have another number of entries "
    "than the table of weights: counted in other data, another tokenizer or vocabulary file, another list of symbols "
    "in the configuration, added tokens, another maximum (length, number of words)",
    "Use the vocabulary, tokenizer, list of symbols and maxima of training, or resize the embedding as it was at "
    "training before loading.",
    "Compare the length of the vocabulary with the rows of the table, and the configuration with that of training.",
    {"torch": "model.resize_token_embeddings(len(tokenizer))"},
)
COUNTED_APART = Cause(
    "a few entries are counted in one of the two only: index 0 for padding, unknown words, beginning and end "
    "(`len(word_index) + 1` rows against `num_words`)",
    "Count them in both: make the table and the layer from one number.",
    "Print the length of the vocabulary, the rows of the table, and the layer's `input_dim` (`num_embeddings`).",
    {
        "keras": "rows = len(tokenizer.word_index) + 1\nlayer = layers.Embedding(rows, table.shape[1])",
        "torch": "layer = nn.Embedding.from_pretrained(table)",
    },
)
EMPTY_VOCABULARY = Cause(
    "the vocabulary is empty: the tokenizer was not fitted, its file was not found or not read, or the setting "
    "for the number of entries is 0",
    "Fit (or load) the tokenizer before the table is made, and stop where it has no words.",
    "Print `len(tokenizer.word_index)`, or the number of lines that were read.",
)
OTHER_VECTORS = Cause(
    "the word vectors have another width than the embedding: {given} in the file that was read (of another dimension, "
    "as GloVe has 50, 100, 200 and 300), {built} in the layer's setting",
    "Give the layer `output_dim` (`embedding_dim`) {given}, or read the file with {built}.",
    "Print the length of one vector, and the setting.",
)
VECTORS_FOR_TABLE = Cause(
    "vectors of texts are given where the table of the whole vocabulary is meant, (entries, width): one-hot rows, or "
    "what an encoder gives for the tokens of one text (batch, tokens, features)",
    "Give the encoder's own table (its input embedding), or feed the vectors to the model and leave the embedding out.",
    "Print the shape of what is given, and say what each axis is.",
)

_NAMES = re.compile(
    r"(?:^|[._/])(?:\w{1,40}_)?(?:emb(?:ed|eds|edding|eddings|ed_tokens)?(?:_\w{1,40})?|wte|lm_head|vocab\w{0,20}"
    r"|lookup\w{0,20})(?:[._/:]|$)"
)
_NO_VOCABULARY = re.compile(r"patch|time|pos|class|box|quer|label|size|proj|emb_layers|image|pixel")
"""Embeddings of other things, and layers that are called so."""

FEW = 8
"""Special tokens that a vocabulary has beside its entries."""

ROWS = 1000
"""More rows than this are entries of a vocabulary rather than classes."""


def is_vocabulary(name: str) -> bool:
    shared = name == "shared.weight" or name.endswith(".shared.weight")  # of encoder and decoder, as in T5 and BART
    return shared or (_NAMES.search(name) is not None and _NO_VOCABULARY.search(name) is None)


def of_table(name: str, saved: Shape, built: Shape) -> Iterator[Evidence]:
    """`name` in lower case, empty where the message gives none."""
    known = is_vocabulary(name)
    if _is_vectors(known, saved, built):
        yield VECTORS_FOR_TABLE.since(f"{shaped(saved)} where {shaped(built)} is built", NUMBERS)
    if len(saved) != len(built):
        return
    differing = [axis for axis, _, _ in sizes.apart(saved, built)]
    if known and differing == [1] and len(built) == 2 and not (sizes.is_width(saved[1]) and sizes.is_width(built[1])):
        wide = f"{name} has as many rows on both sides, and vectors of {saved[1]} against {built[1]}"
        yield OTHER_VECTORS.since(wide, NUMBERS, given=saved[1], built=built[1])
    if differing != [0]:
        return
    given, wanted = saved[0] or 0, built[0] or 0
    seen = f"{f'{name} has ' if known else ''}{given} rows saved or given and {wanted} built"
    if len(built) == 2 and 0 in (given, wanted) and (known or not name):
        yield EMPTY_VOCABULARY.since(f"{seen}: one of them is empty", SAID - 0.1)
    likely = NUMBERS + 0.02 if known else FITS + 0.08 if not name and _counts_entries(saved, built) else 0
    if not likely:
        return
    yield OTHER_VOCABULARY.since(seen, likely)
    if abs(given - wanted) <= max(2, min(FEW, max(given, wanted) // 20)):
        few = f"{seen}: {abs(given - wanted)} more or less"
        yield COUNTED_APART.since(few, likely + 0.02 if abs(given - wanted) <= 2 else likely - 0.04)


def _counts_entries(saved: Shape, built: Shape) -> bool:
    """Whether rows of a matrix without a name are a vocabulary's: too many for classes, and neither the widths nor the
    flattened maps that a dense layer has."""
    if len(saved) != 2 or (saved[1] or 0) < 16:
        return False
    pair: tuple[Size, Size] = (saved[0], built[0])
    if 0 in pair:
        return True
    return max(size or 0 for size in pair) > ROWS and any((size or 0) % 32 for size in pair) and not _are_maps(*pair)


def _are_maps(a: Size, b: Size) -> bool:
    maps = sizes.same_maps(a, b)
    return maps is not None and maps[0] >= 8


def _is_vectors(known: bool, saved: Shape, built: Shape) -> bool:
    """A value with an axis more, or one-hot rows as wide as the vocabulary, where a large table is built."""
    if len(built) != 2 or (built[0] or 0) <= ROWS:
        return False
    one_hot = len(saved) == 2 and saved[1] == built[0] != saved[0]
    return len(saved) == 3 or (one_hot and known)
