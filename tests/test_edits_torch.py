"""Edits put into a PyTorch model: the layer is then what its constructor would have made, and goes back exactly."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch import nn

from shapewatch.adapters.torch import ADAPTER
from shapewatch.edits import Edit, Input, Insert, Module, Replace, Set, SetCall

Shape = tuple[int, ...]


class Holder(nn.Module):
    """One layer between two others."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.before, self.layer, self.after = nn.Identity(), layer, nn.Identity()

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.layer(*inputs)


def shapes(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else tuple(shapes(item) for item in value)


def anatomy(model: nn.Module) -> dict[str, Any]:
    """Everything that an edit could leave changed, with the order in which it is kept."""
    return {
        path: (
            id(module),
            [(name, id(value)) for name, value in vars(module).items()],
            [(name, id(child)) for name, child in module._modules.items()],
            [(name, id(tensor)) for name, tensor in (*module._parameters.items(), *module._buffers.items())],
            list(module._forward_hooks),
            list(module._forward_pre_hooks),
            [list(map(id, value)) for value in vars(module).values() if isinstance(value, list)],
        )
        for path, module in model.named_modules()
    }


def zeros(*given: Shape) -> list[torch.Tensor]:
    return [torch.zeros(shape) for shape in given]


MAP, SERIES, TOKENS = (2, 8, 9, 9), (2, 5, 8), (2, 5)
UP = {"in_channels": 8, "out_channels": 4, "kernel_size": 4}

SETS: list[tuple[type[nn.Module], dict[str, Any], str, Any, tuple[Shape, ...]]] = [
    (nn.Conv2d, {"in_channels": 8, "out_channels": 4, "kernel_size": 3}, argument, value, (given,))
    for argument, value, given in [
        ("in_channels", 6, (2, 6, 9, 9)),
        ("out_channels", 12, MAP),
        ("kernel_size", 5, MAP),
        ("kernel_size", (1, 3), MAP),
        ("stride", 2, MAP),
        ("stride", (1, 2), MAP),
        ("padding", 1, MAP),
        ("padding", (0, 2), MAP),
        ("padding", "same", MAP),
        ("dilation", 2, MAP),
        ("groups", 4, MAP),
    ]
]
SETS += [
    (nn.Conv2d, {"in_channels": 8, "out_channels": 8, "kernel_size": 3, "groups": 8, "bias": False},
     "out_channels", 16, (MAP,)),
    (nn.Conv2d, {"in_channels": 8, "out_channels": 4, "kernel_size": 3, "padding": 1, "padding_mode": "circular"},
     "padding", 2, (MAP,)),
    (nn.Conv1d, {"in_channels": 8, "out_channels": 4, "kernel_size": 3}, "kernel_size", 5, ((2, 8, 9),)),
    (nn.Conv3d, {"in_channels": 8, "out_channels": 4, "kernel_size": 3}, "stride", 2, ((1, 8, 5, 5, 5),)),
]  # fmt: skip
SETS += [
    (
        nn.ConvTranspose2d,
        {"in_channels": 8, "out_channels": 4, "kernel_size": 4, "stride": 2},
        argument,
        value,
        (given,),
    )
    for argument, value, given in [
        ("in_channels", 6, (2, 6, 9, 9)),
        ("out_channels", 12, MAP),
        ("kernel_size", 2, MAP),
        ("stride", 3, MAP),
        ("padding", 1, MAP),
        ("output_padding", 1, MAP),
        ("dilation", 2, MAP),
        ("groups", 2, MAP),
    ]
]
SETS += [
    (nn.ConvTranspose2d, {**UP, "groups": 2}, "out_channels", 6, (MAP,)),
    (nn.Linear, {"in_features": 8, "out_features": 4}, "in_features", 6, ((2, 6),)),
    (nn.Linear, {"in_features": 8, "out_features": 4, "bias": False}, "out_features", 6, ((2, 8),)),
    (nn.BatchNorm2d, {"num_features": 4}, "num_features", 8, (MAP,)),
    (nn.BatchNorm2d, {"num_features": 4, "affine": False}, "num_features", 8, (MAP,)),
    (nn.InstanceNorm2d, {"num_features": 4, "affine": True}, "num_features", 8, (MAP,)),
    (nn.LayerNorm, {"normalized_shape": 4}, "normalized_shape", 8, (SERIES,)),
    (nn.LayerNorm, {"normalized_shape": (4,)}, "normalized_shape", (5, 8), (SERIES,)),
    (nn.RMSNorm, {"normalized_shape": 4}, "normalized_shape", (8,), (SERIES,)),
    (nn.GroupNorm, {"num_groups": 2, "num_channels": 4}, "num_channels", 8, (MAP,)),
    (nn.GroupNorm, {"num_groups": 2, "num_channels": 8}, "num_groups", 4, (MAP,)),
    (nn.PReLU, {"num_parameters": 4}, "num_parameters", 8, (MAP,)),
    (nn.LSTM, {"input_size": 6, "hidden_size": 4}, "input_size", 8, (SERIES,)),
    (nn.LSTM, {"input_size": 8, "hidden_size": 4, "num_layers": 2}, "hidden_size", 6, (SERIES,)),
    (nn.LSTM, {"input_size": 8, "hidden_size": 4}, "batch_first", True, (SERIES,)),
    (nn.LSTM, {"input_size": 8, "hidden_size": 4}, "bidirectional", True, (SERIES,)),
    (nn.LSTM, {"input_size": 8, "hidden_size": 4}, "num_layers", 3, (SERIES,)),
    (nn.LSTM, {"input_size": 8, "hidden_size": 4}, "proj_size", 2, (SERIES,)),
    (nn.GRU, {"input_size": 6, "hidden_size": 4, "bias": False}, "input_size", 8, (SERIES,)),
    (nn.RNN, {"input_size": 6, "hidden_size": 4, "nonlinearity": "relu"}, "input_size", 8, (SERIES,)),
    (nn.LSTMCell, {"input_size": 6, "hidden_size": 4}, "input_size", 8, ((2, 8),)),
    (nn.GRUCell, {"input_size": 8, "hidden_size": 4}, "hidden_size", 6, ((2, 8),)),
    (nn.MultiheadAttention, {"embed_dim": 6, "num_heads": 2}, "embed_dim", 8, (SERIES,) * 3),
    (nn.MultiheadAttention, {"embed_dim": 8, "num_heads": 2}, "num_heads", 4, (SERIES,) * 3),
    (nn.MultiheadAttention, {"embed_dim": 8, "num_heads": 2}, "batch_first", True, (SERIES,) * 3),
    (nn.MultiheadAttention, {"embed_dim": 8, "num_heads": 2, "vdim": 6}, "kdim", 4, (SERIES, (2, 5, 4), (2, 5, 6))),
    (nn.MultiheadAttention, {"embed_dim": 8, "num_heads": 2}, "vdim", 6, (SERIES, SERIES, (2, 5, 6))),
    (nn.MaxPool2d, {"kernel_size": 2, "stride": 2}, "kernel_size", 3, (MAP,)),
    (nn.MaxPool2d, {"kernel_size": 2}, "stride", 1, (MAP,)),
    (nn.MaxPool2d, {"kernel_size": 2, "stride": 2}, "padding", 1, (MAP,)),
    (nn.MaxPool2d, {"kernel_size": 2, "stride": 2}, "ceil_mode", True, (MAP,)),
    (nn.MaxPool2d, {"kernel_size": 2, "stride": 2}, "dilation", 2, (MAP,)),
    (nn.AvgPool1d, {"kernel_size": 2, "stride": 1}, "kernel_size", 4, ((2, 8, 9),)),
    (nn.AvgPool2d, {"kernel_size": 2}, "stride", (1, 2), (MAP,)),
    (nn.AdaptiveAvgPool2d, {"output_size": 1}, "output_size", (2, 3), (MAP,)),
    (nn.Upsample, {"scale_factor": 2}, "scale_factor", 3.0, (MAP,)),
    (nn.Upsample, {"size": (4, 4)}, "size", (5, 6), (MAP,)),
    (nn.PixelShuffle, {"upscale_factor": 4}, "upscale_factor", 2, (MAP,)),
    (nn.Flatten, {"start_dim": 2}, "start_dim", 1, (MAP,)),
    (nn.ZeroPad2d, {"padding": 1}, "padding", (0, 1, 2, 3), (MAP,)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize(
    "cls, arguments, argument, value, given",
    SETS,
    ids=[f"{cls.__name__}-{argument}={value}" for cls, _, argument, value, _ in SETS],
)
def test_a_set_argument(
    cls: type[nn.Module], arguments: dict[str, Any], argument: str, value: Any, given: tuple[Shape, ...]
) -> None:
    model = Holder(cls(**arguments))
    model.layer.register_forward_hook(lambda *_: None)
    before, state = anatomy(model), copy.deepcopy(model.state_dict())
    expected = cls(**{**arguments, argument: value})
    with ADAPTER.applied(model, [Set("layer", argument, value)]) as edited:
        assert edited is model
        assert shapes(model(*zeros(*given))) == shapes(expected(*zeros(*given)))
        assert [(n, p.shape) for n, p in model.layer.state_dict().items()] == [
            (n, p.shape) for n, p in expected.state_dict().items()
        ]
        assert repr(model.layer) == repr(expected)
        assert isinstance(model.layer, cls)
    assert anatomy(model) == before
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("argument, value", [("num_embeddings", 60), ("embedding_dim", 6)])
@pytest.mark.parametrize("cls", [nn.Embedding, nn.EmbeddingBag])
def test_a_set_argument_of_an_embedding(cls: Any, argument: str, value: int) -> None:
    model, tokens = Holder(cls(num_embeddings=50, embedding_dim=4)), torch.full(TOKENS, 59 if value == 60 else 0)
    before = anatomy(model)
    with ADAPTER.applied(model, [Set("layer", argument, value)]):
        assert model(tokens).shape[-1] == (6 if argument == "embedding_dim" else 4)
    assert anatomy(model) == before


# Whole models


class Block(nn.Module):
    """Loses its projection, in any of the ways in which a layer can be missing."""

    def __init__(self, missing: str = "attribute") -> None:
        super().__init__()
        if missing == "registered":
            self.register_module("project", None)
        else:
            self.project = nn.Identity() if missing == "identity" else None
        self.conv = nn.Conv2d(3, 6, 3, 2, 1)
        self.note = "kept last"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = x if self.project is None else self.project(x)
        return torch.add(self.conv(x), skip)


X = torch.zeros(2, 3, 8, 8)
PROJECTION = Module("sequence", parts=(
    Module("conv", {"in_channels": 3, "out_channels": 6, "kernel_size": 1, "stride": 2, "bias": False}),
    Module("norm", {"num_features": 6}),
))  # fmt: skip


@pytest.mark.parametrize("missing", ["attribute", "registered", "identity"])
@pytest.mark.parametrize("nested", [True, False])
def test_replace(missing: str, nested: bool) -> None:
    model: nn.Module = nn.Sequential(Block(missing)) if nested else Block(missing)
    before = anatomy(model)
    with ADAPTER.applied(model, [Replace("0.project" if nested else "project", PROJECTION)]):
        assert model(X).shape == (2, 6, 4, 4)
        assert "project.0.weight" in "".join(model.state_dict())
    assert anatomy(model) == before
    with pytest.raises(RuntimeError):
        model(X)


SKIPS = {
    "sequence": PROJECTION,
    "conv": PROJECTION.parts[0],
    "subsample": Module("subsample_pad", {"stride": 2, "channels": 6, "rank": 2}),
    "pad": Module("pad", {"pad": (-2, -2, -2, -2, 0, 3)}),
}


@pytest.mark.parametrize("kind", SKIPS)
@pytest.mark.parametrize("training", [True, False])
def test_insert(kind: str, training: bool) -> None:
    model = nn.Sequential(Block(), Block()).train(training)
    model[1].conv = nn.Conv2d(6, 3, 3, padding=1)
    model[1].project = nn.Conv2d(6, 3, 1)
    before = anatomy(model)
    with ADAPTER.applied(model, [Insert("0:add:0", 1, SKIPS[kind])]):
        for _ in range(2):  # the place is the same in every pass
            assert model(X).shape == (2, 3, 4, 4)
    assert anatomy(model) == before
    with pytest.raises(RuntimeError):
        model(X)


def test_an_inserted_layer_has_the_dtype_of_the_model() -> None:
    model = Block().double()
    with ADAPTER.applied(model, [Insert(":add:0", 1, PROJECTION)]):
        assert model(X.double()).dtype == torch.float64


class Operations(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([x, x], 1)
        return joined.view(-1, 6, 32).flatten(1)


@pytest.mark.parametrize(
    "place, argument, value, expected",
    [
        (":flatten:0", "start_dim", 0, (768,)),
        (":flatten:0", "end_dim", -2, (4, 6, 32)),
        (":view:0", "shape", (2, 6, 64), (2, 384)),
        (":cat:0", "dim", 0, (4, 192)),
    ],
)
def test_set_call(place: str, argument: str, value: Any, expected: Shape) -> None:
    model = Operations()
    with ADAPTER.applied(model, [SetCall(place, argument, value)]):
        assert tuple(model(X).shape) == expected
    assert model(X).shape == (4, 192)


@pytest.mark.parametrize(
    "edit, given, expected",
    [
        (Input(0, "permute", {"dims": (0, 3, 1, 2)}, (2, 3, 8, 8)), (2, 8, 8, 3), (2, 6, 4, 4)),
        (Input(0, "unsqueeze", {"dim": 0}, (1, 3, 8, 8)), (3, 8, 8), (1, 6, 4, 4)),
        (Input(0, "size", {"size": (16, 16)}, (2, 3, 16, 16)), (2, 3, 9, 9), (2, 6, 8, 8)),
    ],
    ids=["permute", "unsqueeze", "size"],
)
def test_input(edit: Input, given: Shape, expected: Shape) -> None:
    """As `Fix.code` says it: `x = x.permute(0, 3, 1, 2)` before the model is called."""
    model = Holder(nn.Conv2d(3, 6, 3, 2, 1))
    before = anatomy(model)
    with ADAPTER.applied(model, [edit]):
        assert tuple(model(torch.zeros(given)).shape) == expected
    assert anatomy(model) == before


@pytest.mark.parametrize(
    "model, argument, value, given",
    [
        (nn.Conv2d(3, 6, 3), "stride", 2, (2, 3, 9, 9)),
        (nn.Conv2d(3, 6, 3), "in_channels", 4, (2, 4, 9, 9)),
        (nn.Linear(4, 3), "in_features", 5, (2, 5)),
        (nn.LSTM(4, 3), "input_size", 5, (2, 7, 5)),
    ],
    ids=["setting", "weights", "linear", "lstm"],
)
def test_the_outermost_module_itself(model: nn.Module, argument: str, value: Any, given: Shape) -> None:
    before = anatomy(model)
    with ADAPTER.applied(model, [Set("", argument, value)]):
        model(torch.zeros(given))
    assert anatomy(model) == before


def test_a_shared_layer_and_one_in_a_plain_list_change_everywhere() -> None:
    model = Holder(nn.Linear(4, 4))
    model.again, model.plain = model.layer, [nn.ReLU(), model.layer]
    before = anatomy(model)
    with ADAPTER.applied(model, [Set("layer", "out_features", 7)]):
        assert model.layer is model.again is model.plain[1]
        assert model.plain[1](torch.zeros(1, 4)).shape == (1, 7)
    assert anatomy(model) == before


def test_a_subclass_stays_what_it_is() -> None:
    class Standardised(nn.Conv2d):
        def __init__(self, made: int) -> None:
            super().__init__(3, made, 3)
            self.gain = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.gain * super().forward(x)

    model = Holder(Standardised(4))
    with ADAPTER.applied(model, [Set("layer", "stride", 2), Set("layer", "out_channels", 5)]):
        assert type(model.layer) is Standardised
        assert model(X).shape == (2, 5, 3, 3)


@pytest.mark.parametrize(
    "edit",
    [Set("missing", "stride", 2), Set("layer.missing", "stride", 2), Replace("a.b", Module("identity")),
     Set("layer", "groups", 5), Replace("layer", Module("no such kind"))],
)  # fmt: skip
def test_what_cannot_be_put_in_leaves_the_model_as_it_was(edit: Edit) -> None:
    model = Holder(nn.Conv2d(3, 6, 3))
    before = anatomy(model)
    with pytest.raises(ValueError), ADAPTER.applied(model, [Set("layer", "stride", 2), edit]):
        pass
    assert anatomy(model) == before


def test_an_exception_and_nested_blocks_are_undone() -> None:
    model = Holder(nn.Conv2d(3, 6, 3))
    before = anatomy(model)
    with pytest.raises(KeyboardInterrupt), ADAPTER.applied(model, [Set("layer", "stride", 2)]):
        with ADAPTER.applied(model, [Set("layer", "padding", 1)]):
            assert model(X).shape == (2, 6, 4, 4)
        assert model(X).shape == (2, 6, 3, 3)
        raise KeyboardInterrupt
    assert anatomy(model) == before


def test_new_weights_draw_nothing(draws_nothing: Callable[[], AbstractContextManager[None]]) -> None:
    model = Holder(nn.Conv2d(3, 6, 3))
    edits = [Set("layer", "out_channels", 8), Replace("after", Module("norm", {"num_features": 8}))]
    with draws_nothing(), ADAPTER.applied(model, edits):
        assert model.layer.weight.abs().sum() > 0
