"""Compiled, exported and traced models: what is watched is compiled as if nobody watched, and a failure is explained
like that of the eager original."""

from __future__ import annotations

import gc
import importlib
import logging
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from support.residual import failure, our_notes
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch._dynamo.utils import counters
from torch._inductor import config as inductor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import _get_current_function_mode_stack

import shapewatch
from shapewatch import Diagnosis
from shapewatch.adapters.appearing import Arrival
from shapewatch.firewall import Faults
from shapewatch.watching import UsageError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")
"""What PyTorch's own compiler has others warn of."""

inductor.compile_threads = 1  # its threads would outlive the tests
importlib.import_module("tqdm").tqdm.monitor_interval = 0  # so would one that looks after its progress bar


class Block(nn.Module):
    """[N, width] to the same; with a `wide` second layer the sum does not fit."""

    def __init__(self, width: int = 6, wide: int = 0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, width)
        self.fc2 = nn.Linear(width, width + wide)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.fc2(torch.relu(self.fc1(x)))
        return out + x


class Net(nn.Module):
    """Two blocks and a head."""

    def __init__(self, wide: int = 0) -> None:
        super().__init__()
        self.first, self.second = Block(), Block(wide=wide)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(x)))


class Breaks(Net):
    """Its graph ends in the middle, and goes on."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        torch._dynamo.graph_break()
        return self.head(self.second(x))


class Holds(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x) * 2


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing compiled yet, and no reports of shape errors in PyTorch's log."""
    torch._dynamo.reset()
    counters.clear()
    logging.disable(logging.CRITICAL)
    faults = Faults.count
    yield
    logging.disable(logging.NOTSET)
    torch._dynamo.reset()
    gc.collect()
    assert Faults.count == faults, Faults.last
    assert _get_current_function_mode_stack() == []


def batch(size: int = 4, width: int = 6) -> torch.Tensor:
    return torch.randn(size, width, generator=torch.Generator().manual_seed(size))


def seeded(cls: Callable[..., Any], *args: Any) -> Any:
    torch.manual_seed(0)
    return cls(*args)


# What is compiled

Compiled = Callable[[Any, Any], Any]
"""A class of models and a backend to something that is called with a batch."""


def whole(cls: Any, backend: Any) -> Any:
    return torch.compile(seeded(cls), backend=backend)


def by_its_method(cls: Any, backend: Any) -> Any:
    model = seeded(cls)
    model.compile(backend=backend)
    return model


def its_forward(cls: Any, backend: Any) -> Any:
    model = seeded(cls)
    model.forward = torch.compile(model.forward, backend=backend)
    return model


def a_part(cls: Any, backend: Any) -> Any:
    model = seeded(cls)
    model.second = torch.compile(model.second, backend=backend)
    return model


def a_part_by_its_method(cls: Any, backend: Any) -> Any:
    model = seeded(cls)
    model.second.compile(backend=backend)
    return model


def a_function(cls: Any, backend: Any) -> Any:
    model = seeded(cls)

    @torch.compile(backend=backend)
    def step(x: torch.Tensor) -> torch.Tensor:
        return model(x) * 2

    return step


def around_it(cls: Any, backend: Any) -> Any:
    return torch.compile(Holds(seeded(cls)), backend=backend)


def dynamic(cls: Any, backend: Any) -> Any:
    return torch.compile(seeded(cls), backend=backend, dynamic=True)


def full_graph(cls: Any, backend: Any) -> Any:
    return torch.compile(seeded(cls), backend=backend, fullgraph=True)


WAYS: tuple[Compiled, ...] = (
    whole, by_its_method, its_forward, a_part, a_part_by_its_method, a_function, around_it, dynamic, full_graph,
)  # fmt: skip


# A healthy model is compiled as often as without a watch

SIZES = (4, 4, 7, 7, 4)
"""Of batches: a second size has a static graph compiled again."""

