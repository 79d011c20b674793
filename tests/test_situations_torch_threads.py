"""Models that run in threads, tasks, generators and processes: which watch sees what, and who hears of a failure."""

from __future__ import annotations

import asyncio
import copy
import gc
import io
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
import torch
from support.residual import Net, failure, frames, image, our_notes, own_frames
from torch import Tensor, nn
from torch._utils import ExceptionWrapper
from torch.overrides import _get_current_function_mode_stack
from torch.utils.data import DataLoader, Dataset, default_collate

import shapewatch
from shapewatch.watching import Session


class Parallel(nn.Module):
    """Replicas in threads of their own; what one raises is raised again in the words of `nn.DataParallel`."""

    def __init__(self, *replicas: nn.Module) -> None:
        super().__init__()
        self.replicas = nn.ModuleList(replicas)

    def forward(self, x: Tensor) -> Tensor:
        results: list[Any] = [None] * len(self.replicas)

        def work(number: int, replica: nn.Module, part: Tensor) -> None:
            try:
                results[number] = replica(part)
            except Exception:
                results[number] = ExceptionWrapper(where=f"in replica {number} on device {number}")

        parts = enumerate(zip(self.replicas, x.chunk(len(self.replicas)), strict=True))
        threads = [threading.Thread(target=work, args=(number, *each)) for number, each in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            if isinstance(result, ExceptionWrapper):
                result.reraise()  # type: ignore[no-untyped-call]
        return torch.cat(results)


def watched(run: Callable[[], Any], target: nn.Module | None = None) -> tuple[Session, Exception]:
    """The session of what fails, and what left its block."""
    session = shapewatch.watch(target) if target is not None else shapewatch.watch()

    def inside() -> None:
        with session:
            run()

    error = failure(inside)
    assert _get_current_function_mode_stack() == []
    return session, error


def names_the_stride(session: Session, layer: str = "block.conv1") -> bool:
    found = session.report.diagnoses[0]
    fixed = [fix for fix in found.fixes if fix.verified == "forward"]
    return found.code == "SW201" and found.cause is not None and found.cause.layer == layer and bool(fixed)


# Threads


def in_a_pool(model: nn.Module) -> Tensor:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(model, image()).result()


def mapped_by_a_pool(model: nn.Module) -> Tensor:
    with ThreadPoolExecutor(3) as pool:
        return torch.cat(list(pool.map(model, [image()] * 5)))


def in_replicas(model: nn.Module) -> Tensor:
    return Parallel(copy.deepcopy(model), copy.deepcopy(model))(image(4))


def in_the_second_replica(model: nn.Module) -> Tensor:
    sound = copy.deepcopy(model)
    sound.block.conv1.stride = (1, 1)  # type: ignore[union-attr, assignment]
    return Parallel(sound, model)(image(4))


def by_asyncio(model: nn.Module) -> Tensor:
    return asyncio.run(asyncio.to_thread(model, image()))


IN_THREADS = [in_a_pool, mapped_by_a_pool, in_replicas, in_the_second_replica, by_asyncio]


@pytest.mark.parametrize("run", IN_THREADS)
@pytest.mark.parametrize("given", [True, False])
def test_a_model_in_a_thread_is_unaffected(run: Callable[[nn.Module], Tensor], given: bool) -> None:
    model = Net()
    bare = run(model)
    with shapewatch.watch(model) if given else shapewatch.watch() as session:
        seen = run(model)
    assert torch.equal(bare, seen) and session.report.ok


@pytest.mark.parametrize("run", IN_THREADS)
@pytest.mark.parametrize("given", [True, False])
def test_a_model_that_fails_in_a_thread_is_diagnosed(run: Callable[[nn.Module], Tensor], given: bool) -> None:
    model = Net(stride=2)
    bare = failure(lambda: run(model))
    session, error = watched(lambda: run(model), model if given else None)
    if not str(bare).startswith("Caught"):  # that text has a whole traceback in it, with the lines of its callers
        assert str(error) == str(bare)
    assert type(error) is type(bare) and len(our_notes(error)) == 1 and own_frames(error) == []
    assert names_the_stride(session)
    assert session.report.diagnoses[0].location is not None
    assert "return self.conv2" in (session.report.diagnoses[0].location.source or "")


def test_what_a_thread_fails_with_and_keeps_is_its_own() -> None:
    """A later failure of the block itself is not taken for that of a thread, nor the other way round."""
    raised: list[Exception] = []

    def run() -> None:
        thread = threading.Thread(target=lambda: raised.append(failure(lambda: Net(stride=2)(image()))))
        thread.start()
        thread.join()
        nn.Linear(3, 2)(torch.zeros(1, 4))

    session, error = watched(run)
    assert [our_notes(each) for each in raised] == [[]]
    assert session.report.diagnoses[0].code == "SW102" and "SW102" in our_notes(error)[0]


def test_a_failure_that_a_thread_wraps_in_another_is_not_mistaken() -> None:
    def work() -> None:
        try:
            Net(stride=2)(image())
        except RuntimeError:
            raise KeyError("no such thing") from None

    def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(work).result()

    session, error = watched(run)
    assert type(error) is KeyError and our_notes(error) == [] and session.report.ok


def test_a_thread_that_dies_takes_nothing_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    silent, threading.excepthook = threading.excepthook, lambda _: None
    model = Net()
    try:
        with shapewatch.watch(model) as session:
            thread = threading.Thread(target=Net(stride=2), args=(image(),))
            thread.start()
            thread.join()
            y = model(image())
    finally:
        threading.excepthook = silent
    assert y.shape == (1, 4, 8, 8) and session.report.ok and session.report.output == (1, 4, 8, 8)
    assert "shapewatch" not in capsys.readouterr().err


def test_a_thread_that_outlives_the_block() -> None:
    go, results = threading.Event(), []

    def work() -> None:
        model(image())
        go.wait(10)
        results.append(model(image()))

    model = Net()
    with shapewatch.watch() as session:
        thread = threading.Thread(target=work)
        thread.start()
        model(image())
    go.set()
    thread.join()
    assert torch.equal(results[0], model(image())) and session.report.ok


def test_each_thread_has_its_own_watch() -> None:
    """Started together, so that they run at the same time."""
    ready, sessions = threading.Barrier(4), {}

    def work(stride: int, number: int) -> None:
        ready.wait(10)
        for _ in range(5):
            sessions[number], _ = watched_or_not(Net(stride))

    def watched_or_not(model: nn.Module) -> tuple[Session, Exception | None]:
        error = None
        with shapewatch.watch(model) as session:
            try:
                model(image())
            except RuntimeError as caught:
                error = caught
        return session, error

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (1, 2, 1, 2), range(4)))
    assert [sessions[number].report.ok for number in range(4)] == [True, False, True, False]
    assert len({len(sessions[number].report.calls) for number in (0, 2)}) == 1
    assert names_the_stride(sessions[1]) and names_the_stride(sessions[3])


