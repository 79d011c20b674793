"""Whether watching leaves a healthy model alone, and keeps quiet about it, over the whole zoo.

    python -m benchmarks.healthy --models 'timm/*' --jobs 2

Each architecture is built twice with the same weights; one pass runs bare, the other watched, from the same
random state. The outputs must be the same to the last bit, as must the random states and the model's state
afterwards; no hook, mode or attribute may be left; and nothing may be reported as an error or a warning.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import random
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from benchmarks import zoo
from benchmarks.faults import load_shapewatch, own_faults
from benchmarks.tables import table
from benchmarks.workers import Lost, Send, Skipped, by_reason, interrupt_once, run_each

SEED = 7


@dataclass(frozen=True)
class Check:
    """One architecture in one mode. `problems` is empty where watching left no trace and said nothing."""

    architecture: str
    mode: str
    problems: tuple[str, ...]
    bare_seconds: float
    watched_seconds: float

    @property
    def family(self) -> str:
        return self.architecture.split("/")[0]

    @property
    def slowdown(self) -> float:
        return self.watched_seconds / self.bare_seconds


@dataclass
class Pass:
    """What a forward pass gave, and how it left the random states and the model."""

    output: Any
    generators: Mapping[str, bytes]
    seconds: float
    state: Mapping[str, Tensor] = field(default_factory=dict)


def check_one(name: str, send: Send) -> None:
    """Send a `Check` for each mode of the architecture called `name`, or why there is none."""
    torch.set_num_threads(1)
    architecture = zoo.find(name)
    try:
        architecture.built()(*architecture.example())  # the first pass pays for what torch sets up once
    except Exception as error:  # not the watcher's doing: the model does not run here
        send(Skipped(name, str(error) or type(error).__name__))
        return
    for mode in architecture.modes:
        send(checked(architecture, mode))


def checked(architecture: zoo.Architecture, mode: zoo.Mode) -> Check:
    """Compare a bare and a watched pass."""
    import shapewatch

    inputs = architecture.example()
    bare_model = architecture.built(mode)
    bare = run(bare_model, inputs)
    bare.state = state_of(bare_model)
    traces = footprint(bare_model)
    model = architecture.built(mode)
    with warnings.catch_warnings(record=True) as heard, own_faults() as faults:
        warnings.simplefilter("always")
        with shapewatch.watch(model) as session:
            watched = run(model, inputs)
        report = session.report
    after = generators()
    watched.state = state_of(model)
    problems = differences(bare, watched)
    if problems and not same_outputs(bare, run(architecture.built(mode), inputs)):
        problems.append("two bare passes differ as well")
    left = footprint(model)
    problems += [f"left behind: {name}" for name in left if left[name] != traces.get(name)]
    problems += [f"generator {name} moved by the report" for name in moved(watched.generators, after)]
    problems += [f"attributes on an input: {list(vars(each))}" for each in inputs if vars(each)]
    problems += [f"warned: {w.message}" for w in heard if "shapewatch" in w.filename]
    said = [d for d in report.diagnoses if d.severity != "note" and d.code != zoo.TRUE_FAULTS.get(architecture.name)]
    problems += [f"{d.severity} {d.code}: {d.headline}" for d in said]
    problems += [f"a fault of shapewatch: {fault}" for fault in faults]
    if outlives(watched) and not outlives(bare):
        problems.append("an output tensor is kept alive")
    return Check(architecture.name, mode, tuple(problems), bare.seconds, watched.seconds)


def run(model: nn.Module, inputs: tuple[Any, ...]) -> Pass:
    random.seed(SEED)
    numpy.random.seed(SEED)
    torch.manual_seed(SEED)
    started = time.perf_counter()
    output = model(*inputs)
    seconds = time.perf_counter() - started
    return Pass(output, generators(), seconds)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same_outputs(left: Pass, right: Pass) -> bool:
    return same_tensors(tensors_in(left.output), tensors_in(right.output))


def differences(bare: Pass, watched: Pass) -> list[str]:
    """What is not the same in the two passes, a phrase each."""
    found = []
    if type(bare.output) is not type(watched.output):
        found.append(f"output is a {type(watched.output).__name__}, not a {type(bare.output).__name__}")
    if not same_outputs(bare, watched):
        found.append("output differs")
    found += [f"generator {name} differs" for name in moved(bare.generators, watched.generators)]
    if list(bare.state) != list(watched.state):
        found.append("state_dict has other names")
    elif not same_tensors(list(bare.state.values()), list(watched.state.values())):
        found.append("state_dict differs")
    return found + [f"attributes on an output: {list(vars(t))}" for t in tensors_in(watched.output) if vars(t)]


def generators() -> dict[str, bytes]:
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "random": repr(random.getstate()).encode(),
        "numpy": repr(numpy.random.get_state()[1].tobytes()).encode(),  # type: ignore[index]
    }


def moved(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    return [name for name in before if before[name] != after[name]]


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in a result, in order, however nested."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for item in value for tensor in tensors_in(item)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [t for f in dataclasses.fields(value) for t in tensors_in(getattr(value, f.name))]
    return []


def same_tensors(left: Sequence[Tensor], right: Sequence[Tensor]) -> bool:
    """Whether the tensors are the same to the last bit; a NaN equals itself."""
    return len(left) == len(right) and all(
        a.shape == b.shape and a.dtype == b.dtype and torch.equal(_bits(a), _bits(b))
        for a, b in zip(left, right, strict=True)
    )


def _bits(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def footprint(model: nn.Module) -> dict[str, Any]:
    """Everything that a watcher could leave behind, by name."""
    module = torch.nn.modules.module
    traces: dict[str, Any] = {
        name: tuple(getattr(module, name))
        for name in vars(module)
        if name.startswith("_global_") and "hooks" in name and hasattr(getattr(module, name), "keys")
    }
    traces |= {
        "torch function modes": torch._C._len_torch_function_stack(),
        "torch dispatch modes": torch._C._len_torch_dispatch_stack(),
        "grad mode": torch.is_grad_enabled(),
        "Module.__call__": nn.Module.__call__,
        "sys.excepthook": sys.excepthook,
        "threading.excepthook": threading.excepthook,
        "trace function": sys.gettrace(),
        "profile function": sys.getprofile(),
        "warning filters": len(warnings.filters),
    }
    for path, layer in model.named_modules():
        own = [name for name, value in vars(layer).items() if "hooks" in name and value]
        traces[f"layer {path}"] = (tuple(vars(layer)), tuple(own), type(layer))
    return traces


def outlives(done: Pass) -> bool:
    """Whether an output lives on after its last user is gone; takes the output out of the pass."""
    references = [weakref.ref(tensor) for tensor in tensors_in(done.output)]
    done.output = None
    gc.collect()
    return any(reference() is not None for reference in references)


# The result


def summary(checks: Sequence[Check]) -> str:
    families = sorted({each.family for each in checks})
    groups = {family: [each for each in checks if each.family == family] for family in families}
    rows = [
        [
            title,
            str(len(group)),
            str(sum(not each.problems for each in group)),
            str(sum(bool(each.problems) for each in group)),
            f"{median(each.slowdown for each in group):.2f}",
            f"{max(each.slowdown for each in group):.2f}",
        ]
        for title, group in [*groups.items(), ("all", list(checks))]
    ]
    return table(["family", "passes", "left alone", "with problems", "median slowdown", "largest"], rows)


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m benchmarks.healthy",
        description="See whether watching leaves healthy models alone, and keeps quiet about them.",
    )
    parse.add_argument("--models", nargs="+", default=[], metavar="NAME", help="names or patterns; all without it")
    parse.add_argument("--split", choices=["dev", "held_out", "all"], default="all")
    parse.add_argument("--jobs", type=int, default=1)
    parse.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for one pass")
    parse.add_argument("--out", type=Path, metavar="FILE", help="write every check as JSON")
    return parse


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        chosen = zoo.select(given.models, given.split)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    load_shapewatch()
    checks: list[Check] = []
    skipped: list[Skipped] = []
    interrupt_once()
    try:
        for name, message in run_each([a.name for a in chosen], check_one, given.jobs, silence=given.timeout):
            if isinstance(message, Skipped):
                skipped.append(message)
                continue
            check = Check(name, "", (message.reason,), 1.0, 1.0) if isinstance(message, Lost) else message
            checks.append(check)
            for problem in check.problems:
                print(f"{name}  [{check.mode}]  {problem}", flush=True)
    except KeyboardInterrupt:
        done = {c.architecture for c in checks} | {each.architecture for each in skipped}
        skipped += [Skipped(a.name, "interrupted before it") for a in chosen if a.name not in done]
    for reason, names in by_reason(skipped).items():
        print(f"skipped  {', '.join(names)}: {reason}")
    if checks:
        print(summary(checks))
    if given.out:
        data = {
            "checks": [dataclasses.asdict(c) for c in checks],
            "skipped": [dataclasses.asdict(s) for s in skipped],
        }
        given.out.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return 1 if any(each.problems for each in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
