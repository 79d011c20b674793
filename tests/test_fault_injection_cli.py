"""Every function of shapewatch is made to fail, one at a time, while its command runs, and while it is asked something.

`run` leaves the program's own output, exception and exit status. The other commands never find less than they should:
either the answer, or exit status 2 with one line.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import surroundings
from support.faults import (
    COMMON,
    OF_A_BLOCK,
    OF_TAPS,
    Outcome,
    OwnError,
    Trial,
    Watch,
    by_python,
    outcome,
    places,
    unwatched,
    without_caches,
)
from support.faults_in_torch import ENDS, OF_A_TRIAL, OF_PYTORCH, put_back
from support.residual import Net, image

import shapewatch
from shapewatch.cli import main, program
from shapewatch.firewall import Faults

pytestmark = pytest.mark.own_faults

quiet = pytest.fixture(autouse=True)(without_caches)

PARTS = (*COMMON, "adapters.torch", "cli")

BEFORE_THE_WORDS_ARE_READ = {
    "cli.command.parser_of", "cli.output.add_output_arguments", "cli.output.add_warnings_argument",
    "cli.run.Run.prepare_parser",
}  # fmt: skip
"""Then there is no telling what is to be run."""

WALL = OF_A_BLOCK | OF_TAPS | OF_PYTORCH | {
    # What the process calls, and what is between Python and the program.
    "cli.main", "cli._carried_out", "cli._command", "cli._fail", "cli.errors.faults_in_one_line",
    "cli.errors.CommandError.__init__", "cli.errors.CommandError.exit_code", "cli.run.Run.run", "cli.run._words",
    "cli.run._ready_unless_faulty", "cli.run._say", "cli.run._conclude", "cli.program._file.<lambda>",
    "cli.program._run_file", "cli.program._as_main", "cli.program.leave_as_pythons_own.show",
}  # fmt: skip

SCRIPT = """
import sys
import torch
from torch import nn

print("begins with", *sys.argv[1:])
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear({width}, 2))
y = model(torch.ones(3, 4))
print("gives", *y.shape)
{end}
"""

SCRIPTS = {
    "sound": SCRIPT.format(width=8, end=""),
    "broken": SCRIPT.format(width=9, end=""),
    "ends with a status": SCRIPT.format(width=8, end="sys.exit(3)"),
    "ends with an exception": SCRIPT.format(width=8, end="raise KeyError('mine')"),
    "no Python": "print(",
}


@contextmanager
def as_a_process() -> Iterator[None]:
    """`run` makes this process the program's: afterwards it is the tests' again."""
    kept = list(sys.argv), list(sys.path), sys.modules["__main__"], sys.excepthook
    try:
        yield
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"], sys.excepthook = kept


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 61], ids=["all", "some"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_run_leaves_the_program_as_it_is(
    name: str, every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPTS[name])
    monkeypatch.setattr(program, "by_python_itself", by_python)  # its output would not be seen here

    def run(watch: Watch) -> Any:
        with as_a_process():
            try:
                return by_python([str(script), "5"]) if watch is unwatched else main(["run", str(script), "5"])
            except SystemExit as end:
                return f"exit {end.code}"

    trial = Trial(run, PARTS, WALL | BEFORE_THE_WORDS_ARE_READ, surroundings, put_back, OF_A_TRIAL, ENDS, silent=False)
    assert trial.wrong(every) == []


@pytest.mark.parametrize("name", sorted(BEFORE_THE_WORDS_ARE_READ))
def test_nothing_runs_of_words_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("print('begins')")
    (place,) = (place for place in places("cli") if place.name == name)
    with place.failing():
        found = asked(["run", str(tmp_path / "script.py")])
    assert (found.result, found.printed, found.raised) == (2, "", [])
    assert found.complained.startswith("shapewatch run: OwnError") and found.complained.count("\n") == 1


@pytest.mark.parametrize("words", [["SCRIPT", "5"], ["-m", "script", "5"]])
def test_a_program_that_cannot_be_watched_is_run_by_python(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys\nprint('begins with', *sys.argv[1:])\nsys.exit(3)\n")
    breaking = "from shapewatch.cli import main, run; import sys; run.open_output = None; sys.exit(main(sys.argv[1:]))"
    given = [str(tmp_path / "script.py") if word == "SCRIPT" else word for word in words]
    ran = subprocess.run(
        [sys.executable, "-c", breaking, "run", *given], cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(Path(shapewatch.__path__[0]).parent)},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (3, "begins with 5\n")
    assert ran.stderr.startswith("shapewatch run: TypeError: ") and ran.stderr.count("\n") == 1


# What is asked: the answer, or one line


TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    y = a @ b
RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)
"""

