"""How a command says that it cannot do what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shapewatch.firewall import own_fault
from shapewatch.source import raising_line


class CommandError(Exception):
    """One line that says what is wrong and what would be right, and the exit status that goes with it.

    Not a frozen dataclass: `contextlib` assigns `__traceback__` to exceptions that cross a generator's
    `with`, and a frozen one would answer that with an error of its own.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(" ".join(message.split()))
        self._exit_code = exit_code

    @property
    def exit_code(self) -> int:
        return self._exit_code


@contextmanager
def faults_in_one_line() -> Iterator[None]:
    """What goes wrong inside, and is not what was asked for, is a fault of ours. Exit status 1 would blame a model."""
    try:
        yield
    except CommandError:
        raise
    except Exception as fault:
        own_fault(fault)
        raise CommandError(f"{type(fault).__name__}: {fault}; {OF_OURS}") from fault


OF_OURS = "this is a fault of shapewatch itself, SHAPEWATCH_DEBUG=1 shows where"


def in_one_line(error: BaseException) -> str:
    """`ValueError: no such size (net.py:12)`: type, first line of the message, place in the user's files."""
    message = str(error).strip().partition("\n")[0]
    return (f"{type(error).__name__}: {message}" if message else type(error).__name__) + place_of(error)


def place_of(error: BaseException) -> str:
    """` (net.py:12)`: the deepest line of the user's files that the exception passed, or nothing."""
    if isinstance(error, SyntaxError):
        return ""  # its message says where
    line = raising_line(error.__traceback__)
    return f" ({Path(line[0].co_filename).name}:{line[1]})" if line else ""
