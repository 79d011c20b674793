"""From frames to places in the user's source: which frames are the user's, and what is written there."""

from __future__ import annotations

import ast
import linecache
import os
import re
import sys
import sysconfig
import textwrap
from collections.abc import Mapping
from functools import cache, lru_cache
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from shapewatch.recording import Span

_OWN = str(Path(__file__).parent) + os.sep
_STANDARD = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_SITE = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
_FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax", "optree")


@cache
def is_foreign(file: str) -> bool:
    """Whether a file belongs to a framework, to the standard library or to shapewatch.

    Model libraries (torchvision, timm) are not foreign: what is written there is what the model does.
    """
    if file.startswith("<frozen"):
        return True
    if file.startswith(_OWN):
        return True
    parts = Path(file).parts
    if parts[-2:] in (("bin", "shapewatch"), ("Scripts", "shapewatch")):  # the command itself, as it is installed
        return True
    if "site-packages" in parts or "dist-packages" in parts:
        marker = "site-packages" if "site-packages" in parts else "dist-packages"
        package = parts[len(parts) - 1 - parts[::-1].index(marker) + 1]
        return package in _FRAMEWORKS
    return file.startswith(_STANDARD)


_translated: dict[tuple[str, int], tuple[str, int, str]] = {}
"""Lines of code that a framework wrote itself (AutoGraph) to the file, line and function they were made from."""

_origins: dict[str, str] = {}
"""Files of such code to the file they were made from."""


def translate(lines: Mapping[tuple[str, int], tuple[str, int, str]]) -> None:
    """Learn where generated lines come from; what was learned once is passed over quickly."""
    if next(iter(lines)) in _translated:
        return
    _translated.update(lines)
    _origins.update((generated, origin) for (generated, _), (origin, _, _) in lines.items())


def locals_of(frame: FrameType) -> dict[str, Any]:
    """What the variables of a frame hold.

    Before Python 3.13 a frame keeps the dictionary that it is asked for, and with it what a variable held that the
    program deletes later: a function's is emptied again. That of a module is no copy, and left alone.
    """
    held = dict(frame.f_locals)
    if sys.version_info < (3, 13) and frame.f_code.co_flags & CO_OPTIMIZED:
        frame.f_locals.clear()
    return held


_foreign_code: dict[int, tuple[bool, CodeType]] = {}
"""By identity: the hash of a code object goes through all of its instructions, each time it is asked for."""


def _is_foreign_code(code: CodeType) -> bool:
    return is_foreign(_origins.get(code.co_filename, code.co_filename))


def calling_line(
    frame: FrameType | None, within: CodeType | None = None, beyond: tuple[CodeType, int] | None = None
) -> tuple[CodeType, int] | None:
    """The innermost frame that is the user's, as code and line. On the healthy pass: no text is read here.

    What is `beyond` a frame of the code `within` is known already: most of a deep stack is not walked again.
    """
    known = _foreign_code
    while frame is not None:
        code = frame.f_code
        if code is within:
            return beyond
        entry = known.get(id(code))
        if entry is None:
            entry = known[id(code)] = (_is_foreign_code(code), code)
        if not entry[0] and (not _origins or _told(code, frame.f_lineno)):
            return code, frame.f_lineno
        frame = frame.f_back
    return None


def calling_frame(frame: FrameType | None) -> FrameType | None:
    """The frame itself, where more than the line is asked for: two calls of one line have instructions of their own."""
    while frame is not None and (_is_foreign_code(frame.f_code) or not _told(frame.f_code, frame.f_lineno)):
        frame = frame.f_back
    return frame


