"""The Lightning callback, with the real `Trainer`."""

from __future__ import annotations

import functools
import logging
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from support.residual import our_notes, own_frames
from support.torchvision_ops import declare_operators
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

if find_spec("torchvision") is not None:
    declare_operators()  # Lightning imports it where it is installed
pl = pytest.importorskip("lightning.pytorch")

import shapewatch  # noqa: E402
from shapewatch.integrations.lightning import ShapeWatch  # noqa: E402
from shapewatch.watching import Session, ShapeWarning  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:UserWarning:lightning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*:FutureWarning"),
]

WIDTH, CLASSES = 6, 3


class Net(pl.LightningModule):  # type: ignore[misc, name-defined]
    """[N, 6] to [N, 3]; its steps call the layers, and there is no `forward`. `wrong` names the step that fails."""

    def __init__(self, wrong: str = "", body: int = WIDTH) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(body, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 6))
        self.head = nn.Linear(6, CLASSES)
        self.wrong = wrong

    def loss(self, batch: Any, step: str) -> torch.Tensor:
        x, y = batch
        scores = self.head(self.layers(x))
        return functional.cross_entropy(scores, y[1:] if self.wrong == step else y)

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss = self.loss(batch, "fit")
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("val_loss", self.loss(batch, "validate"))

    def test_step(self, batch: Any, _: int) -> None:
        self.loss(batch, "test")

    def predict_step(self, batch: Any, _: int) -> Any:
        return self.loss(batch, "predict")

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), 0.1)


def loader(count: int = 8, width: int = WIDTH) -> DataLoader[Any]:
    x = torch.arange(count * width, dtype=torch.float32).reshape(count, width)
    return DataLoader(TensorDataset(x, torch.arange(count) % CLASSES), batch_size=4)


def trainer(*callbacks: Any, **options: Any) -> Any:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    whole = {"accelerator": "cpu", "max_epochs": 2, "enable_checkpointing": False, **quiet, **options}
    return pl.Trainer(callbacks=list(callbacks), **whole)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    entered: list[Any] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: entered.append(self) or enter(self))
    yield entered


def failure(trains: Any, run: Callable[[], Any], kind: type[BaseException] = Exception) -> Any:
    """What leaves a run; the trainer has its own steps again, and nothing of ours is in the traceback."""
    with pytest.raises(kind) as caught:
        run()
    assert not any("step" in name for name in vars(trains.strategy))
    assert own_frames(caught.value) == []
    return caught.value


def test_a_healthy_run_is_looked_at_once_for_each_signature(sessions: list[Any]) -> None:
    watch = ShapeWatch()
    trains = trainer(watch, max_epochs=3)
    trains.fit(Net(), loader(10), loader(4))
    assert trains.global_step == 9
    assert len(sessions) == 3  # training in fours and in a last two, validation in fours
    assert watch.report is not None and watch.report.ok
    assert not any("step" in name for name in vars(trains.strategy))


@pytest.mark.parametrize("step", ["fit", "validate", "test", "predict"])
def test_a_loss_that_does_not_fit_in_any_step(step: str) -> None:
    watch, model = ShapeWatch(), Net(step)
    trains = trainer(watch)
    error = failure(trains, lambda: getattr(trains, step)(model, loader()), ValueError)
    assert len(our_notes(error)) == 1 and "cross_entropy" in our_notes(error)[0]
    assert watch.report is not None and watch.report.diagnoses[0].code == "SW803"


def test_the_validation_of_a_later_epoch() -> None:
    class Later(Net):
        def on_train_epoch_start(self) -> None:
            self.wrong = "validate" if self.current_epoch == 1 else ""

    watch = ShapeWatch()
    trains = trainer(watch, num_sanity_val_steps=0, check_val_every_n_epoch=2)
    error = failure(trains, lambda: trains.fit(Later(), loader(), loader()), ValueError)
    assert trains.current_epoch == 1 and len(our_notes(error)) == 1


def test_a_sanity_check_that_fails() -> None:
    trains = trainer(ShapeWatch())
    error = failure(trains, lambda: trains.fit(Net("validate"), loader(), loader()), ValueError)
    assert trains.global_step == 0 and len(our_notes(error)) == 1


