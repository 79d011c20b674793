"""Fixes as patches: where their code goes, that the program runs with it, and when there is none."""

from __future__ import annotations

import runpy
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import pytest

import shapewatch
from shapewatch.patches import diff
from shapewatch.report import Fix

HEAD = """
import torch
from torch import nn
"""


def written(folder: Path, program: str) -> Path:
    path = folder / "program.py"
    path.write_text(HEAD.lstrip() + textwrap.dedent(program), encoding="utf-8")
    return path


def first_fix(path: Path) -> Fix:
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    return session.report.diagnoses[0].fixes[0]


def lines_changed(fix: Fix) -> list[str]:
    assert fix.patch is not None, fix.code
    return [line for line in fix.patch.splitlines() if line[:1] in "+-" and line[:4] not in ("--- ", "+++ ")]


def mended(path: Path) -> list[str]:
    """The lines that the patch changes; the program runs with it."""
    fix = first_fix(path)
    told = lines_changed(fix)
    assert fix.patch is not None
    (changed,) = diff.apply(fix.patch)
    assert changed.resolve() == path.resolve()
    runpy.run_path(str(path))
    return told


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path.parent)


def test_one_argument_of_a_layer_in_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(
                    3,  # RGB
                    12,
                    kernel_size=3,
                )  # the only one
                self.out = nn.Linear(12, 5)

            def forward(self, x):
                return self.out(self.conv(x).mean((1, 2, 3)))[:, None]


        class Other(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.out = nn.Conv2d(3, 12, 3), None
                self.out = nn.Linear(10, 5)

            def forward(self, x):
                return self.out(self.conv(x).mean((2, 3)))


        Other()(torch.ones(2, 3, 8, 8))
        """,
    )
    assert mended(path) == ["-        self.out = nn.Linear(10, 5)", "+        self.out = nn.Linear(12, 5)"]


def test_an_entry_of_a_row_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        class Block(nn.Module):
            def __init__(self, width, hidden, out):
                super().__init__()
                self.up = nn.Linear(width, hidden)
                self.down = nn.Linear(hidden, out)

            def forward(self, x):
                return x + self.down(torch.relu(self.up(x)))


        net = nn.Sequential()


        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.Sequential(
                    Block(8, 16, 8),
                    Block(8, 16, 6),  # the odd one
                    Block(8, 16, 8),
                )

            def forward(self, x):
                return self.blocks(x)


        Net()(torch.ones(2, 8))
        """,
    )
    assert mended(path) == [
        "-            Block(8, 16, 6),  # the odd one",
        "+            Block(8, 16, 8),  # the odd one",
    ]


