"""The README shows what really comes out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import golden
import pytest

ROOT = Path(__file__).parents[1]
SHOWN = re.compile(r"(<!-- output of (\S+) -->\n```\n)(.*?)(```\n<!-- end -->)", re.DOTALL)


README = ROOT / "README.md"


@pytest.mark.parametrize("script", [block[2] for block in SHOWN.finditer(README.read_text(encoding="utf-8"))])
def test_a_block_of_output_is_the_output(script: str, pytestconfig: pytest.Config) -> None:
    text = README.read_text(encoding="utf-8")
    block = next(block for block in SHOWN.finditer(text) if block[2] == script)
    ended = subprocess.run(
        [sys.executable, "-m", "shapewatch", "run", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    first = next(i for i, line in enumerate(lines) if re.match(r"\w+Error: ", line))
    real = "\n".join(lines[first:]).replace(str(ROOT), ".") + "\n"
    if pytestconfig.getoption(golden.OPTION):
        README.write_text(text[: block.start(3)] + real + text[block.end(3) :], encoding="utf-8")
        return
    assert block[3] == real


DIFFERENCE = re.compile(r"(<!-- diff of (\S+) (\S+) -->\n```\n)(.*?)(```\n<!-- end -->)", re.DOTALL)


def shapewatch_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "shapewatch", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_block_of_a_diff_is_the_diff(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    text = README.read_text(encoding="utf-8")
    (block,) = DIFFERENCE.finditer(text)
    for name, script in (("works.json", block[2]), ("fails.json", block[3])):
        (tmp_path / script).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / script).write_text((ROOT / script).read_text(encoding="utf-8"), encoding="utf-8")
        shapewatch_in(tmp_path, "run", "-o", name, script)
    ended = shapewatch_in(tmp_path, "diff", "works.json", "fails.json")
    assert (ended.returncode, ended.stderr) == (1, "")
    if pytestconfig.getoption(golden.OPTION):
        README.write_text(text[: block.start(4)] + ended.stdout + text[block.end(4) :], encoding="utf-8")
        return
    assert block[4] == ended.stdout


PRINTED = re.compile(r"(<!-- printed by ([^\n]+) -->\n```\n)(.*?)(```\n<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("command", [block[2] for block in PRINTED.finditer(README.read_text(encoding="utf-8"))])
def test_what_a_command_prints_is_what_it_prints(command: str, pytestconfig: pytest.Config) -> None:
    text = README.read_text(encoding="utf-8")
    block = next(block for block in PRINTED.finditer(text) if block[2] == command)
    words = [sys.executable, "-m", "shapewatch", *command.split()]
    real = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120).stdout
    if pytestconfig.getoption(golden.OPTION):
        README.write_text(text[: block.start(3)] + real + text[block.end(3) :], encoding="utf-8")
        return
    assert block[3] == real


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
