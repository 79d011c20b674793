"""A callback for the `Trainer` of Hugging Face's Transformers."""

from __future__ import annotations

import sys
from functools import partial
from types import FrameType
from typing import Any

from transformers import Trainer, TrainerCallback

from shapewatch.firewall import attempt
from shapewatch.report import Report
from shapewatch.watching.steps import ExplainedRun, Steps, WatchedStep
from shapewatch.watching.wishes import OnWarning

_STEPS = {"training_step": WatchedStep, "prediction_step": WatchedStep}
_RUNS = {"_inner_training_loop": ExplainedRun, "evaluation_loop": ExplainedRun}
"""Not `train` and `evaluate`: whoever calls `Trainer(…).train()` leaves it to the method to keep the trainer alive."""


class ShapeWatch(TrainerCallback):
    """Explains the shape errors of a training, evaluation or prediction step, losses included, and those between the
    steps: of a batch that is collected, of metrics.

        trainer = Trainer(model, args, callbacks=[ShapeWatch()], train_dataset=…)
        trainer.train()

    Each new signature of inputs is looked at once. What runs and looks wrong is told of once, as a `ShapeWarning`.
    It acts for as long as it is among the trainer's callbacks: `trainer.remove_callback` ends it.

    Args:
        warnings: about what runs and looks wrong, as for `shapewatch.watch`: `allow`, `warn` or `raise`.
    """

    def __init__(self, warnings: OnWarning = "warn") -> None:
        self._steps = Steps(warnings)

    @property
    def report(self) -> Report | None:
        """Of the step that went worst, of several alike the latest; None where no step was looked at."""
        return self._steps.report

    def on_init_end(self, *_: Any, **__: Any) -> None:
        """Before anything runs: there is no event at the beginning of an evaluation."""
        attempt(self._put_before, sys._getframe(1))

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """For a callback that was added later."""
        attempt(self._put_before, sys._getframe(1))

    def _put_before(self, frame: FrameType) -> None:
        """Before the steps of the trainer that runs in a frame, or below it."""
        trainer = _trainer_above(frame)
        for name, watched in (_STEPS | _RUNS).items() if trainer is not None else ():
            if hasattr(trainer, name) and not isinstance(vars(trainer).get(name), WatchedStep):
                watched(self._steps, trainer, name, partial(_model, self._steps), _inputs).put()


def _trainer_above(frame: FrameType | None) -> Trainer | None:
    """The trainer that tells its callbacks of an event. It hands them everything but itself, and has no event for an
    exception; so that one is explained, the step has to be watched and not what is around it."""
    while frame is not None:
        if isinstance(trainer := frame.f_locals.get("self"), Trainer):
            return trainer
        frame = frame.f_back
    return None


def _model(steps: Steps, trainer: Trainer) -> Any:
    """None where the callback was taken out of the trainer's."""
    callbacks = trainer.callback_handler.callbacks
    return trainer.model if any(getattr(each, "_steps", None) is steps for each in callbacks) else None


def _inputs(model: Any = None, inputs: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG001 - as the trainer names it
    return inputs
