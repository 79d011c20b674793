"""`shapewatch report`: what was saved reads as it did when it was live, and what is no report is told in one line."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_cli import PASTED, Ended, assert_one_line, cli, environment, python
from test_render import REPORTS, healthy, residual, two

from shapewatch.messages.explain import explain_text
from shapewatch.render import FORMATS, as_text, summary_text
from shapewatch.report import Report


def again(report: Report) -> Report:
    """A report as it comes out of a file."""
    return Report.from_json(report.to_json())


def texts(report: Report) -> list[str]:
    return [as_text(report), as_text(report, full=True), summary_text(report)] + [
        format.write(report) for format in FORMATS.values()
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_every_text_is_that_of_the_live_report(name: str) -> None:
    assert texts(again(REPORTS[name]())) == texts(REPORTS[name]())


def test_so_is_that_of_a_traceback_that_was_explained() -> None:
    report = explain_text([PASTED])
    assert report is not None
    assert texts(again(report)) == texts(report)


EXAMPLES = ["torch/two_faults.py", "torch/unet_odd_input.py", "torch/silent_broadcast.py", "keras/two_faults.py"]

LIVE = """
import runpy, sys
import shapewatch
from shapewatch.render import as_text
with shapewatch.watch() as session:
    try:
        runpy.run_path(sys.argv[1], run_name="__main__")
    except Exception:
        pass
