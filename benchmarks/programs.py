"""How often shapewatch explains a broken program, and names what is wrong in it.

    python -m benchmarks.programs --split dev --jobs 2

Each program in `benchmarks/programs` is a whole one, of the kind that people ask about: Keras, TensorFlow 2, and
TensorFlow 1 with placeholders and sessions. It is run by `shapewatch run --format json`, as a user would, and has to
fail. Its header says what is wrong:

    # fault: the second weights take 128 numbers, the first give 256
    # code: SW1                            codes, or how they begin; any of them is right
    # named: W2 | [128, 10]                a layer, a variable or a part of the source line; any of them is right
    # fix: W2 = tf.Variable(tf.random_normal([256, 10]))

Of the first diagnosis of severity `error`:

    named      its code is one of these, and its cause is one of these: the layer, the line where it is made, or the
               words for it; where it names no layer, its headline or the line where it raised is looked at instead
    explained  the code is right, and no cause is named
    misled     the code is right, and something else is named; or a fix was verified for a fault of another kind
    other      the code is another one
    nothing    there is no diagnosis
    trouble    the program did not fail, or shapewatch did

The programs in `held_out` were written before shapewatch was run on any, and are counted only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from benchmarks.tables import table

FOLDER = Path(__file__).parent / "programs"
SPLITS = ("dev", "held_out")
VERDICTS = ("named", "explained", "misled", "other", "nothing", "trouble")

Verdict = Literal["named", "explained", "misled", "other", "nothing", "trouble"]

_HEADER = re.compile(r"^# (fault|code|named|fix): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """A broken program, and what is wrong in it."""

    path: Path
    fault: str
    codes: tuple[str, ...]
    named: tuple[str, ...]
    fix: str

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def split(self) -> str:
        return self.path.parent.name

    @property
    def style(self) -> str:
        return (
            "TensorFlow 1" if "tensorflow.compat.v1" in self.path.read_text(encoding="utf-8") else "TensorFlow 2, Keras"
        )


@dataclass(frozen=True)
class Outcome:
    """What shapewatch made of a program."""

    name: str
    split: str
    style: str
    verdict: Verdict
    code: str = ""
    headline: str = ""
    cause: str = ""
    fixes: tuple[str, ...] = ()
    said: str = ""
    seconds: float = 0.0


def read(path: Path) -> Program:
    """A program with its header.

    Raises:
        ValueError: a part of the header is missing.
    """
    told = dict(_HEADER.findall(path.read_text(encoding="utf-8")))
    missing = {"fault", "code", "named", "fix"} - told.keys()
    if missing:
        raise ValueError(f"{path}: the header does not say {', '.join(sorted(missing))}")
    names = tuple(name.strip() for name in told["named"].split(" | "))
    return Program(path, told["fault"], tuple(told["code"].split()), names, told["fix"])


def programs(split: str = "all", only: Sequence[str] = ()) -> list[Program]:
    """The programs of a split, in order; `only` are patterns for their names."""
    chosen = SPLITS if split == "all" else (split,)
    found = [read(path) for each in chosen for path in sorted((FOLDER / each).glob("*.py"))]
    return [program for program in found if not only or any(fnmatch(program.name, pattern) for pattern in only)]


# Running one


def run(program: Program, timeout: float = 180) -> Outcome:
    """Run a program as a user would, and judge what shapewatch says."""
    started = time.perf_counter()
    status, report, said = watched(program.path, timeout)
    if status is None:
        return Outcome(program.name, program.split, program.style, "trouble", said=said)
    outcome = judge(program, status, report, said)
    return Outcome(**{**asdict(outcome), "seconds": time.perf_counter() - started})


def watched(script: Path, timeout: float) -> tuple[int | None, Mapping[str, Any] | None, str]:
    """The exit status of a program, what shapewatch reports of it, and what stands on standard error; None for what
    does not end in `timeout` seconds, or says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [sys.executable, "-m", "shapewatch", "run", "--format", "json", "-o", str(out), str(script)]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, env=environment(), cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            return None, None, f"no end in {timeout:.0f} s"
        return ended.returncode, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None, ended.stderr


