"""Whole programs by people who do not know the rules: does shapewatch name the line that their author changes?

    python -m benchmarks.outside --jobs 2
    python -m benchmarks.outside --only 'torch-7-*' --explain
    python -m benchmarks.outside --healthy --jobs 2

Each folder of `benchmarks/outside` has a program with one slip (`main.py`), the same as its author mends it
(`healthy.py`), and what the slip is (`truth.json`), all written before shapewatch was run on any of it. The number in a
name is the round in which it was written. A program is run by `shapewatch run`, as a user would. Of the first diagnosis
of severity `error`:

    line       the line to be changed, as its cause or its best fix has it, is the author's, or a part of that statement
    elsewhere  another line is named
    unnamed    no cause is named
    nothing    there is no diagnosis
    trouble    the program did not fail, or shapewatch did

This is less than the judgement of a reader, who asks whether the code is what the author would write; see the README.
`--healthy` runs the mended ones, of which every diagnosis is a false alarm.
"""

from __future__ import annotations

import argparse
import ast
import json
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

from benchmarks.programs import environment, say_cause
from benchmarks.tables import table

FOLDER = Path(__file__).parent / "outside"
VERDICTS = ("line", "elsewhere", "unnamed", "nothing", "trouble")


@dataclass(frozen=True)
class Outside:
    """A program with a slip: where it is, and the line that its author changes."""

    folder: Path
    slip: str
    line: int

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
        found.append(Outside(path.parent, truth["slip"], truth["line"]))
    return [each for each in found if not only or any(fnmatch(each.name, pattern) for pattern in only)]


def run(script: Path, timeout: float) -> tuple[int | None, Mapping[str, Any] | None]:
    """The exit status of a program, and what shapewatch reports of it; None where it does not end, or says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [sys.executable, "-m", "shapewatch", "run", "--format", "json", "-o", str(out), str(script)]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, env=environment(), cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            return None, None
        return ended.returncode, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


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
    parser.add_argument("--healthy", action="store_true", help="the mended programs, which have to run in silence")
    parser.add_argument("--explain", action="store_true", help="print the slip and what is said of it")
    parser.add_argument("--jobs", type=int, default=1, choices=(1, 2), help="programs at once (%(default)s)")
    parser.add_argument("--timeout", type=float, default=180, metavar="SECONDS", help="for one program (%(default)s)")
    given = parser.parse_args(arguments)
    chosen, script = outside(given.only), "healthy.py" if given.healthy else "main.py"
    counts: Counter[tuple[str, str]] = Counter()
    with ThreadPoolExecutor(given.jobs) as pool:
        ran = pool.map(lambda program: run(program.folder / script, given.timeout), chosen)
        for program, (status, report) in zip(chosen, ran, strict=True):
            if given.healthy:
                alarms = [each["code"] for each in (report or {"diagnoses": []})["diagnoses"]]
                verdict, said = ("trouble" if status != 0 else "alarm" if alarms else "silent"), " ".join(alarms)
            else:
                verdict, said = judge(program, status, report)
            counts[program.kind, verdict] += 1
            print(f"{verdict:9} {program.name}  {said}", flush=True)
            if given.explain:
                print(f"{'':10}line {program.line}: {program.slip}")
    verdicts = ("silent", "alarm", "trouble") if given.healthy else VERDICTS
    kinds = sorted({kind for kind, _ in counts})
    rows = [[kind, *(str(counts[kind, verdict]) for verdict in verdicts)] for kind in kinds]
    print(f"\n{table(['programs', *verdicts], rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