Order = Callable[[Callable[[int], torch.Tensor]], list[torch.Tensor]]


def unwatched(call: Callable[[int], torch.Tensor]) -> list[torch.Tensor]:
    return [call(size) for size in SIZES]


def compiled_before_the_watch(call: Callable[[int], torch.Tensor]) -> list[torch.Tensor]:
    first = [call(size) for size in SIZES[:3]]
    with shapewatch.watch():
        return first + [call(size) for size in SIZES[3:]]


def compiled_inside_the_watch(call: Callable[[int], torch.Tensor]) -> list[torch.Tensor]:
    with shapewatch.watch():
        return [call(size) for size in SIZES]


def watched_then_unwatched(call: Callable[[int], torch.Tensor]) -> list[torch.Tensor]:
    with shapewatch.watch():
        first = [call(size) for size in SIZES[:1]]
    return first + [call(size) for size in SIZES[1:]]


def watched_twice(call: Callable[[int], torch.Tensor]) -> list[torch.Tensor]:
    results = []
    for size in SIZES:
        with shapewatch.watch():
            results.append(call(size))
    return results


def watched_inside_a_watch(call: Callable[[int], torch.Tensor]) -> list[torch.Tensor]:
    with shapewatch.watch():
        first = [call(size) for size in SIZES[:2]]
        with shapewatch.watch():
            return first + [call(size) for size in SIZES[2:]]


ORDERS: tuple[Order, ...] = (
    compiled_before_the_watch, compiled_inside_the_watch, watched_then_unwatched, watched_twice, watched_inside_a_watch,
)  # fmt: skip


def counted(
    way: Compiled, order: Order, cls: Any = Net, backend: str = "eager"
) -> tuple[list[torch.Tensor], dict[str, Any]]:
    """What the calls gave, and how often and what was compiled."""
    torch._dynamo.reset()
    counters.clear()
    counter = CompileCounterWithBackend(backend)
    call = way(cls, counter)
    with warnings.catch_warnings(record=True) as warned:
        results = order(lambda size: call(batch(size)))
    assert not [each for each in warned if "hooks" in str(each.message)]  # ours are not the user's to hear of
    kinds = ("frames", "stats", "graph_break", "recompiles")
    told = {kind: dict(counters[kind]) for kind in kinds} | {"graphs": counter.frame_count, "ops": counter.op_count}
    return results, told


def same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return len(ours) == len(theirs) and all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("way", WAYS)
def test_a_healthy_model_is_compiled_as_often_as_without_a_watch(way: Compiled, order: Order) -> None:
    bare, expected = counted(way, unwatched)
    seen, told = counted(way, order)
    assert expected["graphs"] > 0 and told == expected
    assert same(seen, bare)


@pytest.mark.parametrize("order", ORDERS)
def test_a_graph_that_breaks_breaks_as_often(order: Order) -> None:
    bare, expected = counted(whole, unwatched, Breaks)
    seen, told = counted(whole, order, Breaks)
    assert expected["graphs"] > 2 and told == expected
    assert same(seen, bare)


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_backends_compute_the_same_to_the_bit(backend: str) -> None:
    if backend == "inductor" and shutil.which("c++") is None:
        pytest.skip("no C++ compiler")
    bare, expected = counted(whole, unwatched, Net, backend)
    seen, told = counted(whole, compiled_inside_the_watch, Net, backend)
    assert told == expected and same(seen, bare)


def test_training_steps_of_a_compiled_model() -> None:
    def train(watched: bool) -> tuple[list[torch.Tensor], int]:
        torch._dynamo.reset()
        counter = CompileCounterWithBackend("aot_eager")
        model = seeded(Net)
        compiled = torch.compile(model, backend=counter)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)

        def steps() -> None:
            for size in SIZES:
                optimizer.zero_grad()
                compiled(batch(size)).square().mean().backward()
                optimizer.step()

        if watched:
            with shapewatch.watch() as session:
                steps()
            assert session.report.ok and session.report.output == (4, 3)
        else:
            steps()
        return list(model.parameters()), counter.frame_count

    (bare, expected), (seen, told) = train(False), train(True)
    assert told == expected and same(seen, bare)


