"""Keyword spotting with a small DenseNet on log-mel spectrograms."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

KEYWORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]

CONFIG = {
    "growth_rate": 12,
    "block_config": (3, 4, 3),
    "stem_channels": 24,
    "compression": 0.5,
    "bn_size": 4,
    "batch_size": 16,
    "lr": 3e-4,
}


class FakeSpeechCommands(Dataset):
    def __init__(self, n=64, n_mels=40, frames=98):
        g = torch.Generator().manual_seed(n)
        self.mels = torch.randn(n, 1, n_mels, frames, generator=g)
        self.labels = torch.randint(len(KEYWORDS), (n,), generator=g)

    def __len__(self):
        return self.labels.numel()

    def __getitem__(self, idx):
        mel = self.mels[idx]
        mel = (mel - mel.mean()) / (mel.std() + 1e-5)
        return mel, self.labels[idx]


class DenseLayer(nn.Module):
    def __init__(self, in_ch, growth, bn_size):
        super().__init__()
        self.net = nn.Sequential(
            nn.BatchNorm2d(in_ch),
            nn.ReLU(),
            nn.Conv2d(in_ch, bn_size * growth, 1, bias=False),
            nn.BatchNorm2d(bn_size * growth),
            nn.ReLU(),
            nn.Conv2d(bn_size * growth, growth, 3, padding=1, bias=False),
        )

    def forward(self, x):
        return torch.cat([x, self.net(x)], dim=1)


class DenseBlock(nn.Sequential):
    def __init__(self, num_layers, in_ch, growth, bn_size):
        super().__init__(*[DenseLayer(in_ch + i * growth, growth, bn_size) for i in range(num_layers)])


class Transition(nn.Sequential):
    def __init__(self, in_ch, out_ch):
        super().__init__(
            nn.BatchNorm2d(in_ch), nn.ReLU(), nn.Conv2d(in_ch, out_ch, 1, bias=False), nn.AvgPool2d(2)
        )


class KWSDenseNet(nn.Module):
    def __init__(self, cfg, n_classes):
        super().__init__()
        ch = cfg["stem_channels"]
        growth = cfg["growth_rate"]
        self.stem = nn.Conv2d(1, ch, 5, stride=2, padding=2, bias=False)
        stages = []
        for i, num_layers in enumerate(cfg["block_config"]):
            stages.append(DenseBlock(num_layers, ch, growth, cfg["bn_size"]))
            ch = ch + growth
            if i != len(cfg["block_config"]) - 1:
                out = math.floor(ch * cfg["compression"])
                stages.append(Transition(ch, out))
                ch = out
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(ch)
        self.classifier = nn.Linear(ch, n_classes)

    def forward(self, x):
        x = self.stages(self.stem(x))
        x = torch.relu(self.norm(x)).mean(dim=(2, 3))
        return self.classifier(x)


def run_epoch(model, loader, criterion, optimizer=None):
    model.train(optimizer is not None)
    total, correct, count = 0.0, 0, 0
    for mel, label in loader:
        with torch.set_grad_enabled(optimizer is not None):
            logits = model(mel)
            loss = criterion(logits, label)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item() * label.size(0)
        correct += (logits.argmax(dim=-1) == label).sum().item()
        count += label.size(0)
    return total / count, correct / count


def main():
    train = DataLoader(FakeSpeechCommands(64), CONFIG["batch_size"], shuffle=True)
    valid = DataLoader(FakeSpeechCommands(24), CONFIG["batch_size"])
    model = KWSDenseNet(CONFIG, len(KEYWORDS))
    optimizer = torch.optim.AdamW(model.parameters(), lr=CONFIG["lr"])
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for epoch in range(2):
        tl, ta = run_epoch(model, train, criterion, optimizer)
        vl, va = run_epoch(model, valid, criterion)
        print(f"epoch {epoch}: train {tl:.3f}/{ta:.2f} valid {vl:.3f}/{va:.2f}")


if __name__ == "__main__":
    main()
