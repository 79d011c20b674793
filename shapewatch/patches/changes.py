"""Statements that a fix has to be written, and changes of files: what comes in the place of what.

Positions are those of `ast`: a line, from 1, and how many bytes of UTF-8 are before it on that line.
"""

from __future__ import annotations

import ast
import builtins
import linecache
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shapewatch.adapters.statements import nodes_of, parsed
from shapewatch.adapters.worked_out import REPEATING
from shapewatch.patches.diff import Hunk
from shapewatch.recording import Span

Header = ast.If | ast.For | ast.While | ast.With
"""Statements with a body, of which a fix changes the first line."""

Position = tuple[int, int]
"""A line, from 1, and how many bytes of UTF-8 are before it on that line, as `ast` counts."""


@dataclass(frozen=True, slots=True)
class Step:
    """A statement that a fix has to be written, or a part of one, and the code that it stands in. A header has no body
    but `pass`; an argument stands in a call that the program does not make."""

    tree: ast.stmt | ast.expr
    source: str
    is_argument: bool = False

    @property
    def is_header(self) -> bool:
        return isinstance(self.tree, Header) and isinstance(self.tree.body[0], ast.Pass)

    @property
    def text(self) -> str:
        if self.is_header:
            return self.source.rstrip(":")
        return ast.get_source_segment(self.source, self.tree) or ast.unparse(self.tree)

    def part(self, node: ast.expr) -> Step:
        """What stands in the statement."""
        return Step(node, self.source)


@dataclass(frozen=True, slots=True)
class Change:
    """Text in the place of what stands between two positions of a file; a new line where they are the same."""

    file: str
    start: Position
    stop: Position
    text: str


@dataclass(frozen=True, slots=True)
class There:
    """A part of a file, and the step that comes in its place."""

    file: str
    node: ast.stmt | ast.expr
    step: Step


# What is to be written


def steps_of(code: str) -> list[Step]:
    """The statements of a fix's code; none where it is no Python, or says in a comment what else is to be done. An
    argument or an entry of a dictionary, `loss="mse",`, is read as one of the call `dict(...)` or of `{...}`."""
    if any(_COMMENT_THAT_ASKS in line for line in code.splitlines()):
        return []
    is_part = code.partition("  #")[0].rstrip().endswith(",")
    tree = parsed(code) if not is_part else None
    if tree is not None:
        return [Step(node, code) for node in tree.body]
    header = code.partition("  #")[0].rstrip()
    whole = parsed(f"{header}\n    pass") if header.endswith(":") else None
    first = whole.body[0] if whole is not None and len(whole.body) == 1 else None
    if isinstance(first, Header):
        return [Step(first, header)]
    part = code.partition("  #")[0].strip().rstrip(",")
    for around in (f"dict({part})", f"{{{part}}}"):
        if (whole := parsed(around)) is not None and len(whole.body) == 1:
            return [Step(whole.body[0], around, is_argument=True)]
    return []


_COMMENT_THAT_ASKS = "; give it "
"""What stands in the comment of a line that is not the whole change."""


# The program's text


def all_statements(file: str) -> Iterator[ast.stmt]:
    return (node for node in nodes_of(file) if isinstance(node, ast.stmt))


def statements_at(span: Span) -> list[ast.stmt]:
    """The innermost statement that a line is part of; of one with a body only its header."""
    around = [
        node
        for node in all_statements(span.file)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.lineno <= span.line <= end_of(node, header=True)[0]
    ]
    return [max(around, key=lambda node: (node.lineno, node.col_offset))] if around else []


def end_of(node: ast.stmt | ast.expr, header: bool = False) -> Position:
    """Where a statement or an expression ends; of a header the last part of it before its colon."""
    if header and isinstance(node, Header):
        return end_of(_last_of_header(node))
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _last_of_header(node: ast.If | ast.For | ast.While | ast.With) -> ast.expr:
    match node:
        case ast.If(test=last) | ast.While(test=last) | ast.For(iter=last):
            return last
        case ast.With(items=items):
            return items[-1].optional_vars or items[-1].context_expr


