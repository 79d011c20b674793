"""Candidates for models as Keras builds them keep their promise, by Keras's own word on what each layer gives.

Chains of layers are drawn at random and written down by hand as neutral facts; what a change of these facts would give
is asked of Keras's `compute_output_shape`, so neither adapter nor tensors are needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapewatch.axes import Range
from shapewatch.demand import Change, Demand, Want, walk
from shapewatch.edits import Input, Set
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Recording, Shape
from shapewatch.testing import Tape

keras = pytest.importorskip("keras")

properties = settings(deadline=None, derandomize=True, max_examples=150)

LAST = {"rank": 2, "channels_last": True}


@dataclass(frozen=True)
class Spec:
    """A layer as neutral facts; `facts` are what a recording has, `wide` are those that follow the input."""

    kind: str
    facts: Mapping[str, Any]
    depthwise: bool = False

    def given(self, shape: Shape) -> Mapping[str, Any]:
        """The facts once it is built on a shape."""
        channels = shape[-1] or 0
        match self.kind:
            case "conv" if self.depthwise:
                each = self.facts["depth_multiplier"]
                return {**self.facts, "in_channels": channels, "groups": channels, "out_channels": each * channels}
            case "conv" | "conv_transpose":
                return {**self.facts, "in_channels": channels}
            case "norm":
                return {**self.facts, "num_features": channels}
        return self.facts

    def gives(self, shape: Shape) -> Shape:
        """What Keras says that the layer gives.

        Raises:
            ValueError: it gives nothing of that shape.
        """
        facts, window = self.facts, {}
        if self.kind in ("conv", "conv_transpose", "pool"):
            window = {"strides": facts["stride"], "padding": facts["padding"]}
        match self.kind:
            case "conv" if self.depthwise:
                layer = keras.layers.DepthwiseConv2D(
                    facts["kernel_size"], depth_multiplier=facts["depth_multiplier"], **window
                )
            case "conv":
                layer = keras.layers.Conv2D(
                    facts["out_channels"], facts["kernel_size"], dilation_rate=facts["dilation"], **window
                )
            case "conv_transpose":
                layer = keras.layers.Conv2DTranspose(
                    facts["out_channels"], facts["kernel_size"], output_padding=facts["output_padding"], **window
                )
            case "pool":
                layer = keras.layers.MaxPooling2D(facts["kernel_size"], **window)
            case "resize":
                layer = keras.layers.UpSampling2D(facts["scale_factor"])
            case "pad":
                _, _, left, right, top, bottom = facts["pad"]
                layer = keras.layers.ZeroPadding2D(((top, bottom), (left, right)))
            case _:
                return shape
        return tuple(layer.compute_output_shape(shape))


def conv(out: int, **facts: Any) -> Spec:
    usual = {"kernel_size": (3, 3), "stride": (1, 1), "padding": "same", "dilation": (1, 1), "groups": 1}
    return Spec("conv", {**usual, **LAST, "lazy": True, "out_channels": out, **facts})


def depthwise(each: int = 1, **facts: Any) -> Spec:
    return Spec("conv", {**conv(0, **facts).facts, "depth_multiplier": each}, depthwise=True)


def transposed(out: int, **facts: Any) -> Spec:
    return Spec("conv_transpose", {**conv(out).facts, "output_padding": None, "stride": (2, 2), **facts})


def pool(**facts: Any) -> Spec:
    return Spec("pool", {"kernel_size": (2, 2), "stride": (2, 2), "padding": "valid", **LAST, "lazy": True, **facts})


NORM = Spec("norm", {"style": "batch", "axis": 3, "lazy": True})


def pad(*amounts: int) -> Spec:
    return Spec("pad", {"pad": (0, 0, *amounts), **LAST})


def upsampling(factor: tuple[int, int]) -> Spec:
    return Spec("resize", {"scale_factor": factor, "mode": "nearest", "channels_last": True, "lazy": True})


def recorded(chain: Sequence[Spec], shape: Shape) -> Recording:
    """The chain as a recording.

    Raises:
        ValueError: a layer gives nothing of what it is given.
    """
    tape = Tape()
    x = tape.input(*shape)
    for number, spec in enumerate(chain):
        x = tape.layer(f"layer_{number}", spec.kind, x, shape=spec.gives(x.shape), **spec.given(x.shape))
    return tape.recording(x)


def with_change(chain: Sequence[Spec], shape: Shape, change: Change) -> Shape:
    """What the chain gives with a change in place."""
    specs = list(chain)
    for edit in change.edits:
        if isinstance(edit, Input):
            shape = edit.shape
        else:
            assert isinstance(edit, Set), f"no other edit is possible here: {edit}"
            number = int(edit.layer.removeprefix("layer_"))
            assert edit.argument in specs[number].facts, f"{edit.argument} of {edit.layer} cannot be set"
            specs[number] = replace(specs[number], facts={**specs[number].facts, edit.argument: edit.value})
    for spec in specs:
        shape = spec.gives(shape)
    return shape


def assert_promises_kept(chain: Sequence[Spec], shape: Shape, demand: Demand) -> int:
    """Every proposal meets the demand. Gives how many there were."""
    recording = recorded(chain, shape)
    changes = list(walk(Graph(recording), Want(recording.outputs[0], demand)))
    for change in changes:
        given = with_change(chain, shape, change)
        assert all(given[axis] in wanted for axis, wanted in demand.items()), f"{change.edits} gives {given}"
    return len(changes)


kernels = st.tuples(st.integers(1, 4), st.integers(1, 4))
squares = st.integers(1, 3).map(lambda side: (side, side))
named = st.sampled_from(["same", "valid"])


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    window = {"kernel_size": draw(kernels), "stride": draw(squares), "padding": draw(named)}
    match draw(st.sampled_from("conv conv conv dilated depthwise transposed pool resize pad norm relu".split())):
        case "conv":
            return conv(draw(st.sampled_from([2, 4, 6])), **window)
        case "dilated":
            return conv(4, **(window | {"stride": (1, 1), "dilation": draw(squares)}))
        case "depthwise":
            return depthwise(draw(st.sampled_from([1, 1, 2])), **window)
        case "transposed":
            extra = draw(st.sampled_from([None, 0, 1]))
            assume(extra is None or extra < window["stride"][0])
            return transposed(4, **window, output_padding=None if extra is None else (extra, extra))
        case "pool":
            return pool(**window)
        case "resize":
            return upsampling((draw(st.integers(1, 3)), draw(st.integers(1, 3))))
        case "pad":
            return pad(*(draw(st.integers(0, 2)) for _ in range(4)))
        case "norm":
            return NORM
    return Spec("activation", {"lazy": True})


@properties
@given(
    st.lists(specs(), min_size=1, max_size=4),
    st.tuples(st.integers(3, 25), st.integers(3, 25)),
    st.sampled_from([(1,), (2,), (1, 2), (3,), (2, 3)]),
    st.data(),
)
def test_demands_on_random_chains(chain: list[Spec], sides: Any, axes: Any, data: st.DataObject) -> None:
    shape = (None, *sides, 4)
    try:
        out = recorded(chain, shape).values[-1].shape
    except ValueError:
        assume(False)
    demand = {axis: Range.only(data.draw(st.integers(1, 2 * (out[axis] or 0) + 1))) for axis in axes}
    assume(any(out[axis] not in wanted for axis, wanted in demand.items()))
    try:
        assert_promises_kept(chain, shape, demand)
    except ValueError as error:  # Keras refuses strides together with dilation, or its window no longer fits
        assume("dilation_rate" not in str(error) and "output_padding" not in str(error))
        raise


def single(chain: Sequence[Spec], shape: Shape, demand: Demand) -> set[tuple[str, str, Any]]:
    recording = recorded(chain, shape)
    changes = walk(Graph(recording), Want(recording.outputs[0], demand))
    edits = [change.edits[0] for change in changes if len(change.edits) == 1]
    return {(edit.layer, edit.argument, edit.value) for edit in edits if isinstance(edit, Set)}


def square(size: int) -> Demand:
    return {1: Range.only(size), 2: Range.only(size)}


def test_a_padding_is_proposed_by_name() -> None:
    found = single([conv(4, padding="valid")], (None, 8, 8, 3), square(8))
    assert ("layer_0", "padding", "same") in found
    assert not any(isinstance(value, tuple) for _, argument, value in found if argument == "padding")


def test_a_padding_by_name_is_not_proposed_where_it_would_change_the_other_axis() -> None:
    chain = [conv(4, kernel_size=(3, 1), padding="valid")]
    assert ("layer_0", "padding", "same") in single(chain, (None, 8, 8, 3), {1: Range.only(8)})
    assert ("layer_0", "padding", "same") not in single([conv(4, padding="valid")], (None, 8, 8, 3), {1: Range.only(8)})


def test_a_norm_that_is_built_with_its_convolution_needs_no_edit() -> None:
    assert single([conv(4), NORM], (None, 8, 8, 3), {3: Range.only(6)}) == {("layer_0", "out_channels", 6)}


def test_a_depthwise_convolution_hands_the_channels_on() -> None:
    found = single([conv(4), depthwise(2)], (None, 8, 8, 3), {3: Range.only(12)})
    assert found == {("layer_1", "depth_multiplier", 3), ("layer_0", "out_channels", 6)}
    assert single([conv(4), depthwise(2)], (None, 8, 8, 3), {3: Range.only(7)}) == set()


def test_amounts_of_padding_are_proposed_as_evenly_as_can_be() -> None:
    found = single([pad(1, 1, 1, 1), conv(4, stride=(2, 2), padding="valid")], (None, 16, 16, 3), square(9))
    assert ("layer_0", "pad", (0, 0, 1, 2, 1, 2)) in found


def test_an_upsampling_is_proposed_in_whole_numbers() -> None:
    found = single([upsampling((2, 2))], (None, 8, 8, 3), square(24))
    assert found == {("layer_0", "scale_factor", (3, 3))}
    assert single([upsampling((2, 2))], (None, 8, 8, 3), square(20)) == set()


def test_nothing_is_proposed_for_sizes_that_are_not_known() -> None:
    spec = conv(4, stride=(2, 2))
    tape = Tape()
    x = tape.input(None, None, None, 3)
    y = tape.layer("layer_0", "conv", x, shape=(None, None, None, 4), **spec.given((3,)))
    graph = Graph(tape.recording(y))
    assert list(walk(graph, Want(y.number, square(16)))) == []
    (change,) = walk(graph, Want(y.number, {3: Range.only(8)}))
    assert [(edit.argument, edit.value) for edit in change.edits if isinstance(edit, Set)] == [("out_channels", 8)]


# Layers that move and merge axes


def test_a_flatten_of_an_unknown_batch() -> None:
    tape = Tape()
    x = tape.layer("conv", "conv", tape.input(None, 8, 8, 3), shape=(None, 4, 4, 6), **conv(6, stride=(2, 2)).facts)
    y = tape.layer("flatten", "flatten", x, shape=(None, 96), start_dim=1, end_dim=-1)
    graph = Graph(tape.recording(y))
    found = [edit for change in walk(graph, Want(y.number, {1: Range.only(384)})) for edit in change.edits]
    assert ("conv", "stride", (1, 1)) in [(e.layer, e.argument, e.value) for e in found if isinstance(e, Set)]
    assert ("conv", "out_channels", 24) in [(e.layer, e.argument, e.value) for e in found if isinstance(e, Set)]


@pytest.mark.parametrize(
    ("kind", "shape", "facts", "demand"),
    [
        ("reduce", (None, 6), {"dim": (1, 2), "keepdim": False}, {1: Range.only(8)}),
        ("reduce", (None, 1, 1, 6), {"dim": (1, 2), "keepdim": True}, {3: Range.only(8)}),
        ("permute", (None, 6, 4, 4), {"dims": (0, 3, 1, 2)}, {1: Range.only(8)}),
        ("reshape", (None, 16, 6), {"keeps_batch": True}, {2: Range.only(8)}),
        ("average", (None, 4, 4, 6), {}, {3: Range.only(8)}),
        ("dropout", (None, 4, 4, 6), {}, {3: Range.only(8)}),
    ],
)
def test_a_demand_goes_through_a_layer_to_the_convolution(kind: str, shape: Shape, facts: Any, demand: Demand) -> None:
    tape = Tape()
    x = tape.layer("conv", "conv", tape.input(None, 4, 4, 3), shape=(None, 4, 4, 6), **conv(6).facts)
    other = [tape.layer("narrow", "conv", x, shape=(None, 4, 4, 1), **conv(1).facts)] if kind == "average" else []
    y = tape.layer("moved", kind, x, *other, shape=shape, **facts)
    graph = Graph(tape.recording(y))
    found = [edit for change in walk(graph, Want(y.number, demand)) for edit in change.edits]
    assert [(e.layer, e.argument, e.value) for e in found if isinstance(e, Set)] == [("conv", "out_channels", 8)]


def test_a_repeated_vector_hands_its_width_on() -> None:
    tape = Tape()
    x = tape.layer("dense", "linear", tape.input(None, 3), shape=(None, 6), in_features=3, out_features=6, lazy=True)
    y = tape.layer("repeat", "expand", x, shape=(None, 5, 6))
    graph = Graph(tape.recording(y))
    (change,) = walk(graph, Want(y.number, {2: Range.only(8)}))
    assert [(e.layer, e.value) for e in change.edits if isinstance(e, Set)] == [("dense", 8)]
    assert list(walk(graph, Want(y.number, {1: Range.only(8)}))) == []


@pytest.mark.parametrize(
    ("equation", "shape", "output_shape", "demand"),
    [
        ("btw,wv->btv", (2, 10, 24), (None, 48), {2: Range.only(20)}),
        ("...w,wv->...v", (2, 10, 24), (48,), {2: Range.only(20)}),
        ("btw,whd->bthd", (2, 10, 24), (None, 3, 8), {3: Range.only(6)}),
        ("btw,whd->bthd", (2, 10, 24), (None, 3, 8), {2: Range.only(4), 3: Range.only(6)}),
        ("bcw...,cd->bdw...", (2, 3, 5, 6), (4, None), {1: Range.only(7)}),
        ("btw,ts->bsw", (2, 10, 24), (12, None), {1: Range.only(7)}),
    ],
)
def test_the_width_of_an_einsum(equation: str, shape: Shape, output_shape: Any, demand: Demand) -> None:
    """By Keras's own word on what the layer gives with the output shape that is proposed."""

    def given(wanted: Any) -> Shape:
        return tuple(keras.layers.EinsumDense(equation, output_shape=wanted).compute_output_shape(shape))

    known = tuple(size or old for size, old in zip(given(output_shape), shape, strict=False))
    tape = Tape()
    out = given(output_shape) if len(given(output_shape)) > len(shape) else known
    facts = {"equation": equation, "output_shape": output_shape, "lazy": True}
    y = tape.layer("e", "einsum", tape.input(*shape), shape=out, **facts)
    (change,) = walk(Graph(tape.recording(y)), Want(y.number, demand))
    (edit,) = change.edits
    assert isinstance(edit, Set) and edit.argument == "output_shape"
    assert all(given(edit.value)[axis] in wanted for axis, wanted in demand.items())


