"""What the program calls its tensors: the names under which its own frames hold them when it has failed.

Read on the error path alone. A weight that no layer has, a placeholder or a target has no other name than this one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from types import FrameType, TracebackType
from typing import Any

from shapewatch.adapters.around import loops_around
from shapewatch.adapters.classes import begun_at_one
from shapewatch.adapters.operand import operand_text, which_of_line
from shapewatch.adapters.statements import function_called, parsed, statement
from shapewatch.recording import Recording, Shape, Value
from shapewatch.source import expressions, is_foreign, locals_of, running_lines, span_of

MOST = 5_000
"""Objects that are looked at: a program may keep lists of millions."""

Number = Callable[[Any], Sequence[int]]
"""The values that an object of the program's stands for, in a recording; none for most."""


def with_names(recording: Recording, traceback: TracebackType | None, numbers: Number) -> Recording:
    """The recording, with the names of values that the program's own frames have for them.

    What a model calls a weight goes before; of what a call gave, only what the failing call took gets a name, and what
    was made of nothing (`torch.randn`). A weight is called as where it was made, an intermediate value as where it
    failed.
    """
    failing = recording.failing_call()
    taken = frozenset(() if failing is None else failing.operands)
    made = {number for call in recording.calls if not call.operands for number in call.results}
    inner: dict[int, str] = {}
    outer: dict[int, str] = {}
    for frame in reversed(list(_frames(traceback))):
        here = {number: name for name, held in reversed(list(_held(frame))) for number in numbers(held)}
        inner, outer = here | inner, outer | here
    values = list(recording.values)
    for value in recording.values:
        intermediate = value.origin == "call" and value.number not in made
        if value.name is None and value.number in inner and (not intermediate or value.number in taken):
            name = (inner if intermediate else outer)[value.number]
            values[value.number] = replace(value, name=name)
    spoken = shapes_in_line(traceback)
    taken_as = {number: name for name, held in _parameters(traceback) for number in numbers(held)}
    for number in recording.inputs:
        if values[number].name is None and number in taken_as:  # the forward has another value under this name by now
            values[number] = replace(values[number], name=taken_as[number])
        called = [name for name, shape in spoken.items() if _batch_of(values[number].shape, shape)]
        declared = values[number].shape[:1] == (None,) and "" not in recording.layer_at  # there is no model, so no data
        if values[number].name is None and len(called) == 1 and not declared:
            values[number] = replace(values[number], name=called[0])
    values = _made_in_the_line(recording, _named_in_order(recording, values, spoken))
    failure = recording.failure and replace(
        recording.failure,
        spoken=spoken,
        streams=_streams_in_line(traceback, 0),
        labelled=_streams_in_line(traceback, 1),
        stack=running_lines(traceback),
        from_one=_labels_from_one(traceback),
        beside=_taken_along(recording, traceback, numbers),
    )
    return replace(recording, values=tuple(values), failure=failure)


def _named_in_order(recording: Recording, values: list[Value], spoken: Mapping[str, Shape]) -> list[Value]:
    """The values; inputs of one shape without a name, with those of as many arrays of it that the line speaks of."""
    failure = recording.failure
    line = (failure.span.source if failure is not None and failure.span is not None else None) or ""
    nameless = [values[number] for number in recording.inputs if values[number].name is None]
    for shape in {value.shape for value in nameless if value.shape[:1] != (None,)}:
        alike = [value.number for value in nameless if value.shape == shape]
        called = [name for name, data in spoken.items() if _batch_of(shape, data) and name.isidentifier()]
        called.sort(key=lambda name: [part.start() for part in re.finditer(rf"\b{name}\b", line)] or [len(line)])
        if len(called) == len(alike) > 1:
            for number, name in zip(alike, called, strict=True):
                values[number] = replace(values[number], name=name)
    return values


def _made_in_the_line(recording: Recording, values: list[Value]) -> list[Value]:
    """The values; what the line that failed makes itself of no input, with what it says of it: `tf.range(n)`. No
    variable holds it, and the model was not given it."""
    failing = recording.failing_call()
    named = list(values)
    for operand, number in enumerate(failing.operands if failing is not None and not failing.is_layer else ()):
        value = values[number]
        if failing is None or value.name is not None or value.origin != "input" or number in recording.inputs:
            continue
        which = which_of_line(failing, recording)
        text = operand_text(statement(failing.span), operand, failing.name, which=which)
        tree = parsed(text)
        made = tree.body[0].value if tree is not None and tree.body and isinstance(tree.body[0], ast.Expr) else None
        if isinstance(made, ast.Call) and number not in recording.producer:
            named[number] = replace(value, name=text)
    return named


