"""A model drawn: which calls share a row, where rows and arcs stand. Nothing here looks at SVG but its size."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from test_render import REPORTS, Tape
from torch import nn

import shapewatch
from shapewatch.flow.junctions import Fork, Junction
from shapewatch.render import as_html
from shapewatch.render.rows import MOST_DRAWN, MOST_ROWS, Course, course_of
from shapewatch.render.spine import CHARACTER, MOST_LANES, Spine, lay_spine
from shapewatch.report import Report


class Residual(nn.Module):
    def __init__(self, width: int, projected: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(width)
        self.skip = nn.Conv2d(width, width, 1) if projected else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(out + self.skip(x))


def resnet(blocks: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), *(Residual(4, number == 0) for number in range(blocks)), nn.Flatten())


class Unet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(3 if n == 0 else 4, 4, 3, 2, 1) for n in range(3))
        self.up = nn.ModuleList(nn.ConvTranspose2d(4 if n == 0 else 8, 4, 2, 2) for n in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for down in self.down:
            x = down(x)
            kept.append(x)
        for up, skip in zip(self.up, reversed(kept[:-1]), strict=True):
            x = torch.cat([up(x), skip], 1)
        return x


class Six(nn.Module):
    """One junction of six branches; the one through `arms[3]` does not fit."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.arms = nn.ModuleList(nn.Conv2d(4, 4, 3, stride if n == 3 else 1, 1) for n in range(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return torch.cat([x, *(arm(x) for arm in self.arms)], 1)


