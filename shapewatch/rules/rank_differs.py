"""A layer is given a tensor of another number of axes than it works on.

## What it means
`Conv2d` takes 4 axes (3 without a batch), `BatchNorm2d` exactly 4, `BatchNorm1d` 2 or 3, `Conv1d` 3 (or 2). Keras's
layers always take a batch.

## Why
Mostly the batch axis is missing, a flatten came too early or too late, a recurrent layer gave only its last step, or a
layer for images is used on sequences.

## Bad
    nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))(torch.ones(3, 10, 10))

## Good
    nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))(torch.ones(1, 3, 10, 10))

## What it can be confused with
`axis-out-of-range`: an operation, not a layer, speaks of an axis that is not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from shapewatch.edits import Edit, Input, Insert, Module, Replace
from shapewatch.flow.layout import USUAL_CHANNELS
from shapewatch.recording import Shape, Size, text
from shapewatch.rules.conv_channels_differ import conv_expects
from shapewatch.rules.rule import Case, Finding, rule

_KINDS = frozenset(
    {"conv", "conv_transpose", "norm", "pool", "adaptive_pool", "recurrent", "conv_recurrent", "per_step", "matmul"}
)


@rule("SW701", "rank-differs", _KINDS)
def check(case: Case) -> Finding | None:
    if not case.shapes or not case.shapes[0]:
        return None  # without axes, or of a number of axes that a graph does not know
    if case.call.kind == "matmul":
        return _of_product(case)
    allowed = _allowed(case)
    given = len(case.shapes[0])
    if not allowed or given in allowed:
        return None
    own: list[tuple[Edit, ...]] = []
    if case.layer is not None and case.call.kind == "norm" and given in (3, 4, 5) and "num_features" in case.facts:
        module = Module("norm", {"num_features": case.facts["num_features"], "rank": given - 2})
        own.append((Replace(case.call.layer, module),))
    own += _with_channels(case, allowed[0])
    own += _features_of_steps(case)
    return Finding(
        headline=f"{case.name} takes {' or '.join(map(str, allowed))} axes and is given {given}",
        explanation=f"Its input is {text(case.shapes[0])}.{_steps(case)}{_of_one_hot(case)}",
        own=tuple(own),
    )


_SIDES = ("left", "right")
_MATRICES = re.compile(r"ndims must be >= 2|must be at least rank 2|at least 2 axes")


def _of_product(case: Case) -> Finding | None:
    """A vector in a product that takes nothing but matrices, as TensorFlow's does: NumPy's and PyTorch's take one."""
    vectors = [at for at, shape in enumerate(case.shapes) if len(shape) == 1]
    if len(case.shapes) != 2 or len(vectors) != 1 or not _MATRICES.search(case.message):
        return None
    (at,) = vectors
    vector, matrix = case.shapes[at], case.shapes[1 - at]
    called = case.called(case.call.operands[at], "")
    given = f"the vector {called} {text(vector)}" if called else f"the vector {text(vector)} on its {_SIDES[at]} side"
    fits = vector[0] == matrix[-2 if at == 0 else -1]
    one = "As one row of a batch it fits." if at == 0 and fits else ""
    axis = 0 if at == 0 else 1
    rows = Insert(case.call.place, at, Module("unsqueeze", {"dims": (axis,), "rank": 2}))
    return Finding(
        headline=f"{case.name} takes matrices and is given {given}",
        explanation=f"It multiplies {text(vector)} and {text(matrix)}, and needs two axes of both. {one}".strip(),
        own=((rows,),) if fits else (),
    )


def _steps(case: Case) -> str:
    return " It goes through steps: batch, steps, places and channels." if case.call.kind == "conv_recurrent" else ""


def _of_one_hot(case: Case) -> str:
    """An embedding gives an axis more for each that it is given, rows for classes included."""
    unit = case.graph.producer.get(case.call.operands[0])
    if unit is None or unit.kind != "embedding" or not unit.operands:
        return ""
    given, tokens = case.recording.shape(unit.operands[0]), case.graph.facts(unit).get("num_embeddings")
    if len(given) < 2 or tokens is None or given[-1] != tokens:
        return ""
    return (
        f" The embedding before it takes numbers of tokens, and is given {text(given)}: rows of {tokens}, as one-hot "
        "ones are. `argmax` over their last axis gives the numbers."
    )


def _with_channels(case: Case, wanted: int) -> Iterator[tuple[Edit, ...]]:
    """An axis of one feature, or of one channel, for an input that has its batch and its places alone. Where the last
    axis may be that of the channels, it is the batch that is missing."""
    shape, index = case.shapes[0], case.input_at(case.call.operands[0])
    if case.call.kind not in ("recurrent", "conv") or index is None or len(shape) + 1 != wanted:
        return
    if len(shape) > 2 and shape[0] is not None and shape[-1] in USUAL_CHANNELS:
        return
    first = len(shape) > 2 and case.layout is not None and not case.layout.channels_last
    axis = 1 if first else len(shape)
    yield (Input(index, "unsqueeze", {"dim": axis}, (*shape[:axis], 1, *shape[axis:])),)


def _features_of_steps(case: Case) -> Iterator[tuple[Edit, ...]]:
    """All axes behind the steps made one, for a recurrent layer that is given a map for each step; or the columns of
    one map made its steps, as a line of text is read."""
    shape, width, layout = case.shapes[0], case.facts.get("input_size"), case.graph.layout
    if case.call.kind != "recurrent" or len(shape) not in (4, 5):
        return
    flat = Module("flatten", {"start_dim": 2})
    of_maps = len(shape) == 5 or (layout is not None and layout.channels_last)
    if of_maps and width in (None, _features(shape[2:])):
        yield (Insert(case.call.place, 0, flat),)
    elif not of_maps and width is not None and layout is not None:
        columns_first = Module("permute", {"dims": (0, 3, 1, 2)})
        if width == _features(shape[1:3]):
            yield (Insert(case.call.place, 0, Module("sequence", {}, (columns_first, flat))),)


def _features(sizes: Shape) -> Size:
    return None if None in sizes else math.prod(size or 0 for size in sizes)


def _allowed(case: Case) -> tuple[int, ...]:
    facts = case.facts
    if case.call.kind == "norm":
        rank = facts.get("rank")
        if case.layer is None or facts.get("style") != "batch" or not isinstance(rank, int):
            return ()
        return (2, 3) if rank == 1 else (rank + 2,)
    if case.call.kind == "recurrent":
        if "num_layers" in facts:
            return (2, 3)
        return (3,) if "return_sequences" in facts else ()
    if case.call.kind == "conv_recurrent":
        return (case.facts["rank"] + 3,) if isinstance(case.facts.get("rank"), int) else ()
    if case.call.kind == "per_step":
        return (3,) if len(case.shapes[0]) < 3 else ()
    layout = conv_expects(case)[1] if case.call.kind.startswith("conv") else None
    rank = layout.rank if layout is not None else facts.get("rank")
    if not isinstance(rank, int):
        return ()
    batched = facts.get("lazy") or facts.get("batched")  # what Keras builds, and TensorFlow's own operations
    return (rank + 2,) if batched else (rank + 1, rank + 2)