def environment() -> Mapping[str, str]:
    root = str(FOLDER.parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


# Judging what came


def judge(program: Program, status: int, report: Mapping[str, Any] | None, said: str = "") -> Outcome:
    """What a report is worth; `said` is what the program wrote to standard error."""
    plain = Outcome(program.name, program.split, program.style, "trouble", said=said[-2000:])
    if status != 1 or report is None:
        return plain
    errors = [diagnosis for diagnosis in report["diagnoses"] if diagnosis["severity"] == "error"]
    if not errors:
        return Outcome(**{**asdict(plain), "verdict": "nothing"})
    first = errors[0]
    return Outcome(
        **{
            **asdict(plain),
            "verdict": verdict(program, first),
            "code": first["code"],
            "headline": first["headline"],
            "cause": say_cause(first["cause"]),
            "fixes": tuple(f"{fix['title']} ({fix['verified']})" for fix in first["fixes"]),
        }
    )


def verdict(program: Program, diagnosis: Mapping[str, Any]) -> Verdict:
    """How right a diagnosis is; see the module."""
    if not any(diagnosis["code"].startswith(code) for code in program.codes):
        proven = any(fix["verified"] == "forward" for fix in diagnosis["fixes"])
        return "misled" if proven and not _names(program, diagnosis) else "other"
    if _names(program, diagnosis):
        return "named"
    return "misled" if (diagnosis["cause"] or {}).get("layer") else "explained"


def _names(program: Program, diagnosis: Mapping[str, Any]) -> bool:
    cause = diagnosis["cause"]
    blames = cause is not None and bool(cause["layer"])
    source = ((cause if blames else diagnosis)["location"] or {}).get("source") or ""
    words = f"{cause['layer']} {cause['reason']}" if blames else diagnosis["headline"]
    return any(name in source if is_code(name) else _speaks_of(words, name) for name in program.named)


def is_code(name: str) -> bool:
    """Whether a name is a part of a line, and not a word."""
    return re.fullmatch(r"[\w./-]+", name) is None


def _speaks_of(words: str, name: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", words) is not None


def say_cause(cause: Mapping[str, Any] | None) -> str:
    if cause is None:
        return ""
    source = (cause["location"] or {}).get("source") or ""
    return f"{cause['layer'] or cause['type']}: {cause['reason']} [{source}]"


# The command


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m benchmarks.programs",
        description="Run broken Keras and TensorFlow programs, and see what shapewatch makes of them.",
    )
    add = parse.add_argument
    add("--split", choices=(*SPLITS, "all"), default="dev", help="(%(default)s)")
    add("--only", nargs="+", default=[], metavar="NAME", help="programs, by name or pattern")
    add("--jobs", type=int, default=1, choices=(1, 2), help="programs at once (%(default)s)")
    add("--timeout", type=float, default=180, metavar="SECONDS", help="for one program (%(default)s)")
    add("--explain", action="store_true", help="print what shapewatch says of each program of the dev split")
    add("--out", type=Path, metavar="FILE", help="write every outcome as JSON")
    add("--markdown", type=Path, metavar="FILE", help="write the tables as a page")
    return parse


def outcomes_of(chosen: Sequence[Program], jobs: int, timeout: float) -> Iterator[Outcome]:
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda program: run(program, timeout), chosen)


def row(outcome: Outcome) -> str:
    """One line, printed when the outcome is there. Of a held-out program, no more than whether it is right."""
    head = f"{outcome.verdict:9} {outcome.split}/{outcome.name}"
    if outcome.split == "held_out":
        return head
    return f"{head}  {outcome.code}  {outcome.headline}\n{'':10}cause {outcome.cause or 'not named'}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """The verdicts of each split and style, as a table."""
    groups = sorted({(outcome.split, outcome.style) for outcome in outcomes})
    rows = []
    for split, style in groups:
        here = [outcome for outcome in outcomes if (outcome.split, outcome.style) == (split, style)]
        counts = [sum(outcome.verdict == verdict for outcome in here) for verdict in VERDICTS]
        share = f"{100 * counts[0] / len(here):.0f}%"
        rows.append([split.replace("_", "-"), style, str(len(here)), *map(str, counts), share])
    return table(["split", "style", "programs", *VERDICTS, "named of all"], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    chosen = programs(given.split, given.only)
    if not chosen:
        print("no program of this name is in this split; --split all has every one", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    for outcome in outcomes_of(chosen, given.jobs, given.timeout):
        outcomes.append(outcome)
        print(row(outcome), flush=True)
        if given.explain and outcome.split == "dev":
            print(outcome.said, "\n".join(outcome.fixes), sep="\n", file=sys.stderr)
    print(f"\n{summary(outcomes)}")
    if given.out:
        given.out.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")
    if given.markdown:
        given.markdown.write_text(f"{summary(outcomes)}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
