"""Labels whose classes begin at 1, with the line of the program that makes them, or gives them, from 0 on."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapewatch.adapters.classes import highest_of
from shapewatch.adapters.statements import atom, name_called, parsed, rewritten, statement
from shapewatch.edits import Target
from shapewatch.recording import Failure, Span
from shapewatch.report import Diagnosis, Fix
from shapewatch.rules.rule import listed
from shapewatch.source import span_of, tree_of

_ONE_HOT = frozenset({"to_categorical", "one_hot"})


def or_made_from_one(told: Diagnosis, failure: Failure | None) -> Diagnosis:
    """The diagnosis; where its labels are known to begin at 1, with the line that counts them from 0."""
    edit = told.fixes[0].changes[0] if told.fixes and told.fixes[0].changes else None
    if failure is None or not isinstance(edit, Target) or edit.change != "from-one" or failure.span is None:
        return told
    classes = edit.arguments.get("classes")
    if not isinstance(classes, int):
        return told
    names = highest_of(failure.from_one, classes)
    rows = any(len(failure.spoken.get(name, ())) == 2 for name in names)
    lines = list(_made(names, classes, failure)) if rows else list(_given(names, failure.span))
    if not names or not lines:
        return told
    fix: Fix = replace(told.fixes[0], code="\n".join(code for _, code in lines))
    reason = f"no label has class 0: the classes of {listed(names)} go from 1 to {classes}"
    cause = told.cause and replace(told.cause, location=lines[0][0], reason=reason)
    return replace(told, cause=cause, fixes=(fix, *told.fixes[1:]))


def _made(names: Sequence[str], classes: int, failure: Failure) -> Iterator[tuple[Span, str]]:
    """The lines that make one-hot rows: the only one of the program's lines that ran, or those of these arrays."""
    for file in dict.fromkeys(span.file for span in reversed(failure.stack)):
        statements = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.Assign | ast.Return | ast.Expr)]
        making = [node for node in statements if _one_hot(node) is not None]
        if len(making) > 1:
            making = [node for node in making if isinstance(node, ast.Assign) and _names(node) & set(names)]
        for node in making:
            line = span_of(file, node.lineno)
            code = _from_zero(statement(line), classes)
            if code is not None:
                yield line, code
        if making:
            return


def _names(node: ast.Assign) -> set[str]:
    return {ast.unparse(target) for target in node.targets}


def _one_hot(node: ast.AST) -> ast.Call | None:
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and name_called(each) in _ONE_HOT]
    return calls[0] if len(calls) == 1 and calls[0].args else None


def _from_zero(source: str | None, classes: int) -> str | None:
    """The line with 1 taken off the class numbers, and off how many there are where that is said by a number."""
    tree = parsed(source)
    call = _one_hot(tree) if tree is not None else None
    if source is None or call is None:
        return None
    given = call.args[0]
    count = [*call.args[1:2], *(each.value for each in call.keywords if each.arg in ("num_classes", "depth"))]
    if any(not isinstance(each, ast.Constant) or each.value != classes + 1 for each in count):
        return None
    spelled = ast.get_source_segment(source, given) or ast.unparse(given)
    return rewritten(source, [(given, f"{atom(spelled)} - 1"), *((each, str(classes)) for each in count)])


def _given(names: Sequence[str], span: Span) -> Iterator[tuple[Span, str]]:
    """The line that gives class numbers, with 1 taken off each."""
    source = statement(span)
    tree = parsed(source)
    nodes = list(ast.walk(tree)) if tree is not None else []
    counted = {id(part) for node in nodes if _counts(node) for part in ast.walk(node)}
    read = [node for node in nodes if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)]
    read = [node for node in read if id(node) not in counted]
    given = [node for node in read if isinstance(node.ctx, ast.Load) and ast.unparse(node) in names]
    if source is not None and given:
        yield span, rewritten(source, [(node, f"{ast.unparse(node)} - 1") for node in given])


def _counts(node: ast.AST) -> bool:
    """`len(labels)`, `labels.shape`: how many there are, and not what they are."""
    return (isinstance(node, ast.Call) and name_called(node) == "len") or (
        isinstance(node, ast.Attribute) and node.attr in ("shape", "size")
    )