def _batch_of(batch: Shape, data: Shape) -> bool:
    """Whether a model's input can be some samples of data that the failing line gives it."""
    if batch == data:
        return True
    return len(batch) > 1 and len(batch) == len(data) and batch[1:] == data[1:] and (batch[0] or 0) <= (data[0] or 0)


def shapes_in_line(traceback: TracebackType | None) -> dict[str, Shape]:
    """The arrays that the statement which raised speaks of: what it calls them, and their shapes.

    What an error's words tell is of sizes alone, and where no tensor met another in a recorded call this is what tells
    whose they are.
    """
    written, held = _line_that_raised(traceback)
    known = {name: shape for name, value in held.items() if name in written and (shape := _shape(value))}
    made = _given_without_a_name(traceback)
    within = {ast.unparse(node) for name in made for node in ast.walk(ast.parse(name, mode="eval").body)} - made.keys()
    known = {name: shape for name, shape in known.items() if name not in within} | made  # these are not what is given
    return known | {name: shape for name in sorted(written - known.keys()) if (shape := _with_axes(name, known))}


_TAKING = frozenset({"predict", "evaluate", "predict_on_batch"})


def _given_without_a_name(traceback: TracebackType | None) -> dict[str, Shape]:
    """What the statement which raised gives a Keras model as it makes it, and its shape: `prepare(image)` in
    `model.predict(prepare(image))`. The frame that hands it on is the one that Keras leaves of its own."""
    entries = list(_entries(traceback))
    own = [at for at, entry in enumerate(entries) if not is_foreign(entry.tb_frame.f_code.co_filename)]
    if not own:
        return {}
    raising = entries[own[-1]]
    source = statement(span_of(raising.tb_frame.f_code.co_filename, raising.tb_lineno))
    call = function_called(source, _TAKING)
    passed = locals_of(entries[own[-1] + 1].tb_frame).get("args") if call and entries[own[-1] + 1 :] else None
    if call is None or not isinstance(call.args[0], ast.Call) or type(passed) is not tuple or len(passed) < 2:
        return {}
    shape = _shape(passed[1])  # behind the model itself
    return {ast.unparse(call.args[0]): shape} if shape else {}


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _with_axes(name: str, known: Mapping[str, Shape]) -> Shape:
    """The shape of `x[:, None]`, an array with axes of size 1 more; () of any other expression."""
    node = ast.parse(name, mode="eval").body
    shape = known.get(ast.unparse(node.value), ()) if isinstance(node, ast.Subscript) else ()
    if not shape or not isinstance(node, ast.Subscript):
        return ()
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    spelled = [ast.unparse(item) for item in items]
    if not set(spelled) <= {":", "...", "None", "np.newaxis", "tf.newaxis"}:
        return ()
    left, made = list(shape), []
    for at, item in enumerate(spelled):
        if item == "...":
            later = sum(other == ":" for other in spelled[at + 1 :])
            made += left[: len(left) - later]
            left = left[len(left) - later :]
        elif item == ":" and not left:
            return ()  # more axes than there are, which is what raised
        else:
            made.append(left.pop(0) if item == ":" else 1)
    return (*made, *left)


def _streams_in_line(traceback: TracebackType | None, part: int) -> dict[str, Shape]:
    """Pipelines of data in that line, as `tf.data` has them, and the shape of what one element of each begins with or,
    as `part` 1, of the labels beside it."""
    written, held = _line_that_raised(traceback)
    found = {}
    for name in sorted(written & held.keys()):
        element = getattr(held[name], "element_spec", None) if hasattr(type(held[name]), "element_spec") else None
        if part:
            element = element[part] if isinstance(element, tuple) and len(element) > part else None
        while isinstance(element, tuple) and element:
            element = element[0]
        if element is not None and callable(getattr(held[name], "batch", None)) and _shape(element):
            found[name] = _shape(element)
    return found


def _labels_from_one(traceback: TracebackType | None) -> dict[str, int]:
    written, held = _line_that_raised(traceback)
    return begun_at_one((name, held[name]) for name in sorted(written & held.keys()))


_TAUGHT = frozenset({"fit", "evaluate", "train_on_batch", "test_on_batch"})


