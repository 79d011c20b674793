"""Fixes as patches: where in the program's files the code of a fix belongs.

A fix brings its code as somebody would write it: a line of the program as it should be, or a new line. Which line that
is, or before which one the new one goes, is read off the places that the fix is about. There is a patch only where the
program leaves no choice; what several lines could be, or what the file has no names for, is left to the reader.

The rejected way: that every writer of code hands over where it goes. There are some fifty of them, and each would have
to be right about it; here the same few rules are, and what they made is read again before it is believed.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from shapewatch.adapters.around import class_around, functions_around
from shapewatch.adapters.constructed import method_of
from shapewatch.adapters.rows import listed
from shapewatch.adapters.statements import is_assigned, name_called, nodes_of, starting_at
from shapewatch.adapters.worked_out import parameters_of
from shapewatch.edits import Input, Insert, Replace, Set, SetCall, Target
from shapewatch.firewall import attempt
from shapewatch.patches.changes import (
    Change,
    Header,
    Step,
    There,
    all_statements,
    changed_text,
    end_of,
    in_place,
    is_said,
    is_text,
    line_of,
    names_missing,
    names_read,
    new_before,
    new_behind,
    statements_at,
    steps_of,
)
from shapewatch.patches.diff import read, unified
from shapewatch.recording import Recording, Span
from shapewatch.report import Diagnosis, Fix
from shapewatch.source import is_users_own


def with_patches(diagnosis: Diagnosis, recording: Recording) -> Diagnosis:
    """The diagnosis with a patch for each fix that can have one."""
    fixes = tuple(replace(fix, patch=attempt(patch_of, fix, diagnosis, recording)) for fix in diagnosis.fixes)
    return replace(diagnosis, fixes=fixes)


def patch_of(fix: Fix, diagnosis: Diagnosis, recording: Recording) -> str | None:
    """A unified diff against the program's files, as `patch -p1` and `git apply` take it; None where the program does
    not tell where the code goes."""
    steps = steps_of(fix.code)
    if fix.patch is not None or not steps or _declares(steps) or _is_for_one_of_several(fix, steps, recording):
        return fix.patch
    spans = [span for span in _places(fix, diagnosis, recording) if is_users_own(span.file)]
    changes = _Program(spans, recording).changes(steps)
    if changes is None:
        return None
    diffs = []
    for file, of_file in groupby(sorted(changes, key=lambda change: change.file), lambda change: change.file):
        before = "".join(linecache.getlines(file))
        after = changed_text(before, list(of_file))
        diff = unified(file, before, after)
        if not diff or not is_said(before, after, read(diff)[0].hunks, steps):
            return None
        diffs.append(diff)
    return "".join(diffs)


def _declares(steps: Sequence[Step]) -> bool:
    """Whether a model is to declare another input: the data that it is given later have the size that they have."""
    calls = [node for step in steps for node in ast.walk(step.tree) if isinstance(node, ast.Call)]
    return any(name_called(call) in ("Input", "InputLayer") for call in calls)


_SIZED = frozenset({"subsample_pad", "pad", "resize", "conv", "sequence", "linear", "expand", "narrow"})
"""Kinds of what is put on an operand that have sizes in numbers."""


def _is_for_one_of_several(fix: Fix, steps: Sequence[Step], recording: Recording) -> bool:
    """Whether the code has numbers that one run of its line needs, and the line ran for others as well."""
    inserts = [edit for edit in fix.changes if isinstance(edit, Insert) and edit.module.kind in _SIZED]
    places = {edit.place for edit in inserts}
    calls = [call for call in recording.calls if call.place in places and call.span is not None]
    lines = {(call.span, call.name) for call in calls}
    others = {call.place for call in recording.calls if (call.span, call.name) in lines} - places
    around = [node for span, _ in lines if span is not None for node in functions_around(span.file, span.line)[:1]]
    told = {number for node in around for number in _sizes_in(node)}
    said = {number for step in steps for number in _sizes_in(step.tree)}
    return bool(others) and bool(said - told)


def _sizes_in(node: ast.AST) -> set[int]:
    numbers = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and type(each.value) is int}
    return {number for number in numbers if number > 1}


def _places(fix: Fix, diagnosis: Diagnosis, recording: Recording) -> list[Span]:
    """The lines that a fix is about, the nearest first."""
    found: list[Span | None] = [fix.location]
    for edit in fix.changes:
        if isinstance(edit, Set | Replace):
            layer = recording.layer_at.get(edit.layer)
            found.append(layer.defined if layer is not None else None)
        elif isinstance(edit, SetCall | Insert):
            call = recording.at(edit.place)
            found.append(call.span if call is not None else None)
        elif isinstance(edit, Input):
            found += [call.span for call in reversed(recording.roots)]
        elif isinstance(edit, Target) and recording.failure is not None:
            found.append(recording.failure.span)
    found.append(diagnosis.cause.location if diagnosis.cause is not None else None)
    found.append(diagnosis.location)
    found += reversed(recording.failure.stack) if recording.failure is not None else []
    return list(dict.fromkeys(span for span in found if span is not None))


# Where it goes


@dataclass(frozen=True)
class _Program:
    """The program as far as a fix is about it: places in its files, the nearest first."""

    spans: Sequence[Span]
    recording: Recording

    def changes(self, steps: Sequence[Step]) -> list[Change] | None:
        """Each step in the place of a statement, or as a new line: before the statement that the next step stands for
        or, of the last step, behind a line before it that the program has already."""
        changes: list[Change] = []
        later: tuple[str, ast.stmt] | None = None
        kept = [self.kept(step) if len(steps) > 1 else None for step in steps]
        for index, step in reversed(list(enumerate(steps))):
            if (there := kept[index]) is not None:
                later = there
                continue
            before = kept[index - 1] if index else None
            place = self.replaced(step)
            change = in_place(place) if place is not None else None
            if place is None:
                is_last = later is None and before is not None
                change = new_behind(*before, step) if is_last and before is not None else self.new_line(step, later)
            if change is None:
                return None
            changes.append(change)
            if place is not None and isinstance(place.node, ast.stmt):
                later = (place.file, place.node)
        missing = names_missing(steps, {change.file for change in changes})
        return None if missing else changes[::-1]

    def kept(self, step: Step) -> tuple[str, ast.stmt] | None:
        """The statement that a step is, without a change: it says where the others go."""
        return next((each for each in self.near if ast.dump(each[1]) == ast.dump(step.tree)), None)

    @cached_property
    def near(self) -> list[tuple[str, ast.stmt]]:
        """The statements at these places, each with its file."""
        return [(span.file, node) for span in self.spans for node in statements_at(span)]

    def replaced(self, step: Step) -> There | None:
        """The one statement, or the one part of a statement, that a step is another version of."""
        if isinstance(step.tree, Header) and not step.is_header:
            return None
        alike = [(file, node) for file, node in self.near if _is_alike(step.tree, node)]
        near = [(file, node) for file, node in alike if _has_same_head(step.tree, node)] or alike
        if near:
            file, first = near[0]
            others = [node for _, node in near if node is not first]
            return There(file, first, step) if not others or self.spans[0].line == line_of(first) else None
        if (entry := self.entry(step) or self.numbered(step)) is not None:
            return entry
        files = dict.fromkeys(span.file for span in self.spans)
        far = [(file, node) for file in files for node in all_statements(file) if _has_same_head(step.tree, node)]
        return There(*far[0], step) if len(far) == 1 else None

    def entry(self, step: Step) -> There | None:
        """The entry of a row of layers that begins on one of the lines and calls the same, or what the line gives for
        an argument of that name, or under that key of a dictionary."""
        if not isinstance(step.tree, ast.Expr):
            return None
        for span in self.spans:
            begun = [node for node in starting_at(span.file, span.line) if isinstance(node, ast.expr)]
            outer = max(begun, key=end_of, default=None)
            if outer is not None and _calls_same(step.tree.value, outer):
                return There(span.file, outer, step)
            for name, new in _named(step.tree.value) if step.is_argument else []:
                held = [value for node in nodes_of(span.file) for other, value in _named(node) if other == name]
                there = next((value for value in held if value.lineno == span.line), None)
                if there is not None:
                    return There(span.file, there, step.part(new))
        return None

    def numbered(self, step: Step) -> There | None:
        """Of `self.row[2] = ...` that entry in the one line that makes the row."""
        node = step.tree
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if not isinstance(node, ast.Assign) or not isinstance(target, ast.Subscript):
            return None
        index, row = target.slice, ast.unparse(target.value)
        files = dict.fromkeys(span.file for span in self.spans)
        rows = [
            (file, each)
            for file in files
            for each in nodes_of(file)
            if isinstance(each, ast.Assign) and is_assigned(each, row)
        ]
        entries = listed(rows[0][0], rows[0][1].lineno) if len(rows) == 1 else ()
        if not isinstance(index, ast.Constant) or not isinstance(index.value, int) or index.value >= len(entries):
            return None
        entry = entries[index.value]
        return There(rows[0][0], entry, step.part(node.value)) if _calls_same(node.value, entry) else None

    def new_line(self, step: Step, later: tuple[str, ast.stmt] | None) -> Change | None:
        """A step that no statement of the program is a version of: what it gives is used by one."""
        if isinstance(step.tree, ast.If) and not step.is_header and later is not None:
            return new_before(*later, step)
        if not isinstance(step.tree, ast.Assign) or len(step.tree.targets) != 1:
            return None
        target = step.tree.targets[0]
        if isinstance(target, ast.Attribute):
            return self.new_attribute(target, step, later)
        if not isinstance(target, ast.Name):
            return None
        if later is not None:
            return None if _makes_a_layer(step.tree) and self.runs_for_several(*later) else new_before(*later, step)
        for file, node in self.near:
            if target.id in names_read(node):
                return new_before(file, node, step)
        return self.in_forward(target.id, step)

    def runs_for_several(self, file: str, node: ast.stmt) -> bool:
        """Whether a line ran for more than one layer, so that numbers that one of them needs are wrong for others."""
        calls = [call for call in self.recording.calls if call.span is not None and call.span.line == node.lineno]
        return len({call.place for call in calls if call.span is not None and call.span.file == file}) > 1

    def new_attribute(self, target: ast.Attribute, step: Step, later: tuple[str, ast.stmt] | None) -> Change | None:
        """A layer that a class is to make: behind the last one that it makes. Numbers that one instance needs are wrong
        for others; what the constructor is given is not."""
        owner = class_around(later[0], later[1].lineno) if later is not None else None
        init = method_of(owner, "__init__") if owner is not None else None
        if owner is None or init is None or later is None or ast.unparse(target.value) != "self":
            return None
        made = [node for node in init.body if isinstance(node, ast.Assign)]
        for_all = bool(names_read(step.tree) & set(parameters_of(init)[1:]))
        alone = sum(layer.type == owner.name for layer in self.recording.layers) == 1
        return new_behind(later[0], made[-1], step) if made and (alone or for_all) else None

    def in_forward(self, name: str, step: Step) -> Change | None:
        """As the first line of the method that has an argument of that name, where one class alone has it."""
        types = {layer.type for layer in self.recording.layers if not layer.path}
        found = [
            (file, method)
            for file in dict.fromkeys(span.file for span in self.spans)
            for each in all_statements(file)
            if isinstance(each, ast.ClassDef) and each.name in types
            for method in (method_of(each, "forward") or method_of(each, "call"),)
            if method is not None and name in parameters_of(method)
        ]
        if len(found) != 1:
            return None
        file, method = found[0]
        rest = [node for node in method.body if not is_text(node)]
        return new_before(file, rest[0], step) if rest else None


def _is_alike(new: ast.AST, old: ast.AST) -> bool:
    """Whether a statement is another version of one: it gives to the same names, or calls the same for nothing."""
    if type(new) is not type(old) or ast.dump(new) == ast.dump(old):
        return False
    if isinstance(new, ast.Assign) and isinstance(old, ast.Assign):
        done_to_it = _is_done_to(_targets(new), new.value, old.value)
        return _targets(new) == _targets(old) and not _is_wrapped(new.value, old.value) and not done_to_it
    if isinstance(new, ast.AugAssign) and isinstance(old, ast.AugAssign):
        return ast.dump(new.target) == ast.dump(old.target) and type(new.op) is type(old.op)
    if isinstance(new, ast.Expr) and isinstance(old, ast.Expr):
        return _calls_same(new.value, old.value)
    if isinstance(new, ast.For) and isinstance(old, ast.For):
        return ast.dump(new.target) == ast.dump(old.target)
    return isinstance(new, ast.Return | ast.If | ast.While)


def _has_same_head(new: ast.AST, old: ast.AST) -> bool:
    """Whether a statement is another version of one that may stand far away: it also has to call the same."""
    if isinstance(new, ast.For) and isinstance(old, ast.For) and _is_alike(new, old):
        return _calls_same(new.iter, old.iter)
    if isinstance(new, ast.Assign) and isinstance(old, ast.Assign) and _is_alike(new, old):
        return _calls_same(new.value, old.value)
    return False


def _is_done_to(targets: Sequence[str], new: ast.expr, old: ast.expr) -> bool:
    """Whether something else is done to a variable than the line does that makes it: `x = layers.Permute((2, 1))(x)`
    comes behind `x = block(x, 32)`, and not in its place."""
    if not isinstance(new, ast.Call) or not isinstance(old, ast.Call) or _calls_same(new, old):
        return False
    own = all(ast.unparse(each.func).startswith("self.") for each in (new, old))
    return not own and any(ast.unparse(each) in targets for each in new.args)


def _is_wrapped(new: ast.expr, old: ast.expr) -> bool:
    """Whether what is to be written stands inside of a call now, which would be lost: `weight_norm(nn.Conv1d(...))`."""
    if not isinstance(new, ast.Call) or not isinstance(old, ast.Call) or _calls_same(new, old):
        return False
    return any(isinstance(node, ast.Call) and _callee(node) == _callee(new) for node in ast.walk(old))


def _makes_a_layer(node: ast.AST) -> bool:
    """`layers.Conv2D(32, 1)(x)`."""
    return any(isinstance(each, ast.Call) and isinstance(each.func, ast.Call) for each in ast.walk(node))


def _named(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """What a call gives for its arguments by name, or a dictionary has under its keys, as they are written."""
    if isinstance(node, ast.Call):
        return [(each.arg, each.value) for each in node.keywords if each.arg is not None]
    keys = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else []
    return [(ast.unparse(key), value) for key, value in keys if key is not None]


def _calls_same(new: ast.expr, old: ast.expr) -> bool:
    if not isinstance(new, ast.Call) or not isinstance(old, ast.Call) or _callee(new) != _callee(old):
        return False
    return isinstance(new.func, ast.Call) == isinstance(old.func, ast.Call)  # a layer that is made, or made and called


def _callee(call: ast.Call) -> str:
    """What a call calls; of a layer that is made and called in one, what makes it."""
    return _callee(call.func) if isinstance(call.func, ast.Call) else name_called(call)


def _targets(node: ast.Assign) -> list[str]:
    return [ast.unparse(target) for target in node.targets]
