"""Takes the dress off a text: what terminals, loggers, forms and launchers put around the words of an error.

Colours and other control codes, the updates of progress bars, prefixes of lines (ranks, timestamps, levels, containers,
quoting, pytest's `E`), boxes around tracebacks, newlines that were escaped for JSON or by `repr`, HTML. What is left is
the text as the framework wrote it, line by line; nothing of it is interpreted here.
"""

from __future__ import annotations

import html
import json
import re

_CONTROL = re.compile(
    r"""
      \x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]            # colours, and moves of the cursor
    | \x1b\][^\x07\x1b]{0,4000}(?:\x07|\x1b\\)    # titles and links
    | \x1b[@-Z\\^_=>]
    | (?:\\x1b|\\u001b|\\033|\\e|\^\[|\u241b)\[[\d;]{0,32}[mK]   # a colour that somebody's program spelled out
    | \[(?:\d{1,3}(?:;\d{1,3}){0,5})?m # or whose first byte a form threw away
    """,
    re.VERBOSE,
)

_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

_SPACES = str.maketrans(
    {"\x85": "\n", "\u2028": "\n", "\u2029": "\n", "\x0b": "\n", "\x0c": "\n", "\xa0": " ", "\u3000": " "}
    | {"\uff0c": ","}  # of a keyboard for Chinese
    | dict.fromkeys(map(chr, range(0x2000, 0x200B)), " ")
    | dict(zip("‘’‚“”„´", "'''\"\"\"'", strict=True))
)

_TAG = re.compile(r"</?(?:br|p|pre|code|div|span|b|i|em|strong|tt|samp|a|font)\b[^<>\n]{0,300}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,6}|#x[0-9a-f]{1,6});", re.IGNORECASE)

_RANKS = {
    "torchrun": r"\[(?:rank|worker|node)?[ _-]?\d{1,5}\]:\s?",
    "torchelastic": r"\[default\d{1,5}\]:",
    "mpirun": r"\[\d{1,5},\d{1,5}\]<std(?:out|err)>:",
    "srun": r"\d{1,4}:\s",
}
"""Of one of several processes that write into one log."""

_DAY, _TIME = r"\d{4}[-/.]\d\d[-/.]\d\d", r"\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
_LEVEL = r"(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE|SYSTEM)"

_PREFIXES = {
    **_RANKS,
    "date and time": rf"\[?{_DAY}[T\s_]{{1,2}}{_TIME}(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?:?\s?(?:[-|]\s)?",
    "time": rf"\[?\d\d:{_TIME}\]?\s(?:[-|]\s)?",
    "syslog": r"[A-Z][a-z]{2}\s{1,2}\d{1,2}\s\d\d:\d\d:\d\d\s[\w.-]{1,80}\s[\w./-]{1,80}(?:\[\d{1,10}\])?:\s",
    "glog": r"[IWEF]\d{4}\s\d\d:\d\d:\d\d\.\d{1,9}\s{1,6}\d{1,10}\s[\w./-]{1,120}:\d{1,6}\]\s",
    "TensorFlow": r"[IWEF]\s[\w./-]{1,120}\.(?:cc|h|cpp|cu):\d{1,6}\]\s",
    "a logger and its level": rf"[\w.-]{{1,80}}\s-\s{_LEVEL}\s-\s",
    "a level": rf"(?:\[[\w.-]{{1,80}}\])?\[?{_LEVEL}\]?"
    r"(?::[\w.-]{1,80}:|\s{0,8}\|\s[\w.<>:-]{1,160}\s-\s|\s{0,8}[-|:]\s|\s(?=\S{0,80}(?:Error|Traceback)))",
    "GitHub": r"##\[\w{1,20}\]",
    "ray": r"\((?:[\w.<>-]{1,80}\s)?pid=\d{1,10}(?:,\s(?:ip|node_id)=[\w.:]{1,60})?\)\s?",
    "docker compose": r"[A-Za-z][\w.-]{0,80}[_-]\d{1,4}\s{1,40}\|\s",
    "pytest": r"E\s{3}(?=\s{0,12}\S)",
    "a stream": r"(?:stderr|stdout|STDERR|STDOUT):\s",
    "a box of rich": r"\s{0,8}[│┃║]\s?",
    "a group of exceptions": r"\s{1,8}[|+](?:-\+)?(?:-{2,40}\s\d{1,4}\s-{2,40})?(?:\s|$)",
}

