# Forecasting household load with a gated temporal conv net.
# x: (batch, channels, time), everything causal, output has as many steps as the input.
import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class CausalConv(nn.Module):
    def __init__(self, c_in, c_out, k, dilation):
        super().__init__()
        self.left = k - 1
        self.conv = nn.utils.parametrizations.weight_norm(
            nn.Conv1d(c_in, c_out, k, dilation=dilation))

    def forward(self, x):
        return self.conv(F.pad(x, (self.left, 0)))


class GatedBlock(nn.Module):
    def __init__(self, c_in, c_out, k, dilation, p):
        super().__init__()
        self.conv1 = CausalConv(c_in, 2 * c_out, k, dilation)
        self.conv2 = CausalConv(c_out, 2 * c_out, k, dilation)
        self.drop = nn.Dropout(p)
        self.match = nn.Conv1d(c_in, c_out, 1) if c_in != c_out else None

    def forward(self, x):
        y = self.drop(F.glu(self.conv1(x), dim=1))
        y = self.drop(F.glu(self.conv2(y), dim=1))
        skip = x if self.match is None else self.match(x)
        return (y + skip) * math.sqrt(0.5)


class GatedTCN(nn.Module):
    def __init__(self, n_in, widths, k=3, p=0.1, horizon=1):
        super().__init__()
        blocks = []
        for i, w in enumerate(widths):
            blocks.append(GatedBlock(n_in if i == 0 else widths[i - 1], w, k, 2 ** i, p))
        self.tcn = nn.Sequential(*blocks)
        self.out = nn.Conv1d(widths[-1], horizon, 1)

    def forward(self, x):
        return self.out(self.tcn(x))


def make_series(n_days, n_series):
    """hourly load: daily + weekly cycle, noise, temperature and hour-of-day as covariates"""
    t = torch.arange(n_days * 24).float()
    phase = torch.rand(n_series, 1) * 2 * math.pi
    daily = torch.sin(2 * math.pi * t / 24 + phase)
    weekly = 0.3 * torch.sin(2 * math.pi * t / 168 + phase)
    temp = 15 + 5 * torch.sin(2 * math.pi * t / 24 - 1.0).expand(n_series, -1)
    load = daily + weekly + 0.1 * torch.randn(n_series, len(t))
    hour = (t % 24 / 23).expand(n_series, -1)
    return torch.stack([load, (temp - 15) / 5, hour], dim=1)


def windows(series, length, horizon):
    u = series.unfold(2, length + horizon, 24)           # (N, C, W, L+H)
    u = u.permute(0, 2, 1, 3).reshape(-1, series.size(1), length + horizon)
    x = u[:, :, :length]
    # target at t: the next `horizon` loads
    y = torch.stack([u[:, 0, h:h + length] for h in range(1, horizon + 1)], dim=1)
    return x, y


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--window", type=int, default=96)
    ap.add_argument("--horizon", type=int, default=4)
    ap.add_argument("--widths", type=int, nargs="+", default=[16, 24, 24, 32])
    ap.add_argument("--kernel", type=int, default=3)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--lr", type=float, default=2e-3)
    a = ap.parse_args()

    torch.manual_seed(17)
    x, y = windows(make_series(14, 5), a.window, a.horizon)
    print("windows", tuple(x.shape), "targets", tuple(y.shape))

    net = GatedTCN(3, a.widths, a.kernel, horizon=a.horizon)
    rf = 1 + 2 * (a.kernel - 1) * sum(2 ** i for i in range(len(a.widths)))
    print("receptive field:", rf, "hours")

    opt = torch.optim.Adam(net.parameters(), lr=a.lr)
    for step in range(3):
        idx = torch.randint(len(x), (a.batch,))
        pred = net(x[idx])
        warm = a.window // 4
        loss = F.smooth_l1_loss(pred[..., warm:], y[idx][..., warm:])
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(f"step {step} | loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
