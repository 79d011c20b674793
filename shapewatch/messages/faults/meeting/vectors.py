"""Two vectors that meet: values of samples, or maps that were flattened whole."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, Cause, Evidence

OTHER_ENTRIES = Cause(
    "the two were computed from other data (another file, another filter or another run), so their entries do not "
    "belong together",
    "Compute both from the same (filtered) data.",
    "Print both lengths, and where each comes from.",
)
FLATTENED_APART = Cause(
    "labels and output were flattened for a loss or metric, and one of them has more channels (a mask of one channel, "
    "or of colours, against one for each class) or other sides than the other",
    "Give the masks one channel for each class (one-hot), or the output one channel, and both the same sides.",
    "Print the shapes of labels and output before they are flattened.",
)


def of_vectors(a: int, b: int) -> Iterator[Evidence]:
    seen = f"{a} against {b}, in vectors: nothing tells what they count"
    yield causes.OTHER_SETTING.since(seen, COMMON + 0.02, expected=b, got=a)
    if min(a, b) > 1000:
        yield OTHER_ENTRIES.since(f"{seen}; both are long", COMMON + 0.08)
    batch = max(a, b) <= 1024 and min(a, b) > 0
    yield causes.LAST_BATCH.since(f"{seen}; one value for each sample, mostly" if batch else seen, COMMON + 0.1 * batch)
    if (times := sizes.ratio(a, b)) and batch:
        yield causes.SPLIT_BATCH.since(f"{seen}; {max(a, b)} is {times} times {min(a, b)}", COMMON + 0.01)
    yield causes.OTHER_LENGTH.since(seen, COMMON - 0.02)


def of_flattened(a: int, b: int) -> Iterator[Evidence]:
    """Losses on overlaps, as Keras programs write them, flatten both whole batches."""
    times = sizes.ratio(a, b)
    if min(a, b) >= 256 and times and times <= 256:
        flat = f"{max(a, b)} is {times} times {min(a, b)}: as many channels, or a larger map, in long vectors"
        yield FLATTENED_APART.since(flat, FITS)