def test_a_new_line_before_the_call_of_the_model(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        net = nn.Conv2d(3, 4, 3)
        for step in range(2):
            images = torch.ones(2, 8, 9, 3)
            out = net(images)
        """,
    )
    assert mended(path) == ["+    images = images.permute(0, 3, 1, 2)"]


PROJECTED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.more = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        out = self.more(torch.relu(self.conv(x)))
        out = out + x
        return out


Net()(torch.ones(2, 3, 8, 8))
"""


def test_a_layer_that_the_class_has_to_make_and_the_line_that_uses_it(tmp_path: Path) -> None:
    assert mended(written(tmp_path, PROJECTED)) == [
        "+        self.shortcut = nn.Conv2d(3, 8, 1, stride=2)",
        "-        out = out + x",
        "+        out = out + self.shortcut(x)",
    ]


@pytest.mark.parametrize("word", ["if", "elif"])
def test_the_header_of_a_condition_keeps_what_is_said_around_it(word: str, tmp_path: Path) -> None:
    """A stride alone changes a shape too; `elif` is no statement that could be written anew."""
    path = written(
        tmp_path,
        f"""
        class Block(nn.Module):
            def __init__(self, width, out, stride=1):
                super().__init__()
                self.conv = nn.Conv2d(width, out, 3, stride=stride, padding=1)
                {"" if word == "if" else "if out < 0: raise ValueError(out)"}
                {word} width != out:  # otherwise as it is
                    # a projection
                    self.shortcut = nn.Conv2d(width, out, 1, stride=stride)
                else:
                    self.shortcut = nn.Identity()

            def forward(self, x):
                return self.conv(x) + self.shortcut(x)


        net = nn.Sequential(Block(3, 8), Block(8, 8, 2), Block(8, 4, 2))
        net(torch.ones(2, 3, 8, 8))
        """,
    )
    if word == "elif":
        assert first_fix(path).patch is None
    else:
        assert mended(path) == [
            "-        if width != out:  # otherwise as it is",
            "+        if width != out or stride != 1:  # otherwise as it is",
        ]


def test_there_is_no_patch_where_several_lines_could_be_meant(tmp_path: Path) -> None:
    """Layers that are changed from outside, in each turn of a loop, would lose what they have learned."""
    fix = first_fix(
        written(
            tmp_path,
            """
            class Block(nn.Module):
                def __init__(self, widths):
                    super().__init__()
                    self.a = nn.Linear(widths[0], widths[1])
                    self.b = nn.Linear(widths[2], widths[0])

                def forward(self, x):
                    return x + self.b(self.a(x))


            net = nn.Sequential(*(Block(widths) for widths in ((8, 4, 4), (8, 5, 4), (8, 4, 4))))
            net(torch.ones(2, 8))
            """,
        )
    )
    assert fix.verified == "forward" and fix.patch is None


def test_there_is_no_patch_that_would_lose_what_is_around_a_layer(tmp_path: Path) -> None:
    fix = first_fix(
        written(
            tmp_path,
            """
            class Net(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.a, self.norm = nn.Linear(4, 6), nn.LayerNorm(6)
                    self.b = nn.utils.parametrizations.weight_norm(nn.Linear(5, 3))

                def forward(self, x):
                    return self.b(self.norm(self.a(x)))


            Net()(torch.ones(2, 4))
            """,
        )
    )
    assert (fix.verified, fix.patch) == ("forward", None), fix


# Diffs


TEXT = "one\ntwo\n\fthree\nfour\nfive\nsix\nseven\neight\nnine\nten"


@pytest.mark.parametrize(
    "after",
    [
        TEXT.replace("two", "2"),
        "zero\n" + TEXT,
        TEXT + "\n",
        TEXT.replace("ten", "10"),
        TEXT.replace("one\n", "").replace("ten", "10\neleven\n"),
    ],
)
def test_a_diff_is_read_as_it_was_written(after: str) -> None:
    (changed,) = diff.read(diff.unified("/elsewhere/a.py", TEXT, after))
    assert changed.path == "/elsewhere/a.py"
    assert diff.patched(TEXT, changed.hunks) == after


@pytest.mark.parametrize("text", ["", "no diff\n", "--- a/x\n+++ b/x\n@@ nonsense\n-a\n+b\n", "--- a/x\n"])
def test_what_is_no_diff(text: str) -> None:
    with pytest.raises(ValueError, match=r"diff|named"):
        diff.read(text)


@pytest.mark.parametrize(
    "content",
    [
        b"a = 1\r\nb = 2\r\n",
        "# -*- coding: latin-1 -*-\na = 'é'\nb = 2\n".encode("latin-1"),
        "\ufeffa = 'é'\nb = 2\n".encode(),
    ],
)
def test_a_file_keeps_its_ends_of_lines_and_its_encoding(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    with path.open(encoding="latin-1" if b"latin-1" in content else "utf-8-sig") as stream:
        text = stream.read()
    diff.apply(diff.unified(str(path), text, text.replace("b = 2", "b = 3")))
    assert path.read_bytes() == content.replace(b"b = 2", b"b = 3")


def test_of_several_files_all_are_changed_or_none(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("a = 1\n")
    other.write_text("b = 7\n")  # changed since
    both = diff.unified(str(one), "a = 1\n", "a = 2\n") + diff.unified(str(other), "b = 1\n", "b = 2\n")
    with pytest.raises(ValueError, match="not as it was"):
        diff.apply(both)
    assert (one.read_text(), other.read_text()) == ("a = 1\n", "b = 7\n")


@pytest.mark.parametrize("fault", ["full", "kept"])
def test_where_one_file_cannot_be_written_none_is(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    for path in (one, other):
        path.write_text("a = 1\n")
    both = "".join(diff.unified(str(path), "a = 1\n", "a = 2\n") for path in (one, other))
    refused = {"full": ".other.py.", "kept": "other.py"}[fault]
    make, opened = tempfile.mkstemp, Path.open

    def full(prefix: str, dir: Path) -> tuple[int, str]:
        if prefix == refused:
            raise OSError(28, "No space left on device", prefix)
        return make(prefix=prefix, dir=dir)

    def kept(path: Path, mode: str = "r", **more: Any) -> Any:
        if path.name == refused and mode == "r+b":
            raise OSError(28, "No space left on device", str(path))
        return opened(path, mode, **more)

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", full)
        patch.setattr(Path, "open", kept)
        with pytest.raises(OSError, match="No space left"):
            diff.apply(both)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one.py": "a = 1\n", "other.py": "a = 1\n"}


def test_a_linked_file_stays_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    real, link = tmp_path / "real.py", tmp_path / "link.py"
    real.write_text("a = 1\n")
    real.chmod(0o755)
    link.symlink_to(real)
    diff.apply(diff.unified(str(link), "a = 1\n", "a = 2\n"))
    assert link.is_symlink() and real.read_text() == "a = 2\n" and real.stat().st_mode & 0o777 == 0o755
    assert len(list(tmp_path.iterdir())) == 2
