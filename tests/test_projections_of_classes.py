"""A projection that is lacking in an instance of the program's own class, in words that are right for all of them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from test_patches import first_fix, mended, written

import shapewatch
from shapewatch.patches import diff

BLOCK = """
class Block(nn.Module):
    def __init__(self, width, out, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(width, out, 3, stride=stride, padding=1)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x):
        return self.norm(self.conv(x)) + x


net = nn.Sequential({blocks})
net(torch.ones(2, 8, 8, 8))
"""


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(conv: str, condition: str | None) -> list[str]:
    projection = f"nn.Sequential({conv}, nn.BatchNorm2d(out))"
    if condition is None:
        lines = [f"        self.shortcut = {projection}"]
    else:
        whole = [f"            {projection}", f"            if {condition}", "            else nn.Identity()"]
        lines = ["        self.shortcut = (", *whole, "        )"]
    used = ["-        return self.norm(self.conv(x)) + x", "+        return self.norm(self.conv(x)) + self.shortcut(x)"]
    return [*(f"+{line}" for line in lines), *used]


@pytest.mark.parametrize(
    ("blocks", "conv", "condition"),
    [
        (
            "Block(8, 8), Block(8, 4)",
            "nn.Conv2d(width, out, 1, stride=stride, bias=False)",
            "stride != 1 or width != out",
        ),
        (
            "Block(8, 8), Block(8, 16, 2), Block(16, 16)",
            "nn.Conv2d(width, out, 1, stride=stride, bias=False)",
            "stride != 1 or width != out",
        ),
        ("Block(8, 16, 2), Block(16, 32, 2)", "nn.Conv2d(width, out, 1, stride=stride, bias=False)", None),
        ("Block(8, 8, 2), Block(8, 8, 2)", "nn.Conv2d(width, out, 1, stride=stride, bias=False)", None),
        (
            "Block(8, 8), Block(8, 16, 2), Block(16, 16), Block(16, 32, 2), Block(32, 32)",
            "nn.Conv2d(width, out, 1, stride=stride, bias=False)",
            "stride != 1 or width != out",
        ),
    ],
)
def test_the_class_makes_it_of_what_it_is_given(blocks: str, conv: str, condition: str | None, tmp_path: Path) -> None:
    assert mended(written(tmp_path, BLOCK.format(blocks=blocks))) == made(conv, condition)


def test_a_class_without_a_word_for_it_has_no_patch(tmp_path: Path) -> None:
    program = BLOCK.format(blocks="Block(8, 8), Block(8, 4)")
    program = program.replace("self.conv = nn.Conv2d(width, out, 3, stride=stride, padding=1)", "self.conv = made(out)")
    fix = first_fix(
        written(
            tmp_path,
            "def made(out):\n    return nn.Conv2d(8, out, 3, padding=1)\n"
            + program.replace("        self.norm = nn.BatchNorm2d(out)", "        self.norm = torch.relu"),
        )
    )
    assert fix.verified == "forward" and fix.patch is None


def test_an_instance_that_projects_already_is_not_projected_again(tmp_path: Path) -> None:
    """What the class is given is not what the new projection of that one would be given."""
    path = written(
        tmp_path,
        """
        class Block(nn.Module):
            def __init__(self, width, out, project=None):
                super().__init__()
                self.conv = nn.Conv2d(width, out, 3, padding=1)
                self.project = project

            def forward(self, x):
                return torch.relu(self.conv(x)) + (x if self.project is None else self.project(x))


        net = nn.Sequential(Block(8, 16, nn.Conv2d(8, 16, 1)), Block(16, 32), Block(32, 32))
        net(torch.ones(2, 8, 8, 8))
        """,
    )
    fix = first_fix(path)
    assert fix.verified == "forward" and fix.patch is None


STAGES = """
class Block(nn.Module):
    def __init__(self, width, out, stride, project=None):
        super().__init__()
        self.conv = nn.Conv2d(width, out, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.project = project

    def forward(self, x):
        skip = x
        if self.project is not None:
            skip = self.project(x)
        return self.norm(self.conv(x)) + skip


def stage(width, out, stride=2, project=None):
    return nn.Sequential(Block(width, out, stride, project), Block(out, out, 1))


def projection(width, out):
    return nn.Sequential(nn.Conv2d(width, out, 1, stride=2, bias=False), nn.BatchNorm2d(out))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage1 = stage(8, 16, project=projection(8, 16))
        self.stage2 = stage(16, 32{lacking})
        self.stage3 = stage(32, 64, project=projection({third}, 64))

    def forward(self, x):
        return self.stage3(self.stage2(self.stage1(x)))


Net()(torch.ones(2, 8, 32, 32))
"""


def test_a_stage_is_given_what_its_siblings_are_given(tmp_path: Path) -> None:
    assert mended(written(tmp_path, STAGES.format(lacking="", third=32))) == [
        "-        self.stage2 = stage(16, 32)",
        "+        self.stage2 = stage(16, 32, project=projection(16, 32))",
    ]


def test_siblings_that_say_it_otherwise_are_no_example(tmp_path: Path) -> None:
    assert first_fix(written(tmp_path, STAGES.format(lacking="", third="int(32)"))).patch is None


KERAS = """
import keras
from keras import layers


class Block(layers.Layer):
    def __init__(self, filters, strides=1):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, strides=strides, padding="same")

    def call(self, x):
        return keras.ops.relu(self.conv(x) + x)


net = keras.Sequential([{blocks}])
net(keras.ops.ones((2, 8, 8, 4)))
"""


@pytest.mark.filterwarnings("ignore:Layer 'block")
def test_a_class_of_keras_is_told_its_stride(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(KERAS.format(blocks="Block(4), Block(8, 2), Block(8), Block(8, 2)"), encoding="utf-8")
    with pytest.raises(ValueError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    fix = session.report.diagnoses[0].fixes[0]
    assert fix.verified == "forward" and fix.patch is not None
    assert fix.code == (
        "self.shortcut = (\n"
        '    layers.Conv2D(filters, 1, strides=strides, padding="same")\n'
        "    if strides != 1\n"
        "    else layers.Identity()\n"
        ")\n"
        "return keras.ops.relu(self.conv(x) + self.shortcut(x))"
    )
    diff.apply(fix.patch)
    runpy.run_path(str(path))


@pytest.mark.filterwarnings("ignore:Layer 'block")
def test_a_class_of_keras_does_not_know_how_many_channels_come_in(tmp_path: Path) -> None:
    """That the second block has another number of them is in no word of its class."""
    path = tmp_path / "net.py"
    path.write_text(KERAS.format(blocks="Block(4), Block(8)"), encoding="utf-8")
    with pytest.raises(ValueError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    fixes = session.report.diagnoses[0].fixes
    assert fixes and not any("if strides" in fix.code or fix.patch for fix in fixes)
