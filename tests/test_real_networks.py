"""Real architectures, healthy and broken: a fixed small sample on every run, all of them with `-m zoo`.

The sample is drawn by seed, not chosen; `benchmarks/README.md` says how mutants are made and what is counted.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks import healthy, mutation, zoo
from benchmarks.outcomes import Outcome, in_words
from benchmarks.workers import Skipped

SAMPLE = (
    "handwritten/preact_resnet",
    "handwritten/unet_transposed",
    "handwritten/transformer_own",
    "torchvision/resnet18",
    "torchvision/mobilenet_v2",
    "timm/convnext_atto",
)
EVERY = tuple(architecture.name for architecture in zoo.select())


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def outcomes(name: str, per_model: int) -> list[Outcome]:
    sent: list[Any] = []
    options = mutation.Options(per_model=per_model, seed=0, mode="eval", timeout=60, only="", explain=False)
    mutation.break_one(name, sent.append, options)
    skipped = [answer.reason for answer in sent if isinstance(answer, Skipped)]
    assert not skipped, f"{name} could not be built: {skipped[0]}"
    assert sent, f"no mutant of {name} raises"
    return sent


def shown(found: list[Outcome]) -> str:
    return "\n".join(in_words(outcome) for outcome in found)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_broken_network_is_explained(name: str) -> None:
    """No false claim, no fault of our own; the changed layer named and the first fix true in all but one of four."""
    found = outcomes(name, 4)
    assert [o for o in found if o.false_claim or o.trouble] == [], shown(found)
    assert sum(o.is_named for o in found) >= len(found) - 1, shown(found)
    assert sum(o.first_true for o in found) >= len(found) - 1, shown(found)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_healthy_network_is_left_alone(name: str) -> None:
    assert_left_alone(name)


def assert_left_alone(name: str) -> None:
    sent: list[Any] = []
    healthy.check_one(name, sent.append)
    assert sent
    assert [problem for check in sent for problem in getattr(check, "problems", ())] == []


@pytest.mark.zoo
@pytest.mark.parametrize("name", EVERY)
def test_every_healthy_network_is_left_alone(name: str) -> None:
    assert_left_alone(name)


@pytest.mark.zoo
def test_broken_networks_all_together() -> None:
    """The goals of the project, on architectures that the rules were not tuned on."""
    found = [o for name in EVERY if zoo.find(name).held_out for o in outcomes(name, 2)]
    assert [o for o in found if o.false_claim or o.trouble] == []
    assert sum(o.is_named for o in found) >= 0.9 * len(found)
    assert sum(o.first_true for o in found) >= 0.9 * len(found)
