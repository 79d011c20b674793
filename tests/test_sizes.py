"""Which input sizes a model accepts: against what the model really does, size by size, with real tensors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import shapewatch
from shapewatch.cli.inputs import parse_input
from shapewatch.sizes import passes
from shapewatch.sizes.accepted import Accepted, Row, Rule
from shapewatch.watching import UsageError
from shapewatch.watching.sized import sizes_of


class UNet(nn.Module):
    """Halves three times, and sets what was there before beside it."""

    def __init__(self, ceil: bool = False, crops: bool = False) -> None:
        super().__init__()
        widths = (4, 6, 8, 10)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip((3, *widths[:-1]), widths, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairwise(widths))
        self.join = nn.ModuleList(nn.Conv2d(2 * a, a, 1) for a in widths[:-1])
        self.pool = nn.MaxPool2d(2, ceil_mode=ceil)
        self.crops = crops

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.down[:-1]:
            x = down(x)
            skips.append(x)
            x = self.pool(x)
        x = self.down[-1](x)
        for up, join, skip in reversed(list(zip(self.up, self.join, skips, strict=True))):
            x = up(x)
            if self.crops:
                x = x[..., : skip.shape[-2], : skip.shape[-1]]
            x = join(torch.cat([skip, x], 1))
        return x


class ViT(nn.Module):
    """A table of 14 x 14 positions, for patches of 4 x 4."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.positions = nn.Parameter(torch.zeros(1, 14 * 14, 8))

    def forward(self, x: Tensor) -> Tensor:
        return (self.patch(x).flatten(2).transpose(1, 2) + self.positions).mean(1)


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.head = nn.Linear(16 * 5 * 5, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        return self.head(functional.max_pool2d(functional.relu(self.conv2(x)), 2).flatten(1))


class Windows(nn.Module):
    """Patches of 2 x 2, and windows of 3 x 3 patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 4, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x)
        batch, channels, height, width = x.shape
        return x.view(batch, channels, height // 3, 3, width // 3, 3).mean((3, 5))


class Adaptive(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 4, 7), nn.MaxPool2d(3, 2), nn.Conv2d(4, 4, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(4, 2),
        )  # fmt: skip


class Language(nn.Module):
    """A table of 40 positions."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(50, 8), nn.Parameter(torch.zeros(40, 8))
        self.attend, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 50)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.words(tokens) + self.positions[: tokens.shape[1]]
        return self.head(self.attend(x, x, x)[0])


class Halves(nn.Module):
    """Two views of each sample, one after the other in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.encode(x).view(2, -1, 4)
        return (one * other).sum(-1)


class Normed(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(8, 4), nn.BatchNorm1d(4))


class Square(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y + y.transpose(2, 3)


class Places(nn.Module):
    """A number of places that has to be right, however they lie."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 2, 1), nn.Linear(2 * 144, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).flatten(1))


def with_size(shape: Sequence[int], axes: Sequence[int], size: int) -> Tensor:
    return torch.zeros([size if axis in axes else given for axis, given in enumerate(shape)])


def really_fits(model: nn.Module, x: Tensor) -> bool:
    try:
        model(x.long() if isinstance(model, Language) else x)
    except (RuntimeError, ValueError):
        return False
    return True


def accepted_by(model: nn.Module, *inputs: str) -> Accepted:
    return sizes_of(model, [parse_input(text) for text in inputs])


def row_of(accepted: Accepted, *names: str) -> Row:
    (row,) = [row for row in accepted.rows if tuple(axis.name for axis in row.axes) == names]
    return row


HEIGHT_AND_WIDTH = ("height", "width")

