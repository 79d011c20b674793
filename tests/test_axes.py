"""The arithmetic of shapes is that of torch, and the inverses are inverses: properties, on sizes drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from shapewatch import axes
from shapewatch.axes import UNBOUNDED, Range

properties = settings(deadline=None, derandomize=True, max_examples=150)

sizes = st.integers(1, 40)
kernels = st.integers(1, 7)
strides = st.integers(1, 5)
paddings = st.one_of(st.integers(0, 4), st.sampled_from(["same", "valid"]))
numbers = st.integers(0, 4)
dilations = st.integers(1, 3)
shapes = st.lists(st.sampled_from([1, 1, 2, 3, 5]), max_size=4).map(tuple)


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def given_by_torch(function: Callable[[], torch.Tensor]) -> tuple[int, ...] | None:
    """The shape that comes out, None where torch refuses."""
    try:
        return tuple(function().shape)
    except (RuntimeError, IndexError):
        return None


@st.composite
def ranges(draw: st.DrawFn, bottom: int = 1) -> Range:
    low = draw(st.integers(bottom, 40))
    high = draw(st.one_of(st.just(low), st.integers(low, 50), st.just(UNBOUNDED)))
    return Range(low, high)


# Meeting


@properties
@given(st.lists(shapes, min_size=1, max_size=3))
def test_broadcasting_is_that_of_torch(operands: list[tuple[int, ...]]) -> None:
    expected = given_by_torch(lambda: torch.broadcast_tensors(*(meta(*shape) for shape in operands))[0])
    assert axes.broadcast(operands) == expected
    assert bool(axes.broadcast_problems(operands)) == (expected is None)


@properties
@given(st.lists(shapes, min_size=2, max_size=3))
def test_expanded_axes_are_those_on_which_an_operand_grows(operands: list[tuple[int, ...]]) -> None:
    joined = axes.broadcast(operands)
    assume(joined is not None)
    grown = {axis for shape in axes.aligned(operands) for axis, size in enumerate(shape) if size != joined[axis]}
    assert axes.expanded_axes(operands) == tuple(sorted(grown))


@properties
@given(shapes, shapes)
def test_an_in_place_sum_cannot_stretch_what_it_writes_to(target: tuple[int, ...], other: tuple[int, ...]) -> None:
    assume(len(other) <= len(target))
    refused = given_by_torch(lambda: meta(*target).add_(meta(*other))) is None
    problems = axes.broadcast_problems([target, other]) or axes.stretched_target([target, other])
    assert bool(problems) == refused


@properties
@given(shapes, st.data())
def test_concatenation_needs_the_other_axes_equal(shape: tuple[int, ...], data: st.DataObject) -> None:
    assume(shape)
    axis = data.draw(st.integers(0, len(shape) - 1))
    other = tuple(data.draw(st.sampled_from([size, size, size + 1])) for size in shape)
    refused = given_by_torch(lambda: torch.cat([meta(*shape), meta(*other)], dim=axis)) is None
    problems = axes.concat_problems([shape, other], axis)
    assert bool(problems) == refused
    assert [p.axis for p in problems] == [i for i in range(len(shape)) if i != axis and shape[i] != other[i]]


@properties
@given(st.lists(shapes, min_size=1, max_size=3), st.data())
def test_an_unknown_size_is_never_a_problem_of_its_own(operands: list[tuple[int, ...]], data: st.DataObject) -> None:
    hidden = [tuple(data.draw(st.sampled_from([size, None])) for size in shape) for shape in operands]
    known = {problem.axis for problem in axes.broadcast_problems(operands)}
    assert {problem.axis for problem in axes.broadcast_problems(hidden)} <= known
    if axes.broadcast(operands) is not None:
        guessed = axes.broadcast(hidden)
        assert guessed is not None
        pairs = zip(guessed, axes.broadcast(operands), strict=True)
        assert all(guess is None or guess == size for guess, size in pairs)


@properties
@given(shapes, shapes)
def test_matrix_products_contract_the_named_axes(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    assume(left and right)
    inner = axes.matmul_inner(left, right)
    batches = axes.broadcast([left[:-2], right[:-2]])
    fits = not axes.differ(*inner) and batches is not None
    assert fits == (given_by_torch(lambda: meta(*left) @ meta(*right)) is not None)


# Windows


@properties
@given(sizes, kernels, strides, numbers, dilations)
def test_a_convolution_gives_what_torch_gives(size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    expected = given_by_torch(
        lambda: functional.conv1d(meta(1, 1, size), meta(1, 1, kernel), None, stride, padding, dilation)
    )
    assume(expected is not None)
    assert axes.window_out(size, kernel, stride, padding, dilation) == expected[-1]


@settings(properties, max_examples=400)
@given(sizes, kernels, strides, numbers, dilations, st.booleans())
def test_a_pooling_gives_what_torch_gives(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool
) -> None:
    def pooled() -> torch.Tensor:
        return functional.max_pool2d(meta(1, 1, size, 64), (kernel, 1), (stride, 1), (padding, 0), (dilation, 1), ceil)

    expected = given_by_torch(pooled)
    assume(expected is not None)
    assert axes.window_out(size, kernel, stride, padding, dilation, ceil) == expected[-2]


@properties
@given(sizes, kernels, strides, numbers, dilations, st.integers(0, 3))
def test_a_transposed_convolution_gives_what_torch_gives(
    size: int, kernel: int, stride: int, padding: int, dilation: int, output_padding: int
) -> None:
    def grown() -> torch.Tensor:
        weight = meta(1, 1, kernel)
        return functional.conv_transpose1d(meta(1, 1, size), weight, None, stride, padding, output_padding, 1, dilation)

    expected = given_by_torch(grown)
    assume(expected is not None and expected[-1] > 0)
    assert axes.transposed_out(size, kernel, stride, padding, output_padding, dilation) == expected[-1]


# Paddings by name, which are Keras's


named = st.sampled_from(["same", "valid"])


def given_by_keras(layer: str, size: int, **settings: Any) -> int | None:
    """What a layer over one axis gives, None where Keras refuses."""
    import keras

    if "Conv" in layer:
        settings |= {"filters": 1}
    try:
        return getattr(keras.layers, layer)(**settings).compute_output_shape((1, size, 1))[1]
    except ValueError:
        return None


@properties
@given(sizes, kernels, strides, st.sampled_from(["same", "valid", "causal"]), dilations)
def test_a_convolution_gives_what_keras_gives(size: int, kernel: int, stride: int, padding: str, dilation: int) -> None:
    assume(stride == 1 or dilation == 1)
    settings = {"kernel_size": kernel, "strides": stride, "padding": padding, "dilation_rate": dilation}
    expected = given_by_keras("Conv1D", size, **settings)
    assert (expected is None) == (size < axes.window_least(kernel, padding, dilation))
    assert expected in (None, axes.window_out(size, kernel, stride, padding, dilation))


@properties
@given(sizes, kernels, strides, named)
def test_a_pooling_gives_what_keras_gives(size: int, kernel: int, stride: int, padding: str) -> None:
    expected = given_by_keras("MaxPooling1D", size, pool_size=kernel, strides=stride, padding=padding)
    assert expected in (None, axes.window_out(size, kernel, stride, padding))


@properties
@given(sizes, kernels, strides, named, st.sampled_from([None, 0, 1, 2]), dilations)
def test_a_transposed_convolution_gives_what_keras_gives(
    size: int, kernel: int, stride: int, padding: str, extra: int | None, dilation: int
) -> None:
    assume(stride == 1 or dilation == 1)
    assume(extra is None or extra < stride)
    settings = {"kernel_size": kernel, "strides": stride, "padding": padding, "dilation_rate": dilation}
    expected = given_by_keras("Conv1DTranspose", size, output_padding=extra, **settings)
    assert expected == axes.transposed_out(size, kernel, stride, padding, extra, dilation)


@properties
@given(sizes, ranges(), kernels, strides, dilations)
def test_paddings_by_name(size: int, out: Range, kernel: int, stride: int, dilation: int) -> None:
    found = list(axes.window_named_paddings(size, out, kernel, stride, dilation))
    usable = {"same": True, "valid": size >= dilation * (kernel - 1) + 1}
    assert found == [p for p in usable if usable[p] and axes.window_out(size, kernel, stride, p, dilation) in out]


# Inverses of windows, against the forward formula tried on everything in reach


def fits(size: int, kernel: int, padding: axes.Padding, dilation: int) -> bool:
    """Whether the window is no longer than the padded size, which is when torch and Keras take it."""
    if isinstance(padding, str):
        return padding == "same" or size >= dilation * (kernel - 1) + 1
    return size + 2 * padding >= dilation * (kernel - 1) + 1


@properties
@given(ranges(bottom=-1), kernels, strides, paddings, dilations)
def test_window_in_is_every_size_that_gives_the_wanted_one(
    out: Range, kernel: int, stride: int, padding: axes.Padding, dilation: int
) -> None:
    tried = range(1, 400)
    found = axes.window_in(out, kernel, stride, padding, dilation)
    expected = [
        size
        for size in tried
        if fits(size, kernel, padding, dilation) and axes.window_out(size, kernel, stride, padding, dilation) in out
    ]
    assert [size for size in tried if found is not None and size in found] == expected


@properties
@given(sizes, ranges(), kernels, paddings, dilations)
def test_window_strides(size: int, out: Range, kernel: int, padding: axes.Padding, dilation: int) -> None:
    found = list(axes.window_strides(size, out, kernel, padding, dilation))
    usable = fits(size, kernel, padding, dilation)
    expected = [
        stride for stride in range(1, 65) if usable and axes.window_out(size, kernel, stride, padding, dilation) in out
    ]
    if out.low == 1:  # every stride from some number on would do; the smallest to leave a single window stands for them
        assert len(found) == (1 if usable else 0)
        assert all(axes.window_out(size, kernel, stride, padding, dilation) == 1 for stride in found)
    else:
        assert found == expected


@pytest.mark.parametrize("argument", ["padding", "kernel_size", "dilation"])
@properties
@given(sizes, ranges(), kernels, strides, paddings, dilations)
def test_settings_that_give_the_wanted_size(
    argument: str, size: int, out: Range, kernel: int, stride: int, padding: axes.Padding, dilation: int
) -> None:
    if argument == "padding":
        found = list(axes.window_paddings(size, out, kernel, stride, dilation))
        tried = [(kernel, p, dilation, p) for p in range(dilation * (kernel - 1) + 1)]
    elif argument == "kernel_size":
        found = list(axes.window_kernels(size, out, stride, padding, dilation))
        tried = [(k, padding, dilation, k) for k in range(1, 32)]
    else:
        assume(kernel > 1)
        found = list(axes.window_dilations(size, out, kernel, stride, padding))
        tried = [(kernel, padding, d, d) for d in range(1, 37)]
    expected = [
        value for k, p, d, value in tried if fits(size, k, p, d) and axes.window_out(size, k, stride, p, d) in out
    ]
    assert found == expected


def test_a_window_of_one_has_no_dilation_to_change() -> None:
    assert list(axes.window_dilations(8, Range.only(8), 1, 1, 0)) == []


@properties
@given(ranges(), kernels, strides, paddings, st.integers(0, 3), dilations)
def test_transposed_in_is_every_size_that_gives_the_wanted_one(
    out: Range, kernel: int, stride: int, padding: axes.Padding, output_padding: axes.Padding, dilation: int
) -> None:
    tried = range(1, 120)
    settings = (kernel, stride, padding, output_padding, dilation)
    found = axes.transposed_in(out, *settings)
    expected = [size for size in tried if axes.transposed_out(size, *settings) in out]
    assert [size for size in tried if found is not None and size in found] == expected


@properties
@given(kernels, strides, paddings, dilations)
def test_keeping_pace_is_dividing_every_size_by_the_stride(
    kernel: int, stride: int, padding: axes.Padding, dilation: int
) -> None:
    tried = [size for size in range(1, 60) if fits(size, kernel, padding, dilation)]
    outs = [(size, axes.window_out(size, kernel, stride, padding, dilation)) for size in tried]
    expected = all(out in (size // stride, -(-size // stride)) for size, out in outs)
    assert axes.keeps_pace(kernel, stride, padding, dilation) == expected


# Reshaping


@st.composite
def regrouped(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes of one product, the second made by cutting the first's prime factors elsewhere."""
    factors = draw(st.lists(st.sampled_from([1, 2, 2, 3, 5, 7]), min_size=1, max_size=7))

    def cut() -> tuple[int, ...]:
        ends = sorted(draw(st.sets(st.integers(1, len(factors)), max_size=4)) | {len(factors)})
        return tuple(prod(factors[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True))

    return cut(), cut()


@properties
@given(regrouped())
def test_factor_groups_are_runs_with_equal_products_that_cannot_be_cut(pair: Any) -> None:
    before, after = pair
    assert tuple(meta(*before).reshape(after).shape) == after
    groups = axes.factor_groups(before, after)
    assert groups
    assert [axis for old, _ in groups for axis in old] == list(range(len(before)))
    assert [axis for _, new in groups for axis in new] == list(range(len(after)))
    for old, new in groups:
        assert prod(before[axis] for axis in old) == prod(after[axis] for axis in new)
        cuts = [(i, j) for i in range(1, len(old)) for j in range(1, len(new))]
        assert all(prod(before[a] for a in old[:i]) != prod(after[a] for a in new[:j]) for i, j in cuts)


@properties
@given(regrouped())
def test_a_group_is_the_same_data_in_both_shapes(pair: Any) -> None:
    """Cutting along a run of axes that is a group of its own cuts the reshaped tensor at the same place."""
    before, after = pair
    numbers = torch.arange(prod(before)).reshape(before)
    for old, new in axes.factor_groups(before, after):
        ones = [axis for axis in range(len(before)) if axis not in old]
        others = [axis for axis in range(len(after)) if axis not in new]
        along_old = numbers[tuple(0 if axis in ones else slice(None) for axis in range(len(before)))]
        along_new = numbers.reshape(after)[tuple(0 if axis in others else slice(None) for axis in range(len(after)))]
        assert along_old.flatten().tolist() == along_new.flatten().tolist()


@properties
@given(shapes, shapes)
def test_factor_groups_are_empty_where_torch_refuses(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    fitting = given_by_torch(lambda: meta(*before).reshape(after)) is not None
    assert axes.elements(before) == meta(*before).numel()
    if before or after:
        assert bool(axes.factor_groups(before, after)) == fitting
    assert axes.factor_groups((*before, None), after) == []


@properties
@given(regrouped())
def test_a_first_axis_that_is_unknown_in_both_stays_what_it_is(pair: Any) -> None:
    before, after = pair
    shifted = [(tuple(i + 1 for i in old), tuple(j + 1 for j in new)) for old, new in axes.factor_groups(before, after)]
    assert axes.factor_groups((None, *before), (None, *after)) == [((0,), (0,)), *shifted]
    assert axes.factor_groups((None, *before), (None, *after, 2)) == []
    assert axes.factor_groups((None, *before), (8, *after)) == []


# Merging batches


@pytest.mark.parametrize(
    ("operands", "aligned"),
    [
        ([(2, 5, 8), (2, 8)], [(2, 5, 8), (2, 1, 8)]),
        ([(None, 4, 4, 8), (None, 8)], [(None, 4, 4, 8), (None, 1, 1, 8)]),
        ([(2, 8), (2, 8)], [(2, 8), (2, 8)]),
    ],
)
def test_layers_that_merge_batches_keep_the_batch_first(operands: list[Any], aligned: list[Any]) -> None:
    assert axes.batch_aligned(operands) == aligned
    rank = len(aligned[0])
    for shape, wide in zip(operands, aligned, strict=True):
        owned = [axes.own_axis(shape, rank, axis, batched=True) for axis in range(rank)]
        assert [at for at in owned if at is not None] == list(range(len(shape)))
        assert all(wide[axis] == (1 if at is None else shape[at]) for axis, at in enumerate(owned))


@pytest.mark.parametrize(
    ("along", "left", "right", "pair"),
    [
        (1, (2, 3, 4), (2, 3), (1, 1)),
        (-1, (2, 3, 4), (2, 5, 4), (2, 2)),
        ((2, 1), (2, 3, 4), (2, 4), (2, 1)),
        (3, (2, 3), (2, 3), None),
        (None, (2, 3), (2, 3), None),
    ],
)
def test_the_axes_that_a_product_of_batches_contracts(along: Any, left: Any, right: Any, pair: Any) -> None:
    assert axes.contracted(along, [left, right]) == pair