def raising_line(traceback: TracebackType | None) -> tuple[CodeType, int] | None:
    """The innermost frame of a traceback that is the user's."""
    found = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not _is_foreign_code(code) and _told(code, traceback.tb_lineno):
            found = (code, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def running_lines(traceback: TracebackType | None) -> tuple[Span, ...]:
    """The program's own lines that were running, the outermost first: those that an exception has passed, and those
    around it that it has not come to yet."""
    around: list[Span] = []
    frame = traceback.tb_frame.f_back if traceback is not None else None
    while frame is not None and len(around) < _MOST_RUNNING:
        if _is_told_as_own(frame.f_code, frame.f_lineno):
            around.append(span_at(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    inside: list[Span] = []
    while traceback is not None and len(inside) < _MOST_RUNNING:
        code = traceback.tb_frame.f_code
        if _is_told_as_own(code, traceback.tb_lineno):
            inside.append(span_at(code, traceback.tb_lineno))
        traceback = traceback.tb_next
    return (*reversed(around), *inside)


def _is_told_as_own(code: CodeType, line: int) -> bool:
    return is_users_own(_origins.get(code.co_filename, code.co_filename)) and _told(code, line)


_MOST_RUNNING = 30
"""Lines on either side: a program may call itself a thousand times."""


def _told(code: CodeType, line: int) -> bool:
    """Whether a line is the program's: of generated code only what was made from a line of it."""
    return code.co_filename not in _origins or (code.co_filename, line) in _translated


def span_at(code: CodeType, line: int) -> Span:
    """The place as a `Span`, with its source line where the file can be read."""
    origin = _translated.get((code.co_filename, line))
    if origin is not None:
        file, line, function = origin
        return span_of(file, line, function or "")  # AutoGraph has no name for a lambda
    return span_of(code.co_filename, line, getattr(code, "co_qualname", code.co_name))


@cache
def span_of(file: str, line: int, function: str = "") -> Span:
    """The place as a `Span`, with what stands on that line."""
    source = linecache.getline(file, line).strip()
    return Span(file, line, source or None, function)


def is_users_own(file: str) -> bool:
    """Whether a file is the user's to edit: not an installed package."""
    return not is_foreign(file) and not file.startswith(_SITE) and "site-packages" not in Path(file).parts


_EXCUSE = re.compile(r"#\s*shapewatch:\s*ok\b(?P<codes>(?:[\s,]+SW\d{3})*)", re.IGNORECASE)


def excused(file: str, line: int, code: str) -> bool:
    """Whether the statement at a line has the comment `# shapewatch: ok`, of any code or, `# shapewatch: ok SW292`, of
    this one."""
    for number in _statement(file, line):
        found = _EXCUSE.search(linecache.getline(file, number))
        if found and (not found["codes"].strip() or code in found["codes"].upper()):
            return True
    return False


def tree_of(file: str) -> ast.Module:
    """The file as it stands."""
    return parse("".join(linecache.getlines(file)))


@lru_cache(maxsize=32)
def parse(text: str) -> ast.Module:
    """The program that a text is, to be read and not to be changed: what asks next gets the same tree.

    Raises:
        SyntaxError, ValueError: it is none.
    """
    try:
        return ast.parse(text)
    except SystemError:  # of Python 3.11, where another thread parses at the same time
        return ast.parse(text)


@cache
def _statement(file: str, line: int) -> range:
    """The lines of the innermost statement that a line is part of; of one with a body (`if`, `for`) only this line."""
    try:
        tree = tree_of(file)
    except (SyntaxError, ValueError):
        return range(line, line + 1)
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    innermost = max(around, key=lambda node: node.lineno, default=None)
    if innermost is None or hasattr(innermost, "body"):
        return range(line, line + 1)
    return range(innermost.lineno, (innermost.end_lineno or innermost.lineno) + 1)


@cache
def expressions(file: str, line: int) -> frozenset[str]:
    """The names, attributes and items that the statement at a line speaks of, as Python writes them."""
    lines = linecache.getlines(file)
    around = _statement(file, line)
    source = textwrap.dedent("".join(lines[around.start - 1 : around.stop - 1]))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    spoken = (node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript))
    return frozenset(ast.unparse(node) for node in spoken)


def without_own_frames(error: BaseException) -> None:
    """Take shapewatch's frames out of a traceback: it reads as it would without the watch around it."""
    entry = error.__traceback__
    while entry is not None and entry.tb_frame.f_code.co_filename.startswith(_OWN):
        entry = entry.tb_next
    error.__traceback__ = entry
    while entry is not None:
        after = entry.tb_next
        while after is not None and after.tb_frame.f_code.co_filename.startswith(_OWN):
            after = after.tb_next
        entry.tb_next = after
        entry = after
