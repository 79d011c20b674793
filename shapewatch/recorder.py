"""The one mutable thing: collects what an adapter sees into a `Recording`.

The healthy pass pays for what is here, so it stores raw tuples and numbers and leaves everything else (source text,
layer settings, dataclasses) to `finish`. Values are known by weak reference: a tensor dies when its program drops it,
and gets no attribute.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any, NamedTuple

from shapewatch.recording import Call, Failure, Layer, Origin, Recording, Shape, TensorSpec, Value
from shapewatch.source import span_at

Line = tuple[CodeType, int]
"""A code object and a line: enough to find the source later. A frame would keep its tensors alive."""

_ended = tuple.__new__
"""Makes an `EndedCall` at the price of a tuple: its own constructor is a function of Python's."""

LIMIT = 400_000
"""Calls that one recording holds at most; what comes after is counted as cut off."""

KEPT = 50_000
"""Calls of earlier passes that are kept when an outermost layer begins; beyond that a loop of ever new sizes would only
grow."""

CROWDED = 200
"""Tensors that are gone are forgotten once there are more than that many of them, and more than of those that live. A
callback for each tensor that goes would cost as much as all else that is noted of it."""

ALIKE = 8
"""Passes of one signature that are recorded at most, while the results of all of them are still in use: a batch seen in
several views. Beyond that one recording stands for two results."""


class EndedCall(NamedTuple):
    """The raw record of a call in which nothing is recorded. Most calls are such, and an object would take four times
    as long to make."""

    number: int
    name: str
    kind: str
    layer: str
    is_layer: bool
    parent: int | None
    operands: tuple[int, ...]
    results: tuple[int, ...]
    facts: Mapping[str, Any]
    line: Line | None
    occurrence: int
    finished: bool = True


class OpenCall:
    """A call while it runs, and its raw record afterwards."""

    __slots__ = (
        "counts", "facts", "finished", "is_layer", "kind", "layer", "line", "name", "number", "occurrence",
        "operands", "parent", "results", "whole",
    )  # fmt: skip

    def __init__(self, number: int, name: str, kind: str, layer: str, is_layer: bool, parent: OpenCall | None) -> None:
        self.number = number
        self.name = name
        self.kind = kind
        self.layer = layer
        self.is_layer = is_layer
        self.parent = None if parent is None else parent.number
        self.operands: tuple[int, ...] = ()
        self.results: tuple[int, ...] = ()
        self.facts: Mapping[str, Any] = {}
        self.line: Line | None = None
        self.counts: dict[str, int] = {}
        self.occurrence = 0
        self.finished = False
        self.whole = False
        """Whether what goes on inside it is left out."""


@dataclass(frozen=True)
class Mark:
    """A state of a recorder to go back to."""

    calls: int
    values: int
    counts: Mapping[str, int]
    depth: int
    failure: tuple[BaseException, OpenCall | None] | None


@dataclass(frozen=True)
class Stretch:
    """What was recorded since a mark."""

    values: list[tuple[Any, Origin, str | None]]
    calls: list[OpenCall | EndedCall]
    counts: Mapping[str, int]
    failure: tuple[BaseException, OpenCall | None] | None
    inputs: tuple[int, ...]


