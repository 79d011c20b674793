"""Templates as patterns: which text they are found in, and what stands in their holes.

The kinds of holes, `{name:kind}`:

    n        an integer; `None`, `?`, `-1`, `s27` for an unknown one: None
    axis     an integer; -1 is the last one
    shape    `[2, 3]`, `(2, 3)`, `2x3`, `2 * 3`, `torch.Size([2, 3])`, `(None, 3)`, `[?,3]`, `{2,3}`, `64 3 7 7`, `()`
    row      a shape without brackets: `64,3`
    shapes   several of them: `[(None, 8), (None, 4)]`, `[2,3], [3,4]`
    word     a name: no space in it; quotes around it are left out
    node     a name in a graph: a broken line may have put a blank behind one of its slashes
    scope    the names that stand before a node's own: `model/dense/`, or nothing
    serial   what tells a node from others of its name: `_1`, or nothing
    text     anything on one line, as little as will do
    lines    anything, as little as will do
    a|b|c    one of these words

A hole whose name begins with an underscore is no fact: what stands there varies and tells nothing.

Words may be apart by any white space, or by none beside punctuation: people paste what their terminal broke and what a
form joined, or type it anew, with a space before a colon, without quotes or commas, with parentheses for brackets.
Upper and lower case are one. Every repetition is bounded, and what could be split in several ways is taken as a whole
(`(?>…)`), so no text takes long, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from shapewatch.messages.nouns import Reading, Template
from shapewatch.recording import Shape, Size

_NUMBER = r"(?:-?\d{1,15}(?!\d)|None|newaxis|\?|[su]\d{1,4}(?!\w)(?:: hint = \d{1,15})?)"
_SIZE = rf"(?:{_NUMBER}L?|Dimension\({_NUMBER}\))"
_BETWEEN = r"\s{0,12}+"
_COMMA = rf"(?>{_BETWEEN}[,x×*]?{_BETWEEN})"
_IN_BRACKETS = rf"[\[({{]{_BETWEEN},?{_BETWEEN}(?:{_SIZE}(?:{_COMMA}{_SIZE}){{0,127}})?{_BETWEEN},?{_BETWEEN}[\])}}]"
_TYPE = rf"(?:(?:torch\.Size|(?:tf\.)?TensorShape){_BETWEEN})?"
_LISTED = rf"(?>{_TYPE}(?:\({_BETWEEN}{_IN_BRACKETS}{_BETWEEN}\)|{_IN_BRACKETS})|<unknown>)"
_BARE = rf"{_NUMBER}(?:\s?[x×*]\s?{_NUMBER}|\s{_NUMBER}){{0,15}}"
_RUN = rf"(?:{_LISTED})(?:(?>{_BETWEEN}(?:,|and|vs\.?|;)?{_BETWEEN}){_LISTED}){{0,63}}"

KINDS_OF_HOLES = {
    "n": _NUMBER,
    "axis": r"-?\d{1,15}(?!\d)",
    "shape": rf"['\"`]?(?:\(?{_LISTED}\)?|{_BARE})['\"`]?",
    "row": rf"{_NUMBER}(?:,{_NUMBER}){{1,15}}",
    "shapes": rf"(?:[\[(]{_BETWEEN}{_RUN}{_BETWEEN},?{_BETWEEN}[\])]|{_RUN})",
    "word": r"u?['\"`]?[^\s'\"`]{1,200}?['\"`]?",
    "node": r"u?['\"`]?(?:[^\s'\"`]|(?<=/)\s{1,40}+){1,200}?['\"`]?",
    "scope": r"(?:[\w.\-/]{1,200}/)?",
    "serial": r"(?:_\d{1,9})?",
    "text": r"[^\n]{0,300}?",
    "lines": r"[\s\S]{0,600}?",
}

_QUOTES = "'\"`"

HOLE = re.compile(r"\{(\w+):([\w|]+)\}")
_ENCLOSED = re.compile(r"\((\{\w+:shape\})\)")
"""A shape alone in parentheses: those belong to it, and may be left out."""

_PIECE = re.compile(r"\w+|[^\w\s]|\s+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A template ready to be looked for. `words`: lower-case words of it, the longest first, without which it is not
    worth a try. `source`: of its regular expression, which is compiled when a text has all the words: to compile
    all the tables takes a second, and few texts ask for more than ten of their templates."""

    template: Template
    framework: str
    words: tuple[str, ...]
    source: str
    kinds: tuple[tuple[str, str], ...]

    @property
    def expression(self) -> re.Pattern[str]:
        return _expression(self.source)

    def read(self, text: str) -> Reading | None:
        """The first place where the template fits, as a reading; None where it fits nowhere."""
        return next(self.read_all(text), None)

    def read_all(self, text: str, start: int = 0, end: int | None = None) -> Iterator[Reading]:
        for match in self.expression.finditer(text, start, len(text) if end is None else end):
            texts = _mended({name: match.group(name) for name, _ in self.kinds}, self.kinds)
            facts = {name: understood(kind, texts[name]) for name, kind in self.kinds}
            if not self.template.unless_fits or not _fits(*(facts[name] for name in self.template.unless_fits)):
                facts = {**self.template.facts, **facts}
                yield Reading(self.template, self.framework, facts, match.group(), match.start())


