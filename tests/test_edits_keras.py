"""Keras layers for edits: a twin is what the constructor would have made, and making one leaves no trace."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from shapewatch.adapters.keras.edit import build, twin, undisturbed
from shapewatch.edits import Module

Shape = tuple[int | None, ...]

MAP, LINE, TOKENS = (2, 9, 9, 8), (2, 9, 8), (2, 5)


def given(layer: Any, *shapes: Shape) -> Any:
    """The shapes that a layer gives for inputs of these shapes, which it is really run on."""
    found = layer(*(np.zeros(shape, "float32") for shape in shapes))
    return tuple(found.shape)


def plain(config: Any) -> Any:
    """A config without the names, which are made up by counting."""
    if isinstance(config, dict):
        return {key: plain(value) for key, value in config.items() if key != "name"}
    return [plain(item) for item in config] if isinstance(config, list | tuple) else config


CONV = {"filters": 4, "kernel_size": 3}
SETS: list[tuple[Any, dict[str, Any], str, Any, dict[str, Any], Shape]] = [
    (layers.Conv2D, CONV, "out_channels", 12, {"filters": 12}, MAP),
    (layers.Conv2D, CONV, "kernel_size", 5, {"kernel_size": 5}, MAP),
    (layers.Conv2D, CONV, "kernel_size", (1, 3), {"kernel_size": (1, 3)}, MAP),
    (layers.Conv2D, CONV, "stride", 2, {"strides": 2}, MAP),
    (layers.Conv2D, CONV, "stride", (1, 2), {"strides": (1, 2)}, MAP),
    (layers.Conv2D, CONV, "padding", "same", {"padding": "same"}, MAP),
    (layers.Conv2D, CONV, "padding", (1, 1), {"padding": "same"}, MAP),
    (layers.Conv2D, {**CONV, "dilation_rate": 2}, "padding", 2, {"padding": "same"}, MAP),
    (layers.Conv2D, {**CONV, "padding": "same"}, "padding", 0, {"padding": "valid"}, MAP),
    (layers.Conv2D, CONV, "dilation", 2, {"dilation_rate": 2}, MAP),
    (layers.Conv2D, CONV, "groups", 4, {"groups": 4}, MAP),
    (layers.Conv2D, {**CONV, "activation": "relu", "use_bias": False}, "stride", 2, {"strides": 2}, MAP),
    (layers.Conv1D, {**CONV, "padding": "causal"}, "dilation", 2, {"dilation_rate": 2}, LINE),
    (layers.Conv3D, CONV, "stride", 2, {"strides": 2}, (1, 5, 5, 5, 3)),
    (layers.DepthwiseConv2D, {"kernel_size": 3}, "depth_multiplier", 2, {"depth_multiplier": 2}, MAP),
    (layers.DepthwiseConv2D, {"kernel_size": 3}, "stride", (2, 2), {"strides": (2, 2)}, MAP),
    (layers.SeparableConv2D, CONV, "out_channels", 6, {"filters": 6}, MAP),
    (layers.Conv2DTranspose, CONV, "stride", 2, {"strides": 2}, MAP),
    (layers.Conv2DTranspose, {**CONV, "strides": 2}, "output_padding", 1, {"output_padding": 1}, MAP),
    (layers.MaxPooling2D, {}, "kernel_size", 3, {"pool_size": 3, "strides": 2}, MAP),
    (layers.AveragePooling1D, {"pool_size": 2}, "stride", (1,), {"strides": 1}, LINE),
    (layers.MaxPooling2D, {"pool_size": 3}, "padding", (1, 1), {"padding": "same"}, MAP),
    (layers.AdaptiveAveragePooling2D, {"output_size": 2}, "output_size", (3, 4), {"output_size": (3, 4)}, MAP),
    (layers.GlobalAveragePooling2D, {}, "keepdim", True, {"keepdims": True}, MAP),
    (layers.Dense, {"units": 3}, "out_features", 7, {"units": 7}, (2, 8)),
    (layers.LSTM, {"units": 3}, "hidden_size", 7, {"units": 7}, LINE),
    (layers.GRU, {"units": 3}, "return_sequences", True, {"return_sequences": True}, LINE),
    (layers.GroupNormalization, {"groups": 4}, "num_groups", 2, {"groups": 2}, MAP),
    (layers.BatchNormalization, {}, "axis", 1, {"axis": 1}, MAP),
    (layers.Reshape, {"target_shape": (81, 8)}, "shape", (9, 72), {"target_shape": (9, 72)}, MAP),
    (layers.Reshape, {"target_shape": (4, 4)}, "shape", (8, 8), {"target_shape": (8, 8)}, (2, 64)),
    (layers.Permute, {"dims": (1, 2, 3)}, "dims", (0, 3, 1, 2), {"dims": (3, 1, 2)}, MAP),
    (layers.RepeatVector, {"n": 3}, "repeats", 5, {"n": 5}, (2, 8)),
    (layers.UpSampling2D, {}, "scale_factor", (3.0, 2.0), {"size": (3, 2)}, MAP),
    (layers.UpSampling1D, {}, "scale_factor", (3,), {"size": 3}, LINE),
    (layers.Resizing, {"height": 4, "width": 4}, "size", (5, 6), {"height": 5, "width": 6}, MAP),
    (layers.ZeroPadding2D, {}, "pad", (0, 0, 1, 2, 3, 4), {"padding": ((3, 4), (1, 2))}, MAP),
    (layers.ZeroPadding2D, {"data_format": "channels_first"}, "pad", (1, 2, 3, 4), {"padding": ((3, 4), (1, 2))}, MAP),
    (layers.ZeroPadding1D, {}, "pad", (0, 0, 1, 2), {"padding": (1, 2)}, LINE),
    (layers.Cropping2D, {}, "pad", (0, 0, -1, -2, 0, -4), {"cropping": ((0, 4), (1, 2))}, MAP),
    (layers.Cropping1D, {}, "pad", (0, 0, -1, -2), {"cropping": (1, 2)}, LINE),
]


@pytest.mark.parametrize(
    "cls, arguments, argument, value, expected, shape",
    SETS,
    ids=[f"{cls.__name__}-{argument}={value}" for cls, _, argument, value, _, _ in SETS],
)
def test_a_twin(
    cls: Any, arguments: dict[str, Any], argument: str, value: Any, expected: dict[str, Any], shape: Shape
) -> None:
    layer = cls(**arguments)
    before = layer.get_config()
    made = twin(layer, {argument: value})
    wanted = cls(**{**arguments, **expected})
    assert type(made) is cls
    assert made is not layer
    assert made.name == layer.name
    assert plain(made.get_config()) == plain(wanted.get_config())
    assert given(made, shape) == given(wanted, shape)
    assert [tuple(weight.shape) for weight in made.weights] == [tuple(weight.shape) for weight in wanted.weights]
    assert layer.get_config() == before


def test_a_twin_of_a_built_layer_is_not_built() -> None:
    layer = layers.Dense(3)
    given(layer, (2, 8))
    made = twin(layer, {"out_features": 5})
    assert not made.built
    assert given(made, (2, 6)) == (2, 5)


def test_a_twin_of_an_embedding() -> None:
    made = twin(layers.Embedding(5, 4), {"embedding_dim": 6, "num_embeddings": 9})
    assert tuple(made(np.full(TOKENS, 8)).shape) == (2, 5, 6)


def test_a_twin_of_attention() -> None:
    made = twin(layers.MultiHeadAttention(2, 4), {"num_heads": 3})
    assert given(made, LINE, LINE) == LINE
    assert made.num_heads == 3


def test_a_twin_along_another_axis() -> None:
    made = twin(layers.Concatenate(axis=-1), {"dim": 1})
    assert tuple(made([np.zeros((2, 3, 4)), np.zeros((2, 5, 4))]).shape) == (2, 8, 4)


def test_a_twin_of_both_directions_is_set_inside_both() -> None:
    layer = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    made = twin(layer, {"hidden_size": 6, "return_sequences": False})
    assert given(made, LINE) == (2, 12)
    assert given(layer, LINE) == (2, 9, 8)


def test_a_twin_keeps_its_dtype_policy() -> None:
    made = twin(layers.Dense(3, dtype="mixed_float16"), {"out_features": 4})
    assert made.dtype_policy.name == "mixed_float16"
    made(np.zeros((2, 8)))
    assert made.kernel.dtype == "float32"
    assert made.compute_dtype == "float16"


@pytest.mark.parametrize(
    "layer, argument, value, why",
    [
        (layers.Conv2D(4, 3), "in_channels", 8, "no argument that sets its in_channels"),
        (layers.Conv2D(4, 3), "padding", (2, 2), "pads 'same' or 'valid', not by"),
        (layers.Conv2D(4, 3), "groups", 3, "cannot be made from its config: The number of filters"),
        (layers.DepthwiseConv2D(3), "out_channels", 8, "no argument that sets its out_channels"),
        (layers.SeparableConv2D(4, 3), "groups", 2, "no argument that sets its groups"),
        (layers.BatchNormalization(), "num_features", 8, "no argument that sets its num_features"),
        (layers.Flatten(), "start_dim", 2, "no argument that sets its start_dim"),
        (layers.Permute((2, 1)), "dims", (1, 0, 2), "leaves the batch axis"),
        (layers.Resizing(4, 4), "size", (5, 6, 7), "with a height and a width"),
        (layers.UpSampling2D(), "scale_factor", 1.5, "whole number of times"),
        (layers.ZeroPadding2D(), "pad", (0, 0, -1, 0, 0, 0), "cannot do so by"),
        (layers.ZeroPadding2D(), "pad", (1, 0, 1, 0, 0, 0), "cannot do so by"),
        (layers.Add(), "dim", 1, "no argument that sets its dim"),
    ],
)
def test_what_keras_cannot_have(layer: Any, argument: str, value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        twin(layer, {argument: value})


# Layers of the user's


class Scaled(layers.Conv2D):
    """Has a setting more than its base, and says so."""

    def __init__(self, filters: int, gain: float = 1.0, **kwargs: Any) -> None:
        super().__init__(filters, **{"kernel_size": 3, **kwargs})
        self.gain = gain

    def call(self, x: Any) -> Any:
        return self.gain * super().call(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}


class Halving(layers.Conv2D):
    """Sets the stride itself, so there is none to give it."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        kwargs.pop("strides", None)
        super().__init__(filters, **{"kernel_size": 3, **kwargs}, strides=2)


