"""Programs of several ranks, each a function that every rank runs under a watch, and the stage that starts them.

    python ranks_stage.py FOLDER          # every one; the ranks are forked, so that PyTorch is imported once

What rank 1 of `ragged` printed is in FOLDER/ragged/rank-1.txt, its exit status in FOLDER/ragged/rank-1.status.
"""

from __future__ import annotations

import datetime
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import shapewatch

SECONDS = 60
"""After which a rank that hangs is ended."""

Program = Callable[[int], None]

RANKS: dict[str, int] = {}
PROGRAMS: dict[str, Program] = {}
WAITS: dict[str, int] = {}
HANGS: dict[str, float] = {}


def program(ranks: int, waits: int = SECONDS, hang: float = 30) -> Callable[[Program], Program]:
    """`waits`: seconds that a collective waits before it fails; `hang`: after how many a hang is looked into."""

    def add(function: Program) -> Program:
        RANKS[function.__name__], PROGRAMS[function.__name__] = ranks, function
        WAITS[function.__name__], HANGS[function.__name__] = waits, hang
        return function

    return add


class Net(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4)
        self.fc2 = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(torch.relu(self.fc1(x)))


def gathered(values: torch.Tensor) -> torch.Tensor:
    shares = [torch.empty_like(values) for _ in range(dist.get_world_size())]
    dist.all_gather(shares, values)
    return torch.cat(shares)


# Where ranks part


@program(2)
def ragged(rank: int) -> None:
    net = Net()
    with shapewatch.watch():
        for batch in ([4, 4, 4], [4, 4, 2])[rank]:
            gathered(net(torch.ones(batch, 3)))


@program(2)
def models(rank: int) -> None:
    with shapewatch.watch():
        DistributedDataParallel(Net(3 + rank))


@program(2)
def one(rank: int) -> None:
    net = Net()
    with shapewatch.watch():
        dist.all_reduce(net(torch.ones(2, 3 + rank)).detach())


@program(4)
def alike(_rank: int) -> None:
    with shapewatch.watch():
        Net()(torch.ones(2, 5))


@program(2)
def uneven(rank: int) -> None:
    with shapewatch.watch():
        wrapped = DistributedDataParallel(Net())
        for _ in range(3 - rank):
            wrapped(torch.ones(2, 3)).sum().backward()


@program(2, waits=2)
def operations(rank: int) -> None:
    with shapewatch.watch():
        Net()(torch.ones(2, 3))
        if rank == 0:
            dist.all_reduce(torch.ones(3))
        else:
            dist.barrier()


@program(2, waits=2)
def gradients(rank: int) -> None:
    """One rank exchanges gradients, which no function of Python's does, where the other one reduces a loss."""
    with shapewatch.watch():
        loss = DistributedDataParallel(Net())(torch.ones(2, 3)).sum()
        if rank == 0:
            loss.backward()
        else:
            dist.all_reduce(loss.detach())


@program(2, waits=6, hang=1)
def hang(rank: int) -> None:
    with shapewatch.watch():
        for _ in range(3 - rank):
            dist.all_reduce(torch.ones(3))
    if rank == 1:
        time.sleep(5)


@program(2, hang=1)
def late(rank: int) -> None:
    """It looks like a hang, as one rank has left; but it takes part unwatched."""
    with shapewatch.watch() as session:
        dist.all_reduce(torch.ones(3))
        if rank == 0:
            dist.all_reduce(torch.ones(3))
    if rank == 1:
        time.sleep(4)
        dist.all_reduce(torch.ones(3))
    print("diagnoses", session.report.diagnoses)


@program(2)
def decorated(_rank: int) -> None:
    shapewatch.watch(Net)(5)(torch.ones(2, 3))


@program(2)
def survived(rank: int) -> None:
    """An error that both ranks get over, and one of rank 1 alone, at the same line."""
    net = Net()
    for width in ((5, 3), (5, 4))[rank]:
        try:
            with shapewatch.watch():
                net(torch.ones(2, width))
        except RuntimeError as error:
            print("note", "\n".join(error.__notes__))
        time.sleep(0.3)
        dist.barrier()


