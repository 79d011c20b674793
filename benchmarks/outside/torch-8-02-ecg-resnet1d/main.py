"""
12-lead ECG rhythm classification with a 1-d bottleneck ResNet.

Signals are 10 s at 100 Hz.  Here we use noise instead of the real recordings
so that the script can be run without access to the hospital share.
"""
import math
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader

CONFIG = {
    "leads": 12,
    "n_samples": 1000,
    "n_classes": 5,
    "stem_width": 32,
    "layers": [2, 2, 2],
    "widths": [32, 48, 64],
    "kernel": 7,
    "batch_size": 4,
    "lr": 1e-3,
    "max_steps": 2,
}


def seed_everything(seed: int = 2023):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class FakeECG(Dataset):
    def __init__(self, n, cfg):
        self.n = n
        self.cfg = cfg
        rng = np.random.default_rng(0)
        self.sig = rng.standard_normal((n, cfg["leads"], cfg["n_samples"])).astype(np.float32)
        self.lab = rng.integers(0, cfg["n_classes"], size=n)

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        x = self.sig[i]
        x = (x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, keepdims=True) + 1e-6)
        return torch.from_numpy(x), int(self.lab[i])


class Bottleneck1d(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, kernel, stride=1, downsample=None):
        super().__init__()
        self.conv1 = nn.Conv1d(inplanes, planes, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm1d(planes)
        self.conv2 = nn.Conv1d(planes, planes, kernel_size=kernel, stride=stride,
                               padding=kernel // 2, bias=False)
        self.bn2 = nn.BatchNorm1d(planes)
        self.conv3 = nn.Conv1d(planes, planes * self.expansion, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm1d(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.relu(out)


class ECGResNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.inplanes = cfg["stem_width"]
        self.kernel = cfg["kernel"]
        self.stem = nn.Sequential(
            nn.Conv1d(cfg["leads"], self.inplanes, 15, stride=2, padding=7, bias=False),
            nn.BatchNorm1d(self.inplanes),
            nn.ReLU(inplace=True),
            nn.MaxPool1d(3, stride=2, padding=1),
        )
        stages = []
        for s, (w, n) in enumerate(zip(cfg["widths"], cfg["layers"])):
            stages.append(self._make_layer(Bottleneck1d, w, n, stride=1 if s == 0 else 2))
        self.stages = nn.Sequential(*stages)
        feat = cfg["widths"][-1] * Bottleneck1d.expansion
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * feat, cfg["n_classes"]))

    def _make_layer(self, block, planes, blocks, stride=1):
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                nn.AvgPool1d(stride, stride, ceil_mode=True),
                nn.Conv1d(self.inplanes, planes * block.expansion, 1, bias=False),
                nn.BatchNorm1d(planes * block.expansion),
            )
        layers = [block(self.inplanes, planes, self.kernel, stride, downsample)]
        self.inplanes = planes
        for _ in range(1, blocks):
            layers.append(block(self.inplanes, planes, self.kernel))
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.stages(self.stem(x))
        pooled = torch.cat([x.mean(dim=-1), x.amax(dim=-1)], dim=1)
        return self.head(pooled)


def main(cfg):
    seed_everything()
    loader = DataLoader(FakeECG(16, cfg), batch_size=cfg["batch_size"], shuffle=True)
    model = ECGResNet(cfg)
    n_params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("trainable parameters:", n_params)

    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["lr"])
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: 0.5 * (1 + math.cos(math.pi * t / cfg["max_steps"])))

    model.train()
    for step, (signal, label) in enumerate(loader):
        if step == cfg["max_steps"]:
            break
        optimizer.zero_grad()
        loss = criterion(model(signal), label)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        print(f"step {step:02d}  loss {loss.item():.4f}")


if __name__ == "__main__":
    main(CONFIG)
