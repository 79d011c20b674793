"""Attentions whose heads stand behind the time steps: what is said where they raise, and where they run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis

WIDTH, HEADS, STEPS = 24, 4, 9


class Attention(nn.Module):
    """`split` is how a forward splits heads off; `attend` is the rest of it."""

    def __init__(self, forward: Callable[..., torch.Tensor], in_front: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.rows = nn.Linear(WIDTH, 3 * WIDTH)
        self.in_front, self._forward = in_front, forward
        self.register_buffer("mask", torch.ones(STEPS, STEPS).tril())

    def split(self, t: torch.Tensor) -> torch.Tensor:
        if self.in_front:
            return t.view(len(t), -1, HEADS, WIDTH // HEADS).transpose(1, 2)
        return t.view(len(t), -1, HEADS, WIDTH // HEADS)

    def forward(self, x: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        return self._forward(self, x, *more)


def masked(self: Any, x: torch.Tensor) -> torch.Tensor:
    q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(self.mask == 0, -math.inf)
    return self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))


def crossed(self: Any, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
    q, k, v = self.split(self.q(x)), self.split(self.k(memory)), self.split(self.v(memory))
    weights = torch.matmul(q, k.mT).softmax(dim=-1)
    return self.o(torch.matmul(weights, v).permute(0, 2, 1, 3).flatten(2))


def built_in(self: Any, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
    q, k, v = self.split(self.q(x)), self.split(self.k(memory)), self.split(self.v(memory))
    return self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def unmasked(self: Any, x: torch.Tensor) -> torch.Tensor:
    q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
    return self.o(((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(1, 2).flatten(2))


def failing(model: nn.Module, *inputs: torch.Tensor) -> Diagnosis:
    session = shapewatch.watch(model)
    with pytest.raises(RuntimeError), session:
        model(*inputs)
    return session.report.diagnoses[0]


@pytest.mark.parametrize(
    ("forward", "lengths"),
    [(masked, [STEPS]), (crossed, [STEPS, 7]), (built_in, [STEPS, 7]), (unmasked, [STEPS])],
)
def test_heads_behind_the_steps_are_named_and_put_in_front(
    forward: Callable[..., torch.Tensor], lengths: list[int]
) -> None:
    inputs = [torch.randn(2, steps, WIDTH) for steps in lengths]
    model = Attention(forward, in_front=False)
    told = failing(model, *inputs)
    fix = told.fixes[0]
    assert told.code == "SW106" and fix.verified == "forward"
    assert fix.code == "return t.view(len(t), -1, HEADS, WIDTH // HEADS).transpose(1, 2)"
    with fix.applied(model):
        torch.testing.assert_close(model(*inputs), Attention(forward, in_front=True)(*inputs))


@pytest.mark.parametrize(
    ("forward", "lengths"),
    [(masked, [STEPS]), (crossed, [STEPS, 7]), (built_in, [STEPS, 7]), (unmasked, [STEPS])],
)
def test_heads_in_front_say_nothing(forward: Callable[..., torch.Tensor], lengths: list[int]) -> None:
    with shapewatch.watch() as session:
        Attention(forward, in_front=True)(*(torch.randn(2, steps, WIDTH) for steps in lengths))
    assert session.report.diagnoses == ()


def test_heads_that_are_joined_as_they_are_go_back_behind_the_steps() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = (q @ k.transpose(-2, -1)).masked_fill(self.mask == 0, -math.inf)
        return self.o((scores.softmax(-1) @ v).reshape(x.shape))

    def rightly(self: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = (q @ k.transpose(-2, -1)).masked_fill(self.mask == 0, -math.inf)
        return self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))

    x, model = torch.randn(2, STEPS, WIDTH), Attention(forward, in_front=False)
    fix = failing(model, x).fixes[0]
    assert "return self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))" in fix.code.splitlines()
    with fix.applied(model):
        torch.testing.assert_close(model(x), Attention(rightly, in_front=True)(x))


@pytest.mark.parametrize("behind", ["k", "v"])
def test_one_side_alone_is_behind(behind: str) -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        q = self.q(x).view(len(x), -1, HEADS, WIDTH // HEADS).transpose(1, 2)
        k = self.k(x).view(len(x), -1, HEADS, WIDTH // HEADS)
        k = k if behind == "k" else k.transpose(1, 2)
        v = self.v(x).view(len(x), -1, HEADS, WIDTH // HEADS)
        v = v if behind == "v" else v.transpose(1, 2)
        return self.o(((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(1, 2).flatten(2))

    told = failing(Attention(forward, in_front=False), torch.randn(2, STEPS, WIDTH))
    line = f"{behind} = self.{behind}(x).view(len(x), -1, HEADS, WIDTH // HEADS).transpose(1, 2)"
    assert (told.code, told.fixes[0].verified, told.fixes[0].code) == ("SW106", "forward", line)


@pytest.mark.parametrize("row", [2, 3])
def test_queries_keys_and_values_of_one_layer(row: int) -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        sizes = (3, HEADS) if row == 2 else (HEADS, 3)
        rows = self.rows(x).reshape(len(x), -1, *sizes, WIDTH // HEADS)
        q, k, v = rows.unbind(row)
        return self.o(((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(1, 2).flatten(2))

    told = failing(Attention(forward, in_front=False), torch.randn(2, STEPS, WIDTH))
    swap = "transpose(1, 3)" if row == 2 else "transpose(1, 2)"
    line = f"rows = self.rows(x).reshape(len(x), -1, *sizes, WIDTH // HEADS).{swap}"
    assert (told.code, told.fixes[0].verified, told.fixes[0].code) == ("SW106", "forward", line)


def test_the_order_of_five_axes_is_written_anew() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        rows = self.rows(x).reshape(len(x), -1, 3, HEADS, WIDTH // HEADS)
        if self.in_front:  # noqa: SIM108 - a line of its own is what is mended
            rows = rows.permute(2, 0, 3, 1, 4)
        else:
            rows = rows.permute(2, 0, 1, 3, 4)
        q, k, v = rows[0], rows[1], rows[2]
        scores = (q @ k.transpose(-2, -1)).masked_fill(self.mask == 0, -math.inf)
        return self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))

    model, x = Attention(forward, in_front=False), torch.randn(2, STEPS, WIDTH)
    told = failing(model, x)
    fix = told.fixes[0]
    assert (told.code, fix.verified) == ("SW106", "forward")
    assert fix.code == "rows = rows.permute(2, 0, 3, 1, 4)  # dims was (2, 0, 1, 3, 4)"
    with fix.applied(model):
        torch.testing.assert_close(model(x), Attention(forward, in_front=True)(x))


def test_every_layer_of_the_class_is_mended_at_once() -> None:
    model = nn.Sequential(*(Attention(masked, in_front=False) for _ in range(3)))
    session = shapewatch.watch(model)
    with pytest.raises(RuntimeError), session:
        model(torch.randn(2, STEPS, WIDTH))
    (told,) = session.report.diagnoses
    assert told.fixes[0].verified == "forward"


def test_a_mask_of_another_size_is_not_about_heads() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        agents = self.q(x).view(len(x), -1, HEADS, WIDTH // HEADS)
        return self.o(((agents @ agents.mT) * torch.ones(3, 3)).flatten(2))

    assert failing(Attention(forward, in_front=False), torch.randn(2, STEPS, WIDTH)).code != "SW106"


def test_as_many_heads_as_steps_do_not_tell() -> None:
    model = Attention(crossed, in_front=False)
    told = failing(model, torch.randn(2, HEADS, WIDTH), torch.randn(2, 7, WIDTH))
    assert told.code != "SW106"


def joined_as_they_are(self: Any, x: torch.Tensor) -> torch.Tensor:
    q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
    y = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v
    return self.o((y.transpose(1, 2) if self.in_front else y).reshape(x.shape))


def built_in_and_joined(self: Any, x: torch.Tensor) -> torch.Tensor:
    y = F.scaled_dot_product_attention(self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x)))
    return self.o((y.transpose(1, 2) if self.in_front else y).reshape(x.shape))


def mixed(self: Any, x: torch.Tensor) -> torch.Tensor:
    q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
    return self.o(((q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v).transpose(1, 2).reshape(x.shape))


@pytest.mark.parametrize("forward", [joined_as_they_are, built_in_and_joined, mixed])
def test_heads_that_are_compared_with_each_other_are_warned_of(forward: Callable[..., torch.Tensor]) -> None:
    model, x = Attention(forward, in_front=False), torch.randn(2, STEPS, WIDTH)
    with shapewatch.watch(model) as session:
        model(x)
    told = session.report.diagnoses[0]
    assert (told.code, told.severity, told.fixes[0].verified) == ("SW192", "warning", "forward")
    assert "return t.view(len(t), -1, HEADS, WIDTH // HEADS).transpose(1, 2)" in told.fixes[0].code
    right = Attention(forward, in_front=True)(x)
    with told.fixes[0].applied(model):
        torch.testing.assert_close(model(x), right)


@pytest.mark.parametrize("forward", [joined_as_they_are, built_in_and_joined, mixed])
def test_steps_that_are_compared_are_not_warned_of(forward: Callable[..., torch.Tensor]) -> None:
    with shapewatch.watch() as session:
        Attention(forward, in_front=True)(torch.randn(2, STEPS, WIDTH))
    assert session.report.diagnoses == ()


def test_agents_of_one_step_may_attend_to_each_other() -> None:
    class Agents(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            q, k, v = (layer(x).unflatten(-1, (4, 6)) for layer in (self.q, self.k, self.v))
            return ((q @ k.mT).softmax(-1) @ v).flatten(2)

    with shapewatch.watch() as session:
        Agents()(torch.randn(2, STEPS, WIDTH))
    assert session.report.diagnoses == ()


def test_heads_may_be_told_to_differ() -> None:
    """Their likeness alone, without a softmax that weighs values, is no attention."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        heads = self.split(self.q(x))
        return (heads @ heads.mT).square().mean()

    with shapewatch.watch() as session:
        Attention(forward, in_front=False)(torch.randn(2, STEPS, WIDTH))
    assert session.report.diagnoses == ()
