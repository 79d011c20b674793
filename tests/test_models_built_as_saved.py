"""Saved weights of another width, where the program tells how the model was built that they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.support.told import failing, reason


class Wide(nn.Module):
    def __init__(self, given: int, width: int = 8) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(given, width), nn.LayerNorm(width)
        self.second, self.last = nn.Linear(width, width), nn.Linear(width, 3)


def with_settings(path: Path) -> None:
    settings = {"given": 5, "width": 12}
    model = Wide(**settings)
    torch.save({"settings": settings, "weights": model.state_dict()}, path)
    held = torch.load(path)
    again = Wide(given=5)
    again.load_state_dict(held["weights"])


def alone(path: Path) -> None:
    model = Wide(5, width=12)
    torch.save(model.state_dict(), path)
    again = Wide(5).to("cpu")
    again.load_state_dict(torch.load(path))


def of_another_model(path: Path) -> None:
    assert path.parent.is_dir()
    online = Wide(5, 12)
    target = Wide(5)
    target.load_state_dict(online.state_dict())


def of_another_file(path: Path) -> None:
    torch.save(downloaded(12), path)
    model = Wide(5, 16)
    torch.save(model.state_dict(), path.with_suffix(".new"))
    again = Wide(5)
    again.load_state_dict(torch.load(path))


def downloaded(width: int) -> Any:
    return nn.Sequential(Wide(5, width))[0].state_dict()


def by_what_a_function_is_given(path: Path, width: int = 12) -> None:
    model = Wide(5, width)
    torch.save(model.state_dict(), path)
    again = Wide(5)
    again.load_state_dict(torch.load(path))


@pytest.mark.parametrize(
    ("run", "code", "said"),
    [
        (with_settings, 'again = Wide(**held["settings"])', 'what `held["settings"]` holds'),
        (alone, 'again = Wide(5, width=12).to("cpu")', "as `Wide(5, width=12)`"),
        (of_another_model, "target = Wide(5, 12)", "as `Wide(5, 12)`"),
    ],
)
def test_the_model_is_built_as_the_one_whose_weights_are_loaded(
    run: Callable[[Path], None], code: str, said: str, tmp_path: Path
) -> None:
    told = failing(run, tmp_path / "weights.pt")
    (fix,) = told.fixes
    assert (told.code, fix.code, fix.verified) == ("SW901", code, None)
    assert said in reason(told)
    assert not told.suspects


@pytest.mark.parametrize("run", [of_another_file, by_what_a_function_is_given])
def test_where_the_weights_come_from_elsewhere_the_causes_stay_possible_ones(
    run: Callable[[Path], None], tmp_path: Path
) -> None:
    told = failing(run, tmp_path / "weights.pt")
    assert told.suspects
    assert not any("Wide(" in fix.code for fix in told.fixes)


def test_no_other_head_where_the_last_layer_gives_as_many(tmp_path: Path) -> None:
    told = failing(of_another_file, tmp_path / "weights.pt")
    assert not any("number of classes" in each.cause or "strict=False" in each.code for each in told.suspects)


def test_another_head_is_still_told() -> None:
    def head(model: nn.Module) -> None:
        model.load_state_dict({name: value[:2] for name, value in model.state_dict().items()})

    told = failing(head, nn.Sequential(nn.Linear(2, 7)))
    assert any("number of classes" in each.cause for each in told.suspects)
