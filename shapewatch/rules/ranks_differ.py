"""The processes of a distributed program bring tensors of different shapes to one operation.

## What it means
`all_reduce`, `all_gather` and the like need the same operation, and as many numbers, on every rank. Where that is not
so, the values of one rank end up in another's, all hang, or gloo ends a process without an exception; so a watched rank
compares with the next one before such an operation, wherever a line brings shapes that it has not brought before.

## Why
The last batch is smaller on one of the ranks, the ranks built different models, a parameter is used on some only, or a
branch that depends on the data or on the rank lets one of them do something else.

## Bad
    import contextlib, tempfile, torch.distributed as dist
    dist.init_process_group("gloo", init_method="file://" + tempfile.mktemp(), rank=0, world_size=1)
    ending = contextlib.ExitStack(); ending.callback(dist.destroy_process_group)
    with ending: dist.all_gather([torch.ones(3)], torch.ones(4))

## Good
    nn.Linear(3, 2)(torch.ones(4, 3))

## Fixes
Give every rank as many batches of one size (`drop_last=True`, `DistributedSampler`), or wrap the loop in `Join`; pad to
the longest of all ranks before gathering; let every rank run the same modules.
"""

from __future__ import annotations

from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW903", "ranks-differ", frozenset({"other", "same"}))
def check(case: Case) -> Finding | None:
    if case.call.finished or not case.shapes or any(None in shape for shape in case.shapes):
        return None
    if not case.tells("ranks"):
        return None
    here = listed(list(dict.fromkeys(text(shape) for shape in case.shapes)))
    return Finding(
        headline=f"{case.name}: the ranks do not bring equal shapes; on this one {here}",
        explanation="Every rank has to bring tensors of the same shapes, and to have room for those of the others. "
        "Compare the shape before this line on all ranks.",
    )
