"""What `explain` makes of real reports, beside the cause that their threads established: to be read and judged.

    python -m benchmarks.reports            # every report: the code, and the first three suspects
    python -m benchmarks.reports --find unet

Whether a suspect is the cause of a thread is a matter of reading; no program here decides it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import shapewatch

REPORTS = Path(__file__).with_name("reports.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--find", default="", help="only reports whose text or cause has these words")
    wanted = parser.parse_args().find.lower()
    explained = told = confident = 0
    for line in REPORTS.read_text(encoding="utf-8").splitlines():
        report = json.loads(line)
        if wanted not in (report["text"] + report["cause"]).lower():
            continue
        told += 1
        diagnosis = shapewatch.explain(report["text"])
        print(f"\n{report['thread']}: {report['text'].splitlines()[-1]}\n  established: {report['cause']}")
        if diagnosis is None:
            print("  not explained")
            continue
        explained += 1
        confident += diagnosis.cause is not None
        print(f"  {diagnosis.code} {diagnosis.headline}{' (names the cause)' if diagnosis.cause else ''}")
        for suspect in diagnosis.suspects[:3]:
            print(f"  - {suspect.cause}: {suspect.because}")
    print(f"\n{told} reports, {explained} explained, {confident} with a cause that is named")


if __name__ == "__main__":
    main()
