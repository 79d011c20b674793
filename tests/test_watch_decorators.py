"""`@watch` on model classes and on functions."""

from __future__ import annotations

import copy
import functools
import pickle
from typing import Any

import pytest
import torch
from support.residual import Block, Net, failure, frames, image, our_notes, own_frames, run
from torch import nn

import shapewatch
from shapewatch.watching import Session, ShapeWarning


def test_a_decorated_class_stays_what_it_is() -> None:
    class Plain(Net):
        pass

    decorated = shapewatch.watch(Plain)
    assert decorated is Plain
    model = decorated()
    with_options = shapewatch.watch()(type("Other", (Net,), {}))
    assert issubclass(with_options, Net) and with_options.__name__ == "Other"
    assert isinstance(model, nn.Module) and set(model.state_dict()) == set(Net().state_dict())
    assert set(vars(model)) == set(vars(Net()))
    twin = copy.deepcopy(model)
    assert torch.equal(twin(image()), model(image()))


@shapewatch.watch
class Decorated(Net):
    """At module level, where pickle finds it."""


def test_a_decorated_model_is_pickled() -> None:
    model = Decorated()
    model(image())
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is Decorated
    assert torch.equal(again(image()), model(image()))


def test_a_decorated_class_looks_once_at_each_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = counted_sessions(monkeypatch)
    model = shapewatch.watch(type("Counted", (Net,), {}))()
    for batch in (1, 1, 2, 1, 2):
        model(image(batch))
    assert len(sessions) == 2
    model.eval()(image(2))
    assert len(sessions) == 3


def counted_sessions(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    entered: list[Any] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: entered.append(self) or enter(self))
    return entered


def test_nested_decorated_classes_are_watched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = counted_sessions(monkeypatch)
    outer = shapewatch.watch(type("Outer", (Net,), {}))(stride=2)
    outer.block.__class__ = shapewatch.watch(type("Inner", (Block,), {}))
    error = failure(lambda: outer(image()))
    assert len(sessions) == 1 and len(our_notes(error)) == 1
    assert "block" in our_notes(error)[0]


def test_a_decorated_model_that_fails() -> None:
    model = shapewatch.watch(type("Failing", (Net,), {}))(stride=2)
    for _ in range(2):
        error = failure(lambda: run(model, image()))
        assert type(error) is RuntimeError and len(our_notes(error)) == 1
        assert own_frames(error) == []


def test_a_later_pass_with_another_batch_size_is_explained() -> None:
    @shapewatch.watch
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 3)
            self.fits = True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.fc(x)
            return y + (x if not self.fits else y)

    model = Fixed()
    model(torch.zeros(2, 6))
    error = failure(lambda: model(torch.zeros(5, 7)))
    assert len(our_notes(error)) == 1
    model.fits = False  # the same signature as the first pass, which was looked at
    later = failure(lambda: run(model, torch.zeros(2, 6)))
    assert len(our_notes(later)) == 1 and "SW2" in our_notes(later)[0]
    assert own_frames(later) == []


def test_a_decorated_model_warns_of_a_silent_broadcast() -> None:
    @shapewatch.watch
    class Broadcasts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.project = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x) + self.project(x)

    model = Broadcasts()
    with pytest.warns(ShapeWarning, match="SW291") as caught:
        model(image())
    assert caught[0].filename == __file__
    model(image())  # looked at already; a second warning would be an error here


@pytest.mark.parametrize("decorate", [shapewatch.watch, shapewatch.watch()], ids=["bare", "called"])
def test_a_decorated_function(decorate: Any) -> None:
    @decorate
    def train(model: nn.Module, steps: int = 2) -> int:
        """Trains."""
        for _ in range(steps):
            model(image())
        return steps

    assert train(Net(), steps=3) == 3
    assert (train.__name__, train.__doc__) == ("train", "Trains.")
    error = failure(lambda: train(Net(stride=2)))
    assert len(our_notes(error)) == 1
    assert own_frames(error) == []
    assert [name for _, name, _ in frames(error)][:2] == ["<lambda>", "train"]


def test_a_partial_of_a_function_is_decorated() -> None:
    assert shapewatch.watch(functools.partial(run, Net()))(image()).shape == (1, 4, 8, 8)
