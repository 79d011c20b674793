"""The PyTorch adapter: the contract of all adapters, and what is PyTorch's own."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from adapter_contract import AdapterContract, Bundle
from support import residual
from support.residual import Net
from torch import nn

from shapewatch import recorder
from shapewatch.adapters.torch import ADAPTER
from shapewatch.edits import Module
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Call, Recording


def state(model: nn.Module) -> Any:
    """Identities of the modules and their attributes, and the numbers of every weight."""
    parts = [(name, id(module), list(vars(module))) for name, module in model.named_modules()]
    return parts, {name: tensor.tolist() for name, tensor in model.state_dict().items()}


class TestContract(AdapterContract):
    @pytest.fixture
    def bundle(self) -> Bundle:
        return Bundle(
            adapter=ADAPTER,
            sound=Net,
            broken=lambda: Net(stride=2),
            tensor=torch.zeros,
            given=(2, 3, 8, 8),
            inner=(2, 4, 8, 8),
            halved=(2, 4, 4, 4),
            error=RuntimeError,
            state=state,
            projection=Module("conv", {"in_channels": 4, "out_channels": 4, "kernel_size": 1, "stride": 2}),
            file=residual.__file__,
            described={"dtype": "float32", "device": "cpu"},
        )


def record(model: nn.Module, *args: Any, **kwargs: Any) -> Recording:
    with ADAPTER.instrument() as watching:
        model(*args, **kwargs)
    return watching.finish(None)


class Does(nn.Module):
    """A model of one function, with some layers to use."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.fc, self.drop, self.function = nn.Linear(4, 4), nn.Dropout(0.5), function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self, *args, **kwargs)


X = torch.ones(2, 4)


def operations(recording: Recording) -> list[Call]:
    return [call for call in recording.calls if not call.is_layer]


def last(recording: Recording) -> Call:
    return operations(recording)[-1]


# Values


@pytest.mark.parametrize("name", ["add_", "__iadd__"])
def test_an_operation_in_place_makes_a_new_value_of_the_same_tensor(name: str) -> None:
    def forward(self: Does, x: torch.Tensor) -> torch.Tensor:
        out = self.fc(x)
        getattr(out, name)(x)
        return torch.relu(out)

    recording = record(Does(forward), X)
    added, relu = operations(recording)[-2:]
    assert added.kind == "add" and added.facts["in_place"] is True
    assert added.results[0] not in added.operands and relu.operands == added.results
    (junction,) = find_junctions(Graph(recording))
    assert [step.layer for step in junction.branches[0].path] == ["fc"]


def test_an_assignment_to_a_slice_makes_a_new_value() -> None:
    def forward(self: Does, x: torch.Tensor) -> torch.Tensor:
        out = self.fc(x)
        out[:, 1:] = x[:, 1:]
        return torch.relu(out)

    recording = record(Does(forward), X)
    by_name = {call.name: call for call in operations(recording)}
    assert by_name["relu"].operands == by_name["setitem"].results
    assert by_name["setitem"].results[0] not in by_name["setitem"].operands


def test_what_is_handed_through_keeps_its_number() -> None:
    recording = record(Does(lambda self, x: self.drop(x)).eval(), X)
    drop = next(call for call in recording.calls if call.layer == "drop" and call.is_layer)
    assert drop.results == drop.operands == recording.inputs == recording.outputs


def test_views_are_values_of_their_own() -> None:
    recording = record(Does(lambda _, x: x.view(4, 2).T.unsqueeze(0)[..., 0]), X)
    shapes = [recording.shape(call.results[0]) for call in operations(recording)]
    assert shapes == [(4, 2), (2, 4), (1, 2, 4), (1, 2)]
    assert [call.kind for call in operations(recording)] == ["reshape", "permute", "unsqueeze", "index"]
    assert all(
        before.results[0] == after.operands[0]
        for before, after in zip(operations(recording), operations(recording)[1:], strict=False)
    )


