"""Samples of several shapes, put together by a loader that is not told how, where the program has a function for it."""

from __future__ import annotations

import ast

from shapewatch.repair.loaders import as_made, construction, loaders_made, looped_over
from shapewatch.repair.variables import Odd
from shapewatch.report import Cause, Fix
from shapewatch.rules.rule import Case, Finding
from shapewatch.rules.samples_differ import ends_short
from shapewatch.source import tree_of


def without_collate_fn(case: Case, finding: Finding, framework: str) -> Odd | None:
    """The loader that lacks the `collate_fn` which another one has, or which is defined and given to none: the only one
    of a file, or the one that the loop runs over."""
    span = case.call.span or (case.recording.failure.span if case.recording.failure is not None else None)
    if finding.code != "SW902" or span is None or ends_short(case.shapes):
        return None
    try:
        tree = tree_of(span.file)
    except (SyntaxError, ValueError):
        return None
    made = loaders_made(tree)
    bare = [node for node in made if _collating(node) is None]
    names = {text for node in made if (text := _collating(node)) is not None} or _unused_functions(tree)
    loop = looped_over(case.recording)
    loader = as_made(span.file, bare[0]) if len(bare) == 1 and loop is None else loop
    if loader is None or loader.given("collate_fn") is not None or len(names) != 1:
        return None
    (name,) = names
    code = loader.with_more("collate_fn", name)
    had = len(made) - len(bare)
    whose = "the file" if not had else "the other loader" if len(made) == 2 else "another loader"
    reason = f"it has no `collate_fn`, and {whose} has `{name}`"
    edit = {"action": "set", "variable": "DataLoader", "argument": "collate_fn", "value": name}
    title = f"the samples put together by `{name}`"
    fix = Fix(title, code, edit, (), framework, None, "what a loader gives is no part of a model")
    return Odd(Cause(None, "DataLoader", loader.line, reason), fix, True)


def _collating(node: ast.AST) -> str | None:
    call = construction(node)
    given = [each.value for each in call.keywords if each.arg == "collate_fn"] if call is not None else []
    return ast.unparse(given[0]) if given else None


def _unused_functions(tree: ast.Module) -> set[str]:
    """Functions that are made for putting samples together, and that nothing calls or is given."""
    made = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and "collate" in node.name}
    return made - {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
