"""A size that a reshape and the weight behind it say by one name: the line that gives it its value is changed."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
import torch
from torch import nn

from tests.support.told import best, failing, reason

MAPS = 10
FLAT = MAPS * 4 * 4


class Maps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, MAPS, 3, padding=1)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return torch.max_pool2d(torch.relu(self.conv(x)), 2)


class Attribute(Maps):
    def __init__(self) -> None:
        super().__init__()
        self.flat = MAPS * 7 * 7
        self.last = nn.Linear(self.flat, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.maps(x).view(-1, self.flat))


class OfTheFile(Maps):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(FLAT, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maps(x)
        return self.last(x.reshape(-1, FLAT))


class ElsewhereToo(Maps):
    """The same name is the width of something that the failing pass does not come to."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = 490
        self.last, self.beside = nn.Linear(self.wide, 3), nn.Linear(3, self.wide)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.maps(x).view(-1, self.wide))


class Handed(Maps):
    """The size is whatever the caller says."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.last = nn.Linear(size, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.maps(x).view(-1, self.size))


@pytest.mark.parametrize(
    ("made", "name", "code"),
    [(Attribute, "self.flat", "self.flat = MAPS * 6 * 6"), (OfTheFile, "FLAT", "FLAT = MAPS * 6 * 6")],
)
def test_one_line_changes_the_reshape_and_the_layer(made: type[nn.Module], name: str, code: str) -> None:
    told = failing(made(), torch.zeros(2, 1, 12, 12))
    assert best(told) == (code, "forward")
    assert told.cause is not None and told.cause.type == name
    assert reason(told).endswith("where 360 fits")


def test_a_name_that_is_used_elsewhere_is_not_said_to_be_verified() -> None:
    told = failing(ElsewhereToo(), torch.zeros(2, 1, 12, 12))
    assert not [fix for fix in told.fixes if fix.code.startswith("self.wide =") and fix.verified]


def test_a_size_of_the_callers_has_no_line_here() -> None:
    told = failing(Handed(int("490")), torch.zeros(2, 1, 12, 12))
    assert not [fix for fix in told.fixes if "self.size =" in fix.code]


def in_tensorflow(x: Any) -> Any:
    wide = 5 * 5 * 6
    weight = tf.Variable(tf.ones([wide, 4]))
    return tf.matmul(tf.reshape(tf.nn.max_pool2d(x, 2, 2, "SAME"), [-1, wide]), weight)


def by_a_number(x: Any) -> Any:
    weight = tf.Variable(tf.ones([150, 4]))
    return tf.matmul(tf.reshape(tf.nn.max_pool2d(x, 2, 2, "SAME"), [-1, 150]), weight)


def test_weights_of_the_program() -> None:
    told = failing(in_tensorflow, tf.zeros((2, 8, 8, 6)))
    assert best(told) == ("wide = 4 * 4 * 6", None)
    assert reason(told) == "wide is 150, and each sample of [2, 4, 4, 6] has 96 numbers"
    assert len(told.fixes) == 1


def test_a_number_in_the_line_itself() -> None:
    assert "96" in best(failing(by_a_number, tf.zeros((2, 8, 8, 6))))[0]
