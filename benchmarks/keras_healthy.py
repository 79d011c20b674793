"""Whether watching leaves a healthy Keras model alone, and keeps quiet about it.

    python -m benchmarks.keras_healthy --only 'MobileNet*' '*unet*'

Each model is made twice from the same random state, and run in every way that it can be: one run bare, one watched.
What it gives, what it has learned, what its layers are called, the random states and what Keras counts must be the
same to the last bit; nothing of TensorFlow or Keras may be left patched; nothing may be reported as an error or a
warning. A Functional model is rebuilt from its config inside the watched block, as where it would fail.

The exit status is 1 when there was a problem.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import keras
import numpy
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.ops.operation import Operation
from tensorflow.python.eager import context
from tensorflow.python.framework import ops as framework_ops

from benchmarks import keras_zoo
from benchmarks.faults import import_shapewatch, own_faults
from benchmarks.keras_code import attempts
from benchmarks.keras_configs import rebuild
from benchmarks.shapes import Shapes, shapes_of
from benchmarks.tables import table
from benchmarks.workers import Lost, Send, Skipped, by_reason, interrupt_once, run_each

SEED = 7


@dataclass(frozen=True)
class Check:
    """One model, run in one way. `problems` is empty where watching left no trace and said nothing."""

    architecture: str
    way: str
    problems: tuple[str, ...]
    bare_seconds: float
    watched_seconds: float

    @property
    def slowdown(self) -> float:
        return self.watched_seconds / self.bare_seconds


@dataclass
class Pass:
    """What a run gave, and how it left the model and the process."""

    model: Any
    output: Any
    seconds: float
    left: Mapping[str, Any] = field(default_factory=dict)


WAYS = ("eager", "function", "fit", "training")


def check_one(name: str, send: Send, among: Sequence[str] = WAYS) -> None:
    """Send a `Check` for each of these ways in which the architecture called `name` can be run."""
    with suppress(RuntimeError):  # TensorFlow runs already: in a test
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    architecture = keras_zoo.find(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = architecture.built()
        output = shapes_of(model(architecture.example()))
    for way in ways(architecture, model, output):
        if way in among:
            send(checked(architecture, way, model, output))


def ways(architecture: keras_zoo.Architecture, model: Any, output: Shapes) -> list[str]:
    """`training` runs what only happens in training; the others are those of `keras_code.attempts`."""
    if architecture.symbolic:
        return ["eager", "training"]
    able = list(attempts(model, architecture, output))
    return able if not isinstance(model, keras.Model) else [*able, "training"]


def checked(architecture: keras_zoo.Architecture, way: str, model: Any, output: Shapes) -> Check:
    """Compare a bare and a watched run."""
    import shapewatch

    make, run = parts(architecture, way, model, output)
    bare = passed(make, run)  # the first pass also pays for what TensorFlow sets up once
    bare = passed(make, run)
    before = footprint()
    with warnings.catch_warnings(record=True) as heard, own_faults() as faults:
        warnings.simplefilter("always")
        watched, report = watched_pass(make, run, shapewatch)
    after = footprint()
    problems = differences(bare, watched)
    if problems:
        again = differences(bare, passed(make, run))
        problems += [f"(two bare runs differ as well: {'; '.join(again)})"] if again else []
    problems += [f"left behind: {name}" for name in changed(before, after)]
    problems += [f"warned: {w.message}" for w in heard if "shapewatch" in w.filename]
    problems += [f"{d.severity} {d.code}: {d.headline}" for d in report.diagnoses if d.severity != "note"]
    problems += [f"a fault of shapewatch: {fault}" for fault in faults]
    problems += [] if report.calls else ["nothing was recorded"]
    if outlives(watched) and not outlives(bare):
        problems.append("an output tensor is kept alive")
    return Check(architecture.name, way, tuple(problems), bare.seconds, watched.seconds)


Run = Callable[[Any], tuple[Any, Any]]


def parts(architecture: keras_zoo.Architecture, way: str, model: Any, output: Shapes) -> tuple[Callable[[], Any], Run]:
    """What is done before a run, and the run, which gives the model and its output.

    A symbolic model is made in the run: making it is where it could fail.
    """
    example = architecture.example()

    def run_symbolic(_: Any) -> tuple[Any, Any]:
        made = rebuild(type(model), model.get_config())
        return made, made(example, training=way == "training")

    def run(made: Any) -> tuple[Any, Any]:
        if way == "training":
            return made, made(example, training=True)
        return made, attempts(made, architecture, output)[way]()  # type: ignore[index]

    return (keras_zoo.start_anew, run_symbolic) if architecture.symbolic else (architecture.built, run)


def passed(make: Callable[[], Any], run: Run) -> Pass:
    made = make()
    keras.utils.set_random_seed(SEED)
    started = time.perf_counter()
    model, output = run(made)
    return Pass(model, output, time.perf_counter() - started, dict(left_by(model)))


def watched_pass(make: Callable[[], Any], run: Run, shapewatch: Any) -> tuple[Pass, Any]:
    """A watched run, and the report; how the process is left is seen after the report is told."""
    made = make()
    keras.utils.set_random_seed(SEED)
    started = time.perf_counter()
    with shapewatch.watch(made) if isinstance(made, keras.layers.Layer) else shapewatch.watch() as session:
        model, output = run(made)
        seconds = time.perf_counter() - started
    report = session.report
    str(report)
    return Pass(model, output, seconds, dict(left_by(model))), report


# What a run leaves


def left_by(model: Any) -> Iterator[tuple[str, Any]]:
    """All that must be the same after a bare and a watched run, by name."""
    yield "Python's generator", random.getstate()
    yield "numpy's generator", repr(numpy.random.get_state())
    yield "TensorFlow's generator", context.context()._rng.getstate() if context.context()._rng else None
    # a dictionary or a number; an object of Keras's own has another address in every run
    for name, value in vars(global_state.GLOBAL_STATE_TRACKER).items():
        yield f"Keras's global {name}", repr(value) if isinstance(value, int | str | float | dict) else type(value)
    seeds = global_state.get_global_attribute("global_seed_generator")
    yield "Keras's generator", None if seeds is None else bits(seeds.state.value)
    for variable in getattr(model, "variables", ()):
        yield f"variable {getattr(variable, 'path', variable.name)}", bits(getattr(variable, "value", variable))
    for layer in layers_of(model):
        yield f"attributes of {layer.name}", tuple(vars(layer))
        yield f"class of {layer.name}", type(layer).__qualname__


def layers_of(model: Any) -> list[Any]:
    return list(model._flatten_layers()) if isinstance(model, keras.layers.Layer) else []


def bits(value: Any) -> bytes:
    tensor = value() if callable(value) else value
    return bytes(numpy.asarray(tensor).tobytes())


def differences(bare: Pass, watched: Pass) -> list[str]:
    """What is not the same after the two runs, a phrase each."""
    found = []
    if type(bare.output) is not type(watched.output):
        found.append(f"output is a {type(watched.output).__name__}, not a {type(bare.output).__name__}")
    left, right = tf.nest.flatten(bare.output), tf.nest.flatten(watched.output)
    tensors = [(a, b) for a, b in zip(left, right, strict=False) if hasattr(a, "numpy")]
    if len(left) != len(right) or any(bits(a.numpy()) != bits(b.numpy()) for a, b in tensors):
        found.append("output differs")
    found += [
        f"attributes on an output: {set(vars(b)) - set(vars(a))}" for a, b in tensors if set(vars(b)) - set(vars(a))
    ]
    moved = [name for name in {**bare.left, **watched.left} if bare.left.get(name) != watched.left.get(name)]
    return found + [f"other {name}" for name in moved]


PATCHABLE = (
    framework_ops.Graph,
    tf.Tensor,
    context.Context,
    context._EagerTensorCache,
    tf.Module,
    keras.KerasTensor,
)


def footprint() -> dict[str, Any]:
    """Everything that a watcher could leave behind: functions and classes in modules, methods, hooks, modes."""
    traces: dict[str, Any] = {
        "sys.excepthook": sys.excepthook,
        "threading.excepthook": threading.excepthook,
        "trace function": sys.gettrace(),
        "profile function": sys.getprofile(),
        "threads": {thread.name for thread in threading.enumerate()},
        "import hooks": [type(finder).__name__ for finder in sys.meta_path],
        "warning filters": len(warnings.filters),
        "traceback filtering of Keras": keras.config.is_traceback_filtering_enabled(),
        "traceback filtering of TensorFlow": tf.debugging.is_traceback_filtering_enabled(),
        "op callbacks": tuple(context.context().op_callbacks),
        "executing eagerly": tf.executing_eagerly(),
    }
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(("keras.", "tensorflow.", "tensorflow.python")):
            traces |= {f"{module_name}.{name}": v for name, v in list(vars(module).items()) if callable(v)}
    # a class that a builder defines is another one each time the builder is called
    lasting = (cls for cls in {*PATCHABLE, *descendants(Operation)} if "<locals>" not in cls.__qualname__)
    for cls in lasting:
        traces |= {f"{cls.__module__}.{cls.__qualname__}.{n}": v for n, v in vars(cls).items() if callable(v)}
    return traces


def descendants(cls: type) -> set[type]:
    return {cls}.union(*(descendants(each) for each in cls.__subclasses__()))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What was there and is another now. What is new was imported, or defined, on the way."""
    return [name for name, old in before.items() if name in after and after[name] is not old and after[name] != old]


