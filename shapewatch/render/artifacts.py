"""Where a line stands, as SARIF names it: a URI below the working folder, or an absolute one.

A path comes from the program that was watched or, in a text that was explained, from another machine and another
system. It is therefore read by its own spelling and never looked up.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
from typing import Any
from urllib.parse import quote

from shapewatch.recording import Span

SOURCE_ROOT = "%SRCROOT%"
"""What SARIF's consumers take for the root of the sources."""

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def working_folder() -> str | None:
    """The folder that places are named from; None where it is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - a string: the files beside it may be spelled for another system
    except OSError:
        return None


def is_file(span: Span) -> bool:
    """Whether a place is in a file, and not in what was typed (`<stdin>`) or made (`<string>`)."""
    return bool(span.file) and not (span.file.startswith("<") and span.file.endswith(">"))


def physical(span: Span, root: str | None) -> dict[str, Any]:
    """A SARIF `physicalLocation`. A recording knows no columns, so there are none in it."""
    region: dict[str, Any] = {"startLine": max(span.line, 1)}
    if span.source:
        region["snippet"] = {"text": span.source}
    return {"artifactLocation": artifact(span.file, root), "region": region}


def artifact(file: str, root: str | None) -> dict[str, str]:
    """A SARIF `artifactLocation`: relative to the source root where the file lies below it."""
    windows = bool(_WINDOWS.match(file))
    if root is None and not windows and not file.startswith("/"):
        return {"uri": _quoted(file)}
    if windows or (root is not None and _WINDOWS.match(root)):
        path = ntpath.normpath(ntpath.join(root or "", file)).replace("\\", "/")
    else:
        # of a relative name, a backslash is what a traceback from Windows has between folders
        spelled = file if "/" in file else file.replace("\\", "/")
        path = posixpath.normpath(posixpath.join(root or "", spelled))
    below = (root or "").replace("\\", "/").rstrip("/") + "/"
    if root is not None and path.startswith(below):
        return {"uri": _quoted(path.removeprefix(below)), "uriBaseId": SOURCE_ROOT}
    return {"uri": folder_uri(path).rstrip("/")}


def folder_uri(path: str) -> str:
    """The absolute URI of a folder, which ends in a slash as SARIF demands."""
    path = path.replace("\\", "/") if _WINDOWS.match(path) else path
    drive, rest = (path[:2], path[2:]) if _WINDOWS.match(path) and not path.startswith("/") else ("", path)
    host = "file:" if rest.startswith("//") else "file://"
    return f"{host}{'/' if drive else ''}{drive}{_quoted(rest).rstrip('/')}/"


def _quoted(path: str) -> str:
    """Percent-encoded. A name that is no Unicode keeps the bytes that it has on the disk."""
    try:
        octets = os.fsencode(path)
    except UnicodeEncodeError:  # half a character, which no disk gave
        octets = path.encode("utf-8", "replace")
    return quote(octets, safe="/")
