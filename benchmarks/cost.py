"""What watching costs, in time and in memory: shapewatch, the others, and bare passes beside them.

python -m benchmarks.cost [--held-out] [--quick] [--only NAME …]

Each run is neighbour to a bare one in the same process, on one thread; the ways take turns, and a ratio is the median
of the ratios of neighbours. What is taken is the processor's time, not the clock's, so that a busy machine weighs less;
it weighs still, through its caches. The spread beside a ratio says how far to trust it: half of the ratios lie within.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

import shapewatch
from benchmarks.cost_growth import depth_table, diagnosis_table, memory_table, passes_table
from benchmarks.cost_held_out import Loop, Subject, held_out, images, loops
from benchmarks.cost_ways import FLOOR, OURS, PEERS, Pass, Through, Way, made_ready, seconds, unspoken, versions
from benchmarks.tables import table
from tests.support.torchvision_ops import declare_operators

SLOW = 5.0
"""A way that takes that many times the bare pass is run less often: its ratio is not in doubt."""


def subjects() -> list[Subject]:
    declare_operators()
    from torchvision import models

    return [
        Subject("ResNet-18, 64 px, batch 1", models.resnet18, images(1, 64), 41),
        Subject("ResNet-50, 224 px, batch 4", models.resnet50, images(4, 224), 9),
        Subject("DenseNet-121, 224 px, batch 4", models.densenet121, images(4, 224), 9),
        Subject("DenseNet-121, 224 px, batch 1", models.densenet121, images(1, 224), 15),
        Subject("ViT-B/16, 224 px, batch 4", models.vit_b_16, images(4, 224), 5),
        Subject("ViT-B/16, 224 px, batch 1", models.vit_b_16, images(1, 224), 9),
        Subject("transformer of 8 layers, 64 tokens, batch 4", transformer, lambda: torch.randn(4, 64, 256), 25),
    ]


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(256, 8, 512, batch_first=True)
    return nn.TransformerEncoder(layer, 8, enable_nested_tensor=False)


# Time


def row(bare: Sequence[float], ratios: Sequence[float]) -> list[str]:
    """The bare run's milliseconds, the ratio, and where half of the ratios lie."""
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return [f"{1000 * statistics.median(bare):.1f}", f"{middle:.3f}", f"{low:.3f} to {high:.3f}"]


def passes(subject: Subject, ways: Sequence[Way]) -> Iterator[list[str]]:
    """Rounds in which each way takes its turn, with a bare pass before or after it."""
    model, x = subject.build().train(), subject.input()
    with torch.no_grad():
        seconds(lambda: model(x))
        usual = statistics.median(seconds(lambda: model(x)) for _ in range(3))
        ready = [(way, *made_ready(way, model, x)) for way in ways]
        runs = {way.name: (run, max(2, subject.rounds // 8)) for way, run, _ in ready if run is not None}
        for name, (run, _) in runs.items():
            with unspoken():
                if run() < SLOW * usual:
                    runs[name] = run, subject.rounds
        bare: dict[str, list[float]] = {name: [] for name in runs}
        took: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(subject.rounds):
            for name, (run, rounds) in runs.items():
                if number < rounds:
                    plain, beside = neighbours(lambda: seconds(lambda: model(x)), run, bare_first=number % 2 == 0)
                    bare[name].append(plain)
                    took[name].append(beside)
    for way, run, first in ready:
        if run is None:
            yield [subject.name, way.name, "", "", str(first)]
        else:
            ratios = [one / other for one, other in zip(took[way.name], bare[way.name], strict=True)]
            yield [subject.name, way.name, *row(bare[way.name], ratios)]


def neighbours(bare: Pass, other: Pass, bare_first: bool) -> tuple[float, float]:
    with unspoken():
        if bare_first:
            plain = bare()
            return plain, other()
        beside = other()
        return bare(), beside


def training(loop: Loop, quick: bool) -> Iterator[list[str]]:
    """Steps of training: one that is recorded; a block around many; a decorated class over many."""
    plain = Through(loop.build())
    decorated: nn.Module = shapewatch.watch(type("Decorated", (Through,), {}))(loop.build())

    def steps(model: nn.Module, count: int) -> Pass:
        step = loop.step(model)

        def run() -> None:
            for _ in range(count):
                step()

        return lambda: seconds(run)

    def inside(run: Pass) -> Pass:
        def block() -> None:
            with shapewatch.watch(plain):
                run()

        return lambda: seconds(block)

    count = 10 if quick else 100
    one, many, looked = steps(plain, 1), steps(plain, count), steps(decorated, 1)
    for name, alone, watched, pairs in (
        ("one step, with the report", one, inside(one), 15),
        (f"{count} steps in one block", many, inside(many), 3 if quick else 5),
        ("a step, decorated", one, looked, count),
    ):
        alone(), watched()
        pair = [neighbours(alone, watched, number % 2 == 0) for number in range(pairs)]
        ratios = [beside / plain for plain, beside in pair]
        yield [f"training, {loop.name}", name, *row([plain for plain, _ in pair], ratios)]


def classified(model: nn.Module) -> Callable[[], object]:
    """A step of training a classifier."""
    x, classes = torch.randn(1, 3, 64, 64), torch.zeros(1, dtype=torch.long)
    optimizer = torch.optim.SGD(model.parameters(), 0.001, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(x), classes).backward()
        optimizer.step()

    return step


HEADER = ["model", "what runs", "bare, ms", "ratio", "half within"]


def show(text: str) -> None:
    print(text, "\n", flush=True)


def on_held_out(quick: bool, only: Sequence[str]) -> None:
    """Passes, memory and loops of what nothing was measured on before."""
    chosen = [each for each in held_out() if not only or each.name.startswith(tuple(only))]
    for subject in chosen:
        show(table(HEADER, list(passes(subject, (FLOOR, *OURS[:3])))))
    show(memory_table([(each.name, each.build, each.input) for each in chosen]))
    for loop in loops():
        if not only or loop.name.startswith(tuple(only)):
            show(table(HEADER, list(training(loop, quick))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer models and rounds: about a minute")
    parser.add_argument("--held-out", action="store_true", help="models and loops that nothing was tuned for")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="models whose names begin so; time alone")
    arguments = parser.parse_args()
    quick = arguments.quick
    torch.set_num_threads(1)
    print(f"{versions()}; 1 thread, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)
    if arguments.held_out:
        on_held_out(quick, arguments.only or ())
        return
    everything = subjects()
    chosen = everything[:1] if quick else everything
    if arguments.only:
        chosen = [each for each in everything if each.name.startswith(tuple(arguments.only))]
    staying = [way for way in (FLOOR, *OURS, *PEERS) if not way.leaves_traces]
    for subject in chosen:
        show(table(HEADER, list(passes(subject, staying))))
    if not arguments.only:
        show(table(HEADER, list(training(Loop(everything[0].name, everything[0].build, classified), quick))))
        show(memory_table([(each.name, each.build, each.input) for each in chosen]))
        show(diagnosis_table(3 if quick else 9))
        show(depth_table(quick))
        show(passes_table(quick))
    rows = [each for subject in chosen for each in passes(subject, [way for way in PEERS if way.leaves_traces])]
    show(table(HEADER, rows))
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