_RANK = re.compile("|".join(_RANKS.values()))
_PREFIX = re.compile("|".join(f"(?:{prefix})" for prefix in _PREFIXES.values()))

_BOX_END = re.compile(r"\s{0,200}[│┃║]\s{0,8}$")
_QUOTED = re.compile(
    r"^\s{0,3}>\s{0,3}(?:>\s?){0,3}(?:Traceback \(|File \"|[\w.]{1,80}(?:Error|Exception)\b)", re.MULTILINE
)
_QUOTE = re.compile(r"^\s{0,3}>(?:\s?>){0,3} ?", re.MULTILINE)

_DIMENSION = re.compile(r"\bDimension\((\d{1,12}|None)\)")
"""A size as TensorFlow 1 prints it."""

_MOST_PREFIXES = 4


def undressed(text: str) -> str:
    """The text without its dress. Lines end in a newline alone."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _ENTITY.search(text) or "<br" in text:
        text = html.unescape(_TAG.sub(lambda tag: "\n" if tag[0].lower().startswith("<br") else "", text))
    text = _DIMENSION.sub(r"\1", text)
    text = _UNSEEN.sub("", _CONTROL.sub("", text).translate(_SPACES))
    text = "\n".join(_unescaped(line) for line in text.split("\n"))
    if _QUOTED.search(text):
        text = _QUOTE.sub("", text)
    return _in_order_of_processes([_bare(line) for line in text.split("\n")])


def unwrapped(text: str) -> str:
    """The text with lines joined that a terminal or a mail broke: those that are as wide as the widest ones.

    Only worth a try where nothing was found: a column at which two lines happen to end is no proof.
    """
    lines = text.split("\n")
    lengths = [len(line) for line in lines]
    width = max(lengths, default=0)
    if width < 40 or lengths.count(width) < 1:
        return text
    joined = [lines[0]]
    for before, line in zip(lengths, lines[1:], strict=False):
        if before >= width - 1:
            joined[-1] += line
        else:
            joined.append(line)
    return "\n".join(joined)


def _unescaped(line: str) -> str:
    """A line of JSON or of a `repr` with the newlines that were escaped in it."""
    if "\\n" not in line or not re.search(r"Traceback|Error|Exception|\\n\s{0,8}File ", line):
        return line
    return re.sub(r'"(?:[^"\\]|\\.){2,}+"', _of_json, line) if line.lstrip()[:1] in '{["' else _of_repr(line)


def _of_json(literal: re.Match[str]) -> str:
    if "\\n" not in literal[0]:
        return literal[0]
    try:
        inner = str(json.loads(literal[0]))
    except ValueError:
        return _of_repr(literal[0])
    return "\n" + (_of_repr(inner) if "\\n" in inner and "\n" not in inner else inner) + "\n"


_ESCAPE = re.compile(
    r"\\(?:(?P<itself>[\\'\"])"
    r"|n(?P<newline>(?=\s|\\|[A-Z•~^'\")\]}|]|[\w.]{1,80}(?:Error|Exception)|size mismatch|$))"
    r"|t(?P<tab>(?=[\s\[\\]|size mismatch)))"
)


def _of_repr(line: str) -> str:
    """Newlines, tabs, quotes and backslashes as characters. Some programs escape newlines alone, and in a path of
    Windows an `\\n` may stand before a name, so one counts only before what begins a line of an error."""
    for _ in range(3):  # what was escaped twice is read twice
        if "\\n" not in line or "\n" in line:
            break
        line = _ESCAPE.sub(lambda found: found["itself"] or ("\t" if found["tab"] is not None else "\n"), line)
    return line


_Bare = tuple[str, str]
"""The process that wrote a line, as its prefix names it, and the line without prefixes."""


def _bare(line: str) -> _Bare:
    process = ""
    for _ in range(_MOST_PREFIXES):
        match = _PREFIX.match(line)
        if match is None or not match.end():
            break
        if not process and _RANK.match(match[0]):
            process = match[0].strip()
        if match[0].strip() in ("│", "┃", "║"):
            line = _BOX_END.sub("", line)
        line = line[match.end() :]
    return process, line


def _in_order_of_processes(lines: list[_Bare]) -> str:
    """The lines of each process together, where several wrote at the same time; the one that wrote last comes last."""
    if len({process for process, _ in lines if process}) < 2:
        return "\n".join(line for _, line in lines)
    last = {process: number for number, (process, _) in enumerate(lines)}
    return "\n".join(line for _, line in sorted(lines, key=lambda each: last[each[0]]))
