"""A change of one layer, where its line makes others as well: the change of all of them.

`x = layers.Conv2D(filters, 3, name=f"{name}_conv2")(x)` in a helper is one line for every block, and whoever writes
`padding="same"` there writes it for all. That one layer alone would do is mostly because the model was still being
built, and those behind it had not come yet. What the program takes from a variable it says for each of them apart.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from shapewatch.adapters import Adapter
from shapewatch.adapters.statements import parsed, statement
from shapewatch.diagnose.fixes import as_their_line
from shapewatch.edits import Edit, Set
from shapewatch.recording import Recording
from shapewatch.repair import Outcome, Search, Verified
from shapewatch.rules import Case


def on_their_lines(outcome: Outcome, search: Search, case: Case, adapter: Adapter) -> Outcome:
    """What a search found; of what one line makes several times, all that it makes, if the pass goes as far with it."""
    passing: dict[frozenset[str], Verified] = {}
    for verified in outcome.passing:
        widened = _widened(verified, search, case, adapter)
        passing.setdefault(frozenset(map(repr, widened.candidate.edits)), widened)
    return replace(outcome, passing=tuple(passing.values()))


def _widened(verified: Verified, search: Search, case: Case, adapter: Adapter) -> Verified:
    edits = _wherever_their_line_says_so(verified.candidate.edits, case.recording)
    if len(edits) == len(verified.candidate.edits) or not _is_one_line(edits, case.recording, adapter):
        return verified
    said = f"its line makes {len(edits)} layers, which all change"
    evidence = (*verified.candidate.evidence, said)
    tried = search.run(replace(verified.candidate, edits=edits, evidence=evidence), case)
    ends_as_far = tried.trial.beyond is None or verified.trial.beyond is not None
    return replace(tried, score=verified.score) if tried.passes and ends_as_far else verified


def _wherever_their_line_says_so(edits: Sequence[Edit], recording: Recording) -> tuple[Edit, ...]:
    """The edits, and the same of every other layer that one of their lines makes with the same value; none more where
    they are not all of settings, or where the line gives some of its layers another value."""
    more: list[Edit] = []
    for edit in edits:
        layer = recording.layer_at.get(edit.layer) if isinstance(edit, Set) else None
        if not isinstance(edit, Set) or layer is None or layer.defined is None:
            return tuple(edits)
        there = [other for other in recording.layers if (other.defined, other.type) == (layer.defined, layer.type)]
        if any(other.facts.get(edit.argument) != layer.facts.get(edit.argument) for other in there):
            return tuple(edits)
        alike = [replace(edit, layer=other.path) for other in there]
        more += [each for each in alike if each not in edits and each not in more]
    return (*edits, *more)


def _is_one_line(edits: Sequence[Edit], recording: Recording, adapter: Adapter) -> bool:
    """Whether the change is one of a line that stays as it is otherwise: each name in it is there still."""
    written = as_their_line(edits, adapter, recording)
    layer = recording.layer_at.get(edits[0].layer) if isinstance(edits[0], Set) else None
    line = parsed(statement(layer.defined)) if layer is not None else None
    after = parsed(written.code) if written is not None else None
    return line is not None and after is not None and _names(line) <= _names(after)


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