def outlives(done: Pass) -> bool:
    """Whether an output lives on after its last user is gone; takes the output out of the pass."""
    references = [weakref.ref(each) for each in tf.nest.flatten(done.output) if hasattr(each, "numpy")]
    done.output = None
    gc.collect()
    return any(reference() is not None for reference in references)


# The result


def summary(checks: Sequence[Check]) -> str:
    groups: dict[str, list[Check]] = {}
    for each in checks:
        groups.setdefault(f"{each.architecture.split('/')[0]}, {each.way}", []).append(each)
    rows = [
        [
            title,
            str(len(group)),
            str(sum(not each.problems for each in group)),
            str(sum(bool(each.problems) for each in group)),
            f"{median(each.slowdown for each in group):.2f}",
            f"{max(each.slowdown for each in group):.2f}",
        ]
        for title, group in [*sorted(groups.items()), ("all", list(checks))]
    ]
    return table(["models", "passes", "left alone", "with problems", "median slowdown", "largest"], rows)


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m benchmarks.keras_healthy",
        description="See whether watching leaves healthy Keras models alone, and keeps quiet about them.",
        epilog="The exit status is 1 when there was a problem.",
    )
    add = parse.add_argument
    add("--only", nargs="+", default=[], metavar="NAME", help="architectures, by name or pattern; all without it")
    add("--held-out", action="store_true", help="only the architectures that no rule is tuned on")
    add("--jobs", type=int, default=1, choices=(1, 2), help="processes at once (%(default)s)")
    add("--timeout", type=float, default=300, metavar="SECONDS", help="for one model (%(default)s)")
    add("--out", type=Path, metavar="FILE", help="write every check as JSON")
    return parse


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        chosen = keras_zoo.select(given.only, True if given.held_out else None)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    import_shapewatch("keras", "tensorflow")
    checks: list[Check] = []
    skipped: list[Skipped] = []
    interrupt_once()
    try:
        for name, message in run_each([a.name for a in chosen], check_one, given.jobs, silence=given.timeout):
            check = Check(name, "", (message.reason,), 1.0, 1.0) if isinstance(message, Lost) else message
            checks.append(check)
            print(f"{name}  {check.way}  {'; '.join(check.problems) or 'left alone'}", flush=True)
    except KeyboardInterrupt:
        done = {c.architecture for c in checks}
        skipped += [Skipped(a.name, "interrupted before it") for a in chosen if a.name not in done]
    for reason, names in by_reason(skipped).items():
        print(f"skipped  {', '.join(names)}: {reason}")
    if checks:
        print(summary(checks))
    if given.out:
        given.out.write_text(json.dumps([dataclasses.asdict(c) for c in checks], indent=1), encoding="utf-8")
    return 1 if any(each.problems for each in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
