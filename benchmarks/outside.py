"""Whole programs by people who do not know the rules: does shapewatch name the line that their author changes?

    python -m benchmarks.outside --jobs 2
    python -m benchmarks.outside --only 'torch-7-*' --explain
    python -m benchmarks.outside --healthy --jobs 2

Each folder of `benchmarks/outside` has a program with one slip (`main.py`), and what the slip is and how its author
mends it (`truth.json`, `healthy` as a diff), all written before shapewatch was run on any of it. The number in a
name is the round in which it was written. A program is run by `shapewatch run`, as a user would. Of the first diagnosis
of severity `error`:

    line       the line to be changed, as its cause or its best fix has it, is the author's, or a part of that statement
    elsewhere  another line is named
    unnamed    no cause is named
    nothing    there is no diagnosis
    trouble    the program did not fail, or shapewatch did

This is less than the judgement of a reader, who asks whether the code is what the author would write; see the README.
`--healthy` runs the mended ones, of which every diagnosis is a false alarm. `--fix` applies the patch of `shapewatch
fix --unverified` to a copy of each and runs that: it comes to its end, or it does not, or there is no patch.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.programs import environment, say_cause, watched
from benchmarks.tables import table
from shapewatch.patches import diff

FOLDER = Path(__file__).parent / "outside"
VERDICTS = ("line", "elsewhere", "unnamed", "nothing", "trouble")
OF_HEALTHY = ("silent", "alarm", "trouble")
OF_PATCHES = ("runs", "fails", "no patch")


@dataclass(frozen=True)
class Outside:
    """A program with a slip: where it is, the line that its author changes, and all of what changes as a diff."""

    folder: Path
    slip: str
    line: int
    mending: str

    @property
    def healthy(self) -> str:
        """The program as its author mends it."""
        (changed,) = diff.read(self.mending)
        return diff.patched((self.folder / "main.py").read_text(encoding="utf-8"), changed.hunks)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def kind(self) -> str:
        return "-".join(self.name.split("-")[:2])


def outside(only: Sequence[str] = ()) -> list[Outside]:
    """The programs, in order; `only` are patterns for their names."""
    found = []
    for path in sorted(FOLDER.glob("*/truth.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        found.append(Outside(path.parent, truth["slip"], truth["line"], "\n".join([*truth["healthy"], ""])))
    return [each for each in found if not only or any(fnmatch(each.name, pattern) for pattern in only)]


def mended(program: Outside, timeout: float) -> tuple[str, str]:
    """What becomes of a copy of the program to which `shapewatch fix` applied its patch, and what that says."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / program.name
        shutil.copytree(program.folder, copy)
        before = (copy / "main.py").read_text(encoding="utf-8")
        _in(copy, timeout, "-m", "shapewatch", "fix", "--apply", "--unverified", "main.py")
        after = (copy / "main.py").read_text(encoding="utf-8")
        changed = [
            line.strip()
            for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
            if line.startswith("+") and not line.startswith("+++")
        ]
        said = " | ".join(changed)
        return ("runs" if _in(copy, timeout, "main.py") == 0 else "fails") if changed else "no patch", said


def _in(folder: Path, timeout: float, *words: str) -> int | None:
    """The exit status of Python in a folder; None where it does not end."""
    try:
        return subprocess.run(
            [sys.executable, *words], cwd=folder, env=environment(), capture_output=True, timeout=timeout, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def silent(program: Outside, timeout: float) -> tuple[str, str]:
    """Whether the mended program runs in silence, and the codes of what is said of it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / program.name
        shutil.copytree(program.folder, copy)
        (copy / "main.py").write_text(program.healthy, encoding="utf-8")
        status, report, _ = watched(copy / "main.py", timeout)
    alarms = [each["code"] for each in (report or {"diagnoses": []})["diagnoses"]]
    return ("trouble" if status != 0 else "alarm" if alarms else "silent"), " ".join(alarms)


def judged(program: Outside, timeout: float) -> tuple[str, str]:
    """The verdict of a broken program, and what was said."""
    status, report, _ = watched(program.folder / "main.py", timeout)
    return judge(program, status, report)


def judge(program: Outside, status: int | None, report: Mapping[str, Any] | None) -> tuple[str, str]:
    """The verdict, and what was said."""
    if status != 1 or report is None:
        return "trouble", ""
    errors = [diagnosis for diagnosis in report["diagnoses"] if diagnosis["severity"] == "error"]
    if not errors:
        return "nothing", ""
    told = errors[0]
    said = f"{told['code']} {say_cause(told['cause'])}"
    places = [told["cause"], *told["fixes"][:1]]
    lines = [place["location"]["line"] for place in places if place is not None and place.get("location")]
    if any(line in _statement(program) for line in lines):
        return "line", said
    return ("elsewhere" if told["cause"] is not None else "unnamed"), said


def _statement(program: Outside) -> range:
    """The lines of the smallest statement that the author's line is in."""
    tree = ast.parse((program.folder / "main.py").read_text(encoding="utf-8"))
    steps = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    around = [node for node in steps if node.lineno <= program.line <= (node.end_lineno or 0)]
    inner = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)
    return range(program.line, program.line + 1) if inner is None else range(inner.lineno, (inner.end_lineno or 0) + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outside", description="Run the outside programs.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="programs, by name or pattern")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--healthy", action="store_true", help="the mended programs, which have to run in silence")
    how.add_argument("--fix", action="store_true", help="apply the patch of `shapewatch fix`, and run the program")
    parser.add_argument("--explain", action="store_true", help="print the slip and what is said of it")
    parser.add_argument("--jobs", type=int, default=1, choices=(1, 2), help="programs at once (%(default)s)")
    parser.add_argument("--timeout", type=float, default=180, metavar="SECONDS", help="for one program (%(default)s)")
    given = parser.parse_args(arguments)
    chosen = outside(given.only)
    counts: Counter[tuple[str, str]] = Counter()
    verdict_of = mended if given.fix else silent if given.healthy else judged
    with ThreadPoolExecutor(given.jobs) as pool:
        ran = pool.map(lambda program: verdict_of(program, given.timeout), chosen)
        for program, (verdict, said) in zip(chosen, ran, strict=True):
            counts[program.kind, verdict] += 1
            print(f"{verdict:9} {program.name}  {said}", flush=True)
            if given.explain:
                print(f"{'':10}line {program.line}: {program.slip}")
    verdicts = OF_PATCHES if given.fix else OF_HEALTHY if given.healthy else VERDICTS
    kinds = sorted({kind for kind, _ in counts})
    rows = [[kind, *(str(counts[kind, verdict]) for verdict in verdicts)] for kind in kinds]
    print(f"\n{table(['programs', *verdicts], rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