def test_a_compiled_step_with_its_optimizer() -> None:
    def train(watched: bool) -> tuple[list[torch.Tensor], int]:
        torch._dynamo.reset()
        counter = CompileCounterWithBackend("eager")
        model = seeded(Net)
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        step = torch.compile(optimizer.step, backend=counter)

        def steps() -> None:
            for size in SIZES:
                optimizer.zero_grad()
                model(batch(size)).square().mean().backward()
                step()

        if watched:
            with shapewatch.watch():
                steps()
        else:
            steps()
        return list(model.parameters()), counter.frame_count

    (bare, expected), (seen, told) = train(False), train(True)
    assert expected > 0 and told == expected and same(seen, bare)


@pytest.mark.parametrize("way", [whole, by_its_method, its_forward, around_it, a_function])
def test_a_decorated_class_is_compiled_like_any_other(way: Compiled) -> None:
    decorated = shapewatch.watch(type("Net", (Net,), {}))
    bare, expected = counted(way, unwatched)
    seen, told = counted(way, unwatched, decorated)
    assert expected["graphs"] > 0 and told == expected
    assert same(seen, bare)


def test_a_decorated_model_that_ran_before_it_was_compiled() -> None:
    decorated = shapewatch.watch(type("Net", (Net,), {}))

    def looked_at(cls: Any, backend: Any) -> Any:
        model = seeded(cls)
        model(batch())
        return torch.compile(model, backend=backend)

    _, expected = counted(whole, unwatched)
    _, told = counted(looked_at, unwatched, decorated)
    assert told == expected


def test_a_watched_function_that_is_compiled_and_a_compiled_one_that_is_watched() -> None:
    def scale(x: torch.Tensor) -> torch.Tensor:
        return x * 2 + 1

    def plain(_: Any, backend: Any) -> Any:
        return torch.compile(scale, backend=backend)

    def watched_first(_: Any, backend: Any) -> Any:
        return torch.compile(shapewatch.watch(scale), backend=backend)

    def compiled_first(_: Any, backend: Any) -> Any:
        return shapewatch.watch(torch.compile(scale, backend=backend))

    bare, expected = counted(plain, unwatched)
    for way in (watched_first, compiled_first):
        seen, told = counted(way, unwatched)
        assert (told["graphs"], told["ops"]) == (expected["graphs"], expected["ops"]) and same(seen, bare)


