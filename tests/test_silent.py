"""What runs and is wrong: it is warned of. What is by design: nothing is said. And how a warning is excused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

import shapewatch
from shapewatch.flow.junctions import Graph
from shapewatch.testing import Tape
from shapewatch.watching import ShapeWarning, UsageError


class Net(nn.Module):
    """Layers by name, and what is done with them."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *inputs: Tensor) -> Any:
        return self.run(self, *inputs)


def warned(program: Callable[[], Any]) -> list[str]:
    with shapewatch.watch() as session:
        program()
    return [each.code for each in session.report.diagnoses]


def conv(**options: Any) -> nn.Module:
    return nn.Conv2d(8, 8, 3, padding=1, **options)


# By design


def squeeze_excitation(net: Any, x: Tensor) -> Tensor:
    h = net.conv(x)
    return h * torch.sigmoid(net.fc(h.mean((2, 3)))).view(h.shape[0], -1, 1, 1)


def modulated(net: Any, x: Tensor) -> Tensor:
    scale, shift = net.fc(x.mean((2, 3)))[:, :, None, None], net.conv(x).mean((2, 3), keepdim=True)
    return net.conv(x) * (1 + scale) + shift


def spatial_attention(net: Any, x: Tensor) -> Tensor:
    return x * torch.sigmoid(net.score(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)))


