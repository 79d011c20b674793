"""Every function of shapewatch is made to fail, one at a time, on one of several ranks.

PyTorch has a group whose operations do nothing, so that one process can be one of two.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import surroundings
from support.faults import COMMON, OF_A_BLOCK, OF_TAPS, Trial, Watch, without_caches
from support.faults_in_torch import ENDS, OF_A_TRIAL, OF_PYTORCH, put_back
from torch import distributed, nn
from torch.testing._internal.distributed import fake_pg  # noqa: F401 - it makes the group known

from shapewatch.adapters.collectives import Begun, Collective
from shapewatch.ranks.words import Word
from shapewatch.recording import TensorSpec

pytestmark = [pytest.mark.own_faults, pytest.mark.filterwarnings("ignore")]

quiet = pytest.fixture(autouse=True)(without_caches)

PARTS = (*COMMON, "adapters.torch", "adapters.collectives")

WALL = OF_A_BLOCK | OF_TAPS | OF_PYTORCH

THERE = Word(
    1,
    begun=Begun("0", 0, 1, 1),
    recent=(Collective("all_gather", "0", 0, 0, 0, (TensorSpec((5, 3), "float32"),)),),
    answers=1 << 40,
).to_json()
"""What the other rank has put up: it brings other shapes to the same collective."""


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from shapewatch.ranks import member

    monkeypatch.setenv("SHAPEWATCH_DIR", str(tmp_path))
    for name in ("PATIENCE", "PATIENCE_IN_ALL", "GRACE", "LOOK"):
        monkeypatch.setattr(member, name, 0.02)


def ranks(watch: Watch, fails: bool, parts: bool) -> Any:
    """The other rank does nothing, or has put up that it brings other shapes to the same collective."""
    store, hook = distributed.HashStore(), sys.excepthook
    distributed.init_process_group("fake", store=store, rank=0, world_size=2)
    try:
        if parts:
            store.set("shapewatch/rank/1", THERE)
        model = nn.Linear(3, 3)
        with watch():
            y = model(torch.ones(2, 3)).detach()
            shares = [torch.empty_like(y) for _ in range(2)]
            distributed.all_gather(shares, y)
            if fails:
                y @ torch.ones(2, 3)
        return tuple(shares[0].shape)
    finally:
        distributed.destroy_process_group()
        sys.excepthook = hook  # PyTorch has put one of its own there


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.zoo), 61], ids=["all", "some"])
@pytest.mark.parametrize("fails", [False, True], ids=["sound", "fails"])
@pytest.mark.parametrize("parts", [False, True], ids=["alone", "parts"])
def test_a_rank_comes_to_the_same(fails: bool, parts: bool, every: int) -> None:
    trial = Trial(
        lambda watch: ranks(watch, fails, parts), PARTS, WALL, surroundings, put_back, OF_A_TRIAL,
        (*ENDS, "ranks.", "adapters.torch.ranks."), silent=not parts,
    )  # fmt: skip
    assert any(place.name.startswith("ranks.board.") for place in trial.reached())
    assert trial.wrong(every) == []