def test_a_mode_of_the_programs_own_stays_where_it_is() -> None:
    class Counts(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return function(*args, **(kwargs or {}))

    compiled = torch.compile(seeded(Net), backend="eager")
    with shapewatch.watch(), Counts() as outer:
        before = _get_current_function_mode_stack()
        compiled(batch())
        assert _get_current_function_mode_stack() == before and before[-1] is outer
        torch.ones(2)


def test_two_watches_that_wait_for_the_same_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "awaited_module.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    arrived: list[str] = []
    waiting = [Arrival(["awaited_module"], lambda name, who=who: arrived.append(f"{who} {name}")) for who in "ab"]  # type: ignore[misc]
    for each in waiting:
        each.start()
    try:
        awaited_module = importlib.import_module("awaited_module")
    finally:
        for each in waiting:
            each.stop()
        sys.modules.pop("awaited_module", None)
    assert awaited_module.VALUE == 1 and sorted(arrived) == ["a awaited_module", "b awaited_module"]


def test_a_compiler_that_is_imported_inside_the_watch() -> None:
    program = """
import sys, warnings
import torch, shapewatch
warnings.simplefilter("error")
model = torch.nn.Linear(4, 4)
with shapewatch.watch(), shapewatch.watch() as session:
    assert "torch._dynamo" not in sys.modules
    warnings.simplefilter("ignore")
    from torch._dynamo.testing import CompileCounter
    warnings.simplefilter("error")
    counter = CompileCounter()
    compiled = torch.compile(model, backend=counter)
    compiled(torch.ones(2, 4))
compiled(torch.ones(2, 4))
print(counter.frame_count, session.report.output)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (ran.stdout, ran.returncode) == ("1 (2, 4)\n", 0), ran.stderr


# What the report says of a healthy one


@pytest.mark.parametrize("way", [whole, by_its_method, around_it])
def test_a_compiled_call_is_recorded_as_one_call(way: Compiled) -> None:
    call = way(Net, "eager")
    with shapewatch.watch() as session:
        y = call(batch())
    layers = [each for each in session.report.calls if each.is_layer]
    assert [(each.name, each.layer, each.finished) for each in layers] == [(type_of(way), "", True)]
    assert session.report.output == tuple(y.shape)


def type_of(way: Compiled) -> str:
    return "Holds" if way is around_it else "Net"


def test_a_compiled_part_stands_between_the_others() -> None:
    model = a_part(Net, "eager")
    with shapewatch.watch(model) as session:
        model(batch())
    paths = [each.layer for each in session.report.calls if each.is_layer]
    assert paths == ["", "first", "first.fc1", "first.fc2", "second", "head"]
    second = next(each for each in session.report.calls if each.layer == "second")
    head = next(each for each in session.report.calls if each.layer == "head")
    assert second.results[0] == head.operands[0]
    assert {layer.path for layer in session.report.recording.layers} >= {"second", "second.fc1", "second.fc2"}


def test_what_a_compiled_function_takes_and_gives_is_known() -> None:
    double = torch.compile(lambda x: x * 2, backend="eager")
    model = seeded(Net)
    with shapewatch.watch(model) as session:
        model(double(batch()))
    call = next(each for each in session.report.calls if each.name == "<lambda>")
    net = next(each for each in session.report.calls if each.name == "Net")
    assert call.results == net.operands[:1]


# A failure is explained like that of the eager original


def told(diagnosis: Diagnosis) -> Any:
    cause, location, fix = diagnosis.cause, diagnosis.location, diagnosis.fixes[0] if diagnosis.fixes else None
    return (
        diagnosis.code,
        diagnosis.headline,
        diagnosis.layer,
        cause and (cause.layer, cause.location),
        location and (location.file, location.line),
        fix and (fix.edit, fix.verified, fix.output_shape),
    )


def explained(call: Callable[[torch.Tensor], Any], x: torch.Tensor) -> tuple[Any, Exception]:
    with pytest.raises(Exception) as caught, shapewatch.watch() as session:
        call(x)
    assert len(our_notes(caught.value)) == 1
    return told(session.report.diagnoses[0]), caught.value


def eagerly(way: Compiled) -> Any:
    inner = seeded(Net, 2)
    model = Holds(inner) if way is around_it else inner
    return explained(model, batch())[0]


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_of_a_compiled_model_is_explained_like_the_eager_one(way: Compiled) -> None:
    diagnosis, error = explained(way(lambda: Net(2), "eager"), batch())
    assert diagnosis == eagerly(way)
    assert diagnosis[0] == "SW201" and diagnosis[3][0].endswith("second.fc2") and diagnosis[5][1] == "forward"
    assert "fake tensor" in str(error)  # the compiler's words, not ours


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_a_failure_with_other_backends(backend: str) -> None:
    assert explained(whole(lambda: Net(2), backend), batch())[0] == eagerly(whole)


def test_a_failure_after_a_graph_break() -> None:
    eager = explained(seeded(Breaks, 2), batch())[0]
    assert explained(whole(lambda: Breaks(2), "eager"), batch())[0] == eager
    assert eager[0] == "SW201"


def test_a_later_batch_of_another_size() -> None:
    class Weighs(Net):
        """Has a weight for each of four samples."""

        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.Parameter(torch.ones(4, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * self.weights

    def loop(model: Any) -> Any:
        def run(x: torch.Tensor) -> None:
            for size in (4, 4, 4, 3):
                model(x[:size])

        return run

    eager = explained(loop(seeded(Weighs)), batch())[0]
    for way in (whole, by_its_method, dynamic):
        torch._dynamo.reset()
        assert explained(loop(way(Weighs, "eager")), batch())[0] == eager
    assert eager[0] == "SW202"


@pytest.mark.parametrize("way", [whole, by_its_method, a_part, around_it])
def test_a_later_pass_of_the_same_sizes_that_fails(way: Compiled) -> None:
    """Of which the like has been recorded, so that it runs unrecorded."""

    def loop(model: Any) -> Any:
        net = model if hasattr(model, "second") else model.inner

        def run(x: torch.Tensor) -> None:
            for step in range(6):
                if step == 5:
                    net.second.fc2 = nn.Linear(6, 8)
                model(x)

        return run

    eager = explained(loop(Holds(seeded(Net)) if way is around_it else seeded(Net)), batch())[0]
    assert explained(loop(way(Net, "eager")), batch())[0] == eager
    assert eager[0] == "SW201" and eager[3][0].endswith("second.fc2")


def test_a_failure_of_a_decorated_class_that_was_compiled() -> None:
    decorated = shapewatch.watch(type("Net", (Net,), {}))
    for way in (whole, by_its_method):
        torch._dynamo.reset()
        error = failure(lambda way=way: way(lambda: decorated(2), "eager")(batch()))  # type: ignore[misc]
        (note,) = our_notes(error)
        assert "SW201" in note and "second.fc2" in note


def test_the_exception_is_the_compilers_own() -> None:
    bare = failure(lambda: whole(lambda: Net(2), "eager")(batch()))
    torch._dynamo.reset()
    _, error = explained(whole(lambda: Net(2), "eager"), batch())
    assert type(error) is type(bare) and str(error) == str(bare)


def test_an_error_of_the_program_in_compiled_code_is_not_explained() -> None:
    class Stops(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch._dynamo.graph_break()
            raise KeyError(f"no label for {len(x)} samples")

    compiled = whole(Stops, "eager")
    with pytest.raises(KeyError) as caught, shapewatch.watch() as session:
        compiled(batch())
    assert our_notes(caught.value) == [] and session.report.ok


def test_a_compiled_model_that_was_mended_inside_the_block() -> None:
    compiled = whole(lambda: Net(2), "eager")
    with shapewatch.watch() as session:
        failure(lambda: compiled(batch()))
        compiled.second.fc2 = nn.Linear(6, 6)
        compiled(batch())
    assert session.report.ok and session.report.output == (4, 3)


# Compiled functions, which run again on copies


class Remembers(nn.Module):
    """Counts its passes and keeps what came out, as programs do."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.norm = nn.Linear(6, 8), nn.BatchNorm1d(8)
        self.passes, self.last = 0, None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        self.last = self.norm(self.fc(x))
        return self.last


class Told:
    """A list of a program's, with a method."""

    def __init__(self) -> None:
        self.lines: list[int] = []

    def add(self, x: torch.Tensor) -> None:
        self.lines.append(len(x))


def test_a_function_that_failed_changes_nothing_when_it_runs_again() -> None:
    def left(watched: bool) -> Any:
        torch._dynamo.reset()
        model, told_of = seeded(Remembers), Told()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)

        @torch.compile(backend="eager")
        def step(x: torch.Tensor) -> torch.Tensor:
            told_of.add(x)
            optimizer.zero_grad()
            return model(x) + x

        if watched:
            diagnosis, _ = explained(step, batch())
            assert diagnosis[0] == "SW201" and diagnosis[4][0] == __file__
        else:
            failure(lambda: step(batch()))
        weights = {name: value.tolist() for name, value in model.state_dict().items()}
        gradients = [parameter.grad is not None for parameter in model.parameters()]
        return weights, gradients, model.passes, type(model.last), told_of.lines

    assert left(True) == left(False)


