"""Recording layers and operations of a framework whose calls are listened to.

What is said here holds for TensorFlow and Keras alike, on each of Keras's backends: which layers are open, which value
a tensor is, which call raised. A `Backend` supplies the operations; the adapter on top of it supplies the layers.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from shapewatch.adapters.located import FailedRun, Node, located, with_shapes
from shapewatch.adapters.spoken import with_names
from shapewatch.adapters.taps import NotInPlace
from shapewatch.recorder import OpenCall, Recorder, own_fault
from shapewatch.recording import Origin, Recording, Shape, TensorSpec
from shapewatch.source import calling_line

_isolated = threading.local()
"""`.by` is the one `Listening` that records while a dry run goes on: a watch around it must not see the dry run."""


class Operation(Protocol):
    """An operation about to run."""

    @property
    def named(self) -> tuple[str, str] | None:
        """Neutral name and kind; None for what is not recorded.

        The kind `conversion` is of what gives another tensor for the same value, and is no call.
        """
        ...

    def operands(self) -> list[Any]: ...

    def facts(self) -> dict[str, Any]: ...

    def with_operand(self, position: int, change: Callable[[Any], Any]) -> Operation:
        """The same operation with one of its operands sent through something."""
        ...

    def with_arguments(self, arguments: Mapping[str, Any]) -> Operation:
        """The same operation with arguments, by neutral name, replaced."""
        ...


class Backend(Protocol):
    """What runs operations."""

    name: str

    def is_tensor(self, value: Any) -> bool: ...

    def raw_spec(self, tensor: Any) -> Any:
        """What `describe` needs of a tensor; quick, and keeps nothing alive."""
        ...

    def describe(self, raw: Any) -> TensorSpec: ...

    def origin(self, tensor: Any) -> Origin | None:
        """`parameter` for a weight, `input` for a placeholder; None where the tensor alone does not tell."""
        ...

    def read_from(self, tensor: Any) -> Any:
        """The variable whose value a tensor is; None where it is none's."""
        ...

    def failed_run(self) -> FailedRun:
        """What the run of a graph that failed tells, where it tells more than building it."""
        ...

    def stand_ins(self, tensor: Any) -> list[Any]:
        """Further tensors that the program means by this one: what a variable of TensorFlow 1 is read into."""
        ...

    def listen(
        self, asleep: Callable[[], bool], seen: Callable[[Any, Callable[[Any], Any]], Any], stack: ExitStack
    ) -> None:
        """Send every operation through `seen`, with a way to run it, until the stack is closed."""
        ...

    def is_refusal(self, error: BaseException) -> bool:
        """Whether an exception is the backend's own affair, and never reaches the program."""
        ...

    def words(self, text: str) -> str:
        """What the framework says, without what it wraps around it."""
        ...

    def converted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as the backend would call it here: AutoGraph rewrites what is called inside a `tf.function`."""
        ...

    def compiling(self) -> bool:
        """Whether the program's code is only read, to be compiled: what is called then is not run."""
        ...

    def settle(self) -> None:
        """Before a line of the program is looked up: make generated source known as what it was generated from."""
        ...


class Interventions:
    """Edits that act while a pass runs: layers taken in the place of others, layers put on operands, arguments."""

    def __init__(self) -> None:
        self.operands: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        self.arguments: dict[str, dict[str, Any]] = {}

    def layer(self, path: str, layer: Any, operands: Sequence[Any], whole: bool) -> Any:  # noqa: ARG002
        """The layer that is to run in this one's place: mostly itself. `whole`: nothing in it is looked at."""
        return layer


@contextmanager
def unseen() -> Iterator[None]:
    """No watch of this thread sees what goes on inside: a dry run, or getting ready for one."""
    outer = getattr(_isolated, "by", None)
    _isolated.by = unseen
    try:
        yield
    finally:
        _isolated.by = outer


