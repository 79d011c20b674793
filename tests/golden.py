"""Golden files: the text that a test expects, in a file that is read as prose when it changes.

`pytest --update-golden` writes the files anew; the difference is then reviewed and committed.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"
OPTION = "--update-golden"


def check(name: str, text: str, config: pytest.Config) -> None:
    """Compare `text` with the golden file `name`, or write the file where pytest was told to.

    Raises:
        AssertionError: the file is missing or its text is another one; the message holds the difference.
    """
    path = FOLDER / name
    text = text.rstrip("\n") + "\n"
    if config.getoption(OPTION):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    if not path.exists():
        raise AssertionError(f"no golden file {name}; write it with pytest {OPTION}, then read it")
    expected = path.read_text(encoding="utf-8")
    if text != expected:
        lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), f"golden/{name}", "now", lineterm="")
        raise AssertionError("\n".join([f"{name} changed; if it is meant: pytest {OPTION}", *lines]))


def names(folder: str) -> set[str]:
    """The golden files that there are in a folder of them."""
    return {path.relative_to(FOLDER).as_posix() for path in (FOLDER / folder).glob("*") if path.is_file()}
