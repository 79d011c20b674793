"""A callback for Lightning's `Trainer`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from shapewatch.firewall import attempt
from shapewatch.report import Report
from shapewatch.watching.steps import Steps, WatchedStep
from shapewatch.watching.wishes import OnWarning

if TYPE_CHECKING or "pytorch_lightning" not in sys.modules or "lightning.pytorch" in sys.modules:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import Callback
else:  # the same under its older name; callbacks of the one are none of the other's
    from pytorch_lightning import LightningModule, Trainer
    from pytorch_lightning.callbacks import Callback

_STEPS = ("training_step", "validation_step", "test_step", "predict_step")


class ShapeWatch(Callback):
    """Explains the shape errors of a training, validation, test or prediction step.

        trainer = Trainer(callbacks=[ShapeWatch()])
        trainer.fit(model, loader)

    Each new signature of batches is looked at once. What runs and looks wrong is told of once, as a `ShapeWarning`.

    Args:
        warnings: about what runs and looks wrong, as for `shapewatch.watch`: `allow`, `warn` or `raise`.
    """

    def __init__(self, warnings: OnWarning = "warn") -> None:
        self._steps = Steps(warnings)
        self._put: list[WatchedStep] = []

    @property
    def report(self) -> Report | None:
        """Of the step that went worst, of several alike the latest; None where no step was looked at."""
        return self._steps.report

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002
        attempt(self._put_on, trainer)

    def _put_on(self, trainer: Trainer) -> None:
        self._take_away()
        # the strategy's, not the module's: they are outside of what wraps the module, and of what is saved
        self._put = [WatchedStep(self._steps, trainer.strategy, name, _model, _batch) for name in _STEPS]
        for step in self._put:
            step.put()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:  # noqa: ARG002
        """Also what failed outside of a step: while a batch is collected, say."""
        attempt(self._take_away)
        attempt(self._steps.explain, exception)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002
        attempt(self._take_away)

    def _take_away(self) -> None:
        for step in self._put:
            step.take_away()
        self._put = []


def _model(strategy: Any) -> LightningModule | None:
    """None for a compiled module: its steps are compiled too, and would be compiled again for being watched."""
    module: LightningModule | None = strategy.lightning_module
    return None if module is None or module._compiler_ctx is not None else module


def _batch(batch: Any, _batch_idx: Any = None, dataloader_idx: Any = None, **_: Any) -> Any:
    return batch, dataloader_idx
