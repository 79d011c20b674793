"""Shortcuts that have a projection under a condition which lacks a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import torch
from keras import layers
from torch import nn

from shapewatch.adapters.guards import Guard, projection_before
from shapewatch.recording import Span
from shapewatch.report import Diagnosis
from tests.support.told import best, failing, reason


class Block(nn.Module):
    """Its condition is said by the class that makes it."""

    def __init__(self, given: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv2(torch.relu(self.conv1(x))) + self.shortcut(x))


class ByStride(Block):
    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__(given, width, stride)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(given, width, 1, stride=stride), nn.BatchNorm2d(width))


class ByWidth(Block):
    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__(given, width, stride)
        if given != width and width > 4:
            self.shortcut = nn.Conv2d(given, width, 1, stride)
        else:
            self.shortcut = nn.Identity()


class ByBoth(Block):
    """Nothing is lacking: the projection that is made is."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__(given, width, stride)
        self.shortcut = nn.Sequential()
        if stride != 1 or given != width:
            self.shortcut = nn.Sequential(nn.Conv2d(given, width, 1), nn.BatchNorm2d(width))


def network(block: Callable[..., nn.Module], *sizes: tuple[int, int, int]) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), *(block(*each) for each in sizes))


@pytest.mark.parametrize(
    ("block", "sizes", "code", "why"),
    [
        (
            ByStride,
            [(8, 16, 1), (16, 32, 2)],
            "if stride != 1 or given != width:",
            "`stride != 1` leaves it without its projection here, where channels go from 8 to 16",
        ),
        (
            ByStride,
            [(8, 16, 1), (16, 32, 1)],
            "if stride != 1 or given != width:",
            "`stride != 1` leaves it without its projection here, where channels go from 8 to 16",
        ),
        (
            ByWidth,
            [(8, 16, 1), (16, 16, 2)],
            "if given != width and width > 4 or stride != 1:",
            "`given != width and width > 4` leaves it without its projection here, where the other branch goes in "
            "steps of 2",
        ),
    ],
)
def test_a_condition_that_lacks_a_word(
    block: Callable[..., nn.Module], sizes: list[tuple[int, int, int]], code: str, why: str
) -> None:
    told = failing(network(block, *sizes), torch.randn(2, 3, 16, 16))
    assert best(told) == (
        code.replace("given != width and width > 4 or", "(given != width and width > 4) or"),
        "forward",
    )
    assert reason(told) == why


def test_a_condition_that_lacks_none() -> None:
    told = failing(network(ByBoth, (8, 16, 1), (16, 32, 2)), torch.randn(2, 3, 16, 16))
    assert not [fix.code for fix in told.fixes if fix.code.startswith("if ")]


def unit(x: Any, width: int, stride: int = 1) -> Any:
    y = layers.Conv2D(width, 3, strides=stride, padding="same", activation="relu")(x)
    y = layers.Conv2D(width, 3, padding="same")(y)
    if stride != 1:
        x = layers.Conv2D(width, 1, strides=stride)(x)
    return layers.ReLU()(layers.Add()([x, y]))


def built(*sizes: tuple[int, int]) -> Any:
    inputs = keras.Input((16, 16, 8))
    x = inputs
    for width, stride in sizes:
        x = unit(x, width, stride)
    return keras.Model(inputs, x)


def test_a_condition_of_a_function_that_builds_blocks() -> None:
    told: Diagnosis = failing(lambda: built((8, 1), (12, 1), (16, 2)))
    assert best(told) == ("if stride != 1 or x.shape[-1] != width:", "junction")
    assert reason(told) == "`stride != 1` leaves it without its projection here, where channels go from 8 to 12"


def unconditional(x: Any, width: int) -> Any:
    y = layers.Conv2D(width, 3, padding="same")(x)
    return layers.Add()([x, y])


def test_a_function_without_a_condition() -> None:
    told = failing(lambda: unconditional(keras.Input((16, 16, 8)), 12))
    assert told.fixes and not [fix.code for fix in told.fixes if fix.code.startswith("if ")]


def normed(x: Any, width: int, kernel: int, stride: int) -> Any:
    return layers.BatchNormalization()(layers.Conv2D(width, kernel, strides=stride, padding="same")(x))


