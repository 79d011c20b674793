"""One loader of two is not told how samples of several lengths are put together."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import shapewatch


class Texts(Dataset[Any]):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, at: int) -> Any:
        return torch.ones(3 + at), torch.tensor(at % 2)


def padded(samples: list[Any]) -> Any:
    texts = torch.nn.utils.rnn.pad_sequence([text for text, _ in samples], batch_first=True)
    return texts, torch.stack([label for _, label in samples])


def read(loader: Any) -> None:
    for _texts, _labels in loader:
        pass


def trained_and_judged() -> None:
    train = DataLoader(Texts(), batch_size=3, shuffle=True, collate_fn=padded)
    judge = DataLoader(Texts(), batch_size=3)
    read(train)
    read(judge)


def test_the_loader_that_has_none() -> None:
    with pytest.raises(RuntimeError, match="stack expects"), shapewatch.watch() as session:
        trained_and_judged()
    (told,) = session.report.diagnoses
    assert told.code == "SW902"
    assert [fix.code for fix in told.fixes] == ["judge = DataLoader(Texts(), batch_size=3, collate_fn=padded)"]
    assert told.cause is not None
    assert told.cause.reason == "it has no `collate_fn`, and the other loader has `padded`"


class Windows(Dataset[Any]):
    """Its length forgets what each sample looks ahead."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, at: int) -> Any:
        series = torch.arange(28.0)
        return series[at : at + 6], series[at + 6 : at + 12]


def windowed() -> None:
    for _past, _ahead in torch.utils.data.dataloader.DataLoader(Windows(), batch_size=20):
        pass


def test_slices_that_run_past_the_end() -> None:
    with pytest.raises(RuntimeError, match="stack expects"), shapewatch.watch() as session:
        windowed()
    (told,) = session.report.diagnoses
    assert told.code == "SW902"
    assert told.explanation.endswith("The last ones are shorter and shorter: slices that run past the end of the data.")
    assert not told.fixes, "what a loader puts together is no code of the program's"
