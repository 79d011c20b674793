"""A size that the program has a formula for keeps it: one number in it is changed, and every other argument stays."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import keras
import pytest
import torch
from keras import layers
from torch import nn

import shapewatch
from shapewatch.adapters.formulas import as_formula, last_axes, runs_once
from shapewatch.adapters.statements import parsed, rewritten
from shapewatch.adapters.torch.own_line import own_construction
from shapewatch.edits import Set
from shapewatch.recording import Span
from tests.support.told import best, failing

BANDS = 24
WIDTHS = [8, 16]


class Scanned(nn.Module):
    """A recurrent layer behind a map whose columns are its steps."""

    def __init__(self, bands: int = BANDS, width: int = 20) -> None:
        super().__init__()
        row: list[nn.Module] = []
        before = 1
        for channels in WIDTHS:
            row += [nn.Conv2d(before, channels, 3, padding=1), nn.MaxPool2d((2, 1))]
            before = channels
        self.maps = nn.Sequential(*row)
        self.scan = nn.GRU(before * (bands // 2), width, batch_first=True, dropout=0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maps(x).permute(0, 3, 1, 2)
        return self.scan(x.flatten(2))[0]


class Counted(nn.Module):
    """The same of numbers, in a row of layers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Flatten(), nn.Linear(6 * 7 * 7, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


class Unread(nn.Module):
    """What is asked for while the program runs."""

    def __init__(self, bands: Any) -> None:
        super().__init__()
        self.fold = nn.Conv1d(1, 4, 3, padding=1)
        self.last = nn.Linear(4 * (int(str(bands)) // 2), 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.fold(x).flatten(1))


class Pooled(nn.Module):
    """Two poolings, of which one has no stride of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.last = nn.Linear(8, 2)


def test_a_number_that_divides() -> None:
    told = failing(Scanned(), torch.randn(2, 1, BANDS, 10))
    code = (
        "self.scan = nn.GRU(before * (bands // 4), width, batch_first=True, dropout=0.0)  # input_size was 192, 96 now"
    )
    assert best(told) == (code, "forward")


def test_a_product_of_numbers() -> None:
    told = failing(Counted(4), torch.randn(2, 1, 10, 10))
    assert best(told) == ("self.net[2] = nn.Linear(6 * 8 * 8, classes)  # in_features was 294, 384 now", "forward")


def test_a_number_where_nothing_proves_a_formula() -> None:
    told = failing(Unread(64), torch.randn(2, 1, 24))
    assert best(told)[0] == "self.last = nn.Linear(96, 3)  # in_features was 128"


def test_a_whole_part_of_what_cannot_be_read() -> None:
    """Whatever is divided by 2 and gives 32, divided by 4 gives 16."""
    told = failing(Unread(64), torch.randn(2, 1, 16))
    code = "self.last = nn.Linear(4 * (int(str(bands)) // 4), 3)  # in_features was 128, 64 now"
    assert best(told)[0] == code


def test_a_setting_that_goes_with_another_is_said_where_it_would_change() -> None:
    with shapewatch.watch() as session:
        model = Pooled()
        model.last(model.pool(torch.randn(1, 4, 16, 16)))
    recording = session.report.recording
    path = next(layer.path for layer in recording.layers if layer.type == "MaxPool2d")
    made = Span(__file__, inspect.getsourcelines(Pooled)[1] + 5, "self.pool = nn.MaxPool2d(2)")
    layers_known = [replace(each, defined=made) if each.path == path else each for each in recording.layers]
    known = replace(recording, layers=tuple(layers_known))
    edit = Set(path, "kernel_size", (3, 3), (2, 2))
    facts = known.layer_at[path].facts
    assert own_construction(edit, ["pool"], {**facts, "kernel_size": (3, 3)}, known) == "nn.MaxPool2d(3, stride=2)"
    both = {**facts, "kernel_size": (3, 3), "stride": (3, 3), "edited": ("kernel_size", "stride")}
    assert own_construction(edit, ["pool"], both, known) == "nn.MaxPool2d(3)"


def test_a_reshape_in_keras() -> None:
    def build() -> None:
        x = keras.Input((BANDS, 10, 1))
        y = layers.Conv2D(WIDTHS[-1], 3, padding="same")(x)
        y = layers.MaxPooling2D((4, 1))(layers.Permute((1, 2, 3))(y))
        y = layers.Permute((2, 1, 3))(y)
        layers.Reshape((10, (BANDS // 2) * WIDTHS[-1]))(y)

    told = failing(build)
    code = "layers.Reshape((10, (BANDS // 4) * WIDTHS[-1]))(y)  # target_shape was (10, 192), (10, 96) now"
    assert code in [fix.code for fix in told.fixes]


@pytest.mark.parametrize(
    ("written", "was", "axes", "formula"),
    [
        ("64 * 7 * 7", 3136, (64, 8, 8), "64 * 8 * 8"),
        ("64 * 7 ** 2", 3136, (64, 8, 8), "64 * 8 ** 2"),
        ("count * 7 * 7", 3136, (64, 8, 8), "count * 8 * 8"),
        ("(BANDS // 4) ** 2 * 5", 180, (3, 3, 5), "(BANDS // 8) ** 2 * 5"),
        ("64 * 7 ** 2", 3136, (64, 8, 9), None),
        ("count * other * 7", 448, (8, 8, 8), None),
        ("BANDS // 2", 12, (2, 3), None),
        ("5 * (BANDS // 4)", 30, (5, 9), None),
        ("5 * (BANDS // 2 // 2)", 30, (5, 3), None),
    ],
)
def test_formulas(written: str, was: int, axes: tuple[int, ...], formula: str | None) -> None:
    node: Any = parsed(written).body[0].value  # type: ignore[union-attr]
    changes = as_formula(node, was, axes, Span(__file__, 20))
    assert (None if changes is None else rewritten(written, changes)) == formula


def test_the_axes_that_a_size_is_of() -> None:
    assert last_axes((2, 10, 6, 8), 48) == (6, 8)
    assert last_axes((None, 6, 8), 48) == (6, 8)
    assert last_axes((2, None, 8), 48) == ()
    assert last_axes((2, 6, 8), 40) == ()


def test_a_line_that_runs_more_than_once(tmp_path: Any) -> None:
    file = tmp_path / "program.py"
    file.write_text(
        "def once():\n    return 1\n\n\ndef twice():\n    return 2\n\n\nonce()\ntwice()\ntwice()\n"
        "for _ in range(3):\n    once = 1\n"
    )
    assert [runs_once(Span(str(file), line)) for line in (2, 6, 9, 13)] == [True, False, True, False]
