"""The recordings of a run on several ranks, a file a rank: one that is killed does not take the others' with it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from shapewatch.report import Report


def directory(run: str) -> Path:
    """`SHAPEWATCH_DIR` or, in the directory for temporary files, one that is named by the run."""
    given = os.environ.get("SHAPEWATCH_DIR")
    return Path(given) if given else Path(tempfile.gettempdir()) / f"shapewatch-{run}"


def save(report: Report, run: str, rank: int) -> str:
    """Write the recording of a rank, whole or not at all. The path, or why there is none: empty."""
    folder = directory(run)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return ""  # somebody else's, under a name that can be foreseen
        written = report.save(folder / f".rank-{rank}.json")
        path = folder / f"rank-{rank}.json"
        written.replace(path)
    except OSError:
        return ""
    return str(path)
