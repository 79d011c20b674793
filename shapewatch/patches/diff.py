"""Unified diffs of a program's files: written, read again, and carried out.

`patch -p1` and `git apply` take them from the folder that they were written in. Text has `\\n` at the end of its lines
here; `apply` keeps what a file has there, its encoding, and what is in it besides.
"""

from __future__ import annotations

import difflib
import io
import os
import re
import shutil
import tempfile
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a file, with their ends, and those that come in their place. `first` counts from 1."""

    first: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def bare(self) -> Hunk:
        """Without the lines around that stay as they are."""
        pairs = list(zip(self.old, self.new, strict=False))
        before = next((at for at, (old, new) in enumerate(pairs) if old != new), len(pairs))
        rest = list(zip(self.old[before:][::-1], self.new[before:][::-1], strict=False))
        behind = next((at for at, (old, new) in enumerate(rest) if old != new), len(rest))
        old, new = (lines[before : len(lines) - behind] for lines in (self.old, self.new))
        return Hunk(self.first + before, old, new)


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What changes in one file. `path` is relative to the folder that the diff was written in, or absolute."""

    path: str
    hunks: tuple[Hunk, ...]


def unified(file: str, before: str, after: str, context: int = 3) -> str:
    """The difference of two texts of a file; of one below the working folder with its path from there."""
    path, folder = Path(file), Path.cwd()
    below = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else None
    names = (f"a/{below}", f"b/{below}") if below is not None else (path.as_posix(), path.as_posix())
    lines = difflib.unified_diff(_lines(before), _lines(after), *names, n=context)
    return "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n" for line in lines)


def read(patch: str) -> tuple[FilePatch, ...]:
    """The files of a diff that `unified` wrote.

    Raises:
        ValueError: it is none.
    """
    found: list[FilePatch] = []
    for part in re.split(r"^(?=--- )", patch, flags=re.MULTILINE)[1:]:
        header, *hunks = re.split(r"^(?=@@ )", part, flags=re.MULTILINE)
        name = re.match(r"--- (?:a/)?(.+)\n\+\+\+ ", header)
        if name is None:
            raise ValueError(f"no file is named in {header!r}")
        found.append(FilePatch(name[1], tuple(_hunk(hunk) for hunk in hunks)))
    if not found:
        raise ValueError("this is no unified diff")
    return tuple(found)


def _hunk(text: str) -> Hunk:
    header, *lines = _lines(text)
    numbers = re.match(r"@@ -(\d+)(,0)?", header)
    if numbers is None:
        raise ValueError(f"no lines are named in {header!r}")
    ends = [following.startswith("\\") for following in [*lines[1:], ""]]
    kept = [line.rstrip("\n") if ends_file else line for line, ends_file in zip(lines, ends, strict=True)]
    old = tuple(line[1:] for line in kept if line[0] in " -")
    new = tuple(line[1:] for line in kept if line[0] in " +")
    return Hunk(int(numbers[1]) + bool(numbers[2]), old, new)


def patched(text: str, hunks: Sequence[Hunk]) -> str:
    """The text with the hunks carried out.

    Raises:
        ValueError: it does not say what they expect of it.
    """
    lines = _lines(text)
    for hunk in sorted(hunks, key=lambda each: each.first, reverse=True):
        there = slice(hunk.first - 1, hunk.first - 1 + len(hunk.old))
        if tuple(lines[there]) != hunk.old:
            raise ValueError(f"line {hunk.first} and those behind it are other ones by now")
        lines[there] = hunk.new
    return "".join(lines)


def apply(patch: str) -> tuple[Path, ...]:
    """Change the files of a diff, all of them or none.

    Raises:
        ValueError: a file does not say any more what the diff expects of it.
        OSError: a file cannot be read or written.
    """
    contents = {}
    for each in read(patch):
        path = Path(each.path)
        before = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(before).readline)
        text = before.decode(encoding)
        windows = "\r\n" in text
        try:
            after = patched(text.replace("\r\n", "\n"), each.hunks)
        except ValueError as error:
            raise ValueError(f"{path} is not as it was run: {error}") from error
        contents[path] = (after.replace("\n", "\r\n") if windows else after).encode(encoding)
    _exchange(contents)
    return tuple(contents)


def _exchange(contents: Mapping[Path, bytes]) -> None:
    """Each file for its new content. All are written down beside them first: a disk that is full loses nothing."""
    new: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            with path.open("r+b"):  # raises where it must not be written
                whole = path.resolve()
            handle, name = tempfile.mkstemp(prefix=f".{whole.name}.", dir=whole.parent)
            new[whole] = Path(name)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            shutil.copymode(whole, name)
        for path, beside in new.items():
            beside.replace(path)
    finally:
        for beside in new.values():
            beside.unlink(missing_ok=True)


def _lines(text: str) -> list[str]:
    """The lines with their ends; `str.splitlines` would part them at form feeds too, which are no ends of lines."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
