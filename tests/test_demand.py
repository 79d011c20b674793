"""Candidates keep their promise: put into the model, each gives the size that was asked for, where it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import shapewatch
from shapewatch.adapters.torch import ADAPTER
from shapewatch.axes import Range
from shapewatch.demand import Change, Demand, Want, walk
from shapewatch.edits import Input, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Recording, Value
from shapewatch.testing import Tape

properties = settings(deadline=None, derandomize=True, max_examples=120)


def recorded(model: nn.Module, x: Tensor) -> Recording:
    with shapewatch.watch(model) as session:
        model(x)
    return session.report.recording


def proposals(recording: Recording, demand: Demand) -> list[Change]:
    """What `walk` proposes for the output of a recording to meet a demand."""
    return list(walk(Graph(recording), Want(recording.outputs[0], demand)))


def shape_with(model: nn.Module, x: Tensor, change: Change) -> tuple[int, ...]:
    """The shape that a model gives with a change in place; a change that raises breaks its promise."""
    for edit in change.edits:
        if isinstance(edit, Input):
            x = x.new_empty([size or 1 for size in edit.shape])
    try:
        with ADAPTER.applied(model, change.edits):
            return tuple(model(x).shape)
    except (RuntimeError, ValueError) as error:
        raise AssertionError(f"{change.edits}: {error}") from error


def assert_promises_kept(model: nn.Module, x: Tensor, demand: Demand) -> int:
    """Every proposal, put into the model, meets the demand. Gives how many there were."""
    recording = recorded(model, x)
    changes = proposals(recording, demand)
    for change in changes:
        given = shape_with(model, x, change)
        kept = all(given[axis] in wanted for axis, wanted in demand.items())
        assert kept, f"{change.edits} gives {given}, not {demand}"
    assert tuple(model(x).shape) == recording.shape(recording.outputs[0])
    return len(changes)


# Chains drawn at random


class Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + x


class Dense(Residual):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.inner(x)], 1)


def windows(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a window, one number for both spatial axes or one for each."""
    kernel = draw(st.integers(1, 5))
    if draw(st.booleans()):
        return {"kernel_size": (kernel, draw(st.integers(1, 4))), "stride": (1, draw(st.integers(1, 3)))}
    return {"kernel_size": kernel, "stride": draw(st.integers(1, 3)), "padding": draw(st.integers(0, kernel // 2))}


KINDS = "conv conv conv dilated depthwise transposed pool ceil average norm relu upsample pad residual dense".split()


@st.composite
def layers(draw: st.DrawFn, channels: int) -> tuple[nn.Module, int]:
    """A layer on the meta device for so many channels, and how many it gives."""
    wanted = draw(st.sampled_from([2, 4, 6]))
    match draw(st.sampled_from(KINDS)):
        case "conv":
            return nn.Conv2d(channels, wanted, **windows(draw)), wanted
        case "dilated":
            return nn.Conv2d(channels, wanted, 3, draw(st.integers(1, 2)), 2, dilation=2), wanted
        case "depthwise":
            return nn.Conv2d(channels, channels, 3, draw(st.integers(1, 2)), 1, groups=channels), channels
        case "transposed":
            stride = draw(st.integers(1, 3))
            extra = draw(st.integers(0, stride - 1))
            kernel = draw(st.integers(1, 4))
            return nn.ConvTranspose2d(channels, wanted, kernel, stride, kernel // 2, extra), wanted
        case "pool":
            return nn.MaxPool2d(**windows(draw)), channels
        case "ceil":
            return nn.MaxPool2d(**windows(draw), ceil_mode=True), channels
        case "average":
            return nn.AvgPool2d(**windows(draw)), channels
        case "norm":
            return nn.BatchNorm2d(channels), channels
        case "upsample":
            return nn.Upsample(scale_factor=draw(st.sampled_from([2, 3, 1.5]))), channels
        case "pad":
            return nn.ZeroPad2d(draw(st.sampled_from([1, (0, 1, 2, 0), (0, -1, 0, -1)]))), channels
        case "residual":
            return Residual(nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1), nn.ReLU())), channels
        case "dense":
            return Dense(nn.Conv2d(channels, wanted, 3, 1, 1)), channels + wanted
    return nn.ReLU(), channels


@st.composite
def chains(draw: st.DrawFn) -> tuple[nn.Sequential, Tensor]:
    """A chain of up to four layers that runs, and an input for it."""
    channels = draw(st.sampled_from([2, 4]))
    x = torch.empty((1, channels, draw(st.integers(3, 33)), draw(st.integers(3, 33))), device="meta")
    chain = nn.Sequential()
    with torch.device("meta"):
        for _ in range(draw(st.integers(1, 4))):
            layer, channels = draw(layers(channels))
            chain.append(layer)
    try:
        chain(x)
    except (RuntimeError, ValueError):
        assume(False)
    return chain.eval(), x


@properties
@given(chains(), st.sampled_from([(2,), (3,), (2, 3)]), st.data())
def test_spatial_demands_on_random_chains(chain: tuple[nn.Sequential, Tensor], axes: Any, data: st.DataObject) -> None:
    model, x = chain
    out = model(x).shape
    demand = {axis: Range.only(data.draw(st.integers(1, 2 * out[axis] + 1))) for axis in axes}
    assume(any(out[axis] not in wanted for axis, wanted in demand.items()))
    assert_promises_kept(model, x, demand)


@properties
@given(chains(), st.sampled_from([2, 3]), st.data())
def test_demands_for_a_range_of_sizes(chain: tuple[nn.Sequential, Tensor], axis: int, data: st.DataObject) -> None:
    """As a window that is longer than its input asks: at least so long."""
    model, x = chain
    out = model(x).shape[axis]
    low = data.draw(st.integers(out + 1, 2 * out + 2))
    assert_promises_kept(model, x, {axis: Range(low, data.draw(st.sampled_from([low + 3, 1 << 30])))})


@properties
@given(chains(), st.integers(1, 12))
def test_demands_for_channels_on_random_chains(chain: tuple[nn.Sequential, Tensor], wanted: int) -> None:
    """Layers that follow a width are changed with it. A branch that would have to follow is left to the dry run, and so
    are the layers after an input of another width."""
    model, x = chain
    assume(model(x).shape[1] != wanted and not any(isinstance(layer, Residual) for layer in model))
    for change in proposals(recorded(model, x), {1: Range.only(wanted)}):
        if not any(isinstance(edit, Input) for edit in change.edits):
            assert shape_with(model, x, change)[1] == wanted, change.edits


# Where proposals have to be found


def chain_of(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers).to("meta").eval()


def meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def settings_of(model: nn.Module, x: Tensor, demand: Demand) -> set[tuple[str, str, Any]]:
    """(layer, argument, value) of every single setting that is proposed."""
    found = [change.edits[0] for change in proposals(recorded(model, x), demand) if len(change.edits) == 1]
    return {(edit.layer, edit.argument, edit.value) for edit in found if isinstance(edit, Set)}


def square(size: int) -> Demand:
    return {2: Range.only(size), 3: Range.only(size)}


def test_a_lost_stride_is_proposed_at_each_convolution() -> None:
    model = chain_of(nn.Conv2d(3, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, 1, 1))
    found = settings_of(model, meta(1, 3, 32, 32), square(16))
    assert {("0", "stride", (2, 2)), ("2", "stride", (2, 2))} <= found


def test_a_lost_padding_is_proposed() -> None:
    model = chain_of(nn.Conv2d(3, 4, 3, 1, 0))
    assert ("0", "padding", (1, 1)) in settings_of(model, meta(1, 3, 32, 32), square(32))
    assert ("0", "kernel_size", (1, 1)) in settings_of(model, meta(1, 3, 32, 32), square(32))


def test_no_padding_beyond_what_the_window_reaches_over() -> None:
    """Places that see nothing but padding hold the bias alone."""

    def paddings(kernel: int) -> set[tuple[int, ...]]:
        found = settings_of(chain_of(nn.Conv2d(3, 4, kernel, padding=kernel // 2)), meta(1, 3, 24, 24), square(26))
        return {value for _, argument, value in found if argument == "padding"}

    assert paddings(1) == set()
    assert paddings(3) == {(2, 2)}


def test_settings_on_one_axis_leave_the_other_alone() -> None:
    model = chain_of(nn.Conv2d(3, 4, 3, 1, 1))
    assert ("0", "stride", (2, 1)) in settings_of(model, meta(1, 3, 32, 32), {2: Range.only(16)})


def test_a_transposed_convolution_and_its_output_padding() -> None:
    model = chain_of(nn.ConvTranspose2d(3, 4, 3, 2, 1))
    found = settings_of(model, meta(1, 3, 8, 8), square(16))
    assert {("0", "output_padding", (1, 1)), ("0", "kernel_size", (4, 4))} <= found


def test_an_input_that_halves_evenly_is_proposed() -> None:
    model = chain_of(nn.MaxPool2d(2), nn.Upsample(scale_factor=2))
    changes = proposals(recorded(model, meta(1, 3, 33, 33)), square(34))
    assert (34, 34) in [e.shape[2:] for change in changes for e in change.edits if isinstance(e, Input)]


def test_a_norm_follows_the_width_of_its_convolution() -> None:
    model = chain_of(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    (change,) = proposals(recorded(model, meta(1, 3, 8, 8)), {1: Range.only(8)})
    assert {(e.layer, e.argument, e.value) for e in change.edits if isinstance(e, Set)} == {
        ("0", "out_channels", 8),
        ("1", "num_features", 8),
    }


@pytest.mark.parametrize(
    ("model", "shape", "demand"),
    [
        (nn.Linear(6, 5), (2, 6), {1: Range.only(7)}),
        (nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5)), (2, 3, 6), {2: Range.only(8)}),
        (nn.Sequential(nn.Conv1d(4, 4, 3, 2), nn.Flatten()), (2, 4, 9), {1: Range.only(24)}),
        (nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Flatten()), (2, 3, 9, 9), {1: Range.only(36)}),
        (nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()), (2, 3, 9, 9), {1: Range.only(27)}),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.PixelShuffle(2)), (2, 3, 4, 4), {1: Range.only(3)}),
        (nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.PixelShuffle(2)), (2, 3, 9, 9), square(12)),
        (nn.Sequential(nn.Conv2d(3, 6, 1), nn.PReLU(6)), (2, 3, 4, 4), {1: Range.only(4)}),
        (nn.Sequential(nn.Conv3d(2, 2, 3), nn.MaxPool3d(2)), (1, 2, 9, 9, 9), {4: Range.only(2)}),
    ],
    ids=lambda thing: str(thing).replace("\n", "")[:60] if isinstance(thing, nn.Module) else None,
)
def test_layers_one_by_one(model: nn.Module, shape: tuple[int, ...], demand: Demand) -> None:
    assert assert_promises_kept(model.to("meta").eval(), meta(*shape), demand) > 0