def attention(net: Any, x: Tensor) -> Tensor:
    b, t, c = x.shape
    q, k, v = (layer(x).view(b, t, 2, c // 2).transpose(1, 2) for layer in (net.q, net.k, net.v))
    scores = q @ k.transpose(-2, -1) + net.bias[:, :t, :t]
    scores = scores.masked_fill(torch.ones(t, t).triu(1).bool(), -1e9)
    y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c)
    return net.norm(x + net.scale * y)


def shifted(net: Any, x: Tensor) -> Tensor:
    b, heads, t, places = net.conv(x).shape
    x = F.pad(x, (1, 0)).view(b, heads, places + 1, t)
    return x[:, :, 1:].view(b, heads, t, places)


def prototypes(net: Any, x: Tensor) -> Tensor:
    z = net.fc(x)
    return (z**2).sum(1, keepdim=True) + (net.weight**2).sum(1) - 2 * z @ net.weight.t()


def folded(net: Any, x: Tensor) -> Tensor:
    b, t, *image = x.shape
    return net.fc(net.conv(x.view(b * t, *image)).mean((2, 3)).view(b, t, -1)).mean(1)


def twins(net: Any, x: Tensor, y: Tensor) -> Tensor:
    one, other = net.conv(torch.cat([x, y])).chunk(2)
    return (one - other).abs().mean((1, 2, 3))


def shuffled(net: Any, x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    return net.conv(x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)).flatten(1)


def symmetric(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    return y + y.transpose(2, 3)


def first_of_time(net: Any, x: Tensor) -> Tensor:
    return net.fc(net.rnn(x)[0][-1])


def with_tokens(net: Any, x: Tensor) -> Tensor:
    tokens = net.conv(x).flatten(2).transpose(1, 2)
    tokens = torch.cat([net.token.expand(len(x), -1, -1), tokens], dim=1) + net.positions
    return net.fc(tokens[:, 0])


def parameters(net: Net, **shapes: tuple[int, ...]) -> Net:
    for name, shape in shapes.items():
        net.register_parameter(name, nn.Parameter(torch.rand(shape)))
    return net


def linear(outside: int = 8) -> nn.Module:
    return nn.Linear(8, outside)


IMAGES, STEPS, ROWS = (8, 6, 6), (6, 8), (8,)

BY_DESIGN = {
    "squeeze and excitation": (Net(squeeze_excitation, conv=conv(), fc=linear()), IMAGES),
    "feature-wise modulation": (Net(modulated, conv=conv(), fc=linear()), IMAGES),
    "spatial attention": (Net(spatial_attention, score=nn.Conv2d(2, 1, 3, padding=1)), IMAGES),
    "attention with bias, mask and layer scale": (
        parameters(
            Net(attention, q=linear(), k=linear(), v=linear(), norm=nn.LayerNorm(8)), bias=(2, 9, 9), scale=(8,)
        ),
        STEPS,
    ),
    "relative positions, shifted": (Net(shifted, conv=conv()), IMAGES),
    "distances to prototypes": (parameters(Net(prototypes, fc=linear(5)), weight=(3, 5)), ROWS),
    "time folded into the batch": (Net(folded, conv=conv(), fc=linear(5)), (4, *IMAGES)),
    "channels shuffled": (Net(shuffled, conv=conv()), IMAGES),
    "a map made symmetric": (Net(symmetric, conv=conv()), IMAGES),
    "a class token and positions": (
        parameters(Net(with_tokens, conv=conv(), fc=linear(3)), token=(1, 1, 8), positions=(1, 37, 8)),
        IMAGES,
    ),
}


@pytest.mark.parametrize("batch", (1, 2, 3, 8))
@pytest.mark.parametrize("design", BY_DESIGN)
def test_what_is_by_design_is_no_fault(design: str, batch: int) -> None:
    model, shape = BY_DESIGN[design]
    x = torch.rand(batch, *shape)
    assert warned(lambda: model(x)) == []
    assert shapewatch.check(model, x).diagnoses == ()


def test_two_inputs_that_go_through_one_encoder_as_one_batch() -> None:
    model = Net(twins, conv=conv())
    assert warned(lambda: model(torch.rand(3, *IMAGES), torch.rand(3, *IMAGES))) == []


def test_time_first_is_as_good_as_batch_first() -> None:
    model = Net(first_of_time, rnn=nn.LSTM(8, 8), fc=linear(3))
    assert warned(lambda: model(torch.rand(7, 3, 8))) == []


def test_every_pair_that_is_written_down_is_meant() -> None:
    z = torch.rand(5, 3)
    encoder = nn.Linear(3, 4)

    def contrast() -> None:
        h = encoder(z)
        squares = (h**2).sum(1)
        (squares[:, None] + squares[None] - 2 * h @ h.t()).relu().mean()
        scores = h[:, 0]
        (scores.unsqueeze(1) - scores).relu().mean()
        F.cross_entropy(h @ h.t(), torch.arange(5))
        (h.unsqueeze(1) - torch.rand(7, 4)).pow(2).sum(-1)

    assert warned(contrast) == []


def heads_over_a_graph(net: Any, x: Tensor, adjacency: Tensor) -> Tensor:
    h = net.fc(x).view(len(x), 2, 3)
    scores = h.sum(-1).unsqueeze(1) + h.sum(-1).unsqueeze(0)
    scores = scores.masked_fill(adjacency.unsqueeze(-1) == 0, float("-inf"))
    return torch.einsum("ijh,jhd->ihd", scores.softmax(1), h).mean(dim=1)


def test_heads_that_are_averaged_are_no_steps() -> None:
    model = Net(heads_over_a_graph, fc=nn.Linear(4, 6))
    assert warned(lambda: model(torch.rand(7, 4), torch.eye(7))) == []


def test_as_many_items_as_classes_are_no_fault_of_the_loss() -> None:
    model, x, labels = nn.Linear(4, 3), torch.rand(3, 4), torch.tensor([0, 2, 1])

    def weighted() -> None:
        (F.cross_entropy(model(x), labels, reduction="none") * torch.rand(3)).mean()

    assert warned(weighted) == []


# At fault


def torn(net: Any, x: Tensor) -> Tensor:
    return net.fc(net.conv(x).view(-1, 72))


def heads_without_transpose(net: Any, x: Tensor) -> Tensor:
    y = net.fc(x)
    return (y + y.view(len(x), 2, 6, 4).transpose(1, 2).reshape(y.shape)).mean(1)


def number_added_to_map(net: Any, x: Tensor) -> Tensor:
    return net.conv(x) + net.fc(x.mean((2, 3)))[..., :6]


def gated_by_one(net: Any, x: Tensor) -> Tensor:
    for gate, fc in ((net.one.gate, net.one.fc), (net.two.gate, net.two.fc)):
        x = torch.sigmoid(gate(x)) * fc(x) + x
    return x


def last_step(net: Any, x: Tensor) -> Tensor:
    return net.fc(net.rnn(x)[0][:, -1])


def block(width: int) -> nn.Module:
    return Net(lambda _, x: x, gate=linear(width), fc=linear())


AT_FAULT: dict[str, tuple[nn.Module, tuple[int, ...], str]] = {
    "a view of another size than the item's": (Net(torn, conv=conv(), fc=nn.Linear(72, 3)), (2, *IMAGES), "SW391"),
    "heads without a transposition": (Net(heads_without_transpose, fc=linear()), (3, *STEPS), "SW392"),
    "one number an item, against a map": (
        Net(number_added_to_map, conv=conv(), fc=linear(6)),
        (6, 8, 6, 6),
        "SW291",
    ),
    "height against width": (
        Net(lambda net, x: net.conv(x) + net.other(x).transpose(2, 3), conv=conv(), other=conv()),
        (2, *IMAGES),
        "SW791",
    ),
    "the batch as channels": (
        Net(lambda net, x: net.conv(net.other(x).transpose(0, 1)), conv=conv(), other=conv()),
        (8, *IMAGES),
        "SW791",
    ),
    "one gate for all channels": (Net(gated_by_one, one=block(8), two=block(1)), (3, 8), "SW292"),
    "steps over the batch": (Net(last_step, rnn=nn.GRU(8, 5), fc=nn.Linear(5, 2)), (3, *STEPS), "SW691"),
    "softmax over the batch": (nn.Sequential(linear(3), nn.Softmax(dim=0)), (4, 8), "SW191"),
    "branches beside one another": (
        Net(lambda net, x: torch.cat([net.conv(x), net.other(x)], dim=2), conv=conv(), other=conv()),
        (2, *IMAGES),
        "SW491",
    ),
}


@pytest.mark.parametrize("fault", AT_FAULT)
def test_what_runs_and_is_wrong_is_warned_of(fault: str) -> None:
    model, shape, code = AT_FAULT[fault]
    x = torch.rand(shape)
    assert warned(lambda: model(x)) == [code]
    report = shapewatch.check(model, x)
    assert report.ok and [each.code for each in report.diagnoses] == [code]


def test_the_loss_of_every_pair() -> None:
    model, x, y = nn.Linear(3, 1), torch.rand(5, 3), torch.rand(5)
    assert warned(lambda: ((model(x) - y) ** 2).mean()) == ["SW891"]
    with pytest.warns(UserWarning, match="target size"):
        assert warned(lambda: F.mse_loss(model(x), y)) == ["SW891"]
    assert warned(lambda: ((model(x).squeeze(1) - y.view(-1, 1)) ** 2).mean()) == ["SW891"]
    assert warned(lambda: ((model(x).squeeze(1) - y) ** 2).mean()) == []
    assert warned(lambda: F.cross_entropy(model(x), torch.zeros(5, dtype=torch.long))) == []


# Excused


def pairs(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    return (model(x) - y).abs().mean()


def test_a_comment_excuses_the_line() -> None:
    model, x, y = nn.Linear(3, 1), torch.rand(5, 3), torch.rand(5)
    assert warned(lambda: pairs(model, x, y)) == ["SW891"]
    assert warned(lambda: model(x) - y) == []  # shapewatch: ok
    assert warned(lambda: model(x) - y) == []  # shapewatch: ok SW891
    assert warned(lambda: model(x) - y) == []  # shapewatch: ok SW291, SW891
    assert warned(lambda: model(x) - y) == ["SW891"]  # shapewatch: ok SW291
    assert warned(lambda: model(x) - y) == ["SW891"]  # shapewatch is okay


def test_a_comment_speaks_for_the_whole_statement() -> None:
    model, x, y = nn.Linear(3, 1), torch.rand(5, 3), torch.rand(5)
    with shapewatch.watch() as session:
        difference = (
            model(x)
            - y
        )  # shapewatch: ok  # fmt: skip
        assert difference.shape == (5, 5)
    assert session.report.diagnoses == ()


class ExcusedWhereMade(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(8, 5)  # shapewatch: ok SW691
        self.fc = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return last_step(self, x)


def test_a_comment_where_the_layer_is_made_speaks_for_its_calls() -> None:
    assert warned(lambda: ExcusedWhereMade()(torch.rand(3, *STEPS))) == []


def test_warnings_can_be_allowed_or_raised() -> None:
    model, x, y = nn.Linear(3, 1), torch.rand(5, 3), torch.rand(5)
    with shapewatch.watch(warnings="allow") as session:
        pairs(model, x, y)
    assert session.report.diagnoses == ()
    with pytest.raises(ShapeWarning, match="SW891"), shapewatch.watch(warnings="raise") as session:
        pairs(model, x, y)
    assert [each.code for each in session.report.diagnoses] == ["SW891"]
    with pytest.raises(UsageError, match="'allow', 'warn', 'raise'"):
        shapewatch.watch(warnings="error")


def test_an_error_goes_before_a_warning_that_is_raised() -> None:
    model, x, y = nn.Linear(3, 1), torch.rand(5, 3), torch.rand(5)
    with pytest.raises(RuntimeError, match="mat1 and mat2"), shapewatch.watch(warnings="raise"):
        pairs(model, x, y)
        model(y)


def test_a_decorated_function_warns_raises_or_is_silent(recwarn: pytest.WarningsRecorder) -> None:
    model, x, y = nn.Linear(3, 1), torch.rand(5, 3), torch.rand(5)
    shapewatch.watch(warnings="allow")(pairs)(model, x, y)
    assert not recwarn
    with pytest.warns(ShapeWarning, match="SW891"):
        shapewatch.watch(pairs)(model, x, y)
    with pytest.raises(ShapeWarning, match="SW891"):
        shapewatch.watch(warnings="raise")(pairs)(model, x, y)


def test_check_raises_where_asked_to() -> None:
    model, shape, code = AT_FAULT["softmax over the batch"]
    assert shapewatch.check(model, input_shape=shape, warnings="allow").diagnoses == ()
    with pytest.raises(ShapeWarning, match=code):
        shapewatch.check(model, input_shape=shape, warnings="raise")


PROGRAM = """
import torch
from torch import nn

def model():
    return nn.Sequential(nn.Linear(8, 3), nn.Softmax(dim=0))

model()(torch.rand(4, 8))
"""


@pytest.mark.parametrize("wish, status, said", [("allow", 0, False), ("warn", 0, True), ("raise", 1, True)])
def test_the_command_line_does_as_it_is_told(wish: str, status: int, said: bool, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(PROGRAM, encoding="utf-8")
    run = [sys.executable, "-m", "shapewatch"]
    ran = subprocess.run([*run, "run", "--warnings", wish, script], capture_output=True, text=True, check=False)
    assert (ran.returncode, "SW191" in ran.stderr) == (status, said)
    words = [*run, "check", f"{script}:model", "--input", "4x8", "--warnings", wish]
    checked = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (checked.returncode, "SW191" in checked.stdout) == (status, said)


# Where the batch went


def test_a_batch_that_is_folded_is_found_again() -> None:
    tape = Tape()
    x = tape.input(4, 6, 10)
    rows = tape.op("view", x, kind="reshape", shape=(24, 10))
    y = tape.layer("fc", "linear", rows, shape=(24, 5))
    back = tape.op("view", y, kind="reshape", shape=(4, 6, 5))
    turned = tape.op("permute", back, kind="permute", shape=(5, 4, 6), dims=(2, 0, 1))
    lineage = Graph(tape.recording()).lineage
    assert lineage.batch_axes(rows.number) == () and lineage.holds_batch(rows.number)
    assert lineage.batch_axes(back.number) == (0,)
    assert lineage.batch_axes(turned.number) == (1,)


def test_a_batch_that_is_cut_is_lost() -> None:
    tape = Tape()
    x = tape.input(4, 6, 10)
    rows = tape.op("view", x, kind="reshape", shape=(3, 80))
    back = tape.op("view", rows, kind="reshape", shape=(4, 60))
    lineage = Graph(tape.recording()).lineage
    assert not lineage.holds_batch(rows.number)
    assert lineage.batch_axes(back.number) == ()


def test_an_unknown_batch_is_followed_too() -> None:
    tape = Tape()
    x = tape.input(None, 6, 10)
    rows = tape.op("view", x, kind="reshape", shape=(None, 60))
    mean = tape.op("mean", x, kind="reduce", shape=(None, 10), dim=1)
    lineage = Graph(tape.recording()).lineage
    assert lineage.batch_axes(rows.number) == lineage.batch_axes(mean.number) == (0,)
