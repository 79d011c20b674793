"""Every function of shapewatch is made to fail, one at a time, while a trainer has its callback.

Keras's callback is in `test_fault_injection_keras.py`.
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from conftest import surroundings
from support.faults import COMMON, OF_A_BLOCK, OF_STEPS, OF_TAPS, Program, Trial, Watch, unwatched, without_caches
from support.faults_in_torch import ENDS, OF_A_TRIAL, OF_PYTORCH, put_back
from support.torchvision_ops import declare_operators
from torch import nn

if find_spec("torchvision") is not None:
    declare_operators()  # both libraries import it where it is installed
pl = pytest.importorskip("lightning.pytorch")
pytest.importorskip("accelerate")
transformers = pytest.importorskip("transformers")

from shapewatch.integrations import lightning as of_lightning  # noqa: E402
from shapewatch.integrations import transformers as of_transformers  # noqa: E402

pytestmark = [pytest.mark.own_faults, pytest.mark.filterwarnings("ignore")]

quiet = pytest.fixture(autouse=True)(without_caches)

PARTS = (*COMMON, "adapters.torch", "adapters.collectives")

WALL = OF_A_BLOCK | OF_TAPS | OF_STEPS | OF_PYTORCH


class Steps(nn.Module):
    """[N, 6] to a loss; with `wide` its branches do not fit."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two = nn.Linear(6, 4), nn.Linear(6, wide)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> Any:  # noqa: ARG002
        return {"loss": (self.one(x) + self.two(x)).mean()}


def weights(model: nn.Module) -> Any:
    return [parameter.tolist() for parameter in model.parameters()], torch.rand(1).tolist()


def with_lightning(watch: Watch, wide: int) -> Any:
    class Module(pl.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = Steps(wide)

        def training_step(self, batch: Any, _: int) -> Any:
            return self.net(batch)["loss"]

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    model = Module()
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[] if watch is unwatched else [of_lightning.ShapeWatch()],
    )  # fmt: skip
    trainer.fit(model, torch.utils.data.DataLoader(torch.ones(5, 6), batch_size=2))  # type: ignore[arg-type]
    return weights(model)


def with_transformers(watch: Watch, wide: int) -> Any:
    model = Steps(wide)
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, max_steps=3, per_device_train_batch_size=2, use_cpu=True, report_to=[], disable_tqdm=True,
            save_strategy="no", logging_strategy="no",
        )  # fmt: skip
        rows = [{"x": torch.ones(6), "labels": torch.tensor(0)} for _ in range(6)]
        watching = [] if watch is unwatched else [of_transformers.ShapeWatch()]
        trainer = transformers.Trainer(model, arguments, train_dataset=rows, callbacks=watching)
        trainer.remove_callback(transformers.PrinterCallback)  # it prints how long that took
        trainer.train()
    return weights(model)


TRAINERS: dict[str, tuple[str, Program]] = {
    "Lightning": ("lightning", lambda watch: with_lightning(watch, 4)),
    "Lightning, fails": ("lightning", lambda watch: with_lightning(watch, 3)),
    "Transformers": ("transformers", lambda watch: with_transformers(watch, 4)),
    "Transformers, fails": ("transformers", lambda watch: with_transformers(watch, 3)),
}

OF_CALLBACKS = {
    "lightning": ("__init__", "report", "setup", "on_exception", "teardown"),
    "transformers": ("__init__", "report", "on_init_end", "on_train_begin"),
}


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 197], ids=["all", "some"])
@pytest.mark.parametrize("name", TRAINERS)
def test_a_trainer_comes_to_the_same(name: str, every: int) -> None:
    library, program = TRAINERS[name]
    part = f"integrations.{library}"
    trial = Trial(program, (*PARTS, part), WALL, surroundings, put_back, OF_A_TRIAL, (*ENDS, part), silent=True)
    wall = {f"{part}.ShapeWatch.{method}" for method in OF_CALLBACKS[library]} & {p.name for p in trial.reached()}
    assert [wrong for wrong in trial.wrong(every) if wrong.partition(":")[0] not in wall] == []