session.report.save(sys.argv[2])
open(sys.argv[3], "w", encoding="utf-8").write(as_text(session.report))
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_an_example_gave_is_shown_again(example: str, tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "examples" / example
    assert python(tmp_path, "-c", LIVE, str(script), "report.json", "live.txt").code == 0
    ended = cli(tmp_path, "report", "report.json")
    assert ended.out == (tmp_path / "live.txt").read_text(encoding="utf-8") + "\n"
    broken = not Report.load(tmp_path / "report.json").ok
    assert (ended.code, ended.err, broken) == (int(broken), "", example != "torch/silent_broadcast.py")


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    residual().save(tmp_path / "residual.json")
    healthy().save(tmp_path / "healthy.json")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(("name", "code"), [("residual", 1), ("healthy", 0)])
def test_the_exit_status_is_that_of_what_was_found(name: str, code: int, folder: Path) -> None:
    assert cli(folder, "report", f"{name}.json") == Ended(code, as_text(REPORTS[name]()) + "\n", "")


def test_every_format_can_be_had_again(folder: Path) -> None:
    whole = (folder / "residual.json").read_text(encoding="utf-8")
    assert cli(folder, "report", "residual.json", "--format", "json") == Ended(1, whole, "")
    assert json.loads(cli(folder, "report", "residual.json", "--format", "sarif").out)["version"] == "2.1.0"
    assert cli(folder, "report", "residual.json", "-o", "again.sarif") == Ended(1, "", "")
    assert json.loads((folder / "again.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert (folder / "residual.json").read_text(encoding="utf-8") == whole


def test_a_report_is_read_from_standard_input(folder: Path) -> None:
    whole = (folder / "residual.json").read_text(encoding="utf-8")
    words = ("-m", "shapewatch", "report", "-")
    assert python(folder, *words, stdin=whole) == Ended(1, as_text(residual()) + "\n", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_shell_redirected_in_its_own_encoding_is_read(encoding: str, folder: Path) -> None:
    (folder / "shell.json").write_text(two().to_json(), encoding=encoding)
    assert as_text(Report.load(folder / "shell.json")) == as_text(two())


def test_no_framework_is_imported(folder: Path) -> None:
    program = (
        "import sys; from shapewatch.cli import main; main(['report', 'residual.json']); "
        "print(sorted({'torch', 'tensorflow', 'keras', 'jax', 'numpy', 'rich'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment(), capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "[]"


WRONG: dict[str, tuple[Callable[[str], bytes], str]] = {
    "truncated": (lambda whole: whole[: len(whole) // 2].encode(), "its JSON ends early, at line "),
    "cut in a word": (lambda whole: whole[: whole.index("BasicBlock") + 3].encode(), "its JSON ends early, at line "),
    "empty": (lambda _: b"", "it is empty"),
    "a text": (lambda _: b"RuntimeError: mat1", "it is not JSON (Expecting value at line 1 column 1)"),
    "binary": (lambda _: b"\x89PNG\r\n\x1a\n\xff\xfe\x80", "it is not JSON but a binary file"),
    "a list": (lambda _: b"[1, 2]", "it has no `schema`"),
    "another schema": (lambda _: b'{"schema": "a"}', "this report has schema 'a'; this shapewatch reads schema 1"),
    "newer": (lambda _: b'{"schema": 2}', "this report has schema 2; this shapewatch reads schema 1, update it"),
    "hollow": (lambda _: b'{"schema": 1}', "a Recording has no `framework`"),
    "no junctions": (lambda whole: whole.replace('"junctions"', '"junction"').encode(), "it has no `junctions`"),
    "nested": (lambda _: b"[" * 200_000, "its JSON cannot be read (maximum recursion depth"),
    "a number too long": (lambda _: b'{"schema": ' + b"1" * 9000 + b"}", "its JSON cannot be read (Exceeds the limit"),
    "sarif": (lambda _: FORMATS["sarif"].write(residual()).encode(), "this is SARIF"),
    "of other types": (lambda whole: whole.replace('"line": 41', '"line": "41"').encode(), "'41' stands where int"),
    "a stray value": (
        lambda whole: whole.replace('"operands": [\n        0', '"operands": [\n        999').encode(),
        "takes or gives a value that is not there",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_report_is_told_in_one_line(name: str, folder: Path) -> None:
    spoil, part = WRONG[name]
    (folder / "wrong.json").write_bytes(spoil((folder / "residual.json").read_text(encoding="utf-8")))
    assert_one_line(cli(folder, "report", "wrong.json"), "shapewatch report: `wrong.json`: this ", part)
    with pytest.raises(ValueError, match=r"wrong\.json: this "):
        Report.load(folder / "wrong.json")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("resiual.json",), "there is no file `resiual.json`; did you mean `residual.json`?"),
        (("nowhere/report.json",), "there is no file `nowhere/report.json`; shapewatch run --format json"),
        (("folder",), "`folder` is a folder; name a file in it"),
        ((), "FILE"),
        (("residual.json", "healthy.json"), "unrecognized arguments: healthy.json"),
        (("residual.json", "--format", "pdf"), "there is no format `pdf`"),
        (("-",), "standard input: this is no shapewatch report: it is empty"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], part: str, folder: Path) -> None:
    assert_one_line(cli(folder, "report", *words), part)


# Whatever is changed in a file


def spoiled(data: Any, chance: random.Random) -> Any:
    """The data with one of its parts taken away, doubled or replaced by something else."""
    if not isinstance(data, dict | list) or not data or chance.random() < 0.15:
        return chance.choice([None, -1, 10**9, "x", [], {}, [data, data], True, 0.5])
    if isinstance(data, dict):
        key = chance.choice(list(data))
        if chance.random() < 0.1:
            return {name: value for name, value in data.items() if name != key}
        return data | {key: spoiled(data[key], chance)}
    index = chance.randrange(len(data))
    if chance.random() < 0.1:
        return data[:index] + data[index + 1 :]
    return [*data[:index], spoiled(data[index], chance), *data[index + 1 :]]


@pytest.mark.parametrize("name", ["residual", "unet", "two", "dense"])
def test_a_file_that_was_changed_is_shown_or_refused(name: str) -> None:
    """Never anything else: what is read from a file breaks no report."""
    whole, chance = REPORTS[name]().to_dict(), random.Random(name)
    shown = 0
    for _ in range(150):
        data = spoiled(json.loads(json.dumps(whole)), chance)
        try:
            report = Report.from_dict(data)
        except ValueError as error:
            assert str(error).startswith("this "), error
            continue
        assert all(texts(report))
        shown += 1
    assert 0 < shown < 150
