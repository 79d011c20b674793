"""What `cost.py` tells of memory, of the time to a diagnosis, and of growth with layers and with passes."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

import shapewatch
from benchmarks.cost_ways import seconds, unspoken
from benchmarks.tables import table

DEPTHS = (10, 100, 1000, 10_000)
PASSES = (1, 10, 100, 1000, 10_000)


# Memory


def memory_table(models: Sequence[tuple[str, Callable[[], nn.Module], Callable[[], torch.Tensor]]]) -> str:
    header = ["model", "calls", "peak, MB", "retained, MB", "tensors alive"]
    return table(header, [[name, *_memory(build, given)] for name, build, given in models])


def _memory(build: Callable[[], nn.Module], given: Callable[[], torch.Tensor]) -> list[str]:
    """What Python allocates at most in one watched block, what a kept session holds, and tensors that live on."""
    model, x = build().train(), given()

    def block() -> Any:
        with torch.no_grad(), shapewatch.watch(model) as session:
            model(x)
        return session

    block()  # what is remembered for good: source lines, kinds of layers
    gc.collect()
    tensors = live_tensors()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    session = block()
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    more = live_tensors() - tensors
    return [
        str(len(session.report.calls)),
        f"{(peak - before) / 1e6:.2f}",
        f"{(kept - before) / 1e6:.2f}",
        str(more),
    ]


def live_tensors() -> int:
    return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())


# The time to a diagnosis


def diagnosis_table(rounds: int) -> str:
    """From the exception to what is told of it, by the clock: a ResNet-18 whose layer2.0.conv1 lost its stride."""
    from torchvision import models

    model, x = models.resnet18().eval(), torch.randn(1, 3, 64, 64)
    model.layer2[0].conv1.stride = (1, 1)
    rows = []
    for name, tell in (("shapewatch: watch", _watched), ("tensor-sensor: clarify", _clarified)):
        try:
            with unspoken():
                told = [tell(model, x) for _ in range(rounds + 1)]
        except Exception as error:
            rows.append([name, "", "", f"does not run: {type(error).__name__}"])
            continue
        first, *later = [took for took, _ in told]
        rows.append([name, f"{1000 * first:.0f}", f"{1000 * statistics.median(later):.0f}", told[-1][1]])
    return table(["who tells", "the first, ms", "later ones, ms", "what is told"], rows)


def _failing(model: nn.Module, x: torch.Tensor, failed: list[float]) -> None:
    try:
        model(x)
    except RuntimeError:
        failed.append(time.perf_counter())
        raise


def _watched(model: nn.Module, x: torch.Tensor) -> tuple[float, str]:
    failed: list[float] = []
    try:
        with torch.no_grad(), shapewatch.watch(model) as session:
            _failing(model, x, failed)
    except RuntimeError:
        took = time.perf_counter() - failed[0]
    first = session.report.diagnoses[0]
    fix = first.fixes[0].title if first.fixes else "no fix"
    return took, f"{first.code}, cause {first.cause.layer if first.cause else 'unknown'}: {fix}"


def _clarified(model: nn.Module, x: torch.Tensor) -> tuple[float, str]:
    import tsensor

    failed: list[float] = []
    try:
        with torch.no_grad(), tsensor.clarify(show=None):
            _failing(model, x, failed)
    except RuntimeError as error:
        took = time.perf_counter() - failed[0]
        told = str(error).strip().splitlines()[-1]
    return took, told


# Growth


def depth_table(quick: bool) -> str:
    """A chain of small layers: microseconds and bytes a layer."""
    depths = DEPTHS[:3] if quick else DEPTHS
    header = ["layers", "bare, µs a layer", "recorded", "with the report", "retained, bytes a layer"]
    return table(header, [_of_depth(depth) for depth in depths])


def _of_depth(depth: int) -> list[str]:
    model, x = nn.Sequential(*[nn.Linear(8, 8) for _ in range(depth)]), torch.zeros(2, 8)
    bare, recorded, whole = [], [], []
    for _ in range(9 if depth <= 100 else 3):
        bare.append(seconds(lambda: model(x)))
        started = time.process_time()
        with shapewatch.watch(model):
            recorded.append(seconds(lambda: model(x)))
        whole.append(time.process_time() - started)
    gc.collect()
    tracemalloc.start()
    with shapewatch.watch(model) as session:
        model(x)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert session.report.calls
    times = [f"{1e6 * statistics.median(each) / depth:.0f}" for each in (bare, recorded, whole)]
    return [str(depth), *times, f"{kept / depth:.0f}"]


def passes_table(quick: bool) -> str:
    """Many passes in one block, of one signature and of ever new ones."""
    counts = PASSES[:4] if quick else PASSES
    header = ["passes in one block", "inputs", "calls recorded", "peak, MB", "bare, µs a pass", "watched"]
    rows = [_of_passes(count, lengths) for lengths in (1, 10_000) for count in counts]
    return table(header, rows)


def _of_passes(count: int, lengths: int) -> list[str]:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    inputs = [torch.zeros(1 + number, 8) for number in range(min(lengths, count))]

    def run() -> None:
        with torch.no_grad():
            for number in range(count):
                model(inputs[number % len(inputs)])

    run()
    bare = seconds(run)

    def block() -> Any:
        with shapewatch.watch(model) as session:
            run()
        return session

    took = seconds(block)
    tracemalloc.start()
    session = block()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    calls = len(session.report.calls)
    each = [f"{1e6 * whole / count:.0f}" for whole in (bare, took)]
    return [str(count), "alike" if lengths == 1 else "all different", str(calls), f"{peak / 1e6:.2f}", *each]
