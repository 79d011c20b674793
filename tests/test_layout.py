"""Which axis of an image is which, whatever the framework has first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapewatch.flow.layout import Layout, layout_of, misplaced_channels
from shapewatch.recording import Shape

properties = settings(deadline=None, derandomize=True, max_examples=100)

layouts = st.builds(Layout, st.integers(1, 3), st.booleans())


@st.composite
def images(draw: st.DrawFn) -> tuple[Layout, Shape]:
    """A layout and the shape of a batch of such images, every size another one."""
    layout = draw(layouts)
    sizes = draw(st.permutations(range(2, 12)))[: layout.rank + 2]
    return layout, tuple(sizes)


@properties
@given(images())
def test_every_axis_has_one_part(image: tuple[Layout, Shape]) -> None:
    layout, shape = image
    assert sorted([0, layout.channels(shape), *layout.spatial(shape)]) == list(range(len(shape)))
    assert layout.channels(shape[1:]) == layout.channels(shape) - 1
    channels = shape[layout.channels(shape)]
    assert layout.shape(shape[:1], channels, tuple(shape[axis] for axis in layout.spatial(shape))) == shape


@properties
@given(images())
def test_channels_at_the_other_end_are_brought_home(image: tuple[Layout, Shape]) -> None:
    """There and back again is the shape that it was; and what is in its place already is left there."""
    layout, shape = image
    other = Layout(layout.rank, not layout.channels_last)
    channels = shape[layout.channels(shape)] or 0
    assert misplaced_channels(shape, channels, layout) is None
    there = tuple(shape[axis] for axis in other.order_from_other(shape))
    assert there[0] == shape[0] and there[other.channels(there)] == channels
    order = misplaced_channels(there, channels, layout)
    assert order is not None and tuple(there[axis] for axis in order) == shape


@pytest.mark.parametrize(
    ("shape", "channels", "layout"),
    [
        ((2, 8, 8), 8, Layout(2)),
        ((2, 3, 8, 8), 3, Layout(2)),
        ((2, 8, 8, 4), 3, Layout(2)),
        ((2, 3, 8, 3), 3, Layout(2, True)),
        ((2, None, 8, None), 3, Layout(2)),
    ],
)
def test_channels_that_are_not_misplaced(shape: Shape, channels: int, layout: Layout) -> None:
    assert misplaced_channels(shape, channels, layout) is None


@pytest.mark.parametrize(
    ("rank", "moves_over", "last", "names"),
    [
        (4, 2, False, "batch channels height width"),
        (4, 2, True, "batch height width channels"),
        (3, 2, False, "channels height width"),
        (3, 1, True, "batch length channels"),
        (3, 1, False, "batch channels length"),
        (5, 3, False, "batch channels depth height width"),
    ],
)
def test_names_of_axes(rank: int, moves_over: int, last: bool, names: str) -> None:
    assert Layout(moves_over, last).names((1,) * rank) == tuple(names.split())


@pytest.mark.parametrize(("rank", "moves_over"), [(2, 2), (4, 1), (0, 2), (6, 4)])
def test_axes_that_are_no_images_are_numbered(rank: int, moves_over: int) -> None:
    assert Layout(moves_over).names((1,) * rank) == tuple(f"axis {n}" for n in range(rank))


@pytest.mark.parametrize(
    ("facts", "name", "layout"),
    [
        ({"rank": 2}, "", Layout(2)),
        ({"rank": 1, "channels_last": True}, "", Layout(1, True)),
        ({"kernel_size": (3, 3, 3)}, "", Layout(3)),
        ({"output_size": (7, 7)}, "", Layout(2)),
        ({}, "conv2d", Layout(2)),
        ({}, "max_pool1d_with_indices", Layout(1)),
        ({"kernel_size": 3}, "pool", None),
        ({}, "conv", None),
    ],
)
def test_the_layout_that_a_kernel_works_on(facts: dict[str, Any], name: str, layout: Layout | None) -> None:
    assert layout_of(facts, name) == layout
