"""Listening to `torch.distributed`: every function of it, whoever calls it, ends in a method of `ProcessGroup`.

The functions themselves are imported by name into programs, so they cannot be replaced where they are called. What the
reducer of `DistributedDataParallel` does, it does without Python: of it only its beginning is heard, and that the group
has had more operations.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from types import CodeType, FrameType
from typing import Any

import torch
from torch import distributed

from shapewatch.adapters.collectives import Begun, Collective, Company
from shapewatch.adapters.taps import Once, Tap
from shapewatch.adapters.torch.tensors import describe_raw, raw_spec, tensors_in
from shapewatch.firewall import own_fault
from shapewatch.source import calling_line, span_at

KEPT = 16
"""Collectives that a rank remembers."""

STORE_SECONDS = 5
"""How long one question to the store may take: it answers at once, while it is there."""

COLLECTIVES: dict[str, tuple[str, int | None, bool]] = {
    "allreduce": ("all_reduce", 0, True),
    "allreduce_coalesced": ("all_reduce", 0, True),
    "broadcast": ("broadcast", 0, True),
    "reduce": ("reduce", 0, True),
    "allgather": ("all_gather", 1, True),
    "allgather_coalesced": ("all_gather", 1, True),
    "_allgather_base": ("all_gather_into_tensor", 1, True),
    "all_gather_single": ("all_gather_into_tensor", 1, True),
    "allgather_into_tensor_coalesced": ("all_gather_into_tensor", 1, True),
    "all_gather_single_coalesced": ("all_gather_into_tensor", 1, True),
    "gather": ("gather", 1, True),
    "scatter": ("scatter", 0, True),
    "reduce_scatter": ("reduce_scatter", 0, True),
    "_reduce_scatter_base": ("reduce_scatter_tensor", 0, True),
    "reduce_scatter_single": ("reduce_scatter_tensor", 0, True),
    "reduce_scatter_tensor_coalesced": ("reduce_scatter_tensor", 0, True),
    "reduce_scatter_single_coalesced": ("reduce_scatter_tensor", 0, True),
    "alltoall": ("all_to_all", 1, False),
    "alltoall_base": ("all_to_all_single", 1, False),
    "all_to_all_single": ("all_to_all_single", 1, False),
    "barrier": ("barrier", None, True),
}
"""Methods of `ProcessGroup`: the function that users call, the argument that holds what this rank brings (of a scatter:
what it is to get), and whether all have to bring as much. NCCL gathers unequal shapes too, as does no other."""

MESSAGES = ("send", "recv", "recv_anysource")

UNEVEN = (*MESSAGES, "monitored_barrier")
"""They count as operations of the group on some ranks only, or on one more often than on another."""

TO_ALL = ("all_to_all", "all_to_all_single")

WRAPPER = "DistributedDataParallel"

UNKNOWN = -1
"""Where counting began, of what cannot be counted alike on all ranks: it is comparable with nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A collective, with its shapes and its line as they were noted: most often nobody asks for them."""

    call: Collective
    specs: tuple[Any, ...]
    line: tuple[CodeType, int] | None

    def told(self) -> Collective:
        span = span_at(*self.line) if self.line is not None else None
        return replace(self.call, specs=tuple(map(describe_raw, self.specs)), span=span)


class Hearing:
    """See `shapewatch.adapters.collectives.Hearing`."""

    def __init__(
        self, joined: Callable[[Company], None], changes: Callable[[Collective, tuple[int, ...]], None]
    ) -> None:
        self._joined = joined
        self._changes = changes
        self._recent: deque[Heard] = deque(maxlen=KEPT)
        self._seen: set[Any] = set()
        self._since: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._ranks: dict[str, tuple[int, ...]] = {}
        self._uneven: dict[str, int] = {}
        self._from_any: set[str] = set()
        """Groups in which something was received from whoever sent first."""
        self._begun: Begun | None = None
        self._works: weakref.WeakKeyDictionary[Any, Heard] = weakref.WeakKeyDictionary()
        self._waits: dict[int, Heard] = {}
        """By thread, what it waits for."""
        self._stack = ExitStack()
        self._joined_already = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A program that is alone pays for one tap: the others are set when processes have found each other."""
        with ExitStack() as self._stack:
            if distributed.is_available():
                _found_each_other().listen(self._finds_others, self._stack)
                if distributed.is_initialized():
                    self._join()
            yield

    def _listener(self, method: str) -> Callable[..., Any]:
        if method in COLLECTIVES:
            name, brought, equal = COLLECTIVES[method]

            def collective(original: Once, group: Any, *args: Any, **kwargs: Any) -> Any:
                given = args[brought] if brought is not None and brought < len(args) else ()
                shares = _shares(args, group.size()) if name in TO_ALL else ((), ())
                heard = self._hears(name, group, given, (), equal, shares)
                return self._began(original(group, *args, **kwargs), heard)

            return collective
        if method in MESSAGES:

            def message(original: Once, group: Any, *args: Any, **kwargs: Any) -> Any:
                heard = self._hears_message(method, group, *args)
                return self._began(self._counts_unevenly(original, group, *args, **kwargs), heard)

            return message
        others: dict[str, Callable[..., Any]] = {"__init__": self._wraps, "wait": self._awaits}
        return others.get(method, self._counts_unevenly)

    def _finds_others(self, original: Once, group: Any) -> Any:
        result = original(group)
        if group is not None:
            self._join()
        return result

    def _wraps(self, original: Once, wrapper: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        group = kwargs.get("process_group") or distributed.group.WORLD
        if group is not None:
            named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
            labels = tuple(name for name, _ in named)
            self._hears(WRAPPER, group, [parameter for _, parameter in named], labels)
        return original(wrapper, module, *args, **kwargs)

    def _counts_unevenly(self, original: Once, group: Any, *args: Any, **kwargs: Any) -> Any:
        before = _operations(group)
        result = original(group, *args, **kwargs)
        after = _operations(group)
        if before is not None and after is not None:
            name = group.group_name
            self._uneven[name] = self._uneven.get(name, 0) + after - before
        return result

    def _join(self) -> None:
        try:
            company = _company()
            if company is not None and not self._joined_already:
                self._joined_already = True
                self.begun()
                for tap in _taps():
                    tap.listen(self._listener(tap.name), self._stack)
                self._joined(company)
        except Exception as fault:
            own_fault(fault)

    def _hears(
        self,
        name: str,
        group: Any,
        brought: Any,
        labels: tuple[str, ...] = (),
        equal: bool = True,
        shares: tuple[tuple[int, ...], tuple[int, ...]] = ((), ()),
    ) -> Heard | None:
        number = self._number(group)
        if number is None or group.size() < 2:
            return None
        where = group.group_name
        self._now[where] = number + 1
        ranks = self._members(group)
        some = ranks if len(ranks) < distributed.get_world_size() else ()
        count = self._heard.get(where, 0)
        gives, takes = shares
        call = Collective(
            name, where, number, self._since[where], count, (), labels, None, equal, "", some, gives, takes
        )
        return self._notes(call, ranks, brought, equal or bool(gives))

    def _hears_message(
        self, method: str, group: Any, tensors: Any = (), peer: Any = None, tag: Any = 0
    ) -> Heard | None:
        """One end of a message. The messages of one sender to one receiver are counted apart, by both alike."""
        world = self.begun()
        if method == "recv_anysource":  # which sender this takes a message of, the other end does not know either
            self._from_any.add(group.group_name)
        if world is None or method == "recv_anysource" or not isinstance(peer, int) or not isinstance(tag, int):
            return None
        ranks = self._members(group)
        ends = (distributed.get_rank(), ranks[peer])
        sender, receiver = ends if method == "send" else ends[::-1]
        where = f"{group.group_name}/{sender}>{receiver}/{tag}"
        since = UNKNOWN if method == "recv" and group.group_name in self._from_any else world.since
        self._since[where] = since
        number = self._heard.get(where, 0)
        self._now[where] = number + 1
        call = Collective(method, where, number, since, number, ranks=(sender, receiver))
        return self._notes(call, call.ranks, tensors, since != UNKNOWN)

    def _notes(self, call: Collective, ranks: tuple[int, ...], brought: Any, compared: bool) -> Heard:
        tensors: list[torch.Tensor] = []
        tensors_in(brought, tensors)
        with torch._C.DisableTorchFunction():
            specs = tuple([raw_spec(tensor) for tensor in tensors])
        frame = sys._getframe(3)
        called = _called(frame)
        if called and called != call.name:
            call = replace(call, called=called)
        heard = Heard(call, specs, calling_line(frame))
        self._recent.append(heard)
        self._heard[call.group] = call.heard + 1
        self._waits.pop(threading.get_ident(), None)
        told = (call.name, call.group, heard.line, specs, call.gives, call.takes)
        if compared and told not in self._seen and len(self._seen) < 1000:
            self._seen.add(told)
            self._changes(heard.told(), ranks)
        return heard

    def _began(self, work: Any, heard: Heard | None) -> Any:
        if heard is not None and work is not None:
            self._works[work] = heard
        return work

    def _awaits(self, original: Once, work: Any, *args: Any, **kwargs: Any) -> Any:
        thread, heard = threading.get_ident(), self._works.get(work)
        if heard is not None:
            self._waits[thread] = heard
        result = original(work, *args, **kwargs)
        self._waits.pop(thread, None)
        return result

    def _members(self, group: Any) -> tuple[int, ...]:
        name = group.group_name
        if name not in self._ranks:
            self._ranks[name] = tuple(distributed.get_process_group_ranks(group))
        return self._ranks[name]

    def _number(self, group: Any) -> int | None:
        """How many operations the group has had, without those that not all of its ranks count alike."""
        count = _operations(group)
        if count is None:
            return None
        name = group.group_name
        number = count - self._uneven.get(name, 0)
        self._since.setdefault(name, number)
        return number

    def recent(self) -> tuple[Collective, ...]:
        return tuple(heard.told() for heard in list(self._recent))

    def begun(self) -> Begun | None:
        world = distributed.group.WORLD if distributed.is_initialized() else None
        number = self._number(world) if world is not None else None
        if world is not None and number is not None:
            where = world.group_name
            self._begun = Begun(where, self._since[where], number, self._heard.get(where, 0))
        return self._begun

    def others(self) -> tuple[Begun, ...]:
        world = self._begun.group if self._begun is not None else ""
        counts = dict(self._heard)
        return tuple(
            Begun(where, self._since[where], self._now[where], count)
            for where, count in counts.items()
            if where != world
        )

    def waits(self, thread: int) -> Collective | None:
        heard = self._waits.get(thread)
        return heard.told() if heard is not None else None


class _NamedTap(Tap):
    def __init__(self, owner: Any, name: str) -> None:
        super().__init__(owner, name)
        self.name = name


@cache
def _found_each_other() -> Tap:
    """Where a group of all ranks is set, by `init_process_group` and by what replaces it."""
    from torch.distributed import distributed_c10d

    return Tap(distributed_c10d, "_update_default_pg")


@cache
def _taps() -> list[_NamedTap]:
    from torch.nn.parallel import DistributedDataParallel

    group = distributed.ProcessGroup
    heard = [_NamedTap(group, name) for name in (*COLLECTIVES, *UNEVEN) if hasattr(group, name)]
    return [*heard, _NamedTap(distributed.Work, "wait"), _NamedTap(DistributedDataParallel, "__init__")]


def _operations(group: Any) -> int | None:
    try:
        return int(group._get_sequence_number_for_group())
    except RuntimeError:  # a backend that does not count
        return None


def _shares(args: tuple[Any, ...], ranks: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many numbers an all_to_all gives to each rank of its group and takes from it: `(outputs, inputs)`, or
    `(output, input, output_split_sizes, input_split_sizes)`; none where that cannot be told."""
    taken, given, *splits = args if len(args) > 1 else ((), ())
    if not isinstance(taken, torch.Tensor) or not isinstance(given, torch.Tensor):
        return tuple(map(_count, given)), tuple(map(_count, taken))
    take, give = (list(split) if isinstance(split, tuple | list) else [] for split in (*splits, (), ())[:2])
    return _share(given, give, ranks), _share(taken, take, ranks)


def _share(tensor: torch.Tensor, split: list[int], ranks: int) -> tuple[int, ...]:
    with torch._C.DisableTorchFunction():
        shape = tuple(tensor.shape)
    row = math.prod(shape[1:])
    if split:
        return tuple(length * row for length in split)
    return (shape[0] // ranks * row,) * ranks if shape and shape[0] % ranks == 0 else ()


def _count(tensor: torch.Tensor) -> int:
    with torch._C.DisableTorchFunction():
        return tensor.numel()


def _called(frame: FrameType | None) -> str:
    """The function of `torch.distributed` that was called by somebody else."""
    name = ""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == _FUNCTIONS:
            name = frame.f_code.co_name
        elif not module.startswith(_OURS_AND_TORCHS):
            break
        frame = frame.f_back
    return name


_FUNCTIONS = "torch.distributed.distributed_c10d"
_OURS_AND_TORCHS = ("shapewatch.", "torch.")


def _company() -> Company | None:
    from torch.distributed.distributed_c10d import _get_default_store

    rank, size = distributed.get_rank(), distributed.get_world_size()
    shared = _get_default_store()
    store = _connection(shared) if size > 1 else None
    if store is None:
        return None
    run = "-".join(filter(None, (_run_id(), os.environ.get("MASTER_PORT", ""))))
    return Company(rank, size, store, run or "run")


_connections: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""Of each store ours to it: where all ranks connect at once it takes a third of a second, and not once a watch."""


def _connection(shared: Any) -> Any:
    """A connection of our own to a store, as the program's is locked while somebody waits in it."""
    if shared not in _connections:
        try:
            store = shared.clone()
            store.set_timeout(timedelta(seconds=STORE_SECONDS))
        except (AttributeError, RuntimeError):  # an older torch, or a store that is only pretended
            return None
        _connections[shared] = store
    return _connections[shared]


def _run_id() -> str:
    given = os.environ.get("TORCHELASTIC_RUN_ID", "")
    return "" if given == "none" else "".join(letter if letter.isalnum() else "-" for letter in given)[:60]