def line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def names_read(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def names_missing(steps: Sequence[Step], files: Iterable[str]) -> set[str]:
    """Names that the new code reads, and that neither the files nor a step before give anything to."""
    given = set(vars(builtins)).union(*(_names_given(node) for file in files for node in nodes_of(file)))
    missing: set[str] = set()
    for step in steps:
        arguments = {node.arg for node in ast.walk(step.tree) if isinstance(node, ast.arg)}
        within = {name for part in ast.walk(step.tree) if isinstance(part, REPEATING) for name in _stored(part)}
        missing |= names_read(step.tree) - given - arguments - within
        given |= _stored(step.tree)
    return missing


def _names_given(node: ast.AST) -> set[str]:
    match node:
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.alias(name=name, asname=known_as):
            return {(known_as or name).partition(".")[0]}
        case ast.Name(id=name):  # what the program reads it has from somewhere, be it `import *`
            return {name}
    return set()


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def in_place(there: There) -> Change | None:
    """The step in the place of what is there; an `elif` is no statement of its own."""
    file, node, text = there.file, there.node, there.step.text
    start = (node.lineno, node.col_offset)
    if isinstance(node, ast.If) and linecache.getlines(file)[node.lineno - 1][node.col_offset :].startswith("elif"):
        return None
    if isinstance(node, Header):
        return Change(file, start, end_of(node, header=True), _indented(text, node.col_offset))
    return Change(file, start, end_of(node), _indented(text, _indent(file, node.lineno)))


def new_before(file: str, node: ast.stmt, step: Step) -> Change | None:
    """A new line before a statement that begins its line."""
    line = linecache.getlines(file)[node.lineno - 1]
    if line[: node.col_offset].strip():
        return None
    at = (node.lineno, 0)
    return Change(file, at, at, " " * node.col_offset + _indented(step.text, node.col_offset) + "\n")


def new_behind(file: str, node: ast.stmt, step: Step) -> Change:
    """A new line behind a statement, and behind the comment at its end."""
    at = (end_of(node)[0] + 1, 0)
    return Change(file, at, at, " " * node.col_offset + _indented(step.text, node.col_offset) + "\n")


def _indent(file: str, line: int) -> int:
    text = linecache.getlines(file)[line - 1]
    return len(text) - len(text.lstrip())


def _indented(text: str, by: int) -> str:
    """The text with all lines but its first further to the right, as the first one stands where it goes."""
    return text.replace("\n", "\n" + " " * by)


# The files with it


def changed_text(before: str, changes: Sequence[Change]) -> str:
    """The file's text with the changes made, the last first; new lines at one place stay in their order."""
    raw = before.encode()
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for _, change in sorted(enumerate(changes), key=lambda each: (each[1].start, each[0]), reverse=True):
        start, stop = (starts[line - 1] + column for line, column in (change.start, change.stop))
        raw = raw[:start] + change.text.encode() + raw[stop:]
    return raw.decode()


def is_said(before: str, after: str, hunks: Sequence[Hunk], steps: Sequence[Step]) -> bool:
    """Whether the file is a program still, and says a part of what the steps say once more, where it was changed."""
    old, new = parsed(before), parsed(after)
    if old is None or new is None:
        return False
    were: list[range] = []
    are: list[range] = []
    shift = 0
    for hunk in (each.bare for each in hunks):
        were.append(range(hunk.first, hunk.first + len(hunk.old) + 1))
        are.append(range(hunk.first + shift, hunk.first + shift + len(hunk.new) + 1))
        shift += len(hunk.new) - len(hunk.old)
    was, now = _said(old, were), _said(new, are)
    return any(now[each] > was[each] for step in steps for each in _said(step.tree))


def _said(tree: ast.AST, lines: Sequence[range] | None = None) -> Counter[str]:
    """How often a program says something, on certain lines or, without any, on all."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr)]
    there = nodes if lines is None else [node for node in nodes if any(node.lineno in part for part in lines)]
    return Counter(map(_saying, there))


def _saying(node: ast.AST) -> str:
    """What a statement or a call says, whatever stands around it; of one with a body what its header says."""
    match node:
        case ast.If() | ast.While():
            return ast.dump(node.test)
        case ast.For():
            return ast.dump(node.iter)
        case ast.Expr():
            return ast.dump(node.value)
        case _:
            return ast.dump(node)