def test_origins_of_values() -> None:
    class Origins(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))
            self.register_buffer("shift", torch.ones(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.scale + self.shift - kept

    kept = torch.ones(4)
    recording = record(Origins(), X)
    found = [(recording.values[n].origin, recording.values[n].name) for c in operations(recording) for n in c.operands]
    assert [origin for origin, _ in found] == ["input", "parameter", "call", "buffer", "call", "constant"]
    assert [name for _, name in found if name] == ["scale", "shift"]


def test_a_tensor_at_the_address_of_a_dead_one_is_another_value() -> None:
    def forward(_: Does, x: torch.Tensor) -> torch.Tensor:
        for _ in range(50):
            x = torch.relu(x)
        return x

    recording = record(Does(forward), X)
    results = [call.results[0] for call in operations(recording)]
    assert len(set(results)) == 50


# Modules


def test_a_shared_module_has_one_path_and_two_occurrences() -> None:
    recording = record(Does(lambda self, x: self.fc(self.fc(x))), X)
    calls = [call for call in recording.calls if call.is_layer and call.layer == "fc"]
    assert [call.place for call in calls] == ["fc:Linear:0", "fc:Linear:1"]


def test_a_module_that_calls_itself() -> None:
    def forward(self: Does, x: torch.Tensor, depth: int = 2) -> torch.Tensor:
        return self(self.fc(x), depth - 1) if depth else x

    recording = record(Does(forward), X)
    own = [call for call in recording.calls if call.is_layer and call.layer == ""]
    assert [call.parent for call in own] == [None, own[0].number, own[1].number]
    assert all(call.finished for call in own) and recording.outputs == own[2].results


def test_modules_that_are_not_registered_are_named_by_where_they_are_kept() -> None:
    class Unregistered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers, self.heads = [nn.Linear(4, 4), nn.Linear(4, 4)], {"a": nn.Linear(4, 2)}

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = layer(x)
            return self.heads["a"](x) + nn.Linear(4, 2)(x)

    recording = record(Unregistered(), X)
    paths = [call.layer for call in recording.calls if call.is_layer][1:]
    assert paths == ["layers[0]", "layers[1]", "heads['a']", "Linear"]
    assert recording.layer_at["layers[1]"].facts["in_features"] == 4


def test_containers_keep_their_paths() -> None:
    model = nn.Sequential(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), nn.ModuleDict({"head": nn.Linear(4, 2)})["head"])
    assert [call.layer for call in record(model, X).calls if call.is_layer] == ["", "0", "0.0", "0.1", "1"]


def test_hooks_of_the_user_are_part_of_the_pass() -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    model[0].register_forward_hook(lambda _, args, output: torch.cat([output, args[0]], 1))
    model.register_forward_pre_hook(lambda _, args: (args[0][:1],))
    recording = record(model, X)
    assert [recording.shape(number) for number in recording.outputs] == [(1, 8)]
    assert "cat" in [call.name for call in operations(recording)]


# Arguments and outputs


@dataclass
class Output:
    logits: torch.Tensor
    hidden: tuple[torch.Tensor, ...]


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda _, x: {"a": x, "b": [x, x[0]]}, {"a": (2, 4), "b": ((2, 4), (4,))}),
        (lambda self, x: Output(self.fc(x), (x,)), {"logits": (2, 4), "hidden": ((2, 4),)}),
        (lambda self, x: Pair(x, self.fc(x)), ((2, 4), (2, 4))),
        (lambda _, x: (x, None, "text", 3), ((2, 4), None, None, None)),
        (lambda _, x: x.sum(), ()),
        (lambda *_: None, None),
    ],
    ids=["dict", "dataclass", "namedtuple", "mixed", "scalar", "nothing"],
)
def test_forms_of_output(function: Callable[..., Any], expected: Any) -> None:
    model = Does(function)
    with ADAPTER.instrument() as watching:
        model(X)
    assert watching.output() == expected
    probe = watching.probe()
    assert probe is not None and probe.run().output == expected


@pytest.mark.parametrize(
    "args, kwargs",
    [
        ((), {"x": X, "y": X}),
        ((X,), {"y": X}),
        ((), {"x": X, "y": {"inner": [X]}}),
        ((), {"x": X, "y": Pair(X, 3)}),
        ((), {"x": X, "y": Output(X, (X,))}),
    ],
    ids=["by name", "mixed", "nested", "namedtuple", "dataclass"],
)
def test_forms_of_arguments(args: Any, kwargs: Any) -> None:
    model = Does(lambda self, x, **_: self.fc(x))
    with ADAPTER.instrument() as watching:
        model(*args, **kwargs)
    recording = watching.finish(None)
    assert {recording.shape(number) for number in recording.inputs} == {(2, 4)} and len(recording.inputs) >= 1
    (fc,) = [call for call in recording.calls if call.is_layer and call.layer == "fc"]
    assert set(fc.operands) <= set(recording.inputs)
    probe = watching.probe()
    assert probe is not None and probe.run().finished


def test_inner_layers_called_by_name_alone() -> None:
    recording = record(Does(lambda self, x: self.fc(input=x)), X)
    (fc,) = [call for call in recording.calls if call.is_layer and call.layer == "fc"]
    assert fc.operands == recording.inputs


def test_an_inner_layer_called_by_name_that_fails() -> None:
    model = Does(lambda self, x: self.fc(input=x))
    error: Exception | None = None
    with ADAPTER.instrument() as watching:
        try:
            model(torch.ones(2, 5))
        except RuntimeError as raised:
            error = raised
    recording = watching.finish(error)
    fc = next(call for call in recording.calls if call.is_layer and call.layer == "fc")
    assert [recording.shape(number) for number in fc.operands] == [(2, 5)] and not fc.finished


@pytest.mark.parametrize(
    "function, kind",
    [
        (lambda self, x: self.fc(x) + x, "add"),
        (lambda self, x: torch.cat((self.fc(x), x), -1), "concat"),
        (lambda self, x: torch.stack([x, self.fc(x)]), "stack"),
        (lambda self, x: torch.sigmoid(self.fc(x)) * x, "gate"),
        (lambda self, x: self.fc(x) * x, "mul"),
        (lambda self, x: self.fc(x).add_(x), "add"),
        (lambda self, x: torch.maximum(self.fc(x), x), "max"),
    ],
)
def test_kinds_of_junctions(function: Callable[..., Any], kind: str) -> None:
    (junction,) = find_junctions(Graph(record(Does(function), X)))
    assert (junction.kind, junction.status) == (kind, "ok")
    assert sorted(branch.role for branch in junction.branches) == ["main", "skip"]
    assert junction.fork is not None and junction.fork.shape == (2, 4)


def test_a_recording_that_grows_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LIMIT", 10)
    model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(20)))
    recording = record(model, X)
    assert recording.truncated and len(recording.calls) == 10
    find_junctions(Graph(recording))