def test_a_loss_in_a_compiled_step() -> None:
    model = seeded(Net)

    def step(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(model(x), labels)

    labels = torch.zeros(3, dtype=torch.long)
    eager, _ = explained(lambda x: step(x, labels), batch())
    compiled = torch.compile(step, backend="eager")
    diagnosis, _ = explained(lambda x: compiled(x, labels), batch())
    assert diagnosis == eager and eager[0] == "SW803"


MODEL = seeded(Net, 2)


def through_the_model(x: torch.Tensor) -> torch.Tensor:
    return MODEL(x)


def by_another_way(x: torch.Tensor) -> torch.Tensor:
    return globals()["MODEL"](x)


def test_a_helper_and_a_model_of_the_module() -> None:
    compiled = torch.compile(lambda x: through_the_model(x) * 2, backend="eager")
    assert explained(compiled, batch())[0] == explained(through_the_model, batch())[0]


def test_a_model_that_is_reached_in_another_way_does_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []

    def counted(x: torch.Tensor) -> torch.Tensor:
        passes.append(len(x))
        return x

    monkeypatch.setattr(MODEL.first, "forward", counted)
    compiled = torch.compile(by_another_way, backend="eager")
    diagnosis, _ = explained(compiled, batch())
    assert diagnosis[0] == "SW201" and diagnosis[3] is None and passes == []


def test_a_function_that_holds_what_cannot_be_copied_is_left_alone() -> None:
    lock, model = threading.Lock(), seeded(Net, 2)

    @torch.compile(backend="eager")
    def step(x: torch.Tensor) -> torch.Tensor:
        return model(x) if lock else x

    diagnosis, _ = explained(step, batch())
    assert diagnosis[0] == "SW201" and diagnosis[3] is None  # from the error's words alone


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_a_train_step_with_its_backward_pass_and_its_optimizer(optimizer: Any) -> None:
    def told_of(compiler: Callable[[Any], Any]) -> Any:
        torch._dynamo.reset()
        model = seeded(Net)
        steps = optimizer(model.parameters(), 0.01)

        def step(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            steps.zero_grad()
            loss = nn.functional.cross_entropy(model(x), labels)
            loss.backward()
            steps.step()
            return loss

        run = compiler(step)

        def loop(x: torch.Tensor) -> None:
            for size in (4, 4, 3):
                run(x, torch.zeros(size, dtype=torch.long))

        return explained(loop, batch())[0]

    eager = told_of(lambda step: step)
    assert told_of(torch.compile(backend="eager")) == eager and eager[0] == "SW803"


def test_a_compiled_model_under_autocast() -> None:
    def under(model: Any) -> Any:
        def run(x: torch.Tensor) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return model(x)

        return run

    eager = explained(under(seeded(Net, 2)), batch())[0]
    assert explained(under(whole(lambda: Net(2), "eager")), batch())[0] == eager
    torch._dynamo.reset()
    assert explained(torch.compile(under(seeded(Net, 2)), backend="eager"), batch())[0] == eager


# In another thread


def in_a_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call, *args).result()

    return run


@pytest.mark.parametrize("way", [whole, by_its_method, a_part, a_function])
@pytest.mark.parametrize("order", [compiled_inside_the_watch, watched_then_unwatched, compiled_before_the_watch])
def test_a_thread_compiles_as_often_as_without_a_watch(way: Compiled, order: Order) -> None:
    def there(cls: Any, backend: Any) -> Any:
        return in_a_thread(way(cls, backend))

    bare, expected = counted(there, unwatched)
    seen, told = counted(there, order)
    assert expected["graphs"] > 0 and told == expected
    assert same(seen, bare)


@pytest.mark.parametrize("way", [whole, by_its_method, a_part, a_function, around_it])
def test_a_failure_of_compiled_code_in_a_thread(way: Compiled) -> None:
    eager = eagerly(way)
    assert explained(in_a_thread(way(lambda: Net(2), "eager")), batch())[0] == eager


def test_a_thread_that_compiles_longer_than_the_watch_lasts() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(graph: Any, _: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return graph.forward

    model = whole(Net, slow)
    with ThreadPoolExecutor(1) as pool:
        with shapewatch.watch():
            result = pool.submit(model, batch())
            assert begun.wait(30)
        go_on.set()
        assert result.result().shape == (4, 3)
    assert not torch.nn.modules.module._global_forward_hooks


# Exported, traced, scripted


def nodes(graph: Any) -> list[tuple[str, str]]:
    return [(node.op, str(node.target)) for node in graph.graph.nodes]


def exported(model: nn.Module) -> Any:
    return nodes(torch.export.export(model, (batch(),)).graph_module)


def exported_strictly(model: nn.Module) -> Any:
    return nodes(torch.export.export(model, (batch(),), strict=True).graph_module)


def exported_with_a_free_batch(model: nn.Module) -> Any:
    free = {"x": {0: torch.export.Dim("batch")}}
    return nodes(torch.export.export(model, (batch(),), dynamic_shapes=free).graph_module)


def traced(model: nn.Module) -> Any:
    return str(torch.jit.trace(model, batch()).inlined_graph)


def scripted(model: nn.Module) -> Any:
    return torch.jit.script(model)(batch()).tolist()


def symbolically(model: nn.Module) -> Any:
    return nodes(torch.fx.symbolic_trace(model))


def made_fx(model: nn.Module) -> Any:
    return nodes(make_fx(lambda x: model(x))(batch()))


def called_with_weights(model: nn.Module) -> Any:
    return torch.func.functional_call(model, dict(model.named_parameters()), (batch(),)).tolist()


TAKEN = (
    exported, exported_strictly, exported_with_a_free_batch, traced, scripted, symbolically, made_fx,
    called_with_weights,
)  # fmt: skip


def without_numbers(taken: Any) -> Any:
    """A graph of TorchScript's numbers its classes and values as they come."""
    return re.sub(r"___torch_mangle_\d+\.|\d+", "", taken) if isinstance(taken, str) else taken


@pytest.mark.parametrize("take", TAKEN)
def test_what_is_made_of_a_healthy_model_is_the_same(take: Callable[[nn.Module], Any]) -> None:
    decorated = shapewatch.watch(type("Net", (Net,), {}))
    bare = without_numbers(take(seeded(Net)))
    with shapewatch.watch() as session:
        assert without_numbers(take(seeded(Net))) == bare
    assert session.report.ok
    assert without_numbers(take(seeded(decorated))) == bare


@pytest.mark.parametrize("take", [exported, exported_strictly, exported_with_a_free_batch, traced, called_with_weights])
def test_a_failure_while_a_model_is_taken(take: Callable[[nn.Module], Any]) -> None:
    eager = explained(seeded(Net, 2), batch())[0]
    diagnosis, _ = explained(lambda _: take(seeded(Net, 2)), batch())
    assert diagnosis == eager


def test_a_failure_of_a_decorated_class_that_is_traced() -> None:
    decorated = shapewatch.watch(type("Net", (Net,), {}))
    error = failure(lambda: torch.jit.trace(decorated(2), batch()))
    assert len(our_notes(error)) == 1 and "second.fc2" in our_notes(error)[0]


@pytest.mark.parametrize("take", [exported, exported_with_a_free_batch])
def test_a_failure_of_a_decorated_class_that_is_exported(take: Callable[[nn.Module], Any]) -> None:
    decorated = shapewatch.watch(type("Net", (Net,), {}))
    error = failure(lambda: take(decorated(2)))
    (note,) = our_notes(error)
    assert "second.fc2 (Linear" in note and "the whole forward pass runs with it" in note
    assert not torch.compiler.is_compiling()


def test_a_failure_of_a_decorated_class_that_is_exported_strictly() -> None:
    """Its lines are read and never run, so it cannot say more than the compiler; a watch around the export can."""
    decorated = shapewatch.watch(type("Net", (Net,), {}))
    bare = failure(lambda: exported_strictly(Net(2)))
    alone = failure(lambda: exported_strictly(decorated(2)))
    assert (type(alone), str(alone), our_notes(alone)) == (type(bare), str(bare), [])
    with pytest.raises(type(bare)) as caught, shapewatch.watch():
        exported_strictly(decorated(2))
    (note,) = our_notes(caught.value)
    assert "second.fc2 (Linear" in note and "the whole forward pass runs with it" in note


def test_a_scripted_model_that_fails_says_what_its_words_say() -> None:
    model = torch.jit.script(seeded(Net, 2))
    with pytest.raises(Exception) as caught, shapewatch.watch() as session:
        model(batch())
    assert len(our_notes(caught.value)) == 1
    assert session.report.diagnoses[0].code == "SW201" and session.report.diagnoses[0].cause is None


def test_the_model_of_an_exported_program() -> None:
    program = torch.export.export(seeded(Net), (batch(),)).module()
    bare = program(batch())
    with shapewatch.watch(program) as session:
        assert torch.equal(program(batch()), bare)
    assert session.report.output == (4, 3)


# check


def test_check_of_a_compiled_model_is_that_of_its_original() -> None:
    eager = told(shapewatch.check(seeded(Net, 2), batch()).diagnoses[0])
    for way in (whole, by_its_method, its_forward, a_part, a_part_by_its_method):
        report = shapewatch.check(way(lambda: Net(2), "eager"), batch())
        assert told(report.diagnoses[0]) == eager
    assert counters["frames"] == {}  # nothing was compiled for it


def test_check_compiles_nothing_and_leaves_what_is_compiled() -> None:
    counter = CompileCounterWithBackend("eager")
    model = torch.compile(seeded(Net), backend=counter)
    for _ in range(2):
        assert shapewatch.check(model, input_shape=(4, 6)).output == (4, 3)
        model(batch())
    assert counter.frame_count == 1


@pytest.mark.parametrize("fullgraph", [True, False])
def test_check_of_a_model_that_calls_a_compiled_function(fullgraph: bool) -> None:
    counter = CompileCounterWithBackend("eager")
    double = torch.compile(lambda x: x * 2, backend=counter, fullgraph=fullgraph)
    model = Holds(seeded(Net))
    model.inner.register_forward_pre_hook(lambda _, args: (double(args[0]),))
    assert shapewatch.check(model, batch()).output == (4, 3)
    assert counter.frame_count == 0


def test_check_of_exported_traced_and_scripted_models() -> None:
    model = seeded(Net)
    program = torch.export.export(model, (batch(),)).module()
    for taken in (program, torch.jit.trace(model, batch()), torch.jit.script(model), torch.fx.symbolic_trace(model)):
        if isinstance(taken, torch.jit.ScriptModule):
            with pytest.raises(UsageError, match="TorchScript: run the model that it was made of"):
                shapewatch.check(taken, batch())
        else:
            assert shapewatch.check(taken, batch()).output == (4, 3)


def test_a_fix_is_tried_in_a_compiled_model() -> None:
    model = torch.compile(seeded(Net, 2), backend="eager")
    (diagnosis,) = shapewatch.check(model, batch()).diagnoses
    with diagnosis.fixes[0].applied(model):
        assert model(batch()).shape == (4, 3)
    failure(lambda: model(batch()))
