#!/usr/bin/env python3
"""Train a small 3-D U-Net for organ segmentation on CT patches."""
from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
log = logging.getLogger("unet3d")


@dataclass
class ModelConfig:
    in_channels: int = 1
    num_classes: int = 3
    features: list[int] = field(default_factory=lambda: [8, 16, 32, 64])
    norm: str = "instance"


def make_norm(kind: str, channels: int) -> nn.Module:
    if kind == "instance":
        return nn.InstanceNorm3d(channels, affine=True)
    if kind == "group":
        return nn.GroupNorm(4, channels)
    raise KeyError(kind)


class ConvUnit(nn.Module):
    def __init__(self, cin: int, cout: int, norm: str) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(cin, cout, 3, padding=1, bias=False),
            make_norm(norm, cout),
            nn.LeakyReLU(0.01, inplace=True),
            nn.Conv3d(cout, cout, 3, padding=1, bias=False),
            make_norm(norm, cout),
            nn.LeakyReLU(0.01, inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class UNet3D(nn.Module):
    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.encoders = nn.ModuleList()
        self.upsamplers = nn.ModuleList()
        self.decoders = nn.ModuleList()
        self.pool = nn.MaxPool3d(2)

        cin = cfg.in_channels
        for width in cfg.features[:-1]:
            self.encoders.append(ConvUnit(cin, width, cfg.norm))
            cin = width
        self.bottom = ConvUnit(cin, cfg.features[-1], cfg.norm)

        cin = cfg.features[-1]
        for width in reversed(cfg.features[:-1]):
            self.upsamplers.append(nn.ConvTranspose3d(cin, width, 2, stride=2))
            self.decoders.append(ConvUnit(2 * width, width, cfg.norm))
            cin = width
        self.head = nn.Conv3d(cin, cfg.num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for enc in self.encoders:
            x = enc(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for up, dec, skip in zip(self.upsamplers, self.decoders, skips):
            x = up(x)
            x = dec(torch.cat([skip, x], dim=1))
        return self.head(x)


class PatchDataset(Dataset):
    """Random CT-like patches in Hounsfield units with a voxel label map."""

    def __init__(self, n: int, patch: tuple[int, int, int], classes: int, seed: int) -> None:
        gen = torch.Generator().manual_seed(seed)
        self.volumes = torch.randint(-1000, 1000, (n, 1, *patch), generator=gen).float()
        self.labels = torch.randint(0, classes, (n, *patch), generator=gen)

    def __len__(self) -> int:
        return len(self.volumes)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        vol = self.volumes[index].clamp(-160, 240)
        vol = (vol + 160) / 400
        return {"image": vol, "label": self.labels[index]}


def soft_dice_loss(logits: Tensor, target: Tensor, eps: float = 1e-5) -> Tensor:
    probs = logits.softmax(dim=1)
    onehot = nn.functional.one_hot(target, logits.shape[1]).permute(0, 4, 1, 2, 3).float()
    dims = (0, 2, 3, 4)
    inter = (probs * onehot).sum(dims)
    denom = probs.sum(dims) + onehot.sum(dims)
    return 1 - ((2 * inter + eps) / (denom + eps)).mean()


def parse_args() -> argparse.Namespace:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--patch", type=int, nargs=3, default=(16, 32, 32), metavar=("D", "H", "W"))
    ap.add_argument("--batch-size", type=int, default=2)
    ap.add_argument("--lr", type=float, default=3e-4)
    ap.add_argument("--iterations", type=int, default=2)
    ap.add_argument("--seed", type=int, default=11)
    return ap.parse_args()


def main() -> None:
    args = parse_args()
    torch.manual_seed(args.seed)
    cfg = ModelConfig()
    net = UNet3D(cfg)
    data = PatchDataset(args.batch_size * args.iterations, tuple(args.patch), cfg.num_classes, args.seed)
    loader = DataLoader(data, batch_size=args.batch_size, shuffle=True)
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    ce = nn.CrossEntropyLoss()
    for it, batch in enumerate(loader, start=1):
        logits = net(batch["image"])
        loss = ce(logits, batch["label"]) + soft_dice_loss(logits, batch["label"])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        log.info("iteration %d/%d loss=%.4f", it, args.iterations, loss.item())


if __name__ == "__main__":
    main()
