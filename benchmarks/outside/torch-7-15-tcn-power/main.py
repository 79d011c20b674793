import argparse

import torch
import torch.nn as nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.data import DataLoader, Dataset


class PowerWindows(Dataset):
    """Sliding windows over an hourly household power series with 5 channels."""

    def __init__(self, length=600, window=96, horizon=12):
        t = torch.arange(length).float()
        base = torch.stack([torch.sin(t / p) for p in (3.8, 12.0, 24.0, 84.0, 168.0)])
        self.series = base + 0.1 * torch.randn(base.shape)
        self.window, self.horizon = window, horizon

    def __len__(self):
        return (self.series.size(1) - self.window - self.horizon) // 4

    def __getitem__(self, i):
        s = i * 4
        past = self.series[:, s : s + self.window]
        future = self.series[0, s + self.window : s + self.window + self.horizon]
        return past, future


class Chomp1d(nn.Module):
    def __init__(self, chomp_size):
        super().__init__()
        self.chomp_size = chomp_size

    def forward(self, x):
        return x[:, :, : -self.chomp_size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, n_inputs, n_outputs, kernel_size, dilation, dropout=0.2):
        super().__init__()
        padding = (kernel_size - 1) * dilation
        layers = []
        for c_in in (n_inputs, n_outputs):
            layers += [
                weight_norm(nn.Conv1d(c_in, n_outputs, kernel_size, padding=padding, dilation=dilation)),
                Chomp1d(kernel_size - 1),
                nn.ReLU(),
                nn.Dropout(dropout),
            ]
        self.net = nn.Sequential(*layers)
        self.downsample = nn.Conv1d(n_inputs, n_outputs, 1) if n_inputs != n_outputs else None
        self.relu = nn.ReLU()

    def forward(self, x):
        out = self.net(x)
        res = x if self.downsample is None else self.downsample(x)
        return self.relu(out + res)


class TCN(nn.Module):
    def __init__(self, n_inputs, channels, kernel_size, horizon):
        super().__init__()
        blocks = []
        for i, c_out in enumerate(channels):
            c_in = n_inputs if i == 0 else channels[i - 1]
            blocks.append(TemporalBlock(c_in, c_out, kernel_size, dilation=2**i))
        self.network = nn.Sequential(*blocks)
        self.linear = nn.Linear(channels[-1], horizon)

    def forward(self, x):
        return self.linear(self.network(x)[:, :, -1])


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--levels", type=int, default=4)
    p.add_argument("--nhid", type=int, default=24)
    p.add_argument("--ksize", type=int, default=3)
    p.add_argument("--horizon", type=int, default=12)
    p.add_argument("--epochs", type=int, default=2)
    return p.parse_args()


def main():
    args = parse()
    torch.manual_seed(1111)
    data = PowerWindows(horizon=args.horizon)
    n_val = len(data) // 5
    train_set, val_set = torch.utils.data.random_split(data, [len(data) - n_val, n_val])
    train = DataLoader(train_set, batch_size=32, shuffle=True)
    val = DataLoader(val_set, batch_size=32)
    model = TCN(5, [args.nhid] * args.levels, args.ksize, args.horizon)
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    mse = nn.MSELoss()
    for epoch in range(args.epochs):
        model.train()
        for past, future in train:
            opt.zero_grad()
            loss = mse(model(past), future)
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            v = sum(mse(model(p), f).item() * len(p) for p, f in val) / n_val
        print(f"epoch {epoch} train {loss.item():.4f} val {v:.4f}")


if __name__ == "__main__":
    main()
