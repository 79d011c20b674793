"""What runs operations: the seam between what listens to layers and the framework below them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from shapewatch.adapters.located import FailedRun, Node
from shapewatch.recording import Origin, TensorSpec


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

    def follow(
        self, asleep: Callable[[], bool], goes_on_here: Callable[[bool], AbstractContextManager[None]], stack: ExitStack
    ) -> None:
        """Until the stack is closed, run the program inside `goes_on_here` where it goes on in another thread, while
        the one waits that is listened to. True: that thread is to be listened to in its place."""
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

    def building_graph(self) -> bool:
        """Whether operations are added to a graph instead of being run. What failed in it is told by its nodes."""
        ...

    def added_from_now_on(self) -> Callable[[], Sequence[Node]]:
        """What gives the nodes that were added since to the graph that is being built; none where none is."""
        ...

    def settle(self) -> None:
        """Before a line of the program is looked up: make generated source known as what it was generated from."""
        ...


class PlainBackend:
    """The answers of a backend that runs the program's code as it is written, one operation after the other."""

    def follow(self, *_: Any) -> None:
        """All of it runs in one thread."""

    def is_refusal(self, _: BaseException) -> bool:
        return False

    def words(self, text: str) -> str:
        return text

    def read_from(self, tensor: Any) -> Any:  # noqa: ARG002
        return None

    def stand_ins(self, tensor: Any) -> list[Any]:  # noqa: ARG002
        return []

    def failed_run(self) -> FailedRun:
        return FailedRun()

    def converted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def compiling(self) -> bool:
        return False

    def building_graph(self) -> bool:
        return False

    def added_from_now_on(self) -> Callable[[], Sequence[Node]]:
        return tuple

    def settle(self) -> None:
        """All code that runs is the program's own."""
