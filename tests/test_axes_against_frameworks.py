"""What shapewatch calls a misfit is what the frameworks refuse, and nothing else: operations drawn at random.

`test_axes.py` and `test_axes_tensorflow.py` hold the arithmetic against what comes out. Here NumPy has its say on what
meets, and PyTorch on refusals: an operation is run inside a watch, and the report finds an error exactly where PyTorch
raised one, at that call, with the operands that it had and a code of its family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

import shapewatch
from shapewatch import axes
from shapewatch.recording import Shape

properties = settings(deadline=None, derandomize=True, max_examples=120)

Sizes = tuple[int, ...]

few = st.sampled_from([1, 2, 3, 4, 6])
with_none = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple)
shapes = st.lists(few, max_size=4).map(tuple)
images = st.tuples(st.integers(1, 2), few, st.integers(1, 12), st.integers(1, 12))


# NumPy, on what meets


def given_by_numpy(function: Callable[[], Any]) -> Sizes | None:
    """The shape that comes out, None where NumPy refuses."""
    try:
        return tuple(numpy.shape(function()))
    except (ValueError, IndexError):
        return None


def zeros(shape: Sizes) -> Any:
    return numpy.zeros(shape, dtype=numpy.int8)


@properties
@given(st.lists(shapes, min_size=1, max_size=4))
def test_broadcasting_in_numpy(operands: list[Sizes]) -> None:
    assert axes.broadcast(operands) == given_by_numpy(lambda: numpy.broadcast_arrays(*map(zeros, operands))[0])


@properties
@given(shapes, shapes)
def test_matrix_products_in_numpy(left: Sizes, right: Sizes) -> None:
    assume(left and right)
    fits = not axes.differ(*axes.matmul_inner(left, right)) and axes.broadcast([left[:-2], right[:-2]]) is not None
    assert fits == (given_by_numpy(lambda: zeros(left) @ zeros(right)) is not None)


@properties
@given(shapes, st.data())
def test_concatenation_in_numpy(shape: Sizes, data: st.DataObject) -> None:
    assume(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    other = tuple(data.draw(st.sampled_from([size, size, size + 1])) for size in shape)
    refused = given_by_numpy(lambda: numpy.concatenate([zeros(shape), zeros(other)], axis)) is None
    assert bool(axes.concat_problems([shape, other], axis % len(shape))) == refused


@properties
@given(shapes, shapes)
def test_reshaping_in_numpy(before: Sizes, after: Sizes) -> None:
    expected = given_by_numpy(lambda: zeros(before).reshape(after))
    assert (axes.elements(before) == axes.elements(after)) == (expected is not None)
    if expected is not None and (before or after):
        assert axes.factor_groups(before, after)


# PyTorch, on what is refused


@dataclass(frozen=True)
class Drawn:
    """An operation on operands of these shapes, and the codes that a refusal of it may have."""

    run: Callable[..., Any]
    operands: tuple[Sizes, ...]
    codes: str
    dtypes: tuple[torch.dtype, ...] = ()

    def tensors(self) -> list[torch.Tensor]:
        dtypes = self.dtypes or (torch.float32,) * len(self.operands)
        return [torch.zeros(shape, dtype=dtype) for shape, dtype in zip(self.operands, dtypes, strict=True)]

    def refused(self) -> bool:
        tensors = self.tensors()
        try:
            self.run(*tensors)
        except (RuntimeError, IndexError, ValueError):
            return True
        return False


def meeting(name: str) -> st.SearchStrategy[Drawn]:
    operation: Any = getattr(torch, name)
    return st.builds(lambda a, b: Drawn(operation, (a, b), "SW201 SW202"), with_none, with_none)


@st.composite
def alike(draw: st.DrawFn, shape: Sizes, odds: int = 3) -> Sizes:
    """A shape that is this one, or nearly."""
    return tuple(draw(st.sampled_from([size] * odds + [size + 1])) for size in shape)


@st.composite
def in_place(draw: st.DrawFn) -> Drawn:
    target = draw(with_none)
    other = draw(st.one_of(with_none, alike(target)))
    return Drawn(lambda a, b: a.mul_(b), (target, other), "SW201 SW202")


@st.composite
def chosen(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes)
    operands = tuple(draw(st.one_of(st.just(shape), alike(shape), shapes)) for _ in range(3))
    return Drawn(torch.where, operands, "SW201 SW202", (torch.bool, torch.float32, torch.float32))


@st.composite
def concatenated(draw: st.DrawFn) -> Drawn:
    first = draw(shapes.filter(bool))
    axis = draw(st.integers(-len(first), len(first) - 1))
    others = draw(st.lists(st.one_of(alike(first, 8), shapes.filter(bool)), min_size=1, max_size=3))
    return Drawn(lambda *tensors: torch.cat(tensors, axis), (first, *others), "SW401 SW402")


@st.composite
def stacked(draw: st.DrawFn) -> Drawn:
    first = draw(shapes)
    axis = draw(st.integers(-len(first) - 1, len(first)))
    others = draw(st.lists(alike(first, 8), min_size=1, max_size=3))
    return Drawn(lambda *tensors: torch.stack(tensors, axis), (first, *others), "SW402 SW902")


@st.composite
def multiplied(draw: st.DrawFn) -> Drawn:
    left, right = draw(shapes.filter(bool)), draw(shapes.filter(bool))
    if draw(st.booleans()) and len(right) > 1:
        right = (*right[:-2], left[-1], right[-1])
    return Drawn(torch.matmul, (left, right), "SW101 SW105")


@st.composite
def batches_multiplied(draw: st.DrawFn) -> Drawn:
    b, n, k, m = (draw(few) for _ in range(4))
    return Drawn(torch.bmm, (draw(alike((b, n, k))), draw(alike((b, k, m)))), "SW101 SW105")


@st.composite
def bias_added_to_product(draw: st.DrawFn) -> Drawn:
    n, k, m = (draw(few) for _ in range(3))
    bias = draw(st.sampled_from([(m,), (1, m), (n, m), (n, 1), (m + 1,)]))
    return Drawn(torch.addmm, (bias, draw(alike((n, k))), draw(alike((k, m)))), "SW101 SW202 SW203")


@st.composite
def summed_products(draw: st.DrawFn) -> Drawn:
    equation = draw(st.sampled_from(["ij,jk->ik", "bhqd,bhkd->bhqk", "bi,bj->bij", "i,i", "...i,ij->...j", "bii->b"]))
    sizes = {letter: draw(few) for letter in "bhqkdij"}
    operands = []
    for term in equation.split("->")[0].split(","):
        shape = tuple(size for letter in term for size in ((2, 3) if letter == "." else (sizes[letter],)))
        operands.append(draw(alike(shape[3 * 2 - 2 :] if term.startswith("...") else shape, 9)))
    return Drawn(lambda *tensors: torch.einsum(equation, *tensors), tuple(operands), "SW104")


@st.composite
def reshaped(draw: st.DrawFn) -> Drawn:
    before, after = draw(shapes), list(draw(shapes))
    if draw(st.booleans()) and after:
        after[draw(st.integers(0, len(after) - 1))] = -1
    name = draw(st.sampled_from(["reshape", "view"]))
    return Drawn(lambda x: getattr(x, name)(after), (before,), "SW301")


@st.composite
def expanded(draw: st.DrawFn) -> Drawn:
    before = draw(shapes)
    after = draw(st.one_of(shapes, st.tuples(few, *(st.sampled_from([s, s, -1, 3]) for s in before))))
    name = draw(st.sampled_from(["expand", "broadcast_to"]))
    return Drawn(lambda x: getattr(x, name)(after), (before,), "SW203")


@st.composite
def reordered(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes.filter(bool))
    order = draw(st.permutations(range(draw(st.sampled_from([len(shape), len(shape), len(shape) + 1])))))
    return Drawn(lambda x: x.permute(order), (shape,), "SW304")


@st.composite
def reduced(draw: st.DrawFn) -> Drawn:
    shape, axis = draw(shapes), draw(st.integers(-5, 4))
    assume(shape)
    name = draw(st.sampled_from(["sum", "mean", "softmax", "squeeze", "unsqueeze", "cumsum"]))
    return Drawn(lambda x: getattr(x, name)(axis), (shape,), "SW304")


@st.composite
def split_up(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes.filter(bool))
    axis = draw(st.integers(0, len(shape) - 1))
    parts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    return Drawn(lambda x: x.split(parts, axis), (shape,), "SW403")


@st.composite
def convolved(draw: st.DrawFn) -> Drawn:
    batch, channels, height, width = draw(images)
    groups = draw(st.sampled_from([1, 1, 2]))
    kernel, stride, padding, dilation = (draw(st.integers(low, high)) for low, high in ((1, 5), (1, 3), (0, 2), (1, 3)))
    inner = draw(st.sampled_from([channels // groups or 1, channels]))
    weight = (draw(few), inner, kernel, 1)

    def run(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, weight, None, stride, (padding, 0), (dilation, 1), groups)

    return Drawn(run, ((batch, channels, height, width), weight), "SW501 SW503 SW506")


@st.composite
def convolved_back(draw: st.DrawFn) -> Drawn:
    batch, channels, length, _ = draw(images)
    kernel, stride, padding, dilation = (draw(st.integers(low, high)) for low, high in ((1, 5), (1, 3), (0, 2), (1, 3)))
    extra = draw(st.integers(0, max(stride, dilation) - 1))  # more is a setting that is refused, whatever comes in
    assume(axes.transposed_out(length, kernel, stride, padding, extra, dilation) > 0)
    weight = (draw(st.sampled_from([channels, channels, channels + 1])), draw(few), kernel)

    def run(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.conv_transpose1d(x, weight, None, stride, padding, extra, 1, dilation)

    return Drawn(run, ((batch, channels, length), weight), "SW501")


@st.composite
def mapped(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes.filter(bool))
    return Drawn(functional.linear, (shape, (draw(few), draw(st.sampled_from([shape[-1], shape[-1], 5])))), "SW102")


@st.composite
def normalized(draw: st.DrawFn) -> Drawn:
    shape = draw(images)
    if draw(st.booleans()):
        sizes = draw(alike(shape[-draw(st.integers(1, 3)) :]))
        return Drawn(lambda x: functional.layer_norm(x, sizes), (shape,), "SW502")
    groups = draw(st.integers(1, 4))
    assume(prod(shape) // groups > 1)  # of one value there is no variance
    return Drawn(lambda x: functional.group_norm(x, groups), (shape,), "SW506")


@st.composite
def shuffled(draw: st.DrawFn) -> Drawn:
    shape, factor = draw(images), draw(st.integers(1, 2))
    return Drawn(lambda x: functional.pixel_shuffle(x, factor), (shape,), "SW505")


@st.composite
def attended(draw: st.DrawFn) -> Drawn:
    batch, heads, here, there, width = (draw(few) for _ in range(5))
    operands = ((batch, heads, here, width), (batch, heads, there, width), (batch, heads, there, draw(few)))
    drawn = tuple(draw(alike(shape, 9)) for shape in operands)
    return Drawn(functional.scaled_dot_product_attention, drawn, "SW103")


@st.composite
def unflattened(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes.filter(bool))
    axis, sizes = draw(st.integers(0, len(shape) - 1)), draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    return Drawn(lambda x: x.unflatten(axis, sizes), (shape,), "SW301")


@st.composite
def masked(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes.filter(bool))
    mask = draw(alike(shape[: draw(st.integers(1, len(shape)))], 5))
    return Drawn(lambda x, mask: x[mask], (shape, mask), "SW404", (torch.float32, torch.bool))


@st.composite
def copied(draw: st.DrawFn) -> Drawn:
    target = draw(shapes)
    return Drawn(lambda a, b: a.copy_(b), (target, draw(st.one_of(shapes, alike(target)))), "SW203")


@st.composite
def written_into_a_part(draw: st.DrawFn) -> Drawn:
    target = draw(shapes.filter(bool))
    start = draw(st.integers(0, 2))
    part = (len(range(target[0])[start:]), *target[1:])
    given = draw(st.one_of(shapes, alike(part)))
    assume(0 not in part)

    def run(a: torch.Tensor, b: torch.Tensor) -> None:
        a[start:] = b

    return Drawn(run, (target, given), "SW203")


@st.composite
def recurrent(draw: st.DrawFn) -> Drawn:
    steps, batch, width, hidden = (draw(few) for _ in range(4))
    layer = nn.GRU(width, hidden)
    operands = (draw(alike((steps, batch, width), 9)), draw(alike((1, batch, hidden), 9)))
    return Drawn(layer, operands, "SW601 SW603")


@st.composite
def pooled(draw: st.DrawFn) -> Drawn:
    shape, ceil = draw(images), draw(st.booleans())
    kernel, stride, padding, dilation = (draw(st.integers(low, high)) for low, high in ((1, 6), (1, 4), (0, 2), (1, 3)))
    assume(padding <= kernel // 2)  # else it is the setting that is refused, whatever comes in
    if draw(st.booleans()):
        return Drawn(lambda x: functional.avg_pool2d(x, kernel, stride, padding, ceil), (shape,), "SW503")
    return Drawn(lambda x: functional.max_pool2d(x, kernel, stride, padding, dilation, ceil), (shape,), "SW503")


@st.composite
def resized(draw: st.DrawFn) -> Drawn:
    shape = draw(shapes.filter(lambda shape: len(shape) > 2))
    size = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple))
    return Drawn(lambda x: functional.interpolate(x, size=size), (shape,), "SW509")


@st.composite
def padded(draw: st.DrawFn) -> Drawn:
    shape = draw(images)
    amounts = draw(st.lists(st.integers(0, 5), min_size=4, max_size=4))
    return Drawn(lambda x: functional.pad(x, amounts, mode="reflect"), (shape,), "SW508")


@st.composite
def taken(draw: st.DrawFn) -> Drawn:
    shape, axis = draw(shapes.filter(bool)), draw(st.integers(0, 3))
    assume(axis < len(shape))
    index = draw(alike(shape, 4))
    return Drawn(lambda x, i: x.gather(axis, i), (shape, index), "SW404", (torch.float32, torch.int64))


@st.composite
def compared_with_targets(draw: st.DrawFn) -> Drawn:
    shape = draw(st.tuples(few, few))
    target = draw(st.sampled_from([shape[:1], (shape[0] + 1,), shape, (shape[0], 1), (shape[0], shape[1] + 1)]))
    dtype = torch.float32 if len(target) == 2 else torch.int64
    return Drawn(functional.cross_entropy, (shape, target), "SW801 SW802 SW803 SW804", (torch.float32, dtype))


DRAWN: dict[str, st.SearchStrategy[Drawn]] = {
    **{name: meeting(name) for name in ("add", "sub", "mul", "div", "maximum", "eq", "pow")},
    "in place": in_place(),
    "where": chosen(),
    "cat": concatenated(),
    "stack": stacked(),
    "matmul": multiplied(),
    "bmm": batches_multiplied(),
    "addmm": bias_added_to_product(),
    "einsum": summed_products(),
    "reshape": reshaped(),
    "expand": expanded(),
    "permute": reordered(),
    "reduce": reduced(),
    "split": split_up(),
    "conv2d": convolved(),
    "conv_transpose1d": convolved_back(),
    "pool": pooled(),
    "linear": mapped(),
    "norm": normalized(),
    "pixel_shuffle": shuffled(),
    "attention": attended(),
    "unflatten": unflattened(),
    "mask": masked(),
    "copy": copied(),
    "setitem": written_into_a_part(),
    "gru": recurrent(),
    "interpolate": resized(),
    "pad": padded(),
    "gather": taken(),
    "cross_entropy": compared_with_targets(),
}


def watched(drawn: Drawn) -> shapewatch.Report:
    session = shapewatch.watch()
    try:
        with session:
            drawn.run(*drawn.tensors())
    except (RuntimeError, IndexError, ValueError):
        pass
    return session.report


@pytest.mark.parametrize("name", DRAWN)
@properties
@given(data=st.data())
def test_an_error_is_found_where_there_is_one(name: str, data: st.DataObject) -> None:
    drawn = data.draw(DRAWN[name])
    refused, report = drawn.refused(), watched(drawn)
    found = [diagnosis for diagnosis in report.diagnoses if diagnosis.severity == "error"]
    assert len(found) == refused
    if refused:
        call = report.recording.failing_call()
        assert call is not None and not call.finished
        operands: tuple[Shape, ...] = tuple(report.recording.shape(value) for value in call.operands)
        assert operands == drawn.operands
        assert found[0].code in drawn.codes.split()
    else:
        assert report.recording.failure is None
        assert all(junction.status != "mismatch" for junction in report.junctions)