class Dense(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(4 * (n + 1), 4, 3, padding=1) for n in range(layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = [x[:, :1].repeat(1, 4, 1, 1)]
        for layer in self.layers:
            kept.append(layer(torch.cat(kept, 1)))
        return torch.cat(kept, 1)


class Two(nn.Module):
    """Two inputs, each with a road of its own, and an operation in the place of a fork."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 4), nn.Linear(5, 4)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.left(a) + self.right(b)


IMAGE = (1, 3, 16, 16)

CHECKED = {
    "resnet": lambda: shapewatch.check(resnet(3), input_shape=IMAGE),
    "a long resnet": lambda: shapewatch.check(resnet(40), input_shape=IMAGE),
    "unet": lambda: shapewatch.check(Unet(), input_shape=IMAGE),
    "six": lambda: shapewatch.check(Six(), input_shape=IMAGE),
    "six that do not fit": lambda: shapewatch.check(Six(2), input_shape=IMAGE),
    "dense": lambda: shapewatch.check(Dense(30), input_shape=IMAGE),
    "two inputs": lambda: shapewatch.check(Two(), torch.ones(2, 3), torch.ones(2, 5)),
    **{f"written: {name}": make for name, make in REPORTS.items() if name not in ("two", "broadcast")},
}


@pytest.fixture(scope="module", params=CHECKED)
def drawn(request: pytest.FixtureRequest) -> tuple[Report, Course, Spine]:
    report = CHECKED[request.param]()
    course = course_of(report)
    return report, course, lay_spine(course)


# What holds for every drawing


def test_rows_come_in_the_order_of_the_calls(drawn: tuple[Report, Course, Spine]) -> None:
    _, course, spine = drawn
    calls = [number for row in course.rows for number in row.calls]
    assert calls == sorted(set(calls))
    assert [dot.row for dot in spine.dots] == list(range(len(course.rows)))
    assert all(upper.y < lower.y for upper, lower in pairwise(spine.dots))


def test_every_junction_is_there_once(drawn: tuple[Report, Course, Spine]) -> None:
    report, course, _ = drawn
    found = [junction.id for row in course.rows for junction in row.junctions]
    assert sorted(found) == sorted(junction.id for junction in report.junctions)


def test_no_arc_crosses_a_label(drawn: tuple[Report, Course, Spine]) -> None:
    _, _, spine = drawn
    left = min(label.x for label in spine.labels)
    assert all(0 < x <= spine.x for arc in spine.arcs for x, _ in arc.corners)
    assert spine.x + 11 < left  # the widest mark of a junction
    assert all(0 < y < spine.height for arc in spine.arcs for _, y in arc.corners)


def test_no_label_crosses_another(drawn: tuple[Report, Course, Spine]) -> None:
    _, _, spine = drawn
    for one, other in pairwise(sorted(spine.labels, key=lambda label: (label.row, label.column))):
        if one.row == other.row:
            assert one.x + len(one.text) * CHARACTER < other.x
    assert all(label.x + len(label.text) * CHARACTER <= spine.width for label in spine.labels)


def test_arcs_that_stand_beside_each_other_can_be_told_apart(drawn: tuple[Report, Course, Spine]) -> None:
    """Two in one lane follow each other, or leave the same row."""
    _, _, spine = drawn
    for number, one in enumerate(spine.arcs):
        for other in spine.arcs[number + 1 :]:
            if one.lane == other.lane and one.start != other.start:
                assert one.end <= other.start or other.end <= one.start
    assert all(1 <= arc.lane <= MOST_LANES and arc.start < arc.end for arc in spine.arcs)


def test_what_stands_beside_the_spine_is_on_an_arc(drawn: tuple[Report, Course, Spine]) -> None:
    _, course, spine = drawn
    for dot in spine.dots:
        if dot.lane:
            assert course.rows[dot.row].beside
            assert any(arc.lane == dot.lane and arc.start <= dot.row < arc.end for arc in spine.arcs)


def test_an_arc_goes_from_dot_to_dot(drawn: tuple[Report, Course, Spine]) -> None:
    _, _, spine = drawn
    for arc in spine.arcs:
        start, end = spine.dots[arc.start], spine.dots[arc.end]
        assert arc.corners[0] == (start.x, start.y) and arc.corners[-1] == (end.x, end.y)
        assert end.status == arc.status


# What each is drawn as


def course(name: str) -> Course:
    return course_of(CHECKED[name]())


def test_a_small_model_has_a_row_for_each_call() -> None:
    names = [row.name for row in course("six").rows]
    assert names == ["input", "stem", *(f"arms.{n}" for n in range(5)), "cat", "output"]


def test_the_skips_of_a_unet_are_nested() -> None:
    spine = lay_spine(course("unet"))
    inner, outer = sorted(spine.arcs, key=lambda arc: arc.end - arc.start)
    assert outer.start < inner.start and inner.end < outer.end
    assert inner.lane < outer.lane
    assert {arc.status for arc in spine.arcs} == {"ok"}


def test_each_of_six_branches_is_drawn() -> None:
    """One is the spine; four have a call of their own in a lane of their own, and one has none."""
    drawn = course("six")
    spine = lay_spine(drawn)
    assert len(spine.arcs) == 5
    lanes = [dot.lane for dot in spine.dots if dot.lane]
    assert len(lanes) == len(set(lanes)) == sum(row.beside for row in drawn.rows) == 4


def test_a_projection_stands_on_its_skip() -> None:
    drawn = course("resnet")
    assert [row.name for row in drawn.rows if row.beside] == ["1.skip"]


def test_a_pass_that_fails_ends_where_it_fails() -> None:
    drawn = course("six that do not fit")
    last = drawn.rows[-1]
    assert (last.kind, last.shape) == ("failed", "raised here")
    assert last.junctions[0].status == "mismatch" and last.told
    assert "mismatch" in last.what
    assert [row.name for row in drawn.rows if row.told] == ["arms.3", "cat"]
    assert lay_spine(drawn).broken


def test_both_inputs_are_drawn() -> None:
    drawn = course("two inputs")
    spine = lay_spine(drawn)
    assert [row.kind for row in drawn.rows[:2]] == ["input", "input"]
    (arc,) = spine.arcs
    assert drawn.rows[arc.start].kind == "input" and drawn.rows[arc.end].junctions
    assert [dot.lane for dot in spine.dots] == [0, 1, 0, 1, 0, 0]


def test_blocks_that_repeat_each_other_share_a_row() -> None:
    drawn = course("a long resnet")
    assert len(drawn.rows) <= MOST_ROWS
    (fold,) = (row for row in drawn.rows if row.kind == "fold")
    assert len(fold.junctions) > 30
    assert "blocks like" in fold.what and f"{len(fold.junctions)}" in fold.what


def test_what_made_the_weights_is_not_drawn() -> None:
    with shapewatch.watch() as session:
        resnet(1)(torch.zeros(IMAGE))
    names = [row.name for row in course_of(session.report).rows]
    assert sum(call.parent is None for call in session.report.calls) > 20
    assert not [name for name in names if "zeros" in name or "uniform" in name]
    assert len(names) < 15


def test_gradients_are_not_drawn() -> None:
    """Written by hand: what TensorFlow's graph of a training step holds after the loss."""
    tape = Tape()
    image, labels = tape.value((8, 4), "input", "x"), tape.value((8, 2), "input", "y")
    guess = tape.layer("dense", "Dense", "linear", image, (8, 2), units=2)
    loss = tape.op("sub", "sub", "", (guess, labels), (8, 2))
    gradient = tape.op("ReluGrad", "other", "", (loss,), (8, 2))
    for _ in range(3):
        gradient = tape.op("mul", "mul", "", (gradient, loss), (8, 2))
    again = tape.layer("dense", "Dense", "linear", image, (8, 2), units=2)
    tape.op("abs", "other", "", (again,), (8, 2))
    names = [row.name for row in course_of(Report(tape.recording())).rows]
    assert names == ["input x", "input y", "dense", "sub", "dense", "abs"]


def many_blocks(blocks: int, alike: bool) -> Report:
    """Residual blocks one after the other; where they are not alike, each has another number of calls."""
    tape = Tape()
    value = tape.value((2, 4, 8, 8), "input", "x")
    tape.enter("", "Net", (value,))
    junctions = []
    for number in range(blocks):
        path, fork = f"blocks.{number}", value
        tape.enter(path, "Block", (fork,))
        for layer in range(1 if alike else 1 + number % 7):
            value = tape.conv(f"{path}.conv{layer}", value, 4)
        branches = (tape.branch("main", 0, fork, value), tape.branch("skip", 1, fork, fork))
        call = len(tape.calls)
        value = tape.leave(tape.op("add", "add", path, (value, fork), (2, 4, 8, 8)))
        fits = Fork(fork, (2, 4, 8, 8), "")
        junctions.append(Junction(f"{path}:add:0", "add", path, None, branches, fits, "ok", call=call))
    tape.leave(value)
    return Report(tape.recording(), tuple(junctions))


@pytest.mark.parametrize("alike", [True, False])
def test_a_thousand_calls_make_no_endless_page(alike: bool) -> None:
    report = many_blocks(1000, alike)
    rows = course_of(report).rows
    assert len(rows) <= (MOST_ROWS if alike else MOST_DRAWN + 3)
    assert sum(len(row.junctions) for row in rows) == 1000
    assert len(as_html(report)) < 200_000


def test_many_skips_at_once_are_counted_and_not_drawn_over_each_other() -> None:
    """Each starts at a call of its own and all end in one call: they cannot share lanes."""
    drawn = course_of(CHECKED["dense"]())
    spine = lay_spine(drawn)
    assert max(arc.lane for arc in spine.arcs) <= MOST_LANES
    assert spine.left_out > 0
