"""Loops: what is recorded once, what stays bounded, and which pass is diagnosed when a later one fails."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from support.residual import failure, our_notes, own_frames
from torch import nn
from torch.nn import functional
from torch.overrides import _get_current_function_mode_stack
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

import shapewatch
from shapewatch import recorder
from shapewatch.adapters.torch.instrument import Instrument
from shapewatch.watching import Session, ShapeWarning


class Net(nn.Module):
    """[N, 6] to [N, 3], with a norm over the batch and a shortcut; `wider` breaks the shortcut from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.wide = nn.Linear(6, 8)
        self.head = nn.Linear(6, 3)
        self.wider = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = torch.relu(self.norm(self.fc(x)))
        if self.wider:
            out = self.wide(out)
        return self.head(out + x)


class Keeps(nn.Module):
    """A recurrent net that goes on with the state of the batch before."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(5, 7, batch_first=True)
        self.state: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, state = self.rnn(x, self.state)
        self.state = state.detach()
        return out[:, -1]


def batch(size: int = 4, width: int = 6) -> torch.Tensor:
    return torch.randn(size, width)


def classes(size: int = 4) -> torch.Tensor:
    return torch.zeros(size, dtype=torch.long)


def train(model: nn.Module, sizes: list[int], optimizer: str = "SGD") -> None:
    optim = getattr(torch.optim, optimizer)(model.parameters(), 0.01)
    for size in sizes:
        optim.zero_grad()
        functional.cross_entropy(model(batch(size)), classes(size)).backward()
        optim.step()


def watched(model: nn.Module, loop: Callable[[], Any], given: bool = True) -> tuple[Session, Exception | None]:
    """The session of a loop, and what left its block. Nothing of the watch is left on the stack of modes."""
    session, error = shapewatch.watch(model) if given else shapewatch.watch(), None
    try:
        with session:
            loop()
    except Exception as raised:
        error = raised
    assert _get_current_function_mode_stack() == []
    return session, error


def healthy(model: nn.Module, loop: Callable[[], Any], given: bool = True) -> Session:
    session, error = watched(model, loop, given)
    assert error is None
    return session


def outermost(session: Session) -> list[str]:
    return [call.name for call in session.report.calls if call.is_layer and call.parent is None]


def fails(model: nn.Module, loop: Callable[[], Any], code: str, given: bool = True) -> shapewatch.Diagnosis:
    """The first diagnosis of a loop that fails."""
    session, error = watched(model, loop, given)
    assert error is not None and len(our_notes(error)) == 1 and own_frames(error) == []
    diagnosis = session.report.diagnoses[0]
    assert diagnosis.code == code
    return diagnosis


# Recorded once, and bounded


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_a_loop_is_recorded_once(given: bool, optimizer: str) -> None:
    model = Net()
    once = healthy(model, lambda: train(model, [4]), given)
    many = healthy(model, lambda: train(model, [4] * 50, optimizer), given)
    passes = outermost(many).count("Net")
    assert 1 <= passes <= 2
    assert len(many.report.calls) <= 3 * len(once.report.calls)
    assert many.report.output == (4, 3) and many.report.ok


def test_each_signature_is_recorded() -> None:
    model = Net()
    session = healthy(model, lambda: train(model, [4, 4, 5, 4, 5, 4, 6, 5]))
    seen = [
        session.report.recording.values[call.operands[0]].spec.shape
        for call in session.report.calls
        if call.is_layer and call.parent is None and call.name == "Net"
    ]
    assert set(seen) == {(4, 6), (5, 6), (6, 6)}
    assert session.report.output == (5, 3)


def test_what_a_loop_keeps_alive_does_not_grow(live_tensors: Callable[[], int]) -> None:
    model = Net()
    train(model, [4])
    before = live_tensors()
    with shapewatch.watch(model) as session:
        train(model, [4] * 30)
        gc.collect()
        assert live_tensors() == before
    assert session.report.ok


def test_training_and_validation_are_recorded_apart() -> None:
    model = Net()

    def loop() -> None:
        for _ in range(5):
            train(model.train(), [4] * 3)
            model.eval()
            with torch.no_grad():
                for _ in range(3):
                    model(batch())
            with torch.inference_mode():
                for _ in range(3):
                    model(batch())

    session = healthy(model, loop)
    assert 3 <= outermost(session).count("Net") <= 6


def test_results_in_use_at_the_same_time_are_told_apart() -> None:
    model = Net()

    def loop() -> None:
        for _ in range(20):
            one, other = model(batch()), model(batch())
            (one - other).square().mean().backward()

    session = healthy(model, loop)
    differences = [call for call in session.report.calls if call.name == "sub"]
    assert differences and all(len(set(call.operands)) == 2 for call in differences)
    assert outermost(session).count("Net") <= recorder.ALIKE


def test_results_that_are_all_kept_stay_bounded() -> None:
    model = Net().eval()
    session = healthy(model, lambda: [model(batch()) for _ in range(100)])
    assert outermost(session).count("Net") == recorder.ALIKE


def test_ever_new_sizes_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "KEPT", 200)
    model = Net()
    session = healthy(model, lambda: train(model, list(range(2, 60)) * 2))
    assert len(session.report.calls) < 230


def test_an_optimizer_is_no_part_of_a_pass() -> None:
    model = Net()
    session = healthy(model, lambda: train(model, [4, 5, 6], "Adam"))
    assert {"lerp", "addcmul", "addcdiv"}.isdisjoint(call.name for call in session.report.calls)


def test_a_model_that_calls_itself() -> None:
    class Tree(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.leaf = nn.Linear(6, 6)

        def forward(self, node: Any) -> torch.Tensor:
            return self.leaf(node) if isinstance(node, torch.Tensor) else self(node[0]) + self(node[1])

    model = Tree()

    def loop() -> None:
        for _ in range(9):
            model([[batch(), batch()], batch()])
        model([[batch(), batch()], batch(3)])

    assert fails(model, loop, "SW201").location is not None


# The pass that fails


@pytest.mark.parametrize("given", [True, False])
def test_the_last_batch_of_the_last_epoch(given: bool) -> None:
    model = Net()
    diagnosis = fails(model, lambda: train(model, [4, 4, 4] * 3 + [1]), "SW507", given)
    assert diagnosis.layer == "norm"


def test_a_label_that_does_not_fit_what_an_unrecorded_pass_gave() -> None:
    model = Net()

    def loop() -> None:
        for step in range(10):
            functional.cross_entropy(model(batch()), classes(4 if step < 9 else 3)).backward()

    session, error = watched(model, loop)
    assert error is not None and session.report.diagnoses[0].code == "SW803"
    failed = session.report.recording.failure
    assert failed is not None and failed.call is not None
    answers = session.report.calls[failed.call].operands[0]
    assert any(answers in call.results for call in session.report.calls if call.name == "Net")


def test_warnings_of_a_recorded_pass_are_told_with_the_failure_of_an_unrecorded_one() -> None:
    model, narrow = Net(), nn.Linear(6, 1)

    def loop() -> None:
        for step in range(6):
            (narrow(torch.ones(4, 6)) - torch.zeros(4)).abs().mean()
            model.wider = step == 5
            model(batch())

    session, error = watched(model, loop, given=False)
    assert error is not None
    found = session.report.diagnoses
    assert [diagnosis.severity for diagnosis in found] == ["error", "warning"] and found[0].code == "SW201"


@pytest.mark.parametrize("given", [True, False])
def test_branches_that_part_in_an_unrecorded_pass(given: bool) -> None:
    model = Net()

    def loop() -> None:
        train(model, [4] * 8)
        model.wider = True
        train(model, [4])

    diagnosis = fails(model, loop, "SW201", given)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "wide"
    assert diagnosis.fixes and diagnosis.fixes[0].verified == "forward"


@pytest.mark.parametrize("decorated", [True, False])
def test_a_state_of_another_batch(decorated: bool) -> None:
    cls: Any = shapewatch.watch(type("Decorated", (Keeps,), {})) if decorated else Keeps
    model = cls()

    def loop() -> None:
        for size in (4, 4, 4, 2):
            model(torch.randn(size, 3, 5))

    with nullcontext() if decorated else shapewatch.watch(model):
        error = failure(loop)
    assert decorated == (len(our_notes(error)) == 1)
    model.state = torch.zeros(1, 2, 7)
    with pytest.raises(RuntimeError) as caught, nullcontext() if decorated else shapewatch.watch(model):
        model(torch.randn(4, 3, 5))
    assert "SW603" in our_notes(caught.value)[0]


def test_an_error_of_the_program_in_an_unrecorded_pass_is_not_explained() -> None:
    class Stops(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.wider:
                raise KeyError("a label that is not in the table")
            return super().forward(x)

    model = Stops()

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        train(model, [4])

    session, error = watched(model, loop)
    assert type(error) is KeyError and our_notes(error) == []
    assert session.report.ok


def test_another_failure_on_shapes_than_in_the_program_explains_nothing() -> None:
    class Parts(Net):
        """Fails by its contents in the program, and at another line where there are no contents."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.wider and type(x) is torch.Tensor:
                raise RuntimeError("the file is gone")
            return super().forward(x)

    model = Parts()

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        train(model, [4])

    session, error = watched(model, loop)
    assert type(error) is RuntimeError and our_notes(error) == []
    assert session.report.recording.failure is not None and session.report.recording.failure.call is None


