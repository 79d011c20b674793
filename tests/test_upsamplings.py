"""One upsampling too many: one of them is taken back, and nothing made smaller behind them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from shapewatch.edits import Set
from tests.support.told import best, failing, reason


def _transposed() -> list[nn.Module]:
    return [nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ReLU()]


def _uneven() -> list[nn.Module]:
    return [nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1), nn.ReLU()]


def _upsampled() -> list[nn.Module]:
    return [nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, 3, padding=1)]


class Rebuilt(nn.Module):
    def __init__(self, up: Callable[[], list[nn.Module]], times: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1))
        self.up = nn.Sequential(*(layer for _ in range(times) for layer in up()))
        self.last = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.last(self.up(self.down(x)))


@pytest.mark.parametrize(
    ("up", "code"),
    [
        (_transposed, "self.up[4] = nn.ConvTranspose2d(8, 8, kernel_size=3, padding=1)  # stride was 2"),
        (_uneven, "self.up[4] = nn.ConvTranspose2d(8, 8, kernel_size=3, padding=1)  # stride was 2"),
        (_upsampled, "self.up[4] = nn.Upsample(scale_factor=1.0)  # scale_factor was 2.0"),
    ],
)
def test_the_last_of_three_is_taken_back(up: Callable[[], list[nn.Module]], code: str) -> None:
    model, x = Rebuilt(up, 3), torch.randn(2, 1, 20, 20)
    told = failing(model, x)
    assert best(told) == (code, "forward")
    assert "three layers multiply sizes by 2 on this way" in reason(told)
    assert [fix.edit.get("layer") or fix.edit["edits"][0]["layer"] for fix in told.fixes] == ["up.4", "up.2", "up.0"]
    with told.fixes[0].applied(model):
        assert model(x).shape == x.shape


class InTheForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.mid, self.last = nn.Conv2d(1, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 1, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.mid(functional.interpolate(self.down(x), scale_factor=2))
        y = self.last(functional.interpolate(y, scale_factor=2))
        return x + y


def test_a_line_of_a_forward() -> None:
    told = failing(InTheForward(), torch.randn(2, 1, 20, 20))
    code = "y = self.last(functional.interpolate(y, scale_factor=1))  # scale_factor was 2"
    assert best(told) == (code, "forward")


class LostStride(nn.Module):
    """As many upsamplings as there are to be, and a shortcut that comes from behind the first stride."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(8, 8, 3, stride, 1) for stride in (2, 2, 1))
        self.up = nn.Sequential(*_upsampled(), *_upsampled(), *_upsampled())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.up(self.three(self.two(self.one(x))))


def test_a_stride_before_the_upsamplings_is_offered() -> None:
    told = failing(LostStride(), torch.randn(2, 8, 32, 32))
    assert any(fix.edit.get("layer") == "three" for fix in told.fixes)


def test_sizes_that_are_no_multiple_tell_nothing() -> None:
    class Cut(Rebuilt):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x - self.last(self.up(self.down(x)))[:, :, 1:, 1:]

    told = failing(Cut(_upsampled, 3), torch.randn(2, 1, 20, 20))
    said = [told.headline, told.explanation, reason(told), *(phrase for fix in told.fixes for phrase in fix.evidence)]
    assert "multiply sizes by" not in " ".join(said)


class Rounded(nn.Module):
    """Two halvings of 28, and two doublings which both leave out what a stride of 2 cannot tell."""

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 8, 3, 2, 1))
        self.up = nn.Sequential(nn.ConvTranspose2d(8, 4, 3, 2, padding), nn.ConvTranspose2d(4, 1, 3, 2, padding))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x)) + x


def test_all_transposed_convolutions_give_what_their_stride_promises() -> None:
    told = failing(Rounded(1), torch.rand(2, 1, 28, 28))
    fix = told.fixes[0]
    assert [(edit.layer, edit.argument, edit.value) for edit in fix.changes if isinstance(edit, Set)] == [
        ("up.0", "output_padding", (1, 1)),
        ("up.1", "output_padding", (1, 1)),
    ]
    assert (fix.verified, fix.output_shape) == ("forward", (2, 1, 28, 28))
    assert told.cause is not None and "with it each of the 2 multiplies sizes by its stride" in told.cause.reason


def test_transposed_convolutions_that_give_more_are_not_told_to_give_more() -> None:
    told = failing(Rounded(0), torch.rand(2, 1, 28, 28))
    assert not [edit for fix in told.fixes for edit in fix.changes if getattr(edit, "argument", "") == "output_padding"]


class OneMissing(nn.Module):
    """A vector that is laid out as a map, and three transposed convolutions of which one enlarges it."""

    def __init__(self, strides: tuple[int, int, int], window: int = 4) -> None:
        super().__init__()
        self.lay, self.out = nn.Linear(12, 5 * 5 * 16), nn.Unflatten(1, (16, 5, 5))
        one, two, three = (
            {"kernel_size": window, "stride": 2, "padding": 1} if stride == 2 else {"kernel_size": 3, "padding": 1}
            for stride in strides
        )
        self.one, self.two = nn.ConvTranspose2d(16, 8, **one), nn.ConvTranspose2d(8, 8, **two)
        self.three = nn.ConvTranspose2d(8, 1, **three)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.three(torch.relu(self.two(torch.relu(self.one(self.out(self.lay(z)))))))


def _beside_images(model: nn.Module, side: int) -> Callable[[], torch.Tensor]:
    return lambda: torch.cat([torch.zeros(4, 1, side, side), model(torch.zeros(4, 12))])


def test_a_transposed_convolution_that_keeps_sizes_lacks_its_stride() -> None:
    told = failing(_beside_images(OneMissing((1, 2, 1)), 20))
    line = "self.one = nn.ConvTranspose2d(16, 8, kernel_size=4, stride=2, padding=1)"
    assert line in best(told)[0] and best(told)[1] == "junction"
    assert told.cause is not None and told.cause.layer == "one"
    assert "two multiplies sizes by 2" in reason(told)


def test_which_of_several_lacks_its_stride_is_not_known() -> None:
    told = failing(_beside_images(OneMissing((2, 1, 1)), 20))
    assert next(edit.layer for edit in told.fixes[0].changes if isinstance(edit, Set)) == "two"
    told = failing(_beside_images(nn.Sequential(OneMissing((1, 1, 2))), 20))
    assert "nothing tells which of them is to multiply them by 2" in reason(told)


def test_sizes_that_no_other_layer_multiplies_by_what_is_missing_ask_for_no_stride() -> None:
    told = failing(_beside_images(OneMissing((1, 2, 1)), 30))
    assert "multiplies sizes by" not in str(told.fixes[0].evidence)
