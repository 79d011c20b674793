"""How long a log takes that is too big to be held, and how much memory: `python benchmarks/explain_log.py [MB]`.

Three logs of that size are made up and streamed: lines of training with one traceback near the end, the same without a
single newline, and one in which every line speaks of errors, so that all of it has to be read.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    loss = step(model, batch)
  File "train.py", line 7, in step
    x = torch.cat([up, skip], dim=1)
RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 44 but got size 45 for tensor number 1 \
in the list.
"""

KINDS = {
    "lines of training": ("epoch {0} step {1} loss 0.{2} batch size 64 lr 1e-4\n", "\n"),
    "one single line": ("epoch {0} step {1} loss 0.{2} batch size 64 lr 1e-4\r", "\r"),
    "errors everywhere": ("epoch {0} step {1} train_error 0.{2} input shape (64, 3, 32, 32) expected\n", "\n"),
}


def log(kind: str, megabytes: int) -> Iterator[str]:
    line, end = KINDS[kind]
    left, step = megabytes * 1_000_000, 0
    while left > 0:
        lines = "".join(line.format(number // 500, number, number * 7919 % 9973) for number in range(step, step + 5000))
        yield lines
        left -= len(lines)
        step += 5000
    yield TRACEBACK.replace("\n", end)


def main(megabytes: int) -> None:
    print(f"{'log of ' + str(megabytes) + ' MB':<22}{'seconds':>8}{'peak MB':>9}  found")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            file = Path(folder) / "train.log"
            with file.open("w", encoding="utf-8", newline="") as stream:
                stream.writelines(log(kind, megabytes))
            began = time.perf_counter()
            program = (
                "import resource, sys; from shapewatch.cli import main; main(sys.argv[1:]);"
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000, file=sys.stderr)"
            )
            run = subprocess.run(
                [sys.executable, "-c", program, "explain", str(file)], capture_output=True, text=True, check=True
            )
            took = time.perf_counter() - began
            headline = run.stdout.partition("\n")[0]
            print(f"{kind:<22}{took:>8.1f}{run.stderr.split()[-1]:>9}  {headline}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
