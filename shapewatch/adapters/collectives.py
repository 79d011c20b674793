"""What an adapter hears of collectives: operations in which several processes take part, each of them a rank."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from shapewatch.recording import Span, TensorSpec


@dataclass(frozen=True)
class Collective:
    """One collective operation, as one rank calls it; or one end of a message between two.

    name    "all_gather"; of a model that is made one of several, its wrapper's: "DistributedDataParallel"; of a message
            "send" or "recv"
    group   the name of the group whose ranks take part
    number  how many operations the group had begun before it: the same on every rank, while all keep step
    since   that number when the watch began to hear the group
    heard   how many of those since then were heard: a second count, so that a slip of one is not taken for a parting
    specs   what this rank brings; `labels` are the names of these tensors, where they have some (parameters)
    equal   whether every rank has to bring as much
    called  the function that the program called, where that is another one: "broadcast_object_list"
    ranks   who takes part, in the order of the group; empty: all. Of a message, who sends it and who receives it
    gives   how many numbers it has for each rank of the group, where these may differ: in an all_to_all
    takes   how many it has room for from each of them

    The ends of a message count as the operations of a group of their own, which is of one sender and one receiver.
    """

    name: str
    group: str
    number: int
    since: int
    heard: int
    specs: tuple[TensorSpec, ...] = ()
    labels: tuple[str, ...] = ()
    span: Span | None = None
    equal: bool = True
    called: str = ""
    ranks: tuple[int, ...] = ()
    gives: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()

    @property
    def is_message(self) -> bool:
        return self.name in ("send", "recv")


@dataclass(frozen=True)
class Begun:
    """How many operations a group had begun when the watch began to hear it and has now, and how many were heard."""

    group: str
    since: int
    now: int
    heard: int


@dataclass(frozen=True)
class Company:
    """This process among the others of its program.

    `store` is a connection of our own to the key-value store by which they found each other: what is asked of it waits
    for no other rank. `run` names the program's run, alike on every rank.
    """

    rank: int
    size: int
    store: Any
    run: str


class Hearing(Protocol):
    """What is heard of the collectives of a watched block."""

    def listening(self) -> AbstractContextManager[None]: ...

    def recent(self) -> tuple[Collective, ...]:
        """The last collectives that began, in order."""
        ...

    def begun(self) -> Begun | None:
        """Of the group of all ranks; None where it does not count."""
        ...

    def others(self) -> tuple[Begun, ...]:
        """Of the other groups of which something was heard, messages among them."""
        ...

    def waits(self, thread: int) -> Collective | None:
        """The operation for whose end a thread waits, or in which it failed; None: in none that is known."""
        ...


HearingOf = Callable[[Callable[[Company], None], Callable[[Collective, tuple[int, ...]], None]], Hearing]
"""An adapter's `hearing`. The first callback: there are other ranks. The second: a collective is about to run whose
line brings shapes that it has not brought before, and these ranks take part. The program waits for both to return."""
