"""Passes that are not recorded.

A training loop is recorded once for each signature of inputs. A later pass of the same signature runs unrecorded, and
what it gives is taken for what the recorded one gave, so that a loss which does not fit still has its road. Where an
unrecorded pass fails, it is looked at again on shapes.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapewatch.adapters import Trial
from shapewatch.recorder import ALIKE, Mark, Recorder
from shapewatch.recording import Call, Recording
from shapewatch.source import raising_line, span_at


def signature(value: Any, depth: int = 0, plain: bool = True) -> Any:
    """What decides whether a pass has been seen: the shapes and dtypes in its arguments and, if wanted, plain values.

    Of a number with a fraction or a long text only that it is one: a rate or a prompt that changes at each step shapes
    nothing. Of an object that a program made itself, the shapes that it holds.
    """
    shape = _shape(value)
    if shape is not None:
        return (shape, getattr(value, "dtype", None)) if isinstance(shape, tuple) else str(shape)
    if plain and (isinstance(value, int) or (isinstance(value, str) and len(value) < 40)):
        return value
    if depth < 5:
        if isinstance(value, tuple | list):
            return tuple([signature(item, depth + 1, plain) for item in value])
        if isinstance(value, Mapping):
            return tuple([(str(key), signature(item, depth + 1, plain)) for key, item in value.items()])
        members = {} if callable(value) else getattr(value, "__dict__", None) or {}
        if shaped := {key: item for key, item in members.items() if _shape(item) is not None}:
            return (type(value).__name__, signature(shaped, depth + 1, plain))
    return type(value).__name__


def _shape(value: Any) -> Any:
    try:
        shape = getattr(value, "shape", None)
        return tuple(shape) if isinstance(shape, Iterable) else shape
    except Exception:  # an object of the program's that does not let itself be looked at
        return None


@dataclass(frozen=True, slots=True)
class Pass:
    """What it takes to run a pass of an outermost layer again on shapes, and the shapes that it gave."""

    blueprint: Any
    output: Any


@dataclass(slots=True)
class Kept:
    """A recorded pass of an outermost layer, which stands for later ones of its signature."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    ran: Pass
    made: list[weakref.ref[Any]]
    """The results of the latest pass that it stands for."""

    @property
    def is_free(self) -> bool:
        """Whether those results are gone. While they are in use, results of another pass would be taken for them."""
        return all(reference() is None for reference in self.made)


class Passes:
    """The recorded passes of a loop, and which one stands for a pass that begins."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._kept: dict[Hashable, list[Kept]] = {}
        self._told: Hashable = None
        self._since: Mark | None = None
        """Where the operations begin that followed an unrecorded pass."""
        self._followed: set[Hashable] = set()
        """What such operations were."""

    def forget(self) -> None:
        """What was recorded of earlier passes is gone."""
        self._kept.clear()
        self._followed.clear()
        self._since = None

    def begins(self, told: Hashable) -> Kept | None:
        """What stands for a pass of this signature; None where it is to be recorded itself."""
        self._told = told
        alike = self._kept.get(told, [])
        kept = next((each for each in alike if each.is_free), alike[0] if len(alike) >= ALIKE else None)
        if kept is not None:
            self._drop_what_followed()
            self._recorder.begin_pass(kept.inputs)
        return kept

    def _drop_what_followed(self) -> None:
        """What came after an unrecorded pass, a loss say, is kept where there was nothing like it before."""
        if self._since is None:
            return
        followed = self._recorder.trace(self._since)
        if followed in self._followed:
            self._recorder.rewind(self._since)
        self._followed.add(followed)

    def recorded(self) -> None:
        """A pass is recorded, which is not dropped as what merely followed one."""
        self._since = None

    def ended(self, kept: Kept, made: Sequence[Any], specs: Sequence[Any]) -> bool:
        """Whether an unrecorded pass gave what the recorded one gave: then its tensors are taken for those."""
        alike = list(specs) == [self._recorder.raw_spec(number) for number in kept.outputs]
        if alike:
            for tensor, number in zip(made, kept.outputs, strict=True):
                self._recorder.alias(tensor, number)
            kept.made = [weakref.ref(tensor) for tensor in made]
            self._recorder.end_pass(kept.outputs)
        else:  # what a pass gives hangs on more than its signature
            self._kept.pop(self._told, None)
        return alike

    def begins_whole(self) -> None:
        """A compiled function is called outside of any layer. What came since the last such call is dropped where the
        same was there before."""
        self._drop_what_followed()
        self.followed()

    def followed(self) -> None:
        """What is recorded from now on followed an unrecorded pass."""
        self._since = self._recorder.mark()

    def keep(self, inputs: tuple[int, ...], outputs: tuple[int, ...], ran: Pass, made: Sequence[Any]) -> None:
        """A pass was recorded, of the signature with which it began."""
        kept = Kept(inputs, outputs, ran, [weakref.ref(tensor) for tensor in made])
        self._kept.setdefault(self._told, []).append(kept)


@dataclass(frozen=True, slots=True)
class Missed:
    """What an unrecorded pass raised, and the innermost layer that it passed."""

    error: BaseException
    layer: Any


def is_seen_in(trial: Trial, error: BaseException, layer: str, has_lines: bool) -> bool:
    """Whether a pass on shapes fails where an unrecorded one did.

    Args:
        layer: the path of the innermost layer that the error passed.
        has_lines: whether that layer runs lines of the program, by which two failures in it are told apart.
    """
    call, failure = trial.recording.failing_call(), trial.recording.failure
    if trial.unsupported is not None or failure is None or call is None or call.layer != layer:
        return False
    line = raising_line(error.__traceback__) if has_lines else None
    if line is None or failure.span is None:
        return not has_lines
    span = span_at(*line)
    return (span.file, span.line) == (failure.span.file, failure.span.line)


def followed_by(recording: Recording, later: Recording) -> Recording:
    """One recording of what was recorded and of a later pass: its failure, in the words of the first."""
    values, calls = len(recording.values), len(recording.calls)
    known = later.layer_at
    failure = later.failure
    if failure is not None:
        told = recording.failure or failure
        failed = None if failure.call is None else failure.call + calls
        failure = replace(failure, type=told.type, message=told.message, call=failed)
    return replace(
        recording,
        values=(*recording.values, *(replace(value, number=value.number + values) for value in later.values)),
        calls=(*recording.calls, *(_moved(call, calls, values) for call in later.calls)),
        layers=(*later.layers, *(layer for layer in recording.layers if layer.path not in known)),
        inputs=tuple(number + values for number in later.inputs),
        outputs=tuple(number + values for number in later.outputs),
        failure=failure,
        root=later.root,
    )


def _moved(call: Call, calls: int, values: int) -> Call:
    return replace(
        call,
        number=call.number + calls,
        parent=None if call.parent is None else call.parent + calls,
        operands=tuple(number + values for number in call.operands),
        results=tuple(number + values for number in call.results),
    )