def by_helper(x: Any, many: int, stride: int = 1) -> Any:
    """The helper takes data first, and the shortcut is another name for it."""
    short = x
    x = normed(normed(x, many, 3, stride), many, 3, 1)
    if stride != 1:
        short = normed(short, many, 1, stride)
    return layers.Add()([short, x])


def in_two_ways(x: Any, many: int, stride: int = 1) -> Any:
    """Before the condition, the shortcut has no name of its own."""
    y = normed(x, many, 3, stride)
    if stride != 1:  # noqa: SIM108 - the condition is what is asked for
        short = normed(x, many, 1, stride)
    else:
        short = x
    return layers.Add()([short, y])


def projected(x: Any, one: int, other: int, stride: int) -> Any:
    return layers.Conv2D(max(one, other), 1, strides=stride)(x)


def by_what_is_not_told(x: Any, many: int, stride: int = 1) -> Any:
    y = normed(x, many, 3, stride)
    if stride != 1:
        x = projected(x, many, 1, stride)
    return layers.Add()([x, y])


@pytest.mark.parametrize(("block", "code"), [(by_helper, "short"), (in_two_ways, "x")])
def test_a_projection_by_a_helper(block: Callable[..., Any], code: str) -> None:
    told = failing(lambda: block(keras.Input((16, 16, 8)), 12))
    assert best(told) == (f"if stride != 1 or {code}.shape[-1] != many:", "junction")


def test_a_helper_that_does_not_tell_its_width() -> None:
    told = failing(lambda: by_what_is_not_told(keras.Input((16, 16, 8)), 12))
    assert told.fixes and not [fix.code for fix in told.fixes if fix.code.startswith("if ")]


class Normed(nn.Sequential):
    def __init__(self, stride: int, taken: int, made: int) -> None:
        super().__init__(nn.Conv2d(taken, made, 1, stride), nn.BatchNorm2d(made))


class ByOwnClass(Block):
    """A class of the program's, which takes the stride first."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__(given, width, stride)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = Normed(stride, given, width)


def test_a_projection_of_the_programs_own_class() -> None:
    told = failing(network(ByOwnClass, (8, 16, 1), (16, 32, 2)), torch.randn(2, 3, 16, 16))
    assert best(told) == ("if stride != 1 or given != width:", "forward")


def test_a_condition_is_widened() -> None:
    assert Guard("if a and b:", "a and b").widened("c") == "if (a and b) or c:"
    assert Guard("if a or b:", "a or b").widened("c") == "if a or b or c:"
    here = unit.__code__
    made = Span(here.co_filename, here.co_firstlineno + 5, "return layers.ReLU()(layers.Add()([x, y]))")
    found = projection_before(made, "x")
    assert found is not None
    assert (found.variable, found.stride, found.given, found.width) == ("x", "stride", None, "width")
    assert projection_before(Span(here.co_filename, unconditional.__code__.co_firstlineno + 2, ""), "x") is None


class Flagged(nn.Module):
    """Its condition is a flag, and says where there is no projection."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, width, 3, stride, 1)
        self.same = stride == 1
        self.shortcut = None if self.same else nn.Conv2d(given, width, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = x if self.same else self.shortcut(x)
        return self.conv(x) + skip


class Asked(nn.Module):
    """Its condition says where there is one."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, width, 3, stride, 1)
        self.shortcut = nn.Conv2d(given, width, 1, stride=stride) if given != width else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = x
        if self.shortcut is not None:
            skip = self.shortcut(x)
        return self.conv(x) + skip


def test_a_flag_that_lacks_a_word() -> None:
    told = failing(nn.Sequential(Flagged(8, 16), Flagged(16, 16, 2)), torch.randn(2, 8, 8, 8))
    assert best(told) == ("self.same = stride == 1 and given == width", "forward")
    assert reason(told) == "`stride == 1` leaves it without its projection here, where channels go from 8 to 16"


def test_a_projection_or_none() -> None:
    told = failing(nn.Sequential(Asked(8, 16), Asked(16, 16, 2)), torch.randn(2, 8, 8, 8))
    code = "self.shortcut = nn.Conv2d(given, width, 1, stride=stride) if given != width or stride != 1 else None"
    assert best(told) == (code, "forward")