class Fixed(layers.Conv2D):
    def __init__(self, filters: int) -> None:
        super().__init__(filters, 3)


class Block(layers.Layer):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.inner = layers.Dense(width)

    def call(self, x: Any) -> Any:
        return self.inner(x)


class Holder(layers.Layer):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner, self.width = inner, 3


def test_a_subclass_stays_what_it_is() -> None:
    made = twin(Scaled(4, gain=2.0, strides=2), {"out_channels": 6})
    assert type(made) is Scaled
    assert made.gain == 2.0
    assert given(made, MAP) == (2, 4, 4, 6)


def test_a_block_of_layers_has_its_own_settings() -> None:
    made = twin(Block(4), {"width": 6})
    assert given(made, (2, 3)) == (2, 6)


@pytest.mark.parametrize(
    "make, argument, why",
    [
        (lambda: Halving(4), "stride", "takes no strides from its config"),
        (lambda: Fixed(4), "stride", "Fixed '.*' cannot be made from its config"),
        (lambda: Holder(layers.Dense(3)), "width", "has no config to make another one from"),
        (lambda: Block(4), "height", "has no height in its config"),
    ],
)
def test_a_layer_that_cannot_be_made_again_is_refused(make: Any, argument: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        twin(make(), {argument: 3})


# New layers

LAST = {"rank": 2, "channels_last": True}
FIRST = {"rank": 2}
PROJECTION = Module("conv", {**LAST, "in_channels": 8, "out_channels": 6, "kernel_size": 1, "stride": 2, "bias": False})

BUILT: list[tuple[Module, Shape, Shape]] = [
    (PROJECTION, MAP, (2, 5, 5, 6)),
    (Module("sequence", {}, (PROJECTION, Module("norm", {**LAST, "num_features": 6}))), MAP, (2, 5, 5, 6)),
    (Module("conv", {"rank": 1, "channels_last": True, "out_channels": 3, "kernel_size": (3,), "padding": "same"}),
     LINE, (2, 9, 3)),
    (Module("norm", {**LAST, "num_features": 8}), MAP, MAP),
    (Module("layer_norm", {"normalized_shape": (8,)}), LINE, LINE),
    (Module("linear", {"in_features": 8, "out_features": 3}), LINE, (2, 9, 3)),
    (Module("flatten", {"start_dim": 1}), MAP, (2, 648)),
    (Module("flatten", {"start_dim": 2}), MAP, (2, 9, 72)),
    (Module("flatten", {"start_dim": 1, "end_dim": 2}), MAP, (2, 81, 8)),
    (Module("pool", {**LAST, "kernel_size": (2, 2), "stride": (2, 2), "padding": "same", "average": True}),
     MAP, (2, 5, 5, 8)),
    (Module("pool", {"rank": 1, "channels_last": True, "kernel_size": 2, "stride": 1, "padding": 0}),
     LINE, (2, 8, 8)),
    (Module("upsample", {"scale_factor": (2.0, 3.0), "mode": "nearest", "channels_last": True}), MAP, (2, 18, 27, 8)),
    (Module("upsample", {"scale_factor": (2,), "channels_last": True}), LINE, (2, 18, 8)),
    (Module("resize", {"size": (4, 6), "channels_last": True}), MAP, (2, 4, 6, 8)),
    (Module("resize", {"size": (4, 6)}), (2, 8, 9, 9), (2, 8, 4, 6)),
    (Module("pad", {"pad": (0, 0, 1, 0, 2, 1), "channels_last": True}), MAP, (2, 12, 10, 8)),
    (Module("pad", {"pad": (0, 0, -1, 0, -2, -1), "channels_last": True}), MAP, (2, 6, 8, 8)),
    (Module("pad", {"pad": (0, 0, -1, -1, 2, 0), "channels_last": True}), MAP, (2, 11, 7, 8)),
    (Module("pad", {"pad": (0, 3, 0, 0, 0, -2), "channels_last": True}), MAP, (2, 7, 9, 11)),
    (Module("pad", {"pad": (1, 0, 2, 1)}), (2, 8, 9, 9), (2, 8, 12, 10)),
    (Module("pad", {"pad": (-1, 2)}), (2, 8, 9), (2, 8, 10)),
    (Module("pad", {"pad": (1, 0, 2, 1, 0, 4), "rank": 2}), (2, 8, 9, 9), (2, 12, 12, 10)),
    (Module("subsample_pad", {**LAST, "stride": 2, "channels": 12}), MAP, (2, 5, 5, 12)),
    (Module("subsample_pad", {**FIRST, "stride": 2, "channels": 12}), (2, 8, 9, 9), (2, 12, 5, 5)),
    (Module("subsample_pad", {"rank": 1, "channels_last": True, "stride": 3, "channels": 9}), LINE, (2, 3, 9)),
    (Module("identity"), MAP, MAP),
]  # fmt: skip


def _named(module: Module) -> str:
    return f"{module.kind} {dict(module.arguments)}"


@pytest.mark.parametrize("shapes_only", [False, True])
@pytest.mark.parametrize("module, shape, expected", BUILT, ids=[_named(module) for module, _, _ in BUILT])
def test_a_new_layer(module: Module, shape: Shape, expected: Shape, shapes_only: bool) -> None:
    made = build(module, shapes_only)
    symbolic = made(keras.KerasTensor((None, *shape[1:])))
    assert symbolic.shape == (None, *expected[1:])
    assert given(made, shape) == expected
    if shapes_only:
        assert not any(np.any(np.asarray(weight)) for weight in made.trainable_weights)


def test_channels_first_is_what_is_not_said_to_be_last() -> None:
    conv = build(Module("conv", {**FIRST, "out_channels": 6, "kernel_size": 1, "stride": 2}))
    norm = build(Module("norm", {**FIRST, "num_features": 6}))
    assert norm(conv(keras.KerasTensor((None, 3, 9, 9)))).shape == (None, 6, 5, 5)
    assert tuple(norm.gamma.shape) == (6,)


def test_no_such_layer() -> None:
    with pytest.raises(ValueError, match="no layer for 'sideways'"):
        build(Module("sideways"))


# On shapes alone


def test_weights_of_zeros() -> None:
    layer = layers.Bidirectional(layers.LSTM(4, unit_forget_bias=False))
    made = twin(layer, {"hidden_size": 6}, shapes_only=True)
    given(made, LINE)
    assert len(made.weights) == 6
    assert not any(np.any(np.asarray(weight)) for weight in made.weights)


# No trace


def begin_anew() -> None:
    keras.utils.set_random_seed(3)
    keras.backend.clear_session()


def what_comes_next() -> dict[str, Any]:
    """The next automatic names and random numbers."""
    return {
        "names": (layers.Layer().name, layers.Dense(1).name, keras.Sequential().name),
        "random": random.random(),
        "numpy": np.random.rand(),
        "keras": float(keras.random.uniform(())),
    }


@pytest.fixture
def from_the_start() -> Iterator[None]:
    begin_anew()
    yield
    keras.backend.clear_session()


@pytest.mark.usefixtures("from_the_start")
@pytest.mark.parametrize("used_before", [True, False])
def test_undisturbed(used_before: bool) -> None:
    def begin() -> None:
        begin_anew()
        if used_before:
            what_comes_next()

    begin()
    first, second = what_comes_next(), what_comes_next()
    assert all(first[name] != second[name] for name in first), "there is a difference to see"
    begin()
    with undisturbed():
        assert what_comes_next() == first, "inside, everything is as it was before"
        layers.GRU(3)(np.zeros(LINE))
    assert what_comes_next() == first
    assert what_comes_next() == second


def test_undisturbed_by_what_fails() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    with pytest.raises(KeyError), undisturbed():
        random.random()
        raise KeyError
    assert random.random() == expected


@pytest.mark.usefixtures("from_the_start")
@pytest.mark.parametrize("shapes_only", [False, True])
def test_making_leaves_no_trace(shapes_only: bool) -> None:
    layer = layers.Bidirectional(layers.LSTM(4, dropout=0.1))
    begin_anew()
    expected = what_comes_next()
    begin_anew()
    twin(layer, {"hidden_size": 5}, shapes_only)
    build(BUILT[1][0], shapes_only)
    with pytest.raises(ValueError):
        twin(layer, {"hidden_size": -1}, shapes_only)
    assert what_comes_next() == expected