def _fits(given: Any, declared: Any) -> bool:
    """Whether a shape is one of those that are declared; None is any size."""
    if not isinstance(given, tuple) or not isinstance(declared, tuple) or len(given) != len(declared):
        return False
    return all(size == wanted or None in (size, wanted) for size, wanted in zip(given, declared, strict=True))


@cache
def _expression(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)


@cache
def compiled(template: Template, framework: str) -> Pattern:
    """The pattern of a template.

    Raises:
        ValueError: a hole is of no known kind, or the template is nothing but holes.
    """
    parts: list[str] = []
    literal: list[str] = []
    kinds: list[tuple[str, str]] = []
    at = 0
    text = _ENCLOSED.sub(r"\1", template.text)
    for hole in HOLE.finditer(text):
        name, kind = hole.groups()
        if kind not in KINDS_OF_HOLES and "|" not in kind:
            raise ValueError(f"there is no hole of kind `{kind}`; the kinds are {', '.join(KINDS_OF_HOLES)}")
        literal.append(text[at : hole.start()])
        parts += [_of_literal(literal[-1]), f"(?P<{name}>{KINDS_OF_HOLES.get(kind, kind)})"]
        if not name.startswith("_"):
            kinds.append((name, kind))
        at = hole.end()
    literal.append(text[at:])
    parts.append(_of_literal(literal[-1]))
    if literal[1:] and kind in ("text", "lines") and not literal[-1].strip():
        parts.append(r"(?=\n|\Z)")
    elif literal[1:] and kind in ("word", "node") and not literal[-1].strip():
        parts.append(r"(?=[,;)\]]|[.:]?(?:\s|\Z))")
    found = {run for part in literal for run in re.findall(r"[a-z0-9_]+", part.lower())} - {"cannot"}
    words = sorted(found, key=lambda word: (-len(word), word))
    if not words or len(words[0]) < 2:
        raise ValueError(f"`{template.text}` has no word to look for")
    return Pattern(template, framework, tuple(words), "".join(parts), tuple(kinds))


def _of_literal(text: str) -> str:
    """Its words with white space of any length between them, or none beside punctuation and holes. Beside punctuation
    there may be a space that the template has not; quotes, and marks at the end of a clause, may be left out."""
    pieces = _PIECE.findall(text)
    written: list[str] = []
    for at, piece in enumerate(pieces):
        if not piece.isspace():
            is_word = piece[0].isalnum() or piece[0] == "_"
            written.append(_of_word(piece) if is_word else _of_mark(pieces, at))
            continue
        inside = _is_inside(pieces, at)
        written.append(r"\s{1,80}" if inside else r"\s{0,80}")
    return "".join(written)