class Listening:
    """Records one thread between `open` and `close`."""

    def __init__(self, framework: str, backend: Backend, interventions: Interventions | None, isolated: bool) -> None:
        self.recorder = Recorder(framework, backend.describe)
        self.backend = backend
        self.interventions = interventions
        self._isolate = isolated
        self._stack = ExitStack()
        self._thread = 0
        self._open: list[tuple[Any, OpenCall]] = []
        self._whole = 0
        """How many layers are open that are taken as a whole: nothing inside them is recorded."""
        self._busy = False
        self._said = ""
        self._nodes: list[tuple[OpenCall, Node]] = []
        """What calls became in the graphs that they were added to."""

    # The scope

    def open(self) -> None:
        self._thread = threading.get_ident()
        if self._isolate:
            self._stack.callback(setattr, _isolated, "by", getattr(_isolated, "by", None))
            _isolated.by = self
        self.backend.listen(self.asleep, self.operation, self._stack)

    def close(self) -> None:
        self._stack.close()
        self._open.clear()

    def asleep(self) -> bool:
        if self.backend.compiling() or self._whole or self._busy or threading.get_ident() != self._thread:
            return True
        by = getattr(_isolated, "by", None)
        return by is not None and by is not self

    # Values

    def tensors(self, *values: Any) -> list[Any]:
        """The tensors in arguments or results: in tuples, lists and dicts, in order."""
        found: list[Any] = []
        for value in values:
            self._collect(value, found, 0)
        return found

    def _collect(self, value: Any, found: list[Any], depth: int) -> None:
        if value is None or isinstance(value, str | int | float) or depth > 4:
            return
        if isinstance(value, tuple | list):
            for item in value:
                self._collect(item, found, depth + 1)
        elif isinstance(value, Mapping):
            for item in value.values():
                self._collect(item, found, depth + 1)
        elif self.backend.is_tensor(value):
            found.append(value)
        elif hasattr(value, "__dataclass_fields__"):
            for name in value.__dataclass_fields__:
                self._collect(getattr(value, name, None), found, depth + 1)

    def number(self, tensor: Any, origin: Origin | None = None) -> int:
        """The number of the value that a tensor is; a new one for a tensor that was not seen before. What a variable
        was read into is the variable."""
        variable = self.backend.read_from(tensor)
        tensor = tensor if variable is None else variable
        number = self.recorder.number_of(tensor)
        if number is not None:
            return number
        told = self.backend.origin(tensor) or origin or ("constant" if self._open else "input")
        return self.recorder.add_value(tensor, self.backend.raw_spec(tensor), told, self.name_of(tensor))

    def name_of(self, _tensor: Any) -> str | None:
        """What the model calls a weight; None where that is not known."""
        return None

    # Layers

    def enter(
        self, layer: Any, name: str, kind: str, path: str, operands: tuple[int, ...], whole: bool, frames: int
    ) -> OpenCall:
        """A layer begins; `frames` are ours between here and the framework's."""
        self.backend.settle()
        call = self.recorder.open_call(name, kind, path, True, operands)
        call.line = calling_line(sys._getframe(frames + 1))
        self._open.append((layer, call))
        self._whole += whole
        return call

    def leave(self, call: OpenCall, whole: bool, results: tuple[int, ...], error: BaseException | None) -> None:
        """A layer has ended, and whatever was left open in it has too."""
        self._whole -= whole
        while self._open:
            if self._open.pop()[1] is call:
                break
        if error is not None:
            self.failed(error, call, False)
        else:
            self.recorder.survived(call)
        self.recorder.close_layer(call, results, error is None)

    def failed(self, error: BaseException, call: OpenCall, here: bool) -> None:
        """An exception passes a call; `here` where it cannot come from further in."""
        if not isinstance(error, Exception):
            return
        known = self.recorder.error
        if not here and known is not None and continues(error, known):
            self.recorder.goes_on_as(error)
        else:
            self.recorder.fail(error, call)
            self._said = self._words(error)

    def finished(self, recording: Recording, error: BaseException | None) -> Recording:
        """The recording, with the failing call in it where the error only names it."""
        try:
            known = self.recorder._calls
            nodes = {
                call.number: node
                for call, node in self._nodes
                if call.number < len(known) and known[call.number] is call
            }
            if error is None:
                return recording
            run = self.backend.failed_run()
            found = with_shapes(recording, dict(self._numbered(run.shapes)))
            found = located(found, nodes, str(error), run.node) if nodes else found
            return with_names(found, error.__traceback__, self._numbers_of)
        except Exception as fault:
            own_fault(fault)
            return recording

    def _numbers_of(self, held: Any) -> list[int]:
        """The values of the recording that an object of the program's stands for."""
        return [n for n in map(self.recorder.number_of, [held, *self.backend.stand_ins(held)]) if n is not None]

    def _numbered(self, shapes: Sequence[tuple[Any, Shape]]) -> Iterator[tuple[int, Shape]]:
        for tensor, shape in shapes:
            number = self.recorder.number_of(tensor)
            if number is not None:
                yield number, shape

    def words(self, error: BaseException) -> str:
        """What was said where it failed: on the way out, frameworks put it into other words."""
        return self._said if error is self.recorder.error and self._said else self._words(error)

    def _words(self, error: BaseException) -> str:
        return self.backend.words(str(getattr(error, "message", None) or error))

    # Operations

    def operation(self, operation: Operation, run: Callable[[Any], Any]) -> Any:
        named = operation.named
        if named is None:
            return run(operation)
        name, kind = named
        if self.interventions is not None:
            operation = self._intervened(operation, name)
        try:
            result = run(operation)
        except Exception as error:
            if not self.backend.is_refusal(error):
                self._guarded(name, kind, operation, None, error)
            raise
        self._guarded(name, kind, operation, result, None)
        return result

    def _guarded(self, name: str, kind: str, operation: Operation, result: Any, error: Exception | None) -> None:
        try:
            self._busy = True
            self._record(name, kind, operation, result, error)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    def _record(self, name: str, kind: str, operation: Operation, result: Any, error: Exception | None) -> None:
        made = [] if error is not None else self.tensors(result)
        if error is None and not made:
            return
        recorder = self.recorder
        taken = operation.operands()
        operands = tuple([self.number(tensor) for tensor in taken])
        if kind == "conversion" and error is None:
            recorder.alias(made[0], operands[0])
            return
        inner = recorder.innermost
        if error is not None and recorder.failed_alike(name, operands):
            recorder.goes_on_as(error)  # `x + y` is tried as `y.__radd__(x)` too
            return
        facts = operation.facts()
        changed = bool(facts.get("in_place"))
        if kind == "same" and made and not changed and all(any(tensor is one for one in taken) for tensor in made):
            return  # what was to be changed into something else was that already
        self.backend.settle()
        call = recorder.open_call(name, kind, inner.layer if inner is not None else "", False, operands)
        call.line = calling_line(sys._getframe(3))
        if facts:
            call.facts = facts
        if error is not None:
            self.failed(error, call, True)
            return
        call.finished = True
        call.results = tuple([self._result(tensor, changed) for tensor in made])
        nodes = getattr(operation, "nodes", None)
        if nodes:
            self._nodes.append((call, nodes[0]))

    def _result(self, tensor: Any, changed: bool = False) -> int:
        number = None if changed else self.recorder.number_of(tensor)
        return self.recorder.add_value(tensor, self.backend.raw_spec(tensor), "call") if number is None else number

    def _intervened(self, operation: Operation, name: str) -> Operation:
        assert self.interventions is not None
        place = self.recorder.place(name)
        try:
            for position, module in self.interventions.operands.get(place, ()):
                operation = operation.with_operand(position, module)
            arguments = self.interventions.arguments.get(place)
            return operation.with_arguments(arguments) if arguments else operation
        except Exception as error:  # without it the operation would run as if there were no edit
            raise NotInPlace(str(error)) from error


def continues(error: BaseException, known: BaseException) -> bool:
    """Whether an exception is another one raised again: Keras and AutoGraph make new objects of what they pass on."""
    seen: BaseException | None = error
    for _ in range(40):
        if seen is None:
            return False
        if seen is known:
            return True
        seen = seen.__cause__ or seen.__context__
    return False
