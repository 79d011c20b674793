"""Long lines of Python folded inside their brackets, where the meaning stays the same."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

STEP = "    "


def fold(line: str, width: int) -> list[str]:
    """The line in pieces of `width` characters where that can be done; a comment at its end goes above it.

    The pieces parse to what the line parses to. A line that does not parse, or has no brackets, stays whole.
    """
    if len(line) <= width:
        return [line]
    code = line.lstrip(" ")
    indent = line[: len(line) - len(code)]
    code, comment = _commented(code)
    above = [indent + comment] if comment else []
    try:
        folded = _folded(code, width - len(indent))
        if ast.dump(ast.parse("\n".join(folded))) != ast.dump(ast.parse(code)):
            return [*above, indent + code]
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError):
        return [*above, indent + code]
    return [*above, *(indent + piece for piece in folded)]


def _commented(code: str) -> tuple[str, str]:
    """The code, and the comment at its end, which takes a line of its own when the line is too long."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (SyntaxError, tokenize.TokenError):  # an open bracket or string: where it ends is not known
        return code, ""
    at = next((token.start[1] for token in tokens if token.type == tokenize.COMMENT), None)
    return (code, "") if not at else (code[:at].rstrip(), code[at:])


def _folded(code: str, width: int) -> list[str]:
    """`head(`, what is in brackets, `)tail`: three lines or, if too wide, a line for each part. The brackets are the
    last ones whose head is not too wide itself."""
    if len(code) <= width:
        return [code]
    brackets = [pair for pair in _brackets(code) if code[pair[0] + 1 : pair[1]].strip()]
    if not brackets:
        return [code]
    opening, closing = next((pair for pair in reversed(brackets) if pair[0] < width), brackets[0])
    head, body, tail = code[: opening + 1], code[opening + 1 : closing].strip(), code[closing:]
    if len(body) <= width - len(STEP):
        return [head, STEP + body, tail]
    folded = [head]
    for part in _parts(body):
        *first, last = _folded(part, width - len(STEP) - 1)
        folded += [STEP + piece for piece in (*first, last + ",")]
    return [*folded, tail]


def _brackets(code: str) -> list[tuple[int, int]]:
    """The columns of the outermost brackets, opening and closing."""
    found, depth, opening = [], 0, 0
    for symbol, column in _symbols(code):
        if symbol in "([{":
            opening = column if depth == 0 else opening
            depth += 1
        elif symbol in ")]}":
            depth -= 1
            if depth == 0:
                found.append((opening, column))
    return found


def _parts(body: str) -> list[str]:
    """What stands between the commas that are in no brackets."""
    commas, depth = [-1], 0
    # the brackets around the body make its line one that a tokenizer accepts; they shift the columns by one
    for symbol, column in _symbols(f"({body})"):
        depth += (symbol in "([{") - (symbol in ")]}")
        if symbol == "," and depth == 1:
            commas.append(column - 1)
    ends = [*commas[1:], len(body)]
    parts = [body[start + 1 : end].strip() for start, end in zip(commas, ends, strict=True)]
    return [part for part in parts if part]


def _symbols(code: str) -> Iterator[tuple[str, int]]:
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.OP and token.string in "()[]{},":
            yield token.string, token.start[1]