@program(4, waits=4, hang=1)
def grid(rank: int) -> None:
    """Two ranks begin with their row of a mesh, two with their column."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("row", "column"))
    for name in ("row", "column"):
        mesh.get_group(name)._get_backend(torch.device("cpu"))._set_default_timeout(datetime.timedelta(seconds=4))
    with shapewatch.watch():
        for name in ("row", "column") if rank in (0, 3) else ("column", "row"):
            dist.all_reduce(torch.ones(3), group=mesh.get_group(name))


@program(2, waits=4, hang=1)
def exchange(rank: int) -> None:
    """Both ends receive first."""
    with shapewatch.watch():
        dist.recv(torch.ones(2, 3), 1 - rank)
        dist.send(torch.ones(2, 3), 1 - rank)


@program(2)
def message(rank: int) -> None:
    """The second one is received into too little, which ends the process under gloo."""
    with shapewatch.watch():
        for size in (2, 4):
            if rank == 0:
                dist.send(torch.ones(size, 3), 1)
            else:
                dist.recv(torch.ones(2, 3), 0)


@program(2)
def more_messages(rank: int) -> None:
    with shapewatch.watch():
        for _ in range(2 + rank):
            if rank == 0:
                dist.send(torch.ones(2, 3), 1)
            else:
                dist.recv(torch.ones(2, 3), 0)


@program(2)
def shares(rank: int) -> None:
    """An all_to_all of which one rank takes more than the other one gives: some of what it gets is of nobody."""
    take = [2 + rank, 2]
    with shapewatch.watch() as session:
        dist.all_to_all_single(torch.empty(sum(take), 3), torch.ones(4, 3), take, [2, 2])
    print("diagnoses", [each.code for each in session.report.diagnoses])


@program(2)
def objects(rank: int) -> None:
    with shapewatch.watch():
        dist.broadcast_object_list([None] * (2 - rank), 0)


@program(4)
def differently(rank: int) -> None:
    net = Net()
    with shapewatch.watch():
        if rank == 1:
            net(torch.ones(2, 5))
        elif rank == 2:
            net(torch.ones(2, 3)).view(3, 3)
        else:
            dist.all_reduce(net(torch.ones(2, 3)).detach())


class EitherWay(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, x: torch.Tensor, first: bool) -> torch.Tensor:
        return self.fc1(x) if first else self.fc2(x)


@program(2)
def unused(rank: int) -> None:
    """An error of PyTorch's that is none of shapes: each rank leaves some parameters out."""
    with shapewatch.watch():
        net = DistributedDataParallel(EitherWay())
        for _ in range(2):
            net(torch.ones(2, 3), rank == 0).sum().backward()


def sharded(wide: int = 0) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(Adds(), Adds(wide), nn.Linear(4, 2))
    for layer in (*net[:2], net):
        fully_shard(layer, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
    return net


class Adds(nn.Module):
    def __init__(self, wide: int = 0) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 4), nn.Linear(4, 4 + wide)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.fc2(torch.relu(self.fc1(x)))


@program(2)
def sharded_one(rank: int) -> None:
    """A batch of another width on one rank, while the other one gathers weights."""
    net = sharded()
    with shapewatch.watch():
        for step in range(3):
            net(torch.ones(2, 4 + rank * (step == 2))).sum().backward()


@program(2)
def sharded_wrong(_rank: int) -> None:
    net = sharded(wide=2)
    with shapewatch.watch(net):
        net(torch.ones(2, 4))


# Where all is well


@program(2, hang=1)
def slow(rank: int) -> None:
    """A rank that only takes its time."""
    with shapewatch.watch() as session:
        if rank == 1:
            time.sleep(3)
        dist.all_reduce(torch.ones(3))
    print("diagnoses", session.report.diagnoses)


@program(3)
def healthy(rank: int) -> None:
    bare = everything(rank)
    threads = threading.active_count()
    with shapewatch.watch() as session:
        watched = everything(rank)
    print("equal", all(torch.equal(one, other) for one, other in zip(bare, watched, strict=True)))
    print("diagnoses", session.report.diagnoses)
    print("threads", threading.active_count() - threads)
    print("methods", vars(dist.ProcessGroup)["allreduce"].__class__.__name__)