class Recorder:
    """Collects one recording. Not thread-safe: an adapter records one thread in one recorder."""

    def __init__(self, framework: str, describe: Callable[[Any], TensorSpec]) -> None:
        self.framework = framework
        self.faults = 0
        self._describe = describe
        self._values: list[tuple[Any, Origin, str | None]] = []
        self.known: dict[int, tuple[weakref.ref[Any], int]] = {}
        """By identity, the tensors that have a number."""
        self._crowded = CROWDED
        self._calls: list[OpenCall | EndedCall] = []
        self._stack: list[OpenCall] = []
        self._toplevel: dict[str, int] = {}
        self._failure: tuple[BaseException, OpenCall | None] | None = None
        self._inputs: tuple[int, ...] = ()
        self._outputs: tuple[int, ...] = ()
        self._truncated = False

    # Values

    def number_of(self, tensor: Any) -> int | None:
        """The number of the value that this tensor holds now, None when it has not been seen."""
        entry = self.known.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def add_value(self, tensor: Any, spec: Any, origin: Origin, name: str | None = None) -> int:
        """Give a tensor a new number; what it held before stays in the recording under the old one."""
        number = len(self._values)
        self._values.append((spec, origin, name))
        self.known[id(tensor)] = (weakref.ref(tensor), number)
        return number

    def alias(self, tensor: Any, number: int) -> None:
        """Another tensor that stands for a known value: a converted argument, a placeholder for it in a graph."""
        self.known[id(tensor)] = (weakref.ref(tensor), number)

    # Calls

    @property
    def depth(self) -> int:
        return len(self._stack)

    @property
    def innermost(self) -> OpenCall | None:
        return self._stack[-1] if self._stack else None

    def open_call(self, name: str, kind: str, layer: str, is_layer: bool, operands: tuple[int, ...]) -> OpenCall:
        """Begin a call; operations are opened and closed at once, layers stay open while what is in them runs."""
        stack, calls = self._stack, self._calls
        parent, counts = None, self._toplevel
        if stack:
            parent = stack[-1]
            counts = parent.counts
        call = OpenCall(len(calls), name, kind, layer, is_layer, parent)
        call.operands = operands
        key = layer if is_layer else name
        call.occurrence = counts.get(key, 0)
        counts[key] = call.occurrence + 1
        if call.number < LIMIT:
            calls.append(call)
        else:
            self._truncated = True
        if is_layer:
            stack.append(call)
        return call

    def add_call(
        self,
        name: str,
        kind: str,
        layer: str,
        is_layer: bool,
        operands: tuple[int, ...],
        results: tuple[int, ...],
        facts: Mapping[str, Any],
        line: Line | None,
        inside: OpenCall | None,
    ) -> None:
        """Record a call that has ended well, and in which nothing is recorded; `inside` is the innermost open one."""
        calls = self._calls
        if inside is None:
            parent, counts = None, self._toplevel
        else:
            parent, counts = inside.number, inside.counts
        key = layer if is_layer else name
        occurrence = counts.get(key, 0)
        counts[key] = occurrence + 1
        number = len(calls)
        if number < LIMIT:
            raw = (number, name, kind, layer, is_layer, parent, operands, results, facts, line, occurrence, True)
            calls.append(_ended(EndedCall, raw))
        else:
            self._truncated = True

    def raw_spec(self, number: int) -> Any:
        """What was known of a value when it was made."""
        return self._values[number][0]

    def holds(self, call: OpenCall) -> bool:
        """Whether a call is recorded still: a rewind forgets calls, and gives their numbers to others."""
        return call.number < len(self._calls) and self._calls[call.number] is call

    @property
    def size(self) -> int:
        """How many calls are recorded."""
        return len(self._calls)

    def place(self, name: str) -> str:
        """The `Call.place` that an operation of this name would have now."""
        inner = self._stack[-1] if self._stack else None
        counts = inner.counts if inner is not None else self._toplevel
        return f"{inner.layer if inner is not None else ''}:{name}:{counts.get(name, 0)}"

    def forget_place(self, layer: str) -> None:
        """An outermost layer of this path is another one from now on: its calls are counted anew."""
        self._toplevel.pop(layer, None)

    def close_layer(self, call: OpenCall, results: tuple[int, ...], finished: bool) -> None:
        """End a layer call, and whatever was left open inside it by an exception that no hook saw."""
        while self._stack:
            inner = self._stack.pop()
            if inner is call:
                break
        call.results = results
        call.finished = finished

    def fail(self, error: BaseException, call: OpenCall | None) -> None:
        """Remember the innermost call that raised; calls further out see the same exception go by."""
        if self._failure is None or self._failure[0] is not error:
            self._failure = (error, call)

    def goes_on_as(self, error: BaseException) -> None:
        """The failure is known, and its exception was raised again as another object."""
        if self._failure is not None:
            self._failure = (error, self._failure[1])

    def failed_alike(self, name: str, operands: tuple[int, ...]) -> bool:
        """Whether the last call is the one that failed, and was of this name and on these operands."""
        last = self._calls[-1] if self._calls else None
        failed = self._failure[1] if self._failure is not None else None
        return failed is not None and failed is last and (failed.name, failed.operands) == (name, operands)

    def survived(self, call: OpenCall) -> None:
        """A call gave a result: what failed inside it was caught there."""
        if self._failure is not None and self._failure[1] is not None and self._failure[1].number > call.number:
            self._failure = None

    def mark(self) -> Mark:
        """How far the recording is, for `rewind`."""
        counts = self._stack[-1].counts if self._stack else self._toplevel
        return Mark(len(self._calls), len(self._values), dict(counts), len(self._stack), self._failure)

    def trace(self, mark: Mark) -> tuple[Any, ...]:
        """What was done since the mark, and to values of which shapes: the same of two stretches that tell the same."""
        values, calls = self._values, self._calls[mark.calls :]
        return tuple((call.name, *(values[number][0] for number in call.operands)) for call in calls)

    def rewind(self, mark: Mark) -> None:
        """Forget what was recorded since the mark: a rehearsal, such as a layer that is tried to find its weights."""
        del self._calls[mark.calls :]
        del self._values[mark.values :]
        del self._stack[mark.depth :]
        for key in [key for key, (_, number) in self.known.items() if number >= mark.values]:
            del self.known[key]
        if self._stack:
            self._stack[-1].counts = dict(mark.counts)
        else:
            self._toplevel = dict(mark.counts)
        self._failure = mark.failure
        self._inputs = tuple(number for number in self._inputs if number < mark.values)

    def is_input(self, number: int) -> bool:
        """Whether there is such a value, and it came from outside: numbers are given anew after a rewind."""
        return number < len(self._values) and self._values[number][1] == "input"

    def take_back(self, mark: Mark) -> Stretch:
        """Forget what was recorded since the mark, and give it."""
        counts = self._stack[-1].counts if self._stack else self._toplevel
        values, calls = self._values[mark.values :], self._calls[mark.calls :]
        taken = Stretch(values, calls, dict(counts), self._failure, self._inputs)
        self.rewind(mark)
        return taken

    def put_back(self, taken: Stretch) -> None:
        """Go on after what was taken back; its tensors are not known any more."""
        self._values += taken.values
        self._calls += taken.calls
        self._failure = taken.failure
        self._inputs = taken.inputs
        if self._stack:
            self._stack[-1].counts = dict(taken.counts)
        else:
            self._toplevel = dict(taken.counts)

    def blur(self, mark: Mark, other: Stretch) -> None:
        """Make unknown since the mark what was different in another run: it follows from sizes that were made up.

        Where the runs part, neither tells anything of what comes after.
        """
        for number, value in enumerate(self._values[mark.values :]):
            spec, origin, name = value
            ours = self._described(spec)
            theirs = self._described(other.values[number][0]) if number < len(other.values) else None
            fits = theirs is not None and len(theirs.shape) == len(ours.shape)
            shape = tuple(
                size if fits and theirs is not None and size == theirs.shape[axis] else None
                for axis, size in enumerate(ours.shape)
            )
            self._values[mark.values + number] = (replace(ours, shape=shape), origin, name)
        for number, call in enumerate(self._calls[mark.calls :]):
            known = other.calls[number].facts if number < len(other.calls) else {}
            facts = {key: _agreed(value, known[key]) for key, value in call.facts.items() if key in known}
            if isinstance(call, OpenCall):
                call.facts = facts
            else:
                self._calls[mark.calls + number] = call._replace(facts=facts)

    def shape_of(self, number: int) -> Shape:
        return self._described(self._values[number][0]).shape

    def _described(self, spec: Any) -> TensorSpec:
        return spec if isinstance(spec, TensorSpec) else self._describe(spec)

    def forget_earlier(self) -> bool:
        """Before an outermost layer begins: drop what earlier passes recorded, once it is much. Whether it was."""
        if self._stack or len(self._calls) <= KEPT:
            return False
        self._values = []
        self._calls = []
        self.known.clear()
        return True

    def begin_pass(self, inputs: tuple[int, ...]) -> None:
        """An outermost layer begins: a failure of an earlier pass was survived by the program."""
        self._failure = None
        self._inputs = inputs

    def end_pass(self, outputs: tuple[int, ...]) -> None:
        """An outermost layer ended."""
        self._outputs = outputs
        if len(self.known) > self._crowded:
            self.known = {key: entry for key, entry in self.known.items() if entry[0]() is not None}
            self._crowded = 2 * len(self.known) + CROWDED

    @property
    def error(self) -> BaseException | None:
        return self._failure[0] if self._failure else None

    # The end

    def finish(
        self,
        layers: Iterable[Layer] = (),
        root: str = "",
        error: BaseException | None = None,
        where: Line | None = None,
        message: str | None = None,
    ) -> Recording:
        """The recording. `error` is the exception that left the block; `where` the user's line that raised it;
        `message` the framework's own words, where the exception's text wraps them in others."""
        if error is not None and self.error is not error:
            self._failure = (error, None)
        failure = None
        if self._failure is not None:
            raised, call = self._failure
            line = where or (call.line if call else None)
            failure = Failure(
                type=type(raised).__name__,
                message=str(raised) if message is None else message,
                call=call.number if call is not None and call.number < len(self._calls) else None,
                span=span_at(*line) if line else None,
            )
        return Recording(
            framework=self.framework,
            values=tuple(
                Value(number, self._described(spec), origin, name)
                for number, (spec, origin, name) in enumerate(self._values)
            ),
            calls=tuple(self._freeze(call) for call in self._calls),
            layers=tuple(layers),
            inputs=self._inputs,
            outputs=() if failure else self._outputs,
            failure=failure,
            root=root,
            truncated=self._truncated,
        )

    def _freeze(self, call: OpenCall | EndedCall) -> Call:
        return Call(
            number=call.number,
            name=call.name,
            kind=call.kind,
            layer=call.layer,
            is_layer=call.is_layer,
            parent=call.parent,
            operands=call.operands,
            results=call.results,
            facts=call.facts,
            span=span_at(*call.line) if call.line else None,
            occurrence=call.occurrence,
            finished=call.finished,
        )


def _agreed(ours: Any, theirs: Any) -> Any:
    """A fact that two runs agree on; -1 for a size in it that they do not agree on."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs):
        return tuple(map(_agreed, ours, theirs))
    return ours if ours == theirs else -1
