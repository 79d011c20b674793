"""Models and loops of `python -m benchmarks.cost --held-out`: nothing was measured on them while the recorder was made.

Images of 224 px come in batches of four, as in the goal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from tests.support.torchvision_ops import declare_operators


@dataclass(frozen=True)
class Subject:
    """A model with its input, and how many rounds are made."""

    name: str
    build: Callable[[], nn.Module]
    input: Callable[[], torch.Tensor]
    rounds: int


def images(batch: int, pixels: int) -> Callable[[], torch.Tensor]:
    return lambda: torch.randn(batch, 3, pixels, pixels)


def held_out() -> list[Subject]:
    declare_operators()
    import timm
    from torchvision import models

    four = images(4, 224)
    return [
        Subject("EfficientNetV2-S", models.efficientnet_v2_s, four, 5),
        Subject("ConvNeXt-T", models.convnext_tiny, four, 5),
        Subject("Swin-T", models.swin_t, four, 5),
        Subject("RegNetY-8GF", models.regnet_y_8gf, four, 5),
        Subject("MobileNetV3-L", models.mobilenet_v3_large, four, 9),
        Subject("Mixer-S/32", lambda: timm.create_model("mixer_s32_224"), four, 9),
        Subject("MaxViT-T", lambda: timm.create_model("maxvit_tiny_rw_224"), four, 5),
        Subject("U-Net of one's own", UNet, four, 5),
        Subject("LSTM tagger, 64 tokens, batch 16", Tagger, lambda: torch.randint(5000, (16, 64)), 15),
    ]


class UNet(nn.Module):
    """Four levels, each twice as wide as the one above."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(4)]
        self.down = nn.ModuleList(twice(*pair) for pair in zip([3, *widths[:-1]], widths, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * each, each, 2, stride=2) for each in reversed(widths[:-1]))
        self.merge = nn.ModuleList(twice(2 * each, each) for each in reversed(widths[:-1]))
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for level in self.down:
            x = level(x if not skips else functional.max_pool2d(x, 2))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1]), strict=True):
            x = merge(torch.cat([skip, up(x)], 1))
        return self.head(x)


def twice(given: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (given, width):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5000, 128)
        self.lstm = nn.LSTM(128, 128, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(256, 17)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(self.embedding(tokens))
        return self.head(states)


# Loops


@dataclass(frozen=True)
class Loop:
    """A model, and what makes the step of a loop from it: with its data and its optimizers."""

    name: str
    build: Callable[[], nn.Module]
    step: Callable[[nn.Module], Callable[[], object]]


def loops() -> list[Loop]:
    return [
        Loop("an RNN cell, over 32 time steps", Cells, over_time),
        Loop("gradients accumulated over 4 batches", small, accumulated),
        Loop("a trainer: hooks, a scheduler, now and then a validation", small, trained),
        Loop("a GAN: two steps of the critic, one of the generator", Gan, adversarial),
    ]


def small() -> nn.Module:
    return nn.Sequential(
        twice(3, 16), nn.MaxPool2d(2), twice(16, 32), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)
    )


class Cells(nn.Module):
    """The loop over time is the model's own."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.GRUCell(32, 64), nn.Linear(64, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = x.new_zeros(x.shape[0], 64)
        outputs = []
        for step in x.unbind(1):
            state = self.cell(step, state)
            outputs.append(self.head(state))
        return torch.stack(outputs, 1)


def over_time(model: nn.Module) -> Callable[[], object]:
    x, y = torch.randn(16, 32, 32), torch.randn(16, 32, 8)
    optimizer = torch.optim.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        functional.mse_loss(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def accumulated(model: nn.Module) -> Callable[[], object]:
    batches = [(torch.randn(8, 3, 32, 32), torch.randint(10, (8,))) for _ in range(4)]
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        for x, y in batches:
            (functional.cross_entropy(model(x), y) / len(batches)).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def trained(model: nn.Module) -> Callable[[], object]:
    x, y = torch.randn(8, 3, 32, 32), torch.randint(10, (8,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000)
    criterion = nn.CrossEntropyLoss()
    counted = iter(range(10**9))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = criterion(model(x), y)
        loss.backward()
        return loss

    def step() -> None:
        model.train()
        optimizer.step(closure)
        scheduler.step()
        if next(counted) % 10 == 0:
            model.eval()
            with torch.no_grad():
                (model(x).argmax(1) == y).float().mean().item()

    return step


class Gan(nn.Module):
    """Called for its judgement; the generator is called by name."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(
            nn.ConvTranspose2d(32, 32, 4), nn.BatchNorm2d(32), nn.ReLU(),
            nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip
        self.critic = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(32, 1, 4), nn.Flatten(),
        )  # fmt: skip

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        return self.critic(self.generator(noise))


def adversarial(model: nn.Module) -> Callable[[], object]:
    gan = next(each for each in model.modules() if isinstance(each, Gan))
    real = torch.randn(16, 3, 16, 16)
    critics = torch.optim.Adam(gan.critic.parameters(), 1e-4)
    makers = torch.optim.Adam(gan.generator.parameters(), 1e-4)

    def judged(images: torch.Tensor, wanted: float) -> torch.Tensor:
        scores = gan.critic(images)
        return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, wanted))

    def step() -> None:
        for _ in range(2):
            critics.zero_grad()
            made = gan.generator(torch.randn(16, 32, 1, 1)).detach()
            (judged(real, 1.0) + judged(made, 0.0)).backward()
            critics.step()
        makers.zero_grad()
        scores = model(torch.randn(16, 32, 1, 1))
        functional.binary_cross_entropy_with_logits(scores, torch.ones_like(scores)).backward()
        makers.step()

    return step
