"""Recording layers and operations of a framework whose calls are listened to.

What is said here holds for TensorFlow and Keras alike, on each of Keras's backends: which layers are open, which value
a tensor is, which call raised. A `Backend` supplies the operations; the adapter on top of it supplies the layers.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Self

from shapewatch.adapters import Probe
from shapewatch.adapters.backend import Backend, Operation
from shapewatch.adapters.located import Node, located, with_shapes
from shapewatch.adapters.passes import Kept, Missed, Pass, Passes, followed_by, is_seen_in, signature
from shapewatch.adapters.rewritten import RewrittenLines
from shapewatch.adapters.spoken import with_names
from shapewatch.adapters.taps import NotInPlace
from shapewatch.edits import RESULT, Insert
from shapewatch.firewall import own_fault
from shapewatch.recorder import OpenCall, Recorder
from shapewatch.recording import Origin, Recording, Shape
from shapewatch.source import calling_line


class _Isolated(threading.local):
    by: Any = None
    """The one that records while a dry run goes on: a watch around it must not see the dry run."""


_isolated = _Isolated()


class Interventions:
    """Edits that act while a pass runs: layers taken in the place of others, layers put on operands, arguments."""

    def __init__(self) -> None:
        self.operands: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        self.arguments: dict[str, dict[str, Any]] = {}
        self.lines = RewrittenLines()
        self.names: Any = None
        """Those of the pass, by which the model's own layers are found."""
        self._others: dict[str, str] = {}

    def call_own(self, edit: Insert) -> None:
        """Take in an edit that calls a layer of the model's own."""
        path = edit.module.arguments["layer"]
        if "instead" in edit.module.arguments:
            self._others[edit.place] = path
        else:
            own = partial(self._own_called, path)
            self.operands.setdefault(edit.place, []).append((edit.operand, own))

    def _own_called(self, path: str, x: Any) -> Any:
        layer = self.names.get(path) if self.names is not None else None
        if layer is None:
            raise NotInPlace(f"the model has no layer {path!r}")
        try:
            return layer(x)
        except Exception as error:
            raise NotInPlace(str(error)) from error

    def called_at(self, place: str, path: str, layer: Any) -> tuple[str, Any]:
        """The layer of the model's own that is called at a place, with its path: mostly the one that is there."""
        other = self._others.get(place)
        if other is None:
            return path, layer
        if self.names.get(other) is None:
            raise NotInPlace(f"the model has no layer {other!r}")
        return other, self.names.get(other)

    def layer(self, path: str, layer: Any, operands: Sequence[Any], whole: bool) -> Any:  # noqa: ARG002
        """The layer that is to run in this one's place: mostly itself. `whole`: nothing in it is looked at."""
        return layer


@contextmanager
def unseen() -> Iterator[None]:
    """No watch of this thread sees what goes on inside: a dry run, or getting ready for one."""
    outer = _isolated.by
    _isolated.by = unseen
    try:
        yield
    finally:
        _isolated.by = outer