def test_a_failure_that_was_caught_and_a_pass_that_then_works() -> None:
    model = Net()

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        failure(lambda: model(batch()))
        model.wider = False
        model(batch())

    session, error = watched(model, loop)
    assert error is None and session.report.ok and session.report.output == (4, 3)


def test_a_pass_after_an_interrupt_of_an_unrecorded_one() -> None:
    class Stops(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.wider:
                raise KeyboardInterrupt
            return super().forward(x)

    model, other = Stops(), Net()

    def loop() -> None:
        train(model, [4] * 4)
        model.wider = True
        with pytest.raises(KeyboardInterrupt):
            model(batch())
        other(batch(4, 5))

    assert fails(other, loop, "SW102", given=False).layer == "Net.fc"


def test_an_interrupt_that_leaves_the_block() -> None:
    class Stops(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.wider:
                raise KeyboardInterrupt
            return super().forward(x)

    model = Stops()
    with pytest.raises(KeyboardInterrupt), shapewatch.watch(model):
        train(model, [4] * 4)
        model.wider = True
        model(batch())
    assert _get_current_function_mode_stack() == []


def test_a_step_that_fails_and_a_pass_after_it() -> None:
    class Refuses(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:  # noqa: ARG002
            raise ZeroDivisionError

    model = Net()

    def loop() -> None:
        train(model, [4] * 3)
        with pytest.raises(ZeroDivisionError):
            Refuses(model.parameters(), 0.1).step()
        model.wider = True
        model(batch(5))

    assert fails(model, loop, "SW201").location is not None


def test_a_step_with_a_closure() -> None:
    model = Net()
    optimizer, passes = torch.optim.LBFGS(model.parameters(), max_iter=3), 0

    def closure() -> torch.Tensor:
        nonlocal passes
        passes += 1
        model.wider = passes > 8
        optimizer.zero_grad()
        loss = model(batch()).square().mean()
        loss.backward()
        return loss

    def loop() -> None:
        while passes < 20:
            optimizer.step(closure)

    diagnosis = fails(model, loop, "SW201")
    assert diagnosis.cause is not None and diagnosis.cause.layer == "wide"


# What is said of a healthy loop


class Broadcasts(nn.Module):
    """Adds [N, 6] to [N, 1] where the batch is of 5."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.gate = nn.Linear(6, 6), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x) + (self.gate(x) if len(x) == 5 else x)


def test_a_warning_of_any_signature_is_in_the_report_once() -> None:
    model = Broadcasts()
    session = healthy(model, lambda: [model(batch(size)) for size in (4, 4, 5, 4, 5, 5, 6, 4)])
    assert [diagnosis.code for diagnosis in session.report.diagnoses] == ["SW291"]


def test_a_loss_that_broadcasts_is_told_of_once() -> None:
    model = nn.Linear(6, 1)

    def loop() -> None:
        for _ in range(9):
            out = model(batch())
            functional.mse_loss(out, torch.zeros(4)).backward()

    with pytest.warns(UserWarning, match="target size"):  # PyTorch's own, as without a watch
        session = healthy(model, loop)
    assert [diagnosis.code for diagnosis in session.report.diagnoses] == ["SW891"]


def test_a_decorated_class_warns_once_in_a_loop() -> None:
    model = shapewatch.watch(type("Decorated", (Broadcasts,), {}))()
    with pytest.warns(ShapeWarning) as caught:
        for size in (4, 5) * 10:
            model(batch(size))
    assert len(caught) == 1


# A decorated class


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    entered: list[Any] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: entered.append(self) or enter(self))
    yield entered


def test_a_decorated_class_steps_aside(sessions: list[Any]) -> None:
    model = shapewatch.watch(type("Decorated", (Net,), {}))()
    train(model, [4] * 50 + [3, 4, 3])
    assert len(sessions) == 2


def test_a_rate_that_changes_is_no_other_signature(sessions: list[Any]) -> None:
    class Noisy(Net):
        def forward(self, x: torch.Tensor, rate: float = 0.0) -> torch.Tensor:
            return super().forward(x + rate)

    model = shapewatch.watch(Noisy)()
    for step in range(20):
        model(batch(), rate=step / 20)
    assert len(sessions) == 1


def test_another_model_where_one_was_is_looked_at(sessions: list[Any]) -> None:
    cls = shapewatch.watch(type("Decorated", (Net,), {}))
    for _ in range(5):
        cls()(batch())
        gc.collect()
    assert len(sessions) == 5


@dataclass
class Samples:
    """What some programs make of a batch: an object of their own."""

    values: torch.Tensor


def test_shapes_in_an_object_of_the_program_are_part_of_the_signature(sessions: list[Any]) -> None:
    class Takes(Net):
        def forward(self, samples: Any) -> torch.Tensor:
            return super().forward(samples.values)

    model = shapewatch.watch(Takes)()
    for size in (4, 4, 5, 4, 5):
        model(Samples(batch(size)))
    assert len(sessions) == 2


def test_an_argument_that_cannot_be_looked_at_does_no_harm() -> None:
    class Shy:
        @property
        def shape(self) -> Any:
            raise OSError("not loaded yet")

    class Takes(Net):
        def forward(self, x: torch.Tensor, _: Any) -> torch.Tensor:
            return super().forward(x)

    model = Takes()
    session = healthy(model, lambda: [model(batch(), Shy()).sum().item() for _ in range(4)])
    assert session.report.output == (4, 3) and 1 <= outermost(session).count("Takes") <= 2


@pytest.mark.parametrize("filters", ["default", "always", "once"])
def test_warnings_name_the_line_that_they_name_without_a_watch(filters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def steps() -> None:
        for _ in range(2):
            weights = torch.ones(3, 2, requires_grad=True)
            functional.softmax(weights)  # warned of in Python, of the line that calls
            functional.mse_loss(weights, torch.ones(2))
            float(weights.sum())  # warned of in C++, of the frame that calls

    def warned(context: Any) -> list[tuple[str, int, str]]:
        monkeypatch.setitem(globals(), "__warningregistry__", {})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(filters)
            with context:
                steps()
        return [(each.filename, each.lineno, str(each.message)) for each in caught]

    always, shown = torch.is_warn_always_enabled(), warnings._showwarnmsg  # type: ignore[attr-defined]
    torch.set_warn_always(True)
    try:
        bare = warned(nullcontext())
        assert {file for file, _, _ in bare} == {__file__} and len(bare) >= 3
        assert warned(shapewatch.watch()) == bare
    finally:
        torch.set_warn_always(always)
    assert warnings._showwarnmsg is shown  # type: ignore[attr-defined]


# Ways to run a pass


def test_gradient_checkpointing() -> None:
    class Saves(nn.Module):
        def __init__(self, reentrant: bool) -> None:
            super().__init__()
            self.net, self.reentrant = Net(), reentrant

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return checkpoint(self.net, x.requires_grad_(), use_reentrant=self.reentrant)

    for reentrant in (False, True):
        model = Saves(reentrant)
        session = healthy(model, lambda model=model: train(model, [4] * 5))  # type: ignore[misc]
        assert session.report.recording.root == "Saves" and session.report.output == (4, 3)
        assert set(outermost(session)) == {"Saves"}
        model.net.wider = True
        assert fails(model, lambda model=model: train(model, [4]), "SW201").layer == "net"  # type: ignore[misc]


def test_autocast() -> None:
    model = Net()

    def loop() -> None:
        for size in [4] * 6:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = functional.cross_entropy(model(batch(size)), classes(size))
            loss.backward()
        model(batch(4))

    session = healthy(model, loop)
    dtypes = [session.report.recording.values[c.results[0]].spec.dtype for c in session.report.calls if c.layer == ""]
    assert {"bfloat16", "float32"} <= set(dtypes)


def test_transforms_of_functions() -> None:
    model = Net().eval()
    weights = dict(model.named_parameters())

    def loss(weights: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(model, weights, (x[None],)).sum()

    def loop() -> None:
        for width in (6, 6, 6, 7):
            torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, batch(5, width))

    assert fails(model, loop, "SW102").layer == "fc"


def test_workers_of_a_loader() -> None:
    model, data = Net(), TensorDataset(batch(9), classes(9))

    def loop() -> None:
        for epoch in range(2):
            loader = DataLoader(  # forked workers would inherit the locks of what other tests have imported
                data, batch_size=4, num_workers=2, drop_last=epoch == 0, multiprocessing_context="spawn"
            )
            for x, y in loader:
                functional.cross_entropy(model(x), y).backward()

    assert fails(model, loop, "SW507").layer == "norm"


def test_other_threads_run_as_if_nobody_watched() -> None:
    model, errors = Net().eval(), []

    def work(width: int) -> None:
        for _ in range(20):
            try:
                model(batch(4, width))
            except RuntimeError as error:
                errors.append(error)

    def loop() -> None:
        threads = [threading.Thread(target=work, args=(width,)) for width in (6, 5)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            model(batch())
        for thread in threads:
            thread.join()

    session, error = watched(model, loop)
    assert error is None and session.report.ok and session.report.output == (4, 3)
    assert len(errors) == 20 and not any(map(our_notes, errors))


def test_tasks_that_take_turns() -> None:
    model = Net().eval()

    async def work(passes: int) -> None:
        for _ in range(passes):
            model(batch())
            await asyncio.sleep(0)

    async def both() -> Session:
        with shapewatch.watch(model) as session:
            await asyncio.gather(work(10), work(20))
            model.wider = True
            with pytest.raises(RuntimeError):
                model(batch())
        return session

    session = asyncio.run(both())
    assert session.report.diagnoses[0].code == "SW201"


def test_a_generator_that_trains() -> None:
    model = Net()

    def steps() -> Iterator[int]:
        with shapewatch.watch(model) as session:
            for step in range(5):
                train(model, [4])
                yield step
            model.wider = True
            train(model, [4])
        raise AssertionError(session)

    error = failure(lambda: list(steps()))
    assert len(our_notes(error)) == 1 and "SW201" in our_notes(error)[0]


def test_nothing_of_a_loop_is_left_behind() -> None:
    from torch.optim import optimizer

    model = Net()
    hooks = (
        len(optimizer._global_optimizer_pre_hooks),
        len(optimizer._global_optimizer_post_hooks),
        len(nn.modules.module._global_forward_hooks),
    )
    for sizes in ([4] * 4, [4, 4, 1]):
        watched(model, lambda sizes=sizes: train(model, sizes))  # type: ignore[misc]
    assert hooks == (
        len(optimizer._global_optimizer_pre_hooks),
        len(optimizer._global_optimizer_post_hooks),
        len(nn.modules.module._global_forward_hooks),
    )
    assert not any(isinstance(mode, Instrument) for mode in _get_current_function_mode_stack())
