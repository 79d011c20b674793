"""What a framework must supply, and which adapters there are.

An adapter is loaded only when the program has imported its framework: `import shapewatch` touches none.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from shapewatch.edits import Edit
from shapewatch.firewall import attempt, own_fault
from shapewatch.recording import Recording, Span, TensorSpec

REGISTRY = {
    "keras": "shapewatch.adapters.keras",
    "torch": "shapewatch.adapters.torch",
    "tensorflow": "shapewatch.adapters.tensorflow",
}
"""A framework's import name, and the module here that holds its `ADAPTER`. One that runs on another comes before it: on
PyTorch, a Keras layer is a `torch.nn.Module` too."""


@dataclass(frozen=True)
class InputSpec:
    """An input to be made up: its shape, its dtype as the framework spells it, and the argument it is for."""

    shape: tuple[int, ...]
    dtype: str | None = None
    name: str | None = None


STILL_BEING_BUILT = "the model was still being built, so what comes after could not be run"
"""What a trial says of itself that ends where the model did."""


@dataclass(frozen=True)
class Trial:
    """A pass on shapes alone. `unsupported` says why it could not be followed to its end, which is no shape error.

    `beyond` says why there was no more of the model to run, where it ended too soon for that reason. `parameters` are
    those that the edits add; None where they cannot be counted. `broken` is what kept a model from being run at all,
    with no edit in it: no shape error either, and nothing that is to be reported as if all were well.
    """

    recording: Recording
    output: Any = None
    parameters: int | None = 0
    unsupported: str | None = None
    beyond: str | None = None
    broken: Exception | None = None

    @property
    def finished(self) -> bool:
        return self.recording.failure is None and self.unsupported is None


class Probe(Protocol):
    """A model with its inputs, ready to be run on shapes any number of times."""

    def run(self, edits: Sequence[Edit] = ()) -> Trial:
        """One pass on shapes alone, with the edits in place. The model and the program are as before afterwards."""
        ...


class Watching(Protocol):
    """What `instrument` gives: the pass being recorded, and what is needed to run it again."""

    def finish(self, error: BaseException | None) -> Recording: ...

    def probe(self) -> Probe | None:
        """The outermost model of the last pass with its inputs; None where no model was called."""
        ...

    def output(self) -> Any:
        """The shapes that the outermost model gave, nested as it gave them."""
        ...


@dataclass(frozen=True)
class Written:
    """An edit as its framework's users write it."""

    title: str
    code: str
    edit: Mapping[str, Any]
    span: Span | None = None
    """The line that the code stands in the place of, where it is another than that of the first layer changed."""


@dataclass(frozen=True)
class Compiler:
    """What a decorated model must know of its framework's compiler; by itself that there is none."""

    is_read: Callable[[], bool] = bool
    """Whether the code that asks is read by the compiler and not run, or runs to be exported."""
    is_part: Callable[[], bool] = bool
    """Whether the code that asks is run by compiled code, or is traced."""
    apart: Callable[[], AbstractContextManager[None]] = nullcontext
    """What runs inside is neither compiled nor traced."""
    pass_over: Callable[..., object] = lambda *_: None
    """Have the compiler begin behind functions of ours, with what they call."""
    converted: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    """A function as the compiler would have it called here, behind functions of ours; None: as it is. A function that
    does nothing would be compiled too."""
    carry: Callable[[Sequence[str]], object] = lambda _: None
    """An exception leaves functions of ours, with these notes: have what the compiler raises in its place carry them
    too, and tell nothing of us."""


@dataclass(frozen=True)
class Declaring:
    """How programs declare the shape of what a model is given; by itself that they do not."""

    calls: frozenset[str] = frozenset()
    """Functions and classes that make an input: their first argument is a shape."""
    arguments: frozenset[str] = frozenset()
    """By these names, arguments of such a call that are one too."""
    of_layers: frozenset[str] = frozenset()
    """By these names, arguments of any layer that are the shape of its input."""


class Adapter(Protocol):
    """The seam to a framework."""

    name: str
    declares: Declaring

    @property
    def compiler(self) -> Compiler: ...

    @property
    def covers(self) -> frozenset[str]:
        """The adapters whose operations this one records itself, as those of the framework that it runs on."""
        ...

    def owns(self, target: object) -> bool:
        """Whether this is a model, a layer or a model class of the framework."""
        ...

    def describe(self, value: object) -> TensorSpec | None:
        """The spec of a tensor; None for what is no tensor of the framework."""
        ...

    def instrument(self, target: object | None = None) -> AbstractContextManager[Watching]:
        """Record what runs inside the block, in this thread; undone on every exit."""
        ...

    def prepare(self, model: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Probe:
        """A probe of the model on inputs like these. Raises ValueError with the reason where there can be none."""
        ...

    def prepare_shapes(self, model: object, specs: Sequence[InputSpec]) -> Probe:
        """A probe of the model on inputs of these shapes. Raises ValueError for a dtype that there is not."""
        ...

    def applied(self, model: Any, edits: Sequence[Edit]) -> AbstractContextManager[Any]:
        """The model with the edits in place, in memory, undone at the end of the block."""
        ...

    def as_unwatched(self, traceback: TracebackType | None) -> TracebackType | None:
        """The traceback without the frames that the framework itself adds because it is watched."""
        ...

    def write(self, edit: Edit, recording: Recording) -> Written:
        """The edit in the framework's idiom."""
        ...

    def line_of_all(self, edits: Sequence[Edit], recording: Recording) -> tuple[Span, str] | None:
        """The line of the program in which all of the edits are made, and it as it should be."""
        ...


def loaded() -> list[Adapter]:
    """The adapters of the frameworks that this program has imported, without any that cannot be loaded: a release of
    its framework may have moved what it needs."""
    found = [attempt(load, name) for name in REGISTRY if is_imported(name)]
    return [adapter for adapter in found if adapter is not None]


def is_imported(name: str) -> bool:
    """Whether a module is there, and not only on its way: `import keras` imports TensorFlow in the middle."""
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def missing() -> list[str]:
    """The frameworks that could be watched and have not been imported."""
    return [name for name in REGISTRY if not is_imported(name)]


def adapter_of(target: object) -> Adapter:
    """The adapter of the framework that a model belongs to.

    Raises:
        ValueError: the target is no model of any framework that is imported.
    """
    unknown: Exception | None = None
    for name in filter(is_imported, REGISTRY):
        try:
            adapter = load(name)
            if adapter.owns(target):
                return adapter
        except Exception as fault:  # its framework may not be the target's
            own_fault(fault)
            unknown = fault
    if unknown is not None:
        raise unknown
    known = "a torch.nn.Module, a keras.Model or a tf.Module"
    raise ValueError(f"this is no model: {_shown(target)}; {known} would be one")


def _shown(target: object) -> str:
    return f"the class {target.__qualname__}" if isinstance(target, type) else f"{type(target).__name__} {target!r:.60}"


def uncovered() -> list[Adapter]:
    """The adapters of the frameworks that this program has imported, without those that another one stands for."""
    known = loaded()
    covered = frozenset[str]().union(*(adapter.covers for adapter in known))
    return [adapter for adapter in known if adapter.name not in covered]


def load(name: str) -> Adapter:
    adapter: Adapter = importlib.import_module(REGISTRY[name]).ADAPTER
    return adapter
