"""What the lines of code around a meeting tell."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Evidence
from shapewatch.messages.faults.meeting.axis import NORMALISED
from shapewatch.messages.faults.meeting.classes import OPTIMISER
from shapewatch.messages.faults.meeting.counted import OF_GRAPH, ROTARY
from shapewatch.messages.faults.meeting.nouns import Meeting
from shapewatch.messages.nouns import Pasted

SKIPS = ("shortcut", "skip", "residual", "identity", "upsample", "decoder", "unet", "fpn", "lateral", "downsample")
POSITIONS = (
    "pos_embed",
    "position_embed",
    "positional",
    "pos_emb",
    "rel_pos",
    "rotary",
    "absolute_pos",
    ".pe[",
    "+ pe",
)
SEQUENCES = ("attention", "attn", "token", "input_ids", "labels", "past_key", "cache", "mask")
LOSSES = ("loss", "criterion", "mse(", "squared_error", "absolute_error", "bce(", "entropy", "nll(")
METRICS = ("metric", "accuracy", "confusion")


def of_lines(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    rotated = pasted.raises("rotate_half", "* cos", "*cos", "rotary")
    if rotated and any(axis == 3 for axis, _, _ in met.apart):
        yield ROTARY.since("the line that raised turns queries and keys by their positions", NUMBERS)
    if pasted.runs("edge_index", "message_passing", "torch_geometric") and any(axis == 0 for axis, _, _ in met.apart):
        yield OF_GRAPH.since("the lines above it handle the nodes and edges of a graph", FITS + 0.08)
    if pasted.raises(*POSITIONS):
        embeds = "the line that raised adds a position embedding"
        grids = any(sizes.grid(a) and sizes.grid(b) for _, a, b in met.apart)
        yield causes.OTHER_RESOLUTION.since(embeds, NUMBERS + 0.05 if grids else FITS + 0.05)
        yield causes.CLASS_TOKEN.since(embeds, COMMON)
        yield causes.TOO_LONG.since(embeds, FITS if grids else FITS + 0.08)
        yield causes.OTHER_RELEASE.since(f"{embeds}, whose shape releases change", RARE if grids else COMMON + 0.04)
        if any(axis == 0 for axis, _, _ in met.apart):
            yield causes.SWAPPED.since(f"{embeds}: its first axis may be time where the batch stands", FITS)
    elif pasted.runs("attention_mask", "input_ids", "position_ids", "past_key", "cache_position", "causal_mask"):
        tokens = "the lines above it handle tokens, masks or a cache"
        yield causes.OTHER_LENGTH.since(tokens, NUMBERS if pasted.raises(*SEQUENCES) else FITS)
        yield causes.CACHE.since(tokens, COMMON)
    elif pasted.raises("anchor", "self.grid"):
        grid = "the line that raised uses anchors or a grid, which older files of weights carry with them"
        yield causes.OTHER_RELEASE.since(grid, FITS + 0.1)
        yield causes.OTHER_RESOLUTION.since(grid, FITS + 0.06)
    elif pasted.raises("attn", "attention", "masked_fill"):
        scores = "the line that raised computes attention, whose last axes count tokens"
        yield causes.OTHER_LENGTH.since(scores, FITS + 0.1)
        yield causes.TOO_LONG.since(scores, FITS + 0.06)
    if pasted.runs("lstm", "gru", "rnn") and any(axis in (0, 1) for axis, _, _ in met.apart):
        yield causes.SWAPPED.since("the lines above it are of a recurrent layer: batch and time may be swapped", FITS)
    if pasted.raises("optim/", "optim\\", "momentum", "exp_avg"):
        yield OPTIMISER.since("it was raised in a step of the optimiser", NUMBERS + 0.02)
    if pasted.runs("audio", "wav", "sound", "speech") and any({a, b} == {1, 2} for _, a, b in met.apart):
        yield causes.STEREO.since("the names in the lines above it speak of sound", NUMBERS)
    if pasted.raises(".t,", ".t)", ".t ", ".t(") and any(axis in (0, None) for axis, _, _ in met.apart):
        yield causes.SWAPPED.since(
            "the line that raised takes `.T`, which turns all axes round, not the last two", NUMBERS
        )
    if pasted.runs("data_parallel", "parallel_apply", "replica"):
        yield causes.SPLIT_BATCH.since("it was raised in a replica of DataParallel", FITS)
    if pasted.runs("normalize") and met.rank in (None, 3) and met.apart:
        _, a, b = met.apart[0]
        if {a, b} <= {1, 2, 3, 4}:
            yield NORMALISED.since("it was raised in a normalisation of images", SAID, a=a, b=b)
    if {"dynamo", "export"} & set(pasted.wrapped_by):
        yield causes.COMPILED.since("it was raised while compiling", COMMON)
