"""A layer that one stage lacks and its siblings are given, in the words in which the siblings are given theirs.

`self.layer3 = stage(32, 64, stride=2, downsample=projection(32, 64))` says what `self.layer2 = stage(16, 32, stride=2)`
is to have: the same argument, with its own sizes in the place of theirs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from shapewatch.adapters.statements import is_assigned, parsed, rewritten, statement
from shapewatch.adapters.written import collapse
from shapewatch.edits import Module, Replace
from shapewatch.recording import Recording, Span


def line_as_siblings(edit: Replace, recording: Recording) -> tuple[Span, str] | None:
    """The line that makes the stage, with the argument that its siblings have; None where they do not agree on it."""
    top, _, inner = edit.layer.partition(".")
    stage = recording.layer_at.get(top)
    span = stage.defined if stage is not None else None
    call = _made(span, top)
    source = statement(span)
    if not inner or call is None or span is None or source is None:
        return None
    wanted = _sizes_of(edit.module)
    said = {
        more
        for name, sibling in _siblings(top, inner, recording)
        if (more := _argument(call, sibling, wanted, _sizes_in(f"{name}.{inner}", recording))) is not None
    }
    if len(said) != 1:
        return None
    spelled = ast.get_source_segment(source, call) or ""
    return span, rewritten(source, [(call, f"{spelled[:-1].rstrip().rstrip(',')}, {said.pop()})")])


def _siblings(top: str, inner: str, recording: Recording) -> Iterator[tuple[str, ast.Call]]:
    """The stages beside this one that have such a layer, and how they are made."""
    for layer in recording.layers:
        if layer.path != top and "." not in layer.path and f"{layer.path}.{inner}" in recording.layer_at:
            call = _made(layer.defined, layer.path)
            if call is not None:
                yield layer.path, call


def _made(span: Span | None, name: str) -> ast.Call | None:
    tree = parsed(statement(span))
    step = tree.body[0] if tree is not None and tree.body else None
    made = step.value if isinstance(step, ast.Assign) and is_assigned(step, f"self.{name}") else None
    return made if isinstance(made, ast.Call) else None


def _argument(own: ast.Call, sibling: ast.Call, wanted: tuple[object, ...], theirs: tuple[object, ...]) -> str | None:
    """The one argument more that a sibling is given, with its sizes exchanged for those of this one. The layer that is
    wanted has to be theirs with the same exchange."""
    given = {each.arg: each.value for each in own.keywords}
    more = [each for each in sibling.keywords if each.arg is not None and each.arg not in given]
    others = [each for each in sibling.keywords if each.arg in given]
    alike = ast.dump(own.func) == ast.dump(sibling.func) and len(own.args) == len(sibling.args)
    if not alike or len(more) != 1 or len(others) != len(given):
        return None
    pairs = [*zip(sibling.args, own.args, strict=True), *((each.value, given[each.arg]) for each in others)]
    exchanged = {ast.unparse(one): ast.unparse(other) for one, other in pairs}
    if len(exchanged) != len({ast.unparse(one) for one, _ in pairs}) or len(wanted) != len(theirs):
        return None
    if any(str(size) != exchanged.get(str(their), str(their)) for size, their in zip(wanted, theirs, strict=True)):
        return None
    return f"{more[0].arg}={_exchanged(ast.unparse(more[0].value), exchanged)}"


def _exchanged(source: str, sizes: Mapping[str, str]) -> str:
    tree = ast.parse(source)
    nodes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.Name) and ast.unparse(node) in sizes
    ]
    return rewritten(source, [(node, sizes[ast.unparse(node)]) for node in nodes])


_COMPARED = ("in_channels", "out_channels", "stride")


def _sizes_of(module: Module) -> tuple[object, ...]:
    """The channels and the stride of the convolution that a module is, or has."""
    parts = [part for part in module.parts or (module,) if part.kind == "conv"]
    return tuple(collapse(part.arguments.get(name, 1)) for part in parts for name in _COMPARED)


def _sizes_in(path: str, recording: Recording) -> tuple[object, ...]:
    inside = [layer for layer in recording.layers if layer.path == path or layer.path.startswith(f"{path}.")]
    convs = [layer for layer in inside if layer.kind == "conv"]
    return tuple(collapse(layer.facts[name]) for layer in convs for name in _COMPARED)
