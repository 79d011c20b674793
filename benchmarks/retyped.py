"""What `explain` takes for a message that was typed anew, among lines that are none: the sources of installed packages.

    python -m benchmarks.retyped               # 100,000 lines with digits, in an order of chance
    python -m benchmarks.retyped --seed 3 --lines 20000

Each line that is taken is printed with what it was read as. Sources of frameworks hold their messages with names in
place of sizes, and these are taken rightly.
"""

from __future__ import annotations

import argparse
import random
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from shapewatch.messages.retyped import retyped
from shapewatch.messages.tables import found

SHORTEST = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    taken = read = 0
    for line in _lines(wanted.seed):
        if read == wanted.lines:
            break
        read += 1
        message = retyped(line)
        if message is not None and not found(line):
            taken += 1
            print(f"{line[:110]}\n    {message[:110]}")
    print(f"\n{taken} of {read} lines are taken")


def _lines(seed: int) -> Iterator[str]:
    """Lines with digits, each once."""
    files = sorted(Path(sysconfig.get_path("purelib")).rglob("*.py"))
    random.Random(seed).shuffle(files)
    known: set[str] = set()
    for file in files:
        for line in map(str.strip, file.read_text(encoding="utf-8", errors="replace").splitlines()):
            if len(line) >= SHORTEST and re.search(r"\d", line) and line not in known:
                known.add(line)
                yield line


if __name__ == "__main__":
    main()
