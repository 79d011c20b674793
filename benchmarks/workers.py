"""Work in processes of their own, one per architecture: a crash or a hang costs that one alone."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

Send = Callable[[Any], None]
Work = Callable[[str, Send], None]


@dataclass(frozen=True)
class Lost:
    """A worker that ended before its work was done, and why."""

    reason: str


@dataclass(frozen=True)
class Skipped:
    """An architecture, or the rest of one, that gave no result, and why."""

    architecture: str
    reason: str


def by_reason(skipped: Sequence[Skipped]) -> dict[str, list[str]]:
    """The architectures that were skipped, by what kept them."""
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.reason, []).append(each.architecture)
    return reasons


@dataclass
class Worker:
    name: str
    process: BaseProcess
    connection: Connection
    heard: float
    ended: bool = False


class TimeLimitError(BaseException):
    """The time limit passed. No `Exception`, so that code which expects those does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeLimitError` in a block that takes longer; without effect where there is no alarm signal."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise TimeLimitError

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def interrupt_once() -> None:
    """Make the first Ctrl-C or SIGTERM a `KeyboardInterrupt`, and later ones nothing: `timeout` sends two."""

    def stop(_number: int, _frame: Any) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)


def run_each(names: Sequence[str], work: Work, jobs: int, silence: float) -> Iterator[tuple[str, Any]]:
    """Call `work(name, send)` for each name in a process of its own, `jobs` at once; yield what is sent.

    A worker from which nothing is heard for `silence` seconds is ended; `Lost` says what ended one early.
    """
    # Forked workers have the libraries loaded already; where forking is not safe they load them again.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    waiting = list(names)
    running: list[Worker] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(context, waiting.pop(0), work))
            wait([worker.connection for worker in running], timeout=1)
            for worker in list(running):
                yield from ((worker.name, message) for message in _drain(worker))
                lost = _lost(worker, silence)
                if lost is not None:
                    yield worker.name, lost
                if worker.ended:
                    running.remove(worker)
    finally:
        for worker in running:
            worker.process.kill()


def _start(context: Any, name: str, work: Work) -> Worker:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(name, work, sender), daemon=True)
    process.start()
    sender.close()
    return Worker(name, process, receiver, time.monotonic())


def _work(name: str, work: Work, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to every process; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        work(name, sender.send)
    except BaseException as error:  # the process ends here, and the reason has to get out of it
        sender.send(Lost("".join(traceback.format_exception(error)).strip()))
    sender.close()


def _drain(worker: Worker) -> Iterator[Any]:
    try:
        while worker.connection.poll():
            message = worker.connection.recv()
            worker.heard = time.monotonic()
            yield message
    except EOFError:
        worker.ended = True


def _lost(worker: Worker, silence: float) -> Lost | None:
    if worker.ended:
        worker.process.join()
        code = worker.process.exitcode
        return Lost(f"the process ended with status {code}") if code else None
    if time.monotonic() - worker.heard < silence:
        return None
    worker.ended = True
    worker.process.kill()
    worker.process.join()
    return Lost(f"nothing heard for {silence:.0f} s")
