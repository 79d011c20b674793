"""A callback for `fit`, `evaluate` and `predict` of Keras."""

from __future__ import annotations

import sys
import weakref
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from shapewatch.firewall import attempt
from shapewatch.report import Report
from shapewatch.watching.steps import Steps, WatchedStep
from shapewatch.watching.wishes import OnWarning

_STEPS = ("train_step", "test_step", "predict_step")
_FUNCTIONS = ("train_function", "test_function", "predict_function")
"""What Keras makes of the steps, compiled mostly, and keeps."""


class ShapeWatch(keras.callbacks.Callback):
    """Explains the shape errors of `fit`, `evaluate` and `predict`, losses and metrics included.

        model.fit(x, y, callbacks=[ShapeWatch()])

    Each new signature of batches is looked at once: where the step is compiled, while it is traced. What runs and looks
    wrong is told of once, as a `ShapeWarning`.

    A model that was never called Keras builds before it makes its list of callbacks, save on TensorFlow. What fails
    there no callback hears of; `with shapewatch.watch(): model.fit(...)` explains it.

    Args:
        warnings: about what runs and looks wrong, as for `shapewatch.watch`: `allow`, `warn` or `raise`.
    """

    def __init__(self, warnings: OnWarning = "warn") -> None:
        super().__init__()
        self._steps = Steps(warnings)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._put: list[WatchedStep] = []
        self._made: dict[str, Any] = {}
        self._fits = False

    @property
    def report(self) -> Report | None:
        """Of the step that went worst, of several alike the latest; None where no step was looked at."""
        return self._steps.report

    def set_model(self, model: Any) -> None:
        """The first that a callback hears of a run, and before Keras makes functions of the steps."""
        super().set_model(model)
        attempt(self._put_on, model, sys._getframe(1).f_locals.get("self"))

    def _put_on(self, model: Any, run: Any) -> None:
        self._let_go()
        if _compiled_by_torch(model):
            return
        for name in _STEPS:
            self._put_before(WatchedStep(self._steps, model, name, _itself, _data, self._step_failed))
        for name in _FUNCTIONS:  # one that was made before has the steps as they were
            self._made[name], vars(model)[name] = vars(model).get(name), None
        self._let_go_with(run)

    def _put_before(self, step: WatchedStep) -> None:
        step.put()
        self._put.append(step)

    def _let_go_with(self, run: Any) -> None:
        """Keras tells no callback of an exception. Of one that comes from elsewhere than a step, all that is left is
        that the list of callbacks dies, which is made for the run."""
        if isinstance(run, keras.callbacks.CallbackList):
            weakref.finalize(run, attempt, _let_go_of, self._put).atexit = False

    def _let_go(self) -> None:
        _let_go_of(self._put)
        self._begin_anew()

    def _take_away(self) -> None:
        """At the end of a run. What was compiled before it is there again."""
        made = self._made
        model: Any = self._model  # not `self.model`: to ask for that, on JAX, writes to the model
        self._let_go()
        vars(model).update(made)

    def _step_failed(self, _: BaseException) -> None:
        self._take_away()

    def _function_failed(self, error: BaseException) -> None:
        """A graph fails where it runs, and that is long after its step was traced."""
        if isinstance(error, StopIteration) or type(error).__name__ == "OutOfRangeError":
            return  # the end of an epoch
        self._take_away()
        self._steps.explain(error)

    def _begins(self, function: str) -> None:
        if self._put and not isinstance(vars(self._model).get(function), WatchedStep):
            self._put_before(
                WatchedStep(self._steps, self._model, function, _nothing, _data, self._function_failed, _out_of_sight)
            )

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self._fits = True
        attempt(self._begins, "train_function")

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        attempt(self._begins, "test_function")

    def on_predict_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        attempt(self._begins, "predict_function")

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        attempt(self._take_away)

    def on_test_end(self, logs: Any = None) -> None:  # noqa: ARG002
        if not self._fits:
            attempt(self._take_away)

    def on_predict_end(self, logs: Any = None) -> None:  # noqa: ARG002
        attempt(self._take_away)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_put": [], "_made": {}, "_fits": False}


def _let_go_of(steps: list[WatchedStep]) -> None:
    """Perhaps some time after their run. The model may have been compiled anew since, so the functions that were made
    of these steps are left where they are; the steps in them watch no more."""
    for step in reversed(steps):
        step.take_away()


def _itself(model: Any) -> Any:
    return model


def _nothing(_: Any) -> None:
    """What is compiled is not looked at while it runs."""


def _out_of_sight() -> AbstractContextManager[Any]:
    """TensorFlow says in an error where the failing node was made. That we stood there is nobody's business."""
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    from shapewatch.adapters.tensorflow.taps import NotOurs

    return NotOurs(frozenset({WatchedStep.__call__.__code__.co_filename}))


def _data(*given: Any) -> Any:
    """On JAX the state of the model comes first."""
    return given[-1]


def _compiled_by_torch(model: Any) -> bool:
    """A step that Dynamo reads cannot be watched: it would read the watching too."""
    compiles = getattr(model, "_should_torch_compile", None)
    return bool(compiles is not None and compiles())