COMMANDS = {
    "check": ["check", "MODEL", "--input", "1x3x8x8"],
    "check, as JSON": ["check", "MODEL", "--input", "1x3x8x8", "-o", "FOLDER/report.json"],
    "check, as HTML": ["check", "MODEL", "--input", "1x3x8x8", "--no-source", "-o", "FOLDER/report.html"],
    "summary": ["summary", "MODEL", "--input", "1x3x8x8"],
    "summary, as HTML": ["summary", "MODEL", "--input", "1x3x8x8", "-o", "FOLDER/report.html"],
    "sizes": ["sizes", "MODEL", "--input", "1x3x8x8"],
    "explain": ["explain", "FOLDER/log.txt"],
    "a page": ["explain", "SW201"],
}


def asked(words: list[str]) -> Outcome:
    def run(_: Watch) -> Any:
        with as_a_process():
            return main(words)

    return outcome(run)


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 61], ids=["all", "some"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_answers_or_says_in_one_line_that_it_cannot(name: str, every: int, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(TRACEBACK)
    (tmp_path / "net.py").write_text("from support.residual import Net\n\ndef model():\n    return Net(stride=2)\n")
    folder = str(tmp_path)
    words = [word.replace("FOLDER", folder).replace("MODEL", f"{folder}/net.py:model") for word in COMMANDS[name]]
    healthy = asked(words)
    assert healthy.result in (0, 1) and not healthy.raised
    wrong = []
    tried = [place for place in Trial(lambda _: asked(words), PARTS, WALL).reached() if place.name not in WALL]
    assert len(tried) > 10
    for place in tried[::every]:
        faults = Faults.count
        with place.failing():
            found = asked(words)
        lines = found.complained.splitlines()
        in_one_line = found.result == 2 and len(lines) == 1 and lines[0].startswith(f"shapewatch {words[0]}: ")
        if found.raised or not (found.result == healthy.result or in_one_line):
            wrong.append(f"{place.name}: {found!r:.300}")
        elif Faults.count == faults and found.result == 2 and not place.name.startswith(OF_A_TRIAL):
            wrong.append(f"{place.name}: not counted")
        put_back()
    assert wrong == []


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 61], ids=["all", "some"])
@pytest.mark.parametrize("function", ["check", "explain"])
def test_a_function_that_is_asked(function: str, every: int) -> None:
    """`explain` is asked while an exception is handled, and never raises one. `check` has no report, or one that says
    that something is wrong."""
    model, x = Net(stride=2), image()

    def ask() -> Any:
        return shapewatch.check(model, x) if function == "check" else shapewatch.explain(TRACEBACK)

    wrong = []
    for place in Trial(lambda _: ask(), PARTS, WALL | {"watching.explain", "watching.checked.check"}).reached()[
        ::every
    ]:
        with place.failing(), contextlib.redirect_stderr(io.StringIO()):
            try:
                answer = ask()
            except OwnError as error:
                answer = error
        put_back()
        if function == "explain" and not isinstance(answer, shapewatch.Diagnosis | None):
            wrong.append(f"{place.name}: {answer!r}")
        if isinstance(answer, shapewatch.Report) and answer.ok and not answer.notes:
            wrong.append(f"{place.name}: all is well")
    assert wrong == []