def _taken_along(recording: Recording, traceback: TracebackType | None, numbers: Number) -> dict[str, Shape]:
    """What a loop of the program's takes along with an input of the pass, `y` of `for x, y in loader`, or a line gives
    a Keras model with it: `fit(x, y)`."""
    for entry in _entries(traceback):
        file, line = entry.tb_frame.f_code.co_filename, entry.tb_lineno
        if is_foreign(file):
            continue
        call, loops = function_called(statement(span_of(file, line)), _TAUGHT), loops_around(file, line)
        held = dict(reversed(list(_held(entry.tb_frame)))) if call is not None or loops else {}
        beside = _labels_given(call) if call is not None else []
        for loop in loops:
            names = [node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)]
            given = {name for name in names if not set(numbers(held.get(name))).isdisjoint(recording.inputs)}
            beside += [name for name in names if given and name not in given]
        if found := {name: shape for name in beside if (shape := _shape(held.get(name)))}:
            return found
    return {}


def _labels_given(call: ast.Call) -> list[str]:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "y"]
    return [ast.unparse(node) for node in (*call.args[1:2], *named)]


def _line_that_raised(traceback: TracebackType | None) -> tuple[frozenset[str], dict[str, Any]]:
    """The expressions of the statement which raised, and what the names of its frame stand for."""
    raising = None
    while traceback is not None:
        if not is_foreign(traceback.tb_frame.f_code.co_filename):
            raising = traceback
        traceback = traceback.tb_next
    if raising is None:
        return frozenset(), {}
    written = expressions(raising.tb_frame.f_code.co_filename, raising.tb_lineno)
    return written, dict(reversed(list(_held(raising.tb_frame))))


def _shape(held: object) -> Shape:
    """The shape of an array of any library; () where it has none, or does not know how many axes there are."""
    try:
        shape: Any = getattr(held, "shape", None)
        sizes = shape.as_list() if hasattr(shape, "as_list") else list(shape or ())
    except Exception:  # somebody else's property
        return ()
    known = all(size is None or (isinstance(size, int) and not isinstance(size, bool)) for size in sizes)
    return tuple(sizes) if known else ()


def name_of(wanted: object, traceback: TracebackType | None) -> str | None:
    """What the program calls an object; None where no variable of its frames holds it."""
    frames = reversed(list(_frames(traceback)))
    return next((name for frame in frames for name, held in _held(frame) if held is wanted), None)


def _held(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """Names and objects of a frame, what is in lists, dictionaries and objects after what has a name of its own."""
    within = frame.f_code.co_name == "<module>"
    scopes = [frame.f_globals] if within else [locals_of(frame), frame.f_globals]
    named = [(name, held) for scope in scopes for name, held in list(scope.items()) if not name.startswith("__")]
    yield from islice(chain(named, *(_inside(name, held) for name, held in named)), MOST)


def _parameters(traceback: TracebackType | None) -> Iterator[tuple[str, Any]]:
    """What the program's functions call the arguments that a framework has passed to them, outermost last."""
    pairs = []
    while traceback is not None and traceback.tb_next is not None:
        pairs.append((traceback.tb_frame, traceback.tb_next.tb_frame))
        traceback = traceback.tb_next
    for caller, called in reversed(pairs):
        if is_foreign(caller.f_code.co_filename) and not is_foreign(called.f_code.co_filename):
            names = called.f_code.co_varnames[: called.f_code.co_argcount]
            held = locals_of(caller)
            method = bool(names) and locals_of(called).get(names[0]) is held.get("self", held)
            if type(held.get("args")) is tuple:
                yield from zip(names[method:], held["args"], strict=False)


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        if not is_foreign(traceback.tb_frame.f_code.co_filename):
            yield traceback.tb_frame
        traceback = traceback.tb_next


def _inside(name: str, held: object) -> Iterator[tuple[str, Any]]:
    """What a list, a dictionary or an object of the program's own class holds, one step in."""
    if isinstance(held, dict):  # no other mapping: one of the program's own may read a file to tell its items
        items = list(dict.items(held))
        yield from ((f"{name}[{key!r}]", item) for key, item in items if isinstance(key, str | int))
    elif isinstance(held, list | tuple):
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(held))
    elif not isinstance(held, type) and _is_programs_own(type(held)):
        yield from ((f"{name}.{attribute}", item) for attribute, item in list(getattr(held, "__dict__", {}).items()))


def _is_programs_own(cls: type) -> bool:
    module = getattr(cls, "__module__", None)  # some that are written in C have none
    file = getattr(sys.modules.get(module or ""), "__file__", None)
    return module == "__main__" or (file is not None and not is_foreign(file))
