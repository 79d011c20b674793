"""Operations along another axis than was meant, factors in each other's place: found, written and verified."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import shapewatch
from tests.support.told import failing


class Statistics(nn.Module):
    """Mean and deviation over the channels, where the frames are meant."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = nn.Conv1d(12, 20, 5)
        self.embed = nn.Linear(40, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.frames(x)
        return self.embed(torch.cat([h.mean(dim=1), h.std(dim=1)], dim=1))


def test_reductions_of_one_line_are_turned_together() -> None:
    model, sound = Statistics(), torch.randn(5, 12, 77)
    told = failing(model, sound)
    (fix, *others) = told.fixes
    assert (fix.verified, fix.output_shape) == ("forward", (5, 6))
    assert fix.code == "return self.embed(torch.cat([h.mean(dim=2), h.std(dim=2)], dim=1))  # dim was 1"
    assert told.cause is not None and told.cause.reason.startswith("dim is 1, where 2 fits")
    assert [other.edit.get("argument") for other in others] == ["in_features"]
    with fix.applied(model):
        assert model(sound).shape == (5, 6)


class Windows(nn.Module):
    """The maximum over the filters, in a comprehension."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = nn.ModuleList(nn.Conv1d(9, 7, size) for size in (2, 3, 4))
        self.head = nn.Linear(21, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = [torch.relu(window(x)).max(dim=1).values for window in self.windows]
        return self.head(torch.cat(found, dim=1))


def test_a_line_of_a_loop_is_one_choice() -> None:
    (fix, *_) = failing(Windows(), torch.randn(3, 9, 30)).fixes
    assert fix.verified == "forward"
    assert fix.code.startswith("found = [torch.relu(window(x)).max(dim=2).values for window in self.windows]")


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.both = nn.Conv1d(10, 20, 1)
        self.depthwise = nn.Conv1d(10, 10, 3, padding=1, groups=10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.depthwise(functional.glu(self.both(x), dim=-1))


class Heads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.all = nn.Linear(24, 72)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, _ = x.shape
        q, k, v = self.all(x).chunk(3, dim=1)
        return functional.scaled_dot_product_attention(q, k, v).reshape(batch, steps, 4, 6)


@pytest.mark.parametrize(
    ("model", "shape", "code"),
    [
        (Gated(), (4, 10, 50), "return x + self.depthwise(functional.glu(self.both(x), dim=-2))  # dim was -1"),
        (Heads(), (2, 20, 24), "q, k, v = self.all(x).chunk(3, dim=2)  # dim was 1"),
    ],
)
def test_what_is_cut_in_two_or_three(model: nn.Module, shape: tuple[int, ...], code: str) -> None:
    told = failing(model, torch.randn(*shape))
    assert (told.fixes[0].code, told.fixes[0].verified) == (code, "forward")


class Attended(nn.Module):
    """A gate of two maps, the mean and the maximum of the channels, which have lost their axis."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = torch.mean(x, dim=1)
        most, _ = torch.max(x, dim=1)
        return x * self.conv(torch.cat([mean, most], dim=1))


def test_an_axis_that_was_to_be_kept() -> None:
    model, image = Attended(), torch.randn(4, 8, 10, 14)
    (fix, *_) = failing(model, image).fixes
    assert (fix.verified, fix.output_shape) == ("forward", (4, 8, 10, 14))
    assert fix.code.splitlines() == [
        "mean = torch.mean(x, dim=1, keepdim=True)  # keepdim was False",
        "most, _ = torch.max(x, dim=1, keepdim=True)  # keepdim was False",
    ]
    with fix.applied(model):
        assert model(image).shape == (4, 8, 10, 14)


class Distances(nn.Module):
    """Squared distances of all rows to all codes, (a - b)^2 = a^2 + b^2 - 2ab, whose first part has lost an axis."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv2d(3, 16, 2, 2)
        self.codes = nn.Embedding(30, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = self.encode(x).permute(0, 2, 3, 1).reshape(-1, 16)
        codes = self.codes.weight
        return rows.pow(2).sum(1) + codes.pow(2).sum(1) - 2 * rows @ codes.t()


def test_a_table_of_rows_and_columns_that_meets_another_is_meant() -> None:
    """A stride with which there are as many rows as codes would do for this batch alone."""
    told = failing(Distances(), torch.randn(2, 3, 8, 8))
    assert told.fixes[0].code.startswith("return rows.pow(2).sum(1, keepdim=True) + ")
    assert told.fixes[0].output_shape == (32, 30)
    assert not [fix for fix in told.fixes if fix.edit.get("argument") == "stride"]


class Squeezed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.score(x).squeeze(), dim=1)


def test_a_squeeze_that_takes_the_batch_of_one() -> None:
    told = failing(Squeezed(), torch.randn(1, 9, 6))
    assert told.fixes[0].code.startswith("return torch.softmax(self.score(x).squeeze(-1), dim=1)")
    assert told.cause is not None and "batch of one" in told.cause.reason


class Graphs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 8))

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        return torch.bmm(x @ self.weight, adjacency).sum(1)


class Weighed(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = torch.softmax(x @ x.transpose(1, 2), dim=-1)
        return x @ weights


def test_factors_in_each_others_place() -> None:
    model, given = Graphs(), (torch.randn(3, 11, 5), torch.randn(3, 11, 11))
    told = failing(model, *given)
    assert told.cause is not None and "each other's place" in told.cause.reason
    assert told.fixes[0].code == "return torch.bmm(adjacency, x @ self.weight).sum(1)"
    with told.fixes[0].applied(model):
        assert model(*given).shape == (3, 8)
    assert failing(Weighed(), torch.randn(2, 9, 4)).fixes[0].code == "return weights @ x"


def test_a_factor_that_stands_right_is_transposed_as_before() -> None:
    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Parameter(torch.randn(4, 12))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.down

    assert failing(Wide(), torch.randn(2, 7, 12)).fixes[0].code == "return x @ self.down.T"


def test_rows_of_a_table_stay_rows() -> None:
    """`transpose(1, 3)` of [1, N, N, heads] has the right sizes, and says of a what was said of b."""

    class Biased(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(1, 9, 9, 2))

        def forward(self, scores: torch.Tensor) -> torch.Tensor:
            return scores + self.table

    told = failing(Biased(), torch.randn(4, 2, 9, 9))
    assert told.fixes[0].code == "return scores + self.table.permute(0, 3, 1, 2)"


def test_the_left_operand_of_a_named_product_is_turned_and_not_what_it_gives() -> None:
    class Hyper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.make = nn.Linear(3, 40)

        def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            w = self.make(z).view(-1, 8, 5)
            return torch.bmm(w, x.unsqueeze(-1)).squeeze(-1) + 1

    told = failing(Hyper(), torch.randn(6, 8), torch.randn(6, 3))
    assert told.fixes[0].code == "return torch.bmm(w.transpose(1, 2), x.unsqueeze(-1)).squeeze(-1) + 1"


class Inverted(nn.Module):
    def __init__(self, given: int, gives: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(given, given, 3, 1, 1, groups=given), nn.Conv2d(given, gives, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.body else x


def test_a_projection_of_a_skip_stands_on_the_skip_also_in_a_row() -> None:
    told = failing(nn.Sequential(Inverted(6, 6), Inverted(6, 9), nn.Conv2d(9, 4, 1)), torch.randn(2, 6, 8, 8))
    assert "self.shortcut(x) + self.body(x)" in told.fixes[0].code and ".insert(" not in told.fixes[0].code


class Shortened(nn.Module):
    def __init__(self, given: int, gives: int, stride: int = 1) -> None:
        super().__init__()
        self.one = nn.Conv2d(given, gives, 3, stride, 1)
        self.two = nn.Conv2d(gives, gives, 3, 1, 1)
        self.skip = nn.Conv2d(given, gives, 1) if given != gives else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.skip(x) + self.two(torch.relu(self.one(x)))


def test_a_stride_that_is_passed_on_is_meant() -> None:
    model = nn.Sequential(Shortened(3, 8, 2), Shortened(8, 8), Shortened(8, 8))
    told = failing(model, torch.randn(2, 3, 32, 32))
    assert (told.cause.layer if told.cause else "") == "0.skip"


class Causal(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.pad = 2 * dilation
        self.one = nn.utils.parametrizations.weight_norm(
            nn.Conv1d(width, width, 3, padding=self.pad, dilation=dilation)
        )
        self.two = nn.utils.parametrizations.weight_norm(nn.Conv1d(width, width, 3, padding=self.pad))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.one(x)[:, :, : -self.pad])
        return x + torch.relu(self.two(h)[:, :, : -self.pad])


def test_a_dilation_that_the_convolution_beside_it_has() -> None:
    """Also of layers with a weight norm, of which no copy can be made that asks for their state."""
    model, series = nn.Sequential(Causal(6, 1), Causal(6, 2), Causal(6, 4)), torch.randn(2, 6, 40)
    told = failing(model, series)
    (fix, *_) = told.fixes
    assert (fix.verified, told.cause.layer if told.cause else "") == ("forward", "1.two")
    assert [(edit["layer"], edit["value"]) for edit in fix.edit["edits"]] == [("1.two", 2), ("2.two", 4)]
    assert "nn.Conv1d(6, 6, kernel_size=3, padding=4, dilation=2)" in fix.code and "weight norm" in fix.code
    with fix.applied(model):
        assert model(series).shape == (2, 6, 40)


class Dilated(nn.Module):
    """Its padding is that of a window without dilation."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.one = nn.Conv1d(width, width, 3, padding=1, dilation=dilation)
        self.two = nn.Conv1d(width, width, 3, padding=1, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.two(torch.relu(self.one(x)))


def test_a_padding_that_knows_nothing_of_the_dilation() -> None:
    """Each keeps the size then; one padded for both would shift what the other lost."""
    model, series = nn.Sequential(*(Dilated(6, dilation) for dilation in (1, 2, 4))), torch.randn(2, 6, 50)
    (fix, *_) = failing(model, series).fixes
    assert fix.verified == "forward"
    assert [(edit["layer"], edit["value"]) for edit in fix.edit["edits"]] == [
        ("1.one", 2),
        ("1.two", 2),
        ("2.one", 4),
        ("2.two", 4),
    ]


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(4, 3, 3, padding=rate, dilation=rate) for rate in (1, 2))
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 3, 1))
        self.project = nn.Conv2d(9, 5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = [branch(x) for branch in self.branches]
        found.append(self.whole(x))
        return self.project(torch.cat(found, dim=1))


def test_what_was_pooled_to_one_place_is_spread_where_it_is_made() -> None:
    model, image = Pyramid(), torch.randn(2, 4, 12, 10)
    (fix, *_) = failing(model, image).fixes
    assert (fix.verified, fix.code) == ("forward", "found.append(self.whole(x).expand(-1, -1, *x.shape[2:]))")
    with fix.applied(model):
        assert model(image).shape == (2, 5, 12, 10)


def test_other_points_are_no_repair_of_axes_that_are_swapped() -> None:
    class Points(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.own, self.all = nn.Conv1d(3, 6, 1), nn.Conv1d(3, 20, 1)
            self.head = nn.Conv1d(26, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.transpose(1, 2)
            whole = self.all(x).max(dim=2)[0].unsqueeze(1).expand(-1, x.shape[2], -1)
            return self.head(torch.cat([self.own(x), whole], dim=1))

    told = failing(Points(), torch.randn(4, 50, 3))
    assert not [fix for fix in told.fixes if fix.edit.get("action") == "input"]
    assert told.fixes[0].output_shape == (4, 2, 50)


def test_a_state_with_its_axes_in_another_order() -> None:
    model = nn.LSTM(5, 7, 2, batch_first=True)
    state = (torch.zeros(3, 2, 7), torch.zeros(3, 2, 7))
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        model(torch.randn(3, 9, 5), state)
    (fix, *_) = session.report.diagnoses[0].fixes
    assert fix.verified == "forward"
    assert fix.code == "state = (state[0].permute(1, 0, 2), state[1].permute(1, 0, 2))"
    exec(fix.code, {}, names := {"state": state})
    assert model(torch.randn(3, 9, 5), names["state"])[0].shape == (3, 9, 7)


class Grouped(nn.Module):
    """Keys and values of a few heads, repeated for the queries' heads: as often as there are heads of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(24, 24), nn.Linear(24, 4), nn.Linear(24, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (part(x).unflatten(-1, (-1, 2)).transpose(1, 2) for part in (self.q, self.k, self.v))
        k = k.repeat_interleave(2, dim=1)
        v = v.repeat_interleave(repeats=2, dim=1)
        return ((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(1, 2).flatten(2)


class Repeated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.static, self.head = nn.Linear(3, 5), nn.Linear(7, 1)

    def forward(self, series: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        steps = series.shape[1]
        known = self.static(known).unsqueeze(1).repeat(steps, 1, 1)
        return self.head(torch.cat([series, known], dim=-1))


def test_what_is_repeated_too_often_or_along_another_axis() -> None:
    model, x = Grouped(), torch.randn(3, 10, 24)
    (fix, *_) = failing(model, x).fixes
    assert fix.code.splitlines() == [
        "k = k.repeat_interleave(6, dim=1)  # repeats was 2",
        "v = v.repeat_interleave(repeats=6, dim=1)  # repeats was 2",
    ]
    with fix.applied(model):
        assert model(x).shape == (3, 10, 24)
    (fix, *_) = failing(Repeated(), torch.randn(4, 11, 2), torch.randn(4, 3)).fixes
    assert (fix.verified, fix.output_shape) == ("forward", (4, 11, 1))
    assert fix.code.startswith("known = self.static(known).unsqueeze(1).repeat(1, steps, 1)")


class Segments(nn.Module):
    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 10, 4, 4)
        self.tokens = nn.Parameter(torch.zeros(1, tokens, 10))
        self.head = nn.Conv2d(10, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = self.embed(x).flatten(2).transpose(1, 2)
        t = torch.cat([self.tokens.expand(len(x), -1, -1), places], dim=1)
        return self.head(t.transpose(1, 2).reshape(len(x), 10, 5, 3))


@pytest.mark.parametrize("tokens", [1, 4])
def test_tokens_in_front_of_a_map_are_taken_off(tokens: int) -> None:
    model, image = Segments(tokens), torch.randn(2, 3, 20, 12)
    told = failing(model, image)
    (fix, *_) = told.fixes
    assert fix.code == f"return self.head(t.transpose(1, 2)[:, :, {tokens}:].reshape(len(x), 10, 5, 3))"
    assert (fix.verified, fix.output_shape) == ("forward", (2, 2, 5, 3))
    assert told.cause is not None and f"{15 + tokens} = 15 + {tokens}" in told.cause.reason
    with fix.applied(model):
        assert model(image).shape == (2, 2, 5, 3)


def test_what_is_joined_along_its_channels_stays_joined_so() -> None:
    """Joined along the height the maps are as wide as the next convolution takes, and twice as high."""

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.up = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.down(x)
            return self.up(torch.cat([x, x.relu()], dim=1))

    told = failing(Decoder(), torch.randn(2, 3, 16, 16))
    assert (told.fixes[0].edit["argument"], told.fixes[0].edit["value"]) == ("in_channels", 16)
    assert not [fix for fix in told.fixes if fix.edit.get("argument") == "dim"]


def test_weights_stand_on_the_right() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(9, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.mm(self.weight, x)

    assert failing(Layer(), torch.randn(12, 9)).fixes[0].code == "return torch.mm(x, self.weight)"


def test_queries_and_keys_of_one_sequence_are_not_exchanged() -> None:
    class Scores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k = nn.Linear(8, 6), nn.Linear(8, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.q(x) @ self.k(x).transpose(1, 2)

    told = failing(Scores(), torch.randn(2, 5, 8))
    assert not [fix for fix in told.fixes if fix.edit.get("argument") == "order"]


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(functional.adaptive_avg_pool2d(self.body(x), 1).squeeze())


# Outside of the model


def test_a_squeeze_in_the_model_shows_behind_it() -> None:
    model = Pooled()
    with pytest.raises(IndexError), shapewatch.watch(model) as session:
        model(torch.randn(1, 3, 8, 8)).argmax(dim=1)
    (fix, *_) = session.report.diagnoses[0].fixes
    assert ".squeeze((-2, -1)))" in fix.code
    with fix.applied(model):
        assert model(torch.randn(1, 3, 8, 8)).shape == (1, 4)


def test_a_reduction_is_made_along_the_axis_of_the_one_beside_it() -> None:
    series = torch.randn(30, 4).cumsum(0)
    with pytest.raises(RuntimeError), shapewatch.watch() as session:
        mean, deviation = series.mean(dim=1), series.std(dim=0)
        (series - mean) / deviation
    (fix, *_) = session.report.diagnoses[0].fixes
    assert fix.code.startswith("mean, deviation = series.mean(dim=0), series.std(dim=0)")
    assert fix.verified is None


def test_no_layer_is_made_one_feature_wide() -> None:
    table = nn.Embedding(20, 6)
    with pytest.raises(RuntimeError), shapewatch.watch(table) as session:
        torch.matmul(table(torch.zeros(3, 5).long()), torch.ones(3, 1, 6))
    assert not [fix for fix in session.report.diagnoses[0].fixes if fix.edit.get("argument") == "embedding_dim"]


def test_an_axis_that_the_line_takes_off_already() -> None:
    model, samples, target = nn.Linear(4, 3), torch.randn(6, 4), torch.zeros(6).long()
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        chosen = model(samples).gather(1, target).squeeze(1)
        chosen.sum()
    (fix,) = session.report.diagnoses[0].fixes
    assert fix.code == "chosen = model(samples).gather(1, target[:, None]).squeeze(1)"
    assert (fix.edit["action"], fix.edit["module"]["type"]) == ("insert", "unsqueeze")


def told_of(*inputs: Any) -> shapewatch.Diagnosis:
    model, samples, target = inputs
    with pytest.raises((RuntimeError, ValueError)), shapewatch.watch(model) as session:
        chosen = model(samples).gather(1, target)
        chosen.sum()
    return session.report.diagnoses[0]


def test_one_value_of_each_row_is_chosen_by_a_column() -> None:
    told = told_of(nn.Linear(4, 3), torch.randn(6, 4), torch.zeros(6).long())
    (fix,) = told.fixes
    assert fix.code == "chosen = model(samples).gather(1, target[:, None]).squeeze(1)"
    assert (fix.verified, fix.why_not) == (None, "gather is no part of the model")
    assert told.cause is not None and (told.cause.layer, told.cause.type) == (None, "gather")


def test_an_output_with_axes_of_one_is_laid_out_as_its_labels() -> None:
    model = nn.Sequential(nn.Conv2d(3, 1, 8), nn.Sigmoid())
    with pytest.raises(ValueError, match="size"), shapewatch.watch(model) as session:
        output, labels = model(torch.randn(5, 3, 8, 8)), torch.ones(5)
        functional.binary_cross_entropy(output, labels)
    (fix, *_) = session.report.diagnoses[0].fixes
    assert fix.code == "output = output.reshape(labels.shape)"