# Tasks and generators


def test_two_tasks_each_with_its_own_watch() -> None:
    """They take turns, so their blocks begin and end in any order, in one thread."""

    async def work(model: nn.Module, passes: int) -> Session:
        with shapewatch.watch(model) as session:
            for _ in range(passes):
                model(image())
                await asyncio.sleep(0)
        return session

    async def both() -> list[Any]:
        return await asyncio.gather(work(Net(), 2), work(Net(stride=2), 3), work(Net(), 5), return_exceptions=True)

    first, error, last = asyncio.run(both())
    assert first.report.ok and last.report.ok and first.report.output == last.report.output == (1, 4, 8, 8)
    assert len(our_notes(error)) == 1
    assert _get_current_function_mode_stack() == []


def test_one_watch_around_an_await() -> None:
    async def inner(model: nn.Module) -> None:
        await asyncio.sleep(0)
        model(image())

    async def outer() -> None:
        await asyncio.gather(inner(Net()), inner(Net(stride=2)))

    session, error = watched(lambda: asyncio.run(outer()))
    assert names_the_stride(session, "Net.block.conv1") and len(our_notes(error)) == 1  # the second Net


def test_a_task_that_is_cancelled_inside_a_watch() -> None:
    async def work(model: nn.Module) -> None:
        with shapewatch.watch(model):
            model(image())
            await asyncio.sleep(10)

    async def cancelled() -> None:
        task = asyncio.create_task(work(Net()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert not hasattr(caught.value, "__notes__")

    asyncio.run(cancelled())
    assert _get_current_function_mode_stack() == []


def steps(model: nn.Module) -> Generator[int, Any, Session]:
    with shapewatch.watch(model) as session:
        for step in range(3):
            model(image())
            yield step
    return session


def test_a_generator_that_runs_to_its_end() -> None:
    running = steps(Net())
    assert [next(running), next(running), next(running)] == [0, 1, 2]
    with pytest.raises(StopIteration) as ended:
        next(running)
    assert ended.value.value.report.ok


@pytest.mark.parametrize("thrown", [RuntimeError("the size of nothing"), KeyboardInterrupt(), SystemExit(3)])
def test_a_generator_that_is_thrown_into(thrown: BaseException) -> None:
    running = steps(Net())
    next(running)
    with pytest.raises(type(thrown)) as caught:
        running.throw(thrown)
    assert caught.value is thrown and not hasattr(thrown, "__notes__")
    assert _get_current_function_mode_stack() == []


def test_a_generator_that_is_forgotten() -> None:
    running = steps(Net())
    next(running)
    del running
    assert _get_current_function_mode_stack() == []


# Watches within watches


def test_nested_watches_of_different_models() -> None:
    inner, outer = Net(), Net(stride=2)
    with shapewatch.watch(outer) as around:
        with shapewatch.watch(inner) as within:
            inner(image())
        error = failure(lambda: outer(image()))
    assert within.report.ok and within.report.output == (1, 4, 8, 8)
    assert our_notes(error) == [] and names_the_stride(around)


def test_a_watch_in_a_forward_of_a_watched_model() -> None:
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Net(stride=2)
            self.sessions: list[Session] = []

        def forward(self, x: Tensor) -> Tensor:
            with shapewatch.watch(self.net) as session:
                self.sessions.append(session)
                return self.net(x)

    model = Careful()
    session, error = watched(lambda: model(image()), model)
    assert len(our_notes(error)) == 1
    assert names_the_stride(session, "net.block.conv1") and names_the_stride(model.sessions[0])


# Loaders


@pytest.fixture
def settled() -> Iterator[None]:
    """Waits for the threads that a loader leaves behind for a moment."""
    yield
    gc.collect()
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(5)


class Ragged(Dataset[Tensor]):
    """Images of two sizes, or one that cannot be read."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Tensor:
        if self.fails and index == 2:
            return torch.zeros(3, 8, 8) + torch.zeros(3, 8, 5)
        return torch.zeros(3, 8, 8 + (index == 3 and not self.fails))


def cropped(items: list[Tensor]) -> Tensor:
    return default_collate([item[..., :8] for item in items])


SPAWNED = "spawn"
"""How workers begin. Forked ones would inherit the threads' locks of what other tests of the process have imported."""


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_a_loader_are_unaffected(workers: int) -> None:
    context = SPAWNED if workers else None
    loader = DataLoader(
        Ragged(), batch_size=2, num_workers=workers, collate_fn=cropped, multiprocessing_context=context
    )
    model = Net()
    bare = torch.cat([model(batch) for batch in loader])
    with shapewatch.watch(model) as session:
        seen = torch.cat([model(batch) for batch in loader])
    assert torch.equal(bare, seen) and session.report.ok


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("fails, code", [(False, "SW902"), (True, "SW201 SW202")])
def test_what_a_loader_fails_with_is_explained(workers: int, fails: bool, code: str) -> None:
    model, context = Net(), SPAWNED if workers else None

    def run() -> None:
        for batch in DataLoader(Ragged(fails), batch_size=2, num_workers=workers, multiprocessing_context=context):
            model(batch)

    bare = failure(run)
    bare.__traceback__ = None  # its frames keep the loader alive, and collected late it waits for its workers in vain
    session, error = watched(run)
    assert type(error) is type(bare) and len(our_notes(error)) == 1
    assert session.report.diagnoses[0].code in code.split()
    error.__traceback__ = None


# Ends of the program


@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("where", ["layer", "hook", "block", "thread"])
def test_an_end_of_the_program_passes_through(ends: type[BaseException], where: str) -> None:
    model, thrown = Net(), ends(5)

    def end(*_: Any) -> None:
        raise thrown

    if where == "hook":
        model.stem.register_forward_pre_hook(end)
    elif where == "layer":
        model.stem.forward = end  # type: ignore[method-assign, assignment]
    with pytest.raises(ends) as caught, shapewatch.watch(model):
        if where == "thread":
            with ThreadPoolExecutor(1) as pool:
                pool.submit(end).result()
        model(image())
        end()
    assert caught.value is thrown and not hasattr(thrown, "__notes__")
    assert frames(caught.value)  # type: ignore[arg-type]
    assert _get_current_function_mode_stack() == []


def test_an_interrupt_by_a_signal() -> None:
    model = Net()

    class Interrupted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1_000_000):
                pass
            return x

    model.block.conv1 = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt), shapewatch.watch(model):
        model(image())
    assert _get_current_function_mode_stack() == []


