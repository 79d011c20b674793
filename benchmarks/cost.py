"""What watching costs: time and memory, watched against bare.

python -m benchmarks.cost [--quick]

Watched and bare runs take turns in one process, on one thread, and each ratio is the median of the ratios of
neighbours. What is taken is the processor's time, not the clock's, so that a busy machine weighs less; it weighs still,
through its caches. The spread beside a ratio says how far to trust it: half of the ratios lie within.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

import shapewatch
from benchmarks.tables import table
from tests.support.torchvision_ops import declare_operators

DEPTHS = (10, 100, 1000, 3000)


@dataclass(frozen=True)
class Subject:
    """A model with an input, and how many pairs of runs are made."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    pairs: int


def subjects() -> list[Subject]:
    declare_operators()
    from torchvision import models

    return [
        Subject("ResNet-18, 64 px, batch 1", models.resnet18, (1, 3, 64, 64), 25),
        Subject("ResNet-50, 224 px, batch 4", models.resnet50, (4, 3, 224, 224), 5),
        Subject("DenseNet-121, 224 px, batch 1", models.densenet121, (1, 3, 224, 224), 7),
        Subject("ViT-B/16, 224 px, batch 1", models.vit_b_16, (1, 3, 224, 224), 7),
        Subject("transformer of 8 layers, 64 tokens, batch 4", transformer, (4, 64, 256), 15),
    ]


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(256, 8, 512, batch_first=True)
    return nn.TransformerEncoder(layer, 8, enable_nested_tensor=False)


# Time


def seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


@dataclass(frozen=True)
class Ratios:
    """Of watched against bare runs that were neighbours."""

    bare: float
    """Median seconds."""
    ratios: Sequence[float]

    @property
    def row(self) -> list[str]:
        low, middle, high = statistics.quantiles(self.ratios, n=4)
        return [f"{1000 * self.bare:.1f}", f"{middle:.3f}", f"{low:.3f} to {high:.3f}"]


def compared(bare: Callable[[], object], watched: Callable[[], Sequence[float]], pairs: int) -> list[Ratios]:
    """Both in turn, after one of each that is not counted; which comes first takes turns too.

    `watched` gives the seconds of one thing or of several that it did, each to be compared with `bare`.
    """
    bare(), watched()
    alone, beside = [], []
    for pair in range(pairs):
        if pair % 2:
            beside.append(watched())
            alone.append(seconds(bare))
        else:
            alone.append(seconds(bare))
            beside.append(watched())
    median = statistics.median(alone)
    return [
        Ratios(median, [took / plain for took, plain in zip(each, alone, strict=True)])
        for each in zip(*beside, strict=True)
    ]


def passes(subject: Subject) -> Iterator[list[str]]:
    """One pass that is recorded, without and with the report that the end of the block makes."""
    model, x = subject.build().train(), torch.randn(subject.shape)

    def watched() -> tuple[float, float]:
        started = time.process_time()
        with shapewatch.watch(model):
            recorded = seconds(lambda: model(x))
        return recorded, time.process_time() - started

    with torch.no_grad():
        recorded, whole = compared(lambda: model(x), watched, subject.pairs)
    yield [subject.name, "a pass, recorded", *recorded.row]
    yield [subject.name, "with the report", *whole.row]


def training(subject: Subject, quick: bool) -> Iterator[list[str]]:
    """Steps of training: one that is recorded; a block around many; a decorated class over many."""
    cls = type("Watched", (nn.Module,), {"__init__": _holds, "forward": _through})
    plain: nn.Module = cls(subject.build())
    decorated: nn.Module = shapewatch.watch(type("Decorated", (cls,), {}))(subject.build())
    x, classes = torch.randn(subject.shape), torch.zeros(subject.shape[0], dtype=torch.long)

    def steps(model: nn.Module, count: int) -> Callable[[], None]:
        optimizer = torch.optim.SGD(model.parameters(), 0.001, momentum=0.9)

        def run() -> None:
            for _ in range(count):
                optimizer.zero_grad()
                functional.cross_entropy(model(x), classes).backward()
                optimizer.step()

        return run

    def inside(run: Callable[[], None]) -> Callable[[], list[float]]:
        def block() -> None:
            with shapewatch.watch(plain):
                run()

        return lambda: [seconds(block)]

    count = 10 if quick else 100
    one, many, looked = steps(plain, 1), steps(plain, count), steps(decorated, 1)
    name = f"training, {subject.name}"
    (ratios,) = compared(one, inside(one), 15)
    yield [name, "one step, with the report", *ratios.row]
    (ratios,) = compared(many, inside(many), 3)
    yield [name, f"{count} steps in one block", *ratios.row]
    (ratios,) = compared(one, lambda: [seconds(looked)], count)
    yield [name, "a step, decorated", *ratios.row]


def _holds(self: Any, inner: nn.Module) -> None:
    nn.Module.__init__(self)
    self.inner = inner


def _through(self: Any, x: torch.Tensor) -> Any:
    return self.inner(x)


# Memory


def memory(subject: Subject) -> list[str]:
    """What Python allocates at most in one watched block, what a kept session holds, and tensors that live on."""
    model, x = subject.build().train(), torch.randn(subject.shape)

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
    calls = len(session.report.calls)
    more = live_tensors() - tensors
    return [subject.name, str(calls), f"{(peak - before) / 1e6:.2f}", f"{(kept - before) / 1e6:.2f}", str(more)]


def live_tensors() -> int:
    return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())


# Growth


def growth(depth: int) -> list[str]:
    """A chain of small layers: microseconds a layer, of a bare pass, of a recorded one and of the whole block."""
    model, x = nn.Sequential(*[nn.Linear(8, 8) for _ in range(depth)]), torch.zeros(2, 8)
    bare, recorded, whole = [], [], []
    for _ in range(5):
        bare.append(seconds(lambda: model(x)))
        started = time.process_time()
        with shapewatch.watch(model):
            recorded.append(seconds(lambda: model(x)))
        whole.append(time.process_time() - started)
    return [str(depth), *(f"{1e6 * statistics.median(each) / depth:.0f}" for each in (bare, recorded, whole))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer models and steps")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    everything = subjects()
    chosen = everything[:1] if quick else everything
    load = os.getloadavg()[0]
    print(f"torch {torch.__version__}, 1 thread, {os.cpu_count()} cores, load {load:.1f}\n")
    rows = [row for subject in chosen for row in passes(subject)]
    rows += training(everything[0], quick)
    print(table(["model", "watched", "bare, ms", "ratio", "half within"], rows), "\n")
    rows = [memory(subject) for subject in chosen]
    print(table(["model", "calls", "peak, MB", "retained, MB", "tensors alive"], rows), "\n")
    rows = [growth(depth) for depth in (DEPTHS[:2] if quick else DEPTHS)]
    print(table(["layers", "bare, µs a layer", "recorded", "with the report"], rows), "\n")
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
