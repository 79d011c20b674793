"""The lines that say by how much a causal convolution is padded, with the dilation in them.

Paddings of several layers are said in one line, `padding = kernel_size - 1`, and so is the cut that goes with each of
them: by the same variable, or by the same expression in the same function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shapewatch.adapters.statements import name_called, rewritten, statement
from shapewatch.edits import Edit, Set, SetCall, place_layer
from shapewatch.recording import Recording, Span
from shapewatch.source import span_of, tree_of

Kind = TypeVar("Kind", bound=ast.AST)

_KERNEL = {"torch": 2, "keras": 1}
"""The place of the width of the window among the arguments of a convolution."""

_STEP = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return

_DILATION = frozenset({"dilation", "dilation_rate"})

_ONE_PAIR = re.compile(r"([=,] *)\((\([^()]+ - 1\) \* [\w.* ]+)\)")
"""`padding=((kernel_size - 1) * dilation)`, where the line had parentheses already."""


@dataclass(frozen=True)
class _Said:
    """How a line that makes a convolution says its window: the text of its width and of its dilation, and its padding
    where it has one."""

    kernel: str
    dilation: str
    padding: ast.expr | None


def lines_of_reach(edits: Sequence[Edit], recording: Recording) -> list[tuple[Span, str]]:
    """The lines that say the paddings among the edits, each as it is to be; none where one of them is said by none, or
    as a number."""
    spans: list[Span] = []
    cuts: list[SetCall] = []
    for edit in edits:
        if isinstance(edit, SetCall) and edit.argument == "slices":
            if _is_a_number(edit, recording):
                return []
            cuts.append(edit)
        elif not _is_reach(edit, recording) or (span := _made_at(edit, recording)) is None:
            return []
        else:
            spans.append(span)
    if not spans:
        spans = [span for edit in cuts for span in _where_it_is_cut(edit, recording)]
    found: dict[int, tuple[Span, str]] = {}
    for span in dict.fromkeys(spans):
        lines = list(_lines_for(span, recording.framework))
        if not lines and len(cuts) < len(edits):
            return []
        found |= {line.line: (line, code) for line, code in lines}
    return [found[line] for line in sorted(found)]


def _is_reach(edit: Edit, recording: Recording) -> bool:
    """Whether an edit gives a padding that regards a dilation in the place of one that does not."""
    if isinstance(edit, Set) and edit.argument == "padding" and edit.layer in recording.layer_at:
        facts = recording.layer_at[edit.layer].facts
        kernel, dilation = (only(facts.get(name)) for name in ("kernel_size", "dilation"))
        # the facts may be those with the edit in place, but for the padding
        return dilation > 1 and only(edit.was) == kernel - 1 and only(edit.value) == (kernel - 1) * dilation
    if not isinstance(edit, Set | SetCall) or edit.argument != "pad" or not isinstance(edit.was, tuple):
        return False
    pairs = [(was, value) for was, value in zip(edit.was, edit.value, strict=False) if was or value]
    windows = ((only(layer.facts.get("kernel_size")), only(layer.facts.get("dilation"))) for layer in recording.layers)
    reaches = {(kernel - 1, (kernel - 1) * dilation) for kernel, dilation in windows if kernel > 1 and dilation > 1}
    return len(pairs) == 1 and pairs[0] in reaches


def only(value: Any) -> int:
    """`3` of `(3,)`; 0 of what has several, or none in numbers."""
    if isinstance(value, tuple):
        value = value[0] if len(value) == 1 else 0
    return value if isinstance(value, int) else 0


def _is_a_number(edit: SetCall, recording: Recording) -> bool:
    """Whether the line that cuts says by how much as a number."""
    call = recording.at(edit.place)
    count = str(edit.was).rpartition(":")[2]
    return call is not None and f":{count}" in (statement(call.span) or "").replace(" ", "")


def _where_it_is_cut(edit: SetCall, recording: Recording) -> Iterator[Span]:
    """The line that cuts, and the one that makes the layer in which that is done; of a block that has not run yet there
    is none."""
    call, layer = recording.at(edit.place), recording.layer_at.get(place_layer(edit.place))
    if call is not None and call.span is not None:
        yield call.span
    if call is not None and layer is not None and layer.defined is not None:
        yield layer.defined


def _made_at(edit: Edit, recording: Recording) -> Span | None:
    if isinstance(edit, Set):
        return recording.layer_at[edit.layer].defined
    call = recording.at(edit.place) if isinstance(edit, SetCall) else None
    if call is not None:
        return call.span
    # a block that has not run yet is of the class of one that has
    return None


def _lines_for(span: Span, framework: str) -> Iterator[tuple[Span, str]]:
    try:
        tree = tree_of(span.file)
    except (SyntaxError, ValueError, OSError):
        return
    for function in _functions_around(tree, span.line):
        said = next((said for node in ast.walk(function) if (said := _said_by(node, framework))), None)
        if said is None:
            continue
        if isinstance(said.padding, ast.Name) and said.padding.id in _arguments(function):
            yield from _said_by_callers(tree, function, said.padding.id, span)
            return
        for each in _statements(function):
            code = _with_reach(each, said, function, span.file)
            if code is not None:
                yield span_of(span.file, each.lineno), code
        return


def _functions_around(tree: ast.Module, line: int) -> Iterator[ast.FunctionDef]:
    """The function that a line is in, the innermost one; then what else its class has, as `__init__`."""
    around = [node for node in _defined(tree, ast.FunctionDef) if node.lineno <= line <= (node.end_lineno or 0)]
    yield from reversed(around)
    for cls in reversed(
        [node for node in _defined(tree, ast.ClassDef) if node.lineno <= line <= (node.end_lineno or 0)]
    ):
        yield from (node for node in cls.body if isinstance(node, ast.FunctionDef) and node not in around)


def _defined(tree: ast.AST, kind: type[Kind]) -> list[Kind]:
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def _said_by(node: ast.AST, framework: str) -> _Said | None:
    """Of a line that makes a convolution over steps with a dilation, what it says of its window."""
    if not isinstance(node, ast.Call) or name_called(node) not in ("Conv1d", "Conv1D", "DepthwiseConv1D"):
        return None
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    at = _KERNEL.get(framework, len(node.args))
    kernel = named.get("kernel_size") or (node.args[at] if len(node.args) > at else None)
    dilation = next((value for name, value in named.items() if name in _DILATION), None)
    if kernel is None or dilation is None or isinstance(kernel, ast.Constant) or isinstance(dilation, ast.Constant):
        return None
    return _Said(ast.unparse(kernel), ast.unparse(dilation), named.get("padding"))


def _arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}


def _said_by_callers(tree: ast.Module, function: ast.FunctionDef, name: str, span: Span) -> Iterator[tuple[Span, str]]:
    """The lines that make a block, where its padding is an argument of it: `padding=kernel_size - 1`."""
    classes = [node for node in _defined(tree, ast.ClassDef) if function in node.body]
    for each in _statements(tree) if classes else ():
        for call in (node for node in ast.walk(each) if isinstance(node, ast.Call)):
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            dilation = next((value for arg, value in named.items() if arg in _DILATION), None)
            given = named.get(name)
            if name_called(call) != classes[-1].name or dilation is None or given is None or not _less_one(given):
                continue
            assert isinstance(given, ast.BinOp)
            said = _Said(ast.unparse(given.left), ast.unparse(dilation), given)
            yield span_of(span.file, each.lineno), _replaced(each, [given], said, span.file)


def _statements(scope: ast.AST) -> list[ast.stmt]:
    """The simple statements in a scope, in the order of the text."""
    found = [node for node in ast.walk(scope) if isinstance(node, _STEP)]
    return sorted(found, key=lambda node: node.lineno)


def _with_reach(line: ast.stmt, said: _Said, function: ast.FunctionDef, file: str) -> str | None:
    """A statement with the dilation wherever it says the width of the window less one; None where it does not, or where
    the dilation is not known yet."""
    multiplied = {
        id(side)
        for node in ast.walk(line)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.FloorDiv | ast.Div)
        for side in (node.left, node.right)
    }
    kernels = {said.kernel, f"self.{said.kernel}"}
    found = [
        node
        for node in ast.walk(line)
        if _less_one(node) and ast.unparse(node.left) in kernels and id(node) not in multiplied  # type: ignore[attr-defined]
    ]
    if not found or not _is_known(said.dilation, line, function):
        return None
    return _replaced(line, found, said, file)


def _less_one(node: ast.AST) -> bool:
    """`kernel_size - 1`."""
    less = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    return less and isinstance(node.right, ast.Constant) and node.right.value == 1  # type: ignore[attr-defined]


def _is_known(dilation: str, line: ast.stmt, function: ast.FunctionDef) -> bool:
    """Whether the dilation has its value before a statement."""
    tree = ast.parse(dilation)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"self"}
    names |= {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    bound = {
        ast.unparse(node)
        for node in ast.walk(function)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store) and node.lineno < line.lineno
    }
    return names <= _arguments(function) | bound


def _replaced(line: ast.stmt, nodes: Sequence[ast.AST], said: _Said, file: str) -> str:
    """The statement with the dilation in it, its other text as it was written."""
    source = statement(span_of(file, line.lineno)) or ast.unparse(line)
    meant = {ast.unparse(node) for node in nodes}
    spelled = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.BinOp)]
    changes: list[tuple[ast.expr | ast.keyword, str]] = []
    for node in spelled:
        if ast.unparse(node) in meant:
            loose = isinstance(ast.parse(said.dilation, mode="eval").body, ast.BinOp) and "**" not in said.dilation
            dilation = f"({said.dilation})" if loose else said.dilation
            changes.append((node, f"({ast.unparse(node)}) * {dilation}"))
    return _ONE_PAIR.sub(r"\1\2", rewritten(source, changes))
