"""The line of a loop that constructs an instance of the program's own class in each turn, with a size changed in it.

`self.ups.append(Double(width, width))` is one line for every instance that the loop makes. Where each of them needs so
many times, or so many more than, what it was given, the line says so for all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from shapewatch.adapters.around import class_around
from shapewatch.adapters.constructed import is_for_one_attribute, method_of, parameter_of
from shapewatch.adapters.statements import atom, name_called, parsed, rewritten, statement
from shapewatch.adapters.torch.own_line import arguments_of, made_in
from shapewatch.adapters.worked_out import bound
from shapewatch.edits import Edit, Set
from shapewatch.recording import Layer, Recording, Span
from shapewatch.source import is_users_own


def line_of_loop(edits: Sequence[Edit], parts: list[str], recording: Recording) -> tuple[Span, str] | None:
    """The line, and it as it should be; `parts`: the attribute of an instance that holds the first of the layers and,
    in a row, which one it is. None where the instances need what no one expression says."""
    suffix = "." + ".".join(parts)
    sets = [edit for edit in edits if isinstance(edit, Set) and edit.layer.endswith(suffix)]
    instances = [recording.layer_at.get(edit.layer.removesuffix(suffix)) for edit in sets]
    first = instances[0] if len(sets) == len(edits) > 1 else None
    if first is None or first.defined is None or not is_users_own(first.defined.file):
        return None
    there = {layer.path for layer in recording.layers if (layer.type, layer.defined) == (first.type, first.defined)}
    if there != {instance.path if instance is not None else "" for instance in instances}:
        return None
    inner = recording.layer_at[sets[0].layer].defined
    owner = class_around(inner.file, inner.line) if inner is not None else None
    parameter = _parameter(sets[0], parts, owner, recording)
    init, call = method_of(owner, "__init__") if owner is not None else None, _construction(first)
    given = bound(call, init) if call is not None and init is not None else None
    node, source = (given or {}).get(parameter or ""), statement(first.defined)
    sizes = [(edit.was, edit.value) for edit in sets if isinstance(edit.was, int) and isinstance(edit.value, int)]
    new = (
        _for_each(node, source, sizes) if node is not None and source is not None and len(sizes) == len(sets) else None
    )
    if new is None or node is None or source is None:
        return None
    *first_ones, last = [str(was) for was in dict.fromkeys(was for was, _ in sizes)]
    were = f"{', '.join(first_ones)} and {last}"
    return first.defined, f"{rewritten(source, [(node, new)])}  # {parameter} was {were}"


def _parameter(edit: Set, parts: list[str], owner: ast.ClassDef | None, recording: Recording) -> str | None:
    """The argument of the class that is the size of the layer and nothing else; None where there is none."""
    layer = recording.layer_at[edit.layer]
    source = statement(layer.defined)
    call, tree = made_in(source, parts, layer), parsed(source)
    size = (arguments_of(call, layer) or {}).get(edit.argument) if call is not None else None
    parameter = parameter_of(size, owner) if size is not None and owner is not None else None
    if owner is None or parameter is None or tree is None or not is_for_one_attribute(owner, parameter, parts[0]):
        return None
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == parameter]
    return parameter if len(uses) == 1 else None


def _construction(instance: Layer) -> ast.Call | None:
    tree = parsed(statement(instance.defined))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    found = [call for call in calls if name_called(call) == instance.type]
    return found[0] if len(found) == 1 else None


def _for_each(node: ast.expr, source: str, sizes: Sequence[tuple[int, int]]) -> str | None:
    """What gives each of the sizes that are wanted from those that were given; of one size there is no telling."""
    spelled = ast.get_source_segment(source, node)
    if spelled is None or isinstance(node, ast.Constant) or len(set(sizes)) < 2:
        return None
    times = {wanted // was for was, wanted in sizes if wanted % was == 0} if all(was for was, _ in sizes) else set()
    if len(times) == 1 and all(wanted % was == 0 for was, wanted in sizes):
        return f"{atom(spelled)} * {times.pop()}"
    more = {wanted - was for was, wanted in sizes}
    return f"{spelled} + {more.pop()}" if len(more) == 1 and min(more) > 0 else None
