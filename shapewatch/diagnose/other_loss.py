"""Labels of the other form than a loss takes, where they come out of a pipeline: the loss, on the line that says it.

`model.fit(train_ds)` has no array of labels that could be converted, and what is validated on comes in the same form as
what is trained on. So it is the loss that is to be another one, spelled as the program spells losses. Where a metric is
for the form that the loss takes too, the program says that form twice, and nothing is told of the loss.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shapewatch.adapters.around import functions_around
from shapewatch.adapters.statements import function_called, name_called, statement
from shapewatch.axes import differ
from shapewatch.edits import Target
from shapewatch.recording import Failure, Span
from shapewatch.report import Cause, Diagnosis
from shapewatch.rules import Case
from shapewatch.rules.losses import compared
from shapewatch.source import span_of, tree_of

_FIT = frozenset({"fit", "evaluate"})

_WORDS = {
    "one-hot": {
        "categorical_crossentropy": "sparse_categorical_crossentropy",
        "CategoricalCrossentropy": "SparseCategoricalCrossentropy",
    },
    "numbers": {
        "sparse_categorical_crossentropy": "categorical_crossentropy",
        "SparseCategoricalCrossentropy": "CategoricalCrossentropy",
    },
}
"""By what would be made of the labels: a loss, and the one that takes them as they are."""

_TAKEN_BY_BOTH = frozenset({"from_logits", "name", "reduction", "axis"})

_HAS = {"one-hot": "class numbers", "numbers": "rows of a number for each class"}
"""By the same: the form that the labels have."""

_OTHER = {"one-hot": "numbers", "numbers": "one-hot"}


@dataclass(frozen=True)
class _Said:
    """The word in the program that says the loss."""

    node: ast.expr
    word: str


def or_another_loss(told: Diagnosis, case: Case) -> Diagnosis:
    """The diagnosis; where its labels would be converted and are in no variable, with the loss that takes them."""
    fix = told.fixes[0] if told.fixes and case.recording.framework == "keras" else None
    edit = fix.changes[0] if fix is not None and fix.changes else None
    failure = case.recording.failure
    if fix is None or failure is None or failure.span is None or not isinstance(edit, Target):
        return told
    words = _WORDS.get(edit.change, {}) if not edit.arguments.get("binary") else {}
    data = _pipeline_at(failure, case)
    said = _loss_of(failure.span, words) if data is not None else None
    if data is None or said is None:
        return told
    line = span_of(failure.span.file, said.node.lineno)
    instead = words[said.word]
    code = _with_word(line, said, instead)
    if code is None:
        return told
    other = replace(
        fix,
        title=f"the loss {instead}",
        code=code,
        edit={"action": "set", "argument": "loss", "value": instead},
        changes=(),
    )
    reason = f"{said.word} takes {_HAS[_OTHER[edit.change]]} for labels, and `{data}` gives {_HAS[edit.change]}"
    return replace(told, cause=Cause(None, "loss", line, reason), fixes=(other,))


def _pipeline_at(failure: Failure, case: Case) -> str | None:
    """What a line gives `fit` that the labels come out of; None where it gives labels themselves, or where those that
    the loss refuses may be other ones, of the data for the validation."""
    call = function_called(statement(failure.span), _FIT)
    given = [each.arg for each in call.keywords] if call is not None else []
    if call is None or len(call.args) != 1 or isinstance(call.args[0], ast.Starred) or {"y", None} & set(given):
        return None
    data = ast.unparse(call.args[0])
    loss = compared(case)
    labels = failure.labelled.get(data)
    if labels is None or loss is None:
        return data if "validation_data" not in given else None
    alike = len(labels) == len(loss.target) and not any(map(differ, labels, loss.target))
    return data if alike else None


def _loss_of(span: Span, words: dict[str, str]) -> _Said | None:
    """Where the program says the loss of the model that a line trains; None where it does not say just one of these."""
    compiled = _compiled(span)
    named = {each.arg: each.value for each in compiled.keywords} if compiled is not None else {}
    loss = named.get("loss")
    if compiled is None or loss is None:
        return None
    if isinstance(loss, ast.Name) and loss.id not in words:
        loss = _only_value(loss, span.file)
    said = _word(loss) if loss is not None else None
    metrics = [named[each] for each in ("metrics", "weighted_metrics") if each in named]
    forms = [str(getattr(node, "value", getattr(node, "attr", ""))) for each in metrics for node in ast.walk(each)]
    if said is None or said.word not in words or any(re.search("categorical", form, re.IGNORECASE) for form in forms):
        return None
    return said


def _compiled(span: Span) -> ast.Call | None:
    """The call of `compile` with a loss for what a line trains: the only one in the file, or the one of its name."""
    trained = function_called(statement(span), _FIT)
    whose = ast.unparse(trained.func.value) if trained is not None and isinstance(trained.func, ast.Attribute) else ""
    calls = list(_compiles(span.file))
    if len(calls) > 1:
        calls = [
            call for call in calls if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == whose
        ]
    return calls[0] if len(calls) == 1 else None


def _compiles(file: str) -> Iterator[ast.Call]:
    try:
        nodes = list(ast.walk(tree_of(file)))
    except (SyntaxError, ValueError, OSError):
        return
    for node in nodes:
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and name_called(node) == "compile"
        if method and isinstance(node, ast.Call) and any(keyword.arg == "loss" for keyword in node.keywords):
            yield node


def _only_value(name: ast.Name, file: str) -> ast.expr | None:
    """What the one assignment of a variable gives it, in its function or in the file."""
    around = functions_around(file, name.lineno)
    for scope in (*around[:1], tree_of(file)):
        stores = [
            node
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign) and any(ast.unparse(target) == name.id for target in node.targets)
        ]
        if stores:
            return stores[0].value if len(stores) == 1 else None
    return None


def _word(loss: ast.expr) -> _Said | None:
    """The word of a loss: in quotes, of a function, or of a class with arguments that the other class takes too."""
    if isinstance(loss, ast.Call):
        known = all(each.arg in _TAKEN_BY_BOTH for each in loss.keywords) and not loss.args
        return _word(loss.func) if known and not isinstance(loss.func, ast.Call) else None
    match loss:
        case ast.Constant(value=str(word)) | ast.Attribute(attr=word) | ast.Name(id=word):
            return _Said(loss, word)
    return None


def _with_word(line: Span, said: _Said, instead: str) -> str | None:
    """The line with the other word in the place of that one."""
    text = linecache.getline(line.file, line.line)
    raw, node = text.encode(), said.node
    if node.end_lineno != node.lineno or node.end_col_offset is None:
        return None
    before, own, after = raw[: node.col_offset], raw[node.col_offset : node.end_col_offset], raw[node.end_col_offset :]
    new = re.sub(rf"\b{said.word}\b", instead, own.decode())
    return (before.decode() + new + after.decode()).strip() if new != own.decode() else None
