"""Listening to `torch.distributed`: every function of it, whoever calls it, ends in a method of `ProcessGroup`.

The functions themselves are imported by name into programs, so they cannot be replaced where they are called. What the
reducer of `DistributedDataParallel` does, it does without Python: of it only its beginning is heard, and that the group
has had more operations.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cache
from types import CodeType
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

UNEVEN = ("send", "recv", "recv_anysource", "monitored_barrier")
"""They count as operations of the group on some ranks only, or on one more often than on another."""

WRAPPER = "DistributedDataParallel"

Raw = tuple[str, str, int, int, int, tuple[Any, ...], tuple[str, ...], tuple[CodeType, int] | None, bool]


class Hearing:
    """See `shapewatch.adapters.collectives.Hearing`."""

    def __init__(
        self, joined: Callable[[Company], None], changes: Callable[[Collective, tuple[int, ...]], None]
    ) -> None:
        self._joined = joined
        self._changes = changes
        self._recent: deque[Raw] = deque(maxlen=KEPT)
        self._seen: set[Any] = set()
        self._since: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._uneven: dict[str, int] = {}
        self._begun: Begun | None = None
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
                self._hears(name, group, given, (), equal)
                return original(group, *args, **kwargs)

            return collective
        return self._wraps if method == "__init__" else self._counts_unevenly

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
            self._hears(WRAPPER, group, [parameter for _, parameter in named], labels, True)
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

    def _hears(self, name: str, group: Any, brought: Any, labels: tuple[str, ...], equal: bool) -> None:
        number = self._number(group)
        if number is None or group.size() < 2:
            return
        tensors: list[torch.Tensor] = []
        tensors_in(brought, tensors)
        with torch._C.DisableTorchFunction():
            specs = tuple([raw_spec(tensor) for tensor in tensors])
        line = calling_line(sys._getframe(2))
        where = group.group_name
        heard = self._heard.get(where, 0)
        raw = (name, where, number, self._since[where], heard, specs, labels, line, equal)
        self._recent.append(raw)
        self._heard[where] = heard + 1
        if not equal:
            return
        told = (name, where, line, specs)
        if told not in self._seen and len(self._seen) < 1000:
            self._seen.add(told)
            self._changes(_collective(raw), _members(group))

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
        return tuple(map(_collective, list(self._recent)))

    def begun(self) -> Begun | None:
        world = distributed.group.WORLD if distributed.is_initialized() else None
        number = self._number(world) if world is not None else None
        if world is not None and number is not None:
            where = world.group_name
            self._begun = Begun(where, self._since[where], number, self._heard.get(where, 0))
        return self._begun


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
    return [*heard, _NamedTap(DistributedDataParallel, "__init__")]


def _operations(group: Any) -> int | None:
    try:
        return int(group._get_sequence_number_for_group())
    except RuntimeError:  # a backend that does not count
        return None


def _members(group: Any) -> tuple[int, ...]:
    return tuple(distributed.get_process_group_ranks(group))


def _collective(raw: Raw) -> Collective:
    name, group, number, since, heard, specs, labels, line, equal = raw
    span = span_at(*line) if line is not None else None
    return Collective(name, group, number, since, heard, tuple(map(describe_raw, specs)), labels, span, equal)


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