# Copies


class Saved(nn.Module):
    """Is copied and pickled by its own forward."""

    copies: ClassVar[list[nn.Module]] = []

    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, x: Tensor) -> Tensor:
        self.copies += [copy.deepcopy(self), pickle.loads(pickle.dumps(self))]
        return self.net(x)


Saved = shapewatch.watch(Saved)  # type: ignore[misc]


def test_a_decorated_model_is_copied_and_saved_before_during_and_after() -> None:
    model, x = Saved(), image()
    before = copy.deepcopy(model)
    y = model(x)
    copies = [before, *Saved.copies, copy.deepcopy(model)]
    assert all(type(each) is Saved and torch.equal(each(x), y) for each in copies)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    assert b"shapewatch" not in file.getvalue() and b"shapewatch" not in pickle.dumps(model)


def test_a_session_is_not_carried_by_what_it_watches() -> None:
    model = Net()
    with shapewatch.watch(model) as session:
        model(image())
        twin = copy.deepcopy(model)
        saved = pickle.dumps(model)
    broken = copy.deepcopy(twin)
    broken.block.conv1.stride = (2, 2)
    assert b"shapewatch" not in saved
    assert our_notes(failure(lambda: broken(image()))) == []
    assert sys.getrefcount(session) < 10 and session.report.ok