@pytest.mark.parametrize(
    ("model", "shape", "demand"),
    [
        (nn.Conv2d(2, 2, 2, 1, 1), (1, 2, 3, 3), {2: Range.only(1)}),
        (nn.Sequential(nn.Conv2d(2, 2, (2, 1)), nn.ZeroPad2d(1)), (1, 2, 3, 3), {2: Range.only(2)}),
        (nn.AvgPool2d(2, 1), (1, 2, 3, 3), {2: Range.only(1)}),
        (nn.Sequential(nn.MaxPool2d((1, 2), 1, ceil_mode=True), nn.ZeroPad2d(1)), (1, 2, 3, 3), {3: Range.only(1)}),
        (nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, groups=4)), (1, 4, 5, 5), {1: Range.only(6)}),
    ],
    ids=["no input", "padding alone", "average", "ceil", "depthwise"],
)
def test_what_the_random_chains_have_found(model: nn.Module, shape: tuple[int, ...], demand: Demand) -> None:
    """Small cases in which a promise was once broken."""
    assert_promises_kept(model.to("meta").eval(), meta(*shape), demand)


class Forward(nn.Module):
    def __init__(self, forward: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.said = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.said(self.layer, x)


@pytest.mark.parametrize(
    ("forward", "demand"),
    [
        (lambda layer, x: layer(x).transpose(1, 2), {1: Range.only(6)}),
        (lambda layer, x: layer(x).permute(2, 0, 1), {0: Range.only(6)}),
        (lambda layer, x: layer(x).chunk(2, dim=-1)[0], {2: Range.only(6)}),
        (lambda layer, x: layer(x)[..., :-2], {2: Range.only(4)}),
        (lambda layer, x: layer(x).mean(1), {1: Range.only(4)}),
        (lambda layer, x: layer(x).unsqueeze(1), {3: Range.only(4)}),
        (lambda layer, x: torch.cat([layer(x), x], -1), {2: Range.only(12)}),
        (lambda layer, x: layer(x) @ x.transpose(1, 2), {1: Range.only(4)}),
        (lambda layer, x: torch.einsum("btc,bsc->bts", layer(x), x), {1: Range.only(4)}),
        (lambda layer, x: torch.relu(layer(x) * 2), {2: Range.only(4)}),
        (lambda layer, x: layer(x).view(2, 3, 2, -1), {3: Range.only(3)}),
        (lambda layer, x: layer(x).view(2, 3, -1, 4).transpose(1, 2), {1: Range.only(3)}),
        (lambda layer, x: layer(x).flatten(1), {1: Range.only(12)}),
    ],
    ids="transpose permute chunk slice mean unsqueeze concat matmul einsum times view heads flatten".split(),
)
def test_operations_one_by_one(forward: Callable[[nn.Module, Tensor], Tensor], demand: Demand) -> None:
    """A demand goes through an operation: to the layer before it, or to the input."""
    model = Forward(forward).to("meta").eval()
    changes = proposals(recorded(model, meta(2, 3, 8)), demand)
    assert changes
    for change in changes:
        if not any(isinstance(edit, Input) for edit in change.edits):
            given = shape_with(model, meta(2, 3, 8), change)
            assert all(given[axis] in wanted for axis, wanted in demand.items())


# By hand: where the walk stops rather than guesses


def edits_on(tape: Tape, value: Value, demand: Demand) -> Iterator[Any]:
    graph = Graph(tape.recording(value))
    return (edit for change in walk(graph, Want(value.number, demand)) for edit in change.edits)


def test_the_walk_stops_where_the_arithmetic_is_not_what_was_recorded() -> None:
    tape = Tape()
    x = tape.input(1, 4, 32, 32)
    honest = tape.layer("a", "conv", x, shape=(1, 4, 32, 32), kernel_size=3, stride=1, padding=1, rank=2)
    assert any(isinstance(edit, Set) for edit in edits_on(tape, honest, square(16)))
    odd = tape.layer("b", "conv", x, shape=(1, 4, 31, 31), kernel_size=3, stride=1, padding=1, rank=2)
    assert list(edits_on(tape, odd, square(16))) == []


def test_the_walk_stops_at_what_it_does_not_know() -> None:
    tape = Tape()
    x = tape.input(1, 4, 32, 32)
    y = tape.op("mystery", x, shape=(1, 4, 7, 7))
    assert list(edits_on(tape, y, square(16))) == []


def test_a_function_is_changed_at_its_place() -> None:
    tape = Tape()
    x = tape.input(1, 4, 32, 32)
    y = tape.op("max_pool2d", x, kind="pool", shape=(1, 4, 16, 16), kernel_size=2, stride=2)
    found = [edit for edit in edits_on(tape, y, square(8)) if isinstance(edit, SetCall)]
    assert (":max_pool2d:0", "stride", (4, 4)) in [(edit.place, edit.argument, edit.value) for edit in found]
