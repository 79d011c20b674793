"""Real Keras models, healthy and broken: a fixed small sample on every run, all of them with `-m zoo`.

`benchmarks/keras_mutation.py` says how mutants are made and what is counted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from benchmarks import keras_healthy, keras_mutation, keras_zoo  # noqa: E402 - they need Keras
from benchmarks.outcomes import Outcome, in_words  # noqa: E402

SAMPLE = (
    "applications/MobileNetV3Small",
    "handwritten/functional_resnet",
    "handwritten/basic_resnet",
    "handwritten/unet_lists",
    "handwritten/highway",
)
EVERY = tuple(architecture.name for architecture in keras_zoo.select())


def outcomes(name: str, per: int) -> list[Outcome]:
    sent: list[Any] = []
    keras_mutation.break_one(name, sent.append, keras_mutation.Options(per=per, seed=0))
    assert sent, f"no mutant of {name} raises"
    return sent


def shown(found: list[Outcome]) -> str:
    return "\n".join(in_words(outcome) for outcome in found)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_broken_network_is_explained(name: str) -> None:
    """One slip, in every way to run it: no false claim, no fault of our own; the layer named, the first fix true."""
    found = outcomes(name, 1)
    assert [o for o in found if not o.right] == [], shown(found)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_healthy_network_is_left_alone(name: str) -> None:
    assert_left_alone(name, ("eager", "function"))  # `fit` and training take seconds: with `-m zoo`


def assert_left_alone(name: str, among: Sequence[str] = keras_healthy.WAYS) -> None:
    sent: list[Any] = []
    keras_healthy.check_one(name, sent.append, among)
    assert sent
    assert [problem for check in sent for problem in check.problems] == []


# The check itself: a watcher that does not leave the program alone is seen


def leaves_a_patch() -> None:
    original = keras.layers.Dense.call
    keras.layers.Dense.call = lambda self, *args, **kwargs: original(self, *args, **kwargs)


MEDDLING: dict[str, tuple[Callable[[], Any], str]] = {
    "a random number": (random.random, "other Python's generator"),
    "a layer of its own": (lambda: keras.layers.Dense(3), "other Keras's global object_name_uids"),
    "a weight of another value": (lambda: tf.random.set_seed(3), "TensorFlow's generator"),
    "a patch": (leaves_a_patch, "left behind: keras.src.layers.core.dense.Dense.call"),
    "traceback filtering": (keras.config.disable_traceback_filtering, "left behind: traceback filtering of Keras"),
}


@pytest.mark.parametrize("what", MEDDLING)
def test_meddling_is_seen(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    meddle, problem = MEDDLING[what]
    call, filtering = keras.layers.Dense.call, keras.config.is_traceback_filtering_enabled()

    @contextmanager
    def watch(_: Any = None) -> Iterator[Any]:
        yield SimpleNamespace(report=SimpleNamespace(diagnoses=(), calls=(1,)))
        meddle()

    monkeypatch.setattr("shapewatch.watch", watch)
    architecture = keras_zoo.find("handwritten/residual_mlp")
    try:
        check = keras_healthy.checked(architecture, "eager", architecture.built(), ((2, 5),))
    finally:
        keras.layers.Dense.call = call
        if filtering:
            keras.config.enable_traceback_filtering()
    assert any(problem in found for found in check.problems), check.problems


@pytest.mark.zoo
@pytest.mark.parametrize("name", EVERY)
def test_every_healthy_network_is_left_alone(name: str) -> None:
    assert_left_alone(name)


@pytest.mark.zoo
def test_broken_networks_all_together() -> None:
    """The goals of the project, on architectures that the rules were not tuned on."""
    found = [o for name in EVERY if keras_zoo.find(name).held_out for o in outcomes(name, 2)]
    assert [o for o in found if o.false_claim or o.trouble] == []
    assert sum(o.is_named for o in found) >= 0.9 * len(found)
    assert sum(o.first_true for o in found) >= 0.85 * len(found)