def test_a_layer_is_named_by_its_path_in_the_module() -> None:
    watch = ShapeWatch()
    trains = trainer(watch)
    error = failure(trains, lambda: trains.fit(Net(body=7), loader()), RuntimeError)
    assert len(our_notes(error)) == 1
    diagnosis = watch.report.diagnoses[0] if watch.report is not None else None
    assert diagnosis is not None and diagnosis.code == "SW102"
    assert diagnosis.cause is not None and diagnosis.cause.layer == "layers.0"


def test_the_last_batch_of_a_later_run_with_another_width() -> None:
    """A signature that is new, of a model that was seen."""
    watch, model = ShapeWatch(), Net()
    trainer(watch).fit(model, loader())
    trains = trainer(watch)
    error = failure(trains, lambda: trains.test(model, loader(width=5)), RuntimeError)
    assert len(our_notes(error)) == 1 and watch.report is not None and not watch.report.ok


def test_a_step_that_fails_with_what_it_was_given_before() -> None:
    class Grows(Net):
        """Fails inside a block of its own in the second epoch, with batches as in the first."""

        def __init__(self) -> None:
            super().__init__()
            self.block = Block()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            self.block.wide = self.current_epoch == 1
            return self.block(batch[0]).sum()

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.other = nn.Linear(6, 6), nn.Linear(6, 8)
            self.wide = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + (self.other(x) if self.wide else self.fc(x))

    watch = ShapeWatch()
    trains = trainer(watch)
    error = failure(trains, lambda: trains.fit(Grows(), loader()), RuntimeError)
    assert len(our_notes(error)) == 1
    assert watch.report is not None and watch.report.diagnoses[0].code == "SW201"


def test_names_of_files_in_a_batch_are_no_signature(sessions: list[Any]) -> None:
    class Named(Net):
        def training_step(self, batch: Any, number: int) -> torch.Tensor:
            return super().training_step(batch[:2], number)

    rows = [(torch.zeros(6), torch.tensor(0), f"image{i}.png", i) for i in range(16)]
    trainer(ShapeWatch()).fit(Named(), DataLoader(rows, batch_size=4))  # type: ignore[arg-type]
    assert len(sessions) == 1