def _of_word(word: str) -> str:
    return r"can\s?not" if word == "cannot" else word


def _of_mark(pieces: list[str], at: int) -> str:
    mark = pieces[at]
    # what a hole takes may end at its mark alone
    told = at > 0 or any(piece[0].isalnum() for piece in pieces)
    if mark in _QUOTES:
        return rf"{re.escape(mark)}?" if told else re.escape(mark)
    if mark == "-" and _is_inside(pieces, at):
        return r"[-\s]?"
    ends_clause = at + 1 < len(pieces) and pieces[at + 1].isspace()
    if ends_clause and told and mark in ",.:":
        return r"\s{0,2}[:=]?" if mark == ":" else r"\s{0,2}[,.;]?"
    before, after = r"\s{0,2}" if mark in ",.:;)=(" else "", r"\s{0,2}" if mark in "(=" else ""
    return f"{before}{'[:=]' if mark == '=' else re.escape(mark)}{after}"


def _is_inside(pieces: list[str], at: int) -> bool:
    """Whether it stands between two words."""
    return 0 < at < len(pieces) - 1 and pieces[at - 1][-1].isalnum() and pieces[at + 1][0].isalnum()


_TORN = re.compile(r"(\d)\s{1,80}(?=\d)")
"""A blank between two digits; where the other sizes stand apart by commas, a wrapped line may have put it there."""


def _mended(texts: dict[str, str], kinds: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The same without the blank that tore a number in two, where the rest of the message shows the whole number, or
    another shape with the rank that it then has."""
    listed = [
        each
        for name, kind in kinds
        if kind in ("shape", "shapes")
        for each in re.findall(_LISTED, texts[name], re.IGNORECASE)
    ]
    told = {texts[name] for name, kind in kinds if kind == "n"}
    for each in listed:
        if "," not in each or len(_TORN.findall(each)) != 1:
            continue
        whole = _TORN.sub(r"\1", each)
        ranks = {_rank(other) for other in listed if other != each}
        new = set(re.findall(_NUMBER, whole)) - set(re.findall(_NUMBER, each))
        if new & told or (_rank(whole) in ranks and _rank(each) not in ranks):
            texts = {name: text.replace(each, whole) for name, text in texts.items()}
    return texts


def _rank(text: str) -> int:
    return len(shape(text) or ())


def understood(kind: str, text: str) -> Any:
    """What stands in a hole, as a value."""
    if kind == "n":
        return size(text)
    if kind == "axis":
        return int(text)
    if kind in ("shape", "row"):
        return shape(text)
    if kind == "shapes":
        return shapes(text)
    if kind == "node":
        text = re.sub(r"\s", "", text)
    if kind in ("word", "node"):
        return re.sub(r"^u(?=['\"])", "", text).strip("'\"`")
    return " ".join(text.split()) if kind == "text" else text.strip()


def size(text: str) -> Size:
    """An integer as frameworks write it; None for an unknown one. A symbol is unknown, its hint is the size it had."""
    number = text.strip().rpartition("hint = ")[2]
    return None if number.lower() in ("none", "newaxis", "?", "-1") or number[0] in "suSU" else int(number)


def shape(text: str) -> Shape | None:
    """A shape as frameworks write it; None where not even its rank is known."""
    if "<unknown>" in text:
        return None
    unsaid = (None,) if re.match(r"[\[({]\s*,\s*\d", text) else ()  # as TensorFlow.js writes an unknown batch
    return (*unsaid, *(size(each) for each in re.findall(_NUMBER, text, re.IGNORECASE)))


def shapes(text: str) -> tuple[Shape | None, ...]:
    inner = re.sub(rf"^[\[(]{_BETWEEN}(?=[\[(<])|(?<=[\])>]){_BETWEEN},?{_BETWEEN}[\])]$", "", text.strip())
    return tuple(shape(each) for each in re.findall(_LISTED, inner, re.IGNORECASE))
