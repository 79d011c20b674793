import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

cfg = dict(
    input_len=48,
    pred_len=12,
    n_vars=5,
    d_model=32,
    nhead=4,
    layers=2,
    batch=16,
)


class ETTWindows(Dataset):
    def __init__(self, split, input_len, pred_len):
        rng = np.random.default_rng(1)
        t = np.arange(600)
        base = np.stack([np.sin(t / (6 + 3 * k)) for k in range(cfg["n_vars"])], 1)
        arr = (base + 0.1 * rng.standard_normal(base.shape)).astype("float32")
        cut = 480
        self.arr = arr[:cut] if split == "train" else arr[cut:]
        self.i, self.p = input_len, pred_len

    def __len__(self):
        return (len(self.arr) - self.i - self.p) // 4

    def __getitem__(self, k):
        s = k * 4
        return self.arr[s:s + self.i], self.arr[s + self.i:s + self.i + self.p]


class LearnedPE(nn.Module):
    def __init__(self, n_pos, d_model):
        super().__init__()
        self.pe = nn.Parameter(torch.zeros(1, n_pos, d_model))
        nn.init.trunc_normal_(self.pe, std=0.02)

    def forward(self, x):
        return x + self.pe[:, :x.size(1)]


class Forecaster(nn.Module):
    """Encoder-only: history tokens followed by learned query tokens for the horizon."""

    def __init__(self, input_len, pred_len, n_vars, d_model, nhead, layers):
        super().__init__()
        self.pred_len = pred_len
        self.proj = nn.Linear(n_vars, d_model)
        self.query = nn.Parameter(torch.randn(1, pred_len, d_model) * 0.02)
        self.pos = LearnedPE(input_len + pred_len, d_model)
        enc = nn.TransformerEncoderLayer(d_model, nhead, 4 * d_model, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(enc, layers)
        self.out = nn.Linear(d_model, n_vars)

    def forward(self, x):
        mu, sd = x.mean(1, keepdim=True), x.std(1, keepdim=True) + 1e-5
        h = self.proj((x - mu) / sd)
        q = self.query.expand(h.size(0), -1, -1)
        h = torch.cat([h, q], dim=1)
        h = self.encoder(self.pos(h))
        return self.out(h[:, -self.pred_len:]) * sd + mu


def make_loader(split, shuffle):
    ds = ETTWindows(split, cfg["input_len"], cfg["pred_len"])
    return DataLoader(ds, batch_size=cfg["batch"], shuffle=shuffle)


def train():
    torch.manual_seed(0)
    train_loader, val_loader = make_loader("train", True), make_loader("val", False)
    model = Forecaster(cfg["input_len"], cfg["pred_len"], cfg["n_vars"],
                       cfg["d_model"], cfg["nhead"], cfg["layers"])
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    crit = nn.L1Loss()
    for ep in range(2):
        model.train()
        for hist, fut in train_loader:
            loss = crit(model(hist), fut)
            opt.zero_grad()
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            mae = np.mean([crit(model(h), f).item() for h, f in val_loader])
        print(f"epoch {ep}: train {loss.item():.3f} val MAE {mae:.3f}")


train()