@pytest.mark.own_faults
@pytest.mark.parametrize("place", ["signature", "Session._diagnosed", "Instrument.finish", "explain_on"])
def test_a_fault_of_our_own_is_not_the_trainers(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from shapewatch.adapters.torch.instrument import Instrument
    from shapewatch.watching import session, steps

    def fault(*_: Any, **__: Any) -> Any:
        raise LookupError("a fault of our own")

    owners = {"signature": steps, "Session._diagnosed": Session, "Instrument.finish": Instrument, "explain_on": session}
    monkeypatch.setattr(owners[place], place.rpartition(".")[2], fault)
    trains = trainer(ShapeWatch())
    trains.fit(Net(), loader(), loader())
    assert trains.global_step == 4
    trains = trainer(ShapeWatch())
    failure(trains, lambda: trains.fit(Net("fit"), loader()), ValueError)


def test_several_optimizers() -> None:
    class Two(Net):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False

        def training_step(self, batch: Any, number: int) -> None:
            for optimizer in self.optimizers():
                optimizer.zero_grad()
                self.manual_backward(self.loss(batch, "fit" if number == 1 else "first"))
                optimizer.step()

        def configure_optimizers(self) -> Any:
            return [torch.optim.SGD(part.parameters(), 0.1) for part in (self.layers, self.head)]

    watch = ShapeWatch()
    trains = trainer(watch)
    trains.fit(Two(), loader())
    assert watch.report is not None and watch.report.ok
    watch, model = ShapeWatch(), Two()
    model.wrong = "fit"
    trains = trainer(watch)
    error = failure(trains, lambda: trains.fit(model, loader(6)), ValueError)
    assert len(our_notes(error)) == 1 and trains.global_step == 2


class ByHand(Net):
    """Two optimizers, stepped by hand; the second batch of an epoch is led past the body, or is not."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__(wrong)
        self.automatic_optimization = False

    def training_step(self, batch: Any, index: int) -> None:
        for optimizer in self.optimizers():
            optimizer.zero_grad()
            self.manual_backward(self.loss(batch, "fit"))
            optimizer.step()
        if self.wrong == "past" and index == 1:
            self.layers[3](batch[0])

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(part.parameters(), 0.1) for part in (self.layers, self.head)]


def test_steps_by_hand(sessions: list[Any]) -> None:
    watch = ShapeWatch()
    trainer(watch).fit(ByHand(), loader(12))
    assert len(sessions) == 1 and watch.report is not None and watch.report.ok
    trains, watch = trainer(ShapeWatch()), ShapeWatch()
    error = failure(trains, lambda: trains.fit(ByHand("past"), loader(12)))
    (note,) = our_notes(error)
    assert "Linear takes vectors of 8 and is given 6" in note and "self.layers[3](batch[0])" in note


class Hooks(Net):
    """Calls its layers in hooks, outside of every step."""

    def asks(self, hook: str) -> None:
        if self.wrong == hook:
            self.layers(torch.ones(2, WIDTH + 1))

    def on_train_batch_end(self, *_: Any) -> None:
        self.asks("on_train_batch_end")

    def on_before_optimizer_step(self, *_: Any) -> None:
        self.asks("on_before_optimizer_step")

    def on_validation_epoch_end(self) -> None:
        self.asks("on_validation_epoch_end")


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_before_optimizer_step", "on_validation_epoch_end"])
def test_a_hook_that_calls_the_model(hook: str) -> None:
    watch = ShapeWatch()
    trains = trainer(watch, num_sanity_val_steps=0)
    error = failure(trains, lambda: trains.fit(Hooks(hook), loader(), loader()))
    assert len(our_notes(error)) == 1
    assert watch.report is not None and watch.report.diagnoses[0].code == "SW102"
    cause = watch.report.diagnoses[0].cause
    assert cause is not None and "in_features is 6, where 7 fits" in cause.reason


def test_a_batch_that_cannot_be_collected() -> None:
    """It fails outside of every step; what is said comes from the words."""
    rows = [(torch.zeros(6 if i < 5 else 5), torch.tensor(0)) for i in range(8)]
    trains = trainer(ShapeWatch())
    error = failure(trains, lambda: trains.fit(Net(), DataLoader(rows, batch_size=4)), RuntimeError)  # type: ignore[arg-type]
    assert len(our_notes(error)) == 1


def test_an_error_that_is_not_of_shapes_is_left_alone() -> None:
    class Stops(Net):
        def training_step(self, *_: Any) -> torch.Tensor:
            raise KeyError("a label that is not in the table")

    watch = ShapeWatch()
    trains = trainer(watch)
    assert our_notes(failure(trains, lambda: trains.fit(Stops(), loader()), KeyError)) == []
    assert watch.report is not None and watch.report.ok


class Interrupts(Net):
    def training_step(self, batch: Any, number: int) -> torch.Tensor:
        self.layers(batch[0])
        if number == 1:
            raise KeyboardInterrupt
        return super().training_step(batch, number)


def test_an_interrupt() -> None:
    """Lightning makes a `SystemExit` of it. What a watch holds is gone: see `nothing_left_behind`."""
    import signal

    before = signal.getsignal(signal.SIGINT)
    try:
        trains = trainer(ShapeWatch())
        failure(trains, lambda: trains.fit(Interrupts(), loader()), SystemExit)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_that_the_loop_catches() -> None:
    """Lightning skips a step that gives None; what a step swallows is its own affair."""

    class Copes(Net):
        def training_step(self, batch: Any, number: int) -> Any:
            try:
                return self.layers(batch[0][:, 1:]).sum()
            except RuntimeError:
                return super().training_step(batch, number)

    watch = ShapeWatch()
    trains = trainer(watch)
    trains.fit(Copes(), loader())
    assert trains.global_step == 4 and watch.report is not None and watch.report.ok


class Adds(Net):
    """Adds what has one feature to what has six."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.gate = nn.Linear(6, 6), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.main(x) + self.gate(x))

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        return self(batch[0]).sum()


def test_what_looks_wrong_is_told_once() -> None:
    watch = ShapeWatch()
    with pytest.warns(ShapeWarning, match="SW291") as told:
        trainer(watch).fit(Adds(), loader(10), loader(4))
    ours = [warning for warning in told if warning.category is ShapeWarning]
    assert len(ours) == 1 and ours[0].filename == __file__
    assert watch.report is not None and [each.code for each in watch.report.diagnoses] == ["SW291"]


def test_what_looks_wrong_is_allowed() -> None:
    watch = ShapeWatch(warnings="allow")
    trainer(watch).fit(Adds(), loader())
    assert watch.report is not None and watch.report.diagnoses == ()


def test_what_looks_wrong_ends_the_run() -> None:
    trains = trainer(ShapeWatch(warnings="raise"))
    failure(trains, lambda: trains.fit(Adds(), loader()), ShapeWarning)


def test_there_is_no_other_wish() -> None:
    with pytest.raises(ValueError, match="warnings is one of"):
        ShapeWatch(warnings="ignore")  # type: ignore[arg-type]


def test_a_checkpoint_is_what_it_would_be(tmp_path: Path) -> None:
    """Bit for bit: weights, state of the optimizer, loops, and no state of ours."""

    def checkpoint(name: str, *callbacks: Any) -> bytes:
        pl.seed_everything(3, verbose=False)
        trains = trainer(*callbacks)
        trains.fit(Net(), loader(10), loader(4))
        (tmp_path / name).mkdir()
        trains.save_checkpoint(tmp_path / name / "last.ckpt")
        return (tmp_path / name / "last.ckpt").read_bytes()

    bare = checkpoint("bare")
    assert checkpoint("again") == bare  # or the next line would say nothing
    assert checkpoint("watched", ShapeWatch()) == bare


def test_a_callback_is_pickled_without_what_it_saw() -> None:
    watch = ShapeWatch(warnings="allow")
    trainer(watch).fit(Net(), loader())
    again = pickle.loads(pickle.dumps(watch))
    assert again.report is None
    trainer(again).fit(Adds(), loader())
    assert again.report is not None and again.report.diagnoses == ()  # it still allows


def test_a_compiled_module_is_explained_by_the_words(sessions: list[Any]) -> None:
    model = Net(body=7)
    trains = trainer(ShapeWatch())
    error = failure(trains, lambda: trains.fit(torch.compile(model, backend="eager"), loader()), RuntimeError)
    assert sessions == [] and len(our_notes(error)) == 1


OLDER_NAME = """
import pytorch_lightning as pl, sys
from shapewatch.integrations.lightning import ShapeWatch
assert "lightning.pytorch" not in sys.modules
assert issubclass(ShapeWatch, pl.Callback)
"""


def test_it_is_a_callback_of_the_package_under_its_older_name() -> None:
    pytest.importorskip("pytorch_lightning")
    declared = "from support.torchvision_ops import declare_operators; declare_operators()\n"
    program = (declared if find_spec("torchvision") is not None else "") + OLDER_NAME
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


# Without the callback


def test_a_block_around_the_trainer() -> None:
    model = Net("validate")
    trains = trainer()
    with pytest.raises(ValueError) as caught, shapewatch.watch(model) as session:
        trains.fit(model, loader(), loader())
    assert len(our_notes(caught.value)) == 1 and session.report.diagnoses[0].code == "SW803"


def test_a_block_around_the_trainer_and_the_callback() -> None:
    model = Net("fit")
    trains = trainer(ShapeWatch())
    with pytest.raises(ValueError) as caught, shapewatch.watch(model):
        trains.fit(model, loader())
    assert len(our_notes(caught.value)) == 1


def test_a_decorated_module_sees_its_forward_only() -> None:
    @shapewatch.watch
    class Decorated(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.layers(x))

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return functional.cross_entropy(self(batch[0]), batch[1])

    trains = trainer()
    with pytest.raises(RuntimeError) as caught:
        trains.fit(Decorated(body=7), loader())
    assert len(our_notes(caught.value)) == 1
    trains = trainer()
    with pytest.raises(ValueError) as outside:
        trains.test(Decorated("test"), loader())
    assert our_notes(outside.value) == []
    watched = trainer(ShapeWatch())
    error = failure(watched, lambda: watched.test(Decorated("test"), loader()), ValueError)
    assert len(our_notes(error)) == 1


def test_what_the_documentation_shows() -> None:
    text = (Path(__file__).parents[1] / "docs" / "integrations.md").read_text(encoding="utf-8")
    (block,) = [
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "integrations.lightning" in block
    ]
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    names: dict[str, Any] = {"model": Net("fit"), "loader": loader()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pl, "Trainer", functools.partial(pl.Trainer, accelerator="cpu", **quiet))
        with pytest.raises(ValueError) as caught:
            exec(block, names)
    assert len(our_notes(caught.value)) == 1 and not names["watch"].report.ok