def everything(rank: int) -> list[torch.Tensor]:
    """Every way of taking part that is right, also where ranks bring other shapes."""
    size = dist.get_world_size()
    torch.manual_seed(0)
    x = torch.ones(4) * rank
    dist.broadcast(x, 0)
    dist.reduce(x, 1)
    dist.monitored_barrier()
    dist.gather(x, [torch.empty(4) for _ in range(size)] if rank == 0 else None, 0)
    dist.scatter(torch.empty(2), [torch.ones(2)] * size if rank == 1 else None, 1)
    dist.all_reduce(x, async_op=True).wait()
    dist.all_reduce(torch.ones(2, 6) if rank else torch.ones(3, 4))  # as many numbers
    if rank == 0:
        dist.send(torch.ones(3), 1)
    elif rank == 1:
        dist.recv(torch.ones(3), 0)
    take, give = [1] * size, [1] * size
    give[(rank + 1) % size], take[(rank - 1) % size] = 2, 2
    dist.all_to_all_single(torch.empty(sum(take)), torch.ones(sum(give)), take, give)
    objects = [None] * size
    dist.all_gather_object(objects, "x" * rank * 40)
    dist.all_to_all([torch.empty(2) for _ in range(size)], [torch.ones(2) for _ in range(size)])
    told = [None, None] if rank else [1, "x" * 50]
    dist.broadcast_object_list(told, 0)
    pair = dist.new_group([0, 1])
    if rank < 2:
        dist.all_reduce(torch.ones(3), group=pair)
    messages(rank, size)
    dist.barrier()
    for share in (torch.ones(rank + 1, 2), torch.ones(rank + 2, 2)):  # padded to the longest of all
        lengths = gathered(torch.tensor([len(share)]))
        padded = torch.zeros(int(lengths.max()), 2)
        padded[: len(share)] = share
        gathered(padded)
    net = DistributedDataParallel(Net())
    for step in range(3):
        net(torch.ones(2 + rank * (step == 2), 3)).sum().backward()  # a batch may be smaller on one rank
    either = DistributedDataParallel(EitherWay(), find_unused_parameters=True)
    for _ in range(2):
        either(torch.ones(2, 3), rank == 0).sum().backward()
    whole = sharded()
    whole(torch.ones(2 + rank, 4)).sum().backward()
    return [x, *(parameter.grad for parameter in net.parameters() if parameter.grad is not None)]


def messages(rank: int, size: int) -> None:
    """Around the ring at once, of other shapes in turn; to whoever takes them; with tags, in another order."""
    after, before = (rank + 1) % size, (rank - 1) % size
    for length in (2, 3):
        work = dist.batch_isend_irecv(
            [
                dist.P2POp(dist.isend, torch.ones(length + rank), after),
                dist.P2POp(dist.irecv, torch.ones(length + before), before),
            ]
        )
        for each in work:
            each.wait()
    if rank == 0:
        for length in (4, 4):
            dist.recv(torch.ones(length))
        dist.recv(torch.ones(5), 1, tag=5)  # with a tag: before another's four it would be taken for them
    elif rank < 3:
        dist.send(torch.ones(4), 0)
    if rank == 1:
        dist.send(torch.ones(5), 0, tag=5)
        work = [dist.isend(torch.ones(length), 2, tag=length) for length in (2, 3)]
        for each in work:
            each.wait()
    elif rank == 2:
        for length in (3, 2):
            dist.recv(torch.ones(length), 1, tag=length)


# The stage


def main(folder: Path, names: list[str]) -> None:
    warm_up()
    for name in names or PROGRAMS:
        (folder / name).mkdir(parents=True)
        with store() as port:
            waiting = {fork(folder / name, name, rank, port): rank for rank in range(RANKS[name])}
            begins = time.monotonic()
            while waiting:
                process, status = os.wait()
                if process in waiting:
                    rank = waiting.pop(process)
                    code = os.waitstatus_to_exitcode(status)
                    (folder / name / f"rank-{rank}.status").write_text(str(code), encoding="utf-8")
            print(f"{name}: {time.monotonic() - begins:.1f} s", flush=True)


def warm_up() -> None:
    """Import what the ranks will need, once for all of them."""
    import torch._dynamo  # a DistributedDataParallel does

    torch.set_num_threads(1)
    try:
        with shapewatch.watch():
            Net()(torch.ones(2, 5))
    except RuntimeError as error:
        shapewatch.explain(error)


@contextmanager
def store() -> Iterator[int]:
    """The store by which ranks find each other, in a process that none of them takes with it: as torchrun has it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = os.fork()
    if process == 0:
        _served = dist.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False)
        time.sleep(10 * SECONDS)
        os._exit(0)
    try:
        yield port
    finally:
        os.kill(process, signal.SIGKILL)


def fork(folder: Path, name: str, rank: int, port: int) -> int:
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        signal.alarm(SECONDS)
        printed = os.open(folder / f"rank-{rank}.txt", os.O_WRONLY | os.O_CREAT)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        os.environ |= {
            "RANK": str(rank),
            "WORLD_SIZE": str(RANKS[name]),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "SHAPEWATCH_DIR": str(folder / "recordings"),
            "SHAPEWATCH_HANG": str(HANGS[name]),
            "SHAPEWATCH_DEBUG": "1",
        }
        dist.init_process_group("gloo", timeout=datetime.timedelta(seconds=WAITS[name]))
        PROGRAMS[name](rank)
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
