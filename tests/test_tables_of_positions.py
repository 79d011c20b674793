"""Tables that are added to a sequence: cut to a wrong length, along a wrong axis or not at all, or made too short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch.report import Diagnosis

LONGEST = 64


class Positions(nn.Module):
    """Adds a table of positions; `shape` is [places, width], with axes of size 1 or without."""

    def __init__(self, add: Callable[[Any, torch.Tensor], torch.Tensor], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.add = add
        self.register_buffer("table", torch.randn(shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.add(self, x)


class Learned(nn.Module):
    def __init__(self, places: int = 32) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.zeros(1, places, 12))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.places[:, : x.size(1)]


class Whole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.zeros(1, 20, 12))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.places


def failing(model: nn.Module, x: torch.Tensor) -> Diagnosis:
    session = shapewatch.watch(model)
    with pytest.raises((RuntimeError, IndexError)), session:
        model(x)
    return session.report.diagnoses[0]


def encoder(positions: nn.Module, batch_first: bool = True) -> nn.Module:
    """Eight steps in, for whichever way of laying them out."""
    layer = nn.TransformerEncoderLayer(12, 2, 16, batch_first=batch_first)
    return nn.Sequential(nn.Linear(5, 12), positions, layer)


def by_the_batch(self: Any, x: torch.Tensor) -> torch.Tensor:
    return x + self.table[: x.size(0)]


def by_the_batch_in_rows(self: Any, steps: torch.Tensor) -> torch.Tensor:
    return steps + self.table[:, : steps.shape[0]]


def by_a_name(self: Any, hidden: torch.Tensor) -> torch.Tensor:
    batch = len(hidden)
    cut = self.table[:batch]
    return hidden + cut


def behind_a_start(self: Any, x: torch.Tensor) -> torch.Tensor:
    return x + self.table[2 : 2 + x.size(0)]


def with_its_axes_new(self: Any, x: torch.Tensor) -> torch.Tensor:
    return x + self.table[: x.size(0)].unsqueeze(0)


def uncut(self: Any, x: torch.Tensor) -> torch.Tensor:
    return x + self.table


@pytest.mark.parametrize(
    ("add", "shape", "code"),
    [
        (by_the_batch, (LONGEST, 12), "return x + self.table[:x.size(1)]"),
        (by_the_batch, (1, LONGEST, 12), "return x + self.table[:, :x.size(1)]"),
        (by_the_batch_in_rows, (1, LONGEST, 12), "return steps + self.table[:, :steps.shape[1]]"),
        (by_a_name, (LONGEST, 12), "cut = self.table[:hidden.size(1)]"),
        (behind_a_start, (LONGEST, 12), "return x + self.table[2:2 + x.size(1)]"),
        (with_its_axes_new, (LONGEST, 12), "return x + self.table[:x.size(1)].unsqueeze(0)"),
        (uncut, (1, LONGEST, 12), "return x + self.table[:, :x.size(1)]"),
    ],
)
def test_a_table_is_cut_to_the_steps(
    add: Callable[[Any, torch.Tensor], torch.Tensor], shape: tuple[int, ...], code: str
) -> None:
    model = encoder(Positions(add, shape))
    fix = failing(model, torch.randn(3, 9, 5)).fixes[0]
    assert (fix.verified, fix.code) == ("forward", code)
    with fix.applied(model):
        assert model(torch.randn(3, 9, 5)).shape == (3, 9, 12)


@pytest.mark.parametrize("steps", [5, 12], ids=["as many as the data are wide", "as many as the model is wide"])
def test_the_axis_is_told_by_where_it_lies_not_by_its_size(steps: int) -> None:
    fix = failing(encoder(Positions(by_the_batch, (LONGEST, 12))), torch.randn(3, steps, 5)).fixes[0]
    assert fix.code == "return x + self.table[:x.size(1)]"


def test_a_table_is_not_laid_along_the_batch() -> None:
    told = failing(encoder(Positions(by_the_batch_in_rows, (1, LONGEST, 12))), torch.randn(3, 9, 5))
    assert not any("transpose" in fix.code for fix in told.fixes)


def test_where_the_steps_come_first_the_table_is_turned() -> None:
    def by_the_steps(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x + self.table[:, : x.size(0)]

    model = encoder(Positions(by_the_steps, (1, LONGEST, 12)), batch_first=False)
    fix = failing(model, torch.randn(9, 3, 5)).fixes[0]
    assert fix.code == "return x + self.table[:, : x.size(0)].transpose(0, 1)"


def test_a_number_without_the_class_token() -> None:
    class Pictures(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cut = nn.Conv2d(3, 12, 4, 4)
            self.first = nn.Parameter(torch.zeros(1, 1, 12))
            self.places = nn.Parameter(torch.zeros(1, 17, 12))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.cut(x).flatten(2).transpose(1, 2)
            count = x.shape[1]
            x = torch.cat([self.first.expand(len(x), -1, -1), x], dim=1)
            return x + self.places[:, :count]

    fix = failing(Pictures(), torch.randn(2, 3, 16, 16)).fixes[0]
    assert (fix.verified, fix.code) == ("forward", "return x + self.places[:, :x.size(1)]")


def test_positions_that_are_counted_off_by_the_batch() -> None:
    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.word, self.place = nn.Embedding(50, 12), nn.Embedding(LONGEST, 12)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            batch, _ = tokens.shape
            return self.word(tokens) + self.place(torch.arange(batch, device=tokens.device))

    fix = failing(Counted(), torch.randint(0, 50, (3, 9))).fixes[0]
    assert fix.verified == "forward"
    assert "torch.arange(tokens.size(1), device=tokens.device)" in fix.code


# Tables that are too short


def test_a_table_that_is_cut_is_a_maximum() -> None:
    told = failing(nn.Sequential(nn.Linear(5, 12), Learned()), torch.randn(3, 40, 5))
    longer, shorter = told.fixes[:2]
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "self.places = nn.Parameter(torch.zeros(1, places, 12))"
    assert longer.edit["value"] == (1, 40, 12) and longer.verified == "forward"
    assert longer.code.endswith("# places: 40 at least, 32 now")
    assert shorter.edit["action"] == "input"


def test_a_table_that_is_taken_whole_is_made_for_one_length() -> None:
    told = failing(nn.Sequential(nn.Linear(5, 12), Whole()), torch.randn(3, 26, 5))
    assert [fix.edit["action"] for fix in told.fixes] == ["input", "set"]
    assert "self.places = nn.Parameter(torch.zeros(1, 26, 12))" in told.fixes[1].code


def test_a_table_in_another_shape_leaves_the_models_own_alone() -> None:
    model = nn.Sequential(nn.Linear(5, 12), Learned())
    fix = failing(model, torch.randn(3, 40, 5)).fixes[0]
    before = model[1].places
    with fix.applied(model):
        assert model(torch.randn(3, 40, 5)).shape == (3, 40, 12)
    assert model[1].places is before


def test_an_index_beyond_the_table_of_positions() -> None:
    class Looked(nn.Module):
        def __init__(self, longest: int = 16) -> None:
            super().__init__()
            self.word, self.place = nn.Embedding(50, 12), nn.Embedding(longest, 12)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.word(tokens) + self.place(torch.arange(tokens.size(1)))

    told = failing(Looked(), torch.randint(0, 50, (3, 24)))
    assert told.cause is not None and told.cause.layer == "place"
    assert [fix.edit["action"] for fix in told.fixes] == ["set", "input"]
    assert told.fixes[1].edit["shape"] == (3, 16)


@pytest.mark.parametrize("shape", [(LONGEST, 12), (1, LONGEST, 12)])
def test_a_table_that_is_cut_rightly_says_nothing(shape: tuple[int, ...]) -> None:
    def rightly(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x + (self.table[: x.size(1)] if self.table.dim() == 2 else self.table[:, : x.size(1)])

    with shapewatch.watch() as session:
        encoder(Positions(rightly, shape))(torch.randn(3, 9, 5))
    assert session.report.diagnoses == ()


def test_a_table_as_long_as_the_steps_lacks_axes_and_no_places() -> None:
    def turned(self: Any, x: torch.Tensor) -> torch.Tensor:
        heads = x.unflatten(-1, (2, 6))
        return (heads * self.table[: heads.size(1)]).flatten(2)

    fix = failing(encoder(Positions(turned, (LONGEST, 6))), torch.randn(3, 9, 5)).fixes[0]
    assert fix.code == "return (heads * self.table[: heads.size(1)][:, None, :]).flatten(2)"


def test_a_place_for_the_class_token_is_lacking() -> None:
    class Pictures(nn.Module):
        def __init__(self, count: int = 16) -> None:
            super().__init__()
            self.cut = nn.Conv2d(3, 12, 4, 4)
            self.first = nn.Parameter(torch.zeros(1, 1, 12))
            self.places = nn.Parameter(torch.zeros(1, count, 12))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.cut(x).flatten(2).transpose(1, 2)
            return torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.places

    fix = failing(Pictures(), torch.randn(2, 3, 16, 16)).fixes[0]
    assert fix.verified == "forward"
    assert fix.code == "self.places = nn.Parameter(torch.zeros(1, count + 1, 12))  # 17, 16 before"


@pytest.mark.parametrize("width", [6, 20])
def test_a_weight_of_another_width_is_made_anew_and_never_cut(width: int) -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.widen, self.shift = nn.Linear(5, 12, bias=False), nn.Parameter(torch.zeros(width))
            self.last = nn.Linear(12, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.widen(x) + self.shift)

    told = failing(Shifted(), torch.randn(3, 5))
    assert told.fixes[0].edit == {"action": "set", "layer": "", "argument": "shift", "value": (12,)}
    assert not any("[:" in fix.code for fix in told.fixes)


def test_a_part_of_a_causal_mask_is_not_guessed() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mask", torch.ones(LONGEST, LONGEST).tril())

        def forward(self, scores: torch.Tensor) -> torch.Tensor:
            steps = scores.shape[-2]
            return scores.masked_fill(self.mask[:steps, :steps] == 0, 0.0)

    told = failing(Masked(), torch.randn(2, 4, 5, 16))
    assert not any("self.mask[" in fix.code for fix in told.fixes)