CASES: dict[str, tuple[Callable[[], nn.Module], str, tuple[str, ...], Rule]] = {
    "unet": (UNet, "1x3x64x64", HEIGHT_AND_WIDTH, Rule(8, None, 8)),
    "unet that crops": (lambda: UNet(ceil=True, crops=True), "1x3x33x33", HEIGHT_AND_WIDTH, Rule()),
    "vit": (ViT, "1x3x56x56", HEIGHT_AND_WIDTH, Rule(56, 59)),
    "lenet": (LeNet, "1x1x32x32", HEIGHT_AND_WIDTH, Rule(32, 35)),
    "windows": (Windows, "1x3x24x24", HEIGHT_AND_WIDTH, Rule(6, None, 6, (0, 1))),
    "adaptive": (Adaptive, "1x3x64x64", HEIGHT_AND_WIDTH, Rule(17)),
    "square": (Square, "1x3x16x16", HEIGHT_AND_WIDTH, Rule()),
    "language": (Language, "2x10:int64", ("length",), Rule(1, 40)),
    "halves": (Halves, "4x8", ("batch",), Rule(2, None, 2)),
    "norm in training": (Normed, "4x8", ("batch",), Rule(2)),
    "features": (Halves, "4x8", ("features",), Rule(8, 8)),
    "channels": (UNet, "1x3x64x64", ("channels",), Rule(3, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_the_model_does(name: str) -> None:
    make, text, names, rule = CASES[name]
    model = make()
    accepted = accepted_by(model, text)
    row = row_of(accepted, *names)
    assert accepted.fits
    assert row.accepts == rule
    shape, axes = parse_input(text).shape, [axis.axis for axis in row.axes]
    with torch.no_grad():
        for changed in [axes] if row.together == "equal" else [[axis] for axis in axes]:
            for size in range(1, 80):
                assert really_fits(model, with_size(shape, changed, size)) == (size in rule), size


@pytest.mark.parametrize(
    ("make", "text", "output"),
    [
        (UNet, "1x3x64x64", (("batch", "4", "height", "width"),)),
        (ViT, "1x3x56x56", (("batch", "8"),)),
        (Windows, "1x3x24x24", (("batch", "4", "height//6", "width//6"),)),
        (Language, "2x10:int64", (("batch", "length", "50"),)),
        (Halves, "4x8", (("batch/2",),)),
    ],
)
def test_what_comes_out_is_told_in_the_names_of_the_axes(
    make: Callable[[], nn.Module], text: str, output: tuple[tuple[str, ...], ...]
) -> None:
    assert accepted_by(make(), text).output == output


def test_axes_that_have_to_be_equal_are_told_as_such() -> None:
    row = row_of(accepted_by(Square(), "1x3x16x16"), "height", "width")
    assert row.together == "equal"
    alone = row.refusals[0]
    assert [axis.name for axis in alone.axes] == ["height"]
    assert alone.location is not None
    assert alone.location.source == "return y + y.transpose(2, 3)"


def test_a_rule_of_one_axis_at_a_time_is_no_rule_of_all() -> None:
    """144 places: 12 x 12, and 6 x 24, but not 6 x 6. Each axis alone takes one size."""
    accepted = accepted_by(Places(), "1x1x12x12")
    assert row_of(accepted, "height", "width").accepts == Rule(12, 12)


# Inputs that do not fit


@pytest.mark.parametrize(
    ("make", "text", "instead"),
    [
        (UNet, "1x3x300x300", ["1x3x296x296", "1x3x304x304"]),
        (UNet, "1x3x300x64", ["1x3x296x64", "1x3x304x64"]),
        (UNet, "1x3x300x100", ["1x3x296x96", "1x3x304x104"]),
        (UNet, "1x1x64x64", ["1x3x64x64"]),
        (UNet, "1x1x300x64", ["1x3x296x64", "1x3x304x64"]),
        (LeNet, "1x1x28x28", ["1x1x32x32"]),
        (LeNet, "1x1x50x50", ["1x1x35x35"]),
        (Language, "1x60:int64", ["1x40"]),
        (Halves, "5x8", ["4x8", "6x8"]),
        (Square, "1x3x16x20", ["1x3x20x20"]),
    ],
)
def test_near_inputs_that_fit(make: Callable[[], nn.Module], text: str, instead: list[str]) -> None:
    model = make()
    accepted = accepted_by(model, text)
    assert accepted.fits is False
    assert accepted.refusal is not None
    assert ["x".join(map(str, shape)) for (shape,) in accepted.instead] == instead
    with torch.no_grad():
        assert not really_fits(model, torch.zeros(parse_input(text).shape))
        assert all(really_fits(model, torch.zeros(shape)) for (shape,) in accepted.instead)


def test_the_row_says_which_size_and_what_is_next_to_it() -> None:
    row = row_of(accepted_by(UNet(), "1x3x300x300"), "height", "width")
    assert (row.given, row.fits, row.near) == ((300, 300), False, (296, 304))
    refusal = row.refusals[0]
    assert (refusal.size, refusal.operation) == (300, "cat")
    assert refusal.location is not None
    assert refusal.location.source == "x = join(torch.cat([skip, x], 1))"
    assert refusal.shapes == ((1, 8, 75, refusal.shapes[0][3]), (1, 8, 74, refusal.shapes[1][3]))


def test_where_nothing_near_fits_nothing_is_made_up() -> None:
    accepted = accepted_by(UNet(), "3x64")
    assert (accepted.fits, accepted.base, accepted.rows, accepted.instead) == (False, (), (), ())
    assert accepted.refusal is not None


# Several inputs


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.read = nn.Embedding(50, 8), nn.LSTM(8, 8, batch_first=True)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.read(self.words(tokens) * mask[..., None])[0]


class Translates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.attend = nn.Embedding(50, 8), nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory = self.words(source)
        return self.attend(self.words(target), memory, memory)[0]


def test_lengths_that_have_to_agree() -> None:
    """A mask of one step or one sample would be repeated: it runs, and is not what was meant."""
    accepted = accepted_by(Masked(), "tokens=2x10:int64", "mask=2x10")
    told = {tuple(axis.name for axis in row.axes): (row.together, row.accepts) for row in accepted.rows}
    assert told == {("batch", "batch"): ("equal", Rule()), ("length", "axis 1"): ("equal", Rule())}
    assert accepted.output == (("batch", "length", "8"),)


def test_lengths_that_may_differ() -> None:
    accepted = accepted_by(Translates(), "source=2x10:int64", "target=2x10:int64")
    lengths = [row for row in accepted.rows if row.axes[0].name == "length"]
    assert [(row.axes[0].input, row.together, row.accepts) for row in lengths] == [
        ("source", "alone", Rule()),
        ("target", "alone", Rule()),
    ]
    assert [row.together for row in accepted.rows if row.axes[0].name == "batch"] == ["equal"]


# What runs and is not accepted


class Squeezes(nn.Module):
    """Squeeze and excitation: what is repeated was averaged over all places, which is meant."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 4, 3, stride=8, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y * torch.sigmoid(self.gate(functional.adaptive_avg_pool2d(y, 1)))


class Stretched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv1d(2, 4, 3, padding=1), nn.Conv1d(2, 4, 4, stride=4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.one(x)[..., ::4]
        return y + self.other(x)


def test_a_size_at_which_a_branch_is_repeated_is_not_accepted() -> None:
    """Of 5, 6 and 7 steps one branch has two, and the other one, which is repeated."""
    accepted = accepted_by(Stretched(), "1x2x16")
    row = row_of(accepted, "length")
    assert row.accepts == Rule(4, None, 4)
    (stretch,) = row.stretches
    assert set(stretch.sizes) <= {5, 6, 7}
    assert stretch.sizes
    assert stretch.location is not None
    assert stretch.location.source == "return y + self.other(x)"
    model = Stretched()
    assert all(really_fits(model, torch.zeros(1, 2, size)) for size in (5, 6, 7)), "it runs"


def test_one_step_that_is_repeated_for_all_positions_is_not_accepted() -> None:
    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.positions = nn.Embedding(50, 8), nn.Parameter(torch.zeros(1, 16, 8))

        def forward(self, tokens: Tensor) -> Tensor:
            return (self.words(tokens) + self.positions).mean(1)

    row = row_of(accepted_by(Positions(), "2x16:int64"), "length")
    assert row.accepts == Rule(16, 16)
    assert [stretch.sizes for stretch in row.stretches] == [(1,)]
    assert row.stretches[0].shapes == ((2, 1, 8), (1, 16, 8))


def test_what_is_repeated_on_purpose_is_accepted() -> None:
    """Also where the search begins with a map of one place, at which nothing is repeated."""
    accepted = accepted_by(Squeezes(), "1x3x8x8")
    assert row_of(accepted, "height", "width").accepts == Rule()


# What cannot be told, and what it may cost


class Reads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if x.sum().item() > 0 else x


def test_a_pass_that_reads_contents_cannot_be_told() -> None:
    accepted = accepted_by(Reads(), "2x4")
    assert (accepted.fits, accepted.rows) == (None, ())
    assert "reads a tensor's contents" in accepted.notes[0]


@pytest.mark.parametrize("most", [1, 5, 40, 100])
def test_the_budget_ends_the_survey_and_what_is_said_is_still_true(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PASSES", most)
    accepted = accepted_by(UNet(), "1x3x64x64")
    assert accepted.passes == most
    assert accepted.ended.startswith(f"the search ended after {most} pass")
    for row in accepted.rows:
        truth = {"height": Rule(8, None, 8), "width": Rule(8, None, 8), "channels": Rule(3, 3), "batch": Rule()}
        assert all((size in row.accepts) <= (size in truth[row.axes[0].name]) for size in range(1, 200))


def test_a_model_is_left_as_it_is() -> None:
    model = Normed()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    drawn = torch.get_rng_state()
    accepted_by(model, "4x8")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(drawn, torch.get_rng_state())
    assert model.training


def test_what_is_no_model_is_said() -> None:
    with pytest.raises(UsageError, match="this is no model"):
        sizes_of(3, [parse_input("1x3")])
    with pytest.raises(UsageError, match="no dtype"):
        accepted_by(Normed(), "4x8:float33")


# The command

NETS = """
import torch
from torch import nn


class Halves(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 2, stride=2)
        self.up = nn.ConvTranspose2d(4, 3, 2, stride=2)

    def forward(self, x):
        return x + self.up(self.conv(x))
"""


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "nets.py").write_text(NETS)
    environment = {"PYTHONPATH": str(Path(shapewatch.__file__).parents[1]), "PATH": ""}
    return subprocess.run(
        [sys.executable, "-m", "shapewatch", "sizes", *words],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_command_says_what_fits(tmp_path: Path) -> None:
    ended = command(tmp_path, "nets.py:Halves", "--input", "1x3x32x32")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "height and width  even" in ended.stdout


def test_the_command_fails_where_the_given_size_does(tmp_path: Path) -> None:
    ended = command(tmp_path, "nets.py:Halves", "--input", "1x3x33x33")
    assert ended.returncode == 1
    assert ended.stdout.startswith("1x3x33x33 does not fit; 1x3x32x32 and 1x3x34x34 do\n")
    assert "`return x + self.up(self.conv(x))` (nets.py:13)" in " ".join(ended.stdout.split())


def test_the_command_writes_json_with_the_names_of_the_attributes(tmp_path: Path) -> None:
    ended = command(tmp_path, "nets.py:Halves", "--input", "1x3x33x33", "--format", "json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (told["schema"], told["fits"], told["given"]) == (1, False, [[1, 3, 33, 33]])
    row = next(row for row in told["rows"] if row["axes"][0]["name"] == "height")
    assert row["accepts"] == {"low": 2, "high": None, "step": 2, "remainders": [0]}
    assert (row["together"], row["near"]) == ("each", [32, 34])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["nets.py:Halves"], "add them, e.g. --input 1x3x224x224"),
        (["nets.py:Halvse", "--input", "1x3x8x8"], "did you mean `Halves`?"),
        (["nets.py:Halves", "--input", "1x3x8x8", "--format", "xml"], "there is no format `xml`"),
        (["nets.py:torch.zeros", "--input", "1x3"], "gives no model"),
    ],
)
def test_wrong_usage_is_one_line(words: list[str], part: str, tmp_path: Path) -> None:
    ended = command(tmp_path, *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert part in ended.stderr