def test_an_axis_that_an_einsum_takes_over_is_asked_of_its_input() -> None:
    tape = Tape()
    x = tape.layer("d", "linear", tape.input(2, 10, 5), shape=(2, 10, 24), out_features=24, lazy=True)
    facts = {"equation": "btw,ts->bsw", "output_shape": (12, None), "lazy": True}
    y = tape.layer("e", "einsum", x, shape=(2, 12, 24), **facts)
    edits = {edit for c in walk(Graph(tape.recording(y)), Want(y.number, {2: Range.only(16)})) for edit in c.edits}
    assert edits == {Set("d", "out_features", 16, 24)}


def test_the_width_of_an_attention_is_its_own_where_it_is_said() -> None:
    for said, layer in (((16,), ("a", "output_shape", (20,))), (None, ("d", "out_features", 20))):
        tape = Tape()
        x = tape.layer("d", "linear", tape.input(2, 10, 5), shape=(2, 10, 24), out_features=24, lazy=True)
        facts = {"num_heads": 2, "key_dim": 8, "lazy": True} | ({"output_shape": said} if said else {})
        y = tape.layer("a", "attention", x, x, shape=(2, 10, said[0] if said else 24), **facts)
        (change,) = walk(Graph(tape.recording(y)), Want(y.number, {2: Range.only(20)}))
        assert [(e.layer, e.argument, e.value) for e in change.edits if isinstance(e, Set)] == [layer]
