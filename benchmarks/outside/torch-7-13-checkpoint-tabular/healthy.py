import os
import tempfile

import numpy as np
import torch
import torch.nn as nn

N_FEATURES = 27
N_CLASSES = 4
CKPT = os.path.join(tempfile.gettempdir(), "churn_best.pt")


class GLUBlock(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.fc = nn.Linear(d_in, d_out * 2)
        self.bn = nn.BatchNorm1d(d_out * 2)

    def forward(self, x):
        a, b = self.bn(self.fc(x)).chunk(2, dim=-1)
        return a * torch.sigmoid(b)


class TabNetLike(nn.Module):
    def __init__(self, n_features, n_classes, width=64, depth=3):
        super().__init__()
        self.bn = nn.BatchNorm1d(n_features)
        self.inp = GLUBlock(n_features, width)
        self.blocks = nn.ModuleList([GLUBlock(width, width) for _ in range(depth)])
        self.out = nn.Linear(width, n_classes)

    def forward(self, x):
        h = self.inp(self.bn(x))
        for block in self.blocks:
            h = (h + block(h)) * 0.5**0.5
        return self.out(h)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FEATURES)).astype("float32")
    w = rng.normal(size=(N_FEATURES, N_CLASSES))
    y = (x @ w).argmax(axis=1)
    return torch.from_numpy(x), torch.from_numpy(y)


def iterate(x, y, batch_size, shuffle=True):
    order = torch.randperm(len(x)) if shuffle else torch.arange(len(x))
    for chunk in order.split(batch_size):
        yield x[chunk], y[chunk]


def train(config, epochs=2, lr=1e-2):
    x, y = make_data(640, 0)
    xv, yv = make_data(160, 0)
    model = TabNetLike(**config)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    best = 0.0
    for epoch in range(epochs):
        model.train()
        for xb, yb in iterate(x, y, 64):
            loss = criterion(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            acc = (model(xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} val acc {acc:.3f}")
        if acc > best:
            best = acc
            torch.save({"config": config, "state_dict": model.state_dict(), "acc": acc}, CKPT)
    return best


def predict(rows):
    ckpt = torch.load(CKPT, map_location="cpu")
    model = TabNetLike(**ckpt["config"])
    model.load_state_dict(ckpt["state_dict"])
    model.eval()
    with torch.no_grad():
        return model(rows).softmax(dim=-1)


def main():
    torch.manual_seed(0)
    config = {"n_features": N_FEATURES, "n_classes": N_CLASSES, "width": 96, "depth": 3}
    best = train(config)
    print("best", round(best, 3))
    rows, labels = make_data(32, 5)
    probs = predict(rows)
    print("top class", probs.argmax(1)[:8].tolist(), "confidence", probs.max(1).values.mean().item())
    os.remove(CKPT)


if __name__ == "__main__":
    main()
