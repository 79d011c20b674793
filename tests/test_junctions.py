"""Where branches part and meet: forks, roles, roads, kinds and status, on small models that are really run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import shapewatch
from shapewatch.flow.junctions import Graph, Junction, find_junctions
from shapewatch.report import Report
from shapewatch.testing import Tape


class Model(nn.Module):
    """Layers by name, and a forward given from outside: the smallest way to write a model with one junction."""

    def __init__(self, forward: Callable[..., Any], **layers: Any) -> None:
        super().__init__()
        self.said = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: Any) -> Any:
        return self.said(self, *inputs)


def recorded(model: nn.Module, *inputs: Tensor) -> Report:
    with shapewatch.watch(model) as session:
        model(*inputs)
    return session.report


def only(report: Report) -> Junction:
    (junction,) = report.junctions
    return junction


def roads(junction: Junction) -> list[tuple[str, str]]:
    """(role, names of the calls on the branch) of each operand."""
    return [(branch.role, " ".join(step.name for step in branch.path)) for branch in junction.branches]


def conv(given: int, wanted: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(given, wanted, kernel, stride, kernel // 2)


def image(channels: int = 4, size: int = 8, batch: int = 2) -> Tensor:
    return torch.zeros(batch, channels, size, size)


# One junction


def test_a_basic_residual() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        x = self.stem(x)
        return torch.relu(self.bn(self.conv2(torch.relu(self.conv1(x)))) + x)

    model = Model(forward, stem=conv(3, 4), conv1=conv(4, 4), conv2=conv(4, 4), bn=nn.BatchNorm2d(4))
    junction = only(recorded(model, image(3)))
    assert (junction.kind, junction.layer, junction.status, junction.axes) == ("add", "", "ok", ())
    assert roads(junction) == [("main", "conv1 relu conv2 bn"), ("skip", "")]
    assert junction.fork is not None
    assert (junction.fork.made_by, junction.fork.shape) == ("stem", (2, 4, 8, 8))
    assert [branch.shape for branch in junction.branches] == [(2, 4, 8, 8)] * 2
    assert [step.layer for step in junction.branches[0].path] == ["conv1", None, "conv2", "bn"]
    assert junction.location is not None and junction.location.source is not None
    assert "+ x" in junction.location.source


def test_the_skip_may_come_first() -> None:
    model = Model(lambda self, x: x + self.conv(x), conv=conv(4, 4))
    assert roads(only(recorded(model, image()))) == [("skip", ""), ("main", "conv")]


def test_a_projection_on_the_skip() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        out = self.conv2(torch.relu(self.conv1(x)))
        out += self.shortcut(x)
        return out

    shortcut = nn.Sequential(conv(4, 8, 1, 2), nn.BatchNorm2d(8))
    model = Model(forward, conv1=conv(4, 8, 3, 2), conv2=conv(8, 8), shortcut=shortcut)
    junction = only(recorded(model, image()))
    assert roads(junction) == [("main", "conv1 relu conv2"), ("skip", "0 1")]
    assert [step.layer for step in junction.branches[1].path] == ["shortcut.0", "shortcut.1"]
    assert [step.shape for step in junction.branches[1].path] == [(2, 8, 4, 4)] * 2
    assert junction.fork is not None and junction.fork.made_by == "the input"
    assert junction.status == "ok"


def test_a_dense_block_concatenates_three() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        one = self.one(x)
        two = self.two(torch.cat([x, one], 1))
        return torch.cat([x, one, two], 1)

    first, second = recorded(Model(forward, one=conv(4, 2), two=conv(6, 2)), image()).junctions
    assert (first.kind, first.status, len(first.branches)) == ("concat", "ok", 2)
    assert (second.kind, second.status) == ("concat", "ok")
    assert roads(second) == [("skip", ""), ("skip", "one"), ("main", "one cat two")]
    assert second.fork is not None and second.fork.made_by == "the input"
    assert [branch.shape[1] for branch in second.branches] == [4, 2, 2]


def test_a_long_skip_of_a_unet() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        down = self.down(x)
        return self.head(torch.cat([self.up(self.middle(self.pool(down))), down], dim=1))

    layers = {"down": conv(3, 4), "pool": nn.MaxPool2d(2), "middle": conv(4, 8), "head": conv(8, 1)}
    model = Model(forward, up=nn.ConvTranspose2d(8, 4, 2, 2), **layers)
    junction = only(recorded(model, image(3, 16)))
    assert junction.fork is not None and junction.fork.made_by == "down"
    assert roads(junction) == [("main", "pool middle up"), ("skip", "")]
    assert [step.shape[2] for step in junction.branches[0].path] == [8, 8, 16]


def test_a_highway_has_two_gates_and_a_sum() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x))
        return gate * torch.relu(self.plain(x)) + (1 - gate) * x

    junctions = recorded(Model(forward, gate=nn.Linear(5, 5), plain=nn.Linear(5, 5)), torch.zeros(2, 5)).junctions
    assert [(junction.kind, junction.status) for junction in junctions] == [("gate", "ok")] * 2 + [("add", "ok")]
    assert roads(junctions[0]) == [("main", "gate sigmoid"), ("skip", "plain relu")]
    assert roads(junctions[1]) == [("main", "gate sigmoid rsub"), ("skip", "")]


@pytest.mark.parametrize("squash", [nn.Sigmoid(), nn.Hardsigmoid(), nn.Softmax(1)])
def test_squeeze_and_excitation_is_a_gate_that_broadcasts(squash: nn.Module) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.squash(self.excite(self.squeeze(x)))

    model = Model(forward, conv=conv(4, 4), squeeze=nn.AdaptiveAvgPool2d(1), excite=conv(4, 4, 1), squash=squash)
    report = recorded(model, image())
    junction = only(report)
    assert (junction.kind, junction.status, junction.axes) == ("gate", "broadcast", (2, 3))
    assert roads(junction) == [("skip", ""), ("main", "squeeze excite squash")]
    assert junction.fork is not None and junction.fork.made_by == "conv"
    assert report.diagnoses == ()


def test_a_product_that_nothing_squashed_is_no_gate() -> None:
    model = Model(lambda self, x: x * self.linear(x), linear=nn.Linear(5, 5))
    assert only(recorded(model, torch.zeros(2, 5))).kind == "mul"


def test_a_skip_around_an_lstm() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        return self.norm(out + x)

    model = Model(forward, lstm=nn.LSTM(6, 6, batch_first=True), norm=nn.LayerNorm(6))
    junction = only(recorded(model, torch.zeros(2, 3, 6)))
    assert roads(junction) == [("main", "lstm"), ("skip", "")]
    assert [branch.shape for branch in junction.branches] == [(2, 3, 6)] * 2


@pytest.mark.parametrize(
    ("meet", "kind"),
    [
        (lambda a, b: torch.stack([a, b]), "stack"),
        (lambda a, b: torch.maximum(a, b), "max"),
        (lambda a, b: torch.max(a, b), "max"),
        (lambda a, b: torch.minimum(a, b), "min"),
        (lambda a, b: a - b, "sub"),
        (lambda a, b: torch.where(a > 0, a, b), "where"),
        (lambda a, b: torch.add(a, b, alpha=2), "add"),
        (lambda a, b: a.add_(b), "add"),
    ],
    ids=["stack", "maximum", "max", "minimum", "sub", "where", "add", "add in place"],
)
def test_kinds(meet: Callable[[Tensor, Tensor], Tensor], kind: str) -> None:
    model = Model(lambda self, x: meet(self.one(x), self.two(x)), one=nn.Linear(5, 5), two=nn.Linear(5, 5))
    junction = only(recorded(model, torch.zeros(2, 5)))
    assert (junction.kind, junction.status) == (kind, "ok")
    assert {"one", "two"} <= {step.name for branch in junction.branches for step in branch.path}


def test_a_sum_in_place_is_a_junction_and_what_follows_comes_after_it() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        x = self.stem(x)
        out = self.conv1(x)
        out += x
        return self.conv2(out) + out

    layers = {"stem": conv(3, 4), "conv1": conv(4, 4), "conv2": conv(4, 4)}
    first, second = recorded(Model(forward, **layers), image(3)).junctions
    assert roads(first) == [("main", "conv1"), ("skip", "")]
    assert first.fork is not None and first.fork.made_by == "stem"
    assert roads(second) == [("main", "conv2"), ("skip", "")]
    assert second.fork is not None and second.fork.made_by == "add"


# Which operands are branches


def test_two_inputs_that_are_added_have_no_fork() -> None:
    model = Model(lambda self, x, y: self.one(x) + y, one=nn.Linear(5, 5))
    junction = only(recorded(model, torch.zeros(2, 5), torch.zeros(2, 5)))
    assert junction.fork is None
    assert roads(junction) == [("main", "one"), ("skip", "")]


@pytest.mark.parametrize("other", [nn.Parameter(torch.zeros(5)), torch.zeros(5), 3.0])
def test_a_weight_or_a_constant_is_no_branch(other: Any) -> None:
    """`x + position` joins nothing, and neither does a tensor that the forward makes."""
    model = Model(lambda self, x: self.one(x) + self.other, one=nn.Linear(5, 5), other=other)
    assert recorded(model, torch.zeros(2, 5)).junctions == ()
    made = Model(lambda self, x: self.one(x) + torch.zeros(5), one=nn.Linear(5, 5))
    assert recorded(made, torch.zeros(2, 5)).junctions == ()


def test_a_value_added_to_itself_is_no_junction() -> None:
    model = Model(lambda self, x: self.one(x) + self.one(x).mul(2), one=nn.Linear(5, 5))
    assert len(recorded(model, torch.zeros(2, 5)).junctions) == 1
    twice = Model(lambda self, x: (y := self.one(x)) + y, one=nn.Linear(5, 5))
    assert recorded(twice, torch.zeros(2, 5)).junctions == ()


def test_a_shared_layer_is_one_place_and_two_junctions() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        for _ in range(2):
            x = self.block(x)
        return x

    block = Model(lambda self, x: self.conv(x) + x, conv=conv(4, 4))
    first, second = recorded(Model(forward, block=block), image()).junctions
    assert first.layer == second.layer == "block"
    assert first.fork is not None and first.fork.made_by == "the input"
    assert second.fork is not None and second.fork.made_by == "add"
    assert roads(first) == roads(second) == [("main", "conv"), ("skip", "")]
    assert first.id == second.id and first.call != second.call


def test_a_layer_shared_by_both_branches() -> None:
    model = Model(lambda self, x, y: self.one(x) * self.one(y), one=nn.Linear(5, 5))
    assert roads(only(recorded(model, torch.zeros(2, 5), torch.zeros(2, 5)))) == [("main", "one"), ("skip", "one")]


def test_a_residual_in_a_residual() -> None:
    def inner(self: Any, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x)) + x

    def outer(self: Any, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.last(self.inner(x)) + x

    inside = Model(inner, conv1=conv(4, 4), conv2=conv(4, 4))
    model = Model(outer, stem=conv(3, 4), inner=inside, last=conv(4, 4))
    first, second = recorded(model, image(3)).junctions
    assert (first.layer, second.layer) == ("inner", "")
    assert roads(first) == [("main", "conv1 conv2"), ("skip", "")]
    assert roads(second) == [("main", "conv1 conv2 add last"), ("skip", "")]
    assert first.fork is not None and second.fork is not None
    assert first.fork.value == second.fork.value


def test_a_module_in_a_plain_list_has_a_name() -> None:
    model = Model(lambda self, x: self.convs[1](self.convs[0](x)) + x, convs=[conv(4, 4), conv(4, 4)])
    main, _ = only(recorded(model, image())).branches
    assert [step.layer for step in main.path] == ["convs[0]", "convs[1]"]


@pytest.mark.parametrize(
    ("give", "take"),
    [
        (lambda a, b: (a, b), lambda out: out),
        (lambda a, b: [a, b], lambda out: out),
        (lambda a, b: {"a": a, "b": b}, lambda out: (out["a"], out["b"])),
        (lambda a, b: (a, {"b": [b]}), lambda out: (out[0], out[1]["b"][0])),
    ],
    ids=["tuple", "list", "dict", "nested"],
)
def test_values_are_followed_through_structures(give: Callable[..., Any], take: Callable[[Any], Any]) -> None:
    split = Model(lambda self, x: give(self.one(x), self.two(x)), one=nn.Linear(5, 5), two=nn.Linear(5, 5))

    def forward(self: Any, x: Tensor) -> Tensor:
        a, b = take(self.split(x))
        return a + b

    junction = only(recorded(Model(forward, split=split), torch.zeros(2, 5)))
    assert roads(junction) == [("main", "one"), ("skip", "two")]
    assert junction.fork is not None and junction.fork.made_by == "the input"


# Status


def test_the_call_that_raised_is_a_junction_that_does_not_fit() -> None:
    model = Model(lambda self, x: self.conv(x) + x, conv=conv(4, 8, 3, 2))
    with pytest.raises(RuntimeError), shapewatch.watch(model) as session:
        model(image())
    junction = only(session.report)
    assert (junction.status, junction.axes) == ("mismatch", (1, 2, 3))
    assert [branch.shape for branch in junction.branches] == [(2, 8, 4, 4), (2, 4, 8, 8)]
    assert session.report.diagnoses[0].junction == junction


@pytest.mark.parametrize(
    ("name", "shapes", "status", "axes"),
    [
        ("add", [(2, 4, 8), (2, 4, 8)], "ok", ()),
        ("add", [(2, 4, 8), (2, 1, 8)], "broadcast", (1,)),
        ("add", [(2, 4, 8), (4, 8)], "broadcast", (0,)),
        ("add", [(2, 4, 8), (2, 5, 8)], "mismatch", (1,)),
        ("add", [(2, 4, 8), (2, None, 8)], "ok", ()),
        ("add", [(2, 4, 8), (2, None, 9)], "mismatch", (2,)),
        ("concat", [(2, 4, 8), (2, 5, 8)], "ok", ()),
        ("concat", [(2, 4, 8), (2, 5, 9)], "mismatch", (2,)),
        ("concat", [(2, 4, 1), (2, 5, 8)], "mismatch", (2,)),
        ("concat", [(2, 4, 8), (2, 4)], "mismatch", ()),
        ("stack", [(2, 4), (2, 5)], "mismatch", (1,)),
        ("stack", [(2, 4), (2, None)], "ok", ()),
    ],
)
def test_status(name: str, shapes: list[tuple[int, ...]], status: str, axes: tuple[int, ...]) -> None:
    tape = Tape()
    tape.fails(name, *(tape.input(*shape) for shape in shapes), dim=1 if name == "concat" else 0)
    (junction,) = find_junctions(Graph(tape.recording()))
    assert (junction.status, junction.axes) == (status, axes)
