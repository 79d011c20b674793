"""`shapewatch fix`, in processes of its own: the diff alone on standard output, the files changed, the exit status."""

from __future__ import annotations

from pathlib import Path

from benchmarks.outside import outside
from tests.test_cli import assert_one_line, cli, python, write

BROKEN = """
import sys

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.conv = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.out = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.conv(x)
        return self.out(x.mean((2, 3)))


print("begins", sys.argv[1:])
images = torch.zeros(2, 3, 8, 8)
print("output", tuple(Net()(images).shape))
"""

DIFF = """--- a/net.py
+++ b/net.py
@@ -9,7 +9,7 @@
     def __init__(self):
         super().__init__()
         self.stem = nn.Conv2d(3, 16, 3, padding=1)
-        self.conv = nn.Conv2d(16, 16, 3, stride=2, padding=1)
+        self.conv = nn.Conv2d(16, 16, 3, stride=1, padding=1)
         self.out = nn.Linear(16, 10)
{}
     def forward(self, x):
""".format(" ")


def test_the_diff_is_alone_on_standard_output(tmp_path: Path) -> None:
    net = write(tmp_path, "net.py", BROKEN)
    for words in (("net.py", "--lr", "1"), ("--diff", "net.py"), ("net.py", "--diff", "--lr", "1")):
        ended = cli(tmp_path, "fix", *words)
        assert (ended.code, ended.out) == (1, DIFF)
        assert ("begins ['--lr', '1']" if "--lr" in words else "begins []") in ended.err
        assert "SW201" in ended.err and "Traceback" not in ended.err
    assert net.read_text(encoding="utf-8") == BROKEN


def test_the_file_is_changed_and_the_program_runs(tmp_path: Path) -> None:
    write(tmp_path, "net.py", BROKEN)
    ended = cli(tmp_path, "fix", "net.py", "--apply")
    assert ended.code == 0
    assert ended.err.endswith("shapewatch fix: changed net.py; run the program again to see it through\n")
    assert python(tmp_path, "net.py").out == "begins []\noutput (2, 10)\n"
    again = cli(tmp_path, "fix", "--apply", "net.py")
    assert (again.code, again.out) == (0, "")
    assert again.err.endswith("shapewatch fix: no shape error, so there is nothing to fix\n")


def test_a_module_of_a_package(tmp_path: Path) -> None:
    write(tmp_path, "package/__init__.py", "")
    write(tmp_path, "package/net.py", BROKEN)
    ended = cli(tmp_path, "fix", "-m", "package.net")
    assert (ended.code, ended.out) == (
        1,
        DIFF.replace("a/net.py", "a/package/net.py").replace("b/net", "b/package/net"),
    )


def test_a_program_that_changes_itself_while_it_runs_is_left_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        "net.py",
        BROKEN.replace('print("begins"', 'open(__file__, "w").write("# another one\\n")\nprint("begins"'),
    )
    ended = cli(tmp_path, "fix", "--apply", "net.py")
    assert ended.code == 1
    assert "net.py is not as it was run: line 9 and those behind it are other ones by now" in ended.err
    assert (tmp_path / "net.py").read_text() == "# another one\n"


def test_another_error_stays_the_programs_own(tmp_path: Path) -> None:
    write(tmp_path, "net.py", "import torch\nraise LookupError('no weights')\n")
    ended = cli(tmp_path, "fix", "net.py")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("LookupError: no weights\n") and "shapewatch/" not in ended.err


def test_a_fix_that_belongs_in_no_one_line(tmp_path: Path) -> None:
    write(
        tmp_path,
        "net.py",
        """
        import torch
        from torch import nn

        net = nn.Sequential(*(nn.Linear(8, width) for width in (8, 7, 8, 8)))
        net(torch.zeros(2, 8))
        """,
    )
    ended = cli(tmp_path, "fix", "net.py")
    assert (ended.code, ended.out) == (1, "")
    assert "SW102" in ended.err
    assert ended.err.splitlines()[-1].startswith("shapewatch fix: no fix of this can be written")


def test_a_fix_that_could_not_be_tried_is_asked_for(tmp_path: Path) -> None:
    """An operation outside of every model is not run again."""
    (program,) = outside(["torch-5-09-dqn-gather"])
    before = (program.folder / "main.py").read_text(encoding="utf-8")
    path = write(tmp_path, "main.py", before)
    ended = cli(tmp_path, "fix", "--apply", "main.py")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("--unverified makes a patch of it\n")
    assert path.read_text(encoding="utf-8") == before
    assert cli(tmp_path, "fix", "--apply", "--unverified", "main.py").code == 0
    assert python(tmp_path, "main.py").code == 0


def test_wrong_usage(tmp_path: Path) -> None:
    write(tmp_path, "net.py", "")
    assert_one_line(cli(tmp_path, "fix", "--diff", "net.py", "--apply"), "give one of them")
    assert_one_line(cli(tmp_path, "fix"), "there is nothing to run")
    assert_one_line(cli(tmp_path, "fix", "nte.py"), "did you mean `net.py`?")
