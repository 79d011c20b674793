"""Slips in how axes are laid out, in PyTorch: what fits with an axis new, moved or repeated, and what by chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import shapewatch
from shapewatch.adapters import Trial
from shapewatch.flow.junctions import Graph
from shapewatch.repair.chance import meet_by_chance
from shapewatch.report import Diagnosis
from shapewatch.rules import Case


class Model(nn.Module):
    """Layers by name, and a forward."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self._forward = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor, *more: torch.Tensor) -> Any:
        return self._forward(self, x, *more)


def watched(run: Callable[[], Any]) -> tuple[Diagnosis, ...]:
    """What is said of a function, whether it raises or not."""
    session = shapewatch.watch()
    try:
        with session:
            run()
    except (RuntimeError, IndexError, ValueError):
        pass
    return session.report.diagnoses


def first_fix(run: Callable[[], Any]) -> Any:
    return watched(run)[0].fixes[0]


# Axes of size 1


def masked(scores_mask: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], mask: tuple[int, ...]) -> Any:
    def forward(self: Any, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        n, steps, width = x.shape
        q, k, v = self.qkv(x).view(n, steps, 3, 3, width // 3).permute(2, 0, 3, 1, 4)
        scores = scores_mask(q @ k.transpose(-2, -1), mask)
        return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, steps, width)

    return lambda: Model(forward, qkv=nn.Linear(18, 54))(torch.ones(5, 7, 18), torch.ones(mask))


def test_a_mask_of_keys_is_laid_along_the_last_axis_of_the_scores() -> None:
    def fill(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return scores.masked_fill(mask == 0, -math.inf)

    fix = first_fix(masked(fill, (5, 7)))
    assert fix.verified == "forward"
    assert fix.code == "return scores.masked_fill(mask[:, None, None, :] == 0, -math.inf)"


def test_an_axis_beside_those_that_are_new_already() -> None:
    def fill(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return scores.masked_fill(mask[:, None].bool(), 0.0)

    assert "mask[:, None].bool()[:, :, None, :]" in first_fix(masked(fill, (5, 7))).code


def test_axes_are_added_to_an_index_that_adds_some() -> None:
    def forward(self: Any, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        h = self.conv(x)
        return h + self.time(t)[:, :, None]

    model = Model(forward, conv=nn.Conv2d(3, 20, 1), time=nn.Linear(6, 20))
    fix = first_fix(lambda: model(torch.ones(4, 3, 9, 9), torch.ones(4, 6)))
    assert fix.code == "return h + self.time(t)[:, :, None, None]"


def test_what_a_model_keeps_has_no_batch() -> None:
    class Rotated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("cos", torch.ones(50, 6))
            self.register_buffer("sin", torch.ones(50, 6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            steps = x.shape[1]
            return x * self.cos[:steps] + x.flip(-1) * self.sin[:steps]

    # made inside the block, as a program that is watched whole makes its model
    fix = first_fix(lambda: Rotated()(torch.ones(2, 11, 4, 6)))
    assert fix.code == "return x * self.cos[:steps][:, None, :] + x.flip(-1) * self.sin[:steps][:, None, :]"
    assert fix.verified == "forward"


def test_a_table_cut_to_the_batch_gets_no_axis_and_the_input_keeps_its_length() -> None:
    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.ones(40, 6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.table[: x.size(0)]

    (diagnosis,) = watched(lambda: Positions()(torch.ones(3, 11, 6)))
    assert all(fix.edit["action"] != "input" and fix.edit["action"] != "insert" for fix in diagnosis.fixes)


# Axes that have changed places


def test_a_state_meets_the_outputs_of_all_steps() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        outputs, state = self.rnn(x)
        return self.query(state) + outputs

    model = Model(forward, rnn=nn.GRU(4, 6, batch_first=True), query=nn.Linear(6, 6))
    fix = first_fix(lambda: model(torch.ones(5, 8, 4)))
    assert fix.code == "return self.query(state).transpose(0, 1) + outputs"


def test_a_state_beside_outputs_of_as_many_steps_as_samples_is_warned_of() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        outputs, state = self.rnn(x)
        return self.query(state) + outputs

    model = Model(forward, rnn=nn.GRU(4, 6, batch_first=True), query=nn.Linear(6, 6))
    assert [d.code for d in watched(lambda: model(torch.ones(7, 7, 4)))] == ["SW791"]


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        (nn.Conv1d(12, 5, 3), "return self.layer(self.table(x).transpose(1, 2))"),
        (nn.BatchNorm1d(12), "return self.layer(self.table(x).transpose(1, 2))"),
    ],
    ids=["conv", "norm"],
)
def test_the_axis_that_a_layer_has_weights_for_is_brought_there(layer: nn.Module, code: str) -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return self.layer(self.table(x))

    model = Model(forward, table=nn.Embedding(30, 12), layer=layer)
    (diagnosis,) = watched(lambda: model(torch.zeros(4, 21, dtype=torch.long)))
    assert [fix.code for fix in diagnosis.fixes] == [code]


def test_maps_for_a_recurrent_layer() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return self.rnn(self.conv(x))[0]

    model = Model(forward, conv=nn.Conv1d(1, 10, 3), rnn=nn.LSTM(10, 6, batch_first=True))
    fix = first_fix(lambda: model(torch.ones(3, 1, 50)))
    assert fix.code == "return self.rnn(self.conv(x).transpose(1, 2))[0]"


def test_a_layer_that_a_line_calls_as_a_row_of_layers() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x + self.mix(self.norm(x))

    model = Model(forward, norm=nn.LayerNorm(12), mix=nn.Sequential(nn.Linear(9, 20), nn.Linear(20, 9)))
    first, second = watched(lambda: model(torch.ones(2, 9, 12)))
    assert first.fixes[0].code == "return x + self.mix(self.norm(x).transpose(1, 2))"
    assert second.fixes[0].code == "return x + self.mix(self.norm(x)).transpose(1, 2)"


def test_a_factor_is_transposed_and_no_width_made_as_large_as_the_batch() -> None:
    def forward(self: Any, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        u, i = self.users(users), self.items(items)
        return u @ i

    model = Model(forward, users=nn.Linear(5, 14), items=nn.Linear(6, 14))
    (diagnosis,) = watched(lambda: model(torch.ones(8, 5), torch.ones(8, 6)))
    assert [fix.code for fix in diagnosis.fixes] == ["return u @ i.T"]


def test_a_transposition_too_many_is_taken_off() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        values = self.values(x).flatten(2)
        scores = values.transpose(1, 2) @ values
        return values.transpose(1, 2) @ scores.softmax(-1)

    fix = first_fix(lambda: Model(forward, values=nn.Conv2d(3, 10, 1))(torch.ones(2, 3, 6, 6)))
    assert fix.code == "return values @ scores.softmax(-1)"


def test_positions_whose_channels_come_last() -> None:
    class Grid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 10, 1)
            self.grid = nn.Parameter(torch.zeros(7, 7, 10))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x) + self.grid

    assert first_fix(lambda: Grid()(torch.ones(2, 3, 7, 7))).code == "return self.conv(x) + self.grid.permute(2, 0, 1)"


# One for all places


def test_a_feature_of_the_whole_beside_those_of_its_points() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        points = self.points(x)
        whole = points.amax(2)
        return torch.cat([points, whole], dim=1)

    fix = first_fix(lambda: Model(forward, points=nn.Conv1d(3, 8, 1))(torch.ones(2, 3, 30)))
    assert fix.code == "return torch.cat([points, whole[:, :, None].expand(-1, -1, points.size(2))], dim=1)"


def test_a_token_that_is_one_for_all_samples() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.zeros(1, 1, 10))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([self.token, x], dim=1)

    fix = first_fix(lambda: Tokens()(torch.ones(6, 4, 10)))
    assert fix.code == "return torch.cat([self.token.expand(x.size(0), -1, -1), x], dim=1)"


def test_rows_are_chosen_whole() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        experts = self.experts(x).view(-1, 3, 10)
        best = self.gate(x).topk(2).indices
        return experts.gather(1, best)

    model = Model(forward, experts=nn.Linear(6, 30), gate=nn.Linear(6, 3))
    fix = first_fix(lambda: model(torch.ones(5, 6)))
    assert fix.code == "return experts.gather(1, best[:, :, None].expand(-1, -1, experts.size(2)))"


# What fits by a size alone


def test_an_input_is_not_asked_to_be_as_long_as_its_batch_or_its_mask_as_the_heads() -> None:
    def forward(self: Any, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        n, steps, width = x.shape
        q = self.q(x).view(n, steps, 2, width // 2)
        return (q @ q.transpose(-2, -1)).masked_fill(mask, 0.0)

    (diagnosis,) = watched(lambda: Model(forward, q=nn.Linear(8, 8))(torch.ones(3, 7, 8), torch.ones(7, 7).bool()))
    assert [fix.code for fix in diagnosis.fixes] == ["q = self.q(x).view(n, steps, 2, width // 2).transpose(1, 2)"]


def test_a_graph_keeps_its_nodes() -> None:
    def forward(self: Any, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        return edges @ self.wide(x)

    model = Model(forward, wide=nn.Linear(5, 6))
    (diagnosis,) = watched(lambda: model(torch.ones(2, 9, 5), torch.ones(2, 13, 13)))
    assert [fix.edit["index"] for fix in diagnosis.fixes] == [0]


def test_an_edge_index_has_no_samples() -> None:
    def forward(self: Any, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        source, target = edges
        return torch.zeros_like(x).index_add_(0, target, self.wide(x)[source])

    model = Model(forward, wide=nn.Linear(5, 6))
    (diagnosis,) = watched(lambda: model(torch.ones(9, 5), torch.zeros(2, 30, dtype=torch.long)))
    assert diagnosis.code == "SW404" and "axis 1 is 6 against 5" in diagnosis.headline
    assert not any(fix.edit["action"] == "input" for fix in diagnosis.fixes)


def test_maps_that_were_halved_with_rounding_meet_an_interpolation() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        low = self.low(x)
        return x + nn.functional.interpolate(low, scale_factor=2)

    model = Model(forward, low=nn.Conv2d(3, 3, 3, stride=2, padding=1))
    (diagnosis,) = watched(lambda: model(torch.ones(2, 3, 27, 27)))
    assert "return x + nn.functional.interpolate(low, size=x.shape[-2:])" in [
        fix.code.partition("  #")[0] for fix in diagnosis.fixes
    ]


@pytest.mark.parametrize(("given", "meant"), [(4, "2"), ((4, 4), "(2, 2)"), (0.5, "2.0")])
def test_maps_resized_by_another_factor_are_given_the_factor(given: Any, meant: str) -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        low = self.low(x)
        return x + nn.functional.interpolate(low, scale_factor = given)  # fmt: skip

    model = Model(forward, low=nn.Conv2d(3, 3, 3, stride=2, padding=1))
    (diagnosis,) = watched(lambda: model(torch.ones(2, 3, 28, 28)))
    code = diagnosis.fixes[0].code.partition("  #")[0]
    assert code == f"return x + nn.functional.interpolate(low, scale_factor = {meant})"
    assert diagnosis.fixes[0].verified and "rounding" not in diagnosis.cause.reason


# What is one thing


def test_a_line_of_a_class_is_one_fault_however_many_layers_run_it() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.time = nn.Conv2d(6, 6, 1), nn.Linear(4, 6)

        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return self.conv(x) + self.time(t)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Block(), Block(), Block()])

        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            for block in self.blocks:
                x = block(x, t)
            return x

    model, x, t = Net(), torch.ones(2, 6, 5, 5), torch.ones(2, 4)
    (diagnosis,) = watched(lambda: model(x, t))
    (fix,) = diagnosis.fixes
    assert fix.verified == "forward"
    assert fix.code == "return self.conv(x) + self.time(t)[:, :, None, None]"
    assert "The same line fails in blocks.1 and blocks.2" in diagnosis.explanation
    with fix.applied(model):
        assert model(x, t).shape == x.shape


def test_the_shortest_row_of_repairs_is_told() -> None:
    """Two lines with one slip each, and not an input that changes what both of them mean."""

    def forward(self: Any, x: torch.Tensor, *cache: torch.Tensor) -> Any:
        q, k, v = self.qkv(x).view(2, -1, 3, 3, 4).permute(2, 0, 3, 1, 4)
        if cache:
            k = torch.cat([cache[0], k], dim=1)
            v = torch.cat([cache[1], v], dim=1)
        return (q @ k.transpose(-2, -1)).softmax(-1) @ v, k, v

    model = Model(forward, qkv=nn.Linear(12, 36))

    def two_steps() -> None:
        _, k, v = model(torch.ones(2, 6, 12))
        model(torch.ones(2, 1, 12), k, v)

    codes = [diagnosis.fixes[0].code.partition("  #")[0] for diagnosis in watched(two_steps)]
    assert codes == ["k = torch.cat([cache[0], k], dim=2)", "v = torch.cat([cache[1], v], dim=2)"]


def test_a_place_outside_every_layer_is_not_the_one_of_its_name_inside() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(9, 4)
        return self.wide(x) * noise

    (diagnosis,) = watched(lambda: Model(forward, wide=nn.Linear(3, 4))(torch.randn(6, 3)))
    assert diagnosis.cause is not None and diagnosis.cause.location is not None
    assert diagnosis.cause.location.source == "noise = torch.randn(9, 4)"
    assert diagnosis.fixes[0].code.startswith("noise = torch.randn(6, 4)")


def test_a_state_of_so_many_samples_as_axis_0_has() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        state = torch.zeros(1, x.size(0), 6)
        return self.rnn(x, state)[0]

    fix = first_fix(lambda: Model(forward, rnn=nn.GRU(4, 6))(torch.ones(5, 9, 4)))
    assert (fix.edit["argument"], fix.edit["value"]) == ("batch_first", True)


def test_samples_of_one_channel_without_an_axis_for_it() -> None:
    model = nn.Sequential(nn.Conv1d(1, 6, 5), nn.BatchNorm1d(6))
    fix = first_fix(lambda: model(torch.ones(7, 60)))
    assert fix.edit["shape"] == (7, 1, 60)


def test_a_vector_for_maps_of_one_place() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(12, 6, 4), nn.BatchNorm2d(6))
    fix = first_fix(lambda: model(torch.ones(7, 12)))
    assert fix.edit["shape"] == (7, 12, 1, 1)


def test_half_of_a_gated_unit() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x + nn.functional.glu(self.conv(x), dim=1)

    fix = first_fix(lambda: Model(forward, conv=nn.Conv1d(6, 6, 1))(torch.ones(2, 6, 9)))
    assert (fix.edit["argument"], fix.edit["value"]) == ("out_channels", 12)


def test_an_operand_of_an_equation_in_another_order() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        n, steps, _ = x.shape
        q = self.q(x).view(n, steps, 3, -1).transpose(1, 2)
        k = self.k(x).view(n, steps, 3, -1)
        return torch.einsum("bhqd,bhkd->bhqk", q, k)

    fix = first_fix(lambda: Model(forward, q=nn.Linear(12, 12), k=nn.Linear(12, 12))(torch.ones(2, 7, 12)))
    assert fix.code.startswith('return torch.einsum("bhqd,bkhd->bhqk", q, k)')


def test_keys_of_one_sequence_and_values_of_another() -> None:
    def forward(self: Any, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        weights = (self.q(x) @ self.k(x).transpose(1, 2)).softmax(-1)
        return weights @ self.v(memory)

    model = Model(forward, q=nn.Linear(6, 6), k=nn.Linear(6, 6), v=nn.Linear(6, 6))
    (diagnosis,) = watched(lambda: model(torch.ones(2, 5, 6), torch.ones(2, 8, 6)))
    assert "weights over 5 keys for 8 values" in diagnosis.explanation
    assert diagnosis.cause is None and not diagnosis.fixes


@pytest.mark.parametrize(("stride", "scale", "by_chance"), [(16, (2, 8), True), (1, (2, 8, 1, 1), False)])
def test_operands_that_are_both_repeated_meet_by_chance(stride: int, scale: tuple[int, ...], by_chance: bool) -> None:
    """[2, 8, 1, 1] times [2, 8] is an outer product, where one gate for each channel was meant."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, stride=stride, padding=1)

        def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return self.conv(x) * scale

    with shapewatch.watch() as session:
        output = Gated()(torch.zeros(2, 3, 16, 16), torch.zeros(scale))
    recording = session.report.recording
    (call,) = (call for call in recording.calls if call.name == "mul")
    assert meet_by_chance((), Trial(recording, tuple(output.shape)), Case(Graph(recording), call)) is by_chance


def test_a_gate_is_not_shrunk_to_one_place() -> None:
    def forward(model: Model, x: torch.Tensor) -> torch.Tensor:
        return model.conv(x) * torch.sigmoid(x)

    (diagnosis,) = watched(
        lambda: Model(forward, conv=nn.Conv2d(6, 12, 3, stride=2, padding=1))(torch.ones(2, 6, 24, 24))
    )
    assert diagnosis.fixes and all(fix.verified == "forward" for fix in diagnosis.fixes)
    assert not [edit for fix in diagnosis.fixes for edit in fix.changes if getattr(edit, "value", None) in (1, 12, 24)]


def test_a_pooling_may_leave_one_place_for_a_gate() -> None:
    def forward(model: Model, x: torch.Tensor) -> torch.Tensor:
        return x * model.gate(model.pool(x)).sigmoid()

    model = Model(forward, pool=nn.AdaptiveAvgPool2d(5), gate=nn.Conv2d(6, 6, 1))
    (diagnosis,) = watched(lambda: model(torch.ones(2, 6, 24, 24)))
    assert "output_size 1 instead of 5" in " ".join(fix.title for fix in diagnosis.fixes)