class Listening:
    """Records one thread between `__enter__` and `__exit__`."""

    names: Any
    """The paths of layers, as the adapter has them."""
    root: Any
    """The outermost layer that was called last."""

    def __init__(self, framework: str, backend: Backend, interventions: Interventions | None, isolated: bool) -> None:
        self.recorder = Recorder(framework, backend.describe)
        self.backend = backend
        self.interventions = interventions
        self.isolated = isolated
        self._stack = ExitStack()
        self._thread = 0
        self._beside: set[int] = set()
        """Threads that do the same on other data, unrecorded."""
        self.opened: list[tuple[Any, OpenCall]] = []
        """The layers that are open, from the outermost on."""
        self._whole = 0
        """How many layers and operations are open that are taken as a whole: nothing inside them is recorded."""
        self._busy = False
        self.said = ""
        """The framework's words for the failure, where it failed."""
        self.rehearsing = 0
        """How many runs on placeholders go on."""
        self._passes = Passes(self.recorder)
        self._standing: Kept | None = None
        """The recorded pass that stands for the one which runs now; None while everything is recorded."""
        self.missed: Missed | None = None
        """What an unrecorded pass raised."""
        self.last: Pass | None = None
        """The last pass of an outermost layer."""
        self._nodes: list[tuple[OpenCall, Sequence[Node]]] = []
        """What calls became in the graphs that they were added to."""

    # The scope

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()  # what listens already must not stay
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        self._thread = threading.get_ident()
        if self.isolated:
            self._stack.callback(setattr, _isolated, "by", _isolated.by)
            _isolated.by = self
        self.backend.listen(self.deaf, self.operation, self._stack)
        self.backend.follow(self.asleep, self._goes_on_here, self._stack)

    def close(self) -> None:
        self._stack.close()
        self.opened.clear()

    def asleep(self) -> bool:
        if self.backend.compiling() or self._whole or self._busy or self._standing is not None:
            return True
        if threading.get_ident() != self._thread:
            return True
        by = _isolated.by
        return by is not None and by is not self

    @contextmanager
    def _goes_on_here(self, recorded: bool) -> Iterator[None]:
        """The program goes on in this thread, while the one waits that is listened to."""
        here, waiting = threading.get_ident(), self._thread
        if recorded:
            self._thread = here
        else:
            self._beside.add(here)
        try:
            yield
        finally:
            self._beside.discard(here)
            if recorded:
                self._thread = waiting

    def deaf(self) -> bool:
        """Whether operations are not to be recorded now."""
        return self.asleep()

    def not_looked_into(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the function gives; nothing that it does is recorded."""
        self._whole += 1
        try:
            return function(*args, **kwargs)
        finally:
            self._whole -= 1

    # Values

    def tensors(self, *values: Any) -> list[Any]:
        """The tensors in arguments or results: in tuples, lists and dicts, in order. A dictionary that is one argument
        is in the order of its sorted keys, as Keras and TensorFlow flatten it."""
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
            for key in sorted_keys(value) if depth else value:
                self._collect(value[key], found, depth + 1)
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
        told = self.backend.origin(tensor) or origin or ("constant" if self.opened else "input")
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
        if not self.opened:
            self._passes.recorded()
        call = self.recorder.open_call(name, kind, path, True, operands)
        call.line = calling_line(sys._getframe(frames + 1))
        self.opened.append((layer, call))
        self._whole += whole
        return call

    def leave(self, call: OpenCall, whole: bool, results: tuple[int, ...], error: BaseException | None) -> None:
        """A layer has ended, and whatever was left open in it has too."""
        self._whole -= whole
        while self.opened:
            if self.opened.pop()[1] is call:
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
            self.said = self._words(error)

    def finished(self, recording: Recording, error: BaseException | None) -> Recording:
        """The recording, with the failing call in it where the error only names it."""
        try:
            nodes = {call.number: made for call, made in self._nodes if self.recorder.holds(call)}
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
        return self.said if error is self.recorder.error and self.said else self._words(error)

    def _words(self, error: BaseException) -> str:
        return self.backend.words(str(getattr(error, "message", None) or error))

    # Passes

    def begins(self, layer: Any, args: Any, kwargs: Any) -> bool:
        """An outermost layer is called. Whether it runs unrecorded, because its like is recorded: `unrecorded` is then
        the way to run it."""
        try:
            self._busy = True
            self._begin_root(layer)
            self.missed = None
            if self._is_of_its_own:
                return False
            self._standing = self._passes.begins((id(layer), signature((args, kwargs))))
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False
        return self._standing is not None

    @property
    def _is_of_its_own(self) -> bool:
        """Whether a pass stands for no other, and no other for it."""
        edited = self.isolated or self.interventions is not None
        return edited or self.rehearsing > 0 or self.backend.building_graph()

    def _begin_root(self, layer: Any) -> None:
        """An outermost layer is called: what it holds gets its names."""
        raise NotImplementedError

    def begins_whole(self) -> None:
        """A compiled function is called: outside of layers, it is what a loop consists of."""
        if self.opened or self._is_of_its_own:
            return
        try:
            self._passes.begins_whole()
        except Exception as fault:
            own_fault(fault)

    def forget_earlier(self) -> None:
        if self.recorder.forget_earlier():
            self._passes.forget()

    def unrecorded(self, layer: Any, run: Callable[[], Any], look: Callable[[Any], Pass]) -> Any:
        """Run a pass for which a recorded one stands. `look`: what is to be known of it, where it gives something else
        than that one gave."""
        kept = self._standing
        assert kept is not None
        try:
            result = run()
        except BaseException as error:
            if isinstance(error, Exception):
                self._missed_at(layer, error)
                self.recorder.fail(error, None)
                self.said = self._words(error)
                self.last = replace(kept.ran, output=None)
            self._standing = None
            raise
        self._standing = None
        try:
            self._busy = True
            made = self.tensors(result)
            if self._passes.ended(kept, made, [self.backend.raw_spec(tensor) for tensor in made]):
                self.last = kept.ran
            else:
                self.last = look(result)
                self.recorder.end_pass(tuple(self.result(tensor) for tensor in made))
            self._passes.followed()
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False
        return result

    def missed_in(self, layer: Any, error: Exception, ran: Callable[[None], Pass]) -> None:
        """An exception passes a layer in an unrecorded pass; the first that it passes is where it was raised."""
        here = threading.get_ident()
        if here in self._beside:
            self._missed_beside(layer, error, ran)
        elif self._standing is not None and here == self._thread:
            self._missed_at(layer, error)

    def _missed_at(self, layer: Any, error: Exception) -> None:
        known = self.missed
        where = layer if known is None or not continues(error, known.error) else known.layer
        self.missed = Missed(error, where)

    def _missed_beside(self, layer: Any, error: Exception, ran: Callable[[None], Pass]) -> None:
        """The last layer that the exception passes is the outermost one."""
        if self.missed is not None and not continues(error, self.missed.error):
            return
        try:
            self._missed_at(layer, error)
            self.root, self.last = layer, ran(None)
            self.recorder.fail(error, None)
            self.said = self._words(error)
        except Exception as fault:
            own_fault(fault)

    def seen_again(self, recording: Recording, error: BaseException | None, probe: Probe | None) -> Recording:
        """The recording with the pass in it that failed unrecorded, as it is on shapes; as it is where that pass does
        not fail there, or elsewhere."""
        failed = self.recorder.error if error is None else error
        missed = self.missed
        if missed is None or probe is None or failed is None or not continues(failed, missed.error):
            return recording
        try:
            path, root = self.names.known(missed.layer), self.names.known(self.root)
            if path is None or root is None:
                return recording
            within = path.removeprefix(root).removeprefix(".") if root else path
            trial = probe.run()
            if is_seen_in(trial, missed.error, within, self._has_lines(missed.layer)):
                return followed_by(recording, trial.recording)
        except Exception as fault:
            own_fault(fault)
        return recording

    def _has_lines(self, layer: Any) -> bool:
        """Whether a layer runs lines of the program."""
        raise NotImplementedError

    def keep(self, call: OpenCall, made: Sequence[Any], ran: Pass) -> None:
        """An outermost layer's pass was recorded; it may stand for later ones."""
        self.last = ran
        self.recorder.end_pass(call.results)
        if not self._is_of_its_own:
            self._passes.keep(call.operands, call.results, ran, made)

    # Operations

    def operation(self, operation: Operation, run: Callable[[Any], Any]) -> Any:
        named = operation.named
        if named is None:
            return run(operation)
        name, kind = named
        if getattr(operation, "runs_graph", False):
            self.begins_whole()
        place = "" if self.interventions is None else self.recorder.place(name)
        if place:
            operation = self._intervened(operation, name, place)
        try:
            result = run(operation)
        except Exception as error:
            if not self.backend.is_refusal(error):
                self._guarded(name, kind, operation, None, error)
            raise
        self._guarded(name, kind, operation, result, None)
        return self._sent_on(result, place) if place else result

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
        if error is None and not made and kind != "loss":  # a metric keeps what it gives
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
        call.line = getattr(operation, "line", None) or calling_line(sys._getframe(3))
        if facts:
            call.facts = facts
        if error is not None:
            self.failed(error, call, True)
            return
        call.finished = True
        call.results = tuple([self.result(tensor, changed) for tensor in made])
        nodes = getattr(operation, "nodes", None)
        if nodes:
            self._nodes.append((call, nodes))

    def result(self, tensor: Any, changed: bool = False) -> int:
        number = None if changed else self.recorder.number_of(tensor)
        return self.recorder.add_value(tensor, self.backend.raw_spec(tensor), "call") if number is None else number

    def _intervened(self, operation: Operation, name: str, place: str) -> Operation:
        assert self.interventions is not None
        try:
            for position, module in self.interventions.operands.get(place, ()):
                if position != RESULT:
                    operation = operation.with_operand(position, module)
            arguments: Mapping[str, Any] | None = self.interventions.arguments.get(place)
            if self.interventions.arguments:
                arguments = self.interventions.lines.arguments(name, sys._getframe(2), arguments)
            return operation.with_arguments(arguments) if arguments else operation
        except Exception as error:  # without it the operation would run as if there were no edit
            raise NotInPlace(str(error)) from error

    def _sent_on(self, result: Any, place: str) -> Any:
        """What an operation gives, sent through new layers; of several values, as TensorFlow gives them, the first."""
        assert self.interventions is not None
        for position, module in self.interventions.operands.get(place, ()):
            if position == RESULT:
                try:
                    result = [module(result[0]), *result[1:]] if isinstance(result, list) else module(result)
                except Exception as error:
                    raise NotInPlace(str(error)) from error
        return result


def sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    """The keys in order, where they have one."""
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


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
